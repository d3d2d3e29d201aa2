//! `writ demo`: a small company uses AI services through the gateway, all on loopback and offline.
//!
//! It uses the production path only: the same server, with authentication, over verified TLS. What is different is
//! given from outside: names of AI services resolve to the simulator (which `writ serve` refuses), and the simulator's
//! certificate authority is trusted.

mod people;
mod view;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use tokio::sync::watch;
use writ_model::{Account, Term};
use writ_sim::company::{Company, Script};
use writ_sim::services::{self, ProviderKeys, RunningServices, ServicesOptions, SimCa};
use writ_store::state::ProviderCredential;

use crate::cli::{Exit, Output};
use crate::config::{Config, GatewayConfig, KeyEncryption, LedgerConfig, Organisation, ProviderConfig, UpstreamConfig};
use crate::serve::{self, Server};
use crate::wiring::Home;
use people::Keys;

/// How a demo is started.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// Where its data is kept; a second start goes on with it.
    pub(crate) data: PathBuf,
    /// The gateway's port; the simulated services are 8 above.
    pub(crate) port: u16,
    /// Turns of the company after which it ends by itself; it goes on until Ctrl-C otherwise.
    pub(crate) turns: Option<usize>,
}

const SEED: u64 = 7;
/// Between two turns of the company: slow enough to be read.
const PACE: Duration = Duration::from_millis(1500);

/// An AI service of the demo: name at the gateway, catalog id, plan, host, how it wants its credential.
const SERVICES: &[(&str, &str, &str, &str, &str)] = &[
    ("openai", "openai-api", "standard", "api.openai.com", "bearer"),
    ("anthropic", "anthropic-api", "standard", "api.anthropic.com", "x-api-key"),
    ("gemini", "gemini-api", "paid", "generativelanguage.googleapis.com", "x-goog-api-key"),
    ("deepseek", "deepseek-api", "unknown", "api.deepseek.com", "bearer"),
];

/// Runs the demo until Ctrl-C.
///
/// # Errors
/// If a port is taken or the data folder cannot be used.
pub(crate) fn run(options: &Options, output: &mut Output) -> anyhow::Result<Exit> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start the runtime")?;
    runtime.block_on(play(options, output))?;
    Ok(Exit::Yes)
}

async fn play(options: &Options, output: &mut Output) -> anyhow::Result<()> {
    let files = Files::prepare(&options.data)?;
    let company = Company::seeded(SEED);
    let services = start_services(options, &files).await?;
    let config = config(options, &files, &company, services.addr)?;
    let keys = set_up(&config, &files, &company).await?;
    let (stop, stopped) = watch::channel(false);
    let server = Server::start(config, None, stopped).await?;
    output.text(&view::welcome(&company, &files, server.address, &keys))?;
    output.flush()?;
    let mut view = view::View::new(server.home(), std::sync::Arc::clone(&server.live));
    let mut script = company.script();
    let mut turns = 0;
    let ended = serve::signal();
    tokio::pin!(ended);
    while options.turns.is_none_or(|most| turns < most) {
        tokio::select! {
            () = &mut ended => break,
            () = tokio::time::sleep(PACE) => one_turn(&mut script, &keys, server.address).await,
        }
        turns += 1;
        view.show(output)?;
    }
    view.show(output)?;
    let _nobody_listens = stop.send(true);
    server.finish().await?;
    services.stop().await;
    output.line(format_args!(
        "\nStopped. What happened stays in {}; the next start goes on from there.",
        files.folder.display()
    ))?;
    Ok(())
}

async fn one_turn(script: &mut Script<'_>, keys: &Keys, gateway: SocketAddr) {
    let Some(turn) = script.next() else { return };
    let provider = SERVICES.iter().find(|(_, _, _, host, _)| *host == turn.service.host);
    if let (Some((name, ..)), Some(key)) = (provider, keys.of(&turn.member.login)) {
        let request = turn.request_with_key(key.expose());
        people::send(gateway, &format!("/{name}{}", request.path), &request.headers, request.body).await;
    }
}

/// The files of a demo.
pub(crate) struct Files {
    /// Everything is below.
    pub(crate) folder: PathBuf,
    /// The policy that runs: edit it.
    pub(crate) policy: PathBuf,
    services: PathBuf,
    authority: PathBuf,
    callers: PathBuf,
}

impl Files {
    fn prepare(folder: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder `{}`", folder.display()))?;
        let folder = folder.canonicalize().with_context(|| format!("cannot use the folder `{}`", folder.display()))?;
        let files = Self {
            policy: folder.join("policy.md"),
            services: folder.join("services.toml"),
            authority: folder.join("simulated-ca.pem"),
            callers: folder.join("callers.json"),
            folder,
        };
        // What somebody has edited stays as it is.
        for (path, text) in [(&files.policy, GENERAL), (&files.services, include_str!("services.toml"))] {
            if !path.exists() {
                std::fs::write(path, text).with_context(|| format!("cannot write `{}`", path.display()))?;
            }
        }
        Ok(files)
    }
}

/// The template that ships.
const GENERAL: &str = include_str!("../../../../catalog/policies/general.md");

async fn start_services(options: &Options, files: &Files) -> anyhow::Result<RunningServices> {
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, options.port.saturating_add(8)));
    let names: Vec<String> = SERVICES.iter().map(|(_, _, _, host, _)| (*host).to_owned()).collect();
    let ca = SimCa::generate().context("cannot make the simulated certificate authority")?;
    std::fs::write(&files.authority, ca.pem())
        .with_context(|| format!("cannot write `{}`", files.authority.display()))?;
    let services =
        services::start(ServicesOptions { listen, seed: SEED, names, ca: Some(ca), ..ServicesOptions::default() })
            .await;
    services.with_context(|| {
        format!("cannot start the simulated services on {listen}: is another program there? Try `--port`")
    })
}

fn config(options: &Options, files: &Files, company: &Company, services: SocketAddr) -> anyhow::Result<Config> {
    let provider =
        |(name, service, tier, host, credential): &(&str, &'static str, &'static str, &str, &str)| ProviderConfig {
            name: (*name).to_owned(),
            service: Term::fixed(service),
            tier: Term::fixed(tier),
            account: Account::Corporate,
            base: format!("https://{host}"),
            credential: (*credential).to_owned(),
        };
    let resolve = SERVICES.iter().map(|(_, _, _, host, _)| ((*host).to_owned(), services)).collect();
    Ok(Config {
        data_directory: files.folder.join("data"),
        policy: files.policy.clone(),
        services: vec![files.services.clone()],
        organisation: Organisation { name: company.name.to_owned(), host: None, help_desk: Some("4357".into()) },
        key_encryption: KeyEncryption::File(files.folder.join("writ.key")),
        ledger: LedgerConfig::default(),
        gateway: Some(GatewayConfig {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, options.port)),
            providers: SERVICES.iter().map(provider).collect(),
        }),
        proxy: None,
        console: None,
        upstream: UpstreamConfig {
            public_roots: false,
            extra_roots: vec![files.authority.clone()],
            resolve,
            parent: None,
        },
    })
}

/// Callers and credentials, as an administrator would set them up.
async fn set_up(config: &Config, files: &Files, company: &Company) -> anyhow::Result<Keys> {
    let home = Home::open(config).await?;
    let ProviderKeys { openai, anthropic, gemini } = ProviderKeys::default();
    let secrets = [openai.clone(), anthropic, gemini, openai];
    for ((name, service, ..), secret) in SERVICES.iter().zip(secrets) {
        let credential = ProviderCredential { service: (*service).into(), name: (*name).into(), secret: secret.into() };
        home.state.set_provider_credential(&credential, "admin", &home.ledger).await?;
    }
    let keys = Keys::load_or_make(&home, company, &files.callers, &files.folder.join("reveal")).await;
    home.close().await?;
    keys
}
