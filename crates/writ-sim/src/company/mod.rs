//! An invented company, Northwind Health: who works there, and a script of what they ask AI services.
//!
//! Most of what they ask is harmless, as in life. The rest is what a policy is for: values in the wrong place, a tool
//! that nobody approved, an agent that reads a file with keys in it. Each turn says when it happens, which way it takes
//! ([`Way`]), and where it goes.
//!
//! All of it is plain data and a function of a seed. Nothing refers to real people; values that look sensitive come
//! from [`fake`], which says for each kind why it cannot be real.

pub mod fake;

mod agents;
mod conversations;
mod mess;
mod people;
mod request;
mod script;
mod services;
mod texts;

pub use people::{Company, Department, Habits, Language, Member, Role};
pub use request::{Format, ProxyRequest, TurnRequest};
pub use script::{Moment, Planted, PlantedKind, Scene, Script, ScriptedTurn, Tool, Utterance};
pub use services::{AccountKind, CORPORATE_ACCOUNT, PERSONAL_ACCOUNT_PREFIX, Service, Way};
