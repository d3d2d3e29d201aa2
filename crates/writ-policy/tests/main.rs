//! The policy language, from text to verdict.

mod document;
