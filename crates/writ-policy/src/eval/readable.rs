//! Rows in words: the compiled form as other tools and people can read it.

use std::collections::BTreeMap;
use std::fmt;

use writ_model::schema::{Dimension, Values};
use writ_model::standing::ExceptionId;
use writ_model::{Band, Certainty, Term};

use super::rows::{Mask, Piece, Test};
use super::{Layout, Policy};

/// What one bit of a situation says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Atom {
    /// The dimension has this value of its closed list.
    Closed(&'static str),
    /// The dimension has this name.
    Open(Term),
    /// The dimension has a name that the policy does not tell apart from others.
    Other,
    /// The source of the dimension could not say.
    Unknown,
    /// What every interaction contains.
    Plain,
    /// At least this many distinct values of a class were found, at least this certain.
    Found {
        /// The class.
        class: Term,
        /// The least band.
        band: Band,
        /// The least certainty.
        certainty: Certainty,
    },
    /// A class was found, and vetting allows it at the service or not.
    Cleared {
        /// The class.
        class: Term,
        /// Whether it is allowed.
        cleared: bool,
    },
    /// A class was found that the policy does not define, and vetting allows it at the service or not.
    Undefined {
        /// Whether it is allowed.
        cleared: bool,
    },
}

impl fmt::Display for Atom {
    /// As in the exported form: `approved`, `phi (few, certain)`, `any other name`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clearance = |cleared: bool| if cleared { "cleared" } else { "not cleared" };
        match self {
            Self::Closed(name) => f.write_str(name),
            Self::Open(name) => f.write_str(name),
            Self::Other => f.write_str("any other name"),
            Self::Unknown => f.write_str("unknown"),
            Self::Plain => f.write_str("plain"),
            Self::Found { class, band, certainty } => write!(f, "{class} ({band}, {})", certainty.as_str()),
            Self::Cleared { class, cleared } => write!(f, "{class} ({})", clearance(*cleared)),
            Self::Undefined { cleared } => write!(f, "any other class ({})", clearance(*cleared)),
        }
    }
}

/// A condition of a row: some or none of these hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// What it is about.
    pub dimension: Dimension,
    /// Whether it asks that none of them holds.
    pub none: bool,
    /// The bits that it asks for, in the order of the layout.
    pub atoms: Vec<Atom>,
}

/// A row: all its conditions must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadableRow {
    /// The rule it comes from, by its place in the model.
    pub rule: usize,
    /// Its conditions.
    pub conditions: Vec<Condition>,
    /// What it covers, for a row that foresees.
    pub covers: Vec<Atom>,
}

/// An exception as the evaluator tests it; its dates stand in the grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadableException {
    /// Which one.
    pub id: ExceptionId,
    /// The situation in which it applies.
    pub conditions: Vec<Condition>,
    /// What it covers where it applies, and the actions for which it does.
    pub covers: Vec<Atom>,
    /// The actions for which it covers that.
    pub covers_where: Option<Condition>,
}

/// All rows of a policy, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadableRows {
    /// Rows that foresee.
    pub foresee: Vec<ReadableRow>,
    /// Rows that raise.
    pub raise: Vec<ReadableRow>,
    /// Rows that raise where content could not be read.
    pub failure: Vec<ReadableRow>,
    /// The exceptions that stand beside the policy.
    pub exceptions: Vec<ReadableException>,
    /// The names of each open dimension that the policy tells apart.
    pub names: BTreeMap<Dimension, Vec<Term>>,
    /// The classes that it tells apart, with what it says of each.
    pub classes: BTreeMap<Term, crate::rule::ClassDefinition>,
}

impl Policy {
    /// The rows in words: what is exported is what runs.
    pub fn readable(&self) -> ReadableRows {
        let layout = &self.layout;
        let raising = |row: &super::rows::Raise| ReadableRow {
            rule: usize::try_from(row.rule).unwrap_or(usize::MAX),
            conditions: conditions(layout, &row.tests),
            covers: Vec::new(),
        };
        let foreseeing = |row: &super::rows::Foresee| ReadableRow {
            rule: usize::try_from(row.rule).unwrap_or(usize::MAX),
            conditions: conditions(layout, &row.tests),
            covers: atoms(layout, &row.cover),
        };
        let exceptions = self.standing.exceptions.iter().zip(&self.exceptions);
        let open = Dimension::ALL.iter().filter(|dimension| matches!(dimension.spec().values, Values::Open(_)));
        ReadableRows {
            foresee: self.rows.foresee.iter().map(foreseeing).collect(),
            raise: self.rows.raise.iter().map(raising).collect(),
            failure: self.rows.failure.iter().map(raising).collect(),
            exceptions: exceptions
                .map(|(exception, lowered)| ReadableException {
                    id: exception.grant.id,
                    conditions: conditions(layout, &lowered.tests),
                    covers: atoms(layout, &lowered.cover),
                    covers_where: condition(layout, &lowered.covers),
                })
                .collect(),
            names: open
                .filter(|dimension| **dimension != Dimension::Data)
                .map(|dimension| (*dimension, layout.names(*dimension).to_vec()))
                .collect(),
            classes: layout.classes.iter().cloned().collect(),
        }
    }
}

fn conditions(layout: &Layout, tests: &[Test]) -> Vec<Condition> {
    tests.iter().filter_map(|test| condition(layout, test)).collect()
}

/// A test in words; nothing where it has no bit, which lowering leaves out.
fn condition(layout: &Layout, test: &Test) -> Option<Condition> {
    let (none, mask) = match test {
        Test::Any(mask) | Test::One(mask, _) => (false, mask),
        Test::None(mask) => (true, mask),
    };
    let bits = bits(mask);
    let dimension = bits.iter().find_map(|bit| layout.dimension(*bit))?;
    Some(Condition { dimension, none, atoms: bits.into_iter().filter_map(|bit| layout.atom(bit)).collect() })
}

fn atoms(layout: &Layout, mask: &Mask) -> Vec<Atom> {
    bits(mask).into_iter().filter_map(|bit| layout.atom(bit)).collect()
}

fn bits(mask: &[Piece]) -> Vec<u16> {
    let of = |piece: &Piece| {
        let (word, mask) = (u16::from(piece.word), piece.mask);
        (0..64u16).filter(move |bit| mask & (1 << bit) != 0).map(move |bit| word * 64 + bit)
    };
    mask.iter().flat_map(of).collect()
}
