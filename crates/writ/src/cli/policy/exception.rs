//! `writ policy exception`: dated relaxations of one clause.

use std::collections::BTreeMap;

use anyhow::bail;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use writ_console::standing::NewException;
use writ_model::Term;
use writ_model::standing::{ExceptionGrant, ExceptionId};

use crate::cli::settings::ConfigFile;
use crate::cli::standing::{Terms, clause_said, time_said};
use crate::cli::{Exit, Output, block_on};
use crate::config::Config;
use crate::door;
use crate::door::standing::{ExceptionRow, Grant, ListExceptions, Withdraw};

/// Grant, list, show and withdraw exceptions from a clause
///
/// An exception relaxes one clause in a situation that lies inside the clause's, until a date. It is data, not text: the
/// signed document stays. Its use is recorded. Where a server runs, it acts.
#[derive(Debug, Subcommand)]
pub(crate) enum ExceptionCommand {
    Grant(GrantException),
    List(List),
    Show(Show),
    Withdraw(WithdrawException),
}

/// Put an exception in force
///
/// Its situation is given in keys of the policy language, read as in a rule that foresees: `group: research` and no other
/// group, `level: internal` at most. Without `data` it covers the classes that its clause names.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  writ policy exception grant --clause matrix --when 'group: research' --when 'status: in-review' \\
      --owner 'head of research' --reason 'trial of a new tool' --control 'public data only, weekly review' \\
      --days 14 --approved-by security")]
pub(crate) struct GrantException {
    #[command(flatten)]
    file: ConfigFile,
    /// The one clause it relaxes, by its id
    #[arg(long, value_name = "CLAUSE")]
    clause: String,
    /// A key of the situation: `group: research`
    #[arg(long, value_name = "KEY: VALUES", value_parser = key)]
    when: Vec<(String, String)>,
    /// Who answers for it
    #[arg(long, value_name = "WHO")]
    owner: String,
    /// Why it is needed
    #[arg(long, value_name = "SENTENCE")]
    reason: String,
    /// The compensating control: what protects instead
    #[arg(long, value_name = "SENTENCE")]
    control: String,
    #[command(flatten)]
    terms: Terms,
    /// Print it as JSON
    #[arg(long)]
    json: bool,
}

/// List the exceptions in force and to come
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  writ policy exception list
  writ policy exception list --json")]
pub(crate) struct List {
    #[command(flatten)]
    file: ConfigFile,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
}

/// Show one exception
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  writ policy exception show exc_0198c0de...")]
pub(crate) struct Show {
    #[command(flatten)]
    file: ConfigFile,
    /// Its id, or the beginning of it
    #[arg(value_name = "ID")]
    id: String,
    /// Print it as JSON
    #[arg(long)]
    json: bool,
}

/// End an exception before its time
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  writ policy exception withdraw exc_0198c0de...")]
pub(crate) struct WithdrawException {
    #[command(flatten)]
    file: ConfigFile,
    /// Its id
    #[arg(value_name = "ID")]
    id: ExceptionId,
}

/// `group: research`.
fn key(text: &str) -> Result<(String, String), String> {
    let (key, values) = text.split_once(':').ok_or("write a key as in a rule: `group: research`")?;
    Ok((key.trim().to_owned(), values.trim().to_owned()))
}

impl ExceptionCommand {
    pub(super) fn run(&self, output: &mut Output) -> anyhow::Result<Exit> {
        match self {
            Self::Grant(grant) => block_on(grant.run(output)),
            Self::List(list) => block_on(list.run(output)),
            Self::Show(show) => block_on(show.run(output)),
            Self::Withdraw(withdraw) => block_on(withdraw.run(output)),
        }
    }
}

impl GrantException {
    async fn run(&self, output: &mut Output) -> anyhow::Result<Exit> {
        let mut keys = BTreeMap::new();
        for (key, values) in &self.when {
            if keys.insert(key.clone(), values.clone()).is_some() {
                bail!("the key `{key}` stands twice; list its values in one `--when`");
            }
        }
        let new = NewException {
            clause: Term::from(self.clause.as_str()),
            keys,
            owner: self.owner.clone(),
            reason: self.reason.clone(),
            compensating_control: self.control.clone(),
            approved_by: self.terms.approver(),
            from: self.terms.from(),
            until: self.terms.until()?,
        };
        let row = door::carry_out(&self.file.load()?, Grant(new)).await?;
        print(&row, self.json, output)?;
        Ok(Exit::Yes)
    }
}

async fn rows(config: &Config) -> anyhow::Result<Vec<ExceptionRow>> {
    door::carry_out(config, ListExceptions {}).await
}

impl List {
    async fn run(&self, output: &mut Output) -> anyhow::Result<Exit> {
        let rows = rows(&self.file.load()?).await?;
        for row in &rows {
            if self.json {
                output.json_line(&as_json(row))?;
                continue;
            }
            let grant = &row.grant;
            let from = if row.in_force { String::new() } else { format!(" from {}", time_said(grant.from)) };
            let clause = clause_said(&row.clause_name, &grant.clause);
            let until = time_said(grant.until);
            output.line(format_args!("{}  {clause}  {}{from}  until {until}", grant.id, situation(grant)))?;
        }
        if rows.is_empty() && !self.json {
            output.line("no exception is in force or to come")?;
        }
        Ok(Exit::Yes)
    }
}

impl Show {
    async fn run(&self, output: &mut Output) -> anyhow::Result<Exit> {
        let mut found = rows(&self.file.load()?).await?;
        found.retain(|row| row.grant.id.to_string().starts_with(&self.id));
        match found.as_slice() {
            [row] => print(row, self.json, output)?,
            [] => bail!("no exception in force or to come has the id `{}`; see `writ policy exception list`", self.id),
            several => bail!("{} exceptions begin with `{}`; give more of the id", several.len(), self.id),
        }
        Ok(Exit::Yes)
    }
}

impl WithdrawException {
    async fn run(&self, output: &mut Output) -> anyhow::Result<Exit> {
        let grant = door::carry_out(&self.file.load()?, Withdraw { id: self.id }).await?;
        output.line(format_args!("{}: withdrawn; clause {} holds again as written", grant.id, grant.clause))?;
        Ok(Exit::Yes)
    }
}

fn as_json(row: &ExceptionRow) -> Value {
    let grant = &row.grant;
    json!({
        "id": grant.id,
        "clause": grant.clause,
        "clause-name": row.clause_name,
        "keys": grant.keys,
        "owner": grant.owner,
        "reason": grant.reason,
        "compensating-control": grant.compensating_control,
        "approved-by": grant.approved_by,
        "from": grant.from.to_string(),
        "until": grant.until.to_string(),
        "in-force": row.in_force,
    })
}

/// `group: research; status: in-review`.
fn situation(grant: &ExceptionGrant) -> String {
    let keys: Vec<String> = grant.keys.iter().map(|(key, values)| format!("{key}: {values}")).collect();
    if keys.is_empty() { "wherever the clause applies".to_owned() } else { keys.join("; ") }
}

fn print(row: &ExceptionRow, json: bool, output: &mut Output) -> anyhow::Result<()> {
    if json {
        return output.json(&as_json(row));
    }
    let grant = &row.grant;
    let when = if row.in_force { "in force" } else { "to come" };
    output.line(format_args!("{}: {when}", grant.id))?;
    for (label, value) in [
        ("clause", clause_said(&row.clause_name, &grant.clause)),
        ("where", situation(grant)),
        ("from", time_said(grant.from)),
        ("until", time_said(grant.until)),
        ("owner", grant.owner.clone()),
        ("reason", grant.reason.clone()),
        ("instead", grant.compensating_control.clone()),
        ("approved by", grant.approved_by.clone()),
    ] {
        output.line(format_args!("  {label:<12}{value}"))?;
    }
    Ok(())
}
