//! Classes and names in words.

use std::collections::{BTreeMap, BTreeSet};

use writ_model::Term;
use writ_model::facts::{Classes, Found};

/// Classes in words: `payment (1), pii (2 likely)`.
pub(crate) fn in_words(classes: &Classes) -> String {
    let one = |(class, found): (&Term, &Found)| match found.likely - found.certain.min(found.likely) {
        0 => format!("{class} ({})", found.likely),
        _ if found.certain == 0 => format!("{class} ({} likely)", found.likely),
        likely => format!("{class} ({} certain, {likely} likely)", found.certain),
    };
    let words: Vec<_> = classes.iter().map(one).collect();
    if words.is_empty() { "nothing found".to_owned() } else { words.join(", ") }
}

/// Names separated by commas.
pub(crate) fn list<'a>(names: impl IntoIterator<Item = &'a Term>) -> String {
    names.into_iter().map(Term::as_str).collect::<Vec<_>>().join(", ")
}

/// Classes that a command was asked for, checked against those that exist.
///
/// # Errors
/// If a class does not exist.
pub(crate) fn known_classes<T>(asked: &[String], known: &BTreeMap<Term, T>) -> anyhow::Result<BTreeSet<Term>> {
    let mut classes = BTreeSet::new();
    for name in asked {
        let (class, _) = known.get_key_value(name.as_str()).ok_or_else(|| unknown_class(name, known))?;
        classes.insert(class.clone());
    }
    Ok(classes)
}

fn unknown_class<T>(name: &str, known: &BTreeMap<Term, T>) -> anyhow::Error {
    let near = writ_policy::words::nearest(name, known.keys().map(Term::as_str));
    match near {
        Some(near) => anyhow::anyhow!("there is no class `{name}`; did you mean `{near}`?"),
        None => anyhow::anyhow!("there is no class `{name}`; there are {}", list(known.keys())),
    }
}

/// `1 rule`, `2 rules`, `1 entry`, `2 entries`.
pub(crate) fn counted(number: impl TryInto<u64>, what: &str) -> String {
    match (number.try_into().unwrap_or(u64::MAX), what.strip_suffix('y')) {
        (1, _) => format!("1 {what}"),
        (number, Some(stem)) => format!("{number} {stem}ies"),
        (number, None) => format!("{number} {what}s"),
    }
}
