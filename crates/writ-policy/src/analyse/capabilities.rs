//! Enforceability: which clauses lose enforcement without a part of the installation.
//!
//! A part that is absent leaves facts at fixed values: without inspection everything is a tunnel, without a directory the
//! groups are unknown. A rule loses enforcement if no possible situation with those values meets it. So a rule that an
//! unknown value makes apply to everybody loses nothing; it only becomes broader.

use serde::Serialize;
use writ_model::schema::Dimension;
use writ_model::{Action, Activity, Currency, Device, Identity, Origin, Signal, Status, Term, Who};

use crate::diagram::{Diagram, Diagrams, Raw, Subject, TooLarge, World};
use crate::eval::Policy;

/// A part of an installation on which facts depend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Capability {
    /// Connections are opened, or programs send to the gateway: requests and answers are read.
    Inspection,
    /// People and programs are told apart: sign-in, client certificates, API keys.
    Identification,
    /// A directory, or people as they were stated: groups, entities, regions.
    Directory,
    /// Services were vetted: status, clearance, regions.
    Vetting,
    /// Devices are known to be managed or not.
    Endpoint,
    /// Sign-ins at services are seen as such.
    SignIn,
    /// Calls of tools and their results are told from prompts and answers.
    ToolCalls,
    /// The gate before protected branches.
    Ci,
    /// Records of training.
    Training,
    /// Records of attestation.
    Attestation,
    /// What a prompt wants is recognised.
    Purpose,
    /// Documents of the organisation are recognised.
    Fingerprints,
    /// Hidden instructions and attempts to break a model's rules are recognised.
    InjectionDetection,
    /// Behaviour is compared with what is normal.
    Behaviour,
    /// Harmful sites are known.
    SiteIntelligence,
    /// Code in answers is looked at for weaknesses and packages.
    CodeAnalysis,
}

/// What is known of a capability.
struct Spec {
    capability: Capability,
    name: &'static str,
    /// Whether an installation of this version can have it.
    here: bool,
    /// What facts are without it.
    absent: &'static [Absent],
}

/// What facts are where a part is absent.
enum Absent {
    /// A dimension has one of these values only.
    Only(Dimension, &'static [u8]),
    /// A name is unknown.
    Unknown(Dimension),
    /// Groups are unknown.
    NoGroups,
    /// None of these values is present.
    Never(Dimension, &'static [u8]),
    /// No class is cleared.
    NothingCleared,
}

const fn only(dimension: Dimension, values: &'static [u8]) -> Absent {
    Absent::Only(dimension, values)
}

/// The table: each capability, its name, whether this version can have it, and what facts are without it.
const SPECS: &[Spec] = &[
    Spec {
        capability: Capability::Inspection,
        name: "opened connections, or the gateway",
        here: true,
        absent: &[only(Dimension::Action, &[Action::SignIn as u8, Action::Tunnel as u8, Action::Merge as u8])],
    },
    Spec {
        capability: Capability::Identification,
        name: "identification of who asks",
        here: true,
        absent: &[only(Dimension::Who, &[Who::Unknown as u8]), only(Dimension::Identity, &[Identity::None as u8])],
    },
    Spec {
        capability: Capability::Directory,
        name: "a directory",
        here: true,
        absent: &[Absent::NoGroups, Absent::Unknown(Dimension::Entity), Absent::Unknown(Dimension::PersonRegion)],
    },
    Spec {
        capability: Capability::Vetting,
        name: "vetting of services",
        here: true,
        absent: &[
            only(Dimension::Status, &[Status::Discovered as u8]),
            Absent::Unknown(Dimension::ServiceRegion),
            Absent::NothingCleared,
        ],
    },
    Spec {
        capability: Capability::Endpoint,
        name: "knowledge of devices",
        here: true,
        absent: &[only(Dimension::Device, &[Device::Unknown as u8])],
    },
    Spec {
        capability: Capability::SignIn,
        name: "recognition of sign-ins",
        here: false,
        absent: &[Absent::Never(Dimension::Action, &[Action::SignIn as u8])],
    },
    Spec {
        capability: Capability::ToolCalls,
        name: "recognition of tool calls",
        here: false,
        absent: &[Absent::Never(Dimension::Action, &[Action::ToolCall as u8, Action::ToolResult as u8])],
    },
    Spec {
        capability: Capability::Ci,
        name: "a gate before protected branches (CI)",
        here: false,
        absent: &[Absent::Never(Dimension::Action, &[Action::Merge as u8])],
    },
    Spec {
        capability: Capability::Training,
        name: "records of training",
        here: false,
        absent: &[only(Dimension::Training, &[Currency::NotApplicable as u8, Currency::Unknown as u8])],
    },
    Spec {
        capability: Capability::Attestation,
        name: "records of attestation",
        here: false,
        absent: &[only(Dimension::Attestation, &[Currency::NotApplicable as u8, Currency::Unknown as u8])],
    },
    Spec {
        capability: Capability::Purpose,
        name: "recognition of what a prompt wants",
        here: false,
        absent: &[Absent::Never(
            Dimension::Activity,
            &[
                Activity::Summarise as u8,
                Activity::Draft as u8,
                Activity::Brainstorm as u8,
                Activity::Code as u8,
                Activity::Analyse as u8,
                Activity::Translate as u8,
                Activity::DecideAboutPeople as u8,
                Activity::Else as u8,
            ],
        )],
    },
    Spec {
        capability: Capability::Fingerprints,
        name: "recognition of documents",
        here: false,
        absent: &[only(Dimension::Origin, &[Origin::Unknown as u8])],
    },
    Spec {
        capability: Capability::InjectionDetection,
        name: "recognition of injections and jailbreaks",
        here: false,
        absent: &[Absent::Never(Dimension::Signal, &[Signal::Injection as u8, Signal::Jailbreak as u8])],
    },
    Spec {
        capability: Capability::Behaviour,
        name: "comparison of behaviour",
        here: false,
        absent: &[Absent::Never(Dimension::Signal, &[Signal::Unusual as u8])],
    },
    Spec {
        capability: Capability::SiteIntelligence,
        name: "a list of harmful sites",
        here: false,
        absent: &[Absent::Never(Dimension::Signal, &[Signal::MaliciousSite as u8])],
    },
    Spec {
        capability: Capability::CodeAnalysis,
        name: "analysis of code",
        here: false,
        absent: &[Absent::Never(Dimension::Signal, &[Signal::UnsafeCode as u8, Signal::UnknownPackage as u8])],
    },
];

impl Capability {
    /// All capabilities.
    pub fn all() -> impl Iterator<Item = Self> {
        SPECS.iter().map(|spec| spec.capability)
    }

    fn spec(self) -> Option<&'static Spec> {
        SPECS.iter().find(|spec| spec.capability == self)
    }

    /// The name in lists.
    pub fn name(self) -> &'static str {
        self.spec().map_or("", |spec| spec.name)
    }

    /// Whether an installation of this version can have it.
    pub fn here(self) -> bool {
        self.spec().is_some_and(|spec| spec.here)
    }
}

/// The capabilities that no installation of this version has.
pub fn lacking() -> Vec<Capability> {
    Capability::all().filter(|capability| !capability.here()).collect()
}

/// What is lost without one or more capabilities.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Need {
    /// What is absent.
    pub without: Vec<Capability>,
    /// The clauses that lose rules, in the order of the text.
    pub losses: Vec<Loss>,
}

/// A clause that loses enforcement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Loss {
    /// The clause.
    pub clause: Term,
    /// The numbers of the rules that no longer apply to anything.
    pub rules: Vec<u16>,
    /// How many rules of the clause raise.
    pub of: usize,
}

impl Loss {
    /// Whether the clause loses all of its rules.
    pub const fn whole(&self) -> bool {
        self.rules.len() == self.of
    }
}

/// What each of these sets of capabilities means to a policy: the clauses of which rules never apply without them.
///
/// # Errors
/// If the diagrams need more than a named limit admits.
pub fn needs(policy: &Policy, world: &World, without: &[Vec<Capability>]) -> Result<Vec<Need>, TooLarge> {
    let mut diagrams = Diagrams::of(&[policy], world)?;
    let mut needs = Vec::new();
    for capabilities in without {
        let mut left = diagrams.possible();
        for absent in capabilities.iter().filter_map(|capability| capability.spec()).flat_map(|spec| spec.absent) {
            let holds = self::absent(&mut diagrams, absent)?;
            left = diagrams.both(left, holds)?;
        }
        needs.push(Need { without: capabilities.clone(), losses: losses(&mut diagrams, policy, left)? });
    }
    Ok(needs)
}

fn losses(diagrams: &mut Diagrams<'_>, policy: &Policy, left: Diagram) -> Result<Vec<Loss>, TooLarge> {
    let mut losses: Vec<Loss> = Vec::new();
    for (number, rule) in policy.model().rules.iter().enumerate().filter(|(_, rule)| rule.raises()) {
        let Some(read) = diagrams.chart(0).and_then(|chart| chart.demands.get(number)).map(|demand| demand.read) else {
            continue;
        };
        if losses.last().is_none_or(|loss| loss.clause != rule.clause) {
            losses.push(Loss { clause: rule.clause.clone(), rules: Vec::new(), of: 0 });
        }
        // A rule that never applies loses nothing.
        let lost = diagrams.any(read)? && diagrams.both(read, left)?.never();
        if let Some(loss) = losses.last_mut() {
            loss.of += 1;
            loss.rules.extend(lost.then_some(rule.number));
        }
    }
    losses.retain(|loss| !loss.rules.is_empty());
    Ok(losses)
}

/// Situations in which facts are as they are where a part is absent.
fn absent(diagrams: &mut Diagrams<'_>, absent: &Absent) -> Result<Diagram, TooLarge> {
    let among = |values: &[u8], raw: &Raw| matches!(raw, Raw::Closed(value) if values.contains(value));
    match absent {
        Absent::Only(dimension, values) => diagrams.having(&Subject::One(*dimension), |raw| among(values, raw)),
        Absent::Unknown(dimension) => {
            diagrams.having(&Subject::One(*dimension), |raw| *raw == Raw::Name(Term::UNKNOWN))
        }
        Absent::NoGroups => diagrams.having(&Subject::Directory, |raw| *raw == Raw::No),
        Absent::Never(Dimension::Action, values) => {
            diagrams.having(&Subject::One(Dimension::Action), |raw| !among(values, raw))
        }
        Absent::Never(dimension, values) => {
            let subjects: Vec<Subject> = diagrams.variables().iter().map(|variable| variable.subject.clone()).collect();
            let mut left = Diagram::ALWAYS;
            for subject in subjects {
                let gone = matches!(&subject, Subject::Present(of, all)
                    if of == dimension && all.iter().all(|value| values.contains(value)));
                if gone {
                    let absent = diagrams.having(&subject, |raw| *raw == Raw::No)?;
                    left = diagrams.both(left, absent)?;
                }
            }
            Ok(left)
        }
        Absent::NothingCleared => {
            let subjects: Vec<Subject> = diagrams.variables().iter().map(|variable| variable.subject.clone()).collect();
            let mut left = Diagram::ALWAYS;
            for subject in subjects.iter().filter(|subject| matches!(subject, Subject::Class(_))) {
                let open =
                    diagrams.having(subject, |raw| !matches!(raw, Raw::Found(found, true) if found.likely > 0))?;
                left = diagrams.both(left, open)?;
            }
            Ok(left)
        }
    }
}

#[cfg(test)]
mod tests {
    use writ_model::Value;

    use super::*;

    #[test]
    fn every_capability_stands_in_the_table_once_and_places_are_those_of_the_schema() {
        let all: std::collections::BTreeSet<_> = Capability::all().collect();
        assert_eq!(all.len(), SPECS.len());
        assert!(Action::ALL.iter().all(|action| action.index() == *action as u8));
        assert!(Signal::ALL.iter().all(|signal| signal.index() == *signal as u8));
        assert!(!lacking().is_empty() && lacking().len() < all.len());
    }
}
