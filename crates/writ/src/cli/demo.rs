//! `writ demo`: try it.

use std::io::IsTerminal as _;
use std::path::PathBuf;

use clap::Args;
use tracing_subscriber::EnvFilter;

use super::{Exit, Output};
use crate::demo::{self, Options};

/// Start a small company, simulated AI services and the gateway on this machine
///
/// Nothing leaves the machine. A second start goes on with the data of the first.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  writ demo
  writ demo --port 9082 --data /tmp/writ-demo")]
pub(crate) struct Demo {
    /// Where its policy, keys and data are kept
    #[arg(long, value_name = "DIR", default_value = "writ-data/demo")]
    data: PathBuf,
    /// The gateway's port; the simulated services take the port 8 above
    #[arg(long, default_value_t = 8082)]
    port: u16,
    /// End after so many turns of the company
    #[arg(long, value_name = "N")]
    turns: Option<usize>,
}

impl Demo {
    pub(crate) fn run(&self, output: &mut Output) -> anyhow::Result<Exit> {
        let filter = EnvFilter::try_from_env("WRIT_LOG").unwrap_or_else(|_| EnvFilter::new("warn,writ=info"));
        let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
        log.with_ansi(super::colours_wanted() && std::io::stderr().is_terminal())
            .try_init()
            .map_err(|error| anyhow::anyhow!("cannot start the log: {error}"))?;
        demo::run(&Options { data: self.data.clone(), port: self.port, turns: self.turns }, output)
    }
}
