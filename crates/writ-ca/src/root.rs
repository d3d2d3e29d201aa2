//! The root, or a company's CA in its place, and what it issues.

use std::time::Duration;

use rcgen::KeyPair;
use rustls::pki_types::CertificateDer;
use writ_base::{Moment, Randomness, Sensitive};

use crate::certificate::{self, Contents, Signer};
use crate::limits::{GROUP_NAMES, HANDSHAKE};
use crate::listed::check_name;
use crate::parsed::Parsed;
use crate::{CaError, Group, certificates, pem, pem_of};

const DAY: Duration = Duration::from_secs(86_400);
/// How far certificates reach back, so that a slow clock does not refuse them.
pub(crate) const BACK_DATED: Duration = DAY.saturating_mul(2);
/// Longest life of an intermediate.
pub(crate) const INTERMEDIATE_DAYS: u32 = 730;
/// Length of a host name that the size of the handshake is reckoned with; longer ones are rare.
const LONG_HOST: usize = 100;
/// ECDSA signatures vary by a few bytes.
const SIGNATURE_SLACK: usize = 8;
/// Least room for names: a company's CA with long names or an RSA key must not leave groups of one.
const LEAST_ROOM: usize = 150;

/// How a new root is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootName {
    /// The organisation, as staff know it; at most 64 characters are kept.
    pub organisation: String,
    /// The CA's own name, as it stands in lists of certificates; at most 64 characters are kept.
    pub common_name: String,
}

/// A CA that signs intermediates: made by Writ or a company's own. Holds its private key: keep it for as short as it
/// takes.
pub struct Root {
    signer: Signer,
    parsed: Parsed,
    /// Its certificate, then those above it.
    chain: Vec<CertificateDer<'static>>,
    organisation: Option<String>,
}

/// A CA for the names of one group, with its private key.
pub struct Intermediate {
    /// Its names.
    pub group: Group,
    /// Its certificate, then those that stand between it and the anchor.
    pub chain: Vec<CertificateDer<'static>>,
    /// From when it is valid.
    pub not_before: Moment,
    /// Until when it is valid.
    pub not_after: Moment,
    pub(crate) key: KeyPair,
}

impl Root {
    /// Makes a root with a P-256 key, valid for `years` from two days before `now`.
    ///
    /// # Errors
    /// If the library refuses.
    pub fn create(name: &RootName, years: u32, now: Moment, randomness: &dyn Randomness) -> Result<Self, CaError> {
        let key = certificate::new_key()?;
        let key_id = certificate::key_id(&key);
        let subject = certificate::name(Some(&name.organisation), &name.common_name);
        let public_key = certificate::public_key(&key);
        let signer = Signer { name: subject.clone(), key_id: key_id.clone(), key };
        let contents = Contents {
            subject: &subject,
            not_before: earlier(now, BACK_DATED),
            not_after: now.after(DAY.saturating_mul(years.saturating_mul(365).saturating_add(years / 4))),
            public_key: &public_key,
            extensions: &[certificate::subject_key_id(&key_id), certificate::ca(1), certificate::root_usage()],
        };
        let der = signer.sign(&contents, randomness)?;
        Self::from_parts(vec![CertificateDer::from(der)], signer.key, now)
    }

    /// Opens a root that [`Root::create`] made, or a company's CA. `certificates_pem` begins with the CA's own
    /// certificate; those above it may follow, up to the one that devices trust. The key is PKCS #8 (encrypted or not),
    /// SEC 1 or PKCS #1.
    ///
    /// # Errors
    /// If the certificate is no CA, may not sign certificates or have a CA below it, is not valid at `now`, is not for
    /// TLS servers, the key belongs to another one or is of a kind that browsers do not take, or the passphrase is
    /// wrong or missing.
    pub fn open(
        certificates_pem: &str,
        key_pem: &str,
        passphrase: Option<&Sensitive<String>>,
        now: Moment,
    ) -> Result<Self, CaError> {
        Self::from_parts(certificates(certificates_pem)?, pem::private_key(key_pem, passphrase)?, now)
    }

    fn from_parts(chain: Vec<CertificateDer<'static>>, key: KeyPair, now: Moment) -> Result<Self, CaError> {
        let parsed = chain.iter().map(|certificate| Parsed::of(certificate)).collect::<Result<Vec<_>, _>>()?;
        for (depth, ca) in (0..).zip(&parsed) {
            check_ca(ca, depth, now)?;
        }
        let unlinked = parsed.iter().zip(parsed.iter().skip(1)).find(|(lower, upper)| lower.issuer != upper.subject);
        if let Some((lower, _)) = unlinked {
            return Err(CaError::unusable(format!(
                "the certificate after `{}` is not its issuer's; give them from the CA up to its root",
                lower.subject_text
            )));
        }
        let Some(own) = parsed.into_iter().next() else { return Err(CaError::unusable("there is no certificate")) };
        if key.public_key_raw() != own.public_key {
            return Err(CaError::unusable(format!("the key does not belong to `{}`", own.subject_text)));
        }
        certificate::signature_algorithm(&key)?;
        // An own root without a key identifier would leave intermediates without the identifier of their issuer.
        let key_id = own.key_id.clone().unwrap_or_else(|| certificate::key_id(&key));
        let organisation = organisation_of(&own);
        let signer = Signer { name: own.subject.clone(), key_id, key };
        Ok(Self { signer, parsed: own, chain, organisation })
    }

    /// Its certificate and those above it, as PEM.
    pub fn certificates_pem(&self) -> String {
        self.chain.iter().map(|certificate| pem_of(certificate)).collect()
    }

    /// The certificate that devices are to trust, as PEM: the topmost one given.
    pub fn anchor_pem(&self) -> String {
        self.chain.last().map(|certificate| pem_of(certificate)).unwrap_or_default()
    }

    /// How it is called, in words.
    pub fn name(&self) -> &str {
        &self.parsed.subject_text
    }

    /// Until when it is valid.
    pub fn not_after(&self) -> Moment {
        self.parsed.not_after
    }

    /// Its key, encrypted (PKCS #8, scrypt, AES-256-CBC); OpenSSL 3 opens it.
    ///
    /// # Errors
    /// If the passphrase has fewer than 12 characters.
    pub fn key_pem(&self, passphrase: &Sensitive<String>, randomness: &dyn Randomness) -> Result<String, CaError> {
        pem::encrypt(&self.signer.key, passphrase, randomness)
    }

    /// How many bytes of names leave the handshake within its limit.
    ///
    /// # Errors
    /// If the library refuses.
    pub fn room(&self, now: Moment, randomness: &dyn Randomness) -> Result<usize, CaError> {
        let key = certificate::new_key()?;
        let host = "a".repeat(LONG_HOST);
        // With a name about as long as all names together, so that the lengths around them take their bytes.
        let probe = ["a".repeat(300)];
        let intermediate = self.sign_intermediate("00", &probe, &key, (now, now), randomness)?;
        let leaf_signer = Signer {
            name: self.intermediate_name("00"),
            key_id: certificate::key_id(&key),
            key: certificate::new_key()?,
        };
        let leaf = leaf(&leaf_signer, &host, &certificate::public_key(&key), (now, now), randomness)?;
        let mut message: Vec<&[u8]> = vec![&leaf, &intermediate];
        message.extend(self.sent().map(|certificate| certificate.as_ref()));
        let names: usize = probe.iter().map(|name| certificate::bytes_of_name(name)).sum();
        let taken = (handshake_bytes(&message) + SIGNATURE_SLACK).saturating_sub(names);
        Ok(HANDSHAKE.value().saturating_sub(taken).max(LEAST_ROOM))
    }

    /// Issues the intermediate of a group: valid from two days before `now` for `days` (at most 730) and never longer
    /// than this CA.
    ///
    /// # Errors
    /// If a name cannot be listed, or this CA's own constraints do not permit it.
    pub fn issue(
        &self,
        group: &Group,
        days: u32,
        now: Moment,
        randomness: &dyn Randomness,
    ) -> Result<Intermediate, CaError> {
        if group.hosts.is_empty() || !GROUP_NAMES.admits(group.hosts.len()) {
            return Err(CaError::limit(format!("the number of names of group `{}`", group.id), &GROUP_NAMES));
        }
        for host in &group.hosts {
            check_name(host)?;
            if !self.parsed.constraints.admits(host) {
                let reason = "the CA that signs is not permitted to issue for it";
                return Err(CaError::Name { name: host.clone(), reason });
            }
        }
        let key = certificate::new_key()?;
        let life = DAY.saturating_mul(days.clamp(1, INTERMEDIATE_DAYS));
        let not_before = earlier(now, BACK_DATED).max(self.parsed.not_before);
        let not_after = now.after(life).min(self.parsed.not_after);
        let der = self.sign_intermediate(&group.id, &group.hosts, &key, (not_before, not_after), randomness)?;
        let chain = std::iter::once(CertificateDer::from(der)).chain(self.sent().cloned()).collect();
        Ok(Intermediate { group: group.clone(), chain, not_before, not_after, key })
    }

    fn sign_intermediate(
        &self,
        id: &str,
        hosts: &[String],
        key: &KeyPair,
        (not_before, not_after): (Moment, Moment),
        randomness: &dyn Randomness,
    ) -> Result<Vec<u8>, CaError> {
        let contents = Contents {
            subject: &self.intermediate_name(id),
            not_before,
            not_after,
            public_key: &certificate::public_key(key),
            extensions: &[
                certificate::authority_key_id(&self.signer.key_id),
                certificate::subject_key_id(&certificate::key_id(key)),
                certificate::ca(0),
                certificate::issuer_usage(),
                certificate::servers_only(),
                certificate::name_constraints(hosts.iter().map(String::as_str)),
            ],
        };
        self.signer.sign(&contents, randomness)
    }

    fn intermediate_name(&self, id: &str) -> Vec<u8> {
        certificate::name(self.organisation.as_deref(), &format!("AI inspection {id}"))
    }

    /// The certificates that a server sends besides leaf and intermediate: all but the anchor.
    fn sent(&self) -> impl Iterator<Item = &CertificateDer<'static>> {
        self.chain.iter().take(self.chain.len().saturating_sub(1))
    }
}

impl std::fmt::Debug for Root {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Root({})", self.parsed.subject_text)
    }
}

impl std::fmt::Debug for Intermediate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Intermediate({})", self.group.id)
    }
}

/// Whether a certificate may stand above an intermediate with `depth` CAs between them.
fn check_ca(ca: &Parsed, depth: u32, now: Moment) -> Result<(), CaError> {
    let problem = if !ca.ca {
        "is no CA (basic constraints)"
    } else if !ca.signs_certificates {
        "may not sign certificates (key usage `keyCertSign` is missing)"
    } else if ca.path.is_some_and(|path| path <= depth) {
        "may have no further CA below it (path length); an intermediate needs one"
    } else if !ca.for_servers {
        "is not for TLS servers (extended key usage)"
    } else if now < ca.not_before || now >= ca.not_after {
        "is not valid now"
    } else {
        return Ok(());
    };
    Err(CaError::unusable(format!("`{}` {problem}", ca.subject_text)))
}

/// The organisation of a CA's name, which its intermediates repeat.
fn organisation_of(ca: &Parsed) -> Option<String> {
    let (_, name) =
        <x509_parser::x509::X509Name<'_> as x509_parser::prelude::FromDer<'_, _>>::from_der(&ca.subject).ok()?;
    name.iter_organization().next().and_then(|value| value.as_str().ok()).map(str::to_owned)
}

/// The leaf of one host.
pub(crate) fn leaf(
    signer: &Signer,
    host: &str,
    public_key: &[u8],
    (not_before, not_after): (Moment, Moment),
    randomness: &dyn Randomness,
) -> Result<Vec<u8>, CaError> {
    let contents = Contents {
        // Whoever looks at the certificate is told; the host stands in the alternative name, once.
        subject: &certificate::name(None, "Inspected by Writ"),
        not_before,
        not_after,
        public_key,
        extensions: &[
            certificate::authority_key_id(&signer.key_id),
            certificate::leaf_usage(),
            certificate::servers_only(),
            certificate::one_dns_name(host),
        ],
    };
    signer.sign(&contents, randomness)
}

/// Bytes of the certificate message of TLS 1.3 (RFC 8446, section 4.4.2) with these certificates (DER) and without
/// further extensions.
pub fn handshake_bytes(chain: &[&[u8]]) -> usize {
    let type_and_length = 4;
    let context = 1;
    let list = 3;
    type_and_length + context + list + chain.iter().map(|certificate| 3 + certificate.len() + 2).sum::<usize>()
}

/// This much before a moment.
pub(crate) fn earlier(moment: Moment, by: Duration) -> Moment {
    Moment::from_nanos(moment.nanos().saturating_sub(i64::try_from(by.as_nanos()).unwrap_or(i64::MAX)))
}
