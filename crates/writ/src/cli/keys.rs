//! `writ keys`: which keys there are, and new ones.

use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use serde_json::json;
use writ_base::keys::KeyPurpose;
use writ_store::keys::KekSource;
use writ_store::personal::{Share, new_reveal_key};

use super::settings::ConfigFile;
use super::{Exit, Output, block_on};
use crate::wiring::Home;

/// List keys, or rotate one
///
/// Keys are never printed. The server must not run while a key is rotated.
#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    List(List),
    Rotate(Rotate),
}

/// List the keys there are, by purpose and epoch
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  writ keys list --config writ.toml
  writ keys list --json")]
pub(crate) struct List {
    #[command(flatten)]
    file: ConfigFile,
    /// Print the list as JSON
    #[arg(long)]
    json: bool,
}

/// Start a new epoch of a key
///
/// What was made with earlier epochs stays readable. The reveal key is split among holders, of whom two together can
/// tell who a pseudonym is; their shares are written to files that are to be handed over and deleted.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  writ keys rotate placeholder
  writ keys rotate reveal --holder privacy-officer --holder works-council --shares /media/shares
  writ keys rotate key-encryption --new-key-file /etc/writ/new.key")]
pub(crate) struct Rotate {
    #[command(flatten)]
    file: ConfigFile,
    /// What the key is for, as `writ keys list` names it
    #[arg(value_parser = purpose)]
    purpose: KeyPurpose,
    /// For `reveal`: who holds a share (two or more)
    #[arg(long, value_name = "NAME")]
    holder: Vec<String>,
    /// For `reveal`: the new folder for the shares
    #[arg(long, value_name = "DIR")]
    shares: Option<PathBuf>,
    /// For `key-encryption`: a file with the new key
    #[arg(long, value_name = "FILE")]
    new_key_file: Option<PathBuf>,
}

fn purpose(name: &str) -> Result<KeyPurpose, String> {
    let names = || KeyPurpose::ALL.iter().map(|purpose| purpose.name());
    KeyPurpose::named(name).ok_or_else(|| match writ_policy::words::nearest(name, names()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("say one of {}", names().collect::<Vec<_>>().join(", ")),
    })
}

impl KeysCommand {
    pub(crate) fn run(&self, output: &mut Output) -> anyhow::Result<Exit> {
        match self {
            Self::List(list) => block_on(list.run(output)),
            Self::Rotate(rotate) => block_on(rotate.run(output)),
        }
    }
}

impl List {
    async fn run(&self, output: &mut Output) -> anyhow::Result<Exit> {
        let data = Home::open(&self.file.load()?).await?;
        let keys = data.keys.list();
        data.close().await?;
        if self.json {
            let keys = keys.iter().map(|key| {
                json!({
                    "purpose": key.purpose,
                    "epoch": key.epoch,
                    "current": key.current,
                    "made": key.made.map(|made| made.to_string()),
                    "holder": key.purpose.holder(),
                    "place": key.purpose.place(),
                    "rotation": key.purpose.rotation(),
                    "lost": key.purpose.lost(),
                })
            });
            output.json(&keys.collect::<Vec<_>>())?;
            return Ok(Exit::Yes);
        }
        for key in &keys {
            let made = key.made.map_or_else(|| "-".to_owned(), |made| made.to_string());
            let current = if key.current { "current" } else { "former" };
            output.line(format_args!("{:<15} epoch {:<3} {current:<8} made {made}", key.purpose.name(), key.epoch))?;
        }
        Ok(Exit::Yes)
    }
}

impl Rotate {
    async fn run(&self, output: &mut Output) -> anyhow::Result<Exit> {
        self.check()?;
        let data = Home::open(&self.file.load()?).await?;
        let rotated = match self.purpose {
            KeyPurpose::Reveal => self.reveal(&data, output).await,
            KeyPurpose::KeyEncryption => self.key_encryption(&data, output).await,
            purpose => rotate(purpose, &data, output).await,
        };
        let closed = data.close().await;
        rotated.and(closed)?;
        Ok(Exit::Yes)
    }

    fn check(&self) -> anyhow::Result<()> {
        let reveal = self.purpose == KeyPurpose::Reveal;
        if reveal && (self.holder.len() < 2 || self.shares.is_none()) {
            bail!("the reveal key needs two or more holders and a folder: `--holder NAME --holder NAME --shares DIR`");
        }
        let about_reveal = !self.holder.is_empty() || self.shares.is_some();
        if about_reveal && !reveal {
            bail!("`--holder` and `--shares` belong to the key `reveal`");
        }
        let kek = self.purpose == KeyPurpose::KeyEncryption;
        if kek != self.new_key_file.is_some() {
            bail!("`--new-key-file` and the key `key-encryption` belong together");
        }
        let named = |name: &String| {
            !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') && !name.starts_with('-')
        };
        if let Some(name) = self.holder.iter().find(|name| !named(name)) {
            bail!("holder `{name}`: use letters, digits and dashes; the name becomes the name of a file");
        }
        let distinct: std::collections::BTreeSet<_> = self.holder.iter().collect();
        if distinct.len() != self.holder.len() {
            bail!("a holder is named twice; each share needs another person");
        }
        Ok(())
    }

    async fn reveal(&self, data: &Home, output: &mut Output) -> anyhow::Result<()> {
        let Some(folder) = &self.shares else { bail!("`--shares` is missing") };
        let number = u8::try_from(self.holder.len()).context("there are too many holders; at most 255")?;
        let (public, shares) = new_reveal_key(number, &*data.randomness)?;
        // The shares first: a public half whose shares exist nowhere would seal identities for ever.
        write_shares(folder, &self.holder, &shares)?;
        let epoch = data.keys.add_reveal(public, &data.ledger, data.clock.now(), &*data.randomness).await?;
        output.line(format_args!("reveal: epoch {epoch}, {number} shares in `{}`", folder.display()))?;
        output.line("hand each file to its holder and delete it here; any two open an identity, one alone none")?;
        Ok(())
    }

    async fn key_encryption(&self, data: &Home, output: &mut Output) -> anyhow::Result<()> {
        let Some(path) = &self.new_key_file else { bail!("`--new-key-file` is missing") };
        let kek = KekSource::File(path.clone()).load()?;
        let epoch = data.keys.change_kek(kek, &data.ledger, data.clock.now(), &*data.randomness).await?;
        let sealed = data.state.finish_kek_change().await?;
        output.line(format_args!("key-encryption: epoch {epoch}; {sealed} keys of persons sealed anew"))?;
        output.line(format_args!("now let `key-encryption` in the configuration name `{}`", path.display()))?;
        Ok(())
    }
}

async fn rotate(purpose: KeyPurpose, data: &Home, output: &mut Output) -> anyhow::Result<()> {
    let epoch = data.keys.rotate(purpose, &data.ledger, data.clock.now(), &*data.randomness).await?;
    output.line(format_args!("{purpose}: epoch {epoch}"))?;
    if purpose == KeyPurpose::Provider {
        let sealed = data.state.reseal_provider_credentials().await?;
        output.line(format_args!("{sealed} credentials sealed anew"))?;
    }
    Ok(())
}

/// One file for each holder, readable for its owner only, in a folder that must be new.
fn write_shares(folder: &Path, holders: &[String], shares: &[Share]) -> anyhow::Result<()> {
    let made = std::fs::DirBuilder::new().mode(0o700).create(folder);
    made.with_context(|| format!("cannot make the folder `{}`; give a new one", folder.display()))?;
    for (holder, share) in holders.iter().zip(shares) {
        let path = folder.join(format!("{holder}.share"));
        let file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        let written = file.and_then(|mut file| {
            writeln!(file, "{}", share.to_text())?;
            file.sync_all()
        });
        written.with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    Ok(())
}
