//! What the ledger is given and what it gives back.

use serde::{Deserialize, Serialize};
use writ_base::keys::KeyPurpose;
use writ_base::{ContentHash, Moment};
use writ_model::interaction::InteractionId;
use writ_model::record::{AdminAct, ChainId, DecisionSkeleton, EntryKind, OutcomeSkeleton};

/// An entry to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEntry {
    /// What it says.
    pub kind: EntryKind,
    /// The interaction it is about; decisions and outcomes have one.
    pub interaction: Option<InteractionId>,
    /// When it happened.
    pub event_time: Moment,
    /// JSON, stored byte by byte. No person, address, host name, device or free text.
    pub skeleton: Vec<u8>,
    /// The sealed personal part.
    pub personal: Option<SealedPart>,
}

/// A personal part sealed under a key of one person and one month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedPart(pub(crate) Vec<u8>);

impl SealedPart {
    /// The sealed bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl NewEntry {
    /// A verdict. Written before the first byte of its interaction leaves.
    pub fn decision(skeleton: &DecisionSkeleton, personal: Option<SealedPart>, event_time: Moment) -> Self {
        let interaction = Some(skeleton.interaction);
        Self { kind: EntryKind::Decision, interaction, event_time, skeleton: to_json(skeleton), personal }
    }

    /// The end of an interaction.
    pub fn outcome(skeleton: &OutcomeSkeleton, event_time: Moment) -> Self {
        let interaction = Some(skeleton.interaction);
        Self { kind: EntryKind::Outcome, interaction, event_time, skeleton: to_json(skeleton), personal: None }
    }

    /// An act that changes state. Written before it takes effect.
    pub fn admin_act(act: &AdminAct, personal: Option<SealedPart>, event_time: Moment) -> Self {
        let skeleton = to_json(act);
        Self { kind: EntryKind::AdminAct, interaction: None, event_time, skeleton, personal }
    }

    /// A key was made, changed or destroyed.
    pub fn key_event(event: &KeyEvent, event_time: Moment) -> Self {
        let skeleton = to_json(event);
        Self { kind: EntryKind::KeyRotation, interaction: None, event_time, skeleton, personal: None }
    }

    /// Any other kind, with a skeleton that serialises to a JSON object.
    pub fn of_kind<T: Serialize>(
        kind: EntryKind,
        skeleton: &T,
        personal: Option<SealedPart>,
        event_time: Moment,
    ) -> Self {
        Self { kind, interaction: None, event_time, skeleton: to_json(skeleton), personal }
    }
}

/// The skeleton of a key-rotation entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct KeyEvent {
    /// Which key.
    pub purpose: KeyPurpose,
    /// What happened to it.
    pub event: KeyChange,
    /// The epoch that is current from now on, for keys that have epochs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u32>,
    /// Ids of the keys destroyed, as hexadecimal digits: keys of persons, which are told by a random id only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<String>,
}

/// What happened to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyChange {
    /// Made for the first time.
    Made,
    /// Followed by a new one.
    Rotated,
    /// Gone for ever.
    Destroyed,
}

/// Why entries may be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GapReason {
    /// The last write was cut off: its bytes were removed.
    TornTail,
    /// The machine stopped: what was written in the last moments before may not have reached the disk.
    PowerLoss,
}

/// The skeleton of a gap entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Gap {
    /// Why.
    pub reason: GapReason,
    /// Bytes that were removed.
    pub bytes: u64,
    /// How many entries these bytes can have been at most.
    pub entries_at_most: u64,
    /// Entries of the last so many milliseconds before the stop may be missing beside them.
    pub window_ms: u64,
}

/// Where an entry stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryRef {
    /// The chain.
    pub chain: ChainId,
    /// Its number in the chain.
    pub sequence: u64,
    /// Its hash.
    pub hash: ContentHash,
}

/// JSON of plain data of this crate and of `writ-model`, whose maps have text as keys: it cannot fail.
pub(crate) fn to_json<T: Serialize>(value: &T) -> Vec<u8> {
    let mut json = Vec::with_capacity(USUAL_BYTES);
    match serde_json::to_writer(&mut json, value) {
        Ok(()) => json,
        Err(_) => Vec::new(),
    }
}

/// What most skeletons take.
const USUAL_BYTES: usize = 1536;
