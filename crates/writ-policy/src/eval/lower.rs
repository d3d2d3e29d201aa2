//! Lowering: rules to rows, key by key, as POLICY.md sections 2, 4 and 5 say.

use writ_base::Limit;
use writ_model::schema::{Dimension, Kind, Stage, Unknown, Values};
use writ_model::{Action, Band, Certainty, Value};

use crate::rule::{KeyTest, KeyValue, Keys, PolicyModel, Rule};

use super::CompileError;
use super::layout::{Layout, class_of};
use super::rows::{Foresee, Mask, Raise, Rows, Test, Tests, mask};

/// Rows to which the `unless` of one rule may lower.
pub static UNLESS_ROWS: Limit = Limit::new("policy.rows.unless", "rows", 64);

/// Rows of one policy.
pub static ROWS: Limit = Limit::new("policy.rows", "rows", 65_536);

/// The rows of all rules.
pub(super) fn rows(layout: &Layout, model: &PolicyModel) -> Result<Rows, CompileError> {
    let mut rows = Rows::default();
    for (place, rule) in (0u32..).zip(&model.rules) {
        if rule.raises() {
            raise(layout, rule, place, &mut rows)?;
        }
        if rule.foresees {
            foresee(layout, rule, place, &mut rows);
        }
        if !ROWS.admits(rows.len()) {
            return Err(CompileError::TooManyRows { limit: ROWS.value() });
        }
    }
    Ok(rows)
}

fn raise(layout: &Layout, rule: &Rule, place: u32, rows: &mut Rows) -> Result<(), CompileError> {
    let choices = rule.unless.iter().fold(1usize, |all, set| all.saturating_mul(set.tests.len().max(1)));
    if !UNLESS_ROWS.admits(choices) {
        let limit = UNLESS_ROWS.value();
        return Err(CompileError::TooManyUnless {
            clause: rule.clause.clone(),
            rule: rule.number,
            rows: choices,
            limit,
        });
    }
    let others = rule.keys.tests.iter().filter(|key| !matches!(key.dimension, Dimension::Action | Dimension::Cleared));
    let others = others.filter(|key| key.dimension != Dimension::Data || key.not);
    let others: Tests = others.map(|key| raising_test(layout, key)).collect();
    let action = action_test(layout, actions(&rule.keys, Sense::Raise));
    for data in raising_data(layout, &rule.keys) {
        for carved in uncarved(layout, &rule.unless, false) {
            push(&mut rows.raise, place, data.iter().chain(&others).chain([&action]).chain(&carved));
        }
    }
    if settled_at_body(rule) {
        let earlier = rule.keys.tests.iter().filter(|key| key.dimension.spec().stage < Stage::Body);
        let earlier: Tests = earlier.map(|key| raising_test(layout, key)).collect();
        let action = action_test(layout, failing_actions(&rule.keys));
        for carved in uncarved(layout, &rule.unless, true) {
            push(&mut rows.failure, place, earlier.iter().chain([&action]).chain(&carved));
        }
    }
    Ok(())
}

/// Adds a row, unless one of its tests never holds.
fn push<'a>(rows: &mut Vec<Raise>, rule: u32, tests: impl Iterator<Item = &'a Test> + Clone) {
    if let Some(tests) = simplified(tests) {
        rows.push(Raise { rule, tests });
    }
}

/// The tests that can be false; `None` if one is always.
fn simplified<'a>(tests: impl Iterator<Item = &'a Test> + Clone) -> Option<Tests> {
    let never = tests.clone().any(|test| test.constant() == Some(false));
    (!never).then(|| tests.filter(|test| test.constant().is_none()).cloned().collect())
}

/// Whether the rule lowers to a second row for content that could not be read.
pub(super) fn settled_at_body(rule: &Rule) -> bool {
    let mut keys = rule.keys.tests.iter().chain(rule.unless.iter().flat_map(|set| &set.tests));
    keys.any(|key| key.dimension.spec().stage == Stage::Body)
}

/// One list of tests per choice of one negated key from each set. For a failure row a set with a key that settles at
/// body cannot apply: nobody read what it asks.
fn uncarved(layout: &Layout, unless: &[Keys], failure: bool) -> Vec<Tests> {
    let mut rows: Vec<Tests> = vec![Tests::new()];
    for set in unless {
        if failure && set.tests.iter().any(|key| key.dimension.spec().stage == Stage::Body) {
            continue;
        }
        let choices: Vec<Test> = set.tests.iter().map(|key| relaxing_test(layout, key).negated()).collect();
        if choices.iter().any(|choice| choice.constant() == Some(true)) {
            continue;
        }
        let with = |row: &Tests, choice: &Test| {
            let mut row = row.clone();
            row.push(choice.clone());
            row
        };
        rows = rows.iter().flat_map(|row| choices.iter().map(|choice| with(row, choice))).collect();
    }
    rows
}

fn foresee(layout: &Layout, rule: &Rule, place: u32, rows: &mut Rows) {
    let others = rule.keys.tests.iter().filter(|key| !matches!(key.dimension, Dimension::Action | Dimension::Cleared));
    let others = others.filter(|key| key.dimension != Dimension::Data || key.not);
    let others: Tests = others.map(|key| relaxing_test(layout, key)).collect();
    let action = action_test(layout, actions(&rule.keys, Sense::Foresee));
    let mut add = |test: Option<Test>, cover: Mask| {
        if let Some(tests) = simplified(others.iter().chain(&test).chain([&action]))
            && !cover.is_empty()
        {
            rows.foresee.push(Foresee { rule: place, tests, cover });
        }
    };
    let values = data_values(&rule.keys);
    let Some(allowed) = clearance(&rule.keys) else {
        let cover = mask(values.iter().flat_map(|value| covered(layout, value)));
        return add(None, if values.is_empty() { mask([layout.plain()]) } else { cover });
    };
    let any = values.contains(&&KeyValue::AnyClass);
    if values.is_empty() || any || values.contains(&&KeyValue::Plain) {
        add(None, mask([layout.plain()]));
    }
    if any {
        add(None, mask([false, true].into_iter().filter(|c| allowed(*c)).map(|c| layout.undefined(c))));
        for class in layout.class_places() {
            add(Some(cleared_test(layout, class, &allowed)), mask(layout.chains(class)));
        }
    }
    for value in values {
        if let Some(class) = class_of(value).and_then(|name| layout.class(name)) {
            add(Some(cleared_test(layout, class, &allowed)), mask(covered(layout, value)));
        }
    }
}

fn cleared_test(layout: &Layout, class: u16, allowed: &impl Fn(bool) -> bool) -> Test {
    Test::any([false, true].into_iter().filter(|c| allowed(*c)).map(|c| layout.clearance(class, c)))
}

/// How keys are read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sense {
    Raise,
    Foresee,
}

/// The test of a key in a rule that raises; for every dimension but `action`, `cleared`, and `data` without `not`.
fn raising_test(layout: &Layout, key: &KeyTest) -> Test {
    match key.dimension {
        Dimension::Data => Test::none(raising_bits(layout, key)),
        _ => situation_test(layout, key, Sense::Raise),
    }
}

/// The test of a key on a dimension with one value in a rule that raises.
pub(super) fn raising_key(layout: &Layout, key: &KeyTest) -> Test {
    situation_test(layout, key, Sense::Raise)
}

/// The test of a key that is read as in a rule that foresees, in such a rule, in `unless` and in an exception. `data`
/// applies where nothing outside it was found (what it covers is not said here).
pub(super) fn relaxing_test(layout: &Layout, key: &KeyTest) -> Test {
    match key.dimension {
        Dimension::Data if key.not => Test::none(raising_bits(layout, key)),
        Dimension::Data => {
            let covered: Vec<u16> = key.values.iter().flat_map(|value| covered(layout, value)).collect();
            let outside = layout.data().filter(|bit| *bit != layout.plain() && !covered.contains(bit));
            Test::none(outside)
        }
        Dimension::Cleared => {
            let refused = [false, true].into_iter().filter(|cleared| !allows(key, *cleared));
            Test::none(refused.flat_map(|cleared| clearance_bits(layout, cleared)))
        }
        _ => situation_test(layout, key, Sense::Foresee),
    }
}

/// The test of a key on a dimension other than `data` and `cleared`, by its kind.
fn situation_test(layout: &Layout, key: &KeyTest, sense: Sense) -> Test {
    let spec = key.dimension.spec();
    let listed: Vec<u16> = key.values.iter().filter_map(|value| value_bit(layout, key.dimension, value)).collect();
    // An unknown value is a risk: a raising key applies to it, a foreseeing key does not, unless it names it.
    let risk = layout.unknown(key.dimension).filter(|bit| spec.unknown == Unknown::Risk && !listed.contains(bit));
    match spec.kind {
        Kind::Set if !matches!(spec.values, Values::Closed(_)) => match (key.not, sense) {
            (false, Sense::Raise) => Test::any(listed.into_iter().chain(risk)),
            (false, Sense::Foresee) => Test::any(listed),
            (true, Sense::Raise) => Test::none(listed),
            (true, Sense::Foresee) => Test::none(listed.into_iter().chain(risk)),
        },
        Kind::Set => match (key.not, sense) {
            (true, _) => Test::none(listed),
            (false, Sense::Raise) => Test::any(listed),
            (false, Sense::Foresee) => Test::none(layout.bits(key.dimension).filter(|bit| !listed.contains(bit))),
        },
        Kind::One | Kind::Ordered | Kind::Classes | Kind::PerClass => {
            let least = listed.iter().min().copied();
            let most = listed.iter().max().copied();
            let asked = |bit: u16| match (key.not, spec.kind, sense) {
                (true, _, _) => !listed.contains(&bit),
                (false, Kind::Ordered, Sense::Raise) => least.is_some_and(|least| bit >= least),
                (false, Kind::Ordered, Sense::Foresee) => most.is_some_and(|most| bit <= most),
                (false, _, _) => listed.contains(&bit),
            };
            let holds = |bit: u16| if Some(bit) == risk { sense == Sense::Raise } else { asked(bit) };
            Test::one(layout.bits(key.dimension), holds)
        }
    }
}

fn value_bit(layout: &Layout, dimension: Dimension, value: &KeyValue) -> Option<u16> {
    match (value, dimension.spec().values) {
        (KeyValue::Closed(index), Values::Closed(values)) if usize::from(*index) < values.len() => {
            Some(layout.closed(dimension, *index))
        }
        (KeyValue::Open(name), Values::Open(_)) => Some(layout.open(dimension, name)),
        _ => None,
    }
}

/// The values of the rule's `data` keys without `not`: its classes.
pub(super) fn data_values(keys: &Keys) -> Vec<&KeyValue> {
    let data = keys.tests.iter().filter(|key| key.dimension == Dimension::Data && !key.not);
    data.flat_map(|key| &key.values).collect()
}

/// Whether a class that is cleared, or not, is selected; `None` where the rule does not ask.
pub(super) fn clearance(keys: &Keys) -> Option<impl Fn(bool) -> bool> {
    let asked: Vec<&KeyTest> = keys.tests.iter().filter(|key| key.dimension == Dimension::Cleared).collect();
    (!asked.is_empty()).then_some(move |cleared| asked.iter().all(|key| allows(key, cleared)))
}

fn allows(key: &KeyTest, cleared: bool) -> bool {
    key.values.contains(&KeyValue::Closed(cleared.into())) != key.not
}

/// The alternatives of `data` and `cleared` in a rule that raises: any of the classes listed is present.
fn raising_data(layout: &Layout, keys: &Keys) -> Vec<Tests> {
    let values = data_values(keys);
    let any = values.contains(&&KeyValue::AnyClass);
    let named = |value: &&&KeyValue| class_of(value).is_some();
    let Some(allowed) = clearance(keys) else {
        let always = values.is_empty() || any || values.contains(&&KeyValue::Plain);
        let bits = values.iter().filter(named).filter_map(|value| least(layout, value));
        return vec![if always { Tests::new() } else { [Test::any(bits)].into_iter().collect() }];
    };
    let allowed: Vec<bool> = [false, true].into_iter().filter(|cleared| allowed(*cleared)).collect();
    if values.is_empty() || any {
        let bits = allowed.iter().flat_map(|cleared| clearance_bits(layout, *cleared));
        return vec![[Test::any(bits)].into_iter().collect()];
    }
    let selected = |class: u16| Test::any(allowed.iter().map(move |cleared| layout.clearance(class, *cleared)));
    let row = |value: &&KeyValue| {
        let class = layout.class(class_of(value)?)?;
        Some([Test::any([least(layout, value)?]), selected(class)].into_iter().collect())
    };
    values.iter().filter_map(row).collect()
}

/// The bit of the least amount of a class that a rule which raises asks for.
fn least(layout: &Layout, value: &KeyValue) -> Option<u16> {
    let KeyValue::Class { class, band, certainty } = value else { return None };
    let class = layout.class(class)?;
    Some(layout.chain(class, band.unwrap_or(Band::One), certainty.unwrap_or(Certainty::Likely)))
}

/// The bits whose presence a `not` on data refuses.
fn raising_bits(layout: &Layout, key: &KeyTest) -> Vec<u16> {
    let bits = |value: &KeyValue| match value {
        KeyValue::Plain | KeyValue::AnyClass => Some(layout.plain()),
        value => least(layout, value),
    };
    key.values.iter().filter_map(bits).collect()
}

/// The bits of the data region that a value covers.
pub(super) fn covered(layout: &Layout, value: &KeyValue) -> Vec<u16> {
    match value {
        KeyValue::Plain => vec![layout.plain()],
        KeyValue::AnyClass => layout.data().collect(),
        KeyValue::Class { class, band, certainty } => {
            let Some(class) = layout.class(class) else { return Vec::new() };
            let bands = Band::ALL.iter().filter(|b| **b <= band.unwrap_or(Band::Bulk));
            let certainties = [Certainty::Likely, Certainty::Certain];
            let certainties = certainties.into_iter().filter(|c| *c <= certainty.unwrap_or(Certainty::Certain));
            bands.flat_map(|band| certainties.clone().map(|c| layout.chain(class, *band, c))).collect()
        }
        KeyValue::Closed(_) | KeyValue::Open(_) => Vec::new(),
    }
}

/// The bits of all classes found that are cleared, or are not.
fn clearance_bits(layout: &Layout, cleared: bool) -> impl Iterator<Item = u16> + '_ {
    layout.class_places().map(move |class| layout.clearance(class, cleared)).chain([layout.undefined(cleared)])
}

/// The test of what is done.
pub(super) fn action_test(layout: &Layout, actions: impl Iterator<Item = Action>) -> Test {
    let bits: Vec<u16> = actions.map(|action| layout.closed(Dimension::Action, action.index())).collect();
    Test::one(layout.bits(Dimension::Action), |bit| bits.contains(&bit))
}

/// The actions that a rule which raises speaks about.
pub(super) fn raising_actions(keys: &Keys) -> impl Iterator<Item = Action> + Clone {
    actions(keys, Sense::Raise)
}

/// The actions that a rule speaks about. Without the key: what leaves. Answers only where they are named, and a
/// tunnel is foreseen only where it is named: `not` names nothing.
fn actions(keys: &Keys, sense: Sense) -> impl Iterator<Item = Action> + Clone {
    let asked: Vec<KeyTest> = keys.tests.iter().filter(|key| key.dimension == Dimension::Action).cloned().collect();
    let speaks = move |action: Action| {
        let implied = match action {
            Action::Receive | Action::ToolResult => false,
            Action::Tunnel => sense == Sense::Raise,
            _ => true,
        };
        let key_speaks = |key: &KeyTest| match key.values.contains(&KeyValue::Closed(action.index())) {
            listed if key.not => !listed && implied,
            listed => listed,
        };
        if asked.is_empty() { action.leaves() } else { asked.iter().all(key_speaks) }
    };
    Action::ALL.iter().copied().filter(move |action| speaks(*action))
}

/// The actions of a row for content that could not be read. What exactly is done settles with the body, so that the
/// row keeps only the direction that its rule speaks about.
fn failing_actions(keys: &Keys) -> impl Iterator<Item = Action> + Clone {
    let spoken: Vec<Action> = actions(keys, Sense::Raise).collect();
    let direction = move |action: Action| spoken.iter().any(|named| same_direction(*named, action));
    Action::ALL.iter().copied().filter(move |action| direction(*action))
}

/// Whether only the body tells these two actions apart.
pub(super) fn same_direction(one: Action, other: Action) -> bool {
    let answers = |action| matches!(action, Action::Receive | Action::ToolResult);
    one == other || one.leaves() && other.leaves() || answers(one) && answers(other)
}

/// Whether keys that are read as in a rule which foresees name the action `tunnel`.
pub(super) fn names_tunnel(keys: &Keys) -> bool {
    let named = |key: &KeyTest| !key.not && key.values.contains(&KeyValue::Closed(Action::Tunnel.index()));
    keys.tests.iter().any(|key| key.dimension == Dimension::Action && named(key))
}
