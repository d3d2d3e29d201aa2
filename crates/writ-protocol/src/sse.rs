//! Server-sent events (WHATWG HTML, section 9.2), cut out of a byte stream without losing a byte.
//!
//! [`Splitter`] finds where events end, whatever the chunks; [`Event`] reads the fields of one and can be written again
//! with other data, every other line as it was.

use std::borrow::Cow;
use std::ops::Range;

use memchr::memchr2;
use smallvec::SmallVec;

/// Cuts a byte stream into events: each with the blank line that ends it. All bytes of the stream are in exactly one
/// event; stray blank lines and comments are events without data.
///
/// LF, CRLF and CR end a line. After a CR it takes the next byte to tell CR from CRLF; a stream that has just ended a
/// line of the same event with a bare CR is not made to wait.
#[derive(Debug, Default)]
pub struct Splitter {
    buffer: Vec<u8>,
    /// Where the event begins that is being collected.
    start: usize,
    /// Where the line begins that is being looked at.
    line: usize,
    /// How far the line was looked at.
    scanned: usize,
    /// Whether the last line of this event ended with a bare CR.
    bare: bool,
}

impl Splitter {
    /// Takes bytes in.
    pub fn push(&mut self, bytes: &[u8]) {
        self.compact();
        self.buffer.extend_from_slice(bytes);
    }

    /// The next complete event, as a place in [`Splitter::bytes`].
    pub fn next_event(&mut self) -> Option<Range<usize>> {
        loop {
            let (end, bare) = self.line_end()?;
            let blank = self.scanned == self.line;
            (self.line, self.scanned, self.bare) = (end, end, bare);
            if blank {
                let event = self.start..end;
                (self.start, self.bare) = (end, false);
                return Some(event);
            }
        }
    }

    /// What follows the last complete event; the stream has ended.
    pub fn rest(&mut self) -> Option<Range<usize>> {
        let rest = self.start..self.buffer.len();
        (self.start, self.line, self.scanned) = (rest.end, rest.end, rest.end);
        (!rest.is_empty()).then_some(rest)
    }

    /// How many bytes of an incomplete event are held.
    pub fn held(&self) -> usize {
        self.buffer.len() - self.start
    }

    /// The bytes at a place that was returned since the last [`Splitter::push`].
    pub fn bytes(&self, place: Range<usize>) -> &[u8] {
        self.buffer.get(place).unwrap_or_default()
    }

    /// The end of the line that is being looked at, and whether it is a bare CR; moves `scanned` to its first byte.
    fn line_end(&mut self) -> Option<(usize, bool)> {
        let tail = self.buffer.get(self.scanned..).unwrap_or_default();
        let Some(at) = memchr2(b'\n', b'\r', tail) else {
            self.scanned = self.buffer.len();
            return None;
        };
        self.scanned += at;
        if self.buffer.get(self.scanned) == Some(&b'\n') {
            return Some((self.scanned + 1, false));
        }
        if self.bare && self.scanned == self.line {
            return Some((self.scanned + 1, true));
        }
        match self.buffer.get(self.scanned + 1)? {
            b'\n' => Some((self.scanned + 2, false)),
            _ => Some((self.scanned + 1, true)),
        }
    }

    fn compact(&mut self) {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.line -= self.start;
            self.scanned -= self.start;
            self.start = 0;
        }
    }
}

/// One event: the places of its fields in its bytes.
#[derive(Debug)]
pub struct Event<'b> {
    raw: &'b [u8],
    data: SmallVec<[Line; 1]>,
    name: Option<Range<usize>>,
}

/// A data line: all of it with its end, and its value.
#[derive(Debug)]
struct Line {
    whole: Range<usize>,
    value: Range<usize>,
}

/// The byte order mark, ignored at the start of a stream.
const BOM: &[u8] = b"\xef\xbb\xbf";

impl<'b> Event<'b> {
    /// Reads an event. `first` is true for the first one of a stream: it may begin with a byte order mark.
    pub fn parse(raw: &'b [u8], first: bool) -> Self {
        let mut event = Self { raw, data: SmallVec::new(), name: None };
        let mut at = if first && raw.starts_with(BOM) { BOM.len() } else { 0 };
        while at < raw.len() {
            let tail = raw.get(at..).unwrap_or_default();
            let length = memchr2(b'\n', b'\r', tail).unwrap_or(tail.len());
            let ending = match (tail.get(length), tail.get(length + 1)) {
                (Some(b'\r'), Some(b'\n')) => 2,
                (Some(_), _) => 1,
                (None, _) => 0,
            };
            event.line(at..at + length + ending, at + length);
            at += length + ending;
        }
        event
    }

    fn line(&mut self, whole: Range<usize>, end: usize) {
        let line = self.raw.get(whole.start..end).unwrap_or_default();
        let colon = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
        let (name, rest) = line.split_at_checked(colon).unwrap_or((line, &[]));
        let skip = match rest {
            [b':', b' ', ..] => 2,
            [] => 0,
            _ => 1,
        };
        let value = whole.start + colon + skip..end;
        match name {
            b"data" => self.data.push(Line { whole, value }),
            b"event" => self.name = Some(value),
            _ => {}
        }
    }

    /// Its bytes.
    pub fn raw(&self) -> &'b [u8] {
        self.raw
    }

    /// The data: its lines joined by LF. `None` if there is no data line; a client ignores such an event.
    pub fn data(&self) -> Option<Cow<'b, [u8]>> {
        let value = |line: &Line| self.raw.get(line.value.clone()).unwrap_or_default();
        match self.data.as_slice() {
            [] => None,
            [line] => Some(Cow::Borrowed(value(line))),
            lines => Some(Cow::Owned(lines.iter().map(value).collect::<Vec<_>>().join(&b'\n'))),
        }
    }

    /// The event's type, if it names one.
    pub fn name(&self) -> Option<&'b [u8]> {
        self.raw.get(self.name.clone()?)
    }

    /// Appends the event with other data; every other byte is as it was.
    pub fn write_with(&self, data: &str, out: &mut Vec<u8>) {
        let mut lines = data.split('\n').peekable();
        let mut at = 0;
        for (number, line) in self.data.iter().enumerate() {
            out.extend_from_slice(self.raw.get(at..line.whole.start).unwrap_or_default());
            at = line.whole.end;
            let last = number + 1 == self.data.len();
            while let Some(text) = lines.next() {
                out.extend_from_slice(self.raw.get(line.whole.start..line.value.start).unwrap_or_default());
                out.extend_from_slice(text.as_bytes());
                let ending = self.raw.get(line.value.end..line.whole.end).unwrap_or_default();
                out.extend_from_slice(if ending.is_empty() && lines.peek().is_some() { b"\n" } else { ending });
                if !last {
                    break;
                }
            }
        }
        out.extend_from_slice(self.raw.get(at..).unwrap_or_default());
    }
}

/// Appends an event of our own.
pub fn write_event(name: Option<&str>, data: &str, newline: &str, out: &mut Vec<u8>) {
    if let Some(name) = name {
        for piece in ["event: ", name, newline] {
            out.extend_from_slice(piece.as_bytes());
        }
    }
    for line in data.split('\n') {
        for piece in ["data: ", line, newline] {
            out.extend_from_slice(piece.as_bytes());
        }
    }
    out.extend_from_slice(newline.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(chunks: &[&str]) -> Vec<String> {
        let mut splitter = Splitter::default();
        let mut events = Vec::new();
        let mut keep = |splitter: &Splitter, place| events.push(String::from_utf8_lossy(splitter.bytes(place)).into());
        for chunk in chunks {
            splitter.push(chunk.as_bytes());
            while let Some(place) = splitter.next_event() {
                keep(&splitter, place);
            }
        }
        if let Some(place) = splitter.rest() {
            keep(&splitter, place);
        }
        events
    }

    #[test]
    fn events_end_with_a_blank_line_of_any_kind() {
        let all = [
            "data: a\n\n",
            "data: b\r\n\r\n",
            "data: c\r\r",
            ": note\n\n",
            "\n",
            "event: x\nid: 1\ndata\n\n",
            "data: d",
        ];
        let text = all.concat();
        assert_eq!(events(&[&text]), all);
        for cut in 0..=text.len() {
            let (head, tail) = text.split_at(cut);
            assert_eq!(events(&[head, tail]), all, "cut at {cut}");
        }
        let bytes: Vec<String> = text.chars().map(String::from).collect();
        assert_eq!(events(&bytes.iter().map(String::as_str).collect::<Vec<_>>()), all);
    }

    #[test]
    fn an_event_is_there_as_soon_as_it_is_complete() {
        for event in ["data: a\n\n", "data: a\r\n\r\n", "data: a\r\r"] {
            let mut splitter = Splitter::default();
            splitter.push(event.as_bytes());
            assert_eq!(splitter.next_event(), Some(0..event.len()), "{event:?}");
            assert_eq!(splitter.held(), 0);
        }
    }

    #[test]
    fn fields_are_read_as_the_standard_says() {
        let data = |raw: &str| {
            Event::parse(raw.as_bytes(), true).data().map(|data| String::from_utf8_lossy(&data).into_owned())
        };
        for (raw, expected) in [
            ("data: a\n\n", Some("a")),
            ("data:a\n\n", Some("a")),
            ("data:  a\r\n\r\n", Some(" a")),
            ("data\n\n", Some("")),
            ("data: a\ndata: b\rdata:c\r\n\n", Some("a\nb\nc")),
            ("\u{feff}data: a\n\n", Some("a")),
            ("datax: a\n\n", None),
            (": data: a\n\n", None),
            ("data: a:b", Some("a:b")),
        ] {
            assert_eq!(data(raw).as_deref(), expected, "{raw:?}");
        }
        assert_eq!(Event::parse("\u{feff}data: a\n\n".as_bytes(), false).data(), None);
        assert_eq!(Event::parse(b"event: ping\ndata: {}\n\n", true).name(), Some(b"ping".as_slice()));
    }

    #[test]
    fn only_the_data_changes() {
        let written = |raw: &str, data: &str| {
            let mut out = Vec::new();
            Event::parse(raw.as_bytes(), true).write_with(data, &mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(
            written("\u{feff}id: 1\r\ndata:x\r\n: c\r\n\r\n", "new"),
            "\u{feff}id: 1\r\ndata:new\r\n: c\r\n\r\n"
        );
        assert_eq!(written("data: a\nid: 1\ndata: b\n\n", "c\nd"), "data: c\nid: 1\ndata: d\n\n");
        assert_eq!(written("data: a\nid: 1\ndata: b\n\n", "c"), "data: c\nid: 1\n\n");
        assert_eq!(written("data: a\n\n", "b\nc"), "data: b\ndata: c\n\n");
        assert_eq!(written("data: a", "b\nc"), "data: b\ndata: c");
    }
}
