//! What servers read differently: a corpus over raw sockets, HTTP/1.1 and HTTP/2 towards the proxy. Whatever the proxy
//! lets through reaches the site as exactly one request that was judged.

use http::Request;

use crate::world::{Answer, World, exchange};

const HOST: &str = "api.openai.com";

/// Requests whose second half another server might take for a request of its own.
const CORPUS: &[(&str, &str)] = &[
    (
        "conflicting lengths",
        "POST /v1/x HTTP/1.1\r\nHost: api.openai.com\r\nContent-Length: 5\r\nContent-Length: 44\r\n\r\nhelloGET /smuggled HTTP/1.1\r\nHost: api.openai.com\r\n\r\n",
    ),
    (
        "a list of lengths",
        "POST /v1/x HTTP/1.1\r\nHost: api.openai.com\r\nContent-Length: 5, 44\r\n\r\nhelloGET /smuggled HTTP/1.1\r\nHost: api.openai.com\r\n\r\n",
    ),
    ("a signed length", "POST /v1/x HTTP/1.1\r\nHost: api.openai.com\r\nContent-Length: +5\r\n\r\nhello"),
    ("a length in hexadecimal", "POST /v1/x HTTP/1.1\r\nHost: api.openai.com\r\nContent-Length: 0x5\r\n\r\nhello"),
    (
        "a coding that is none",
        "POST /v1/x HTTP/1.1\r\nHost: api.openai.com\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    ),
    (
        "a coding before chunked",
        "POST /v1/x HTTP/1.1\r\nHost: api.openai.com\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    ),
    (
        "chunked before a coding",
        "POST /v1/x HTTP/1.1\r\nHost: api.openai.com\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    ),
    (
        "two codings",
        "POST /v1/x HTTP/1.1\r\nHost: api.openai.com\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    ),
    (
        "a space before the colon",
        "POST /v1/x HTTP/1.1\r\nHost: api.openai.com\r\nTransfer-Encoding : chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    ),
    (
        "a folded line",
        "POST /v1/x HTTP/1.1\r\nHost: api.openai.com\r\nX: y\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    (
        "a bad chunk size",
        "POST /v1/x HTTP/1.1\r\nHost: api.openai.com\r\nTransfer-Encoding: chunked\r\n\r\n5;\nhello\r\nxyz\r\n\r\n",
    ),
    (
        "a chunk that overflows",
        "POST /v1/x HTTP/1.1\r\nHost: api.openai.com\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000005\r\nhello\r\n0\r\n\r\n",
    ),
    (
        "codings in HTTP/1.0",
        "POST /v1/x HTTP/1.0\r\nHost: api.openai.com\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    ("no host", "GET /v1/models HTTP/1.1\r\n\r\n"),
    ("two hosts", "GET /v1/models HTTP/1.1\r\nHost: api.openai.com\r\nHost: claude.ai\r\n\r\n"),
    ("another host in the target", "GET https://claude.ai/v1/models HTTP/1.1\r\nHost: api.openai.com\r\n\r\n"),
    ("another host in both", "GET https://claude.ai/v1/models HTTP/1.1\r\nHost: claude.ai\r\n\r\n"),
    ("another scheme", "GET http://api.openai.com/v1/models HTTP/1.1\r\nHost: api.openai.com\r\n\r\n"),
    ("a user in the host", "GET /v1/models HTTP/1.1\r\nHost: claude.ai@api.openai.com\r\n\r\n"),
    ("a control character in a value", "GET /v1/models HTTP/1.1\r\nHost: api.openai.com\r\nX: a\x00b\r\n\r\n"),
    (
        "a bare carriage return in a value",
        "GET /v1/models HTTP/1.1\r\nHost: api.openai.com\r\nX: a\rTransfer-Encoding: chunked\r\n\r\n",
    ),
    ("a space in the target", "GET /v1/models /x HTTP/1.1\r\nHost: api.openai.com\r\n\r\n"),
    ("CONNECT inside", "CONNECT claude.ai:443 HTTP/1.1\r\nHost: api.openai.com\r\n\r\n"),
    ("the second preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    ("a target without a path", "GET * HTTP/1.1\r\nHost: api.openai.com\r\n\r\n"),
];

/// An error, or the end of the connection without a word.
fn refused(answer: &Answer) -> bool {
    (400..600).contains(&answer.status) || answer.head.trim().is_empty() && answer.body.is_empty()
}

#[tokio::test]
async fn what_can_be_read_in_two_ways_reaches_nobody() {
    let world = World::new().await;
    for (name, request) in CORPUS {
        let answer = exchange(world.inside(HOST).await, request).await;
        assert!(refused(&answer), "{name}: {answer:?}");
        assert_eq!(world.visits.count(), 0, "{name} reached a site: {:?}", world.visits.last());
    }
}

#[tokio::test]
async fn of_length_and_coding_the_coding_counts_and_the_connection_ends() {
    let world = World::new().await;
    for order in ["Content-Length: 4\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nContent-Length: 4"]
    {
        let before = world.visits.count();
        let request = format!(
            "POST /v1/x HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: text/plain\r\n{order}\r\n\r\n5\r\nhello\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: {HOST}\r\n\r\n"
        );
        let answer = exchange(world.inside(HOST).await, &request).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let seen = &world.visits.all()[before..];
        assert_eq!(seen.len(), 1, "{seen:?}");
        assert_eq!((seen[0].path.as_str(), seen[0].body.as_ref()), ("/v1/x", &b"hello"[..]));
        assert!(!seen[0].headers.contains_key("transfer-encoding"));
    }
}

#[tokio::test]
async fn the_same_holds_for_bodies_that_pass_unread() {
    let world = World::new().await;
    for (name, request) in CORPUS {
        let request = request.replace(HOST, "accounts.google.com");
        let answer = exchange(world.inside("accounts.google.com").await, &request).await;
        assert!(refused(&answer), "{name}: {answer:?}");
        assert_eq!(world.visits.count(), 0, "{name} reached a site: {:?}", world.visits.last());
    }
    let request = "POST /x HTTP/1.1\r\nHost: accounts.google.com\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: accounts.google.com\r\n\r\n";
    exchange(world.inside("accounts.google.com").await, request).await;
    let seen = world.visits.all();
    assert_eq!((seen.len(), seen[0].body.as_ref()), (1, &b"hello"[..]));
}

#[tokio::test]
async fn http2_says_one_thing_as_well() {
    let world = World::new().await;
    let base = || Request::post(format!("https://{HOST}/v1/x")).header("content-type", "text/plain");
    for (name, request, status) in [
        ("another scheme", Request::post(format!("http://{HOST}/v1/x")).body(""), 400),
        ("a user in the authority", Request::post(format!("https://claude.ai@{HOST}/v1/x")).body(""), 400),
        ("another port", Request::post(format!("https://{HOST}:8443/v1/x")).body(""), 421),
        ("two hosts", base().header("host", HOST).header("host", "claude.ai").body(""), 400),
        ("another host", base().header("host", "claude.ai").body(""), 421),
        ("TRACE", Request::builder().method("TRACE").uri(format!("https://{HOST}/v1/x")).body(""), 405),
    ] {
        let answer = world.ask_h2(HOST, request.unwrap()).await;
        assert_eq!(answer.status, status, "{name}: {answer:?}");
    }
    assert_eq!(world.visits.count(), 0);
}
