//! What can go wrong with the ledger.

use std::io;

use writ_base::ContentHash;

/// Why the ledger could not be opened, written or read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// Another process writes it.
    #[error("the ledger is in use by another process; stop that one first")]
    InUse,
    /// The disk is full; the ledger is whole, and goes on when there is room.
    #[error("the disk of the ledger is full; make room, the ledger goes on by itself")]
    DiskFull,
    /// The system refused.
    #[error("the ledger cannot {act} `{name}`: {reason}")]
    Io {
        /// What was tried.
        act: &'static str,
        /// On which file.
        name: String,
        /// What the system said.
        reason: String,
    },
    /// An earlier failure left it unclear what is on the disk.
    #[error("the ledger stopped after a failed write or sync; check the disk and start again")]
    Stopped,
    /// It was closed.
    #[error("the ledger is closed")]
    Closed,
    /// Written by a later version.
    #[error("`{name}` has ledger format {found}, this version knows {known} and earlier; use the newer version")]
    Newer {
        /// The segment.
        name: String,
        /// The version found.
        found: u16,
        /// The latest version that can be read.
        known: u16,
    },
    /// Bytes that a crash cannot explain.
    #[error("`{name}` is damaged at byte {offset}: {what}; run `writ ledger verify` and restore from a backup")]
    Damaged {
        /// The segment.
        name: String,
        /// Where.
        offset: u64,
        /// What is wrong.
        what: &'static str,
    },
    /// The ledger belongs to another organisation.
    #[error("the ledger belongs to another organisation than the configuration names; check the data directory")]
    OtherOrganisation,
    /// The key that signs checkpoints is not at hand.
    #[error("the key that signs this ledger's checkpoints ({0}) is not in the key store; restore the key store")]
    SignerMissing(ContentHash),
    /// An entry over a limit.
    #[error("an entry of {bytes} bytes is over the limit `{limit}`")]
    TooLarge {
        /// The limit's name.
        limit: &'static str,
        /// The size that was asked for.
        bytes: usize,
    },
    /// More interactions without an outcome than the limit allows.
    #[error("too many interactions are open at once (limit `store.ledger.open`)")]
    TooManyOpen,
}

impl LedgerError {
    pub(crate) fn io(act: &'static str, name: &str) -> impl FnOnce(io::Error) -> Self {
        let name = name.to_owned();
        move |error| match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull,
            _ => Self::Io { act, name, reason: error.to_string() },
        }
    }
}
