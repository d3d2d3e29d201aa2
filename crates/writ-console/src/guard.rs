//! What stands before every page: host name, origin, session, permission, form token; and the headers that go with
//! every answer. No page is reached around it: the router is made from the table of [`crate::routes`] only.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use subtle::ConstantTimeEq as _;
use writ_base::{Limit, Sensitive};

use crate::Console;
use crate::frame::Visit;
use crate::limits;
use crate::reply::{ApiFailure, Failure, encode, see};
use crate::routes::Access;

/// The name of the form token's header, for the API.
pub(crate) const CSRF_HEADER: &str = "x-writ-csrf";

/// Where a request came from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) SocketAddr);

const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; \
                      form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

const HEADERS: [(HeaderName, &str); 8] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(), microphone=(), geolocation=(), payment=(), usb=()"),
    (HeaderName::from_static("x-robots-tag"), "noindex"),
];

/// The outermost layer: who is asked for, how much is asked, headers, failures in the asker's form.
pub(crate) async fn frontier(State(console): State<Arc<Console>>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let api = path.starts_with("/api/");
    let response = match admit(&console, &request) {
        Ok(()) => match tokio::time::timeout(limits::ANSWER_WITHIN, next.run(request)).await {
            Ok(response) => response,
            Err(_) => Failure::Broken.into_response(),
        },
        Err(failure) => failure.into_response(),
    };
    let mut response = dress(&console, response, api);
    let tls = console.parts.tls;
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if tls {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    // Pages are personal: nothing keeps them unless it says otherwise.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

fn admit(console: &Console, request: &Request) -> Result<(), Failure> {
    let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    if !limits::TARGET.admits(target) {
        return Err(Failure::Unusable("The address is too long.".into()));
    }
    let named = request.uri().authority().map(|authority| authority.as_str());
    let host = named.or_else(|| text(request.headers(), &header::HOST)).unwrap_or_default().to_ascii_lowercase();
    let twice = request.headers().get_all(header::HOST).iter().count() > 1;
    // Probes ask by address; what they are told is one word.
    let probe = request.uri().path() == "/health";
    if twice || !(probe || console.parts.hosts.contains(&host)) {
        return Err(Failure::WrongHost);
    }
    Ok(())
}

/// Gives a bare failure the form that whoever asked can read.
fn dress(console: &Console, response: Response, api: bool) -> Response {
    let failure = response.extensions().get::<Failure>().cloned().or_else(|| match response.status() {
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => Some(Failure::Missing),
        status if status.is_client_error() && response.headers().get(header::CONTENT_TYPE).is_none_or(plain) => {
            Some(Failure::Unusable("The request is not of the expected form.".into()))
        }
        _ => None,
    });
    let Some(failure) = failure else { return response };
    let status = if response.status() == StatusCode::METHOD_NOT_ALLOWED { response.status() } else { failure.status() };
    let dressed = if api {
        let body = ApiFailure { error: failure.word().into(), message: failure.text() };
        (status, axum::Json(body)).into_response()
    } else {
        let page =
            crate::pages::message(console, failure.title(), vec![failure.text()], Some(("/", "To the first page")));
        let mut page = page.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response());
        *page.status_mut() = status;
        page
    };
    let (mut parts, body) = dressed.into_parts();
    for (name, value) in response.headers().iter().filter(|(name, _)| **name == header::SET_COOKIE) {
        parts.headers.append(name, value.clone());
    }
    Response::from_parts(parts, body)
}

fn plain(value: &HeaderValue) -> bool {
    value.as_bytes().starts_with(b"text/plain")
}

/// The layer of one route: lets through whom its line in the table names.
pub(crate) async fn guard(
    State((console, access, body)): State<(Arc<Console>, Access, &'static Limit)>,
    mut request: Request,
    next: Next,
) -> Response {
    let api = request.uri().path().starts_with("/api/");
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
    if changes && foreign(&console, request.headers()) {
        return Failure::Foreign.into_response();
    }
    let visit = console.visit(request.headers(), request.uri()).await;
    let allowed = match (&visit, access) {
        (_, Access::Anyone) => Ok(()),
        (Some(visit), _) if visit.must_change && !console.password_paths(&visit.path) => {
            let next = if changes { "/" } else { visit.target.as_str() };
            return if api {
                Failure::Forbidden.into_response()
            } else {
                see(&format!("/password?next={}", encode(next)))
            };
        }
        (Some(_), Access::SignedIn) => Ok(()),
        (Some(visit), Access::Needs(permission)) if visit.may(permission) => Ok(()),
        (Some(_), Access::Needs(_)) => Err(Failure::Forbidden),
        (None, _) => Err(Failure::SignIn),
    };
    match allowed {
        Err(Failure::SignIn) if !api && !changes => return to_sign_in(&console, &request),
        Err(failure) => return failure.into_response(),
        Ok(()) => {}
    }
    let tour = visit.as_ref().and_then(|visit| tour_cookie(&console, visit, request.uri()));
    if changes && access != Access::Anyone {
        let Some(visit) = &visit else { return Failure::SignIn.into_response() };
        // A token is sent by whoever knows it and by no browser on its own: no form can be forged with it.
        if !visit.by_token {
            request = match with_token(request, &visit.csrf, body).await {
                Ok(request) => request,
                Err(failure) => return failure.into_response(),
            };
        }
    }
    if let Some(visit) = visit {
        request.extensions_mut().insert(visit);
    }
    let mut response = next.run(request).await;
    if let Some(cookie) = tour {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// Whether a browser says that another site sent this form. A browser without fetch metadata on a plain connection
/// says `null` because of our own referrer policy: there the form's token alone decides.
fn foreign(console: &Console, headers: &HeaderMap) -> bool {
    if let Some(site) = text(headers, &HeaderName::from_static("sec-fetch-site")) {
        return site != "same-origin";
    }
    match text(headers, &header::ORIGIN) {
        None | Some("null") => false,
        Some(origin) => {
            let scheme = if console.parts.tls { "https://" } else { "http://" };
            !origin.strip_prefix(scheme).is_some_and(|host| console.parts.hosts.contains(&host.to_ascii_lowercase()))
        }
    }
}

/// Nobody is signed in: to the sign-in page, and back afterwards. A link from another site (a chat, a mail) comes
/// without the strict cookie; one step over a page of our own brings it along.
fn to_sign_in(console: &Console, request: &Request) -> Response {
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
    let from_elsewhere = text(request.headers(), &HeaderName::from_static("sec-fetch-site")) == Some("cross-site");
    if from_elsewhere && let Ok(page) = crate::pages::login::bounce(console, target) {
        return page;
    }
    see(&format!("/login?next={}", encode(target)))
}

/// Checks the form's token, or the header's, and gives the request its body back.
async fn with_token(request: Request, csrf: &str, limit: &Limit) -> Result<Request, Failure> {
    let (parts, body) = request.into_parts();
    let bytes = to_bytes(body, limit.value()).await.map_err(|_| {
        limit.hit();
        Failure::Unusable("The form is too long.".into())
    })?;
    let given = match text(&parts.headers, &HeaderName::from_static(CSRF_HEADER)) {
        Some(given) => given.to_owned(),
        None => form_field(&bytes, "csrf").ok_or(Failure::Foreign)?,
    };
    if !same(&given, csrf) {
        return Err(Failure::Foreign);
    }
    Ok(Request::from_parts(parts, Body::from(bytes)))
}

/// Compares without telling by its time where the first difference is.
pub(crate) fn same(a: &str, b: &str) -> bool {
    !b.is_empty() && bool::from(a.as_bytes().ct_eq(b.as_bytes()))
}

/// The first field of this name in a form (`application/x-www-form-urlencoded`); tokens need no decoding.
fn form_field(body: &[u8], name: &str) -> Option<String> {
    let body = std::str::from_utf8(body).ok()?;
    body.split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value.to_owned())
}

/// The value of one field of a query; values that we made need no decoding.
fn query_field<'a>(uri: &'a Uri, name: &str) -> Option<&'a str> {
    let pairs = uri.query()?.split('&').filter_map(|pair| pair.split_once('='));
    pairs.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value)
}

/// A header as text.
pub(crate) fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The token of a `Bearer` header (RFC 6750 section 2.1).
pub(crate) fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = text(headers, &header::AUTHORIZATION)?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// A cookie's value.
pub(crate) fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = all.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
}

/// A cookie that scripts cannot read and other sites cannot send.
pub(crate) fn set_cookie(console: &Console, name: &str, value: &str, seconds: Option<u32>) -> Option<HeaderValue> {
    let secure = if console.parts.tls { "; Secure" } else { "" };
    let age = seconds.map(|seconds| format!("; Max-Age={seconds}")).unwrap_or_default();
    HeaderValue::from_str(&format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict{secure}{age}")).ok()
}

/// The stop of a tour in the query is kept in a cookie, so that the panel stays on the pages that one goes to.
fn tour_cookie(console: &Console, visit: &Visit, uri: &Uri) -> Option<HeaderValue> {
    let asked = query_field(uri, "tour")?;
    match &visit.tour {
        Some((id, number)) => set_cookie(console, TOUR_COOKIE, &format!("{id}:{number}"), None),
        None if asked == "none" => set_cookie(console, TOUR_COOKIE, "", Some(0)),
        None => None,
    }
}

const TOUR_COOKIE: &str = "writ-tour";

impl Console {
    /// The name of the session's cookie: with TLS one that no other host can set.
    pub(crate) const fn session_cookie(&self) -> &'static str {
        if self.parts.tls { "__Host-writ-session" } else { "writ-session" }
    }

    /// The pages that whoever must choose a password may use.
    fn password_paths(&self, path: &str) -> bool {
        matches!(path, "/password" | "/logout")
    }

    /// Who asks, if they are signed in; in the interface for programs, whoever presents a token.
    pub(crate) async fn visit(&self, headers: &HeaderMap, uri: &Uri) -> Option<Visit> {
        if uri.path().starts_with("/api/") && headers.contains_key(header::AUTHORIZATION) {
            return self.bearer(headers, uri).await;
        }
        let value = cookie(headers, self.session_cookie())?;
        let session = self.parts.accounts.session(&value, self.parts.clock.now()).await;
        let session = session.unwrap_or_else(|error| {
            tracing::error!(%error, "sessions cannot be read");
            None
        })?;
        let path = uri.path().to_owned();
        let target = uri.path_and_query().map_or_else(|| path.clone(), |target| target.as_str().to_owned());
        Some(Visit {
            account: session.account,
            principal: session.principal,
            roles: session.roles,
            csrf: session.csrf.expose().clone(),
            must_change: session.must_change,
            by_ticket: session.by_ticket,
            by_token: false,
            path,
            target,
            tour: self.tour_place(headers, uri),
            done: query_field(uri, "done").map(str::to_owned),
        })
    }

    async fn bearer(&self, headers: &HeaderMap, uri: &Uri) -> Option<Visit> {
        let token = Sensitive::new(bearer_token(headers)?.to_owned());
        let bearer = self.parts.accounts.bearer(&token).await.unwrap_or_else(|error| {
            tracing::error!(%error, "tokens cannot be read");
            None
        })?;
        Some(Visit {
            account: bearer.account,
            principal: bearer.principal,
            roles: bearer.roles,
            csrf: String::new(),
            must_change: false,
            by_ticket: false,
            by_token: true,
            path: uri.path().to_owned(),
            target: uri.to_string(),
            tour: None,
            done: None,
        })
    }

    fn tour_place(&self, headers: &HeaderMap, uri: &Uri) -> Option<(String, usize)> {
        let kept = || cookie(headers, TOUR_COOKIE);
        let (id, number) = match query_field(uri, "tour") {
            Some(id) => (id.to_owned(), query_field(uri, "stop").unwrap_or("1").to_owned()),
            None => kept()?.split_once(':').map(|(id, number)| (id.to_owned(), number.to_owned()))?,
        };
        let number: usize = number.parse().ok()?;
        let tour = self.tour(&id)?;
        (1..=tour.stops.len()).contains(&number).then_some((id, number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_and_fields_are_found_by_name() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=1; writ=abc; writx=2"));
        assert_eq!(cookie(&headers, "writ").as_deref(), Some("abc"));
        assert_eq!(cookie(&headers, "wri"), None);
        assert_eq!(form_field(b"a=b&csrf=x1&csrf=x2", "csrf").as_deref(), Some("x1"));
        assert_eq!(form_field(b"\xff", "csrf"), None);
    }

    #[test]
    fn an_empty_token_is_never_the_same() {
        assert!(same("abc", "abc") && !same("abc", "abd") && !same("", "") && !same("abc", ""));
    }
}
