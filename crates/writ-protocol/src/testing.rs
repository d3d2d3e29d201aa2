//! Full examples of what travels, of our own making: for the tests of this crate and of those above it.
//!
//! Each place that may hold text holds a *canary*, `canary-01` and so on, once per example. `@b64(...)` in a template
//! is text in base64.

use base64::Engine as _;
use writ_model::Direction;

use crate::endpoint::Endpoint;

/// One body with a canary at every place that holds text.
#[derive(Clone, Copy, Debug)]
pub struct Example {
    /// Its name: that of its file.
    pub name: &'static str,
    /// Where it goes to or comes from.
    pub endpoint: Endpoint,
    /// Whether it is a request or a whole answer.
    pub direction: Direction,
    template: &'static str,
}

const GEMINI: Endpoint = Endpoint::GeminiGenerate { stream: false, sse: false };

macro_rules! examples {
    ($($direction:ident $endpoint:expr, $name:literal;)+) => {
        /// All examples.
        pub const EXAMPLES: &[Example] = &[$(Example {
            name: $name,
            endpoint: $endpoint,
            direction: Direction::$direction,
            template: include_str!(concat!("../tests/fixtures/", $name, ".json")),
        }),+];
    };
}

examples! {
    Prompt Endpoint::OpenaiChat, "openai-chat.request";
    Prompt Endpoint::OpenaiResponses, "openai-responses.request";
    Prompt Endpoint::OpenaiResponses, "openai-responses-strings.request";
    Prompt Endpoint::OpenaiOther, "openai-other.request";
    Prompt Endpoint::AnthropicMessages, "anthropic-messages.request";
    Prompt Endpoint::AnthropicMessages, "anthropic-system.request";
    Prompt Endpoint::AnthropicCountTokens, "anthropic-messages.request";
    Prompt Endpoint::AnthropicCountTokens, "anthropic-system.request";
    Prompt Endpoint::AnthropicBatches, "anthropic-batches.request";
    Prompt Endpoint::AnthropicBatches, "anthropic-batch-of-all.request";
    Prompt GEMINI, "gemini-generate.request";
    Prompt GEMINI, "gemini-strings.request";
    Prompt Endpoint::GeminiCountTokens, "gemini-count.request";
    Prompt Endpoint::GeminiEmbed, "gemini-embed.request";
    Prompt Endpoint::AnyJson, "any-json.request";
    Prompt Endpoint::AnyJson, "any-string.request";
    Answer Endpoint::OpenaiChat, "openai-chat.answer";
    Answer Endpoint::OpenaiChat, "openai-chat-all.answer";
    Answer Endpoint::OpenaiResponses, "openai-responses.answer";
    Answer Endpoint::OpenaiResponses, "openai-responses-all.answer";
    Answer Endpoint::AnthropicMessages, "anthropic-messages.answer";
    Answer Endpoint::AnthropicMessages, "anthropic-messages-all.answer";
    Answer Endpoint::AnthropicMessages, "anthropic-error.answer";
    Answer GEMINI, "gemini-generate.answer";
    Answer GEMINI, "gemini-generate-all.answer";
    Answer Endpoint::AnyJson, "any-json.request";
    Answer Endpoint::AnyJson, "any-string.request";
}

impl Example {
    /// The body.
    pub fn body(&self) -> Vec<u8> {
        expand(self.template)
    }

    /// The canaries in it, in the order of the wire.
    pub fn canaries(&self) -> Vec<&'static str> {
        const LENGTH: usize = "canary-00".len();
        self.template.match_indices("canary-").filter_map(|(at, _)| self.template.get(at..at + LENGTH)).collect()
    }

    /// The body with `text` in the place of a canary; `text` must need no escapes.
    pub fn with(&self, canary: &str, text: &str) -> Vec<u8> {
        expand(&self.template.replace(canary, text))
    }
}

fn expand(template: &str) -> Vec<u8> {
    let mut body = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("@b64(") {
        let (text, tail) = after.split_once(')').unwrap_or((after, ""));
        body.push_str(before);
        let text = text.replace("\\n", "\n");
        base64::engine::general_purpose::STANDARD.encode_string(text, &mut body);
        rest = tail;
    }
    body.push_str(rest);
    body.into_bytes()
}
