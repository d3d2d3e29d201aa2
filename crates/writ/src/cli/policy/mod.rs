//! `writ policy`: the document as it would run, and what stands beside it.

mod check;
mod codecs;
mod examples;
mod exception;
mod explain;
mod export;
mod fmt;
mod prove;
mod report;
mod seal;
mod test;
mod translate;

use clap::Subcommand;

use super::{Exit, Output};

/// Check, test, lay out, explain and export a policy document; grant exceptions from it
///
/// A policy is one Markdown document, which people sign and which runs.
#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    Check(check::Check),
    Prove(prove::Prove),
    Test(test::Test),
    Fmt(fmt::Fmt),
    Translate(translate::Translate),
    Seal(seal::Seal),
    Explain(explain::Explain),
    Export(export::Export),
    #[command(subcommand)]
    Exception(exception::ExceptionCommand),
}

impl PolicyCommand {
    pub(crate) fn run(&self, output: &mut Output) -> anyhow::Result<Exit> {
        match self {
            Self::Check(command) => command.run(output),
            Self::Prove(command) => command.run(output),
            Self::Test(command) => command.run(output),
            Self::Fmt(command) => command.run(output),
            Self::Translate(command) => command.run(output),
            Self::Seal(command) => command.run(output),
            Self::Explain(command) => command.run(output),
            Self::Export(command) => command.run(output),
            Self::Exception(command) => command.run(output),
        }
    }
}
