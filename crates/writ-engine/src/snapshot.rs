//! The snapshot: everything content-addressed that a verdict rests on, taken once per interaction and never changed.

use std::collections::{BTreeMap, BTreeSet};

use writ_catalog::Catalog;
use writ_detect::{Definition, Harmless, Pack, PackError};
use writ_model::record::SnapshotHashes;
use writ_model::{ClauseQuote, Facts, Level, Set, Term};
use writ_policy::document::define::Definitions;
use writ_policy::eval::{CompileError, Policy, explain};
use writ_policy::example::{Example, ExampleFailed, example_facts, judge};
use writ_policy::words::Names;
use writ_policy::{Diagnostic, Parsed};

use crate::situation::Tally;

/// Policy with exceptions and roll-out, catalog with the organisation's services, detection pack.
#[derive(Debug)]
pub struct Snapshot {
    /// The policy that runs.
    pub policy: Policy,
    /// The AI services.
    pub catalog: Catalog,
    /// The detectors, with the organisation's own terms.
    pub pack: Pack,
    hashes: SnapshotHashes,
}

/// Why a policy cannot run. The one that runs stays.
#[derive(Debug, thiserror::Error)]
pub enum NotRunnable {
    /// The document has errors.
    #[error("the policy has {} errors", .0.len())]
    Document(Vec<Diagnostic>),
    /// The rules need more than a limit admits.
    #[error(transparent)]
    Rules(#[from] CompileError),
    /// The organisation's own terms cannot be searched for.
    #[error("the policy's own terms cannot be searched for: {0}")]
    Terms(#[from] PackError),
    /// Examples contradict their rules.
    #[error("{} of the policy's examples contradict their rules", .0.len())]
    Examples(Vec<ExampleFailed>),
}

impl Snapshot {
    /// Binds the three together.
    pub fn new(policy: Policy, catalog: Catalog, pack: Pack) -> Self {
        let hashes = SnapshotHashes {
            policy: policy.text_hash(),
            rows: policy.rows_hash(),
            standing: policy.standing_hash(),
            catalog: catalog.hash(),
            detection: pack.hash(),
        };
        Self { policy, catalog, pack, hashes }
    }

    /// Builds a snapshot from a policy's text, and runs the policy's examples with real detection.
    ///
    /// # Errors
    /// If the document has errors, its rules or terms cannot be compiled, or an example contradicts its rule.
    pub fn build(source: &str, catalog: Catalog) -> Result<Self, NotRunnable> {
        let parsed = parse(source, &catalog);
        let (snapshot, failed) = Self::compile(parsed, catalog)?;
        if failed.is_empty() { Ok(snapshot) } else { Err(NotRunnable::Examples(failed)) }
    }

    /// As [`Snapshot::build`], from a document that was read already; returns the examples that fail.
    ///
    /// # Errors
    /// If the document has errors, or its rules or terms cannot be compiled.
    pub fn compile(parsed: Parsed, catalog: Catalog) -> Result<(Self, Vec<ExampleFailed>), NotRunnable> {
        let Parsed { model: Some(model), hash, definitions, examples, .. } = parsed else {
            return Err(NotRunnable::Document(parsed.diagnostics));
        };
        let (own, harmless) = terms(&definitions);
        let snapshot = Self::new(Policy::compile(model, hash)?, catalog, Pack::with_definitions(&own, &harmless)?);
        let failed = examples.iter().filter_map(|example| snapshot.try_example(example).err()).collect();
        Ok((snapshot, failed))
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

/// Reads a policy, knowing the catalog's names, so that a misspelt service is an error.
pub fn parse(source: &str, catalog: &Catalog) -> Parsed {
    let services: BTreeSet<Term> = catalog.services().iter().map(|service| service.id.clone()).collect();
    writ_policy::check::parse_with(source, Names { services, ..Names::default() })
}

/// The organisation's own terms, as detection takes them.
pub fn terms(definitions: &Definitions) -> (Vec<Definition>, Harmless) {
    let mut own: BTreeMap<Term, Definition> = BTreeMap::new();
    for class in &definitions.classes {
        let definition = own.entry(class.class.clone()).or_insert_with(|| Definition {
            class: class.class.clone(),
            words: Vec::new(),
            expressions: Vec::new(),
        });
        definition.words.extend(class.words.iter().cloned());
        definition.expressions.extend(class.expressions.iter().cloned());
    }
    let values = definitions.harmless.iter().flat_map(|harmless| harmless.values.iter().cloned()).collect();
    (own.into_values().collect(), Harmless { values, patterns: Vec::new() })
}
