//! Edits of part texts: exactly the text changes, at every level of nesting (invariant PRO-2).

use proptest::prelude::*;
use serde_json::{Value, json};
use writ_protocol::{CannotEdit, Edit, Endpoint, Message};

use crate::read_prompt;

/// Replaces `old` wherever it stands in the text of a part.
fn redact(message: &Message, body: &[u8], old: &str, new: &str) -> Result<Vec<u8>, CannotEdit> {
    let mut edits = Vec::new();
    for part in &message.parts {
        for (at, _) in part.text().unwrap_or_default().match_indices(old) {
            edits.push(Edit::Replace { part: part.index, span: at..at + old.len(), with: new.to_owned() });
        }
    }
    assert!(!edits.is_empty(), "found nowhere");
    message.splice(body, &edits)
}

fn redacted(endpoint: Endpoint, body: &str, old: &str, new: &str) -> String {
    let message = read_prompt(endpoint, body.as_bytes());
    String::from_utf8(redact(&message, body.as_bytes(), old, new).unwrap()).unwrap()
}

#[test]
fn pro_2_only_the_edited_bytes_change() {
    let body = r#"{"x":1, "messages" : [ {"content":"key=\u0041bc\n\u00e9 0123" , "role":"user"}],"new":[ 1,2 ]}"#;
    let expected = r#"{"x":1, "messages" : [ {"content":"key=[\"k\"]\u00e9 0123" , "role":"user"}],"new":[ 1,2 ]}"#;
    assert_eq!(redacted(Endpoint::OpenaiChat, body, "Abc\n", "[\"k\"]"), expected);
}

#[test]
fn arguments_are_edited_inside_both_levels_of_escapes() {
    let body = r#"{"messages":[{"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"f",
        "arguments":"{\"path\": \"/a\", \"text\": \"say \\\"hi\\\"\\n4111\", \"n\": 4111}"}}]}]}"#;
    let expected =
        body.replace(r#"\\n4111"#, r#"\\n[\\\"x\\\"]"#).replace(r#"\"n\": 4111"#, r#"\"n\": \"[\\\"x\\\"]\""#);
    assert_eq!(redacted(Endpoint::OpenaiChat, body, "4111", "[\"x\"]"), expected);
}

#[test]
fn json_inside_json_inside_json_is_edited() {
    let inner = json!({"card": "4111 1111", "note": "a\nb"}).to_string();
    let middle = json!({"result": inner}).to_string();
    let body =
        |inner: &Value| json!({"messages": [{"role": "tool", "tool_call_id": "c", "content": inner}]}).to_string();
    let expected = body(&Value::from(middle.replace("4111 1111", "[CARD]")));
    assert_eq!(redacted(Endpoint::OpenaiChat, &body(&Value::from(middle)), "4111 1111", "[CARD]"), expected);
}

#[test]
fn text_in_base64_is_read_and_written_back() {
    use base64::Engine as _;
    let encode = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
    let body = |text: &str| {
        format!(
            r#"{{"messages":[{{"role":"user","content":[{{"type":"file","file":{{"filename":"a.csv",
            "file_data":"data:text/csv;base64,{}"}}}}]}}]}}"#,
            encode(text).replace('/', "\\/")
        )
    };
    let old = body("name,card\nAnn,4111???\u{2026}\n");
    let new = redacted(Endpoint::OpenaiChat, &old, "4111", "[CARD]");
    assert_eq!(new.replace("\\/", "/"), body("name,card\nAnn,[CARD]???\u{2026}\n").replace("\\/", "/"));
}

#[test]
fn forms_are_edited_in_place() {
    let body = "q=Ann+Lee%2C%204111%20x&at=t%3D1";
    assert_eq!(redacted(Endpoint::Form, body, "Lee, 4111", "[a b]"), "q=Ann+%5Ba+b%5D%20x&at=t%3D1");
}

#[test]
fn keys_and_structure_stay() {
    let body = br#"{"messages":[{"role":"user","content":"x"}],"model":"4111","metadata":{"4111":"y"}}"#;
    let message = read_prompt(Endpoint::OpenaiChat, body);
    for part in message.parts.iter().filter(|part| part.text().is_some_and(|text| text.contains("4111"))) {
        let at = part.text().unwrap().find("4111").unwrap();
        let edit = Edit::Replace { part: part.index, span: at..at + 4, with: String::new() };
        assert_eq!(message.splice(body, std::slice::from_ref(&edit)), Err(CannotEdit::Fixed(part.index)));
        assert_eq!(message.check(&edit), Err(CannotEdit::Fixed(part.index)));
    }
}

#[test]
fn wrong_edits_are_refused_whole() {
    let body = r#"{"messages":[{"role":"user","content":"é12345"}]}"#.as_bytes();
    let message = read_prompt(Endpoint::OpenaiChat, body);
    let edit = |span| Edit::Replace { part: 0, span, with: "x".to_owned() };
    assert_eq!(message.splice(body, &[edit(0..1)]), Err(CannotEdit::Span(0)));
    assert_eq!(message.splice(body, &[edit(2..99)]), Err(CannotEdit::Span(0)));
    assert_eq!(message.splice(body, &[edit(2..5), edit(4..6)]), Err(CannotEdit::Overlap));
    assert_eq!(message.splice(&body[1..], &[edit(2..5)]), Err(CannotEdit::OtherBody));
    assert_eq!(
        message.splice(body, &[Edit::Replace { part: 9, span: 0..0, with: String::new() }]),
        Err(CannotEdit::NoPart(9))
    );
    assert!(message.splice(body, &[edit(2..3), edit(3..4)]).is_ok(), "neighbours do not overlap");
}

#[test]
fn a_span_over_two_pieces_lands_in_the_first() {
    let body = br#"{"messages":[],"metadata":["Ann","Lee","x"]}"#;
    let message = read_prompt(Endpoint::OpenaiChat, body);
    let part = message.parts.iter().find(|part| part.location == "metadata").unwrap();
    assert_eq!(part.text(), Some("Ann\nLee\nx"));
    let edit = Edit::Replace { part: part.index, span: 1..6, with: "[N]".to_owned() };
    assert_eq!(message.splice(body, &[edit]).unwrap(), br#"{"messages":[],"metadata":["A[N]","e","x"]}"#);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn pro_2_random_edits_give_exactly_the_edited_text(
        text in "[ -~é😀\\n\\t]{0,60}",
        cuts in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), ".{0,8}"), 0..5),
        escape_all in any::<bool>(),
    ) {
        // `.` in front keeps it from being JSON itself.
        let text = format!(".{text}");
        let raw = if escape_all {
            text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect()
        } else {
            let quoted = serde_json::to_string(&text).unwrap();
            quoted[1..quoted.len() - 1].to_owned()
        };
        let body = format!("{{\"messages\":[{{\"role\":\"user\",\"content\":\"{raw}\"}}], \"k\" :1 }}");
        let message = read_prompt(Endpoint::OpenaiChat, body.as_bytes());
        prop_assert_eq!(message.parts[0].text(), Some(text.as_str()));
        let starts: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).filter(|at| *at > 0).collect();
        let mut spans: Vec<(usize, usize, String)> = cuts
            .into_iter()
            .map(|(a, b, with)| {
                let (a, b) = (*a.get(&starts), *b.get(&starts));
                (a.min(b), a.max(b), with)
            })
            .collect();
        spans.sort();
        spans.dedup_by(|next, before| next.0 < before.1 || next.0 == before.0);
        let edits: Vec<Edit> = spans
            .iter()
            .map(|(start, end, with)| Edit::Replace { part: 0, span: *start..*end, with: with.clone() })
            .collect();
        let mut expected = text.clone();
        for (start, end, with) in spans.iter().rev() {
            expected.replace_range(*start..*end, with);
        }
        let edited = message.splice(body.as_bytes(), &edits).unwrap();
        let edited = String::from_utf8(edited).unwrap();
        let (head, tail) = (body.find(&raw).unwrap(), "\"}], \"k\" :1 }");
        prop_assert_eq!(&edited[..head], &body[..head]);
        prop_assert!(edited.ends_with(tail));
        let read: Value = serde_json::from_str(&edited).unwrap();
        prop_assert_eq!(read["messages"][0]["content"].as_str(), Some(expected.as_str()));
    }
}
