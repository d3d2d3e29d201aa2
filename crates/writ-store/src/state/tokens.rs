//! Tokens with which programs use the console's interface in the place of a person.

use std::collections::BTreeSet;
use std::time::Duration;

use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row};
use writ_base::hash::hex;
use writ_base::keys::SecretKey;
use writ_base::{ContentHash, Moment, Sensitive, ids};

use super::accounts::{AccountId, roles_text};
use super::{State, StateError};
use crate::ledger::Ledger;
use crate::limits::TOKENS_OF_ACCOUNT;

ids! {
    /// A token, by its id; the token itself is stored nowhere.
    pub struct TokenId = "tok_";
}

/// What is known of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Its id.
    pub id: TokenId,
    /// Its first characters, by which people recognise it.
    pub prefix: String,
    /// The account in whose place it stands.
    pub account: AccountId,
    /// Names of the roles that it may use, as far as the account has them.
    pub roles: BTreeSet<String>,
    /// When it was made.
    pub made: Moment,
    /// When it ends.
    pub expires: Moment,
    /// When it was revoked.
    pub revoked: Option<Moment>,
}

/// What all tokens begin with, so that scanners of secrets know them.
const START: &str = "writ_api_";
/// Characters of a token that are shown: those, and 32 random bits.
const PREFIX: usize = START.len() + 8;
const COLUMNS: &str = "id, prefix, account, roles, made, expires, revoked";

impl Token {
    /// Whether it opens anything at this moment.
    pub fn holds(&self, now: Moment) -> bool {
        self.revoked.is_none() && now < self.expires
    }
}

impl State {
    /// Makes a token of 256 random bits and returns it: this is the only time that it can be seen.
    ///
    /// # Errors
    /// If the account has too many, or ledger or database refuse.
    pub async fn create_token(
        &self,
        account: AccountId,
        roles: &BTreeSet<String>,
        valid: Duration,
        role: &str,
        ledger: &Ledger,
    ) -> Result<(TokenId, Sensitive<String>), StateError> {
        let now = self.means.clock.now();
        let held = self.tokens(account).await?.iter().filter(|token| token.holds(now)).count();
        if !TOKENS_OF_ACCOUNT.admits(held + 1) {
            return Err(StateError::OverLimit { limit: TOKENS_OF_ACCOUNT.name() });
        }
        let id = TokenId::new(now, &*self.means.randomness);
        let secret = format!("{START}{}", hex(SecretKey::generate(&*self.means.randomness).expose()));
        self.act(ledger, "api-token-create", format!("{id} of {account}"), role).await?;
        sqlx::query(
            "INSERT INTO api_tokens (id, prefix, digest, account, roles, made, expires)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(id.to_string())
        .bind(secret.get(..PREFIX).unwrap_or_default())
        .bind(digest(&secret))
        .bind(account.to_string())
        .bind(roles_text(roles))
        .bind(now.nanos())
        .bind(now.after(valid).nanos())
        .execute(&self.pool)
        .await?;
        Ok((id, Sensitive::new(secret)))
    }

    /// The token that somebody presents; `None` if it is none, was revoked, or has ended.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn token(&self, presented: &Sensitive<String>) -> Result<Option<Token>, StateError> {
        if !presented.expose().starts_with(START) {
            return Ok(None);
        }
        let statement = AssertSqlSafe(format!("SELECT {COLUMNS} FROM api_tokens WHERE digest = $1"));
        let row = sqlx::query(statement).bind(digest(presented.expose())).fetch_optional(&self.pool).await?;
        let token = row.map(|row| read(&row)).transpose()?;
        Ok(token.filter(|token| token.holds(self.means.clock.now())))
    }

    /// The tokens of an account, from the oldest.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn tokens(&self, account: AccountId) -> Result<Vec<Token>, StateError> {
        let statement = AssertSqlSafe(format!("SELECT {COLUMNS} FROM api_tokens WHERE account = $1 ORDER BY id"));
        sqlx::query(statement).bind(account.to_string()).fetch_all(&self.pool).await?.iter().map(read).collect()
    }

    /// Ends a token of an account; it stays in the list.
    ///
    /// # Errors
    /// If the account has no such token that holds, or ledger or database refuse.
    pub async fn revoke_token(
        &self,
        id: TokenId,
        account: AccountId,
        role: &str,
        ledger: &Ledger,
    ) -> Result<(), StateError> {
        let now = self.means.clock.now();
        if !self.tokens(account).await?.iter().any(|token| token.id == id && token.holds(now)) {
            return Err(StateError::Missing { what: "token" });
        }
        self.act(ledger, "api-token-revoke", format!("{id} of {account}"), role).await?;
        sqlx::query("UPDATE api_tokens SET revoked = $1 WHERE id = $2")
            .bind(now.nanos())
            .bind(id.to_string())
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Ends all tokens of an account; part of an act that is an entry already.
    pub(super) async fn end_tokens(&self, account: AccountId) -> Result<(), StateError> {
        sqlx::query("UPDATE api_tokens SET revoked = $1 WHERE account = $2 AND revoked IS NULL")
            .bind(self.means.clock.now().nanos())
            .bind(account.to_string())
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}

fn read(row: &AnyRow) -> Result<Token, StateError> {
    let unreadable = || StateError::Unreadable { table: "api_tokens" };
    Ok(Token {
        id: row.try_get::<String, _>("id")?.parse().map_err(|_| unreadable())?,
        prefix: row.try_get("prefix")?,
        account: row.try_get::<String, _>("account")?.parse().map_err(|_| unreadable())?,
        roles: serde_json::from_str(&row.try_get::<String, _>("roles")?).map_err(|_| unreadable())?,
        made: Moment::from_nanos(row.try_get("made")?),
        expires: Moment::from_nanos(row.try_get("expires")?),
        revoked: row.try_get::<Option<i64>, _>("revoked")?.map(Moment::from_nanos),
    })
}

/// A token is 256 random bits: a plain hash of it tells nothing.
fn digest(token: &str) -> String {
    ContentHash::of_parts([b"api token".as_slice(), token.as_bytes()]).to_string()
}
