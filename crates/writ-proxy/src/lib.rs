//! The enforcement points: edges that take bytes from clients, ask the engine, and carry out what it says.
//!
//! * [`gateway`]: the LLM gateway. Programs set their base URL to it and name themselves with an API key.
//! * [`forward`]: the forward proxy with TLS interception, and [`pac`], the file that sends browsers to it.
//! * [`drive`]: carries one interaction from request to outcome, for every enforcement point.
//! * `carry`: who runs it: the client's task, and one of its own when the client goes away;
//! * [`upstream`]: the only module that opens connections to AI services; it sends what a permit let through.
//! * [`recorder`]: seals personal parts and writes entries; nothing leaves before its decision is written.
//! * [`pipe`]: bytes in both directions, counted;
//! * [`callers`]: who calls with which API key;
//! * [`live`]: what is running now (snapshot, providers), swapped whole.

pub mod callers;
mod carry;
pub mod drive;
pub mod forward;
pub mod gateway;
pub mod limits;
pub mod live;
pub mod pac;
pub mod pipe;
pub mod recorder;
pub mod upstream;
