//! The meaning of policies.

mod agree;
mod export;
mod monotone;
mod staged;
mod standing;
mod words;

/// How many random situations a property looks at: many where the code is optimised, fewer in a debug build.
pub fn situations() -> u64 {
    if cfg!(debug_assertions) { 10_000 } else { 100_000 }
}
