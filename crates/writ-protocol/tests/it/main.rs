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

use bytes::Bytes;
use writ_protocol::{Endpoint, Message};

fn read_prompt(endpoint: Endpoint, body: &[u8]) -> Message {
    writ_protocol::read_prompt(endpoint, &Bytes::copy_from_slice(body))
}

fn read_answer(endpoint: Endpoint, body: &[u8]) -> Message {
    writ_protocol::read_answer(endpoint, &Bytes::copy_from_slice(body))
}
