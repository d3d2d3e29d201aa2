//! The nouns of Writ as plain data, and the one schema of facts.
//!
//! Everything that crosses a crate boundary is here and has no behaviour beyond reading itself: what an interaction
//! is made of ([`interaction`]), what was found in it ([`finding`]), what is known about it ([`facts`], described by
//! [`schema`]), what was decided ([`verdict`]), what stands beside the policy ([`standing`]), what is written down
//! ([`record`]).

pub mod class;
pub mod facts;
pub mod finding;
pub mod interaction;
pub mod language;
pub mod record;
pub mod refusal;
pub mod schema;
pub mod set;
pub mod standing;
pub mod term;
pub mod values;
pub mod verdict;

pub use facts::{Fact, Facts};
pub use finding::{Certainty, Finding};
pub use interaction::{Author, Direction, Part, WireFormat};
pub use language::Language;
pub use record::UnreadReason;
pub use refusal::{ClauseQuote, Note, Refusal, RefusalKind};
pub use schema::{Dimension, SCHEMA};
pub use set::Set;
pub use term::Term;
pub use values::*;
pub use verdict::{Decision, Effect, Verdict};
