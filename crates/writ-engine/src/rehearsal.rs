//! What somebody would be told of a verdict, were the situation theirs: the same words as in an interaction, without
//! one. Nothing is remembered, no code is given out, and no mark is made.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use writ_base::Moment;
use writ_model::interaction::InteractionId;
use writ_model::verdict::{Offer, Verdict};
use writ_model::{Author, Facts, Language, Note, Term};

use crate::engine::Engine;
use crate::situation;
use crate::snapshot::Snapshot;
use crate::voice::{Discovery, Said, Stop, Traces};

/// What is said of a verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// Nothing: it goes on, with or without details.
    Nothing,
    /// A note beside something that goes on.
    Note(Note),
    /// It does not go on.
    Stop {
        /// For people, in a chat or on a page.
        people: Box<Said>,
        /// For programs and agents, in one line.
        program: String,
    },
}

/// The code that stands where a stop would have its own.
const CODE: &str = "0000-00";

impl Engine {
    /// What a verdict's person would read. `found` names the types of data found in each class; of a class without
    /// types, a usual one is named.
    pub fn rehearse(
        &self,
        snapshot: &Snapshot,
        verdict: &Verdict,
        facts: &Facts,
        found: &BTreeMap<Term, BTreeSet<String>>,
        language: Language,
    ) -> Told {
        let id = facts.service.known().cloned().unwrap_or(Term::UNKNOWN);
        let service = snapshot.service_name(&id);
        if verdict.effect.passes() {
            let Some(first) = snapshot.coaching(verdict).next() else { return Told::Nothing };
            let every = Duration::from_secs(first.1);
            let quotes = snapshot.coaching(verdict).filter_map(|(cause, _)| snapshot.quote(&cause.clause));
            let clauses: BTreeSet<_> = quotes.collect();
            let why = snapshot.reason(first.0);
            return Told::Note(self.voice().note(language, service, clauses.into_iter().collect(), why, every));
        }
        let offers = snapshot.offers(verdict, facts);
        let stop = Stop {
            interaction: InteractionId::from_bytes([0; 16]),
            kind: snapshot.refusal_kind(verdict, facts),
            effect: verdict.effect,
            clauses: snapshot.quotes(verdict),
            discoveries: discoveries(snapshot, verdict, facts, found),
            traces: Traces::default(),
            refused: None,
            why: verdict.decided.iter().find_map(|cause| snapshot.reason(cause)),
            service,
            names: snapshot.names(&offers),
            offers,
            reference: CODE.to_owned(),
            token: String::new(),
            language,
            protected: false,
            typed: None,
        };
        Told::Stop { people: Box::new(self.voice().said(&stop, false)), program: self.voice().program_line(&stop) }
    }
}

impl Snapshot {
    /// Facts of a service at a plan, as catalog and vetting say at a time: kind, status, region, classes cleared.
    #[must_use]
    pub fn facts_of_service(&self, facts: Facts, service: &Term, tier: Term, now: Moment) -> Facts {
        situation::of_service(Facts { decided_at: now, ..facts }, service, tier, &self.catalog)
    }

    /// The offers of a verdict that lead on to something that passes.
    pub fn offers(&self, verdict: &Verdict, facts: &Facts) -> Vec<Offer> {
        verdict.offers.iter().filter(|offer| self.leads_on(offer, facts)).cloned().collect()
    }

    /// What people call a service.
    pub fn service_name<'s>(&'s self, id: &'s Term) -> &'s str {
        self.catalog.service(id).map_or(id.as_str(), |service| &service.name)
    }

    /// The data types that detection finds in a text, by class.
    pub fn types_in(&self, text: &str) -> BTreeMap<Term, BTreeSet<String>> {
        let mut types: BTreeMap<Term, BTreeSet<String>> = BTreeMap::new();
        for finding in self.pack.scan(text, &[0; 32]) {
            types.entry(finding.class).or_default().insert(finding.data_type.to_string());
        }
        types
    }
}

/// What was found, of the classes that the verdict is about.
fn discoveries(
    snapshot: &Snapshot,
    verdict: &Verdict,
    facts: &Facts,
    found: &BTreeMap<Term, BTreeSet<String>>,
) -> Vec<Discovery> {
    let classes = facts.data.known().into_iter().flatten().map(|(class, _)| class);
    let mut all = BTreeSet::new();
    for class in classes.filter(|class| snapshot.concerns(verdict, class)) {
        let usual = || BTreeSet::from([usual_type(class).to_owned()]);
        let types = found.get(class).cloned().unwrap_or_else(usual);
        all.extend(types.into_iter().map(|data_type| Discovery { data_type, author: Author::User }));
    }
    all.into_iter().collect()
}

/// A type of data that often belongs to a class.
fn usual_type(class: &str) -> &'static str {
    match class {
        "contact" => "EMAIL",
        "pii" => "US_SSN",
        "phi" => "HEALTH_CONDITION",
        "payment" => "CREDIT_CARD",
        "credentials" => "API_KEY",
        "source-code" => "SOURCE_CODE",
        _ => "ORGANISATION_TERM",
    }
}
