//! A disk in memory that drops, tears and reorders what was not synced, fills up, and stops at any operation.

use std::any::Any;
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use parking_lot::Mutex;

use super::{Storage, StorageFile};

/// What happened to the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crash {
    /// The process was killed: what was written stays, except a tail of the write it was in.
    Kill,
    /// The power went: each unsynced write, cut and name may be kept, lost or torn, in any combination.
    Power {
        /// Chooses the combination.
        seed: u64,
    },
}

/// The simulated disk; clones share it.
#[derive(Clone, Default)]
pub struct SimulatedStorage {
    disk: Arc<Mutex<Disk>>,
}

#[derive(Default)]
struct Disk {
    files: BTreeMap<String, Content>,
    /// Names whose making is not yet safe.
    fresh: Vec<String>,
    locked: bool,
    boot: u64,
    operations: u64,
    fail_from: Option<u64>,
    sync_failures: u32,
    capacity: Option<usize>,
}

#[derive(Clone, Default)]
struct Content {
    bytes: Vec<u8>,
    durable: Vec<u8>,
    pending: Vec<Change>,
}

#[derive(Clone)]
enum Change {
    Write { offset: usize, bytes: Vec<u8> },
    Cut { length: usize },
}

impl SimulatedStorage {
    /// An empty disk.
    pub fn new() -> Self {
        Self::default()
    }

    /// From the operation with this number on (from 0, counted since the disk was made) everything fails; a write that
    /// is cut off leaves its first half.
    pub fn fail_from(&self, operation: u64) {
        self.disk.lock().fail_from = Some(operation);
    }

    /// How many operations that change the disk were asked for.
    pub fn operations(&self) -> u64 {
        self.disk.lock().operations
    }

    /// Bytes that fit on the disk; `None` for as many as wanted.
    pub fn set_capacity(&self, bytes: Option<usize>) {
        self.disk.lock().capacity = bytes;
    }

    /// The next so many syncs fail.
    pub fn fail_syncs(&self, count: u32) {
        self.disk.lock().sync_failures = count;
    }

    /// The disk as it is found after a crash. The old one no longer works for whoever still holds it.
    #[must_use]
    pub fn crash(&self, crash: Crash) -> Self {
        let mut old = self.disk.lock();
        let mut dice = Dice(match crash {
            Crash::Kill => 0,
            Crash::Power { seed } => seed,
        });
        let mut files = BTreeMap::new();
        for (name, content) in &old.files {
            let bytes = match crash {
                Crash::Kill => content.bytes.clone(),
                Crash::Power { .. } if old.fresh.contains(name) && dice.roll(2) == 0 => continue,
                Crash::Power { .. } => content.after_power_cut(&mut dice),
            };
            files.insert(name.clone(), Content { durable: bytes.clone(), bytes, pending: Vec::new() });
        }
        let boot = old.boot + u64::from(crash != Crash::Kill);
        old.fail_from = Some(0);
        let disk = Disk { files, boot, ..Disk::default() };
        Self { disk: Arc::new(Mutex::new(disk)) }
    }

    /// Changes stored bytes behind everybody's back.
    pub fn tamper(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        if let Some(content) = self.disk.lock().files.get_mut(name) {
            change(&mut content.bytes);
            content.durable.clone_from(&content.bytes);
            content.pending.clear();
        }
    }

    /// A copy that shares nothing, unlocked.
    #[must_use]
    pub fn copy(&self) -> Self {
        let disk = self.disk.lock();
        let files = disk.files.clone();
        Self { disk: Arc::new(Mutex::new(Disk { files, boot: disk.boot, ..Disk::default() })) }
    }
}

impl Disk {
    /// Counts an operation; whether it may go on.
    fn step(&mut self) -> io::Result<()> {
        let number = self.operations;
        self.operations += 1;
        if self.fail_from.is_some_and(|from| number >= from) {
            return Err(io::Error::other("simulated crash"));
        }
        Ok(())
    }

    fn used(&self) -> usize {
        self.files.values().map(|content| content.bytes.len()).sum()
    }
}

impl Content {
    /// Each pending change is kept, lost or (writes) torn, whatever became of the others.
    fn after_power_cut(&self, dice: &mut Dice) -> Vec<u8> {
        let mut bytes = self.durable.clone();
        for change in &self.pending {
            let fate = dice.roll(4);
            match change {
                Change::Write { offset, bytes: written } => {
                    let kept = match fate {
                        0 => 0,
                        1 => dice.roll(written.len() as u64 + 1),
                        _ => written.len(),
                    };
                    put(&mut bytes, *offset, written.get(..kept).unwrap_or_default());
                }
                Change::Cut { length } if fate > 1 => bytes.truncate(*length),
                Change::Cut { .. } => {}
            }
        }
        bytes
    }
}

/// Writes at an offset; a hole before it reads as zeros, as on real file systems.
fn put(bytes: &mut Vec<u8>, offset: usize, written: &[u8]) {
    if written.is_empty() {
        return;
    }
    let end = offset + written.len();
    if bytes.len() < end {
        bytes.resize(end, 0);
    }
    if let Some(place) = bytes.get_mut(offset..end) {
        place.copy_from_slice(written);
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014): enough to choose among crashes.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % sides.max(1)).unwrap_or(0)
    }
}

struct Unlock(Arc<Mutex<Disk>>);

impl Drop for Unlock {
    fn drop(&mut self) {
        self.0.lock().locked = false;
    }
}

impl Storage for SimulatedStorage {
    fn lock(&self) -> io::Result<Box<dyn Any + Send + Sync>> {
        let mut disk = self.disk.lock();
        if disk.locked {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        disk.locked = true;
        Ok(Box::new(Unlock(self.disk.clone())))
    }

    fn names(&self) -> io::Result<Vec<String>> {
        Ok(self.disk.lock().files.keys().cloned().collect())
    }

    fn open(&self, name: &str, create: bool) -> io::Result<Box<dyn StorageFile>> {
        let mut disk = self.disk.lock();
        if !disk.files.contains_key(name) {
            if !create {
                return Err(io::ErrorKind::NotFound.into());
            }
            disk.step()?;
            disk.files.insert(name.to_owned(), Content::default());
            disk.fresh.push(name.to_owned());
        }
        Ok(Box::new(SimulatedFile { disk: self.disk.clone(), name: name.to_owned() }))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut disk = self.disk.lock();
        disk.step()?;
        disk.files.remove(name);
        Ok(())
    }

    fn sync_names(&self) -> io::Result<()> {
        let mut disk = self.disk.lock();
        disk.step()?;
        disk.fresh.clear();
        Ok(())
    }

    fn boot(&self) -> String {
        format!("boot-{}", self.disk.lock().boot)
    }
}

struct SimulatedFile {
    disk: Arc<Mutex<Disk>>,
    name: String,
}

impl SimulatedFile {
    fn with<T>(&self, act: impl FnOnce(&mut Content) -> T) -> io::Result<T> {
        self.disk.lock().files.get_mut(&self.name).map(act).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl StorageFile for SimulatedFile {
    fn length(&self) -> io::Result<u64> {
        self.with(|content| content.bytes.len() as u64)
    }

    fn append(&self, bytes: &[u8]) -> io::Result<()> {
        let mut disk = self.disk.lock();
        let allowed = disk.step();
        let room = disk.capacity.map_or(usize::MAX, |capacity| capacity.saturating_sub(disk.used()));
        let (count, outcome) = match allowed {
            // The process ends inside this write, or has ended before.
            Err(error) if disk.fail_from.is_some_and(|from| disk.operations > from + 1) => return Err(error),
            Err(error) => (bytes.len() / 2, Err(error)),
            Ok(()) if room < bytes.len() => (room, Err(io::ErrorKind::StorageFull.into())),
            Ok(()) => (bytes.len(), Ok(())),
        };
        let content = disk.files.get_mut(&self.name).ok_or(io::ErrorKind::NotFound)?;
        let written = bytes.get(..count).unwrap_or_default().to_vec();
        let offset = content.bytes.len();
        content.bytes.extend_from_slice(&written);
        content.pending.push(Change::Write { offset, bytes: written });
        outcome
    }

    fn read(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        self.with(|content| {
            let start = usize::try_from(offset).unwrap_or(usize::MAX).min(content.bytes.len());
            let end = start.saturating_add(length).min(content.bytes.len());
            content.bytes.get(start..end).unwrap_or_default().to_vec()
        })
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        self.disk.lock().step()?;
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        self.with(|content| {
            content.bytes.truncate(length);
            content.pending.push(Change::Cut { length });
        })
    }

    fn sync(&self) -> io::Result<()> {
        {
            let mut disk = self.disk.lock();
            disk.step()?;
            if disk.sync_failures > 0 {
                disk.sync_failures -= 1;
                return Err(io::Error::other("simulated sync failure"));
            }
        }
        self.with(|content| {
            content.durable.clone_from(&content.bytes);
            content.pending.clear();
        })
    }
}
