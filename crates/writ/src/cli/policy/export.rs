//! `writ policy export`: the compiled form for other tools.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use writ_policy::export::{Export as Compiled, cedar};

use crate::cli::situation::PolicyArgs;
use crate::cli::{Exit, Output};

/// Print the compiled form: as JSON, or what it lets pass as Cedar policies
///
/// JSON holds everything that runs; docs/reference/policy-export.md says what each key means. Cedar holds what the policy
/// lets pass: Cedar allows exactly where the full verdict, with the exceptions in force, is below block.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  writ policy export policy.md --format json > policy.json
  writ policy export policy.md --format cedar > policy.cedar
  writ policy export policy.md --format cedar --schema > policy.cedarschema")]
pub(crate) struct Export {
    /// The policy document
    file: PathBuf,
    /// The form
    #[arg(long, value_enum)]
    format: Format,
    /// With `--format cedar`: print the schema of requests in place of the policies
    #[arg(long)]
    schema: bool,
    #[command(flatten)]
    beside: PolicyArgs,
}

/// A form of the export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Cedar policies
    Cedar,
    /// The whole compiled form
    Json,
}

impl Export {
    pub(super) fn run(&self, output: &mut Output) -> anyhow::Result<Exit> {
        if self.schema && self.format == Format::Json {
            anyhow::bail!(
                "`--schema` belongs to `--format cedar`; the form of the JSON is in docs/reference/policy-export.md"
            );
        }
        let policy = self.beside.snapshot(&self.file, self.beside.config()?.as_ref())?.policy;
        match (self.format, self.schema) {
            (Format::Json, _) => output.json(&Compiled::of(&policy))?,
            (Format::Cedar, false) => output.text(&cedar::policies(&policy))?,
            (Format::Cedar, true) => output.text(&cedar::schema(&policy))?,
        }
        Ok(Exit::Yes)
    }
}
