//! Bodies for fuzzers: plain functions that must return for any input.

use std::sync::Arc;

use crate::ledger::{LedgerReader, Trust, verify};
use crate::storage::{SimulatedStorage, Storage};

/// Any bytes as the first segment of a ledger: reading and verifying end, in bounded memory.
pub fn ledger(bytes: &[u8]) {
    let storage = SimulatedStorage::new();
    let written = storage.open("00000000000000000000.ledger", true).and_then(|file| file.append(bytes));
    if written.is_err() {
        return;
    }
    let mut reader = LedgerReader::new(Arc::new(storage.clone()), 0);
    let whole: u64 = reader.by_ref().flatten().map(|entry| entry.skeleton.len() as u64).sum();
    debug_assert!(whole <= bytes.len() as u64, "a reader gave more than there was");
    // Whether it verifies is not the question here; that it ends is.
    let _ = verify(Arc::new(storage), &Trust::default());
}
