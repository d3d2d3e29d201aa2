//! What the comparisons share: CPU and memory meters, times, processes, and what is sent.
//!
//! The comparisons are programs of their own, run by hand with `cargo xtask bench NAME` and never part of the gate:
//! what they print depends on the machine.

pub mod cpu;
pub mod processes;
pub mod time;
pub mod traffic;
pub mod words;
