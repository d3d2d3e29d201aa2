//! Randomness as an input.

use std::sync::atomic::{AtomicU64, Ordering};

/// Where random bytes come from.
pub trait Randomness: Send + Sync {
    /// Fills `bytes` with random bytes.
    fn fill(&self, bytes: &mut [u8]);
}

/// The operating system's generator: for the binary and the edges only.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Randomness for SystemRandom {
    /// # Panics
    /// If the operating system has no randomness: no key or id made without it would be safe.
    fn fill(&self, bytes: &mut [u8]) {
        #[expect(
            clippy::disallowed_methods,
            clippy::expect_used,
            reason = "the one place where the system generator is read; going on without it would be unsafe"
        )]
        getrandom::fill(bytes).expect("the operating system provides randomness");
    }
}

/// Reproducible bytes from a seed: for tests and the simulator, never for keys that protect anything.
#[derive(Debug)]
pub struct SeededRandom {
    seed: u64,
    calls: AtomicU64,
}

impl SeededRandom {
    /// The stream of bytes that belongs to `seed`.
    pub fn new(seed: u64) -> Self {
        Self { seed, calls: AtomicU64::new(0) }
    }
}

impl Randomness for SeededRandom {
    fn fill(&self, bytes: &mut [u8]) {
        let call = self.calls.fetch_add(1, Ordering::SeqCst);
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.seed.to_le_bytes()).update(&call.to_le_bytes());
        hasher.finalize_xof().fill(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_itself_and_its_calls_differ() {
        let (a, b) = (SeededRandom::new(7), SeededRandom::new(7));
        let (mut x, mut y, mut z) = ([0; 16], [0; 16], [0; 16]);
        a.fill(&mut x);
        b.fill(&mut y);
        a.fill(&mut z);
        assert_eq!(x, y);
        assert_ne!(x, z);
    }
}
