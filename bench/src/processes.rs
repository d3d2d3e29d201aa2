//! Other programs: started, kept on a CPU, looked into, and ended (Linux).

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, bail};

/// A process and its descendants.
pub fn tree(root: u32) -> Vec<u32> {
    let parents = parents();
    let mut tree = vec![root];
    let mut next = 0;
    while let Some(parent) = tree.get(next).copied() {
        tree.extend(parents.iter().filter(|(_, of)| **of == parent).map(|(pid, _)| *pid));
        next += 1;
    }
    tree
}

/// The parent of each process.
fn parents() -> BTreeMap<u32, u32> {
    let Ok(processes) = fs::read_dir("/proc") else { return BTreeMap::new() };
    let parent = |entry: fs::DirEntry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        Some((pid, stat(pid)?.get(1)?.parse().ok()?))
    };
    processes.flatten().filter_map(parent).collect()
}

/// The fields of `/proc/PID/stat` after the name, which may hold anything.
pub(crate) fn stat(pid: u32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = text.rsplit_once(')')?;
    Some(fields.split_whitespace().map(str::to_owned).collect())
}

/// Memory of a process and its descendants in KiB: what is theirs alone, and their share of what they share (PSS).
pub fn memory(root: u32) -> u64 {
    tree(root).into_iter().filter_map(pss).sum()
}

fn pss(pid: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// How often memory is looked at while a peak is watched.
const LOOK: Duration = Duration::from_millis(25);

/// Watches the memory of a process and its descendants, from a thread of its own.
#[derive(Debug)]
pub struct Peak {
    stop: Arc<AtomicBool>,
    watcher: std::thread::JoinHandle<u64>,
}

impl Peak {
    /// Begins to watch.
    pub fn watch(root: u32) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let watcher = std::thread::spawn(move || {
            let mut peak = 0;
            while !stopped.load(Ordering::Relaxed) {
                peak = peak.max(memory(root));
                std::thread::sleep(LOOK);
            }
            peak.max(memory(root))
        });
        Self { stop, watcher }
    }

    /// The most that was seen, in KiB.
    pub fn stop(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        self.watcher.join().unwrap_or(0)
    }
}

/// A program that runs; killed when dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
    log: PathBuf,
}

impl Running {
    /// Starts a program without input; what it prints goes to a file.
    ///
    /// # Errors
    /// If the file cannot be written or the program not be started.
    pub fn start(command: &mut Command, log: &Path) -> anyhow::Result<Self> {
        let file = fs::File::create(log).with_context(|| format!("cannot write `{}`", log.display()))?;
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        let child = command.spawn().with_context(|| format!("cannot start {}", command.get_program().display()))?;
        Ok(Self { child, log: log.to_owned() })
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it accepts connections on a port of loopback.
    ///
    /// # Errors
    /// If it ends, or takes longer.
    pub async fn listens(&mut self, port: u16, seconds: u32) -> anyhow::Result<()> {
        for _ in 0..seconds * 10 {
            if let Some(status) = self.child.try_wait()? {
                bail!("a proxy ended with {status}; see `{}`", self.log.display());
            }
            if tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        bail!("a proxy did not listen within {seconds} s; see `{}`", self.log.display())
    }

    /// Ends it cleanly: what it has to write is written then.
    ///
    /// # Errors
    /// If it ends with another status than zero.
    pub fn end(mut self) -> anyhow::Result<()> {
        let done = Command::new("kill").args(["-TERM", &self.pid().to_string()]).status()?;
        let status = self.child.wait()?;
        if !done.success() || !status.success() {
            bail!("a proxy ended with {status}; see `{}`", self.log.display());
        }
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // What has ended already cannot be killed, and need not be. Descendants of a killed program end by themselves
        // or are ended here.
        let below: Vec<String> = tree(self.pid()).into_iter().skip(1).map(|pid| pid.to_string()).collect();
        let _ = self.child.kill();
        let _ = self.child.wait();
        if !below.is_empty() {
            let _ = Command::new("kill").args(&below).stderr(Stdio::null()).status();
        }
    }
}

/// Keeps this process, and the threads it will start, on one CPU.
pub fn pin_this(cpu: usize) -> bool {
    let mut taskset = Command::new("taskset");
    taskset.args(["-a", "-c", "-p", &cpu.to_string(), &std::process::id().to_string()]);
    taskset.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// Lets this process, and those it starts, open so many files.
pub fn allow_files(count: u32) -> bool {
    let mut prlimit = Command::new("prlimit");
    prlimit.args([&format!("--nofile={count}:"), "--pid", &std::process::id().to_string()]);
    prlimit.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// A command that runs on one CPU.
pub fn pinned(cpu: Option<usize>, program: &Path) -> Command {
    match cpu {
        None => Command::new(program),
        Some(cpu) => {
            let mut command = Command::new("taskset");
            command.args(["-c", &cpu.to_string()]).arg(program);
            command
        }
    }
}

/// A port of loopback that nobody uses.
///
/// # Errors
/// If there is none.
pub fn free_port() -> anyhow::Result<u16> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").context("loopback has no free port")?;
    Ok(listener.local_addr()?.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_counts_descendants_and_a_peak_is_not_below_it() {
        let mut child = Command::new("sleep").arg("30").spawn().unwrap();
        let this = std::process::id();
        assert!(tree(this).contains(&child.id()));
        assert!(!tree(child.id()).contains(&this));
        assert!(memory(this) > 100);
        let peak = Peak::watch(this);
        let held = vec![1_u8; 32 << 20];
        assert!(held.iter().all(|byte| *byte == 1));
        let before = memory(this);
        assert!(peak.stop() + 4096 >= before);
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
