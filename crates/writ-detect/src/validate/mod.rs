//! Checks in code: what a pattern cannot say. Each names its source.

mod finance;
mod health;
mod network;
mod person;
mod secret;
mod token;

use crate::automaton::View;

/// What a check says about a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// A check digit or another proof inside the value holds.
    Proved,
    /// The value can be what it looks like.
    Fits,
    /// It cannot.
    Refused,
    /// It cannot, whatever the context says.
    Never,
}

impl Check {
    pub(crate) const fn proved_if(holds: bool) -> Self {
        if holds { Self::Proved } else { Self::Refused }
    }

    pub(crate) const fn fits_if(holds: bool) -> Self {
        if holds { Self::Fits } else { Self::Refused }
    }
}

/// A value in its place.
#[derive(Clone, Copy)]
pub struct Site<'v, 't> {
    /// The text around it.
    pub view: &'v View<'t>,
    /// Where it begins in the view.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
}

impl<'t> Site<'_, 't> {
    /// The value.
    pub fn value(&self) -> &'t [u8] {
        self.view.slice(self.start, self.end)
    }
}

/// A check: what it says, and where the value ends if the pattern took too much.
pub type Validator = fn(&Site<'_, '_>) -> (Check, usize);

macro_rules! validators {
    ($($name:literal => $check:path, $source:literal;)+) => {
        /// Names of all validators with their sources.
        pub const VALIDATORS: &[(&str, &str)] = &[$(($name, $source)),+];

        /// The validator of a name.
        pub fn named(name: &str) -> Option<Validator> {
            match name {
                $($name => Some($check),)+
                _ => None,
            }
        }
    };
}

validators! {
    "aba" => finance::aba, "American Bankers Association routing number: prefix ranges, weights 3-7-1 modulo 10";
    "aws-key-id" => token::aws_key_id, "AWS: base32 identifier, not the one of the documentation";
    "basic" => token::basic, "RFC 7617: base64 of a name, a colon and a password";
    "birth-date" => person::birth_date, "a date of the Gregorian calendar between 1900 and 2029";
    "card" => finance::card, "ISO/IEC 7812-1: issuer range, length, Luhn check digit";
    "dea" => health::dea, "US DEA registration number: check digit";
    "github-crc" => token::github, "GitHub token formats (2021): CRC-32 of the body in base 62";
    "iban" => finance::iban, "ISO 13616: country, length, modulo 97 (ISO 7064)";
    "ipv4" => network::ipv4, "RFC 791; loopback, documentation (RFC 5737), unspecified and mask values are no findings";
    "ipv6" => network::ipv6, "RFC 4291; documentation addresses (RFC 3849) are no findings";
    "jwt" => token::jwt, "RFC 7519: header and claims decode to JSON objects";
    "member-id" => health::member_id, "letters and digits with at least four digits";
    "name" => person::name, "capitalised words that are no role, greeting or product word";
    "name-listed" => person::name_listed, "as `name`, the first being a common given name";
    "nats-seed" => token::nats_seed, "NATS nkeys: prefix and CRC-16 (XMODEM)";
    "nanp" => person::nanp, "North American Numbering Plan: no area code or exchange begins with 0 or 1";
    "npi" => health::npi, "45 CFR 162.406: Luhn with prefix 80840";
    "phone" => person::phone, "ITU-T E.164: country code, 8 to 15 digits";
    "phone-national" => person::phone_national, "6 to 12 digits that are no date";
    "password" => secret::secret, "no placeholder, reference, word or type; digits, signs or mixed case as chance makes them";
    "secret-strict" => secret::secret_strict, "as `password`, with at least two kinds of characters and high variety";
    "ssn" => finance::ssn, "US SSA: area not 000, 666 or 9xx, group not 00, serial not 0000, no published number";
    "ssn-read" => finance::ssn_read, "a US social security number in which optical reading took digits for letters";
    "url-password" => secret::url_password, "no placeholder, variable or word for a password";
    "varied" => token::varied, "at least eight different characters and no run of one";
}

/// The digits of a value as numbers.
pub(crate) fn digits(value: &[u8]) -> Vec<u32> {
    value.iter().filter(|byte| byte.is_ascii_digit()).map(|byte| u32::from(byte - b'0')).collect()
}

/// Luhn check (ISO/IEC 7812-1 annex B) over digits with the check digit last.
pub(crate) fn luhn(digits: &[u32]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(index, digit)| match (index % 2, *digit) {
            (0, digit) => digit,
            (_, digit) if digit > 4 => digit * 2 - 9,
            (_, digit) => digit * 2,
        })
        .sum();
    sum.is_multiple_of(10)
}

/// How many different bytes a value has.
pub(crate) fn variety(value: &[u8]) -> u32 {
    let mut seen = [0u128; 2];
    for byte in value {
        if let Some(half) = seen.get_mut(usize::from(byte >> 7)) {
            *half |= 1 << (byte & 127);
        }
    }
    seen.iter().map(|half| half.count_ones()).sum()
}
