//! Installing what the steps need, and only what is missing.
//!
//! System packages come from apt (Debian, Ubuntu) and need root; Python and Node packages go below the build output, so
//! that removing that folder removes them.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::process::{Workspace, find_program, root_user, run, succeeds};
use crate::{postgres, sdk};

/// What apt provides, and how to see that it is missing.
struct SystemPackage {
    name: &'static str,
    purpose: &'static str,
    missing: fn(&Workspace) -> bool,
}

/// A C compiler is not in the list: without one this program could not have been linked. CMake is not needed.
const SYSTEM_PACKAGES: &[SystemPackage] = &[
    SystemPackage {
        name: "git",
        purpose: "`tidy` lists the tracked files",
        missing: |_| find_program("git").is_none(),
    },
    SystemPackage { name: "curl", purpose: "end-to-end tests with curl", missing: |_| find_program("curl").is_none() },
    SystemPackage {
        name: "chromium",
        purpose: "journeys through the console, and the proxy as a browser meets it",
        missing: |_| CHROMIUM.iter().all(|name| find_program(name).is_none()),
    },
    SystemPackage {
        name: "libnss3-tools",
        purpose: "the root in a browser's database",
        missing: |_| find_program("certutil").is_none(),
    },
    SystemPackage {
        name: "gnutls-bin",
        purpose: "one of the verifiers of certificates",
        missing: |_| find_program("gnutls-cli").is_none(),
    },
    SystemPackage {
        name: "npm",
        purpose: "JavaScript SDKs, Claude Code, axe",
        missing: |_| find_program("npm").is_none(),
    },
    PYTHON,
    POSTGRES,
];

/// Names under which distributions install Chromium.
const CHROMIUM: &[&str] = &["chromium", "chromium-browser", "google-chrome"];

const PYTHON: SystemPackage = SystemPackage {
    name: "python3-venv",
    purpose: "end-to-end tests with the official SDKs",
    missing: |workspace| !succeeds(workspace.command("python3").args(["-c", "import venv, ensurepip"])),
};

const POSTGRES: SystemPackage = SystemPackage {
    name: "postgresql",
    purpose: "tests of the store on a real server",
    missing: |_| !postgres::installed(),
};

/// `cargo xtask setup`.
pub(crate) fn run_setup(workspace: &Workspace) -> Result<()> {
    let missing: Vec<&SystemPackage> = SYSTEM_PACKAGES.iter().filter(|package| (package.missing)(workspace)).collect();
    for package in SYSTEM_PACKAGES {
        let state = if (package.missing)(workspace) { "missing" } else { "there" };
        println!("{:<14} {state:<8} {}", package.name, package.purpose);
    }
    install(workspace, &missing)?;
    if !workspace.root.join(sdk::FOLDER).is_dir() {
        println!("no folder `{}`: no Python or Node packages needed", sdk::FOLDER);
        return Ok(());
    }
    println!("Python: {}", python(workspace)?.display());
    if let Some(modules) = node(workspace)? {
        println!("Node packages: {}", modules.display());
    }
    Ok(())
}

/// Makes sure that PostgreSQL is installed.
pub(crate) fn postgres(workspace: &Workspace) -> Result<()> {
    install(workspace, &[&POSTGRES])
}

/// The interpreter of an environment that has exactly the pinned packages of `e2e/requirements.txt`.
pub(crate) fn python(workspace: &Workspace) -> Result<PathBuf> {
    let requirements = workspace.root.join(sdk::FOLDER).join("requirements.txt");
    let wanted =
        fs::read_to_string(&requirements).with_context(|| format!("cannot read `{}`", requirements.display()))?;
    let folder = workspace.target.join("python");
    let interpreter = folder.join("bin/python");
    let stamp = folder.join("writ-requirements.txt");
    if interpreter.is_file() && current(&stamp, &wanted) {
        return Ok(interpreter);
    }
    if (PYTHON.missing)(workspace) {
        install(workspace, &[&PYTHON])?;
    }
    run(workspace.command("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
    let mut pip = workspace.command(&interpreter);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]).arg(&requirements);
    run(&mut pip)?;
    fs::write(&stamp, wanted).with_context(|| format!("cannot write `{}`", stamp.display()))?;
    Ok(interpreter)
}

/// The folder with the packages of `e2e/package-lock.json`; `None` where the tests have no such file.
pub(crate) fn node(workspace: &Workspace) -> Result<Option<PathBuf>> {
    let source = workspace.root.join(sdk::FOLDER);
    let Ok(wanted) = fs::read_to_string(source.join("package-lock.json")) else { return Ok(None) };
    let folder = workspace.target.join("node");
    let modules = folder.join("node_modules");
    let stamp = folder.join("writ-package-lock.json");
    if modules.is_dir() && current(&stamp, &wanted) {
        return Ok(Some(modules));
    }
    fs::create_dir_all(&folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
    for file in ["package.json", "package-lock.json"] {
        fs::copy(source.join(file), folder.join(file)).with_context(|| format!("cannot copy `{file}`"))?;
    }
    run(workspace.command("npm").args(["ci", "--no-audit", "--no-fund", "--prefix"]).arg(&folder))?;
    fs::write(&stamp, wanted).with_context(|| format!("cannot write `{}`", stamp.display()))?;
    Ok(Some(modules))
}

/// A stamp holds what was installed; it is written last, so a broken installation has none.
fn current(stamp: &Path, wanted: &str) -> bool {
    fs::read_to_string(stamp).is_ok_and(|installed| installed == wanted)
}

fn install(workspace: &Workspace, packages: &[&SystemPackage]) -> Result<()> {
    if packages.is_empty() {
        println!("no system package is missing");
        return Ok(());
    }
    let names: Vec<&str> = packages.iter().map(|package| package.name).collect();
    if find_program("apt-get").is_none() || !root_user() {
        bail!("missing: {}; install them as root: apt-get install {}", names.join(", "), names.join(" "));
    }
    if names.contains(&POSTGRES.name) {
        keep_debian_from_starting_a_server()?;
    }
    println!("installing with apt: {}", names.join(", "));
    run(apt(workspace).arg("update"))?;
    run(apt(workspace).args(["install", "--yes", "--no-install-recommends"]).args(&names))
}

fn apt(workspace: &Workspace) -> std::process::Command {
    let mut command = workspace.command("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive").arg("--quiet");
    command
}

/// Debian's package makes a cluster and starts it; the tests need only the programs.
fn keep_debian_from_starting_a_server() -> Result<()> {
    let folder = Path::new("/etc/postgresql-common/createcluster.d");
    let file = folder.join("writ.conf");
    fs::create_dir_all(folder)
        .and_then(|()| {
            fs::write(&file, "# The tests of Writ start servers of their own.\ncreate_main_cluster = false\n")
        })
        .with_context(|| format!("cannot write `{}`", file.display()))?;
    println!("wrote `{}`: no server is started by the package", file.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_counts_only_while_it_says_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let stamp = folder.path().join("stamp");
        assert!(!current(&stamp, "pytest==9.2.0\n"));
        fs::write(&stamp, "pytest==9.2.0\n").unwrap();
        assert!(current(&stamp, "pytest==9.2.0\n"));
        assert!(!current(&stamp, "pytest==9.3.0\n"));
    }

    #[test]
    fn tests_without_node_packages_need_none() {
        let root = tempfile::tempdir().unwrap();
        let workspace = Workspace { root: root.path().into(), target: root.path().join("target") };
        assert!(node(&workspace).unwrap().is_none());
    }
}
