//! Health identifiers.

use super::{Check, Site, digits, luhn, variety};

/// A US national provider identifier.
pub(super) fn npi(site: &Site<'_, '_>) -> (Check, usize) {
    let mut number = vec![8, 0, 8, 4, 0];
    number.extend(digits(site.value()));
    (Check::proved_if(number.len() == 15 && luhn(&number)), site.end)
}

/// A US DEA registration number: two letters, seven digits, the last one a check digit.
pub(super) fn dea(site: &Site<'_, '_>) -> (Check, usize) {
    let digits = digits(site.value());
    let holds = match digits.as_slice() {
        [a, b, c, d, e, f, check] => (a + c + e + 2 * (b + d + f)) % 10 == *check,
        _ => false,
    };
    (Check::proved_if(holds), site.end)
}

/// A record or member number: enough digits, not one digit only.
pub(super) fn member_id(site: &Site<'_, '_>) -> (Check, usize) {
    let value = site.value();
    let count = value.iter().filter(|byte| byte.is_ascii_digit()).count();
    (Check::fits_if(count >= 4 && variety(value) >= 3), site.end)
}
