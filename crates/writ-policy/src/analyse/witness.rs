//! Witnesses: situations that show an answer.

use std::fmt;

use serde_json::{Value, json};
use writ_base::Moment;
use writ_model::standing::POSTURE;
use writ_model::verdict::Cause;
use writ_model::{Decision, Effect, Facts, Term, Verdict};

use crate::diagram::{Diagram, Diagrams, TooLarge};
use crate::eval::Policy;

use super::words;

/// A concrete, possible situation, and what the engine decides there.
#[derive(Clone, Debug, PartialEq)]
pub struct Witness {
    /// The situation.
    pub facts: Facts,
    /// The situation in words.
    pub words: String,
    /// What the engine decides.
    pub decision: Decision,
}

impl Witness {
    /// The witness that facts are, as a policy decides them.
    pub fn of(policy: &Policy, facts: Facts) -> Self {
        Self { words: words::situation(&facts), decision: policy.decide(&facts), facts }
    }

    /// The most ordinary possible situation of a set.
    pub(crate) fn in_set(
        diagrams: &mut Diagrams<'_>,
        policy: &Policy,
        set: Diagram,
        at: Moment,
    ) -> Result<Option<Self>, TooLarge> {
        Ok(diagrams.situation(set, at)?.map(|facts| Self::of(policy, facts)))
    }

    /// For programs.
    pub fn to_json(&self) -> Value {
        json!({
            "words": self.words,
            "facts": self.facts,
            "full": outcome(&self.decision.full),
            "enforced": outcome(&self.decision.enforced),
        })
    }
}

impl fmt::Display for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.words, verdict(&self.decision.full))
    }
}

/// A verdict in a few words: `block (health, rule 1)`, `allow, redact pii (matrix, rule 9)`.
pub fn verdict(verdict: &Verdict) -> String {
    let mut words = verdict.effect.as_str().to_owned();
    if !verdict.redact.is_empty() && verdict.effect < Effect::Block {
        let classes: Vec<&str> = verdict.redact.iter().map(Term::as_str).collect();
        words.push_str(&format!(", redact {}", classes.join(", ")));
    }
    let causes: Vec<String> = verdict.decided.iter().filter(|it| counts(it, verdict)).map(cause).collect();
    if !causes.is_empty() {
        words.push_str(&format!(" ({})", causes.join("; ")));
    }
    words
}

/// Redactions decide nothing where the whole is stopped.
fn counts(cause: &Cause, verdict: &Verdict) -> bool {
    verdict.effect < Effect::Block || cause.effect == Effect::Block
}

fn cause(cause: &Cause) -> String {
    if cause.clause == POSTURE && cause.rule == 0 {
        return "the posture".to_owned();
    }
    if cause.rule == 0 {
        return format!("content that is {}", cause.clause);
    }
    format!("{}, rule {}", cause.clause, cause.rule)
}

fn outcome(verdict: &Verdict) -> Value {
    let decided: Vec<Value> =
        verdict.decided.iter().map(|cause| json!({ "clause": cause.clause, "rule": cause.rule })).collect();
    json!({ "effect": verdict.effect, "redact": verdict.redact, "decided": decided })
}
