//! Connections to AI services: the only module that opens them (invariant ENG-1).
//!
//! The sender's body type can be made from a [`Permitted`] request and its [`Permitted`] pieces alone, so nothing else
//! can be put on the wire. The host that was judged is dialled, its certificate verified for that name, and connections
//! are pooled by it. What the name resolves to may be given (tests, demo); that changes neither the name nor the
//! verification. Otherwise a guard keeps names from leading back inside, or a parent proxy is asked to connect.
//!
//! Services are spoken to as clients speak to Writ: HTTP/2 for those who do so, HTTP/1.1 for all others. That is what
//! the client would have done, and HTTP/1.1 costs less where there is nothing to share.

mod dial;
mod guard;
mod line;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::HOST;
use http::uri::{Authority, Scheme};
use http::{Request, Response, Uri, Version};
use http_body_util::Full;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::pki_types::CertificateDer;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_rustls::client::TlsStream;
use writ_base::Sensitive;
use writ_engine::{Chunk, Destination, JudgedRequest, Permitted, ReleasedBody, TunnelTo, UpstreamFailure};

use crate::limits;
use dial::{Connector, Dialer, NoConnection};
use line::{LineBody, Lines};

pub use dial::Secured;

/// How AI services are reached.
#[derive(Clone, Debug, Default)]
pub struct UpstreamOptions {
    /// Certificate authorities beside the public ones: of own models, of the simulator.
    pub extra_roots: Vec<CertificateDer<'static>>,
    /// Whether the public certificate authorities are trusted.
    pub public_roots: bool,
    /// Addresses for host names, in place of DNS; they are dialled as given.
    pub resolve: BTreeMap<String, SocketAddr>,
    /// Whether private networks are refused as well; own models may live there.
    pub refuse_private: bool,
    /// Whether names may lead to loopback: demo and tests.
    pub allow_loopback: bool,
    /// Hosts that the administrator named: own models on this machine or in a private network.
    pub inside: BTreeSet<String>,
    /// Where Writ itself listens: never dialled.
    pub own_listeners: Vec<SocketAddr>,
    /// The proxy that connects for us.
    pub parent: Option<Parent>,
}

/// A proxy that connects for us (CONNECT).
#[derive(Clone, Debug)]
pub struct Parent {
    /// `host:port`.
    pub address: String,
    /// The value of `Proxy-Authorization`: `Basic ...`.
    pub authorization: Option<Sensitive<String>>,
    /// Host names (and what lies under them) whose connections the parent opens with certificates of its own.
    pub roots_for: Vec<String>,
    /// The authorities of those certificates; trusted for these hosts only.
    pub roots: Vec<CertificateDer<'static>>,
}

/// A sender to AI services.
#[derive(Clone)]
pub struct Upstream {
    /// For clients that speak HTTP/2.
    any: Client<Connector, PermittedBody>,
    /// For those that do not.
    lines: Lines,
    /// For requests that may go on as another protocol.
    upgrades: Client<Connector, PermittedBody>,
    dialer: Arc<Dialer>,
}

/// The roots or the TLS set-up are not usable.
#[derive(Debug, thiserror::Error)]
#[error("cannot set up connections to AI services: {0}")]
pub struct UpstreamSetup(rustls::Error);

/// One thing of a body that streams.
#[derive(Debug)]
pub enum Piece {
    /// The next bytes.
    Chunk(Permitted<Chunk>),
    /// The body is complete. Without it a body that ends is broken off, and is never taken for a whole one.
    End,
}

impl Upstream {
    /// A sender with its own pool.
    ///
    /// # Errors
    /// If a given root is no certificate, or the TLS provider lacks what it needs.
    pub fn new(options: UpstreamOptions) -> Result<Self, UpstreamSetup> {
        let dialer = Arc::new(Dialer::new(options)?);
        let client = |http2: bool| {
            Client::builder(TokioExecutor::new())
                .pool_timer(TokioTimer::new())
                .timer(TokioTimer::new())
                .pool_max_idle_per_host(limits::IDLE.value())
                .build(Connector { dialer: Arc::clone(&dialer), http2 })
        };
        Ok(Self { any: client(true), lines: Lines::new(Arc::clone(&dialer)), upgrades: client(false), dialer })
    }

    /// Sends what a permit let through and waits for the head of the answer. The pieces of a body that streams come
    /// from `pieces`; without them such a body is empty. `http2` says whether the client speaks HTTP/2. A request without a
    /// permit does not compile:
    ///
    /// ```compile_fail,E0308
    /// async fn around(upstream: writ_proxy::upstream::Upstream) {
    ///     let request = http::Request::new(bytes::Bytes::from_static(b"{}"));
    ///     let _answer = upstream.send(request, None, false).await;
    /// }
    /// ```
    ///
    /// # Errors
    /// If the service cannot be reached, is not who it should be, or does not begin to answer in time.
    pub async fn send(
        &self,
        request: Permitted<JudgedRequest>,
        pieces: Option<mpsc::Receiver<Piece>>,
        http2: bool,
    ) -> Result<Response<Arriving>, UpstreamFailure> {
        let released = request.release();
        let patience = if pieces.is_some() { limits::UPLOAD_TIMEOUT } else { limits::ANSWER_TIMEOUT };
        let body = match (released.body, pieces) {
            (ReleasedBody::Whole(body), _) => PermittedBody::Whole(Full::new(body)),
            (ReleasedBody::Streamed(_), None) => PermittedBody::Whole(Full::default()),
            (ReleasedBody::Streamed(length), Some(pieces)) => PermittedBody::Streamed { pieces, left: length },
        };
        let mut request = Request::new(body);
        *request.method_mut() = released.method;
        *request.headers_mut() = released.headers;
        let (destination, path) = (released.destination, released.path_and_query);
        let answer = async {
            if !http2 && !released.upgrade {
                *request.uri_mut() =
                    Uri::builder().path_and_query(path).build().map_err(|_| UpstreamFailure::Unreachable)?;
                return Ok(self.lines.send(destination, request).await?.map(|body| Arriving(Over::Own(body))));
            }
            *request.uri_mut() = uri(&destination, &path).ok_or(UpstreamFailure::Unreachable)?;
            // The client names the host itself, once: in `Host` or in `:authority`, from the destination that was judged.
            request.headers_mut().remove(HOST);
            let client = if released.upgrade { &self.upgrades } else { &self.any };
            if released.upgrade {
                *request.version_mut() = Version::HTTP_11;
            }
            let answer = client.request(request).await.map_err(|error| failure(&error))?;
            Ok(answer.map(|body| Arriving(Over::Shared(body))))
        };
        tokio::time::timeout(patience, answer).await.unwrap_or(Err(UpstreamFailure::Timeout))
    }

    /// Connects to an AI service whose connection is passed on unopened.
    ///
    /// # Errors
    /// If it cannot be reached, or its name leads to an address that may not be dialled.
    pub async fn tunnel(&self, permit: Permitted<TunnelTo>) -> Result<TcpStream, UpstreamFailure> {
        let Destination { host, port } = permit.release();
        self.dialer.tcp(&host, port).await
    }

    /// Connects under TLS (HTTP/2 or HTTP/1.1) to a host whose bodies are not judged: a sign-in host, a path of a host
    /// that is no AI path. That it is one is for the caller to know.
    ///
    /// # Errors
    /// As [`Upstream::send`], as far as the connection goes.
    pub async fn connect_tls(&self, host: &str, port: u16) -> Result<TlsStream<TcpStream>, UpstreamFailure> {
        self.dialer.tls(host, port, true).await.map(dial::Secured::into_inner)
    }

    /// Connects to a host that is no AI service; that it is none is for the caller to know.
    ///
    /// # Errors
    /// As [`Upstream::tunnel`].
    pub async fn connect_plain(&self, host: &str, port: u16) -> Result<TcpStream, UpstreamFailure> {
        self.dialer.tcp(host, port).await
    }

    /// TLS over a connection that was made to a host, verified for its name like all others; with HTTP/2 where `http2`
    /// says so and the host speaks it.
    ///
    /// # Errors
    /// If the host is not who it should be, or does not answer in time.
    pub async fn secure(&self, host: &str, stream: TcpStream, http2: bool) -> Result<Secured, UpstreamFailure> {
        self.dialer.secure(host, stream, http2).await
    }
}

/// The body of a service's answer.
pub struct Arriving(Over);

/// Over what it arrives.
enum Over {
    /// A connection that the client library keeps.
    Shared(Incoming),
    /// A connection that belongs to this exchange.
    Own(LineBody),
}

impl Body for Arriving {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match &mut self.0 {
            Over::Shared(body) => Pin::new(body).poll_frame(cx).map_err(io::Error::other),
            Over::Own(body) => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Over::Shared(body) => body.is_end_stream(),
            Over::Own(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Over::Shared(body) => body.size_hint(),
            Over::Own(body) => body.size_hint(),
        }
    }
}

/// What a failed request means.
fn failure(error: &hyper_util::client::legacy::Error) -> UpstreamFailure {
    // The error's text names causes, never content.
    tracing::warn!(error = %chain(error), "an AI service did not answer");
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(this) = cause {
        if let Some(NoConnection(failure)) = this.downcast_ref::<NoConnection>() {
            return *failure;
        }
        cause = this.source();
    }
    if error.is_connect() { UpstreamFailure::Unreachable } else { UpstreamFailure::Broken }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

fn uri(destination: &Destination, path_and_query: &str) -> Option<Uri> {
    let authority: Authority = destination.authority().parse().ok()?;
    Uri::builder().scheme(Scheme::HTTPS).authority(authority).path_and_query(path_and_query).build().ok()
}

/// A request body that came out of permits. There is no other way to make one.
pub(crate) enum PermittedBody {
    /// All of it.
    Whole(Full<Bytes>),
    /// Pieces, as they come; so many bytes, where that is known.
    Streamed { pieces: mpsc::Receiver<Piece>, left: Option<u64> },
}

impl Body for PermittedBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match &mut *self {
            Self::Whole(body) => Pin::new(body).poll_frame(cx).map_err(|never| match never {}),
            Self::Streamed { pieces, left } => match std::task::ready!(pieces.poll_recv(cx)) {
                Some(Piece::Chunk(chunk)) => {
                    let bytes = chunk.release();
                    *left = left.map(|left| left.saturating_sub(bytes.len() as u64));
                    Poll::Ready(Some(Ok(Frame::data(bytes))))
                }
                Some(Piece::End) => Poll::Ready(None),
                None => Poll::Ready(Some(Err(io::ErrorKind::UnexpectedEof.into()))),
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(body) => body.is_end_stream(),
            Self::Streamed { left, .. } => *left == Some(0),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(body) => body.size_hint(),
            Self::Streamed { left, .. } => left.map(SizeHint::with_exact).unwrap_or_default(),
        }
    }
}
