//! Simulated AI services over real TLS: OpenAI, Anthropic and Gemini wire formats on one loopback address.
//!
//! The service is chosen by host **and** path: the providers' own host names (`api.openai.com`,
//! `api.anthropic.com`, `generativelanguage.googleapis.com`) select their provider; any other name that was asked for,
//! `localhost` and `127.0.0.1` included, selects by path. Server name and `Host` must agree, otherwise the answer is
//! 421 (RFC 9110 section 15.5.20).
//!
//! What a service answers is decided by directives in the last user text, see [`directive`]; without one it gives a
//! short conversational answer that repeats the placeholders and identifiers of the prompt. The services check what
//! the real ones check and a gateway could get wrong: credentials, missing members, tool calls and results that do
//! not belong together, and reasoning signatures or encrypted reasoning that came back changed.

pub mod directive;
pub mod encoding;
pub mod journal;
pub mod tls;

mod answer;
mod anthropic;
mod call;
mod gemini;
mod openai;
mod openai_chat;
mod openai_responses;
mod prompt;
#[cfg(test)]
mod properties;
mod reply;

use std::convert::Infallible;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use call::{Call, Provider};
use encoding::{DecodeError, decode};
use journal::Arrival;
pub use journal::{Journal, JournalEntry, JournalMode};
use reply::{Reply, ReplyBody};
pub use tls::SimCa;

/// Most bytes of one request body on the wire; above it the answer is 413.
pub const BODY_BYTES_MAX: usize = 64 << 20;
/// Most connections at the same time; more wait to be accepted.
pub const CONNECTIONS_MAX: usize = 4096;

const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
const STOP_TIMEOUT: Duration = Duration::from_secs(2);

/// How the simulated services run.
#[derive(Debug)]
pub struct ServicesOptions {
    /// The loopback address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Answers are a function of this and of the request.
    pub seed: u64,
    /// The keys that clients have to show.
    pub keys: ProviderKeys,
    /// Names besides the three services, `localhost` and loopback addresses for which there is a certificate.
    pub names: Vec<String>,
    /// What the journal keeps.
    pub journal: JournalMode,
    /// Where the journal is also written, one JSON object a line.
    pub journal_file: Option<PathBuf>,
    /// The authority that issues the certificates; a fresh one where there is none.
    pub ca: Option<SimCa>,
}

impl Default for ServicesOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            seed: 1,
            keys: ProviderKeys::default(),
            names: Vec::new(),
            journal: JournalMode::default(),
            journal_file: None,
            ca: None,
        }
    }
}

/// The credential that each provider expects.
#[derive(Clone)]
pub struct ProviderKeys {
    /// In `Authorization: Bearer`.
    pub openai: String,
    /// In `x-api-key` or `Authorization: Bearer`.
    pub anthropic: String,
    /// In `x-goog-api-key` or the query parameter `key`.
    pub gemini: String,
}

impl Default for ProviderKeys {
    fn default() -> Self {
        Self {
            openai: "sim-openai-key".to_owned(),
            anthropic: "sim-anthropic-key".to_owned(),
            gemini: "sim-gemini-key".to_owned(),
        }
    }
}

impl fmt::Debug for ProviderKeys {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("ProviderKeys").finish_non_exhaustive()
    }
}

/// Services that run until they are stopped or dropped.
#[derive(Debug)]
pub struct RunningServices {
    /// Where they listen.
    pub addr: SocketAddr,
    /// The certificate that clients have to trust, in PEM.
    pub ca_pem: String,
    /// What reached them.
    pub journal: Journal,
    stop: oneshot::Sender<()>,
    accepting: JoinHandle<()>,
}

impl RunningServices {
    /// Stops accepting, lets running answers end for up to two seconds, then cuts them.
    pub async fn stop(self) {
        let _ = self.stop.send(());
        // The task ends by itself; an error here means that the runtime is going down.
        let _ = self.accepting.await;
    }
}

/// Starts the services on `options.listen`.
///
/// # Errors
/// When certificates cannot be made, the journal file cannot be created, or the address cannot be bound.
pub async fn start(options: ServicesOptions) -> io::Result<RunningServices> {
    let ca = match options.ca {
        Some(ca) => ca,
        None => SimCa::generate()?,
    };
    let acceptor = TlsAcceptor::from(Arc::new(ca.server_config(&options.names)?));
    let journal = Journal::open(options.journal, options.journal_file.as_deref())?;
    let listener = TcpListener::bind(options.listen).await?;
    let addr = listener.local_addr()?;
    let services = Arc::new(Services { seed: options.seed, keys: options.keys, journal: journal.clone() });
    let (stop, stopped) = oneshot::channel();
    let accepting = tokio::spawn(accept(listener, acceptor, services, stopped));
    Ok(RunningServices { addr, ca_pem: ca.pem(), journal, stop, accepting })
}

struct Services {
    seed: u64,
    keys: ProviderKeys,
    journal: Journal,
}

async fn accept(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    services: Arc<Services>,
    mut stopped: oneshot::Receiver<()>,
) {
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let accepted = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, listener.accept().await)
        };
        tokio::select! {
            _ = &mut stopped => break,
            Some(_) = connections.join_next() => {}
            (place, accepted) = accepted => {
                if let (Ok(place), Ok((stream, _))) = (place, accepted) {
                    let (acceptor, services) = (acceptor.clone(), Arc::clone(&services));
                    connections.spawn(connection(stream, acceptor, services, graceful.watcher(), place));
                }
            }
        }
    }
    drop(listener);
    // What has not ended by then is cut when `connections` is dropped.
    let _ = tokio::time::timeout(STOP_TIMEOUT, graceful.shutdown()).await;
}

async fn connection(
    stream: TcpStream,
    acceptor: TlsAcceptor,
    services: Arc<Services>,
    watcher: Watcher,
    _place: OwnedSemaphorePermit,
) {
    // Small events must not wait for each other; where the option fails they are only slower.
    let _ = stream.set_nodelay(true);
    let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE_TIMEOUT, acceptor.accept(stream)).await else {
        tracing::debug!("handshake failed");
        return;
    };
    let server_name: Option<Arc<str>> = stream.get_ref().1.server_name().map(Arc::from);
    let service = service_fn(move |request| {
        let (services, server_name) = (Arc::clone(&services), server_name.clone());
        async move { Ok::<_, Infallible>(services.answer(server_name.as_deref(), request).await) }
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new());
    builder.http2().timer(TokioTimer::new());
    let serving = builder.serve_connection(TokioIo::new(stream), service).into_owned();
    if let Err(error) = watcher.watch(serving).await {
        tracing::debug!(%error, "connection ended early");
    }
}

impl Services {
    async fn answer(&self, server_name: Option<&str>, request: Request<Incoming>) -> Response<ReplyBody> {
        let (head, body) = request.into_parts();
        let host = host_of(&head.uri, &head.headers);
        let received = Received::of(body).await;
        let coding = head.headers.get(header::CONTENT_ENCODING).and_then(|value| value.to_str().ok());
        let decoded = decode(coding.unwrap_or_default(), &received.bytes).map(Bytes::from);
        let body = decoded.as_ref().cloned().unwrap_or_else(|_| received.bytes.clone());
        let arrival = Arrival {
            server_name,
            host: &host,
            method: &head.method,
            path: head.uri.path_and_query().map_or("/", |path| path.as_str()),
            headers: &head.headers,
            trailers: &received.trailers,
            body_raw: received.bytes.clone(),
            body: body.clone(),
            readable: !received.too_large && decoded.is_ok(),
        };
        let kept = self.journal.record(arrival);
        let call = Call {
            host: &host,
            method: &head.method,
            path: head.uri.path(),
            query: head.uri.query().unwrap_or_default(),
            headers: &head.headers,
            body: &body,
            seed: self.seed,
            keys: &self.keys,
        };
        let refusal =
            refusal(kept, !received.too_large, decoded.as_ref().err(), server_name.is_none_or(|name| name == host));
        let provider = Provider::of(&call);
        let reply: Reply = match refusal {
            Some((status, message)) => provider.error(&call, status, message),
            None => provider.answer(&call),
        };
        reply.into_response()
    }
}

/// What came of a request body.
#[derive(Default)]
struct Received {
    bytes: Bytes,
    trailers: HeaderMap,
    /// More than [`BODY_BYTES_MAX`]: what follows was not read.
    too_large: bool,
}

impl Received {
    /// Reads a body to its end, or as far as it came.
    async fn of(mut body: Incoming) -> Self {
        let (mut received, mut bytes) = (Self::default(), BytesMut::new());
        while let Some(Ok(frame)) = body.frame().await {
            match frame.into_data() {
                Ok(data) if bytes.len() + data.len() > BODY_BYTES_MAX => {
                    received.too_large = true;
                    break;
                }
                Ok(data) => bytes.extend_from_slice(&data),
                Err(frame) => received.trailers.extend(frame.into_trailers().unwrap_or_default()),
            }
        }
        received.bytes = bytes.freeze();
        received
    }
}

/// What is wrong with a request before its provider looks at it.
fn refusal(kept: bool, whole: bool, decoded: Option<&DecodeError>, named: bool) -> Option<(StatusCode, &'static str)> {
    match (kept, whole, decoded, named) {
        (false, ..) => Some((StatusCode::SERVICE_UNAVAILABLE, "The journal of the simulated service is full")),
        (_, false, ..) | (_, _, Some(DecodeError::TooLarge), _) => {
            Some((StatusCode::PAYLOAD_TOO_LARGE, "Request exceeds the maximum size"))
        }
        (_, _, Some(DecodeError::UnknownCoding), _) => {
            Some((StatusCode::UNSUPPORTED_MEDIA_TYPE, "Unsupported content encoding"))
        }
        (_, _, Some(DecodeError::Malformed), _) => Some((StatusCode::BAD_REQUEST, "Malformed content encoding")),
        (.., false) => Some((StatusCode::MISDIRECTED_REQUEST, "The host is not the name of this connection")),
        _ => None,
    }
}

/// The host that a request names, in lower case and without port.
fn host_of(uri: &http::Uri, headers: &HeaderMap) -> String {
    let header = || headers.get(header::HOST).and_then(|value| value.to_str().ok());
    let authority = uri.authority().map(http::uri::Authority::as_str).or_else(header).unwrap_or_default();
    let without_port = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => host,
        _ => authority,
    };
    without_port.to_ascii_lowercase()
}
