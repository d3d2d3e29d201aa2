//! The AI service behind all legs: TLS on loopback, HTTP/2 and HTTP/1.1, prepared answers of a given number of events.
//!
//! A request says how many events it wants by its model, `bench-400`; 0 is a plain JSON answer. Each event is flushed by
//! itself, as a service does that sends a token when it has it.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use anyhow::Context as _;
use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use writ_bench::words::{Numbers, word};
use writ_sim::services::SimCa;

/// Events of the answers that are prepared.
pub(crate) const EVENTS: [usize; 3] = [0, 400, 2000];

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
    /// The authority that its certificate is from.
    pub(crate) ca: SimCa,
    /// What reached it.
    pub(crate) arrived: Arc<Arrived>,
}

/// Starts the service.
pub(crate) async fn start() -> anyhow::Result<Upstream> {
    let ca = SimCa::generate()?;
    let acceptor = TlsAcceptor::from(Arc::new(ca.server_config(&[])?));
    let listener = TcpListener::bind("127.0.0.1:0").await.context("the upstream cannot listen on loopback")?;
    let port = listener.local_addr()?.port();
    let arrived = Arc::new(Arrived::default());
    let service = Arc::new(Service { answers: EVENTS.map(answer), arrived: Arc::clone(&arrived) });
    tokio::spawn(async move {
        loop {
            if let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(connection(stream, acceptor.clone(), Arc::clone(&service)));
            }
        }
    });
    Ok(Upstream { port, ca, arrived })
}

async fn connection(stream: TcpStream, acceptor: TlsAcceptor, service: Arc<Service>) {
    // Where the option fails answers are only slower, and the direct leg shows it.
    let _ = stream.set_nodelay(true);
    let Ok(stream) = acceptor.accept(stream).await else { return };
    let service = service_fn(move |request| {
        let service = Arc::clone(&service);
        async move { Ok::<_, Infallible>(service.answer(request).await) }
    });
    // A connection that ends early is seen by who opened it.
    let _ = Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
}

struct Service {
    answers: [Arc<[Bytes]>; 3],
    arrived: Arc<Arrived>,
}

impl Service {
    async fn answer(&self, request: Request<Incoming>) -> Response<Pieces> {
        let body = request.into_body().collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        self.arrived.requests.fetch_add(1, Ordering::Relaxed);
        self.arrived.bytes.fetch_add(u64::try_from(body.len()).unwrap_or(0), Ordering::Relaxed);
        let wanted = events(&body);
        let place = EVENTS.iter().position(|events| *events == wanted).unwrap_or(0);
        let pieces = self.answers.get(place).cloned().unwrap_or_default();
        let mut response = Response::new(Pieces { pieces, next: 0, flush: false });
        let kind = if wanted == 0 { "application/json" } else { "text/event-stream" };
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        response.headers_mut().insert("x-request-id", HeaderValue::from_static("req_bench"));
        response
    }
}

/// The number behind `"bench-` in a request.
fn events(body: &[u8]) -> usize {
    const MARK: &[u8] = b"\"bench-";
    let after = memchr::memmem::find(body, MARK).and_then(|at| body.get(at + MARK.len()..)).unwrap_or_default();
    let digits = after.iter().take_while(|byte| byte.is_ascii_digit());
    digits.fold(0, |number, digit| number * 10 + usize::from(digit - b'0'))
}

/// A chat completion: a document, or a stream of so many events with the role first and the reason of the end last.
fn answer(events: usize) -> Arc<[Bytes]> {
    if events == 0 {
        return [Bytes::from_static(DOCUMENT.as_bytes())].into();
    }
    let mut numbers = Numbers::new(1);
    let event = |delta: &str, finish: &str| {
        Bytes::from(format!(
            "data: {{\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\",\"created\":1790000000,\
             \"model\":\"bench-{events}\",\"choices\":[{{\"index\":0,\"delta\":{delta},\"logprobs\":null,\
             \"finish_reason\":{finish}}}]}}\n\n"
        ))
    };
    let mut pieces = vec![event("{\"role\":\"assistant\",\"content\":\"\"}", "null")];
    while pieces.len() + 1 < events {
        pieces.push(event(&format!("{{\"content\":\"{} \"}}", word(&mut numbers)), "null"));
    }
    pieces.push(event("{}", "\"stop\""));
    pieces.push(Bytes::from_static(b"data: [DONE]\n\n"));
    pieces.into()
}

const DOCUMENT: &str = r#"{"id":"chatcmpl-bench","object":"chat.completion","created":1790000000,"model":"bench-0","choices":[{"index":0,"message":{"role":"assistant","content":"Hello from the upstream. This is a short answer of the usual kind."},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":20,"completion_tokens":14,"total_tokens":34}}"#;

/// A body of prepared pieces; between two of them it is not ready once, so that each is written by itself.
struct Pieces {
    pieces: Arc<[Bytes]>,
    next: usize,
    flush: bool,
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if std::mem::take(&mut self.flush) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let piece = self.pieces.get(self.next).cloned();
        self.next += 1;
        self.flush = self.next < self.pieces.len();
        Poll::Ready(piece.map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.next >= self.pieces.len()
    }

    fn size_hint(&self) -> SizeHint {
        match &*self.pieces {
            [document] if self.next == 0 => SizeHint::with_exact(u64::try_from(document.len()).unwrap_or(0)),
            _ => SizeHint::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_says_how_many_events_it_wants() {
        assert_eq!(events(br#"{"messages":[],"model":"bench-2000"}"#), 2000);
        assert_eq!(events(br#"{"model":"bench-0"}"#), 0);
        assert_eq!(events(b"{}"), 0);
        // The end marker is no event.
        assert_eq!(answer(400).len(), 401);
        assert_eq!(answer(0).len(), 1);
    }
}
