//! What is sent through a leg, and what is read off while it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use writ_bench::processes::{Peak, memory};
use writ_bench::time::now;
use writ_bench::traffic::Load;
use writ_bench::words::{Numbers, sentences};

use crate::client::{Connection, Message, Pieces, Received, Tls, Way, open};
use crate::upstream::{DOWNLOAD, HOST, new_host};

/// A load whose CPU time and times are measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timed {
    /// Prompts of 0.5 KB, one after the other on each of so many connections.
    Prompt(usize),
    /// Prompts of 0.5 KB over one connection with HTTP/2, so many at a time.
    Streams(usize),
    /// An agent's conversation of which nothing was seen before.
    AgentNew,
    /// The same conversation a turn later.
    AgentSeen,
    /// Chats answered by events.
    Chat,
    /// A connection, a prompt, and away: to a host that was connected to before.
    KnownHost,
    /// The same to a host that nobody has connected to.
    NewHost,
}

/// Connections that receive events at the same time, and that send agents' turns.
const CHATS: usize = 16;
const AGENTS: usize = 4;

impl Timed {
    /// What tables call it.
    pub(crate) fn name(self) -> String {
        match self {
            Self::Prompt(1) => "prompt, h1, 1 connection".into(),
            Self::Prompt(connections) => format!("prompt, h1, {connections} connections"),
            Self::Streams(streams) => format!("prompt, h2, 1 connection x {streams} streams"),
            Self::AgentNew => format!("agent, 300 KB new, h1, {AGENTS} connections"),
            Self::AgentSeen => format!("agent, 315 KB, 95 % seen, h1, {AGENTS} connections"),
            Self::Chat => format!("chat, {} events, h1, {CHATS} connections", Load::Chat.events()),
            Self::KnownHost => "handshake and prompt, known host".into(),
            Self::NewHost => "handshake and prompt, new host".into(),
        }
    }

    /// What its CPU time is divided by.
    pub(crate) const fn unit(self) -> &'static str {
        match self {
            Self::Chat => "event",
            Self::KnownHost | Self::NewHost => "connection",
            _ => "request",
        }
    }

    pub(crate) const fn http2(self) -> bool {
        matches!(self, Self::Streams(_))
    }

    /// How many at least and at most are sent for one figure.
    const fn bounds(self) -> (f64, f64) {
        match self {
            Self::Prompt(_) | Self::Streams(_) => (64.0, 60_000.0),
            Self::AgentNew | Self::AgentSeen => (12.0, 96.0),
            Self::Chat => (16.0, 16.0),
            Self::KnownHost | Self::NewHost => (100.0, 100.0),
        }
    }

    /// How many fit into so many seconds, if one prompt takes this long.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of requests, clamped")]
    pub(crate) fn count(self, seconds: f64, one: Duration) -> usize {
        let (least, most) = self.bounds();
        let one = match self {
            // About so much more than a prompt.
            Self::AgentNew | Self::AgentSeen => one.as_secs_f64().max(1e-4) * 40.0,
            _ => one.as_secs_f64(),
        };
        (seconds / one).clamp(least, most) as usize
    }

    fn bodies(self, numbers: &[u64]) -> Arc<[Bytes]> {
        let load = match self {
            Self::AgentNew => Load::AgentNew(0),
            Self::AgentSeen => Load::AgentSeen(0),
            Self::Chat => Load::Chat,
            _ => Load::Prompt,
        };
        numbers.iter().map(|number| load.body(*number)).collect()
    }
}

/// What came of a load.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Of each request, from its first byte to the answer's last; of each connection, from its beginning; of each
    /// event, how long it was under way.
    pub(crate) times: Vec<Duration>,
    /// Events that came in one piece with the one before.
    pub(crate) together: usize,
    /// Bytes of bodies, sent.
    pub(crate) sent: u64,
    /// Requests.
    pub(crate) requests: u64,
    /// From the first request to the end of the last answer.
    pub(crate) took: Duration,
}

impl Outcome {
    fn add(&mut self, other: Self) {
        self.times.extend(other.times);
        self.together += other.together;
    }
}

/// A load that is ready to be sent: bodies made, connections open.
pub(crate) struct Ready {
    timed: Timed,
    numbers: Vec<u64>,
    bodies: Arc<[Bytes]>,
    connections: Vec<Connection>,
}

/// Makes ready what is not to be measured.
pub(crate) async fn ready(tls: &Tls, way: &Way, timed: Timed, numbers: &[u64]) -> anyhow::Result<Ready> {
    let mut connections = Vec::new();
    let (count, streams) = match timed {
        Timed::Prompt(count) => (count, 1),
        Timed::Streams(streams) => (1, streams),
        Timed::AgentNew | Timed::AgentSeen => (AGENTS, 1),
        Timed::Chat => (CHATS, 1),
        Timed::KnownHost | Timed::NewHost => (0, 1),
    };
    for _ in 0..count {
        let connection = open(tls, way, HOST, timed.http2()).await?;
        connections.extend((1..streams).filter_map(|_| connection.stream()));
        connections.push(connection);
    }
    if matches!(timed, Timed::KnownHost) {
        first_answer(tls, way, HOST, Load::Prompt.body(0)).await?;
    }
    Ok(Ready { timed, numbers: numbers.to_vec(), bodies: timed.bodies(numbers), connections })
}

impl Ready {
    /// Sends it.
    pub(crate) async fn run(self, tls: &Tls, way: &Way) -> anyhow::Result<Outcome> {
        let sent = self.bodies.iter().map(|body| u64::try_from(body.len()).unwrap_or(0)).sum();
        let requests = u64::try_from(self.bodies.len())?;
        let begun = now();
        let outcome = match self.timed {
            Timed::KnownHost | Timed::NewHost => self.handshakes(tls, way).await?,
            _ => self.requests().await?,
        };
        Ok(Outcome { took: begun.elapsed(), sent, requests, ..outcome })
    }

    async fn requests(self) -> anyhow::Result<Outcome> {
        let next = Arc::new(AtomicUsize::new(0));
        let mut tasks = tokio::task::JoinSet::new();
        for mut connection in self.connections {
            let (bodies, next) = (Arc::clone(&self.bodies), Arc::clone(&next));
            let by_event = self.timed == Timed::Chat;
            tasks.spawn(async move {
                let mut outcome = Outcome::default();
                while let Some(body) = bodies.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let begun = now();
                    let received = connection.send(Message::chat(body.clone())).await?.success()?;
                    if by_event {
                        let events = received.events.delays.len();
                        // One that holds text back to look at it may send it in an event more.
                        anyhow::ensure!(events >= Load::Chat.events(), "{events} events arrived");
                        outcome.times.extend(received.events.delays);
                        outcome.together += received.events.together;
                    } else {
                        outcome.times.push(begun.elapsed());
                    }
                }
                anyhow::Ok(outcome)
            });
        }
        let mut all = Outcome::default();
        while let Some(outcome) = tasks.join_next().await {
            all.add(outcome??);
        }
        Ok(all)
    }

    async fn handshakes(self, tls: &Tls, way: &Way) -> anyhow::Result<Outcome> {
        let mut outcome = Outcome::default();
        for (number, body) in self.numbers.iter().zip(self.bodies.iter()) {
            let host = if self.timed == Timed::NewHost { new_host(*number) } else { HOST.to_owned() };
            let begun = now();
            first_answer(tls, way, &host, body.clone()).await.with_context(|| format!("host `{host}`"))?;
            outcome.times.push(begun.elapsed());
        }
        Ok(outcome)
    }
}

async fn first_answer(tls: &Tls, way: &Way, host: &str, body: Bytes) -> anyhow::Result<Received> {
    open(tls, way, host, false).await?.send(Message::chat(body)).await?.success()
}

/// Sends prompts over one connection; how long one took on average.
pub(crate) async fn warm(tls: &Tls, way: &Way, numbers: &[u64]) -> anyhow::Result<Duration> {
    let mut connection = open(tls, way, HOST, false).await?;
    let begun = now();
    for body in Timed::Prompt(1).bodies(numbers).iter() {
        connection.send(Message::chat(body.clone())).await?.success()?;
    }
    Ok(begun.elapsed() / u32::try_from(numbers.len())?.max(1))
}

/// A load whose memory is measured, on a proxy that was just started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    /// Connections over which one prompt was sent, and then nothing.
    Idle(usize),
    /// 50 MB of unknown kind.
    UploadBytes,
    /// A chat whose message is 50 MB long.
    UploadJson,
    /// 50 MB that come back.
    Download,
}

/// Length of what is uploaded, at most.
const UPLOAD: usize = 50_000_000;
const PIECE: usize = 62_500;
/// How long idle connections have been idle when memory is read.
const IDLE: Duration = Duration::from_secs(2);

/// What a load held.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kept {
    /// Memory before the load, in KiB.
    pub(crate) before: u64,
    /// Memory with idle connections, or the most there was on the way.
    pub(crate) most: u64,
    /// What it is divided by: connections, or MB.
    pub(crate) units: f64,
    pub(crate) took: Duration,
    /// What became of it: passed, or refused with a status.
    pub(crate) end: String,
}

impl Held {
    pub(crate) fn name(self) -> String {
        match self {
            Self::Idle(count) => format!("{count} idle connections"),
            Self::UploadBytes => "upload, 50 MB, application/octet-stream".into(),
            Self::UploadJson => "upload, 50 MB, JSON".into(),
            Self::Download => "download, 50 MB".into(),
        }
    }

    /// Runs it against a proxy with this process.
    pub(crate) async fn run(self, tls: &Tls, way: &Way, process: u32) -> anyhow::Result<Kept> {
        match self {
            Self::Idle(count) => idle(tls, way, process, count).await,
            Self::UploadBytes => {
                let piece =
                    Bytes::from((0..PIECE).map(|at| u8::try_from(at * 31 % 251).unwrap_or(0)).collect::<Vec<u8>>());
                let body = Pieces::new(std::iter::repeat_n(piece, UPLOAD / PIECE));
                transfer(
                    tls,
                    way,
                    process,
                    Message { path: "/v1/files", kind: "application/octet-stream", body: Some(body) },
                )
                .await
            }
            Self::UploadJson => {
                let text = sentences(&mut Numbers::new(7), PIECE);
                let piece = Bytes::from(text);
                let count = UPLOAD / piece.len();
                let head = Bytes::from_static(b"{\"messages\":[{\"content\":\"");
                let tail = Bytes::from_static(b"\",\"role\":\"user\"}],\"model\":\"bench-0\"}");
                let pieces = std::iter::once(head).chain(std::iter::repeat_n(piece, count)).chain([tail]);
                let body = Some(Pieces::new(pieces));
                transfer(tls, way, process, Message { path: "/v1/chat/completions", kind: "application/json", body })
                    .await
            }
            Self::Download => {
                transfer(tls, way, process, Message { path: "/v1/files/file-bench/content", kind: "", body: None })
                    .await
            }
        }
    }
}

async fn idle(tls: &Tls, way: &Way, process: u32, count: usize) -> anyhow::Result<Kept> {
    let before = memory(process);
    let mut held = Vec::new();
    let begun = now();
    for number in 0..count {
        let mut connection = open(tls, way, HOST, false).await.with_context(|| format!("connection {}", number + 1))?;
        let body = Load::Prompt.body(u64::try_from(number)?);
        connection.send(Message::chat(body)).await?.success()?;
        held.push(connection);
    }
    let took = begun.elapsed();
    tokio::time::sleep(IDLE).await;
    let most = memory(process);
    // A connection that was closed on the way would make the others look cheaper.
    if let Some(last) = held.first_mut() {
        last.send(Message::chat(Load::Prompt.body(u64::MAX))).await?.success()?;
    }
    #[expect(clippy::cast_precision_loss, reason = "a number of connections")]
    Ok(Kept { before, most, units: count as f64, took, end: "passed".into() })
}

async fn transfer(tls: &Tls, way: &Way, process: u32, message: Message) -> anyhow::Result<Kept> {
    let download = message.body.is_none();
    let mut connection = open(tls, way, HOST, false).await?;
    let before = memory(process);
    let peak = Peak::watch(process);
    let begun = now();
    let received = connection.send(message).await;
    let took = begun.elapsed();
    let most = peak.stop();
    let end = match received {
        Ok(received) if received.status.is_success() => {
            anyhow::ensure!(!download || received.bytes == DOWNLOAD, "{} bytes arrived", received.bytes);
            "passed".into()
        }
        Ok(received) => refused(&received),
        // A proxy that refuses need not read to the end.
        Err(_) if !download => "refused: connection closed".into(),
        Err(error) => return Err(error),
    };
    #[expect(clippy::cast_precision_loss, reason = "a number of bytes")]
    let units = UPLOAD as f64 / 1e6;
    Ok(Kept { before, most, units, took, end })
}

/// The status, and which clause said so where the answer tells.
fn refused(received: &Received) -> String {
    let text = String::from_utf8_lossy(&received.refusal);
    let clause = text.split_once("(clause ").and_then(|(_, rest)| rest.split_once(')'));
    let clause = clause.map_or_else(String::new, |(clause, _)| format!(", clause {clause}"));
    format!("refused: {}{clause}", received.status.as_u16())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_its_clause_where_it_can() {
        let refusal = |text: &str| {
            let status = http::StatusCode::FORBIDDEN;
            refused(&Received { status, refusal: text.as_bytes().to_vec(), ..Received::default() })
        };
        assert_eq!(
            refusal("writ: not sent (clause 4.9 What cannot be read). Do not retry."),
            "refused: 403, clause 4.9 What cannot be read"
        );
        assert_eq!(refusal("no"), "refused: 403");
    }

    #[test]
    fn slow_legs_send_less_and_fast_ones_not_without_end() {
        let count = |timed: Timed, micros| timed.count(4.0, Duration::from_micros(micros));
        assert_eq!(count(Timed::Prompt(1), 1_000), 4_000);
        assert_eq!(count(Timed::Prompt(1), 1), 60_000);
        assert_eq!(count(Timed::NewHost, 1), 100);
        assert_eq!(count(Timed::AgentNew, 30), 96);
    }

    #[test]
    fn a_turn_seen_is_the_turn_before_it_with_more() {
        let (new, seen) = (Timed::AgentNew.bodies(&[5]), Timed::AgentSeen.bodies(&[5]));
        assert!(new[0].len() < seen[0].len());
        assert_eq!(Timed::KnownHost.bodies(&[1, 2]).len(), 2);
    }
}
