//! The JSON interface: the same data as the pages, under `/api/v1`. Fields are added, never changed.
//!
//! A token in `Authorization: Bearer` signs in, or a session's cookie; with the cookie, what changes something also sends
//! the form token in the header `x-writ-csrf`.

use axum::Json;
use axum::extract::{Path, Query, State};
use serde::Serialize;
use utoipa::ToSchema;

use crate::frame::Visit;
use crate::pages::studio::{Asked, answer, clause, clauses, diff, findings, text, whatif};
use crate::pages::{
    Shared, accounts as accounts_page, detail, inbox, live, lookup, overview as overview_page, policy as policy_page,
    record as record_page, reveal, rollout as rollout_page, system as system_page, tokens as tokens_page,
    tools as tools_page,
};
use crate::reply::{Reply, json};

/// Who is signed in.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct SessionView {
    /// The account.
    pub(crate) account: String,
    /// Its roles.
    pub(crate) roles: Vec<String>,
    /// What a request that changes something sends in the header `x-writ-csrf`; empty for a token, which needs none.
    pub(crate) csrf: String,
}

/// Something was done.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Done {
    /// What.
    pub(crate) done: String,
    /// The id of what was made, if something was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<String>,
}

impl Done {
    fn reply(done: &str, id: Option<String>) -> Reply {
        json(&Self { done: done.to_owned(), id })
    }
}

/// `GET /api/v1/openapi.json`
pub(crate) async fn document() -> Reply {
    json(&crate::openapi())
}

/// `GET /api/v1/session`
pub(crate) async fn session(visit: Visit) -> Reply {
    json(&SessionView {
        account: visit.account.to_string(),
        roles: visit.roles.iter().map(|role| role.as_str().to_owned()).collect(),
        csrf: visit.csrf,
    })
}

/// `GET /api/v1/overview`
pub(crate) async fn overview(State(console): Shared, Query(asked): Query<overview_page::Asked>) -> Reply {
    json(&overview_page::read(&console, asked.days).await?)
}

/// `GET /api/v1/records`
pub(crate) async fn records(State(console): Shared, Query(filters): Query<live::Filters>) -> Reply {
    json(&live::read(&console, &filters).await?)
}

/// `GET /api/v1/records/{id}`
pub(crate) async fn record(State(console): Shared, visit: Visit, Path(id): Path<String>) -> Reply {
    json(&detail::read_as(&console, &id, &visit).await?)
}

/// `GET /api/v1/tools`
pub(crate) async fn tools(State(console): Shared) -> Reply {
    json(&tools_page::read(&console).await?)
}

/// `GET /api/v1/policy`
pub(crate) async fn policy(State(console): Shared) -> Reply {
    json(&policy_page::read(&console).await?)
}

/// `GET /api/v1/rollout`
pub(crate) async fn rollout(State(console): Shared, visit: Visit) -> Reply {
    json(&rollout_page::read(&console, &visit, &rollout_page::Meant::default()).await?)
}

/// `POST /api/v1/rollout`
pub(crate) async fn set_rollout(
    State(console): Shared,
    visit: Visit,
    Json(change): Json<rollout_page::Change>,
) -> Reply {
    rollout_page::set(&console, &visit, &change).await?;
    Done::reply("rollout-set", None)
}

/// `GET /api/v1/studio/clauses`
pub(crate) async fn studio_clauses(State(console): Shared, visit: Visit, Query(asked): Query<Asked>) -> Reply {
    json(&clauses::read(&console, &visit, &asked).await?)
}

/// `GET /api/v1/studio/clauses/{id}`
pub(crate) async fn studio_clause(
    State(console): Shared,
    visit: Visit,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Reply {
    json(&clause::read(&console, &visit, &id, &asked).await?)
}

/// `GET /api/v1/studio/findings`
pub(crate) async fn studio_findings(State(console): Shared, visit: Visit, Query(asked): Query<Asked>) -> Reply {
    json(&findings::read(&console, &visit, &asked).await?)
}

/// `GET /api/v1/studio/answers`
pub(crate) async fn studio_answers(State(console): Shared, visit: Visit, Query(pairs): Query<whatif::Pairs>) -> Reply {
    let (judges, now) = (whatif::Judges::of(&console, &visit).await?, console.parts.clock.now());
    let situation = whatif::asked(&pairs, &judges, now);
    json(&answer::read(&console, &judges, &situation, now))
}

/// `POST /api/v1/studio/answers`
pub(crate) async fn studio_sample(State(console): Shared, visit: Visit, Json(sample): Json<whatif::Sample>) -> Reply {
    let (judges, situation, now) = whatif::read_sample(&console, &visit, sample).await?;
    let answers = answer::read(&console, &judges, &situation, now);
    json(&whatif::SampleRead { situation: situation.query(), answers })
}

/// `POST /api/v1/studio/check`
pub(crate) async fn studio_check(State(console): Shared, Json(given): Json<text::CheckText>) -> Reply {
    json(&text::check(&console, &given.text).await?)
}

/// `GET /api/v1/studio/draft`
pub(crate) async fn studio_draft(State(console): Shared, visit: Visit) -> Reply {
    json(&text::read(&console, &visit).await?)
}

/// `POST /api/v1/studio/draft`
pub(crate) async fn studio_keep(State(console): Shared, visit: Visit, Json(given): Json<text::KeepDraft>) -> Reply {
    let draft = text::keep(&console, &visit, &given).await?;
    Done::reply("draft-kept", Some(draft.hash.to_string()))
}

/// `POST /api/v1/studio/draft/discard`
pub(crate) async fn studio_discard(
    State(console): Shared,
    visit: Visit,
    Json(given): Json<text::DiscardDraft>,
) -> Reply {
    text::discard(&console, &visit, &given).await?;
    Done::reply("draft-discarded", None)
}

/// `GET /api/v1/studio/diff`
pub(crate) async fn studio_diff(State(console): Shared, visit: Visit) -> Reply {
    json(&diff::read(&console, &visit).await?)
}

/// `GET /api/v1/cases`
pub(crate) async fn cases(State(console): Shared, visit: Visit, Query(wanted): Query<inbox::Wanted>) -> Reply {
    json(&inbox::read(&console, &visit, &wanted).await?)
}

/// `GET /api/v1/cases/{id}`
pub(crate) async fn case(State(console): Shared, visit: Visit, Path(id): Path<String>) -> Reply {
    json(&inbox::read_case(&console, &visit, &id).await?)
}

/// `POST /api/v1/cases/{id}/answer`
pub(crate) async fn answer(
    State(console): Shared,
    visit: Visit,
    Path(id): Path<String>,
    Json(answer): Json<inbox::Answer>,
) -> Reply {
    let granted = inbox::give(&console, &visit, &id, &answer).await?;
    Done::reply(if granted { "exception-granted" } else { "case-answered" }, Some(id))
}

/// `GET /api/v1/stops/{code}`
pub(crate) async fn stop(State(console): Shared, Path(code): Path<String>) -> Reply {
    json(&lookup::read(&console, &code).await?)
}

/// `GET /api/v1/me`
pub(crate) async fn me(State(console): Shared, visit: Visit) -> Reply {
    json(&record_page::read(&console, &visit).await?)
}

/// `GET /api/v1/reveals`
pub(crate) async fn reveals(State(console): Shared, visit: Visit) -> Reply {
    json(&reveal::read(&console, &visit).await?)
}

/// `POST /api/v1/reveals`
pub(crate) async fn ask_reveal(State(console): Shared, visit: Visit, Json(ask): Json<reveal::Ask>) -> Reply {
    let id = reveal::request(&console, &visit, &ask).await?;
    Done::reply("reveal-asked", Some(id.to_string()))
}

/// `GET /api/v1/accounts`
pub(crate) async fn accounts(State(console): Shared, visit: Visit) -> Reply {
    json(&accounts_page::read(&console, &visit).await?)
}

/// `GET /api/v1/tokens`
pub(crate) async fn tokens(State(console): Shared, visit: Visit) -> Reply {
    json(&tokens_page::read(&console, &visit).await?)
}

/// `GET /api/v1/system`
pub(crate) async fn system(State(console): Shared) -> Reply {
    json(&system_page::read(&console))
}
