//! Tests of the catalog, through its public interface.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a failed helper fails the test"
)]

mod lint;
mod loading;
mod matching;
mod organisation;
