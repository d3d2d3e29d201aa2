//! Shamir's secret sharing (CACM 22(11), 1979) of 256 bits, byte by byte over GF(2^8) with the polynomial of AES.

use std::fmt;
use std::str::FromStr;

use writ_base::keys::SecretKey;
use writ_base::{ContentHash, Randomness, hash};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// One holder's share of a secret. Fewer shares than the threshold tell nothing about it.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Share {
    /// The point at which the polynomials were evaluated; never 0, which is the secret's.
    place: u8,
    /// Their values.
    values: [u8; 32],
}

/// Why shares cannot be made or joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ShareError {
    /// Fewer than two holders needed, or more needed than there are.
    #[error("shares need a threshold of at least 2 and at least as many holders")]
    Threshold,
    /// Two shares are of the same holder.
    #[error("two of the shares are the same one; ask another holder")]
    Repeated,
    /// The text is not a share, or has a typing error.
    #[error("this is not a share, or it has a typing error")]
    NotAShare,
}

impl Share {
    /// Splits `secret` among `holders`, of whom any `threshold` can restore it.
    ///
    /// # Errors
    /// If the threshold is below 2 or above the number of holders.
    pub fn split(
        secret: &SecretKey,
        threshold: u8,
        holders: u8,
        randomness: &dyn Randomness,
    ) -> Result<Vec<Self>, ShareError> {
        if threshold < 2 || threshold > holders {
            return Err(ShareError::Threshold);
        }
        // One polynomial per byte: its constant is the secret's, the other coefficients are random.
        let coefficients: Vec<SecretKey> = (1..threshold).map(|_| SecretKey::generate(randomness)).collect();
        Ok((1..=holders).map(|place| evaluate(secret, &coefficients, place)).collect())
    }

    /// Joins shares. With fewer than the threshold, or with shares of different secrets, the result is another key:
    /// compare its public half.
    ///
    /// # Errors
    /// If two shares are of the same holder, or there are fewer than two.
    pub fn join(shares: &[Self]) -> Result<SecretKey, ShareError> {
        if shares.len() < 2 {
            return Err(ShareError::Threshold);
        }
        let mut secret = [0; 32];
        for (number, share) in shares.iter().enumerate() {
            let mut weight = 1;
            for (_, other) in shares.iter().enumerate().filter(|(it, _)| *it != number) {
                if other.place == share.place {
                    return Err(ShareError::Repeated);
                }
                weight = multiply(weight, multiply(other.place, inverse(other.place ^ share.place)));
            }
            for (sum, value) in secret.iter_mut().zip(share.values) {
                *sum ^= multiply(value, weight);
            }
        }
        let key = SecretKey::from_bytes(secret);
        secret.zeroize();
        Ok(key)
    }

    /// The number of the holder, from 1.
    pub const fn holder(&self) -> u8 {
        self.place
    }

    /// The share as text for its holder: this is the secret itself, not a description of it.
    pub fn to_text(&self) -> String {
        format!("writ-share-{}-{}-{}", self.place, hash::hex(&self.values), self.check())
    }

    fn check(&self) -> String {
        ContentHash::of_parts([[self.place].as_slice(), &self.values]).to_string().chars().take(8).collect()
    }
}

impl FromStr for Share {
    type Err = ShareError;

    fn from_str(text: &str) -> Result<Self, ShareError> {
        let parts: Vec<&str> = text.trim().strip_prefix("writ-share-").unwrap_or_default().split('-').collect();
        let [place, values, check] = parts.as_slice() else { return Err(ShareError::NotAShare) };
        let place = place.parse().ok().filter(|place| *place != 0).ok_or(ShareError::NotAShare)?;
        let values = hash::parse_hex(values).map_err(|_| ShareError::NotAShare)?;
        let share = Self { place, values };
        if share.check() == *check { Ok(share) } else { Err(ShareError::NotAShare) }
    }
}

impl fmt::Debug for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Share({})", self.place)
    }
}

fn evaluate(secret: &SecretKey, coefficients: &[SecretKey], place: u8) -> Share {
    let mut values = [0; 32];
    for coefficient in coefficients.iter().rev().chain([secret]) {
        for (value, byte) in values.iter_mut().zip(coefficient.expose()) {
            *value = multiply(*value, place) ^ byte;
        }
    }
    Share { place, values }
}

/// The product in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1 (FIPS 197 section 4.2); no branch or table depends on values.
fn multiply(mut a: u8, mut b: u8) -> u8 {
    let mut product = 0;
    for _ in 0..8 {
        product ^= a & 0u8.wrapping_sub(b & 1);
        let carry = 0u8.wrapping_sub(a >> 7);
        a = (a << 1) ^ (0x1b & carry);
        b >>= 1;
    }
    product
}

/// The inverse: the power 254, because the group has 255 elements.
fn inverse(a: u8) -> u8 {
    let mut power = 1;
    for _ in 0..254 {
        power = multiply(power, a);
    }
    power
}

#[cfg(test)]
mod tests {
    use super::*;
    use writ_base::SeededRandom;

    #[test]
    fn the_field_is_that_of_aes() {
        // FIPS 197 section 4.2: {57} x {83} = {c1}, {57} x {13} = {fe}.
        assert_eq!((multiply(0x57, 0x83), multiply(0x57, 0x13)), (0xc1, 0xfe));
        assert!((1..=255).all(|a| multiply(a, inverse(a)) == 1));
    }

    #[test]
    fn any_two_of_five_restore_and_one_does_not() {
        let randomness = SeededRandom::new(5);
        let secret = SecretKey::generate(&randomness);
        let shares = Share::split(&secret, 2, 5, &randomness).unwrap();
        for a in &shares {
            for b in shares.iter().filter(|b| *b != a) {
                assert!(Share::join(&[a.clone(), b.clone()]).unwrap() == secret);
            }
        }
        assert_eq!(Share::join(&shares[..1]).err(), Some(ShareError::Threshold));
        assert_eq!(Share::join(&[shares[0].clone(), shares[0].clone()]).err(), Some(ShareError::Repeated));
        assert!(Share::join(&shares[1..5]).unwrap() == secret);
    }

    #[test]
    fn two_of_a_threshold_of_three_tell_nothing() {
        let randomness = SeededRandom::new(6);
        let secret = SecretKey::from_bytes([0; 32]);
        let shares = Share::split(&secret, 3, 4, &randomness).unwrap();
        assert!(Share::join(&shares[..2]).unwrap() != secret);
        assert!(Share::join(&shares[1..]).unwrap() == secret);
        // Every first byte of the secret fits the two shares with some third one: they exclude nothing.
        let joined: std::collections::BTreeSet<u8> = (0..=255)
            .map(|value| {
                let mut third = shares[2].clone();
                third.values[0] = value;
                Share::join(&[shares[0].clone(), shares[1].clone(), third]).unwrap().expose()[0]
            })
            .collect();
        assert_eq!(joined.len(), 256);
    }

    #[test]
    fn texts_come_back_and_typing_errors_are_found() {
        let randomness = SeededRandom::new(7);
        let share = Share::split(&SecretKey::generate(&randomness), 2, 3, &randomness).unwrap().pop().unwrap();
        let text = share.to_text();
        assert_eq!(text.parse::<Share>(), Ok(share.clone()));
        let wrong = text.replacen(text.chars().nth(20).unwrap(), "g", 1);
        assert_eq!(wrong.parse::<Share>(), Err(ShareError::NotAShare));
        assert_eq!("writ-share-0-".parse::<Share>(), Err(ShareError::NotAShare));
        assert_eq!(format!("{share:?}"), "Share(3)");
        assert_eq!(Share::split(&SecretKey::from_bytes([1; 32]), 1, 3, &randomness).err(), Some(ShareError::Threshold));
    }
}
