//! Refusals and notes as data: what a person or a program is told, before any wire format dresses it.
//!
//! How Writ speaks: the first line says whether it was sent; one reason in one sentence, then the choices, best first;
//! no severity, no "violation"; the sender is the organisation.

use serde::{Deserialize, Serialize};

use crate::interaction::InteractionId;
use crate::term::Term;
use crate::verdict::{Effect, Offer};

/// Why something was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RefusalKind {
    /// Clauses of the policy decided it.
    Policy,
    /// The body cannot be read as its endpoint's format; sent back so that the client mends it.
    Malformed,
    /// Content could not be read, and the policy is closed then.
    Unreadable,
    /// Writ failed; nothing was let through.
    Failed,
}

impl RefusalKind {
    /// The type in error bodies.
    pub const fn error_type(self) -> &'static str {
        match self {
            Self::Policy => "policy_violation",
            Self::Malformed => "invalid_request_error",
            Self::Unreadable => "content_not_readable",
            Self::Failed => "policy_check_failed",
        }
    }

    /// The HTTP status: one that official clients show and do not retry (they retry 408, 409, 429 and 5xx).
    pub const fn status(self) -> u16 {
        match self {
            Self::Malformed => 400,
            Self::Policy | Self::Unreadable | Self::Failed => 403,
        }
    }
}

/// A clause as a refusal quotes it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ClauseQuote {
    /// The stable id.
    pub id: Term,
    /// The number as printed.
    pub number: String,
    /// The heading.
    pub title: String,
}

/// The answer given instead of the service's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Refusal {
    /// The interaction.
    pub interaction: InteractionId,
    /// Why.
    pub kind: RefusalKind,
    /// Justify (goes on after a reason) or block.
    pub effect: Effect,
    /// The clauses that decided it.
    pub clauses: Vec<ClauseQuote>,
    /// The code that the help desk can look up without seeing name or content: `7F3K-29`.
    pub reference: String,
    /// What the person may choose instead, best first.
    pub offers: Vec<Offer>,
    /// For programs and agents: one line, what was found where, what to do next.
    pub for_programs: String,
    /// For people in a chat: a message of the organisation, marked so that it is recognised when it comes back.
    pub for_people: String,
    /// The page about this stop at the organisation's Writ host, with the token that opens it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

/// A note beside an interaction that goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Note {
    /// The clauses it is about.
    pub clauses: Vec<ClauseQuote>,
    /// One line.
    pub text: String,
}
