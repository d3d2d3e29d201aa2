//! Ids: a prefix that says what is named, and a UUIDv7 (RFC 9562), so that ids sort by time.
//!
//! Reports and receipts take [`random`] ids instead: theirs must not tell when they were made.

use std::fmt;
use std::str::FromStr;

pub use uuid::Uuid;

use crate::{Moment, Randomness};

/// An id whose time part is `now`.
pub fn time_ordered(now: Moment, randomness: &dyn Randomness) -> Uuid {
    let mut random = [0; 10];
    randomness.fill(&mut random);
    uuid::Builder::from_unix_timestamp_millis(now.millis(), &random).into_uuid()
}

/// An id that tells nothing.
pub fn random(randomness: &dyn Randomness) -> Uuid {
    let mut bytes = [0; 16];
    randomness.fill(&mut bytes);
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

/// Text that is not the id it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an id of this kind: expected `{prefix}` followed by 32 hexadecimal digits")]
pub struct NotAnId {
    prefix: &'static str,
}

/// Splits an id's text into prefix and UUID.
///
/// # Errors
/// If the prefix is another one or the rest is not 32 hexadecimal digits.
pub fn parse(prefix: &'static str, text: &str) -> Result<Uuid, NotAnId> {
    let digits = text.strip_prefix(prefix).filter(|digits| digits.len() == 32);
    digits.and_then(|digits| Uuid::from_str(digits).ok()).ok_or(NotAnId { prefix })
}

/// Declares id types: `ids! { /// Doc. pub struct InteractionId = "int_"; }`.
#[macro_export]
macro_rules! ids {
    ($($(#[$meta:meta])* pub struct $name:ident = $prefix:literal;)+) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name($crate::id::Uuid);

        impl $name {
            /// The prefix of this kind of id.
            pub const PREFIX: &'static str = $prefix;

            /// A new id whose time part is `now`.
            pub fn new(now: $crate::Moment, randomness: &dyn $crate::Randomness) -> Self {
                Self($crate::id::time_ordered(now, randomness))
            }

            /// The id with these 16 bytes.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self($crate::id::Uuid::from_bytes(bytes))
            }

            /// The 16 bytes.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                $crate::id::write_id(f, $prefix, &self.0)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::id::NotAnId;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                $crate::id::parse($prefix, text).map(Self)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )+};
}

/// Writes an id: its prefix, then 32 hexadecimal digits.
pub fn write_id(f: &mut fmt::Formatter<'_>, prefix: &str, uuid: &Uuid) -> fmt::Result {
    f.write_str(prefix)?;
    crate::hash::write_hex(f, uuid.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SeededRandom;

    ids! {
        /// An id for this test.
        pub struct TestId = "test_";
    }

    #[test]
    fn ids_sort_by_time_and_round_trip() {
        let randomness = SeededRandom::new(1);
        let (early, late) = (Moment::from_seconds(1_000), Moment::from_seconds(1_001));
        let (a, b) = (TestId::new(early, &randomness), TestId::new(late, &randomness));
        assert!(a < b && a.to_string() < b.to_string());
        assert_eq!(a.to_string().parse::<TestId>().unwrap(), a);
        assert_eq!(serde_json::from_str::<TestId>(&serde_json::to_string(&a).unwrap()).unwrap(), a);
        assert_eq!(TestId::from_bytes(*a.as_bytes()), a);
        assert!(a.to_string().starts_with(TestId::PREFIX));
        assert!("other_00000000000000000000000000000000".parse::<TestId>().is_err());
        assert!("test_{0000000000000000000000000000000}".parse::<TestId>().is_err());
    }
}
