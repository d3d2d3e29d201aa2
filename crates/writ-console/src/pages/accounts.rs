//! Accounts of the console. An administrator sees ids and roles, no person.

use std::collections::BTreeSet;

use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use serde::Serialize;
use utoipa::ToSchema;
use writ_base::Sensitive;
use writ_identity::{Permission, Role};
use writ_store::state::{Account, AccountId};

use super::{Pick, Shared};
use crate::Console;
use crate::frame::{Frame, Visit};
use crate::reply::{Failure, Reply, page as show, see};
use crate::words;

/// The accounts.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct AccountsView {
    /// All accounts, by id.
    pub(crate) accounts: Vec<AccountRow>,
    /// Whether the reader may change them.
    pub(crate) may_manage: bool,
    /// The roles that there are.
    pub(crate) roles: Vec<Pick>,
    #[serde(skip)]
    pub(crate) first_password: Option<FirstPassword>,
    #[serde(skip)]
    pub(crate) error: Option<String>,
}

/// An account.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct AccountRow {
    /// Its id.
    pub(crate) id: String,
    /// Whether it is the reader's.
    pub(crate) own: bool,
    /// Its roles, in words.
    pub(crate) roles_said: String,
    /// All roles, with those that it has.
    pub(crate) roles: Vec<Pick>,
    /// When it was made.
    pub(crate) made: String,
    /// Whether it can sign in.
    pub(crate) enabled: bool,
    /// How it is, in words.
    pub(crate) state: String,
}

/// Shown once.
#[derive(Clone, Debug)]
pub(crate) struct FirstPassword {
    pub(crate) account: String,
    pub(crate) password: String,
}

#[derive(Template)]
#[template(path = "accounts.html")]
struct AccountsPage {
    frame: Frame,
    view: AccountsView,
}

/// `GET /accounts`
pub(crate) async fn page(State(console): Shared, visit: Visit) -> Reply {
    let view = read(&console, &visit).await?;
    show(&AccountsPage { frame: console.frame(&visit, "Accounts"), view })
}

/// Reads them.
pub(crate) async fn read(console: &Console, visit: &Visit) -> Result<AccountsView, Failure> {
    let accounts = console.parts.accounts.list().await?;
    Ok(AccountsView {
        accounts: accounts.iter().map(|account| row(account, visit)).collect(),
        may_manage: visit.may(Permission::ManageAccounts),
        roles: picks(&BTreeSet::new()),
        first_password: None,
        error: None,
    })
}

fn row(account: &Account, visit: &Visit) -> AccountRow {
    let state = match (account.disabled, account.must_change) {
        (Some(at), _) => format!("disabled on {}", words::day(at)),
        (None, true) => "has a first password".into(),
        (None, false) => "in use".into(),
    };
    let roles: Vec<String> = account.roles.iter().map(|role| role.replace('-', " ")).collect();
    AccountRow {
        id: account.id.to_string(),
        own: account.id == visit.account,
        roles_said: if roles.is_empty() { "none".into() } else { roles.join(", ") },
        roles: picks(&account.roles),
        made: words::day(account.made),
        enabled: account.disabled.is_none(),
        state,
    }
}

fn picks(selected: &BTreeSet<String>) -> Vec<Pick> {
    let pick = |role: &Role| Pick {
        value: role.as_str().to_owned(),
        label: format!("{}: {}", words::sentence(&role.as_str().replace('-', " ")), role.doc()),
        selected: selected.contains(role.as_str()),
    };
    Role::ALL.iter().map(pick).collect()
}

/// Fields of a form; a name may stand several times.
pub(crate) type Fields = Vec<(String, String)>;

pub(crate) fn field<'a>(fields: &'a Fields, name: &str) -> &'a str {
    fields.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str())
}

fn chosen(fields: &Fields) -> Result<BTreeSet<Role>, Failure> {
    let named = fields.iter().filter(|(key, _)| key == "role").map(|(_, name)| Role::named(name));
    let roles: Option<BTreeSet<Role>> = named.collect();
    roles.filter(|roles| !roles.is_empty()).ok_or_else(|| Failure::Unusable("An account has at least one role.".into()))
}

/// `POST /accounts`
pub(crate) async fn create(State(console): Shared, visit: Visit, Form(fields): Form<Fields>) -> Reply {
    let login = field(&fields, "login").trim().to_owned();
    let made = match (login.is_empty(), chosen(&fields)) {
        (true, _) => Err(Failure::Unusable("An account has a login.".into())),
        (_, Err(failure)) => Err(failure),
        (false, Ok(roles)) => {
            let login = Sensitive::new(login);
            let by = visit.role(Permission::ManageAccounts);
            console.parts.accounts.create(&login, &login, &roles, by).await.map_err(Failure::from)
        }
    };
    let mut view = read(&console, &visit).await?;
    match made {
        Ok((id, password)) => {
            view.first_password = Some(FirstPassword { account: id.to_string(), password: password.into_exposed() });
        }
        Err(Failure::Broken) => return Err(Failure::Broken),
        Err(failure) => view.error = Some(failure.text()),
    }
    show(&AccountsPage { frame: console.frame(&visit, "Accounts"), view })
}

fn id_of(text: &str) -> Result<AccountId, Failure> {
    text.parse().map_err(|_| Failure::Missing)
}

/// `POST /accounts/{id}/roles`
pub(crate) async fn roles(
    State(console): Shared,
    visit: Visit,
    Path(id): Path<String>,
    Form(fields): Form<Fields>,
) -> Reply {
    let (id, roles) = (id_of(&id)?, chosen(&fields)?);
    if id == visit.account && !roles.contains(&Role::Admin) {
        return Err(Failure::Unusable(
            "You would lock yourself out: another administrator can take this role from you.".into(),
        ));
    }
    console.parts.accounts.set_roles(id, &roles, visit.role(Permission::ManageAccounts)).await?;
    Ok(see("/accounts?done=account-changed"))
}

/// `POST /accounts/{id}/password`
pub(crate) async fn reset(State(console): Shared, visit: Visit, Path(id): Path<String>) -> Reply {
    let id = id_of(&id)?;
    if id == visit.account {
        return Err(Failure::Unusable("Your own password is changed on its own page.".into()));
    }
    let password = console.parts.accounts.reset_password(id, visit.role(Permission::ManageAccounts)).await?;
    let mut view = read(&console, &visit).await?;
    view.first_password = Some(FirstPassword { account: id.to_string(), password: password.into_exposed() });
    show(&AccountsPage { frame: console.frame(&visit, "Accounts"), view })
}

/// `POST /accounts/{id}/disable`
pub(crate) async fn disable(State(console): Shared, visit: Visit, Path(id): Path<String>) -> Reply {
    let id = id_of(&id)?;
    if id == visit.account {
        return Err(Failure::Unusable("Nobody disables their own account.".into()));
    }
    console.parts.accounts.disable(id, visit.role(Permission::ManageAccounts)).await?;
    Ok(see("/accounts?done=account-disabled"))
}
