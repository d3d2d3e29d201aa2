//! Tests of the public behaviour of `writ-protocol`, one binary.

#![expect(
    clippy::string_slice,
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests: what fails here has to fail the test"
)]

mod bodies;
mod coverage;
mod edits;
mod encodings;
mod json;
mod turns;
