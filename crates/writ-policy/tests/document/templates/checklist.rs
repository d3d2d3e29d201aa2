//! The checklist of a complete policy: every template answers every question, and a page shows where.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use writ_policy::document::BlockKind;
use writ_policy::rule::ClauseModel;

use super::{Template, folder, updating};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Checklist {
    question: Vec<Question>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    id: String,
    asks: String,
    clauses: Vec<String>,
}

fn checklist() -> Checklist {
    toml::from_str(&fs::read_to_string(folder().join("checklist.toml")).unwrap()).unwrap()
}

fn clauses(template: &Template) -> Vec<ClauseModel> {
    template.parsed.model.clone().unwrap().clauses
}

#[test]
fn the_checklist_has_41_questions() {
    let ids: Vec<String> = checklist().question.into_iter().map(|question| question.id).collect();
    assert_eq!(ids, (1..=41).map(|number| format!("C{number}")).collect::<Vec<_>>());
}

#[test]
fn every_template_answers_every_question() {
    let checklist = checklist();
    for template in Template::all() {
        let ids: BTreeSet<String> = clauses(&template).iter().map(|clause| clause.id.to_string()).collect();
        for Question { id, asks, clauses } in &checklist.question {
            assert!(
                clauses.iter().any(|clause| ids.contains(clause)),
                "{}: nothing answers {id}, {asks}",
                template.name
            );
        }
    }
}

#[test]
fn every_clause_answers_a_question_and_every_answer_exists() {
    let named: BTreeSet<String> = checklist().question.into_iter().flat_map(|question| question.clauses).collect();
    let there: BTreeSet<String> =
        Template::all().iter().flat_map(clauses).map(|clause| clause.id.to_string()).collect();
    assert_eq!(there, named);
}

/// A clause that stands in every template has one number, so that people who read two of them find their way.
#[test]
fn what_all_templates_have_stands_in_the_same_place() {
    let mut numbers: BTreeMap<String, BTreeMap<&str, String>> = BTreeMap::new();
    let templates = Template::all();
    for template in &templates {
        for clause in clauses(template) {
            numbers.entry(clause.id.to_string()).or_default().insert(template.name, clause.number);
        }
    }
    for (id, places) in numbers.iter().filter(|(_, places)| places.len() == templates.len()) {
        let distinct: BTreeSet<&String> = places.values().collect();
        assert_eq!(distinct.len(), 1, "`{id}` stands at {places:?}");
    }
}

#[test]
fn the_page_of_templates_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/templates.md");
    let page = page();
    if updating() {
        fs::write(&path, &page).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == page, "docs/reference/templates.md is out of date: run with WRIT_UPDATE=1");
}

fn page() -> String {
    let templates = Template::all();
    let mut page = String::from(
        "# Policy templates: what they answer\n\n\
         This page is made from `catalog/policies`; do not edit it. `cargo xtask codegen` writes it again.\n\n\
         | template | title | clauses | rules and cells | examples | assertions | sources of law |\n\
         |---|---|--:|--:|--:|--:|--:|\n",
    );
    for template in &templates {
        let model = template.parsed.model.as_ref().unwrap();
        let title = template.parsed.document.front.title.clone().unwrap_or_default();
        let assertions: usize = template
            .blocks(BlockKind::Prove)
            .flat_map(|(_, block)| &block.entries)
            .map(|entry| entry.items.len())
            .sum();
        writeln!(
            page,
            "| [{0}](../../catalog/policies/{0}.md) | {title} | {1} | {2} | {3} | {assertions} | {4} |",
            template.name,
            model.clauses.len(),
            model.rules.len(),
            template.parsed.examples.len(),
            super::law::count(template),
        )
        .unwrap();
    }
    page.push_str(
        "\nEach question of the checklist with the clauses that answer it, and the mode that makes each clause true. Where no\n\
         template is named, the clause stands in all of them. \"Detected\" and \"attested\" stop nothing.\n\n\
         | # | question | answered by |\n|---|---|---|\n",
    );
    for question in checklist().question {
        let answers: Vec<String> = question.clauses.iter().map(|id| answer(&templates, id)).collect();
        writeln!(page, "| {} | {} | {} |", question.id, question.asks, answers.join("; ")).unwrap();
    }
    page
}

/// One clause: number, id and mode, and in which templates.
fn answer(templates: &[Template], id: &str) -> String {
    let mut places: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for template in templates {
        if let Some(clause) = clauses(template).into_iter().find(|clause| clause.id == *id) {
            let place = format!("{} `{id}`, {}", clause.number, clause.mode.as_str());
            places.entry(place).or_default().push(template.name);
        }
    }
    let one = |(place, names): (&String, &Vec<&str>)| {
        if names.len() == templates.len() { place.clone() } else { format!("{place} ({})", names.join(", ")) }
    };
    places.iter().map(one).collect::<Vec<_>>().join("; ")
}
