//! `writ decide`: one situation, judged as the running system would judge it.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};
use writ_model::standing::POSTURE;
use writ_model::verdict::{Base, Cause};
use writ_model::{Facts, Term, Verdict};
use writ_policy::eval::Policy;

use super::situation::{PolicyArgs, SituationArgs, effect_exit};
use super::{Exit, Output, text};

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
    #[command(flatten)]
    situation: SituationArgs,
    #[command(flatten)]
    beside: PolicyArgs,
    /// Print verdicts, clauses and facts as JSON
    #[arg(long)]
    json: bool,
}

impl Decide {
    pub(crate) fn run(&self, output: &mut Output) -> anyhow::Result<Exit> {
        let config = self.beside.config()?;
        let snapshot = self.beside.snapshot(&self.policy, config.as_ref())?;
        let (facts, policy) = (self.situation.facts(&snapshot, config.as_ref())?, &snapshot.policy);
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
        Ok(effect_exit(decision.enforced.effect))
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
