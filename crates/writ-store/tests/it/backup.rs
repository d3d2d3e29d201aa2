//! Backup and restore of a data directory in use.

use std::sync::Arc;

use writ_base::keys::SecretKey;
use writ_store::backup::{BackupError, DataDirectory, backup, restore};
use writ_store::ledger::{Durability, Ledger};
use writ_store::state::{Location, Means};
use writ_store::storage::FileStorage;
use writ_store::{Index, KeyStore, State};

use crate::erasure::append_personal;
use crate::support::{NOW, World, config, decision, login, organisation, secret};

#[tokio::test]
async fn a_restored_directory_holds_everything_and_goes_on() {
    let world = World::new().await;
    let principal = world.state.identify(&login("a"), "employee", &secret("A"), &world.ledger).await.unwrap().principal;
    let key = world.state.person_key(principal, NOW, &world.ledger).await.unwrap();
    let entry = append_personal(&world, &key, b"content").await;
    let busy = {
        let ledger = world.ledger.clone();
        tokio::spawn(async move {
            for number in 1000.. {
                if ledger.append(decision(number)).await.is_err() {
                    break;
                }
                tokio::task::yield_now().await;
            }
        })
    };
    let places = tempfile::tempdir().unwrap();
    let (copy, restored) = (places.path().join("backup"), places.path().join("restored"));
    let (manifest, verified) = backup(&world.directory(), &world.ledger, &world.state, &copy).await.unwrap();
    busy.abort();
    assert!(manifest.state && verified.entries >= manifest.checkpoint.size);
    let again = backup(&world.directory(), &world.ledger, &world.state, &copy).await;
    assert!(matches!(again, Err(BackupError::NotEmpty { .. })));
    assert_eq!(restore(&copy, &restored).unwrap().0, manifest);

    let directory = DataDirectory::new(&restored);
    let kek = SecretKey::from_bytes([1; 32]);
    let (keys, made) = KeyStore::open(&directory.keys(), organisation(), kek, NOW, &*world.randomness).unwrap();
    assert!(made.is_empty());
    let keys = Arc::new(keys);
    let storage = Arc::new(FileStorage::new(&directory.ledger()).unwrap());
    let signers = keys.signers();
    let ledger =
        Ledger::open(storage, config(Durability::Power), signers, world.clock.clone(), &*world.randomness).unwrap();
    assert!(!ledger.opening().unclean && ledger.opening().gap.is_none());
    ledger.append(decision(1)).await.unwrap();
    let means = Means { keys, ..world.means() };
    let state = State::open(Location::Sqlite(directory.state()), means).await.unwrap();
    assert_eq!(state.find_login(&login("a")).await.unwrap(), Some(principal));
    assert_eq!(state.open_personal(&entry).await.unwrap().unwrap().expose(), b"content");
    let index = Index::open(&directory.index()).await.unwrap();
    index.catch_up(&mut ledger.reader(0)).await.unwrap();
    assert_eq!(index.position(), ledger.position());
}

#[tokio::test]
async fn a_changed_backup_is_refused() {
    let world = World::new().await;
    let places = tempfile::tempdir().unwrap();
    let copy = places.path().join("backup");
    backup(&world.directory(), &world.ledger, &world.state, &copy).await.unwrap();
    let state = copy.join("state.db");
    let mut bytes = std::fs::read(&state).unwrap();
    bytes[5000] ^= 1;
    std::fs::write(&state, &bytes).unwrap();
    let target = places.path().join("restored");
    assert!(matches!(restore(&copy, &target), Err(BackupError::Changed { path }) if path == "state.db"));
    assert!(!target.exists());
    assert!(matches!(restore(places.path(), &target), Err(BackupError::NotABackup { .. })));
}
