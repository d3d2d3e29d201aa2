//! The forward proxy over real sockets: real TLS on both sides, real ledger and state, simulated sites.

#![expect(clippy::string_slice, reason = "tests cut texts of known form")]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod certificates;
mod idle;
mod modes;
mod names;
mod outside;
mod site;
mod smuggling;
mod world;
