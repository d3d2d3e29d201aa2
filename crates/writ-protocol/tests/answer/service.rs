//! Answers as the services send them.

use serde_json::{Value, json};
use writ_protocol::Endpoint;
use writ_protocol::answer::Framing;

/// The formats, each with its framing.
pub const STREAMS: [(Endpoint, Framing); 5] = [
    (Endpoint::OpenaiChat, Framing::Sse),
    (Endpoint::OpenaiResponses, Framing::Sse),
    (Endpoint::AnthropicMessages, Framing::Sse),
    (Endpoint::GeminiGenerate { stream: true, sse: true }, Framing::Sse),
    (Endpoint::GeminiGenerate { stream: true, sse: false }, Framing::JsonArray),
];

/// What an answer says, in deltas.
#[derive(Clone, Debug, Default)]
pub struct Script {
    pub reasoning: Vec<String>,
    pub text: Vec<String>,
    pub arguments: Vec<String>,
}

impl Script {
    pub fn new(reasoning: &[&str], text: &[&str], arguments: &[&str]) -> Self {
        let owned = |deltas: &[&str]| deltas.iter().map(|delta| (*delta).to_owned()).collect();
        Self { reasoning: owned(reasoning), text: owned(text), arguments: owned(arguments) }
    }
}

/// The stream of a service.
pub fn stream(endpoint: Endpoint, framing: Framing, script: &Script) -> Vec<u8> {
    let body = match (endpoint, framing) {
        (Endpoint::OpenaiChat, _) => chat(script),
        (Endpoint::OpenaiResponses, _) => responses(script),
        (Endpoint::AnthropicMessages, _) => anthropic(script),
        (_, Framing::Sse) => generations(script).iter().map(|chunk| format!("data: {chunk}\r\n\r\n")).collect(),
        _ => {
            let chunks = generations(script);
            let chunks: Vec<String> = chunks.iter().map(|chunk| format!("{chunk:#}\n")).collect();
            format!("[{}]\n", chunks.join(",\r\n"))
        }
    };
    // As the services do: some clients split lines at these.
    let escape = |body: String, c: char| body.replace(c, &format!("\\u{:04x}", u32::from(c)));
    ['\u{85}', '\u{2028}', '\u{2029}'].into_iter().fold(body, escape).into_bytes()
}

fn chat(script: &Script) -> String {
    let chunk = |delta: Value, finish: Value| {
        let chunk = json!({
            "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-5",
            "choices": [{ "index": 0, "delta": delta, "logprobs": null, "finish_reason": finish }],
        });
        format!("data: {chunk}\n\n")
    };
    let mut body = chunk(json!({ "role": "assistant", "content": "", "refusal": null }), Value::Null);
    let mut add = |delta: Value| body.push_str(&chunk(delta, Value::Null));
    script.reasoning.iter().for_each(|delta| add(json!({ "reasoning_content": delta })));
    script.text.iter().for_each(|delta| add(json!({ "content": delta })));
    if !script.arguments.is_empty() {
        let call =
            json!({ "index": 0, "id": "call_1", "type": "function", "function": { "name": "f", "arguments": "" } });
        add(json!({ "tool_calls": [call] }));
    }
    for delta in &script.arguments {
        add(json!({ "tool_calls": [{ "index": 0, "function": { "arguments": delta } }] }));
    }
    body.push_str(&chunk(json!({}), "stop".into()));
    let usage = json!({ "id": "chatcmpl-1", "choices": [], "usage": { "total_tokens": 3 } });
    format!("{body}data: {usage}\n\n: keep-alive\n\ndata: [DONE]\n\n")
}

fn responses(script: &Script) -> String {
    let text = script.text.concat();
    let part = |text: &str| json!({ "type": "output_text", "text": text, "annotations": [], "logprobs": [] });
    let message = |status: &str, content: Value| json!({ "id": "msg_1", "type": "message", "status": status, "role": "assistant", "content": content });
    let call = |status: &str, arguments: &str| {
        json!({
            "id": "fc_1", "type": "function_call", "status": status, "call_id": "call_1", "name": "f",
            "arguments": arguments,
        })
    };
    let response = |status: &str, output: Vec<Value>| {
        json!({
            "id": "resp_1", "object": "response", "created_at": 1, "status": status, "model": "gpt-5",
            "instructions": null, "parallel_tool_calls": true, "tool_choice": "auto", "tools": [], "output": output,
        })
    };
    let summary = script.reasoning.concat();
    let reasoning = |summary: Value| json!({ "id": "rs_1", "type": "reasoning", "summary": summary });
    let summary_part = |text: &str| json!({ "type": "summary_text", "text": text });
    let mut events: Vec<(&str, Value)> = Vec::new();
    let mut output = Vec::new();
    events.push(("response.created", json!({ "response": response("in_progress", vec![]) })));
    if !script.reasoning.is_empty() {
        let at = |mut event: Value| {
            event["item_id"] = "rs_1".into();
            event["output_index"] = output.len().into();
            event["summary_index"] = 0.into();
            event
        };
        events.push(("response.output_item.added", json!({ "output_index": 0, "item": reasoning(json!([])) })));
        events.push(("response.reasoning_summary_part.added", at(json!({ "part": summary_part("") }))));
        for delta in &script.reasoning {
            events.push(("response.reasoning_summary_text.delta", at(json!({ "delta": delta }))));
        }
        events.push(("response.reasoning_summary_text.done", at(json!({ "text": summary }))));
        events.push(("response.reasoning_summary_part.done", at(json!({ "part": summary_part(&summary) }))));
        let item = reasoning(json!([summary_part(&summary)]));
        events.push(("response.output_item.done", json!({ "output_index": 0, "item": item })));
        output.push(item);
    }
    let index = output.len();
    let at = |mut event: Value| {
        event["item_id"] = "msg_1".into();
        event["output_index"] = index.into();
        event["content_index"] = 0.into();
        event
    };
    let added = message("in_progress", json!([]));
    events.push(("response.output_item.added", json!({ "output_index": index, "item": added })));
    events.push(("response.content_part.added", at(json!({ "part": part("") }))));
    for delta in &script.text {
        events.push(("response.output_text.delta", at(json!({ "delta": delta, "logprobs": [] }))));
    }
    events.push(("response.output_text.done", at(json!({ "text": text, "logprobs": [] }))));
    events.push(("response.content_part.done", at(json!({ "part": part(&text) }))));
    let item = message("completed", json!([part(&text)]));
    events.push(("response.output_item.done", json!({ "output_index": index, "item": item })));
    output.push(item);
    if !script.arguments.is_empty() {
        let index = output.len();
        let arguments = script.arguments.concat();
        events.push(("response.output_item.added", json!({ "output_index": index, "item": call("in_progress", "") })));
        for delta in &script.arguments {
            let event = json!({ "item_id": "fc_1", "output_index": index, "delta": delta });
            events.push(("response.function_call_arguments.delta", event));
        }
        let event = json!({ "item_id": "fc_1", "output_index": index, "arguments": arguments });
        events.push(("response.function_call_arguments.done", event));
        let item = call("completed", &arguments);
        events.push(("response.output_item.done", json!({ "output_index": index, "item": item })));
        output.push(item);
    }
    events.push(("response.completed", json!({ "response": response("completed", output) })));
    let numbered = events.into_iter().enumerate().map(|(number, (kind, mut event))| {
        event["type"] = kind.into();
        event["sequence_number"] = number.into();
        format!("event: {kind}\ndata: {event}\n\n")
    });
    numbered.collect()
}

fn anthropic(script: &Script) -> String {
    let mut body = String::new();
    let mut add = |event: Value| {
        let kind = event["type"].as_str().unwrap().to_owned();
        body.push_str(&format!("event: {kind}\ndata: {event}\n\n"));
    };
    let message = json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude", "content": [],
        "stop_reason": null, "stop_sequence": null, "usage": { "input_tokens": 1, "output_tokens": 1 },
    });
    add(json!({ "type": "message_start", "message": message }));
    let mut blocks: Vec<(Value, Vec<Value>)> = Vec::new();
    if !script.reasoning.is_empty() {
        let deltas = script.reasoning.iter().map(|delta| json!({ "type": "thinking_delta", "thinking": delta }));
        let signature = json!({ "type": "signature_delta", "signature": "c2ln" });
        blocks.push((
            json!({ "type": "thinking", "thinking": "", "signature": "" }),
            deltas.chain(std::iter::once(signature)).collect(),
        ));
    }
    let deltas = script.text.iter().map(|delta| json!({ "type": "text_delta", "text": delta }));
    blocks.push((json!({ "type": "text", "text": "" }), deltas.collect()));
    if !script.arguments.is_empty() {
        let deltas = script.arguments.iter().map(|delta| json!({ "type": "input_json_delta", "partial_json": delta }));
        blocks.push((json!({ "type": "tool_use", "id": "toolu_1", "name": "f", "input": {} }), deltas.collect()));
    }
    for (index, (start, deltas)) in blocks.into_iter().enumerate() {
        add(json!({ "type": "content_block_start", "index": index, "content_block": start }));
        if index == 0 {
            add(json!({ "type": "ping" }));
        }
        for delta in deltas {
            add(json!({ "type": "content_block_delta", "index": index, "delta": delta }));
        }
        add(json!({ "type": "content_block_stop", "index": index }));
    }
    let delta = json!({ "stop_reason": "end_turn", "stop_sequence": null });
    add(json!({ "type": "message_delta", "delta": delta, "usage": { "output_tokens": 9 } }));
    add(json!({ "type": "message_stop" }));
    body
}

fn generations(script: &Script) -> Vec<Value> {
    let chunk = |parts: Value| {
        json!({
            "candidates": [{ "content": { "parts": parts, "role": "model" }, "index": 0 }],
            "modelVersion": "gemini-3", "responseId": "r1",
        })
    };
    let thoughts = script.reasoning.iter().map(|delta| chunk(json!([{ "text": delta, "thought": true }])));
    let texts = script.text.iter().map(|delta| chunk(json!([{ "text": delta }])));
    let mut chunks: Vec<Value> = thoughts.chain(texts).collect();
    if !script.arguments.is_empty() {
        let arguments: Value = serde_json::from_str(&script.arguments.concat()).unwrap_or_else(|_| json!({}));
        let call = json!({ "functionCall": { "name": "f", "args": arguments }, "thoughtSignature": "c2ln" });
        chunks.push(chunk(json!([call])));
    }
    if chunks.is_empty() {
        chunks.push(chunk(json!([{ "text": "" }])));
    }
    let last = chunks.last_mut().unwrap();
    last["candidates"][0]["finishReason"] = "STOP".into();
    last["usageMetadata"] = json!({ "totalTokenCount": 3 });
    chunks
}
