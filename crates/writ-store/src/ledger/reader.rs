//! Reading entries in order, with or without a writer at work.

use std::sync::Arc;

use writ_base::ContentHash;
use writ_model::record::EntryKind;

use super::error::LedgerError;
use super::format::{ENTRY_BYTES_MIN, Entry, FORMAT_VERSION, Malformed, SegmentHead, segment_first, segment_name};
use crate::storage::{Storage, StorageFile};

/// Reads a ledger entry by entry; each entry's own hash and its place in the chain are checked.
///
/// `None` means that there is no more for now: asking again later continues where it stopped. A torn write at the very
/// end counts as no more; [`LedgerReader::torn_bytes`] tells.
pub struct LedgerReader {
    storage: Arc<dyn Storage>,
    /// Sequence of the entry that is read next.
    next: u64,
    /// Entries before this one are passed over: reading starts at the head of a segment.
    wanted: u64,
    segment: Option<Segment>,
    torn: u64,
    failed: bool,
}

struct Segment {
    name: String,
    file: Box<dyn StorageFile>,
    head: SegmentHead,
    previous: ContentHash,
    /// Where `buffer` starts in the file.
    offset: u64,
    buffer: Vec<u8>,
    /// How much of the buffer was used.
    used: usize,
    /// A later segment was seen: nothing is added to this one any more.
    sealed: bool,
}

/// Bytes read at once.
const CHUNK_BYTES: usize = 1024 * 1024;

impl LedgerReader {
    /// Reads from the entry with sequence `from` on.
    pub fn new(storage: Arc<dyn Storage>, from: u64) -> Self {
        Self { storage, next: from, wanted: from, segment: None, torn: 0, failed: false }
    }

    /// Sequence of the entry that is read next.
    pub const fn position(&self) -> u64 {
        self.next
    }

    /// Bytes after the last whole entry, when the end was reached.
    pub const fn torn_bytes(&self) -> u64 {
        self.torn
    }

    /// The head of the segment that is being read.
    pub(super) fn head(&self) -> Option<&SegmentHead> {
        self.segment.as_ref().map(|segment| &segment.head)
    }

    fn read(&mut self) -> Result<Option<Entry>, LedgerError> {
        loop {
            if self.segment.is_none() {
                let Some(segment) = self.segment_of_next()? else { return Ok(None) };
                self.next = segment.head.first;
                self.segment = Some(segment);
            }
            let next = self.next;
            let Some(segment) = self.segment.as_mut() else { return Ok(None) };
            match segment.entry(next)? {
                Found::Entry(entry) => {
                    self.next += 1;
                    self.torn = 0;
                    if entry.header.sequence >= self.wanted {
                        return Ok(Some(entry));
                    }
                }
                Found::End { torn, what } => {
                    let (name, offset) = (segment.name.clone(), segment.position());
                    if !self.followed(&name)? {
                        self.torn = torn;
                        return Ok(None);
                    }
                    // It may have grown between reading its end and seeing the next one: once more, knowing that.
                    if let Some(segment) = self.segment.as_mut().filter(|segment| !segment.sealed) {
                        segment.sealed = true;
                        continue;
                    }
                    if torn > 0 {
                        return Err(LedgerError::Damaged { name, offset, what });
                    }
                    let following = self.load(&segment_name(next))?;
                    let Some(following) = following else {
                        return Err(LedgerError::Damaged {
                            name,
                            offset,
                            what: "the entries after this one are missing",
                        });
                    };
                    let before = self.segment.as_ref().map(|segment| segment.previous);
                    if Some(following.head.previous) != before {
                        let what = "the segment does not continue the chain";
                        return Err(LedgerError::Damaged { name: following.name, offset: 0, what });
                    }
                    self.segment = Some(following);
                }
            }
        }
    }

    /// The segment in which the next entry stands or will stand.
    fn segment_of_next(&self) -> Result<Option<Segment>, LedgerError> {
        let found = self.segments()?.into_iter().rfind(|(first, _)| *first <= self.next);
        match found {
            Some((_, name)) => self.load(&name),
            None => Ok(None),
        }
    }

    /// The segments in order. The last one does not count before its head is whole: a writer is making it, or a crash
    /// left it half-made, and the next start removes it.
    fn segments(&self) -> Result<Vec<(u64, String)>, LedgerError> {
        let names = self.storage.names().map_err(LedgerError::io("list", "."))?;
        let mut segments: Vec<_> = names.into_iter().filter_map(|name| Some((segment_first(&name)?, name))).collect();
        if let Some((_, name)) = segments.last()
            && self.half_made(name)?
        {
            segments.pop();
        }
        Ok(segments)
    }

    fn half_made(&self, name: &str) -> Result<bool, LedgerError> {
        let file = self.storage.open(name, false).map_err(LedgerError::io("open", name))?;
        let read = |length| file.read(0, length).map_err(LedgerError::io("read", name));
        let mut bytes = read(SegmentHead::FIXED_BYTES)?;
        if let Err(Malformed::Short { needed }) = SegmentHead::read(&bytes) {
            bytes = read(needed)?;
        }
        if matches!(SegmentHead::read(&bytes), Ok(_) | Err(Malformed::Newer(_))) {
            return Ok(false);
        }
        let length = file.length().map_err(LedgerError::io("read", name))?;
        let all = read(usize::try_from(length).unwrap_or(usize::MAX))?;
        // Written to its end in the meantime, or damaged: a segment with entries had a head.
        Ok(SegmentHead::read(&all).is_err() && !super::recovery::holds_entry(&all, |_| true))
    }

    fn load(&self, name: &str) -> Result<Option<Segment>, LedgerError> {
        let file = match self.storage.open(name, false) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(LedgerError::io("open", name)(error)),
        };
        Segment::load(name, file).map(Some)
    }

    fn followed(&self, name: &str) -> Result<bool, LedgerError> {
        Ok(self.segments()?.last().is_some_and(|(_, last)| last.as_str() > name))
    }
}

impl Iterator for LedgerReader {
    type Item = Result<Entry, LedgerError>;

    /// After an error there is nothing more.
    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let item = self.read().transpose();
        self.failed = matches!(item, Some(Err(_)));
        item
    }
}

enum Found {
    Entry(Entry),
    End { torn: u64, what: &'static str },
}

impl Segment {
    fn load(name: &str, file: Box<dyn StorageFile>) -> Result<Self, LedgerError> {
        let mut bytes = file.read(0, SegmentHead::FIXED_BYTES).map_err(LedgerError::io("read", name))?;
        let damaged = |what| LedgerError::Damaged { name: name.to_owned(), offset: 0, what };
        let (head, length) = loop {
            match SegmentHead::read(&bytes) {
                Ok(head) => break head,
                Err(Malformed::Short { needed }) if bytes.len() < needed => {
                    let longer = file.read(0, needed).map_err(LedgerError::io("read", name))?;
                    if longer.len() < needed {
                        return Err(damaged("the head is cut off"));
                    }
                    bytes = longer;
                }
                Err(Malformed::Short { .. }) => return Err(damaged("the head is cut off")),
                Err(Malformed::Newer(found)) => return Err(newer(name, found)),
                Err(Malformed::Broken(what)) => return Err(damaged(what)),
            }
        };
        if segment_first(name) != Some(head.first) {
            return Err(damaged("the segment has the name of another one"));
        }
        let (previous, offset) = (head.previous, length as u64);
        let name = name.to_owned();
        Ok(Self { name, file, head, previous, offset, buffer: Vec::new(), used: 0, sealed: false })
    }

    /// Where the next entry starts in the file.
    fn position(&self) -> u64 {
        self.offset + self.used as u64
    }

    fn entry(&mut self, sequence: u64) -> Result<Found, LedgerError> {
        let mut wanted = ENTRY_BYTES_MIN;
        loop {
            let filled = self.fill(wanted)?;
            let rest = self.buffer.get(self.used..).unwrap_or_default();
            if rest.is_empty() {
                return Ok(Found::End { torn: 0, what: "" });
            }
            let torn = |what| Found::End { torn: rest.len() as u64, what };
            match Entry::read(rest) {
                Ok((entry, length)) => {
                    let header = &entry.header;
                    let fits = header.chain == self.head.chain
                        && header.organisation == self.head.organisation
                        && header.sequence == sequence
                        && header.previous == self.previous;
                    if !fits {
                        return self.bad("the entry does not continue the chain");
                    }
                    self.used += length;
                    self.previous = entry.hash;
                    return Ok(Found::Entry(entry));
                }
                Err(Malformed::Short { needed }) if filled => wanted = needed,
                Err(Malformed::Short { .. }) => return Ok(torn("the entry is cut off")),
                Err(Malformed::Newer(found)) => return Err(newer(&self.name, found)),
                Err(Malformed::Broken(what)) => return self.bad(what),
            }
        }
    }

    /// Bytes that are no entry: torn at the end, damage where a checkpoint follows.
    fn bad(&self, what: &'static str) -> Result<Found, LedgerError> {
        let length = self.file.length().map_err(LedgerError::io("read", &self.name))?;
        let torn = length.saturating_sub(self.position());
        let size = usize::try_from(torn).unwrap_or(usize::MAX);
        let rest = self.file.read(self.position(), size).map_err(LedgerError::io("read", &self.name))?;
        if super::recovery::holds_entry(&rest, |entry| entry.header.kind == EntryKind::Checkpoint) {
            return Err(LedgerError::Damaged { name: self.name.clone(), offset: self.position(), what });
        }
        Ok(Found::End { torn: torn.max(1), what })
    }

    /// Brings at least `wanted` unused bytes into the buffer; whether there were as many.
    fn fill(&mut self, wanted: usize) -> Result<bool, LedgerError> {
        if self.buffer.len() - self.used >= wanted {
            return Ok(true);
        }
        self.buffer.drain(..self.used);
        self.offset += self.used as u64;
        self.used = 0;
        let at = self.offset + self.buffer.len() as u64;
        let more = self.file.read(at, CHUNK_BYTES.max(wanted)).map_err(LedgerError::io("read", &self.name))?;
        self.buffer.extend_from_slice(&more);
        Ok(self.buffer.len() >= wanted)
    }
}

fn newer(name: &str, found: u16) -> LedgerError {
    LedgerError::Newer { name: name.to_owned(), found, known: FORMAT_VERSION }
}
