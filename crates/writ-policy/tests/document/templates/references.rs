//! Pointers from clause to clause: what is named is there.

use std::collections::BTreeSet;

use writ_policy::document::{Document, Item};

use super::Template;

/// Tables whose column with this heading lists numbers of clauses.
const POINTING: &[&str] = &["See", "Where in this policy"];

#[test]
fn every_clause_that_is_named_exists() {
    for template in Template::all() {
        let there = numbers(&template.parsed.document);
        for named in named(&template) {
            assert!(there.contains(&named), "{}: nothing has the number {named}", template.name);
        }
    }
}

#[test]
fn numbers_follow_one_another() {
    for template in Template::all() {
        let mut last = (0, 0);
        for section in &template.parsed.document.sections {
            let Some((chapter, clause)) = parts(&section.number) else { continue };
            let next = [(last.0 + 1, 0), (last.0, last.1 + 1)];
            assert!(next.contains(&(chapter, clause)), "{}: {} after {last:?}", template.name, section.number);
            last = (chapter, clause);
        }
    }
}

#[test]
fn citations_are_read_from_prose() {
    let text =
        "See clause 4.2. Under clauses 4.2, 4.9 and 8.1, or sections 3 to 5, section 43a(2) aside; the clause 'x'.";
    assert_eq!(cited(text), ["4.2", "4.2", "4.9", "8.1", "3", "5"]);
}

fn numbers(document: &Document) -> BTreeSet<String> {
    document.sections.iter().map(|section| section.number.clone()).filter(|number| !number.is_empty()).collect()
}

/// `4.2` as two numbers; a heading of the first level is `4`.
fn parts(number: &str) -> Option<(u32, u32)> {
    match number.split_once('.') {
        Some((chapter, clause)) => Some((chapter.parse().ok()?, clause.parse().ok()?)),
        None => Some((number.parse().ok()?, 0)),
    }
}

/// All clauses that the template points to. The table of sources speaks of laws, which have sections of their own.
fn named(template: &Template) -> Vec<String> {
    let mut all = Vec::new();
    for section in &template.parsed.document.sections {
        let law = section.id.as_ref().is_some_and(|id| *id == "sources");
        for item in &section.items {
            match item {
                Item::Prose(span) => all.extend(cited(span.of(&template.text))),
                Item::Table(table) if !law => {
                    all.extend(cited(table.span.of(&template.text)));
                    for (column, heading) in table.header.iter().enumerate() {
                        if POINTING.contains(&heading.as_str()) {
                            let cells = table.rows.iter().filter_map(|row| row.get(column));
                            all.extend(cells.flat_map(|cell| cell.as_str().split(", ").map(str::to_owned)));
                        }
                    }
                }
                _ => {}
            }
        }
    }
    all
}

/// Numbers after the words clause and section.
fn cited(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut listing = false;
    for word in text.split_whitespace() {
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
        let number =
            bare.chars().all(|c| c.is_ascii_digit() || c == '.') && bare.starts_with(|c: char| c.is_ascii_digit());
        match bare {
            "clause" | "clauses" | "section" | "sections" => listing = true,
            "and" | "to" | "or" if listing => {}
            _ if listing && number => {
                all.push(bare.to_owned());
                listing = !word.ends_with('.') && !word.ends_with(':');
            }
            _ => listing = false,
        }
    }
    all
}
