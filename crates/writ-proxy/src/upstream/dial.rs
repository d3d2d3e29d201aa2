//! Dials a host: as given, through a parent proxy, or by DNS past the guard; then TLS for the name that was judged.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{CertificateError, ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use writ_base::Sensitive;
use writ_engine::{CertificateProblem, UpstreamFailure};

use super::guard::Guard;
use super::{Parent, UpstreamOptions, UpstreamSetup};
use crate::limits;

/// Reaches hosts.
pub(super) struct Dialer {
    resolve: BTreeMap<String, SocketAddr>,
    guard: Guard,
    parent: Option<Via>,
    tls: Tls,
}

/// A parent proxy.
struct Via {
    address: String,
    authorization: Option<Sensitive<String>>,
    /// Hosts whose certificates the parent's own authority issues.
    roots_for: Vec<String>,
    tls: Tls,
}

/// TLS towards services: with and without HTTP/2.
struct Tls {
    any: Arc<ClientConfig>,
    http1: Arc<ClientConfig>,
}

impl Tls {
    fn new(roots: RootCertStore) -> Result<Self, UpstreamSetup> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut any = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(UpstreamSetup)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let mut http1 = any.clone();
        any.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        http1.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { any: Arc::new(any), http1: Arc::new(http1) })
    }
}

impl Dialer {
    pub(super) fn new(options: UpstreamOptions) -> Result<Self, UpstreamSetup> {
        let UpstreamOptions {
            extra_roots,
            public_roots,
            resolve,
            refuse_private,
            allow_loopback,
            inside,
            own_listeners,
            parent,
        } = options;
        let mut roots = RootCertStore::empty();
        if public_roots {
            roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        for root in extra_roots {
            roots.add(root).map_err(UpstreamSetup)?;
        }
        let parent = parent.map(|parent| Via::new(parent, roots.clone())).transpose()?;
        let guard = Guard { refuse_private, allow_loopback, inside, own_listeners };
        Ok(Self { resolve, guard, parent, tls: Tls::new(roots)? })
    }

    /// A connection to a host, without TLS.
    pub(super) async fn tcp(&self, host: &str, port: u16) -> Result<TcpStream, UpstreamFailure> {
        let dialled = tokio::time::timeout(limits::CONNECT_TIMEOUT, self.dial(host, port)).await;
        let stream = dialled.unwrap_or(Err(UpstreamFailure::Timeout))?;
        let _without_delay = stream.set_nodelay(true);
        Ok(stream)
    }

    async fn dial(&self, host: &str, port: u16) -> Result<TcpStream, UpstreamFailure> {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if let Some(given) = self.resolve.get(host) {
            return TcpStream::connect(given).await.map_err(|_| UpstreamFailure::Unreachable);
        }
        if let Some(parent) = &self.parent {
            // The parent resolves names; an address or a name that always means this machine is judged here.
            let literal = host.parse::<IpAddr>().ok();
            let inside = literal.is_some_and(|ip| !self.guard.admits(host, SocketAddr::new(ip, port)));
            if inside || is_localhost(host) && !self.guard.admits_loopback(host) {
                return Err(UpstreamFailure::ForbiddenAddress);
            }
            return parent.connect(host, port).await;
        }
        let found = tokio::net::lookup_host((host, port)).await.map_err(|_| UpstreamFailure::Unreachable)?;
        let (allowed, forbidden): (Vec<_>, Vec<_>) = found.partition(|address| self.guard.admits(host, *address));
        if allowed.is_empty() && !forbidden.is_empty() {
            return Err(UpstreamFailure::ForbiddenAddress);
        }
        for address in allowed {
            if let Ok(stream) = TcpStream::connect(address).await {
                return Ok(stream);
            }
        }
        Err(UpstreamFailure::Unreachable)
    }

    /// A connection to a host under TLS, verified for its name.
    pub(super) async fn tls(&self, host: &str, port: u16, http2: bool) -> Result<Secured, UpstreamFailure> {
        let stream = self.tcp(host, port).await?;
        self.secure(host, stream, http2).await
    }

    /// TLS over a connection to a host, verified for its name.
    pub(super) async fn secure(&self, host: &str, stream: TcpStream, http2: bool) -> Result<Secured, UpstreamFailure> {
        let name = ServerName::try_from(host.to_owned()).map_err(|_| UpstreamFailure::Unreachable)?;
        let via = self.parent.as_ref().filter(|via| via.issues_for(host) && !self.resolve.contains_key(host));
        let tls = via.map_or(&self.tls, |via| &via.tls);
        let config = if http2 { &tls.any } else { &tls.http1 };
        let handshake = TlsConnector::from(Arc::clone(config)).connect(name, stream);
        match tokio::time::timeout(limits::CONNECT_TIMEOUT, handshake).await {
            Err(_elapsed) => Err(UpstreamFailure::Timeout),
            Ok(Err(error)) => Err(cause(&error)),
            Ok(Ok(stream)) => Ok(Secured(stream)),
        }
    }
}

fn is_localhost(host: &str) -> bool {
    is_under(host.trim_end_matches('.'), "localhost")
}

/// Whether a host is this domain or lies in it.
fn is_under(host: &str, domain: &str) -> bool {
    let (host, domain) = (host.to_ascii_lowercase(), domain.to_ascii_lowercase());
    host.strip_suffix(&domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// Why a handshake failed.
fn cause(error: &io::Error) -> UpstreamFailure {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let Some(rustls::Error::InvalidCertificate(problem)) = inner else { return UpstreamFailure::Unreachable };
    UpstreamFailure::Certificate(match problem {
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => CertificateProblem::Expired,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            CertificateProblem::WrongName
        }
        CertificateError::UnknownIssuer => CertificateProblem::UnknownIssuer,
        // A certificate authority's own certificate in the place of a server's: signed by itself.
        CertificateError::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => {
            CertificateProblem::UnknownIssuer
        }
        _ => CertificateProblem::Other,
    })
}

impl Via {
    fn new(parent: Parent, mut roots: RootCertStore) -> Result<Self, UpstreamSetup> {
        let Parent { address, authorization, roots_for, roots: own } = parent;
        for root in own {
            roots.add(root).map_err(UpstreamSetup)?;
        }
        Ok(Self { address, authorization, roots_for, tls: Tls::new(roots)? })
    }

    /// Whether the parent opens this host's connections with certificates of its own.
    fn issues_for(&self, host: &str) -> bool {
        self.roots_for.iter().any(|suffix| is_under(host, suffix.trim_start_matches('.')))
    }

    /// CONNECT (RFC 9110 section 9.3.6) to a host through the parent.
    async fn connect(&self, host: &str, port: u16) -> Result<TcpStream, UpstreamFailure> {
        let mut stream = TcpStream::connect(&self.address).await.map_err(|error| {
            tracing::warn!(%error, parent = self.address, "the parent proxy cannot be reached");
            UpstreamFailure::Unreachable
        })?;
        let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        let mut request = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n");
        if let Some(authorization) = &self.authorization {
            request.push_str(&format!("Proxy-Authorization: {}\r\n", authorization.expose()));
        }
        request.push_str("\r\n");
        stream.write_all(request.as_bytes()).await.map_err(|_| UpstreamFailure::Unreachable)?;
        match answer_status(&mut stream).await {
            Some(200..=299) => Ok(stream),
            status => {
                tracing::warn!(?status, parent = self.address, "the parent proxy did not connect");
                Err(if status == Some(504) { UpstreamFailure::Timeout } else { UpstreamFailure::Unreachable })
            }
        }
    }
}

/// Reads the head of an answer to CONNECT and not a byte more; its status.
async fn answer_status(stream: &mut TcpStream) -> Option<u16> {
    let mut head = Vec::new();
    let mut seen = [0; 1024];
    while limits::CONNECT_HEAD.admits(head.len()) {
        let peeked = stream.peek(&mut seen).await.ok()?;
        let fresh = seen.get(..peeked).filter(|fresh| !fresh.is_empty())?;
        let before = head.len();
        head.extend_from_slice(fresh);
        let end = head.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4);
        let taken = end.unwrap_or(head.len()) - before;
        stream.read_exact(seen.get_mut(..taken)?).await.ok()?;
        if end.is_some() {
            let line = head.split(|byte| *byte == b'\r').next()?;
            let mut words = std::str::from_utf8(line).ok()?.split(' ');
            words.next().filter(|version| version.starts_with("HTTP/1."))?;
            return words.next()?.parse().ok();
        }
    }
    None
}

/// A connection under TLS.
#[derive(Debug)]
pub struct Secured(TlsStream<TcpStream>);

impl Secured {
    pub(super) fn into_inner(self) -> TlsStream<TcpStream> {
        self.0
    }
}

impl Connection for Secured {
    fn connected(&self) -> Connected {
        let connected = Connected::new();
        if self.0.get_ref().1.alpn_protocol() == Some(b"h2") { connected.negotiated_h2() } else { connected }
    }
}

impl AsyncRead for Secured {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Secured {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }
}

/// Why no connection came about; the client library carries it to where it is read.
#[derive(Debug, thiserror::Error)]
#[error("no connection")]
pub(super) struct NoConnection(pub(super) UpstreamFailure);

/// Makes connections for the HTTP client.
#[derive(Clone)]
pub(super) struct Connector {
    pub(super) dialer: Arc<Dialer>,
    pub(super) http2: bool,
}

impl tower_service::Service<http::Uri> for Connector {
    type Response = TokioIo<Secured>;
    type Error = NoConnection;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: http::Uri) -> Self::Future {
        let connector = self.clone();
        Box::pin(async move {
            let host = uri.host().unwrap_or_default();
            let secured = connector.dialer.tls(host, uri.port_u16().unwrap_or(443), connector.http2).await;
            secured.map(TokioIo::new).map_err(NoConnection)
        })
    }
}
