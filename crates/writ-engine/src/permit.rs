//! Permits (invariant ENG-1): the proof that a verdict let something pass, and the only way out to an AI service.
//!
//! A [`Permit`] is made in this crate, by a verdict. [`Permitted`] wraps what it let through; it has no public
//! constructor, is not `Clone`, and belongs to one interaction and one destination. What must be changed after
//! clearing (credential, authority, length) are methods, so that no other change is possible. The sender to AI services
//! accepts nothing else: a request without a permit does not compile.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, HOST};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use writ_base::Sensitive;
use writ_model::Term;
use writ_model::interaction::InteractionId;

/// Where an interaction may go: one host, one port, one name for both.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Destination {
    /// The host name that was judged: it is dialled, verified and named in the request.
    pub host: String,
    /// The TCP port.
    pub port: u16,
}

impl Destination {
    /// The authority for the `Host` header: the port is left out where it is 443.
    pub fn authority(&self) -> String {
        if self.port == 443 { self.host.clone() } else { format!("{}:{}", self.host, self.port) }
    }
}

/// Why something may pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grounds {
    /// The verdict; the clauses that decided it, empty where the policy foresees the situation and nothing raises it.
    Verdict(Arc<[Term]>),
    /// A bypass that a named person ordered; recorded like a verdict.
    Bypass(Arc<str>),
}

/// The proof that one interaction may go to one destination.
#[derive(Debug)]
pub struct Permit {
    interaction: InteractionId,
    destination: Destination,
    grounds: Grounds,
}

impl Permit {
    /// Only the engine issues permits, from a verdict. What a permit clears is held back until its decision entry has
    /// been written.
    pub(crate) fn issue(interaction: InteractionId, destination: Destination, grounds: Grounds) -> Self {
        Self { interaction, destination, grounds }
    }

    /// Which interaction.
    pub fn interaction(&self) -> InteractionId {
        self.interaction
    }

    /// Where to.
    pub fn destination(&self) -> &Destination {
        &self.destination
    }

    /// Why.
    pub fn grounds(&self) -> &Grounds {
        &self.grounds
    }

    /// Puts what was judged under this permit; a permit is used once.
    pub(crate) fn clear<T>(self, judged: T) -> Permitted<T> {
        Permitted { permit: self, value: judged }
    }
}

/// Something that a permit let through.
pub struct Permitted<T> {
    permit: Permit,
    value: T,
}

impl<T> Permitted<T> {
    /// The permit.
    pub fn permit(&self) -> &Permit {
        &self.permit
    }
}

impl<T> fmt::Debug for Permitted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permitted").field("permit", &self.permit).finish_non_exhaustive()
    }
}

/// A request to an AI service, as judged.
#[derive(Debug)]
pub struct JudgedRequest {
    pub(crate) method: Method,
    pub(crate) path_and_query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: JudgedBody,
    pub(crate) upgrade: bool,
}

/// The body of a judged request.
#[derive(Debug)]
pub(crate) enum JudgedBody {
    /// All of it.
    Whole(Sensitive<Bytes>),
    /// It follows as [`Chunk`]s; so many bytes, where the client said how many.
    Stream(Option<u64>),
}

/// A piece of a request's body that is sent as it comes: its verdict can no longer change.
#[derive(Debug)]
pub struct Chunk(pub(crate) Sensitive<Bytes>);

impl Permitted<Chunk> {
    /// The bytes, for the one module that sends.
    pub fn release(self) -> Bytes {
        self.value.0.into_exposed()
    }
}

/// A connection to an AI service that is passed on without being opened.
#[derive(Debug)]
pub struct TunnelTo;

impl Permitted<TunnelTo> {
    /// Where to, for the one module that connects.
    pub fn release(self) -> Destination {
        self.permit.destination
    }
}

/// How a provider wants its credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialHeader {
    /// `Authorization: Bearer ...`.
    Bearer,
    /// A header of its own that carries the bare key: `x-api-key`, `x-goog-api-key`, `api-key`.
    Named(&'static str),
}

impl Permitted<JudgedRequest> {
    /// Puts the organisation's credential for the service into the head, in place of whatever stands there.
    /// A credential that is no header value is left out, and the service will refuse the request.
    #[must_use]
    pub fn with_credential(mut self, header: CredentialHeader, credential: &Sensitive<String>) -> Self {
        let (name, text) = match header {
            CredentialHeader::Bearer => (AUTHORIZATION, format!("Bearer {}", credential.expose())),
            CredentialHeader::Named(name) => (HeaderName::from_static(name), credential.expose().clone()),
        };
        if let Ok(mut value) = HeaderValue::try_from(text) {
            value.set_sensitive(true);
            self.value.headers.insert(name, value);
        }
        self
    }

    /// Puts the organisation's own headers into the head: tenant restrictions. They replace what stands there.
    #[must_use]
    pub fn with_tenant_headers(mut self, headers: &[(HeaderName, HeaderValue)]) -> Self {
        for (name, value) in headers {
            self.value.headers.insert(name.clone(), value.clone());
        }
        self
    }

    /// The path with query, for a provider whose base path differs: `prefix` is put before it.
    #[must_use]
    pub fn with_path_prefix(mut self, prefix: &str) -> Self {
        self.value.path_and_query.insert_str(0, prefix.trim_end_matches('/'));
        self
    }

    /// Takes the request apart for the one module that sends: method, path with query, head (exactly one host and one
    /// length), body. The head names the permit's destination and nothing else.
    pub fn release(self) -> Released {
        let JudgedRequest { method, path_and_query, mut headers, body, upgrade } = self.value;
        if let Ok(host) = HeaderValue::try_from(self.permit.destination.authority()) {
            headers.insert(HOST, host);
        }
        let body = match body {
            JudgedBody::Whole(body) => ReleasedBody::Whole(body.into_exposed()),
            JudgedBody::Stream(length) => ReleasedBody::Streamed(length),
        };
        let length = match &body {
            ReleasedBody::Whole(body) if body.is_empty() && !expects_body(&method) => None,
            ReleasedBody::Whole(body) => u64::try_from(body.len()).ok(),
            ReleasedBody::Streamed(length) => *length,
        };
        match length {
            Some(length) => headers.insert(CONTENT_LENGTH, HeaderValue::from(length)),
            None => headers.remove(CONTENT_LENGTH),
        };
        Released { destination: self.permit.destination, method, path_and_query, headers, body, upgrade }
    }
}

/// Whether a request of this method says its length even if it has no body (RFC 9110 section 8.6).
fn expects_body(method: &Method) -> bool {
    [Method::POST, Method::PUT, Method::PATCH].contains(method)
}

/// What the sender puts on the wire.
#[derive(Debug)]
pub struct Released {
    /// Where to; also the name that the certificate must have.
    pub destination: Destination,
    /// The method.
    pub method: Method,
    /// The path with query.
    pub path_and_query: String,
    /// The head.
    pub headers: HeaderMap,
    /// The body, with identity encoding if it was edited.
    pub body: ReleasedBody,
    /// Whether the client asks to go on as a WebSocket, and may: HTTP/1.1 only.
    pub upgrade: bool,
}

/// A body on its way out.
#[derive(Debug)]
pub enum ReleasedBody {
    /// All of it.
    Whole(Bytes),
    /// It follows in [`Permitted`] chunks; so many bytes, where that is known.
    Streamed(Option<u64>),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(headers: &[(&'static str, &'static str)], body: &'static str) -> Permitted<JudgedRequest> {
        let headers = headers.iter().map(|(n, v)| (HeaderName::from_static(n), HeaderValue::from_static(v))).collect();
        let destination = Destination { host: "api.openai.com".into(), port: 443 };
        let judged = JudgedRequest {
            method: Method::POST,
            path_and_query: "/v1/responses".into(),
            headers,
            body: JudgedBody::Whole(Bytes::from_static(body.as_bytes()).into()),
            upgrade: false,
        };
        Permit::issue(InteractionId::from_bytes([1; 16]), destination, Grounds::Verdict(Arc::from([]))).clear(judged)
    }

    #[test]
    fn the_head_names_one_host_and_one_length() {
        let released = request(&[("host", "evil.example"), ("content-length", "7")], "{}").release();
        assert_eq!(released.headers.get_all("host").iter().collect::<Vec<_>>(), ["api.openai.com"]);
        assert_eq!(released.headers.get_all("content-length").iter().collect::<Vec<_>>(), ["2"]);
    }

    #[test]
    fn the_organisations_credential_replaces_the_callers() {
        let secret = Sensitive::new("sk-organisation".to_owned());
        let released =
            request(&[("authorization", "Bearer wk_caller")], "{}").with_credential(CredentialHeader::Bearer, &secret);
        assert!(!format!("{released:?}").contains("organisation"));
        assert_eq!(released.release().headers["authorization"], "Bearer sk-organisation");
    }
}
