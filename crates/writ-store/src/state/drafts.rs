//! Drafts of the policy's text: one for an account, sealed. A draft is nobody's policy: nothing reads it to run it.

use serde::{Deserialize, Serialize};
use sqlx::Row;
use writ_base::keys::KeyPurpose;
use writ_base::{ContentHash, Moment, Sensitive};

use super::accounts::AccountId;
use super::{State, StateError};
use crate::ledger::Ledger;
use crate::limits::{DRAFT_BYTES, DRAFTS};

/// A draft to be kept.
#[derive(Clone, Debug)]
pub struct NewDraft<'a> {
    /// Whose it is.
    pub account: AccountId,
    /// The text.
    pub text: &'a Sensitive<String>,
    /// The hash of the policy that ran when the draft was begun.
    pub based_on: ContentHash,
    /// The hash of the draft that it takes the place of, as whoever writes saw it; nothing where there was none.
    pub over: Option<ContentHash>,
}

/// A draft, as its account keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The text.
    pub text: Sensitive<String>,
    /// The hash of the text.
    pub hash: ContentHash,
    /// The hash of the policy that ran when the draft was begun.
    pub based_on: ContentHash,
    /// When it was kept.
    pub kept: Moment,
}

/// What is sealed.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Sealed {
    text: String,
    based_on: ContentHash,
}

const TABLE: &str = "drafts";
const WHAT: &str = "draft";

impl State {
    /// Keeps a draft in the place of the account's former one. The ledger says that a draft was kept, with its hash.
    ///
    /// # Errors
    /// If the text is too long, there are too many drafts, the former one is another than was seen, or ledger or
    /// database refuse.
    pub async fn keep_draft(&self, new: &NewDraft<'_>, role: &str, ledger: &Ledger) -> Result<Draft, StateError> {
        let text = new.text.expose();
        if !DRAFT_BYTES.admits(text.len()) {
            return Err(StateError::OverLimit { limit: DRAFT_BYTES.name() });
        }
        let present = self.draft_hash(new.account).await?;
        if present != new.over {
            return Err(StateError::Changed { what: WHAT });
        }
        if present.is_none() {
            self.admit_draft().await?;
        }
        let (account, now, hash) = (new.account.to_string(), self.means.clock.now(), ContentHash::of(text.as_bytes()));
        let sealed = Sealed { text: text.clone(), based_on: new.based_on };
        let sealed = self.seal(KeyPurpose::Draft, TABLE, &account, &sealed)?;
        self.act(ledger, "draft-keep", hash.to_string(), role).await?;
        let over = new.over.map(|over| over.to_string()).unwrap_or_default();
        let done = sqlx::query(
            "INSERT INTO drafts (account, hash, kept, sealed) VALUES ($1, $2, $3, $4)
             ON CONFLICT (account) DO UPDATE SET hash = excluded.hash, kept = excluded.kept, sealed = excluded.sealed
             WHERE drafts.hash = $5",
        )
        .bind(account)
        .bind(hash.to_string())
        .bind(now.nanos())
        .bind(sealed)
        .bind(over)
        .execute(&self.pool)
        .await?;
        if done.rows_affected() == 0 {
            return Err(StateError::Changed { what: WHAT });
        }
        Ok(Draft { text: new.text.clone(), hash, based_on: new.based_on, kept: now })
    }

    /// The draft of an account, if it keeps one.
    ///
    /// # Errors
    /// If it cannot be opened, or the database refuses.
    pub async fn draft(&self, account: AccountId) -> Result<Option<Draft>, StateError> {
        let row = sqlx::query("SELECT sealed, kept FROM drafts WHERE account = $1")
            .bind(account.to_string())
            .fetch_optional(&self.pool)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let sealed: String = row.try_get(0)?;
        let Sealed { text, based_on } = self.unseal(KeyPurpose::Draft, TABLE, &account.to_string(), &sealed)?;
        let hash = ContentHash::of(text.as_bytes());
        let kept = Moment::from_nanos(row.try_get(1)?);
        Ok(Some(Draft { text: Sensitive::new(text), hash, based_on, kept }))
    }

    /// Discards the draft with this hash.
    ///
    /// # Errors
    /// If the account keeps none or another one, or ledger or database refuse.
    pub async fn discard_draft(
        &self,
        account: AccountId,
        hash: ContentHash,
        role: &str,
        ledger: &Ledger,
    ) -> Result<(), StateError> {
        match self.draft_hash(account).await? {
            None => return Err(StateError::Missing { what: WHAT }),
            Some(present) if present != hash => return Err(StateError::Changed { what: WHAT }),
            Some(_) => {}
        }
        self.act(ledger, "draft-discard", hash.to_string(), role).await?;
        sqlx::query("DELETE FROM drafts WHERE account = $1 AND hash = $2")
            .bind(account.to_string())
            .bind(hash.to_string())
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    async fn draft_hash(&self, account: AccountId) -> Result<Option<ContentHash>, StateError> {
        let row = sqlx::query("SELECT hash FROM drafts WHERE account = $1")
            .bind(account.to_string())
            .fetch_optional(&self.pool)
            .await?;
        let unreadable = |_| StateError::Unreadable { table: TABLE };
        row.map(|row| row.try_get::<String, _>(0)?.parse().map_err(unreadable)).transpose()
    }

    async fn admit_draft(&self) -> Result<(), StateError> {
        let row = sqlx::query("SELECT COUNT(*) FROM drafts").fetch_one(&self.pool).await?;
        let count = usize::try_from(row.try_get::<i64, _>(0)?).unwrap_or(usize::MAX);
        if DRAFTS.admits(count.saturating_add(1)) {
            Ok(())
        } else {
            Err(StateError::OverLimit { limit: DRAFTS.name() })
        }
    }
}
