//! `writ person` and `writ account`: who is behind the proxy's logins, and who may use the console.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use serde_json::json;
use writ_base::Sensitive;
use writ_identity::accounts::AccountOptions;
use writ_identity::passwords::admit_password;
use writ_identity::{Accounts, Hashing, Passwords, Role};
use writ_model::{Currency, Term, Who};
use writ_store::state::{Account, AccountId, Attributes, LOCAL_SOURCE};

use super::access::{principal, who};
use super::files::{self, Source};
use super::settings::ConfigFile;
use super::{Exit, Output, block_on};
use crate::wiring::Home;

/// The role in whose name these commands act.
const ROLE: Role = Role::Admin;

/// Say who a person is, and set the password for the proxy
///
/// The server must not run while people change.
#[derive(Debug, Subcommand)]
pub(crate) enum PersonCommand {
    Set(SetPerson),
}

/// Say who a person is: kind, groups, entity, region; and the password for the proxy
///
/// A person that is not known yet is made. What is said replaces what was said before; the password stays unless one is
/// given. The login is kept as a digest, and sealed for a reveal by two holders.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  writ person set ana@northwind.example --group finance --password-file ana.txt
  writ person set cora@partner.example --who contractor --entity northwind-gmbh --region eu
  writ person set works.council@northwind.example --group works-council")]
pub(crate) struct SetPerson {
    #[command(flatten)]
    file: ConfigFile,
    /// The login that the organisation knows
    #[arg(value_name = "LOGIN")]
    login: String,
    /// employee, contractor, vendor, service-account or agent
    #[arg(long, default_value = "employee", value_parser = who)]
    who: Who,
    /// A group of the directory
    #[arg(long, value_name = "GROUP")]
    group: Vec<String>,
    /// The employing legal entity
    #[arg(long, value_name = "ENTITY")]
    entity: Option<String>,
    /// The person's region
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// A file with the proxy password in one line; `-` reads standard input
    #[arg(long, value_name = "FILE|-")]
    password_file: Option<String>,
}

/// Make, list and change accounts of the console
///
/// The server must not run; while it does, administrators use the console.
#[derive(Debug, Subcommand)]
pub(crate) enum AccountCommand {
    Add(AddAccount),
    List(ListAccounts),
    Reset(ResetAccount),
    Link(LinkAccount),
    Disable(DisableAccount),
}

/// Make an account and print its first password once
///
/// The password goes to standard output and must be changed at the first sign-in.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  writ account add sam@northwind.example --role admin
  writ account add dpo@northwind.example --role privacy-officer --role employee")]
pub(crate) struct AddAccount {
    #[command(flatten)]
    file: ConfigFile,
    /// The login
    #[arg(value_name = "LOGIN")]
    login: String,
    /// admin, privacy-officer, analyst, policy-owner, help-desk or employee
    #[arg(long, value_name = "ROLE", required = true, value_parser = role)]
    role: Vec<Role>,
}

/// List accounts: id, roles, state; no names
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  writ account list
  writ account list --json")]
pub(crate) struct ListAccounts {
    #[command(flatten)]
    file: ConfigFile,
    /// Print the list as JSON
    #[arg(long)]
    json: bool,
}

/// Give an account a new first password and print it once
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  writ account reset sam@northwind.example")]
pub(crate) struct ResetAccount {
    #[command(flatten)]
    file: ConfigFile,
    /// The login
    #[arg(value_name = "LOGIN")]
    login: String,
}

/// Print a link that signs in once, within an hour
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  writ account link sam@northwind.example")]
pub(crate) struct LinkAccount {
    #[command(flatten)]
    file: ConfigFile,
    /// The login
    #[arg(value_name = "LOGIN")]
    login: String,
}

/// Disable an account for ever; its sessions end
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  writ account disable sam@northwind.example")]
pub(crate) struct DisableAccount {
    #[command(flatten)]
    file: ConfigFile,
    /// The login
    #[arg(value_name = "LOGIN")]
    login: String,
}

fn role(name: &str) -> Result<Role, String> {
    let names = || Role::ALL.iter().map(|role| role.as_str()).collect::<Vec<_>>().join(", ");
    Role::named(name).ok_or_else(|| format!("say one of {}", names()))
}

impl PersonCommand {
    pub(crate) fn run(&self, output: &mut Output) -> anyhow::Result<Exit> {
        match self {
            Self::Set(set) => block_on(set.run(output)),
        }
    }
}

impl SetPerson {
    async fn run(&self, output: &mut Output) -> anyhow::Result<Exit> {
        let password = match &self.password_file {
            Some(path) => Some(Sensitive::new(files::secret(&Source::from(path.as_str()))?.into_exposed())),
            None => None,
        };
        if let Some(password) = &password {
            admit_password(password, Some(&self.login))?;
        }
        let home = Home::open(&self.file.load()?).await?;
        let set = self.set(&home, password.as_ref()).await;
        home.close().await?;
        set?;
        let password = if password.is_some() { ", with a password for the proxy" } else { "" };
        output.say(format_args!("{}: {}{password}", self.login, self.who))?;
        Ok(Exit::Yes)
    }

    async fn set(&self, home: &Home, password: Option<&Sensitive<String>>) -> anyhow::Result<()> {
        let person = principal(home, &self.login, self.who).await?;
        let term = |given: &Option<String>| given.as_deref().map_or(Term::UNKNOWN, Term::from);
        let attributes = Attributes {
            who: self.who,
            groups: self.group.iter().map(|group| Term::from(group.as_str())).collect(),
            entity: term(&self.entity),
            region: term(&self.region),
            training: Currency::NotApplicable,
            attestation: Currency::NotApplicable,
            updated: home.clock.now(),
            source: LOCAL_SOURCE.to_owned(),
        };
        home.state.set_attributes(person, &attributes, ROLE.as_str(), &home.ledger).await?;
        if let Some(password) = password {
            let hash = Passwords::new(Hashing::default(), &*home.randomness).hash(password, &*home.randomness).await;
            let hash = hash.ok().context("the password cannot be hashed at the moment; try again")?;
            home.state.set_password(person, &hash, ROLE.as_str(), &home.ledger).await?;
        }
        Ok(())
    }
}

impl AccountCommand {
    pub(crate) fn run(&self, output: &mut Output) -> anyhow::Result<Exit> {
        match self {
            Self::Add(add) => block_on(add.run(output)),
            Self::List(list) => block_on(list.run(output)),
            Self::Reset(reset) => block_on(reset.run(output)),
            Self::Link(link) => block_on(link.run(output)),
            Self::Disable(disable) => block_on(disable.run(output)),
        }
    }
}

/// The accounts of an open data directory.
pub(crate) fn accounts(home: &Home) -> Accounts {
    let randomness = std::sync::Arc::clone(&home.randomness);
    Accounts::new(home.state.clone(), home.ledger.clone(), randomness, AccountOptions::default())
}

async fn account_of(home: &Home, name: &str) -> anyhow::Result<AccountId> {
    let found = home.state.account_by_login(&Sensitive::new(name.to_owned())).await?;
    let (account, _) =
        found.with_context(|| format!("the login `{name}` has no account; `writ account add` makes one"))?;
    Ok(account.id)
}

impl AddAccount {
    async fn run(&self, output: &mut Output) -> anyhow::Result<Exit> {
        if self.login.trim().is_empty() {
            bail!("the login is empty; say who the account is for");
        }
        let home = Home::open(&self.file.load()?).await?;
        let added = self.add(&home).await;
        home.close().await?;
        let (id, password) = added?;
        output.line(password.expose())?;
        output.say(format_args!(
            "{id}: {}; the password is shown only now, and is changed at the first sign-in",
            self.login
        ))?;
        Ok(Exit::Yes)
    }

    async fn add(&self, home: &Home) -> anyhow::Result<(AccountId, Sensitive<String>)> {
        principal(home, &self.login, Who::Employee).await?;
        let name = Sensitive::new(self.login.clone());
        let roles: BTreeSet<Role> = self.role.iter().copied().collect();
        Ok(accounts(home).create(&name, &name, &roles, ROLE).await?)
    }
}

impl ListAccounts {
    async fn run(&self, output: &mut Output) -> anyhow::Result<Exit> {
        let home = Home::open(&self.file.load()?).await?;
        let listed = home.state.accounts().await;
        home.close().await?;
        for account in listed? {
            let Account { id, roles, made, must_change, disabled, .. } = account;
            if self.json {
                let disabled = disabled.map(|at| at.to_string());
                output.json_line(&json!({
                    "id": id, "roles": roles, "made": made.to_string(), "first-password": must_change, "disabled": disabled,
                }))?;
                continue;
            }
            let state = match (disabled, must_change) {
                (Some(at), _) => format!("disabled {at}"),
                (None, true) => "first password".to_owned(),
                (None, false) => "enabled".to_owned(),
            };
            let roles = roles.into_iter().collect::<Vec<_>>().join(", ");
            output.line(format_args!("{id}  {roles}  made {made}  {state}"))?;
        }
        Ok(Exit::Yes)
    }
}

impl ResetAccount {
    async fn run(&self, output: &mut Output) -> anyhow::Result<Exit> {
        let home = Home::open(&self.file.load()?).await?;
        let reset = async {
            let account = account_of(&home, &self.login).await?;
            anyhow::Ok(accounts(&home).reset_password(account, ROLE).await?)
        };
        let reset = reset.await;
        home.close().await?;
        output.line(reset?.expose())?;
        output.say(format_args!("{}: a new first password; it is shown only now", self.login))?;
        Ok(Exit::Yes)
    }
}

/// How long a link is good for.
const LINK: Duration = Duration::from_secs(3600);

impl LinkAccount {
    async fn run(&self, output: &mut Output) -> anyhow::Result<Exit> {
        let config = self.file.load()?;
        let console =
            config.console.clone().context("the configuration has no `[console]`: there is nowhere to sign in")?;
        let home = Home::open(&config).await?;
        let made = async {
            let account = account_of(&home, &self.login).await?;
            anyhow::Ok(accounts(&home).make_ticket(account, LINK, ROLE).await?)
        };
        let made = made.await;
        home.close().await?;
        let host = config.organisation.host.unwrap_or_else(|| format!("http://{}", console.listen));
        output.line(format_args!("{host}/enter/{}", made?.expose()))?;
        Ok(Exit::Yes)
    }
}

impl DisableAccount {
    async fn run(&self, output: &mut Output) -> anyhow::Result<Exit> {
        let home = Home::open(&self.file.load()?).await?;
        let disabled = async {
            let account = account_of(&home, &self.login).await?;
            accounts(&home).disable(account, ROLE).await?;
            anyhow::Ok(account)
        };
        let disabled = disabled.await;
        home.close().await?;
        output.line(format_args!("{}: disabled", disabled?))?;
        Ok(Exit::Yes)
    }
}
