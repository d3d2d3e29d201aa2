//! What machines fetch: proxy auto-configuration, certificate, health, metrics, assets.

use std::fmt::Write as _;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use writ_base::telemetry;
use writ_identity::Permission;

use super::Shared;
use crate::frame::Perhaps;
use crate::guard::{bearer_token, same};
use crate::reply::{Failure, Reply};
use crate::{assets, limits};

fn file(media: &'static str, caching: &'static str, body: impl IntoResponse) -> Response {
    let mut response = body.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    response
}

/// `GET /proxy.pac`
pub(crate) async fn pac(State(console): Shared) -> Reply {
    Ok(file("application/x-ns-proxy-autoconfig", "public, max-age=300", (console.parts.pac)()))
}

/// `GET /ca.pem`
pub(crate) async fn ca(State(console): Shared) -> Reply {
    let pem = (console.parts.root_pem)().ok_or(Failure::Missing)?;
    Ok(file("application/x-pem-file", "public, max-age=300", pem))
}

/// `GET /health`: one word, for probes.
pub(crate) async fn health(State(console): Shared) -> Reply {
    let (status, word) = if (console.parts.health)().ready {
        (StatusCode::OK, "ready\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready\n")
    };
    Ok(file("text/plain; charset=utf-8", "no-store", (status, word)))
}

/// `GET /metrics`: Prometheus text format, for its token or a role.
pub(crate) async fn metrics(State(console): Shared, Perhaps(visit): Perhaps, headers: HeaderMap) -> Reply {
    let given = bearer_token(&headers).unwrap_or_default();
    let token = console.parts.metrics_token.as_ref().map(|token| token.expose().as_str()).unwrap_or_default();
    let allowed =
        same(given, token) || visit.is_some_and(|visit| !visit.must_change && visit.may(Permission::SeeMetrics));
    if !allowed {
        return Err(Failure::SignIn);
    }
    let health = (console.parts.health)();
    let all: Vec<_> = health.limits.iter().copied().chain(limits::ALL.iter().copied()).collect();
    let mut page = telemetry::render(&all);
    let gauges = [
        ("writ_ready", "Whether judged traffic is served.", u64::from(health.ready)),
        ("writ_ledger_position", "Entries in the ledger.", console.parts.ledger.position()),
        ("writ_index_lag", "Entries not indexed yet.", console.parts.index.lag(console.parts.ledger.position())),
    ];
    for (name, help, value) in gauges {
        let _ = writeln!(page, "# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}");
    }
    Ok(file("text/plain; version=0.0.4; charset=utf-8", "no-store", page))
}

/// `GET /assets/{file}`: the name holds the content's hash, so that browsers keep it.
pub(crate) async fn asset(Path(name): Path<String>) -> Reply {
    let asset = assets::at(&format!("/assets/{name}")).ok_or(Failure::Missing)?;
    Ok(file(asset.media, "public, max-age=31536000, immutable", asset.bytes))
}
