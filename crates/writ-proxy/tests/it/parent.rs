//! A parent proxy: Writ asks it to connect, with its own credentials, and trusts its authority for the hosts that are
//! named and for no other.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use writ_base::Sensitive;
use writ_proxy::upstream::Parent;

use crate::site::{self, SiteAuthority};
use crate::world::{Setup, World, basic, exchange, handshake, with_length};

const WRIT: &str = "writ:let me out";

/// What a parent was asked, and where its targets lead.
#[derive(Clone, Default)]
struct Asked {
    targets: Arc<Mutex<Vec<String>>>,
    routes: Arc<Mutex<BTreeMap<String, SocketAddr>>>,
}

/// A proxy that knows CONNECT and Basic, and sends its 200 together with nothing else.
async fn parent(asked: Asked) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(connected(stream, asked.clone()));
        }
    });
    address
}

async fn connected(stream: TcpStream, asked: Asked) {
    let mut stream = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.unwrap();
        if line.trim().is_empty() {
            break;
        }
        lines.push(line.trim().to_owned());
    }
    let target = lines.first().unwrap().split(' ').nth(1).unwrap().to_owned();
    asked.targets.lock().push(target.clone());
    if !lines.contains(&format!("Proxy-Authorization: {}", basic(WRIT))) {
        stream.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n").await.unwrap();
        return;
    }
    let route = asked.routes.lock().get(&target).copied();
    let Some(route) = route else {
        stream.write_all(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n").await.unwrap();
        return;
    };
    let mut server = TcpStream::connect(route).await.unwrap();
    stream.write_all(b"HTTP/1.1 200 Connection established\r\nX-Parent: yes\r\n\r\n").await.unwrap();
    let _ended = tokio::io::copy_bidirectional(&mut stream, &mut server).await;
}

/// A world behind a parent. The parent opens connections to ChatGPT and DeepSeek under its own authority, and Writ was
/// told so of ChatGPT only.
async fn behind(authorization: Option<&str>) -> (World, Asked) {
    let (asked, own) = (Asked::default(), SiteAuthority::new());
    let address = parent(asked.clone()).await.to_string();
    let authorization = authorization.map(|who| Sensitive::new(basic(who)));
    let setup = Parent { address, authorization, roots_for: vec!["chatgpt.com".into()], roots: vec![own.root()] };
    let world = World::with(Setup { parent: Some(setup), ..Setup::default() }).await;
    let at_site = site::serve(Some(world.sites.config(crate::world::NAMES, false)), world.visits.clone()).await;
    let at_parent = site::serve(Some(own.config(&["chatgpt.com", "api.x.ai"], false)), world.visits.clone()).await;
    let routes = [
        ("api.openai.com", at_site),
        ("bank.example", at_site),
        ("claude.ai", at_site),
        ("chatgpt.com", at_parent),
        ("api.x.ai", at_parent),
    ];
    asked.routes.lock().extend(routes.map(|(name, address)| (format!("{name}:443"), address)));
    (world, asked)
}

#[tokio::test]
async fn everything_leaves_through_the_parent() {
    let (world, asked) = behind(Some(WRIT)).await;
    assert_eq!(world.ask("api.openai.com", "GET /v1/models", "").await.status, 200, "opened by Writ");
    assert_eq!(world.ask("chatgpt.com", "GET /", "").await.status, 200, "opened by both");
    for name in ["bank.example", "claude.ai"] {
        let stream = world.connect(&format!("{name}:443")).await.unwrap();
        let stream = handshake(&world.trusting_sites(), name, stream).await.unwrap();
        let answer = exchange(stream, &with_length(name, "GET /", "")).await;
        assert_eq!(answer.status, 200, "{name} shows its own certificate: {answer:?}");
    }
    let targets = asked.targets.lock().clone();
    assert_eq!(targets, ["api.openai.com:443", "chatgpt.com:443", "bank.example:443", "claude.ai:443"]);
    let credentials = world.visits.all().iter().filter(|seen| seen.headers.contains_key("proxy-authorization")).count();
    assert_eq!(credentials, 0, "the parent's credentials are the parent's");
}

#[tokio::test]
async fn the_parents_authority_counts_for_the_named_hosts_only() {
    let (world, _) = behind(Some(WRIT)).await;
    let answer = world.ask("api.x.ai", "GET /v1/models", "").await;
    assert_eq!(answer.status, 502, "{answer:?}");
    assert!(answer.body.contains("has a certificate"), "{answer:?}");
    assert_eq!(world.visits.count(), 0);
}

#[tokio::test]
async fn a_parent_that_does_not_connect_is_said_so() {
    let (world, _) = behind(Some("writ:wrong")).await;
    let answer = world.ask("api.openai.com", "GET /v1/models", "").await;
    assert_eq!(answer.status, 502, "{answer:?}");
    assert!(answer.body.contains("could not be reached"), "{answer:?}");
    let (world, _) = behind(Some(WRIT)).await;
    let refused = world.connect("other.example:443").await.unwrap_err();
    assert!(refused.starts_with("HTTP/1.1 502"), "a target that the parent does not know: {refused}");
}

#[tokio::test]
async fn addresses_inside_are_not_asked_of_the_parent_either() {
    let (world, asked) = behind(Some(WRIT)).await;
    for target in ["127.0.0.1:443", "localhost:443", "[::1]:443", "169.254.169.254:443"] {
        assert!(world.connect(target).await.unwrap_err().starts_with("HTTP/1.1 403"), "{target}");
    }
    assert!(asked.targets.lock().is_empty());
}
