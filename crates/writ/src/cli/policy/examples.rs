//! A policy's examples, run with real detection.

use std::path::{Path, PathBuf};

use writ_catalog::Catalog;
use writ_engine::Snapshot;
use writ_model::{Facts, Verdict};
use writ_policy::check::examples;
use writ_policy::diagnostic::{Code, Diagnostic};
use writ_policy::eval::{Explanation, explain};
use writ_policy::example::{Example, ExampleKind, example_facts};

use crate::cli::text;
use crate::policy_file::{self, PolicyFile};

/// Reads a policy with the names that the catalog and an organisation's files know.
pub(super) fn read(file: &Path, services: &[PathBuf]) -> anyhow::Result<(PolicyFile, Catalog)> {
    let catalog = policy_file::catalog(services)?;
    let policy = PolicyFile::read(file, policy_file::names(&catalog))?;
    Ok((policy, catalog))
}

/// A policy that runs, whose examples were run.
pub(super) struct Ran<'f> {
    pub(super) snapshot: Snapshot,
    /// All examples with what came of them, in the order of the text.
    pub(super) examples: Vec<Outcome<'f>>,
}

/// An example and what came of it.
pub(super) struct Outcome<'f> {
    pub(super) example: &'f Example,
    /// What is known of its situation, with what detection found.
    pub(super) facts: Facts,
    /// The verdict of the whole policy.
    pub(super) verdict: Verdict,
    /// Why the example contradicts its rule; nothing if it passed.
    pub(super) failure: Option<Diagnostic>,
}

impl<'f> Ran<'f> {
    /// Runs the examples of a policy; nothing if it has errors.
    pub(super) fn of(file: &'f PolicyFile, catalog: Catalog) -> anyhow::Result<Option<Self>> {
        if file.errors() > 0 {
            return Ok(None);
        }
        let snapshot = Snapshot::new(file.compile()?, catalog, file.pack()?);
        let all = file.parsed.as_ref().map(examples).unwrap_or_default();
        let examples = all.iter().map(|example| outcome(&snapshot, example)).collect();
        Ok(Some(Self { snapshot, examples }))
    }

    /// The examples that contradict their rules, as diagnostics.
    pub(super) fn failures(&self) -> Vec<Diagnostic> {
        self.examples.iter().filter_map(|outcome| outcome.failure.clone()).collect()
    }
}

fn outcome<'f>(snapshot: &Snapshot, example: &'f Example) -> Outcome<'f> {
    let facts = snapshot.facts_of_text(&example.text, example_facts(example));
    let explanation = explain(&snapshot.policy, &facts);
    let failure = snapshot.try_example(example).err().map(|failed| {
        let mut failure = Diagnostic::new(Code::ExampleContradictsRule, example.span, failed.to_string());
        failure.help = Some(help(example, &facts, &explanation));
        failure
    });
    Outcome { example, verdict: explanation.decision.full, facts, failure }
}

fn help(example: &Example, facts: &Facts, explanation: &Explanation) -> String {
    let found = facts.data.known().map(text::in_words).unwrap_or_default();
    match example.kind {
        ExampleKind::Violates => {
            format!("detection says of its text: {found}; change the text, its `as:` or the rule's keys")
        }
        ExampleKind::Complies => {
            format!("it applies because of {}; detection says: {found}", reasons(explanation, example))
        }
    }
}

/// The keys that held, as the policy writes them; values that come from the text are named by their class only.
fn reasons(explanation: &Explanation, example: &Example) -> String {
    let rule = explanation.applied.iter().find(|rule| rule.clause == example.clause && rule.rule == example.rule);
    let keys = rule.map(|rule| rule.keys.as_slice()).unwrap_or_default();
    let said = keys.iter().map(|key| {
        let not = if key.not { "not " } else { "" };
        format!("`{}: {not}{}`", key.key, key.listed.join(", "))
    });
    let said: Vec<_> = said.collect();
    if said.is_empty() { "a rule without keys".to_owned() } else { said.join(" and ") }
}
