//! Anthropic: routes, credentials, errors, Messages (plain and streamed), token counts and models.

use std::collections::BTreeSet;

use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::Value;

use super::answer::{Answer, split};
use super::call::{Call, demanded_error, id, signature};
use super::directive::{Split, ToolCall};
use super::prompt::{Prompt, content_text, flag, items, text, tokens};
use super::reply::Reply;
use crate::json::{Json, object};
use crate::seeded::Generator;

const MODELS: [(&str, &str); 2] =
    [("claude-sonnet-5-5", "Claude Sonnet 5.5"), ("claude-haiku-4-5-20251001", "Claude Haiku 4.5")];

pub(crate) fn answer(call: &Call<'_>) -> Reply {
    let endpoint = call.path.split_once("/v1/").map_or("", |(_, endpoint)| endpoint.trim_end_matches('/'));
    let model = endpoint.strip_prefix("models/");
    let known = matches!(endpoint, "messages" | "messages/count_tokens" | "models") || model.is_some();
    let reads = endpoint == "models" || model.is_some();
    if !known {
        return error(call, StatusCode::NOT_FOUND, "Not found");
    }
    if *call.method != if reads { Method::GET } else { Method::POST } {
        return error(call, StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed");
    }
    let key = call.header("x-api-key").or_else(|| call.bearer());
    if key != Some(call.keys.anthropic.as_str()) {
        return error(call, StatusCode::UNAUTHORIZED, "invalid x-api-key");
    }
    if call.header("anthropic-version").is_none() {
        return error(call, StatusCode::BAD_REQUEST, "anthropic-version: header is required");
    }
    if let Some(model) = model {
        return one_model(call, model);
    }
    if endpoint == "models" {
        return models(call);
    }
    let Some(body) = call.object() else {
        return error(call, StatusCode::BAD_REQUEST, "The request body is not valid JSON");
    };
    let counting = endpoint == "messages/count_tokens";
    if let Err(message) = check(call, &body, counting) {
        return error(call, StatusCode::BAD_REQUEST, &message);
    }
    if counting {
        return success(call, object! { "input_tokens": tokens(call.body.len()) });
    }
    messages(call, &body)
}

/// The error document of Anthropic.
pub(crate) fn error(call: &Call<'_>, status: StatusCode, message: &str) -> Reply {
    let kind = match status.as_u16() {
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        529 => "overloaded_error",
        500.. => "api_error",
        _ => "invalid_request_error",
    };
    let document = object! {
        "type": "error", "error": object! { "type": kind, "message": message }, "request_id": call.request_id(),
    };
    with_headers(call, Reply::document(status, document.to_string()))
}

fn success(call: &Call<'_>, document: Json) -> Reply {
    with_headers(call, Reply::document(StatusCode::OK, document.to_string()))
}

fn with_headers(call: &Call<'_>, mut reply: Reply) -> Reply {
    reply.headers.extend([
        ("request-id", call.request_id()),
        ("anthropic-organization-id", "00000000-0000-4000-8000-000000000001".to_owned()),
    ]);
    reply
}

fn models(call: &Call<'_>) -> Reply {
    let data: Vec<Json> = MODELS.iter().map(|(id, name)| model_object(id, name)).collect();
    let (first, last) = (MODELS.first().map(|(id, _)| *id), MODELS.last().map(|(id, _)| *id));
    success(call, object! { "data": data, "has_more": false, "first_id": first, "last_id": last })
}

fn one_model(call: &Call<'_>, model: &str) -> Reply {
    match MODELS.iter().find(|(id, _)| *id == model) {
        Some((id, name)) => success(call, model_object(id, name)),
        None => error(call, StatusCode::NOT_FOUND, &format!("model: {model}")),
    }
}

fn model_object(id: &str, name: &str) -> Json {
    object! { "type": "model", "id": id, "display_name": name, "created_at": "2025-09-29T00:00:00Z" }
}

fn messages(call: &Call<'_>, body: &Value) -> Reply {
    let prompt = prompt(call, body);
    let answer = Answer::to(&prompt, call.seed);
    let streamed = flag(body, "stream");
    if let Some(status) = demanded_error(&answer.delivery, streamed) {
        return error(call, status, "Error by directive").delivered(answer.delivery);
    }
    let mut ids = call.ids();
    let message = Message {
        id: id("msg_01", 22, &mut ids),
        signature: signature(call.seed, &answer.thinking_text()),
        prompt: &prompt,
        answer: &answer,
    };
    let reply = if streamed {
        with_headers(call, Reply::events(message.events(&mut ids), error_event()))
    } else {
        success(call, message.document(&mut ids))
    };
    reply.delivered(answer.delivery)
}

struct Message<'a> {
    id: String,
    signature: String,
    prompt: &'a Prompt,
    answer: &'a Answer,
}

impl Message<'_> {
    fn document(&self, ids: &mut Generator) -> Json {
        let mut content = Vec::new();
        if !self.answer.thinking.is_empty() {
            let thinking = self.answer.thinking_text();
            content.push(object! { "type": "thinking", "thinking": thinking, "signature": &self.signature });
        }
        if self.has_text() {
            content.push(object! { "type": "text", "text": self.answer.text() });
        }
        content.extend(self.answer.tools.iter().map(|tool| tool_use(tool, &tool.arguments, ids)));
        self.envelope(content, Some(self.stop_reason()), self.answer.tokens())
    }

    fn envelope(&self, content: Vec<Json>, stop_reason: Option<&str>, output_tokens: usize) -> Json {
        let usage = object! {
            "input_tokens": self.prompt.input_tokens, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0,
            "cache_creation": object! { "ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0 },
            "output_tokens": output_tokens, "service_tier": "standard",
        };
        object! {
            "model": &self.prompt.model, "id": &self.id, "type": "message", "role": "assistant", "content": content,
            "stop_reason": stop_reason, "stop_sequence": Json::Null, "usage": usage,
        }
    }

    fn events(&self, ids: &mut Generator) -> Vec<Bytes> {
        let start = self.envelope(Vec::new(), None, 1);
        let mut events = vec![event("message_start", object! { "message": start })];
        for (index, block) in self.blocks(ids).into_iter().enumerate() {
            let at = || object! { "index": index };
            events.push(event("content_block_start", at().with("content_block", block.start)));
            if index == 0 {
                events.push(event("ping", object! {}));
            }
            for delta in block.deltas {
                events.push(event("content_block_delta", at().with("delta", delta)));
            }
            events.push(event("content_block_stop", at()));
        }
        let delta = object! { "stop_reason": self.stop_reason(), "stop_sequence": Json::Null };
        let usage = object! {
            "input_tokens": self.prompt.input_tokens, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0,
            "output_tokens": self.answer.tokens(),
        };
        events.push(event("message_delta", object! { "delta": delta, "usage": usage }));
        events.push(event("message_stop", object! {}));
        events
    }

    fn blocks(&self, ids: &mut Generator) -> Vec<Block> {
        let mut blocks = Vec::new();
        if !self.answer.thinking.is_empty() {
            let thoughts = self.answer.thinking.iter();
            let mut deltas: Vec<Json> =
                thoughts.map(|thought| object! { "type": "thinking_delta", "thinking": thought }).collect();
            deltas.push(object! { "type": "signature_delta", "signature": &self.signature });
            blocks.push(Block { start: object! { "type": "thinking", "thinking": "", "signature": "" }, deltas });
        }
        if self.has_text() {
            let deltas = self.answer.deltas.iter().map(|delta| object! { "type": "text_delta", "text": delta });
            blocks.push(Block { start: object! { "type": "text", "text": "" }, deltas: deltas.collect() });
        }
        for tool in &self.answer.tools {
            let start = tool_use(tool, "{}", ids);
            let pieces = split(&tool.arguments, Split::Uneven, ids);
            let pieces = std::iter::once(String::new()).chain(pieces);
            let deltas = pieces.map(|piece| object! { "type": "input_json_delta", "partial_json": piece });
            blocks.push(Block { start, deltas: deltas.collect() });
        }
        blocks
    }

    fn has_text(&self) -> bool {
        !self.answer.deltas.is_empty() || self.answer.tools.is_empty()
    }

    fn stop_reason(&self) -> &'static str {
        if self.answer.tools.is_empty() { "end_turn" } else { "tool_use" }
    }
}

struct Block {
    start: Json,
    deltas: Vec<Json>,
}

fn tool_use(tool: &ToolCall, input: &str, ids: &mut Generator) -> Json {
    let input = Json::Raw(input.to_owned());
    object! { "type": "tool_use", "id": id("toolu_01", 22, ids), "name": &tool.name, "input": input }
}

fn event(kind: &'static str, members: Json) -> Bytes {
    let mut event = object! { "type": kind };
    if let (Json::Object(event), Json::Object(members)) = (&mut event, members) {
        event.extend(members);
    }
    Bytes::from(format!("event: {kind}\ndata: {event}\n\n"))
}

fn error_event() -> Bytes {
    event("error", object! { "error": object! { "type": "overloaded_error", "message": "Overloaded" } })
}

fn prompt(call: &Call<'_>, body: &Value) -> Prompt {
    let messages = items(body, "messages");
    let by_person = |message: &&Value| text(message, "role") == Some("user");
    let last = messages.iter().rfind(by_person);
    let results = last.map_or(&[][..], |message| items(message, "content"));
    let results = results.iter().filter(|block| text(block, "type") == Some("tool_result"));
    let with_text = |message: &&Value| !content_text(message.get("content")).is_empty();
    let asked = messages.iter().filter(by_person).rfind(with_text);
    let format = body.pointer("/output_config/format").or_else(|| body.get("output_format"));
    Prompt {
        model: text(body, "model").unwrap_or_default().to_owned(),
        last_user: asked.map(|message| content_text(message.get("content"))).unwrap_or_default(),
        tool_results: results.map(|block| content_text(block.get("content"))).collect(),
        structure: format
            .filter(|format| text(format, "type") == Some("json_schema"))
            .map(|format| format.get("schema").cloned().unwrap_or(Value::Null)),
        reasoning: matches!(body.pointer("/thinking/type").and_then(Value::as_str), Some("enabled" | "adaptive")),
        input_tokens: tokens(call.body.len()),
    }
}

/// What the API refuses.
fn check(call: &Call<'_>, body: &Value, counting: bool) -> Result<(), String> {
    if text(body, "model").is_none_or(str::is_empty) {
        return Err("model: Field required".into());
    }
    if !counting && body.get("max_tokens").and_then(Value::as_u64).is_none_or(|tokens| tokens == 0) {
        return Err("max_tokens: Field required".into());
    }
    let Some(messages) = body.get("messages").and_then(Value::as_array) else {
        return Err("messages: Field required".into());
    };
    if messages.first().and_then(|message| text(message, "role")) != Some("user") {
        return Err("messages: first message must use the \"user\" role".into());
    }
    let mut unanswered: BTreeSet<&str> = BTreeSet::new();
    for (index, message) in messages.iter().enumerate() {
        unanswered = check_message(call, index, message, &unanswered)?;
    }
    match unanswered.first() {
        Some(missing) => Err(unanswered_use(messages.len(), missing)),
        None => Ok(()),
    }
}

/// Checks one message; gives the tool uses that the next message has to answer.
fn check_message<'a>(
    call: &Call<'_>,
    index: usize,
    message: &'a Value,
    unanswered: &BTreeSet<&str>,
) -> Result<BTreeSet<&'a str>, String> {
    let role = text(message, "role").unwrap_or_default();
    if !matches!(role, "user" | "assistant" | "system") {
        return Err(format!("messages.{index}.role: Input should be 'user' or 'assistant'"));
    }
    if text(message, "content").is_some_and(str::is_empty) {
        return Err(format!("messages.{index}: all messages must have non-empty content"));
    }
    let blocks = items(message, "content");
    let of_kind = |kind: &'static str| blocks.iter().filter(move |block| text(block, "type") == Some(kind));
    if of_kind("text").any(|block| text(block, "text").is_none_or(str::is_empty)) {
        return Err(format!("messages.{index}: text content blocks must be non-empty"));
    }
    let answered: BTreeSet<&str> = of_kind("tool_result").filter_map(|block| text(block, "tool_use_id")).collect();
    if let Some(stray) = answered.difference(unanswered).next() {
        return Err(format!(
            "messages.{index}: unexpected `tool_use_id` found in `tool_result` blocks: {stray}. Each `tool_result` \
             block must have a corresponding `tool_use` block in the previous message."
        ));
    }
    if let Some(missing) = unanswered.difference(&answered).next() {
        return Err(unanswered_use(index, missing));
    }
    let forged = of_kind("thinking").any(|block| {
        let expected = signature(call.seed, text(block, "thinking").unwrap_or_default());
        text(block, "signature") != Some(&expected)
    });
    if forged {
        return Err(format!("messages.{index}: Invalid `signature` in `thinking` block"));
    }
    Ok(of_kind("tool_use").filter_map(|block| text(block, "id")).collect())
}

fn unanswered_use(index: usize, missing: &str) -> String {
    format!(
        "messages.{index}: `tool_use` ids were found without `tool_result` blocks immediately after: {missing}. Each \
         `tool_use` block must have a corresponding `tool_result` block in the next message."
    )
}
