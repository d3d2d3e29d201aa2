//! Orders about people behind the proxy's logins, and about accounts of the console.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use writ_base::{Moment, Sensitive};
use writ_identity::passwords::admit_password;
use writ_identity::{Hashing, Passwords, Role};
use writ_model::{Currency, Term, Who};
use writ_store::state::{Account, AccountId, Attributes, LOCAL_SOURCE};

use super::access::principal;
use super::{Desk, Order, ROLE, Secret};

/// How long a link is good for.
const LINK: Duration = Duration::from_secs(3600);

/// Say who a person is.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct SetPerson {
    pub(crate) login: String,
    pub(crate) who: Who,
    pub(crate) groups: Vec<String>,
    pub(crate) entity: Option<String>,
    pub(crate) region: Option<String>,
    pub(crate) password: Option<Secret>,
}

/// Make an account.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AddAccount {
    pub(crate) login: String,
    /// Names of roles.
    pub(crate) roles: BTreeSet<String>,
}

/// An account that was made.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Made {
    pub(crate) id: AccountId,
    pub(crate) password: Secret,
}

/// All accounts.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ListAccounts {}

/// An account in the list.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct AccountRow {
    pub(crate) id: AccountId,
    pub(crate) roles: Vec<String>,
    pub(crate) made: Moment,
    pub(crate) first_password: bool,
    pub(crate) disabled: Option<Moment>,
}

macro_rules! by_login {
    ($($(#[$meta:meta])* $order:ident;)+) => {$(
        $(#[$meta])*
        #[derive(Debug, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(crate) struct $order {
            pub(crate) login: String,
        }
    )+};
}

by_login! {
    /// Give an account a new first password.
    ResetAccount;
    /// Make a ticket that signs in once.
    LinkAccount;
    /// Disable an account; its sessions end.
    DisableAccount;
}

async fn account_of(desk: &Desk, name: &str) -> anyhow::Result<AccountId> {
    let found = desk.home.state.account_by_login(&Sensitive::new(name.to_owned())).await?;
    let (account, _) =
        found.with_context(|| format!("the login `{name}` has no account; `writ account add` makes one"))?;
    Ok(account.id)
}

impl Order for SetPerson {
    const NAME: &'static str = "person-set";
    type Answer = ();

    async fn act(self, desk: &Desk) -> anyhow::Result<()> {
        if let Some(password) = &self.password {
            admit_password(&password.0, Some(&self.login))?;
        }
        let home = &desk.home;
        let person = principal(home, &self.login, self.who).await?;
        let term = |given: &Option<String>| given.as_deref().map_or(Term::UNKNOWN, Term::from);
        let attributes = Attributes {
            who: self.who,
            groups: self.groups.iter().map(|group| Term::from(group.as_str())).collect(),
            entity: term(&self.entity),
            region: term(&self.region),
            training: Currency::NotApplicable,
            attestation: Currency::NotApplicable,
            updated: home.clock.now(),
            source: LOCAL_SOURCE.to_owned(),
        };
        home.state.set_attributes(person, &attributes, ROLE.as_str(), &home.ledger).await?;
        if let Some(password) = &self.password {
            let hashing = Passwords::new(Hashing::default(), &*home.randomness);
            let hash = hashing.hash(&password.0, &*home.randomness).await;
            let hash = hash.ok().context("the password cannot be hashed at the moment; try again")?;
            home.state.set_password(person, &hash, ROLE.as_str(), &home.ledger).await?;
        }
        Ok(())
    }
}

impl Order for AddAccount {
    const NAME: &'static str = "account-add";
    type Answer = Made;

    async fn act(self, desk: &Desk) -> anyhow::Result<Made> {
        let named = |name: &String| Role::named(name).with_context(|| format!("there is no role `{name}`"));
        let roles = self.roles.iter().map(named).collect::<anyhow::Result<BTreeSet<Role>>>()?;
        principal(&desk.home, &self.login, Who::Employee).await?;
        let name = Sensitive::new(self.login);
        let (id, password) = desk.accounts.create(&name, &name, &roles, ROLE).await?;
        Ok(Made { id, password: password.into() })
    }
}

impl Order for ListAccounts {
    const NAME: &'static str = "account-list";
    type Answer = Vec<AccountRow>;

    async fn act(self, desk: &Desk) -> anyhow::Result<Vec<AccountRow>> {
        let row = |account: Account| {
            let Account { id, roles, made, must_change, disabled, .. } = account;
            let roles = roles.into_iter().map(|role| role.to_string()).collect();
            AccountRow { id, roles, made, first_password: must_change, disabled }
        };
        Ok(desk.home.state.accounts().await?.into_iter().map(row).collect())
    }
}

impl Order for ResetAccount {
    const NAME: &'static str = "account-reset";
    type Answer = Secret;

    async fn act(self, desk: &Desk) -> anyhow::Result<Secret> {
        let account = account_of(desk, &self.login).await?;
        Ok(desk.accounts.reset_password(account, ROLE).await?.into())
    }
}

impl Order for LinkAccount {
    const NAME: &'static str = "account-link";
    type Answer = Secret;

    async fn act(self, desk: &Desk) -> anyhow::Result<Secret> {
        let account = account_of(desk, &self.login).await?;
        Ok(desk.accounts.make_ticket(account, LINK, ROLE).await?.into())
    }
}

impl Order for DisableAccount {
    const NAME: &'static str = "account-disable";
    type Answer = AccountId;

    async fn act(self, desk: &Desk) -> anyhow::Result<AccountId> {
        let account = account_of(desk, &self.login).await?;
        desk.accounts.disable(account, ROLE).await?;
        Ok(account)
    }
}
