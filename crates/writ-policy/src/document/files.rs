//! The files that a text was put together from: where a place of the text stands in its own file.

use serde::Serialize;

use crate::document::source::{Position, Span};

/// The files of an assembled text, in pieces of whole lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    names: Vec<String>,
    /// In the order of the text; the first starts at 0.
    pieces: Vec<Piece>,
}

/// From `start` to the next piece the text is that of a file, from one of its lines on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Piece {
    start: usize,
    file: usize,
    /// The line of the file on which the piece starts, from 1.
    line: usize,
}

/// A place in a file, as editors count it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Place<'a> {
    /// The file.
    pub file: &'a str,
    /// Where it starts.
    pub start: Position,
    /// The character after its last; on a later line where the place spans several.
    pub end: Position,
}

impl Files {
    /// A text that is one file.
    pub fn one(name: impl Into<String>) -> Self {
        Self { names: vec![name.into()], pieces: vec![Piece { start: 0, file: 0, line: 1 }] }
    }

    /// The names, in the order in which the text first needs them.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The same files under other names: as whoever reads the diagnostics finds them.
    #[must_use]
    pub fn renamed(mut self, name: impl Fn(&str) -> String) -> Self {
        self.names.iter_mut().for_each(|known| *known = name(known));
        self
    }

    /// From `start` on the text is that of `name`, from its line `line` on.
    pub(crate) fn add(&mut self, start: usize, name: &str, line: usize) {
        let file = self.names.iter().position(|known| known == name).unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.names.len() - 1
        });
        match self.pieces.last_mut() {
            Some(last) if last.start == start => *last = Piece { start, file, line },
            _ => self.pieces.push(Piece { start, file, line }),
        }
    }

    /// Where a place of the assembled text stands. What reaches beyond its piece ends with it.
    pub fn place(&self, text: &str, span: Span) -> Place<'_> {
        let after = self.pieces.partition_point(|piece| piece.start <= span.start);
        let piece = self.pieces.get(after.saturating_sub(1)).copied().unwrap_or(Piece { start: 0, file: 0, line: 1 });
        let end = self.pieces.get(after).map_or(span.end, |next| span.end.min(next.start)).max(span.start);
        let inside = text.get(piece.start..).unwrap_or_default();
        let position = |at: usize| {
            let within = Span::at(at.saturating_sub(piece.start)).position(inside);
            Position { line: within.line + piece.line - 1, ..within }
        };
        let file = self.names.get(piece.file).map_or("", String::as_str);
        Place { file, start: position(span.start), end: position(end) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_stand_in_their_own_files() {
        let mut files = Files::one("a.md");
        files.add(5, "b.md", 1);
        files.add(10, "a.md", 7);
        let text = "one\n\n\u{e4}bc\nend\n";
        let at = |start, end| {
            let place = files.place(text, Span::new(start, end));
            (place.file.to_owned(), place.start.line, place.start.column, place.end.line, place.end.column)
        };
        assert_eq!(at(0, 3), ("a.md".to_owned(), 1, 1, 1, 4));
        assert_eq!(at(7, 9), ("b.md".to_owned(), 1, 2, 1, 4));
        assert_eq!(at(10, 13), ("a.md".to_owned(), 7, 1, 7, 4));
        assert_eq!(at(7, 13), ("b.md".to_owned(), 1, 2, 2, 1), "ends with its piece");
        assert_eq!(files.names(), ["a.md", "b.md"]);
    }
}
