//! What stands beside the policy: every difference that it makes names its entry, and the roll-out only lowers.

use std::collections::BTreeSet;

use writ_base::{ContentHash, Moment};
use writ_model::standing::POSTURE;
use writ_model::verdict::{Base, Cause};
use writ_model::{Decision, Effect, Facts, Term, Verdict};
use writ_policy::eval::testing::{Seeded, arbitrary, arbitrary_standing, situation};
use writ_policy::eval::{Policy, Standing, UNREADABLE};

use super::situations;

/// A history: objects are made, changed and taken back, at most so many at a time.
struct History {
    standing: Standing,
    gone: BTreeSet<String>,
}

impl History {
    /// One more act: somebody grants, sets, withdraws or removes.
    fn act(&mut self, random: &mut Seeded) {
        let mut made = arbitrary_standing(random);
        if random.chance(60) {
            self.standing.exceptions.extend(made.exceptions.pop());
        }
        if random.chance(60) {
            self.standing.rollout.extend(made.rollout.pop());
        }
        if random.chance(30) && !self.standing.exceptions.is_empty() {
            let place = random.below(self.standing.exceptions.len());
            self.gone.insert(self.standing.exceptions.remove(place).grant.id.to_string());
        }
        if random.chance(30) && !self.standing.rollout.is_empty() {
            let place = random.below(self.standing.rollout.len());
            self.gone.insert(self.standing.rollout.remove(place).id.to_string());
        }
        self.standing.exceptions.sort_by_key(|exception| exception.grant.id);
        self.standing.rollout.sort_by_key(|entry| entry.id);
    }
}

/// A verdict without the names of what stands beside it. What a person may choose is judged over other situations, in
/// which other objects count.
fn bare(verdict: &Verdict) -> Verdict {
    Verdict { exceptions: Vec::new(), rollout: Vec::new(), offers: Vec::new(), ..verdict.clone() }
}

fn causes(verdict: &Verdict) -> Vec<&Cause> {
    verdict.decided.iter().chain(&verdict.applied).collect()
}

/// The clauses of causes that only one of two verdicts has.
fn differing(one: &Verdict, other: &Verdict) -> BTreeSet<Term> {
    let (one, other) = (causes(one), causes(other));
    let only = |these: &[&Cause], those: &[&Cause]| -> Vec<Term> {
        these.iter().filter(|cause| !those.contains(cause)).map(|cause| cause.clause.clone()).collect()
    };
    only(&one, &other).into_iter().chain(only(&other, &one)).collect()
}

struct Case<'a> {
    bare: &'a Policy,
    standing: &'a Standing,
    facts: &'a Facts,
}

impl Case<'_> {
    fn with(&self, standing: Standing) -> Decision {
        self.bare.with_resolved(standing).unwrap().decide(self.facts)
    }

    fn check(&self, gone: &BTreeSet<String>) {
        let decision = self.with(self.standing.clone());
        self.exceptions_are_named(&decision, gone);
        self.entries_are_named(&decision, gone);
        self.roll_out_only_lowers(&decision);
    }

    fn exceptions_are_named(&self, decision: &Decision, gone: &BTreeSet<String>) {
        let full = &decision.full;
        assert!(full.exceptions.iter().all(|id| !gone.contains(&id.to_string())), "a withdrawn exception is named");
        let named = |standing: &Standing| -> Standing {
            let exceptions = standing.exceptions.iter().filter(|it| full.exceptions.contains(&it.grant.id));
            Standing { exceptions: exceptions.cloned().collect(), rollout: Vec::new() }
        };
        let only_named = self.with(named(self.standing)).full;
        assert_eq!(bare(&only_named), bare(full), "an exception that is not named makes a difference");
        let without = self.bare.decide(self.facts).full;
        let clauses: BTreeSet<Term> =
            named(self.standing).exceptions.iter().map(|exception| exception.grant.clause.clone()).collect();
        for clause in differing(&without, full) {
            let by_cover = (clause == POSTURE || clause == UNREADABLE) && !clauses.is_empty();
            assert!(by_cover || clauses.contains(&clause), "nothing named changes clause {clause}");
        }
    }

    fn entries_are_named(&self, decision: &Decision, gone: &BTreeSet<String>) {
        let Decision { enforced, full } = decision;
        assert!(full.rollout.is_empty(), "a full verdict names no roll-out");
        assert!(enforced.rollout.iter().all(|id| !gone.contains(&id.to_string())), "a removed entry is named");
        let named = self.standing.rollout.iter().filter(|entry| enforced.rollout.contains(&entry.id));
        let named: Vec<_> = named.cloned().collect();
        let clauses: BTreeSet<&Term> = named.iter().map(|entry| &entry.clause).collect();
        let differing = differing(enforced, full);
        for clause in differing.iter().filter(|clause| **clause != UNREADABLE) {
            assert!(clauses.contains(clause), "nothing named changes clause {clause}");
        }
        for clause in clauses {
            assert!(differing.contains(clause), "the entry named for clause {clause} changes nothing");
        }
        let only_named = self.with(Standing { rollout: named.clone(), ..self.standing.clone() });
        assert_eq!(bare(&only_named.enforced), bare(enforced), "an entry that is not named makes a difference");
        if named.is_empty() {
            assert_eq!(bare(enforced), bare(full), "a difference without an entry");
        }
    }

    /// Below what the clauses say: coach stands below justify, block and redact.
    fn roll_out_only_lowers(&self, decision: &Decision) {
        let Decision { enforced, full } = decision;
        let redacts =
            if full.redact.is_empty() && full.unfulfillable.is_empty() { Effect::Allow } else { Effect::Coach };
        assert!(enforced.effect <= full.effect.max(redacts), "stricter than the clauses say");
        assert!(enforced.redact.is_subset(&full.redact), "more is removed than the clauses say");
        assert!(!enforced.ask_level || full.ask_level);
        let effect = |base: Base| match base {
            Base::Foreseen => Effect::Allow,
            Base::Posture(effect) => effect,
        };
        assert!(effect(enforced.base) <= effect(full.base));
        for cause in causes(enforced).into_iter().filter(|cause| cause.clause != UNREADABLE) {
            let same = |other: &&&Cause| (other.rule, &other.clause) == (cause.rule, &cause.clause);
            let said = causes(full);
            let said = said.iter().find(same).expect("a cause that the full verdict does not have");
            let below_redact = cause.effect == Effect::Coach && !said.redact.is_empty();
            assert!(cause.effect <= said.effect || below_redact, "{cause:?} is stricter than {said:?}");
            assert!(cause.redact.is_subset(&said.redact));
        }
    }
}

#[test]
fn every_difference_names_its_entry_and_the_roll_out_only_lowers() {
    let (acts, moments) = (6, 3);
    for seed in 0..situations() / 30 {
        let mut random = Seeded::new(seed);
        let policy = Policy::compile(arbitrary(&mut random, 10), ContentHash::default()).unwrap();
        let mut history = History { standing: Standing::default(), gone: BTreeSet::new() };
        for _ in 0..acts {
            history.act(&mut random);
            for _ in 0..moments {
                let mut facts = situation(&mut random);
                facts.decided_at = Moment::from_seconds(i64::try_from(random.below(3_500)).unwrap());
                Case { bare: &policy, standing: &history.standing, facts: &facts }.check(&history.gone);
            }
        }
    }
}

#[test]
fn what_has_ended_or_not_begun_changes_nothing() {
    for seed in 0..situations() / 200 {
        let mut random = Seeded::new(seed);
        let policy = Policy::compile(arbitrary(&mut random, 10), ContentHash::default()).unwrap();
        let mut history = History { standing: Standing::default(), gone: BTreeSet::new() };
        (0..4).for_each(|_| history.act(&mut random));
        let with = policy.with_resolved(history.standing).unwrap();
        for at in [-1, 4_000] {
            let mut facts = situation(&mut random);
            facts.decided_at = Moment::from_seconds(at);
            assert_eq!(with.decide(&facts), policy.decide(&facts), "seed {seed} at {at}");
        }
    }
}
