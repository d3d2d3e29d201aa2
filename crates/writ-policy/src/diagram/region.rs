//! From a diagram back to situations: single points, and regions that people can read.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::forest::{Diagram, Forest, Full};
use super::ordinary;
use super::space::{Space, Variable};

/// A set of points that is a product: for each variable that it asks, the atoms that are in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cube {
    /// One truth per atom, by variable; a variable without an entry may have any value.
    pub(crate) allowed: BTreeMap<u16, Vec<bool>>,
}

impl Cube {
    fn of(space: &Space, point: &[u16]) -> Self {
        let only = |(place, (variable, atom)): (u16, (&Variable, &u16))| {
            (place, (0..variable.width()).map(|it| it == *atom).collect())
        };
        Self { allowed: (0u16..).zip(space.variables.iter().zip(point)).map(only).collect() }
    }

    fn allows(&self, variable: u16, atom: usize) -> bool {
        self.allowed.get(&variable).is_none_or(|atoms| atoms.get(atom).copied().unwrap_or(false))
    }

    /// Whether some point of the cube is in a condition.
    fn meets(&self, forest: &Forest, condition: Diagram) -> bool {
        let mut seen = HashSet::new();
        let mut open = vec![condition];
        while let Some(diagram) = open.pop() {
            match (diagram.constant(), forest.variable(diagram)) {
                (Some(number), _) if number > 0 => return true,
                (None, Some(variable)) if seen.insert(diagram) => {
                    let children = forest.children(diagram).iter().enumerate();
                    let inside = children.filter(|(atom, child)| !child.never() && self.allows(variable, *atom));
                    open.extend(inside.map(|(_, child)| *child));
                }
                _ => {}
            }
        }
        false
    }

    /// The cube as a condition.
    pub(crate) fn drawn(&self, forest: &mut Forest) -> Result<Diagram, Full> {
        let mut drawn = Diagram::ALWAYS;
        for (variable, atoms) in self.allowed.iter().rev() {
            let children: Vec<Diagram> =
                atoms.iter().map(|allowed| if *allowed { drawn } else { Diagram::NEVER }).collect();
            drawn = forest.node(*variable, &children)?;
        }
        Ok(drawn)
    }

    /// Lets go of what does not matter: the cube grows as long as it stays clear of `outside`.
    fn widen(&mut self, forest: &Forest, order: &[u16], outside: Diagram) {
        for variable in order {
            let Some(own) = self.allowed.remove(variable) else { continue };
            if !self.meets(forest, outside) {
                continue;
            }
            let mut wider = own;
            for atom in 0..wider.len() {
                if wider.get(atom).copied().unwrap_or(true) {
                    continue;
                }
                // The atoms one by one: those that are in already were looked at before.
                let alone = (0..wider.len()).map(|it| it == atom).collect();
                self.allowed.insert(*variable, alone);
                if !self.meets(forest, outside)
                    && let Some(entry) = wider.get_mut(atom)
                {
                    *entry = true;
                }
            }
            if !wider.iter().all(|allowed| *allowed) {
                self.allowed.insert(*variable, wider);
            } else {
                self.allowed.remove(variable);
            }
        }
    }
}

/// Cubes that together are a condition, as far as they were looked for.
#[derive(Clone, Debug)]
pub(crate) struct Cubes {
    pub(crate) cubes: Vec<Cube>,
    /// Points that are in none of them.
    pub(crate) rest: f64,
}

/// The few, wide cubes of a condition. Where `matters` does not hold they may say anything.
pub(crate) fn cubes(
    forest: &mut Forest,
    space: &Space,
    condition: Diagram,
    matters: Diagram,
    most: usize,
) -> Result<Cubes, Full> {
    let mut rest = forest.and(condition, matters)?;
    let outside = forest.without(matters, condition)?;
    let order = release(space);
    let mut cubes: Vec<(Cube, Diagram)> = Vec::new();
    while cubes.len() < most {
        let Some(point) = cheapest(forest, space, rest) else { break };
        let mut cube = Cube::of(space, &point);
        cube.widen(forest, &order, outside);
        let drawn = cube.drawn(forest)?;
        rest = forest.without(rest, drawn)?;
        cubes.push((cube, drawn));
    }
    let wanted = forest.and(condition, matters)?;
    let mut place = 0;
    while place < cubes.len() {
        let others = cubes.iter().enumerate().filter(|(other, _)| *other != place).map(|(_, (_, drawn))| *drawn);
        let others = forest.any(others.collect::<Vec<_>>())?;
        let own = cubes.get(place).map_or(Diagram::NEVER, |(_, drawn)| *drawn);
        let own = forest.and(own, wanted)?;
        if forest.without(own, others)?.never() {
            cubes.remove(place);
        } else {
            place += 1;
        }
    }
    Ok(Cubes { cubes: cubes.into_iter().map(|(cube, _)| cube).collect(), rest: points(forest, space, rest) })
}

/// In which order a cube lets go of variables: first those that say least to a reader.
fn release(space: &Space) -> Vec<u16> {
    let mut places: Vec<u16> = (0u16..).zip(&space.variables).map(|(place, _)| place).collect();
    places.sort_by_key(|place| space.variable(*place).map(|variable| ordinary::weight(&variable.subject)));
    places
}

/// The most ordinary point of a condition.
pub(crate) fn cheapest(forest: &Forest, space: &Space, condition: Diagram) -> Option<Vec<u16>> {
    let costs = costs(space);
    let mut known = HashMap::new();
    least(forest, &costs, condition, &mut known)?;
    let mut point = space.ordinary();
    let mut at = condition;
    while let Some(variable) = forest.variable(at) {
        let children = forest.children(at).iter().enumerate();
        let own = costs.get(usize::from(variable)).map_or(&[][..], Vec::as_slice);
        let cost = |(atom, child): &(usize, &Diagram)| {
            let rest = known.get(*child).copied().flatten().or_else(|| constant(**child))?;
            Some(rest.saturating_add(own.get(*atom).copied().unwrap_or(0)))
        };
        let best = children.filter(|child| cost(child).is_some()).min_by_key(cost);
        let (atom, child) = best?;
        if let (Some(entry), Ok(atom)) = (point.get_mut(usize::from(variable)), u16::try_from(atom)) {
            *entry = atom;
        }
        at = *child;
    }
    (!at.never()).then_some(point)
}

/// How far each atom is from the most ordinary one of its variable.
fn costs(space: &Space) -> Vec<Vec<u32>> {
    let of = |variable: &Variable| {
        let cost = |atom: u16| ordinary::cost(&variable.subject, variable.representative(atom));
        let usual = cost(variable.ordinary());
        (0..variable.width()).map(|atom| cost(atom).saturating_sub(usual)).collect()
    };
    space.variables.iter().map(of).collect()
}

fn constant(diagram: Diagram) -> Option<u32> {
    diagram.constant().filter(|number| *number > 0).map(|_| 0)
}

/// The cost of the cheapest point; `None` where there is none. The depth is bounded by the number of variables.
fn least(
    forest: &Forest,
    costs: &[Vec<u32>],
    diagram: Diagram,
    known: &mut HashMap<Diagram, Option<u32>>,
) -> Option<u32> {
    let Some(variable) = forest.variable(diagram) else { return constant(diagram) };
    if let Some(cost) = known.get(&diagram) {
        return *cost;
    }
    let own = costs.get(usize::from(variable)).map_or(&[][..], Vec::as_slice);
    let mut best: Option<u32> = None;
    for (atom, child) in forest.children(diagram).iter().enumerate() {
        let Some(rest) = least(forest, costs, *child, known) else { continue };
        let cost = rest.saturating_add(own.get(atom).copied().unwrap_or(0));
        best = Some(best.map_or(cost, |best| best.min(cost)));
    }
    known.insert(diagram, best);
    best
}

/// The number of points of a condition: combinations of atoms.
pub(crate) fn points(forest: &Forest, space: &Space, condition: Diagram) -> f64 {
    let widths: Vec<f64> = space.variables.iter().map(|variable| f64::from(variable.width())).collect();
    // The points of all variables from one on.
    let mut below = vec![1.0; widths.len() + 1];
    for place in (0..widths.len()).rev() {
        let rest = below.get(place + 1).copied().unwrap_or(1.0);
        if let (Some(entry), Some(width)) = (below.get_mut(place), widths.get(place)) {
            *entry = rest * width;
        }
    }
    let mut known = HashMap::new();
    let from = |place: usize| below.get(place).copied().unwrap_or(1.0);
    let first = forest.variable(condition).map_or(widths.len(), usize::from);
    share(forest, &from, widths.len(), condition, &mut known) * from(0) / from(first)
}

/// The points of the variables from a diagram's own on.
fn share(
    forest: &Forest,
    from: &impl Fn(usize) -> f64,
    end: usize,
    diagram: Diagram,
    known: &mut HashMap<Diagram, f64>,
) -> f64 {
    let Some(variable) = forest.variable(diagram) else {
        return if diagram.never() { 0.0 } else { 1.0 };
    };
    if let Some(points) = known.get(&diagram) {
        return *points;
    }
    let mut points = 0.0;
    for child in forest.children(diagram) {
        let next = forest.variable(*child).map_or(end, usize::from);
        points += share(forest, from, end, *child, known) * from(usize::from(variable) + 1) / from(next);
    }
    known.insert(diagram, points);
    points
}

/// The condition over some variables only: where it holds for some values of the others.
pub(crate) fn projected(
    forest: &mut Forest,
    condition: Diagram,
    keep: &impl Fn(u16) -> bool,
    known: &mut HashMap<Diagram, Diagram>,
) -> Result<Diagram, Full> {
    let Some(variable) = forest.variable(condition) else { return Ok(condition) };
    if let Some(done) = known.get(&condition) {
        return Ok(*done);
    }
    let children = forest.children(condition).to_vec();
    let mut parts = Vec::with_capacity(children.len());
    for child in children {
        parts.push(projected(forest, child, keep, known)?);
    }
    let result = if keep(variable) { forest.node(variable, &parts)? } else { forest.any(parts)? };
    known.insert(condition, result);
    Ok(result)
}
