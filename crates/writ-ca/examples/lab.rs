//! A bench for verifiers, used by `e2e/test_ca.py`: an authority as `writ ca` makes it, TLS servers with good leaves and
//! with leaves that a thief of an intermediate's key would make, and a client with rustls.
//!
//! `lab serve FOLDER` makes the authority in the new folder, serves each leaf on a port of its own until standard input
//! ends, and writes `cases.json`. `lab connect ROOT.pem PORT NAME` ends with 0 if rustls accepts the server and 1 if it
//! refuses the certificate. `lab mint` prints how long a leaf takes.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a tool for tests: failing loudly is its way to report, and it measures time"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use pkcs8::der::SecretDocument;
use pkcs8::{EncryptedPrivateKeyInfoRef, der};
use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, SanType};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};
use writ_base::keys::SecretKey;
use writ_base::{Clock as _, Sensitive, SystemClock, SystemRandom};
use writ_ca::{Authority, Extension, Folder, Root, RootName, certificates, extend, pem_of};

/// The names that the authority may answer for.
const LISTED: [&str; 5] =
    ["api.model.test", "chat.assistant.test", "code.assistant.test", "search.answers.test", "studio.images.test"];
const PASSPHRASE: &str = "a passphrase for tests only";

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["serve", folder] => serve(Path::new(folder)).await,
        ["connect", root, port, name] => connect(root, port.parse().unwrap(), name).await,
        ["mint"] => mint(),
        _ => panic!("usage: lab serve FOLDER | connect ROOT.pem PORT NAME | mint"),
    }
}

async fn serve(folder: &Path) {
    let lab = Lab::make(folder);
    let mut ports = BTreeMap::new();
    for (name, certified) in lab.cases() {
        let chain: String = certified.cert.iter().map(|certificate| pem_of(certificate)).collect();
        fs::write(folder.join(format!("{name}.pem")), chain).unwrap();
        ports.insert(name, answer(certified).await);
    }
    let mut json = String::from("{");
    for (name, port) in &ports {
        let comma = if json.len() > 1 { "," } else { "" };
        write!(json, "{comma}\n  \"{name}\": {port}").unwrap();
    }
    json.push_str("\n}\n");
    fs::write(folder.join("cases.new"), json).unwrap();
    fs::rename(folder.join("cases.new"), folder.join("cases.json")).unwrap();
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await.unwrap().unwrap();
    std::process::exit(0);
}

/// Serves one certificate: whoever accepts it gets a page.
async fn answer(certified: Arc<CertifiedKey>) -> u16 {
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let mut head = [0; 4096];
                let _ = stream.read(&mut head).await;
                let page = "<!doctype html><title>lab</title><p>accepted</p>\n";
                let answer = format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{page}",
                    page.len()
                );
                let _ = stream.write_all(answer.as_bytes()).await;
                let _ = stream.shutdown().await;
            });
        }
    });
    port
}

async fn connect(root: &str, port: u16, name: &str) {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(root).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let server = ServerName::try_from(name.to_owned()).unwrap();
    match TlsConnector::from(Arc::new(config)).connect(server, stream).await {
        Ok(_) => println!("accepted"),
        Err(error) => {
            println!("refused: {error}");
            std::process::exit(1);
        }
    }
}

fn mint() {
    let folder = std::env::temp_dir().join(format!("writ-ca-lab-{}", std::process::id()));
    let lab = Lab::make(&folder);
    let number = 2_000;
    let start = Instant::now();
    for at in 0..number {
        lab.authority.certified(&format!("h{at}.chat.assistant.test")).unwrap();
    }
    let minted = start.elapsed() / number;
    let start = Instant::now();
    for _ in 0..number {
        lab.authority.certified("chat.assistant.test").unwrap();
    }
    println!("a new leaf: {} ns; one that is kept: {} ns", minted.as_nanos(), (start.elapsed() / number).as_nanos());
    fs::remove_dir_all(folder).unwrap();
}

struct Lab {
    authority: Authority,
    /// The stolen intermediate.
    stolen: Ca,
    /// An intermediate of the same root without constraints: what it signs shows that a leaf is refused because of
    /// them.
    free: Ca,
}

/// A CA whose key is at hand.
struct Ca {
    certificate: CertificateDer<'static>,
    key: KeyPair,
}

impl Lab {
    fn make(folder: &Path) -> Self {
        let (clock, randomness) = (SystemClock, SystemRandom);
        fs::create_dir_all(folder).unwrap();
        let name = RootName { organisation: "Lab".into(), common_name: "Lab AI inspection root".into() };
        let root = Root::create(&name, 10, clock.now(), &randomness).unwrap();
        let passphrase = Sensitive::new(PASSPHRASE.to_owned());
        let root_key = root.key_pem(&passphrase, &randomness).unwrap();
        fs::write(folder.join("root.pem"), root.anchor_pem()).unwrap();
        fs::write(folder.join("root.key"), &root_key).unwrap();
        let key = SecretKey::generate(&randomness);
        let authority_folder = Folder::new(folder.join("authority"));
        let hosts = LISTED.map(|host| ("lab".to_owned(), host.to_owned()));
        let extension = Extension { hosts: &hosts, days: 365, renew: false };
        extend(&authority_folder, &root, &extension, &key, clock.now(), &randomness).unwrap();
        let authority = Authority::open(authority_folder.path(), &key, Arc::new(clock), Arc::new(randomness)).unwrap();
        let stolen = stolen(authority_folder.path(), &key);
        let root = Ca { certificate: certificates(&root.anchor_pem()).unwrap().remove(0), key: decrypted(&root_key) };
        Self { authority, stolen, free: root.sub_ca("unconstrained") }
    }

    /// Every case by name; `free-...` are the same leaves from the intermediate without constraints.
    fn cases(&self) -> Vec<(String, Arc<CertifiedKey>)> {
        let good = |host: &str| self.authority.certified(host).unwrap();
        let mut cases = vec![
            ("listed".to_owned(), good("chat.assistant.test")),
            ("below".to_owned(), good("eu.chat.assistant.test")),
        ];
        for (prefix, ca) in [("", &self.stolen), ("free-", &self.free)] {
            let dns = |names: &[&str]| names.iter().map(|name| SanType::DnsName((*name).try_into().unwrap())).collect();
            let leaves: [(&str, Option<&str>, Vec<SanType>); 5] = [
                ("outside", None, dns(&["bank.test"])),
                ("beside", None, dns(&["chat.assistant.test", "bank.test"])),
                ("wildcard", None, dns(&["*.assistant.test"])),
                ("address", None, vec![SanType::IpAddress([127, 0, 0, 1].into())]),
                ("common-name", Some("bank.test"), Vec::new()),
            ];
            for (name, common_name, names) in leaves {
                cases.push((format!("{prefix}{name}"), ca.leaf(common_name, names, &[])));
            }
        }
        // A further CA without constraints below the stolen one; the root itself allows none there.
        let further = self.stolen.sub_ca("further");
        let bank = vec![SanType::DnsName("bank.test".try_into().unwrap())];
        cases.push(("further-ca".to_owned(), further.leaf(None, bank, std::slice::from_ref(&self.stolen.certificate))));
        cases
    }
}

impl Ca {
    fn issuer(&self) -> Issuer<'_, &KeyPair> {
        Issuer::from_ca_cert_der(&self.certificate, &self.key).unwrap()
    }

    fn sub_ca(&self, name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(1));
        params.key_usages = vec![rcgen::KeyUsagePurpose::KeyCertSign];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer()).unwrap().der().clone();
        Self { certificate, key }
    }

    fn leaf(
        &self,
        common_name: Option<&str>,
        names: Vec<SanType>,
        above: &[CertificateDer<'static>],
    ) -> Arc<CertifiedKey> {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, common_name.unwrap_or("a leaf"));
        params.subject_alt_names = names;
        params.key_usages = vec![rcgen::KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let now = i128::from(SystemClock.now().nanos());
        let day = 86_400_000_000_000;
        params.not_before = time::OffsetDateTime::from_unix_timestamp_nanos(now - day).unwrap();
        params.not_after = time::OffsetDateTime::from_unix_timestamp_nanos(now + 30 * day).unwrap();
        let key = KeyPair::generate().unwrap();
        let leaf = params.signed_by(&key, &self.issuer()).unwrap().der().clone();
        let signing = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let signing = rustls::crypto::aws_lc_rs::sign::any_ecdsa_type(&signing).unwrap();
        let chain = [leaf, self.certificate.clone()].into_iter().chain(above.iter().cloned()).collect();
        Arc::new(CertifiedKey::new(chain, signing))
    }
}

/// The intermediate of the first group with its key, taken from the folder with the key that sealed it.
fn stolen(folder: &Path, key: &SecretKey) -> Ca {
    let certificate = certificates(&fs::read_to_string(folder.join("01-1.pem")).unwrap()).unwrap().remove(0);
    let context = [b"writ-ca intermediate ".as_slice(), &Sha256::digest(&certificate)].concat();
    let plain = key.open(&context, &fs::read(folder.join("01-1.key")).unwrap()).unwrap();
    Ca { certificate, key: KeyPair::try_from(plain).unwrap() }
}

fn decrypted(pem: &str) -> KeyPair {
    let (_, document): (_, der::SecretDocument) = SecretDocument::from_pem(pem).unwrap();
    let info = EncryptedPrivateKeyInfoRef::try_from(document.as_bytes()).unwrap();
    KeyPair::try_from(info.decrypt(PASSPHRASE).unwrap().as_bytes()).unwrap()
}
