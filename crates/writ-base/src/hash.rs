//! Hashes: of content that anyone may recompute, and keyed digests of values that nobody may guess.

use std::fmt;
use std::str::FromStr;

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

/// SHA-256 (FIPS 180-4) of public content: a policy text, its rows, a detection pack, a ledger entry.
///
/// Written as 64 hexadecimal digits. Never of a prompt or of a short value: those can be guessed, see [`KeyedDigest`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ContentHash([u8; 32]);

impl ContentHash {
    /// The hash of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The hash of several pieces, each preceded by its length so that no two lists of pieces collide.
    pub fn of_parts<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut hasher = Sha256::new();
        for part in parts {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        Self(hasher.finalize().into())
    }

    /// From the 32 bytes themselves.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The first 12 hexadecimal digits, for people.
    pub fn short(&self) -> String {
        self.to_string().chars().take(12).collect()
    }
}

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for ContentHash {
    type Err = NotHex;

    fn from_str(text: &str) -> Result<Self, NotHex> {
        parse_hex(text).map(Self)
    }
}

impl Serialize for ContentHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ContentHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// 128 bits of a digest under a secret key: tells equal values from different ones, and nothing else.
///
/// Fast keyed BLAKE3 for what stays in memory (findings cache, distinct values); its key never leaves the process.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyedDigest([u8; 16]);

impl KeyedDigest {
    /// The digest of `bytes` under `key`.
    pub fn of(key: &[u8; 32], bytes: &[u8]) -> Self {
        Self::from_hash(&blake3::keyed_hash(key, bytes))
    }

    /// The digest of several pieces under `key`, each preceded by its length.
    pub fn of_parts<'a>(key: &[u8; 32], parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut hasher = blake3::Hasher::new_keyed(key);
        for part in parts {
            hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
        }
        Self::from_hash(&hasher.finalize())
    }

    fn from_hash(hash: &blake3::Hash) -> Self {
        let mut bytes = [0; 16];
        for (to, from) in bytes.iter_mut().zip(hash.as_bytes()) {
            *to = *from;
        }
        Self(bytes)
    }

    /// The 16 bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for KeyedDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}

impl fmt::Debug for KeyedDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// HMAC-SHA-256 (RFC 2104) of several pieces, each preceded by its length: for what is stored or shown, such as
/// placeholders, pseudonyms, API key look-ups and the mark of messages that Writ wrote.
pub fn hmac_sha256<'a>(key: &[u8; 32], parts: impl IntoIterator<Item = &'a [u8]>) -> [u8; 32] {
    // RFC 2104 pads a key to the block length with zeros; doing it here leaves no length that could be refused.
    let mut block = [0; 64];
    block.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
    let mut mac = <Hmac<Sha256> as KeyInit>::new(&block.into());
    for part in parts {
        mac.update(&(part.len() as u64).to_le_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// Text that is not the expected number of hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a hash: expected {digits} hexadecimal digits")]
pub struct NotHex {
    digits: usize,
}

/// Writes bytes as lower-case hexadecimal digits.
pub fn write_hex(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    bytes.chunks(AT_ONCE).try_for_each(|bytes| f.write_str(digits(bytes, &mut [0; 2 * AT_ONCE])))
}

/// Bytes as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    bytes.chunks(AT_ONCE).for_each(|bytes| text.push_str(digits(bytes, &mut [0; 2 * AT_ONCE])));
    text
}

/// Bytes that are written with one call: a record has hundreds of digits, and the formatting machinery costs more than
/// they do.
const AT_ONCE: usize = 32;

/// The digits of at most [`AT_ONCE`] bytes.
fn digits<'o>(bytes: &[u8], out: &'o mut [u8; 2 * AT_ONCE]) -> &'o str {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| DIGITS.get(usize::from(value & 15)).copied().unwrap_or_default();
    for (pair, byte) in out.chunks_exact_mut(2).zip(bytes) {
        pair.copy_from_slice(&[digit(byte >> 4), digit(*byte)]);
    }
    let written = out.get(..2 * bytes.len()).unwrap_or_default();
    std::str::from_utf8(written).unwrap_or_default()
}

/// Reads exactly `N` bytes of hexadecimal digits.
///
/// # Errors
/// If `text` is anything else.
pub fn parse_hex<const N: usize>(text: &str) -> Result<[u8; N], NotHex> {
    let not_hex = NotHex { digits: N * 2 };
    if text.len() != N * 2 {
        return Err(not_hex);
    }
    let value = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = pair.iter().try_fold(0, |sum: u8, digit| Some(sum << 4 | value(*digit)?)).ok_or(not_hex)?;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_hash_is_sha_256() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(ContentHash::of(b"").to_string(), empty);
        assert_eq!(empty.parse::<ContentHash>().unwrap(), ContentHash::of(b""));
        assert!("e3b0".parse::<ContentHash>().is_err());
        assert!("é".repeat(32).parse::<ContentHash>().is_err());
    }

    #[test]
    fn hexadecimal_digits_there_and_back() {
        let all: Vec<u8> = (0..=255).collect();
        let text = hex(&all);
        assert_eq!(text.len(), 512);
        assert!(all.iter().all(|byte| text.get(usize::from(*byte) * 2..).unwrap().starts_with(&format!("{byte:02x}"))));
        assert_eq!(parse_hex::<256>(&text).unwrap().as_slice(), all);
        assert_eq!(parse_hex::<2>("aB0F"), Ok([0xab, 0x0f]));
        for wrong in ["abc", "abcde", "ab g", "+f00", "ab\u{e9}"] {
            assert!(parse_hex::<2>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn pieces_do_not_run_together() {
        let parts = |list: &[&str]| ContentHash::of_parts(list.iter().map(|s| s.as_bytes()));
        assert_ne!(parts(&["ab", "c"]), parts(&["a", "bc"]));
        let keyed = |list: &[&str]| KeyedDigest::of_parts(&[1; 32], list.iter().map(|s| s.as_bytes()));
        assert_ne!(keyed(&["ab", "c"]), keyed(&["a", "bc"]));
    }

    #[test]
    fn keyed_digests_depend_on_the_key() {
        assert_ne!(KeyedDigest::of(&[1; 32], b"x"), KeyedDigest::of(&[2; 32], b"x"));
    }
}
