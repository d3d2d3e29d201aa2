//! One's own tokens: with them programs use the interface in one's place.

use std::collections::BTreeSet;
use std::time::Duration;

use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use serde::Serialize;
use utoipa::ToSchema;
use writ_base::Moment;
use writ_identity::Role;
use writ_store::state::{Token, TokenId};

use super::accounts::{Fields, field};
use super::{Pick, Shared};
use crate::Console;
use crate::frame::{Frame, Visit};
use crate::reply::{Failure, Reply, page as show, see};
use crate::words;

/// One's own tokens.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Tokens {
    /// From the newest.
    pub(crate) tokens: Vec<TokenRow>,
    #[serde(skip)]
    pub(crate) roles: Vec<Pick>,
    #[serde(skip)]
    pub(crate) lives: Vec<Pick>,
    #[serde(skip)]
    pub(crate) made: Option<String>,
    #[serde(skip)]
    pub(crate) error: Option<String>,
}

/// A token.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct TokenRow {
    /// Its id.
    pub(crate) id: String,
    /// Its first characters.
    pub(crate) prefix: String,
    /// What it may be used as, in words.
    pub(crate) roles: String,
    /// When it was made.
    pub(crate) made: String,
    /// Whether it opens anything.
    pub(crate) holds: bool,
    /// How it is, in words.
    pub(crate) state: String,
}

#[derive(Template)]
#[template(path = "tokens.html")]
struct TokensPage {
    frame: Frame,
    view: Tokens,
}

/// Days for which a token can be made, the usual one first.
const LIVES: [u32; 4] = [90, 7, 30, 365];

/// `GET /tokens`
pub(crate) async fn page(State(console): Shared, visit: Visit) -> Reply {
    let view = read(&console, &visit).await?;
    show(&TokensPage { frame: console.frame(&visit, "Tokens for programs"), view })
}

/// Reads them.
pub(crate) async fn read(console: &Console, visit: &Visit) -> Result<Tokens, Failure> {
    let now = console.parts.clock.now();
    let tokens = console.parts.accounts.tokens(visit.account).await?;
    let role = |role: &Role| Pick {
        value: role.as_str().to_owned(),
        label: words::sentence(&role.as_str().replace('-', " ")),
        selected: false,
    };
    let life = |days: &u32| Pick { value: days.to_string(), label: format!("{days} days"), selected: false };
    Ok(Tokens {
        tokens: tokens.iter().rev().map(|token| row(token, now)).collect(),
        roles: visit.roles.iter().map(role).collect(),
        lives: LIVES.iter().map(life).collect(),
        made: None,
        error: None,
    })
}

fn row(token: &Token, now: Moment) -> TokenRow {
    let state = match token.revoked {
        Some(at) => format!("revoked on {}", words::day(at)),
        None if now >= token.expires => format!("ended on {}", words::day(token.expires)),
        None => format!("ends {}", words::relative(token.expires, now)),
    };
    let roles: Vec<String> = token.roles.iter().map(|role| role.replace('-', " ")).collect();
    TokenRow {
        id: token.id.to_string(),
        prefix: token.prefix.clone(),
        roles: roles.join(", "),
        made: words::day(token.made),
        holds: token.holds(now),
        state,
    }
}

/// `POST /tokens`
pub(crate) async fn create(State(console): Shared, visit: Visit, Form(fields): Form<Fields>) -> Reply {
    let made = make(&console, &visit, &fields).await;
    let mut view = read(&console, &visit).await?;
    match made {
        Ok(token) => view.made = Some(token),
        Err(Failure::Broken) => return Err(Failure::Broken),
        Err(failure) => view.error = Some(failure.text()),
    }
    show(&TokensPage { frame: console.frame(&visit, "Tokens for programs"), view })
}

async fn make(console: &Console, visit: &Visit, fields: &Fields) -> Result<String, Failure> {
    let roles: BTreeSet<Role> =
        fields.iter().filter(|(key, _)| key == "role").filter_map(|(_, name)| Role::named(name)).collect();
    if roles.is_empty() || !roles.is_subset(&visit.roles) {
        return Err(Failure::Unusable("A token has at least one role, of those that you have.".into()));
    }
    let days = field(fields, "days").parse().ok().filter(|days| LIVES.contains(days));
    let days = days.ok_or_else(|| Failure::Unusable("Say for how many days the token holds.".into()))?;
    let valid = Duration::from_secs(86_400 * u64::from(days));
    let by = visit.roles.first().copied().unwrap_or(Role::Employee);
    let (_, token) = console.parts.accounts.make_token(visit.account, &roles, valid, by).await?;
    Ok(token.into_exposed())
}

/// `POST /tokens/{id}/revoke`
pub(crate) async fn revoke(State(console): Shared, visit: Visit, Path(id): Path<String>) -> Reply {
    let id: TokenId = id.parse().map_err(|_| Failure::Missing)?;
    let by = visit.roles.first().copied().unwrap_or(Role::Employee);
    console.parts.accounts.revoke_token(id, visit.account, by).await?;
    Ok(see("/tokens?done=token-revoked"))
}
