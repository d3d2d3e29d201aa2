//! Facts, rules and outcomes in plain English.

use writ_base::Moment;
use writ_model::facts::Found;
use writ_model::verdict::Cause;
use writ_model::{Account, Action, Effect, Facts, Status, Term, Value as _, Verdict, Who};
use writ_policy::eval::{HeldKey, UNREADABLE};

use super::Under;

/// What happens: `it is stopped`.
pub fn outcome(verdict: &Verdict) -> String {
    let without = removed(verdict);
    match verdict.effect {
        Effect::Allow => format!("it is allowed{without}"),
        Effect::Coach => format!("it goes through with a note{without}"),
        Effect::Justify if verdict.ask_level => {
            format!("it goes through once the level of the file is stated{without}")
        }
        Effect::Justify => format!("it goes through after a reason is given{without}"),
        Effect::Block if !verdict.unfulfillable.is_empty() => {
            let classes: Vec<String> = verdict.unfulfillable.iter().map(|it| class(it)).collect();
            format!("it is stopped, because {} cannot be taken out", list(&classes))
        }
        Effect::Block => "it is stopped".to_owned(),
    }
}

/// What would happen: `it would be stopped`.
pub(super) fn would(verdict: &Verdict) -> String {
    let without = removed(verdict);
    match verdict.effect {
        Effect::Allow => format!("it would be allowed{without}"),
        Effect::Coach => format!("it would go through with a note{without}"),
        Effect::Justify if verdict.ask_level => {
            format!("it would go through once the level of the file is stated{without}")
        }
        Effect::Justify => format!("it would go through after a reason is given{without}"),
        Effect::Block => "it would be stopped".to_owned(),
    }
}

fn removed(verdict: &Verdict) -> String {
    let classes: Vec<String> = verdict.redact.iter().map(|it| class(it)).collect();
    if classes.is_empty() { String::new() } else { format!(", with {} taken out", list(&classes)) }
}

/// Who does what where, with what in it.
pub fn situation(under: Under<'_>, facts: &Facts) -> String {
    let who = facts.who.known().copied().map_or("Somebody", |who| match who {
        Who::Employee => "An employee",
        Who::Contractor => "A contractor",
        Who::Vendor => "A person of a supplier",
        Who::ServiceAccount => "A program",
        Who::Agent => "An AI agent",
        Who::Unknown => "Somebody unknown",
    });
    let name = facts.service.known().map_or_else(|| "a tool".to_owned(), |id| service(under, id));
    let does = facts.action.known().copied().map_or_else(|| format!("asks {name}"), |action| done(action, &name));
    let plan = facts.tier.known().map_or("unknown", Term::as_str);
    let status = facts.status.known().map_or("of unknown status", |status| status_said(*status));
    let account = facts.account.known().map_or(String::new(), |account| format!(", {}", account_said(*account)));
    let found = facts.data.known().map_or_else(
        || "What is in it is not known yet.".to_owned(),
        |data| {
            let found: Vec<String> = data.iter().map(|(name, found)| amount(name, *found)).collect();
            if found.is_empty() {
                "Nothing was found in it.".to_owned()
            } else {
                format!("It contains {}.", list(&found))
            }
        },
    );
    format!("{who} {does} (plan {plan}, {status}){account}. {found}")
}

fn done(action: Action, name: &str) -> String {
    match action {
        Action::Submit => format!("sends a prompt to {name}"),
        Action::Upload => format!("sends a file to {name}"),
        Action::ToolCall => format!("calls a tool of {name}"),
        Action::Receive => format!("receives an answer of {name}"),
        Action::ToolResult => format!("receives a tool's result from {name}"),
        Action::SignIn => format!("signs in at {name}"),
        Action::Tunnel => format!("opens a connection to {name} that is not inspected"),
        Action::Merge => format!("merges code that {name} wrote"),
    }
}

fn amount(name: &str, found: Found) -> String {
    let count = found.likely.max(found.certain);
    let sure = if found.certain == 0 { ", likely" } else { "" };
    format!("{} ({count}{sure})", class(name))
}

fn account_said(account: Account) -> &'static str {
    match account {
        Account::Corporate => "with the corporate account",
        Account::Personal => "with a personal account",
        Account::LoggedOut => "without an account",
        Account::Unknown => "with an account that could not be told",
    }
}

fn status_said(status: Status) -> &'static str {
    match status {
        Status::Discovered => "not checked yet",
        Status::Requested => "asked for, not checked yet",
        Status::InReview => "in review",
        Status::Approved => "approved",
        Status::Conditional => "approved under conditions",
        Status::Denied => "denied",
        Status::Retired => "retired",
    }
}

/// Why a key holds.
pub(super) fn held(under: Under<'_>, key: &HeldKey, person: bool) -> String {
    let found = || if key.found.is_empty() { "nothing".to_owned() } else { list(&key.found) };
    let one = key.found.first().map_or("unknown", String::as_str);
    match key.key {
        "group" | "entity" | "person-region" | "device" | "training" | "attestation" if !person => {
            format!("its condition on `{}` holds", key.key)
        }
        "data" => {
            let named = |class: &&String| {
                key.listed.iter().any(|listed| listed == "any" || listed.split(' ').next() == Some(class.as_str()))
            };
            let classes: Vec<String> = key.found.iter().filter(named).map(|it| class(it)).collect();
            match (key.not, classes.is_empty()) {
                (true, _) => format!("it does not contain {}", list(&key.listed)),
                (false, true) => "it is an ordinary prompt".to_owned(),
                (false, false) => format!("it contains {}", list(&classes)),
            }
        }
        "cleared" if key.listed.iter().any(|value| value == "yes") => "the tool is cleared for that".to_owned(),
        "cleared" => "the tool is not cleared for that".to_owned(),
        "status" => Status::named(one).map_or_else(found, |status| format!("the tool is {}", status_said(status))),
        "account" => match Account::named(one) {
            Some(account) => format!("it goes {}", account_said(account)),
            None => found(),
        },
        "service" => format!("the tool is {}", service(under, one)),
        "signal" if !key.not => format!("there is the signal {}", found()),
        other => format!("{} is {}", other.replace('-', " "), found()),
    }
}

/// What a rule does.
pub(super) fn does(cause: &Cause, unread: bool) -> String {
    let classes: Vec<String> = cause.redact.iter().map(|it| class(it)).collect();
    let taken = if classes.is_empty() { String::new() } else { format!("wants {} taken out", list(&classes)) };
    match cause.effect {
        Effect::Allow if classes.is_empty() => "lets it pass".to_owned(),
        Effect::Allow => taken,
        Effect::Coach => "adds a note".to_owned(),
        Effect::Justify => "asks for a reason".to_owned(),
        Effect::Block if unread => "stops what could not be read".to_owned(),
        Effect::Block if !classes.is_empty() => format!("{taken}, which cannot be done, and so stops it"),
        Effect::Block => "stops it".to_owned(),
    }
}

/// Number and heading of a clause.
pub(super) fn clause(under: Under<'_>, id: &Term) -> String {
    if *id == UNREADABLE {
        return "content that could not be read".to_owned();
    }
    under.policy.clause_name(id).unwrap_or_else(|| id.to_string())
}

pub(super) fn service(under: Under<'_>, id: &str) -> String {
    under.catalog.service(id).map_or_else(|| id.to_owned(), |service| service.name.clone())
}

pub(super) fn class(id: &str) -> String {
    match id {
        "plain" => "an ordinary prompt".to_owned(),
        class => writ_model::class::said(class),
    }
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn list<T: AsRef<str>>(items: &[T]) -> String {
    let items: Vec<&str> = items.iter().map(AsRef::as_ref).collect();
    match items.split_last() {
        None => String::new(),
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
    }
}

/// The first letter in upper case.
pub(super) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// The day of a moment: `2026-11-22`.
pub(super) fn day(moment: Moment) -> String {
    let (year, month, day) = moment.date();
    format!("{year:04}-{month:02}-{day:02}")
}
