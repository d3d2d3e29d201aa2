//! The inbox: objections and requests, each with owner, deputy and clock; answered with a reason.

use std::collections::BTreeMap;

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query, State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use writ_base::{Moment, Sensitive};
use writ_engine::Snapshot;
use writ_identity::Permission;
use writ_store::state::{Case, CaseFilter, CaseId, CaseKind};

use super::{Fact, Pick, Shared, clause_name, service_name};
use crate::Console;
use crate::frame::{Frame, Visit};
use crate::reply::{Failure, Reply, page as show, see};
use crate::standing::{Approver, DAY, NewException};
use crate::words;

/// The cases that the reader answers.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Inbox {
    /// The cases: open ones by their due time.
    pub(crate) cases: Vec<CaseRow>,
    #[serde(skip)]
    pub(crate) choices: Vec<Which>,
}

/// Which cases are shown.
#[derive(Clone, Debug)]
pub(crate) struct Which {
    pub(crate) href: &'static str,
    pub(crate) label: &'static str,
    pub(crate) current: bool,
}

/// A case in a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct CaseRow {
    /// Its id.
    pub(crate) id: String,
    /// What is wanted.
    pub(crate) kind: String,
    /// The code of the stop.
    pub(crate) reference: String,
    /// Clause and tool.
    pub(crate) about: String,
    /// Who asks, by pseudonym.
    pub(crate) pseudonym: String,
    /// When it was made.
    pub(crate) made: String,
    /// By when it is answered.
    pub(crate) due: String,
    /// Whether that has passed.
    pub(crate) late: bool,
    /// Who answers.
    pub(crate) owner: String,
    /// Who answers if the owner does not.
    pub(crate) deputy: String,
    /// Open, accepted, declined.
    pub(crate) state: String,
}

/// One case.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct CaseView {
    /// What the list says.
    pub(crate) case: CaseRow,
    /// More of it.
    pub(crate) facts: Vec<Fact>,
    /// The record of the stop.
    pub(crate) interaction: Option<String>,
    /// What the person wrote.
    pub(crate) message: Option<String>,
    /// Whether the person lets a reviewer see what was marked.
    pub(crate) marks: String,
    /// The answer, if there is one.
    pub(crate) answer: Vec<Fact>,
    /// Whether the reader may answer.
    pub(crate) may_answer: bool,
    /// Whether accepting grants an exception.
    pub(crate) exception: bool,
    /// For whom the exception could be.
    pub(crate) scopes: Vec<Pick>,
    #[serde(skip)]
    pub(crate) accept: &'static str,
    #[serde(skip)]
    pub(crate) decline: &'static str,
    #[serde(skip)]
    pub(crate) error: Option<String>,
}

/// An answer, as it is given.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
pub(crate) struct Answer {
    /// `yes` or `no`.
    pub(crate) accept: String,
    /// To the person.
    pub(crate) text: String,
    /// For an exception: for how many days.
    #[serde(default)]
    pub(crate) days: Option<u64>,
    /// For an exception: `service`, or `group:NAME`.
    #[serde(default)]
    pub(crate) scope: String,
    /// For an exception: what protects instead.
    #[serde(default)]
    pub(crate) control: String,
}

/// Which cases.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Wanted {
    #[serde(default)]
    pub(crate) state: String,
}

#[derive(Template)]
#[template(path = "inbox.html")]
struct InboxPage {
    frame: Frame,
    view: Inbox,
}

#[derive(Template)]
#[template(path = "case.html")]
struct CasePage {
    frame: Frame,
    view: CaseView,
}

/// `GET /inbox`
pub(crate) async fn page(State(console): Shared, visit: Visit, Query(wanted): Query<Wanted>) -> Reply {
    let view = read(&console, &visit, &wanted).await?;
    show(&InboxPage { frame: console.frame(&visit, "Inbox"), view })
}

/// Reads the cases of the kinds that the reader answers.
pub(crate) async fn read(console: &Console, visit: &Visit, wanted: &Wanted) -> Result<Inbox, Failure> {
    let answered = wanted.state == "answered";
    let kinds: Vec<CaseKind> = CaseKind::ALL.iter().copied().filter(|kind| visit.answers(*kind)).collect();
    let which = |href, label, current| Which { href, label, current };
    let choices = vec![which("/inbox", "Open", !answered), which("/inbox?state=answered", "Answered", answered)];
    if kinds.is_empty() {
        return Ok(Inbox { cases: Vec::new(), choices });
    }
    let filter = CaseFilter { kinds, open: Some(!answered), handler: None };
    let cases = console.parts.state.cases(&filter).await?;
    let (snapshot, now) = ((console.parts.snapshot)(), console.parts.clock.now());
    Ok(Inbox { cases: cases.iter().map(|case| row(&snapshot, case, now)).collect(), choices })
}

/// A case in a list.
pub(crate) fn row(snapshot: &Snapshot, case: &Case, now: Moment) -> CaseRow {
    let state = match &case.answer {
        None if case.due < now => "open, late",
        None => "open",
        Some(answer) if answer.accepted => "accepted",
        Some(_) => "declined",
    };
    let tool = service_name(&snapshot.catalog, &case.service);
    let about = case.clause.as_ref().map_or_else(
        || tool.clone(),
        |clause| format!("{} at {tool}", words::sentence(&clause_name(snapshot, clause))),
    );
    CaseRow {
        id: case.id.to_string(),
        kind: kind_name(case.kind).to_owned(),
        reference: case.reference.clone().unwrap_or_default(),
        about,
        pseudonym: case.pseudonym.clone().unwrap_or_else(|| "not kept".into()),
        made: words::time(case.made),
        due: format!("{} ({})", words::time(case.due), words::relative(case.due, now)),
        late: case.answer.is_none() && case.due < now,
        owner: case.owner.replace('-', " "),
        deputy: match case.deputy == case.owner {
            true => format!("another {}", case.deputy.replace('-', " ")),
            false => case.deputy.replace('-', " "),
        },
        state: state.to_owned(),
    }
}

/// What people call it.
pub(crate) const fn kind_name(kind: CaseKind) -> &'static str {
    match kind {
        CaseKind::Objection => "This was a mistake",
        CaseKind::ExceptionRequest => "Request for an exception",
        CaseKind::VettingRequest => "Request to check a tool",
    }
}

/// The case, if the reader answers its kind; one of another kind looks as if there were none.
async fn find(console: &Console, visit: &Visit, id: &str) -> Result<Case, Failure> {
    let id: CaseId = id.parse().map_err(|_| Failure::Missing)?;
    let case = console.parts.state.case(id).await?.ok_or(Failure::Missing)?;
    if visit.answers(case.kind) { Ok(case) } else { Err(Failure::Missing) }
}

/// `GET /inbox/{id}`
pub(crate) async fn case(State(console): Shared, visit: Visit, Path(id): Path<String>) -> Reply {
    let view = read_case(&console, &visit, &id).await?;
    show(&CasePage { frame: console.frame(&visit, "Case"), view })
}

/// Reads one case.
pub(crate) async fn read_case(console: &Console, visit: &Visit, id: &str) -> Result<CaseView, Failure> {
    let case = find(console, visit, id).await?;
    let (snapshot, now) = ((console.parts.snapshot)(), console.parts.clock.now());
    let tool = service_name(&snapshot.catalog, &case.service);
    let mut scopes = vec![Pick { value: "service".into(), label: format!("everyone, at {tool}"), selected: true }];
    let groups = (console.parts.policy)().parsed.vocabulary.groups.clone();
    scopes.extend(groups.iter().map(|group| Pick {
        value: format!("group:{group}"),
        label: format!("the group {group}, at {tool}"),
        selected: false,
    }));
    let answer = case.answer.as_ref().map(|answer| {
        vec![
            Fact::new("Answer", if answer.accepted { "accepted" } else { "declined" }),
            Fact::new("To the person", answer.text.expose().clone()),
            Fact::new("By", answer.by_role.replace('-', " ")),
            Fact::new("When", words::time(answer.at)),
        ]
    });
    let row = row(&snapshot, &case, now);
    let marks = if case.may_see_marks {
        "The person lets a reviewer see the marked words. They are not kept here: ask the person through the help desk."
    } else {
        "The person does not want a reviewer to see the marked words. They are not kept anywhere."
    };
    let (accept, decline) = match case.kind {
        CaseKind::Objection => ("You are right", "It was as the rule says"),
        CaseKind::ExceptionRequest => ("Grant the exception", "Decline"),
        CaseKind::VettingRequest => ("It will be checked", "Decline"),
    };
    Ok(CaseView {
        facts: vec![
            Fact::new("From", row.pseudonym.clone()),
            Fact::new("Made", row.made.clone()),
            Fact::new("Answer by", row.due.clone()),
            Fact::new("Owner, deputy", format!("{}, {}", row.owner, row.deputy)),
            Fact::new("Code", row.reference.clone()),
        ],
        interaction: case
            .interaction
            .filter(|_| visit.may(Permission::SeeDetail))
            .map(|interaction| format!("/interactions/{interaction}")),
        message: case.message.as_ref().map(|message| message.expose().clone()).filter(|text| !text.trim().is_empty()),
        marks: marks.to_owned(),
        answer: answer.unwrap_or_default(),
        may_answer: case.answer.is_none() && visit.may(Permission::AnswerInbox),
        exception: case.kind == CaseKind::ExceptionRequest && case.clause.is_some(),
        scopes,
        accept,
        decline,
        error: None,
        case: row,
    })
}

/// `POST /inbox/{id}`
pub(crate) async fn answer(
    State(console): Shared,
    visit: Visit,
    Path(id): Path<String>,
    Form(answer): Form<Answer>,
) -> Reply {
    match give(&console, &visit, &id, &answer).await {
        Ok(granted) => Ok(see(if granted { "/inbox?done=granted" } else { "/inbox?done=answered" })),
        Err(Failure::Unusable(error)) => {
            let mut view = read_case(&console, &visit, &id).await?;
            view.error = Some(error);
            show(&CasePage { frame: console.frame(&visit, "Case"), view })
        }
        Err(failure) => Err(failure),
    }
}

/// Answers a case; whether an exception was granted with it.
pub(crate) async fn give(console: &Console, visit: &Visit, id: &str, answer: &Answer) -> Result<bool, Failure> {
    let case = find(console, visit, id).await?;
    if case.answer.is_some() {
        return Err(Failure::Unusable("It has been answered already.".into()));
    }
    if answer.text.trim().is_empty() {
        return Err(Failure::Unusable("Say a sentence to the person.".into()));
    }
    let accepted = answer.accept == "yes";
    let role = visit.role(Permission::AnswerInbox).as_str();
    let granted = accepted && case.kind == CaseKind::ExceptionRequest && case.clause.is_some();
    if granted {
        let new = exception(console, &case, answer, role)?;
        let (snapshot, text) = ((console.parts.snapshot)(), (console.parts.policy)());
        console.desk(&snapshot, &text).grant(&new, role).await?;
        console.parts.changed.notify_one();
    }
    let text = Sensitive::new(answer.text.trim().to_owned());
    console.parts.state.answer_case(case.id, accepted, &text, role, &console.parts.ledger).await?;
    Ok(granted)
}

/// The exception that an answer grants.
fn exception(console: &Console, case: &Case, answer: &Answer, role: &str) -> Result<NewException, Failure> {
    let days = u32::try_from(answer.days.unwrap_or(14)).ok().filter(|days| *days > 0);
    let days = days.ok_or_else(|| Failure::Unusable("An exception holds for a day at least.".into()))?;
    let control = answer.control.trim();
    if control.is_empty() {
        return Err(Failure::Unusable("Say what protects instead.".into()));
    }
    let mut keys = BTreeMap::from([("service".to_owned(), case.service.to_string())]);
    if let Some(group) = answer.scope.strip_prefix("group:") {
        keys.insert("group".to_owned(), group.to_owned());
    }
    Ok(NewException {
        clause: case.clause.clone().ok_or(Failure::Missing)?,
        keys,
        owner: role.to_owned(),
        reason: format!("asked for in {}", case.id),
        compensating_control: control.to_owned(),
        approved_by: Approver::owner(role),
        from: None,
        until: console.parts.clock.now().after(DAY.saturating_mul(days)),
    })
}
