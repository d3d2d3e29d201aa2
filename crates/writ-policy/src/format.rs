//! The canonical layout of a document: front matter, blocks and rule tables in one shape, all other text as it is.
//!
//! Layout never changes what a document means: rows and diagnostics stay. It does change the text and so its hash.

use writ_model::Dimension;

use crate::diagnostic::{Code, Diagnostic, Gravity, Problems};
use crate::document::line::{self, LineKind};
use crate::document::source::{Line, Span, Text, lines};
use crate::document::{Block, Document, Item, Table, limits};

/// The text in canonical layout.
///
/// # Errors
/// Diagnostics that stand in the way: where a block or a table cannot be read, nothing is moved. A text without front
/// matter, as included files are, is laid out as well.
pub fn format(source: &str) -> Result<String, Vec<Diagnostic>> {
    let mut problems = Problems::default();
    let document = Document::read(source, &mut problems);
    let wrong = |it: &Diagnostic| it.gravity == Gravity::Error && it.code != Code::MissingFrontMatter;
    let wrong: Vec<_> = problems.into_sorted().into_iter().filter(wrong).collect();
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let newline = if source.split('\n').next().is_some_and(|first| first.ends_with('\r')) { "\r\n" } else { "\n" };
    let mut edits: Vec<(Span, Vec<String>)> = front_matter(source).into_iter().collect();
    for item in document.sections.iter().flat_map(|section| &section.items) {
        match item {
            Item::Block(block) => edits.push((block.span, laid_out_block(source, block))),
            Item::Table(table) if table.caption.is_some() => {
                edits.extend(laid_out_table(source, table).map(|lines| (table.span, lines)));
            }
            _ => {}
        }
    }
    let (mut text, mut from) = (String::with_capacity(source.len()), 0);
    for (span, lines) in edits {
        text.push_str(source.get(from..span.start).unwrap_or_default());
        text.push_str(&lines.join(newline));
        from = span.end;
    }
    text.push_str(source.get(from..).unwrap_or_default());
    Ok(text)
}

/// The lines between the two rules at the top, and their place.
fn front_matter(source: &str) -> Option<(Span, Vec<String>)> {
    let all = lines(source);
    let rule = |line: &Line<'_>| line.text.trim_end() == "---";
    let (_, after) = all.split_first().filter(|(first, _)| rule(first))?;
    let (inside, _) = after.split_at(after.iter().position(rule)?);
    let span = inside.first()?.span().to(inside.last()?.span());
    let body = Body { comments: false, aligned: false, prefix: "" };
    Some((span, body.lines(inside)))
}

fn laid_out_block(source: &str, block: &Block) -> Vec<String> {
    let all = lines(block.span.of(source));
    let Some((opening, rest)) = all.split_first() else { return Vec::new() };
    let Some((closing, inside)) = rest.split_last() else { return vec![opening.text.to_owned()] };
    let content = opening.text.trim_start();
    let prefix = opening.text.get(..opening.text.len() - content.len()).unwrap_or_default();
    let marks = content.chars().take_while(|c| matches!(c, '`' | '~')).count();
    let (fence, info) = content.split_at(marks);
    let (kind, argument) = info.trim().split_once(char::is_whitespace).unwrap_or((info.trim(), ""));
    let body = Body { comments: true, aligned: true, prefix };
    let first = format!("{prefix}{fence}{kind} {}", argument.trim_start());
    let first = first.trim_end().to_owned();
    let last = format!("{prefix}{}", closing.text.trim());
    std::iter::once(first).chain(body.lines(inside)).chain([last]).collect()
}

/// How the lines of a block or of the front matter are laid out.
struct Body<'p> {
    /// Whether `#` starts a comment.
    comments: bool,
    /// Whether values start in one column.
    aligned: bool,
    /// White space before each line: a block inside a list.
    prefix: &'p str,
}

impl Body<'_> {
    fn lines(&self, inside: &[Line<'_>]) -> Vec<String> {
        let kinds = line::kinds(inside, self.comments);
        let width = kinds.iter().map(|kind| match kind {
            LineKind::Key { key, value, .. } if !value.is_empty() => key.chars().count() + 1,
            _ => 0,
        });
        let column = if self.aligned { width.max().unwrap_or(0) } else { 0 };
        let mut laid_out: Vec<(String, &str)> = Vec::new();
        let mut open = Open::default();
        for kind in &kinds {
            laid_out.push(open.line(kind, column));
        }
        let commented = laid_out.iter().filter(|(text, comment)| !comment.is_empty() && !text.is_empty());
        let at = commented.map(|(text, _)| text.chars().count()).max().unwrap_or(0) + 2;
        let whole = laid_out.into_iter().map(|(text, comment)| match (text.is_empty(), comment.is_empty()) {
            (true, true) => String::new(),
            (true, false) => format!("{}{comment}", self.prefix),
            (false, true) => format!("{}{text}", self.prefix),
            (false, false) => format!("{}{text:at$}{comment}", self.prefix),
        });
        without_double_blanks(whole)
    }
}

/// Where a line that continues belongs.
#[derive(Default)]
struct Open {
    /// The column in which a continued value starts.
    column: usize,
    item: bool,
    /// Whether commas separate terms here.
    terms: bool,
}

impl Open {
    /// A line without its prefix, and its comment.
    fn line<'a>(&mut self, kind: &LineKind<'a>, column: usize) -> (String, &'a str) {
        match *kind {
            LineKind::Blank { comment } => (String::new(), comment),
            LineKind::Key { key, value, comment } => {
                let value = self.begin(key, value, column);
                let colon = format!("{key}:");
                let width = self.column.saturating_sub(1);
                let text = if value.is_empty() { colon } else { format!("{colon:width$} {value}") };
                (text, comment)
            }
            LineKind::Item { text, comment } => {
                self.item = true;
                (format!("  - {}", self.spaced(text)).trim_end().to_owned(), comment)
            }
            LineKind::More { text, comment } => {
                let indent = if self.item { 4 } else { self.column.max(2) };
                (format!("{}{}", " ".repeat(indent), self.spaced(text)), comment)
            }
        }
    }

    fn begin(&mut self, key: &str, value: &str, column: usize) -> String {
        self.item = false;
        self.terms = Dimension::named(key).is_some();
        self.column = if column > 0 && !value.is_empty() { column + 1 } else { 0 };
        self.spaced(value)
    }

    fn spaced(&self, text: &str) -> String {
        if self.terms { spaced(text) } else { text.to_owned() }
    }
}

/// One space after each comma and none before it, outside of quotes.
fn spaced(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut quoted = false;
    for c in text.chars() {
        quoted ^= c == '"';
        if quoted {
            out.push(c);
        } else if c == ',' {
            out.truncate(out.trim_end().len());
            out.push(',');
        } else if out.ends_with(',') {
            out.push(' ');
            out.extend((!c.is_whitespace()).then_some(c));
        } else if !(c.is_whitespace() && out.ends_with(", ")) {
            out.push(c);
        }
    }
    out.truncate(out.trim_end().len());
    out
}

/// No empty line at the start or the end, and never two in a row.
fn without_double_blanks(lines: impl Iterator<Item = String>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for line in lines {
        if !line.is_empty() || kept.last().is_some_and(|last| !last.is_empty()) {
            kept.push(line);
        }
    }
    if kept.last().is_some_and(String::is_empty) {
        kept.pop();
    }
    kept
}

/// A rule table with columns of one width; nothing if a line has too few or too many cells, or code in one.
fn laid_out_table(source: &str, table: &Table) -> Option<Vec<String>> {
    let columns = table.header.len();
    // A bar inside of code that is not closed would be read in another way when its cell has another width.
    let plain = |text: &Text| !text.as_str().contains('`');
    let mut cells = table.header.iter().chain(table.rows.iter().flatten());
    if !limits::COLUMNS.admits(columns) || table.rows.iter().any(|row| row.len() != columns) || !cells.all(plain) {
        return None;
    }
    let all = lines(table.span.of(source));
    let first = all.first()?.text;
    let prefix = first.get(..first.len() - first.trim_start().len()).unwrap_or_default();
    let cell = |text: &Text| spaced(text.as_str());
    // The first cell is a title, the others are values.
    let title = table.header.iter().take(1).map(|text| text.as_str().to_owned());
    let header: Vec<String> = title.chain(table.header.iter().skip(1).map(cell)).collect();
    let rows: Vec<Vec<String>> = table.rows.iter().map(|row| row.iter().map(cell).collect()).collect();
    let width = |column: usize| {
        let cells = std::iter::once(&header).chain(&rows).filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0).max(3)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let marks: Vec<&str> = all.get(1)?.text.trim().trim_matches('|').split('|').map(str::trim).collect();
    let rule = widths.iter().enumerate().map(|(column, width)| {
        let mark = marks.get(column).copied().unwrap_or_default();
        let (left, right) = (mark.starts_with(':'), mark.len() > 1 && mark.ends_with(':'));
        let dashes = "-".repeat(width + 2 - usize::from(left) - usize::from(right));
        format!("{}{dashes}{}", if left { ":" } else { "" }, if right { ":" } else { "" })
    });
    let rule = format!("{prefix}|{}|", rule.collect::<Vec<_>>().join("|"));
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!(" {cell:width$} "));
        format!("{prefix}|{}|", cells.collect::<Vec<_>>().join("|"))
    };
    Some([line(&header), rule].into_iter().chain(rows.iter().map(line)).collect())
}
