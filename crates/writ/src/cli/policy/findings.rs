//! Findings of the analyser, as diagnostics of the document are shown.

use std::fmt::Write as _;

use serde_json::{Value, json};
use writ_policy::analyse::{Finding, Witness};
use writ_policy::document::source::Span;

/// For the terminal: message, place, what shows it, what to do. The first word is left to the caller, who may colour it.
pub(super) fn render(finding: &Finding, source: &str, name: &str) -> String {
    let mut page = format!("[{}]: {}\n", finding.kind.as_str(), finding.message);
    if finding.span != Span::default() {
        let place = finding.span.position(source);
        let line = source.split('\n').nth(place.line - 1).unwrap_or_default();
        let gutter = " ".repeat(place.line.to_string().len());
        let _ = writeln!(page, "{gutter}--> {name}:{}:{}", place.line, place.column);
        let _ = writeln!(page, "{gutter} |\n{} | {}\n{gutter} |", place.line, line.trim_end());
    }
    for region in &finding.regions {
        let _ = writeln!(page, "where: {region}");
    }
    if let Some(witness) = &finding.witness {
        let _ = writeln!(page, "for example: {witness}");
    }
    let _ = writeln!(page, "help: {}", finding.help);
    page
}

/// For programs.
pub(super) fn to_json(finding: &Finding, source: &str, name: &str) -> Value {
    let span = finding.span;
    let place = (span != Span::default())
        .then(|| json!({ "file": name, "start": span.position(source), "end": Span::at(span.end).position(source) }));
    json!({
        "code": finding.kind.as_str(),
        "severity": finding.kind.gravity(),
        "message": finding.message,
        "rule": finding.rule.as_ref().map(|(clause, number)| json!({ "clause": clause, "rule": number })),
        "place": place,
        "where": finding.regions,
        "witness": finding.witness.as_ref().map(Witness::to_json),
        "help": finding.help,
    })
}
