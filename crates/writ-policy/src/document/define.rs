//! Define blocks: the organisation's own terms, as plain data for the detection pack and the vocabulary.

use std::collections::{BTreeMap, BTreeSet};

use writ_model::values::Value as _;
use writ_model::{Category, Level, Term};

use crate::check::keys;
use crate::diagnostic::{Code, Problems};
use crate::document::line::{Entry, quoted};
use crate::document::source::{Piece, Span};
use crate::document::{Block, BlockKind, Document, limits};
use crate::rule::ClassDefinition;
use crate::words::{self, Vocabulary};

/// What the define blocks say, without the vocabulary of keys.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Definitions {
    /// What detection adds to classes, in the order of the text.
    pub classes: Vec<ClassTerms>,
    /// Terms that are kept as digests.
    pub sealed: Vec<SealedTerms>,
    /// Values that are never a finding.
    pub harmless: Vec<Harmless>,
    /// Groups whose name in the directory is another one.
    pub directory: BTreeMap<Term, String>,
    /// Services of the organisation.
    pub services: BTreeMap<Term, ServiceTerms>,
    /// Words of the prose with their meanings.
    pub terms: BTreeMap<String, String>,
    /// Where each of these words is defined, in the order of the text.
    pub term_places: Vec<(String, Span)>,
    /// Names of projects, by the class they belong to.
    pub projects: BTreeMap<Term, Vec<String>>,
    /// Ids under `because` with what they are.
    pub sources: BTreeMap<String, String>,
}

/// What belongs to a class, as the document says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassTerms {
    /// The class, own or shipped.
    pub class: Term,
    /// What it means, for readers.
    pub means: Option<String>,
    /// Level and count bands, after this block.
    pub definition: ClassDefinition,
    /// Words and phrases, compared without case.
    pub words: Vec<String>,
    /// Names of files with one word or phrase a line.
    pub dictionary: Vec<String>,
    /// Regular expressions of the crate `regex-syntax`; each has been parsed.
    pub expressions: Vec<String>,
    /// Words that must stand near a value.
    pub context: Vec<String>,
    /// Names of folders with documents of the class.
    pub fingerprints: Vec<String>,
    /// Example texts of the class.
    pub texts: Vec<String>,
    /// Where it is defined.
    pub span: Span,
}

/// `define sealed`: terms that only their owners read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedTerms {
    /// The class they belong to.
    pub class: Term,
    /// The role that can read them.
    pub kept_by: Term,
    /// The epoch of the key under which the digests were made.
    pub epoch: u32,
    /// Keyed digests, as [`crate::seal::digest`] makes them.
    pub digests: Vec<[u8; 32]>,
    /// Where it is defined.
    pub span: Span,
}

/// Values that are never a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Harmless {
    /// The values.
    pub values: Vec<String>,
    /// The classes they would belong to; empty for any.
    pub classes: BTreeSet<Term>,
    /// The reason.
    pub why: Option<String>,
}

/// A service of the organisation.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct ServiceTerms {
    /// What people call it.
    pub title: Option<String>,
    /// Its category.
    pub category: Option<Category>,
}

/// Reads all define blocks; names go into the vocabulary.
pub(crate) fn read(document: &Document, vocabulary: &mut Vocabulary, problems: &mut Problems) -> Definitions {
    let mut reader = Reader { definitions: Definitions::default(), vocabulary, problems, defined: BTreeMap::new() };
    // Names first: a group of classes may name a class that is defined below it.
    for (_, block) in document.blocks(BlockKind::Define) {
        reader.own_class(block);
    }
    for (_, block) in document.blocks(BlockKind::Define) {
        reader.block(block);
    }
    reader.definitions
}

struct Reader<'a> {
    definitions: Definitions,
    vocabulary: &'a mut Vocabulary,
    problems: &'a mut Problems,
    /// Where each name was defined, by kind.
    defined: BTreeMap<(&'static str, String), Span>,
}

/// The first key of a block says what it defines; these keys may follow.
const SHAPES: &[(&str, &[&str])] = &[
    (
        "class",
        &["means", "level", "bands", "words", "dictionary", "expressions", "context", "fingerprints", "texts", "why"],
    ),
    ("class-group", &["classes", "means", "why"]),
    ("group", &["directory", "means", "why"]),
    ("groups", &["means", "why"]),
    ("regions", &["means", "why"]),
    ("entities", &["means", "why"]),
    ("service", &["title", "category", "means", "why"]),
    ("services", &["means", "why"]),
    ("roles", &["means", "why"]),
    ("harmless", &["classes", "why"]),
    ("term", &["means", "why"]),
    ("projects", &["class", "means", "why"]),
    ("source", &["means", "why"]),
];

const SEALED: &[&str] = &["kept-by", "epoch", "digests", "means", "why"];

impl Reader<'_> {
    fn own_class(&mut self, block: &Block) {
        let Some(entry) = block.entries.first().filter(|entry| entry.key == "class") else { return };
        let name = entry.value.as_str();
        if words::is_name(name) && !self.vocabulary.classes.contains_key(name) {
            if !limits::CLASSES.admits(self.vocabulary.classes.len() + 1) {
                let text = format!("a policy has {} classes at most", limits::CLASSES.value());
                self.problems.add(Code::Limit, entry.span(), text);
                return;
            }
            let own = ClassDefinition { level: Level::Confidential, few: 2, bulk: 10 };
            self.vocabulary.classes.insert(Term::from(name), own);
        }
    }

    fn block(&mut self, block: &Block) {
        let sealed = block.argument.as_str() == "sealed";
        if !sealed && !block.argument.as_str().is_empty() {
            let text = format!("`{}` is no kind of definition", block.argument.as_str());
            self.problems.add(Code::UnknownKind, block.argument.span(), text).help("write `define` or `define sealed`");
        }
        let Some(subject) = block.entries.first() else {
            self.problems
                .add(Code::MissingKey, block.opening, "this block defines nothing")
                .help("start with `class:`");
            return;
        };
        let Some((kind, allowed)) = SHAPES.iter().find(|(kind, _)| *kind == subject.key) else {
            let kinds = SHAPES.iter().map(|(kind, _)| *kind);
            let text = format!("`{}` does not start a definition", subject.key);
            let known: Vec<_> = kinds.clone().map(|kind| format!("`{kind}`")).collect();
            let help = format!("start with one of {}", known.join(", "));
            self.problems.add(Code::UnknownKey, subject.key_span, text).help(help).nearest(&subject.key, kinds);
            return;
        };
        let allowed = if sealed { SEALED } else { allowed };
        self.keys(block, kind, allowed);
        match *kind {
            "class" if sealed => self.sealed(block, subject),
            _ if sealed => {
                let text = "only terms of a class can be sealed";
                self.problems.add(Code::RefusedHere, subject.key_span, text).help("start with `class: NAME`");
            }
            "class" => self.class(block, subject),
            "class-group" => self.class_group(block, subject),
            "harmless" => self.harmless(block, subject),
            "term" => self.term(block, subject),
            "projects" => self.projects(block, subject),
            "source" => self.source(block, subject),
            kind => self.names(kind, block, subject),
        }
    }

    /// Refuses keys that do not fit to what is defined.
    fn keys(&mut self, block: &Block, kind: &str, allowed: &[&str]) {
        let mut seen: BTreeMap<&str, Span> = BTreeMap::new();
        for (number, entry) in block.entries.iter().enumerate() {
            if let Some(first) = seen.insert(&entry.key, entry.key_span) {
                let text = format!("`{}` stands twice in this block", entry.key);
                self.problems.add(Code::DuplicateKey, entry.key_span, text).see(first, "first here");
            }
            if number == 0 {
                continue;
            }
            let known = allowed.contains(&entry.key.as_str());
            if !known {
                let text = format!("a definition of `{kind}` has no key `{}`", entry.key);
                let problem = self.problems.add(Code::UnknownKey, entry.key_span, text);
                if SHAPES.iter().any(|(shape, _)| *shape == entry.key) {
                    problem.help("define one thing in one block");
                } else {
                    problem.nearest(&entry.key, allowed.iter().copied());
                }
            }
        }
    }

    /// A name that is defined once.
    fn name(&mut self, kind: &'static str, piece: Piece<'_>) -> Option<Term> {
        let name = piece.as_str().trim_matches('"');
        if !words::is_name(name) {
            let text = format!("`{name}` is no name");
            let help = "use lower-case letters, digits and single hyphens";
            self.problems.add(Code::InvalidValue, piece.span(), text).help(help);
            return None;
        }
        if matches!(name, "any" | "plain" | "other" | "not" | "unknown") {
            self.problems.add(Code::RefusedHere, piece.span(), format!("`{name}` is a word of the language"));
            return None;
        }
        if let Some(first) = self.defined.insert((kind, name.to_owned()), piece.span()) {
            let text = format!("`{name}` is defined twice");
            self.problems.add(Code::DuplicateName, piece.span(), text).see(first, "first here");
            return None;
        }
        Some(Term::from(name))
    }

    fn names(&mut self, kind: &'static str, block: &Block, subject: &Entry) {
        let singular = match kind {
            "groups" => "group",
            "services" => "service",
            other => other,
        };
        for term in subject.listed() {
            let Some(name) = self.name(singular, term) else { continue };
            match singular {
                "group" => {
                    let directory = block.entry("directory").and_then(|entry| self.text(entry));
                    self.definitions.directory.extend(directory.map(|text| (name.clone(), text)));
                    self.vocabulary.groups.insert(name);
                }
                "service" => {
                    let title = block.entry("title").and_then(|entry| self.text(entry));
                    let category = block.entry("category").and_then(|entry| self.category(entry));
                    self.definitions.services.insert(name.clone(), ServiceTerms { title, category });
                    self.vocabulary.services.insert(name);
                }
                "regions" => drop(self.vocabulary.regions.insert(name)),
                "entities" => drop(self.vocabulary.entities.insert(name)),
                _ => drop(self.vocabulary.roles.insert(name)),
            }
        }
        if subject.listed().is_empty() {
            self.problems.add(Code::MissingKey, subject.key_span, format!("`{kind}` names nothing"));
        }
    }

    fn category(&mut self, entry: &Entry) -> Option<Category> {
        let value = entry.single(self.problems)?;
        let category = Category::named(value.as_str());
        if category.is_none() {
            let text = format!("`{}` is no category of services", value.as_str());
            let known = Category::ALL.iter().map(|category| category.as_str());
            self.problems.add(Code::UnknownValue, value.span(), text).nearest(value.as_str(), known);
        }
        category
    }

    fn class(&mut self, block: &Block, subject: &Entry) {
        let Some(name) = subject.single(self.problems).and_then(|piece| self.name("class", piece)) else { return };
        if self.vocabulary.class_groups.contains_key(&name) {
            let text = format!("`{name}` is a group of classes");
            self.problems.add(Code::DuplicateName, subject.value.span(), text);
            return;
        }
        let shipped = writ_model::class::CLASSES.iter().any(|spec| name == spec.name);
        let Some(mut definition) = self.vocabulary.classes.get(&name).cloned() else { return };
        if let Some(level) = block.entry("level").and_then(|entry| self.level(entry)) {
            definition.level = level;
        }
        if let Some(entry) = block.entry("bands") {
            self.bands(entry, &mut definition);
        }
        let terms = ClassTerms {
            means: block.entry("means").and_then(|entry| self.text(entry)),
            words: self.texts(block, "words"),
            dictionary: self.texts(block, "dictionary"),
            expressions: self.expressions(block),
            context: self.texts(block, "context"),
            fingerprints: self.texts(block, "fingerprints"),
            texts: self.texts(block, "texts"),
            class: name.clone(),
            definition: definition.clone(),
            span: block.span,
        };
        let sources = [&terms.words, &terms.dictionary, &terms.expressions, &terms.fingerprints, &terms.texts];
        if !shipped && sources.iter().all(|list| list.is_empty()) {
            let text = format!("nothing says what belongs to the class `{name}`");
            let help = "add `words`, `dictionary`, `expressions`, `fingerprints` or `texts`";
            self.problems.add(Code::MissingKey, subject.span(), text).help(help);
        }
        self.vocabulary.classes.insert(name, definition);
        self.definitions.classes.push(terms);
    }

    fn level(&mut self, entry: &Entry) -> Option<Level> {
        let value = entry.single(self.problems)?;
        let level = Level::named(value.as_str());
        if level.is_none() {
            let text = format!("`{}` is no level", value.as_str());
            let known = Level::ALL.iter().map(|level| level.as_str());
            self.problems.add(Code::UnknownValue, value.span(), text).among(value.as_str(), known);
        }
        level
    }

    /// `few 2, bulk 10`: how many distinct values a band starts with.
    fn bands(&mut self, entry: &Entry, definition: &mut ClassDefinition) {
        for term in entry.listed() {
            let (band, count) = term.first_word();
            let number = count.as_str().parse::<u32>().ok().filter(|number| (2..=1_000_000).contains(number));
            match (band.as_str(), number) {
                ("few", Some(number)) => definition.few = number,
                ("bulk", Some(number)) => definition.bulk = number,
                _ => {
                    let text = format!("`{}` is no band", term.as_str());
                    self.problems.add(Code::InvalidValue, term.span(), text).help("write `few 2, bulk 10`");
                }
            }
        }
        if definition.few > definition.bulk {
            let text = format!("`bulk` ({}) starts below `few` ({})", definition.bulk, definition.few);
            self.problems.add(Code::InvalidValue, entry.value.span(), text);
            definition.bulk = definition.few;
        }
    }

    fn expressions(&mut self, block: &Block) -> Vec<String> {
        let mut expressions = Vec::new();
        for piece in block.entry("expressions").map(Entry::listed).unwrap_or_default() {
            let Some((text, _)) = quoted(piece, self.problems) else { continue };
            if !limits::EXPRESSION.admits(text.len()) {
                let text = format!("this expression has more than {} bytes", limits::EXPRESSION.value());
                self.problems.add(Code::Limit, piece.span(), text);
                continue;
            }
            let parsed = regex_syntax::ParserBuilder::new().nest_limit(32).utf8(false).build().parse(&text);
            match parsed {
                Ok(expression) if expression.properties().minimum_len() == Some(0) => {
                    let text = "this expression matches everywhere, even where there is nothing";
                    self.problems.add(Code::InvalidValue, piece.span(), text);
                }
                Ok(_) => expressions.push(text),
                Err(error) => {
                    let reason = match &error {
                        regex_syntax::Error::Parse(error) => error.kind().to_string(),
                        regex_syntax::Error::Translate(error) => error.kind().to_string(),
                        _ => "it does not parse".to_owned(),
                    };
                    let text = format!("this is no regular expression: {reason}");
                    self.problems.add(Code::InvalidValue, piece.span(), text).help("a backslash in quotes is doubled");
                }
            }
        }
        expressions
    }

    fn class_group(&mut self, block: &Block, subject: &Entry) {
        let Some(name) = subject.single(self.problems).and_then(|piece| self.name("class-group", piece)) else {
            return;
        };
        if self.vocabulary.classes.contains_key(&name) {
            let text = format!("`{name}` is a class");
            self.problems.add(Code::DuplicateName, subject.value.span(), text);
            return;
        }
        let members = self.classes(block);
        if members.is_empty() {
            self.problems
                .add(Code::MissingKey, subject.span(), "this group of classes is empty")
                .help("add `classes:`");
        }
        if self.vocabulary.class_groups.insert(name.clone(), members.into_iter().collect()).is_some() {
            let text = format!("`{name}` ships with a meaning of its own");
            self.problems.add(Code::DuplicateName, subject.value.span(), text);
        }
    }

    /// The classes that `classes:` lists, groups spelled out.
    fn classes(&mut self, block: &Block) -> BTreeSet<Term> {
        let pieces = block.entry("classes").map(Entry::listed).unwrap_or_default();
        let found = pieces.iter().filter_map(|piece| keys::class_names(*piece, self.vocabulary, self.problems));
        found.flatten().collect()
    }

    fn harmless(&mut self, block: &Block, subject: &Entry) {
        let values = self.strings(subject);
        if values.is_empty() {
            self.problems.add(Code::MissingKey, subject.key_span, "this block names no values");
        }
        let why = block.entry("why").and_then(|entry| self.text(entry));
        let classes = self.classes(block);
        self.definitions.harmless.push(Harmless { values, classes, why });
    }

    fn term(&mut self, block: &Block, subject: &Entry) {
        let Some(name) = self.text(subject) else { return };
        let Some(means) = block.entry("means").and_then(|entry| self.text(entry)) else {
            let text = format!("nothing says what `{name}` means");
            self.problems.add(Code::MissingKey, subject.span(), text).help("add `means:`");
            return;
        };
        if let Some(first) = self.defined.insert(("term", name.to_lowercase()), subject.value.span()) {
            let text = format!("`{name}` is defined twice");
            self.problems.add(Code::DuplicateName, subject.value.span(), text).see(first, "first here");
            return;
        }
        self.definitions.term_places.push((name.clone(), subject.value.span()));
        self.definitions.terms.insert(name, means);
    }

    /// An id of a risk or legal source.
    fn source(&mut self, block: &Block, subject: &Entry) {
        let Some(id) = self.text(subject) else { return };
        let Some(means) = block.entry("means").and_then(|entry| self.text(entry)) else {
            let text = format!("nothing says what `{id}` is");
            self.problems.add(Code::MissingKey, subject.span(), text).help("add `means:`");
            return;
        };
        if let Some(first) = self.defined.insert(("source", id.clone()), subject.value.span()) {
            let text = format!("`{id}` is defined twice");
            self.problems.add(Code::DuplicateName, subject.value.span(), text).see(first, "first here");
            return;
        }
        self.definitions.sources.insert(id, means);
    }

    /// Names of projects: words of the class that the block names.
    fn projects(&mut self, block: &Block, subject: &Entry) {
        let names = self.strings(subject);
        let Some(entry) = block.entry("class") else {
            let text = "nothing says to which class these names belong";
            self.problems.add(Code::MissingKey, subject.span(), text).help("add `class: CLASS`");
            return;
        };
        let Some(piece) = entry.single(self.problems) else { return };
        let Some((class, definition)) = self.vocabulary.classes.get_key_value(piece.as_str()) else {
            let text = format!("`{}` is no class of data", piece.as_str());
            let known = self.vocabulary.classes.keys().map(Term::as_str);
            self.problems.add(Code::UndefinedName, piece.span(), text).nearest(piece.as_str(), known);
            return;
        };
        let (class, definition) = (class.clone(), definition.clone());
        for (name, place) in names.iter().zip(subject.listed()) {
            if let Some(first) = self.defined.insert(("project", name.to_lowercase()), place.span()) {
                let text = format!("the project `{name}` is named twice");
                self.problems.add(Code::DuplicateName, place.span(), text).see(first, "first here");
            }
        }
        self.definitions.projects.entry(class.clone()).or_default().extend(names.iter().cloned());
        self.definitions.classes.push(ClassTerms {
            words: names,
            class,
            definition,
            means: None,
            dictionary: Vec::new(),
            expressions: Vec::new(),
            context: Vec::new(),
            fingerprints: Vec::new(),
            texts: Vec::new(),
            span: block.span,
        });
    }

    fn sealed(&mut self, block: &Block, subject: &Entry) {
        let Some(class) = subject.single(self.problems).map(|piece| Term::from(piece.as_str())) else { return };
        if !self.vocabulary.classes.contains_key(&class) {
            let text = format!("`{class}` is no class of data");
            let known = self.vocabulary.classes.keys().map(Term::as_str);
            self.problems.add(Code::UndefinedName, subject.value.span(), text).nearest(&class, known);
            return;
        }
        let digests = self.digests(block);
        let kept_by = block.entry("kept-by").and_then(|entry| entry.single(self.problems));
        let kept_by = kept_by.and_then(|piece| keys::role(piece, self.vocabulary, self.problems));
        let epoch = block.entry("epoch").and_then(|entry| self.epoch(entry));
        for key in ["kept-by", "epoch", "digests"].into_iter().filter(|key| block.entry(key).is_none()) {
            let text = format!("this sealed block does not say `{key}`");
            let problem = self.problems.add(Code::MissingKey, block.opening, text);
            problem.help("`writ policy seal` makes the whole block from a list of terms");
        }
        if let (Some(kept_by), Some(epoch)) = (kept_by, epoch) {
            self.definitions.sealed.push(SealedTerms { class, kept_by, epoch, digests, span: block.span });
        }
    }

    fn digests(&mut self, block: &Block) -> Vec<[u8; 32]> {
        let Some(entry) = block.entry("digests") else { return Vec::new() };
        let pieces = entry.listed();
        if !limits::VALUES.admits(pieces.len()) {
            let text = format!("`digests` lists more than {} values", limits::VALUES.value());
            self.problems.add(Code::Limit, entry.key_span, text).help("write several blocks");
            return Vec::new();
        }
        let mut digests: BTreeMap<[u8; 32], Span> = BTreeMap::new();
        for piece in pieces {
            match writ_base::hash::parse_hex::<32>(piece.as_str().trim_matches('"')) {
                Ok(digest) => {
                    if let Some(first) = digests.insert(digest, piece.span()) {
                        let text = "this digest is listed twice";
                        self.problems.add(Code::DuplicateValue, piece.span(), text).see(first, "first here");
                    }
                }
                Err(_) => {
                    // The text is not repeated: it may be the very term that was to be sealed.
                    let help = "sealed blocks hold 64 hexadecimal digits a term, never the terms themselves";
                    self.problems.add(Code::InvalidValue, piece.span(), "this is no digest").help(help);
                }
            }
        }
        digests.into_keys().collect()
    }

    fn epoch(&mut self, entry: &Entry) -> Option<u32> {
        let value = entry.single(self.problems)?;
        let epoch = value.as_str().parse().ok().filter(|epoch| *epoch > 0);
        if epoch.is_none() {
            let text = format!("`{}` is no epoch of a key", value.as_str());
            self.problems
                .add(Code::InvalidValue, value.span(), text)
                .help("write the number that `writ policy seal` wrote");
        }
        epoch
    }

    fn text(&mut self, entry: &Entry) -> Option<String> {
        let value = entry.single(self.problems)?;
        quoted(value, self.problems).map(|(text, _)| text)
    }

    fn texts(&mut self, block: &Block, key: &str) -> Vec<String> {
        block.entry(key).map(|entry| self.strings(entry)).unwrap_or_default()
    }

    fn strings(&mut self, entry: &Entry) -> Vec<String> {
        let pieces = entry.listed();
        if !limits::VALUES.admits(pieces.len()) {
            let text = format!("`{}` lists more than {} values", entry.key, limits::VALUES.value());
            self.problems.add(Code::Limit, entry.key_span, text).help("use a `dictionary`");
            return Vec::new();
        }
        let mut strings = Vec::new();
        for piece in pieces {
            match quoted(piece, self.problems) {
                Some((text, rest)) if rest.is_empty() && !text.trim().is_empty() => strings.push(text),
                Some(_) => {
                    let text = "this is not one value";
                    self.problems.add(Code::InvalidValue, piece.span(), text).help("separate values by commas");
                }
                None => {}
            }
        }
        strings
    }
}
