//! Anchored automata: the longest match from one position, and whether more text could make it longer.

use regex_automata::dfa::{Automaton, StartKind, dense};
use regex_automata::nfa::thompson;
use regex_automata::util::primitives::StateID;
use regex_automata::util::{start, syntax};
use regex_automata::{Anchored, MatchKind};

use crate::limits;

/// A piece of the stream: the bytes that are there, and whether more can come.
#[derive(Clone, Copy)]
pub struct View<'t> {
    /// The bytes.
    pub bytes: &'t [u8],
    /// Offset of the first byte in the stream.
    pub base: usize,
    /// Whether the stream ends here.
    pub last: bool,
}

/// One byte of a view.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Peek {
    /// There it is.
    Byte(u8),
    /// The stream ends before it.
    End,
    /// It has not arrived.
    Pending,
}

impl<'t> View<'t> {
    /// The byte at `at` (counted in the view).
    pub fn peek(&self, at: usize) -> Peek {
        match self.bytes.get(at) {
            Some(byte) => Peek::Byte(*byte),
            None if self.last => Peek::End,
            None => Peek::Pending,
        }
    }

    /// The byte before `at`, if the view holds it.
    pub fn before(&self, at: usize, by: usize) -> Option<u8> {
        self.bytes.get(at.checked_sub(by)?).copied()
    }

    /// The bytes from `start` to `end`, as far as they are there.
    pub fn slice(&self, start: usize, end: usize) -> &'t [u8] {
        let end = end.min(self.bytes.len());
        self.bytes.get(start.min(end)..end).unwrap_or_default()
    }
}

/// What an automaton found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Run {
    /// No match begins here.
    None,
    /// Cannot be told before more text is there.
    Pending,
    /// The longest match ends here (exclusive).
    End(usize),
}

/// A compiled pattern, matched from one position only.
#[derive(Debug)]
pub struct Anchor {
    dfa: dense::DFA<Vec<u32>>,
    /// Patterns look at nothing before them, so there is one state to begin in.
    start: StateID,
}

impl Anchor {
    /// Compiles several patterns into one automaton.
    pub fn new(patterns: &[&str]) -> Result<Self, String> {
        let config = dense::Config::new()
            .match_kind(MatchKind::All)
            .start_kind(StartKind::Anchored)
            .accelerate(false)
            .dfa_size_limit(Some(limits::PATTERN_BYTES.value()))
            .determinize_size_limit(Some(limits::PATTERN_BYTES.value()));
        let dfa = dense::Builder::new()
            .configure(config)
            .syntax(syntax::Config::new().unicode(false).utf8(false))
            .thompson(thompson::Config::new().utf8(false).shrink(false))
            .build_many(patterns)
            .map_err(|error| error.to_string())?;
        let start =
            dfa.start_state(&start::Config::new().anchored(Anchored::Yes)).map_err(|error| error.to_string())?;
        Ok(Self { dfa, start })
    }

    /// Bytes of memory it takes.
    pub fn memory(&self) -> usize {
        self.dfa.memory_usage()
    }

    /// The longest match of any pattern from `at`.
    pub fn longest(&self, view: &View<'_>, at: usize) -> Run {
        let mut found = Run::None;
        if self.walk(view, at, |_, end| found = Run::End(end)) { found } else { Run::Pending }
    }

    /// Calls `found` with pattern and end of every match from `at`, shorter ones first; false if more text is needed.
    pub fn walk(&self, view: &View<'_>, at: usize, mut found: impl FnMut(usize, usize)) -> bool {
        let mut state = self.start;
        let mut position = at;
        let rest = view.slice(at, at.saturating_add(limits::MATCH_BYTES.value()));
        for byte in rest {
            state = self.dfa.next_state(state, *byte);
            if self.dfa.is_special_state(state) {
                if self.dfa.is_match_state(state) {
                    for index in 0..self.dfa.match_len(state) {
                        found(self.dfa.match_pattern(state, index).as_usize(), position);
                    }
                } else if self.dfa.is_dead_state(state) {
                    return true;
                }
            }
            position += 1;
        }
        if rest.len() < limits::MATCH_BYTES.value() && !view.last {
            return false;
        }
        state = self.dfa.next_eoi_state(state);
        if self.dfa.is_match_state(state) {
            for index in 0..self.dfa.match_len(state) {
                found(self.dfa.match_pattern(state, index).as_usize(), position);
            }
        }
        true
    }
}
