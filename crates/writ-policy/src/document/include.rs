//! Included files: put in before anything is read, so that what is hashed and signed is one text.

use crate::diagnostic::{Code, Diagnostic, Problems};
use crate::document::files::Files;
use crate::document::source::{Span, lines};
use crate::document::{Block, BlockKind, Document, limits};

/// A text with its included files put in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assembled {
    /// The text: what is read, hashed and signed. Blocks whose file could not be put in stand as they were.
    pub text: String,
    /// The files that it is made of, for places.
    pub files: Files,
    /// What could not be put in, with places in `text`. With any of them the text is not that of a policy.
    pub diagnostics: Vec<Diagnostic>,
}

/// Replaces each `include` block of the file `name` by the text of the file it names, as the line before and after it
/// stand. `file` returns the text of a file by the name in the document; it decides which names it serves.
pub fn assemble(name: &str, source: &str, file: &mut dyn FnMut(&str) -> Option<String>) -> Assembled {
    let mut assembly = Assembly {
        file,
        open: vec![name.to_owned()],
        included: 0,
        text: String::new(),
        files: Files::one(name),
        problems: Problems::default(),
    };
    assembly.put_in(source);
    Assembled { text: assembly.text, files: assembly.files, diagnostics: assembly.problems.into_sorted() }
}

struct Assembly<'f> {
    file: &'f mut dyn FnMut(&str) -> Option<String>,
    /// The files that stand inside each other here, the outermost first.
    open: Vec<String>,
    included: usize,
    text: String,
    files: Files,
    problems: Problems,
}

impl Assembly<'_> {
    /// Adds the text of the innermost open file.
    fn put_in(&mut self, source: &str) {
        let document = Document::read(source, &mut Problems::default());
        let mut from = 0;
        for (_, block) in document.blocks(BlockKind::Include) {
            self.piece(source, from, block.span.start);
            from = block.span.end;
            match self.included(block) {
                Ok((name, text)) => {
                    self.open.push(name);
                    self.put_in(text.trim_end_matches(['\n', '\r']));
                    self.open.pop();
                }
                Err(problem) => {
                    let start = self.text.len();
                    self.piece(source, block.span.start, block.span.end);
                    let shift = |span: Span| {
                        Span::new(span.start - block.span.start + start, span.end - block.span.start + start)
                    };
                    let added = self.problems.add(problem.code, shift(problem.span), problem.text);
                    if let Some(help) = problem.help {
                        added.help(help);
                    }
                }
            }
        }
        self.piece(source, from, source.len());
    }

    /// Adds a part of the innermost open file.
    fn piece(&mut self, source: &str, from: usize, to: usize) {
        let text = source.get(from..to).unwrap_or_default();
        let line = Span::at(from).position(source).line;
        if let Some(name) = self.open.last() {
            self.files.add(self.text.len(), name, line);
        }
        self.text.push_str(text);
    }

    /// The file that a block names.
    fn included(&mut self, block: &Block) -> Result<(String, String), Problem> {
        let Some(entry) = block.entry("file") else {
            return Err(
                Problem::new(Code::MissingKey, block.opening, "this block names no file").help("add `file: NAME`")
            );
        };
        let (name, span) = (entry.value.as_str().trim_matches('"'), entry.span());
        if self.open.iter().any(|open| open == name) {
            let round = self.open.iter().map(String::as_str).skip_while(|open| *open != name).chain([name]);
            let round: Vec<_> = round.map(|name| format!("`{name}`")).collect();
            let text = format!("{}: a file cannot stand in itself", round.join(" includes "));
            return Err(Problem::new(Code::NotIncluded, span, text));
        }
        self.included += 1;
        if !limits::INCLUDE_DEPTH.admits(self.open.len()) {
            let text = format!("files include each other more than {} levels deep", limits::INCLUDE_DEPTH.value());
            return Err(Problem::new(Code::Limit, span, text));
        }
        if !limits::INCLUDES.admits(self.included) {
            let text = format!("this text includes more than {} files", limits::INCLUDES.value());
            return Err(Problem::new(Code::Limit, span, text));
        }
        let Some(text) = (self.file)(name) else {
            let help = "files are looked for in the folder of the document and below it";
            return Err(Problem::new(Code::NotIncluded, span, format!("there is no file `{name}`")).help(help));
        };
        if !limits::TEXT.admits(self.text.len().saturating_add(text.len())) {
            let text = format!("with `{name}` this text has more than {} bytes", limits::TEXT.value());
            return Err(Problem::new(Code::Limit, span, text));
        }
        let front = lines(&text).first().is_some_and(|line| line.text.trim_end() == "---");
        if front {
            let problem = Problem::new(Code::WrongPlace, span, format!("`{name}` has front matter of its own"));
            return Err(problem.help("only the including text has front matter"));
        }
        Ok((name.to_owned(), text))
    }
}

/// A diagnostic with its place in the file that is being put in.
struct Problem {
    code: Code,
    span: Span,
    text: String,
    help: Option<&'static str>,
}

impl Problem {
    fn new(code: Code, span: Span, text: impl Into<String>) -> Self {
        Self { code, span, text: text.into(), help: None }
    }

    fn help(self, help: &'static str) -> Self {
        Self { help: Some(help), ..self }
    }
}
