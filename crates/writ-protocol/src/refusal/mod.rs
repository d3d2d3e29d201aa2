//! Refusals in the words of each wire format: an error that programs understand, or an answer that people read.
//!
//! | format | error | in the middle of a stream |
//! |---|---|---|
//! | OpenAI chat, other JSON | `{"error": {"message", "type", "param", "code", …}}` | the same as a chunk, then `[DONE]` |
//! | OpenAI Responses | the same | an `error` event, then `response.failed` |
//! | Anthropic | `{"type": "error", "error": {"type", "message", …}}` | the same as an `error` event |
//! | Gemini | `{"error": {"code", "message", "status", "details"}}` | the same in the place of a chunk |
//!
//! The reason is the message; clauses and reference code stand beside it, where the formats tolerate more fields.
//!
//! **Why an error in mid-stream, and not a last text with the finish reason `content_filter`:** the official clients of
//! all three providers raise it with its message and do not retry, so that a program cannot take half an answer for a
//! whole one, and the reason does not enter the conversation as words of the model. The `error` event of Responses has
//! the documented flat fields and the object `error`, without which the official clients do not raise it; the
//! `response.failed` behind it ends the stream for clients that wait for a terminal event, with a code
//! (`invalid_prompt`) after which agents do not try again.

mod errors;
mod message;

use writ_model::{Refusal, WireFormat};

pub(crate) use errors::cut;

use crate::endpoint::Endpoint;

/// What ids of answers that Writ wrote begin with, after the format's own prefix: `resp_writ_…`, `msg_writ_…`.
const OWN: &str = "writ_";

/// How a refusal is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalForm<'a> {
    /// The provider's error, with [`Refusal::for_programs`], also where a stream was asked for.
    Error,
    /// A complete answer of the assistant, with [`Refusal::for_people`]. At an endpoint that gives no such answers it
    /// is an error.
    Message {
        /// Whether the client asked for a stream.
        stream: bool,
        /// The model that the client asked for.
        model: &'a str,
    },
}

/// A refusal as the client gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusalAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The content type.
    pub content_type: &'static str,
    /// The body.
    pub body: Vec<u8>,
}

const JSON: &str = "application/json";
const EVENTS: &str = "text/event-stream; charset=utf-8";

/// The answer to a request at `endpoint` that was refused.
pub fn refuse(endpoint: Endpoint, form: RefusalForm<'_>, refusal: &Refusal) -> RefusalAnswer {
    match form {
        RefusalForm::Message { stream, model } if speaks(endpoint) => {
            let (content_type, body) = message::message(endpoint, stream, model, refusal);
            RefusalAnswer { status: 200, content_type, body: body.into_bytes() }
        }
        _ => {
            let error = errors::document(endpoint.wire_format(), refusal);
            // A stream that is an array has its errors in one, too.
            let array = matches!(endpoint, Endpoint::GeminiGenerate { stream: true, sse: false });
            let body = if array { format!("[{error}]") } else { error };
            RefusalAnswer { status: refusal.kind.status(), content_type: JSON, body: body.into_bytes() }
        }
    }
}

/// Whether an answer's id is one that Writ made: a client that continues from it (`previous_response_id`) refers to
/// something that the service does not know.
pub fn is_own_id(id: &str) -> bool {
    id.split_once('_').is_some_and(|(_, rest)| rest.starts_with(OWN))
        || id.strip_prefix("chatcmpl-").is_some_and(|rest| rest.starts_with(OWN))
}

fn speaks(endpoint: Endpoint) -> bool {
    matches!(
        endpoint,
        Endpoint::OpenaiChat
            | Endpoint::OpenaiResponses
            | Endpoint::AnthropicMessages
            | Endpoint::GeminiGenerate { .. }
    )
}

/// The id of an answer that Writ made.
fn own_id(prefix: &str, refusal: &Refusal) -> String {
    let interaction = refusal.interaction.to_string();
    let id = interaction.split_once('_').map_or(interaction.as_str(), |(_, id)| id);
    format!("{prefix}{OWN}{}", id.replace('-', ""))
}

/// When the interaction began, in Unix seconds: its id is ordered by time (RFC 9562 section 5.7).
fn created(refusal: &Refusal) -> u64 {
    let milliseconds = refusal.interaction.as_bytes().iter().take(6).fold(0, |sum, byte| sum << 8 | u64::from(*byte));
    milliseconds / 1000
}

/// The format whose words an endpoint's answers use.
fn error_format(format: WireFormat) -> WireFormat {
    match format {
        WireFormat::OpenaiResponses | WireFormat::AnyJson => WireFormat::OpenaiChat,
        other => other,
    }
}
