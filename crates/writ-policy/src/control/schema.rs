//! What each kind of control may say: the one table that reader, reference page and nearest-word help use.

/// The form of a key's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Words for readers.
    Text,
    /// A list of words for readers.
    Texts,
    /// Ids of risks or legal sources.
    Ids,
    /// A role.
    Role,
    /// A list of roles.
    Roles,
    /// Kinds of principals and groups that the document names.
    Audience,
    /// When people have to do something.
    Occasions,
    /// A time: `30 days`.
    Period,
    /// A time, or `each version`.
    Cadence,
    /// A whole number from 1.
    Count,
    /// 1 to 100.
    Percent,
    /// Some of these words.
    Words(&'static [&'static str]),
    /// One of these words.
    Word(&'static [&'static str]),
    /// Two times: `90 days personal, 3 years evidence`.
    Kept,
    /// Steps of the ladder.
    Steps,
    /// One step of the ladder.
    Step,
    /// Steps with a number each: `final warning 2`.
    StepCounts,
    /// `clause owner`, `deputy`, or roles.
    Approvers,
}

impl Shape {
    /// How the reference page says it.
    pub(crate) fn words(self) -> String {
        let listed = |words: &[&str]| words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
        let fixed = match self {
            Self::Text => "words",
            Self::Texts => "list of words",
            Self::Ids => "list of ids",
            Self::Role => "role",
            Self::Roles => "list of roles",
            Self::Audience => "values of `who`, groups",
            Self::Occasions => {
                "`joining`, `role change`, `material change`, `each version`, `breach`, `yearly`, `every 6 months`"
            }
            Self::Period => "time: `72 hours`, `10 working days`, `3 months`",
            Self::Cadence => "time, or `each version`",
            Self::Count => "number",
            Self::Percent => "1 to 100",
            Self::Words(words) => return format!("some of {}", listed(words)),
            Self::Word(words) => return format!("one of {}", listed(words)),
            Self::Kept => "`90 days personal, 3 years evidence`",
            Self::Steps => "steps of this ladder",
            Self::Step => "step of this ladder",
            Self::StepCounts => "steps of this ladder, each with a number: `final warning 2`",
            Self::Approvers => "`clause owner`, `deputy`, roles",
        };
        fixed.to_owned()
    }
}

/// Whether a key has to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// It has.
    Required,
    /// It may be left out.
    Optional,
    /// One of the keys with this need has to be there.
    OneOf,
}

/// A key of a control.
#[derive(Clone, Copy, Debug)]
pub struct KeySpec {
    /// Its name.
    pub key: &'static str,
    /// The form of its value.
    pub shape: Shape,
    /// Whether it has to be there.
    pub need: Need,
    /// What it says.
    pub doc: &'static str,
}

macro_rules! kinds {
    ($($variant:ident = $name:literal: $doc:literal {
        $($key:literal $need:ident $shape:expr, $key_doc:literal;)*
    })+) => {
        /// A kind of control.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ControlKind {
            $(#[doc = $doc] $variant,)+
        }

        impl ControlKind {
            /// All kinds, in the order of the reference page.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Its name after `control`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// What it is for.
            pub const fn doc(self) -> &'static str {
                match self { $(Self::$variant => $doc),+ }
            }

            /// The keys of this kind, without [`COMMON`].
            pub const fn own_keys(self) -> &'static [KeySpec] {
                match self {
                    $(Self::$variant => &[$(KeySpec { key: $key, shape: $shape, need: Need::$need, doc: $key_doc }),*],)+
                }
            }
        }
    };
}

/// Keys that every kind has. Those of a kind's own table count more.
pub const COMMON: &[KeySpec] = &[
    KeySpec { key: "subject", shape: Shape::Text, need: Need::Optional, doc: "what it is about" },
    KeySpec { key: "owner", shape: Shape::Role, need: Need::Optional, doc: "who answers for it" },
    KeySpec { key: "deputy", shape: Shape::Role, need: Need::Optional, doc: "who acts in the owner's place" },
    KeySpec { key: "because", shape: Shape::Ids, need: Need::Optional, doc: "ids of risks or legal sources" },
    KeySpec { key: "evidence", shape: Shape::Text, need: Need::Required, doc: "what shows that it operates" },
];

kinds! {
    Training = "training": "people learn the policy before or while they use AI" {
        "who" Required Shape::Audience, "for whom";
        "on" Required Shape::Occasions, "when";
        "within" Required Shape::Period, "by when after the occasion";
        "pass" Optional Shape::Percent, "the share of right answers that passes";
        "attempts" Optional Shape::Count, "how often the test may be taken; as often as one likes where it is silent";
        "topics" Optional Shape::Texts, "what it teaches";
    }
    Attestation = "attestation": "people confirm in writing" {
        "subject" Required Shape::Text, "what they confirm";
        "who" Required Shape::Audience, "for whom";
        "on" Required Shape::Occasions, "when";
        "within" Optional Shape::Period, "by when after the occasion";
        "statement" Optional Shape::Text, "what they sign, word by word; what the clause says where it is silent";
    }
    Vetting = "vetting": "services are reviewed before they are used" {
        "subject" Required Shape::Text, "what is reviewed";
        "roles" Required Shape::Roles, "who must agree";
        "requires" Optional Shape::Texts, "what must be known";
        "confirm" Optional Shape::Texts, "acts that a person confirms each time";
        "triage" Optional Shape::Period, "by when somebody looks at what was discovered";
        "answer" Optional Shape::Period, "by when whoever asked has an answer";
        "trial" Optional Shape::Period, "how long a trial may last";
        "every" Optional Shape::Period, "how often what was vetted is vetted again";
        "recheck" Optional Shape::Texts, "what leads to another look";
    }
    SignOff = "sign-off": "the policy is approved by a quorum of roles" {
        "roles" Required Shape::Roles, "who may sign";
        "quorum" Optional Shape::Count, "how many of them must; all where it is silent";
        "binds" Optional Shape::Word(&["text"]), "what a signature binds: the hash of the text";
        "within" Optional Shape::Period, "by when after the first signature";
    }
    Ladder = "ladder": "what follows when a rule is not kept" {
        "steps" Required Shape::Texts, "the steps, from the mildest to the gravest";
        "automatic" Optional Shape::Steps, "steps that may come from a system: `note` and `lesson`, no others; a lesson is an offer";
        "decides" Required Shape::Roles, "who decides all other steps";
        "minor" Required Shape::Steps, "what is proposed for a minor breach the first time, the second time and so on; the last one stands for more";
        "moderate" Required Shape::Steps, "the same for a moderate breach";
        "serious" Required Shape::Steps, "the same for a serious breach";
        "critical" Required Shape::Steps, "the same for a critical breach";
        "stopped" Optional Shape::Step, "the gravest step where nothing got out";
        "approvals" Optional Shape::StepCounts, "how many people must agree to a step";
        "window" Required Shape::Period, "how long a breach counts as one that happened before";
        "factors" Optional Shape::Texts, "what is looked at";
        "appeal" Required Shape::Period, "how long one can appeal";
    }
    Reporting = "reporting": "a channel to report a suspicion" {
        "owner" Required Shape::Role, "who receives reports";
        "modes" Required Shape::Words(&["named", "confidential", "anonymous"]), "how one may report";
        "receipt" Required Shape::Period, "by when the receipt is confirmed";
        "feedback" Required Shape::Period, "by when there is an answer";
        "channels" Optional Shape::Texts, "where to report";
    }
    IncidentResponse = "incident-response": "what happens when data was exposed" {
        "owner" Required Shape::Role, "who leads";
        "report" Required Shape::Period, "by when whoever notices says so";
        "steps" Required Shape::Texts, "what is done, in order";
        "notify" Optional Shape::Period, "by when an authority is told, from when the organisation knows";
        "channels" Optional Shape::Texts, "where to say it";
    }
    MonitoringNotice = "monitoring-notice": "people are told what is watched, why and by whom" {
        "owner" Required Shape::Role, "who answers questions about it";
        "purpose" Required Shape::Text, "why";
        "records" Required Shape::Texts, "what is recorded";
        "content" Required Shape::Word(&["none", "redacted", "full"]), "how much of what people write is kept";
        "readers" Required Shape::Texts, "who reads it";
        "retention" Required Shape::Kept, "how long what points to a person is kept, and how long evidence without personal data";
        "excludes" Optional Shape::Texts, "what is not watched";
        "consult" Optional Shape::Texts, "who has to agree first";
    }
    Retention = "retention": "how long records are kept" {
        "subject" Required Shape::Text, "what is kept";
        "owner" Required Shape::Role, "who answers for it";
        "keep" OneOf Shape::Period, "how long";
        "plan" OneOf Shape::Text, "the plan that says how long";
        "hold" Optional Shape::Text, "what stops deletion";
    }
    Review = "review": "something is looked at again" {
        "subject" Required Shape::Text, "what is looked at";
        "roles" Optional Shape::Roles, "who looks, where it is not the owner alone";
        "every" OneOf Shape::Cadence, "how often";
        "before" OneOf Shape::Text, "the step before which it has to be done";
        "triggers" OneOf Shape::Texts, "what leads to another look";
        "requires" Optional Shape::Texts, "what belongs to it";
        "probes" Optional Shape::Period, "how often rules are probed";
        "audit" Optional Shape::Period, "how often somebody from outside looks";
    }
    ExceptionProcess = "exception-process": "how an exception is asked for and granted" {
        "approves" Required Shape::Approvers, "who grants; any of them";
        "limit" Required Shape::Period, "how long an exception may last";
        "answer" Optional Shape::Period, "by when whoever asked has an answer";
        "requires" Optional Shape::Texts, "what an exception must state";
    }
}

impl ControlKind {
    /// The kind with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == name)
    }

    /// All keys of this kind: its own, then the common ones that it does not define itself.
    pub fn keys(self) -> impl Iterator<Item = &'static KeySpec> + Clone {
        let own = self.own_keys();
        own.iter().chain(COMMON.iter().filter(move |common| own.iter().all(|key| key.key != common.key)))
    }

    /// The key with this name.
    pub fn key(self, name: &str) -> Option<&'static KeySpec> {
        self.keys().find(|key| key.key == name)
    }
}

/// Whether some control has this key.
pub(crate) fn is_control_key(key: &str) -> bool {
    key == "kind" || ControlKind::ALL.iter().any(|kind| kind.key(key).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_key_stands_twice() {
        for kind in ControlKind::ALL {
            let names: BTreeSet<_> = kind.keys().map(|key| key.key).collect();
            assert_eq!(names.len(), kind.keys().count(), "{}", kind.as_str());
            assert!(kind.key("evidence").is_some_and(|key| key.need == Need::Required), "{}", kind.as_str());
        }
    }

    #[test]
    fn kinds_have_distinct_names() {
        let names: BTreeSet<_> = ControlKind::ALL.iter().map(|kind| kind.as_str()).collect();
        assert_eq!(names.len(), ControlKind::ALL.len());
        assert_eq!(ControlKind::named("exception-process"), Some(ControlKind::ExceptionProcess));
    }
}
