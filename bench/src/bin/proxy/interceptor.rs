//! The least that an interceptor can do, to compare with: TLS on both sides, HTTP/1.1 and HTTP/2 towards clients, pooled
//! connections to services, a leaf per host from an authority, nothing read and nothing recorded.
//!
//! It trusts whoever connects and dials loopback whatever the host: it is for measurements only.

use std::collections::HashMap;
use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use anyhow::Context as _;
use clap::Args;
use http::{Method, Request, Response, StatusCode, Uri, Version, header};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use parking_lot::RwLock;
use rcgen::{CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::{CertifiedKey, SigningKey};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::client::TlsStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::peers::{AUTHORITY, AUTHORITY_KEY, SERVICE_AUTHORITY};

/// Serve as the least interceptor
#[derive(Debug, Args)]
pub(crate) struct Interceptor {
    /// Where it listens on loopback
    #[arg(long)]
    port: u16,
    /// The folder with the certificates
    #[arg(long)]
    folder: PathBuf,
    /// Speak HTTP/2 to services
    #[arg(long)]
    http2: bool,
}

type AnyBody = UnsyncBoxBody<bytes::Bytes, hyper::Error>;

impl Interceptor {
    /// Serves until it is killed.
    pub(crate) async fn serve(self) -> anyhow::Result<()> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut server = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(Leaves::new(&self.folder)?));
        server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(self.folder.join(SERVICE_AUTHORITY))?)?;
        let mut client = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        client.alpn_protocols = vec![b"http/1.1".to_vec()];
        if self.http2 {
            client.alpn_protocols.insert(0, b"h2".to_vec());
        }
        let connector = Connector(TlsConnector::from(Arc::new(client)));
        let proxy = Arc::new(Proxy {
            acceptor: TlsAcceptor::from(Arc::new(server)),
            client: Client::builder(TokioExecutor::new()).pool_max_idle_per_host(1024).build(connector),
        });
        let listener = TcpListener::bind(("127.0.0.1", self.port)).await?;
        loop {
            let Ok((stream, _)) = listener.accept().await else { continue };
            let _ = stream.set_nodelay(true);
            let proxy = Arc::clone(&proxy);
            tokio::spawn(async move {
                let service = service_fn(move |request| connect(Arc::clone(&proxy), request));
                let serving =
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
                let _ = serving.with_upgrades().await;
            });
        }
    }
}

struct Proxy {
    acceptor: TlsAcceptor,
    client: Client<Connector, Incoming>,
}

/// Answers CONNECT and intercepts what follows.
async fn connect(proxy: Arc<Proxy>, mut request: Request<Incoming>) -> Result<Response<AnyBody>, Infallible> {
    let authority: Option<Arc<str>> = request.uri().authority().map(|authority| authority.as_str().into());
    let Some(authority) = authority.filter(|_| request.method() == Method::CONNECT) else {
        return Ok(empty(StatusCode::BAD_REQUEST));
    };
    tokio::spawn(async move {
        let Ok(upgraded) = hyper::upgrade::on(&mut request).await else { return };
        let Ok(stream) = proxy.acceptor.accept(TokioIo::new(upgraded)).await else { return };
        let service = service_fn(move |request| {
            let (proxy, authority) = (Arc::clone(&proxy), Arc::clone(&authority));
            async move { Ok::<_, Infallible>(forward(&proxy, &authority, request).await) }
        });
        let _ = Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
    });
    Ok(empty(StatusCode::OK))
}

async fn forward(proxy: &Proxy, authority: &str, mut request: Request<Incoming>) -> Response<AnyBody> {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let Ok(uri) = format!("https://{authority}{path}").parse::<Uri>() else { return empty(StatusCode::BAD_REQUEST) };
    *request.uri_mut() = uri;
    *request.version_mut() = Version::HTTP_11;
    request.headers_mut().remove(header::HOST);
    match proxy.client.request(request).await {
        Ok(answer) => answer.map(|body| body.boxed_unsync()),
        Err(_) => empty(StatusCode::BAD_GATEWAY),
    }
}

fn empty(status: StatusCode) -> Response<AnyBody> {
    let mut answer = Response::new(Empty::new().map_err(|never| match never {}).boxed_unsync());
    *answer.status_mut() = status;
    answer
}

/// A leaf for each host that was asked for, all with one key.
struct Leaves {
    issuer: Issuer<'static, KeyPair>,
    key: KeyPair,
    signer: Arc<dyn SigningKey>,
    made: RwLock<HashMap<String, Arc<CertifiedKey>>>,
    serial: AtomicU64,
}

impl Leaves {
    fn new(folder: &Path) -> anyhow::Result<Self> {
        let read = |name: &str| std::fs::read_to_string(folder.join(name)).with_context(|| format!("no `{name}`"));
        let key = KeyPair::from_pem(&read(AUTHORITY_KEY)?)?;
        let issuer = Issuer::from_ca_cert_pem(&read(AUTHORITY)?, key)?;
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
        let private = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let signer = rustls::crypto::aws_lc_rs::sign::any_supported_type(&private)?;
        Ok(Self { issuer, key, signer, made: RwLock::default(), serial: AtomicU64::new(1) })
    }

    fn make(&self, name: &str) -> Result<CertifiedKey, rcgen::Error> {
        let mut params = CertificateParams::new(vec![name.to_owned()])?;
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        params.serial_number = Some(self.serial.fetch_add(1, Ordering::Relaxed).into());
        (params.not_before, params.not_after) = (date_time_ymd(2025, 1, 1), date_time_ymd(2045, 1, 1));
        params.use_authority_key_identifier_extension = true;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = params.signed_by(&self.key, &self.issuer)?;
        Ok(CertifiedKey::new(vec![certificate.der().clone()], Arc::clone(&self.signer)))
    }
}

impl std::fmt::Debug for Leaves {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Leaves").finish_non_exhaustive()
    }
}

impl ResolvesServerCert for Leaves {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello.server_name()?;
        if let Some(made) = self.made.read().get(name) {
            return Some(Arc::clone(made));
        }
        let leaf = Arc::new(self.make(name).ok()?);
        self.made.write().insert(name.to_owned(), Arc::clone(&leaf));
        Some(leaf)
    }
}

/// Dials loopback, with TLS for the host's name.
#[derive(Clone)]
struct Connector(TlsConnector);

struct Secured(TokioIo<TlsStream<TcpStream>>);

impl tower_service::Service<Uri> for Connector {
    type Response = Secured;
    type Error = anyhow::Error;
    type Future = Pin<Box<dyn Future<Output = anyhow::Result<Secured>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<anyhow::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let tls = self.0.clone();
        Box::pin(async move {
            let host = uri.host().context("no host")?.to_owned();
            let stream = TcpStream::connect(("127.0.0.1", uri.port_u16().unwrap_or(443))).await?;
            stream.set_nodelay(true)?;
            Ok(Secured(TokioIo::new(tls.connect(ServerName::try_from(host)?, stream).await?)))
        })
    }
}

impl Connection for Secured {
    fn connected(&self) -> Connected {
        let http2 = self.0.inner().get_ref().1.alpn_protocol() == Some(b"h2");
        if http2 { Connected::new().negotiated_h2() } else { Connected::new() }
    }
}

impl hyper::rt::Read for Secured {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: hyper::rt::ReadBufCursor<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl hyper::rt::Write for Secured {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(context, bytes)
    }
}
