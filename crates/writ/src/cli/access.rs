//! `writ caller` and `writ provider`: who may use the gateway, and the organisation's credentials for AI services.

use anyhow::bail;
use clap::{Args, Subcommand};
use serde_json::json;
use writ_model::{Facts, Value as _, Who};
use writ_proxy::callers::labels;

use super::files::{self, Source};
use super::settings::ConfigFile;
use super::{Exit, Output, block_on};
use crate::config::Config;
use crate::door;
use crate::door::access::{AddCaller, CallerRow, DescribeCaller, DisableCaller, ListCallers, SetCredential, TEAM};

/// Make, list and disable API keys of callers
///
/// Where a server runs, it acts: a change holds within seconds.
#[derive(Debug, Subcommand)]
pub(crate) enum CallerCommand {
    Add(Add),
    List(List),
    Disable(Disable),
}

/// Make an API key and print it once
///
/// The key goes to standard output, everything else to standard error. It is stored nowhere: only a digest of it is.
/// The login is kept as a digest, and sealed for a reveal by two holders.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  writ caller add --login ana@northwind.example
  writ caller add --login ci-bot --who service-account --team build --group engineering
  writ caller add --login helper --who agent --on-behalf-of ana@northwind.example")]
pub(crate) struct Add {
    #[command(flatten)]
    file: ConfigFile,
    /// Who it is for: the login that the organisation knows
    #[arg(long)]
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
    /// The team that shares the key: it then tells a team, not a person
    #[arg(long, value_name = "NAME")]
    team: Option<String>,
    /// For agents: the login of the person it acts for
    #[arg(long, value_name = "LOGIN")]
    on_behalf_of: Option<String>,
    /// A person reads the answers in a chat: refusals are messages, not errors
    #[arg(long)]
    chat: bool,
}

/// List API keys, without the keys
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  writ caller list
  writ caller list --json")]
pub(crate) struct List {
    #[command(flatten)]
    file: ConfigFile,
    /// Print the list as JSON
    #[arg(long)]
    json: bool,
}

/// Disable an API key for ever
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  writ caller disable key_0198c0de...
  writ caller disable --login ana@northwind.example")]
#[command(group = clap::ArgGroup::new("which").required(true).args(["key", "login"]))]
pub(crate) struct Disable {
    #[command(flatten)]
    file: ConfigFile,
    /// The key, by its id or its first characters as `writ caller list` shows them
    #[arg(value_name = "KEY")]
    key: Option<String>,
    /// All keys of this login
    #[arg(long)]
    login: Option<String>,
}

/// Store the organisation's credentials for AI services
///
/// Where a server runs, it takes a new credential over at once.
#[derive(Debug, Subcommand)]
pub(crate) enum ProviderCommand {
    Set(Set),
}

/// Store a provider's credential, sealed
///
/// It is read from a file or standard input, never from the command line, and cannot be printed again.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  writ provider set openai --key-file openai.key
  pass show openai | writ provider set openai --key-file -")]
pub(crate) struct Set {
    #[command(flatten)]
    file: ConfigFile,
    /// The provider, as the configuration names it
    #[arg(value_name = "NAME")]
    name: String,
    /// A file with the credential in one line; `-` reads standard input
    #[arg(long, value_name = "FILE|-")]
    key_file: String,
}

pub(super) fn who(name: &str) -> Result<Who, String> {
    let known = |who: &Who| *who != Who::Unknown;
    let names = || Who::ALL.iter().filter(|who| known(who)).map(|who| who.name());
    Who::named(name).filter(known).ok_or_else(|| format!("say one of {}", names().collect::<Vec<_>>().join(", ")))
}

/// Fills the facts that the newest enabled key of a login tells about its caller.
///
/// # Errors
/// If nobody has the login, all its keys are disabled, or the data directory cannot be opened.
pub(super) fn facts_of_login(config: &Config, name: &str, facts: &mut Facts) -> anyhow::Result<()> {
    let told = block_on(door::carry_out(config, DescribeCaller { login: name.to_owned() }))?;
    facts.who = told.who;
    facts.identity = told.identity;
    facts.channel = told.channel;
    facts.group = told.group;
    facts.entity = told.entity;
    Ok(())
}

impl CallerCommand {
    pub(crate) fn run(&self, output: &mut Output) -> anyhow::Result<Exit> {
        match self {
            Self::Add(add) => block_on(add.run(output)),
            Self::List(list) => block_on(list.run(output)),
            Self::Disable(disable) => block_on(disable.run(output)),
        }
    }
}

impl Add {
    async fn run(&self, output: &mut Output) -> anyhow::Result<Exit> {
        self.check()?;
        let order = AddCaller {
            login: self.login.clone(),
            who: self.who,
            groups: self.group.clone(),
            entity: self.entity.clone(),
            team: self.team.clone(),
            on_behalf_of: self.on_behalf_of.clone(),
            chat: self.chat,
        };
        let added = door::carry_out(&self.file.load()?, order).await?;
        output.line(added.key.expose())?;
        output.say(format_args!("{}: {} as {}; the key is shown only now", added.id, self.login, self.who))?;
        Ok(Exit::Yes)
    }

    fn check(&self) -> anyhow::Result<()> {
        if self.login.trim().is_empty() {
            bail!("`--login` is empty; say who the key is for");
        }
        if self.on_behalf_of.is_some() && self.who != Who::Agent {
            bail!("`--on-behalf-of` belongs to agents; add `--who agent`");
        }
        if self.team.is_some() && self.who == Who::Agent {
            bail!("`--team` and `--who agent` exclude each other; an agent has a key of its own");
        }
        if let Some(name) = self.group.iter().find(|name| name.trim().is_empty() || name.contains(',')) {
            bail!("group `{name}`: give one group with each `--group`");
        }
        Ok(())
    }
}

impl List {
    async fn run(&self, output: &mut Output) -> anyhow::Result<Exit> {
        for row in door::carry_out(&self.file.load()?, ListCallers {}).await? {
            if self.json {
                output.json_line(&as_json(&row))?;
            } else {
                output.line(as_text(&row))?;
            }
        }
        Ok(Exit::Yes)
    }
}

fn as_json(row: &CallerRow) -> serde_json::Value {
    json!({
        "id": row.id,
        "prefix": row.prefix,
        "kind": row.kind,
        "pseudonym": row.pseudonym,
        "labels": row.labels,
        "on-behalf-of-a-person": row.on_behalf_of_a_person,
        "made": row.made.to_string(),
        "disabled": row.disabled.map(|at| at.to_string()),
    })
}

fn as_text(row: &CallerRow) -> String {
    let CallerRow { id, prefix, pseudonym, labels, made, .. } = row;
    let who = labels.get(labels::WHO).map_or(Who::Unknown.name(), String::as_str);
    let kind = labels.get(TEAM).map_or_else(|| row.kind.clone(), |team| format!("team {team}"));
    let state = row.disabled.map_or_else(|| "enabled".to_owned(), |at| format!("disabled {at}"));
    format!("{id}  {prefix}...  {pseudonym}  {who}  {kind}  made {made}  {state}")
}

impl Disable {
    async fn run(&self, output: &mut Output) -> anyhow::Result<Exit> {
        let order = DisableCaller { key: self.key.clone(), login: self.login.clone() };
        for id in door::carry_out(&self.file.load()?, order).await? {
            output.line(format_args!("{id}: disabled"))?;
        }
        Ok(Exit::Yes)
    }
}

impl ProviderCommand {
    pub(crate) fn run(&self, output: &mut Output) -> anyhow::Result<Exit> {
        match self {
            Self::Set(set) => block_on(set.run(output)),
        }
    }
}

impl Set {
    async fn run(&self, output: &mut Output) -> anyhow::Result<Exit> {
        let config = self.file.load()?;
        let providers = config.gateway.as_ref().map(|gateway| gateway.providers.as_slice()).unwrap_or_default();
        let Some(provider) = providers.iter().find(|provider| provider.name == self.name) else {
            let names: Vec<_> = providers.iter().map(|provider| format!("`{}`", provider.name)).collect();
            bail!("the configuration has no provider `{}`; there are {}", self.name, names.join(", "));
        };
        let secret = files::secret(&Source::from(self.key_file.as_str()))?;
        let order =
            SetCredential { service: provider.service.to_string(), name: provider.name.clone(), secret: secret.into() };
        door::carry_out(&config, order).await?;
        output.line(format_args!("{}: credential stored, sealed", self.name))?;
        Ok(Exit::Yes)
    }
}
