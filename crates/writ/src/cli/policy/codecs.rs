//! Which effects of a policy are not enforced by the readers of wire formats: docs/coverage.md, joined with its rules.
//!
//! That page is written by tests from one case per cell; it is read here so that there is no second list.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;
use writ_model::{Action, Dimension, Effect, Term, Value as _};
use writ_policy::eval::Policy;
use writ_policy::rule::{KeyValue, Rule};

const COVERAGE: &str = include_str!("../../../../../docs/coverage.md");

/// An effect that some readers do not enforce, and that the policy demands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Unenforced {
    /// `prompt` or `answer`.
    direction: &'static str,
    /// How bodies travel: `plain`, `stream` or `socket`.
    transport: String,
    /// The effect.
    effect: &'static str,
    /// Formats, with the number of places in each; nothing where the whole transport has no reader.
    formats: BTreeMap<String, usize>,
    /// The clauses that demand it.
    clauses: BTreeSet<Term>,
}

impl fmt::Display for Unenforced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = if self.direction == "prompt" { "prompts" } else { "answers" };
        let how = match self.transport.as_str() {
            "plain" => "in one piece",
            "stream" => "as a stream",
            _ => "over sockets",
        };
        let formats: Vec<_> = self.formats.keys().map(String::as_str).collect();
        let clauses: Vec<_> = self.clauses.iter().map(Term::as_str).collect();
        let (effect, clauses, formats) = (self.effect, clauses.join(", "), formats.join(", "));
        write!(f, "{effect} on {side} {how} (clauses {clauses}) is not enforced for {formats}")
    }
}

/// A cell without a passing case.
struct Cell {
    format: String,
    direction: &'static str,
    transport: String,
    effect: &'static str,
}

/// What a policy demands and no reader enforces.
pub(super) fn unenforced(policy: &Policy) -> Vec<Unenforced> {
    let mut all: BTreeMap<(&str, String, &str), Unenforced> = BTreeMap::new();
    for cell in cells(COVERAGE) {
        let clauses = demanding(policy, cell.direction, cell.effect);
        if clauses.is_empty() {
            continue;
        }
        let key = (cell.direction, cell.transport.clone(), cell.effect);
        let entry = all.entry(key).or_insert_with(|| Unenforced {
            direction: cell.direction,
            transport: cell.transport,
            effect: cell.effect,
            formats: BTreeMap::new(),
            clauses,
        });
        *entry.formats.entry(cell.format).or_default() += 1;
    }
    // Inside sockets nothing is read: that is one sentence of its own.
    all.into_values().filter(|it| it.transport != "socket").collect()
}

const EFFECTS: [&str; 4] = ["coach", "justify", "redact", "block"];

/// The clauses with a rule that demands an effect in a direction.
fn demanding(policy: &Policy, direction: &str, effect: &str) -> BTreeSet<Term> {
    let demands = |rule: &&Rule| match effect {
        "redact" => rule.redact,
        effect => rule.then.as_str() == effect && rule.then > Effect::Allow,
    };
    let rules = policy.model().rules.iter().filter(demands);
    rules.filter(|rule| answers(rule) == (direction == "answer")).map(|rule| rule.clause.clone()).collect()
}

/// Whether a rule speaks about what comes back.
fn answers(rule: &Rule) -> bool {
    let answers = [Action::Receive, Action::ToolResult].map(|action| KeyValue::Closed(action.index()));
    let key = rule.keys.tests.iter().find(|test| test.dimension == Dimension::Action && !test.not);
    key.is_some_and(|test| test.values.iter().any(|value| answers.contains(value)))
}

/// The cells of the page that say `not enforced`.
fn cells(page: &str) -> Vec<Cell> {
    let mut cells = Vec::new();
    let (mut format, mut direction, mut transport) = (String::new(), "prompt", None::<String>);
    for line in page.lines() {
        if let Some((name, side)) = line.strip_prefix("## ").and_then(|heading| heading.rsplit_once(": ")) {
            (format, direction) = (name.to_owned(), if side == "answer" { "answer" } else { "prompt" });
            transport = None;
        } else if let Some(rest) = line.strip_prefix("Transport ") {
            let (name, rest) = rest.split_once(':').unwrap_or((rest, ""));
            transport = Some(name.to_owned());
            if rest.contains("not enforced") {
                let cell = |effect| Cell { format: format.clone(), direction, transport: name.to_owned(), effect };
                cells.extend(EFFECTS.map(cell));
            }
        } else if line.starts_with("Encodings:") {
            transport = None;
        } else if let Some(transport) = transport.as_ref().filter(|_| line.starts_with("| `")) {
            // Location, pass, then the effects.
            let outcomes = line.split('|').map(str::trim).skip(3);
            let open = EFFECTS.into_iter().zip(outcomes).filter(|(_, outcome)| *outcome == "not enforced");
            let cell = |(effect, _)| Cell { format: format.clone(), direction, transport: transport.clone(), effect };
            cells.extend(open.map(cell));
        }
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_read() {
        let cells = cells(COVERAGE);
        let at = |direction: &str, transport: &str, effect: &str| {
            cells
                .iter()
                .filter(|it| (it.direction, it.transport.as_str(), it.effect) == (direction, transport, effect))
                .count()
        };
        // A note on an answer is written before it begins; prompts are enforced wherever there is a reader.
        assert!(at("answer", "plain", "coach") > 50);
        assert_eq!(at("prompt", "plain", "block"), 0);
        assert!(at("prompt", "socket", "block") > 5);
        let known = COVERAGE.matches("not enforced |").count();
        let in_tables = cells.iter().filter(|it| it.transport != "socket").count();
        assert!(in_tables >= known, "{in_tables} of {known}");
    }

    #[test]
    fn only_what_the_policy_demands_is_listed() {
        let source = "---\nwrit: 1\n---\n\n## 1 Answers {#answers}\n\n```rule\naction: receive\ndata: credentials\nthen: coach\n```\n";
        let parsed = writ_policy::parse(source);
        let policy = Policy::compile(parsed.model.unwrap(), parsed.hash).unwrap();
        let open = unenforced(&policy);
        assert!(open.iter().all(|it| it.direction == "answer" && it.effect == "coach"), "{open:?}");
        assert!(open.iter().any(|it| it.transport == "plain" && it.clauses.contains("answers")));
        let said = open.first().unwrap().to_string();
        assert!(said.starts_with("coach on answers in one piece (clauses answers) is not enforced for "), "{said}");
    }
}
