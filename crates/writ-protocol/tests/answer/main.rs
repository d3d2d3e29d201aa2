//! Tests of answers on their way to the client: streams, whole documents, refusals.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test that meets what it should not has to fail"
)]

mod cells;
mod client;
mod editor;
mod framing;
mod golden;
mod properties;
mod refusals;
mod service;
mod streams;
