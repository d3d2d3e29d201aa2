//! Personal parts of entries, readable identities, pseudonyms: everything by which a person could be told.

mod identity;
mod pseudonym;
mod shamir;

use writ_base::hash::KeyedDigest;
use writ_base::keys::{CannotOpen, SecretKey};
use writ_base::{Moment, Randomness};
use writ_model::interaction::InteractionId;
use writ_model::record::{EntryKind, OrganisationId};

pub use identity::{RevealError, SealedIdentity, new_reveal_key, open_identity};
pub use pseudonym::pseudonym;
pub use shamir::{Share, ShareError};

use crate::ledger::{Entry, SealedPart};

/// The key of one person and one month, ready to seal personal parts. Deleting the stored key makes them all
/// unreadable at once.
#[derive(Clone)]
pub struct PersonKey {
    pub(crate) id: [u8; 16],
    pub(crate) key: SecretKey,
    pub(crate) locator: SecretKey,
    pub(crate) organisation: OrganisationId,
}

/// The first byte of a sealed part.
const VERSION: u8 = 1;
const ID_BYTES: usize = 16;
const NONCE_BYTES: usize = 24;

impl PersonKey {
    /// Seals the personal part of an entry of this kind about this interaction. It opens in no other place.
    ///
    /// Layout: version · 16 bytes of key id, masked · nonce · ciphertext. The mask is a keyed hash of the nonce under
    /// the locator key: without that key two parts of one person cannot be told from parts of two.
    pub fn seal(
        &self,
        kind: EntryKind,
        interaction: Option<InteractionId>,
        plain: &[u8],
        randomness: &dyn Randomness,
    ) -> SealedPart {
        let sealed = self.key.seal(&context(self.organisation, kind, interaction), plain, randomness);
        let mut bytes = Vec::with_capacity(1 + ID_BYTES + sealed.len());
        bytes.push(VERSION);
        bytes.extend_from_slice(&masked(&self.locator, sealed.get(..NONCE_BYTES).unwrap_or_default(), self.id));
        bytes.extend_from_slice(&sealed);
        SealedPart(bytes)
    }

    /// Opens the personal part of an entry.
    ///
    /// # Errors
    /// If it was sealed under another key or for another entry.
    pub fn open(&self, entry: &Entry) -> Result<Vec<u8>, CannotOpen> {
        let sealed = entry.personal.as_deref().and_then(|part| part.get(1 + ID_BYTES..)).ok_or(CannotOpen)?;
        let header = &entry.header;
        self.key.open(&context(header.organisation, header.kind, header.interaction), sealed)
    }
}

/// The id of the key that a sealed part needs, or `None` if it is no part of this version.
pub(crate) fn key_id(part: &[u8], locator: &SecretKey) -> Option<[u8; 16]> {
    let (version, rest) = part.split_first()?;
    let (id, rest) = rest.split_first_chunk::<ID_BYTES>()?;
    let nonce = rest.get(..NONCE_BYTES)?;
    (*version == VERSION).then(|| masked(locator, nonce, *id))
}

/// Masks or unmasks; the nonce never repeats, so the mask never does.
fn masked(locator: &SecretKey, nonce: &[u8], mut id: [u8; 16]) -> [u8; 16] {
    let mask = KeyedDigest::of(locator.expose(), nonce);
    id.iter_mut().zip(mask.as_bytes()).for_each(|(byte, mask)| *byte ^= mask);
    id
}

fn context(organisation: OrganisationId, kind: EntryKind, interaction: Option<InteractionId>) -> Vec<u8> {
    let about = interaction.map_or(String::new(), |interaction| interaction.to_string());
    format!("writ personal 1\n{organisation}\n{kind:?}\n{about}\n").into_bytes()
}

/// The month of a moment, as year * 100 + month: how long one key of a person is used.
pub(crate) fn month(moment: Moment) -> i64 {
    let (year, month, _) = moment.date();
    year * 100 + i64::from(month)
}
