//! The pages. Each module has a view (plain data in the reader's words, which the API returns as it is), the function
//! that reads it, and handlers that show it or act.

pub(crate) mod accounts;
pub(crate) mod detail;
pub(crate) mod files;
pub(crate) mod follow;
pub(crate) mod how;
pub(crate) mod inbox;
pub(crate) mod live;
pub(crate) mod login;
pub(crate) mod lookup;
pub(crate) mod overview;
pub(crate) mod policy;
pub(crate) mod record;
pub(crate) mod reveal;
pub(crate) mod roles;
pub(crate) mod rollout;
pub(crate) mod stop;
pub(crate) mod studio;
pub(crate) mod system;
pub(crate) mod tokens;
pub(crate) mod tools;
pub(crate) mod tour;

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use writ_catalog::Catalog;
use writ_engine::Snapshot;
use writ_model::Term;

use crate::Console;
use crate::frame::{Solo, Visit, first_page};
use crate::reply::{Reply, encode, page, see};

/// What every handler gets.
pub(crate) type Shared = State<Arc<Console>>;

/// A label and what stands beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Fact {
    /// What it is.
    pub(crate) label: String,
    /// Its value, in words.
    pub(crate) value: String,
}

impl Fact {
    /// A fact.
    pub(crate) fn new(label: &str, value: impl Into<String>) -> Self {
        Self { label: label.to_owned(), value: value.into() }
    }
}

/// One of several that can be chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Pick {
    /// What is sent.
    pub(crate) value: String,
    /// What is read.
    pub(crate) label: String,
    /// Whether it is the present one.
    pub(crate) selected: bool,
}

/// A clause as it is quoted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Clause {
    /// Number and heading.
    pub(crate) name: String,
    /// Where it stands; nothing for the posture.
    pub(crate) href: Option<String>,
    /// The reason that it gives.
    pub(crate) why: String,
}

/// A clause's number and heading.
pub(crate) fn clause_name(snapshot: &Snapshot, id: &str) -> String {
    snapshot.policy.clause_name(id).unwrap_or_else(|| format!("{id} (not in the policy any more)"))
}

/// A clause, quoted with the reason of one of its rules.
pub(crate) fn clause(snapshot: &Snapshot, id: &Term, rule: u16) -> Clause {
    let href = snapshot.policy.clause(id).map(|clause| format!("/policy#{}", encode(&clause.id)));
    let why = snapshot.policy.rule(id, rule).and_then(|rule| rule.why.clone()).unwrap_or_default();
    Clause { name: clause_name(snapshot, id), href, why }
}

/// What people call a service.
pub(crate) fn service_name(catalog: &Catalog, id: &str) -> String {
    catalog.service(id).map_or_else(|| id.to_owned(), |service| service.name.clone())
}

#[derive(Template)]
#[template(path = "message.html")]
struct MessagePage {
    solo: Solo,
    lines: Vec<String>,
    link: Option<(&'static str, &'static str)>,
}

/// A page with a few words.
pub(crate) fn message(
    console: &Console,
    title: &str,
    lines: Vec<String>,
    link: Option<(&'static str, &'static str)>,
) -> Reply {
    page(&MessagePage { solo: console.solo(title), lines, link })
}

/// `GET /`
pub(crate) async fn first(visit: Visit) -> Reply {
    Ok(see(first_page(&visit)))
}
