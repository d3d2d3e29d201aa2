//! A data directory with everything open.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use writ_base::keys::SecretKey;
use writ_base::{Clock as _, ManualClock, Moment, SeededRandom, Sensitive};
use writ_engine::Caller;
use writ_identity::accounts::AccountOptions;
use writ_identity::{Accounts, Evidence, Gatekeeper, GatekeeperOptions, Hashing, Presented};
use writ_model::interaction::PrincipalId;
use writ_model::record::OrganisationId;
use writ_model::{Currency, Who};
use writ_store::backup::DataDirectory;
use writ_store::ledger::LedgerConfig;
use writ_store::personal::new_reveal_key;
use writ_store::state::{Attributes, LOGIN_SOURCE, Location, Login, Means};
use writ_store::storage::FileStorage;
use writ_store::{KeyStore, Ledger, State};

/// 2026-11-22T09:30Z.
pub const NOW: Moment = Moment::from_seconds(1_795_339_800);
/// The least that Argon2 takes: tests are about what is around it.
pub const HASHING: Hashing = Hashing { memory_kib: 8, passes: 1 };

pub struct World {
    pub folder: tempfile::TempDir,
    pub clock: Arc<ManualClock>,
    pub randomness: Arc<SeededRandom>,
    pub ledger: Ledger,
    pub state: Arc<State>,
}

impl World {
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let directory = DataDirectory::new(folder.path());
        let clock = Arc::new(ManualClock::at(NOW));
        let randomness = Arc::new(SeededRandom::new(1));
        let organisation = OrganisationId::from_bytes([7; 16]);
        let kek = SecretKey::from_bytes([1; 32]);
        let (keys, _) = KeyStore::open(&directory.keys(), organisation, kek, NOW, &*randomness).unwrap();
        let keys = Arc::new(keys);
        let storage = Arc::new(FileStorage::new(&directory.ledger()).unwrap());
        let config = LedgerConfig::new(organisation);
        let ledger = Ledger::open(storage, config, keys.signers(), clock.clone(), &*randomness).unwrap();
        let (public, _) = new_reveal_key(3, &*randomness).unwrap();
        keys.add_reveal(public, &ledger, NOW, &*randomness).await.unwrap();
        let means = Means { organisation, keys, clock: clock.clone(), randomness: randomness.clone() };
        let state = Arc::new(State::open(Location::Sqlite(directory.state()), means).await.unwrap());
        Self { folder, clock, randomness, ledger, state }
    }

    pub fn now(&self) -> Moment {
        self.clock.now()
    }

    pub fn accounts(&self) -> Accounts {
        let options = AccountOptions { hashing: HASHING, ..AccountOptions::default() };
        Accounts::new(self.state.clone(), self.ledger.clone(), self.randomness.clone(), options)
    }

    pub fn gatekeeper(&self, options: GatekeeperOptions) -> Gatekeeper {
        let options = GatekeeperOptions { hashing: HASHING, ..options };
        Gatekeeper::new(self.state.clone(), self.ledger.clone(), &*self.randomness, options)
    }

    /// Somebody with a login.
    pub async fn person(&self, login: &str) -> PrincipalId {
        let login = Login { source: LOGIN_SOURCE.into(), name: secret(login) };
        self.state.identify(&login, "employee", &login.name, &self.ledger).await.unwrap().principal
    }

    /// Somebody with a password for the proxy.
    pub async fn with_password(&self, login: &str, password: &str) -> PrincipalId {
        let person = self.person(login).await;
        let passwords = writ_identity::Passwords::new(HASHING, &*self.randomness);
        let hash = passwords.hash(&secret(password), &*self.randomness).await.unwrap();
        self.state.set_password(person, &hash, "admin", &self.ledger).await.unwrap();
        person
    }

    /// What the directory says of somebody now.
    pub async fn say(&self, person: PrincipalId, groups: &[&str], source: &str) {
        let attributes = Attributes {
            who: Who::Employee,
            groups: groups.iter().map(|group| (*group).into()).collect::<BTreeSet<_>>(),
            entity: "Example GmbH".into(),
            region: "eu".into(),
            training: Currency::Current,
            attestation: Currency::Due,
            updated: self.now(),
            source: source.into(),
        };
        self.state.set_attributes(person, &attributes, "system", &self.ledger).await.unwrap();
    }

    pub fn later(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

pub fn secret(text: &str) -> Sensitive<String> {
    Sensitive::new(text.to_owned())
}

pub fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// A connection from an address that shows nothing.
pub fn from(address: &str) -> Evidence<'static> {
    let peer = SocketAddr::new(ip(address), 50_000);
    Evidence { proxy_authorization: None, peer, local_port: 8081, certificate: None, user_agent: None }
}

pub fn basic(login: &str, password: &str) -> String {
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{login}:{password}")))
}

pub fn caller(presented: Presented) -> Caller {
    match presented {
        Presented::Caller(caller) => *caller,
        other => panic!("no caller: {other:?}"),
    }
}
