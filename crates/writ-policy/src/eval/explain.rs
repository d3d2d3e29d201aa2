//! Why a decision is what it is, as plain data.

use writ_model::facts::Reading;
use writ_model::schema::Dimension;
use writ_model::standing::ExceptionId;
use writ_model::verdict::Base;
use writ_model::{Decision, Facts, Term, Value};

use crate::rule::{KeyTest, Rule};

use super::Policy;
use super::rows::all_hold;
use super::situation::Situation;
use super::weigh::Bound;

/// A decision with what led to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The decision itself.
    pub decision: Decision,
    /// Where the full verdict started from.
    pub base: Base,
    /// Rules that foresee the situation or a part of it, by clause and number, in the order of the text.
    pub foreseen_by: Vec<(Term, u16)>,
    /// What no rule or exception covers: `plain`, or classes found. Empty where the situation is foreseen.
    pub uncovered: Vec<Term>,
    /// Rules that raise and whose keys hold, in the order of the text.
    pub applied: Vec<AppliedRule>,
    /// Exceptions in force that apply, whether or not they changed something.
    pub exceptions: Vec<ExceptionId>,
}

/// A rule that raises and whose keys hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppliedRule {
    /// Its clause.
    pub clause: Term,
    /// Its number within the clause.
    pub rule: u16,
    /// Its keys with the values that made them hold.
    pub keys: Vec<HeldKey>,
    /// It applied to content that could not be read.
    pub unread: bool,
    /// Exceptions that keep it from raising.
    pub excepted_by: Vec<ExceptionId>,
}

/// A key that held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldKey {
    /// The key.
    pub key: &'static str,
    /// Whether it says `not`.
    pub not: bool,
    /// The values listed, as the policy writes them.
    pub listed: Vec<String>,
    /// The values of the situation.
    pub found: Vec<String>,
}

/// Explains the decision for a situation.
pub fn explain(policy: &Policy, facts: &Facts) -> Explanation {
    let situation = Situation::of(&policy.layout, facts);
    let bound = if situation.pending { Bound::Most } else { Bound::Exact };
    let weighed = policy.weigh(&situation, facts, bound, None);
    let decision = policy.decide(facts);
    let (demanding, relaxing) = match bound {
        Bound::Most => (situation.possible(), situation.certain()),
        Bound::Exact | Bound::Least => (situation.certain(), situation.possible()),
    };
    let grants = weighed.held.live.iter().filter_map(|place| policy.standing().exceptions.get(*place));
    let grants: Vec<_> = grants.map(|exception| &exception.grant).collect();
    let mut foreseen_by: Vec<(Term, u16)> = Vec::new();
    for row in &policy.rows.foresee {
        if let (true, Some(rule)) = (all_hold(&row.tests, relaxing), policy.rule_at(row.rule))
            && demanding.set.meets(&row.cover)
            && foreseen_by.last().is_none_or(|(clause, number)| (clause, *number) != (&rule.clause, rule.number))
        {
            foreseen_by.push((rule.clause.clone(), rule.number));
        }
    }
    let (hits, _) = policy.hits(demanding, relaxing);
    let applied = hits.iter().filter_map(|hit| {
        let rule = policy.rule_at(hit.rule)?;
        let excepted = grants.iter().filter(|grant| grant.clause == rule.clause);
        Some(AppliedRule {
            clause: rule.clause.clone(),
            rule: rule.number,
            keys: if hit.read { held_keys(rule, facts, &situation, policy) } else { Vec::new() },
            unread: hit.unread,
            excepted_by: excepted.map(|grant| grant.id).collect(),
        })
    });
    let base = decision.full.base;
    let uncovered = if base == Base::Foreseen { Vec::new() } else { policy.uncovered_names(&situation, bound) };
    Explanation {
        base,
        foreseen_by,
        uncovered,
        applied: applied.collect(),
        exceptions: grants.iter().map(|grant| grant.id).collect(),
        decision,
    }
}

impl Policy {
    /// The names of what no rule covers and no exception that applies.
    fn uncovered_names(&self, situation: &Situation<'_>, bound: Bound) -> Vec<Term> {
        let (demanding, relaxing) = match bound {
            Bound::Most => (situation.possible(), situation.certain()),
            Bound::Exact | Bound::Least => (situation.certain(), situation.possible()),
        };
        let open = self.uncovered(demanding, relaxing);
        let mut names = Vec::new();
        if open.has(self.layout.plain()) {
            names.push(writ_model::class::PLAIN);
        }
        for found in &situation.found {
            let uncovered = match found.place {
                Some(place) => self.layout.chains(place).any(|bit| open.has(bit)),
                None => [false, true].into_iter().any(|cleared| open.has(self.layout.undefined(cleared))),
            };
            if uncovered {
                names.push(found.name.clone());
            }
        }
        names
    }
}

fn held_keys(rule: &Rule, facts: &Facts, situation: &Situation<'_>, policy: &Policy) -> Vec<HeldKey> {
    let held = |key: &KeyTest| HeldKey {
        key: key.dimension.key(),
        not: key.not,
        listed: key.values.iter().map(|value| value.name(key.dimension)).collect(),
        found: found_names(key.dimension, facts, situation, policy),
    };
    rule.keys.tests.iter().map(held).collect()
}

/// The values of a situation on a dimension.
fn found_names(dimension: Dimension, facts: &Facts, situation: &Situation<'_>, policy: &Policy) -> Vec<String> {
    if dimension == Dimension::Level {
        let bits = policy.layout.bits(dimension).zip(writ_model::Level::ALL);
        return bits.filter(|(bit, _)| situation.known.has(*bit)).map(|(_, level)| level.name().to_owned()).collect();
    }
    match facts.read(dimension) {
        Reading::Pending => Vec::new(),
        Reading::Closed(index) => vec![dimension.value_name(index).to_owned()],
        Reading::Open(name) => vec![name.to_string()],
        Reading::ClosedSet(bits) => {
            let set = (0..64u8).filter(|index| bits & (1 << index) != 0);
            set.map(|index| dimension.value_name(index).to_owned()).collect()
        }
        Reading::OpenSet(None) => vec![Term::UNKNOWN.to_string()],
        Reading::OpenSet(Some(names)) => names.iter().map(ToString::to_string).collect(),
        Reading::Classes(classes) => classes.keys().map(ToString::to_string).collect(),
    }
}
