//! Who asks, and how sure that is (GOV-3).

use std::collections::{BTreeMap, BTreeSet};

use rcgen::string::Ia5String;
use rcgen::{CertificateParams, DnType, KeyPair, SanType};
use writ_engine::Audience;
use writ_identity::gatekeeper::channel_of;
use writ_identity::{Evidence, GatekeeperOptions, Presented};
use writ_model::facts::Groups;
use writ_model::{Channel, Currency, Identity, Term, Who};
use writ_store::state::{ApiKeyKind, LOCAL_SOURCE, LOGIN_SOURCE, Login, NewApiKey, StateError};

use crate::support::{World, basic, caller, from, secret};

const HOUR: u64 = 3600;

fn certificate(common: &str, mail: Option<&str>) -> Vec<u8> {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common);
    params.subject_alt_names =
        mail.map(|mail| SanType::Rfc822Name(Ia5String::try_from(mail).unwrap())).into_iter().collect();
    params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
}

fn groups(names: &[&str]) -> Groups {
    Groups::Known(names.iter().map(|name| Term::from(*name)).collect())
}

#[tokio::test]
async fn passwords_tell_a_person() {
    let world = World::new().await;
    let ada = world.with_password("ada", "a good password").await;
    world.say(ada, &["research"], "ldap").await;
    let gatekeeper = world.gatekeeper(GatekeeperOptions::default());
    let header = basic("ADA", "a good password");
    let evidence =
        Evidence { proxy_authorization: Some(&header), user_agent: Some("Mozilla/5.0 X"), ..from("10.0.0.1") };
    let found = caller(gatekeeper.identify(evidence, world.now()).await);
    assert_eq!((found.principal, found.identity, found.who), (ada, Identity::Password, Who::Employee));
    assert_eq!(
        (found.groups, found.training, found.attestation),
        (groups(&["research"]), Currency::Current, Currency::Due)
    );
    assert_eq!((found.channel, found.audience, found.protected), (Channel::Browser, Audience::Person, false));
    assert_eq!((found.address.as_deref(), found.client.as_deref()), (Some("10.0.0.1"), Some("Mozilla/5.0 X")));
    for wrong in [basic("ada", "another"), basic("nobody", "a good password"), "Basic ???".into(), "Negotiate x".into()]
    {
        let evidence = Evidence { proxy_authorization: Some(&wrong), ..from("10.0.0.1") };
        assert!(matches!(gatekeeper.identify(evidence, world.now()).await, Presented::Refused), "{wrong}");
    }
    // A wrong password is refused, whatever the address says.
    let ports = GatekeeperOptions { ports: BTreeMap::from([(8081, "ada".into())]), ..GatekeeperOptions::default() };
    let wrong = basic("ada", "another");
    let evidence = Evidence { proxy_authorization: Some(&wrong), ..from("10.0.0.1") };
    assert!(matches!(world.gatekeeper(ports).identify(evidence, world.now()).await, Presented::Refused));
}

#[tokio::test]
async fn a_password_is_hashed_once_and_believed_for_minutes() {
    let world = World::new().await;
    let ada = world.with_password("ada", "a good password").await;
    let gatekeeper = world.gatekeeper(GatekeeperOptions::default());
    let right = basic("ada", "a good password");
    let evidence = Evidence { proxy_authorization: Some(&right), ..from("10.0.0.1") };
    assert_eq!(caller(gatekeeper.identify(evidence, world.now()).await).principal, ada);
    world.state.set_password(ada, "$argon2id$never", "admin", &world.ledger).await.unwrap();
    world.later(4 * 60);
    assert_eq!(caller(gatekeeper.identify(evidence, world.now()).await).principal, ada, "remembered");
    world.later(60);
    assert!(matches!(gatekeeper.identify(evidence, world.now()).await, Presented::Refused), "not for longer");
}

#[tokio::test]
async fn guessing_at_the_proxy_is_stopped_and_repeating_a_wrong_password_costs_nothing() {
    let world = World::new().await;
    let ada = world.with_password("ada", "a good password").await;
    let gatekeeper = world.gatekeeper(GatekeeperOptions::default());
    let stale = basic("ada", "an old password");
    for _ in 0..100 {
        let evidence = Evidence { proxy_authorization: Some(&stale), ..from("10.0.0.1") };
        assert!(matches!(gatekeeper.identify(evidence, world.now()).await, Presented::Refused));
    }
    let right = basic("ada", "a good password");
    let mine = Evidence { proxy_authorization: Some(&right), ..from("10.0.0.1") };
    assert_eq!(
        caller(gatekeeper.identify(mine, world.now()).await).principal,
        ada,
        "a client that repeats is no guesser"
    );
    for number in 0..10 {
        let guess = basic("grace", &format!("guess {number}"));
        let evidence = Evidence { proxy_authorization: Some(&guess), ..from("203.0.113.1") };
        assert!(matches!(gatekeeper.identify(evidence, world.now()).await, Presented::Refused));
    }
    world.with_password("grace", "her own password").await;
    let right = basic("grace", "her own password");
    let evidence = Evidence { proxy_authorization: Some(&right), ..from("203.0.113.1") };
    assert!(matches!(gatekeeper.identify(evidence, world.now()).await, Presented::Refused), "out of guesses");
    let evidence = Evidence { proxy_authorization: Some(&right), ..from("10.0.0.2") };
    assert!(matches!(gatekeeper.identify(evidence, world.now()).await, Presented::Caller(_)), "elsewhere she gets in");
}

#[tokio::test]
async fn certificates_are_strong_and_come_first() {
    let world = World::new().await;
    let ada = world.person("ada@example.org").await;
    let gatekeeper = world.gatekeeper(GatekeeperOptions { require: true, ..GatekeeperOptions::default() });
    let der = certificate("Ada Lovelace", Some("Ada@example.org"));
    let wrong = basic("eve", "x");
    let evidence = Evidence { certificate: Some(&der), proxy_authorization: Some(&wrong), ..from("10.0.0.1") };
    let found = caller(gatekeeper.identify(evidence, world.now()).await);
    assert_eq!((found.principal, found.identity), (ada, Identity::Strong));
    let common = certificate("ada@example.org", None);
    let evidence = Evidence { certificate: Some(&common), ..from("10.0.0.1") };
    assert_eq!(caller(gatekeeper.identify(evidence, world.now()).await).principal, ada);
    let new = certificate("New Person", Some("new@example.org"));
    let evidence = Evidence { certificate: Some(&new), ..from("10.0.0.1") };
    let found = caller(gatekeeper.identify(evidence, world.now()).await);
    let login = Login { source: LOGIN_SOURCE.into(), name: secret("new@example.org") };
    assert_eq!(world.state.find_login(&login).await.unwrap(), Some(found.principal));
    let evidence = Evidence { certificate: Some(b"broken"), ..from("10.0.0.1") };
    assert!(matches!(gatekeeper.identify(evidence, world.now()).await, Presented::Missing));
}

#[tokio::test]
async fn api_keys_are_presented_as_passwords() {
    let world = World::new().await;
    let (ada, team) = (world.person("ada").await, world.person("team").await);
    world.say(ada, &["research"], LOCAL_SOURCE).await;
    world.say(team, &["research"], LOCAL_SOURCE).await;
    let mut keys = Vec::new();
    for (kind, owner, on_behalf_of) in
        [(ApiKeyKind::Person, ada, None), (ApiKeyKind::Team, team, None), (ApiKeyKind::Agent, team, Some(ada))]
    {
        let new = NewApiKey { kind, owner, on_behalf_of, labels: BTreeMap::new() };
        keys.push(world.state.create_api_key(new, "admin", &world.ledger).await.unwrap());
    }
    let gatekeeper = world.gatekeeper(GatekeeperOptions::default());
    let identify = |place: usize| {
        let header = basic("anything", keys[place].1.expose());
        let (gatekeeper, now) = (gatekeeper.clone(), world.now());
        async move {
            caller(gatekeeper.identify(Evidence { proxy_authorization: Some(&header), ..from("10.0.0.1") }, now).await)
        }
    };
    let person = identify(0).await;
    assert_eq!((person.principal, person.identity, person.groups), (ada, Identity::Password, groups(&["research"])));
    assert_eq!(person.credential, Some(Term::from(keys[0].0.to_string())));
    // GOV-3: a team's key tells a team. What a directory says of its owner is not said of whoever calls.
    let shared = identify(1).await;
    assert_eq!((shared.principal, shared.identity, shared.who), (team, Identity::Shared, Who::Unknown));
    assert_eq!(shared.groups, Groups::Unknown(Term::UNKNOWN));
    let agent = identify(2).await;
    assert_eq!((agent.principal, agent.on_behalf_of, agent.who), (team, Some(ada), Who::Agent));
    assert_eq!((agent.groups, agent.audience), (groups(&["research"]), Audience::Program));
    let header = basic("x", "writ_0000000000_00");
    let evidence = Evidence { proxy_authorization: Some(&header), ..from("10.0.0.1") };
    assert!(matches!(gatekeeper.identify(evidence, world.now()).await, Presented::Refused));
}

fn mapped(world: &World, lines: &str) -> GatekeeperOptions {
    let path = world.folder.path().join("addresses.csv");
    std::fs::write(&path, format!("address,login,source,seen,until,shared\n{lines}")).unwrap();
    GatekeeperOptions { address_map: Some(path), ..GatekeeperOptions::default() }
}

#[tokio::test]
async fn gov_3_two_people_behind_one_address_are_nobody() {
    let world = World::new().await;
    let ada = world.person("ada").await;
    world.say(ada, &["research"], LOCAL_SOURCE).await;
    let options = mapped(
        &world,
        "10.0.0.5,ada,logon,2026-11-22T09:00Z,,\n10.0.0.5,grace,logon,2026-11-22T09:10Z,,\n\
         10.0.0.6,,,,,true\n10.0.0.7,ada,logon,2026-11-22T09:00Z,,\n",
    );
    let gatekeeper = world.gatekeeper(options.clone());
    let (two, pool) = (from("10.0.0.5"), from("10.0.0.6"));
    for evidence in [two, pool] {
        let found = caller(gatekeeper.identify(evidence, world.now()).await);
        assert_eq!((found.identity, found.who), (Identity::Shared, Who::Unknown));
        assert_ne!(found.principal, ada);
        assert_eq!((found.groups, found.training), (Groups::Unknown(Term::UNKNOWN), Currency::Unknown));
        let again = caller(gatekeeper.identify(evidence, world.now()).await);
        assert_eq!(again.principal, found.principal, "it stays with the address");
    }
    let alone = caller(gatekeeper.identify(from("10.0.0.7"), world.now()).await);
    assert_eq!((alone.principal, alone.identity, alone.groups), (ada, Identity::Address, groups(&["research"])));
    // Where people must be told, a shared address does not do.
    let strict = world.gatekeeper(GatekeeperOptions { require: true, ..options });
    assert!(matches!(strict.identify(two, world.now()).await, Presented::Missing));
    assert!(matches!(strict.identify(from("10.0.0.7"), world.now()).await, Presented::Caller(_)));
}

#[tokio::test]
async fn gov_3_an_address_that_changed_hands_is_the_new_persons_or_nobodys() {
    let world = World::new().await;
    let (ada, grace) = (world.person("ada").await, world.person("grace").await);
    let options = mapped(&world, "10.0.0.5,ada,dhcp,2026-11-22T09:00Z,,\n");
    let gatekeeper = world.gatekeeper(options);
    let found = caller(gatekeeper.identify(from("10.0.0.5"), world.now()).await);
    assert_eq!((found.principal, found.identity), (ada, Identity::Address));
    world.later(HOUR);
    mapped(&world, "10.0.0.5,ada,dhcp,2026-11-22T09:00Z,,\n10.0.0.5,grace,dhcp,2026-11-22T10:15Z,,\n");
    let found = caller(gatekeeper.identify(from("10.0.0.5"), world.now()).await);
    assert_eq!((found.principal, found.identity), (grace, Identity::Address), "the file is read again");
    // The feed dies: what it said last grows old, and then it is nobody. A broken file changes nothing.
    mapped(&world, "nonsense\n");
    world.later(7 * HOUR);
    assert_eq!(caller(gatekeeper.identify(from("10.0.0.5"), world.now()).await).principal, grace);
    world.later(2 * HOUR);
    let found = caller(gatekeeper.identify(from("10.0.0.5"), world.now()).await);
    assert_eq!((found.identity, found.who), (Identity::None, Who::Unknown));
    assert!(found.principal != grace && found.principal != ada);
}

#[tokio::test]
async fn ports_belong_to_one_person() {
    let world = World::new().await;
    let ada = world.person("ada").await;
    let ports = BTreeMap::from([(9001, "ada".to_owned()), (9002, "somebody.new".to_owned())]);
    let gatekeeper = world.gatekeeper(GatekeeperOptions { ports, require: true, ..GatekeeperOptions::default() });
    let at = |port: u16| Evidence { local_port: port, ..from("10.0.0.1") };
    let found = caller(gatekeeper.identify(at(9001), world.now()).await);
    assert_eq!((found.principal, found.identity), (ada, Identity::Address));
    assert_ne!(caller(gatekeeper.identify(at(9002), world.now()).await).principal, ada);
    assert!(matches!(gatekeeper.identify(at(8081), world.now()).await, Presented::Missing));
}

#[tokio::test]
async fn nobody_is_the_address() {
    let world = World::new().await;
    let gatekeeper = world.gatekeeper(GatekeeperOptions::default());
    let one = caller(gatekeeper.identify(from("10.0.0.1"), world.now()).await);
    let two = caller(gatekeeper.identify(from("10.0.0.2"), world.now()).await);
    assert_eq!((one.identity, one.who, one.audience), (Identity::None, Who::Unknown, Audience::Program));
    assert_ne!(one.principal, two.principal);
    let mapped = caller(gatekeeper.identify(from("::ffff:10.0.0.1"), world.now()).await);
    assert_eq!((mapped.principal, mapped.address.as_deref()), (one.principal, Some("10.0.0.1")));
    let six = caller(gatekeeper.identify(from("2001:db8::1"), world.now()).await);
    assert_eq!(caller(gatekeeper.identify(from("2001:db8::2"), world.now()).await).principal, six.principal);
}

#[tokio::test]
async fn what_a_directory_said_grows_old() {
    let world = World::new().await;
    let (ada, local) = (world.person("ada").await, world.person("local").await);
    world.say(ada, &["research"], "ldap").await;
    world.say(local, &["research"], LOCAL_SOURCE).await;
    let ports = BTreeMap::from([(9001, "ada".to_owned()), (9002, "local".to_owned())]);
    let gatekeeper = world.gatekeeper(GatekeeperOptions { ports, ..GatekeeperOptions::default() });
    let at = |port: u16| Evidence { local_port: port, ..from("10.0.0.1") };
    world.later(24 * HOUR - 10);
    assert_eq!(caller(gatekeeper.identify(at(9001), world.now()).await).groups, groups(&["research"]));
    world.later(11);
    let old = caller(gatekeeper.identify(at(9001), world.now()).await);
    assert_eq!((old.groups, old.who, old.training), (Groups::Unknown(Term::UNKNOWN), Who::Unknown, Currency::Unknown));
    assert_eq!((old.entity, old.person_region), (Term::UNKNOWN, Term::UNKNOWN));
    assert_eq!(caller(gatekeeper.identify(at(9002), world.now()).await).groups, groups(&["research"]), "set here");
}

#[tokio::test]
async fn protected_persons_are_known_to_the_gatekeeper_only() {
    let world = World::new().await;
    let council = world.with_password("council", "a good password").await;
    world.say(council, &["works-council"], "ldap").await;
    let protected_groups = BTreeSet::from([Term::from("works-council")]);
    let gatekeeper = world.gatekeeper(GatekeeperOptions { protected_groups, ..GatekeeperOptions::default() });
    let header = basic("council", "a good password");
    let evidence = Evidence { proxy_authorization: Some(&header), user_agent: Some("curl/8"), ..from("10.0.0.1") };
    let found = caller(gatekeeper.identify(evidence, world.now()).await);
    assert!(found.protected && found.principal != council);
    assert_eq!((found.address, found.client, found.credential, found.on_behalf_of), (None, None, None, None));
    let again = caller(gatekeeper.identify(evidence, world.now()).await);
    assert_eq!(again.principal, found.principal, "the same while this process runs");
    let key = world.state.person_key(found.principal, world.now(), &world.ledger).await;
    assert!(matches!(key, Err(StateError::Missing { .. })), "nothing can be sealed for this id: no personal part");
    assert!(matches!(world.state.sealed_identity(council).await, Err(StateError::Protected)), "nothing to reveal");
    let new = NewApiKey {
        kind: ApiKeyKind::Agent,
        owner: world.person("bot").await,
        on_behalf_of: Some(council),
        labels: BTreeMap::new(),
    };
    let (_, key) = world.state.create_api_key(new, "admin", &world.ledger).await.unwrap();
    let header = basic("x", key.expose());
    let agent = Evidence { proxy_authorization: Some(&header), ..from("10.0.0.1") };
    let agent = caller(gatekeeper.identify(agent, world.now()).await);
    assert!(agent.protected && agent.on_behalf_of.is_none() && agent.credential.is_none(), "nor through an agent");
    // An old directory protects on; a fresh one that says otherwise ends it.
    world.later(48 * HOUR);
    assert!(caller(gatekeeper.identify(evidence, world.now()).await).protected);
    world.say(council, &["research"], "ldap").await;
    world.later(6);
    let ended = caller(gatekeeper.identify(evidence, world.now()).await);
    assert!(!ended.protected && ended.principal == council);
    assert!(world.state.sealed_identity(council).await.is_ok());
}

#[tokio::test]
async fn nobody_is_let_in_when_nothing_can_be_recorded() {
    let world = World::new().await;
    let gatekeeper = world.gatekeeper(GatekeeperOptions::default());
    world.ledger.close().await.unwrap();
    assert!(matches!(gatekeeper.identify(from("10.0.0.1"), world.now()).await, Presented::Refused));
}

#[test]
fn clients_are_told_by_their_names() {
    for (name, channel) in [
        ("Mozilla/5.0 (X11; Linux x86_64) Chrome/140", Channel::Browser),
        ("Mozilla/5.0 Claude/1.0 Chrome/128 Electron/32", Channel::Desktop),
        ("GitHubCopilotChat/0.26 VSCode/1.99", Channel::Ide),
        ("claude-cli/1.0.33 (external, cli)", Channel::Cli),
        ("curl/8.5.0", Channel::Cli),
        ("OpenAI/Python 1.99", Channel::Api),
        ("", Channel::Api),
    ] {
        assert_eq!(channel_of(name), channel, "{name}");
    }
}
