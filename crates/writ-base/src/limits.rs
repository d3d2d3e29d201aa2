//! Named limits (invariant LIM-1): every queue, buffer, map and retry of Writ has one, with a count of how often it
//! was reached.

use std::sync::atomic::{AtomicU64, Ordering};

/// An upper bound with a name, a default and a counter.
#[derive(Debug)]
pub struct Limit {
    name: &'static str,
    unit: &'static str,
    value: usize,
    hits: AtomicU64,
}

impl Limit {
    /// A limit called `name` (dotted, as in metrics and docs), counted in `unit`.
    pub const fn new(name: &'static str, unit: &'static str, value: usize) -> Self {
        Self { name, unit, value, hits: AtomicU64::new(0) }
    }

    /// The name, for metrics, errors and the reference page.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// What is counted: bytes, entries, levels ...
    pub const fn unit(&self) -> &'static str {
        self.unit
    }

    /// The largest amount allowed.
    pub const fn value(&self) -> usize {
        self.value
    }

    /// Whether `amount` is within the limit; counts a hit if it is not.
    pub fn admits(&self, amount: usize) -> bool {
        let within = amount <= self.value;
        if !within {
            self.hit();
        }
        within
    }

    /// Counts that the limit was reached.
    pub fn hit(&self) {
        self.hits.fetch_add(1, Ordering::Relaxed);
    }

    /// How often the limit was reached since the start.
    pub fn hits(&self) -> u64 {
        self.hits.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_what_it_refuses() {
        static LIMIT: Limit = Limit::new("test.bytes", "bytes", 2);
        assert!(LIMIT.admits(2));
        assert!(!LIMIT.admits(3));
        assert_eq!(LIMIT.hits(), 1);
    }
}
