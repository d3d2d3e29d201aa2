//! The shipped catalog: sizes of groups and handshakes.

use writ_base::Clock as _;
use writ_ca::limits::{GROUP_NAMES, HANDSHAKE};
use writ_ca::{Listed, groups, handshake_bytes, listed};
use writ_catalog::Catalog;

use crate::support::World;

fn shipped() -> Listed {
    listed(&Catalog::builtin())
}

#[test]
fn every_shipped_group_has_5_to_30_names_and_a_small_handshake() {
    let world = World::new();
    let listed = shipped();
    let done = world.extend(&listed.hosts, false);
    let authority = world.authority();
    let mut largest = 0;
    for group in &done.added {
        assert!((5..=GROUP_NAMES.value()).contains(&group.hosts.len()), "group {}: {:?}", group.id, group.hosts);
        for host in &group.hosts {
            let certified = authority.certified(host).unwrap();
            let chain: Vec<&[u8]> = certified.cert.iter().map(AsRef::as_ref).collect();
            assert_eq!(chain.len(), 2, "leaf and intermediate; the root is not sent");
            largest = largest.max(handshake_bytes(&chain));
        }
    }
    println!("{} groups, {} names, largest handshake {largest} bytes", done.added.len(), listed.hosts.len());
    assert!(largest <= HANDSHAKE.value(), "{largest} bytes");
}

#[test]
fn every_opened_host_is_listed_and_no_spliced_one() {
    let listed = shipped();
    let has = |name: &str| listed.hosts.iter().any(|(_, host)| host == name);
    assert!(
        has("chatgpt.com") && has("login.microsoftonline.com") && has("bedrock-runtime.eu-central-1.amazonaws.com")
    );
    assert!(has("us-central1-aiplatform.googleapis.com"));
    assert!(!has("oaistatic.com") && !has("amazonaws.com") && !has("googleapis.com"));
    assert_eq!(listed.left_out, []);
}

#[test]
fn groups_do_not_depend_on_the_order_of_the_catalog() {
    let world = World::new();
    let room = world.root.room(world.clock.now(), &*world.randomness).unwrap();
    let mut hosts = shipped().hosts;
    let forward = groups(&hosts, room);
    hosts.reverse();
    assert_eq!(forward, groups(&hosts, room));
}
