//! Passwords: Argon2id (RFC 9106), off the event loop, a few at a time.

use std::sync::atomic::{AtomicUsize, Ordering};

use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;
use writ_base::{Randomness, Sensitive};

use crate::limits::{HASHING, LOGIN_BYTES, PASSWORD_BYTES};

/// What hashing a password costs whoever guesses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hashing {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
}

impl Default for Hashing {
    /// 19 MiB and two passes: OWASP's Password Storage Cheat Sheet.
    fn default() -> Self {
        Self { memory_kib: 19 * 1024, passes: 2 }
    }
}

/// Hashes and checks passwords.
pub struct Passwords {
    hashing: Hashing,
    permits: Semaphore,
    waiting: AtomicUsize,
    /// What the password of an unknown login is checked against, so that it takes as long as that of a known one.
    nobody: String,
}

/// Too many passwords wait to be checked; or the hash cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many passwords are being checked; try again in a moment")]
pub struct Busy;

/// Why a password will not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Weak {
    /// Too short.
    #[error("a password has at least {PASSWORD_CHARACTERS_MIN} characters")]
    Short,
    /// Too long.
    #[error("a password has at most 1024 bytes")]
    Long,
    /// Few different characters.
    #[error("this password repeats itself; take several words")]
    Repeats,
    /// Holds the login.
    #[error("a password does not contain the login")]
    ContainsLogin,
}

/// The shortest password that somebody can choose.
pub const PASSWORD_CHARACTERS_MIN: usize = 12;
/// Passwords hashed at the same time: each takes [`Hashing::memory_kib`] and a core.
const AT_ONCE: usize = 2;

impl Passwords {
    /// Hashes at this cost.
    pub fn new(hashing: Hashing, randomness: &dyn Randomness) -> Self {
        let mut nobody = [0; 16];
        randomness.fill(&mut nobody);
        let nobody = hash_now(hashing, &nobody, randomness).unwrap_or_default();
        Self { hashing, permits: Semaphore::new(AT_ONCE), waiting: AtomicUsize::new(0), nobody }
    }

    /// The hash of a password, as a PHC string.
    ///
    /// # Errors
    /// If too many wait.
    pub async fn hash(&self, password: &Sensitive<String>, randomness: &dyn Randomness) -> Result<String, Busy> {
        let mut salt = [0; 16];
        randomness.fill(&mut salt);
        let (hashing, password) = (self.hashing, password.clone());
        self.run(move || hash_salted(hashing, password.expose().as_bytes(), &salt)).await?.ok_or(Busy)
    }

    /// Whether this is the password of a hash. Without a hash it is not, and takes as long to say.
    ///
    /// # Errors
    /// If too many wait.
    pub async fn verify(&self, password: &Sensitive<String>, hash: Option<&str>) -> Result<bool, Busy> {
        let known = hash.is_some();
        let (hash, password) = (hash.unwrap_or(&self.nobody).to_owned(), password.clone());
        let fits = self.run(move || Argon2::default().verify_password(password.expose().as_bytes(), &*hash).is_ok());
        Ok(fits.await? && known)
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Busy> {
        /// Counts down also when the caller goes away.
        struct Place<'a>(&'a AtomicUsize);
        impl Drop for Place<'_> {
            fn drop(&mut self) {
                self.0.fetch_sub(1, Ordering::AcqRel);
            }
        }
        let place = Place(&self.waiting);
        if !HASHING.admits(self.waiting.fetch_add(1, Ordering::AcqRel) + 1) {
            return Err(Busy);
        }
        let _permit = self.permits.acquire().await.map_err(|_| Busy)?;
        let done = tokio::task::spawn_blocking(work).await.map_err(|_| Busy);
        drop(place);
        done
    }
}

/// Whether a password is good enough for a login.
///
/// # Errors
/// Why not.
pub fn admit_password(password: &Sensitive<String>, login: Option<&str>) -> Result<(), Weak> {
    let text = password.expose();
    if !PASSWORD_BYTES.admits(text.len()) {
        return Err(Weak::Long);
    }
    if text.chars().count() < PASSWORD_CHARACTERS_MIN {
        return Err(Weak::Short);
    }
    let different: std::collections::BTreeSet<char> = text.chars().collect();
    if different.len() < 5 {
        return Err(Weak::Repeats);
    }
    let name = login.map(|login| login.split('@').next().unwrap_or(login).to_lowercase());
    if name.is_some_and(|name| name.len() >= 4 && text.to_lowercase().contains(&name)) {
        return Err(Weak::ContainsLogin);
    }
    Ok(())
}

/// A password for the first sign-in: 100 random bits in Crockford's base 32, in groups of five.
pub fn first_password(randomness: &dyn Randomness) -> Sensitive<String> {
    const ALPHABET: [char; 32] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'j', 'k', 'm', 'n',
        'p', 'q', 'r', 's', 't', 'v', 'w', 'x', 'y', 'z',
    ];
    let mut bytes = [0; 20];
    randomness.fill(&mut bytes);
    let mut text = String::with_capacity(23);
    for (place, byte) in bytes.iter().enumerate() {
        if place > 0 && place % 5 == 0 {
            text.push('-');
        }
        text.extend(ALPHABET.get(usize::from(byte % 32)));
    }
    Sensitive::new(text)
}

/// Whether login and password have a length that anybody's could have.
pub(crate) fn plausible(login: &str, password: &str) -> bool {
    !login.is_empty() && LOGIN_BYTES.admits(login.len()) && PASSWORD_BYTES.admits(password.len())
}

fn hash_now(hashing: Hashing, password: &[u8], randomness: &dyn Randomness) -> Option<String> {
    let mut salt = [0; 16];
    randomness.fill(&mut salt);
    hash_salted(hashing, password, &salt)
}

fn hash_salted(hashing: Hashing, password: &[u8], salt: &[u8]) -> Option<String> {
    let params = Params::new(hashing.memory_kib, hashing.passes, 1, None).ok()?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    argon2.hash_password_with_salt(password, salt).ok().map(|hash| hash.to_string())
}
