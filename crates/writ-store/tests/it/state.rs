//! The state database: the same on SQLite and on PostgreSQL.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use writ_base::keys::KeyPurpose;
use writ_model::interaction::PrincipalId;
use writ_model::record::{AdminAct, EntryKind};
use writ_model::standing::{
    Acknowledgement, AcknowledgementId, AcknowledgementScope, ExceptionGrant, ExceptionId, Ring, RolloutEntry,
    RolloutId,
};
use writ_model::values::Step;
use writ_store::State;
use writ_store::ledger::LedgerError;
use writ_store::state::{ApiKeyKind, Location, NewApiKey, ProviderCredential, StateError};

use crate::support::{NOW, World, login, secret};

#[tokio::test]
async fn sqlite_does_all_of_it() {
    everything(None).await;
}

/// The whole suite, on one database.
pub async fn everything(location: Option<Location>) {
    let world = World::with_state(location).await;
    let principal = people(&world).await;
    api_keys(&world, principal).await;
    credentials(&world).await;
    standing(&world, principal).await;
    settings(&world).await;
    stops(&world, principal).await;
    crate::console::everything(&world).await;
    erasing(&world, principal).await;
    acts_are_entries(&world).await;
    reopened(&world).await;
}

async fn people(world: &World) -> PrincipalId {
    let World { state, ledger, keys, .. } = world;
    let name = format!("Ada-{}@Example.org", keys.reveal_public().unwrap().1);
    let first = state.identify(&login(&name), "employee", &secret("Ada"), ledger).await.unwrap();
    let again = state.identify(&login(&name.to_lowercase()), "employee", &secret("Ada"), ledger).await.unwrap();
    assert_eq!((first.new, again.new, again.principal), (true, false, first.principal));
    let shown = state.pseudonym(first.principal).unwrap();
    keys.rotate(KeyPurpose::Identity, ledger, NOW, &*world.randomness).await.unwrap();
    keys.rotate(KeyPurpose::Pseudonym, ledger, NOW, &*world.randomness).await.unwrap();
    assert_ne!(state.pseudonym(first.principal).unwrap(), shown);
    assert_eq!(state.find_login(&login(&name)).await.unwrap(), Some(first.principal));
    let other = login(&format!("second-{name}"));
    state.add_login(first.principal, &other, ledger).await.unwrap();
    assert_eq!(state.find_login(&other).await.unwrap(), Some(first.principal));
    assert!(state.add_login(first.principal, &other, ledger).await.is_err());
    let both =
        tokio::join!(state.person_key(first.principal, NOW, ledger), state.person_key(first.principal, NOW, ledger));
    let sealed = crate::erasure::append_personal(world, &both.0.unwrap(), b"x").await;
    assert!(both.1.unwrap().open(&sealed).is_ok(), "one key a month, whoever asks first");
    let next_month = NOW.after(Duration::from_secs(20 * 86_400));
    let later = state.person_key(first.principal, next_month, ledger).await.unwrap();
    assert!(later.open(&sealed).is_err());
    first.principal
}

async fn api_keys(world: &World, owner: PrincipalId) {
    let World { state, ledger, .. } = world;
    let labels = BTreeMap::from([("group".to_owned(), "research".to_owned())]);
    let new = NewApiKey { kind: ApiKeyKind::Agent, owner, on_behalf_of: Some(owner), labels: labels.clone() };
    let (id, key) = state.create_api_key(new, "admin", ledger).await.unwrap();
    let caller = state.caller(&key).await.unwrap().unwrap();
    assert_eq!((caller.key, caller.kind, caller.owner), (id, ApiKeyKind::Agent, owner));
    assert_eq!((caller.on_behalf_of, caller.labels), (Some(owner), labels));
    let mut wrong = key.expose().clone();
    wrong.pop();
    wrong.push('x');
    for refused in [wrong.as_str(), "", "writ_", "sk-1234", "writ_ünïcode"] {
        assert_eq!(state.caller(&secret(refused)).await.unwrap(), None, "{refused}");
    }
    state.disable_api_key(id, "admin", ledger).await.unwrap();
    assert_eq!(state.caller(&key).await.unwrap(), None);
    assert!(matches!(state.disable_api_key(id, "admin", ledger).await, Err(StateError::Missing { .. })));
    let listed = state.api_keys().await.unwrap().into_iter().find(|it| it.id == id).unwrap();
    assert!(listed.disabled.is_some() && key.expose().starts_with(&listed.prefix));
}

async fn credentials(world: &World) {
    let World { state, ledger, keys, .. } = world;
    let credential =
        |text: &str| ProviderCredential { service: "openai".into(), name: "main".into(), secret: secret(text) };
    state.set_provider_credential(&credential("sk-first"), "admin", ledger).await.unwrap();
    state.set_provider_credential(&credential("sk-second"), "admin", ledger).await.unwrap();
    keys.rotate(KeyPurpose::Provider, ledger, NOW, &*world.randomness).await.unwrap();
    let read = || async { state.provider_credential("openai", "main").await.unwrap().unwrap().secret };
    assert_eq!(read().await, secret("sk-second"));
    assert_eq!(state.reseal_provider_credentials().await.unwrap(), 1);
    assert_eq!(read().await, secret("sk-second"));
    assert!(state.provider_credential("openai", "other").await.unwrap().is_none());
}

/// What can be chosen after stops is kept sealed, for as long as it holds.
async fn stops(world: &World, principal: PrincipalId) {
    let World { state, keys, ledger, .. } = world;
    let (hour, day) = (NOW.after(Duration::from_secs(3600)), NOW.after(Duration::from_secs(86_400)));
    let stops = async |now| state.kept_stops::<String>(now).await.unwrap();
    state.keep_stop("7F3K-29", principal, day, &"first").await.unwrap();
    keys.rotate(KeyPurpose::Case, ledger, NOW, &*world.randomness).await.unwrap();
    state.keep_stop("0000-01", principal, hour, &"second").await.unwrap();
    assert_eq!(stops(NOW).await, ["second", "first"], "those that end first first");
    assert_eq!(stops(hour).await, ["first"]);
    assert!(state.kept_stops::<u64>(NOW).await.unwrap().is_empty(), "what has another form is left out");
    let key = writ_base::KeyedDigest::of(&[7; 32], b"a turn");
    state.keep_choice(key, principal, hour, &"without").await.unwrap();
    state.keep_choice(key, principal, day, &"again").await.unwrap();
    assert_eq!(state.kept_choices::<String>(hour).await.unwrap(), ["again"]);
}

async fn standing(world: &World, principal: PrincipalId) {
    let World { state, ledger, randomness, .. } = world;
    let until = NOW.after(Duration::from_secs(3600));
    let given = Acknowledgement {
        id: AcknowledgementId::new(NOW, &**randomness),
        principal,
        clause: "4.2".into(),
        classes: BTreeSet::from(["phi".into()]),
        service: "openai".into(),
        scope: AcknowledgementScope::Repository("repo".into()),
        until,
    };
    state.acknowledge(&given, ledger).await.unwrap();
    assert_eq!(state.acknowledgements(principal, NOW).await.unwrap(), [given]);
    assert!(state.acknowledgements(principal, until).await.unwrap().is_empty());
    let grant = ExceptionGrant {
        id: ExceptionId::new(NOW, &**randomness),
        clause: "4.2".into(),
        keys: BTreeMap::from([("group".to_owned(), "research".to_owned())]),
        owner: "CISO".into(),
        reason: "trial".into(),
        compensating_control: "review".into(),
        approved_by: "CISO".into(),
        from: NOW,
        until,
    };
    state.grant_exception(&grant, "policy owner", ledger).await.unwrap();
    assert!(state.exceptions(NOW).await.unwrap().contains(&grant));
    state.withdraw_exception(grant.id, "policy owner", ledger).await.unwrap();
    assert!(!state.exceptions(NOW).await.unwrap().contains(&grant));
    let mut entry = RolloutEntry {
        id: RolloutId::new(NOW, &**randomness),
        clause: "4.2".into(),
        ring: Ring::Share(500),
        step: Step::Coach,
        from: NOW,
        until,
        approved_by: "CISO".into(),
    };
    state.set_rollout(&entry, "policy owner", ledger).await.unwrap();
    entry.ring = Ring::Everyone;
    state.set_rollout(&entry, "policy owner", ledger).await.unwrap();
    assert!(state.rollout(NOW).await.unwrap().contains(&entry));
    state.remove_rollout(entry.id, "policy owner", ledger).await.unwrap();
    assert!(matches!(state.remove_rollout(entry.id, "x", ledger).await, Err(StateError::Missing { .. })));
}

async fn settings(world: &World) {
    let World { state, ledger, .. } = world;
    assert_eq!(state.setting::<u32>("never.set").await.unwrap(), None);
    state.set_setting("retention.days", &30u32, "admin", ledger).await.unwrap();
    state.set_setting("retention.days", &60u32, "admin", ledger).await.unwrap();
    assert_eq!(state.setting::<u32>("retention.days").await.unwrap(), Some(60));
    assert!(matches!(state.setting::<String>("retention.days").await, Err(StateError::Unreadable { .. })));
}

async fn erasing(world: &World, principal: PrincipalId) {
    let erased = world.state.erase(principal, "privacy officer", &world.ledger).await.unwrap();
    assert_eq!((erased.keys, erased.logins), (2, 2));
    assert!(world.state.acknowledgements(principal, NOW).await.unwrap().is_empty());
    assert!(world.state.kept_stops::<String>(NOW).await.unwrap().is_empty());
    assert!(world.state.kept_choices::<String>(NOW).await.unwrap().is_empty());
}

/// What the ledger cannot take does not happen.
async fn acts_are_entries(world: &World) {
    let World { state, ledger, .. } = world;
    let acts: BTreeSet<String> = ledger
        .reader(0)
        .map(Result::unwrap)
        .filter(|entry| entry.header.kind == EntryKind::AdminAct)
        .map(|entry| entry.parse::<AdminAct>().unwrap().act)
        .collect();
    for act in [
        "principal-create",
        "login-add",
        "api-key-create",
        "api-key-disable",
        "provider-credential-set",
        "acknowledge",
        "exception-grant",
        "exception-withdraw",
        "rollout-set",
        "rollout-remove",
        "setting-set",
        "person-erase",
        "account-create",
        "account-roles",
        "account-password",
        "account-disable",
        "ticket-create",
        "ticket-redeem",
        "attributes-set",
        "proxy-password-set",
        "proxy-password-remove",
        "notice-shown",
        "record-look",
        "case-open",
        "case-accept",
        "case-decline",
        "reveal-ask",
        "reveal-approve",
        "person-protect",
        "person-unprotect",
    ] {
        assert!(acts.contains(act), "{act}");
    }
    ledger.close().await.unwrap();
    let refused = state.set_setting("retention.days", &90u32, "admin", ledger).await;
    assert!(matches!(refused, Err(StateError::Ledger(LedgerError::Closed))));
    assert_eq!(state.setting::<u32>("retention.days").await.unwrap(), Some(60));
}

async fn reopened(world: &World) {
    let again = State::open(world.state.location().clone(), world.means()).await.unwrap();
    assert_eq!(again.setting::<u32>("retention.days").await.unwrap(), Some(60));
}

#[test]
fn locations_are_told_from_urls() {
    assert_eq!(Location::parse("sqlite:data/state.db"), Some(Location::Sqlite("data/state.db".into())));
    assert_eq!(Location::parse("sqlite:///var/x.db"), Some(Location::Sqlite("/var/x.db".into())));
    let url = "postgres://writ@localhost/writ";
    assert_eq!(Location::parse(url), Some(Location::Postgres(url.into())));
    assert_eq!(Location::parse("mysql://x"), None);
}
