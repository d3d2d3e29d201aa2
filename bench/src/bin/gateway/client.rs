//! The load generator: connections that send one request after the other and read the answers to their end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http::{Request, header};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use writ_bench::time::now;

/// Where requests go.
#[derive(Clone)]
pub(crate) struct Target {
    /// Port on loopback.
    pub(crate) port: u16,
    /// TLS, for who speaks it.
    pub(crate) tls: Option<TlsConnector>,
    /// The credential.
    pub(crate) key: String,
}

/// A connector that trusts the upstream's authority alone.
pub(crate) fn tls(ca: &writ_sim::services::SimCa) -> anyhow::Result<TlsConnector> {
    let mut roots = RootCertStore::empty();
    roots.add(ca.der())?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

/// What came of many requests.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// From the first byte sent to the last one received, of each request.
    pub(crate) times: Vec<Duration>,
    /// Bytes of bodies, both ways.
    pub(crate) bytes: usize,
}

/// Sends all bodies over `connections` connections, which were used once before the clock starts.
pub(crate) async fn send_all(
    target: &Target,
    bodies: Arc<[Bytes]>,
    events: usize,
    connections: usize,
) -> anyhow::Result<Outcome> {
    let next = Arc::new(AtomicUsize::new(0));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..connections {
        let (bodies, next, mut connection) = (Arc::clone(&bodies), Arc::clone(&next), open(target).await?);
        tasks.spawn(async move {
            let mut outcome = Outcome::default();
            while let Some(body) = bodies.get(next.fetch_add(1, Ordering::Relaxed)) {
                let begun = now();
                let received = connection.send(body.clone(), events).await?;
                outcome.times.push(begun.elapsed());
                outcome.bytes += body.len() + received;
            }
            anyhow::Ok(outcome)
        });
    }
    let mut all = Outcome::default();
    while let Some(outcome) = tasks.join_next().await {
        let outcome = outcome??;
        all.times.extend(outcome.times);
        all.bytes += outcome.bytes;
    }
    Ok(all)
}

struct Connection {
    sender: SendRequest<Full<Bytes>>,
    authorization: String,
}

async fn open(target: &Target) -> anyhow::Result<Connection> {
    let stream = TcpStream::connect(("127.0.0.1", target.port)).await.context("a leg does not accept connections")?;
    stream.set_nodelay(true)?;
    let sender = match &target.tls {
        None => {
            let (sender, connection) = handshake(TokioIo::new(stream)).await?;
            tokio::spawn(connection);
            sender
        }
        Some(tls) => {
            let stream = tls.connect(ServerName::try_from("localhost")?, stream).await?;
            let (sender, connection) = handshake(TokioIo::new(stream)).await?;
            tokio::spawn(connection);
            sender
        }
    };
    Ok(Connection { sender, authorization: format!("Bearer {}", target.key) })
}

impl Connection {
    /// Sends a request and reads the answer; its length in bytes. Every event must have arrived.
    async fn send(&mut self, body: Bytes, events: usize) -> anyhow::Result<usize> {
        let request = Request::post("/v1/chat/completions")
            .header(header::HOST, "localhost")
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::AUTHORIZATION, &self.authorization)
            .body(Full::new(body))?;
        self.sender.ready().await?;
        let response = self.sender.send_request(request).await?;
        let status = response.status();
        let mut body = response.into_body();
        let (mut bytes, mut seen, mut start) = (0, 0, Vec::new());
        let mut at_line_end = false;
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame?.into_data() else { continue };
            bytes += data.len();
            if !status.is_success() {
                start.extend_from_slice(&data);
            }
            for byte in &data {
                seen += usize::from(at_line_end && *byte == b'\n');
                at_line_end = *byte == b'\n';
            }
        }
        if !status.is_success() {
            bail!("the answer is {status}: {}", String::from_utf8_lossy(&start));
        }
        // The end marker counts as one; a peer may leave out an event without text.
        if events > 0 && seen + 2 < events {
            bail!("{seen} of {events} events arrived");
        }
        Ok(bytes)
    }
}
