//! A browser's few words of HTTP/1.1.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use writ_base::Moment;
use writ_identity::Role;
use writ_model::{Account, Channel, Who};

use crate::world::{Asked, PASSWORD, Person, Shifted, World};

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str())
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {} {}", self.status, self.body))
    }
}

pub async fn send(address: SocketAddr, head: &str, body: &str) -> Answer {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("{head}content-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    // What is pushed has no end: of that the head is enough.
    while stream.read_buf(&mut bytes).await.unwrap() > 0 && !pushed(&bytes) {}
    let text = String::from_utf8(bytes).unwrap();
    let (head, rest) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|word| word.parse().ok()).unwrap_or(0);
    let headers: Vec<(String, String)> =
        lines.filter_map(|line| line.split_once(": ")).map(|(a, b)| (a.to_lowercase(), b.to_owned())).collect();
    let chunked = headers.iter().any(|(name, value)| name == "transfer-encoding" && value == "chunked");
    let body = if chunked { unchunk(rest) } else { rest.to_owned() };
    Answer { status, headers, body }
}

fn pushed(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    text.split_once("\r\n\r\n").is_some_and(|(head, _)| head.contains("text/event-stream"))
}

fn unchunk(mut rest: &str) -> String {
    let mut body = String::new();
    while let Some((size, after)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap_or(0);
        if size == 0 {
            break;
        }
        body.push_str(&after[..size]);
        rest = &after[size + 2..];
    }
    body
}

/// Somebody with cookies.
#[derive(Clone)]
pub struct Browser {
    pub address: SocketAddr,
    pub host: String,
    pub cookies: BTreeMap<String, String>,
    pub extra: Vec<(String, String)>,
    pub csrf: String,
}

impl Browser {
    pub fn new(world: &World) -> Self {
        Self {
            address: world.address,
            host: world.host.clone(),
            cookies: BTreeMap::new(),
            extra: Vec::new(),
            csrf: String::new(),
        }
    }

    /// Signed in with the role's login.
    pub async fn signed_in(world: &World, login: &str) -> Self {
        let mut browser = Self::new(world);
        let answer = browser.login(login, PASSWORD).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        browser.csrf = browser.get("/api/v1/session").await.json()["csrf"].as_str().unwrap().to_owned();
        browser
    }

    pub async fn login(&mut self, login: &str, password: &str) -> Answer {
        self.get("/login").await;
        let csrf = self.cookies.get("writ-form").cloned().unwrap_or_default();
        self.post_raw("/login", &form(&[("csrf", &csrf), ("login", login), ("password", password)])).await
    }

    fn head(&self, method: &str, path: &str, kind: &str) -> String {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\n", self.host);
        if !cookies.is_empty() {
            head.push_str(&format!("cookie: {}\r\n", cookies.join("; ")));
        }
        if method == "POST" {
            head.push_str(&format!("content-type: {kind}\r\n"));
        }
        for (name, value) in &self.extra {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head
    }

    async fn take(&mut self, head: &str, body: &str) -> Answer {
        let answer = send(self.address, head, body).await;
        for (_, cookie) in answer.headers.iter().filter(|(name, _)| name == "set-cookie") {
            let pair = cookie.split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        answer
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        self.take(&self.head("GET", path, ""), "").await
    }

    pub async fn post_raw(&mut self, path: &str, body: &str) -> Answer {
        self.take(&self.head("POST", path, "application/x-www-form-urlencoded"), body).await
    }

    /// A form with the session's token.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let csrf = self.csrf.clone();
        let all: Vec<(&str, &str)> = [("csrf", csrf.as_str())].into_iter().chain(fields.iter().copied()).collect();
        self.post_raw(path, &form(&all)).await
    }

    pub async fn post_json(&mut self, path: &str, body: &serde_json::Value) -> Answer {
        let head = format!("{}x-writ-csrf: {}\r\n", self.head("POST", path, "application/json"), self.csrf);
        self.take(&head, &body.to_string()).await
    }
}

pub fn form(fields: &[(&str, &str)]) -> String {
    let encode = |text: &str| {
        text.bytes()
            .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
            .collect::<String>()
    };
    fields.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect::<Vec<_>>().join("&")
}

/// A world at noon of a day, with two people, a stop of the first one, and an account for each role.
pub struct Office {
    pub world: World,
    pub ana: Person,
    pub bo: Person,
    pub stop: Asked,
}

pub const CHATGPT: (&str, &str, Account) = ("chatgpt", "enterprise", Account::Corporate);
pub const PATIENT: &str = "Summarise: John Smith, MRN 4451299, admitted 3 May with type 2 diabetes.";

pub async fn office() -> Office {
    let clock = Arc::new(Shifted::standing(Moment::parse("2026-11-22T12:00Z").unwrap()));
    let world = World::new(clock, 0).await;
    let (ana, bo) = (world.person("ana", Who::Employee).await, world.person("bo", Who::Employee).await);
    world.account(&ana, &[Role::Employee]).await;
    world.account(&bo, &[Role::Employee]).await;
    for role in Role::ALL.iter().filter(|role| **role != Role::Employee) {
        let person = world.person(role.as_str(), Who::Employee).await;
        world.account(&person, &[*role]).await;
    }
    world.ask(&ana, CHATGPT, Channel::Browser, "Please polish this e-mail about the team lunch.").await;
    let stop = world.ask(&ana, CHATGPT, Channel::Browser, PATIENT).await;
    world.clock.advance(Duration::from_secs(60));
    world.ask(&bo, CHATGPT, Channel::Browser, "What is a good agenda?").await;
    world.catch_up().await;
    assert!(stop.reference.is_some(), "the prompt is stopped");
    Office { world, ana, bo, stop }
}
