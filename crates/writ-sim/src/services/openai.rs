//! OpenAI: routes, credentials, errors, models and embeddings. Chat completions and Responses have their own files.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::{Method, StatusCode};
use serde_json::Value;

use super::call::{CREATED_SECONDS, Call};
use super::prompt::{text, tokens};
use super::reply::Reply;
use super::{openai_chat, openai_responses};
use crate::json::{Json, object};
use crate::seeded::Generator;

const MODELS: [&str; 5] = ["gpt-5.5", "gpt-5.4-mini", "gpt-4o", "gpt-4o-mini", "text-embedding-3-small"];
const EMBEDDING_DIMENSIONS: usize = 1536;
const EMBEDDING_DIMENSIONS_MAX: usize = 3072;
const EMBEDDING_INPUTS_MAX: usize = 2048;

pub(crate) fn answer(call: &Call<'_>) -> Reply {
    let endpoint = call.path.split_once("/v1/").map_or("", |(_, endpoint)| endpoint.trim_end_matches('/'));
    let model = endpoint.strip_prefix("models/");
    let known = matches!(endpoint, "chat/completions" | "responses" | "embeddings" | "models") || model.is_some();
    let reads = endpoint == "models" || model.is_some();
    if !known {
        let message = format!("Invalid URL ({} {})", call.method, call.path);
        return error(call, StatusCode::NOT_FOUND, &message, None, None);
    }
    if *call.method != if reads { Method::GET } else { Method::POST } {
        let message = format!("Not allowed to {} on {}", call.method, call.path);
        return error(call, StatusCode::METHOD_NOT_ALLOWED, &message, None, Some("method_not_supported"));
    }
    if call.bearer() != Some(call.keys.openai.as_str()) {
        return unauthorized(call);
    }
    if let Some(model) = model {
        return one_model(call, model);
    }
    if endpoint == "models" {
        let models: Vec<Json> = MODELS.iter().map(|id| model_object(id)).collect();
        return success(call, object! { "object": "list", "data": models });
    }
    generate(call, endpoint)
}

/// The answer of an endpoint that has a model answer, whoever asks: the web apps of services look at sessions and not
/// at keys.
pub(crate) fn generate(call: &Call<'_>, endpoint: &str) -> Reply {
    let Some(body) = call.object() else {
        let message = "We could not parse the JSON body of your request. (HINT: This likely means you aren't using \
                       your HTTP library correctly. The OpenAI API expects a JSON payload, but what was sent was not \
                       valid JSON.)";
        return error(call, StatusCode::BAD_REQUEST, message, None, None);
    };
    if text(&body, "model").is_none_or(str::is_empty) {
        return invalid(call, "you must provide a model parameter", None);
    }
    match endpoint {
        "chat/completions" => openai_chat::answer(call, &body),
        "responses" => openai_responses::answer(call, &body),
        _ => embeddings(call, &body),
    }
}

/// The error document of OpenAI.
pub(crate) fn error(
    call: &Call<'_>,
    status: StatusCode,
    message: &str,
    param: Option<&str>,
    code: Option<&str>,
) -> Reply {
    let kind = match status.as_u16() {
        429 => "requests",
        500.. => "server_error",
        _ => "invalid_request_error",
    };
    let code = match status.as_u16() {
        429 => Some("rate_limit_exceeded"),
        _ => code,
    };
    let document = object! { "error": object! { "message": message, "type": kind, "param": param, "code": code } };
    with_headers(call, Reply::document(status, document.to_string()))
}

/// A parameter is missing or wrong.
pub(crate) fn invalid(call: &Call<'_>, message: &str, param: Option<&str>) -> Reply {
    error(call, StatusCode::BAD_REQUEST, message, param, None)
}

pub(crate) fn success(call: &Call<'_>, document: Json) -> Reply {
    with_headers(call, Reply::document(StatusCode::OK, document.to_string()))
}

pub(crate) fn with_headers(call: &Call<'_>, mut reply: Reply) -> Reply {
    reply.headers.extend([
        ("x-request-id", call.request_id()),
        ("openai-organization", "org-simulated".to_owned()),
        ("openai-version", "2020-10-01".to_owned()),
        ("openai-processing-ms", "12".to_owned()),
    ]);
    reply
}

/// The JSON schema of a format object (`response_format`, `text.format`), where it demands JSON.
pub(crate) fn demanded_structure(format: Option<&Value>) -> Option<Value> {
    let format = format?;
    match text(format, "type")? {
        "json_schema" => {
            let holder = format.get("json_schema").unwrap_or(format);
            Some(holder.get("schema").cloned().unwrap_or(Value::Null))
        }
        "json_object" => Some(Value::Null),
        _ => None,
    }
}

fn unauthorized(call: &Call<'_>) -> Reply {
    let (message, code) = match call.bearer() {
        Some(_) => ("Incorrect API key provided. You can find your API key in the settings.", Some("invalid_api_key")),
        None => ("You didn't provide an API key. You need to provide it in an Authorization header.", None),
    };
    error(call, StatusCode::UNAUTHORIZED, message, None, code)
}

fn one_model(call: &Call<'_>, model: &str) -> Reply {
    if MODELS.contains(&model) {
        return success(call, model_object(model));
    }
    let message = format!("The model '{model}' does not exist");
    error(call, StatusCode::NOT_FOUND, &message, Some("model"), Some("model_not_found"))
}

fn model_object(model: &str) -> Json {
    object! { "id": model, "object": "model", "created": CREATED_SECONDS, "owned_by": "openai" }
}

fn embeddings(call: &Call<'_>, body: &Value) -> Reply {
    let inputs: Vec<String> = match body.get("input") {
        Some(Value::String(input)) => vec![input.clone()],
        // Texts, or lists of token numbers; one list of numbers is one input.
        Some(Value::Array(inputs)) if inputs.iter().all(Value::is_number) => {
            vec![Value::from(inputs.clone()).to_string()]
        }
        Some(Value::Array(inputs)) => inputs.iter().map(Value::to_string).collect(),
        _ => return invalid(call, "Missing required parameter: 'input'.", Some("input")),
    };
    let dimensions = body.get("dimensions").and_then(Value::as_u64).and_then(|number| usize::try_from(number).ok());
    let dimensions = dimensions.unwrap_or(EMBEDDING_DIMENSIONS);
    if inputs.is_empty() || inputs.len() > EMBEDDING_INPUTS_MAX || !(1..=EMBEDDING_DIMENSIONS_MAX).contains(&dimensions)
    {
        return invalid(call, "Invalid 'input' or 'dimensions'.", Some("input"));
    }
    let packed = text(body, "encoding_format") == Some("base64");
    let data = inputs.iter().enumerate().map(|(index, input)| {
        let vector = vector(call.seed, input, dimensions);
        object! { "object": "embedding", "index": index, "embedding": embedding(&vector, packed) }
    });
    let data: Vec<Json> = data.collect();
    let used = tokens(inputs.iter().map(String::len).sum());
    let usage = object! { "prompt_tokens": used, "total_tokens": used };
    let model = text(body, "model").unwrap_or_default();
    success(call, object! { "object": "list", "data": data, "model": model, "usage": usage })
}

/// A vector that depends on the text only; components lie in [-1, 1).
pub(crate) fn vector(seed: u64, input: &str, dimensions: usize) -> Vec<f32> {
    let mut generator = Generator::keyed(seed, input.as_bytes());
    let component = |number: u64| f32::from(u16::from_le_bytes([number.to_le_bytes()[0], number.to_le_bytes()[1]]));
    (0..dimensions).map(|_| component(generator.number()) / 32_768.0 - 1.0).collect()
}

fn embedding(vector: &[f32], packed: bool) -> Json {
    if packed {
        let bytes: Vec<u8> = vector.iter().flat_map(|component| component.to_le_bytes()).collect();
        return Json::from(BASE64.encode(bytes));
    }
    Json::Array(vector.iter().map(|component| Json::from(f64::from(*component))).collect())
}
