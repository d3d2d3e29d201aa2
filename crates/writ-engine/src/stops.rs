//! Stops and what a person chooses after one. Content is never kept: a choice holds for texts by keyed digest.
//!
//! Whoever runs the engine keeps both over a restart ([`KeptStop`], [`KeptChoice`]), sealed, for as long as they hold.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;
use writ_base::hash::hmac_sha256;
use writ_base::{KeyedDigest, Moment, Sensitive};
use writ_model::interaction::{InteractionId, PrincipalId};
use writ_model::verdict::Offer;
use writ_model::{ClauseQuote, Effect, Language, RefusalKind, Term};

use crate::engine::Engine;
use crate::limits;
use crate::voice::Discovery;

/// A prompt that was stopped, as its page shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoppedPrompt {
    /// The code that the person can read out.
    pub reference: String,
    /// Whose prompt it was; nobody's for protected persons.
    pub principal: Option<PrincipalId>,
    /// The interaction.
    pub interaction: InteractionId,
    /// When it was stopped.
    pub at: Moment,
    /// The service, by its catalog id.
    pub service: Term,
    /// The service, as people call it.
    pub service_name: String,
    /// Justify or block.
    pub effect: Effect,
    /// Why.
    pub kind: RefusalKind,
    /// The clauses that decided it.
    pub clauses: Vec<ClauseQuote>,
    /// What was found where, never the value.
    pub discoveries: Vec<Discovery>,
    /// What may be chosen instead, best first.
    pub offers: Vec<Offer>,
    /// The rule's reason, as the policy gives it.
    pub why: Option<String>,
    /// The language in which the person was told.
    pub language: Language,
    /// Whether a person reads what Writ says, and not a program.
    pub person: bool,
}

/// What a person chooses after a stop. It holds for an hour, for this person, this service and this content.
#[derive(Clone, Debug)]
pub enum Choice {
    /// The same content passes with the details of the offered classes replaced by placeholders.
    WithoutDetails,
    /// The reason that a rule asks for; recorded when the content is sent again.
    Reason(Sensitive<String>),
}

/// Why a choice cannot be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChoiceRefused {
    /// There is no such stop any more.
    #[error("this stop is not known any more; send the message again")]
    Unknown,
    /// The stop does not offer it.
    #[error("this stop does not offer that")]
    NotOffered,
    /// The reason says too little.
    #[error("the reason is too short; one sentence is enough")]
    TooShort,
}

/// A stop with what a choice needs.
#[derive(Debug)]
pub(crate) struct Stopped {
    pub(crate) prompt: StoppedPrompt,
    pub(crate) choosable: Option<Choosable>,
}

/// A stop with all that must be known of it after a restart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptStop {
    prompt: StoppedPrompt,
    choosable: Option<Choosable>,
    /// The turns that are taken out when they come back, and the clause that is named in their place.
    turns: Vec<KeyedDigest>,
    clause: Option<ClauseQuote>,
}

/// A choice in force, for one content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptChoice {
    principal: PrincipalId,
    key: KeyedDigest,
    chosen: Chosen,
}

/// The content of a stop, by digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Choosable {
    /// What was asked, for a reason.
    pub(crate) content: KeyedDigest,
    /// The turns that hold the details.
    pub(crate) turns: Vec<KeyedDigest>,
    /// The classes that would be removed; empty where that does not help.
    pub(crate) classes: BTreeSet<Term>,
}

/// A choice in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Chosen {
    Without {
        classes: Arc<BTreeSet<Term>>,
        until: Moment,
    },
    Reason {
        #[serde(with = "exposed")]
        reason: Sensitive<String>,
        until: Moment,
    },
}

/// What a person wrote themself, on its way into what is sealed.
mod exposed {
    use serde::{Deserialize as _, Deserializer, Serializer};
    use writ_base::Sensitive;

    pub(super) fn serialize<S: Serializer>(text: &Sensitive<String>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(text.expose())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Sensitive<String>, D::Error> {
        String::deserialize(deserializer).map(Sensitive::new)
    }
}

impl KeptStop {
    /// With the turns that were stopped.
    pub(crate) fn new(stopped: &Stopped, turns: Vec<KeyedDigest>, clause: Option<ClauseQuote>) -> Self {
        Self { prompt: stopped.prompt.clone(), choosable: stopped.choosable.clone(), turns, clause }
    }

    /// Its reference code.
    pub fn reference(&self) -> &str {
        &self.prompt.reference
    }

    /// Whose it is; a stop of nobody's (a protected person's) is not to be kept.
    pub fn principal(&self) -> Option<PrincipalId> {
        self.prompt.principal
    }

    /// When it is forgotten.
    pub fn until(&self) -> Moment {
        self.prompt.at.after(limits::STOP_LIFETIME)
    }
}

impl KeptChoice {
    /// Tells it from all others.
    pub fn key(&self) -> KeyedDigest {
        self.key
    }

    /// Who chose.
    pub fn principal(&self) -> PrincipalId {
        self.principal
    }

    /// Until when it holds.
    pub fn until(&self) -> Moment {
        match self.chosen {
            Chosen::Without { until, .. } | Chosen::Reason { until, .. } => until,
        }
    }
}

/// A reason of fewer characters says nothing.
pub(crate) const REASON_LEAST: usize = 10;

impl Engine {
    /// A stop of the last 24 hours.
    pub fn stopped(&self, reference: &str) -> Option<StoppedPrompt> {
        self.stop_of(reference, self.latest()).map(|stop| stop.prompt.clone())
    }

    /// The token that opens the page of a stop: 128 bits of HMAC, URL-safe.
    pub fn page_token(&self, reference: &str) -> String {
        let mac = hmac_sha256(self.options.keys.page.expose(), [b"writ-page".as_slice(), reference.as_bytes()]);
        mac.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }

    /// Whether a token opens the page of a stop; takes the same time for every wrong token of the right length.
    pub fn page_token_valid(&self, reference: &str, token: &str) -> bool {
        self.page_token(reference).as_bytes().ct_eq(token.as_bytes()).into()
    }

    /// Takes in what a person chose. Whoever calls has made sure that it is this person, and keeps what comes back.
    ///
    /// # Errors
    /// If the stop is not known any more, or does not offer the choice.
    pub fn choose(&self, reference: &str, choice: Choice, now: Moment) -> Result<Vec<KeptChoice>, ChoiceRefused> {
        let stop = self.stop_of(reference, now).ok_or(ChoiceRefused::Unknown)?;
        let choosable = stop.choosable.as_ref().ok_or(ChoiceRefused::NotOffered)?;
        let principal = stop.prompt.principal.ok_or(ChoiceRefused::NotOffered)?;
        let until = now.after(limits::CHOICE_LIFETIME);
        let service = &stop.prompt.service;
        let chosen: Vec<KeptChoice> = match choice {
            Choice::WithoutDetails if stop.prompt.offers.contains(&Offer::Redact) => {
                let classes = Arc::new(choosable.classes.clone());
                let without = |turn: &KeyedDigest| KeptChoice {
                    principal,
                    key: self.choice_key("without", *turn, service),
                    chosen: Chosen::Without { classes: Arc::clone(&classes), until },
                };
                choosable.turns.iter().map(without).collect()
            }
            Choice::Reason(reason) if stop.prompt.effect == Effect::Justify => {
                if reason.expose().trim().chars().count() < REASON_LEAST {
                    return Err(ChoiceRefused::TooShort);
                }
                let content = self.content_of(principal, choosable.content);
                let key = self.choice_key("reason", content, service);
                vec![KeptChoice { principal, key, chosen: Chosen::Reason { reason, until } }]
            }
            _ => return Err(ChoiceRefused::NotOffered),
        };
        chosen.iter().for_each(|choice| self.restore_choice(choice.clone()));
        Ok(chosen)
    }

    /// Remembers a stop.
    pub(crate) fn remember_stop(&self, stopped: Stopped) {
        self.stops.keep(stopped.prompt.reference.clone(), Arc::new(stopped));
    }

    /// Takes in a stop that was kept.
    pub fn restore_stop(&self, kept: KeptStop) {
        let KeptStop { prompt, choosable, turns, clause } = kept;
        for turn in turns {
            self.remember_stopped(turn, clause.clone());
        }
        self.remember_stop(Stopped { prompt, choosable });
    }

    /// Takes in a choice that was kept.
    pub fn restore_choice(&self, kept: KeptChoice) {
        self.choices.keep(kept.key, kept.chosen);
    }

    /// The classes that the person chose to have removed from a turn.
    pub(crate) fn without(&self, turn: KeyedDigest, service: &Term, now: Moment) -> Option<Arc<BTreeSet<Term>>> {
        match self.choices.recall(&self.choice_key("without", turn, service))? {
            Chosen::Without { classes, until } if until > now => Some(classes),
            _ => None,
        }
    }

    /// A turn was sent without details: it stays so for as long as the conversation's placeholders are kept.
    pub(crate) fn extend_without(&self, turn: KeyedDigest, service: &Term, classes: &Arc<BTreeSet<Term>>, now: Moment) {
        let until = now.after(crate::vault::LIFETIME);
        let chosen = Chosen::Without { classes: Arc::clone(classes), until };
        self.choices.keep(self.choice_key("without", turn, service), chosen);
    }

    /// The reason that the person gave for this content after a stop.
    pub(crate) fn reason_given(
        &self,
        principal: PrincipalId,
        content: KeyedDigest,
        service: &Term,
        now: Moment,
    ) -> Option<Sensitive<String>> {
        let content = self.content_of(principal, content);
        match self.choices.recall(&self.choice_key("reason", content, service))? {
            Chosen::Reason { reason, until } if until > now => Some(reason),
            _ => None,
        }
    }

    fn stop_of(&self, reference: &str, now: Moment) -> Option<Arc<Stopped>> {
        let stop = self.stops.recall(reference)?;
        (now.since(stop.prompt.at) < limits::STOP_LIFETIME).then_some(stop)
    }

    fn content_of(&self, principal: PrincipalId, content: KeyedDigest) -> KeyedDigest {
        KeyedDigest::of_parts(self.content_key(), [principal.as_bytes().as_slice(), content.as_bytes()])
    }

    fn choice_key(&self, kind: &str, content: KeyedDigest, service: &Term) -> KeyedDigest {
        KeyedDigest::of_parts(self.content_key(), [kind.as_bytes(), content.as_bytes(), service.as_bytes()])
    }
}
