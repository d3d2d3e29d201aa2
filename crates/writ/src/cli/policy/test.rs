//! `writ policy test`: the examples of a document, run with real detection.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::bail;
use clap::Args;
use serde_json::{Value, json};
use writ_model::standing::POSTURE;
use writ_model::verdict::Cause;
use writ_model::{Term, Verdict};
use writ_policy::example::Example;

use super::examples::{self, Outcome, Ran};
use super::report;
use crate::cli::text::{self, counted};
use crate::cli::{Exit, Output};
use crate::policy_file::PolicyFile;

/// Run the examples of a document
///
/// Each example (`violates`, `complies`) is read by real detection. What its text does not say comes from its `as:`, then
/// from the keys of its rule, then from `situation` in the front matter. `violates` passes where the rule applies,
/// `complies` where it does not.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  writ policy test policy.md
  writ policy test policy.md --clause health
  writ policy test policy.md --json

Exit codes: 0 all examples pass; 1 one does not, or the document has errors; 2 it cannot be read.")]
pub(crate) struct Test {
    /// The document
    file: PathBuf,
    /// Only the examples of this clause
    #[arg(long, value_name = "ID")]
    clause: Option<String>,
    /// Files with the organisation's own services, which the document may name
    #[arg(long, value_name = "FILE")]
    services: Vec<PathBuf>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// The examples of one clause.
#[derive(Default)]
struct Tally {
    examples: usize,
    passed: usize,
}

impl Test {
    pub(super) fn run(&self, output: &mut Output) -> anyhow::Result<Exit> {
        let (file, catalog) = examples::read(&self.file, &self.services)?;
        let Some(mut ran) = Ran::of(&file, catalog)? else {
            report::write(&file.diagnostics, &file.text, &file.files, output)?;
            let name = self.file.display();
            output.line(format_args!("{name}: {} and cannot run", counted(file.errors(), "error")))?;
            return Ok(Exit::No);
        };
        self.select(&mut ran)?;
        let good = ran.examples.iter().all(|outcome| outcome.failure.is_none());
        if self.json {
            output.json(&self.as_json(&file, &ran, good))?;
        } else {
            self.as_text(&file, &ran, output)?;
        }
        Ok(if good { Exit::Yes } else { Exit::No })
    }

    /// Leaves the examples that were asked for.
    fn select(&self, ran: &mut Ran<'_>) -> anyhow::Result<()> {
        let Some(clause) = &self.clause else { return Ok(()) };
        let known = ran.snapshot.policy.model().clauses.iter().map(|clause| clause.id.as_str());
        if !known.clone().any(|id| id == clause) {
            let near = writ_policy::words::nearest(clause, known);
            let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            bail!("`{}` has no clause `{clause}`{near}", self.file.display());
        }
        ran.examples.retain(|outcome| outcome.example.clause == clause.as_str());
        Ok(())
    }

    fn as_text(&self, file: &PolicyFile, ran: &Ran<'_>, output: &mut Output) -> anyhow::Result<()> {
        let tallies = tallies(ran);
        let name = |id: &Term| clause_name(ran, id);
        let width = tallies.keys().map(|id| name(id).chars().count()).max().unwrap_or(0);
        for clause in &ran.snapshot.policy.model().clauses {
            let Some(Tally { examples, passed }) = tallies.get(&clause.id) else { continue };
            let word = output.verdict(examples == passed, if examples == passed { "ok" } else { "--" });
            output.line(format_args!("{word}  {:width$}  {passed} of {examples}", name(&clause.id)))?;
        }
        for outcome in &ran.examples {
            if outcome.failure.is_some() {
                self.failure(file, ran, outcome, output)?;
            }
        }
        let passed: usize = tallies.values().map(|tally| tally.passed).sum();
        let failed = ran.examples.len() - passed;
        let raising = ran.snapshot.policy.model().rules.iter().filter(|rule| rule.raises()).count();
        let word = output.verdict(failed == 0, if failed == 0 { "passed" } else { "failed" });
        let examples = counted(ran.examples.len(), "example");
        output.line(format_args!("\n{}: {word}; {examples}, {passed} passed, {failed} failed", self.file.display()))?;
        if self.clause.is_none() {
            let with: std::collections::BTreeSet<_> = ran.examples.iter().map(|it| it.example.rule_index).collect();
            output.line(format_args!("{} of {raising} rules and cells that raise have examples", with.len()))?;
        }
        Ok(())
    }

    fn failure(
        &self,
        file: &PolicyFile,
        ran: &Ran<'_>,
        outcome: &Outcome<'_>,
        output: &mut Output,
    ) -> anyhow::Result<()> {
        let Outcome { example, facts, verdict, failure } = outcome;
        let place = file.files.place(&file.text, example.span);
        let word = output.verdict(false, "failed");
        let rule = format!("rule {} of {}", example.rule, clause_name(ran, &example.clause));
        output.line(format_args!("\n{word}  {rule}, `{}`", example.kind.as_str()))?;
        output.line(format_args!("  --> {}:{}:{}", place.file, place.start.line, place.start.column))?;
        output.line(format_args!("  text       {}", excerpt(&example.text)))?;
        output.line(format_args!("  situation  {}", situation(example)))?;
        let found = facts.data.known().map(text::in_words).unwrap_or_default();
        output.line(format_args!("  found      {found}"))?;
        output.line(format_args!("  verdict    {}{}", output.effect(verdict.effect), decided_by(ran, verdict)))?;
        if let Some(failure) = failure {
            output.line(format_args!("  why        {}", failure.message))?;
            output.line(format_args!("  help       {}", failure.help.as_deref().unwrap_or_default()))?;
        }
        Ok(())
    }

    fn as_json(&self, file: &PolicyFile, ran: &Ran<'_>, good: bool) -> Value {
        let tallies = tallies(ran);
        let clauses = ran.snapshot.policy.model().clauses.iter().filter_map(|clause| {
            let tally = tallies.get(&clause.id)?;
            Some(json!({
                "clause": clause.id,
                "number": clause.number,
                "title": clause.title,
                "examples": tally.examples,
                "passed": tally.passed,
            }))
        });
        let examples = ran.examples.iter().map(|outcome| {
            let Outcome { example, facts, verdict, failure } = outcome;
            json!({
                "clause": example.clause,
                "rule": example.rule,
                "kind": example.kind.as_str(),
                "place": file.files.place(&file.text, example.span),
                "text": example.text,
                "facts": facts,
                "verdict": verdict,
                "passed": failure.is_none(),
                "message": failure.as_ref().map(|failure| failure.message.as_str()),
                "help": failure.as_ref().and_then(|failure| failure.help.as_deref()),
            })
        });
        json!({
            "file": self.file.display().to_string(),
            "ok": good,
            "clauses": clauses.collect::<Vec<_>>(),
            "examples": examples.collect::<Vec<_>>(),
        })
    }
}

fn tallies(ran: &Ran<'_>) -> BTreeMap<Term, Tally> {
    let mut tallies: BTreeMap<Term, Tally> = BTreeMap::new();
    for outcome in &ran.examples {
        let tally = tallies.entry(outcome.example.clause.clone()).or_default();
        tally.examples += 1;
        tally.passed += usize::from(outcome.failure.is_none());
    }
    tallies
}

/// `4.4 Health information (health)`.
fn clause_name(ran: &Ran<'_>, id: &Term) -> String {
    match ran.snapshot.policy.clause(id) {
        Some(clause) => format!("{} {} ({id})", clause.number, clause.title).trim_start().to_owned(),
        None => id.to_string(),
    }
}

/// The longest text that is shown, in characters.
const EXCERPT_CHARS: usize = 160;

/// A text on one line, in quotes.
fn excerpt(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let shown: String = line.chars().take(EXCERPT_CHARS).collect();
    let more = if shown.len() < line.len() { " ..." } else { "" };
    format!("\"{shown}\"{more}")
}

/// What is known besides the text: the example's own words, then the keys of its rule, then the front matter.
fn situation(example: &Example) -> String {
    let mut all = example.default.clone();
    all.values.extend(example.witness.values.clone());
    all.values.extend(example.stated.values.clone());
    if all.values.is_empty() { "nothing but the text".to_owned() } else { all.words() }
}

/// `, because of 4.2 What may go where (matrix), rule 3`.
fn decided_by(ran: &Ran<'_>, verdict: &Verdict) -> String {
    let redact =
        if verdict.redact.is_empty() { String::new() } else { format!(" without {}", text::list(&verdict.redact)) };
    let cause = |cause: &Cause| {
        if cause.clause == POSTURE {
            return "the posture".to_owned();
        }
        format!("{}, rule {}", clause_name(ran, &cause.clause), cause.rule)
    };
    let causes: Vec<_> = verdict.decided.iter().map(cause).collect();
    if causes.is_empty() { redact } else { format!("{redact}, because of {}", causes.join("; ")) }
}
