//! `writ policy`: the document as it would run.

mod check;
mod codecs;
mod findings;
mod prove;

use clap::Subcommand;

use super::{Exit, Output};

/// Check a policy document
///
/// A policy is one Markdown document, which people sign and which runs.
#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    Check(check::Check),
    Prove(prove::Prove),
}

impl PolicyCommand {
    pub(crate) fn run(&self, output: &mut Output) -> anyhow::Result<Exit> {
        match self {
            Self::Check(check) => check.run(output),
            Self::Prove(prove) => prove.run(output),
        }
    }
}
