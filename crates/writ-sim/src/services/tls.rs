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
use sha2::{Digest, Sha256};

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
        Self::named("Simulated AI Services CA")
    }

    /// Makes an authority of this name with a fresh key.
    ///
    /// # Errors
    /// When the key or certificate cannot be made.
    pub fn named(name: &str) -> io::Result<Self> {
        let mut params = CertificateParams::new(Vec::new()).map_err(certificate_error)?;
        params.distinguished_name = common_name(name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        (params.not_before, params.not_after) = (date_time_ymd(2025, 1, 1), date_time_ymd(2045, 1, 1));
        let key = new_key()?;
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
        self.leaves(names)?.server_config()
    }

    /// One leaf per name: the three services, loopback, and `names`.
    pub(crate) fn leaves(&self, names: &[String]) -> io::Result<Leaves> {
        let loopback = self.leaf(LOOPBACK_NAMES.map(String::from).to_vec(), VALID)?;
        let mut by_name = BTreeMap::from([("localhost".to_owned(), Arc::clone(&loopback))]);
        for name in SERVICE_HOSTS.iter().copied().chain(names.iter().map(String::as_str)) {
            by_name.insert(name.to_ascii_lowercase(), self.leaf(vec![name.to_owned()], VALID)?);
        }
        Ok(Leaves { by_name, loopback })
    }

    fn leaf(&self, names: Vec<String>, years: (i32, i32)) -> io::Result<Arc<CertifiedKey>> {
        let (params, key) = (leaf_params(names, years)?, new_key()?);
        let certificate = params.signed_by(&key, &self.issuer).map_err(certificate_error)?;
        certified(&certificate, &key)
    }
}

/// How the certificate of a simulated site came about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum SiteCertificate {
    /// By the authority of the simulated services.
    #[default]
    Services,
    /// By the second authority, as sites that have nothing to do with AI services.
    Sites,
    /// By the authority of the simulated services, and over since 2021.
    Expired,
    /// By the authority of the simulated services, for [`WRONG_NAME`] instead of the site's own.
    WrongName,
    /// By nobody: signed with its own key.
    SelfSigned,
}

/// The name in certificates of [`SiteCertificate::WrongName`].
pub const WRONG_NAME: &str = "another-host.example";

impl SiteCertificate {
    pub(crate) fn leaf(self, host: &str, services: &SimCa, sites: &SimCa) -> io::Result<Arc<CertifiedKey>> {
        let names = vec![host.to_owned()];
        match self {
            Self::Services => services.leaf(names, VALID),
            Self::Sites => sites.leaf(names, VALID),
            Self::Expired => services.leaf(names, OVER),
            Self::WrongName => services.leaf(vec![WRONG_NAME.to_owned()], VALID),
            Self::SelfSigned => {
                let (params, key) = (leaf_params(names, VALID)?, new_key()?);
                certified(&params.self_signed(&key).map_err(certificate_error)?, &key)
            }
        }
    }
}

/// First and last year of certificates that hold.
const VALID: (i32, i32) = (2025, 2045);
/// First and last year of certificates that are over.
const OVER: (i32, i32) = (2020, 2021);

fn leaf_params(names: Vec<String>, (first, last): (i32, i32)) -> io::Result<CertificateParams> {
    let subject = names.first().cloned().unwrap_or_default();
    let mut params = CertificateParams::new(names).map_err(certificate_error)?;
    params.distinguished_name = common_name(&subject);
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    (params.not_before, params.not_after) = (date_time_ymd(first, 1, 1), date_time_ymd(last, 1, 1));
    Ok(params)
}

fn new_key() -> io::Result<KeyPair> {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(certificate_error)
}

fn certified(certificate: &rcgen::Certificate, key: &KeyPair) -> io::Result<Arc<CertifiedKey>> {
    let private = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let signer = rustls::crypto::aws_lc_rs::sign::any_supported_type(&private).map_err(io::Error::other)?;
    Ok(Arc::new(CertifiedKey::new(vec![certificate.der().clone()], signer)))
}

/// Upper-case hexadecimal bytes of a SHA-256, with colons between them, as browsers and OpenSSL show fingerprints.
pub(crate) fn fingerprint(certificate: &CertificateDer<'_>) -> String {
    let bytes: Vec<String> = Sha256::digest(certificate).iter().map(|byte| format!("{byte:02X}")).collect();
    bytes.join(":")
}

impl std::fmt::Debug for SimCa {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("SimCa").finish_non_exhaustive()
    }
}

/// The certificates by name, and the one for clients that send no name.
#[derive(Debug)]
pub(crate) struct Leaves {
    by_name: BTreeMap<String, Arc<CertifiedKey>>,
    loopback: Arc<CertifiedKey>,
}

impl Leaves {
    pub(crate) fn insert(&mut self, host: &str, leaf: Arc<CertifiedKey>) {
        self.by_name.insert(host.to_ascii_lowercase(), leaf);
    }

    /// The certificate of each host.
    pub(crate) fn certificates(&self) -> BTreeMap<String, CertificateDer<'static>> {
        let first = |(host, leaf): (&String, &Arc<CertifiedKey>)| Some((host.clone(), leaf.cert.first()?.clone()));
        self.by_name.iter().filter_map(first).collect()
    }

    pub(crate) fn server_config(self) -> io::Result<ServerConfig> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(self));
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }
}

impl ResolvesServerCert for Leaves {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        match hello.server_name() {
            // A client that connects to an IP address sends no name.
            None => Some(Arc::clone(&self.loopback)),
            Some(name) => self.by_name.get(&name.to_ascii_lowercase()).cloned(),
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
