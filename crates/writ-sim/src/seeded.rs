//! A small seeded generator (SplitMix64), so that a seed means the same company and the same answers on every
//! platform and with every version of a random number crate.

/// Increment of SplitMix64: 2^64 divided by the golden ratio.
const GOLDEN_GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

/// Deterministic source of numbers. It is not secret and never used for keys.
#[derive(Debug, Clone)]
pub struct Generator {
    state: u64,
}

impl Generator {
    /// Starts the sequence that belongs to `seed`.
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// Starts the sequence that belongs to `seed` and some bytes, such as a request body.
    pub fn keyed(seed: u64, key: &[u8]) -> Self {
        Self { state: mix(seed ^ fnv1a(key)) }
    }

    /// The next number of the sequence.
    pub fn number(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GOLDEN_GAMMA);
        mix(self.state)
    }

    /// A number from 0 up to, not including, `bound`; 0 where `bound` is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.number() % bound).unwrap_or(0)
    }

    /// One of `choices`; `fallback` where there is none.
    pub fn pick<'a, T: ?Sized>(&mut self, choices: &[&'a T], fallback: &'a T) -> &'a T {
        choices.get(self.below(choices.len())).copied().unwrap_or(fallback)
    }

    /// `length` characters of `alphabet`, which is ASCII.
    pub fn token(&mut self, length: usize, alphabet: &str) -> String {
        let letters = alphabet.as_bytes();
        (0..length).filter_map(|_| letters.get(self.below(letters.len())).map(|letter| char::from(*letter))).collect()
    }
}

/// Letters and digits, as ids of AI services use them.
pub const ALPHANUMERIC: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/// Lower-case hexadecimal digits.
pub const HEXADECIMAL: &str = "0123456789abcdef";
/// Decimal digits.
pub const DIGITS: &str = "0123456789";

fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splitmix64_matches_its_reference_values() {
        // First outputs of the reference implementation (Vigna, splitmix64.c) for the seed 1234567.
        let mut generator = Generator::new(1_234_567);
        assert_eq!(generator.number(), 6_457_827_717_110_365_317);
        assert_eq!(generator.number(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn keys_separate_sequences_and_bounds_hold() {
        assert_ne!(Generator::keyed(1, b"a").number(), Generator::keyed(1, b"b").number());
        assert_ne!(Generator::keyed(1, b"a").number(), Generator::keyed(2, b"a").number());
        let mut generator = Generator::new(7);
        assert!((0..1000).all(|_| generator.below(3) < 3));
        assert_eq!(generator.below(0), 0);
        assert_eq!(generator.token(20, DIGITS).len(), 20);
    }
}
