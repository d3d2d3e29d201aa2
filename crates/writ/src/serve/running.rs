//! What may change while Writ serves: policy, services, what stands beside the policy, providers. A change is built
//! whole and checked, then put in place; one that does not run replaces nothing, and is said loudly.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, bail};
use arc_swap::ArcSwap;
use tokio::sync::{Notify, watch};
use writ_base::keys::KeyPurpose;
use writ_base::telemetry::Counter;
use writ_base::{Moment, Sensitive};
use writ_console::PolicyText;
use writ_engine::voice::Voice;
use writ_engine::{BeforeScan, Engine, EngineKeys, EngineOptions, Snapshot};
use writ_model::record::{AdminAct, EntryKind};
use writ_policy::Parsed;
use writ_proxy::drive::credential_header;
use writ_proxy::live::{Live, Provider};
use writ_store::NewEntry;

use crate::config::{Config, GatewayConfig};
use crate::policy_file::{self, PolicyFile};
use crate::wiring::Home;

/// How often files are looked at for changes.
const LOOK: Duration = Duration::from_millis(300);

/// What runs now.
pub(crate) struct Running {
    /// Snapshot and providers, for the doors.
    pub(crate) live: Arc<Live>,
    /// Told when what stands beside the policy changed: exceptions, roll-out.
    pub(crate) changed: Arc<Notify>,
    policy: ArcSwap<PolicyText>,
    refused: ArcSwap<Option<(Moment, String)>>,
}

/// Snapshot and text of one policy.
struct Built {
    snapshot: Snapshot,
    text: PolicyText,
}

impl Running {
    /// Builds what a configuration says, and writes down which policy is in force.
    pub(super) async fn start(config: &Config, home: &Home, engine: Arc<Engine>) -> anyhow::Result<Arc<Self>> {
        let built = build(config, home).await?;
        activated(home, &built.snapshot, "system").await?;
        let providers = all_providers(config, home).await?;
        Ok(Arc::new(Self {
            live: Arc::new(Live::new(engine, built.snapshot, providers)),
            changed: Arc::new(Notify::new()),
            policy: ArcSwap::from_pointee(built.text),
            refused: ArcSwap::from_pointee(None),
        }))
    }

    /// The text of the policy that runs.
    pub(crate) fn policy(&self) -> Arc<PolicyText> {
        self.policy.load_full()
    }

    /// The last change that was not taken over, until one is.
    pub(crate) fn refused(&self) -> Option<(Moment, String)> {
        (**self.refused.load()).clone()
    }

    /// Follows policy, services, configuration, and what stands beside the policy.
    pub(super) async fn follow(
        self: Arc<Self>,
        config: Config,
        config_path: Option<PathBuf>,
        home: Arc<Home>,
        mut stop: watch::Receiver<bool>,
    ) {
        let mut config = config;
        let mut seen = stamp(&config, config_path.as_ref());
        loop {
            let told = tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                () = self.changed.notified() => true,
                () = tokio::time::sleep(LOOK) => false,
            };
            let now = stamp(&config, config_path.as_ref());
            if now == seen && !told {
                continue;
            }
            seen = now;
            match self.reload(&config, config_path.as_ref(), &home).await {
                Ok(reloaded) => {
                    config = reloaded;
                    seen = stamp(&config, config_path.as_ref());
                    self.refused.store(Arc::new(None));
                }
                Err(error) => {
                    Counter::ReloadsRefused.increment();
                    tracing::error!("the change is not taken over, what ran before keeps running: {error:#}");
                    self.refused.store(Arc::new(Some((home.clock.now(), format!("{error:#}")))));
                }
            }
        }
    }

    /// Builds everything that may change, and only then puts it in place.
    async fn reload(&self, config: &Config, config_path: Option<&PathBuf>, home: &Home) -> anyhow::Result<Config> {
        let next = match config_path {
            Some(path) => Config::load(path)?,
            None => config.clone(),
        };
        let built = build(&next, home).await?;
        let providers = all_providers(&next, home).await?;
        if built.snapshot.hashes() != self.live.snapshot().hashes() {
            activated(home, &built.snapshot, "policy-owner").await?;
            tracing::info!(policy = %built.snapshot.hashes().policy.short(), "another policy is in force");
        }
        self.live.replace_snapshot(built.snapshot);
        self.live.replace_providers(providers);
        self.policy.store(Arc::new(built.text));
        Ok(next)
    }
}

/// The decision point, with what it knew at its last stop: reasons given, notices shown.
pub(super) async fn engine(
    config: &Config,
    home: &Home,
    before_scan: Option<BeforeScan>,
) -> anyhow::Result<Arc<Engine>> {
    let key = |purpose| home.keys.current(purpose).map(|(_, key)| key);
    let keys = EngineKeys { placeholder: key(KeyPurpose::Placeholder)?, mark: key(KeyPurpose::Mark)? };
    let organisation = config.organisation.clone();
    let voice = Voice {
        organisation: organisation.name,
        host: organisation.host,
        help_desk: organisation.help_desk,
        first_use: organisation.first_use_notice,
        private_way: organisation.private_way,
        ..Voice::default()
    };
    let randomness = Arc::clone(&home.randomness);
    let ledger_fail_open = config.ledger.fail_open;
    let engine = Engine::new(EngineOptions { keys, voice, randomness, ledger_fail_open, before_scan });
    let now = home.clock.now();
    for acknowledgement in home.state.all_acknowledgements(now).await? {
        engine.acknowledge(acknowledgement);
    }
    for (principal, service, at) in home.state.notices(now).await? {
        engine.notice_shown(principal, &service, at);
    }
    Ok(engine)
}

/// Policy with exceptions and roll-out, catalog, detection pack. Examples must hold.
async fn build(config: &Config, home: &Home) -> anyhow::Result<Built> {
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
    let notes = file.not_searched();
    let PolicyFile { path, text, parsed, diagnostics } = file;
    let parsed = parsed.context("a policy without errors was read whole")?;
    let parsed = Parsed { diagnostics, ..parsed };
    let failed: Vec<_> = parsed.examples.iter().filter_map(|example| snapshot.try_example(example).err()).collect();
    if let Some(first) = failed.first() {
        let line = first.span().position(&text).line;
        bail!(
            "{} of the policy's examples contradict their rules; the first at {}:{line}: {first}",
            failed.len(),
            path.display()
        );
    }
    let text = PolicyText { text, path: path.display().to_string(), parsed, notes };
    Ok(Built { snapshot, text })
}

/// Writes down which policy became the running one.
async fn activated(home: &Home, snapshot: &Snapshot, role: &str) -> anyhow::Result<()> {
    let act =
        AdminAct { act: "policy-activate".into(), object: snapshot.hashes().policy.to_string(), role: role.into() };
    home.ledger.append(NewEntry::of_kind(EntryKind::PolicyActivation, &act, None, home.clock.now())).await?;
    Ok(())
}

async fn all_providers(config: &Config, home: &Home) -> anyhow::Result<Vec<Provider>> {
    match &config.gateway {
        Some(gateway) => providers(gateway, home).await,
        None => Ok(Vec::new()),
    }
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

/// What tells that a file changed: its time and length.
fn stamp(config: &Config, config_path: Option<&PathBuf>) -> Vec<Option<(SystemTime, u64)>> {
    let files = [&config.policy].into_iter().chain(&config.services).chain(config_path);
    let of = |path: &PathBuf| {
        let metadata = std::fs::metadata(path).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    };
    files.map(of).collect()
}
