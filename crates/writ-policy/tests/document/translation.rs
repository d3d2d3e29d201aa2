//! Language versions.

use std::collections::BTreeSet;

use writ_model::Term;
use writ_policy::document::files::Files;
use writ_policy::translation::{TranslationState, confirmed, draft, marks, read};
use writ_policy::{format, parse};

use super::document;

const PREVAILING: &str = "---
writ: 1
title: Rules
language: en
version: 2
owners: legal: general counsel
---

# Rules

## 1 Purpose {#purpose}

We use AI with care.

Mode: text-only. Reason: It states an aim.

## 2 Data {#data}

Names of customers must not leave.

| What    | approved | other |
|---------|----------|-------|
| plain   | allow    | coach |
| other   | block    | block |

Rule table: data by status.

### 2.1 Words {#words}

| Word | Meaning |
|------|---------|
| tool | an AI service |

Mode: text-only. Reason: It explains words.

## 3 What cannot be read {#opaque}

It is stopped.

```rule
signal: opaque
then:   block
```
";

fn said(translation: &str, prevailing: &str) -> String {
    let document = parse(prevailing).document;
    let version = read(translation, &document, prevailing);
    let files = Files::one("policy.de.md");
    version.diagnostics.iter().map(|it| it.render(translation, &files)).collect::<Vec<_>>().join("\n")
}

fn all(prevailing: &str) -> BTreeSet<Term> {
    parse(prevailing).document.clauses().map(|(id, _)| id.clone()).collect()
}

/// A draft in which everything is confirmed.
fn translated() -> String {
    let document = parse(PREVAILING).document;
    confirmed(&draft(&document, PREVAILING, "de"), &marks(&document, PREVAILING), &all(PREVAILING))
}

#[test]
fn a_draft_holds_prose_and_nothing_that_runs() {
    insta::assert_snapshot!(translated());
    assert_eq!(said(&translated(), PREVAILING), "");
}

#[test]
fn a_draft_is_not_confirmed_by_itself() {
    let document = parse(PREVAILING).document;
    let version = read(&draft(&document, PREVAILING, "de"), &document, PREVAILING);
    assert!(version.clauses.iter().all(|clause| clause.state == TranslationState::Unconfirmed));
    assert_eq!(version.diagnostics.len(), 4);
}

#[test]
fn a_changed_clause_makes_its_translation_stale_and_no_other() {
    for (from, to) in [
        ("Names of customers must", "Names of customers and staff must"),
        ("| other   | block    | block |", "| other   | allow    | block |"),
        ("## 2 Data {", "## 2 Our data {"),
    ] {
        let changed = PREVAILING.replace(from, to);
        let document = parse(&changed).document;
        let version = read(&translated(), &document, &changed);
        let stale: Vec<_> = version
            .clauses
            .iter()
            .filter(|clause| clause.state == TranslationState::Stale)
            .map(|it| it.id.as_str())
            .collect();
        assert_eq!(stale, ["data"], "{to}");
    }
}

#[test]
fn layout_makes_no_translation_stale() {
    let untidy =
        PREVAILING.replace("| plain   |", "|  plain|").replace("signal: opaque", "signal:    opaque   # all kinds");
    let tidy = format(&untidy).unwrap();
    for source in [untidy.replace('\n', "\r\n"), tidy] {
        assert_eq!(said(&translated(), &source), "");
    }
}

#[test]
fn confirming_one_clause_leaves_the_others() {
    let changed = PREVAILING.replace("customers", "clients").replace("with care", "well");
    let document = parse(&changed).document;
    let again = confirmed(&translated(), &marks(&document, &changed), &[Term::from("data")].into());
    let version = read(&again, &document, &changed);
    let stale: Vec<_> =
        version.clauses.iter().filter(|it| it.state != TranslationState::Current).map(|it| it.id.as_str()).collect();
    assert_eq!(stale, ["purpose"]);
    let twice = confirmed(&again, &marks(&document, &changed), &[Term::from("data")].into());
    assert_eq!(again, twice);
}

#[test]
fn faults_of_language_versions() {
    let faults = [
        ("front matter", translated().replace("prevails: en", "prevails: fr\nversion: 1\nposture: other block")),
        ("same language", translated().replace("language: de", "language: en")),
        ("missing and extra", translated().replace("{#purpose}", "{#purpos}")),
        ("a number that changed", translated().replace("## 3 What", "## 4 What")),
        (
            "changed",
            translated().replace("  - data ", "  - data 0").replace("opaque ", "opaque 0123456789abcdef\n  - none "),
        ),
        (
            "more than prose",
            translated()
                + "\n| Was   | approved |\n|-------|----------|\n| plain | block    |\n\nMode: process.\n\n```rule\nthen: block\n```\n",
        ),
    ];
    let page: Vec<_> = faults.iter().map(|(name, text)| format!("=== {name}\n{}", said(text, PREVAILING))).collect();
    insta::assert_snapshot!(page.join("\n"));
}

#[test]
fn a_language_version_alone_decides_nothing() {
    let parsed = parse(&translated());
    assert_eq!(parsed.model, None);
    let said: Vec<_> = parsed.diagnostics.iter().map(|it| it.code.as_str()).collect();
    assert_eq!(said, ["translation-alone"]);
    let prevailing =
        document("Mode: text-only. Reason: x.").replace("writ: 1\n", "writ: 1\ntranslated: clause 0123456789abcdef\n");
    let said: Vec<_> = parse(&prevailing).diagnostics.iter().map(|it| it.code.as_str()).collect();
    assert_eq!(said, ["wrong-place"]);
}
