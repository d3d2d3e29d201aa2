//! Acts on what stands beside the policy: exceptions and the roll-out. Pages, the interface for programs and the command
//! line act through this one place, so that what is refused here is refused everywhere. Every act is an entry of the
//! ledger before it takes effect.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use writ_base::{Limit, Moment, Randomness};
use writ_model::Term;
use writ_model::standing::{ExceptionGrant, ExceptionId, POSTURE, Ring, RolloutEntry, RolloutId};
use writ_model::values::{Step, Value as _};
use writ_policy::analyse::{Longest, Proved, prove};
use writ_policy::diagram::World;
use writ_policy::eval::Policy;
use writ_policy::words::nearest;
use writ_store::state::StateError;
use writ_store::{Ledger, State};

use crate::parts::PolicyText;

/// Days for which an entry of the roll-out may hold.
pub const ROLLOUT_DAYS: u64 = 730;
/// A day.
pub const DAY: Duration = Duration::from_secs(86_400);

/// Bytes of a sentence that somebody writes: reason, compensating control, name.
pub static SENTENCE: Limit = Limit::new("console.standing.sentence", "bytes", 1000);

/// The role of the console that answers for the policy: it approves where no other owner is named.
const POLICY_OWNER: &str = "policy-owner";

/// What an act needs: the policy that runs, and where what stands beside it is kept.
pub struct Desk<'a> {
    /// The policy that runs, with what stands beside it.
    pub policy: &'a Policy,
    /// Its text.
    pub text: &'a PolicyText,
    /// What is possible here, for proofs.
    pub world: World,
    /// Where exceptions and roll-out are kept.
    pub state: &'a State,
    /// Where acts are written.
    pub ledger: &'a Ledger,
    /// Now.
    pub now: Moment,
    /// For ids.
    pub randomness: &'a dyn Randomness,
}

/// Why an act was not done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// It cannot be done as it was asked for.
    #[error("{0}")]
    Unusable(String),
    /// Ledger or database refused.
    #[error(transparent)]
    State(#[from] StateError),
}

/// An exception as it is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct NewException {
    /// The one clause it relaxes.
    pub clause: Term,
    /// The situation in keys of the policy language.
    pub keys: BTreeMap<String, String>,
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// What protects instead.
    pub compensating_control: String,
    /// Who approved it: an owner that the policy names, or a deputy.
    pub approved_by: Approver,
    /// From when; now on if nothing is said.
    #[serde(default)]
    pub from: Option<Moment>,
    /// When it ends.
    pub until: Moment,
}

/// Who approves: the owner of a role, or the deputy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Approver {
    /// A role of the policy's `owners`, or `policy-owner`.
    pub role: String,
    /// Whether the deputy of that role approves.
    #[serde(default)]
    pub deputy: bool,
}

impl Approver {
    /// The owner of a role.
    pub fn owner(role: &str) -> Self {
        Self { role: role.to_owned(), deputy: false }
    }
}

/// A stage as it is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct NewStage {
    /// The clause, or [`POSTURE`].
    pub clause: Term,
    /// For whom.
    pub ring: Ring,
    /// How far.
    pub step: Step,
    /// From when; now on if nothing is said.
    #[serde(default)]
    pub from: Option<Moment>,
    /// Afterwards the step is enforce.
    pub until: Moment,
    /// Who approved it.
    pub approved_by: Approver,
    /// An entry that it takes the place of, beside the one for the same clause and ring.
    #[serde(default)]
    pub replaces: Option<RolloutId>,
}

/// A stage that fits, ready to be set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Staged {
    /// The entry.
    pub entry: RolloutEntry,
    /// The entries that it takes the place of.
    pub replaces: Vec<RolloutEntry>,
}

impl Desk<'_> {
    /// The exceptions that have not ended.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn exceptions(&self) -> Result<Vec<ExceptionGrant>, Refused> {
        Ok(self.state.exceptions(self.now).await?)
    }

    /// The entries of the roll-out that have not ended.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn rollout(&self) -> Result<Vec<RolloutEntry>, Refused> {
        Ok(self.state.rollout(self.now).await?)
    }

    /// Puts an exception in force. It must fit: one clause of the policy, a situation inside the clause's, a limited
    /// time; and whatever the policy asserts must hold with it in force.
    ///
    /// # Errors
    /// If it does not fit, or ledger or database refuse.
    pub async fn grant(&self, new: &NewException, role: &str) -> Result<ExceptionGrant, Refused> {
        let grant = self.exception(new)?;
        let mut exceptions = self.exceptions().await?;
        exceptions.push(grant.clone());
        // One that does not fit would keep every later change from being taken over.
        let id = format!("exception `{}`", grant.id);
        let with = self.beside(exceptions, self.rollout().await?).map_err(|refused| match refused {
            // It has no id yet that anybody knows.
            Refused::Unusable(text) => Refused::Unusable(text.replace(&id, "the exception")),
            other => other,
        })?;
        self.proved(with).await?;
        self.state.grant_exception(&grant, role, self.ledger).await?;
        Ok(grant)
    }

    /// Proves the assertions of the policy with what would stand beside it. That takes a while, so it does not hold up
    /// what else is served.
    async fn proved(&self, with: Policy) -> Result<(), Refused> {
        let (world, now) = (self.world.clone(), self.now);
        let proof = tokio::task::spawn_blocking(move || prove(&with, &world, now)).await;
        let proof =
            proof.map_err(|_| unusable("the policy's assertions could not be proved; see the log".to_owned()))?;
        let proof = proof.map_err(|error| unusable(format!("the policy's assertions cannot be proved: {error}")))?;
        match proof.failing().find_map(Proved::failure) {
            Some(failure) => Err(unusable(format!("with this exception {failure}"))),
            None => Ok(()),
        }
    }

    /// Ends an exception before its time.
    ///
    /// # Errors
    /// If there is none in force, or ledger or database refuse.
    pub async fn withdraw(&self, id: ExceptionId, role: &str) -> Result<ExceptionGrant, Refused> {
        let grant = self.exceptions().await?.into_iter().find(|grant| grant.id == id);
        let grant = grant.ok_or_else(|| unusable(format!("there is no exception `{id}` in force or to come")))?;
        self.state.withdraw_exception(id, role, self.ledger).await?;
        Ok(grant)
    }

    /// The entry that a stage asks for. The policy takes it beside all others.
    ///
    /// # Errors
    /// If it does not fit, or the database refuses.
    pub async fn stage(&self, new: &NewStage) -> Result<Staged, Refused> {
        let raises = |rule: &writ_policy::rule::Rule| rule.clause == new.clause && rule.raises();
        if new.clause != POSTURE && !self.policy.model().rules.iter().any(raises) {
            self.policy.clause(&new.clause).ok_or_else(|| self.no_clause(&new.clause))?;
            let text = format!("clause `{}` demands nothing, so there is nothing to roll out", new.clause);
            return Err(Refused::Unusable(text));
        }
        let from = new.from.unwrap_or(self.now);
        self.dates(from, new.until)?;
        if new.until.since(from).as_secs() > ROLLOUT_DAYS * DAY.as_secs() {
            return Err(too_long(format!("it may hold for {ROLLOUT_DAYS} days at most")));
        }
        self.ring(&new.ring)?;
        let entry = RolloutEntry {
            id: RolloutId::new(self.now, self.randomness),
            clause: new.clause.clone(),
            ring: new.ring.clone(),
            step: new.step,
            from,
            until: new.until,
            approved_by: self.approver(&new.approved_by)?,
        };
        // One entry for each clause and ring: a second one would only hide which of them counts.
        let takes_place =
            |it: &RolloutEntry| Some(it.id) == new.replaces || (&it.clause, &it.ring) == (&entry.clause, &entry.ring);
        let (replaces, mut others): (Vec<_>, Vec<_>) = self.rollout().await?.into_iter().partition(takes_place);
        others.push(entry.clone());
        self.beside(self.exceptions().await?, others)?;
        Ok(Staged { entry, replaces })
    }

    /// Sets a stage: the new entry first, then those that it takes the place of go, so that the clause is never less in
    /// force than before or after.
    ///
    /// # Errors
    /// If ledger or database refuse.
    pub async fn set(&self, staged: &Staged, role: &str) -> Result<(), Refused> {
        self.state.set_rollout(&staged.entry, role, self.ledger).await?;
        for former in &staged.replaces {
            self.state.remove_rollout(former.id, role, self.ledger).await?;
        }
        Ok(())
    }

    fn exception(&self, new: &NewException) -> Result<ExceptionGrant, Refused> {
        if self.policy.clause(&new.clause).is_none() {
            return Err(self.no_clause(&new.clause));
        }
        for (what, text) in
            [("owner", &new.owner), ("reason", &new.reason), ("compensating control", &new.compensating_control)]
        {
            if text.trim().is_empty() {
                return Err(unusable(format!("an exception needs its {what}")));
            }
            if !SENTENCE.admits(text.len()) {
                return Err(unusable(format!("the {what} has more than {} bytes", SENTENCE.value())));
            }
        }
        let from = new.from.unwrap_or(self.now);
        self.exception_dates(from, new.until)?;
        if let Some(groups) = new.keys.get("group") {
            let listed = groups.strip_prefix("not ").unwrap_or(groups).split(',').map(str::trim);
            for group in listed.filter(|group| !group.is_empty()) {
                self.ring(&Ring::Group(Term::from(group)))?;
            }
        }
        Ok(ExceptionGrant {
            id: ExceptionId::new(self.now, self.randomness),
            clause: new.clause.clone(),
            keys: new.keys.clone(),
            owner: new.owner.trim().to_owned(),
            reason: new.reason.trim().to_owned(),
            compensating_control: new.compensating_control.trim().to_owned(),
            approved_by: self.approver(&new.approved_by)?,
            from,
            until: new.until,
        })
    }

    /// The policy with other things beside it.
    fn beside(&self, exceptions: Vec<ExceptionGrant>, rollout: Vec<RolloutEntry>) -> Result<Policy, Refused> {
        self.policy.with_standing(exceptions, rollout).map_err(|error| unusable(error.to_string()))
    }

    fn exception_dates(&self, from: Moment, until: Moment) -> Result<(), Refused> {
        self.dates(from, until)?;
        let (lasts, most) = (until.since(from), Longest::of(self.policy));
        if lasts > most.lasts {
            let days = lasts.as_secs().div_ceil(DAY.as_secs());
            return Err(too_long(format!("it would last {days} days; {most}")));
        }
        Ok(())
    }

    fn dates(&self, from: Moment, until: Moment) -> Result<(), Refused> {
        if until <= from || until <= self.now {
            return Err(unusable("it ends before it begins; give a later time".to_owned()));
        }
        Ok(())
    }

    /// A group that the policy does not name would never be anybody's.
    fn ring(&self, ring: &Ring) -> Result<(), Refused> {
        match ring {
            Ring::Everyone => Ok(()),
            Ring::Share(1..=10_000) => Ok(()),
            Ring::Share(_) => Err(unusable("a share is more than nothing and at most everybody".to_owned())),
            Ring::Group(group) => {
                let groups = &self.text.parsed.vocabulary.groups;
                if groups.contains(group) {
                    return Ok(());
                }
                Err(unusable(with_near(
                    format!("the policy names no group `{group}`"),
                    nearest(group, groups.iter().map(Term::as_str)),
                    groups,
                )))
            }
        }
    }

    fn no_clause(&self, clause: &Term) -> Refused {
        let ids: BTreeSet<Term> = self.policy.model().clauses.iter().map(|clause| clause.id.clone()).collect();
        let near = nearest(clause, ids.iter().map(Term::as_str));
        match near {
            Some(near) => unusable(format!("the policy has no clause `{clause}`; did you mean `{near}`?")),
            None => unusable(format!("the policy has no clause `{clause}`; ids stand after its headings as `{{#id}}`")),
        }
    }

    /// Who approved, in words: the role with whom the policy names for it.
    fn approver(&self, by: &Approver) -> Result<String, Refused> {
        let owners = &self.text.parsed.document.front.owners;
        let deputy = if by.deputy { "deputy of " } else { "" };
        if by.role == POLICY_OWNER {
            return Ok(format!("{deputy}{POLICY_OWNER}"));
        }
        if let Some(name) = owners.get(by.role.as_str()) {
            let name = if name.is_empty() { String::new() } else { format!(" ({name})") };
            return Ok(format!("{deputy}{}{name}", by.role));
        }
        let roles: BTreeSet<Term> = owners.keys().cloned().chain([Term::fixed(POLICY_OWNER)]).collect();
        let near = nearest(&by.role, roles.iter().map(Term::as_str));
        Err(unusable(with_near(format!("the policy names no owner `{}` who could approve", by.role), near, &roles)))
    }
}

/// The step of a clause for a ring: the strictest of its own entry and of the one for everyone; enforce without either.
pub fn step_of(entries: &[RolloutEntry], clause: &Term, ring: &Ring) -> Step {
    let counts =
        |entry: &&RolloutEntry| entry.clause == *clause && (entry.ring == *ring || entry.ring == Ring::Everyone);
    entries.iter().filter(counts).map(|entry| entry.step).max().unwrap_or(Step::Enforce)
}

/// The next step: one more, or one less.
pub fn neighbour(step: Step, more: bool) -> Option<Step> {
    let at = usize::from(step.index());
    let at = if more { at.checked_add(1) } else { at.checked_sub(1) };
    Step::ALL.get(at?).copied()
}

/// A ring in one word: `everyone`, `group:NAME`, `share:2000` (ten-thousandths).
pub fn ring_word(ring: &Ring) -> String {
    match ring {
        Ring::Everyone => "everyone".into(),
        Ring::Group(group) => format!("group:{group}"),
        Ring::Share(share) => format!("share:{share}"),
    }
}

/// The ring that a word names. A share may also be given in percent: `share:12.5%`.
pub fn ring_named(word: &str) -> Option<Ring> {
    if word == "everyone" {
        return Some(Ring::Everyone);
    }
    if let Some(group) = word.strip_prefix("group:").map(str::trim).filter(|group| !group.is_empty()) {
        return Some(Ring::Group(Term::from(group)));
    }
    let share = word.strip_prefix("share:")?;
    let share = match share.strip_suffix('%') {
        None => share.parse().ok()?,
        Some(percent) => {
            let (whole, part) = percent.trim().split_once('.').unwrap_or((percent.trim(), "0"));
            let hundredths: u16 = format!("{part:0<2}").parse().ok().filter(|_| part.len() <= 2)?;
            whole.parse::<u16>().ok()?.checked_mul(100)?.checked_add(hundredths)?
        }
    };
    (1..=10_000).contains(&share).then_some(Ring::Share(share))
}

fn with_near(text: String, near: Option<&str>, known: &BTreeSet<Term>) -> String {
    match near {
        Some(near) => format!("{text}; did you mean `{near}`?"),
        None if known.is_empty() => text,
        None => format!("{text}; there are {}", known.iter().map(Term::as_str).collect::<Vec<_>>().join(", ")),
    }
}

fn unusable(text: String) -> Refused {
    Refused::Unusable(text)
}

fn too_long(text: String) -> Refused {
    unusable(format!("{text}; what is to stay belongs into the policy"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rings_are_read_as_they_are_written() {
        for ring in [Ring::Everyone, Ring::Group(Term::from("pilot")), Ring::Share(1), Ring::Share(10_000)] {
            assert_eq!(ring_named(&ring_word(&ring)), Some(ring));
        }
        assert_eq!(ring_named("share:20%"), Some(Ring::Share(2000)));
        assert_eq!(ring_named("share:12.5%"), Some(Ring::Share(1250)));
        assert_eq!(ring_named("share:0.01%"), Some(Ring::Share(1)));
        for wrong in ["", "all", "group:", "share:0", "share:10001", "share:101%", "share:1.234%", "share:x", "share:%"]
        {
            assert_eq!(ring_named(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_ring_stands_where_everyone_stands_until_it_has_an_entry_of_its_own() {
        let entry = |ring: Ring, step: Step| RolloutEntry {
            id: RolloutId::from_bytes([0; 16]),
            clause: Term::from("payment"),
            ring,
            step,
            from: Moment::from_seconds(0),
            until: Moment::from_seconds(9),
            approved_by: String::new(),
        };
        let pilot = Ring::Group(Term::from("pilot"));
        let of = |entries: &[RolloutEntry], ring: &Ring| step_of(entries, &Term::from("payment"), ring);
        assert_eq!(of(&[], &pilot), Step::Enforce);
        let observed = entry(Ring::Everyone, Step::Observe);
        assert_eq!(of(std::slice::from_ref(&observed), &pilot), Step::Observe);
        let both = [observed, entry(pilot.clone(), Step::Coach)];
        assert_eq!((of(&both, &pilot), of(&both, &Ring::Everyone)), (Step::Coach, Step::Observe));
        assert_eq!(step_of(&both, &Term::from("matrix"), &pilot), Step::Enforce);
    }

    #[test]
    fn a_step_has_neighbours() {
        assert_eq!(neighbour(Step::Observe, true), Some(Step::Coach));
        assert_eq!(neighbour(Step::Observe, false), None);
        assert_eq!(neighbour(Step::Enforce, true), None);
    }
}
