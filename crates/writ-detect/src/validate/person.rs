//! Names, telephone numbers, dates of birth.

use super::{Check, Site, digits, variety};
use crate::words::{GIVEN_NAMES, NOT_NAMES};

/// A number in international form: what would exceed fifteen digits belongs to another number.
pub(super) fn phone(site: &Site<'_, '_>) -> (Check, usize) {
    let value = site.value();
    let extension = value.iter().position(|byte| matches!(byte, b'x' | b'e' | b'X')).unwrap_or(value.len());
    let (mut count, mut groups, mut end) = (0, 0, 0);
    for (at, byte) in value.iter().enumerate().take(extension) {
        let next_is_digit = value.get(at + 1).is_some_and(u8::is_ascii_digit);
        if byte.is_ascii_digit() {
            count += 1;
            if !next_is_digit && count <= 15 {
                (groups, end) = (count, at + 1);
            }
        }
    }
    let main = value.get(..end).unwrap_or_default();
    let end = if count <= 15 { value.len() } else { end };
    let fits = (8..=15).contains(&groups) && variety(main) >= 4;
    (if fits { Check::Fits } else { Check::Never }, site.start + end)
}

/// A North American number in national form.
pub(super) fn nanp(site: &Site<'_, '_>) -> (Check, usize) {
    let mut digits = digits(site.value());
    if digits.len() == 11 && digits.first() == Some(&1) {
        digits.remove(0);
    }
    let digit = |at: usize| digits.get(at).copied().unwrap_or(0);
    let planned = digits.len() >= 10 && digit(0) >= 2 && digit(3) >= 2;
    (if variety(site.value()) < 4 { Check::Never } else { Check::fits_if(planned) }, site.end)
}

/// A national number somewhere else: told by its context.
pub(super) fn phone_national(site: &Site<'_, '_>) -> (Check, usize) {
    let value = site.value();
    let digits = digits(value);
    let number = |at: usize, length: usize| {
        digits.get(at..at + length).unwrap_or_default().iter().fold(0, |sum, digit| sum * 10 + digit)
    };
    let year_first = digits.len() == 8 && (1900..2100).contains(&number(0, 4)) && (1..=12).contains(&number(4, 2));
    let year_last = digits.len() == 8 && (1900..2100).contains(&number(4, 4)) && (1..=31).contains(&number(0, 2));
    let fits = (6..=13).contains(&digits.len()) && !year_first && !year_last && variety(value) >= 4;
    (if fits { Check::Fits } else { Check::Never }, site.end)
}

/// A date of birth: some part is a year of the last hundred years and the rest a month and a day.
pub(super) fn birth_date(site: &Site<'_, '_>) -> (Check, usize) {
    let numbers: Vec<u32> = site
        .value()
        .split(|byte| !byte.is_ascii_digit())
        .filter(|part| !part.is_empty())
        .map(|part| part.iter().fold(0u32, |sum, digit| (sum * 10 + u32::from(digit - b'0')).min(99_999)))
        .collect();
    let year = |year: u32| (1900..2030).contains(&year) || year < 100;
    let fits = match *numbers.as_slice() {
        [y @ 1900..2030, m, d] | [m, d, y] => {
            year(y) && (1..=31).contains(&d) && (1..=31).contains(&m) && (m <= 12 || d <= 12)
        }
        [d, y] => (1900..2030).contains(&y) && (1..=31).contains(&d),
        _ => false,
    };
    (Check::fits_if(fits), site.end)
}

/// Capitalised words after a title or label: trailing words that are no names are left out.
pub(super) fn name(site: &Site<'_, '_>) -> (Check, usize) {
    let end = name_end(site);
    let words = site.view.slice(site.start, end);
    // One letter is an initial, not a name.
    (if words.len() >= 2 { Check::Fits } else { Check::Never }, end)
}

/// As [`name`], the first word being a common given name and a second word following.
pub(super) fn name_listed(site: &Site<'_, '_>) -> (Check, usize) {
    let (check, end) = name(site);
    let value = site.view.slice(site.start, end);
    let first = value.split(|byte| *byte == b' ').next().unwrap_or_default();
    let listed = first.len() < value.len() && is_listed(first, GIVEN_NAMES);
    (if check == Check::Fits && listed { Check::Fits } else { Check::Never }, end)
}

fn name_end(site: &Site<'_, '_>) -> usize {
    let value = site.value();
    let mut end = 0;
    let mut at = 0;
    for word in value.split(|byte| *byte == b' ') {
        let bare = word.strip_suffix(b",").or(word.strip_suffix(b".")).unwrap_or(word);
        if is_listed(bare, NOT_NAMES) {
            break;
        }
        at += word.len();
        end = at;
        at += 1;
    }
    let text = value.get(..end).unwrap_or_default();
    // An initial keeps its dot; a sentence does not lend its own.
    let trimmed = match text {
        [.., initial, b'.'] if initial.is_ascii_uppercase() => text.len(),
        [rest @ .., b'.' | b',' | b'-' | b'\''] => rest.len(),
        text => text.len(),
    };
    site.start + trimmed
}

/// Whether a word is in a sorted list of lower-case words.
fn is_listed(word: &[u8], list: &[&str]) -> bool {
    let lower: Vec<u8> = word.iter().map(u8::to_ascii_lowercase).collect();
    list.binary_search_by(|known| known.as_bytes().cmp(lower.as_slice())).is_ok()
}
