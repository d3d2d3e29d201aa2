//! What the gateway costs, beside no gateway at all and beside LiteLLM: same upstream, same generator, one run.
//!
//! ```text
//! cargo xtask bench gateway [--seconds N] [--repeat N] [--load prompt|chat|agent]... [--no-peer]
//! ```
//!
//! Generator and upstream run in this process on the last CPU, the proxies on the first one, one after the other. The
//! figure that counts is CPU time of the proxy's process tree per request, read from the kernel's counters; the median of
//! the repetitions is printed. Writ runs the general policy with ledger and index; what the index costs is measured again
//! by itself, on the ledger that the run wrote, and taken off to give the path. Latency and throughput depend on what
//! else the machine does, so the CPU that other processes took stands beside each line.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for a terminal")]

mod client;
mod legs;
mod upstream;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use clap::Parser;
use writ_bench::cpu::{Meter, Used};
use writ_bench::processes::pin_this;
use writ_bench::time::{median, quantile};
use writ_bench::traffic::Load;
use writ_store::Index;
use writ_store::ledger::LedgerReader;
use writ_store::storage::FileStorage;

use client::{Outcome, Target};
use legs::{Proxy, Writ};
use upstream::Upstream;

/// What the gateway costs, beside no gateway and beside LiteLLM
#[derive(Debug, Parser)]
struct Arguments {
    /// How long one measurement lasts, about
    #[arg(long, default_value_t = 4.0)]
    seconds: f64,
    /// Measurements of each line; the median is printed
    #[arg(long, default_value_t = 3)]
    repeat: usize,
    /// Which loads; all without it
    #[arg(long, value_parser = ["prompt", "chat", "agent"])]
    load: Vec<String>,
    /// Leave LiteLLM out
    #[arg(long)]
    no_peer: bool,
    /// The `writ` to measure; without it the one beside this program
    #[arg(long)]
    writ: Option<PathBuf>,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let cpus = std::thread::available_parallelism()?.get();
    let pin = cpus > 1 && pin_this(cpus - 1);
    if !pin {
        eprintln!("not pinned: one CPU only, or no `taskset`; generator and proxies disturb each other");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(run(&arguments, pin.then_some(0)))
}

/// Requests that warm a leg up, and again so many that tell how long one takes.
const WARM: usize = 4;
/// How long a proxy may do after the load what it put off: the index follows within half a second.
const SETTLE: Duration = Duration::from_millis(1500);

async fn run(arguments: &Arguments, cpu: Option<usize>) -> anyhow::Result<()> {
    let here = std::env::current_exe()?;
    let beside = here.parent().context("this program lies in no folder")?;
    let program = arguments.writ.clone().unwrap_or_else(|| beside.join("writ"));
    let folder = beside.join("../bench");
    let work = folder.join("gateway");
    if work.exists() {
        std::fs::remove_dir_all(&work)?;
    }
    std::fs::create_dir_all(&work)?;
    let (work, program) = (work.canonicalize()?, program.canonicalize().context("build `writ` first: release")?);

    let upstream = upstream::start().await?;
    let writ = Writ::new(&program, &work.join("writ"));
    let mut legs = vec![Leg::direct(&upstream)?, Leg::proxy("Writ", writ.start(&upstream, cpu).await?)];
    if !arguments.no_peer {
        let peer = legs::install_litellm(&folder.canonicalize()?.join("litellm"))?;
        let proxy = legs::start_litellm(&peer, &work.join("litellm"), &upstream, cpu).await?;
        legs.push(Leg::proxy(&format!("LiteLLM {}", legs::LITELLM), proxy));
    }
    println!("| load | leg | CPU µs/request | CPU µs/MB | times Writ | p50 µs | p99 µs | requests/s | others' CPU |");
    println!("|---|---|--:|--:|--:|--:|--:|--:|--:|");
    let mut bench = Bench { arguments, upstream, legs, next: 1, writ_requests: 0 };
    for step in STEPS {
        let chosen = |load: &Load| arguments.load.is_empty() || arguments.load.iter().any(|l| l == load.group());
        if step.iter().all(chosen) {
            bench.step(step).await?;
        }
    }
    let Bench { legs, writ_requests, .. } = bench;
    for leg in legs {
        if let Some(proxy) = leg.proxy.filter(|_| leg.name == "Writ") {
            proxy.end()?;
        }
    }
    index(&writ.ledger(), &work, writ_requests, arguments.repeat).await
}

/// Loads that are measured together: what is seen before is sent right before.
const STEPS: &[&[Load]] = &[
    &[Load::Prompt],
    &[Load::Chat],
    &[Load::AgentNew(0), Load::AgentSeen(0)],
    &[Load::AgentNew(2000), Load::AgentSeen(2000)],
];

struct Leg {
    name: String,
    target: Target,
    proxy: Option<Proxy>,
}

impl Leg {
    fn direct(upstream: &Upstream) -> anyhow::Result<Self> {
        let target =
            Target { port: upstream.port, tls: Some(client::tls(&upstream.ca)?), key: "sk-bench-upstream".into() };
        Ok(Self { name: "direct".into(), target, proxy: None })
    }

    fn proxy(name: &str, proxy: Proxy) -> Self {
        Self { name: name.into(), target: proxy.target.clone(), proxy: Some(proxy) }
    }
}

struct Bench<'a> {
    arguments: &'a Arguments,
    upstream: Upstream,
    legs: Vec<Leg>,
    /// Number of the next conversation.
    next: u64,
    /// Requests that Writ answered.
    writ_requests: usize,
}

/// The measurements of one load on one leg.
#[derive(Debug, Default)]
struct Line {
    cpu_us: Vec<f64>,
    cpu_us_per_mb: Vec<f64>,
    per_second: Vec<f64>,
    others: Vec<f64>,
    times: Vec<Duration>,
}

impl Bench<'_> {
    async fn step(&mut self, loads: &[Load]) -> anyhow::Result<()> {
        let mut lines: Vec<Vec<Line>> =
            self.legs.iter().map(|_| loads.iter().map(|_| Line::default()).collect()).collect();
        let mut counts = Vec::new();
        for (leg, lines) in lines.iter_mut().enumerate() {
            counts.push(self.latency(leg, loads, lines).await?);
        }
        for round in 0..self.arguments.repeat {
            eprintln!("{}: round {}", loads.first().map_or("", |load| load.group()), round + 1);
            for (leg, lines) in lines.iter_mut().enumerate() {
                let count = counts.get(leg).copied().unwrap_or(1);
                self.round(leg, loads, lines, count).await?;
            }
        }
        self.print(loads, lines);
        Ok(())
    }

    /// Warms a leg up, measures it with one connection, and says how many requests a measurement takes.
    async fn latency(&mut self, leg: usize, loads: &[Load], lines: &mut [Line]) -> anyhow::Result<usize> {
        let numbers = self.numbers(WARM);
        for load in loads {
            self.send(leg, *load, &numbers, 1).await?;
        }
        let mut one = Duration::ZERO;
        let numbers = self.numbers(WARM);
        for load in loads {
            let outcome = self.send(leg, *load, &numbers, 1).await?;
            one = one.max(mean(&outcome.times));
        }
        let within = |seconds: f64, least: f64, most: f64| (seconds / one.as_secs_f64()).clamp(least, most);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of requests, clamped")]
        let (alone, many) =
            (within(2.0, 12.0, 5_000.0) as usize, within(self.arguments.seconds, 12.0, 60_000.0) as usize);
        let many = if loads.len() > 1 { many.min(96) } else { many };
        let numbers = self.numbers(if loads.len() > 1 { alone.min(96) } else { alone });
        for (load, line) in loads.iter().zip(lines) {
            line.times = self.send(leg, *load, &numbers, 1).await?.times;
        }
        Ok(many)
    }

    async fn round(&mut self, leg: usize, loads: &[Load], lines: &mut [Line], count: usize) -> anyhow::Result<()> {
        let numbers = self.numbers(count);
        for (load, line) in loads.iter().zip(lines) {
            let bodies = bodies(*load, &numbers);
            let meter = Meter::start(&self.processes());
            let begun = writ_bench::time::now();
            let outcome = self.send_bodies(leg, *load, bodies, load.connections()).await?;
            let took = begun.elapsed();
            tokio::time::sleep(SETTLE).await;
            line.add(&outcome, took, &meter.stop(), self.place(leg));
        }
        Ok(())
    }

    fn numbers(&mut self, count: usize) -> Vec<u64> {
        let first = self.next;
        self.next += u64::try_from(count).unwrap_or(1);
        (first..self.next).collect()
    }

    async fn send(&mut self, leg: usize, load: Load, numbers: &[u64], connections: usize) -> anyhow::Result<Outcome> {
        self.send_bodies(leg, load, bodies(load, numbers), connections).await
    }

    /// Sends, and checks that the upstream got every request in its full length.
    async fn send_bodies(
        &mut self,
        leg: usize,
        load: Load,
        bodies: Arc<[Bytes]>,
        connections: usize,
    ) -> anyhow::Result<Outcome> {
        let Some(leg) = self.legs.get(leg) else { anyhow::bail!("there is no such leg") };
        let arrived = || {
            let arrived = &self.upstream.arrived;
            (arrived.requests.load(Ordering::Relaxed), arrived.bytes.load(Ordering::Relaxed))
        };
        let before = arrived();
        let sent: usize = bodies.iter().map(Bytes::len).sum();
        let count = bodies.len();
        let outcome = client::send_all(&leg.target, bodies, load.events(), connections).await;
        let outcome = outcome.with_context(|| format!("{}, {}", leg.name, load.name()))?;
        let after = arrived();
        let (requests, bytes) = (after.0 - before.0, after.1 - before.1);
        if leg.name == "Writ" {
            self.writ_requests += count;
            anyhow::ensure!(u64::try_from(sent)? == bytes, "Writ changed what it should pass on as it is");
        }
        if leg.name == "Writ" || leg.proxy.is_none() {
            anyhow::ensure!(u64::try_from(count)? == requests, "{requests} of {count} requests reached the upstream");
        } else if u64::try_from(count)? != requests {
            eprintln!("    {}: {requests} requests reached the upstream for {count} sent", leg.name);
        }
        Ok(outcome)
    }

    fn processes(&self) -> Vec<u32> {
        self.legs.iter().filter_map(|leg| leg.proxy.as_ref()).map(Proxy::pid).collect()
    }

    /// Where a leg's process stands among those that are measured.
    fn place(&self, leg: usize) -> Option<usize> {
        self.legs.get(leg)?.proxy.as_ref()?;
        Some(self.legs.iter().take(leg).filter(|leg| leg.proxy.is_some()).count())
    }

    fn print(&self, loads: &[Load], mut lines: Vec<Vec<Line>>) {
        for (place, load) in loads.iter().enumerate() {
            let writ = self.legs.iter().position(|leg| leg.name == "Writ");
            let writ =
                writ.and_then(|leg| lines.get_mut(leg)?.get_mut(place)).map_or(f64::NAN, |l| median(&mut l.cpu_us));
            for (leg, lines) in self.legs.iter().zip(&mut lines) {
                if let Some(line) = lines.get_mut(place) {
                    println!("| {} | {} | {} |", load.name(), leg.name, line.text(leg.proxy.is_some(), writ));
                }
            }
        }
    }
}

fn mean(times: &[Duration]) -> Duration {
    times.iter().sum::<Duration>() / u32::try_from(times.len()).unwrap_or(u32::MAX).max(1)
}

fn bodies(load: Load, numbers: &[u64]) -> Arc<[Bytes]> {
    numbers.iter().map(|number| load.body(*number)).collect()
}

impl Line {
    #[expect(clippy::cast_precision_loss, reason = "measurements")]
    fn add(&mut self, outcome: &Outcome, took: Duration, used: &Used, place: Option<usize>) {
        let requests = outcome.times.len() as f64;
        if let Some(cpu) = place.and_then(|place| used.of.get(place)) {
            let cpu = cpu.as_secs_f64() * 1e6;
            self.cpu_us.push(cpu / requests);
            self.cpu_us_per_mb.push(cpu / (outcome.bytes as f64 / 1e6));
        }
        self.per_second.push(requests / took.as_secs_f64());
        self.others.push(used.others);
    }

    fn text(&mut self, proxy: bool, writ: f64) -> String {
        let micro = |time: Duration| time.as_secs_f64() * 1e6;
        let (p50, p99) = (micro(quantile(&mut self.times, 0.5)), micro(quantile(&mut self.times, 0.99)));
        let (rate, others) = (median(&mut self.per_second), median(&mut self.others));
        let rest = format!("{p50:.0} | {p99:.0} | {rate:.0} | {others:.2}");
        if !proxy {
            return format!("- | - | - | {rest}");
        }
        let cpu = median(&mut self.cpu_us);
        let spread = self.cpu_us.iter().fold((f64::MAX, 0.0_f64), |(low, high), us| (low.min(*us), high.max(*us)));
        eprintln!("    {:.1} to {:.1} µs", spread.0, spread.1);
        format!("{cpu:.1} | {:.0} | {:.1} | {rest}", median(&mut self.cpu_us_per_mb), cpu / writ)
    }
}

/// What the index costs by itself: it is built anew from the ledger that the run wrote.
#[expect(clippy::cast_precision_loss, reason = "measurements")]
async fn index(ledger: &Path, work: &Path, requests: usize, repeat: usize) -> anyhow::Result<()> {
    let storage = Arc::new(FileStorage::new(ledger)?);
    let (mut each, mut entries, mut others) = (Vec::new(), 0, Vec::new());
    for round in 0..repeat {
        let index = Index::open(&work.join(format!("index-{round}"))).await?;
        let meter = Meter::start(&[]);
        entries = index.catch_up(&mut LedgerReader::new(storage.clone(), 0)).await?;
        index.close().await?;
        let used = meter.stop();
        each.push(used.own.as_secs_f64() * 1e6 / requests as f64);
        others.push(used.others);
    }
    let (cpu, others) = (median(&mut each), median(&mut others));
    println!("\nindex: {cpu:.2} µs CPU a record ({requests} interactions, {entries} entries), others' CPU {others:.2}");
    println!("path = CPU of a request less that of its record in the index");
    Ok(())
}
