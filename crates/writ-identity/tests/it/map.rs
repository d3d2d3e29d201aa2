//! The address map.

use std::time::Duration;

use proptest::prelude::*;
use writ_base::Moment;
use writ_identity::gatekeeper::address_map::{AddressMap, Holder, MapError};

use crate::support::{NOW, ip, secret};

const AGE: Duration = Duration::from_secs(8 * 3600);

fn at(time: &str) -> Moment {
    Moment::parse(&format!("2026-11-22T{time}Z")).unwrap()
}

fn csv(lines: &str) -> AddressMap {
    AddressMap::from_csv(&format!("address,login,source,seen,until,shared\n{lines}")).unwrap()
}

fn person(login: &str) -> Holder {
    Holder::Person(secret(login))
}

#[test]
fn a_new_lease_takes_the_address_from_the_old_one() {
    let map = csv("10.0.0.5,ada,dhcp,2026-11-22T08:00Z,,\n10.0.0.5,grace,dhcp,2026-11-22T09:00Z,,\n");
    let holder = |time: &str| map.holder(ip("10.0.0.5"), at(time), AGE);
    assert_eq!(holder("08:30"), person("ada"), "the later one is not there yet");
    assert_eq!(holder("09:00"), person("grace"));
    assert_eq!(holder("17:00"), person("grace"));
    assert_eq!(holder("17:01"), Holder::Nobody, "too old to be believed");
    assert_eq!(holder("07:30"), Holder::Nobody, "from the future");
    assert_eq!(map.holder(ip("::ffff:10.0.0.5"), at("09:30"), AGE), person("grace"));
    assert_eq!(map.holder(ip("10.0.0.6"), at("09:30"), AGE), Holder::Nobody);
}

#[test]
fn two_people_at_one_address_are_not_one_of_them() {
    let map = csv("10.0.0.5,ada,logon,2026-11-22T08:00Z,,\n10.0.0.5,grace,logon,2026-11-22T09:00Z,,\n");
    assert_eq!(map.holder(ip("10.0.0.5"), at("09:30"), AGE), Holder::Shared);
    let ended =
        csv("10.0.0.5,ada,logon,2026-11-22T08:00Z,2026-11-22T08:50Z,\n10.0.0.5,grace,logon,2026-11-22T09:00Z,,");
    assert_eq!(ended.holder(ip("10.0.0.5"), at("09:30"), AGE), person("grace"), "she logged off");
    let sources = csv("10.0.0.5,ada,dhcp,2026-11-22T08:00Z,,\n10.0.0.5,grace,vpn,2026-11-22T09:00Z,,\n");
    assert_eq!(sources.holder(ip("10.0.0.5"), at("09:30"), AGE), Holder::Shared, "two sources that disagree");
    let same = csv("10.0.0.5,ada,logon,2026-11-22T08:00Z,,\n10.0.0.5,ADA,vpn,2026-11-22T09:00Z,,\n");
    assert_eq!(same.holder(ip("10.0.0.5"), at("09:30"), AGE), person("ADA"));
    let twice = csv("10.0.0.5,ada,dhcp,2026-11-22T08:00Z,,\n10.0.0.5,grace,dhcp,2026-11-22T08:00Z,,\n");
    assert_eq!(twice.holder(ip("10.0.0.5"), at("08:30"), AGE), Holder::Shared, "two at the same moment");
}

#[test]
fn addresses_and_networks_can_be_said_to_be_shared() {
    let map = AddressMap::from_toml(
        r#"
        [[address]]
        address = "10.0.0.5"
        login = "ada"
        source = "dhcp"
        seen = "2026-11-22T08:00Z"

        [[address]]
        address = "10.0.0.5"
        shared = true

        [[address]]
        address = "10.9.0.0/16"
        shared = true

        [[address]]
        address = "2001:db8::/33"
        shared = true
        "#,
    )
    .unwrap();
    assert_eq!(map.len(), 4);
    let holder = |address: &str| map.holder(ip(address), at("09:00"), AGE);
    for shared in ["10.0.0.5", "10.9.255.1", "2001:db8:7fff::1"] {
        assert_eq!(holder(shared), Holder::Shared, "{shared}");
    }
    for other in ["10.8.255.255", "10.10.0.0", "2001:db8:8000::1", "::a09:1"] {
        assert_eq!(holder(other), Holder::Nobody, "{other}");
    }
    assert_eq!(csv("0.0.0.0/0,,,,,true").holder(ip("192.0.2.1"), NOW, AGE), Holder::Shared);
}

#[test]
fn a_map_is_read_whole_or_not_at_all() {
    let header = "address,login,source,seen,until,shared\n";
    for (line, what) in [
        ("10.0.0.5,ada,dhcp,2026-11-22T08:00Z,", "entry 1 of the address map: it does not have six values"),
        ("10.0.0,ada,dhcp,2026-11-22T08:00Z,,", "entry 1 of the address map: the address is none"),
        ("10.0.0.5,,dhcp,2026-11-22T08:00Z,,", "entry 1 of the address map: there is no login, or it is too long"),
        ("10.0.0.5,ada,dhcp,yesterday,,", "entry 1 of the address map: `seen` is not a time like `2026-11-22T09:30Z`"),
        (
            "10.0.0.5,ada,dhcp,2026-11-22T08:00Z,x,",
            "entry 1 of the address map: `until` is not a time like `2026-11-22T09:30Z`",
        ),
        ("10.0.0.5,ada,dhcp,2026-11-22T08:00Z,,maybe", "entry 1 of the address map: `shared` is `true` or `false`"),
        ("10.0.0.0/33,,,,,true", "entry 1 of the address map: the network is none"),
    ] {
        let error = AddressMap::from_csv(&format!("{header}{line}")).unwrap_err();
        assert_eq!(error.to_string(), what);
    }
    assert_eq!(AddressMap::from_csv("ip,user\n"), Err(MapError::Header));
    let error = AddressMap::from_toml("[[address]]\naddress = \"10.0.0.5\"\nuser = \"ada\"\n").unwrap_err();
    assert_eq!(error.to_string(), "the address map is not TOML with `[[address]]` entries: line 3");
    assert!(!error.to_string().contains("ada"), "no login in an error");
    assert!(AddressMap::from_toml("").unwrap().is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// GOV-3: whoever is named was the latest at that address, and nobody else could be meant.
    #[test]
    fn never_the_wrong_person(
        entries in proptest::collection::vec((0u8..3, 0u8..3, 0u8..3, 0i64..1440, 0i64..600), 0..8),
        minute in 0i64..1440,
    ) {
        let lines: String = entries.iter().map(|(address, login, source, seen, long)| {
            let time = |minute: i64| NOW.after(Duration::from_secs(0)).to_string().split('T').next().map(|day| {
                format!("{day}T{:02}:{:02}Z", minute / 60 % 24, minute % 60)
            }).unwrap();
            let until = if *long > 0 && seen + long < 1440 { time(seen + long) } else { String::new() };
            let source = ["dhcp", "logon", "vpn"][usize::from(*source)];
            format!("10.0.0.{address},login-{login},{source},{},{until},\n", time(*seen))
        }).collect();
        let map = csv(&lines);
        let now = at(&format!("{:02}:{:02}", minute / 60, minute % 60));
        for address in 0u8..3 {
            if let Holder::Person(login) = map.holder(ip(&format!("10.0.0.{address}")), now, AGE) {
                let mine = entries.iter().filter(|it| it.0 == address && it.3 <= minute + 5);
                let latest = mine.clone().filter(|it| minute - it.3 <= 480).filter(|it| {
                    it.4 == 0 || it.3 + it.4 >= 1440 || minute < it.3 + it.4
                }).map(|it| it.3).max().unwrap();
                let named = mine.clone().any(|it| it.3 == latest && format!("login-{}", it.1) == *login.expose());
                prop_assert!(named);
                let others = mine.filter(|it| it.3 == latest && format!("login-{}", it.1) != *login.expose()).filter(|it| {
                    it.4 == 0 || it.3 + it.4 >= 1440 || minute < it.3 + it.4
                });
                prop_assert_eq!(others.count(), 0);
            }
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,200}") {
        let _ = AddressMap::from_csv(&text);
        let _ = AddressMap::from_csv(&format!("address,login,source,seen,until,shared\n{text}"));
        let _ = AddressMap::from_toml(&text);
    }
}
