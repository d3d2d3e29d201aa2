//! Answers that Writ itself gives, in the client's own protocol.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, HeaderName};
use writ_model::{Effect, Refusal, RefusalKind};
use writ_protocol::Endpoint;
use writ_protocol::refusal::{RefusalForm, refuse};

use crate::commands::{CertificateProblem, Response, UpstreamFailure};
use crate::inspection::Context;
use crate::reading::Reading;
use crate::voice::{self, Stop};

/// The header that names the reference code of a refusal.
const REFERENCE: HeaderName = HeaderName::from_static("writ-reference");

impl Context {
    /// The refusal as a whole answer: an error for programs, a message in the chat for people.
    pub(crate) fn respond(&self, refusal: &Refusal, reading: Option<&Reading>) -> Response {
        let message = reading.filter(|_| self.person()).map(|reading| &reading.message);
        let form = match message {
            Some(message) if refusal.kind == RefusalKind::Policy && !message.structured => RefusalForm::Message {
                stream: self.streams(message.stream),
                model: message.model.as_deref().unwrap_or_default(),
            },
            _ => RefusalForm::Error,
        };
        let answer = refuse(self.opening.endpoint, form, refusal);
        response(answer.status, answer.content_type, answer.body, &refusal.reference)
    }

    fn streams(&self, asked_in_body: bool) -> bool {
        match self.opening.endpoint {
            Endpoint::GeminiGenerate { stream, .. } => stream,
            _ => asked_in_body,
        }
    }

    /// The answer of an inspection that failed: nothing was sent.
    pub(crate) fn failed(&self) -> Response {
        let refusal = self.failure(RefusalKind::Failed);
        let answer = refuse(self.opening.endpoint, RefusalForm::Error, &refusal);
        response(answer.status, answer.content_type, answer.body, &refusal.reference)
    }

    /// A refusal that no clause decided.
    pub(crate) fn failure(&self, kind: RefusalKind) -> Refusal {
        let stop = Stop {
            interaction: self.interaction,
            kind,
            effect: Effect::Block,
            clauses: Vec::new(),
            discoveries: Vec::new(),
            why: None,
            service: &self.opening.service,
            offers: Vec::new(),
            reference: voice::reference_code(&*self.engine.options.randomness),
        };
        self.engine.options.voice.refuse(stop, &self.engine.options.keys.mark)
    }

    /// The answer when the service failed: not a refusal, and clients may retry it.
    pub(crate) fn gateway_error(&self, failure: UpstreamFailure) -> Response {
        let (status, what) = match failure {
            UpstreamFailure::Unreachable => (502, "could not be reached"),
            UpstreamFailure::Timeout => (504, "did not answer in time"),
            UpstreamFailure::Broken => (502, "broke off its answer"),
            UpstreamFailure::Certificate(CertificateProblem::Expired) => (502, "has a certificate that is out of date"),
            UpstreamFailure::Certificate(CertificateProblem::WrongName) => {
                (502, "has a certificate that is not for this name")
            }
            UpstreamFailure::Certificate(CertificateProblem::UnknownIssuer) => {
                (502, "has a certificate whose issuer is unknown")
            }
            UpstreamFailure::Certificate(CertificateProblem::Other) => (502, "has a certificate that does not hold"),
            UpstreamFailure::ForbiddenAddress => (502, "has an address that may not be reached from here"),
        };
        let text = format!("writ: the AI service {what}; your request itself was allowed");
        let body =
            serde_json::json!({"error": {"message": text, "type": "upstream_error", "code": status}}).to_string();
        response(status, "application/json", body.into_bytes(), "")
    }
}

fn response(status: u16, content_type: &'static str, body: Vec<u8>, reference: &str) -> Response {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    if let Some(value) = HeaderValue::try_from(reference).ok().filter(|value| !value.is_empty()) {
        headers.insert(REFERENCE, value);
    }
    Response { status, headers, body: Bytes::from(body) }
}
