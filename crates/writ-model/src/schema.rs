//! The one definition of all dimensions. Parser, evaluator, analyser and reference page read this table; there is no
//! second list of keys or values anywhere.

use crate::values::{
    Account, Action, Activity, Category, Channel, Currency, Declared, Device, Identity, Level, Origin, Signal, Status,
    Unreadable, ValueSpec, Who,
};

/// When a fact settles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// When the connection or caller is known.
    Connect,
    /// When the head of the request is known.
    Head,
    /// When the body has been read.
    Body,
}

impl Stage {
    /// All stages, in order.
    pub const ALL: &'static [Self] = &[Self::Connect, Self::Head, Self::Body];

    /// The name in records and documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Head => "head",
            Self::Body => "body",
        }
    }
}

/// How many values a situation has on a dimension, and how keys on it are read (POLICY.md section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Exactly one value.
    One,
    /// Exactly one value, from the least to the greatest risk.
    Ordered,
    /// Any number of values.
    Set,
    /// Classes with count band and certainty.
    Classes,
    /// Yes or no for each class found.
    PerClass,
}

/// Where the values come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Values {
    /// A closed list.
    Closed(&'static [ValueSpec]),
    /// Names that the document, the directory or the catalog gives; the text says which.
    Open(&'static str),
}

/// What `unknown` means on a dimension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// There is no such value.
    Absent,
    /// A value like the others.
    Ordinary,
    /// A directory or store could not say: a raising key applies, a foreseeing key does not, unless it names it.
    Risk,
}

/// A dimension's definition.
#[derive(Clone, Copy, Debug)]
pub struct DimensionSpec {
    /// Which dimension.
    pub dimension: Dimension,
    /// Its key in rules and its name in facts.
    pub key: &'static str,
    /// How many values it has.
    pub kind: Kind,
    /// Which values.
    pub values: Values,
    /// When it settles.
    pub stage: Stage,
    /// What `unknown` means on it.
    pub unknown: Unknown,
    /// Its value where it does not apply, if there is such a case.
    pub not_applicable: Option<&'static str>,
    /// Dimensions whose values restrict this one: a service has one category, a (service, tier) one status.
    pub depends_on: &'static [Dimension],
    /// What it says.
    pub doc: &'static str,
}

macro_rules! schema {
    ($($dimension:ident {
        key: $key:literal, kind: $kind:ident, values: $values:expr, stage: $stage:ident, unknown: $unknown:ident,
        not_applicable: $na:expr, depends_on: [$($depends:ident),*], doc: $doc:literal
    })+) => {
        /// What a rule may ask.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Dimension {
            $(#[doc = $doc] $dimension,)+
        }

        /// All dimensions, in the order of the reference page; the entry of a dimension is at its number.
        pub const SCHEMA: &[DimensionSpec] = &[$(DimensionSpec {
            dimension: Dimension::$dimension,
            key: $key,
            kind: Kind::$kind,
            values: $values,
            stage: Stage::$stage,
            unknown: Unknown::$unknown,
            not_applicable: $na,
            depends_on: &[$(Dimension::$depends),*],
            doc: $doc,
        }),+];

        impl Dimension {
            /// All dimensions, in the order of the schema.
            pub const ALL: &'static [Self] = &[$(Self::$dimension),+];

            /// The key in rules and the name in facts.
            pub const fn key(self) -> &'static str {
                match self { $(Self::$dimension => $key),+ }
            }
        }
    };
}

schema! {
    Who { key: "who", kind: One, values: Values::Closed(Who::SPECS), stage: Connect, unknown: Risk,
        not_applicable: None, depends_on: [],
        doc: "who acts; for an agent on behalf of a person, group, entity, training and attestation are the person's" }
    Identity { key: "identity", kind: Ordered, values: Values::Closed(Identity::SPECS), stage: Connect, unknown: Absent,
        not_applicable: None, depends_on: [], doc: "how sure Writ is of who acts" }
    Entity { key: "entity", kind: One, values: Values::Open("employing legal entities of the directory"), stage: Connect, unknown: Risk,
        not_applicable: None, depends_on: [], doc: "the employing legal entity" }
    Group { key: "group", kind: Set, values: Values::Open("groups of the directory that the document names"), stage: Connect, unknown: Risk,
        not_applicable: None, depends_on: [], doc: "groups of the directory" }
    Action { key: "action", kind: One, values: Values::Closed(Action::SPECS), stage: Body, unknown: Absent,
        not_applicable: None, depends_on: [], doc: "what is done; a rule without this key speaks about submit, upload and tool-call" }
    Service { key: "service", kind: One, values: Values::Open("service ids of the catalog and of the organisation"), stage: Connect, unknown: Risk,
        not_applicable: None, depends_on: [], doc: "the AI service" }
    Category { key: "category", kind: One, values: Values::Closed(Category::SPECS), stage: Connect, unknown: Risk,
        not_applicable: None, depends_on: [Service], doc: "the kind of service" }
    Tier { key: "tier", kind: One, values: Values::Open("plans of the catalog: free, team, enterprise ..."), stage: Head, unknown: Risk,
        not_applicable: None, depends_on: [Service], doc: "the plan of the account at the service; unknown is the weakest" }
    Status { key: "status", kind: One, values: Values::Closed(Status::SPECS), stage: Head, unknown: Absent,
        not_applicable: None, depends_on: [Service, Tier], doc: "where (service, tier) stands in its life" }
    Account { key: "account", kind: One, values: Values::Closed(Account::SPECS), stage: Head, unknown: Ordinary,
        not_applicable: None, depends_on: [], doc: "the account at the AI service" }
    Data { key: "data", kind: Classes, values: Values::Open("shipped classes, their groups, and classes that the document defines"), stage: Body, unknown: Absent,
        not_applicable: None, depends_on: [], doc: "the classes found, each with a count band and a certainty; every interaction contains plain" }
    Cleared { key: "cleared", kind: PerClass, values: Values::Closed(YES_NO), stage: Body, unknown: Absent,
        not_applicable: None, depends_on: [Data, Service, Tier], doc: "selects, among the classes of this rule that were found, those that vetting allows (yes) or does not allow (no) at (service, tier)" }
    Level { key: "level", kind: Ordered, values: Values::Closed(Level::SPECS), stage: Body, unknown: Absent,
        not_applicable: None, depends_on: [Data, Declared], doc: "the highest of a label read, a fingerprint match, the declaration and the levels of the classes found" }
    Declared { key: "declared", kind: One, values: Values::Closed(Declared::SPECS), stage: Body, unknown: Absent,
        not_applicable: Some("not-asked"), depends_on: [], doc: "the level that the person stated" }
    Origin { key: "origin", kind: One, values: Values::Closed(Origin::SPECS), stage: Body, unknown: Ordinary,
        not_applicable: None, depends_on: [], doc: "where the content comes from" }
    Activity { key: "activity", kind: Set, values: Values::Closed(Activity::SPECS), stage: Body, unknown: Ordinary,
        not_applicable: None, depends_on: [], doc: "what the prompt wants" }
    Channel { key: "channel", kind: One, values: Values::Closed(Channel::SPECS), stage: Head, unknown: Absent,
        not_applicable: None, depends_on: [], doc: "the kind of client" }
    Device { key: "device", kind: One, values: Values::Closed(Device::SPECS), stage: Connect, unknown: Risk,
        not_applicable: None, depends_on: [], doc: "whether the organisation manages the device" }
    PersonRegion { key: "person-region", kind: One, values: Values::Open("regions that the document names"), stage: Head, unknown: Risk,
        not_applicable: None, depends_on: [], doc: "the person's region" }
    ServiceRegion { key: "service-region", kind: One, values: Values::Open("regions that the document names"), stage: Head, unknown: Risk,
        not_applicable: None, depends_on: [Service, Tier], doc: "the service's region" }
    Training { key: "training", kind: One, values: Values::Closed(Currency::SPECS), stage: Connect, unknown: Risk,
        not_applicable: Some("not-applicable"), depends_on: [], doc: "whether the person's training is up to date" }
    Attestation { key: "attestation", kind: One, values: Values::Closed(Currency::SPECS), stage: Connect, unknown: Risk,
        not_applicable: Some("not-applicable"), depends_on: [], doc: "whether the person's attestation is up to date" }
    Signal { key: "signal", kind: Set, values: Values::Closed(Signal::SPECS), stage: Body, unknown: Absent,
        not_applicable: None, depends_on: [], doc: "facts from analysis; `opaque` and `malformed` alone mean all their kinds" }
    Unreadable { key: "unreadable", kind: Set, values: Values::Closed(Unreadable::SPECS), stage: Body, unknown: Absent,
        not_applicable: None, depends_on: [], doc: "a reader failed" }
}

const YES_NO: &[ValueSpec] = &[
    ValueSpec { name: "no", doc: "vetting does not allow the class at (service, tier)" },
    ValueSpec { name: "yes", doc: "vetting allows the class at (service, tier)" },
];

impl Dimension {
    /// The dimension with this key.
    pub fn named(key: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|dimension| dimension.key() == key)
    }

    /// The name of a closed value by its index; empty where there is none.
    pub fn value_name(self, index: u8) -> &'static str {
        match self.spec().values {
            Values::Closed(values) => values.get(usize::from(index)).map_or("", |value| value.name),
            Values::Open(_) => "",
        }
    }

    /// Its definition.
    #[expect(clippy::indexing_slicing, reason = "one macro makes table and enum: the number is the place (tested)")]
    pub fn spec(self) -> &'static DimensionSpec {
        &SCHEMA[self as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_dimension_is_at_its_number() {
        for (number, spec) in SCHEMA.iter().enumerate() {
            assert_eq!(spec.dimension as usize, number);
            assert_eq!(spec.dimension.spec().key, spec.key);
            assert_eq!(Dimension::named(spec.key), Some(spec.dimension));
        }
    }

    #[test]
    fn no_dimension_settles_before_what_it_depends_on() {
        for spec in SCHEMA {
            for on in spec.depends_on {
                assert!(on.spec().stage <= spec.stage, "{} settles before {}", spec.key, on.key());
            }
        }
    }

    #[test]
    fn closed_lists_fit_into_64_bits_and_have_no_double() {
        for spec in SCHEMA {
            let Values::Closed(values) = spec.values else { continue };
            let mut names: Vec<_> = values.iter().map(|v| v.name).collect();
            names.sort_unstable();
            names.dedup();
            assert!(names.len() == values.len() && names.len() <= 64, "{}", spec.key);
            assert_eq!(names.contains(&"unknown"), spec.unknown != Unknown::Absent, "{}", spec.key);
        }
    }
}
