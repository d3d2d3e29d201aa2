//! Any bytes as a stream of server-sent events, in any chunks.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| writ_protocol::fuzz::sse(data));
