//! The tables that are printed.

use std::fmt::Write as _;
use std::time::Duration;

use writ_bench::cpu::Used;
use writ_bench::time::{median, quantile};

use crate::legs::Leg;
use crate::loads::{Held, Kept, Outcome, Timed};

/// All that was measured.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) timed: Vec<TimedRow>,
    pub(crate) held: Vec<HeldRow>,
    /// What went wrong with Writ.
    pub(crate) failures: Vec<String>,
}

/// Measurements of one load on one leg.
#[derive(Debug)]
pub(crate) struct TimedRow {
    timed: Timed,
    leg: String,
    everything: bool,
    pub(crate) failed: bool,
    cpu_us: Vec<f64>,
    times: Vec<Duration>,
    per_second: Vec<f64>,
    others: Vec<f64>,
    together: usize,
}

impl TimedRow {
    pub(crate) fn new(timed: Timed, leg: &Leg) -> Self {
        Self {
            timed,
            leg: leg.name(),
            everything: matches!(leg, Leg::Writ),
            failed: false,
            cpu_us: Vec::new(),
            times: Vec::new(),
            per_second: Vec::new(),
            others: Vec::new(),
            together: 0,
        }
    }

    /// Adds a round.
    #[expect(clippy::cast_precision_loss, reason = "measurements")]
    pub(crate) fn add(&mut self, outcome: Outcome, used: &Used) {
        let units = outcome.times.len() as f64;
        self.cpu_us.extend(used.of.first().map(|cpu| micro(*cpu) / units));
        self.per_second.push(units / outcome.took.as_secs_f64());
        self.others.push(used.others);
        self.together += outcome.together;
        self.times.extend(outcome.times);
    }

    fn cpu(&self) -> Option<f64> {
        (!self.cpu_us.is_empty()).then(|| median(&mut self.cpu_us.clone()))
    }

    fn p50(&self) -> f64 {
        micro(quantile(&mut self.times.clone(), 0.5))
    }

    fn measured(&self) -> bool {
        !self.failed && !self.times.is_empty()
    }

    fn text(&self, direct: Option<f64>) -> String {
        let (name, leg) = (self.timed.name(), &self.leg);
        if !self.measured() {
            return format!("| {name} | {leg} | - | - | - | - | - | - | - |");
        }
        let p99 = micro(quantile(&mut self.times.clone(), 0.99));
        let added = direct.map_or_else(|| "-".into(), |direct| format!("{:+.0}", self.p50() - direct));
        let cpu = self.cpu().map_or_else(|| "-".into(), |cpu| format!("{cpu:.1} per {}", self.timed.unit()));
        let together = if self.timed == Timed::Chat { self.together.to_string() } else { "-".into() };
        let (rate, others) = (median(&mut self.per_second.clone()), median(&mut self.others.clone()));
        format!(
            "| {name} | {leg} | {cpu} | {:.0} | {p99:.0} | {added} | {rate:.0} | {together} | {others:.2} |",
            self.p50()
        )
    }
}

/// A measurement of memory.
#[derive(Debug)]
pub(crate) struct HeldRow {
    held: Held,
    leg: String,
    everything: bool,
    kept: Kept,
    cpu: Duration,
    others: f64,
}

impl HeldRow {
    pub(crate) fn new(held: Held, leg: &Leg, kept: Kept, used: &Used) -> Self {
        let cpu = used.of.first().copied().unwrap_or_default();
        Self { held, leg: leg.name(), everything: matches!(leg, Leg::Writ), kept, cpu, others: used.others }
    }

    /// What the load added, in MB.
    fn more(&self) -> f64 {
        mega(self.kept.most) - mega(self.kept.before)
    }

    /// What each connection added, in KB.
    fn each(&self) -> f64 {
        self.more() * 1000.0 / self.kept.units
    }

    fn text(&self) -> String {
        let cpu = self.cpu.as_secs_f64() * 1000.0 / self.kept.units;
        let (each, cpu, rate) = match self.held {
            Held::Idle(_) => {
                (format!("{:.1} KB per connection", self.each()), format!("{cpu:.2} per connection"), "-".into())
            }
            _ => (
                "-".into(),
                format!("{cpu:.2} per MB"),
                format!("{:.0}", self.kept.units / self.kept.took.as_secs_f64()),
            ),
        };
        format!(
            "| {} | {} | {:.1} | {:+.1} | {each} | {cpu} | {rate} | {} | {:.2} |",
            self.held.name(),
            self.leg,
            mega(self.kept.before),
            self.more(),
            self.kept.end,
            self.others
        )
    }
}

fn micro(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// MB, from KiB.
#[expect(clippy::cast_precision_loss, reason = "a size")]
fn mega(kibibytes: u64) -> f64 {
    kibibytes as f64 * 1.024e-3
}

impl Report {
    /// All tables in Markdown.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        if !self.timed.is_empty() {
            let _ = writeln!(
                text,
                "| load | leg | CPU µs | p50 µs | p99 µs | p50 over direct, µs | per second | events together | others' CPU |\n\
                 |---|---|--:|--:|--:|--:|--:|--:|--:|"
            );
            for row in &self.timed {
                let direct = self.timed.iter().find(|other| other.leg == "direct" && other.timed == row.timed);
                let direct = direct.filter(|direct| direct.measured() && direct.leg != row.leg).map(TimedRow::p50);
                let _ = writeln!(text, "{}", row.text(direct));
            }
        }
        if !self.held.is_empty() {
            let _ = writeln!(
                text,
                "\n| load | leg | PSS before, MB | more, MB | each | CPU ms | MB/s | end | others' CPU |\n\
                 |---|---|--:|--:|--:|--:|--:|---|--:|"
            );
            for row in &self.held {
                let _ = writeln!(text, "{}", row.text());
            }
        }
        let _ = writeln!(text, "\n| bar for everything on | measured | |\n|---|--:|---|");
        for bar in self.bars() {
            let _ = writeln!(text, "{}", bar.text());
        }
        text
    }

    fn bars(&self) -> Vec<Bar> {
        let row = |timed: Timed, leg: &str| {
            self.timed.iter().find(|row| row.timed == timed && row.leg == leg && row.measured())
        };
        let own = |timed: Timed| self.timed.iter().find(|row| row.timed == timed && row.everything && row.measured());
        let cpu = |timed| own(timed).and_then(TimedRow::cpu);
        let added = |of: Option<&TimedRow>| Some(of?.p50() - row(Timed::Prompt(1), "direct")?.p50());
        let minimal = added(row(Timed::Prompt(1), "minimal interceptor"));
        let held = |held: Held| self.held.iter().find(|row| row.held == held && row.everything);
        #[expect(clippy::cast_precision_loss, reason = "a number of events")]
        let together = own(Timed::Chat).map(|row| row.together as f64);
        vec![
            Bar::new("CPU per prompt, h1, 16 connections", "µs", 45.0, cpu(Timed::Prompt(16))),
            Bar::new("CPU per prompt, h1, 64 connections", "µs", 45.0, cpu(Timed::Prompt(64))),
            Bar::new(
                "p50 added at one connection, in that of the minimal interceptor",
                "times",
                3.0,
                added(own(Timed::Prompt(1))).zip(minimal).map(|(own, minimal)| own / minimal),
            ),
            Bar::new("first answer of a new host, p50", "µs", 1000.0, own(Timed::NewHost).map(TimedRow::p50)),
            Bar::new("memory per idle connection", "KB", 50.0, held(Held::Idle(1000)).map(HeldRow::each)),
            Bar::new("more memory, 50 MB uploaded as JSON", "MB", 16.0, held(Held::UploadJson).map(HeldRow::more)),
            Bar::new("more memory, 50 MB uploaded as bytes", "MB", 16.0, held(Held::UploadBytes).map(HeldRow::more)),
            Bar::new("events that came together", "", 0.0, together),
        ]
    }
}

/// A figure that must not be exceeded.
struct Bar {
    name: &'static str,
    unit: &'static str,
    most: f64,
    measured: Option<f64>,
}

impl Bar {
    const fn new(name: &'static str, unit: &'static str, most: f64, measured: Option<f64>) -> Self {
        Self { name, unit, most, measured }
    }

    fn text(&self) -> String {
        let Self { name, unit, most, measured } = self;
        let (measured, word) = match measured {
            None => ("-".into(), "not measured"),
            Some(value) if value <= most => (format!("{value:.1} {unit}"), "held"),
            Some(value) => (format!("{value:.1} {unit}"), "MISSED"),
        };
        format!("| {name}: at most {most:.0} {unit} | {measured} | {word} |")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(timed: Timed, leg: &Leg, cpu: u64, p50: u64) -> TimedRow {
        let mut row = TimedRow::new(timed, leg);
        let times = vec![Duration::from_micros(p50); 10];
        let used =
            Used { of: vec![Duration::from_micros(cpu * 10)], own: Duration::ZERO, others: 0.01, wall: Duration::ZERO };
        row.add(Outcome { times, took: Duration::from_millis(1), ..Outcome::default() }, &used);
        row
    }

    #[test]
    fn tables_say_what_was_measured_and_which_bars_hold() {
        let mut direct = row(Timed::Prompt(1), &Leg::Direct, 1, 12);
        direct.cpu_us.clear();
        let mut mute = TimedRow::new(Timed::Chat, &Leg::WritHeads);
        mute.failed = true;
        let idle =
            Kept { before: 20_000, most: 80_000, units: 1000.0, took: Duration::from_secs(1), end: "passed".into() };
        let used = Used { of: vec![Duration::from_secs(1)], own: Duration::ZERO, others: 0.02, wall: Duration::ZERO };
        let report = Report {
            timed: vec![
                direct,
                row(Timed::Prompt(1), &Leg::Minimal { http2: false }, 17, 30),
                row(Timed::Prompt(1), &Leg::Writ, 40, 60),
                row(Timed::Prompt(16), &Leg::Writ, 50, 700),
                mute,
            ],
            held: vec![HeldRow::new(Held::Idle(1000), &Leg::Writ, idle, &used)],
            failures: Vec::new(),
        };
        let expected = "\
| load | leg | CPU µs | p50 µs | p99 µs | p50 over direct, µs | per second | events together | others' CPU |
|---|---|--:|--:|--:|--:|--:|--:|--:|
| prompt, h1, 1 connection | direct | - | 12 | 12 | - | 10000 | - | 0.01 |
| prompt, h1, 1 connection | minimal interceptor | 17.0 per request | 30 | 30 | +18 | 10000 | - | 0.01 |
| prompt, h1, 1 connection | Writ, everything on | 40.0 per request | 60 | 60 | +48 | 10000 | - | 0.01 |
| prompt, h1, 16 connections | Writ, everything on | 50.0 per request | 700 | 700 | - | 10000 | - | 0.01 |
| chat, 400 events, h1, 16 connections | Writ, nothing on | - | - | - | - | - | - | - |

| load | leg | PSS before, MB | more, MB | each | CPU ms | MB/s | end | others' CPU |
|---|---|--:|--:|--:|--:|--:|---|--:|
| 1000 idle connections | Writ, everything on | 20.5 | +61.4 | 61.4 KB per connection | 1.00 per connection | - | passed | 0.02 |

| bar for everything on | measured | |
|---|--:|---|
| CPU per prompt, h1, 16 connections: at most 45 µs | 50.0 µs | MISSED |
| CPU per prompt, h1, 64 connections: at most 45 µs | - | not measured |
| p50 added at one connection, in that of the minimal interceptor: at most 3 times | 2.7 times | held |
| first answer of a new host, p50: at most 1000 µs | - | not measured |
| memory per idle connection: at most 50 KB | 61.4 KB | MISSED |
| more memory, 50 MB uploaded as JSON: at most 16 MB | - | not measured |
| more memory, 50 MB uploaded as bytes: at most 16 MB | - | not measured |
| events that came together: at most 0  | - | not measured |
";
        assert_eq!(report.text(), expected);
    }
}
