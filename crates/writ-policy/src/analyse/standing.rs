//! What stands beside the text: an exception may change nothing where its clause does not apply, and a roll-out may make
//! nothing stricter than the text.

use writ_base::Moment;
use writ_model::standing::ExceptionGrant;
use writ_model::{Effect, Term};

use crate::control::Duty;
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

/// An exception that lasts longer than the process for exceptions says, or than a year.
fn too_long(policy: &Policy, grant: &ExceptionGrant) -> Option<Finding> {
    const DAY_SECONDS: u64 = 86_400;
    let processes = policy.model().controls.iter().filter_map(|control| match &control.duty {
        Duty::ExceptionProcess(process) => Some((process.limit, &control.clause)),
        _ => None,
    });
    let stated = processes.min();
    let seconds = stated.map_or(DAYS_MAX * DAY_SECONDS, |(limit, _)| limit.minutes() * 60);
    let lasts = grant.until.since(grant.from).as_secs();
    if lasts <= seconds {
        return None;
    }
    let most = match stated {
        Some((limit, clause)) => format!("clause `{clause}` allows {limit}"),
        None => format!("no clause says how long one may, and {DAYS_MAX} days are the most"),
    };
    let (id, clause, days) = (grant.id, &grant.clause, lasts.div_ceil(DAY_SECONDS));
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
