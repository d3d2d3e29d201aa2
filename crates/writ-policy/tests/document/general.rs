//! The template that ships.

use std::path::Path;

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
