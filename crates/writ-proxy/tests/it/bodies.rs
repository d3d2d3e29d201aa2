//! Requests that do not come whole, and answers that come before the request is complete.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::world::{ANN, Answer, World, basic, exchange};

/// What is longer than all buffers between two sockets of one machine.
const LONG: usize = 24 << 20;

const BROKEN: &[(&str, &str)] = &[
    ("a chunk size that is none", "Transfer-Encoding: chunked\r\n\r\n5\r\n{\"a\":\r\nxyz\r\n"),
    ("a chunk longer than it says", "Transfer-Encoding: chunked\r\n\r\n2\r\n{\"a\":1}\r\n0\r\n\r\n"),
];

fn head(host: &str, path: &str, rest: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n{rest}")
}

#[tokio::test]
async fn a_body_that_makes_no_sense_is_the_clients_error() {
    let world = World::new().await;
    for (name, rest) in BROKEN {
        for (host, path) in [("api.openai.com", "/v1/chat/completions"), ("accounts.google.com", "/signin")] {
            let answer = exchange(world.inside(host).await, &head(host, path, rest)).await;
            assert_eq!(answer.status, 400, "{host}, {name}: {answer:?}");
        }
        let request = format!(
            "POST http://plain.example/x HTTP/1.1\r\nHost: plain.example\r\nProxy-Authorization: {}\r\n{rest}",
            basic(ANN)
        );
        let answer = exchange(TcpStream::connect(world.proxy).await.unwrap(), &request).await;
        assert_eq!(answer.status, 400, "plain, {name}: {answer:?}");
    }
    assert_eq!(world.visits.count(), 0, "{:?}", world.visits.all());
    assert!(world.decisions().await.is_empty(), "nothing came whole, so nothing was judged");
}

/// Writes a whole long request before it reads a byte, as many clients do.
async fn upload(mut stream: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin, head: &str) -> Answer {
    stream.write_all(head.as_bytes()).await.unwrap();
    let piece = vec![b' '; 64 << 10];
    for _ in 0..LONG / piece.len() {
        stream.write_all(&piece).await.expect("the connection takes the whole upload");
    }
    stream.flush().await.unwrap();
    exchange(stream, "").await
}

#[tokio::test]
async fn a_refusal_that_comes_early_reaches_a_client_that_is_still_sending() {
    let world = World::new().await;
    let length = format!("Connection: close\r\nContent-Length: {LONG}\r\n\r\n");
    // Refused by the head, nothing of the body read: the tool is not used here.
    let denied = upload(world.inside("chat.deepseek.com").await, &head("chat.deepseek.com", "/api", &length)).await;
    assert_eq!(denied.status, 403, "{denied:?}");
    // Refused as a request, before anything is judged.
    let elsewhere = upload(world.inside("api.openai.com").await, &head("claude.ai", "/v1/x", &length)).await;
    assert_eq!(elsewhere.status, 421, "{elsewhere:?}");
    let nobody = format!("POST http://plain.example/x HTTP/1.1\r\nHost: plain.example\r\n{length}");
    let nobody = upload(TcpStream::connect(world.proxy).await.unwrap(), &nobody).await;
    assert_eq!(nobody.status, 407, "{nobody:?}");
    assert_eq!(world.visits.count(), 0);
}

/// A client that waits to be asked for its body is told the verdict of the head, and is not asked.
#[tokio::test]
async fn a_body_that_waits_is_not_asked_for_after_a_refusal() {
    let world = World::new().await;
    let mut stream = world.inside("chat.deepseek.com").await;
    let rest = "Expect: 100-continue\r\nContent-Length: 10\r\n\r\n";
    stream.write_all(head("chat.deepseek.com", "/api", rest).as_bytes()).await.unwrap();
    let mut answer = vec![0; 12];
    let read = tokio::time::timeout(Duration::from_secs(20), stream.read_exact(&mut answer)).await;
    read.expect("an answer without the body").unwrap();
    assert_eq!(answer, b"HTTP/1.1 403");
}
