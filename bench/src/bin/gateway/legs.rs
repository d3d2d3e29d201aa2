//! The proxies between generator and upstream: started, pinned, and ended.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};
use writ_bench::processes::{Running, free_port, pinned};

use crate::client::Target;
use crate::upstream::{EVENTS, Upstream};

/// Version of the peer.
pub(crate) const LITELLM: &str = "1.106.2";
/// The upstream asks for no credential, but each proxy wants to send one.
const UPSTREAM_KEY: &str = "sk-bench-upstream";
const PEER_KEY: &str = "sk-bench-peer";

/// A proxy that runs; killed when dropped.
pub(crate) struct Proxy {
    running: Running,
    /// Where it listens.
    pub(crate) target: Target,
}

impl Proxy {
    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.running.pid()
    }

    /// Ends it cleanly: what it has to write is written then.
    pub(crate) fn end(self) -> anyhow::Result<()> {
        self.running.end()
    }
}

/// Writ with the general policy, the ledger and the index, as `writ serve` runs it.
pub(crate) struct Writ {
    program: PathBuf,
    folder: PathBuf,
}

impl Writ {
    /// A data directory in `folder` with a caller and a provider.
    pub(crate) fn new(program: &Path, folder: &Path) -> Self {
        Self { program: program.to_owned(), folder: folder.to_owned() }
    }

    /// The folder of the ledger.
    pub(crate) fn ledger(&self) -> PathBuf {
        self.folder.join("data/ledger")
    }

    /// Makes keys, caller and provider, and starts the server.
    pub(crate) async fn start(&self, upstream: &Upstream, cpu: Option<usize>) -> anyhow::Result<Proxy> {
        let port = free_port()?;
        fs::create_dir_all(&self.folder)?;
        fs::write(self.folder.join("upstream.key"), UPSTREAM_KEY)?;
        fs::write(self.folder.join("ca.pem"), upstream.ca.pem())?;
        fs::write(self.folder.join("policy.md"), include_str!("../../../../catalog/policies/general.md"))?;
        fs::write(self.folder.join("services.toml"), SERVICES)?;
        fs::write(self.folder.join("writ.toml"), configuration(port, upstream.port))?;
        self.command(&["keys", "rotate", "reveal", "--holder", "a", "--holder", "b", "--shares", "shares"])?;
        self.command(&["provider", "set", "openai", "--key-file", "upstream.key"])?;
        let key = self.command(&["caller", "add", "--login", "bench"])?.trim().to_owned();
        let mut serve = pinned(cpu, &self.program);
        serve.args(["serve", "--config", "writ.toml"]).current_dir(&self.folder);
        let mut running = Running::start(&mut serve, &self.folder.join("log"))?;
        running.listens(port, 30).await?;
        Ok(Proxy { running, target: Target { port, tls: None, key } })
    }

    /// Runs a command of Writ in the folder; what it printed.
    fn command(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let output = Command::new(&self.program)
            .args(arguments)
            .current_dir(&self.folder)
            .output()
            .with_context(|| format!("cannot run `{}`", self.program.display()))?;
        if !output.status.success() {
            bail!("`writ {}` failed: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr));
        }
        Ok(String::from_utf8(output.stdout)?)
    }
}

const SERVICES: &str = r#"[[vetting]]
service = "openai-api"
tier = "standard"
status = "approved"
cleared = ["plain", "contact", "pii", "source-code"]
"#;

fn configuration(port: u16, upstream: u16) -> String {
    format!(
        r#"data-directory = "data"
policy = "policy.md"
services = ["services.toml"]
key-encryption = {{ file = "writ.key" }}

[gateway]
listen = "127.0.0.1:{port}"

[[gateway.provider]]
name = "openai"
service = "openai-api"
tier = "standard"
base = "https://localhost:{upstream}"

[upstream]
public-roots = false
extra-roots = ["ca.pem"]
"#
    )
}

/// The peer's program; installed into a virtual environment at the first run.
pub(crate) fn install_litellm(folder: &Path) -> anyhow::Result<PathBuf> {
    let program = folder.join("bin/litellm");
    let stamp = folder.join("version");
    if program.is_file() && fs::read_to_string(&stamp).is_ok_and(|version| version == LITELLM) {
        return Ok(program);
    }
    let run = |command: &mut Command| -> anyhow::Result<()> {
        let status = command.status().context("cannot install LiteLLM: is `python3` there?")?;
        if status.success() { Ok(()) } else { bail!("cannot install LiteLLM: {status}") }
    };
    run(Command::new("python3").args(["-m", "venv"]).arg(folder))?;
    let package = format!("litellm[proxy]=={LITELLM}");
    run(Command::new(folder.join("bin/pip")).args(["install", "--quiet", &package]))?;
    fs::write(stamp, LITELLM)?;
    Ok(program)
}

/// LiteLLM with one worker, without database, guardrail or telemetry.
pub(crate) async fn start_litellm(
    program: &Path,
    folder: &Path,
    upstream: &Upstream,
    cpu: Option<usize>,
) -> anyhow::Result<Proxy> {
    let port = free_port()?;
    fs::create_dir_all(folder)?;
    let ca = folder.join("ca.pem");
    fs::write(&ca, upstream.ca.pem())?;
    let mut text = String::from("model_list:\n");
    for events in EVENTS {
        text.push_str(&format!(
            "  - model_name: bench-{events}\n    litellm_params:\n      model: openai/bench-{events}\n      \
             api_base: https://localhost:{}/v1\n      api_key: {UPSTREAM_KEY}\n",
            upstream.port
        ));
    }
    text.push_str(&format!("general_settings:\n  master_key: {PEER_KEY}\n"));
    fs::write(folder.join("config.yaml"), text)?;
    let mut command = pinned(cpu, program);
    command.args(["--config", "config.yaml", "--host", "127.0.0.1", "--num_workers", "1"]);
    command.args(["--port", &port.to_string(), "--telemetry", "False"]).current_dir(folder);
    command.env("SSL_CERT_FILE", &ca).env("LITELLM_LOCAL_MODEL_COST_MAP", "True").env("LITELLM_LOG", "ERROR");
    command.env("NO_PROXY", "localhost,127.0.0.1").env_remove("DATABASE_URL");
    let mut running = Running::start(&mut command, &folder.join("log"))?;
    running.listens(port, 180).await?;
    Ok(Proxy { running, target: Target { port, tls: None, key: PEER_KEY.into() } })
}
