//! Findings: what a detector claims about a span of text; never the value itself.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use writ_base::KeyedDigest;

use crate::set::Set;
use crate::term::Term;
use crate::values::{Value, ValueSpec};

/// How sure a finding is. The detection reference states the measured precision of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Certainty {
    /// The form fits and nothing speaks against it, or the context says so without proof.
    Likely,
    /// Proved by a check digit, a unique form, or form and context together.
    Certain,
}

impl Certainty {
    /// The name in policies and records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Likely => "likely",
            Self::Certain => "certain",
        }
    }
}

/// What a finding rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Evidence {
    /// The form of the value.
    Pattern,
    /// A check digit or another proof inside the value.
    Checksum,
    /// Words around it.
    Context,
    /// A word of the organisation's own.
    Dictionary,
    /// Statistics of the text.
    Statistics,
    /// Findings of other detectors close by.
    Neighbours,
}

impl Value for Evidence {
    const ALL: &'static [Self] =
        &[Self::Pattern, Self::Checksum, Self::Context, Self::Dictionary, Self::Statistics, Self::Neighbours];

    fn name(self) -> &'static str {
        self.spec().name
    }

    fn index(self) -> u8 {
        self as u8
    }
}

impl Evidence {
    const fn spec(self) -> ValueSpec {
        let (name, doc) = match self {
            Self::Pattern => ("pattern", "the form of the value"),
            Self::Checksum => ("checksum", "a check digit or another proof inside the value"),
            Self::Context => ("context", "words around it"),
            Self::Dictionary => ("dictionary", "a word of the organisation's own"),
            Self::Statistics => ("statistics", "statistics of the text"),
            Self::Neighbours => ("neighbours", "findings of other detectors close by"),
        };
        ValueSpec { name, doc }
    }
}

/// A claim about a span of one text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The type of data in upper case, from the detection taxonomy: `CREDIT_CARD`, `EMAIL`, `API_KEY` ...
    pub data_type: Term,
    /// The class that rules speak about.
    pub class: Term,
    /// Where, in bytes of the scanned text; start and end lie on character boundaries.
    pub span: Range<usize>,
    /// How sure.
    pub certainty: Certainty,
    /// What it rests on.
    pub evidence: Set<Evidence>,
    /// Which detector claims it, by its id.
    pub detector: Term,
    /// Digest of the normalised value under a key of this process: equal values have equal digests.
    pub value: KeyedDigest,
}
