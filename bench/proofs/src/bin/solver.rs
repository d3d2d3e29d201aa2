//! What Cedar's symbolic compiler and cvc5 need for a question about two exported policies, beside the whole analysis of
//! the same document.
//!
//! ```text
//! cargo xtask bench solver
//! ```
//!
//! The solver is the program that `CVC5` names, or `cvc5`. Without one, nothing is measured.

#![expect(clippy::print_stdout, reason = "a program for a terminal")]

use std::str::FromStr as _;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use cedar_policy::{EntityUid, PolicySet, RequestEnv, Schema};
use cedar_policy_symcc::solver::LocalSolver;
use cedar_policy_symcc::{CedarSymCompiler, CompiledPolicy};
use writ_base::Moment;
use writ_policy::analyse::analyse;
use writ_policy::diagram::World;
use writ_policy::eval::testing::{Seeded, Size};
use writ_policy::export::cedar;
use writ_proofs::time::{now, quantile};
use writ_proofs::{Subject, generated, load};

/// Pairs of policies that are asked about.
const PAIRS: usize = 100;

fn main() -> anyhow::Result<()> {
    let Some(version) = solver_version() else {
        println!("skipped: there is no `cvc5`; install it, or name it with CVC5");
        return Ok(());
    };
    println!("load {}\n{version}\n", load());
    println!(
        "| policy | exported policies | compiling one, p50 | a pair implies, p50 | p99 | hold | errors | all pairs, one action | the whole analysis |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|--:|--:|");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    for rules in [50, 200] {
        runtime.block_on(line(&generated(Size { rules, classes: 20, groups: 20 })?))?;
    }
    println!("\nload {}", load());
    Ok(())
}

fn solver_version() -> Option<String> {
    let program = std::env::var("CVC5").unwrap_or_else(|_| "cvc5".into());
    let said = std::process::Command::new(program).arg("--version").output().ok()?;
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    text.lines().next().map(str::to_owned)
}

async fn line(subject: &Subject) -> anyhow::Result<()> {
    let policies = PolicySet::from_str(&cedar::policies(&subject.policy)).map_err(|error| anyhow!("{error}"))?;
    let (schema, _) = Schema::from_cedarschema_str(&cedar::schema(&subject.policy))?;
    let uid = EntityUid::from_str("Writ::Action::\"submit\"")?;
    let env = RequestEnv::new("Writ::Who".parse()?, uid, "Writ::Service".parse()?);
    let (mut compiling, mut compiled) = (Vec::new(), Vec::new());
    for policy in policies.policies() {
        let begun = now();
        compiled.push(CompiledPolicy::compile(policy, &env, &schema).context("a policy does not compile")?);
        compiling.push(begun.elapsed());
    }
    let mut compiler = CedarSymCompiler::new(LocalSolver::cvc5()?)?;
    let mut random = Seeded::new(5);
    let (mut times, mut hold, mut errors, mut first) = (Vec::new(), 0, 0, None);
    for _ in 0..PAIRS {
        let (one, other) = (random.below(compiled.len()), random.below(compiled.len()));
        let (Some(one), Some(other)) = (compiled.get(one), compiled.get(other)) else { continue };
        let begun = now();
        match compiler.check_matches_implies_opt(one, other).await {
            Ok(holds) => {
                times.push(begun.elapsed());
                hold += usize::from(holds);
            }
            Err(error) => {
                errors += 1;
                first.get_or_insert_with(|| error.to_string());
                // What a solver said after an error belongs to no question.
                compiler = CedarSymCompiler::new(LocalSolver::cvc5()?)?;
            }
        }
    }
    let begun = now();
    let analysed = analyse(&subject.policy, &subject.places, &[], &World::default(), Moment::from_seconds(1_000));
    let analysis = begun.elapsed();
    analysed?;
    let total: Duration = times.iter().sum();
    let pairs = compiled.len() * compiled.len().saturating_sub(1);
    let all =
        u32::try_from(pairs).unwrap_or(u32::MAX) * total.checked_div(u32::try_from(times.len())?).unwrap_or_default();
    println!(
        "| {} | {} | {:.2} ms | {:.2} ms | {:.2} ms | {hold} | {errors} | {:.0} s | {:.0} ms |",
        subject.name,
        compiled.len(),
        milli(quantile(&mut compiling, 0.5)),
        milli(quantile(&mut times, 0.5)),
        milli(quantile(&mut times, 0.99)),
        all.as_secs_f64(),
        milli(analysis),
    );
    if let Some(error) = first {
        println!("\nthe first error: {error}\n");
    }
    Ok(())
}

fn milli(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
