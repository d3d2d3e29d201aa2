//! Facts: everything that a verdict rests on, as values of the schema's dimensions, settled stage by stage.
//!
//! Facts and a policy hash give the verdict again, bit for bit: nothing that a verdict depends on is kept elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use writ_base::Moment;

use crate::finding::Certainty;
use crate::schema::{Dimension, Stage};
use crate::set::Set;
use crate::standing::Acknowledged;
use crate::term::Term;
use crate::values::{
    Account, Action, Activity, Category, Channel, Currency, Declared, Device, Identity, Level, Origin, Signal, Status,
    Unreadable, Value, Who,
};

/// A value that may not have settled yet. *Pending* is neither a value nor `unknown`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Fact<T> {
    /// Settles at a later stage.
    #[default]
    #[serde(skip)]
    Pending,
    /// Settled.
    Known(T),
}

impl<T> Fact<T> {
    /// The value, if it has settled.
    pub const fn known(&self) -> Option<&T> {
        match self {
            Self::Pending => None,
            Self::Known(value) => Some(value),
        }
    }

    /// Whether the value has not settled.
    pub const fn pending(&self) -> bool {
        matches!(self, Self::Pending)
    }
}

impl<T> From<T> for Fact<T> {
    fn from(value: T) -> Self {
        Self::Known(value)
    }
}

/// The directory's groups of a principal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Groups {
    /// The groups.
    Known(BTreeSet<Term>),
    /// The directory could not be read: `"unknown"`.
    Unknown(Term),
}

/// How many distinct values of a class were found, by certainty; the policy turns counts into bands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Found {
    /// Distinct values that are at least likely: all of them.
    pub likely: u32,
    /// Distinct values that are certain.
    pub certain: u32,
}

impl Found {
    /// Distinct values of at least this certainty.
    pub const fn at_least(self, certainty: Certainty) -> u32 {
        match certainty {
            Certainty::Likely => self.likely,
            Certainty::Certain => self.certain,
        }
    }
}

/// The classes found. `plain` is in every interaction and is not listed.
pub type Classes = BTreeMap<Term, Found>;

macro_rules! facts {
    ($($(#[$meta:meta])* $field:ident: $type:ty = $dimension:ident;)+) => {
        /// What one evaluation is about.
        #[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case", deny_unknown_fields)]
        pub struct Facts {
            $($(#[$meta])* #[serde(default, skip_serializing_if = "Fact::pending")] pub $field: Fact<$type>,)+

            /// Classes found of which at least one span cannot be edited: redacting them cannot be fulfilled.
            #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
            pub unredactable: BTreeSet<Term>,
            /// Acknowledgements that hold for this content and principal.
            #[serde(default, skip_serializing_if = "Vec::is_empty")]
            pub acknowledged: Vec<Acknowledged>,
            /// The principal's stable place in roll-outs by share: 0 to 9,999.
            #[serde(default)]
            pub share: u16,
            /// When it was decided.
            #[serde(default)]
            pub decided_at: Moment,
        }

        impl Facts {
            /// Whether the dimension has not settled.
            pub fn pending(&self, dimension: Dimension) -> bool {
                match dimension { $(Dimension::$dimension => self.$field.pending(),)+ }
            }

            /// The value of a dimension as the schema sees it.
            pub fn read(&self, dimension: Dimension) -> Reading<'_> {
                match dimension {
                    $(Dimension::$dimension => self.$field.known().map_or(Reading::Pending, Read::read),)+
                }
            }

            /// Settles a dimension. Nothing happens if it does not have such values.
            pub fn settle(&mut self, dimension: Dimension, value: Settled) {
                match dimension {
                    $(Dimension::$dimension => {
                        if let Some(value) = <$type as Read>::settled(value) {
                            self.$field = Fact::Known(value);
                        }
                    })+
                }
            }
        }
    };
}

facts! {
    /// Who acts.
    who: Who = Who;
    /// How sure Writ is of that.
    identity: Identity = Identity;
    /// The employing legal entity.
    entity: Term = Entity;
    /// Groups of the directory.
    group: Groups = Group;
    /// What is done.
    action: Action = Action;
    /// The service, by its catalog id.
    service: Term = Service;
    /// The service's kind.
    category: Category = Category;
    /// The plan of the account at the service.
    tier: Term = Tier;
    /// The life cycle of (service, tier).
    status: Status = Status;
    /// The account at the AI service.
    account: Account = Account;
    /// The classes found.
    data: Classes = Data;
    /// The classes that vetting allows at (service, tier).
    cleared: BTreeSet<Term> = Cleared;
    /// The highest level of a label, a fingerprint match and the declaration. The evaluator adds the levels of the
    /// classes found, which the document sets.
    level: Level = Level;
    /// The level that the person stated.
    declared: Declared = Declared;
    /// Where the content comes from.
    origin: Origin = Origin;
    /// What the prompt wants.
    activity: Set<Activity> = Activity;
    /// The kind of client.
    channel: Channel = Channel;
    /// Whether the device is managed.
    device: Device = Device;
    /// The person's region.
    person_region: Term = PersonRegion;
    /// The service's region.
    service_region: Term = ServiceRegion;
    /// The person's training.
    training: Currency = Training;
    /// The person's attestation.
    attestation: Currency = Attestation;
    /// Facts from analysis.
    signal: Set<Signal> = Signal;
    /// Readers that failed.
    unreadable: Set<Unreadable> = Unreadable;
}

impl Facts {
    /// The latest stage whose facts have all settled, or `None` while something of `connect` is pending.
    pub fn settled(&self) -> Option<Stage> {
        let settled = |stage| crate::SCHEMA.iter().filter(|d| d.stage <= stage).all(|d| !self.pending(d.dimension));
        Stage::ALL.iter().rev().copied().find(|stage| settled(*stage))
    }

    /// Fills each dimension that is still pending with what it is where nothing speaks for a risk and nothing was
    /// found: for examples, probes and `writ decide`. Dimensions without such a value become `unknown`.
    #[must_use]
    pub fn completed(mut self) -> Self {
        fn fill<T>(fact: &mut Fact<T>, value: T) {
            if fact.pending() {
                *fact = Fact::Known(value);
            }
        }
        fill(&mut self.who, Who::Unknown);
        fill(&mut self.identity, Identity::None);
        fill(&mut self.entity, Term::UNKNOWN);
        fill(&mut self.group, Groups::Known(BTreeSet::new()));
        fill(&mut self.action, Action::Submit);
        fill(&mut self.service, Term::UNKNOWN);
        fill(&mut self.category, Category::Unknown);
        fill(&mut self.tier, Term::UNKNOWN);
        fill(&mut self.status, Status::Discovered);
        fill(&mut self.account, Account::Unknown);
        fill(&mut self.data, Classes::new());
        fill(&mut self.cleared, BTreeSet::new());
        fill(&mut self.level, Level::Unstated);
        fill(&mut self.declared, Declared::NotAsked);
        fill(&mut self.origin, Origin::Unknown);
        fill(&mut self.activity, Set::one(Activity::Unknown));
        fill(&mut self.channel, Channel::Network);
        fill(&mut self.device, Device::Unknown);
        fill(&mut self.person_region, Term::UNKNOWN);
        fill(&mut self.service_region, Term::UNKNOWN);
        fill(&mut self.training, Currency::NotApplicable);
        fill(&mut self.attestation, Currency::NotApplicable);
        fill(&mut self.signal, Set::EMPTY);
        fill(&mut self.unreadable, Set::EMPTY);
        self
    }
}

/// The value of one dimension, in the form that its kind has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading<'a> {
    /// Not settled.
    Pending,
    /// One closed value, by its index in the schema.
    Closed(u8),
    /// One open value.
    Open(&'a Term),
    /// Closed values, one bit per index.
    ClosedSet(u64),
    /// Open values; `None` if the directory could not be read.
    OpenSet(Option<&'a BTreeSet<Term>>),
    /// Classes found, with counts.
    Classes(&'a Classes),
}

/// A value for one dimension, in the form that its kind has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settled {
    /// One closed value, by its index in the schema.
    Closed(u8),
    /// One open value.
    Open(Term),
    /// Closed values, one bit per index.
    ClosedSet(u64),
    /// Open values; `None` if the directory could not be read.
    OpenSet(Option<BTreeSet<Term>>),
    /// Classes found, with counts.
    Classes(Classes),
}

trait Read: Sized {
    fn read(&self) -> Reading<'_>;

    /// The value of this form; `None` if it has another one, or no such index.
    fn settled(value: Settled) -> Option<Self>;
}

macro_rules! closed {
    ($($type:ty),+) => {$(
        impl Read for $type {
            fn read(&self) -> Reading<'_> {
                Reading::Closed(self.index())
            }

            fn settled(value: Settled) -> Option<Self> {
                match value {
                    Settled::Closed(index) => Self::ALL.get(usize::from(index)).copied(),
                    _ => None,
                }
            }
        }
    )+};
}

closed!(Who, Identity, Action, Category, Status, Account, Level, Declared, Origin, Channel, Device, Currency);

impl<V: Value> Read for Set<V> {
    fn read(&self) -> Reading<'_> {
        Reading::ClosedSet(self.bits())
    }

    fn settled(value: Settled) -> Option<Self> {
        match value {
            Settled::ClosedSet(bits) => {
                Some(V::ALL.iter().copied().filter(|value| bits & (1 << value.index()) != 0).collect())
            }
            _ => None,
        }
    }
}

impl Read for Term {
    fn read(&self) -> Reading<'_> {
        Reading::Open(self)
    }

    fn settled(value: Settled) -> Option<Self> {
        match value {
            Settled::Open(name) => Some(name),
            _ => None,
        }
    }
}

impl Read for Groups {
    fn read(&self) -> Reading<'_> {
        match self {
            Self::Known(groups) => Reading::OpenSet(Some(groups)),
            Self::Unknown(_) => Reading::OpenSet(None),
        }
    }

    fn settled(value: Settled) -> Option<Self> {
        match value {
            Settled::OpenSet(Some(groups)) => Some(Self::Known(groups)),
            Settled::OpenSet(None) => Some(Self::Unknown(Term::UNKNOWN)),
            _ => None,
        }
    }
}

impl Read for BTreeSet<Term> {
    fn read(&self) -> Reading<'_> {
        Reading::OpenSet(Some(self))
    }

    fn settled(value: Settled) -> Option<Self> {
        match value {
            Settled::OpenSet(names) => names,
            _ => None,
        }
    }
}

impl Read for Classes {
    fn read(&self) -> Reading<'_> {
        Reading::Classes(self)
    }

    fn settled(value: Settled) -> Option<Self> {
        match value {
            Settled::Classes(classes) => Some(classes),
            _ => None,
        }
    }
}
