//! Certificates as bytes: the profiles of root, intermediate and leaf (RFC 5280), and their signature.

use rcgen::{KeyPair, PublicKeyData as _, SigningKey as _};
use sha2::{Digest as _, Sha256};
use writ_base::{Moment, Randomness};

use crate::CaError;
use crate::der::{
    BOOLEAN, INTEGER, OCTET_STRING, OID, SET, UTF8_STRING, bit_string, context, context_constructed, sequence, time,
    tlv,
};

/// Who signs: a name, byte for byte as in its own certificate, its key identifier and its key.
pub(crate) struct Signer {
    /// The subject of its certificate (DER `Name`).
    pub(crate) name: Vec<u8>,
    /// Its subject key identifier.
    pub(crate) key_id: Vec<u8>,
    /// Its key.
    pub(crate) key: KeyPair,
}

/// What one certificate says, without its issuer.
pub(crate) struct Contents<'a> {
    pub(crate) subject: &'a [u8],
    pub(crate) not_before: Moment,
    pub(crate) not_after: Moment,
    /// DER `SubjectPublicKeyInfo`.
    pub(crate) public_key: &'a [u8],
    /// Ready extensions, in order.
    pub(crate) extensions: &'a [Vec<u8>],
}

impl Signer {
    /// The signed certificate (DER).
    ///
    /// # Errors
    /// If the key is of a kind that browsers do not take, or the library refuses.
    pub(crate) fn sign(&self, contents: &Contents<'_>, randomness: &dyn Randomness) -> Result<Vec<u8>, CaError> {
        let algorithm = signature_algorithm(&self.key)?;
        let validity = sequence(&[&time(contents.not_before), &time(contents.not_after)]);
        let extensions: Vec<&[u8]> = contents.extensions.iter().map(Vec::as_slice).collect();
        let tbs = sequence(&[
            &tlv(context_constructed(0), &[&[INTEGER, 1, 2]]),
            &serial(randomness),
            algorithm,
            &self.name,
            &validity,
            contents.subject,
            contents.public_key,
            &tlv(context_constructed(3), &[&sequence(&extensions)]),
        ]);
        let signature = self.key.sign(&tbs).map_err(|error| CaError::crypto("sign a certificate", &error))?;
        Ok(sequence(&[&tbs, algorithm, &bit_string(&signature)]))
    }
}

/// A positive serial number with 126 random bits, always 16 bytes (RFC 5280, section 4.1.2.2).
fn serial(randomness: &dyn Randomness) -> Vec<u8> {
    let mut number = [0; 16];
    randomness.fill(&mut number);
    if let Some(first) = number.first_mut() {
        *first = (*first & 0x3f) | 0x40;
    }
    tlv(INTEGER, &[&number])
}

/// `ecdsa-with-SHA256`, `ecdsa-with-SHA384` (RFC 5758) and `sha256WithRSAEncryption` (RFC 4055) as DER.
const ECDSA_SHA256: &[u8] = &[0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
const ECDSA_SHA384: &[u8] = &[0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03];
const RSA_SHA256: &[u8] = &[0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b, 0x05, 0x00];

/// The algorithm that a key signs with, as DER.
///
/// # Errors
/// For keys other than P-256, P-384 and RSA: browsers do not take them.
pub(crate) fn signature_algorithm(key: &KeyPair) -> Result<&'static [u8], CaError> {
    let algorithm = key.algorithm();
    if *algorithm == rcgen::PKCS_ECDSA_P256_SHA256 {
        Ok(ECDSA_SHA256)
    } else if *algorithm == rcgen::PKCS_ECDSA_P384_SHA384 {
        Ok(ECDSA_SHA384)
    } else if *algorithm == rcgen::PKCS_RSA_SHA256 {
        Ok(RSA_SHA256)
    } else {
        Err(CaError::unusable("the CA's key is of a kind that browsers do not take; use P-256, P-384 or RSA"))
    }
}

/// A new P-256 key.
pub(crate) fn new_key() -> Result<KeyPair, CaError> {
    KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).map_err(|error| CaError::crypto("make a key", &error))
}

/// The first 160 bits of SHA-256 over the public key (RFC 7093, section 2, method 1).
pub(crate) fn key_id(key: &KeyPair) -> Vec<u8> {
    Sha256::digest(key.public_key_raw()).iter().take(20).copied().collect()
}

/// The public key as DER.
pub(crate) fn public_key(key: &KeyPair) -> Vec<u8> {
    key.subject_public_key_info()
}

/// A name of organisation and common name, each cut to the 64 characters of RFC 5280's upper bounds.
pub(crate) fn name(organisation: Option<&str>, common_name: &str) -> Vec<u8> {
    let attribute = |oid: &[u8], value: &str| {
        let cut: String = value.chars().take(64).collect();
        tlv(SET, &[&sequence(&[&tlv(OID, &[oid]), &tlv(UTF8_STRING, &[cut.as_bytes()])])])
    };
    let organisation = organisation.map(|value| attribute(&[0x55, 0x04, 0x0a], value)).unwrap_or_default();
    sequence(&[&organisation, &attribute(&[0x55, 0x04, 0x03], common_name)])
}

fn extension(id: u8, critical: bool, value: &[u8]) -> Vec<u8> {
    let critical: &[u8] = if critical { &[BOOLEAN, 1, 0xff] } else { &[] };
    sequence(&[&tlv(OID, &[&[0x55, 0x1d, id]]), critical, &tlv(OCTET_STRING, &[value])])
}

/// `authorityKeyIdentifier`: Python refuses chains without it (`VERIFY_X509_STRICT`, default from 3.13 on).
pub(crate) fn authority_key_id(key_id: &[u8]) -> Vec<u8> {
    extension(0x23, false, &sequence(&[&tlv(context(0), &[key_id])]))
}

pub(crate) fn subject_key_id(key_id: &[u8]) -> Vec<u8> {
    extension(0x0e, false, &tlv(OCTET_STRING, &[key_id]))
}

/// A CA below which `path` more CAs may stand.
pub(crate) fn ca(path: u8) -> Vec<u8> {
    extension(0x13, true, &sequence(&[&[BOOLEAN, 1, 0xff], &[INTEGER, 1, path]]))
}

/// `keyCertSign` and `cRLSign`.
pub(crate) fn root_usage() -> Vec<u8> {
    extension(0x0f, true, &[0x03, 2, 1, 0x06])
}

/// `keyCertSign` alone.
pub(crate) fn issuer_usage() -> Vec<u8> {
    extension(0x0f, true, &[0x03, 2, 2, 0x04])
}

/// `digitalSignature` alone.
pub(crate) fn leaf_usage() -> Vec<u8> {
    extension(0x0f, true, &[0x03, 2, 7, 0x80])
}

/// Extended key usage: TLS servers only.
pub(crate) fn servers_only() -> Vec<u8> {
    extension(0x25, false, &sequence(&[&tlv(OID, &[&[0x2b, 6, 1, 5, 5, 7, 3, 1]])]))
}

/// Exactly one DNS name.
pub(crate) fn one_dns_name(name: &str) -> Vec<u8> {
    extension(0x11, false, &sequence(&[&tlv(context(2), &[name.as_bytes()])]))
}

/// Permitted: these DNS subtrees. Excluded: every IPv4 and every IPv6 address.
pub(crate) fn name_constraints<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<u8> {
    let subtree = |tag: u8, value: &[u8]| sequence(&[&tlv(context(tag), &[value])]);
    let permitted: Vec<u8> = names.into_iter().flat_map(|name| subtree(2, name.as_bytes())).collect();
    let excluded = [subtree(7, &[0; 8]), subtree(7, &[0; 32])].concat();
    let both = sequence(&[&tlv(context_constructed(0), &[&permitted]), &tlv(context_constructed(1), &[&excluded])]);
    extension(0x1e, true, &both)
}

/// Bytes that one permitted name adds to [`name_constraints`]: two tags, two lengths, the name.
pub(crate) const fn bytes_of_name(name: &str) -> usize {
    match name.len() {
        short @ ..0x7e => short + 4,
        long @ ..0x80 => long + 5,
        long @ ..0xfd => long + 6,
        long => long + 8,
    }
}
