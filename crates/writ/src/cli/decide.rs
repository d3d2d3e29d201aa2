//! `writ decide`: one situation, judged as the running system would judge it.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use writ_base::{Clock as _, Limit, SystemClock};
use writ_catalog::Catalog;
use writ_engine::Snapshot;
use writ_model::schema::Values;
use writ_model::standing::{ExceptionGrant, POSTURE, RolloutEntry};
use writ_model::verdict::{Base, Cause};
use writ_model::{Category, Dimension, Facts, Identity, Term, Value as _, Verdict, Who};
use writ_policy::eval::Policy;

use super::files::{self, Source};
use super::{Exit, Output, access, text};
use crate::config::Config;
use crate::policy_file::{self, PolicyFile};

/// Facts as JSON on the command line or in a file.
static FACTS: Limit = Limit::new("cli.facts", "bytes", 1 << 20);

/// Decide a situation: facts, text or both in, verdict out
///
/// What is not given is taken as what it is where nothing was found; what nobody could say is `unknown`. `--as` takes
/// the person as known by password, unless `--facts` says `identity`. `--json` prints the facts that were used.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  writ decide --policy policy.md --as employee --service chatgpt --text prompt.txt
  git diff | writ decide --policy policy.md --as agent --service claude-api --text -
  writ decide --policy policy.md --services services.toml --as contractor --service chatgpt
  writ decide --policy policy.md --as vendor --facts '{\"data\": [\"pii\"]}' --json
  writ decide --policy policy.md --as ana@northwind.example --config writ.toml --text prompt.txt

Exit codes: 0 it goes on (allow, coach); 1 it does not (justify, block); 2 it cannot be decided.")]
pub(crate) struct Decide {
    /// The policy document
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,
    /// Facts in the names of the schema, as a JSON object or `@FILE`; they override everything else
    #[arg(long, value_name = "JSON")]
    facts: Option<String>,
    /// The text that is sent; `-` reads standard input
    #[arg(long, value_name = "FILE|-")]
    text: Option<String>,
    /// Who acts: employee, contractor, vendor, service-account, agent or unknown; or with `--config` a caller's login
    #[arg(long = "as", value_name = "WHO")]
    who: Option<String>,
    /// The configuration whose callers `--as` may name; its server must not run
    #[arg(long, value_name = "FILE", requires = "who")]
    config: Option<PathBuf>,
    /// The AI service, by its id in the catalog
    #[arg(long, value_name = "ID")]
    service: Option<String>,
    /// The plan of the account at the service
    #[arg(long, value_name = "TIER")]
    tier: Option<String>,
    /// Files with the organisation's own services and its decisions about services
    #[arg(long, value_name = "FILE")]
    services: Vec<PathBuf>,
    /// Exceptions and roll-out in force: JSON with `exceptions` and `rollout`
    #[arg(long, value_name = "FILE")]
    standing: Option<PathBuf>,
    /// Print verdicts, clauses and facts as JSON
    #[arg(long)]
    json: bool,
}

/// What stands beside the policy.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct StandingFile {
    #[serde(default)]
    exceptions: Vec<ExceptionGrant>,
    #[serde(default)]
    rollout: Vec<RolloutEntry>,
}

/// The policy with the exceptions and the roll-out of a file, if there is one.
pub(crate) fn with_standing(policy: Policy, path: Option<&Path>) -> anyhow::Result<Policy> {
    let Some(path) = path else { return Ok(policy) };
    let text = Source::from(path.to_owned()).text(&FACTS)?;
    let wrong = || format!("cannot use `{}`", path.display());
    let StandingFile { exceptions, rollout } = serde_json::from_str(&text).with_context(wrong)?;
    policy.with_standing(exceptions, rollout).with_context(wrong)
}

impl Decide {
    pub(crate) fn run(&self, output: &mut Output) -> anyhow::Result<Exit> {
        let catalog = policy_file::catalog(&self.services)?;
        let file = PolicyFile::read(&self.policy, policy_file::names(&catalog))?;
        let policy = with_standing(file.compile()?, self.standing.as_deref())?;
        let snapshot = Snapshot::new(policy, catalog, file.pack()?);
        let (facts, policy) = (self.facts(&snapshot)?, &snapshot.policy);
        let decision = policy.decide(&facts);
        if self.json {
            let hashes = json!({ "text": policy.text_hash(), "rows": policy.rows_hash() });
            let clauses = |verdict: &Verdict| -> Vec<Value> {
                verdict.clauses().into_iter().map(|id| clause_json(policy, id)).collect()
            };
            output.json(&json!({
                "effect": decision.enforced.effect,
                "redact": decision.enforced.redact,
                "clauses": clauses(&decision.enforced),
                "by-posture": decision.enforced.by_posture(),
                "enforced": decision.enforced,
                "full": decision.full,
                "facts": facts,
                "policy": hashes,
            }))?;
        } else {
            Page { policy, output }.print(&facts, &decision)?;
        }
        Ok(if decision.enforced.effect.passes() { Exit::Yes } else { Exit::No })
    }

    fn facts(&self, snapshot: &Snapshot) -> anyhow::Result<Facts> {
        let catalog = &snapshot.catalog;
        let given = self.given()?;
        let named = |key: &str, option: &Option<String>| -> Option<Term> {
            given.get(key).and_then(Value::as_str).or(option.as_deref()).map(Term::from)
        };
        let mut facts = Facts { decided_at: SystemClock.now(), ..Facts::default() };
        self.person(&mut facts)?;
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
    fn person(&self, facts: &mut Facts) -> anyhow::Result<()> {
        let Some(name) = &self.who else { return Ok(()) };
        match (Who::named(name), &self.config) {
            (Some(who), _) => {
                facts.who = who.into();
                facts.identity = if who == Who::Unknown { Identity::None } else { Identity::Password }.into();
            }
            (None, Some(config)) => access::facts_of_login(&Config::load(config)?, name, facts)?,
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

fn clause_json(policy: &Policy, id: &Term) -> Value {
    let clause = policy.clause(id);
    json!({ "id": id, "number": clause.map(|clause| &clause.number), "title": clause.map(|clause| &clause.title) })
}

/// The decision as people read it.
struct Page<'a> {
    policy: &'a Policy,
    output: &'a mut Output,
}

impl Page<'_> {
    fn print(&mut self, facts: &Facts, decision: &writ_model::Decision) -> anyhow::Result<()> {
        let (enforced, full) = (&decision.enforced, &decision.full);
        let line = format!("{}{}", self.output.effect(enforced.effect), obligations(enforced));
        self.output.line(line)?;
        self.causes("decided by", &enforced.decided)?;
        if same(enforced, full) {
            self.output.line("full: the same")?;
        } else {
            let line = format!("full, without roll-out: {}{}", self.output.effect(full.effect), obligations(full));
            self.output.line(line)?;
            self.causes("decided by", &full.decided)?;
        }
        self.causes("also applied", &enforced.applied)?;
        if let (Base::Posture(effect), true) = (enforced.base, enforced.by_posture()) {
            let who = facts.who.known().map_or("unknown", |who| who.as_str());
            let effect = effect.as_str();
            self.output.line(format_args!("note: no rule foresees this; the posture for {who} decides ({effect})"))?;
        }
        self.notes(enforced)?;
        let found = facts.data.known().map(text::in_words).unwrap_or_default();
        self.output.line(format_args!("situation: {}; {found}", situation(facts)))?;
        Ok(())
    }

    fn causes(&mut self, title: &str, causes: &[Cause]) -> anyhow::Result<()> {
        let causes: Vec<_> = causes.iter().filter(|cause| cause.clause != POSTURE).collect();
        if causes.is_empty() {
            return Ok(());
        }
        self.output.line(format_args!("{title}:"))?;
        for cause in causes {
            let clause = self.policy.clause(&cause.clause);
            let name = clause.map_or_else(String::new, |clause| format!("{} {} ", clause.number, clause.title));
            let mut does = Vec::new();
            if cause.effect != writ_model::Effect::Allow || cause.redact.is_empty() {
                does.push(cause.effect.as_str().to_owned());
            }
            if !cause.redact.is_empty() {
                does.push(format!("redact {}", text::list(&cause.redact)));
            }
            let rule = if cause.rule == 0 { String::new() } else { format!(", rule {}", cause.rule) };
            let name = name.trim_start().to_owned();
            self.output.line(format_args!("  {name}({}{rule}): {}", cause.clause, does.join(", ")))?;
        }
        Ok(())
    }

    fn notes(&mut self, verdict: &Verdict) -> anyhow::Result<()> {
        if !verdict.unfulfillable.is_empty() {
            self.output.line(format_args!("note: {} cannot be redacted here", text::list(&verdict.unfulfillable)))?;
        }
        if verdict.unreadable {
            self.output.line("note: content could not be read")?;
        }
        if !verdict.override_roles.is_empty() {
            self.output.line(format_args!("may be granted once by: {}", text::list(&verdict.override_roles)))?;
        }
        if !verdict.exceptions.is_empty() {
            let ids: Vec<_> = verdict.exceptions.iter().map(ToString::to_string).collect();
            self.output.line(format_args!("exceptions used: {}", ids.join(", ")))?;
        }
        Ok(())
    }
}

fn obligations(verdict: &Verdict) -> String {
    if verdict.redact.is_empty() { String::new() } else { format!(", redact {}", text::list(&verdict.redact)) }
}

fn same(one: &Verdict, other: &Verdict) -> bool {
    (one.effect, &one.redact, &one.decided) == (other.effect, &other.redact, &other.decided)
}

/// `contractor, submit at chatgpt (team), approved`.
fn situation(facts: &Facts) -> String {
    let who = facts.who.known().map_or("unknown", |who| who.as_str());
    let action = facts.action.known().map_or("unknown", |action| action.as_str());
    let service = facts.service.known().map_or("unknown", Term::as_str);
    let tier = facts.tier.known().map_or("unknown", Term::as_str);
    let status = facts.status.known().map_or("unknown", |status| status.as_str());
    format!("{who}, {action} at {service} (tier {tier}, {status})")
}
