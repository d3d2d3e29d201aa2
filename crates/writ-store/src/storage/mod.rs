//! Where segments of the ledger are kept: a small trait, the file system, and a simulated disk that fails on demand.

mod files;
mod simulated;

use std::any::Any;
use std::io;

pub use files::FileStorage;
pub use simulated::{Crash, SimulatedStorage};

/// A flat folder of append-only files.
///
/// Nothing written is safe from a power cut until [`StorageFile::sync`] returned, and no new or removed name until
/// [`Storage::sync_names`] did; everything written survives the end of the process.
pub trait Storage: Send + Sync {
    /// Takes the folder for one writer; it is given back when the guard is dropped.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] if another process holds it; otherwise as the system says.
    fn lock(&self) -> io::Result<Box<dyn Any + Send + Sync>>;

    /// The names of all files, sorted.
    ///
    /// # Errors
    /// As the system says.
    fn names(&self) -> io::Result<Vec<String>>;

    /// Opens a file; makes it if there is none and `create` says so.
    ///
    /// # Errors
    /// As the system says.
    fn open(&self, name: &str, create: bool) -> io::Result<Box<dyn StorageFile>>;

    /// Removes a file.
    ///
    /// # Errors
    /// As the system says.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Waits until new and removed names are safe from a power cut.
    ///
    /// # Errors
    /// As the system says.
    fn sync_names(&self) -> io::Result<()>;

    /// A name for the time since the machine started, to tell a killed process from a power cut; empty if unknown.
    fn boot(&self) -> String;
}

/// One file of a [`Storage`].
pub trait StorageFile: Send + Sync {
    /// Its length in bytes.
    ///
    /// # Errors
    /// As the system says.
    fn length(&self) -> io::Result<u64>;

    /// Writes at the end.
    ///
    /// # Errors
    /// As the system says; a part of `bytes` may have been written then.
    fn append(&self, bytes: &[u8]) -> io::Result<()>;

    /// Up to `length` bytes from `offset`; fewer only at the end of the file.
    ///
    /// # Errors
    /// As the system says.
    fn read(&self, offset: u64, length: usize) -> io::Result<Vec<u8>>;

    /// Cuts the file to `length` bytes.
    ///
    /// # Errors
    /// As the system says.
    fn truncate(&self, length: u64) -> io::Result<()>;

    /// Waits until everything written is safe from a power cut.
    ///
    /// # Errors
    /// As the system says; after an error nothing is known about what was written since the last sync.
    fn sync(&self) -> io::Result<()>;
}
