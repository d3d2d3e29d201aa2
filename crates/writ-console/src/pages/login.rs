//! Signing in: by password, by a link that works once; choosing another password; signing out.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Form};
use serde::Deserialize;
use writ_base::Sensitive;
use writ_base::hash::hex;
use writ_identity::{LoginRefused, PasswordRefused, SessionCookie};

use super::Shared;
use crate::Console;
use crate::frame::{Solo, Visit};
use crate::guard::{Peer, cookie, same, set_cookie};
use crate::reply::{Failure, Reply, html, own_path, page, see};

/// Where to go afterwards.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Next {
    #[serde(default)]
    next: String,
}

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage {
    solo: Solo,
    csrf: String,
    next: String,
    error: Option<String>,
}

#[derive(Template)]
#[template(path = "enter.html")]
struct EnterPage {
    solo: Solo,
    csrf: String,
    next: String,
    token: String,
}

#[derive(Template)]
#[template(path = "password.html")]
struct PasswordPage {
    solo: Solo,
    csrf: String,
    next: String,
    first: bool,
    ask_present: bool,
    error: Option<String>,
}

#[derive(Template)]
#[template(path = "message.html")]
struct BouncePage {
    solo: Solo,
    lines: Vec<String>,
    link: Option<(String, &'static str)>,
}

/// The cookie that a form of somebody who is not signed in must match: another site can send neither.
const FORM_COOKIE: &str = "writ-form";

/// One step over a page of ours, so that the strict cookie comes along on the second request.
pub(crate) fn bounce(console: &Console, target: &str) -> Reply {
    let mut solo = console.solo("One moment");
    let target = own_path(target).to_owned();
    solo.refresh = Some(target.clone());
    page(&BouncePage { solo, lines: vec!["You came from another site.".into()], link: Some((target, "Go on")) })
}

/// `GET /login`
pub(crate) async fn form(
    State(console): Shared,
    crate::frame::Perhaps(visit): crate::frame::Perhaps,
    Query(next): Query<Next>,
    headers: HeaderMap,
) -> Reply {
    if visit.is_some() {
        return Ok(see(own_path(&next.next)));
    }
    login_page(&console, &headers, own_path(&next.next), None)
}

fn login_page(console: &Console, headers: &HeaderMap, next: &str, error: Option<LoginRefused>) -> Reply {
    let (csrf, fresh) = form_token(console, headers);
    let status = match error {
        None => StatusCode::OK,
        Some(LoginRefused::TooMany { .. }) => StatusCode::TOO_MANY_REQUESTS,
        Some(LoginRefused::Unavailable) => StatusCode::SERVICE_UNAVAILABLE,
        Some(_) => StatusCode::FORBIDDEN,
    };
    let error = error.map(|error| format!("{}.", crate::words::sentence(&error.to_string())));
    let text = LoginPage { solo: console.solo("Sign in"), csrf, next: next.to_owned(), error }.render()?;
    let mut response = html(status, text)?;
    keep(&mut response, fresh);
    Ok(response)
}

/// The token of forms for whoever is not signed in; a new one with its cookie if the browser brought none.
fn form_token(console: &Console, headers: &HeaderMap) -> (String, Option<HeaderValue>) {
    if let Some(token) = cookie(headers, FORM_COOKIE).filter(|token| token.len() == 32) {
        return (token, None);
    }
    let mut bytes = [0; 16];
    console.parts.randomness.fill(&mut bytes);
    let token = hex(&bytes);
    let set = set_cookie(console, FORM_COOKIE, &token, None);
    (token, set)
}

fn keep(response: &mut Response, set: Option<HeaderValue>) {
    if let Some(set) = set {
        response.headers_mut().append(header::SET_COOKIE, set);
    }
}

/// The form of the sign-in page.
#[derive(Deserialize)]
pub(crate) struct LoginForm {
    #[serde(default)]
    csrf: String,
    #[serde(default)]
    next: String,
    login: String,
    password: String,
}

/// `POST /login`
pub(crate) async fn sign_in(
    State(console): Shared,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    Form(form): Form<LoginForm>,
) -> Reply {
    form_matches(&headers, &form.csrf)?;
    let (login, password) = (Sensitive::new(form.login.trim().to_owned()), Sensitive::new(form.password));
    let former = cookie(&headers, console.session_cookie());
    let now = console.parts.clock.now();
    let begun = console.parts.accounts.login(&login, &password, peer.0.ip(), former.as_deref(), now).await;
    match begun {
        Ok(session) => Ok(signed_in(&console, &session, own_path(&form.next))),
        Err(refused) => login_page(&console, &headers, own_path(&form.next), Some(refused)),
    }
}

fn form_matches(headers: &HeaderMap, given: &str) -> Result<(), Failure> {
    let kept = cookie(headers, FORM_COOKIE).unwrap_or_default();
    if same(given, &kept) { Ok(()) } else { Err(Failure::Foreign) }
}

fn signed_in(console: &Console, session: &SessionCookie, next: &str) -> Response {
    let mut response = see(next);
    keep(&mut response, set_cookie(console, console.session_cookie(), session.token.expose(), None));
    response
}

/// `GET /enter/{ticket}`: a form, so that whoever only looks at a link does not use it up.
pub(crate) async fn ticket_form(
    State(console): Shared,
    Path(ticket): Path<String>,
    Query(next): Query<Next>,
    headers: HeaderMap,
) -> Reply {
    if !ticket.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(Failure::Missing);
    }
    let (csrf, fresh) = form_token(&console, &headers);
    let solo = console.solo("Sign in with this link");
    let mut response = page(&EnterPage { solo, csrf, next: own_path(&next.next).to_owned(), token: ticket })?;
    keep(&mut response, fresh);
    Ok(response)
}

/// The form of the page of a ticket.
#[derive(Deserialize)]
pub(crate) struct TicketForm {
    #[serde(default)]
    csrf: String,
    #[serde(default)]
    next: String,
}

/// `POST /enter/{ticket}`
pub(crate) async fn redeem(
    State(console): Shared,
    Path(ticket): Path<String>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    Form(form): Form<TicketForm>,
) -> Reply {
    form_matches(&headers, &form.csrf)?;
    let former = cookie(&headers, console.session_cookie());
    let now = console.parts.clock.now();
    let ticket = Sensitive::new(ticket);
    match console.parts.accounts.redeem(&ticket, peer.0.ip(), former.as_deref(), now).await {
        Ok(session) => Ok(signed_in(&console, &session, own_path(&form.next))),
        Err(LoginRefused::TooMany { .. }) => Err(Failure::TooMany),
        Err(refused) => {
            let words = format!("{}.", crate::words::sentence(&refused.to_string()));
            let mut response =
                super::message(&console, "This link does not sign in", vec![words], Some(("/login", "Sign in")))?;
            *response.status_mut() = StatusCode::FORBIDDEN;
            Ok(response)
        }
    }
}

/// `POST /logout`
pub(crate) async fn sign_out(State(console): Shared, headers: HeaderMap) -> Reply {
    if let Some(token) = cookie(&headers, console.session_cookie()) {
        console.parts.accounts.logout(&token);
    }
    let mut response = see("/login");
    keep(&mut response, set_cookie(&console, console.session_cookie(), "", Some(0)));
    Ok(response)
}

/// `GET /password`
pub(crate) async fn password_form(State(console): Shared, visit: Visit, Query(next): Query<Next>) -> Reply {
    page(&password_page(&console, &visit, own_path(&next.next), None))
}

fn password_page(console: &Console, visit: &Visit, next: &str, error: Option<String>) -> PasswordPage {
    PasswordPage {
        solo: console.solo("Choose a password"),
        csrf: visit.csrf.clone(),
        next: next.to_owned(),
        first: visit.must_change,
        ask_present: !(visit.must_change && visit.by_ticket),
        error,
    }
}

/// The form of the password page.
#[derive(Deserialize)]
pub(crate) struct PasswordForm {
    #[serde(default)]
    next: String,
    old: Option<String>,
    new: String,
    again: String,
}

/// `POST /password`
pub(crate) async fn change_password(
    State(console): Shared,
    visit: Visit,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    Form(form): Form<PasswordForm>,
) -> Reply {
    let next = own_path(&form.next);
    let refuse = |error: String| {
        let text = password_page(&console, &visit, next, Some(error)).render()?;
        html(StatusCode::UNPROCESSABLE_ENTITY, text)
    };
    if form.new != form.again {
        return refuse("The new password was typed in two different ways.".into());
    }
    let token = cookie(&headers, console.session_cookie()).ok_or(Failure::SignIn)?;
    let (old, new) = (form.old.map(Sensitive::new), Sensitive::new(form.new));
    let now = console.parts.clock.now();
    match console.parts.accounts.change_password(&token, old.as_ref(), &new, peer.0.ip(), now).await {
        Ok(session) => {
            let next = if next == "/" { "/roles?done=password" } else { next };
            let next = if visit.must_change && form.next.is_empty() { "/" } else { next };
            Ok(signed_in(&console, &session, next))
        }
        Err(PasswordRefused::NoSession) => Err(Failure::SignIn),
        Err(PasswordRefused::Login(LoginRefused::TooMany { .. })) => Ok(Failure::TooMany.into_response()),
        Err(refused) => refuse(format!("{}.", crate::words::sentence(&refused.to_string()))),
    }
}
