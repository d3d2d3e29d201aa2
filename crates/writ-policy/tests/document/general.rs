//! The template that ships.

use std::path::Path;

use writ_base::Moment;
use writ_policy::analyse::report;
use writ_policy::diagram::World;
use writ_policy::document::files::Files;

#[test]
fn the_general_template_has_no_diagnostic() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalog/policies/general.md");
    let source = std::fs::read_to_string(path).unwrap();
    let parsed = writ_policy::parse(&source);
    let said: String = parsed.diagnostics.iter().map(|it| it.render(&source, &Files::one("general.md"))).collect();
    assert!(said.is_empty(), "\n{said}");
    let model = parsed.model.unwrap();
    assert!(model.rules.len() > 50 && model.clauses.len() > 30);
    assert!(!parsed.examples.is_empty());
    writ_policy::eval::Policy::compile(model, parsed.hash).unwrap();
}

#[test]
fn the_analyser_finds_nothing_in_the_general_template() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalog/policies/general.md");
    let source = std::fs::read_to_string(path).unwrap();
    let parsed = writ_policy::parse(&source);
    let policy = writ_policy::eval::Policy::compile(parsed.model.clone().unwrap(), parsed.hash).unwrap();
    let report = report(&policy, &parsed, &World::default(), Moment::from_seconds(1_800_000_000));
    let said: Vec<String> = report
        .findings
        .iter()
        .map(|it| {
            let line = it.span.position(&source).line;
            let witness = it.witness.as_ref().map(ToString::to_string).unwrap_or_default();
            format!("{}: line {line}: {}\n  {witness}", it.code.as_str(), it.message)
        })
        .collect();
    assert!(report.unproved.is_none());
    assert!(report.findings.is_empty(), "\n{}", said.join("\n"));
    assert!(report.gaps.none(), "{:?}", report.gaps);
    assert!(report.proof.holds() && report.proof.assertions.len() >= 5);
}
