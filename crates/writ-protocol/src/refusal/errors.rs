//! Errors: as a whole answer, and in the middle of a stream.

use serde::Serialize;
use serde_json::{Value, json};
use writ_model::{ClauseQuote, Refusal, RefusalKind, WireFormat};

use super::{created, error_format, own_id};
use crate::answer::{Extra, Names, on_one_line};

/// The error document of a format. Clients print it as it is: the reason comes first.
pub(super) fn document(format: WireFormat, refusal: &Refusal) -> String {
    let document = match error_format(format) {
        WireFormat::AnthropicMessages => serde_json::to_string(&AnthropicDocument {
            kind: "error",
            error: AnthropicError {
                kind: anthropic_type(refusal.kind),
                message: &refusal.for_programs,
                code: refusal.kind.error_type(),
                beside: Beside::of(refusal),
            },
        }),
        WireFormat::GeminiGenerate => serde_json::to_string(&Document { error: GoogleError::of(refusal) }),
        _ => serde_json::to_string(&Document { error: OpenaiError::of(refusal) }),
    };
    // Strings and numbers under literal keys: there is nothing that cannot be written.
    document.unwrap_or_default()
}

#[derive(Serialize)]
struct Document<E> {
    error: E,
}

#[derive(Serialize)]
struct AnthropicDocument<'r> {
    #[serde(rename = "type")]
    kind: &'static str,
    error: AnthropicError<'r>,
}

#[derive(Serialize)]
struct OpenaiError<'r> {
    message: &'r str,
    #[serde(rename = "type")]
    kind: &'static str,
    param: Option<&'static str>,
    code: &'static str,
    #[serde(flatten)]
    beside: Beside<'r>,
}

#[derive(Serialize)]
struct AnthropicError<'r> {
    #[serde(rename = "type")]
    kind: &'static str,
    message: &'r str,
    code: &'static str,
    #[serde(flatten)]
    beside: Beside<'r>,
}

/// The error model of Google APIs (AIP-193): reason and domain in an `ErrorInfo`, whose metadata are strings.
#[derive(Serialize)]
struct GoogleError<'r> {
    code: u16,
    message: &'r str,
    status: &'static str,
    details: [Value; 1],
}

/// What stands beside the reason.
#[derive(Serialize)]
struct Beside<'r> {
    clauses: Vec<Clause<'r>>,
    reference: &'r str,
    interaction: String,
}

#[derive(Serialize)]
struct Clause<'r> {
    id: &'r str,
    number: &'r str,
    title: &'r str,
}

impl<'r> OpenaiError<'r> {
    fn of(refusal: &'r Refusal) -> Self {
        let kind = refusal.kind.error_type();
        Self { message: &refusal.for_programs, kind, param: None, code: kind, beside: Beside::of(refusal) }
    }
}

impl<'r> GoogleError<'r> {
    fn of(refusal: &'r Refusal) -> Self {
        let code = refusal.kind.status();
        let status = if code == 400 { "INVALID_ARGUMENT" } else { "PERMISSION_DENIED" };
        let clauses: Vec<&str> = refusal.clauses.iter().map(|clause| clause.id.as_ref()).collect();
        let information = json!({
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": refusal.kind.error_type().to_ascii_uppercase(), "domain": "writ",
            "metadata": {
                "clauses": clauses.join(","), "reference": refusal.reference,
                "interaction": refusal.interaction.to_string(),
            },
        });
        Self { code, message: &refusal.for_programs, status, details: [information] }
    }
}

impl<'r> Beside<'r> {
    fn of(refusal: &'r Refusal) -> Self {
        let clauses = refusal.clauses.iter();
        let quote =
            |clause: &'r ClauseQuote| Clause { id: clause.id.as_ref(), number: &clause.number, title: &clause.title };
        Self {
            clauses: clauses.map(quote).collect(),
            reference: &refusal.reference,
            interaction: refusal.interaction.to_string(),
        }
    }
}

/// Anthropic's own word for the status: clients choose their error class by it or by the status.
fn anthropic_type(kind: RefusalKind) -> &'static str {
    if kind.status() == 400 { "invalid_request_error" } else { "permission_error" }
}

/// The last events of a stream that is cut. `number` is the running number that comes next.
pub(crate) fn cut(format: WireFormat, refusal: &Refusal, names: &Names, number: u64) -> Vec<Extra> {
    let error = || on_one_line(document(format, refusal));
    match format {
        WireFormat::OpenaiChat => vec![Extra::unnamed(error()), Extra::unnamed("[DONE]".into())],
        WireFormat::OpenaiResponses => {
            let event = ErrorEvent {
                kind: "error",
                sequence_number: number,
                code: refusal.kind.error_type(),
                message: &refusal.for_programs,
                param: None,
                error: OpenaiError::of(refusal),
            };
            let event = serde_json::to_string(&event).unwrap_or_default();
            let failed = json!({
                "type": "response.failed", "sequence_number": number.saturating_add(1),
                "response": failed_response(refusal, names),
            });
            vec![named("error", on_one_line(event)), named("response.failed", on_one_line(failed.to_string()))]
        }
        WireFormat::AnthropicMessages | WireFormat::AnyJson => vec![named("error", error())],
        WireFormat::GeminiGenerate => vec![Extra::unnamed(error())],
    }
}

/// The `error` event of Responses: flat as documented, and with the object that official clients raise.
#[derive(Serialize)]
struct ErrorEvent<'r> {
    #[serde(rename = "type")]
    kind: &'static str,
    sequence_number: u64,
    code: &'static str,
    message: &'r str,
    param: Option<&'static str>,
    error: OpenaiError<'r>,
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

fn named(name: &'static str, data: String) -> Extra {
    Extra { name: Some(name), data }
}
