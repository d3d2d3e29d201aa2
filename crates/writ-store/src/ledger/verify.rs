//! Proof that a ledger is whole: every entry, every segment, every checkpoint, and that it extends what somebody saw.

use std::collections::BTreeSet;
use std::sync::Arc;

use writ_base::{ContentHash, Moment};
use writ_model::interaction::InteractionId;
use writ_model::record::{ChainId, EntryKind, OrganisationId};

use super::chain::CheckpointKeyEntry;
use super::checkpoint::Checkpoint;
use super::error::LedgerError;
use super::format::{Entry, SegmentHead};
use super::merkle::Tree;
use super::reader::LedgerReader;
use crate::storage::Storage;

/// What the one who verifies knows from elsewhere. Nothing of it is needed; each part makes the proof stronger.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// Checkpoints kept from earlier: the ledger must extend each of them. Catches truncation and rewriting.
    pub earlier: Vec<Checkpoint>,
    /// Ed25519 public keys of which one must have signed first. Empty: whatever key the ledger names.
    pub keys: Vec<ContentHash>,
}

/// What was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The chain.
    pub chain: ChainId,
    /// The organisation.
    pub organisation: OrganisationId,
    /// Entries, each with the hash that the next one names.
    pub entries: u64,
    /// Segments.
    pub segments: u64,
    /// Checkpoints with a valid signature over the right root.
    pub checkpoints: u64,
    /// Entries with a sealed personal part that is the one committed to.
    pub personal_parts: u64,
    /// Gap entries: each says that entries may be missing before it.
    pub gaps: u64,
    /// Entries after the last checkpoint: nobody has signed for them yet.
    pub unsigned: u64,
    /// Bytes of a torn write after the last whole entry; the next start of the writer removes them.
    pub torn_bytes: u64,
    /// The last checkpoint: to be kept by whoever wants to catch rewriting later.
    pub last_checkpoint: Option<Checkpoint>,
    /// When the last entry was written.
    pub last_recorded: Option<Moment>,
    /// The Merkle root over all entries.
    pub root: ContentHash,
}

/// Why a ledger is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// It cannot be read, or an entry is not what the next one says.
    #[error(transparent)]
    Unreadable(#[from] LedgerError),
    /// There is nothing to verify.
    #[error("there is no ledger here; give the folder that holds the segments")]
    Empty,
    /// The first segment is not the start of the chain.
    #[error("the ledger starts with entry {first}; the segments before it are missing")]
    StartMissing {
        /// Sequence of the first entry that is there.
        first: u64,
    },
    /// A segment's head does not agree with the entries before it.
    #[error("the segment that starts with entry {first} does not agree with the entries before it: {what}")]
    HeadWrong {
        /// Sequence of its first entry.
        first: u64,
        /// What is wrong.
        what: &'static str,
    },
    /// A checkpoint in the ledger is wrong.
    #[error("the checkpoint in entry {sequence} is wrong: {what}")]
    CheckpointWrong {
        /// Its sequence.
        sequence: u64,
        /// What is wrong.
        what: &'static str,
    },
    /// A key change in the ledger is wrong.
    #[error("the signing key changes in entry {sequence} without the former key's signature")]
    KeyChangeWrong {
        /// Its sequence.
        sequence: u64,
    },
    /// The first signing key is not one of the trusted keys.
    #[error("the ledger is signed by the key {key}, which is not one of the trusted keys")]
    KeyUnknown {
        /// The key.
        key: ContentHash,
    },
    /// The checkpoint that was kept is itself not valid.
    #[error("the earlier checkpoint over {size} entries is not valid: {what}")]
    EarlierInvalid {
        /// How many entries it speaks about.
        size: u64,
        /// What is wrong.
        what: &'static str,
    },
    /// Entries that were there are gone.
    #[error("the ledger was truncated: an earlier checkpoint speaks about {size} entries, there are {entries}")]
    Truncated {
        /// How many entries the checkpoint speaks about.
        size: u64,
        /// How many there are.
        entries: u64,
    },
    /// Entries that were there are others now.
    #[error("the ledger was rewritten: its first {size} entries are not those that an earlier checkpoint speaks about")]
    Rewritten {
        /// How many entries the checkpoint speaks about.
        size: u64,
    },
}

/// Verifies a whole ledger from its first entry. Works on a copy as well as beside a running writer, without keys.
///
/// # Errors
/// The first thing that is wrong, in the order of the chain.
pub fn verify(storage: Arc<dyn Storage>, trust: &Trust) -> Result<Verified, VerifyError> {
    let mut earlier: Vec<&Checkpoint> = trust.earlier.iter().collect();
    earlier.sort_by_key(|checkpoint| checkpoint.size);
    if let Some(bad) = earlier.iter().find(|checkpoint| !checkpoint.signature_valid()) {
        return Err(VerifyError::EarlierInvalid { size: bad.size, what: "its signature is not that of its key" });
    }
    let mut reader = LedgerReader::new(storage, 0);
    let first = reader.next().transpose()?;
    let head = reader.head().ok_or(VerifyError::Empty)?.clone();
    if !trust.keys.is_empty() && !trust.keys.contains(&head.key) {
        return Err(VerifyError::KeyUnknown { key: head.key });
    }
    let mut walk = Walk::start(&head, earlier)?;
    walk.enter(&head)?;
    let mut entry = first;
    while let Some(current) = entry {
        if let Some(head) = reader.head().filter(|head| head.first == current.header.sequence && head.first != 0) {
            walk.enter(head)?;
        }
        walk.take(&current)?;
        entry = reader.next().transpose()?;
    }
    // A segment that was just made has a head and no entries yet.
    if let Some(head) = reader.head().filter(|head| head.first == walk.tree.size() && head.first != 0) {
        walk.enter(head)?;
    }
    walk.end(reader.torn_bytes())
}

struct Walk<'a> {
    tree: Tree,
    last: ContentHash,
    open: BTreeSet<InteractionId>,
    key: ContentHash,
    /// Earlier checkpoints that are still ahead, by size.
    earlier: std::iter::Peekable<std::vec::IntoIter<&'a Checkpoint>>,
    verified: Verified,
}

impl<'a> Walk<'a> {
    fn start(head: &SegmentHead, earlier: Vec<&'a Checkpoint>) -> Result<Self, VerifyError> {
        if head.first != 0 {
            return Err(VerifyError::StartMissing { first: head.first });
        }
        let foreign = earlier.iter().find(|it| it.chain != head.chain || it.organisation != head.organisation);
        if let Some(foreign) = foreign {
            return Err(VerifyError::EarlierInvalid { size: foreign.size, what: "it is about another chain" });
        }
        let verified = Verified {
            chain: head.chain,
            organisation: head.organisation,
            entries: 0,
            segments: 0,
            checkpoints: 0,
            personal_parts: 0,
            gaps: 0,
            unsigned: 0,
            torn_bytes: 0,
            last_checkpoint: None,
            last_recorded: None,
            root: ContentHash::default(),
        };
        let mut walk = Self {
            tree: Tree::default(),
            last: ContentHash::default(),
            open: BTreeSet::new(),
            key: head.key,
            earlier: earlier.into_iter().peekable(),
            verified,
        };
        walk.meet_earlier()?;
        Ok(walk)
    }

    fn enter(&mut self, head: &SegmentHead) -> Result<(), VerifyError> {
        let wrong = |what| VerifyError::HeadWrong { first: head.first, what };
        let checks = [
            (head.first == self.tree.size(), "its first entry has another number"),
            (head.previous == self.last, "it names another entry before it"),
            (head.frontier == self.tree.frontier(), "it holds another Merkle tree"),
            (head.open.iter().eq(self.open.iter()), "it names other open interactions"),
            (head.key == self.key, "it names another signing key"),
        ];
        for (holds, what) in checks {
            if !holds {
                return Err(wrong(what));
            }
        }
        self.verified.segments += 1;
        Ok(())
    }

    fn take(&mut self, entry: &Entry) -> Result<(), VerifyError> {
        let header = &entry.header;
        match (header.kind, header.interaction) {
            (EntryKind::Decision, Some(interaction)) => {
                self.open.insert(interaction);
            }
            (EntryKind::Outcome, Some(interaction)) => {
                self.open.remove(&interaction);
            }
            (EntryKind::Checkpoint, _) => self.checkpoint(entry)?,
            (EntryKind::KeyRotation, _) => self.key_change(entry)?,
            (EntryKind::Gap, _) => self.verified.gaps += 1,
            _ => {}
        }
        self.tree.push(entry.hash);
        self.last = entry.hash;
        self.verified.personal_parts += u64::from(entry.personal.is_some());
        self.verified.last_recorded = Some(header.recorded_time);
        self.verified.unsigned += 1;
        if header.kind == EntryKind::Checkpoint {
            self.verified.unsigned = 0;
        }
        self.meet_earlier()
    }

    fn checkpoint(&mut self, entry: &Entry) -> Result<(), VerifyError> {
        let sequence = entry.header.sequence;
        let wrong = |what| VerifyError::CheckpointWrong { sequence, what };
        let checkpoint: Checkpoint = entry.parse().map_err(|_| wrong("it is not readable"))?;
        let checks = [
            (checkpoint.chain == self.verified.chain, "it is about another chain"),
            (checkpoint.organisation == self.verified.organisation, "it is about another organisation"),
            (checkpoint.size == self.tree.size(), "it speaks about another number of entries"),
            (checkpoint.root == self.tree.root(), "its root is not that of the entries"),
            (checkpoint.key == self.key, "it is signed by a key that nobody vouched for"),
            (checkpoint.signature_valid(), "its signature is not that of its key"),
        ];
        if let Some((_, what)) = checks.iter().find(|(holds, _)| !holds) {
            return Err(wrong(what));
        }
        self.verified.checkpoints += 1;
        self.verified.last_checkpoint = Some(checkpoint);
        Ok(())
    }

    fn key_change(&mut self, entry: &Entry) -> Result<(), VerifyError> {
        // Changes of other keys say nothing about signatures.
        let Ok(CheckpointKeyEntry { change, .. }) = entry.parse() else { return Ok(()) };
        if change.from != self.key || !change.signature_valid(self.verified.chain) {
            return Err(VerifyError::KeyChangeWrong { sequence: entry.header.sequence });
        }
        self.key = change.to;
        Ok(())
    }

    /// Compares with the earlier checkpoints over as many entries as were read.
    fn meet_earlier(&mut self) -> Result<(), VerifyError> {
        while let Some(earlier) = self.earlier.next_if(|earlier| earlier.size == self.tree.size()) {
            if earlier.root != self.tree.root() {
                return Err(VerifyError::Rewritten { size: earlier.size });
            }
            if earlier.key != self.key {
                let what = "its key is not the one that signed at that time";
                return Err(VerifyError::EarlierInvalid { size: earlier.size, what });
            }
        }
        Ok(())
    }

    fn end(mut self, torn_bytes: u64) -> Result<Verified, VerifyError> {
        let entries = self.tree.size();
        if let Some(earlier) = self.earlier.next() {
            return Err(VerifyError::Truncated { size: earlier.size, entries });
        }
        let root = self.tree.root();
        Ok(Verified { entries, root, torn_bytes, ..self.verified })
    }
}
