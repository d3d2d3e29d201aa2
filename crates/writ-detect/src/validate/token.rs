//! Tokens whose form proves something.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use super::{Check, Site, variety};

/// Chance makes at least eight different characters and no run of six; a mask or an example does not.
pub(super) fn varied(site: &Site<'_, '_>) -> (Check, usize) {
    let value = site.value();
    let masked = value.windows(6).any(|four| four.iter().all(|byte| Some(byte) == four.first()));
    (if variety(value) >= 8 && !masked && !says_example(value) { Check::Fits } else { Check::Never }, site.end)
}

/// Whether a value says of itself that it is none.
pub(super) fn says_example(value: &[u8]) -> bool {
    const MARKS: [&[u8]; 6] = [b"EXAMPLE", b"example", b"xxxx", b"XXXX", b"your", b"YOUR"];
    MARKS.iter().any(|mark| memchr::memmem::find(value, mark).is_some())
}

/// An AWS access key id.
pub(super) fn aws_key_id(site: &Site<'_, '_>) -> (Check, usize) {
    varied(site)
}

/// CRC-32 (ISO-HDLC, reflected 0xEDB88320).
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32| if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 };
    !bytes.iter().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc)))
}

/// A token whose last six characters are the CRC-32 of the thirty before, in base 62.
pub(super) fn github(site: &Site<'_, '_>) -> (Check, usize) {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let (check, end) = varied(site);
    let value = site.value();
    let body = value.iter().position(|byte| *byte == b'_').and_then(|at| value.get(at + 1..));
    let Some((body, sum)) = body.and_then(|body| body.split_at_checked(30)) else { return (check, end) };
    let stated = sum.iter().try_fold(0u64, |total, byte| {
        let digit = DIGITS.iter().position(|known| known == byte)?;
        Some(total * 62 + u64::try_from(digit).ok()?)
    });
    match check {
        Check::Fits if stated == Some(u64::from(crc32(body))) => (Check::Proved, end),
        check => (check, end),
    }
}

/// A JSON web token: header and claims are JSON objects in base64url.
pub(super) fn jwt(site: &Site<'_, '_>) -> (Check, usize) {
    let object = |part: Option<&[u8]>| {
        part.and_then(|part| URL_SAFE_NO_PAD.decode(part).ok())
            .and_then(|bytes| serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(&bytes).ok())
    };
    let mut parts = site.value().split(|byte| *byte == b'.');
    let header = object(parts.next());
    let encrypted = header.as_ref().is_some_and(|header| header.contains_key("enc"));
    let known = header.is_some_and(|header| header.contains_key("alg") || header.contains_key("typ"));
    let claims = encrypted || object(parts.next()).is_some();
    (Check::proved_if(known && claims), site.end)
}

/// A NATS seed (nkeys): base32 of a prefix, a type, 32 bytes and a CRC-16.
pub(super) fn nats_seed(site: &Site<'_, '_>) -> (Check, usize) {
    let mut bits = 0u32;
    let mut count = 0;
    let mut bytes = Vec::with_capacity(36);
    for byte in site.value() {
        let five = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'2'..=b'7' => byte - b'2' + 26,
            _ => return (Check::Refused, site.end),
        };
        bits = (bits << 5 | u32::from(five)) & 0xFFFF;
        count += 5;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xFF).unwrap_or(0));
        }
    }
    let Some((body, sum)) = bytes.split_last_chunk::<2>() else { return (Check::Refused, site.end) };
    let step = |crc: u16| if crc & 0x8000 != 0 { crc << 1 ^ 0x1021 } else { crc << 1 };
    let crc = body.iter().fold(0u16, |crc, byte| (0..8).fold(crc ^ u16::from(*byte) << 8, |crc, _| step(crc)));
    // The form is long and its own: a wrong sum is a typing error or a token that was made unusable.
    if crc == u16::from_le_bytes(*sum) { (Check::Proved, site.end) } else { varied(site) }
}

/// Basic credentials: base64 of a name, a colon and a password.
pub(super) fn basic(site: &Site<'_, '_>) -> (Check, usize) {
    let padded = site.value().iter().rev().take_while(|byte| **byte == b'=').count();
    let body = site.view.slice(site.start, site.end - padded);
    let decoded = STANDARD_NO_PAD.decode(body).unwrap_or_default();
    let text = decoded.len() >= 5 && decoded.iter().all(|byte| (b' '..0x7F).contains(byte)) && !says_example(&decoded);
    let colon = decoded.iter().position(|byte| *byte == b':');
    let holds = text && colon.is_some_and(|at| at > 0 && decoded.len() - at > 3);
    (if holds { Check::Proved } else { Check::Never }, site.end)
}
