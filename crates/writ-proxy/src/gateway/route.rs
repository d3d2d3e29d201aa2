//! Which provider a path belongs to.

use http::{Response, StatusCode, Uri};

use crate::drive::{AnswerBody, plain};
use crate::live::Provider;

/// A provider and the path as it expects it.
pub(crate) struct Route<'a> {
    pub(crate) provider: &'a Provider,
    pub(crate) path_and_query: String,
}

/// The provider whose name is the path's first segment; `/v1/...` belongs to the first one.
pub(crate) fn find<'a>(providers: &'a [Provider], uri: &Uri) -> Option<Route<'a>> {
    let path_and_query = uri.path_and_query()?.as_str();
    let rest = path_and_query.strip_prefix('/')?;
    let (first, after) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    if let Some(provider) = providers.iter().find(|provider| provider.name == first) {
        return Some(Route { provider, path_and_query: without_key(after) });
    }
    let provider = providers.first().filter(|_| first == "v1")?;
    Some(Route { provider, path_and_query: without_key(path_and_query) })
}

/// A key in the query is the caller's: it stays here.
fn without_key(path_and_query: &str) -> String {
    let Some((path, query)) = path_and_query.split_once('?') else { return path_and_query.to_owned() };
    let kept: Vec<_> = query.split('&').filter(|pair| !pair.starts_with("key=")).collect();
    if kept.is_empty() { path.to_owned() } else { format!("{path}?{}", kept.join("&")) }
}

pub(crate) fn not_found(providers: &[Provider]) -> Response<AnswerBody> {
    let names: Vec<_> = providers.iter().map(|provider| format!("/{}/", provider.name)).collect();
    let text = format!("writ: no provider belongs to this path; there are {} and /v1/", names.join(", "));
    let body = serde_json::json!({"error": {"message": text, "type": "invalid_request_error", "code": "not_found"}});
    let mut answer = plain(StatusCode::NOT_FOUND, &body.to_string());
    answer.headers_mut().insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;
    use writ_engine::Destination;
    use writ_engine::permit::CredentialHeader;
    use writ_model::{Account, Term};

    fn provider(name: &str) -> Provider {
        Provider {
            name: name.to_owned(),
            service: Term::from(name),
            tier: Term::from("enterprise"),
            account: Account::Corporate,
            destination: Destination { host: "localhost".into(), port: 443 },
            path_prefix: String::new(),
            credential_header: CredentialHeader::Bearer,
            credential: None,
        }
    }

    #[test]
    fn the_first_segment_names_the_provider() {
        let providers = [provider("openai"), provider("gemini")];
        let route =
            |uri: &str| find(&providers, &uri.parse().unwrap()).map(|r| (r.provider.name.clone(), r.path_and_query));
        assert_eq!(route("/openai/v1/responses"), Some(("openai".into(), "/v1/responses".into())));
        assert_eq!(route("/v1/models?limit=3"), Some(("openai".into(), "/v1/models?limit=3".into())));
        let stream = "/gemini/v1beta/models/m:streamGenerateContent?alt=sse&key=writ_a";
        assert_eq!(route(stream), Some(("gemini".into(), "/v1beta/models/m:streamGenerateContent?alt=sse".into())));
        assert_eq!(route("/gemini/x?key=writ_a"), Some(("gemini".into(), "/x".into())));
        assert_eq!(route("/openaix/v1"), None);
        assert_eq!(route("/"), None);
    }
}
