//! The typed form of a policy, between the document and the rows: what the parser makes, what the reference evaluator
//! reads literally, and what lowering turns into rows. Names are resolved, values are in range; nothing here can fail.

use std::collections::{BTreeMap, BTreeSet};

use writ_model::class::ClassSpec;
use writ_model::verdict::{Offer, Restore};
use writ_model::{Band, Certainty, Dimension, Effect, Level, Mode, Severity, Term, Who};

use crate::assertion::Assertion;

/// A policy after names have been resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyModel {
    /// The effect of a situation that nothing foresees, per `who`; block where the document is silent.
    pub postures: BTreeMap<Who, Effect>,
    /// All classes, shipped and own, with their levels and count bands.
    pub classes: BTreeMap<Term, ClassDefinition>,
    /// The clauses, in the order of the text.
    pub clauses: Vec<ClauseModel>,
    /// The rules of blocks and tables, in the order of the text.
    pub rules: Vec<Rule>,
    /// What must hold in every version, in the order of the text.
    pub assertions: Vec<Assertion>,
}

/// A class as this policy defines it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassDefinition {
    /// The level of content that holds it.
    pub level: Level,
    /// The least number of distinct values of the band *few*.
    pub few: u32,
    /// The least number of distinct values of the band *bulk*.
    pub bulk: u32,
}

impl ClassDefinition {
    /// The band of `count` distinct values; `None` for no value.
    pub const fn band(&self, count: u32) -> Option<Band> {
        match count {
            0 => None,
            n if n >= self.bulk => Some(Band::Bulk),
            n if n >= self.few => Some(Band::Few),
            _ => Some(Band::One),
        }
    }
}

impl From<&ClassSpec> for ClassDefinition {
    /// A shipped class with the default bands: one = 1, few = 2 to 9, bulk = 10 or more.
    fn from(spec: &ClassSpec) -> Self {
        Self { level: spec.level, few: 2, bulk: 10 }
    }
}

/// A clause, without its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClauseModel {
    /// The stable id.
    pub id: Term,
    /// The number as printed: `4.2`; may change.
    pub number: String,
    /// The heading.
    pub title: String,
    /// How it is made true.
    pub mode: Mode,
}

/// A rule of a block, or a cell of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The clause it belongs to.
    pub clause: Term,
    /// Its number within the clause, from 1, in the order of the text (cells row by row).
    pub number: u16,
    /// Its conditions: the rule applies where all of them do.
    pub keys: Keys,
    /// Standing carve-outs: the rule does not raise where one of them applies. Read as in a rule that foresees.
    pub unless: Vec<Keys>,
    /// The effect. [`Effect::Allow`] without `redact` only foresees.
    pub then: Effect,
    /// Whether all spans of the rule's classes that were found are removed; the effect is then allow.
    pub redact: bool,
    /// Whether the rule says that the situation was thought of: `then: allow`, table cells, and `foresees: yes`.
    pub foresees: bool,
    /// What happens when content could not be read: true = block (closed).
    pub fail_closed: bool,
    /// Roles that may grant one interaction; empty for a hard block.
    pub override_roles: BTreeSet<Term>,
    /// What the person may choose instead.
    pub offers: Vec<Offer>,
    /// How grave it is.
    pub severity: Option<Severity>,
    /// The reason shown to the person.
    pub why: Option<String>,
    /// Ids of risks or legal sources.
    pub because: Vec<String>,
    /// Where placeholders may be turned back.
    pub restore: Restore,
    /// Whether the person states a level once per file.
    pub ask_level: bool,
    /// How often a note is shown, in seconds; a day where the document is silent.
    pub every_seconds: u64,
}

impl Rule {
    /// Whether the rule demands something: an effect above allow, or a redaction.
    pub fn raises(&self) -> bool {
        self.then > Effect::Allow || self.redact || self.ask_level
    }
}

/// Conditions, all of which must hold; at most one per dimension and sense.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Keys {
    /// The conditions, in the order of the text.
    pub tests: Vec<KeyTest>,
}

impl Keys {
    /// The condition on a dimension, if there is one.
    pub fn on(&self, dimension: Dimension) -> Option<&KeyTest> {
        self.tests.iter().find(|test| test.dimension == dimension)
    }
}

/// One key of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyTest {
    /// The dimension.
    pub dimension: Dimension,
    /// `not`: none of the values is present; on ordered dimensions exactly the values named.
    pub not: bool,
    /// The values listed; class groups and signal families are already spelled out.
    pub values: Vec<KeyValue>,
}

/// A value in a key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyValue {
    /// A closed value, by its index in the schema.
    Closed(u8),
    /// An open value.
    Open(Term),
    /// `plain`, which every interaction contains.
    Plain,
    /// `data: any`: every class, and `plain`.
    AnyClass,
    /// A class. In a rule that raises band and certainty are the least that is asked for; in a rule that foresees they
    /// are the most that is covered, so that a silent document must be told from `(one)` and `(likely)`.
    Class {
        /// The class.
        class: Term,
        /// The band; `None` where the document is silent: one or more when raising, any number when covering.
        band: Option<Band>,
        /// The certainty; `None` where the document is silent: likely or better when raising, any when covering.
        certainty: Option<Certainty>,
    },
}

impl KeyValue {
    /// The value as the policy writes it under a dimension: `approved`, `phi (few)`, `any`.
    pub fn written(&self, dimension: Dimension) -> String {
        match self {
            Self::Closed(index) => dimension.value_name(*index).to_owned(),
            Self::Open(name) => name.to_string(),
            Self::Plain => writ_model::class::PLAIN.to_string(),
            Self::AnyClass => "any".to_owned(),
            Self::Class { class, band, certainty } => {
                let band = band.map(Band::as_str);
                let amount: Vec<&str> = band.into_iter().chain(certainty.map(Certainty::as_str)).collect();
                if amount.is_empty() { class.to_string() } else { format!("{class} ({})", amount.join(", ")) }
            }
        }
    }
}
