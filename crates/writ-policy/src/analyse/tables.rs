//! Tables that leave out values which other rules name, but do not decide in every situation.

use std::collections::BTreeSet;

use writ_base::Moment;
use writ_model::Term;
use writ_model::schema::Dimension;

use crate::check::OpenTable;
use crate::diagnostic::Code;
use crate::diagram::{Diagram, Diagrams, Raw, Subject, TooLarge};
use crate::eval::Policy;
use crate::rule::{KeyValue, Rule};

use super::gaps::{alone, only_posture};
use super::lens::{LeftOut, Lens};
use super::{Finding, REGIONS, Witness, reproduced, words};

/// Looks at the tables of the first policy of some diagrams; the second is its lens.
pub(super) fn findings(
    diagrams: &mut Diagrams<'_>,
    policy: &Policy,
    lens: &Lens,
    tables: &[OpenTable],
    at: Moment,
) -> Result<Vec<Finding>, TooLarge> {
    if tables.is_empty() {
        return Ok(Vec::new());
    }
    let alone = alone(diagrams)?;
    let mut findings = Vec::new();
    for (table, left_out) in tables.iter().zip(&lens.left_out) {
        findings.extend(finding(diagrams, policy, lens, alone, (table, left_out), at)?);
    }
    Ok(findings)
}

/// Where the posture alone decides about a value that a table leaves out.
fn finding(
    diagrams: &mut Diagrams<'_>,
    policy: &Policy,
    lens: &Lens,
    alone: Diagram,
    (table, left_out): (&OpenTable, &[LeftOut]),
    at: Moment,
) -> Result<Option<Finding>, TooLarge> {
    let (mut open, mut values) = (Diagram::NEVER, Vec::new());
    for one in left_out {
        let mut there = Diagram::NEVER;
        for place in &one.cells {
            let cell = cell(diagrams, lens, *place)?;
            there = diagrams.either(there, cell)?;
        }
        let there = diagrams.both(there, alone)?;
        if diagrams.any(there)? {
            open = diagrams.either(open, there)?;
            values.push(one.value.clone());
        }
    }
    let Some(witness) = Witness::in_set(diagrams, policy, open, at)? else { return Ok(None) };
    reproduced(!policy.standing().exceptions.is_empty() || only_posture(&witness.decision.full));
    let regions = diagrams.regions(open, REGIONS)?;
    Ok(Some(Finding {
        code: Code::IncompleteTable,
        rule: policy.model().rules.get(table.rules.start).map(|rule| (rule.clause.clone(), rule.number)),
        span: table.span,
        message: format!("{}, and other rules decide it only in part", table.silent_about(&values)),
        help: OpenTable::HELP.to_owned(),
        regions: regions.regions.iter().map(|(region, _)| words::region(region)).collect(),
        witness: Some(witness),
    }))
}

/// Where a cell would apply and nothing is found but what it speaks about: what else is open there is not the table's.
fn cell(diagrams: &mut Diagrams<'_>, lens: &Lens, place: usize) -> Result<Diagram, TooLarge> {
    let demand = diagrams.chart(1).and_then(|chart| chart.demands.get(place));
    let mut region = demand.map_or(Diagram::NEVER, |demand| demand.read);
    let own = lens.policy.model().rules.get(place).map(classes).unwrap_or_default();
    let subjects: Vec<Subject> = diagrams.variables().iter().map(|variable| variable.subject.clone()).collect();
    for subject in subjects {
        if matches!(&subject, Subject::Class(name) if !own.contains(name)) {
            let absent = diagrams.having(&subject, |raw| matches!(raw, Raw::Found(found, _) if found.likely == 0))?;
            region = diagrams.both(region, absent)?;
        }
    }
    Ok(region)
}

/// The classes that a rule names.
fn classes(rule: &Rule) -> BTreeSet<Term> {
    let values = rule.keys.on(Dimension::Data).map(|test| test.values.as_slice()).unwrap_or_default();
    let classes = values.iter().filter_map(|value| match value {
        KeyValue::Class { class, .. } => Some(class.clone()),
        _ => None,
    });
    classes.collect()
}
