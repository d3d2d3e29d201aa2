//! An invented company, Northwind Health: who works there, and a script of what they ask AI services.
//!
//! All of it is plain data and a function of a seed. Nothing refers to real people; values that look sensitive come
//! from [`fake`], which says for each kind why it cannot be real.

pub mod fake;

mod conversations;
mod people;
mod request;
mod script;

pub use people::{Company, Department, Member, Role};
pub use request::{Format, TurnRequest};
pub use script::{Planted, PlantedKind, Scene, Script, ScriptedTurn, Service, Tool, Utterance};
