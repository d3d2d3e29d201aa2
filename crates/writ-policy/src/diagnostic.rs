//! Diagnostics: what is wrong with a document, where, and what to do.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::{Value, json};

use crate::document::limits;
use crate::document::source::Span;

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
    /// What to do.
    pub help: Option<String>,
    /// Another place that matters, and why.
    pub related: Option<(Span, String)>,
}

/// Whether a policy with this diagnostic can run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Gravity {
    /// It cannot: there is no model.
    Error,
    /// It can, but probably says something else than was meant.
    Warning,
}

impl Gravity {
    /// The word that starts a rendered diagnostic.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

macro_rules! codes {
    ($($variant:ident = $name:literal $gravity:ident: $doc:literal;)+) => {
        /// The kind of a diagnostic.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = $doc] $variant,)+
        }

        impl Code {
            /// All codes, in the order of the reference page.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name, which never changes.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// Whether a policy with such a diagnostic can run.
            pub const fn gravity(self) -> Gravity {
                match self { $(Self::$variant => Gravity::$gravity),+ }
            }

            /// What it means.
            pub const fn doc(self) -> &'static str {
                match self { $(Self::$variant => $doc),+ }
            }
        }
    };
}

codes! {
    AnyExampleComplies = "any-example-complies" Warning: "a `complies` that would pass with any text, because the rule cannot apply in its situation";
    CaptionWithoutTable = "caption-without-table" Error: "a caption `Rule table:` that does not follow a table";
    ContradictoryRule = "contradictory-rule" Error: "keys of one rule that cannot stand together";
    DuplicateKey = "duplicate-key" Error: "a key that stands twice in one block";
    DuplicateName = "duplicate-name" Error: "a clause id or a defined term that is given twice";
    DuplicateValue = "duplicate-value" Warning: "a value that is listed twice, or that another one already contains";
    HiddenText = "hidden-text" Error: "HTML, comments, link definitions, invisible or control characters: what is signed and what runs are the same characters";
    InvalidValue = "invalid-value" Error: "a value that does not have the form its key asks for";
    Limit = "limit" Error: "more than a policy may hold";
    MalformedBlock = "malformed-block" Error: "a line of a block that is not `key: terms`, or a block that is not closed";
    MalformedHeading = "malformed-heading" Error: "a heading whose id cannot be read, or that is underlined instead of marked with `#`";
    MalformedTable = "malformed-table" Error: "a rule table with a missing or superfluous cell, or a caption that does not name its two dimensions";
    MissingFrontMatter = "missing-front-matter" Error: "a text without front matter; `writ: 1` names the version of the language";
    MissingKey = "missing-key" Error: "a block without a key that it needs";
    ModeMismatch = "mode-mismatch" Error: "a clause that states a mode which nothing in it makes true";
    NotIncluded = "not-included" Error: "an included file that could not be had, or that was not put in";
    NoSpansToRedact = "no-spans-to-redact" Error: "a redaction without a class to redact";
    OpaqueUndecided = "opaque-undecided" Warning: "kinds of content without a reader that no rule decides";
    PromiseWithoutMode = "promise-without-mode" Warning: "prose that promises in a clause that no rule, control or stated mode makes true";
    RefusedHere = "refused-here" Error: "a key or value that is refused in this place, because it would mean something else than it seems to";
    TableDoesNotRun = "table-does-not-run" Warning: "a table full of effects without a caption: it is printed, but does not run";
    UndefinedName = "undefined-name" Error: "a class, group, region or service that nothing defines";
    UnknownKey = "unknown-key" Error: "a key that this kind of block does not have";
    UnknownKind = "unknown-kind" Error: "a block or control of an unknown kind";
    UnknownRole = "unknown-role" Warning: "a role that is not among the owners in the front matter";
    UnknownValue = "unknown-value" Error: "a value that the dimension does not have";
    WrongPlace = "wrong-place" Error: "a block in a place where it would not run";
}

impl Diagnostic {
    /// A diagnostic without help.
    pub fn new(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self { span, code, gravity: code.gravity(), message: message.into(), help: None, related: None }
    }

    /// For the terminal: message, place, excerpt with a mark, help.
    pub fn render(&self, source: &str, file_name: &str) -> String {
        let mut page = format!("{}[{}]: {}\n", self.gravity.as_str(), self.code.as_str(), self.message);
        excerpt(&mut page, source, file_name, self.span, "");
        if let Some((span, why)) = &self.related {
            excerpt(&mut page, source, file_name, *span, why);
        }
        if let Some(help) = &self.help {
            let _ = writeln!(page, "help: {help}");
        }
        page
    }

    /// For programs: the same as an object, with lines and columns from 1.
    pub fn to_json(&self, source: &str, file_name: &str) -> Value {
        let place = |span: Span| {
            let (start, end) = (span.position(source), Span::at(span.end).position(source));
            json!({ "file": file_name, "start": start, "end": end })
        };
        let mut object = json!({
            "code": self.code.as_str(),
            "severity": self.gravity,
            "message": self.message,
            "place": place(self.span),
            "help": self.help,
        });
        if let (Some((span, why)), Some(fields)) = (&self.related, object.as_object_mut()) {
            fields.insert("related".to_owned(), json!({ "place": place(*span), "message": why }));
        }
        object
    }
}

/// The longest excerpt of a line in characters; the rest is left out.
const EXCERPT_CHARS: usize = 160;

fn excerpt(page: &mut String, source: &str, file_name: &str, span: Span, why: &str) {
    let position = span.position(source);
    let line = source.split('\n').nth(position.line - 1).unwrap_or_default().trim_end_matches('\r');
    // A tab would shift the mark; characters that cannot be seen are shown as such.
    let shown: String = line.chars().map(visible).collect();
    let marked = span.of(source).split('\n').next().unwrap_or_default().chars().count().max(1);
    let first = position.column.saturating_sub(1);
    let skipped = if first < EXCERPT_CHARS { 0 } else { first - EXCERPT_CHARS / 2 };
    let shown: String = shown.chars().skip(skipped).take(EXCERPT_CHARS).collect();
    let marks = "^".repeat(marked.min(EXCERPT_CHARS.saturating_sub(first - skipped)).max(1));
    let gutter = " ".repeat(position.line.to_string().len());
    let why = if why.is_empty() { String::new() } else { format!(" {why}") };
    let _ = writeln!(page, "{gutter}--> {file_name}:{}:{}", position.line, position.column);
    let _ = writeln!(page, "{gutter} |");
    let _ = writeln!(page, "{} | {}", position.line, shown.trim_end());
    let _ = writeln!(page, "{gutter} | {}{marks}{why}", " ".repeat(first - skipped));
}

fn visible(c: char) -> char {
    match c {
        '\t' => ' ',
        c if crate::document::invisible(c) => '\u{fffd}',
        c => c,
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

/// A diagnostic that was added, or nothing if there are too many: then no help is looked for either.
pub(crate) struct Added<'a>(Option<&'a mut Diagnostic>);

impl Added<'_> {
    pub(crate) fn help(self, help: impl Into<String>) -> Self {
        if let Some(diagnostic) = self.0 {
            diagnostic.help = Some(help.into());
            return Self(Some(diagnostic));
        }
        self
    }

    /// `did you mean ...`, if one of the known words is near.
    pub(crate) fn nearest<'a>(self, word: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        match self.0.is_some().then(|| crate::words::nearest(word, known)).flatten() {
            Some(near) => self.help(format!("did you mean `{near}`?")),
            None => self,
        }
    }

    pub(crate) fn see(self, span: Span, why: impl Into<String>) -> Self {
        if let Some(diagnostic) = self.0 {
            diagnostic.related = Some((span, why.into()));
            return Self(Some(diagnostic));
        }
        self
    }
}
