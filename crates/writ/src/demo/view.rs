//! What the demo shows: a welcome with three things to try, then one line per verdict, read from the ledger.

use std::collections::BTreeSet;
use std::io::IsTerminal as _;
use std::sync::Arc;

use clap::builder::styling::{AnsiColor, Style};
use writ_base::Moment;
use writ_model::record::{DecisionSkeleton, EntryKind};
use writ_model::verdict::Cause;
use writ_model::{Direction, Effect, Term};
use writ_proxy::live::Live;
use writ_sim::company::Company;
use writ_store::Ledger;

use super::Options;
use super::company::{People, YOU};
use super::files::Files;
use super::tours::Link;
use crate::cli::Output;
use crate::wiring::Home;

/// The first page: three links for three kinds of visitor, and three things to try in a terminal.
pub(crate) fn welcome(company: &Company, files: &Files, options: &Options, people: &People, links: &[Link]) -> String {
    let port = |above: u16| options.port.saturating_add(above);
    let links: String = links.iter().map(|link| format!("  For {}:\n    {}\n", link.whom, link.address)).collect();
    format!(
        "\
Writ demo: {company} uses AI services. Nothing leaves this machine: the services are simulated.

Three walks of a few minutes each, on live data. A link signs in once.

{links}
  Console http://127.0.0.1:{console}  chat page http://127.0.0.1:{chat}  proxy 127.0.0.1:{proxy}  gateway http://127.0.0.1:{gateway}
  Policy {policy} (edit it: what you save takes effect at once)
  What really arrived at the AI services: {journal}

Or in another terminal:

  export WRIT_KEY={key}
  curl -s http://127.0.0.1:{gateway}/v1/chat/completions -H \"authorization: Bearer $WRIT_KEY\" \\
    -H 'content-type: application/json' \\
    -d '{{\"model\":\"gpt-4o\",\"messages\":[{{\"role\":\"user\",\"content\":\"Please confirm the card 4111 1111 1111 1111\"}}]}}'

  and through the proxy, as a command line would:
  curl -s -x http://{you}:{password}@127.0.0.1:{proxy} --cacert '{root}' https://chatgpt.com/

Ctrl-C ends the demo.

  time      who              service          verdict    what was found             clause
",
        company = company.name,
        console = port(0),
        proxy = port(1),
        gateway = port(2),
        chat = port(11),
        policy = files.policy.display(),
        journal = files.journal.display(),
        root = files.root.display(),
        key = people.key_of(YOU).unwrap_or_default(),
        you = YOU,
        password = people.password_of(YOU),
    )
}

/// Follows the ledger.
pub(crate) struct View {
    live: Arc<Live>,
    ledger: Ledger,
    next: u64,
    coloured: bool,
}

impl View {
    /// From now on.
    pub(crate) fn new(home: &Home, live: Arc<Live>) -> Self {
        let coloured = crate::cli::colours_wanted() && std::io::stdout().is_terminal();
        Self { live, ledger: home.ledger.clone(), next: home.ledger.position(), coloured }
    }

    /// Shows what was decided since the last time.
    ///
    /// # Errors
    /// If the ledger cannot be read or the output is closed.
    pub(crate) fn show(&mut self, output: &mut Output) -> anyhow::Result<()> {
        for entry in self.ledger.reader(self.next) {
            let entry = entry?;
            self.next = entry.header.sequence + 1;
            if entry.header.kind == EntryKind::Decision {
                let decision: DecisionSkeleton = entry.parse()?;
                output.line(self.line(entry.header.event_time, &decision))?;
            }
        }
        output.flush()?;
        Ok(())
    }

    fn line(&self, at: Moment, decision: &DecisionSkeleton) -> String {
        let (word, colour) = word(decision);
        let verdict = format!("{word:<9}");
        let verdict = if self.coloured {
            let style = Style::new().fg_color(Some(colour.into()));
            format!("{style}{verdict}{style:#}")
        } else {
            verdict
        };
        let time: String = at.to_string().chars().skip(11).take(8).collect();
        let classes: Vec<_> = decision.classes.iter().map(|seen| seen.class.to_string()).collect();
        let found = if classes.is_empty() { "-".to_owned() } else { classes.join(", ") };
        let service = match decision.direction {
            Direction::Prompt => decision.service.to_string(),
            Direction::Answer => format!("{} (answer)", decision.service),
        };
        let line = format!(
            "  {time}  {:<15}  {service:<15}  {verdict}  {found:<25}  {}",
            decision.who,
            self.clauses(&decision.decided)
        );
        line.trim_end().to_owned()
    }

    /// The clauses as the policy in force prints them: `4.4 Health information`.
    fn clauses(&self, decided: &[Cause]) -> String {
        let ids: BTreeSet<&Term> = decided.iter().map(|cause| &cause.clause).collect();
        let snapshot = self.live.snapshot();
        let named = |id: &&Term| match snapshot.quote(id) {
            Some(clause) => format!("{} {}", clause.number, clause.title).trim_start().to_owned(),
            None => id.to_string(),
        };
        ids.iter().map(named).collect::<Vec<_>>().join("; ")
    }
}

fn word(decision: &DecisionSkeleton) -> (&'static str, AnsiColor) {
    let redacted = decision.classes.iter().any(|seen| seen.redacted);
    match decision.enforced {
        Effect::Block => ("stopped", AnsiColor::Red),
        Effect::Justify => ("asked why", AnsiColor::Magenta),
        Effect::Allow | Effect::Coach if redacted => ("redacted", AnsiColor::Yellow),
        Effect::Coach => ("noted", AnsiColor::Cyan),
        Effect::Allow => ("allowed", AnsiColor::Green),
    }
}
