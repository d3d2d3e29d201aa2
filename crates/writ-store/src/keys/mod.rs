//! Keys at rest: one file in the data directory, each key sealed under the key-encryption key, which is never there.

mod kek;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use parking_lot::RwLock;
use serde::{Deserialize, Serialize};
use writ_base::hash::{hex, hmac_sha256};
use writ_base::keys::{KeyPurpose, SecretKey};
use writ_base::{ContentHash, Moment, Randomness};
use writ_model::record::OrganisationId;

pub use kek::KekSource;

use crate::files;
use crate::ledger::{CheckpointSigner, KeyChange, KeyEvent, Ledger, LedgerError, NewEntry};

/// Keys that are made at the first start and kept in the file.
const STORED: &[KeyPurpose] = &[
    KeyPurpose::Locator,
    KeyPurpose::Identity,
    KeyPurpose::Pseudonym,
    KeyPurpose::Placeholder,
    KeyPurpose::Mark,
    KeyPurpose::ApiKey,
    KeyPurpose::Provider,
    KeyPurpose::Directory,
    KeyPurpose::Case,
    KeyPurpose::SealedTerms,
    KeyPurpose::Content,
    KeyPurpose::Policy,
    KeyPurpose::Draft,
    KeyPurpose::Page,
    KeyPurpose::Authority,
    KeyPurpose::Checkpoint,
];
/// Those of them that can be followed by a new epoch.
const ROTATED: &[KeyPurpose] = &[
    KeyPurpose::Identity,
    KeyPurpose::Pseudonym,
    KeyPurpose::Placeholder,
    KeyPurpose::Mark,
    KeyPurpose::Provider,
    KeyPurpose::Directory,
    KeyPurpose::Case,
    KeyPurpose::SealedTerms,
    KeyPurpose::Content,
    KeyPurpose::Policy,
    KeyPurpose::Draft,
    KeyPurpose::Page,
    KeyPurpose::Checkpoint,
];
/// The version of the file that this build writes; it reads this one only.
const FILE_VERSION: u32 = 1;

/// The keys of one data directory, opened.
pub struct KeyStore {
    path: PathBuf,
    organisation: OrganisationId,
    keys: RwLock<Keys>,
}

/// Keys by purpose and epoch, opened.
struct Keys {
    kek: SecretKey,
    kek_epoch: u32,
    opened: BTreeMap<(KeyPurpose, u32), Opened>,
    reveal: BTreeMap<u32, ContentHash>,
}

#[derive(Clone)]
struct Opened {
    key: SecretKey,
    made: Moment,
}

/// What is known about one key without opening it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct KeyInfo {
    /// What it is for.
    pub purpose: KeyPurpose,
    /// Its epoch, from 1.
    pub epoch: u32,
    /// Whether it is the one in use.
    pub current: bool,
    /// When it was made; not known of keys of which only the public half is here.
    pub made: Option<Moment>,
}

/// Why keys cannot be read or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The system refused.
    #[error("cannot {act} `{path}`: {source}")]
    Io {
        /// What was tried.
        act: &'static str,
        /// On which file or command.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// Others can read the file.
    #[error("`{path}` can be read by others (mode {mode:o}); run `chmod 600` on it")]
    TooOpen {
        /// The file.
        path: String,
        /// Its mode.
        mode: u32,
    },
    /// Not 256 bits.
    #[error("the key-encryption key from `{path}` is not 32 bytes or 64 hexadecimal digits")]
    NotAKey {
        /// Where it came from.
        path: String,
    },
    /// The systemd credential is not there.
    #[error("systemd gives no credentials to this process; add `LoadCredential={name}:...` to the unit")]
    NoCredentials {
        /// The credential's name.
        name: String,
    },
    /// The command that prints the key failed.
    #[error("the command `{command}` for the key-encryption key failed ({status})")]
    CommandFailed {
        /// The program.
        command: String,
        /// How it ended.
        status: String,
    },
    /// The file is not one.
    #[error("`{path}` is not a key file of this version; restore it from a backup")]
    Unreadable {
        /// The file.
        path: String,
    },
    /// Another key-encryption key sealed the file.
    #[error("the key-encryption key does not open `{path}`: it is another one, or the file was changed")]
    WrongKek {
        /// The file.
        path: String,
    },
    /// The purpose has no such key.
    #[error("there is no key `{purpose}` of epoch {epoch}")]
    Missing {
        /// The purpose.
        purpose: KeyPurpose,
        /// The epoch.
        epoch: u32,
    },
    /// The purpose's keys do not rotate by themselves.
    #[error("keys for `{purpose}` cannot be rotated: {rotation}")]
    NotRotated {
        /// The purpose.
        purpose: KeyPurpose,
        /// What the registry says.
        rotation: &'static str,
    },
    /// The change could not be written down, so it was not made.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct KeyFile {
    version: u32,
    organisation: OrganisationId,
    kek_epoch: u32,
    /// Tells the right key-encryption key from a wrong one.
    kek_check: String,
    keys: Vec<StoredKey>,
    /// Public halves of reveal keys, by epoch.
    reveal: BTreeMap<u32, ContentHash>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct StoredKey {
    purpose: KeyPurpose,
    epoch: u32,
    made: Moment,
    sealed: String,
}

impl KeyStore {
    /// Opens the key file in `folder`, and makes the keys that are missing. The second value lists the keys made:
    /// they are to be written into the ledger as soon as it is open, with [`KeyStore::record`].
    ///
    /// # Errors
    /// If the file cannot be read or written, or the key-encryption key is another one.
    pub fn open(
        folder: &Path,
        organisation: OrganisationId,
        kek: SecretKey,
        now: Moment,
        randomness: &dyn Randomness,
    ) -> Result<(Self, Vec<KeyEvent>), KeyError> {
        let path = folder.join("keys.json");
        let mut keys = match std::fs::read(&path) {
            Ok(bytes) => open_file(&path, &bytes, organisation, kek)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Keys { kek, kek_epoch: 1, opened: BTreeMap::new(), reveal: BTreeMap::new() }
            }
            Err(source) => return Err(KeyError::Io { act: "read", path: path.display().to_string(), source }),
        };
        let mut made = Vec::new();
        for purpose in STORED {
            if keys.current(*purpose).is_none() {
                keys.opened.insert((*purpose, 1), Opened { key: SecretKey::generate(randomness), made: now });
                made.push(event(*purpose, KeyChange::Made, 1));
            }
        }
        let store = Self { path, organisation, keys: RwLock::new(keys) };
        if !made.is_empty() {
            store.save(&store.keys.read(), randomness)?;
        }
        Ok((store, made))
    }

    /// Opens the key file in `folder` as it is: makes nothing, so that it can be read beside a running server.
    ///
    /// # Errors
    /// If the file cannot be read, or the key-encryption key is another one.
    pub fn read(folder: &Path, organisation: OrganisationId, kek: SecretKey) -> Result<Self, KeyError> {
        let path = folder.join("keys.json");
        let bytes = std::fs::read(&path);
        let bytes = bytes.map_err(|source| KeyError::Io { act: "read", path: path.display().to_string(), source })?;
        let keys = open_file(&path, &bytes, organisation, kek)?;
        Ok(Self { path, organisation, keys: RwLock::new(keys) })
    }

    /// Writes into the ledger what happened to keys before it was open.
    ///
    /// # Errors
    /// If the ledger refuses.
    pub async fn record(&self, ledger: &Ledger, events: &[KeyEvent], now: Moment) -> Result<(), LedgerError> {
        for event in events {
            ledger.append(NewEntry::key_event(event, now)).await?;
        }
        Ok(())
    }

    /// The key in use, with its epoch.
    ///
    /// # Errors
    /// If the purpose has no key in the store.
    pub fn current(&self, purpose: KeyPurpose) -> Result<(u32, SecretKey), KeyError> {
        let keys = self.keys.read();
        if purpose == KeyPurpose::KeyEncryption {
            return Ok((keys.kek_epoch, keys.kek.clone()));
        }
        keys.current(purpose).ok_or(KeyError::Missing { purpose, epoch: 1 })
    }

    /// The key of one epoch.
    ///
    /// # Errors
    /// If there is none.
    pub fn of_epoch(&self, purpose: KeyPurpose, epoch: u32) -> Result<SecretKey, KeyError> {
        let keys = self.keys.read();
        if purpose == KeyPurpose::KeyEncryption && epoch == keys.kek_epoch {
            return Ok(keys.kek.clone());
        }
        let found = keys.opened.get(&(purpose, epoch)).map(|opened| opened.key.clone());
        found.ok_or(KeyError::Missing { purpose, epoch })
    }

    /// All epochs of a purpose, from the newest.
    pub fn epochs(&self, purpose: KeyPurpose) -> Vec<(u32, SecretKey)> {
        let keys = self.keys.read();
        let range = keys.opened.range((purpose, 0)..=(purpose, u32::MAX));
        range.rev().map(|((_, epoch), opened)| (*epoch, opened.key.clone())).collect()
    }

    /// The signers of checkpoints from the oldest epoch, as [`Ledger::open`] takes them.
    pub fn signers(&self) -> Vec<CheckpointSigner> {
        let epochs = self.epochs(KeyPurpose::Checkpoint);
        epochs.iter().rev().map(|(_, key)| CheckpointSigner::new(key.expose())).collect()
    }

    /// The public half of the reveal key in use, with its epoch.
    pub fn reveal_public(&self) -> Option<(u32, ContentHash)> {
        self.keys.read().reveal.iter().next_back().map(|(epoch, public)| (*epoch, *public))
    }

    /// What keys there are, by purpose and epoch.
    pub fn list(&self) -> Vec<KeyInfo> {
        let keys = self.keys.read();
        let stored = keys.opened.iter().map(|((purpose, epoch), opened)| KeyInfo {
            purpose: *purpose,
            epoch: *epoch,
            current: *purpose != KeyPurpose::KeyEncryption
                && keys.current(*purpose).is_some_and(|(current, _)| current == *epoch),
            made: Some(opened.made),
        });
        let newest = keys.reveal.keys().next_back().copied();
        let reveal = keys.reveal.keys().map(|epoch| KeyInfo {
            purpose: KeyPurpose::Reveal,
            epoch: *epoch,
            current: Some(*epoch) == newest,
            made: None,
        });
        let kek = KeyInfo { purpose: KeyPurpose::KeyEncryption, epoch: keys.kek_epoch, current: true, made: None };
        let mut list: Vec<KeyInfo> = stored.chain(reveal).chain([kek]).collect();
        list.sort_by_key(|info| (info.purpose, info.epoch));
        list
    }

    /// Starts a new epoch of a purpose; older epochs stay readable. Returns the new epoch.
    ///
    /// # Errors
    /// If the purpose does not rotate this way, or the ledger or the disk refuses; then nothing has changed.
    pub async fn rotate(
        &self,
        purpose: KeyPurpose,
        ledger: &Ledger,
        now: Moment,
        randomness: &dyn Randomness,
    ) -> Result<u32, KeyError> {
        if !ROTATED.contains(&purpose) {
            return Err(KeyError::NotRotated { purpose, rotation: purpose.rotation() });
        }
        let (former, _) = self.current(purpose)?;
        let epoch = former + 1;
        let key = SecretKey::generate(randomness);
        if purpose == KeyPurpose::Checkpoint {
            // A chain must never name a key that exists nowhere; opening the ledger completes a change cut off here.
            self.insert(purpose, epoch, key.clone(), now, randomness)?;
            ledger.change_signer(CheckpointSigner::new(key.expose())).await?;
        } else {
            ledger.append(NewEntry::key_event(&event(purpose, KeyChange::Rotated, epoch), now)).await?;
            self.insert(purpose, epoch, key, now, randomness)?;
        }
        Ok(epoch)
    }

    /// Adds the public half of a new reveal key; older records stay sealed to the older one. Returns its epoch.
    ///
    /// # Errors
    /// If the ledger or the disk refuses.
    pub async fn add_reveal(
        &self,
        public: ContentHash,
        ledger: &Ledger,
        now: Moment,
        randomness: &dyn Randomness,
    ) -> Result<u32, KeyError> {
        let epoch = self.reveal_public().map_or(1, |(epoch, _)| epoch + 1);
        let change = if epoch == 1 { KeyChange::Made } else { KeyChange::Rotated };
        ledger.append(NewEntry::key_event(&event(KeyPurpose::Reveal, change, epoch), now)).await?;
        let mut keys = self.keys.write();
        keys.reveal.insert(epoch, public);
        self.save(&keys, randomness)?;
        Ok(epoch)
    }

    /// Seals every key anew under another key-encryption key. The former one stays in the file, sealed under the new
    /// one, until [`KeyStore::forget_former_kek`]: the state database has keys of its own to seal anew.
    ///
    /// # Errors
    /// If the ledger or the disk refuses.
    pub async fn change_kek(
        &self,
        kek: SecretKey,
        ledger: &Ledger,
        now: Moment,
        randomness: &dyn Randomness,
    ) -> Result<u32, KeyError> {
        let (former, former_key) = self.current(KeyPurpose::KeyEncryption)?;
        let epoch = former + 1;
        let event = event(KeyPurpose::KeyEncryption, KeyChange::Rotated, epoch);
        ledger.append(NewEntry::key_event(&event, now)).await?;
        let mut keys = self.keys.write();
        keys.opened.insert((KeyPurpose::KeyEncryption, former), Opened { key: former_key, made: now });
        keys.kek = kek;
        keys.kek_epoch = epoch;
        self.save(&keys, randomness)?;
        Ok(epoch)
    }

    /// Removes former key-encryption keys from the file, when nothing is sealed under them any more.
    ///
    /// # Errors
    /// If the disk refuses.
    pub fn forget_former_kek(&self, randomness: &dyn Randomness) -> Result<(), KeyError> {
        let mut keys = self.keys.write();
        keys.opened.retain(|(purpose, _), _| *purpose != KeyPurpose::KeyEncryption);
        self.save(&keys, randomness)
    }

    fn insert(
        &self,
        purpose: KeyPurpose,
        epoch: u32,
        key: SecretKey,
        made: Moment,
        randomness: &dyn Randomness,
    ) -> Result<(), KeyError> {
        let mut keys = self.keys.write();
        keys.opened.insert((purpose, epoch), Opened { key, made });
        self.save(&keys, randomness).inspect_err(|_| {
            keys.opened.remove(&(purpose, epoch));
        })
    }

    fn save(&self, keys: &Keys, randomness: &dyn Randomness) -> Result<(), KeyError> {
        let sealed = keys.opened.iter().map(|((purpose, epoch), opened)| {
            let context = context(self.organisation, *purpose, *epoch);
            let sealed = hex(&keys.kek.seal(&context, opened.key.expose(), randomness));
            StoredKey { purpose: *purpose, epoch: *epoch, made: opened.made, sealed }
        });
        let file = KeyFile {
            version: FILE_VERSION,
            organisation: self.organisation,
            kek_epoch: keys.kek_epoch,
            kek_check: kek_check(&keys.kek),
            keys: sealed.collect(),
            reveal: keys.reveal.clone(),
        };
        let json = serde_json::to_vec_pretty(&file).unwrap_or_default();
        let io = |source| KeyError::Io { act: "write", path: self.path.display().to_string(), source };
        files::replace(&self.path, &json).map_err(io)
    }
}

impl Keys {
    fn current(&self, purpose: KeyPurpose) -> Option<(u32, SecretKey)> {
        let mut range = self.opened.range((purpose, 0)..=(purpose, u32::MAX));
        range.next_back().map(|((_, epoch), opened)| (*epoch, opened.key.clone()))
    }
}

fn open_file(path: &Path, bytes: &[u8], organisation: OrganisationId, kek: SecretKey) -> Result<Keys, KeyError> {
    let name = || path.display().to_string();
    let file: KeyFile = serde_json::from_slice(bytes).map_err(|_| KeyError::Unreadable { path: name() })?;
    if file.version != FILE_VERSION || file.organisation != organisation {
        return Err(KeyError::Unreadable { path: name() });
    }
    if file.kek_check != kek_check(&kek) {
        return Err(KeyError::WrongKek { path: name() });
    }
    let mut opened = BTreeMap::new();
    for stored in file.keys {
        let context = context(organisation, stored.purpose, stored.epoch);
        let sealed = files::unhex(&stored.sealed).ok_or_else(|| KeyError::Unreadable { path: name() })?;
        let plain = kek.open(&context, &sealed).map_err(|_| KeyError::WrongKek { path: name() })?;
        let bytes = <[u8; 32]>::try_from(plain.as_slice()).map_err(|_| KeyError::Unreadable { path: name() })?;
        let key = SecretKey::from_bytes(bytes);
        opened.insert((stored.purpose, stored.epoch), Opened { key, made: stored.made });
    }
    Ok(Keys { kek, kek_epoch: file.kek_epoch, opened, reveal: file.reveal })
}

fn context(organisation: OrganisationId, purpose: KeyPurpose, epoch: u32) -> Vec<u8> {
    format!("writ key 1\n{organisation}\n{purpose}\n{epoch}\n").into_bytes()
}

fn kek_check(kek: &SecretKey) -> String {
    hex(&hmac_sha256(kek.expose(), [b"writ key-encryption key 1".as_slice()]))
}

fn event(purpose: KeyPurpose, event: KeyChange, epoch: u32) -> KeyEvent {
    KeyEvent { purpose, event, epoch: Some(epoch), keys: Vec::new() }
}

/// The page docs/keys.md: every purpose of the registry.
pub fn registry_page() -> String {
    let mut page = String::from(
        "# Keys\n\nGenerated from the key registry (`writ_base::keys`); a test holds this page to it.\n\n\
         Every purpose has its own random key; none is derived from another's. Keys at rest are sealed with \
         XChaCha20-Poly1305 under the key-encryption key, which comes from a file (mode 600), a systemd credential or \
         a command, and is never stored beside them. The epoch of a key stands beside everything that was made with \
         it. Making, changing and destroying a key are ledger entries.\n\n\
         | key | held by | place | rotation | when it is lost or destroyed |\n|---|---|---|---|---|\n",
    );
    for purpose in KeyPurpose::ALL {
        let (holder, place) = (purpose.holder(), purpose.place());
        let _ = writeln!(page, "| `{purpose}` | {holder} | {place} | {} | {} |", purpose.rotation(), purpose.lost());
    }
    page.push_str(
        "\nA backup holds the sealed keys, not the key-encryption key: keep that one elsewhere, twice. Keys of persons \
         are in backups of the state database too: a backup that is older than an erasure still holds the erased \
         person's keys. Restoring one destroys them again as far as the ledger restored with it tells; keep backups no \
         longer than records.\n",
    );
    page
}
