//! The reference evaluator: follows POLICY.md section 4 to the letter, key by key and word by word, without rows, bits or
//! shortcuts. It is slow, and it is the oracle of everything that is fast (invariant POL-4).

use std::collections::BTreeSet;

use writ_model::facts::{Groups, Reading};
use writ_model::schema::{Dimension, Kind, Stage, Unknown, Values};
use writ_model::standing::{ExceptionId, POSTURE, Ring, RolloutEntry, RolloutId};
use writ_model::values::{Declared, Status, Step};
use writ_model::verdict::{Base, Cause, Offer, Restore};
use writ_model::{Action, Band, Certainty, Decision, Effect, Fact, Facts, Level, Term, Value, Verdict, Who};

use crate::rule::{ClassDefinition, KeyTest, KeyValue, Keys, PolicyModel, Rule};

use super::{Exception, Standing, UNREADABLE};

/// Judges a situation of which nothing is pending: both verdicts. A dimension that is pending has no value here.
pub fn decide(model: &PolicyModel, standing: &Standing, facts: &Facts) -> Decision {
    let judge = Judge { model, standing, facts, exempt: None };
    let mut decision = judge.decide();
    decision.enforced.offers = judge.offers(&decision.enforced, |decision| decision.enforced.effect);
    decision.full.offers = judge.offers(&decision.full, |decision| decision.full.effect);
    decision
}

struct Judge<'a> {
    model: &'a PolicyModel,
    standing: &'a Standing,
    facts: &'a Facts,
    /// A clause for which an exception is supposed, to see whether asking for one would help.
    exempt: Option<&'a Term>,
}

/// One thing that was found: so many values of a class, at least this certain.
#[derive(Clone, Debug)]
struct Claim {
    class: Term,
    band: Band,
    certainty: Certainty,
}

/// What one rule demands here, before the roll-out.
struct Demand<'a> {
    rule: &'a Rule,
    effect: Effect,
    redact: BTreeSet<Term>,
    unfulfillable: BTreeSet<Term>,
    ask_level: bool,
    satisfied: bool,
    failed: bool,
    unread: bool,
}

impl Demand<'_> {
    fn only_satisfied(&self) -> bool {
        self.satisfied && self.effect == Effect::Allow && self.redact.is_empty()
    }
}

impl<'a> Judge<'a> {
    fn decide(&self) -> Decision {
        let live: Vec<&Exception> = self.standing.exceptions.iter().filter(|e| self.applies(e)).collect();
        let mut used = BTreeSet::new();
        let foreseen = self.foreseen(&live, &mut used);
        let mut demands = Vec::new();
        for rule in self.model.rules.iter().filter(|rule| rule.raises()) {
            let (read, unread) = (self.raises(rule), self.raises_unread(rule) && rule.fail_closed);
            if !read && !unread {
                continue;
            }
            let exceptions: Vec<_> = live.iter().filter(|exception| exception.grant.clause == rule.clause).collect();
            used.extend(exceptions.iter().map(|exception| exception.grant.id));
            if exceptions.is_empty() && self.exempt != Some(&rule.clause) {
                demands.push(self.demand(rule, read, unread));
            }
        }
        let posture = (!foreseen).then(|| self.posture());
        let full = self.verdict(&demands, posture, &used, |_| Step::Enforce);
        let enforced_posture = posture.map(|effect| match self.step(&POSTURE) {
            Step::Observe => Effect::Allow,
            Step::Coach => effect.min(Effect::Coach),
            Step::Enforce => effect,
        });
        let mut enforced = self.verdict(&demands, enforced_posture, &used, |clause| self.step(clause));
        enforced.rollout = self.entries_used(&demands, enforced_posture != posture);
        Decision { enforced, full }
    }

    // What the situation holds.

    fn action(&self) -> Option<Action> {
        self.facts.action.known().copied()
    }

    fn definition(&self, class: &Term) -> ClassDefinition {
        let default = ClassDefinition { level: Level::Unstated, few: 2, bulk: 10 };
        self.model.classes.get(class).cloned().unwrap_or(default)
    }

    /// Classes found: those with a value.
    fn found(&self) -> BTreeSet<Term> {
        let classes = self.facts.data.known().into_iter().flatten();
        classes.filter(|(_, found)| found.likely.max(found.certain) > 0).map(|(class, _)| class.clone()).collect()
    }

    fn count(&self, class: &Term, certainty: Certainty) -> u32 {
        let found = self.facts.data.known().and_then(|classes| classes.get(class)).copied().unwrap_or_default();
        match certainty {
            Certainty::Likely => found.likely.max(found.certain),
            Certainty::Certain => found.certain,
        }
    }

    /// Whether at least this much of a class was found: the band counts distinct values of at least that certainty.
    fn at_least(&self, class: &Term, band: Band, certainty: Certainty) -> bool {
        self.definition(class).band(self.count(class, certainty)).is_some_and(|reached| reached >= band)
    }

    fn claims(&self) -> Vec<Claim> {
        let mut claims = Vec::new();
        for class in self.found() {
            for certainty in [Certainty::Likely, Certainty::Certain] {
                for band in Band::ALL.iter().copied().filter(|band| self.at_least(&class, *band, certainty)) {
                    claims.push(Claim { class: class.clone(), band, certainty });
                }
            }
        }
        claims
    }

    fn cleared(&self, class: &Term) -> bool {
        self.facts.cleared.known().is_some_and(|cleared| cleared.contains(class))
    }

    fn level(&self) -> Level {
        let stated = self.facts.level.known().copied().unwrap_or(Level::Unstated);
        let declared = self.facts.declared.known().map_or(Level::Unstated, |declared| Level::from(*declared));
        let classes = self.found().iter().map(|class| self.definition(class).level).max();
        stated.max(declared).max(classes.unwrap_or(Level::Unstated))
    }

    /// The values of a dimension other than `data` and `cleared`, by name.
    fn values(&self, dimension: Dimension) -> BTreeSet<String> {
        let unknown = || BTreeSet::from(["unknown".to_owned()]);
        if dimension == Dimension::Level {
            return BTreeSet::from([self.level().name().to_owned()]);
        }
        match self.facts.read(dimension) {
            Reading::Pending | Reading::Classes(_) => BTreeSet::new(),
            Reading::Closed(index) => value_names(dimension, |place| place == index),
            Reading::ClosedSet(bits) => value_names(dimension, |place| bits & (1 << place) != 0),
            Reading::Open(name) => BTreeSet::from([name.to_string()]),
            Reading::OpenSet(None) => unknown(),
            Reading::OpenSet(Some(names)) if names.contains("unknown") => unknown(),
            Reading::OpenSet(Some(names)) => names.iter().map(ToString::to_string).collect(),
        }
    }

    // How keys are read.

    /// A key in a rule that raises; not for `data`, `cleared` and `action`.
    fn raising_key(&self, key: &KeyTest) -> bool {
        let (present, listed) = (self.values(key.dimension), listed(key));
        if risk(key, &present, &listed) {
            return true;
        }
        match (key.not, key.dimension.spec().kind) {
            (true, _) => present.is_disjoint(&listed),
            (false, Kind::Ordered) => rank(key.dimension, &present).is_some_and(|rank| {
                listed.iter().filter_map(|name| place(key.dimension, name)).min().is_some_and(|least| rank >= least)
            }),
            (false, _) => !present.is_disjoint(&listed),
        }
    }

    /// A key in a rule that foresees, in `unless` and in an exception; not for `data` and `cleared`.
    fn foreseeing_key(&self, key: &KeyTest) -> bool {
        let (present, listed) = (self.values(key.dimension), listed(key));
        if risk(key, &present, &listed) {
            return false;
        }
        match (key.not, key.dimension) {
            (true, _) => present.is_disjoint(&listed),
            (false, Dimension::Signal | Dimension::Activity | Dimension::Unreadable) => present.is_subset(&listed),
            (false, dimension) if dimension.spec().kind == Kind::Ordered => rank(dimension, &present)
                .is_some_and(|rank| listed.iter().filter_map(|name| place(dimension, name)).max() >= Some(rank)),
            (false, _) => !present.is_disjoint(&listed),
        }
    }

    /// Whether a value of a `data` key is present.
    fn present(&self, value: &KeyValue) -> bool {
        match value {
            KeyValue::Plain | KeyValue::AnyClass => true,
            KeyValue::Class { class, band, certainty } => {
                self.at_least(class, band.unwrap_or(Band::One), certainty.unwrap_or(Certainty::Likely))
            }
            KeyValue::Closed(_) | KeyValue::Open(_) => false,
        }
    }

    /// A key of `unless` or of an exception: its `data` applies where nothing outside it was found.
    fn relaxing_key(&self, key: &KeyTest) -> bool {
        match key.dimension {
            Dimension::Data if key.not => !key.values.iter().any(|value| self.present(value)),
            Dimension::Data => self.claims().iter().all(|claim| key.values.iter().any(|value| covers(value, claim))),
            Dimension::Cleared => self.found().iter().all(|class| selects(key, self.cleared(class))),
            _ => self.foreseeing_key(key),
        }
    }

    /// The classes found that the keys of a rule select, for redaction and acknowledgement: whatever their band or
    /// certainty.
    fn selected(&self, rule: &Rule) -> BTreeSet<Term> {
        let (classes, clearance) = (data_values(&rule.keys), keys_on(&rule.keys, Dimension::Cleared));
        let all =
            classes.contains(&&KeyValue::AnyClass) || classes.is_empty() && (rule.redact || !clearance.is_empty());
        let named = |class: &Term| {
            all || classes.iter().any(|value| matches!(value, KeyValue::Class { class: listed, .. } if listed == class))
        };
        let allowed = |class: &Term| clearance.iter().all(|key| selects(key, self.cleared(class)));
        self.found().into_iter().filter(|class| named(class) && allowed(class)).collect()
    }

    // Which rules apply.

    fn raises(&self, rule: &Rule) -> bool {
        let others = |key: &KeyTest| match key.dimension {
            Dimension::Action | Dimension::Cleared => true,
            Dimension::Data => !key.not || !key.values.iter().any(|value| self.present(value)),
            _ => self.raising_key(key),
        };
        self.action().is_some_and(|action| speaks(&rule.keys, action, false))
            && rule.keys.tests.iter().all(others)
            && self.raising_data(&rule.keys)
            && !rule.unless.iter().any(|set| set.tests.iter().all(|key| self.relaxing_key(key)))
    }

    fn raising_data(&self, keys: &Keys) -> bool {
        let (classes, clearance) = (data_values(keys), keys_on(keys, Dimension::Cleared));
        let selected = |class: &Term| clearance.iter().all(|key| selects(key, self.cleared(class)));
        if clearance.is_empty() {
            return classes.is_empty() || classes.iter().any(|value| self.present(value));
        }
        if classes.is_empty() || classes.contains(&&KeyValue::AnyClass) {
            return self.found().iter().any(selected);
        }
        let class = |value: &KeyValue| match value {
            KeyValue::Class { class, .. } => selected(class),
            _ => false,
        };
        classes.iter().any(|value| self.present(value) && class(value))
    }

    /// Whether the row for content that could not be read applies, `unreadable` itself aside: the earlier keys of the
    /// rule, in the direction that it speaks about. A carve-out that asks what only the body tells does not apply.
    fn earlier_keys_hold(&self, rule: &Rule) -> bool {
        let body = |keys: &Keys| keys.tests.iter().any(|key| key.dimension.spec().stage == Stage::Body);
        let earlier = rule.keys.tests.iter().filter(|key| key.dimension.spec().stage < Stage::Body);
        let carved = |set: &&Keys| !body(set) && set.tests.iter().all(|key| self.relaxing_key(key));
        let direction = |action: Action| {
            Action::ALL.iter().any(|named| speaks(&rule.keys, *named, false) && direction(*named) == direction(action))
        };
        (body(&rule.keys) || rule.unless.iter().any(body))
            && earlier.into_iter().all(|key| self.raising_key(key))
            && self.action().is_some_and(direction)
            && !rule.unless.iter().any(|set| carved(&set))
    }

    fn unreadable(&self) -> bool {
        self.facts.unreadable.known().is_some_and(|reasons| !reasons.is_empty())
    }

    fn raises_unread(&self, rule: &Rule) -> bool {
        self.unreadable() && self.earlier_keys_hold(rule)
    }

    /// Whether there is unreadable content that no rule opens; answers are judged only by rules.
    fn unopened(&self) -> bool {
        let answer = matches!(self.action(), Some(Action::Receive | Action::ToolResult));
        let opens = |rule: &Rule| rule.raises() && !rule.fail_closed && self.earlier_keys_hold(rule);
        self.unreadable() && !answer && !self.model.rules.iter().any(opens)
    }

    /// Whether an exception is in force and its situation is this one.
    fn applies(&self, exception: &Exception) -> bool {
        let (grant, now) = (&exception.grant, self.facts.decided_at);
        grant.from <= now && now < grant.until && exception.keys.tests.iter().all(|key| self.relaxing_key(key))
    }

    // The base.

    /// Whether `plain` and every class found is covered by a row that foresees and applies, or by an exception.
    fn foreseen(&self, live: &[&Exception], used: &mut BTreeSet<ExceptionId>) -> bool {
        if !self.action().is_some_and(Action::has_posture) {
            return true;
        }
        let rules: Vec<&Rule> = self.model.rules.iter().filter(|rule| rule.foresees && self.foresees(rule)).collect();
        let plain = rules.iter().any(|rule| covers_plain(rule));
        let claims = self.claims();
        let open: Vec<&Claim> =
            claims.iter().filter(|claim| !rules.iter().any(|rule| self.rule_covers(rule, claim))).collect();
        if plain && open.is_empty() {
            return true;
        }
        let tunnel = self.action() == Some(Action::Tunnel);
        let covering = live.iter().filter(|exception| !tunnel || names_tunnel(&exception.keys));
        let covering: Vec<_> = covering.map(|exception| (exception.grant.id, self.covered_by(exception))).collect();
        for (id, values) in &covering {
            if !plain || open.iter().any(|claim| values.iter().any(|value| covers(value, claim))) {
                used.insert(*id);
            }
        }
        let exempt = self.exempt.map(|clause| self.named_by(clause));
        let plain = plain || !covering.is_empty() || exempt.is_some();
        let values: Vec<KeyValue> =
            covering.into_iter().flat_map(|(_, values)| values).chain(exempt.into_iter().flatten()).collect();
        plain && open.iter().all(|claim| values.iter().any(|value| covers(value, claim)))
    }

    fn foresees(&self, rule: &Rule) -> bool {
        let others = |key: &KeyTest| match key.dimension {
            Dimension::Action | Dimension::Cleared => true,
            Dimension::Data => !key.not || !key.values.iter().any(|value| self.present(value)),
            _ => self.foreseeing_key(key),
        };
        self.action().is_some_and(|action| speaks(&rule.keys, action, true)) && rule.keys.tests.iter().all(others)
    }

    fn rule_covers(&self, rule: &Rule, claim: &Claim) -> bool {
        let clearance = keys_on(&rule.keys, Dimension::Cleared);
        clearance.iter().all(|key| selects(key, self.cleared(&claim.class)))
            && data_values(&rule.keys).iter().any(|value| covers(value, claim))
    }

    /// The classes that an exception names, or else those that its clause names.
    fn covered_by(&self, exception: &Exception) -> Vec<KeyValue> {
        let own: Vec<KeyValue> = data_values(&exception.keys).into_iter().cloned().collect();
        if own.is_empty() { self.named_by(&exception.grant.clause) } else { own }
    }

    fn named_by(&self, clause: &Term) -> Vec<KeyValue> {
        let rules = self.model.rules.iter().filter(|rule| rule.clause == *clause);
        let whole = |value: &KeyValue| match value.clone() {
            KeyValue::Class { class, .. } => KeyValue::Class { class, band: None, certainty: None },
            other => other,
        };
        rules.flat_map(|rule| data_values(&rule.keys)).map(whole).collect()
    }

    fn posture(&self) -> Effect {
        let who = self.facts.who.known().copied().unwrap_or(Who::Unknown);
        self.model.postures.get(&who).copied().unwrap_or(Effect::Block)
    }

    // The verdict.

    fn demand(&self, rule: &'a Rule, read: bool, unread: bool) -> Demand<'a> {
        let selected = self.selected(rule);
        let redact: BTreeSet<Term> = if read && rule.redact { selected.clone() } else { BTreeSet::new() };
        let unfulfillable: BTreeSet<Term> = redact.intersection(&self.facts.unredactable).cloned().collect();
        let acknowledged = self.facts.acknowledged.iter().any(|given| {
            given.clause == rule.clause && self.facts.decided_at < given.until && selected.is_subset(&given.classes)
        });
        let satisfied = read && rule.then == Effect::Justify && acknowledged;
        let ask_level = read && rule.ask_level && self.facts.declared.known() == Some(&Declared::NotAsked);
        let mut effect = if read && !satisfied { rule.then } else { Effect::Allow };
        if ask_level {
            effect = effect.max(Effect::Justify);
        }
        if !unfulfillable.is_empty() {
            effect = Effect::Block;
        }
        let because_unread = unread && effect < Effect::Block;
        let effect = if unread { Effect::Block } else { effect };
        Demand { rule, effect, redact, unfulfillable, ask_level, satisfied, failed: unread, unread: because_unread }
    }

    /// The step of a clause: of the entries in force for this person the strictest; enforce where there is none.
    fn step(&self, clause: &Term) -> Step {
        let now = self.facts.decided_at;
        let entries = self.standing.rollout.iter().filter(|e| e.clause == *clause && e.from <= now && now < e.until);
        let entries: Vec<&RolloutEntry> = entries.collect();
        let with = |in_unknown_groups: bool| {
            let own = entries.iter().filter(|entry| self.in_ring(&entry.ring).unwrap_or(in_unknown_groups));
            own.map(|entry| entry.step).max().unwrap_or(Step::Enforce)
        };
        with(false).max(with(true))
    }

    /// The entries that bring a clause to its step, of each clause of which that step changes what it demands.
    fn entries_used(&self, demands: &[Demand<'_>], posture: bool) -> Vec<RolloutId> {
        let changes = |demand: &Demand<'_>| match self.step(&demand.rule.clause) {
            Step::Observe => demand.effect > Effect::Allow || !demand.redact.is_empty() || demand.satisfied,
            Step::Coach => !demand.redact.is_empty() || demand.effect > Effect::Coach,
            Step::Enforce => false,
        };
        let clauses = demands.iter().filter(|demand| changes(demand)).map(|demand| demand.rule.clause.clone());
        let clauses: BTreeSet<Term> = clauses.chain(posture.then_some(POSTURE)).collect();
        let now = self.facts.decided_at;
        let used = |entry: &&RolloutEntry| {
            clauses.contains(&entry.clause)
                && entry.from <= now
                && now < entry.until
                && self.in_ring(&entry.ring) != Some(false)
                && entry.step == self.step(&entry.clause)
        };
        self.standing.rollout.iter().filter(used).map(|entry| entry.id).collect()
    }

    /// Whether the person belongs to a ring; `None` if the directory cannot say.
    fn in_ring(&self, ring: &Ring) -> Option<bool> {
        match ring {
            Ring::Everyone => Some(true),
            Ring::Share(share) => Some(self.facts.share < *share),
            Ring::Group(group) => match &self.facts.group {
                Fact::Known(Groups::Known(groups)) if !groups.contains("unknown") => Some(groups.contains(group)),
                _ => None,
            },
        }
    }

    fn verdict(
        &self,
        demands: &[Demand<'_>],
        posture: Option<Effect>,
        used: &BTreeSet<ExceptionId>,
        step: impl Fn(&Term) -> Step,
    ) -> Verdict {
        // Without a row in force that fails closed, unreadable content that no rule opens is stopped by default.
        let closed = |demand: &Demand<'_>| demand.failed && step(&demand.rule.clause) == Step::Enforce;
        let stopped = self.unopened() && !demands.iter().any(closed);
        let stepped: Vec<(&Demand<'_>, Effect, BTreeSet<Term>)> = demands
            .iter()
            .filter_map(|demand| {
                let nothing = demand.effect == Effect::Allow && demand.redact.is_empty();
                match step(&demand.rule.clause) {
                    Step::Observe => None,
                    _ if demand.only_satisfied() => Some((demand, Effect::Allow, BTreeSet::new())),
                    _ if nothing => None,
                    Step::Coach => Some((demand, Effect::Coach, BTreeSet::new())),
                    Step::Enforce => Some((demand, demand.effect, demand.redact.clone())),
                }
            })
            .collect();
        let base = posture.unwrap_or(Effect::Allow);
        let unread = if stopped { Effect::Block } else { Effect::Allow };
        let effect = stepped.iter().map(|(_, effect, _)| *effect).fold(base.max(unread), Effect::max);

        let mut verdict = Verdict::allow();
        verdict.effect = effect;
        verdict.exceptions = used.iter().copied().collect();
        let fixed = |clause, effect| Cause { clause, rule: 0, effect, redact: BTreeSet::new(), severity: None };
        if let Some(posture) = posture {
            verdict.base = Base::Posture(posture);
            let list = if posture == effect { &mut verdict.decided } else { &mut verdict.applied };
            list.push(fixed(POSTURE, posture));
        }
        if stopped {
            verdict.decided.push(fixed(UNREADABLE, Effect::Block));
            verdict.unreadable = true;
        }
        for (demand, effect, redact) in &stepped {
            let satisfied = demand.only_satisfied();
            let strictest = *effect == verdict.effect && *effect > Effect::Allow;
            let list = if strictest || !redact.is_empty() { &mut verdict.decided } else { &mut verdict.applied };
            list.push(Cause {
                clause: demand.rule.clause.clone(),
                rule: demand.rule.number,
                effect: if satisfied { Effect::Justify } else { *effect },
                redact: redact.clone(),
                severity: demand.rule.severity,
            });
            verdict.unreadable |= strictest && demand.unread;
            verdict.ask_level |= demand.ask_level && *effect >= Effect::Justify;
            if demand.satisfied {
                verdict.acknowledged.insert(demand.rule.clause.clone());
            }
        }
        let redacting: Vec<_> = stepped.iter().filter(|(_, _, redact)| !redact.is_empty()).collect();
        verdict.unfulfillable = redacting.iter().flat_map(|(demand, _, _)| &demand.unfulfillable).cloned().collect();
        let redact = redacting.iter().flat_map(|(_, _, redact)| redact);
        verdict.redact = redact.filter(|class| !verdict.unfulfillable.contains(*class)).cloned().collect();
        verdict.restore = redacting.iter().map(|(demand, _, _)| demand.rule.restore).min().unwrap_or(Restore::Text);
        if effect == Effect::Block && posture != Some(Effect::Block) && !stopped {
            let blocks = stepped.iter().filter(|(_, effect, _)| *effect == Effect::Block);
            let roles: Vec<_> = blocks.map(|(demand, _, _)| &demand.rule.override_roles).collect();
            let all = roles.iter().copied().flatten().filter(|role| roles.iter().all(|roles| roles.contains(*role)));
            verdict.override_roles = all.cloned().collect();
        }
        verdict
    }

    /// The offers of the rules that decided a verdict whose verdict after taking them is below block.
    fn offers(&self, verdict: &Verdict, effect: impl Fn(&Decision) -> Effect) -> Vec<Offer> {
        let decided = |rule: &&Rule| verdict.decided.iter().any(|c| c.clause == rule.clause && c.rule == rule.number);
        let rules: Vec<&Rule> = self.model.rules.iter().filter(decided).collect();
        let offering = rules.iter().filter(|rule| rule.offers.contains(&Offer::Redact));
        let removed: BTreeSet<Term> = offering.flat_map(|rule| self.selected(rule)).collect();
        let after = |facts: &Facts, exempt: Option<&Term>| {
            effect(&Judge { model: self.model, standing: self.standing, facts, exempt }.decide())
        };
        let helps = |rule: &Rule, offer: &Offer| match offer {
            Offer::Object => true,
            Offer::Redirect(service) => self.facts.service.known() != Some(service),
            Offer::AskException => after(self.facts, Some(&rule.clause)) < Effect::Block,
            Offer::AskVetting => {
                let mut facts = self.facts.clone();
                facts.status = Status::Approved.into();
                facts.cleared = self
                    .facts
                    .cleared
                    .known()
                    .into_iter()
                    .flatten()
                    .cloned()
                    .chain(self.found())
                    .collect::<BTreeSet<_>>()
                    .into();
                after(&facts, None) < Effect::Block
            }
            Offer::Redact if removed.is_empty() || !removed.is_disjoint(&self.facts.unredactable) => false,
            Offer::Redact => {
                let mut facts = self.facts.clone();
                let left = self.facts.data.known().into_iter().flatten().filter(|(class, _)| !removed.contains(*class));
                facts.data = Fact::Known(left.map(|(class, found)| (class.clone(), *found)).collect());
                after(&facts, None) < Effect::Block
            }
        };
        let mut offers: Vec<Offer> = Vec::new();
        for rule in rules {
            for offer in &rule.offers {
                if !offers.contains(offer) && helps(rule, offer) {
                    offers.push(offer.clone());
                }
            }
        }
        offers
    }
}

/// Whether an unknown value decides how a key is read: it is a risk, and the key does not name it.
fn risk(key: &KeyTest, present: &BTreeSet<String>, listed: &BTreeSet<String>) -> bool {
    key.dimension.spec().unknown == Unknown::Risk && present.contains("unknown") && !listed.contains("unknown")
}

/// Whether a value of a `data` key, read as *at most*, covers what was found.
fn covers(value: &KeyValue, claim: &Claim) -> bool {
    match value {
        KeyValue::AnyClass => true,
        KeyValue::Class { class, band, certainty } => {
            *class == claim.class
                && band.is_none_or(|most| claim.band <= most)
                && certainty.is_none_or(|most| claim.certainty <= most)
        }
        KeyValue::Plain | KeyValue::Closed(_) | KeyValue::Open(_) => false,
    }
}

fn covers_plain(rule: &Rule) -> bool {
    let values = data_values(&rule.keys);
    values.is_empty() || values.iter().any(|value| matches!(value, KeyValue::Plain | KeyValue::AnyClass))
}

/// Whether a `cleared` key selects a class that is cleared, or is not.
fn selects(key: &KeyTest, cleared: bool) -> bool {
    key.values.contains(&KeyValue::Closed(u8::from(cleared))) != key.not
}

/// Whether a rule speaks about an action. Without the key: submit, upload and tool-call. `not` names nothing, so that it
/// never reaches answers, nor a tunnel in a rule that foresees.
fn speaks(keys: &Keys, action: Action, foresees: bool) -> bool {
    let asked = keys_on(keys, Dimension::Action);
    if asked.is_empty() {
        return matches!(action, Action::Submit | Action::Upload | Action::ToolCall);
    }
    let must_be_named = matches!(action, Action::Receive | Action::ToolResult) || foresees && action == Action::Tunnel;
    asked.iter().all(|key| {
        let listed = key.values.contains(&KeyValue::Closed(action.index()));
        if key.not { !listed && !must_be_named } else { listed }
    })
}

/// What is known of an action when the body could not be read.
fn direction(action: Action) -> u8 {
    match action {
        Action::Submit | Action::Upload | Action::ToolCall => 0,
        Action::Receive | Action::ToolResult => 1,
        Action::SignIn => 2,
        Action::Tunnel => 3,
        Action::Merge => 4,
    }
}

fn names_tunnel(keys: &Keys) -> bool {
    let tunnel = KeyValue::Closed(Action::Tunnel.index());
    keys_on(keys, Dimension::Action).iter().any(|key| !key.not && key.values.contains(&tunnel))
}

fn keys_on(keys: &Keys, dimension: Dimension) -> Vec<&KeyTest> {
    keys.tests.iter().filter(|key| key.dimension == dimension).collect()
}

fn data_values(keys: &Keys) -> Vec<&KeyValue> {
    keys_on(keys, Dimension::Data).into_iter().filter(|key| !key.not).flat_map(|key| &key.values).collect()
}

fn value_names(dimension: Dimension, held: impl Fn(u8) -> bool) -> BTreeSet<String> {
    let Values::Closed(values) = dimension.spec().values else { return BTreeSet::new() };
    (0u8..).zip(values).filter(|(place, _)| held(*place)).map(|(_, value)| value.name.to_owned()).collect()
}

fn listed(key: &KeyTest) -> BTreeSet<String> {
    let names = key.values.iter().flat_map(|value| match value {
        KeyValue::Closed(index) => value_names(key.dimension, |place| place == *index),
        KeyValue::Open(name) if matches!(key.dimension.spec().values, Values::Open(_)) => {
            BTreeSet::from([name.to_string()])
        }
        // A value of another kind names nothing here; the parser makes none.
        _ => BTreeSet::new(),
    });
    names.collect()
}

/// The place of a value on an ordered dimension, from the least to the greatest risk.
fn place(dimension: Dimension, name: &str) -> Option<usize> {
    let Values::Closed(values) = dimension.spec().values else { return None };
    values.iter().position(|value| value.name == name)
}

fn rank(dimension: Dimension, present: &BTreeSet<String>) -> Option<usize> {
    present.iter().find_map(|name| place(dimension, name))
}
