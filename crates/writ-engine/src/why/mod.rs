//! Why a situation gets its verdict, and the smallest change that would lead to another: in plain sentences, for
//! somebody who reads them to another person. Everything is computed from the policy that judges and the facts that it
//! judged; nothing here is a second reading of the rules.

mod changes;
mod words;

use std::collections::BTreeSet;

use serde::Serialize;
use writ_catalog::Catalog;
use writ_model::standing::{ExceptionGrant, POSTURE, Ring, RolloutEntry};
use writ_model::values::Step;
use writ_model::verdict::{Base, Cause};
use writ_model::{Decision, Effect, Facts, Term, Verdict};
use writ_policy::eval::{AppliedRule, Explanation, Policy, Standing, UNREADABLE, explain};

use crate::snapshot::Snapshot;

pub use changes::Way;
pub use words::{outcome, situation};

/// How much may be said of the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// Everything: whoever asks is the person, or made the facts up.
    Everything,
    /// Nothing that together could tell who it is: groups, entity, region, device, training, attestation.
    WithoutPerson,
}

/// Why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Why {
    /// What happens: `It is stopped.`
    pub outcome: String,
    /// What would happen without the roll-out, where that is something else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub without_rollout: Option<String>,
    /// Who does what where, with what in it.
    pub situation: String,
    /// The rules that decided.
    pub decided: Vec<Reason>,
    /// Other rules that held: as strict as that or less.
    pub held: Vec<Reason>,
    /// What the policy says of the situation before any rule demands something: foreseen, or the posture.
    pub base: String,
    /// What exceptions changed. Empty where none applies.
    pub exceptions: Vec<String>,
    /// What the roll-out changed. Empty where it changes nothing.
    pub rollout: Vec<String>,
    /// The smallest changes that would lead to another verdict, best first.
    pub ways: Vec<Way>,
}

/// A rule that held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Reason {
    /// Its clause.
    pub clause: Term,
    /// Its number within the clause; 0 for what is no rule.
    pub rule: u16,
    /// Number and heading of the clause.
    pub name: String,
    /// What it does: `stops it`.
    pub does: String,
    /// Why it holds: `it contains health information`.
    pub because: Vec<String>,
    /// The reason that the policy gives.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// What a verdict is explained under: the policy that judged, and the tools that there are.
#[derive(Clone, Copy, Debug)]
pub struct Under<'a> {
    /// The policy, with what stands beside it.
    pub policy: &'a Policy,
    /// The tools.
    pub catalog: &'a Catalog,
}

impl Snapshot {
    /// Why these facts get their verdict now, and what would change it.
    pub fn why(&self, facts: &Facts, view: View) -> Why {
        Under { policy: &self.policy, catalog: &self.catalog }.why(facts, view)
    }
}

impl Under<'_> {
    /// Why these facts get their verdict, and what would change it. Deterministic, and bounded by
    /// [`crate::limits::MOVES`].
    pub fn why(self, facts: &Facts, view: View) -> Why {
        let explanation = explain(self.policy, facts);
        let Decision { enforced, full } = &explanation.decision;
        let differs = (enforced.effect, &enforced.redact) != (full.effect, &full.redact);
        let teller = Teller { under: self, facts, view, explanation: &explanation };
        Why {
            outcome: format!("{}.", words::capital(&outcome(enforced))),
            without_rollout: differs.then(|| outcome(full)),
            situation: situation(self, facts),
            decided: teller.reasons(&enforced.decided),
            held: teller.held(),
            base: teller.base(),
            exceptions: teller.exceptions(),
            rollout: teller.rollout(),
            ways: changes::ways(self, facts, enforced, view),
        }
    }
}

/// Puts one decision into words.
struct Teller<'a> {
    under: Under<'a>,
    facts: &'a Facts,
    view: View,
    explanation: &'a Explanation,
}

impl Teller<'_> {
    fn reasons(&self, causes: &[Cause]) -> Vec<Reason> {
        causes.iter().filter(|cause| cause.clause != POSTURE).map(|cause| self.reason(cause)).collect()
    }

    fn reason(&self, cause: &Cause) -> Reason {
        let applied = self.explanation.applied.iter().find(|it| (&it.clause, it.rule) == (&cause.clause, cause.rule));
        let does = words::does(cause, applied.is_some_and(|applied| applied.unread && applied.keys.is_empty()));
        self.named(&cause.clause, cause.rule, does, applied)
    }

    fn named(&self, clause: &Term, rule: u16, does: String, applied: Option<&AppliedRule>) -> Reason {
        let keys = applied.map(|applied| applied.keys.as_slice()).unwrap_or_default();
        let mut because: Vec<String> =
            keys.iter().map(|key| words::held(self.under, key, self.view == View::Everything)).collect();
        because.extend(applied.filter(|it| it.unread).map(|_| "not all of it could be read".to_owned()));
        if *clause == UNREADABLE {
            because.push("not all of it could be read, and no rule lets that pass".to_owned());
        }
        let why = self.under.policy.rule(clause, rule).and_then(|rule| rule.why.clone());
        Reason { clause: clause.clone(), rule, name: words::clause(self.under, clause), does, because, why }
    }

    /// Rules whose keys hold beside those that decided, also those that an exception or the roll-out keeps back.
    fn held(&self) -> Vec<Reason> {
        let Decision { enforced, full } = &self.explanation.decision;
        let decided = |rule: &&AppliedRule| {
            !enforced.decided.iter().any(|cause| (&cause.clause, cause.rule) == (&rule.clause, rule.rule))
        };
        let held = self.explanation.applied.iter().filter(decided);
        held.filter_map(|applied| {
            let of = |verdict: &Verdict| {
                let mut causes = verdict.decided.iter().chain(&verdict.applied);
                causes.find(|cause| (&cause.clause, cause.rule) == (&applied.clause, applied.rule)).cloned()
            };
            let does = match (of(enforced), of(full), applied.excepted_by.is_empty()) {
                (Some(cause), _, _) => words::does(&cause, false),
                (None, Some(cause), _) => format!("{}, once it is rolled out", words::does(&cause, false)),
                (None, None, false) => "is set aside by an exception".to_owned(),
                (None, None, true) => return None,
            };
            Some(self.named(&applied.clause, applied.rule, does, Some(applied)))
        })
        .collect()
    }

    /// What the posture contributed.
    fn base(&self) -> String {
        let explanation = self.explanation;
        let Base::Posture(effect) = explanation.base else {
            let speaks = self.facts.action.known().is_none_or(|action| action.has_posture());
            let clauses: BTreeSet<String> =
                explanation.foreseen_by.iter().map(|(clause, _)| words::clause(self.under, clause)).collect();
            return match (speaks, clauses.is_empty()) {
                (false, _) => "The posture does not speak about this; only rules do.".to_owned(),
                (true, true) => "The policy foresees this, so the posture adds nothing.".to_owned(),
                (true, false) => {
                    let clauses: Vec<_> = clauses.into_iter().collect();
                    format!("The policy foresees this ({}), so the posture adds nothing.", clauses.join("; "))
                }
            };
        };
        let uncovered: Vec<String> = explanation.uncovered.iter().map(|class| words::class(class)).collect();
        let what = if uncovered.is_empty() { "this".to_owned() } else { words::list(&uncovered) };
        let who = self.facts.who.known().map_or("unknown", |who| who.as_str()).replace('-', " ");
        let enforced = &explanation.decision.enforced;
        let then = match enforced.base {
            _ if enforced.by_posture() && effect == Effect::Allow => "nothing else speaks against it",
            _ if enforced.by_posture() => "that decides it",
            Base::Posture(now) if now < effect => "the roll-out holds it back",
            _ => "a rule is stricter than that",
        };
        format!("No rule foresees {what} here. For {who} the posture is {}; {then}.", effect.as_str())
    }

    /// What exceptions changed: the verdict without each that was used.
    fn exceptions(&self) -> Vec<String> {
        let (policy, full) = (self.under.policy, &self.explanation.decision.full);
        let standing = policy.standing();
        let used = standing.exceptions.iter().filter(|exception| full.exceptions.contains(&exception.grant.id));
        used.map(|exception| {
            let others = standing.exceptions.iter().filter(|other| other.grant.id != exception.grant.id);
            let others = Standing { exceptions: others.cloned().collect(), rollout: standing.rollout.clone() };
            let without = policy.with_resolved(others).ok().map(|policy| policy.decide(self.facts).full);
            let effect =
                match without.filter(|without| (without.effect, &without.redact) != (full.effect, &full.redact)) {
                    Some(without) => format!("without it: {}", outcome(&without)),
                    None => "without it the verdict is the same".to_owned(),
                };
            format!("{}; {effect}.", self.exception(&exception.grant))
        })
        .collect()
    }

    fn exception(&self, grant: &ExceptionGrant) -> String {
        let until = words::day(grant.until);
        format!("Exception {} from {} is in force until {until}", grant.id, words::clause(self.under, &grant.clause))
    }

    /// What the roll-out changed.
    fn rollout(&self) -> Vec<String> {
        let named = &self.explanation.decision.enforced.rollout;
        let entries = self.under.policy.standing().rollout.iter().filter(|entry| named.contains(&entry.id));
        entries.map(|entry| self.entry(entry)).collect()
    }

    fn entry(&self, entry: &RolloutEntry) -> String {
        let ring = match (&entry.ring, self.view) {
            // Of which group somebody is says something of the person.
            (Ring::Group(_), View::WithoutPerson) => "a group".to_owned(),
            (ring, _) => ring.to_string(),
        };
        let does = match entry.step {
            Step::Observe => "is only observed",
            Step::Coach => "only adds a note",
            Step::Enforce => "holds as written",
        };
        let clause = words::capital(&words::clause(self.under, &entry.clause));
        format!("{clause} {does} for {ring} until {} ({}).", words::day(entry.until), entry.id)
    }
}
