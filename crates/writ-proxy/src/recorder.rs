//! Writes what happened: decisions before anything leaves, outcomes at the end, reasons that were given.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use writ_base::telemetry::Counter;
use writ_base::{Moment, Randomness};
use writ_engine::NewDecision;
use writ_model::Term;
use writ_model::interaction::PrincipalId;
use writ_model::record::{DecisionPersonal, DecisionSkeleton, EntryKind, OutcomeSkeleton};
use writ_model::standing::Acknowledgement;
use writ_store::ledger::SealedPart;
use writ_store::personal::PersonKey;
use writ_store::{Ledger, NewEntry, State};

/// The writing end of ledger and state.
#[derive(Clone)]
pub struct Recorder {
    ledger: Ledger,
    state: Arc<State>,
    randomness: Arc<dyn Randomness>,
    /// Whether somebody is about to write what is queued.
    soon: Arc<AtomicBool>,
}

impl Recorder {
    /// A recorder over an open ledger and state.
    pub fn new(ledger: Ledger, state: Arc<State>, randomness: Arc<dyn Randomness>) -> Self {
        Self { ledger, state, randomness, soon: Arc::default() }
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

    /// Writes an outcome. Without it the interaction is closed as interrupted at the next start. Nobody waits for it: it
    /// is queued, and written together with what others who are ready now have to write.
    pub async fn outcome(&self, outcome: &OutcomeSkeleton, now: Moment) {
        match self.ledger.append_later(NewEntry::outcome(outcome, now)) {
            Ok(()) => self.write_soon(),
            Err(entry) if !self.append(entry).await => Counter::LedgerFailures.increment(),
            Err(_written) => {}
        }
    }

    fn write_soon(&self) {
        if self.soon.swap(true, Ordering::AcqRel) {
            return;
        }
        let (ledger, soon) = (self.ledger.clone(), Arc::clone(&self.soon));
        tokio::spawn(async move {
            tokio::task::yield_now().await;
            soon.store(false, Ordering::Release);
            ledger.write_queued();
        });
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

    async fn seal(&self, skeleton: &DecisionSkeleton, personal: &DecisionPersonal, now: Moment) -> Option<SealedPart> {
        let principal = personal.principal;
        let key = match self.state.kept_person_key(principal, now) {
            Some(key) => key,
            None => Box::pin(self.person_key(principal, now)).await?,
        };
        let plain = serde_json::to_vec(personal).ok()?;
        Some(key.seal(EntryKind::Decision, Some(skeleton.interaction), &plain, &*self.randomness))
    }

    async fn person_key(&self, principal: PrincipalId, now: Moment) -> Option<PersonKey> {
        let key = self.state.person_key(principal, now, &self.ledger).await;
        key.inspect_err(|error| tracing::error!(%error, "no key for a personal part: nothing is sent")).ok()
    }

    async fn append(&self, entry: NewEntry) -> bool {
        let written = self.ledger.append(entry).await;
        if let Err(error) = &written {
            tracing::error!(%error, "the ledger did not take an entry");
        }
        written.is_ok()
    }
}
