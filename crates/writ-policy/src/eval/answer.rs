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
    /// The classes of which a rule in force may redact what it finds, or cut the answer: text in which one of them may
    /// have begun is held back. Nothing is held back where rules only record or note.
    pub held: Option<ClassesToScan>,
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
        let mut scan = AnswerScan { classes: ClassesToScan::default(), dimensions: BTreeSet::new(), held: None };
        for rule in rules {
            let entries = self.rollout.get(&rule.clause).map_or(&[][..], Vec::as_slice);
            let enforced = standing::step(entries, &facts).1 == Step::Enforce;
            let classes = scan.classes_of(rule);
            if enforced && (rule.redact || rule.then >= Effect::Justify) {
                scan.held.get_or_insert_default().extend(&classes);
            }
            scan.classes.extend(&classes);
        }
        AnswerDuty::Scan(scan)
    }
}

impl AnswerScan {
    /// The classes that a rule asks; adds the other dimensions that it does.
    fn classes_of(&mut self, rule: &Rule) -> ClassesToScan {
        let mut classes = ClassesToScan::default();
        let keys = rule.keys.tests.iter().chain(rule.unless.iter().flat_map(|set| &set.tests));
        for key in keys.filter(|key| key.dimension.spec().stage == Stage::Body) {
            match key.dimension {
                Dimension::Action => {}
                Dimension::Data if key.values.contains(&KeyValue::AnyClass) => classes = ClassesToScan::All,
                Dimension::Data => classes.name(key.values.iter().filter_map(layout::class_of)),
                Dimension::Cleared if rule.keys.on(Dimension::Data).is_some() => {}
                // The level of the content is the highest of the classes found, and clearance is asked of each class.
                Dimension::Level | Dimension::Cleared => {
                    classes = ClassesToScan::All;
                    self.dimensions.insert(key.dimension);
                }
                other => {
                    self.dimensions.insert(other);
                }
            }
        }
        // A standing carve-out for data applies where nothing outside it was found: everything must be looked for.
        if rule.unless.iter().any(|set| set.on(Dimension::Data).is_some() || set.on(Dimension::Cleared).is_some()) {
            classes = ClassesToScan::All;
        }
        classes
    }
}

impl ClassesToScan {
    /// Whether this class is among them.
    pub fn contains(&self, class: &Term) -> bool {
        match self {
            Self::All => true,
            Self::Named(named) => named.contains(class),
        }
    }

    fn name<'a>(&mut self, classes: impl Iterator<Item = &'a Term>) {
        if let Self::Named(named) = self {
            named.extend(classes.cloned());
        }
    }

    fn extend(&mut self, other: &Self) {
        match other {
            Self::All => *self = Self::All,
            Self::Named(named) => self.name(named.iter()),
        }
    }
}

impl Default for ClassesToScan {
    /// None.
    fn default() -> Self {
        Self::Named(BTreeSet::new())
    }
}
