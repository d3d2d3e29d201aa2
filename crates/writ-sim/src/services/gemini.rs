//! Gemini API: routes, credentials, errors, content generation (plain, server-sent events, JSON array), token counts,
//! embeddings and models.

use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::Value;

use super::answer::Answer;
use super::call::{Call, demanded_error, id, seal_holds, sealed};
use super::openai::vector;
use super::prompt::{Prompt, items, text, tokens};
use super::reply::{JSON, Reply};
use crate::json::{Json, object};

const MODELS: [(&str, &str); 2] = [("gemini-3.8-flash", "Gemini 3.8 Flash"), ("gemini-2.5-flash", "Gemini 2.5 Flash")];
const EMBEDDING_DIMENSIONS: usize = 768;
const VERBS: [&str; 5] =
    ["generateContent", "streamGenerateContent", "countTokens", "embedContent", "batchEmbedContents"];

pub(crate) fn answer(call: &Call<'_>) -> Reply {
    let Some((model, verb)) = target(call.path) else {
        return error(call, StatusCode::NOT_FOUND, "Requested entity was not found.");
    };
    let expected = if verb.is_empty() { Method::GET } else { Method::POST };
    if *call.method != expected || !(verb.is_empty() || VERBS.contains(&verb)) {
        return error(call, StatusCode::NOT_FOUND, "Requested entity was not found.");
    }
    let key = call.header("x-goog-api-key").or_else(|| call.parameter("key"));
    if key != Some(call.keys.gemini.as_str()) {
        return error(call, StatusCode::UNAUTHORIZED, "API key not valid. Please pass a valid API key.");
    }
    if verb.is_empty() {
        return models(call, model);
    }
    let Some(body) = call.object() else {
        let message = "Invalid JSON payload received. Unexpected end of string or token.";
        return error(call, StatusCode::BAD_REQUEST, message);
    };
    match verb {
        "countTokens" => count(call),
        "embedContent" | "batchEmbedContents" => embeddings(call, &body),
        _ => generate(call, model, &body, verb == "streamGenerateContent"),
    }
}

/// The error document of Google APIs. A stream without `alt=sse` gets it in an array, as its answers are.
///
/// The real service answers a wrong key with 400; here it is 401, so that a wrong key looks alike at all providers.
pub(crate) fn error(call: &Call<'_>, status: StatusCode, message: &str) -> Reply {
    let document = object! { "error": error_object(status, message) };
    let document = if array(call) { Json::Array(vec![document]) } else { document };
    with_headers(Reply::document(status, document.pretty()))
}

fn error_object(status: StatusCode, message: &str) -> Json {
    let name = match status.as_u16() {
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        429 => "RESOURCE_EXHAUSTED",
        503 => "UNAVAILABLE",
        504 => "DEADLINE_EXCEEDED",
        500.. => "INTERNAL",
        _ => "INVALID_ARGUMENT",
    };
    object! { "code": i32::from(status.as_u16()), "message": message, "status": name }
}

fn success(document: &Json) -> Reply {
    with_headers(Reply::document(StatusCode::OK, document.pretty()))
}

fn with_headers(mut reply: Reply) -> Reply {
    if reply.content_type == JSON {
        reply.content_type = "application/json; charset=UTF-8";
    }
    reply.headers.extend([("vary", "Origin, X-Origin, Referer".to_owned()), ("server", "scaffolding".to_owned())]);
    reply
}

/// Model and verb of `/v1beta/models/{model}:{verb}`; both may be absent.
fn target(path: &str) -> Option<(&str, &str)> {
    let (version, rest) = path.split_once("/models")?;
    if !version.rsplit('/').next()?.starts_with('v') {
        return None;
    }
    let rest = match rest {
        "" => "",
        rest => rest.strip_prefix('/')?,
    };
    Some(rest.split_once(':').unwrap_or((rest, "")))
}

/// Whether the answer is a JSON array instead of server-sent events.
fn array(call: &Call<'_>) -> bool {
    call.path.ends_with(":streamGenerateContent") && call.parameter("alt") != Some("sse")
}

fn models(call: &Call<'_>, model: &str) -> Reply {
    if model.is_empty() {
        let models: Vec<Json> = MODELS.iter().map(|(id, name)| model_object(id, name)).collect();
        return success(&object! { "models": models });
    }
    match MODELS.iter().find(|(id, _)| *id == model) {
        Some((id, name)) => success(&model_object(id, name)),
        None => error(call, StatusCode::NOT_FOUND, &format!("Model is not found: models/{model}")),
    }
}

fn model_object(id: &str, name: &str) -> Json {
    let verbs = ["generateContent", "countTokens"].map(Json::from).to_vec();
    object! {
        "name": format!("models/{id}"), "version": "001", "displayName": name, "description": "Simulated model.",
        "inputTokenLimit": 1_048_576, "outputTokenLimit": 65_536, "supportedGenerationMethods": verbs,
    }
}

fn count(call: &Call<'_>) -> Reply {
    let count = tokens(call.body.len());
    success(&object! { "totalTokens": count, "promptTokensDetails": vec![text_tokens(count)] })
}

fn text_tokens(count: usize) -> Json {
    object! { "modality": "TEXT", "tokenCount": count }
}

fn embeddings(call: &Call<'_>, body: &Value) -> Reply {
    let values = |request: &Value| {
        let input = request.get("content").map(Value::to_string).unwrap_or_default();
        let vector = vector(call.seed, &input, EMBEDDING_DIMENSIONS);
        let values: Vec<Json> = vector.into_iter().map(|component| Json::from(f64::from(component))).collect();
        object! { "values": values }
    };
    match body.get("requests").and_then(Value::as_array) {
        Some(requests) => success(&object! { "embeddings": requests.iter().map(values).collect::<Vec<_>>() }),
        None => success(&object! { "embedding": values(body) }),
    }
}

fn generate(call: &Call<'_>, model: &str, body: &Value, streamed: bool) -> Reply {
    if let Err(message) = check(call, body) {
        return error(call, StatusCode::BAD_REQUEST, message);
    }
    let prompt = prompt(call, model, body);
    let answer = Answer::to(&prompt, call.seed);
    if let Some(status) = demanded_error(&answer.delivery, streamed) {
        return error(call, status, "Error by directive.").delivered(answer.delivery);
    }
    let generation = Generation {
        id: id("", 22, &mut call.ids()),
        thought_signature: (!answer.thinking.is_empty()).then(|| sealed(call.seed, &answer.thinking_text())),
        prompt: &prompt,
        answer: &answer,
    };
    let reply = if !streamed {
        success(&generation.document())
    } else if array(call) {
        let mut reply = Reply::events(generation.array(), Bytes::from(format!(",\r\n{}]", internal().pretty())));
        reply.content_type = JSON;
        with_headers(reply)
    } else {
        let mut reply = Reply::events(generation.events(), Bytes::from(format!("data: {}\r\n\r\n", internal())));
        reply.content_type = "text/event-stream";
        with_headers(reply)
    };
    reply.delivered(answer.delivery)
}

fn internal() -> Json {
    let message = "An internal error has occurred.";
    object! { "error": error_object(StatusCode::INTERNAL_SERVER_ERROR, message) }
}

struct Generation<'a> {
    id: String,
    thought_signature: Option<String>,
    prompt: &'a Prompt,
    answer: &'a Answer,
}

impl Generation<'_> {
    fn document(&self) -> Json {
        let mut parts = Vec::new();
        if !self.answer.thinking.is_empty() {
            parts.push(thought(&self.answer.thinking_text()));
        }
        if self.has_text() {
            parts.push(object! { "text": self.answer.text() });
        }
        parts.extend(self.calls());
        self.response(self.signed(parts), true)
    }

    fn events(&self) -> Vec<Bytes> {
        self.chunks().iter().map(|chunk| Bytes::from(format!("data: {chunk}\r\n\r\n"))).collect()
    }

    fn array(&self) -> Vec<Bytes> {
        let chunks = self.chunks();
        let opened = chunks.iter().enumerate().map(|(index, chunk)| {
            let before = if index == 0 { "[" } else { ",\r\n" };
            Bytes::from(format!("{before}{}\n", chunk.pretty()))
        });
        opened.chain(std::iter::once(Bytes::from_static(b"]\n"))).collect()
    }

    /// The stream: one part per response, the calls together; the last response says why it ends.
    fn chunks(&self) -> Vec<Json> {
        let thoughts = self.answer.thinking.iter().map(|delta| vec![thought(delta)]);
        let texts = self.answer.deltas.iter().map(|delta| vec![object! { "text": delta }]);
        let mut steps: Vec<Vec<Json>> = thoughts.chain(texts).collect();
        let calls = self.calls();
        if !calls.is_empty() {
            steps.push(self.signed(calls));
        } else if self.answer.deltas.is_empty() {
            steps.push(vec![object! { "text": "" }]);
        }
        let last = steps.len().saturating_sub(1);
        steps.into_iter().enumerate().map(|(step, parts)| self.response(parts, step == last)).collect()
    }

    fn calls(&self) -> Vec<Json> {
        let call = |name: &str, arguments: &str| object! { "name": name, "args": Json::Raw(arguments.to_owned()) };
        let tools = self.answer.tools.iter();
        tools.map(|tool| object! { "functionCall": call(&tool.name, &tool.arguments) }).collect()
    }

    /// Puts the thought signature on the first function call, where the service expects it back.
    fn signed(&self, parts: Vec<Json>) -> Vec<Json> {
        let mut signature = self.thought_signature.as_ref();
        let is_call =
            |part: &Json| matches!(part, Json::Object(members) if members.iter().any(|(key, _)| key == "functionCall"));
        parts
            .into_iter()
            .map(|part| match signature.take_if(|_| is_call(&part)) {
                Some(signature) => part.with("thoughtSignature", signature),
                None => part,
            })
            .collect()
    }

    fn response(&self, parts: Vec<Json>, last: bool) -> Json {
        let candidate = object! { "content": object! { "parts": parts, "role": "model" } };
        let candidate = if last { candidate.with("finishReason", "STOP") } else { candidate };
        let (asked, said) = (self.prompt.input_tokens, self.answer.tokens());
        let usage = object! {
            "promptTokenCount": asked, "candidatesTokenCount": said, "totalTokenCount": asked + said,
            "promptTokensDetails": vec![text_tokens(asked)],
        };
        object! {
            "candidates": vec![candidate.with("index", 0)], "usageMetadata": usage,
            "modelVersion": &self.prompt.model, "responseId": &self.id,
        }
    }

    fn has_text(&self) -> bool {
        !self.answer.deltas.is_empty() || self.answer.tools.is_empty()
    }
}

fn thought(text: &str) -> Json {
    object! { "text": text, "thought": true }
}

fn prompt(call: &Call<'_>, model: &str, body: &Value) -> Prompt {
    let contents = items(body, "contents");
    let by_person = |content: &&Value| text(content, "role") != Some("model");
    let last = contents.iter().rfind(by_person);
    let results = last.map_or(&[][..], |content| items(content, "parts"));
    let results = results.iter().filter_map(|part| member(part, "functionResponse")?.get("response"));
    let asked = contents.iter().filter(by_person).rfind(|content| !parts_text(content).is_empty());
    let setting = |name: &str| member(body, "generationConfig").and_then(|config| member(config, name));
    let structured = setting("responseMimeType").and_then(Value::as_str) == Some("application/json");
    let schema = setting("responseSchema").or_else(|| setting("responseJsonSchema"));
    Prompt {
        model: model.to_owned(),
        last_user: asked.map(parts_text).unwrap_or_default(),
        tool_results: results.map(result_text).collect(),
        structure: structured.then(|| schema.cloned().unwrap_or(Value::Null)),
        reasoning: setting("thinkingConfig").and_then(|config| member(config, "includeThoughts"))
            == Some(&Value::Bool(true)),
        input_tokens: tokens(call.body.len()),
    }
}

/// A member under its name in lower camel case or, as some clients write it and Protocol Buffers JSON allows, in snake
/// case.
fn member<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    let snake = |name: &str| {
        let mut snake = String::new();
        for letter in name.chars() {
            if letter.is_ascii_uppercase() {
                snake.push('_');
            }
            snake.push(letter.to_ascii_lowercase());
        }
        snake
    };
    value.get(name).or_else(|| value.get(snake(name)))
}

fn parts_text(content: &Value) -> String {
    let texts: Vec<&str> = items(content, "parts").iter().filter_map(|part| text(part, "text")).collect();
    texts.join("\n")
}

fn result_text(response: &Value) -> String {
    let result = ["result", "output", "error"].iter().find_map(|key| text(response, key));
    result.map_or_else(|| response.to_string(), str::to_owned)
}

/// What the API refuses.
fn check(call: &Call<'_>, body: &Value) -> Result<(), &'static str> {
    let contents = items(body, "contents");
    if contents.is_empty() {
        return Err("* GenerateContentRequest.contents: contents is not specified\n");
    }
    if contents.iter().any(|content| !matches!(text(content, "role"), None | Some("user" | "model" | "function"))) {
        return Err("Please use a valid role: user, model.");
    }
    let parts = || contents.iter().flat_map(|content| items(content, "parts"));
    let mut signatures = parts().filter_map(|part| member(part, "thoughtSignature")?.as_str());
    if signatures.any(|sealed| !seal_holds(call.seed, sealed)) {
        return Err("Thought signature is not valid.");
    }
    let calls = parts().filter(|part| member(part, "functionCall").is_some()).count();
    let responses = parts().filter(|part| member(part, "functionResponse").is_some()).count();
    if calls != responses {
        return Err("Please ensure that the number of function response parts is equal to the number of function \
                    call parts of the function call turn.");
    }
    Ok(())
}
