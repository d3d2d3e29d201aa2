//! `writ ledger`: is the ledger whole, and what is in it.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use writ_base::{ContentHash, Limit, Moment};
use writ_model::{Effect, Term};
use writ_store::Index;
use writ_store::backup::DataDirectory;
use writ_store::index::{Query as Question, Row};
use writ_store::ledger::{Checkpoint, LedgerReader, Trust, Verified, VerifyError, verify};
use writ_store::limits::QUERY_ROWS;
use writ_store::storage::{FileStorage, Storage};

use super::files::Source;
use super::settings::ConfigFile;
use super::text::counted;
use super::{Exit, Output, block_on};
use crate::redecide::{Redecided, Redecider};
use crate::wiring::look;

static CHECKPOINT: Limit = Limit::new("cli.checkpoint", "bytes", 64 << 10);

/// Verify or query the ledger
///
/// The ledger is the append-only chain of records. Both commands work beside a running server.
#[derive(Debug, Subcommand)]
pub(crate) enum LedgerCommand {
    Verify(Verify),
    Query(Query),
}

/// Prove that the ledger is whole
///
/// Every entry, segment, checkpoint and signature is checked, without any key. A checkpoint that was kept from earlier
/// also catches truncation and rewriting; the last one is printed with `--json`, to be kept.
///
/// With `--redecide` each record is also decided again, from its facts as decided and with the policy that decided it,
/// and must come out as it was written, bit for bit. That needs the keys. Records of erased persons are counted as erased.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  writ ledger verify --config writ.toml
  writ ledger verify --config writ.toml --redecide
  writ ledger verify --ledger /backup/ledger --checkpoint kept.json --key 5c1f...

Exit codes: 0 it is whole, and no record comes out otherwise; 1 it is not; 2 it cannot be read.")]
pub(crate) struct Verify {
    #[command(flatten)]
    file: ConfigFile,
    /// The folder with the segments, in place of the configuration's
    #[arg(long, value_name = "DIR")]
    ledger: Option<PathBuf>,
    /// A checkpoint kept from earlier, which the ledger must extend
    #[arg(long, value_name = "FILE")]
    checkpoint: Vec<PathBuf>,
    /// The public key that must have signed first
    #[arg(long, value_name = "HEX")]
    key: Vec<ContentHash>,
    /// Decide each record again, and compare
    #[arg(long, conflicts_with = "ledger")]
    redecide: bool,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// List verdicts, newest first
///
/// Answers come from the index, which holds no person and no content.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  writ ledger query --effect block --from 2026-11-01
  writ ledger query --reference 7F3K-29 --json

Times are `YYYY-MM-DD` or `YYYY-MM-DDTHH:MM:SSZ`, in UTC, also with a fraction of a second as they are printed. Exit codes: 0 something found; 1 nothing found.")]
pub(crate) struct Query {
    #[command(flatten)]
    file: ConfigFile,
    /// From this time on
    #[arg(long, value_name = "TIME", value_parser = moment)]
    from: Option<Moment>,
    /// Before this time
    #[arg(long, value_name = "TIME", value_parser = moment)]
    to: Option<Moment>,
    /// Of this service
    #[arg(long, value_name = "ID")]
    service: Option<String>,
    /// With this effect: allow, coach, justify or block
    #[arg(long, value_name = "EFFECT", value_parser = effect)]
    effect: Option<Effect>,
    /// Decided by the clause with this id
    #[arg(long, value_name = "ID")]
    clause: Option<String>,
    /// With this class found
    #[arg(long, value_name = "CLASS")]
    class: Option<String>,
    /// The one with this reference code
    #[arg(long, value_name = "CODE", conflicts_with_all = ["from", "to", "service", "effect", "clause", "class"])]
    reference: Option<String>,
    /// At most so many; 0 for all
    #[arg(long, value_name = "NUMBER", default_value_t = 100)]
    limit: usize,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
}

fn moment(text: &str) -> Result<Moment, String> {
    Moment::parse(text)
        .ok_or_else(|| "write `2026-11-22`, `2026-11-22T09:30:00Z` or `2026-11-22T09:30:00.250Z`".to_owned())
}

fn effect(text: &str) -> Result<Effect, String> {
    let found = Effect::ALL.iter().copied().find(|effect| effect.as_str() == text);
    found.ok_or_else(|| "say allow, coach, justify or block".to_owned())
}

impl LedgerCommand {
    pub(crate) fn run(&self, output: &mut Output) -> anyhow::Result<Exit> {
        match self {
            Self::Verify(verify) => verify.run(output),
            Self::Query(query) => block_on(query.run(output)),
        }
    }
}

/// The segments in a folder; a folder that does not exist is not made.
fn storage(folder: &std::path::Path) -> anyhow::Result<Arc<dyn Storage>> {
    if !folder.is_dir() {
        bail!("there is no ledger at `{}`; check `data-directory` in the configuration", folder.display());
    }
    Ok(Arc::new(FileStorage::new(folder).with_context(|| format!("cannot read `{}`", folder.display()))?))
}

impl Verify {
    fn run(&self, output: &mut Output) -> anyhow::Result<Exit> {
        let folder = match &self.ledger {
            Some(folder) => folder.clone(),
            None => DataDirectory::new(&self.file.load()?.data_directory).ledger(),
        };
        let earlier = self.checkpoint.iter().map(|path| {
            let text = Source::File(path.clone()).text(&CHECKPOINT)?;
            serde_json::from_str::<Checkpoint>(&text)
                .with_context(|| format!("`{}` is not a checkpoint", path.display()))
        });
        let trust = Trust { earlier: earlier.collect::<Result<_, _>>()?, keys: self.key.clone() };
        let storage = storage(&folder)?;
        match verify(Arc::clone(&storage), &trust) {
            Ok(verified) => {
                let again = if self.redecide { Some(self.again(storage)?) } else { None };
                self.whole(&verified, again.as_ref(), output)?;
                Ok(if again.is_none_or(|again| again.different == 0) { Exit::Yes } else { Exit::No })
            }
            Err(error @ VerifyError::Empty) => Err(error.into()),
            Err(error) => {
                if self.json {
                    output.json(&json!({ "whole": false, "error": error.to_string() }))?;
                } else {
                    let word = output.verdict(false, "not whole");
                    output.line(format_args!("{word}: {error}"))?;
                }
                Ok(Exit::No)
            }
        }
    }

    /// Decides every record again.
    fn again(&self, storage: Arc<dyn Storage>) -> anyhow::Result<Redecided> {
        let config = self.file.load()?;
        block_on(async {
            let state = look(&config, &storage).await?;
            let again = Redecider::new(&state).all(LedgerReader::new(storage, 0)).await;
            state.close().await;
            again
        })
    }

    fn whole(&self, verified: &Verified, again: Option<&Redecided>, output: &mut Output) -> anyhow::Result<()> {
        if self.json {
            let mut page = json!({
                "whole": true,
                "organisation": verified.organisation,
                "chain": verified.chain,
                "entries": verified.entries,
                "segments": verified.segments,
                "checkpoints": verified.checkpoints,
                "personal-parts": verified.personal_parts,
                "gaps": verified.gaps,
                "unsigned": verified.unsigned,
                "torn-bytes": verified.torn_bytes,
                "root": verified.root,
                "last-checkpoint": verified.last_checkpoint,
            });
            if let (Some(fields), Some(again)) = (page.as_object_mut(), again) {
                fields.insert("redecided".to_owned(), serde_json::to_value(again)?);
            }
            return output.json(&page);
        }
        let word = output.verdict(true, "whole");
        let parts = [
            counted(verified.entries, "entry"),
            counted(verified.segments, "segment"),
            counted(verified.checkpoints, "checkpoint"),
        ];
        output.line(format_args!("{word}: {}", parts.join(", ")))?;
        if verified.gaps > 0 {
            output.line(format_args!("note: {}: entries may be missing", counted(verified.gaps, "gap")))?;
        }
        if verified.unsigned > 0 {
            output.line(format_args!(
                "note: nobody has signed yet for the last {}",
                counted(verified.unsigned, "entry")
            ))?;
        }
        if self.checkpoint.is_empty() {
            output.line("note: give a checkpoint kept from earlier with `--checkpoint` to catch rewriting")?;
        }
        output.line(format_args!("root {}", verified.root))?;
        again.map_or(Ok(()), |again| redecided(again, output))
    }
}

/// What came of deciding again, in words.
fn redecided(again: &Redecided, output: &mut Output) -> anyhow::Result<()> {
    let word = output.verdict(again.different == 0, if again.different == 0 { "the same" } else { "not the same" });
    output.line(format_args!(
        "decided again: {word}: {} equal, {} different, of {}",
        again.equal,
        again.different,
        counted(again.decisions, "decision")
    ))?;
    for difference in &again.differences {
        let what = difference.in_what.join(", ");
        output.line(format_args!("  entry {} ({}): other {what}", difference.sequence, difference.interaction))?;
    }
    for (count, what) in [
        (again.erased, "erased: their person is gone, and the facts with them"),
        (again.without_facts, "of protected persons: no facts are kept"),
        (again.policy_missing, "whose policy was not kept: they count as not decided again"),
        (again.other_rows, "whose policy this version compiles to other rows: they count as not decided again"),
        (again.unreadable, "of a form that this version does not read"),
    ] {
        if count > 0 {
            output.line(format_args!("note: {count} {what}"))?;
        }
    }
    Ok(())
}

impl Query {
    async fn run(&self, output: &mut Output) -> anyhow::Result<Exit> {
        let directory = DataDirectory::new(&self.file.load()?.data_directory);
        let storage = storage(&directory.ledger())?;
        // Where a server runs, it indexes; two writers would be in each other's way.
        let index = match storage.lock() {
            Ok(lock) => {
                let index = Index::open(&directory.index()).await?;
                let mut reader = LedgerReader::new(Arc::clone(&storage), index.position());
                index.catch_up(&mut reader).await?;
                drop(lock);
                index
            }
            Err(_) => {
                let index = Index::open_beside(&directory.index()).await?;
                match LedgerReader::new(Arc::clone(&storage), index.position()).count() {
                    0 => {}
                    late => output.say(format_args!("note: not indexed yet: {late}; ask again in a moment"))?,
                }
                index
            }
        };
        let told = self.answer(&index, output).await;
        index.close().await?;
        Ok(if told? == 0 { Exit::No } else { Exit::Yes })
    }

    /// Prints what fits, and says so where there is more; how many rows that were.
    async fn answer(&self, index: &Index, output: &mut Output) -> anyhow::Result<usize> {
        if let Some(code) = &self.reference {
            let row = index.by_reference(&code.to_uppercase()).await?;
            return self.print(row.as_slice(), output);
        }
        let wanted = if self.limit == 0 { usize::MAX } else { self.limit };
        let (mut told, mut before) = (0, None);
        loop {
            // One more than is printed tells whether there is more.
            let most = QUERY_ROWS.value().min((wanted - told).saturating_add(1));
            let rows = index.query(&self.question(before, most)).await?;
            let shown = rows.get(..rows.len().min(wanted - told)).unwrap_or_default();
            told += self.print(shown, output)?;
            if rows.len() > shown.len() {
                output.say(format_args!("note: there are more; these are the newest {told}, see `--limit`"))?;
                return Ok(told);
            }
            before = rows.last().map(|row| row.sequence);
            if rows.len() < most {
                return Ok(told);
            }
        }
    }

    fn question(&self, before: Option<u64>, limit: usize) -> Question {
        Question {
            from: self.from,
            to: self.to,
            service: self.service.clone(),
            effect: self.effect,
            clause: self.clause.clone(),
            class: self.class.clone(),
            before,
            limit,
            ..Question::default()
        }
    }

    fn print(&self, rows: &[Row], output: &mut Output) -> anyhow::Result<usize> {
        for row in rows {
            if self.json {
                output.json_line(&as_json(row))?;
            } else {
                let line = as_text(row, output);
                output.line(line)?;
            }
        }
        Ok(rows.len())
    }
}

fn as_json(row: &Row) -> Value {
    let outcome = row.outcome.as_ref().map(|outcome| {
        json!({
            "ending": outcome.ending,
            "status": outcome.status,
            "bytes-up": outcome.bytes_up,
            "bytes-down": outcome.bytes_down,
            "duration-ms": outcome.duration_ms,
        })
    });
    json!({
        "sequence": row.sequence,
        "time": row.time.to_string(),
        "interaction": row.interaction,
        "direction": row.direction,
        "service": row.service,
        "enforced": row.enforced,
        "full": row.full,
        "clauses": row.clauses,
        "classes": row.classes,
        "reference": row.reference,
        "outcome": outcome,
    })
}

/// `2026-11-22T09:30:00.000Z  block    openai-api  credentials  [credentials]  7F3K-29  refused`.
fn as_text(row: &Row, output: &Output) -> String {
    let listed = |names: &[String]| if names.is_empty() { "-".to_owned() } else { names.join(",") };
    let ending = row.outcome.as_ref().map_or("under way", |outcome| outcome.ending.as_str());
    let effect = output.effect(row.enforced);
    let full = if row.full == row.enforced { String::new() } else { format!(" (full: {})", row.full.as_str()) };
    let service = Term::from(row.service.as_str());
    let (clauses, classes) = (listed(&row.clauses), listed(&row.classes));
    let reference = row.reference.as_deref().unwrap_or("-");
    format!("{}  {effect}{full}  {service}  found {classes}  clauses {clauses}  {reference}  {ending}", row.time)
}
