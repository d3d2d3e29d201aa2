//! What stands beside the text: exceptions with their keys resolved, and the roll-out.

use std::collections::BTreeSet;

use writ_base::{ContentHash, Limit, Moment};
use writ_model::facts::Groups;
use writ_model::schema::{Dimension, Stage};
use writ_model::standing::{ExceptionGrant, POSTURE, Ring, RolloutEntry, RolloutId, StandingObjects};
use writ_model::values::Step;
use writ_model::{Facts, Term};

use crate::rule::{KeyTest, KeyValue, Keys, PolicyModel, Rule};

use super::rows::Test;
use super::{Layout, StandingError, lower};

/// Exceptions and roll-out of a policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The exceptions, sorted by id.
    pub exceptions: Vec<Exception>,
    /// The entries of the roll-out, sorted by id.
    pub rollout: Vec<RolloutEntry>,
}

/// An exception whose situation has been resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exception {
    /// As it was granted.
    pub grant: ExceptionGrant,
    /// Its situation, read as in a rule that foresees.
    pub keys: Keys,
}

impl Exception {
    /// Whether it is in force at a time.
    pub fn in_force(&self, at: Moment) -> bool {
        self.grant.from <= at && at < self.grant.until
    }

    /// The classes that count as covered where it applies, beside `plain`: those it names, or else those that its
    /// clause names, however much of them was found.
    pub(super) fn covered_values(&self, model: &PolicyModel) -> Vec<KeyValue> {
        let own = lower::data_values(&self.keys);
        if !own.is_empty() {
            return own.into_iter().cloned().collect();
        }
        super::offer::clause_values(model, &self.grant.clause)
    }
}

impl Standing {
    /// Resolves the keys of exceptions and checks that all objects fit the policy.
    ///
    /// # Errors
    /// If an object names no clause, an exception's keys are no keys or reach beyond its clause, or a time ends before
    /// it begins.
    pub fn resolve(
        model: &PolicyModel,
        exceptions: Vec<ExceptionGrant>,
        mut rollout: Vec<RolloutEntry>,
    ) -> Result<Self, StandingError> {
        let mut resolved = Vec::new();
        for grant in exceptions {
            resolved.push(resolve_exception(model, grant)?);
        }
        for entry in &rollout {
            let (id, clause) = (entry.id, entry.clause.clone());
            if clause != POSTURE && !model.clauses.iter().any(|known| known.id == clause) {
                return Err(StandingError::RolloutWithoutClause { entry: id, clause });
            }
            if entry.until < entry.from {
                return Err(StandingError::RolloutEndsFirst { entry: id });
            }
        }
        resolved.sort_by_key(|exception| exception.grant.id);
        rollout.sort_by_key(|entry| entry.id);
        Ok(Self { exceptions: resolved, rollout })
    }

    /// As it is written down.
    pub fn objects(&self) -> StandingObjects {
        let exceptions = self.exceptions.iter().map(|exception| exception.grant.clone());
        StandingObjects { exceptions: exceptions.collect(), rollout: self.rollout.clone() }
    }

    /// The groups that the roll-out names.
    pub(super) fn groups(&self) -> BTreeSet<Term> {
        let group = |entry: &RolloutEntry| match &entry.ring {
            Ring::Group(group) => Some(group.clone()),
            Ring::Everyone | Ring::Share(_) => None,
        };
        self.rollout.iter().filter_map(group).collect()
    }

    pub(super) fn hash(&self) -> ContentHash {
        let exceptions = self.exceptions.iter().map(|exception| serde_json::to_vec(&exception.grant));
        let rollout = self.rollout.iter().map(serde_json::to_vec);
        // Plain data with text keys: writing it cannot fail.
        let parts: Vec<Vec<u8>> = exceptions.chain(rollout).map(Result::unwrap_or_default).collect();
        ContentHash::of_parts(parts.iter().map(Vec::as_slice))
    }
}

/// The least and the strictest step that entries of one clause may have for these facts; they differ only while groups
/// are pending. Of several entries the strictest counts; where none does the step is enforce.
pub(super) fn step(entries: &[RolloutEntry], facts: &Facts) -> (Step, Step) {
    let in_force = entries.iter().filter(|e| e.from <= facts.decided_at && facts.decided_at < e.until);
    let (mut sure, mut open): (Option<Step>, Vec<Step>) = (None, Vec::new());
    let mut pending = false;
    for entry in in_force {
        match membership(&entry.ring, facts) {
            Membership::Yes => sure = sure.max(Some(entry.step)),
            Membership::No => {}
            Membership::Open { pending: settles_later } => {
                pending |= settles_later;
                open.push(entry.step);
            }
        }
    }
    let most = sure.map_or(Step::Enforce, |sure| open.iter().copied().fold(sure, Step::max));
    let least = match sure {
        _ if !pending => most,
        Some(sure) => sure,
        None => open.into_iter().min().unwrap_or(Step::Enforce),
    };
    (least, most)
}

/// The entries that bring a clause to this step for these facts.
pub(super) fn counting<'a>(
    entries: &'a [RolloutEntry],
    facts: &'a Facts,
    step: Step,
) -> impl Iterator<Item = RolloutId> + 'a {
    let counts = move |entry: &&RolloutEntry| {
        entry.step == step
            && entry.from <= facts.decided_at
            && facts.decided_at < entry.until
            && !matches!(membership(&entry.ring, facts), Membership::No)
    };
    entries.iter().filter(counts).map(|entry| entry.id)
}

enum Membership {
    Yes,
    No,
    Open { pending: bool },
}

fn membership(ring: &Ring, facts: &Facts) -> Membership {
    let known = match (ring, facts.group.known()) {
        (Ring::Everyone, _) => true,
        (Ring::Share(share), _) => facts.share < *share,
        (Ring::Group(_), None) => return Membership::Open { pending: true },
        (Ring::Group(_), Some(Groups::Unknown(_))) => return Membership::Open { pending: false },
        (Ring::Group(_), Some(Groups::Known(groups))) if groups.contains(Term::UNKNOWN.as_str()) => {
            return Membership::Open { pending: false };
        }
        (Ring::Group(group), Some(Groups::Known(groups))) => groups.contains(group),
    };
    if known { Membership::Yes } else { Membership::No }
}

fn resolve_exception(model: &PolicyModel, grant: ExceptionGrant) -> Result<Exception, StandingError> {
    let exception = grant.id;
    if !model.clauses.iter().any(|clause| clause.id == grant.clause) {
        return Err(StandingError::ExceptionWithoutClause { exception, clause: grant.clause });
    }
    if grant.until < grant.from {
        return Err(StandingError::ExceptionEndsFirst { exception });
    }
    let keys = super::keys(&grant.keys, &model.classes).map_err(|error| StandingError::Keys { exception, error })?;
    if !model.rules.iter().any(|rule| rule.clause == grant.clause) {
        return Err(StandingError::NothingToRelax { exception, clause: grant.clause });
    }
    if let Some(key) = beyond(model, &grant.clause, &keys)? {
        return Err(StandingError::OutsideClause { exception, clause: grant.clause, key });
    }
    Ok(Exception { grant, keys })
}

/// The key in which a situation reaches beyond what the rules of a clause together speak about, or `None` if it lies
/// within.
///
/// What is known before the body, and what is done, must lie within what the rules say. What was found is read as *at
/// most* in an exception and as *at least* in a rule, so that there the values named must be among those of a rule.
fn beyond(model: &PolicyModel, clause: &Term, keys: &Keys) -> Result<Option<&'static str>, StandingError> {
    let layout = Layout::new(model, &[keys], &BTreeSet::new())?;
    let rules: Vec<&Rule> = model.rules.iter().filter(|rule| rule.clause == *clause).collect();
    let fitting: Vec<Vec<Values>> = rules
        .iter()
        .filter(|rule| Dimension::ALL.iter().all(|dimension| boxed(*dimension) || names_within(*dimension, keys, rule)))
        .map(|rule| BOXED.iter().map(|dimension| spoken(&layout, *dimension, &rule.keys)).collect())
        .collect();
    let mut situation: Vec<Values> = BOXED.iter().map(|dimension| asked(&layout, *dimension, keys)).collect();
    if keys.on(Dimension::Action).is_none() {
        // Without the key an exception is about whatever its clause is about.
        let all = rules.iter().flat_map(|rule| spoken(&layout, Dimension::Action, &rule.keys)).collect();
        situation.pop();
        situation.push(all);
    }
    let mut steps = CONTAINMENT_STEPS.value();
    if !fitting.is_empty() && covered_by(&situation, &fitting, &mut steps) {
        return Ok(None);
    }
    let narrow = |dimension: &&Dimension| match BOXED.iter().position(|boxed| boxed == *dimension) {
        None => !rules.iter().any(|rule| names_within(**dimension, keys, rule)),
        Some(place) => {
            let inside = |rule: &Vec<Values>| match (situation.get(place), rule.get(place)) {
                (Some(ours), Some(theirs)) => ours.is_subset(theirs),
                _ => false,
            };
            !fitting.is_empty() && !fitting.iter().any(inside)
        }
    };
    Ok(Dimension::ALL.iter().find(narrow).or(Dimension::ALL.first()).map(|dimension| dimension.key()))
}

/// Steps that the check of one exception may take; beyond them it counts as reaching beyond its clause.
static CONTAINMENT_STEPS: Limit = Limit::new("policy.exception_steps", "steps", 100_000);

/// Values of a dimension, by their bits.
type Values = BTreeSet<u16>;

/// Dimensions with exactly one value that is known before the body, and what is done.
const BOXED: &[Dimension] = &[
    Dimension::Who,
    Dimension::Identity,
    Dimension::Entity,
    Dimension::Service,
    Dimension::Category,
    Dimension::Tier,
    Dimension::Status,
    Dimension::Account,
    Dimension::Channel,
    Dimension::Device,
    Dimension::PersonRegion,
    Dimension::ServiceRegion,
    Dimension::Training,
    Dimension::Attestation,
    Dimension::Action,
];

fn boxed(dimension: Dimension) -> bool {
    BOXED.contains(&dimension)
}

/// The values about which a rule speaks.
fn spoken(layout: &Layout, dimension: Dimension, keys: &Keys) -> Values {
    let actions = || lower::action_test(layout, lower::raising_actions(keys));
    let test = match keys.on(dimension) {
        _ if dimension == Dimension::Action => actions(),
        Some(key) => lower::raising_key(layout, key),
        None => return layout.bits(dimension).collect(),
    };
    layout.bits(dimension).filter(|bit| admits(&test, *bit)).collect()
}

/// The values that a situation in keys admits.
fn asked(layout: &Layout, dimension: Dimension, keys: &Keys) -> Values {
    let test = keys.on(dimension).map(|key| lower::relaxing_test(layout, key));
    layout.bits(dimension).filter(|bit| test.as_ref().is_none_or(|test| admits(test, *bit))).collect()
}

/// Whether each situation of a box lies in one of these boxes: what the first leaves over must lie in the others.
fn covered_by(situation: &[Values], rules: &[Vec<Values>], steps: &mut usize) -> bool {
    let Some(left) = steps.checked_sub(1) else { return false };
    *steps = left;
    if situation.iter().any(Values::is_empty) {
        return true;
    }
    let Some((first, others)) = rules.split_first() else { return false };
    let mut inside = situation.to_vec();
    for place in 0..situation.len() {
        let (Some(ours), Some(theirs)) = (inside.get_mut(place), first.get(place)) else { return false };
        let outside: Values = ours.difference(theirs).copied().collect();
        if outside.len() == ours.len() {
            return covered_by(&inside, others, steps);
        }
        let within: Values = ours.intersection(theirs).copied().collect();
        *ours = outside;
        if !covered_by(&inside, others, steps) {
            return false;
        }
        if let Some(ours) = inside.get_mut(place) {
            *ours = within;
        }
    }
    true
}

/// Whether the values named on a dimension of sets, or on one that settles with the body, are among a rule's.
fn names_within(dimension: Dimension, keys: &Keys, rule: &Rule) -> bool {
    let Some(theirs) = rule.keys.on(dimension) else { return true };
    match keys.on(dimension) {
        None => dimension.spec().stage == Stage::Body,
        Some(ours) if theirs.not || ours.not => theirs == ours,
        Some(ours) => ours.values.iter().all(|value| names(theirs, value)),
    }
}

/// Whether the values of a key name this one: the same class in any amount, or the same value.
fn names(key: &KeyTest, value: &KeyValue) -> bool {
    key.values.iter().any(|listed| match (listed, value) {
        (KeyValue::AnyClass, _) => true,
        (KeyValue::Class { class: listed, .. }, KeyValue::Class { class, .. }) => listed == class,
        _ => listed == value,
    })
}

fn admits(test: &Test, bit: u16) -> bool {
    let mut bits = super::rows::Bits::EMPTY;
    bits.set(bit);
    test.holds(super::rows::View { set: &bits, unset: &bits, certain: false })
}
