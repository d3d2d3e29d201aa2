//! From pseudonyms back to principals, for the serving process; and protected persons, of whom no identity is kept.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{AssertSqlSafe, Row};
use writ_base::Sensitive;
use writ_base::hash::{hex, parse_hex};
use writ_base::keys::KeyPurpose;
use writ_model::interaction::PrincipalId;

use super::people::parse_principal;
use super::sealed::act;
use super::{State, StateError};
use crate::ledger::{Entry, Ledger};
use crate::personal::{SealedIdentity, key_id, pseudonym};

/// The id of a key of a person.
pub(crate) type KeyId = [u8; 16];

/// Beyond so many keys the whole table is read at once.
const LISTED: usize = 400;
/// Keys named in one statement.
const STATEMENT_KEYS: usize = 100;

impl State {
    /// The principal with this displayed pseudonym, of the present epoch or an earlier one. Every principal is tried:
    /// about 1 µs each.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn principal_called(&self, name: &str) -> Result<Option<PrincipalId>, StateError> {
        let rows = sqlx::query("SELECT id FROM principals ORDER BY id").fetch_all(&self.pool).await?;
        let principals: Vec<PrincipalId> =
            rows.iter().map(|row| parse_principal(&row.try_get::<String, _>(0)?)).collect::<Result<_, StateError>>()?;
        for (_, key) in self.means.keys.epochs(KeyPurpose::Pseudonym) {
            if let Some(found) = principals.iter().find(|principal| pseudonym(&key, **principal) == name) {
                return Ok(Some(*found));
            }
        }
        Ok(None)
    }

    /// Whether somebody is a protected person.
    ///
    /// # Errors
    /// If there is no such principal, or the database refuses.
    pub async fn protected(&self, principal: PrincipalId) -> Result<bool, StateError> {
        self.known(principal).await?.ok_or(StateError::Missing { what: "principal" })
    }

    /// Makes somebody a protected person: the sealed identity is removed, so that no reveal can lift a pseudonym of
    /// theirs, one from before included.
    ///
    /// # Errors
    /// If there is no such principal, or ledger or database refuse.
    pub async fn protect(&self, principal: PrincipalId, role: &str, ledger: &Ledger) -> Result<(), StateError> {
        if self.protected(principal).await? {
            return Ok(());
        }
        self.act_about(ledger, act("person-protect", String::new(), role), Some(principal), &About { principal })
            .await?;
        sqlx::query("UPDATE principals SET protected = 1, identity = '' WHERE id = $1")
            .bind(principal.to_string())
            .execute(&self.pool)
            .await?;
        self.scrub().await
    }

    /// Ends the protection of a person: from now on there is an identity to reveal again, `identity`.
    ///
    /// # Errors
    /// If there is no such principal or no reveal key, or ledger or database refuse.
    pub async fn unprotect(
        &self,
        principal: PrincipalId,
        identity: &Sensitive<String>,
        role: &str,
        ledger: &Ledger,
    ) -> Result<(), StateError> {
        if !self.protected(principal).await? {
            return Ok(());
        }
        let (epoch, public) = self.means.keys.reveal_public().ok_or(StateError::NoRevealKey)?;
        let name = principal.to_string();
        let sealed = SealedIdentity::seal(public, &name, identity.expose().as_bytes(), &*self.means.randomness);
        self.act_about(ledger, act("person-unprotect", String::new(), role), Some(principal), &About { principal })
            .await?;
        sqlx::query("UPDATE principals SET protected = 0, identity = $1, reveal_epoch = $2 WHERE id = $3")
            .bind(hex(sealed.as_bytes()))
            .bind(i64::from(epoch))
            .bind(name)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// The ids of a person's keys, which is what the index knows persons by.
    pub(crate) async fn key_ids(&self, principal: PrincipalId) -> Result<Vec<KeyId>, StateError> {
        let rows = sqlx::query("SELECT id FROM personal_keys WHERE principal = $1 ORDER BY id")
            .bind(principal.to_string())
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(|row| read_key_id(&row.try_get::<String, _>(0)?)).collect()
    }

    /// Displayed pseudonyms of whom these keys belong to; those of erased persons belong to nobody.
    pub(crate) async fn pseudonyms_of(&self, keys: &BTreeSet<KeyId>) -> Result<BTreeMap<KeyId, String>, StateError> {
        let (_, key) = self.means.keys.current(KeyPurpose::Pseudonym)?;
        let mut rows = Vec::new();
        if keys.len() > LISTED {
            rows = sqlx::query("SELECT id, principal FROM personal_keys").fetch_all(&self.pool).await?;
        } else {
            let all: Vec<&KeyId> = keys.iter().collect();
            for some in all.chunks(STATEMENT_KEYS) {
                let places: Vec<String> = (1..=some.len()).map(|place| format!("${place}")).collect();
                let statement = format!("SELECT id, principal FROM personal_keys WHERE id IN ({})", places.join(", "));
                let mut query = sqlx::query(AssertSqlSafe(statement));
                for id in some {
                    query = query.bind(hex(*id));
                }
                rows.extend(query.fetch_all(&self.pool).await?);
            }
        }
        let mut names = BTreeMap::new();
        for row in &rows {
            let id = read_key_id(&row.try_get::<String, _>(0)?)?;
            if keys.contains(&id) {
                names.insert(id, pseudonym(&key, parse_principal(&row.try_get::<String, _>(1)?)?));
            }
        }
        Ok(names)
    }

    /// Reads which key the personal part of each entry was sealed under.
    pub(crate) fn key_reader(&self) -> Result<impl Fn(&Entry) -> Option<KeyId> + use<>, StateError> {
        let (_, locator) = self.means.keys.current(KeyPurpose::Locator)?;
        Ok(move |entry: &Entry| entry.personal.as_deref().and_then(|part| key_id(part, &locator)))
    }
}

/// The personal part of acts about protection.
#[derive(serde::Serialize)]
struct About {
    principal: PrincipalId,
}

fn read_key_id(text: &str) -> Result<KeyId, StateError> {
    parse_hex(text).map_err(|_| StateError::Unreadable { table: "personal_keys" })
}
