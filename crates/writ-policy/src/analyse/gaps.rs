//! Gaps: which situations only the posture decides.

use writ_base::Moment;
use writ_model::standing::POSTURE;
use writ_model::{Effect, Term, Verdict};

use crate::diagnostic::Code;
use crate::diagram::{Diagram, Diagrams, TooLarge};
use crate::document::source::Span;

use super::{Finding, REGIONS, Witness, reproduced, words};

/// What only the posture decides.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gaps {
    /// Readable rows: a line of keys, the posture's effect there, and a situation.
    pub rows: Vec<Gap>,
    /// Further combinations of values that no row shows.
    pub rest: f64,
}

/// A row of a gap.
#[derive(Clone, Debug, PartialEq)]
pub struct Gap {
    /// The situations, as a line of keys.
    pub region: String,
    /// What the posture does there.
    pub effect: Effect,
    /// One of them.
    pub witness: Witness,
}

impl Gaps {
    /// Whether the document foresees everything.
    pub fn none(&self) -> bool {
        self.rows.is_empty()
    }

    /// The gaps as one finding of a document that refuses them in this place.
    pub fn refused(&self, span: Span) -> Option<Finding> {
        let first = self.rows.first()?;
        Some(Finding {
            code: Code::Gap,
            rule: None,
            span,
            message: "there are situations that only the posture decides, and the front matter says `gaps: refused`"
                .to_owned(),
            help: "add a rule or a table cell that foresees them, or write `gaps: reported`".to_owned(),
            regions: self.rows.iter().map(|gap| format!("{} ({})", gap.region, gap.effect.as_str())).collect(),
            witness: Some(first.witness.clone()),
        })
    }
}

/// Whether the posture alone decides the effect of a verdict.
pub(crate) fn only_posture(verdict: &Verdict) -> bool {
    let deciding = verdict.decided.iter().filter(|cause| cause.effect == verdict.effect && cause.redact.is_empty());
    let mut deciding: Vec<&Term> = deciding.map(|cause| &cause.clause).collect();
    deciding.dedup();
    deciding == [&POSTURE]
}

/// Where only the posture of the first policy decides.
pub(super) fn alone(diagrams: &mut Diagrams<'_>) -> Result<Diagram, TooLarge> {
    let Some(chart) = diagrams.chart(0) else { return Ok(Diagram::NEVER) };
    let (unforeseen, posture, stopped) = (chart.unforeseen, chart.posture, chart.stopped);
    let demands: Vec<_> = chart.demands.iter().map(|demand| demand.effect).collect();
    let forest = &mut diagrams.forest;
    let rules = forest.greatest(demands)?;
    // Some rule demands as much as the posture, or anything at all where the posture is allow.
    let milder = forest.less(rules, posture)?;
    let raised = forest.at_least(rules, 1)?;
    let strict = forest.at_least(posture, 1)?;
    let spoken = forest.or(raised, strict)?;
    let silent = forest.not(spoken)?;
    let alone = forest.or(milder, silent)?;
    let alone = forest.and(unforeseen, alone)?;
    Ok(forest.without(alone, stopped)?)
}

/// The gaps of the first policy.
pub(super) fn gaps(diagrams: &mut Diagrams<'_>, at: Moment) -> Result<Gaps, TooLarge> {
    let (Some(chart), Some(policy)) = (diagrams.chart(0), diagrams.policy(0)) else { return Ok(Gaps::default()) };
    let posture = chart.posture;
    let alone = alone(diagrams)?;
    let mut gaps = Gaps::default();
    for effect in Effect::ALL.iter().rev().copied() {
        let at_least = match effect {
            Effect::Allow => Diagram::ALWAYS,
            _ => diagrams.forest.at_least(posture, effect as u8)?,
        };
        let above = match Effect::ALL.iter().find(|other| **other > effect) {
            Some(above) => diagrams.forest.at_least(posture, *above as u8)?,
            None => Diagram::NEVER,
        };
        let exactly = diagrams.forest.without(at_least, above)?;
        let here = diagrams.forest.and(alone, exactly)?;
        let found = diagrams.regions(here, REGIONS.saturating_sub(gaps.rows.len()))?;
        gaps.rest += found.rest;
        for (region, set) in found.regions {
            let inside = diagrams.both(set, here)?;
            if let Some(facts) = diagrams.situation(inside, at)? {
                let witness = Witness::of(policy, facts);
                reproduced(!policy.standing().exceptions.is_empty() || only_posture(&witness.decision.full));
                gaps.rows.push(Gap { region: words::region(&region), effect, witness });
            }
        }
    }
    Ok(gaps)
}
