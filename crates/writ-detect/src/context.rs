//! Context: whole words near a value, looked up in named lists.

use std::collections::{BTreeMap, HashMap};

use crate::automaton::View;

/// Words longer than this are in no list.
const WORD_BYTES: usize = 24;

/// Up to 64 named lists of words; a word answers with a bit for each list that holds it.
#[derive(Debug, Default)]
pub struct Words {
    single: HashMap<Box<[u8]>, u64>,
    pairs: HashMap<Box<[u8]>, u64>,
    names: Vec<String>,
}

impl Words {
    /// Builds the table. Lists after the 64th are refused.
    pub fn new(lists: &BTreeMap<String, Vec<String>>) -> Option<Self> {
        let mut words = Self::default();
        for (index, (name, entries)) in lists.iter().enumerate() {
            let bit = 1u64.checked_shl(u32::try_from(index).ok()?)?;
            words.names.push(name.clone());
            for entry in entries {
                let map = if entry.contains(' ') { &mut words.pairs } else { &mut words.single };
                *map.entry(entry.as_bytes().into()).or_insert(0) |= bit;
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
        if view.before(from, 1).is_some_and(is_word) {
            let cut = text.iter().position(|byte| !is_word(*byte)).unwrap_or(text.len());
            text = text.get(cut..).unwrap_or_default();
        }
        self.lookup(text)
    }

    fn lookup(&self, text: &[u8]) -> u64 {
        let mut found = 0;
        let mut previous: Vec<u8> = Vec::new();
        let mut pair: Vec<u8> = Vec::new();
        for_each_word(text, |word| {
            found |= self.single.get(word).copied().unwrap_or(0);
            if !previous.is_empty() {
                pair.clear();
                pair.extend_from_slice(&previous);
                pair.push(b' ');
                pair.extend_from_slice(word);
                found |= self.pairs.get(pair.as_slice()).copied().unwrap_or(0);
            }
            previous.clear();
            previous.extend_from_slice(word);
        });
        found
    }
}

/// A byte of a word: ASCII letters and digits and everything beyond ASCII.
pub const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte >= 0x80
}

/// Calls `each` with the words of `text` in lower case; `camelCase` and `snake_case` are several words.
fn for_each_word(text: &[u8], mut each: impl FnMut(&[u8])) {
    let mut word = [0u8; WORD_BYTES];
    let mut length = 0;
    let mut previous = 0u8;
    let mut flush = |word: &[u8; WORD_BYTES], length: usize| {
        if let Some(word) = word.get(..length)
            && !word.is_empty()
        {
            each(word);
        }
    };
    for byte in text.iter().copied() {
        if !is_word(byte) {
            flush(&word, length);
            length = 0;
        } else {
            if previous.is_ascii_lowercase() && byte.is_ascii_uppercase() {
                flush(&word, length);
                length = 0;
            }
            // A word that is too long is left out: its length passes the end of the array.
            if let Some(slot) = word.get_mut(length) {
                *slot = byte.to_ascii_lowercase();
            }
            length += 1;
        }
        previous = byte;
    }
    flush(&word, length);
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
