//! Controls: what no inline rule can do, as plain typed data. Training, cases and evidence read these; nothing here
//! decides or runs.

mod period;
pub mod schema;

use std::collections::{BTreeMap, BTreeSet};

use writ_model::{Severity, Term, Who};

pub use period::{Cadence, Period, Unit};
pub use schema::ControlKind;

/// A control of a clause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlModel {
    /// The clause it stands in.
    pub clause: Term,
    /// Its number within the clause, from 1, in the order of the text.
    pub number: u16,
    /// What it is about, in words.
    pub subject: Option<String>,
    /// The role that answers for it.
    pub owner: Option<Term>,
    /// The role that acts in the owner's place.
    pub deputy: Option<Term>,
    /// What shows that it operates, in words.
    pub evidence: String,
    /// Ids of risks or legal sources.
    pub because: Vec<String>,
    /// What is to be done.
    pub duty: Duty,
}

/// What a control demands, by its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Duty {
    /// People learn the policy.
    Training(Training),
    /// People confirm something in writing.
    Attestation(Attestation),
    /// Services are reviewed before they are used.
    Vetting(Vetting),
    /// The policy is approved by a quorum of roles.
    SignOff(SignOff),
    /// What follows when a rule is not kept.
    Ladder(Ladder),
    /// A channel to report a suspicion.
    Reporting(Reporting),
    /// What happens when data was exposed.
    IncidentResponse(IncidentResponse),
    /// People are told what is watched.
    MonitoringNotice(MonitoringNotice),
    /// How long records are kept.
    Retention(Retention),
    /// Something is looked at again.
    Review(Review),
    /// How an exception is asked for and granted.
    ExceptionProcess(ExceptionProcess),
}

impl Duty {
    /// The kind that the document names.
    pub const fn kind(&self) -> ControlKind {
        match self {
            Self::Training(_) => ControlKind::Training,
            Self::Attestation(_) => ControlKind::Attestation,
            Self::Vetting(_) => ControlKind::Vetting,
            Self::SignOff(_) => ControlKind::SignOff,
            Self::Ladder(_) => ControlKind::Ladder,
            Self::Reporting(_) => ControlKind::Reporting,
            Self::IncidentResponse(_) => ControlKind::IncidentResponse,
            Self::MonitoringNotice(_) => ControlKind::MonitoringNotice,
            Self::Retention(_) => ControlKind::Retention,
            Self::Review(_) => ControlKind::Review,
            Self::ExceptionProcess(_) => ControlKind::ExceptionProcess,
        }
    }

    /// The longest time between two operations of the control; evidence that is older says nothing about today
    /// (invariant GOV-2). `None` where it operates when something happens.
    pub fn interval(&self) -> Option<Period> {
        let occasions = |all: &[Occasion]| {
            all.iter()
                .filter_map(|occasion| if let Occasion::Every(period) = occasion { Some(*period) } else { None })
                .max()
        };
        match self {
            Self::Training(it) => occasions(&it.on),
            Self::Attestation(it) => occasions(&it.on),
            Self::Vetting(it) => it.every,
            Self::Review(it) => {
                let every = if let Some(Cadence::Every(period)) = it.every { Some(period) } else { None };
                [every, it.probes, it.audit].into_iter().flatten().max()
            }
            _ => None,
        }
    }
}

/// For whom a control is. Empty sets: nobody of that sort.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Audience {
    /// Kinds of principals.
    pub who: BTreeSet<Who>,
    /// Groups that the document names.
    pub groups: BTreeSet<Term>,
}

/// When people have to do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Occasion {
    /// When they join.
    Joining,
    /// When their role changes.
    RoleChange,
    /// When a version changes what matters to them.
    MaterialChange,
    /// With each version.
    EachVersion,
    /// After a rule was not kept.
    Breach,
    /// Again and again.
    Every(Period),
}

/// `control training`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Training {
    /// For whom.
    pub who: Audience,
    /// When.
    pub on: Vec<Occasion>,
    /// By when after the occasion.
    pub within: Period,
    /// The share of right answers that passes, in percent.
    pub pass: Option<u8>,
    /// How often the test may be taken; `None`: as often as one likes.
    pub attempts: Option<u32>,
    /// What it teaches, in words.
    pub topics: Vec<String>,
}

/// `control attestation`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attestation {
    /// For whom.
    pub who: Audience,
    /// When.
    pub on: Vec<Occasion>,
    /// By when after the occasion.
    pub within: Option<Period>,
    /// What people sign, word by word; `None`: what the clause says.
    pub statement: Option<String>,
}

/// `control vetting`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vetting {
    /// The roles that must agree.
    pub roles: BTreeSet<Term>,
    /// What must be known, in words.
    pub requires: Vec<String>,
    /// Acts that a person confirms each time, in words.
    pub confirm: Vec<String>,
    /// How long until somebody looks at what was discovered.
    pub triage: Option<Period>,
    /// How long until whoever asked has an answer.
    pub answer: Option<Period>,
    /// How long a trial may last.
    pub trial: Option<Period>,
    /// How often what was vetted is vetted again.
    pub every: Option<Period>,
    /// What leads to another look, in words.
    pub recheck: Vec<String>,
}

/// `control sign-off`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignOff {
    /// The roles that may sign.
    pub roles: BTreeSet<Term>,
    /// How many of them must.
    pub quorum: u32,
    /// By when after the first signature.
    pub within: Option<Period>,
}

/// `control ladder`. Steps are named by their place in [`Ladder::steps`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ladder {
    /// The steps, from the mildest to the gravest.
    pub steps: Vec<String>,
    /// Steps that may come from a system; only a note and the offer of a lesson can (invariant GOV-1).
    pub automatic: BTreeSet<usize>,
    /// The roles that decide all others.
    pub decides: BTreeSet<Term>,
    /// By severity the steps that are proposed the first time, the second time and so on; the last one stands for more.
    pub proposed: BTreeMap<Severity, Vec<usize>>,
    /// The gravest step where nothing got out, whatever the severity.
    pub stopped: Option<usize>,
    /// How many people must agree to a step.
    pub approvals: BTreeMap<usize, u32>,
    /// How long a breach counts as one that happened before.
    pub window: Option<Period>,
    /// What is looked at, in words.
    pub factors: Vec<String>,
    /// How long one can appeal.
    pub appeal: Option<Period>,
}

impl Ladder {
    /// The step that is proposed for a breach of a rule of this severity which happened `before` times in the window.
    /// `delivered`: something got out. A proposal, never a decision.
    pub fn proposal(&self, severity: Severity, before: usize, delivered: bool) -> Option<usize> {
        let steps = self.proposed.get(&severity)?;
        let step = steps.get(before).or(steps.last()).copied()?;
        Some(self.stopped.filter(|_| !delivered).map_or(step, |most| step.min(most)))
    }
}

/// How somebody reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReportMode {
    /// With a name.
    Named,
    /// With a name that the recipient keeps to themselves.
    Confidential,
    /// Without a name.
    Anonymous,
}

/// `control reporting`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reporting {
    /// How one may report.
    pub modes: BTreeSet<ReportMode>,
    /// By when the receipt is confirmed.
    pub receipt: Period,
    /// By when there is an answer.
    pub feedback: Period,
    /// Where to report, in words.
    pub channels: Vec<String>,
}

/// `control incident-response`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncidentResponse {
    /// By when whoever notices says so.
    pub report: Period,
    /// What is done, in words and in order.
    pub steps: Vec<String>,
    /// By when an authority is told, from when the organisation knows.
    pub notify: Option<Period>,
    /// Where to say it, in words.
    pub channels: Vec<String>,
}

/// How much of what people write is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kept {
    /// Nothing.
    None,
    /// With findings replaced by placeholders.
    Redacted,
    /// All of it.
    Full,
}

/// `control monitoring-notice`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MonitoringNotice {
    /// Why.
    pub purpose: String,
    /// What is recorded, in words.
    pub records: Vec<String>,
    /// How much of what people write is kept.
    pub content: Kept,
    /// Who reads it, in words.
    pub readers: Vec<String>,
    /// How long what points to a person is kept.
    pub personal: Period,
    /// How long evidence without personal data is kept.
    pub kept: Period,
    /// What is not watched, in words.
    pub excludes: Vec<String>,
    /// Who has to agree first, in words.
    pub consult: Vec<String>,
}

/// `control retention`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retention {
    /// How long; `None`: as another plan says.
    pub keep: Option<Period>,
    /// The plan that says how long, in words.
    pub plan: Option<String>,
    /// What stops deletion, in words.
    pub hold: Option<String>,
}

/// `control review`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    /// The roles that look.
    pub roles: BTreeSet<Term>,
    /// How often.
    pub every: Option<Cadence>,
    /// The step before which it has to be done, in words.
    pub before: Option<String>,
    /// What leads to another look, in words.
    pub triggers: Vec<String>,
    /// What belongs to it, in words.
    pub requires: Vec<String>,
    /// How often rules are probed.
    pub probes: Option<Period>,
    /// How often somebody from outside looks.
    pub audit: Option<Period>,
}

/// Who grants an exception.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Approver {
    /// The owner of the clause.
    ClauseOwner,
    /// Whom the owner named to act in their place.
    Deputy,
    /// Whoever holds a role.
    Role(Term),
}

/// `control exception-process`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExceptionProcess {
    /// Who grants; any of them.
    pub approves: BTreeSet<Approver>,
    /// How long an exception may last.
    pub limit: Period,
    /// By when whoever asked has an answer.
    pub answer: Option<Period>,
    /// What an exception must state, in words.
    pub requires: Vec<String>,
}
