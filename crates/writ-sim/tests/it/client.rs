//! A small HTTP client that verifies certificates, for HTTP/1.1 and HTTP/2.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use writ_sim::services::{RunningServices, ServicesOptions, start};

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// The bytes that came, also where the answer was cut.
    pub(crate) body: Vec<u8>,
    pub(crate) cut: bool,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

pub(crate) async fn services() -> RunningServices {
    start(ServicesOptions::default()).await.unwrap()
}

/// The TLS connection of a client that trusts the services' authority only.
pub(crate) async fn connect(
    services: &RunningServices,
    name: &str,
    alpn: &str,
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(services.ca_pem.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![alpn.as_bytes().to_vec()];
    let stream = TcpStream::connect(services.addr).await?;
    TlsConnector::from(Arc::new(config)).connect(ServerName::try_from(name.to_owned()).unwrap(), stream).await
}

/// Sends one request over HTTP/1.1 to a named service.
pub(crate) async fn send(services: &RunningServices, name: &str, request: Request<Full<Bytes>>) -> Answer {
    let stream = connect(services, name, "http/1.1").await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    collect(sender.send_request(request).await.unwrap()).await
}

/// Sends one request over HTTP/2 to a named service.
pub(crate) async fn send_h2(services: &RunningServices, name: &str, request: Request<Full<Bytes>>) -> Answer {
    let stream = connect(services, name, "h2").await.unwrap();
    let handshake = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
    let (mut sender, connection) = handshake.await.unwrap();
    tokio::spawn(connection);
    collect(sender.send_request(request).await.unwrap()).await
}

async fn collect(response: http::Response<hyper::body::Incoming>) -> Answer {
    let (head, mut incoming) = response.into_parts();
    let (mut body, mut cut) = (Vec::new(), false);
    while let Some(frame) = incoming.frame().await {
        match frame {
            Ok(frame) => body.extend_from_slice(frame.data_ref().unwrap_or(&Bytes::new())),
            Err(_) => {
                cut = true;
                break;
            }
        }
    }
    Answer { status: head.status, headers: head.headers, body, cut }
}

const OPENAI: &str = "api.openai.com";
const ANTHROPIC: &str = "api.anthropic.com";
const GEMINI: &str = "generativelanguage.googleapis.com";

/// A request with the right credential for the provider that the host belongs to.
pub(crate) fn request(host: &str, method: &str, path: &str, body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    let builder = Request::builder().method(method).uri(path).header("host", host);
    let builder = match host {
        OPENAI => builder.header("authorization", "Bearer sim-openai-key"),
        ANTHROPIC => builder.header("x-api-key", "sim-anthropic-key").header("anthropic-version", "2023-06-01"),
        GEMINI => builder.header("x-goog-api-key", "sim-gemini-key"),
        _ => builder,
    };
    builder.header("content-type", "application/json").body(Full::new(body.into())).unwrap()
}

/// An endpoint with the body of a one-message request to it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Format {
    Chat,
    Responses,
    Messages,
    Gemini,
    GeminiArray,
}

impl Format {
    pub(crate) const ALL: [Self; 5] = [Self::Chat, Self::Responses, Self::Messages, Self::Gemini, Self::GeminiArray];

    pub(crate) fn host(self) -> &'static str {
        match self {
            Self::Chat | Self::Responses => OPENAI,
            Self::Messages => ANTHROPIC,
            Self::Gemini | Self::GeminiArray => GEMINI,
        }
    }

    pub(crate) fn path(self, stream: bool) -> &'static str {
        match (self, stream) {
            (Self::Chat, _) => "/v1/chat/completions",
            (Self::Responses, _) => "/v1/responses",
            (Self::Messages, _) => "/v1/messages",
            (_, false) => "/v1beta/models/gemini-2.5-flash:generateContent",
            (Self::Gemini, true) => "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse",
            (Self::GeminiArray, true) => "/v1beta/models/gemini-2.5-flash:streamGenerateContent",
        }
    }

    pub(crate) fn body(self, text: &str, stream: bool) -> Value {
        let messages = serde_json::json!([{"role": "user", "content": text}]);
        match self {
            Self::Chat => serde_json::json!({"model": "gpt-4o", "messages": messages, "stream": stream,
                "stream_options": {"include_usage": true}}),
            Self::Responses => serde_json::json!({"model": "gpt-4o", "input": text, "stream": stream}),
            Self::Messages => serde_json::json!({"model": "claude-sonnet-5-5", "max_tokens": 100,
                "messages": messages, "stream": stream}),
            Self::Gemini | Self::GeminiArray => serde_json::json!({"contents": [{"parts": [{"text": text}]}]}),
        }
    }

    pub(crate) fn request(self, text: &str, stream: bool) -> Request<Full<Bytes>> {
        request(self.host(), "POST", self.path(stream), self.body(text, stream).to_string())
    }

    pub(crate) async fn ask(self, services: &RunningServices, text: &str, stream: bool) -> Answer {
        send(services, self.host(), self.request(text, stream)).await
    }

    /// The text of an answer, put together as a client does.
    pub(crate) fn answer_text(self, answer: &Answer, stream: bool) -> String {
        self.text_of(&answer.text(), stream)
    }

    pub(crate) fn text_of(self, body: &str, stream: bool) -> String {
        let events: Vec<Value> = match (self, stream) {
            (Self::GeminiArray, true) => serde_json::from_str(body).unwrap(),
            (_, false) => vec![serde_json::from_str(body).unwrap()],
            _ => sse(body),
        };
        let pointers: &[&str] = match (self, stream) {
            (Self::Chat, false) => &["/choices/0/message/content"],
            (Self::Chat, true) => &["/choices/0/delta/content"],
            (Self::Responses, false) => &["/output/0/content/0/text"],
            (Self::Responses, true) => &["/delta"],
            (Self::Messages, false) => &["/content/0/text"],
            (Self::Messages, true) => &["/delta/text"],
            _ => &["/candidates/0/content/parts/0/text"],
        };
        let texts = events.iter().flat_map(|event| pointers.iter().filter_map(|pointer| event.pointer(pointer)));
        texts.filter_map(Value::as_str).collect()
    }
}

/// The JSON documents of a stream of server-sent events, `[DONE]` left out.
pub(crate) fn sse(body: &str) -> Vec<Value> {
    let data = body.lines().filter_map(|line| line.strip_prefix("data: ")).filter(|data| *data != "[DONE]");
    data.map(|data| serde_json::from_str(data).unwrap()).collect()
}
