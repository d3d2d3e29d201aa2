//! Displayed pseudonyms: easy to say and to tell apart, and another one in each epoch.

use writ_base::hash::hmac_sha256;
use writ_base::keys::SecretKey;
use writ_model::interaction::PrincipalId;

/// The pseudonym of a principal under the pseudonym key of one epoch: `amber-heron-7k3f2q`.
///
/// Two words of 64 each and 30 bits of Crockford's base 32: 42 bits, so that ten thousand people share one with a
/// probability of about one in a hundred thousand.
pub fn pseudonym(key: &SecretKey, principal: PrincipalId) -> String {
    let digest = hmac_sha256(key.expose(), [b"pseudonym".as_slice(), principal.as_bytes()]);
    let mut bits = digest.iter().take(8).fold(0u64, |sum, byte| sum << 8 | u64::from(*byte));
    let mut take = |count: u32| {
        let value = bits & ((1 << count) - 1);
        bits >>= count;
        usize::try_from(value).unwrap_or(0)
    };
    let adjective = ADJECTIVES.get(take(6)).copied().unwrap_or_default();
    let animal = ANIMALS.get(take(6)).copied().unwrap_or_default();
    let tail: String = (0..6).filter_map(|_| ALPHABET.chars().nth(take(5))).collect();
    format!("{adjective}-{animal}-{tail}")
}

const ALPHABET: &str = "0123456789abcdefghjkmnpqrstvwxyz";

const ADJECTIVES: [&str; 64] = [
    "amber", "ample", "azure", "bold", "brave", "brief", "bright", "brisk", "calm", "cedar", "clear", "clever",
    "coral", "crisp", "deft", "eager", "early", "fair", "fleet", "fond", "fresh", "gentle", "glad", "golden", "grand",
    "green", "happy", "hardy", "honest", "ivory", "jolly", "keen", "kind", "lively", "loyal", "lucid", "lunar",
    "merry", "mild", "neat", "noble", "olive", "pearl", "plain", "polar", "proud", "quick", "quiet", "rapid", "rare",
    "royal", "sage", "sharp", "silver", "smart", "solar", "steady", "sunny", "swift", "tidy", "true", "vivid", "warm",
    "wise",
];

const ANIMALS: [&str; 64] = [
    "badger", "bear", "beaver", "bison", "bream", "camel", "carp", "cod", "crane", "cricket", "curlew", "deer",
    "dolphin", "dove", "duck", "eagle", "egret", "elk", "falcon", "ferret", "finch", "fox", "gannet", "gecko", "goose",
    "grouse", "hare", "hawk", "heron", "ibex", "ibis", "jay", "kestrel", "kite", "koala", "lark", "lemur", "linnet",
    "llama", "lynx", "marten", "mole", "moose", "newt", "otter", "owl", "panda", "perch", "pike", "plover", "puffin",
    "quail", "raven", "robin", "salmon", "seal", "swan", "swift", "tapir", "tern", "trout", "vole", "wren", "yak",
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn pseudonyms_differ_by_person_and_epoch_and_stay() {
        let (one, two) = (SecretKey::from_bytes([1; 32]), SecretKey::from_bytes([2; 32]));
        let people: Vec<_> = (0..5000u64)
            .map(|n| {
                let mut bytes = [0; 16];
                bytes[..8].copy_from_slice(&n.to_be_bytes());
                PrincipalId::from_bytes(bytes)
            })
            .collect();
        let all: BTreeSet<_> = people.iter().flat_map(|id| [pseudonym(&one, *id), pseudonym(&two, *id)]).collect();
        assert_eq!(all.len(), 10_000);
        assert_eq!(pseudonym(&one, people[0]), pseudonym(&one, people[0]));
        assert!(all.iter().all(|name| name.split('-').count() == 3));
    }

    #[test]
    fn no_word_stands_twice_in_a_list() {
        assert_eq!(BTreeSet::from(ADJECTIVES).len(), 64);
        assert_eq!(BTreeSet::from(ANIMALS).len(), 64);
    }
}
