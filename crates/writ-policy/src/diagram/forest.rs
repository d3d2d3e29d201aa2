//! Hash-consed decision diagrams: functions from variables with few values each to one of four numbers.
//!
//! A node asks one variable and has one child per value of it; a variable that changes nothing is not asked, and two
//! nodes that say the same are one node. So two diagrams are the same function exactly if they are the same number, and
//! whether something is possible at all is one comparison. A condition is a diagram with the numbers 0 (no) and 1 (yes);
//! an effect is one with the numbers 0 (allow) to 3 (block).

use smallvec::SmallVec;
use writ_base::Limit;

/// Nodes that the diagrams of one analysis may have together.
pub static NODES: Limit = Limit::new("policy.analysis.nodes", "nodes", 4 << 20);

/// Steps that one analysis may take: a bound on its time, without a clock. The largest that was measured and is not meant
/// to explode takes a sixth of them (docs/reference/policy-figures.md).
pub static STEPS: Limit = Limit::new("policy.analysis.steps", "steps", 40_000_000);

/// The diagrams need more than a named limit admits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

/// A function of all variables. Equal functions of one forest are equal here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Diagram(u32);

impl Diagram {
    /// Never; allow.
    pub(crate) const NEVER: Self = Self(0);
    /// Always; coach.
    pub(crate) const ALWAYS: Self = Self(1);

    /// The function that is this number everywhere; at most 3.
    pub const fn number(number: u8) -> Self {
        Self(if number < NUMBERS { number as u32 } else { NUMBERS as u32 - 1 })
    }

    pub(crate) fn truth(holds: bool) -> Self {
        if holds { Self::ALWAYS } else { Self::NEVER }
    }

    /// The number, if it is the same everywhere.
    pub fn constant(self) -> Option<u8> {
        u8::try_from(self.0).ok().filter(|number| *number < NUMBERS)
    }

    /// Whether a condition holds nowhere.
    pub(crate) fn never(self) -> bool {
        self == Self::NEVER
    }
}

/// Numbers that a diagram may have.
const NUMBERS: u8 = 4;

/// The variable of a constant: after all others.
const LEAF: u16 = u16::MAX;

/// Children of one node while it is made.
type Children = SmallVec<[Diagram; 24]>;

/// How two diagrams are put together, number by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// The greater number.
    Max,
    /// The lesser number.
    Min,
    /// Of two conditions: either.
    Or,
    /// Of two conditions: both.
    And,
    /// Whether the first number is less than the second.
    Less,
    /// The second number where the first, a condition, holds; 0 elsewhere.
    Keep,
}

impl Op {
    /// What is plain without looking at the children.
    fn plain(self, one: Diagram, other: Diagram) -> Option<Diagram> {
        let (zero, yes) = (Diagram::NEVER, Diagram::ALWAYS);
        let most = Diagram::number(NUMBERS - 1);
        match self {
            Self::Max | Self::Or if one == other || other == zero => Some(one),
            Self::Max | Self::Or if one == zero => Some(other),
            Self::Max if one == most || other == most => Some(most),
            Self::Or if one == yes || other == yes => Some(yes),
            Self::Min if one == other || other == most || one == zero => Some(one),
            Self::Min if one == most || other == zero => Some(other),
            Self::And if one == other || other == yes => Some(one),
            Self::And if one == yes => Some(other),
            Self::And | Self::Keep if one == zero || other == zero => Some(zero),
            Self::Keep if one == yes => Some(other),
            Self::Less if one == other || other == zero || one == most => Some(zero),
            _ => match (one.constant(), other.constant()) {
                (Some(one), Some(other)) => Some(self.numbers(one, other)),
                _ => None,
            },
        }
    }

    fn numbers(self, one: u8, other: u8) -> Diagram {
        match self {
            Self::Max | Self::Or => Diagram::number(one.max(other)),
            Self::Min => Diagram::number(one.min(other)),
            Self::And => Diagram::truth(one != 0 && other != 0),
            Self::Less => Diagram::truth(one < other),
            Self::Keep => Diagram::number(if one != 0 { other } else { 0 }),
        }
    }

    const fn commutes(self) -> bool {
        matches!(self, Self::Max | Self::Min | Self::Or | Self::And)
    }
}

#[derive(Clone, Copy, Debug)]
struct Node {
    variable: u16,
    /// Place of its first child.
    first: u32,
}

/// A diagram of a [`super::Recipe`], and how it comes about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// From what.
    pub how: How,
    /// The diagram.
    pub result: Diagram,
}

/// How a diagram comes about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum How {
    /// It asks a variable first, and has one child per value.
    Asks {
        /// The place of the variable.
        variable: u16,
        /// The children.
        children: Vec<Diagram>,
    },
    /// Two diagrams are put together.
    Put {
        /// How.
        op: Op,
        /// The first.
        one: Diagram,
        /// The second.
        other: Diagram,
    },
}

/// A result that is remembered: operands, operation, result.
#[derive(Clone, Copy, Debug)]
struct Remembered {
    one: Diagram,
    other: Diagram,
    op: Op,
    result: Diagram,
}

/// All diagrams of one analysis.
#[derive(Debug)]
pub(crate) struct Forest {
    /// The number of values of each variable, in the order in which nodes ask them.
    widths: Vec<u16>,
    nodes: Vec<Node>,
    children: Vec<Diagram>,
    /// Places of nodes by the hash of what they are; 0 is empty, as no constant is looked for.
    table: Vec<u32>,
    memory: Vec<Option<Remembered>>,
    steps: usize,
    nodes_most: usize,
    /// What was asked for, if that is written down.
    recipe: Option<Vec<Made>>,
}

impl Forest {
    /// A forest over variables with so many values each, and so many nodes at most.
    pub(crate) fn new(widths: Vec<u16>, nodes_most: usize) -> Self {
        let leaf = Node { variable: LEAF, first: 0 };
        Self {
            widths,
            nodes: vec![leaf; usize::from(NUMBERS)],
            children: Vec::new(),
            table: vec![0; 1 << 12],
            memory: vec![None; 1 << 12],
            steps: 0,
            nodes_most,
            recipe: None,
        }
    }

    /// From now on writes down what is asked for.
    pub(crate) fn record(&mut self) {
        self.recipe = Some(Vec::new());
    }

    /// What was asked for since [`Forest::record`], which ends.
    pub(crate) fn recorded(&mut self) -> Vec<Made> {
        self.recipe.take().unwrap_or_default()
    }

    /// The number of nodes that were ever made.
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Steps taken so far.
    pub(crate) const fn steps(&self) -> usize {
        self.steps
    }

    /// Bytes held.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Node>() * self.nodes.capacity()
            + size_of::<Diagram>() * self.children.capacity()
            + size_of::<u32>() * self.table.capacity()
            + size_of::<Option<Remembered>>() * self.memory.capacity()
    }

    /// The variable that a diagram asks first; `None` for a constant.
    pub(crate) fn variable(&self, diagram: Diagram) -> Option<u16> {
        Some(self.top(diagram)).filter(|variable| *variable != LEAF)
    }

    /// The children of a diagram, one per value of its first variable; none for a constant.
    pub(crate) fn children(&self, diagram: Diagram) -> &[Diagram] {
        let Some(node) = self.nodes.get(diagram.0 as usize) else { return &[] };
        let width = self.widths.get(usize::from(node.variable)).copied().unwrap_or(0);
        let first = node.first as usize;
        self.children.get(first..first + usize::from(width)).unwrap_or(&[])
    }

    /// The condition that a variable has one of the values for which `holds` says so.
    pub(crate) fn literal(&mut self, variable: u16, holds: impl Fn(u16) -> bool) -> Result<Diagram, Full> {
        let width = self.widths.get(usize::from(variable)).copied().unwrap_or(0);
        let children: Children = (0..width).map(|value| Diagram::truth(holds(value))).collect();
        self.node(variable, &children)
    }

    /// The diagram that asks a variable first. The children must not ask it, nor one before it.
    pub(crate) fn node(&mut self, variable: u16, children: &[Diagram]) -> Result<Diagram, Full> {
        let result = self.consed(variable, children)?;
        if let Some(recipe) = &mut self.recipe {
            recipe.push(Made { how: How::Asks { variable, children: children.to_vec() }, result });
        }
        Ok(result)
    }

    /// The one node that says this.
    fn consed(&mut self, variable: u16, children: &[Diagram]) -> Result<Diagram, Full> {
        let Some((first, rest)) = children.split_first() else { return Ok(Diagram::NEVER) };
        if rest.iter().all(|child| child == first) {
            return Ok(*first);
        }
        let mask = self.table.len() - 1;
        let mut place = spread(children.iter().fold(u64::from(variable), |hash, child| mix(hash, child.0))) & mask;
        loop {
            match self.table.get(place).copied() {
                None | Some(0) => break,
                Some(found) => {
                    let same = self.nodes.get(found as usize).is_some_and(|node| node.variable == variable);
                    if same && self.children(Diagram(found)) == children {
                        return Ok(Diagram(found));
                    }
                }
            }
            place = (place + 1) & mask;
        }
        if self.nodes.len() >= self.nodes_most {
            return Err(Full);
        }
        let (Ok(made), Ok(first)) = (u32::try_from(self.nodes.len()), u32::try_from(self.children.len())) else {
            return Err(Full);
        };
        self.nodes.push(Node { variable, first });
        self.children.extend_from_slice(children);
        if let Some(entry) = self.table.get_mut(place) {
            *entry = made;
        }
        if self.nodes.len() * 2 > self.table.len() {
            self.grow();
        }
        Ok(Diagram(made))
    }

    /// Doubles the table of nodes, and the memory with it up to a bound.
    fn grow(&mut self) {
        let mask = self.table.len() * 2 - 1;
        let mut table = vec![0u32; mask + 1];
        for made in usize::from(NUMBERS)..self.nodes.len() {
            let Ok(number) = u32::try_from(made) else { break };
            let children = self.children(Diagram(number));
            let variable = self.nodes.get(made).map_or(LEAF, |node| node.variable);
            let hash = children.iter().fold(u64::from(variable), |hash, child| mix(hash, child.0));
            let mut place = spread(hash) & mask;
            while table.get(place).is_some_and(|entry| *entry != 0) {
                place = (place + 1) & mask;
            }
            if let Some(entry) = table.get_mut(place) {
                *entry = number;
            }
        }
        self.table = table;
        if self.memory.len() < MEMORY_MOST {
            // What was remembered is lost: it is found again, or never asked again.
            self.memory = vec![None; self.memory.len() * 2];
        }
    }

    /// The greater number.
    pub(crate) fn max(&mut self, one: Diagram, other: Diagram) -> Result<Diagram, Full> {
        self.put(Op::Max, one, other)
    }

    /// The lesser number.
    pub(crate) fn min(&mut self, one: Diagram, other: Diagram) -> Result<Diagram, Full> {
        self.put(Op::Min, one, other)
    }

    /// Of two conditions: either.
    pub(crate) fn or(&mut self, one: Diagram, other: Diagram) -> Result<Diagram, Full> {
        self.put(Op::Or, one, other)
    }

    /// Of two conditions: both.
    pub(crate) fn and(&mut self, one: Diagram, other: Diagram) -> Result<Diagram, Full> {
        self.put(Op::And, one, other)
    }

    /// Of two conditions: the first and not the second.
    pub(crate) fn without(&mut self, one: Diagram, other: Diagram) -> Result<Diagram, Full> {
        self.put(Op::Less, other, one)
    }

    /// Of a condition: where it does not hold.
    pub(crate) fn not(&mut self, one: Diagram) -> Result<Diagram, Full> {
        self.put(Op::Less, one, Diagram::ALWAYS)
    }

    /// Whether the first number is less than the second.
    pub(crate) fn less(&mut self, one: Diagram, other: Diagram) -> Result<Diagram, Full> {
        self.put(Op::Less, one, other)
    }

    /// Whether the number is at least this one, which is not 0.
    pub(crate) fn at_least(&mut self, one: Diagram, least: u8) -> Result<Diagram, Full> {
        self.put(Op::Less, Diagram::number(least.saturating_sub(1)), one)
    }

    /// The number where the condition holds, 0 elsewhere.
    pub(crate) fn keep(&mut self, condition: Diagram, number: Diagram) -> Result<Diagram, Full> {
        self.put(Op::Keep, condition, number)
    }

    /// Any of these conditions.
    pub(crate) fn any(&mut self, conditions: impl IntoIterator<Item = Diagram>) -> Result<Diagram, Full> {
        self.fold(conditions.into_iter().collect(), Diagram::NEVER, Self::or)
    }

    /// The greatest of these numbers.
    pub(crate) fn greatest(&mut self, numbers: impl IntoIterator<Item = Diagram>) -> Result<Diagram, Full> {
        self.fold(numbers.into_iter().collect(), Diagram::NEVER, Self::max)
    }

    /// Puts many together pair by pair: diagrams stay small for as long as possible.
    fn fold(
        &mut self,
        mut parts: Vec<Diagram>,
        nothing: Diagram,
        with: fn(&mut Self, Diagram, Diagram) -> Result<Diagram, Full>,
    ) -> Result<Diagram, Full> {
        while parts.len() > 1 {
            let mut halved = Vec::with_capacity(parts.len().div_ceil(2));
            for pair in parts.chunks(2) {
                halved.push(match *pair {
                    [one, other] => with(self, one, other)?,
                    [one] => one,
                    _ => nothing,
                });
            }
            parts = halved;
        }
        Ok(parts.first().copied().unwrap_or(nothing))
    }

    /// Puts two diagrams together, and writes it down where that is wanted.
    pub(crate) fn put(&mut self, op: Op, one: Diagram, other: Diagram) -> Result<Diagram, Full> {
        let result = self.apply(op, one, other)?;
        if let Some(recipe) = &mut self.recipe {
            recipe.push(Made { how: How::Put { op, one, other }, result });
        }
        Ok(result)
    }

    fn apply(&mut self, op: Op, one: Diagram, other: Diagram) -> Result<Diagram, Full> {
        if let Some(plain) = op.plain(one, other) {
            return Ok(plain);
        }
        let (one, other) = if op.commutes() && other < one { (other, one) } else { (one, other) };
        let hash = mix(mix(op as u64, one.0), other.0);
        if let Some(Some(known)) = self.memory.get(spread(hash) & (self.memory.len() - 1))
            && (known.one, known.other, known.op) == (one, other, op)
        {
            return Ok(known.result);
        }
        self.steps += 1;
        if self.steps > STEPS.value() {
            return Err(Full);
        }
        let variable = self.top(one).min(self.top(other));
        let width = self.widths.get(usize::from(variable)).copied().unwrap_or(0);
        let mut children = Children::new();
        for value in 0..width {
            let (left, right) = (self.child(one, variable, value), self.child(other, variable, value));
            children.push(self.apply(op, left, right)?);
        }
        let result = self.consed(variable, &children)?;
        let place = spread(hash) & (self.memory.len() - 1);
        if let Some(entry) = self.memory.get_mut(place) {
            *entry = Some(Remembered { one, other, op, result });
        }
        Ok(result)
    }

    fn top(&self, diagram: Diagram) -> u16 {
        self.nodes.get(diagram.0 as usize).map_or(LEAF, |node| node.variable)
    }

    /// The diagram once a variable has a value; the variable is its first one, or comes before it.
    pub(crate) fn child(&self, diagram: Diagram, variable: u16, value: u16) -> Diagram {
        match self.nodes.get(diagram.0 as usize) {
            Some(node) if node.variable == variable => {
                self.children.get(node.first as usize + usize::from(value)).copied().unwrap_or(diagram)
            }
            _ => diagram,
        }
    }

    /// The number at a point: one value per variable.
    pub(crate) fn at(&self, diagram: Diagram, point: &[u16]) -> u8 {
        let mut at = diagram;
        loop {
            match (at.constant(), self.variable(at)) {
                (Some(number), _) => return number,
                (None, Some(variable)) => {
                    let value = point.get(usize::from(variable)).copied().unwrap_or(0);
                    at = self.child(at, variable, value);
                }
                (None, None) => return 0,
            }
        }
    }

    /// Makes one child of a node another number: for tests that a broken diagram is noticed.
    #[cfg(test)]
    pub(crate) fn corrupt(&mut self, diagram: Diagram, value: usize) {
        let first = self.nodes.get(diagram.0 as usize).map_or(0, |node| node.first as usize);
        if let Some(child) = self.children.get_mut(first + value) {
            let number = child.constant().map_or(0, |number| (number + 1) % NUMBERS);
            *child = Diagram::number(number);
        }
    }

    /// The nodes from which a diagram is made, constants aside.
    pub(crate) fn size(&self, diagrams: impl IntoIterator<Item = Diagram>) -> usize {
        let mut seen = std::collections::HashSet::new();
        let mut open: Vec<Diagram> = diagrams.into_iter().collect();
        while let Some(diagram) = open.pop() {
            if diagram.constant().is_none() && seen.insert(diagram) {
                open.extend_from_slice(self.children(diagram));
            }
        }
        seen.len()
    }
}

/// Results remembered at most; each needs 20 bytes.
const MEMORY_MOST: usize = 1 << 20;

const fn mix(hash: u64, number: u32) -> u64 {
    (hash.rotate_left(5) ^ number as u64).wrapping_mul(0x517C_C1B7_2722_0A95)
}

const fn spread(hash: u64) -> usize {
    (hash ^ (hash >> 32)) as usize
}
