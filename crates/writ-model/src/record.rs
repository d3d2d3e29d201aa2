//! What is written down: kinds of ledger entries, skeletons that keep for years, personal parts that a key erases.
//!
//! A **skeleton** never holds a person, address, host name, device or free text; a **personal part** is sealed under a
//! key of one person and one month, and the skeleton commits to it. All types are versioned by the ledger's format.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use writ_base::{ContentHash, Moment, ids};

use crate::facts::Facts;
use crate::finding::Certainty;
use crate::interaction::{ConversationId, Direction, InteractionId, PrincipalId, WireFormat};
use crate::standing::{ExceptionId, RolloutId};
use crate::term::Term;
use crate::values::{Account, Action, Band, Category, Channel, Identity, Signal, Status, Unreadable, Who};
use crate::verdict::{Cause, Decision, Effect};

ids! {
    /// The organisation whose ledger it is.
    pub struct OrganisationId = "org_";
    /// One chain of the ledger: one writing node.
    pub struct ChainId = "chn_";
}

/// The kinds of ledger entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EntryKind {
    /// A verdict, written before the interaction's first byte leaves.
    Decision,
    /// How an interaction ended.
    Outcome,
    /// An act that changes state, by a person or a named rule.
    AdminAct,
    /// A pseudonym was lifted.
    Reveal,
    /// A policy, catalog or detection pack became the running one.
    PolicyActivation,
    /// A key was made, changed or destroyed.
    KeyRotation,
    /// Entries that were lost: how many at most, and why.
    Gap,
    /// A signed Merkle root over the entries so far.
    Checkpoint,
}

impl EntryKind {
    /// All kinds; the place is the number in the entry's header and never changes.
    pub const ALL: &'static [Self] = &[
        Self::Decision,
        Self::Outcome,
        Self::AdminAct,
        Self::Reveal,
        Self::PolicyActivation,
        Self::KeyRotation,
        Self::Gap,
        Self::Checkpoint,
    ];
}

/// The content-addressed inputs of a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct SnapshotHashes {
    /// The signed text.
    pub policy: ContentHash,
    /// The compiled rows.
    pub rows: ContentHash,
    /// Exceptions and roll-out in force.
    pub standing: ContentHash,
    /// The catalog with the organisation's own services.
    pub catalog: ContentHash,
    /// The detection packs.
    pub detection: ContentHash,
}

/// Why content was not read although it could have been.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UnreadReason {
    /// The person is protected: decided by service and account only.
    ProtectedPerson,
    /// The account at the service is the person's own, and the organisation chose not to read it.
    PersonalAccount,
}

/// Why something was stopped although the policy alone would not have stopped it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Regardless {
    /// The prompt did not arrive whole.
    NotWhole,
    /// A redaction failed when it was carried out.
    RedactionFailed,
    /// The organisation refuses personal accounts.
    PersonalAccount,
    /// The organisation refuses the host.
    HostRefused,
    /// The names of the destination disagree.
    NamesDisagree,
    /// The check itself failed before there was a verdict.
    NotJudged,
}

impl Regardless {
    /// Makes of what the policy says what is carried out and recorded.
    pub fn apply(self, decision: &mut Decision) {
        let Decision { enforced, full } = decision;
        enforced.effect = Effect::Block;
        match self {
            Self::RedactionFailed => {}
            Self::NotWhole => enforced.unreadable = true,
            Self::PersonalAccount | Self::HostRefused | Self::NamesDisagree => full.effect = Effect::Block,
            Self::NotJudged => {
                full.effect = Effect::Block;
                (enforced.unreadable, full.unreadable) = (true, true);
            }
        }
    }
}

/// A class in a skeleton: band and certainty only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ClassSeen {
    /// The class.
    pub class: Term,
    /// How many distinct values.
    pub band: Band,
    /// The greatest certainty among them.
    pub certainty: Certainty,
    /// Whether all its spans were removed.
    pub redacted: bool,
}

/// The skeleton of a decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct DecisionSkeleton {
    /// The interaction.
    pub interaction: InteractionId,
    /// Prompt side or answer side: one interaction has up to two verdicts.
    pub direction: Direction,
    /// The hour it happened in: the start of it.
    pub hour: Moment,
    /// The service, by its catalog id.
    pub service: Term,
    /// The kind of service.
    pub category: Category,
    /// The plan.
    pub tier: Term,
    /// The life cycle.
    pub status: Status,
    /// The kind of account at the service.
    pub account: Account,
    /// Kind of principal.
    pub who: Who,
    /// How sure.
    pub identity: Identity,
    /// What was done.
    pub action: Action,
    /// The kind of client.
    pub channel: Channel,
    /// The wire format, if a codec read it.
    pub format: Option<WireFormat>,
    /// The classes found.
    pub classes: Vec<ClassSeen>,
    /// Signals.
    pub signals: Vec<Signal>,
    /// Readers that failed.
    pub unreadable: Vec<Unreadable>,
    /// The effect that was carried out.
    pub enforced: Effect,
    /// The effect without roll-out.
    pub full: Effect,
    /// The rows that decided the enforced verdict.
    pub decided: Vec<Cause>,
    /// The rows that decided the full verdict, where they differ.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decided_full: Vec<Cause>,
    /// Exceptions used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exceptions: Vec<ExceptionId>,
    /// Entries of the roll-out that made the enforced verdict differ from the full one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rollout: Vec<RolloutId>,
    /// At which stage it was decided: `body`, or an early block.
    pub decided_at: String,
    /// What the verdict rests on.
    pub snapshot: SnapshotHashes,
    /// The code that a help desk can look up; stops only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Whether every part was read, or some were not (opaque, unreadable, streamed unread).
    pub read_in_full: bool,
    /// Why nothing of the content was read, where that was chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread: Option<UnreadReason>,
    /// Why it was stopped whatever the policy says, where it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regardless: Option<Regardless>,
    /// Classes that were removed because the person chose so; the verdict is over what was left.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub by_choice: BTreeSet<Term>,
}

/// The personal part of a decision: sealed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct DecisionPersonal {
    /// Who acted.
    pub principal: PrincipalId,
    /// On behalf of whom, for agents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_behalf_of: Option<PrincipalId>,
    /// The facts as decided.
    pub facts: Facts,
    /// Both verdicts, whole.
    pub decision: Decision,
    /// Which conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation: Option<ConversationId>,
    /// The account's name at the service, if it was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_name: Option<String>,
    /// The network address it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The host it went to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The model that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The client's name for itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// The reason that the person gave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub justification: Option<String>,
    /// Digests of low-entropy values, which must not stand in a skeleton.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub digests: BTreeSet<String>,
}

/// How an interaction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// The answer was delivered whole.
    Delivered,
    /// Refused: nothing left.
    Refused,
    /// The answer was stopped on the way.
    Cut,
    /// The AI service failed or could not be reached.
    UpstreamFailed,
    /// The client went away.
    ClientGone,
    /// Writ failed; nothing more was let through.
    Failed,
    /// Writ stopped before the end was written; closed at the next start.
    Interrupted,
    /// The notice of first use was shown instead; nothing left.
    Notice,
}

/// The skeleton of an outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct OutcomeSkeleton {
    /// The interaction.
    pub interaction: InteractionId,
    /// How it ended.
    pub ending: Ending,
    /// The AI service's HTTP status, if it answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Bytes of the request body that left.
    pub bytes_up: u64,
    /// Bytes of the answer body that were delivered.
    pub bytes_down: u64,
    /// Placeholders that were turned back.
    #[serde(default)]
    pub restored: u32,
    /// From first byte to the end, in milliseconds.
    pub duration_ms: u64,
    /// Writ's own time, from the complete prompt to the written verdict, in microseconds; 0 where there was none.
    #[serde(default)]
    pub judged_us: u64,
}

/// An act that changes state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct AdminAct {
    /// What was done: `policy-activate`, `key-rotate`, `api-key-create` ...
    pub act: String,
    /// On what, by id or hash; never a name of a person.
    pub object: String,
    /// By which role.
    pub role: String,
}

/// What became the running policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Activation {
    /// The act: its object is the hash of the text.
    #[serde(flatten)]
    pub act: AdminAct,
    /// Everything that verdicts rest on from now on; not in entries of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<SnapshotHashes>,
}
