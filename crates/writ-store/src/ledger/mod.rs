//! The ledger: the append-only chain of entries of one writing node (invariant STO-1).
//!
//! [`Ledger::append`] answers when the entry is as safe as the [`Durability`] says. One thread writes, so that entries
//! have one order; a second one syncs, so that nobody waits for the disk without need. Readers ([`LedgerReader`]) and
//! verification ([`verify`]) need no writer and no key.

mod chain;
mod checkpoint;
mod entry;
mod error;
mod format;
mod merkle;
mod reader;
mod recovery;
mod verify;
mod writer;

use std::sync::Arc;
use std::time::Duration;

use writ_base::{Clock, Randomness};
use writ_model::record::{ChainId, OrganisationId};

pub use checkpoint::{Checkpoint, CheckpointKeyChange, CheckpointSigner};
pub use entry::{EntryRef, Gap, GapReason, KeyChange, KeyEvent, NewEntry, SealedPart};
pub use error::LedgerError;
pub use format::{Entry, FORMAT_VERSION, Header, SegmentHead};
pub use merkle::{extension_proved, prove_extension};
pub use reader::LedgerReader;
pub use recovery::Opening;
pub use verify::{Trust, Verified, VerifyError, verify};

use crate::storage::Storage;
use writer::Writer;

/// When an entry counts as written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// When the system has it: survives the end of the process. A power cut loses at most the time of
    /// [`LedgerConfig::sync_within`], and the next start says so.
    #[default]
    Process,
    /// When the disk has it: survives a power cut.
    Power,
}

/// How a ledger is written.
#[derive(Clone, Debug)]
pub struct LedgerConfig {
    /// Whose ledger it is.
    pub organisation: OrganisationId,
    /// When an entry counts as written.
    pub durability: Durability,
    /// A segment that has grown to so many bytes is sealed.
    pub segment_bytes: u64,
    /// Time between checkpoints.
    pub checkpoint_every: Duration,
    /// With [`Durability::Process`]: everything written is on its way to the disk within this time.
    pub sync_within: Duration,
}

impl LedgerConfig {
    /// The defaults: durability `process`, segments of 64 MiB, a checkpoint every minute, sync within 20 ms.
    pub fn new(organisation: OrganisationId) -> Self {
        Self {
            organisation,
            durability: Durability::Process,
            segment_bytes: 64 * 1024 * 1024,
            checkpoint_every: chain::CHECKPOINT_EVERY,
            sync_within: Duration::from_millis(20),
        }
    }
}

/// The writing end of the ledger; clones share it. The last clone that is dropped closes it.
#[derive(Clone)]
pub struct Ledger {
    storage: Arc<dyn Storage>,
    writer: Arc<Writer>,
    chain: ChainId,
    opening: Opening,
}

impl Ledger {
    /// Opens the chain in `storage`, or starts one. `signers` are the keys for checkpoints from the oldest epoch to the
    /// current one: the chain's present key must be among them, and changes to the last one if it is another.
    ///
    /// After a crash this cuts off a torn write, writes a gap entry and closes interactions that were under way.
    ///
    /// # Errors
    /// If another process writes it, a newer version wrote it, it is damaged, the key is missing, or the disk refuses.
    pub fn open(
        storage: Arc<dyn Storage>,
        config: LedgerConfig,
        signers: Vec<CheckpointSigner>,
        clock: Arc<dyn Clock>,
        randomness: &dyn Randomness,
    ) -> Result<Self, LedgerError> {
        let means = recovery::Means { config, signers, clock, randomness };
        let (chain, opening) = recovery::open(storage.clone(), means)?;
        let id = chain.id;
        let writer = Arc::new(Writer::start(chain)?);
        Ok(Self { storage, writer, chain: id, opening })
    }

    /// Writes an entry. The order of entries is the order in which their futures were first polled.
    ///
    /// If the future is dropped after its first poll, the entry may still be written.
    ///
    /// # Errors
    /// If the entry is over a limit, the disk refuses, or the ledger was stopped or closed. Then the entry is not in
    /// the ledger, except after a failed sync ([`LedgerError::Stopped`] from then on), when it may be.
    pub async fn append(&self, entry: NewEntry) -> Result<EntryRef, LedgerError> {
        self.writer.append(entry).await
    }

    /// Queues an entry of which nobody needs to know when it is written; gives it back if the queue is full. It is
    /// written with the next entry of anybody, by [`Ledger::write_queued`], or within a quarter of a second. An entry
    /// that is refused is counted and said in the log.
    ///
    /// # Errors
    /// If there is no room: [`Ledger::append`] waits for some.
    pub fn append_later(&self, entry: NewEntry) -> Result<(), NewEntry> {
        self.writer.queue(entry)
    }

    /// Writes what is queued, unless somebody else does at the moment.
    pub fn write_queued(&self) {
        self.writer.write_queued();
    }

    /// As [`Ledger::append`], for callers that may block their thread.
    ///
    /// # Errors
    /// As [`Ledger::append`].
    pub fn append_blocking(&self, entry: NewEntry) -> Result<EntryRef, LedgerError> {
        // Without a budget: inside a task that has used up its own, waiting here would never end.
        writer::block_on(tokio::task::unconstrained(self.append(entry)))
    }

    /// Signs what is written so far, and waits until it is on the disk.
    ///
    /// # Errors
    /// As [`Ledger::append`].
    pub async fn checkpoint(&self) -> Result<Checkpoint, LedgerError> {
        self.writer.checkpoint().await
    }

    /// Changes the key that signs checkpoints; the present one vouches for it in an entry.
    ///
    /// # Errors
    /// As [`Ledger::append`].
    pub async fn change_signer(&self, next: CheckpointSigner) -> Result<(), LedgerError> {
        self.writer.change_signer(next).await
    }

    /// Writes what is queued, signs, syncs and ends. Later calls fail with [`LedgerError::Closed`].
    ///
    /// # Errors
    /// If the disk refuses; the next start then treats it as a crash.
    pub async fn close(&self) -> Result<(), LedgerError> {
        self.writer.close().await
    }

    /// Entries written so far, which is the sequence of the next one.
    pub fn position(&self) -> u64 {
        self.writer.position()
    }

    /// The chain's id.
    pub const fn chain(&self) -> ChainId {
        self.chain
    }

    /// What was found at the start.
    pub const fn opening(&self) -> Opening {
        self.opening
    }

    /// One entry, or `None` if there is none with this sequence. Its segment is read and checked up to it: at most
    /// [`LedgerConfig::segment_bytes`].
    ///
    /// # Errors
    /// If the ledger cannot be read, or is damaged before it.
    pub fn entry(&self, sequence: u64) -> Result<Option<Entry>, LedgerError> {
        self.reader(sequence).next().transpose().map(|entry| entry.filter(|it| it.header.sequence == sequence))
    }

    /// Reads from the entry with this sequence on.
    pub fn reader(&self, from: u64) -> LedgerReader {
        LedgerReader::new(self.storage.clone(), from)
    }
}
