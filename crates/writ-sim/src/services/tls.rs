//! A certificate authority made in memory and the TLS side of the simulated services.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

/// The host names whose services are simulated; each gets its own leaf certificate.
pub const SERVICE_HOSTS: [&str; 3] = ["api.openai.com", "api.anthropic.com", "generativelanguage.googleapis.com"];

/// The names of the leaf that clients get who send no server name, or `localhost`.
const LOOPBACK_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// A certificate authority that lives in memory and issues the leaves of the simulated services.
///
/// Its key never leaves the process: only [`SimCa::pem`], the certificate, is exported.
pub struct SimCa {
    certificate: rcgen::Certificate,
    issuer: Issuer<'static, KeyPair>,
}

impl SimCa {
    /// Makes an authority with a fresh key.
    ///
    /// # Errors
    /// When the key or certificate cannot be made.
    pub fn generate() -> io::Result<Self> {
        let mut params = CertificateParams::new(Vec::new()).map_err(certificate_error)?;
        params.distinguished_name = common_name("Simulated AI Services CA");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        (params.not_before, params.not_after) = (date_time_ymd(2025, 1, 1), date_time_ymd(2045, 1, 1));
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(certificate_error)?;
        let certificate = params.self_signed(&key).map_err(certificate_error)?;
        Ok(Self { certificate, issuer: Issuer::new(params, key) })
    }

    /// The certificate that clients have to trust, in PEM.
    pub fn pem(&self) -> String {
        self.certificate.pem()
    }

    /// The certificate that clients have to trust, in DER.
    pub fn der(&self) -> CertificateDer<'static> {
        self.certificate.der().clone()
    }

    /// A server configuration with one leaf per name (the three services, loopback, and `names`), for HTTP/2 and
    /// HTTP/1.1. A client that asks for another name gets no certificate: its handshake fails.
    ///
    /// # Errors
    /// When a name is not a DNS name or address, or a leaf cannot be made.
    pub fn server_config(&self, names: &[String]) -> io::Result<ServerConfig> {
        let mut leaves = BTreeMap::new();
        let loopback = self.leaf(LOOPBACK_NAMES.map(String::from).to_vec())?;
        for name in SERVICE_HOSTS.iter().copied().chain(names.iter().map(String::as_str)) {
            let leaf = self.leaf(vec![name.to_owned()])?;
            leaves.insert(name.to_ascii_lowercase(), leaf);
        }
        leaves.insert("localhost".to_owned(), Arc::clone(&loopback));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(LeafByName { leaves, loopback }));
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }

    fn leaf(&self, names: Vec<String>) -> io::Result<Arc<CertifiedKey>> {
        let subject = names.first().cloned().unwrap_or_default();
        let mut params = CertificateParams::new(names).map_err(certificate_error)?;
        params.distinguished_name = common_name(&subject);
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        (params.not_before, params.not_after) = (date_time_ymd(2025, 1, 1), date_time_ymd(2045, 1, 1));
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(certificate_error)?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(certificate_error)?;
        let private = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let signer = rustls::crypto::aws_lc_rs::sign::any_supported_type(&private).map_err(io::Error::other)?;
        Ok(Arc::new(CertifiedKey::new(vec![certificate.der().clone()], signer)))
    }
}

impl std::fmt::Debug for SimCa {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("SimCa").finish_non_exhaustive()
    }
}

#[derive(Debug)]
struct LeafByName {
    leaves: BTreeMap<String, Arc<CertifiedKey>>,
    loopback: Arc<CertifiedKey>,
}

impl ResolvesServerCert for LeafByName {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        match hello.server_name() {
            // A client that connects to an IP address sends no name.
            None => Some(Arc::clone(&self.loopback)),
            Some(name) => self.leaves.get(&name.to_ascii_lowercase()).cloned(),
        }
    }
}

fn common_name(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

fn certificate_error(error: rcgen::Error) -> io::Error {
    io::Error::other(format!("simulated certificate cannot be made: {error}"))
}
