//! What a certificate says, as far as the authority must know it.

use writ_base::Moment;
use x509_parser::extensions::{GeneralName, NameConstraints, ParsedExtension};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::CaError;
use crate::groups::parents;

/// The parts of a certificate that decide whether it may issue, and what.
#[derive(Clone, Debug)]
pub(crate) struct Parsed {
    /// DER `Name`.
    pub(crate) subject: Vec<u8>,
    /// DER `Name`.
    pub(crate) issuer: Vec<u8>,
    /// In words, for messages.
    pub(crate) subject_text: String,
    pub(crate) key_id: Option<Vec<u8>>,
    /// The bits of the public key.
    pub(crate) public_key: Vec<u8>,
    pub(crate) not_before: Moment,
    pub(crate) not_after: Moment,
    pub(crate) ca: bool,
    /// How many CAs may stand below it; `None` says any number.
    pub(crate) path: Option<u32>,
    pub(crate) signs_certificates: bool,
    /// Whether what it issues may be a TLS server.
    pub(crate) for_servers: bool,
    pub(crate) constraints: Constraints,
}

/// Name constraints, those of DNS names and IP addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Constraints {
    /// Whether verifiers must refuse the chain if they do not understand them.
    pub(crate) critical: bool,
    /// Permitted DNS subtrees; `None` says every name.
    pub(crate) permitted: Option<Vec<String>>,
    /// Excluded DNS subtrees.
    pub(crate) excluded: Vec<String>,
    /// Whether every IPv4 and every IPv6 address is excluded.
    pub(crate) no_addresses: bool,
}

impl Parsed {
    /// Reads a certificate (DER).
    ///
    /// # Errors
    /// If it is none.
    pub(crate) fn of(certificate: &[u8]) -> Result<Self, CaError> {
        let (_, parsed) = X509Certificate::from_der(certificate)
            .map_err(|error| CaError::unusable(format!("a certificate cannot be read: {error}")))?;
        let basic = parsed.basic_constraints().ok().flatten().map(|found| found.value.clone());
        let usage = parsed.key_usage().ok().flatten().map(|found| *found.value);
        let extended = parsed.extended_key_usage().ok().flatten().map(|found| found.value.clone());
        let key_id = parsed.extensions().iter().find_map(|extension| match extension.parsed_extension() {
            ParsedExtension::SubjectKeyIdentifier(id) => Some(id.0.to_vec()),
            _ => None,
        });
        let constraints = parsed.name_constraints().ok().flatten();
        Ok(Self {
            subject: parsed.subject().as_raw().to_vec(),
            issuer: parsed.issuer().as_raw().to_vec(),
            subject_text: parsed.subject().to_string(),
            key_id,
            public_key: parsed.public_key().subject_public_key.data.to_vec(),
            not_before: Moment::from_seconds(parsed.validity().not_before.timestamp()),
            not_after: Moment::from_seconds(parsed.validity().not_after.timestamp()),
            ca: basic.as_ref().is_some_and(|basic| basic.ca),
            path: basic.and_then(|basic| basic.path_len_constraint),
            signs_certificates: usage.is_none_or(|usage| usage.key_cert_sign()),
            for_servers: extended.is_none_or(|usage| usage.any || usage.server_auth),
            constraints: constraints.map(|found| Constraints::of(found.value, found.critical)).unwrap_or_default(),
        })
    }
}

impl Constraints {
    fn of(constraints: &NameConstraints<'_>, critical: bool) -> Self {
        let subtrees = |subtrees: &Option<Vec<x509_parser::extensions::GeneralSubtree<'_>>>| {
            let bases = subtrees.iter().flatten().map(|subtree| subtree.base.clone());
            let (mut names, mut addresses) = (Vec::new(), Vec::new());
            for base in bases {
                match base {
                    GeneralName::DNSName(name) => names.push(name.trim_start_matches('.').to_ascii_lowercase()),
                    GeneralName::IPAddress(address) => addresses.push(address.to_vec()),
                    _ => {}
                }
            }
            (names, addresses)
        };
        let (permitted, _) = subtrees(&constraints.permitted_subtrees);
        let (excluded, addresses) = subtrees(&constraints.excluded_subtrees);
        let all = |length: usize| addresses.iter().any(|address| *address == vec![0; length]);
        Self {
            critical,
            permitted: (!permitted.is_empty()).then_some(permitted),
            excluded,
            no_addresses: all(8) && all(32),
        }
    }

    /// Whether a name and everything below it may be issued.
    pub(crate) fn admits(&self, name: &str) -> bool {
        let listed = |subtrees: &[String], name: &str| {
            parents(name).any(|parent| subtrees.iter().any(|subtree| subtree == parent || subtree.is_empty()))
        };
        let below = |subtree: &String| parents(subtree).any(|parent| parent == name);
        self.permitted.as_ref().is_none_or(|permitted| listed(permitted, name))
            && !listed(&self.excluded, name)
            && !self.excluded.iter().any(below)
    }
}
