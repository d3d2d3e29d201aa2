//! How the system is: checks, fail modes, ledger and index, keys, counters, limits.

use askama::Template;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use writ_base::Moment;
use writ_base::telemetry::Counter;

use super::{Fact, Shared};
use crate::charts::grouped;
use crate::frame::{Frame, Visit};
use crate::parts::{CheckState, Health};
use crate::reply::{Reply, page as show};
use crate::{Console, limits, words};

/// How the system is.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct System {
    /// Whether judged traffic is served.
    pub(crate) ready: bool,
    /// Since when it runs.
    pub(crate) started: String,
    /// What was looked at.
    pub(crate) checks: Vec<CheckRow>,
    /// The last change that was not taken over.
    pub(crate) reload_error: Option<String>,
    /// Ledger and index.
    pub(crate) ledger: Vec<Fact>,
    /// What happens where something fails.
    pub(crate) fail_modes: Vec<FailMode>,
    /// The keys.
    pub(crate) keys: Vec<KeyRow>,
    /// Counters since the start.
    pub(crate) counters: Vec<Fact>,
    /// Limits that were reached.
    pub(crate) limits: Vec<LimitRow>,
    /// How many named limits there are.
    pub(crate) limit_count: usize,
    /// Where it listens.
    pub(crate) listeners: Vec<Fact>,
}

/// One check.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct CheckRow {
    /// What.
    pub(crate) name: String,
    /// In a word.
    pub(crate) state: String,
    /// `ok`, `low`, `bad`.
    pub(crate) class: String,
    /// In a sentence.
    pub(crate) detail: String,
}

/// What happens where something fails.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct FailMode {
    /// What fails.
    pub(crate) what: String,
    /// What happens then.
    pub(crate) then: String,
}

/// A key.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct KeyRow {
    /// What it is for.
    pub(crate) purpose: String,
    /// Its present epoch.
    pub(crate) epoch: u32,
    /// Its age.
    pub(crate) made: String,
}

/// A limit.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct LimitRow {
    /// Its name.
    pub(crate) name: String,
    /// Its value with its unit.
    pub(crate) value: String,
    /// How often it was reached.
    pub(crate) hits: String,
}

#[derive(Template)]
#[template(path = "system.html")]
struct SystemPage {
    frame: Frame,
    view: System,
}

/// `GET /system`
pub(crate) async fn page(State(console): Shared, visit: Visit) -> Reply {
    show(&SystemPage { frame: console.frame(&visit, "System"), view: read(&console) })
}

/// Reads it.
pub(crate) fn read(console: &Console) -> System {
    let health = (console.parts.health)();
    let now = console.parts.clock.now();
    let (ledger, index) = (&console.parts.ledger, &console.parts.index);
    let position = ledger.position();
    let opening = ledger.opening();
    let counters =
        Counter::ALL.iter().map(|counter| Fact::new(counter.help().trim_end_matches('.'), grouped(counter.value())));
    let all: Vec<_> = health.limits.iter().copied().chain(limits::ALL.iter().copied()).collect();
    let reached = all.iter().filter(|limit| limit.hits() > 0).map(|limit| LimitRow {
        name: limit.name().to_owned(),
        value: format!("{} {}", grouped(limit.value() as u64), limit.unit()),
        hits: grouped(limit.hits()),
    });
    System {
        ready: health.ready,
        started: words::time(health.started),
        checks: health.checks.iter().map(check_row).collect(),
        reload_error: health.reload_error.as_ref().map(|(at, error)| reload_said(*at, error, now)),
        ledger: vec![
            Fact::new("Chain", ledger.chain().to_string()),
            Fact::new("Entries", grouped(position)),
            Fact::new("Not indexed yet", grouped(index.lag(position))),
            Fact::new("Not understood by the index", grouped(index.unreadable())),
            Fact::new("Found at the start", opening_said(opening)),
        ],
        fail_modes: fail_modes(&health),
        keys: health
            .keys
            .iter()
            .map(|key| KeyRow {
                purpose: key.purpose.clone(),
                epoch: key.epoch,
                made: key.made.map_or_else(|| "not known".into(), |made| words::relative(made, now)),
            })
            .collect(),
        counters: counters.collect(),
        limits: reached.collect(),
        limit_count: all.len(),
        listeners: health.listeners.iter().map(|(what, address)| Fact::new(what, address.clone())).collect(),
    }
}

/// What happens where something fails.
pub(crate) fn fail_modes(health: &Health) -> Vec<FailMode> {
    let mode = |(what, then): &(String, String)| FailMode { what: words::sentence(what), then: then.clone() };
    health.fail_modes.iter().map(mode).collect()
}

/// The checks that somebody should look at.
pub(crate) fn alarms(health: &Health, now: Moment) -> Vec<CheckRow> {
    let mut alarms: Vec<CheckRow> =
        health.checks.iter().filter(|check| check.state > CheckState::Fine).map(check_row).collect();
    if let Some((at, error)) = &health.reload_error {
        let detail = reload_said(*at, error, now);
        alarms.push(CheckRow {
            name: "Change not taken over".into(),
            state: "attention".into(),
            class: "low".into(),
            detail,
        });
    }
    alarms
}

fn check_row(check: &crate::parts::Check) -> CheckRow {
    let (state, class) = match check.state {
        CheckState::Fine => ("as it should be", "ok"),
        CheckState::Attention => ("look at it", "low"),
        CheckState::Failed => ("does not work", "bad"),
    };
    CheckRow {
        name: words::sentence(&check.name),
        state: state.into(),
        class: class.into(),
        detail: check.detail.clone(),
    }
}

fn reload_said(at: Moment, error: &str, now: Moment) -> String {
    format!("A change was not taken over {}; what ran before keeps running: {error}", words::relative(at, now))
}

fn opening_said(opening: writ_store::ledger::Opening) -> String {
    let mut said = Vec::new();
    if opening.new {
        said.push("a new chain".to_owned());
    }
    if opening.unclean {
        said.push("the last writer ended without closing".to_owned());
    }
    if let Some(gap) = opening.gap {
        said.push(format!("a gap of at most {} entries", grouped(gap.entries_at_most)));
    }
    if opening.interrupted > 0 {
        said.push(format!("{} interactions closed as interrupted", opening.interrupted));
    }
    if said.is_empty() { "everything in order".into() } else { said.join(", ") }
}
