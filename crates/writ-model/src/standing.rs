//! What stands beside the text of the policy: exceptions, roll-out and acknowledgements. All are dated objects that
//! named people made; none of them changes the signed text.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};
use writ_base::{KeyedDigest, Moment, ids};

use crate::interaction::PrincipalId;
use crate::term::Term;
use crate::values::Step;

ids! {
    /// An exception.
    pub struct ExceptionId = "exc_";
    /// An entry of the roll-out.
    pub struct RolloutId = "rol_";
    /// An acknowledgement.
    pub struct AcknowledgementId = "ack_";
}

/// An approved, dated relaxation of one clause. Lawyers call giving up a right a waiver; this is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ExceptionGrant {
    /// Its id, named in every record that used it.
    pub id: ExceptionId,
    /// The one clause it relaxes.
    pub clause: Term,
    /// The situation in keys of the policy language (`group: research`), read as in a rule that foresees.
    pub keys: BTreeMap<String, String>,
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// What protects instead.
    pub compensating_control: String,
    /// Who approved it: the clause's owner or deputy.
    pub approved_by: String,
    /// In force from.
    pub from: Moment,
    /// Ends by the clock.
    pub until: Moment,
}

/// Exceptions and roll-out as they are written down together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct StandingObjects {
    /// The exceptions.
    #[serde(default)]
    pub exceptions: Vec<ExceptionGrant>,
    /// The roll-out.
    #[serde(default)]
    pub rollout: Vec<RolloutEntry>,
}

/// The clause name that stands for the posture in a roll-out.
pub const POSTURE: Term = Term::fixed("posture");

/// From when and for whom a clause bites.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RolloutEntry {
    /// Its id.
    pub id: RolloutId,
    /// The clause, or [`POSTURE`].
    pub clause: Term,
    /// For whom.
    pub ring: Ring,
    /// How far.
    pub step: Step,
    /// In force from.
    pub from: Moment,
    /// Afterwards the step is enforce.
    pub until: Moment,
    /// Who approved it.
    pub approved_by: String,
}

/// For whom an entry of the roll-out holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ring {
    /// Everybody.
    Everyone,
    /// A group of the directory.
    Group(Term),
    /// A stable share of people, in ten-thousandths.
    Share(u16),
}

impl fmt::Display for Ring {
    /// In words: `everyone`, `the group nurses`, `a stable 12.5 % of people`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everyone => f.write_str("everyone"),
            Self::Group(group) => write!(f, "the group {group}"),
            Self::Share(share) => write!(f, "a stable {} % of people", f64::from(*share) / 100.0),
        }
    }
}

/// A reason given where a rule says justify.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Acknowledgement {
    /// Its id.
    pub id: AcknowledgementId,
    /// Who gave it.
    pub principal: PrincipalId,
    /// The clause it satisfies.
    pub clause: Term,
    /// The classes it speaks about.
    pub classes: BTreeSet<Term>,
    /// The service it was given for.
    pub service: Term,
    /// What it is for.
    pub scope: AcknowledgementScope,
    /// Ends by the clock.
    pub until: Moment,
}

/// What an acknowledgement is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AcknowledgementScope {
    /// This content only: people.
    Content(String),
    /// Everything from this repository: programs and agents.
    Repository(Term),
    /// Everything with this API key: programs and agents.
    Key(Term),
}

impl AcknowledgementScope {
    /// The scope of one content.
    pub fn content(digest: KeyedDigest) -> Self {
        Self::Content(digest.to_string())
    }
}

/// An acknowledgement as a fact: it is the principal's, and it is for this content and service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Acknowledged {
    /// Which one.
    pub id: AcknowledgementId,
    /// The clause it satisfies.
    pub clause: Term,
    /// The classes it speaks about.
    pub classes: BTreeSet<Term>,
    /// Ends by the clock.
    pub until: Moment,
}
