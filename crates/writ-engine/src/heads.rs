//! Heads on their way: what a service and a client get to see, and what an edit must not break.

use http::HeaderMap;
use http::header::{ACCEPT, AUTHORIZATION, CONNECTION, CONTENT_LENGTH, HeaderName, HeaderValue, UPGRADE};
use writ_protocol::headers::{Passage, listed_in_connection, passage, signs_body};

/// What names Writ's own headers.
const OWN: &str = "writ-";

/// The head for the service: without hops, the caller's network origin, its copies of tenant restrictions and Writ's
/// own headers; its credentials stay only where they are passed through. Of framing only the content encoding stays,
/// which is true of an unedited body.
pub(crate) fn forwardable(headers: &HeaderMap, passthrough: bool) -> HeaderMap {
    filtered(headers, |name| match passage(name) {
        Passage::Pass | Passage::Digest => !name.starts_with(OWN),
        Passage::Credential => passthrough,
        Passage::Framing => name == "content-encoding",
        Passage::Hop | Passage::Restriction | Passage::Origin => false,
    })
}

/// Asks to go on as a WebSocket (RFC 6455 section 4.1), or takes it.
pub(crate) fn upgrade(headers: &mut HeaderMap) {
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
}

/// The length that a client states for its body.
pub(crate) fn stated_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Whether the client waits for a stream of events. Only that name says so: `*/*` and JSON are asked for by clients of
/// both kinds.
pub(crate) fn accepts_events(headers: &HeaderMap) -> bool {
    let kinds = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(','));
    kinds.filter_map(|kind| kind.split(';').next()).any(|kind| kind.trim().eq_ignore_ascii_case("text/event-stream"))
}

/// The head for the client: without hops, without the length, which an edit may change, and without other ways to the
/// service (RFC 7838), which would lead past here.
pub(crate) fn deliverable(headers: &HeaderMap) -> HeaderMap {
    filtered(headers, |name| {
        passage(name) != Passage::Hop && !matches!(name, "content-length" | "alt-svc") && !name.starts_with(OWN)
    })
}

/// Whether a digest or signature in the head covers the body: an edit would break it.
pub(crate) fn cover_body(headers: &HeaderMap) -> bool {
    let digest = headers.keys().any(|name| passage(name.as_str()) == Passage::Digest);
    let authorization = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    digest || signs_body(authorization)
}

fn filtered(headers: &HeaderMap, keep: impl Fn(&str) -> bool) -> HeaderMap {
    let connection = headers.get(CONNECTION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kept = |name: &HeaderName| keep(name.as_str()) && !listed_in_connection(connection, name.as_str());
    headers.iter().filter(|(name, _)| kept(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    fn names(headers: &HeaderMap) -> Vec<&str> {
        let mut names: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn a_service_learns_nothing_about_the_caller() {
        let headers: HeaderMap = [
            ("authorization", "Bearer wk_a"),
            ("cookie", "a=b"),
            ("x-forwarded-for", "10.1.2.3"),
            ("writ-reason", "because"),
            ("anthropic-allowed-org-ids", "mine"),
            ("connection", "x-hop, close"),
            ("x-hop", "1"),
            ("host", "gateway"),
            ("content-length", "3"),
            ("content-encoding", "gzip"),
            ("anthropic-version", "2023-06-01"),
            ("user-agent", "sdk"),
        ]
        .into_iter()
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
        .collect();
        assert_eq!(names(&forwardable(&headers, false)), ["anthropic-version", "content-encoding", "user-agent"]);
        let through = ["anthropic-version", "authorization", "content-encoding", "cookie", "user-agent"];
        assert_eq!(names(&forwardable(&headers, true)), through);
    }

    #[test]
    fn a_client_that_waits_for_events_names_them() {
        let accepts =
            |value: &'static str| accepts_events(&HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(value))]));
        assert!(accepts("text/event-stream") && accepts("application/json;q=0.5, Text/Event-Stream; q=1"));
        assert!(!accepts("*/*") && !accepts("application/json") && !accepts("text/event-streams"));
        assert!(!accepts_events(&HeaderMap::new()));
    }

    #[test]
    fn a_client_learns_of_no_way_around() {
        let headers = [("alt-svc", "h3=\":443\""), ("keep-alive", "timeout=5"), ("content-type", "text/plain")];
        let headers: HeaderMap = headers
            .into_iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        assert_eq!(names(&deliverable(&headers)), ["content-type"]);
    }
}
