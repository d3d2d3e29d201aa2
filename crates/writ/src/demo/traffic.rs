//! Sends what the company asks, each turn the way it takes: to the gateway with an API key, or through the proxy as a
//! browser, an editor or a command line would.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use base64::Engine as _;
use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use writ_sim::company::{ProxyRequest, ScriptedTurn};

use super::PROVIDERS;
use super::company::People;
use super::files::Files;
use crate::serve::Server;

/// A sender for the company.
pub(crate) struct Traffic {
    gateway: SocketAddr,
    proxy: SocketAddr,
    tls: TlsConnector,
    people: Arc<People>,
}

/// An answer, read to its end.
pub(crate) struct Answered {
    /// The status.
    pub(crate) status: u16,
    /// The head.
    pub(crate) headers: HeaderMap,
    /// The body.
    pub(crate) body: String,
}

impl Traffic {
    /// Devices of the company trust its root, and the simulated authorities as others trust the public ones.
    ///
    /// # Errors
    /// If a door is not open, or a certificate cannot be read.
    pub(crate) fn new(server: &Server, people: &Arc<People>, files: &Files) -> anyhow::Result<Self> {
        let mut roots = RootCertStore::empty();
        for path in [&files.root, &files.service_roots] {
            for certificate in CertificateDer::pem_file_iter(path).context("cannot read the demo's certificates")? {
                roots.add(certificate.context("cannot read the demo's certificates")?)?;
            }
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            gateway: server.gateway.context("the demo serves a gateway")?,
            proxy: server.proxy.context("the demo serves a proxy")?,
            tls: TlsConnector::from(Arc::new(tls)),
            people: Arc::clone(people),
        })
    }

    /// Sends one turn. What becomes of it is shown from the ledger; a failure is logged.
    pub(crate) async fn turn(&self, turn: &ScriptedTurn) {
        let sent = if turn.way.proxied() {
            self.through_proxy(&turn.request_through_proxy("sim-openai-key")).await
        } else {
            self.to_gateway(turn).await
        };
        if let Err(error) = sent {
            tracing::debug!("a request of the demo's company failed: {error:#}");
        }
    }

    async fn to_gateway(&self, turn: &ScriptedTurn) -> anyhow::Result<Answered> {
        let provider = PROVIDERS.iter().find(|(_, _, _, host, _)| *host == turn.service.host);
        let (name, ..) = provider.context("the gateway has no such provider")?;
        let key = self.people.key_of(&turn.member.login).context("nobody has this login")?;
        let request = turn.request_with_key(key);
        self.ask_gateway(&format!("/{name}{}", request.path), &request.headers, request.body).await
    }

    /// A request to the gateway, its answer read to the end.
    ///
    /// # Errors
    /// If the gateway cannot be reached or breaks off.
    pub(crate) async fn ask_gateway(
        &self,
        path: &str,
        headers: &[(&'static str, String)],
        body: String,
    ) -> anyhow::Result<Answered> {
        let stream = TcpStream::connect(self.gateway).await?;
        ask(stream, &self.gateway.to_string(), path, headers, body).await
    }

    /// A request through the proxy, its answer read to the end.
    ///
    /// # Errors
    /// If the proxy does not connect, the certificate does not hold, or the answer breaks off.
    pub(crate) async fn through_proxy(&self, request: &ProxyRequest) -> anyhow::Result<Answered> {
        let stream = self.connect(request.host, &request.login, &request.password).await?;
        ask(stream, request.host, &request.path, &request.headers, request.body.clone()).await
    }

    /// Connects to a host through the proxy and gives who signed the certificate that arrived.
    ///
    /// # Errors
    /// If the proxy does not connect, or the certificate does not hold.
    pub(crate) async fn issuer(&self, host: &'static str, login: &str) -> anyhow::Result<String> {
        let stream = self.connect(host, login, &self.people.password_of(login)).await?;
        let (_, connection) = stream.get_ref();
        let chain = connection.peer_certificates().unwrap_or_default();
        let first = chain.first().context("no certificate arrived")?;
        let (_, parsed) =
            x509_parser::parse_x509_certificate(first).context("the certificate that arrived cannot be read")?;
        let issuer = parsed.issuer();
        let names = issuer.iter_organization().chain(issuer.iter_common_name());
        let names: Vec<&str> = names.filter_map(|name| name.as_str().ok()).collect();
        Ok(if names.is_empty() { "somebody without a name".to_owned() } else { names.join(", ") })
    }

    async fn connect(&self, host: &'static str, login: &str, password: &str) -> anyhow::Result<TlsStream<TcpStream>> {
        let mut stream = TcpStream::connect(self.proxy).await?;
        stream.set_nodelay(true)?;
        let pair = base64::engine::general_purpose::STANDARD.encode(format!("{login}:{password}"));
        let head =
            format!("CONNECT {host}:443 HTTP/1.1\r\nhost: {host}:443\r\nproxy-authorization: Basic {pair}\r\n\r\n");
        stream.write_all(head.as_bytes()).await?;
        let answer = head_of(&mut stream).await?;
        if !answer.starts_with("HTTP/1.1 200") {
            bail!("the proxy did not connect: {}", answer.lines().next().unwrap_or_default());
        }
        let name = ServerName::try_from(host).context("the host is no name")?;
        Ok(self.tls.connect(name, stream).await?)
    }
}

/// The head of an answer to CONNECT, byte by byte: what follows belongs to TLS.
async fn head_of(stream: &mut TcpStream) -> anyhow::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < 8192 {
        head.push(stream.read_u8().await?);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

async fn ask<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    host: &str,
    path: &str,
    headers: &[(&'static str, String)],
    body: String,
) -> anyhow::Result<Answered> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let mut request = Request::post(path).header("host", host);
    for (name, value) in headers.iter().filter(|(name, _)| *name != "host") {
        request = request.header(*name, value);
    }
    let answer = sender.send_request(request.body(Full::new(Bytes::from(body)))?).await?;
    let (head, body) = answer.into_parts();
    let body = body.collect().await?.to_bytes();
    let body = String::from_utf8_lossy(&body).into_owned();
    Ok(Answered { status: head.status.as_u16(), headers: head.headers, body })
}
