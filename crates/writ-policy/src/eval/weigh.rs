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
    pub(super) held: Held,
}

/// What holds in a situation, before any rule demands.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) bound: Bound,
    /// Rules whose rows hold, those that an exception keeps from raising included.
    pub(super) hits: Hits,
    /// See [`Ground`].
    pub(super) stopped_unread: bool,
    /// Places of the exceptions that applied.
    pub(super) live: SmallVec<[usize; 2]>,
    /// What neither rows nor exceptions cover; `None` where the situation is foreseen.
    pub(super) open: Option<Bits>,
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

/// Names of classes, which are lent until a verdict holds them.
type Names<'a> = SmallVec<[&'a Term; 4]>;

/// What a rule that applied demands, before the roll-out.
struct Demand<'a> {
    rule: &'a Rule,
    effect: Effect,
    /// Classes, sorted.
    redact: Names<'a>,
    unfulfillable: Names<'a>,
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

    /// The effect of the cause that it becomes under a step of the roll-out, if it becomes one.
    fn cause_effect(&self, step: Step) -> Option<Effect> {
        match step {
            Step::Observe => None,
            _ if self.only_satisfied() => Some(Effect::Justify),
            Step::Coach => Some(Effect::Coach),
            Step::Enforce => Some(self.effect),
        }
    }

    /// Whether the roll-out makes another cause of it than it would be without.
    fn changed_at(&self, step: Step) -> bool {
        let redacts = |step| step == Step::Enforce && !self.redact.is_empty();
        (self.cause_effect(step), redacts(step)) != (self.cause_effect(Step::Enforce), redacts(Step::Enforce))
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
        let mut used: BTreeSet<usize> = BTreeSet::new();
        let mut held = self.held(situation, facts, bound, &mut used);
        if let Some(clause) = exempt {
            held.open = held.open.filter(|open| !self.covers(clause, open));
        }
        let posture = held.open.is_some().then(|| self.posture(situation, bound));
        let hits = held.hits.iter().filter(|hit| !self.excepted(**hit, &held.live, exempt, &mut used));
        let demands: SmallVec<[Demand<'_>; 8]> =
            hits.filter_map(|hit| self.demand(*hit, situation, facts, bound)).collect();
        let ground = Ground { posture, stopped_unread: held.stopped_unread };
        let mut full = self.verdict(&demands, &ground, &ground.posture, |_| Step::Enforce);
        full.exceptions =
            used.iter().filter_map(|place| Some(self.standing.exceptions.get(*place)?.grant.id)).collect();
        let enforced =
            if self.rollout.is_empty() { full.clone() } else { self.enforced(&demands, &ground, &full, facts, bound) };
        Weighed { decision: Decision { enforced, full }, held }
    }

    /// What holds in a situation. `used` takes the exceptions that cover something.
    pub(super) fn held(
        &self,
        situation: &Situation<'_>,
        facts: &Facts,
        bound: Bound,
        used: &mut BTreeSet<usize>,
    ) -> Held {
        let (demanding, relaxing) = views(situation, bound);
        let (hits, stopped_unread) = self.hits(demanding, relaxing);
        let live = self.live(facts, relaxing);
        let open = self.left_open(demanding, relaxing, &live, used);
        Held { bound, hits, stopped_unread, live, open }
    }

    /// Whether a verdict is block, without what led to it: the enforced one, or the full one.
    pub(super) fn blocks(&self, situation: &Situation<'_>, facts: &Facts, bound: Bound, enforced: bool) -> bool {
        let (demanding, relaxing) = views(situation, bound);
        let (hits, stopped_unread) = self.hits(demanding, relaxing);
        // Content that cannot be read is stopped by a rule that fails closed, or by default.
        if stopped_unread {
            return true;
        }
        let live = self.live(facts, relaxing);
        hits.iter().any(|hit| self.stops(*hit, &live, situation, facts, bound, enforced))
            || self.posture_blocks(situation, facts, bound, enforced)
                && self.left_open(demanding, relaxing, &live, &mut BTreeSet::new()).is_some()
    }

    /// Whether the posture would be block where nothing foresees the situation.
    pub(super) fn posture_blocks(
        &self,
        situation: &Situation<'_>,
        facts: &Facts,
        bound: Bound,
        enforced: bool,
    ) -> bool {
        self.posture(situation, bound) == Effect::Block
            && (!enforced || self.step(&POSTURE, facts, bound) == Step::Enforce)
    }

    /// Whether a rule whose rows hold makes a verdict block: the enforced one, or the full one. The same as to ask for
    /// its demand, without the names of what it redacts.
    pub(super) fn stops(
        &self,
        hit: Hit,
        live: &[usize],
        situation: &Situation<'_>,
        facts: &Facts,
        bound: Bound,
        enforced: bool,
    ) -> bool {
        let place = usize::try_from(hit.rule).ok();
        let Some((rule, selection)) = place.and_then(|at| self.model.rules.get(at).zip(self.selections.get(at))) else {
            return false;
        };
        let withheld = || {
            let unknown = bound == Bound::Most && situation.data_pending && !selection.empty();
            unknown || selected(*selection, situation, bound).any(|name| facts.unredactable.contains(name))
        };
        let stops = hit.unread || hit.read && (rule.then == Effect::Block || rule.redact && withheld());
        stops
            && !self.excepted(hit, live, None, &mut BTreeSet::new())
            && (!enforced || self.step(&rule.clause, facts, bound) == Step::Enforce)
    }

    /// Whether a row that raises holds for the rule at this place, for what was read.
    pub(super) fn raises(&self, place: u32, demanding: View<'_>) -> bool {
        let first = self.rows.raise.partition_point(|row| row.rule < place);
        let rows = self.rows.raise.iter().skip(first).take_while(|row| row.rule == place);
        rows.into_iter().any(|row| all_hold(&row.tests, demanding))
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
        let changed = demands.iter().filter(|demand| demand.changed_at(step(&demand.rule.clause)));
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

    /// What neither rows nor exceptions cover; `None` where all is covered, or the posture does not speak about what is
    /// done.
    fn left_open(
        &self,
        demanding: View<'_>,
        relaxing: View<'_>,
        live: &[usize],
        used: &mut BTreeSet<usize>,
    ) -> Option<Bits> {
        if !self.fixed.posture_actions.holds(demanding) {
            return None;
        }
        let mut open = self.uncovered(demanding, relaxing);
        if self.nothing(&open) {
            return None;
        }
        if live.is_empty() {
            return Some(open);
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
        (!self.nothing(&open)).then_some(open)
    }

    /// Whether no bit of the data region is set.
    fn nothing(&self, bits: &Bits) -> bool {
        self.fixed.data_words.clone().all(|word| bits.word(word) == 0)
    }

    /// Whether an exception for a clause would cover all that is open.
    pub(super) fn covers(&self, clause: &Term, open: &Bits) -> bool {
        let mut left = open.clone();
        self.clause_cover(clause).iter().for_each(|piece| left.remove(*piece));
        self.nothing(&left)
    }

    /// What was found, `plain` included, and no row that applies covers.
    pub(super) fn uncovered(&self, demanding: View<'_>, relaxing: View<'_>) -> Bits {
        let found = demanding.set.both(&self.fixed.data);
        let mut open = found.clone();
        let index = &self.gates.foresee;
        for row in index.open.iter().filter_map(|row| self.rows.foresee.get(*row as usize)) {
            if open.meets(&row.cover) && all_hold(&row.tests, relaxing) {
                row.cover.iter().for_each(|piece| open.remove(*piece));
            }
        }
        for (gate, rows) in index.met(&found) {
            // The gate of these rows is what they cover: once it is covered the others behind it add nothing.
            let mut rows = rows.iter();
            while open.has_any(gate)
                && let Some(behind) = rows.next()
            {
                if behind.met(relaxing.possible())
                    && self.rows.foresee.get(behind.row as usize).is_some_and(|row| all_hold(&row.tests, relaxing))
                {
                    open.remove(gate);
                }
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

    fn demand<'a>(&'a self, hit: Hit, situation: &'a Situation<'_>, facts: &Facts, bound: Bound) -> Option<Demand<'a>> {
        let rule = self.rule_at(hit.rule)?;
        let selection = *self.selections.get(usize::try_from(hit.rule).ok()?)?;
        let mut demand = Demand {
            rule,
            effect: Effect::Allow,
            redact: Names::new(),
            unfulfillable: Names::new(),
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

    fn demand_of_read<'a>(
        &'a self,
        demand: &mut Demand<'a>,
        selection: Selection,
        situation: &'a Situation<'_>,
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
            demand.redact = selected(selection, situation, bound).collect();
            if unknown {
                let places = self.layout.class_places().zip(&self.layout.classes);
                demand
                    .redact
                    .extend(places.filter(|(place, _)| selection.names(Some(*place))).map(|(_, (name, _))| name));
                demand.redact.sort_unstable();
                demand.redact.dedup();
            }
            demand.unfulfillable =
                demand.redact.iter().copied().filter(|name| facts.unredactable.contains(*name)).collect();
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
        let closed = |demand: &Demand<'_>| demand.failed && step(&demand.rule.clause) == Step::Enforce;
        let stopped_by_default = ground.stopped_unread && !demands.iter().any(closed);
        let judged = demands.iter().filter_map(|demand| {
            let step = step(&demand.rule.clause);
            Some(Judged { demand, step, effect: demand.cause_effect(step)? })
        });
        let judged: SmallVec<[Judged<'_, '_>; 8]> = judged.collect();
        let fixed = stopped_by_default.then_some(Effect::Block).max(*posture);
        let strictest = judged.iter().filter(|judged| !judged.satisfied()).map(|judged| judged.effect).max();
        verdict.effect = fixed.max(strictest).unwrap_or(Effect::Allow);
        let deciding = judged.iter().filter(|judged| judged.strictest(verdict.effect) || judged.redacts()).count();
        verdict.decided.reserve_exact(deciding + 2 * usize::from(fixed.is_some()));
        verdict.applied.reserve_exact(judged.len() - deciding);
        if let Some(effect) = *posture {
            verdict.base = Base::Posture(effect);
            let list = if effect == verdict.effect { &mut verdict.decided } else { &mut verdict.applied };
            list.push(fixed_cause(POSTURE, effect));
        }
        if stopped_by_default {
            verdict.unreadable = true;
            verdict.decided.push(fixed_cause(UNREADABLE, Effect::Block));
        }
        let (mut redact, mut unfulfillable) = (Names::new(), Names::new());
        let mut restore: Option<Restore> = None;
        for judged in &judged {
            let (demand, strictest) = (judged.demand, judged.strictest(verdict.effect));
            if demand.satisfied {
                verdict.acknowledged.insert(demand.rule.clause.clone());
            }
            if judged.redacts() {
                redact.extend_from_slice(&demand.redact);
                unfulfillable.extend_from_slice(&demand.unfulfillable);
                restore = Some(restore.map_or(demand.rule.restore, |other| other.min(demand.rule.restore)));
            }
            verdict.ask_level |= demand.ask_level && judged.effect >= Effect::Justify;
            verdict.unreadable |= strictest && demand.unread;
            let list = if strictest || judged.redacts() { &mut verdict.decided } else { &mut verdict.applied };
            list.push(judged.cause());
        }
        verdict.unfulfillable = set(unfulfillable);
        redact.retain(|class| !verdict.unfulfillable.contains(*class));
        verdict.redact = set(redact);
        verdict.restore = restore.unwrap_or_default();
        // What no rule demands cannot be overridden.
        if verdict.effect == Effect::Block && fixed != Some(Effect::Block) {
            let stopping = judged.iter().filter(|judged| judged.strictest(Effect::Block));
            let mut granting = stopping.map(|judged| &judged.demand.rule.override_roles);
            let first = granting.next().into_iter().flatten();
            let by_all = first.filter(|role| granting.clone().all(|roles| roles.contains(*role)));
            verdict.override_roles = by_all.cloned().collect();
        }
        verdict
    }
}

/// A demand under the step of its clause, of which something is left.
struct Judged<'d, 'a> {
    demand: &'d Demand<'a>,
    step: Step,
    /// The effect of the cause that it becomes.
    effect: Effect,
}

impl Judged<'_, '_> {
    /// Whether it says only that a reason was given, and so raises nothing.
    fn satisfied(&self) -> bool {
        self.demand.satisfied && self.demand.effect == Effect::Allow && self.effect == Effect::Justify
    }

    /// Whether it is one of those that make the verdict's effect.
    fn strictest(&self, effect: Effect) -> bool {
        self.effect == effect && effect > Effect::Allow && !self.satisfied()
    }

    fn redacts(&self) -> bool {
        self.step == Step::Enforce && !self.demand.redact.is_empty()
    }

    fn cause(&self) -> Cause {
        Cause {
            clause: self.demand.rule.clause.clone(),
            rule: self.demand.rule.number,
            effect: self.effect,
            redact: if self.redacts() { set(self.demand.redact.iter().copied()) } else { BTreeSet::new() },
            severity: self.demand.rule.severity,
        }
    }
}

/// A set of a few names: one by one, as a set that is collected sorts in a list of its own.
fn set<'a>(names: impl IntoIterator<Item = &'a Term>) -> BTreeSet<Term> {
    let mut set = BTreeSet::new();
    for name in names {
        if !set.contains(name) {
            set.insert(name.clone());
        }
    }
    set
}

/// How rows that demand look at a situation, and how those do that relax.
pub(super) fn views<'a>(situation: &'a Situation<'_>, bound: Bound) -> (View<'a>, View<'a>) {
    match bound {
        Bound::Most => (situation.possible(), situation.certain()),
        Bound::Exact | Bound::Least => (situation.certain(), situation.possible()),
    }
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
