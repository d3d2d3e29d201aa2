//! Runs the simulated AI services as a process, for demos, client tests and load tests.
//!
//! ```text
//! writ-sim services --listen 127.0.0.1:PORT --dir DIR [--seed N] [--name HOST]... [--count-only] [--stdin-eof]
//! ```
//!
//! Writes `DIR/ca.pem` (the certificate to trust), `DIR/journal.jsonl` (what arrived, credentials left out) and, last,
//! `DIR/ready` with the address; the same address is printed as `ready ADDRESS`. Ends on SIGTERM, on Ctrl-C, and,
//! with `--stdin-eof`, when standard input closes. The keys that clients have to show are read from
//! `SIM_OPENAI_KEY`, `SIM_ANTHROPIC_KEY` and `SIM_GEMINI_KEY`; unset, they are `sim-openai-key` and so on.

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use tokio::io::AsyncReadExt;
use tokio::signal::unix::{SignalKind, signal};
use writ_sim::services::{self, JournalMode, ProviderKeys, RunningServices, ServicesOptions};

const USAGE: &str = "usage: writ-sim services --listen 127.0.0.1:PORT --dir DIR [--seed N] [--name HOST]... \
                     [--count-only] [--stdin-eof]";

fn main() -> ExitCode {
    let outcome = Arguments::parse(std::env::args().skip(1)).and_then(|arguments| {
        let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
        runtime.block_on(run(arguments)).map_err(|error| error.to_string())
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            // Nothing is left to report to where standard error is closed.
            let _ = writeln!(std::io::stderr(), "error: {message}");
            ExitCode::FAILURE
        }
    }
}

#[derive(Debug)]
struct Arguments {
    listen: SocketAddr,
    dir: PathBuf,
    seed: u64,
    names: Vec<String>,
    count_only: bool,
    stdin_eof: bool,
}

impl Arguments {
    fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        if words.next().as_deref() != Some("services") {
            return Err(USAGE.to_owned());
        }
        let (mut listen, mut dir, mut seed, mut names) = (SocketAddr::from(([127, 0, 0, 1], 0)), None, 1, Vec::new());
        let (mut count_only, mut stdin_eof) = (false, false);
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("`{word}` needs a value\n{USAGE}"));
            match word.as_str() {
                "--listen" => listen = parsed(&word, &value()?)?,
                "--dir" => dir = Some(PathBuf::from(value()?)),
                "--seed" => seed = parsed(&word, &value()?)?,
                "--name" => names.push(value()?),
                "--count-only" => count_only = true,
                "--stdin-eof" => stdin_eof = true,
                _ => return Err(format!("unknown argument `{word}`\n{USAGE}")),
            }
        }
        let dir = dir.ok_or_else(|| format!("`--dir` is missing\n{USAGE}"))?;
        Ok(Self { listen, dir, seed, names, count_only, stdin_eof })
    }
}

fn parsed<T: std::str::FromStr>(name: &str, value: &str) -> Result<T, String> {
    value.parse().map_err(|_| format!("`{value}` is not a value of `{name}`"))
}

async fn run(arguments: Arguments) -> std::io::Result<()> {
    std::fs::create_dir_all(&arguments.dir)?;
    let ready = arguments.dir.join("ready");
    // A file of an earlier run must not announce an address that is not served yet.
    let _ = std::fs::remove_file(&ready);
    let mut terminated = signal(SignalKind::terminate())?;
    let mut interrupted = signal(SignalKind::interrupt())?;
    let services = start(&arguments).await?;
    announce(&services, &arguments.dir, &ready)?;
    tokio::select! {
        _ = terminated.recv() => {}
        _ = interrupted.recv() => {}
        () = stdin_closed(), if arguments.stdin_eof => {}
    }
    services.stop().await;
    let _ = std::fs::remove_file(&ready);
    // A thread that still waits for standard input must not hold the process.
    std::process::exit(0)
}

async fn start(arguments: &Arguments) -> std::io::Result<RunningServices> {
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
        names: arguments.names.clone(),
        journal: if arguments.count_only { JournalMode::CountOnly } else { JournalMode::default() },
        journal_file: Some(arguments.dir.join("journal.jsonl")),
        ca: None,
    })
    .await
}

fn announce(services: &RunningServices, dir: &Path, ready: &Path) -> std::io::Result<()> {
    std::fs::write(dir.join("ca.pem"), &services.ca_pem)?;
    let partial = dir.join("ready.partial");
    std::fs::write(&partial, format!("{}\n", services.addr))?;
    std::fs::rename(partial, ready)?;
    let mut out = std::io::stdout();
    writeln!(out, "ready {}", services.addr)?;
    out.flush()
}

async fn stdin_closed() {
    let (mut input, mut buffer) = (tokio::io::stdin(), [0; 1024]);
    while matches!(input.read(&mut buffer).await, Ok(count) if count > 0) {}
}
