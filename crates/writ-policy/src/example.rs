//! Examples: texts that a rule applies to or not, for the reader and as tests.

use std::collections::{BTreeMap, BTreeSet};

use writ_model::facts::{Fact, Groups};
use writ_model::schema::{Kind, Unknown, Values};
use writ_model::values::Value;
use writ_model::{Dimension, Facts, Term};

use crate::check::keys;
use crate::diagnostic::{Code, Problems};
use crate::document::source::{Piece, Span};
use crate::rule::{KeyTest, KeyValue, Keys, Rule};
use crate::words::Vocabulary;

/// An example of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// The clause.
    pub clause: Term,
    /// The number of the rule within the clause.
    pub rule: u16,
    /// The rule's place in [`crate::PolicyModel::rules`].
    pub rule_index: usize,
    /// What it claims.
    pub kind: ExampleKind,
    /// The text.
    pub text: String,
    /// Where it stands.
    pub span: Span,
    /// What the example says about its situation.
    pub stated: Situation,
    /// A witness of the rule's own keys, except those that are read from the text.
    pub witness: Situation,
    /// What the front matter says about examples.
    pub default: Situation,
}

/// What an example claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ExampleKind {
    /// The rule applies.
    Violates,
    /// The rule does not apply.
    Complies,
}

impl ExampleKind {
    /// The key in rule blocks.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Violates => "violates",
            Self::Complies => "complies",
        }
    }
}

/// The facts of an example, except what is read from its text: `data`, `level`, `activity` and `signal` are pending.
///
/// The example's own words count most, then the rule's keys, then the front matter, then [`Facts::completed`]. Category,
/// tier and region of the front matter's service are left out where the example or its rule names another service.
pub fn example_facts(example: &Example) -> Facts {
    let mut facts = Facts::default();
    example.stated.fill(&mut facts, |_| true);
    example.witness.fill(&mut facts, |_| true);
    // What the front matter says about its service is not true of another one.
    let service = facts.service.known().cloned().map(Given::Open);
    let usual = example.default.values.get(&Dimension::Service);
    let other = usual.zip(service.as_ref()).is_some_and(|(usual, service)| usual != service);
    example.default.fill(&mut facts, |dimension| !(other && OF_THE_SERVICE.contains(&dimension)));
    let mut facts = facts.completed();
    facts.data = Fact::Pending;
    facts.level = Fact::Pending;
    facts.activity = Fact::Pending;
    facts.signal = Fact::Pending;
    facts
}

/// Judges an example, given whether its rule applies to its text and facts.
///
/// # Errors
/// If the rule does not do what the example claims.
pub fn judge(example: &Example, applies: bool) -> Result<(), ExampleFailed> {
    let claimed = example.kind == ExampleKind::Violates;
    if applies == claimed {
        return Ok(());
    }
    Err(ExampleFailed { clause: example.clause.clone(), rule: example.rule, kind: example.kind, span: example.span })
}

/// An example that contradicts its rule. The text is not repeated: its place is enough.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("rule {rule} of clause `{clause}` {} this example of `{}`", self.does(), self.kind.as_str())]
pub struct ExampleFailed {
    clause: Term,
    rule: u16,
    kind: ExampleKind,
    span: Span,
}

impl ExampleFailed {
    /// Where the example stands.
    pub const fn span(&self) -> Span {
        self.span
    }

    const fn does(&self) -> &'static str {
        match self.kind {
            ExampleKind::Violates => "does not apply to",
            ExampleKind::Complies => "applies to",
        }
    }
}

/// Some facts of a situation.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Situation {
    /// By dimension.
    pub values: BTreeMap<Dimension, Given>,
}

/// A fact of a situation, in the form that its dimension has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Given {
    /// One closed value, by its index in the schema.
    Closed(u8),
    /// One open value.
    Open(Term),
    /// Closed values, by their indexes.
    ClosedSet(BTreeSet<u8>),
    /// Open values.
    OpenSet(BTreeSet<Term>),
}

/// Dimensions that are read from the text of an example.
pub(crate) const FROM_TEXT: &[Dimension] = &[Dimension::Data, Dimension::Level, Dimension::Activity, Dimension::Signal];

/// Dimensions that are properties of one service.
const OF_THE_SERVICE: &[Dimension] = &[Dimension::Category, Dimension::Tier, Dimension::ServiceRegion];

impl Situation {
    /// The facts as an example states them: `who contractor, status denied`.
    pub fn words(&self) -> String {
        let facts = self.values.iter().flat_map(|(dimension, given)| {
            let names: Vec<String> = match given {
                Given::Closed(index) => vec![dimension.value_name(*index).to_owned()],
                Given::Open(name) => vec![name.to_string()],
                Given::ClosedSet(indexes) => {
                    indexes.iter().map(|index| dimension.value_name(*index).to_owned()).collect()
                }
                Given::OpenSet(names) => names.iter().map(ToString::to_string).collect(),
            };
            names.into_iter().map(move |name| format!("{} {name}", dimension.key()))
        });
        facts.collect::<Vec<_>>().join(", ")
    }

    /// Fills dimensions that are pending.
    fn fill(&self, facts: &mut Facts, wanted: impl Fn(Dimension) -> bool) {
        for (dimension, given) in &self.values {
            if facts.pending(*dimension) && wanted(*dimension) {
                set(facts, *dimension, given);
            }
        }
    }
}

fn set(facts: &mut Facts, dimension: Dimension, given: &Given) {
    match dimension {
        Dimension::Who => closed(&mut facts.who, given),
        Dimension::Identity => closed(&mut facts.identity, given),
        Dimension::Entity => open(&mut facts.entity, given),
        Dimension::Group => {
            if let Given::OpenSet(names) = given {
                facts.group = Fact::Known(Groups::Known(names.clone()));
            }
        }
        Dimension::Action => closed(&mut facts.action, given),
        Dimension::Service => open(&mut facts.service, given),
        Dimension::Category => closed(&mut facts.category, given),
        Dimension::Tier => open(&mut facts.tier, given),
        Dimension::Status => closed(&mut facts.status, given),
        Dimension::Account => closed(&mut facts.account, given),
        Dimension::Cleared => {
            if let Given::OpenSet(classes) = given {
                facts.cleared = Fact::Known(classes.clone());
            }
        }
        Dimension::Declared => closed(&mut facts.declared, given),
        Dimension::Origin => closed(&mut facts.origin, given),
        Dimension::Channel => closed(&mut facts.channel, given),
        Dimension::Device => closed(&mut facts.device, given),
        Dimension::PersonRegion => open(&mut facts.person_region, given),
        Dimension::ServiceRegion => open(&mut facts.service_region, given),
        Dimension::Training => closed(&mut facts.training, given),
        Dimension::Attestation => closed(&mut facts.attestation, given),
        Dimension::Unreadable => {
            if let Given::ClosedSet(indexes) = given {
                let values = indexes.iter().filter_map(|index| Value::ALL.get(usize::from(*index)).copied());
                facts.unreadable = Fact::Known(values.collect());
            }
        }
        Dimension::Data | Dimension::Level | Dimension::Activity | Dimension::Signal => {}
    }
}

fn closed<T: Value>(fact: &mut Fact<T>, given: &Given) {
    if let Given::Closed(index) = given
        && let Some(value) = T::ALL.get(usize::from(*index))
    {
        *fact = Fact::Known(*value);
    }
}

fn open(fact: &mut Fact<Term>, given: &Given) {
    if let Given::Open(name) = given {
        *fact = Fact::Known(name.clone());
    }
}

/// Reads `contractor at chatgpt (free), channel ide, status denied`.
pub(crate) fn situation(piece: Piece<'_>, vocabulary: &Vocabulary, problems: &mut Problems) -> Situation {
    let mut situation = Situation::default();
    for (number, part) in piece.terms().into_iter().enumerate() {
        let (word, rest) = part.first_word();
        let named = word.as_str().strip_suffix(':').unwrap_or(word.as_str());
        match Dimension::named(named).filter(|_| !rest.is_empty()) {
            Some(dimension) => fact(&mut situation, dimension, rest, vocabulary, problems),
            None if number == 0 => who_at(&mut situation, part, vocabulary, problems),
            None => {
                let text = format!("`{}` is no key with a value", part.as_str());
                let problem = problems.add(Code::UnknownKey, part.span(), text);
                let help = "write `WHO at SERVICE, KEY VALUE, KEY VALUE`";
                problem.help(help).nearest(named, Dimension::ALL.iter().map(|dimension| dimension.key()));
            }
        }
    }
    situation
}

/// `contractor at chatgpt (free)`; each part may be left out.
fn who_at(situation: &mut Situation, part: Piece<'_>, vocabulary: &Vocabulary, problems: &mut Problems) {
    let (who, rest) = part.first_word();
    let (who, at) = if who.as_str() == "at" { (None, part) } else { (Some(who), rest) };
    if let Some(who) = who {
        fact(situation, Dimension::Who, who, vocabulary, problems);
    }
    if at.is_empty() {
        return;
    }
    let (word, service) = at.first_word();
    if word.as_str() != "at" {
        let text = format!("`{}` is not understood", at.as_str());
        let help = "write `WHO at SERVICE, KEY VALUE, KEY VALUE`";
        problems.add(Code::InvalidValue, at.span(), text).help(help);
        return;
    }
    let (name, tier) = service.first_word();
    fact(situation, Dimension::Service, name, vocabulary, problems);
    if !tier.is_empty() {
        let inside = tier.as_str().strip_prefix('(').and_then(|text| text.strip_suffix(')'));
        let tier = inside.map_or(tier, |inside| tier.part(1, 1 + inside.len()));
        fact(situation, Dimension::Tier, tier.trim(), vocabulary, problems);
    }
}

fn fact(
    situation: &mut Situation,
    dimension: Dimension,
    value: Piece<'_>,
    vocabulary: &Vocabulary,
    problems: &mut Problems,
) {
    if FROM_TEXT.contains(&dimension) {
        let text = format!("`{}` of an example is read from its text", dimension.key());
        problems.add(Code::RefusedHere, value.span(), text).help("say it in the text of the example");
        return;
    }
    let given = if dimension == Dimension::Cleared {
        cleared(value, vocabulary, problems)
    } else {
        let test = keys::test(dimension, &[value], value.span(), vocabulary, problems);
        if let Some(KeyTest { not: true, .. }) = &test {
            problems.add(Code::InvalidValue, value.span(), "a situation names values, `not` names none");
            return;
        }
        test.and_then(|test| given(dimension, &test.values))
    };
    let Some(given) = given else { return };
    match (situation.values.get_mut(&dimension), given) {
        (Some(Given::OpenSet(names)), Given::OpenSet(more)) => names.extend(more),
        (Some(Given::ClosedSet(names)), Given::ClosedSet(more)) => names.extend(more),
        (Some(_), _) => {
            let text = format!("`{}` has two values in one situation", dimension.key());
            problems.add(Code::DuplicateKey, value.span(), text);
        }
        (None, given) => drop(situation.values.insert(dimension, given)),
    }
}

/// `cleared no`: for no class; `cleared phi`: for this one.
fn cleared(value: Piece<'_>, vocabulary: &Vocabulary, problems: &mut Problems) -> Option<Given> {
    match value.as_str() {
        "no" => Some(Given::OpenSet(BTreeSet::new())),
        "yes" => Some(Given::OpenSet(vocabulary.classes.keys().cloned().collect())),
        _ => Some(Given::OpenSet(keys::class_names(value, vocabulary, problems)?.into_iter().collect())),
    }
}

/// The first of `values` as a fact.
fn given(dimension: Dimension, values: &[KeyValue]) -> Option<Given> {
    let set = dimension.spec().kind == Kind::Set;
    match values.first()? {
        KeyValue::Closed(index) if set => Some(Given::ClosedSet(BTreeSet::from([*index]))),
        KeyValue::Closed(index) => Some(Given::Closed(*index)),
        KeyValue::Open(name) if set => Some(Given::OpenSet(BTreeSet::from([name.clone()]))),
        KeyValue::Open(name) => Some(Given::Open(name.clone())),
        _ => None,
    }
}

/// Facts that meet the rule's keys, except those that are read from the text. Values of `default` are preferred.
pub(crate) fn witness(rule: &Rule, default: &Situation) -> Situation {
    let mut situation = Situation::default();
    for test in &rule.keys.tests {
        let dimension = test.dimension;
        if FROM_TEXT.contains(&dimension) || situation.values.contains_key(&dimension) {
            continue;
        }
        let usual = default.values.get(&dimension).filter(|given| meets_all(rule, dimension, given));
        let given = match (dimension, usual) {
            (Dimension::Cleared, _) => cleared_witness(rule, test),
            (_, Some(usual)) => Some(usual.clone()),
            (_, None) => candidates(dimension, test).into_iter().find(|given| meets_all(rule, dimension, given)),
        };
        situation.values.extend(given.map(|given| (dimension, given)));
    }
    situation
}

/// `cleared: no` needs no cleared class, `cleared: yes` needs the rule's classes cleared.
fn cleared_witness(rule: &Rule, test: &KeyTest) -> Option<Given> {
    let yes = test.values.contains(&KeyValue::Closed(1)) && !test.values.contains(&KeyValue::Closed(0));
    let classes = rule.keys.on(Dimension::Data).filter(|_| yes).map(|data| data.values.as_slice()).unwrap_or_default();
    let names = classes.iter().filter_map(|value| match value {
        KeyValue::Class { class, .. } => Some(class.clone()),
        _ => None,
    });
    Some(Given::OpenSet(names.collect()))
}

/// Values to try for one key: those it lists, then those of the schema, then a name that nothing lists.
fn candidates(dimension: Dimension, test: &KeyTest) -> Vec<Given> {
    let set = dimension.spec().kind == Kind::Set;
    let mut candidates: Vec<Given> =
        test.values.iter().filter_map(|value| given(dimension, std::slice::from_ref(value))).collect();
    match dimension.spec().values {
        Values::Closed(_) if set => candidates.push(Given::ClosedSet(BTreeSet::new())),
        Values::Closed(values) => candidates.extend((0_u8..).zip(values).map(|(index, _)| Given::Closed(index))),
        Values::Open(_) if set => candidates.push(Given::OpenSet(BTreeSet::new())),
        Values::Open(_) => candidates.push(Given::Open(Term::fixed("another"))),
    }
    candidates
}

fn meets_all(rule: &Rule, dimension: Dimension, given: &Given) -> bool {
    rule.keys.tests.iter().filter(|test| test.dimension == dimension).all(|test| meets(test, given))
}

/// Whether a fact meets a key as a rule that raises reads it (POLICY.md section 2).
fn meets(test: &KeyTest, given: &Given) -> bool {
    let ordered = test.dimension.spec().kind == Kind::Ordered && !test.not;
    let listed = |index: &u8| {
        test.values.iter().any(|value| match value {
            KeyValue::Closed(asked) if ordered => index >= asked,
            KeyValue::Closed(asked) => index == asked,
            _ => false,
        })
    };
    let named = |name: &Term| test.values.contains(&KeyValue::Open(name.clone()));
    let present = match given {
        Given::Closed(index) => listed(index),
        Given::ClosedSet(indexes) => indexes.iter().any(listed),
        Given::Open(name) => named(name),
        Given::OpenSet(names) => names.iter().any(named),
    };
    present != test.not
}

/// Whether the rule cannot apply in the example's situation, whatever its text says.
pub(crate) fn any_text_complies(rule: &Rule, example: &Example) -> bool {
    let fact = |dimension: &Dimension| {
        [&example.stated, &example.witness, &example.default].iter().find_map(|it| it.values.get(dimension))
    };
    let never = rule.keys.tests.iter().any(|test| match test.dimension {
        // A text gives no signal and no activity: these are facts about traffic and purpose.
        Dimension::Signal | Dimension::Activity => !test.not,
        Dimension::Data | Dimension::Level => false,
        Dimension::Cleared => all_cleared_otherwise(rule, test, fact(&Dimension::Cleared)),
        dimension => fact(&dimension).is_some_and(|given| !risky(dimension, given) && !meets(test, given)),
    });
    let carved = |keys: &Keys| {
        let known = |test: &KeyTest| !FROM_TEXT.contains(&test.dimension) && test.dimension != Dimension::Cleared;
        keys.tests
            .iter()
            .all(|test| known(test) && fact(&test.dimension).is_some_and(|given| meets_at_most(test, given)))
    };
    never || rule.unless.iter().any(|keys| !keys.tests.is_empty() && carved(keys))
}

/// Whether clearance leaves none of the rule's classes for `cleared` to select.
fn all_cleared_otherwise(rule: &Rule, test: &KeyTest, given: Option<&Given>) -> bool {
    let Some(Given::OpenSet(cleared)) = given else { return false };
    let asked = |yes: bool| test.values.contains(&KeyValue::Closed(u8::from(yes)));
    let classes = rule.keys.on(Dimension::Data).map(|data| data.values.as_slice()).unwrap_or_default();
    let left = |value: &KeyValue| match value {
        KeyValue::Class { class, .. } => asked(cleared.contains(class)),
        KeyValue::AnyClass => true,
        _ => false,
    };
    !classes.is_empty() && !classes.iter().any(left)
}

/// Whether a fact meets a key as a rule that foresees reads it: ordered values *at most*, an `unknown` by name only.
fn meets_at_most(test: &KeyTest, given: &Given) -> bool {
    let ordered = test.dimension.spec().kind == Kind::Ordered && !test.not;
    match given {
        Given::Closed(index) if ordered => {
            test.values.iter().any(|value| matches!(value, KeyValue::Closed(asked) if index <= asked))
        }
        _ => meets(test, given) && !(test.not && risky(test.dimension, given)),
    }
}

/// Whether the fact is an `unknown` that makes keys of a rule that raises hold.
fn risky(dimension: Dimension, given: &Given) -> bool {
    let spec = dimension.spec();
    let unknown = match (given, spec.values) {
        (Given::Open(name), _) => name.unknown(),
        (Given::Closed(index), Values::Closed(values)) => {
            values.get(usize::from(*index)).is_some_and(|value| value.name == "unknown")
        }
        _ => false,
    };
    unknown && spec.unknown == Unknown::Risk
}

/// The text of a list item and what follows it: `"..." as: contractor at chatgpt`.
pub(crate) fn read_item<'a>(item: Piece<'a>, problems: &mut Problems) -> Option<(String, Option<Piece<'a>>)> {
    if !item.trim().as_str().starts_with('"') {
        problems.add(Code::InvalidValue, item.span(), "an example stands in quotes").help("write `- \"...\"`");
        return None;
    }
    let (text, rest) = crate::document::line::quoted(item, problems)?;
    if text.trim().is_empty() {
        problems.add(Code::InvalidValue, item.span(), "this example has no text");
        return None;
    }
    if rest.is_empty() {
        return Some((text, None));
    }
    let (word, situation) = rest.first_word();
    if word.as_str() == "as:" && !situation.is_empty() {
        return Some((text, Some(situation)));
    }
    let problem = problems.add(Code::InvalidValue, rest.span(), "this does not belong to an example");
    problem.help("after the text may stand `as: contractor at chatgpt`").nearest(word.as_str(), ["as:"]);
    None
}
