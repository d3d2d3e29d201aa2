//! Which variables stand beside each other: those that rules name together.
//!
//! A diagram remembers, from the first variable of a rule to its last, whether the rule may still apply. If all groups
//! stood before all classes, a policy in which each group has a class of its own would have to remember every
//! combination of groups: two to the number of groups. Beside its class, a group is forgotten at once. The arrangement is
//! that of FORCE (Aloul, Markov, Sakallah, "FORCE: a fast and easy-to-implement variable-ordering heuristic", 2003): each
//! variable moves to the middle of the rules that name it, as long as that makes rules shorter.

use std::collections::BTreeMap;

use writ_model::schema::Dimension;

use crate::eval::Policy;
use crate::rule::{KeyTest, KeyValue, Keys};

use super::space::{Order, Subject, Variable};

/// Rounds at most: the arrangement settles long before.
const ROUNDS: usize = 64;

/// Sorts variables by their rank in an order, and within a rank by what rules name together.
pub(super) fn arrange(variables: &mut Vec<Variable>, order: Order, policies: &[&Policy]) {
    variables.sort_by_key(|variable| order(&variable.subject));
    let rules = together(variables, order, policies);
    let mut places: Vec<usize> = (0..variables.len()).collect();
    let mut best = (span(&rules, &places), places.clone());
    for _ in 0..ROUNDS {
        places = moved(&rules, &places, |variable| variables.get(variable).map(|it| order(&it.subject)));
        let span = span(&rules, &places);
        if span >= best.0 {
            break;
        }
        best = (span, places.clone());
    }
    let mut placed: Vec<(usize, Variable)> = best.1.into_iter().zip(variables.drain(..)).collect();
    placed.sort_by_key(|(place, _)| *place);
    variables.extend(placed.into_iter().map(|(_, variable)| variable));
}

/// The variables that rules and exceptions name together, of one rank each, with how many do.
fn together(variables: &[Variable], order: Order, policies: &[&Policy]) -> BTreeMap<Vec<usize>, usize> {
    let mut all = BTreeMap::new();
    let mut add = |keys: &mut dyn Iterator<Item = &Keys>| {
        let tests: Vec<&KeyTest> = keys.flat_map(|keys| &keys.tests).collect();
        let named = variables.iter().enumerate().filter(|(_, it)| tests.iter().any(|test| names(test, &it.subject)));
        let mut by_rank: BTreeMap<u8, Vec<usize>> = BTreeMap::new();
        named.for_each(|(place, it)| by_rank.entry(order(&it.subject)).or_default().push(place));
        for named in by_rank.into_values().filter(|named| named.len() > 1) {
            *all.entry(named).or_insert(0) += 1;
        }
    };
    for policy in policies {
        for rule in &policy.model().rules {
            add(&mut std::iter::once(&rule.keys).chain(&rule.unless));
        }
        for exception in &policy.standing().exceptions {
            add(&mut std::iter::once(&exception.keys));
        }
    }
    all
}

/// Whether a key names values of a variable: a group, a class, something present.
fn names(test: &KeyTest, subject: &Subject) -> bool {
    test.values.iter().any(|value| match (subject, value) {
        (Subject::Groups(groups), KeyValue::Open(name)) => test.dimension == Dimension::Group && groups.contains(name),
        (Subject::Class(class), KeyValue::Class { class: named, .. }) => class == named,
        (Subject::Present(dimension, values), KeyValue::Closed(value)) => {
            test.dimension == *dimension && values.contains(value)
        }
        _ => false,
    })
}

/// How far rules reach, from their first variable to their last.
fn span(rules: &BTreeMap<Vec<usize>, usize>, places: &[usize]) -> usize {
    let place = |variable: &usize| places.get(*variable).copied().unwrap_or(0);
    let reach = |named: &[usize]| {
        let (first, last) = (named.iter().map(place).min(), named.iter().map(place).max());
        last.unwrap_or(0) - first.unwrap_or(0)
    };
    rules.iter().map(|(named, times)| times * reach(named)).sum()
}

/// New places: each variable in the middle of the rules that name it, within its rank.
fn moved(rules: &BTreeMap<Vec<usize>, usize>, places: &[usize], rank: impl Fn(usize) -> Option<u8>) -> Vec<usize> {
    // Sums of middles and their numbers, per variable; in whole numbers, so that every machine finds the same order.
    const UNIT: usize = 1 << 16;
    let mut pulls = vec![(0usize, 0usize); places.len()];
    for (named, times) in rules {
        let sum: usize = named.iter().filter_map(|variable| places.get(*variable)).sum();
        let middle = sum * UNIT / named.len();
        for variable in named {
            if let Some((pull, count)) = pulls.get_mut(*variable) {
                (*pull, *count) = (*pull + times * middle, *count + times);
            }
        }
    }
    let wanted = |variable: usize| {
        let own = places.get(variable).map_or(0, |place| place * UNIT);
        pulls.get(variable).filter(|(_, count)| *count > 0).map_or(own, |(pull, count)| pull / count)
    };
    let mut sorted: Vec<usize> = (0..places.len()).collect();
    sorted.sort_by_key(|variable| (rank(*variable), wanted(*variable), places.get(*variable).copied()));
    let mut moved = vec![0; places.len()];
    for (place, variable) in sorted.into_iter().enumerate() {
        if let Some(entry) = moved.get_mut(variable) {
            *entry = place;
        }
    }
    moved
}
