//! Whether an answer has to be looked at, and for what.

use std::collections::BTreeSet;

use writ_model::schema::{Dimension, Stage};
use writ_model::values::Step;
use writ_model::{Action, Effect, Fact, Facts, Term};

use crate::rule::{KeyValue, Rule};

use super::rows::all_hold;
use super::situation::Situation;
use super::{Policy, layout, standing};

/// What answers in a situation need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnswerDuty {
    /// No rule that names `receive` or `tool-result` can apply: answers stream unread.
    None,
    /// Some rule can apply.
    Scan(AnswerScan),
}

/// For what an answer is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerScan {
    /// Classes to look for.
    pub classes: ClassesToScan,
    /// Dimensions beside `data` and `cleared` that settle with the body and that a rule asks: `signal`, `level` ...
    pub dimensions: BTreeSet<Dimension>,
    /// Whether a rule in force may redact or cut: bytes are held back until the window has been read. Otherwise they
    /// are only recorded or noted.
    pub hold_back: bool,
}

/// Classes to look for in an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClassesToScan {
    /// Every class.
    All,
    /// These.
    Named(BTreeSet<Term>),
}

impl Policy {
    /// Whether a rule that names `receive` or `tool-result` can apply to an answer in this situation, whatever the
    /// answer holds. What `facts` say about the prompt's content does not count.
    pub fn could_redact_or_raise_answers(&self, facts: &Facts) -> AnswerDuty {
        let facts = Facts {
            data: Fact::Pending,
            level: Fact::Pending,
            declared: Fact::Pending,
            origin: Fact::Pending,
            activity: Fact::Pending,
            signal: Fact::Pending,
            unreadable: Fact::Pending,
            ..facts.clone()
        };
        let answers = [Action::Receive, Action::ToolResult];
        let situation = Situation::of(&self.layout, &facts).with_actions(&self.layout, &answers);
        let may = situation.possible();
        let rows = self.rows.raise.iter().chain(&self.rows.failure).filter(|row| all_hold(&row.tests, may));
        let places: BTreeSet<u32> = rows.map(|row| row.rule).collect();
        let rules: Vec<&Rule> = places.into_iter().filter_map(|place| self.rule_at(place)).collect();
        if rules.is_empty() {
            return AnswerDuty::None;
        }
        let mut scan = AnswerScan {
            classes: ClassesToScan::Named(BTreeSet::new()),
            dimensions: BTreeSet::new(),
            hold_back: false,
        };
        for rule in rules {
            let entries = self.rollout.get(&rule.clause).map_or(&[][..], Vec::as_slice);
            let enforced = standing::step(entries, &facts).1 == Step::Enforce;
            scan.hold_back |= enforced && (rule.redact || rule.then >= Effect::Justify);
            scan.add(rule);
        }
        AnswerDuty::Scan(scan)
    }
}

impl AnswerScan {
    /// Adds what a rule asks.
    fn add(&mut self, rule: &Rule) {
        let keys = rule.keys.tests.iter().chain(rule.unless.iter().flat_map(|set| &set.tests));
        for key in keys.filter(|key| key.dimension.spec().stage == Stage::Body) {
            match key.dimension {
                Dimension::Action => {}
                Dimension::Data if key.values.contains(&KeyValue::AnyClass) => self.classes = ClassesToScan::All,
                Dimension::Data => self.name(key.values.iter().filter_map(layout::class_of)),
                Dimension::Cleared if rule.keys.on(Dimension::Data).is_some() => {}
                // The level of the content is the highest of the classes found, and clearance is asked of each class.
                Dimension::Level | Dimension::Cleared => {
                    self.classes = ClassesToScan::All;
                    self.dimensions.insert(key.dimension);
                }
                other => {
                    self.dimensions.insert(other);
                }
            }
        }
        // A standing carve-out for data applies where nothing outside it was found: everything must be looked for.
        if rule.unless.iter().any(|set| set.on(Dimension::Data).is_some() || set.on(Dimension::Cleared).is_some()) {
            self.classes = ClassesToScan::All;
        }
    }

    fn name<'a>(&mut self, classes: impl Iterator<Item = &'a Term>) {
        if let ClassesToScan::Named(named) = &mut self.classes {
            named.extend(classes.cloned());
        }
    }
}
