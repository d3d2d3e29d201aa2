//! Keys on disk.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use writ_base::SeededRandom;
use writ_base::keys::{KeyPurpose, SecretKey};
use writ_store::KeyStore;
use writ_store::keys::{KekSource, KeyError, registry_page};
use writ_store::ledger::{KeyEvent, Trust, verify};
use writ_store::storage::FileStorage;

use crate::support::{NOW, World, contains, login, organisation, secret};

#[test]
fn the_keys_page_is_that_of_the_registry() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/keys.md");
    if std::env::var_os("WRIT_UPDATE").is_some() {
        std::fs::write(&path, registry_page()).unwrap();
    }
    let page = std::fs::read_to_string(path).unwrap_or_default();
    assert!(page == registry_page(), "docs/keys.md is not that of the key registry; run this test with WRIT_UPDATE=1");
}

#[test]
fn keys_come_back_only_with_the_same_key_encryption_key() {
    let folder = tempfile::tempdir().unwrap();
    let randomness = SeededRandom::new(1);
    let open =
        |kek: u8| KeyStore::open(folder.path(), organisation(), SecretKey::from_bytes([kek; 32]), NOW, &randomness);
    let (store, made) = open(1).unwrap();
    let stored = [KeyPurpose::Identity, KeyPurpose::ApiKey, KeyPurpose::Checkpoint, KeyPurpose::Locator];
    assert!(stored.iter().all(|purpose| made.iter().any(|event| event.purpose == *purpose)));
    let (again, nothing_made) = open(1).unwrap();
    assert!(nothing_made.is_empty());
    for purpose in stored {
        assert_eq!(store.current(purpose).unwrap(), again.current(purpose).unwrap());
    }
    assert!(matches!(open(2), Err(KeyError::WrongKek { .. })));
    let path = folder.path().join("keys.json");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let bytes = std::fs::read(&path).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    for purpose in stored {
        let key = store.current(purpose).unwrap().1;
        assert!(!contains(&bytes, key.expose()) && !text.contains(&writ_base::hash::hex(key.expose())));
    }
    std::fs::write(&path, text.replacen("\"epoch\": 1", "\"epoch\": 2", 1)).unwrap();
    assert!(matches!(open(1), Err(KeyError::WrongKek { .. })), "a key does not open as one of another epoch");
}

#[test]
fn the_key_encryption_key_comes_from_a_file_or_a_command() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kek");
    KekSource::create_file(&path, &SeededRandom::new(9)).unwrap();
    assert!(KekSource::create_file(&path, &SeededRandom::new(9)).is_err(), "an existing key is never overwritten");
    let key = KekSource::File(path.clone()).load().unwrap();
    let command = KekSource::Command(vec!["cat".into(), path.display().to_string()]);
    assert_eq!(command.load().unwrap(), key);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    assert!(matches!(KekSource::File(path.clone()).load(), Err(KeyError::TooOpen { mode: 0o640, .. })));
    let failing = KekSource::Command(vec!["false".into()]);
    assert!(matches!(failing.load(), Err(KeyError::CommandFailed { .. })));
    let short = KekSource::Command(vec!["echo".into(), "0123".into()]);
    assert!(matches!(short.load(), Err(KeyError::NotAKey { .. })));
    assert!(matches!(KekSource::File(folder.path().join("none")).load(), Err(KeyError::Io { .. })));
}

#[tokio::test]
async fn rotations_are_entries_and_old_epochs_stay_readable() {
    let world = World::new().await;
    let (_, old) = world.keys.current(KeyPurpose::Pseudonym).unwrap();
    let before = world.ledger.position();
    let epoch = world.keys.rotate(KeyPurpose::Pseudonym, &world.ledger, NOW, &*world.randomness).await.unwrap();
    assert_eq!((epoch, world.keys.of_epoch(KeyPurpose::Pseudonym, 1).unwrap()), (2, old));
    let entry = world.ledger.reader(before).next().unwrap().unwrap();
    assert_eq!(entry.parse::<KeyEvent>().unwrap().epoch, Some(2));
    for purpose in [KeyPurpose::ApiKey, KeyPurpose::Personal, KeyPurpose::Vault, KeyPurpose::Locator] {
        let refused = world.keys.rotate(purpose, &world.ledger, NOW, &*world.randomness).await;
        assert!(matches!(refused, Err(KeyError::NotRotated { .. })), "{purpose}");
    }
    let first = world.ledger.checkpoint().await.unwrap();
    world.keys.rotate(KeyPurpose::Checkpoint, &world.ledger, NOW, &*world.randomness).await.unwrap();
    let second = world.ledger.checkpoint().await.unwrap();
    assert_ne!(first.key, second.key);
    let storage = Arc::new(FileStorage::new(&world.directory().ledger()).unwrap());
    verify(storage, &Trust { earlier: vec![first, second], keys: Vec::new() }).unwrap();
    let current: Vec<_> = world.keys.list().into_iter().filter(|info| info.current).map(|info| info.purpose).collect();
    assert!(current.contains(&KeyPurpose::Reveal) && current.contains(&KeyPurpose::KeyEncryption));
}

#[tokio::test]
async fn a_new_key_encryption_key_seals_everything_anew() {
    let world = World::new().await;
    let person = world.state.identify(&login("a@x"), "employee", &secret("A"), &world.ledger).await.unwrap().principal;
    let sealed = world.state.person_key(person, NOW, &world.ledger).await.unwrap();
    let entry = crate::erasure::append_personal(&world, &sealed, b"content").await;
    let kek = SecretKey::from_bytes([2; 32]);
    assert_eq!(world.keys.change_kek(kek.clone(), &world.ledger, NOW, &*world.randomness).await.unwrap(), 2);
    // Cut off here, the next start completes it: both keys are known until then.
    assert_eq!(world.state.open_personal(&entry).await.unwrap().unwrap().expose(), b"content");
    assert_eq!(world.state.finish_kek_change().await.unwrap(), 1);
    assert!(world.keys.epochs(KeyPurpose::KeyEncryption).is_empty());
    assert_eq!(world.state.open_personal(&entry).await.unwrap().unwrap().expose(), b"content");
    let reopen = |kek| KeyStore::open(&world.directory().keys(), organisation(), kek, NOW, &*world.randomness);
    assert!(matches!(reopen(SecretKey::from_bytes([1; 32])), Err(KeyError::WrongKek { .. })));
    assert_eq!(reopen(kek).unwrap().0.current(KeyPurpose::KeyEncryption).unwrap().0, 2);
}
