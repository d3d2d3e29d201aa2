//! What the demo shows: a welcome with three things to try, then one line per verdict, read from the ledger.

use std::collections::BTreeSet;
use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::sync::Arc;

use clap::builder::styling::{AnsiColor, Style};
use writ_base::Moment;
use writ_model::record::{DecisionSkeleton, EntryKind};
use writ_model::verdict::Cause;
use writ_model::{Direction, Effect, Term};
use writ_proxy::live::Live;
use writ_sim::company::Company;
use writ_store::Ledger;

use super::Files;
use super::people::{Keys, YOU};
use crate::cli::Output;
use crate::wiring::Home;

/// The first page.
pub(crate) fn welcome(company: &Company, files: &Files, gateway: SocketAddr, keys: &Keys) -> String {
    let key = keys.of(YOU).map(|key| key.expose().as_str()).unwrap_or_default();
    let policy = files.policy.display();
    let ask = |text: &str| {
        format!(
            "curl -s http://{gateway}/v1/chat/completions -H \"authorization: Bearer $WRIT_KEY\" \\\n       \
             -H 'content-type: application/json' \\\n       \
             -d '{{\"model\":\"gpt-4o\",\"messages\":[{{\"role\":\"user\",\"content\":\"{text}\"}}]}}'"
        )
    };
    format!(
        "\
Writ demo: {company} uses AI services through the gateway at http://{gateway}.
Nothing leaves this machine: the services are simulated. Policy: {policy}

Try it in another terminal:

  export WRIT_KEY={key}

  1. A card number is replaced on its way out, and shown again in the answer:
     {redacted}

  2. A patient record does not go to a service that is not cleared for it:
     {stopped}

  3. Change one word of the policy, then send the first one again; it takes effect at once:
     sed -i '/^| pii, payment /s/| redact /| block  /' '{policy}'

Ctrl-C ends the demo.

  time      who              service          verdict    what was found             clause
",
        company = company.name,
        redacted = ask("Please confirm the card 4111 1111 1111 1111"),
        stopped = ask("Summarise: John Smith, MRN 4451299, admitted 3 May with type 2 diabetes."),
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
