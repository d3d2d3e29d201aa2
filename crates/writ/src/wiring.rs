//! Opens a data directory: keys, ledger, state and index, in the order in which each needs the other.
//!
//! One process at a time: the ledger's lock tells a second one that the first is at work.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use writ_base::keys::SecretKey;
use writ_base::{Clock, Randomness, SystemClock, SystemRandom};
use writ_identity::Accounts;
use writ_identity::accounts::AccountOptions;
use writ_model::record::OrganisationId;
use writ_model::standing::StandingObjects;
use writ_store::backup::DataDirectory;
use writ_store::keys::KekSource;
use writ_store::ledger::{Durability, LedgerConfig, LedgerReader};
use writ_store::state::{Location, Means};
use writ_store::storage::{FileStorage, Storage};
use writ_store::{KeyStore, Ledger, State};

use crate::config::{Config, DurabilityConfig, KeyEncryption};

/// A data directory, open.
pub(crate) struct Home {
    /// Where it is.
    pub(crate) directory: DataDirectory,
    /// The keys.
    pub(crate) keys: Arc<KeyStore>,
    /// The ledger, for writing: one process at a time.
    pub(crate) ledger: Ledger,
    /// Who is who, and what stands beside the policy.
    pub(crate) state: Arc<State>,
    /// The time.
    pub(crate) clock: Arc<dyn Clock>,
    /// Random bytes.
    pub(crate) randomness: Arc<dyn Randomness>,
}

/// The keys of a data directory without its ledger: for what only seals and opens, also beside a running server.
pub(crate) struct Keyring {
    /// The keys.
    pub(crate) keys: Arc<KeyStore>,
    /// The time.
    pub(crate) clock: Arc<dyn Clock>,
    /// Random bytes.
    pub(crate) randomness: Arc<dyn Randomness>,
}

impl Keyring {
    /// Opens the keys of a configuration's data directory. Nothing is made and nothing is changed.
    ///
    /// # Errors
    /// If there are none yet, or the key-encryption key cannot be had.
    pub(crate) fn open(config: &Config) -> anyhow::Result<Self> {
        let directory = DataDirectory::new(&config.data_directory);
        if !directory.ledger().is_dir() {
            bail!(
                "there is nothing at `{}` yet; check `data-directory` in the configuration",
                directory.ledger().display()
            );
        }
        let (clock, randomness): (Arc<dyn Clock>, Arc<dyn Randomness>) =
            (Arc::new(SystemClock), Arc::new(SystemRandom));
        let storage: Arc<dyn Storage> = Arc::new(FileStorage::new(&directory.ledger())?);
        let organisation = organisation(&storage, &*clock, &*randomness)?;
        let kek = kek_source(&config.key_encryption).load()?;
        let keys = Arc::new(KeyStore::read(&directory.keys(), organisation, kek)?);
        Ok(Self { keys, clock, randomness })
    }
}

impl Home {
    /// The keys alone.
    pub(crate) fn keyring(&self) -> Keyring {
        let (clock, randomness) = (Arc::clone(&self.clock), Arc::clone(&self.randomness));
        Keyring { keys: Arc::clone(&self.keys), clock, randomness }
    }

    /// Opens the data directory of a configuration, and makes what is missing at the first start: the directory, the
    /// key-encryption key where it comes from a file, the keys, an empty ledger and an empty state database.
    ///
    /// # Errors
    /// If the key-encryption key cannot be had, another process writes the ledger, or a file refuses.
    pub(crate) async fn open(config: &Config) -> anyhow::Result<Self> {
        let (clock, randomness): (Arc<dyn Clock>, Arc<dyn Randomness>) =
            (Arc::new(SystemClock), Arc::new(SystemRandom));
        let directory = DataDirectory::new(&config.data_directory);
        for folder in [directory.ledger(), directory.keys()] {
            make_private(&folder)?;
        }
        let cannot_open = || format!("cannot open `{}`", directory.ledger().display());
        let storage: Arc<dyn Storage> = Arc::new(FileStorage::new(&directory.ledger()).with_context(cannot_open)?);
        let organisation = organisation(&storage, &*clock, &*randomness)?;
        let kek = key_encryption_key(config, &directory, &*randomness)?;
        let (keys, made) = KeyStore::open(&directory.keys(), organisation, kek, clock.now(), &*randomness)?;
        let keys = Arc::new(keys);
        let durability = match config.ledger.durability {
            DurabilityConfig::Process => Durability::Process,
            DurabilityConfig::Power => Durability::Power,
        };
        let ledger_config = LedgerConfig { durability, ..LedgerConfig::new(organisation) };
        let ledger = Ledger::open(storage, ledger_config, keys.signers(), Arc::clone(&clock), &*randomness)?;
        keys.record(&ledger, &made, clock.now()).await?;
        let means = Means {
            organisation,
            keys: Arc::clone(&keys),
            clock: Arc::clone(&clock),
            randomness: Arc::clone(&randomness),
        };
        let state = Arc::new(State::open(Location::Sqlite(directory.state()), means).await?);
        Ok(Self { directory, keys, ledger, state, clock, randomness })
    }

    /// The accounts of the console.
    pub(crate) fn accounts(&self) -> Accounts {
        let randomness = Arc::clone(&self.randomness);
        Accounts::new(Arc::clone(&self.state), self.ledger.clone(), randomness, AccountOptions::default())
    }

    /// What stands beside the policy: exceptions and roll-out that have not ended.
    ///
    /// # Errors
    /// If the database refuses.
    pub(crate) async fn standing(&self) -> Result<StandingObjects, writ_store::state::StateError> {
        let now = self.clock.now();
        Ok(StandingObjects { exceptions: self.state.exceptions(now).await?, rollout: self.state.rollout(now).await? })
    }

    /// Writes what is queued, signs a checkpoint and closes everything.
    ///
    /// # Errors
    /// If the disk refuses the last writes.
    pub(crate) async fn close(&self) -> anyhow::Result<()> {
        self.ledger.close().await?;
        self.state.close().await;
        Ok(())
    }
}

/// Opens the state of a data directory to look at it, beside a server that may run: nothing is made or changed.
///
/// # Errors
/// If there is no ledger, the key-encryption key cannot be had, or another version wrote the state.
pub(crate) async fn look(config: &Config, storage: &Arc<dyn Storage>) -> anyhow::Result<State> {
    let directory = DataDirectory::new(&config.data_directory);
    let first = LedgerReader::new(Arc::clone(storage), 0).next().context("the ledger is empty")??;
    let organisation = first.header.organisation;
    let kek = kek_source(&config.key_encryption).load()?;
    let keys = Arc::new(KeyStore::read(&directory.keys(), organisation, kek)?);
    let means = Means { organisation, keys, clock: Arc::new(SystemClock), randomness: Arc::new(SystemRandom) };
    Ok(State::open_beside(Location::Sqlite(directory.state()), means).await?)
}

/// Where the key-encryption key comes from.
pub(crate) fn kek_source(source: &KeyEncryption) -> KekSource {
    match source {
        KeyEncryption::File(path) => KekSource::File(path.clone()),
        KeyEncryption::Credential(name) => KekSource::Credential(name.clone()),
        KeyEncryption::Command(words) => KekSource::Command(words.clone()),
    }
}

/// Reads the key; where it comes from a file that does not exist and nothing is sealed yet, makes it.
fn key_encryption_key(
    config: &Config,
    directory: &DataDirectory,
    randomness: &dyn Randomness,
) -> anyhow::Result<SecretKey> {
    if let KeyEncryption::File(path) = &config.key_encryption
        && !path.exists()
        && !directory.keys().join("keys.json").exists()
    {
        KekSource::create_file(path, randomness)?;
    }
    Ok(kek_source(&config.key_encryption).load()?)
}

/// The organisation whose ledger it is: its first entry says so; a new ledger gets a new random id.
fn organisation(
    storage: &Arc<dyn Storage>,
    clock: &dyn Clock,
    randomness: &dyn Randomness,
) -> anyhow::Result<OrganisationId> {
    match LedgerReader::new(Arc::clone(storage), 0).next() {
        Some(first) => Ok(first?.header.organisation),
        None => Ok(OrganisationId::new(clock.now(), randomness)),
    }
}

/// A folder that only its owner can look into.
fn make_private(folder: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.with_context(|| format!("cannot make the folder `{}`", folder.display()))
}
