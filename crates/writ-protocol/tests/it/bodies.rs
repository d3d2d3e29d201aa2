//! What a body says beside its text: signals, opaque parts, model, tools, forms; and bodies that are no JSON.

use proptest::prelude::*;
use serde_json::json;
use writ_model::interaction::Content;
use writ_model::{Author, Signal};
use writ_protocol::{Endpoint, Message, endpoint, opaque_from_start, read_query};

use crate::{read_answer, read_prompt};

const GEMINI: Endpoint = Endpoint::GeminiGenerate { stream: false, sse: false };

fn prompt(endpoint: Endpoint, body: &serde_json::Value) -> Message {
    read_prompt(endpoint, body.to_string().as_bytes())
}

fn shown(message: &Message) -> Vec<(Author, &'static str, String)> {
    let text = |content: &Content| match content {
        Content::Text(text) => text.expose().to_owned(),
        Content::Opaque { signal, .. } => format!("<{signal}>"),
    };
    message.parts.iter().map(|part| (part.author, part.location, text(&part.content))).collect()
}

fn signals(message: &Message) -> Vec<&'static str> {
    message.signals.iter().map(Signal::as_str).collect()
}

#[test]
fn content_without_a_reader_is_an_opaque_part() {
    let picture = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
    let body = json!({"messages": [{"role": "user", "content": [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": picture}},
        {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": picture}},
        {"type": "document", "source": {"type": "file", "file_id": "file_1"}},
    ]}, {"role": "assistant", "content": [{"type": "thinking", "thinking": "", "signature": "A".repeat(80)}]}]});
    let message = prompt(Endpoint::AnthropicMessages, &body);
    let opaque: Vec<_> =
        shown(&message).into_iter().filter(|part| part.2.starts_with('<')).map(|part| part.2).collect();
    assert_eq!(opaque, ["<opaque (image)>", "<opaque (file)>", "<opaque (encrypted)>"]);
    assert_eq!(signals(&message), ["opaque (image)", "opaque (file)", "opaque (reference)", "opaque (encrypted)"]);
}

#[test]
fn nothing_hides_in_places_that_should_hold_no_text() {
    let body = json!({"messages": [{"role": "the card is 4111", "content": [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "the card is 4112"}},
        {"type": "thinking", "thinking": "x", "signature": "the card is 4113"},
        {"type": "tool_use", "id": "the card is 4114", "name": "the card is 4115", "input": {"the card is 4116": 41174117}},
        {"type": "tool_result", "tool_use_id": "a", "is_error": "the card is 4118", "content": 41194119},
    ]}], "max_tokens": 41204120, "model": "the card is 4121", "the card is 4122": null, "top_k": {"a": "the card is 4123"},
        "stream": ["the card is 4124"], "system": {"a": {"b": ["the card is 4125"]}}});
    let message = prompt(Endpoint::AnthropicMessages, &body);
    let text: String = shown(&message).into_iter().map(|part| part.2 + "\n").collect();
    for number in 4111..=4125 {
        assert!(text.contains(&number.to_string()), "{number} in {text}");
    }
}

#[test]
fn a_body_of_another_format_is_malformed() {
    for (endpoint, body) in [
        (Endpoint::OpenaiChat, json!({"input": "x"})),
        (Endpoint::OpenaiChat, json!([{"messages": []}])),
        (Endpoint::AnthropicMessages, json!("messages")),
        (GEMINI, json!({"messages": []})),
    ] {
        assert_eq!(signals(&prompt(endpoint, &body)), ["malformed (format)"], "{body}");
    }
    assert_eq!(signals(&prompt(Endpoint::AnyJson, &json!({"input": "x"}))), [""; 0]);
}

#[test]
fn bodies_say_what_they_ask_for() {
    let tools = json!([{"type": "function", "function": {"name": "a"}}, {"type": "function", "name": "b"}]);
    let chat = prompt(Endpoint::OpenaiChat, &json!({"model": "m", "stream": true, "messages": [], "tools": tools}));
    assert_eq!((chat.model.as_deref(), chat.stream, chat.structured), (Some("m"), true, false));
    assert_eq!(chat.tools, ["a", "b"]);
    for (endpoint, body) in [
        (Endpoint::OpenaiChat, json!({"messages": [], "response_format": {"type": "json_object"}})),
        (Endpoint::OpenaiChat, json!({"messages": [], "tool_choice": "required"})),
        (Endpoint::OpenaiResponses, json!({"input": "", "text": {"format": {"type": "json_schema"}}})),
        (Endpoint::AnthropicMessages, json!({"messages": [], "tool_choice": {"type": "any"}})),
        (Endpoint::AnthropicMessages, json!({"messages": [], "output_config": {"format": {"type": "json_schema"}}})),
        (GEMINI, json!({"contents": [], "generationConfig": {"response_mime_type": "application/json"}})),
        (GEMINI, json!({"contents": [], "toolConfig": {"functionCallingConfig": {"mode": "ANY"}}})),
        (Endpoint::AnyJson, json!({})),
    ] {
        assert!(prompt(endpoint, &body).structured, "{body}");
    }
    for (endpoint, body) in [
        (Endpoint::OpenaiChat, json!({"messages": [], "response_format": {"type": "text"}, "tool_choice": "auto"})),
        (Endpoint::AnthropicMessages, json!({"messages": [], "tool_choice": {"type": "auto"}})),
        (GEMINI, json!({"contents": [], "generationConfig": {"temperature": 1}})),
    ] {
        assert!(!prompt(endpoint, &body).structured, "{body}");
    }
}

#[test]
fn a_tool_is_one_text_and_a_long_argument_a_text_of_its_own() {
    let long = "two words, ".repeat(200);
    let body = json!({"messages": [{"role": "assistant", "tool_calls": [{"function": {
        "name": "write", "arguments": json!({"path": "/a", "content": long, "mode": "w"}).to_string()}}]}],
        "tools": [{"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object"}}}]});
    let message = prompt(Endpoint::OpenaiChat, &body);
    let place = "messages[].tool_calls[].function.arguments";
    assert_eq!(
        shown(&message),
        [
            (Author::Assistant, place, "content: ".to_owned()),
            (Author::Assistant, place, long),
            (Author::Assistant, place, "mode: w\npath: /a".to_owned()),
            (
                Author::ToolDefinition,
                "tools[]",
                "function:\ndescription: d\nname: f\nparameters:\ntype: object\ntype: function".to_owned()
            ),
            (Author::Metadata, "(structure)", "write\n".to_owned()),
        ]
    );
}

#[test]
fn token_numbers_are_opaque() {
    let message = prompt(Endpoint::OpenaiOther, &json!({"input": [[1, 2, 3]], "prompt": [4, 5]}));
    assert_eq!(signals(&message), ["opaque (format)"]);
}

#[test]
fn answers_belong_to_the_model() {
    let body = json!([{"candidates": [{"content": {"parts": [{"text": "a"}], "role": "model"}}]}]);
    let message = read_answer(GEMINI, body.to_string().as_bytes());
    assert_eq!(shown(&message), [(Author::Assistant, "contents[].parts[].text", "a".to_owned())]);
    assert_eq!(signals(&message), [""; 0]);
}

fn upload(parts: &[&[u8]]) -> Vec<u8> {
    let mut body = Vec::new();
    for part in parts {
        body.extend_from_slice(b"--XX\r\n");
        body.extend_from_slice(part);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--XX--\r\n");
    body
}

#[test]
fn uploads_show_their_fields_file_names_and_text_files() {
    let reader = endpoint("POST", "/v1/files", Some("multipart/form-data; boundary=XX"));
    let body = upload(&[
        b"Content-Disposition: form-data; name=\"purpose\"\r\n\r\nassistants",
        b"Content-Disposition: form-data; name=\"file\"; filename=\"Ann.csv\"\r\nContent-Type: text/csv\r\n\r\na,4111",
    ]);
    let message = read_prompt(reader, &body);
    let text: Vec<String> = shown(&message).into_iter().map(|part| part.2).collect();
    assert_eq!(text[..3], ["assistants", "Ann.csv", "a,4111"]);
    assert!(text[3].contains("name=\"purpose\""));
    assert_eq!(signals(&message), [""; 0]);
    let edit = writ_protocol::Edit::Replace { part: 2, span: 2..6, with: "[CARD]".to_owned() };
    let edited = String::from_utf8(message.splice(&body, &[edit]).unwrap()).unwrap();
    assert_eq!(edited, String::from_utf8(body).unwrap().replace("4111", "[CARD]"));

    let binary = upload(&[
        b"Content-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\n\x89PNG\xff\x00",
        b"Content-Disposition: form-data; name=\"note\"\r\n\r\n4111",
    ]);
    let message = read_prompt(reader, &binary);
    assert_eq!(signals(&message), ["opaque (image)"]);
    assert!(shown(&message).iter().any(|part| part.2 == "4111"));
    assert_eq!(message.splice(&binary, &[]).unwrap(), binary);
}

#[test]
fn uploads_that_parsers_read_differently_are_malformed() {
    let reader = endpoint("POST", "/v1/files", Some("multipart/form-data; boundary=XX"));
    let good = upload(&[b"Content-Disposition: form-data; name=\"a\"\r\n\r\nx"]);
    for body in [&b"--XY\r\n\r\nx\r\n--XY--"[..], &good[..good.len() - 6], &[&good[..], b"hidden"].concat()] {
        assert_eq!(signals(&read_prompt(reader, body)), ["malformed (format)", "opaque (format)"]);
    }
}

#[test]
fn anything_else_is_read_by_its_look() {
    let shown =
        |body: &[u8]| shown(&read_prompt(Endpoint::Other, body)).into_iter().map(|part| part.2).collect::<Vec<_>>();
    assert_eq!(shown(b"just words"), ["just words"]);
    assert_eq!(shown(b" {\"a\": \"b\"}"), ["b", "a\n"]);
    assert_eq!(shown(b"{not json}"), ["{not json}"]);
    assert_eq!(shown(b"\x00\x01"), ["<opaque (format)>"]);
    assert_eq!(shown(b""), [""; 0]);
    assert_eq!(read_prompt(Endpoint::Models, b"").parts, []);
}

#[test]
fn query_strings_are_read_without_credentials() {
    let message = read_query("key=AIzaSecret&prompt=my+card%204111&alt=sse");
    let text: Vec<String> = shown(&message).into_iter().map(|part| part.2).collect();
    assert_eq!(text, ["my card 4111", "sse", "prompt\nalt\n"]);
    assert!(message.parts.iter().all(|part| !part.editable));
}

proptest! {
    /// A body whose beginning tells that it has no reader has none, whatever follows; one that is text never streams.
    #[test]
    fn a_beginning_without_a_reader_decides(start in prop::collection::vec(any::<u8>(), 0..40), rest in prop::collection::vec(any::<u8>(), 0..40)) {
        let whole = [start.as_slice(), &rest].concat();
        let message = read_prompt(Endpoint::Other, &whole);
        if opaque_from_start(&start) {
            prop_assert_eq!(message.parts.len(), 1);
            prop_assert!(message.parts[0].text().is_none());
        }
        if message.parts.iter().any(|part| part.text().is_some()) {
            prop_assert!((0..=whole.len()).all(|end| !opaque_from_start(&whole[..end])));
        }
    }
}
