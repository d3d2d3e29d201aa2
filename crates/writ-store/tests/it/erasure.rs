//! A person who is erased is gone from every file, and the ledger stays whole (PRV-1, STO-1).

use std::sync::Arc;

use writ_model::record::EntryKind;
use writ_store::ledger::{Entry, NewEntry, Trust, verify};
use writ_store::personal::{PersonKey, open_identity};
use writ_store::state::{ApiKeyKind, NewApiKey, StateError};
use writ_store::storage::FileStorage;

use crate::support::{NOW, World, all_bytes, contains, full_decision, login, secret};
use writ_model::verdict::Effect;

const PLANTED: [&str; 5] =
    ["Erika Mustermann", "erika.mustermann@example.org", "laptop-4711.example.org", "192.0.2.77", "salary of my team"];

/// Writes a decision whose personal part is sealed under this key, and reads it back.
pub async fn append_personal(world: &World, key: &PersonKey, plain: &[u8]) -> Entry {
    let number = world.ledger.position();
    let skeleton = full_decision(number, "openai", Effect::Coach, "4.2", Some("phi"));
    let sealed = key.seal(EntryKind::Decision, Some(skeleton.interaction), plain, &*world.randomness);
    let written = world.ledger.append(NewEntry::decision(&skeleton, Some(sealed), NOW)).await.unwrap();
    world.ledger.reader(written.sequence).next().unwrap().unwrap()
}

#[tokio::test]
async fn an_erased_person_is_found_nowhere_and_the_ledger_verifies() {
    let world = World::new().await;
    let known = world.state.identify(&login(PLANTED[1]), "employee", &secret(PLANTED[0]), &world.ledger).await.unwrap();
    assert!(known.new);
    let other = world.state.identify(&login("other@example.org"), "employee", &secret("Other"), &world.ledger).await;
    let other = other.unwrap().principal;
    let principal = known.principal;
    let agent =
        NewApiKey { kind: ApiKeyKind::Agent, owner: other, on_behalf_of: Some(principal), labels: Default::default() };
    world.state.create_api_key(agent, "admin", &world.ledger).await.unwrap();
    let key = world.state.person_key(principal, NOW, &world.ledger).await.unwrap();
    let mine = append_personal(&world, &key, PLANTED.join("\n").as_bytes()).await;
    let key = world.state.person_key(other, NOW, &world.ledger).await.unwrap();
    let theirs = append_personal(&world, &key, b"theirs").await;
    assert_eq!(world.state.open_personal(&mine).await.unwrap().unwrap().expose(), PLANTED.join("\n").as_bytes());
    let (sealed, _) = world.state.sealed_identity(principal).await.unwrap();
    let revealed = open_identity(&sealed, &principal.to_string(), &world.shares[..2]).unwrap();
    assert_eq!(revealed, PLANTED[0].as_bytes());
    let earlier = world.ledger.checkpoint().await.unwrap();

    let scan = |needles: &[Vec<u8>]| {
        let files = all_bytes(world.folder.path());
        let hit =
            |needle: &Vec<u8>| files.iter().find(|(_, bytes)| contains(bytes, needle)).map(|(path, _)| path.clone());
        needles.iter().filter_map(hit).collect::<Vec<_>>()
    };
    // Never in the clear, before the erasure either.
    let planted: Vec<Vec<u8>> = PLANTED.iter().map(|text| text.as_bytes().to_vec()).collect();
    assert_eq!(scan(&planted), Vec::<std::path::PathBuf>::new());
    let mut ids = vec![principal.to_string().into_bytes(), principal.as_bytes().to_vec()];
    ids.push(writ_base::hash::hex(sealed.as_bytes()).into_bytes());
    assert!(!scan(&ids).is_empty(), "the state database knows the principal's id until then");

    let erased = world.state.erase(principal, "privacy officer", &world.ledger).await.unwrap();
    assert_eq!((erased.keys, erased.logins), (1, 1));
    assert_eq!(scan(&planted), Vec::<std::path::PathBuf>::new());
    assert_eq!(scan(&ids), Vec::<std::path::PathBuf>::new());
    assert_eq!(world.state.open_personal(&mine).await.unwrap(), None);
    assert_eq!(world.state.open_personal(&theirs).await.unwrap().unwrap().expose(), b"theirs");
    assert_eq!(world.state.find_login(&login(PLANTED[1])).await.unwrap(), None);
    assert!(world.state.api_keys().await.unwrap().is_empty());
    assert!(matches!(world.state.person_key(principal, NOW, &world.ledger).await, Err(StateError::Missing { .. })));
    assert!(matches!(world.state.erase(principal, "x", &world.ledger).await, Err(StateError::Missing { .. })));
    let storage = Arc::new(FileStorage::new(&world.directory().ledger()).unwrap());
    let verified = verify(storage, &Trust { earlier: vec![earlier], keys: Vec::new() }).unwrap();
    assert_eq!(verified.personal_parts, 2);
    // Whoever comes back is somebody new.
    let again = world.state.identify(&login(PLANTED[1]), "employee", &secret(PLANTED[0]), &world.ledger).await.unwrap();
    assert!(again.new && again.principal != principal);
}

#[tokio::test]
async fn parts_of_one_person_cannot_be_told_from_parts_of_two() {
    let world = World::new().await;
    let principal = world.state.identify(&login("a"), "employee", &secret("A"), &world.ledger).await.unwrap().principal;
    let key = world.state.person_key(principal, NOW, &world.ledger).await.unwrap();
    let (one, two) = (append_personal(&world, &key, b"x").await, append_personal(&world, &key, b"x").await);
    let (one, two) = (one.personal.unwrap(), two.personal.unwrap());
    let longest = (1..one.len() - 4).filter(|at| contains(&two, &one[*at..at + 4])).count();
    assert_eq!(longest, 0, "two sealed parts share four bytes in a row");
}

#[tokio::test]
async fn a_personal_part_opens_in_its_own_entry_only() {
    let world = World::new().await;
    let principal = world.state.identify(&login("a"), "employee", &secret("A"), &world.ledger).await.unwrap().principal;
    let key = world.state.person_key(principal, NOW, &world.ledger).await.unwrap();
    let mut one = append_personal(&world, &key, b"one").await;
    let two = append_personal(&world, &key, b"two").await;
    one.personal = two.personal;
    assert!(matches!(world.state.open_personal(&one).await, Err(StateError::Unreadable { .. })));
}

#[tokio::test]
async fn erasures_are_repeated_on_an_older_state_database() {
    let world = World::new().await;
    let principal = world.state.identify(&login("a"), "employee", &secret("A"), &world.ledger).await.unwrap().principal;
    let key = world.state.person_key(principal, NOW, &world.ledger).await.unwrap();
    let entry = append_personal(&world, &key, b"content").await;
    let copy = world.folder.path().join("older.db");
    world.state.copy_to(&copy).await.unwrap();
    world.state.erase(principal, "privacy officer", &world.ledger).await.unwrap();
    let older = writ_store::State::open(writ_store::state::Location::Sqlite(copy), world.means()).await.unwrap();
    assert!(older.open_personal(&entry).await.unwrap().is_some());
    assert_eq!(older.repeat_erasures(world.ledger.reader(0)).await.unwrap(), 1);
    assert!(older.open_personal(&entry).await.unwrap().is_none());
    assert_eq!(older.find_login(&login("a")).await.unwrap(), None);
}
