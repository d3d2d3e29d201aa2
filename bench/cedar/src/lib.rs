//! Cedar beside Writ: the policies that [`writ_policy::export::cedar`] writes, judged by Cedar's own authorizer. For tests
//! that hold the two against each other, and for the comparison of their speed. Nothing that ships depends on it.

mod peer;
#[path = "../../src/time.rs"]
pub mod time;

pub use peer::Peer;
