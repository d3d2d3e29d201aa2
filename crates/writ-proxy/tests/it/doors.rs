//! Doors that tell who somebody is: a port of one's own, and client certificates.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, SanType};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use writ_model::Identity;
use writ_proxy::forward::certificate_listener;

use crate::world::{ANN, BEN, Setup, World, connect_over, connect_to, exchange, handshake, with_length};

/// One harmless request inside a tunnel to a service that is opened.
async fn ask_inside<S>(world: &World, tunnel: S) -> u16
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let stream = handshake(&world.trusting_writ(&["http/1.1"]), "api.openai.com", tunnel).await.unwrap();
    exchange(stream, &with_length("api.openai.com", "GET /v1/models", "")).await.status
}

async fn identities(world: &World) -> Vec<Identity> {
    world.decisions().await.iter().map(|decision| decision.identity).collect()
}

#[tokio::test]
async fn a_port_of_ones_own_needs_no_password() {
    let world = World::with(Setup { port_of: Some("ann"), ..Setup::default() }).await;
    let own = world.own_port.unwrap();
    let tunnel = connect_to(own, None, "api.openai.com:443").await.unwrap();
    assert_eq!(ask_inside(&world, tunnel).await, 200);
    // A password says more than a port, and a wrong one is refused whatever else there is.
    let tunnel = connect_to(own, Some(BEN), "api.openai.com:443").await.unwrap();
    assert_eq!(ask_inside(&world, tunnel).await, 200);
    assert!(connect_to(own, Some("ann:wrong"), "api.openai.com:443").await.unwrap_err().starts_with("HTTP/1.1 407"));
    assert!(connect_to(world.proxy, None, "api.openai.com:443").await.unwrap_err().starts_with("HTTP/1.1 407"));
    assert_eq!(identities(&world).await, [Identity::Address, Identity::Password]);
}

/// An authority for the clients of a listener, and the listener's own certificate.
struct Clients {
    authority: CertifiedIssuer<'static, KeyPair>,
    listener: Arc<rustls::ServerConfig>,
}

impl Clients {
    fn new() -> Self {
        let authority = issuer("people of Northwind");
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["proxy.northwind.example".to_owned()]).unwrap();
        let own = params.signed_by(&key, &authority).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let listener = certificate_listener(vec![own.der().clone()], key, vec![authority.der().clone()]).unwrap();
        Self { authority, listener }
    }

    /// A client that trusts the listener and shows a certificate with this mail address, if any, issued by `issuer`.
    fn client(&self, shown: Option<(&str, &CertifiedIssuer<'static, KeyPair>)>) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(self.authority.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        Arc::new(match shown {
            None => builder.with_no_client_auth(),
            Some((mail, issuer)) => {
                let (chain, key) = personal(mail, issuer);
                builder.with_client_auth_cert(chain, key).unwrap()
            }
        })
    }
}

fn issuer(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn personal(
    mail: &str,
    issuer: &CertifiedIssuer<'static, KeyPair>,
) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.subject_alt_names = vec![SanType::Rfc822Name(mail.to_owned().try_into().unwrap())];
    let certificate = params.signed_by(&key, issuer).unwrap();
    (vec![certificate.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
}

async fn knock(world: &World, client: &Arc<ClientConfig>, who: Option<&str>) -> Result<u16, String> {
    let stream = TcpStream::connect(world.for_certificates.unwrap()).await.unwrap();
    let stream = handshake(client, "proxy.northwind.example", stream).await.map_err(|error| error.to_string())?;
    let tunnel = connect_over(stream, who, "api.openai.com:443").await?;
    Ok(ask_inside(world, tunnel).await)
}

#[tokio::test]
async fn a_client_certificate_of_the_organisation_names_its_holder() {
    let clients = Clients::new();
    let world = World::with(Setup { certificates: Some(Arc::clone(&clients.listener)), ..Setup::default() }).await;
    let ann = clients.client(Some(("ann@northwind.example", &clients.authority)));
    assert_eq!(knock(&world, &ann, None).await, Ok(200));
    let nobody = clients.client(None);
    let refused = knock(&world, &nobody, None).await.unwrap_err();
    assert!(refused.starts_with("HTTP/1.1 407"), "without a certificate the gatekeeper decides: {refused}");
    assert_eq!(knock(&world, &nobody, Some(ANN)).await, Ok(200));
    assert_eq!(identities(&world).await, [Identity::Strong, Identity::Password]);
}

#[tokio::test]
async fn a_client_certificate_of_somebody_else_ends_the_handshake() {
    let clients = Clients::new();
    let world = World::with(Setup { certificates: Some(Arc::clone(&clients.listener)), ..Setup::default() }).await;
    let stranger = clients.client(Some(("ann@northwind.example", &issuer("somebody else"))));
    // The client learns of it with its first read: TLS 1.3 tells it after its own part of the handshake.
    let refused = knock(&world, &stranger, Some(ANN)).await.unwrap_err();
    assert!(!refused.contains("HTTP/1.1"), "{refused}");
    assert!(world.decisions().await.is_empty());
}
