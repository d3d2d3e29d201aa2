//! What an interaction is made of.

use std::fmt;
use std::ops::Range;

use bytestring::ByteString;
use serde::{Deserialize, Serialize};
use writ_base::ids;

use crate::values::Signal;

ids! {
    /// One act of using a service: unit of verdict and record.
    pub struct InteractionId = "int_";
    /// Interactions that belong together.
    pub struct ConversationId = "con_";
    /// A person or workload that acts; the random internal id behind all its logins.
    pub struct PrincipalId = "pri_";
}

/// The prompt side or the answer side of an interaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// From the principal to the service.
    Prompt,
    /// From the service to the principal.
    Answer,
}

/// Who wrote a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Author {
    /// The system prompt.
    System,
    /// The application's developer.
    Developer,
    /// The person or program that asks.
    User,
    /// The model.
    Assistant,
    /// A tool's result.
    Tool,
    /// The definition of a tool.
    ToolDefinition,
    /// A field beside the conversation: user, metadata, file name.
    Metadata,
    /// A field whose meaning is not known: found by walking strings.
    Unknown,
}

/// The wire formats that Writ has a codec for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WireFormat {
    /// OpenAI chat completions.
    OpenaiChat,
    /// OpenAI Responses.
    OpenaiResponses,
    /// Anthropic Messages.
    AnthropicMessages,
    /// Gemini generateContent and streamGenerateContent.
    GeminiGenerate,
    /// JSON of an unknown kind: every string is walked.
    AnyJson,
}

impl WireFormat {
    /// All wire formats.
    pub const ALL: &'static [Self] =
        &[Self::OpenaiChat, Self::OpenaiResponses, Self::AnthropicMessages, Self::GeminiGenerate, Self::AnyJson];

    /// The name in catalog, records and documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OpenaiChat => "openai-chat",
            Self::OpenaiResponses => "openai-responses",
            Self::AnthropicMessages => "anthropic-messages",
            Self::GeminiGenerate => "gemini-generate",
            Self::AnyJson => "any-json",
        }
    }
}

impl fmt::Display for WireFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A piece of an interaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its number within the message, from 0, in the order of the wire.
    pub index: usize,
    /// Who wrote it.
    pub author: Author,
    /// The number of the turn it belongs to, from 0; parts beside the conversation have `None`.
    pub turn: Option<usize>,
    /// The codec's name for the place: `messages[].content`, as docs/coverage.md lists it.
    pub location: &'static str,
    /// Text, or what stands in its place.
    pub content: Content,
    /// Whether its text may be edited: signed, encrypted and structural fields may not.
    pub editable: bool,
}

impl Part {
    /// The text, if the part has one.
    pub fn text(&self) -> Option<&str> {
        match &self.content {
            Content::Text(text) => Some(text.expose()),
            Content::Opaque { .. } => None,
        }
    }
}

/// The content of a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Text, decoded from the wire format's escapes.
    Text(Text),
    /// Something that has no reader.
    Opaque {
        /// The signal that says of which kind.
        signal: Signal,
        /// Its length on the wire in bytes.
        length: usize,
    },
}

/// Text that may be a piece of a larger, shared one: parts of a body are pieces of the bytes that arrived, and nothing is
/// copied.
///
/// Prints as its size only, like [`writ_base::Sensitive`]; equality is that of the text.
#[derive(Clone, PartialEq, Eq)]
pub struct Text(ByteString);

impl Text {
    /// The piece `range` of `source`, in bytes; empty where the range does not lie on character boundaries of it.
    pub fn of(source: &ByteString, range: Range<usize>) -> Self {
        Self(source.get(range).map(|piece| source.slice_ref(piece)).unwrap_or_default())
    }

    /// The text itself. Allowed where content is judged, edited or sent; never on the way to a log or an error.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} B]", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_a_piece_and_prints_its_size_only() {
        let source = ByteString::from("aé4111");
        let text = Text::of(&source, 3..7);
        assert_eq!((text.expose(), format!("{text:?}").as_str()), ("4111", "[4 B]"));
        assert_eq!(text, Text::from("4111"));
        assert_eq!(Text::of(&source, 2..7).expose(), "", "inside a character");
        assert_eq!(Text::of(&source, 3..8).expose(), "", "past the end");
    }
}
