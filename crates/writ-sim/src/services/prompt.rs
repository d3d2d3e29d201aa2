//! What the formats have in common once a request is read.

use serde_json::Value;

use crate::seeded::{ALPHANUMERIC, Generator};

const OBFUSCATION_CHARACTERS_MAX: usize = 12;

/// The parts of a request that decide the answer.
#[derive(Debug, Default)]
pub(crate) struct Prompt {
    pub(crate) model: String,
    /// The text of the last message of the person, parts joined by line feeds.
    pub(crate) last_user: String,
    /// Results of tools that came after that text.
    pub(crate) tool_results: Vec<String>,
    /// The JSON schema that the answer has to follow, where the request demands JSON.
    pub(crate) structure: Option<Value>,
    /// Whether a reasoning text was asked for.
    pub(crate) reasoning: bool,
    /// A stand-in for the provider's count of input tokens.
    pub(crate) input_tokens: usize,
}

/// A stand-in for a tokenizer: a token per four bytes, at least one.
pub(crate) fn tokens(bytes: usize) -> usize {
    bytes.div_ceil(4).max(1)
}

/// A string member.
pub(crate) fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str)
}

/// The items of an array member; none where it is absent or something else.
pub(crate) fn items<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Whether a member is `true`.
pub(crate) fn flag(value: &Value, key: &str) -> bool {
    value.get(key).and_then(Value::as_bool).unwrap_or(false)
}

/// The text of a content member: a string, or an array of parts of which those with a `text` member count.
pub(crate) fn content_text(content: Option<&Value>) -> String {
    match content {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => {
            let texts: Vec<&str> = parts.iter().filter_map(|part| text(part, "text")).collect();
            texts.join("\n")
        }
        _ => String::new(),
    }
}

/// The padding that OpenAI adds to streamed deltas against guessing texts from sizes of packets; none where the
/// request declines it.
pub(crate) fn obfuscation(body: &Value, event: usize) -> Option<String> {
    let declined = body.pointer("/stream_options/include_obfuscation") == Some(&Value::Bool(false));
    let mut generator = Generator::new(u64::try_from(event).unwrap_or_default());
    let length = 1 + generator.below(OBFUSCATION_CHARACTERS_MAX);
    (!declined).then(|| generator.token(length, ALPHANUMERIC))
}
