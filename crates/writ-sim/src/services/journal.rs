//! The journal: everything that reached the simulated services.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use http::{HeaderMap, Method, Version};
use parking_lot::Mutex;
use serde::Serialize;
use sha2::{Digest, Sha256};

/// Most bytes (heads and bodies) that a journal keeps by default.
pub const JOURNAL_BYTES_MAX: usize = 512 << 20;

/// Header names whose values are credentials; the journal says only that they were present.
const CREDENTIAL_HEADERS: [&str; 6] =
    ["authorization", "proxy-authorization", "x-api-key", "x-goog-api-key", "api-key", "cookie"];
/// Query parameters whose values are credentials.
const CREDENTIAL_PARAMETERS: [&str; 3] = ["key", "access_token", "api_key"];

/// What a journal keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JournalMode {
    /// Every request, up to this many bytes in all. A request beyond that is refused with 503, so that nothing is
    /// answered unseen.
    Everything {
        /// Most bytes of heads, raw and decoded bodies together.
        bytes_max: usize,
    },
    /// Only the number of requests: for load tests. [`Journal::contains`] can then rule nothing out.
    CountOnly,
}

impl Default for JournalMode {
    fn default() -> Self {
        Self::Everything { bytes_max: JOURNAL_BYTES_MAX }
    }
}

/// One request that arrived, whole, at a simulated service.
#[derive(Clone)]
pub struct JournalEntry {
    /// Position in the order of arrival, from 1.
    pub sequence: u64,
    /// The server name of the TLS handshake, where the client sent one.
    pub server_name: Option<String>,
    /// The host of `:authority` or `Host`, without port.
    pub host: String,
    /// The version of HTTP: `HTTP/1.1` or `HTTP/2.0`.
    pub version: String,
    /// The HTTP method; `MESSAGE` for a message of a WebSocket.
    pub method: String,
    /// Path and query; the values of query parameters that carry credentials read `present`.
    pub path: String,
    /// Header names and values in order; the values of credentials read `present`.
    pub headers: Vec<(String, String)>,
    /// The body as it came over the wire.
    pub body_raw: Bytes,
    /// The body without its content coding; the raw bytes where it cannot be decoded.
    pub body: Bytes,
    /// Head as received, credentials included: only for [`Journal::contains`], never shown or written.
    head_received: Bytes,
}

impl JournalEntry {
    /// The value of the first header of this name, in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The SHA-256 of the body as it came over the wire, in lower-case hexadecimal digits.
    pub fn body_sha256(&self) -> String {
        sha256(&self.body_raw)
    }

    /// Whether `needle` arrived in the head, the raw body, the decoded body or a string of the JSON body.
    fn contains(&self, needle: &str) -> bool {
        let needle = needle.as_bytes();
        [&self.head_received, &self.body_raw, &self.body].iter().any(|bytes| holds(bytes, needle))
            || holds(&percent_decoded(&self.head_received), needle)
            || serde_json::from_slice(&self.body).is_ok_and(|json| json_holds(&json, needle))
    }

    fn bytes(&self) -> usize {
        self.head_received.len() + self.body_raw.len() + self.body.len()
    }
}

impl std::fmt::Debug for JournalEntry {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("JournalEntry")
            .field("sequence", &self.sequence)
            .field("host", &self.host)
            .field("method", &self.method)
            .field("path", &self.path)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// Everything that reached the simulated services, in order of arrival. Clones share the same journal.
#[derive(Clone, Default)]
pub struct Journal {
    shared: Arc<Mutex<Kept>>,
}

#[derive(Default)]
struct Kept {
    entries: Vec<Arc<JournalEntry>>,
    mode: JournalMode,
    bytes: usize,
    arrived: u64,
    /// Requests that arrived but are not among `entries`, or whose content could not be read.
    unkept: u64,
    file: Option<File>,
}

impl Journal {
    pub(crate) fn open(mode: JournalMode, file: Option<&Path>) -> io::Result<Self> {
        let file = file.map(File::create).transpose()?;
        Ok(Self { shared: Arc::new(Mutex::new(Kept { mode, file, ..Kept::default() })) })
    }

    /// The requests that arrived so far, in order.
    pub fn entries(&self) -> Vec<Arc<JournalEntry>> {
        self.shared.lock().entries.clone()
    }

    /// The last request that arrived.
    pub fn last(&self) -> Option<Arc<JournalEntry>> {
        self.shared.lock().entries.last().cloned()
    }

    /// The requests that arrived at one host, in order.
    pub fn of_host(&self, host: &str) -> Vec<Arc<JournalEntry>> {
        self.shared.lock().entries.iter().filter(|entry| entry.host == host).cloned().collect()
    }

    /// How many requests arrived.
    pub fn arrived(&self) -> u64 {
        self.shared.lock().arrived
    }

    /// Whether every request that arrived is kept and could be read: it was not too large and its content coding was
    /// undone.
    pub fn complete(&self) -> bool {
        self.shared.lock().unkept == 0
    }

    /// Whether `needle` may have reached a service: in a request line, a header or trailer (credentials included), a
    /// raw or decoded body, or, unescaped, in a string or member name of a JSON body.
    ///
    /// `false` is proof of absence. A journal that is not [complete](Journal::complete) can rule nothing out and
    /// answers `true`.
    pub fn contains(&self, needle: &str) -> bool {
        !self.complete() || self.entries().iter().any(|entry| entry.contains(needle))
    }

    /// Forgets all requests, as a test does between two scenes. The numbering goes on.
    pub fn clear(&self) {
        let mut kept = self.shared.lock();
        kept.entries.clear();
        kept.bytes = 0;
        kept.unkept = 0;
    }

    /// Records a request; `false` where the journal is full and the request has to be refused.
    pub(crate) fn record(&self, arrival: Arrival<'_>) -> bool {
        let mut kept = self.shared.lock();
        kept.arrived += 1;
        let JournalMode::Everything { bytes_max } = kept.mode else {
            kept.unkept += 1;
            return true;
        };
        let entry = arrival.entry(kept.arrived);
        if kept.bytes.saturating_add(entry.bytes()) > bytes_max {
            kept.unkept += 1;
            return false;
        }
        kept.bytes += entry.bytes();
        kept.unkept += u64::from(!arrival.readable);
        if let Some(file) = &mut kept.file
            && let Err(error) = write_line(file, &entry)
        {
            tracing::error!(%error, "journal file cannot be written");
        }
        kept.entries.push(Arc::new(entry));
        true
    }
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Journal").field("arrived", &self.arrived()).finish_non_exhaustive()
    }
}

/// A request as the service received it.
pub(crate) struct Arrival<'a> {
    pub(crate) server_name: Option<&'a str>,
    pub(crate) host: &'a str,
    pub(crate) version: Version,
    pub(crate) method: &'a Method,
    pub(crate) path: &'a str,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) trailers: &'a HeaderMap,
    pub(crate) body_raw: Bytes,
    pub(crate) body: Bytes,
    /// Whether `body` holds all that the client sent, decoded.
    pub(crate) readable: bool,
}

impl Arrival<'_> {
    fn entry(&self, sequence: u64) -> JournalEntry {
        JournalEntry {
            sequence,
            server_name: self.server_name.map(str::to_owned),
            host: self.host.to_owned(),
            version: format!("{:?}", self.version),
            method: self.method.to_string(),
            path: path_without_credentials(self.path),
            headers: self.headers.iter().map(|(name, value)| shown_header(name.as_str(), value.as_bytes())).collect(),
            body_raw: self.body_raw.clone(),
            body: self.body.clone(),
            head_received: self.head(),
        }
    }

    fn head(&self) -> Bytes {
        let mut head = format!("{} {}\n", self.method, self.path).into_bytes();
        for (name, value) in self.headers.iter().chain(self.trailers) {
            head.extend_from_slice(name.as_str().as_bytes());
            head.extend_from_slice(b": ");
            head.extend_from_slice(value.as_bytes());
            head.push(b'\n');
        }
        Bytes::from(head)
    }
}

fn shown_header(name: &str, value: &[u8]) -> (String, String) {
    let shown = if CREDENTIAL_HEADERS.contains(&name) {
        "present".to_owned()
    } else {
        String::from_utf8_lossy(value).into_owned()
    };
    (name.to_owned(), shown)
}

fn path_without_credentials(path: &str) -> String {
    let Some((path, query)) = path.split_once('?') else {
        return path.to_owned();
    };
    let shown: Vec<String> = query
        .split('&')
        .map(|parameter| match parameter.split_once('=') {
            Some((name, _)) if CREDENTIAL_PARAMETERS.contains(&name) => format!("{name}=present"),
            _ => parameter.to_owned(),
        })
        .collect();
    format!("{path}?{}", shown.join("&"))
}

#[derive(Serialize)]
struct Line<'a> {
    sequence: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    server_name: Option<&'a str>,
    host: &'a str,
    version: &'a str,
    method: &'a str,
    path: &'a str,
    headers: &'a [(String, String)],
    /// The decoded body where it is UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<&'a str>,
    /// The hash of the raw body, for bodies that have to arrive as they were sent.
    body_sha256: String,
    /// The raw body in base64, where it differs from the decoded one or is not UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    body_raw_base64: Option<String>,
}

fn write_line(file: &mut File, entry: &JournalEntry) -> io::Result<()> {
    let body = std::str::from_utf8(&entry.body).ok();
    let raw_needed = body.is_none() || entry.body != entry.body_raw;
    let line = Line {
        sequence: entry.sequence,
        server_name: entry.server_name.as_deref(),
        host: &entry.host,
        version: &entry.version,
        method: &entry.method,
        path: &entry.path,
        headers: &entry.headers,
        body,
        body_sha256: entry.body_sha256(),
        body_raw_base64: raw_needed.then(|| BASE64.encode(&entry.body_raw)),
    };
    let mut bytes = serde_json::to_vec(&line)?;
    bytes.push(b'\n');
    file.write_all(&bytes)
}

/// A SHA-256 in lower-case hexadecimal digits.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn holds(bytes: &[u8], needle: &[u8]) -> bool {
    needle.is_empty() || bytes.windows(needle.len()).any(|window| window == needle)
}

fn json_holds(json: &serde_json::Value, needle: &[u8]) -> bool {
    match json {
        serde_json::Value::String(text) => holds(text.as_bytes(), needle),
        serde_json::Value::Array(items) => items.iter().any(|item| json_holds(item, needle)),
        serde_json::Value::Object(members) => {
            members.iter().any(|(key, value)| holds(key.as_bytes(), needle) || json_holds(value, needle))
        }
        _ => false,
    }
}

fn percent_decoded(bytes: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        let escape = (*first == b'%').then(|| after.get(..2).and_then(hexadecimal_byte)).flatten();
        decoded.push(escape.unwrap_or(*first));
        rest = if escape.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    decoded
}

fn hexadecimal_byte(digits: &[u8]) -> Option<u8> {
    u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(journal: &Journal, path: &str, body: &[u8]) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert("x-api-key", "key-of-test".parse().unwrap());
        headers.insert("user-agent", "test/1".parse().unwrap());
        let body = Bytes::copy_from_slice(body);
        journal.record(Arrival {
            server_name: None,
            host: "localhost",
            version: Version::HTTP_11,
            method: &Method::POST,
            path,
            headers: &headers,
            trailers: &HeaderMap::new(),
            body_raw: body.clone(),
            body,
            readable: true,
        })
    }

    #[test]
    fn everything_received_can_be_found_and_credentials_are_not_shown() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let journal = Journal::open(JournalMode::default(), Some(file.path())).unwrap();
        assert!(!journal.contains("x"));
        assert!(record(&journal, "/v1/a?key=secret-key&q=J%C3%B6rg", br#"{"t\u0065xt":"Z\u00fcrich \/ x"}"#));
        for found in ["/v1/a", "secret-key", "key-of-test", "Jörg", "Zürich / x", "text", r"Z\u00fcrich", "test/1"] {
            assert!(journal.contains(found), "{found}");
        }
        assert!(!journal.contains("Basel"));
        let written = std::fs::read_to_string(file.path()).unwrap();
        for hidden in ["secret-key", "key-of-test"] {
            assert!(!written.contains(hidden) && !format!("{:?}", journal.entries()).contains(hidden));
        }
        assert!(written.contains("key=present") && written.contains(r#"["x-api-key","present"]"#), "{written}");
    }

    #[test]
    fn a_full_journal_refuses_and_rules_nothing_out() {
        let journal = Journal::open(JournalMode::Everything { bytes_max: 250 }, None).unwrap();
        assert!(record(&journal, "/", b"first"));
        assert!(journal.complete() && !journal.contains("absent"));
        assert!(!record(&journal, "/", &[b'x'; 300]));
        assert!(!journal.complete() && journal.contains("absent"));
        assert_eq!((journal.arrived(), journal.entries().len()), (2, 1));
        journal.clear();
        assert!(!journal.contains("first"));
    }

    #[test]
    fn counting_rules_nothing_out() {
        let journal = Journal::open(JournalMode::CountOnly, None).unwrap();
        assert!(record(&journal, "/", b"x"));
        assert!(journal.contains("absent") && journal.entries().is_empty());
    }
}
