//! `writ person` and `writ account`: who is behind the proxy's logins, and who may use the console.

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use serde_json::json;
use writ_identity::Role;
use writ_model::Who;

use super::access::who;
use super::files::{self, Source};
use super::settings::ConfigFile;
use super::{Exit, Output, block_on};
use crate::door::people as orders;
use crate::door::{self, Secret};

/// Say who a person is, and set the password for the proxy
///
/// Where a server runs, it acts: a change holds within seconds.
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
/// Where a server runs, it acts, as its console does: sessions of a disabled account end at once.
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
            Some(path) => Some(Secret::from(files::secret(&Source::from(path.as_str()))?)),
            None => None,
        };
        let with = if password.is_some() { ", with a password for the proxy" } else { "" };
        let order = orders::SetPerson {
            login: self.login.clone(),
            who: self.who,
            groups: self.group.clone(),
            entity: self.entity.clone(),
            region: self.region.clone(),
            password,
        };
        door::carry_out(&self.file.load()?, order).await?;
        output.say(format_args!("{}: {}{with}", self.login, self.who))?;
        Ok(Exit::Yes)
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

impl AddAccount {
    async fn run(&self, output: &mut Output) -> anyhow::Result<Exit> {
        if self.login.trim().is_empty() {
            bail!("the login is empty; say who the account is for");
        }
        let roles = self.role.iter().map(|role| role.as_str().to_owned()).collect();
        let made = door::carry_out(&self.file.load()?, orders::AddAccount { login: self.login.clone(), roles }).await?;
        output.line(made.password.expose())?;
        output.say(format_args!(
            "{}: {}; the password is shown only now, and is changed at the first sign-in",
            made.id, self.login
        ))?;
        Ok(Exit::Yes)
    }
}

impl ListAccounts {
    async fn run(&self, output: &mut Output) -> anyhow::Result<Exit> {
        for row in door::carry_out(&self.file.load()?, orders::ListAccounts {}).await? {
            let orders::AccountRow { id, roles, made, first_password, disabled } = row;
            if self.json {
                let disabled = disabled.map(|at| at.to_string());
                output.json_line(&json!({
                    "id": id, "roles": roles, "made": made.to_string(), "first-password": first_password, "disabled": disabled,
                }))?;
                continue;
            }
            let state = match (disabled, first_password) {
                (Some(at), _) => format!("disabled {at}"),
                (None, true) => "first password".to_owned(),
                (None, false) => "enabled".to_owned(),
            };
            output.line(format_args!("{id}  {}  made {made}  {state}", roles.join(", ")))?;
        }
        Ok(Exit::Yes)
    }
}

impl ResetAccount {
    async fn run(&self, output: &mut Output) -> anyhow::Result<Exit> {
        let order = orders::ResetAccount { login: self.login.clone() };
        let password = door::carry_out(&self.file.load()?, order).await?;
        output.line(password.expose())?;
        output.say(format_args!("{}: a new first password; it is shown only now", self.login))?;
        Ok(Exit::Yes)
    }
}

impl LinkAccount {
    async fn run(&self, output: &mut Output) -> anyhow::Result<Exit> {
        let config = self.file.load()?;
        let console =
            config.console.clone().context("the configuration has no `[console]`: there is nowhere to sign in")?;
        let ticket = door::carry_out(&config, orders::LinkAccount { login: self.login.clone() }).await?;
        let host = config.organisation.host.unwrap_or_else(|| format!("http://{}", console.listen));
        output.line(format_args!("{host}/enter/{}", ticket.expose()))?;
        Ok(Exit::Yes)
    }
}

impl DisableAccount {
    async fn run(&self, output: &mut Output) -> anyhow::Result<Exit> {
        let order = orders::DisableAccount { login: self.login.clone() };
        let disabled = door::carry_out(&self.file.load()?, order).await?;
        output.line(format_args!("{disabled}: disabled"))?;
        Ok(Exit::Yes)
    }
}
