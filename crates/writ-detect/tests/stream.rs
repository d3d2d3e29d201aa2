//! DET-1: findings do not depend on how the text is cut. DET-2: what was redacted is not found again.

use std::collections::BTreeSet;

use proptest::prelude::*;
use writ_detect::{Definition, Harmless, Pack, redact_spans, sort};
use writ_model::Finding;

const KEY: [u8; 32] = [7; 32];

/// Pieces that texts are made of: values, halves of values, context, noise.
const PIECES: &[&str] = &[
    "4111 1111 1111 1111",
    "4111111111111111",
    "card ",
    "SSN: ",
    "123-45-6789",
    "717-73-7840",
    " 717737840 ",
    "jane.doe@example.com",
    "miguel.díaz17@zoho.com",
    "@",
    "+1 (561) 515-2430",
    "(415) 555-2671",
    "415-555-2671",
    " call ",
    "DE89 3704 0044 0532 0130 00",
    "IBAN ",
    "10.148.72.179",
    "1.2.3.4.5",
    "version ",
    "2a02:8108:9640:1a2b::17",
    "Dr. Maria Keller",
    "Dear Tom,",
    "Patient: Bob Miller",
    "MRN-1203734",
    "diabetes",
    " diagnosis ",
    "DOB: 1982-10-02",
    "born on 12 March 1975",
    "password = \"Tr0ub4dor3!\"",
    "DB_PASSWORD=s8Gk2#vQ9z\n",
    "-----BEGIN RSA PRIVATE KEY-----\n",
    "MIIEowIBAAKCAQEAx5Qd9Zt0Yb1s8w7f2kQe\n",
    "-----END RSA PRIVATE KEY-----",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc",
    "sk-proj-a8F3k2Lm9Qz7Xc1Vb5Nn4T0p",
    "AKIA",
    "postgres://app:s3cretPw9@db:5432/x",
    "def f(x):\n    return x + 1\n",
    "```rust\n",
    "```\n",
    "fn main() {\n",
    "}\n",
    "import os\n",
    " ",
    "\n",
    ".",
    ",",
    "-",
    "é",
    "日本",
    "😀",
    "(",
    "+",
    "1",
    "12",
    "123 ",
    "a",
    "the quick brown fox ",
    "[CARD-7f3kq29m]",
    "[",
    "]",
    "Project Blue Heron",
    "AX-4711",
    "x",
    "account number 7095058640",
    "insurance ID is INS-429376062",
    "name: \"Donna Evans\"",
    "api_key: ",
    "a8F3k2Lm9Qz7Xc1Vb5Nn4T0p",
];

fn pack() -> Pack {
    static PACK: std::sync::OnceLock<Pack> = std::sync::OnceLock::new();
    let definition = Definition {
        class: "project-names".into(),
        words: vec!["Project Blue Heron".into(), "日本".into()],
        expressions: vec![r"AX-\d{4}".into(), r"[a-z]+ quick .{0,5}".into()],
    };
    PACK.get_or_init(|| Pack::with_definitions(&[definition], &Harmless::default()).unwrap()).clone()
}

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(PIECES), 0..24).prop_map(|pieces| pieces.concat())
}

/// Scans in pieces; checks that nothing is found where the scanner said that the text is settled.
fn scan_in_pieces(text: &str, sizes: &[usize]) -> Vec<Finding> {
    let mut scanner = pack().scanner(&KEY);
    let mut findings = Vec::new();
    let mut rest = text;
    let mut sizes = sizes.iter().cycle();
    while !rest.is_empty() {
        let mut cut = (*sizes.next().unwrap()).clamp(1, rest.len());
        while !rest.is_char_boundary(cut) {
            cut += 1;
        }
        let (piece, next) = rest.split_at(cut);
        let (settled, before) = (scanner.settled(), bounds(&scanner));
        let known = findings.len();
        scanner.push(piece, &mut findings);
        check_settled(&findings[known..], before);
        assert!(scanner.settled() >= settled && scanner.settled() <= scanner.position());
        assert!(bounds(&scanner).iter().zip(before).all(|(after, before)| *after >= before));
        rest = next;
    }
    let before = bounds(&scanner);
    let known = findings.len();
    scanner.finish(&mut findings);
    check_settled(&findings[known..], before);
    assert_eq!(scanner.settled(), text.len());
    sort(&mut findings);
    findings
}

/// How far a text has settled for values alone, for health contexts, and for source code.
fn bounds(scanner: &writ_detect::Scanner) -> [usize; 3] {
    let of = |name: &'static str| scanner.settled_for(|class| *class == name);
    [of("credentials"), of("phi"), of("source-code")]
}

fn check_settled(findings: &[Finding], [values, health, code]: [usize; 3]) {
    for finding in findings {
        let bound = match &*finding.class {
            "source-code" => code,
            "phi" => health,
            _ => values,
        };
        assert!(finding.span.start >= bound, "{finding:?} begins before {bound}");
    }
}

fn check_spans(text: &str, findings: &[Finding]) {
    for finding in findings {
        assert!(text.get(finding.span.clone()).is_some_and(|value| !value.is_empty()), "{finding:?} in {text:?}");
    }
    for class in findings.iter().map(|finding| &finding.class) {
        let of_class: Vec<_> = findings.iter().filter(|finding| finding.class == *class).collect();
        assert!(of_class.windows(2).all(|two| two[0].span.end <= two[1].span.start), "{class}: {of_class:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn det_1_findings_do_not_depend_on_chunk_boundaries(text in text(), sizes in prop::collection::vec(1usize..40, 1..8)) {
        let whole = pack().scan(&text, &KEY);
        check_spans(&text, &whole);
        prop_assert_eq!(&scan_in_pieces(&text, &sizes), &whole, "{:?}", text);
    }

    #[test]
    fn det_1_byte_by_byte(text in text()) {
        prop_assert_eq!(scan_in_pieces(&text, &[1]), pack().scan(&text, &KEY), "{:?}", text);
    }

    #[test]
    fn any_text_is_scanned(text in "\\PC{0,300}", sizes in prop::collection::vec(1usize..20, 1..4)) {
        let whole = pack().scan(&text, &KEY);
        check_spans(&text, &whole);
        prop_assert_eq!(scan_in_pieces(&text, &sizes), whole);
    }

    #[test]
    fn det_2_placeholders_are_never_found(kind in "[A-Z][A-Z_]{0,20}", tag in "[a-z2-7]{8}|[0-9]{8,13}", before in prop::sample::select(PIECES), after in prop::sample::select(PIECES)) {
        let text = format!("{before} [{kind}-{tag}] {after}");
        let inside = before.len() + 1..before.len() + 1 + kind.len() + tag.len() + 3;
        let findings = pack().scan(&text, &KEY);
        let hit = findings.iter().filter(|finding| finding.class != "source-code").find(|finding| finding.span.start < inside.end && inside.start < finding.span.end);
        prop_assert!(hit.is_none(), "{:?} in {:?}", hit, text);
    }

    #[test]
    fn det_2_what_was_redacted_is_not_found_again(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..12)) {
        // Removing a value moves the context of its neighbours, so edited text is scanned again; it comes to rest.
        let mut text = pieces.join(" | ");
        for _ in 0..4 {
            text = redact(&text);
            for finding in found_values(&text) {
                let value = text.get(finding.span.clone()).unwrap();
                prop_assert!(!value.contains("7f3kq29m"), "{:?} in {:?}", finding, text);
            }
        }
        let left = found_values(&text);
        prop_assert!(left.is_empty(), "{:?} in {:?}", left, text);
    }
}

fn found_values(text: &str) -> Vec<Finding> {
    pack().scan(text, &KEY).into_iter().filter(|finding| finding.class != "source-code").collect()
}

fn redact(text: &str) -> String {
    let findings = found_values(text);
    let classes: BTreeSet<_> = findings.iter().map(|finding| finding.class.clone()).collect();
    let mut redacted = text.to_owned();
    for (span, finding) in redact_spans(&findings, &classes).into_iter().rev() {
        redacted.replace_range(span, &format!("[{}-7f3kq29m]", finding.data_type));
    }
    redacted
}

#[test]
fn every_split_of_every_example() {
    let pack = pack();
    for detector in pack.detectors() {
        for example in &detector.examples {
            let text = example.replace(['·', '«', '»'], "");
            if text.len() > 400 {
                continue;
            }
            let whole = pack.scan(&text, &KEY);
            for cut in (1..text.len()).filter(|cut| text.is_char_boundary(*cut)) {
                let mut scanner = pack.scanner(&KEY);
                let mut findings = Vec::new();
                let (front, back) = text.split_at(cut);
                scanner.push(front, &mut findings);
                scanner.push(back, &mut findings);
                scanner.finish(&mut findings);
                sort(&mut findings);
                assert_eq!(findings, whole, "{text:?} cut at {cut}");
            }
        }
    }
}

#[test]
fn plain_text_is_released_word_by_word() {
    let mut scanner = pack().scanner(&KEY);
    let mut findings = Vec::new();
    let line = "the lazy dog sleeps under the old tree near our house. ";
    scanner.push(&line.repeat(40).replace("quick", "slow"), &mut findings);
    // The expressions of this pack hold an open line; without them only the open word is held.
    let mut plain = Pack::builtin().scanner(&KEY);
    plain.push(&line.repeat(40), &mut findings);
    plain.push("and then some", &mut findings);
    assert_eq!(plain.settled(), line.len() * 40 + "and then ".len());
    assert!(findings.is_empty());
}

#[test]
fn memory_stays_bounded() {
    let mut scanner = pack().scanner(&KEY);
    let mut findings = Vec::new();
    let hostile = [
        "4111 1111 ",
        "eyJ",
        "-----BEGIN PRIVATE KEY-----\nMIIEowIBAAKCAQEAx5Qd9Zt0Yb1s8w7f2kQe",
        "1.1.",
        "aaaaaaaaaa",
        "Dr. A",
        "SSN: 1",
    ];
    let mut most = 0;
    for piece in hostile {
        for _ in 0..2_000 {
            scanner.push(piece, &mut findings);
            most = most.max(scanner.held());
        }
        findings.clear();
    }
    assert!(most < 128 * 1024, "{most} bytes held");
}
