//! Law in templates for a field: dated facts with a place where they can be read, and nothing cited that is not in the
//! list.

use std::collections::BTreeSet;

use writ_policy::document::source::Text;
use writ_policy::document::{BlockKind, Item, Table};

use super::Template;

/// A line of the list of sources.
struct Source {
    id: String,
    title: String,
    /// The date of the text on which the policy rests.
    text_of: String,
    read_at: String,
}

/// How many sources a template lists.
pub(super) fn count(template: &Template) -> usize {
    tables(template, "sources").map(|table| table.rows.len()).sum()
}

fn sources(template: &Template) -> Vec<Source> {
    let table = tables(template, "sources").next().unwrap();
    let header: Vec<_> = table.header.iter().map(|cell| cell.as_str()).collect();
    assert_eq!(header, ["Id", "Source", "Text of", "Can be read at"], "{}", template.name);
    let read = |row: &Vec<Text>| {
        let cells: Vec<String> = row.iter().map(|cell| cell.as_str().to_owned()).collect();
        let [id, title, text_of, read_at] = <[String; 4]>::try_from(cells).unwrap();
        Source { id, title, text_of, read_at }
    };
    table.rows.iter().map(read).collect()
}

#[test]
fn every_source_has_a_date_and_a_place() {
    for template in Template::fields() {
        let mut ids = BTreeSet::new();
        for source in sources(&template) {
            assert!(ids.insert(source.id.clone()), "{}: `{}` twice", template.name, source.id);
            assert!(is_date(&source.text_of), "{}: `{}` has no date", template.name, source.id);
            assert!(source.read_at.len() > 5, "{}: `{}` cannot be read anywhere", template.name, source.id);
        }
        let list = template.clause("sources").flat_map(|section| &section.items).find_map(|item| match item {
            Item::Prose(span) => Some(span.of(&template.text)),
            _ => None,
        });
        let made = list.unwrap().split("put together on ").nth(1).unwrap();
        assert!(made.get(..10).is_some_and(is_date), "{}: the list itself has no date", template.name);
    }
}

#[test]
fn what_is_cited_is_in_the_list_and_the_list_is_used() {
    for template in Template::fields() {
        let sources = sources(&template);
        let mut cited = reasons(&template);
        for table in tables(&template, "annexes") {
            let last = table.rows.iter().filter_map(|row| row.last());
            cited.extend(last.flat_map(|cell| cell.as_str().split(", ").map(str::to_owned)));
        }
        for id in &cited {
            assert!(sources.iter().any(|source| source.id == *id), "{}: no source `{id}`", template.name);
        }
        let laws = laws(&template);
        for law in &laws {
            let listed = sources.iter().any(|source| source.title.contains(law.as_str()));
            assert!(listed, "{}: `{law}` is not in the list of sources", template.name);
        }
        for source in &sources {
            let said = laws.iter().any(|law| source.title.contains(law.as_str())) || source.title.contains("(clause ");
            assert!(cited.contains(&source.id) || said, "{}: nothing rests on `{}`", template.name, source.id);
        }
    }
}

/// Laws are found by how they are cited.
#[test]
fn laws_are_read_from_prose() {
    let text = "It is due (Regulation (EU) 2016/679, Article 33), or 45 CFR 164.404. See Regulation (EU) No 596/2014, and \
                31 U.S.C. 5318(g)(2).";
    let expected =
        ["31 U.S.C. 5318(g)(2)", "45 CFR 164.404", "Regulation (EU) 2016/679", "Regulation (EU) No 596/2014"];
    assert_eq!(laws_in(text).into_iter().collect::<Vec<_>>(), expected);
}

fn is_date(text: &str) -> bool {
    let parts: Vec<Option<u32>> = text.split('-').map(|part| part.parse().ok()).collect();
    text.len() == 10 && matches!(parts.as_slice(), [Some(1900..=2100), Some(1..=12), Some(1..=31)])
}

fn tables<'t>(template: &'t Template, clause: &'t str) -> impl Iterator<Item = &'t Table> {
    template.clause(clause).flat_map(|section| &section.items).filter_map(|item| match item {
        Item::Table(table) => Some(table),
        _ => None,
    })
}

/// What rules and controls rest on.
fn reasons(template: &Template) -> BTreeSet<String> {
    let blocks = template.blocks(BlockKind::Rule).chain(template.blocks(BlockKind::Control));
    let because = blocks.filter_map(|(_, block)| block.entry("because"));
    because.flat_map(|entry| entry.value.as_str().split(',').map(|id| id.trim().to_owned())).collect()
}

fn laws(template: &Template) -> BTreeSet<String> {
    let sections = template.parsed.document.sections.iter();
    let items =
        sections.filter(|section| section.id.as_ref().is_none_or(|id| *id != "sources")).flat_map(|it| &it.items);
    let spans = items.filter_map(|item| match item {
        Item::Prose(span) => Some(*span),
        Item::Table(table) => Some(table.span),
        _ => None,
    });
    spans.flat_map(|span| laws_in(span.of(&template.text))).collect()
}

fn laws_in(text: &str) -> BTreeSet<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let bare = |word: &str| word.trim_end_matches([',', '.', ';', ':']).trim_start_matches('(').to_owned();
    let mut all = BTreeSet::new();
    for (at, word) in words.iter().enumerate() {
        let after = |many: usize| words.get(at + many).map(|word| bare(word));
        match bare(word).as_str() {
            kind @ ("Regulation" | "Directive")
                if after(1).as_deref() == Some("(EU)") || words.get(at + 1) == Some(&"(EU)") =>
            {
                let number = match after(2).as_deref() {
                    Some("No") => format!("No {}", after(3).unwrap_or_default()),
                    Some(number) => number.to_owned(),
                    None => continue,
                };
                all.insert(format!("{kind} (EU) {}", number.trim_end_matches(')')));
            }
            code @ ("CFR" | "U.S.C") if at > 0 => {
                let title = words.get(at - 1).map(|word| bare(word)).unwrap_or_default();
                let code = if code == "CFR" { "CFR" } else { "U.S.C." };
                let number = after(1).unwrap_or_default();
                let number = if number.contains('(') { number } else { number.trim_end_matches(')').to_owned() };
                all.insert(format!("{title} {code} {number}"));
            }
            _ => {}
        }
    }
    all
}
