//! Places in the text of a policy.

use serde::Serialize;

/// A range of the text in bytes; both ends lie on character boundaries and inside the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

impl Span {
    /// From `start` to `end`.
    pub const fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// The empty range at one place.
    pub const fn at(place: usize) -> Self {
        Self { start: place, end: place }
    }

    /// From the start of this range to the end of another.
    #[must_use]
    pub const fn to(self, other: Self) -> Self {
        Self { start: self.start, end: other.end }
    }

    /// The text of this range; empty if `source` is another text.
    pub fn of(self, source: &str) -> &str {
        source.get(self.start..self.end).unwrap_or_default()
    }

    /// Where it starts.
    pub fn position(self, source: &str) -> Position {
        let before = source.get(..self.start).unwrap_or(source);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Position { line, column }
    }
}

/// A place as editors count it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Position {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
}

/// A line without its end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line<'a> {
    pub(crate) text: &'a str,
    pub(crate) start: usize,
}

impl<'a> Line<'a> {
    pub(crate) fn span(self) -> Span {
        Span::new(self.start, self.start + self.text.len())
    }

    /// The text without white space around it, and where it starts.
    pub(crate) fn trimmed(self) -> Line<'a> {
        let text = self.text.trim_start();
        Line { text: text.trim_end(), start: self.start + self.text.len() - text.len() }
    }

    pub(crate) fn blank(self) -> bool {
        self.text.trim().is_empty()
    }

    /// Characters of white space before the text.
    pub(crate) fn indent(self) -> usize {
        self.text.chars().take_while(|c| c.is_whitespace()).count()
    }
}

pub(crate) fn lines(source: &str) -> Vec<Line<'_>> {
    let mut start = 0;
    let mut lines = Vec::new();
    for line in source.split_inclusive('\n') {
        let text = line.strip_suffix('\n').unwrap_or(line);
        let text = text.strip_suffix('\r').unwrap_or(text);
        let mark = if start == 0 && text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        lines.push(Line { text: text.get(mark..).unwrap_or_default(), start: start + mark });
        start += line.len();
    }
    lines
}

/// A text put together from pieces of the source, which are joined by one space. Knows where each piece comes from.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Text {
    text: String,
    /// Where a piece starts in `text` and in the source.
    pieces: Vec<(usize, usize)>,
    /// Where the text would stand if it is empty.
    place: usize,
}

impl Text {
    pub(crate) fn empty(place: usize) -> Self {
        Self { text: String::new(), pieces: Vec::new(), place }
    }

    /// The words of `span`, white space of any kind and length being one space.
    pub(crate) fn of(source: &str, span: Span) -> Self {
        let mut text = Self::empty(span.start);
        for line in lines(span.of(source)) {
            let line = line.trimmed();
            text.push(line.text, span.start + line.start);
        }
        text
    }

    pub(crate) fn push(&mut self, piece: &str, place: usize) {
        if piece.is_empty() {
            return;
        }
        if !self.text.is_empty() {
            self.text.push(' ');
        }
        self.pieces.push((self.text.len(), place));
        self.text.push_str(piece);
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Where it stands, from its first to its last piece.
    pub fn span(&self) -> Span {
        self.whole().span()
    }

    pub(crate) fn whole(&self) -> Piece<'_> {
        Piece { of: self, start: 0, end: self.text.len() }
    }

    /// Where the byte at `offset` stands; `end` looks at the piece that ends there.
    fn place(&self, offset: usize, end: bool) -> usize {
        let at = self.pieces.partition_point(|(start, _)| if end { *start < offset } else { *start <= offset });
        match self.pieces.get(at.saturating_sub(1)) {
            Some((start, place)) => place + offset.saturating_sub(*start),
            None => self.place,
        }
    }
}

/// A part of a [`Text`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Piece<'a> {
    of: &'a Text,
    start: usize,
    end: usize,
}

impl<'a> Piece<'a> {
    pub(crate) fn as_str(self) -> &'a str {
        self.of.text.get(self.start..self.end).unwrap_or_default()
    }

    pub(crate) fn span(self) -> Span {
        if self.start >= self.end {
            return Span::at(self.of.place(self.start, true));
        }
        let start = self.of.place(self.start, false);
        Span::new(start, self.of.place(self.end, true).max(start))
    }

    pub(crate) fn is_empty(self) -> bool {
        self.as_str().is_empty()
    }

    /// The part from `start` to `end`, in bytes of this piece; both on character boundaries.
    pub(crate) fn part(self, start: usize, end: usize) -> Self {
        let (start, end) = ((self.start + start).min(self.end), (self.start + end).min(self.end));
        Self { start, end: end.max(start), ..self }
    }

    pub(crate) fn trim(self) -> Self {
        let text = self.as_str();
        let skipped = text.len() - text.trim_start().len();
        self.part(skipped, skipped.max(text.trim_end().len()))
    }

    /// What stands before and after the byte at `offset`, which is dropped with `width` bytes.
    pub(crate) fn cut(self, offset: usize, width: usize) -> (Self, Self) {
        (self.part(0, offset).trim(), self.part(offset + width, self.end - self.start).trim())
    }

    /// The first word and what follows it.
    pub(crate) fn first_word(self) -> (Self, Self) {
        let this = self.trim();
        let text = this.as_str();
        let end = text.find([' ', '(', '"']).unwrap_or(text.len());
        this.cut(end, 0)
    }

    /// The parts between commas that stand outside of quotes and parentheses.
    pub(crate) fn terms(self) -> Vec<Self> {
        self.split(&[','])
    }

    /// The parts between `separators` that stand outside of quotes and parentheses; empty parts are kept, except that
    /// an empty piece has no part.
    pub(crate) fn split(self, separators: &[char]) -> Vec<Self> {
        let mut parts = Vec::new();
        let (mut from, mut depth, mut quoted, mut escaped) = (0, 0_usize, false, false);
        for (at, c) in self.as_str().char_indices() {
            match c {
                _ if escaped => escaped = false,
                '\\' if quoted => escaped = true,
                '"' => quoted = !quoted,
                _ if quoted => {}
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                c if depth == 0 && separators.contains(&c) => {
                    parts.push(self.part(from, at).trim());
                    from = at + c.len_utf8();
                }
                _ => {}
            }
        }
        let last = self.part(from, self.end - self.start).trim();
        if !last.is_empty() || !parts.is_empty() {
            parts.push(last);
        }
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_know_their_place_across_lines() {
        let source = "key: one,\n     two (a, b),\n     \"x, y\"";
        let text = Text::of(source, Span::new(5, source.len()));
        let terms = text.whole().terms();
        assert_eq!(terms.iter().map(|t| t.as_str()).collect::<Vec<_>>(), ["one", "two (a, b)", "\"x, y\""]);
        assert!(terms.iter().all(|term| term.span().of(source) == term.as_str()));
        assert_eq!(Some(text.span().of(source)), source.get(5..));
    }

    #[test]
    fn positions_count_characters() {
        let source = "é\nüb";
        let span = Span::new(source.find('b').unwrap(), source.len());
        assert_eq!(span.position(source), Position { line: 2, column: 2 });
    }
}
