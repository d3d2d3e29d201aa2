//! What the commands about exceptions and the roll-out share: for how long, approved by whom, and how it is printed.

use std::time::Duration;

use anyhow::bail;
use clap::Args;
use writ_base::{Clock as _, Moment, SystemClock};
use writ_console::standing::{Approver, DAY};
use writ_model::Term;
use writ_model::standing::Ring;

/// For how long, and who approved.
#[derive(Debug, Args)]
pub(super) struct Terms {
    /// From when: `2026-12-01`, or with a time in UTC; now on if nothing is said
    #[arg(long, value_name = "TIME", value_parser = moment)]
    from: Option<Moment>,
    /// When it ends: `2027-01-01` is the first moment of that day, in UTC
    #[arg(long, value_name = "TIME", value_parser = moment, conflicts_with = "days")]
    until: Option<Moment>,
    /// For how many days, in place of `--until`
    #[arg(long, value_name = "DAYS")]
    days: Option<u32>,
    /// Who approved it: a role of the policy's `owners`, or policy-owner
    #[arg(long, value_name = "ROLE")]
    approved_by: String,
    /// The deputy of that role approved it
    #[arg(long)]
    deputy: bool,
}

impl Terms {
    pub(super) fn from(&self) -> Option<Moment> {
        self.from
    }

    /// When it ends.
    pub(super) fn until(&self) -> anyhow::Result<Moment> {
        let from = self.from.unwrap_or_else(|| SystemClock.now());
        match (self.until, self.days) {
            (Some(until), _) => Ok(until),
            (None, Some(days @ 1..)) => Ok(from.after(DAY.saturating_mul(days))),
            (None, Some(0)) => bail!("`--days 0` ends before it begins"),
            (None, None) => bail!("say when it ends, with `--until` or `--days`: nothing here holds for ever"),
        }
    }

    pub(super) fn approver(&self) -> Approver {
        Approver { role: self.approved_by.clone(), deputy: self.deputy }
    }
}

/// A time as people give it.
pub(super) fn moment(text: &str) -> Result<Moment, String> {
    Moment::parse(text).ok_or_else(|| "write `2026-11-22` or `2026-11-22T09:30:00Z`".to_owned())
}

/// For whom.
pub(super) fn ring(word: &str) -> Result<Ring, String> {
    let wrong = "say everyone, group:NAME, or a share of people as share:20%";
    writ_console::standing::ring_named(word).ok_or_else(|| wrong.to_owned())
}

/// `4.2 What may go where (matrix)`, or the id alone where it has no other name.
pub(super) fn clause_said(name: &str, id: &Term) -> String {
    if name == id.as_str() { name.to_owned() } else { format!("{name} ({id})") }
}

/// `until 2027-01-01 00:00 UTC`.
pub(super) fn time_said(moment: Moment) -> String {
    let (year, month, day) = moment.date();
    let second = moment.seconds().rem_euclid(86_400);
    let second = Duration::from_secs(u64::try_from(second).unwrap_or(0)).as_secs();
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02} UTC", second / 3600, second / 60 % 60)
}
