//! Values that look sensitive and are not.

use crate::seeded::{ALPHANUMERIC, DIGITS, Generator};

/// Card numbers that the card networks and payment providers document for tests.
pub const TEST_CARDS: [&str; 6] = [
    "4111111111111111",
    "4242424242424242",
    "5555555555554444",
    "5105105105105100",
    "378282246310005",
    "6011111111111117",
];

/// Account numbers that the ISO 13616 registry prints as examples of their countries.
pub const EXAMPLE_IBANS: [&str; 4] =
    ["DE89370400440532013000", "FR1420041010050500013M02606", "NL91ABNA0417164300", "CH9300762011623852957"];

const AWS_LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// A test card number, written plainly or in groups of four.
pub fn card(generator: &mut Generator) -> String {
    let number = generator.pick(&TEST_CARDS, "4111111111111111").to_owned();
    match generator.below(3) {
        0 => grouped(&number, " "),
        1 => grouped(&number, "-"),
        _ => number,
    }
}

/// A number in the form of a US social security number. No range of well-formed numbers is reserved for tests; this
/// one has an area of 800 to 899, which the Social Security Administration had never assigned when it gave up areas
/// in 2011, and stands beside an invented name.
pub fn ssn(generator: &mut Generator) -> String {
    format!("8{:02}-{:02}-{:04}", generator.below(100), 1 + generator.below(99), 1 + generator.below(9999))
}

/// An account number from [`EXAMPLE_IBANS`].
pub fn iban(generator: &mut Generator) -> String {
    generator.pick(&EXAMPLE_IBANS, "DE89370400440532013000").to_owned()
}

/// An address under `.example`, which RFC 2606 reserves.
pub fn email(generator: &mut Generator, name: &str) -> String {
    let local = name.to_lowercase().replace(' ', ".");
    let domain = generator.pick(&["brightwater.example", "fjordpost.example", "kestrelmail.example"], "mail.example");
    format!("{local}@{domain}")
}

/// A number from 555-0100 to 555-0199, which the North American plan keeps for fiction.
pub fn phone(generator: &mut Generator) -> String {
    let area = generator.pick(&["206", "312", "415", "617"], "212");
    format!("({area}) 555-01{:02}", generator.below(100))
}

/// An access key id in the form of the cloud provider's: random, so that it is not one that detectors know as an
/// example, and without a secret that would belong to it.
pub fn aws_access_key(generator: &mut Generator) -> String {
    format!("AKIA{}", generator.token(16, AWS_LETTERS))
}

/// Forty characters in the form of a secret access key.
pub fn aws_secret_key(generator: &mut Generator) -> String {
    format!(
        "{}/{}+{}",
        generator.token(18, ALPHANUMERIC),
        generator.token(12, ALPHANUMERIC),
        generator.token(8, ALPHANUMERIC)
    )
}

/// A medical record number of seven digits of the invented clinic.
pub fn record_number(generator: &mut Generator) -> String {
    format!("4{}", generator.token(6, DIGITS))
}

/// First and last name, put together from lists of common names.
pub fn name(generator: &mut Generator) -> String {
    let first = generator.pick(&FIRST_NAMES, "Alex");
    let last = generator.pick(&LAST_NAMES, "Miller");
    format!("{first} {last}")
}

const FIRST_NAMES: [&str; 24] = [
    "Alice", "Amir", "Anna", "Benjamin", "Carla", "Daniel", "Elena", "Farid", "Grace", "Hannah", "Ivan", "Julia",
    "Kenji", "Laura", "Marcus", "Nadia", "Oliver", "Priya", "Quentin", "Rosa", "Samuel", "Theresa", "Victor", "Wendy",
];
const LAST_NAMES: [&str; 24] = [
    "Abbott", "Becker", "Castillo", "Dawson", "Eriksen", "Fischer", "Grant", "Hughes", "Ibrahim", "Jansen", "Keller",
    "Larsson", "Moreau", "Novak", "Okafor", "Patel", "Quinn", "Rossi", "Sato", "Tanaka", "Ueda", "Vargas", "Weber",
    "Young",
];

fn grouped(number: &str, separator: &str) -> String {
    let digits: Vec<char> = number.chars().collect();
    let groups: Vec<String> = digits.chunks(4).map(|group| group.iter().collect()).collect();
    groups.join(separator)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn luhn_holds(number: &str) -> bool {
        let digits = number.chars().filter_map(|digit| digit.to_digit(10)).rev().enumerate();
        let doubled = |digit: u32| if digit > 4 { 2 * digit - 9 } else { 2 * digit };
        digits.map(|(at, digit)| if at % 2 == 1 { doubled(digit) } else { digit }).sum::<u32>() % 10 == 0
    }

    fn iban_remainder(iban: &str) -> u32 {
        let turned = iban.chars().skip(4).chain(iban.chars().take(4));
        turned.fold(0, |rest, letter| {
            let value = letter.to_digit(36).unwrap();
            (rest * if value > 9 { 100 } else { 10 } + value) % 97
        })
    }

    #[test]
    fn values_have_the_form_that_detectors_validate() {
        let mut generator = Generator::new(3);
        for _ in 0..200 {
            let card = card(&mut generator);
            assert!(luhn_holds(&card) && TEST_CARDS.contains(&&*card.replace([' ', '-'], "")), "{card}");
            assert_eq!(iban_remainder(&iban(&mut generator)), 1);
            let ssn = ssn(&mut generator);
            assert!(ssn.starts_with('8') && ssn.len() == 11 && !ssn.contains("-00-") && !ssn.ends_with("-0000"));
            assert_eq!(aws_access_key(&mut generator).len(), 20);
            assert_eq!(aws_secret_key(&mut generator).len(), 40);
            assert_eq!(record_number(&mut generator).len(), 7);
            assert!(email(&mut generator, "Ann Lee").ends_with(".example"));
        }
    }
}
