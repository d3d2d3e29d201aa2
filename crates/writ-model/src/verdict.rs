//! Verdicts: what was decided, by which clauses, and what must be done for it to hold.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::standing::{ExceptionId, RolloutId};
use crate::term::Term;
use crate::values::Severity;

/// What happens to the interaction; the strictest wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// Goes on.
    #[default]
    Allow,
    /// Goes on, with a note.
    Coach,
    /// Goes on after a reason.
    Justify,
    /// Does not go on.
    Block,
}

impl Effect {
    /// All effects, from the least to the strictest.
    pub const ALL: &'static [Self] = &[Self::Allow, Self::Coach, Self::Justify, Self::Block];

    /// The word in policies and records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Coach => "coach",
            Self::Justify => "justify",
            Self::Block => "block",
        }
    }

    /// Whether the interaction goes on at once.
    pub const fn passes(self) -> bool {
        matches!(self, Self::Allow | Self::Coach)
    }
}

/// Where placeholders may be turned back in answers; of several the narrower.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Restore {
    /// In text that people read.
    #[default]
    Text,
    /// Also in tool arguments.
    Tools,
}

/// What a person may choose instead.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Offer {
    /// Send without the details.
    Redact,
    /// Go on at another service, openly, with the prompt kept.
    Redirect(Term),
    /// Ask for an exception.
    AskException,
    /// Ask for the service to be vetted.
    AskVetting,
    /// Say that this was a mistake.
    Object,
}

/// A row that applied, and the clause it belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Cause {
    /// The clause's id; [`crate::standing::POSTURE`] where only the posture speaks.
    pub clause: Term,
    /// The rule within the clause, from 1, in the order of the text; 0 for the posture.
    pub rule: u16,
    /// The effect it demands.
    pub effect: Effect,
    /// The classes it demands to be redacted.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub redact: BTreeSet<Term>,
    /// How grave the rule says it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
}

/// Where the verdict starts from, before any row raises it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Base {
    /// The policy foresees the situation, or the posture does not speak about this action: allow.
    Foreseen,
    /// Nothing foresees it: the posture's effect.
    Posture(Effect),
}

/// What was decided for one situation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Verdict {
    /// The effect.
    pub effect: Effect,
    /// The classes of which every span is removed.
    pub redact: BTreeSet<Term>,
    /// Where the verdict started from.
    pub base: Base,
    /// The rows (and the posture) that decided it: of the strictest effect, or demanding a redaction.
    pub decided: Vec<Cause>,
    /// Other raising rows that applied.
    pub applied: Vec<Cause>,
    /// Where placeholders may be turned back.
    pub restore: Restore,
    /// Whether the person must state a level for the upload.
    pub ask_level: bool,
    /// What the person may choose instead, in the order of the text.
    pub offers: Vec<Offer>,
    /// Roles that may grant this one interaction; empty for a hard block.
    pub override_roles: BTreeSet<Term>,
    /// Classes whose redaction was demanded but cannot be fulfilled: the reason for a block.
    pub unfulfillable: BTreeSet<Term>,
    /// Whether the effect comes from content that could not be read.
    pub unreadable: bool,
    /// Exceptions that changed the verdict's rows.
    pub exceptions: Vec<ExceptionId>,
    /// Entries of the roll-out that made it differ from the full verdict; none in a full verdict.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rollout: Vec<RolloutId>,
    /// Acknowledged clauses: their justify was satisfied.
    pub acknowledged: BTreeSet<Term>,
}

impl Verdict {
    /// The verdict of a situation that is foreseen and that nothing raises.
    pub fn allow() -> Self {
        Self {
            effect: Effect::Allow,
            redact: BTreeSet::new(),
            base: Base::Foreseen,
            decided: Vec::new(),
            applied: Vec::new(),
            restore: Restore::default(),
            ask_level: false,
            offers: Vec::new(),
            override_roles: BTreeSet::new(),
            unfulfillable: BTreeSet::new(),
            unreadable: false,
            exceptions: Vec::new(),
            rollout: Vec::new(),
            acknowledged: BTreeSet::new(),
        }
    }

    /// The clauses that decided it, each once, sorted.
    pub fn clauses(&self) -> BTreeSet<&Term> {
        self.decided.iter().map(|cause| &cause.clause).collect()
    }

    /// Whether the posture decided it: such a verdict says so.
    pub fn by_posture(&self) -> bool {
        matches!(self.base, Base::Posture(_)) && self.decided.iter().any(|c| c.clause == crate::standing::POSTURE)
    }

    /// The gravest severity among the rows that decided it.
    pub fn severity(&self) -> Option<Severity> {
        self.decided.iter().filter_map(|cause| cause.severity).max()
    }
}

/// The two verdicts that are always computed: only *enforced* has effects; both are recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Decision {
    /// With roll-out.
    pub enforced: Verdict,
    /// Without roll-out.
    pub full: Verdict,
}
