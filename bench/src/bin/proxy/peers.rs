//! Interceptors to compare with: how each is set up and started.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, KeyPair, KeyUsagePurpose, date_time_ymd};
use writ_bench::processes::{Running, free_port, pinned};

use crate::client::Way;
use crate::legs::{Process, World};
use crate::upstream::hosts;

/// Files that every peer finds in the folder of the run: the authority that it signs with, and the services' own.
pub(crate) const AUTHORITY: &str = "interceptor-ca.pem";
pub(crate) const AUTHORITY_KEY: &str = "interceptor-ca.key";
pub(crate) const SERVICE_AUTHORITY: &str = "service-ca.pem";

/// Version of mitmproxy. It needs Python 3.12.
pub(crate) const MITMPROXY: &str = "12.2.3";

/// Writes the certificates that peers need.
pub(crate) fn write_authorities(folder: &Path, service: &str) -> anyhow::Result<()> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name.push(DnType::CommonName, "Bench Interceptor CA");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
    (params.not_before, params.not_after) = (date_time_ymd(2025, 1, 1), date_time_ymd(2045, 1, 1));
    let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
    let certificate = params.self_signed(&key)?;
    fs::write(folder.join(AUTHORITY), certificate.pem())?;
    fs::write(folder.join(AUTHORITY_KEY), key.serialize_pem())?;
    fs::write(folder.join(SERVICE_AUTHORITY), service)?;
    Ok(())
}

/// A proxy that serves names at the service's own port.
fn way(world: &World, port: u16) -> Way {
    Way { proxy: Some(port), authorization: None, service: world.service, named: world.service }
}

/// The least interceptor: this program again.
pub(crate) async fn minimal(world: &World, http2: bool) -> anyhow::Result<Process> {
    let port = free_port()?;
    let mut command = pinned(world.cpu, &std::env::current_exe()?);
    command.arg("interceptor").args(["--port", &port.to_string(), "--folder"]).arg(&world.folder);
    if http2 {
        command.arg("--http2");
    }
    let name = if http2 { "minimal-h2.log" } else { "minimal.log" };
    let mut running = Running::start(&mut command, &world.folder.join(name))?;
    running.listens(port, 10).await?;
    Ok(Process { running, way: way(world, port), after: None })
}

/// hudsucker with handlers that do nothing; a program of its own (`bench/anchors`).
pub(crate) async fn hudsucker(world: &World, program: &Path) -> anyhow::Result<Process> {
    let port = free_port()?;
    let mut command = pinned(world.cpu, program);
    command.arg(port.to_string()).args([AUTHORITY, AUTHORITY_KEY, SERVICE_AUTHORITY]).current_dir(&world.folder);
    let mut running = Running::start(&mut command, &world.folder.join("hudsucker.log"))?;
    running.listens(port, 10).await?;
    Ok(Process { running, way: way(world, port), after: None })
}

/// mitmproxy as it comes, with one hook that sends every name to loopback.
pub(crate) async fn mitmproxy(world: &World, program: &Path) -> anyhow::Result<Process> {
    let port = free_port()?;
    let folder = world.folder.join("mitmproxy");
    fs::create_dir_all(&folder)?;
    let hook = "def server_connect(data):\n    data.server.address = (\"127.0.0.1\", data.server.address[1])\n";
    fs::write(folder.join("loopback.py"), hook)?;
    let mut command = pinned(world.cpu, program);
    command.args([
        "--quiet",
        "--listen-host",
        "127.0.0.1",
        "--listen-port",
        &port.to_string(),
        "--scripts",
        "loopback.py",
    ]);
    command.args(["--set", "confdir=conf", "--set"]);
    command.arg(format!("ssl_verify_upstream_trusted_ca=../{SERVICE_AUTHORITY}")).current_dir(&folder);
    let mut running = Running::start(&mut command, &world.folder.join("mitmproxy.log"))?;
    running.listens(port, 60).await?;
    Ok(Process { running, way: way(world, port), after: None })
}

/// mitmproxy's program; installed into a virtual environment at the first run.
pub(crate) fn install_mitmproxy(folder: &Path) -> anyhow::Result<PathBuf> {
    let (program, stamp) = (folder.join("bin/mitmdump"), folder.join("version"));
    if program.is_file() && fs::read_to_string(&stamp).is_ok_and(|version| version == MITMPROXY) {
        return Ok(program);
    }
    let python = python().context("mitmproxy needs Python 3.12 or later; none was found")?;
    let run = |command: &mut Command| -> anyhow::Result<()> {
        let status = command.status().context("cannot install mitmproxy")?;
        if status.success() { Ok(()) } else { bail!("cannot install mitmproxy: {status}") }
    };
    run(Command::new(python).args(["-m", "venv", "--clear"]).arg(folder))?;
    let package = format!("mitmproxy=={MITMPROXY}");
    run(Command::new(folder.join("bin/pip")).args(["install", "--quiet", "--disable-pip-version-check", &package]))?;
    fs::write(stamp, MITMPROXY)?;
    Ok(program)
}

/// A Python that is new enough: in the path, or where pyenv keeps its own.
fn python() -> Option<PathBuf> {
    let mut places: Vec<PathBuf> =
        ["python3", "python3.14", "python3.13", "python3.12"].into_iter().map(PathBuf::from).collect();
    if let Some(home) = std::env::home_dir()
        && let Ok(versions) = fs::read_dir(home.join(".pyenv/versions"))
    {
        let mut versions: Vec<PathBuf> = versions.flatten().map(|version| version.path().join("bin/python3")).collect();
        versions.sort();
        places.extend(versions.into_iter().rev());
    }
    let enough = |python: &PathBuf| {
        let check = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 12))";
        Command::new(python).args(["-c", check]).output().is_ok_and(|output| output.status.success())
    };
    places.into_iter().find(enough)
}

/// Where Squid and its certificate helper are.
#[derive(Clone, Debug)]
pub(crate) struct Squid {
    program: PathBuf,
    helper: PathBuf,
    /// Its version.
    pub(crate) version: String,
}

impl Squid {
    /// Looks for one that can intercept (Debian: `squid-openssl`).
    pub(crate) fn find() -> anyhow::Result<Self> {
        const HELPERS: [&str; 4] = [
            "/usr/lib/squid/security_file_certgen",
            "/usr/lib64/squid/security_file_certgen",
            "/usr/libexec/squid/security_file_certgen",
            "/usr/local/squid/libexec/security_file_certgen",
        ];
        let helper = HELPERS.into_iter().map(PathBuf::from).find(|helper| helper.is_file());
        let helper =
            helper.context("no `security_file_certgen`: install Squid with OpenSSL (Debian: squid-openssl)")?;
        let places = ["squid", "/usr/sbin/squid", "/usr/local/squid/sbin/squid"];
        for program in places.into_iter().map(PathBuf::from) {
            if let Ok(output) = Command::new(&program).arg("-v").output() {
                let text = String::from_utf8_lossy(&output.stdout).into_owned();
                let version = text.lines().next().and_then(|line| line.rsplit(' ').next()).unwrap_or("?");
                return Ok(Self { program, helper, version: version.to_owned() });
            }
        }
        bail!("no `squid` in the path")
    }

    /// Starts it with one worker, no cache and no log.
    pub(crate) async fn start(&self, world: &World) -> anyhow::Result<Process> {
        let port = free_port()?;
        // It gives up root for a user who must be able to read its files.
        let root = fs::metadata("/proc/self")?.uid() == 0;
        let name = format!("writbench{}", std::process::id());
        let folder = if root { std::env::temp_dir().join(&name) } else { world.folder.join("squid") };
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        let read = |name: &str| fs::read_to_string(world.folder.join(name));
        fs::write(folder.join("ca.pem"), format!("{}{}", read(AUTHORITY)?, read(AUTHORITY_KEY)?))?;
        fs::write(folder.join("service.pem"), read(SERVICE_AUTHORITY)?)?;
        let names: String = hosts().iter().map(|host| format!("127.0.0.1 {host}\n")).collect();
        fs::write(folder.join("hosts"), names)?;
        fs::write(folder.join("squid.conf"), self.configuration(&folder, port, root))?;
        let mut make = Command::new(&self.helper);
        let made = make.arg("-c").arg("-s").arg(folder.join("certificates")).args(["-M", "16MB"]).output()?;
        anyhow::ensure!(made.status.success(), "{} failed", self.helper.display());
        if root {
            let owned = Command::new("chown").args(["-R", "proxy"]).arg(&folder).status()?;
            anyhow::ensure!(owned.success(), "Squid runs as `proxy`, and there is no such user");
        }
        let mut command = pinned(world.cpu, &self.program);
        command.args(["-N", "-n", &name, "-f"]).arg(folder.join("squid.conf"));
        let mut running = Running::start(&mut command, &world.folder.join("squid.log"))?;
        running.listens(port, 20).await?;
        Ok(Process { running, way: way(world, port), after: Some(Leftovers { folder, name }) })
    }

    fn configuration(&self, folder: &Path, port: u16, root: bool) -> String {
        let (folder, helper) = (folder.display(), self.helper.display());
        let user = if root { "cache_effective_user proxy\n" } else { "" };
        format!(
            "acl step1 at_step SslBump1\n\
             http_port 127.0.0.1:{port} ssl-bump generate-host-certificates=on dynamic_cert_mem_cache_size=16MB \
             tls-cert={folder}/ca.pem\n\
             sslcrtd_program {helper} -s {folder}/certificates -M 16MB\n\
             sslcrtd_children 5 startup=1 idle=1\n\
             ssl_bump peek step1\n\
             ssl_bump bump all\n\
             tls_outgoing_options cafile={folder}/service.pem\n\
             hosts_file {folder}/hosts\n\
             http_access allow all\n\
             cache deny all\n\
             access_log none\n\
             cache_log stdio:{folder}/cache.log\n\
             cache_store_log none\n\
             pid_filename none\n\
             coredump_dir {folder}\n\
             shutdown_lifetime 0 seconds\n\
             {user}"
        )
    }
}

/// What Squid leaves behind when it is killed: its folder, and shared memory of its name.
pub(crate) struct Leftovers {
    folder: PathBuf,
    name: String,
}

impl Drop for Leftovers {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
        let shared = fs::read_dir("/dev/shm").into_iter().flatten().flatten();
        for file in shared.filter(|file| file.file_name().to_string_lossy().starts_with(&format!("{}-", self.name))) {
            let _ = fs::remove_file(file.path());
        }
    }
}
