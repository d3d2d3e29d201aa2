//! The simulated services, driven by a client over verified TLS.

#![expect(clippy::unwrap_used, clippy::string_slice, reason = "a test that meets the unexpected fails")]

mod chat;
mod client;
mod company;
mod formats;
mod process;
mod service;
mod site;
