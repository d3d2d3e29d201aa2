//! What the text points at: clauses by their numbers and ids, sources by their ids, and terms that it defines.

use std::collections::BTreeSet;

use crate::diagnostic::{Code, Problems};
use crate::document::define::Definitions;
use crate::document::line::{Entry, quoted};
use crate::document::source::{Span, Text};
use crate::document::{BlockKind, Document, Item};
use crate::words;

pub(super) fn check(document: &Document, source: &str, definitions: &Definitions, problems: &mut Problems) {
    let known = Known::of(document, definitions);
    let items = || document.sections.iter().flat_map(|section| &section.items);
    for item in items() {
        for span in texts(item) {
            clause_numbers(span, source, document.front.language(), &known, problems);
            links(span, source, &known, problems);
        }
        for entry in because(item) {
            sources(entry, &known, problems);
        }
    }
    unused_terms(items().filter(|item| !matches!(item, Item::Block(_))), source, definitions, problems);
}

/// What can be pointed at.
struct Known<'a> {
    numbers: BTreeSet<&'a str>,
    /// The largest number of a heading, before its first dot.
    last: u32,
    ids: BTreeSet<&'a str>,
    sources: BTreeSet<&'a str>,
}

impl<'a> Known<'a> {
    fn of(document: &'a Document, definitions: &'a Definitions) -> Self {
        let numbers =
            document.sections.iter().map(|section| section.number.as_str()).filter(|number| !number.is_empty());
        let numbers: BTreeSet<_> = numbers.collect();
        let ids = document.clauses().map(|(id, _)| id.as_str()).collect();
        let tables = document.sections.iter().flat_map(|section| &section.items).filter_map(|item| match item {
            Item::Table(table) if table.caption.is_none() => Some(table),
            _ => None,
        });
        let first_cells = tables.flat_map(|table| &table.rows).filter_map(|row| row.first()).map(Text::as_str);
        let sources = first_cells.chain(definitions.sources.keys().map(String::as_str)).collect();
        Self { last: numbers.iter().filter_map(|number| top(number)).max().unwrap_or(0), numbers, ids, sources }
    }
}

/// A number before its first dot.
fn top(number: &str) -> Option<u32> {
    number.split('.').next()?.parse().ok()
}

/// Places of an item that people read as text.
fn texts(item: &Item) -> Vec<Span> {
    match item {
        Item::Prose(span) => vec![*span],
        Item::Mode(caption) => vec![caption.span],
        Item::Table(table) => {
            let cells = table.header.iter().chain(table.rows.iter().flatten()).map(Text::span);
            cells.chain(table.caption.as_ref().map(|caption| caption.span)).collect()
        }
        // Examples speak about anything; definitions and controls speak about this document.
        Item::Block(block) if block.kind != BlockKind::Include => {
            let entries = block.entries.iter().filter(|entry| !matches!(entry.key.as_str(), "violates" | "complies"));
            entries.flat_map(|entry| std::iter::once(&entry.value).chain(&entry.items)).map(Text::span).collect()
        }
        Item::Block(_) | Item::Code(_) => Vec::new(),
    }
}

/// `clause 4.2`, `sections 4.2 and 4.9`: numbers that some heading must have.
fn clause_numbers(span: Span, source: &str, language: &str, known: &Known<'_>, problems: &mut Problems) {
    let text = span.of(source);
    if !text.bytes().any(|byte| byte.is_ascii_digit()) {
        return;
    }
    for (_, end, word) in words::said_words(text) {
        let Some(strict) = words::refers_to_clauses(&word, language) else { continue };
        let mut from = end;
        // Numbers follow each other, with a comma or a word between them.
        while let Some((start, end)) = next_number(text, from) {
            from = end;
            let number = text.get(start..end).unwrap_or_default();
            // A section may be one of a law: `section 164.502`, `section 5 of the Act`.
            let foreign = !strict && (top(number).is_none_or(|top| top > known.last) || of_another(text, end));
            if foreign || known.numbers.contains(number) || of_another(text, end) {
                continue;
            }
            let place = Span::new(span.start + start, span.start + end);
            problems.add(Code::DanglingReference, place, format!("no clause has the number `{number}`"));
        }
    }
}

/// Whether the text goes on with `of the contract`.
fn of_another(text: &str, end: usize) -> bool {
    let next = text.get(end..).unwrap_or_default().trim_start();
    words::OF.iter().any(|word| next.strip_prefix(word).is_some_and(|rest| rest.starts_with(' ')))
}

/// The number that follows directly, past white space, a comma and words such as `and`.
fn next_number(text: &str, from: usize) -> Option<(usize, usize)> {
    let rest = text.get(from..)?;
    let skipped = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
    let joint = words::JOINTS.iter().find_map(|word| skipped.strip_prefix(word)?.strip_prefix(' '));
    let number = joint.unwrap_or(skipped).trim_start();
    let start = from + rest.len() - number.len();
    let length = number.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(number.len());
    let length = number.get(..length)?.trim_end_matches('.').len();
    (length > 0 && number.starts_with(|c: char| c.is_ascii_digit())).then_some((start, start + length))
}

/// `[words](#id)`.
fn links(span: Span, source: &str, known: &Known<'_>, problems: &mut Problems) {
    const START: &str = "](#";
    let text = span.of(source);
    for (at, _) in text.match_indices(START) {
        let after = text.get(at + START.len()..).unwrap_or_default();
        // An id is short; looking further would make the work quadratic.
        let Some(end) = after.bytes().take(words::NAME_CHARS_MAX + 1).position(|byte| byte == b')') else { continue };
        let id = after.get(..end).unwrap_or_default();
        if !known.ids.contains(id) {
            let start = span.start + at + START.len();
            let problem = problems.add(
                Code::DanglingReference,
                Span::new(start, start + end),
                format!("no clause has the id `{id}`"),
            );
            problem.nearest(id, known.ids.iter().copied());
        }
    }
}

/// The keys `because` of rules, captions and controls.
fn because(item: &Item) -> impl Iterator<Item = &Entry> {
    let entries = match item {
        Item::Block(block) if matches!(block.kind, BlockKind::Rule | BlockKind::Control) => block.entries.as_slice(),
        Item::Table(table) => table.caption.as_ref().map(|caption| caption.entries.as_slice()).unwrap_or_default(),
        _ => &[],
    };
    entries.iter().filter(|entry| entry.key == "because")
}

/// A reader must find out what an id stands for.
fn sources(entry: &Entry, known: &Known<'_>, problems: &mut Problems) {
    for term in entry.listed() {
        // A text that is not closed has a diagnostic of its own.
        let Some((id, _)) = quoted(term, &mut Problems::default()) else { continue };
        if !known.sources.contains(id.as_str()) && !id.is_empty() {
            let text = format!("nothing in the document says what `{id}` is");
            let help = "put it into the first column of a table of sources, or into a define block: `source: ID`";
            let sources = known.sources.iter().copied();
            problems.add(Code::UndefinedSource, term.span(), text).help(help).nearest(&id, sources);
        }
    }
}

/// Terms with a word that nobody reads.
fn unused_terms<'a>(
    items: impl Iterator<Item = &'a Item>,
    source: &str,
    definitions: &Definitions,
    problems: &mut Problems,
) {
    if definitions.term_places.is_empty() {
        return;
    }
    let stem = |word: &str| word.strip_suffix('s').unwrap_or(word).to_owned();
    let said = items.flat_map(texts).flat_map(|span| words::said_words(span.of(source)));
    let said: BTreeSet<String> = said.map(|(.., word)| stem(&word)).collect();
    for (term, place) in &definitions.term_places {
        if words::said_words(term).iter().any(|(.., word)| !said.contains(&stem(word))) {
            let text = format!("`{term}` is defined, but stands nowhere in the text");
            problems.add(Code::UnusedTerm, *place, text).help("leave the definition out, or use the term");
        }
    }
}
