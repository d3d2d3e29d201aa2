//! A whole proxy with sites behind it and clients in front.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use base64::Engine as _;
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use writ_base::keys::SecretKey;
use writ_base::{Clock, SeededRandom, Sensitive, SystemClock};
use writ_ca::{Authority, Extension, Folder, Root, RootName};
use writ_catalog::{Catalog, OrganisationServices};
use writ_detect::{Harmless, Pack};
use writ_engine::voice::Voice;
use writ_engine::{Engine, EngineKeys, EngineOptions, Snapshot};
use writ_identity::{Gatekeeper, GatekeeperOptions, Hashing, Passwords};
use writ_model::record::{DecisionSkeleton, EntryKind, OrganisationId, OutcomeSkeleton};
use writ_policy::eval::Policy;
use writ_proxy::drive::Edge;
use writ_proxy::forward::{Forward, ForwardOptions, PersonalAccounts};
use writ_proxy::live::Live;
use writ_proxy::recorder::Recorder;
use writ_proxy::upstream::{Parent, Upstream, UpstreamOptions};
use writ_store::backup::DataDirectory;
use writ_store::ledger::LedgerConfig;
use writ_store::personal::new_reveal_key;
use writ_store::state::{LOGIN_SOURCE, Location, Login, Means};
use writ_store::storage::FileStorage;
use writ_store::{KeyStore, Ledger, State};

use crate::site::{self, SiteAuthority, Visits};

/// Names that the site answers for, under its own authority.
pub const NAMES: &[&str] = &[
    "api.openai.com",
    "chatgpt.com",
    "claude.ai",
    "www.perplexity.ai",
    "chat.deepseek.com",
    "cloud.gitlab.com",
    "accounts.google.com",
    "bank.example",
    "other.example",
];

pub struct World {
    _folder: tempfile::TempDir,
    pub proxy: SocketAddr,
    /// The port that belongs to the person of [`Setup::port_of`].
    pub own_port: Option<SocketAddr>,
    /// The listener for clients with certificates, where there is one.
    pub for_certificates: Option<SocketAddr>,
    pub visits: Visits,
    pub sites: SiteAuthority,
    pub ledger: Ledger,
    pub writ_root: CertificateDer<'static>,
    stop: watch::Sender<bool>,
    pub served: tokio::task::JoinHandle<()>,
}

/// A set-up that differs from the usual one.
pub struct Setup {
    pub personal_accounts: PersonalAccounts,
    pub require: bool,
    pub allow_loopback: bool,
    pub resolve: BTreeMap<String, SocketAddr>,
    /// Who has a port of their own.
    pub port_of: Option<&'static str>,
    /// The TLS set-up of a listener for clients with certificates.
    pub certificates: Option<Arc<rustls::ServerConfig>>,
    /// The proxy through which everything leaves; then no name leads straight to a site.
    pub parent: Option<Parent>,
    pub policy: &'static str,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            personal_accounts: PersonalAccounts::Refuse,
            require: true,
            allow_loopback: false,
            resolve: BTreeMap::new(),
            port_of: None,
            certificates: None,
            parent: None,
            policy: include_str!("policy.md"),
        }
    }
}

/// Basic credentials of the two people that the proxy knows.
pub const ANN: &str = "ann:wonderland";
pub const BEN: &str = "ben:looking-glass";

impl World {
    pub async fn new() -> Self {
        Self::with(Setup::default()).await
    }

    pub async fn with(setup: Setup) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let directory = DataDirectory::new(folder.path());
        let (clock, randomness): (Arc<dyn Clock>, _) = (Arc::new(SystemClock), Arc::new(SeededRandom::new(5)));
        let now = clock.now();
        let organisation = OrganisationId::from_bytes([7; 16]);
        let kek = SecretKey::from_bytes([1; 32]);
        let (keys, made) = KeyStore::open(&directory.keys(), organisation, kek, now, &*randomness).unwrap();
        let keys = Arc::new(keys);
        let storage = Arc::new(FileStorage::new(&directory.ledger()).unwrap());
        let config = LedgerConfig::new(organisation);
        let ledger = Ledger::open(storage, config, keys.signers(), clock.clone(), &*randomness).unwrap();
        keys.record(&ledger, &made, now).await.unwrap();
        let (public, _shares) = new_reveal_key(3, &*randomness).unwrap();
        keys.add_reveal(public, &ledger, now, &*randomness).await.unwrap();
        let means = Means { organisation, keys, clock: clock.clone(), randomness: randomness.clone() };
        let state = Arc::new(State::open(Location::Sqlite(directory.state()), means).await.unwrap());
        people(&state, &ledger, &randomness).await;

        let (authority, writ_root) = authority(&folder, &clock, &randomness);
        let (sites, visits) = (SiteAuthority::new(), Visits::default());
        let mut resolve = setup.resolve;
        if setup.parent.is_none() {
            for (name, address) in addresses(&sites, &visits).await {
                resolve.entry(name).or_insert(address);
            }
        }
        let options = UpstreamOptions {
            extra_roots: vec![sites.root()],
            resolve,
            allow_loopback: setup.allow_loopback,
            parent: setup.parent,
            ..UpstreamOptions::default()
        };
        let recorder = Recorder::new(ledger.clone(), state.clone(), randomness.clone());
        let edge = Edge::new(Upstream::new(options).unwrap(), recorder, clock.clone());
        let own = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own_port = own.local_addr().unwrap();
        let options = GatekeeperOptions {
            require: setup.require,
            hashing: HASHING,
            ports: setup.port_of.iter().map(|login| (own_port.port(), (*login).to_owned())).collect(),
            ..GatekeeperOptions::default()
        };
        let gatekeeper = Gatekeeper::new(state, ledger.clone(), &*randomness, options);
        let options = ForwardOptions {
            organisation: "Northwind Health".into(),
            personal_accounts: setup.personal_accounts,
            ..ForwardOptions::default()
        };
        let live = Arc::new(Live::new(engine(&randomness), snapshot(setup.policy), Vec::new()));
        let forward = Forward::new(live, gatekeeper, authority, edge, options);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = listener.local_addr().unwrap();
        let (stop, stopped) = watch::channel(false);
        let own_port = setup.port_of.is_some().then(|| {
            let (forward, stopped) = (forward.clone(), stopped.clone());
            tokio::spawn(async move { forward.serve(own, stopped).await });
            own_port
        });
        let mut for_certificates = None;
        if let Some(tls) = setup.certificates {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            for_certificates = Some(listener.local_addr().unwrap());
            let (forward, stopped) = (forward.clone(), stopped.clone());
            tokio::spawn(async move { forward.serve_tls(listener, tls, stopped).await });
        }
        let served = tokio::spawn(async move { forward.serve(listener, stopped).await });
        Self { _folder: folder, proxy, own_port, for_certificates, visits, sites, ledger, writ_root, stop, served }
    }

    pub fn stop(&self) {
        self.stop.send(true).unwrap();
    }

    /// A client that trusts Writ's authority only.
    pub fn trusting_writ(&self, alpn: &[&str]) -> Arc<ClientConfig> {
        client_config(self.writ_root.clone(), alpn)
    }

    /// A client that trusts the sites' own authority only.
    pub fn trusting_sites(&self) -> Arc<ClientConfig> {
        client_config(self.sites.root(), &["http/1.1"])
    }

    /// CONNECT as Ann; the connection, or the refusal.
    pub async fn connect(&self, target: &str) -> Result<TcpStream, String> {
        self.connect_as(Some(ANN), target).await
    }

    pub async fn connect_as(&self, who: Option<&str>, target: &str) -> Result<TcpStream, String> {
        connect_to(self.proxy, who, target).await
    }

    /// CONNECT as Ann and TLS for that name under Writ's certificate, HTTP/1.1.
    pub async fn inside(&self, host: &str) -> TlsStream<TcpStream> {
        let stream = self.connect(&format!("{host}:443")).await.unwrap();
        handshake(&self.trusting_writ(&["http/1.1"]), host, stream).await.unwrap()
    }

    /// One HTTP/1.1 request under Writ's certificate, to the end of the connection.
    pub async fn ask(&self, host: &str, head: &str, body: &str) -> Answer {
        let stream = self.inside(host).await;
        exchange(stream, &with_length(host, head, body)).await
    }

    /// One HTTP/2 request under Writ's certificate.
    pub async fn ask_h2(&self, host: &str, request: Request<&'static str>) -> Answer {
        let stream = self.connect(&format!("{host}:443")).await.unwrap();
        let stream = handshake(&self.trusting_writ(&["h2"]), host, stream).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"h2".as_slice()));
        let (mut sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let answer = sender.send_request(request.map(|body| Full::new(Bytes::from(body)))).await.unwrap();
        let (head, body) = answer.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let headers = head.headers.iter().map(|(n, v)| format!("{n}: {}\r\n", v.to_str().unwrap())).collect();
        Answer { status: head.status.as_u16(), head: headers, body: String::from_utf8(body.to_vec()).unwrap() }
    }

    /// Decisions in the ledger, in order.
    pub async fn decisions(&self) -> Vec<DecisionSkeleton> {
        self.entries(EntryKind::Decision).await
    }

    /// Outcomes in the ledger, once there are as many as expected.
    pub async fn outcomes(&self, expected: usize) -> Vec<OutcomeSkeleton> {
        for _ in 0..200 {
            let found = self.entries(EntryKind::Outcome).await;
            if found.len() >= expected {
                return found;
            }
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        }
        self.entries(EntryKind::Outcome).await
    }

    async fn entries<T: serde::de::DeserializeOwned>(&self, kind: EntryKind) -> Vec<T> {
        let reader = self.ledger.reader(0);
        let entries = reader.map(|entry| entry.unwrap()).filter(|entry| entry.header.kind == kind);
        entries.map(|entry| serde_json::from_slice(&entry.skeleton).unwrap()).collect()
    }
}

/// Where the names of the world lead.
async fn addresses(sites: &SiteAuthority, visits: &Visits) -> Vec<(String, SocketAddr)> {
    let served = |config| site::serve(Some(config), visits.clone());
    let site = served(sites.config(NAMES, false)).await;
    let mut all: Vec<_> = NAMES.iter().map(|name| ((*name).to_owned(), site)).collect();
    all.push(("plain.example".into(), site::serve(None, visits.clone()).await));
    all.push(("echo.example".into(), site::echo().await));
    all.push(("api.anthropic.com".into(), served(sites.config(&["somebody.example"], false)).await));
    all.push(("api.mistral.ai".into(), served(sites.config(&["api.mistral.ai"], true)).await));
    all.push(("api.groq.com".into(), served(site::self_signed("api.groq.com")).await));
    all
}

/// CONNECT to a proxy; the connection, or the refusal.
pub async fn connect_to(proxy: SocketAddr, who: Option<&str>, target: &str) -> Result<TcpStream, String> {
    connect_over(TcpStream::connect(proxy).await.unwrap(), who, target).await
}

/// CONNECT over a connection to a proxy.
pub async fn connect_over<S>(mut stream: S, who: Option<&str>, target: &str) -> Result<S, String>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let authorization = who.map(|who| format!("Proxy-Authorization: {}\r\n", basic(who))).unwrap_or_default();
    let head = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{authorization}\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => answer.push(byte),
            Err(_closed) => return Err(String::from_utf8(answer).unwrap()),
        }
    }
    if answer.starts_with(b"HTTP/1.1 200") {
        return Ok(stream);
    }
    Err(String::from_utf8(answer).unwrap())
}

/// An answer as a client sees it.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    pub fn has(&self, header: &str) -> bool {
        self.head.to_ascii_lowercase().contains(&format!("{header}:"))
    }
}

pub fn basic(who: &str) -> String {
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(who))
}

/// A request head with host, length and the wish to end the connection.
pub fn with_length(host: &str, head: &str, body: &str) -> String {
    let (line, rest) = head.split_once("\r\n").unwrap_or((head, ""));
    let length = if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
    format!("{line} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{length}{rest}\r\n{body}")
}

pub async fn handshake<S>(config: &Arc<ClientConfig>, name: &str, stream: S) -> std::io::Result<TlsStream<S>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let name = ServerName::try_from(name.to_owned()).unwrap();
    TlsConnector::from(config.clone()).connect(name, stream).await
}

/// Sends bytes and reads to the end.
pub async fn exchange(mut stream: impl AsyncRead + AsyncWrite + Unpin, request: &str) -> Answer {
    stream.write_all(request.as_bytes()).await.unwrap();
    stream.flush().await.unwrap();
    let mut answer = Vec::new();
    // A peer that ends without close_notify has still said what it said.
    let _ended = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Answer { status, head: format!("{head}\r\n"), body: body.to_owned() }
}

pub fn client_config(root: CertificateDer<'static>, alpn: &[&str]) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(root).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    Arc::new(config)
}

const HASHING: Hashing = Hashing { memory_kib: 64, passes: 1 };

async fn people(state: &State, ledger: &Ledger, randomness: &Arc<SeededRandom>) {
    let passwords = Passwords::new(HASHING, &**randomness);
    for who in [ANN, BEN] {
        let (name, password) = who.split_once(':').unwrap();
        let login = Login { source: LOGIN_SOURCE.into(), name: Sensitive::new(name.to_owned()) };
        let person = state.identify(&login, "person", &Sensitive::new(name.to_owned()), ledger).await.unwrap();
        let hash = passwords.hash(&Sensitive::new(password.to_owned()), &**randomness).await.unwrap();
        state.set_password(person.principal, &hash, "admin", ledger).await.unwrap();
    }
}

fn authority(
    folder: &tempfile::TempDir,
    clock: &Arc<dyn Clock>,
    randomness: &Arc<SeededRandom>,
) -> (Arc<Authority>, CertificateDer<'static>) {
    let place = Folder::new(folder.path().join("authority"));
    let (key, now) = (SecretKey::from_bytes([3; 32]), clock.now());
    let name = RootName { organisation: "Northwind".into(), common_name: "Northwind AI inspection root".into() };
    let root = Root::create(&name, 10, now, &**randomness).unwrap();
    let hosts = writ_ca::listed(&catalog()).hosts;
    let extension = Extension { hosts: &hosts, days: 365, renew: false };
    writ_ca::extend(&place, &root, &extension, &key, now, &**randomness).unwrap();
    let authority = Authority::open(place.path(), &key, clock.clone(), randomness.clone()).unwrap();
    let root = CertificateDer::from_pem_slice(authority.root_pem().as_bytes()).unwrap();
    (Arc::new(authority), root)
}

pub fn catalog() -> Catalog {
    let organisation = OrganisationServices::load(&[include_str!("services.toml")]).unwrap();
    Catalog::builtin().with_organisation(organisation).unwrap()
}

fn snapshot(policy: &str) -> Snapshot {
    let parsed = writ_policy::parse(policy);
    let errors: Vec<_> = parsed.diagnostics.iter().filter(|d| d.gravity == writ_policy::Gravity::Error).collect();
    assert!(errors.is_empty(), "{errors:?}");
    let policy = Policy::compile(parsed.model.unwrap(), parsed.hash).unwrap();
    Snapshot::new(policy, catalog(), Pack::with_definitions(&[], &Harmless::default()).unwrap())
}

fn engine(randomness: &Arc<SeededRandom>) -> Arc<Engine> {
    let key = || SecretKey::generate(&**randomness);
    Engine::new(EngineOptions {
        keys: EngineKeys { placeholder: key(), mark: key(), page: key(), content: key() },
        voice: Voice { organisation: "Northwind Health".into(), first_use: false, ..Voice::default() },
        randomness: randomness.clone(),
        ledger_fail_open: false,
        before_scan: None,
    })
}
