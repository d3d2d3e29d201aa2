//! Clients: what they put together from a stream.

use serde_json::Value;
use writ_protocol::Endpoint;
use writ_protocol::answer::Framing;

/// What a client has at the end.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Read {
    pub reasoning: String,
    pub text: String,
    pub arguments: String,
    /// The text of the error that the stream ends with.
    pub error: Option<String>,
    /// Whether the stream ended as its protocol ends.
    pub ended: bool,
}

/// The data of each event.
pub fn events(framing: Framing, body: &[u8]) -> Vec<String> {
    let text = std::str::from_utf8(body).unwrap();
    match framing {
        Framing::JsonArray => {
            let chunks: Vec<Value> = serde_json::from_str(text).unwrap();
            chunks.iter().map(Value::to_string).collect()
        }
        Framing::Ndjson => text.lines().map(str::to_owned).collect(),
        Framing::Sse => {
            // As httpx splits lines under the Gemini SDK: also at separators inside JSON.
            let lines = text.split(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']);
            lines.filter_map(|line| line.strip_prefix("data: ")).map(str::to_owned).collect()
        }
    }
}

/// Puts together what a stream says; panics where an official client would complain.
pub fn read(endpoint: Endpoint, framing: Framing, body: &[u8]) -> Read {
    let mut read = Read::default();
    let mut number = None;
    for data in events(framing, body) {
        if data == "[DONE]" {
            read.ended = true;
            continue;
        }
        let event: Value = serde_json::from_str(&data).unwrap_or_else(|error| panic!("{error}: {data}"));
        if let Some(error) = event.get("error") {
            read.error = Some(error["message"].as_str().unwrap().to_owned());
            read.ended |= !matches!(endpoint, Endpoint::OpenaiChat | Endpoint::OpenaiResponses);
        }
        match endpoint {
            Endpoint::OpenaiChat => chat(&event, &mut read),
            Endpoint::OpenaiResponses => responses(&event, &mut number, &mut read),
            Endpoint::AnthropicMessages => anthropic(&event, &mut read),
            _ => generation(&event, &mut read),
        }
    }
    read
}

fn add(to: &mut String, value: &Value) {
    to.push_str(value.as_str().unwrap_or_default());
}

fn chat(event: &Value, read: &mut Read) {
    for choice in event["choices"].as_array().into_iter().flatten() {
        let delta = &choice["delta"];
        add(&mut read.text, &delta["content"]);
        add(&mut read.reasoning, &delta["reasoning_content"]);
        for call in delta["tool_calls"].as_array().into_iter().flatten() {
            add(&mut read.arguments, &call["function"]["arguments"]);
        }
    }
}

fn responses(event: &Value, number: &mut Option<u64>, read: &mut Read) {
    let next = event["sequence_number"].as_u64().unwrap();
    assert_eq!(next, number.map_or(0, |number| number + 1), "running numbers");
    *number = Some(next);
    match event["type"].as_str().unwrap() {
        "response.output_text.delta" => add(&mut read.text, &event["delta"]),
        "response.output_text.done" => assert_eq!(event["text"], read.text.as_str()),
        "response.content_part.done" => assert_eq!(event["part"]["text"], read.text.as_str()),
        "response.reasoning_summary_text.delta" => add(&mut read.reasoning, &event["delta"]),
        "response.reasoning_summary_text.done" => assert_eq!(event["text"], read.reasoning.as_str()),
        "response.function_call_arguments.delta" => add(&mut read.arguments, &event["delta"]),
        "response.function_call_arguments.done" => assert_eq!(event["arguments"], read.arguments.as_str()),
        "response.output_item.done" => item(&event["item"], read),
        "response.completed" => {
            event["response"]["output"].as_array().unwrap().iter().for_each(|output| item(output, read));
            read.ended = true;
        }
        "response.failed" => read.ended = true,
        _ => {}
    }
}

fn item(item: &Value, read: &Read) {
    match item["type"].as_str().unwrap() {
        "message" => assert_eq!(item["content"][0]["text"], read.text.as_str()),
        "function_call" => assert_eq!(item["arguments"], read.arguments.as_str()),
        _ => assert_eq!(item["summary"][0]["text"], read.reasoning.as_str()),
    }
}

fn anthropic(event: &Value, read: &mut Read) {
    let delta = &event["delta"];
    match event["type"].as_str().unwrap() {
        "content_block_delta" => {
            add(&mut read.text, &delta["text"]);
            add(&mut read.reasoning, &delta["thinking"]);
            add(&mut read.arguments, &delta["partial_json"]);
        }
        "message_stop" => read.ended = true,
        _ => {}
    }
}

fn generation(event: &Value, read: &mut Read) {
    for candidate in event["candidates"].as_array().into_iter().flatten() {
        for part in candidate["content"]["parts"].as_array().into_iter().flatten() {
            let to = if part["thought"] == true { &mut read.reasoning } else { &mut read.text };
            add(to, &part["text"]);
            if let Some(call) = part.get("functionCall") {
                read.arguments = call["args"].to_string();
            }
        }
        read.ended |= candidate.get("finishReason").is_some();
    }
}
