//! Finds sensitive content in streamed text: patterns, validators, context, redaction.
//!
//! A [`Pack`] holds all detectors, compiled once and shared. [`Pack::scan`] reads a whole text, a [`Scanner`] reads a
//! stream in pieces of any size and says how far the stream is settled. Both give the same findings (DET-1).
//!
//! # What a certainty means
//!
//! *certain*: a check digit holds, the form belongs to one issuer only, or form and context agree. *likely*: the form
//! fits and nothing speaks against it, or the context says so without proof. The certainties of each detector are in
//! its file and on the reference page; the measured precision of both is part of the quality report
//! (`cargo run --release -p writ-detect --example quality`).
//!
//! # How it works
//!
//! Every byte goes once through an automaton of all keywords (aho-corasick) and a test for digit groups. What these
//! hit is judged by anchored automata (one per detector, one for all numbers together), validators, whole-word
//! context, and the neighbourhood. Overlaps are resolved (proof before context before form), and identifiers near
//! health words are reported a second time as `phi`. Source code is recognised by lines.
//!
//! Detectors are data in `catalog/detectors`, each with examples and counter-examples; checks are code in
//! `validate`, each with its source.

mod automaton;
mod code;
mod context;
mod evaluate;
mod health;
pub mod limits;
mod pack;
mod redact;
pub mod reference;
mod resolve;
mod scanner;
mod spec;
mod validate;
mod words;

pub use pack::{BUILTIN_FILES, Pack};
pub use redact::{Counts, PLACEHOLDER_BYTES, distinct_values, is_placeholder, redact_spans, share, sort};
pub use scanner::Scanner;
pub use spec::{Boundary, Claim, Definition, DetectorFile, DetectorSpec, Harmless, Normal, PackError, Trigger};
pub use validate::VALIDATORS;
