//! One binary for all integration tests of identity.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may fail")]

mod accounts;
mod gatekeeper;
mod map;
mod roles;
mod support;
mod throttle;
