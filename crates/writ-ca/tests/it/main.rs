//! Tests of the authority from outside.
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail")]

mod authority;
mod catalog;
mod kit;
mod support;
