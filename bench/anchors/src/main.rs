//! hudsucker with handlers that do nothing, as an interceptor to compare with: `hudsucker-anchor PORT CA KEY SERVICE-CA`.
//!
//! Every name is dialled on loopback, at the port that the client named.

use std::future::{Ready, ready};
use std::net::SocketAddr;
use std::task::{Context, Poll};

use anyhow::Context as _;
use hudsucker::certificate_authority::RcgenAuthority;
use hudsucker::rcgen::{Issuer, KeyPair};
use hudsucker::rustls::crypto::aws_lc_rs;
use hudsucker::rustls::pki_types::CertificateDer;
use hudsucker::rustls::pki_types::pem::PemObject as _;
use hudsucker::rustls::{ClientConfig, RootCertStore};
use hudsucker::{HttpHandler, Proxy, WebSocketHandler};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;

#[derive(Clone)]
struct Nothing;

impl HttpHandler for Nothing {}
impl WebSocketHandler for Nothing {}

#[derive(Clone)]
struct Loopback;

impl tower_service::Service<Name> for Loopback {
    type Response = std::iter::Once<SocketAddr>;
    type Error = std::io::Error;
    type Future = Ready<Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Name) -> Self::Future {
        ready(Ok(std::iter::once(SocketAddr::from(([127, 0, 0, 1], 0)))))
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [port, ca, key, service] = arguments.as_slice() else {
        anyhow::bail!("usage: hudsucker-anchor PORT CA KEY SERVICE-CA");
    };
    let key = KeyPair::from_pem(&std::fs::read_to_string(key).context("the key")?)?;
    let issuer = Issuer::from_ca_cert_pem(&std::fs::read_to_string(ca).context("the authority")?, key)?;
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(service)?)?;
    let tls = ClientConfig::builder_with_provider(aws_lc_rs::default_provider().into())
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut http = HttpConnector::new_with_resolver(Loopback);
    http.enforce_http(false);
    // Without it small answers wait for an acknowledgement; who embeds the library would set it.
    http.set_nodelay(true);
    let connector = hyper_rustls::HttpsConnectorBuilder::new()
        .with_tls_config(tls)
        .https_only()
        .enable_http1()
        .wrap_connector(http);
    let proxy = Proxy::builder()
        .with_addr(SocketAddr::from(([127, 0, 0, 1], port.parse()?)))
        .with_ca(RcgenAuthority::new(issuer, 10_000, aws_lc_rs::default_provider()))
        .with_http_connector(connector)
        .with_http_handler(Nothing)
        .with_websocket_handler(Nothing)
        .build()?;
    proxy.start().await?;
    Ok(())
}
