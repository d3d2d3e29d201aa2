//! Diagnostics as a person reads them.

use writ_policy::diagnostic::{Diagnostic, Gravity};
use writ_policy::document::files::Files;

use crate::cli::Output;

/// Writes diagnostics, one after the other, with an empty line behind each.
pub(super) fn write(diagnostics: &[Diagnostic], text: &str, files: &Files, output: &mut Output) -> anyhow::Result<()> {
    for diagnostic in diagnostics {
        let page = diagnostic.render(text, files);
        let word = diagnostic.gravity.as_str();
        output.text(&output.verdict(diagnostic.gravity == Gravity::Note, word))?;
        output.line(page.strip_prefix(word).unwrap_or(&page))?;
    }
    Ok(())
}

/// How many of these diagnostics have this gravity.
pub(super) fn count(diagnostics: &[Diagnostic], gravity: Gravity) -> usize {
    diagnostics.iter().filter(|diagnostic| diagnostic.gravity == gravity).count()
}
