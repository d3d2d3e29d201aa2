//! Guessing is slow; nobody is locked out for ever.

use std::time::Duration;

use proptest::prelude::*;
use writ_base::SeededRandom;
use writ_identity::{Throttle, ThrottleOptions};

use crate::support::{NOW, ip};

fn throttle() -> Throttle {
    Throttle::new(ThrottleOptions::default(), &SeededRandom::new(1))
}

#[test]
fn an_attacker_from_elsewhere_cannot_keep_somebody_from_their_own_place() {
    let throttle = throttle();
    let home = ip("10.0.0.7");
    let first = throttle.begin("Ada", home, NOW).ok().unwrap();
    throttle.right(first);
    // A day of guesses from a thousand addresses.
    let mut through = 0;
    for second in 0..86_400u64 {
        let now = NOW.after(Duration::from_secs(second));
        let from = ip(&format!("198.51.{}.{}", second % 4, second % 250));
        through += u32::from(throttle.begin("ada", from, now).is_ok());
    }
    assert!((1000..3000).contains(&through), "about one in 30 s: {through}");
    let now = NOW.after(Duration::from_secs(86_400));
    let elsewhere = (0..9).filter(|n| throttle.begin("ada", ip(&format!("203.0.113.{n}")), now).is_ok()).count();
    assert!(elsewhere <= 1, "an address that never signed in waits: {elsewhere}");
    let mine = throttle.begin("ADA", home, now).expect("the own place is free");
    throttle.right(mine);
    assert!(throttle.begin("ada", ip("203.0.113.9"), now.after(Duration::from_secs(31))).is_ok(), "and not for ever");
}

#[test]
fn guesses_from_one_place_run_out_and_come_back() {
    let throttle = throttle();
    let from = ip("10.0.0.8");
    assert_eq!((0..100).filter(|_| throttle.begin("ada", from, NOW).is_ok()).count(), 5);
    let wait = throttle.begin("ada", from, NOW).err().unwrap();
    assert!(wait > Duration::from_secs(50) && wait <= Duration::from_secs(60), "{wait:?}");
    assert!(throttle.begin("ada", from, NOW.after(wait)).is_ok());
    let others = (0..200).filter(|n| throttle.begin(&format!("login-{n}"), from, NOW).is_ok()).count();
    assert!((40..=50).contains(&others), "one address tries many logins: {others}");
    // A customer of IPv6 has a whole network.
    let six = (0..200).filter(|n| throttle.begin("eve", ip(&format!("2001:db8:1:2::{n:x}")), NOW).is_ok()).count();
    assert_eq!(six, 5);
}

#[test]
fn right_ones_cost_nothing() {
    let throttle = throttle();
    for _ in 0..1000 {
        let attempt = throttle.begin("ada", ip("10.0.0.9"), NOW).ok().unwrap();
        throttle.right(attempt);
    }
}

#[test]
fn a_flood_of_logins_stays_bounded() {
    let throttle = throttle();
    for n in 0..20_000u32 {
        let from = std::net::IpAddr::from(std::net::Ipv4Addr::from(n.wrapping_mul(2_654_435_761)));
        let _ = throttle.begin(&format!("login-{n}"), from, NOW.after(Duration::from_millis(u64::from(n))));
    }
    let victim = ip("192.0.2.1");
    assert_eq!(
        (0..20).filter(|_| throttle.begin("ada", victim, NOW.after(Duration::from_secs(20))).is_ok()).count(),
        5
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// However guesses are spread over time, no more get through than the pair's allowance.
    #[test]
    fn never_more_than_the_allowance(gaps in proptest::collection::vec(0u64..400, 1..200)) {
        let throttle = throttle();
        let mut now = NOW;
        let mut through = 0u64;
        for gap in &gaps {
            now = now.after(Duration::from_secs(*gap));
            through += u64::from(throttle.begin("ada", ip("10.0.0.1"), now).is_ok());
        }
        prop_assert!(through <= 5 + now.since(NOW).as_secs() / 60 + 1);
    }
}
