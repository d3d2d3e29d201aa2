//! From facts to a situation: one pass, with the policy's small tables.

use std::collections::BTreeSet;

use smallvec::SmallVec;
use writ_model::facts::{Found, Reading};
use writ_model::schema::Dimension;
use writ_model::{Action, Certainty, Facts, Level, Status, Term, Value};

use super::layout::{Layout, UNDEFINED};
use super::rows::{Bits, Piece, View};

/// What one evaluation is about, in bits.
#[derive(Clone, Debug)]
pub(crate) struct Situation<'a> {
    /// Bits that are set.
    pub(crate) known: Bits,
    /// Bits that are set, or may be when what is pending settles.
    pub(crate) possible: Bits,
    /// Whether something is pending.
    pub(crate) pending: bool,
    /// Whether it is pending what was found.
    pub(crate) data_pending: bool,
    /// The classes found, sorted.
    pub(crate) found: SmallVec<[FoundClass<'a>; 8]>,
}

/// A class that was found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FoundClass<'a> {
    pub(crate) name: &'a Term,
    /// Its place, if the policy knows it.
    pub(crate) place: Option<u16>,
    /// Whether it is cleared, unless that is pending.
    pub(crate) cleared: Option<bool>,
}

impl FoundClass<'_> {
    /// The bit that says that it is cleared, or is not.
    fn clearance(&self, layout: &Layout, cleared: bool) -> u16 {
        self.place.map_or_else(|| layout.undefined(cleared), |place| layout.clearance(place, cleared))
    }

    /// All bits that may be set because it was found.
    fn bits(&self, layout: &Layout) -> SmallVec<[Piece; 2]> {
        let chain = self.place.map(|place| layout.whole_chain(place));
        let clearance = self.cleared.map(|cleared| Piece::of(self.clearance(layout, cleared)));
        chain.into_iter().chain(clearance).collect()
    }
}

/// What a pending action may become: what does not leave the organisation is known from the connection, the head, or
/// because it is an answer.
const PENDING_ACTIONS: [Action; 3] = [Action::Submit, Action::Upload, Action::ToolCall];

impl<'a> Situation<'a> {
    /// The situation that facts describe.
    pub(crate) fn of(layout: &Layout, facts: &'a Facts) -> Self {
        let mut situation = Self {
            known: Bits::EMPTY,
            possible: Bits::EMPTY,
            pending: false,
            data_pending: false,
            found: SmallVec::new(),
        };
        for dimension in Dimension::ALL.iter().copied() {
            if !matches!(dimension, Dimension::Data | Dimension::Cleared | Dimension::Level) {
                situation.read(layout, dimension, facts.read(dimension));
            }
        }
        situation.set(layout.plain());
        let of_classes = situation.read_classes(layout, facts);
        situation.read_level(layout, facts, of_classes);
        if !situation.pending {
            situation.possible = situation.known.clone();
        }
        situation
    }

    /// What certainly holds.
    pub(crate) fn certain(&self) -> View<'_> {
        View { set: &self.known, unset: &self.possible, certain: self.pending }
    }

    /// What may hold.
    pub(crate) fn possible(&self) -> View<'_> {
        View { set: &self.possible, unset: &self.known, certain: false }
    }

    /// The same situation with one of these actions, which is pending if there are several.
    pub(crate) fn with_actions(mut self, layout: &Layout, actions: &[Action]) -> Self {
        self.clear_all(layout.bits(Dimension::Action));
        self.may_be(actions.iter().map(|action| layout.closed(Dimension::Action, action.index())));
        self
    }

    /// The situation after these classes were removed, as far as nothing of it is pending.
    pub(super) fn without(&self, layout: &Layout, facts: &Facts, removed: &BTreeSet<Term>) -> Self {
        let mut after = self.clone();
        let mut highest = Level::Unstated;
        for found in &self.found {
            let bits = found.bits(layout);
            if removed.contains(found.name) {
                bits.iter().for_each(|piece| after.clear(*piece));
            } else if let Some(definition) = found.place.and_then(|place| layout.definition(place)) {
                highest = highest.max(definition.level);
            }
        }
        after.found.retain(|found| !removed.contains(found.name));
        // Classes that the policy does not know share their bits.
        for found in after.found.clone() {
            found.bits(layout).iter().filter(|_| found.place.is_none()).for_each(|piece| after.add(*piece));
        }
        after.clear_all(layout.bits(Dimension::Level));
        after.read_level(layout, facts, highest);
        after
    }

    /// The situation after the service was approved and cleared for what was found, as far as nothing of it is pending.
    pub(super) fn vetted(&self, layout: &Layout) -> Self {
        let mut after = self.clone();
        after.clear_all(layout.bits(Dimension::Status));
        after.set(layout.closed(Dimension::Status, Status::Approved.index()));
        for found in &mut after.found {
            found.cleared = Some(true);
        }
        for found in &self.found {
            after.clear(Piece::of(found.clearance(layout, false)));
            after.set(found.clearance(layout, true));
        }
        after
    }

    fn clear_all(&mut self, bits: impl IntoIterator<Item = u16>) {
        bits.into_iter().for_each(|bit| self.clear(Piece::of(bit)));
    }

    fn clear(&mut self, piece: Piece) {
        self.known.remove(piece);
        self.possible.remove(piece);
    }

    fn add(&mut self, piece: Piece) {
        self.known.add(piece);
        self.possible.add(piece);
    }

    fn set(&mut self, bit: u16) {
        self.known.set(bit);
        self.possible.set(bit);
    }

    fn may_be(&mut self, bits: impl IntoIterator<Item = u16>) {
        self.pending = true;
        bits.into_iter().for_each(|bit| self.possible.set(bit));
    }

    fn read(&mut self, layout: &Layout, dimension: Dimension, reading: Reading<'_>) {
        match reading {
            Reading::Pending if dimension == Dimension::Action => {
                self.may_be(PENDING_ACTIONS.map(|action| layout.closed(dimension, action.index())));
            }
            Reading::Pending => self.may_be(layout.bits(dimension)),
            Reading::Closed(index) => self.set(layout.closed(dimension, index)),
            Reading::Open(name) => self.set(layout.open(dimension, name)),
            Reading::ClosedSet(mut bits) => {
                while bits != 0 {
                    self.set(layout.closed(dimension, u8::try_from(bits.trailing_zeros()).unwrap_or(0)));
                    bits &= bits - 1;
                }
            }
            // A directory that answers `unknown` could not be read, whatever else it says.
            Reading::OpenSet(Some(names)) if !names.contains(Term::UNKNOWN.as_str()) => {
                layout.present(dimension, names).for_each(|bit| self.set(bit));
            }
            Reading::OpenSet(_) => self.set(layout.open(dimension, &Term::UNKNOWN)),
            Reading::Classes(_) => {}
        }
    }

    /// Reads what was found and what is cleared; answers the highest level of the classes found.
    fn read_classes(&mut self, layout: &Layout, facts: &'a Facts) -> Level {
        let cleared = facts.cleared.known();
        self.pending |= cleared.is_none();
        let Some(classes) = facts.data.known() else {
            self.data_pending = true;
            self.may_be(layout.data());
            for (place, (name, _)) in (0u16..).zip(&layout.classes) {
                let may = |as_cleared| cleared.is_none_or(|cleared| cleared.contains(name) == as_cleared);
                let bits = [false, true].into_iter().filter(|c| may(*c)).map(|c| layout.clearance(place, c));
                self.may_be(bits);
            }
            return Level::Unstated;
        };
        let mut highest = Level::Unstated;
        for (name, found) in classes {
            let likely = found.likely.max(found.certain);
            if likely == 0 {
                continue;
            }
            let place = layout.class(name);
            let cleared = cleared.map(|cleared| cleared.contains(name));
            self.found.push(FoundClass { name, place, cleared });
            if let Some(place) = place {
                highest = highest.max(self.count(layout, place, Found { likely, certain: found.certain }));
            }
            let bit = |c| place.map_or_else(|| layout.undefined(c), |place| layout.clearance(place, c));
            match cleared {
                Some(cleared) => self.set(bit(cleared)),
                None => self.may_be([bit(false), bit(true)]),
            }
        }
        highest
    }

    /// Sets the chain of a class that was found; answers its level.
    fn count(&mut self, layout: &Layout, place: u16, found: Found) -> Level {
        let definition = layout.definition(place).unwrap_or(&UNDEFINED);
        for certainty in [Certainty::Likely, Certainty::Certain] {
            if let Some(band) = definition.band(found.at_least(certainty)) {
                let bits = layout.chain_up_to(place, band, certainty);
                self.known.add(bits);
                self.possible.add(bits);
            }
        }
        definition.level
    }

    fn read_level(&mut self, layout: &Layout, facts: &Facts, of_classes: Level) {
        let stated = facts.level.known().copied().unwrap_or(Level::Unstated);
        let declared = facts.declared.known().map_or(Level::Unstated, |declared| Level::from(*declared));
        let level = of_classes.max(stated).max(declared);
        if facts.level.pending() || facts.declared.pending() || self.data_pending {
            let higher = Level::ALL.iter().filter(|other| **other >= level);
            self.may_be(higher.map(|level| layout.closed(Dimension::Level, level.index())));
        } else {
            self.set(layout.closed(Dimension::Level, level.index()));
        }
    }
}
