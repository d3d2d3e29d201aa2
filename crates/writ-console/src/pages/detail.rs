//! One interaction: facts in words, findings by class, clauses, both verdicts, which rules held, hashes.

use std::collections::BTreeSet;

use askama::Template;
use axum::extract::{Path, State};
use serde::Serialize;
use utoipa::ToSchema;
use writ_base::Moment;
use writ_engine::Snapshot;
use writ_engine::why::{Under, View};
use writ_model::interaction::InteractionId;
use writ_model::record::{DecisionPersonal, DecisionSkeleton};
use writ_model::verdict::Cause;
use writ_model::{Certainty, Direction, Effect};
use writ_policy::eval::{AppliedRule, HeldKey};
use writ_policy::eval::{Policy, explain};
use writ_store::index::Row;
use writ_store::ledger::Entry;

use super::policy::hashes;
use super::{Fact, Shared, clause, clause_name, service_name};
use crate::Console;
use writ_identity::{Permission, allows};
use writ_store::state::NewLook;

use crate::frame::{Frame, Visit};
use crate::reply::{Failure, Reply, broken, page as show};
use crate::words;

/// One interaction.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Detail {
    /// Its id.
    pub(crate) interaction: String,
    /// In one line.
    pub(crate) summary: String,
    /// Its prompt, and its answer if that was judged.
    pub(crate) sides: Vec<Side>,
    /// How it ended.
    pub(crate) record: Vec<Fact>,
    /// What the verdict rests on.
    pub(crate) hashes: Vec<Fact>,
}

/// The prompt or the answer.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Side {
    /// `Prompt` or `Answer`.
    pub(crate) title: String,
    /// `allow`, `coach`, `redact`, `justify`, `block`.
    pub(crate) effect: String,
    /// What happened.
    pub(crate) happened: String,
    /// Who, where, with what; in words.
    pub(crate) facts: Vec<Fact>,
    /// What was found.
    pub(crate) findings: Vec<Finding>,
    /// What is said where nothing was found.
    pub(crate) nothing: String,
    /// What was noticed.
    pub(crate) signals: Vec<String>,
    /// The clauses that decided.
    pub(crate) clauses: Vec<Deciding>,
    /// The verdict without roll-out, where it differs.
    pub(crate) full: Option<String>,
    /// Which rules held, where the facts can be opened.
    pub(crate) explained: Option<Explained>,
}

/// A class that was found.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Finding {
    /// Which.
    pub(crate) class: String,
    /// How many.
    pub(crate) band: String,
    /// How sure.
    pub(crate) certainty: String,
    /// Whether it was removed.
    pub(crate) redacted: bool,
}

/// A clause that decided.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Deciding {
    /// Number and heading.
    pub(crate) name: String,
    /// Where it stands.
    pub(crate) href: Option<String>,
    /// The reason that it gives.
    pub(crate) why: String,
    /// The class of its effect.
    pub(crate) effect: String,
    /// What it demands.
    pub(crate) demands: String,
}

/// Which rules held.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Explained {
    /// What foresees it, or what the posture gives.
    pub(crate) foreseen: Option<String>,
    /// The rules that raise and whose keys hold.
    pub(crate) rules: Vec<HeldRule>,
    /// What exceptions and the roll-out changed.
    pub(crate) standing: Vec<String>,
    /// The smallest changes that would lead to another verdict.
    pub(crate) ways: Vec<String>,
    /// What is left out.
    pub(crate) note: String,
}

/// A rule that held.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct HeldRule {
    /// Clause and number.
    pub(crate) name: String,
    /// An exception, or content that could not be read.
    pub(crate) note: Option<String>,
    /// Its keys with what made them hold.
    pub(crate) keys: Vec<String>,
}

#[derive(Template)]
#[template(path = "detail.html")]
struct DetailPage {
    frame: Frame,
    view: Detail,
}

/// Keys whose values together could tell who somebody is: shown to the person only.
const ABOUT_THE_PERSON: [&str; 6] = ["group", "entity", "person-region", "device", "training", "attestation"];

/// `GET /interactions/{id}`
pub(crate) async fn page(State(console): Shared, visit: Visit, Path(id): Path<String>) -> Reply {
    let view = read_as(&console, &id, &visit).await?;
    show(&DetailPage { frame: console.frame(&visit, "Interaction"), view })
}

/// Reads an interaction for somebody who reviews. That they look is kept first, for the person's own page.
///
/// # Errors
/// If it cannot be kept: then nothing is shown.
pub(crate) async fn read_as(console: &Console, id: &str, visit: &Visit) -> Result<Detail, Failure> {
    let interaction: InteractionId = id.parse().map_err(|_| Failure::Missing)?;
    let rows = console.parts.index.by_interaction(interaction).await?;
    let role = visit.roles.iter().copied().find(|role| allows(*role, Permission::SeeDetail));
    if let (Some(pseudonym), Some(role)) = (rows.iter().find_map(|row| row.person.as_deref()), role) {
        let look = NewLook { account: visit.account, role: role.as_str(), pseudonym, interaction };
        console.parts.state.looked(&look, &console.parts.ledger).await?;
    }
    read_rows(console, interaction, rows, None).await
}

/// `GET /me/{id}`: one of one's own; anybody else's looks as if there were none.
pub(crate) async fn own(State(console): Shared, visit: Visit, Path(id): Path<String>) -> Reply {
    let view = read(&console, &id, Some(&visit)).await?;
    show(&DetailPage { frame: console.frame(&visit, "Interaction"), view })
}

/// Reads an interaction; for its person, if one is given, and then only if it is theirs.
pub(crate) async fn read(console: &Console, id: &str, person: Option<&Visit>) -> Result<Detail, Failure> {
    let id: InteractionId = id.parse().map_err(|_| Failure::Missing)?;
    let rows = console.parts.index.by_interaction(id).await?;
    read_rows(console, id, rows, person).await
}

/// The interaction of these rows of the index.
async fn read_rows(
    console: &Console,
    id: InteractionId,
    rows: Vec<Row>,
    person: Option<&Visit>,
) -> Result<Detail, Failure> {
    let first = rows.first().ok_or(Failure::Missing)?.clone();
    let snapshot = (console.parts.snapshot)();
    let mut sides = Vec::new();
    let mut what_it_rests_on = None;
    for row in &rows {
        let Some((entry, skeleton)) = entry_of(console, row.sequence).await? else { continue };
        let personal = personal(console, &entry).await?;
        if let Some(person) = person
            && personal.as_ref().is_none_or(|personal| personal.principal != person.principal)
        {
            return Err(Failure::Missing);
        }
        let then = policy_then(console, &snapshot, &skeleton).await?;
        let mut side = side(&snapshot, row, &skeleton, personal.as_ref(), person.is_some());
        side.explained = then.zip(personal.as_ref()).map(|(policy, personal)| {
            let under = Under { policy: &policy, catalog: &snapshot.catalog };
            explained(&snapshot, under, personal, person.is_some())
        });
        sides.push(side);
        what_it_rests_on = Some(skeleton);
    }
    let skeleton = what_it_rests_on.ok_or(Failure::Missing)?;
    let same = skeleton.snapshot.policy == snapshot.policy.text_hash();
    let mut rests = if skeleton.snapshot == snapshot.hashes() { hashes(&snapshot) } else { old_hashes(&skeleton) };
    if !same {
        rests.insert(0, Fact::new("Policy", "another version than the one that runs now"));
    }
    Ok(Detail {
        interaction: id.to_string(),
        summary: format!(
            "{} at {}, {}",
            words::outcome(first.enforced, skeleton.classes.iter().any(|class| class.redacted)).1,
            service_name(&snapshot.catalog, &skeleton.service),
            words::time(first.time)
        ),
        sides,
        record: ending(&first, &skeleton),
        hashes: rests,
    })
}

/// The policy that decided a record: the one that runs, or one compiled again from what was kept.
async fn policy_then(
    console: &Console,
    now: &Snapshot,
    skeleton: &DecisionSkeleton,
) -> Result<Option<Policy>, Failure> {
    let (then, hashes) = (skeleton.snapshot, now.hashes());
    if (then.policy, then.rows, then.standing) == (hashes.policy, hashes.rows, hashes.standing) {
        return Ok(Some(now.policy.clone()));
    }
    Ok(crate::kept::policy(&console.parts.state, then).await?.ok())
}

/// The skeleton of the decision with this sequence.
pub(crate) async fn skeleton(console: &Console, sequence: u64) -> Result<Option<DecisionSkeleton>, Failure> {
    Ok(entry_of(console, sequence).await?.map(|(_, skeleton)| skeleton))
}

/// The decision with this sequence, and its personal part if that can be opened.
pub(crate) async fn decision(
    console: &Console,
    sequence: u64,
) -> Result<Option<(DecisionSkeleton, Option<DecisionPersonal>)>, Failure> {
    let Some((entry, skeleton)) = entry_of(console, sequence).await? else { return Ok(None) };
    let personal = personal(console, &entry).await?;
    Ok(Some((skeleton, personal)))
}

async fn entry_of(console: &Console, sequence: u64) -> Result<Option<(Entry, DecisionSkeleton)>, Failure> {
    // A segment is read from its head: that takes a while, and must not hold up what else is served.
    let ledger = console.parts.ledger.clone();
    let read = tokio::task::spawn_blocking(move || ledger.entry(sequence)).await.map_err(|error| broken(&error))?;
    let Some(entry) = read? else { return Ok(None) };
    let skeleton = serde_json::from_slice(&entry.skeleton).map_err(|error| broken(&error))?;
    Ok(Some((entry, skeleton)))
}

async fn personal(console: &Console, entry: &Entry) -> Result<Option<DecisionPersonal>, Failure> {
    let Some(plain) = console.parts.state.open_personal(entry).await? else { return Ok(None) };
    // Written by a later version or an earlier one: the skeleton still tells the rest.
    Ok(serde_json::from_slice(plain.expose()).ok())
}

fn ending(row: &Row, skeleton: &DecisionSkeleton) -> Vec<Fact> {
    let mut facts =
        vec![Fact::new("Decided", words::time(row.time)), Fact::new("Decided at", skeleton.decided_at.clone())];
    match &row.outcome {
        Some(outcome) => {
            facts.push(Fact::new("Ended", words::sentence(words::ending(&outcome.ending))));
            facts.extend(outcome.status.map(|status| Fact::new("The service's status", status.to_string())));
            facts.push(Fact::new("Left", words::bytes(outcome.bytes_up)));
            facts.push(Fact::new("Came back", words::bytes(outcome.bytes_down)));
            facts.push(Fact::new("Took", format!("{} ms", outcome.duration_ms)));
            if outcome.judged_us > 0 {
                facts.push(Fact::new("Writ's own time", words::micros(outcome.judged_us)));
            }
        }
        None => facts.push(Fact::new("Ended", "still under way")),
    }
    facts.push(Fact::new("Entry of the ledger", row.sequence.to_string()));
    facts.extend(skeleton.reference.clone().map(|code| Fact::new("Code", code)));
    facts
}

fn old_hashes(skeleton: &DecisionSkeleton) -> Vec<Fact> {
    let hashes = skeleton.snapshot;
    let named = [
        ("Text (what is signed)", hashes.policy),
        ("Rows (what is run)", hashes.rows),
        ("Roll-out and exceptions", hashes.standing),
        ("Catalog of tools", hashes.catalog),
        ("Detectors", hashes.detection),
    ];
    named.into_iter().map(|(label, hash)| Fact::new(label, hash.to_string())).collect()
}

fn side(
    snapshot: &Snapshot,
    row: &Row,
    skeleton: &DecisionSkeleton,
    personal: Option<&DecisionPersonal>,
    own: bool,
) -> Side {
    let redacted = skeleton.classes.iter().any(|class| class.redacted);
    let (effect, happened) = words::outcome(skeleton.enforced, redacted);
    let title = if skeleton.direction == Direction::Answer { "Answer" } else { "Prompt" };
    let mut signals: Vec<String> =
        skeleton.signals.iter().map(|signal| format!("{signal}: {}", signal_doc(*signal))).collect();
    signals.extend(skeleton.unreadable.iter().map(|why| format!("could not be read: {why}")));
    let nothing = match skeleton.unread {
        Some(reason) => words::unread(unread_word(reason)).to_owned(),
        None if !skeleton.read_in_full => "Nothing in what was read. Not everything could be read.".into(),
        None => "Nothing that a rule names.".into(),
    };
    Side {
        title: title.to_owned(),
        effect: effect.to_owned(),
        happened: happened.to_owned(),
        facts: facts(snapshot, row, skeleton, personal.filter(|_| own)),
        findings: skeleton
            .classes
            .iter()
            .map(|class| Finding {
                class: words::class(&class.class),
                band: words::band(class.band.as_str()).to_owned(),
                certainty: if class.certainty == Certainty::Certain { "certain" } else { "likely" }.to_owned(),
                redacted: class.redacted,
            })
            .collect(),
        nothing,
        signals,
        clauses: skeleton.decided.iter().map(|cause| deciding(snapshot, cause)).collect(),
        full: full(snapshot, skeleton),
        explained: None,
    }
}

fn signal_doc(signal: writ_model::Signal) -> &'static str {
    use writ_model::Value as _;
    writ_model::Signal::SPECS.get(usize::from(signal.index())).map_or("", |spec| spec.doc)
}

fn unread_word(reason: writ_model::UnreadReason) -> &'static str {
    match reason {
        writ_model::UnreadReason::ProtectedPerson => "protected-person",
        writ_model::UnreadReason::PersonalAccount => "personal-account",
    }
}

fn facts(snapshot: &Snapshot, row: &Row, skeleton: &DecisionSkeleton, own: Option<&DecisionPersonal>) -> Vec<Fact> {
    let mut facts = vec![
        Fact::new("What was done", words::action(skeleton.action.as_str())),
        Fact::new("Tool", service_name(&snapshot.catalog, &skeleton.service)),
        Fact::new("Status then", format!("{}, plan {}", skeleton.status, skeleton.tier)),
        Fact::new("Account there", words::account(skeleton.account.as_str())),
        Fact::new("Who", words::sentence(words::who(skeleton.who.as_str()))),
        Fact::new("How sure of that", words::sentence(words::identity(skeleton.identity.as_str()))),
        Fact::new("With", words::sentence(words::channel(skeleton.channel.as_str()))),
        Fact::new("Pseudonym", row.person.clone().unwrap_or_else(|| "not attributed to a person".into())),
        Fact::new(
            "Read",
            if skeleton.unread.is_some() {
                "no"
            } else if skeleton.read_in_full {
                "in full"
            } else {
                "in part"
            },
        ),
    ];
    facts.extend(skeleton.format.map(|format| Fact::new("Format", format.to_string())));
    if let Some(own) = own {
        facts.extend(own.host.clone().map(|host| Fact::new("Host", host)));
        facts.extend(own.model.clone().map(|model| Fact::new("Model", model)));
        facts.extend(own.client.clone().map(|client| Fact::new("Client", client)));
        facts.extend(own.address.clone().map(|address| Fact::new("Your address", address)));
        facts.extend(own.justification.clone().map(|reason| Fact::new("The reason you gave", reason)));
    }
    facts
}

fn deciding(snapshot: &Snapshot, cause: &Cause) -> Deciding {
    let quoted = clause(snapshot, &cause.clause, cause.rule);
    let redacts: Vec<String> = cause.redact.iter().map(|class| words::class(class).to_lowercase()).collect();
    let (effect, demands) = match (cause.effect, redacts.is_empty()) {
        (Effect::Allow, false) => ("redact", format!("Without {}", redacts.join(", "))),
        (effect, true) => (effect.as_str(), words::effect(effect).to_owned()),
        (effect, false) => (effect.as_str(), format!("{}, without {}", words::effect(effect), redacts.join(", "))),
    };
    Deciding {
        name: words::sentence(&quoted.name),
        href: quoted.href,
        why: quoted.why,
        effect: effect.to_owned(),
        demands,
    }
}

fn full(snapshot: &Snapshot, skeleton: &DecisionSkeleton) -> Option<String> {
    if skeleton.full == skeleton.enforced && skeleton.decided_full.is_empty() {
        return None;
    }
    let clauses: BTreeSet<String> =
        skeleton.decided_full.iter().map(|cause| clause_name(snapshot, &cause.clause)).collect();
    let clauses: Vec<String> = clauses.into_iter().collect();
    let by = if clauses.is_empty() { String::new() } else { format!(", by {}", clauses.join("; ")) };
    Some(format!("Without the roll-out it would have been: {}{by}.", words::effect(skeleton.full).to_lowercase()))
}

/// The explanation, from the facts as they were recorded, with the policy that decided.
fn explained(snapshot: &Snapshot, under: Under<'_>, personal: &DecisionPersonal, own: bool) -> Explained {
    let explanation = explain(under.policy, &personal.facts);
    let why = under.why(&personal.facts, if own { View::Everything } else { View::WithoutPerson });
    Explained {
        foreseen: Some(why.base),
        rules: explanation.applied.iter().map(|rule| held_rule(snapshot, rule, own)).collect(),
        standing: why.exceptions.into_iter().chain(why.rollout).collect(),
        ways: why.ways.into_iter().map(|way| way.said).collect(),
        note: if own {
            "From the facts as they were recorded, judged again now.".into()
        } else {
            "From the facts as they were recorded, judged again now. What could tell who it is, is left out.".into()
        },
    }
}

fn held_rule(snapshot: &Snapshot, rule: &AppliedRule, own: bool) -> HeldRule {
    let note = match (rule.unread, rule.excepted_by.is_empty()) {
        (_, false) => Some("an exception keeps it from having an effect".to_owned()),
        (true, true) => Some("content could not be read".to_owned()),
        (false, true) => None,
    };
    HeldRule {
        name: format!("{}, rule {}", words::sentence(&clause_name(snapshot, &rule.clause)), rule.rule),
        note,
        keys: rule.keys.iter().map(|key| held_key(key, own)).collect(),
    }
}

fn held_key(key: &HeldKey, own: bool) -> String {
    let (not, listed) = (if key.not { "not " } else { "" }, key.listed.join(", "));
    if !own && ABOUT_THE_PERSON.contains(&key.key) {
        return format!("{}: it held", key.key);
    }
    format!(
        "{}: {not}{listed} (here: {})",
        key.key,
        if key.found.is_empty() { "nothing".to_owned() } else { key.found.join(", ") }
    )
}

/// When an interaction happened, as the record says; used by one's own page.
pub(crate) fn at(moment: Moment) -> (String, String) {
    (words::machine(moment), words::time(moment))
}
