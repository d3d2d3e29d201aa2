//! Answers: pages, JSON, redirects, and failures that are dressed where it is known who asks.

use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;
use writ_store::index::IndexError;
use writ_store::ledger::LedgerError;
use writ_store::state::StateError;

use crate::standing::Refused;

/// Why a request is not answered with what it asked for. The texts are shown; they hold no content and no person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Nobody is signed in.
    SignIn,
    /// Whoever is signed in may not.
    Forbidden,
    /// There is no such thing, or it is not theirs: the two look the same.
    Missing,
    /// The request is not one that can be carried out.
    Unusable(String),
    /// It came from another site, or its token is old.
    Foreign,
    /// The host name is not ours.
    WrongHost,
    /// Too many attempts.
    TooMany,
    /// Something here failed.
    Broken,
}

impl Failure {
    /// The status.
    pub(crate) const fn status(&self) -> StatusCode {
        match self {
            Self::SignIn => StatusCode::UNAUTHORIZED,
            Self::Forbidden | Self::Foreign => StatusCode::FORBIDDEN,
            Self::Missing => StatusCode::NOT_FOUND,
            Self::Unusable(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::WrongHost => StatusCode::MISDIRECTED_REQUEST,
            Self::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Self::Broken => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The word for programs.
    pub(crate) const fn word(&self) -> &'static str {
        match self {
            Self::SignIn => "sign-in",
            Self::Forbidden => "forbidden",
            Self::Missing => "missing",
            Self::Unusable(_) => "unusable",
            Self::Foreign => "foreign",
            Self::WrongHost => "wrong-host",
            Self::TooMany => "too-many",
            Self::Broken => "broken",
        }
    }

    /// A heading for people.
    pub(crate) const fn title(&self) -> &'static str {
        match self {
            Self::SignIn => "Please sign in",
            Self::Forbidden => "This page is for another role",
            Self::Missing => "There is nothing here",
            Self::Unusable(_) => "This could not be done",
            Self::Foreign => "This form is too old",
            Self::WrongHost => "This is not the address of this console",
            Self::TooMany => "Too many attempts",
            Self::Broken => "Something here failed",
        }
    }

    /// What to do now.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::SignIn => "You are not signed in, or were away for too long.".into(),
            Self::Forbidden => {
                "Your account may not open it. Which role may do what is on the page “Who may do what”.".into()
            }
            Self::Missing => "The address may have a typing error, or it belongs to somebody else.".into(),
            Self::Unusable(why) => why.clone(),
            Self::Foreign => {
                "It was made before you signed in, or by another site. Go back, load the page again and repeat it."
                    .into()
            }
            Self::WrongHost => "Open it by the name that your organisation gave you.".into(),
            Self::TooMany => "Wait a few minutes, then try again.".into(),
            Self::Broken => "It was noted. If it stays, tell whoever runs Writ here.".into(),
        }
    }
}

/// The shape of failures in the API.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ApiFailure {
    /// A stable word: `missing`, `forbidden` ...
    pub(crate) error: String,
    /// A sentence for people.
    pub(crate) message: String,
}

impl IntoResponse for Failure {
    /// Bare; the outermost layer dresses it as page or JSON.
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::State(error) => error.into(),
            Refused::Unusable(text) => Self::Unusable(sentence(&text)),
        }
    }
}

impl From<StateError> for Failure {
    fn from(error: StateError) -> Self {
        match error {
            StateError::Missing { what: "reason" | "purpose" | "pseudonym" | "enabled account" } => {
                Self::Unusable(sentence(&error.to_string()))
            }
            StateError::Missing { .. } => Self::Missing,
            StateError::Taken { .. }
            | StateError::Changed { .. }
            | StateError::Closed { .. }
            | StateError::Expired { .. }
            | StateError::OverLimit { .. }
            | StateError::Protected
            | StateError::Approvals { .. }
            | StateError::NotYours
            | StateError::Reveal(_)
            | StateError::NoRevealKey => Self::Unusable(sentence(&error.to_string())),
            error => broken(&error),
        }
    }
}

impl From<IndexError> for Failure {
    fn from(error: IndexError) -> Self {
        broken(&error)
    }
}

impl From<LedgerError> for Failure {
    fn from(error: LedgerError) -> Self {
        broken(&error)
    }
}

impl From<askama::Error> for Failure {
    fn from(error: askama::Error) -> Self {
        broken(&error)
    }
}

/// Notes what failed for those who run it; whoever asked is told nothing of it.
pub(crate) fn broken(error: &dyn std::fmt::Display) -> Failure {
    tracing::error!(%error, "a page of the console failed");
    Failure::Broken
}

fn sentence(text: &str) -> String {
    let end = if text.ends_with('?') { "" } else { "." };
    format!("{}{end}", crate::words::sentence(text))
}

/// What handlers return.
pub(crate) type Reply = Result<Response, Failure>;

/// A page.
pub(crate) fn page<T: Template>(template: &T) -> Reply {
    html(StatusCode::OK, template.render()?)
}

/// HTML as it is.
pub(crate) fn html(status: StatusCode, text: String) -> Reply {
    let mut response = (status, text).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    Ok(response)
}

/// JSON.
pub(crate) fn json<T: Serialize>(value: &T) -> Reply {
    Ok(axum::Json(value).into_response())
}

/// To another page, by GET.
pub(crate) fn see(path: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    if let Ok(location) = HeaderValue::from_str(path) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

/// A path of this console to go to, or `/` for anything else: nobody is sent to another site.
pub(crate) fn own_path(path: &str) -> &str {
    let plain = path.starts_with('/')
        && !path.starts_with("//")
        && !path.starts_with("/\\")
        && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if plain && path.len() <= 1024 { path } else { "/" }
}

/// Text for a query or path segment (RFC 3986: everything but unreserved characters is escaped).
pub(crate) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_to_another_site() {
        for foreign in
            ["//evil.example", "/\\evil.example", "https://evil.example", "evil", "", "/a\r\nb", "/a b", "\\/x"]
        {
            assert_eq!(own_path(foreign), "/", "{foreign}");
        }
        assert_eq!(own_path("/live?effect=block"), "/live?effect=block");
        assert_eq!(encode("a b&c/é"), "a%20b%26c%2F%C3%A9");
    }
}
