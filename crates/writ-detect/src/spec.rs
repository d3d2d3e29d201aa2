//! Detectors as data: what a file in `catalog/detectors` says, and what an organisation adds in its own words.

use std::collections::BTreeMap;

use serde::Deserialize;
use writ_model::{Certainty, Term};

/// What makes the scanner look: the thing that is searched for in every byte of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trigger {
    /// One of the keywords.
    #[default]
    Keyword,
    /// The first digit of a group of digits; the pattern may begin up to three bytes before it (`+`, `(`, letters).
    Number,
    /// An at sign (RFC 5322 addresses).
    Email,
    /// The armour of a key (RFC 7468): `-----BEGIN`.
    Armour,
    /// One of the keywords, as a sign of a health context; not a finding by itself.
    HealthWord,
}

/// What may stand directly before a keyword.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Boundary {
    /// No letter, digit or underscore.
    #[default]
    Word,
    /// Anything: the keyword may end a longer name.
    Any,
}

/// How sure a detector is in one situation, or that it stays silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Claim {
    /// No finding.
    #[default]
    Silent,
    /// A finding of certainty *likely*.
    Likely,
    /// A finding of certainty *certain*.
    Certain,
}

impl Claim {
    /// The certainty of the finding, if there is one.
    pub const fn certainty(self) -> Option<Certainty> {
        match self {
            Self::Silent => None,
            Self::Likely => Some(Certainty::Likely),
            Self::Certain => Some(Certainty::Certain),
        }
    }
}

/// What of a value counts when two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Normal {
    /// The value as it stands.
    #[default]
    Exact,
    /// Its digits.
    Digits,
    /// Its letters and digits, in lower case.
    Alnum,
    /// The value in lower case, white space as one space.
    Lower,
}

/// One detector, as its file describes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DetectorSpec {
    /// Unique name.
    pub id: Term,
    /// Label of the detection taxonomy.
    pub data_type: Term,
    /// The class that rules speak about.
    pub class: Term,
    /// What it finds, one line.
    pub doc: String,
    /// The specification behind the form.
    #[serde(default)]
    pub source: Option<String>,
    /// What makes the scanner look.
    #[serde(default)]
    pub trigger: Trigger,
    /// Literals, matched without regard to ASCII case.
    #[serde(default)]
    pub keywords: Vec<String>,
    /// Whether keywords are matched with regard to case.
    #[serde(default)]
    pub exact_case: bool,
    /// What may stand before a keyword.
    #[serde(default)]
    pub boundary: Boundary,
    /// What must stand between keyword and value; with it the value begins after the keyword, without it at it.
    #[serde(default)]
    pub lead: Option<String>,
    /// The form of the value (bytes, no Unicode classes); the longest match counts.
    #[serde(default)]
    pub pattern: String,
    /// What must follow the value.
    #[serde(default)]
    pub after: Option<String>,
    /// Name of the check in code.
    #[serde(default)]
    pub validator: Option<String>,
    /// The claim when nothing but the value speaks.
    #[serde(default)]
    pub alone: Claim,
    /// The claim when a word of `context` stands near.
    #[serde(default)]
    pub with_context: Claim,
    /// The claim when another sign of personal data (an at sign within an address, a telephone number) stands near.
    #[serde(default)]
    pub with_neighbour: Claim,
    /// The claim when the validator refuses the value but a word of `context` stands near.
    #[serde(default)]
    pub refused: Claim,
    /// Name of the list of words that speak for it.
    #[serde(default)]
    pub context: Option<Term>,
    /// How many bytes before the value are read for context.
    #[serde(default = "default_window")]
    pub context_before: usize,
    /// How many bytes after the value are read for context.
    #[serde(default)]
    pub context_after: usize,
    /// Name of the list of words that speak against it; they are outweighed by a word of `context`.
    #[serde(default)]
    pub negative: Option<Term>,
    /// The claim when a word of `negative` stands near and none of `context`.
    #[serde(default)]
    pub negated: Claim,
    /// Whether the value identifies a person, so that a health word near it makes it `phi`.
    #[serde(default)]
    pub identifier: bool,
    /// What of the value counts when two values are compared.
    #[serde(default)]
    pub normal: Normal,
    /// Texts in which the part between `«` and `»` is found. `·` is dropped: it keeps examples of secrets from
    /// looking like secrets to other tools.
    #[serde(default)]
    pub examples: Vec<String>,
    /// Texts in which this detector finds nothing.
    #[serde(default)]
    pub counter_examples: Vec<String>,
}

const fn default_window() -> usize {
    48
}

/// One file of detectors.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DetectorFile {
    /// The detectors.
    #[serde(default)]
    pub detector: Vec<DetectorSpec>,
    /// Lists of context words, by name; entries are lower case, at most two words each.
    #[serde(default)]
    pub words: BTreeMap<String, Vec<String>>,
}

/// An organisation's own class of data: `define` in its policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// The class that rules speak about.
    pub class: Term,
    /// Words and phrases, matched whole and without regard to ASCII case.
    pub words: Vec<String>,
    /// Regular expressions (bytes, within a line).
    pub expressions: Vec<String>,
}

/// Values that the organisation declares to be harmless: `define harmless`. They silence every finding except
/// credentials of certainty *certain*.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Harmless {
    /// Values, compared without regard to ASCII case.
    pub values: Vec<String>,
    /// Regular expressions that match a whole value.
    pub patterns: Vec<String>,
}

/// A pack that cannot be built. The texts name detectors and the organisation's own entries by position, never content.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PackError {
    /// A detector file is not valid TOML or has unknown keys.
    #[error("detector file {file}: {reason}")]
    File {
        /// Which of the files, counted from 1.
        file: usize,
        /// What the reader says.
        reason: String,
    },
    /// A detector is contradictory.
    #[error("detector `{detector}`: {reason}")]
    Detector {
        /// Its id.
        detector: Term,
        /// What is wrong.
        reason: String,
    },
    /// A regular expression cannot be compiled or is too large.
    #[error("expression {index} of `{owner}`: {reason}; write a shorter or simpler one")]
    Expression {
        /// Detector or class.
        owner: Term,
        /// Which, counted from 1.
        index: usize,
        /// What the compiler says.
        reason: String,
    },
    /// A word of a definition that cannot be searched for.
    #[error("word {index} of class `{class}` is {reason}")]
    Word {
        /// The class.
        class: Term,
        /// Which, counted from 1.
        index: usize,
        /// Why not.
        reason: &'static str,
    },
    /// More than a pack can hold.
    #[error("too many {what}: {count}, at most {limit}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many were given.
        count: usize,
        /// How many fit.
        limit: usize,
    },
}
