//! From rows that hold to verdicts.

use std::collections::BTreeSet;

use smallvec::SmallVec;
use writ_model::schema::Dimension;
use writ_model::standing::{POSTURE, RolloutId};
use writ_model::values::{Declared, Step};
use writ_model::verdict::{Base, Cause, Restore};
use writ_model::{Decision, Effect, Facts, Term, Verdict};

use crate::rule::Rule;

use super::rows::{Bits, View, all_hold};
use super::situation::{FoundClass, Situation};
use super::{Policy, Selection, UNREADABLE};

/// Which verdict is asked for where something is pending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bound {
    /// Nothing is pending.
    Exact,
    /// What stands however the pending facts settle.
    Least,
    /// The strictest that may come.
    Most,
}

/// A decision, and what led to it.
#[derive(Clone, Debug)]
pub(super) struct Weighed {
    pub(super) decision: Decision,
    /// Places of the exceptions that applied.
    pub(super) live: SmallVec<[usize; 2]>,
}

pub(super) type Hits = SmallVec<[Hit; 8]>;

/// A rule whose rows hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hit {
    /// Its place in the model.
    pub(super) rule: u32,
    /// A row for what was read holds.
    pub(super) read: bool,
    /// A row for what could not be read holds, and its rule fails closed.
    pub(super) unread: bool,
}

/// What a rule that applied demands, before the roll-out.
struct Demand<'a> {
    rule: &'a Rule,
    effect: Effect,
    redact: BTreeSet<Term>,
    unfulfillable: BTreeSet<Term>,
    ask_level: bool,
    /// Its justify was satisfied.
    satisfied: bool,
    /// It fails closed on what could not be read.
    failed: bool,
    /// Its effect comes from what could not be read.
    unread: bool,
}

impl Demand<'_> {
    /// Whether nothing is left of it but that a reason was given.
    fn only_satisfied(&self) -> bool {
        self.satisfied && self.effect == Effect::Allow && self.redact.is_empty()
    }
}

/// Where verdicts start from before any rule demands.
struct Ground {
    /// The posture's effect; `None` where the situation is foreseen.
    posture: Option<Effect>,
    /// Something could not be read and no rule opens it. Rules that fail closed stop it; where an exception or the
    /// roll-out suspends them the default does, as it would without them.
    stopped_unread: bool,
}

impl Policy {
    /// Judges a situation, offers aside. `exempt` is a clause to be treated as if an exception for it applied.
    pub(super) fn weigh(
        &self,
        situation: &Situation<'_>,
        facts: &Facts,
        bound: Bound,
        exempt: Option<&Term>,
    ) -> Weighed {
        let (demanding, relaxing) = views(situation, bound);
        let (mut hits, stopped_unread) = self.hits(demanding, relaxing);
        let live = self.live(facts, relaxing);
        let mut used: BTreeSet<usize> = BTreeSet::new();
        let foreseen = self.foreseen(demanding, relaxing, &live, exempt, &mut used);
        let posture = (!foreseen).then(|| self.posture(situation, bound));
        hits.retain(|hit| !self.excepted(*hit, &live, exempt, &mut used));
        let demands: SmallVec<[Demand<'_>; 8]> =
            hits.iter().filter_map(|hit| self.demand(*hit, situation, facts, bound)).collect();
        let ground = Ground { posture, stopped_unread };
        let mut full = self.verdict(&demands, &ground, &ground.posture, |_| Step::Enforce);
        full.exceptions =
            used.iter().filter_map(|place| Some(self.standing.exceptions.get(*place)?.grant.id)).collect();
        let enforced =
            if self.rollout.is_empty() { full.clone() } else { self.enforced(&demands, &ground, &full, facts, bound) };
        Weighed { decision: Decision { enforced, full }, live }
    }

    /// The effects of both verdicts, enforced and full, without what led to them.
    pub(super) fn effects(
        &self,
        situation: &Situation<'_>,
        facts: &Facts,
        bound: Bound,
        exempt: Option<&Term>,
    ) -> [Effect; 2] {
        let (demanding, relaxing) = views(situation, bound);
        self.effects_of(&self.hits(demanding, relaxing), situation, facts, bound, exempt)
    }

    /// As [`Policy::effects`], where it is known which rows hold.
    pub(super) fn effects_of(
        &self,
        (hits, stopped_unread): &(Hits, bool),
        situation: &Situation<'_>,
        facts: &Facts,
        bound: Bound,
        exempt: Option<&Term>,
    ) -> [Effect; 2] {
        if *stopped_unread {
            // By a rule that fails closed, or by default.
            return [Effect::Block; 2];
        }
        let (demanding, relaxing) = views(situation, bound);
        let live = self.live(facts, relaxing);
        let mut used = BTreeSet::new();
        let mut effects = [Effect::Allow; 2];
        for hit in hits {
            if self.excepted(*hit, &live, exempt, &mut used) {
                continue;
            }
            let Some(demand) = self.demand(*hit, situation, facts, bound) else { continue };
            let step = self.step(&demand.rule.clause, facts, bound);
            let [enforced, full] = effects;
            effects = [enforced.max(effect_at(&demand, step)), full.max(demand.effect)];
            // Nothing is stricter.
            if effects == [Effect::Block; 2] {
                return effects;
            }
        }
        if self.foreseen(demanding, relaxing, &live, exempt, &mut used) {
            return effects;
        }
        let posture = self.posture(situation, bound);
        let [enforced, full] = effects;
        [enforced.max(lowered(posture, self.step(&POSTURE, facts, bound))), full.max(posture)]
    }

    /// The step of a clause.
    fn step(&self, clause: &Term, facts: &Facts, bound: Bound) -> Step {
        match (self.rollout.get(clause), bound) {
            (None, _) => Step::Enforce,
            (Some(entries), Bound::Least) => super::standing::step(entries, facts).0,
            (Some(entries), Bound::Exact | Bound::Most) => super::standing::step(entries, facts).1,
        }
    }

    fn enforced(
        &self,
        demands: &[Demand<'_>],
        ground: &Ground,
        full: &Verdict,
        facts: &Facts,
        bound: Bound,
    ) -> Verdict {
        let step = |clause: &Term| self.step(clause, facts, bound);
        let posture = ground.posture.map(|effect| lowered(effect, step(&POSTURE)));
        let mut verdict = self.verdict(demands, ground, &posture, step);
        verdict.exceptions.clone_from(&full.exceptions);
        let changed = demands.iter().filter(|demand| {
            let step = step(&demand.rule.clause);
            step < Step::Enforce && stepped(demand, step) != stepped(demand, Step::Enforce)
        });
        let clauses = changed.map(|demand| demand.rule.clause.clone());
        let clauses: BTreeSet<Term> = clauses.chain((posture != ground.posture).then_some(POSTURE)).collect();
        let entries = clauses.iter().filter_map(|clause| Some((step(clause), self.rollout.get(clause)?)));
        let named: BTreeSet<RolloutId> =
            entries.flat_map(|(step, entries)| super::standing::counting(entries, facts, step)).collect();
        verdict.rollout = named.into_iter().collect();
        verdict
    }

    /// The rules whose rows hold, in the order of the text, and whether there is content that could not be read and
    /// that no row opens: it is stopped, by rows that fail closed or, without any in force, by default.
    pub(super) fn hits(&self, demanding: View<'_>, relaxing: View<'_>) -> (Hits, bool) {
        let mut hits = Hits::new();
        // What holds in any view may be set.
        let possible = demanding.possible();
        let rows = self.gates.raise.rows(possible);
        for row in rows.iter().filter_map(|row| self.rows.raise.get(*row as usize)) {
            if hits.last().is_none_or(|last| last.rule != row.rule) && all_hold(&row.tests, demanding) {
                hits.push(Hit { rule: row.rule, read: true, unread: false });
            }
        }
        if !self.fixed.unreadable.holds(demanding) {
            return (hits, false);
        }
        let mut opened = false;
        let rows = self.gates.failure.rows(possible);
        for row in rows.iter().filter_map(|row| self.rows.failure.get(*row as usize)) {
            let closed = self.rule_at(row.rule).is_some_and(|rule| rule.fail_closed);
            opened |= !closed && all_hold(&row.tests, relaxing);
            if closed && all_hold(&row.tests, demanding) {
                match hits.binary_search_by_key(&row.rule, |hit| hit.rule) {
                    Ok(place) => hits.iter_mut().skip(place).take(1).for_each(|hit| hit.unread = true),
                    Err(place) => hits.insert(place, Hit { rule: row.rule, read: false, unread: true }),
                }
            }
        }
        (hits, !opened && self.fixed.stopped_unread.holds(demanding))
    }

    /// Places of the exceptions that apply.
    fn live(&self, facts: &Facts, relaxing: View<'_>) -> SmallVec<[usize; 2]> {
        let exceptions = self.standing.exceptions.iter().zip(&self.exceptions).enumerate();
        let applies = exceptions.filter(|(_, (exception, lowered))| {
            exception.in_force(facts.decided_at) && all_hold(&lowered.tests, relaxing)
        });
        applies.map(|(place, _)| place).collect()
    }

    /// Whether the rows foresee the situation, or the posture does not speak about what is done.
    fn foreseen(
        &self,
        demanding: View<'_>,
        relaxing: View<'_>,
        live: &[usize],
        exempt: Option<&Term>,
        used: &mut BTreeSet<usize>,
    ) -> bool {
        if !self.fixed.posture_actions.holds(demanding) {
            return true;
        }
        let mut open = self.uncovered(demanding, relaxing);
        let nothing = |bits: &Bits| self.fixed.data_words.clone().all(|word| bits.word(word) == 0);
        if nothing(&open) {
            return true;
        }
        let without = open.clone();
        for place in live {
            if let Some(exception) = self.exceptions.get(*place)
                && exception.covers.holds(relaxing)
                && without.meets(&exception.cover)
            {
                used.insert(*place);
                exception.cover.iter().for_each(|piece| open.remove(*piece));
            }
        }
        if let Some(clause) = exempt {
            self.clause_cover(clause).iter().for_each(|piece| open.remove(*piece));
        }
        nothing(&open)
    }

    /// What was found, `plain` included, and no row that applies covers.
    pub(super) fn uncovered(&self, demanding: View<'_>, relaxing: View<'_>) -> Bits {
        let found = demanding.set.both(&self.fixed.data);
        let mut open = found.clone();
        let index = &self.gates.foresee;
        let rows = index.open.iter().copied().chain(index.behind(&found, relaxing.possible()));
        for row in rows.filter_map(|row| self.rows.foresee.get(row as usize)) {
            if open.meets(&row.cover) && all_hold(&row.tests, relaxing) {
                row.cover.iter().for_each(|piece| open.remove(*piece));
            }
        }
        open
    }

    fn posture(&self, situation: &Situation<'_>, bound: Bound) -> Effect {
        let postures = self.layout.bits(Dimension::Who).zip(&self.fixed.postures);
        let possible = postures.filter(|(bit, _)| situation.possible.has(*bit)).map(|(_, effect)| *effect);
        match bound {
            Bound::Least => possible.min().unwrap_or(Effect::Allow),
            Bound::Exact | Bound::Most => possible.max().unwrap_or(Effect::Block),
        }
    }

    /// Whether an exception keeps a rule from raising.
    fn excepted(&self, hit: Hit, live: &[usize], exempt: Option<&Term>, used: &mut BTreeSet<usize>) -> bool {
        let Some(rule) = self.rule_at(hit.rule) else { return true };
        let mut excepted = exempt == Some(&rule.clause);
        for place in live {
            if self.standing.exceptions.get(*place).is_some_and(|e| e.grant.clause == rule.clause) {
                used.insert(*place);
                excepted = true;
            }
        }
        excepted
    }

    pub(super) fn rule_at(&self, place: u32) -> Option<&Rule> {
        self.model.rules.get(usize::try_from(place).ok()?)
    }

    fn demand<'a>(&'a self, hit: Hit, situation: &Situation<'_>, facts: &Facts, bound: Bound) -> Option<Demand<'a>> {
        let rule = self.rule_at(hit.rule)?;
        let selection = *self.selections.get(usize::try_from(hit.rule).ok()?)?;
        let mut demand = Demand {
            rule,
            effect: Effect::Allow,
            redact: BTreeSet::new(),
            unfulfillable: BTreeSet::new(),
            ask_level: false,
            satisfied: false,
            failed: hit.unread,
            unread: hit.unread,
        };
        if hit.read {
            self.demand_of_read(&mut demand, selection, situation, facts, bound);
        }
        if hit.unread {
            demand.unread = demand.effect < Effect::Block;
            demand.effect = Effect::Block;
        }
        let something = demand.effect > Effect::Allow || !demand.redact.is_empty() || demand.satisfied;
        something.then_some(demand)
    }

    fn demand_of_read(
        &self,
        demand: &mut Demand<'_>,
        selection: Selection,
        situation: &Situation<'_>,
        facts: &Facts,
        bound: Bound,
    ) {
        let rule = demand.rule;
        demand.effect = rule.then;
        let unknown = bound == Bound::Most && situation.data_pending && !selection.empty();
        if rule.then == Effect::Justify && !unknown {
            // An acknowledgement of this content is found only when the content is known.
            let may_come = bound == Bound::Least && situation.data_pending;
            if may_come || self.acknowledged(rule, selection, situation, facts, bound) {
                demand.satisfied = true;
                demand.effect = Effect::Allow;
            }
        }
        let asks = match facts.declared.known() {
            None => bound == Bound::Most,
            Some(declared) => *declared == Declared::NotAsked,
        };
        if rule.ask_level && asks {
            demand.ask_level = true;
            demand.effect = demand.effect.max(Effect::Justify);
        }
        if rule.redact {
            demand.redact = selected(selection, situation, bound).cloned().collect();
            if unknown {
                let places = self.layout.class_places().zip(&self.layout.classes);
                let names =
                    places.filter(|(place, _)| selection.names(Some(*place))).map(|(_, (name, _))| name.clone());
                demand.redact.extend(names);
            }
            demand.unfulfillable = demand.redact.intersection(&facts.unredactable).cloned().collect();
            if unknown || !demand.unfulfillable.is_empty() {
                demand.effect = Effect::Block;
            }
        }
    }

    /// Whether an acknowledgement of the rule's clause names all classes that the rule found, and has not expired.
    fn acknowledged(
        &self,
        rule: &Rule,
        selection: Selection,
        situation: &Situation<'_>,
        facts: &Facts,
        bound: Bound,
    ) -> bool {
        facts.acknowledged.iter().any(|given| {
            given.clause == rule.clause
                && facts.decided_at < given.until
                && selected(selection, situation, bound).all(|name| given.classes.contains(name))
        })
    }

    /// The verdict of demands, each under the step of its clause.
    fn verdict(
        &self,
        demands: &[Demand<'_>],
        ground: &Ground,
        posture: &Option<Effect>,
        step: impl Fn(&Term) -> Step,
    ) -> Verdict {
        let mut verdict = Verdict::allow();
        let mut causes: SmallVec<[(Cause, Option<&Demand<'_>>); 8]> = SmallVec::new();
        if let Some(effect) = *posture {
            verdict.base = Base::Posture(effect);
            causes.push((fixed_cause(POSTURE, effect), None));
        }
        let closed = |demand: &Demand<'_>| demand.failed && step(&demand.rule.clause) == Step::Enforce;
        let stopped_by_default = ground.stopped_unread && !demands.iter().any(closed);
        if stopped_by_default {
            causes.push((fixed_cause(UNREADABLE, Effect::Block), None));
        }
        for demand in demands {
            if let Some(cause) = stepped(demand, step(&demand.rule.clause)) {
                causes.push((cause, Some(demand)));
            }
        }
        let satisfied = |cause: &Cause, demand: Option<&Demand<'_>>| {
            demand.is_some_and(|demand| demand.satisfied && demand.effect == Effect::Allow)
                && cause.effect == Effect::Justify
        };
        let strictest =
            causes.iter().filter(|(cause, demand)| !satisfied(cause, *demand)).map(|(cause, _)| cause.effect);
        verdict.effect = strictest.max().unwrap_or(Effect::Allow);
        let mut roles: Option<BTreeSet<Term>> = None;
        let mut restore = None;
        for (cause, demand) in causes {
            let satisfied = satisfied(&cause, demand);
            let of_posture = cause.clause == POSTURE && demand.is_none();
            let strictest =
                !satisfied && cause.effect == verdict.effect && (cause.effect > Effect::Allow || of_posture);
            if let Some(demand) = demand {
                take_over(&mut verdict, &cause, demand);
                if !cause.redact.is_empty() {
                    restore =
                        Some(restore.map_or(demand.rule.restore, |other: Restore| other.min(demand.rule.restore)));
                }
            }
            if strictest && cause.effect == Effect::Block {
                let granted = demand.map(|demand| demand.rule.override_roles.clone()).unwrap_or_default();
                roles = Some(roles.map_or(granted.clone(), |other| other.intersection(&granted).cloned().collect()));
            }
            if strictest {
                let unread = demand.map_or(stopped_by_default && !of_posture, |demand| demand.unread);
                verdict.unreadable |= unread;
            }
            let list = if strictest || !cause.redact.is_empty() { &mut verdict.decided } else { &mut verdict.applied };
            list.push(cause);
        }
        let unfulfillable = std::mem::take(&mut verdict.unfulfillable);
        verdict.redact.retain(|class| !unfulfillable.contains(class));
        verdict.unfulfillable = unfulfillable;
        verdict.restore = restore.unwrap_or_default();
        verdict.override_roles = roles.unwrap_or_default();
        verdict
    }
}

/// How rows that demand look at a situation, and how those do that relax.
pub(super) fn views<'a>(situation: &'a Situation<'_>, bound: Bound) -> (View<'a>, View<'a>) {
    match bound {
        Bound::Most => (situation.possible(), situation.certain()),
        Bound::Exact | Bound::Least => (situation.certain(), situation.possible()),
    }
}

/// Adds the obligations of a cause to the verdict.
fn take_over(verdict: &mut Verdict, cause: &Cause, demand: &Demand<'_>) {
    if demand.satisfied {
        verdict.acknowledged.insert(cause.clause.clone());
    }
    if !cause.redact.is_empty() {
        verdict.redact.extend(cause.redact.iter().cloned());
        verdict.unfulfillable.extend(demand.unfulfillable.iter().cloned());
    }
    verdict.ask_level |= demand.ask_level && cause.effect >= Effect::Justify;
}

fn fixed_cause(clause: Term, effect: Effect) -> Cause {
    Cause { clause, rule: 0, effect, redact: BTreeSet::new(), severity: None }
}

/// The posture under a step of the roll-out.
fn lowered(posture: Effect, step: Step) -> Effect {
    match step {
        Step::Observe => Effect::Allow,
        Step::Coach => posture.min(Effect::Coach),
        Step::Enforce => posture,
    }
}

/// The effect of a demand under a step of the roll-out.
fn effect_at(demand: &Demand<'_>, step: Step) -> Effect {
    match step {
        Step::Observe => Effect::Allow,
        _ if demand.only_satisfied() => Effect::Allow,
        Step::Coach => Effect::Coach,
        Step::Enforce => demand.effect,
    }
}

/// The cause that a demand becomes under a step of the roll-out.
fn stepped(demand: &Demand<'_>, step: Step) -> Option<Cause> {
    let cause = |effect: Effect, redact: BTreeSet<Term>| Cause {
        clause: demand.rule.clause.clone(),
        rule: demand.rule.number,
        effect,
        redact,
        severity: demand.rule.severity,
    };
    match step {
        Step::Observe => None,
        _ if demand.only_satisfied() => Some(cause(Effect::Justify, BTreeSet::new())),
        Step::Coach => Some(cause(Effect::Coach, BTreeSet::new())),
        Step::Enforce => Some(cause(demand.effect, demand.redact.clone())),
    }
}

/// The classes found that a rule's keys select.
pub(super) fn selected<'a>(
    selection: Selection,
    situation: &'a Situation<'_>,
    bound: Bound,
) -> impl Iterator<Item = &'a Term> {
    let allows = move |found: &FoundClass<'_>| match (found.cleared, bound) {
        (Some(cleared), _) => selection.allows(cleared),
        (None, Bound::Least) => selection.allows(false) && selection.allows(true),
        (None, Bound::Exact | Bound::Most) => selection.allows(false) || selection.allows(true),
    };
    situation.found.iter().filter(move |found| selection.names(found.place) && allows(found)).map(|found| found.name)
}

/// Whether two decisions have the same effect and the same redactions, in both verdicts.
pub(super) fn same_outcome(one: &Decision, other: &Decision) -> bool {
    let outcome = |verdict: &Verdict| (verdict.effect, verdict.redact.clone(), verdict.unfulfillable.clone());
    outcome(&one.enforced) == outcome(&other.enforced) && outcome(&one.full) == outcome(&other.full)
}
