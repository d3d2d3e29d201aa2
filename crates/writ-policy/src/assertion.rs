//! Assertions: what `prove` blocks say must hold in every version of a policy. Names are resolved; nothing here decides.

use writ_model::{Effect, Term};

use crate::rule::{KeyValue, Keys};

/// One assertion: situations, and what must never or always be decided there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assertion {
    /// The clause whose block it stands in, if it stands in one.
    pub clause: Option<Term>,
    /// Its words, as the document writes them: `who contractor, passes phi`.
    pub text: String,
    /// The situations that it speaks about, read as the keys of a rule that raises: more risk is always meant as well.
    pub keys: Keys,
    /// What is claimed of them.
    pub claim: Claim,
    /// `in what is read`: content that is not read is left out.
    pub read_only: bool,
}

/// What an assertion claims.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// `never: ..., passes CLASSES`: none of these values of `data` goes on unredacted.
    NeverPasses(Vec<KeyValue>),
    /// `always: ..., at least EFFECT`.
    AtLeast(Effect),
}

impl Assertion {
    /// The whole assertion on one line, as the document writes it.
    pub fn sentence(&self) -> String {
        let word = match self.claim {
            Claim::NeverPasses(_) => "never",
            Claim::AtLeast(_) => "always",
        };
        format!("{word}: {}", self.text)
    }
}
