//! Ledger, keys on disk, state database, index and queries.

pub mod ledger;
pub mod limits;
pub mod storage;

pub use ledger::{Ledger, LedgerError, NewEntry};
