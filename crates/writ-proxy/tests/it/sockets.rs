//! WebSockets at hosts that are opened: the policy decides whether the upgrade goes on; nobody reads what follows.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use writ_model::record::Ending;
use writ_model::{Effect, Signal};

use crate::world::{Setup, World, exchange};

const UPGRADE: &str = "GET /v1/realtime HTTP/1.1\r\nHost: api.openai.com\r\nConnection: Upgrade\r\n\
    Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// The tests' policy with a rule for what nobody can read.
const STRICT: &str = concat!(
    include_str!("policy.md"),
    "\n## 4 Unread protocols {#sockets}\n\nWhat nobody can read is not sent.\n\n```rule\nsignal: opaque (websocket)\n\
     action: submit\nthen: block\nwhy: its messages are not read.\n```\n"
);

#[tokio::test]
async fn an_upgrade_that_the_policy_lets_pass_is_piped_and_recorded() {
    let world = World::new().await;
    let mut stream = world.inside("api.openai.com").await;
    stream.write_all(UPGRADE.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    assert_eq!(world.visits.last().headers["sec-websocket-version"], "13");
    stream.write_all(b"frame").await.unwrap();
    let mut back = [0; 5];
    stream.read_exact(&mut back).await.unwrap();
    assert_eq!(&back, b"frame");
    drop(stream);
    let outcome = world.outcomes(1).await.remove(0);
    assert_eq!(
        (outcome.ending, outcome.status, outcome.bytes_up, outcome.bytes_down),
        (Ending::Delivered, Some(101), 5, 5)
    );
    let decision = world.decisions().await.remove(0);
    assert_eq!(decision.signals, [Signal::OpaqueWebsocket]);
    assert!(!decision.read_in_full, "what is not read is not said to be read");
}

#[tokio::test]
async fn an_upgrade_that_the_policy_stops_is_refused_in_http() {
    let world = World::with(Setup { policy: STRICT, ..Setup::default() }).await;
    let refused =
        exchange(world.inside("api.openai.com").await, &UPGRADE.replace("Upgrade\r\n", "Upgrade, close\r\n")).await;
    assert_eq!(refused.status, 403, "{refused:?}");
    assert!(refused.body.contains("clause 4 Unread protocols"), "{refused:?}");
    assert_eq!(world.visits.count(), 0);
    assert_eq!(world.decisions().await[0].enforced, Effect::Block);
}
