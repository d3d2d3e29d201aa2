//! The diagrams of one policy: what it says, and what holds with exceptions and roll-out at one time.

use std::collections::BTreeMap;
use std::sync::Arc;

use writ_base::Moment;
use writ_model::standing::POSTURE;
use writ_model::{Effect, Term};

use crate::eval::Policy;

use super::draw::{Covered, Demand, Pen, Relaxed, Rules, Stuck};
use super::forest::{Diagram, Forest, Full};
use super::space::Space;

/// What a policy says, as signed.
#[derive(Clone, Debug)]
pub(crate) struct Chart {
    /// What each rule demands, in the order of the model.
    pub(crate) demands: Vec<Demand>,
    /// Where content that could not be read is stopped by default.
    pub(crate) stopped: Diagram,
    /// Where each row that foresees applies, in the order of the rows.
    pub(crate) foresee: Vec<Diagram>,
    /// What is covered where.
    pub(crate) covers: Arc<[Covered]>,
    /// Where the posture speaks about what is done.
    pub(crate) speaks: Diagram,
    /// Where nothing foresees what is done.
    pub(crate) unforeseen: Diagram,
    /// The posture of who acts.
    pub(crate) posture: Diagram,
    /// Situations that are possible.
    pub(crate) possible: Diagram,
    /// The verdict of the text alone.
    pub(crate) text: Outcome,
    /// The clause that made the diagrams grow most.
    pub(crate) heaviest: Term,
}

/// A verdict as diagrams: the effect, and the redacted classes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) effect: Diagram,
    /// Where each class is redacted if it is found; classes that never are have no entry.
    pub(crate) redacts: BTreeMap<Term, Diagram>,
}

/// Both verdicts at one time.
#[derive(Clone, Debug)]
pub(crate) struct Live {
    /// With the exceptions in force.
    pub(crate) full: Outcome,
    /// With the roll-out as well.
    pub(crate) enforced: Outcome,
}

/// Puts together what the rules of clauses demand, clause by clause, and knows which one made the diagrams grow.
struct Growth<'a> {
    policy: &'a Policy,
    most: usize,
    clause: Term,
}

impl<'a> Growth<'a> {
    fn new(policy: &'a Policy) -> Self {
        Self { policy, most: 0, clause: POSTURE }
    }

    /// The greatest of what the rules say, or any of it: `with` puts two together.
    fn gather(
        &mut self,
        forest: &mut Forest,
        parts: &[Diagram],
        with: fn(&mut Forest, Diagram, Diagram) -> Result<Diagram, Full>,
    ) -> Result<Diagram, Stuck> {
        let rules = self.policy.model().rules.iter().zip(parts);
        let rules: Vec<(&Term, Diagram)> = rules.map(|(rule, part)| (&rule.clause, *part)).collect();
        let mut all = Diagram::NEVER;
        for clause in rules.chunk_by(|one, other| one.0 == other.0) {
            let before = forest.len();
            let Some((name, _)) = clause.first() else { continue };
            let mut own = Diagram::NEVER;
            for (_, part) in clause {
                own = with(forest, own, *part).map_err(|_| self.stuck(name, forest.len() - before))?;
            }
            all = with(forest, all, own).map_err(|_| self.stuck(name, forest.len() - before))?;
            self.note(name, forest.len() - before);
        }
        Ok(all)
    }

    fn note(&mut self, clause: &Term, nodes: usize) {
        if nodes > self.most {
            (self.most, self.clause) = (nodes, clause.clone());
        }
    }

    /// The clause that made the most nodes, with the one at which it ended.
    fn stuck(&mut self, clause: &Term, nodes: usize) -> Stuck {
        self.note(clause, nodes);
        Stuck { clause: self.clause.clone() }
    }
}

impl Chart {
    /// Draws a policy, the `index`th of its space.
    pub(crate) fn draw(forest: &mut Forest, space: &Space, policy: &Policy, index: usize) -> Result<Self, Stuck> {
        let mut pen = Pen::new(policy, index, space);
        let Rules { demands, opened } = pen.rules(forest)?;
        let foreseeing = foreseeing(policy);
        let rest = |_: Full| Stuck { clause: foreseeing.clone() };
        let stopped = pen.stopped(forest, opened).map_err(rest)?;
        let foresee = pen.foresee(forest).map_err(rest)?;
        let covers: Arc<[Covered]> = pen.covers(forest, &foresee).map_err(rest)?.into();
        let speaks = pen.speaks(forest).map_err(rest)?;
        let unforeseen = pen.unforeseen(forest, &covers, &[]).map_err(rest)?;
        let posture = pen.posture(forest).map_err(rest)?;
        let possible = pen.possible(forest).map_err(rest)?;
        let mut growth = Growth::new(policy);
        let effects: Vec<Diagram> = demands.iter().map(|demand| demand.effect).collect();
        let rules = growth.gather(forest, &effects, Forest::max)?;
        let effect = ground(forest, unforeseen, posture, stopped).and_then(|it| forest.max(it, rules)).map_err(rest)?;
        let redacts = redactions(forest, policy, &demands, |_, (_, at)| Ok(at))?;
        let text = Outcome { effect, redacts };
        let heaviest = growth.clause;
        Ok(Self { demands, stopped, foresee, covers, speaks, unforeseen, posture, possible, text, heaviest })
    }

    /// Both verdicts with what stands beside the policy at a time.
    pub(crate) fn live(
        &self,
        forest: &mut Forest,
        space: &Space,
        policy: &Policy,
        index: usize,
        at: Moment,
    ) -> Result<Live, Stuck> {
        let mut pen = Pen::new(policy, index, space);
        let rest = |_: Full| Stuck { clause: POSTURE };
        let exceptions = pen.exceptions(forest, at).map_err(rest)?;
        let full = if exceptions.is_empty() {
            self.text.clone()
        } else {
            self.excepted(forest, policy, &mut pen, &exceptions)?
        };
        if policy.rollout.is_empty() {
            return Ok(Live { enforced: full.clone(), full });
        }
        let enforced = self.enforced(forest, policy, &mut pen, &exceptions, at)?;
        Ok(Live { full, enforced })
    }

    /// The full verdict, were one exception in force and no other.
    pub(crate) fn with_exception(
        &self,
        forest: &mut Forest,
        space: &Space,
        policy: &Policy,
        index: usize,
        exception: usize,
    ) -> Result<Outcome, Stuck> {
        let mut pen = Pen::new(policy, index, space);
        let relaxed = pen.exception(forest, exception).map_err(|_| Stuck { clause: POSTURE })?;
        self.excepted(forest, policy, &mut pen, relaxed.as_slice())
    }

    /// The full verdict with exceptions.
    fn excepted(
        &self,
        forest: &mut Forest,
        policy: &Policy,
        pen: &mut Pen<'_>,
        exceptions: &[Relaxed],
    ) -> Result<Outcome, Stuck> {
        let rest = |_: Full| Stuck { clause: POSTURE };
        let unforeseen = pen.unforeseen(forest, &self.covers, exceptions).map_err(rest)?;
        let mut effects = Vec::new();
        for (rule, demand) in policy.model().rules.iter().zip(&self.demands) {
            let blame = |_: Full| Stuck { clause: rule.clause.clone() };
            let excepted = pen.excepted(forest, &rule.clause, exceptions).map_err(blame)?;
            let raising = forest.not(excepted).map_err(blame)?;
            effects.push(forest.keep(raising, demand.effect).map_err(blame)?);
        }
        let rules = Growth::new(policy).gather(forest, &effects, Forest::max)?;
        let ground = ground(forest, unforeseen, self.posture, self.stopped).map_err(rest)?;
        let effect = forest.max(ground, rules).map_err(rest)?;
        let redacts = redactions(forest, policy, &self.demands, |forest, (clause, at)| {
            let excepted = pen.excepted(forest, clause, exceptions)?;
            forest.without(at, excepted)
        })?;
        Ok(Outcome { effect, redacts })
    }

    /// The verdict with the roll-out.
    fn enforced(
        &self,
        forest: &mut Forest,
        policy: &Policy,
        pen: &mut Pen<'_>,
        exceptions: &[Relaxed],
        at: Moment,
    ) -> Result<Outcome, Stuck> {
        let rest = |_: Full| Stuck { clause: POSTURE };
        let coach = Diagram::number(Effect::Coach as u8);
        let mut effects = Vec::new();
        for (rule, demand) in policy.model().rules.iter().zip(&self.demands) {
            let mut one = |forest: &mut Forest| -> Result<Diagram, Full> {
                let excepted = pen.excepted(forest, &rule.clause, exceptions)?;
                let raising = forest.not(excepted)?;
                let steps = pen.steps(forest, &rule.clause, at)?;
                let demanded = forest.keep(raising, demand.effect)?;
                let written = forest.keep(steps.enforce, demanded)?;
                // Whatever a clause demands becomes a note: an effect, or a redaction of what was found.
                let redacting = forest.any(demand.redacts.iter().map(|(_, at)| *at))?;
                let redacting = forest.and(raising, redacting)?;
                let demanding = forest.at_least(demanded, 1)?;
                let something = forest.or(demanding, redacting)?;
                let noting = forest.and(steps.coach, something)?;
                let noted = forest.keep(noting, coach)?;
                forest.max(written, noted)
            };
            effects.push(one(forest).map_err(|_| Stuck { clause: rule.clause.clone() })?);
        }
        let rules = Growth::new(policy).gather(forest, &effects, Forest::max)?;
        let mut grounds = |forest: &mut Forest| -> Result<Diagram, Full> {
            let unforeseen = pen.unforeseen(forest, &self.covers, exceptions)?;
            let steps = pen.steps(forest, &POSTURE, at)?;
            let written = forest.keep(steps.enforce, self.posture)?;
            let noted = forest.min(self.posture, coach)?;
            let noted = forest.keep(steps.coach, noted)?;
            let posture = forest.max(written, noted)?;
            ground(forest, unforeseen, posture, self.stopped)
        };
        let ground = grounds(forest).map_err(rest)?;
        let effect = forest.max(ground, rules).map_err(rest)?;
        let redacts = redactions(forest, policy, &self.demands, |forest, (clause, redacting)| {
            let excepted = pen.excepted(forest, clause, exceptions)?;
            let enforce = pen.steps(forest, clause, at)?.enforce;
            let raising = forest.without(redacting, excepted)?;
            forest.and(raising, enforce)
        })?;
        Ok(Outcome { effect, redacts })
    }
}

/// The clause that foresees with most rows: where it is what nothing foresees that grows, it has most of that.
fn foreseeing(policy: &Policy) -> Term {
    let mut rows: BTreeMap<&Term, usize> = BTreeMap::new();
    for row in &policy.rows.foresee {
        if let Some(rule) = policy.model().rules.get(row.rule as usize) {
            *rows.entry(&rule.clause).or_default() += 1;
        }
    }
    rows.into_iter().max_by_key(|(_, rows)| *rows).map_or(POSTURE, |(clause, _)| clause.clone())
}

/// Where verdicts start from before any rule demands: the posture where nothing foresees, block where content that could
/// not be read is stopped by default.
fn ground(forest: &mut Forest, unforeseen: Diagram, posture: Diagram, stopped: Diagram) -> Result<Diagram, Full> {
    let base = forest.keep(unforeseen, posture)?;
    let stopped = forest.keep(stopped, Diagram::number(Effect::Block as u8))?;
    forest.max(base, stopped)
}

/// Where each class is redacted, given what becomes of each clause's demand.
fn redactions(
    forest: &mut Forest,
    policy: &Policy,
    demands: &[Demand],
    mut of: impl FnMut(&mut Forest, (&Term, Diagram)) -> Result<Diagram, Full>,
) -> Result<BTreeMap<Term, Diagram>, Stuck> {
    let mut all: BTreeMap<Term, Vec<Diagram>> = BTreeMap::new();
    for (rule, demand) in policy.model().rules.iter().zip(demands) {
        for (class, at) in &demand.redacts {
            let at = of(forest, (&rule.clause, *at)).map_err(|_| Stuck { clause: rule.clause.clone() })?;
            all.entry(class.clone()).or_default().push(at);
        }
    }
    let mut redacts = BTreeMap::new();
    for (class, parts) in all {
        let at = forest.any(parts).map_err(|_| Stuck { clause: POSTURE })?;
        if !at.never() {
            redacts.insert(class, at);
        }
    }
    Ok(redacts)
}
