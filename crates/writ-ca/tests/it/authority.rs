//! Leaves: which hosts get one, what it says, how long it is kept.

use writ_ca::NoCertificate;

use crate::support::World;

#[test]
fn only_listed_hosts_get_a_certificate() {
    let world = World::with(&["chat.example", "api.model.example"]);
    let authority = world.authority();
    for host in ["chat.example", "CHAT.example.", "a.b.chat.example", "api.model.example"] {
        assert!(authority.certified(host).is_ok(), "{host}");
    }
    for host in
        ["model.example", "otherchat.example", "example", "", ".", "*.chat.example", "127.0.0.1", "a b.chat.example"]
    {
        assert_eq!(authority.certified(host).err(), Some(NoCertificate::NotListed), "{host}");
    }
    assert_eq!(authority.leaves(), 3);
}
