//! Policies that ran, compiled again from what was kept of them: for records of then.

use writ_model::record::SnapshotHashes;
use writ_model::standing::StandingObjects;
use writ_policy::eval::Policy;
use writ_store::State;
use writ_store::state::{Kept, StateError};

/// Why a policy of then is not to be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unavailable {
    /// Nobody kept its text, or what stood beside it.
    Missing,
    /// This version compiles its text to other rows than those that ran.
    OtherRows,
}

/// The policy with the hashes that a record names, with what stood beside it.
///
/// # Errors
/// If the database refuses.
pub async fn policy(state: &State, hashes: SnapshotHashes) -> Result<Result<Policy, Unavailable>, StateError> {
    let text = state.kept_text(Kept::PolicyText, hashes.policy).await?;
    let beside = state.kept_text(Kept::Standing, hashes.standing).await?;
    let (Some(text), Some(beside)) = (text, beside) else { return Ok(Err(Unavailable::Missing)) };
    // Names of services and plans are checked when a policy is put in force; here every name is taken as it is.
    let parsed = writ_policy::parse(text.expose());
    let policy = parsed.model.and_then(|model| Policy::compile(model, parsed.hash).ok());
    let Some(policy) = policy.filter(|policy| policy.rows_hash() == hashes.rows) else {
        return Ok(Err(Unavailable::OtherRows));
    };
    let objects = serde_json::from_str::<StandingObjects>(beside.expose()).ok();
    let policy = objects.and_then(|it| policy.with_standing(it.exceptions, it.rollout).ok());
    let same = |policy: &Policy| (policy.text_hash(), policy.standing_hash()) == (hashes.policy, hashes.standing);
    Ok(policy.filter(same).ok_or(Unavailable::Missing))
}
