//! What may change while Writ serves: policy, services, what stands beside the policy, providers. A change is built
//! whole and checked, then put in place; one that does not run replaces nothing, and is said loudly.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, bail};
use arc_swap::ArcSwap;
use tokio::sync::{Notify, watch};
use writ_base::keys::KeyPurpose;
use writ_base::telemetry::Counter;
use writ_base::{Moment, Sensitive};
use writ_ca::Authority;
use writ_catalog::Catalog;
use writ_console::PolicyText;
use writ_engine::voice::Voice;
use writ_engine::{BeforeScan, Engine, EngineKeys, EngineOptions, Snapshot};
use writ_model::record::{Activation, AdminAct, EntryKind};
use writ_model::standing::StandingObjects;
use writ_policy::Parsed;
use writ_policy::analyse::{self, Report};
use writ_policy::document::files::Files;
use writ_proxy::drive::credential_header;
use writ_proxy::live::{Live, Provider};
use writ_store::NewEntry;
use writ_store::state::Kept;

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
    /// The files on which the policy rests, also of one that does not run.
    files: ArcSwap<Vec<PathBuf>>,
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
        let (catalog, file) = policy_file::read(config)?;
        let files = ArcSwap::from_pointee(file.rests_on());
        let built = build(config, catalog, file, home).await?;
        activated(home, &built, "system").await?;
        let providers = all_providers(config, home).await?;
        Ok(Arc::new(Self {
            files,
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

    /// Follows policy with all that it rests on, services, configuration, what stands beside the policy, and the
    /// certificate authority.
    pub(super) async fn follow(
        self: Arc<Self>,
        config: Config,
        config_path: Option<PathBuf>,
        authority: Option<Arc<Authority>>,
        home: Arc<Home>,
        mut stop: watch::Receiver<bool>,
    ) {
        let mut config = config;
        let folder = authority.as_ref().map(|authority| authority.folder().to_owned());
        let look = |config: &Config| Seen {
            files: self.stamps(config, config_path.as_ref()),
            authority: folder.as_deref().map(stamps_in).unwrap_or_default(),
        };
        let mut seen = look(&config);
        loop {
            let told = tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                () = self.changed.notified() => true,
                () = tokio::time::sleep(LOOK) => false,
            };
            let now = look(&config);
            if now == seen && !told {
                continue;
            }
            let extended = authority.as_deref().filter(|_| now.authority != seen.authority);
            seen = now;
            match self.reload(&config, config_path.as_ref(), extended, &home).await {
                Ok(reloaded) => {
                    config = reloaded;
                    // What the policy rests on may be other files now; the authority may have gone on meanwhile.
                    seen.files = look(&config).files;
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
    async fn reload(
        &self,
        config: &Config,
        config_path: Option<&PathBuf>,
        extended: Option<&Authority>,
        home: &Home,
    ) -> anyhow::Result<Config> {
        let next = match config_path {
            Some(path) => Config::load(path)?,
            None => config.clone(),
        };
        let (catalog, file) = policy_file::read(&next)?;
        self.files.store(Arc::new(file.rests_on()));
        let built = build(&next, catalog, file, home).await?;
        let providers = all_providers(&next, home).await?;
        if let Some(authority) = extended {
            take_over(authority, home).await?;
        }
        if built.snapshot.hashes() != self.live.snapshot().hashes() {
            activated(home, &built, "policy-owner").await?;
            tracing::info!(policy = %built.snapshot.hashes().policy.short(), "another policy is in force");
        }
        self.live.replace_snapshot(built.snapshot);
        self.live.replace_providers(providers);
        self.policy.store(Arc::new(built.text));
        Ok(next)
    }

    /// What tells of each file that it changed: its time and length.
    fn stamps(&self, config: &Config, config_path: Option<&PathBuf>) -> Vec<Option<Stamp>> {
        let files = self.files.load();
        let all = [&config.policy].into_iter().chain(files.iter()).chain(&config.services).chain(config_path);
        all.map(|path| stamp(path)).collect()
    }
}

/// Time and length of a file.
type Stamp = (SystemTime, u64);

/// What was seen of the files that are followed.
#[derive(PartialEq, Eq)]
struct Seen {
    files: Vec<Option<Stamp>>,
    authority: BTreeMap<OsString, Option<Stamp>>,
}

fn stamp(path: &Path) -> Option<Stamp> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

/// The stamps of all files in a folder.
fn stamps_in(folder: &Path) -> BTreeMap<OsString, Option<Stamp>> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| (entry.file_name(), stamp(&entry.path()))).collect()
}

/// Takes over what `writ ca extend` issued. New connections get leaves of the new groups.
async fn take_over(authority: &Authority, home: &Home) -> anyhow::Result<()> {
    authority.reload().context("cannot take over the certificate authority's folder")?;
    let hosts = authority.hosts();
    let groups: BTreeSet<_> = hosts.iter().map(|(group, _)| group).collect();
    let object = format!("{} groups, {} hosts", groups.len(), hosts.len());
    tracing::info!(%object, "the certificate authority was taken over anew");
    let act = AdminAct { act: "authority-reload".into(), object, role: "system".into() };
    home.ledger.append(NewEntry::of_kind(EntryKind::AdminAct, &act, None, home.clock.now())).await?;
    Ok(())
}

/// The decision point, with what it knew at its last end: reasons given, notices shown, what can be chosen after stops.
pub(super) async fn engine(
    config: &Config,
    home: &Home,
    before_scan: Option<BeforeScan>,
) -> anyhow::Result<Arc<Engine>> {
    let key = |purpose| home.keys.current(purpose).map(|(_, key)| key);
    let keys = EngineKeys {
        placeholder: key(KeyPurpose::Placeholder)?,
        mark: key(KeyPurpose::Mark)?,
        page: key(KeyPurpose::Page)?,
        content: key(KeyPurpose::Content)?,
    };
    let organisation = config.organisation.clone();
    let voice = Voice {
        organisation: organisation.name,
        host: organisation.host,
        help_desk: organisation.help_desk,
        first_use: organisation.first_use_notice,
        private_way: organisation.private_way,
        answer_hours: config.console.as_ref().map(|console| console.answer_hours),
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
    for stop in home.state.kept_stops(now).await? {
        engine.restore_stop(stop);
    }
    for choice in home.state.kept_choices(now).await? {
        engine.restore_choice(choice);
    }
    Ok(engine)
}

/// Policy with exceptions and roll-out, catalog, detection pack. Examples must hold.
async fn build(config: &Config, catalog: Catalog, file: PolicyFile, home: &Home) -> anyhow::Result<Built> {
    if file.errors() > 0 {
        let rendered: Vec<_> = file.diagnostics.iter().map(|d| d.render(&file.text, &file.files)).collect();
        bail!("the policy does not run:\n{}", rendered.join("\n"));
    }
    let StandingObjects { exceptions, rollout } = home.standing().await?;
    let policy = file.compile()?.with_standing(exceptions, rollout)?;
    let snapshot = Snapshot::new(policy, catalog, file.pack()?);
    let PolicyFile { path, text, files, parsed, diagnostics, .. } = file;
    let parsed = parsed.context("a policy without errors was read whole")?;
    let parsed = Parsed { diagnostics, ..parsed };
    let failed: Vec<_> = parsed.examples.iter().filter_map(|example| snapshot.try_example(example).err()).collect();
    if let Some(first) = failed.first() {
        let place = files.place(&text, first.span());
        bail!(
            "{} of the policy's examples contradict their rules; the first at {}:{}: {first}",
            failed.len(),
            place.file,
            place.start.line
        );
    }
    let (world, now) = (policy_file::world(&snapshot.catalog, Some(config)), home.clock.now());
    // Proving takes a while; it does not hold up what else is served.
    let proving = tokio::task::spawn_blocking(move || {
        let report = analyse::report(&snapshot.policy, &parsed, &world, now);
        (snapshot, parsed, report)
    });
    let (snapshot, parsed, report) = proving.await.context("the policy could not be proved; see the log")?;
    proved(&report, &text, &files)?;
    let text = PolicyText { text, path: path.display().to_string(), parsed };
    Ok(Built { snapshot, text })
}

/// What the analyser says of a policy that is to run: a failing assertion refuses it, everything else is said and stops
/// nothing.
fn proved(report: &Report, text: &str, files: &Files) -> anyhow::Result<()> {
    if let Some(error) = &report.unproved {
        tracing::warn!("the policy runs, but could not be proved: {error}");
    }
    for late in report.proof.assertions.iter().filter_map(|proved| Some((proved, proved.not_yet.as_ref()?))) {
        let (assertion, from) = (late.0.assertion.sentence(), late.1.from.map(|from| from.to_string()));
        tracing::info!(assertion, until = from, "an assertion is not yet in force, because of the roll-out");
    }
    let errors: Vec<_> = report.errors().collect();
    let Some(first) = errors.first() else { return Ok(()) };
    let place = files.place(text, first.span);
    let shown = first.witness.as_ref().map(|witness| format!(": {witness}")).unwrap_or_default();
    let (count, file, line, message) = (errors.len(), place.file, place.start.line, &first.message);
    bail!("{count} of the policy's promises are not kept; the first at {file}:{line}: {message}{shown}")
}

/// Keeps what verdicts rest on, and writes down which policy became the running one.
async fn activated(home: &Home, built: &Built, role: &str) -> anyhow::Result<()> {
    let hashes = built.snapshot.hashes();
    home.state.keep_text(Kept::PolicyText, hashes.policy, &built.text.text).await?;
    let beside = built.snapshot.policy.standing().objects();
    home.state.keep_text(Kept::Standing, hashes.standing, &serde_json::to_string(&beside)?).await?;
    let act = AdminAct { act: "policy-activate".into(), object: hashes.policy.to_string(), role: role.into() };
    let activation = Activation { act, snapshot: Some(hashes) };
    let entry = NewEntry::of_kind(EntryKind::PolicyActivation, &activation, None, home.clock.now());
    home.ledger.append(entry).await?;
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
