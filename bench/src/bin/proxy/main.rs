//! What the forward proxy costs, beside no proxy and beside interceptors that read nothing: same upstream, same
//! generator, one run.
//!
//! ```text
//! cargo xtask bench proxy [--seconds N] [--repeat N] [--load NAME]... [--leg NAME]... [--anchors]
//! ```
//!
//! Generator and upstream run in this process on the last CPU, the proxies on the first one. Figures of CPU time are of
//! the proxy's process tree, from the kernel's counters; loads are repeated, leg after leg in each round, and the median
//! is printed. Loads of memory get a proxy that was just started. What other processes took stands beside each line: on
//! a machine that others use only CPU time and memory mean something. Generator and upstream share a CPU, so that ratios
//! between proxies count, not the distance to the direct leg at many connections.
//!
//! Legs: the least interceptor (hyper and rustls, no inspection; with HTTP/1.1 and with HTTP/2 to the service, which is
//! what Writ speaks there), hudsucker (`--anchors`, built for that only), mitmproxy (a pinned version, installed below
//! the build output at the first run), Squid with `ssl_bump` (if it is installed). `Writ, nothing on` opens every
//! connection to set a header, host mode `head-only`: nothing is read, decided or recorded per request. `Writ,
//! everything on` is the general policy with detection, ledger and index. Both authenticate their users, and reach the
//! service through a parent proxy (one round trip more for each connection to a service).

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for a terminal")]

mod client;
mod interceptor;
mod legs;
mod loads;
mod peers;
mod report;
mod upstream;

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use writ_bench::cpu::Meter;
use writ_bench::processes::{allow_files, pin_this};

use client::{Tls, Way};
use legs::{Leg, Process, World};
use loads::{Held, Timed};
use peers::Squid;
use report::{HeldRow, Report, TimedRow};
use upstream::{HOST, Upstream};

/// What the forward proxy costs, beside no proxy and beside other interceptors
#[derive(Debug, Parser)]
struct Arguments {
    /// How long one measurement lasts, about
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Measurements of each line; the median is printed
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=10))]
    repeat: u8,
    /// Which loads; all without it
    #[arg(long, value_parser = ["prompt", "agent", "chat", "handshake", "memory"])]
    load: Vec<String>,
    /// Which legs; all without it
    #[arg(long, value_parser = ["direct", "minimal", "hudsucker", "mitmproxy", "squid", "writ"])]
    leg: Vec<String>,
    /// With hudsucker, which was built as `hudsucker-anchor` beside this program
    #[arg(long)]
    anchors: bool,
    /// The `writ` to measure; without it the one beside this program
    #[arg(long)]
    writ: Option<PathBuf>,
    #[command(subcommand)]
    role: Option<Role>,
}

#[derive(Debug, Subcommand)]
enum Role {
    /// Serve as the least interceptor
    #[command(hide = true)]
    Interceptor(interceptor::Interceptor),
}

/// A thousand connections have two ends here, and two more in a proxy.
const FILES: u32 = 8192;

fn main() -> anyhow::Result<()> {
    let mut arguments = Arguments::parse();
    if let Some(Role::Interceptor(interceptor)) = arguments.role.take() {
        return runtime()?.block_on(interceptor.serve());
    }
    let cpus = std::thread::available_parallelism()?.get();
    let pin = cpus > 1 && pin_this(cpus - 1);
    if !pin {
        eprintln!("not pinned: one CPU only, or no `taskset`; generator and proxies disturb each other");
    }
    if !allow_files(FILES) {
        eprintln!("the limit of open files was not raised: 1000 idle connections may not be possible");
    }
    runtime()?.block_on(run(&arguments, pin.then_some(0)))
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}

async fn run(arguments: &Arguments, cpu: Option<usize>) -> anyhow::Result<()> {
    let here = std::env::current_exe()?;
    let beside = here.parent().context("this program lies in no folder")?;
    let writ = arguments.writ.clone().unwrap_or_else(|| beside.join("writ"));
    let folder = beside.join("../bench/proxy");
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir_all(&folder)?;
    let folder = folder.canonicalize()?;
    let upstream = upstream::start().await?;
    peers::write_authorities(&folder, &upstream.ca.pem())?;
    let tls = Tls::new(&upstream.ca)?;
    let legs = legs(arguments, beside, &folder);
    let writ = writ.canonicalize().context("build `writ` first: release")?;
    let world = World { folder, cpu, service: upstream.port, writ };
    let mut bench = Bench { arguments, upstream, tls, world, legs, next: 1, report: Report::default() };
    let chosen = |group: &str| arguments.load.is_empty() || arguments.load.iter().any(|load| load == group);
    bench.timed(&STEPS.iter().filter(|(group, _)| chosen(group)).map(|(_, step)| *step).collect::<Vec<_>>()).await;
    if chosen("memory") {
        bench.held().await;
    }
    print!("{}", bench.report.text());
    anyhow::ensure!(bench.report.failures.is_empty(), "a leg of Writ failed: {}", bench.report.failures.join("; "));
    Ok(())
}

/// The legs that were asked for and are there.
fn legs(arguments: &Arguments, beside: &Path, folder: &Path) -> Vec<Leg> {
    let chosen = |name: &str| arguments.leg.is_empty() || arguments.leg.iter().any(|leg| leg == name);
    let mut legs = Vec::new();
    let mut add = |name: &str, found: anyhow::Result<Vec<Leg>>| match found {
        Ok(found) => legs.extend(found),
        Err(error) => eprintln!("{name} is left out: {error:#}"),
    };
    if chosen("direct") {
        add("direct", Ok(vec![Leg::Direct]));
    }
    if chosen("minimal") {
        add("minimal", Ok(vec![Leg::Minimal { http2: false }, Leg::Minimal { http2: true }]));
    }
    if chosen("hudsucker") && arguments.anchors {
        let program = beside.join("hudsucker-anchor");
        add(
            "hudsucker",
            program.canonicalize().context("it was not built").map(|program| vec![Leg::Hudsucker(program)]),
        );
    }
    if chosen("mitmproxy") {
        let place = folder.join("../mitmproxy");
        let found = std::fs::create_dir_all(&place).and_then(|()| place.canonicalize());
        let installed = found.map_err(anyhow::Error::from).and_then(|place| peers::install_mitmproxy(&place));
        add("mitmproxy", installed.map(|program| vec![Leg::Mitmproxy(program)]));
    }
    if chosen("squid") {
        add("Squid", Squid::find().map(|squid| vec![Leg::Squid(squid)]));
    }
    if chosen("writ") {
        add("Writ", Ok(vec![Leg::WritHeads, Leg::Writ]));
    }
    legs
}

/// Loads that are measured together: what is seen before is sent right before.
const STEPS: &[(&str, &[Timed])] = &[
    ("prompt", &[Timed::Prompt(1)]),
    ("prompt", &[Timed::Prompt(16)]),
    ("prompt", &[Timed::Prompt(64)]),
    ("prompt", &[Timed::Streams(64)]),
    ("agent", &[Timed::AgentNew, Timed::AgentSeen]),
    ("chat", &[Timed::Chat]),
    ("handshake", &[Timed::KnownHost]),
    ("handshake", &[Timed::NewHost]),
];
/// Each on a proxy that was just started.
const MEMORY: [Held; 4] = [Held::Idle(1000), Held::UploadBytes, Held::UploadJson, Held::Download];
/// Prompts that warm a leg up, and again so many that tell how long one takes.
const WARM: usize = 32;
/// How long Writ may do after a load what it put off: the index follows within half a second.
const SETTLE: Duration = Duration::from_millis(1500);

struct Bench<'a> {
    arguments: &'a Arguments,
    upstream: Upstream,
    tls: Tls,
    world: World,
    legs: Vec<Leg>,
    /// Number of the next conversation, and of the next new host.
    next: u64,
    report: Report,
}

/// A leg that is up.
struct Up {
    leg: Leg,
    process: Option<Process>,
    way: Way,
    /// How long a prompt takes.
    one: Duration,
}

impl Up {
    fn process(&self) -> Option<u32> {
        self.process.as_ref().map(|process| process.running.pid())
    }
}

impl Bench<'_> {
    /// Measures CPU time and times. What fails is said and left out.
    async fn timed(&mut self, steps: &[&[Timed]]) {
        if steps.is_empty() {
            return;
        }
        let mut up = Vec::new();
        for leg in self.legs.clone() {
            match self.start(&leg).await {
                Ok(started) => up.push(started),
                Err(error) => self.failed(&leg, &error),
            }
        }
        for step in steps {
            self.step(step, &up).await;
        }
        for Up { leg, process, .. } in up {
            // Those that do not end cleanly by themselves are killed.
            if let Some(Err(error)) = process.map(|process| process.end(leg.is_writ())) {
                self.failed(&leg, &error);
            }
        }
    }

    fn failed(&mut self, leg: &Leg, error: &anyhow::Error) {
        let text = format!("{}: {error:#}", leg.name());
        eprintln!("{text}");
        if leg.is_writ() {
            self.report.failures.push(text);
        }
    }

    /// Starts a leg, looks that it is what it should be, and warms it up.
    async fn start(&mut self, leg: &Leg) -> anyhow::Result<Up> {
        let process = leg.start(&self.world).await?;
        let (service, named) = (self.world.service, self.world.service);
        let direct = Way { proxy: None, authorization: None, service, named };
        let way = process.as_ref().map_or(direct, |process| process.way.clone());
        let intercepted = !self.tls.is_service(&way, HOST).await?;
        anyhow::ensure!(intercepted == process.is_some(), "the leg is not what it should be: it does not intercept");
        let (before, numbers) = (self.numbers(WARM), self.numbers(WARM));
        loads::warm(&self.tls, &way, &before).await?;
        let one = loads::warm(&self.tls, &way, &numbers).await?;
        Ok(Up { leg: leg.clone(), process, way, one })
    }

    fn numbers(&mut self, count: usize) -> Vec<u64> {
        let first = self.next;
        self.next += u64::try_from(count).unwrap_or(1);
        (first..self.next).collect()
    }

    async fn step(&mut self, step: &[Timed], up: &[Up]) {
        let mut rows: Vec<Vec<TimedRow>> =
            up.iter().map(|up| step.iter().map(|timed| TimedRow::new(*timed, &up.leg)).collect()).collect();
        for round in 0..self.arguments.repeat {
            eprintln!("{}: round {}", step.first().map(|timed| timed.name()).unwrap_or_default(), round + 1);
            // All legs get the same: none of them knows what another one saw.
            let first = self.next;
            let mut most = 0;
            for (up, rows) in up.iter().zip(&mut rows) {
                let http2 = step.iter().any(|timed| timed.http2());
                if http2 && !up.leg.http2() || rows.iter().any(|row| row.failed) {
                    continue;
                }
                let count = step.iter().map(|timed| timed.count(self.arguments.seconds, up.one)).min().unwrap_or(1);
                most = most.max(count);
                let numbers: Vec<u64> = (first..).take(count).collect();
                for (timed, row) in step.iter().zip(rows) {
                    if let Err(error) = self.measure(up, *timed, &numbers, row).await {
                        row.failed = true;
                        self.failed(&up.leg, &error.context(timed.name()));
                    }
                }
            }
            self.next = first + u64::try_from(most).unwrap_or(1);
        }
        let mut rows: Vec<_> = rows.into_iter().map(Vec::into_iter).collect();
        for _ in step {
            self.report.timed.extend(rows.iter_mut().filter_map(Iterator::next));
        }
    }

    async fn measure(&self, up: &Up, timed: Timed, numbers: &[u64], row: &mut TimedRow) -> anyhow::Result<()> {
        let ready = loads::ready(&self.tls, &up.way, timed, numbers).await?;
        let arrived = &self.upstream.arrived;
        let before = (arrived.requests.load(Ordering::Relaxed), arrived.bytes.load(Ordering::Relaxed));
        let process = up.process();
        let meter = Meter::start(process.as_slice());
        let outcome = ready.run(&self.tls, &up.way).await?;
        if up.leg.is_writ() {
            tokio::time::sleep(SETTLE).await;
        }
        let used = meter.stop();
        let requests = arrived.requests.load(Ordering::Relaxed) - before.0;
        let bytes = arrived.bytes.load(Ordering::Relaxed) - before.1;
        if (requests, bytes) != (outcome.requests, outcome.sent) {
            let sent = (outcome.requests, outcome.sent);
            anyhow::bail!("{} requests with {} bytes were sent, {requests} with {bytes} arrived", sent.0, sent.1);
        }
        row.add(outcome, &used);
        Ok(())
    }

    /// Measures memory, each load on a proxy that was just started.
    async fn held(&mut self) {
        for held in MEMORY {
            eprintln!("{}", held.name());
            for leg in self.legs.clone() {
                if matches!(leg, Leg::Direct) {
                    continue;
                }
                match self.hold(held, &leg).await {
                    Ok(row) => self.report.held.push(row),
                    Err(error) => self.failed(&leg, &error.context(held.name())),
                }
            }
        }
    }

    async fn hold(&mut self, held: Held, leg: &Leg) -> anyhow::Result<HeldRow> {
        let up = self.start(leg).await?;
        let process = up.process().context("this leg has no process")?;
        let meter = Meter::start(&[process]);
        let kept = held.run(&self.tls, &up.way, process).await?;
        let used = meter.stop();
        if let Some(process) = up.process {
            process.end(leg.is_writ())?;
        }
        Ok(HeldRow::new(held, leg, kept, &used))
    }
}
