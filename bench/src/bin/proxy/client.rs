//! The load generator: connections through a proxy, requests over them, and answers read to their end.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use writ_bench::time::since_start;
use writ_sim::services::SimCa;

/// How requests get to the service.
#[derive(Clone, Debug)]
pub(crate) struct Way {
    /// Port of the proxy on loopback; without it, the service's own.
    pub(crate) proxy: Option<u16>,
    /// Value of `Proxy-Authorization`.
    pub(crate) authorization: Option<String>,
    /// Port of the service on loopback.
    pub(crate) service: u16,
    /// The port that requests name.
    pub(crate) named: u16,
}

impl Way {
    fn authority(&self, host: &str) -> String {
        if self.named == 443 { host.to_owned() } else { format!("{host}:{}", self.named) }
    }

    /// A connection through which the service at `host` can be spoken to: CONNECT, where there is a proxy.
    async fn dial(&self, host: &str) -> anyhow::Result<TcpStream> {
        let port = self.proxy.unwrap_or(self.service);
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.context("a leg does not accept connections")?;
        stream.set_nodelay(true)?;
        if self.proxy.is_none() {
            return Ok(stream);
        }
        let port = self.named;
        let mut head = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n");
        if let Some(authorization) = &self.authorization {
            head.push_str(&format!("Proxy-Authorization: {authorization}\r\n"));
        }
        head.push_str("\r\n");
        stream.write_all(head.as_bytes()).await?;
        // The service speaks only after our first message, so that nothing follows this head.
        let mut answer = Vec::with_capacity(256);
        while !answer.ends_with(b"\r\n\r\n") {
            if stream.read_buf(&mut answer).await? == 0 || answer.len() > 16 << 10 {
                bail!("CONNECT was not answered: {}", String::from_utf8_lossy(&answer));
            }
        }
        if answer.get(8..12) != Some(b" 200") {
            bail!("CONNECT was refused: {}", String::from_utf8_lossy(&answer).lines().next().unwrap_or_default());
        }
        Ok(stream)
    }
}

/// TLS as the generator speaks it. It believes every certificate: that costs the generator least, and whose certificate
/// it was is looked at once, by [`Tls::is_service`].
#[derive(Clone)]
pub(crate) struct Tls {
    http1: TlsConnector,
    http2: TlsConnector,
    service: TlsConnector,
}

impl Tls {
    pub(crate) fn new(ca: &SimCa) -> anyhow::Result<Self> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let mut roots = RootCertStore::empty();
        roots.add(ca.der())?;
        let service = builder.clone().with_root_certificates(roots).with_no_client_auth();
        let mut any = builder.dangerous().with_custom_certificate_verifier(Arc::new(Anything)).with_no_client_auth();
        // Each connection is a first one, as of a client that was just started.
        any.resumption = rustls::client::Resumption::disabled();
        let mut http2 = any.clone();
        any.alpn_protocols = vec![b"http/1.1".to_vec()];
        http2.alpn_protocols = vec![b"h2".to_vec()];
        let connector = |config| TlsConnector::from(Arc::new(config));
        Ok(Self { http1: connector(any), http2: connector(http2), service: connector(service) })
    }

    /// Whether who answers for a host is the service itself.
    pub(crate) async fn is_service(&self, way: &Way, host: &str) -> anyhow::Result<bool> {
        let stream = way.dial(host).await?;
        Ok(self.service.connect(ServerName::try_from(host.to_owned())?, stream).await.is_ok())
    }

    async fn connect(&self, way: &Way, host: &str, http2: bool) -> anyhow::Result<TlsStream<TcpStream>> {
        let stream = way.dial(host).await?;
        let connector = if http2 { &self.http2 } else { &self.http1 };
        let stream = connector.connect(ServerName::try_from(host.to_owned())?, stream).await?;
        if http2 && stream.get_ref().1.alpn_protocol() != Some(b"h2") {
            bail!("no HTTP/2");
        }
        Ok(stream)
    }
}

#[derive(Debug)]
struct Anything;

impl ServerCertVerifier for Anything {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        rustls::crypto::aws_lc_rs::default_provider().signature_verification_algorithms.supported_schemes()
    }
}

/// A connection to a service, ready for a request. A clone of one with HTTP/2 is another stream of it.
pub(crate) struct Connection {
    sender: Sender,
    authority: String,
}

enum Sender {
    Http1(http1::SendRequest<Pieces>),
    Http2(http2::SendRequest<Pieces>),
}

/// Connects.
pub(crate) async fn open(tls: &Tls, way: &Way, host: &str, http2: bool) -> anyhow::Result<Connection> {
    let stream = TokioIo::new(tls.connect(way, host, http2).await?);
    let sender = if http2 {
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder.initial_stream_window_size(4 << 20).initial_connection_window_size(16 << 20);
        let (sender, connection) = builder.handshake(stream).await?;
        tokio::spawn(connection);
        Sender::Http2(sender)
    } else {
        let (sender, connection) = http1::handshake(stream).await?;
        tokio::spawn(connection);
        Sender::Http1(sender)
    };
    Ok(Connection { sender, authority: way.authority(host) })
}

/// What is sent.
pub(crate) struct Message {
    pub(crate) path: &'static str,
    pub(crate) kind: &'static str,
    /// Without a body it is a GET.
    pub(crate) body: Option<Pieces>,
}

impl Message {
    /// A question to a model.
    pub(crate) fn chat(body: Bytes) -> Self {
        Self { path: "/v1/chat/completions", kind: "application/json", body: Some(Pieces::one(body)) }
    }
}

/// What came back.
#[derive(Debug, Default)]
pub(crate) struct Received {
    pub(crate) status: StatusCode,
    pub(crate) bytes: usize,
    /// The first bytes of an answer that is no success.
    pub(crate) refusal: Vec<u8>,
    pub(crate) events: Events,
}

impl Received {
    /// This, if the request succeeded.
    pub(crate) fn success(self) -> anyhow::Result<Self> {
        if self.status.is_success() {
            return Ok(self);
        }
        bail!("the answer is {}: {}", self.status, String::from_utf8_lossy(&self.refusal))
    }
}

impl Connection {
    /// Another stream of a connection with HTTP/2.
    pub(crate) fn stream(&self) -> Option<Self> {
        let Sender::Http2(sender) = &self.sender else { return None };
        Some(Self { sender: Sender::Http2(sender.clone()), authority: self.authority.clone() })
    }

    /// Sends a request and reads the answer to its end.
    pub(crate) async fn send(&mut self, message: Message) -> anyhow::Result<Received> {
        let request = self.request(message)?;
        let response = match &mut self.sender {
            Sender::Http1(sender) => {
                sender.ready().await?;
                sender.send_request(request).await?
            }
            Sender::Http2(sender) => {
                sender.ready().await?;
                sender.send_request(request).await?
            }
        };
        let mut received = Received { status: response.status(), ..Received::default() };
        let kind = response.headers().get(header::CONTENT_TYPE);
        let streamed = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
        received.read(response.into_body(), streamed).await?;
        Ok(received)
    }

    fn request(&self, message: Message) -> anyhow::Result<Request<Pieces>> {
        let Message { path, kind, body } = message;
        let builder = if body.is_some() { Request::post(self.uri(path)) } else { Request::get(self.uri(path)) };
        let mut builder = builder
            .header(header::AUTHORIZATION, "Bearer sk-bench")
            .header(header::USER_AGENT, "OpenAI/Python 2.0.0")
            .header(header::ACCEPT, "application/json");
        if matches!(self.sender, Sender::Http1(_)) {
            builder = builder.header(header::HOST, &self.authority);
        }
        if body.is_some() {
            builder = builder.header(header::CONTENT_TYPE, kind);
        }
        Ok(builder.body(body.unwrap_or_default())?)
    }

    fn uri(&self, path: &str) -> String {
        match self.sender {
            Sender::Http1(_) => path.to_owned(),
            Sender::Http2(_) => format!("https://{}{path}", self.authority),
        }
    }
}

impl Received {
    async fn read(&mut self, mut body: Incoming, streamed: bool) -> anyhow::Result<()> {
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame?.into_data() else { continue };
            self.bytes += data.len();
            if !self.status.is_success() && self.refusal.len() < 400 {
                self.refusal.extend_from_slice(&data);
            }
            if streamed {
                self.events.add(&data, since_start());
            }
        }
        Ok(())
    }
}

/// Events of an answer as they arrived.
#[derive(Debug, Default)]
pub(crate) struct Events {
    /// How long each was under way.
    pub(crate) delays: Vec<Duration>,
    /// Events that came in one piece with the one before.
    pub(crate) together: usize,
    rest: Vec<u8>,
}

impl Events {
    /// Takes the next piece of the answer, received so long after the program's start.
    fn add(&mut self, piece: &[u8], received: Duration) {
        self.rest.extend_from_slice(piece);
        let mut here = 0_usize;
        while let Some(at) = memchr::memmem::find(&self.rest, b"\n\n") {
            let event: Vec<u8> = self.rest.drain(..at + 2).collect();
            if let Some(sent) = sent(&event) {
                self.delays.push(received.saturating_sub(sent));
                here += 1;
            }
        }
        self.together += here.saturating_sub(1);
    }
}

/// When the service sent an event: its id says so.
fn sent(event: &[u8]) -> Option<Duration> {
    const MARK: &[u8] = b"\"id\":\"chatcmpl-";
    let at = memchr::memmem::find(event, MARK)? + MARK.len();
    let digits = event.get(at..)?.iter().take_while(|byte| byte.is_ascii_digit());
    Some(Duration::from_micros(digits.fold(0, |number, digit| number * 10 + u64::from(digit - b'0'))))
}

/// A body of pieces whose length is known.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pieces {
    pieces: VecDeque<Bytes>,
    left: u64,
}

impl Pieces {
    pub(crate) fn one(piece: Bytes) -> Self {
        Self::new([piece])
    }

    pub(crate) fn new(pieces: impl IntoIterator<Item = Bytes>) -> Self {
        let pieces: VecDeque<Bytes> = pieces.into_iter().collect();
        let left = pieces.iter().map(|piece| u64::try_from(piece.len()).unwrap_or(0)).sum();
        Self { pieces, left }
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = self.pieces.pop_front();
        self.left -= piece.as_ref().map_or(0, |piece| u64::try_from(piece.len()).unwrap_or(0));
        Poll::Ready(piece.map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.pieces.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(sent: u64) -> String {
        format!("data: {{\"id\":\"chatcmpl-{sent}\",\"object\":\"chat.completion.chunk\"}}\n\n")
    }

    #[test]
    fn events_that_come_in_one_piece_are_counted_and_halves_are_not() {
        let mut events = Events::default();
        let at = Duration::from_micros;
        events.add(event(100).as_bytes(), at(150));
        let (first, second) = (event(200), event(300));
        events.add(&first.as_bytes()[..20], at(210));
        events.add(&first.as_bytes()[20..], at(260));
        assert_eq!(events.together, 0);
        events.add(format!("{}{second}data: [DONE]\n\n", event(290)).as_bytes(), at(400));
        assert_eq!(events.together, 1);
        assert_eq!(events.delays, [50, 60, 110, 100].map(Duration::from_micros));
    }

    #[test]
    fn a_body_says_how_long_it_is() {
        let mut body = Pieces::new([Bytes::from_static(b"abc"), Bytes::from_static(b"de")]);
        assert_eq!(body.size_hint().exact(), Some(5));
        let mut context = Context::from_waker(std::task::Waker::noop());
        assert!(Pin::new(&mut body).poll_frame(&mut context).is_ready());
        assert_eq!(body.size_hint().exact(), Some(2));
        assert!(!body.is_end_stream());
    }
}
