//! A scripted turn as a request in the format of its service.

use super::script::{ScriptedTurn, Tool, Utterance};
use super::services::Way;
use crate::chat::relay::browser_headers;
use crate::json::{Json, object};

const MAX_TOKENS: i32 = 1024;

/// The wire format of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// OpenAI chat completions.
    Chat,
    /// OpenAI Responses.
    Responses,
    /// Anthropic Messages.
    Messages,
    /// Gemini content generation.
    Gemini,
}

/// A request that a client sends.
#[derive(Clone, PartialEq, Eq)]
pub struct TurnRequest {
    /// The path at the provider, with query; the method is POST.
    pub path: String,
    /// Names in lower case and values, the credential included.
    pub headers: Vec<(&'static str, String)>,
    /// The JSON body.
    pub body: String,
}

impl std::fmt::Debug for TurnRequest {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("TurnRequest").field("path", &self.path).finish_non_exhaustive()
    }
}

/// A request as it goes through a proxy: CONNECT to `host` and `port` with the login, then the request inside TLS.
#[derive(Clone, PartialEq, Eq)]
pub struct ProxyRequest {
    /// The host to connect to; also the `Host` of the request.
    pub host: &'static str,
    /// The port to connect to.
    pub port: u16,
    /// The login at the proxy.
    pub login: String,
    /// The password at the proxy.
    pub password: String,
    /// The path at the service, with query; the method is POST.
    pub path: String,
    /// Names in lower case and values, credentials for the service included, `host` left out.
    pub headers: Vec<(&'static str, String)>,
    /// The JSON body.
    pub body: String,
}

impl std::fmt::Debug for ProxyRequest {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = out.debug_struct("ProxyRequest");
        shown.field("host", &self.host).field("path", &self.path).field("login", &self.login).finish_non_exhaustive()
    }
}

impl ProxyRequest {
    pub(crate) fn of(turn: &ScriptedTurn, key: &str) -> Self {
        let TurnRequest { path, headers: api, body } = TurnRequest::of(turn, key);
        let account = turn.account.id(&turn.member);
        let host = turn.service.host;
        let (path, mut headers) = match (turn.service.web_path(&account), turn.way) {
            (Some(path), Way::Browser) => (path, browser_headers(host, turn.member.language.tag())),
            (Some(path), way) => (path, vec![("user-agent", way.user_agent().to_owned())]),
            (None, way) => (path, vec![("user-agent", way.user_agent().to_owned())]),
        };
        if turn.service.chat() {
            headers.retain(|(name, _)| *name != "content-type");
            headers.push(("content-type", "application/json".to_owned()));
            headers.extend(turn.service.account_header(&account));
        } else {
            headers.extend(api);
        }
        Self {
            host,
            port: 443,
            login: turn.member.login.clone(),
            password: turn.member.password.clone(),
            path,
            headers,
            body,
        }
    }
}

impl TurnRequest {
    pub(crate) fn of(turn: &ScriptedTurn, key: &str) -> Self {
        let mut headers = vec![("content-type", "application/json".to_owned())];
        headers.extend(credential(turn.service.format, key));
        let (path, body) = match turn.service.format {
            Format::Chat => ("/v1/chat/completions".to_owned(), chat(turn)),
            Format::Responses => ("/v1/responses".to_owned(), responses(turn)),
            Format::Messages => ("/v1/messages".to_owned(), messages(turn)),
            Format::Gemini => (gemini_path(turn), gemini(turn)),
        };
        Self { path, headers, body: body.to_string() }
    }
}

fn credential(format: Format, key: &str) -> Vec<(&'static str, String)> {
    match format {
        Format::Chat | Format::Responses => vec![("authorization", format!("Bearer {key}"))],
        Format::Messages => vec![("x-api-key", key.to_owned()), ("anthropic-version", "2023-06-01".to_owned())],
        Format::Gemini => vec![("x-goog-api-key", key.to_owned())],
    }
}

fn chat(turn: &ScriptedTurn) -> Json {
    let mut messages: Vec<Json> =
        turn.system.iter().map(|system| object! { "role": "system", "content": system }).collect();
    for utterance in &turn.utterances {
        match utterance {
            Utterance::Person(text) => messages.push(object! { "role": "user", "content": text }),
            Utterance::Model(text) => messages.push(object! { "role": "assistant", "content": text }),
            Utterance::ToolUse { id, name, argument, result } => {
                let function = object! { "name": name, "arguments": arguments(argument).to_string() };
                let call = object! { "id": id, "type": "function", "function": function };
                messages.push(object! { "role": "assistant", "content": Json::Null, "tool_calls": vec![call] });
                messages.push(object! { "role": "tool", "tool_call_id": id, "content": result });
            }
        }
    }
    let body = object! { "model": turn.service.model, "messages": messages, "stream": turn.streamed };
    let function = |tool: &Tool| {
        let function = object! { "name": tool.name, "description": tool.description, "parameters": schema(tool) };
        object! { "type": "function", "function": function }
    };
    with_tools(body, turn, function)
}

fn responses(turn: &ScriptedTurn) -> Json {
    let mut input = Vec::new();
    for utterance in &turn.utterances {
        match utterance {
            Utterance::Person(text) => {
                let part = object! { "type": "input_text", "text": text };
                input.push(object! { "role": "user", "content": vec![part] });
            }
            Utterance::Model(text) => {
                let part = object! { "type": "output_text", "text": text };
                input.push(object! { "role": "assistant", "content": vec![part] });
            }
            Utterance::ToolUse { id, name, argument, result } => {
                let arguments = arguments(argument).to_string();
                input.push(object! { "type": "function_call", "call_id": id, "name": name, "arguments": arguments });
                input.push(object! { "type": "function_call_output", "call_id": id, "output": result });
            }
        }
    }
    let body = object! { "model": turn.service.model, "input": input, "stream": turn.streamed };
    let body = match &turn.system {
        Some(system) => body.with("instructions", system),
        None => body,
    };
    with_tools(body, turn, |tool| {
        object! {
            "type": "function", "name": tool.name, "description": tool.description, "parameters": schema(tool),
        }
    })
}

fn messages(turn: &ScriptedTurn) -> Json {
    let mut messages = Vec::new();
    for utterance in &turn.utterances {
        match utterance {
            Utterance::Person(text) => messages.push(object! { "role": "user", "content": text }),
            Utterance::Model(text) => {
                let block = object! { "type": "text", "text": text };
                messages.push(object! { "role": "assistant", "content": vec![block] });
            }
            Utterance::ToolUse { id, name, argument, result } => {
                let used = object! { "type": "tool_use", "id": id, "name": name, "input": arguments(argument) };
                messages.push(object! { "role": "assistant", "content": vec![used] });
                let told = object! { "type": "tool_result", "tool_use_id": id, "content": result };
                messages.push(object! { "role": "user", "content": vec![told] });
            }
        }
    }
    let body = object! { "model": turn.service.model, "max_tokens": MAX_TOKENS, "stream": turn.streamed };
    let body = match &turn.system {
        Some(system) => body.with("system", system),
        None => body,
    };
    with_tools(body.with("messages", messages), turn, |tool| {
        object! { "name": tool.name, "description": tool.description, "input_schema": schema(tool) }
    })
}

fn gemini_path(turn: &ScriptedTurn) -> String {
    let verb = if turn.streamed { "streamGenerateContent?alt=sse" } else { "generateContent" };
    format!("/v1beta/models/{}:{verb}", turn.service.model)
}

fn gemini(turn: &ScriptedTurn) -> Json {
    let content = |role: &str, part: Json| object! { "role": role, "parts": vec![part] };
    let mut contents = Vec::new();
    for utterance in &turn.utterances {
        match utterance {
            Utterance::Person(text) => contents.push(content("user", object! { "text": text })),
            Utterance::Model(text) => contents.push(content("model", object! { "text": text })),
            Utterance::ToolUse { name, argument, result, .. } => {
                let call = object! { "name": name, "args": arguments(argument) };
                contents.push(content("model", object! { "functionCall": call }));
                let response = object! { "name": name, "response": object! { "result": result } };
                contents.push(content("user", object! { "functionResponse": response }));
            }
        }
    }
    let body = object! { "contents": contents };
    let body = match &turn.system {
        Some(system) => body.with("systemInstruction", object! { "parts": vec![object! { "text": system }] }),
        None => body,
    };
    if turn.tools.is_empty() {
        return body;
    }
    let declaration = |tool: &Tool| {
        object! { "name": tool.name, "description": tool.description, "parameters": schema(tool) }
    };
    let declarations: Vec<Json> = turn.tools.iter().map(declaration).collect();
    body.with("tools", vec![object! { "functionDeclarations": declarations }])
}

fn with_tools(body: Json, turn: &ScriptedTurn, definition: impl Fn(&Tool) -> Json) -> Json {
    if turn.tools.is_empty() {
        return body;
    }
    body.with("tools", turn.tools.iter().map(definition).collect::<Vec<_>>())
}

fn arguments((name, value): &(String, String)) -> Json {
    Json::Object(vec![(name.clone().into(), Json::from(value))])
}

fn schema(tool: &Tool) -> Json {
    let properties = Json::Object(vec![(tool.argument.into(), object! { "type": "string" })]);
    object! { "type": "object", "properties": properties, "required": vec![Json::from(tool.argument)] }
}
