//! The chat page: its relay through a small CONNECT proxy of the test, its guards, its pages and its script.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use writ_sim::chat::{self, CONVERSATION_BYTES_MAX, ChatOptions, ChatPerson, ChatService, RunningChat};
use writ_sim::services::{RunningServices, ServicesOptions, Site, SiteCertificate, SiteKind, start};

/// A proxy that opens every connection to one address, and keeps the heads of the CONNECT requests.
struct Proxy {
    addr: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
}

const OPENED: &str = "HTTP/1.1 200 Connection established\r\n\r\n";

async fn proxy(upstream: SocketAddr, answer: &'static str) -> Proxy {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (addr, heads) = (listener.local_addr().unwrap(), Arc::new(Mutex::new(Vec::new())));
    let kept = Arc::clone(&heads);
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let kept = Arc::clone(&kept);
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(client.read_u8().await.unwrap());
                }
                kept.lock().push(String::from_utf8(head).unwrap());
                client.write_all(answer.as_bytes()).await.unwrap();
                if answer == OPENED {
                    let mut upstream = TcpStream::connect(upstream).await.unwrap();
                    let _ = tokio::io::copy_bidirectional(&mut client, &mut upstream).await;
                }
            });
        }
    });
    Proxy { addr, heads }
}

fn service(id: &str, host: &str) -> ChatService {
    ChatService {
        id: id.to_owned(),
        name: "Chat <Test>".to_owned(),
        tagline: "for tests".to_owned(),
        host: host.to_owned(),
        path: "/v1/chat/completions".to_owned(),
        model: "sim-chat-1".to_owned(),
        colour: "#10a37f".to_owned(),
        headers: vec![("chatgpt-account-id".to_owned(), "org-1".to_owned())],
    }
}

fn people() -> Vec<ChatPerson> {
    let person = |login: &str, name: &str| ChatPerson {
        login: login.to_owned(),
        password: format!("pass-of-{login}"),
        name: name.to_owned(),
        role: String::new(),
    };
    vec![person("ann", "Ann"), person("bo", "Bo")]
}

struct World {
    services: RunningServices,
    proxy: Proxy,
    chat: RunningChat,
}

async fn world(answer: &'static str) -> World {
    let bad = |host: &str, certificate| Site::new(host, SiteKind::Plain, certificate);
    let sites = vec![
        Site::chat("chat.example", "Chat", "m", "#123456"),
        bad("expired.example", SiteCertificate::Expired),
        bad("wrong.example", SiteCertificate::WrongName),
        bad("self.example", SiteCertificate::SelfSigned),
        bad("elsewhere.example", SiteCertificate::Sites),
    ];
    let services = start(ServicesOptions { sites, ..ServicesOptions::default() }).await.unwrap();
    let proxy = proxy(services.addr, answer).await;
    let mut options = ChatOptions::new(proxy.addr, services.ca_pem.clone(), "Northwind");
    options.services = vec![
        service("chat", "chat.example"),
        service("expired", "expired.example"),
        service("wrong", "wrong.example"),
        service("self", "self.example"),
        service("elsewhere", "elsewhere.example"),
    ];
    options.people = people();
    let chat = chat::start(options).await.unwrap();
    World { services, proxy, chat }
}

struct Answer {
    status: u16,
    headers: BTreeMap<String, String>,
    body: String,
}

impl Answer {
    fn error(&self) -> String {
        let document: serde_json::Value = serde_json::from_str(&self.body).unwrap();
        document.pointer("/error/message").unwrap().as_str().unwrap().to_owned()
    }
}

/// One request on a connection of its own, written by hand so that nothing is added.
async fn ask(addr: SocketAddr, head: &str, body: &str) -> Answer {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    let head = format!("{head}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    let _ = stream.write_all(head.as_bytes()).await;
    let _ = stream.write_all(body.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers: BTreeMap<String, String> =
        lines.filter_map(|line| line.split_once(": ")).map(|(name, value)| (name.into(), value.into())).collect();
    let chunked = headers.contains_key("transfer-encoding");
    Answer { status, headers, body: if chunked { unchunked(body) } else { body.to_owned() } }
}

fn unchunked(mut body: &str) -> String {
    let mut whole = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap();
        whole.push_str(&rest[..size]);
        body = rest[size..].trim_start_matches("\r\n");
        if size == 0 {
            break;
        }
    }
    whole
}

fn prompt(text: &str) -> String {
    let body = serde_json::json!({"model": "m", "stream": true, "messages": [{"role": "user", "content": text}]});
    // Spaces that no serializer writes: the body has to arrive as it is.
    format!(" {body} ")
}

async fn relay(chat: &RunningChat, service: &str, more: &str, body: &str) -> Answer {
    let own = chat.addr;
    let head = format!(
        "POST /relay/{service} HTTP/1.1\r\nhost: {own}\r\norigin: http://{own}\r\ncontent-type: application/json{more}"
    );
    ask(own, &head, body).await
}

async fn get(chat: &RunningChat, path: &str) -> Answer {
    ask(chat.addr, &format!("GET {path} HTTP/1.1\r\nhost: {}", chat.addr), "").await
}

#[tokio::test]
async fn a_prompt_takes_the_way_of_the_persons_browser() {
    let World { services, proxy, chat } = world(OPENED).await;
    let body = prompt("sim:say **hello** there");
    let answer = relay(&chat, "chat", "\r\nx-chat-person: bo\r\naccept-language: de", &body).await;
    assert_eq!((answer.status, answer.headers["content-type"].as_str()), (200, "text/event-stream; charset=utf-8"));
    assert!(answer.body.ends_with("data: [DONE]\n\n"), "{}", answer.body);
    let connect = proxy.heads.lock()[0].to_lowercase();
    assert!(connect.starts_with("connect chat.example:443 http/1.1\r\n"), "{connect}");
    assert!(connect.contains("proxy-authorization: basic ym86cgfzcy1vzi1ibw==\r\n"), "{connect}");

    let arrived = services.journal.last().unwrap();
    assert_eq!(&arrived.body_raw[..], body.as_bytes());
    assert_eq!((arrived.host.as_str(), arrived.server_name.as_deref()), ("chat.example", Some("chat.example")));
    for (name, value) in [
        ("user-agent", chat::relay::USER_AGENT),
        ("sec-fetch-mode", "cors"),
        ("accept-language", "de,en;q=0.5"),
        ("origin", "https://chat.example"),
        ("referer", "https://chat.example/"),
        ("chatgpt-account-id", "org-1"),
        ("content-type", "application/json"),
    ] {
        assert_eq!(arrived.header(name), Some(value), "{name}");
    }
    for hidden in ["x-chat-person", "proxy-authorization"] {
        assert_eq!(arrived.header(hidden), None);
    }
    assert!(!services.journal.contains("pass-of-bo"));
    chat.stop().await;
    services.stop().await;
}

#[tokio::test]
async fn an_answer_is_passed_on_as_it_arrives() {
    let World { services, chat, .. } = world(OPENED).await;
    let mut stream = TcpStream::connect(chat.addr).await.unwrap();
    let (own, body) = (chat.addr, prompt("sim:slow=60000 sim:echo-split=1 abc"));
    let head = format!(
        "POST /relay/chat HTTP/1.1\r\nhost: {own}\r\norigin: http://{own}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    // The head is there although the first event comes a minute later.
    let mut head = [0; 15];
    tokio::time::timeout(Duration::from_secs(20), stream.read_exact(&mut head)).await.unwrap().unwrap();
    assert_eq!(&head, b"HTTP/1.1 200 OK");
    chat.stop().await;
    drop(services);
}

#[tokio::test]
async fn a_service_whose_certificate_does_not_hold_gets_nothing() {
    let World { services, chat, .. } = world(OPENED).await;
    for service in ["expired", "wrong", "self", "elsewhere"] {
        let answer = relay(&chat, service, "", &prompt("hello")).await;
        assert_eq!(answer.status, StatusCode::BAD_GATEWAY, "{service}");
        assert!(answer.error().contains("the connection to the service is not safe"), "{}", answer.body);
    }
    assert_eq!(services.journal.arrived(), 0);
}

#[tokio::test]
async fn a_proxy_that_does_not_open_the_connection_is_named() {
    let World { chat, .. } =
        world("HTTP/1.1 403 Forbidden\r\nwrit-reference: 7F3K-29\r\ncontent-length: 0\r\n\r\n").await;
    let answer = relay(&chat, "chat", "", &prompt("hello")).await;
    assert_eq!((answer.status, answer.headers["writ-reference"].as_str()), (502, "7F3K-29"));
    assert_eq!(answer.error(), "the proxy did not open the connection (status 403)");
    let World { chat, .. } = world("HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n").await;
    let answer = relay(&chat, "chat", "", &prompt("hello")).await;
    assert_eq!(answer.error(), "the proxy does not know this person (status 407)");
}

#[tokio::test]
async fn errors_of_the_service_come_through() {
    let World { services, chat, .. } = world(OPENED).await;
    let answer = relay(&chat, "chat", "", &prompt("sim:status=429")).await;
    assert_eq!(answer.status, 429);
    assert!(answer.error().contains("error by directive"), "{}", answer.body);
    services.stop().await;
}

#[tokio::test]
async fn only_its_own_pages_may_send() {
    let World { services, proxy, chat } = world(OPENED).await;
    let own = chat.addr;
    let body = prompt("hello");
    let json = "content-type: application/json";
    for (status, head) in [
        (403, format!("POST /relay/chat HTTP/1.1\r\nhost: {own}\r\n{json}")),
        (403, format!("POST /relay/chat HTTP/1.1\r\nhost: {own}\r\n{json}\r\norigin: http://evil.example")),
        (403, format!("POST /relay/chat HTTP/1.1\r\nhost: {own}\r\n{json}\r\norigin: null")),
        (403, format!("POST /relay/chat HTTP/1.1\r\nhost: {own}\r\n{json}\r\norigin: http://localhost:{}", own.port())),
        (
            403,
            format!(
                "POST /relay/chat HTTP/1.1\r\nhost: {own}\r\n{json}\r\norigin: http://{own}\r\nsec-fetch-site: cross-site"
            ),
        ),
        (421, format!("POST /relay/chat HTTP/1.1\r\nhost: evil.example\r\n{json}\r\norigin: http://evil.example")),
        (421, format!("GET / HTTP/1.1\r\nhost: evil.example:{}", own.port())),
        (421, format!("GET / HTTP/1.1\r\nhost: {own}\r\nhost: {own}")),
        (415, format!("POST /relay/chat HTTP/1.1\r\nhost: {own}\r\ncontent-type: text/plain\r\norigin: http://{own}")),
        (404, format!("POST /relay/none HTTP/1.1\r\nhost: {own}\r\n{json}\r\norigin: http://{own}")),
        (
            404,
            format!("POST /relay/chat HTTP/1.1\r\nhost: {own}\r\n{json}\r\norigin: http://{own}\r\nx-chat-person: eve"),
        ),
        (405, format!("OPTIONS /relay/chat HTTP/1.1\r\nhost: {own}\r\norigin: http://evil.example")),
    ] {
        let answer = ask(own, &head, &body).await;
        assert_eq!(answer.status, status, "{head}");
        assert!(answer.headers.keys().all(|name| !name.starts_with("access-control")), "{head}");
    }
    let answer = relay(&chat, "chat", "", &"x".repeat(CONVERSATION_BYTES_MAX + 1)).await;
    assert_eq!(answer.status, 413);
    assert_eq!((services.journal.arrived(), proxy.heads.lock().len()), (0, 0));
}

#[tokio::test]
async fn pages_are_strict_and_hold_no_password() {
    let World { chat, .. } = world(OPENED).await;
    for path in ["/", "/chat/chat", "/chat.css", "/chat.js", "/theme/chat.css", "/themes.css", "/chat/none"] {
        let answer = get(&chat, path).await;
        assert_eq!(answer.status, if path == "/chat/none" { 404 } else { 200 }, "{path}");
        let policy = &answer.headers["content-security-policy"];
        assert!(policy.starts_with("default-src 'none'; script-src 'self'") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
        assert!(!answer.body.contains("pass-of-"), "{path}");
    }
    let page = get(&chat, "/chat/chat").await.body;
    assert!(page.contains("Chat &lt;Test&gt;") && !page.contains("Chat <Test>"));
    assert!(page.contains("aria-live=\"polite\"") && page.contains("<label for=\"box\""));
    assert!(get(&chat, "/").await.body.contains("href=\"/chat/chat\""));
    assert!(get(&chat, "/theme/chat.css").await.body.contains("#10a37f"));
}

#[tokio::test]
async fn settings_that_cannot_work_are_refused() {
    let services = start(ServicesOptions::default()).await.unwrap();
    let good = || ChatOptions::new(services.addr, services.ca_pem.clone(), "Northwind");
    let with = |change: fn(&mut ChatService)| {
        let mut one = service("chat", "chat.example");
        change(&mut one);
        ChatOptions { services: vec![one], ..good() }
    };
    for (options, message) in [
        (ChatOptions { listen: "0.0.0.0:0".parse().unwrap(), ..good() }, "`0.0.0.0:0` is not a loopback address"),
        (ChatOptions { roots: String::new(), ..good() }, "no certificate among the roots"),
        (with(|one| one.id = "a b".into()), "`a b` is not the id of a chat service"),
        (with(|one| one.colour = "red".into()), "`red` is not the colour of a chat service"),
        (with(|one| one.host = "x.example:1".into()), "`x.example:1` is not the host of a chat service"),
        (with(|one| one.path = "v1".into()), "`v1` is not the path of a chat service"),
        (with(|one| one.headers = vec![("a b".into(), "c".into())]), "`a b` is not the header of a chat service"),
    ] {
        let error = chat::start(options).await.unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
}

fn node() -> Option<Command> {
    let there = Command::new("node").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    there.is_ok_and(|status| status.success()).then(|| Command::new("node"))
}

#[test]
fn the_script_parses_and_renders_texts_safely() {
    // Where no Node.js is installed, the browser journeys are what tests the script.
    let Some(mut check) = node() else { return };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/chat.js");
    assert!(check.arg("--check").arg(script).status().unwrap().success());
    let tests = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/chat_script.cjs");
    let output = node().unwrap().arg(tests).arg(script).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    assert_eq!(text(&output.stdout).trim(), "7 tests passed");
}
