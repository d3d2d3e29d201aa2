//! A verdict in plain words, and what would change it.

use std::collections::BTreeMap;

use writ_base::{ContentHash, Moment};
use writ_catalog::{Catalog, OrganisationServices};
use writ_detect::Pack;
use writ_engine::Snapshot;
use writ_engine::why::{View, Why};
use writ_model::facts::{Found, Groups};
use writ_model::standing::{ExceptionGrant, ExceptionId, Ring, RolloutEntry, RolloutId};
use writ_model::values::Step;
use writ_model::{Account, Category, Effect, Facts, Identity, Status, Term, Who};
use writ_policy::eval::Policy;
use writ_policy::eval::testing::{Seeded, arbitrary, arbitrary_standing, situation};

use crate::bench::{POLICY, SERVICES};

fn policy() -> Policy {
    let parsed = writ_policy::parse(POLICY);
    Policy::compile(parsed.model.unwrap(), parsed.hash).unwrap()
}

fn snapshot(policy: Policy) -> Snapshot {
    let organisation = OrganisationServices::load(&[SERVICES]).unwrap();
    Snapshot::new(policy, Catalog::builtin().with_organisation(organisation).unwrap(), Pack::builtin())
}

/// An employee at a chat that nobody checked.
fn facts(classes: &[&'static str]) -> Facts {
    let found = Found { likely: 1, certain: 1 };
    Facts {
        who: Who::Employee.into(),
        identity: Identity::Password.into(),
        service: Term::fixed("chatgpt").into(),
        category: Category::PublicChat.into(),
        status: Status::Discovered.into(),
        account: Account::Corporate.into(),
        group: Groups::Known([Term::fixed("research")].into()).into(),
        data: classes.iter().map(|class| (Term::fixed(class), found)).collect::<BTreeMap<_, _>>().into(),
        decided_at: Moment::from_seconds(1_000),
        ..Facts::default()
    }
    .completed()
}

fn said(why: &Why) -> Vec<&str> {
    why.ways.iter().map(|way| way.said.as_str()).collect()
}

#[test]
fn a_stop_is_explained_and_the_smallest_changes_are_named() {
    let why = snapshot(policy()).why(&facts(&["phi"]), View::Everything);
    assert_eq!(why.outcome, "It is stopped.");
    assert!(why.situation.starts_with("An employee sends a prompt to ChatGPT (plan unknown, not checked yet), with"));
    assert!(why.situation.ends_with("It contains health information (1)."), "{}", why.situation);
    let [reason] = &why.decided[..] else { panic!("{why:#?}") };
    assert_eq!((reason.name.as_str(), reason.does.as_str()), ("1 Data", "stops it"));
    assert!(reason.because.contains(&"it contains health information".to_owned()), "{reason:?}");
    assert!(reason.because.contains(&"the tool is not checked yet".to_owned()), "{reason:?}");
    assert_eq!(reason.why.as_deref(), Some("what leaves for an AI service must fit what it was vetted for."));
    assert_eq!(why.base, "The policy foresees this (1 Data), so the posture adds nothing.");
    assert_eq!(
        said(&why),
        [
            "In OpenAI API it would be allowed, with health information taken out.",
            "Without the health information it would go through with a note.",
            "With an exception from 1 Data it would be allowed.",
            "If the organisation approved this tool it would be allowed, with health information taken out.",
        ]
    );
}

#[test]
fn two_changes_are_named_where_one_is_not_enough() {
    let why = snapshot(policy()).why(&facts(&["credentials", "phi"]), View::Everything);
    assert_eq!(why.decided.len(), 2);
    let first = "Without the credentials and without the health information it would go through with a note.";
    assert!(said(&why).contains(&first), "{:#?}", said(&why));
    assert!(why.ways.iter().all(|way| way.changes.len() == 2 && way.effect < Effect::Block));
    assert!(why.ways.len() <= 5);
}

#[test]
fn of_what_is_allowed_it_says_what_keeps_it_so() {
    let mut allowed = facts(&[]);
    allowed.status = Status::Approved.into();
    let why = snapshot(policy()).why(&allowed, View::Everything);
    assert_eq!(why.outcome, "It is allowed.");
    assert!(said(&why).contains(&"If it contained credentials it would be stopped."), "{:#?}", said(&why));
    assert!(said(&why).contains(&"If nobody had checked this tool it would go through with a note."));
}

#[test]
fn exceptions_and_the_roll_out_are_named_with_what_they_changed() {
    let (from, until) = (Moment::from_seconds(0), Moment::from_seconds(200_000));
    let exception = ExceptionGrant {
        id: ExceptionId::from_bytes([1; 16]),
        clause: Term::fixed("data"),
        keys: [("group".to_owned(), "research".to_owned())].into(),
        owner: "o".to_owned(),
        reason: "r".to_owned(),
        compensating_control: "c".to_owned(),
        approved_by: "a".to_owned(),
        from,
        until,
    };
    let entry = RolloutEntry {
        id: RolloutId::from_bytes([2; 16]),
        clause: Term::fixed("credentials"),
        ring: Ring::Group(Term::fixed("research")),
        step: Step::Coach,
        from,
        until,
        approved_by: "a".to_owned(),
    };
    let snapshot = snapshot(policy().with_standing(vec![exception], vec![entry]).unwrap());
    let why = snapshot.why(&facts(&["phi", "credentials"]), View::Everything);
    assert_eq!(why.outcome, "It goes through with a note.");
    assert_eq!(why.without_rollout.as_deref(), Some("it is stopped"));
    assert!(why.exceptions[0].contains("from 1 Data is in force until 1970-01-03"), "{:?}", why.exceptions);
    assert!(why.rollout[0].starts_with("2 Credentials only adds a note for the group research until 1970-01-03"));
    assert!(why.held.iter().any(|reason| reason.does == "is set aside by an exception"), "{:#?}", why.held);
    let reviewer = snapshot.why(&facts(&["phi", "credentials"]), View::WithoutPerson);
    assert!(!format!("{reviewer:?}").contains("research"), "{reviewer:#?}");
}

#[test]
fn ways_lead_to_another_verdict_and_are_the_same_each_time() {
    let mut ways = 0;
    for seed in 0..40 {
        let mut random = Seeded::new(seed);
        let policy = Policy::compile(arbitrary(&mut random, 10), ContentHash::default()).unwrap();
        let snapshot = snapshot(policy.with_resolved(arbitrary_standing(&mut random)).unwrap());
        for _ in 0..5 {
            let facts = situation(&mut random);
            let why = snapshot.why(&facts, View::Everything);
            assert_eq!(why, snapshot.why(&facts, View::Everything));
            let present = snapshot.policy.decide(&facts).enforced;
            let strictness = (present.effect, present.redact.len());
            for way in &why.ways {
                let then = (way.effect, way.redact.len());
                let better = if strictness == (Effect::Allow, 0) { then > strictness } else { then < strictness };
                assert!(better, "seed {seed}: from {strictness:?} to {way:?}");
                assert!(way.said.ends_with('.') && (1..=2).contains(&way.changes.len()) || way.said.starts_with("In "));
            }
            ways += why.ways.len();
        }
    }
    assert!(ways > 100, "{ways} ways");
}
