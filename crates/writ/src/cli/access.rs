//! `writ caller` and `writ provider`: who may use the gateway, and the organisation's credentials for AI services.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use serde_json::json;
use writ_base::Sensitive;
use writ_base::keys::KeyPurpose;
use writ_model::interaction::PrincipalId;
use writ_model::{Facts, Value as _, Who};
use writ_proxy::callers::{described, labels, labels_for};
use writ_store::state::{ApiKey, ApiKeyKind, Login, NewApiKey, ProviderCredential};

use super::files::{self, Source};
use super::settings::ConfigFile;
use super::{Exit, Output, block_on};
use crate::config::Config;
use crate::wiring::Home;

/// The role in whose name these commands act.
const ROLE: &str = "admin";
/// Where logins of this command line come from.
const SOURCE: &str = "login";

/// Make, list and disable API keys of callers
///
/// The server must not run while callers change.
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
/// The server must not run while credentials change.
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

pub(super) fn login(name: &str) -> Login {
    Login { source: SOURCE.to_owned(), name: Sensitive::new(name.to_owned()) }
}

/// Fills the facts that the newest enabled key of a login tells about its caller.
///
/// # Errors
/// If nobody has the login, all its keys are disabled, or the data directory cannot be opened.
pub(super) fn facts_of_login(config: &Config, name: &str, facts: &mut Facts) -> anyhow::Result<()> {
    let found = block_on(async {
        let home = Home::open(config).await?;
        let keys = keys_of(&home, name).await;
        home.close().await?;
        keys
    })?;
    let nobody = || format!("no enabled key belongs to the login `{name}`; see `writ caller list`");
    let caller = found.last().with_context(nobody)?.caller.clone();
    let caller = described(&caller);
    facts.who = caller.who.into();
    facts.identity = caller.identity.into();
    facts.channel = caller.channel.into();
    facts.group = caller.groups.into();
    facts.entity = caller.entity.into();
    Ok(())
}

/// Enabled keys of a login, from the oldest.
async fn keys_of(home: &Home, name: &str) -> anyhow::Result<Vec<ApiKey>> {
    let Some(owner) = home.state.find_login(&login(name)).await? else { return Ok(Vec::new()) };
    let keys = home.state.api_keys().await?;
    Ok(keys.into_iter().filter(|key| key.disabled.is_none() && key.caller.owner == owner).collect())
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

/// The label with the team that shares a key.
const TEAM: &str = "team";

impl Add {
    async fn run(&self, output: &mut Output) -> anyhow::Result<Exit> {
        self.check()?;
        let data = Home::open(&self.file.load()?).await?;
        let added = self.add(&data).await;
        let closed = data.close().await;
        let (key, secret) = added?;
        closed?;
        output.line(secret.expose())?;
        output.say(format_args!("{key}: {} as {}; the key is shown only now", self.login, self.who))?;
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

    fn kind(&self) -> ApiKeyKind {
        match (self.who, &self.team) {
            (Who::Agent, _) => ApiKeyKind::Agent,
            (_, Some(_)) => ApiKeyKind::Team,
            _ => ApiKeyKind::Person,
        }
    }

    async fn add(&self, data: &Home) -> anyhow::Result<(String, Sensitive<String>)> {
        let owner = principal(data, &self.login, self.who).await?;
        let on_behalf_of = match &self.on_behalf_of {
            None => None,
            Some(name) => {
                let person = data.state.find_login(&login(name)).await?;
                let unknown = || format!("nobody has the login `{name}`; add that caller first");
                Some(person.with_context(unknown)?)
            }
        };
        let mut labels = labels_for(Some(self.who), &self.group, self.entity.as_deref(), self.chat);
        labels.extend(self.team.as_ref().map(|team| (TEAM.to_owned(), team.clone())));
        let new = NewApiKey { kind: self.kind(), owner, on_behalf_of, labels };
        let (id, secret) = data.state.create_api_key(new, ROLE, &data.ledger).await?;
        Ok((id.to_string(), secret))
    }
}

/// The principal of a login; made if it is new.
pub(super) async fn principal(data: &Home, name: &str, who: Who) -> anyhow::Result<PrincipalId> {
    if data.keys.reveal_public().is_none() {
        bail!(
            "there is no `{}` key yet, to which identities are sealed; name its holders first: \
             `writ keys rotate reveal --holder NAME --holder NAME --shares DIR`",
            KeyPurpose::Reveal
        );
    }
    let identity = Sensitive::new(name.to_owned());
    Ok(data.state.identify(&login(name), who.name(), &identity, &data.ledger).await?.principal)
}

impl List {
    async fn run(&self, output: &mut Output) -> anyhow::Result<Exit> {
        let data = Home::open(&self.file.load()?).await?;
        let listed = rows(&data).await;
        let closed = data.close().await;
        let rows = listed?;
        closed?;
        for (key, pseudonym) in rows {
            if self.json {
                output.json_line(&as_json(&key, &pseudonym))?;
            } else {
                output.line(as_text(&key, &pseudonym))?;
            }
        }
        Ok(Exit::Yes)
    }
}

fn as_json(key: &ApiKey, pseudonym: &str) -> serde_json::Value {
    json!({
        "id": key.id,
        "prefix": key.prefix,
        "kind": key.caller.kind.as_str(),
        "pseudonym": pseudonym,
        "labels": key.caller.labels,
        "on-behalf-of-a-person": key.caller.on_behalf_of.is_some(),
        "made": key.made.to_string(),
        "disabled": key.disabled.map(|at| at.to_string()),
    })
}

fn as_text(key: &ApiKey, pseudonym: &str) -> String {
    let ApiKey { id, prefix, caller, made, disabled } = key;
    let label = |labels: &BTreeMap<String, String>, name: &str| labels.get(name).cloned();
    let who = label(&caller.labels, labels::WHO).unwrap_or_else(|| Who::Unknown.name().to_owned());
    let kind = match label(&caller.labels, TEAM) {
        Some(team) => format!("team {team}"),
        None => caller.kind.as_str().to_owned(),
    };
    let state = disabled.map_or_else(|| "enabled".to_owned(), |at| format!("disabled {at}"));
    format!("{id}  {prefix}...  {pseudonym}  {who}  {kind}  made {made}  {state}")
}

async fn rows(data: &Home) -> anyhow::Result<Vec<(ApiKey, String)>> {
    let keys = data.state.api_keys().await?;
    keys.into_iter().map(|key| Ok((key.clone(), data.state.pseudonym(key.caller.owner)?))).collect()
}

impl Disable {
    async fn run(&self, output: &mut Output) -> anyhow::Result<Exit> {
        let data = Home::open(&self.file.load()?).await?;
        let disabled = self.disable(&data).await;
        let closed = data.close().await;
        for id in disabled? {
            output.line(format_args!("{id}: disabled"))?;
        }
        closed?;
        Ok(Exit::Yes)
    }

    async fn disable(&self, data: &Home) -> anyhow::Result<Vec<String>> {
        let enabled = |key: &ApiKey| key.disabled.is_none();
        let found: Vec<_> = match (&self.login, &self.key) {
            (Some(name), _) => keys_of(data, name).await?,
            (None, named) => {
                let named = named.as_deref().unwrap_or_default();
                let asked = |key: &ApiKey| named == key.id.to_string() || named.trim_end_matches('.') == key.prefix;
                data.state.api_keys().await?.into_iter().filter(|key| enabled(key) && asked(key)).collect()
            }
        };
        if found.is_empty() {
            bail!("there is no enabled key of that name; see `writ caller list`");
        }
        let mut done = Vec::new();
        for key in found {
            data.state.disable_api_key(key.id, ROLE, &data.ledger).await?;
            done.push(key.id.to_string());
        }
        Ok(done)
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
        let credential =
            ProviderCredential { service: provider.service.to_string(), name: provider.name.clone(), secret };
        let data = Home::open(&config).await?;
        let stored = data.state.set_provider_credential(&credential, ROLE, &data.ledger).await;
        let closed = data.close().await;
        stored?;
        closed?;
        output.line(format_args!("{}: credential stored, sealed", self.name))?;
        Ok(Exit::Yes)
    }
}
