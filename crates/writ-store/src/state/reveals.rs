//! Lifting a pseudonym: asked for with a purpose, approved by two people with their shares, opened once, before its
//! time is over, and visible to the person (invariant PRV-1).

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row};
use writ_base::keys::KeyPurpose;
use writ_base::{Moment, Sensitive, ids};
use writ_model::interaction::PrincipalId;
use writ_model::record::EntryKind;

use super::accounts::AccountId;
use super::people::parse_principal;
use super::sealed::{act, admit_text};
use super::{State, StateError};
use crate::ledger::{Ledger, NewEntry};
use crate::limits::REVEALS_WAITING;
use crate::personal::{Share, ShareError, open_identity};

ids! {
    /// A request to lift a pseudonym.
    pub struct RevealId = "rev_";
}

/// A pseudonym to be lifted.
#[derive(Clone, Debug)]
pub struct AskReveal<'a> {
    /// The pseudonym, as it was displayed.
    pub pseudonym: &'a str,
    /// What for, in words.
    pub purpose: &'a Sensitive<String>,
    /// Who asks.
    pub asked_by: AccountId,
    /// How long it can be approved and opened.
    pub valid: Duration,
}

/// A request to lift a pseudonym, as its holders and the person see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reveal {
    /// Its id.
    pub id: RevealId,
    /// The pseudonym, as it was displayed to whoever asked.
    pub pseudonym: String,
    /// What for, in the words of whoever asked.
    pub purpose: Sensitive<String>,
    /// Who asked.
    pub asked_by: AccountId,
    /// When.
    pub asked_at: Moment,
    /// Who approved, and when, in that order.
    pub approvals: Vec<(AccountId, Moment)>,
    /// When it ends.
    pub expires: Moment,
    /// When it was opened.
    pub opened: Option<Moment>,
}

/// Where a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RevealState {
    /// Waits for approvals.
    Asked,
    /// Two people have approved.
    Approved,
    /// The identity was shown.
    Opened,
    /// Nobody opened it in time.
    Expired,
}

impl Reveal {
    /// Where it stands.
    pub fn state(&self, now: Moment) -> RevealState {
        match (self.opened, self.approvals.len() >= HOLDERS) {
            (Some(_), _) => RevealState::Opened,
            (None, _) if now >= self.expires => RevealState::Expired,
            (None, true) => RevealState::Approved,
            (None, false) => RevealState::Asked,
        }
    }
}

/// The skeleton of a reveal entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct RevealEntry {
    /// The request.
    pub reveal: RevealId,
    /// How many people approved.
    pub approvals: usize,
}

/// The personal part of the entries about a reveal, sealed under the key of the person it is about.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct RevealDetails<'a> {
    principal: PrincipalId,
    purpose: &'a str,
    asked_by: AccountId,
    approved_by: Vec<AccountId>,
}

/// Shares by request and account.
pub(super) type Shares = BTreeMap<RevealId, Waiting>;

/// Shares of one request.
pub(super) struct Waiting {
    expires: Moment,
    shares: BTreeMap<AccountId, Share>,
}

/// People whose shares are needed.
const HOLDERS: usize = 2;
/// The longest time that a request can be open.
const VALID_MAX: Duration = Duration::from_secs(14 * 86_400);
const TABLE: &str = "reveals";
const COLUMNS: &str = "id, principal, pseudonym, purpose, asked_by, asked, expires, opened";

impl State {
    /// Asks for a pseudonym to be lifted.
    ///
    /// # Errors
    /// If nobody is called so, the person is protected, the purpose is empty or too long, or ledger or database refuse.
    pub async fn ask_reveal(&self, ask: &AskReveal<'_>, role: &str, ledger: &Ledger) -> Result<RevealId, StateError> {
        let purpose = ask.purpose.expose().trim();
        admit_text(purpose)?;
        if purpose.is_empty() {
            return Err(StateError::Missing { what: "purpose" });
        }
        let principal = self.principal_called(ask.pseudonym).await?.ok_or(StateError::Missing { what: "pseudonym" })?;
        if self.protected(principal).await? {
            return Err(StateError::Protected);
        }
        let now = self.means.clock.now();
        let id = RevealId::new(now, &*self.means.randomness);
        let sealed = self.seal(KeyPurpose::Case, TABLE, &id.to_string(), &purpose)?;
        let details = RevealDetails { principal, purpose, asked_by: ask.asked_by, approved_by: Vec::new() };
        self.act_about(ledger, act("reveal-ask", id.to_string(), role), Some(principal), &details).await?;
        sqlx::query(
            "INSERT INTO reveals (id, principal, pseudonym, purpose, asked_by, asked, expires)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(id.to_string())
        .bind(principal.to_string())
        .bind(ask.pseudonym)
        .bind(sealed)
        .bind(ask.asked_by.to_string())
        .bind(now.nanos())
        .bind(now.after(ask.valid.min(VALID_MAX)).nanos())
        .execute(&self.pool)
        .await?;
        Ok(id)
    }

    /// Approves a request with one's share. The share stays in the memory of this process, until the request is opened
    /// or ends: after a restart the holders approve again.
    ///
    /// # Errors
    /// If there is no such request, it was opened or has ended, the share is the one that another account gave, or
    /// ledger or database refuse.
    pub async fn approve_reveal(
        &self,
        id: RevealId,
        account: AccountId,
        share: &Share,
        role: &str,
        ledger: &Ledger,
    ) -> Result<(), StateError> {
        let (reveal, principal) = self.open_request(id).await?;
        self.account(account).await?.ok_or(StateError::Missing { what: "account" })?;
        {
            let shares = self.shares.lock();
            let taken = |waiting: &Waiting| {
                waiting.shares.iter().any(|(other, given)| *other != account && given.holder() == share.holder())
            };
            if shares.get(&id).is_some_and(taken) {
                return Err(StateError::Reveal(ShareError::Repeated.into()));
            }
        }
        let purpose = reveal.purpose.expose();
        let details = RevealDetails { principal, purpose, asked_by: reveal.asked_by, approved_by: vec![account] };
        self.act_about(ledger, act("reveal-approve", id.to_string(), role), Some(principal), &details).await?;
        sqlx::query(
            "INSERT INTO reveal_approvals (reveal, account, given) VALUES ($1, $2, $3)
             ON CONFLICT (reveal, account) DO UPDATE SET given = excluded.given",
        )
        .bind(id.to_string())
        .bind(account.to_string())
        .bind(self.means.clock.now().nanos())
        .execute(&self.pool)
        .await?;
        self.keep_share(&reveal, account, share)
    }

    /// All requests, from the newest.
    ///
    /// # Errors
    /// If one cannot be opened, or the database refuses.
    pub async fn reveals(&self) -> Result<Vec<Reveal>, StateError> {
        self.list_reveals("", None).await
    }

    /// The requests about one person, from the newest: for the person's own page.
    ///
    /// # Errors
    /// If one cannot be opened, or the database refuses.
    pub async fn reveals_of(&self, principal: PrincipalId) -> Result<Vec<Reveal>, StateError> {
        self.list_reveals("WHERE principal = $1", Some(principal.to_string())).await
    }

    /// One request.
    ///
    /// # Errors
    /// If it cannot be opened, or the database refuses.
    pub async fn reveal(&self, id: RevealId) -> Result<Option<Reveal>, StateError> {
        Ok(self.list_reveals("WHERE id = $1", Some(id.to_string())).await?.pop())
    }

    /// Opens a request that two people have approved: the readable identity, once, for whoever asked. The ledger says
    /// so before it is shown.
    ///
    /// # Errors
    /// If there is no such request, another account asked, it was opened or has ended, shares of two people are not at
    /// hand or do not fit (then the holders approve anew), the person became protected, or ledger or database refuse.
    pub async fn open_reveal(
        &self,
        id: RevealId,
        account: AccountId,
        ledger: &Ledger,
    ) -> Result<Sensitive<String>, StateError> {
        let (reveal, principal) = self.open_request(id).await?;
        if reveal.asked_by != account {
            return Err(StateError::NotYours);
        }
        let given: BTreeMap<AccountId, Share> =
            self.shares.lock().get(&id).map(|waiting| waiting.shares.clone()).unwrap_or_default();
        if given.len() < HOLDERS {
            return Err(StateError::Approvals { given: given.len() });
        }
        let (sealed, _) = self.sealed_identity(principal).await?;
        let shares: Vec<Share> = given.values().cloned().collect();
        let plain = match open_identity(&sealed, &principal.to_string(), &shares) {
            Ok(plain) => Sensitive::new(plain),
            Err(error) => {
                self.forget_approvals(id).await?;
                return Err(StateError::Reveal(error));
            }
        };
        let approved_by: Vec<AccountId> = given.keys().copied().collect();
        let skeleton = RevealEntry { reveal: id, approvals: approved_by.len() };
        let purpose = reveal.purpose.expose();
        let details = RevealDetails { principal, purpose, asked_by: reveal.asked_by, approved_by };
        let personal = self.personal_part(ledger, EntryKind::Reveal, Some(principal), &details).await?;
        let now = self.means.clock.now();
        ledger.append(NewEntry::of_kind(EntryKind::Reveal, &skeleton, personal, now)).await?;
        let done = sqlx::query("UPDATE reveals SET opened = $1 WHERE id = $2 AND opened IS NULL")
            .bind(now.nanos())
            .bind(id.to_string())
            .execute(&self.pool)
            .await?;
        self.shares.lock().remove(&id);
        if done.rows_affected() == 0 {
            return Err(StateError::Closed { what: "reveal" });
        }
        let text = String::from_utf8(plain.into_exposed()).map_err(|_| StateError::Unreadable { table: "principals" });
        text.map(Sensitive::new)
    }

    /// A request that is neither opened nor over, and whom it is about.
    async fn open_request(&self, id: RevealId) -> Result<(Reveal, PrincipalId), StateError> {
        let reveal = self.reveal(id).await?.ok_or(StateError::Missing { what: "reveal" })?;
        match reveal.state(self.means.clock.now()) {
            RevealState::Opened => return Err(StateError::Closed { what: "reveal" }),
            RevealState::Expired => return Err(StateError::Expired { what: "reveal" }),
            RevealState::Asked | RevealState::Approved => {}
        }
        let row = sqlx::query("SELECT principal FROM reveals WHERE id = $1")
            .bind(id.to_string())
            .fetch_optional(&self.pool)
            .await?;
        let row = row.ok_or(StateError::Missing { what: "reveal" })?;
        Ok((reveal, parse_principal(&row.try_get::<String, _>(0)?)?))
    }

    fn keep_share(&self, reveal: &Reveal, account: AccountId, share: &Share) -> Result<(), StateError> {
        let now = self.means.clock.now();
        let mut shares = self.shares.lock();
        shares.retain(|_, waiting| waiting.expires > now);
        if !shares.contains_key(&reveal.id) && !REVEALS_WAITING.admits(shares.len() + 1) {
            return Err(StateError::OverLimit { limit: REVEALS_WAITING.name() });
        }
        let waiting =
            shares.entry(reveal.id).or_insert_with(|| Waiting { expires: reveal.expires, shares: BTreeMap::new() });
        waiting.shares.insert(account, share.clone());
        Ok(())
    }

    /// After shares that did not fit: nobody knows whose was wrong, so all approve anew.
    async fn forget_approvals(&self, id: RevealId) -> Result<(), StateError> {
        self.shares.lock().remove(&id);
        sqlx::query("DELETE FROM reveal_approvals WHERE reveal = $1").bind(id.to_string()).execute(&self.pool).await?;
        Ok(())
    }

    async fn list_reveals(&self, condition: &str, value: Option<String>) -> Result<Vec<Reveal>, StateError> {
        let statement = format!("SELECT {COLUMNS} FROM reveals {condition} ORDER BY asked DESC, id LIMIT 1000");
        let mut query = sqlx::query(AssertSqlSafe(statement));
        if let Some(value) = value {
            query = query.bind(value);
        }
        let rows = query.fetch_all(&self.pool).await?;
        let mut reveals = Vec::with_capacity(rows.len());
        for row in &rows {
            reveals.push(self.read_reveal(row).await?);
        }
        Ok(reveals)
    }

    async fn read_reveal(&self, row: &AnyRow) -> Result<Reveal, StateError> {
        let unreadable = || StateError::Unreadable { table: TABLE };
        let name: String = row.try_get("id")?;
        let account = |text: String| text.parse::<AccountId>().map_err(|_| unreadable());
        let approvals =
            sqlx::query("SELECT account, given FROM reveal_approvals WHERE reveal = $1 ORDER BY given, account")
                .bind(&name)
                .fetch_all(&self.pool)
                .await?;
        let approvals = approvals
            .iter()
            .map(|row| Ok((account(row.try_get(0)?)?, Moment::from_nanos(row.try_get(1)?))))
            .collect::<Result<_, StateError>>()?;
        let purpose: String = self.unseal(KeyPurpose::Case, TABLE, &name, &row.try_get::<String, _>("purpose")?)?;
        Ok(Reveal {
            id: name.parse().map_err(|_| unreadable())?,
            pseudonym: row.try_get("pseudonym")?,
            purpose: Sensitive::new(purpose),
            asked_by: account(row.try_get("asked_by")?)?,
            asked_at: Moment::from_nanos(row.try_get("asked")?),
            approvals,
            expires: Moment::from_nanos(row.try_get("expires")?),
            opened: row.try_get::<Option<i64>, _>("opened")?.map(Moment::from_nanos),
        })
    }
}
