//! Policies that ran, and what stood beside them: kept sealed under the hash that records name, so that a record can be
//! decided again years later.

use sqlx::Row;
use writ_base::keys::KeyPurpose;
use writ_base::{ContentHash, Sensitive};

use super::{State, StateError};

const TABLE: &str = "kept";

/// What is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// The assembled text of a policy, under the hash that signatures bind.
    PolicyText,
    /// Exceptions and roll-out as JSON, under their hash.
    Standing,
}

impl Kept {
    const fn as_str(self) -> &'static str {
        match self {
            Self::PolicyText => "policy-text",
            Self::Standing => "standing",
        }
    }
}

impl State {
    /// Keeps a text under a hash. What is there already stays: the hash says that it is the same.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn keep_text(&self, kind: Kept, hash: ContentHash, text: &str) -> Result<(), StateError> {
        let there = sqlx::query("SELECT kind FROM kept WHERE hash = $1").bind(hash.to_string());
        if there.fetch_optional(&self.pool).await?.is_some() {
            return Ok(());
        }
        let sealed = self.seal(KeyPurpose::Policy, TABLE, &place(kind, hash), &text)?;
        sqlx::query(
            "INSERT INTO kept (hash, kind, made, sealed) VALUES ($1, $2, $3, $4) ON CONFLICT (hash) DO NOTHING",
        )
        .bind(hash.to_string())
        .bind(kind.as_str())
        .bind(self.means.clock.now().nanos())
        .bind(sealed)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// What is kept under a hash, if anything is.
    ///
    /// # Errors
    /// If it cannot be opened, or the database refuses.
    pub async fn kept_text(&self, kind: Kept, hash: ContentHash) -> Result<Option<Sensitive<String>>, StateError> {
        let row = sqlx::query("SELECT sealed FROM kept WHERE hash = $1 AND kind = $2")
            .bind(hash.to_string())
            .bind(kind.as_str())
            .fetch_optional(&self.pool)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let text: String = self.unseal(KeyPurpose::Policy, TABLE, &place(kind, hash), &row.try_get::<String, _>(0)?)?;
        Ok(Some(Sensitive::new(text)))
    }
}

fn place(kind: Kept, hash: ContentHash) -> String {
    format!("{} {hash}", kind.as_str())
}
