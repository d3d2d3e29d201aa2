//! Writes what happened: decisions before anything leaves, outcomes at the end, reasons that were given.

use std::sync::Arc;

use writ_base::telemetry::Counter;
use writ_base::{Moment, Randomness};
use writ_engine::{KeptStop, NewDecision};
use writ_model::Term;
use writ_model::interaction::PrincipalId;
use writ_model::record::{DecisionPersonal, DecisionSkeleton, EntryKind, OutcomeSkeleton};
use writ_model::standing::Acknowledgement;
use writ_store::ledger::SealedPart;
use writ_store::{Ledger, NewEntry, State};

/// The writing end of ledger and state.
#[derive(Clone)]
pub struct Recorder {
    ledger: Ledger,
    state: Arc<State>,
    randomness: Arc<dyn Randomness>,
}

impl Recorder {
    /// A recorder over an open ledger and state.
    pub fn new(ledger: Ledger, state: Arc<State>, randomness: Arc<dyn Randomness>) -> Self {
        Self { ledger, state, randomness }
    }

    /// Writes a decision with its sealed personal part, if it has one; `false` if it could not be written.
    pub async fn decision(&self, new: NewDecision, now: Moment) -> bool {
        let personal = match &new.personal {
            Some(personal) => match self.seal(&new.skeleton, personal, now).await {
                Some(sealed) => Some(sealed),
                None => return false,
            },
            None => None,
        };
        self.append(NewEntry::decision(&new.skeleton, personal, now)).await
    }

    /// Writes an outcome. Without it the interaction is closed as interrupted at the next start.
    pub async fn outcome(&self, outcome: &OutcomeSkeleton, now: Moment) {
        if !self.append(NewEntry::outcome(outcome, now)).await {
            Counter::LedgerFailures.increment();
        }
    }

    /// Keeps a reason that was given.
    pub async fn acknowledgement(&self, acknowledgement: Acknowledgement) {
        if let Err(error) = self.state.acknowledge(&acknowledgement, &self.ledger).await {
            Counter::LedgerFailures.increment();
            tracing::error!(%error, "an acknowledgement was not kept; it holds until the next start only");
        }
    }

    /// Keeps that the notice of first use was shown.
    pub async fn notice(&self, principal: PrincipalId, service: &Term, now: Moment) {
        if let Err(error) = self.state.notice_shown(principal, service, now, &self.ledger).await {
            tracing::error!(%error, "a notice was not kept; it is known until the next start only");
        }
    }

    /// Keeps a stop. Without it, its person can choose until the next start only.
    pub async fn stop(&self, kept: &KeptStop) {
        let Some(principal) = kept.principal() else { return };
        if let Err(error) = self.state.keep_stop(kept.reference(), principal, kept.until(), kept).await {
            tracing::error!(%error, "a stop was not kept; it is known until the next start only");
        }
    }

    async fn seal(&self, skeleton: &DecisionSkeleton, personal: &DecisionPersonal, now: Moment) -> Option<SealedPart> {
        let principal = personal.principal;
        let key = self.state.person_key(principal, now, &self.ledger).await;
        let key =
            key.inspect_err(|error| tracing::error!(%error, "no key for a personal part: nothing is sent")).ok()?;
        let plain = serde_json::to_vec(personal).ok()?;
        Some(key.seal(EntryKind::Decision, Some(skeleton.interaction), &plain, &*self.randomness))
    }

    async fn append(&self, entry: NewEntry) -> bool {
        let written = self.ledger.append(entry).await;
        if let Err(error) = &written {
            tracing::error!(%error, "the ledger did not take an entry");
        }
        written.is_ok()
    }
}
