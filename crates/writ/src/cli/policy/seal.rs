//! `writ policy seal`: a list of terms becomes digests that a policy may show.

use anyhow::bail;
use clap::Args;
use writ_base::Limit;
use writ_base::hash::hex;
use writ_base::keys::KeyPurpose;
use writ_policy::seal::digests;

use crate::cli::files::Source;
use crate::cli::settings::ConfigFile;
use crate::cli::text::counted;
use crate::cli::{Exit, Output, block_on};
use crate::wiring::Home;

/// The largest list of terms.
static TERMS: Limit = Limit::new("cli.sealed-terms", "bytes", 1 << 20);

/// Turn terms into a sealed block
///
/// Reads terms, one a line, and prints a block `define sealed` with their digests under the key `sealed-terms` of the
/// data directory. The document then says who keeps the terms, and nothing about them. Keep the list: nobody can make
/// the terms from the digests. The terms are not stored and not logged.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  writ policy seal --class strategic --kept-by legal names.txt
  gpg --decrypt names.gpg | writ policy seal --class strategic --kept-by legal -

The server must not run meanwhile. This version of Writ keeps sealed terms and does not search for them.")]
pub(crate) struct Seal {
    #[command(flatten)]
    config: ConfigFile,
    /// The class that the terms belong to
    #[arg(long, value_name = "CLASS")]
    class: String,
    /// The role that keeps the list
    #[arg(long, value_name = "ROLE")]
    kept_by: String,
    /// The list, one term a line; `-` reads standard input
    #[arg(value_name = "FILE")]
    terms: String,
}

impl Seal {
    pub(super) fn run(&self, output: &mut Output) -> anyhow::Result<Exit> {
        block_on(self.seal(output))
    }

    async fn seal(&self, output: &mut Output) -> anyhow::Result<Exit> {
        for (name, value) in [("class", &self.class), ("kept-by", &self.kept_by)] {
            let named =
                |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
            if !value.split('-').all(named) {
                bail!("`--{name} {value}`: use lower-case letters, digits and single hyphens");
            }
        }
        let terms = writ_base::Sensitive::new(Source::from(self.terms.as_str()).text(&TERMS)?);
        if terms.expose().trim().is_empty() {
            bail!("`{}` holds no term; write one a line", self.terms);
        }
        let home = Home::open(&self.config.load()?).await?;
        let (epoch, key) = home.keys.current(KeyPurpose::SealedTerms)?;
        home.close().await?;
        let digests = digests(&key, &self.class, terms.expose());
        output.line("```define sealed")?;
        output.line(format_args!("class:   {}", self.class))?;
        output.line(format_args!("kept-by: {}", self.kept_by))?;
        output.line(format_args!("epoch:   {epoch}"))?;
        output.line("digests:")?;
        for digest in &digests {
            output.line(format_args!("  - {}", hex(digest)))?;
        }
        output.line("```")?;
        output.say(format_args!(
            "{} sealed; keep the list, the digests do not give it back",
            counted(digests.len(), "term")
        ))?;
        Ok(Exit::Yes)
    }
}
