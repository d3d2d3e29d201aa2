//! Rows: what rules lower to. One flat bit array stands for a situation; a row is a short list of tests on it.

use std::collections::BTreeMap;

use smallvec::SmallVec;

/// Words of 64 bits in a situation.
pub(crate) const WORDS: usize = 32;

/// Bits in a situation.
pub(crate) const BITS: usize = WORDS * 64;

/// One bit per value that a row can tell apart; the layout says which is which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bits([u64; WORDS]);

impl Bits {
    pub(crate) const EMPTY: Self = Self([0; WORDS]);

    pub(crate) fn word(&self, word: u8) -> u64 {
        self.0.get(usize::from(word)).copied().unwrap_or(0)
    }

    pub(crate) fn set(&mut self, bit: u16) {
        self.add(Piece::of(bit));
    }

    pub(crate) fn has(&self, bit: u16) -> bool {
        self.has_any(Piece::of(bit))
    }

    /// The bits that are set in both.
    pub(crate) fn both(&self, other: &Self) -> Self {
        let mut bits = self.clone();
        bits.0.iter_mut().zip(other.0).for_each(|(word, mask)| *word &= mask);
        bits
    }

    /// The bits that are set.
    pub(crate) fn ones(&self) -> impl Iterator<Item = u16> + '_ {
        (0u8..).zip(self.0).flat_map(|(word, mask)| Piece { word, mask }.bits())
    }

    pub(crate) fn add(&mut self, piece: Piece) {
        if let Some(word) = self.0.get_mut(usize::from(piece.word)) {
            *word |= piece.mask;
        }
    }

    pub(crate) fn remove(&mut self, piece: Piece) {
        if let Some(word) = self.0.get_mut(usize::from(piece.word)) {
            *word &= !piece.mask;
        }
    }

    /// Whether some bit of a mask is set.
    pub(crate) fn has_any(&self, piece: Piece) -> bool {
        self.word(piece.word) & piece.mask != 0
    }

    pub(crate) fn meets(&self, pieces: &[Piece]) -> bool {
        pieces.iter().any(|piece| self.has_any(*piece))
    }
}

/// A mask within one word of the situation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) word: u8,
    pub(crate) mask: u64,
}

impl Piece {
    pub(crate) fn of(bit: u16) -> Self {
        Self { word: u8::try_from(bit / 64).unwrap_or(u8::MAX), mask: 1 << (bit % 64) }
    }

    /// The bits of the mask, in ascending order.
    pub(crate) fn bits(self) -> impl Iterator<Item = u16> {
        let first = u16::from(self.word) * 64;
        let mut left = self.mask;
        std::iter::from_fn(move || {
            let bit = u16::try_from(left.trailing_zeros()).ok().filter(|bit| *bit < 64)?;
            left &= left - 1;
            Some(first + bit)
        })
    }
}

/// A set of bits, as pieces in ascending order of words.
pub(crate) type Mask = SmallVec<[Piece; 1]>;

/// The mask of these bits.
pub(crate) fn mask(bits: impl IntoIterator<Item = u16>) -> Mask {
    let mut all = Bits::EMPTY;
    bits.into_iter().for_each(|bit| all.set(bit));
    let words = (0u8..).zip(all.0).filter(|(_, mask)| *mask != 0);
    words.map(|(word, mask)| Piece { word, mask }).collect()
}

/// A condition on a situation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Test {
    /// Some bit of the mask is set.
    Any(Mask),
    /// No bit of the mask is set.
    None(Mask),
    /// Of a dimension that has exactly one value: it is of the first mask, and so not of the second, which together
    /// are the whole dimension. Where all is known this is [`Test::Any`] of the first.
    One(Mask, Mask),
}

impl Test {
    pub(crate) fn any(bits: impl IntoIterator<Item = u16>) -> Self {
        Self::Any(mask(bits))
    }

    pub(crate) fn none(bits: impl IntoIterator<Item = u16>) -> Self {
        Self::None(mask(bits))
    }

    pub(crate) fn one(dimension: std::ops::Range<u16>, holds: impl Fn(u16) -> bool) -> Self {
        Self::One(mask(dimension.clone().filter(|bit| holds(*bit))), mask(dimension.filter(|bit| !holds(*bit))))
    }

    pub(crate) fn negated(&self) -> Self {
        match self {
            Self::Any(mask) => Self::None(mask.clone()),
            Self::None(mask) => Self::Any(mask.clone()),
            Self::One(yes, no) => Self::One(no.clone(), yes.clone()),
        }
    }

    /// Whether the test says the same in every situation.
    pub(crate) fn constant(&self) -> Option<bool> {
        match self {
            Self::Any(mask) => mask.is_empty().then_some(false),
            Self::None(mask) => mask.is_empty().then_some(true),
            Self::One(yes, no) => yes.is_empty().then_some(false).or_else(|| no.is_empty().then_some(true)),
        }
    }

    pub(crate) fn holds(&self, view: View<'_>) -> bool {
        match self {
            Self::Any(mask) => view.set.meets(mask),
            Self::None(mask) => !view.unset.meets(mask),
            Self::One(_, no) if view.certain => !view.unset.meets(no),
            Self::One(yes, _) => view.set.meets(yes),
        }
    }
}

/// How a row looks at a situation in which something may be pending. To ask what *certainly* holds, `Any` looks at the
/// bits that are surely set and `None` at those that may be; to ask what *may* hold, the other way round. Where
/// nothing is pending both are the same bits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View<'a> {
    /// Where `Any` looks.
    pub(crate) set: &'a Bits,
    /// Where `None` looks.
    pub(crate) unset: &'a Bits,
    /// Whether something is pending and the question is what certainly holds.
    pub(crate) certain: bool,
}

impl<'a> View<'a> {
    /// The bits that are set or may be.
    pub(crate) const fn possible(self) -> &'a Bits {
        if self.certain { self.unset } else { self.set }
    }
}

/// Tests, all of which must hold.
pub(crate) type Tests = SmallVec<[Test; 3]>;

/// Whether all tests hold.
pub(crate) fn all_hold(tests: &[Test], view: View<'_>) -> bool {
    tests.iter().all(|test| test.holds(view))
}

/// A row that demands what its rule says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Raise {
    /// Place of the rule in the model.
    pub(crate) rule: u32,
    pub(crate) tests: Tests,
}

/// A row that says that a situation was thought of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Foresee {
    /// Place of the rule in the model.
    pub(crate) rule: u32,
    pub(crate) tests: Tests,
    /// The bits of the data region that it covers.
    pub(crate) cover: Mask,
}

/// Rows by what must be set for them to hold: small enough to stay close to the processor, and closed for nearly all rows
/// in nearly all situations. Rows that need the same stand behind one gate, which is looked at once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    /// Rows that are always looked at.
    pub(crate) open: Vec<u32>,
    /// What must be set, and where the rows that need it are in `behind`.
    gates: Vec<(Piece, std::ops::Range<usize>)>,
    behind: Vec<Behind>,
}

/// A row behind a gate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Behind {
    pub(crate) row: u32,
    /// What must be set as well.
    also: [Piece; 2],
}

impl Behind {
    /// Whether what the row needs beside its gate is set.
    pub(crate) fn met(&self, set: &Bits) -> bool {
        self.also.iter().all(|piece| set.has_any(*piece))
    }
}

impl Index {
    /// Rows by masks that they need; those without the first are open.
    fn of(needs: impl Iterator<Item = (Option<Piece>, [Option<Piece>; 2])>) -> Self {
        let mut index = Self::default();
        let mut gates: BTreeMap<(u8, u64), Vec<Behind>> = BTreeMap::new();
        for (row, (first, [second, third])) in (0u32..).zip(needs) {
            match first {
                None => index.open.push(row),
                Some(first) => {
                    let second = second.unwrap_or(first);
                    let behind = Behind { row, also: [second, third.unwrap_or(second)] };
                    gates.entry((first.word, first.mask)).or_default().push(behind);
                }
            }
        }
        for ((word, mask), rows) in gates {
            let begin = index.behind.len();
            index.behind.extend(rows);
            index.gates.push((Piece { word, mask }, begin..index.behind.len()));
        }
        index
    }

    /// The rows that may hold where these bits are set or may be, in their order.
    pub(crate) fn rows(&self, possible: &Bits) -> SmallVec<[u32; 32]> {
        let behind = self.met(possible).flat_map(|(_, rows)| rows).filter(|behind| behind.met(possible));
        let mut rows: SmallVec<[u32; 32]> = self.open.iter().copied().chain(behind.map(|behind| behind.row)).collect();
        rows.sort_unstable();
        rows
    }

    /// The gates that these bits meet, with the rows behind each.
    pub(crate) fn met<'a>(&'a self, bits: &'a Bits) -> impl Iterator<Item = (Piece, &'a [Behind])> {
        let gates = self.gates.iter().filter(|(gate, _)| bits.has_any(*gate));
        gates.map(|(gate, rows)| (*gate, self.behind.get(rows.clone()).unwrap_or_default()))
    }
}

/// The narrowest masks of one word of which a bit must be set for the tests to hold: first those of dimensions that have
/// several values, as most of these are empty.
fn narrowest(tests: &[Test]) -> impl Iterator<Item = Piece> {
    let needed = tests.iter().filter_map(|test| match test {
        Test::Any(mask) | Test::One(mask, _) => match mask.as_slice() {
            [piece] => Some((!matches!(test, Test::Any(_)), piece.mask.count_ones(), *piece)),
            _ => None,
        },
        Test::None(_) => None,
    });
    let mut needed: SmallVec<[(bool, u32, Piece); 4]> = needed.collect();
    needed.sort_by_key(|(one, bits, _)| (*one, *bits));
    needed.into_iter().map(|(_, _, piece)| piece)
}

/// Where to look for rows that may hold.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gates {
    /// Rows that foresee, by what they cover.
    pub(crate) foresee: Index,
    /// Rows that raise.
    pub(crate) raise: Index,
    /// Rows that raise where content could not be read.
    pub(crate) failure: Index,
}

/// All rows of a policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rows {
    /// What foresees.
    pub(crate) foresee: Vec<Foresee>,
    /// What raises, in the order of the rules.
    pub(crate) raise: Vec<Raise>,
    /// What raises where content could not be read, in the order of the rules.
    pub(crate) failure: Vec<Raise>,
}

impl Rows {
    /// The gates of these rows.
    pub(crate) fn gates(&self) -> Gates {
        let covers = self.foresee.iter().map(|row| match row.cover.as_slice() {
            [piece] => {
                let mut needed = narrowest(&row.tests);
                (Some(*piece), [needed.next(), needed.next()])
            }
            _ => (None, [None; 2]),
        });
        let raising = |rows: &[Raise]| {
            Index::of(rows.iter().map(|row| {
                let mut needed = narrowest(&row.tests);
                (needed.next(), [needed.next(), needed.next()])
            }))
        };
        Gates { foresee: Index::of(covers), raise: raising(&self.raise), failure: raising(&self.failure) }
    }

    /// The number of rows.
    pub(crate) fn len(&self) -> usize {
        self.foresee.len() + self.raise.len() + self.failure.len()
    }

    /// Appends all rows in a canonical form: see [`super::encoding`].
    pub(crate) fn encode(&self, out: &mut super::encoding::Encoder) {
        out.list(&self.foresee, |out, row| {
            out.number(row.rule.into());
            encode_tests(&row.tests, out);
            encode_mask(&row.cover, out);
        });
        for rows in [&self.raise, &self.failure] {
            out.list(rows, |out, row| {
                out.number(row.rule.into());
                encode_tests(&row.tests, out);
            });
        }
    }
}

fn encode_tests(tests: &[Test], out: &mut super::encoding::Encoder) {
    out.list(tests, |out, test| {
        let (kind, mask) = match test {
            Test::Any(mask) => (0, mask),
            Test::None(mask) => (1, mask),
            Test::One(mask, _) => (2, mask),
        };
        out.number(kind);
        encode_mask(mask, out);
    });
}

fn encode_mask(mask: &[Piece], out: &mut super::encoding::Encoder) {
    out.list(mask, |out, piece| {
        out.number(piece.word.into());
        out.number(piece.mask);
    });
}
