//! The ledger in good and bad days, without crashes.

use std::sync::Arc;
use std::time::Duration;

use writ_base::{ContentHash, ManualClock};
use writ_model::record::{AdminAct, Ending, EntryKind, OutcomeSkeleton};
use writ_store::ledger::{
    Checkpoint, Durability, Entry, Ledger, LedgerError, LedgerReader, NewEntry, Trust, VerifyError, verify,
};
use writ_store::storage::{FileStorage, SimulatedStorage, Storage};

use crate::support::{NOW, config, decision, open, open_with, outcome, signers};

fn entries(storage: &SimulatedStorage) -> Vec<Entry> {
    LedgerReader::new(Arc::new(storage.clone()), 0).map(Result::unwrap).collect()
}

fn kinds(storage: &SimulatedStorage) -> Vec<EntryKind> {
    entries(storage).iter().map(|entry| entry.header.kind).collect()
}

fn verified(storage: &SimulatedStorage, earlier: &[Checkpoint]) -> Result<u64, VerifyError> {
    let trust = Trust { earlier: earlier.to_vec(), keys: Vec::new() };
    verify(Arc::new(storage.clone()), &trust).map(|verified| verified.entries)
}

/// Small segments, so that a few entries fill several.
fn filled(count: u64) -> (SimulatedStorage, Ledger) {
    let storage = SimulatedStorage::new();
    let mut config = config(Durability::Process);
    config.segment_bytes = 4000;
    let ledger = open(&storage, config).unwrap();
    for number in 0..count {
        ledger.append_blocking(decision(number)).unwrap();
        if number % 3 != 0 {
            ledger.append_blocking(outcome(number)).unwrap();
        }
    }
    (storage, ledger)
}

#[tokio::test]
async fn entries_come_back_byte_by_byte() {
    let folder = tempfile::tempdir().unwrap();
    let storage = FileStorage::new(folder.path()).unwrap();
    let ledger = open(&storage, config(Durability::Power)).unwrap();
    let mut strange = decision(1);
    strange.skeleton = br#"{ "a":1 , "unknown-field" : [ 1,2 ]}"#.to_vec();
    let first = ledger.append(strange.clone()).await.unwrap();
    let act = AdminAct { act: "policy-activate".into(), object: "abc".into(), role: "policy-owner".into() };
    let second = ledger.append(NewEntry::admin_act(&act, None, NOW)).await.unwrap();
    assert_eq!((first.sequence, second.sequence, ledger.position()), (0, 1, 2));
    let read: Vec<Entry> = ledger.reader(0).map(Result::unwrap).collect();
    assert_eq!(read[0].skeleton, strange.skeleton);
    assert_eq!((read[0].hash, read[1].header.previous), (first.hash, first.hash));
    assert_eq!(read[1].parse::<AdminAct>().unwrap(), act);
    ledger.close().await.unwrap();
    assert_eq!(ledger.append(decision(2)).await, Err(LedgerError::Closed));
    drop(ledger);
    let storage: Arc<dyn Storage> = Arc::new(storage);
    let verified = verify(storage, &Trust::default()).unwrap();
    assert_eq!((verified.entries, verified.checkpoints, verified.unsigned, verified.torn_bytes), (3, 1, 0, 0));
}

#[test]
fn one_writer_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let storage = FileStorage::new(folder.path()).unwrap();
    let ledger = open(&storage, config(Durability::Process)).unwrap();
    assert_eq!(open(&storage, config(Durability::Process)).err(), Some(LedgerError::InUse));
    drop(ledger);
    assert!(!open(&storage, config(Durability::Process)).unwrap().opening().unclean);
}

#[test]
fn segments_follow_each_other_and_the_chain_goes_on_after_a_restart() {
    let (storage, ledger) = filled(40);
    let position = ledger.position();
    drop(ledger);
    assert!(storage.names().unwrap().len() > 4);
    assert_eq!(verified(&storage, &[]).unwrap(), position + 1);
    let ledger = open(&storage, config(Durability::Process)).unwrap();
    let opening = ledger.opening();
    assert_eq!((opening.new, opening.unclean, opening.gap, opening.interrupted), (false, false, None, 14));
    drop(ledger);
    let all = entries(&storage);
    assert!(all.iter().enumerate().all(|(place, entry)| entry.header.sequence == place as u64));
    let interrupted = all.iter().filter_map(|entry| entry.parse::<OutcomeSkeleton>().ok());
    assert_eq!(interrupted.filter(|outcome| outcome.ending == Ending::Interrupted).count(), 14);
    assert_eq!(verified(&storage, &[]).unwrap(), all.len() as u64);
}

#[test]
fn readers_start_anywhere_and_follow_the_writer() {
    let (storage, ledger) = filled(40);
    let position = ledger.position();
    for from in [0, 1, 17, position - 1] {
        let mut reader = LedgerReader::new(Arc::new(storage.clone()), from);
        assert_eq!(reader.next().unwrap().unwrap().header.sequence, from);
    }
    let mut reader = ledger.reader(position);
    assert!(reader.next().is_none());
    for number in 100..140 {
        ledger.append_blocking(decision(number)).unwrap();
        let read = std::iter::from_fn(|| reader.next()).map(Result::unwrap).last().unwrap();
        assert!(read.header.sequence >= position);
    }
    assert!(reader.position() >= position + 40);
}

#[test]
fn checkpoints_come_by_the_clock() {
    let storage = SimulatedStorage::new();
    let clock = Arc::new(ManualClock::at(NOW));
    let ledger = open_with(&storage, config(Durability::Process), signers(1), clock.clone()).unwrap();
    ledger.append_blocking(decision(1)).unwrap();
    clock.advance(Duration::from_secs(61));
    ledger.append_blocking(decision(2)).unwrap();
    ledger.append_blocking(decision(3)).unwrap();
    // The writer looks at the clock on its own.
    while !kinds(&storage).contains(&EntryKind::Checkpoint) {
        std::thread::yield_now();
    }
    drop(ledger);
    assert_eq!(verified(&storage, &[]).unwrap(), 5);
}

#[tokio::test]
async fn a_stranger_with_an_earlier_checkpoint_catches_truncation_and_rewriting() {
    let (storage, ledger) = filled(20);
    let earlier = ledger.checkpoint().await.unwrap();
    for number in 100..120 {
        ledger.append(decision(number)).await.unwrap();
    }
    drop(ledger);
    assert!(verified(&storage, std::slice::from_ref(&earlier)).is_ok());

    let truncated = storage.copy();
    let names = truncated.names().unwrap();
    for name in &names[2..] {
        truncated.remove(name).unwrap();
    }
    assert!(verified(&truncated, &[]).is_ok(), "without the checkpoint a truncated ledger looks whole");
    assert!(matches!(
        verified(&truncated, std::slice::from_ref(&earlier)),
        Err(VerifyError::Truncated { size, .. }) if size == earlier.size
    ));

    // Rewritten by somebody who has the key.
    let rewritten = SimulatedStorage::new();
    let ledger = open(&rewritten, config(Durability::Process)).unwrap();
    for number in 200..300 {
        ledger.append_blocking(decision(number)).unwrap();
    }
    drop(ledger);
    assert!(verified(&rewritten, &[]).is_ok());
    assert!(matches!(
        verified(&rewritten, std::slice::from_ref(&earlier)),
        Err(VerifyError::Rewritten { .. } | VerifyError::EarlierInvalid { .. })
    ));

    let forged = Checkpoint { size: earlier.size - 1, ..earlier };
    assert!(matches!(verified(&storage, &[forged]), Err(VerifyError::EarlierInvalid { .. })));
}

#[test]
fn every_changed_byte_is_found() {
    let (storage, ledger) = filled(6);
    drop(ledger);
    let whole = verified(&storage, &[]).unwrap();
    let last = verify(Arc::new(storage.clone()), &Trust::default()).unwrap().last_checkpoint.unwrap();
    for name in storage.names().unwrap() {
        let length = storage.open(&name, false).unwrap().length().unwrap();
        for place in (0..length as usize).step_by(7) {
            let copy = storage.copy();
            copy.tamper(&name, |bytes| bytes[place] ^= 1);
            let trust = Trust { earlier: vec![last.clone()], keys: Vec::new() };
            let found = verify(Arc::new(copy), &trust);
            // The very last entry is the checkpoint itself: nothing after it says that it was whole.
            let told = found.is_err() || found.is_ok_and(|it| it.torn_bytes > 0 && it.entries == whole - 1);
            assert!(told, "{name} byte {place}");
        }
    }
}

#[tokio::test]
async fn signing_keys_follow_each_other() {
    let storage = SimulatedStorage::new();
    let ledger = open(&storage, config(Durability::Process)).unwrap();
    ledger.append(decision(1)).await.unwrap();
    let before = ledger.checkpoint().await.unwrap();
    ledger.change_signer(signers(2).pop().unwrap()).await.unwrap();
    let after = ledger.checkpoint().await.unwrap();
    assert_ne!(before.key, after.key);
    drop(ledger);
    let trust = Trust { earlier: vec![before.clone(), after], keys: vec![before.key] };
    assert_eq!(verify(Arc::new(storage.clone()), &trust).unwrap().checkpoints, 2);
    let other = Trust { keys: vec![ContentHash::of(b"other")], ..Trust::default() };
    assert!(matches!(verify(Arc::new(storage.clone()), &other), Err(VerifyError::KeyUnknown { .. })));
    // Only the old key at hand: the chain names another one.
    assert!(matches!(open(&storage, config(Durability::Process)), Err(LedgerError::SignerMissing(_))));
    // A third key is there: the second one vouches for it at the start.
    let clock = Arc::new(ManualClock::at(NOW));
    drop(open_with(&storage, config(Durability::Process), signers(3), clock).unwrap());
    let verified = verify(Arc::new(storage), &trust).unwrap();
    assert_eq!(verified.last_checkpoint.unwrap().key, signers(3)[2].public());
}

#[test]
fn a_full_disk_is_an_error_and_the_chain_stays_whole() {
    let storage = SimulatedStorage::new();
    let ledger = open(&storage, config(Durability::Process)).unwrap();
    ledger.append_blocking(decision(1)).unwrap();
    storage.set_capacity(Some(2000));
    let written = (2..50).take_while(|number| ledger.append_blocking(decision(*number)).is_ok()).count() as u64;
    assert!(written > 0 && written < 47);
    assert_eq!(ledger.append_blocking(decision(60)), Err(LedgerError::DiskFull));
    assert_eq!(verified(&storage, &[]).unwrap(), written + 1);
    storage.set_capacity(None);
    assert_eq!(ledger.append_blocking(decision(61)).unwrap().sequence, written + 1);
    drop(ledger);
    verified(&storage, &[]).unwrap();
}

#[test]
fn after_a_failed_sync_nothing_more_is_written() {
    let storage = SimulatedStorage::new();
    let ledger = open(&storage, config(Durability::Power)).unwrap();
    ledger.append_blocking(decision(1)).unwrap();
    storage.fail_syncs(1);
    assert!(ledger.append_blocking(decision(2)).is_err());
    assert_eq!(ledger.append_blocking(decision(3)), Err(LedgerError::Stopped));
    drop(ledger);
    let ledger = open(&storage, config(Durability::Power)).unwrap();
    assert!(ledger.opening().unclean);
    ledger.append_blocking(decision(4)).unwrap();
    drop(ledger);
    verified(&storage, &[]).unwrap();
}

#[test]
fn entries_over_a_limit_are_refused_alone() {
    let storage = SimulatedStorage::new();
    let ledger = open(&storage, config(Durability::Process)).unwrap();
    let mut large = decision(1);
    large.skeleton = vec![b' '; 300_000];
    assert!(matches!(ledger.append_blocking(large), Err(LedgerError::TooLarge { bytes: 300_000, .. })));
    assert_eq!(ledger.append_blocking(decision(2)).unwrap().sequence, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_appends_get_one_place_each() {
    let storage = SimulatedStorage::new();
    let mut small = config(Durability::Power);
    small.segment_bytes = 50_000;
    let ledger = open(&storage, small).unwrap();
    let tasks: Vec<_> = (0..8)
        .map(|task| {
            let ledger = ledger.clone();
            tokio::spawn(async move {
                let mut places = Vec::new();
                for number in 0..200 {
                    places.push((number, ledger.append(decision(task * 1000 + number)).await.unwrap()));
                }
                places
            })
        })
        .collect();
    let mut places = std::collections::BTreeMap::new();
    for task in tasks {
        let mut last = None;
        for (_, written) in task.await.unwrap() {
            assert!(last < Some(written.sequence), "one caller's entries keep their order");
            last = Some(written.sequence);
            assert!(places.insert(written.sequence, written.hash).is_none());
        }
    }
    assert_eq!(places.len(), 1600);
    drop(ledger);
    let all = entries(&storage);
    assert!(places.iter().all(|(sequence, hash)| all[*sequence as usize].hash == *hash));
    verified(&storage, &[]).unwrap();
}

#[test]
fn a_newer_ledger_is_refused() {
    let (storage, ledger) = filled(1);
    drop(ledger);
    let name = storage.names().unwrap().pop().unwrap();
    storage.tamper(&name, |bytes| bytes[8] = 2);
    assert!(matches!(open(&storage, config(Durability::Process)), Err(LedgerError::Newer { found: 2, known: 1, .. })));
    assert!(matches!(verified(&storage, &[]), Err(VerifyError::Unreadable(LedgerError::Newer { .. }))));
}

#[test]
fn another_organisation_is_refused() {
    let (storage, ledger) = filled(1);
    drop(ledger);
    let mut other = config(Durability::Process);
    other.organisation = writ_model::record::OrganisationId::from_bytes([8; 16]);
    assert_eq!(open(&storage, other).err(), Some(LedgerError::OtherOrganisation));
}
