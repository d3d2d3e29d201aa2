//! Properties that hold for any text (invariant POL-1).

use proptest::prelude::*;
use proptest::sample::Index;
use writ_policy::fuzz;

const VALID: &str = include_str!("fixtures/section-one.md");

/// Texts that once were, or might be, hard to read.
const CORPUS: &[&str] = &[
    "",
    "\u{feff}---\r\nwrit: 1\r\n---\r\n# A\r\n",
    "---\n---\n",
    "---\nwrit: 1\n---\n| a |\n|-|\nRule table: by.",
    "---\nwrit: 1\n---\n# {#a}\n|||\n|---|\n|\\|`|\n\nRule table: data by status. : . A:. Why:.",
    "---\nwrit: 1\n---\n# A {#a}\n```rule\ndata: (\nwho: )\nunless: ,;:\nviolates:\n- \"\\\"\n- \"a\" as: at\n```",
    "---\nwrit: 1\n---\n# A {#a}\n```rule\n- x\n  - y\n\u{a0}- z\n: a\n```\n```define sealed\n\n```\n```control\n```",
    "```\n````\n~~~rule\n```\n<a<!--`<``<b>",
    "[a]:[b]:\n>>> - 1. ```\n\\<b>\n===\n---",
    "---\nwrit: 1\nsituation: at at at (\nowners: :, a:, b\nposture: ,\n---\nMode:\n\nMode: by #\n",
];

#[test]
fn the_corpus_is_read() {
    for text in CORPUS {
        fuzz::document(text.as_bytes());
    }
    fuzz::document(VALID.as_bytes());
    fuzz::document(&[0xff, 0xfe, b'#', 0x80]);
}

#[test]
fn limits_hold() {
    let clause = "---\nwrit: 1\n---\n# A {#a}\n";
    let table = format!("{clause}| x |{}\n|---|\n", " a |".repeat(100));
    for text in [
        "a".repeat(5 << 20),
        format!("{clause}{}", "# x\n".repeat(6_000)),
        format!("{clause}```rule\ndata: {}\nthen: block\n```\n", "pii, ".repeat(5_000)),
        format!("{table}{}\nRule table: data by status.\n", "| pii | block |\n".repeat(10)),
        format!("{clause}{}", "```rule\nthen: allow\n```\n".repeat(20_100)),
    ] {
        let parsed = writ_policy::parse(&text);
        assert!(parsed.diagnostics.iter().any(|it| it.code.as_str() == "limit"), "{:.60}", text);
        assert!(parsed.model.is_none() && parsed.diagnostics.len() <= 257);
    }
}

/// Whatever nests, repeats or never ends is told within the limits, in time that grows with the text.
#[test]
fn hostile_documents_are_bounded() {
    let clause = "---\nwrit: 1\n---\n# A {#a}\n";
    let rule = |lines: &str| format!("{clause}```rule\n{lines}\nthen: block\n```\n");
    let control = |lines: &str| format!("{clause}```control ladder\n{lines}\n```\n");
    let many = |unit: &str, times: usize| unit.repeat(times);
    let cells = format!("| x |{}\n|---|\n", many(" approved |", 60));
    for text in [
        rule(&format!("data: pii {}", many("(", 50_000))),
        rule(&format!("unless: {}", many("who agent, ", 20_000))),
        rule(&format!("because: {}", many("gdpr, ", 20_000))),
        rule(&many("  - \"x\n", 20_000)),
        control(&format!("steps: {}\nminor: {}", many("note, ", 4_000), many("talk, ", 4_000))),
        control(&many("steps: note\n", 20_000)),
        format!("{clause}{cells}{}\nRule table: data by status.\n", many("| pii |\n", 20_000)),
        format!("{clause}{}", many("```control training\n```\n", 10_000)),
        format!("{clause}{}", many("```define\nterm: a\nmeans: b\n```\n", 10_000)),
        format!("{clause}{}", many("clause 1, 2, 3 [x](#y) ", 10_000)),
        format!("{clause}{}", many("> ", 100_000)),
        format!("{clause}{}\n", many("x", 3 << 20)),
        format!(
            "---\nwrit: 1\nlanguage: de\nprevails: en\ntranslated: {}\n---\n",
            many("a 0123456789abcdef, ", 10_000)
        ),
    ] {
        let parsed = writ_policy::parse(&text);
        assert!(parsed.diagnostics.len() <= 257);
        let _ = writ_policy::format(&text).map(|formatted| assert!(formatted.len() <= 2 * text.len() + 1_000));
        let version = writ_policy::translation::read(&text, &parsed.document, &text);
        assert!(version.diagnostics.len() <= 257);
    }
}

/// Work that grows with the square of the text would take minutes here.
#[test]
fn long_texts_without_an_end_are_read_in_one_pass() {
    let clause = "---\nwrit: 1\n---\n# A {#a}\n";
    for unit in ["<https:", "`", "<a ", ". A", "[a", "\"(", "- ", "a: ", " #", "|", "{#", "must not ", "a, ", "\n```"] {
        let repeated = unit.repeat(200_000 / unit.len());
        let _ = writ_policy::parse(&format!("{clause}Rule table: {repeated}"));
        let _ = writ_policy::parse(&format!(
            "{clause}```rule\nunless: {repeated}\nviolates: {repeated}\ndata: {repeated}\n```"
        ));
        let _ =
            writ_policy::parse(&format!("---\nwrit: 1\nsituation: {repeated}\nowners: {repeated}\n---\n{repeated}"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn any_text_is_read(text in "[ -~\\n`|#:äß\u{200b}]{0,400}") {
        fuzz::document(text.as_bytes());
    }

    #[test]
    fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        fuzz::document(&bytes);
    }

    /// Cut, doubled, swapped and overwritten lines of a valid document.
    #[test]
    fn a_changed_document_is_read(changes in proptest::collection::vec((any::<Index>(), any::<Index>(), 0..5_u8), 1..6)) {
        let mut lines: Vec<String> = VALID.lines().map(str::to_owned).collect();
        for (at, other, kind) in changes {
            let (at, other) = (at.index(lines.len()), other.index(lines.len()));
            match kind {
                0 => drop(lines.remove(at)),
                1 => lines.insert(at, lines[other].clone()),
                2 => lines.swap(at, other),
                3 => lines[at] = lines[at].chars().rev().collect(),
                _ => lines[at] = lines[at].replace([',', ':', '|'], " "),
            }
            if lines.is_empty() {
                lines.push(String::new());
            }
        }
        fuzz::document(lines.join("\n").as_bytes());
    }

    /// A change of one character, anywhere.
    #[test]
    fn a_changed_character_is_read(at in any::<Index>(), c in any::<char>()) {
        let mut characters: Vec<char> = VALID.chars().collect();
        let at = at.index(characters.len());
        characters[at] = c;
        fuzz::document(characters.into_iter().collect::<String>().as_bytes());
    }

    /// White space at the ends of lines and the kind of line end never matter.
    #[test]
    fn line_ends_never_matter(spaces in 0..3_usize) {
        let plain = writ_policy::parse(VALID).model.unwrap();
        let other = VALID.replace('\n', &format!("{}\r\n", " ".repeat(spaces)));
        let other = writ_policy::parse(&other);
        prop_assert_eq!(&plain, &other.model.unwrap());
    }
}
