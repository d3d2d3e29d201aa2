//! `writ demo`: a small company uses AI services through gateway and proxy, all on loopback and offline; visitors look
//! at it in the console, and can be one of its people on a chat page.
//!
//! It uses the production path only: the same server, with authentication, over verified TLS. What is different is
//! given from outside: names of AI services resolve to the simulator (which `writ serve` refuses), the simulator's
//! certificate authorities are trusted, and the organisation's root lies beside the data, so that the chat page can
//! trust it as a browser would.
//!
//! * [`files`]: what lies in the demo's folder; * [`company`]: people, keys, accounts, as an administrator makes them;
//! * [`traffic`]: sends what the company asks; * [`tours`]: three walks over live pages, and what their buttons do;
//! * [`view`]: one line per verdict in the terminal.

mod company;
mod files;
mod stage;
mod tours;
mod traffic;
mod view;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::sync::watch;
use writ_model::{Account, Device, Term};
use writ_sim::chat::{self, ChatOptions, ChatPerson, ChatService, RunningChat};
use writ_sim::company::{CORPORATE_ACCOUNT, Company, Service};
use writ_sim::services::{self, RunningServices, ServicesOptions, SimCa, Site, SiteCertificate, SiteKind};

use crate::cli::{Exit, Output};
use crate::config::{
    Config, ConsoleConfig, GatewayConfig, KeyEncryption, LedgerConfig, Organisation, PersonalAccountsConfig,
    ProviderConfig, ProxyConfig, UpstreamConfig,
};
use crate::serve::{self, Extras, Server};
use company::{CAST, People};
use files::Files;
use stage::Stage;
use traffic::Traffic;

/// How a demo is started.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// Where its data is kept; a second start goes on with it.
    pub(crate) data: PathBuf,
    /// The console's port. Proxy and gateway are 1 and 2 above, the simulated services 10, the chat page 11.
    pub(crate) port: u16,
    /// Which company, and what its people ask.
    pub(crate) seed: u64,
    /// Whether the company asks by itself.
    pub(crate) traffic: bool,
    /// Turns of the company after which it ends by itself; it goes on until Ctrl-C otherwise.
    pub(crate) turns: Option<usize>,
}

/// Between two turns of the company: slow enough to be read.
const PACE: Duration = Duration::from_millis(1500);
/// Turns at the beginning of a new demo that are not waited for, so that there is something to see.
const OPENING: usize = 60;

/// An AI service behind the gateway: name there, catalog id, plan, host, how it wants its credential.
const PROVIDERS: &[(&str, &str, &str, &str, &str)] = &[
    ("openai", "openai-api", "standard", "api.openai.com", "bearer"),
    ("anthropic", "anthropic-api", "standard", "api.anthropic.com", "x-api-key"),
    ("gemini", "gemini-api", "paid", "generativelanguage.googleapis.com", "x-goog-api-key"),
    ("deepseek", "deepseek-api", "unknown", "api.deepseek.com", "bearer"),
];

/// What the simulator plays beside the model APIs: chats with pages, a sign-in host, and three sites that are none of
/// anybody's business, with certificates of an authority of their own.
pub(crate) const BANK: &str = "www.harbour-bank.example";
const MAIL: &str = "mail.postbox.example";
const UNION: &str = "www.care-workers-union.example";
const SIGN_IN: &str = "login.microsoftonline.com";

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
    let company = Company::seeded(options.seed);
    let services = start_services(options, &files).await?;
    let config = config(options, &files, &company, services.addr);
    let people = Arc::new(company::set_up(&config, &files, &company).await?);
    let stage = Arc::new(Stage::new(&files, services.switch.clone()));
    let tours = tours::tours(options, &stage, &people);
    let extras = Extras { tours: Some(tours), before_scan: Some(stage.before_scan()) };
    let (stop, stopped) = watch::channel(false);
    let server = Server::start(config, None, extras, stopped).await?;
    let chat = start_chat(options, &files, &company, &people).await?;
    let traffic = Arc::new(Traffic::new(&server, &people, &files)?);
    stage.set(&server, Arc::clone(&traffic));
    let links = tours::links(&server).await?;
    output.text(&view::welcome(&company, &files, options, &people, &links))?;
    output.flush()?;
    let ended = run_company(options, &company, &server, &traffic, files.fresh, output).await;
    let _nobody_listens = stop.send(true);
    stage.clear();
    chat.stop().await;
    server.finish().await?;
    services.stop().await;
    ended?;
    output.line(format_args!(
        "\nStopped. What happened stays in {}; the next start goes on from there.",
        files.folder.display()
    ))?;
    Ok(())
}

/// Lets the company ask, and shows one line per verdict, until the process is told to stop.
async fn run_company(
    options: &Options,
    company: &Company,
    server: &Server,
    traffic: &Arc<Traffic>,
    fresh: bool,
    output: &mut Output,
) -> anyhow::Result<()> {
    let mut view = view::View::new(server.home(), Arc::clone(server.live()));
    let mut script = company.script();
    let ended = serve::signal();
    tokio::pin!(ended);
    let mut turns = 0;
    while options.turns.is_none_or(|most| turns < most) {
        let pace = if fresh && turns < OPENING { Duration::ZERO } else { PACE };
        let turn = async {
            tokio::time::sleep(pace).await;
            if options.traffic
                && let Some(turn) = script.next()
            {
                traffic.turn(&turn).await;
            }
        };
        tokio::select! {
            () = &mut ended => break,
            () = turn => {}
        }
        turns += 1;
        view.show(output)?;
    }
    view.show(output)
}

async fn start_services(options: &Options, files: &Files) -> anyhow::Result<RunningServices> {
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, options.port.saturating_add(10)));
    let ca = SimCa::generate().context("cannot make the simulated certificate authority")?;
    let sites_ca = SimCa::named("Harbour Trust Services").context("cannot make the simulated certificate authority")?;
    files.write(&files.service_roots, &format!("{}{}", ca.pem(), sites_ca.pem()))?;
    let names = PROVIDERS.iter().map(|(_, _, _, host, _)| (*host).to_owned()).collect();
    let elsewhere = |host: &str, kind| Site { host: host.to_owned(), kind, certificate: SiteCertificate::Sites };
    let here = |host: &str, kind| Site { host: host.to_owned(), kind, certificate: SiteCertificate::Services };
    let sites = vec![
        Site::chat(Service::CHATGPT.host, "ChatGPT", Service::CHATGPT.model, "#10a37f"),
        Site::chat(Service::CLAUDE.host, "Claude", Service::CLAUDE.model, "#c15f3c"),
        Site::chat(Service::DEEPSEEK.host, "DeepSeek", Service::DEEPSEEK.model, "#4d6bfe"),
        Site::chat(Service::ASSISTANT.host, "Care Copilot", Service::ASSISTANT.model, "#0b6bcb"),
        here(SIGN_IN, SiteKind::SignIn),
        elsewhere(BANK, SiteKind::Bank),
        elsewhere(MAIL, SiteKind::Mail),
        elsewhere(UNION, SiteKind::Union),
    ];
    let (ca, sites_ca) = (Some(ca), Some(sites_ca));
    let started = services::start(ServicesOptions {
        listen,
        seed: options.seed,
        names,
        sites,
        journal_file: Some(files.journal.clone()),
        ca,
        sites_ca,
        ..ServicesOptions::default()
    });
    started.await.with_context(|| {
        format!("cannot start the simulated services on {listen}: is another program there? Try `--port`")
    })
}

fn config(options: &Options, files: &Files, company: &Company, services: SocketAddr) -> Config {
    let at = |above: u16| SocketAddr::from((Ipv4Addr::LOCALHOST, options.port.saturating_add(above)));
    let provider =
        |(name, service, tier, host, credential): &(&str, &'static str, &'static str, &str, &str)| ProviderConfig {
            name: (*name).to_owned(),
            service: Term::fixed(service),
            tier: Term::fixed(tier),
            account: Account::Corporate,
            base: format!("https://{host}"),
            credential: (*credential).to_owned(),
        };
    let chats = [Service::CHATGPT, Service::CLAUDE, Service::DEEPSEEK, Service::ASSISTANT];
    let hosts = PROVIDERS.iter().map(|(_, _, _, host, _)| *host).chain(chats.iter().map(|chat| chat.host));
    let hosts = hosts.chain([SIGN_IN, BANK, MAIL, UNION]);
    Config {
        data_directory: files.folder.join("data"),
        policy: files.policy.clone(),
        services: vec![files.services.clone()],
        organisation: Organisation {
            name: company.name.to_owned(),
            host: Some(format!("http://{}", at(0))),
            help_desk: Some("4357".into()),
            first_use_notice: true,
            private_way: true,
        },
        key_encryption: KeyEncryption::File(files.folder.join("writ.key")),
        ledger: LedgerConfig::default(),
        gateway: Some(GatewayConfig { listen: at(2), providers: PROVIDERS.iter().map(provider).collect() }),
        proxy: Some(ProxyConfig {
            listen: at(1),
            personal_accounts: PersonalAccountsConfig::Refuse,
            devices: Device::Managed,
            protected_groups: company::PROTECTED.iter().map(|group| Term::fixed(group)).collect(),
            authority: files.authority.clone(),
            ..ProxyConfig::default()
        }),
        console: Some(ConsoleConfig {
            listen: at(0),
            continue_in: [(
                Term::fixed(Service::ASSISTANT.id),
                format!("http://{}/chat/{}", at(11), Service::ASSISTANT.id),
            )]
            .into(),
            ..ConsoleConfig::default()
        }),
        upstream: UpstreamConfig {
            public_roots: false,
            extra_roots: vec![files.service_roots.clone()],
            resolve: hosts.map(|host| (host.to_owned(), services)).collect(),
            ..UpstreamConfig::default()
        },
    }
}

/// The chat page, on which a visitor is one of the company's people.
async fn start_chat(
    options: &Options,
    files: &Files,
    company: &Company,
    people: &People,
) -> anyhow::Result<RunningChat> {
    let at = |above: u16| SocketAddr::from((Ipv4Addr::LOCALHOST, options.port.saturating_add(above)));
    let roots =
        std::fs::read_to_string(&files.root).with_context(|| format!("cannot read `{}`", files.root.display()))?;
    let tool =
        |service: Service, name: &str, tagline: &str, path: &str, colour: &str, headers: &[(&str, &str)]| ChatService {
            id: service.id.to_owned(),
            name: name.to_owned(),
            tagline: tagline.to_owned(),
            host: service.host.to_owned(),
            path: path.to_owned(),
            model: service.model.to_owned(),
            colour: colour.to_owned(),
            headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        };
    let mut chat = ChatOptions::new(at(1), roots, company.name);
    chat.listen = at(11);
    chat.services = vec![
        tool(
            Service::CHATGPT,
            "ChatGPT",
            "public chat, with the company's account",
            "/backend-api/chat/completions",
            "#10a37f",
            &[("chatgpt-account-id", CORPORATE_ACCOUNT)],
        ),
        tool(Service::ASSISTANT, "Care Copilot", "the company's own assistant", "/v1/chat/completions", "#0b6bcb", &[]),
        tool(
            Service::CLAUDE,
            "Claude",
            "public chat, with a private account",
            "/api/organizations/personal-1/chat/completions",
            "#c15f3c",
            &[("cookie", "lastActiveOrg=personal-1")],
        ),
        tool(Service::DEEPSEEK, "DeepSeek", "public chat that was denied", "/api/v0/chat/completions", "#4d6bfe", &[]),
    ];
    chat.people = CAST
        .iter()
        .filter(|person| person.chats)
        .map(|person| ChatPerson {
            login: person.login.to_owned(),
            password: people.password_of(person.login),
            name: person.name.to_owned(),
            role: person.title.to_owned(),
        })
        .collect();
    chat::start(chat)
        .await
        .with_context(|| format!("cannot start the chat page on {}: is another program there? Try `--port`", at(11)))
}
