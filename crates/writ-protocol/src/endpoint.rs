//! Which wire format a request speaks: told by its path and content type, never by the host alone.

use std::fmt;

use writ_base::Limit;
use writ_model::WireFormat;

/// How long the boundary of a multipart body may be (RFC 2046 section 5.1.1).
pub static BOUNDARY: Limit = Limit::new("protocol.boundary_bytes", "bytes", 70);

/// What stands at the other end of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// OpenAI chat completions, and all that speak like it.
    OpenaiChat,
    /// OpenAI Responses, also its token count and compaction.
    OpenaiResponses,
    /// Other OpenAI endpoints with JSON: embeddings, completions, images, speech, moderations.
    OpenaiOther,
    /// Anthropic Messages.
    AnthropicMessages,
    /// Anthropic's count of tokens of a Messages request.
    AnthropicCountTokens,
    /// Anthropic batches of Messages requests.
    AnthropicBatches,
    /// Gemini generateContent, and streamGenerateContent if `stream`.
    GeminiGenerate {
        /// Whether the path asks for a streamed answer.
        stream: bool,
        /// Whether the stream is one of server-sent events (`alt=sse`) and not one JSON array.
        sse: bool,
    },
    /// Gemini's count of tokens.
    GeminiCountTokens,
    /// Gemini embeddings, single and batched.
    GeminiEmbed,
    /// A list of models or one of them: nothing that a person wrote.
    Models,
    /// JSON of an unknown kind.
    AnyJson,
    /// An HTML form, percent-encoded.
    Form,
    /// A multipart body: an upload.
    Multipart(Boundary),
    /// Anything else: read by what it looks like.
    Other,
}

impl Endpoint {
    /// The wire format that the codec belongs to.
    pub const fn wire_format(self) -> WireFormat {
        match self {
            Self::OpenaiChat => WireFormat::OpenaiChat,
            Self::OpenaiResponses => WireFormat::OpenaiResponses,
            Self::AnthropicMessages | Self::AnthropicCountTokens | Self::AnthropicBatches => {
                WireFormat::AnthropicMessages
            }
            Self::GeminiGenerate { .. } | Self::GeminiCountTokens | Self::GeminiEmbed => WireFormat::GeminiGenerate,
            _ => WireFormat::AnyJson,
        }
    }

    /// The name in docs/coverage.md.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OpenaiChat => "OpenAI chat completions",
            Self::OpenaiResponses => "OpenAI Responses",
            Self::OpenaiOther => "OpenAI, other JSON",
            Self::AnthropicMessages => "Anthropic Messages",
            Self::AnthropicCountTokens => "Anthropic count_tokens",
            Self::AnthropicBatches => "Anthropic batches",
            Self::GeminiGenerate { .. } => "Gemini generateContent",
            Self::GeminiCountTokens => "Gemini countTokens",
            Self::GeminiEmbed => "Gemini embedContent",
            Self::Models => "models",
            Self::AnyJson => "any JSON",
            Self::Form => "form",
            Self::Multipart(_) => "multipart",
            Self::Other => "anything else",
        }
    }
}

/// The boundary of a multipart body.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Boundary {
    bytes: [u8; 70],
    length: u8,
}

impl Boundary {
    /// The boundary that a content type declares, if it is legal (RFC 2046 section 5.1.1).
    pub fn of(content_type: &str) -> Option<Self> {
        let value = parameter(content_type, "boundary")?;
        if value.is_empty() || !BOUNDARY.admits(value.len()) || !value.is_ascii() {
            return None;
        }
        let mut boundary = Self { bytes: [0; 70], length: u8::try_from(value.len()).ok()? };
        boundary.bytes.iter_mut().zip(value.bytes()).for_each(|(to, from)| *to = from);
        Some(boundary)
    }

    /// Its bytes, without the dashes in front.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.length)).unwrap_or_default()
    }
}

impl fmt::Debug for Boundary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Boundary")
    }
}

/// The endpoint that a request goes to.
///
/// `path_and_query` may have any prefix in front of the provider's own path: a gateway's route, a region, a project.
/// A known path decides even if the content type says something else: services read what they expect.
pub fn endpoint(method: &str, path_and_query: &str, content_type: Option<&str>) -> Endpoint {
    let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
    let path = path.trim_end_matches('/');
    let media = content_type.map(media_type).unwrap_or_default();
    if let Some(boundary) = content_type.filter(|_| media.starts_with("multipart/")).and_then(Boundary::of) {
        return Endpoint::Multipart(boundary);
    }
    if !method.eq_ignore_ascii_case("GET")
        && let Some(endpoint) = by_path(path, query)
    {
        return endpoint;
    }
    let mut segments = path.rsplit('/');
    let (last, before) = (segments.next().unwrap_or_default(), segments.next().unwrap_or_default());
    match media.as_str() {
        _ if method.eq_ignore_ascii_case("GET") && (last == "models" || before == "models") => Endpoint::Models,
        "application/x-www-form-urlencoded" => Endpoint::Form,
        "application/json" => Endpoint::AnyJson,
        _ if media.ends_with("+json") => Endpoint::AnyJson,
        _ => Endpoint::Other,
    }
}

fn by_path(path: &str, query: &str) -> Option<Endpoint> {
    let sse = query.split('&').any(|pair| pair == "alt=sse");
    if let Some((_, verb)) = path.rsplit('/').next().and_then(|last| last.rsplit_once(':')) {
        return match verb {
            "generateContent" => Some(Endpoint::GeminiGenerate { stream: false, sse }),
            "streamGenerateContent" => Some(Endpoint::GeminiGenerate { stream: true, sse }),
            "countTokens" => Some(Endpoint::GeminiCountTokens),
            "embedContent" | "batchEmbedContents" => Some(Endpoint::GeminiEmbed),
            "rawPredict" | "streamRawPredict" if path.contains("/publishers/anthropic/") => {
                Some(Endpoint::AnthropicMessages)
            }
            _ => None,
        };
    }
    let ends = |suffix: &str| path.ends_with(suffix);
    if ends("/chat/completions") {
        Some(Endpoint::OpenaiChat)
    } else if ends("/responses") || ends("/responses/input_tokens") || ends("/responses/compact") {
        Some(Endpoint::OpenaiResponses)
    } else if ends("/v1/messages") {
        Some(Endpoint::AnthropicMessages)
    } else if ends("/v1/messages/count_tokens") {
        Some(Endpoint::AnthropicCountTokens)
    } else if ends("/v1/messages/batches") {
        Some(Endpoint::AnthropicBatches)
    } else if ["/completions", "/embeddings", "/moderations", "/audio/speech", "/images/generations", "/images/edits"]
        .iter()
        .any(|suffix| ends(suffix))
    {
        Some(Endpoint::OpenaiOther)
    } else {
        None
    }
}

/// The model that a path names: Gemini's `/models/NAME:VERB`, Azure's `/deployments/NAME/`.
pub fn path_model(path_and_query: &str) -> Option<&str> {
    let path = path_and_query.split_once('?').map_or(path_and_query, |(path, _)| path);
    let after = |marker: &str| path.rsplit_once(marker).map(|(_, rest)| rest);
    let rest = after("/models/").or_else(|| after("/deployments/"))?;
    rest.split(['/', ':']).next().filter(|name| !name.is_empty())
}

/// The type of a content type, without parameters, in lower case.
pub(crate) fn media_type(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// A parameter of a header value (RFC 9110 section 5.6.6), without quotes.
pub(crate) fn parameter<'v>(value: &'v str, name: &str) -> Option<&'v str> {
    value.split(';').skip(1).find_map(|field| {
        let (key, value) = field.split_once('=')?;
        let value = value.trim();
        let plain = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value);
        key.trim().eq_ignore_ascii_case(name).then_some(plain)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_tell_the_endpoint() {
        let json = Some("application/json; charset=utf-8");
        for (path, expected) in [
            ("/v1/chat/completions", Endpoint::OpenaiChat),
            ("/openai/deployments/gpt/chat/completions?api-version=1", Endpoint::OpenaiChat),
            ("/backend-api/codex/responses", Endpoint::OpenaiResponses),
            ("/v1/messages?beta=true", Endpoint::AnthropicMessages),
            ("/v1/messages/count_tokens", Endpoint::AnthropicCountTokens),
            ("/v1/messages/batches", Endpoint::AnthropicBatches),
            ("/v1/threads/t/messages", Endpoint::AnyJson),
            ("/v1beta/models/gemini-3:generateContent", Endpoint::GeminiGenerate { stream: false, sse: false }),
            (
                "/v1beta/models/gemini-3:streamGenerateContent?alt=sse&key=x",
                Endpoint::GeminiGenerate { stream: true, sse: true },
            ),
            ("/v1beta/models/gemini-3:countTokens", Endpoint::GeminiCountTokens),
            ("/v1/projects/p/locations/l/publishers/anthropic/models/m:rawPredict", Endpoint::AnthropicMessages),
            ("/v1/embeddings", Endpoint::OpenaiOther),
            ("/telemetry", Endpoint::AnyJson),
        ] {
            assert_eq!(endpoint("POST", path, json), expected, "{path}");
        }
        assert_eq!(endpoint("POST", "/v1/chat/completions", Some("text/plain")), Endpoint::OpenaiChat);
        assert_eq!(endpoint("GET", "/v1/models", None), Endpoint::Models);
        assert_eq!(endpoint("GET", "/v1/models/gpt-5", None), Endpoint::Models);
        assert_eq!(endpoint("POST", "/x", Some("Application/X-WWW-Form-Urlencoded")), Endpoint::Form);
        assert_eq!(endpoint("POST", "/x", Some("image/png")), Endpoint::Other);
        assert_eq!(endpoint("POST", "/v1/files", Some("multipart/form-data")), Endpoint::Other);
    }

    #[test]
    fn boundaries_are_legal_or_none() {
        let boundary = |value: &str| Boundary::of(value).map(|boundary| boundary.as_bytes().to_vec());
        assert_eq!(boundary("multipart/form-data; boundary=\"a b\""), Some(b"a b".to_vec()));
        assert_eq!(boundary("multipart/form-data; boundary="), None);
        assert_eq!(boundary(&format!("multipart/form-data; boundary={}", "x".repeat(71))), None);
    }

    #[test]
    fn paths_name_models() {
        assert_eq!(path_model("/v1beta/models/gemini-3:generateContent?key=1"), Some("gemini-3"));
        assert_eq!(path_model("/openai/deployments/gpt/chat/completions"), Some("gpt"));
        assert_eq!(path_model("/v1/messages"), None);
    }
}
