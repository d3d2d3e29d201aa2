//! Small sets of closed values, as bits.

use std::fmt;
use std::marker::PhantomData;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::values::Value;

/// A set of values of one closed dimension; at most 64 values.
pub struct Set<V> {
    bits: u64,
    of: PhantomData<V>,
}

impl<V: Value> Set<V> {
    /// The set without a value.
    pub const EMPTY: Self = Self { bits: 0, of: PhantomData };

    /// The set of one value.
    pub fn one(value: V) -> Self {
        Self { bits: 1 << value.index(), of: PhantomData }
    }

    /// Adds a value.
    pub fn insert(&mut self, value: V) {
        self.bits |= 1 << value.index();
    }

    /// Adds all values of another set.
    pub fn extend_from(&mut self, other: Self) {
        self.bits |= other.bits;
    }

    /// Whether the value is in the set.
    pub fn contains(self, value: V) -> bool {
        self.bits & (1 << value.index()) != 0
    }

    /// Whether the set has no value.
    pub const fn is_empty(self) -> bool {
        self.bits == 0
    }

    /// One bit per value, at its index.
    pub const fn bits(self) -> u64 {
        self.bits
    }

    /// The values in the order of the schema.
    pub fn iter(self) -> impl Iterator<Item = V> {
        V::ALL.iter().copied().filter(move |value| self.contains(*value))
    }
}

impl<V> Clone for Set<V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<V> Copy for Set<V> {}

impl<V> PartialEq for Set<V> {
    fn eq(&self, other: &Self) -> bool {
        self.bits == other.bits
    }
}

impl<V> Eq for Set<V> {}

impl<V: Value> Default for Set<V> {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl<V: Value> FromIterator<V> for Set<V> {
    fn from_iter<I: IntoIterator<Item = V>>(values: I) -> Self {
        let mut set = Self::EMPTY;
        values.into_iter().for_each(|value| set.insert(value));
        set
    }
}

impl<V: Value> fmt::Debug for Set<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(Value::name)).finish()
    }
}

impl<V: Value> Serialize for Set<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(Value::name))
    }
}

impl<'de, V: Value> Deserialize<'de> for Set<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let names = Vec::<String>::deserialize(deserializer)?;
        let value = |name: &String| {
            V::named(name).ok_or_else(|| serde::de::Error::custom(format!("`{name}` is not a value of this set")))
        };
        names.iter().map(value).collect()
    }
}
