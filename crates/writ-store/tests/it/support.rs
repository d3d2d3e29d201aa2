//! What several tests need.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use writ_base::keys::SecretKey;
use writ_base::{ContentHash, ManualClock, Moment, Randomness, SeededRandom, Sensitive, SystemRandom};
use writ_model::finding::Certainty;
use writ_model::interaction::{Direction, InteractionId};
use writ_model::record::{
    ClassSeen, DecisionSkeleton, Ending, EntryKind, OrganisationId, OutcomeSkeleton, SnapshotHashes,
};
use writ_model::values::{Account, Action, Band, Category, Channel, Identity, Status, Who};
use writ_model::verdict::{Cause, Effect};
use writ_store::backup::DataDirectory;
use writ_store::ledger::{CheckpointSigner, Durability, Ledger, LedgerConfig, LedgerError, NewEntry};
use writ_store::personal::{Share, new_reveal_key};
use writ_store::state::{Location, Login, Means};
use writ_store::storage::{FileStorage, Storage};
use writ_store::{KeyStore, State};

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

pub fn outcome_skeleton(number: u64) -> OutcomeSkeleton {
    OutcomeSkeleton {
        interaction: interaction(number),
        ending: Ending::Delivered,
        status: Some(200),
        bytes_up: 10,
        bytes_down: 20,
        restored: 0,
        duration_ms: 5,
        judged_us: 0,
    }
}

pub fn outcome(number: u64) -> NewEntry {
    NewEntry::outcome(&outcome_skeleton(number), NOW)
}

/// A data directory with everything open: files, real disk.
pub struct World {
    pub folder: tempfile::TempDir,
    pub keys: Arc<KeyStore>,
    pub clock: Arc<ManualClock>,
    pub randomness: Arc<SeededRandom>,
    pub ledger: Ledger,
    pub state: State,
    pub shares: Vec<Share>,
}

impl World {
    pub async fn new() -> Self {
        Self::with_state(None).await
    }

    /// With another state database than the file in the data directory.
    pub async fn with_state(location: Option<Location>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let directory = DataDirectory::new(folder.path());
        let clock = Arc::new(ManualClock::at(NOW));
        let randomness = Arc::new(SeededRandom::new(rand_seed()));
        let (keys, made) =
            KeyStore::open(&directory.keys(), organisation(), SecretKey::from_bytes([1; 32]), NOW, &*randomness)
                .unwrap();
        let keys = Arc::new(keys);
        let storage = Arc::new(FileStorage::new(&directory.ledger()).unwrap());
        let ledger =
            Ledger::open(storage, config(Durability::Process), keys.signers(), clock.clone(), &*randomness).unwrap();
        keys.record(&ledger, &made, NOW).await.unwrap();
        let (public, shares) = new_reveal_key(3, &*randomness).unwrap();
        keys.add_reveal(public, &ledger, NOW, &*randomness).await.unwrap();
        let means = Means {
            organisation: organisation(),
            keys: keys.clone(),
            clock: clock.clone(),
            randomness: randomness.clone(),
        };
        let location = location.unwrap_or(Location::Sqlite(directory.state()));
        let state = State::open(location, means).await.unwrap();
        Self { folder, keys, clock, randomness, ledger, state, shares }
    }

    pub fn directory(&self) -> DataDirectory {
        DataDirectory::new(self.folder.path())
    }

    pub fn means(&self) -> Means {
        Means {
            organisation: organisation(),
            keys: self.keys.clone(),
            clock: self.clock.clone(),
            randomness: self.randomness.clone(),
        }
    }
}

/// Databases that outlive a test (PostgreSQL) must not see the same ids twice.
fn rand_seed() -> u64 {
    let mut bytes = [0; 8];
    SystemRandom.fill(&mut bytes);
    u64::from_le_bytes(bytes)
}

pub fn login(name: &str) -> Login {
    Login { source: "oidc".into(), name: Sensitive::new(name.to_owned()) }
}

pub fn secret(text: &str) -> Sensitive<String> {
    Sensitive::new(text.to_owned())
}

/// All bytes of all files below a folder, by path.
pub fn all_bytes(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for item in std::fs::read_dir(folder).unwrap() {
            let path = item.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push((path.clone(), std::fs::read(path).unwrap()));
            }
        }
    }
    found
}

pub fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

/// A decision as the engine writes it.
pub fn full_decision(
    number: u64,
    service: &str,
    effect: Effect,
    clause: &str,
    class: Option<&str>,
) -> DecisionSkeleton {
    let cause = Cause { clause: clause.into(), rule: 1, effect, redact: Default::default(), severity: None };
    DecisionSkeleton {
        interaction: interaction(number),
        direction: Direction::Prompt,
        hour: Moment::from_seconds(NOW.seconds() / 3600 * 3600),
        service: service.into(),
        category: Category::ModelApi,
        tier: "unknown".into(),
        status: Status::Approved,
        account: Account::Corporate,
        who: Who::Employee,
        identity: Identity::Password,
        action: Action::Submit,
        channel: Channel::Api,
        format: None,
        classes: class
            .map(|class| ClassSeen {
                class: class.into(),
                band: Band::One,
                certainty: Certainty::Likely,
                redacted: false,
            })
            .into_iter()
            .collect(),
        signals: Vec::new(),
        unreadable: Vec::new(),
        enforced: effect,
        full: effect,
        decided: vec![cause],
        decided_full: Vec::new(),
        exceptions: Vec::new(),
        rollout: Vec::new(),
        decided_at: "body".into(),
        snapshot: SnapshotHashes {
            policy: ContentHash::of(b"policy"),
            rows: ContentHash::of(b"rows"),
            standing: ContentHash::of(b"standing"),
            catalog: ContentHash::of(b"catalog"),
            detection: ContentHash::of(b"detection"),
        },
        reference: (effect == Effect::Block).then(|| format!("REF-{number}")),
        read_in_full: true,
        unread: None,
        regardless: None,
        by_choice: Default::default(),
    }
}
