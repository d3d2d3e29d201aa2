//! The schema of the state database: forward-only steps in SQL that SQLite and PostgreSQL both understand.
//!
//! Two types are enough for that: text (sealed bytes as hexadecimal digits, structures as JSON) and 64-bit integers.

use sqlx::{AnyConnection, Connection, Row};
use writ_base::Moment;

use super::{Location, StateError};

/// The steps; a data directory of version n has had the first n of them. They are never changed, only added to.
pub(super) const STEPS: &[&[&str]] = &[FIRST, SECOND, THIRD, FOURTH, FIFTH, SIXTH];

const FIRST: &[&str] = &[
    "CREATE TABLE principals (
        id TEXT PRIMARY KEY, kind TEXT NOT NULL, made BIGINT NOT NULL,
        identity TEXT NOT NULL, reveal_epoch BIGINT NOT NULL)",
    "CREATE TABLE login_aliases (digest TEXT PRIMARY KEY, epoch BIGINT NOT NULL, principal TEXT NOT NULL)",
    "CREATE INDEX login_aliases_principal ON login_aliases (principal)",
    "CREATE TABLE personal_keys (
        id TEXT PRIMARY KEY, principal TEXT NOT NULL, month BIGINT NOT NULL,
        kek_epoch BIGINT NOT NULL, sealed TEXT NOT NULL, UNIQUE (principal, month))",
    "CREATE TABLE api_keys (
        id TEXT PRIMARY KEY, prefix TEXT NOT NULL UNIQUE, digest TEXT NOT NULL, kind TEXT NOT NULL,
        owner TEXT NOT NULL, on_behalf_of TEXT, labels TEXT NOT NULL, made BIGINT NOT NULL, disabled BIGINT)",
    "CREATE TABLE provider_credentials (
        service TEXT NOT NULL, name TEXT NOT NULL, epoch BIGINT NOT NULL, sealed TEXT NOT NULL,
        PRIMARY KEY (service, name))",
    "CREATE TABLE acknowledgements (id TEXT PRIMARY KEY, principal TEXT NOT NULL, until BIGINT NOT NULL, body TEXT NOT NULL)",
    "CREATE INDEX acknowledgements_principal ON acknowledgements (principal, until)",
    "CREATE TABLE exceptions (id TEXT PRIMARY KEY, until BIGINT NOT NULL, body TEXT NOT NULL)",
    "CREATE TABLE rollout (id TEXT PRIMARY KEY, until BIGINT NOT NULL, body TEXT NOT NULL)",
    "CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
];

/// Console accounts, what directories say, notices shown, who looked, cases, reveals. Sealed texts are `epoch:hexadecimal digits`.
const SECOND: &[&str] = &[
    "ALTER TABLE principals ADD COLUMN protected BIGINT NOT NULL DEFAULT 0",
    "CREATE TABLE accounts (
        id TEXT PRIMARY KEY, principal TEXT NOT NULL UNIQUE, roles TEXT NOT NULL, password TEXT NOT NULL,
        must_change BIGINT NOT NULL, made BIGINT NOT NULL, disabled BIGINT)",
    "CREATE TABLE tickets (digest TEXT PRIMARY KEY, account TEXT NOT NULL, expires BIGINT NOT NULL)",
    "CREATE TABLE attributes (principal TEXT PRIMARY KEY, sealed TEXT NOT NULL)",
    "CREATE TABLE passwords (principal TEXT PRIMARY KEY, hash TEXT NOT NULL, changed BIGINT NOT NULL)",
    "CREATE TABLE notices (
        principal TEXT NOT NULL, service TEXT NOT NULL, shown BIGINT NOT NULL, PRIMARY KEY (principal, service))",
    "CREATE TABLE looks (
        principal TEXT NOT NULL, account TEXT NOT NULL, interaction TEXT NOT NULL, day BIGINT NOT NULL,
        role TEXT NOT NULL, seen BIGINT NOT NULL, PRIMARY KEY (principal, account, interaction, day))",
    "CREATE TABLE cases (
        id TEXT PRIMARY KEY, kind TEXT NOT NULL, principal TEXT, reference TEXT, interaction TEXT, clause TEXT,
        service TEXT NOT NULL, made BIGINT NOT NULL, due BIGINT NOT NULL, owner TEXT NOT NULL, deputy TEXT NOT NULL,
        marks BIGINT NOT NULL, message TEXT, answered BIGINT, accepted BIGINT, answered_by TEXT, answer TEXT)",
    "CREATE INDEX cases_principal ON cases (principal)",
    "CREATE TABLE reveals (
        id TEXT PRIMARY KEY, principal TEXT NOT NULL, pseudonym TEXT NOT NULL, purpose TEXT NOT NULL,
        asked_by TEXT NOT NULL, asked BIGINT NOT NULL, expires BIGINT NOT NULL, opened BIGINT)",
    "CREATE INDEX reveals_principal ON reveals (principal)",
    "CREATE TABLE reveal_approvals (
        reveal TEXT NOT NULL, account TEXT NOT NULL, given BIGINT NOT NULL, PRIMARY KEY (reveal, account))",
];

/// What may still be chosen after a stop, and what was chosen, over a restart.
const THIRD: &[&str] = &[
    "CREATE TABLE stops (reference TEXT PRIMARY KEY, principal TEXT NOT NULL, until BIGINT NOT NULL, sealed TEXT NOT NULL)",
    "CREATE INDEX stops_until ON stops (until)",
    "CREATE TABLE choices (digest TEXT PRIMARY KEY, principal TEXT NOT NULL, until BIGINT NOT NULL, sealed TEXT NOT NULL)",
    "CREATE INDEX choices_until ON choices (until)",
];

/// Tokens for the console's interface.
const FOURTH: &[&str] = &[
    "CREATE TABLE api_tokens (
        id TEXT PRIMARY KEY, prefix TEXT NOT NULL, digest TEXT NOT NULL UNIQUE, account TEXT NOT NULL, roles TEXT NOT NULL,
        made BIGINT NOT NULL, expires BIGINT NOT NULL, revoked BIGINT)",
    "CREATE INDEX api_tokens_account ON api_tokens (account)",
];

/// Policies that ran, and what stood beside them, by the hash that records name. Sealed texts as before.
const FIFTH: &[&str] =
    &["CREATE TABLE kept (hash TEXT PRIMARY KEY, kind TEXT NOT NULL, made BIGINT NOT NULL, sealed TEXT NOT NULL)"];

/// Drafts of the policy, one for an account.
const SIXTH: &[&str] =
    &["CREATE TABLE drafts (account TEXT PRIMARY KEY, hash TEXT NOT NULL, kept BIGINT NOT NULL, sealed TEXT NOT NULL)"];

/// Refuses a schema that is not that of the last step: whoever opens a database beside another changes nothing in it.
pub(super) async fn require_current(connection: &mut AnyConnection, steps: usize) -> Result<(), StateError> {
    let row = sqlx::query("SELECT COALESCE(MAX(version), 0) FROM writ_schema").fetch_one(&mut *connection).await?;
    let found = usize::try_from(row.try_get::<i64, _>(0)?).unwrap_or(usize::MAX);
    match found.cmp(&steps) {
        std::cmp::Ordering::Equal => Ok(()),
        std::cmp::Ordering::Greater => Err(StateError::Newer { found, known: steps }),
        std::cmp::Ordering::Less => Err(StateError::Older { found, known: steps }),
    }
}

/// Brings the schema to the last step. Refuses a later one; makes a copy of an SQLite file before changing it.
pub(super) async fn migrate(
    connection: &mut AnyConnection,
    location: &Location,
    steps: &[&'static [&'static str]],
    now: Moment,
) -> Result<(), StateError> {
    sqlx::query("CREATE TABLE IF NOT EXISTS writ_schema (version BIGINT PRIMARY KEY, applied BIGINT NOT NULL)")
        .execute(&mut *connection)
        .await?;
    let row = sqlx::query("SELECT COALESCE(MAX(version), 0) FROM writ_schema").fetch_one(&mut *connection).await?;
    let version = usize::try_from(row.try_get::<i64, _>(0)?).unwrap_or(usize::MAX);
    if version > steps.len() {
        return Err(StateError::Newer { found: version, known: steps.len() });
    }
    if version == steps.len() {
        return Ok(());
    }
    if let (Location::Sqlite(path), 1..) = (location, version) {
        let copy = path.with_extension(format!("before-{}", version + 1));
        super::copy_sqlite(connection, &copy).await?;
    }
    // Both engines take changes of the schema back with their transaction: a failed step leaves the former schema.
    let mut transaction = connection.begin().await?;
    for (number, step) in steps.iter().enumerate().skip(version) {
        for statement in *step {
            sqlx::query(*statement).execute(&mut *transaction).await?;
        }
        sqlx::query("INSERT INTO writ_schema (version, applied) VALUES ($1, $2)")
            .bind(i64::try_from(number + 1).unwrap_or(i64::MAX))
            .bind(now.nanos())
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await?;
    Ok(())
}
