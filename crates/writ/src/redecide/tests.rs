//! Records are decided again; one that was changed is noticed, one that cannot be decided is never taken for equal.

use std::collections::BTreeSet;
use std::sync::Arc;

use tempfile::TempDir;
use writ_base::{Moment, Sensitive};
use writ_engine::NewDecision;
use writ_model::facts::Found;
use writ_model::interaction::PrincipalId;
use writ_model::record::{Regardless, SnapshotHashes};
use writ_model::standing::{ExceptionGrant, ExceptionId, Ring, RolloutEntry, RolloutId};
use writ_model::values::Step;
use writ_model::{
    Account, Action, Category, Channel, Direction, Effect, Fact, Identity, Set, Signal, Status, Term, Unreadable, Who,
};
use writ_policy::eval::testing::{Seeded, situation};
use writ_proxy::recorder::Recorder;
use writ_store::ledger::LedgerReader;
use writ_store::personal::new_reveal_key;
use writ_store::state::{Kept, Login};
use writ_store::storage::FileStorage;

use super::*;
use crate::door::tests::{POLICY, folder};
use crate::wiring::Home;

/// A data directory with a policy that ran, and somebody who was recorded.
struct World {
    _folder: TempDir,
    home: Home,
    recorder: Recorder,
    policy: Policy,
    hashes: SnapshotHashes,
    person: PrincipalId,
}

const SECONDS: i64 = 1_500;

impl World {
    async fn new() -> Self {
        let (folder, config) = folder("a");
        let home = Home::open(&config).await.unwrap();
        let (public, _) = new_reveal_key(2, &*home.randomness).unwrap();
        home.keys.add_reveal(public, &home.ledger, home.clock.now(), &*home.randomness).await.unwrap();
        let login = Login { source: "login".to_owned(), name: Sensitive::new("ana".to_owned()) };
        let named = Sensitive::new("Ana".to_owned());
        let person = home.state.identify(&login, "employee", &named, &home.ledger).await.unwrap().principal;
        let policy = policy();
        let hash = |text: &str| ContentHash::of(text.as_bytes());
        let hashes = SnapshotHashes {
            policy: policy.text_hash(),
            rows: policy.rows_hash(),
            standing: policy.standing_hash(),
            catalog: hash("catalog"),
            detection: hash("detection"),
        };
        home.state.keep_text(Kept::PolicyText, hashes.policy, POLICY).await.unwrap();
        let beside = serde_json::to_string(&policy.standing().objects()).unwrap();
        home.state.keep_text(Kept::Standing, hashes.standing, &beside).await.unwrap();
        let recorder = Recorder::new(home.ledger.clone(), Arc::clone(&home.state), Arc::clone(&home.randomness));
        Self { _folder: folder, home, recorder, policy, hashes, person }
    }

    /// A record as the engine writes it.
    fn record(&self, facts: Facts, regardless: Option<Regardless>) -> NewDecision {
        let interaction = InteractionId::new(self.home.clock.now(), &*self.home.randomness);
        let early = facts.settled() != Some(Stage::Body);
        let mut decision = match self.policy.decide_staged(&facts) {
            Staged::EarlyBlock(decision) if early => decision,
            _ => self.policy.decide(&facts),
        };
        if let Some(regardless) = regardless {
            regardless.apply(&mut decision);
        }
        let Decision { enforced, full } = &decision;
        let skeleton = DecisionSkeleton {
            interaction,
            direction: Direction::Prompt,
            hour: Moment::from_seconds(0),
            service: Term::fixed("chatgpt"),
            category: Category::PublicChat,
            tier: Term::UNKNOWN,
            status: Status::Approved,
            account: Account::Corporate,
            who: Who::Employee,
            identity: Identity::Password,
            action: Action::Submit,
            channel: Channel::Api,
            format: None,
            classes: Vec::new(),
            signals: Vec::new(),
            unreadable: Vec::new(),
            enforced: enforced.effect,
            full: full.effect,
            decided: enforced.decided.clone(),
            decided_full: if full.decided == enforced.decided { Vec::new() } else { full.decided.clone() },
            exceptions: enforced.exceptions.clone(),
            rollout: enforced.rollout.clone(),
            decided_at: "body".to_owned(),
            snapshot: self.hashes,
            reference: None,
            read_in_full: true,
            unread: None,
            regardless,
            by_choice: BTreeSet::new(),
        };
        let personal = DecisionPersonal {
            principal: self.person,
            on_behalf_of: None,
            facts,
            decision,
            conversation: None,
            account_name: None,
            address: None,
            host: None,
            model: None,
            client: None,
            justification: None,
            digests: BTreeSet::new(),
        };
        NewDecision { skeleton, personal: Some(personal) }
    }

    async fn write(&self, new: NewDecision) {
        assert!(self.recorder.decision(new, self.home.clock.now()).await);
    }

    async fn again(&self) -> Redecided {
        let storage = Arc::new(FileStorage::new(&self.home.directory.ledger()).unwrap());
        Redecider::new(&self.home.state).all(LedgerReader::new(storage, 0)).await.unwrap()
    }
}

/// The policy with an exception and a roll-out in force.
fn policy() -> Policy {
    let parsed = writ_policy::parse(POLICY);
    let policy = Policy::compile(parsed.model.unwrap(), parsed.hash).unwrap();
    let (from, until) = (Moment::from_seconds(0), Moment::from_seconds(SECONDS));
    let exception = ExceptionGrant {
        id: ExceptionId::from_bytes([1; 16]),
        clause: Term::fixed("matrix"),
        keys: [("group".to_owned(), "research".to_owned())].into(),
        owner: "owner".to_owned(),
        reason: "reason".to_owned(),
        compensating_control: "control".to_owned(),
        approved_by: "security".to_owned(),
        from,
        until,
    };
    let entry = RolloutEntry {
        id: RolloutId::from_bytes([2; 16]),
        clause: Term::fixed("payment"),
        ring: Ring::Share(5_000),
        step: Step::Coach,
        from,
        until,
        approved_by: "security".to_owned(),
    };
    policy.with_standing(vec![exception], vec![entry]).unwrap()
}

fn found(classes: &[&'static str]) -> Facts {
    let data = classes.iter().map(|class| (Term::fixed(class), Found { likely: 1, certain: 1 })).collect();
    Facts {
        who: Who::Employee.into(),
        identity: Identity::Password.into(),
        status: Status::Approved.into(),
        data: Fact::Known(data),
        decided_at: Moment::from_seconds(9_000),
        ..Facts::default()
    }
    .completed()
}

#[tokio::test]
async fn what_was_decided_comes_out_again() {
    let world = World::new().await;
    let mut random = Seeded::new(4);
    for _ in 0..40 {
        world.write(world.record(situation(&mut random), None)).await;
    }
    // Known at the head: what an approved service may hold does not matter to who nobody knows.
    let early = Facts { data: Fact::Pending, signal: Fact::Pending, unreadable: Fact::Pending, ..found(&[]) };
    world.write(world.record(early, None)).await;
    for regardless in [
        Regardless::NotWhole,
        Regardless::RedactionFailed,
        Regardless::PersonalAccount,
        Regardless::HostRefused,
        Regardless::NamesDisagree,
        Regardless::NotJudged,
    ] {
        let mut facts = found(&["contact"]);
        facts.unreadable = Set::one(Unreadable::Error).into();
        facts.signal = Set::one(Signal::OpaqueImage).into();
        world.write(world.record(facts, Some(regardless))).await;
    }
    let again = world.again().await;
    assert_eq!((again.decisions, again.equal, again.different), (47, 47, 0), "{again:?}");
    world.home.close().await.unwrap();
}

#[tokio::test]
async fn a_changed_record_is_noticed() {
    let world = World::new().await;
    let mut expected = Vec::new();
    type Change = fn(&mut NewDecision);
    let changes: [(&str, Change); 6] = [
        ("effect", |new| new.personal.as_mut().unwrap().decision.full.effect = Effect::Allow),
        ("effect", |new| {
            // The facts no longer hold what was found.
            new.personal.as_mut().unwrap().facts.data = Fact::Known(Default::default());
        }),
        ("clauses", |new| new.personal.as_mut().unwrap().decision.enforced.decided[0].rule += 1),
        ("redactions", |new| {
            new.personal.as_mut().unwrap().decision.enforced.redact.insert(Term::fixed("phi"));
        }),
        ("obligations", |new| new.personal.as_mut().unwrap().decision.enforced.ask_level = true),
        ("skeleton", |new| new.skeleton.enforced = Effect::Coach),
    ];
    for (what, change) in changes {
        let mut new = world.record(found(&["payment"]), None);
        assert_eq!(new.skeleton.enforced, Effect::Block);
        change(&mut new);
        expected.push(what);
        world.write(new).await;
    }
    // Stopped by the policy, and not whatever it says.
    let mut claimed = world.record(found(&[]), None);
    claimed.skeleton.regardless = Some(Regardless::HostRefused);
    world.write(claimed).await;
    world.write(world.record(found(&["payment"]), None)).await;
    let again = world.again().await;
    assert_eq!((again.decisions, again.equal, again.different), (8, 1, 7), "{again:?}");
    for (difference, what) in again.differences.iter().zip(&expected) {
        assert!(difference.in_what.contains(what), "{what}: {difference:?}");
    }
    world.home.close().await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_decided_again_is_counted_and_never_equal() {
    let world = World::new().await;
    let mut protected = world.record(found(&[]), None);
    protected.personal = None;
    world.write(protected).await;
    let mut other_text = world.record(found(&[]), None);
    other_text.skeleton.snapshot.policy = ContentHash::of(b"another text");
    world.write(other_text).await;
    let mut other_standing = world.record(found(&[]), None);
    other_standing.skeleton.snapshot.standing = ContentHash::of(b"something else");
    world.write(other_standing).await;
    let mut other_rows = world.record(found(&[]), None);
    other_rows.skeleton.snapshot.rows = ContentHash::of(b"other rows");
    world.write(other_rows).await;
    world.write(world.record(found(&[]), None)).await;
    let again = world.again().await;
    let counts = (again.without_facts, again.policy_missing, again.other_rows, again.equal, again.erased);
    assert_eq!(counts, (1, 2, 1, 1, 0), "{again:?}");
    world.home.state.erase(world.person, "privacy-officer", &world.home.ledger).await.unwrap();
    let again = world.again().await;
    assert_eq!((again.erased, again.equal, again.different), (4, 0, 0), "{again:?}");
    world.home.close().await.unwrap();
}
