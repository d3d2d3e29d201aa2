//! Signed statements about the ledger, and the line of keys that sign them.

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use writ_base::{ContentHash, Moment, hash};
use writ_model::record::{ChainId, OrganisationId};

/// A signed Merkle root over the first `size` entries of a chain. Whoever keeps one can tell later whether the ledger
/// still begins with these very entries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Checkpoint {
    /// The chain.
    pub chain: ChainId,
    /// The organisation.
    pub organisation: OrganisationId,
    /// How many entries it speaks about: those with a sequence below.
    pub size: u64,
    /// The Merkle tree hash over their hashes (RFC 6962 section 2.1).
    pub root: ContentHash,
    /// When it was made.
    pub time: Moment,
    /// The Ed25519 public key, as 64 hexadecimal digits.
    pub key: ContentHash,
    /// The signature (RFC 8032) over the text of [`Checkpoint::signed_text`], as 128 hexadecimal digits.
    pub signature: String,
}

impl Checkpoint {
    /// What is signed: one field a line, each with its newline.
    pub fn signed_text(&self) -> String {
        let Self { chain, organisation, size, root, time, key, .. } = self;
        format!("writ checkpoint 1\n{chain}\n{organisation}\n{size}\n{root}\n{}\n{key}\n", time.nanos())
    }

    /// Whether the signature is that of the named key. Whose key it is, is another question.
    pub fn signature_valid(&self) -> bool {
        signed_by(self.key, self.signed_text().as_bytes(), &self.signature)
    }
}

/// A change of the key that signs checkpoints: the old key vouches for the new one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct CheckpointKeyChange {
    /// The key that signed until now.
    pub from: ContentHash,
    /// The key that signs from now on.
    pub to: ContentHash,
    /// Signature of the old key.
    pub signature: String,
}

impl CheckpointKeyChange {
    fn signed_text(chain: ChainId, to: ContentHash) -> String {
        format!("writ checkpoint key 1\n{chain}\n{to}\n")
    }

    /// Whether the old key vouched for the new one in this chain.
    pub fn signature_valid(&self, chain: ChainId) -> bool {
        signed_by(self.from, Self::signed_text(chain, self.to).as_bytes(), &self.signature)
    }
}

/// Signs checkpoints of one chain.
pub struct CheckpointSigner(SigningKey);

impl CheckpointSigner {
    /// The signer with this secret key.
    pub fn new(secret: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(secret))
    }

    /// The public half.
    pub fn public(&self) -> ContentHash {
        ContentHash::from_bytes(self.0.verifying_key().to_bytes())
    }

    pub(crate) fn sign(
        &self,
        chain: ChainId,
        organisation: OrganisationId,
        (size, root): (u64, ContentHash),
        time: Moment,
    ) -> Checkpoint {
        let key = self.public();
        let mut checkpoint = Checkpoint { chain, organisation, size, root, time, key, signature: String::new() };
        checkpoint.signature = self.signature(checkpoint.signed_text().as_bytes());
        checkpoint
    }

    pub(crate) fn vouch(&self, chain: ChainId, to: ContentHash) -> CheckpointKeyChange {
        let signature = self.signature(CheckpointKeyChange::signed_text(chain, to).as_bytes());
        CheckpointKeyChange { from: self.public(), to, signature }
    }

    fn signature(&self, text: &[u8]) -> String {
        hash::hex(&self.0.sign(text).to_bytes())
    }
}

fn signed_by(key: ContentHash, text: &[u8], signature: &str) -> bool {
    let Ok(key) = VerifyingKey::from_bytes(key.as_bytes()) else { return false };
    let Ok(signature) = hash::parse_hex::<64>(signature) else { return false };
    key.verify_strict(text, &Signature::from_bytes(&signature)).is_ok()
}
