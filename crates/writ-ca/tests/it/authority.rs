//! Leaves: which hosts get one, what it says, how long it is kept.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use writ_base::Clock as _;
use writ_base::keys::SecretKey;
use writ_ca::limits::{LEAVES, LEAVES_BELOW};
use writ_ca::{Authority, NoCertificate};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::support::World;

const DAY: Duration = Duration::from_secs(86_400);

#[test]
fn only_listed_hosts_get_a_certificate() {
    let world = World::with(&["chat.example", "api.model.example"]);
    let authority = world.authority();
    for host in ["chat.example", "CHAT.example.", "a.b.chat.example", "api.model.example"] {
        assert!(authority.certified(host).is_ok() && authority.covers(host), "{host}");
    }
    let long = format!("{}.chat.example", "a".repeat(250));
    for host in [
        "model.example",
        "otherchat.example",
        "example",
        "",
        ".",
        "*.chat.example",
        ".chat.example",
        "a..chat.example",
        "127.0.0.1",
        "::1",
        "a b.chat.example",
        "chät.chat.example",
        "x\0.chat.example",
        &long,
    ] {
        assert_eq!(authority.certified(host).err(), Some(NoCertificate::NotListed), "{host}");
        assert!(!authority.covers(host), "{host}");
    }
    assert_eq!(authority.leaves(), 3);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Whatever is asked for, a certificate has exactly the name that was asked for, and only below a listed one.
    #[test]
    fn a_certificate_has_exactly_the_name_asked_for(host in "([a-c_-]{1,3}\\.){0,3}(chat\\.example|other\\.example|.{0,9})") {
        let authority = shared();
        match authority.certified(&host) {
            Ok(certified) => {
                let name = host.strip_suffix('.').unwrap_or(&host).to_ascii_lowercase();
                prop_assert!(name == "chat.example" || name.ends_with(".chat.example"));
                prop_assert_eq!(names_of(&certified.cert[0]), vec![name]);
            }
            Err(error) => prop_assert_eq!(error, NoCertificate::NotListed),
        }
    }
}

fn shared() -> &'static Authority {
    static SHARED: std::sync::OnceLock<(World, Authority)> = std::sync::OnceLock::new();
    let (_, authority) = SHARED.get_or_init(|| {
        let world = World::with(&["chat.example"]);
        let authority = world.authority();
        (world, authority)
    });
    authority
}

fn names_of(certificate: &[u8]) -> Vec<String> {
    let (_, parsed) = X509Certificate::from_der(certificate).unwrap();
    let names = parsed.subject_alternative_name().unwrap().unwrap();
    let name = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => (*name).to_owned(),
        other => panic!("{other:?}"),
    };
    names.value.general_names.iter().map(name).collect()
}

#[test]
fn a_leaf_is_for_servers_for_weeks_and_has_the_key_of_the_process() {
    let world = World::with(&["chat.example", "api.example"]);
    let authority = world.authority();
    let (chat, api) = (authority.certified("chat.example").unwrap(), authority.certified("api.example").unwrap());
    let (_, leaf) = X509Certificate::from_der(&chat.cert[0]).unwrap();
    let (_, other) = X509Certificate::from_der(&api.cert[0]).unwrap();
    let (_, intermediate) = X509Certificate::from_der(&chat.cert[1]).unwrap();
    let now = world.clock.now().seconds();
    let (from, to) = (leaf.validity().not_before.timestamp(), leaf.validity().not_after.timestamp());
    assert!(from < now && now - from <= 2 * 86_400, "back-dated for slow clocks");
    assert!(to - from <= 199 * 86_400);
    assert!(leaf.basic_constraints().unwrap().is_none(), "no CA");
    assert!(leaf.key_usage().unwrap().unwrap().value.digital_signature());
    assert_eq!(leaf.key_usage().unwrap().unwrap().value.flags, 1, "and nothing else");
    let usage = leaf.extended_key_usage().unwrap().unwrap().value;
    assert!(usage.server_auth && !usage.client_auth && !usage.any && usage.other.is_empty());
    assert_eq!(leaf.public_key().raw, other.public_key().raw, "one key per process");
    assert_ne!(leaf.public_key().raw, intermediate.public_key().raw, "never the CA's");
    let again = world.authority().certified("chat.example").unwrap();
    let (_, again) = X509Certificate::from_der(&again.cert[0]).unwrap();
    assert_ne!(leaf.public_key().raw, again.public_key().raw, "another process, another key");
    assert_ne!(leaf.raw_serial(), again.raw_serial());
}

#[test]
fn a_leaf_is_kept_until_a_quarter_of_its_life_is_left() {
    let world = World::with(&["chat.example"]);
    let authority = world.authority();
    let first = authority.certified("chat.example").unwrap();
    let below = authority.certified("x.chat.example").unwrap();
    world.clock.advance(DAY * 22);
    assert!(Arc::ptr_eq(&first, &authority.certified("chat.example").unwrap()));
    world.clock.advance(DAY);
    assert!(!Arc::ptr_eq(&first, &authority.certified("chat.example").unwrap()));
    assert!(!Arc::ptr_eq(&below, &authority.certified("x.chat.example").unwrap()));
    assert_eq!(authority.leaves(), 2, "the old ones are gone");
}

#[test]
fn nothing_outlives_what_signed_it() {
    let world = World::with(&["chat.example"]);
    let authority = world.authority();
    assert_eq!(authority.expires(), Some(world.clock.now().after(DAY * 365)));
    world.clock.advance(DAY * 360);
    let certified = authority.certified("chat.example").unwrap();
    let end = |at: usize| X509Certificate::from_der(&certified.cert[at]).unwrap().1.validity().not_after.timestamp();
    assert_eq!(end(0), end(1));
    world.clock.advance(DAY * 5);
    assert_eq!(authority.certified("chat.example").err(), Some(NoCertificate::Expired));
    assert_eq!(authority.leaves(), 0, "a failure is not kept");
    world.extend(&crate::support::listed(&["chat.example"]), true);
    authority.reload().unwrap();
    assert!(authority.certified("chat.example").is_ok());
}

/// A flood of names below one listed name stays in its own share, and does not displace what is asked for again.
#[test]
fn a_flood_of_names_displaces_only_itself() {
    let world = World::with(&["flooded.example", "chat.example"]);
    let authority = world.authority();
    let own = authority.certified("flooded.example").unwrap();
    let other = authority.certified("www.chat.example").unwrap();
    let regular = |at: usize| format!("regular{at}.flooded.example");
    let kept: Vec<_> = (0..20).map(|at| authority.certified(&regular(at)).unwrap()).collect();
    (0..20).for_each(|at| assert!(Arc::ptr_eq(&kept[at], &authority.certified(&regular(at)).unwrap())));
    for at in 0..2_000 {
        authority.certified(&format!("h{at}.flooded.example")).unwrap();
    }
    assert!(Arc::ptr_eq(&own, &authority.certified("flooded.example").unwrap()));
    assert!(Arc::ptr_eq(&other, &authority.certified("www.chat.example").unwrap()));
    (0..20).for_each(|at| assert!(Arc::ptr_eq(&kept[at], &authority.certified(&regular(at)).unwrap()), "{at}"));
    assert_eq!(authority.leaves(), LEAVES_BELOW.value() + 2);
}

/// However many names are listed, floods below all of them together stay within the limit.
#[test]
fn floods_everywhere_stay_within_the_limit() {
    let names: Vec<String> = (0..200).map(|at| format!("n{at}.example")).collect();
    let world = World::with(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let authority = world.authority();
    let (share, names) = ((LEAVES.value() - 200) / 200, &names[..20]);
    for name in names {
        for at in 0..share + 10 {
            authority.certified(&format!("h{at}.{name}")).unwrap();
        }
    }
    assert_eq!(authority.leaves(), names.len() * share);
}

#[test]
fn those_who_ask_for_the_same_host_get_the_same_leaf() {
    let world = World::with(&["chat.example"]);
    let authority = Arc::new(world.authority());
    let gate = Arc::new(std::sync::Barrier::new(8));
    let threads = (0..8).map(|_| {
        let (authority, gate) = (Arc::clone(&authority), Arc::clone(&gate));
        std::thread::spawn(move || {
            gate.wait();
            authority.certified("chat.example").unwrap()
        })
    });
    let leaves: Vec<_> = threads.collect::<Vec<_>>().into_iter().map(|thread| thread.join().unwrap()).collect();
    assert!(leaves.iter().all(|leaf| Arc::ptr_eq(leaf, &leaves[0])), "made once");
}

#[test]
fn the_folder_opens_only_with_its_key_and_unchanged() {
    let world = World::with(&["chat.example"]);
    let open = |key: &SecretKey| {
        Authority::open(world.folder.path(), key, world.clock.clone(), world.randomness.clone())
            .map(|_| ())
            .map_err(|error| error.to_string())
    };
    assert_eq!(open(&world.key), Ok(()));
    let refused = open(&SecretKey::generate(&*world.randomness)).unwrap_err();
    assert_eq!(refused, "cannot open the key of group `01`: it was sealed with another key, or a file was changed");
    let key = world.folder.path().join("01-1.key");
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&key).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    // A certificate that is not constrained is not served, whoever signed it and whatever its key.
    let own = world.root.certificates_pem();
    std::fs::write(world.folder.path().join("01-1.pem"), own).unwrap();
    assert!(open(&world.key).unwrap_err().contains("is not constrained to listed names"));
}

#[test]
fn debug_output_tells_no_key() {
    let world = World::with(&["chat.example"]);
    let text = format!("{:?} {:?}", world.authority(), world.root);
    assert!(text.starts_with("Authority(") && text.contains("Root(") && text.len() < 400, "{text}");
}
