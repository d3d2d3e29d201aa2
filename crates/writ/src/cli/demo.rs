//! `writ demo`: try it.

use std::io::IsTerminal as _;
use std::path::PathBuf;

use clap::Args;
use tracing_subscriber::EnvFilter;

use super::{Exit, Output};
use crate::demo::{self, Options};

/// Start a small company, simulated AI services and all of Writ on this machine
///
/// Nothing leaves the machine. Prints three links for three kinds of visitor. A second start goes on with the data of
/// the first.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  writ demo
  writ demo --port 9080 --data-dir /tmp/writ-demo
  writ demo --seed 11 --no-traffic")]
pub(crate) struct Demo {
    /// Where its policy, keys and data are kept
    #[arg(long, value_name = "DIR", alias = "data", default_value = "writ-data/demo")]
    data_dir: PathBuf,
    /// The console's port; proxy and gateway are 1 and 2 above, simulated services and chat page 10 and 11
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Which company, and what its people ask
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// The company asks nothing by itself
    #[arg(long)]
    no_traffic: bool,
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
        let Self { data_dir, port, seed, no_traffic, turns } = self;
        let options = Options { data: data_dir.clone(), port: *port, seed: *seed, traffic: !no_traffic, turns: *turns };
        demo::run(&options, output)
    }
}
