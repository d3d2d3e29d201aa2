//! Documents: what is read, what is refused, and how it is said.

mod diagnostics;
mod examples;
mod format;
mod general;
mod include;
mod model;
mod properties;
mod reference;
mod templates;
mod translation;

use writ_policy::document::files::Files;

/// A document with this body, in one clause.
fn document(body: &str) -> String {
    format!("---\nwrit: 1\n---\n\n## 1 Clause {{#clause}}\n\n{body}\n")
}

/// The diagnostics of a text as a person sees them.
fn rendered(source: &str) -> String {
    let parsed = writ_policy::parse(source);
    parsed.diagnostics.iter().map(|it| it.render(source, &Files::one("policy.md"))).collect::<Vec<_>>().join("\n")
}
