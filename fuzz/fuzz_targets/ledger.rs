//! Any bytes as a ledger segment.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| writ_store::fuzz::ledger(data));
