//! Copies of a data directory: consistent, checked when made and when restored.
//!
//! A backup holds the ledger up to a checkpoint, the sealed keys and the state database (SQLite; PostgreSQL has its own
//! tools). The state is copied before the checkpoint is made, so that every act in it has its entry in the copied
//! ledger. The index is not copied: it is rebuilt. The key-encryption key is never in a backup.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use writ_base::ContentHash;

use crate::files;
use crate::ledger::{Checkpoint, Ledger, LedgerError, Trust, Verified, VerifyError, verify};
use crate::state::{Location, State, StateError};
use crate::storage::{FileStorage, Storage};

/// Where things are in a data directory.
#[derive(Clone, Debug)]
pub struct DataDirectory(PathBuf);

impl DataDirectory {
    /// The data directory at `path`; nothing is made.
    pub fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// The folder of the ledger's segments.
    pub fn ledger(&self) -> PathBuf {
        self.0.join("ledger")
    }

    /// The folder of the key file.
    pub fn keys(&self) -> PathBuf {
        self.0.join("keys")
    }

    /// The state database, where it is SQLite.
    pub fn state(&self) -> PathBuf {
        self.0.join("state.db")
    }

    /// The folder of the socket at which a running server takes commands.
    pub fn door(&self) -> PathBuf {
        self.0.join("door")
    }

    /// The folder of the index.
    pub fn index(&self) -> PathBuf {
        self.0.join("index")
    }
}

/// What a backup says about itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Manifest {
    /// The version of the backup's layout.
    pub version: u32,
    /// The ledger is copied up to here.
    pub checkpoint: Checkpoint,
    /// Whether the state database is in it; it is not where it is PostgreSQL.
    pub state: bool,
    /// SHA-256 of each file, by its path.
    pub files: BTreeMap<String, ContentHash>,
}

/// Why a backup cannot be made or restored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// The system refused.
    #[error("cannot {act} `{path}`: {source}")]
    Io {
        /// What was tried.
        act: &'static str,
        /// On which file.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// The place is taken.
    #[error("`{path}` is not empty; give a new folder")]
    NotEmpty {
        /// The folder.
        path: String,
    },
    /// Not a backup, or of a later version.
    #[error("`{path}` is not a backup of this version")]
    NotABackup {
        /// The folder.
        path: String,
    },
    /// A file is not what it was.
    #[error("`{path}` is missing from the backup or was changed")]
    Changed {
        /// The file.
        path: String,
    },
    /// The copied ledger is not whole.
    #[error(transparent)]
    Ledger(#[from] VerifyError),
    /// The ledger refused the checkpoint.
    #[error(transparent)]
    Checkpoint(#[from] LedgerError),
    /// The state database refused.
    #[error(transparent)]
    State(#[from] StateError),
}

const MANIFEST: &str = "manifest.json";
const VERSION: u32 = 1;

/// Copies a data directory that is in use into the new folder `to`, and verifies the copy.
///
/// # Errors
/// If `to` is not empty, a copy fails, or the copied ledger does not verify.
pub async fn backup(
    from: &DataDirectory,
    ledger: &Ledger,
    state: &State,
    to: &Path,
) -> Result<(Manifest, Verified), BackupError> {
    require_empty(to)?;
    let target = DataDirectory::new(to);
    let has_state = matches!(state.location(), Location::Sqlite(_));
    if has_state {
        state.copy_to(&target.state()).await?;
    }
    let checkpoint = ledger.checkpoint().await?;
    std::fs::create_dir_all(target.keys()).map_err(io_error("make", &target.keys()))?;
    copy(&from.keys().join("keys.json"), &target.keys().join("keys.json"))?;
    std::fs::create_dir_all(target.ledger()).map_err(io_error("make", &target.ledger()))?;
    for name in segments(&from.ledger())? {
        copy(&from.ledger().join(&name), &target.ledger().join(&name))?;
    }
    let verified = verify_at(&target, &checkpoint)?;
    cut_torn(&target, verified.torn_bytes)?;
    let manifest = Manifest { version: VERSION, checkpoint, state: has_state, files: hashes(to)? };
    let json = serde_json::to_vec_pretty(&manifest).unwrap_or_default();
    files::replace(&to.join(MANIFEST), &json).map_err(io_error("write", &to.join(MANIFEST)))?;
    Ok((manifest, verified))
}

/// Restores a backup into the new folder `to`, after checking every file, and verifies the ledger.
///
/// Where a newer copy of the ledger exists, [`State::repeat_erasures`] destroys again the keys of whoever was erased
/// after the backup.
///
/// # Errors
/// If the backup is not whole, or `to` is not empty.
pub fn restore(from: &Path, to: &Path) -> Result<(Manifest, Verified), BackupError> {
    let not_a_backup = || BackupError::NotABackup { path: from.display().to_string() };
    let json = std::fs::read(from.join(MANIFEST)).map_err(|_| not_a_backup())?;
    let manifest: Manifest = serde_json::from_slice(&json).map_err(|_| not_a_backup())?;
    if manifest.version != VERSION {
        return Err(not_a_backup());
    }
    let mut found = hashes(from)?;
    found.remove(MANIFEST);
    for (path, hash) in &manifest.files {
        if found.remove(path) != Some(*hash) {
            return Err(BackupError::Changed { path: path.clone() });
        }
    }
    if let Some((path, _)) = found.pop_first() {
        return Err(BackupError::Changed { path });
    }
    require_empty(to)?;
    for path in manifest.files.keys() {
        let target = to.join(path);
        if let Some(folder) = target.parent() {
            std::fs::create_dir_all(folder).map_err(io_error("make", folder))?;
        }
        copy(&from.join(path), &target)?;
    }
    let verified = verify_at(&DataDirectory::new(to), &manifest.checkpoint)?;
    Ok((manifest, verified))
}

fn verify_at(directory: &DataDirectory, checkpoint: &Checkpoint) -> Result<Verified, BackupError> {
    let storage = FileStorage::new(&directory.ledger()).map_err(io_error("open", &directory.ledger()))?;
    let trust = Trust { earlier: vec![checkpoint.clone()], keys: Vec::new() };
    Ok(verify(Arc::new(storage), &trust)?)
}

/// Removes the half of an entry that was being written while its segment was copied.
fn cut_torn(directory: &DataDirectory, torn: u64) -> Result<(), BackupError> {
    let Some(last) = segments(&directory.ledger())?.pop().filter(|_| torn > 0) else { return Ok(()) };
    let path = directory.ledger().join(last);
    let cut = File::options().write(true).open(&path).and_then(|file| {
        file.set_len(file.metadata()?.len().saturating_sub(torn))?;
        file.sync_all()
    });
    cut.map_err(io_error("cut", &path))
}

fn segments(folder: &Path) -> Result<Vec<String>, BackupError> {
    let storage = FileStorage::new(folder).map_err(io_error("open", folder))?;
    let names = storage.names().map_err(io_error("list", folder))?;
    Ok(names.into_iter().filter(|name| name.ends_with(".ledger")).collect())
}

/// Hashes of all files below a folder, by their path relative to it.
fn hashes(root: &Path) -> Result<BTreeMap<String, ContentHash>, BackupError> {
    let mut hashes = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for item in std::fs::read_dir(&folder).map_err(io_error("list", &folder))? {
            let item = item.map_err(io_error("list", &folder))?;
            let path = item.path();
            if item.file_type().map_err(io_error("list", &path))?.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = std::fs::read(&path).map_err(io_error("read", &path))?;
            let name = path.strip_prefix(root).unwrap_or(&path).display().to_string();
            hashes.insert(name, ContentHash::of(&bytes));
        }
    }
    Ok(hashes)
}

fn copy(from: &Path, to: &Path) -> Result<(), BackupError> {
    let mut source = File::open(from).map_err(io_error("read", from))?;
    files::create(to, b"").map_err(io_error("make", to))?;
    let written = File::options().append(true).open(to).and_then(|mut target| {
        io::copy(&mut source, &mut target)?;
        target.flush()?;
        target.sync_all()
    });
    written.map_err(io_error("write", to))
}

fn require_empty(folder: &Path) -> Result<(), BackupError> {
    std::fs::create_dir_all(folder).map_err(io_error("make", folder))?;
    let mut items = std::fs::read_dir(folder).map_err(io_error("list", folder))?;
    if items.next().is_some() {
        return Err(BackupError::NotEmpty { path: folder.display().to_string() });
    }
    Ok(())
}

fn io_error(act: &'static str, path: &Path) -> impl FnOnce(io::Error) -> BackupError {
    let path = path.display().to_string();
    move |source| BackupError::Io { act, path, source }
}
