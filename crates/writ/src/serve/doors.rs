//! The doors, each from its settings.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use writ_base::Sensitive;
use writ_base::keys::KeyPurpose;
use writ_ca::Authority;
use writ_console::{Console, ConsoleParts, Organisation, Tours};
use writ_identity::{Accounts, Gatekeeper, GatekeeperOptions};
use writ_proxy::callers::Callers;
use writ_proxy::drive::Edge;
use writ_proxy::forward::{Forward, ForwardOptions, PersonalAccounts, certificate_listener};
use writ_proxy::gateway::Gateway;
use writ_proxy::pac::{ProxyKind, pac_file};
use writ_proxy::upstream::{Parent, UpstreamOptions};
use writ_store::Index;

use super::health::Reporter;
use super::{Running, drafts};
use crate::config::{ClientCertificates, Config, ConsoleConfig, ParentConfig, PersonalAccountsConfig, ProxyConfig};
use crate::policy_file;
use crate::wiring::Home;

/// What every door needs.
pub(super) struct Parts<'a> {
    pub(super) config: &'a Config,
    pub(super) home: &'a Arc<Home>,
    pub(super) running: &'a Arc<Running>,
    pub(super) edge: &'a Edge,
}

/// The LLM gateway.
pub(super) fn gateway(parts: &Parts<'_>) -> Gateway {
    let protected = parts.config.proxy.as_ref().map(|proxy| proxy.protected_groups.clone()).unwrap_or_default();
    let callers = Callers::new(Arc::clone(&parts.home.state), protected, &*parts.home.randomness);
    Gateway::new(Arc::clone(&parts.running.live), callers, parts.edge.clone())
}

/// The intermediates that `writ ca` made, opened with this data directory's key.
pub(crate) fn authority(folder: &Path, home: &Home) -> anyhow::Result<Authority> {
    let (_, key) = home.keys.current(KeyPurpose::Authority)?;
    Authority::open(folder, &key, Arc::clone(&home.clock), Arc::clone(&home.randomness)).with_context(|| {
        format!("cannot use the certificate authority in `{}`; `writ ca init` makes one", folder.display())
    })
}

/// The forward proxy.
pub(super) fn forward(parts: &Parts<'_>, proxy: &ProxyConfig, authority: Arc<Authority>) -> Forward {
    let options = ForwardOptions {
        organisation: parts.config.organisation.name.clone(),
        personal_accounts: match proxy.personal_accounts {
            PersonalAccountsConfig::Refuse => PersonalAccounts::Refuse,
            PersonalAccountsConfig::Unread => PersonalAccounts::Unread,
            PersonalAccountsConfig::Inspect => PersonalAccounts::Inspect,
        },
        ..ForwardOptions::default()
    };
    let live = Arc::clone(&parts.running.live);
    Forward::new(live, gatekeeper(parts, proxy), authority, parts.edge.clone(), options)
}

/// The TLS set-up of the listener for clients with certificates.
///
/// # Errors
/// If a file cannot be read or the key does not belong to the certificate.
pub(super) fn certificate_door(config: &ClientCertificates) -> anyhow::Result<Arc<rustls::ServerConfig>> {
    let key = PrivateKeyDer::from_pem_file(&config.key)
        .with_context(|| format!("cannot read the key `{}`", config.key.display()))?;
    let (chain, authorities) = (certificates(&config.certificate)?, certificates(&config.authorities)?);
    Ok(certificate_listener(chain, key, authorities)?)
}

/// Who asks through the proxy.
fn gatekeeper(parts: &Parts<'_>, proxy: &ProxyConfig) -> Gatekeeper {
    let options = GatekeeperOptions {
        require: proxy.require_authentication,
        address_map: proxy.address_map.clone(),
        address_max_age: Duration::from_secs(60 * u64::from(proxy.address_minutes)),
        ports: proxy.ports.iter().map(|(address, login)| (address.port(), login.clone())).collect(),
        device: proxy.devices,
        protected_groups: proxy.protected_groups.clone(),
        ..GatekeeperOptions::default()
    };
    Gatekeeper::new(Arc::clone(&parts.home.state), parts.home.ledger.clone(), &*parts.home.randomness, options)
}

/// How AI services are reached.
///
/// # Errors
/// If a file of certificates or the parent proxy's password cannot be read.
pub(super) fn upstream_options(
    config: &Config,
    listeners: &[(&'static str, SocketAddr)],
) -> anyhow::Result<UpstreamOptions> {
    let mut extra_roots = Vec::new();
    for path in &config.upstream.extra_roots {
        extra_roots.extend(certificates(path)?);
    }
    Ok(UpstreamOptions {
        extra_roots,
        public_roots: config.upstream.public_roots,
        resolve: config.upstream.resolve.clone(),
        refuse_private: config.upstream.refuse_private,
        inside: named(config)?,
        own_listeners: listeners.iter().map(|(_, address)| *address).collect(),
        parent: config.upstream.parent.as_ref().map(parent).transpose()?,
        ..UpstreamOptions::default()
    })
}

/// The hosts of the gateway's providers: whoever runs Writ named them, so they may be own models on this machine.
fn named(config: &Config) -> anyhow::Result<BTreeSet<String>> {
    let providers = config.gateway.iter().flat_map(|gateway| &gateway.providers);
    providers.map(|provider| Ok(provider.destination()?.0.host)).collect()
}

fn parent(config: &ParentConfig) -> anyhow::Result<Parent> {
    use base64::Engine as _;
    let authorization = match (&config.user, &config.password_file) {
        (Some(user), Some(path)) => {
            let password = secret_line(path)
                .with_context(|| format!("cannot read the parent proxy's password from `{}`", path.display()))?;
            let pair = format!("{user}:{}", password.expose());
            let encoded = base64::engine::general_purpose::STANDARD.encode(pair);
            Some(Sensitive::new(format!("Basic {encoded}")))
        }
        _ => None,
    };
    Ok(Parent {
        address: config.address.clone(),
        authorization,
        roots_for: config.authorities_for.iter().cloned().collect(),
        roots: config.authorities.as_deref().map(certificates).transpose()?.unwrap_or_default(),
    })
}

/// The certificates of a PEM file.
///
/// # Errors
/// If it cannot be read, or something in it is no certificate.
pub(super) fn certificates(path: &Path) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let all = CertificateDer::pem_file_iter(path);
    let all = all.with_context(|| format!("cannot read the certificates of `{}`", path.display()))?;
    all.map(|one| one.with_context(|| format!("`{}` holds something that is no certificate", path.display()))).collect()
}

/// What the console shows and acts upon, beside what every door needs.
pub(super) struct Seen<'a> {
    pub(super) index: &'a Arc<Index>,
    pub(super) accounts: Accounts,
    pub(super) tours: Option<Arc<dyn Tours>>,
    pub(super) authority: Option<Arc<Authority>>,
    pub(super) health: Reporter,
    pub(super) proxy: Option<SocketAddr>,
}

/// The shortest token for `/metrics`: 128 bits as hexadecimal digits.
const METRICS_TOKEN_LEAST: usize = 32;

/// The token for `/metrics`, from its file.
fn metrics_token(path: &Path) -> anyhow::Result<Sensitive<String>> {
    let token =
        secret_line(path).with_context(|| format!("cannot read the token for metrics from `{}`", path.display()))?;
    if token.expose().len() < METRICS_TOKEN_LEAST {
        bail!(
            "the token in `{}` is shorter than {METRICS_TOKEN_LEAST} characters; `openssl rand -hex 32` makes one",
            path.display()
        );
    }
    Ok(token)
}

/// A secret that stands alone in a file, in one line.
fn secret_line(path: &Path) -> std::io::Result<Sensitive<String>> {
    let text = std::fs::read_to_string(path)?;
    Ok(Sensitive::new(text.trim_end_matches(['\r', '\n']).to_owned()))
}

/// The console.
///
/// # Errors
/// If the token for metrics cannot be read or is too short.
pub(super) fn console(
    parts: &Parts<'_>,
    config: &ConsoleConfig,
    address: SocketAddr,
    seen: Seen<'_>,
) -> anyhow::Result<Arc<Console>> {
    let Seen { index, accounts, tours, authority, health, proxy } = seen;
    let organisation = &parts.config.organisation;
    let tls = organisation.host.as_ref().is_some_and(|host| host.starts_with("https://"));
    let (live, running) = (Arc::clone(&parts.running.live), Arc::clone(parts.running));
    let (snapshots, catalogs, reader) = (Arc::clone(&live), Arc::clone(&live), Arc::clone(parts.running));
    let settings = parts.config.clone();
    let reached = parts.config.proxy.as_ref().and_then(|settings| settings.address.clone());
    let reached = reached.or_else(|| proxy.map(|address| address.to_string()));
    Ok(Console::new(ConsoleParts {
        hosts: hosts(organisation.host.as_deref(), config, address),
        tls,
        engine: Arc::clone(&live.engine),
        snapshot: Arc::new(move || snapshots.snapshot()),
        policy: Arc::new(move || running.policy()),
        world: Arc::new(move || policy_file::world(&catalogs.snapshot().catalog, Some(&settings))),
        read_policy: Arc::new(move |text, beside| drafts::read(&reader, text, beside)),
        state: Arc::clone(&parts.home.state),
        ledger: parts.home.ledger.clone(),
        index: Arc::clone(index),
        accounts,
        changed: Arc::clone(&parts.running.changed),
        pac: Arc::new(move || match &reached {
            Some(reached) => pac_file(&live.snapshot().catalog, reached, ProxyKind::Plain),
            None => "function FindProxyForURL(url, host) { return \"DIRECT\"; }\n".to_owned(),
        }),
        root_pem: Arc::new(move || authority.as_ref().map(|authority| authority.root_pem())),
        organisation: words(parts.config, config),
        health: Arc::new(move || health.report()),
        metrics_token: config.metrics_token_file.as_deref().map(metrics_token).transpose()?,
        tours,
        clock: Arc::clone(&parts.home.clock),
        randomness: Arc::clone(&parts.home.randomness),
    }))
}

fn words(config: &Config, console: &ConsoleConfig) -> Organisation {
    let role = |kind: &str, owner: &str, deputy: &str| (kind.to_owned(), (owner.to_owned(), deputy.to_owned()));
    Organisation {
        name: config.organisation.name.clone(),
        help_desk: config.organisation.help_desk.clone(),
        services: console.continue_in.iter().map(|(id, address)| (id.to_string(), address.clone())).collect(),
        uninspected_way: config.organisation.private_way.then(|| "your own device, or the guest network".to_owned()),
        owners: BTreeMap::from([
            role("objection", "privacy-officer", "privacy-officer"),
            role("exception-request", "policy-owner", "policy-owner"),
            role("vetting-request", "policy-owner", "policy-owner"),
        ]),
        answer_hours: u64::from(console.answer_hours),
    }
}

/// The names by which the console may be called: its address, the organisation's Writ host, and what is configured.
fn hosts(host: Option<&str>, config: &ConsoleConfig, address: SocketAddr) -> BTreeSet<String> {
    let mut all = config.hosts.clone();
    all.insert(address.to_string());
    if address.ip().is_loopback() {
        all.insert(format!("localhost:{}", address.port()));
    }
    all.extend(host.and_then(|host| host.split_once("://")).map(|(_, name)| name.trim_end_matches('/').to_owned()));
    all
}
