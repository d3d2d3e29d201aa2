//! The named limits of identity (invariant LIM-1).

use writ_base::Limit;

/// Sessions of the console at once; beyond it the one unused for longest ends.
pub static SESSIONS: Limit = Limit::new("identity.sessions", "sessions", 10_000);
/// Sessions of one account; beyond it the one unused for longest ends.
pub static SESSIONS_OF_ACCOUNT: Limit = Limit::new("identity.sessions.account", "sessions", 20);
/// Counters of guesses; beyond it the one with the fewest guesses is forgotten.
pub static GUESSES: Limit = Limit::new("identity.guesses", "counters", 50_000);
/// Passwords that wait to be hashed.
pub static HASHING: Limit = Limit::new("identity.hashing", "passwords", 32);
/// Logins and keys remembered by the gatekeeper; beyond it they are looked up anew.
pub static REMEMBERED: Limit = Limit::new("identity.remembered", "entries", 20_000);
/// Bytes of an address map.
pub static ADDRESS_MAP_BYTES: Limit = Limit::new("identity.address_map", "bytes", 16 * 1024 * 1024);
/// Bytes of a login.
pub static LOGIN_BYTES: Limit = Limit::new("identity.login", "bytes", 320);
/// Bytes of a password.
pub static PASSWORD_BYTES: Limit = Limit::new("identity.password", "bytes", 1024);

/// All limits of this crate, for the metrics page.
pub fn all() -> Vec<&'static Limit> {
    vec![
        &SESSIONS,
        &SESSIONS_OF_ACCOUNT,
        &GUESSES,
        &HASHING,
        &REMEMBERED,
        &ADDRESS_MAP_BYTES,
        &LOGIN_BYTES,
        &PASSWORD_BYTES,
    ]
}
