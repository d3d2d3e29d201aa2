//! POL-4: the staged verdict equals the complete one in effect and redactions, whatever the pending facts turn out to be.

use writ_base::ContentHash;
use writ_model::schema::{Dimension, Stage};
use writ_model::values::{Account, Channel, Status, Who};
use writ_model::{Action, Decision, Effect, Fact, Facts, Value, Verdict};
use writ_policy::eval::testing::{Seeded, arbitrary, arbitrary_standing, situation};
use writ_policy::eval::{Policy, Staged};

use super::situations;

fn policy(random: &mut Seeded, rules: usize) -> Policy {
    let model = arbitrary(random, rules);
    let standing = arbitrary_standing(random);
    Policy::compile(model, ContentHash::default()).unwrap().with_resolved(standing).unwrap()
}

/// The facts with these dimensions pending.
fn pend(facts: &Facts, pending: impl Fn(Dimension) -> bool) -> Facts {
    let mut facts = facts.clone();
    macro_rules! pend {
        ($($field:ident = $dimension:ident),+ $(,)?) => {
            $(if pending(Dimension::$dimension) { facts.$field = Fact::Pending; })+
        };
    }
    pend!(
        who = Who,
        identity = Identity,
        entity = Entity,
        group = Group,
        action = Action,
        service = Service,
        category = Category,
        tier = Tier,
        status = Status,
        account = Account,
        data = Data,
        cleared = Cleared,
        level = Level,
        declared = Declared,
        origin = Origin,
        activity = Activity,
        channel = Channel,
        device = Device,
        person_region = PersonRegion,
        service_region = ServiceRegion,
        training = Training,
        attestation = Attestation,
        signal = Signal,
        unreadable = Unreadable,
    );
    facts
}

/// The facts completed by those of another situation.
fn complete(facts: &Facts, from: &Facts) -> Facts {
    let mut whole = facts.clone();
    macro_rules! fill {
        ($($field:ident),+ $(,)?) => { $(if whole.$field.pending() { whole.$field = from.$field.clone(); })+ };
    }
    if facts.data.pending() {
        // What cannot be edited, and acknowledgements of this content, are known with the content only.
        whole.unredactable = from.unredactable.clone();
        whole.acknowledged.extend(from.acknowledged.iter().cloned());
    }
    fill!(
        who,
        identity,
        entity,
        group,
        service,
        category,
        tier,
        status,
        account,
        data,
        cleared,
        level,
        declared,
        origin,
        activity,
        channel,
        device,
        person_region,
        service_region,
        training,
        attestation,
        signal,
        unreadable,
    );
    if whole.action.pending() {
        let leaving = from.action.known().copied().filter(|action| action.leaves());
        whole.action = leaving.unwrap_or(Action::Upload).into();
    }
    whole
}

fn outcome(decision: &Decision) -> impl PartialEq + std::fmt::Debug {
    let of = |verdict: &Verdict| (verdict.effect, verdict.redact.clone());
    (of(&decision.enforced), of(&decision.full))
}

#[derive(Default, Debug)]
struct Seen {
    early: usize,
    settled: usize,
    open: usize,
}

fn check(policy: &Policy, facts: &Facts, completions: impl Iterator<Item = Facts>, seen: &mut Seen, context: &str) {
    let staged = policy.decide_staged(facts);
    match &staged {
        Staged::EarlyBlock(decision) => {
            seen.early += 1;
            assert_eq!(decision.enforced.effect, Effect::Block);
            assert!(decision.enforced.override_roles.is_empty());
        }
        Staged::Settled(_) => seen.settled += 1,
        Staged::Open { least, most } => {
            seen.open += 1;
            assert!(least <= most);
        }
    }
    let strictest = policy.decide(facts);
    for whole in completions {
        let complete = policy.decide(&whole);
        let context =
            || format!("{context}\n{staged:#?}\n{complete:#?}\n{facts:#?}\n{whole:#?}\n{:#?}", policy.model());
        match &staged {
            Staged::EarlyBlock(_) => assert_eq!(complete.enforced.effect, Effect::Block, "{}", context()),
            Staged::Settled(decision) => assert!(outcome(decision) == outcome(&complete), "{}", context()),
            Staged::Open { least, most } => {
                assert!((*least..=*most).contains(&complete.enforced.effect), "{}", context());
            }
        }
        assert!(complete.enforced.effect <= strictest.enforced.effect, "pending counts as a risk: {}", context());
    }
}

#[test]
fn pol_4_a_staged_verdict_holds_for_random_completions() {
    let mut seen = Seen::default();
    for seed in 0..situations() / 10 {
        let mut random = Seeded::new(seed ^ 0x57A6ED);
        let policy = policy(&mut random, 6);
        let whole = situation(&mut random);
        let stage = Stage::ALL[random.below(3)];
        let at_random = random.chance(50);
        let drawn: Vec<bool> = Dimension::ALL.iter().map(|_| random.chance(15)).collect();
        let facts = pend(&whole, |d| if at_random { drawn[d as usize] } else { d.spec().stage >= stage });
        let others: Vec<Facts> = (0..8).map(|_| situation(&mut random)).collect();
        let completions = others.iter().map(|other| complete(&facts, other));
        check(&policy, &facts, completions, &mut seen, &format!("seed {seed}"));
    }
    assert!(seen.early > 50 && seen.settled > 50 && seen.open > 50, "too few cases to prove anything: {seen:?}");
}

#[test]
fn pol_4_a_staged_verdict_holds_for_every_completion_of_the_head() {
    let mut seen = Seen::default();
    for seed in 0..situations() / 200 {
        let mut random = Seeded::new(seed ^ 0xA11);
        let policy = policy(&mut random, 6);
        let whole = situation(&mut random);
        let whole = if whole.action.known().is_some_and(|a| a.leaves()) {
            whole
        } else {
            Facts { action: Action::Submit.into(), ..whole }
        };
        let head = [Dimension::Who, Dimension::Status, Dimension::Account, Dimension::Channel, Dimension::Action];
        let facts = pend(&whole, |dimension| head.contains(&dimension));
        let mut all = Vec::new();
        for who in Who::ALL {
            for status in Status::ALL {
                for account in Account::ALL {
                    for channel in Channel::ALL {
                        for action in Action::ALL.iter().filter(|action| action.leaves()) {
                            all.push((*who, *status, *account, *channel, *action));
                        }
                    }
                }
            }
        }
        let completions = all.into_iter().map(|(who, status, account, channel, action)| Facts {
            who: who.into(),
            status: status.into(),
            account: account.into(),
            channel: channel.into(),
            action: action.into(),
            ..facts.clone()
        });
        check(&policy, &facts, completions.step_by(if cfg!(debug_assertions) { 7 } else { 1 }), &mut seen, "head");
    }
    assert!(seen.early > 0 && seen.settled > 0 && seen.open > 0, "{seen:?}");
}
