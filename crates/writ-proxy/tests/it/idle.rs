//! What an idle connection costs: measured from outside, on a process that serves nothing else.

use std::process::{Command, Stdio};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

use crate::world::{World, handshake};

/// Names the variable that turns a test run into the process that is measured.
const ROLE: &str = "WRIT_TEST_PROXY_PROCESS";

/// Kilobytes that an idle intercepted connection may cost. The goal for a release build is 50; this one is built for
/// tests, and holds the clients' ends of nothing.
const KILOBYTES: u64 = 80;

#[tokio::test]
async fn an_idle_intercepted_connection_is_small() {
    const CONNECTIONS: u64 = 200;
    if std::env::var_os(ROLE).is_some() {
        return;
    }
    let mut child = tokio::process::Command::from({
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "idle::the_process_that_is_measured", "--nocapture"]).env(ROLE, "1");
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        command
    })
    .spawn()
    .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let (mut proxy, mut root) = (None, None);
    while proxy.is_none() || root.is_none() {
        let line = lines.next_line().await.unwrap().unwrap();
        let line = line.rsplit("... ").next().unwrap_or_default();
        proxy = proxy.or_else(|| line.strip_prefix("proxy ").map(|address| address.parse().unwrap()));
        root = root.or_else(|| line.strip_prefix("root ").map(unhex));
    }
    let (proxy, root): (std::net::SocketAddr, Vec<u8>) = (proxy.unwrap(), root.unwrap());
    let config = crate::world::client_config(root.into(), &["http/1.1"]);
    let mut open = Vec::new();
    let id = child.id().unwrap();
    let mut before = 0;
    for number in 0..=CONNECTIONS {
        let stream = crate::world::connect_to(proxy, Some(crate::world::ANN), "api.openai.com:443").await.unwrap();
        let mut stream = handshake(&config, "api.openai.com", stream).await.unwrap();
        stream.write_all(b"GET /v1/models HTTP/1.1\r\nHost: api.openai.com\r\n\r\n").await.unwrap();
        let mut answer = [0; 64];
        tokio::io::AsyncReadExt::read(&mut stream, &mut answer).await.unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
        open.push(stream);
        if number == 0 {
            before = resident(id);
        }
    }
    let each = resident(id).saturating_sub(before) / CONNECTIONS;
    println!("{each} KB per idle intercepted connection");
    child.kill().await.unwrap();
    assert!(each <= KILOBYTES, "{each} KB per idle connection");
}

/// Serves until it is killed; does nothing in an ordinary run.
#[tokio::test]
async fn the_process_that_is_measured() {
    if std::env::var_os(ROLE).is_none() {
        return;
    }
    let world = World::new().await;
    println!("\nproxy {}\nroot {}", world.proxy, hex(&world.writ_root));
    std::future::pending::<()>().await;
}

/// Kilobytes of a process that are its own, from the kernel's account; 0 where there is none.
fn resident(id: u32) -> u64 {
    let account = std::fs::read_to_string(format!("/proc/{id}/smaps_rollup")).unwrap_or_default();
    let line = account.lines().find(|line| line.starts_with("Pss:"));
    line.and_then(|line| line.split_whitespace().nth(1)).and_then(|number| number.parse().ok()).unwrap_or(0)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}
