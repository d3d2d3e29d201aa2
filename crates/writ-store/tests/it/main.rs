//! One binary for all integration tests of the store.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "helpers of tests may fail")]

mod backup;
mod console;
mod crash;
mod erasure;
mod golden;
mod index;
mod keys;
mod kill;
mod ledger;
mod state;
mod support;
