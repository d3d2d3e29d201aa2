//! `writ policy check`: words, rules, examples.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};
use writ_base::{Clock as _, SystemClock};
use writ_catalog::Catalog;
use writ_engine::Snapshot;
use writ_policy::analyse::{self, Report, Weaker};
use writ_policy::check::examples;
use writ_policy::diagram::World;
use writ_policy::document::source::Span;
use writ_policy::eval::{Explanation, Policy, explain};
use writ_policy::example::{Example, ExampleKind, example_facts};

use super::findings;
use crate::cli::text::{self, counted};
use crate::cli::{Exit, Output};
use crate::policy_file::{self, PolicyFile};

/// Check a document: words, rules, examples
///
/// Reads a policy as it would be read to run, runs its examples (`violates`, `complies`) with real detection, proves its
/// assertions and looks for rules that change nothing.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  writ policy check policy.md
  writ policy check policy.md --services services.toml --json
  writ policy check policy.md --baseline general.md

Exit codes: 0 nothing is wrong; 1 there are diagnostics, or an example contradicts its rule; 2 it cannot be read.")]
pub(crate) struct Check {
    /// The document
    file: PathBuf,
    /// Files with the organisation's own services, which the document may name
    #[arg(long, value_name = "FILE")]
    services: Vec<PathBuf>,
    /// Another policy: is the document at least as strict everywhere?
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

impl Check {
    pub(super) fn run(&self, output: &mut Output) -> anyhow::Result<Exit> {
        let catalog = policy_file::catalog(&self.services)?;
        let file = PolicyFile::read(&self.file, policy_file::names(&catalog))?;
        let world = policy_file::world(&catalog, None);
        let baseline = match &self.baseline {
            Some(path) if file.errors() == 0 => Some(PolicyFile::read(path, policy_file::names(&catalog))?.compile()?),
            _ => None,
        };
        let ran = if file.errors() == 0 { Some(Ran::of(&file, catalog, &world, baseline.as_ref())?) } else { None };
        let good = file.diagnostics.is_empty() && ran.as_ref().is_none_or(Ran::good);
        if self.json {
            output.json(&self.as_json(&file, ran.as_ref(), good))?;
        } else {
            self.as_text(&file, ran.as_ref(), output)?;
        }
        Ok(if good { Exit::Yes } else { Exit::No })
    }

    fn as_text(&self, file: &PolicyFile, ran: Option<&Ran>, output: &mut Output) -> anyhow::Result<()> {
        let name = self.file.display().to_string();
        for diagnostic in &file.diagnostics {
            let page = diagnostic.render(&file.text, &name);
            let word = diagnostic.gravity.as_str();
            output.text(&output.verdict(false, word))?;
            output.line(page.strip_prefix(word).unwrap_or(&page))?;
        }
        let Some(ran) = ran else {
            output.line(format_args!("{name}: {} and cannot run", counted(file.errors(), "error")))?;
            return Ok(());
        };
        for failure in &ran.failures {
            output.text(&output.verdict(false, "error"))?;
            output.line(failure.render(&file.text, &name).strip_prefix("error").unwrap_or_default())?;
        }
        self.findings(file, ran, output)?;
        for terms in file.not_searched() {
            output.line(format_args!("note: {terms} are kept but not searched for by this version\n"))?;
        }
        let policy = &ran.snapshot.policy;
        let model = policy.model();
        let parts = [
            counted(model.clauses.len(), "clause"),
            counted(model.rules.len(), "rule"),
            counted(policy.row_count(), "row"),
            counted(ran.examples, "example"),
        ];
        let warnings = file.diagnostics.len() + ran.report.findings.len() - ran.report.errors().count();
        let warnings = counted(warnings, "warning");
        let failed = ran.failures.len();
        let runs = failed == 0 && !ran.report.refused();
        let word = output.verdict(file.diagnostics.is_empty() && ran.good(), if runs { "runs" } else { "fails" });
        output.line(format_args!("{name}: {word}; {}; {failed} failed; {warnings}", parts.join(", ")))?;
        output.line(format_args!("text {}", policy.text_hash()))?;
        output.line(format_args!("rows {}", policy.rows_hash()))?;
        Ok(())
    }

    /// What the analyser found.
    fn findings(&self, file: &PolicyFile, ran: &Ran, output: &mut Output) -> anyhow::Result<()> {
        let name = self.file.display().to_string();
        for finding in &ran.report.findings {
            output.text(&output.verdict(false, finding.kind.gravity().as_str()))?;
            output.line(findings::render(finding, &file.text, &name))?;
        }
        if let Some(error) = &ran.report.unproved {
            output.line(format_args!("note: not proved: {error}\n"))?;
        }
        let (Some(weaker), Some(path)) = (&ran.weaker, &self.baseline) else { return Ok(()) };
        for row in &weaker.rows {
            output.text(&output.verdict(false, "error"))?;
            let path = path.display();
            output
                .line(format_args!("[weaker-than-baseline]: this policy is weaker than {path} where {}", row.region))?;
            output.line(format_args!("for example: {}: {}\n", row.witness.words, row.both()))?;
        }
        Ok(())
    }

    fn as_json(&self, file: &PolicyFile, ran: Option<&Ran>, good: bool) -> Value {
        let name = self.file.display().to_string();
        let diagnostics: Vec<_> = file.diagnostics.iter().map(|it| it.to_json(&file.text, &name)).collect();
        let mut object =
            json!({ "file": name, "ok": good, "diagnostics": diagnostics, "not-searched": file.not_searched() });
        if let (Some(ran), Some(fields)) = (ran, object.as_object_mut()) {
            let failures: Vec<_> = ran.failures.iter().map(|failure| failure.to_json(&file.text, &name)).collect();
            let found = ran.report.findings.iter().map(|it| findings::to_json(it, &file.text, &name));
            fields.insert("findings".into(), found.collect());
            fields.insert("baseline".into(), ran.weaker.as_ref().map(Weaker::to_json).into());
            fields.insert("unproved".into(), ran.report.unproved.as_ref().map(ToString::to_string).into());
            fields.insert("clauses".into(), ran.snapshot.policy.model().clauses.len().into());
            fields.insert("rules".into(), ran.snapshot.policy.model().rules.len().into());
            fields.insert("rows".into(), ran.snapshot.policy.row_count().into());
            fields.insert("text-hash".into(), ran.snapshot.policy.text_hash().to_string().into());
            fields.insert("rows-hash".into(), ran.snapshot.policy.rows_hash().to_string().into());
            fields.insert("examples".into(), json!({ "total": ran.examples, "failed": failures }));
        }
        object
    }
}

/// A policy that runs, whose examples were run.
struct Ran {
    snapshot: Snapshot,
    examples: usize,
    failures: Vec<Failure>,
    /// What the analyser says.
    report: Report,
    /// Where the policy is weaker than the baseline that was asked for.
    weaker: Option<Weaker>,
}

impl Ran {
    /// Whether examples hold and the analyser has nothing to say.
    fn good(&self) -> bool {
        let weaker = self.weaker.as_ref().is_some_and(|weaker| !weaker.none());
        self.failures.is_empty() && self.report.findings.is_empty() && !weaker
    }

    fn of(file: &PolicyFile, catalog: Catalog, world: &World, baseline: Option<&Policy>) -> anyhow::Result<Self> {
        let snapshot = Snapshot::new(file.compile()?, catalog, file.pack()?);
        let now = SystemClock.now();
        let report = file.parsed.as_ref().map(|parsed| analyse::report(&snapshot.policy, parsed, world, now));
        let weaker = baseline.map(|baseline| analyse::weaker(&snapshot.policy, baseline, world, now)).transpose()?;
        let examples = file.parsed.as_ref().map(examples).unwrap_or_default();
        let failures = examples.iter().filter_map(|example| Failure::of(&snapshot, example)).collect();
        let report = report.unwrap_or_default();
        Ok(Self { failures, examples: examples.len(), snapshot, report, weaker })
    }
}

/// An example that contradicts its rule.
struct Failure {
    span: Span,
    message: String,
    help: String,
}

impl Failure {
    fn of(snapshot: &Snapshot, example: &Example) -> Option<Self> {
        let message = snapshot.try_example(example).err()?.to_string();
        let facts = snapshot.facts_of_text(&example.text, example_facts(example));
        let found = facts.data.known().map(text::in_words).unwrap_or_default();
        let help = match example.kind {
            ExampleKind::Violates => {
                format!("detection says of its text: {found}; change the text, its `as:` or the rule's keys")
            }
            ExampleKind::Complies => {
                let because = reasons(&explain(&snapshot.policy, &facts), example);
                format!("it applies because of {because}; detection says: {found}")
            }
        };
        Some(Self { span: example.span, message, help })
    }

    fn render(&self, source: &str, name: &str) -> String {
        let place = self.span.position(source);
        let line = source.split('\n').nth(place.line - 1).unwrap_or_default();
        let gutter = " ".repeat(place.line.to_string().len());
        let mut page =
            format!("error[example]: {}\n{gutter}--> {name}:{}:{}\n", self.message, place.line, place.column);
        let _ = writeln!(page, "{gutter} |\n{} | {}\n{gutter} |", place.line, line.trim_end());
        let _ = writeln!(page, "help: {}", self.help);
        page
    }

    fn to_json(&self, source: &str, name: &str) -> Value {
        let place = json!({ "file": name, "start": self.span.position(source), "end": Span::at(self.span.end).position(source) });
        json!({ "message": self.message, "place": place, "help": self.help })
    }
}

/// The keys that held, as the policy writes them; values that come from the text are named by their class only.
fn reasons(explanation: &Explanation, example: &Example) -> String {
    let rule = explanation.applied.iter().find(|rule| rule.clause == example.clause && rule.rule == example.rule);
    let keys = rule.map(|rule| rule.keys.as_slice()).unwrap_or_default();
    let said = keys.iter().map(|key| {
        let not = if key.not { "not " } else { "" };
        format!("`{}: {not}{}`", key.key, key.listed.join(", "))
    });
    let said: Vec<_> = said.collect();
    if said.is_empty() { "a rule without keys".to_owned() } else { said.join(" and ") }
}
