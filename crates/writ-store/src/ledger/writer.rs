//! Who writes a ledger: whoever appends, in its own thread, for all who wait at that moment; and two threads, of which one
//! does what takes longer or is due by the clock, and one syncs.
//!
//! Handing an entry to the operating system takes microseconds; waking another thread to do it takes longer than that.
//! So the first to come takes the chain and writes what is queued, later ones find their entry written by it. With
//! durability `power` an entry waits for the disk in any case, and the writing thread gathers larger batches.

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
    /// Held by whoever writes; gone after the end, and after a panic.
    chain: Mutex<Option<Chain>>,
    /// Whether those who append write by themselves.
    inline: bool,
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
    /// `None`: nobody waits for it.
    Append(NewEntry, Option<Answer<EntryRef>>),
    Checkpoint(Answer<Checkpoint>),
    ChangeSigner(CheckpointSigner, Answer<()>),
    Close(Answer<()>),
}

/// What was written and not yet synced.
#[derive(Default)]
struct Dirty {
    file: Option<Arc<dyn StorageFile>>,
    waiting: Vec<(Option<Answer<EntryRef>>, EntryRef)>,
    closed: bool,
}

impl Writer {
    pub(super) fn start(chain: Chain) -> Result<Self, LedgerError> {
        let delay = match chain.config.durability {
            // Half of the window is for waiting, half for the disk.
            Durability::Process => chain.config.sync_within / 2,
            Durability::Power => Duration::ZERO,
        };
        let pause = LOOK_AT_CLOCK_EVERY.min(chain.config.checkpoint_every);
        let shared = Arc::new(Shared {
            written: AtomicU64::new(chain.tree.size()),
            inline: chain.config.durability == Durability::Process,
            chain: Mutex::new(Some(chain)),
            jobs: Mutex::default(),
            jobs_ready: Condvar::new(),
            room: Semaphore::new(LEDGER_QUEUE.value()),
            dirty: Mutex::default(),
            dirty_ready: Condvar::new(),
            sync_failed: AtomicBool::new(false),
        });
        let spawn = |name: &str, body: Box<dyn FnOnce() + Send>| {
            let thread = std::thread::Builder::new().name(name.to_owned());
            thread.spawn(body).map_err(LedgerError::io("start a thread for", name))
        };
        let syncing = shared.clone();
        let syncer = spawn("ledger-sync", Box::new(move || sync_loop(&syncing, delay)))?;
        let writing = shared.clone();
        let writer = spawn("ledger-write", Box::new(move || write_loop(&writing, pause)));
        let writer = writer.inspect_err(|_| shared.close())?;
        Ok(Self { shared, threads: vec![writer, syncer] })
    }

    pub(super) async fn append(&self, entry: NewEntry) -> Result<EntryRef, LedgerError> {
        let asked = self.ask(|answer| Job::Append(entry, Some(answer))).await;
        asked.inspect_err(|_| Counter::LedgerFailures.increment())
    }

    /// Queues an entry that nobody waits for; gives it back if there is no room.
    pub(super) fn queue(&self, entry: NewEntry) -> Result<(), NewEntry> {
        match self.shared.room.try_acquire() {
            Ok(place) => place.forget(),
            Err(_no_room) => {
                LEDGER_QUEUE.hit();
                return Err(entry);
            }
        }
        match self.shared.put(Job::Append(entry, None)) {
            Ok(()) => Ok(()),
            Err(closed) => {
                tell::<EntryRef>(None, Err(closed));
                Ok(())
            }
        }
    }

    /// Writes what is queued.
    pub(super) fn write_queued(&self) {
        self.shared.write_here();
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
        self.shared.write_here();
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
        let left_to_thread = !self.inline || !matches!(job, Job::Append(..));
        jobs.waiting.push(job);
        drop(jobs);
        if left_to_thread {
            self.jobs_ready.notify_one();
        }
        Ok(())
    }

    /// Writes what is queued, unless somebody else does at the moment: that one looks at the queue once more after it
    /// has let go of the chain, so nothing is left lying. What is not an entry, or cannot be written now, is left to
    /// the writing thread.
    fn write_here(&self) {
        if !self.inline {
            return;
        }
        for _round in 0..ROUNDS {
            let Some(mut place) = self.chain.try_lock() else { return };
            // Out of its place while it is written to: a panic leaves none behind that could be half written.
            let Some(mut chain) = place.take() else { return self.close() };
            let taken = self.take_entries(&chain);
            let wrote = taken.is_some();
            if let Some(jobs) = taken {
                self.prepare(&mut chain, jobs.len());
                perform(self, &mut chain, jobs);
            }
            *place = Some(chain);
            drop(place);
            if !wrote {
                break;
            }
            if self.jobs.lock().waiting.is_empty() {
                return;
            }
        }
        // Something else is in the queue or due, or others have had enough written for them.
        self.jobs_ready.notify_one();
    }

    /// The queue, if entries are all that is in it and nothing else is due.
    fn take_entries(&self, chain: &Chain) -> Option<Vec<Job>> {
        let mut jobs = self.jobs.lock();
        let entries = jobs.waiting.iter().all(|job| matches!(job, Job::Append(..)));
        let now = entries && !jobs.closed && !chain.full() && !chain.checkpoint_due();
        now.then(|| std::mem::take(&mut jobs.waiting))
    }

    /// Before jobs are carried out: what the syncing thread found, and room for those who wait to be queued.
    fn prepare(&self, chain: &mut Chain, taken: usize) {
        chain.stopped |= self.sync_failed.load(Ordering::Acquire);
        self.room.add_permits(taken);
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

/// Batches that somebody who appends writes for others before the writing thread takes over.
const ROUNDS: usize = 4;
/// How long the writer sleeps at most before it looks at the clock.
const LOOK_AT_CLOCK_EVERY: Duration = Duration::from_millis(250);

fn write_loop(shared: &Shared, pause: Duration) {
    let _close = CloseAtEnd(shared);
    loop {
        {
            let mut jobs = shared.jobs.lock();
            if jobs.waiting.is_empty() && !jobs.closed {
                shared.jobs_ready.wait_for(&mut jobs, pause);
            }
        }
        // The chain first, then the queue: entries are written in the order in which they were queued.
        let mut place = shared.chain.lock();
        let Some(chain) = place.as_mut() else { return };
        let (jobs, closed) = {
            let mut jobs = shared.jobs.lock();
            (std::mem::take(&mut jobs.waiting), jobs.closed)
        };
        shared.prepare(chain, jobs.len());
        let ended = closed && jobs.is_empty();
        // At the end the chain goes, and with it the lock on its files.
        if perform(shared, chain, jobs) {
            *place = None;
            return;
        }
        if ended {
            report("close", chain.close());
            *place = None;
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
            Job::Checkpoint(answer) => tell(Some(answer), chain.checkpoint()),
            Job::ChangeSigner(next, answer) => tell(Some(answer), chain.change_signer(next)),
            Job::Close(answer) => {
                let closed = chain.close();
                shared.written.store(chain.tree.size(), Ordering::Release);
                tell(Some(answer), closed);
                return true;
            }
        }
    }
    flush(shared, chain, &mut entries, &mut answers);
    false
}

fn flush(shared: &Shared, chain: &mut Chain, entries: &mut Vec<NewEntry>, answers: &mut Vec<Option<Answer<EntryRef>>>) {
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

/// The asker may have gone; the entry stands all the same. What nobody asked for and went wrong is said here.
fn tell<T>(answer: Option<Answer<T>>, outcome: Result<T, LedgerError>) {
    match answer {
        Some(answer) => {
            let _ = answer.send(outcome);
        }
        None => report("take an entry", outcome.map(|_| ())),
    }
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
