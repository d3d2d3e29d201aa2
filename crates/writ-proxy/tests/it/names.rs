//! One destination, one name.

use http::Request;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use writ_model::{Effect, Signal};

use crate::world::{World, exchange, handshake, with_length};

#[tokio::test]
async fn sni_that_disagrees_ends_the_handshake() {
    let world = World::new().await;
    for (target, sni) in
        [("bank.example", "chatgpt.com"), ("chatgpt.com", "bank.example"), ("claude.ai", "chatgpt.com")]
    {
        let stream = world.connect(&format!("{target}:443")).await.unwrap();
        let error = handshake(&world.trusting_writ(&[]), sni, stream).await.unwrap_err();
        assert!(error.to_string().contains("UnrecognisedName"), "{target} {sni}: {error}");
    }
    let blocked: Vec<_> = world.decisions().await.into_iter().filter(|d| d.enforced == Effect::Block).collect();
    assert_eq!(blocked.len(), 3);
    assert!(blocked.iter().all(|decision| decision.signals.contains(&Signal::Circumvention)));
    assert_eq!(world.visits.count(), 0);
    assert_eq!(world.outcomes(4).await.len(), 4, "claude.ai was judged as a tunnel before");
    // Between hosts that are no AI services it is refused as well, without a record.
    let stream = world.connect("bank.example:443").await.unwrap();
    assert!(handshake(&world.trusting_sites(), "other.example", stream).await.is_err());
    assert_eq!(world.decisions().await.len(), 4);
}

#[tokio::test]
async fn a_request_for_another_host_is_misdirected() {
    let world = World::new().await;
    let stream = world.inside("api.openai.com").await;
    let answer = exchange(stream, &with_length("chatgpt.com", "GET /v1/models", "")).await;
    assert_eq!(answer.status, 421, "{answer:?}");
    let request = Request::get("https://claude.ai/v1/models").body("").unwrap();
    assert_eq!(world.ask_h2("api.openai.com", request).await.status, 421);
    let request = Request::get("https://api.openai.com/v1/models").header("host", "claude.ai").body("").unwrap();
    assert_eq!(world.ask_h2("api.openai.com", request).await.status, 421);
    let signals: Vec<_> = world.decisions().await.iter().map(|decision| decision.signals.clone()).collect();
    assert_eq!(signals, vec![vec![Signal::Circumvention]; 3]);
    assert_eq!(world.visits.count(), 0);
}

#[tokio::test]
async fn without_sni_the_name_of_connect_counts_and_the_record_says_that_it_was_hidden() {
    let world = World::new().await;
    let mut config = (*world.trusting_writ(&["http/1.1"])).clone();
    config.enable_sni = false;
    let config = std::sync::Arc::new(config);
    let stream = world.connect("api.openai.com:443").await.unwrap();
    let stream = handshake(&config, "api.openai.com", stream).await.unwrap();
    assert_eq!(exchange(stream, &with_length("api.openai.com", "GET /v1/models", "")).await.status, 200);
    assert_eq!(world.decisions().await[0].signals, [Signal::NameHidden]);
    // A host of which nothing is known: judged as a tunnel, and this policy wants to know.
    let stream = world.connect("bank.example:443").await.unwrap();
    assert!(handshake(&config, "bank.example", stream).await.is_err());
    let decisions = world.decisions().await;
    assert_eq!((&*decisions[1].service, decisions[1].enforced), ("unknown", Effect::Block));
    // An approved service that is not opened may hide it.
    let stream = world.connect("claude.ai:443").await.unwrap();
    let mut sites = (*world.trusting_sites()).clone();
    sites.enable_sni = false;
    assert!(handshake(&std::sync::Arc::new(sites), "claude.ai", stream).await.is_ok());
    assert_eq!(world.outcomes(3).await.len(), 3);
}

#[tokio::test]
async fn what_is_no_tls_is_a_hidden_name() {
    let world = World::new().await;
    for target in ["echo.example:443", "api.openai.com:443"] {
        let mut stream = world.connect(target).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHost: api.openai.com\r\n\r\n").await.unwrap();
        let mut all = Vec::new();
        let _ended = stream.read_to_end(&mut all).await;
        assert_eq!(all.first(), Some(&21), "an alert and the end: {all:?}");
        assert!(all.len() <= 7);
    }
    let decisions = world.decisions().await;
    let services: Vec<_> = decisions.iter().map(|d| (d.service.to_string(), d.signals.clone())).collect();
    let hidden = vec![Signal::NameHidden];
    assert_eq!(services, [("unknown".into(), hidden.clone()), ("openai-api".into(), hidden)]);
    assert_eq!(world.visits.count(), 0);
}

#[tokio::test]
async fn broken_and_missing_hellos_pass_nothing() {
    let world = World::new().await;
    // A handshake record that holds no ClientHello; half of one; nothing.
    for bytes in [&b"\x16\x03\x01\x00\x05\x02\x00\x00\x01\x00"[..], b"\x16\x03\x01\x02\x00\x01", b""] {
        let mut stream = world.connect("bank.example:443").await.unwrap();
        stream.write_all(bytes).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut all = Vec::new();
        let _ended = stream.read_to_end(&mut all).await;
        assert!(all.len() <= 7, "{all:?}");
    }
    assert!(world.decisions().await.is_empty());
    assert_eq!(world.visits.count(), 0);
}

#[tokio::test]
async fn a_hello_in_small_pieces_is_read_whole() {
    let world = World::new().await;
    let stream = world.connect("api.openai.com:443").await.unwrap();
    let (near, far) = tokio::io::duplex(64 << 10);
    tokio::spawn(async move {
        let (mut from_client, mut to_client) = tokio::io::split(far);
        let (mut from_proxy, mut to_proxy) = stream.into_split();
        let up = async {
            let mut byte = [0; 7];
            while let Ok(read @ 1..) = from_client.read(&mut byte).await {
                to_proxy.write_all(&byte[..read]).await.unwrap();
                tokio::task::yield_now().await;
            }
        };
        let down = tokio::io::copy(&mut from_proxy, &mut to_client);
        let _both = tokio::join!(up, down);
    });
    let name = rustls::pki_types::ServerName::try_from("api.openai.com").unwrap();
    let connector = tokio_rustls::TlsConnector::from(world.trusting_writ(&["http/1.1"]));
    let stream = connector.connect(name, near).await.unwrap();
    assert_eq!(exchange(stream, &with_length("api.openai.com", "GET /v1/models", "")).await.status, 200);
}
