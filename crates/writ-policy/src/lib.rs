//! The policy language: document, rules and tables to rows; evaluate and explain.
//!
//! A policy is one Markdown document, which people read and sign and which runs. [`parse`] turns its text into a
//! [`Document`] with a place for everything, into a [`PolicyModel`] (names resolved, values in range) and into
//! [`Diagnostic`]s. [`eval`] lowers the model to rows and judges situations.

pub mod analyse;
pub mod assertion;
pub mod check;
pub mod control;
pub mod diagnostic;
pub mod diagram;
pub mod document;
pub mod eval;
pub mod example;
pub mod export;
pub mod format;
pub mod fuzz;
pub mod reference;
pub mod rule;
pub mod seal;
pub mod translation;
pub mod words;

pub use check::{Parsed, parse};
pub use control::ControlModel;
pub use diagnostic::{Code, Diagnostic, Gravity};
pub use document::Document;
pub use format::format;
pub use rule::PolicyModel;
