//! What the console says about the running Writ: doors, fail modes, keys, limits, and what needs somebody's eyes.

use std::net::SocketAddr;
use std::sync::Arc;

use writ_base::{Limit, Moment};
use writ_ca::Authority;
use writ_console::{Check, CheckState, Health, KeyAge};
use writ_store::Index;

use super::Running;
use super::doors::Parts;
use crate::wiring::Home;

/// Entries that the index may lag behind before somebody should look.
const LAG: u64 = 5_000;
/// Days before an intermediate ends at which somebody should look.
const EXPIRES_SOON: i64 = 30;

/// Says how it is.
pub(super) struct Reporter {
    home: Arc<Home>,
    running: Arc<Running>,
    index: Arc<Index>,
    authority: Option<Arc<Authority>>,
    listeners: Vec<(String, String)>,
    fail_modes: Vec<(String, String)>,
    started: Moment,
}

impl Reporter {
    pub(super) fn new(
        parts: &Parts<'_>,
        index: &Arc<Index>,
        authority: Option<Arc<Authority>>,
        listeners: &[(&'static str, SocketAddr)],
    ) -> Self {
        Self {
            home: Arc::clone(parts.home),
            running: Arc::clone(parts.running),
            index: Arc::clone(index),
            authority,
            listeners: listeners.iter().map(|(name, address)| ((*name).to_owned(), address.to_string())).collect(),
            fail_modes: fail_modes(parts.config.ledger.fail_open),
            started: parts.home.clock.now(),
        }
    }

    /// How it is now.
    pub(super) fn report(&self) -> Health {
        let mut checks = vec![self.policy(), self.index()];
        checks.extend(self.authority());
        let keys = self.home.keys.list();
        Health {
            ready: true,
            checks,
            fail_modes: self.fail_modes.clone(),
            reload_error: self.running.refused(),
            keys: keys
                .into_iter()
                .map(|key| KeyAge { purpose: key.purpose.to_string(), epoch: key.epoch, made: key.made })
                .collect(),
            limits: limits(),
            listeners: self.listeners.clone(),
            started: self.started,
        }
    }

    fn policy(&self) -> Check {
        let hash = self.running.live.snapshot().hashes().policy.short();
        match self.running.refused() {
            None => check("policy", CheckState::Fine, format!("{hash} is in force")),
            Some(_) => {
                check("policy", CheckState::Failed, format!("a change was not taken over; {hash} stays in force"))
            }
        }
    }

    fn index(&self) -> Check {
        let lag = self.index.lag(self.home.ledger.position());
        let state = if lag > LAG { CheckState::Attention } else { CheckState::Fine };
        check("index", state, format!("{lag} entries behind the ledger"))
    }

    fn authority(&self) -> Option<Check> {
        let expires = self.authority.as_ref()?.expires()?;
        let days = (expires.seconds() - self.home.clock.now().seconds()) / 86_400;
        let state = match days {
            ..0 => CheckState::Failed,
            0..EXPIRES_SOON => CheckState::Attention,
            _ => CheckState::Fine,
        };
        Some(check("certificate authority", state, format!("its first intermediate ends in {days} days")))
    }
}

fn check(name: &str, state: CheckState, detail: String) -> Check {
    Check { name: name.to_owned(), state, detail }
}

/// What happens where something fails. Only the ledger's can be chosen here; the others are as built, or by rule.
fn fail_modes(ledger_open: bool) -> Vec<(String, String)> {
    let ledger = if ledger_open {
        "open: judged traffic goes on unrecorded, and an alarm says so"
    } else {
        "closed: nothing is sent"
    };
    [
        ("ledger cannot be written", ledger),
        ("a reader fails, takes too long, or content is too large", "as the rule says; closed where none does"),
        ("a detector panics", "closed: that interaction is refused"),
        ("the policy file is broken", "the last good policy stays in force"),
        ("the index fails", "no effect on decisions; the console is out of date"),
        ("the state database fails", "nobody can be told: callers are refused"),
    ]
    .into_iter()
    .map(|(what, mode)| (what.to_owned(), mode.to_owned()))
    .collect()
}

/// The named limits of everything that runs.
fn limits() -> Vec<&'static Limit> {
    let mut all: Vec<&'static Limit> = writ_proxy::limits::ALL.to_vec();
    all.extend(writ_proxy::forward::limits::ALL.iter().copied());
    all.extend(writ_engine::limits::ALL.iter().copied());
    all.extend(writ_ca::limits::ALL.iter().copied());
    all.extend(writ_store::limits::all());
    all.extend(writ_identity::limits::all());
    all.extend(crate::door::LIMITS.iter().copied());
    all
}
