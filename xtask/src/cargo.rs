//! The steps that are plain cargo commands.
//!
//! All of them name the whole workspace: with `-p`, cargo would unify features of the dependencies differently and
//! build them a second time.

use anyhow::Result;

use crate::process::{Workspace, run, succeeds};

/// Where Cedar stands beside Writ.
const CEDAR: &str = "bench/cedar/Cargo.toml";

/// Where growth and other libraries for diagrams are measured.
const PROOFS: &str = "bench/proofs/Cargo.toml";

/// Formatting of the workspace and of the crates that stand outside it.
pub(crate) fn fmt(workspace: &Workspace) -> Result<()> {
    run(&mut workspace.cargo(&["fmt", "--all", "--", "--check"]))?;
    run(&mut workspace.cargo(&["fmt", "--manifest-path", CEDAR, "--", "--check"]))?;
    run(&mut workspace.cargo(&["fmt", "--manifest-path", PROOFS, "--", "--check"]))?;
    run(&mut workspace.cargo(&["fmt", "--manifest-path", "fuzz/Cargo.toml", "--", "--check"]))
}

/// Clippy over all targets; a warning is an error.
pub(crate) fn clippy(workspace: &Workspace) -> Result<()> {
    run(&mut workspace.cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))
}

/// Tests of the whole workspace: with nextest where it is installed, otherwise with cargo.
pub(crate) fn test(workspace: &Workspace, arguments: &[String]) -> Result<()> {
    let mut command = if nextest(workspace) {
        let mut command = workspace.cargo(&["nextest", "run", "--config-file", "xtask/nextest.toml", "--workspace"]);
        command.args(["--no-fail-fast", "--status-level", "fail"]);
        command
    } else {
        workspace.cargo(&["test", "--workspace", "--no-fail-fast", "--lib", "--bins", "--tests"])
    };
    run(command.args(arguments))
}

/// Exported policies judged by Cedar: the peer stands outside the workspace, its output beside ours.
pub(crate) fn cedar(workspace: &Workspace) -> Result<()> {
    let mut tests =
        workspace.cargo(&["test", "--manifest-path", CEDAR, "--no-fail-fast", "--lib", "--bins", "--tests"]);
    run(tests.env("CARGO_TARGET_DIR", workspace.target.join("cedar")))
}

/// Examples in the documentation, which nextest does not run.
pub(crate) fn doc_tests(workspace: &Workspace) -> Result<()> {
    run(&mut workspace.cargo(&["test", "--workspace", "--doc", "--no-fail-fast"]))
}

/// Documentation of all crates; a broken link is an error.
pub(crate) fn docs(workspace: &Workspace) -> Result<()> {
    run(workspace.cargo(&["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings"))
}

/// Comparisons with peers; never part of the gate. `writ` is built with them: it is what most of them run.
pub(crate) fn bench(workspace: &Workspace, name: &str, arguments: &[String]) -> Result<()> {
    // Workspaces of their own: what peers depend on lies beside our output.
    let aside = match name {
        "policy" => Some((CEDAR, "cedar", &[][..])),
        "growth" | "libraries" => Some((PROOFS, "proofs", &[][..])),
        "solver" => Some((PROOFS, "proofs", &["--features", "solver"][..])),
        _ => None,
    };
    if let Some((manifest, output, features)) = aside {
        let mut bench = workspace.cargo(&["run", "--release", "--manifest-path", manifest, "--bin", name]);
        bench.args(features).arg("--").args(arguments);
        return run(bench.env("CARGO_TARGET_DIR", workspace.target.join(output)));
    }
    // Together, so that both have the same features of their dependencies.
    run(&mut workspace.cargo(&["build", "--release", "--package", "writ", "--package", "writ-bench"]))?;
    if arguments.iter().any(|argument| argument == "--anchors") {
        // Peers that are libraries stand outside the workspace; their output lies beside ours.
        let mut anchors = workspace.cargo(&["build", "--release", "--manifest-path", "bench/anchors/Cargo.toml"]);
        run(anchors.env("CARGO_TARGET_DIR", &workspace.target))?;
    }
    run(workspace.command(workspace.target.join("release").join(name)).args(arguments))
}

/// Licences, bans and sources. Advisories need the network and change under a fixed commit, so they are not a gate.
pub(crate) fn deny(workspace: &Workspace) -> Result<()> {
    // A ban excepts some crates that do not exist or do not use their exception.
    let options = ["deny", "--workspace", "--all-features", "check", "--allow", "unused-wrapper"];
    run(workspace.cargo(&options).args(["bans", "licenses", "sources"]))
}

/// Whether cargo-deny is installed.
pub(crate) fn deny_installed(workspace: &Workspace) -> bool {
    succeeds(&mut workspace.cargo(&["deny", "--version"]))
}

fn nextest(workspace: &Workspace) -> bool {
    succeeds(&mut workspace.cargo(&["nextest", "--version"]))
}
