//! Errors: as a whole answer, and in the middle of a stream.

use serde_json::{Map, Value, json};
use writ_model::{Refusal, RefusalKind, WireFormat};

use super::{created, error_format, own_id};
use crate::answer::{Extra, Names};

/// The error document of a format.
pub(super) fn document(format: WireFormat, refusal: &Refusal) -> Value {
    let error = error(format, refusal);
    match error_format(format) {
        WireFormat::AnthropicMessages => json!({ "type": "error", "error": error }),
        _ => json!({ "error": error }),
    }
}

/// The last events of a stream that is cut. `number` is the running number that comes next.
pub(crate) fn cut(format: WireFormat, refusal: &Refusal, names: &Names, number: u64) -> Vec<Extra> {
    let document = document(format, refusal);
    match format {
        WireFormat::OpenaiChat => vec![unnamed(&document), Extra::unnamed("[DONE]".into())],
        WireFormat::OpenaiResponses => {
            let mut event = json!({
                "type": "error", "sequence_number": number, "code": refusal.kind.error_type(),
                "message": refusal.for_programs, "param": null,
            });
            if let (Some(event), Some(error)) = (event.as_object_mut(), document.get("error")) {
                event.insert("error".into(), error.clone());
            }
            let failed = json!({
                "type": "response.failed", "sequence_number": number.saturating_add(1),
                "response": failed_response(refusal, names),
            });
            vec![named("error", &event), named("response.failed", &failed)]
        }
        WireFormat::AnthropicMessages | WireFormat::AnyJson => vec![named("error", &document)],
        WireFormat::GeminiGenerate => vec![unnamed(&document)],
    }
}

fn error(format: WireFormat, refusal: &Refusal) -> Value {
    let mut error = match error_format(format) {
        WireFormat::GeminiGenerate => return google_error(refusal),
        WireFormat::AnthropicMessages => {
            json!({ "type": anthropic_type(refusal.kind), "message": refusal.for_programs })
        }
        _ => json!({ "message": refusal.for_programs, "type": refusal.kind.error_type(), "param": null }),
    };
    if let Some(error) = error.as_object_mut() {
        error.insert("code".into(), refusal.kind.error_type().into());
        error.append(&mut beside(refusal));
    }
    error
}

/// What stands beside the reason.
fn beside(refusal: &Refusal) -> Map<String, Value> {
    let clauses: Vec<Value> = refusal
        .clauses
        .iter()
        .map(|clause| json!({ "id": clause.id, "number": clause.number, "title": clause.title }))
        .collect();
    let mut fields = Map::new();
    fields.insert("clauses".into(), clauses.into());
    fields.insert("reference".into(), refusal.reference.clone().into());
    fields.insert("interaction".into(), refusal.interaction.to_string().into());
    fields
}

/// Anthropic's own word for the status: clients choose their error class by it or by the status.
fn anthropic_type(kind: RefusalKind) -> &'static str {
    if kind.status() == 400 { "invalid_request_error" } else { "permission_error" }
}

/// The error model of Google APIs (AIP-193): reason and domain in an `ErrorInfo`, whose metadata are strings.
fn google_error(refusal: &Refusal) -> Value {
    let status = refusal.kind.status();
    let name = if status == 400 { "INVALID_ARGUMENT" } else { "PERMISSION_DENIED" };
    let clauses: Vec<&str> = refusal.clauses.iter().map(|clause| clause.id.as_ref()).collect();
    json!({
        "code": status, "message": refusal.for_programs, "status": name,
        "details": [{
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": refusal.kind.error_type().to_ascii_uppercase(), "domain": "writ",
            "metadata": {
                "clauses": clauses.join(","), "reference": refusal.reference,
                "interaction": refusal.interaction.to_string(),
            },
        }],
    })
}

fn failed_response(refusal: &Refusal, names: &Names) -> Value {
    let name = |key: &str| names.get(key).and_then(|raw| serde_json::from_str::<Value>(raw).ok());
    json!({
        "id": name("id").unwrap_or_else(|| own_id("resp_", refusal).into()), "object": "response",
        "created_at": name("created_at").unwrap_or_else(|| created(refusal).into()), "status": "failed",
        "error": { "code": "invalid_prompt", "message": refusal.for_programs }, "incomplete_details": null,
        "instructions": null, "metadata": {}, "model": name("model").unwrap_or_default(), "output": [],
        "parallel_tool_calls": true, "tool_choice": "auto", "tools": [], "usage": null,
    })
}

fn named(name: &'static str, data: &Value) -> Extra {
    Extra { name: Some(name), data: one_line(data) }
}

fn unnamed(data: &Value) -> Extra {
    Extra::unnamed(one_line(data))
}

/// JSON on one line for every client: some split events at line and paragraph separators, which JSON allows.
pub(super) fn one_line(data: &Value) -> String {
    data.to_string().replace('\u{85}', "\\u0085").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}
