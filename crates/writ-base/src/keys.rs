//! The typed key registry: which keys exist, who holds them, where, when they change and what is lost without them;
//! and the two operations that all of them share, sealing and opening (XChaCha20-Poly1305).
//!
//! Each purpose has its own random key; none is derived from another's. A key at rest is sealed under the
//! key-encryption key, which comes from a file, a systemd credential or a command and is never stored beside them.

use std::fmt;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::Randomness;

macro_rules! purposes {
    ($($variant:ident = $name:literal { holder: $holder:literal, place: $place:literal, rotation: $rotation:literal, lost: $lost:literal })+) => {
        /// What a key is for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum KeyPurpose {
            $(#[doc = $lost] #[serde(rename = $name)] $variant,)+
        }

        impl KeyPurpose {
            /// All purposes, in the order of docs/keys.md.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name used in files, commands and documents.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// The role that holds the key.
            pub const fn holder(self) -> &'static str {
                match self { $(Self::$variant => $holder),+ }
            }

            /// Where the key lives.
            pub const fn place(self) -> &'static str {
                match self { $(Self::$variant => $place),+ }
            }

            /// When and how it changes.
            pub const fn rotation(self) -> &'static str {
                match self { $(Self::$variant => $rotation),+ }
            }

            /// What becomes unreadable or unprovable when it is lost or destroyed.
            pub const fn lost(self) -> &'static str {
                match self { $(Self::$variant => $lost),+ }
            }
        }
    };
}

purposes! {
    KeyEncryption = "key-encryption" { holder: "operator", place: "file, systemd credential or command output; never in the data directory", rotation: "`writ keys rotate key-encryption` seals every stored key anew", lost: "Every stored key, and with them all that they protect." }
    Personal = "personal" { holder: "serving process", place: "one per person and month, sealed in the state database", rotation: "a new one each month by itself", lost: "The personal parts of one person's records of one month: this is how a person is erased." }
    Locator = "locator" { holder: "serving process", place: "sealed in the data directory", rotation: "not rotated: older personal parts would not be found", lost: "Finding the key of a personal part: all personal parts become unreadable." }
    Identity = "identity" { holder: "serving process", place: "sealed in the data directory", rotation: "`writ keys rotate identity`; the epoch stands beside each digest", lost: "Finding the person who belongs to a login: everybody starts with a new internal id." }
    Pseudonym = "pseudonym" { holder: "serving process", place: "sealed in the data directory", rotation: "`writ keys rotate pseudonym` starts a new epoch", lost: "The link between old and new displayed pseudonyms." }
    Placeholder = "placeholder" { holder: "serving process", place: "sealed in the data directory", rotation: "`writ keys rotate placeholder` starts a new epoch", lost: "The same value gets another placeholder from then on; nothing becomes unreadable." }
    Mark = "mark" { holder: "serving process", place: "sealed in the data directory", rotation: "`writ keys rotate mark`; the former key is recognised for 90 days", lost: "Recognising older messages of Writ in a conversation." }
    ApiKey = "api-key" { holder: "serving process", place: "sealed in the data directory", rotation: "not rotated: callers would need new keys", lost: "Recognising callers: each needs a new API key." }
    Provider = "provider" { holder: "serving process", place: "sealed in the data directory", rotation: "`writ keys rotate provider` seals provider credentials anew", lost: "The stored credentials for AI services: they must be entered again." }
    Directory = "directory" { holder: "serving process", place: "sealed in the data directory", rotation: "`writ keys rotate directory` starts a new epoch; rows move to it when the directory is read again", lost: "What directories said of people (groups, training ...): it is read again from them." }
    Case = "case" { holder: "serving process", place: "sealed in the data directory", rotation: "`writ keys rotate case` starts a new epoch", lost: "The texts of objections and requests, of their answers, the purposes of reveals, and what may still be chosen after stops of the last day." }
    SealedTerms = "sealed-terms" { holder: "serving process", place: "sealed in the data directory", rotation: "`writ keys rotate sealed-terms`; each sealed block of a policy names its epoch", lost: "Telling which sealed terms a text holds: their owners seal their lists again." }
    Content = "content" { holder: "serving process", place: "sealed in the data directory", rotation: "`writ keys rotate content`; choices after earlier stops end", lost: "Telling again, after a restart, what was stopped or chosen: those messages are judged anew." }
    Policy = "policy" { holder: "serving process", place: "sealed in the data directory", rotation: "`writ keys rotate policy` starts a new epoch", lost: "The texts of policies that ran, and what stood beside them: records cannot be decided again." }
    Draft = "draft" { holder: "serving process", place: "sealed in the data directory", rotation: "`writ keys rotate draft` starts a new epoch; a draft moves to it when it is kept again", lost: "Drafts of the policy that people keep in the console; the policy that runs is a file of its own." }
    Page = "page" { holder: "serving process", place: "sealed in the data directory", rotation: "`writ keys rotate page`; links to pages about earlier stops end", lost: "Links to pages about earlier stops stop working." }
    Authority = "authority" { holder: "serving process", place: "sealed in the data directory", rotation: "not rotated: new intermediates are made with `writ ca`", lost: "The keys of the certificate authority's intermediates: they must be issued again." }
    Checkpoint = "checkpoint" { holder: "serving process", place: "Ed25519, sealed in the data directory; the public half is in every checkpoint", rotation: "`writ keys rotate checkpoint`; the old key signs the new one", lost: "Signing new checkpoints; old ones stay verifiable." }
    Reveal = "reveal" { holder: "two of the named holders together", place: "X25519; the public half on the server, the private half split into shares that leave it", rotation: "`writ keys rotate reveal`; old shares open old records", lost: "Telling who a pseudonym is, for ever." }
    Spool = "spool" { holder: "serving process", place: "memory only, one per interaction", rotation: "one per interaction", lost: "The held body of one interaction, which is the intention." }
    Vault = "vault" { holder: "serving process", place: "memory only, one per start", rotation: "every start", lost: "Restoring placeholders of earlier answers; they stay as they are." }
    Cache = "cache" { holder: "serving process", place: "memory only, one per start", rotation: "every start", lost: "Nothing: texts are scanned again." }
}

impl KeyPurpose {
    /// The purpose with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|purpose| purpose.name() == name)
    }
}

impl fmt::Display for KeyPurpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// 256 secret bits. Overwritten in memory when dropped; never printed.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct SecretKey([u8; 32]);

impl SecretKey {
    /// A new random key.
    pub fn generate(randomness: &dyn Randomness) -> Self {
        let mut bytes = [0; 32];
        randomness.fill(&mut bytes);
        Self(bytes)
    }

    /// The key with these bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes: for the cipher, hash or signature that the key was made for.
    pub const fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// Seals `plain` for `context`: nonce (24 bytes) and ciphertext. Only the same key and context open it.
    pub fn seal(&self, context: &[u8], plain: &[u8], randomness: &dyn Randomness) -> Vec<u8> {
        let mut nonce = [0; NONCE];
        randomness.fill(&mut nonce);
        let payload = Payload { msg: plain, aad: context };
        // XChaCha20-Poly1305 fails only beyond 256 GB, far above every limit of Writ.
        let sealed = self.cipher().encrypt(&XNonce::from(nonce), payload).unwrap_or_default();
        let mut bytes = Vec::with_capacity(NONCE + sealed.len());
        bytes.extend_from_slice(&nonce);
        bytes.extend_from_slice(&sealed);
        bytes
    }

    /// Opens what [`SecretKey::seal`] made.
    ///
    /// # Errors
    /// If the key or the context is another one, or the bytes were changed.
    pub fn open(&self, context: &[u8], sealed: &[u8]) -> Result<Vec<u8>, CannotOpen> {
        let (nonce, ciphertext) = sealed.split_first_chunk::<NONCE>().ok_or(CannotOpen)?;
        let payload = Payload { msg: ciphertext, aad: context };
        self.cipher().decrypt(&XNonce::from(*nonce), payload).map_err(|_| CannotOpen)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&self.0.into())
    }
}

/// Length of the nonce of XChaCha20-Poly1305 in bytes: long enough to be drawn at random.
const NONCE: usize = 24;

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey")
    }
}

/// Sealed bytes that this key does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot open sealed data: the key or its context is another one, or the data was changed")]
pub struct CannotOpen;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SeededRandom;

    #[test]
    fn opens_only_with_the_same_key_and_context() {
        let randomness = SeededRandom::new(3);
        let (key, other) = (SecretKey::generate(&randomness), SecretKey::generate(&randomness));
        let sealed = key.seal(b"here", b"value", &randomness);
        assert_eq!(key.open(b"here", &sealed).unwrap(), b"value");
        assert_eq!(key.open(b"there", &sealed), Err(CannotOpen));
        assert_eq!(other.open(b"here", &sealed), Err(CannotOpen));
        let mut changed = sealed.clone();
        changed[30] ^= 1;
        assert_eq!(key.open(b"here", &changed), Err(CannotOpen));
        assert_eq!(key.open(b"here", &sealed[..10]), Err(CannotOpen));
    }

    #[test]
    fn names_are_unique_and_found() {
        for purpose in KeyPurpose::ALL {
            assert_eq!(KeyPurpose::named(purpose.name()), Some(*purpose));
        }
        assert_eq!(KeyPurpose::named("nothing"), None);
    }
}
