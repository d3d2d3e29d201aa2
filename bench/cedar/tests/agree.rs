//! Somebody else's engine says the same: what Cedar allows of an exported policy is what Writ lets pass.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use writ_base::ContentHash;
use writ_catalog::Catalog;
use writ_cedar::Peer;
use writ_model::{Effect, Facts};
use writ_policy::check::parse_with;
use writ_policy::eval::Policy;
use writ_policy::eval::testing::{Seeded, arbitrary, arbitrary_standing, situation, synthetic};
use writ_policy::words::Names;

const GENERAL: &str = include_str!("../../../catalog/policies/general.md");

fn lets_pass(policy: &Policy, facts: &Facts) -> bool {
    policy.decide(facts).full.effect < Effect::Block
}

fn general() -> Policy {
    let services = Catalog::builtin().services().iter().map(|service| service.id.clone()).collect();
    let parsed = parse_with(GENERAL, Names { services, ..Names::default() });
    Policy::compile(parsed.model.unwrap(), parsed.hash).unwrap()
}

/// Situations, and how many of them Cedar allows and refuses.
fn agree(policy: &Policy, random: &mut Seeded, situations: usize, name: &str) -> [usize; 2] {
    let peer = Peer::of(policy).unwrap();
    let mut counts = [0, 0];
    for place in 0..situations {
        let facts = situation(random);
        let (ours, theirs) = (lets_pass(policy, &facts), peer.allows(&facts).unwrap());
        assert_eq!(ours, theirs, "{name}, situation {place}: Writ says {ours}, Cedar says {theirs}\n{facts:#?}");
        counts[usize::from(theirs)] += 1;
    }
    counts
}

#[test]
fn on_random_policies_with_exceptions() {
    let mut counts = [0, 0];
    for seed in 0..if cfg!(debug_assertions) { 60 } else { 600 } {
        let mut random = Seeded::new(seed);
        let policy = Policy::compile(arbitrary(&mut random, 10), ContentHash::default()).unwrap();
        let policy = policy.with_resolved(arbitrary_standing(&mut random)).unwrap();
        let [refused, allowed] = agree(&policy, &mut random, 40, &format!("seed {seed}"));
        counts = [counts[0] + refused, counts[1] + allowed];
    }
    assert!(counts[0] > 100 && counts[1] > 100, "both answers are common: {counts:?}");
}

#[test]
fn on_the_general_policy() {
    let policy = general();
    let [refused, allowed] = agree(&policy, &mut Seeded::new(11), 1_500, "general");
    assert!(refused > 100 && allowed > 10, "{refused} refused, {allowed} allowed");
}

#[test]
fn a_changed_rule_is_noticed() {
    let (sound, peer) = (general(), Peer::of(&general()).unwrap());
    let mut model = sound.model().clone();
    for rule in model.rules.iter_mut().filter(|rule| rule.then == Effect::Block).take(5) {
        rule.then = Effect::Coach;
    }
    let changed = Policy::compile(model, ContentHash::default()).unwrap();
    let mut random = Seeded::new(5);
    let differs = (0..3_000).any(|_| {
        let facts = situation(&mut random);
        lets_pass(&changed, &facts) != peer.allows(&facts).unwrap()
    });
    assert!(differs, "five rules less make no difference to 3,000 situations");
}

#[test]
fn the_policies_fit_their_schema() {
    let general = general();
    Peer::of(&general).unwrap().validate(&general).unwrap();
    let synthetic = Policy::compile(synthetic(200, 1), ContentHash::default()).unwrap();
    Peer::of(&synthetic).unwrap().validate(&synthetic).unwrap();
    let mut random = Seeded::new(3);
    let policy = Policy::compile(arbitrary(&mut random, 10), ContentHash::default()).unwrap();
    let policy = policy.with_resolved(arbitrary_standing(&mut random)).unwrap();
    Peer::of(&policy).unwrap().validate(&policy).unwrap();
}
