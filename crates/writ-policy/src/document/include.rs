//! Included files: put in before anything is read, so that what is hashed and signed is one text.

use crate::diagnostic::{Code, Diagnostic, Problems};
use crate::document::source::{Span, lines};
use crate::document::{BlockKind, Document, limits};

/// Replaces each `include` block by the text of the file it names. `file` returns the text of a file by the name in
/// the document; it decides which names it serves.
///
/// # Errors
/// Diagnostics with places in `source`: a file that `file` does not have, files that include each other, or too many.
pub fn assemble(source: &str, file: &mut dyn FnMut(&str) -> Option<String>) -> Result<String, Vec<Diagnostic>> {
    let mut assembly = Assembly { file, open: Vec::new(), files: 0, problems: Problems::default() };
    let text = assembly.put_in(source, None);
    let problems = assembly.problems.into_sorted();
    if problems.is_empty() { Ok(text) } else { Err(problems) }
}

struct Assembly<'f> {
    file: &'f mut dyn FnMut(&str) -> Option<String>,
    open: Vec<String>,
    files: usize,
    problems: Problems,
}

impl Assembly<'_> {
    /// `place`: the block of the outermost text, for diagnostics about what stands inside files.
    fn put_in(&mut self, source: &str, place: Option<Span>) -> String {
        let document = Document::read(source, &mut Problems::default());
        let mut text = String::new();
        let mut from = 0;
        for (_, block) in document.blocks(BlockKind::Include) {
            text.push_str(source.get(from..block.span.start).unwrap_or_default());
            from = block.span.end;
            let place = place.unwrap_or(block.span);
            match block.entry("file").map(|entry| entry.value.as_str().trim_matches('"')) {
                Some(name) => text.push_str(&self.file(name, place)),
                None => {
                    self.problems.add(Code::MissingKey, place, "this block names no file").help("add `file: NAME`");
                }
            }
        }
        text.push_str(source.get(from..).unwrap_or_default());
        text
    }

    fn file(&mut self, name: &str, place: Span) -> String {
        self.files += 1;
        let refusal = if self.open.iter().any(|open| open == name) {
            Some((Code::NotIncluded, format!("`{name}` includes itself")))
        } else if !limits::INCLUDE_DEPTH.admits(self.open.len() + 1) || !limits::INCLUDES.admits(self.files) {
            Some((Code::Limit, format!("too many included files at `{name}`")))
        } else {
            None
        };
        if let Some((code, text)) = refusal {
            self.problems.add(code, place, text);
            return String::new();
        }
        let Some(text) = (self.file)(name) else {
            self.problems.add(Code::NotIncluded, place, format!("there is no file `{name}`"));
            return String::new();
        };
        if lines(&text).first().is_some_and(|line| line.text.trim_end() == "---") {
            let problem = self.problems.add(Code::WrongPlace, place, format!("`{name}` has front matter of its own"));
            problem.help("only the including text has front matter");
        }
        self.open.push(name.to_owned());
        let text = self.put_in(&text, Some(place));
        self.open.pop();
        text.trim_end_matches(['\n', '\r']).to_owned()
    }
}
