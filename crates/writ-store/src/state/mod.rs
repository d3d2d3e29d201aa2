//! State: who is who, keys of persons and of callers, what stands beside the policy. SQLite or PostgreSQL.
//!
//! Every method that changes something takes the [`Ledger`] and writes an entry before the change takes effect; the
//! tables are projections. No table holds a readable name, address or credential: logins and API keys are keyed
//! digests, identities are sealed to the reveal key, keys and credentials to the key-encryption key and its purposes.

mod access;
mod accounts;
mod attributes;
mod drafts;
mod inbox;
mod kept;
mod looks;
mod migrations;
mod notices;
mod people;
mod pseudonyms;
mod reveals;
mod sealed;
mod standing;
mod stops;
mod tokens;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use parking_lot::Mutex;
use sqlx::any::AnyPoolOptions;
use sqlx::{AnyConnection, AnyPool, AssertSqlSafe, Executor};
use writ_base::{Clock, Randomness};
use writ_model::interaction::PrincipalId;
use writ_model::record::{AdminAct, OrganisationId};

pub use access::{ApiKey, ApiKeyId, ApiKeyKind, Caller, NewApiKey, ProviderCredential};
pub use accounts::{Account, AccountId, LOGIN_SOURCE, NewAccount};
pub use attributes::{Attributes, LOCAL_SOURCE};
pub use drafts::{Draft, NewDraft};
pub use inbox::{Case, CaseAnswer, CaseFilter, CaseId, CaseKind, NewCase};
pub use kept::Kept;
pub use looks::{Look, NewLook};
pub use people::{Erased, Identified, Login};
pub(crate) use pseudonyms::KeyId;
pub use reveals::{AskReveal, Reveal, RevealEntry, RevealId, RevealState};
pub use tokens::{Token, TokenId};

use crate::keys::{KeyError, KeyStore};
use crate::ledger::{Ledger, LedgerError, NewEntry};
use crate::personal::{PersonKey, RevealError};

/// Where the state database is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// A file of this machine.
    Sqlite(PathBuf),
    /// A server, as `postgres://user@host/database`.
    Postgres(String),
}

impl Location {
    /// From a URL: `postgres://...`, or `sqlite:PATH`.
    pub fn parse(url: &str) -> Option<Self> {
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Some(Self::Postgres(url.to_owned()));
        }
        let path = url.strip_prefix("sqlite:")?;
        Some(Self::Sqlite(PathBuf::from(path.strip_prefix("//").unwrap_or(path))))
    }
}

/// What state needs beside its database.
#[derive(Clone)]
pub struct Means {
    /// The organisation whose state it is.
    pub organisation: OrganisationId,
    /// The keys.
    pub keys: Arc<KeyStore>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness for ids and keys.
    pub randomness: Arc<dyn Randomness>,
}

/// The state database, open.
pub struct State {
    pool: AnyPool,
    location: Location,
    means: Means,
    /// Keys of persons in use, by principal and month.
    person_keys: Mutex<BTreeMap<(PrincipalId, i64), PersonKey>>,
    /// Shares of reveals that wait for the second holder. They are nowhere else.
    shares: Mutex<reveals::Shares>,
    /// Rows that were added to the tables of stops and choices: see `stops`.
    rows_kept: AtomicU64,
}

/// Why state cannot be read or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// The database refused.
    #[error("the state database failed: {0}")]
    Database(#[from] sqlx::Error),
    /// A later version wrote it.
    #[error("the state database has schema {found}, this version knows {known}; use the newer version")]
    Newer {
        /// The schema found.
        found: usize,
        /// The latest one known.
        known: usize,
    },
    /// An earlier version wrote it, and it is not ours to change.
    #[error("the state database has schema {found}, this version needs {known}; start this version once")]
    Older {
        /// The schema found.
        found: usize,
        /// The one needed.
        known: usize,
    },
    /// What is stored cannot be understood.
    #[error("the table `{table}` holds something that is not readable; restore the state database from a backup")]
    Unreadable {
        /// The table.
        table: &'static str,
    },
    /// There is no such thing.
    #[error("there is no {what} with this id")]
    Missing {
        /// What was looked for.
        what: &'static str,
    },
    /// No reveal key was set up yet.
    #[error("there is no reveal key yet: name its holders first, so that identities can be sealed to it")]
    NoRevealKey,
    /// The name is in use.
    #[error("this {what} is taken; choose another one")]
    Taken {
        /// What was to be made.
        what: &'static str,
    },
    /// It was done before.
    #[error("this {what} is closed; it cannot be done a second time")]
    Closed {
        /// What was to be changed.
        what: &'static str,
    },
    /// Somebody, perhaps in another window, was faster.
    #[error("this {what} was changed in the meantime; look at it again before you change it")]
    Changed {
        /// What was to be changed.
        what: &'static str,
    },
    /// Its time is over.
    #[error("this {what} has expired; begin anew")]
    Expired {
        /// What was to be changed.
        what: &'static str,
    },
    /// Over a limit.
    #[error("more than the limit `{limit}` allows")]
    OverLimit {
        /// The limit's name.
        limit: &'static str,
    },
    /// Somebody of whom no identity is kept.
    #[error("this is a protected person: no identity is kept, so there is nothing to lift")]
    Protected,
    /// A reveal takes two people.
    #[error("a reveal takes the shares of two different people; {given} of 2 are here")]
    Approvals {
        /// Shares at hand.
        given: usize,
    },
    /// Only whoever asked may open it.
    #[error("this reveal was asked for by another account; only that one can open it")]
    NotYours,
    /// The shares do not open it.
    #[error(transparent)]
    Reveal(#[from] RevealError),
    /// A key is missing.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The change could not be written down, so it was not made.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A copy of the database could not be made.
    #[error("cannot write the copy `{path}`: {source}")]
    Copy {
        /// The file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
}

/// Connections at once.
const CONNECTIONS_MAX: u32 = 4;

impl State {
    /// Opens the database, makes it if there is none, and brings its schema up to date.
    ///
    /// # Errors
    /// If it cannot be reached, a newer version wrote it, or a step of the schema fails.
    pub async fn open(location: Location, means: Means) -> Result<Self, StateError> {
        let pool = open_pool(&location).await?;
        let mut connection = pool.acquire().await?;
        migrations::migrate(&mut connection, &location, migrations::STEPS, means.clock.now()).await?;
        drop(connection);
        let state = Self::with(pool, location, means);
        state.finish_kek_change().await?;
        Ok(state)
    }

    /// Opens a database beside whoever else has it open: its schema is taken as it is, and must be that of this version.
    ///
    /// # Errors
    /// If it cannot be reached, or another version wrote it.
    pub async fn open_beside(location: Location, means: Means) -> Result<Self, StateError> {
        let pool = open_pool(&location).await?;
        migrations::require_current(&mut *pool.acquire().await?, migrations::STEPS.len()).await?;
        Ok(Self::with(pool, location, means))
    }

    fn with(pool: AnyPool, location: Location, means: Means) -> Self {
        let (person_keys, shares) = (Mutex::default(), Mutex::default());
        Self { pool, location, means, person_keys, shares, rows_kept: AtomicU64::new(0) }
    }

    /// Copies an SQLite database to a new file, consistent at one moment. PostgreSQL has its own tools (`pg_dump`).
    ///
    /// # Errors
    /// If the file exists or cannot be written.
    pub async fn copy_to(&self, path: &Path) -> Result<(), StateError> {
        let mut connection = self.pool.acquire().await?;
        copy_sqlite(&mut connection, path).await
    }

    /// Closes all connections.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// Where the database is.
    pub const fn location(&self) -> &Location {
        &self.location
    }

    /// Writes an act into the ledger before it takes effect.
    async fn act(&self, ledger: &Ledger, act: &str, object: String, role: &str) -> Result<(), StateError> {
        let entry = AdminAct { act: act.to_owned(), object, role: role.to_owned() };
        ledger.append(NewEntry::admin_act(&entry, None, self.means.clock.now())).await?;
        Ok(())
    }

    /// Overwrites what deleted rows have left in files.
    async fn scrub(&self) -> Result<(), StateError> {
        match &self.location {
            Location::Sqlite(_) => {
                for _ in 0..SCRUB_TRIES {
                    let row = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&self.pool).await?;
                    if sqlx::Row::try_get::<i64, _>(&row, 0)? == 0 {
                        return Ok(());
                    }
                    // A reader holds the log; it is truncated as soon as that one is done.
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                Err(StateError::Database(sqlx::Error::Protocol("the write-ahead log is in use".into())))
            }
            Location::Postgres(_) => {
                for table in SCRUBBED {
                    sqlx::query(AssertSqlSafe(format!("VACUUM (FULL) {table}"))).execute(&self.pool).await?;
                }
                Ok(())
            }
        }
    }
}

/// Connections to a database, each set up; an SQLite file is made private before it is opened.
async fn open_pool(location: &Location) -> Result<AnyPool, StateError> {
    sqlx::any::install_default_drivers();
    let (url, set_up) = match location {
        Location::Sqlite(path) => {
            make_private(path)?;
            (format!("sqlite://{}?mode=rwc", path.display()), SQLITE_SETTINGS)
        }
        Location::Postgres(url) => (url.clone(), ""),
    };
    let pool = AnyPoolOptions::new()
        .max_connections(CONNECTIONS_MAX)
        .after_connect(move |connection, _| {
            Box::pin(async move {
                if !set_up.is_empty() {
                    connection.execute(set_up).await?;
                }
                Ok(())
            })
        })
        .connect(&url)
        .await?;
    Ok(pool)
}

const SCRUB_TRIES: usize = 500;
/// The tables from which an erasure removes rows or words.
const SCRUBBED: &[&str] = &[
    "principals",
    "login_aliases",
    "personal_keys",
    "acknowledgements",
    "api_keys",
    "tickets",
    "drafts",
    "accounts",
    "attributes",
    "passwords",
    "notices",
    "looks",
    "cases",
    "reveals",
    "reveal_approvals",
];

/// Deleted content is overwritten, readers do not block the writer, a lock is waited for, every commit reaches the disk.
const SQLITE_SETTINGS: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; \
                               PRAGMA busy_timeout = 10000; PRAGMA foreign_keys = ON;";

async fn copy_sqlite(connection: &mut AnyConnection, path: &Path) -> Result<(), StateError> {
    let text = path.display().to_string();
    sqlx::query("VACUUM INTO $1").bind(&text).execute(connection).await?;
    let file = std::fs::File::open(path).and_then(|file| {
        file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
        file.sync_all()
    });
    file.map_err(|source| StateError::Copy { path: text, source })
}

/// SQLite makes files that everybody can read; this one is there before.
fn make_private(path: &Path) -> Result<(), StateError> {
    match crate::files::create(path, b"") {
        Err(source) if source.kind() != std::io::ErrorKind::AlreadyExists => {
            Err(StateError::Copy { path: path.display().to_string(), source })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sqlx::Connection;
    use writ_base::Moment;

    async fn connection(path: &Path) -> AnyConnection {
        sqlx::any::install_default_drivers();
        AnyConnection::connect(&format!("sqlite://{}?mode=rwc", path.display())).await.unwrap()
    }

    #[tokio::test]
    async fn migrations_go_forward_with_a_copy_and_refuse_a_newer_schema() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.db");
        let location = Location::Sqlite(path.clone());
        let one: &[&'static [&'static str]] = &[&["CREATE TABLE a (x BIGINT)"]];
        let two: &[&'static [&'static str]] = &[one[0], &["CREATE TABLE b (x BIGINT)"]];
        let bad: &[&'static [&'static str]] = &[one[0], two[1], &["CREATE TABLE c (x BIGINT)", "nonsense"]];
        let mut database = connection(&path).await;
        migrations::migrate(&mut database, &location, one, Moment::EPOCH).await.unwrap();
        sqlx::query("INSERT INTO a VALUES (5)").execute(&mut database).await.unwrap();
        migrations::migrate(&mut database, &location, two, Moment::EPOCH).await.unwrap();
        let mut copy = connection(&folder.path().join("state.before-2")).await;
        sqlx::query("SELECT x FROM a").fetch_one(&mut copy).await.unwrap();
        assert!(sqlx::query("SELECT x FROM b").fetch_optional(&mut copy).await.is_err());
        assert!(migrations::migrate(&mut database, &location, bad, Moment::EPOCH).await.is_err());
        assert!(sqlx::query("SELECT x FROM c").fetch_optional(&mut database).await.is_err());
        migrations::migrate(&mut database, &location, two, Moment::EPOCH).await.unwrap();
        let refused = migrations::migrate(&mut database, &location, one, Moment::EPOCH).await;
        assert!(matches!(refused, Err(StateError::Newer { found: 2, known: 1 })));
    }
}
