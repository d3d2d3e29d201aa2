//! Readable identities, sealed so that only the holders of reveal shares together can open them.

use writ_base::keys::{CannotOpen, SecretKey};
use writ_base::{ContentHash, Randomness};
use x25519_dalek::{PublicKey, StaticSecret};

use super::shamir::{Share, ShareError};

/// Bytes sealed to a reveal public key: an ephemeral public key (X25519, RFC 7748), then XChaCha20-Poly1305.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedIdentity(Vec<u8>);

/// Why an identity cannot be revealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RevealError {
    /// The shares do not fit.
    #[error(transparent)]
    Shares(#[from] ShareError),
    /// The joined key is not the one that the identity was sealed to.
    #[error("these shares are too few, or not of the key that this identity was sealed to")]
    WrongKey(#[from] CannotOpen),
}

/// Makes a reveal key: its public half, and the private half in shares of which any two open. The private half exists
/// nowhere else.
///
/// # Errors
/// If there are fewer than two holders.
pub fn new_reveal_key(holders: u8, randomness: &dyn Randomness) -> Result<(ContentHash, Vec<Share>), ShareError> {
    let secret = SecretKey::generate(randomness);
    let public = PublicKey::from(&StaticSecret::from(*secret.expose()));
    Ok((ContentHash::from_bytes(public.to_bytes()), Share::split(&secret, THRESHOLD, holders, randomness)?))
}

/// Shares needed for a reveal.
const THRESHOLD: u8 = 2;

impl SealedIdentity {
    /// Seals `plain` to a reveal public key, for one principal.
    pub(crate) fn seal(public: ContentHash, principal: &str, plain: &[u8], randomness: &dyn Randomness) -> Self {
        let ephemeral = StaticSecret::from(*SecretKey::generate(randomness).expose());
        let ephemeral_public = PublicKey::from(&ephemeral);
        let shared = ephemeral.diffie_hellman(&PublicKey::from(*public.as_bytes()));
        let key = box_key(shared.as_bytes(), &ephemeral_public, public);
        let mut bytes = ephemeral_public.to_bytes().to_vec();
        bytes.extend_from_slice(&key.seal(principal.as_bytes(), plain, randomness));
        Self(bytes)
    }

    pub(crate) const fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The sealed bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Opens a readable identity with the shares of two holders. The caller writes the reveal into the ledger first.
///
/// # Errors
/// If the shares are too few, repeated, or of another key.
pub fn open_identity(sealed: &SealedIdentity, principal: &str, shares: &[Share]) -> Result<Vec<u8>, RevealError> {
    let secret = StaticSecret::from(*Share::join(shares)?.expose());
    let (ephemeral, rest) = sealed.0.split_first_chunk::<32>().ok_or(CannotOpen)?;
    let ephemeral = PublicKey::from(*ephemeral);
    let public = ContentHash::from_bytes(PublicKey::from(&secret).to_bytes());
    let key = box_key(secret.diffie_hellman(&ephemeral).as_bytes(), &ephemeral, public);
    Ok(key.open(principal.as_bytes(), rest)?)
}

/// The key of one box: a hash of the shared secret and both public keys (BLAKE3 in its key derivation mode).
fn box_key(shared: &[u8; 32], ephemeral: &PublicKey, public: ContentHash) -> SecretKey {
    let mut hasher = blake3::Hasher::new_derive_key("writ 2026 sealed identity 1");
    hasher.update(shared).update(ephemeral.as_bytes()).update(public.as_bytes());
    SecretKey::from_bytes(*hasher.finalize().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use writ_base::SeededRandom;

    #[test]
    fn two_holders_open_and_one_does_not() {
        let randomness = SeededRandom::new(1);
        let (public, shares) = new_reveal_key(3, &randomness).unwrap();
        let sealed = SealedIdentity::seal(public, "pri_1", b"somebody", &randomness);
        assert_eq!(open_identity(&sealed, "pri_1", &shares[1..]).unwrap(), b"somebody");
        assert_eq!(open_identity(&sealed, "pri_2", &shares[1..]), Err(RevealError::WrongKey(CannotOpen)));
        assert_eq!(open_identity(&sealed, "pri_1", &shares[..1]), Err(RevealError::Shares(ShareError::Threshold)));
        let (_, others) = new_reveal_key(3, &randomness).unwrap();
        let mixed = [shares[0].clone(), others[1].clone()];
        assert_eq!(open_identity(&sealed, "pri_1", &mixed), Err(RevealError::WrongKey(CannotOpen)));
        assert!(new_reveal_key(1, &randomness).is_err());
    }
}
