//! One binary for all integration tests of the store.

mod crash;
mod ledger;
mod support;
