//! Orders about what stands beside the policy: exceptions and the roll-out.

use anyhow::bail;
use serde::{Deserialize, Serialize};
use writ_base::Moment;
use writ_console::standing::{Approver, NewException, NewStage, neighbour, step_of};
use writ_model::Term;
use writ_model::standing::{ExceptionGrant, ExceptionId, Ring, RolloutEntry, StandingObjects};
use writ_model::values::Step;

use super::{Desk, Order, ROLE, desk};

/// Put an exception in force.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Grant(pub(crate) NewException);

/// The exceptions in force and to come.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ListExceptions {}

/// An exception with the name of its clause.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct ExceptionRow {
    pub(crate) grant: ExceptionGrant,
    /// Number and heading.
    pub(crate) clause_name: String,
    /// In force now; otherwise to come.
    pub(crate) in_force: bool,
}

/// End an exception before its time.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Withdraw {
    pub(crate) id: ExceptionId,
}

/// The roll-out.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ListStages {}

/// An entry of the roll-out with the name of its clause.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct StageRow {
    pub(crate) entry: RolloutEntry,
    /// Number and heading.
    pub(crate) clause_name: String,
    /// In force now; otherwise to come.
    pub(crate) in_force: bool,
}

/// Move a clause to another step for a ring.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct MoveStage {
    pub(crate) clause: Term,
    pub(crate) ring: Ring,
    /// Towards enforce, or back from it.
    pub(crate) advance: bool,
    /// To this step; to the next one if nothing is said.
    pub(crate) step: Option<Step>,
    pub(crate) from: Option<Moment>,
    pub(crate) until: Moment,
    pub(crate) approved_by: Approver,
}

/// What moved.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Moved {
    pub(crate) before: Step,
    pub(crate) row: StageRow,
}

/// Exceptions and roll-out as they stand beside the policy.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct InForce {}

impl ExceptionRow {
    fn of(grant: ExceptionGrant, policy: &desk::InForce, now: Moment) -> Self {
        let clause_name = policy.clause_name(&grant.clause);
        Self { in_force: grant.from <= now, grant, clause_name }
    }
}

impl StageRow {
    fn of(entry: RolloutEntry, policy: &desk::InForce, now: Moment) -> Self {
        let clause_name = policy.clause_name(&entry.clause);
        Self { in_force: entry.from <= now, entry, clause_name }
    }
}

impl Order for InForce {
    const NAME: &'static str = "standing-in-force";
    type Answer = StandingObjects;

    async fn act(self, desk: &Desk) -> anyhow::Result<StandingObjects> {
        Ok(desk.home.standing().await?)
    }
}

impl Order for Grant {
    const NAME: &'static str = "exception-grant";
    type Answer = ExceptionRow;

    async fn act(self, desk: &Desk) -> anyhow::Result<ExceptionRow> {
        let in_force = desk.in_force().await?;
        let standing = desk.standing(&in_force);
        let grant = standing.grant(&self.0, ROLE.as_str()).await?;
        desk.changed();
        Ok(ExceptionRow::of(grant, &in_force, standing.now))
    }
}

impl Order for ListExceptions {
    const NAME: &'static str = "exception-list";
    type Answer = Vec<ExceptionRow>;

    async fn act(self, desk: &Desk) -> anyhow::Result<Vec<ExceptionRow>> {
        let in_force = desk.in_force().await?;
        let standing = desk.standing(&in_force);
        let row = |grant| ExceptionRow::of(grant, &in_force, standing.now);
        Ok(standing.exceptions().await?.into_iter().map(row).collect())
    }
}

impl Order for Withdraw {
    const NAME: &'static str = "exception-withdraw";
    type Answer = ExceptionGrant;

    async fn act(self, desk: &Desk) -> anyhow::Result<ExceptionGrant> {
        let in_force = desk.in_force().await?;
        let withdrawn = desk.standing(&in_force).withdraw(self.id, ROLE.as_str()).await?;
        desk.changed();
        Ok(withdrawn)
    }
}

impl Order for ListStages {
    const NAME: &'static str = "rollout-list";
    type Answer = Vec<StageRow>;

    async fn act(self, desk: &Desk) -> anyhow::Result<Vec<StageRow>> {
        let in_force = desk.in_force().await?;
        let standing = desk.standing(&in_force);
        let row = |entry| StageRow::of(entry, &in_force, standing.now);
        Ok(standing.rollout().await?.into_iter().map(row).collect())
    }
}

impl MoveStage {
    /// The step that a clause moves to.
    fn next(&self, before: Step) -> anyhow::Result<Step> {
        let step = match (self.step, neighbour(before, self.advance)) {
            (Some(step), _) | (None, Some(step)) => step,
            (None, None) if self.advance => bail!("clause `{}` is enforced there already", self.clause),
            (None, None) => bail!("clause `{}` is only observed there already; there is no step below", self.clause),
        };
        if if self.advance { step > before } else { step < before } {
            return Ok(step);
        }
        let (word, other) = if self.advance { ("advance", "back") } else { ("back", "advance") };
        bail!("from {before} to {step} is not what `{word}` does; use `writ rollout {other}`, or another `--step`")
    }
}

impl Order for MoveStage {
    const NAME: &'static str = "rollout-move";
    type Answer = Moved;

    async fn act(self, desk: &Desk) -> anyhow::Result<Moved> {
        let in_force = desk.in_force().await?;
        let standing = desk.standing(&in_force);
        let before = step_of(&standing.rollout().await?, &self.clause, &self.ring);
        let step = self.next(before);
        let new = NewStage {
            clause: self.clause.clone(),
            ring: self.ring.clone(),
            step: step.as_ref().ok().copied().unwrap_or(Step::Enforce),
            from: self.from,
            until: self.until,
            approved_by: self.approved_by,
            replaces: None,
        };
        // A clause that is not there is said before a step that is not.
        let staged = standing.stage(&new).await?;
        step?;
        standing.set(&staged, ROLE.as_str()).await?;
        desk.changed();
        Ok(Moved { before, row: StageRow::of(staged.entry, &in_force, standing.now) })
    }
}
