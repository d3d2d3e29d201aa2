//! The console over a running engine, by HTTP.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "helpers of tests may fail"
)]

mod client;
mod flows;
mod matrix;
mod pages;
mod security;
mod studio;
#[expect(dead_code, reason = "the preview uses more of it")]
mod world;
