//! The console: web pages rendered here, the page behind every stop, and the JSON API over the same data.
//!
//! * [`ConsoleParts`]: what it is given; [`Console::serve`]: how it runs;
//! * [`routes`]: the one table of all addresses, each with who may use it: router, OpenAPI file and guide come from it;
//! * `guard`: host name, origin, session, permission and form token, before any page;
//! * `pages`: one module for each page: a view (plain data, which the API returns as it is), and its handlers;
//! * `charts`, `markup`, `words`, `sentences`: numbers as SVG, prose as HTML, values and rules in words.
//!
//! People appear by pseudonym only; no content is shown because none is kept. Every act goes through `writ-store`, which
//! writes it into the ledger before it takes effect.

mod api;
mod assets;
mod charts;
mod frame;
mod guard;
pub mod kept;
pub mod limits;
mod markup;
mod openapi;
mod pages;
mod parts;
mod reply;
pub mod routes;
mod sentences;
mod server;
pub mod standing;
mod words;

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use writ_store::state::AccountId;

pub use openapi::openapi;
use pages::studio::workshop::Workshop;
pub use parts::{
    Beside, Check, CheckState, ConsoleParts, Health, KeyAge, Organisation, PolicyReading, PolicyText, STOPS_MAX, Tour,
    TourAct, TourFuture, TourOutcome, TourStop, TourVisitor, Tours,
};

/// The console.
pub struct Console {
    parts: ConsoleParts,
    /// What buttons of tours said, until the next page shows it.
    said: Mutex<BTreeMap<AccountId, String>>,
    /// Places for browsers that follow the live list.
    followers: Arc<Semaphore>,
    /// Texts that the studio works on.
    workshop: Workshop,
}

impl Console {
    /// A console over these parts.
    pub fn new(parts: ConsoleParts) -> Arc<Self> {
        let followers = Arc::new(Semaphore::new(limits::FOLLOWERS.value()));
        Arc::new(Self { parts, said: Mutex::default(), followers, workshop: Workshop::default() })
    }

    /// What acts on what stands beside the policy need; over the snapshot and the text that the caller holds.
    fn desk<'a>(&'a self, snapshot: &'a writ_engine::Snapshot, text: &'a PolicyText) -> standing::Desk<'a> {
        standing::Desk {
            policy: &snapshot.policy,
            text,
            world: (self.parts.world)(),
            state: &self.parts.state,
            ledger: &self.parts.ledger,
            now: self.parts.clock.now(),
            randomness: &*self.parts.randomness,
        }
    }

    /// Serves until `stop` is true; then no request is begun, and those under way end.
    pub async fn serve(self: Arc<Self>, listener: TcpListener, stop: watch::Receiver<bool>) {
        server::serve(routes::router(self), listener, stop).await;
    }
}
