//! What lies in the demo's folder.

use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// The template that ships.
const GENERAL: &str = include_str!("../../../../catalog/policies/general.md");

/// The files of a demo.
pub(crate) struct Files {
    /// Everything is below.
    pub(crate) folder: PathBuf,
    /// The policy that runs: edit it.
    pub(crate) policy: PathBuf,
    /// The company's decisions about services: edit them.
    pub(crate) services: PathBuf,
    /// The simulator's authorities, which Writ trusts instead of the public ones.
    pub(crate) service_roots: PathBuf,
    /// What arrived at the simulated services since the start, credentials left out: one request a line.
    pub(crate) journal: PathBuf,
    /// The organisation's root certificate, which devices trust.
    pub(crate) root: PathBuf,
    /// The intermediates that the proxy uses.
    pub(crate) authority: PathBuf,
    /// Keys and passwords of the company's people, for the next start.
    pub(crate) secrets: PathBuf,
    /// The shares of the key that lifts pseudonyms.
    pub(crate) shares: PathBuf,
    /// Whether this is the first start with this folder.
    pub(crate) fresh: bool,
}

impl Files {
    /// Makes what is missing; what somebody has edited stays as it is.
    ///
    /// # Errors
    /// If the folder cannot be used.
    pub(crate) fn prepare(folder: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder `{}`", folder.display()))?;
        let folder = folder.canonicalize().with_context(|| format!("cannot use the folder `{}`", folder.display()))?;
        let files = Self {
            policy: folder.join("policy.md"),
            services: folder.join("services.toml"),
            service_roots: folder.join("simulated-roots.pem"),
            journal: folder.join("arrived.jsonl"),
            root: folder.join("root.pem"),
            authority: folder.join("authority"),
            secrets: folder.join("people.json"),
            shares: folder.join("reveal"),
            fresh: !folder.join("data").exists(),
            folder,
        };
        for (path, text) in [(&files.policy, policy()), (&files.services, include_str!("services.toml").to_owned())] {
            if !path.exists() {
                files.write(path, &text)?;
            }
        }
        Ok(files)
    }

    /// Writes one of the files, readable by its owner only.
    ///
    /// # Errors
    /// If the disk refuses.
    pub(crate) fn write(&self, path: &Path, text: &str) -> anyhow::Result<()> {
        let mut options = std::fs::OpenOptions::new();
        let file = options.write(true).create(true).truncate(true).mode(0o600).open(path);
        let written = file.and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes()));
        written.with_context(|| format!("cannot write `{}`", path.display()))
    }
}

/// The template as this company adapted it: people are led to its own assistant.
fn policy() -> String {
    GENERAL
        .replace("organisation: Northwind\n", "organisation: Northwind Health\n")
        .replace("redirect: chatgpt", "redirect: care-copilot")
}
