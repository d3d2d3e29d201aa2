//! What every crate of Writ stands on: clocks, randomness, ids, named limits, sensitive values, hashing, keys,
//! invariants and telemetry types. It knows nothing of AI or of policy.
//!
//! Time and randomness are *inputs* everywhere in Writ: a function that needs the time takes a [`Moment`] or a
//! [`Clock`], one that needs random bytes takes a [`Randomness`]. Only the binary and the edges hold the real ones.

pub mod clock;
pub mod hash;
pub mod id;
pub mod invariant;
pub mod keys;
pub mod limits;
pub mod random;
pub mod sensitive;
pub mod telemetry;

pub use clock::{Clock, ManualClock, Moment, SystemClock};
pub use hash::{ContentHash, KeyedDigest};
pub use invariant::InvariantId;
pub use limits::Limit;
pub use random::{Randomness, SeededRandom, SystemRandom};
pub use sensitive::Sensitive;
