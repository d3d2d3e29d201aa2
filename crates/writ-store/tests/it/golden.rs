//! Every format version stays readable; any bytes are survived.

use std::path::PathBuf;
use std::sync::Arc;

use proptest::prelude::*;
use writ_base::ManualClock;
use writ_model::record::{AdminAct, EntryKind};
use writ_model::verdict::Effect;
use writ_store::ledger::{Durability, Entry, LedgerReader, NewEntry, Trust, verify};
use writ_store::storage::{SimulatedStorage, Storage};

use crate::support::{NOW, World, config, full_decision, login, open_with, outcome, secret, signers};

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/segment-1.ledger")
}

/// What the golden segment was made by. It is never made again: later formats get a file of their own.
async fn make() -> Vec<u8> {
    let world = World::new().await;
    let person = world.state.identify(&login("a"), "employee", &secret("A"), &world.ledger).await.unwrap().principal;
    let key = world.state.person_key(person, NOW, &world.ledger).await.unwrap();
    let storage = SimulatedStorage::new();
    let ledger = open_with(&storage, config(Durability::Power), signers(1), Arc::new(ManualClock::at(NOW))).unwrap();
    let mut unknown = NewEntry::decision(&full_decision(1, "openai", Effect::Block, "4.2", Some("phi")), None, NOW);
    unknown.skeleton.pop();
    unknown.skeleton.extend_from_slice(br#", "a-later-field":[1,2]}"#);
    ledger.append_blocking(unknown).unwrap();
    ledger.append_blocking(outcome(1)).unwrap();
    let act = AdminAct { act: "setting-set".into(), object: "retention.days".into(), role: "admin".into() };
    ledger.append_blocking(NewEntry::admin_act(&act, None, NOW)).unwrap();
    let skeleton = full_decision(2, "own", Effect::Allow, "1.1", None);
    let sealed = key.seal(EntryKind::Decision, Some(skeleton.interaction), b"personal", &*world.randomness);
    ledger.append_blocking(NewEntry::decision(&skeleton, Some(sealed), NOW)).unwrap();
    drop(ledger);
    let name = storage.names().unwrap().pop().unwrap();
    storage.open(&name, false).unwrap().read(0, 1 << 20).unwrap()
}

fn with_segment(bytes: &[u8]) -> SimulatedStorage {
    let storage = SimulatedStorage::new();
    storage.open("00000000000000000000.ledger", true).unwrap().append(bytes).unwrap();
    storage
}

#[tokio::test]
async fn format_version_1_stays_readable() {
    if !path().exists() && std::env::var_os("WRIT_UPDATE").is_some() {
        std::fs::write(path(), make().await).unwrap();
    }
    let storage = with_segment(&std::fs::read(path()).unwrap());
    let entries: Vec<Entry> = LedgerReader::new(Arc::new(storage.clone()), 0).map(Result::unwrap).collect();
    let kinds: Vec<EntryKind> = entries.iter().map(|entry| entry.header.kind).collect();
    let expected =
        [EntryKind::Decision, EntryKind::Outcome, EntryKind::AdminAct, EntryKind::Decision, EntryKind::Checkpoint];
    assert_eq!(kinds, expected);
    assert!(entries.iter().all(|entry| entry.header.version == 1 && entry.header.event_time == NOW));
    assert_eq!(entries[3].personal.as_ref().map(Vec::len), Some(1 + 16 + 24 + 8 + 16));
    assert!(entries[0].skeleton.ends_with(br#", "a-later-field":[1,2]}"#));
    assert_eq!(entries[2].parse::<AdminAct>().unwrap().object, "retention.days");
    let verified = verify(Arc::new(storage), &Trust::default()).unwrap();
    assert_eq!((verified.entries, verified.checkpoints, verified.unsigned, verified.torn_bytes), (5, 1, 0, 0));
    let root = "0d64bb808383bb4a2501a9e164e4536d97a9b5f5a1cae24372cb465b176fad65";
    assert_eq!(verified.root.to_string(), root);
}

#[test]
fn fuzz_corpus() {
    let golden = std::fs::read(path()).unwrap();
    writ_store::fuzz::ledger(&[]);
    for end in (0..golden.len()).step_by(3) {
        writ_store::fuzz::ledger(&golden[..end]);
    }
    for place in (0..golden.len()).step_by(5) {
        for value in [0, 1, 0x7f, 0xff] {
            let mut changed = golden.clone();
            changed[place] = value;
            writ_store::fuzz::ledger(&changed);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_bytes_end(bytes in proptest::collection::vec(any::<u8>(), 0..2000), at in 0usize..3000, keep in any::<bool>()) {
        writ_store::fuzz::ledger(&bytes);
        let mut spliced = std::fs::read(path()).unwrap();
        let at = at.min(spliced.len());
        let tail = if keep { spliced.split_off(at) } else { spliced.truncate(at); Vec::new() };
        spliced.extend_from_slice(&bytes);
        spliced.extend_from_slice(&tail);
        writ_store::fuzz::ledger(&spliced);
    }
}
