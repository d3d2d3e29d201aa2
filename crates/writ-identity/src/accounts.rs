//! Accounts of the console: made with a first password or a ticket, signed in with a password of their own.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use writ_base::{Moment, Randomness, Sensitive};
use writ_model::interaction::PrincipalId;
use writ_store::state::{Account, AccountId, LOGIN_SOURCE, Login, NewAccount, StateError, Token, TokenId};
use writ_store::{Ledger, State};

use crate::passwords::{Busy, Hashing, Passwords, Weak, admit_password, first_password, plausible};
use crate::roles::Role;
use crate::sessions::{Session, SessionCookie, SessionOptions, Sessions, roles_of};
use crate::throttle::{Throttle, ThrottleOptions};

/// The accounts of the console and their sessions; clones share them.
#[derive(Clone)]
pub struct Accounts(Arc<Inner>);

struct Inner {
    state: Arc<State>,
    ledger: Ledger,
    randomness: Arc<dyn Randomness>,
    passwords: Passwords,
    throttle: Throttle,
    sessions: Sessions,
}

/// How accounts are kept.
#[derive(Clone, Copy, Debug, Default)]
pub struct AccountOptions {
    /// What hashing a password costs.
    pub hashing: Hashing,
    /// What guessing costs.
    pub throttle: ThrottleOptions,
    /// When sessions end.
    pub sessions: SessionOptions,
}

/// Why somebody was not signed in. It does not say whether there is such a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LoginRefused {
    /// No such login, another password, or a disabled account.
    #[error("login or password is wrong")]
    Wrong,
    /// The ticket is none, was used, or has expired.
    #[error("this link was used or has expired; ask for a new one")]
    NoTicket,
    /// Too many guesses.
    #[error("too many tries; wait {} s", retry_after.as_secs().max(1))]
    TooMany {
        /// How long to wait.
        retry_after: Duration,
    },
    /// The database or the ledger refused, or too many passwords are being checked.
    #[error("nobody can sign in at the moment; try again soon")]
    Unavailable,
}

/// Why a password was not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordRefused {
    /// Nobody is signed in.
    #[error("sign in first")]
    NoSession,
    /// The present password is another one, or too many tries.
    #[error(transparent)]
    Login(#[from] LoginRefused),
    /// The new one will not do.
    #[error(transparent)]
    Weak(#[from] Weak),
    /// The new one is the present one.
    #[error("this is the present password; choose another one")]
    Same,
}

/// Whoever presents a token, in the place of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bearer {
    /// The account.
    pub account: AccountId,
    /// Whose it is.
    pub principal: PrincipalId,
    /// What the token may be used as.
    pub roles: BTreeSet<Role>,
}

/// How old what is known of an account may be while a session uses it.
const FRESH: Duration = Duration::from_secs(15);

impl Accounts {
    /// Over a state database.
    pub fn new(state: Arc<State>, ledger: Ledger, randomness: Arc<dyn Randomness>, options: AccountOptions) -> Self {
        let passwords = Passwords::new(options.hashing, &*randomness);
        let throttle = Throttle::new(options.throttle, &*randomness);
        let sessions = Sessions::new(options.sessions, randomness.clone());
        Self(Arc::new(Inner { state, ledger, randomness, passwords, throttle, sessions }))
    }

    /// Makes an account with a first password, which must be changed at the first sign-in. `identity` is what a reveal
    /// would show.
    ///
    /// # Errors
    /// If the person has an account, or ledger or database refuse.
    pub async fn create(
        &self,
        login: &Sensitive<String>,
        identity: &Sensitive<String>,
        roles: &BTreeSet<Role>,
        by: Role,
    ) -> Result<(AccountId, Sensitive<String>), StateError> {
        let Inner { state, ledger, randomness, .. } = &*self.0;
        let typed = Login { source: LOGIN_SOURCE.to_owned(), name: login.clone() };
        let principal = state.identify(&typed, "employee", identity, ledger).await?.principal;
        let password = first_password(&**randomness);
        let id = self.create_for(login, principal, roles, &password, true, by).await?;
        Ok((id, password))
    }

    /// Makes an account of a principal that is known, with a password that may have to be changed.
    ///
    /// # Errors
    /// If the person has an account, or ledger or database refuse.
    pub async fn create_for(
        &self,
        login: &Sensitive<String>,
        principal: PrincipalId,
        roles: &BTreeSet<Role>,
        password: &Sensitive<String>,
        must_change: bool,
        by: Role,
    ) -> Result<AccountId, StateError> {
        let hash = self.hash(password).await?;
        let roles = names(roles);
        let new = NewAccount { login, principal, roles, password_hash: &hash, must_change };
        self.0.state.create_account(&new, by.as_str(), &self.0.ledger).await
    }

    /// Signs somebody in. `former` is the session token that the browser brought, which ends.
    ///
    /// # Errors
    /// See [`LoginRefused`]; unknown logins take as long as known ones.
    pub async fn login(
        &self,
        login: &Sensitive<String>,
        password: &Sensitive<String>,
        peer: IpAddr,
        former: Option<&str>,
        now: Moment,
    ) -> Result<SessionCookie, LoginRefused> {
        if !plausible(login.expose(), password.expose()) {
            return Err(LoginRefused::Wrong);
        }
        let attempt = self.0.throttle.begin(login.expose(), peer, now);
        let attempt = attempt.map_err(|retry_after| LoginRefused::TooMany { retry_after })?;
        let found = self.0.state.account_by_login(login).await.map_err(unavailable)?;
        let hash = found.as_ref().map(|(_, hash)| hash.as_str());
        let right = self.0.passwords.verify(password, hash).await?;
        match found.filter(|(account, _)| right && account.disabled.is_none()) {
            Some((account, _)) => {
                self.0.throttle.right(attempt);
                Ok(self.0.sessions.begin(&account, false, former, now))
            }
            None => Err(LoginRefused::Wrong),
        }
    }

    /// Makes a ticket that signs in once, without a password: the last part of a link.
    ///
    /// # Errors
    /// If there is no such account, or ledger or database refuse.
    pub async fn make_ticket(
        &self,
        account: AccountId,
        valid: Duration,
        by: Role,
    ) -> Result<Sensitive<String>, StateError> {
        self.0.state.create_ticket(account, valid, by.as_str(), &self.0.ledger).await
    }

    /// Uses up a ticket and signs in.
    ///
    /// # Errors
    /// See [`LoginRefused`].
    pub async fn redeem(
        &self,
        ticket: &Sensitive<String>,
        peer: IpAddr,
        former: Option<&str>,
        now: Moment,
    ) -> Result<SessionCookie, LoginRefused> {
        let attempt = self.0.throttle.begin("", peer, now);
        let attempt = attempt.map_err(|retry_after| LoginRefused::TooMany { retry_after })?;
        let account = self.0.state.redeem_ticket(ticket, &self.0.ledger).await.map_err(unavailable)?;
        let account = account.filter(|account| account.disabled.is_none()).ok_or(LoginRefused::NoTicket)?;
        self.0.throttle.right(attempt);
        Ok(self.0.sessions.begin(&account, true, former, now))
    }

    /// The session with this token, with the roles that its account has now (at most some seconds old).
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn session(&self, token: &str, now: Moment) -> Result<Option<Session>, StateError> {
        let Some(session) = self.0.sessions.find(token, now) else { return Ok(None) };
        if now.since(session.checked) < FRESH {
            return Ok(Some(session));
        }
        let account = self.0.state.account(session.account).await?;
        self.0.sessions.refresh(session.account, account.as_ref(), now);
        Ok(self.0.sessions.find(token, now))
    }

    /// Makes a token for programs of somebody who is signed in, with those of the roles that the account has: this is
    /// the only time that it can be seen.
    ///
    /// # Errors
    /// If the account has too many, or ledger or database refuse.
    pub async fn make_token(
        &self,
        account: AccountId,
        roles: &BTreeSet<Role>,
        valid: Duration,
        by: Role,
    ) -> Result<(TokenId, Sensitive<String>), StateError> {
        self.0.state.create_token(account, &names(roles), valid, by.as_str(), &self.0.ledger).await
    }

    /// The tokens of an account, from the oldest.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn tokens(&self, account: AccountId) -> Result<Vec<Token>, StateError> {
        self.0.state.tokens(account).await
    }

    /// Ends a token of an account.
    ///
    /// # Errors
    /// If the account has no such token that holds, or ledger or database refuse.
    pub async fn revoke_token(&self, token: TokenId, account: AccountId, by: Role) -> Result<(), StateError> {
        self.0.state.revoke_token(token, account, by.as_str(), &self.0.ledger).await
    }

    /// Who presents this token, with those of its roles that the account has now. Nobody where the account is disabled
    /// or must choose a password first.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn bearer(&self, token: &Sensitive<String>) -> Result<Option<Bearer>, StateError> {
        let Some(token) = self.0.state.token(token).await? else { return Ok(None) };
        let account = self.0.state.account(token.account).await?;
        let account = account.filter(|account| account.disabled.is_none() && !account.must_change);
        Ok(account.map(|account| Bearer {
            account: account.id,
            principal: account.principal,
            roles: roles_of(&account).into_iter().filter(|role| token.roles.contains(role.as_str())).collect(),
        }))
    }

    /// Ends a session.
    pub fn logout(&self, token: &str) {
        self.0.sessions.end(token);
    }

    /// Changes one's own password. All sessions of the account end; a new one begins. The present password is not asked
    /// for in a session that began with a ticket and must choose one.
    ///
    /// # Errors
    /// See [`PasswordRefused`].
    pub async fn change_password(
        &self,
        token: &str,
        present: Option<&Sensitive<String>>,
        new: &Sensitive<String>,
        peer: IpAddr,
        now: Moment,
    ) -> Result<SessionCookie, PasswordRefused> {
        let session = self.session(token, now).await.map_err(unavailable)?.ok_or(PasswordRefused::NoSession)?;
        admit_password(new, None)?;
        let hash = self.0.state.account_password(session.account).await.map_err(unavailable)?;
        let hash = hash.ok_or(PasswordRefused::NoSession)?;
        if !(session.by_ticket && session.must_change) {
            self.prove(&session, present.ok_or(LoginRefused::Wrong)?, &hash, peer, now).await?;
        }
        if self.0.passwords.verify(new, Some(&hash)).await.map_err(LoginRefused::from)? {
            return Err(PasswordRefused::Same);
        }
        let hash = self.0.passwords.hash(new, &*self.0.randomness).await.map_err(LoginRefused::from)?;
        let stored = self.0.state.set_password_hash(session.account, &hash, false, "employee", &self.0.ledger).await;
        stored.map_err(unavailable)?;
        self.0.sessions.end_account(session.account);
        let account = self.0.state.account(session.account).await.map_err(unavailable)?;
        let account = account.filter(|it| it.disabled.is_none()).ok_or(PasswordRefused::NoSession)?;
        Ok(self.0.sessions.begin(&account, false, None, now))
    }

    /// Gives an account a new first password and ends its sessions.
    ///
    /// # Errors
    /// If there is no such account, or ledger or database refuse.
    pub async fn reset_password(&self, account: AccountId, by: Role) -> Result<Sensitive<String>, StateError> {
        let password = first_password(&*self.0.randomness);
        let hash = self.hash(&password).await?;
        self.0.state.set_password_hash(account, &hash, true, by.as_str(), &self.0.ledger).await?;
        self.0.sessions.end_account(account);
        Ok(password)
    }

    /// Gives an account other roles; its sessions end.
    ///
    /// # Errors
    /// If there is no such account, or ledger or database refuse.
    pub async fn set_roles(&self, account: AccountId, roles: &BTreeSet<Role>, by: Role) -> Result<(), StateError> {
        self.0.state.set_roles(account, &names(roles), by.as_str(), &self.0.ledger).await?;
        self.0.sessions.end_account(account);
        Ok(())
    }

    /// Disables an account; its sessions end.
    ///
    /// # Errors
    /// If there is no enabled one, or ledger or database refuse.
    pub async fn disable(&self, account: AccountId, by: Role) -> Result<(), StateError> {
        self.0.state.disable_account(account, by.as_str(), &self.0.ledger).await?;
        self.0.sessions.end_account(account);
        Ok(())
    }

    /// All accounts, by id.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn list(&self) -> Result<Vec<Account>, StateError> {
        self.0.state.accounts().await
    }

    /// The sessions.
    pub fn sessions(&self) -> &Sessions {
        &self.0.sessions
    }

    /// Checks the present password of a session's account, at the cost of a guess.
    async fn prove(
        &self,
        session: &Session,
        present: &Sensitive<String>,
        hash: &str,
        peer: IpAddr,
        now: Moment,
    ) -> Result<(), LoginRefused> {
        let attempt = self.0.throttle.begin(&session.account.to_string(), peer, now);
        let attempt = attempt.map_err(|retry_after| LoginRefused::TooMany { retry_after })?;
        if !self.0.passwords.verify(present, Some(hash)).await? {
            return Err(LoginRefused::Wrong);
        }
        self.0.throttle.right(attempt);
        Ok(())
    }

    async fn hash(&self, password: &Sensitive<String>) -> Result<String, StateError> {
        let hash = self.0.passwords.hash(password, &*self.0.randomness).await;
        hash.map_err(|Busy| StateError::OverLimit { limit: crate::limits::HASHING.name() })
    }
}

impl From<Busy> for LoginRefused {
    fn from(_: Busy) -> Self {
        Self::Unavailable
    }
}

fn names(roles: &BTreeSet<Role>) -> BTreeSet<String> {
    roles.iter().map(|role| role.as_str().to_owned()).collect()
}

#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn unavailable(error: StateError) -> LoginRefused {
    tracing::error!(%error, "accounts cannot be read");
    LoginRefused::Unavailable
}
