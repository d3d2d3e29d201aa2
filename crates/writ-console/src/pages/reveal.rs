//! Lifting a pseudonym: asked for with a purpose, agreed to by two holders with their shares, shown once.

use std::time::Duration;

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query, State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use writ_base::Sensitive;
use writ_identity::Permission;
use writ_store::personal::Share;
use writ_store::state::{AskReveal, Reveal, RevealId, RevealState};

use super::{Fact, Shared};
use crate::Console;
use crate::frame::{Frame, Visit};
use crate::reply::{Failure, Reply, page as show, see};
use crate::words;

/// The requests.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Reveals {
    /// From the newest.
    pub(crate) reveals: Vec<RevealRow>,
    /// Whether the reader may ask.
    pub(crate) may_ask: bool,
    #[serde(skip)]
    pub(crate) pseudonym: String,
    #[serde(skip)]
    pub(crate) error: Option<String>,
}

/// A request.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct RevealRow {
    /// Its id.
    pub(crate) id: String,
    /// Whose.
    pub(crate) pseudonym: String,
    /// What for.
    pub(crate) purpose: String,
    /// When.
    pub(crate) asked: String,
    /// How many holders have agreed.
    pub(crate) agreed: String,
    /// Where it stands.
    pub(crate) state: String,
}

/// One request.
#[derive(Clone, Debug)]
struct RevealView {
    reveal: RevealRow,
    facts: Vec<Fact>,
    may_approve: bool,
    may_open: bool,
    next: String,
    error: Option<String>,
}

/// A request, as it is made.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
pub(crate) struct Ask {
    /// Whose.
    #[serde(default)]
    pub(crate) pseudonym: String,
    /// What for; the person will read it.
    #[serde(default)]
    pub(crate) purpose: String,
}

/// A holder's share.
#[derive(Deserialize)]
pub(crate) struct ShareForm {
    share: String,
}

#[derive(Template)]
#[template(path = "reveals.html")]
struct RevealsPage {
    frame: Frame,
    view: Reveals,
}

#[derive(Template)]
#[template(path = "reveal.html")]
struct RevealPage {
    frame: Frame,
    view: RevealView,
    shown: Option<String>,
}

/// How long a request can be agreed to and opened.
const VALID: Duration = Duration::from_secs(72 * 3600);

/// `GET /reveal`
pub(crate) async fn page(State(console): Shared, visit: Visit, Query(ask): Query<Ask>) -> Reply {
    let mut view = read(&console, &visit).await?;
    view.pseudonym = ask.pseudonym;
    show(&RevealsPage { frame: console.frame(&visit, "Lift a pseudonym"), view })
}

/// Reads the requests.
pub(crate) async fn read(console: &Console, visit: &Visit) -> Result<Reveals, Failure> {
    let reveals = console.parts.state.reveals().await?;
    Ok(Reveals {
        reveals: reveals.iter().map(|reveal| row(console, reveal)).collect(),
        may_ask: visit.may(Permission::AskReveal),
        pseudonym: String::new(),
        error: None,
    })
}

/// A request in a list.
pub(crate) fn row(console: &Console, reveal: &Reveal) -> RevealRow {
    RevealRow {
        id: reveal.id.to_string(),
        pseudonym: reveal.pseudonym.clone(),
        purpose: reveal.purpose.expose().clone(),
        asked: words::time(reveal.asked_at),
        agreed: format!("{} of 2", reveal.approvals.len()),
        state: state_said(console, reveal),
    }
}

fn state_said(console: &Console, reveal: &Reveal) -> String {
    let now = console.parts.clock.now();
    match reveal.state(now) {
        RevealState::Asked => format!("waits for the holders, ends {}", words::relative(reveal.expires, now)),
        RevealState::Approved => format!("two holders have agreed, ends {}", words::relative(reveal.expires, now)),
        RevealState::Opened => {
            format!("the name was shown on {}", reveal.opened.map(words::time).unwrap_or_default())
        }
        RevealState::Expired => "ended without being opened".into(),
    }
}

/// `POST /reveal`
pub(crate) async fn ask(State(console): Shared, visit: Visit, Form(form): Form<Ask>) -> Reply {
    match request(&console, &visit, &form).await {
        Ok(id) => Ok(see(&format!("/reveal/{id}?done=asked"))),
        Err(Failure::Unusable(error)) => {
            let mut view = read(&console, &visit).await?;
            view.pseudonym = form.pseudonym;
            view.error = Some(error);
            show(&RevealsPage { frame: console.frame(&visit, "Lift a pseudonym"), view })
        }
        Err(failure) => Err(failure),
    }
}

/// Asks.
pub(crate) async fn request(console: &Console, visit: &Visit, form: &Ask) -> Result<RevealId, Failure> {
    if form.purpose.trim().chars().count() < 10 {
        return Err(Failure::Unusable("Say what it is for, in a sentence that the person will read.".into()));
    }
    let purpose = Sensitive::new(form.purpose.trim().to_owned());
    let ask = AskReveal { pseudonym: form.pseudonym.trim(), purpose: &purpose, asked_by: visit.account, valid: VALID };
    let role = visit.role(Permission::AskReveal).as_str();
    Ok(console.parts.state.ask_reveal(&ask, role, &console.parts.ledger).await?)
}

async fn view(console: &Console, visit: &Visit, id: &str, error: Option<String>) -> Result<RevealView, Failure> {
    let id: RevealId = id.parse().map_err(|_| Failure::Missing)?;
    let reveal = console.parts.state.reveal(id).await?.ok_or(Failure::Missing)?;
    let state = reveal.state(console.parts.clock.now());
    let agreed = reveal.approvals.iter().any(|(account, _)| *account == visit.account);
    let open = matches!(state, RevealState::Asked | RevealState::Approved);
    let who = |account: writ_store::state::AccountId| {
        if account == visit.account { format!("{account} (you)") } else { account.to_string() }
    };
    let mut facts = vec![
        Fact::new("Purpose", reveal.purpose.expose().clone()),
        Fact::new("Asked by", who(reveal.asked_by)),
        Fact::new("Asked", words::time(reveal.asked_at)),
    ];
    facts.extend(
        reveal
            .approvals
            .iter()
            .map(|(account, at)| Fact::new("Agreed", format!("{}, {}", who(*account), words::time(*at)))),
    );
    facts.push(Fact::new("State", state_said(console, &reveal)));
    let next = if agreed {
        "You have agreed. After a restart of the server both holders give their share again."
    } else {
        "The share stays in memory until the request is opened or ends. It is not stored. Two different accounts with two different shares are needed."
    };
    Ok(RevealView {
        facts,
        may_approve: open && visit.may(Permission::ApproveReveal),
        may_open: state == RevealState::Approved && reveal.asked_by == visit.account,
        next: next.to_owned(),
        error,
        reveal: row(console, &reveal),
    })
}

/// `GET /reveal/{id}`
pub(crate) async fn one(State(console): Shared, visit: Visit, Path(id): Path<String>) -> Reply {
    let view = view(&console, &visit, &id, None).await?;
    show(&RevealPage { frame: console.frame(&visit, "Lift a pseudonym"), view, shown: None })
}

/// `POST /reveal/{id}`
pub(crate) async fn approve(
    State(console): Shared,
    visit: Visit,
    Path(id): Path<String>,
    Form(form): Form<ShareForm>,
) -> Reply {
    let reveal: RevealId = id.parse().map_err(|_| Failure::Missing)?;
    let role = visit.role(Permission::ApproveReveal).as_str();
    let given: Result<(), Failure> = match form.share.trim().parse::<Share>() {
        Ok(share) => console
            .parts
            .state
            .approve_reveal(reveal, visit.account, &share, role, &console.parts.ledger)
            .await
            .map_err(Failure::from),
        Err(error) => Err(Failure::Unusable(format!("{}.", words::sentence(&error.to_string())))),
    };
    match given {
        Ok(()) => Ok(see(&format!("/reveal/{id}?done=agreed"))),
        Err(Failure::Unusable(error)) => {
            let view = view(&console, &visit, &id, Some(error)).await?;
            show(&RevealPage { frame: console.frame(&visit, "Lift a pseudonym"), view, shown: None })
        }
        Err(failure) => Err(failure),
    }
}

/// `POST /reveal/{id}/open`: the name, once, to whoever asked.
pub(crate) async fn open(State(console): Shared, visit: Visit, Path(id): Path<String>) -> Reply {
    let reveal: RevealId = id.parse().map_err(|_| Failure::Missing)?;
    let opened = console.parts.state.open_reveal(reveal, visit.account, &console.parts.ledger).await;
    let (shown, error) = match opened.map_err(Failure::from) {
        Ok(name) => (Some(name.into_exposed()), None),
        Err(Failure::Unusable(error)) => (None, Some(error)),
        Err(failure) => return Err(failure),
    };
    let view = view(&console, &visit, &id, error).await?;
    show(&RevealPage { frame: console.frame(&visit, "Lift a pseudonym"), view, shown })
}

/// `GET /reveal/{id}/open`: the page on which a name was shown, asked for anew. What was shown once stays so.
pub(crate) async fn opened(State(console): Shared, visit: Visit, Path(id): Path<String>) -> Reply {
    let said = "The name is shown once, when its button is pressed. It is not shown again.";
    let view = view(&console, &visit, &id, Some(said.to_owned())).await?;
    show(&RevealPage { frame: console.frame(&visit, "Lift a pseudonym"), view, shown: None })
}
