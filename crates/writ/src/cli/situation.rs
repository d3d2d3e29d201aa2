//! Arguments that say which situation is meant, beside which policy: shared by every command that judges one.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use serde_json::{Map, Value, json};
use writ_base::{Clock as _, Limit, SystemClock};
use writ_catalog::Catalog;
use writ_engine::Snapshot;
use writ_model::schema::Values;
use writ_model::standing::StandingObjects;
use writ_model::{Category, Dimension, Effect, Facts, Identity, Term, Value as _, Who};
use writ_policy::eval::Policy;

use super::files::{self, Source};
use super::{Exit, access, block_on};
use crate::config::Config;
use crate::door;
use crate::door::standing::InForce;
use crate::policy_file::{self, PolicyFile};

/// Facts as JSON on the command line or in a file.
static FACTS: Limit = Limit::new("cli.facts", "bytes", 1 << 20);

/// What stands beside the document.
#[derive(Debug, Args)]
pub(crate) struct PolicyArgs {
    /// Files with the organisation's own services and its decisions about services
    #[arg(long, value_name = "FILE")]
    services: Vec<PathBuf>,
    /// Exceptions and roll-out in force: JSON with `exceptions` and `rollout`
    #[arg(long, value_name = "FILE")]
    standing: Option<PathBuf>,
    /// The configuration whose exceptions and roll-out are in force, and whose callers `--as` may name
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Who does what where, with what in it.
#[derive(Debug, Args)]
pub(crate) struct SituationArgs {
    /// Facts in the names of the schema, as a JSON object or `@FILE`; they override everything else
    #[arg(long, value_name = "JSON")]
    facts: Option<String>,
    /// The text that is sent; `-` reads standard input
    #[arg(long, value_name = "FILE|-")]
    text: Option<String>,
    /// Who acts: employee, contractor, vendor, service-account, agent or unknown; or with `--config` a caller's login
    #[arg(long = "as", value_name = "WHO")]
    who: Option<String>,
    /// The AI service, by its id in the catalog
    #[arg(long, value_name = "ID")]
    service: Option<String>,
    /// The plan of the account at the service
    #[arg(long, value_name = "TIER")]
    tier: Option<String>,
}

/// Yes where it goes on, no where it does not.
pub(crate) const fn effect_exit(effect: Effect) -> Exit {
    if effect.passes() { Exit::Yes } else { Exit::No }
}

impl PolicyArgs {
    /// The document, ready to judge, with what stands beside it.
    ///
    /// # Errors
    /// If the document has errors, or something beside it cannot be read or does not fit.
    pub(crate) fn snapshot(&self, policy: &Path, config: Option<&Config>) -> anyhow::Result<Snapshot> {
        let catalog = self.catalog(config)?;
        let file = PolicyFile::read(policy, policy_file::names(&catalog))?;
        Ok(Snapshot::new(self.beside(file.compile()?, config)?, catalog, file.pack()?))
    }

    /// The catalog with the organisation's own services.
    ///
    /// # Errors
    /// If a file cannot be read or is not right.
    pub(crate) fn catalog(&self, config: Option<&Config>) -> anyhow::Result<Catalog> {
        let mut services = self.services.clone();
        services.extend(config.into_iter().flat_map(|config| config.services.iter().cloned()));
        policy_file::catalog(&services)
    }

    /// The configuration, if one is named.
    ///
    /// # Errors
    /// If it cannot be read or is not right.
    pub(crate) fn config(&self) -> anyhow::Result<Option<Config>> {
        self.config.as_ref().map(|path| Config::load(path)).transpose()
    }

    /// A policy with what stands beside it.
    ///
    /// # Errors
    /// If that cannot be read or does not fit.
    pub(crate) fn beside(&self, policy: Policy, config: Option<&Config>) -> anyhow::Result<Policy> {
        let (name, standing) = match (&self.standing, self.config.as_ref().zip(config)) {
            (Some(path), _) => {
                let text = Source::File(path.clone()).text(&FACTS)?;
                let standing =
                    serde_json::from_str(&text).with_context(|| format!("cannot use `{}`", path.display()))?;
                (path, standing)
            }
            (None, Some((path, config))) => (path, block_on(door::carry_out(config, InForce {}))?),
            (None, None) => return Ok(policy),
        };
        let StandingObjects { exceptions, rollout } = standing;
        policy.with_standing(exceptions, rollout).with_context(|| format!("cannot use `{}`", name.display()))
    }
}

impl SituationArgs {
    /// The facts of the situation; what is not given is taken as what it is where nothing was found.
    ///
    /// # Errors
    /// If a file cannot be read, or a name or value is none of the schema or the catalog.
    pub(crate) fn facts(&self, snapshot: &Snapshot, config: Option<&Config>) -> anyhow::Result<Facts> {
        let catalog = &snapshot.catalog;
        let given = self.given()?;
        let named = |key: &str, option: &Option<String>| -> Option<Term> {
            given.get(key).and_then(Value::as_str).or(option.as_deref()).map(Term::from)
        };
        let mut facts = Facts { decided_at: SystemClock.now(), ..Facts::default() };
        self.person(&mut facts, config)?;
        if let Some(service) = named("service", &self.service) {
            let tier = named("tier", &self.tier).unwrap_or(Term::UNKNOWN);
            if catalog.service(&service).is_none() {
                bail!("{}", unknown_service(catalog, &service));
            }
            let vetting = catalog.vetting(&service, &tier, facts.decided_at);
            facts.category = catalog.service(&service).map_or(Category::Unknown, |service| service.category).into();
            facts.status = vetting.status.into();
            facts.cleared = vetting.cleared.into();
            facts.service_region = vetting.region.unwrap_or(Term::UNKNOWN).into();
            (facts.service, facts.tier) = (service.into(), tier.into());
        } else if self.tier.is_some() {
            bail!("`--tier` belongs to a service; name it with `--service`");
        }
        if let Some(path) = &self.text {
            let content = Source::from(path.as_str()).text(&files::TEXT)?;
            facts.data = snapshot.facts_of_text(&content, Facts::default()).data;
        }
        overridden(facts, given).map(Facts::completed)
    }

    /// The facts that `--as` tells.
    fn person(&self, facts: &mut Facts, config: Option<&Config>) -> anyhow::Result<()> {
        let Some(name) = &self.who else { return Ok(()) };
        match (Who::named(name), config) {
            (Some(who), _) => {
                facts.who = who.into();
                facts.identity = if who == Who::Unknown { Identity::None } else { Identity::Password }.into();
            }
            (None, Some(config)) => access::facts_of_login(config, name, facts)?,
            (None, None) => bail!("{}", unknown_who(name)),
        }
        Ok(())
    }

    /// The facts given as JSON.
    fn given(&self) -> anyhow::Result<Map<String, Value>> {
        let text = match self.facts.as_deref().map(|facts| (facts, facts.strip_prefix('@'))) {
            None => return Ok(Map::new()),
            Some((_, Some(path))) => Source::from(path).text(&FACTS)?,
            Some((text, None)) => text.to_owned(),
        };
        let mut given: Map<String, Value> =
            serde_json::from_str(&text).context("`--facts` is not a JSON object like {\"who\": \"employee\"}")?;
        if let Some(key) = given.keys().find(|key| Dimension::named(key).is_none() && !BESIDE.contains(&key.as_str())) {
            let known = Dimension::ALL.iter().map(|dimension| dimension.key()).chain(BESIDE.iter().copied());
            match writ_policy::words::nearest(key, known) {
                Some(near) => bail!("`--facts` has no fact `{key}`; did you mean `{near}`?"),
                None => bail!("`--facts` has no fact `{key}`; the facts are the keys of rules"),
            }
        }
        if let Some(data) = given.get_mut("data") {
            *data = counts(data);
        }
        given.iter().try_for_each(|(key, value)| check_fact(key, value))?;
        Ok(given)
    }
}

/// Facts beside the dimensions.
const BESIDE: &[&str] = &["unredactable", "acknowledged", "share", "decided-at"];

/// Classes found may be given in short: `["pii"]` is one certain value each, `{"pii": 3}` three certain values.
fn counts(data: &Value) -> Value {
    let certain = |number: &Value| json!({ "likely": number, "certain": number });
    match data {
        Value::Array(names) => {
            let one = json!(1);
            names
                .iter()
                .filter_map(Value::as_str)
                .map(|name| (name.to_owned(), certain(&one)))
                .collect::<Map<_, _>>()
                .into()
        }
        Value::Object(classes) => {
            let count = |found: &Value| if found.is_number() { certain(found) } else { found.clone() };
            classes.iter().map(|(class, found)| (class.clone(), count(found))).collect::<Map<_, _>>().into()
        }
        other => other.clone(),
    }
}

/// Whether a fact can have the value.
fn check_fact(key: &str, value: &Value) -> anyhow::Result<()> {
    let alone = Map::from_iter([(key.to_owned(), value.clone())]);
    if serde_json::from_value::<Facts>(alone.into()).is_ok() {
        return Ok(());
    }
    let closed = Dimension::named(key).and_then(|dimension| match dimension.spec().values {
        Values::Closed(values) => Some(values.iter().map(|value| value.name)),
        Values::Open(_) => None,
    });
    let near = closed.zip(value.as_str()).and_then(|(names, text)| writ_policy::words::nearest(text, names));
    match near {
        Some(near) => bail!("`--facts`: `{key}` cannot be {value}; did you mean `{near}`?"),
        None => bail!("`--facts`: `{key}` cannot be {value}; `--json` without it shows the form that it has"),
    }
}

fn overridden(facts: Facts, given: Map<String, Value>) -> anyhow::Result<Facts> {
    let mut all = serde_json::to_value(facts)?;
    if let Some(fields) = all.as_object_mut() {
        fields.extend(given);
    }
    serde_json::from_value(all).context("`--facts` has a value that its fact does not have")
}

fn unknown_who(name: &str) -> String {
    let names = || Who::ALL.iter().map(|who| who.name());
    match writ_policy::words::nearest(name, names()) {
        Some(near) => format!("`--as {name}`: did you mean `{near}`?"),
        None => {
            let names: Vec<_> = names().collect();
            format!("`--as {name}`: say one of {}; or add `--config FILE` to name a caller's login", names.join(", "))
        }
    }
}

fn unknown_service(catalog: &Catalog, id: &str) -> String {
    let ids = catalog.services().iter().map(|service| service.id.as_str());
    match writ_policy::words::nearest(id, ids) {
        Some(near) => format!("the catalog has no service `{id}`; did you mean `{near}`?"),
        None => format!("the catalog has no service `{id}`; add it to a file and name that with `--services`"),
    }
}
