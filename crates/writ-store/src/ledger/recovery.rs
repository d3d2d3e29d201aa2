//! Opening a chain: after a clean stop, a kill, a power cut, or for the first time.

use std::collections::BTreeSet;
use std::sync::Arc;

use writ_base::{Clock, ContentHash, Moment, Randomness};
use writ_model::record::{ChainId, Ending, EntryKind, OutcomeSkeleton};

use super::LedgerConfig;
use super::chain::{Chain, CheckpointKeyEntry, new_segment};
use super::checkpoint::CheckpointSigner;
use super::entry::{Gap, GapReason, NewEntry};
use super::error::LedgerError;
use super::format::{ENTRY_BYTES_MIN, Entry, FORMAT_VERSION, Malformed, SegmentHead, segment_first, segment_name};
use super::merkle::Tree;
use crate::limits::LEDGER_BATCH;
use crate::storage::Storage;

/// The file that is there while a writer runs. Its first line is the boot id, its second how many torn bytes were cut.
pub(super) const MARKER: &str = "running";

/// What was found when the ledger was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Opening {
    /// Whether the chain was made just now.
    pub new: bool,
    /// Whether the last writer ended without closing.
    pub unclean: bool,
    /// The gap that was written into the ledger, if any.
    pub gap: Option<Gap>,
    /// Decisions without outcome that were closed as interrupted.
    pub interrupted: usize,
}

/// What opening needs beside the storage.
pub(super) struct Means<'a> {
    pub(super) config: LedgerConfig,
    pub(super) signers: Vec<CheckpointSigner>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) randomness: &'a dyn Randomness,
}

/// Opens the chain and brings it into order; everything that this writes is safe from a power cut on return.
pub(super) fn open(storage: Arc<dyn Storage>, means: Means<'_>) -> Result<(Chain, Opening), LedgerError> {
    let lock = storage.lock().map_err(|error| match error.kind() {
        std::io::ErrorKind::WouldBlock => LedgerError::InUse,
        _ => LedgerError::io("lock", "lock")(error),
    })?;
    let marker = Marker::read(&*storage)?;
    let mut opening = Opening { unclean: marker.is_some(), ..Opening::default() };
    let tail = match last_segment(&*storage)? {
        Some(tail) => tail,
        None => {
            opening.new = true;
            first_segment(&*storage, &means)?
        }
    };
    if tail.head.organisation != means.config.organisation {
        return Err(LedgerError::OtherOrganisation);
    }
    let boot = storage.boot();
    let torn = tail.file_length - tail.length;
    let torn_in_all = torn + marker.as_ref().map_or(0, |marker| marker.torn);
    let file = storage.open(&tail.name, false).map_err(LedgerError::io("open", &tail.name))?;
    if torn > 0 {
        // Written down before the cut, so that a crash between cut and gap entry does not hide it.
        let former = marker.as_ref().map_or(String::new(), |marker| marker.boot.clone());
        Marker { boot: former, torn: torn_in_all }.write(&*storage)?;
        file.truncate(tail.length).map_err(LedgerError::io("cut", &tail.name))?;
        file.sync().map_err(LedgerError::io("sync", &tail.name))?;
    }
    let (signer, next) = choose_signer(means.signers, tail.key)?;
    let window = means.config.sync_within;
    let mut chain = Chain {
        storage: storage.clone(),
        clock: means.clock,
        config: means.config,
        signer,
        id: tail.head.chain,
        tree: tail.tree,
        last: tail.last,
        open: tail.open,
        file: file.into(),
        name: tail.name,
        length: tail.length,
        last_checkpoint: tail.last_checkpoint,
        stopped: false,
        _lock: lock,
    };
    let power_lost = marker.as_ref().is_some_and(|marker| marker.boot.is_empty() || marker.boot != boot);
    opening.gap = gap(torn_in_all, power_lost, u64::try_from(window.as_millis()).unwrap_or(u64::MAX));
    if let Some(gap) = opening.gap {
        let now = chain.clock.now();
        chain.write_one(NewEntry::of_kind(EntryKind::Gap, &gap, None, now))?;
    }
    opening.interrupted = close_interrupted(&mut chain)?;
    chain.sync()?;
    Marker { boot, torn: 0 }.write(&*storage)?;
    if let Some(next) = next {
        chain.change_signer(next)?;
    }
    Ok((chain, opening))
}

/// The last segment, read to its last whole entry.
struct Tail {
    name: String,
    head: SegmentHead,
    tree: Tree,
    last: ContentHash,
    open: BTreeSet<writ_model::interaction::InteractionId>,
    key: ContentHash,
    length: u64,
    file_length: u64,
    last_checkpoint: (Moment, u64),
}

fn last_segment(storage: &dyn Storage) -> Result<Option<Tail>, LedgerError> {
    loop {
        let names = storage.names().map_err(LedgerError::io("list", "."))?;
        let Some(name) = names.into_iter().rev().find(|name| segment_first(name).is_some()) else { return Ok(None) };
        let file = storage.open(&name, false).map_err(LedgerError::io("open", &name))?;
        let length = file.length().map_err(LedgerError::io("read", &name))?;
        let bytes =
            file.read(0, usize::try_from(length).unwrap_or(usize::MAX)).map_err(LedgerError::io("read", &name))?;
        match SegmentHead::read(&bytes) {
            Ok((head, start)) => return scan(name, head, start, &bytes).map(Some),
            Err(Malformed::Newer(found)) => return Err(newer(name, found)),
            // A head is safe on the disk before the first entry is written: without one there never was an entry.
            Err(_) if !holds_entry(&bytes, |_| true) => {
                storage.remove(&name).map_err(LedgerError::io("remove", &name))?;
                storage.sync_names().map_err(LedgerError::io("sync", &name))?;
            }
            Err(_) => return Err(LedgerError::Damaged { name, offset: 0, what: "the head is not readable" }),
        }
    }
}

fn scan(name: String, head: SegmentHead, start: usize, bytes: &[u8]) -> Result<Tail, LedgerError> {
    let damaged = |offset: usize, what| LedgerError::Damaged { name: name.clone(), offset: offset as u64, what };
    let tree = Tree::resume(head.first, head.frontier.clone()).ok_or_else(|| damaged(0, "the tree does not fit"))?;
    let mut tail = Tail {
        name: name.clone(),
        tree,
        last: head.previous,
        open: head.open.iter().copied().collect(),
        key: head.key,
        length: start as u64,
        file_length: bytes.len() as u64,
        last_checkpoint: (Moment::EPOCH, 0),
        head,
    };
    let mut at = start;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        let bad = match Entry::read(rest) {
            Ok((entry, length)) if tail.continued_by(&entry) => {
                tail.take(&entry);
                at += length;
                tail.length = at as u64;
                continue;
            }
            Ok(_) => "the entry does not continue the chain",
            Err(Malformed::Newer(found)) => return Err(newer(name, found)),
            Err(Malformed::Short { .. }) => "the entry is cut off",
            Err(Malformed::Broken(what)) => what,
        };
        // Everything before a checkpoint was safe on the disk when it was written.
        if holds_entry(rest, |entry| entry.header.kind == EntryKind::Checkpoint) {
            return Err(damaged(at, bad));
        }
        break;
    }
    Ok(tail)
}

impl Tail {
    fn continued_by(&self, entry: &Entry) -> bool {
        let header = &entry.header;
        header.chain == self.head.chain
            && header.organisation == self.head.organisation
            && header.sequence == self.tree.size()
            && header.previous == self.last
    }

    fn take(&mut self, entry: &Entry) {
        self.tree.push(entry.hash);
        self.last = entry.hash;
        let header = &entry.header;
        match (header.kind, header.interaction) {
            (EntryKind::Decision, Some(interaction)) => {
                self.open.insert(interaction);
            }
            (EntryKind::Outcome, Some(interaction)) => {
                self.open.remove(&interaction);
            }
            (EntryKind::Checkpoint, _) => self.last_checkpoint = (header.recorded_time, self.tree.size()),
            (EntryKind::KeyRotation, _) => {
                if let Ok(CheckpointKeyEntry { change, .. }) = entry.parse() {
                    self.key = change.to;
                }
            }
            _ => {}
        }
    }
}

fn newer(name: String, found: u16) -> LedgerError {
    LedgerError::Newer { name, found, known: FORMAT_VERSION }
}

/// Whether an intact entry of this sort starts anywhere in `bytes`.
pub(super) fn holds_entry(bytes: &[u8], wanted: impl Fn(&Entry) -> bool) -> bool {
    let mut windows = bytes.windows(4).enumerate().filter(|(_, window)| *window == b"WENT");
    windows.any(|(at, _)| matches!(Entry::read(bytes.get(at..).unwrap_or_default()), Ok((entry, _)) if wanted(&entry)))
}

fn first_segment(storage: &dyn Storage, means: &Means<'_>) -> Result<Tail, LedgerError> {
    let signer = means.signers.last().ok_or(LedgerError::SignerMissing(ContentHash::default()))?;
    let head = SegmentHead {
        chain: ChainId::new(means.clock.now(), means.randomness),
        organisation: means.config.organisation,
        first: 0,
        previous: ContentHash::default(),
        frontier: Vec::new(),
        open: Vec::new(),
        key: signer.public(),
    };
    let name = segment_name(0);
    let (_, length) = new_segment(storage, &name, &head)?;
    Ok(Tail {
        name,
        tree: Tree::default(),
        last: head.previous,
        open: BTreeSet::new(),
        key: head.key,
        length,
        file_length: length,
        last_checkpoint: (means.clock.now(), 0),
        head,
    })
}

/// The signer that the chain names, and the one that is to follow it, if a later one is at hand.
fn choose_signer(
    mut signers: Vec<CheckpointSigner>,
    key: ContentHash,
) -> Result<(CheckpointSigner, Option<CheckpointSigner>), LedgerError> {
    let place = signers.iter().rposition(|signer| signer.public() == key).ok_or(LedgerError::SignerMissing(key))?;
    let next = if place + 1 < signers.len() { signers.pop() } else { None };
    Ok((signers.swap_remove(place), next))
}

fn gap(torn: u64, power_lost: bool, window_ms: u64) -> Option<Gap> {
    let reason = match (torn, power_lost) {
        (_, true) => GapReason::PowerLoss,
        (0, false) => return None,
        (_, false) => GapReason::TornTail,
    };
    let entries_at_most = torn.div_ceil(ENTRY_BYTES_MIN as u64);
    Some(Gap { reason, bytes: torn, entries_at_most, window_ms: if power_lost { window_ms } else { 0 } })
}

fn close_interrupted(chain: &mut Chain) -> Result<usize, LedgerError> {
    let open: Vec<_> = chain.open.iter().copied().collect();
    let now = chain.clock.now();
    for batch in open.chunks(LEDGER_BATCH.value()) {
        let entries: Vec<NewEntry> = batch
            .iter()
            .map(|interaction| {
                let skeleton = OutcomeSkeleton {
                    interaction: *interaction,
                    ending: Ending::Interrupted,
                    status: None,
                    bytes_up: 0,
                    bytes_down: 0,
                    restored: 0,
                    duration_ms: 0,
                    judged_us: 0,
                };
                NewEntry::outcome(&skeleton, now)
            })
            .collect();
        chain.write(&entries).into_iter().collect::<Result<Vec<_>, _>>()?;
    }
    Ok(open.len())
}

/// The content of [`MARKER`].
struct Marker {
    boot: String,
    torn: u64,
}

impl Marker {
    fn read(storage: &dyn Storage) -> Result<Option<Self>, LedgerError> {
        let file = match storage.open(MARKER, false) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(LedgerError::io("open", MARKER)(error)),
        };
        let bytes = file.read(0, 256).map_err(LedgerError::io("read", MARKER))?;
        let text = String::from_utf8_lossy(&bytes);
        // A marker that is cut off says only that somebody was writing.
        let Some((boot, rest)) = text.split_once('\n') else { return Ok(Some(Self { boot: String::new(), torn: 0 })) };
        let torn = rest.strip_suffix('\n').and_then(|torn| torn.parse().ok());
        Ok(Some(Self { boot: if torn.is_some() { boot.to_owned() } else { String::new() }, torn: torn.unwrap_or(0) }))
    }

    fn write(&self, storage: &dyn Storage) -> Result<(), LedgerError> {
        let file = storage.open(MARKER, true).map_err(LedgerError::io("open", MARKER))?;
        file.truncate(0).map_err(LedgerError::io("cut", MARKER))?;
        file.append(format!("{}\n{}\n", self.boot, self.torn).as_bytes()).map_err(LedgerError::io("write", MARKER))?;
        file.sync().map_err(LedgerError::io("sync", MARKER))?;
        storage.sync_names().map_err(LedgerError::io("sync", MARKER))
    }
}
