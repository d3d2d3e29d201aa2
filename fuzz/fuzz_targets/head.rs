//! Any bytes as an HTTP head.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| writ_protocol::fuzz::head(data));
