//! Seeded policies, situations and standing objects: for properties, benches and the tests of other crates.

mod sized;

use std::collections::{BTreeMap, BTreeSet};

use writ_base::Moment;
use writ_model::class::CLASSES;
use writ_model::facts::{Found, Groups};
use writ_model::schema::{Dimension, Kind, Values};
use writ_model::standing::{
    Acknowledged, AcknowledgementId, ExceptionGrant, ExceptionId, POSTURE, Ring, RolloutEntry, RolloutId,
};
use writ_model::values::{
    Account, Activity, Category, Channel, Currency, Declared, Device, Identity, Origin, Severity, Signal, Status, Step,
    Unreadable, Who,
};
use writ_model::verdict::{Offer, Restore};
use writ_model::{Action, Band, Certainty, Effect, Facts, Level, Mode, Set, Term, Value};

use crate::rule::{ClassDefinition, ClauseModel, KeyTest, KeyValue, Keys, PolicyModel, Rule};

use super::{Exception, Standing};

pub use sized::{Size, cell_of, sized, tangled};

/// Numbers that a seed repeats (SplitMix64: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators").
#[derive(Clone, Debug)]
pub struct Seeded(u64);

impl Seeded {
    /// The numbers of a seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub const fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `end`; 0 if `end` is.
    pub fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.number() % end).unwrap_or(0)
    }

    /// True in so many of a hundred cases.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of these; the fallback if there are none.
    pub fn pick<T: Clone>(&mut self, items: &[T], fallback: T) -> T {
        let place = self.below(items.len());
        items.get(place).cloned().unwrap_or(fallback)
    }

    /// A value of a closed dimension.
    pub fn value<V: Value>(&mut self, fallback: V) -> V {
        self.pick(V::ALL, fallback)
    }
}

/// Names of an open dimension that generated policies and situations share; facts also use others.
fn names(dimension: Dimension) -> &'static [&'static str] {
    match dimension {
        Dimension::Entity => &["acme-ag", "acme-inc"],
        Dimension::Group => &["research", "legal", "pilot"],
        Dimension::Service => &["chatgpt", "claude", "translator"],
        Dimension::Tier => &["free", "team", "enterprise"],
        Dimension::PersonRegion | Dimension::ServiceRegion => &["eu", "us"],
        _ => &[],
    }
}

/// Clauses of generated policies.
const CLAUSES_OF_TESTS: usize = 5;

fn clause(number: usize) -> Term {
    Term::from(format!("clause-{number}"))
}

fn clauses(count: usize) -> Vec<ClauseModel> {
    let clause = |number: usize| ClauseModel {
        id: clause(number),
        number: format!("{}.{}", number / 10 + 1, number % 10 + 1),
        title: format!("Clause {number}"),
        mode: Mode::Enforced,
    };
    (0..count).map(clause).collect()
}

fn shipped() -> BTreeMap<Term, ClassDefinition> {
    CLASSES.iter().map(|class| (Term::fixed(class.name), ClassDefinition::from(class))).collect()
}

/// A rule that says nothing yet.
pub fn blank(clause: Term, number: u16) -> Rule {
    Rule {
        clause,
        number,
        keys: Keys::default(),
        unless: Vec::new(),
        then: Effect::Allow,
        redact: false,
        foresees: false,
        fail_closed: true,
        override_roles: BTreeSet::new(),
        offers: Vec::new(),
        severity: None,
        why: None,
        because: Vec::new(),
        restore: Restore::default(),
        ask_level: false,
        every_seconds: 86_400,
    }
}

/// A policy of the shape that real ones have, with so many rules: the larger half are cells of tables by class and
/// status, the others are rule blocks on who, service, account, signals, level and answers.
pub fn synthetic(rules: usize, seed: u64) -> PolicyModel {
    let mut random = Seeded::new(seed);
    let cells = rules * 3 / 5;
    let per_clause = 30;
    let mut model = PolicyModel {
        postures: [(Who::Employee, Effect::Coach)].into_iter().collect(),
        classes: shipped(),
        clauses: clauses(rules.div_ceil(per_clause)),
        rules: Vec::new(),
        assertions: Vec::new(),
        controls: Vec::new(),
    };
    for place in 0..rules {
        let number = u16::try_from(place % per_clause + 1).unwrap_or(1);
        let mut rule = blank(clause(place / per_clause), number);
        if place < cells {
            cell(&mut rule, place, &mut random)
        } else {
            block(&mut rule, &mut random)
        }
        model.rules.push(rule);
    }
    model
}

/// A cell of a table by class and status: stricter towards the services that nobody vetted.
fn cell(rule: &mut Rule, place: usize, random: &mut Seeded) {
    const STATUSES: [&[Status]; 4] = [
        &[Status::Approved],
        &[Status::Conditional],
        &[Status::InReview],
        &[Status::Discovered, Status::Requested, Status::Denied, Status::Retired],
    ];
    let column = place % STATUSES.len();
    let row = place / STATUSES.len() % (CLASSES.len() + 1);
    let statuses = STATUSES.get(column).copied().unwrap_or_default();
    let class = row.checked_sub(1).and_then(|row| CLASSES.get(row));
    let value = class.map_or(KeyValue::Plain, |class| any_amount(Term::fixed(class.name)));
    let mut tests = vec![
        KeyTest { dimension: Dimension::Data, not: false, values: vec![value] },
        closed(Dimension::Status, statuses),
    ];
    // Further rounds of the grid are tables for single services.
    if place >= STATUSES.len() * (CLASSES.len() + 1) {
        tests.push(KeyTest {
            dimension: Dimension::Service,
            not: false,
            values: vec![open(Dimension::Service, random)],
        });
    }
    rule.keys.tests = tests;
    rule.foresees = true;
    match (row, column) {
        (0, 0 | 1) => {}
        (0, 2) => rule.then = Effect::Coach,
        (_, 3) => rule.then = Effect::Block,
        (1.., 2) if random.chance(50) => rule.then = Effect::Block,
        _ => rule.redact = true,
    }
}

/// A rule block.
fn block(rule: &mut Rule, random: &mut Seeded) {
    let kind = random.below(6);
    let class = CLASSES.get(random.below(CLASSES.len())).map_or("pii", |class| class.name);
    let data = KeyTest { dimension: Dimension::Data, not: false, values: vec![any_amount(Term::fixed(class))] };
    rule.then = random.pick(&[Effect::Coach, Effect::Justify, Effect::Block], Effect::Block);
    rule.severity = Some(random.value(Severity::Minor));
    rule.keys.tests = match kind {
        0 => vec![data, KeyTest { dimension: Dimension::Cleared, not: false, values: vec![KeyValue::Closed(0)] }],
        1 => vec![closed(Dimension::Signal, &[random.value(Signal::Unusual)])],
        2 => vec![
            closed(Dimension::Who, &[random.value(Who::Contractor)]),
            closed(Dimension::Level, &[random.pick(&[Level::Internal, Level::Confidential], Level::Internal)]),
        ],
        3 => vec![
            KeyTest { dimension: Dimension::Service, not: false, values: vec![open(Dimension::Service, random)] },
            closed(Dimension::Account, &[Account::Personal]),
        ],
        4 => vec![data, closed(Dimension::Training, &[Currency::Overdue, Currency::None])],
        _ => {
            rule.redact = true;
            rule.then = Effect::Allow;
            vec![data, closed(Dimension::Action, &[Action::Receive])]
        }
    };
    if kind == 0 {
        rule.offers = vec![Offer::Redact, Offer::AskException];
    }
    if random.chance(20) {
        let group = KeyTest { dimension: Dimension::Group, not: false, values: vec![open(Dimension::Group, random)] };
        rule.unless.push(Keys { tests: vec![group] });
    }
}

fn any_amount(class: Term) -> KeyValue {
    KeyValue::Class { class, band: None, certainty: None }
}

fn closed<V: Value>(dimension: Dimension, values: &[V]) -> KeyTest {
    KeyTest { dimension, not: false, values: values.iter().map(|value| KeyValue::Closed(value.index())).collect() }
}

fn open(dimension: Dimension, random: &mut Seeded) -> KeyValue {
    KeyValue::Open(Term::fixed(random.pick(names(dimension), "unknown")))
}

/// A policy without sense, which uses every part of the language: up to so many rules.
pub fn arbitrary(random: &mut Seeded, rules: usize) -> PolicyModel {
    let mut classes = shipped();
    // Few classes, so that rules and situations meet.
    classes.retain(|name, _| CLASSES_OF_TESTS.contains(&name.as_str()));
    for class in classes.values_mut() {
        if random.chance(80) {
            continue;
        }
        *class = ClassDefinition { level: random.value(Level::Internal), few: 3, bulk: 5 };
    }
    let mut model = PolicyModel {
        postures: BTreeMap::new(),
        classes,
        clauses: clauses(CLAUSES_OF_TESTS),
        rules: Vec::new(),
        assertions: Vec::new(),
        controls: Vec::new(),
    };
    for who in Who::ALL {
        let posture = random.pick(Effect::ALL, Effect::Block);
        if random.chance(70) {
            model.postures.insert(*who, posture);
        }
    }
    for number in 1..=1 + random.below(rules) {
        model.rules.push(arbitrary_rule(random, u16::try_from(number).unwrap_or(u16::MAX)));
    }
    model
}

const CLASSES_OF_TESTS: &[&str] = &["contact", "credentials", "phi", "pii"];

/// A rule without sense.
pub fn arbitrary_rule(random: &mut Seeded, number: u16) -> Rule {
    let mut rule = blank(clause(random.below(CLAUSES_OF_TESTS)), number);
    rule.foresees = random.chance(50);
    rule.keys = arbitrary_keys(random, 35);
    match random.below(10) {
        0..=2 if rule.foresees => {}
        3 | 4 => rule.redact = true,
        _ => rule.then = random.pick(&[Effect::Coach, Effect::Justify, Effect::Block], Effect::Block),
    }
    if rule.raises() && random.chance(30) {
        for _ in 0..1 + random.below(2) {
            let mut keys = arbitrary_keys(random, 60);
            keys.tests.truncate(3);
            rule.unless.push(keys);
        }
    }
    rule.fail_closed = random.chance(70);
    rule.ask_level = random.chance(5);
    rule.severity = random.chance(50).then(|| random.value(Severity::Minor));
    rule.restore = random.pick(&[Restore::Text, Restore::Tools], Restore::Text);
    for role in ["dpo", "manager"] {
        if random.chance(30) {
            rule.override_roles.insert(Term::fixed(role));
        }
    }
    let offers =
        [Offer::Redact, Offer::Redirect(Term::fixed("claude")), Offer::AskException, Offer::AskVetting, Offer::Object];
    rule.offers = offers.into_iter().filter(|_| random.chance(25)).collect();
    rule
}

/// Keys without sense; `data` is among them in so many of a hundred cases, each other key in a few.
pub fn arbitrary_keys(random: &mut Seeded, data_percent: usize) -> Keys {
    let mut tests = Vec::new();
    for dimension in Dimension::ALL.iter().copied() {
        let percent = match dimension {
            Dimension::Data => data_percent,
            Dimension::Cleared => 12,
            Dimension::Action => 15,
            Dimension::Status | Dimension::Level | Dimension::Signal => 14,
            Dimension::Who | Dimension::Group | Dimension::Service => 10,
            _ => 3,
        };
        if random.chance(percent) {
            tests.push(arbitrary_key(random, dimension));
        }
        if dimension == Dimension::Data && random.chance(4) {
            let values = arbitrary_values(random, dimension);
            tests.retain(|test: &KeyTest| test.dimension != Dimension::Data || !test.not);
            tests.push(KeyTest { dimension, not: true, values });
        }
    }
    Keys { tests }
}

fn arbitrary_key(random: &mut Seeded, dimension: Dimension) -> KeyTest {
    let not = dimension != Dimension::Cleared && random.chance(20);
    KeyTest { dimension, not, values: arbitrary_values(random, dimension) }
}

fn arbitrary_values(random: &mut Seeded, dimension: Dimension) -> Vec<KeyValue> {
    let mut values = Vec::new();
    for _ in 0..1 + random.below(3) {
        let value = match dimension.spec().values {
            _ if dimension.spec().kind == Kind::Classes => arbitrary_class(random),
            Values::Open(_) if random.chance(10) => KeyValue::Open(Term::UNKNOWN),
            Values::Open(_) => open(dimension, random),
            Values::Closed(list) => KeyValue::Closed(u8::try_from(random.below(list.len())).unwrap_or(0)),
        };
        if !values.contains(&value) {
            values.push(value);
        }
    }
    values
}

fn arbitrary_class(random: &mut Seeded) -> KeyValue {
    match random.below(10) {
        0 | 1 => KeyValue::Plain,
        2 => KeyValue::AnyClass,
        _ => KeyValue::Class {
            class: Term::fixed(random.pick(CLASSES_OF_TESTS, "pii")),
            band: random.chance(40).then(|| random.value(Band::One)),
            certainty: random
                .chance(30)
                .then(|| random.pick(&[Certainty::Likely, Certainty::Certain], Certainty::Likely)),
        },
    }
}

/// A complete situation, in which what generated policies name is common.
pub fn situation(random: &mut Seeded) -> Facts {
    let mut data: BTreeMap<Term, Found> = BTreeMap::new();
    for class in CLASSES_OF_TESTS.iter().chain(&["unheard-of"]) {
        if random.chance(35) {
            let likely = random.pick(&[0, 1, 1, 2, 4, 12], 1);
            let certain = if random.chance(50) { random.pick(&[1, 2, 4, 12], 1).min(likely) } else { 0 };
            data.insert(Term::fixed(class), Found { likely, certain });
        }
    }
    let classes: Vec<Term> = data.keys().cloned().collect();
    let some = |random: &mut Seeded, percent| -> BTreeSet<Term> {
        classes.iter().filter(|_| random.chance(percent)).cloned().collect()
    };
    let cleared = some(random, 50);
    let unredactable = some(random, 8);
    let acknowledged = if random.chance(40) { acknowledgements(random, &classes) } else { Vec::new() };
    let action = if random.chance(60) { Action::Submit } else { random.value(Action::Submit) };
    Facts {
        who: random.value(Who::Employee).into(),
        identity: random.value(Identity::Strong).into(),
        entity: term(random, Dimension::Entity).into(),
        group: groups(random).into(),
        action: action.into(),
        service: term(random, Dimension::Service).into(),
        category: random.value(Category::Other).into(),
        tier: term(random, Dimension::Tier).into(),
        status: random.value(Status::Approved).into(),
        account: random.value(Account::Corporate).into(),
        data: data.into(),
        cleared: cleared.into(),
        level: random.value(Level::Unstated).into(),
        declared: random.value(Declared::NotAsked).into(),
        origin: random.value(Origin::Unknown).into(),
        activity: set(random, Activity::Else, 10).into(),
        channel: random.value(Channel::Api).into(),
        device: random.value(Device::Managed).into(),
        person_region: term(random, Dimension::PersonRegion).into(),
        service_region: term(random, Dimension::ServiceRegion).into(),
        training: random.value(Currency::Current).into(),
        attestation: random.value(Currency::Current).into(),
        signal: set(random, Signal::Unusual, 5).into(),
        unreadable: if random.chance(15) { set(random, Unreadable::Error, 40) } else { Set::EMPTY }.into(),
        unredactable,
        acknowledged,
        share: u16::try_from(random.below(10_000)).unwrap_or(0),
        decided_at: Moment::from_seconds(1_000 + i64::try_from(random.below(1_000)).unwrap_or(0)),
    }
}

fn term(random: &mut Seeded, dimension: Dimension) -> Term {
    match random.below(10) {
        0 => Term::UNKNOWN,
        1 => Term::fixed("elsewhere"),
        _ => Term::fixed(random.pick(names(dimension), "elsewhere")),
    }
}

fn groups(random: &mut Seeded) -> Groups {
    if random.chance(10) {
        return Groups::Unknown(Term::UNKNOWN);
    }
    let known = names(Dimension::Group).iter().chain(&["elsewhere"]).filter(|_| random.chance(35));
    let mut groups: BTreeSet<Term> = known.map(|name| Term::fixed(name)).collect();
    if random.chance(3) {
        groups.insert(Term::UNKNOWN);
    }
    Groups::Known(groups)
}

fn set<V: Value>(random: &mut Seeded, fallback: V, percent: usize) -> Set<V> {
    let mut set: Set<V> = V::ALL.iter().copied().filter(|_| random.chance(percent)).collect();
    if random.chance(percent) {
        set.insert(fallback);
    }
    set
}

fn acknowledgements(random: &mut Seeded, classes: &[Term]) -> Vec<Acknowledged> {
    let one = |random: &mut Seeded| Acknowledged {
        id: AcknowledgementId::from_bytes(identity(random)),
        clause: clause(random.below(CLAUSES_OF_TESTS)),
        classes: classes.iter().filter(|_| random.chance(80)).cloned().collect(),
        until: Moment::from_seconds(800 + i64::try_from(random.below(2_000)).unwrap_or(0)),
    };
    (0..1 + random.below(3)).map(|_| one(random)).collect()
}

fn identity(random: &mut Seeded) -> [u8; 16] {
    let (high, low) = (random.number(), random.number());
    (u128::from(high) << 64 | u128::from(low)).to_be_bytes()
}

/// Exceptions and a roll-out without sense. The exceptions' keys are resolved and may reach beyond their clause, which
/// objects of [`super::Policy::with_standing`] cannot.
pub fn arbitrary_standing(random: &mut Seeded) -> Standing {
    let exceptions = if random.chance(40) { 1 + random.below(2) } else { 0 };
    let entries = if random.chance(50) { 1 + random.below(5) } else { 0 };
    let mut standing = Standing::default();
    for _ in 0..exceptions {
        let (from, until) = window(random);
        let grant = ExceptionGrant {
            id: ExceptionId::from_bytes(identity(random)),
            clause: clause(random.below(CLAUSES_OF_TESTS)),
            keys: BTreeMap::new(),
            owner: "owner".to_owned(),
            reason: "reason".to_owned(),
            compensating_control: "control".to_owned(),
            approved_by: "deputy".to_owned(),
            from,
            until,
        };
        let mut keys = arbitrary_keys(random, 40);
        keys.tests.truncate(random.below(4));
        standing.exceptions.push(Exception { grant, keys });
    }
    for _ in 0..entries {
        standing.rollout.push(rollout_entry(random));
    }
    standing.exceptions.sort_by_key(|exception| exception.grant.id);
    standing.rollout.sort_by_key(|entry| entry.id);
    standing
}

fn rollout_entry(random: &mut Seeded) -> RolloutEntry {
    let clause = if random.chance(25) { POSTURE } else { clause(random.below(CLAUSES_OF_TESTS)) };
    let ring = match random.below(4) {
        0 | 1 => Ring::Everyone,
        2 => Ring::Share(u16::try_from(random.below(10_000)).unwrap_or(0)),
        _ => Ring::Group(Term::fixed(random.pick(names(Dimension::Group), "pilot"))),
    };
    let (from, until) = window(random);
    RolloutEntry {
        id: RolloutId::from_bytes(identity(random)),
        clause,
        ring,
        step: random.value(Step::Observe),
        from,
        until,
        approved_by: "deputy".to_owned(),
    }
}

fn window(random: &mut Seeded) -> (Moment, Moment) {
    let from = i64::try_from(random.below(1_400)).unwrap_or(0);
    let length = i64::try_from(random.below(2_000)).unwrap_or(0);
    (Moment::from_seconds(from), Moment::from_seconds(from + length))
}

/// A situation in bits, ready to be evaluated: what is left of a decision when facts are read and verdicts are not built.
#[derive(Clone, Debug)]
pub struct Lowered<'a>(super::situation::Situation<'a>);

impl super::Policy {
    /// Reads facts into bits, for measurements.
    pub fn lowered<'a>(&self, facts: &'a Facts) -> Lowered<'a> {
        Lowered(super::situation::Situation::of(&self.layout, facts))
    }

    /// Evaluates the rows alone, for measurements: how many rules apply, and whether rows foresee all that was found.
    pub fn rows_alone(&self, lowered: &Lowered<'_>) -> (usize, bool) {
        let (demanding, relaxing) = (lowered.0.certain(), lowered.0.possible());
        let (hits, _) = self.hits(demanding, relaxing);
        let open = self.uncovered(demanding, relaxing);
        (hits.len(), self.fixed.data_words.clone().all(|word| open.word(word) == 0))
    }
}
