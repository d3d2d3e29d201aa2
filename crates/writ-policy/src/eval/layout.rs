//! Which bit of a situation means what: the values of each dimension that a policy can tell apart.

use std::collections::BTreeSet;

use writ_base::Limit;
use writ_model::schema::{Dimension, Values};
use writ_model::{Band, Certainty, Level, Term, Value as _};

use crate::rule::{ClassDefinition, KeyTest, KeyValue, Keys, PolicyModel};

use super::CompileError;
use super::readable::Atom;
use super::rows::{BITS, Piece};

/// Classes that one policy may tell apart.
pub static CLASSES: Limit = Limit::new("policy.rows.classes", "classes", 96);

/// Values of all dimensions that one policy may tell apart.
pub static SITUATION_BITS: Limit = Limit::new("policy.situation_bits", "bits", BITS);

/// Bits of a class that say how much of it was found: one per band and certainty.
const CHAIN: u16 = 6;

/// Chains in one word; a chain never lies in two.
const CHAINS_PER_WORD: u16 = 10;

/// Bits of a class that say whether it is cleared: found and not cleared, found and cleared.
const CLEARANCE: u16 = 2;

/// The layout of a policy's situations.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    /// First bit and number of bits of each dimension, by its number.
    ranges: Vec<(u16, u16)>,
    /// Names of open dimensions that the policy tells apart, sorted, by the dimension's number.
    names: Vec<Vec<Term>>,
    /// The classes, sorted by name.
    pub(crate) classes: Vec<(Term, ClassDefinition)>,
    clearance: u16,
}

/// A class of which neither the policy nor an exception says anything: only `any data` speaks about it.
pub(crate) const UNDEFINED: ClassDefinition = ClassDefinition { level: Level::Unstated, few: 2, bulk: 10 };

impl Layout {
    /// The layout for a policy and the keys and groups of what stands beside it.
    pub(crate) fn new(model: &PolicyModel, keys: &[&Keys], groups: &BTreeSet<Term>) -> Result<Self, CompileError> {
        let rule_keys = model.rules.iter().flat_map(|rule| std::iter::once(&rule.keys).chain(&rule.unless));
        let tests: Vec<&KeyTest> = rule_keys.chain(keys.iter().copied()).flat_map(|keys| &keys.tests).collect();
        let mut classes = model.classes.clone();
        for class in tests.iter().flat_map(|test| &test.values).filter_map(class_of) {
            classes.entry(class.clone()).or_insert(UNDEFINED);
        }
        if !CLASSES.admits(classes.len()) {
            return Err(CompileError::TooManyClasses { count: classes.len(), limit: CLASSES.value() });
        }
        let mut layout =
            Self { ranges: Vec::new(), names: Vec::new(), classes: classes.into_iter().collect(), clearance: 0 };
        let mut next = 0usize;
        for dimension in Dimension::ALL.iter().copied() {
            let names = open_names(dimension, &tests, groups);
            let width = layout.width(dimension, names.len());
            // A range of up to 64 bits lies in one word, so that its tests have one piece.
            if width <= 64 && next % 64 + width > 64 || dimension == Dimension::Data {
                next = next.next_multiple_of(64);
            }
            layout.ranges.push((bit(next), bit(width)));
            layout.names.push(names);
            next += width;
        }
        layout.clearance = bit(next);
        next += layout.classes.len() * usize::from(CLEARANCE);
        if !SITUATION_BITS.admits(next) {
            return Err(CompileError::TooManyValues { bits: next, limit: SITUATION_BITS.value() });
        }
        Ok(layout)
    }

    fn width(&self, dimension: Dimension, names: usize) -> usize {
        match (dimension, dimension.spec().values) {
            (Dimension::Data, _) => 64 + self.classes.len().div_ceil(CHAINS_PER_WORD.into()) * 64,
            (Dimension::Cleared, _) => 0,
            (_, Values::Closed(values)) => values.len(),
            (_, Values::Open(_)) => names + 2,
        }
    }

    fn range(&self, dimension: Dimension) -> (u16, u16) {
        self.ranges.get(dimension as usize).copied().unwrap_or((0, 0))
    }

    /// The names of an open dimension that the policy tells apart, sorted.
    pub(crate) fn names(&self, dimension: Dimension) -> &[Term] {
        self.names.get(dimension as usize).map_or(&[], Vec::as_slice)
    }

    /// All bits of a dimension.
    pub(crate) fn bits(&self, dimension: Dimension) -> std::ops::Range<u16> {
        let (first, width) = self.range(dimension);
        first..first + width
    }

    /// The bit of a closed value.
    pub(crate) fn closed(&self, dimension: Dimension, index: u8) -> u16 {
        let (first, width) = self.range(dimension);
        first + u16::from(index).min(width.saturating_sub(1))
    }

    /// The bit of an open value; one bit stands for all that the policy does not name, and one for `unknown`.
    pub(crate) fn open(&self, dimension: Dimension, name: &Term) -> u16 {
        let (first, _) = self.range(dimension);
        let names = self.names(dimension);
        let count = bit(names.len());
        if name.unknown() {
            return first + count + 1;
        }
        first + names.binary_search(name).map_or(count, bit)
    }

    /// The bit of `unknown`, on dimensions that have one.
    pub(crate) fn unknown(&self, dimension: Dimension) -> Option<u16> {
        match dimension.spec().values {
            Values::Open(_) => Some(self.open(dimension, &Term::UNKNOWN)),
            Values::Closed(values) => {
                let place = values.iter().position(|value| value.name == Term::UNKNOWN.as_str())?;
                Some(self.closed(dimension, u8::try_from(place).ok()?))
            }
        }
    }

    /// The bit that every interaction has.
    pub(crate) fn plain(&self) -> u16 {
        self.range(Dimension::Data).0
    }

    /// The bit of a class found that the policy does not know, by whether it is cleared.
    pub(crate) fn undefined(&self, cleared: bool) -> u16 {
        self.plain() + 1 + u16::from(cleared)
    }

    /// The bit that says that a class was found with at least this band and certainty.
    pub(crate) fn chain(&self, class: u16, band: Band, certainty: Certainty) -> u16 {
        let first = self.plain() + 64 + class / CHAINS_PER_WORD * 64 + class % CHAINS_PER_WORD * CHAIN;
        first + certainty as u16 * 3 + band as u16
    }

    /// The bit that says that a class was found and is cleared, or not.
    pub(crate) fn clearance(&self, class: u16, cleared: bool) -> u16 {
        self.clearance + class * CLEARANCE + u16::from(cleared)
    }

    /// The place of a class.
    pub(crate) fn class(&self, name: &Term) -> Option<u16> {
        self.classes.binary_search_by(|(class, _)| class.cmp(name)).ok().map(bit)
    }

    /// The definition of a class.
    pub(crate) fn definition(&self, class: u16) -> Option<&ClassDefinition> {
        self.classes.get(usize::from(class)).map(|(_, definition)| definition)
    }

    /// The bits that say that a class was found in this band, at least with this certainty: the band and those below.
    pub(crate) fn chain_up_to(&self, class: u16, band: Band, certainty: Certainty) -> Piece {
        let first = Piece::of(self.chain(class, Band::One, certainty));
        // The bits of one certainty lie side by side in one word: 1, 3 or 7 of them.
        Piece { word: first.word, mask: (first.mask << (band as u8 + 1)).wrapping_sub(first.mask) }
    }

    /// The bits of those names of an open dimension that the policy tells apart.
    pub(crate) fn present(&self, dimension: Dimension, names: &BTreeSet<Term>) -> impl Iterator<Item = u16> {
        let (first, _) = self.range(dimension);
        (first..).zip(self.names(dimension)).filter(|(_, name)| names.contains(*name)).map(|(bit, _)| bit)
    }

    /// The places of all classes.
    pub(crate) fn class_places(&self) -> std::ops::Range<u16> {
        0..bit(self.classes.len())
    }

    /// All bits of the data region: `plain`, and what was found.
    pub(crate) fn data(&self) -> impl Iterator<Item = u16> + '_ {
        let chains = self.class_places().flat_map(|class| self.chains(class));
        [self.plain(), self.undefined(false), self.undefined(true)].into_iter().chain(chains)
    }

    /// The dimension that a bit belongs to.
    pub(super) fn dimension(&self, bit: u16) -> Option<Dimension> {
        if bit >= self.clearance {
            return Some(Dimension::Cleared);
        }
        Dimension::ALL.iter().copied().find(|dimension| self.bits(*dimension).contains(&bit))
    }

    /// What a bit says; nothing for one between two regions, which is never set.
    pub(super) fn atom(&self, bit: u16) -> Option<Atom> {
        if let Some(place) = bit.checked_sub(self.clearance) {
            let (class, _) = self.classes.get(usize::from(place / CLEARANCE))?;
            return Some(Atom::Cleared { class: class.clone(), cleared: place % CLEARANCE != 0 });
        }
        let dimension = self.dimension(bit)?;
        let place = bit - self.range(dimension).0;
        if dimension == Dimension::Data {
            return self.data_atom(place);
        }
        match dimension.spec().values {
            Values::Closed(values) => values.get(usize::from(place)).map(|value| Atom::Closed(value.name)),
            Values::Open(_) => match self.names(dimension).get(usize::from(place)) {
                Some(name) => Some(Atom::Open(name.clone())),
                None if usize::from(place) == self.names(dimension).len() => Some(Atom::Other),
                None => Some(Atom::Unknown),
            },
        }
    }

    fn data_atom(&self, place: u16) -> Option<Atom> {
        let Some(place) = place.checked_sub(64) else {
            return match place {
                0 => Some(Atom::Plain),
                1 | 2 => Some(Atom::Undefined { cleared: place == 2 }),
                _ => None,
            };
        };
        let (word, within) = (place / 64, place % 64);
        let (class, _) = self.classes.get(usize::from(word * CHAINS_PER_WORD + within / CHAIN))?;
        let (certainty, band) = (within % CHAIN / 3, within % CHAIN % 3);
        let certainty = if certainty == 0 { Certainty::Likely } else { Certainty::Certain };
        let band = Band::ALL.get(usize::from(band))?;
        (within < CHAINS_PER_WORD * CHAIN).then(|| Atom::Found { class: class.clone(), band: *band, certainty })
    }

    /// The chain of a class, which lies in one word.
    pub(crate) fn whole_chain(&self, class: u16) -> Piece {
        let first = Piece::of(self.chain(class, Band::One, Certainty::Likely));
        Piece { word: first.word, mask: (first.mask << CHAIN).wrapping_sub(first.mask) }
    }

    /// All bits of the chain of a class.
    pub(crate) fn chains(&self, class: u16) -> std::ops::Range<u16> {
        let first = self.chain(class, Band::One, Certainty::Likely);
        first..first + CHAIN
    }

    /// Appends the layout in a canonical form.
    pub(crate) fn encode(&self, out: &mut super::encoding::Encoder) {
        out.list(Dimension::ALL, |out, dimension| {
            out.text(dimension.key());
            out.number(self.range(*dimension).0.into());
            match dimension.spec().values {
                Values::Closed(values) => out.list(values, |out, value| out.text(value.name)),
                Values::Open(_) => out.list(self.names(*dimension), |out, name| out.text(name)),
            }
        });
        out.list(&self.classes, |out, (name, class)| {
            out.text(name);
            out.number(class.level as u64);
            out.number(class.few.into());
            out.number(class.bulk.into());
        });
        out.number(self.clearance.into());
    }
}

/// The class that a value names.
pub(crate) fn class_of(value: &KeyValue) -> Option<&Term> {
    match value {
        KeyValue::Class { class, .. } => Some(class),
        _ => None,
    }
}

fn open_names(dimension: Dimension, tests: &[&KeyTest], groups: &BTreeSet<Term>) -> Vec<Term> {
    if !matches!(dimension.spec().values, Values::Open(_)) || dimension == Dimension::Data {
        return Vec::new();
    }
    let values = tests.iter().filter(|test| test.dimension == dimension).flat_map(|test| &test.values);
    let named = values.filter_map(|value| match value {
        KeyValue::Open(name) if !name.unknown() => Some(name.clone()),
        _ => None,
    });
    let rings = groups.iter().filter(|name| dimension == Dimension::Group && !name.unknown()).cloned();
    let names: BTreeSet<Term> = named.chain(rings).collect();
    names.into_iter().collect()
}

/// A number of bits; the limits keep it far below the end of its range.
fn bit(number: usize) -> u16 {
    u16::try_from(number).unwrap_or(u16::MAX)
}
