//! To whom the notice of first use was shown.

use serde::Serialize;
use sqlx::Row;
use writ_base::Moment;
use writ_model::Term;
use writ_model::interaction::PrincipalId;

use super::people::parse_principal;
use super::sealed::act;
use super::{State, StateError};
use crate::ledger::Ledger;

/// How long a notice counts as shown: afterwards it is shown again.
pub const NOTICE_DAYS: u64 = 90;

#[derive(Serialize)]
struct Shown<'a> {
    principal: PrincipalId,
    service: &'a Term,
}

impl State {
    /// Keeps that somebody was told, at their first use of a service, what is looked at and what is recorded. The entry
    /// is evidence that people were informed; whom is in its personal part. Nothing is kept of a principal that is not
    /// known, such as a protected person.
    ///
    /// # Errors
    /// If ledger or database refuse.
    pub async fn notice_shown(
        &self,
        principal: PrincipalId,
        service: &Term,
        at: Moment,
        ledger: &Ledger,
    ) -> Result<(), StateError> {
        if self.known(principal).await?.is_none() {
            return Ok(());
        }
        let entry = act("notice-shown", service.to_string(), "system");
        self.act_about(ledger, entry, Some(principal), &Shown { principal, service }).await?;
        sqlx::query(
            "INSERT INTO notices (principal, service, shown) VALUES ($1, $2, $3)
             ON CONFLICT (principal, service) DO UPDATE SET shown = excluded.shown",
        )
        .bind(principal.to_string())
        .bind(service.as_str())
        .bind(at.nanos())
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// The notices of the last 90 days, by principal and service: what the decision point begins with.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn notices(&self, now: Moment) -> Result<Vec<(PrincipalId, Term, Moment)>, StateError> {
        let oldest = now.nanos().saturating_sub(i64::try_from(NOTICE_DAYS * 86_400_000_000_000).unwrap_or(i64::MAX));
        let rows =
            sqlx::query("SELECT principal, service, shown FROM notices WHERE shown > $1 ORDER BY principal, service")
                .bind(oldest)
                .fetch_all(&self.pool)
                .await?;
        rows.iter()
            .map(|row| {
                let principal = parse_principal(&row.try_get::<String, _>(0)?)?;
                let service: String = row.try_get(1)?;
                Ok((principal, Term::from(service), Moment::from_nanos(row.try_get(2)?)))
            })
            .collect()
    }
}
