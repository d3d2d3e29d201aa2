//! Tests of the public behaviour of `writ-protocol`, one binary.

#![expect(clippy::string_slice, reason = "a test that slices where it should not has to fail")]

mod edits;
mod json;
mod turns;
