//! Who looked at whose record: kept for the person, who sees it on the own page.

use serde::Serialize;
use sqlx::Row;
use writ_base::Moment;
use writ_model::interaction::{InteractionId, PrincipalId};

use super::accounts::AccountId;
use super::sealed::act;
use super::{State, StateError};
use crate::ledger::Ledger;

/// Somebody is about to see a record.
#[derive(Clone, Debug)]
pub struct NewLook<'a> {
    /// Who looks.
    pub account: AccountId,
    /// In which role.
    pub role: &'a str,
    /// Whose record it is, by the pseudonym displayed.
    pub pseudonym: &'a str,
    /// Which record.
    pub interaction: InteractionId,
}

/// Somebody saw a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// Who looked.
    pub account: AccountId,
    /// In which role.
    pub role: String,
    /// Which record.
    pub interaction: InteractionId,
    /// When, the first time that day.
    pub at: Moment,
}

#[derive(Serialize)]
struct Seen {
    principal: PrincipalId,
    account: AccountId,
    interaction: InteractionId,
}

const DAY_SECONDS: i64 = 86_400;
const TABLE: &str = "looks";

impl State {
    /// Keeps that somebody looks at a person's record, before it is shown: once per account, record and day. Nobody
    /// looks at somebody else by looking at their own record.
    ///
    /// # Errors
    /// If ledger or database refuse; the record is not to be shown then.
    pub async fn looked(&self, look: &NewLook<'_>, ledger: &Ledger) -> Result<(), StateError> {
        let Some(principal) = self.principal_called(look.pseudonym).await? else { return Ok(()) };
        if self.account(look.account).await?.is_some_and(|account| account.principal == principal) {
            return Ok(());
        }
        let now = self.means.clock.now();
        let day = now.seconds().div_euclid(DAY_SECONDS);
        let known =
            sqlx::query("SELECT 1 FROM looks WHERE principal = $1 AND account = $2 AND interaction = $3 AND day = $4")
                .bind(principal.to_string())
                .bind(look.account.to_string())
                .bind(look.interaction.to_string())
                .bind(day)
                .fetch_optional(&self.pool)
                .await?;
        if known.is_some() {
            return Ok(());
        }
        let details = Seen { principal, account: look.account, interaction: look.interaction };
        self.act_about(ledger, act("record-look", String::new(), look.role), Some(principal), &details).await?;
        sqlx::query(
            "INSERT INTO looks (principal, account, interaction, day, role, seen) VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (principal, account, interaction, day) DO NOTHING",
        )
        .bind(principal.to_string())
        .bind(look.account.to_string())
        .bind(look.interaction.to_string())
        .bind(day)
        .bind(look.role)
        .bind(now.nanos())
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Who looked at the records of a person, from the newest; at most a thousand.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn looks_of(&self, principal: PrincipalId) -> Result<Vec<Look>, StateError> {
        let rows = sqlx::query(
            "SELECT account, role, interaction, seen FROM looks WHERE principal = $1
             ORDER BY seen DESC, interaction LIMIT 1000",
        )
        .bind(principal.to_string())
        .fetch_all(&self.pool)
        .await?;
        let unreadable = || StateError::Unreadable { table: TABLE };
        rows.iter()
            .map(|row| {
                Ok(Look {
                    account: row.try_get::<String, _>(0)?.parse().map_err(|_| unreadable())?,
                    role: row.try_get(1)?,
                    interaction: row.try_get::<String, _>(2)?.parse().map_err(|_| unreadable())?,
                    at: Moment::from_nanos(row.try_get(3)?),
                })
            })
            .collect()
    }
}
