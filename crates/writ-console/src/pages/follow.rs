//! The live list as it grows: rows are pushed over one connection (server-sent events, WHATWG HTML section 9.2), for as
//! long as whoever follows may see them. Where that does not work, the script asks every two seconds instead.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use askama::Template as _;
use axum::Extension;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderName, Uri};
use axum::response::IntoResponse as _;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream;
use tokio::sync::{OwnedSemaphorePermit, watch};
use writ_identity::Permission;

use super::Shared;
use super::live::{Filters, Fragment, read};
use crate::guard::text;
use crate::reply::{Failure, Reply};
use crate::{Console, limits};

/// Says when the console ends.
#[derive(Clone)]
pub(crate) struct Stopping(pub(crate) watch::Receiver<bool>);

/// How often it is looked for new rows.
const LOOK: Duration = Duration::from_secs(1);
/// Looks between two questions whether whoever follows still may.
const ASK_AGAIN: u32 = 15;
/// Looks after which the browser connects anew, so that no connection stays for days.
const LOOKS: u32 = 900;
/// How often something is sent where nothing happens, so that nobody on the way takes the connection for dead.
const ALIVE: Duration = Duration::from_secs(15);

/// Somebody who follows the list.
struct Follower {
    console: Arc<Console>,
    filters: Filters,
    headers: HeaderMap,
    uri: Uri,
    stop: watch::Receiver<bool>,
    /// Where the index stood at the last look.
    position: u64,
    looks: u32,
    _place: OwnedSemaphorePermit,
}

/// `GET /live/events`: the rows that come after `after`, or after the last event that the browser has.
pub(crate) async fn events(
    State(console): Shared,
    Extension(Stopping(stop)): Extension<Stopping>,
    uri: Uri,
    headers: HeaderMap,
    Query(mut filters): Query<Filters>,
) -> Reply {
    let place = Arc::clone(&console.followers).try_acquire_owned().map_err(|_| {
        limits::FOLLOWERS.hit();
        Failure::TooMany
    })?;
    let last = text(&headers, &HeaderName::from_static("last-event-id")).and_then(|id| id.parse().ok());
    filters.after = Some(last.or(filters.after).unwrap_or(0));
    let follower = Follower { console, filters, headers, uri, stop, position: 0, looks: 0, _place: place };
    let events = stream::unfold(follower, |mut follower| async move {
        let event = follower.next().await?;
        Some((Ok::<_, Infallible>(event), follower))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(ALIVE)).into_response())
}

impl Follower {
    /// The next rows; nothing where it is over.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if self.looks >= LOOKS || self.looks % ASK_AGAIN == ASK_AGAIN - 1 && !self.may().await {
                return None;
            }
            self.looks += 1;
            if let Some(event) = self.rows().await? {
                return Some(event);
            }
            tokio::select! {
                _ = self.stop.wait_for(|stop| *stop) => return None,
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    /// Whether the session lives and its roles still allow it.
    async fn may(&self) -> bool {
        let visit = self.console.visit(&self.headers, &self.uri).await;
        visit.is_some_and(|visit| !visit.must_change && visit.may(Permission::SeeLive))
    }

    /// What is new since the last look; an index that refuses ends it, and the browser tries again.
    async fn rows(&mut self) -> Option<Option<Event>> {
        let position = self.console.parts.index.position();
        if position == self.position {
            return Some(None);
        }
        self.position = position;
        let records = read(&self.console, &self.filters).await.ok()?;
        if records.rows.is_empty() {
            return Some(None);
        }
        self.filters.after = Some(records.newest);
        let rows = Fragment { rows: records.rows }.render().ok()?;
        Some(Some(Event::default().event("rows").id(records.newest.to_string()).data(rows)))
    }
}
