//! How consumers use it: definitions, harmless values, counts, redaction, health context.

use std::collections::BTreeSet;

use writ_detect::{Definition, Harmless, Pack, PackError, distinct_values, is_placeholder, redact_spans, share};
use writ_model::{Certainty, Term};

const KEY: [u8; 32] = [7; 32];

fn definition(words: &[&str], expressions: &[&str]) -> Definition {
    Definition {
        class: "projects".into(),
        words: words.iter().map(|word| (*word).to_owned()).collect(),
        expressions: expressions.iter().map(|word| (*word).to_owned()).collect(),
    }
}

#[test]
fn words_of_the_organisation_are_found_whole() {
    let pack = Pack::with_definitions(&[definition(&["Blue Heron", "Zürich-7"], &[r"AX-\d{4}"])], &Harmless::default())
        .unwrap();
    let text = "blue heron, Blue Herons, AX-4711 and zürich-7.";
    let found: Vec<_> =
        pack.scan(text, &KEY).into_iter().map(|finding| text.get(finding.span).unwrap().to_owned()).collect();
    assert_eq!(found, ["blue heron", "AX-4711", "zürich-7"]);
    assert_ne!(pack.hash(), Pack::builtin().hash());
}

#[test]
fn a_definition_that_cannot_be_searched_is_refused_without_its_content() {
    let fail = |definition| Pack::with_definitions(&[definition], &Harmless::default()).unwrap_err();
    let error = fail(definition(&[], &["(secret"]));
    assert!(matches!(error, PackError::Expression { index: 1, .. }));
    assert_eq!(error.to_string(), "expression 1 of `projects`: unclosed group; write a shorter or simpler one");
    assert!(matches!(fail(definition(&["ok", " "], &[])), PackError::Word { index: 2, .. }));
    assert!(matches!(fail(definition(&[], &["a*"])), PackError::Expression { .. }));
    assert!(matches!(fail(definition(&[], &["(a{1000}){1000}"])), PackError::Expression { .. }));
}

#[test]
fn harmless_values_silence_all_but_certain_credentials() {
    let token = "sk-proj-a8F3k2Lm9Qz7Xc1Vb5Nn4T0p";
    let harmless = Harmless {
        values: vec!["Jane@acme.example.com".into(), token.into()],
        patterns: vec![r".*@public\.example\.com".into()],
    };
    let pack = Pack::with_definitions(&[], &harmless).unwrap();
    let text = format!("jane@acme.example.com, joe@public.example.com, ann@acme.example.com, {token}");
    let found: Vec<_> =
        pack.scan(&text, &KEY).into_iter().map(|finding| text.get(finding.span).unwrap().to_owned()).collect();
    assert_eq!(found, ["ann@acme.example.com", token]);
}

#[test]
fn distinct_values_are_counted_whatever_their_form() {
    let text = "cards 4111 1111 1111 1111, 4111-1111-1111-1111 and 4111111111111111, 5425233430109903";
    let counts = distinct_values(&Pack::builtin().scan(text, &KEY));
    assert_eq!(counts[&Term::from("payment")].likely, 2);
    let other = Pack::builtin().scan(text, &[8; 32]);
    assert_ne!(other[0].value, Pack::builtin().scan(text, &KEY)[0].value);
}

#[test]
fn an_identifier_near_a_health_word_is_phi() {
    let pack = Pack::builtin();
    let classes = |text: &str| {
        pack.scan(text, &KEY).into_iter().map(|finding| finding.class.to_string()).collect::<BTreeSet<_>>()
    };
    assert_eq!(
        classes("Dr. Maria Keller confirmed the diagnosis: diabetes."),
        BTreeSet::from(["contact".into(), "phi".into()])
    );
    assert_eq!(
        classes("Diabetes was confirmed for jane.doe@example.com"),
        BTreeSet::from(["contact".into(), "phi".into()])
    );
    assert_eq!(classes("Diabetes is common in Europe."), BTreeSet::new());
    let far = format!("Dr. Maria Keller {} diabetes", "and so on ".repeat(40));
    assert_eq!(classes(&far), BTreeSet::from(["contact".into()]));
}

#[test]
fn overlapping_spans_are_merged() {
    let text = "Dr. Maria Keller confirmed the diagnosis: diabetes.";
    let findings = Pack::builtin().scan(text, &KEY);
    let spans = redact_spans(&findings, &BTreeSet::from(["phi".into(), "contact".into()]));
    assert_eq!(spans.len(), 1);
    assert_eq!(text.get(spans[0].0.clone()).unwrap(), "Maria Keller");
    assert_eq!(redact_spans(&findings, &BTreeSet::new()).len(), 0);
}

#[test]
fn code_in_a_chat_is_found_with_its_share() {
    let code =
        "def total(items):\n    result = 0\n    for item in items:\n        result += item.price\n    return result\n";
    let text = format!(
        "Can you explain what this function of ours does, please?\n\n{code}\nThank you very much for your help with it.\n"
    );
    let findings = Pack::builtin().scan(&text, &KEY);
    let spans = redact_spans(&findings, &BTreeSet::from(["source-code".into()]));
    assert_eq!(spans.len(), 1);
    assert_eq!(text.get(spans[0].0.clone()).unwrap(), code);
    let share = share(&findings, "source-code", text.len());
    assert!((0.4..0.7).contains(&share), "{share}");
}

#[test]
fn certainty_follows_context() {
    let certainty = |text: &str| Pack::builtin().scan(text, &KEY).first().map(|finding| finding.certainty);
    assert_eq!(certainty("it says 5425233430109903 here"), Some(Certainty::Likely));
    assert_eq!(certainty("my card 5425233430109903 here"), Some(Certainty::Certain));
    assert_eq!(certainty("order 5425233430109903 here"), None);
}

#[test]
fn the_grammar_of_placeholders() {
    assert!(is_placeholder(b"[CARD-7f3kq29m]"));
    assert!(is_placeholder(b"[US_SSN-abcdefghijklm]"));
    for other in
        ["[card-7f3kq29m]", "[CARD-7F3K]", "CARD-7f3kq29m", "[CARD-7f3 q29m]", "[-7f3kq29m]", "[CARD7f3kq29m]", "[]"]
    {
        assert!(!is_placeholder(other.as_bytes()), "{other}");
    }
}

#[test]
fn a_pack_is_ready_soon_and_small() {
    let pack = Pack::builtin();
    assert!(pack.memory() < 64 << 20, "{} bytes", pack.memory());
}
