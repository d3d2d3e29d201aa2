//! A person's own page: what was recorded in words, who looked, what they asked.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use writ_engine::Snapshot;
use writ_store::index::{Query, Row};

use super::{Shared, clause_name, inbox, reveal, service_name};
use crate::frame::{Frame, Visit};
use crate::reply::{Failure, Reply, page as show};
use crate::{Console, limits, words};

/// One's own record.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct OwnRecord {
    /// How others see the person.
    pub(crate) pseudonym: String,
    /// Who asked to connect the records with the name.
    pub(crate) reveals: Vec<OwnReveal>,
    /// Who looked at records, under the pseudonym: role and day, newest first.
    pub(crate) looks: Vec<OwnLook>,
    /// What the person asked.
    pub(crate) cases: Vec<OwnCase>,
    /// What was recorded, by month, newest first.
    pub(crate) months: Vec<Month>,
    /// How many records are shown.
    pub(crate) shown: usize,
    /// Whether there are more.
    pub(crate) cut: bool,
    /// What is kept, and what is not.
    pub(crate) kept: Vec<String>,
}

/// A reveal, as the person reads it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct OwnReveal {
    /// When.
    pub(crate) asked: String,
    /// What for.
    pub(crate) purpose: String,
    /// Which accounts.
    pub(crate) who: String,
    /// Where it stands.
    pub(crate) state: String,
}

/// A look at a record, as the person reads it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct OwnLook {
    /// When.
    pub(crate) at: String,
    /// In which role.
    pub(crate) role: String,
    /// The record.
    pub(crate) href: String,
}

/// A case, as the person reads it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct OwnCase {
    /// What was asked.
    pub(crate) kind: String,
    /// Clause and tool.
    pub(crate) about: String,
    /// When.
    pub(crate) made: String,
    /// Where it stands.
    pub(crate) state: String,
    /// The answer.
    pub(crate) answer: String,
}

/// The records of a month.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Month {
    /// `November 2026`.
    pub(crate) title: String,
    /// How many.
    pub(crate) count: usize,
    /// In words.
    pub(crate) lines: Vec<Said>,
}

/// A record in words.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Said {
    /// When, for machines.
    pub(crate) at: String,
    /// When.
    pub(crate) time: String,
    /// What.
    pub(crate) said: String,
    /// The record.
    pub(crate) href: String,
}

#[derive(Template)]
#[template(path = "record.html")]
struct RecordPage {
    frame: Frame,
    view: OwnRecord,
}

/// `GET /me`
pub(crate) async fn page(State(console): Shared, visit: Visit) -> Reply {
    let view = read(&console, &visit).await?;
    show(&RecordPage { frame: console.frame(&visit, "My record"), view })
}

/// Reads it. Whose it is comes from the session only: no address names a person.
pub(crate) async fn read(console: &Console, visit: &Visit) -> Result<OwnRecord, Failure> {
    let state = &console.parts.state;
    let pseudonym = state.pseudonym(visit.principal)?;
    let most = limits::RECORD_ROWS.value();
    let query = Query { person: Some(pseudonym.clone()), limit: most + 1, ..Query::default() };
    let mut rows = console.parts.index.query(&query).await?;
    let cut = rows.len() > most;
    rows.truncate(most);
    let (snapshot, now) = ((console.parts.snapshot)(), console.parts.clock.now());
    let mut months: BTreeMap<(i64, u32), Month> = BTreeMap::new();
    for row in &rows {
        let (year, month, _) = row.time.date();
        let of_month = months.entry((year, month)).or_insert_with(|| Month {
            title: words::month(row.time),
            count: 0,
            lines: Vec::new(),
        });
        of_month.count += 1;
        of_month.lines.push(said(&snapshot, row));
    }
    let reveals = state.reveals_of(visit.principal).await?;
    let own_reveal = |reveal: &writ_store::state::Reveal| {
        let row = reveal::row(console, reveal);
        let short = |account: &writ_store::state::AccountId| {
            let id = account.to_string();
            format!("account …{}", id.get(id.len().saturating_sub(6)..).unwrap_or_default())
        };
        let holders: Vec<String> = reveal.approvals.iter().map(|(account, _)| short(account)).collect();
        let agreed = if holders.is_empty() { String::new() } else { format!("; agreed: {}", holders.join(", ")) };
        OwnReveal {
            asked: row.asked,
            purpose: row.purpose,
            who: format!("asked: {}{agreed}", short(&reveal.asked_by)),
            state: row.state,
        }
    };
    let own_look = |look: &writ_store::state::Look| OwnLook {
        at: words::time(look.at),
        role: look.role.replace('-', " "),
        href: format!("/me/{}", look.interaction),
    };
    let looks = state.looks_of(visit.principal).await?.iter().map(own_look).collect();
    let cases = state.cases_of(visit.principal).await?;
    let own_case = |case: &writ_store::state::Case| {
        let row = inbox::row(&snapshot, case, now);
        OwnCase {
            kind: row.kind,
            about: row.about,
            made: row.made,
            state: if case.answer.is_some() { words::sentence(&row.state) } else { format!("Answer by {}", row.due) },
            answer: case.answer.as_ref().map(|answer| answer.text.expose().clone()).unwrap_or_default(),
        }
    };
    Ok(OwnRecord {
        pseudonym,
        reveals: reveals.iter().map(own_reveal).collect(),
        looks,
        cases: cases.iter().map(own_case).collect(),
        months: months.into_values().rev().collect(),
        shown: rows.len(),
        cut,
        kept: kept(),
    })
}

fn kept() -> Vec<String> {
    [
        "Kept: time, tool, kind of data, rules, what happened, how sure it was that it was you.",
        "Kept under a key of yours, which ends with you: your pseudonym's link to these records, address, client, reasons you gave.",
        "Not kept: what you typed, what came back, files. What was stopped stayed in your window.",
        "To connect these records with your name, two people must agree. You see it above.",
        "These records have no consequences by themselves: no system here rates people.",
    ]
    .map(str::to_owned)
    .to_vec()
}

/// A record as a sentence for its person.
pub(crate) fn said(snapshot: &Snapshot, row: &Row) -> Said {
    let redacted = row.found.iter().any(|class| class.redacted);
    let (_, happened) = words::outcome(row.enforced, redacted);
    let tool = service_name(&snapshot.catalog, &row.service);
    let mut said = format!("{happened} at {tool}");
    let found: Vec<String> = row.classes.iter().map(|class| words::class(class).to_lowercase()).collect();
    if !found.is_empty() {
        said.push_str(&format!("; it seemed to contain {}", found.join(", ")));
    }
    let clauses: Vec<String> = row.clauses.iter().map(|id| clause_name(snapshot, id)).collect();
    if !clauses.is_empty() && (!row.enforced.passes() || redacted) {
        said.push_str(&format!("; rule {}", clauses.join(", ")));
    }
    if row.unread.is_some() {
        said.push_str("; it was not read");
    }
    if let Some(code) = &row.reference {
        said.push_str(&format!("; code {code}"));
    }
    let (at, time) = super::detail::at(row.time);
    Said { at, time, said: format!("{said}."), href: format!("/me/{}", row.interaction) }
}
