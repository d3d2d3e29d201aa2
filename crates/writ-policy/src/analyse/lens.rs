//! A lens: variants of a policy's rules, drawn over the same space, to see what a part of a rule does.

use std::collections::BTreeSet;

use writ_base::ContentHash;
use writ_model::Effect;
use writ_model::schema::Dimension;

use crate::check::OpenTable;
use crate::diagram::TooLarge;
use crate::eval::Policy;
use crate::rule::{KeyValue, Keys, PolicyModel, Rule};

/// Variants of rules as a policy of their own, which decides nothing.
pub(super) struct Lens {
    /// The policy of the variants.
    pub(super) policy: Policy,
    /// What stands for each rule of the original, in its order.
    pub(super) variants: Vec<Variants>,
    /// For each table that leaves something out, and each value that it leaves out, the rules that its cells would be.
    pub(super) left_out: Vec<Vec<LeftOut>>,
}

/// What a table would say about a value that it leaves out, as rules.
pub(super) struct LeftOut {
    pub(super) value: KeyValue,
    /// Their places in the lens.
    pub(super) cells: Vec<usize>,
}

/// Places of variants of one rule in the lens.
#[derive(Clone, Debug, Default)]
pub(super) struct Variants {
    /// Without any `unless`; only for rules that have some.
    pub(super) bare: Option<usize>,
    /// Without one of several sets of `unless`, by the set.
    pub(super) without: Vec<usize>,
    /// What a rule that only allows names as present: its classes, signals and actions.
    pub(super) named: Option<usize>,
}

impl Lens {
    /// The lens for all rules of a policy, and for what its tables leave out.
    pub(super) fn of(policy: &Policy, tables: &[OpenTable]) -> Result<Self, TooLarge> {
        let mut rules = Vec::new();
        let variants = policy.model().rules.iter().map(|rule| variants(rule, &mut rules)).collect();
        let left_out = tables.iter().map(|table| {
            let cells = policy.model().rules.get(table.rules.clone()).unwrap_or_default();
            let values = table.missing.iter();
            values.map(|value| left_out(table.dimension, value, cells, &mut rules)).collect()
        });
        let left_out = left_out.collect();
        Ok(Self { policy: of_rules(policy.model(), rules)?, variants, left_out })
    }
}

/// The cells of a table with a value in the place of those that they have on a dimension.
fn left_out(dimension: Dimension, value: &KeyValue, cells: &[Rule], rules: &mut Vec<Rule>) -> LeftOut {
    let first = rules.len();
    let labels = cells.iter().filter_map(|cell| cell.keys.on(dimension)).flat_map(|test| &test.values);
    let labels: BTreeSet<KeyValue> = labels.cloned().collect();
    let (not, values) =
        if *value == OpenTable::OTHER { (true, labels.into_iter().collect()) } else { (false, vec![value.clone()]) };
    for cell in cells {
        let mut keys = cell.keys.clone();
        for test in keys.tests.iter_mut().filter(|test| test.dimension == dimension) {
            (test.not, test.values) = (not, values.clone());
        }
        if !rules.iter().skip(first).any(|rule| rule.keys == keys) {
            rules.push(Rule {
                keys,
                unless: Vec::new(),
                then: Effect::Block,
                foresees: false,
                redact: false,
                ..cell.clone()
            });
        }
    }
    LeftOut { value: value.clone(), cells: (first..rules.len()).collect() }
}

/// A policy that has only these rules, with the classes of another one.
pub(super) fn of_rules(model: &PolicyModel, rules: Vec<Rule>) -> Result<Policy, TooLarge> {
    let clause = rules.first().map(|rule| rule.clause.clone());
    let model = PolicyModel { rules, clauses: Vec::new(), assertions: Vec::new(), ..model.clone() };
    // The variants have no more rows than the rules they come from.
    Policy::compile(model, ContentHash::default()).map_err(|_| TooLarge::of(clause))
}

fn variants(rule: &Rule, rules: &mut Vec<Rule>) -> Variants {
    let mut add = |rule: Rule| {
        rules.push(rule);
        rules.len() - 1
    };
    let mut variants = Variants::default();
    if !rule.raises() {
        variants.named =
            Some(add(Rule { keys: named(&rule.keys), then: Effect::Block, foresees: false, ..rule.clone() }));
    }
    if !rule.unless.is_empty() {
        variants.bare = Some(add(Rule { unless: Vec::new(), ..rule.clone() }));
    }
    if rule.unless.len() > 1 {
        for left_out in 0..rule.unless.len() {
            let others = rule.unless.iter().enumerate().filter(|(place, _)| *place != left_out);
            let unless = others.map(|(_, keys)| keys.clone()).collect();
            variants.without.push(add(Rule { unless, ..rule.clone() }));
        }
    }
    variants
}

/// The keys whose values must be present, in any amount.
fn named(keys: &Keys) -> Keys {
    const PRESENT: &[Dimension] = &[
        Dimension::Action,
        Dimension::Data,
        Dimension::Cleared,
        Dimension::Signal,
        Dimension::Activity,
        Dimension::Unreadable,
    ];
    let mut tests: Vec<_> = keys.tests.iter().filter(|test| PRESENT.contains(&test.dimension)).cloned().collect();
    for value in tests.iter_mut().filter(|test| !test.not).flat_map(|test| &mut test.values) {
        if let KeyValue::Class { band, certainty, .. } = value {
            (*band, *certainty) = (None, None);
        }
    }
    Keys { tests }
}
