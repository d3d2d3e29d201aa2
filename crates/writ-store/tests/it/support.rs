//! What several tests need.

use std::sync::Arc;
use std::time::Duration;

use writ_base::{ManualClock, Moment, SeededRandom};
use writ_model::interaction::InteractionId;
use writ_model::record::{Ending, EntryKind, OrganisationId, OutcomeSkeleton};
use writ_store::ledger::{CheckpointSigner, Durability, Ledger, LedgerConfig, LedgerError, NewEntry};
use writ_store::storage::Storage;

/// 2026-11-22T09:30Z.
pub const NOW: Moment = Moment::from_seconds(1_795_339_800);

pub fn organisation() -> OrganisationId {
    OrganisationId::from_bytes([7; 16])
}

pub fn config(durability: Durability) -> LedgerConfig {
    LedgerConfig { durability, sync_within: Duration::from_millis(2), ..LedgerConfig::new(organisation()) }
}

pub fn signers(count: u8) -> Vec<CheckpointSigner> {
    (1..=count).map(|n| CheckpointSigner::new(&[n; 32])).collect()
}

pub fn open(storage: &(impl Storage + Clone + 'static), config: LedgerConfig) -> Result<Ledger, LedgerError> {
    open_with(storage, config, signers(1), Arc::new(ManualClock::at(NOW)))
}

pub fn open_with(
    storage: &(impl Storage + Clone + 'static),
    config: LedgerConfig,
    signers: Vec<CheckpointSigner>,
    clock: Arc<ManualClock>,
) -> Result<Ledger, LedgerError> {
    Ledger::open(Arc::new(storage.clone()), config, signers, clock, &SeededRandom::new(1))
}

pub fn interaction(number: u64) -> InteractionId {
    let mut bytes = [9; 16];
    bytes[8..].copy_from_slice(&number.to_be_bytes());
    InteractionId::from_bytes(bytes)
}

/// A decision whose skeleton says which one it is.
pub fn decision(number: u64) -> NewEntry {
    let skeleton = format!("{{\"interaction\":\"{}\",\"number\":{number}}}", interaction(number)).into_bytes();
    let interaction = Some(interaction(number));
    NewEntry { kind: EntryKind::Decision, interaction, event_time: NOW, skeleton, personal: None }
}

pub fn outcome(number: u64) -> NewEntry {
    let skeleton = OutcomeSkeleton {
        interaction: interaction(number),
        ending: Ending::Delivered,
        status: Some(200),
        bytes_up: 10,
        bytes_down: 20,
        restored: 0,
        duration_ms: 5,
    };
    NewEntry::outcome(&skeleton, NOW)
}
