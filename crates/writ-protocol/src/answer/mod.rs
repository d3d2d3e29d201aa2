//! Answers: the service's stream of events, edited on its way to the client.
//!
//! An [`AnswerStream`] cuts the bytes of an answer into events, tells which strings of an event are text and of which
//! [`Channel`], offers them to a [`TextEditor`] and splices what it returns into the event. What the editor leaves as
//! it is passes byte for byte (invariant PRO-2), as soon as its event is complete. If a channel ends and the editor
//! still holds text, an event of our own delivers it before the one that ends the channel.
//!
//! # What is offered
//!
//! | kind | what | how |
//! |---|---|---|
//! | [`ChannelKind::Text`], [`ChannelKind::Reasoning`], [`ChannelKind::Refusal`] | text as people read it | [`TextEditor::edit`] per delta, [`TextEditor::whole`] where a field repeats it |
//! | [`ChannelKind::ToolArguments`] | the source of a JSON value (of a custom tool: its input as it is), cut anywhere | the same; arguments that are an object in the event (Anthropic `input`, Gemini `args`) come whole, as their source |
//! | [`ChannelKind::Other`] | any other string of the event | [`TextEditor::whole`], each for itself |
//!
//! A channel is what the client joins: the same key, whatever events lie between two deltas. Its finish is told before
//! a field repeats it. A channel that goes on after its end is offered as a new one.
//!
//! # What is not offered
//!
//! - Text that a signature covers (Anthropic thinking and its signature), encrypted reasoning: the service checks it
//!   when it comes back, so it is never edited. [`Signal::OpaqueEncrypted`] says that it was there.
//! - Images, sound and files: the signal of their kind.
//! - Ids, names and words of the format of at most 256 bytes; numbers; keys of objects.
//! - Token probabilities repeat the text: they are dropped from an event whose text changes, and not read otherwise.

mod anthropic;
pub mod cells;
mod chat;
mod extra;
mod framing;
mod fuzzing;
mod gemini;
mod plan;
mod reader;
mod responses;
mod stream;
mod value;
mod weave;
mod whole;

use writ_base::Limit;

pub(crate) use extra::Extra;
pub use framing::Framing;
pub use fuzzing::fuzz_sse;
pub(crate) use reader::Names;
pub use stream::AnswerStream;
pub(crate) use weave::on_one_line;
pub use whole::{WholeEdit, edit_whole};

#[cfg(doc)]
use writ_model::Signal;

/// How many bytes one event of an answer may have: a whole answer with its request repeated, or a picture.
pub static EVENT: Limit = Limit::new("protocol.answer_event_bytes", "bytes", 16 << 20);
/// How many channels of an answer may be open at a time.
pub static CHANNELS: Limit = Limit::new("protocol.answer_channels", "channels", 1024);

/// Edits the text streams of an answer. The protocol owns framing, the engine owns judgement.
pub trait TextEditor {
    /// New text of a channel; append to `out` what may be delivered now: less, more or nothing.
    fn edit(&mut self, channel: &Channel, text: &str, out: &mut String) -> Flow;

    /// The channel ends: append what is still held.
    fn finish(&mut self, channel: &Channel, out: &mut String) -> Flow;

    /// A whole text: a field that repeats what was streamed, the text of a whole answer, or a string by itself.
    /// Append the edited text. What was streamed before must not count twice.
    fn whole(&mut self, channel: &Channel, text: &str, out: &mut String) -> Flow;
}

/// Whether an answer goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Flow {
    /// It goes on.
    Continue,
    /// It stops here: the event at hand and all that follow are not delivered.
    Stop,
}

/// One text of an answer, as the client puts it together.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Channel {
    /// The choice (chat), output item (Responses) or candidate (Gemini); 0 with Anthropic.
    pub output: u32,
    /// The content block (Anthropic), content part (Responses), tool call (chat, Gemini); 0 otherwise. Texts that
    /// would fall together have blocks from 65,536 on.
    pub block: u32,
    /// What the text is.
    pub kind: ChannelKind,
}

/// What the text of a channel is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ChannelKind {
    /// The answer, for people.
    Text,
    /// What the model thinks, or a summary of it.
    Reasoning,
    /// Why the model does not answer.
    Refusal,
    /// Arguments of a tool call: the source of a JSON value.
    ToolArguments,
    /// Any other string of an event.
    Other,
}
