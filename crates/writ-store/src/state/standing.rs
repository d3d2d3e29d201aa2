//! What stands beside the policy: acknowledgements, exceptions, roll-out; and settings.

use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::{AssertSqlSafe, Row};
use writ_base::Moment;
use writ_model::interaction::PrincipalId;
use writ_model::standing::{Acknowledgement, ExceptionGrant, ExceptionId, RolloutEntry, RolloutId};

use super::{State, StateError};
use crate::ledger::Ledger;

impl State {
    /// Stores a reason that somebody gave.
    ///
    /// # Errors
    /// If ledger or database refuse.
    pub async fn acknowledge(&self, given: &Acknowledgement, ledger: &Ledger) -> Result<(), StateError> {
        self.act(ledger, "acknowledge", given.id.to_string(), "employee").await?;
        sqlx::query("INSERT INTO acknowledgements (id, principal, until, body) VALUES ($1, $2, $3, $4)")
            .bind(given.id.to_string())
            .bind(given.principal.to_string())
            .bind(given.until.nanos())
            .bind(to_text(given))
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// The acknowledgements of a principal that are in force, by id.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn acknowledgements(
        &self,
        principal: PrincipalId,
        now: Moment,
    ) -> Result<Vec<Acknowledgement>, StateError> {
        let rows = sqlx::query("SELECT body FROM acknowledgements WHERE principal = $1 AND until > $2 ORDER BY id")
            .bind(principal.to_string())
            .bind(now.nanos())
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(|row| from_text(&row.try_get::<String, _>(0)?, "acknowledgements")).collect()
    }

    /// The acknowledgements of everybody that are in force, by id: what the decision point begins with.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn all_acknowledgements(&self, now: Moment) -> Result<Vec<Acknowledgement>, StateError> {
        self.list("acknowledgements", now).await
    }

    /// Puts an exception in force.
    ///
    /// # Errors
    /// If ledger or database refuse.
    pub async fn grant_exception(&self, grant: &ExceptionGrant, role: &str, ledger: &Ledger) -> Result<(), StateError> {
        self.act(ledger, "exception-grant", grant.id.to_string(), role).await?;
        self.put("exceptions", grant.id.to_string(), grant.until, to_text(grant)).await
    }

    /// Ends an exception before its time.
    ///
    /// # Errors
    /// If there is none, or ledger or database refuse.
    pub async fn withdraw_exception(&self, id: ExceptionId, role: &str, ledger: &Ledger) -> Result<(), StateError> {
        self.act(ledger, "exception-withdraw", id.to_string(), role).await?;
        self.remove("exceptions", &id.to_string(), "exception").await
    }

    /// The exceptions that have not ended, by id.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn exceptions(&self, now: Moment) -> Result<Vec<ExceptionGrant>, StateError> {
        self.list("exceptions", now).await
    }

    /// Sets an entry of the roll-out.
    ///
    /// # Errors
    /// If ledger or database refuse.
    pub async fn set_rollout(&self, entry: &RolloutEntry, role: &str, ledger: &Ledger) -> Result<(), StateError> {
        self.act(ledger, "rollout-set", entry.id.to_string(), role).await?;
        self.put("rollout", entry.id.to_string(), entry.until, to_text(entry)).await
    }

    /// Removes an entry of the roll-out.
    ///
    /// # Errors
    /// If there is none, or ledger or database refuse.
    pub async fn remove_rollout(&self, id: RolloutId, role: &str, ledger: &Ledger) -> Result<(), StateError> {
        self.act(ledger, "rollout-remove", id.to_string(), role).await?;
        self.remove("rollout", &id.to_string(), "roll-out entry").await
    }

    /// The entries of the roll-out that have not ended, by id.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn rollout(&self, now: Moment) -> Result<Vec<RolloutEntry>, StateError> {
        self.list("rollout", now).await
    }

    /// Sets a setting. Its value is stored readable: no credential belongs here.
    ///
    /// # Errors
    /// If ledger or database refuse.
    pub async fn set_setting<T: Serialize>(
        &self,
        name: &str,
        value: &T,
        role: &str,
        ledger: &Ledger,
    ) -> Result<(), StateError> {
        self.act(ledger, "setting-set", name.to_owned(), role).await?;
        sqlx::query(
            "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        )
        .bind(name)
        .bind(to_text(value))
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// A setting, if it was set.
    ///
    /// # Errors
    /// If it is of another type, or the database refuses.
    pub async fn setting<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, StateError> {
        let row =
            sqlx::query("SELECT value FROM settings WHERE name = $1").bind(name).fetch_optional(&self.pool).await?;
        row.map(|row| from_text(&row.try_get::<String, _>(0)?, "settings")).transpose()
    }

    async fn put(&self, table: &'static str, id: String, until: Moment, body: String) -> Result<(), StateError> {
        let statement = format!(
            "INSERT INTO {table} (id, until, body) VALUES ($1, $2, $3)
             ON CONFLICT (id) DO UPDATE SET until = excluded.until, body = excluded.body"
        );
        let query = sqlx::query(AssertSqlSafe(statement)).bind(id).bind(until.nanos()).bind(body);
        query.execute(&self.pool).await?;
        Ok(())
    }

    async fn remove(&self, table: &'static str, id: &str, what: &'static str) -> Result<(), StateError> {
        let statement = AssertSqlSafe(format!("DELETE FROM {table} WHERE id = $1"));
        let done = sqlx::query(statement).bind(id).execute(&self.pool).await?;
        if done.rows_affected() == 0 { Err(StateError::Missing { what }) } else { Ok(()) }
    }

    async fn list<T: DeserializeOwned>(&self, table: &'static str, now: Moment) -> Result<Vec<T>, StateError> {
        let statement = AssertSqlSafe(format!("SELECT body FROM {table} WHERE until > $1 ORDER BY id"));
        let rows = sqlx::query(statement).bind(now.nanos()).fetch_all(&self.pool).await?;
        rows.iter().map(|row| from_text(&row.try_get::<String, _>(0)?, table)).collect()
    }
}

fn to_text<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

fn from_text<T: DeserializeOwned>(text: &str, table: &'static str) -> Result<T, StateError> {
    serde_json::from_str(text).map_err(|_| StateError::Unreadable { table })
}
