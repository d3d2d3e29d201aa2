//! A prompt as the browser of a person sends it: CONNECT to the proxy with the person's credentials, TLS to the
//! service, one request, and its answer as it arrives.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::{Body, Frame, Incoming};
use hyper::client::conn::http1;
use hyper::rt::{Read, Write};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;

use super::{ChatBody, ChatPerson, ChatService, secure};

/// The header by which an answer that Writ gave is told from one of the service.
pub const REFERENCE: HeaderName = HeaderName::from_static("writ-reference");
/// The header with a note about an answer of the service.
pub const NOTE: HeaderName = HeaderName::from_static("writ-note");

/// The browser that the relay passes itself off as.
pub const USER_AGENT: &str =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36";

const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
const ANSWER_TIMEOUT: Duration = Duration::from_secs(180);

/// The headers of an answer that the page gets.
const PASSED: [HeaderName; 4] = [header::CONTENT_TYPE, header::RETRY_AFTER, REFERENCE, NOTE];

/// Sends prompts through one proxy.
pub(crate) struct Relay {
    proxy: SocketAddr,
    connector: TlsConnector,
}

/// Why there is no answer.
#[derive(Debug)]
pub enum RelayError {
    /// The proxy cannot be reached.
    Proxy(io::Error),
    /// The proxy did not open the connection: its status and, where it gave one, its reference code.
    Connect(StatusCode, Option<String>),
    /// The certificate does not hold, or the handshake failed otherwise.
    Tls(io::Error),
    /// The request could not be sent or its answer not be read.
    Exchange(hyper::Error),
    /// A credential or header cannot be written.
    Unwritable,
    /// No answer came in time.
    Late,
}

impl RelayError {
    pub(crate) fn reference(&self) -> Option<&str> {
        match self {
            Self::Connect(_, reference) => reference.as_deref(),
            _ => None,
        }
    }
}

impl fmt::Display for RelayError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Proxy(error) => write!(out, "the proxy cannot be reached: {error}"),
            Self::Connect(status, _) if *status == StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
                out.write_str("the proxy does not know this person (status 407)")
            }
            Self::Connect(status, _) => {
                write!(out, "the proxy did not open the connection (status {})", status.as_u16())
            }
            Self::Tls(error) => write!(out, "the connection to the service is not safe: {error}"),
            Self::Exchange(error) => write!(out, "the connection to the service broke: {error}"),
            Self::Unwritable => out.write_str("this request cannot be written"),
            Self::Late => out.write_str("no answer came in time"),
        }
    }
}

impl std::error::Error for RelayError {}

impl Relay {
    /// # Errors
    /// When `roots` holds no certificate or one that cannot be read.
    pub(crate) fn new(proxy: SocketAddr, roots: &str) -> io::Result<Self> {
        let mut store = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(roots.as_bytes()) {
            store.add(certificate.map_err(io::Error::other)?).map_err(io::Error::other)?;
        }
        if store.is_empty() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "no certificate among the roots of the chat page"));
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_root_certificates(store)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { proxy, connector: TlsConnector::from(Arc::new(config)) })
    }

    /// Sends `body` to the service as `person` and gives the answer back as it arrives. Dropping the answer closes the
    /// connection, as a browser does when its user presses stop.
    pub(crate) async fn send(
        &self,
        service: &ChatService,
        person: &ChatPerson,
        languages: &str,
        body: Bytes,
    ) -> Result<Response<ChatBody>, RelayError> {
        let request = request(service, languages, body).ok_or(RelayError::Unwritable)?;
        let opened = tokio::time::timeout(CONNECT_TIMEOUT, self.open(&service.host, person)).await;
        let mut open = opened.map_err(|_| RelayError::Late)??;
        let answer = tokio::time::timeout(ANSWER_TIMEOUT, open.sender.send_request(request)).await;
        let answer = answer.map_err(|_| RelayError::Late)?.map_err(RelayError::Exchange)?;
        let (head, incoming) = answer.into_parts();
        let mut relayed = Response::new(Relayed { incoming, _open: open }.boxed());
        *relayed.status_mut() = head.status;
        let headers = relayed.headers_mut();
        secure(headers);
        for name in PASSED {
            if let Some(value) = head.headers.get(&name) {
                headers.insert(name, value.clone());
            }
        }
        Ok(relayed)
    }

    async fn open(&self, host: &str, person: &ChatPerson) -> Result<Open, RelayError> {
        let stream = TcpStream::connect(self.proxy).await.map_err(RelayError::Proxy)?;
        // Small pieces must not wait for each other; where the option fails they are only slower.
        let _ = stream.set_nodelay(true);
        let (mut proxy, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(RelayError::Exchange)?;
        let tunnel = Driver(tokio::spawn(async move {
            let _ = connection.with_upgrades().await;
        }));
        let target = format!("{host}:443");
        let credentials = BASE64.encode(format!("{}:{}", person.login, person.password));
        let connect = Request::connect(&target)
            .header(header::HOST, &target)
            .header(header::PROXY_AUTHORIZATION, format!("Basic {credentials}"))
            .header(header::USER_AGENT, USER_AGENT)
            .header("proxy-connection", "keep-alive")
            .body(Empty::<Bytes>::new())
            .map_err(|_| RelayError::Unwritable)?;
        let answer = proxy.send_request(connect).await.map_err(RelayError::Exchange)?;
        if answer.status() != StatusCode::OK {
            let reference = answer.headers().get(&REFERENCE).and_then(|code| code.to_str().ok()).map(str::to_owned);
            return Err(RelayError::Connect(answer.status(), reference));
        }
        let upgraded = hyper::upgrade::on(answer).await.map_err(RelayError::Exchange)?;
        let name = ServerName::try_from(host.to_owned()).map_err(|_| RelayError::Unwritable)?;
        let stream = self.connector.connect(name, TokioIo::new(upgraded)).await.map_err(RelayError::Tls)?;
        let (sender, driver) = drive(TokioIo::new(stream)).await?;
        Ok(Open { sender, _drivers: [driver, tunnel] })
    }
}

async fn drive<S: Read + Write + Send + Unpin + 'static>(
    stream: S,
) -> Result<(http1::SendRequest<Full<Bytes>>, Driver), RelayError> {
    let (sender, connection) = http1::handshake(stream).await.map_err(RelayError::Exchange)?;
    let driver = Driver(tokio::spawn(async move {
        let _ = connection.await;
    }));
    Ok((sender, driver))
}

/// A connection through the proxy, open as long as this lives.
struct Open {
    sender: http1::SendRequest<Full<Bytes>>,
    _drivers: [Driver; 2],
}

/// A task that is ended when nobody waits for it any more.
struct Driver(JoinHandle<()>);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The answer's body together with the connection it comes over.
struct Relayed {
    incoming: Incoming,
    _open: Open,
}

impl Body for Relayed {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let next = std::pin::pin!(self.incoming.frame()).poll(context);
        next.map(|frame| frame.map(|frame| frame.map_err(io::Error::other)))
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }
}

/// The request of the service's web app.
fn request(service: &ChatService, languages: &str, body: Bytes) -> Option<Request<Full<Bytes>>> {
    let mut headers = HeaderMap::new();
    headers.insert(header::HOST, HeaderValue::from_str(&service.host).ok()?);
    let first = languages.split([',', ';']).next().unwrap_or_default().trim();
    for (name, value) in browser_headers(&service.host, first) {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_str(&value).ok()?);
    }
    for (name, value) in &service.headers {
        headers.insert(HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_str(value).ok()?);
    }
    let mut request = Request::post(&service.path).body(Full::new(body)).ok()?;
    *request.headers_mut() = headers;
    Some(request)
}

/// What a browser adds to a `fetch` that a page of `host` makes to its own server.
pub(crate) fn browser_headers(host: &str, language: &str) -> Vec<(&'static str, String)> {
    let origin = format!("https://{host}");
    let languages = match language {
        "en" => "en-US,en;q=0.9".to_owned(),
        other => format!("{other},en;q=0.5"),
    };
    let fixed = [
        ("content-type", "application/json"),
        ("accept", "text/event-stream"),
        ("user-agent", USER_AGENT),
        ("sec-ch-ua", "\"Chromium\";v=\"156\", \"Not.A/Brand\";v=\"24\""),
        ("sec-ch-ua-mobile", "?0"),
        ("sec-ch-ua-platform", "\"Linux\""),
        ("sec-fetch-site", "same-origin"),
        ("sec-fetch-mode", "cors"),
        ("sec-fetch-dest", "empty"),
    ];
    let mut headers: Vec<(&'static str, String)> =
        fixed.into_iter().map(|(name, value)| (name, value.to_owned())).collect();
    headers.extend([("accept-language", languages), ("referer", format!("{origin}/")), ("origin", origin)]);
    headers
}
