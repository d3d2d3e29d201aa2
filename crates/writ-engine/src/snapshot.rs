//! The snapshot: everything content-addressed that a verdict rests on, taken once per interaction and never changed.

use std::sync::Arc;

use writ_catalog::Catalog;
use writ_detect::Pack;
use writ_model::record::SnapshotHashes;
use writ_model::{ClauseQuote, Facts, Level, Set, Term};
use writ_policy::eval::{Policy, explain};
use writ_policy::example::{Example, ExampleFailed, example_facts, judge};

use crate::situation::Tally;

/// Policy with exceptions and roll-out, catalog with the organisation's services, detection pack.
#[derive(Debug)]
pub struct Snapshot {
    /// The policy that runs.
    pub policy: Policy,
    /// The AI services.
    pub catalog: Arc<Catalog>,
    /// The detectors, with the organisation's own terms.
    pub pack: Pack,
    hashes: SnapshotHashes,
}

impl Snapshot {
    /// Binds the three together.
    pub fn new(policy: Policy, catalog: impl Into<Arc<Catalog>>, pack: Pack) -> Self {
        let catalog = catalog.into();
        let hashes = SnapshotHashes {
            policy: policy.text_hash(),
            rows: policy.rows_hash(),
            standing: policy.standing_hash(),
            catalog: catalog.hash(),
            detection: pack.hash(),
        };
        Self { policy, catalog, pack, hashes }
    }

    /// Whether an example's rule does with its text what the example claims.
    ///
    /// # Errors
    /// If it does not.
    pub fn try_example(&self, example: &Example) -> Result<(), ExampleFailed> {
        let facts = self.facts_of_text(&example.text, example_facts(example));
        let applies = explain(&self.policy, &facts)
            .applied
            .iter()
            .any(|row| row.clause == example.clause && row.rule == example.rule);
        judge(example, applies)
    }

    /// Completes facts with what detection finds in a text.
    #[must_use]
    pub fn facts_of_text(&self, text: &str, mut facts: Facts) -> Facts {
        let mut tally = Tally::default();
        // The digest key only tells equal values from different ones within this text.
        self.pack.scan(text, &[0; 32]).iter().for_each(|finding| tally.count(finding, true));
        facts.data = tally.classes().into();
        if facts.level.pending() {
            facts.level = facts.declared.known().map_or(Level::Unstated, |declared| Level::from(*declared)).into();
        }
        if facts.signal.pending() {
            facts.signal = Set::EMPTY.into();
        }
        facts.completed()
    }

    /// What records name.
    pub fn hashes(&self) -> SnapshotHashes {
        self.hashes
    }

    /// A clause as people know it. The posture has no clause of its own: it is not quoted.
    pub fn quote(&self, clause: &Term) -> Option<ClauseQuote> {
        let clause = self.policy.clause(clause)?;
        Some(ClauseQuote { id: clause.id.clone(), number: clause.number.clone(), title: clause.title.clone() })
    }
}
