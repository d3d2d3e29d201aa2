//! CPU time of processes, from the kernel's counters (Linux).
//!
//! `/proc/PID/task/TID/schedstat` counts nanoseconds on a CPU for each living thread; `/proc/PID/stat` counts in ticks of
//! 10 ms, but with threads that have ended. The first is taken unless the second shows that threads ended on the way.

use std::fs;
use std::time::{Duration, Instant};

use crate::processes::{stat, tree};
use crate::time::now;

/// Length of a tick of `/proc`: `USER_HZ` is 100 on every architecture that Linux runs Rust on.
const TICK: Duration = Duration::from_millis(10);

/// CPU time of a process and its descendants, user and system, in both counts.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    /// Of living threads.
    nanoseconds: Duration,
    /// With threads that have ended.
    ticks: Duration,
}

impl Counts {
    fn of_tree(root: u32) -> Self {
        let tree = tree(root);
        let nanoseconds = tree.iter().copied().map(nanoseconds).sum();
        Self { nanoseconds, ticks: tree.iter().copied().map(ticks).sum() }
    }

    fn of_this() -> Self {
        let pid = std::process::id();
        Self { nanoseconds: nanoseconds(pid), ticks: ticks(pid) }
    }

    fn since(self, start: Self) -> Duration {
        let exact = self.nanoseconds.saturating_sub(start.nanoseconds);
        let coarse = self.ticks.saturating_sub(start.ticks);
        // Both ends of a coarse count are rounded.
        if coarse > exact + TICK * 3 { coarse } else { exact }
    }
}

/// CPU time that all processes of the machine have used.
pub fn of_machine() -> Duration {
    let text = fs::read_to_string("/proc/stat").unwrap_or_default();
    let fields = text.lines().next().unwrap_or_default().split_whitespace().skip(1);
    // user nice system idle iowait irq softirq steal guest guest_nice; guests are in user.
    let ticks = fields.enumerate().filter(|(place, _)| matches!(place, 0..=2 | 5..=6));
    TICK * ticks.filter_map(|(_, ticks)| ticks.parse::<u32>().ok()).sum()
}

fn nanoseconds(pid: u32) -> Duration {
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else { return Duration::ZERO };
    let of = |task: fs::DirEntry| {
        let text = fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<u64>().ok()
    };
    Duration::from_nanos(tasks.flatten().filter_map(of).sum())
}

fn ticks(pid: u32) -> Duration {
    let user_and_system = |fields: Vec<String>| {
        let number = |place: usize| fields.get(place)?.parse::<u32>().ok();
        Some(number(11)? + number(12)?)
    };
    TICK * stat(pid).and_then(user_and_system).unwrap_or(0)
}

/// Measures one process, this one and everybody else from its start to its end.
#[derive(Debug)]
pub struct Meter {
    measured: Vec<u32>,
    begun: Instant,
    machine: Duration,
    own: Counts,
    of: Vec<Counts>,
}

/// What a [`Meter`] read.
#[derive(Clone, Debug)]
pub struct Used {
    /// CPU time of each process that was measured, in the order given.
    pub of: Vec<Duration>,
    /// CPU time of this process.
    pub own: Duration,
    /// CPU time of all others, in CPUs: 1.0 is one CPU all the time.
    pub others: f64,
    /// How long it took.
    pub wall: Duration,
}

impl Meter {
    /// Starts to measure these processes, each with its descendants.
    pub fn start(processes: &[u32]) -> Self {
        Self {
            measured: processes.to_vec(),
            of: processes.iter().copied().map(Counts::of_tree).collect(),
            machine: of_machine(),
            own: Counts::of_this(),
            begun: now(),
        }
    }

    /// Reads the counters.
    pub fn stop(self) -> Used {
        let wall = self.begun.elapsed();
        let own = Counts::of_this().since(self.own);
        let ends = self.measured.iter().copied().map(Counts::of_tree);
        let of: Vec<Duration> = ends.zip(&self.of).map(|(end, start)| end.since(*start)).collect();
        let machine = of_machine().saturating_sub(self.machine);
        let others = machine.saturating_sub(own).saturating_sub(of.iter().sum());
        Used { of, own, others: others.as_secs_f64() / wall.as_secs_f64(), wall }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_counted_and_waiting_is_not() {
        let meter = Meter::start(&[std::process::id()]);
        let begun = now();
        let mut number = 1_u64;
        while begun.elapsed() < Duration::from_millis(120) {
            number = std::hint::black_box(number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
        }
        let busy = meter.stop();
        assert!(busy.own > Duration::from_millis(5), "{busy:?}");
        assert!(of_machine() > Duration::ZERO);
    }

    #[test]
    fn threads_that_ended_are_counted_in_ticks() {
        let counts =
            |exact, coarse| Counts { nanoseconds: Duration::from_millis(exact), ticks: Duration::from_millis(coarse) };
        assert_eq!(counts(1_203, 1_210).since(counts(100, 100)), Duration::from_millis(1_103));
        assert_eq!(counts(900, 1_210).since(counts(100, 100)), Duration::from_millis(1_110));
    }
}
