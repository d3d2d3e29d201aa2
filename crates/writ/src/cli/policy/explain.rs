//! `writ policy explain`: why, and what would change it.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use writ_engine::why::{Reason, View, Why};

use crate::cli::situation::{PolicyArgs, SituationArgs, effect_exit};
use crate::cli::{Exit, Output};

/// Explain a situation: why it gets its verdict, and what would change it
///
/// Says which rules decided and which others held, what the posture, exceptions and the roll-out contributed, and the
/// smallest change that would lead to another verdict: one thing, or two, that a person or the organisation could really
/// change. Everything is computed by judging the changed situation. The text is made to be read aloud.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  writ policy explain policy.md --as employee --service chatgpt --text prompt.txt
  writ policy explain policy.md --services services.toml --as contractor --service claude --facts '{\"data\": [\"phi\"]}'
  writ policy explain policy.md --config writ.toml --as employee --service chatgpt --text - --json

Exit codes: 0 it goes on (allow, coach); 1 it does not (justify, block); 2 it cannot be decided.")]
pub(crate) struct Explain {
    /// The policy document
    file: PathBuf,
    #[command(flatten)]
    situation: SituationArgs,
    #[command(flatten)]
    beside: PolicyArgs,
    /// Print it as JSON, with the facts and both verdicts
    #[arg(long)]
    json: bool,
}

impl Explain {
    pub(super) fn run(&self, output: &mut Output) -> anyhow::Result<Exit> {
        let config = self.beside.config()?;
        let snapshot = self.beside.snapshot(&self.file, config.as_ref())?;
        let facts = self.situation.facts(&snapshot, config.as_ref())?;
        let (why, decision) = (snapshot.why(&facts, View::Everything), snapshot.policy.decide(&facts));
        if self.json {
            output.json(&json!({
                "why": why,
                "enforced": decision.enforced,
                "full": decision.full,
                "facts": facts,
                "policy": { "text": snapshot.policy.text_hash(), "rows": snapshot.policy.rows_hash() },
            }))?;
        } else {
            print(&why, output)?;
        }
        Ok(effect_exit(decision.enforced.effect))
    }
}

fn print(why: &Why, output: &mut Output) -> anyhow::Result<()> {
    output.line(&why.outcome)?;
    if let Some(without) = &why.without_rollout {
        output.line(format_args!("Without the roll-out: {without}."))?;
    }
    output.line(format_args!("\n{}", why.situation))?;
    reasons("\nWhy", &why.decided, output)?;
    reasons("\nAlso held", &why.held, output)?;
    output.line(format_args!("\n{}", why.base))?;
    why.exceptions.iter().chain(&why.rollout).try_for_each(|line| output.line(line))?;
    if why.exceptions.is_empty() && why.rollout.is_empty() {
        output.line("No exception and no entry of the roll-out changes this.")?;
    }
    output.line("\nWhat would change it")?;
    if why.ways.is_empty() {
        output.line("  No single change and no two together that somebody could make.")?;
    }
    why.ways.iter().try_for_each(|way| output.line(format_args!("  {}", way.said)))?;
    Ok(())
}

fn reasons(title: &str, reasons: &[Reason], output: &mut Output) -> anyhow::Result<()> {
    if reasons.is_empty() {
        return Ok(());
    }
    output.line(title)?;
    for reason in reasons {
        let because = if reason.because.is_empty() {
            String::new()
        } else {
            format!(", because {}", reason.because.join(" and "))
        };
        let rule = if reason.rule == 0 { String::new() } else { format!(" ({}, rule {})", reason.clause, reason.rule) };
        output.line(format_args!("  {}{rule} {}{because}.", reason.name, reason.does))?;
        if let Some(why) = &reason.why {
            output.line(format_args!("    The policy says: {why}"))?;
        }
    }
    Ok(())
}
