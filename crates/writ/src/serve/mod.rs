//! `writ serve`: opens the data directory, builds the snapshot, opens the doors, follows changes, and ends cleanly.
//!
//! * [`Server`]: what is opened at the start, in the order in which each needs the other;
//! * [`running`]: what may change while it runs, and how a change is taken over whole or not at all;
//! * [`doors`]: gateway, forward proxy and console, from their settings; beside them the door for commands
//!   ([`crate::door`]);
//! * [`drafts`]: other texts, read as the policy's file would be, for the studio;
//! * [`health`]: what the console says about all of it.

mod doors;
mod drafts;
mod health;
mod running;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use writ_ca::Authority;
use writ_console::Tours;
use writ_engine::BeforeScan;
use writ_identity::Accounts;
use writ_proxy::drive::Edge;
use writ_proxy::live::Live;
use writ_proxy::recorder::Recorder;
use writ_proxy::upstream::Upstream;
use writ_store::Index;
use writ_store::index::Opener;

use crate::config::Config;
use crate::door::{Desk, Door};
use crate::wiring::Home;
pub(crate) use running::Running;

/// How often the index catches up with the ledger.
const INDEX: Duration = Duration::from_millis(500);

/// Serves until the process is told to stop (SIGTERM, SIGINT).
///
/// # Errors
/// If the configuration cannot be used, the data directory cannot be opened, the policy does not run, or an address is
/// taken.
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
        let server = Server::start(config, Some(config_path), Extras::default(), stopped).await?;
        for (door, address) in server.doors() {
            // The line that whoever started us waits for.
            tracing::info!(%address, "the {door} is ready");
        }
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

/// What only some starts bring along.
#[derive(Clone, Default)]
pub(crate) struct Extras {
    /// Guided walks over the console.
    pub(crate) tours: Option<Arc<dyn Tours>>,
    /// Sees each text before it is scanned.
    pub(crate) before_scan: Option<BeforeScan>,
}

/// A running Writ.
pub(crate) struct Server {
    /// Where the gateway listens.
    pub(crate) gateway: Option<SocketAddr>,
    /// Where the forward proxy listens.
    pub(crate) proxy: Option<SocketAddr>,
    /// Where the console listens.
    pub(crate) console: Option<SocketAddr>,
    running: Arc<Running>,
    home: Arc<Home>,
    tasks: Vec<JoinHandle<()>>,
}

impl Server {
    /// Opens everything and begins to serve. `config_path` is followed for changes, if it is given.
    pub(crate) async fn start(
        config: Config,
        config_path: Option<PathBuf>,
        extras: Extras,
        stop: watch::Receiver<bool>,
    ) -> anyhow::Result<Self> {
        if config.gateway.is_none() && config.proxy.is_none() && config.console.is_none() {
            bail!("the configuration has none of `[gateway]`, `[proxy]` and `[console]`: there is nothing to serve");
        }
        let home = Arc::new(Home::open(&config).await?);
        let listeners = Listeners::bind(&config).await?;
        let engine = running::engine(&config, &home, extras.before_scan.clone()).await?;
        let running = Running::start(&config, &home, engine).await?;
        let index = Arc::new(Index::open_with(&home.directory.index(), Opener::new(Arc::clone(&home.state))).await?);
        let upstream = Upstream::new(doors::upstream_options(&config, &listeners.addresses())?)?;
        let recorder = Recorder::new(home.ledger.clone(), Arc::clone(&home.state), Arc::clone(&home.randomness));
        let edge = Edge::new(upstream, recorder, Arc::clone(&home.clock));
        let accounts = home.accounts();
        let parts = doors::Parts { config: &config, home: &home, running: &running, edge: &edge };
        let mut server = Self {
            gateway: None,
            proxy: None,
            console: None,
            running: Arc::clone(&running),
            home: Arc::clone(&home),
            tasks: vec![tokio::spawn(follow_ledger(Arc::clone(&home), Arc::clone(&index), stop.clone()))],
        };
        let authority = server.open(listeners, &parts, &index, accounts.clone(), extras.tours, &stop)?;
        let desk = Desk::running(&config, Arc::clone(&home), accounts, Arc::clone(&running));
        server.tasks.push(tokio::spawn(Door::open(&home.directory)?.serve(desk, stop.clone())));
        server.tasks.push(tokio::spawn(Arc::clone(&running).follow(config, config_path, authority, home, stop)));
        Ok(server)
    }

    /// Opens the doors, each with its listener; the certificate authority of the forward proxy, if that is one of them.
    fn open(
        &mut self,
        listeners: Listeners,
        parts: &doors::Parts<'_>,
        index: &Arc<Index>,
        accounts: Accounts,
        tours: Option<Arc<dyn Tours>>,
        stop: &watch::Receiver<bool>,
    ) -> anyhow::Result<Option<Arc<Authority>>> {
        let addresses = listeners.addresses();
        if let Some(listener) = listeners.gateway {
            self.gateway = Some(listener.local_addr().context("the gateway has no address")?);
            self.tasks.push(tokio::spawn(doors::gateway(parts).serve(listener, stop.clone())));
        }
        let mut authority = None;
        if let (Some(first), Some(proxy)) = (listeners.proxy.first(), &parts.config.proxy) {
            self.proxy = Some(first.local_addr().context("the proxy has no address")?);
            let opened = Arc::new(doors::authority(&proxy.authority, parts.home)?);
            let forward = doors::forward(parts, proxy, Arc::clone(&opened));
            for listener in listeners.proxy {
                let (forward, stop) = (forward.clone(), stop.clone());
                self.tasks.push(tokio::spawn(async move { forward.serve(listener, stop).await }));
            }
            if let (Some(listener), Some(door)) = (listeners.certificates, &proxy.client_certificates) {
                let tls = doors::certificate_door(door)?;
                let stop = stop.clone();
                self.tasks.push(tokio::spawn(async move { forward.serve_tls(listener, tls, stop).await }));
            }
            authority = Some(opened);
        }
        if let (Some(listener), Some(console)) = (listeners.console, &parts.config.console) {
            let address = listener.local_addr().context("the console has no address")?;
            self.console = Some(address);
            let health = health::Reporter::new(parts, index, authority.clone(), &addresses);
            let proxy = self.proxy;
            let made = doors::console(
                parts,
                console,
                address,
                doors::Seen { index, accounts, tours, authority: authority.clone(), health, proxy },
            )?;
            self.tasks.push(tokio::spawn(made.serve(listener, stop.clone())));
        }
        Ok(authority)
    }

    /// The doors that are open, by name.
    fn doors(&self) -> Vec<(&'static str, SocketAddr)> {
        let all = [("gateway", self.gateway), ("forward proxy", self.proxy), ("console", self.console)];
        all.into_iter().filter_map(|(name, address)| Some((name, address?))).collect()
    }

    /// What runs now.
    pub(crate) fn live(&self) -> &Arc<Live> {
        &self.running.live
    }

    /// The policy that runs, and what became of the last change.
    pub(crate) fn running(&self) -> &Arc<Running> {
        &self.running
    }

    /// Waits for what runs to end, then closes the data directory. The stop must have been asked for.
    pub(crate) async fn finish(self) -> anyhow::Result<()> {
        for task in self.tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "a task ended by itself");
            }
        }
        drop(self.running);
        self.home.close().await
    }

    /// The data directory.
    pub(crate) fn home(&self) -> &Arc<Home> {
        &self.home
    }
}

/// The addresses, taken before anything is begun.
struct Listeners {
    gateway: Option<TcpListener>,
    /// The common one first, then those of one person each.
    proxy: Vec<TcpListener>,
    /// For clients with certificates.
    certificates: Option<TcpListener>,
    console: Option<TcpListener>,
}

impl Listeners {
    async fn bind(config: &Config) -> anyhow::Result<Self> {
        let mut all = Self { gateway: None, proxy: Vec::new(), certificates: None, console: None };
        if let Some(gateway) = &config.gateway {
            all.gateway = Some(bind(gateway.listen).await?);
        }
        if let Some(proxy) = &config.proxy {
            for address in [proxy.listen].iter().chain(proxy.ports.keys()) {
                all.proxy.push(bind(*address).await?);
            }
            if let Some(door) = &proxy.client_certificates {
                all.certificates = Some(bind(door.listen).await?);
            }
        }
        if let Some(console) = &config.console {
            all.console = Some(bind(console.listen).await?);
        }
        Ok(all)
    }

    fn addresses(&self) -> Vec<(&'static str, SocketAddr)> {
        let one = |name: &'static str, listener: &TcpListener| Some((name, listener.local_addr().ok()?));
        let gateway = self.gateway.iter().filter_map(|listener| one("gateway", listener));
        let proxy = self.proxy.iter().chain(&self.certificates);
        let proxy = proxy.filter_map(|listener| one("forward proxy", listener));
        let console = self.console.iter().filter_map(|listener| one("console", listener));
        gateway.chain(proxy).chain(console).collect()
    }
}

async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}: is another program there?"))
}

/// Keeps the index close behind the ledger. If it cannot, it says so and tries again; the decision path does not need it.
async fn follow_ledger(home: Arc<Home>, index: Arc<Index>, mut stop: watch::Receiver<bool>) {
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
