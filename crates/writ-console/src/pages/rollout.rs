//! Roll-out: from when and for whom a clause bites. Dated objects; the signed text does not change.

use std::collections::BTreeSet;

use askama::Template;
use axum::Form;
use axum::extract::{Query, State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use writ_identity::Permission;
use writ_model::Term;
use writ_model::standing::{POSTURE, Ring, RolloutEntry};
use writ_model::values::{Step, Value as _};

use super::policy::clause_options;
use super::studio::clauses;
use super::studio::workshop::Of;
use super::{Fact, Pick, Shared, clause_name};
use crate::Console;
use crate::frame::{Frame, Visit};
use crate::reply::{Failure, Reply, encode, page as show, see};
use crate::standing::{Approver, DAY, NewStage, ROLLOUT_DAYS, Staged, neighbour, ring_named, ring_word};
use crate::words;

/// The roll-out.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Rollout {
    /// The entries that have not ended.
    pub(crate) entries: Vec<Stage>,
    /// Whether the reader may change it.
    pub(crate) may_change: bool,
    /// The clauses that can be staged.
    pub(crate) clauses: Vec<Pick>,
    /// For whom.
    pub(crate) rings: Vec<Pick>,
    /// What was wrong with the last request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
    /// The clause in the studio from which the reader came.
    #[serde(skip)]
    pub(crate) from: Option<(String, String)>,
}

/// Which clause is meant, where a page leads here for one.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Meant {
    pub(crate) clause: String,
}

/// The stage of a clause for a ring.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Stage {
    /// The entry.
    pub(crate) id: String,
    /// The clause, by id.
    pub(crate) clause: String,
    /// The clause, by number and heading.
    pub(crate) clause_name: String,
    /// For whom: `everyone`, `group:NAME`, `share:2000` (ten-thousandths).
    pub(crate) ring: String,
    /// For whom, in words.
    pub(crate) ring_name: String,
    /// `observe`, `coach`, `enforce`.
    pub(crate) step: String,
    /// From when.
    pub(crate) from: String,
    /// Until when; then it is enforced as written.
    pub(crate) until: String,
    /// By which role.
    pub(crate) approved_by: String,
    /// The clause in the studio.
    #[serde(skip)]
    pub(crate) href: Option<String>,
    /// One step less.
    pub(crate) back: Option<String>,
    /// One step more.
    pub(crate) advance: Option<String>,
}

/// A change of stage, as it is asked for.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
pub(crate) struct Change {
    /// The clause, by id, or `posture`.
    pub(crate) clause: String,
    /// `everyone`, `group:NAME`, `share:2000`.
    pub(crate) ring: String,
    /// `observe`, `coach`, `enforce`.
    pub(crate) step: String,
    /// For how many days: 1 to 730.
    pub(crate) days: u64,
    /// The entry that it takes the place of.
    #[serde(default)]
    pub(crate) replaces: String,
}

/// A change, ready to be looked at.
#[derive(Debug)]
struct Proposal {
    title: String,
    facts: Vec<Fact>,
    meaning: String,
    button: String,
    clause: String,
    ring: String,
    step: String,
    days: u64,
    replaces: String,
}

#[derive(Template)]
#[template(path = "rollout.html")]
struct RolloutPage {
    frame: Frame,
    view: Rollout,
}

#[derive(Template)]
#[template(path = "rollout_change.html")]
struct ChangePage {
    frame: Frame,
    view: Proposal,
}

/// Shares of people that the form offers, in ten-thousandths.
const SHARES: [u16; 6] = [100, 500, 1000, 2000, 5000, 8000];

/// `GET /rollout`
pub(crate) async fn page(State(console): Shared, visit: Visit, Query(meant): Query<Meant>) -> Reply {
    let view = read(&console, &visit, &meant).await?;
    show(&RolloutPage { frame: console.frame(&visit, "Roll-out"), view })
}

/// Reads it.
pub(crate) async fn read(console: &Console, visit: &Visit, meant: &Meant) -> Result<Rollout, Failure> {
    let snapshot = (console.parts.snapshot)();
    let studio = |id: &str| {
        let known = visit.may(Permission::UseStudio) && snapshot.policy.clause(id).is_some();
        known.then(|| clauses::address(id, Of::Running))
    };
    let now = console.parts.clock.now();
    let entries = console.parts.state.rollout(now).await?;
    let stage = |entry: &RolloutEntry| {
        let days = entry.until.since(now).as_secs().div_ceil(DAY.as_secs()).clamp(1, ROLLOUT_DAYS);
        let to = |step: Step| {
            let (clause, ring) = (encode(&entry.clause), encode(&ring_word(&entry.ring)));
            format!("/rollout/change?clause={clause}&ring={ring}&step={step}&days={days}&replaces={}", entry.id)
        };
        Stage {
            id: entry.id.to_string(),
            clause: entry.clause.to_string(),
            clause_name: words::sentence(&clause_name(&snapshot, &entry.clause)),
            ring: ring_word(&entry.ring),
            ring_name: entry.ring.to_string(),
            step: entry.step.to_string(),
            from: words::time(entry.from),
            until: words::day(entry.until),
            approved_by: entry.approved_by.clone(),
            href: studio(&entry.clause),
            back: neighbour(entry.step, false).map(to),
            advance: neighbour(entry.step, true).map(to),
        }
    };
    let mut picks: Vec<Pick> = vec![pick(POSTURE.as_str(), "Everything that no rule foresees")];
    picks.extend(staged(console).into_iter().map(|(id, title)| pick(&id, &title)));
    picks.iter_mut().for_each(|pick| pick.selected = pick.value == meant.clause);
    let mut rings = vec![pick("everyone", "everyone")];
    rings.extend(SHARES.iter().map(|share| pick(&format!("share:{share}"), &Ring::Share(*share).to_string())));
    let groups = (console.parts.policy)().parsed.vocabulary.groups.clone();
    rings.extend(groups.iter().map(|group| pick(&format!("group:{group}"), &format!("the group {group}"))));
    Ok(Rollout {
        entries: entries.iter().map(stage).collect(),
        may_change: visit.may(Permission::ChangeRollout),
        clauses: picks,
        rings,
        error: None,
        from: studio(&meant.clause).map(|href| (words::sentence(&clause_name(&snapshot, &meant.clause)), href)),
    })
}

/// The clauses with a rule that demands something.
fn staged(console: &Console) -> Vec<(Term, String)> {
    let snapshot = (console.parts.snapshot)();
    let raising: BTreeSet<&Term> =
        snapshot.policy.model().rules.iter().filter(|rule| rule.raises()).map(|rule| &rule.clause).collect();
    clause_options(&snapshot).into_iter().filter(|(id, _)| raising.contains(id)).collect()
}

fn pick(value: &str, label: &str) -> Pick {
    Pick { value: value.to_owned(), label: label.to_owned(), selected: false }
}

/// The stage that a change asks for.
fn asked(console: &Console, change: &Change, by: &str) -> Result<NewStage, Failure> {
    let unusable = |text: &str| Failure::Unusable(text.to_owned());
    let step = Step::named(&change.step).ok_or_else(|| unusable("A step is observe, coach or enforce."))?;
    let ring = ring_named(&change.ring).ok_or_else(|| unusable("There is no such group or share."))?;
    let days = u32::try_from(change.days).ok().filter(|days| *days > 0);
    let days = days.ok_or_else(|| unusable("It holds for 1 to 730 days."))?;
    Ok(NewStage {
        clause: Term::from(change.clause.as_str()),
        ring,
        step,
        from: None,
        until: console.parts.clock.now().after(DAY.saturating_mul(days)),
        approved_by: Approver::owner(by),
        replaces: change.replaces.parse().ok(),
    })
}

/// `GET /rollout/change`: what it would mean, before it is done.
pub(crate) async fn confirm(State(console): Shared, visit: Visit, Query(change): Query<Change>) -> Reply {
    let role = visit.role(Permission::ChangeRollout).as_str();
    let (snapshot, text) = ((console.parts.snapshot)(), (console.parts.policy)());
    let Staged { entry, replaces } = console.desk(&snapshot, &text).stage(&asked(&console, &change, role)?).await?;
    let meaning = match entry.step {
        Step::Observe => "What this clause demands is recorded and has no effect for these people.",
        Step::Coach => "What this clause would stop goes on with a note for these people.",
        Step::Enforce => "For these people the clause holds as written: what it stops is stopped.",
    };
    let view = Proposal {
        title: format!("{} for {}", words::sentence(entry.step.as_str()), entry.ring),
        facts: vec![
            Fact::new("Clause", words::sentence(&clause_name(&snapshot, &entry.clause))),
            Fact::new("For whom", entry.ring.to_string()),
            Fact::new("From", "now on"),
            Fact::new("Until", format!("{}; then as written", words::time(entry.until))),
            Fact::new("Approved by", role),
        ],
        meaning: meaning.to_owned(),
        button: format!("Set to {}", entry.step),
        clause: change.clause,
        ring: change.ring,
        step: change.step,
        days: change.days,
        replaces: replaces.first().map(|former| former.id.to_string()).unwrap_or_default(),
    };
    show(&ChangePage { frame: console.frame(&visit, "Roll-out"), view })
}

/// `POST /rollout`
pub(crate) async fn change(State(console): Shared, visit: Visit, Form(change): Form<Change>) -> Reply {
    set(&console, &visit, &change).await?;
    Ok(see("/rollout?done=rollout"))
}

/// Sets a stage, and has it taken over at once.
pub(crate) async fn set(console: &Console, visit: &Visit, change: &Change) -> Result<(), Failure> {
    let role = visit.role(Permission::ChangeRollout).as_str();
    let (snapshot, text) = ((console.parts.snapshot)(), (console.parts.policy)());
    let desk = console.desk(&snapshot, &text);
    let staged = desk.stage(&asked(console, change, role)?).await?;
    desk.set(&staged, role).await?;
    console.parts.changed.notify_one();
    Ok(())
}
