//! Keys of rules: from terms to values of the schema.

use std::collections::{BTreeMap, BTreeSet};

use writ_model::schema::{Kind, Unknown, Values};
use writ_model::values::{Value as _, ValueSpec};
use writ_model::{Band, Certainty, Dimension, Term};

use crate::diagnostic::{Code, Diagnostic, Problems};
use crate::document::limits;
use crate::document::source::{Piece, Span, Text};
use crate::rule::{KeyTest, KeyValue, Keys};
use crate::words::{self, Vocabulary};

/// Reads the values of one key. Nothing is returned if no value could be read.
pub(crate) fn test(
    dimension: Dimension,
    terms: &[Piece<'_>],
    key: Span,
    vocabulary: &Vocabulary,
    problems: &mut Problems,
) -> Option<KeyTest> {
    if terms.is_empty() {
        problems.add(Code::InvalidValue, key, format!("`{}` names no value", dimension.key()));
        return None;
    }
    if !limits::VALUES.admits(terms.len()) {
        let text = format!("`{}` lists more than {} values", dimension.key(), limits::VALUES.value());
        problems.add(Code::Limit, key, text);
        return None;
    }
    let mut reader = ValueReader { dimension, vocabulary, problems, values: Vec::new(), said: BTreeSet::new() };
    let mut not = false;
    for (number, term) in terms.iter().enumerate() {
        let (word, rest) = term.first_word();
        let negated = word.as_str() == "not";
        if negated && number > 0 {
            let text = "`not` stands before the first value and speaks about all of them";
            let help = format!("write a second line `{}: not ...`", dimension.key());
            reader.problems.add(Code::InvalidValue, word.span(), text).help(help);
        }
        not |= negated && number == 0;
        reader.value(if negated { rest } else { *term });
    }
    let values = reader.values;
    if not && dimension == Dimension::Cleared {
        let text = "`not` on `cleared` is refused";
        problems.add(Code::RefusedHere, key, text).help("write `cleared: no` or `cleared: yes`");
        return None;
    }
    if not && values.iter().any(|value| matches!(value, KeyValue::AnyClass | KeyValue::Plain)) {
        let text = "every interaction contains `plain`: this key would never hold";
        problems.add(Code::RefusedHere, key, text);
        return None;
    }
    (!values.is_empty()).then_some(KeyTest { dimension, not, values })
}

/// The classes that one term of a list of classes names, groups spelled out.
pub(crate) fn class_names(piece: Piece<'_>, vocabulary: &Vocabulary, problems: &mut Problems) -> Option<Vec<Term>> {
    let name = piece.as_str();
    if let Some(members) = vocabulary.class_groups.get(name) {
        return Some(members.clone());
    }
    if let Some((class, _)) = vocabulary.classes.get_key_value(name) {
        return Some(vec![class.clone()]);
    }
    let known = vocabulary.classes.keys().chain(vocabulary.class_groups.keys()).map(Term::as_str);
    problems.add(Code::UndefinedName, piece.span(), format!("`{name}` is no class of data")).nearest(name, known);
    None
}

/// A role that somebody has; one without an owner is told.
pub(crate) fn role(piece: Piece<'_>, vocabulary: &Vocabulary, problems: &mut Problems) -> Option<Term> {
    let name = piece.as_str();
    if !words::is_name(name) {
        let help = "use lower-case letters, digits and hyphens";
        problems.add(Code::InvalidValue, piece.span(), format!("`{name}` is no name of a role")).help(help);
        return None;
    }
    if !vocabulary.roles.contains(name) {
        let text = format!("the role `{name}` has no owner");
        let help = "add it to `owners` in the front matter, or to `roles` in a define block";
        let known = vocabulary.roles.iter().map(Term::as_str);
        problems.add(Code::UnknownRole, piece.span(), text).help(help).nearest(name, known);
    }
    Some(Term::from(name))
}

struct ValueReader<'a> {
    dimension: Dimension,
    vocabulary: &'a Vocabulary,
    problems: &'a mut Problems,
    values: Vec<KeyValue>,
    said: BTreeSet<KeyValue>,
}

impl ValueReader<'_> {
    fn value(&mut self, term: Piece<'_>) {
        let spec = self.dimension.spec();
        if term.is_empty() {
            let text = "there is no value between these commas";
            self.problems.add(Code::InvalidValue, term.span(), text);
            return;
        }
        match (spec.kind, spec.values) {
            (Kind::Classes, _) => self.class(term),
            (_, Values::Closed(values)) => self.closed(term, values),
            (_, Values::Open(_)) => self.open(term),
        }
    }

    fn push(&mut self, value: KeyValue, term: Piece<'_>) {
        if self.said.insert(value.clone()) {
            self.values.push(value);
        } else {
            let text = format!("`{}` is listed twice", term.as_str());
            let help = "leave it out; a group of classes stands for its members";
            let grouped = self.dimension == Dimension::Data;
            let help = if grouped { help } else { "leave it out" };
            self.problems.add(Code::DuplicateValue, term.span(), text).help(help);
        }
    }

    /// A value, or a family of values: `opaque` means all its kinds.
    fn closed(&mut self, term: Piece<'_>, values: &'static [ValueSpec]) {
        let (word, qualifiers) = qualified(term);
        let name = match qualifiers.as_slice() {
            [] => word.as_str().to_owned(),
            [one] => format!("{} ({})", word.as_str(), one.as_str()),
            _ => term.as_str().to_owned(),
        };
        let family = |value: &ValueSpec| qualifiers.is_empty() && value.name.split(" (").next() == Some(name.as_str());
        let found: Vec<u8> = (0_u8..)
            .zip(values)
            .filter(|(_, value)| value.name == name || family(value))
            .map(|(index, _)| index)
            .collect();
        if found.is_empty() {
            let text = format!("`{}` is no value of `{}`", term.as_str(), self.dimension.key());
            let elsewhere = self.elsewhere(word.as_str());
            let problem = self.problems.add(Code::UnknownValue, term.span(), text);
            match elsewhere {
                Some(help) => problem.help(help),
                None => problem.among(&name, values.iter().map(|value| value.name)),
            };
        }
        for index in found {
            self.push(KeyValue::Closed(index), term);
        }
    }

    /// A value that belongs to another dimension.
    fn elsewhere(&self, word: &str) -> Option<String> {
        let has = |dimension: &&Dimension| match dimension.spec().values {
            Values::Closed(values) => values.iter().any(|value| value.name == word),
            Values::Open(_) => **dimension == Dimension::Data && self.vocabulary.classes.contains_key(word),
        };
        let other = Dimension::ALL.iter().find(has)?;
        Some(format!("`{word}` is a value of `{}`", other.key()))
    }

    fn open(&mut self, term: Piece<'_>) {
        let dimension = self.dimension;
        let name = term.as_str().trim_matches('"');
        if name == "unknown" && dimension.spec().unknown != Unknown::Absent {
            return self.push(KeyValue::Open(Term::UNKNOWN), term);
        }
        if !words::is_name(name) {
            let help = "use lower-case letters, digits and single hyphens";
            self.problems.add(Code::InvalidValue, term.span(), format!("`{name}` is no name")).help(help);
            return;
        }
        if self.vocabulary.knows(dimension, name) {
            return self.push(KeyValue::Open(Term::from(name)), term);
        }
        let help = match dimension {
            Dimension::Group => format!("name it in a define block: `group: {name}`"),
            Dimension::PersonRegion | Dimension::ServiceRegion => {
                format!("name it in a define block: `regions: {name}`")
            }
            Dimension::Entity => format!("name it in a define block: `entities: {name}`"),
            Dimension::Service => format!("name an own one in a define block: `service: {name}`"),
            _ => "the catalog lists the names".to_owned(),
        };
        let text = format!("no {} is called `{name}`", dimension.key());
        let problem = self.problems.add(Code::UndefinedName, term.span(), text);
        problem.help(help).nearest(name, self.vocabulary.names_on(dimension));
    }

    /// `phi (bulk, certain)`, a group of classes, `plain` or `any`.
    fn class(&mut self, term: Piece<'_>) {
        let (word, qualifiers) = qualified(term);
        if matches!(word.as_str(), "plain" | "any") {
            if let Some(first) = qualifiers.first() {
                let text = format!("`{}` has no band and no certainty", word.as_str());
                self.problems.add(Code::InvalidValue, first.span(), text);
            }
            let value = if word.as_str() == "plain" { KeyValue::Plain } else { KeyValue::AnyClass };
            return self.push(value, term);
        }
        let (mut band, mut certainty) = (None, None);
        for qualifier in qualifiers {
            match qualifier.as_str() {
                "likely" => self.qualify(&mut certainty, Certainty::Likely, qualifier),
                "certain" => self.qualify(&mut certainty, Certainty::Certain, qualifier),
                name => match Band::named(name) {
                    Some(named) => self.qualify(&mut band, named, qualifier),
                    None => {
                        let known = Band::ALL.iter().map(|band| band.as_str()).chain(["likely", "certain"]);
                        let text = format!("`{name}` is no count band and no certainty");
                        let problem = self.problems.add(Code::UnknownValue, qualifier.span(), text);
                        problem.among(name, known);
                    }
                },
            }
        }
        let classes = match self.vocabulary.class_groups.get(word.as_str()) {
            Some(members) => members.clone(),
            None => match self.vocabulary.classes.get_key_value(word.as_str()) {
                Some((class, _)) => vec![class.clone()],
                None => {
                    let name = word.as_str();
                    let text = format!("`{name}` is no class of data");
                    let help = "define it in a define block, or use a shipped class";
                    let problem = self.problems.add(Code::UndefinedName, word.span(), text);
                    problem.help(help).nearest(name, self.vocabulary.data_words());
                    return;
                }
            },
        };
        for class in classes {
            self.push(KeyValue::Class { class, band, certainty }, term);
        }
    }
}

impl ValueReader<'_> {
    /// Sets the band or the certainty, once.
    fn qualify<T>(&mut self, to: &mut Option<T>, value: T, qualifier: Piece<'_>) {
        if to.replace(value).is_some() {
            let text = "a class has one count band and one certainty";
            self.problems.add(Code::InvalidValue, qualifier.span(), text);
        }
    }
}

/// `word (a, b)`.
fn qualified(term: Piece<'_>) -> (Piece<'_>, Vec<Piece<'_>>) {
    let Some(open) = term.as_str().find('(').filter(|_| term.as_str().ends_with(')')) else {
        return (term, Vec::new());
    };
    let inside = term.part(open + 1, term.as_str().len() - 1);
    (term.cut(open, 1).0, inside.terms())
}

/// A set of keys on one line: `who contractor, status not approved, data pii, phi (bulk)`. A part that does not start
/// with a key and a value continues the values of the key before it. `key: value` is accepted as well.
pub(crate) fn set(piece: Piece<'_>, vocabulary: &Vocabulary, problems: &mut Problems) -> Keys {
    set_of(&piece.split(&[',', ';']), vocabulary, problems)
}

/// A set of keys, of which the parts between commas are known.
pub(crate) fn set_of(parts: &[Piece<'_>], vocabulary: &Vocabulary, problems: &mut Problems) -> Keys {
    let mut groups: Vec<(Dimension, Span, Vec<Piece<'_>>)> = Vec::new();
    for part in parts.iter().copied() {
        let (word, rest) = part.first_word();
        let named = word.as_str().strip_suffix(':').unwrap_or(word.as_str());
        match (Dimension::named(named).filter(|_| !rest.is_empty()), groups.last_mut()) {
            (Some(dimension), _) => groups.push((dimension, word.span(), vec![rest])),
            (None, Some((.., values))) if !word.as_str().ends_with(':') => values.push(part),
            _ => {
                let text = format!("`{}` is no key with a value", part.as_str());
                let problem = problems.add(Code::UnknownKey, part.span(), text);
                let help = "write `KEY VALUES, KEY VALUES`: `who contractor, status approved, conditional`";
                problem.help(help).nearest(named, Dimension::ALL.iter().map(|dimension| dimension.key()));
            }
        }
    }
    let mut keys = Keys::default();
    let mut seen = BTreeMap::new();
    for (dimension, span, terms) in groups {
        if let Some(test) = test(dimension, &terms, span, vocabulary, problems) {
            add(&mut keys, test, span, &mut seen, problems);
        }
    }
    keys
}

/// Where a key of each dimension and sense stands.
pub(crate) type Seen = BTreeMap<(Dimension, bool), Span>;

/// Adds a test, at most one per dimension and sense.
pub(crate) fn add(keys: &mut Keys, test: KeyTest, span: Span, seen: &mut Seen, problems: &mut Problems) {
    let key = test.dimension.key();
    match seen.insert((test.dimension, test.not), span) {
        None => keys.tests.push(test),
        Some(first) => {
            let text = format!("`{key}` stands twice");
            let problem = problems.add(Code::DuplicateKey, span, text);
            problem.see(first, "first here").help("list all values after one key; `not` may have a line of its own");
        }
    }
}

impl Vocabulary {
    /// Reads keys that stand outside of the document, such as those of an exception: key to terms, as in a rule.
    ///
    /// # Errors
    /// Diagnostics with places in the terms of the key.
    pub fn read_keys(&self, keys: &BTreeMap<String, String>) -> Result<Keys, Vec<Diagnostic>> {
        let mut problems = Problems::default();
        let mut read = Keys::default();
        for (name, terms) in keys {
            let text = Text::of(terms, Span::new(0, terms.len()));
            match Dimension::named(name) {
                Some(dimension) => {
                    let pieces = text.whole().terms();
                    read.tests.extend(test(dimension, &pieces, text.span(), self, &mut problems));
                }
                None => {
                    let known = Dimension::ALL.iter().map(|dimension| dimension.key());
                    let message = format!("`{name}` is no key");
                    problems.add(Code::UnknownKey, text.span(), message).nearest(name, known);
                }
            }
        }
        let problems = problems.into_sorted();
        if problems.is_empty() { Ok(read) } else { Err(problems) }
    }
}
