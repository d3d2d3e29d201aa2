//! The index: what the console asks, answered from SQLite files that are built behind the ledger.
//!
//! One file for each month. Entries go to the file of the month they were written in, so that each file covers one
//! stretch of the chain, and its position stands in the same transaction as its rows: whatever crashes, nothing is
//! indexed twice or left out. The index holds what skeletons say, no personal part; persons in it are ids of keys, which
//! mean somebody only while the state database holds that key. It can be made anew from the ledger.

mod clauses;
mod names;
mod opener;
mod query;
mod stats;
mod write;

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Row as _, SqliteConnection};
use tokio::sync::Mutex;

pub use clauses::ClauseFigures;
pub use opener::Opener;
pub use query::{Cell, Outcome, Query, Row};
pub use stats::{DayStat, Percentiles, ToolSeen};

use crate::ledger::{Entry, LedgerError, LedgerReader};
use crate::state::StateError;

/// The index over one chain.
pub struct Index {
    folder: PathBuf,
    opener: Option<Opener>,
    /// The file of the last month.
    writer: Mutex<Option<File>>,
    position: AtomicU64,
    unreadable: AtomicU64,
}

struct File {
    month: i64,
    connection: SqliteConnection,
    /// What is in its table of names; unknown after a failure.
    names: Option<names::Names>,
}

/// Why the index cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IndexError {
    /// A file refused.
    #[error("the index failed: {0}; it can be rebuilt from the ledger")]
    Database(#[from] sqlx::Error),
    /// The folder refused.
    #[error("the index cannot use `{path}`: {source}")]
    Folder {
        /// The folder or file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// Another process is making a file, or will make it anew.
    #[error("the index is being made; ask again in a moment")]
    BeingMade,
    /// The ledger cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Persons cannot be told.
    #[error(transparent)]
    State(#[from] StateError),
}

/// Entries indexed with one transaction.
const BATCH: usize = 2048;
/// The layout of the files; files of another one are made anew.
const LAYOUT: i64 = 3;

impl Index {
    /// Opens the index in `folder`, without persons. Files of another layout are removed, to be built anew.
    ///
    /// # Errors
    /// If the folder or a file refuses.
    pub async fn open(folder: &Path) -> Result<Self, IndexError> {
        Self::open_as(folder, None).await
    }

    /// Opens the index in `folder`; answers name persons by pseudonym. Files that were built without are removed, to be
    /// built anew.
    ///
    /// # Errors
    /// If the folder or a file refuses.
    pub async fn open_with(folder: &Path, opener: Opener) -> Result<Self, IndexError> {
        Self::open_as(folder, Some(opener)).await
    }

    /// Opens the index in `folder` for questions only, beside the process that builds it: nothing is made, changed or
    /// removed. Without persons.
    ///
    /// # Errors
    /// If a file is being made or is of another layout ([`IndexError::BeingMade`]), or refuses.
    pub async fn open_beside(folder: &Path) -> Result<Self, IndexError> {
        let index = Self {
            folder: folder.to_owned(),
            opener: None,
            writer: Mutex::new(None),
            position: AtomicU64::new(0),
            unreadable: AtomicU64::new(0),
        };
        for month in index.months()? {
            let mut connection = connect(&index.path(month), false).await?;
            let meta = read_meta(&mut connection).await;
            connection.close().await?;
            match meta {
                Ok(Some(meta)) if meta.layout == LAYOUT => index.position.store(meta.position, Ordering::Release),
                // A file without its tables is one that was made a moment ago.
                _ => return Err(IndexError::BeingMade),
            }
        }
        Ok(index)
    }

    async fn open_as(folder: &Path, opener: Option<Opener>) -> Result<Self, IndexError> {
        std::fs::create_dir_all(folder).map_err(in_folder(folder))?;
        let persons = opener.is_some();
        let index = Self {
            folder: folder.to_owned(),
            opener,
            writer: Mutex::new(None),
            position: AtomicU64::new(0),
            unreadable: AtomicU64::new(0),
        };
        let months = index.months()?;
        let mut outdated = false;
        for month in &months {
            let mut connection = connect(&index.path(*month), true).await?;
            let meta = read_meta(&mut connection).await?;
            outdated |= meta.is_none_or(|meta| meta.layout != LAYOUT || (persons && !meta.persons));
            connection.close().await?;
        }
        if outdated {
            index.remove_files()?;
        } else if let Some(last) = months.last() {
            let mut connection = connect(&index.path(*last), true).await?;
            let position = read_meta(&mut connection).await?.map_or(0, |meta| meta.position);
            index.position.store(position, Ordering::Release);
            *index.writer.lock().await = Some(File { month: *last, connection, names: None });
        }
        Ok(index)
    }

    /// Sequence of the first entry that is not indexed yet.
    pub fn position(&self) -> u64 {
        self.position.load(Ordering::Acquire)
    }

    /// How many entries of the ledger are not indexed yet, given its position. Answers say nothing about those.
    pub fn lag(&self, ledger_position: u64) -> u64 {
        ledger_position.saturating_sub(self.position())
    }

    /// Entries since the start whose skeleton could not be understood; they are in the ledger, not in the index.
    pub fn unreadable(&self) -> u64 {
        self.unreadable.load(Ordering::Relaxed)
    }

    /// Indexes what the reader gives until it has no more for now. The reader must start at [`Index::position`].
    /// Returns how many entries were read.
    ///
    /// # Errors
    /// If the ledger cannot be read or a file refuses; what was committed before stays.
    pub async fn catch_up(&self, reader: &mut LedgerReader) -> Result<u64, IndexError> {
        let mut count = 0;
        let mut batch: Vec<Entry> = Vec::with_capacity(BATCH);
        loop {
            for entry in reader.by_ref().take(BATCH) {
                batch.push(entry?);
            }
            if batch.is_empty() {
                return Ok(count);
            }
            self.apply(&batch).await?;
            count += batch.len() as u64;
            batch.clear();
            tokio::task::yield_now().await;
        }
    }

    /// Removes all files and builds them anew from a reader that starts at the first entry.
    ///
    /// # Errors
    /// As [`Index::catch_up`].
    pub async fn rebuild(&self, reader: &mut LedgerReader) -> Result<u64, IndexError> {
        if let Some(file) = self.writer.lock().await.take() {
            file.connection.close().await?;
        }
        self.remove_files()?;
        self.position.store(0, Ordering::Release);
        self.catch_up(reader).await
    }

    /// Closes the files.
    ///
    /// # Errors
    /// If a file refuses.
    pub async fn close(&self) -> Result<(), IndexError> {
        if let Some(file) = self.writer.lock().await.take() {
            file.connection.close().await?;
        }
        Ok(())
    }

    /// The months that have a file, from the oldest, as year * 100 + month.
    fn months(&self) -> Result<Vec<i64>, IndexError> {
        let mut months = Vec::new();
        for item in std::fs::read_dir(&self.folder).map_err(in_folder(&self.folder))? {
            let item = item.map_err(in_folder(&self.folder))?;
            let name = item.file_name().to_string_lossy().into_owned();
            months.extend(name.strip_suffix(".db").and_then(|month| month.parse::<i64>().ok()));
        }
        months.sort_unstable();
        Ok(months)
    }

    fn path(&self, month: i64) -> PathBuf {
        self.folder.join(format!("{month:06}.db"))
    }

    fn remove_files(&self) -> Result<(), IndexError> {
        for month in self.months()? {
            for end in ["db", "db-wal", "db-shm"] {
                let path = self.path(month).with_extension(end);
                match std::fs::remove_file(&path) {
                    Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                        return Err(in_folder(&path)(source));
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }
}

struct Meta {
    layout: i64,
    position: u64,
    /// Whether all its entries were indexed with persons.
    persons: bool,
}

async fn read_meta(connection: &mut SqliteConnection) -> Result<Option<Meta>, IndexError> {
    let there = sqlx::query("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetch_optional(&mut *connection).await?;
    if there.is_none() {
        return Ok(None);
    }
    let row = sqlx::query("SELECT * FROM meta").fetch_optional(connection).await?;
    let meta = row.map(|row| -> Result<Meta, sqlx::Error> {
        let layout: i64 = row.try_get("layout")?;
        let position = u64::try_from(row.try_get::<i64, _>("position")?).unwrap_or(0);
        // The first layout had no persons, and no column that says so.
        let persons = layout >= 2 && row.try_get::<i64, _>("persons")? != 0;
        Ok(Meta { layout, position, persons })
    });
    Ok(meta.transpose()?)
}

async fn connect(path: &Path, create: bool) -> Result<SqliteConnection, IndexError> {
    if create {
        match crate::files::create(path, b"") {
            Err(source) if source.kind() != std::io::ErrorKind::AlreadyExists => return Err(in_folder(path)(source)),
            _ => {}
        }
    }
    // After a power cut the last transactions may be gone, each whole: the ledger brings them back.
    let options = SqliteConnectOptions::from_str("sqlite:")?
        .filename(path)
        .create_if_missing(false)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        .busy_timeout(std::time::Duration::from_secs(10))
        .pragma("cache_size", "-16384")
        .pragma("secure_delete", "ON")
        .disable_statement_logging();
    Ok(options.connect().await?)
}

fn in_folder(path: &Path) -> impl Fn(std::io::Error) -> IndexError {
    let path = path.display().to_string();
    move |source| IndexError::Folder { path: path.clone(), source }
}
