//! Other libraries for decision diagrams, behind what a recipe asks of them.

use anyhow::anyhow;
use biodivine_lib_bdd::{Bdd, BddValuation, BddVariable, BddVariableSet};
use oxidd::bdd::{BDDFunction, BDDManagerRef};
use oxidd::mtbdd::terminal::I64;
use oxidd::mtbdd::{MTBDDFunction, MTBDDManagerRef};
use oxidd::util::num::F64;
use oxidd::util::{AllocResult, SatCountCache};
use oxidd::{BooleanFunction as _, Manager as _, ManagerRef as _, PseudoBooleanFunction};
use writ_policy::diagram::Op;

use crate::encoding::Bits;

/// Nodes that the libraries with a store of their own may have.
const NODES: usize = 1 << 22;
/// Results that they remember: as many as ours remembers of policies of this size.
const REMEMBERED: usize = 1 << 16;

/// Diagrams whose values are numbers from 0 to 3.
pub trait Numbers {
    /// A diagram.
    type Number: Clone;

    /// The same number everywhere.
    fn constant(&self, number: u8) -> anyhow::Result<Self::Number>;
    /// One number where a truth holds, another one elsewhere.
    fn choose(&self, truth: u16, yes: &Self::Number, no: &Self::Number) -> anyhow::Result<Self::Number>;
    /// The greater number.
    fn max(&self, one: &Self::Number, other: &Self::Number) -> anyhow::Result<Self::Number>;
    /// Two diagrams put together.
    fn put(&self, op: Op, one: &Self::Number, other: &Self::Number) -> anyhow::Result<Self::Number>;
    /// The number at a point.
    fn at(&self, of: &Self::Number, truths: &[bool]) -> u8;
    /// Points of a condition at which a number is at least `least`; `None` if the library does not count.
    fn points(&self, of: &Self::Number, least: u8, condition: &Self::Number) -> anyhow::Result<Option<f64>>;
    /// Nodes that exist, or of which diagrams consist.
    fn nodes(&self, of: &[Self::Number]) -> usize;
}

/// The diagram of a variable that has one of several numbers by its value.
///
/// # Errors
/// If the library has no room.
pub fn asks<N: Numbers>(numbers: &N, bits: &Bits, variable: u16, children: &[N::Number]) -> anyhow::Result<N::Number> {
    let (first, length, hot) = bits.of(variable);
    if !hot {
        return digits(numbers, first, length, children);
    }
    // Values are told apart by their own truth; where none holds, or several, nothing is asked.
    let mut all = numbers.constant(0)?;
    for (truth, child) in (first..first + length).zip(children).rev() {
        let own = numbers.choose(truth, child, &numbers.constant(0)?)?;
        all = numbers.max(&own, &all)?;
    }
    Ok(all)
}

fn digits<N: Numbers>(numbers: &N, first: u16, length: u16, children: &[N::Number]) -> anyhow::Result<N::Number> {
    let last = children.last().ok_or_else(|| anyhow!("a variable without values"))?;
    if length == 0 {
        return Ok(children.first().unwrap_or(last).clone());
    }
    let half = 1usize << (length - 1);
    let (low, high) = children.split_at(half.min(children.len()));
    let high = if high.is_empty() { std::slice::from_ref(last) } else { high };
    let (low, high) = (digits(numbers, first + 1, length - 1, low)?, digits(numbers, first + 1, length - 1, high)?);
    numbers.choose(first, &high, &low)
}

/// A library of diagrams with the leaves yes and no.
pub trait Truths {
    /// A diagram.
    type Truth: Clone;

    /// The same everywhere.
    fn truth(&self, holds: bool) -> Self::Truth;
    /// Where a truth holds.
    fn variable(&self, truth: u16) -> anyhow::Result<Self::Truth>;
    /// Where both hold.
    fn and(&self, one: &Self::Truth, other: &Self::Truth) -> anyhow::Result<Self::Truth>;
    /// Where either holds.
    fn or(&self, one: &Self::Truth, other: &Self::Truth) -> anyhow::Result<Self::Truth>;
    /// Where the first holds and the second does not.
    fn without(&self, one: &Self::Truth, other: &Self::Truth) -> anyhow::Result<Self::Truth>;
    /// The first where a truth holds, the second elsewhere.
    fn either(&self, truth: u16, yes: &Self::Truth, no: &Self::Truth) -> anyhow::Result<Self::Truth>;
    /// Whether it holds at a point.
    fn holds(&self, of: &Self::Truth, truths: &[bool]) -> bool;
    /// The points at which it holds.
    fn count(&self, of: &Self::Truth) -> f64;
    /// Nodes of diagrams.
    fn size(&self, of: Vec<Self::Truth>) -> usize;
}

/// Where a number is at least 1, 2 and 3; nothing stands for never.
type Levels<T> = [Option<T>; 3];

impl<L: Truths> Numbers for L {
    type Number = Levels<L::Truth>;

    fn constant(&self, number: u8) -> anyhow::Result<Self::Number> {
        Ok([1, 2, 3].map(|least| (number >= least).then(|| self.truth(true))))
    }

    fn choose(&self, truth: u16, yes: &Self::Number, no: &Self::Number) -> anyhow::Result<Self::Number> {
        levels(yes, no, |yes, no| {
            if yes.is_none() && no.is_none() {
                return Ok(None);
            }
            let or_never = |level: Option<&L::Truth>| level.cloned().unwrap_or_else(|| self.truth(false));
            Ok(Some(self.either(truth, &or_never(yes), &or_never(no))?))
        })
    }

    fn max(&self, one: &Self::Number, other: &Self::Number) -> anyhow::Result<Self::Number> {
        levels(one, other, |one, other| match (one, other) {
            (Some(one), Some(other)) => Ok(Some(self.or(one, other)?)),
            (one, other) => Ok(one.or(other).cloned()),
        })
    }

    fn put(&self, op: Op, one: &Self::Number, other: &Self::Number) -> anyhow::Result<Self::Number> {
        let both = |one: Option<&L::Truth>, other: Option<&L::Truth>| {
            one.zip(other).map(|(one, other)| self.and(one, other)).transpose()
        };
        match op {
            Op::Max | Op::Or => self.max(one, other),
            Op::Min | Op::And => levels(one, other, both),
            Op::Keep => {
                let [condition, ..] = one;
                levels(other, other, |number, _| both(condition.as_ref(), number))
            }
            Op::Less => {
                let more = levels(one, other, |one, other| match (one, other) {
                    (Some(one), Some(other)) => Ok(Some(self.without(other, one)?)),
                    (_, other) => Ok(other.cloned()),
                })?;
                let mut any: Option<L::Truth> = None;
                for level in more.into_iter().flatten() {
                    any = Some(any.map_or(Ok(level.clone()), |any| self.or(&any, &level))?);
                }
                Ok([any, None, None])
            }
        }
    }

    fn at(&self, of: &Self::Number, truths: &[bool]) -> u8 {
        let holding = of.iter().flatten().filter(|level| self.holds(level, truths)).count();
        u8::try_from(holding).unwrap_or(u8::MAX)
    }

    fn points(&self, of: &Self::Number, least: u8, condition: &Self::Number) -> anyhow::Result<Option<f64>> {
        let level = of.get(usize::from(least.saturating_sub(1))).and_then(Option::as_ref);
        let [Some(condition), ..] = condition else { return Ok(Some(0.0)) };
        Ok(Some(level.map_or(Ok(0.0), |level| anyhow::Ok(self.count(&self.and(level, condition)?)))?))
    }

    fn nodes(&self, of: &[Self::Number]) -> usize {
        self.size(of.iter().flatten().flatten().cloned().collect())
    }
}

fn levels<T>(
    one: &Levels<T>,
    other: &Levels<T>,
    mut with: impl FnMut(Option<&T>, Option<&T>) -> anyhow::Result<Option<T>>,
) -> anyhow::Result<Levels<T>> {
    let ([a, b, c], [d, e, f]) = (one, other);
    Ok([with(a.as_ref(), d.as_ref())?, with(b.as_ref(), e.as_ref())?, with(c.as_ref(), f.as_ref())?])
}

/// `biodivine-lib-bdd`: each diagram is an array of its own.
pub struct Biodivine(BddVariableSet, Vec<BddVariable>);

impl Biodivine {
    /// With so many truths.
    pub fn new(truths: u16) -> Self {
        let set = BddVariableSet::new_anonymous(truths);
        let variables = set.variables();
        Self(set, variables)
    }
}

impl Truths for Biodivine {
    type Truth = Bdd;

    fn truth(&self, holds: bool) -> Bdd {
        if holds { self.0.mk_true() } else { self.0.mk_false() }
    }

    fn variable(&self, truth: u16) -> anyhow::Result<Bdd> {
        let variable = self.1.get(usize::from(truth)).ok_or_else(|| anyhow!("no truth {truth}"))?;
        Ok(self.0.mk_var(*variable))
    }

    fn and(&self, one: &Bdd, other: &Bdd) -> anyhow::Result<Bdd> {
        Ok(one.and(other))
    }

    fn or(&self, one: &Bdd, other: &Bdd) -> anyhow::Result<Bdd> {
        Ok(one.or(other))
    }

    fn without(&self, one: &Bdd, other: &Bdd) -> anyhow::Result<Bdd> {
        Ok(one.and_not(other))
    }

    fn either(&self, truth: u16, yes: &Bdd, no: &Bdd) -> anyhow::Result<Bdd> {
        Ok(Bdd::if_then_else(&self.variable(truth)?, yes, no))
    }

    fn holds(&self, of: &Bdd, truths: &[bool]) -> bool {
        of.eval_in(&BddValuation::new(truths.to_vec()))
    }

    fn count(&self, of: &Bdd) -> f64 {
        of.cardinality()
    }

    /// Diagrams share nothing: the sum.
    fn size(&self, of: Vec<Bdd>) -> usize {
        of.iter().map(Bdd::size).sum()
    }
}

/// `oxidd`, binary diagrams in one store.
pub struct Oxidd(BDDManagerRef, u16);

impl Oxidd {
    /// With so many truths.
    pub fn new(truths: u16) -> Self {
        let manager = oxidd::bdd::new_manager(NODES, REMEMBERED, 1);
        manager.with_manager_exclusive(|manager| manager.add_vars(truths.into()));
        Self(manager, truths)
    }
}

impl Truths for Oxidd {
    type Truth = BDDFunction;

    fn truth(&self, holds: bool) -> BDDFunction {
        self.0.with_manager_shared(|manager| if holds { BDDFunction::t(manager) } else { BDDFunction::f(manager) })
    }

    fn variable(&self, truth: u16) -> anyhow::Result<BDDFunction> {
        room(self.0.with_manager_shared(|manager| BDDFunction::var(manager, truth.into())))
    }

    fn and(&self, one: &BDDFunction, other: &BDDFunction) -> anyhow::Result<BDDFunction> {
        room(one.and(other))
    }

    fn or(&self, one: &BDDFunction, other: &BDDFunction) -> anyhow::Result<BDDFunction> {
        room(one.or(other))
    }

    fn without(&self, one: &BDDFunction, other: &BDDFunction) -> anyhow::Result<BDDFunction> {
        room(other.imp_strict(one))
    }

    fn either(&self, truth: u16, yes: &BDDFunction, no: &BDDFunction) -> anyhow::Result<BDDFunction> {
        room(self.variable(truth)?.ite(yes, no))
    }

    fn holds(&self, of: &BDDFunction, truths: &[bool]) -> bool {
        of.eval((0u32..).zip(truths.iter().copied()))
    }

    fn count(&self, of: &BDDFunction) -> f64 {
        let mut known = SatCountCache::<F64, std::hash::RandomState>::default();
        of.sat_count(self.1.into(), &mut known).0
    }

    /// The store is shared: what is left of it without garbage.
    fn size(&self, of: Vec<BDDFunction>) -> usize {
        let nodes = self.0.with_manager_shared(|manager| {
            manager.gc();
            manager.num_inner_nodes()
        });
        drop(of);
        nodes
    }
}

/// `oxidd`, diagrams with numbers at the leaves.
pub struct OxiddNumbers(MTBDDManagerRef<I64>);

impl OxiddNumbers {
    /// With so many truths.
    pub fn new(truths: u16) -> Self {
        let manager = oxidd::mtbdd::new_manager(NODES, 16, REMEMBERED, 1);
        manager.with_manager_exclusive(|manager| manager.add_vars(truths.into()));
        Self(manager)
    }
}

impl Numbers for OxiddNumbers {
    type Number = MTBDDFunction<I64>;

    fn constant(&self, number: u8) -> anyhow::Result<Self::Number> {
        room(self.0.with_manager_shared(|manager| MTBDDFunction::constant(manager, I64::Num(number.into()))))
    }

    fn choose(&self, truth: u16, yes: &Self::Number, no: &Self::Number) -> anyhow::Result<Self::Number> {
        let variable = room(self.0.with_manager_shared(|manager| MTBDDFunction::var(manager, truth.into())))?;
        room(variable.ite(yes, no))
    }

    fn max(&self, one: &Self::Number, other: &Self::Number) -> anyhow::Result<Self::Number> {
        room(PseudoBooleanFunction::max(one, other))
    }

    fn put(&self, op: Op, one: &Self::Number, other: &Self::Number) -> anyhow::Result<Self::Number> {
        match op {
            Op::Max | Op::Or => room(PseudoBooleanFunction::max(one, other)),
            Op::Min | Op::And => room(PseudoBooleanFunction::min(one, other)),
            Op::Keep => room(one.mul(other)),
            // The library has no comparison: the difference, cut off below and above.
            Op::Less => {
                let (zero, yes) = (self.constant(0)?, self.constant(1)?);
                let more = room(other.sub(one))?;
                let more = room(PseudoBooleanFunction::max(&more, &zero))?;
                room(PseudoBooleanFunction::min(&more, &yes))
            }
        }
    }

    fn at(&self, of: &Self::Number, truths: &[bool]) -> u8 {
        match of.eval((0u32..).zip(truths.iter().copied())) {
            I64::Num(number) => u8::try_from(number).unwrap_or(u8::MAX),
            _ => u8::MAX,
        }
    }

    fn points(&self, _: &Self::Number, _: u8, _: &Self::Number) -> anyhow::Result<Option<f64>> {
        Ok(None)
    }

    fn nodes(&self, _: &[Self::Number]) -> usize {
        self.0.with_manager_shared(|manager| {
            manager.gc();
            manager.num_inner_nodes()
        })
    }
}

fn room<T>(result: AllocResult<T>) -> anyhow::Result<T> {
    result.map_err(|_| anyhow!("the library has no room for the diagram"))
}
