//! `writ serve`: the running system.

use std::io::IsTerminal as _;

use clap::{Args, ValueEnum};
use tracing_subscriber::EnvFilter;

use super::settings::ConfigFile;
use super::{Exit, output};

/// Serve gateway, forward proxy and console until told to stop (SIGTERM, Ctrl-C)
///
/// Policy, services and configuration are followed: a change that is good takes effect at once, one that is not
/// changes nothing and is reported. The log goes to standard error and holds no content.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  writ serve --config writ.toml
  WRIT_LOG=debug writ serve --config writ.toml --log json")]
pub(crate) struct Serve {
    #[command(flatten)]
    file: ConfigFile,
    /// How the log is written
    #[arg(long, value_enum, default_value_t = Log::Text)]
    log: Log,
}

/// The form of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Log {
    /// A line for people
    Text,
    /// A JSON object a line
    Json,
}

impl Log {
    /// Begins to log to standard error, as the variable `WRIT_LOG` says; from `info` on without it.
    pub(super) fn start(self) -> anyhow::Result<()> {
        let filter = EnvFilter::try_from_env("WRIT_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
        let coloured = output::colours_wanted() && std::io::stderr().is_terminal();
        let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
        let started = match self {
            Self::Text => log.with_ansi(coloured).try_init(),
            Self::Json => log.json().try_init(),
        };
        started.map_err(|error| anyhow::anyhow!("cannot start the log: {error}"))
    }
}

impl Serve {
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        self.log.start()?;
        crate::serve::run(self.file.config)?;
        Ok(Exit::Yes)
    }
}
