//! Names in client certificates.

use writ_base::Sensitive;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::limits::LOGIN_BYTES;

/// The object identifier of a user principal name in a subject alternative name (Microsoft, szOID_NT_PRINCIPAL_NAME).
const PRINCIPAL_NAME: &str = "1.3.6.1.4.1.311.20.2.3";

/// The logins that a certificate (DER) can mean, in this order: user principal names, mail addresses, common names.
/// Nothing where it cannot be read.
pub fn logins(der: &[u8]) -> Vec<Sensitive<String>> {
    let Ok((_, certificate)) = X509Certificate::from_der(der) else { return Vec::new() };
    let names = certificate.subject_alternative_name().ok().flatten();
    let names = names.as_ref().map(|extension| extension.value.general_names.as_slice()).unwrap_or_default();
    let principal = names.iter().filter_map(|name| match name {
        GeneralName::OtherName(oid, value) if oid.to_id_string() == PRINCIPAL_NAME => utf8_in(value),
        _ => None,
    });
    let mail = names.iter().filter_map(|name| match name {
        GeneralName::RFC822Name(address) => Some((*address).to_owned()),
        _ => None,
    });
    let common = certificate.subject().iter_common_name().filter_map(|name| name.as_str().ok().map(str::to_owned));
    let mut all: Vec<String> = Vec::new();
    for name in principal.chain(mail).chain(common) {
        let name = name.trim().to_owned();
        if !name.is_empty() && LOGIN_BYTES.admits(name.len()) && !all.contains(&name) {
            all.push(name);
        }
    }
    all.into_iter().map(Sensitive::new).collect()
}

/// The UTF8String inside `[0] EXPLICIT` (RFC 5280 section 4.2.1.6, OtherName); one byte of length each is enough for a
/// login.
fn utf8_in(value: &[u8]) -> Option<String> {
    let [0xa0, outer, 0x0c, inner, text @ ..] = value else { return None };
    let fits = *inner < 0x80 && usize::from(*inner) == text.len() && usize::from(*outer) == text.len() + 2;
    fits.then(|| String::from_utf8(text.to_vec()).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::string::Ia5String;
    use rcgen::{CertificateParams, DnType, KeyPair, OtherNameValue, SanType};

    fn certificate(common: Option<&str>, names: Vec<SanType>) -> Vec<u8> {
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        if let Some(common) = common {
            params.distinguished_name.push(DnType::CommonName, common);
        }
        params.subject_alt_names = names;
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
    }

    fn read(der: &[u8]) -> Vec<String> {
        logins(der).into_iter().map(Sensitive::into_exposed).collect()
    }

    #[test]
    fn names_are_found_in_their_order() {
        let mail = SanType::Rfc822Name(Ia5String::try_from("ada@example.org").unwrap());
        let oid = vec![1, 3, 6, 1, 4, 1, 311, 20, 2, 3];
        let name = SanType::OtherName((oid, OtherNameValue::Utf8String("ada@corp.example".into())));
        let host = SanType::DnsName(Ia5String::try_from("laptop.example.org").unwrap());
        let all = certificate(Some("Ada"), vec![host.clone(), mail.clone(), name]);
        assert_eq!(read(&all), ["ada@corp.example", "ada@example.org", "Ada"]);
        assert_eq!(read(&certificate(Some("ada@example.org"), vec![mail])), ["ada@example.org"]);
        assert_eq!(read(&certificate(None, vec![host])), Vec::<String>::new());
        assert_eq!(read(b"no certificate"), Vec::<String>::new());
        for end in 0..all.len() {
            assert_eq!(read(&all[..end]), Vec::<String>::new(), "cut at {end}");
        }
    }

    #[test]
    fn principal_names_of_another_form_are_passed_over() {
        assert_eq!(utf8_in(b"\xa0\x05\x0c\x03ada"), Some("ada".into()));
        for wrong in [
            &b""[..],
            b"\xa0\x05\x0c\x03ad",
            b"\xa0\x04\x0c\x03ada",
            b"\xa0\x05\x13\x03ada",
            b"\xa0\x05\x0c\x81\x03ada",
        ] {
            assert_eq!(utf8_in(wrong), None);
        }
    }
}
