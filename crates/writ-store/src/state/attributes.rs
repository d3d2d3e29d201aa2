//! What a directory says of people, and the passwords that they present to the proxy.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use sqlx::Row;
use writ_base::Moment;
use writ_base::keys::KeyPurpose;
use writ_model::interaction::PrincipalId;
use writ_model::{Currency, Term, Who};

use super::sealed::act;
use super::{State, StateError};
use crate::ledger::Ledger;

/// The source of attributes that were set here, not read from a directory: they do not age.
pub const LOCAL_SOURCE: &str = "local";

/// What a directory says of a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Attributes {
    /// The kind of principal.
    pub who: Who,
    /// The directory's groups.
    pub groups: BTreeSet<Term>,
    /// The employing legal entity.
    pub entity: Term,
    /// The person's region.
    pub region: Term,
    /// The person's training.
    pub training: Currency,
    /// The person's attestation.
    pub attestation: Currency,
    /// When the directory said so.
    pub updated: Moment,
    /// Which directory, or [`LOCAL_SOURCE`].
    pub source: String,
}

#[derive(Serialize)]
struct Said<'a> {
    principal: PrincipalId,
    attributes: &'a Attributes,
}

const TABLE: &str = "attributes";

impl State {
    /// Keeps what a directory says of a person. The table holds it sealed: groups and regions together would tell who
    /// it is.
    ///
    /// # Errors
    /// If there is no such principal, or ledger or database refuse.
    pub async fn set_attributes(
        &self,
        principal: PrincipalId,
        attributes: &Attributes,
        role: &str,
        ledger: &Ledger,
    ) -> Result<(), StateError> {
        self.known(principal).await?.ok_or(StateError::Missing { what: "principal" })?;
        let id = principal.to_string();
        let sealed = self.seal(KeyPurpose::Directory, TABLE, &id, attributes)?;
        let entry = act("attributes-set", attributes.source.clone(), role);
        self.act_about(ledger, entry, Some(principal), &Said { principal, attributes }).await?;
        sqlx::query(
            "INSERT INTO attributes (principal, sealed) VALUES ($1, $2)
             ON CONFLICT (principal) DO UPDATE SET sealed = excluded.sealed",
        )
        .bind(id)
        .bind(sealed)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// What a directory said of a person last, however long ago.
    ///
    /// # Errors
    /// If it cannot be opened, or the database refuses.
    pub async fn attributes(&self, principal: PrincipalId) -> Result<Option<Attributes>, StateError> {
        let id = principal.to_string();
        let row = sqlx::query("SELECT sealed FROM attributes WHERE principal = $1")
            .bind(&id)
            .fetch_optional(&self.pool)
            .await?;
        row.map(|row| self.unseal(KeyPurpose::Directory, TABLE, &id, &row.try_get::<String, _>(0)?)).transpose()
    }

    /// Sets the password that somebody presents to the proxy, by its hash (PHC string, Argon2id).
    ///
    /// # Errors
    /// If there is no such principal, or ledger or database refuse.
    pub async fn set_password(
        &self,
        principal: PrincipalId,
        hash: &str,
        role: &str,
        ledger: &Ledger,
    ) -> Result<(), StateError> {
        self.known(principal).await?.ok_or(StateError::Missing { what: "principal" })?;
        self.act(ledger, "proxy-password-set", String::new(), role).await?;
        sqlx::query(
            "INSERT INTO passwords (principal, hash, changed) VALUES ($1, $2, $3)
             ON CONFLICT (principal) DO UPDATE SET hash = excluded.hash, changed = excluded.changed",
        )
        .bind(principal.to_string())
        .bind(hash)
        .bind(self.means.clock.now().nanos())
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// The hash of the password that somebody presents to the proxy.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn password(&self, principal: PrincipalId) -> Result<Option<String>, StateError> {
        let row = sqlx::query("SELECT hash FROM passwords WHERE principal = $1")
            .bind(principal.to_string())
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?)
    }

    /// Removes the password that somebody presents to the proxy.
    ///
    /// # Errors
    /// If there is none, or ledger or database refuse.
    pub async fn remove_password(&self, principal: PrincipalId, role: &str, ledger: &Ledger) -> Result<(), StateError> {
        self.password(principal).await?.ok_or(StateError::Missing { what: "password" })?;
        self.act(ledger, "proxy-password-remove", String::new(), role).await?;
        sqlx::query("DELETE FROM passwords WHERE principal = $1")
            .bind(principal.to_string())
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}
