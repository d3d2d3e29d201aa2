//! Baselines: whether a policy is at least as strict as another one, and where it is not.

use serde_json::{Value, json};
use writ_base::Moment;
use writ_model::{Effect, Verdict};

use crate::diagram::{Diagram, Diagrams, Full, TooLarge, World};
use crate::eval::Policy;

use super::witness::verdict;
use super::{REGIONS, Witness, reproduced, words};

/// Where a policy is less strict than its baseline.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Weaker {
    /// Readable rows.
    pub rows: Vec<WeakerRow>,
    /// Further combinations of values that no row shows.
    pub rest: f64,
}

/// A row of a comparison.
#[derive(Clone, Debug, PartialEq)]
pub struct WeakerRow {
    /// The situations, as a line of keys.
    pub region: String,
    /// One of them, as the policy decides it.
    pub witness: Witness,
    /// What the baseline decides there.
    pub baseline: Verdict,
}

impl Weaker {
    /// Whether the policy is at least as strict everywhere.
    pub fn none(&self) -> bool {
        self.rows.is_empty()
    }

    /// For programs.
    pub fn to_json(&self) -> Value {
        let row = |row: &WeakerRow| {
            json!({
                "where": row.region,
                "witness": row.witness.to_json(),
                "baseline": { "effect": row.baseline.effect, "redact": row.baseline.redact },
            })
        };
        json!({ "rows": self.rows.iter().map(row).collect::<Vec<_>>(), "rest": self.rest })
    }
}

impl WeakerRow {
    /// What both decide: `allow here, block (health, rule 1) in the baseline`.
    pub fn both(&self) -> String {
        format!("{} here, {} in the baseline", verdict(&self.witness.decision.full), verdict(&self.baseline))
    }
}

/// Where the text of a policy is less strict than that of a baseline: a lesser effect, or a class that goes on
/// unredacted. Exceptions and roll-out of both are left out.
///
/// # Errors
/// If the diagrams need more than a named limit admits.
pub fn weaker(policy: &Policy, baseline: &Policy, world: &World, at: Moment) -> Result<Weaker, TooLarge> {
    let (policy, baseline) = (text_of(policy)?, text_of(baseline)?);
    let mut diagrams = Diagrams::of(&[&policy, &baseline], world)?;
    let set = weaker_set(&mut diagrams)?;
    let found = diagrams.regions(set, REGIONS)?;
    let mut weaker = Weaker { rows: Vec::new(), rest: found.rest };
    for (region, inside) in found.regions {
        let inside = diagrams.both(inside, set)?;
        let Some(facts) = diagrams.situation(inside, at)? else { continue };
        let baseline = baseline.decide(&facts).full;
        let witness = Witness::of(&policy, facts);
        reproduced(is_weaker(&witness.decision.full, &baseline));
        weaker.rows.push(WeakerRow { region: words::region(&region), witness, baseline });
    }
    Ok(weaker)
}

/// The policy without what stands beside it.
fn text_of(policy: &Policy) -> Result<Policy, TooLarge> {
    policy.with_resolved(crate::eval::Standing::default()).map_err(|_| TooLarge::of(None))
}

/// Situations in which the first policy is weaker than the second.
fn weaker_set(diagrams: &mut Diagrams<'_>) -> Result<Diagram, TooLarge> {
    let (own, other) = (diagrams.chart(0).ok_or(Full)?.text.clone(), diagrams.chart(1).ok_or(Full)?.text.clone());
    let possible = diagrams.possible();
    let forest = &mut diagrams.forest;
    let mut parts = vec![forest.less(own.effect, other.effect)?];
    let blocked = forest.at_least(own.effect, Effect::Block as u8)?;
    for (class, at) in &other.redacts {
        let redacted = own.redacts.get(class).copied().unwrap_or(Diagram::NEVER);
        let passes = forest.without(*at, redacted)?;
        parts.push(forest.without(passes, blocked)?);
    }
    let weaker = forest.any(parts)?;
    Ok(forest.and(weaker, possible)?)
}

/// Whether one verdict is weaker than another.
pub(crate) fn is_weaker(one: &Verdict, other: &Verdict) -> bool {
    one.effect < other.effect || one.effect < Effect::Block && !other.redact.is_subset(&one.redact)
}
