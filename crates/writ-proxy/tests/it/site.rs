//! Sites behind the proxy: they answer, and keep what reached them.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, Version};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use parking_lot::Mutex;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// A request as a site saw it.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Path and query.
    pub path: String,
    /// The one host that it names.
    pub host: String,
    pub version: Version,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// What reached the sites.
#[derive(Clone, Default)]
pub struct Visits(Arc<Mutex<Vec<Seen>>>);

impl Visits {
    pub fn all(&self) -> Vec<Seen> {
        self.0.lock().clone()
    }

    pub fn last(&self) -> Seen {
        self.0.lock().last().cloned().expect("a request reached a site")
    }

    pub fn count(&self) -> usize {
        self.0.lock().len()
    }
}

/// An authority for sites.
pub struct SiteAuthority(CertifiedIssuer<'static, KeyPair>);

impl SiteAuthority {
    pub fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "site authority");
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub fn root(&self) -> CertificateDer<'static> {
        self.0.der().clone()
    }

    /// A TLS set-up for names; `expired` lies in the past.
    pub fn config(&self, names: &[&str], expired: bool) -> Arc<ServerConfig> {
        let mut params = CertificateParams::new(names.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap();
        if expired {
            params.not_before = rcgen::date_time_ymd(2020, 1, 1);
            params.not_after = rcgen::date_time_ymd(2021, 1, 1);
        }
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        server_config(certificate.der().clone(), &key)
    }
}

/// A TLS set-up that nobody signed.
pub fn self_signed(name: &str) -> Arc<ServerConfig> {
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    server_config(made.cert.der().clone(), &made.signing_key)
}

fn server_config(certificate: CertificateDer<'static>, key: &KeyPair) -> Arc<ServerConfig> {
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Arc::new(config)
}

/// Serves requests; without a TLS set-up, plainly.
pub async fn serve(tls: Option<Arc<ServerConfig>>, visits: Visits) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let (tls, visits) = (tls.clone(), visits.clone());
            tokio::spawn(async move {
                let service = service_fn(move |request| answer(visits.clone(), request));
                let server = auto::Builder::new(TokioExecutor::new());
                match tls {
                    None => {
                        let _ended = server.serve_connection_with_upgrades(TokioIo::new(stream), service).await;
                    }
                    Some(tls) => {
                        if let Ok(stream) = TlsAcceptor::from(tls).accept(stream).await {
                            let _ended = server.serve_connection_with_upgrades(TokioIo::new(stream), service).await;
                        }
                    }
                }
            });
        }
    });
    address
}

/// A service that repeats what it reads, without TLS and without HTTP.
pub async fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut all = Vec::new();
                let _read = stream.read_to_end(&mut all).await;
                let _written = stream.write_all(&all).await;
            });
        }
    });
    address
}

async fn answer(visits: Visits, mut request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let upgrade = request.headers().get("upgrade").cloned();
    let switched = upgrade.is_some().then(|| hyper::upgrade::on(&mut request));
    let (head, body) = request.into_parts();
    // A body that breaks off is no request.
    let Ok(body) = body.collect().await.map(http_body_util::Collected::to_bytes) else {
        return Ok(Response::new(Full::default()));
    };
    let host = head.uri.authority().map(ToString::to_string);
    let host = host.or_else(|| head.headers.get("host").map(|host| host.to_str().unwrap().to_owned()));
    visits.0.lock().push(Seen {
        path: head.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
        host: host.unwrap_or_default(),
        version: head.version,
        headers: head.headers,
        body,
    });
    let mut answer = Response::new(Full::new(Bytes::from_static(
        br#"{"id":"1","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"Hello."},"finish_reason":"stop"}]}"#,
    )));
    answer.headers_mut().insert("content-type", "application/json".parse().unwrap());
    answer.headers_mut().insert("alt-svc", "h3=\":443\"".parse().unwrap());
    if let (Some(protocol), Some(switched)) = (upgrade, switched) {
        *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        *answer.body_mut() = Full::default();
        answer.headers_mut().insert("upgrade", protocol);
        answer.headers_mut().insert("connection", "upgrade".parse().unwrap());
        tokio::spawn(async move {
            let Ok(stream) = switched.await else { return };
            let (mut read, mut write) = tokio::io::split(TokioIo::new(stream));
            let _copied = tokio::io::copy(&mut read, &mut write).await;
        });
    }
    Ok(answer)
}
