//! End-to-end tests: the vendors' own SDKs, a browser and other clients against the built binaries.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::ci::Outcome;
use crate::process::{Workspace, run};
use crate::setup;

/// Folder of the tests; holds `requirements.txt` with pinned versions.
pub(crate) const FOLDER: &str = "e2e";

/// Binaries that the tests start, and the variables that name them.
const BINARIES: &[(&str, &str)] = &[("writ", "WRIT_BIN"), ("writ-sim", "WRIT_SIM_BIN")];

/// The step of the gate.
pub(crate) fn step(workspace: &Workspace) -> Result<Outcome> {
    if !workspace.root.join(FOLDER).is_dir() {
        return Ok(Outcome::Skipped("there is no folder `e2e`"));
    }
    run_tests(workspace, &[]).map(|()| Outcome::Passed)
}

/// `cargo xtask sdk [ARGS]`: arguments go to pytest.
pub(crate) fn test(workspace: &Workspace, arguments: &[String]) -> Result<()> {
    if !workspace.root.join(FOLDER).is_dir() {
        bail!("there is no folder `{FOLDER}` in `{}`", workspace.root.display());
    }
    run_tests(workspace, arguments)
}

fn run_tests(workspace: &Workspace, arguments: &[String]) -> Result<()> {
    let python = setup::python(workspace)?;
    let modules = setup::node(workspace)?;
    let built = build(workspace)?;
    let mut pytest = workspace.command(python);
    // Nothing is written into the checkout: no caches, no byte code.
    pytest.args(["-B", "-m", "pytest", "-p", "no:cacheprovider", FOLDER]).args(arguments);
    for (name, variable) in BINARIES {
        let path = built.get(*name).with_context(|| format!("the workspace has no binary `{name}`"))?;
        pytest.env(variable, path);
    }
    pytest.env("WRIT_JOURNEYS", workspace.target.join("journeys"));
    if let Some(modules) = modules {
        pytest.env("NODE_PATH", modules);
    }
    run(&mut pytest)
}

/// Builds the binaries as the test step does (same profile, same features) and returns where each one is.
fn build(workspace: &Workspace) -> Result<BTreeMap<String, PathBuf>> {
    let mut command = workspace.cargo(&["build", "--workspace", "--bins", "--tests", "--profile", "test"]);
    command.args(["--message-format", "json-render-diagnostics"]).stderr(Stdio::inherit());
    println!("$ cargo build --workspace --bins --tests --profile test");
    let output = command.output().context("cannot start `cargo`")?;
    if !output.status.success() {
        bail!("`cargo` ended with {}", output.status);
    }
    Ok(binaries(&String::from_utf8_lossy(&output.stdout)))
}

/// One line of cargo's messages, as far as it is of interest.
#[derive(Deserialize)]
struct Message {
    executable: Option<PathBuf>,
    target: Option<Target>,
    profile: Option<Profile>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

#[derive(Deserialize)]
struct Profile {
    test: bool,
}

/// Executables of binary targets; a test of a binary is an executable too, but not the program.
fn binaries(messages: &str) -> BTreeMap<String, PathBuf> {
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Message>(line).ok())
        .filter_map(|message| {
            let (target, executable) = (message.target?, message.executable?);
            let program = target.kind.iter().any(|kind| kind == "bin") && !message.profile?.test;
            program.then_some((target.name, executable))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_told_from_their_tests() {
        let messages = concat!(
            r#"{"reason":"compiler-artifact","target":{"name":"writ","kind":["bin"]},"profile":{"test":true},"executable":"/t/writ-1"}"#,
            "\n",
            r#"{"reason":"compiler-artifact","target":{"name":"writ","kind":["bin"]},"profile":{"test":false},"executable":"/t/writ"}"#,
            "\n",
            r#"{"reason":"compiler-artifact","target":{"name":"writ_base","kind":["lib"]},"profile":{"test":false},"executable":null}"#,
            "\n",
            r#"{"reason":"build-finished","success":true}"#,
        );
        assert_eq!(binaries(messages), BTreeMap::from([("writ".to_owned(), PathBuf::from("/t/writ"))]));
    }
}
