//! Every verdict, newest first. The filters stand in the address; pages go on by the chain's sequence.

use askama::Template;
use axum::extract::{Query, State};
use axum::http::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use writ_base::Moment;
use writ_engine::Snapshot;
use writ_model::values::Value;
use writ_model::{Channel, Signal, Who};
use writ_store::index;

use super::policy::clause_options;
use super::{Pick, Shared, clause_name, service_name};
use crate::frame::{Frame, Visit};
use crate::reply::{Failure, Reply, encode, page as show};
use crate::{Console, limits, words};

/// The filters, as the address holds them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct Filters {
    pub(crate) effect: String,
    pub(crate) service: String,
    pub(crate) class: String,
    pub(crate) clause: String,
    pub(crate) who: String,
    pub(crate) channel: String,
    pub(crate) signal: String,
    pub(crate) person: String,
    pub(crate) from: String,
    pub(crate) to: String,
    /// Rows before this sequence.
    pub(crate) before: Option<u64>,
    /// Rows after this sequence: what came since.
    pub(crate) after: Option<u64>,
}

/// A page of the list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Records {
    /// The rows, newest first.
    pub(crate) rows: Vec<LiveRow>,
    /// The sequence of the newest row; what comes after it is new.
    pub(crate) newest: u64,
    /// The sequence before which the next page begins.
    pub(crate) next_before: Option<u64>,
}

/// One verdict.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct LiveRow {
    /// The entry of the ledger.
    pub(crate) sequence: u64,
    /// The interaction.
    pub(crate) interaction: String,
    /// When, for machines.
    pub(crate) at: String,
    /// When.
    pub(crate) time: String,
    /// `allow`, `coach`, `redact`, `justify`, `block`.
    pub(crate) effect: String,
    /// What happened.
    pub(crate) happened: String,
    /// Whether it would have been another one without roll-out.
    pub(crate) differs: bool,
    /// The tool.
    pub(crate) tool: String,
    /// What was found.
    pub(crate) found: String,
    /// Why nothing was read, where that was chosen.
    pub(crate) unread: Option<String>,
    /// The clauses that decided.
    pub(crate) clauses: String,
    /// Who, by pseudonym.
    pub(crate) person: Option<String>,
}

#[derive(Debug)]
struct LiveView {
    here: String,
    live: bool,
    fragment: String,
    events: String,
    newest: u64,
    filtered: bool,
    rows: Vec<LiveRow>,
    newest_page: Option<String>,
    older: Option<String>,
    effects: Vec<Pick>,
    services: Vec<Pick>,
    classes: Vec<Pick>,
    clauses: Vec<Pick>,
    who: Vec<Pick>,
    channels: Vec<Pick>,
    signals: Vec<Pick>,
    person: String,
    from: String,
    to: String,
}

#[derive(Template)]
#[template(path = "live.html")]
struct LivePage {
    frame: Frame,
    view: LiveView,
}

#[derive(Template)]
#[template(path = "fragment.html")]
pub(crate) struct Fragment {
    pub(crate) rows: Vec<LiveRow>,
}

impl Filters {
    /// The question to the index.
    fn query(&self, limit: usize) -> index::Query {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let day = |text: &str| Moment::parse(text.trim());
        index::Query {
            from: day(&self.from),
            // The day named is shown whole.
            to: day(&self.to).map(|day| day.after(std::time::Duration::from_secs(86_400))),
            service: some(&self.service),
            effect: words::effect_named(&self.effect),
            clause: some(&self.clause),
            class: some(&self.class),
            person: some(self.person.trim()),
            who: Who::named(&self.who),
            channel: Channel::named(&self.channel),
            signal: some(&self.signal),
            before: self.before,
            limit,
            ..index::Query::default()
        }
    }

    /// The address of a page with these filters.
    fn address(&self, path: &str, before: Option<u64>) -> String {
        let fields = [
            ("effect", &self.effect),
            ("service", &self.service),
            ("class", &self.class),
            ("clause", &self.clause),
            ("who", &self.who),
            ("channel", &self.channel),
            ("signal", &self.signal),
            ("person", &self.person),
            ("from", &self.from),
            ("to", &self.to),
        ];
        let mut pairs: Vec<String> = fields
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!("{name}={}", encode(value)))
            .collect();
        pairs.extend(before.map(|before| format!("before={before}")));
        if pairs.is_empty() { path.to_owned() } else { format!("{path}?{}", pairs.join("&")) }
    }

    fn filtered(&self) -> bool {
        !self.address("", None).is_empty()
    }
}

/// `GET /live`
pub(crate) async fn page(State(console): Shared, visit: Visit, Query(filters): Query<Filters>) -> Reply {
    let records = read(&console, &filters).await?;
    let snapshot = (console.parts.snapshot)();
    let view = LiveView {
        here: filters.address("/live", None),
        live: filters.before.is_none() && filters.to.is_empty(),
        fragment: filters.address("/live/rows", None),
        events: filters.address("/live/events", None),
        newest: records.newest,
        filtered: filters.filtered(),
        newest_page: filters.before.map(|_| filters.address("/live", None)),
        older: records.next_before.map(|before| filters.address("/live", Some(before))),
        rows: records.rows,
        effects: effects(&filters.effect),
        services: services(&console, &snapshot, &filters.service).await?,
        classes: picks(snapshot.policy.classes().keys().map(|id| (id.to_string(), words::class(id))), &filters.class),
        clauses: picks(
            clause_options(&snapshot).into_iter().map(|(id, title)| (id.to_string(), title)),
            &filters.clause,
        ),
        who: values::<Who>(&filters.who),
        channels: values::<Channel>(&filters.channel),
        signals: signals(&filters.signal),
        person: filters.person.clone(),
        from: filters.from.clone(),
        to: filters.to.clone(),
    };
    show(&LivePage { frame: console.frame(&visit, "Live"), view })
}

/// `GET /live/rows`: the rows that came after `after`, for the script.
pub(crate) async fn rows(State(console): Shared, Query(filters): Query<Filters>) -> Reply {
    let records = read(&console, &filters).await?;
    let newest = records.newest.max(filters.after.unwrap_or(0));
    let mut response = show(&Fragment { rows: records.rows })?;
    if let Ok(value) = HeaderValue::from_str(&newest.to_string()) {
        response.headers_mut().insert(HeaderName::from_static("x-writ-newest"), value);
    }
    Ok(response)
}

/// Reads a page.
pub(crate) async fn read(console: &Console, filters: &Filters) -> Result<Records, Failure> {
    let most = limits::PAGE_ROWS.value();
    let mut rows = console.parts.index.query(&filters.query(most + 1)).await?;
    if let Some(after) = filters.after {
        rows.retain(|row| row.sequence > after);
    }
    let more = rows.len() > most;
    rows.truncate(most);
    let snapshot = (console.parts.snapshot)();
    let today = console.parts.clock.now().date();
    Ok(Records {
        newest: rows.first().map_or(0, |row| row.sequence),
        next_before: rows.last().filter(|_| more).map(|row| row.sequence),
        rows: rows.iter().map(|row| live_row(&snapshot, row, today)).collect(),
    })
}

fn live_row(snapshot: &Snapshot, row: &index::Row, today: (i64, u32, u32)) -> LiveRow {
    let (effect, happened) = words::outcome(row.enforced, row.found.iter().any(|class| class.redacted));
    let found: Vec<String> = row.classes.iter().map(|class| words::class(class)).collect();
    let clauses: Vec<String> = row.clauses.iter().map(|id| clause_name(snapshot, id)).collect();
    let answer = if row.direction == writ_model::Direction::Answer { " (answer)" } else { "" };
    LiveRow {
        sequence: row.sequence,
        interaction: row.interaction.to_string(),
        at: words::machine(row.time),
        time: if row.time.date() == today { words::second(row.time) } else { words::time(row.time) },
        effect: effect.to_owned(),
        happened: format!("{happened}{answer}"),
        differs: row.full != row.enforced,
        tool: service_name(&snapshot.catalog, &row.service),
        found: found.join(", "),
        unread: row.unread.clone(),
        clauses: clauses.join("; "),
        person: row.person.clone(),
    }
}

fn effects(selected: &str) -> Vec<Pick> {
    let all =
        writ_model::Effect::ALL.iter().map(|effect| (effect.as_str().to_owned(), words::effect(*effect).to_owned()));
    picks(all, selected)
}

/// The services seen in the last 30 days, and the one that is asked for.
async fn services(console: &Console, snapshot: &Snapshot, selected: &str) -> Result<Vec<Pick>, Failure> {
    let (from, to) = super::overview::span(console, 30);
    let mut ids: Vec<String> =
        console.parts.index.tools(from, to).await?.into_iter().map(|tool| tool.service).collect();
    if !selected.is_empty() && !ids.iter().any(|id| id == selected) {
        ids.push(selected.to_owned());
    }
    Ok(picks(ids.into_iter().map(|id| (id.clone(), service_name(&snapshot.catalog, &id))), selected))
}

fn values<V: Value>(selected: &str) -> Vec<Pick> {
    picks(
        V::ALL.iter().map(|value| (value.name().to_owned(), words::sentence(&value.name().replace('-', " ")))),
        selected,
    )
}

fn signals(selected: &str) -> Vec<Pick> {
    let mut families: Vec<&str> = Signal::ALL.iter().map(|signal| signal.family()).collect();
    families.dedup();
    picks(families.into_iter().map(|family| (family.to_owned(), words::sentence(&family.replace('-', " ")))), selected)
}

fn picks(all: impl Iterator<Item = (String, String)>, selected: &str) -> Vec<Pick> {
    let mut picks: Vec<Pick> = all.map(|(value, label)| Pick { selected: value == selected, value, label }).collect();
    picks.sort_by(|a, b| a.label.cmp(&b.label));
    picks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_holds_the_filters() {
        let filters = Filters { effect: "block".into(), person: "a b&c".into(), ..Filters::default() };
        assert_eq!(filters.address("/live", Some(7)), "/live?effect=block&person=a%20b%26c&before=7");
        assert!(filters.filtered() && !Filters::default().filtered());
        assert_eq!(filters.query(1).effect, Some(writ_model::Effect::Block));
        assert_eq!(Filters { effect: "no".into(), ..Filters::default() }.query(1).effect, None);
    }
}
