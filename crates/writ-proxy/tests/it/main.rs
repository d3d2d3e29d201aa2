//! The forward proxy over real sockets: real TLS on both sides, real ledger and state, simulated sites.

#![expect(clippy::string_slice, reason = "tests cut texts of known form")]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod bodies;
mod certificates;
mod doors;
mod idle;
mod modes;
mod names;
mod outside;
mod parent;
mod site;
mod smuggling;
mod sockets;
mod world;
