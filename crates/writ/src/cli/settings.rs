//! `writ config`: what a configuration says, without starting anything.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Exit, Output};
use crate::config::Config;
use crate::policy_file;

/// Look at the configuration
///
/// `writ.toml` says what runs; nothing is started here.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    Check(Check),
    Explain(Explain),
}

/// Where the configuration is.
#[derive(Debug, Args)]
pub(crate) struct ConfigFile {
    /// The configuration
    #[arg(long, value_name = "FILE", default_value = "writ.toml")]
    pub(crate) config: PathBuf,
}

impl ConfigFile {
    /// Reads it.
    pub(crate) fn load(&self) -> anyhow::Result<Config> {
        Config::load(&self.config)
    }
}

/// Check a configuration with the policy and the services that it names
///
/// Reads the configuration, and the policy and services that it names, as a start would.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  writ config check --config writ.toml

Exit codes: 0 a start would take it; 1 the policy has errors or warnings; 2 the configuration cannot be used.")]
pub(crate) struct Check {
    #[command(flatten)]
    file: ConfigFile,
}

/// Print every value in force; secrets are named by their place only
///
/// Prints the configuration with defaults filled in and paths made whole, as TOML.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  writ config explain --config writ.toml")]
pub(crate) struct Explain {
    #[command(flatten)]
    file: ConfigFile,
}

impl ConfigCommand {
    pub(crate) fn run(&self, output: &mut Output) -> anyhow::Result<Exit> {
        match self {
            Self::Check(check) => check.run(output),
            Self::Explain(explain) => {
                output.text(&explain.file.load()?.explain()?)?;
                Ok(Exit::Yes)
            }
        }
    }
}

impl Check {
    fn run(&self, output: &mut Output) -> anyhow::Result<Exit> {
        let config = self.file.load()?;
        let (_, policy) = policy_file::read(&config)?;
        for diagnostic in &policy.diagnostics {
            output.line(diagnostic.render(&policy.text, &policy.files))?;
        }
        if policy.errors() == 0 {
            policy.compile()?;
            policy.pack()?;
        }
        let good = policy.errors() + policy.warnings() == 0;
        let word = output.verdict(good, if good { "good" } else { "not good" });
        output.line(format_args!("{}: {word}", self.file.config.display()))?;
        Ok(if good { Exit::Yes } else { Exit::No })
    }
}
