//! Accounts of the console, and one-time tickets to sign in with.

use std::collections::BTreeSet;
use std::time::Duration;

use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row};
use writ_base::hash::hex;
use writ_base::keys::SecretKey;
use writ_base::{ContentHash, Moment, Sensitive, ids};
use writ_model::interaction::PrincipalId;

use super::people::{Login, parse_principal};
use super::{State, StateError};
use crate::ledger::Ledger;

ids! {
    /// An account of the console.
    pub struct AccountId = "acc_";
}

/// The source of logins that people type: into the console, and for the proxy.
pub const LOGIN_SOURCE: &str = "login";

/// An account of the console. Its login is an alias of its principal, so a keyed digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// Whose it is.
    pub principal: PrincipalId,
    /// Names of roles.
    pub roles: BTreeSet<String>,
    /// When it was made.
    pub made: Moment,
    /// Whether the password is a first one, good for nothing but choosing another.
    pub must_change: bool,
    /// When it was disabled.
    pub disabled: Option<Moment>,
}

/// An account to be made.
#[derive(Clone, Debug)]
pub struct NewAccount<'a> {
    /// The login.
    pub login: &'a Sensitive<String>,
    /// Whose it will be.
    pub principal: PrincipalId,
    /// Names of roles.
    pub roles: BTreeSet<String>,
    /// The password's hash (PHC string, Argon2id).
    pub password_hash: &'a str,
    /// Whether it is a first password.
    pub must_change: bool,
}

const COLUMNS: &str = "id, principal, roles, password, must_change, made, disabled";

impl State {
    /// Makes an account. A principal has one at most.
    ///
    /// # Errors
    /// If the login belongs to somebody else, the principal has an account or is not known, or ledger or database
    /// refuse.
    pub async fn create_account(
        &self,
        new: &NewAccount<'_>,
        role: &str,
        ledger: &Ledger,
    ) -> Result<AccountId, StateError> {
        self.known(new.principal).await?.ok_or(StateError::Missing { what: "principal" })?;
        let login = typed(new.login);
        let owner = self.find_login(&login).await?;
        if owner.is_some_and(|owner| owner != new.principal) {
            return Err(StateError::Taken { what: "login" });
        }
        if self.account_of(new.principal).await?.is_some() {
            return Err(StateError::Taken { what: "account" });
        }
        let now = self.means.clock.now();
        let id = AccountId::new(now, &*self.means.randomness);
        self.act(ledger, "account-create", id.to_string(), role).await?;
        if owner.is_none() {
            self.add_login(new.principal, &login, ledger).await?;
        }
        sqlx::query(
            "INSERT INTO accounts (id, principal, roles, password, must_change, made) VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(id.to_string())
        .bind(new.principal.to_string())
        .bind(roles_text(&new.roles))
        .bind(new.password_hash)
        .bind(i64::from(new.must_change))
        .bind(now.nanos())
        .execute(&self.pool)
        .await?;
        Ok(id)
    }

    /// The account with this login and the hash of its password.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn account_by_login(&self, login: &Sensitive<String>) -> Result<Option<(Account, String)>, StateError> {
        match self.find_login(&typed(login)).await? {
            Some(principal) => self.find_account("principal", principal.to_string()).await,
            None => Ok(None),
        }
    }

    /// The account with this id.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn account(&self, id: AccountId) -> Result<Option<Account>, StateError> {
        Ok(self.find_account("id", id.to_string()).await?.map(|(account, _)| account))
    }

    /// The account of a principal.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn account_of(&self, principal: PrincipalId) -> Result<Option<Account>, StateError> {
        Ok(self.find_account("principal", principal.to_string()).await?.map(|(account, _)| account))
    }

    /// The hash of an account's password.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn account_password(&self, id: AccountId) -> Result<Option<String>, StateError> {
        Ok(self.find_account("id", id.to_string()).await?.map(|(_, hash)| hash))
    }

    /// All accounts, by id.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn accounts(&self) -> Result<Vec<Account>, StateError> {
        let statement = AssertSqlSafe(format!("SELECT {COLUMNS} FROM accounts ORDER BY id"));
        let rows = sqlx::query(statement).fetch_all(&self.pool).await?;
        rows.iter().map(|row| Ok(read_account(row)?.0)).collect()
    }

    /// Gives an account other roles.
    ///
    /// # Errors
    /// If there is no such account, or ledger or database refuse.
    pub async fn set_roles(
        &self,
        id: AccountId,
        roles: &BTreeSet<String>,
        role: &str,
        ledger: &Ledger,
    ) -> Result<(), StateError> {
        self.existing_account(id).await?;
        let listed: Vec<&str> = roles.iter().map(String::as_str).collect();
        self.act(ledger, "account-roles", format!("{id} {}", listed.join(",")), role).await?;
        sqlx::query("UPDATE accounts SET roles = $1 WHERE id = $2")
            .bind(roles_text(roles))
            .bind(id.to_string())
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Changes the hash of an account's password; `must_change` for one that somebody else has seen: then tokens end, too.
    ///
    /// # Errors
    /// If there is no such account, or ledger or database refuse.
    pub async fn set_password_hash(
        &self,
        id: AccountId,
        hash: &str,
        must_change: bool,
        role: &str,
        ledger: &Ledger,
    ) -> Result<(), StateError> {
        self.existing_account(id).await?;
        self.act(ledger, "account-password", id.to_string(), role).await?;
        sqlx::query("UPDATE accounts SET password = $1, must_change = $2 WHERE id = $3")
            .bind(hash)
            .bind(i64::from(must_change))
            .bind(id.to_string())
            .execute(&self.pool)
            .await?;
        if must_change {
            self.end_tokens(id).await?;
        }
        self.drop_tickets(id).await
    }

    /// Disables an account; it stays in the list, and its tokens end.
    ///
    /// # Errors
    /// If there is none that is enabled, or ledger or database refuse.
    pub async fn disable_account(&self, id: AccountId, role: &str, ledger: &Ledger) -> Result<(), StateError> {
        if self.existing_account(id).await?.disabled.is_some() {
            return Err(StateError::Missing { what: "enabled account" });
        }
        self.act(ledger, "account-disable", id.to_string(), role).await?;
        sqlx::query("UPDATE accounts SET disabled = $1 WHERE id = $2")
            .bind(self.means.clock.now().nanos())
            .bind(id.to_string())
            .execute(&self.pool)
            .await?;
        self.end_tokens(id).await?;
        self.drop_tickets(id).await
    }

    /// Makes a ticket that signs in once, within `valid`. Only its hash is kept: this is the only time that it can be
    /// seen.
    ///
    /// # Errors
    /// If there is no such account, or ledger or database refuse.
    pub async fn create_ticket(
        &self,
        id: AccountId,
        valid: Duration,
        role: &str,
        ledger: &Ledger,
    ) -> Result<Sensitive<String>, StateError> {
        self.existing_account(id).await?;
        let now = self.means.clock.now();
        let ticket = hex(SecretKey::generate(&*self.means.randomness).expose());
        self.act(ledger, "ticket-create", id.to_string(), role).await?;
        sqlx::query("DELETE FROM tickets WHERE expires <= $1").bind(now.nanos()).execute(&self.pool).await?;
        sqlx::query("INSERT INTO tickets (digest, account, expires) VALUES ($1, $2, $3)")
            .bind(digest(&ticket))
            .bind(id.to_string())
            .bind(now.after(valid).nanos())
            .execute(&self.pool)
            .await?;
        Ok(Sensitive::new(ticket))
    }

    /// Uses up a ticket: the account that it signs in. `None` if it is none, was used, or has expired.
    ///
    /// # Errors
    /// If ledger or database refuse.
    pub async fn redeem_ticket(
        &self,
        ticket: &Sensitive<String>,
        ledger: &Ledger,
    ) -> Result<Option<Account>, StateError> {
        let digest = digest(ticket.expose());
        let now = self.means.clock.now().nanos();
        let row = sqlx::query("SELECT account FROM tickets WHERE digest = $1 AND expires > $2")
            .bind(&digest)
            .bind(now)
            .fetch_optional(&self.pool)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let id: AccountId =
            row.try_get::<String, _>(0)?.parse().map_err(|_| StateError::Unreadable { table: "tickets" })?;
        self.act(ledger, "ticket-redeem", id.to_string(), "system").await?;
        let used = sqlx::query("DELETE FROM tickets WHERE digest = $1 AND expires > $2")
            .bind(&digest)
            .bind(now)
            .execute(&self.pool)
            .await?;
        // Of two at once, one is first.
        if used.rows_affected() == 0 { Ok(None) } else { self.account(id).await }
    }

    async fn drop_tickets(&self, id: AccountId) -> Result<(), StateError> {
        sqlx::query("DELETE FROM tickets WHERE account = $1").bind(id.to_string()).execute(&self.pool).await?;
        Ok(())
    }

    async fn existing_account(&self, id: AccountId) -> Result<Account, StateError> {
        self.account(id).await?.ok_or(StateError::Missing { what: "account" })
    }

    async fn find_account(&self, column: &str, value: String) -> Result<Option<(Account, String)>, StateError> {
        let statement = AssertSqlSafe(format!("SELECT {COLUMNS} FROM accounts WHERE {column} = $1"));
        let row = sqlx::query(statement).bind(value).fetch_optional(&self.pool).await?;
        row.map(|row| read_account(&row)).transpose()
    }
}

fn read_account(row: &AnyRow) -> Result<(Account, String), StateError> {
    let unreadable = || StateError::Unreadable { table: "accounts" };
    let account = Account {
        id: row.try_get::<String, _>("id")?.parse().map_err(|_| unreadable())?,
        principal: parse_principal(&row.try_get::<String, _>("principal")?)?,
        roles: serde_json::from_str(&row.try_get::<String, _>("roles")?).map_err(|_| unreadable())?,
        made: Moment::from_nanos(row.try_get("made")?),
        must_change: row.try_get::<i64, _>("must_change")? != 0,
        disabled: row.try_get::<Option<i64>, _>("disabled")?.map(Moment::from_nanos),
    };
    Ok((account, row.try_get("password")?))
}

fn typed(login: &Sensitive<String>) -> Login {
    Login { source: LOGIN_SOURCE.to_owned(), name: login.clone() }
}

pub(super) fn roles_text(roles: &BTreeSet<String>) -> String {
    serde_json::to_string(roles).unwrap_or_default()
}

/// A ticket is 256 random bits: a plain hash of it tells nothing.
fn digest(ticket: &str) -> String {
    ContentHash::of_parts([b"ticket".as_slice(), ticket.as_bytes()]).to_string()
}
