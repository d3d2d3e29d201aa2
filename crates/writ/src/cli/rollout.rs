//! `writ rollout`: from when and for whom each clause bites.

use clap::{Args, Subcommand};
use serde_json::json;
use writ_model::Term;
use writ_model::standing::Ring;
use writ_model::values::{Step, Value as _};

use super::settings::ConfigFile;
use super::standing::{Terms, clause_said, ring, time_said};
use super::{Exit, Output, block_on};
use crate::door;
use crate::door::standing::{ListStages, MoveStage, StageRow};

/// Move clauses from observe to coach to enforce, ring by ring
///
/// What a clause says is signed; from when and for whom it bites is set here. Observe: what it demands is recorded and
/// has no effect. Coach: what it would stop goes on with a note. Enforce: as written. Where a server runs, it acts.
#[derive(Debug, Subcommand)]
pub(crate) enum RolloutCommand {
    Status(Status),
    Advance(Advance),
    Back(Back),
}

/// Show the step of each clause and ring
///
/// A clause without an entry is enforced for everyone, and a ring without one stands where everyone stands. Of several
/// entries that count for a person the strictest counts.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  writ rollout status
  writ rollout status matrix --json")]
pub(crate) struct Status {
    #[command(flatten)]
    file: ConfigFile,
    /// Only of this clause, by its id
    #[arg(value_name = "CLAUSE")]
    clause: Option<String>,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
}

/// Move a clause one step towards enforce
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  writ rollout advance matrix --ring group:pilot --days 30 --approved-by security
  writ rollout advance matrix --ring share:20% --step enforce --until 2027-03-01 --approved-by it --deputy
  writ rollout advance posture --ring everyone --days 90 --approved-by security")]
pub(crate) struct Advance {
    #[command(flatten)]
    step: Stepping,
}

/// Move a clause one step back from enforce
///
/// A new clause begins with `writ rollout back CLAUSE --step observe`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  writ rollout back matrix --step observe --ring everyone --days 60 --approved-by security
  writ rollout back matrix --ring group:pilot --days 14 --approved-by security")]
pub(crate) struct Back {
    #[command(flatten)]
    step: Stepping,
}

#[derive(Debug, Args)]
struct Stepping {
    #[command(flatten)]
    file: ConfigFile,
    /// The clause, by its id; `posture` for what no rule foresees
    #[arg(value_name = "CLAUSE")]
    clause: String,
    /// For whom: everyone, group:NAME, or share:PERCENT% of people
    #[arg(long, value_name = "RING", value_parser = ring)]
    ring: Ring,
    /// To this step: observe, coach or enforce; the next one if nothing is said
    #[arg(long, value_name = "STEP", value_parser = step)]
    step: Option<Step>,
    #[command(flatten)]
    terms: Terms,
    /// Print the entry as JSON
    #[arg(long)]
    json: bool,
}

fn step(name: &str) -> Result<Step, String> {
    Step::named(name).ok_or_else(|| "say observe, coach or enforce".to_owned())
}

impl RolloutCommand {
    pub(crate) fn run(&self, output: &mut Output) -> anyhow::Result<Exit> {
        match self {
            Self::Status(status) => block_on(status.run(output)),
            Self::Advance(Advance { step }) => block_on(step.run(true, output)),
            Self::Back(Back { step }) => block_on(step.run(false, output)),
        }
    }
}

impl Status {
    async fn run(&self, output: &mut Output) -> anyhow::Result<Exit> {
        let mut rows = door::carry_out(&self.file.load()?, ListStages {}).await?;
        rows.retain(|row| self.clause.as_ref().is_none_or(|clause| row.entry.clause == clause.as_str()));
        rows.sort_by(|one, other| {
            let key = |row: &StageRow| (row.clause_name.clone(), row.entry.step, row.entry.id);
            key(one).cmp(&key(other))
        });
        for row in &rows {
            if self.json {
                output.json_line(&as_json(row))?;
            } else {
                output.line(as_text(row))?;
            }
        }
        let everyone = rows.iter().any(|row| row.entry.ring == Ring::Everyone);
        let rest = match (&self.clause, rows.is_empty()) {
            _ if self.json => None,
            (Some(clause), true) => Some(format!("{clause}: enforced for everyone, as written")),
            (Some(_), false) if everyone => None,
            (Some(_), false) => Some("everybody else: enforced, as written".to_owned()),
            (None, true) => Some("every clause: enforced for everyone, as written".to_owned()),
            (None, false) => Some("all else: enforced, as written".to_owned()),
        };
        rest.map_or(Ok(()), |rest| output.line(rest))?;
        Ok(Exit::Yes)
    }
}

impl Stepping {
    async fn run(&self, advance: bool, output: &mut Output) -> anyhow::Result<Exit> {
        let order = MoveStage {
            clause: Term::from(self.clause.as_str()),
            ring: self.ring.clone(),
            advance,
            step: self.step,
            from: self.terms.from(),
            until: self.terms.until()?,
            approved_by: self.terms.approver(),
        };
        let moved = door::carry_out(&self.file.load()?, order).await?;
        if self.json {
            output.json(&as_json(&moved.row))?;
            return Ok(Exit::Yes);
        }
        output.line(as_text(&moved.row))?;
        output.say(format_args!("it was {} for {} before", moved.before, self.ring))?;
        Ok(Exit::Yes)
    }
}

fn as_json(row: &StageRow) -> serde_json::Value {
    json!({
        "id": row.entry.id,
        "clause": row.entry.clause,
        "clause-name": row.clause_name,
        "ring": row.entry.ring,
        "step": row.entry.step,
        "from": row.entry.from.to_string(),
        "until": row.entry.until.to_string(),
        "in-force": row.in_force,
        "approved-by": row.entry.approved_by,
    })
}

/// `4.2 What may go where (matrix): coach for the group pilot until 2027-01-01 00:00 UTC; approved by ...  rol_...`.
fn as_text(row: &StageRow) -> String {
    let entry = &row.entry;
    let from = if row.in_force { String::new() } else { format!(" from {}", time_said(entry.from)) };
    format!(
        "{}: {} for {}{from} until {}; approved by {}  {}",
        clause_said(&row.clause_name, &entry.clause),
        entry.step,
        entry.ring,
        time_said(entry.until),
        entry.approved_by,
        entry.id,
    )
}
