//! Sealed terms: names that the signed text must not show, as keyed digests. Whoever has the key and the list can tell
//! which digest stands for which term; nobody else can, and no digest tells anything about another.

use std::collections::BTreeSet;

use writ_base::hash::hmac_sha256;
use writ_base::keys::SecretKey;

/// The form in which a term is compared: lower case, white space of any kind and length one space.
pub fn form(term: &str) -> String {
    term.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>().join(" ")
}

/// The digest of a term of a class under the key for sealed terms: HMAC-SHA-256 over class and [`form`]. The class is
/// part of it, so that a digest that was moved to another class stands for nothing.
pub fn digest(key: &SecretKey, class: &str, term: &str) -> [u8; 32] {
    let form = form(term);
    let length = (class.len() as u64).to_le_bytes();
    hmac_sha256(key.expose(), [b"writ sealed term 1\0".as_slice(), &length, class.as_bytes(), form.as_bytes()])
}

/// The digests of the terms of a list, one a line, without empty lines and doubles; in the order of the digests, so
/// that the order of the list is not told.
pub fn digests(key: &SecretKey, class: &str, terms: &str) -> BTreeSet<[u8; 32]> {
    terms.lines().filter(|line| !line.trim().is_empty()).map(|term| digest(key, class, term)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> SecretKey {
        SecretKey::from_bytes([byte; 32])
    }

    #[test]
    fn equal_terms_have_equal_digests_however_they_are_written() {
        assert_eq!(digest(&key(1), "strategic", "Project  HERON "), digest(&key(1), "strategic", "project heron"));
        assert_eq!(digests(&key(1), "strategic", "Heron\n\nheron\nBluebird\n").len(), 2);
    }

    #[test]
    fn key_class_and_term_all_count() {
        let all = [
            digest(&key(1), "strategic", "heron"),
            digest(&key(2), "strategic", "heron"),
            digest(&key(1), "financial", "heron"),
            digest(&key(1), "strategic", "herons"),
            digest(&key(1), "strategich", "eron"),
        ];
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
    }
}
