//! Decision diagrams: every situation at once, from the rows that enforcement reads (POLICY.md section 5).
//!
//! [`Diagrams`] draws one policy, or several over the same space, and answers questions about sets of situations: where
//! an effect, a redaction or a difference is, which regions a set has, and one situation of it. The analyser
//! ([`crate::analyse`]) asks through this door, and so can whatever makes a matrix, a decision tree or a comparison:
//!
//! * a matrix asks [`Diagrams::having`] for each cell and reads the effects that are possible there
//!   ([`Diagrams::effects`]);
//! * a decision tree draws with the order of its questions ([`Diagrams::drawn`] takes an [`Order`]) and follows
//!   [`Diagrams::branches`];
//! * a comparison of two versions draws both and asks for the [`Diagrams::regions`] in which one is stricter.
//!
//! Sets of situations are [`Diagram`]s of one [`Diagrams`]; one of another means nothing there.

mod chart;
mod draw;
mod forest;
mod neighbours;
mod ordinary;
mod recipe;
mod region;
mod space;
#[cfg(test)]
mod tests;
mod world;

use std::collections::HashMap;

use writ_base::Moment;
use writ_model::{Effect, Facts, Term};

use crate::eval::Policy;

pub(crate) use chart::{Chart, Live, Outcome};
pub(crate) use draw::{Pen, Stuck};
pub use forest::{Diagram, How, Made, NODES, Op, STEPS};
pub(crate) use forest::{Forest, Full};
pub use ordinary::OTHER;
pub use recipe::{Again, Recipe};
pub use space::{Order, Raw, Space, Subject, Variable, usual_order};
pub use world::World;

/// A policy whose diagrams need more than a named limit admits. It runs all the same.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the proof needs more than {nodes} nodes or {steps} steps; clause `{clause}` makes it grow most: use fewer keys in one rule, or groups of services and classes instead of single ones"
)]
pub struct TooLarge {
    /// The clause that makes the diagrams grow most.
    pub clause: Term,
    /// Nodes that there may be.
    pub nodes: usize,
    /// Steps that may be taken.
    pub steps: usize,
}

impl TooLarge {
    /// With the clause that makes the diagrams grow, if one does.
    pub(crate) fn of(clause: Option<Term>) -> Self {
        NODES.hit();
        let clause = clause.unwrap_or(writ_model::standing::POSTURE);
        Self { clause, nodes: NODES.value(), steps: STEPS.value() }
    }

    /// With this clause, if none was named yet.
    pub(crate) fn or_of(self, clause: &Term) -> Self {
        let clause = if self.clause == writ_model::standing::POSTURE { clause.clone() } else { self.clause };
        Self { clause, ..self }
    }
}

impl From<Stuck> for TooLarge {
    fn from(stuck: Stuck) -> Self {
        Self::of(Some(stuck.clause))
    }
}

impl From<Full> for TooLarge {
    /// Where no single clause is to blame.
    fn from(_: Full) -> Self {
        Self::of(None)
    }
}

/// Which of the two verdicts of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// As the text says, without exceptions and roll-out.
    Text,
    /// With the exceptions in force at a time.
    Full(Moment),
    /// With exceptions and roll-out in force at a time.
    Enforced(Moment),
}

/// How large the diagrams of an analysis are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Figures {
    /// Variables of the space.
    pub variables: usize,
    /// Nodes of the diagrams of verdicts: effect and redactions.
    pub nodes: usize,
    /// Nodes made on the way, garbage included.
    pub made: usize,
    /// Steps taken.
    pub steps: usize,
    /// Bytes held.
    pub bytes: usize,
}

/// Regions of a set of situations.
#[derive(Clone, Debug, PartialEq)]
pub struct Regions {
    /// The regions, the most ordinary first, each with its set of situations.
    pub regions: Vec<(Region, Diagram)>,
    /// Combinations of values that are in none of them: there are more regions than were asked for.
    pub rest: f64,
}

/// Situations that share some conditions and differ freely in everything else.
#[derive(Clone, Debug, PartialEq)]
pub struct Region {
    /// The conditions, in the order of the diagrams: a subject, and the values that it has in the region.
    pub conditions: Vec<Condition>,
}

/// A condition of a region.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// What it is about.
    pub subject: Subject,
    /// The values within the region.
    pub inside: Vec<Raw>,
    /// All other values.
    pub outside: Vec<Raw>,
}

/// The values of one atom, and the set of situations to which they lead.
pub type Branch<'a> = (Vec<&'a Raw>, Diagram);

/// The diagrams of some policies over one space.
#[derive(Debug)]
pub struct Diagrams<'p> {
    policies: Vec<&'p Policy>,
    pub(crate) space: Space,
    pub(crate) forest: Forest,
    charts: Vec<Chart>,
}

impl<'p> Diagrams<'p> {
    /// Draws policies, in an order of questions that has proved small.
    ///
    /// # Errors
    /// If they need more than a named limit admits.
    pub fn of(policies: &[&'p Policy], world: &World) -> Result<Self, TooLarge> {
        Self::drawn(policies, world, usual_order)
    }

    /// Draws policies, with questions in a given order.
    ///
    /// # Errors
    /// If they need more than a named limit admits.
    pub fn drawn(policies: &[&'p Policy], world: &World, order: Order) -> Result<Self, TooLarge> {
        Self::within(policies, world, order, NODES.value())
    }

    /// As [`Diagrams::drawn`], with a smaller limit on nodes.
    fn within(policies: &[&'p Policy], world: &World, order: Order, nodes_most: usize) -> Result<Self, TooLarge> {
        let space = Space::of(policies, world, order);
        let forest = Forest::new(space.widths(), nodes_most);
        Self::in_forest(policies, space, forest)
    }

    /// As [`Diagrams::drawn`], with all steps written down.
    ///
    /// # Errors
    /// If they need more than a named limit admits.
    pub fn recorded(policies: &[&'p Policy], world: &World, order: Order) -> Result<(Self, Recipe), TooLarge> {
        let space = Space::of(policies, world, order);
        let mut forest = Forest::new(space.widths(), NODES.value());
        forest.record();
        let mut drawn = Self::in_forest(policies, space, forest)?;
        let (widths, steps) = (drawn.space.widths(), drawn.forest.recorded());
        let effect = drawn.chart(0).map_or(Diagram::NEVER, |chart| chart.text.effect);
        let recipe = Recipe { widths, steps, effect, possible: drawn.possible() };
        Ok((drawn, recipe))
    }

    fn in_forest(policies: &[&'p Policy], space: Space, mut forest: Forest) -> Result<Self, TooLarge> {
        let mut charts = Vec::new();
        for (index, policy) in policies.iter().enumerate() {
            charts.push(Chart::draw(&mut forest, &space, policy, index)?);
        }
        Ok(Self { policies: policies.to_vec(), space, forest, charts })
    }

    /// The variables, in the order in which diagrams ask them.
    pub fn variables(&self) -> &[Variable] {
        &self.space.variables
    }

    /// How large all this is.
    pub fn figures(&self) -> Figures {
        let outcomes = self.charts.iter().map(|chart| &chart.text);
        let roots = outcomes.flat_map(|outcome| outcome.redacts.values().copied().chain([outcome.effect]));
        Figures {
            variables: self.space.variables.len(),
            nodes: self.forest.size(roots),
            made: self.forest.len(),
            steps: self.forest.steps(),
            bytes: self.forest.bytes(),
        }
    }

    /// The chart of a policy.
    pub(crate) fn chart(&self, policy: usize) -> Option<&Chart> {
        self.charts.get(policy)
    }

    /// The clause that made the diagrams of the first policy grow most.
    pub(crate) fn heaviest(&self) -> Term {
        self.chart(0).map_or(writ_model::standing::POSTURE, |chart| chart.heaviest.clone())
    }

    /// A policy by its place.
    pub(crate) fn policy(&self, policy: usize) -> Option<&'p Policy> {
        self.policies.get(policy).copied()
    }

    /// Situations that are possible.
    pub fn possible(&self) -> Diagram {
        self.charts.first().map_or(Diagram::ALWAYS, |chart| chart.possible)
    }

    /// Both verdicts at a time.
    pub(crate) fn live(&mut self, policy: usize, at: Moment) -> Result<Live, TooLarge> {
        let (Some(chart), Some(of)) = (self.charts.get(policy), self.policies.get(policy)) else {
            return Err(Full.into());
        };
        Ok(chart.live(&mut self.forest, &self.space, of, policy, at)?)
    }

    fn outcome(&mut self, policy: usize, side: Side) -> Result<Outcome, TooLarge> {
        match side {
            Side::Text => self.chart(policy).map(|chart| chart.text.clone()).ok_or_else(|| Full.into()),
            Side::Full(at) => Ok(self.live(policy, at)?.full),
            Side::Enforced(at) => Ok(self.live(policy, at)?.enforced),
        }
    }

    /// Possible situations in which the effect of a policy is at least this one.
    ///
    /// # Errors
    /// If that needs more than a named limit admits.
    pub fn at_least(&mut self, policy: usize, side: Side, effect: Effect) -> Result<Diagram, TooLarge> {
        let possible = self.possible();
        let outcome = self.outcome(policy, side)?;
        if effect == Effect::Allow {
            return Ok(possible);
        }
        let reached = self.forest.at_least(outcome.effect, effect as u8)?;
        Ok(self.forest.and(reached, possible)?)
    }

    /// Possible situations in which a policy redacts a class.
    ///
    /// # Errors
    /// If that needs more than a named limit admits.
    pub fn redacting(&mut self, policy: usize, side: Side, class: &Term) -> Result<Diagram, TooLarge> {
        let possible = self.possible();
        let at = self.outcome(policy, side)?.redacts.get(class).copied().unwrap_or(Diagram::NEVER);
        Ok(self.forest.and(at, possible)?)
    }

    /// Possible situations that nothing in a policy's text foresees.
    ///
    /// # Errors
    /// If that needs more than a named limit admits.
    pub fn unforeseen(&mut self, policy: usize) -> Result<Diagram, TooLarge> {
        let possible = self.possible();
        let at = self.chart(policy).map_or(Diagram::NEVER, |chart| chart.unforeseen);
        Ok(self.forest.and(at, possible)?)
    }

    /// Situations in which a subject has one of the values that are wanted, as far as some policy tells them apart.
    ///
    /// # Errors
    /// If that needs more than a named limit admits.
    pub fn having(&mut self, subject: &Subject, wanted: impl Fn(&Raw) -> bool) -> Result<Diagram, TooLarge> {
        let Some(place) = self.space.place(subject) else { return Ok(Diagram::ALWAYS) };
        let Some(variable) = self.space.variable(place) else { return Ok(Diagram::ALWAYS) };
        let any = |atom: u16| {
            let raws = variable.atoms.get(usize::from(atom)).into_iter().flatten();
            raws.filter_map(|place| variable.raws.get(*place)).any(&wanted)
        };
        Ok(self.forest.literal(place, any)?)
    }

    /// Situations in both sets.
    ///
    /// # Errors
    /// If that needs more than a named limit admits.
    pub fn both(&mut self, one: Diagram, other: Diagram) -> Result<Diagram, TooLarge> {
        Ok(self.forest.and(one, other)?)
    }

    /// Situations in either set.
    ///
    /// # Errors
    /// If that needs more than a named limit admits.
    pub fn either(&mut self, one: Diagram, other: Diagram) -> Result<Diagram, TooLarge> {
        Ok(self.forest.or(one, other)?)
    }

    /// Situations of the first set that are not in the second.
    ///
    /// # Errors
    /// If that needs more than a named limit admits.
    pub fn without(&mut self, one: Diagram, other: Diagram) -> Result<Diagram, TooLarge> {
        Ok(self.forest.without(one, other)?)
    }

    /// Whether a set has a possible situation.
    ///
    /// # Errors
    /// If that needs more than a named limit admits.
    pub fn any(&mut self, set: Diagram) -> Result<bool, TooLarge> {
        let possible = self.possible();
        Ok(!self.forest.and(set, possible)?.never())
    }

    /// Whether complete facts are in a set; `None` while something is pending. Classes that no policy defines and
    /// acknowledgements do not count.
    pub fn contains(&self, set: Diagram, facts: &Facts) -> Option<bool> {
        let point = self.space.point(facts)?;
        Some(self.forest.at(set, &point) > 0)
    }

    /// The effects that a policy has in the possible situations of a set.
    ///
    /// # Errors
    /// If that needs more than a named limit admits.
    pub fn effects(&mut self, policy: usize, side: Side, set: Diagram) -> Result<Vec<Effect>, TooLarge> {
        let mut effects = Vec::new();
        for (effect, above) in Effect::ALL.iter().zip(Effect::ALL.iter().skip(1).map(Some).chain([None])) {
            let mut at = self.at_least(policy, side, *effect)?;
            if let Some(above) = above {
                let stricter = self.at_least(policy, side, *above)?;
                at = self.forest.without(at, stricter)?;
            }
            if self.forest.and(at, set).is_ok_and(|both| !both.never()) {
                effects.push(*effect);
            }
        }
        Ok(effects)
    }

    /// The first question that tells situations of a set from others, and the set that each of its atoms leads to.
    /// `None` if it needs no question any more: then it holds always or never.
    pub fn branches(&self, set: Diagram) -> Option<(&Variable, Vec<Branch<'_>>)> {
        let variable = self.space.variable(self.forest.variable(set)?)?;
        let raws = |atom: &Vec<usize>| atom.iter().filter_map(|place| variable.raws.get(*place)).collect();
        let branches = variable.atoms.iter().zip(self.forest.children(set));
        Some((variable, branches.map(|(atom, child)| (raws(atom), *child)).collect()))
    }

    /// The set over some subjects only: where it has a situation for some values of all others.
    ///
    /// # Errors
    /// If that needs more than a named limit admits.
    pub fn projected(&mut self, set: Diagram, keep: impl Fn(&Subject) -> bool) -> Result<Diagram, TooLarge> {
        let space = &self.space;
        let keep = |place: u16| space.variable(place).is_some_and(|variable| keep(&variable.subject));
        Ok(region::projected(&mut self.forest, set, &keep, &mut HashMap::new())?)
    }

    /// The most ordinary possible situation of a set, as facts at a time.
    ///
    /// # Errors
    /// If that needs more than a named limit admits.
    pub fn situation(&mut self, set: Diagram, at: Moment) -> Result<Option<Facts>, TooLarge> {
        let possible = self.possible();
        let set = self.forest.and(set, possible)?;
        let point = region::cheapest(&self.forest, &self.space, set);
        Ok(point.map(|point| self.space.facts(&point, at)))
    }

    /// The possible situations of a set in few regions, `most` at most. What is impossible does not matter: a region
    /// may contain it.
    ///
    /// # Errors
    /// If that needs more than a named limit admits.
    pub fn regions(&mut self, set: Diagram, most: usize) -> Result<Regions, TooLarge> {
        let possible = self.possible();
        let found = region::cubes(&mut self.forest, &self.space, set, possible, most)?;
        let mut regions = Vec::new();
        for cube in &found.cubes {
            let set = cube.drawn(&mut self.forest)?;
            regions.push((self.region(cube), set));
        }
        Ok(Regions { regions, rest: found.rest })
    }

    fn region(&self, cube: &region::Cube) -> Region {
        let condition = |(place, allowed): (&u16, &Vec<bool>)| {
            let variable = self.space.variable(*place)?;
            let pick = |wanted: bool| {
                let atoms = variable.atoms.iter().zip(allowed).filter(|(_, allowed)| **allowed == wanted);
                let mut places: Vec<usize> = atoms.flat_map(|(raws, _)| raws.iter().copied()).collect();
                places.sort_unstable();
                places.into_iter().filter_map(|place| variable.raws.get(place).cloned()).collect()
            };
            Some(Condition { subject: variable.subject.clone(), inside: pick(true), outside: pick(false) })
        };
        Region { conditions: cube.allowed.iter().filter_map(condition).collect() }
    }

    /// Combinations of values in a set, as far as policies tell values apart.
    pub fn points(&self, set: Diagram) -> f64 {
        region::points(&self.forest, &self.space, set)
    }
}
