//! Language versions: documents that carry prose only. They share the clause ids of the version that prevails; what is
//! decided stands in that one alone.
//!
//! Each clause of a language version keeps a mark of the text that was translated. When that text changes, the mark is
//! another one, and the translation is stale until somebody confirms it.

use std::collections::{BTreeMap, BTreeSet};

use writ_base::ContentHash;
use writ_model::Term;

use crate::check::full_of_effects;
use crate::diagnostic::{Code, Diagnostic, Problems};
use crate::document::source::{Span, Text};
use crate::document::{BlockKind, Document, Item, Section, Table};

/// A language version, beside the version that prevails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LanguageVersion {
    /// Its text, in sections.
    pub document: Document,
    /// Its clauses, in the order of the version that prevails; those that it does not have are left out.
    pub clauses: Vec<TranslatedClause>,
    /// What is wrong, in the order of its text.
    pub diagnostics: Vec<Diagnostic>,
}

/// A clause of a language version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TranslatedClause {
    /// The id that both versions share.
    pub id: Term,
    /// The heading in this language.
    pub title: String,
    /// Whether it says what the version that prevails says now.
    pub state: TranslationState,
}

/// Whether a translation is that of the text as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TranslationState {
    /// Somebody confirmed it.
    Current,
    /// The text changed since.
    Stale,
    /// Nobody ever confirmed it.
    Unconfirmed,
}

/// Keys of the front matter that a language version may have.
const FRONT_KEYS: &[&str] = &["writ", "title", "organisation", "language", "prevails", "version", "translated"];

/// Reads a language version of a document. Total on any text.
pub fn read(source: &str, prevailing: &Document, prevailing_source: &str) -> LanguageVersion {
    let mut problems = Problems::default();
    let document = Document::read(source, &mut problems);
    front_matter(&document, prevailing, &mut problems);
    prose_only(&document, &mut problems);
    let marks = marks(prevailing, prevailing_source);
    let clauses = clauses(&document, prevailing, &marks, &mut problems);
    LanguageVersion { document, clauses, diagnostics: problems.into_sorted() }
}

fn front_matter(document: &Document, prevailing: &Document, problems: &mut Problems) {
    let (front, other) = (&document.front, &prevailing.front);
    for (key, span) in front.places.iter().filter(|(key, _)| !FRONT_KEYS.contains(&key.as_str())) {
        let text = format!("`{key}` stands in the version that prevails only");
        problems.add(Code::RuleInTranslation, *span, text).help("leave it out here");
    }
    if front.language() == other.language() {
        let text = format!("both versions are in `{}`", other.language());
        problems.add(Code::TranslationMismatch, front.at("language"), text).help("name the language of this version");
    } else if front.prevails.as_deref() != Some(other.language()) {
        let text = format!("this version does not say that the one in `{}` prevails", other.language());
        let help = format!("write `prevails: {}`", other.language());
        problems.add(Code::TranslationMismatch, front.at("prevails"), text).help(help);
    }
    if front.version.is_some() && front.version != other.version {
        let now = other.version.as_deref().unwrap_or("none");
        let text = format!(
            "this is a translation of version {}; now it is {now}",
            front.version.as_deref().unwrap_or_default()
        );
        problems.add(Code::TranslationStale, front.at("version"), text).help("leave `version` out, or keep it in step");
    }
}

/// Blocks, rule tables and modes are rendered from the one compiled form.
fn prose_only(document: &Document, problems: &mut Problems) {
    for item in document.sections.iter().flat_map(|section| &section.items) {
        let (span, what) = match item {
            Item::Block(block) if block.kind != BlockKind::Include => (block.opening, "blocks"),
            Item::Table(table) if runs(table) => (table.span, "rule tables"),
            Item::Mode(caption) => (caption.span, "modes"),
            _ => continue,
        };
        let text = format!("{what} stand in the version that prevails only");
        let help = "leave it out: what is printed here in this language is made from the version that prevails";
        problems.add(Code::RuleInTranslation, span, text).help(help);
    }
}

/// Whether a table is one of rules, with or without a caption that says so in the language of the other version.
fn runs(table: &Table) -> bool {
    table.caption.is_some() || full_of_effects(table)
}

fn clauses(
    document: &Document,
    prevailing: &Document,
    marks: &BTreeMap<Term, String>,
    problems: &mut Problems,
) -> Vec<TranslatedClause> {
    let mut here: BTreeMap<&Term, &Section> = BTreeMap::new();
    for (id, section) in document.clauses() {
        if let Some(first) = here.insert(id, section) {
            let text = format!("the id `{id}` is given to two clauses");
            problems.add(Code::DuplicateName, section.heading, text).see(first.heading, "first here");
        }
        if !marks.contains_key(id) {
            let text = format!("the version that prevails has no clause `{id}`");
            let known = marks.keys().map(Term::as_str);
            problems.add(Code::TranslationExtra, section.heading, text).nearest(id, known);
        }
    }
    for (id, (_, span)) in document.front.translated.iter().filter(|(id, _)| !here.contains_key(id)) {
        problems.add(Code::TranslationExtra, *span, format!("this version has no clause `{id}`")).help("leave it out");
    }
    let mut clauses = Vec::new();
    let mut done = BTreeSet::new();
    // A clause that is missing is told where it would stand.
    let mut last = document.front.at("writ");
    for (id, original) in prevailing.clauses().filter(|(id, _)| done.insert(*id)) {
        let name = name(original);
        let Some(section) = here.get(id) else {
            let text = format!("{name} is not translated");
            problems.add(Code::TranslationMissing, last, text).help(format!("add it below: `## TITLE {{#{id}}}`"));
            continue;
        };
        last = section.heading;
        let state = state(document, id, marks);
        told(&name, original, section, state, problems);
        clauses.push(TranslatedClause { id: id.clone(), title: section.title.clone(), state });
    }
    clauses
}

/// A clause as people call it: `clause 4.2, "Health information"`.
fn name(section: &Section) -> String {
    let number = if section.number.is_empty() { String::new() } else { format!(" {}", section.number) };
    format!("clause{number}, \"{}\",", section.title)
}

fn state(document: &Document, id: &Term, marks: &BTreeMap<Term, String>) -> TranslationState {
    match document.front.translated.get(id) {
        None => TranslationState::Unconfirmed,
        Some((mark, _)) if marks.get(id) == Some(mark) => TranslationState::Current,
        Some(_) => TranslationState::Stale,
    }
}

fn told(name: &str, original: &Section, section: &Section, state: TranslationState, problems: &mut Problems) {
    let text = match state {
        TranslationState::Stale => format!("{name} changed after it was translated"),
        TranslationState::Unconfirmed => {
            format!("nobody confirmed that this translates {}", name.trim_end_matches(','))
        }
        TranslationState::Current if section.number != original.number => {
            format!("{name} has the number `{}` in the version that prevails", original.number)
        }
        TranslationState::Current => return,
    };
    let help = match state {
        TranslationState::Current => "give it the same number",
        _ => "compare both texts, then confirm it: `writ policy translate POLICY --confirm FILE CLAUSE`",
    };
    problems.add(Code::TranslationStale, section.heading, text).help(help);
}

/// The mark of each clause: 64 bits of a hash over all that stands in it, whatever its layout and its number.
pub fn marks(document: &Document, source: &str) -> BTreeMap<Term, String> {
    let mut parts: BTreeMap<&Term, Vec<String>> = BTreeMap::new();
    for section in &document.sections {
        let Some(clause) = &section.clause else { continue };
        let parts = parts.entry(clause).or_default();
        parts.push(format!("# {}", section.title));
        section.items.iter().for_each(|item| content(item, source, parts));
    }
    let mark = |parts: Vec<String>| {
        let hash = ContentHash::of_parts(parts.iter().map(String::as_bytes)).to_string();
        hash.get(..16).unwrap_or_default().to_owned()
    };
    parts.into_iter().map(|(clause, parts)| (clause.clone(), mark(parts))).collect()
}

/// What an item says, without its layout.
fn content(item: &Item, source: &str, parts: &mut Vec<String>) {
    let words = |span: Span| span.of(source).split_whitespace().collect::<Vec<_>>().join(" ");
    match item {
        Item::Prose(span) => parts.push(words(*span)),
        Item::Code(span) => parts.push(span.of(source).replace('\r', "")),
        Item::Mode(caption) => parts.push(words(caption.span)),
        Item::Block(block) => {
            parts.push(format!("``` {:?} {}", block.kind, block.argument.as_str()));
            for entry in &block.entries {
                parts.push(format!("{}:", entry.key));
                parts.extend(std::iter::once(&entry.value).chain(&entry.items).map(words_of));
            }
        }
        Item::Table(table) => {
            parts.push("|".to_owned());
            parts.extend(table.header.iter().chain(table.rows.iter().flatten()).map(words_of));
            parts.extend(table.caption.as_ref().map(|caption| words(caption.span)));
        }
    }
}

/// The words of a text; how it was spaced around commas is layout.
fn words_of(text: &Text) -> String {
    text.as_str().replace(',', ", ").replace(" ,", ",").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The text of a language version in which these clauses are confirmed.
///
/// `marks`: those of the version that prevails, [`marks`]. Marks of other clauses stay.
pub fn confirmed(source: &str, marks: &BTreeMap<Term, String>, clauses: &BTreeSet<Term>) -> String {
    let document = Document::read(source, &mut Problems::default());
    let mut all: BTreeMap<Term, String> =
        document.front.translated.into_iter().map(|(id, (mark, _))| (id, mark)).collect();
    all.extend(clauses.iter().filter_map(|id| Some((id.clone(), marks.get(id)?.clone()))));
    let entry: String = all.iter().map(|(id, mark)| format!("  - {id} {mark}\n")).collect();
    let entry = format!("translated:\n{entry}");
    let mut text = String::with_capacity(source.len() + entry.len());
    let (mut rules, mut inside, mut written) = (0, false, false);
    for line in source.split_inclusive('\n') {
        let content = line.trim_end();
        rules += usize::from(content == "---" && rules < 2);
        let key = !line.starts_with([' ', '\t', '-']) || content == "---";
        if rules == 1 && content.starts_with("translated:") {
            inside = true;
        } else if key {
            inside = false;
        }
        if rules == 2 && !written {
            text.push_str(&entry);
            written = true;
        }
        if !inside {
            text.push_str(line);
        }
    }
    text
}

/// A language version to begin with: headings with their ids, prose still to be translated, nothing that runs.
pub fn draft(prevailing: &Document, source: &str, language: &str) -> String {
    let front = &prevailing.front;
    let title = front.title.as_deref().map(|title| format!("title: \"{title}\"\n")).unwrap_or_default();
    let mut text = format!("---\nwrit: 1\n{title}language: {language}\nprevails: {}\n---\n", front.language());
    for section in &prevailing.sections {
        if section.level > 0 {
            text.push_str(&format!("\n{}\n", section.heading.of(source).trim_end()));
        }
        for item in &section.items {
            let span = match item {
                Item::Prose(span) | Item::Code(span) => *span,
                Item::Table(table) if !runs(table) => table.span,
                _ => continue,
            };
            text.push_str(&format!("\n{}\n", span.of(source).replace('\r', "")));
        }
    }
    text
}
