//! API keys of callers, and credentials for AI services.

use std::collections::BTreeMap;

use sqlx::Row;
use sqlx::any::AnyRow;
use writ_base::hash::{hex, hmac_sha256};
use writ_base::keys::{KeyPurpose, SecretKey};
use writ_base::{Moment, Sensitive, ids};
use writ_model::interaction::PrincipalId;

use super::people::parse_principal;
use super::{State, StateError};
use crate::files::unhex;
use crate::ledger::Ledger;

ids! {
    /// An API key, by its id; the key itself is stored nowhere.
    pub struct ApiKeyId = "key_";
}

/// Who calls with an API key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiKeyKind {
    /// Several people: tells a team, not a person.
    Team,
    /// One person.
    Person,
    /// An agent, on behalf of a person or of the organisation.
    Agent,
}

impl ApiKeyKind {
    /// All kinds.
    pub const ALL: &'static [Self] = &[Self::Team, Self::Person, Self::Agent];

    /// The word in commands and tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Team => "team",
            Self::Person => "person",
            Self::Agent => "agent",
        }
    }
}

/// An API key to be made.
#[derive(Clone, Debug)]
pub struct NewApiKey {
    /// Who calls with it.
    pub kind: ApiKeyKind,
    /// The principal that it stands for.
    pub owner: PrincipalId,
    /// For agents: on whose behalf.
    pub on_behalf_of: Option<PrincipalId>,
    /// What administrators need to sort keys by: group, environment. Not for names of persons.
    pub labels: BTreeMap<String, String>,
}

/// What is known about an API key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// Its id.
    pub id: ApiKeyId,
    /// Its first characters, by which people recognise it.
    pub prefix: String,
    /// Who calls with it.
    pub caller: Caller,
    /// When it was made.
    pub made: Moment,
    /// When it was disabled.
    pub disabled: Option<Moment>,
}

/// Who calls with an API key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The key's id.
    pub key: ApiKeyId,
    /// Kind of caller.
    pub kind: ApiKeyKind,
    /// The principal.
    pub owner: PrincipalId,
    /// On whose behalf.
    pub on_behalf_of: Option<PrincipalId>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
}

/// A credential for an AI service, opened.
pub struct ProviderCredential {
    /// The service's catalog id.
    pub service: String,
    /// Which of several.
    pub name: String,
    /// The credential itself.
    pub secret: Sensitive<String>,
}

/// What all API keys begin with, so that scanners of secrets know them.
const KEY_START: &str = "writ_";
const PREFIX_BYTES: usize = 5;
const COLUMNS: &str = "id, prefix, kind, owner, on_behalf_of, labels, made, disabled, digest";

impl State {
    /// Makes an API key of 256 random bits and returns it: this is the only time that it can be seen.
    ///
    /// # Errors
    /// If ledger or database refuse.
    pub async fn create_api_key(
        &self,
        new: NewApiKey,
        role: &str,
        ledger: &Ledger,
    ) -> Result<(ApiKeyId, Sensitive<String>), StateError> {
        let randomness = &*self.means.randomness;
        let now = self.means.clock.now();
        let id = ApiKeyId::new(now, randomness);
        let mut prefix = [0; PREFIX_BYTES];
        randomness.fill(&mut prefix);
        let prefix = format!("{KEY_START}{}", hex(&prefix));
        let secret = format!("{prefix}_{}", hex(SecretKey::generate(randomness).expose()));
        self.act(ledger, "api-key-create", id.to_string(), role).await?;
        sqlx::query(
            "INSERT INTO api_keys (id, prefix, digest, kind, owner, on_behalf_of, labels, made)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(id.to_string())
        .bind(prefix)
        .bind(self.api_key_digest(&secret)?)
        .bind(new.kind.as_str())
        .bind(new.owner.to_string())
        .bind(new.on_behalf_of.map(|principal| principal.to_string()))
        .bind(serde_json::to_string(&new.labels).unwrap_or_default())
        .bind(now.nanos())
        .execute(&self.pool)
        .await?;
        Ok((id, Sensitive::new(secret)))
    }

    /// The caller who presents this key; `None` if there is no such key or it is disabled.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn caller(&self, presented: &Sensitive<String>) -> Result<Option<Caller>, StateError> {
        let length = KEY_START.len() + PREFIX_BYTES * 2;
        let Some(prefix) = presented.expose().get(..length).filter(|prefix| prefix.starts_with(KEY_START)) else {
            return Ok(None);
        };
        let statement = sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM api_keys WHERE prefix = $1"));
        let Some(row) = sqlx::query(statement).bind(prefix).fetch_optional(&self.pool).await? else { return Ok(None) };
        let stored: String = row.try_get("digest")?;
        let key = read_key(&row)?;
        let known = same(stored.as_bytes(), self.api_key_digest(presented.expose())?.as_bytes());
        Ok((known && key.disabled.is_none()).then_some(key.caller))
    }

    /// All API keys, by id.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn api_keys(&self) -> Result<Vec<ApiKey>, StateError> {
        let statement = sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM api_keys ORDER BY id"));
        sqlx::query(statement).fetch_all(&self.pool).await?.iter().map(read_key).collect()
    }

    /// Disables an API key; it stays in the list.
    ///
    /// # Errors
    /// If there is no such key, or ledger or database refuse.
    pub async fn disable_api_key(&self, id: ApiKeyId, role: &str, ledger: &Ledger) -> Result<(), StateError> {
        self.act(ledger, "api-key-disable", id.to_string(), role).await?;
        let done = sqlx::query("UPDATE api_keys SET disabled = $1 WHERE id = $2 AND disabled IS NULL")
            .bind(self.means.clock.now().nanos())
            .bind(id.to_string())
            .execute(&self.pool)
            .await?;
        if done.rows_affected() == 0 { Err(StateError::Missing { what: "enabled API key" }) } else { Ok(()) }
    }

    /// Stores a credential for an AI service, sealed.
    ///
    /// # Errors
    /// If ledger or database refuse.
    pub async fn set_provider_credential(
        &self,
        credential: &ProviderCredential,
        role: &str,
        ledger: &Ledger,
    ) -> Result<(), StateError> {
        let ProviderCredential { service, name, secret } = credential;
        let (epoch, key) = self.means.keys.current(KeyPurpose::Provider)?;
        let sealed = key.seal(&credential_context(service, name), secret.expose().as_bytes(), &*self.means.randomness);
        self.act(ledger, "provider-credential-set", format!("{service}/{name}"), role).await?;
        sqlx::query(
            "INSERT INTO provider_credentials (service, name, epoch, sealed) VALUES ($1, $2, $3, $4)
             ON CONFLICT (service, name) DO UPDATE SET epoch = excluded.epoch, sealed = excluded.sealed",
        )
        .bind(service)
        .bind(name)
        .bind(i64::from(epoch))
        .bind(hex(&sealed))
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// A credential for an AI service.
    ///
    /// # Errors
    /// If it cannot be opened, or the database refuses.
    pub async fn provider_credential(
        &self,
        service: &str,
        name: &str,
    ) -> Result<Option<ProviderCredential>, StateError> {
        let row = sqlx::query("SELECT epoch, sealed FROM provider_credentials WHERE service = $1 AND name = $2")
            .bind(service)
            .bind(name)
            .fetch_optional(&self.pool)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let unreadable = || StateError::Unreadable { table: "provider_credentials" };
        let epoch = u32::try_from(row.try_get::<i64, _>(0)?).map_err(|_| unreadable())?;
        let sealed = unhex(&row.try_get::<String, _>(1)?).ok_or_else(unreadable)?;
        let key = self.means.keys.of_epoch(KeyPurpose::Provider, epoch)?;
        let plain = key.open(&credential_context(service, name), &sealed).map_err(|_| unreadable())?;
        let secret = Sensitive::new(String::from_utf8(plain).map_err(|_| unreadable())?);
        Ok(Some(ProviderCredential { service: service.to_owned(), name: name.to_owned(), secret }))
    }

    /// Seals all provider credentials anew under the present key, after a rotation.
    ///
    /// # Errors
    /// If one cannot be opened, or the database refuses.
    pub async fn reseal_provider_credentials(&self) -> Result<usize, StateError> {
        let (epoch, key) = self.means.keys.current(KeyPurpose::Provider)?;
        let rows = sqlx::query("SELECT service, name FROM provider_credentials WHERE epoch <> $1")
            .bind(i64::from(epoch))
            .fetch_all(&self.pool)
            .await?;
        for row in &rows {
            let (service, name): (String, String) = (row.try_get(0)?, row.try_get(1)?);
            let Some(credential) = self.provider_credential(&service, &name).await? else { continue };
            let plain = credential.secret.expose().as_bytes();
            let sealed = key.seal(&credential_context(&service, &name), plain, &*self.means.randomness);
            sqlx::query("UPDATE provider_credentials SET epoch = $1, sealed = $2 WHERE service = $3 AND name = $4")
                .bind(i64::from(epoch))
                .bind(hex(&sealed))
                .bind(service)
                .bind(name)
                .execute(&self.pool)
                .await?;
        }
        Ok(rows.len())
    }

    fn api_key_digest(&self, secret: &str) -> Result<String, StateError> {
        let (_, key) = self.means.keys.current(KeyPurpose::ApiKey)?;
        Ok(hex(&hmac_sha256(key.expose(), [b"api key".as_slice(), secret.as_bytes()])))
    }
}

fn read_key(row: &AnyRow) -> Result<ApiKey, StateError> {
    let unreadable = || StateError::Unreadable { table: "api_keys" };
    let id: ApiKeyId = row.try_get::<String, _>("id")?.parse().map_err(|_| unreadable())?;
    let kind: String = row.try_get("kind")?;
    let on_behalf_of: Option<String> = row.try_get("on_behalf_of")?;
    let caller = Caller {
        key: id,
        kind: ApiKeyKind::ALL.iter().copied().find(|it| it.as_str() == kind).ok_or_else(unreadable)?,
        owner: parse_principal(&row.try_get::<String, _>("owner")?)?,
        on_behalf_of: on_behalf_of.as_deref().map(parse_principal).transpose()?,
        labels: serde_json::from_str(&row.try_get::<String, _>("labels")?).map_err(|_| unreadable())?,
    };
    let disabled: Option<i64> = row.try_get("disabled")?;
    let made = Moment::from_nanos(row.try_get("made")?);
    Ok(ApiKey { id, prefix: row.try_get("prefix")?, caller, made, disabled: disabled.map(Moment::from_nanos) })
}

/// Compares without telling by its time where the first difference is.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |sum, (a, b)| sum | (a ^ b)) == 0
}

fn credential_context(service: &str, name: &str) -> Vec<u8> {
    format!("writ provider credential 1\n{service}\n{name}\n").into_bytes()
}
