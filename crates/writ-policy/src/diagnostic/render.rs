//! Diagnostics for the terminal.

use std::fmt::Write as _;

use super::Diagnostic;
use crate::document::files::Files;
use crate::document::source::Span;

/// Message, place, excerpt with a mark, help.
pub(super) fn page(diagnostic: &Diagnostic, source: &str, files: &Files) -> String {
    let Diagnostic { span, code, gravity, message, near, help, related, regions, witness } = diagnostic;
    let mut page = format!("{}[{}]: {message}\n", gravity.as_str(), code.as_str());
    let places = || std::iter::once(span).chain(related.iter().map(|(span, _)| span));
    let lines = places().map(|span| files.place(source, *span).start.line);
    let gutter = lines.max().unwrap_or(1).to_string().len();
    excerpt(&mut page, source, files, *span, "", gutter);
    for (span, why) in related {
        excerpt(&mut page, source, files, *span, why, gutter);
    }
    for region in regions {
        let _ = writeln!(page, "where: {region}");
    }
    if let Some(witness) = witness {
        let _ = writeln!(page, "for example: {witness}");
    }
    if let Some(near) = near {
        let _ = writeln!(page, "help: did you mean `{near}`?");
    }
    if let Some(help) = help {
        let _ = writeln!(page, "help: {help}");
    }
    page
}

/// The longest excerpt of a line in characters; the rest is left out.
const EXCERPT_CHARS: usize = 160;

fn excerpt(page: &mut String, source: &str, files: &Files, span: Span, why: &str, gutter: usize) {
    let place = files.place(source, span);
    let start = source.get(..span.start).and_then(|before| before.rfind('\n')).map_or(0, |end| end + 1);
    let line = source.get(start..).and_then(|rest| rest.split('\n').next()).unwrap_or_default().trim_end_matches('\r');
    let marked = span.of(source).split('\n').next().unwrap_or_default().trim_end_matches('\r').chars().count().max(1);
    let first = place.start.column.saturating_sub(1);
    let skipped = if first < EXCERPT_CHARS { 0 } else { first - EXCERPT_CHARS / 2 };
    // A tab would shift the mark; characters that cannot be seen are shown as such.
    let shown: String = line.chars().skip(skipped).take(EXCERPT_CHARS).map(visible).collect();
    let marks = "^".repeat(marked.min(EXCERPT_CHARS.saturating_sub(first - skipped)).max(1));
    let why = if why.is_empty() { String::new() } else { format!(" {why}") };
    let (empty, number) = (" ".repeat(gutter), place.start.line);
    let _ = writeln!(page, "{empty}--> {}:{number}:{}", place.file, place.start.column);
    let _ = writeln!(page, "{empty} |");
    let _ = writeln!(page, "{number:>gutter$} | {}", shown.trim_end());
    let _ = writeln!(page, "{empty} | {}{marks}{why}", " ".repeat(first - skipped));
}

fn visible(c: char) -> char {
    match c {
        '\t' => ' ',
        c if crate::document::invisible(c) => '\u{fffd}',
        c => c,
    }
}
