//! `writ policy`: the document as it would run.

mod check;
mod examples;
mod fmt;
mod report;
mod seal;
mod test;
mod translate;

use clap::Subcommand;

use super::{Exit, Output};

/// Check, test and lay out a policy document
///
/// A policy is one Markdown document, which people sign and which runs.
#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    Check(check::Check),
    Test(test::Test),
    Fmt(fmt::Fmt),
    Translate(translate::Translate),
    Seal(seal::Seal),
}

impl PolicyCommand {
    pub(crate) fn run(&self, output: &mut Output) -> anyhow::Result<Exit> {
        match self {
            Self::Check(command) => command.run(output),
            Self::Test(command) => command.run(output),
            Self::Fmt(command) => command.run(output),
            Self::Translate(command) => command.run(output),
            Self::Seal(command) => command.run(output),
        }
    }
}
