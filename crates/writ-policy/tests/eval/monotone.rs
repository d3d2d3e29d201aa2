//! POL-1 and POL-2: total, without order, and never weakened by what does not foresee.

use writ_base::ContentHash;
use writ_model::facts::Found;
use writ_model::standing::POSTURE;
use writ_model::values::Step;
use writ_model::verdict::Base;
use writ_model::{Decision, Effect, Facts, Set, Signal, Term, Value, Verdict};
use writ_policy::eval::testing::{Seeded, arbitrary, arbitrary_rule, arbitrary_standing, situation};
use writ_policy::eval::{Policy, Standing, reference};
use writ_policy::rule::{KeyTest, Keys, PolicyModel};

use super::situations;

fn compiled(model: &PolicyModel, standing: &Standing) -> Policy {
    Policy::compile(model.clone(), ContentHash::default()).unwrap().with_resolved(standing.clone()).unwrap()
}

/// Whether one verdict is at least as strict as another: in effect, and in what it removes where both let it pass.
fn as_strict(one: &Verdict, other: &Verdict) -> bool {
    one.effect > other.effect
        || one.effect == other.effect && (one.effect == Effect::Block || one.redact.is_superset(&other.redact))
}

fn without_not(model: &mut PolicyModel, standing: &mut Standing) {
    let clear = |keys: &mut Keys| keys.tests.iter_mut().for_each(|test: &mut KeyTest| test.not = false);
    for rule in &mut model.rules {
        clear(&mut rule.keys);
        rule.unless.iter_mut().for_each(clear);
    }
    standing.exceptions.iter_mut().for_each(|exception| clear(&mut exception.keys));
}

#[test]
fn pol_1_any_facts_and_any_rules_give_a_verdict() {
    for seed in 0..situations() / 4 {
        let mut random = Seeded::new(seed ^ 0x707A1);
        let mut model = arbitrary(&mut random, 4);
        // Also what no parser would let through: values of other dimensions, no values, classes that nobody defined.
        for rule in &mut model.rules {
            if random.chance(30) {
                rule.keys.tests.iter_mut().for_each(|test| test.values.clear());
            }
            if random.chance(30) {
                let values = rule.keys.tests.first().map(|test| test.values.clone()).unwrap_or_default();
                rule.keys.tests.iter_mut().for_each(|test| test.values.clone_from(&values));
            }
        }
        if random.chance(20) {
            model.classes.clear();
        }
        let standing = Standing::default();
        let policy = compiled(&model, &standing);
        let facts = situation(&mut random);
        assert_eq!(
            policy.decide(&facts),
            reference::decide(&model, &standing, &facts),
            "seed {seed}\n{facts:#?}\n{model:#?}"
        );
        policy.decide(&Facts::default());
        policy.decide_staged(&Facts::default());
    }
}

#[test]
fn pol_2_order_never_matters() {
    let sorted = |mut decision: Decision| {
        for verdict in [&mut decision.enforced, &mut decision.full] {
            verdict.decided.sort();
            verdict.applied.sort();
            verdict.offers.sort();
        }
        decision
    };
    for seed in 0..situations() / 10 {
        let mut random = Seeded::new(seed ^ 0x0DE2);
        let model = arbitrary(&mut random, 10);
        let standing = arbitrary_standing(&mut random);
        let mut shuffled = model.clone();
        for place in (1..shuffled.rules.len()).rev() {
            let other = random.below(place + 1);
            shuffled.rules.swap(place, other);
        }
        let (one, other) = (compiled(&model, &standing), compiled(&shuffled, &standing));
        for _ in 0..4 {
            let facts = situation(&mut random);
            assert_eq!(sorted(one.decide(&facts)), sorted(other.decide(&facts)), "seed {seed}");
        }
    }
}

#[test]
fn pol_2_a_rule_that_does_not_foresee_never_weakens() {
    for seed in 0..situations() / 10 {
        let mut random = Seeded::new(seed ^ 0x2A15E);
        let model = arbitrary(&mut random, 8);
        let standing = arbitrary_standing(&mut random);
        let mut more = model.clone();
        let mut rule = arbitrary_rule(&mut random, 99);
        rule.foresees = false;
        // What `fail: open` says about unreadable content takes the place of the block that stands where no rule says
        // anything: the one way in which a rule that raises can weaken, and it says so itself.
        rule.fail_closed = true;
        more.rules.push(rule);
        let mut standing = standing;
        // An exception without `data` covers what its clause names, also what a new rule of that clause adds to it.
        standing.exceptions.clear();
        let (before, after) = (compiled(&model, &standing), compiled(&more, &standing));
        for _ in 0..4 {
            let facts = situation(&mut random);
            let (before, after) = (before.decide(&facts), after.decide(&facts));
            let context = || format!("seed {seed}\n{before:#?}\n{after:#?}\n{facts:#?}\n{more:#?}");
            assert!(as_strict(&after.full, &before.full), "{}", context());
            assert!(as_strict(&after.enforced, &before.enforced), "{}", context());
        }
    }
}

#[test]
fn pol_2_a_rule_that_foresees_weakens_only_what_the_posture_decided() {
    let mut weakened = 0;
    for seed in 0..situations() / 10 {
        let mut random = Seeded::new(seed ^ 0xF02E);
        let model = arbitrary(&mut random, 8);
        let mut more = model.clone();
        let mut rule = arbitrary_rule(&mut random, 99);
        rule.foresees = true;
        rule.fail_closed = true;
        more.rules.push(rule);
        let standing = Standing::default();
        let (before, after) = (compiled(&model, &standing), compiled(&more, &standing));
        for _ in 0..4 {
            let facts = situation(&mut random);
            let (before, after) = (before.decide(&facts).full, after.decide(&facts).full);
            if !as_strict(&after, &before) {
                weakened += 1;
                assert!(before.by_posture(), "seed {seed}\n{before:#?}\n{after:#?}\n{facts:#?}\n{more:#?}");
            }
        }
    }
    assert!(weakened > 0, "the generator never made a rule that foresees something new");
}

#[test]
fn pol_2_a_finding_or_signal_never_weakens_without_not() {
    for seed in 0..situations() / 4 {
        let mut random = Seeded::new(seed ^ 0xF1DD);
        let mut model = arbitrary(&mut random, 8);
        let mut standing = arbitrary_standing(&mut random);
        without_not(&mut model, &mut standing);
        let policy = compiled(&model, &standing);
        let facts = situation(&mut random);
        let mut more = facts.clone();
        if random.chance(50) {
            let mut classes = facts.data.known().unwrap().clone();
            let class = random.pick(&["contact", "pii", "phi", "credentials", "unheard-of"], "pii");
            let found = classes.entry(Term::fixed(class)).or_insert(Found { likely: 0, certain: 0 });
            found.likely = found.likely.max(found.certain) + 1 + u32::try_from(random.below(9)).unwrap();
            found.certain += u32::from(random.chance(50));
            more.data = classes.into();
        } else {
            let mut signals: Set<Signal> = *facts.signal.known().unwrap();
            signals.insert(random.pick(Signal::ALL, Signal::Unusual));
            more.signal = signals.into();
        }
        // A finding that is cleared is one that vetting allows: only rules that say `cleared: yes` care, and they may.
        let (before, after) = (policy.decide(&facts), policy.decide(&more));
        let context =
            || format!("seed {seed}\n{before:#?}\n{after:#?}\n{facts:#?}\n{more:#?}\n{model:#?}\n{standing:#?}");
        assert!(after.full.effect >= before.full.effect, "{}", context());
        assert!(after.enforced.effect >= before.enforced.effect, "{}", context());
    }
}

#[test]
fn the_rollout_is_never_above_the_clause() {
    let mut below = 0;
    for seed in 0..situations() / 10 {
        let mut random = Seeded::new(seed ^ 0x2011);
        let model = arbitrary(&mut random, 8);
        let standing = arbitrary_standing(&mut random);
        let policy = compiled(&model, &standing);
        for _ in 0..4 {
            let facts = situation(&mut random);
            let Decision { enforced, full } = policy.decide(&facts);
            // A redaction that is only coached about is a note: the one effect beside allow that may come from allow.
            let noted = enforced.effect == Effect::Coach && !full.redact.is_empty();
            assert!(enforced.effect <= full.effect || noted, "seed {seed}\n{enforced:#?}\n{full:#?}");
            assert!(enforced.redact.is_subset(&full.redact), "seed {seed}");
            below += usize::from(enforced != full);
            let mut observed = standing.clone();
            observed.rollout.retain(|entry| entry.step == Step::Observe && entry.clause != POSTURE);
            let all_enforced = Standing { rollout: Vec::new(), ..standing.clone() };
            let plain = compiled(&model, &all_enforced).decide(&facts);
            assert_eq!(plain.full, full, "the full verdict knows no roll-out");
            assert_eq!(plain.enforced, full);
        }
    }
    assert!(below > 0);
}

#[test]
fn an_exception_relaxes_only_its_own_clause() {
    let mut relaxed = 0;
    for seed in 0..situations() / 10 {
        let mut random = Seeded::new(seed ^ 0xE8C);
        let model = arbitrary(&mut random, 8);
        let mut standing = arbitrary_standing(&mut random);
        standing.rollout.clear();
        standing.exceptions.truncate(1);
        let Some(exception) = standing.exceptions.first().cloned() else { continue };
        let (without, with) = (compiled(&model, &Standing::default()), compiled(&model, &standing));
        let others = PolicyModel {
            rules: model
                .rules
                .iter()
                .filter(|rule| rule.clause != exception.grant.clause || !rule.raises())
                .cloned()
                .collect(),
            ..model.clone()
        };
        for _ in 0..4 {
            let facts = situation(&mut random);
            let (before, after) = (without.decide(&facts).full, with.decide(&facts).full);
            assert!(
                as_strict(&before, &after) || before.redact.is_superset(&after.redact) && before.effect >= after.effect,
                "seed {seed}"
            );
            if after.exceptions.is_empty() {
                // What an offer would lead to may rest on the exception.
                let (before, after) = (Verdict { offers: vec![], ..before }, Verdict { offers: vec![], ..after });
                assert_eq!(before, after, "seed {seed}: an exception that was not used changed something");
                continue;
            }
            relaxed += 1;
            assert_eq!(after.exceptions, [exception.grant.id]);
            // Whatever other clauses demand still holds.
            let unread = facts.unreadable.known().is_some_and(|reasons| !reasons.is_empty());
            if !unread {
                let demanded = compiled(&others, &Standing::default()).decide(&facts).full;
                let raised = demanded.decided.iter().chain(&demanded.applied).filter(|cause| cause.clause != POSTURE);
                let strictest = raised
                    .filter(|cause| !demanded.acknowledged.contains(&cause.clause))
                    .map(|cause| cause.effect)
                    .max();
                assert!(after.effect >= strictest.unwrap_or(Effect::Allow), "seed {seed}");
            }
            assert!(matches!(after.base, Base::Foreseen | Base::Posture(_)));
        }
    }
    assert!(relaxed > 0);
}
