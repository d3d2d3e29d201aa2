//! What is running now: snapshot and providers. Each is swapped whole; an interaction keeps what it began with.

use std::sync::Arc;

use arc_swap::ArcSwap;
use writ_base::Sensitive;
use writ_engine::permit::CredentialHeader;
use writ_engine::{Destination, Engine, Snapshot};
use writ_model::{Account, Term};

/// An AI service that the gateway forwards to.
#[derive(Clone, Debug)]
pub struct Provider {
    /// The first segment of its path at the gateway: `openai`.
    pub name: String,
    /// The service, by its catalog id.
    pub service: Term,
    /// The plan of the organisation's account.
    pub tier: Term,
    /// The account at the service: the organisation's own.
    pub account: Account,
    /// Where it is.
    pub destination: Destination,
    /// What stands before the path at the service.
    pub path_prefix: String,
    /// How it wants its credential.
    pub credential_header: CredentialHeader,
    /// The organisation's credential; without one the request goes as it is and the service refuses it.
    pub credential: Option<Sensitive<String>>,
}

/// Everything that a reload may change.
pub struct Live {
    /// The shared half of the decision point.
    pub engine: Arc<Engine>,
    snapshot: ArcSwap<Snapshot>,
    providers: ArcSwap<Vec<Provider>>,
}

impl Live {
    /// What runs at the start.
    pub fn new(engine: Arc<Engine>, snapshot: Snapshot, providers: Vec<Provider>) -> Self {
        Self { engine, snapshot: ArcSwap::from_pointee(snapshot), providers: ArcSwap::from_pointee(providers) }
    }

    /// The snapshot for an interaction that begins now.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    /// The providers of now.
    pub fn providers(&self) -> Arc<Vec<Provider>> {
        self.providers.load_full()
    }

    /// Puts another snapshot in place; interactions that run finish on theirs.
    pub fn replace_snapshot(&self, snapshot: Snapshot) {
        self.snapshot.store(Arc::new(snapshot));
    }

    /// Puts other providers in place.
    pub fn replace_providers(&self, providers: Vec<Provider>) {
        self.providers.store(Arc::new(providers));
    }
}
