//! The two threads behind a ledger: one writes in batches, one syncs.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{JoinHandle, Thread};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use tokio::sync::{Semaphore, oneshot};
use writ_base::telemetry::Counter;

use super::Durability;
use super::chain::Chain;
use super::checkpoint::{Checkpoint, CheckpointSigner};
use super::entry::{EntryRef, NewEntry};
use super::error::LedgerError;
use crate::limits::{LEDGER_BATCH, LEDGER_QUEUE};
use crate::storage::StorageFile;

type Answer<T> = oneshot::Sender<Result<T, LedgerError>>;

/// The running threads.
pub(super) struct Writer {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

struct Shared {
    jobs: Mutex<Jobs>,
    jobs_ready: Condvar,
    /// Room in the queue.
    room: Semaphore,
    dirty: Mutex<Dirty>,
    dirty_ready: Condvar,
    written: AtomicU64,
    /// A sync failed: nothing more is written.
    sync_failed: AtomicBool,
}

#[derive(Default)]
struct Jobs {
    waiting: Vec<Job>,
    closed: bool,
}

enum Job {
    Append(NewEntry, Answer<EntryRef>),
    Checkpoint(Answer<Checkpoint>),
    ChangeSigner(CheckpointSigner, Answer<()>),
    Close(Answer<()>),
}

/// What was written and not yet synced.
#[derive(Default)]
struct Dirty {
    file: Option<Arc<dyn StorageFile>>,
    waiting: Vec<(Answer<EntryRef>, EntryRef)>,
    closed: bool,
}

impl Writer {
    pub(super) fn start(chain: Chain) -> Result<Self, LedgerError> {
        let shared = Arc::new(Shared {
            jobs: Mutex::default(),
            jobs_ready: Condvar::new(),
            room: Semaphore::new(LEDGER_QUEUE.value()),
            dirty: Mutex::default(),
            dirty_ready: Condvar::new(),
            written: AtomicU64::new(chain.tree.size()),
            sync_failed: AtomicBool::new(false),
        });
        let delay = match chain.config.durability {
            // Half of the window is for waiting, half for the disk.
            Durability::Process => chain.config.sync_within / 2,
            Durability::Power => Duration::ZERO,
        };
        let spawn = |name: &str, body: Box<dyn FnOnce() + Send>| {
            let thread = std::thread::Builder::new().name(name.to_owned());
            thread.spawn(body).map_err(LedgerError::io("start a thread for", name))
        };
        let syncing = shared.clone();
        let syncer = spawn("ledger-sync", Box::new(move || sync_loop(&syncing, delay)))?;
        let writing = shared.clone();
        let writer = spawn("ledger-write", Box::new(move || write_loop(&writing, chain)));
        let writer = writer.inspect_err(|_| shared.close())?;
        Ok(Self { shared, threads: vec![writer, syncer] })
    }

    pub(super) async fn append(&self, entry: NewEntry) -> Result<EntryRef, LedgerError> {
        self.ask(|answer| Job::Append(entry, answer)).await.inspect_err(|_| Counter::LedgerFailures.increment())
    }

    pub(super) async fn checkpoint(&self) -> Result<Checkpoint, LedgerError> {
        self.ask(Job::Checkpoint).await
    }

    pub(super) async fn change_signer(&self, next: CheckpointSigner) -> Result<(), LedgerError> {
        self.ask(|answer| Job::ChangeSigner(next, answer)).await
    }

    pub(super) async fn close(&self) -> Result<(), LedgerError> {
        self.ask(Job::Close).await
    }

    pub(super) fn position(&self) -> u64 {
        self.shared.written.load(Ordering::Acquire)
    }

    async fn ask<T>(&self, job: impl FnOnce(Answer<T>) -> Job) -> Result<T, LedgerError> {
        if self.shared.room.available_permits() == 0 {
            LEDGER_QUEUE.hit();
        }
        self.shared.room.acquire().await.map_err(|_| LedgerError::Closed)?.forget();
        let (answer, answered) = oneshot::channel();
        self.shared.put(job(answer))?;
        answered.await.unwrap_or(Err(LedgerError::Closed))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        {
            self.shared.jobs.lock().closed = true;
            self.shared.jobs_ready.notify_all();
        }
        for thread in self.threads.drain(..) {
            // A thread that panicked has closed the queue already; there is nothing left to do for it.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn put(&self, job: Job) -> Result<(), LedgerError> {
        let mut jobs = self.jobs.lock();
        if jobs.closed {
            return Err(LedgerError::Closed);
        }
        jobs.waiting.push(job);
        let first = jobs.waiting.len() == 1;
        drop(jobs);
        if first {
            self.jobs_ready.notify_one();
        }
        Ok(())
    }

    /// No more jobs; whoever waits is told.
    fn close(&self) {
        self.jobs.lock().closed = true;
        self.jobs.lock().waiting.clear();
        self.room.close();
        self.dirty.lock().closed = true;
        self.dirty_ready.notify_all();
    }
}

/// Closes the queue however its thread ends.
struct CloseAtEnd<'a>(&'a Shared);

impl Drop for CloseAtEnd<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// How long the writer sleeps at most before it looks at the clock.
const LOOK_AT_CLOCK_EVERY: Duration = Duration::from_millis(250);

fn write_loop(shared: &Shared, mut chain: Chain) {
    let _close = CloseAtEnd(shared);
    let pause = LOOK_AT_CLOCK_EVERY.min(chain.config.checkpoint_every);
    loop {
        let (jobs, closed) = {
            let mut jobs = shared.jobs.lock();
            if jobs.waiting.is_empty() && !jobs.closed {
                shared.jobs_ready.wait_for(&mut jobs, pause);
            }
            (std::mem::take(&mut jobs.waiting), jobs.closed)
        };
        chain.stopped |= shared.sync_failed.load(Ordering::Acquire);
        shared.room.add_permits(jobs.len());
        let ended = closed && jobs.is_empty();
        if perform(shared, &mut chain, jobs) {
            return;
        }
        if ended {
            report("close", chain.close());
            return;
        }
        if chain.checkpoint_due() && !chain.stopped {
            report("sign", chain.checkpoint().map(|_| ()));
        }
        report("start a segment of", chain.roll_when_full());
        shared.written.store(chain.tree.size(), Ordering::Release);
    }
}

/// Carries out jobs in their order, neighbouring entries as one write. Whether the ledger was closed by one of them.
fn perform(shared: &Shared, chain: &mut Chain, jobs: Vec<Job>) -> bool {
    let mut entries = Vec::new();
    let mut answers = Vec::new();
    for job in jobs {
        if entries.len() >= LEDGER_BATCH.value() || !matches!(job, Job::Append(..)) {
            flush(shared, chain, &mut entries, &mut answers);
        }
        match job {
            Job::Append(entry, answer) => {
                entries.push(entry);
                answers.push(answer);
            }
            Job::Checkpoint(answer) => tell(answer, chain.checkpoint()),
            Job::ChangeSigner(next, answer) => tell(answer, chain.change_signer(next)),
            Job::Close(answer) => {
                let closed = chain.close();
                shared.written.store(chain.tree.size(), Ordering::Release);
                tell(answer, closed);
                return true;
            }
        }
    }
    flush(shared, chain, &mut entries, &mut answers);
    false
}

fn flush(shared: &Shared, chain: &mut Chain, entries: &mut Vec<NewEntry>, answers: &mut Vec<Answer<EntryRef>>) {
    if entries.is_empty() {
        return;
    }
    let outcomes = chain.write(entries);
    entries.clear();
    shared.written.store(chain.tree.size(), Ordering::Release);
    let wait = chain.config.durability == Durability::Power;
    let mut later = Vec::new();
    for (answer, outcome) in answers.drain(..).zip(outcomes) {
        match outcome {
            Ok(written) if wait => later.push((answer, written)),
            outcome => tell(answer, outcome),
        }
    }
    let mut dirty = shared.dirty.lock();
    dirty.file = Some(chain.file.clone());
    dirty.waiting.append(&mut later);
    drop(dirty);
    shared.dirty_ready.notify_one();
}

/// The asker may have gone; the entry stands all the same.
fn tell<T>(answer: Answer<T>, outcome: Result<T, LedgerError>) {
    let _ = answer.send(outcome);
}

fn report(act: &str, outcome: Result<(), LedgerError>) {
    if let Err(error) = outcome {
        Counter::LedgerFailures.increment();
        tracing::error!(%error, act, "ledger failed");
    }
}

fn sync_loop(shared: &Shared, delay: Duration) {
    loop {
        let mut dirty = shared.dirty.lock();
        while dirty.file.is_none() && !dirty.closed {
            shared.dirty_ready.wait(&mut dirty);
        }
        let closed = dirty.closed;
        if !delay.is_zero() && !closed {
            drop(dirty);
            std::thread::sleep(delay);
            dirty = shared.dirty.lock();
        }
        // A segment that was followed by another one was synced when it was sealed, so the last file is enough.
        let (file, waiting) = (dirty.file.take(), std::mem::take(&mut dirty.waiting));
        drop(dirty);
        let Some(file) = file else { return };
        let outcome = file.sync().map_err(LedgerError::io("sync", "the last segment"));
        if let Err(error) = &outcome {
            shared.sync_failed.store(true, Ordering::Release);
            tracing::error!(%error, "ledger failed");
        }
        for (answer, written) in waiting {
            tell(answer, outcome.clone().map(|()| written));
        }
    }
}

/// Runs a future to its end on this thread.
pub(super) fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}
