//! An answer that comes as a stream of events.

use std::borrow::Cow;
use std::ops::Range;

use writ_model::{Refusal, Set, Signal, Unreadable};

use super::extra::{Extra, extra};
use super::framing::{Framer, Piece};
use super::plan::Plan;
use super::reader::Reader;
use super::weave::{DataEdit, Due, Halt, Open, Woven, finish_all, splice, weave};
use super::{EVENT, Flow, Framing, TextEditor};
use crate::endpoint::Endpoint;
use crate::refusal;
use crate::sse::{Event, write_event};

/// An answer that comes as a stream of events, edited on its way.
///
/// Total (invariant PRO-1): any bytes are taken. Memory is bounded by [`EVENT`], [`super::CHANNELS`] and one push.
#[derive(Debug)]
pub struct AnswerStream {
    framer: Framer,
    events: Events,
    written: Written,
    state: State,
    unreadable: Option<Unreadable>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Running,
    /// The editor stopped it, or it could not be read.
    Stopped,
    /// It has ended, by itself or by a cut.
    Ended,
}

impl AnswerStream {
    /// The answer to a request at `endpoint`.
    pub fn new(endpoint: Endpoint, framing: Framing) -> Self {
        Self {
            framer: Framer::new(framing),
            events: Events::new(Reader::new(endpoint)),
            written: Written { framing, begun: false, newline: "\n", elements: 0, closed: false, unfinished: false },
            state: State::Running,
            unreadable: None,
        }
    }

    /// The framing of an answer of this content type; `None` if it is one document, for [`super::edit_whole`].
    pub fn framing_for(endpoint: Endpoint, content_type: &str) -> Option<Framing> {
        Framing::of(endpoint, content_type)
    }

    /// Takes bytes of the answer; appends to `out` what may be delivered.
    ///
    /// [`Flow::Stop`] means that the editor stopped the answer, or that an event is larger than [`EVENT`] or opens too
    /// many channels ([`AnswerStream::unreadable`] says so): nothing of that event and of what follows is delivered.
    pub fn push(&mut self, bytes: &[u8], editor: &mut dyn TextEditor, out: &mut Vec<u8>) -> Flow {
        if self.state == State::Running {
            self.framer.push(bytes);
            self.drain(false, editor, out);
        }
        self.flow()
    }

    /// The answer has ended: delivers what is left.
    pub fn end(&mut self, editor: &mut dyn TextEditor, out: &mut Vec<u8>) -> Flow {
        if self.state == State::Running {
            self.drain(true, editor, out);
        }
        if self.state == State::Running {
            match finish_all(&mut self.events.open, editor) {
                Ok(due) => {
                    let extras = self.events.extras(&due, None);
                    self.written.extras(&extras, out);
                    self.state = State::Ended;
                }
                Err(halt) => self.halt(halt),
            }
        }
        self.flow()
    }

    /// Ends the answer here as its protocol ends, with the reason. Nothing is written if the answer has ended before.
    ///
    /// Chat: an `error` object, then `[DONE]`. Responses: an `error` event, then `response.failed`. Anthropic: an
    /// `error` event. Gemini: an `error` object in the place of a chunk. Official clients raise an error with the text.
    pub fn cut(&mut self, refusal: &Refusal, out: &mut Vec<u8>) {
        if self.state == State::Ended || self.written.closed {
            return;
        }
        self.state = State::Ended;
        let last = refusal::cut(self.events.reader.format, refusal, &self.events.reader.names, self.events.number);
        self.written.last(&last, out);
    }

    /// What the form of the answer says so far.
    pub fn signals(&self) -> Set<Signal> {
        self.events.signals
    }

    /// Why the answer could not be read on, if so.
    pub fn unreadable(&self) -> Option<Unreadable> {
        self.unreadable
    }

    /// The answer's own id, once it was named.
    pub fn response_id(&self) -> Option<&str> {
        self.events.reader.names.id.as_deref()
    }

    fn flow(&self) -> Flow {
        if self.state == State::Stopped { Flow::Stop } else { Flow::Continue }
    }

    fn halt(&mut self, halt: Halt) {
        self.state = State::Stopped;
        if halt == Halt::TooLarge {
            self.unreadable = Some(Unreadable::TooLarge);
        }
    }

    fn drain(&mut self, ended: bool, editor: &mut dyn TextEditor, out: &mut Vec<u8>) {
        while let Some(piece) = self.framer.next(ended) {
            if !EVENT.admits(piece.length()) {
                return self.halt(Halt::TooLarge);
            }
            if let Err(halt) = self.piece(piece, ended, editor, out) {
                return self.halt(halt);
            }
        }
        if !EVENT.admits(self.framer.held()) {
            self.halt(Halt::TooLarge);
        }
    }

    fn piece(&mut self, piece: Piece, ended: bool, editor: &mut dyn TextEditor, out: &mut Vec<u8>) -> Result<(), Halt> {
        match piece {
            Piece::Between(place) => out.extend_from_slice(self.framer.bytes(place)),
            Piece::Event(place) if self.written.framing == Framing::Sse => self.event(place, ended, editor, out)?,
            Piece::Event(line) => self.element(line.start..line.start, line, editor, out)?,
            Piece::Element(before, value) => self.element(before, value, editor, out)?,
            Piece::Close(place) => {
                let due = finish_all(&mut self.events.open, editor)?;
                let extras = self.events.extras(&due, None);
                self.written.extras(&extras, out);
                out.extend_from_slice(self.framer.bytes(place));
                self.written.closed = true;
            }
        }
        Ok(())
    }

    fn event(
        &mut self,
        place: Range<usize>,
        ended: bool,
        editor: &mut dyn TextEditor,
        out: &mut Vec<u8>,
    ) -> Result<(), Halt> {
        let raw = self.framer.bytes(place);
        let event = Event::parse(raw, !self.written.begun);
        let edited = match event.data() {
            Some(data) => self.events.edit(&data, editor)?,
            None => Edited::default(),
        };
        self.written.begun = true;
        self.written.newline = if raw.ends_with(b"\r\n") { "\r\n" } else { "\n" };
        self.written.extras(&edited.before, out);
        match edited.data {
            Some(data) => event.write_with(&data, out),
            None => out.extend_from_slice(raw),
        }
        let finished = [b"\n\n".as_slice(), b"\n\r\n", b"\r\r"].iter().any(|blank| raw.ends_with(blank));
        self.written.unfinished = ended && !finished;
        Ok(())
    }

    /// An element of an array, or a line.
    fn element(
        &mut self,
        before: Range<usize>,
        value: Range<usize>,
        editor: &mut dyn TextEditor,
        out: &mut Vec<u8>,
    ) -> Result<(), Halt> {
        let raw = self.framer.bytes(value);
        let edited = self.events.edit(raw, editor)?;
        out.extend_from_slice(self.framer.bytes(before));
        self.written.extras_behind_comma(&edited.before, out);
        match edited.data {
            Some(data) => out.extend_from_slice(data.as_bytes()),
            None => out.extend_from_slice(raw),
        }
        self.written.elements += 1;
        self.written.closed |= self.framer.alone();
        Ok(())
    }
}

/// The events of an answer, as they are read and edited.
#[derive(Debug)]
struct Events {
    reader: Reader,
    open: Open,
    signals: Set<Signal>,
    /// By how much the running numbers of events have moved, because events of our own were inserted.
    moved: u64,
    /// The running number that comes next.
    number: u64,
}

/// What became of an event.
#[derive(Default)]
struct Edited {
    /// Events of our own that come before it.
    before: Vec<Extra>,
    /// Its data, if that changed.
    data: Option<String>,
}

impl Events {
    fn new(reader: Reader) -> Self {
        Self { reader, open: Open::new(), signals: Set::EMPTY, moved: 0, number: 0 }
    }

    fn edit(&mut self, data: &[u8], editor: &mut dyn TextEditor) -> Result<Edited, Halt> {
        let data = String::from_utf8_lossy(data);
        if matches!(data, Cow::Owned(_)) {
            self.signals.insert(Signal::MalformedJson);
        }
        let plan = self.reader.event(&data);
        self.signals.extend_from(plan.signals);
        let Woven { mut edits, due } = weave(&data, &plan, &mut self.open, editor)?;
        let first = self.renumber(&plan, &due, &mut edits);
        let data = (!edits.is_empty()).then(|| splice(&data, &edits));
        Ok(Edited { before: self.extras(&due, first), data })
    }

    /// Moves the running number of an event behind those inserted before it; returns the number of the first of them.
    fn renumber(&mut self, plan: &Plan, due: &[Due], edits: &mut Vec<DataEdit>) -> Option<u64> {
        let (place, number) = plan.number.clone()?;
        let first = number.saturating_add(self.moved);
        self.moved = self.moved.saturating_add(due.len() as u64);
        let number = number.saturating_add(self.moved);
        self.number = number.saturating_add(1);
        if self.moved > 0 {
            edits.push((place, number.to_string()));
            edits.sort_by_key(|(place, _)| place.start);
        }
        Some(first)
    }

    fn extras(&self, due: &[Due], first: Option<u64>) -> Vec<Extra> {
        let numbers = first.unwrap_or(self.number)..;
        numbers.zip(due).filter_map(|(n, due)| extra(self.reader.format, &self.reader.names, due, n)).collect()
    }
}

/// What was written so far, as far as it decides how to go on.
#[derive(Debug)]
struct Written {
    framing: Framing,
    /// Whether an event was written.
    begun: bool,
    /// How lines end here.
    newline: &'static str,
    /// Elements of the array.
    elements: u64,
    /// Whether nothing can follow: the array was closed, or there is none.
    closed: bool,
    /// Whether the last event was cut off by the end of the stream.
    unfinished: bool,
}

impl Written {
    /// Writes events of our own, after what was written.
    fn extras(&mut self, extras: &[Extra], out: &mut Vec<u8>) {
        for extra in extras {
            if self.framing == Framing::JsonArray && self.elements > 0 {
                out.extend_from_slice(b",\r\n");
            }
            self.extra(extra, out);
        }
    }

    /// Writes events of our own before an element whose comma was written.
    fn extras_behind_comma(&mut self, extras: &[Extra], out: &mut Vec<u8>) {
        for extra in extras {
            self.extra(extra, out);
            if self.framing == Framing::JsonArray {
                out.extend_from_slice(b",\r\n");
            }
        }
    }

    /// Writes the last events of an answer that is cut.
    fn last(&mut self, extras: &[Extra], out: &mut Vec<u8>) {
        let array = self.framing == Framing::JsonArray;
        if array && self.elements == 0 {
            out.extend_from_slice(b"[");
        }
        self.extras(extras, out);
        if array {
            out.extend_from_slice(b"]");
        }
        self.closed = true;
    }

    fn extra(&mut self, extra: &Extra, out: &mut Vec<u8>) {
        match self.framing {
            Framing::Sse => {
                if std::mem::take(&mut self.unfinished) {
                    out.extend_from_slice(self.newline.repeat(2).as_bytes());
                }
                write_event(extra.name, &extra.data, self.newline, out);
            }
            Framing::JsonArray => out.extend_from_slice(extra.data.as_bytes()),
            Framing::Ndjson => {
                out.extend_from_slice(extra.data.as_bytes());
                out.extend_from_slice(b"\n");
            }
        }
        self.elements += 1;
    }
}
