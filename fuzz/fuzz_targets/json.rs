//! Any bytes as a JSON body: walked, edited, spliced.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| writ_protocol::fuzz::json(data));
