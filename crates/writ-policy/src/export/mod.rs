//! The compiled form for other tools: all of it as JSON, and what it lets pass as Cedar policies, so that somebody
//! else's engine can check ours.

pub mod cedar;
pub mod json;

pub use json::Export;
