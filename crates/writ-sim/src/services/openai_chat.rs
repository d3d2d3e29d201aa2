//! OpenAI chat completions: `POST /v1/chat/completions`, plain and streamed.

use std::collections::BTreeSet;

use bytes::Bytes;
use serde_json::Value;

use super::answer::{Answer, split};
use super::call::{CREATED_SECONDS, Call, demanded_error, id};
use super::directive::{Split, ToolCall};
use super::openai::{demanded_structure, error, invalid, success, with_headers};
use super::prompt::{Prompt, content_text, flag, items, obfuscation, text, tokens};
use super::reply::Reply;
use crate::json::{Json, object};
use crate::seeded::Generator;

/// Most choices of one request (`n`), as the API allows.
const CHOICES_MAX: u64 = 128;

pub(crate) fn answer(call: &Call<'_>, body: &Value) -> Reply {
    if let Err((message, param)) = check(body) {
        return invalid(call, &message, Some(&param));
    }
    let prompt = prompt(call, body);
    let answer = Answer::to(&prompt, call.seed);
    let streamed = flag(body, "stream");
    if let Some(status) = demanded_error(&answer.delivery, streamed) {
        return error(call, status, "The server had an error by directive.", None, None).delivered(answer.delivery);
    }
    let mut ids = call.ids();
    let choices = body.get("n").and_then(Value::as_u64).unwrap_or(1).clamp(1, CHOICES_MAX);
    let choices = usize::try_from(choices).unwrap_or(1);
    let completion = Completion { id: id("chatcmpl-", 29, &mut ids), prompt, answer, choices };
    let reply = if streamed {
        let usage = body.get("stream_options").is_some_and(|options| flag(options, "include_usage"));
        Reply::events(completion.events(body, usage, &mut ids), error_event())
    } else {
        return success(call, completion.document(&mut ids)).delivered(completion.answer.delivery);
    };
    with_headers(call, reply).delivered(completion.answer.delivery)
}

struct Completion {
    id: String,
    prompt: Prompt,
    answer: Answer,
    choices: usize,
}

impl Completion {
    fn document(&self, ids: &mut Generator) -> Json {
        let choices: Vec<Json> = (0..self.choices)
            .map(|index| {
                object! {
                    "index": index, "message": self.message(ids), "logprobs": Json::Null,
                    "finish_reason": self.finish_reason(),
                }
            })
            .collect();
        object! {
            "id": &self.id, "object": "chat.completion", "created": CREATED_SECONDS, "model": &self.prompt.model,
            "choices": choices, "usage": self.usage(), "service_tier": "default",
            "system_fingerprint": "fp_simulated",
        }
    }

    fn message(&self, ids: &mut Generator) -> Json {
        let content = self.has_text().then(|| self.answer.text());
        let message = object! { "role": "assistant", "content": content, "refusal": Json::Null };
        let message = message.with("annotations", Vec::new());
        if self.answer.tools.is_empty() {
            return message;
        }
        let calls = self.answer.tools.iter().map(|tool| {
            let function = object! { "name": &tool.name, "arguments": &tool.arguments };
            object! { "id": id("call_", 24, ids), "type": "function", "function": function }
        });
        message.with("tool_calls", calls.collect::<Vec<_>>())
    }

    fn events(&self, body: &Value, include_usage: bool, ids: &mut Generator) -> Vec<Bytes> {
        let streams: Vec<Vec<Json>> = (0..self.choices).map(|_| self.deltas(ids)).collect();
        let longest = streams.iter().map(Vec::len).max().unwrap_or(0);
        let mut events = Vec::with_capacity(longest * self.choices + 2);
        // Choices advance side by side, as the service interleaves them.
        for step in 0..longest {
            for (index, stream) in streams.iter().enumerate() {
                if let Some(delta) = stream.get(step) {
                    let last = step + 1 == stream.len();
                    let finish = last.then(|| self.finish_reason());
                    let choice = object! {
                        "index": index, "delta": delta.clone(), "logprobs": Json::Null, "finish_reason": finish,
                    };
                    let chunk = self.chunk(vec![choice], include_usage.then_some(Json::Null));
                    events.push(event(match obfuscation(body, events.len()) {
                        Some(padding) => chunk.with("obfuscation", padding),
                        None => chunk,
                    }));
                }
            }
        }
        if include_usage {
            events.push(event(self.chunk(Vec::new(), Some(self.usage()))));
        }
        events.push(Bytes::from_static(b"data: [DONE]\n\n"));
        events
    }

    fn chunk(&self, choices: Vec<Json>, usage: Option<Json>) -> Json {
        let chunk = object! {
            "id": &self.id, "object": "chat.completion.chunk", "created": CREATED_SECONDS,
            "model": &self.prompt.model, "service_tier": "default", "system_fingerprint": "fp_simulated",
            "choices": choices,
        };
        match usage {
            Some(usage) => chunk.with("usage", usage),
            None => chunk,
        }
    }

    /// The deltas of one choice; the last one is empty and carries the finish reason.
    fn deltas(&self, ids: &mut Generator) -> Vec<Json> {
        let content = if self.has_text() { Json::from("") } else { Json::Null };
        let mut deltas = vec![object! { "role": "assistant", "content": content, "refusal": Json::Null }];
        deltas.extend(self.answer.deltas.iter().map(|delta| object! { "content": delta }));
        for (index, tool) in self.answer.tools.iter().enumerate() {
            deltas.extend(tool_deltas(index, tool, ids));
        }
        deltas.push(object! {});
        deltas
    }

    fn has_text(&self) -> bool {
        !self.answer.deltas.is_empty() || self.answer.tools.is_empty()
    }

    fn finish_reason(&self) -> &'static str {
        if self.answer.tools.is_empty() { "stop" } else { "tool_calls" }
    }

    fn usage(&self) -> Json {
        let (asked, said) = (self.prompt.input_tokens, self.answer.tokens() * self.choices);
        object! {
            "prompt_tokens": asked, "completion_tokens": said, "total_tokens": asked + said,
            "prompt_tokens_details": object! { "cached_tokens": 0, "audio_tokens": 0 },
            "completion_tokens_details": object! {
                "reasoning_tokens": 0, "audio_tokens": 0, "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        }
    }
}

fn event(chunk: Json) -> Bytes {
    Bytes::from(format!("data: {chunk}\n\n"))
}

fn tool_deltas(index: usize, tool: &ToolCall, ids: &mut Generator) -> Vec<Json> {
    let function = object! { "name": &tool.name, "arguments": "" };
    let first = object! { "index": index, "id": id("call_", 24, ids), "type": "function", "function": function };
    let rest = split(&tool.arguments, Split::Uneven, ids);
    let rest = rest.iter().map(|piece| object! { "index": index, "function": object! { "arguments": piece } });
    std::iter::once(first).chain(rest).map(|call| object! { "tool_calls": vec![call] }).collect()
}

fn error_event() -> Bytes {
    let message = "The server had an error while processing your request.";
    let error = object! { "message": message, "type": "server_error", "param": Json::Null, "code": Json::Null };
    Bytes::from(format!("data: {}\n\n", object! { "error": error }))
}

fn prompt(call: &Call<'_>, body: &Value) -> Prompt {
    let messages = items(body, "messages");
    let last = messages.iter().rposition(|message| text(message, "role") == Some("user"));
    let after = messages.get(last.map_or(0, |last| last + 1)..).unwrap_or_default();
    let results = after.iter().filter(|message| text(message, "role") == Some("tool"));
    Prompt {
        model: text(body, "model").unwrap_or_default().to_owned(),
        last_user: last.and_then(|last| messages.get(last)).map(|m| content_text(m.get("content"))).unwrap_or_default(),
        tool_results: results.map(|message| content_text(message.get("content"))).collect(),
        structure: demanded_structure(body.get("response_format")),
        reasoning: false,
        input_tokens: tokens(call.body.len()),
    }
}

/// What the API refuses: a message and the parameter.
fn check(body: &Value) -> Result<(), (String, String)> {
    let Some(messages) = body.get("messages").and_then(Value::as_array) else {
        return Err(("Missing required parameter: 'messages'.".into(), "messages".into()));
    };
    if messages.is_empty() {
        let message = "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty \
                       array instead.";
        return Err((message.into(), "messages".into()));
    }
    let mut unanswered: BTreeSet<&str> = BTreeSet::new();
    for (index, message) in messages.iter().enumerate() {
        let role = text(message, "role").unwrap_or_default();
        let at = |member: &str| format!("messages[{index}].{member}");
        if !matches!(role, "system" | "developer" | "user" | "assistant" | "tool" | "function") {
            return Err((format!("Invalid value: '{role}' as role."), at("role")));
        }
        let empty = message.get("content").is_none_or(Value::is_null);
        if empty && role != "assistant" {
            return Err(("Invalid value for 'content': expected a string, got null.".into(), at("content")));
        }
        if role == "tool" {
            let call = text(message, "tool_call_id").unwrap_or_default();
            if !unanswered.remove(call) {
                let message = "Invalid parameter: messages with role 'tool' must be a response to a preceding \
                               message with 'tool_calls'.";
                return Err((message.into(), at("role")));
            }
        } else if let Some(missing) = unanswered.first() {
            return Err((unanswered_calls(missing), at("role")));
        }
        unanswered.extend(items(message, "tool_calls").iter().filter_map(|call| text(call, "id")));
    }
    match unanswered.first() {
        Some(missing) => Err((unanswered_calls(missing), "messages".into())),
        None => Ok(()),
    }
}

fn unanswered_calls(missing: &str) -> String {
    format!(
        "An assistant message with 'tool_calls' must be followed by tool messages responding to each \
         'tool_call_id'. The following tool_call_ids did not have response messages: {missing}"
    )
}
