//! Context: whole words near a value, looked up in named lists.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, Hasher};

use crate::automaton::View;

/// Up to 64 named lists of words; a word answers with a bit for each list that holds it.
///
/// Tables are keyed by a hash of the word alone: a foreign word with the same 64 bits would only count as context.
#[derive(Debug, Default)]
pub struct Words {
    single: Table,
    pairs: Table,
    /// Words that begin a pair.
    first: Table,
    names: Vec<String>,
}

type Table = HashMap<u64, u64, BuildHasherDefault<Identity>>;

/// Keys are hashes already.
#[derive(Default)]
pub struct Identity(u64);

impl Hasher for Identity {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |hash, byte| step(hash, *byte));
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = value.rotate_right(7);
    }
}

/// FNV-1a.
const fn step(hash: u64, byte: u8) -> u64 {
    (hash ^ byte as u64).wrapping_mul(0x0100_0000_01b3)
}

const SEED: u64 = 0xcbf2_9ce4_8422_2325;

fn hash_of(word: &[u8]) -> u64 {
    word.iter().fold(SEED, |hash, byte| step(hash, *byte))
}

/// The hash of two words in a row.
const fn pair(first: u64, second: u64) -> u64 {
    first.rotate_left(17) ^ second
}

impl Words {
    /// Builds the table. Lists after the 64th are refused.
    pub fn new(lists: &BTreeMap<String, Vec<String>>) -> Option<Self> {
        let mut words = Self::default();
        for (index, (name, entries)) in lists.iter().enumerate() {
            let bit = 1u64.checked_shl(u32::try_from(index).ok()?)?;
            words.names.push(name.clone());
            for entry in entries {
                match entry.split_once(' ') {
                    Some((first, second)) => {
                        let first = hash_of(first.as_bytes());
                        words.first.insert(first, 1);
                        *words.pairs.entry(pair(first, hash_of(second.as_bytes()))).or_insert(0) |= bit;
                    }
                    None => *words.single.entry(hash_of(entry.as_bytes())).or_insert(0) |= bit,
                }
            }
        }
        Some(words)
    }

    /// The bit of a list.
    pub fn bit(&self, name: &str) -> Option<u64> {
        let index = self.names.iter().position(|known| known == name)?;
        1u64.checked_shl(u32::try_from(index).ok()?)
    }

    /// The lists with a word within `before` bytes before `start` or `after` bytes after `end`; `None` if more text
    /// is needed to tell.
    pub fn near(&self, view: &View<'_>, start: usize, end: usize, before: usize, after: usize) -> Option<u64> {
        let mut found = self.before(view, start, before);
        if after > 0 {
            let stop = end + after;
            if stop >= view.bytes.len() && !view.last {
                return None;
            }
            // A word that the window cuts is not read.
            let mut text = view.slice(end, stop);
            if view.bytes.get(stop).copied().is_some_and(is_word) {
                let cut = text.iter().rposition(|byte| !is_word(*byte)).unwrap_or(0);
                text = text.get(..cut).unwrap_or_default();
            }
            found |= self.lookup(text);
        }
        Some(found)
    }

    fn before(&self, view: &View<'_>, start: usize, window: usize) -> u64 {
        let from = start.saturating_sub(window);
        let mut text = view.slice(from, start);
        // A word or placeholder that the window cuts is not read.
        let joins = |byte: u8| is_word(byte) || matches!(byte, b'_' | b'-' | b'[');
        if view.before(from, 1).is_some_and(joins) {
            let cut = text.iter().position(|byte| !joins(*byte)).unwrap_or(text.len());
            text = text.get(cut..).unwrap_or_default();
        }
        self.lookup(text)
    }

    fn lookup(&self, text: &[u8]) -> u64 {
        let mut found = 0;
        let mut before = None;
        for_each_word(text, |word| {
            found |= self.single.get(&word).copied().unwrap_or(0);
            if let Some(first) = before {
                found |= self.pairs.get(&pair(first, word)).copied().unwrap_or(0);
            }
            before = self.first.contains_key(&word).then_some(word);
        });
        found
    }
}

/// A byte of a word: ASCII letters and digits and everything beyond ASCII.
pub const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte >= 0x80
}

/// Calls `each` with the hashes of the words of `text` in lower case; `camelCase` and `snake_case` are several words,
/// the type of a placeholder (`[US_SSN-7f3kq29m]`) is none.
fn for_each_word(text: &[u8], mut each: impl FnMut(u64)) {
    let mut hash = SEED;
    let mut previous = 0u8;
    let mut bracket = false;
    for byte in text.iter().copied() {
        if is_word(byte) {
            if previous.is_ascii_lowercase() && byte.is_ascii_uppercase() {
                each(hash);
                hash = SEED;
            }
            bracket &= byte.is_ascii_uppercase();
            hash = step(hash, byte.to_ascii_lowercase());
        } else {
            if hash != SEED && !(bracket && matches!(byte, b'-' | b'_')) {
                each(hash);
            }
            bracket = byte == b'[' || bracket && byte == b'_';
            hash = SEED;
        }
        previous = byte;
    }
    if hash != SEED {
        each(hash);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words() -> Words {
        let list = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Words::new(&BTreeMap::from([
            ("a".to_owned(), list(&["ssn", "social security"])),
            ("b".to_owned(), list(&["order"])),
        ]))
        .unwrap()
    }

    fn near(text: &str) -> u64 {
        let view = View { bytes: text.as_bytes(), base: 0, last: true };
        words().near(&view, text.len(), text.len(), 24, 0).unwrap()
    }

    #[test]
    fn finds_whole_words_only() {
        assert_eq!(near("My SSN: "), 1);
        assert_eq!(near("social security "), 1);
        assert_eq!(near("userSsn = "), 1);
        assert_eq!(near("customer_ssn = "), 1);
        assert_eq!(near("lessn order"), 2);
        assert_eq!(near("border "), 0);
        assert_eq!(near("[US_SSN-7f3kq29m] "), 0);
        assert_eq!(near("[ORDER SSN] "), 3);
        assert_eq!(near("order, then a long text that goes on"), 0);
    }

    #[test]
    fn waits_for_the_text_after() {
        let open = View { bytes: b"12 or", base: 0, last: false };
        assert_eq!(words().near(&open, 0, 2, 0, 8), None);
        let cut = View { bytes: b"12 orderly", base: 0, last: false };
        assert_eq!(words().near(&cut, 0, 2, 0, 6), Some(0));
        let whole = View { bytes: b"12 order.", base: 0, last: false };
        assert_eq!(words().near(&whole, 0, 2, 0, 6), Some(2));
    }
}
