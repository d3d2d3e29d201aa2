//! How people really write: slips of the keyboard, small letters at the beginning, signatures.

use super::people::{Department, Language, Member};
use crate::seeded::Generator;

/// Shortest word that gets a slip, in characters.
const SLIP_CHARACTERS_MIN: usize = 5;

/// `text` as the member types it. Places for values, `{name}`, stay as they are, and so does what stands in lines that
/// were pasted (with a tab, or indented).
pub(crate) fn typed(text: &str, member: &Member, generator: &mut Generator) -> String {
    let slips = usize::from(member.habits.slips);
    let lines: Vec<String> = text
        .split('\n')
        .map(|line| match line.contains('\t') || line.starts_with("  ") {
            true => line.to_owned(),
            false => line.split(' ').map(|word| slipped(word, slips, generator)).collect::<Vec<_>>().join(" "),
        })
        .collect();
    let mut typed = lines.join("\n");
    if slips >= 6 && generator.below(2) == 0 {
        typed = small_first(&typed);
    }
    if slips >= 4 && generator.below(3) == 0 {
        let please = match member.language {
            Language::En => " pls",
            Language::De => " bitte",
            Language::Fr => " svp",
        };
        typed = typed.trim_end_matches('.').to_owned() + please;
    }
    if member.habits.signs && generator.below(2) == 0 {
        typed.push_str(&signature(member));
    }
    typed
}

/// The signature under the member's mails.
pub(crate) fn signature(member: &Member) -> String {
    let greeting = match member.language {
        Language::En => "Kind regards",
        Language::De => "Mit freundlichen Grüßen",
        Language::Fr => "Cordialement",
    };
    let department = match member.department {
        Department::Clinic => "Ward 3",
        Department::Billing => "Billing",
        Department::Engineering => "Engineering",
        Department::Security => "IT Operations",
        Department::Legal => "Legal",
        Department::HumanResources => "People",
        Department::Marketing => "Communications",
        Department::Research => "Research Office",
    };
    format!("\n\n--\n{greeting}\n{}\n{department}, Northwind Health\nPlease think before you print this.", member.name)
}

fn slipped(word: &str, percent: usize, generator: &mut Generator) -> String {
    let letters: Vec<char> = word.chars().collect();
    let plain = letters.len() >= SLIP_CHARACTERS_MIN && letters.iter().all(|letter| letter.is_lowercase());
    if !plain || generator.below(100) >= percent {
        return word.to_owned();
    }
    let at = 1 + generator.below(letters.len() - 2);
    let mut changed = letters;
    match generator.below(3) {
        0 => changed.swap(at, at + 1),
        1 => {
            changed.remove(at);
        }
        _ => {
            let twice = changed.get(at).copied().unwrap_or('e');
            changed.insert(at, twice);
        }
    }
    changed.into_iter().collect()
}

fn small_first(text: &str) -> String {
    let mut characters = text.chars();
    match characters.next() {
        Some(first) if first != '{' => first.to_lowercase().chain(characters).collect(),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::company::Company;

    #[test]
    fn places_for_values_and_pasted_lines_survive() {
        let company = Company::seeded(5);
        let mut generator = Generator::new(1);
        let text = "Please summarise the following text about {name}, number {number}.\npasted\tcolumns\there";
        let mut changed = 0;
        for member in company.members.iter().cycle().take(600) {
            let typed = typed(text, member, &mut generator);
            assert!(typed.contains("{name},") && typed.contains("{number}") && typed.contains("pasted\tcolumns\there"));
            changed += usize::from(!typed.starts_with(text));
            assert!(member.habits.slips > 0 || typed.starts_with(text));
        }
        assert!(changed > 60, "{changed}");
    }
}
