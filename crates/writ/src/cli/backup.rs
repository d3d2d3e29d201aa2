//! `writ backup` and `writ restore`.

use std::path::PathBuf;

use clap::Args;
use writ_store::backup;
use writ_store::ledger::Verified;

use super::settings::ConfigFile;
use super::{Exit, Output, block_on};
use crate::wiring::Home;

/// Copy ledger, sealed keys and state to a new folder, and verify the copy
///
/// The key-encryption key is not in it: keep that elsewhere, twice. The server must not run meanwhile.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  writ backup /backup/2026-11-22 --config writ.toml")]
pub(crate) struct Backup {
    #[command(flatten)]
    file: ConfigFile,
    /// A folder that is new or empty
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// Restore a backup into the configuration's data directory, which must be new or empty
///
/// Every file is checked against the backup's hashes, and the ledger is verified.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  writ restore /backup/2026-11-22 --config writ.toml")]
pub(crate) struct Restore {
    #[command(flatten)]
    file: ConfigFile,
    /// The backup
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

impl Backup {
    pub(crate) fn run(&self, output: &mut Output) -> anyhow::Result<Exit> {
        block_on(async {
            let data = Home::open(&self.file.load()?).await?;
            let copied = backup::backup(&data.directory, &data.ledger, &data.state, &self.folder).await;
            let closed = data.close().await;
            let (_, verified) = copied?;
            closed?;
            report("backed up to", &self.folder, &verified, output)
        })
    }
}

impl Restore {
    pub(crate) fn run(&self, output: &mut Output) -> anyhow::Result<Exit> {
        let target = self.file.load()?.data_directory;
        let (_, verified) = backup::restore(&self.folder, &target)?;
        report("restored to", &target, &verified, output)
    }
}

fn report(done: &str, folder: &std::path::Path, verified: &Verified, output: &mut Output) -> anyhow::Result<Exit> {
    output.line(format_args!("{done} `{}`: {} entries, verified", folder.display(), verified.entries))?;
    output.line(format_args!("root {}", verified.root))?;
    Ok(Exit::Yes)
}
