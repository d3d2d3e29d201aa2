//! The invariants of Writ: one id each, used in test names, debug assertions and production counters.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! invariants {
    ($($variant:ident = $id:literal: $statement:literal;)+) => {
        /// A statement that holds whatever happens. ARCHITECTURE.md lists them with their tests.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum InvariantId {
            $(#[doc = $statement] $variant,)+
        }

        impl InvariantId {
            /// All invariants, in the order of the documents.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The id as documents and metrics write it.
            pub const fn id(self) -> &'static str {
                match self { $(Self::$variant => $id),+ }
            }

            /// The statement itself.
            pub const fn statement(self) -> &'static str {
                match self { $(Self::$variant => $statement),+ }
            }
        }
    };
}

invariants! {
    NoByteWithoutPermit = "ENG-1": "No byte reaches a destination recognised as an AI service except through a permit; a bypass is a permit with a reason and a record.";
    VerdictIgnoresChunking = "ENG-2": "Same policy, detection pack, initial facts, bytes and job outcomes: same verdict, however chunked or interleaved.";
    OneRecordEach = "ENG-3": "Every interaction ends with exactly one record (decision and outcome).";
    EvaluationTotal = "POL-1": "Evaluation is total and bounded.";
    OrderNeverMatters = "POL-2": "Order never matters; a row that does not foresee never weakens; a finding or signal never weakens.";
    RowsHashFromText = "POL-3": "The rows hash recomputed from the signed text equals that of the rows running.";
    EvaluatorsAgree = "POL-4": "Rows, diagrams and the reference evaluator agree on every situation; the staged verdict equals the complete one in effect and redactions.";
    FindingsIgnoreChunking = "DET-1": "Findings do not depend on chunk boundaries.";
    RedactedIsGone = "DET-2": "What was redacted is not found again.";
    NoValueKept = "DET-3": "No matched value is stored or logged in the clear.";
    AnyBytesAccepted = "PRO-1": "Any byte string is accepted in bounded memory; what is not understood becomes an opaque part.";
    OutsideEditsIdentical = "PRO-2": "Outside edits the decoded body is byte-identical; an unedited message is identical on the wire.";
    EntriesSurvive = "STO-1": "A written entry survives a crash as its durability mode says; the ledger is append-only and verifiable by a stranger who holds an earlier checkpoint.";
    CasesMoveByNamedPeople = "GOV-1": "A case changes state only by a named person or a named rule, with a reason.";
    NoControlWithoutEvidence = "GOV-2": "A control is never shown as operating without evidence newer than its interval.";
    NoCaseFromWeakIdentity = "GOV-3": "No violation or case about a person is opened from an identity below strong.";
    NoUnmaskingAlone = "PRV-1": "No role, and no holder of database, ledger, backups or exports, can tell who a pseudonym is without a two-person reveal.";
    ReportsUnseen = "PRV-2": "The reporting channel is never intercepted, logged or analysed.";
    EverythingBounded = "LIM-1": "Every queue, buffer, map and retry has a named limit.";
}

static BROKEN: [AtomicU64; InvariantId::ALL.len()] = [const { AtomicU64::new(0) }; InvariantId::ALL.len()];

impl InvariantId {
    /// Reports whether the invariant held at one place: a debug assertion in tests, a counter in production.
    /// Returns `held`, so that a caller can refuse to go on.
    pub fn check(self, held: bool) -> bool {
        debug_assert!(held, "invariant {} broken: {}", self.id(), self.statement());
        if !held && let Some(counter) = BROKEN.get(self as usize) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
        held
    }

    /// How often the invariant was seen broken since the start.
    pub fn broken(self) -> u64 {
        BROKEN.get(self as usize).map_or(0, |counter| counter.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn ids_are_unique() {
        let ids: BTreeSet<_> = InvariantId::ALL.iter().map(|i| i.id()).collect();
        assert_eq!(ids.len(), InvariantId::ALL.len());
    }
}
