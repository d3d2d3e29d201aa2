//! What the comparisons share: CPU meters, times, and text to send.
//!
//! The comparisons are programs of their own, run by hand with `cargo xtask bench NAME` and never part of the gate:
//! what they print depends on the machine.

pub mod cpu;
pub mod time;
pub mod words;
