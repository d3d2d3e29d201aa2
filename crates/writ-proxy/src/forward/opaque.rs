//! Requests whose bodies pass unread: sign-in hosts, where only the head is touched, the paths of shared hosts that are
//! not AI, plain HTTP to hosts that are no AI services.
//!
//! [`OpaqueBody`] is the only body type here. It can be made and passed on; nothing in this crate can look into it.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{ALT_SVC, CONNECTION, HOST, TE, UPGRADE};
use http::uri::{Authority, Scheme};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Uri, Version};
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use writ_base::telemetry::Counter;
use writ_engine::{Caller, Destination, TunnelOpening, UpstreamFailure};
use writ_model::record::Ending;
use writ_model::{Language, Set};
use writ_protocol::headers::{Passage, listed_in_connection, passage};

use super::plan::{Named, TenantHeaders};
use super::target::Target;
use super::{Forward, limits, own};
use crate::drive::{self, AnswerBody, ClientBody, TunnelRecord};
use crate::pipe::splice;
use crate::upstream::Secured;

/// Passes requests of one client's connection on. Upstream connections belong to that client alone, because some
/// authenticate a connection and not a request.
pub(crate) struct Opaque {
    client: Client<Dial, OpaqueBody>,
    secure: bool,
}

/// How hosts are reached.
#[derive(Clone)]
pub(crate) enum Way {
    /// Without TLS.
    Plain,
    /// Under TLS.
    Tls,
    /// Under TLS to an AI service's own host: each connection is judged and recorded as a tunnel.
    Judged(Arc<Caller>, Named),
}

/// What is changed in a head.
pub(crate) struct Touch<'t> {
    /// The organisation's headers, in place of whatever the client sent under restricting names. `None`: the client's
    /// stay.
    pub(crate) tenant: Option<&'t TenantHeaders>,
    /// Whether an upgrade may pass; nobody reads what follows.
    pub(crate) upgrades: bool,
    /// The language of a page, for a client that navigates.
    pub(crate) page: Option<Language>,
}

impl Opaque {
    /// `http2`: whether the client speaks it; a client that may upgrade does not.
    pub(crate) fn new(forward: Forward, way: Way, http2: bool) -> Self {
        let secure = !matches!(way, Way::Plain);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .timer(TokioTimer::new())
            .pool_max_idle_per_host(limits::OPAQUE_IDLE.value())
            .build(Dial { forward, way, http2 });
        Self { client, secure }
    }

    /// Sends a request on to the host that it names and comes back with the answer.
    pub(crate) async fn pass(
        &self,
        target: &Target,
        request: Request<Incoming>,
        touch: Touch<'_>,
    ) -> Response<AnswerBody> {
        let (mut head, client) = ClientBody::take(request);
        let Some(uri) = uri(self.secure, target, &head.uri) else {
            return own::text(StatusCode::BAD_REQUEST, "the request's target cannot be read");
        };
        let upgrade = client.upgrade.filter(|_| touch.upgrades && head.version == Version::HTTP_11);
        let protocol = head.headers.get(UPGRADE).cloned().filter(|_| upgrade.is_some());
        head.headers = outbound(&head.headers, protocol.as_ref(), touch.tenant);
        let mut request = Request::new(OpaqueBody(client.body));
        *request.method_mut() = head.method;
        *request.uri_mut() = uri;
        *request.headers_mut() = head.headers;
        let answer = tokio::time::timeout(crate::limits::UPLOAD_TIMEOUT, self.client.request(request)).await;
        let mut answer = match answer {
            Err(_elapsed) => return own::failed(UpstreamFailure::Timeout, touch.page),
            Ok(Err(error)) => return refused_or_failed(&error, touch.page),
            Ok(Ok(answer)) => answer,
        };
        let switched = answer.status() == StatusCode::SWITCHING_PROTOCOLS;
        let protocol = answer.headers().get(UPGRADE).cloned().filter(|_| switched);
        let server = switched.then(|| hyper::upgrade::on(&mut answer));
        let (mut head, body) = answer.into_parts();
        head.headers = inbound(&head.headers, protocol.as_ref());
        match (upgrade, server) {
            (Some(client), Some(server)) => {
                tokio::spawn(async move {
                    if let (Ok(client), Ok(server)) = tokio::join!(client, server) {
                        splice(TokioIo::new(client), TokioIo::new(server), std::future::pending()).await;
                    }
                });
            }
            // A host that switches without having been asked.
            (None, Some(_)) => return own::failed(UpstreamFailure::Broken, touch.page),
            _ => {}
        }
        Response::from_parts(head, OpaqueBody(body).map_err(io::Error::other).boxed_unsync())
    }
}

/// The whole address of a request: the host that was connected to, and the path as the client wrote it.
fn uri(secure: bool, target: &Target, asked: &Uri) -> Option<Uri> {
    let (scheme, usual) = if secure { (Scheme::HTTPS, 443) } else { (Scheme::HTTP, 80) };
    let authority: Authority = target.authority(usual).parse().ok()?;
    let path = asked.path_and_query().map_or("/", |path| path.as_str());
    Uri::builder().scheme(scheme).authority(authority).path_and_query(path).build().ok()
}

/// A head on its way out: without hops and Writ's own headers, framed anew by the sender, with one host.
fn outbound(headers: &HeaderMap, upgrade: Option<&HeaderValue>, tenant: Option<&TenantHeaders>) -> HeaderMap {
    let mut out = filtered(headers, |name| {
        let kind = passage(name.as_str());
        let restricting = tenant.is_some() && kind == Passage::Restriction;
        kind != Passage::Hop && !restricting && *name != HOST && !name.as_str().starts_with("writ-")
    });
    if headers.get(TE).is_some_and(|value| value == "trailers") {
        out.insert(TE, HeaderValue::from_static("trailers"));
    }
    put_upgrade(&mut out, upgrade);
    for (name, value) in tenant.into_iter().flatten() {
        out.insert(name.clone(), value.clone());
    }
    out
}

/// A head on its way to the client: without hops, and without a way around the proxy.
fn inbound(headers: &HeaderMap, upgrade: Option<&HeaderValue>) -> HeaderMap {
    let mut out = filtered(headers, |name| passage(name.as_str()) != Passage::Hop && *name != ALT_SVC);
    put_upgrade(&mut out, upgrade);
    out
}

fn put_upgrade(headers: &mut HeaderMap, upgrade: Option<&HeaderValue>) {
    if let Some(protocol) = upgrade {
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, protocol.clone());
    }
}

fn filtered(headers: &HeaderMap, keep: impl Fn(&HeaderName) -> bool) -> HeaderMap {
    let options: Vec<&str> = headers.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok()).collect();
    let hop = |name: &HeaderName| options.iter().any(|listed| listed_in_connection(listed, name.as_str()));
    headers.iter().filter(|(name, _)| keep(name) && !hop(name)).map(|(n, v)| (n.clone(), v.clone())).collect()
}

/// Why there is no answer.
fn refused_or_failed(error: &hyper_util::client::legacy::Error, page: Option<Language>) -> Response<AnswerBody> {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(this) = cause {
        match this.downcast_ref::<NoLine>() {
            Some(NoLine::Failed(failure)) => return own::failed(*failure, page),
            Some(NoLine::Refused(reason)) => return own::text(StatusCode::FORBIDDEN, reason),
            None => cause = this.source(),
        }
    }
    own::failed(UpstreamFailure::Broken, page)
}

/// A body that passes as it is.
struct OpaqueBody(Incoming);

impl Body for OpaqueBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Pin::new(&mut self.0).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

/// Opens connections for [`Opaque`].
#[derive(Clone)]
struct Dial {
    forward: Forward,
    way: Way,
    http2: bool,
}

/// Why no connection came about.
#[derive(Debug, thiserror::Error)]
enum NoLine {
    #[error("no connection")]
    Failed(UpstreamFailure),
    #[error("refused")]
    Refused(String),
}

impl Dial {
    async fn line(self, uri: Uri) -> Result<Line, NoLine> {
        let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
        let upstream = &self.forward.edge().upstream;
        let usual = if matches!(self.way, Way::Plain) { 80 } else { 443 };
        let port = uri.port_u16().unwrap_or(usual);
        let (stream, record) = match &self.way {
            Way::Plain => return Ok(Line::plain(upstream.connect_plain(&host, port).await.map_err(NoLine::Failed)?)),
            Way::Tls => (upstream.connect_plain(&host, port).await.map_err(NoLine::Failed)?, None),
            Way::Judged(caller, named) => {
                let opening = TunnelOpening {
                    caller: (**caller).clone(),
                    service: named.service.clone(),
                    tier: named.tier.clone(),
                    destination: Destination { host: host.clone(), port },
                    signals: Set::EMPTY,
                };
                let live = self.forward.live();
                let tunnel = drive::tunnel(self.forward.edge(), &live.engine, &live.snapshot(), opening).await;
                let tunnel = tunnel.map_err(|stopped| match stopped.refusal {
                    Some(refusal) => NoLine::Refused(refusal.for_programs),
                    None => NoLine::Failed(stopped.failure.unwrap_or(UpstreamFailure::Unreachable)),
                })?;
                Counter::Tunnels.increment();
                (tunnel.stream, Some(tunnel.record))
            }
        };
        let secured = upstream.secure(&host, stream, self.http2).await.map_err(NoLine::Failed)?;
        Ok(Line { stream: Stream::Secured(Box::new(secured)), record, up: 0, down: 0 })
    }
}

impl tower_service::Service<Uri> for Dial {
    type Response = TokioIo<Line>;
    type Error = NoLine;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, NoLine>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), NoLine>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let dial = self.clone();
        Box::pin(async move { dial.line(uri).await.map(TokioIo::new) })
    }
}

/// A connection to a host, with its record if it has one.
struct Line {
    stream: Stream,
    record: Option<TunnelRecord>,
    up: u64,
    down: u64,
}

enum Stream {
    Plain(TcpStream),
    Secured(Box<Secured>),
}

impl Line {
    fn plain(stream: TcpStream) -> Self {
        Self { stream: Stream::Plain(stream), record: None, up: 0, down: 0 }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if let Some(record) = self.record.take()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(record.finish(Ending::Delivered, self.up, self.down));
        }
    }
}

impl Connection for Line {
    fn connected(&self) -> Connected {
        match &self.stream {
            Stream::Plain(_) => Connected::new(),
            Stream::Secured(secured) => secured.connected(),
        }
    }
}

impl AsyncRead for Line {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Stream::Secured(stream) => Pin::new(stream).poll_read(cx, buf),
        };
        self.down += (buf.filled().len() - before) as u64;
        polled
    }
}

impl AsyncWrite for Line {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let polled = match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_write(cx, buf),
            Stream::Secured(stream) => Pin::new(stream).poll_write(cx, buf),
        };
        if let Poll::Ready(Ok(written)) = &polled {
            self.up += *written as u64;
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Stream::Secured(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Stream::Secured(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
