//! A refusal as an answer of the assistant: whole, and as a complete stream.

use serde_json::{Value, json};
use writ_model::Refusal;

use super::{EVENTS, JSON, created, own_id};
use crate::answer::on_one_line;
use crate::endpoint::Endpoint;
use crate::sse::write_event;

/// Content type and body. Only for the endpoints that give such answers.
pub(super) fn message(endpoint: Endpoint, stream: bool, model: &str, refusal: &Refusal) -> (&'static str, String) {
    let answer = Answer { model, text: &refusal.for_people, refusal };
    match (endpoint, stream) {
        (Endpoint::OpenaiResponses, false) => (JSON, answer.response("completed").to_string()),
        (Endpoint::OpenaiResponses, true) => (EVENTS, events(&answer.response_events(), true, None)),
        (Endpoint::AnthropicMessages, false) => (JSON, answer.anthropic_message().to_string()),
        (Endpoint::AnthropicMessages, true) => (EVENTS, events(&answer.anthropic_events(), true, None)),
        (Endpoint::GeminiGenerate { .. }, false) => (JSON, answer.generation().to_string()),
        (Endpoint::GeminiGenerate { sse: true, .. }, true) => (EVENTS, events(&[answer.generation()], false, None)),
        (Endpoint::GeminiGenerate { sse: false, .. }, true) => (JSON, json!([answer.generation()]).to_string()),
        (_, false) => (JSON, answer.completion().to_string()),
        (_, true) => (EVENTS, events(&answer.completion_chunks(), false, Some("[DONE]"))),
    }
}

/// A stream of events; their names are their types where the format names them.
fn events(events: &[Value], named: bool, last: Option<&str>) -> String {
    let mut body = Vec::new();
    for event in events {
        let name = event.get("type").and_then(Value::as_str).filter(|_| named);
        write_event(name, &on_one_line(event.to_string()), "\n", &mut body);
    }
    if let Some(last) = last {
        write_event(None, last, "\n", &mut body);
    }
    String::from_utf8_lossy(&body).into_owned()
}

struct Answer<'a> {
    model: &'a str,
    text: &'a str,
    refusal: &'a Refusal,
}

impl Answer<'_> {
    fn completion(&self) -> Value {
        let message = json!({ "role": "assistant", "content": self.text, "refusal": null, "annotations": [] });
        json!({
            "id": own_id("chatcmpl-", self.refusal), "object": "chat.completion", "created": created(self.refusal),
            "model": self.model,
            "choices": [{ "index": 0, "message": message, "logprobs": null, "finish_reason": "stop" }],
            "usage": { "prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0 },
        })
    }

    fn completion_chunks(&self) -> [Value; 3] {
        let chunk = |delta: Value, finish: Value| {
            json!({
                "id": own_id("chatcmpl-", self.refusal), "object": "chat.completion.chunk",
                "created": created(self.refusal), "model": self.model,
                "choices": [{ "index": 0, "delta": delta, "logprobs": null, "finish_reason": finish }],
            })
        };
        [
            chunk(json!({ "role": "assistant", "content": "", "refusal": null }), Value::Null),
            chunk(json!({ "content": self.text }), Value::Null),
            chunk(json!({}), "stop".into()),
        ]
    }

    fn response(&self, status: &str) -> Value {
        let done = status == "completed";
        let output = if done { vec![self.output_item("completed")] } else { Vec::new() };
        let usage = json!({
            "input_tokens": 0, "input_tokens_details": { "cached_tokens": 0 }, "output_tokens": 0,
            "output_tokens_details": { "reasoning_tokens": 0 }, "total_tokens": 0,
        });
        json!({
            "id": own_id("resp_", self.refusal), "object": "response", "created_at": created(self.refusal),
            "status": status, "background": false, "error": null, "incomplete_details": null, "instructions": null,
            "max_output_tokens": null, "metadata": {}, "model": self.model, "output": output,
            "parallel_tool_calls": true, "previous_response_id": null,
            "reasoning": { "effort": null, "summary": null }, "service_tier": "default", "store": false,
            "temperature": null, "text": { "format": { "type": "text" } }, "tool_choice": "auto", "tools": [],
            "top_p": null, "truncation": "disabled", "usage": if done { usage } else { Value::Null },
        })
    }

    fn output_item(&self, status: &str) -> Value {
        let content = if status == "completed" { vec![self.output_text(self.text)] } else { Vec::new() };
        json!({
            "id": own_id("msg_", self.refusal), "type": "message", "status": status, "role": "assistant",
            "content": content,
        })
    }

    fn output_text(&self, text: &str) -> Value {
        json!({ "type": "output_text", "text": text, "annotations": [], "logprobs": [] })
    }

    fn response_events(&self) -> Vec<Value> {
        let item = own_id("msg_", self.refusal);
        let at = |extra: Value| {
            let mut event = json!({ "item_id": item, "output_index": 0, "content_index": 0 });
            merge(&mut event, extra);
            event
        };
        let bodies = [
            ("response.created", json!({ "response": self.response("in_progress") })),
            ("response.in_progress", json!({ "response": self.response("in_progress") })),
            ("response.output_item.added", json!({ "output_index": 0, "item": self.output_item("in_progress") })),
            ("response.content_part.added", at(json!({ "part": self.output_text("") }))),
            ("response.output_text.delta", at(json!({ "delta": self.text, "logprobs": [] }))),
            ("response.output_text.done", at(json!({ "text": self.text, "logprobs": [] }))),
            ("response.content_part.done", at(json!({ "part": self.output_text(self.text) }))),
            ("response.output_item.done", json!({ "output_index": 0, "item": self.output_item("completed") })),
            ("response.completed", json!({ "response": self.response("completed") })),
        ];
        let numbered = bodies.into_iter().enumerate().map(|(number, (kind, body))| {
            let mut event = json!({ "type": kind, "sequence_number": number });
            merge(&mut event, body);
            event
        });
        numbered.collect()
    }

    fn anthropic_envelope(&self, content: Value, stop: Value) -> Value {
        let usage = json!({
            "input_tokens": 0, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": 0,
        });
        json!({
            "id": own_id("msg_", self.refusal), "type": "message", "role": "assistant", "model": self.model,
            "content": content, "stop_reason": stop, "stop_sequence": null, "usage": usage,
        })
    }

    fn anthropic_message(&self) -> Value {
        self.anthropic_envelope(json!([{ "type": "text", "text": self.text }]), "end_turn".into())
    }

    fn anthropic_events(&self) -> Vec<Value> {
        let delta = json!({ "type": "text_delta", "text": self.text });
        let stop = json!({ "stop_reason": "end_turn", "stop_sequence": null });
        vec![
            json!({ "type": "message_start", "message": self.anthropic_envelope(json!([]), Value::Null) }),
            json!({ "type": "content_block_start", "index": 0, "content_block": { "type": "text", "text": "" } }),
            json!({ "type": "content_block_delta", "index": 0, "delta": delta }),
            json!({ "type": "content_block_stop", "index": 0 }),
            json!({ "type": "message_delta", "delta": stop, "usage": { "output_tokens": 0 } }),
            json!({ "type": "message_stop" }),
        ]
    }

    fn generation(&self) -> Value {
        let content = json!({ "parts": [{ "text": self.text }], "role": "model" });
        json!({
            "candidates": [{ "content": content, "finishReason": "STOP", "index": 0 }],
            "usageMetadata": { "promptTokenCount": 0, "candidatesTokenCount": 0, "totalTokenCount": 0 },
            "modelVersion": self.model, "responseId": own_id("", self.refusal),
        })
    }
}

fn merge(into: &mut Value, from: Value) {
    if let (Some(into), Value::Object(mut from)) = (into.as_object_mut(), from) {
        into.append(&mut from);
    }
}
