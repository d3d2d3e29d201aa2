//! One chain and its last segment: what the writer thread drives. No threads here, so that every order of failures can
//! be tried.

use std::any::Any;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use writ_base::{Clock, ContentHash, Moment};
use writ_model::interaction::InteractionId;
use writ_model::record::{ChainId, EntryKind};

use super::LedgerConfig;
use super::checkpoint::{Checkpoint, CheckpointSigner};
use super::entry::{EntryRef, NewEntry};
use super::error::LedgerError;
use super::format::{FORMAT_VERSION, Header, SegmentHead, segment_name};
use super::merkle::Tree;
use super::recovery::MARKER;
use crate::limits::{OPEN_INTERACTIONS, PERSONAL_BYTES, SKELETON_BYTES};
use crate::storage::{Storage, StorageFile};

/// The chain that this process writes.
pub(super) struct Chain {
    pub(super) storage: Arc<dyn Storage>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) config: LedgerConfig,
    pub(super) signer: CheckpointSigner,
    pub(super) id: ChainId,
    pub(super) tree: Tree,
    /// Hash of the last entry.
    pub(super) last: ContentHash,
    /// Interactions with a decision and no outcome.
    pub(super) open: BTreeSet<InteractionId>,
    pub(super) file: Arc<dyn StorageFile>,
    pub(super) name: String,
    /// Bytes of the file that are whole entries.
    pub(super) length: u64,
    /// When the last checkpoint was made, and how many entries there were with it.
    pub(super) last_checkpoint: (Moment, u64),
    /// Set when it is no longer known what the disk holds.
    pub(super) stopped: bool,
    pub(super) _lock: Box<dyn Any + Send + Sync>,
}

impl Chain {
    /// Writes entries with one write, in this order. An entry that is refused leaves no trace and does not stop the
    /// others; if the write fails, none of them is in the ledger.
    pub(super) fn write(&mut self, entries: &[NewEntry]) -> Vec<Result<EntryRef, LedgerError>> {
        if self.stopped {
            return entries.iter().map(|_| Err(LedgerError::Stopped)).collect();
        }
        let recorded = self.clock.now();
        let mut bytes = Vec::new();
        let (mut sequence, mut previous, mut opened) = (self.tree.size(), self.last, self.open.len());
        let mut answers = Vec::with_capacity(entries.len());
        for entry in entries {
            opened += usize::from(entry.kind == EntryKind::Decision);
            let answer = admit(entry, opened).map(|()| {
                let hash = self.encode(entry, sequence, previous, recorded, &mut bytes);
                let written = EntryRef { chain: self.id, sequence, hash };
                (sequence, previous) = (sequence + 1, hash);
                written
            });
            answers.push(answer);
        }
        if let Err(error) = self.put(&bytes) {
            return answers.into_iter().map(|answer| answer.and(Err(error.clone()))).collect();
        }
        for (entry, answer) in entries.iter().zip(&answers) {
            if let Ok(written) = answer {
                self.tree.push(written.hash);
                self.last = written.hash;
                self.note(entry.kind, entry.interaction);
            }
        }
        answers
    }

    /// Keeps count of interactions that wait for their outcome.
    pub(super) fn note(&mut self, kind: EntryKind, interaction: Option<InteractionId>) {
        match (kind, interaction) {
            (EntryKind::Decision, Some(interaction)) => {
                self.open.insert(interaction);
            }
            (EntryKind::Outcome, Some(interaction)) => {
                self.open.remove(&interaction);
            }
            _ => {}
        }
    }

    /// Waits until everything written is safe from a power cut.
    pub(super) fn sync(&mut self) -> Result<(), LedgerError> {
        if self.stopped {
            return Err(LedgerError::Stopped);
        }
        // After a failed sync nobody knows what the disk holds, and asking again would lie (fsync reports an error once).
        self.file.sync().map_err(LedgerError::io("sync", &self.name)).inspect_err(|_| self.stopped = true)
    }

    /// Whether it is time for a checkpoint.
    pub(super) fn checkpoint_due(&self) -> bool {
        let (time, size) = self.last_checkpoint;
        let now = self.clock.now();
        self.tree.size() > size && (now.since(time) >= self.config.checkpoint_every || now < time)
    }

    /// Signs what is there and writes it. Everything that it speaks about is safe on the disk before it is written: a
    /// bad byte before a checkpoint is damage, never a torn write.
    pub(super) fn checkpoint(&mut self) -> Result<Checkpoint, LedgerError> {
        self.sync()?;
        let now = self.clock.now();
        let size = self.tree.size();
        let checkpoint = self.signer.sign(self.id, self.config.organisation, (size, self.tree.root()), now);
        let entry = NewEntry::of_kind(EntryKind::Checkpoint, &checkpoint, None, now);
        self.write_one(entry)?;
        self.sync()?;
        self.last_checkpoint = (now, self.tree.size());
        Ok(checkpoint)
    }

    /// Lets the present key vouch for the next one, which signs from then on.
    pub(super) fn change_signer(&mut self, next: CheckpointSigner) -> Result<(), LedgerError> {
        if next.public() == self.signer.public() {
            return Ok(());
        }
        let change = CheckpointKeyEntry {
            purpose: writ_base::keys::KeyPurpose::Checkpoint,
            event: super::entry::KeyChange::Rotated,
            change: self.signer.vouch(self.id, next.public()),
        };
        self.write_one(NewEntry::of_kind(EntryKind::KeyRotation, &change, None, self.clock.now()))?;
        self.signer = next;
        self.sync()
    }

    /// Whether the present segment has all that it should hold.
    pub(super) fn full(&self) -> bool {
        self.length >= self.config.segment_bytes
    }

    /// Starts a new segment if the last one is full: signs and syncs the old one first.
    pub(super) fn roll_when_full(&mut self) -> Result<(), LedgerError> {
        if !self.full() || self.stopped {
            return Ok(());
        }
        self.checkpoint()?;
        let head = SegmentHead {
            chain: self.id,
            organisation: self.config.organisation,
            first: self.tree.size(),
            previous: self.last,
            frontier: self.tree.frontier().to_vec(),
            open: self.open.iter().copied().collect(),
            key: self.signer.public(),
        };
        let name = segment_name(head.first);
        match new_segment(&*self.storage, &name, &head) {
            Ok((file, length)) => {
                (self.file, self.name, self.length) = (file, name, length);
                Ok(())
            }
            Err(error) => {
                // A half-made segment must be gone for certain before the old one goes on, or the chain would fork.
                let gone = self.storage.remove(&name).is_ok() && self.storage.sync_names().is_ok();
                self.stopped = !gone;
                Err(error)
            }
        }
    }

    /// Signs, syncs and marks the end as intended.
    pub(super) fn close(&mut self) -> Result<(), LedgerError> {
        let (_, size) = self.last_checkpoint;
        if self.tree.size() > size {
            self.checkpoint()?;
        } else {
            self.sync()?;
        }
        self.storage.remove(MARKER).map_err(LedgerError::io("remove", MARKER))?;
        self.storage.sync_names().map_err(LedgerError::io("sync", MARKER))
    }

    pub(super) fn write_one(&mut self, entry: NewEntry) -> Result<EntryRef, LedgerError> {
        self.write(&[entry]).pop().unwrap_or(Err(LedgerError::Closed))
    }

    fn encode(
        &self,
        entry: &NewEntry,
        sequence: u64,
        previous: ContentHash,
        recorded_time: Moment,
        bytes: &mut Vec<u8>,
    ) -> ContentHash {
        let personal = entry.personal.as_ref().map(|part| part.0.as_slice());
        let header = Header {
            version: FORMAT_VERSION,
            kind: entry.kind,
            chain: self.id,
            organisation: self.config.organisation,
            interaction: entry.interaction,
            sequence,
            event_time: entry.event_time,
            recorded_time,
            previous,
            personal: personal.map(ContentHash::of),
        };
        header.write(&entry.skeleton, personal, bytes)
    }

    /// Appends whole entries, or leaves the file as it was.
    fn put(&mut self, bytes: &[u8]) -> Result<(), LedgerError> {
        let Err(error) = self.file.append(bytes) else {
            self.length += bytes.len() as u64;
            return Ok(());
        };
        let cut = self.file.truncate(self.length);
        self.stopped = cut.is_err();
        Err(LedgerError::io("write", &self.name)(error))
    }
}

/// The skeleton of the entry that changes the signing key.
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct CheckpointKeyEntry {
    pub(super) purpose: writ_base::keys::KeyPurpose,
    pub(super) event: super::entry::KeyChange,
    pub(super) change: super::checkpoint::CheckpointKeyChange,
}

/// Makes the file of a segment with its head, safe from a power cut.
pub(super) fn new_segment(
    storage: &dyn Storage,
    name: &str,
    head: &SegmentHead,
) -> Result<(Arc<dyn StorageFile>, u64), LedgerError> {
    let bytes = head.to_bytes();
    let file = storage.open(name, true).map_err(LedgerError::io("make", name))?;
    file.append(&bytes).map_err(LedgerError::io("write", name))?;
    file.sync().map_err(LedgerError::io("sync", name))?;
    storage.sync_names().map_err(LedgerError::io("sync", name))?;
    Ok((file.into(), bytes.len() as u64))
}

fn admit(entry: &NewEntry, open: usize) -> Result<(), LedgerError> {
    for (limit, bytes) in [
        (&SKELETON_BYTES, entry.skeleton.len()),
        (&PERSONAL_BYTES, entry.personal.as_ref().map_or(0, |part| part.0.len())),
    ] {
        if !limit.admits(bytes) {
            return Err(LedgerError::TooLarge { limit: limit.name(), bytes });
        }
    }
    if entry.kind == EntryKind::Decision && !OPEN_INTERACTIONS.admits(open) {
        return Err(LedgerError::TooManyOpen);
    }
    Ok(())
}

/// The default time between checkpoints.
pub(super) const CHECKPOINT_EVERY: Duration = Duration::from_secs(60);
