//! Diagnostics as SARIF 2.1.0 (OASIS standard, 27 March 2020, errata 01), which code hosts and editors read.

use serde_json::{Value, json};

use super::{Code, Diagnostic, Gravity};
use crate::document::files::{Files, Place};
use crate::document::source::Span;

/// What is wrong with one text.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// The text to which places point.
    pub text: &'a str,
    /// The files that it is made of.
    pub files: &'a Files,
    /// What is wrong.
    pub diagnostics: &'a [Diagnostic],
}

/// One run as a SARIF log. `version` is that of Writ.
pub fn sarif(version: &str, reports: &[Report<'_>]) -> Value {
    let rules: Vec<_> = Code::ALL.iter().map(|code| rule(*code)).collect();
    let all = reports.iter().flat_map(|report| report.diagnostics.iter().map(move |it| (it, report)));
    let results: Vec<_> = all.map(|(it, report)| result(it, report.text, report.files)).collect();
    json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "writ policy check", "version": version, "rules": rules } },
            // Columns count characters; the default of the standard is UTF-16 code units.
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn rule(code: Code) -> Value {
    json!({
        "id": code.as_str(),
        "shortDescription": { "text": sentence(code.doc()) },
        "defaultConfiguration": { "level": level(code.gravity()) },
    })
}

fn result(diagnostic: &Diagnostic, text: &str, files: &Files) -> Value {
    let near = diagnostic.near.iter().map(|near| format!("Did you mean `{near}`?"));
    let help = diagnostic.help.iter().map(|help| sentence(help));
    let witness = diagnostic.witness.iter().map(|witness| format!("For example: {}", sentence(witness)));
    let message: Vec<_> =
        std::iter::once(sentence(&diagnostic.message)).chain(witness).chain(near).chain(help).collect();
    let related = diagnostic.related.iter().zip(1..).map(|((span, why), id)| {
        let mut location = location(files.place(text, *span), *span, text);
        if let Some(fields) = location.as_object_mut() {
            fields.insert("id".to_owned(), Value::from(id));
            fields.insert("message".to_owned(), json!({ "text": sentence(why) }));
        }
        location
    });
    json!({
        "ruleId": diagnostic.code.as_str(),
        "ruleIndex": Code::ALL.iter().position(|code| *code == diagnostic.code),
        "level": level(diagnostic.gravity),
        "message": { "text": message.join(" ") },
        "locations": [location(files.place(text, diagnostic.span), diagnostic.span, text)],
        "relatedLocations": related.collect::<Vec<_>>(),
    })
}

fn location(place: Place<'_>, span: Span, text: &str) -> Value {
    json!({
        "physicalLocation": {
            "artifactLocation": { "uri": uri(place.file) },
            "region": {
                "startLine": place.start.line,
                "startColumn": place.start.column,
                "endLine": place.end.line,
                "endColumn": place.end.column,
                "snippet": { "text": span.of(text) },
            },
        },
    })
}

const fn level(gravity: Gravity) -> &'static str {
    match gravity {
        Gravity::Error => "error",
        Gravity::Warning => "warning",
        Gravity::Note => "note",
    }
}

/// A message as the standard wants it: a capital and a full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|c| c.to_uppercase().collect::<String>()).unwrap_or_default();
    let end = if text.ends_with(['.', '?', '!', ':']) { "" } else { "." };
    format!("{first}{}{end}", letters.as_str())
}

/// A path as a relative or absolute reference (RFC 3986): what may not stand in one is percent-encoded.
fn uri(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.replace('\\', "/").bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    if uri.starts_with('/') { format!("file://{uri}") } else { uri }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_references() {
        assert_eq!(uri("policies/our policy.md"), "policies/our%20policy.md");
        assert_eq!(uri("/srv/r\u{fc}le.md"), "file:///srv/r%C3%BCle.md");
        assert_eq!(uri("a\\b:c.md"), "a/b%3Ac.md");
    }

    #[test]
    fn messages_are_sentences() {
        assert_eq!(sentence("no rule is `x`"), "No rule is `x`.");
        assert_eq!(sentence("did you?"), "Did you?");
        assert_eq!(sentence(""), ".");
    }
}
