//! Bodies of fuzz targets: plain functions, which tests run over a corpus.

use crate::check::parse;
use crate::diagnostic::{Gravity, Report, sarif};
use crate::document::files::Files;

/// Any bytes as a policy document: reading is total, places lie inside the text, a model means no error.
pub fn document(bytes: &[u8]) {
    let source = String::from_utf8_lossy(bytes);
    let parsed = parse(&source);
    let files = Files::one("policy.md");
    let errors = parsed.diagnostics.iter().filter(|it| it.gravity == Gravity::Error).count();
    assert_eq!(parsed.model.is_some(), errors == 0);
    for diagnostic in &parsed.diagnostics {
        let related = diagnostic.related.iter().map(|(span, _)| *span);
        for span in std::iter::once(diagnostic.span).chain(related) {
            assert!(source.get(span.start..span.end).is_some(), "a place outside of the text: {diagnostic:?}");
        }
        assert!(diagnostic.render(&source, &files).contains("-->"));
        assert!(diagnostic.to_json(&source, &files).is_object());
    }
    let report = Report { text: &source, files: &files, diagnostics: &parsed.diagnostics };
    assert!(sarif("0", &[report]).is_object());
    if let Ok(formatted) = crate::format::format(&source) {
        assert_eq!(crate::format::format(&formatted), Ok(formatted), "layout is stable");
    }
    for example in &parsed.examples {
        let facts = crate::example::example_facts(example);
        assert!(source.get(example.span.start..example.span.end).is_some());
        assert!(facts.pending(writ_model::Dimension::Data) && !facts.pending(writ_model::Dimension::Who));
    }
}
