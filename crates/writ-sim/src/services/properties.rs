//! Properties of the formats without sockets: any text comes back, and no body brings a service down.

use http::{HeaderMap, HeaderValue, Method};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::ProviderKeys;
use super::call::{Call, Provider};
use super::reply::{Payload, Reply};

const PATHS: [&str; 5] = [
    "/v1/chat/completions",
    "/v1/responses",
    "/v1/messages",
    "/v1beta/models/m:generateContent",
    "/v1beta/models/m:streamGenerateContent",
];

fn answer(path: &str, query: &str, body: &[u8]) -> Reply {
    let keys = ProviderKeys::default();
    let mut headers = HeaderMap::new();
    let (name, key) = match path {
        "/v1/messages" => ("x-api-key", keys.anthropic.clone()),
        path if path.starts_with("/v1beta") => ("x-goog-api-key", keys.gemini.clone()),
        _ => ("authorization", format!("Bearer {}", keys.openai)),
    };
    headers.insert(name, HeaderValue::from_str(&key).unwrap());
    headers.insert("anthropic-version", HeaderValue::from_static("2023-06-01"));
    let host = match name {
        "x-api-key" => "api.anthropic.com",
        "x-goog-api-key" => "generativelanguage.googleapis.com",
        _ => "api.openai.com",
    };
    let call = Call { host, method: &Method::POST, path, query, headers: &headers, body, seed: 1, keys: &keys };
    Provider::of(&call).answer(&call)
}

fn bytes(reply: Reply) -> Vec<u8> {
    match reply.payload {
        Payload::Document(document) => document.into_bytes(),
        Payload::Bytes(bytes) => bytes.to_vec(),
        Payload::Events { pieces, .. } => pieces.concat(),
    }
}

/// Every string that stands under a member of this name, joined.
fn joined(json: &Value, name: &str, text: &mut String) {
    match json {
        Value::Array(items) => items.iter().for_each(|item| joined(item, name, text)),
        Value::Object(members) => {
            for (key, value) in members {
                match value {
                    Value::String(value) if key == name => text.push_str(value),
                    other => joined(other, name, text),
                }
            }
        }
        _ => {}
    }
}

/// JSON in the neighbourhood of real requests: their members, with any value.
fn near_request() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[ -~]{0,12}".prop_map(Value::from),
        prop::sample::select(vec![
            "user",
            "assistant",
            "tool",
            "model",
            "text",
            "tool_result",
            "tool_use",
            "thinking",
            "json_schema",
            "function_call",
            "function_call_output",
            "reasoning",
            "sim:tool=x {}",
            "sim:long=3",
            "sim:status=599",
        ])
        .prop_map(Value::from),
    ];
    let names = prop::sample::select(vec![
        "model",
        "messages",
        "input",
        "contents",
        "parts",
        "content",
        "role",
        "type",
        "text",
        "stream",
        "n",
        "max_tokens",
        "tool_calls",
        "id",
        "tool_call_id",
        "tool_use_id",
        "call_id",
        "output",
        "thinking",
        "signature",
        "functionCall",
        "functionResponse",
        "response",
        "generationConfig",
        "thinkingConfig",
        "includeThoughts",
        "responseMimeType",
        "responseSchema",
        "response_format",
        "reasoning",
        "effort",
        "include",
        "encrypted_content",
        "schema",
        "properties",
        "anyOf",
        "enum",
        "stream_options",
    ]);
    leaf.prop_recursive(5, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((names.clone(), inner), 0..6)
                .prop_map(|members| members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_text_is_echoed_whole(text in "\\PC{0,40}", size in 1_usize..9) {
        let asked = format!("sim:echo-split={size} {text}");
        let messages = json!([{"role": "user", "content": asked}]);
        let plain = json!({"model": "m", "max_tokens": 1, "messages": messages}).to_string();
        for (path, member) in [("/v1/chat/completions", "content"), ("/v1/messages", "text")] {
            let document: Value = serde_json::from_slice(&bytes(answer(path, "", plain.as_bytes()))).unwrap();
            let mut echoed = String::new();
            joined(&document, member, &mut echoed);
            prop_assert_eq!(&echoed, &text);
        }
        let contents = json!({"contents": [{"parts": [{"text": asked}]}]}).to_string();
        let array: Value = serde_json::from_slice(&bytes(answer(PATHS[4], "", contents.as_bytes()))).unwrap();
        let mut echoed = String::new();
        joined(&array, "text", &mut echoed);
        prop_assert_eq!(&echoed, &text);
        let streamed = json!({"model": "m", "max_tokens": 1, "stream": true, "messages": messages}).to_string();
        let stream = String::from_utf8(bytes(answer("/v1/messages", "", streamed.as_bytes()))).unwrap();
        let mut echoed = String::new();
        for data in stream.lines().filter_map(|line| line.strip_prefix("data: ")) {
            joined(&serde_json::from_str(data).unwrap(), "text", &mut echoed);
        }
        prop_assert_eq!(&echoed, &text);
    }

    #[test]
    fn no_body_brings_a_service_down(body in near_request(), streamed in any::<bool>()) {
        let mut body = body;
        if let Some(members) = body.as_object_mut() {
            members.entry("model").or_insert("m".into());
            members.entry("max_tokens").or_insert(1.into());
            members.insert("stream".into(), streamed.into());
        }
        for path in PATHS {
            let reply = answer(path, "alt=sse", body.to_string().as_bytes());
            let status = reply.status.as_u16();
            let events = matches!(reply.payload, Payload::Events { .. });
            let bytes = bytes(reply);
            prop_assert!(status == 200 || (400..=599).contains(&status));
            prop_assert!(events || serde_json::from_slice::<Value>(&bytes).is_ok());
        }
    }

    #[test]
    fn no_bytes_bring_a_service_down(body in prop::collection::vec(any::<u8>(), 0..64)) {
        for path in PATHS {
            let status = answer(path, "", &body).status.as_u16();
            prop_assert!((200..=499).contains(&status));
        }
    }
}
