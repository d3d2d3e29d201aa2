//! Keys of a standing object, which are plain text, against the schema and the classes of a policy.

use std::collections::BTreeMap;

use writ_model::class::{CLASS_GROUPS, PLAIN};
use writ_model::schema::{Dimension, Kind, Values};
use writ_model::{Band, Certainty, Signal, Term, Value};

use crate::rule::{ClassDefinition, KeyTest, KeyValue, Keys};

use super::KeyError;

/// Resolves keys as an exception has them: `status` to `in-review`, `group` to `research, legal`, `data` to
/// `phi (few)`, with an optional `not` before the values.
///
/// # Errors
/// If a key or a value is none of the language, a key has no value, or `not` stands where it has no meaning.
pub fn keys(keys: &BTreeMap<String, String>, classes: &BTreeMap<Term, ClassDefinition>) -> Result<Keys, KeyError> {
    let mut tests = Vec::new();
    for (key, text) in keys {
        let dimension = Dimension::named(key).ok_or_else(|| KeyError::UnknownKey { key: key.clone() })?;
        tests.push(test(dimension, text.trim(), classes)?);
    }
    Ok(Keys { tests })
}

fn test(dimension: Dimension, text: &str, classes: &BTreeMap<Term, ClassDefinition>) -> Result<KeyTest, KeyError> {
    let key = dimension.key();
    let (not, listed) = match text.strip_prefix("not ") {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    if not && dimension == Dimension::Cleared {
        return Err(KeyError::Not { key });
    }
    let mut values = Vec::new();
    for term in terms(listed).into_iter().filter(|term| !term.is_empty()) {
        let unknown = || KeyError::UnknownValue { key, value: term.to_owned() };
        values.extend(resolve(dimension, term, classes).ok_or_else(unknown)?);
    }
    if values.is_empty() {
        return Err(KeyError::NoValue { key });
    }
    Ok(KeyTest { dimension, not, values })
}

/// The terms between commas; a comma within parentheses parts no terms.
fn terms(text: &str) -> Vec<&str> {
    let mut depth = 0usize;
    let parts = text.split(move |c| {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    });
    parts.map(str::trim).collect()
}

fn resolve(dimension: Dimension, term: &str, classes: &BTreeMap<Term, ClassDefinition>) -> Option<Vec<KeyValue>> {
    let spec = dimension.spec();
    match spec.values {
        _ if spec.kind == Kind::Classes => data(term, classes),
        Values::Open(_) => Some(vec![KeyValue::Open(Term::from(term))]),
        Values::Closed(values) => {
            let family = |name: &str| {
                dimension == Dimension::Signal && Signal::named(name).is_some_and(|signal| signal.family() == term)
            };
            let places = (0u8..).zip(values).filter(|(_, value)| value.name == term || family(value.name));
            let listed: Vec<KeyValue> = places.map(|(place, _)| KeyValue::Closed(place)).collect();
            (!listed.is_empty()).then_some(listed)
        }
    }
}

/// `phi`, `personal`, `pii (few)`, `credentials (bulk, certain)`, `plain`, `any`.
fn data(term: &str, classes: &BTreeMap<Term, ClassDefinition>) -> Option<Vec<KeyValue>> {
    let (name, amount) = match term.split_once('(') {
        Some((name, rest)) => (name.trim(), rest.strip_suffix(')')?),
        None => (term, ""),
    };
    let (mut band, mut certainty) = (None, None);
    for word in amount.split(',').map(str::trim).filter(|word| !word.is_empty()) {
        match (Band::named(word), word) {
            (Some(named), _) if band.is_none() => band = Some(named),
            (None, "likely") if certainty.is_none() => certainty = Some(Certainty::Likely),
            (None, "certain") if certainty.is_none() => certainty = Some(Certainty::Certain),
            _ => return None,
        }
    }
    if amount.is_empty() && (name == "any" || name == PLAIN.as_str()) {
        return Some(vec![if name == "any" { KeyValue::AnyClass } else { KeyValue::Plain }]);
    }
    let members = CLASS_GROUPS.iter().find(|(group, _)| *group == name).map(|(_, members)| members.to_vec());
    let named = members.unwrap_or_else(|| vec![name]);
    let known = named.iter().all(|class| classes.contains_key(*class));
    let value = |class: &&str| KeyValue::Class { class: Term::from(*class), band, certainty };
    known.then(|| named.iter().map(value).collect())
}
