//! The legs of the comparison: no proxy, the peers, and Writ in two set-ups.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};
use base64::Engine as _;
use writ_bench::processes::{Running, free_port, pinned};

use crate::client::Way;
use crate::peers::{self, Leftovers, MITMPROXY, SERVICE_AUTHORITY, Squid};
use crate::upstream::DOMAIN;

/// What all legs share.
#[derive(Debug)]
pub(crate) struct World {
    /// The folder of this run.
    pub(crate) folder: PathBuf,
    /// The CPU that proxies run on.
    pub(crate) cpu: Option<usize>,
    /// The service's port on loopback.
    pub(crate) service: u16,
    /// The program to measure.
    pub(crate) writ: PathBuf,
}

/// A way from the generator to the service.
#[derive(Clone, Debug)]
pub(crate) enum Leg {
    /// No proxy.
    Direct,
    /// The least interceptor, with HTTP/1.1 or HTTP/2 to the service.
    Minimal { http2: bool },
    /// hudsucker.
    Hudsucker(PathBuf),
    /// mitmproxy.
    Mitmproxy(PathBuf),
    /// Squid with `ssl_bump`.
    Squid(Squid),
    /// Writ, opening connections and reading nothing.
    WritHeads,
    /// Writ with policy, detection, ledger and index.
    Writ,
}

/// A proxy that runs; killed when dropped.
pub(crate) struct Process {
    pub(crate) running: Running,
    pub(crate) way: Way,
    /// Taken away when the process has ended.
    pub(crate) after: Option<Leftovers>,
}

impl Process {
    /// Ends it, and takes away what it left behind.
    pub(crate) fn end(self, cleanly: bool) -> anyhow::Result<()> {
        let Self { running, after, .. } = self;
        let ended = if cleanly {
            running.end()
        } else {
            drop(running);
            Ok(())
        };
        drop(after);
        ended
    }
}

impl Leg {
    /// What tables call it.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Direct => "direct".into(),
            Self::Minimal { http2: false } => "minimal interceptor".into(),
            Self::Minimal { http2: true } => "minimal interceptor, h2 to the service".into(),
            Self::Hudsucker(_) => "hudsucker 0.25.0".into(),
            Self::Mitmproxy(_) => format!("mitmproxy {MITMPROXY}"),
            Self::Squid(squid) => format!("Squid {} ssl_bump", squid.version),
            Self::WritHeads => "Writ, nothing on".into(),
            Self::Writ => "Writ, everything on".into(),
        }
    }

    /// Whether clients can speak HTTP/2 to it.
    pub(crate) const fn http2(&self) -> bool {
        !matches!(self, Self::Squid(_))
    }

    pub(crate) const fn is_writ(&self) -> bool {
        matches!(self, Self::WritHeads | Self::Writ)
    }

    /// Starts what stands in the way, if there is something.
    pub(crate) async fn start(&self, world: &World) -> anyhow::Result<Option<Process>> {
        let process = match self {
            Self::Direct => return Ok(None),
            Self::Minimal { http2 } => peers::minimal(world, *http2).await,
            Self::Hudsucker(program) => peers::hudsucker(world, program).await,
            Self::Mitmproxy(program) => peers::mitmproxy(world, program).await,
            Self::Squid(squid) => squid.start(world).await,
            Self::WritHeads => Writ { world, name: "writ-heads", services: HEADS }.start().await,
            Self::Writ => Writ { world, name: "writ", services: INSPECT }.start().await,
        };
        process.map(Some).with_context(|| self.name())
    }
}

/// Writ as `writ serve` runs it, as a forward proxy whose users give a name and a password. Services are reached through
/// a parent proxy, which the upstream plays, so that their names need not resolve.
struct Writ<'a> {
    world: &'a World,
    name: &'static str,
    services: &'static str,
}

/// The organisation's decisions: one service for every new host, and the real one, both read.
const INSPECT: &str = r#"hosts = [{ name = "DOMAIN", match = "suffix", mode = "inspect" }]

[[vetting]]
service = "bench-models"
tier = "unknown"
status = "approved"
cleared = ["plain", "contact", "pii", "source-code"]

[[vetting]]
service = "openai-api"
tier = "unknown"
status = "approved"
cleared = ["plain", "contact", "pii", "source-code"]
"#;

/// The same hosts, opened to set a header and for nothing else: no content is read, nothing is decided or recorded per
/// request. This is the least that Writ does with a connection that it opens.
const HEADS: &str = r#"hosts = [{ name = "DOMAIN", match = "suffix", mode = "head-only" }]

[[service.tenant-header]]
name = "OpenAI-Allowed-Organization-Ids"
value = "organisation ids"
source = "this file"
date = "2026-11"

[[mode]]
service = "openai-api"
mode = "head-only"

[[tenant]]
at = "openai-api"
header = "OpenAI-Allowed-Organization-Ids"
value = "org-bench"

[[tenant]]
at = "bench-models"
header = "OpenAI-Allowed-Organization-Ids"
value = "org-bench"

[[vetting]]
service = "bench-models"
tier = "unknown"
status = "approved"

[[vetting]]
service = "openai-api"
tier = "unknown"
status = "approved"
"#;

/// A service of the organisation's own.
const SERVICE: &str = r#"[[service]]
id = "bench-models"
name = "Models of the bench"
vendor = "none"
category = "model-api"
formats = ["openai-chat"]
evidence = { seen = "host", source = "this file", date = "2026-11" }
"#;

const LOGIN: &str = "ana@northwind.example";
const PASSWORD: &str = "a password of the bench";

impl Writ<'_> {
    /// Makes keys, authority and a person at the first start; starts the server.
    async fn start(&self) -> anyhow::Result<Process> {
        let folder = self.world.folder.join(self.name);
        let first = !folder.exists();
        fs::create_dir_all(&folder)?;
        let port = free_port()?;
        fs::write(folder.join("writ.toml"), self.configuration(port))?;
        if first {
            fs::copy(self.world.folder.join(SERVICE_AUTHORITY), folder.join("service-ca.pem"))?;
            fs::write(folder.join("policy.md"), include_str!("../../../../catalog/policies/general.md"))?;
            fs::write(folder.join("services.toml"), format!("{SERVICE}{}", self.services.replace("DOMAIN", DOMAIN)))?;
            fs::write(folder.join("passphrase"), "a passphrase of the bench\n")?;
            self.command(
                &folder,
                &["keys", "rotate", "reveal", "--holder", "a", "--holder", "b", "--shares", "shares"],
            )?;
            self.command(&folder, &["ca", "init", "--root", "root", "--passphrase-file", "passphrase"])?;
            fs::write(folder.join("password"), format!("{PASSWORD}\n"))?;
            self.command(&folder, &["person", "set", LOGIN, "--who", "employee", "--password-file", "password"])?;
        }
        let basic = base64::engine::general_purpose::STANDARD.encode(format!("{LOGIN}:{PASSWORD}"));
        let mut serve = pinned(self.world.cpu, &self.world.writ);
        serve.args(["serve", "--config", "writ.toml"]).current_dir(&folder);
        let mut running = Running::start(&mut serve, &self.world.folder.join(format!("{}.log", self.name)))?;
        running.listens(port, 30).await?;
        let authorization = Some(format!("Basic {basic}"));
        let way = Way { proxy: Some(port), authorization, service: self.world.service, named: 443 };
        Ok(Process { running, way, after: None })
    }

    fn configuration(&self, port: u16) -> String {
        format!(
            r#"data-directory = "data"
policy = "policy.md"
services = ["services.toml"]
key-encryption = {{ file = "writ.key" }}

[organisation]
name = "Northwind"

[proxy]
listen = "127.0.0.1:{port}"
personal-accounts = "inspect"

[upstream]
public-roots = false
extra-roots = ["service-ca.pem"]

[upstream.parent]
address = "127.0.0.1:{}"
"#,
            self.world.service
        )
    }

    /// Runs a command of Writ in the folder; what it printed.
    fn command(&self, folder: &Path, arguments: &[&str]) -> anyhow::Result<String> {
        let output = Command::new(&self.world.writ)
            .args(arguments)
            .current_dir(folder)
            .output()
            .with_context(|| format!("cannot run `{}`", self.world.writ.display()))?;
        if !output.status.success() {
            bail!("`writ {}` failed: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr));
        }
        Ok(String::from_utf8(output.stdout)?)
    }
}
