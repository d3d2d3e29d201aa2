//! Other texts, read as the policy's file would be: for the studio. No file is opened that the running policy does not
//! name: a draft must not be a way to read what lies beside the policy.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use writ_console::{Beside, PolicyReading};
use writ_engine::Snapshot;
use writ_policy::check::Parsed;
use writ_policy::eval::Policy;

use super::running::Running;
use crate::policy_file::{self, PolicyFile};

/// Reads a text as if it stood in the policy's file, beside what stands beside the policy.
pub(super) fn read(running: &Running, text: &str, beside: Beside) -> PolicyReading {
    let (snapshot, known) = (running.live.snapshot(), running.policy());
    let path = PathBuf::from(&known.path);
    let mut file = PolicyFile::of_text(&path, text, policy_file::names(&snapshot.catalog));
    let mut reading = PolicyReading {
        parsed: file.parsed.clone().unwrap_or_else(|| writ_policy::parse(text)),
        snapshot: None,
        obstacles: Vec::new(),
        notes: Vec::new(),
    };
    reading.parsed.diagnostics.clone_from(&file.diagnostics);
    if file.errors() > 0 {
        return reading;
    }
    reading.notes.extend(leave_out_dictionaries(&mut file, &known.parsed));
    let pack = if same_terms(&file, &known.parsed) { Ok(snapshot.pack.clone()) } else { file.pack() };
    match (file.compile(), pack) {
        (Ok(policy), Ok(pack)) => {
            let policy = with_standing(policy, beside, &mut reading.obstacles);
            reading.snapshot = Some(Arc::new(Snapshot::new(policy, Arc::clone(&snapshot.catalog), pack)));
        }
        (policy, pack) => {
            let errors = [policy.err(), pack.err()].into_iter().flatten();
            reading.obstacles.extend(errors.map(|error| format!("{error:#}")));
        }
    }
    reading
}

/// The policy with what stands beside it; where that does not fit the text, without, and the server would not take the
/// text over.
fn with_standing(policy: Policy, beside: Beside, obstacles: &mut Vec<String>) -> Policy {
    match policy.with_standing(beside.exceptions, beside.rollout) {
        Ok(policy) => policy,
        Err(error) => {
            obstacles.push(error.to_string());
            policy
        }
    }
}

/// Takes out of a draft the dictionaries that the running policy does not name, and says which.
fn leave_out_dictionaries(file: &mut PolicyFile, known: &Parsed) -> Vec<String> {
    let open: BTreeSet<&String> = known.definitions.classes.iter().flat_map(|class| &class.dictionary).collect();
    let mut left_out = Vec::new();
    for class in file.parsed.iter_mut().flat_map(|parsed| &mut parsed.definitions.classes) {
        class.dictionary.retain(|name| {
            let known = open.contains(name);
            if !known {
                left_out.push(format!(
                    "the dictionary `{name}` of class `{}` is read when the text runs; a draft opens no new file",
                    class.class
                ));
            }
            known
        });
    }
    left_out
}

/// Whether a text says the same to detection as the running policy.
fn same_terms(file: &PolicyFile, known: &Parsed) -> bool {
    let Some(parsed) = &file.parsed else { return false };
    let terms = |parsed: &Parsed| {
        let classes = parsed.definitions.classes.iter();
        let said: Vec<_> = classes
            .map(|it| (it.class.clone(), it.words.clone(), it.dictionary.clone(), it.expressions.clone()))
            .collect();
        (said, parsed.definitions.harmless.clone())
    };
    terms(parsed) == terms(known)
}
