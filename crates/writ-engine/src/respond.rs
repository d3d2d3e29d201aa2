//! Answers that Writ itself gives, in the client's own protocol.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, HeaderName};
use writ_model::{Refusal, RefusalKind};
use writ_protocol::Endpoint;
use writ_protocol::refusal::{RefusalForm, refuse};

use crate::commands::{CertificateProblem, Response, UpstreamFailure};
use crate::heads;
use crate::inspection::Context;
use crate::opening::RefuseReason;
use crate::reading::Reading;
use crate::voice::{Page, Stop};

/// The header that names the reference code of a refusal.
const REFERENCE: HeaderName = HeaderName::from_static("writ-reference");

/// The status for a request that came by another name (RFC 9110 section 15.5.20).
const MISDIRECTED: u16 = 421;

impl Context {
    /// The refusal as a whole answer: a page for a browser that navigates, else in the given form.
    pub(crate) fn respond(&self, refusal: &Refusal, page: Option<Page>, form: RefusalForm<'_>) -> Response {
        let misdirected = self.opening.refused() == Some(RefuseReason::NamesDisagree);
        let status = if misdirected { MISDIRECTED } else { refusal.kind.status() };
        if let Some(page) = page {
            return response_with_page(status, page, &refusal.reference);
        }
        let mut answer = refuse(self.opening.endpoint, form, refusal);
        if misdirected {
            answer.status = MISDIRECTED;
        }
        response(answer.status, answer.content_type, answer.body, &refusal.reference)
    }

    /// How a refusal is told: a message in the chat for people, an error for programs. Of a prompt that was not read the
    /// head alone tells whether a chat waits for the events of an answer.
    pub(crate) fn form<'r>(&self, kind: RefusalKind, reading: Option<&'r Reading>) -> RefusalForm<'r> {
        if !self.person() || kind != RefusalKind::Policy {
            return RefusalForm::Error;
        }
        match reading.map(|reading| &reading.message) {
            Some(message) if !message.structured => RefusalForm::Message {
                stream: self.streams(message.stream),
                model: message.model.as_deref().unwrap_or_default(),
            },
            None if heads::accepts_events(&self.opening.headers) => {
                RefusalForm::Message { stream: self.streams(true), model: "" }
            }
            _ => RefusalForm::Error,
        }
    }

    fn streams(&self, asked_in_body: bool) -> bool {
        match self.opening.endpoint {
            Endpoint::GeminiGenerate { stream, .. } => stream,
            _ => asked_in_body,
        }
    }

    /// The answer of an inspection that failed: nothing was sent.
    pub(crate) fn failed(&self) -> Response {
        let stop = Stop { kind: RefusalKind::Failed, ..self.stop() };
        let voice = &self.engine.options.voice;
        let refusal = voice.refuse(&stop, &self.engine.options.keys.mark);
        let page = self.opening.navigation.then(|| voice.page(&stop));
        self.respond(&refusal, page, RefusalForm::Error)
    }

    /// A refusal that no clause decided.
    pub(crate) fn failure(&self, kind: RefusalKind) -> Refusal {
        let stop = Stop { kind, ..self.stop() };
        self.engine.options.voice.refuse(&stop, &self.engine.options.keys.mark)
    }

    /// The page of first use: the same address again leads on.
    pub(crate) fn first_use_page(&self) -> Response {
        let language = self.opening.caller.language;
        let page =
            self.engine.options.voice.first_use_page(language, self.service_name(), &self.opening.path_and_query);
        response_with_page(200, page, "")
    }

    /// The notice of first use in a chat.
    pub(crate) fn first_use_note(&self) -> String {
        self.engine.options.voice.first_use_note(self.opening.caller.language, self.service_name())
    }

    /// Says that words of an answer which sound like the organisation are the service's.
    pub(crate) fn not_ours(&self) -> String {
        self.engine.options.voice.not_ours(self.opening.caller.language, self.service_name())
    }

    fn service_name(&self) -> &str {
        let service = self.snapshot.catalog.service(&self.opening.service);
        service.map_or(&*self.opening.service, |service| &service.name)
    }

    /// The answer when the service failed: not a refusal, and clients may retry it.
    pub(crate) fn gateway_error(&self, failure: UpstreamFailure) -> Response {
        let status = if failure == UpstreamFailure::Timeout { 504 } else { 502 };
        if self.opening.navigation {
            let voice = &self.engine.options.voice;
            let page = voice.failure_page(self.opening.caller.language, self.service_name(), failure);
            return response_with_page(status, page, "");
        }
        let text = failure_line(failure);
        let body =
            serde_json::json!({"error": {"message": text, "type": "upstream_error", "code": status}}).to_string();
        response(status, "application/json", body.into_bytes(), "")
    }
}

/// What happened to a service, as one line for programs.
pub fn failure_line(failure: UpstreamFailure) -> String {
    let what = match failure {
        UpstreamFailure::Unreachable => "could not be reached; nothing was sent",
        UpstreamFailure::Timeout => "did not answer in time",
        UpstreamFailure::Broken => "broke off its answer",
        UpstreamFailure::Certificate(CertificateProblem::Expired) => {
            "has a certificate that is expired or not yet valid; nothing was sent"
        }
        UpstreamFailure::Certificate(CertificateProblem::WrongName) => {
            "has a certificate that is not for this name; nothing was sent"
        }
        UpstreamFailure::Certificate(CertificateProblem::UnknownIssuer) => {
            "has a certificate whose issuer is unknown; nothing was sent"
        }
        UpstreamFailure::Certificate(CertificateProblem::Other) => {
            "has a certificate that cannot be verified; nothing was sent"
        }
        UpstreamFailure::ForbiddenAddress => "has an address that may not be reached from here; nothing was sent",
    };
    format!("writ: the AI service {what}; your request itself was allowed")
}

fn response(status: u16, content_type: &'static str, body: Vec<u8>, reference: &str) -> Response {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    if let Some(value) = HeaderValue::try_from(reference).ok().filter(|value| !value.is_empty()) {
        headers.insert(REFERENCE, value);
    }
    Response { status, headers, body: Bytes::from(body) }
}

fn response_with_page(status: u16, page: Page, reference: &str) -> Response {
    let mut response = response(status, "text/html; charset=utf-8", page.html.into_bytes(), reference);
    for (name, value) in page.headers {
        if let Ok(value) = HeaderValue::try_from(value) {
            response.headers.insert(name, value);
        }
    }
    response
}
