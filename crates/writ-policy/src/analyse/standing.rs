//! What stands beside the text: an exception may change nothing where its clause does not apply, and a roll-out may make
//! nothing stricter than the text.

use std::fmt;
use std::time::Duration;

use writ_base::Moment;
use writ_model::standing::ExceptionGrant;
use writ_model::{Effect, Term};

use crate::control::{Duty, Period};
use crate::diagnostic::Code;
use crate::diagram::{Diagram, Diagrams, Full, Live, TooLarge};
use crate::document::source::Span;
use crate::eval::Policy;

use super::{Finding, REGIONS, Witness, words};

/// Exceptions of the first policy, not yet ended, that are wider than their clause or last too long.
pub(super) fn findings(diagrams: &mut Diagrams<'_>, policy: &Policy, at: Moment) -> Result<Vec<Finding>, TooLarge> {
    let mut findings = Vec::new();
    for (place, exception) in policy.standing().exceptions.iter().enumerate() {
        if exception.grant.until <= at {
            continue;
        }
        findings.extend(too_long(policy, &exception.grant));
        let beyond = beyond_clause(diagrams, policy, place, &exception.grant.clause)?;
        let from = exception.grant.from.max(at);
        let Some(facts) = diagrams.situation(beyond, from)? else { continue };
        let regions = diagrams.regions(beyond, REGIONS)?;
        let (id, clause) = (exception.grant.id, &exception.grant.clause);
        findings.push(Finding {
            code: Code::WideException,
            rule: Some((clause.clone(), 0)),
            span: Span::default(),
            message: format!(
                "exception `{id}` for clause `{clause}` changes what is decided where this clause does not apply"
            ),
            help: "an exception also covers `plain` and its classes: narrow its keys to what the clause is about, or let a \
                   rule foresee those situations"
                .to_owned(),
            regions: regions.regions.iter().map(|(region, _)| words::region(region)).collect(),
            witness: Some(Witness::of(policy, facts)),
        });
    }
    Ok(findings)
}

/// Days that an exception may last where no clause says so.
const DAYS_MAX: u64 = 366;

/// How long an exception may last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Longest<'p> {
    /// From its beginning to its end.
    pub lasts: Duration,
    /// The process for exceptions that says so, by its clause, and in the words of the document.
    stated: Option<(&'p Term, Period)>,
}

impl<'p> Longest<'p> {
    /// What the processes for exceptions of a policy allow, the shortest of them; a year where there is none.
    pub fn of(policy: &'p Policy) -> Self {
        let processes = policy.model().controls.iter().filter_map(|control| match &control.duty {
            Duty::ExceptionProcess(process) => Some((&control.clause, process.limit)),
            _ => None,
        });
        let stated = processes.min_by_key(|(_, limit)| limit.minutes());
        let minutes = stated.map_or(DAYS_MAX * 24 * 60, |(_, limit)| limit.minutes());
        Self { lasts: Duration::from_secs(minutes.saturating_mul(60)), stated }
    }
}

impl fmt::Display for Longest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.stated {
            Some((clause, limit)) => write!(f, "clause `{clause}` allows {limit}"),
            None => write!(f, "no clause says how long one may, and {DAYS_MAX} days are the most"),
        }
    }
}

/// An exception that lasts longer than it may.
fn too_long(policy: &Policy, grant: &ExceptionGrant) -> Option<Finding> {
    const DAY_SECONDS: u64 = 86_400;
    let (lasts, most) = (grant.until.since(grant.from), Longest::of(policy));
    if lasts <= most.lasts {
        return None;
    }
    let (id, clause, days) = (grant.id, &grant.clause, lasts.as_secs().div_ceil(DAY_SECONDS));
    Some(Finding {
        code: Code::ExceptionTooLong,
        rule: Some((clause.clone(), 0)),
        span: Span::default(),
        message: format!("exception `{id}` for clause `{clause}` lasts {days} days; {most}"),
        help: "grant it again with an earlier end; what is to stay belongs into the policy".to_owned(),
        regions: Vec::new(),
        witness: None,
    })
}

/// Where an exception alone makes the verdict weaker though no rule of its clause applies.
fn beyond_clause(
    diagrams: &mut Diagrams<'_>,
    policy: &Policy,
    exception: usize,
    clause: &Term,
) -> Result<Diagram, TooLarge> {
    let chart = diagrams.chart(0).cloned().ok_or(Full)?;
    let with = chart.with_exception(&mut diagrams.forest, &diagrams.space, policy, 0, exception)?;
    let forest = &mut diagrams.forest;
    let mut weaker = vec![forest.less(with.effect, chart.text.effect)?];
    for (class, at) in &chart.text.redacts {
        let left = with.redacts.get(class).copied().unwrap_or(Diagram::NEVER);
        weaker.push(forest.without(*at, left)?);
    }
    let weaker = forest.any(weaker)?;
    let own = policy.model().rules.iter().zip(&chart.demands).filter(|(rule, _)| rule.clause == *clause);
    let own: Vec<Diagram> = own.flat_map(|(_, demand)| [demand.read, demand.unread]).collect();
    let own = forest.any(own)?;
    let beyond = forest.without(weaker, own)?;
    Ok(forest.and(beyond, chart.possible)?)
}

/// Where the roll-out asks for more than the text with its exceptions: nowhere, because it only suspends. What a clause
/// would have redacted may become a note.
pub(super) fn above_the_text(diagrams: &mut Diagrams<'_>, live: &Live) -> Result<Diagram, TooLarge> {
    let possible = diagrams.possible();
    let forest = &mut diagrams.forest;
    let above = forest.less(live.full.effect, live.enforced.effect)?;
    let redacting: Vec<Diagram> = live.full.redacts.values().copied().collect();
    let redacting = forest.any(redacting)?;
    let more = forest.at_least(live.enforced.effect, Effect::Justify as u8)?;
    let noted = forest.without(redacting, more)?;
    let mut all = vec![forest.without(above, noted)?];
    for (class, at) in &live.enforced.redacts {
        let written = live.full.redacts.get(class).copied().unwrap_or(Diagram::NEVER);
        all.push(forest.without(*at, written)?);
    }
    let above = forest.any(all)?;
    Ok(forest.and(above, possible)?)
}
