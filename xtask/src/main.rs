//! Tasks of the Writ workspace: one command for what a developer, a reviewer and the gate run.
//!
//! `cargo xtask ci` is the gate. Its steps are ordinary commands that can also be run one by one, so that what fails
//! there fails the same way on a desk. It knows nothing of the crates it builds: it must compile in seconds.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a task runner speaks to a terminal, it has no log")]

mod cargo;
mod ci;
mod codegen;
mod postgres;
mod process;
mod sdk;
mod setup;
mod tidy;

use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::process::Workspace;

const HELP: &str = "\
Tasks of the Writ workspace.

  cargo xtask ci                   everything the gate runs, with a table of times
  cargo xtask test [ARGS]          tests of the whole workspace (nextest where it is installed)
  cargo xtask lint                 formatting and clippy, warnings are errors
  cargo xtask tidy                 house rules: layers, bans, sizes, words
  cargo xtask codegen [--check]    write the generated reference pages; --check: fail if one is out of date
  cargo xtask postgres COMMAND...  run a command with a throw-away PostgreSQL in WRIT_TEST_POSTGRES_URL
  cargo xtask sdk [ARGS]           end-to-end tests with the official SDKs (arguments go to pytest)
  cargo xtask bench NAME [ARGS]    gateway, proxy: beside peers and none; policy: time of a decision; growth,
                                   libraries, solver: size and time of proofs; release build
  cargo xtask setup                install what the steps above need and say what was done

Environment: CARGO_TARGET_DIR (build output, also Python and npm packages), CI=true (the gate: no questions asked).
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match run(&args) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &[String]) -> Result<ExitCode> {
    let Some((task, rest)) = args.split_first() else {
        print!("{HELP}");
        return Ok(ExitCode::FAILURE);
    };
    if matches!(task.as_str(), "help" | "--help" | "-h") {
        print!("{HELP}");
        return Ok(ExitCode::SUCCESS);
    }
    let workspace = Workspace::find()?;
    match (task.as_str(), rest) {
        ("ci", []) => return ci::run(&workspace),
        ("test", _) => cargo::test(&workspace, rest)?,
        ("lint", []) => {
            cargo::fmt(&workspace)?;
            cargo::clippy(&workspace)?;
        }
        ("tidy", []) => tidy::run(&workspace)?,
        ("codegen", []) => codegen::run(&workspace, codegen::Mode::Write)?,
        ("codegen", [flag]) if flag == "--check" => codegen::run(&workspace, codegen::Mode::Check)?,
        ("postgres", [program, arguments @ ..]) => return postgres::around(&workspace, program, arguments),
        ("sdk", _) => sdk::test(&workspace, rest)?,
        ("bench", [name, arguments @ ..]) => cargo::bench(&workspace, name, arguments)?,
        ("bench", []) => bail!("`bench` needs a name: `gateway`, `proxy`, `policy`, `growth`, `libraries` or `solver`"),
        ("setup", []) => setup::run_setup(&workspace)?,
        ("ci" | "lint" | "tidy" | "codegen" | "postgres" | "setup", _) => {
            bail!("`{task}` does not take `{}`; see `cargo xtask help`", rest.join(" "))
        }
        _ => bail!("unknown task `{task}`; see `cargo xtask help`"),
    }
    Ok(ExitCode::SUCCESS)
}
