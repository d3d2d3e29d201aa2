//! A made-up situation as an address holds it: names of values, kinds of data with how much of them, never content.
//!
//! Reading an address is total: what is not a value of its dimension is passed over, so that a link that was kept keeps
//! working. A dimension that is not named is taken as where nothing is known; what belongs to a tool is taken from the
//! list of tools.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json, json};
use writ_base::Moment;
use writ_engine::Snapshot;
use writ_model::facts::{Found, Reading};
use writ_model::schema::{Dimension, Kind, Values};
use writ_model::values::Value as _;
use writ_model::{Band, Certainty, Facts, Term};
use writ_policy::eval::Policy;
use writ_policy::example::{Given, Situation as Stated};

use crate::limits;
use crate::reply::encode;

/// A situation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Situation {
    /// Names of values, by dimension.
    values: BTreeMap<Dimension, BTreeSet<String>>,
    /// Classes found.
    classes: BTreeMap<Term, Amount>,
    /// Types of data that detection found in each class.
    types: BTreeMap<Term, BTreeSet<String>>,
    /// Whether what was found cannot be cut out.
    fixed: bool,
    /// The place in roll-outs by share.
    share: u16,
}

/// How much of a class was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Amount {
    /// As many as the least of a band, of one certainty.
    Band(Band, Certainty),
    /// So many distinct values, and so many of them certain.
    Counts(Found),
}

/// The names beside dimensions.
const AMOUNT: &str = "amount-";
const TYPES: &str = "types-";
const FIXED: &str = "fixed";
const SHARE: &str = "share";
/// Of a class, the types of data that an address names.
const TYPES_MOST: usize = 4;
/// Characters of an address's query, so that it stays within the limit of addresses.
const QUERY_MOST: usize = 3_500;
/// What a tool brings along: without a value here the list of tools says it.
const OF_THE_TOOL: [Dimension; 4] =
    [Dimension::Category, Dimension::Status, Dimension::ServiceRegion, Dimension::Cleared];

impl Amount {
    /// All amounts that a form offers, with words for them.
    pub(crate) const OFFERED: [(Self, &'static str); 6] = [
        (Self::Band(Band::One, Certainty::Likely), "one, likely"),
        (Self::Band(Band::One, Certainty::Certain), "one, certain"),
        (Self::Band(Band::Few, Certainty::Likely), "a few, likely"),
        (Self::Band(Band::Few, Certainty::Certain), "a few, certain"),
        (Self::Band(Band::Bulk, Certainty::Likely), "many, likely"),
        (Self::Band(Band::Bulk, Certainty::Certain), "many, certain"),
    ];

    /// What is taken where an address names a class alone.
    const USUAL: Self = Self::Band(Band::One, Certainty::Certain);

    fn parse(text: &str) -> Option<Self> {
        let (first, second) = text.split_once('-')?;
        if let (Ok(likely), Ok(certain)) = (first.parse(), second.parse()) {
            return Some(Self::Counts(Found { likely, certain })).filter(|_| certain <= likely && likely > 0);
        }
        let certainty = [Certainty::Likely, Certainty::Certain].into_iter().find(|it| it.as_str() == second)?;
        Some(Self::Band(Band::named(first)?, certainty))
    }

    /// As an address holds it: `few-certain`, `12-1`.
    pub(crate) fn word(self) -> String {
        match self {
            Self::Band(band, certainty) => format!("{}-{}", band.as_str(), certainty.as_str()),
            Self::Counts(found) => format!("{}-{}", found.likely, found.certain),
        }
    }

    /// Distinct values under a policy's bands.
    fn found(self, policy: &Policy, class: &str) -> Found {
        match self {
            Self::Counts(found) => found,
            Self::Band(band, certainty) => {
                let least = least(policy, class, band);
                Found { likely: least, certain: if certainty == Certainty::Certain { least } else { 0 } }
            }
        }
    }
}

/// The least number of distinct values of a band.
fn least(policy: &Policy, class: &str, band: Band) -> u32 {
    let definition = policy.classes().get(class);
    match band {
        Band::One => 1,
        Band::Few => definition.map_or(2, |it| it.few),
        Band::Bulk => definition.map_or(10, |it| it.bulk),
    }
}

impl Situation {
    /// Reads the fields of an address.
    pub(crate) fn parse(pairs: &[(String, String)]) -> Self {
        let mut situation = Self::default();
        if !limits::SITUATION.admits(pairs.len()) {
            return situation;
        }
        for (name, value) in pairs.iter().map(|(name, value)| (name.as_str(), value.trim())) {
            if let Some(class) = name.strip_prefix(AMOUNT) {
                if let (true, Some(amount)) = (is_name(class), Amount::parse(value)) {
                    situation.classes.entry(class.into()).and_modify(|it| *it = amount).or_insert(amount);
                }
            } else if let Some(class) = name.strip_prefix(TYPES) {
                let types: BTreeSet<String> =
                    value.split('.').filter(|it| is_type(it)).take(TYPES_MOST).map(str::to_owned).collect();
                if is_name(class) && !types.is_empty() {
                    situation.types.insert(class.into(), types);
                }
            } else if name == FIXED {
                situation.fixed = value == "yes";
            } else if name == SHARE {
                situation.share = value.parse().unwrap_or(0).min(9_999);
            } else if let Some(dimension) = Dimension::named(name) {
                value.split(',').for_each(|value| situation.add(dimension, value.trim()));
            }
        }
        // An amount says how much of a class that was chosen; a form sends it of every class.
        let mut chosen = situation.values.remove(&Dimension::Data).unwrap_or_default();
        chosen.retain(|class| !matches!(class.as_str(), "plain" | "any"));
        situation.classes.retain(|class, _| chosen.contains(class.as_str()));
        for class in chosen {
            situation.classes.entry(class.as_str().into()).or_insert(Amount::USUAL);
        }
        situation.types.retain(|class, _| situation.classes.contains_key(class));
        situation
    }

    fn add(&mut self, dimension: Dimension, value: &str) {
        let fits = match dimension.spec().values {
            _ if dimension == Dimension::Cleared => is_name(value),
            Values::Closed(values) => values.iter().any(|it| it.name == value),
            Values::Open(_) => is_name(value),
        };
        if !fits {
            return;
        }
        let values = self.values.entry(dimension).or_default();
        if !matches!(dimension.spec().kind, Kind::Set | Kind::Classes | Kind::PerClass) {
            values.clear();
        }
        values.insert(value.to_owned());
    }

    /// Whether an address said anything.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Where somebody begins: an employee who sends a prompt to the first tool that the organisation approved, or what
    /// the policy says of its examples.
    pub(crate) fn start(stated: Option<&Stated>, snapshot: &Snapshot, now: Moment) -> Self {
        let mut situation = Self::default();
        for (name, value) in [("who", "employee"), ("identity", "password"), ("channel", "browser")] {
            situation.values.extend(Dimension::named(name).map(|it| (it, BTreeSet::from([value.to_owned()]))));
        }
        for (name, value) in [("device", "managed"), ("account", "corporate")] {
            situation.values.extend(Dimension::named(name).map(|it| (it, BTreeSet::from([value.to_owned()]))));
        }
        for (dimension, given) in stated.into_iter().flat_map(|stated| &stated.values) {
            situation.values.insert(*dimension, names_of(*dimension, given));
        }
        // What is known of the tool is on the list of tools.
        OF_THE_TOOL.iter().for_each(|dimension| drop(situation.values.remove(dimension)));
        if !situation.values.contains_key(&Dimension::Service)
            && let Some((service, tier)) = approved(snapshot, now)
        {
            situation.values.insert(Dimension::Service, BTreeSet::from([service]));
            situation.values.insert(Dimension::Tier, BTreeSet::from([tier]));
        }
        situation
    }

    /// The situation of these facts.
    pub(crate) fn of_facts(facts: &Facts, types: BTreeMap<Term, BTreeSet<String>>) -> Self {
        let mut situation =
            Self { types, fixed: !facts.unredactable.is_empty(), share: facts.share, ..Self::default() };
        for dimension in Dimension::ALL.iter().copied() {
            let closed = |index: u8| match dimension.spec().values {
                Values::Closed(values) => values.get(usize::from(index)).map_or("", |it| it.name).to_owned(),
                Values::Open(_) => String::new(),
            };
            let names: BTreeSet<String> = match facts.read(dimension) {
                Reading::Pending => continue,
                Reading::Classes(classes) => {
                    let counted = classes.iter().map(|(class, found)| (class.clone(), Amount::Counts(*found)));
                    situation.classes = counted.collect();
                    continue;
                }
                Reading::Closed(index) => BTreeSet::from([closed(index)]),
                Reading::Open(name) => BTreeSet::from([name.to_string()]),
                Reading::ClosedSet(bits) => (0..64u8).filter(|it| bits & (1 << it) != 0).map(closed).collect(),
                Reading::OpenSet(None) => BTreeSet::from([Term::UNKNOWN.to_string()]),
                Reading::OpenSet(Some(names)) if dimension == Dimension::Cleared && names.is_empty() => {
                    BTreeSet::from(["no".to_owned()])
                }
                Reading::OpenSet(Some(names)) => names.iter().map(ToString::to_string).collect(),
            };
            if !names.is_empty() {
                situation.values.insert(dimension, names);
            }
        }
        situation
    }

    /// The same situation with other content: what detection found, instead of what was chosen.
    #[must_use]
    pub(crate) fn with_found(
        mut self,
        classes: impl IntoIterator<Item = (Term, Found)>,
        types: BTreeMap<Term, BTreeSet<String>>,
    ) -> Self {
        self.classes = classes.into_iter().map(|(class, found)| (class, Amount::Counts(found))).collect();
        self.types = types;
        self
    }

    /// The facts under a policy, at a time.
    pub(crate) fn facts(&self, snapshot: &Snapshot, now: Moment) -> Facts {
        let one = |dimension: Dimension| self.one(dimension).map_or(Term::UNKNOWN, Term::from);
        let of_service = snapshot.facts_of_service(
            Facts { share: self.share, ..Facts::default() },
            &one(Dimension::Service),
            one(Dimension::Tier),
            now,
        );
        let classes: Map<String, Json> = self
            .classes
            .iter()
            .map(|(class, amount)| (class.to_string(), json!(amount.found(&snapshot.policy, class))))
            .collect();
        let mut all = match serde_json::to_value(of_service) {
            Ok(Json::Object(all)) => all,
            _ => Map::new(),
        };
        for (dimension, names) in &self.values {
            all.insert(dimension.key().to_owned(), self.value(*dimension, names));
        }
        if self.fixed {
            all.insert("unredactable".into(), classes.keys().cloned().collect());
        }
        all.insert(Dimension::Data.key().into(), classes.into());
        // Every value is one of its dimension, so that this cannot fail.
        serde_json::from_value::<Facts>(all.into()).unwrap_or_default().completed()
    }

    fn value(&self, dimension: Dimension, names: &BTreeSet<String>) -> Json {
        let first = || names.first().map_or(Json::Null, |name| name.as_str().into());
        let unknown = names.contains(Term::UNKNOWN.as_str());
        match dimension {
            Dimension::Cleared if names.contains("yes") => self.classes.keys().map(|class| class.as_str()).collect(),
            Dimension::Cleared if names.contains("no") => Json::Array(Vec::new()),
            Dimension::Group if unknown => Term::UNKNOWN.as_str().into(),
            _ if matches!(dimension.spec().kind, Kind::Set | Kind::PerClass) => names.iter().cloned().collect(),
            _ => first(),
        }
    }

    /// The canonical address: only what differs from where nothing is known, in the order of the schema.
    pub(crate) fn query(&self) -> String {
        let full = self.pairs(true);
        if full.len() <= QUERY_MOST { full } else { self.pairs(false) }
    }

    fn pairs(&self, with_types: bool) -> String {
        let mut pairs: Vec<String> = Vec::new();
        let mut pair = |name: &str, value: &str| pairs.push(format!("{}={}", encode(name), encode(value)));
        for dimension in Dimension::ALL.iter().copied().filter(|dimension| *dimension != Dimension::Data) {
            let names = self.values.get(&dimension).into_iter().flatten();
            names.filter(|name| tells(dimension, name)).for_each(|name| pair(dimension.key(), name));
        }
        for (class, amount) in &self.classes {
            pair(Dimension::Data.key(), class);
            if *amount != Amount::USUAL {
                pair(&format!("{AMOUNT}{class}"), &amount.word());
            }
            if let Some(types) = self.types.get(class).filter(|_| with_types) {
                let types: Vec<&str> = types.iter().take(TYPES_MOST).map(String::as_str).collect();
                pair(&format!("{TYPES}{class}"), &types.join("."));
            }
        }
        if self.fixed {
            pair(FIXED, "yes");
        }
        if self.share > 0 {
            pair(SHARE, &self.share.to_string());
        }
        if pairs.is_empty() { "who=unknown".into() } else { pairs.join("&") }
    }

    /// The values named on a dimension.
    pub(crate) fn named(&self, dimension: Dimension) -> impl Iterator<Item = &str> {
        self.values.get(&dimension).into_iter().flatten().map(String::as_str)
    }

    /// The one value named on a dimension.
    pub(crate) fn one(&self, dimension: Dimension) -> Option<&str> {
        self.named(dimension).next()
    }

    /// Whether a value is named on a dimension.
    pub(crate) fn names(&self, dimension: Dimension, value: &str) -> bool {
        self.values.get(&dimension).is_some_and(|values| values.contains(value))
    }

    /// How much of a class was found.
    pub(crate) fn amount(&self, class: &str) -> Option<Amount> {
        self.classes.get(class).copied()
    }

    /// The classes found.
    pub(crate) fn classes(&self) -> impl Iterator<Item = &Term> {
        self.classes.keys()
    }

    /// The types of data found in each class.
    pub(crate) const fn types(&self) -> &BTreeMap<Term, BTreeSet<String>> {
        &self.types
    }

    /// Whether what was found cannot be cut out.
    pub(crate) const fn fixed(&self) -> bool {
        self.fixed
    }

    /// The place in roll-outs by share.
    pub(crate) const fn share(&self) -> u16 {
        self.share
    }
}

/// Whether a value says something that its absence does not.
fn tells(dimension: Dimension, value: &str) -> bool {
    if OF_THE_TOOL.contains(&dimension) {
        return true;
    }
    let silent = match dimension {
        Dimension::Identity => "none",
        Dimension::Action => "submit",
        Dimension::Level => "unstated",
        Dimension::Declared => "not-asked",
        Dimension::Channel => "network",
        Dimension::Training | Dimension::Attestation => "not-applicable",
        Dimension::Group => return true,
        _ => "unknown",
    };
    value != silent
}

fn names_of(dimension: Dimension, given: &Given) -> BTreeSet<String> {
    let closed = |index: &u8| match dimension.spec().values {
        Values::Closed(values) => values.get(usize::from(*index)).map_or("", |it| it.name).to_owned(),
        Values::Open(_) => String::new(),
    };
    match given {
        Given::Closed(index) => BTreeSet::from([closed(index)]),
        Given::Open(name) => BTreeSet::from([name.to_string()]),
        Given::ClosedSet(indexes) => indexes.iter().map(closed).collect(),
        Given::OpenSet(names) => names.iter().map(ToString::to_string).collect(),
    }
}

/// The first tool, and its plan, that the organisation approved.
fn approved(snapshot: &Snapshot, now: Moment) -> Option<(String, String)> {
    snapshot.catalog.services().iter().find_map(|service| {
        let mut tiers = service.tiers.iter().map(|tier| tier.id.clone()).chain([Term::UNKNOWN]);
        let tier = tiers
            .find(|tier| snapshot.catalog.vetting(&service.id, tier, now).status == writ_model::Status::Approved)?;
        Some((service.id.to_string(), tier.to_string()))
    })
}

/// Whether a text has the form of a name in a policy.
fn is_name(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.' | b'_');
    !text.is_empty() && text.len() <= writ_policy::words::NAME_CHARS_MAX && text.bytes().all(fits)
}

/// Whether a text has the form of a type of data: `MEDICAL_RECORD_NUMBER`.
fn is_type(text: &str) -> bool {
    !text.is_empty() && text.len() <= 40 && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(query: &str) -> Situation {
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        Situation::parse(&pairs.map(|(a, b)| (a.to_owned(), b.replace("%20", " "))).collect::<Vec<_>>())
    }

    #[test]
    fn an_address_says_what_is_not_known_anyway() {
        let given =
            "who=employee&identity=password&account=corporate&data=phi&amount-phi=few-likely&amount-pii=one-likely";
        let situation = parse(given);
        assert_eq!(situation.classes().map(Term::as_str).collect::<Vec<_>>(), ["phi"], "an amount alone is no class");
        assert_eq!(
            situation.query(),
            "who=employee&identity=password&account=corporate&data=phi&amount-phi=few-likely"
        );
        assert_eq!(parse("action=submit&level=unstated&device=unknown").query(), "who=unknown");
        assert_eq!(
            parse("status=discovered").query(),
            "status=discovered",
            "what the list of tools would say otherwise"
        );
        assert!(parse("tour=counsel&stop=1&done=x").is_empty());
    }

    #[test]
    fn what_is_no_value_is_passed_over() {
        for nothing in ["who=ceo", "who=<b>", "data=PHI", "data=a b", "share=x", "group=", "nothing=1", "amount-x=1-2"]
        {
            assert!(parse(nothing).is_empty(), "{nothing}");
        }
        assert_eq!(parse("who=agent&who=vendor").query(), "who=vendor");
        assert_eq!(parse("signal=injection,jailbreak").query(), "signal=injection&signal=jailbreak");
        assert_eq!(parse("data=phi&types-phi=PERSON.nope.MRN&types-pii=X").query(), "data=phi&types-phi=MRN.PERSON");
        let many: Vec<_> = (0..10_000).map(|n| ("data".to_owned(), format!("c{n}"))).collect();
        assert!(Situation::parse(&many).is_empty());
    }

    proptest! {
        #[test]
        fn the_canonical_address_is_the_same_situation(
            who in 0usize..6, level in 0usize..5, signals in proptest::collection::btree_set(0usize..21, 0..4),
            classes in proptest::collection::btree_map("[a-z]{1,8}", (1u32..40, 0u32..40), 0..4),
            fixed: bool, share in 0u16..10_000,
        ) {
            let names = |dimension: Dimension| match dimension.spec().values {
                Values::Closed(values) => values,
                Values::Open(_) => &[],
            };
            let mut pairs = vec![
                ("who".to_owned(), names(Dimension::Who)[who].name.to_owned()),
                ("level".to_owned(), names(Dimension::Level)[level].name.to_owned()),
                ("share".to_owned(), share.to_string()),
            ];
            pairs.extend(signals.iter().map(|it| ("signal".to_owned(), names(Dimension::Signal)[*it].name.to_owned())));
            for (class, (likely, certain)) in &classes {
                pairs.push(("data".to_owned(), class.clone()));
                pairs.push((format!("amount-{class}"), format!("{likely}-{}", certain.min(likely))));
            }
            pairs.extend(fixed.then(|| ("fixed".to_owned(), "yes".to_owned())));
            let first = Situation::parse(&pairs);
            let decoded: Vec<(String, String)> = serde_urlencoded(&first.query());
            let second = Situation::parse(&decoded);
            prop_assert_eq!(&second.query(), &first.query());
            prop_assert!(first.query().len() <= QUERY_MOST);
            prop_assert_eq!(second.classes, first.classes);
        }
    }

    /// The pairs of a query, decoded.
    fn serde_urlencoded(query: &str) -> Vec<(String, String)> {
        let decode = |text: &str| {
            let mut bytes = Vec::new();
            let mut rest = text.bytes();
            while let Some(byte) = rest.next() {
                if byte == b'%' {
                    let digits: String = rest.by_ref().take(2).map(char::from).collect();
                    bytes.push(u8::from_str_radix(&digits, 16).unwrap());
                } else {
                    bytes.push(byte);
                }
            }
            String::from_utf8(bytes).unwrap()
        };
        query.split('&').filter_map(|pair| pair.split_once('=')).map(|(a, b)| (decode(a), decode(b))).collect()
    }
}
