//! Cards, accounts, US social security numbers.

use super::{Check, Site, digits, luhn, variety};

/// Issuer ranges: first digits from, to (six digits), and the lengths issued.
const ISSUERS: &[(u32, u32, &[usize])] = &[
    (180_000, 180_099, &[15]),             // JCB, older
    (213_100, 213_199, &[15]),             // JCB, older
    (220_000, 220_499, &[16, 17, 18, 19]), // Mir
    (222_100, 272_099, &[16]),             // Mastercard
    (300_000, 305_999, &[14, 16]),         // Diners Club
    (309_500, 309_599, &[14, 16]),
    (340_000, 349_999, &[15]),             // American Express
    (352_800, 358_999, &[16, 17, 18, 19]), // JCB
    (360_000, 369_999, &[14, 16]),         // Diners Club
    (370_000, 379_999, &[15]),             // American Express
    (380_000, 399_999, &[14, 16]),         // Diners Club
    (400_000, 499_999, &[13, 16, 19]),     // Visa
    (500_000, 509_999, &[16, 17, 18, 19]), // Maestro, Verve, RuPay, Elo
    (510_000, 559_999, &[16]),             // Mastercard
    (560_000, 599_999, &[16, 17, 18, 19]), // Maestro
    (601_100, 601_199, &[16, 17, 18, 19]), // Discover
    (620_000, 629_999, &[16, 17, 18, 19]), // UnionPay
    (630_000, 639_999, &[16, 17, 18, 19]), // Maestro
    (644_000, 659_999, &[16, 17, 18, 19]), // Discover, RuPay
    (670_000, 679_999, &[16, 17, 18, 19]), // Maestro
    (979_200, 979_289, &[16]),             // Troy
];

/// A payment card.
pub(super) fn card(site: &Site<'_, '_>) -> (Check, usize) {
    let digits = digits(site.value());
    let first_six = digits.iter().take(6).fold(0, |sum, digit| sum * 10 + digit);
    let issued =
        ISSUERS.iter().any(|(from, to, lengths)| (*from..=*to).contains(&first_six) && lengths.contains(&digits.len()));
    let check = if !luhn(&digits) || digits.iter().all(|digit| digits.first() == Some(digit)) {
        Check::Never
    } else if issued {
        Check::Proved
    } else {
        Check::Refused
    };
    (check, site.end)
}

/// Countries of the IBAN registry (SWIFT, release 99) with their lengths.
const IBAN_LENGTHS: &[(&[u8; 2], usize)] = &[
    (b"AD", 24),
    (b"AE", 23),
    (b"AL", 28),
    (b"AT", 20),
    (b"AZ", 28),
    (b"BA", 20),
    (b"BE", 16),
    (b"BG", 22),
    (b"BH", 22),
    (b"BI", 27),
    (b"BR", 29),
    (b"BY", 28),
    (b"CH", 21),
    (b"CR", 22),
    (b"CY", 28),
    (b"CZ", 24),
    (b"DE", 22),
    (b"DJ", 27),
    (b"DK", 18),
    (b"DO", 28),
    (b"EE", 20),
    (b"EG", 29),
    (b"ES", 24),
    (b"FI", 18),
    (b"FK", 18),
    (b"FO", 18),
    (b"FR", 27),
    (b"GB", 22),
    (b"GE", 22),
    (b"GI", 23),
    (b"GL", 18),
    (b"GR", 27),
    (b"GT", 28),
    (b"HN", 28),
    (b"HR", 21),
    (b"HU", 28),
    (b"IE", 22),
    (b"IL", 23),
    (b"IQ", 23),
    (b"IS", 26),
    (b"IT", 27),
    (b"JO", 30),
    (b"KW", 30),
    (b"KZ", 20),
    (b"LB", 28),
    (b"LC", 32),
    (b"LI", 21),
    (b"LT", 20),
    (b"LU", 20),
    (b"LV", 21),
    (b"LY", 25),
    (b"MC", 27),
    (b"MD", 24),
    (b"ME", 22),
    (b"MK", 19),
    (b"MN", 20),
    (b"MR", 27),
    (b"MT", 31),
    (b"MU", 30),
    (b"NI", 28),
    (b"NL", 18),
    (b"NO", 15),
    (b"OM", 23),
    (b"PK", 24),
    (b"PL", 28),
    (b"PS", 29),
    (b"PT", 25),
    (b"QA", 29),
    (b"RO", 24),
    (b"RS", 22),
    (b"RU", 33),
    (b"SA", 24),
    (b"SC", 31),
    (b"SD", 18),
    (b"SE", 24),
    (b"SI", 19),
    (b"SK", 24),
    (b"SM", 27),
    (b"SO", 23),
    (b"ST", 25),
    (b"SV", 28),
    (b"TL", 23),
    (b"TN", 24),
    (b"TR", 26),
    (b"UA", 29),
    (b"VA", 22),
    (b"VG", 24),
    (b"XK", 20),
    (b"YE", 30),
];

/// An IBAN. The pattern takes as many groups as fit; the country's length says where the value ends.
pub(super) fn iban(site: &Site<'_, '_>) -> (Check, usize) {
    let value = site.value();
    let Some(length) = value
        .first_chunk::<2>()
        .map(|country| country.map(|byte| byte.to_ascii_uppercase()))
        .and_then(|country| IBAN_LENGTHS.iter().find(|(known, _)| **known == country))
        .map(|(_, length)| *length)
    else {
        return (Check::Never, site.end);
    };
    let mut compact = Vec::with_capacity(34);
    let mut end = site.start;
    for (index, byte) in value.iter().enumerate() {
        if byte.is_ascii_alphanumeric() {
            compact.push(byte.to_ascii_uppercase());
            end = site.start + index + 1;
            if compact.len() == length {
                break;
            }
        }
    }
    // A value of the wrong length whose check digits still hold is somebody's account, written wrongly.
    let rest = value.get(end - site.start..).unwrap_or_default();
    let check = match modulo_97(&compact) == Some(1) {
        true if compact.len() == length && !rest.first().is_some_and(u8::is_ascii_alphanumeric) => Check::Proved,
        _ => Check::Refused,
    };
    (check, end)
}

/// ISO 7064 modulo 97-10 over an IBAN whose first four characters move to the end.
fn modulo_97(compact: &[u8]) -> Option<u32> {
    let (head, body) = compact.split_at_checked(4)?;
    let mut rest = 0;
    for byte in body.iter().chain(head) {
        let value = char::from(*byte).to_digit(36)?;
        rest = if value < 10 { rest * 10 + value } else { rest * 100 + value } % 97;
    }
    Some(rest)
}

/// A US social security number.
pub(super) fn ssn(site: &Site<'_, '_>) -> (Check, usize) {
    let digits = digits(site.value());
    let number = |range: std::ops::Range<usize>| {
        digits.get(range).unwrap_or_default().iter().fold(0, |sum, digit| sum * 10 + digit)
    };
    let (area, group, serial) = (number(0..3), number(3..5), number(5..9));
    // Published numbers that belong to nobody: a wallet insert of 1938, an SSA brochure of 1940.
    let published = matches!((area, group, serial), (78, 5, 1120) | (219, 9, 9999));
    if published || variety(site.value()) < 3 || group == 0 && serial == 0 {
        return (Check::Never, site.end);
    }
    let issued = !matches!(area, 0 | 666 | 900..) && group != 0 && serial != 0;
    // The number that everybody types into an example needs a context of its own.
    let example = (area, group, serial) == (123, 45, 6789) || (area, group, serial) == (987, 65, 4321);
    (Check::fits_if(issued && !example), site.end)
}

/// A social security number with letters where digits were read: at least five digits are left.
pub(super) fn ssn_read(site: &Site<'_, '_>) -> (Check, usize) {
    (Check::fits_if(digits(site.value()).len() >= 5), site.end)
}

/// A US bank routing number.
pub(super) fn aba(site: &Site<'_, '_>) -> (Check, usize) {
    let digits = digits(site.value());
    let prefix = digits.iter().take(2).fold(0, |sum, digit| sum * 10 + digit);
    let sum: u32 = digits.iter().zip([3, 7, 1].into_iter().cycle()).map(|(digit, weight)| digit * weight).sum();
    let known = matches!(prefix, 0..=12 | 21..=32 | 61..=72 | 80);
    (Check::proved_if(digits.len() == 9 && known && sum.is_multiple_of(10) && sum > 0), site.end)
}
