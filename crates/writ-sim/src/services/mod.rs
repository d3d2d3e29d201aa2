//! Simulated AI services over real TLS: OpenAI, Anthropic and Gemini wire formats on one loopback address.
//!
//! The service is chosen by host **and** path: the providers' own host names (`api.openai.com`,
//! `api.anthropic.com`, `generativelanguage.googleapis.com`) select their provider; any other name that was asked for,
//! `localhost` and `127.0.0.1` included, selects by path. Server name and `Host` must agree, otherwise the answer is
//! 421 (RFC 9110 section 15.5.20). Further hosts are [`Site`]s, each with its own certificate: chat services, a
//! sign-in host, sites that have nothing to do with AI, and hosts whose certificate does not hold.
//!
//! What a service answers is decided by directives in the last user text, see [`directive`]; without one it gives a
//! short conversational answer that repeats the placeholders and identifiers of the prompt. The services check what
//! the real ones check and a gateway could get wrong: credentials, missing members, tool calls and results that do
//! not belong together, and reasoning signatures or encrypted reasoning that came back changed.

pub mod directive;
pub mod encoding;
pub mod journal;
pub mod sites;
pub mod socket;
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
mod switch;

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use rustls::pki_types::CertificateDer;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use call::{Call, Provider};
use directive::Fault;
use encoding::{DecodeError, decode};
use journal::Arrival;
pub use journal::{Journal, JournalEntry, JournalMode};
use reply::{Reply, ReplyBody};
pub use sites::{Site, SiteKind};
use socket::Socket;
use switch::Order;
pub use switch::{Pulled, UpstreamSwitch};
pub use tls::{SimCa, SiteCertificate};

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
    /// Hosts that are more than names of model APIs.
    pub sites: Vec<Site>,
    /// What the journal keeps.
    pub journal: JournalMode,
    /// Where the journal is also written, one JSON object a line.
    pub journal_file: Option<PathBuf>,
    /// The authority that issues the certificates; a fresh one where there is none.
    pub ca: Option<SimCa>,
    /// The second authority, which issues the certificates of sites that have nothing to do with AI; a fresh one where
    /// there is none.
    pub sites_ca: Option<SimCa>,
}

impl Default for ServicesOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            seed: 1,
            keys: ProviderKeys::default(),
            names: Vec::new(),
            sites: Vec::new(),
            journal: JournalMode::default(),
            journal_file: None,
            ca: None,
            sites_ca: None,
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
    /// The certificate of the second authority, in PEM.
    pub sites_ca_pem: String,
    /// What reached them.
    pub journal: Journal,
    /// Pulls them out and brings them back.
    pub switch: UpstreamSwitch,
    certificates: BTreeMap<String, CertificateDer<'static>>,
    stop: oneshot::Sender<()>,
    accepting: JoinHandle<()>,
}

impl RunningServices {
    /// The certificate that a host shows, in DER.
    pub fn certificate(&self, host: &str) -> Option<&CertificateDer<'static>> {
        self.certificates.get(host)
    }

    /// The SHA-256 fingerprint of the certificate that a host shows, as browsers print it: `AB:CD:…`.
    pub fn fingerprint(&self, host: &str) -> Option<String> {
        self.certificate(host).map(tls::fingerprint)
    }

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
    let sites_ca = match options.sites_ca {
        Some(ca) => ca,
        None => SimCa::named("Simulated Sites CA")?,
    };
    let mut leaves = ca.leaves(&options.names)?;
    for site in &options.sites {
        leaves.insert(&site.host, site.certificate.leaf(&site.host, &ca, &sites_ca)?);
    }
    let certificates = leaves.certificates();
    let sites = options.sites.into_iter().map(|site| {
        let fingerprint = certificates.get(&site.host).map(tls::fingerprint).unwrap_or_default();
        (site.host.clone(), (site, fingerprint))
    });
    let sites = sites.collect();
    let acceptor = TlsAcceptor::from(Arc::new(leaves.server_config()?));
    let journal = Journal::open(options.journal, options.journal_file.as_deref())?;
    let listener = TcpListener::bind(options.listen).await?;
    let addr = listener.local_addr()?;
    let (seed, keys) = (options.seed, options.keys);
    let services = Arc::new(Services { seed, keys, sites, journal: journal.clone(), cut: watch::Sender::default() });
    let (stop, stopped) = oneshot::channel();
    let (switch, orders) = UpstreamSwitch::new(addr);
    let gate = Gate { listener: Some(listener), cutting: false };
    let accepting = tokio::spawn(accept(gate, acceptor, services, orders, stopped));
    let (ca_pem, sites_ca_pem) = (ca.pem(), sites_ca.pem());
    Ok(RunningServices { addr, ca_pem, sites_ca_pem, journal, switch, certificates, stop, accepting })
}

struct Services {
    seed: u64,
    keys: ProviderKeys,
    /// By host, with the fingerprint of the certificate.
    sites: BTreeMap<String, (Site, String)>,
    journal: Journal,
    /// Changes when open sockets have to end.
    cut: watch::Sender<u64>,
}

/// Where connections come in.
struct Gate {
    /// None while connections are refused.
    listener: Option<TcpListener>,
    /// Whether connections are cut as soon as they are there.
    cutting: bool,
}

impl Gate {
    async fn next(&self) -> io::Result<TcpStream> {
        match &self.listener {
            Some(listener) => listener.accept().await.map(|(stream, _)| stream),
            None => std::future::pending().await,
        }
    }

    /// Carries an order out; the sender of the answer is used once connections are cut.
    fn obey(&mut self, order: Order) -> oneshot::Sender<()> {
        match order {
            Order::Pull(Pulled::Refused, done) => {
                self.listener = None;
                done
            }
            Order::Pull(Pulled::Cut, done) => {
                self.cutting = true;
                done
            }
            Order::Restore(listener, done) => {
                (self.listener, self.cutting) = (Some(listener), false);
                done
            }
        }
    }
}

async fn accept(
    mut gate: Gate,
    acceptor: TlsAcceptor,
    services: Arc<Services>,
    mut orders: mpsc::Receiver<Order>,
    mut stopped: oneshot::Receiver<()>,
) {
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let accepted = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, gate.next().await)
        };
        tokio::select! {
            _ = &mut stopped => break,
            Some(order) = orders.recv() => {
                let done = gate.obey(order);
                connections.shutdown().await;
                services.cut.send_modify(|cut| *cut += 1);
                // Whoever gave the order may be gone.
                let _ = done.send(());
            }
            Some(_) = connections.join_next() => {}
            (place, accepted) = accepted => {
                if let (Ok(place), Ok(stream)) = (place, accepted) && !gate.cutting {
                    let (acceptor, services) = (acceptor.clone(), Arc::clone(&services));
                    connections.spawn(connection(stream, acceptor, services, graceful.watcher(), place));
                }
            }
        }
    }
    drop(gate);
    services.cut.send_modify(|cut| *cut += 1);
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
        async move { services.answer(server_name.as_deref(), request).await }
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new());
    builder.http2().timer(TokioTimer::new());
    let serving = builder.serve_connection_with_upgrades(TokioIo::new(stream), service).into_owned();
    if let Err(error) = watcher.watch(serving).await {
        tracing::debug!(%error, "connection ended early");
    }
}

impl Services {
    /// The answer, or an error where the connection has to end without one.
    async fn answer(
        &self,
        server_name: Option<&str>,
        mut request: Request<Incoming>,
    ) -> io::Result<Response<ReplyBody>> {
        let host = host_of(request.uri(), request.headers());
        let socket = socket::accept(&request).filter(|_| server_name.is_none_or(|name| name == host));
        let upgrade = socket.is_some().then(|| hyper::upgrade::on(&mut request));
        let (head, body) = request.into_parts();
        let received = Received::of(body).await;
        let coding = head.headers.get(header::CONTENT_ENCODING).and_then(|value| value.to_str().ok());
        let decoded = decode(coding.unwrap_or_default(), &received.bytes).map(Bytes::from);
        let body = decoded.as_ref().cloned().unwrap_or_else(|_| received.bytes.clone());
        let arrival = Arrival {
            server_name,
            host: &host,
            version: head.version,
            method: &head.method,
            path: head.uri.path_and_query().map_or("/", |path| path.as_str()),
            headers: &head.headers,
            trailers: &received.trailers,
            body_raw: received.bytes.clone(),
            body: body.clone(),
            readable: !received.too_large && decoded.is_ok(),
        };
        let kept = self.journal.record(arrival);
        if let (Some(accept), Some(upgrade)) = (socket, upgrade) {
            return Ok(self.open_socket(&host, server_name, &accept, upgrade));
        }
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
        let reply: Reply = match (refusal, self.sites.get(&host)) {
            (Some((status, message)), _) => provider.error(&call, status, message),
            (None, Some((site, fingerprint))) => site.answer(&call, fingerprint),
            (None, None) => provider.answer(&call),
        };
        if reply.delivery.fault == Some(Fault::Reset) {
            return Err(io::Error::new(io::ErrorKind::ConnectionReset, "reset by directive"));
        }
        if reply.delivery.first_ms > 0 {
            tokio::time::sleep(Duration::from_millis(reply.delivery.first_ms)).await;
        }
        Ok(reply.into_response())
    }

    fn open_socket(
        &self,
        host: &str,
        server_name: Option<&str>,
        accept: &str,
        upgrade: OnUpgrade,
    ) -> Response<ReplyBody> {
        let (journal, cut) = (self.journal.clone(), self.cut.subscribe());
        let (host, server_name) = (host.to_owned(), server_name.map(str::to_owned));
        tokio::spawn(Socket { upgrade, host, server_name, journal, cut }.serve());
        let mut response = Response::new(ReplyBody::empty());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        if let Ok(value) = HeaderValue::from_str(accept) {
            headers.insert(header::SEC_WEBSOCKET_ACCEPT, value);
        }
        response
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
