//! Refusals in each format.

use serde_json::Value;
use writ_model::interaction::InteractionId;
use writ_model::{ClauseQuote, Effect, Refusal, RefusalKind};
use writ_protocol::Endpoint;
use writ_protocol::answer::Framing;
use writ_protocol::refusal::{RefusalForm, is_own_id, refuse};

use crate::client::read;

pub fn refusal() -> Refusal {
    Refusal {
        interaction: InteractionId::from_bytes([1; 16]),
        kind: RefusalKind::Policy,
        effect: Effect::Block,
        clauses: vec![ClauseQuote { id: "credentials".into(), number: "4.6".into(), title: "Credentials".into() }],
        reference: "7F3K-29".into(),
        offers: vec![],
        for_programs: "writ: not sent (clause 4.6 Credentials). Do not retry. Code 7F3K-29.".into(),
        for_people: "**Your message was not sent.**\n\nIt seems to contain \"a key\".\u{2028}Code 7F3K-29".into(),
        link: None,
    }
}

pub const ENDPOINTS: [(&str, Endpoint); 5] = [
    ("openai-chat", Endpoint::OpenaiChat),
    ("openai-responses", Endpoint::OpenaiResponses),
    ("anthropic-messages", Endpoint::AnthropicMessages),
    ("gemini-generate", Endpoint::GeminiGenerate { stream: true, sse: true }),
    ("gemini-array", Endpoint::GeminiGenerate { stream: true, sse: false }),
];

fn json(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap()
}

#[test]
fn errors_are_those_of_the_provider() {
    for (name, endpoint) in ENDPOINTS.into_iter().chain([("other", Endpoint::Other), ("form", Endpoint::Form)]) {
        let answer = refuse(endpoint, RefusalForm::Error, &refusal());
        assert_eq!((answer.status, answer.content_type), (403, "application/json"), "{name}");
        let document = json(&answer.body);
        let document = if name == "gemini-array" { document[0].clone() } else { document };
        assert_eq!(document["error"]["message"], refusal().for_programs, "{name}");
        assert!(document.to_string().contains("7F3K-29") && document.to_string().contains("credentials"));
        let malformed = Refusal { kind: RefusalKind::Malformed, ..refusal() };
        assert_eq!(refuse(endpoint, RefusalForm::Error, &malformed).status, 400);
    }
    assert_eq!(json(&refuse(Endpoint::AnthropicMessages, RefusalForm::Error, &refusal()).body)["type"], "error");
    let gemini = Endpoint::GeminiGenerate { stream: false, sse: false };
    let error = &json(&refuse(gemini, RefusalForm::Error, &refusal()).body)["error"];
    assert_eq!((&error["status"], &error["code"]), (&"PERMISSION_DENIED".into(), &403.into()));
}

#[test]
fn messages_are_answers_of_the_assistant() {
    for (name, endpoint) in ENDPOINTS {
        let plain = refuse(endpoint, RefusalForm::Message { stream: false, model: "m\"1" }, &refusal());
        assert_eq!((plain.status, plain.content_type), (200, "application/json"), "{name}");
        let document = json(&plain.body);
        let text = [
            "/choices/0/message/content",
            "/output/0/content/0/text",
            "/content/0/text",
            "/candidates/0/content/parts/0/text",
        ]
        .iter()
        .find_map(|place| document.pointer(place))
        .unwrap();
        assert_eq!(*text, refusal().for_people, "{name}");
        let id = document.get("id").or_else(|| document.get("responseId")).and_then(Value::as_str).unwrap();
        assert!(name.starts_with("gemini") || is_own_id(id), "{id}");

        let streamed = refuse(endpoint, RefusalForm::Message { stream: true, model: "m\"1" }, &refusal());
        let framing = if name == "gemini-array" { Framing::JsonArray } else { Framing::Sse };
        let got = read(endpoint, framing, &streamed.body);
        assert_eq!((got.text, got.ended, got.error), (refusal().for_people, true, None), "{name}");
    }
}

#[test]
fn where_no_assistant_answers_a_message_is_an_error() {
    for endpoint in [Endpoint::AnthropicCountTokens, Endpoint::GeminiEmbed, Endpoint::Models, Endpoint::Other] {
        let answer = refuse(endpoint, RefusalForm::Message { stream: false, model: "m" }, &refusal());
        assert_eq!((answer.status, answer), (403, refuse(endpoint, RefusalForm::Error, &refusal())));
    }
}

#[test]
fn ids_tell_whose_answer_it_is() {
    assert!(is_own_id("resp_writ_01") && is_own_id("chatcmpl-writ_01") && is_own_id("msg_writ_01"));
    assert!(!is_own_id("resp_01") && !is_own_id("resp_awrit_1") && !is_own_id("chatcmpl-1"));
}
