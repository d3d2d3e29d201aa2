//! What a document defines or asks for that detection of this version does not look for: said, never passed over.

use std::collections::BTreeSet;

use writ_detect::Pack;
use writ_model::{Dimension, Term, class};
use writ_policy::check::Parsed;
use writ_policy::diagnostic::{Code, Diagnostic};
use writ_policy::document::define::{ClassTerms, Definitions};
use writ_policy::document::source::{Span, Text};
use writ_policy::document::{BlockKind, Document, Item};
use writ_policy::rule::{KeyValue, PolicyModel};

/// A note for each thing.
pub(super) fn notes(parsed: &Parsed) -> Vec<Diagnostic> {
    let definitions = &parsed.definitions;
    let classes = definitions.classes.iter().filter_map(class_terms);
    let sealed = definitions.sealed.iter().map(|sealed| {
        let text =
            format!("the sealed terms of class `{}` are kept, but not searched for by this version", sealed.class);
        note(sealed.span, text, "name what may be seen in `words`, if it shall be found now")
    });
    let ranges = definitions.harmless.iter().flat_map(|harmless| &harmless.values).filter(|value| is_range(value));
    let ranges = ranges.map(|value| {
        let text = format!("`{value}` is compared as it is written: this version knows no ranges of addresses");
        let place = place_of(&parsed.document, value).unwrap_or_default();
        note(place, text, "list the addresses themselves")
    });
    // Classes that stand for others, such as those of `other`, are not named one by one.
    let unfound = parsed.model.iter().flat_map(|model| unfound(model, definitions)).filter_map(|class| {
        let text = format!("nothing finds the class `{class}`, so that rules about it never apply");
        let help = "say what belongs to it: `define` with `class` and `words`";
        Some(note(place_of(&parsed.document, &class)?, text, help))
    });
    classes.chain(sealed).chain(ranges).chain(unfound).collect()
}

fn note(span: Span, text: String, help: &str) -> Diagnostic {
    let mut note = Diagnostic::new(Code::NotSearched, span, text);
    note.help = Some(help.to_owned());
    note
}

fn class_terms(terms: &ClassTerms) -> Option<Diagnostic> {
    let kinds = [("context", &terms.context), ("fingerprints", &terms.fingerprints), ("texts", &terms.texts)];
    let kept: Vec<_> = kinds.iter().filter(|(_, list)| !list.is_empty()).map(|(kind, _)| format!("`{kind}`")).collect();
    if kept.is_empty() {
        return None;
    }
    let text = format!("{} of class `{}` are kept, but not searched for by this version", kept.join(", "), terms.class);
    let searched = !(terms.words.is_empty() && terms.dictionary.is_empty() && terms.expressions.is_empty());
    let help = if searched {
        "its words, dictionaries and expressions are searched for"
    } else {
        "add `words`, a `dictionary` or `expressions`, if the class shall be found now"
    };
    Some(note(terms.span, text, help))
}

/// Classes that rules name and that neither a detector nor the document can find.
fn unfound(model: &PolicyModel, definitions: &Definitions) -> BTreeSet<Term> {
    let tests = model.rules.iter().flat_map(|rule| &rule.keys.tests).filter(|test| test.dimension == Dimension::Data);
    let named = tests.flat_map(|test| &test.values).filter_map(|value| match value {
        KeyValue::Class { class, .. } => Some(class.clone()),
        _ => None,
    });
    let pack = Pack::builtin();
    let detected = pack.detectors().map(|detector| &detector.class);
    // What a document defines is searched for, or has a note of its own.
    let defined = definitions.classes.iter().map(|terms| &terms.class);
    let sealed = definitions.sealed.iter().map(|sealed| &sealed.class);
    // One recogniser stands in code.
    let code = class::SOURCE_CODE;
    let known: BTreeSet<&Term> = detected.chain(defined).chain(sealed).chain([&code]).collect();
    named.filter(|class| !known.contains(class)).collect()
}

fn is_range(value: &str) -> bool {
    let Some((address, length)) = value.split_once('/') else { return false };
    address.parse::<std::net::IpAddr>().is_ok() && length.parse::<u8>().is_ok()
}

/// Where a rule or definition first names this word.
fn place_of(document: &Document, word: &str) -> Option<Span> {
    let items = document.sections.iter().flat_map(|section| &section.items);
    let texts = items.flat_map(|item| -> Vec<&Text> {
        match item {
            Item::Block(block) if matches!(block.kind, BlockKind::Rule | BlockKind::Define) => {
                block.entries.iter().flat_map(|entry| std::iter::once(&entry.value).chain(&entry.items)).collect()
            }
            Item::Table(table) if table.caption.is_some() => {
                table.header.iter().chain(table.rows.iter().flatten()).collect()
            }
            _ => Vec::new(),
        }
    });
    let named = |text: &&Text| text.as_str().split([',', ' ', '"']).any(|part| part == word);
    texts.filter(|text| !text.as_str().is_empty()).find(named).map(Text::span)
}
