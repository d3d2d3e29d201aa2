//! What a decision costs: raw facts to both verdicts, on one CPU.
//!
//! ```text
//! cargo xtask bench policy
//! ```

#![expect(clippy::print_stdout, reason = "a program for a terminal")]

use std::hint::black_box;
use std::time::Duration;

use anyhow::Context as _;
use writ_base::ContentHash;
use writ_bench::cpu::Meter;
use writ_bench::time::{median, now};
use writ_catalog::Catalog;
use writ_model::facts::Found;
use writ_model::{Account, Action, Category, Channel, Device, Facts, Identity, Level, Set, Signal, Status, Term, Who};
use writ_policy::check::parse_with;
use writ_policy::eval::Policy;
use writ_policy::eval::testing::{Seeded, situation, synthetic};
use writ_policy::words::Names;

const GENERAL: &str = include_str!("../../../catalog/policies/general.md");
/// Random situations among which the dearest is looked for.
const RANDOM: usize = 1_000;

fn main() -> anyhow::Result<()> {
    let general = general()?;
    println!("general policy: {} rules, {} rows\n", general.model().rules.len(), general.row_count());
    println!("| situation | effect | µs a decision |\n|---|---|--:|");
    let meter = Meter::start(&[]);
    for (name, facts) in typical() {
        let decision = general.decide(&facts);
        let effect = decision.enforced.effect;
        println!("| {name} | {effect:?} | {:.2} |", microseconds(&general, &facts));
    }
    let (usual, worst) = of_random(&general);
    println!("| random, median of {RANDOM} | | {usual:.2} |\n| random, dearest of {RANDOM} | | {worst:.2} |");
    for rules in [50, 200, 1000] {
        let policy = Policy::compile(synthetic(rules, 1), ContentHash::default())?;
        let (usual, worst) = of_random(&policy);
        let rows = policy.row_count();
        println!("| synthetic, {rules} rules, {rows} rows: random, median | | {usual:.2} |");
        println!("| synthetic, {rules} rules, {rows} rows: random, dearest | | {worst:.2} |");
    }
    println!("\nothers' CPU {:.2}", meter.stop().others);
    Ok(())
}

fn general() -> anyhow::Result<Policy> {
    let catalog = Catalog::builtin();
    let services = catalog.services().iter().map(|service| service.id.clone()).collect();
    let parsed = parse_with(GENERAL, Names { services, ..Names::default() });
    let model = parsed.model.context("the general policy does not run; see `writ policy check`")?;
    Ok(Policy::compile(model, parsed.hash)?)
}

/// The smallest of several means: what disturbs only adds.
fn microseconds(policy: &Policy, facts: &Facts) -> f64 {
    (0..7).map(|_| mean_of(policy, facts, 2 * LEAST)).fold(f64::MAX, f64::min)
}

/// The mean of as many decisions as fit into about this time.
fn mean_of(policy: &Policy, facts: &Facts, at_least: Duration) -> f64 {
    let (begun, mut times) = (now(), 0.0);
    while begun.elapsed() < at_least {
        for _ in 0..8 {
            black_box(policy.decide(black_box(facts)));
            times += 1.0;
        }
    }
    micro(begun.elapsed()) / times
}

/// The shortest time that is worth a look at the clock.
const LEAST: Duration = Duration::from_micros(500);

fn micro(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// Median and dearest of random situations. The dearest ten are measured again, so that an interruption is not taken for
/// a situation.
fn of_random(policy: &Policy) -> (f64, f64) {
    let mut random = Seeded::new(7);
    let all: Vec<Facts> = (0..RANDOM).map(|_| situation(&mut random)).collect();
    let mut each: Vec<(f64, &Facts)> = all.iter().map(|facts| (mean_of(policy, facts, LEAST), facts)).collect();
    each.sort_by(|one, other| other.0.total_cmp(&one.0));
    let dearest = each.iter().take(10).map(|(_, facts)| microseconds(policy, facts)).fold(0.0, f64::max);
    let mut times: Vec<f64> = each.iter().map(|(time, _)| *time).collect();
    (median(&mut times), dearest)
}

/// Situations as a gateway sees them, from the commonest on.
fn typical() -> Vec<(&'static str, Facts)> {
    let base = || {
        Facts {
            who: Who::Employee.into(),
            identity: Identity::Password.into(),
            action: Action::Submit.into(),
            service: Term::fixed("openai-api").into(),
            category: Category::ModelApi.into(),
            tier: Term::fixed("standard").into(),
            status: Status::Approved.into(),
            account: Account::Corporate.into(),
            channel: Channel::Api.into(),
            device: Device::Managed.into(),
            cleared: ["contact", "source-code"]
                .map(Term::fixed)
                .into_iter()
                .collect::<std::collections::BTreeSet<_>>()
                .into(),
            ..Facts::default()
        }
        .completed()
    };
    let with = |classes: &[(&'static str, u32)], change: &dyn Fn(&mut Facts)| {
        let mut facts = base();
        let found = |count: u32| Found { likely: count, certain: count };
        let classes = classes.iter().map(|(class, count)| (Term::fixed(class), found(*count)));
        facts.data = classes.collect::<std::collections::BTreeMap<_, _>>().into();
        change(&mut facts);
        facts
    };
    let nothing: &dyn Fn(&mut Facts) = &|_| {};
    vec![
        ("nothing found, approved service", with(&[], nothing)),
        ("contact data, approved service", with(&[("contact", 3)], nothing)),
        ("card number, approved service", with(&[("payment", 1)], nothing)),
        ("source code, approved service", with(&[("source-code", 1)], nothing)),
        ("health record, not cleared", with(&[("phi", 1), ("contact", 1), ("pii", 1)], nothing)),
        ("keys by the dozen", with(&[("credentials", 12)], nothing)),
        ("nothing found, service in review", with(&[], &|facts| facts.status = Status::InReview.into())),
        ("nothing found, unknown service", with(&[], &|facts| facts.status = Status::Discovered.into())),
        ("contractor, confidential plan", {
            with(&[("strategic", 2)], &|facts| {
                facts.who = Who::Contractor.into();
                facts.level = Level::Confidential.into();
            })
        }),
        ("agent's answer with an injection", {
            with(&[("contact", 2)], &|facts| {
                facts.who = Who::Agent.into();
                facts.action = Action::ToolResult.into();
                facts.signal = Set::one(Signal::Injection).into();
            })
        }),
    ]
}
