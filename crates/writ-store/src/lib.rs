//! Ledger, keys on disk, state database, index, backups.
//!
//! * [`ledger`]: the append-only chain of entries of one node, and its verification by strangers;
//! * [`personal`]: what is sealed in it, and how a person is erased;
//! * [`keys`]: the keys on disk;
//! * [`state`]: who is who and what stands beside the policy, as projections of the ledger;
//! * [`index`]: answers for the console, built behind the ledger;
//! * [`backup`]: copies of it all;
//! * [`storage`]: where segments are kept, for real and simulated with its failures.

pub mod backup;
mod files;
pub mod fuzz;
pub mod index;
pub mod keys;
pub mod ledger;
pub mod limits;
pub mod personal;
pub mod state;
pub mod storage;

pub use index::Index;
pub use keys::KeyStore;
pub use ledger::{Ledger, LedgerError, NewEntry};
pub use state::State;
