//! What happened, in figures: no person, and no group of fewer than five.

use std::collections::BTreeMap;
use std::time::Duration;

use askama::Template;
use axum::extract::{Query, State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use writ_base::Moment;
use writ_engine::Snapshot;
use writ_model::Effect;
use writ_store::index::{Cell, DayStat};

use super::policy::hashes;
use super::system::{CheckRow, FailMode, alarms, fail_modes};
use super::{Shared, clause_name, service_name};
use crate::charts::{Bar, Column, Line, Point, Series, Stacked, grouped};
use crate::frame::{Frame, Visit};
use crate::reply::{Failure, Reply, encode, page as show};
use crate::{Console, limits, words};

/// What happened, in figures.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Overview {
    /// In a sentence.
    pub(crate) lead: String,
    /// What somebody should look at.
    pub(crate) alarms: Vec<CheckRow>,
    /// The main figures.
    pub(crate) facts: Vec<Figure>,
    /// Verdicts over time.
    pub(crate) verdicts: Stacked,
    /// Uses by tool.
    pub(crate) tools: Vec<Bar>,
    /// Findings by class.
    pub(crate) classes: Vec<Bar>,
    /// Verdicts above "sent" by clause.
    pub(crate) clauses: Vec<Bar>,
    /// Interruptions for each person and day.
    pub(crate) interruptions: Line,
    /// The share that was not inspected, by day.
    pub(crate) unread: Line,
    /// Writ's own time, p99 by day.
    pub(crate) own_time: Line,
    /// The least number of people that a figure is made of.
    pub(crate) k: u64,
    /// The policy in force.
    pub(crate) policy: PolicyLine,
    /// What happens where something fails.
    pub(crate) fail_modes: Vec<FailMode>,
    #[serde(skip)]
    pub(crate) spans: Vec<Span>,
}

/// A figure.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Figure {
    /// Of what.
    pub(crate) label: String,
    /// How much.
    pub(crate) value: String,
    /// What it is to be read with.
    pub(crate) note: String,
}

/// The policy in force.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct PolicyLine {
    /// Its title.
    pub(crate) title: String,
    /// Its version.
    pub(crate) version: String,
    /// Since when.
    pub(crate) effective: String,
    /// Hash of the text.
    pub(crate) text_hash: String,
    /// Hash of the rows.
    pub(crate) rows_hash: String,
}

/// A time that can be shown.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    pub(crate) days: u64,
    pub(crate) label: &'static str,
    pub(crate) current: bool,
}

/// The time asked for.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Asked {
    pub(crate) days: Option<u64>,
}

#[derive(Template)]
#[template(path = "overview.html")]
struct OverviewPage {
    frame: Frame,
    view: Overview,
}

const SPANS: [(u64, &str); 4] = [(1, "Today"), (7, "7 days"), (30, "30 days"), (90, "90 days")];
const BARS: usize = 8;
const DAY: Duration = Duration::from_secs(86_400);
const HOUR: i64 = 3600;

/// `GET /overview`
pub(crate) async fn page(State(console): Shared, visit: Visit, Query(asked): Query<Asked>) -> Reply {
    let view = read(&console, asked.days).await?;
    show(&OverviewPage { frame: console.frame(&visit, "Overview"), view })
}

/// From the start of the day so many days ago to now.
pub(crate) fn span(console: &Console, days: u64) -> (Moment, Moment) {
    let now = console.parts.clock.now();
    let today = Moment::from_seconds(now.seconds().div_euclid(86_400) * 86_400);
    let back = i64::try_from(days.saturating_sub(1)).unwrap_or(0).saturating_mul(86_400);
    (Moment::from_seconds(today.seconds().saturating_sub(back)), now.after(Duration::from_secs(1)))
}

/// Reads it.
pub(crate) async fn read(console: &Console, days: Option<u64>) -> Result<Overview, Failure> {
    let days = days.filter(|days| SPANS.iter().any(|(known, _)| known == days)).unwrap_or(7);
    let (from, to) = span(console, days);
    let index = &console.parts.index;
    let (cells, stats) = (index.rollup(from, to).await?, index.day_stats(from, to).await?);
    let (own_time, health) = (index.judged(from, to).await?, (console.parts.health)());
    let (snapshot, now) = ((console.parts.snapshot)(), console.parts.clock.now());
    let all: Vec<&DayStat> = stats.iter().filter(|stat| stat.service.is_none()).collect();
    let totals = Totals::of(&cells, &all);
    let by_day = by_day(from, to, &all);
    let p99 = own_time.map_or_else(|| "none".into(), |times| words::micros(times.p99_us));
    let figure = |label: &str, value: String, note: String| Figure { label: label.into(), value, note };
    let interrupted = totals.stopped + totals.asked;
    Ok(Overview {
        lead: format!(
            "{} verdicts on AI use in {}; {} interrupted somebody.",
            grouped(totals.all),
            if days == 1 { "the day so far".to_owned() } else { format!("the last {days} days") },
            words::share(interrupted, totals.all)
        ),
        alarms: alarms(&health, now),
        facts: vec![
            figure(
                "Sent without a word",
                words::share(totals.quiet, totals.all),
                format!("{} of {}", grouped(totals.quiet), grouped(totals.all)),
            ),
            figure("Stopped", grouped(totals.stopped), words::share(totals.stopped, totals.all)),
            figure("Sent without details", grouped(totals.redacted), "placeholders instead".into()),
            figure(
                "Not inspected",
                words::share(totals.unread, totals.prompts),
                format!("{} of {} prompts", grouped(totals.unread), grouped(totals.prompts)),
            ),
            figure(
                "Writ's own time, p99",
                p99,
                own_time.map_or_else(String::new, |times| format!("half within {}", words::micros(times.p50_us))),
            ),
            figure(
                "Index behind by",
                grouped(index.lag(console.parts.ledger.position())),
                "entries of the ledger".into(),
            ),
        ],
        verdicts: verdicts(&cells, from, to, days),
        tools: tools(&snapshot, &cells),
        classes: classes(&cells),
        clauses: clauses(&snapshot, &cells),
        interruptions: interruptions(&by_day),
        unread: unread(&by_day),
        own_time: own_time_line(&by_day),
        k: limits::K,
        policy: policy_line(console, &snapshot),
        fail_modes: fail_modes(&health),
        spans: SPANS.iter().map(|(it, label)| Span { days: *it, label, current: *it == days }).collect(),
    })
}

/// Sums over the whole time.
struct Totals {
    all: u64,
    quiet: u64,
    asked: u64,
    stopped: u64,
    redacted: u64,
    unread: u64,
    prompts: u64,
}

impl Totals {
    fn of(cells: &[Cell], days: &[&DayStat]) -> Self {
        let whole = || cells.iter().filter(|cell| cell.class.is_none() && cell.clause.is_none());
        let of = |effect: Effect| whole().filter(|cell| cell.effect == effect).map(|cell| cell.count).sum::<u64>();
        let redacted = days.iter().map(|day| day.redacted).sum::<u64>();
        Self {
            all: whole().map(|cell| cell.count).sum(),
            quiet: of(Effect::Allow).saturating_sub(redacted),
            asked: of(Effect::Justify),
            stopped: of(Effect::Block),
            redacted,
            unread: days.iter().map(|day| day.unread + day.opaque).sum(),
            prompts: days.iter().map(|day| day.records).sum(),
        }
    }
}

/// One entry for each day of the time, whether or not something happened on it.
fn by_day<'a>(from: Moment, to: Moment, all: &[&'a DayStat]) -> Vec<(Moment, Option<&'a DayStat>)> {
    let mut days = Vec::new();
    let mut day = from;
    while day < to {
        days.push((day, all.iter().find(|stat| stat.day == day).copied()));
        day = day.after(DAY);
    }
    days
}

fn verdicts(cells: &[Cell], from: Moment, to: Moment, days: u64) -> Stacked {
    // Hours of a day, quarters of a week's days, then days: at most 96 columns.
    let hours: i64 = match days {
        1 => 1,
        2..=7 => 6,
        _ => 24,
    };
    let step = hours * HOUR;
    let count = usize::try_from((to.seconds() - from.seconds()).div_euclid(step) + 1).unwrap_or(1);
    let mut columns: Vec<[u64; 4]> = vec![[0; 4]; count];
    for cell in cells.iter().filter(|cell| cell.class.is_none() && cell.clause.is_none()) {
        let at = usize::try_from((cell.hour.seconds() - from.seconds()).div_euclid(step)).ok();
        let place = Effect::ALL.iter().position(|effect| *effect == cell.effect).unwrap_or(0);
        if let Some(number) = at.and_then(|at| columns.get_mut(at)).and_then(|column| column.get_mut(place)) {
            *number += cell.count;
        }
    }
    let label = |at: usize| {
        let start = Moment::from_seconds(from.seconds() + i64::try_from(at).unwrap_or(0) * step);
        match hours {
            1 => words::hour(start),
            6 => format!("{} {}", words::short_day(start), words::hour(start)),
            _ => words::short_day(start),
        }
    };
    let series = Effect::ALL.iter().map(|effect| Series { label: words::effect(*effect), class: effect.as_str() });
    let sums: Vec<u64> = (0..4).map(|place| columns.iter().filter_map(|column| column.get(place)).sum()).collect();
    let said = Effect::ALL.iter().zip(&sums).map(|(effect, sum)| format!("{}: {sum}", words::effect(*effect)));
    Stacked {
        id: "verdicts",
        title: format!(
            "Verdicts over time, by {}",
            if hours == 1 {
                "hour".to_owned()
            } else if hours == 24 {
                "day".to_owned()
            } else {
                format!("{hours} hours")
            }
        ),
        description: format!("Bars of verdicts. In all, {}.", said.collect::<Vec<_>>().join(", ")),
        series: series.collect(),
        columns: columns
            .iter()
            .enumerate()
            .map(|(at, counts)| Column { label: label(at), counts: counts.to_vec() })
            .collect(),
    }
}

fn sums<'a>(cells: impl Iterator<Item = &'a Cell>, key: impl Fn(&Cell) -> Option<String>) -> BTreeMap<String, u64> {
    let mut sums = BTreeMap::new();
    for cell in cells {
        if let Some(key) = key(cell) {
            *sums.entry(key).or_default() += cell.count;
        }
    }
    sums
}

fn tools(snapshot: &Snapshot, cells: &[Cell]) -> Vec<Bar> {
    let whole = cells.iter().filter(|cell| cell.class.is_none() && cell.clause.is_none());
    Bar::largest(sums(whole, |cell| Some(cell.service.clone())), BARS, |id| {
        (service_name(&snapshot.catalog, id), Some(format!("/live?service={}", encode(id))))
    })
}

fn classes(cells: &[Cell]) -> Vec<Bar> {
    let of = cells.iter().filter(|cell| cell.clause.is_none());
    Bar::largest(sums(of, |cell| cell.class.clone()), BARS, |id| {
        (words::class(id), Some(format!("/live?class={}", encode(id))))
    })
}

fn clauses(snapshot: &Snapshot, cells: &[Cell]) -> Vec<Bar> {
    let of = cells.iter().filter(|cell| cell.class.is_none());
    Bar::largest(sums(of, |cell| cell.clause.clone()), BARS, |id| {
        (words::sentence(&clause_name(snapshot, id)), Some(format!("/live?clause={}", encode(id))))
    })
}

fn points(days: &[(Moment, Option<&DayStat>)], of: impl Fn(&DayStat) -> Option<f64>) -> Vec<Point> {
    days.iter().map(|(day, stat)| Point { label: words::short_day(*day), value: stat.and_then(&of) }).collect()
}

fn last_said(points: &[Point], unit: &str) -> String {
    points
        .iter()
        .rev()
        .find_map(|point| {
            point.value.map(|value| format!("{}{unit} on {}", crate::charts::short_number(value), point.label))
        })
        .unwrap_or_else(|| "nothing to measure".into())
}

fn interruptions(days: &[(Moment, Option<&DayStat>)]) -> Line {
    let points = points(days, |stat| (stat.persons >= limits::K).then(|| ratio(stat.interruptions, stat.persons)));
    let description = format!("Interruptions for each person and day; latest: {}.", last_said(&points, ""));
    Line { id: "interruptions", title: "Interruptions for each person and day".into(), description, unit: "", points }
}

fn unread(days: &[(Moment, Option<&DayStat>)]) -> Line {
    let points =
        points(days, |stat| (stat.records > 0).then(|| 100.0 * ratio(stat.unread + stat.opaque, stat.records)));
    let description = format!("Share of prompts that were not inspected; latest: {}.", last_said(&points, " %"));
    Line { id: "unread", title: "Share not inspected".into(), description, unit: " %", points }
}

fn own_time_line(days: &[(Moment, Option<&DayStat>)]) -> Line {
    let points = points(days, |stat| stat.judged.map(|times| ratio(times.p99_us, 1000)));
    let description = format!("Writ's own time, the slowest of a hundred; latest: {}.", last_said(&points, " ms"));
    Line { id: "own-time", title: "Writ's own time, p99".into(), description, unit: " ms", points }
}

fn ratio(part: u64, whole: u64) -> f64 {
    let float = |number: u64| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
    if whole == 0 { 0.0 } else { float(part) / float(whole) }
}

fn policy_line(console: &Console, snapshot: &Snapshot) -> PolicyLine {
    let text = (console.parts.policy)();
    let front = &text.parsed.document.front;
    let mut all = hashes(snapshot).into_iter().map(|fact| fact.value);
    PolicyLine {
        title: front.title.clone().unwrap_or_else(|| "AI usage policy".into()),
        version: front.version.clone().unwrap_or_else(|| "without a number".into()),
        effective: front.effective.map_or_else(|| "not said".into(), words::day),
        text_hash: all.next().unwrap_or_default(),
        rows_hash: all.next().unwrap_or_default(),
    }
}
