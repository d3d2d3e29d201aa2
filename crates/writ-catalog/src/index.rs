//! Host names to services: one hash per label boundary, from the right.

use std::collections::HashMap;

use crate::service::HostMatch;

/// What a lookup finds: the position of the entry as the caller numbered it.
pub(crate) type EntryId = u32;

/// An index over host names. Lookups allocate nothing and look at no more bytes than the longest name indexed has.
#[derive(Debug, Default)]
pub(crate) struct HostIndex {
    buckets: HashMap<u64, Vec<Key>>,
    longest: usize,
}

#[derive(Debug)]
struct Key {
    /// The literal suffix under which the entry is filed, lower case.
    suffix: Box<str>,
    kind: Kind,
    entry: EntryId,
}

#[derive(Debug)]
enum Kind {
    Exact,
    Suffix,
    /// What stands before and after the star.
    Pattern {
        before: Box<str>,
        after: Box<str>,
    },
}

impl HostIndex {
    /// Files `name`; the caller has checked it with [`check_name`].
    pub(crate) fn insert(&mut self, name: &str, matching: HostMatch, entry: EntryId) {
        let (suffix, kind) = match matching {
            HostMatch::Exact => (name, Kind::Exact),
            HostMatch::Suffix => (name, Kind::Suffix),
            HostMatch::Pattern => {
                let (before, after) = name.split_once('*').unwrap_or((name, ""));
                let suffix = after.split_once('.').map_or(after, |(_, suffix)| suffix);
                (suffix, Kind::Pattern { before: before.into(), after: after.into() })
            }
        };
        self.longest = self.longest.max(suffix.len());
        let key = Key { suffix: suffix.into(), kind, entry };
        self.buckets.entry(hash(suffix.as_bytes())).or_default().push(key);
    }

    /// The most specific entry for `name`: exact, then pattern, then the longest suffix. One trailing dot is ignored,
    /// ASCII case too. Any string may be asked.
    pub(crate) fn find(&self, name: &str) -> Option<EntryId> {
        let name = name.strip_suffix('.').unwrap_or(name).as_bytes();
        let (mut suffix, mut pattern) = (None, None);
        let mut running = SEED;
        for (length, byte) in (1..=self.longest).zip(name.iter().rev()) {
            running = step(running, *byte);
            let start = name.len() - length;
            let at_boundary = start == 0 || name.get(start - 1) == Some(&b'.');
            if !at_boundary {
                continue;
            }
            for key in self.buckets.get(&running).into_iter().flatten() {
                if !name.get(start..).is_some_and(|tail| tail.eq_ignore_ascii_case(key.suffix.as_bytes())) {
                    continue;
                }
                match &key.kind {
                    Kind::Exact if start == 0 => return Some(key.entry),
                    Kind::Suffix => suffix = Some(key.entry),
                    Kind::Pattern { before, after } if fits(name, before.as_bytes(), after.as_bytes()) => {
                        pattern = Some(key.entry);
                    }
                    Kind::Exact | Kind::Pattern { .. } => {}
                }
            }
        }
        pattern.or(suffix)
    }
}

/// Whether `name` is `before`, one or more characters without a dot, and `after`.
fn fits(name: &[u8], before: &[u8], after: &[u8]) -> bool {
    let Some(end) = name.len().checked_sub(after.len()) else { return false };
    let head = name.get(..before.len()).is_some_and(|head| head.eq_ignore_ascii_case(before));
    let tail = name.get(end..).is_some_and(|tail| tail.eq_ignore_ascii_case(after));
    let star = name.get(before.len()..end);
    head && tail && star.is_some_and(|star| !star.is_empty() && !star.contains(&b'.'))
}

/// Why a host name cannot be in a catalog, if it cannot.
pub(crate) fn check_name(name: &str, matching: HostMatch) -> Result<(), String> {
    let label = |label: &str| !label.is_empty() && label.len() <= 63;
    let byte = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-._*".contains(&b);
    if !crate::limits::HOST_NAME.admits(name.len()) || !name.bytes().all(byte) || !name.split('.').all(label) {
        return Err(format!("`{name}` is not a host name; write lower case ASCII without port or trailing dot"));
    }
    let stars = name.matches('*').count();
    let literal_labels = name.rsplit('.').take_while(|label| !label.contains('*')).count();
    match matching {
        HostMatch::Pattern if stars != 1 => Err(format!("`{name}` needs one `*` to be a pattern")),
        HostMatch::Pattern if literal_labels < 2 => Err(format!("`{name}` needs two plain labels after its `*`")),
        HostMatch::Exact | HostMatch::Suffix if stars > 0 => Err(format!("`{name}` holds `*` but is no pattern")),
        HostMatch::Suffix if literal_labels < 2 => Err(format!("`{name}` is a whole top-level domain")),
        _ => Ok(()),
    }
}

/// FNV-1a (64 bit) over the bytes from the right, in lower case, so that each suffix has a hash on the way.
const SEED: u64 = 0xcbf2_9ce4_8422_2325;

fn step(hash: u64, byte: u8) -> u64 {
    (hash ^ u64::from(byte.to_ascii_lowercase())).wrapping_mul(0x0000_0100_0000_01b3)
}

fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(SEED, |hash, byte| step(hash, *byte))
}
