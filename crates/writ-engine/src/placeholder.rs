//! Placeholders: typed, deterministic stand-ins for what was redacted (`[CARD-3f9k2m7q8w4xz]`).
//!
//! Deterministic per organisation and key epoch, so that a provider's prompt cache still hits and the same value has
//! the same name in a conversation; 65 bits of HMAC-SHA-256, so that nobody guesses them; collisions are detected by
//! the vault. They are pseudonyms, not anonymous.

use writ_base::hash::hmac_sha256;
use writ_base::keys::SecretKey;

/// Digits after the dash: 13 base-32 digits of 5 bits.
const DIGITS: usize = 13;

/// Crockford's base 32 in lower case: no letter that reads like another.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// The longest placeholder in bytes: `[`, a word of at most 16 letters, `-`, the digits, `]`.
pub const LONGEST: usize = 1 + LONGEST_WORD + 1 + DIGITS + 1;

const LONGEST_WORD: usize = 16;

/// The placeholder of a value of this data type.
pub fn issue(key: &SecretKey, data_type: &str, normalised: &str) -> String {
    let word = word(data_type);
    let digest = hmac_sha256(key.expose(), [word.as_bytes(), normalised.as_bytes()]);
    let mut text = String::with_capacity(LONGEST);
    text.push('[');
    text.push_str(word);
    text.push('-');
    text.extend(digits(&digest));
    text.push(']');
    text
}

fn digits(digest: &[u8; 32]) -> impl Iterator<Item = char> {
    let number = digest.iter().take(16).fold(0u128, |sum, byte| sum << 8 | u128::from(*byte));
    (0..DIGITS).map(move |place| {
        let digit = usize::try_from(number >> (place * 5) & 31).unwrap_or_default();
        ALPHABET.get(digit).copied().map_or('0', char::from)
    })
}

/// The word that stands for a data type: what a person would call it.
fn word(data_type: &str) -> &'static str {
    match data_type {
        "CREDIT_CARD" | "CREDIT_CARD_FRAGMENT" => "CARD",
        "IBAN" | "BANK_ACCOUNT" | "ROUTING_NUMBER" | "SWIFT_BIC" => "ACCOUNT",
        "US_SSN" | "NATIONAL_ID" | "TAX_ID" | "PASSPORT" | "DRIVER_LICENSE" => "ID",
        "EMAIL" => "EMAIL",
        "PHONE" => "PHONE",
        "PERSON" => "NAME",
        "IP_ADDRESS" => "ADDRESS",
        "STREET_ADDRESS" | "LOCATION" | "POSTAL_CODE" => "PLACE",
        "DATE_OF_BIRTH" | "DATE_TIME" => "DATE",
        "MEDICAL_RECORD_NUMBER" | "HEALTH_INSURANCE_ID" => "PATIENT",
        "HEALTH_CONDITION" | "MEDICATION" | "PROCEDURE" => "HEALTH",
        "API_KEY" | "API_SECRET" | "AUTH_TOKEN" | "JWT" | "PRIVATE_KEY" | "PASSWORD" | "SECRET" => "SECRET",
        "SOURCE_CODE" | "CONFIG_MARKUP" => "CODE",
        "ORGANISATION_TERM" => "TERM",
        _ => "DETAIL",
    }
}

/// Where a text may hold a placeholder: byte ranges of everything of the right form.
pub fn candidates(text: &str) -> impl Iterator<Item = std::ops::Range<usize>> {
    memchr_brackets(text).filter_map(|start| {
        let rest = text.get(start..)?;
        let length = form(rest)?;
        Some(start..start + length)
    })
}

fn memchr_brackets(text: &str) -> impl Iterator<Item = usize> {
    text.bytes().enumerate().filter(|(_, byte)| *byte == b'[').map(|(place, _)| place)
}

/// The length of the placeholder at the start of `text`, if there is one.
fn form(text: &str) -> Option<usize> {
    let inner = text.strip_prefix('[')?;
    let (word, rest) = inner.split_once('-')?;
    let digits = rest.get(..DIGITS)?;
    let well_formed = (1..=LONGEST_WORD).contains(&word.len())
        && word.bytes().all(|byte| byte.is_ascii_uppercase())
        && digits.bytes().all(|byte| ALPHABET.contains(&byte))
        && rest.get(DIGITS..=DIGITS) == Some("]");
    well_formed.then_some(1 + word.len() + 1 + DIGITS + 1)
}

/// How many bytes at the end of `text` could become a placeholder when more text follows: what a stream holds back.
pub fn open_tail(text: &str) -> usize {
    let window = text.len().saturating_sub(LONGEST - 1);
    let tail = (window..=text.len()).find_map(|start| text.get(start..)).unwrap_or_default();
    tail.rfind('[')
        .filter(|start| could_open(tail.get(*start..).unwrap_or_default()))
        .map_or(0, |start| tail.len() - start)
}

/// Whether `text`, which begins with `[`, is a proper beginning of a placeholder.
fn could_open(text: &str) -> bool {
    let inner = text.strip_prefix('[').unwrap_or_default();
    match inner.split_once('-') {
        None => inner.len() <= LONGEST_WORD && inner.bytes().all(|byte| byte.is_ascii_uppercase()),
        Some((word, digits)) => {
            (1..=LONGEST_WORD).contains(&word.len())
                && word.bytes().all(|byte| byte.is_ascii_uppercase())
                && digits.len() <= DIGITS
                && digits.bytes().all(|byte| ALPHABET.contains(&byte))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key() -> SecretKey {
        SecretKey::from_bytes([5; 32])
    }

    #[test]
    fn equal_values_have_equal_placeholders() {
        let card = issue(&key(), "CREDIT_CARD", "4111111111111111");
        assert_eq!(card, issue(&key(), "CREDIT_CARD", "4111111111111111"));
        assert_ne!(card, issue(&key(), "CREDIT_CARD", "4111111111111129"));
        assert_ne!(card, issue(&SecretKey::from_bytes([6; 32]), "CREDIT_CARD", "4111111111111111"));
        assert!(card.starts_with("[CARD-") && card.len() <= LONGEST);
    }

    proptest! {
        #[test]
        fn every_placeholder_is_found_and_held_back_at_every_split(value in ".{0,40}", before in "[^\\[]{0,10}", after in "[^\\[]{0,10}") {
            let placeholder = issue(&key(), "EMAIL", &value);
            let text = format!("{before}{placeholder}{after}");
            prop_assert_eq!(candidates(&text).map(|r| text.get(r).unwrap().to_owned()).collect::<Vec<_>>(), vec![placeholder.clone()]);
            for split in 1..placeholder.len() {
                let head = format!("{before}{}", placeholder.get(..split).unwrap());
                prop_assert_eq!(open_tail(&head), split);
            }
            prop_assert_eq!(open_tail(&text), 0);
        }

        #[test]
        fn nothing_else_is_held_back_for_long(text in "\\PC{0,80}") {
            prop_assert!(open_tail(&text) < LONGEST);
            prop_assert!(text.is_char_boundary(text.len() - open_tail(&text)));
        }
    }
}
