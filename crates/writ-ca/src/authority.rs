//! The serving side: a leaf for each host that is listed, and for no other.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;
use rcgen::KeyPair;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::{CertifiedKey, SigningKey};
use writ_base::keys::SecretKey;
use writ_base::{Clock, Moment, Randomness};

use crate::cache::{Leaf, LeafCache};
use crate::certificate::{self, Signer};
use crate::groups::parents;
use crate::limits::NAMES;
use crate::listed::is_dns_name;
use crate::root::{earlier, leaf};
use crate::{CaError, Folder, Stored};

/// How long a leaf is valid from the moment it is made. Browsers take no more than 199 days (CA/Browser Forum, ballot
/// SC-081); weeks are enough, since a new one costs less than a millisecond and none is ever revoked.
const LEAF_LIFE: Duration = Duration::from_secs(30 * 86_400);
/// How far a leaf reaches back, for slow clocks.
const LEAF_BACK_DATED: Duration = Duration::from_secs(86_400);

/// Makes and keeps leaves. Cheap to ask from many threads.
pub struct Authority {
    folder: Folder,
    key: SecretKey,
    clock: Arc<dyn Clock>,
    randomness: Arc<dyn Randomness>,
    leaf_key: LeafKey,
    issuers: RwLock<Arc<Issuers>>,
}

/// The one key of all leaves of this process. It is made at the start, never stored, and signs handshakes only.
struct LeafKey {
    public: Vec<u8>,
    signing: Arc<dyn SigningKey>,
}

/// What one reading of the folder gave.
struct Issuers {
    anchor_pem: String,
    /// Listed name to (place in the cache, group).
    names: HashMap<Box<str>, (usize, usize)>,
    groups: Vec<IssuingGroup>,
    cache: LeafCache,
}

struct IssuingGroup {
    id: String,
    hosts: Vec<String>,
    /// Newest last.
    generations: Vec<Issuer>,
}

struct Issuer {
    signer: Signer,
    chain: Vec<CertificateDer<'static>>,
    not_before: Moment,
    not_after: Moment,
}

/// Why there is no certificate for a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoCertificate {
    /// The host is not among the listed names, or is no host name.
    #[error("the host is not among the names that this authority may answer for")]
    NotListed,
    /// The intermediate of its group is not valid now.
    #[error("the intermediate for this host has expired; run `writ ca extend --renew`")]
    Expired,
    /// The cryptographic library refused.
    #[error("the certificate could not be signed")]
    NotSigned,
}

impl Authority {
    /// Opens the folder that `writ ca init` made; `key` opens the keys of its intermediates.
    ///
    /// # Errors
    /// If the folder cannot be read, a key is sealed with another key, or a certificate is not constrained as Writ's
    /// intermediates are.
    pub fn open(
        folder: &Path,
        key: &SecretKey,
        clock: Arc<dyn Clock>,
        randomness: Arc<dyn Randomness>,
    ) -> Result<Self, CaError> {
        let folder = Folder::new(folder);
        let issuers = RwLock::new(Arc::new(Issuers::read(&folder, key)?));
        let authority = Self { folder, key: key.clone(), clock, randomness, leaf_key: LeafKey::new()?, issuers };
        Ok(authority)
    }

    /// The folder that it was opened from.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Reads the folder again, as after `writ ca extend`. If it cannot be read, what was read before stays.
    ///
    /// # Errors
    /// As [`Authority::open`].
    pub fn reload(&self) -> Result<(), CaError> {
        let issuers = Arc::new(Issuers::read(&self.folder, &self.key)?);
        *self.issuers.write() = issuers;
        Ok(())
    }

    /// The certificate and key for a host, in any case and with or without a trailing dot: made at the first request
    /// (well under a millisecond), kept until a quarter of its life is left. Only those who ask for the same host wait
    /// for each other.
    ///
    /// # Errors
    /// If the host is not listed, or the intermediate of its group is not valid now.
    pub fn certified(&self, host: &str) -> Result<Arc<CertifiedKey>, NoCertificate> {
        let host = normalised(host).ok_or(NoCertificate::NotListed)?;
        let issuers = self.issuers();
        let (listed, share, group) = issuers.find(&host).ok_or(NoCertificate::NotListed)?;
        let now = self.clock.now();
        issuers.cache.leaf(share, listed == host, &host, now, || {
            let group = issuers.groups.get(group).ok_or(NoCertificate::NotListed)?;
            self.mint(group.issuer(now).ok_or(NoCertificate::Expired)?, &host, now)
        })
    }

    /// Whether [`Authority::certified`] knows the host.
    pub fn covers(&self, host: &str) -> bool {
        normalised(host).is_some_and(|host| self.issuers().find(&host).is_some())
    }

    /// Every listed name with the group it belongs to, as (group, name), sorted. A name stands for itself and all
    /// below it: this is all that the authority can answer for.
    pub fn hosts(&self) -> Vec<(String, String)> {
        let issuers = self.issuers();
        let named = |group: &IssuingGroup| group.hosts.iter().map(|host| (group.id.clone(), host.clone())).collect();
        issuers.groups.iter().flat_map::<Vec<_>, _>(named).collect()
    }

    /// The certificate that devices must trust, as PEM.
    pub fn root_pem(&self) -> String {
        self.issuers().anchor_pem.clone()
    }

    /// The moment at which the first group stops working unless its intermediate is renewed; `None` without groups.
    pub fn expires(&self) -> Option<Moment> {
        let last = |group: &IssuingGroup| group.generations.iter().map(|issuer| issuer.not_after).max();
        self.issuers().groups.iter().filter_map(last).min()
    }

    /// How many leaves are kept.
    pub fn leaves(&self) -> usize {
        self.issuers().cache.len()
    }

    fn issuers(&self) -> Arc<Issuers> {
        Arc::clone(&self.issuers.read())
    }

    fn mint(&self, issuer: &Issuer, host: &str, now: Moment) -> Result<Leaf, NoCertificate> {
        let not_before = earlier(now, LEAF_BACK_DATED).max(issuer.not_before);
        let not_after = now.after(LEAF_LIFE).min(issuer.not_after);
        let validity = (not_before, not_after);
        let der = leaf(&issuer.signer, host, &self.leaf_key.public, validity, &*self.randomness).map_err(|error| {
            tracing::error!(%error, "a leaf could not be signed");
            NoCertificate::NotSigned
        })?;
        let chain = std::iter::once(CertificateDer::from(der)).chain(issuer.chain.iter().cloned()).collect();
        let until = earlier(not_after, not_after.since(now) / 4);
        Ok(Leaf { certified: Arc::new(CertifiedKey::new(chain, Arc::clone(&self.leaf_key.signing))), until })
    }
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Authority({})", self.folder.path().display())
    }
}

impl LeafKey {
    fn new() -> Result<Self, CaError> {
        let pair: KeyPair = certificate::new_key()?;
        let der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(pair.serialize_der()));
        let signing = rustls::crypto::aws_lc_rs::sign::any_ecdsa_type(&der)
            .map_err(|error| CaError::crypto("make the key of the leaves", &error))?;
        Ok(Self { public: certificate::public_key(&pair), signing })
    }
}

impl Issuers {
    fn read(folder: &Folder, key: &SecretKey) -> Result<Self, CaError> {
        let mut groups: Vec<IssuingGroup> = Vec::new();
        for stored in folder.stored()? {
            let signer = folder.signer(&stored, key)?;
            let Stored { group, chain, not_before, not_after, .. } = stored;
            let issuer = Issuer { signer, chain, not_before, not_after };
            match groups.last_mut() {
                Some(last) if last.id == group.id => {
                    last.hosts = group.hosts;
                    last.generations.push(issuer);
                }
                _ => groups.push(IssuingGroup { id: group.id, hosts: group.hosts, generations: vec![issuer] }),
            }
        }
        let mut names = HashMap::new();
        for (at, group) in groups.iter().enumerate() {
            for host in &group.hosts {
                let place = names.len();
                names.entry(host.clone().into_boxed_str()).or_insert((place, at));
            }
        }
        if !NAMES.admits(names.len()) {
            return Err(CaError::limit("the number of listed names".to_owned(), &NAMES));
        }
        let cache = LeafCache::new(names.len());
        Ok(Self { anchor_pem: folder.anchor()?, names, groups, cache })
    }

    /// The listed name that a host is or is below, with its place in the cache and its group.
    fn find<'h>(&self, host: &'h str) -> Option<(&'h str, usize, usize)> {
        parents(host).find_map(|name| self.names.get(name).map(|(share, group)| (name, *share, *group)))
    }
}

impl IssuingGroup {
    /// The newest intermediate that is valid and knows the group's names.
    fn issuer(&self, now: Moment) -> Option<&Issuer> {
        self.generations.iter().rev().find(|issuer| issuer.not_before <= now && now < issuer.not_after)
    }
}

/// A host name in lower case without a trailing dot, if it is one.
fn normalised(host: &str) -> Option<String> {
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    is_dns_name(&host).then_some(host)
}
