//! `writ serve`: opens the data directory, builds the snapshot, serves the gateway, follows changes of the policy, and
//! ends cleanly.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use tokio::net::TcpListener;
use tokio::sync::watch;
use writ_base::Sensitive;
use writ_base::keys::KeyPurpose;
use writ_base::telemetry::Counter;
use writ_engine::voice::Voice;
use writ_engine::{Engine, EngineKeys, EngineOptions, Snapshot};
use writ_model::record::AdminAct;
use writ_proxy::callers::Callers;
use writ_proxy::drive::{Edge, credential_header};
use writ_proxy::gateway::Gateway;
use writ_proxy::live::{Live, Provider};
use writ_proxy::recorder::Recorder;
use writ_proxy::upstream::{Upstream, UpstreamOptions};
use writ_store::NewEntry;

use crate::config::{Config, GatewayConfig, UpstreamConfig};
use crate::policy_file::{self, PolicyFile};
use crate::wiring::Home;

/// How often files are looked at for changes.
const LOOK: Duration = Duration::from_millis(300);
/// How often the index catches up with the ledger.
const INDEX: Duration = Duration::from_millis(500);

/// Serves until the process is told to stop (SIGTERM, SIGINT).
///
/// # Errors
/// If the configuration cannot be used, the data directory cannot be opened, the policy does not run, or the address
/// is taken.
pub(crate) fn run(config_path: PathBuf) -> anyhow::Result<()> {
    let config = Config::load(&config_path)?;
    if !config.upstream.resolve.is_empty() {
        bail!(
            "`upstream.resolve` is for the demo only: `writ serve` asks DNS; remove it from `{}`",
            config_path.display()
        );
    }
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start the runtime")?;
    runtime.block_on(async {
        let (stop, stopped) = watch::channel(false);
        let server = Server::start(config, Some(config_path), stopped).await?;
        // The one line that whoever started us waits for.
        tracing::info!(address = %server.address, "the gateway is ready");
        signal().await;
        tracing::info!("stopping");
        let _nobody_listens = stop.send(true);
        server.finish().await
    })
}

/// Waits for SIGINT or SIGTERM.
pub(crate) async fn signal() {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).ok();
    let terminated = async {
        match &mut terminate {
            Some(terminate) => terminate.recv().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminated => {}
    }
}

/// A running Writ.
pub(crate) struct Server {
    /// Where the gateway listens.
    pub(crate) address: SocketAddr,
    /// What runs now.
    pub(crate) live: Arc<Live>,
    home: Arc<Home>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Server {
    /// Opens everything and begins to serve. `config_path` is followed for changes, if it is given.
    pub(crate) async fn start(
        config: Config,
        config_path: Option<PathBuf>,
        stop: watch::Receiver<bool>,
    ) -> anyhow::Result<Self> {
        let Some(gateway) = config.gateway.clone() else {
            bail!("the configuration has no `[gateway]`: there is nothing to serve");
        };
        let home = Arc::new(Home::open(&config).await?);
        let snapshot = snapshot(&config, &home).await?;
        activated(&home, &snapshot, "system").await?;
        let engine = engine(&config, &home)?;
        for acknowledgement in home.state.all_acknowledgements(home.clock.now()).await? {
            engine.acknowledge(acknowledgement);
        }
        let providers = providers(&gateway, &home).await?;
        let live = Arc::new(Live::new(engine, snapshot, providers));
        let upstream = Upstream::new(upstream_options(&config.upstream)?)?;
        let recorder = Recorder::new(home.ledger.clone(), Arc::clone(&home.state), Arc::clone(&home.randomness));
        let edge = Edge::new(upstream, recorder, Arc::clone(&home.clock));
        let callers = Callers::new(Arc::clone(&home.state), &*home.randomness);
        let listener = TcpListener::bind(gateway.listen).await;
        let listener =
            listener.with_context(|| format!("cannot listen on {}: is another program there?", gateway.listen))?;
        let address = listener.local_addr().context("the gateway has no address")?;
        let mut tasks = vec![
            tokio::spawn(Gateway::new(Arc::clone(&live), callers, edge).serve(listener, stop.clone())),
            tokio::spawn(index(Arc::clone(&home), stop.clone())),
        ];
        tasks.push(tokio::spawn(follow(config, config_path, Arc::clone(&home), Arc::clone(&live), stop)));
        Ok(Self { address, live, home, tasks })
    }

    /// Waits for what runs to end, then closes the data directory. The stop must have been asked for.
    pub(crate) async fn finish(self) -> anyhow::Result<()> {
        for task in self.tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "a task ended by itself");
            }
        }
        drop(self.live);
        self.home.close().await
    }

    /// The data directory.
    pub(crate) fn home(&self) -> &Arc<Home> {
        &self.home
    }
}

/// The snapshot of a configuration: policy with exceptions and roll-out, catalog, detection pack. Examples must hold.
async fn snapshot(config: &Config, home: &Home) -> anyhow::Result<Snapshot> {
    let catalog = policy_file::catalog(&config.services)?;
    let file = PolicyFile::read(&config.policy, policy_file::names(&catalog))?;
    if file.errors() > 0 {
        let rendered: Vec<_> =
            file.diagnostics.iter().map(|d| d.render(&file.text, &config.policy.display().to_string())).collect();
        bail!("the policy does not run:\n{}", rendered.join("\n"));
    }
    let now = home.clock.now();
    let (exceptions, rollout) = (home.state.exceptions(now).await?, home.state.rollout(now).await?);
    let policy = file.compile()?.with_standing(exceptions, rollout)?;
    let snapshot = Snapshot::new(policy, catalog, file.pack()?);
    let examples = file.parsed.as_ref().map(|parsed| parsed.examples.as_slice()).unwrap_or_default();
    let failed: Vec<_> = examples.iter().filter_map(|example| snapshot.try_example(example).err()).collect();
    if let Some(first) = failed.first() {
        let line = first.span().position(&file.text).line;
        bail!(
            "{} of the policy's examples contradict their rules; the first at {}:{line}: {first}",
            failed.len(),
            config.policy.display()
        );
    }
    Ok(snapshot)
}

/// Writes down which policy became the running one.
async fn activated(home: &Home, snapshot: &Snapshot, role: &str) -> anyhow::Result<()> {
    let act =
        AdminAct { act: "policy-activate".into(), object: snapshot.hashes().policy.to_string(), role: role.into() };
    let kind = writ_model::record::EntryKind::PolicyActivation;
    home.ledger.append(NewEntry::of_kind(kind, &act, None, home.clock.now())).await?;
    Ok(())
}

fn engine(config: &Config, home: &Home) -> anyhow::Result<Arc<Engine>> {
    let key = |purpose| home.keys.current(purpose).map(|(_, key)| key);
    let keys = EngineKeys { placeholder: key(KeyPurpose::Placeholder)?, mark: key(KeyPurpose::Mark)? };
    let organisation = config.organisation.clone();
    let voice = Voice { organisation: organisation.name, host: organisation.host, help_desk: organisation.help_desk };
    Ok(Engine::new(EngineOptions {
        keys,
        voice,
        randomness: Arc::clone(&home.randomness),
        ledger_fail_open: config.ledger.fail_open,
        before_scan: None,
    }))
}

async fn providers(gateway: &GatewayConfig, home: &Home) -> anyhow::Result<Vec<Provider>> {
    let mut all = Vec::new();
    for provider in &gateway.providers {
        let (destination, path_prefix) = provider.destination()?;
        let stored = home.state.provider_credential(&provider.service, &provider.name).await?;
        if stored.is_none() {
            tracing::warn!(provider = provider.name, "no credential is stored: set one with `writ provider set`");
        }
        all.push(Provider {
            name: provider.name.clone(),
            service: provider.service.clone(),
            tier: provider.tier.clone(),
            account: provider.account,
            destination,
            path_prefix,
            credential_header: credential_header(&provider.credential).context("the configuration was checked")?,
            credential: stored.map(|credential| Sensitive::new(credential.secret.into_exposed())),
        });
    }
    Ok(all)
}

fn upstream_options(config: &UpstreamConfig) -> anyhow::Result<UpstreamOptions> {
    let mut extra_roots = Vec::new();
    for path in &config.extra_roots {
        let certificates = CertificateDer::pem_file_iter(path);
        let certificates =
            certificates.with_context(|| format!("cannot read the certificates of `{}`", path.display()))?;
        for certificate in certificates {
            extra_roots.push(
                certificate.with_context(|| format!("`{}` holds something that is no certificate", path.display()))?,
            );
        }
    }
    Ok(UpstreamOptions { extra_roots, public_roots: config.public_roots, resolve: config.resolve.clone() })
}

/// Keeps the index close behind the ledger. If it cannot, it says so and tries again; the decision path does not need it.
async fn index(home: Arc<Home>, mut stop: watch::Receiver<bool>) {
    let index = match home.index().await {
        Ok(index) => index,
        Err(error) => return tracing::error!(%error, "the index cannot be opened; queries will be out of date"),
    };
    // One reader for all rounds: a new one reads its segment from the head, to check the chain.
    let mut reader = home.ledger.reader(index.position());
    loop {
        let stopping = tokio::select! {
            _ = stop.wait_for(|stop| *stop) => true,
            () = tokio::time::sleep(INDEX) => false,
        };
        if index.lag(home.ledger.position()) > 0
            && let Err(error) = index.catch_up(&mut reader).await
        {
            tracing::error!(%error, "the index did not catch up");
            reader = home.ledger.reader(index.position());
        }
        if stopping {
            break;
        }
    }
    if let Err(error) = index.close().await {
        tracing::error!(%error, "the index was not closed cleanly");
    }
}

/// Follows policy, services and configuration. A change that does not run replaces nothing, and is said loudly.
async fn follow(
    config: Config,
    config_path: Option<PathBuf>,
    home: Arc<Home>,
    live: Arc<Live>,
    mut stop: watch::Receiver<bool>,
) {
    let mut config = config;
    let mut seen = stamp(&config, config_path.as_ref());
    loop {
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            () = tokio::time::sleep(LOOK) => {}
        }
        let now = stamp(&config, config_path.as_ref());
        if now == seen {
            continue;
        }
        seen = now;
        match reload(&config, config_path.as_ref(), &home, &live).await {
            Ok(reloaded) => {
                config = reloaded;
                seen = stamp(&config, config_path.as_ref());
            }
            Err(error) => {
                Counter::ReloadsRefused.increment();
                tracing::error!("the change is not taken over, what ran before keeps running: {error:#}");
            }
        }
    }
}

/// Builds everything that may change, and only then puts it in place.
async fn reload(config: &Config, config_path: Option<&PathBuf>, home: &Home, live: &Live) -> anyhow::Result<Config> {
    let next = match config_path {
        Some(path) => Config::load(path)?,
        None => config.clone(),
    };
    let snapshot = snapshot(&next, home).await?;
    let providers = match &next.gateway {
        Some(gateway) => providers(gateway, home).await?,
        None => Vec::new(),
    };
    if snapshot.hashes() != live.snapshot().hashes() {
        activated(home, &snapshot, "policy-owner").await?;
        tracing::info!(policy = %snapshot.hashes().policy.short(), "another policy is in force");
    }
    live.replace_snapshot(snapshot);
    live.replace_providers(providers);
    Ok(next)
}

/// What tells that a file changed: its time and length.
fn stamp(config: &Config, config_path: Option<&PathBuf>) -> Vec<Option<(std::time::SystemTime, u64)>> {
    let files = [&config.policy].into_iter().chain(&config.services).chain(config_path);
    let of = |path: &PathBuf| {
        let metadata = std::fs::metadata(path).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    };
    files.map(of).collect()
}
