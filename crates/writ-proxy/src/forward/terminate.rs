//! TLS towards clients: one set-up per host, so that a session that began under one name never resumes under another.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::RwLock;
use rustls::crypto::CryptoProvider;
use rustls::server::NoServerSessionStorage;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{Error, ServerConfig};

use super::limits;

/// TLS set-ups by host name, each with its own ticket keys.
pub(crate) struct Terminator {
    provider: Arc<CryptoProvider>,
    configs: RwLock<HashMap<Box<str>, Kept>>,
    /// Counts uses: what was used least recently goes first.
    uses: AtomicU64,
}

struct Kept {
    leaf: Arc<CertifiedKey>,
    config: Arc<ServerConfig>,
    used: AtomicU64,
}

impl Terminator {
    pub(crate) fn new() -> Self {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        Self { provider, configs: RwLock::default(), uses: AtomicU64::new(0) }
    }

    /// The set-up for a host with its certificate; a new one where the certificate is another than before.
    ///
    /// # Errors
    /// If the TLS provider lacks what it needs.
    pub(crate) fn config(&self, host: &str, leaf: &Arc<CertifiedKey>) -> Result<Arc<ServerConfig>, Error> {
        let used = self.uses.fetch_add(1, Ordering::Relaxed);
        if let Some(kept) = self.configs.read().get(host)
            && Arc::ptr_eq(&kept.leaf, leaf)
        {
            kept.used.store(used, Ordering::Relaxed);
            return Ok(Arc::clone(&kept.config));
        }
        let config = Arc::new(self.build(leaf)?);
        let kept = Kept { leaf: Arc::clone(leaf), config: Arc::clone(&config), used: AtomicU64::new(used) };
        let mut configs = self.configs.write();
        if !limits::TERMINATIONS.admits(configs.len() + 1) {
            drop_older_half(&mut configs);
        }
        configs.insert(host.into(), kept);
        Ok(config)
    }

    fn build(&self, leaf: &Arc<CertifiedKey>) -> Result<ServerConfig, Error> {
        let mut config = ServerConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(SingleCertAndKey::from((**leaf).clone())));
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        // Tickets with keys of this host's own: nothing is stored, nothing is shared.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.ticketer = rustls::crypto::aws_lc_rs::Ticketer::new()?;
        Ok(config)
    }
}

/// Keeps the half that was used last, so that a flood of names costs a sort every few thousand connections.
fn drop_older_half(configs: &mut HashMap<Box<str>, Kept>) {
    let mut uses: Vec<u64> = configs.values().map(|kept| kept.used.load(Ordering::Relaxed)).collect();
    let middle = uses.len() / 2;
    let (_, median, _) = uses.select_nth_unstable(middle);
    let median = *median;
    configs.retain(|_, kept| kept.used.load(Ordering::Relaxed) >= median);
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::pki_types::PrivateKeyDer;

    fn leaf(name: &str) -> Arc<CertifiedKey> {
        let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let key = rustls::crypto::aws_lc_rs::sign::any_ecdsa_type(&key).unwrap();
        Arc::new(CertifiedKey::new(vec![made.cert.der().clone()], key))
    }

    #[test]
    fn a_host_keeps_its_set_up_until_its_certificate_changes() {
        let terminator = Terminator::new();
        let (first, second) = (leaf("a.example"), leaf("a.example"));
        let config = terminator.config("a.example", &first).unwrap();
        assert!(Arc::ptr_eq(&config, &terminator.config("a.example", &first).unwrap()));
        assert!(!Arc::ptr_eq(&config, &terminator.config("a.example", &second).unwrap()));
        assert!(!Arc::ptr_eq(&config, &terminator.config("b.example", &first).unwrap()));
        assert_eq!(terminator.configs.read().len(), 2);
    }

    #[test]
    fn tickets_of_one_host_mean_nothing_to_another() {
        let terminator = Terminator::new();
        let leaf = leaf("a.example");
        let (a, b) = (terminator.config("a", &leaf).unwrap(), terminator.config("b", &leaf).unwrap());
        let ticket = a.ticketer.encrypt(b"session").unwrap();
        assert_eq!(a.ticketer.decrypt(&ticket).as_deref(), Some(b"session".as_slice()));
        assert_eq!(b.ticketer.decrypt(&ticket), None);
    }

    #[test]
    fn a_flood_of_names_is_bounded_and_keeps_what_is_used() {
        let terminator = Terminator::new();
        let leaf = leaf("a.example");
        let config = Arc::new(terminator.build(&leaf).unwrap());
        {
            let mut configs = terminator.configs.write();
            for number in 0..limits::TERMINATIONS.value() as u64 {
                let used = AtomicU64::new(number);
                configs.insert(
                    number.to_string().into(),
                    Kept { leaf: Arc::clone(&leaf), config: Arc::clone(&config), used },
                );
            }
        }
        terminator.uses.store(1 << 20, Ordering::Relaxed);
        let busy = terminator.config("0", &leaf).unwrap();
        terminator.config("new", &leaf).unwrap();
        assert!(terminator.configs.read().len() <= limits::TERMINATIONS.value() / 2 + 2);
        assert!(Arc::ptr_eq(&busy, &terminator.config("0", &leaf).unwrap()));
    }
}
