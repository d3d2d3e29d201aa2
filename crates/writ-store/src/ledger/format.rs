//! The bytes of a segment, format version 1.
//!
//! All numbers are little-endian. A segment is a head and then entries, back to back.
//!
//! ```text
//! head    8 magic "WRITSEGM" · 2 format version · 2 zero · 4 length of JSON · JSON ([`SegmentHead`]) · 32 SHA-256 of all before
//! entry   4 magic "WENT" · 2 format version · 1 kind · 1 flags (bit 0: has a personal part)
//!         4 length of skeleton · 4 length of personal part · 16 chain · 16 organisation · 16 interaction (or zeros)
//!         8 sequence · 8 event time · 8 recorded time · 32 hash of the previous entry · 32 SHA-256 of the personal part (or zeros)
//!         skeleton · personal part · 32 hash of this entry
//! ```
//!
//! The hash of an entry is SHA-256 over header and skeleton as stored. The personal part is in it by its own hash only,
//! so that whoever may not have that part can still verify the chain.

use serde::{Deserialize, Serialize};
use writ_base::{ContentHash, Moment};
use writ_model::interaction::InteractionId;
use writ_model::record::{ChainId, EntryKind, OrganisationId};

use crate::limits::{PERSONAL_BYTES, SEGMENT_HEAD_BYTES, SKELETON_BYTES};

/// The version that this build writes; it reads this one and every earlier one.
pub const FORMAT_VERSION: u16 = 1;

/// Bytes of an entry before its skeleton.
pub(crate) const HEADER_BYTES: usize = 152;
/// Bytes of the smallest entry.
pub(crate) const ENTRY_BYTES_MIN: usize = HEADER_BYTES + HASH_BYTES;

const HASH_BYTES: usize = 32;
const ENTRY_MAGIC: [u8; 4] = *b"WENT";
const HEAD_MAGIC: [u8; 8] = *b"WRITSEGM";
const HEAD_FIXED_BYTES: usize = 16;
const FLAG_PERSONAL: u8 = 1;

/// What stands before an entry's skeleton.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Format version.
    pub version: u16,
    /// What the entry says.
    pub kind: EntryKind,
    /// The chain it belongs to.
    pub chain: ChainId,
    /// The organisation whose ledger it is.
    pub organisation: OrganisationId,
    /// The interaction that a decision or outcome is about.
    pub interaction: Option<InteractionId>,
    /// Its number in the chain, from 0 without gaps. Order is by this, never by time.
    pub sequence: u64,
    /// When it happened.
    pub event_time: Moment,
    /// When it was written.
    pub recorded_time: Moment,
    /// The hash of the entry before; of nothing at the start of a chain.
    pub previous: ContentHash,
    /// SHA-256 of the sealed personal part, if there is one.
    pub personal: Option<ContentHash>,
}

/// An entry as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Everything but the content.
    pub header: Header,
    /// JSON, byte by byte as it was given; unknown fields included.
    pub skeleton: Vec<u8>,
    /// The sealed personal part.
    pub personal: Option<Vec<u8>>,
    /// The hash that the next entry names.
    pub hash: ContentHash,
}

/// What stands before the entries of a segment: enough to go on from here without reading what is before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct SegmentHead {
    /// The chain.
    pub chain: ChainId,
    /// The organisation.
    pub organisation: OrganisationId,
    /// Sequence of the first entry, which is also in the file's name.
    pub first: u64,
    /// Hash of the entry before it.
    pub previous: ContentHash,
    /// Roots of the complete subtrees over all entries before, from the largest (RFC 6962).
    pub frontier: Vec<ContentHash>,
    /// Interactions with a decision and no outcome before this segment, sorted.
    pub open: Vec<InteractionId>,
    /// The Ed25519 public key that signs checkpoints from here on, as 64 hexadecimal digits.
    pub key: ContentHash,
}

/// Why bytes are not an entry or a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Malformed {
    /// Whole so far, but the end is missing; so many bytes are needed in all.
    Short {
        /// Bytes from the start of the item.
        needed: usize,
    },
    /// Written by a later version.
    Newer(u16),
    /// Something else, in a few words.
    Broken(&'static str),
}

impl Header {
    /// Writes an entry with this header to `out` and returns its hash.
    pub(crate) fn write(&self, skeleton: &[u8], personal: Option<&[u8]>, out: &mut Vec<u8>) -> ContentHash {
        let start = out.len();
        let sealed = personal.unwrap_or_default();
        out.reserve(HEADER_BYTES + skeleton.len() + sealed.len() + HASH_BYTES);
        out.extend_from_slice(&ENTRY_MAGIC);
        out.extend_from_slice(&self.version.to_le_bytes());
        out.push(kind_number(self.kind));
        out.push(if self.personal.is_some() { FLAG_PERSONAL } else { 0 });
        out.extend_from_slice(&length(skeleton).to_le_bytes());
        out.extend_from_slice(&length(sealed).to_le_bytes());
        out.extend_from_slice(self.chain.as_bytes());
        out.extend_from_slice(self.organisation.as_bytes());
        out.extend_from_slice(&self.interaction.map_or([0; 16], |interaction| *interaction.as_bytes()));
        out.extend_from_slice(&self.sequence.to_le_bytes());
        out.extend_from_slice(&self.event_time.nanos().to_le_bytes());
        out.extend_from_slice(&self.recorded_time.nanos().to_le_bytes());
        out.extend_from_slice(self.previous.as_bytes());
        out.extend_from_slice(&self.personal.map_or([0; 32], |commitment| *commitment.as_bytes()));
        out.extend_from_slice(skeleton);
        let hash = ContentHash::of(out.get(start..).unwrap_or_default());
        out.extend_from_slice(sealed);
        out.extend_from_slice(hash.as_bytes());
        hash
    }
}

impl Entry {
    /// Reads the entry at the start of `bytes`, and how many bytes it takes. Hashes are checked.
    pub(crate) fn read(bytes: &[u8]) -> Result<(Self, usize), Malformed> {
        let mut rest = Cursor(bytes);
        let magic: [u8; 4] = rest.take().ok_or(Malformed::Short { needed: HEADER_BYTES })?;
        if magic != ENTRY_MAGIC {
            return Err(Malformed::Broken("no entry starts here"));
        }
        let version = u16::from_le_bytes(rest.take().ok_or(Malformed::Short { needed: HEADER_BYTES })?);
        if version > FORMAT_VERSION {
            return Err(Malformed::Newer(version));
        }
        if bytes.len() < HEADER_BYTES {
            return Err(Malformed::Short { needed: HEADER_BYTES });
        }
        let (header, skeleton, personal) =
            read_header(version, &mut rest).ok_or(Malformed::Broken("no such header"))?;
        if skeleton > SKELETON_BYTES.value() || personal > PERSONAL_BYTES.value() {
            return Err(Malformed::Broken("longer than any entry"));
        }
        let hashed = HEADER_BYTES + skeleton;
        let needed = hashed + personal + HASH_BYTES;
        let short = Malformed::Short { needed };
        let (Some(before), Some(sealed)) = (bytes.get(..hashed), bytes.get(hashed..hashed + personal)) else {
            return Err(short);
        };
        let stored: [u8; 32] = Cursor(bytes.get(hashed + personal..).unwrap_or_default()).take().ok_or(short)?;
        let hash = ContentHash::of(before);
        if hash != ContentHash::from_bytes(stored) {
            return Err(Malformed::Broken("the entry is not what its hash says"));
        }
        if header.personal.is_some_and(|commitment| commitment != ContentHash::of(sealed)) {
            return Err(Malformed::Broken("the personal part is not the one committed to"));
        }
        let personal = header.personal.map(|_| sealed.to_vec());
        let skeleton = before.get(HEADER_BYTES..).unwrap_or_default().to_vec();
        Ok((Self { header, skeleton, personal, hash }, needed))
    }

    /// The skeleton as JSON of a known type.
    ///
    /// # Errors
    /// If it is of another kind, or of a later version.
    pub fn parse<'a, T: Deserialize<'a>>(&'a self) -> Result<T, serde_json::Error> {
        serde_json::from_slice(&self.skeleton)
    }
}

fn read_header(version: u16, rest: &mut Cursor<'_>) -> Option<(Header, usize, usize)> {
    let [kind, flags] = rest.take()?;
    let skeleton = u32::from_le_bytes(rest.take()?) as usize;
    let personal = u32::from_le_bytes(rest.take()?) as usize;
    let chain = ChainId::from_bytes(rest.take()?);
    let organisation = OrganisationId::from_bytes(rest.take()?);
    let interaction: [u8; 16] = rest.take()?;
    let sequence = u64::from_le_bytes(rest.take()?);
    let event_time = Moment::from_nanos(i64::from_le_bytes(rest.take()?));
    let recorded_time = Moment::from_nanos(i64::from_le_bytes(rest.take()?));
    let previous = ContentHash::from_bytes(rest.take()?);
    let commitment: [u8; 32] = rest.take()?;
    let kind = *EntryKind::ALL.get(usize::from(kind))?;
    let has_personal = flags == FLAG_PERSONAL;
    if !has_personal && (flags != 0 || personal != 0 || commitment != [0; 32]) {
        return None;
    }
    let header = Header {
        version,
        kind,
        chain,
        organisation,
        interaction: (interaction != [0; 16]).then(|| InteractionId::from_bytes(interaction)),
        sequence,
        event_time,
        recorded_time,
        previous,
        personal: has_personal.then(|| ContentHash::from_bytes(commitment)),
    };
    Some((header, skeleton, personal))
}

impl SegmentHead {
    /// The bytes of the head.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let json = serde_json::to_vec(self).unwrap_or_default();
        let mut bytes = HEAD_MAGIC.to_vec();
        bytes.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
        bytes.extend_from_slice(&[0; 2]);
        bytes.extend_from_slice(&length(&json).to_le_bytes());
        bytes.extend_from_slice(&json);
        let hash = ContentHash::of(&bytes);
        bytes.extend_from_slice(hash.as_bytes());
        bytes
    }

    /// Reads the head at the start of `bytes`, and how many bytes it takes.
    pub(crate) fn read(bytes: &[u8]) -> Result<(Self, usize), Malformed> {
        let mut rest = Cursor(bytes);
        let short = Malformed::Short { needed: HEAD_FIXED_BYTES };
        let magic: [u8; 8] = rest.take().ok_or(short)?;
        if magic != HEAD_MAGIC {
            return Err(Malformed::Broken("not a segment of a ledger"));
        }
        let version = u16::from_le_bytes(rest.take().ok_or(short)?);
        if version > FORMAT_VERSION {
            return Err(Malformed::Newer(version));
        }
        let _zero: [u8; 2] = rest.take().ok_or(short)?;
        let json = u32::from_le_bytes(rest.take().ok_or(short)?) as usize;
        if json > SEGMENT_HEAD_BYTES.value() {
            return Err(Malformed::Broken("longer than any head of a segment"));
        }
        let end = HEAD_FIXED_BYTES + json;
        let short = Malformed::Short { needed: end + HASH_BYTES };
        let before = bytes.get(..end).ok_or(short)?;
        let stored: [u8; 32] = Cursor(bytes.get(end..).unwrap_or_default()).take().ok_or(short)?;
        if ContentHash::of(before) != ContentHash::from_bytes(stored) {
            return Err(Malformed::Broken("the head is not what its hash says"));
        }
        let head = serde_json::from_slice(before.get(HEAD_FIXED_BYTES..).unwrap_or_default());
        Ok((head.map_err(|_| Malformed::Broken("the head is not readable"))?, end + HASH_BYTES))
    }

    /// The bytes to read first: enough for the fixed part.
    pub(crate) const FIXED_BYTES: usize = HEAD_FIXED_BYTES;
}

/// The name of the segment that starts with this entry.
pub(crate) fn segment_name(first: u64) -> String {
    format!("{first:020}.ledger")
}

/// The first entry of the segment with this name, if it is the name of a segment.
pub(crate) fn segment_first(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".ledger").filter(|digits| digits.len() == 20)?;
    digits.parse().ok()
}

fn kind_number(kind: EntryKind) -> u8 {
    let place = EntryKind::ALL.iter().position(|it| *it == kind).unwrap_or_default();
    u8::try_from(place).unwrap_or(u8::MAX)
}

fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}

/// Takes fixed pieces from the front.
struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (piece, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*piece)
    }
}
