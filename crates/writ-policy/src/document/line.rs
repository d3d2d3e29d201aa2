//! The small line grammar that front matter and all blocks share: key, colon, terms, continued by indentation.

use crate::diagnostic::{Code, Problems};
use crate::document::source::{Line, Piece, Span, Text};

/// `key: terms`, with the list items below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key stands.
    pub key_span: Span,
    /// What follows the colon.
    pub value: Text,
    /// The items `- ...` below it.
    pub items: Vec<Text>,
}

impl Entry {
    /// From the key to the end of the last term.
    pub fn span(&self) -> Span {
        self.key_span.to(self.items.last().map_or_else(|| self.value.span(), Text::span))
    }

    /// Items if there are any, otherwise the value's terms.
    pub(crate) fn listed(&self) -> Vec<Piece<'_>> {
        let terms = if self.value.as_str().is_empty() { Vec::new() } else { self.value.whole().terms() };
        terms.into_iter().chain(self.items.iter().map(Text::whole)).collect()
    }

    /// The value where the key takes one; a list is an error.
    pub(crate) fn single<'a>(&'a self, problems: &mut Problems) -> Option<Piece<'a>> {
        if let Some(item) = self.items.first() {
            problems.add(Code::InvalidValue, item.span(), format!("`{}` takes no list", self.key));
            return None;
        }
        if self.value.as_str().is_empty() {
            problems.add(Code::InvalidValue, self.key_span, format!("`{}` says nothing", self.key));
            return None;
        }
        Some(self.value.whole())
    }
}

/// A line of a block, as the reader takes it: what is a key, an item, or goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LineKind<'a> {
    /// Nothing but perhaps a comment.
    Blank {
        /// With its `#`; empty if there is none.
        comment: &'a str,
    },
    /// `key: value`.
    Key {
        /// Without the colon.
        key: &'a str,
        /// What follows it on this line.
        value: &'a str,
        /// With its `#`; empty if there is none.
        comment: &'a str,
    },
    /// `- text`.
    Item {
        /// Without the dash.
        text: &'a str,
        /// With its `#`; empty if there is none.
        comment: &'a str,
    },
    /// What continues the line above.
    More {
        /// The line without white space around it.
        text: &'a str,
        /// With its `#`; empty if there is none.
        comment: &'a str,
    },
}

/// The kinds of the lines of a block in which nothing is malformed, as [`entries`] reads them.
pub(crate) fn kinds<'a>(lines: &[Line<'a>], comments: bool) -> Vec<LineKind<'a>> {
    let (mut base, mut item) = (None, None);
    let kind = |line: &Line<'a>| {
        let text = if comments { without_comment(line.text) } else { line.text };
        let comment = line.text.get(text.len()..).unwrap_or_default().trim_end();
        let content = Line { text, start: line.start };
        if content.blank() {
            return LineKind::Blank { comment };
        }
        let indent = content.indent();
        let text = content.trimmed().text;
        let first = base.is_none();
        let base = *base.get_or_insert(indent);
        if !first && is_item(text, indent, base, item) {
            item = Some(indent);
            return LineKind::Item { text: text.get(1..).unwrap_or_default().trim(), comment };
        }
        if !first && indent > base {
            return LineKind::More { text, comment };
        }
        item = None;
        let (key, value) = text.split_once(':').unwrap_or((text, ""));
        LineKind::Key { key, value: value.trim(), comment }
    };
    lines.iter().map(kind).collect()
}

/// Whether a line is an item of the list above it; a dash further in goes on with the text of an item.
fn is_item(text: &str, indent: usize, base: usize, item: Option<usize>) -> bool {
    let dash = text == "-" || text.starts_with("- ");
    dash && indent >= base && item.is_none_or(|at| indent <= at)
}

/// Reads the lines of a block. `comments`: `# ` starts a comment; front matter has none. `known`: the keys of this kind
/// of block, which may not start a line that continues another one: such a key would be printed, but not run.
pub(crate) fn entries(
    lines: &[Line<'_>],
    comments: bool,
    known: &dyn Fn(&str) -> bool,
    problems: &mut Problems,
) -> Vec<Entry> {
    let mut reader = Reader { comments, known, base: None, item: None, quote: false, entries: Vec::new() };
    for line in lines {
        let text = if comments { without_comment(line.text) } else { line.text };
        let line = Line { text, start: line.start };
        if !line.blank() {
            reader.line(line, problems);
        }
    }
    reader.entries
}

struct Reader<'k> {
    comments: bool,
    known: &'k dyn Fn(&str) -> bool,
    /// Indentation of the first key.
    base: Option<usize>,
    /// Indentation of the open list item's dash.
    item: Option<usize>,
    /// Whether the text so far ends inside quotes.
    quote: bool,
    entries: Vec<Entry>,
}

impl Reader<'_> {
    fn line(&mut self, line: Line<'_>, problems: &mut Problems) {
        let indent = line.indent();
        let content = line.trimmed();
        let base = *self.base.get_or_insert(indent);
        if let Some(entry) = self.entries.last_mut() {
            if is_item(content.text, indent, base, self.item) {
                let item = Line { text: content.text.get(1..).unwrap_or_default(), start: content.start + 1 }.trimmed();
                let mut text = Text::empty(content.start);
                text.push(item.text, item.start);
                entry.items.push(text);
                self.item = Some(indent);
                self.quote = ends_in_quotes(false, item.text);
                return;
            }
            if indent > base {
                let swallowed = key(content).filter(|entry| !self.quote && (self.known)(&entry.key));
                if let Some(swallowed) = swallowed {
                    let text = format!("`{}` is indented, so that it would continue `{}`", swallowed.key, entry.key);
                    let problem = problems.add(Code::MalformedBlock, swallowed.key_span, text);
                    problem.help("start all keys in the same column; put a text with such a word in quotes");
                }
                self.quote = ends_in_quotes(self.quote, content.text);
                let text = entry.items.last_mut().unwrap_or(&mut entry.value);
                text.push(content.text, content.start);
                return;
            }
        }
        self.item = None;
        match key(content) {
            Some(entry) if indent == base => {
                self.quote = ends_in_quotes(false, entry.value.as_str());
                self.entries.push(entry);
            }
            Some(entry) => {
                let text = format!("`{}` is indented less than the first key", entry.key);
                problems.add(Code::MalformedBlock, entry.key_span, text).help("start all keys in the same column");
                self.base = Some(indent);
                self.entries.push(entry);
            }
            None => self.not_a_key(content, problems),
        }
    }

    fn not_a_key(&self, content: Line<'_>, problems: &mut Problems) {
        let problem = problems.add(Code::MalformedBlock, content.span(), "this line is not `key: terms`");
        if content.text.starts_with('#') && !self.comments {
            problem.help("front matter has no comments");
        } else {
            problem.help("write a key in lower case, a colon and a space; indent a line that continues the one before");
        }
    }
}

/// Whether a text ends inside quotes, given whether it starts there.
fn ends_in_quotes(starts: bool, text: &str) -> bool {
    let (mut quoted, mut escaped) = (starts, false);
    for c in text.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ => {}
        }
    }
    quoted
}

/// `key: terms` at the start of a line.
fn key(content: Line<'_>) -> Option<Entry> {
    let (word, rest) = content.text.split_once(':')?;
    let named = word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if word.is_empty() || !named || !(rest.is_empty() || rest.starts_with(char::is_whitespace)) {
        return None;
    }
    let after = Line { text: rest, start: content.start + word.len() + 1 }.trimmed();
    let mut value = Text::empty(content.start + word.len() + 1);
    value.push(after.text, after.start);
    let key_span = Span::new(content.start, content.start + word.len());
    Some(Entry { key: word.to_owned(), key_span, value, items: Vec::new() })
}

/// A comment starts with `#` at the start of a line, or with `#` between white space, outside of quotes.
fn without_comment(line: &str) -> &str {
    let (mut quoted, mut escaped, mut before, mut first) = (false, false, ' ', true);
    for (at, c) in line.char_indices() {
        let starts = c == '#' && !quoted && before.is_whitespace();
        let alone = line.get(at + 1..).is_none_or(|after| after.is_empty() || after.starts_with(char::is_whitespace));
        if starts && (first || alone) {
            return line.get(..at).unwrap_or_default();
        }
        first &= c.is_whitespace();
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ => {}
        }
        before = c;
    }
    line
}

/// A text in quotes and what follows it; a text without quotes is taken whole.
pub(crate) fn quoted<'a>(piece: Piece<'a>, problems: &mut Problems) -> Option<(String, Piece<'a>)> {
    let piece = piece.trim();
    let Some(inner) = piece.as_str().strip_prefix('"') else {
        let length = piece.as_str().len();
        return Some((piece.as_str().to_owned(), piece.part(length, length)));
    };
    let (mut text, mut escaped) = (String::new(), false);
    for (at, c) in inner.char_indices() {
        match c {
            'n' if escaped => text.push('\n'),
            't' if escaped => text.push('\t'),
            c if escaped => text.push(c),
            '\\' => {}
            '"' => return Some((text, piece.cut(at + 1, 1).1)),
            c => text.push(c),
        }
        escaped = c == '\\' && !escaped;
    }
    problems.add(Code::InvalidValue, piece.span(), "this text has no closing quote").help("end it with `\"`");
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::source::lines;

    fn read(source: &str) -> (Vec<Entry>, Vec<String>) {
        let mut problems = Problems::default();
        let entries = entries(&lines(source), true, &|key| key == "then", &mut problems);
        (entries, problems.into_sorted().into_iter().map(|it| it.message).collect())
    }

    #[test]
    fn keys_continue_by_indentation_and_hold_lists() {
        let source = "# c\ndata: pii,   # x\n  phi\nviolates:\n  - \"a # b\"\n    as: contractor\n  - c\nwhy: see #4";
        let (entries, problems) = read(source);
        assert!(problems.is_empty());
        let shown: Vec<_> = entries
            .iter()
            .map(|e| (e.key.as_str(), e.value.as_str(), e.items.iter().map(Text::as_str).collect::<Vec<_>>()))
            .collect();
        assert_eq!(
            shown,
            [
                ("data", "pii, phi", vec![]),
                ("violates", "", vec!["\"a # b\" as: contractor", "c"]),
                ("why", "see #4", vec![])
            ]
        );
        assert!(entries.iter().all(|e| e.key_span.of(source) == e.key));
    }

    #[test]
    fn other_lines_are_told_apart() {
        let (entries, problems) = read("  data: pii\nThen: block\n then block");
        assert_eq!(entries.len(), 1);
        assert_eq!(problems, ["this line is not `key: terms`", "this line is not `key: terms`"]);
    }

    #[test]
    fn a_key_that_would_be_swallowed_is_told() {
        let (_, problems) = read("why: a\n  then: block\nviolates:\n  - \"b\n    then: c\"\n    then: d\n");
        assert_eq!(
            problems,
            [
                "`then` is indented, so that it would continue `why`",
                "`then` is indented, so that it would continue `violates`"
            ]
        );
    }

    #[test]
    fn quotes_are_undone() {
        let source = r#""a \"b\" \\ \n" as: x"#;
        let text = Text::of(source, Span::new(0, source.len()));
        let (string, rest) = quoted(text.whole(), &mut Problems::default()).unwrap();
        assert_eq!((string.as_str(), rest.as_str()), ("a \"b\" \\ \n", "as: x"));
    }
}
