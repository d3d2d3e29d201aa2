//! A stop by its code, for the help desk: what happened, which clause, what the person can do. No name, no content.

use std::collections::BTreeSet;

use askama::Template;
use axum::extract::{Query, State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use writ_model::verdict::Offer;

use super::{Clause, Fact, Shared, clause, service_name};
use crate::Console;
use crate::frame::{Frame, Visit};
use crate::reply::{Failure, Reply, page as show};
use crate::words;

/// The page.
#[derive(Clone, Debug)]
pub(crate) struct Lookup {
    pub(crate) code: String,
    pub(crate) problem: Option<String>,
    pub(crate) found: Option<Stop>,
}

/// A stop.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Stop {
    /// In a sentence.
    pub(crate) happened: String,
    /// When, which tool.
    pub(crate) facts: Vec<Fact>,
    /// The clauses that decided.
    pub(crate) clauses: Vec<Clause>,
    /// What the person can do.
    pub(crate) choices: Vec<String>,
}

/// The code asked for.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    code: String,
}

#[derive(Template)]
#[template(path = "lookup.html")]
struct LookupPage {
    frame: Frame,
    view: Lookup,
}

/// `GET /lookup?code=`
pub(crate) async fn page(State(console): Shared, visit: Visit, Query(asked): Query<Asked>) -> Reply {
    let mut view = Lookup { code: normal(&asked.code), problem: None, found: None };
    if !view.code.is_empty() {
        match read(&console, &view.code).await {
            Ok(found) => view.found = Some(found),
            Err(Failure::Missing) => {
                view.problem = Some(
                    "No stop has this code. Read it again: it has four and two signs, no letters I, L, O or U.".into(),
                );
            }
            Err(failure) => return Err(failure),
        }
    }
    show(&LookupPage { frame: console.frame(&visit, "Look up a code"), view })
}

/// A code as it is stored: upper case, with its hyphen; what is easily misread is what it was meant to be.
pub(crate) fn normal(code: &str) -> String {
    let signs: String = code
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| match c.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            c => c,
        })
        .take(12)
        .collect();
    match (signs.get(..4), signs.get(4..)) {
        (Some(head), Some(tail)) if !tail.is_empty() => format!("{head}-{tail}"),
        _ => signs,
    }
}

/// Reads a stop.
pub(crate) async fn read(console: &Console, code: &str) -> Result<Stop, Failure> {
    let row = console.parts.index.by_reference(&normal(code)).await?.ok_or(Failure::Missing)?;
    let skeleton = super::detail::skeleton(console, row.sequence).await?.ok_or(Failure::Missing)?;
    let snapshot = (console.parts.snapshot)();
    let mut seen = BTreeSet::new();
    let clauses: Vec<Clause> = skeleton
        .decided
        .iter()
        .filter(|cause| seen.insert(cause.clause.clone()))
        .map(|cause| clause(&snapshot, &cause.clause, cause.rule))
        .collect();
    let offers = match console.parts.engine.stopped(&normal(code)) {
        // Judged then: each of them leads somewhere.
        Some(stop) => stop.offers,
        None => {
            let rules = skeleton.decided.iter().filter_map(|cause| snapshot.policy.rule(&cause.clause, cause.rule));
            let same = Offer::Redirect(skeleton.service.clone());
            rules.flat_map(|rule| rule.offers.iter().cloned()).filter(|offer| *offer != same).collect()
        }
    };
    let mut said = BTreeSet::new();
    let mut choices: Vec<String> = Vec::new();
    for offer in offers {
        let words = match &offer {
            Offer::Redact => {
                "send it without the details: they become placeholders, and the answer shows the originals".to_owned()
            }
            Offer::Redirect(service) => format!("go on in {}", service_name(&snapshot.catalog, service)),
            Offer::AskException => "ask for an exception on the page of the stop".to_owned(),
            Offer::AskVetting => "ask for the tool to be checked".to_owned(),
            Offer::Object => continue,
        };
        if said.insert(words.clone()) {
            choices.push(words);
        }
    }
    choices.push("change the text and send it again".into());
    choices.push("say that it was a mistake, on the page of the stop".into());
    let found: Vec<String> = skeleton.classes.iter().map(|class| words::class(&class.class).to_lowercase()).collect();
    Ok(Stop {
        happened: format!("{}, {}", words::effect(skeleton.enforced), words::time(row.time)),
        facts: vec![
            Fact::new("Tool", service_name(&snapshot.catalog, &skeleton.service)),
            Fact::new("What was done", words::action(skeleton.action.as_str())),
            Fact::new("Found", if found.is_empty() { "nothing that a rule names".into() } else { found.join(", ") }),
            Fact::new("Decided at", skeleton.decided_at.clone()),
        ],
        clauses,
        choices,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_as_people_write_them() {
        for typed in ["7F3K-29", "7f3k29", " 7f3k 29 ", "7F3K–29"] {
            assert_eq!(normal(typed), "7F3K-29", "{typed}");
        }
        assert_eq!(normal("oil0-il"), "0110-11");
        assert_eq!([normal("7F"), normal(""), normal("é")], ["7F", "", ""]);
    }
}
