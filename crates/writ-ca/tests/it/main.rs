//! Tests of the authority from outside.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may fail")]

mod authority;
mod catalog;
mod kit;
mod root;
mod support;
