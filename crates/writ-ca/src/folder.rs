//! The folder of the serving machine: intermediates with sealed keys, and the certificate that devices trust. The root's
//! key is never in it.
//!
//! `root.pem` is the anchor; `03-2.pem` the second certificate of group 03 with those between it and the anchor, and
//! `03-2.key` its key, sealed for exactly this certificate.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use sha2::{Digest as _, Sha256};
use writ_base::keys::SecretKey;
use writ_base::{Moment, Randomness};
use zeroize::Zeroizing;

use crate::certificate::Signer;
use crate::limits::FILE;
use crate::parsed::Parsed;
use crate::{CaError, Group, Intermediate, certificates, pem, pem_of};

const ANCHOR: &str = "root.pem";

/// The folder with what is served.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
}

/// A stored intermediate, without its key.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Its names, as its certificate constrains them.
    pub group: Group,
    /// 1 for the first certificate of the group, 2 for its renewal ...
    pub generation: u32,
    /// Its certificate, then those between it and the anchor.
    pub chain: Vec<CertificateDer<'static>>,
    /// From when it is valid.
    pub not_before: Moment,
    /// Until when it is valid.
    pub not_after: Moment,
}

impl Folder {
    /// The folder at `path`; it need not exist.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the authority was made.
    pub fn made(&self) -> bool {
        self.path.join(ANCHOR).exists()
    }

    /// Writes the certificate that devices trust; makes the folder, for its owner only.
    ///
    /// # Errors
    /// If the disk refuses.
    pub fn write_anchor(&self, anchor_pem: &str) -> Result<(), CaError> {
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.path);
        made.map_err(|error| CaError::file("make the folder", &self.path, error))?;
        write(&self.path.join(ANCHOR), anchor_pem.as_bytes(), 0o644)
    }

    /// The certificate that devices trust, as PEM.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn anchor(&self) -> Result<String, CaError> {
        read(&self.path.join(ANCHOR))
    }

    /// Stores an intermediate as the next certificate of its group, its key sealed with `key`.
    ///
    /// # Errors
    /// If the disk refuses.
    pub fn store(
        &self,
        intermediate: &Intermediate,
        key: &SecretKey,
        randomness: &dyn Randomness,
    ) -> Result<(), CaError> {
        let id = &intermediate.group.id;
        let generation = self.generations()?.into_iter().filter(|(group, _)| group == id).map(|(_, n)| n).max();
        let name = format!("{id}-{}", generation.unwrap_or(0) + 1);
        let plain = Zeroizing::new(intermediate.key.serialize_der());
        let sealed = key.seal(&context(&intermediate.chain), &plain, randomness);
        let chain: String = intermediate.chain.iter().map(|certificate| pem_of(certificate)).collect();
        // The certificate last: it is what makes the key count.
        write(&self.path.join(format!("{name}.key")), &sealed, 0o600)?;
        write(&self.path.join(format!("{name}.pem")), chain.as_bytes(), 0o644)
    }

    /// What is stored, by group and generation.
    ///
    /// # Errors
    /// If a file cannot be read, or a certificate is not one that Writ issued: each must be a CA for TLS servers with
    /// nothing below it, constrained to DNS names, without any address.
    pub fn stored(&self) -> Result<Vec<Stored>, CaError> {
        self.generations()?.into_iter().map(|(id, generation)| self.read_stored(id, generation)).collect()
    }

    /// Removes a stored intermediate with its key.
    ///
    /// # Errors
    /// If the disk refuses.
    pub fn remove(&self, stored: &Stored) -> Result<(), CaError> {
        for end in ["pem", "key"] {
            let path = self.path.join(format!("{}-{}.{end}", stored.group.id, stored.generation));
            fs::remove_file(&path).map_err(|error| CaError::file("remove", &path, error))?;
        }
        Ok(())
    }

    /// Opens the key of a stored intermediate.
    pub(crate) fn signer(&self, stored: &Stored, key: &SecretKey) -> Result<Signer, CaError> {
        let path = self.path.join(format!("{}-{}.key", stored.group.id, stored.generation));
        let sealed = fs::read(&path).map_err(|error| CaError::file("read", &path, error))?;
        let refused = || CaError::Sealed { group: stored.group.id.clone() };
        let plain = Zeroizing::new(key.open(&context(&stored.chain), &sealed).map_err(|_| refused())?);
        let key = pem::key_pair(&PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(plain.as_slice())))?;
        let parsed = Parsed::of(stored.chain.first().ok_or_else(refused)?)?;
        if key.public_key_raw() != parsed.public_key {
            return Err(refused());
        }
        let key_id = parsed.key_id.unwrap_or_else(|| crate::certificate::key_id(&key));
        Ok(Signer { name: parsed.subject, key_id, key })
    }

    /// (group, generation) of every certificate in the folder, sorted.
    fn generations(&self) -> Result<Vec<(String, u32)>, CaError> {
        let failed = |error| CaError::file("read the folder", &self.path, error);
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            let stem = name.to_str().and_then(|name| name.strip_suffix(".pem"));
            let Some((id, generation)) = stem.and_then(|stem| stem.split_once('-')) else { continue };
            if let Ok(generation) = generation.parse()
                && id.bytes().all(|b| b.is_ascii_digit())
            {
                found.push((id.to_owned(), generation));
            }
        }
        found.sort_by(|a, b| (a.0.len(), &a.0, a.1).cmp(&(b.0.len(), &b.0, b.1)));
        Ok(found)
    }

    fn read_stored(&self, id: String, generation: u32) -> Result<Stored, CaError> {
        let path = self.path.join(format!("{id}-{generation}.pem"));
        let chain = certificates(&read(&path)?)?;
        let parsed = Parsed::of(chain.first().map_or(&[], |certificate| certificate.as_ref()))?;
        let constraints = parsed.constraints;
        let ours = parsed.ca && parsed.path == Some(0) && constraints.critical && constraints.no_addresses;
        let (true, Some(mut hosts)) = (ours, constraints.permitted) else {
            return Err(CaError::unusable(format!(
                "`{}` is not constrained to listed names as intermediates of Writ are; remove it with its key",
                path.display()
            )));
        };
        hosts.sort_unstable();
        let group = Group { id, hosts };
        Ok(Stored { group, generation, chain, not_before: parsed.not_before, not_after: parsed.not_after })
    }
}

/// What a sealed key is sealed for: its certificate.
fn context(chain: &[CertificateDer<'_>]) -> Vec<u8> {
    let certificate = chain.first().map_or(&[][..], |certificate| certificate.as_ref());
    [b"writ-ca intermediate ".as_slice(), &Sha256::digest(certificate)].concat()
}

fn read(path: &Path) -> Result<String, CaError> {
    let failed = |error| CaError::file("read", path, error);
    let size = fs::metadata(path).map_err(failed)?.len();
    if !FILE.admits(usize::try_from(size).unwrap_or(usize::MAX)) {
        return Err(CaError::limit(format!("`{}`", path.display()), &FILE));
    }
    fs::read_to_string(path).map_err(failed)
}

/// Writes a file whole or not at all.
fn write(path: &Path, bytes: &[u8], mode: u32) -> Result<(), CaError> {
    let temporary = path.with_extension("new");
    let failed = |error| CaError::file("write", path, error);
    let file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&temporary);
    file.and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    })
    .map_err(failed)?;
    fs::rename(&temporary, path).map_err(failed)
}
