//! Rows, reference evaluator and diagrams agree (invariant POL-4), and a diagram that does not is noticed.

use std::collections::BTreeSet;

use writ_base::{ContentHash, Moment};
use writ_model::facts::{Facts, Groups};
use writ_model::{Category, Decision, Fact, Set, Term, Verdict};

use crate::eval::testing::{Seeded, Size, arbitrary, arbitrary_standing, situation, sized, tangled};
use crate::eval::{Policy, Standing, reference};

use super::forest::Diagram;
use super::{Diagrams, Live, Outcome, Raw, Side, World, usual_order};

/// Situations that the default run looks at. `WRIT_SITUATIONS` says another number.
fn situations() -> usize {
    let asked = std::env::var("WRIT_SITUATIONS").ok().and_then(|text| text.parse().ok());
    asked.unwrap_or(100_000)
}

const PER_POLICY: usize = 250;

/// A policy without sense, with what stands beside it.
fn policy(random: &mut Seeded, rules: usize) -> Policy {
    let model = arbitrary(random, rules);
    let standing = arbitrary_standing(random);
    Policy::compile(model, ContentHash::default()).unwrap().with_resolved(standing).unwrap()
}

/// What the diagrams say: effects, and redactions of what was found.
fn read(diagrams: &Diagrams<'_>, live: &Live, facts: &Facts) -> (u8, BTreeSet<Term>, u8, BTreeSet<Term>) {
    let point = diagrams.space.point(facts).unwrap();
    let at = |outcome: &Outcome| {
        let redacted = outcome.redacts.iter().filter(|(_, at)| diagrams.forest.at(**at, &point) > 0);
        (diagrams.forest.at(outcome.effect, &point), redacted.map(|(class, _)| class.clone()).collect())
    };
    let ((full, full_redacts), (enforced, enforced_redacts)) = (at(&live.full), at(&live.enforced));
    (full, full_redacts, enforced, enforced_redacts)
}

fn expected(decision: &Decision) -> (u8, BTreeSet<Term>, u8, BTreeSet<Term>) {
    let of = |verdict: &Verdict| (verdict.effect as u8, verdict.redact.clone());
    let ((full, full_redacts), (enforced, enforced_redacts)) = (of(&decision.full), of(&decision.enforced));
    (full, full_redacts, enforced, enforced_redacts)
}

/// The rules that apply where the diagrams say that they do not, or the other way round.
fn differing(diagrams: &Diagrams<'_>, policy: &Policy, facts: &Facts) -> String {
    let point = diagrams.space.point(facts).unwrap();
    let applied = crate::eval::explain(policy, facts).applied;
    let chart = diagrams.chart(0).unwrap();
    let rules = policy.model().rules.iter().zip(&chart.demands).filter(|(rule, demand)| {
        let applies = applied.iter().any(|it| (&it.clause, it.rule) == (&rule.clause, rule.number));
        applies != (diagrams.forest.at(demand.read, &point) + diagrams.forest.at(demand.unread, &point) > 0)
    });
    let unforeseen = diagrams.forest.at(chart.unforeseen, &point);
    format!("unforeseen {unforeseen}, rules {:#?}", rules.map(|(rule, _)| rule).collect::<Vec<_>>())
}

/// The situation as the world of diagrams has it: nothing was acknowledged yet, everything can be edited, no class is
/// unheard of, and a service that nobody could tell has no category.
fn in_the_world(mut facts: Facts, at: Moment) -> Facts {
    facts.acknowledged.clear();
    facts.unredactable.clear();
    facts.decided_at = at;
    if let Fact::Known(data) = &mut facts.data {
        data.retain(|class, _| class != "unheard-of");
    }
    if facts.service.known().is_some_and(|service| service.unknown()) {
        facts.category = Category::Unknown.into();
    }
    facts
}

#[test]
fn pol_4_diagrams_rows_and_reference_agree() {
    let mut largest = 0;
    for seed in 0..situations().div_ceil(PER_POLICY) as u64 {
        let mut random = Seeded::new(seed ^ 0xD1A6);
        let policy = policy(&mut random, 12);
        let mut diagrams = Diagrams::of(&[&policy], &World::default()).unwrap();
        let at = Moment::from_seconds(1_000 + i64::try_from(random.below(1_000)).unwrap());
        let live = diagrams.live(0, at).unwrap();
        largest = largest.max(diagrams.figures().nodes);
        for place in 0..PER_POLICY {
            let facts = in_the_world(situation(&mut random), at);
            let decision = policy.decide(&facts);
            assert_eq!(
                read(&diagrams, &live, &facts),
                expected(&decision),
                "seed {seed}\n{}\n{facts:#?}",
                differing(&diagrams, &policy, &facts)
            );
            // Each situation is looked at by three evaluators where that was asked for; the slow one takes most of the time.
            if place % 10 == 0 || std::env::var_os("WRIT_SITUATIONS").is_some() {
                let slow = reference::decide(policy.model(), policy.standing(), &facts);
                assert_eq!(decision, slow, "seed {seed}");
            }
        }
    }
    assert!(largest > 100, "the policies are too simple: {largest} nodes");
}

/// All points of a space.
fn every_point(widths: &[u16]) -> impl Iterator<Item = Vec<u16>> + '_ {
    let all: usize = widths.iter().map(|width| usize::from(*width)).product();
    (0..all).map(move |mut number| {
        let digit = |width: &u16| {
            let digit = number % usize::from(*width);
            number /= usize::from(*width);
            u16::try_from(digit).unwrap()
        };
        widths.iter().map(digit).collect()
    })
}

#[test]
fn pol_4_diagrams_agree_on_every_cell_of_small_policies() {
    let (mut policies, mut points, mut seed) = (0, 0, 0);
    while policies < 60 {
        seed += 1;
        let mut random = Seeded::new(seed ^ 0x5A11);
        let policy = policy(&mut random, 3);
        let widths = super::Space::of(&[&policy], &World::default(), usual_order).widths();
        if widths.iter().map(|width| f64::from(*width)).product::<f64>() > 2_000.0 {
            continue;
        }
        let mut diagrams = Diagrams::of(&[&policy], &World::default()).unwrap();
        policies += 1;
        let at = Moment::from_seconds(1_500);
        let live = diagrams.live(0, at).unwrap();
        let mut possible = 0.0;
        for point in every_point(&widths) {
            points += 1;
            let facts = diagrams.space.facts(&point, at);
            let decision = policy.decide(&facts);
            assert_eq!(read(&diagrams, &live, &facts), expected(&decision), "seed {seed}\n{facts:#?}");
            assert_eq!(decision, reference::decide(policy.model(), policy.standing(), &facts), "seed {seed}");
            possible += f64::from(diagrams.forest.at(diagrams.possible(), &point));
        }
        assert!((diagrams.points(diagrams.possible()) - possible).abs() < 0.5, "seed {seed}");
    }
    assert!(points > 10_000, "{points} points");
}

#[test]
fn values_of_one_atom_are_never_decided_apart() {
    let mut compared = 0;
    for seed in 0..400 {
        let mut random = Seeded::new(seed ^ 0xA70);
        let policy = policy(&mut random, 8);
        let diagrams = Diagrams::of(&[&policy], &World::default()).unwrap();
        let at = Moment::from_seconds(1_200);
        let facts = in_the_world(situation(&mut random), at);
        let point = diagrams.space.point(&facts).unwrap();
        let usual = diagrams.space.facts(&point, at);
        // The same point with its most ordinary values instead of those that the situation had.
        compared += usize::from(usual != facts);
        assert_eq!(expected(&policy.decide(&usual)), expected(&policy.decide(&facts)), "seed {seed}");
    }
    assert!(compared > 300);
}

#[test]
fn pol_4_a_corrupted_diagram_is_caught() {
    let (mut corrupted, mut caught) = (0, 0);
    for seed in 0..12 {
        let mut random = Seeded::new(seed ^ 0xBAD);
        let policy = policy(&mut random, 8);
        let at = Moment::from_seconds(1_200);
        for node in 0..4 {
            let mut diagrams = Diagrams::of(&[&policy], &World::default()).unwrap();
            let live = diagrams.live(0, at).unwrap();
            // A node on the way of some situation: one that no situation meets could not be noticed.
            let way = way(&diagrams, live.full.effect, &in_the_world(situation(&mut random), at));
            let Some((diagram, value)) = way.get(node).copied() else { continue };
            diagrams.forest.corrupt(diagram, value);
            corrupted += 1;
            let differs = (0..4_000).any(|_| {
                let facts = in_the_world(situation(&mut random), at);
                read(&diagrams, &live, &facts) != expected(&policy.decide(&facts))
            });
            caught += usize::from(differs);
        }
    }
    assert!(corrupted >= 20 && caught * 10 >= corrupted * 9, "{caught} of {corrupted}");
}

/// The nodes that a situation passes, with the value that it has at each.
fn way(diagrams: &Diagrams<'_>, diagram: Diagram, facts: &Facts) -> Vec<(Diagram, usize)> {
    let point = diagrams.space.point(facts).unwrap();
    let (mut way, mut at) = (Vec::new(), diagram);
    while let Some(variable) = diagrams.forest.variable(at) {
        let value = point[usize::from(variable)];
        way.push((at, usize::from(value)));
        at = diagrams.forest.child(at, variable, value);
    }
    way
}

#[test]
fn regions_are_the_set_and_no_region_is_idle() {
    for seed in 0..60 {
        let mut random = Seeded::new(seed ^ 0x4E6);
        let policy = policy(&mut random, 6);
        let mut diagrams = Diagrams::of(&[&policy], &World::default()).unwrap();
        let set = diagrams.at_least(0, Side::Text, writ_model::Effect::Block).unwrap();
        let regions = diagrams.regions(set, 200).unwrap();
        let mut all = Diagram::NEVER;
        for (region, inside) in &regions.regions {
            all = diagrams.either(all, *inside).unwrap();
            assert!(region.conditions.iter().all(|it| !it.inside.is_empty() && !it.outside.is_empty()), "{region:?}");
        }
        let possible = diagrams.possible();
        let covered = diagrams.both(all, possible).unwrap();
        if regions.rest < 0.5 {
            assert_eq!(covered, set, "seed {seed}");
        }
        let beyond = diagrams.without(covered, set).unwrap();
        assert!(!diagrams.any(beyond).unwrap(), "seed {seed}");
        for left_out in 0..regions.regions.len().min(20) {
            let mut others = Diagram::NEVER;
            for (_, inside) in
                regions.regions.iter().enumerate().filter(|(place, _)| *place != left_out).map(|(_, it)| it)
            {
                others = diagrams.either(others, *inside).unwrap();
            }
            let alone = diagrams.without(regions.regions[left_out].1, others).unwrap();
            assert!(diagrams.any(alone).unwrap(), "seed {seed}: region {left_out} says what others say");
        }
    }
}

#[test]
fn situations_of_a_set_are_in_it_and_ordinary() {
    for seed in 0..200 {
        let mut random = Seeded::new(seed ^ 0x0D);
        let policy = policy(&mut random, 6);
        let mut diagrams = Diagrams::of(&[&policy], &World::default()).unwrap();
        let at = Moment::from_seconds(1_200);
        for effect in writ_model::Effect::ALL {
            let set = diagrams.at_least(0, Side::Enforced(at), *effect).unwrap();
            let Some(facts) = diagrams.situation(set, at).unwrap() else { continue };
            assert!(policy.decide(&facts).enforced.effect >= *effect, "seed {seed}");
            assert_eq!(diagrams.contains(set, &facts), Some(true));
            if *effect == writ_model::Effect::Allow {
                // Nothing is asked: the situation has no surprise.
                assert_eq!(facts.group, Groups::Known(BTreeSet::new()).into());
                assert!(facts.data.known().unwrap().is_empty() && facts.unreadable == Set::EMPTY.into());
            }
        }
    }
}

#[test]
fn a_service_that_the_catalog_knows_has_its_category() {
    let source = "---\nwrit: 1\n---\n\n## 1 One {#one}\n\n```rule\nservice: claude\ncategory: agent\nthen: block\n```\n\n\
                  ```rule\ncategory: agent\nthen: coach\n```\n";
    let parsed = crate::parse(source);
    let policy = Policy::compile(parsed.model.unwrap(), parsed.hash).unwrap();
    let known = World { services: [(Term::fixed("claude"), Category::PublicChat)].into(), ..World::default() };
    for (world, possible) in [(World::default(), true), (known, false)] {
        let mut diagrams = Diagrams::of(&[&policy], &world).unwrap();
        let [first, second] = [0, 1].map(|rule| diagrams.chart(0).unwrap().demands[rule].read);
        // An unknown service is a risk: the rule speaks about it as well.
        let service = super::Subject::One(writ_model::Dimension::Service);
        let claude = diagrams.having(&service, |raw| *raw == Raw::Name(Term::fixed("claude"))).unwrap();
        assert_eq!(diagrams.both(first, claude).unwrap() != Diagram::NEVER, possible);
        assert!(!second.never());
    }
}

#[test]
fn a_policy_that_would_explode_is_told_which_clause_makes_it_grow() {
    let policy = Policy::compile(tangled(40, 1), ContentHash::default()).unwrap();
    let error = Diagrams::within(&[&policy], &World::default(), usual_order, 20_000).unwrap_err();
    assert_eq!(error.clause, "clause-1");
    assert!(error.to_string().contains("clause `clause-1` makes it grow most"), "{error}");
    // It runs all the same.
    let facts = in_the_world(situation(&mut Seeded::new(1)), Moment::from_seconds(1_200));
    assert_eq!(policy.decide(&facts), reference::decide(policy.model(), policy.standing(), &facts));
}

#[test]
fn many_groups_with_a_class_of_their_own_stay_small() {
    // Were all groups asked before all classes, every combination of sixty would have to be remembered.
    for (rules, names) in [(200, 30), (200, 60), (1_000, 30)] {
        let size = Size { rules, classes: names, groups: names };
        let policy = Policy::compile(sized(size, 1), ContentHash::default()).unwrap();
        let figures = Diagrams::of(&[&policy], &World::default()).unwrap().figures();
        assert!(figures.nodes < 5_000 && figures.made < 100_000, "{size:?}: {figures:?}");
    }
}

#[test]
fn a_recipe_repeats_the_diagrams() {
    let mut random = Seeded::new(5);
    let policy = policy(&mut random, 12);
    let (diagrams, recipe) = Diagrams::recorded(&[&policy], &World::default(), usual_order).unwrap();
    let again = recipe.again().unwrap();
    assert_eq!(again.figures(recipe.effect).made, diagrams.figures().made);
    for _ in 0..200 {
        let facts = in_the_world(situation(&mut random), Moment::from_seconds(1_200));
        let point = diagrams.space.point(&facts).unwrap();
        assert_eq!(again.at(recipe.effect, &point), diagrams.forest.at(recipe.effect, &point));
    }
}

#[test]
fn branches_lead_to_the_numbers() {
    let mut random = Seeded::new(3);
    let policy = policy(&mut random, 6).with_resolved(Standing::default()).unwrap();
    let mut diagrams = Diagrams::of(&[&policy], &World::default()).unwrap();
    let blocked = diagrams.at_least(0, Side::Text, writ_model::Effect::Block).unwrap();
    let by_status = |subject: &super::Subject| *subject == super::Subject::One(writ_model::Dimension::Status);
    let projected = diagrams.projected(blocked, by_status).unwrap();
    if let Some((variable, branches)) = diagrams.branches(projected) {
        assert!(by_status(&variable.subject));
        assert_eq!(branches.iter().map(|(raws, _)| raws.len()).sum::<usize>(), variable.raws.len());
        assert!(branches.iter().all(|(_, set)| *set == Diagram::ALWAYS || set.never()));
    }
    let here = diagrams.having(&super::Subject::One(writ_model::Dimension::Who), |raw| *raw == Raw::Closed(5)).unwrap();
    assert!(!diagrams.effects(0, Side::Text, here).unwrap().is_empty());
}
