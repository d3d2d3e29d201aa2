//! The analyser: questions about all situations at once, each answered with a witness (POLICY.md section 5).
//!
//! Everything asks the diagrams ([`crate::diagram`]), which are drawn from the rows that enforcement reads. Every answer
//! that claims something of a situation carries one, in words and as facts, and the engine decides it the same way.
//!
//! * [`analyse`] asks what a document alone can answer: gaps, rules that change nothing, that never apply or that are
//!   overruled, carve-outs and exceptions that do not fit.
//! * [`prove`] proves the assertions of `prove` blocks, with what stands beside the policy; [`prove_with`] does so as if
//!   another exception were granted already.
//! * [`report`] puts both together for a policy that is to run.
//! * [`weaker`] compares a policy with a baseline.
//! * [`needs`] says which clauses lose enforcement without a part of the installation.

mod assertions;
mod baseline;
mod capabilities;
mod gaps;
mod lens;
mod rules;
mod standing;
mod tables;
#[cfg(test)]
mod tests;
mod witness;
pub mod words;

use writ_base::{InvariantId, Moment};
use writ_model::Term;

use crate::check::{OpenTable, Parsed, RulePlace};
use crate::diagnostic::{Code, Diagnostic, Gravity};
use crate::diagram::{Diagrams, Figures, TooLarge, World};
use crate::document::source::Span;
use crate::eval::Policy;

pub use assertions::{ASSERTION_MOMENTS, LeftOut, NotYet, Outcome, Proof, Proved, prove, prove_with};
pub use baseline::{Weaker, WeakerRow, weaker};
pub use capabilities::{Capability, Loss, Need, lacking, needs};
pub use gaps::{Gap, Gaps};
pub use standing::Longest;
pub use witness::{Witness, verdict};

/// Regions that one answer shows at most; what is left is counted.
pub const REGIONS: usize = 12;

/// What a document alone can answer.
#[derive(Clone, Debug)]
pub struct Analysis {
    /// What is wrong or changes nothing, in the order of the text.
    pub findings: Vec<Finding>,
    /// What only the posture decides.
    pub gaps: Gaps,
    /// How large the diagrams were.
    pub figures: Figures,
}

/// Something that the analyser found.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// What kind; stable.
    pub code: Code,
    /// The rule that it is about, by clause and number.
    pub rule: Option<(Term, u16)>,
    /// Where it stands in the document, if that is known.
    pub span: Span,
    /// What is found: lower case, no full stop.
    pub message: String,
    /// What to do.
    pub help: String,
    /// The situations that it is about, as lines of keys.
    pub regions: Vec<String>,
    /// A situation that shows it.
    pub witness: Option<Witness>,
}

impl Finding {
    /// As a diagnostic of the document, with what shows it.
    pub fn diagnostic(&self) -> Diagnostic {
        let mut diagnostic = Diagnostic::new(self.code, self.span, self.message.clone());
        diagnostic.help = Some(self.help.clone());
        diagnostic.regions.clone_from(&self.regions);
        diagnostic.witness = self.witness.as_ref().map(ToString::to_string);
        diagnostic
    }
}

/// Asks everything that a document alone can answer. `places` says where the rules of the model stand; a rule without a
/// place counts as a block. `tables` are those that leave something out which other rules name.
///
/// # Errors
/// If the diagrams need more than a named limit admits. Such a policy runs all the same.
pub fn analyse(
    policy: &Policy,
    places: &[RulePlace],
    tables: &[OpenTable],
    world: &World,
    at: Moment,
) -> Result<Analysis, TooLarge> {
    let lens = lens::Lens::of(policy, tables)?;
    let mut diagrams = Diagrams::of(&[policy, &lens.policy], world)?;
    let heaviest = diagrams.heaviest();
    let mut ask = || -> Result<_, TooLarge> {
        let mut findings = rules::findings(&mut diagrams, policy, &lens, places, world, at)?;
        findings.extend(tables::findings(&mut diagrams, policy, &lens, tables, at)?);
        findings.extend(standing::findings(&mut diagrams, policy, at)?);
        Ok((findings, gaps::gaps(&mut diagrams, at)?))
    };
    let (mut findings, gaps) = ask().map_err(|error| error.or_of(&heaviest))?;
    findings.sort_by_key(|finding| finding.span);
    let figures = diagrams.figures();
    Ok(Analysis { findings, gaps, figures })
}

/// All that the analyser says about a policy that is to run.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// What is wrong or changes nothing, in the order of the text: rules, exceptions, assertions that fail, and gaps
    /// where the document refuses them.
    pub findings: Vec<Finding>,
    /// What only the posture decides.
    pub gaps: Gaps,
    /// What came of the assertions.
    pub proof: Proof,
    /// How large the diagrams were.
    pub figures: Figures,
    /// Why some of this could not be said. Such a policy runs all the same.
    pub unproved: Option<TooLarge>,
}

impl Report {
    /// Whether a finding keeps the policy from running.
    pub fn refused(&self) -> bool {
        self.errors().next().is_some()
    }

    /// Why not everything could be said, as a diagnostic of the whole document.
    pub fn not_proved(&self) -> Option<Diagnostic> {
        let error = self.unproved.as_ref()?;
        Some(Diagnostic::new(Code::NotProved, Span::default(), format!("not everything could be proved: {error}")))
    }

    /// The findings that keep the policy from running.
    pub fn errors(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.code.gravity() == Gravity::Error)
    }
}

/// Asks everything about a policy that was read from a document, as it would run at a time.
pub fn report(policy: &Policy, parsed: &Parsed, world: &World, at: Moment) -> Report {
    let mut report = Report::default();
    match analyse(policy, &parsed.places, &parsed.open_tables, world, at) {
        Ok(analysis) => {
            report.findings = analysis.findings;
            if parsed.document.front.gaps_refused {
                report.findings.extend(analysis.gaps.refused(parsed.document.front.at("gaps")));
            }
            (report.gaps, report.figures) = (analysis.gaps, analysis.figures);
        }
        Err(error) => report.unproved = Some(error),
    }
    match prove(policy, world, at) {
        Ok(proof) => {
            let places = parsed.assertion_places.iter().copied().chain(std::iter::repeat(Span::default()));
            report.findings.extend(proof.assertions.iter().zip(places).filter_map(|(one, place)| failing(one, place)));
            report.proof = proof;
        }
        Err(error) => report.unproved = Some(error),
    }
    report.findings.sort_by_key(|finding| finding.span);
    report
}

/// An assertion that fails, as a finding.
fn failing(proved: &Proved, span: Span) -> Option<Finding> {
    let Outcome::Fails { witness, regions } = &proved.outcome else { return None };
    Some(Finding {
        code: Code::AssertionFails,
        rule: None,
        span,
        message: "the policy does not meet this assertion".to_owned(),
        help: "make the rules stricter where it fails, or state in the assertion what is meant".to_owned(),
        regions: regions.clone(),
        witness: Some((**witness).clone()),
    })
}

/// In production a witness that the engine decides otherwise would be a defect of the analyser: it is counted.
fn reproduced(holds: bool) {
    InvariantId::EvaluatorsAgree.check(holds);
}
