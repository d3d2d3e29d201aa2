//! The address map: who has which address, since when, says who. Written by whatever knows (DHCP, VPN, directory).

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::Deserialize;
use tokio::sync::Mutex;
use writ_base::{Moment, Sensitive};

use crate::limits::{ADDRESS_MAP_BYTES, LOGIN_BYTES};

/// Entries by address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressMap {
    entries: BTreeMap<IpAddr, Vec<Entry>>,
    /// Networks that several people use.
    shared: Vec<(IpAddr, u8)>,
}

/// Who has an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder {
    /// This login.
    Person(Sensitive<String>),
    /// Several people.
    Shared,
    /// Nobody, or nobody knows any more.
    Nobody,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    login: Sensitive<String>,
    source: String,
    seen: Moment,
    until: Option<Moment>,
}

/// Why a map is not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MapError {
    /// Not TOML.
    #[error("the address map is not TOML with `[[address]]` entries: line {line}")]
    NotToml {
        /// Where.
        line: usize,
    },
    /// No header line.
    #[error("the first line of the address map is not `{HEADER}`")]
    Header,
    /// An entry that cannot be read.
    #[error("entry {entry} of the address map: {what}")]
    Entry {
        /// Which one, from 1.
        entry: usize,
        /// What is wrong.
        what: &'static str,
    },
    /// Too large.
    #[error("the address map is over the limit `{}`", ADDRESS_MAP_BYTES.name())]
    TooLarge,
    /// The file cannot be read.
    #[error("the address map cannot be read: {0}")]
    Unreadable(std::io::ErrorKind),
}

/// The first line of a map in CSV.
const HEADER: &str = "address,login,source,seen,until,shared";
/// Sources that give an address to one person at a time: a later entry takes it from the earlier one. With all others,
/// two people at one address are two people at one address.
const EXCLUSIVE: &[&str] = &["dhcp", "vpn", "802.1x"];
/// How far clocks of others may be ahead.
const SKEW: Duration = Duration::from_secs(5 * 60);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    address: Vec<Line>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    address: String,
    #[serde(default)]
    login: String,
    #[serde(default)]
    source: String,
    #[serde(default)]
    seen: String,
    #[serde(default)]
    until: String,
    #[serde(default)]
    shared: bool,
}

impl AddressMap {
    /// Reads a map: `[[address]]` tables with `address`, `login`, `source`, `seen` and, where known, `until`; or
    /// `address` (a network too) with `shared = true`. Times are `2026-11-22T09:30Z`.
    ///
    /// # Errors
    /// What cannot be understood: a map is read whole or not at all.
    pub fn from_toml(text: &str) -> Result<Self, MapError> {
        let file: File = toml::from_str(text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start);
            MapError::NotToml { line: text.bytes().take(start).filter(|byte| *byte == b'\n').count() + 1 }
        })?;
        Self::of(file.address)
    }

    /// Reads a map in CSV, with the columns of [`AddressMap::from_toml`] in the first line. No value holds a comma.
    ///
    /// # Errors
    /// What cannot be understood: a map is read whole or not at all.
    pub fn from_csv(text: &str) -> Result<Self, MapError> {
        let mut lines = text.lines().map(str::trim);
        if lines.next() != Some(HEADER) {
            return Err(MapError::Header);
        }
        let lines = lines.filter(|line| !line.is_empty()).enumerate().map(|(number, line)| {
            let values: Vec<&str> = line.split(',').map(str::trim).collect();
            let [address, login, source, seen, until, shared] = values.as_slice() else {
                return Err(MapError::Entry { entry: number + 1, what: "it does not have six values" });
            };
            let shared = match *shared {
                "true" => true,
                "" | "false" => false,
                _ => return Err(MapError::Entry { entry: number + 1, what: "`shared` is `true` or `false`" }),
            };
            let text = |value: &str| value.to_owned();
            Ok(Line {
                address: text(address),
                login: text(login),
                source: text(source),
                seen: text(seen),
                until: text(until),
                shared,
            })
        });
        Self::of(lines.collect::<Result<_, _>>()?)
    }

    fn of(lines: Vec<Line>) -> Result<Self, MapError> {
        let mut map = Self::default();
        for (number, line) in lines.into_iter().enumerate() {
            map.add(line).map_err(|what| MapError::Entry { entry: number + 1, what })?;
        }
        for entries in map.entries.values_mut() {
            entries.sort_by(|a, b| (a.seen, a.login.expose()).cmp(&(b.seen, b.login.expose())));
        }
        Ok(map)
    }

    fn add(&mut self, line: Line) -> Result<(), &'static str> {
        if line.shared {
            let (address, length) = match line.address.split_once('/') {
                Some((address, length)) => (address, Some(length.parse::<u8>().map_err(|_| "the network is none")?)),
                None => (line.address.as_str(), None),
            };
            let address: IpAddr = address.parse().map_err(|_| "the address is none")?;
            let longest = if address.is_ipv4() { 32 } else { 128 };
            let length = length.unwrap_or(longest);
            if length > longest {
                return Err("the network is none");
            }
            self.shared.push((address, length));
            return Ok(());
        }
        let address: IpAddr = line.address.parse().map_err(|_| "the address is none")?;
        if line.login.is_empty() || !LOGIN_BYTES.admits(line.login.len()) {
            return Err("there is no login, or it is too long");
        }
        let seen = Moment::parse(&line.seen).ok_or("`seen` is not a time like `2026-11-22T09:30Z`")?;
        let until = match line.until.as_str() {
            "" => None,
            text => Some(Moment::parse(text).ok_or("`until` is not a time like `2026-11-22T09:30Z`")?),
        };
        let entry = Entry { login: Sensitive::new(line.login), source: line.source.to_lowercase(), seen, until };
        self.entries.entry(address.to_canonical()).or_default().push(entry);
        Ok(())
    }

    /// Who has an address now, as far as entries that are at most `max_age` old tell. Where they point to more than one
    /// person, it is shared: nothing is attributed to the wrong one (GOV-3).
    pub fn holder(&self, address: IpAddr, now: Moment, max_age: Duration) -> Holder {
        let address = address.to_canonical();
        if self.shared.iter().any(|(network, length)| within(address, *network, *length)) {
            return Holder::Shared;
        }
        let believed = |entry: &&Entry| {
            entry.seen <= now.after(SKEW)
                && now.since(entry.seen) <= max_age
                && entry.until.is_none_or(|until| now < until)
        };
        let entries = self.entries.get(&address).map(Vec::as_slice).unwrap_or_default();
        let mut entries = entries.iter().filter(believed).rev();
        let Some(latest) = entries.next() else { return Holder::Nobody };
        let same = |login: &Sensitive<String>| login.expose().to_lowercase() == latest.login.expose().to_lowercase();
        let superseded = |earlier: &Entry| {
            earlier.source == latest.source && EXCLUSIVE.contains(&latest.source.as_str()) && earlier.seen < latest.seen
        };
        if entries.all(|earlier| same(&earlier.login) || superseded(earlier)) {
            Holder::Person(latest.login.clone())
        } else {
            Holder::Shared
        }
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.values().map(Vec::len).sum::<usize>() + self.shared.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.shared.is_empty()
    }
}

fn within(address: IpAddr, network: IpAddr, length: u8) -> bool {
    let bits = |address: IpAddr| match address {
        IpAddr::V4(address) => (u128::from(u32::from(address)) << 96, 32),
        IpAddr::V6(address) => (u128::from(address), 128),
    };
    let ((a, size), (b, of)) = (bits(address), bits(network.to_canonical()));
    size == of && (length == 0 || (a ^ b) >> (128 - u32::from(length)) == 0)
}

/// The map in a file, read again when the file changes. While it cannot be read the last one that could is used: its
/// entries grow old by themselves.
pub struct WatchedMap {
    path: PathBuf,
    read: Mutex<Read>,
}

#[derive(Default)]
struct Read {
    looked: Option<Moment>,
    stamp: Option<(SystemTime, u64)>,
    map: Arc<AddressMap>,
}

/// How often the file is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

impl WatchedMap {
    /// The map in this file.
    pub fn new(path: PathBuf) -> Self {
        Self { path, read: Mutex::default() }
    }

    /// The map as it is now, at most a second old.
    pub async fn read(&self, now: Moment) -> Arc<AddressMap> {
        let mut read = self.read.lock().await;
        if read.looked.is_some_and(|looked| now >= looked && now.since(looked) < LOOK_EVERY) {
            return read.map.clone();
        }
        read.looked = Some(now);
        let stamp = stamp(&self.path).await;
        if stamp.is_none() || stamp != read.stamp {
            match load(&self.path).await {
                Ok(map) => {
                    read.map = Arc::new(map);
                    read.stamp = stamp;
                }
                Err(error) => tracing::error!(%error, "the last address map stays in use"),
            }
        }
        read.map.clone()
    }
}

async fn stamp(path: &Path) -> Option<(SystemTime, u64)> {
    let meta = tokio::fs::metadata(path).await.ok()?;
    Some((meta.modified().ok()?, meta.len()))
}

async fn load(path: &Path) -> Result<AddressMap, MapError> {
    let length = tokio::fs::metadata(path).await.map_err(|error| MapError::Unreadable(error.kind()))?.len();
    if !ADDRESS_MAP_BYTES.admits(usize::try_from(length).unwrap_or(usize::MAX)) {
        return Err(MapError::TooLarge);
    }
    let text = tokio::fs::read_to_string(path).await.map_err(|error| MapError::Unreadable(error.kind()))?;
    let csv = path.extension().is_some_and(|end| end.eq_ignore_ascii_case("csv"));
    if csv { AddressMap::from_csv(&text) } else { AddressMap::from_toml(&text) }
}
