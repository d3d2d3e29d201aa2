//! The enforcement points: edges that take bytes from clients, ask the engine, and carry out what it says.
//!
//! * [`gateway`]: the LLM gateway. Programs set their base URL to it and name themselves with an API key.
//! * [`forward`]: the forward proxy with TLS interception, and [`pac`], the file that sends browsers to it.
//! * [`drive`]: carries one interaction from request to outcome, for every enforcement point.
//! * [`upstream`]: the only module that opens connections to AI services; it sends what a permit let through.
//! * [`recorder`]: seals personal parts and writes entries; nothing leaves before its decision is written.
//! * [`request`]: the body of a client's request, which is read to its end whatever it is answered;
//! * [`pipe`]: bytes in both directions, counted;
//! * [`callers`]: who calls with which API key;
//! * [`live`]: what is running now (snapshot, providers), swapped whole.

pub mod callers;
pub mod drive;
pub mod forward;
pub mod gateway;
pub mod limits;
pub mod live;
pub mod pac;
pub mod pipe;
pub mod recorder;
pub mod request;
pub mod upstream;
