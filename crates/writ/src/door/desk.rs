//! What an order needs: the data directory, the accounts whose sessions it may end, and the policy that runs.

use std::sync::Arc;

use anyhow::{Context as _, bail};
use writ_console::{PolicyText, standing};
use writ_engine::Snapshot;
use writ_identity::Accounts;
use writ_model::Term;
use writ_model::standing::StandingObjects;

use crate::config::Config;
use crate::policy_file;
use crate::serve::Running;
use crate::wiring::Home;

/// Where orders are carried out.
pub(crate) struct Desk {
    /// The data directory.
    pub(crate) home: Arc<Home>,
    /// Accounts of the console: of a running server those that know its sessions.
    pub(crate) accounts: Accounts,
    config: Config,
    place: Place,
}

enum Place {
    /// In a server that runs.
    Running(Arc<Running>),
    /// In a command of its own.
    Alone,
}

/// The policy that orders about it are held against.
pub(crate) struct InForce {
    snapshot: Arc<Snapshot>,
    text: Arc<PolicyText>,
}

impl Desk {
    /// The desk of a running server.
    pub(crate) fn running(config: &Config, home: Arc<Home>, accounts: Accounts, running: Arc<Running>) -> Self {
        Self { home, accounts, config: config.clone(), place: Place::Running(running) }
    }

    /// The desk of a command that has the data directory to itself.
    pub(super) fn alone(home: Home, config: &Config) -> Self {
        let accounts = home.accounts();
        Self { home: Arc::new(home), accounts, config: config.clone(), place: Place::Alone }
    }

    /// Has a change taken over at once, where a server runs.
    pub(crate) fn changed(&self) {
        if let Place::Running(running) = &self.place {
            running.changed.notify_one();
        }
    }

    /// The policy that runs; where no server does, the one that a start would take.
    ///
    /// # Errors
    /// If the policy of the configuration does not run.
    pub(crate) async fn in_force(&self) -> anyhow::Result<InForce> {
        match &self.place {
            Place::Running(running) => Ok(InForce { snapshot: running.live.snapshot(), text: running.policy() }),
            Place::Alone => {
                let (catalog, file) = policy_file::read(&self.config)?;
                let StandingObjects { exceptions, rollout } = self.home.standing().await?;
                let policy = file.compile()?.with_standing(exceptions, rollout)?;
                let snapshot = Arc::new(Snapshot::new(policy, catalog, file.pack()?));
                let Some(parsed) = file.parsed else { bail!("`{}` cannot be read whole", file.path.display()) };
                let text = PolicyText { text: file.text, path: file.path.display().to_string(), parsed };
                Ok(InForce { snapshot, text: Arc::new(text) })
            }
        }
    }

    /// Acts on what stands beside the policy.
    pub(crate) fn standing<'a>(&'a self, in_force: &'a InForce) -> standing::Desk<'a> {
        standing::Desk {
            policy: &in_force.snapshot.policy,
            text: &in_force.text,
            world: policy_file::world(&in_force.snapshot.catalog, Some(&self.config)),
            state: &self.home.state,
            ledger: &self.home.ledger,
            now: self.home.clock.now(),
            randomness: &*self.home.randomness,
        }
    }

    /// Closes the data directory of a command of its own.
    pub(super) async fn close(self) -> anyhow::Result<()> {
        let home = Arc::into_inner(self.home).context("the data directory is still in use")?;
        drop(self.accounts);
        home.close().await
    }
}

impl InForce {
    /// What people call a clause.
    pub(crate) fn clause_name(&self, id: &Term) -> String {
        self.snapshot.policy.clause_name(id).unwrap_or_else(|| id.to_string())
    }
}
