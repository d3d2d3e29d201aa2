//! The reference pages.

use std::collections::BTreeSet;
use std::path::Path;

use writ_base::Moment;
use writ_model::Category;
use writ_policy::analyse::{Finding, report};
use writ_policy::diagnostic::{ENTRIES, Example};
use writ_policy::diagram::World;
use writ_policy::document::include::assemble;
use writ_policy::eval::Policy;
use writ_policy::{Code, Diagnostic, Gravity, parse, translation};

/// The committed page, written anew where that is asked for.
fn current(name: &str, page: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference").join(name);
    if std::env::var_os("WRIT_UPDATE").is_some_and(|value| value == "1") {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, page).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == page, "docs/reference/{name} is out of date: run with WRIT_UPDATE=1");
}

#[test]
fn the_reference_page_is_current() {
    current("policy-language.md", &writ_policy::reference::reference_page());
}

#[test]
fn the_page_of_diagnostics_is_current() {
    current("diagnostics.md", &writ_policy::diagnostic::page());
}

#[test]
fn the_reference_page_has_no_empty_meaning() {
    let page = writ_policy::reference::reference_page();
    assert!(page.lines().all(|line| !line.starts_with("| `") || line.matches('|').count() >= 3), "{page}");
}

#[test]
fn every_code_is_explained_once() {
    let explained: Vec<Code> = ENTRIES.iter().map(|entry| entry.code).collect();
    assert_eq!(explained, Code::ALL, "entries stand in the order of the codes");
}

/// What an example is said to have, as far as the document alone shows it.
fn said(example: Example) -> Vec<Diagnostic> {
    let source = example.document();
    match example {
        Example::Clause(_) | Example::Text(_) | Example::Run(_) | Example::Beside(_) => parse(&source).diagnostics,
        Example::Proved(_) => {
            let parsed = parse(&source);
            assert_eq!(parsed.diagnostics, []);
            let policy = Policy::compile(parsed.model.clone().unwrap(), parsed.hash).unwrap();
            let services = [("chatgpt".into(), Category::PublicChat)].into();
            let world = World { services, ..World::default() };
            let report = report(&policy, &parsed, &world, Moment::from_seconds(1_800_000_000));
            report.findings.iter().map(Finding::diagnostic).collect()
        }
        Example::Included(_, file) => {
            let assembled = assemble("policy.md", &source, &mut |_| file.map(str::to_owned));
            let parsed = parse(&assembled.text).diagnostics;
            if assembled.diagnostics.is_empty() { parsed } else { assembled.diagnostics }
        }
        Example::Translation(..) => {
            let prevailing = parse(&source);
            assert_eq!(prevailing.diagnostics, []);
            translation::read(&example.translation().unwrap(), &prevailing.document, &source).diagnostics
        }
    }
}

#[test]
fn each_example_has_its_diagnostic_and_no_other() {
    let mut wrong = Vec::new();
    for entry in ENTRIES {
        let said: BTreeSet<&str> = said(entry.example).iter().map(|it| it.code.as_str()).collect();
        let wanted: BTreeSet<&str> = match entry.example {
            // The command runs these, or they need something beside them; other tests look at them.
            Example::Run(_) | Example::Beside(_) => BTreeSet::new(),
            _ => [entry.code.as_str()].into(),
        };
        if said != wanted {
            wrong.push((entry.code.as_str(), said));
        }
    }
    assert_eq!(wrong, [], "each with what its example has");
}

#[test]
fn a_policy_runs_exactly_where_no_diagnostic_is_an_error() {
    for entry in ENTRIES {
        let parsed = parse(&entry.example.document());
        let errors = parsed.diagnostics.iter().any(|it| it.gravity == Gravity::Error);
        assert_eq!(parsed.model.is_none(), errors, "{}", entry.code.as_str());
    }
}
