//! What several tables share: sealed texts, and acts whose details are in a personal part.

use serde::Serialize;
use serde::de::DeserializeOwned;
use writ_base::hash::hex;
use writ_base::keys::KeyPurpose;
use writ_model::interaction::PrincipalId;
use writ_model::record::{AdminAct, EntryKind};

use super::{State, StateError};
use crate::files::unhex;
use crate::ledger::{Ledger, NewEntry, SealedPart};
use crate::limits::TEXT_BYTES;

impl State {
    /// Seals a value for one place: `epoch:hexadecimal digits`.
    pub(super) fn seal<T: Serialize>(
        &self,
        purpose: KeyPurpose,
        table: &'static str,
        id: &str,
        value: &T,
    ) -> Result<String, StateError> {
        let (epoch, key) = self.means.keys.current(purpose)?;
        let plain = serde_json::to_vec(value).map_err(|_| StateError::Unreadable { table })?;
        let sealed = key.seal(&context(table, id), &plain, &*self.means.randomness);
        Ok(format!("{epoch}:{}", hex(&sealed)))
    }

    /// Opens what [`State::seal`] made for the same place.
    pub(super) fn unseal<T: DeserializeOwned>(
        &self,
        purpose: KeyPurpose,
        table: &'static str,
        id: &str,
        text: &str,
    ) -> Result<T, StateError> {
        let unreadable = || StateError::Unreadable { table };
        let (epoch, sealed) = text.split_once(':').ok_or_else(unreadable)?;
        let key = self.means.keys.of_epoch(purpose, epoch.parse().map_err(|_| unreadable())?)?;
        let sealed = unhex(sealed).ok_or_else(unreadable)?;
        let plain = key.open(&context(table, id), &sealed).map_err(|_| unreadable())?;
        serde_json::from_slice(&plain).map_err(|_| unreadable())
    }

    /// Writes an act about a person into the ledger before it takes effect: what it is in the skeleton, about whom and
    /// why in the personal part, which ends with the person. Of somebody who is not known there is no personal part.
    pub(super) async fn act_about<T: Serialize>(
        &self,
        ledger: &Ledger,
        act: AdminAct,
        about: Option<PrincipalId>,
        details: &T,
    ) -> Result<(), StateError> {
        let personal = self.personal_part(ledger, EntryKind::AdminAct, about, details).await?;
        ledger.append(NewEntry::admin_act(&act, personal, self.means.clock.now())).await?;
        Ok(())
    }

    /// Details sealed under the key of the person they are about; nothing if nobody is, or nobody knows them.
    pub(super) async fn personal_part<T: Serialize>(
        &self,
        ledger: &Ledger,
        kind: EntryKind,
        about: Option<PrincipalId>,
        details: &T,
    ) -> Result<Option<SealedPart>, StateError> {
        let Some(principal) = about else { return Ok(None) };
        let key = match self.person_key(principal, self.means.clock.now(), ledger).await {
            Ok(key) => key,
            Err(StateError::Missing { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let plain = serde_json::to_vec(details).map_err(|_| StateError::Unreadable { table: "personal_keys" })?;
        Ok(Some(key.seal(kind, None, &plain, &*self.means.randomness)))
    }

    /// Whether there is such a principal, and whether it is a protected person.
    pub(super) async fn known(&self, principal: PrincipalId) -> Result<Option<bool>, StateError> {
        let row = sqlx::query("SELECT protected FROM principals WHERE id = $1")
            .bind(principal.to_string())
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.map(|row| sqlx::Row::try_get::<i64, _>(&row, 0)).transpose()?.map(|protected| protected != 0))
    }
}

/// An act without details.
pub(super) fn act(act: &str, object: String, role: &str) -> AdminAct {
    AdminAct { act: act.to_owned(), object, role: role.to_owned() }
}

/// Refuses a text over the limit.
pub(super) fn admit_text(text: &str) -> Result<(), StateError> {
    if TEXT_BYTES.admits(text.len()) { Ok(()) } else { Err(StateError::OverLimit { limit: TEXT_BYTES.name() }) }
}

fn context(table: &str, id: &str) -> Vec<u8> {
    format!("writ {table} 1\n{id}\n").into_bytes()
}
