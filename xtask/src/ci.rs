//! The gate: every step is run even if an earlier one failed, each is timed against a budget, and the end says it all.

use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::process::{Workspace, capture, unattended};
use crate::{cargo, codegen, postgres, sdk, tidy};

/// One step of the gate.
struct Step {
    name: &'static str,
    /// Seconds that the step may take on two cores from a fresh clone; going over is shown, not punished.
    budget_s: u64,
    work: fn(&Workspace) -> Result<Outcome>,
}

/// What a step that did not fail has to say.
pub(crate) enum Outcome {
    /// It ran and all is well.
    Passed,
    /// It had nothing to run on; the reason is printed.
    Skipped(&'static str),
}

/// In order of how soon a mistake shows; the sum of the budgets is 25 minutes.
const STEPS: &[Step] = &[
    Step { name: "fmt", budget_s: 10, work: |workspace| passed(cargo::fmt(workspace)) },
    Step { name: "tidy", budget_s: 20, work: |workspace| passed(tidy::run(workspace)) },
    Step { name: "clippy", budget_s: 260, work: |workspace| passed(cargo::clippy(workspace)) },
    Step { name: "tests", budget_s: 450, work: |workspace| passed(cargo::test(workspace, &[])) },
    Step { name: "cedar", budget_s: 120, work: |workspace| passed(cargo::cedar(workspace)) },
    Step { name: "doc tests", budget_s: 60, work: |workspace| passed(cargo::doc_tests(workspace)) },
    Step { name: "docs", budget_s: 90, work: |workspace| passed(cargo::docs(workspace)) },
    Step { name: "codegen", budget_s: 60, work: |workspace| passed(codegen::run(workspace, codegen::Mode::Check)) },
    Step { name: "postgres", budget_s: 90, work: postgres::step },
    Step { name: "sdk", budget_s: 320, work: sdk::step },
    Step { name: "deny", budget_s: 20, work: deny },
];

/// Runs the gate.
pub(crate) fn run(workspace: &Workspace) -> Result<ExitCode> {
    let start = now();
    let before = changes(workspace);
    let mut report = Report::default();
    for step in STEPS {
        println!("\n==> {}", step.name);
        let begun = now();
        let outcome = (step.work)(workspace);
        match &outcome {
            Err(error) => eprintln!("error: {error:#}"),
            Ok(Outcome::Skipped(reason)) => println!("SKIPPED: {reason}"),
            Ok(Outcome::Passed) => {}
        }
        report.add(step.name, begun.elapsed(), step.budget_s, outcome);
    }
    if unattended() {
        println!("\n==> clean tree");
        let outcome = clean(&before, &changes(workspace));
        if let Err(error) = &outcome {
            eprintln!("error: {error:#}");
        }
        report.add("clean tree", Duration::ZERO, 1, passed(outcome));
    }
    print!("{}", report.text(start.elapsed()));
    Ok(if report.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn passed(result: Result<()>) -> Result<Outcome> {
    result.map(|()| Outcome::Passed)
}

fn deny(workspace: &Workspace) -> Result<Outcome> {
    if !cargo::deny_installed(workspace) {
        return Ok(Outcome::Skipped("cargo-deny is not installed; layers and bans were checked by `tidy`"));
    }
    passed(cargo::deny(workspace))
}

/// What git says has changed; `None` outside a git checkout.
fn changes(workspace: &Workspace) -> Option<String> {
    capture(&mut {
        let mut git = workspace.command("git");
        git.args(["status", "--porcelain"]);
        git
    })
    .ok()
}

/// A step that leaves files in the checkout is a defect: the next person would commit them.
fn clean(before: &Option<String>, after: &Option<String>) -> Result<()> {
    if before != after {
        bail!("the steps changed the checkout; `git status` now says:\n{}", after.as_deref().unwrap_or_default());
    }
    Ok(())
}

/// The table at the end.
#[derive(Default)]
struct Report {
    lines: String,
    passed: usize,
    failed: usize,
    skipped: usize,
}

impl Report {
    fn add(&mut self, name: &str, took: Duration, budget_s: u64, outcome: Result<Outcome>) {
        let (word, count) = match outcome {
            Ok(Outcome::Passed) => ("passed", &mut self.passed),
            Ok(Outcome::Skipped(_)) => ("SKIPPED", &mut self.skipped),
            Err(_) => ("FAILED", &mut self.failed),
        };
        *count += 1;
        let over = if took.as_secs() > budget_s { ", over budget" } else { "" };
        // Writing to a string cannot fail.
        let _ = writeln!(self.lines, "{name:<12} {:>8.1} {budget_s:>7}   {word}{over}", took.as_secs_f64());
    }

    fn text(&self, took: Duration) -> String {
        let budget: u64 = STEPS.iter().map(|step| step.budget_s).sum();
        let Self { lines, passed, failed, skipped } = self;
        let mut text = format!("\n{:<12} {:>8} {:>7}   result\n{lines}", "step", "seconds", "budget");
        let _ = writeln!(text, "{:<12} {:>8.1} {budget:>7}\n", "all", took.as_secs_f64());
        let _ = match skipped {
            0 => writeln!(text, "{passed} passed, {failed} failed"),
            _ => writeln!(text, "{passed} passed, {failed} failed, {skipped} skipped"),
        };
        text
    }
}

#[expect(clippy::disallowed_methods, reason = "times of build steps are shown to a person; nothing depends on them")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn the_end_shows_times_budgets_and_a_plain_count() {
        let mut report = Report::default();
        report.add("fmt", Duration::from_millis(2_340), 10, Ok(Outcome::Passed));
        report.add("tests", Duration::from_secs(700), 500, Err(anyhow!("`cargo` ended with 101")));
        report.add("deny", Duration::ZERO, 20, Ok(Outcome::Skipped("not installed")));
        let text = report.text(Duration::from_millis(702_340));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[1], "step          seconds  budget   result");
        assert_eq!(lines[2], "fmt               2.3      10   passed");
        assert_eq!(lines[3], "tests           700.0     500   FAILED, over budget");
        assert_eq!(lines[4], "deny              0.0      20   SKIPPED");
        assert_eq!(lines.last(), Some(&"1 passed, 1 failed, 1 skipped"));
    }

    #[test]
    fn budgets_add_up_to_twenty_five_minutes_at_most() {
        assert!(STEPS.iter().map(|step| step.budget_s).sum::<u64>() <= 25 * 60);
    }

    #[test]
    fn a_changed_tree_is_an_error_that_names_the_files() {
        assert!(clean(&Some(String::new()), &Some(String::new())).is_ok());
        let error = clean(&Some(String::new()), &Some("?? stray.txt\n".into())).unwrap_err();
        assert!(error.to_string().contains("stray.txt"));
    }
}
