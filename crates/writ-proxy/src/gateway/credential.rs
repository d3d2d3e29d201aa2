//! Where SDKs put the API key, and what they are told when it is not one of ours.

use http::{HeaderMap, Response, StatusCode, Uri};
use writ_base::Sensitive;

use crate::drive::{AnswerBody, plain};
use crate::live::Provider;

/// The API key of a request: `Authorization: Bearer`, `x-api-key`, `x-goog-api-key`, `api-key` or `?key=`.
pub(crate) fn find(headers: &HeaderMap, uri: &Uri) -> Option<Sensitive<String>> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let bearer =
        text("authorization").and_then(|value| value.strip_prefix("Bearer ").or_else(|| value.strip_prefix("bearer ")));
    let named = || ["x-api-key", "x-goog-api-key", "api-key"].iter().find_map(|name| text(name));
    let query = || uri.query()?.split('&').find_map(|pair| pair.strip_prefix("key="));
    // Anthropic's SDK may send both headers; ours is the one that begins with the prefix of our keys.
    let all = [bearer, named(), query()];
    let ours = all.iter().flatten().find(|key| key.starts_with(PREFIX));
    ours.or(all.iter().flatten().next()).map(|key| Sensitive::new((*key).trim().to_owned()))
}

/// How API keys of Writ begin.
pub(crate) const PREFIX: &str = "writ_";

/// The answer to a caller that is not known, in the provider's shape.
pub(crate) fn unauthorised(provider: &Provider) -> Response<AnswerBody> {
    let text = "writ: this gateway does not know the API key; use the key that your organisation issued";
    let body = match provider.name.as_str() {
        "anthropic" => serde_json::json!({"type": "error", "error": {"type": "authentication_error", "message": text}}),
        "gemini" => serde_json::json!({"error": {"code": 401, "message": text, "status": "UNAUTHENTICATED"}}),
        _ => {
            serde_json::json!({"error": {"message": text, "type": "invalid_request_error", "param": null, "code": "invalid_api_key"}})
        }
    };
    let mut answer = plain(StatusCode::UNAUTHORIZED, &body.to_string());
    answer.headers_mut().insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn found(headers: &[(&'static str, &'static str)], uri: &'static str) -> Option<String> {
        let headers: HeaderMap =
            headers.iter().map(|(n, v)| (http::HeaderName::from_static(n), HeaderValue::from_static(v))).collect();
        find(&headers, &Uri::from_static(uri)).map(Sensitive::into_exposed)
    }

    #[test]
    fn keys_are_found_where_sdks_put_them() {
        assert_eq!(found(&[("authorization", "Bearer writ_a")], "/v1").as_deref(), Some("writ_a"));
        assert_eq!(found(&[("x-api-key", "writ_b")], "/v1").as_deref(), Some("writ_b"));
        assert_eq!(found(&[("x-goog-api-key", "writ_c")], "/v1").as_deref(), Some("writ_c"));
        assert_eq!(found(&[], "/v1?alt=sse&key=writ_d").as_deref(), Some("writ_d"));
        assert_eq!(
            found(&[("authorization", "Bearer other"), ("x-api-key", "writ_e")], "/").as_deref(),
            Some("writ_e")
        );
        assert_eq!(found(&[], "/v1"), None);
    }
}
