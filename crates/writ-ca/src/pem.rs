//! PEM (RFC 7468) and encrypted keys (PKCS #8, RFC 5958, with scrypt, RFC 7914).

use pkcs8::der::asn1::OctetString;
use pkcs8::der::pem::{LineEnding, encode_string};
use pkcs8::der::{Encode as _, SecretDocument};
use pkcs8::pkcs5::{pbes2, scrypt};
use pkcs8::{EncryptedPrivateKeyInfoOwned, EncryptedPrivateKeyInfoRef};
use rcgen::KeyPair;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use writ_base::{Randomness, Sensitive};
use zeroize::Zeroizing;

use crate::CaError;

/// Fewest characters of a passphrase.
const SHORTEST_PASSPHRASE: usize = 12;
/// scrypt: 16 MiB (OpenSSL opens no more than 32 by default), five times. OWASP counts this as strong as 128 MiB once.
const SCRYPT: (u8, u32, u32) = (14, 8, 5);
const ENCRYPTED: &str = "ENCRYPTED PRIVATE KEY";

/// A certificate as PEM.
pub fn pem_of(certificate: &[u8]) -> String {
    encode_string("CERTIFICATE", LineEnding::LF, certificate).unwrap_or_default()
}

/// The certificates of a PEM text, in order.
///
/// # Errors
/// If there is none, or the text is damaged.
pub fn certificates(text: &str) -> Result<Vec<CertificateDer<'static>>, CaError> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
    match all {
        Ok(all) if !all.is_empty() => Ok(all),
        Ok(_) => Err(CaError::unusable("there is no certificate in PEM form (`-----BEGIN CERTIFICATE-----`)")),
        Err(error) => Err(CaError::unusable(format!("the PEM text is damaged: {error}"))),
    }
}

/// A key as encrypted PKCS #8, which `openssl pkey` opens too.
///
/// # Errors
/// If the passphrase is too short or the library refuses.
pub(crate) fn encrypt(
    key: &KeyPair,
    passphrase: &Sensitive<String>,
    randomness: &dyn Randomness,
) -> Result<String, CaError> {
    if passphrase.expose().chars().count() < SHORTEST_PASSPHRASE {
        return Err(CaError::ShortPassphrase { least: SHORTEST_PASSPHRASE });
    }
    let refused = |error: &dyn std::fmt::Display| CaError::crypto("encrypt the key", &error.to_string());
    let (mut salt, mut iv) = ([0; 16], [0; 16]);
    randomness.fill(&mut salt);
    randomness.fill(&mut iv);
    let (log_n, r, p) = SCRYPT;
    let cost = scrypt::Params::new(log_n, r, p).map_err(|error| refused(&error))?;
    let scheme = pbes2::Parameters::generate_scrypt_aes256cbc(cost, &salt, iv).map_err(|error| refused(&error))?;
    let plain = Zeroizing::new(key.serialize_der());
    let encrypted = scheme.encrypt(passphrase.expose(), &plain).map_err(|error| refused(&error))?;
    let encrypted_data = OctetString::new(encrypted).map_err(|error| refused(&error))?;
    let info = EncryptedPrivateKeyInfoOwned { encryption_algorithm: scheme.into(), encrypted_data };
    let der = info.to_der().map_err(|error| refused(&error))?;
    encode_string(ENCRYPTED, LineEnding::LF, &der).map_err(|error| refused(&error))
}

/// The key in a PEM text: encrypted PKCS #8 with its passphrase, or an unencrypted one.
///
/// # Errors
/// If the text holds none, it is encrypted in another way, or the passphrase is another one.
pub(crate) fn private_key(text: &str, passphrase: Option<&Sensitive<String>>) -> Result<KeyPair, CaError> {
    if text.contains("Proc-Type: 4,ENCRYPTED") {
        return Err(CaError::unusable(
            "the key is encrypted in an old way; convert it with `openssl pkcs8 -topk8 -in OLD -out NEW`",
        ));
    }
    if !text.contains(ENCRYPTED) {
        let der = PrivateKeyDer::from_pem_slice(text.as_bytes())
            .map_err(|_| CaError::unusable("there is no private key in PEM form"))?;
        return key_pair(&der);
    }
    let passphrase = passphrase.ok_or_else(|| CaError::unusable("the key is encrypted; give its passphrase"))?;
    let (_, document) = SecretDocument::from_pem(text.trim())
        .map_err(|error| CaError::unusable(format!("the PEM text of the key is damaged: {error}")))?;
    let info = EncryptedPrivateKeyInfoRef::try_from(document.as_bytes()).map_err(|_| {
        CaError::unusable(
            "the key is encrypted in a way that is not supported; convert it with \
             `openssl pkcs8 -topk8 -v2 aes-256-cbc -in OLD -out NEW`",
        )
    })?;
    let plain = info.decrypt(passphrase.expose()).map_err(|_| CaError::Passphrase)?;
    key_pair(&PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(plain.as_bytes())))
}

/// The key in these bytes.
pub(crate) fn key_pair(der: &PrivateKeyDer<'_>) -> Result<KeyPair, CaError> {
    KeyPair::try_from(der)
        .map_err(|_| CaError::unusable("the private key is of a kind that is not supported; use P-256, P-384 or RSA"))
}
