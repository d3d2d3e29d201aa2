//! How hard the English is, and how rules speak.
//!
//! The measure is the grade of Flesch and Kincaid, `0.39 words / sentences + 11.8 syllables / words - 15.59`: the years
//! at school that a reader needs. Syllables are groups of vowels, without a silent `e` at the end, at least one a word.
//! Each item of a list counts as a sentence. Tables, blocks and captions are left out.

use writ_policy::document::{BlockKind, Item};

use super::Template;

/// For a whole template, and for its reasons together.
const GRADE: f64 = 8.0;
/// For one clause of some length.
const GRADE_OF_A_CLAUSE: f64 = 10.0;
/// Clauses with fewer words say too little for a grade.
const WORDS_OF_A_CLAUSE: usize = 40;
/// For one reason: it is read on a page, in a hurry.
const WORDS_OF_A_REASON: usize = 30;
/// Words that a page for staff does not use.
const BLAME: &[&str] = &["violation", "you tried", "forbidden", "illegal", "!", "breach"];

#[derive(Clone, Copy, Default)]
struct Count {
    sentences: usize,
    words: usize,
    syllables: usize,
}

impl Count {
    fn add(&mut self, text: &str) {
        for sentence in text.split(['.', '!', '?', ':']) {
            let words: Vec<_> =
                sentence.split(|c: char| !c.is_alphanumeric() && c != '\'').filter(|it| !it.is_empty()).collect();
            if !words.is_empty() {
                self.sentences += 1;
                self.words += words.len();
                self.syllables += words.iter().map(|word| syllables(word)).sum::<usize>();
            }
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a text has few words")]
    fn grade(self) -> f64 {
        let (sentences, words) = (self.sentences.max(1) as f64, self.words.max(1) as f64);
        0.39 * words / sentences + 11.8 * self.syllables as f64 / words - 15.59
    }
}

fn syllables(word: &str) -> usize {
    let word = word.to_lowercase();
    let vowel = |c: char| "aeiouyäöü".contains(c);
    let (mut groups, mut before) = (0, false);
    for c in word.chars() {
        groups += usize::from(vowel(c) && !before);
        before = vowel(c);
    }
    let silent = word.ends_with('e') && !word.ends_with("le") && groups > 1;
    (groups - usize::from(silent)).max(1)
}

/// The prose of a clause: paragraphs, and list items as sentences.
fn prose(template: &Template, clause: &str) -> Vec<String> {
    let mut all = Vec::new();
    for section in template.clause(clause) {
        for item in &section.items {
            let Item::Prose(span) = item else { continue };
            // The point in `4.2` ends no sentence.
            let text = span
                .of(&template.text)
                .replace('\n', " ")
                .replace(|c: char| c.is_ascii_digit(), "0")
                .replace("0.0", "0");
            all.extend(text.split(" * ").map(|it| it.trim_start_matches("* ").trim().to_owned()));
        }
    }
    all
}

#[test]
fn a_nurse_understands_each_template() {
    for template in Template::all() {
        let mut whole = Count::default();
        for clause in &template.parsed.model.as_ref().unwrap().clauses {
            let mut count = Count::default();
            prose(&template, clause.id.as_str()).iter().for_each(|text| count.add(text));
            let (number, grade) = (&clause.number, count.grade());
            let short = count.words < WORDS_OF_A_CLAUSE;
            assert!(short || grade <= GRADE_OF_A_CLAUSE, "{}: clause {number} has grade {grade:.1}", template.name);
            whole = Count {
                sentences: whole.sentences + count.sentences,
                words: whole.words + count.words,
                syllables: whole.syllables + count.syllables,
            };
        }
        assert!(whole.words > 2_500, "{}: {} words", template.name, whole.words);
        assert!(whole.grade() <= GRADE, "{}: grade {:.1}", template.name, whole.grade());
    }
}

#[test]
fn each_reason_is_one_sentence_without_blame() {
    for template in Template::all() {
        let mut count = Count::default();
        let rules = template.blocks(BlockKind::Rule).filter_map(|(_, block)| block.entry("why"));
        for why in rules.map(|entry| entry.value.as_str()) {
            let place = format!("{}: `{why}`", template.name);
            let words = why.split_whitespace().count();
            assert!(why.ends_with('.') && !why.contains(". ") && words <= WORDS_OF_A_REASON, "{place}");
            let lower = why.to_lowercase();
            assert!(BLAME.iter().all(|word| !lower.contains(word)), "{place}");
            count.add(why);
        }
        assert!(count.grade() <= GRADE, "{}: grade {:.1}", template.name, count.grade());
    }
}

#[test]
fn the_measure_tells_easy_from_hard() {
    let grade = |text: &str| {
        let mut count = Count::default();
        count.add(text);
        count.grade()
    };
    let easy = "Do not send it. Ask us first. We help you.";
    let hard = "Notwithstanding the foregoing, the dissemination of confidential organisational information to \
                unauthorised third-party processors is categorically impermissible without antecedent documented \
                authorisation.";
    assert!(grade(easy) < 3.0 && grade(hard) > 20.0, "{} {}", grade(easy), grade(hard));
    let words = [("a", 1), ("table", 2), ("note", 1), ("policy", 3), ("answers", 2), ("data", 2)];
    assert!(words.iter().all(|(word, count)| syllables(word) == *count));
}
