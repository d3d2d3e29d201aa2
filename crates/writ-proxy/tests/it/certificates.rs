//! Certificates of upstreams that do not hold are told inside the intercepted connection; sessions resume under their
//! own name only.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::world::{World, handshake};

#[tokio::test]
async fn a_bad_certificate_is_told_in_the_clients_form_and_nothing_is_sent() {
    let world = World::new().await;
    let browser = "User-Agent: Mozilla/5.0\r\nSec-Fetch-Mode: navigate\r\nAccept: text/html\r\n";
    for (host, line) in [
        ("api.mistral.ai", "expired or not yet valid"),
        ("api.anthropic.com", "not for this name"),
        ("api.groq.com", "issuer is unknown"),
    ] {
        let answer = world.ask(host, "GET /v1/models", "").await;
        assert_eq!(answer.status, 502, "{answer:?}");
        assert!(answer.body.contains(line) && answer.head.contains("application/json"), "{host}: {answer:?}");
        let page = world.ask(host, &format!("GET /\r\n{browser}"), "").await;
        assert_eq!(page.status, 502, "{page:?}");
        assert!(page.head.contains("text/html"), "{host}: {page:?}");
    }
    assert_eq!(world.visits.count(), 0);
    assert_eq!(world.outcomes(6).await.len(), 6);
}

#[tokio::test]
async fn sessions_resume_under_their_own_name() {
    let world = World::new().await;
    let config = world.trusting_writ(&["http/1.1"]);
    let mut kinds = Vec::new();
    for _ in 0..2 {
        let stream = world.connect("api.openai.com:443").await.unwrap();
        let mut stream = handshake(&config, "api.openai.com", stream).await.unwrap();
        stream
            .write_all(b"GET /v1/models HTTP/1.1\r\nHost: api.openai.com\r\nConnection: close\r\n\r\n")
            .await
            .unwrap();
        let mut all = Vec::new();
        let _ended = stream.read_to_end(&mut all).await;
        assert!(all.starts_with(b"HTTP/1.1 200"));
        kinds.push(stream.get_ref().1.handshake_kind());
    }
    assert_eq!(kinds[1], Some(rustls::HandshakeKind::Resumed), "{kinds:?}");
}
