//! `writ policy`: the document as it would run, and what stands beside it.

mod check;
mod exception;
mod explain;
mod export;

use clap::Subcommand;

use super::{Exit, Output};

/// Check, explain and export a policy document; grant exceptions from it
///
/// A policy is one Markdown document, which people sign and which runs.
#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    Check(check::Check),
    Explain(explain::Explain),
    Export(export::Export),
    #[command(subcommand)]
    Exception(exception::ExceptionCommand),
}

impl PolicyCommand {
    pub(crate) fn run(&self, output: &mut Output) -> anyhow::Result<Exit> {
        match self {
            Self::Check(check) => check.run(output),
            Self::Explain(explain) => explain.run(output),
            Self::Export(export) => export.run(output),
            Self::Exception(exception) => exception.run(output),
        }
    }
}
