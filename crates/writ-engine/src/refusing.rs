//! Refusals: what a verdict that stops says, what it offers, and what is remembered of it.

use std::collections::{BTreeMap, BTreeSet};

use writ_base::Moment;
use writ_model::standing::POSTURE;
use writ_model::verdict::{Cause, Offer, Verdict};
use writ_model::{Author, ClauseQuote, Dimension, Effect, Facts, Refusal, RefusalKind, Term};
use writ_policy::eval::Staged;
use writ_policy::rule::KeyValue;

use crate::history::History;
use crate::inspection::Context;
use crate::opening::Audience;
use crate::reading::Reading;
use crate::situation;
use crate::snapshot::Snapshot;
use crate::stops::{KeptStop, Stopped, StoppedPrompt};
use crate::voice::{self, Discovery, Page, Stop, Traces};

/// The prompt that a refusal is about.
pub(crate) struct Read<'a> {
    pub(crate) reading: &'a Reading,
    pub(crate) history: &'a History,
}

/// A refusal with what goes with it.
pub(crate) struct Refused {
    pub(crate) refusal: Refusal,
    /// For a browser that navigates.
    pub(crate) page: Option<Page>,
    /// What must be known of it after a restart.
    pub(crate) kept: Box<KeptStop>,
}

impl Context {
    /// The refusal of a verdict, in words; remembered, so that the person can look at it and choose.
    pub(crate) fn refusal(&self, verdict: &Verdict, facts: &Facts, read: Option<&Read<'_>>, now: Moment) -> Refused {
        let kind = self.snapshot.refusal_kind(verdict, facts);
        let why = verdict.decided.iter().find_map(|cause| self.snapshot.reason(cause));
        let choosable = read.and_then(|read| {
            let offered = verdict.offers.contains(&Offer::Redact);
            let classes =
                if offered { self.snapshot.policy.offered_redaction(verdict, facts) } else { BTreeSet::new() };
            (!self.opening.caller.protected).then(|| read.history.choosable(self, read.reading, classes))
        });
        let helps = choosable.as_ref().is_some_and(|choosable| !choosable.classes.is_empty());
        let leads_on = |offer: &&Offer| (helps || **offer != Offer::Redact) && self.snapshot.leads_on(offer, facts);
        let offers: Vec<Offer> = verdict.offers.iter().filter(leads_on).cloned().collect();
        let (discoveries, traces) = read.map(|read| self.discoveries(verdict, read.reading)).unwrap_or_default();
        let stop = Stop {
            kind,
            effect: verdict.effect,
            clauses: self.snapshot.quotes(verdict),
            discoveries,
            traces,
            why,
            names: self.snapshot.names(&offers),
            offers,
            typed: read.and_then(|read| read.reading.typed()),
            ..self.stop()
        };
        let stopped = Stopped { prompt: self.stopped_prompt(&stop, now), choosable };
        let (turns, clause) = match read {
            Some(read) => read.history.remember_stopped(self, read.reading, verdict),
            None => (Vec::new(), None),
        };
        let kept = Box::new(KeptStop::new(&stopped, turns, clause));
        self.engine.remember_stop(stopped);
        let voice = &self.engine.options.voice;
        let page = self.opening.navigation.then(|| voice.page(&stop));
        Refused { refusal: voice.refuse(&stop, &self.engine.options.keys.mark), page, kept }
    }

    /// A stop of which nothing but the circumstances is known yet, with a new reference code.
    pub(crate) fn stop(&self) -> Stop<'_> {
        let reference = voice::reference_code(&*self.engine.options.randomness);
        Stop {
            interaction: self.interaction,
            kind: RefusalKind::Policy,
            effect: Effect::Block,
            clauses: Vec::new(),
            discoveries: Vec::new(),
            traces: Traces::default(),
            names: BTreeMap::new(),
            refused: self.opening.refused(),
            why: None,
            service: self.snapshot.service_name(&self.opening.service),
            offers: Vec::new(),
            token: self.engine.page_token(&reference),
            reference,
            language: self.opening.caller.language,
            protected: self.opening.caller.protected,
            typed: None,
        }
    }

    fn stopped_prompt(&self, stop: &Stop<'_>, now: Moment) -> StoppedPrompt {
        let caller = &self.opening.caller;
        StoppedPrompt {
            reference: stop.reference.clone(),
            principal: (!caller.protected).then_some(caller.principal),
            interaction: self.interaction,
            at: now,
            service: self.opening.service.clone(),
            service_name: stop.service.to_owned(),
            effect: stop.effect,
            kind: stop.kind,
            clauses: stop.clauses.clone(),
            discoveries: stop.discoveries.clone(),
            offers: stop.offers.clone(),
            why: stop.why.map(str::to_owned),
            language: stop.language,
            person: self.person() || self.opening.navigation,
        }
    }

    fn discoveries(&self, verdict: &Verdict, reading: &Reading) -> (Vec<Discovery>, Traces) {
        let (mut found, mut traces) = (BTreeSet::new(), Traces::default());
        let parts = reading.message.parts.iter().zip(&reading.findings);
        for (part, finding) in parts.flat_map(|(part, findings)| findings.iter().map(move |finding| (part, finding))) {
            if self.snapshot.concerns(verdict, &finding.class) {
                let discovery = Discovery { data_type: finding.data_type.to_string(), author: part.author };
                let text = part.text().unwrap_or_default();
                let value = text.get(finding.span.clone()).unwrap_or_default();
                traces.add(discovery.clone(), text, finding.span.start, value);
                found.insert(discovery);
            }
        }
        for seam in reading.seams.iter().filter(|seam| self.snapshot.concerns(verdict, &seam.finding.class)) {
            let author = reading.message.parts.get(seam.first.0).map_or(Author::Unknown, |part| part.author);
            found.insert(Discovery { data_type: seam.finding.data_type.to_string(), author });
        }
        (found.into_iter().collect(), traces)
    }

    /// Whether a person reads what Writ says: then refusals are messages in the chat.
    pub(crate) fn person(&self) -> bool {
        self.opening.caller.audience == Audience::Person
    }
}

/// What a verdict comes to in words, whoever is told.
impl Snapshot {
    /// Why a verdict stops.
    pub(crate) fn refusal_kind(&self, verdict: &Verdict, facts: &Facts) -> RefusalKind {
        let signals = facts.signal.known().copied().unwrap_or_default();
        if verdict.unreadable {
            RefusalKind::Unreadable
        } else if situation::malformed(signals) && self.decided_by_signal(verdict) {
            RefusalKind::Malformed
        } else {
            RefusalKind::Policy
        }
    }

    /// The clauses that decided a verdict, each once.
    pub(crate) fn quotes(&self, verdict: &Verdict) -> Vec<ClauseQuote> {
        let quotes: BTreeSet<_> = verdict.clauses().into_iter().filter_map(|clause| self.quote(clause)).collect();
        quotes.into_iter().collect()
    }

    /// The reason that a rule gives.
    pub(crate) fn reason(&self, cause: &Cause) -> Option<&str> {
        self.policy.rule(&cause.clause, cause.rule)?.why.as_deref()
    }

    /// The rules that add a note to a verdict, and how often each says it, in seconds.
    pub(crate) fn coaching<'v>(&self, verdict: &'v Verdict) -> impl Iterator<Item = (&'v Cause, u64)> {
        let coaching = verdict.decided.iter().filter(|cause| cause.effect == Effect::Coach);
        coaching
            .map(|cause| (cause, self.policy.rule(&cause.clause, cause.rule).map_or(86_400, |rule| rule.every_seconds)))
    }

    /// What the services that are offered are called.
    pub(crate) fn names(&self, offers: &[Offer]) -> BTreeMap<Term, String> {
        let known = |offer: &Offer| match offer {
            Offer::Redirect(service) => Some((service.clone(), self.catalog.service(service)?.name.clone())),
            _ => None,
        };
        offers.iter().filter_map(known).collect()
    }

    /// Whether taking an offer leads to something that passes. A redirect is decided again for the other service, at
    /// the plan that serves it best; the others were judged with the verdict.
    pub(crate) fn leads_on(&self, offer: &Offer, facts: &Facts) -> bool {
        let Offer::Redirect(service) = offer else { return true };
        let Some(known) = self.catalog.service(service) else { return false };
        let tiers = known.tiers.iter().map(|tier| tier.id.clone()).chain([Term::UNKNOWN]);
        tiers.into_iter().any(|tier| {
            let facts = situation::at_service(facts.clone(), known, tier, &self.catalog);
            match self.policy.decide_staged(&facts) {
                Staged::EarlyBlock(_) => false,
                Staged::Open { least, .. } => least.passes(),
                Staged::Settled(decision) => decision.enforced.effect.passes(),
            }
        })
    }

    fn decided_by_signal(&self, verdict: &Verdict) -> bool {
        let rules = verdict.decided.iter().filter_map(|cause| self.policy.rule(&cause.clause, cause.rule));
        rules.into_iter().any(|rule| rule.keys.on(Dimension::Signal).is_some())
    }

    /// Whether a class belongs to what a verdict was about.
    pub(crate) fn concerns(&self, verdict: &Verdict, class: &Term) -> bool {
        let names = |value: &KeyValue| match value {
            KeyValue::AnyClass => true,
            KeyValue::Class { class: named, .. } => named == class,
            _ => false,
        };
        verdict.decided.iter().any(|cause| match self.policy.rule(&cause.clause, cause.rule) {
            Some(rule) => rule.keys.on(Dimension::Data).is_some_and(|test| test.values.iter().any(names)),
            None => cause.clause == POSTURE,
        })
    }
}
