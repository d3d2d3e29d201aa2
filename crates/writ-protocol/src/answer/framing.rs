//! How the events of an answer follow each other on the wire.

use std::ops::Range;

use memchr::memchr;

use crate::endpoint::{Endpoint, media_type};
use crate::sse::Splitter;

/// How the events of an answer are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// Server-sent events.
    Sse,
    /// One JSON array, an element per event: Gemini without `alt=sse`.
    JsonArray,
    /// A JSON text per line.
    Ndjson,
}

impl Framing {
    /// The framing of an answer to a request at `endpoint`; `None` if it is one document.
    pub(super) fn of(endpoint: Endpoint, content_type: &str) -> Option<Self> {
        match media_type(content_type).as_str() {
            "text/event-stream" => Some(Self::Sse),
            "application/x-ndjson" | "application/ndjson" | "application/jsonl" | "application/x-jsonlines" => {
                Some(Self::Ndjson)
            }
            "application/json" if matches!(endpoint, Endpoint::GeminiGenerate { stream: true, .. }) => {
                Some(Self::JsonArray)
            }
            _ => None,
        }
    }
}

/// A piece of the stream: places in the bytes of its [`Framer`].
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// Bytes between events.
    Between(Range<usize>),
    /// A server-sent event, a line.
    Event(Range<usize>),
    /// An element of the array; the comma or bracket before it, then the value.
    Element(Range<usize>, Range<usize>),
    /// The array's end and what follows.
    Close(Range<usize>),
}

impl Piece {
    pub(super) fn length(&self) -> usize {
        match self {
            Self::Between(place) | Self::Event(place) | Self::Close(place) => place.len(),
            Self::Element(before, value) => before.len() + value.len(),
        }
    }
}

/// Cuts the bytes of an answer into pieces.
#[derive(Debug)]
pub(super) enum Framer {
    Sse(Splitter),
    Array(Array),
    Lines(Lines),
}

impl Framer {
    pub(super) fn new(framing: Framing) -> Self {
        match framing {
            Framing::Sse => Self::Sse(Splitter::default()),
            Framing::JsonArray => Self::Array(Array::default()),
            Framing::Ndjson => Self::Lines(Lines::default()),
        }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        match self {
            Self::Sse(splitter) => splitter.push(bytes),
            Self::Array(array) => array.push(bytes),
            Self::Lines(lines) => lines.push(bytes),
        }
    }

    /// The next piece; with `ended`, also one that the stream's end completes.
    pub(super) fn next(&mut self, ended: bool) -> Option<Piece> {
        match self {
            Self::Sse(splitter) => {
                let event = splitter.next_event().or_else(|| ended.then(|| splitter.rest()).flatten());
                event.map(Piece::Event)
            }
            Self::Array(array) => array.next(ended),
            Self::Lines(lines) => lines.next(ended).map(Piece::Event),
        }
    }

    pub(super) fn bytes(&self, place: Range<usize>) -> &[u8] {
        match self {
            Self::Sse(splitter) => splitter.bytes(place),
            Self::Array(array) => array.buffer.get(place).unwrap_or_default(),
            Self::Lines(lines) => lines.buffer.get(place).unwrap_or_default(),
        }
    }

    /// Whether the value that was just returned has no array around it: nothing can follow it.
    pub(super) fn alone(&self) -> bool {
        matches!(self, Self::Array(array) if array.state == State::After)
    }

    /// How many bytes of an incomplete piece are held.
    pub(super) fn held(&self) -> usize {
        match self {
            Self::Sse(splitter) => splitter.held(),
            Self::Array(array) => array.buffer.len() - array.start,
            Self::Lines(lines) => lines.buffer.len() - lines.start,
        }
    }
}

/// Lines, each with its end.
#[derive(Debug, Default)]
pub(super) struct Lines {
    buffer: Vec<u8>,
    start: usize,
    scanned: usize,
}

impl Lines {
    fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.start);
        self.scanned -= self.start;
        self.start = 0;
        self.buffer.extend_from_slice(bytes);
    }

    fn next(&mut self, ended: bool) -> Option<Range<usize>> {
        let tail = self.buffer.get(self.scanned..).unwrap_or_default();
        let end = match memchr(b'\n', tail) {
            Some(at) => self.scanned + at + 1,
            None if ended && self.start < self.buffer.len() => self.buffer.len(),
            None => {
                self.scanned = self.buffer.len();
                return None;
            }
        };
        let line = self.start..end;
        (self.start, self.scanned) = (end, end);
        Some(line)
    }
}

/// The elements of a JSON array that is being received. A value that is no array is its own only element.
#[derive(Debug, Default)]
pub(super) struct Array {
    buffer: Vec<u8>,
    /// Where the next piece begins.
    start: usize,
    /// How far it was scanned.
    scanned: usize,
    state: State,
    /// Where the element begins that is being scanned.
    value: usize,
    depth: usize,
    string: bool,
    escape: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Nothing but white space yet.
    #[default]
    Before,
    /// Between elements.
    Between,
    /// In an element; `alone` if there is no array around it.
    Within { alone: bool },
    /// Behind the array.
    After,
}

impl Array {
    fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.start);
        self.scanned -= self.start;
        self.value = self.value.saturating_sub(self.start);
        self.start = 0;
        self.buffer.extend_from_slice(bytes);
    }

    fn next(&mut self, ended: bool) -> Option<Piece> {
        if self.state == State::After {
            (self.scanned, self.value) = (self.buffer.len(), self.buffer.len());
            let rest = std::mem::replace(&mut self.start, self.buffer.len())..self.buffer.len();
            return (!rest.is_empty()).then_some(Piece::Between(rest));
        }
        while let Some(byte) = self.buffer.get(self.scanned).copied() {
            if let Some(piece) = self.step(byte) {
                return Some(piece);
            }
        }
        if !ended || self.start == self.buffer.len() {
            return None;
        }
        match self.state {
            State::Within { .. } => Some(self.element(self.buffer.len())),
            _ => Some(Piece::Between(std::mem::replace(&mut self.start, self.buffer.len())..self.buffer.len())),
        }
    }

    fn step(&mut self, byte: u8) -> Option<Piece> {
        let white = matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
        match self.state {
            State::Before if white => self.scanned += 1,
            State::Before if byte == b'[' => {
                self.state = State::Between;
                self.scanned += 1;
            }
            State::Between if white || byte == b',' => self.scanned += 1,
            State::Between if byte == b']' => {
                self.scanned += 1;
                self.state = State::After;
                return Some(Piece::Close(std::mem::replace(&mut self.start, self.scanned)..self.scanned));
            }
            State::Before | State::Between => {
                self.value = self.scanned;
                self.state = State::Within { alone: self.state == State::Before };
            }
            State::Within { .. } => return self.within(byte),
            State::After => self.scanned += 1,
        }
        None
    }

    fn within(&mut self, byte: u8) -> Option<Piece> {
        if self.string {
            self.scanned += 1;
            match byte {
                _ if self.escape => self.escape = false,
                b'\\' => self.escape = true,
                b'"' => {
                    self.string = false;
                    return (self.depth == 0).then(|| self.element(self.scanned));
                }
                _ => {}
            }
            return None;
        }
        if self.depth == 0 && self.scanned > self.value && matches!(byte, b',' | b']' | b' ' | b'\t' | b'\r' | b'\n') {
            return Some(self.element(self.scanned));
        }
        self.scanned += 1;
        match byte {
            b'"' => self.string = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => {
                self.depth = self.depth.saturating_sub(1);
                return (self.depth == 0).then(|| self.element(self.scanned));
            }
            _ => {}
        }
        None
    }

    fn element(&mut self, end: usize) -> Piece {
        let alone = self.state == State::Within { alone: true };
        self.state = if alone { State::After } else { State::Between };
        (self.depth, self.string, self.escape, self.scanned) = (0, false, false, end);
        let before = std::mem::replace(&mut self.start, end)..self.value;
        Piece::Element(before, self.value..end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(framing: Framing, chunks: &[&str]) -> Vec<String> {
        let mut framer = Framer::new(framing);
        let mut pieces = Vec::new();
        let mut drain = |framer: &mut Framer, ended| {
            while let Some(piece) = framer.next(ended) {
                let text = |place: &Range<usize>| String::from_utf8_lossy(framer.bytes(place.clone())).into_owned();
                pieces.push(match &piece {
                    Piece::Between(place) => format!("between {}", text(place)),
                    Piece::Event(place) => format!("event {}", text(place)),
                    Piece::Element(before, value) => format!("{}element {}", text(before), text(value)),
                    Piece::Close(place) => format!("close {}", text(place)),
                });
            }
        };
        for chunk in chunks {
            framer.push(chunk.as_bytes());
            drain(&mut framer, false);
        }
        drain(&mut framer, true);
        pieces
    }

    #[test]
    fn an_array_is_cut_into_its_elements() {
        let text = " [{\"a\":\"}]\\\"\"}\n,\r\n{\"b\":[1]} , \"x,]\", 12, true]\n";
        let whole = pieces(Framing::JsonArray, &[text]);
        assert_eq!(
            whole,
            [
                " [element {\"a\":\"}]\\\"\"}",
                "\n,\r\nelement {\"b\":[1]}",
                " , element \"x,]\"",
                ", element 12",
                ", element true",
                "close ]",
                "between \n"
            ]
        );
        for cut in 0..=text.len() {
            let (head, tail) = text.split_at(cut);
            assert_eq!(pieces(Framing::JsonArray, &[head, tail]), whole, "cut at {cut}");
        }
    }

    #[test]
    fn what_is_no_array_is_one_element() {
        assert_eq!(pieces(Framing::JsonArray, &["{\"error\":{}}\n"]), ["element {\"error\":{}}", "between \n"]);
        assert_eq!(pieces(Framing::JsonArray, &["[{\"a\":"]), ["[element {\"a\":"]);
        assert_eq!(pieces(Framing::JsonArray, &["["]), ["between ["]);
        assert_eq!(pieces(Framing::JsonArray, &["oops"]), ["element oops"]);
    }

    #[test]
    fn lines_are_events() {
        let text = "{\"a\":1}\n\n{\"b\":2}\r\n{";
        let whole = pieces(Framing::Ndjson, &[text]);
        assert_eq!(whole, ["event {\"a\":1}\n", "event \n", "event {\"b\":2}\r\n", "event {"]);
        let bytes: Vec<String> = text.chars().map(String::from).collect();
        assert_eq!(pieces(Framing::Ndjson, &bytes.iter().map(String::as_str).collect::<Vec<_>>()), whole);
    }

    #[test]
    fn the_content_type_tells_the_framing() {
        let gemini = Endpoint::GeminiGenerate { stream: true, sse: false };
        assert_eq!(Framing::of(Endpoint::OpenaiChat, "text/event-stream; charset=utf-8"), Some(Framing::Sse));
        assert_eq!(Framing::of(Endpoint::OpenaiChat, "application/json"), None);
        assert_eq!(Framing::of(gemini, "application/json; charset=UTF-8"), Some(Framing::JsonArray));
        assert_eq!(Framing::of(Endpoint::GeminiGenerate { stream: false, sse: false }, "application/json"), None);
        assert_eq!(Framing::of(Endpoint::AnyJson, "application/x-ndjson"), Some(Framing::Ndjson));
    }
}
