//! What a person may still choose after a stop, and what they chose: over a restart, for as long as it holds. Sealed;
//! digests in place of content. The stops themselves are decisions in the ledger; these rows are gone within a day.

use std::sync::atomic::Ordering;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::{AssertSqlSafe, Row};
use writ_base::keys::KeyPurpose;
use writ_base::{KeyedDigest, Limit, Moment};
use writ_model::interaction::PrincipalId;

use super::{State, StateError};
use crate::limits::{KEPT_CHOICES, KEPT_STOPS};

const STOPS: Table = Table { name: "stops", key: "reference", limit: &KEPT_STOPS };
const CHOICES: Table = Table { name: "choices", key: "digest", limit: &KEPT_CHOICES };

/// A table of sealed rows that end by themselves.
#[derive(Clone, Copy)]
struct Table {
    name: &'static str,
    key: &'static str,
    limit: &'static Limit,
}

/// Rows that are added before the table is looked at again: counting them each time would cost more than the row.
const LOOK: u64 = 256;

impl State {
    /// Keeps a stop until it cannot be continued any more.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn keep_stop<T: Serialize>(
        &self,
        reference: &str,
        principal: PrincipalId,
        until: Moment,
        stop: &T,
    ) -> Result<(), StateError> {
        self.keep(STOPS, reference, principal, until, stop).await
    }

    /// Keeps a choice for as long as it holds.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn keep_choice<T: Serialize>(
        &self,
        key: KeyedDigest,
        principal: PrincipalId,
        until: Moment,
        choice: &T,
    ) -> Result<(), StateError> {
        self.keep(CHOICES, &key.to_string(), principal, until, choice).await
    }

    /// The stops that can be continued, from the oldest: what the decision point begins with.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn kept_stops<T: DeserializeOwned>(&self, now: Moment) -> Result<Vec<T>, StateError> {
        self.kept(STOPS, now).await
    }

    /// The choices that hold.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn kept_choices<T: DeserializeOwned>(&self, now: Moment) -> Result<Vec<T>, StateError> {
        self.kept(CHOICES, now).await
    }

    async fn keep<T: Serialize>(
        &self,
        table: Table,
        key: &str,
        principal: PrincipalId,
        until: Moment,
        value: &T,
    ) -> Result<(), StateError> {
        let Table { name, key: column, .. } = table;
        let now = self.means.clock.now().nanos();
        let ended = AssertSqlSafe(format!("DELETE FROM {name} WHERE until <= $1"));
        sqlx::query(ended).bind(now).execute(&self.pool).await?;
        let sealed = self.seal(KeyPurpose::Case, name, key, value)?;
        let insert = AssertSqlSafe(format!(
            "INSERT INTO {name} ({column}, principal, until, sealed) VALUES ($1, $2, $3, $4)
             ON CONFLICT ({column}) DO UPDATE SET until = excluded.until, sealed = excluded.sealed"
        ));
        sqlx::query(insert)
            .bind(key)
            .bind(principal.to_string())
            .bind(until.nanos())
            .bind(sealed)
            .execute(&self.pool)
            .await?;
        if self.rows_kept.fetch_add(1, Ordering::Relaxed).is_multiple_of(LOOK) {
            self.trim(table).await?;
        }
        Ok(())
    }

    /// Removes what is over the limit.
    async fn trim(&self, table: Table) -> Result<(), StateError> {
        let Table { name, key, limit } = table;
        let over = AssertSqlSafe(format!(
            "DELETE FROM {name} WHERE {key} IN
             (SELECT {key} FROM {name} ORDER BY until DESC, {key} LIMIT 1000000 OFFSET $1)"
        ));
        let most = i64::try_from(limit.value()).unwrap_or(i64::MAX);
        if sqlx::query(over).bind(most).execute(&self.pool).await?.rows_affected() > 0 {
            limit.hit();
        }
        Ok(())
    }

    /// The newest rows. One that cannot be read any more, because its key or its form is another one, is left out:
    /// that message is judged anew.
    async fn kept<T: DeserializeOwned>(&self, table: Table, now: Moment) -> Result<Vec<T>, StateError> {
        let Table { name, key, limit } = table;
        let newest = AssertSqlSafe(format!(
            "SELECT {key}, sealed FROM {name} WHERE until > $1 ORDER BY until DESC, {key} LIMIT $2"
        ));
        let most = i64::try_from(limit.value()).unwrap_or(i64::MAX);
        let rows = sqlx::query(newest).bind(now.nanos()).bind(most).fetch_all(&self.pool).await?;
        let mut kept = Vec::with_capacity(rows.len());
        for row in rows.iter().rev() {
            let (key, sealed): (String, String) = (row.try_get(0)?, row.try_get(1)?);
            match self.unseal(KeyPurpose::Case, name, &key, &sealed) {
                Ok(value) => kept.push(value),
                Err(error) => tracing::warn!(%error, table = name, "a row is not readable any more and is left out"),
            }
        }
        Ok(kept)
    }
}
