//! What guessing costs: counters that fill up again with time, so that nobody is locked out for ever.
//!
//! A wrong guess takes one from three counters: of the address, of the login, and of the two together. Where one is
//! empty the guess is not even looked at. An address from which a login has signed in before does not use the login's
//! counter: whoever guesses from elsewhere cannot keep the person out of their own place. A right one gives back.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use parking_lot::Mutex;
use writ_base::keys::SecretKey;
use writ_base::{KeyedDigest, Moment, Randomness};

use crate::limits::GUESSES;

/// How many guesses a counter allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// So many at once.
    pub burst: u32,
    /// Then one in this time.
    pub every: Duration,
}

/// The three allowances.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThrottleOptions {
    /// Of one login from one address.
    pub pair: Allowance,
    /// Of one login from all addresses from which it never signed in.
    pub login: Allowance,
    /// Of one address with all logins.
    pub address: Allowance,
}

impl Default for ThrottleOptions {
    /// 5 and one a minute for a pair, 20 and one in 30 s for a login, 50 and one in 6 s for an address: about 3,000
    /// guesses a day at one login.
    fn default() -> Self {
        Self {
            pair: Allowance { burst: 5, every: Duration::from_secs(60) },
            login: Allowance { burst: 20, every: Duration::from_secs(30) },
            address: Allowance { burst: 50, every: Duration::from_secs(6) },
        }
    }
}

/// Counts guesses. It knows keyed digests only.
pub struct Throttle {
    options: ThrottleOptions,
    key: SecretKey,
    counters: Mutex<HashMap<KeyedDigest, Counter>>,
    /// Pairs of login and address that signed in.
    proved: Mutex<HashMap<KeyedDigest, Moment>>,
}

/// Guesses left, and when that was so.
#[derive(Clone, Copy)]
struct Counter {
    left: f64,
    at: Moment,
    allowance: Allowance,
}

/// A guess that was let through.
#[derive(Debug)]
pub struct Attempt {
    pair: KeyedDigest,
    taken: Vec<KeyedDigest>,
    at: Moment,
}

/// How long an address from which somebody signed in is remembered.
const PROVED: Duration = Duration::from_secs(90 * 86_400);

impl Throttle {
    /// New counters.
    pub fn new(options: ThrottleOptions, randomness: &dyn Randomness) -> Self {
        let key = SecretKey::generate(randomness);
        Self { options, key, counters: Mutex::default(), proved: Mutex::default() }
    }

    /// Lets a guess through, and counts it as wrong until [`Throttle::right`] says otherwise.
    ///
    /// # Errors
    /// How long to wait.
    pub fn begin(&self, login: &str, address: IpAddr, now: Moment) -> Result<Attempt, Duration> {
        let login = login.to_lowercase();
        let address = network(address);
        let digest = |kind: &str, login: &str, address: &str| {
            KeyedDigest::of_parts(self.key.expose(), [kind.as_bytes(), login.as_bytes(), address.as_bytes()])
        };
        let pair = digest("pair", &login, &address);
        let mut wanted = vec![(pair, self.options.pair), (digest("address", "", &address), self.options.address)];
        if !self.proved(pair, now) {
            wanted.push((digest("login", &login, ""), self.options.login));
        }
        let mut counters = self.counters.lock();
        let waits = wanted.iter().filter_map(|(key, allowance)| current(&counters, *key, *allowance, now).wait());
        if let Some(longest) = waits.max() {
            return Err(longest);
        }
        for (key, allowance) in &wanted {
            let counter = current(&counters, *key, *allowance, now);
            make_room(&mut counters, *key, now);
            counters.insert(*key, Counter { left: counter.left - 1.0, ..counter });
        }
        Ok(Attempt { pair, taken: wanted.into_iter().map(|(key, _)| key).collect(), at: now })
    }

    /// The guess was right: it costs nothing, and the address is one from which this login signs in.
    pub fn right(&self, attempt: Attempt) {
        let mut counters = self.counters.lock();
        for key in &attempt.taken {
            if let Some(counter) = counters.get_mut(key) {
                counter.left = (counter.left + 1.0).min(f64::from(counter.allowance.burst));
            }
        }
        drop(counters);
        let mut proved = self.proved.lock();
        if !proved.contains_key(&attempt.pair) && !GUESSES.admits(proved.len() + 1) {
            let oldest = proved.iter().min_by_key(|(key, at)| (**at, *key.as_bytes())).map(|(key, _)| *key);
            oldest.map(|key| proved.remove(&key));
        }
        proved.insert(attempt.pair, attempt.at);
    }

    fn proved(&self, pair: KeyedDigest, now: Moment) -> bool {
        self.proved.lock().get(&pair).is_some_and(|at| now.since(*at) < PROVED)
    }
}

impl Counter {
    /// How long until there is a guess left.
    fn wait(self) -> Option<Duration> {
        (self.left < 1.0).then(|| self.allowance.every.mul_f64((1.0 - self.left).clamp(0.0, 1.0)))
    }
}

fn current(counters: &HashMap<KeyedDigest, Counter>, key: KeyedDigest, allowance: Allowance, now: Moment) -> Counter {
    let full = f64::from(allowance.burst);
    let left = counters.get(&key).map_or(full, |counter| {
        let back = now.since(counter.at).as_secs_f64() / allowance.every.as_secs_f64().max(f64::EPSILON);
        (counter.left + back).min(full)
    });
    Counter { left, at: now, allowance }
}

/// Forgets counters that are full again, and if there are none the fullest one.
fn make_room(counters: &mut HashMap<KeyedDigest, Counter>, key: KeyedDigest, now: Moment) {
    if counters.contains_key(&key) || GUESSES.admits(counters.len() + 1) {
        return;
    }
    let missing = |counter: &Counter| {
        let back = now.since(counter.at).as_secs_f64() / counter.allowance.every.as_secs_f64().max(f64::EPSILON);
        f64::from(counter.allowance.burst) - counter.left - back
    };
    counters.retain(|_, counter| missing(counter) > 0.0);
    if !GUESSES.admits(counters.len() + 1) {
        let fullest = counters.iter().min_by(|(_, a), (_, b)| missing(a).total_cmp(&missing(b))).map(|(key, _)| *key);
        fullest.map(|key| counters.remove(&key));
    }
}

/// What counts as one address: a host of IPv4, the /64 of a host of IPv6, which is what one customer has at least.
pub(crate) fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}
