//! OpenAI Responses: `POST /v1/responses`, plain and streamed.

use std::collections::BTreeSet;

use bytes::Bytes;
use serde_json::Value;

use super::answer::{Answer, split};
use super::call::{CREATED_SECONDS, Call, demanded_error, id, seal_holds, sealed};
use super::directive::Split;
use super::openai::{demanded_structure, error, invalid, success, with_headers};
use super::prompt::{Prompt, content_text, flag, items, obfuscation, text, tokens};
use super::reply::Reply;
use crate::json::{Json, object};
use crate::seeded::Generator;

pub(crate) fn answer(call: &Call<'_>, body: &Value) -> Reply {
    if let Err((message, param)) = check(call, body) {
        return invalid(call, &message, Some(param));
    }
    let prompt = prompt(call, body);
    let answer = Answer::to(&prompt, call.seed);
    let streamed = flag(body, "stream");
    if let Some(status) = demanded_error(&answer.delivery, streamed) {
        return error(call, status, "The server had an error by directive.", None, None).delivered(answer.delivery);
    }
    let mut ids = call.ids();
    let id = id("resp_", 40, &mut ids);
    let items = output(call, body, &answer, &mut ids);
    let response = Response { id, body, prompt: &prompt, answer: &answer, items };
    let reply = if streamed {
        with_headers(call, Reply::events(response.events(&mut ids), error_event()))
    } else {
        success(call, response.document("completed"))
    };
    reply.delivered(answer.delivery)
}

struct Response<'a> {
    id: String,
    body: &'a Value,
    prompt: &'a Prompt,
    answer: &'a Answer,
    items: Vec<Item>,
}

/// One item of the output.
enum Item {
    Reasoning { id: String, summary: Vec<String>, encrypted: Option<String> },
    Message { id: String, deltas: Vec<String> },
    FunctionCall { id: String, call_id: String, name: String, arguments: String },
}

fn output(call: &Call<'_>, body: &Value, answer: &Answer, ids: &mut Generator) -> Vec<Item> {
    let mut output = Vec::new();
    if !answer.thinking.is_empty() {
        let asked = body.pointer("/reasoning/summary").is_some_and(|summary| !summary.is_null());
        let encrypted = items(body, "include").iter().any(|name| name == "reasoning.encrypted_content");
        output.push(Item::Reasoning {
            id: id("rs_", 40, ids),
            summary: if asked { answer.thinking.clone() } else { Vec::new() },
            encrypted: encrypted.then(|| sealed(call.seed, &answer.thinking_text())),
        });
    }
    if !answer.deltas.is_empty() || answer.tools.is_empty() {
        output.push(Item::Message { id: id("msg_", 40, ids), deltas: answer.deltas.clone() });
    }
    output.extend(answer.tools.iter().map(|tool| Item::FunctionCall {
        id: id("fc_", 40, ids),
        call_id: id("call_", 24, ids),
        name: tool.name.clone(),
        arguments: tool.arguments.clone(),
    }));
    output
}

impl Response<'_> {
    /// The response object, in the state of an event.
    fn document(&self, status: &str) -> Json {
        let done = status == "completed";
        let output: Vec<Json> = if done { self.items.iter().map(Item::done).collect() } else { Vec::new() };
        let asked = |name: &str, default: Json| self.body.get(name).map_or(default, Json::from);
        object! {
            "id": &self.id, "object": "response", "created_at": CREATED_SECONDS, "status": status,
            "background": false, "completed_at": done.then_some(CREATED_SECONDS), "error": Json::Null,
            "incomplete_details": Json::Null, "instructions": asked("instructions", Json::Null),
            "max_output_tokens": asked("max_output_tokens", Json::Null), "max_tool_calls": Json::Null,
            "model": &self.prompt.model, "output": output,
            "parallel_tool_calls": asked("parallel_tool_calls", Json::from(true)),
            "previous_response_id": asked("previous_response_id", Json::Null),
            "prompt_cache_key": asked("prompt_cache_key", Json::Null),
            "reasoning": asked("reasoning", object! { "effort": Json::Null, "summary": Json::Null }),
            "safety_identifier": Json::Null, "service_tier": "default", "store": asked("store", Json::from(true)),
            "temperature": asked("temperature", Json::from(1.0)),
            "text": asked("text", object! { "format": object! { "type": "text" }, "verbosity": "medium" }),
            "tool_choice": asked("tool_choice", Json::from("auto")), "tools": asked("tools", Json::Array(Vec::new())),
            "top_logprobs": 0, "top_p": asked("top_p", Json::from(1.0)), "truncation": "disabled",
            "usage": done.then(|| self.usage()), "user": Json::Null, "metadata": asked("metadata", object! {}),
        }
    }

    fn usage(&self) -> Json {
        let (asked, said) = (self.prompt.input_tokens, self.answer.tokens());
        object! {
            "input_tokens": asked, "input_tokens_details": object! { "cached_tokens": 0, "cache_write_tokens": 0 }, "output_tokens": said,
            "output_tokens_details": object! { "reasoning_tokens": self.answer.thinking_tokens() },
            "total_tokens": asked + said,
        }
    }

    fn events(&self, ids: &mut Generator) -> Vec<Bytes> {
        let mut events = Sequence { body: self.body, events: Vec::new() };
        events.push("response.created", object! { "response": self.document("in_progress") });
        events.push("response.in_progress", object! { "response": self.document("in_progress") });
        for (index, item) in self.items.iter().enumerate() {
            events.push("response.output_item.added", object! { "output_index": index, "item": item.added() });
            item.contents(index, &mut events, ids);
            events.push("response.output_item.done", object! { "output_index": index, "item": item.done() });
        }
        events.push("response.completed", object! { "response": self.document("completed") });
        events.events
    }
}

impl Item {
    fn added(&self) -> Json {
        match self {
            Self::Reasoning { id, encrypted, .. } => reasoning(id, Vec::new(), encrypted),
            Self::Message { id, .. } => message(id, "in_progress", Vec::new()),
            Self::FunctionCall { id, call_id, name, .. } => function_call(id, "in_progress", "", call_id, name),
        }
    }

    fn done(&self) -> Json {
        match self {
            Self::Reasoning { id, summary, encrypted } => {
                let parts = if summary.is_empty() { vec![] } else { vec![summary_part(&summary.concat())] };
                reasoning(id, parts, encrypted)
            }
            Self::Message { id, deltas } => message(id, "completed", vec![text_part(&deltas.concat())]),
            Self::FunctionCall { id, call_id, name, arguments } => {
                function_call(id, "completed", arguments, call_id, name)
            }
        }
    }

    /// The events between `added` and `done`.
    fn contents(&self, index: usize, events: &mut Sequence<'_>, ids: &mut Generator) {
        match self {
            Self::Reasoning { summary, .. } if summary.is_empty() => {}
            Self::Reasoning { id, summary, .. } => summary_events(index, id, summary, events),
            Self::Message { id, deltas } => message_events(index, id, deltas, events),
            Self::FunctionCall { id, arguments, .. } => {
                let at = || object! { "item_id": id, "output_index": index };
                for piece in split(arguments, Split::Uneven, ids) {
                    events.push_delta("response.function_call_arguments.delta", at().with("delta", piece));
                }
                let done = at().with("arguments", arguments);
                events.push("response.function_call_arguments.done", done);
            }
        }
    }
}

fn message_events(index: usize, id: &str, deltas: &[String], events: &mut Sequence<'_>) {
    let at = || object! { "item_id": id, "output_index": index, "content_index": 0 };
    events.push("response.content_part.added", at().with("part", text_part("")));
    for delta in deltas {
        let delta = at().with("delta", delta).with("logprobs", Vec::new());
        events.push_delta("response.output_text.delta", delta);
    }
    let text = deltas.concat();
    events.push("response.output_text.done", at().with("text", &text).with("logprobs", Vec::new()));
    events.push("response.content_part.done", at().with("part", text_part(&text)));
}

fn summary_events(index: usize, id: &str, summary: &[String], events: &mut Sequence<'_>) {
    let at = || object! { "item_id": id, "output_index": index, "summary_index": 0 };
    events.push("response.reasoning_summary_part.added", at().with("part", summary_part("")));
    for delta in summary {
        events.push("response.reasoning_summary_text.delta", at().with("delta", delta));
    }
    let text = summary.concat();
    events.push("response.reasoning_summary_text.done", at().with("text", &text));
    events.push("response.reasoning_summary_part.done", at().with("part", summary_part(&text)));
}

fn reasoning(id: &str, summary: Vec<Json>, encrypted: &Option<String>) -> Json {
    let item = object! { "id": id, "type": "reasoning", "summary": summary };
    match encrypted {
        Some(encrypted) => item.with("encrypted_content", encrypted),
        None => item,
    }
}

fn message(id: &str, status: &str, content: Vec<Json>) -> Json {
    object! { "id": id, "type": "message", "status": status, "content": content, "role": "assistant" }
}

fn function_call(id: &str, status: &str, arguments: &str, call_id: &str, name: &str) -> Json {
    object! {
        "id": id, "type": "function_call", "status": status, "arguments": arguments, "call_id": call_id,
        "name": name,
    }
}

fn text_part(text: &str) -> Json {
    object! { "type": "output_text", "annotations": Vec::new(), "logprobs": Vec::new(), "text": text }
}

fn summary_part(text: &str) -> Json {
    object! { "type": "summary_text", "text": text }
}

/// Events with their running number.
struct Sequence<'a> {
    body: &'a Value,
    events: Vec<Bytes>,
}

impl Sequence<'_> {
    fn push_delta(&mut self, kind: &'static str, members: Json) {
        match obfuscation(self.body, self.events.len()) {
            Some(padding) => self.push(kind, members.with("obfuscation", padding)),
            None => self.push(kind, members),
        }
    }

    fn push(&mut self, kind: &'static str, members: Json) {
        let mut event = object! { "type": kind, "sequence_number": self.events.len() };
        if let (Json::Object(event), Json::Object(members)) = (&mut event, members) {
            event.extend(members);
        }
        self.events.push(Bytes::from(format!("event: {kind}\ndata: {event}\n\n")));
    }
}

fn error_event() -> Bytes {
    let message = "The server had an error while processing your request.";
    let event = object! {
        "type": "error", "sequence_number": 0, "code": "server_error", "message": message, "param": Json::Null,
    };
    Bytes::from(format!("event: error\ndata: {event}\n\n"))
}

fn prompt(call: &Call<'_>, body: &Value) -> Prompt {
    let input = items(body, "input");
    let last = input.iter().rposition(|item| text(item, "role") == Some("user"));
    let after = input.get(last.map_or(0, |last| last + 1)..).unwrap_or_default();
    let results = after.iter().filter(|item| text(item, "type") == Some("function_call_output"));
    let last_user = match text(body, "input") {
        Some(input) => input.to_owned(),
        None => last.and_then(|last| input.get(last)).map(|i| content_text(i.get("content"))).unwrap_or_default(),
    };
    let reasoning = |member: &str| body.pointer(&format!("/reasoning/{member}")).and_then(Value::as_str);
    Prompt {
        model: text(body, "model").unwrap_or_default().to_owned(),
        last_user,
        tool_results: results.map(|item| content_text(item.get("output"))).collect(),
        structure: demanded_structure(body.pointer("/text/format")),
        reasoning: reasoning("effort").is_some_and(|effort| effort != "none") || reasoning("summary").is_some(),
        input_tokens: tokens(call.body.len()),
    }
}

/// What the API refuses: a message and the parameter.
fn check(call: &Call<'_>, body: &Value) -> Result<(), (String, &'static str)> {
    let continued = text(body, "previous_response_id");
    if let Some(previous) = continued.filter(|previous| !previous.starts_with("resp_")) {
        return Err((format!("Previous response with id '{previous}' not found."), "previous_response_id"));
    }
    let input = match body.get("input") {
        Some(Value::String(_)) => return Ok(()),
        Some(Value::Array(input)) => input,
        _ => return Err(("Missing required parameter: 'input'.".into(), "input")),
    };
    let mut called: BTreeSet<&str> = BTreeSet::new();
    let mut unanswered: BTreeSet<&str> = BTreeSet::new();
    for item in input {
        let call_id = text(item, "call_id").unwrap_or_default();
        match text(item, "type") {
            Some("function_call") => {
                called.insert(call_id);
                unanswered.insert(call_id);
            }
            Some("function_call_output") => {
                unanswered.remove(call_id);
                if continued.is_none() && !called.contains(call_id) {
                    let message = format!("No tool call found for function call output with call_id {call_id}.");
                    return Err((message, "input"));
                }
            }
            Some("reasoning") => check_reasoning(call, item)?,
            _ => {}
        }
    }
    match unanswered.first() {
        Some(missing) => Err((format!("No tool output found for function call {missing}."), "input")),
        None => Ok(()),
    }
}

fn check_reasoning(call: &Call<'_>, item: &Value) -> Result<(), (String, &'static str)> {
    let broken = text(item, "encrypted_content").is_some_and(|sealed| !seal_holds(call.seed, sealed));
    if broken {
        let message = "The encrypted content could not be verified. Reason: encrypted content could not be decrypted \
                       or parsed.";
        return Err((message.into(), "input"));
    }
    Ok(())
}
