//! Bodies of fuzz targets: plain functions, which tests run over a corpus.

use crate::check::parse;
use crate::diagnostic::Gravity;

/// Any bytes as a policy document: reading is total, places lie inside the text, a model means no error.
pub fn document(bytes: &[u8]) {
    let source = String::from_utf8_lossy(bytes);
    let parsed = parse(&source);
    let errors = parsed.diagnostics.iter().filter(|it| it.gravity == Gravity::Error).count();
    assert_eq!(parsed.model.is_some(), errors == 0);
    for diagnostic in &parsed.diagnostics {
        let related = diagnostic.related.as_ref().map(|(span, _)| *span);
        for span in std::iter::once(diagnostic.span).chain(related) {
            assert!(source.get(span.start..span.end).is_some(), "a place outside of the text: {diagnostic:?}");
        }
        assert!(diagnostic.render(&source, "policy.md").contains("-->"));
        assert!(diagnostic.to_json(&source, "policy.md").is_object());
    }
    for example in &parsed.examples {
        let facts = crate::example::example_facts(example);
        assert!(source.get(example.span.start..example.span.end).is_some());
        assert!(facts.pending(writ_model::Dimension::Data) && !facts.pending(writ_model::Dimension::Who));
    }
}
