//! Records decided again: each from its facts as decided, with the policy and what stood beside it under the hashes that
//! it names. What comes out must be the record, bit for bit.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use writ_base::{ContentHash, Limit};
use writ_console::kept::{self, Unavailable};
use writ_model::interaction::InteractionId;
use writ_model::record::{DecisionPersonal, DecisionSkeleton, EntryKind};
use writ_model::schema::Stage;
use writ_model::verdict::Cause;
use writ_model::{Decision, Facts};
use writ_policy::eval::{Policy, Staged};
use writ_store::State;
use writ_store::ledger::{Entry, LedgerError};

/// Policies held at once, each with what stood beside it.
static POLICIES: Limit = Limit::new("cli.redecide.policies", "policies", 64);
/// Records that differ and are named; the rest is counted.
static NAMED: Limit = Limit::new("cli.redecide.named", "records", 100);

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Redecided {
    /// Decision entries.
    pub(crate) decisions: u64,
    /// The same, bit for bit.
    pub(crate) equal: u64,
    /// Something else came out, or the skeleton says something else than the personal part.
    pub(crate) different: u64,
    /// The first of those.
    pub(crate) differences: Vec<Difference>,
    /// Their person was erased.
    pub(crate) erased: u64,
    /// Protected persons: no facts were kept.
    pub(crate) without_facts: u64,
    /// Nobody kept the policy that decided them, or what stood beside it.
    pub(crate) policy_missing: u64,
    /// This version compiles the policy to other rows than those that decided.
    pub(crate) other_rows: u64,
    /// Their personal part is of a form that this version does not read.
    pub(crate) unreadable: u64,
}

/// A record that is not what its facts and its policy give.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Difference {
    /// Its entry.
    pub(crate) sequence: u64,
    /// Its interaction.
    pub(crate) interaction: InteractionId,
    /// What differs: `effect`, `clauses`, `redactions`, `obligations`, `skeleton`.
    pub(crate) in_what: Vec<&'static str>,
}

/// Decides records again, one after another.
pub(crate) struct Redecider<'a> {
    state: &'a State,
    /// By the hashes of text, rows and what stood beside it.
    policies: BTreeMap<[ContentHash; 3], Result<Arc<Policy>, Unavailable>>,
    done: Redecided,
}

impl<'a> Redecider<'a> {
    pub(crate) fn new(state: &'a State) -> Self {
        Self { state, policies: BTreeMap::new(), done: Redecided::default() }
    }

    /// Decides all records of a ledger again.
    ///
    /// # Errors
    /// If the ledger cannot be read or the database refuses.
    pub(crate) async fn all(
        mut self,
        entries: impl Iterator<Item = Result<Entry, LedgerError>>,
    ) -> anyhow::Result<Redecided> {
        for entry in entries {
            let entry = entry?;
            if entry.header.kind == EntryKind::Decision {
                self.one(&entry).await?;
            }
        }
        Ok(self.done)
    }

    async fn one(&mut self, entry: &Entry) -> anyhow::Result<()> {
        self.done.decisions += 1;
        let Ok(skeleton) = entry.parse::<DecisionSkeleton>() else {
            self.done.unreadable += 1;
            return Ok(());
        };
        if entry.personal.is_none() {
            self.done.without_facts += 1;
            return Ok(());
        }
        let Some(plain) = self.state.open_personal(entry).await? else {
            self.done.erased += 1;
            return Ok(());
        };
        let Ok(personal) = serde_json::from_slice::<DecisionPersonal>(plain.expose()) else {
            self.done.unreadable += 1;
            return Ok(());
        };
        let policy = match self.policy(&skeleton).await? {
            Ok(policy) => policy,
            Err(Unavailable::Missing) => {
                self.done.policy_missing += 1;
                return Ok(());
            }
            Err(Unavailable::OtherRows) => {
                self.done.other_rows += 1;
                return Ok(());
            }
        };
        let again = decided(&policy, &personal.facts, &skeleton);
        let differs = differences(&again, &personal.decision, &skeleton);
        if differs.is_empty() {
            self.done.equal += 1;
            return Ok(());
        }
        self.done.different += 1;
        if NAMED.admits(self.done.differences.len() + 1) {
            let (sequence, interaction) = (entry.header.sequence, skeleton.interaction);
            self.done.differences.push(Difference { sequence, interaction, in_what: differs });
        }
        Ok(())
    }

    /// The policy that decided a record, compiled again from its text.
    async fn policy(&mut self, skeleton: &DecisionSkeleton) -> anyhow::Result<Result<Arc<Policy>, Unavailable>> {
        let hashes = skeleton.snapshot;
        let key = [hashes.policy, hashes.rows, hashes.standing];
        if let Some(known) = self.policies.get(&key) {
            return Ok(known.clone());
        }
        let compiled = kept::policy(self.state, hashes).await?.map(Arc::new);
        if !POLICIES.admits(self.policies.len() + 1) {
            self.policies.clear();
        }
        self.policies.insert(key, compiled.clone());
        Ok(compiled)
    }
}

/// What the facts give: at the stage at which it was decided, and stopped whatever the policy says where it was.
fn decided(policy: &Policy, facts: &Facts, skeleton: &DecisionSkeleton) -> Decision {
    let early = facts.settled() != Some(Stage::Body);
    let mut decision = match early.then(|| policy.decide_staged(facts)) {
        Some(Staged::EarlyBlock(decision) | Staged::Settled(decision)) => decision,
        Some(Staged::Open { .. }) | None => policy.decide(facts),
    };
    if let Some(regardless) = skeleton.regardless {
        regardless.apply(&mut decision);
    }
    decision
}

/// In what a record is not what was decided again.
fn differences(again: &Decision, recorded: &Decision, skeleton: &DecisionSkeleton) -> Vec<&'static str> {
    let mut differs = Vec::new();
    let effect = |decision: &Decision| (decision.enforced.effect, decision.full.effect);
    if effect(again) != effect(recorded) {
        differs.push("effect");
    }
    if causes(again) != causes(recorded) {
        differs.push("clauses");
    }
    let redactions = |decision: &Decision| (decision.enforced.redact.clone(), decision.full.redact.clone());
    if redactions(again) != redactions(recorded) {
        differs.push("redactions");
    }
    // Whatever else a verdict says: obligations, offers, roles, exceptions, roll-out.
    if differs.is_empty() && again != recorded {
        differs.push("obligations");
    }
    if !fits(skeleton, again) {
        differs.push("skeleton");
    }
    differs
}

fn causes(decision: &Decision) -> [&[Cause]; 4] {
    let Decision { enforced, full } = decision;
    [&enforced.decided, &enforced.applied, &full.decided, &full.applied]
}

/// Whether the skeleton says what was decided.
fn fits(skeleton: &DecisionSkeleton, decision: &Decision) -> bool {
    let Decision { enforced, full } = decision;
    let decided_full = if full.decided == enforced.decided { &[][..] } else { full.decided.as_slice() };
    (skeleton.enforced, skeleton.full) == (enforced.effect, full.effect)
        && (skeleton.decided.as_slice(), skeleton.decided_full.as_slice()) == (&*enforced.decided, decided_full)
        && (&skeleton.exceptions, &skeleton.rollout) == (&enforced.exceptions, &enforced.rollout)
}

#[cfg(test)]
mod tests;
