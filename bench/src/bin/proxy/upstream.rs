//! The AI service behind all legs: TLS on loopback with a certificate of its own for each host, HTTP/2 and HTTP/1.1.
//!
//! A request says how many events it wants by its model, `bench-400`; 0 is a plain JSON answer. Each event tells by its id
//! when it was sent. The listener also takes CONNECT before TLS, as a parent proxy does: the names of real services lead
//! here that way, without a change to what resolves names.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, header};
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, Sleep};
use tokio_rustls::TlsAcceptor;
use writ_bench::time::since_start;
use writ_sim::services::SimCa;

/// The host of all loads but those of new hosts.
pub(crate) const HOST: &str = "api.openai.com";
/// Hosts that are connected to once.
const NEW_HOSTS: u64 = 1200;
/// The domain in which they lie.
pub(crate) const DOMAIN: &str = "bench.example";
/// Between two events.
pub(crate) const GAP: Duration = Duration::from_millis(10);
/// Length of what is downloaded.
pub(crate) const DOWNLOAD: usize = 50_000_000;
/// As much of a body is kept to see what it asks for.
const KEPT: usize = 1 << 20;
const PIECE: usize = 62_500;

/// The name of a new host.
pub(crate) fn new_host(number: u64) -> String {
    format!("h{}.{DOMAIN}", number % NEW_HOSTS)
}

/// All host names.
pub(crate) fn hosts() -> Vec<String> {
    std::iter::once(HOST.to_owned()).chain((0..NEW_HOSTS).map(new_host)).collect()
}

/// What reached the service.
#[derive(Debug, Default)]
pub(crate) struct Arrived {
    /// Requests.
    pub(crate) requests: AtomicU64,
    /// Bytes of their bodies.
    pub(crate) bytes: AtomicU64,
}

/// A service that runs until the program ends.
pub(crate) struct Upstream {
    /// Its port on loopback.
    pub(crate) port: u16,
    /// The authority that its certificates are from.
    pub(crate) ca: SimCa,
    /// What reached it.
    pub(crate) arrived: Arc<Arrived>,
}

/// Starts the service.
pub(crate) async fn start() -> anyhow::Result<Upstream> {
    let ca = SimCa::generate()?;
    let acceptor = TlsAcceptor::from(Arc::new(ca.server_config(&hosts())?));
    let listener = TcpListener::bind("127.0.0.1:0").await.context("the upstream cannot listen on loopback")?;
    let port = listener.local_addr()?.port();
    let arrived = Arc::new(Arrived::default());
    let service = Arc::new(Service { arrived: Arc::clone(&arrived), piece: Bytes::from(vec![b'x'; PIECE]) });
    tokio::spawn(async move {
        loop {
            if let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(connection(stream, acceptor.clone(), Arc::clone(&service)));
            }
        }
    });
    Ok(Upstream { port, ca, arrived })
}

async fn connection(mut stream: TcpStream, acceptor: TlsAcceptor, service: Arc<Service>) {
    // Where the option fails answers are only slower, and the direct leg shows it.
    let _ = stream.set_nodelay(true);
    if connect(&mut stream).await.is_none() {
        return;
    }
    let Ok(stream) = acceptor.accept(stream).await else { return };
    let service = service_fn(move |request| {
        let service = Arc::clone(&service);
        async move { Ok::<_, Infallible>(service.answer(request).await) }
    });
    // A connection that ends early is seen by who opened it.
    let _ = Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
}

/// Answers CONNECT, if the connection begins with it.
async fn connect(stream: &mut TcpStream) -> Option<()> {
    let mut first = [0];
    if stream.peek(&mut first).await.ok()? == 0 || first != *b"C" {
        return Some(());
    }
    // Who sends it waits for the answer, so that nothing follows the head.
    let mut head = Vec::with_capacity(256);
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut head).await.ok()? == 0 {
            return None;
        }
    }
    stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.ok()
}

struct Service {
    arrived: Arc<Arrived>,
    piece: Bytes,
}

impl Service {
    async fn answer(&self, request: Request<Incoming>) -> Response<Answer> {
        let download = request.method() == Method::GET;
        let body = self.read(request.into_body()).await;
        let wanted = events(&body);
        let answer = if download {
            Answer::Bulk { piece: self.piece.clone(), left: DOWNLOAD / PIECE }
        } else if wanted > 0 {
            Answer::Events { next: 0, events: wanted, pause: None }
        } else {
            Answer::Document(Some(Bytes::from_static(DOCUMENT.as_bytes())))
        };
        let kind = answer.kind();
        let mut response = Response::new(answer);
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        response.headers_mut().insert("x-request-id", HeaderValue::from_static("req_bench"));
        response
    }

    /// Reads a body; its beginning.
    async fn read(&self, mut body: Incoming) -> Vec<u8> {
        let mut kept = Vec::new();
        while let Some(Ok(frame)) = body.frame().await {
            let Ok(data) = frame.into_data() else { continue };
            self.arrived.bytes.fetch_add(u64::try_from(data.len()).unwrap_or(0), Ordering::Relaxed);
            if kept.len() < KEPT {
                kept.extend_from_slice(&data);
            }
        }
        self.arrived.requests.fetch_add(1, Ordering::Relaxed);
        kept
    }
}

/// The number behind `"bench-` in a request.
fn events(body: &[u8]) -> usize {
    const MARK: &[u8] = b"\"bench-";
    let after = memchr::memmem::find(body, MARK).and_then(|at| body.get(at + MARK.len()..)).unwrap_or_default();
    let digits = after.iter().take_while(|byte| byte.is_ascii_digit());
    digits.fold(0, |number, digit| number * 10 + usize::from(digit - b'0'))
}

const DOCUMENT: &str = r#"{"id":"chatcmpl-bench","object":"chat.completion","created":1790000000,"model":"bench-0","choices":[{"index":0,"message":{"role":"assistant","content":"Hello from the upstream. This is a short answer of the usual kind."},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":20,"completion_tokens":14,"total_tokens":34}}"#;

/// A body.
enum Answer {
    /// A JSON document.
    Document(Option<Bytes>),
    /// Events with a pause between them, then the end marker.
    Events { next: usize, events: usize, pause: Option<Pin<Box<Sleep>>> },
    /// So many pieces without meaning.
    Bulk { piece: Bytes, left: usize },
}

impl Answer {
    const fn kind(&self) -> &'static str {
        match self {
            Self::Document(_) => "application/json",
            Self::Events { .. } => "text/event-stream",
            Self::Bulk { .. } => "application/octet-stream",
        }
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = match &mut *self {
            Self::Document(document) => document.take(),
            Self::Bulk { left: 0, .. } => None,
            Self::Bulk { piece, left } => {
                *left -= 1;
                Some(piece.clone())
            }
            Self::Events { next, events, .. } if *next > *events => None,
            Self::Events { next, events, pause } => {
                if let Some(pause) = pause {
                    ready!(pause.as_mut().poll(context));
                }
                let due = pause.as_ref().map_or_else(Instant::now, |pause| pause.deadline());
                *pause = Some(Box::pin(tokio::time::sleep_until(due + GAP)));
                let piece = event(*next, *events);
                *next += 1;
                Some(piece)
            }
        };
        Poll::Ready(piece.map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Document(document) => document.is_none(),
            Self::Bulk { left, .. } => *left == 0,
            Self::Events { next, events, .. } => next > events,
        }
    }

    fn size_hint(&self) -> SizeHint {
        let exact = |bytes: usize| SizeHint::with_exact(u64::try_from(bytes).unwrap_or(0));
        match self {
            Self::Document(document) => exact(document.as_ref().map_or(0, Bytes::len)),
            Self::Bulk { piece, left } => exact(piece.len() * left),
            Self::Events { .. } => SizeHint::default(),
        }
    }
}

/// An event, or the end marker behind the last one.
fn event(number: usize, events: usize) -> Bytes {
    let (delta, finish) = match number {
        0 => ("{\"role\":\"assistant\",\"content\":\"\"}", "null"),
        _ if number == events => return Bytes::from_static(b"data: [DONE]\n\n"),
        _ if number + 1 == events => ("{}", "\"stop\""),
        _ => ("{\"content\":\"word \"}", "null"),
    };
    let sent = since_start().as_micros();
    Bytes::from(format!(
        "data: {{\"id\":\"chatcmpl-{sent}\",\"object\":\"chat.completion.chunk\",\"created\":1790000000,\
         \"model\":\"bench-{events}\",\"choices\":[{{\"index\":0,\"delta\":{delta},\"logprobs\":null,\
         \"finish_reason\":{finish}}}]}}\n\n"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_says_how_many_events_it_wants() {
        assert_eq!(events(br#"{"messages":[],"model":"bench-400"}"#), 400);
        assert_eq!(events(br#"{"model":"bench-0"}"#), 0);
        assert_eq!(events(b"{}"), 0);
    }

    #[test]
    fn answers_end_with_their_marker_and_say_their_length() {
        assert!(event(3, 3).ends_with(b"[DONE]\n\n"));
        assert!(memchr::memmem::find(&event(2, 3), b"\"stop\"").is_some());
        let bulk = Answer::Bulk { piece: Bytes::from(vec![0; PIECE]), left: DOWNLOAD / PIECE };
        assert_eq!(bulk.size_hint().exact(), Some(DOWNLOAD as u64));
    }

    #[test]
    fn every_host_is_there_once() {
        let mut all = hosts();
        let count = all.len();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), count);
        assert!(all.contains(&new_host(NEW_HOSTS + 5)));
    }
}
