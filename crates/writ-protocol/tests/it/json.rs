//! Strictness and strings, against serde_json as an oracle.

use proptest::prelude::*;
use serde_json::Value;
use writ_model::Signal;
use writ_protocol::Endpoint;

use crate::read_prompt;

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_filter("finite", |f| f.is_finite()).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[a-z {}\\[\\]\":,]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((any::<String>(), inner), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Strings and keys of a value, as far as they are not JSON themselves, in the order of the wire.
fn strings(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::String(text) => match serde_json::from_str::<Value>(text) {
            Ok(inner @ (Value::Array(_) | Value::Object(_))) => strings(&inner, out),
            _ => out.push(text.clone()),
        },
        Value::Array(list) => list.iter().for_each(|value| strings(value, out)),
        Value::Object(members) => members.iter().for_each(|(key, value)| {
            out.push(key.clone());
            strings(value, out);
        }),
        _ => {}
    }
}

fn malformed(body: &[u8]) -> bool {
    read_prompt(Endpoint::AnyJson, body).signals.contains(Signal::MalformedJson)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn pro_1_every_string_of_any_json_is_in_a_part(value in value()) {
        let body = serde_json::to_vec(&value).unwrap();
        let message = read_prompt(Endpoint::AnyJson, &body);
        prop_assert!(!message.signals.contains(Signal::MalformedJson));
        let text: Vec<&str> = message.parts.iter().filter_map(|part| part.text()).collect();
        let mut expected = Vec::new();
        strings(&value, &mut expected);
        for string in expected {
            prop_assert!(string.is_empty() || text.iter().any(|part| part.contains(&string)), "{string:?} in {text:?}");
        }
    }

    #[test]
    fn accepts_what_serde_json_accepts(value in value(), cut in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut body = serde_json::to_vec(&value).unwrap();
        let at = cut.index(body.len());
        body[at] = byte;
        // serde_json reads numbers into 64 bits and keeps the last of two equal keys; both are no question of syntax.
        match serde_json::from_slice::<Value>(&body) {
            Ok(read) if read.to_string().len() >= body.len() => prop_assert!(!malformed(&body)),
            Ok(_) => {}
            Err(error) if error.to_string().contains("number out of range") => {}
            Err(_) => prop_assert!(malformed(&body)),
        }
    }

    #[test]
    fn pro_1_any_bytes_give_a_message(body in prop::collection::vec(any::<u8>(), 0..200)) {
        writ_protocol::fuzz::json(&body);
    }

    #[test]
    fn pro_2_any_json_survives_edits(value in value()) {
        writ_protocol::fuzz::json(&serde_json::to_vec(&value).unwrap());
    }
}

#[test]
fn malformed_bodies_still_show_their_text() {
    for (body, shown) in [
        (&br#"{"messages":[{"role":"user","content":"one"}],"messages":[{"role":"user","content":"two"}]}"#[..], "two"),
        (b"{\"messages\":[{\"role\":\"user\",\"content\":\"one\xff two\"}]}", "two"),
        (br#"{"messages":[{"role":"user","content":"one"}]} {"x":"two"}"#, "two"),
        (br#"{"messages":[{"role":"user","content":"one \ud800 two"}]}"#, "two"),
        (br#"{"messages":[{"role":"user","content":"one"}, two"#, "two"),
    ] {
        let message = read_prompt(Endpoint::OpenaiChat, body);
        assert!(message.signals.contains(Signal::MalformedJson));
        let text: Vec<&str> = message.parts.iter().filter_map(|part| part.text()).collect();
        assert!(text.iter().any(|part| part.contains("one")), "{text:?}");
        assert!(text.iter().any(|part| part.contains(shown)), "{text:?}");
        assert!(message.parts.iter().all(|part| !part.editable));
        assert_eq!(message.splice(body, &[]).unwrap(), body);
    }
}

#[test]
fn depth_is_bounded() {
    let deep = [b"[".repeat(200_000), b"\"x\"".to_vec(), b"]".repeat(200_000)].concat();
    assert!(malformed(&deep));
}

#[test]
fn pro_2_the_fuzz_bodies_hold_on_every_example_whole_and_cut() {
    for example in writ_protocol::testing::EXAMPLES {
        let body = example.body();
        writ_protocol::fuzz::json(&body);
        for cut in 1..8 {
            writ_protocol::fuzz::json(&body[..body.len() * cut / 8]);
        }
        let head = [b"POST /v1/chat/completions?prompt=a%20b\napplication/json\n", body.as_slice()].concat();
        writ_protocol::fuzz::head(&head);
    }
}

#[test]
fn the_fuzz_body_of_heads_holds_on_uploads_and_forms() {
    for head in [
        &b"POST /x\nmultipart/form-data; boundary=X\n--X\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n--X--"[..],
        b"POST /x\nmultipart/form-data; boundary=X\n--X\r\n\r\n\r\n--X--",
        b"POST /x\napplication/x-www-form-urlencoded\na=b%20c&%zz=%ff&=&d",
        b"GET /v1/models\n\n",
        b"\n\n\xff",
    ] {
        writ_protocol::fuzz::head(head);
    }
}
