//! Diagnostics: what is wrong with a document, where, and what to do.

mod codes;
mod entries;
mod page;
mod render;
mod sarif;

use serde::Serialize;
use serde_json::{Value, json};

use crate::document::files::Files;
use crate::document::limits;
use crate::document::source::Span;

pub use codes::Code;
pub use entries::{ENTRIES, Entry, Example};
pub use page::page;
pub use sarif::{Report, sarif};

/// One thing that is wrong, with its place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Diagnostic {
    /// Where.
    pub span: Span,
    /// What kind; stable.
    pub code: Code,
    /// Whether the policy can run.
    pub gravity: Gravity,
    /// What is wrong: lower case, no full stop.
    pub message: String,
    /// The known word that was probably meant.
    pub near: Option<String>,
    /// What to do.
    pub help: Option<String>,
    /// Other places that matter, each with the reason.
    pub related: Vec<(Span, String)>,
    /// The situations that it is about, as lines of keys, where the analyser found it.
    pub regions: Vec<String>,
    /// A situation that shows it, in words.
    pub witness: Option<String>,
}

/// Whether a policy with this diagnostic can run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Gravity {
    /// It cannot: there is no model.
    Error,
    /// It can, but probably says something else than was meant.
    Warning,
    /// It can, and says what was meant; something about it is worth knowing.
    Note,
}

impl Gravity {
    /// The word that starts a rendered diagnostic; also the level in SARIF.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

impl Diagnostic {
    /// A diagnostic without help.
    pub fn new(code: Code, span: Span, message: impl Into<String>) -> Self {
        let gravity = code.gravity();
        Self {
            span,
            code,
            gravity,
            message: message.into(),
            near: None,
            help: None,
            related: Vec::new(),
            regions: Vec::new(),
            witness: None,
        }
    }

    /// For the terminal: message, place, excerpt with a mark, help. `source` is the text that `files` make up.
    pub fn render(&self, source: &str, files: &Files) -> String {
        render::page(self, source, files)
    }

    /// For programs: the same as an object, with lines and columns from 1.
    pub fn to_json(&self, source: &str, files: &Files) -> Value {
        let related = self.related.iter().map(|(span, why)| {
            let place = files.place(source, *span);
            json!({ "place": place, "message": why })
        });
        json!({
            "code": self.code.as_str(),
            "severity": self.gravity,
            "message": self.message,
            "place": files.place(source, self.span),
            "near": self.near,
            "help": self.help,
            "related": related.collect::<Vec<_>>(),
            "where": self.regions,
            "witness": self.witness,
        })
    }
}

/// Collects diagnostics, a bounded number of them.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    list: Vec<Diagnostic>,
    dropped: bool,
    errors_dropped: bool,
}

impl Problems {
    /// Adds a diagnostic, unless the same one is there already (cells of a table share their caption's).
    pub(crate) fn add(&mut self, code: Code, span: Span, message: impl Into<String>) -> Added<'_> {
        let diagnostic = Diagnostic::new(code, span, message);
        let said = self.list.iter().any(|it| it.code == code && it.span == span && it.message == diagnostic.message);
        if said || !limits::DIAGNOSTICS.admits(self.list.len() + 1) {
            self.dropped |= !said;
            self.errors_dropped |= !said && code.gravity() == Gravity::Error;
            return Added(None);
        }
        self.list.push(diagnostic);
        Added(self.list.last_mut())
    }

    /// Whether one of them is an error.
    pub(crate) fn has_errors(&self) -> bool {
        self.errors_dropped || self.list.iter().any(|it| it.gravity == Gravity::Error)
    }

    /// All of them in the order of the text.
    pub(crate) fn into_sorted(mut self) -> Vec<Diagnostic> {
        if self.dropped {
            let text = format!("only the first {} diagnostics are shown", limits::DIAGNOSTICS.value());
            self.list.push(Diagnostic::new(Code::Limit, Span::default(), text));
        }
        self.list.sort();
        self.list
    }
}

/// How many words are listed beside a near one.
const LISTED_MAX: usize = 8;

/// A diagnostic that was added, or nothing if there are too many: then no help is looked for either.
pub(crate) struct Added<'a>(Option<&'a mut Diagnostic>);

impl Added<'_> {
    pub(crate) fn help(self, help: impl Into<String>) -> Self {
        self.with(|diagnostic| diagnostic.help = Some(help.into()))
    }

    /// `did you mean ...`, if one of the known words is near.
    pub(crate) fn nearest<'a>(self, word: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        self.with(|diagnostic| diagnostic.near = crate::words::nearest(word, known).map(str::to_owned))
    }

    /// The words that may stand here: the nearest one, and all of them where there are few or none is near.
    pub(crate) fn among<'a>(self, word: &str, known: impl Iterator<Item = &'a str> + Clone) -> Self {
        self.with(|diagnostic| {
            diagnostic.near = crate::words::nearest(word, known.clone()).map(str::to_owned);
            if diagnostic.near.is_none() || known.clone().nth(LISTED_MAX).is_none() {
                let names: Vec<_> = known.map(|name| format!("`{name}`")).collect();
                diagnostic.help = Some(format!("there are {}", names.join(", ")));
            }
        })
    }

    pub(crate) fn see(self, span: Span, why: impl Into<String>) -> Self {
        self.with(|diagnostic| diagnostic.related.push((span, why.into())))
    }

    fn with(self, change: impl FnOnce(&mut Diagnostic)) -> Self {
        match self.0 {
            Some(diagnostic) => {
                change(diagnostic);
                Self(Some(diagnostic))
            }
            None => self,
        }
    }
}
