//! What a decision costs, from raw facts to both verdicts with all clauses; beside it Cedar's authorizer on the exported
//! policies, each building its own request.
//!
//! ```text
//! cargo xtask bench policy
//! ```

#![expect(clippy::print_stdout, reason = "a program for a terminal")]

use std::hint::black_box;
use std::time::Duration;

use anyhow::Context as _;
use writ_base::ContentHash;
use writ_catalog::Catalog;
use writ_cedar::Peer;
use writ_cedar::time::{now, quantile};
use writ_model::facts::Found;
use writ_model::{Account, Action, Category, Channel, Device, Facts, Identity, Level, Set, Signal, Status, Term, Who};
use writ_policy::check::parse_with;
use writ_policy::eval::Policy;
use writ_policy::eval::testing::{Seeded, situation, synthetic};
use writ_policy::words::Names;

const GENERAL: &str = include_str!("../../../../catalog/policies/general.md");
/// Random situations over which shares are taken.
const RANDOM: usize = 2_000;
/// Of those, situations that are also given to Cedar.
const BESIDE: usize = 300;
/// Rounds of which the shortest counts: what disturbs only adds.
const ROUNDS: usize = 9;
/// Decisions in one look at the clock.
const TOGETHER: u32 = 16;

fn main() -> anyhow::Result<()> {
    let general = general()?;
    println!("load {}", load());
    println!("general policy: {} rules, {} rows\n", general.model().rules.len(), general.row_count());
    println!("| situation | effect | µs a decision |\n|---|---|--:|");
    for (name, facts) in typical() {
        let effect = general.decide(&facts).enforced.effect;
        println!(
            "| {name} | {effect:?} | {} |",
            micro(least(TOGETHER, || black_box(general.decide(black_box(&facts)))))
        );
    }
    println!("\n| policy | rows | p50 µs | p99 µs | bits p50 | bits p99 | Cedar policies | p50 µs | p99 µs | times |");
    println!("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
    line("general", &general)?;
    for rules in [50, 200, 1000] {
        line(&format!("synthetic, {rules} rules"), &Policy::compile(synthetic(rules, 1), ContentHash::default())?)?;
    }
    println!("\nload {}", load());
    Ok(())
}

/// A policy: whole decisions, the evaluation of its rows alone, and Cedar beside them.
fn line(name: &str, policy: &Policy) -> anyhow::Result<()> {
    let mut random = Seeded::new(7);
    let all: Vec<Facts> = (0..RANDOM).map(|_| situation(&mut random)).collect();
    let mut whole: Vec<Duration> =
        all.iter().map(|facts| least(TOGETHER, || black_box(policy.decide(black_box(facts))))).collect();
    let bits = |facts: &Facts| {
        let situation = policy.lowered(facts);
        least(TOGETHER, || black_box(policy.rows_alone(black_box(&situation))))
    };
    let mut bits: Vec<Duration> = all.iter().map(bits).collect();
    let peer = Peer::of(policy)?;
    let few = all.iter().take(BESIDE);
    few.clone().try_for_each(|facts| peer.allows(facts).map(|_| ()))?;
    let mut cedar: Vec<Duration> =
        few.map(|facts| least(1, || black_box(peer.allows(black_box(facts)).ok()))).collect();
    let share = |times: &mut Vec<Duration>| [0.5, 0.99].map(|share| quantile(times, share));
    let ([p50, p99], [bits50, bits99], [cedar50, cedar99]) = (share(&mut whole), share(&mut bits), share(&mut cedar));
    println!(
        "| {name} | {} | {} | {} | {} | {} | {} | {} | {} | {:.0} |",
        policy.row_count(),
        micro(p50),
        micro(p99),
        micro(bits50),
        micro(bits99),
        peer.len(),
        micro(cedar50),
        micro(cedar99),
        cedar50.as_secs_f64() / p50.as_secs_f64(),
    );
    Ok(())
}

/// The shortest of several means.
fn least<T>(times: u32, mut act: impl FnMut() -> T) -> Duration {
    let round = |_| {
        let begun = now();
        (0..times).for_each(|_| {
            act();
        });
        begun.elapsed() / times
    };
    (0..ROUNDS).map(round).min().unwrap_or_default()
}

fn micro(time: Duration) -> String {
    format!("{:.2}", time.as_secs_f64() * 1e6)
}

/// How busy the machine is, as Linux says.
fn load() -> String {
    std::fs::read_to_string("/proc/loadavg").map_or_else(|_| "unknown".to_owned(), |text| text.trim().to_owned())
}

fn general() -> anyhow::Result<Policy> {
    let services = Catalog::builtin().services().iter().map(|service| service.id.clone()).collect();
    let parsed = parse_with(GENERAL, Names { services, ..Names::default() });
    let model = parsed.model.context("the general policy does not run; see `writ policy check`")?;
    Ok(Policy::compile(model, parsed.hash)?)
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
