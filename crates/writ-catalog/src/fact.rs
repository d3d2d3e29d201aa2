//! A fact has a value, a source and a date, or it is unknown.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error, MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use writ_base::Moment;

/// What somebody says about a service. `Unknown` means that no source said; it is never the same as "no".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact<T> {
    /// No source says.
    Unknown,
    /// A source says so.
    Known(Known<T>),
}

/// A value with the source that states it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known<T> {
    /// What the source states.
    pub value: T,
    /// The document, page or list that states it.
    pub source: String,
    /// The date of the source, or the day it was read where it has none.
    pub date: SourceDate,
}

impl<T> Fact<T> {
    /// The value, if a source states one.
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Unknown => None,
            Self::Known(known) => Some(&known.value),
        }
    }
}

impl<T: Serialize> Serialize for Fact<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Unknown => serializer.serialize_str("unknown"),
            Self::Known(known) => known.serialize(serializer),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Fact<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FactVisitor(PhantomData))
    }
}

struct FactVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for FactVisitor<T> {
    type Value = Fact<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"unknown\", or a table with `value`, `source` and `date`")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Fact<T>, E> {
        if text == "unknown" {
            Ok(Fact::Unknown)
        } else {
            Err(E::invalid_value(serde::de::Unexpected::Str(text), &self))
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Fact<T>, A::Error> {
        let known = Known::deserialize(MapAccessDeserializer::new(map))?;
        if known.source.trim().is_empty() {
            return Err(A::Error::custom("a fact needs a source; write \"unknown\" where there is none"));
        }
        Ok(Fact::Known(known))
    }
}

/// A calendar day, or a month where the source gives no day: `2026-08-19` or `2026-10`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct SourceDate(String);

impl SourceDate {
    /// Parses `YYYY-MM-DD` or `YYYY-MM`; `None` if there is no such day or month.
    pub fn parse(text: &str) -> Option<Self> {
        let day = if text.len() == 7 { format!("{text}-01") } else { text.to_owned() };
        (day.len() == 10 && Moment::parse(&day).is_some()).then(|| Self(text.to_owned()))
    }

    /// As written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for SourceDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text)
            .ok_or_else(|| D::Error::custom(format!("`{text}` is not a date; write \"2026-08-19\" or \"2026-08\"")))
    }
}
