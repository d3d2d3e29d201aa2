//! A body, read: its parts, turns and signals, and the way back into its bytes.

use std::fmt;
use std::ops::Range;

use bytes::Bytes;
use writ_base::Limit;
use writ_model::interaction::Content;
use writ_model::{Author, Part, Set, Signal, Unreadable};

use crate::draft::Draft;
use crate::endpoint::Endpoint;
use crate::splice::{Map, cannot_edit};
use crate::{codec, form};

pub use crate::splice::{CannotEdit, Edit};

/// The largest body that is read: above what the services themselves accept (Anthropic Messages: 32 MB).
pub static BODY: Limit = Limit::new("protocol.body_bytes", "bytes", 64 << 20);

/// What a request or a whole answer says.
#[derive(Clone, Default)]
pub struct Message {
    /// Everything in it that can carry content, in the order of the wire; last come its structural values.
    pub parts: Vec<Part>,
    /// What analysis of the form alone says; holds the signal of every opaque part.
    pub signals: Set<Signal>,
    /// Why it could not be read as a whole, if so.
    pub unreadable: Set<Unreadable>,
    /// The model asked for, where the body names it; see also [`crate::endpoint::path_model`].
    pub model: Option<String>,
    /// Whether the body asks for a streamed answer.
    pub stream: bool,
    /// Whether the answer is read by a program: a format is demanded or a tool call forced. Notes must not be added.
    pub structured: bool,
    /// The turns of the conversation.
    pub turns: Vec<Turn>,
    /// Names of the tools that the model may call.
    pub tools: Vec<String>,
    pub(crate) map: Map,
}

/// One turn of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Who wrote it.
    pub author: Author,
    /// Its parts, as numbers of [`Message::parts`].
    pub parts: Range<usize>,
    /// Whether other turns refer to it (a tool call or its result) or a signature covers it: such a turn cannot be
    /// removed, and its text is replaced place by place.
    pub linked: bool,
}

/// Reads the body of a request; the texts of its parts are pieces of these bytes. Total (invariant PRO-1): any bytes give a
/// message.
pub fn read_prompt(endpoint: Endpoint, body: &Bytes) -> Message {
    read(endpoint, body, codec::prompt(endpoint))
}

/// Reads a whole (not streamed) answer, as [`read_prompt`] reads a prompt.
pub fn read_answer(endpoint: Endpoint, body: &Bytes) -> Message {
    read(endpoint, body, codec::answer(endpoint))
}

fn read(endpoint: Endpoint, body: &Bytes, codec: &'static codec::Codec) -> Message {
    if body.is_empty() {
        return Message { map: Map::fixed(0), ..Message::default() };
    }
    if !BODY.admits(body.len()) {
        return Message::opaque(body.len(), Signal::OpaqueFormat).because(Unreadable::TooLarge);
    }
    match endpoint {
        Endpoint::Multipart(boundary) => form::multipart(boundary, body),
        Endpoint::Form => form::urlencoded(body),
        Endpoint::Other => form::unknown(body, codec),
        _ => Draft::json(body, codec),
    }
}

impl Message {
    /// A message of one part that has no reader.
    pub(crate) fn opaque(length: usize, signal: Signal) -> Self {
        let content = Content::Opaque { signal, length };
        let part = Part { index: 0, author: Author::Unknown, turn: None, location: "body", content, editable: false };
        Self { parts: vec![part], signals: Set::one(signal), map: Map::fixed(length), ..Self::default() }
    }

    fn because(mut self, unreadable: Unreadable) -> Self {
        self.unreadable.insert(unreadable);
        self
    }

    /// `body` with the edits made, every other byte as it was (invariant PRO-2). `body` is the one that was read.
    ///
    /// Replacements are written with the escapes that their places need, at every level of nesting.
    ///
    /// # Errors
    /// If a part or turn may not be edited, a span is none of its text, or two edits overlap; nothing is edited then.
    pub fn splice(&self, body: &[u8], edits: &[Edit]) -> Result<Vec<u8>, CannotEdit> {
        self.map.splice(self, body, edits)
    }

    /// Whether an edit could be made, without making it.
    ///
    /// # Errors
    /// As [`Message::splice`], as far as it can be told without the body.
    pub fn check(&self, edit: &Edit) -> Result<(), CannotEdit> {
        cannot_edit(self, edit)
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("parts", &self.parts)
            .field("signals", &self.signals)
            .field("unreadable", &self.unreadable)
            .field("stream", &self.stream)
            .field("structured", &self.structured)
            .field("turns", &self.turns)
            .field("tools", &self.tools.len())
            .finish_non_exhaustive()
    }
}
