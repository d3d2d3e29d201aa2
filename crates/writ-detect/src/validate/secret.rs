//! Whether the value of an assignment is a secret or something that stands in its place.

use super::{Check, Site, variety};
use crate::words::{NOT_SECRETS, SECRET_PLACEHOLDERS};

/// What a value is made of.
struct Make {
    lower: usize,
    upper: usize,
    digit: usize,
    sign: usize,
}

impl Make {
    fn of(value: &[u8]) -> Self {
        let mut make = Self { lower: 0, upper: 0, digit: 0, sign: 0 };
        for byte in value {
            match byte {
                b'a'..=b'z' => make.lower += 1,
                b'A'..=b'Z' => make.upper += 1,
                b'0'..=b'9' => make.digit += 1,
                _ => make.sign += 1,
            }
        }
        make
    }

    fn kinds(&self) -> usize {
        [self.lower, self.upper, self.digit, self.sign].iter().filter(|count| **count > 0).count()
    }
}

/// A password or another secret that a person or program chose.
pub(super) fn secret(site: &Site<'_, '_>) -> (Check, usize) {
    let value = site.value();
    let make = Make::of(value);
    let chosen = variety(value) >= 5 && (make.digit > 0 || make.sign > 0) && make.lower + make.upper > 0
        || variety(value) >= 7 && make.upper > 0 && make.lower > 0 && !is_words(value);
    (
        if chosen && !is_hash(value) && !stands_in(site) && !is_words(value) { Check::Fits } else { Check::Never },
        site.end,
    )
}

/// A password where only a password can stand: everything but a stand-in.
pub(super) fn url_password(site: &Site<'_, '_>) -> (Check, usize) {
    (
        if variety(site.value()) >= 3 && !stands_in(site) && !site.value().iter().all(u8::is_ascii_digit) {
            Check::Fits
        } else {
            Check::Never
        },
        site.end,
    )
}

/// A secret that a machine made.
pub(super) fn secret_strict(site: &Site<'_, '_>) -> (Check, usize) {
    let value = site.value();
    let make = Make::of(value);
    let letters = make.lower + make.upper;
    // Sixteen hexadecimal digits name a public key or a version as often as they are a key.
    let short = value.len() < 20 && value.iter().all(u8::is_ascii_hexdigit);
    let made =
        !short && value.len() >= 12 && variety(value) >= 8 && make.digit >= 2 && letters >= 2 && make.kinds() >= 2;
    (
        if made && !stands_in(site) && !is_words(value) && !is_identifier(value) { Check::Fits } else { Check::Never },
        site.end,
    )
}

/// Masks, variables, calls, paths, types, addresses and everything else that stands where a secret would stand.
fn stands_in(site: &Site<'_, '_>) -> bool {
    let value = site.value();
    let lower = value.to_ascii_lowercase();
    let has = |needle: &[u8]| memchr::memmem::find(&lower, needle).is_some();
    let opens = |open: &[u8]| value.starts_with(open);
    let reference = opens(b"$")
        && (opens(b"${")
            || opens(b"$(")
            || value.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'$' | b'_' | b'.' | b'{' | b'}' | b':'))
                && !value.iter().any(u8::is_ascii_digit))
        || opens(b"<")
        || opens(b"{{")
        || opens(b"%(")
        || opens(b"#{")
        || opens(b"@") && has(b"/")
        || opens(b"/")
        || opens(b"./")
        || opens(b"../")
        || opens(b"~/")
        || has(b"://")
        || value.starts_with(b"{") && value.ends_with(b"}")
        || opens(b"[")
        || has(b"${")
        || has(b"{{")
        || has(b"()")
        || has(b"](");
    let masked = value.windows(4).any(|four| four.iter().all(|byte| Some(byte) == four.first()));
    let code = has(b"(") && (value.ends_with(b")") || has(b"(\"") || has(b"('")) && has_call(value)
        || has(b"->")
        || has(b"::")
        || has(b"==")
        || has(b"=>")
        || has(b"&&")
        || has(b"</");
    let placeholder = SECRET_PLACEHOLDERS.iter().any(|word| has(word.as_bytes()));
    let word = NOT_SECRETS.binary_search_by(|known| known.as_bytes().cmp(lower.as_slice())).is_ok();
    let uuid = value.len() == 36 && value.iter().filter(|byte| **byte == b'-').count() == 4;
    reference || masked || code || placeholder || word || uuid
}

/// A digest where a password would stand.
fn is_hash(value: &[u8]) -> bool {
    const CRYPT: [&[u8]; 6] = [b"$2a$", b"$2b$", b"$2y$", b"$5$", b"$6$", b"$argon2"];
    matches!(value.len(), 40 | 64 | 128) && value.iter().all(u8::is_ascii_hexdigit)
        || CRYPT.iter().any(|prefix| value.starts_with(prefix))
}

fn has_call(value: &[u8]) -> bool {
    value.iter().position(|byte| *byte == b'(').is_some_and(|at| {
        at > 0
            && value
                .get(..at)
                .is_some_and(|name| name.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.')))
    })
}

/// Words joined by signs, as in names of settings, files, fields and messages: no part mixes letters with digits.
fn is_words(value: &[u8]) -> bool {
    let parts = value.split(|byte| matches!(byte, b'_' | b'-' | b'.' | b' ' | b'/' | b':' | b','));
    let mut count = 0;
    for part in parts.filter(|part| !part.is_empty()) {
        count += 1;
        if !is_word(part) {
            return false;
        }
    }
    count > 0
}

/// Letters in the case of a word or of `camelCase`, with vowels where a language has them; or a short number.
fn is_word(part: &[u8]) -> bool {
    if part.iter().all(u8::is_ascii_digit) {
        return part.len() <= 4;
    }
    if part.iter().any(|byte| *byte >= 0x80) {
        return part.iter().all(|byte| byte.is_ascii_alphabetic() || *byte >= 0x80);
    }
    let letters = part.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let digits = part.iter().skip(letters).take_while(|byte| byte.is_ascii_digit()).count();
    if letters >= 3 && (1..=3).contains(&digits) && part.len() > letters + digits + 2 {
        // `Base32SecretKey`
        let (front, back) = (part.get(..letters).unwrap_or_default(), part.get(letters + digits..).unwrap_or_default());
        return back.iter().all(u8::is_ascii_alphabetic) && is_word(front) && is_word(back);
    }
    let tail = part.get(letters..).unwrap_or_default();
    if letters < 1 || tail.len() > 1 || !tail.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let name = part.get(..letters).unwrap_or_default();
    let vowels =
        name.iter().filter(|byte| matches!(byte.to_ascii_lowercase(), b'a' | b'e' | b'i' | b'o' | b'u' | b'y')).count();
    let turns =
        name.windows(2).filter(|two| matches!(two, [a, b] if a.is_ascii_lowercase() && b.is_ascii_uppercase())).count();
    let longest = name
        .split(|byte| matches!(byte.to_ascii_lowercase(), b'a' | b'e' | b'i' | b'o' | b'u' | b'y'))
        .map(<[u8]>::len)
        .max()
        .unwrap_or(0);
    name.len() <= 3 || vowels * 6 >= name.len() && longest <= 4 && turns * 4 <= name.len()
}

/// An identifier of a program: letters first, one case style, digits only at its end.
fn is_identifier(value: &[u8]) -> bool {
    let path = value.contains(&b'.')
        && value.split(|byte| *byte == b'.').all(|part| {
            part.first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_')
                && part.iter().filter(|byte| byte.is_ascii_digit()).count() <= 3
                && part.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
        });
    if path {
        return true;
    }
    let body = value.iter().rev().skip_while(|byte| byte.is_ascii_digit()).count();
    let body = value.get(..body).unwrap_or_default();
    !body.is_empty() && body.iter().all(|byte| byte.is_ascii_alphabetic() || *byte == b'_') && is_words(body)
}
