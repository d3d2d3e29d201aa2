//! Runs the simulated AI services, or the chat page, as a process: for demos, client tests and load tests.
//!
//! ```text
//! writ-sim services --listen 127.0.0.1:PORT --dir DIR [--seed N] [--name HOST]... [--site KIND=HOST]...
//!                   [--count-only] [--stdin-eof]
//! writ-sim chat --listen 127.0.0.1:PORT --dir DIR --proxy ADDRESS --roots FILE [--organisation NAME]
//!               --service ID=NAME@HOST [--service ...] --person LOGIN:PASSWORD:NAME [--person ...]
//!               [--opening TEXT]... [--link-host HOST]... [--stdin-eof]
//! writ-sim company [--seed N] [--turns N]
//! ```
//!
//! `services` writes `DIR/ca.pem` (the certificate to trust), `DIR/sites-ca.pem` (the second authority's),
//! `DIR/journal.jsonl` (what arrived, credentials left out) and, last, `DIR/ready` with the address; the same address is
//! printed as `ready ADDRESS`. Kinds of sites: `chat`, `sign-in`, `bank`, `mail`, `union`, `plain`, and `expired`,
//! `wrong-name` and `self-signed` for plain sites whose certificate does not hold. `SIGUSR1` pulls the services out
//! (connections are refused), `SIGUSR2` brings them back. The keys that clients have to show are read from
//! `SIM_OPENAI_KEY`, `SIM_ANTHROPIC_KEY` and `SIM_GEMINI_KEY`; unset, they are `sim-openai-key` and so on.
//!
//! `chat` announces itself in the same way. `company` prints turns of the company's script as JSON, one a line.
//!
//! `services` and `chat` end on SIGTERM, on Ctrl-C, and, with `--stdin-eof`, when standard input closes.

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use tokio::io::AsyncReadExt;
use tokio::signal::unix::{SignalKind, signal};
use writ_sim::chat::{self, ChatOptions, ChatPerson, ChatService};
use writ_sim::company::Company;
use writ_sim::services::{
    self, JournalMode, ProviderKeys, Pulled, RunningServices, ServicesOptions, Site, SiteCertificate, SiteKind,
    UpstreamSwitch,
};

const USAGE: &str = "usage: writ-sim services --listen 127.0.0.1:PORT --dir DIR [--seed N] [--name HOST]... \
                     [--site KIND=HOST]... [--count-only] [--stdin-eof]\n       \
                     writ-sim chat --listen 127.0.0.1:PORT --dir DIR --proxy ADDRESS --roots FILE \
                     --service ID=NAME@HOST... --person LOGIN:PASSWORD:NAME... [--organisation NAME] \
                     [--opening TEXT]... [--link-host HOST]... [--stdin-eof]\n       \
                     writ-sim company [--seed N] [--turns N]";

/// Turns of `company` where none are asked for.
const TURNS: usize = 100;

fn main() -> ExitCode {
    match run(std::env::args().skip(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            // Nothing is left to report to where standard error is closed.
            let _ = writeln!(std::io::stderr(), "error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(mut words: impl Iterator<Item = String>) -> Result<(), String> {
    let command = words.next();
    let arguments = match command.as_deref() {
        Some("services" | "chat" | "company") => Arguments::parse(words)?,
        _ => return Err(USAGE.to_owned()),
    };
    if command.as_deref() == Some("company") {
        return company(&arguments).map_err(|error| error.to_string());
    }
    let dir = arguments.dir.clone().ok_or_else(|| format!("`--dir` is missing\n{USAGE}"))?;
    let chat = match command.as_deref() {
        Some("chat") => Some(arguments.chat()?),
        _ => None,
    };
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    runtime.block_on(serve(arguments, chat, dir)).map_err(|error| error.to_string())
}

#[derive(Debug)]
struct Arguments {
    listen: SocketAddr,
    dir: Option<PathBuf>,
    seed: u64,
    turns: usize,
    names: Vec<String>,
    sites: Vec<Site>,
    count_only: bool,
    stdin_eof: bool,
    proxy: Option<SocketAddr>,
    roots: Option<PathBuf>,
    organisation: String,
    services: Vec<ChatService>,
    people: Vec<ChatPerson>,
    openings: Vec<String>,
    link_hosts: Vec<String>,
}

impl Default for Arguments {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            dir: None,
            seed: 1,
            turns: TURNS,
            names: Vec::new(),
            sites: Vec::new(),
            count_only: false,
            stdin_eof: false,
            proxy: None,
            roots: None,
            organisation: "Northwind Health".to_owned(),
            services: Vec::new(),
            people: Vec::new(),
            openings: Vec::new(),
            link_hosts: Vec::new(),
        }
    }
}

impl Arguments {
    fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut given = Self::default();
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("`{word}` needs a value\n{USAGE}"));
            match word.as_str() {
                "--listen" => given.listen = parsed(&word, &value()?)?,
                "--dir" => given.dir = Some(PathBuf::from(value()?)),
                "--seed" => given.seed = parsed(&word, &value()?)?,
                "--turns" => given.turns = parsed(&word, &value()?)?,
                "--name" => given.names.push(value()?),
                "--site" => given.sites.push(read(&word, &value()?, site)?),
                "--count-only" => given.count_only = true,
                "--stdin-eof" => given.stdin_eof = true,
                "--proxy" => given.proxy = Some(parsed(&word, &value()?)?),
                "--roots" => given.roots = Some(PathBuf::from(value()?)),
                "--organisation" => given.organisation = value()?,
                "--service" => given.services.push(read(&word, &value()?, service)?),
                "--person" => given.people.push(read(&word, &value()?, person)?),
                "--opening" => given.openings.push(value()?),
                "--link-host" => given.link_hosts.push(value()?),
                _ => return Err(format!("unknown argument `{word}`\n{USAGE}")),
            }
        }
        Ok(given)
    }

    fn chat(&self) -> Result<ChatOptions, String> {
        let missing = |name: &str| format!("`{name}` is missing\n{USAGE}");
        let roots = self.roots.as_ref().ok_or_else(|| missing("--roots"))?;
        let roots =
            std::fs::read_to_string(roots).map_err(|error| format!("`{}` cannot be read: {error}", roots.display()))?;
        let proxy = self.proxy.ok_or_else(|| missing("--proxy"))?;
        Ok(ChatOptions {
            listen: self.listen,
            services: self.services.clone(),
            people: self.people.clone(),
            openings: self.openings.clone(),
            link_hosts: self.link_hosts.clone(),
            ..ChatOptions::new(proxy, roots, self.organisation.clone())
        })
    }
}

fn parsed<T: std::str::FromStr>(name: &str, value: &str) -> Result<T, String> {
    value.parse().map_err(|_| not_a_value(name, value))
}

fn read<T>(name: &str, value: &str, reader: impl Fn(&str) -> Option<T>) -> Result<T, String> {
    reader(value).ok_or_else(|| not_a_value(name, value))
}

fn not_a_value(name: &str, value: &str) -> String {
    format!("`{value}` is not a value of `{name}`")
}

/// `KIND=HOST`.
fn site(text: &str) -> Option<Site> {
    let (kind, host) = text.split_once('=')?;
    let plain = |certificate| Some(Site::new(host, SiteKind::Plain, certificate));
    match kind {
        "chat" => Some(Site::chat(host, host, "sim-chat-1", "#3b5bdb")),
        "sign-in" => Some(Site::sign_in(host)),
        "bank" => Some(Site::other(host, SiteKind::Bank)),
        "mail" => Some(Site::other(host, SiteKind::Mail)),
        "union" => Some(Site::other(host, SiteKind::Union)),
        "plain" => plain(SiteCertificate::Sites),
        "expired" => plain(SiteCertificate::Expired),
        "wrong-name" => plain(SiteCertificate::WrongName),
        "self-signed" => plain(SiteCertificate::SelfSigned),
        _ => None,
    }
}

/// `ID=NAME@HOST`.
fn service(text: &str) -> Option<ChatService> {
    let (id, rest) = text.split_once('=')?;
    let (name, host) = rest.rsplit_once('@')?;
    Some(ChatService {
        id: id.to_owned(),
        name: name.to_owned(),
        tagline: host.to_owned(),
        host: host.to_owned(),
        path: "/v1/chat/completions".to_owned(),
        model: "sim-chat-1".to_owned(),
        colour: "#3b5bdb".to_owned(),
        headers: Vec::new(),
    })
}

/// `LOGIN:PASSWORD:NAME`.
fn person(text: &str) -> Option<ChatPerson> {
    let mut parts = text.splitn(3, ':').map(str::to_owned);
    let (login, password, name) = (parts.next()?, parts.next()?, parts.next()?);
    Some(ChatPerson { login, password, name, role: String::new() })
}

fn company(arguments: &Arguments) -> std::io::Result<()> {
    let company = Company::seeded(arguments.seed);
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for turn in company.script().take(arguments.turns) {
        writeln!(out, "{}", turn.to_json())?;
    }
    out.flush()
}

async fn serve(arguments: Arguments, chat: Option<ChatOptions>, dir: PathBuf) -> std::io::Result<()> {
    std::fs::create_dir_all(&dir)?;
    let ready = dir.join("ready");
    // A file of an earlier run must not announce an address that is not served yet.
    let _ = std::fs::remove_file(&ready);
    let mut terminated = signal(SignalKind::terminate())?;
    let mut interrupted = signal(SignalKind::interrupt())?;
    let stdin_eof = arguments.stdin_eof;
    let ended = async {
        tokio::select! {
            _ = terminated.recv() => {}
            _ = interrupted.recv() => {}
            () = stdin_closed(), if stdin_eof => {}
        }
    };
    match chat {
        Some(options) => {
            let chat = chat::start(options).await?;
            announce(chat.addr, &dir, &ready)?;
            ended.await;
            chat.stop().await;
        }
        None => {
            let services = start(arguments, &dir).await?;
            std::fs::write(dir.join("ca.pem"), &services.ca_pem)?;
            std::fs::write(dir.join("sites-ca.pem"), &services.sites_ca_pem)?;
            let switching = tokio::spawn(switch(services.switch.clone(), signal(SignalKind::user_defined1())?));
            let restoring = tokio::spawn(restore(services.switch.clone(), signal(SignalKind::user_defined2())?));
            announce(services.addr, &dir, &ready)?;
            ended.await;
            switching.abort();
            restoring.abort();
            RunningServices::stop(services).await;
        }
    }
    let _ = std::fs::remove_file(&ready);
    // A thread that still waits for standard input must not hold the process.
    std::process::exit(0)
}

async fn switch(switch: UpstreamSwitch, mut asked: tokio::signal::unix::Signal) {
    while asked.recv().await.is_some() {
        switch.pull(Pulled::Refused).await;
    }
}

async fn restore(switch: UpstreamSwitch, mut asked: tokio::signal::unix::Signal) {
    while asked.recv().await.is_some() {
        if let Err(error) = switch.restore().await {
            // Nothing is left to report to where standard error is closed.
            let _ = writeln!(std::io::stderr(), "error: the services cannot be brought back: {error}");
        }
    }
}

async fn start(arguments: Arguments, dir: &Path) -> std::io::Result<RunningServices> {
    let defaults = ProviderKeys::default();
    let key = |name: &str, default: String| std::env::var(name).unwrap_or(default);
    services::start(ServicesOptions {
        listen: arguments.listen,
        seed: arguments.seed,
        keys: ProviderKeys {
            openai: key("SIM_OPENAI_KEY", defaults.openai),
            anthropic: key("SIM_ANTHROPIC_KEY", defaults.anthropic),
            gemini: key("SIM_GEMINI_KEY", defaults.gemini),
        },
        names: arguments.names,
        sites: arguments.sites,
        journal: if arguments.count_only { JournalMode::CountOnly } else { JournalMode::default() },
        journal_file: Some(dir.join("journal.jsonl")),
        ca: None,
        sites_ca: None,
    })
    .await
}

fn announce(addr: SocketAddr, dir: &Path, ready: &Path) -> std::io::Result<()> {
    let partial = dir.join("ready.partial");
    std::fs::write(&partial, format!("{addr}\n"))?;
    std::fs::rename(partial, ready)?;
    let mut out = std::io::stdout();
    writeln!(out, "ready {addr}")?;
    out.flush()
}

async fn stdin_closed() {
    let (mut input, mut buffer) = (tokio::io::stdin(), [0; 1024]);
    while matches!(input.read(&mut buffer).await, Ok(count) if count > 0) {}
}
