//! What clients ask of the proxy itself: who they are, plain requests, ports and addresses, limits, the stop.

use std::collections::BTreeMap;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::world::{ANN, Setup, World, basic, exchange, handshake, with_length};

async fn plain(world: &World, request: &str) -> crate::world::Answer {
    exchange(TcpStream::connect(world.proxy).await.unwrap(), request).await
}

fn absolute(url: &str, host: &str, rest: &str) -> String {
    let authorization = basic(ANN);
    format!(
        "POST {url} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nProxy-Authorization: {authorization}\r\n{rest}"
    )
}

#[tokio::test]
async fn who_says_nothing_or_something_wrong_is_asked_who_they_are() {
    let world = World::new().await;
    for who in [None, Some("ann:wrong"), Some("nobody:wonderland"), Some("ann")] {
        let refused = world.connect_as(who, "api.openai.com:443").await.unwrap_err();
        assert!(refused.starts_with("HTTP/1.1 407"), "{refused}");
        assert!(refused.contains("Basic realm=\"Northwind Health: access to AI services\""), "{refused}");
    }
    let twice = format!(
        "CONNECT bank.example:443 HTTP/1.1\r\nHost: bank.example:443\r\nProxy-Authorization: {0}\r\nProxy-Authorization: {0}\r\n\r\n",
        basic(ANN)
    );
    assert_eq!(plain(&world, &twice).await.status, 407);
}

#[tokio::test]
async fn a_plain_request_to_another_host_passes_unread() {
    let world = World::new().await;
    let rest = "Content-Length: 5\r\nCookie: a=b\r\nConnection: x-hop\r\nX-Hop: 1\r\nWrit-Reason: x\r\n\r\nhello";
    let answer = plain(&world, &absolute("http://plain.example/a?b=c", "plain.example", rest)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let seen = world.visits.last();
    assert_eq!(
        (seen.path.as_str(), seen.host.as_str(), seen.body.as_ref()),
        ("/a?b=c", "plain.example", &b"hello"[..])
    );
    assert_eq!(seen.headers["cookie"], "a=b");
    for name in ["proxy-authorization", "x-hop", "writ-reason", "via", "x-forwarded-for"] {
        assert!(!seen.headers.contains_key(name), "{name}");
    }
    assert!(world.decisions().await.is_empty());
}

#[tokio::test]
async fn a_plain_request_to_an_ai_service_is_judged_and_goes_on_under_tls() {
    let world = World::new().await;
    let body = r#"{"model":"gpt-5","messages":[{"role":"user","content":"Say hello."}]}"#;
    let rest = format!("Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let url = "http://api.openai.com/v1/chat/completions";
    let answer = plain(&world, &absolute(url, "api.openai.com", &rest)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(world.decisions().await.len(), 1);
    assert_eq!(world.visits.last().host, "api.openai.com");
}

#[tokio::test]
async fn what_is_no_request_to_a_proxy_is_told_so() {
    let world = World::new().await;
    let bad = |line: &str, host: &str| {
        format!("{line} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nProxy-Authorization: {}\r\n\r\n", basic(ANN))
    };
    for (line, host) in [
        ("GET /", "proxy"),
        ("GET https://bank.example/", "bank.example"),
        ("GET http://plain.example/", "api.openai.com"),
        ("GET http://user@plain.example/", "plain.example"),
        ("CONNECT bank.example", "bank.example"),
        ("CONNECT 2130706433:443", "2130706433:443"),
        ("CONNECT bank.example:443", "api.openai.com:443"),
        ("CONNECT bank.example:0", "bank.example:0"),
    ] {
        let answer = plain(&world, &bad(line, host)).await;
        assert_eq!(answer.status, 400, "{line}: {answer:?}");
    }
    assert_eq!(plain(&world, &bad("CONNECT bank.example:22", "bank.example:22")).await.status, 403);
    assert_eq!(plain(&world, &bad("TRACE http://plain.example/", "plain.example")).await.status, 405);
    assert_eq!(world.visits.count(), 0);
}

#[tokio::test]
async fn nobody_gets_inside_through_the_proxy() {
    let world = World::new().await;
    for target in
        ["127.0.0.1:443", "localhost:443", "[::1]:443", "169.254.169.254:443", "0.0.0.0:443", "[::ffff:127.0.0.1]:443"]
    {
        let refused = world.connect(target).await.unwrap_err();
        assert!(refused.starts_with("HTTP/1.1 403"), "{target}: {refused}");
    }
    for url in ["http://127.0.0.1/", "http://169.254.169.254/latest/meta-data/", "http://localhost:8080/"] {
        let host = url.trim_start_matches("http://").split('/').next().unwrap();
        let answer = plain(&world, &absolute(url, host, "\r\n")).await;
        assert_eq!(answer.status, 403, "{url}: {answer:?}");
    }
}

#[tokio::test]
async fn an_address_with_the_name_of_another_host_passes_and_with_that_of_an_ai_service_does_not() {
    let site = World::new().await;
    let address = crate::site::serve(Some(site.sites.config(&["bank.example"], false)), site.visits.clone()).await;
    let resolve = BTreeMap::from([("192.0.2.7".to_owned(), address)]);
    let world = World::with(Setup { resolve, ..Setup::default() }).await;
    let stream = world.connect("192.0.2.7:443").await.unwrap();
    let stream = handshake(&site.trusting_sites(), "bank.example", stream).await.unwrap();
    assert_eq!(exchange(stream, &with_length("bank.example", "GET /", "")).await.status, 200);
    let stream = world.connect("192.0.2.7:443").await.unwrap();
    assert!(handshake(&site.trusting_sites(), "chatgpt.com", stream).await.is_err());
    assert_eq!(world.decisions().await.len(), 1);
    assert_eq!(site.visits.count(), 1);
}

#[tokio::test]
async fn a_reset_in_the_middle_still_ends_with_a_record() {
    let world = World::new().await;
    let mut stream = world.inside("api.openai.com").await;
    let head = "POST /v1/chat/completions HTTP/1.1\r\nHost: api.openai.com\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{\"model\"";
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.flush().await.unwrap();
    drop(stream);
    let tunnel = world.connect("claude.ai:443").await.unwrap();
    let tunnel = handshake(&world.trusting_sites(), "claude.ai", tunnel).await.unwrap();
    drop(tunnel);
    assert_eq!(world.outcomes(1).await.len(), 1);
    assert_eq!(world.decisions().await.len(), 1, "a prompt that never came whole was never decided");
    assert_eq!(world.visits.count(), 0);
}

#[tokio::test]
async fn the_stop_ends_idle_connections_and_tunnels() {
    let world = World::new().await;
    let mut idle = world.inside("api.openai.com").await;
    let mut tunnel = world.connect("claude.ai:443").await.unwrap();
    world.stop();
    let mut rest = Vec::new();
    let _ended = idle.read_to_end(&mut rest).await;
    let _ended = tunnel.read_to_end(&mut rest).await;
    assert!(rest.is_empty());
    world.served.await.unwrap();
    assert_eq!(
        world
            .ledger
            .reader(0)
            .filter(|entry| entry.as_ref().unwrap().header.kind == writ_model::record::EntryKind::Outcome)
            .count(),
        1
    );
}

#[tokio::test]
async fn nobody_in_particular_is_an_address() {
    let world = World::with(Setup { require: false, ..Setup::default() }).await;
    let stream = world.connect_as(None, "api.openai.com:443").await.unwrap();
    let stream = handshake(&world.trusting_writ(&["http/1.1"]), "api.openai.com", stream).await.unwrap();
    assert_eq!(exchange(stream, &with_length("api.openai.com", "GET /v1/models", "")).await.status, 200);
    assert_eq!(world.decisions().await[0].identity, writ_model::Identity::None);
}
