//! The text with its diagnostics, and the draft that an account keeps of it. A draft is nobody's policy: the server
//! follows its file, and the page says how a text gets there.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use writ_base::{ContentHash, Sensitive};
use writ_identity::Permission;
use writ_store::state::{Draft, NewDraft, StateError};

use super::super::Shared;
use super::Bench;
use super::problems::{self, Checked};
use super::workshop::Study;
use crate::frame::{Frame, Visit};
use crate::reply::{Failure, Reply, page as show, see};
use crate::{Console, words};

/// The text that the visitor works on.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct DraftView {
    /// `draft`, or `running` where the visitor keeps none.
    pub(crate) of: String,
    /// The text.
    pub(crate) text: String,
    /// The hash of the text as it is kept; what a draft that takes its place names as `over`. Empty without a draft.
    pub(crate) hash: String,
    /// When it was kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) kept: Option<String>,
    /// Whether another policy runs than when the draft was begun.
    pub(crate) behind: bool,
    /// What is wrong with it.
    pub(crate) checked: Checked,
}

/// What only the page shows.
#[derive(Debug)]
struct TextView {
    draft: DraftView,
    based_on: String,
    /// The name of the file that the server follows.
    file: String,
    /// Whether what is in the window was not kept.
    unsaved: bool,
    error: Option<String>,
}

#[derive(Template)]
#[template(path = "studio_text.html")]
struct TextPage {
    frame: Frame,
    bench: Bench,
    view: TextView,
}

/// A text to be checked.
#[derive(Clone, Default, Deserialize, ToSchema)]
#[serde(default)]
pub(crate) struct CheckText {
    /// The text.
    pub(crate) text: String,
}

/// A draft to be kept.
#[derive(Clone, Default, Deserialize, ToSchema)]
#[serde(default)]
pub(crate) struct KeepDraft {
    /// The text.
    pub(crate) text: String,
    /// The hash of the draft that it takes the place of; empty where there is none.
    pub(crate) over: String,
    /// The hash of the policy that the draft was begun from; of what runs where it is empty.
    pub(crate) based_on: String,
}

/// A draft to be discarded.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
pub(crate) struct DiscardDraft {
    /// The hash of the draft that is meant.
    pub(crate) hash: String,
}

impl std::fmt::Debug for CheckText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CheckText").field("text", &Sensitive::new(self.text.as_bytes())).finish()
    }
}

impl std::fmt::Debug for KeepDraft {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = Sensitive::new(self.text.as_bytes());
        f.debug_struct("KeepDraft").field("text", &text).field("over", &self.over).finish_non_exhaustive()
    }
}

/// `GET /studio/text`
pub(crate) async fn page(State(console): Shared, visit: Visit) -> Reply {
    let kept = console.draft(&visit).await?;
    let draft = read_kept(&console, kept.as_ref()).await?;
    let based_on = kept.map(|kept| kept.based_on.to_string()).unwrap_or_default();
    window(&console, &visit, TextView { draft, based_on, file: file(&console), unsaved: false, error: None })
}

fn window(console: &Console, visit: &Visit, view: TextView) -> Reply {
    show(&TextPage { frame: console.frame(visit, "Text"), bench: console.bench(visit, "/studio/text", None), view })
}

/// The draft with what is wrong with it, or what runs.
pub(crate) async fn read(console: &Arc<Console>, visit: &Visit) -> Result<DraftView, Failure> {
    let kept = console.draft(visit).await?;
    read_kept(console, kept.as_ref()).await
}

async fn read_kept(console: &Arc<Console>, kept: Option<&Draft>) -> Result<DraftView, Failure> {
    let running = (console.parts.policy)();
    let study = match kept {
        Some(draft) => console.study_draft(draft).await?,
        None => console.study_running().await?,
    };
    Ok(DraftView {
        of: if kept.is_some() { "draft" } else { "running" }.to_owned(),
        hash: kept.map(|draft| draft.hash.to_string()).unwrap_or_default(),
        kept: kept.map(|draft| words::time(draft.kept)),
        behind: kept.is_some_and(|draft| draft.based_on != running.parsed.hash),
        checked: problems::check(&study),
        text: study.text.clone(),
    })
}

/// The name of the file that the server follows, without its folder.
fn file(console: &Console) -> String {
    let path = (console.parts.policy)().path.clone();
    path.rsplit('/').next().unwrap_or_default().to_owned()
}

/// A text as it is kept and checked: lines end in a line feed, whatever the browser sends.
fn plain(text: &str) -> Sensitive<String> {
    Sensitive::new(text.replace("\r\n", "\n").replace('\r', "\n"))
}

/// Checks a text. Nothing of it is kept.
pub(crate) async fn check(console: &Arc<Console>, text: &str) -> Result<Checked, Failure> {
    Ok(problems::check(&*studied(console, text).await?))
}

async fn studied(console: &Arc<Console>, text: &str) -> Result<Arc<Study>, Failure> {
    console.study_text(plain(text)).await
}

/// `POST /studio/check`: the page with what was typed, and what is wrong with it.
pub(crate) async fn check_page(State(console): Shared, visit: Visit, Form(given): Form<KeepDraft>) -> Reply {
    again(&console, &visit, &given, None).await
}

/// The page with what was typed, which was not kept.
async fn again(console: &Arc<Console>, visit: &Visit, given: &KeepDraft, error: Option<String>) -> Reply {
    let kept = console.draft(visit).await?;
    let study = studied(console, &given.text).await?;
    let view = read_kept(console, kept.as_ref()).await?;
    let unsaved = study.text != view.text;
    let draft = DraftView {
        text: study.text.clone(),
        checked: problems::check(&study),
        // What it takes the place of is what the visitor saw, not what is kept by now.
        hash: if error.is_some() { view.hash.clone() } else { given.over.clone() },
        ..view
    };
    let view = TextView { draft, based_on: given.based_on.clone(), file: file(console), unsaved, error };
    window(console, visit, view)
}

/// `POST /studio/draft`
pub(crate) async fn keep_page(State(console): Shared, visit: Visit, Form(given): Form<KeepDraft>) -> Reply {
    match keep(&console, &visit, &given).await {
        Ok(_) => Ok(see("/studio/text?done=draft-kept")),
        // What was typed is given back.
        Err(Failure::Unusable(why)) => again(&console, &visit, &given, Some(why)).await,
        Err(failure) => Err(failure),
    }
}

/// Keeps a draft in the place of the one that was seen.
pub(crate) async fn keep(console: &Console, visit: &Visit, given: &KeepDraft) -> Result<Draft, Failure> {
    let hash = |text: &str| -> Result<Option<ContentHash>, Failure> {
        let unusable = |_| Failure::Unusable("This is not the hash of a text.".into());
        if text.is_empty() { Ok(None) } else { text.parse().map(Some).map_err(unusable) }
    };
    let text = plain(&given.text);
    let running = (console.parts.policy)().parsed.hash;
    let new = NewDraft {
        account: visit.account,
        text: &text,
        based_on: hash(&given.based_on)?.unwrap_or(running),
        over: hash(&given.over)?,
    };
    let role = visit.role(Permission::KeepDraft).as_str();
    match console.parts.state.keep_draft(&new, role, &console.parts.ledger).await {
        Err(StateError::Changed { .. }) => Err(Failure::Unusable(
            "Your draft was changed in another window in the meantime. What you typed is below; keep it again to \
             put it in the place of the other one."
                .into(),
        )),
        result => Ok(result?),
    }
}

/// `POST /studio/draft/discard`
pub(crate) async fn discard_page(State(console): Shared, visit: Visit, Form(given): Form<DiscardDraft>) -> Reply {
    discard(&console, &visit, &given).await?;
    Ok(see("/studio/text?done=draft-discarded"))
}

/// Discards the draft that was seen.
pub(crate) async fn discard(console: &Console, visit: &Visit, given: &DiscardDraft) -> Result<(), Failure> {
    let hash = given.hash.parse().map_err(|_| Failure::Unusable("This is not the hash of a draft.".into()))?;
    let role = visit.role(Permission::KeepDraft).as_str();
    console.parts.state.discard_draft(visit.account, hash, role, &console.parts.ledger).await?;
    Ok(())
}

/// `GET /studio/draft.md`: the draft as a file.
pub(crate) async fn download(State(console): Shared, visit: Visit) -> Reply {
    let draft = console.draft(&visit).await?.ok_or(Failure::Missing)?;
    let mut response: Response = draft.text.into_exposed().into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/markdown; charset=utf-8"));
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"policy-draft.md\""));
    Ok(response)
}
