//! Whether a request says one thing only: what HTTP servers read differently does not get further (request smuggling,
//! RFC 9112 section 11.2), and what names another host than the connection was opened for is refused (RFC 9110 section
//! 7.4).
//!
//! Conflicting lengths, white space before colons, line folding, control characters and connection headers in HTTP/2
//! are refused by the HTTP library before a request gets here; the tests in `tests/` hold it to that.

use http::header::{HOST, TRANSFER_ENCODING};
use http::uri::Scheme;
use http::{HeaderMap, HeaderValue, Method, Request, Version};

use super::target::Target;

/// Why a request is not passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// It can be read in more than one way.
    Malformed(&'static str),
    /// Its method makes no sense here.
    Method,
    /// It names another host.
    Elsewhere,
}

/// A request inside an intercepted connection to `connected`.
pub(crate) fn inside<B>(request: &Request<B>, connected: &Target) -> Result<(), Flaw> {
    common(request)?;
    if let Some(scheme) = request.uri().scheme()
        && *scheme != Scheme::HTTPS
    {
        return Err(Flaw::Malformed("the request's scheme is not that of its connection"));
    }
    if names_it_once(request, connected) {
        return Ok(());
    }
    let named = names(request, connected.port)?;
    if named.iter().all(|name| name.agrees(connected)) { Ok(()) } else { Err(Flaw::Elsewhere) }
}

/// Whether one `Host` with the connection's name is all that is named. Most requests say so, and nothing has to be taken
/// apart to see it.
fn names_it_once<B>(request: &Request<B>, connected: &Target) -> bool {
    let mut hosts = request.headers().get_all(HOST).iter();
    let named = |host: &HeaderValue| host.as_bytes().eq_ignore_ascii_case(connected.host().as_bytes());
    // In `Host` an IPv6 address has brackets.
    let plain = connected.address.is_none_or(|address| address.is_ipv4()) && request.uri().authority().is_none();
    plain && hosts.next().is_some_and(named) && hosts.next().is_none()
}

/// A plain request to the proxy itself, in absolute form; where it wants to go.
pub(crate) fn absolute<B>(request: &Request<B>) -> Result<Target, Flaw> {
    common(request)?;
    if request.uri().scheme() != Some(&Scheme::HTTP) {
        return Err(Flaw::Malformed("this is a proxy: name an http:// address, or use CONNECT"));
    }
    let authority = request.uri().authority().and_then(|authority| Target::of(authority, Some(80)));
    let target = authority.ok_or(Flaw::Malformed("the request's target cannot be read"))?;
    let named = names(request, target.port)?;
    if named.iter().all(|name| name.agrees(&target)) { Ok(target) } else { Err(Flaw::Elsewhere) }
}

/// A CONNECT to the proxy; where it wants to go.
pub(crate) fn connect<B>(request: &Request<B>) -> Result<Target, Flaw> {
    const TARGET: Flaw = Flaw::Malformed("the target of CONNECT must be a host name or address with a port");
    framing(request.headers())?;
    let target = request.uri().authority().and_then(|authority| Target::of(authority, None)).ok_or(TARGET)?;
    let hosts = hosts(request.headers())?;
    // Some clients leave the port out of `Host`, although it is not the usual one.
    let agrees = |host: &&str| Target::parse(host, Some(target.port)).is_some_and(|host| host.host() == target.host());
    if hosts.iter().all(agrees) { Ok(target) } else { Err(Flaw::Elsewhere) }
}

fn common<B>(request: &Request<B>) -> Result<(), Flaw> {
    if [Method::CONNECT, Method::TRACE].contains(request.method()) {
        return Err(Flaw::Method);
    }
    if !request.uri().path().starts_with('/') {
        return Err(Flaw::Malformed("the request's path does not begin with a slash"));
    }
    framing(request.headers())
}

/// Of transfer codings only `chunked` is taken away here; any other would be a body that nobody reads as it is meant.
fn framing(headers: &HeaderMap) -> Result<(), Flaw> {
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    let plain = codings.next().is_none_or(|coding| coding.as_bytes().eq_ignore_ascii_case(b"chunked"));
    if plain && codings.next().is_none() {
        Ok(())
    } else {
        Err(Flaw::Malformed("the request's transfer coding is not plain `chunked`"))
    }
}

/// All the places that a request names: one in the target, one in `Host`, at least one of both.
fn names<B>(request: &Request<B>, port: u16) -> Result<Vec<Target>, Flaw> {
    const NAME: Flaw = Flaw::Malformed("the request's host cannot be read");
    let mut names = Vec::with_capacity(2);
    if let Some(authority) = request.uri().authority() {
        names.push(Target::of(authority, Some(port)).ok_or(NAME)?);
    }
    let hosts = hosts(request.headers())?;
    if hosts.is_empty() && (names.is_empty() || request.version() < Version::HTTP_2) {
        return Err(Flaw::Malformed("the request names no host"));
    }
    for host in hosts {
        names.push(Target::parse(host, Some(port)).ok_or(NAME)?);
    }
    Ok(names)
}

fn hosts(headers: &HeaderMap) -> Result<Vec<&str>, Flaw> {
    let all: Option<Vec<&str>> = headers.get_all(HOST).iter().map(|value| value.to_str().ok()).collect();
    match all {
        Some(hosts) if hosts.len() <= 1 => Ok(hosts),
        _ => Err(Flaw::Malformed("the request names its host twice or in no readable way")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, uri: &str, headers: &[(&str, &str)]) -> Request<()> {
        let version = if uri.starts_with("https") { Version::HTTP_2 } else { Version::HTTP_11 };
        let mut request = Request::builder().method(method).uri(uri).version(version);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap()
    }

    fn connected() -> Target {
        Target::parse("chatgpt.com:443", None).unwrap()
    }

    #[test]
    fn names_agree_with_the_connection() {
        for (uri, host) in [
            ("/x", Some("chatgpt.com")),
            ("/x", Some("ChatGPT.com:443")),
            ("/x", Some("chatgpt.com.")),
            ("https://chatgpt.com/x", None),
            ("https://chatgpt.com:443/x", Some("chatgpt.com")),
        ] {
            let headers: Vec<_> = host.map(|host| ("host", host)).into_iter().collect();
            assert_eq!(inside(&request("GET", uri, &headers), &connected()), Ok(()), "{uri} {host:?}");
        }
        for (uri, host) in [
            ("/x", Some("claude.ai")),
            ("/x", Some("chatgpt.com:8443")),
            ("/x", Some("a.chatgpt.com")),
            ("/x", Some("chatgpt.com.evil.example")),
            ("https://claude.ai/x", None),
            ("https://chatgpt.com/x", Some("claude.ai")),
            ("https://claude.ai/x", Some("chatgpt.com")),
        ] {
            let headers: Vec<_> = host.map(|host| ("host", host)).into_iter().collect();
            assert_eq!(inside(&request("GET", uri, &headers), &connected()), Err(Flaw::Elsewhere), "{uri} {host:?}");
        }
    }

    #[test]
    fn an_address_is_named_in_its_brackets() {
        let connected = Target::parse("[2001:db8::1]:443", None).unwrap();
        let host = |host| inside(&request("GET", "/x", &[("host", host)]), &connected);
        assert_eq!(host("[2001:DB8::1]"), Ok(()));
        assert!(matches!(host("2001:db8::1"), Err(Flaw::Malformed(_))));
    }

    #[test]
    fn what_can_be_read_in_two_ways_goes_nowhere() {
        let host = ("host", "chatgpt.com");
        let malformed = |uri: &str, headers: &[(&str, &str)]| {
            let found = inside(&request("POST", uri, headers), &connected());
            assert!(matches!(found, Err(Flaw::Malformed(_))), "{uri} {headers:?}: {found:?}");
        };
        malformed("/x", &[]);
        malformed("/x", &[host, host]);
        malformed("/x", &[host, ("host", "claude.ai")]);
        malformed("/x", &[("host", "user@chatgpt.com")]);
        malformed("/x", &[("host", "chatgpt.com/x")]);
        malformed("/x", &[("host", "")]);
        malformed("*", &[host]);
        malformed("http://chatgpt.com/x", &[host]);
        malformed("https://user@chatgpt.com/x", &[]);
        malformed("/x", &[host, ("transfer-encoding", "gzip, chunked")]);
        malformed("/x", &[host, ("transfer-encoding", "chunked"), ("transfer-encoding", "chunked")]);
        malformed("/x", &[host, ("transfer-encoding", "xchunked")]);
        assert_eq!(inside(&request("TRACE", "/x", &[host]), &connected()), Err(Flaw::Method));
    }

    #[test]
    fn a_plain_request_names_one_place() {
        let target = absolute(&request("GET", "http://bank.example/x", &[("host", "bank.example")])).unwrap();
        assert_eq!((target.host(), target.port), ("bank.example", 80));
        let other = absolute(&request("GET", "http://bank.example/x", &[("host", "chatgpt.com")]));
        assert_eq!(other, Err(Flaw::Elsewhere));
        assert!(matches!(absolute(&request("GET", "/x", &[("host", "proxy")])), Err(Flaw::Malformed(_))));
        assert!(matches!(absolute(&request("GET", "ftp://a.example/x", &[])), Err(Flaw::Malformed(_))));
    }
}
