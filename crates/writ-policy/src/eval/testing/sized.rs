//! Policies of any size: how proofs grow with rules, classes and groups.

use writ_model::class::CLASSES;
use writ_model::schema::Dimension;
use writ_model::values::{Account, Currency, Signal, Status, Who};
use writ_model::{Action, Effect, Level, Term};

use crate::rule::{ClassDefinition, KeyTest, KeyValue, Keys, PolicyModel, Rule};

use super::{Seeded, any_amount, blank, clause, clauses, closed, synthetic};

/// How large a policy is.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Rules.
    pub rules: usize,
    /// Classes of data, those that Writ defines first.
    pub classes: usize,
    /// Groups of people.
    pub groups: usize,
}

/// Services that policies of any size name.
const SERVICES: usize = 20;

/// A policy whose proof explodes: a small first clause, and one in which each of many groups is blocked from classes that
/// it shares with others at random, so that no order of questions forgets what was asked.
pub fn tangled(groups: usize, seed: u64) -> PolicyModel {
    let mut draft = Draft { size: Size { rules: 0, classes: groups, groups }, random: Seeded::new(seed) };
    let mut model = sized(draft.size, seed);
    model.clauses = clauses(2);
    let mut small = blank(clause(0), 1);
    (small.keys.tests, small.then) = (vec![closed(Dimension::Who, &[Who::Contractor])], Effect::Block);
    model.rules.push(small);
    for number in 0..groups * 3 {
        let mut rule = blank(clause(1), u16::try_from(number + 1).unwrap_or(u16::MAX));
        rule.keys.tests = vec![named(Dimension::Group, format!("group-{}", number % groups)), draft.data()];
        rule.then = Effect::Block;
        model.rules.push(rule);
    }
    model
}

/// Rules of one clause.
const PER_CLAUSE: usize = 30;

/// A policy of the shape that real ones have: the larger half are cells of tables by class and status, first for all
/// services, then for single ones. Of the others each third one says what a group may or must not do, mostly with a class
/// that is its own; the rest are on clearance, signals, who and level, accounts, training and answers.
pub fn sized(size: Size, seed: u64) -> PolicyModel {
    let mut draft = Draft { size, random: Seeded::new(seed) };
    let mut model = synthetic(0, seed);
    let shipped = model.classes.clone();
    let of = |name: &Term| shipped.get(name).cloned().unwrap_or(OWN);
    model.classes = (0..size.classes).map(class).map(|name| (name.clone(), of(&name))).collect();
    model.clauses = clauses(size.rules.div_ceil(PER_CLAUSE));
    for place in 0..size.rules {
        let number = u16::try_from(place % PER_CLAUSE + 1).unwrap_or(1);
        let mut rule = blank(clause(place / PER_CLAUSE), number);
        draft.rule(&mut rule, place);
        model.rules.push(rule);
    }
    model
}

/// A class of the organisation's own.
const OWN: ClassDefinition = ClassDefinition { level: Level::Confidential, few: 2, bulk: 10 };

fn class(place: usize) -> Term {
    CLASSES.get(place).map_or_else(|| Term::from(format!("class-{place}")), |class| Term::fixed(class.name))
}

fn data(place: usize) -> KeyTest {
    KeyTest { dimension: Dimension::Data, not: false, values: vec![any_amount(class(place))] }
}

fn named(dimension: Dimension, name: String) -> KeyTest {
    KeyTest { dimension, not: false, values: vec![KeyValue::Open(Term::from(name))] }
}

/// Whether a rule of a policy with so many is a cell of a table.
pub fn cell_of(place: usize, rules: usize) -> bool {
    place < rules * 3 / 5
}

struct Draft {
    size: Size,
    random: Seeded,
}

impl Draft {
    fn rule(&mut self, rule: &mut Rule, place: usize) {
        match place % 3 {
            _ if cell_of(place, self.size.rules) => self.cell(rule, place),
            0 if self.size.groups > 0 => self.group(rule, place / 3 % self.size.groups),
            _ => self.block(rule),
        }
    }

    fn service(&mut self) -> KeyTest {
        named(Dimension::Service, format!("service-{}", self.random.below(SERVICES)))
    }

    /// A class of data, each as often as any other.
    fn data(&mut self) -> KeyTest {
        data(self.random.below(self.size.classes))
    }

    /// A cell: stricter towards the services that nobody vetted.
    fn cell(&mut self, rule: &mut Rule, place: usize) {
        let columns: [&[Status]; 4] = [
            &[Status::Approved],
            &[Status::Conditional],
            &[Status::InReview],
            &[Status::Discovered, Status::Requested, Status::Denied, Status::Retired],
        ];
        let (column, row) = (place % columns.len(), place / columns.len() % (self.size.classes + 1));
        let plain = KeyTest { dimension: Dimension::Data, not: false, values: vec![KeyValue::Plain] };
        let found = row.checked_sub(1).map_or(plain, data);
        rule.keys.tests = vec![found, closed(Dimension::Status, columns.get(column).copied().unwrap_or_default())];
        if place / columns.len() > self.size.classes {
            rule.keys.tests.push(self.service());
        }
        rule.foresees = true;
        match (row, column) {
            (0, 0 | 1) => {}
            (0, 2) => rule.then = Effect::Coach,
            (_, 3) => rule.then = Effect::Block,
            (_, 2) if self.random.chance(50) => rule.then = Effect::Block,
            _ => rule.redact = true,
        }
    }

    /// What a group may or must not do.
    fn group(&mut self, rule: &mut Rule, group: usize) {
        let member = named(Dimension::Group, format!("group-{group}"));
        let own = if self.random.chance(70) { data(group % self.size.classes.max(1)) } else { self.data() };
        match self.random.below(3) {
            0 => {
                rule.keys.tests = vec![member, own];
                rule.foresees = true;
            }
            1 => {
                rule.keys.tests = vec![own];
                rule.unless.push(Keys { tests: vec![member] });
                rule.then = self.raised();
            }
            _ => {
                rule.keys.tests = vec![member, own];
                rule.then = self.raised();
            }
        }
    }

    fn raised(&mut self) -> Effect {
        self.random.pick(&[Effect::Coach, Effect::Justify, Effect::Block], Effect::Block)
    }

    /// A rule on anything else.
    fn block(&mut self, rule: &mut Rule) {
        rule.then = self.raised();
        rule.keys.tests = match self.random.below(6) {
            0 => vec![
                self.data(),
                KeyTest { dimension: Dimension::Cleared, not: false, values: vec![KeyValue::Closed(0)] },
            ],
            1 => vec![closed(Dimension::Signal, &[self.random.value(Signal::Unusual)])],
            2 => vec![
                closed(Dimension::Who, &[self.random.value(Who::Contractor)]),
                closed(Dimension::Level, &[self.random.pick(&[Level::Internal, Level::Confidential], Level::Internal)]),
            ],
            3 => vec![self.service(), closed(Dimension::Account, &[Account::Personal])],
            4 => vec![self.data(), closed(Dimension::Training, &[Currency::Overdue, Currency::None])],
            _ => {
                rule.redact = true;
                rule.then = Effect::Allow;
                vec![self.data(), closed(Dimension::Action, &[Action::Receive])]
            }
        };
    }
}
