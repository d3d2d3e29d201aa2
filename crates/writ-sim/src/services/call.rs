//! A request on its way to the code of one provider, and what providers share: selection, ids, seals.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::{HeaderMap, Method, StatusCode, header};
use serde_json::Value;

use super::directive::{Delivery, Fault};
use super::reply::Reply;
use super::{ProviderKeys, anthropic, gemini, openai};
use crate::seeded::{ALPHANUMERIC, Generator, HEXADECIMAL};

/// The time that answers carry, in seconds since 1970 (21 September 2026): answers do not depend on the clock.
pub(crate) const CREATED_SECONDS: i32 = 1_790_000_000;

const SIGNATURE_BYTES: usize = 48;

/// A decoded request with the settings of the service.
pub(crate) struct Call<'a> {
    pub(crate) host: &'a str,
    pub(crate) method: &'a Method,
    pub(crate) path: &'a str,
    pub(crate) query: &'a str,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a [u8],
    pub(crate) seed: u64,
    pub(crate) keys: &'a ProviderKeys,
}

impl Call<'_> {
    /// The value of a header where it is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The token of `Authorization: Bearer`.
    pub(crate) fn bearer(&self) -> Option<&str> {
        let value = self.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    }

    /// The value of a query parameter, as it stands.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        let parameters = self.query.split('&').filter_map(|parameter| parameter.split_once('='));
        parameters.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// The body as a JSON object.
    pub(crate) fn object(&self) -> Option<Value> {
        serde_json::from_slice::<Value>(self.body).ok().filter(Value::is_object)
    }

    /// The ids of the answer: a function of the seed and the body.
    pub(crate) fn ids(&self) -> Generator {
        Generator::keyed(self.seed, self.body)
    }

    /// The id of the request that answers name.
    pub(crate) fn request_id(&self) -> String {
        format!("req_{}", Generator::keyed(!self.seed, self.body).token(32, HEXADECIMAL))
    }
}

/// The provider whose formats a request has to be answered in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Provider {
    OpenAi,
    Anthropic,
    Gemini,
}

impl Provider {
    /// By host for the hosts of the providers; by path, then by header, for any other name.
    pub(crate) fn of(call: &Call<'_>) -> Self {
        match call.host {
            "api.openai.com" => Self::OpenAi,
            "api.anthropic.com" => Self::Anthropic,
            "generativelanguage.googleapis.com" => Self::Gemini,
            _ if call.path.contains("/v1beta/") || call.headers.contains_key("x-goog-api-key") => Self::Gemini,
            _ if call.path.contains("/v1/messages") || call.headers.contains_key("anthropic-version") => {
                Self::Anthropic
            }
            _ => Self::OpenAi,
        }
    }

    pub(crate) fn answer(self, call: &Call<'_>) -> Reply {
        match self {
            Self::OpenAi => openai::answer(call),
            Self::Anthropic => anthropic::answer(call),
            Self::Gemini => gemini::answer(call),
        }
    }

    /// An error in the shape of the provider.
    pub(crate) fn error(self, call: &Call<'_>, status: StatusCode, message: &str) -> Reply {
        match self {
            Self::OpenAi => openai::error(call, status, message, None, None),
            Self::Anthropic => anthropic::error(call, status, message),
            Self::Gemini => gemini::error(call, status, message),
        }
    }
}

/// The status of the error that `delivery` asks for instead of an answer.
pub(crate) fn demanded_error(delivery: &Delivery, streamed: bool) -> Option<StatusCode> {
    let broken = delivery.fault == Some(Fault::ErrorEvent) && !streamed;
    delivery
        .status
        .and_then(|status| StatusCode::from_u16(status).ok())
        .or_else(|| broken.then_some(StatusCode::INTERNAL_SERVER_ERROR))
}

/// An id in the manner of the services: a prefix and letters and digits.
pub(crate) fn id(prefix: &str, length: usize, ids: &mut Generator) -> String {
    format!("{prefix}{}", ids.token(length, ALPHANUMERIC))
}

/// A signature over a reasoning text. Services refuse a request whose signed text or signature was changed.
pub(crate) fn signature(seed: u64, text: &str) -> String {
    let mut stream = Generator::keyed(seed, text.as_bytes());
    let bytes: Vec<u8> = (0..SIGNATURE_BYTES).map(|_| stream.number().to_le_bytes()[0]).collect();
    BASE64.encode(bytes)
}

/// An opaque reasoning text that comes back in later requests.
pub(crate) fn sealed(seed: u64, text: &str) -> String {
    let mut bytes = BASE64.decode(signature(seed, text)).unwrap_or_default();
    bytes.extend_from_slice(text.as_bytes());
    mask(seed, &mut bytes);
    BASE64.encode(bytes)
}

/// Whether `sealed` was made by [`sealed`] and came back unchanged.
pub(crate) fn seal_holds(seed: u64, sealed: &str) -> bool {
    // Clients that decode the value send it back in the URL-safe alphabet.
    let standard: String = sealed
        .chars()
        .map(|letter| match letter {
            '-' => '+',
            '_' => '/',
            other => other,
        })
        .collect();
    let Ok(mut bytes) = BASE64.decode(standard) else {
        return false;
    };
    mask(seed, &mut bytes);
    let Some((tag, text)) = bytes.split_at_checked(SIGNATURE_BYTES) else {
        return false;
    };
    std::str::from_utf8(text).is_ok_and(|text| signature(seed, text) == BASE64.encode(tag))
}

fn mask(seed: u64, bytes: &mut [u8]) {
    let mut stream = Generator::keyed(seed, b"reasoning mask");
    for byte in bytes {
        *byte ^= stream.number().to_le_bytes()[0];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seals_notice_every_change() {
        let made = sealed(1, "a thought");
        assert!(seal_holds(1, &made));
        assert!(seal_holds(1, &made.replace('+', "-").replace('/', "_")));
        assert!(!seal_holds(2, &made));
        assert!(!seal_holds(1, "short") && !seal_holds(1, "not base64!"));
        let mut bytes = BASE64.decode(&made).unwrap();
        for position in 0..bytes.len() {
            bytes[position] ^= 1;
            assert!(!seal_holds(1, &BASE64.encode(&bytes)), "byte {position}");
            bytes[position] ^= 1;
        }
        assert_ne!(signature(1, "a"), signature(1, "b"));
    }
}
