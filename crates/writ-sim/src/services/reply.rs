//! An answer before it is put on the wire, and the body that puts it there with delays and faults.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::Sleep;

use super::directive::{Delivery, Fault};

/// Time between the last bytes and the cut of a dropped answer, so that the bytes before it leave the process.
const DROP_DELAY: Duration = Duration::from_millis(20);
const GARBAGE_EVENT: &[u8] = b"data: {\"broken\": [1, \"unterminated}\n\n";
const GARBAGE_TAIL: &[u8] = b"\x00<<< not json";

/// An answer of a simulated service.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) content_type: &'static str,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) payload: Payload,
    pub(crate) delivery: Delivery,
}

/// What an answer holds.
#[derive(Debug)]
pub(crate) enum Payload {
    Document(String),
    Bytes(Bytes),
    Events {
        pieces: Vec<Bytes>,
        /// The provider's error event, for [`Fault::ErrorEvent`].
        error_event: Bytes,
    },
}

pub(crate) const JSON: &str = "application/json";
pub(crate) const EVENT_STREAM: &str = "text/event-stream; charset=utf-8";

impl Reply {
    pub(crate) fn document(status: StatusCode, document: String) -> Self {
        let payload = Payload::Document(document);
        Self { status, content_type: JSON, headers: Vec::new(), payload, delivery: Delivery::default() }
    }

    pub(crate) fn events(pieces: Vec<Bytes>, error_event: Bytes) -> Self {
        let payload = Payload::Events { pieces, error_event };
        let headers = vec![("cache-control", "no-cache".to_owned())];
        let delivery = Delivery::default();
        Self { status: StatusCode::OK, content_type: EVENT_STREAM, headers, payload, delivery }
    }

    pub(crate) fn with_header(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    pub(crate) fn delivered(mut self, delivery: Delivery) -> Self {
        self.delivery = delivery;
        self
    }

    /// The response as it goes out, with the faults of its delivery.
    pub(crate) fn into_response(self) -> Response<ReplyBody> {
        let dropped = self.delivery.fault == Some(Fault::Drop);
        let streamed = matches!(self.payload, Payload::Events { .. });
        let mut pieces = faulty_pieces(self.payload, self.delivery.fault);
        let mut encoding = self.delivery.encoding;
        if let Some(coding) = encoding {
            match coding.encode(pieces.clone()) {
                Ok(encoded) => pieces = encoded,
                // Writing to memory does not fail; if it ever does, the answer goes out as it is.
                Err(_) => encoding = None,
            }
        }
        let whole_bytes: usize = pieces.iter().map(Bytes::len).sum();
        if dropped {
            pieces = first_half(pieces, streamed);
        }
        if let Some(size) = self.delivery.chop_bytes {
            pieces = chopped(pieces, size);
        }
        pieces.retain(|piece| !piece.is_empty());
        let mut response = Response::new(ReplyBody {
            pieces: pieces.into(),
            delay: Duration::from_millis(self.delivery.delay_ms),
            sleep: None,
            dropped,
        });
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        if !streamed {
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(whole_bytes));
        }
        if let Some(encoding) = encoding {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding.name()));
        }
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
        response
    }
}

fn faulty_pieces(payload: Payload, fault: Option<Fault>) -> Vec<Bytes> {
    match (payload, fault) {
        (Payload::Document(document), Some(Fault::Garbage)) => {
            let bytes = Bytes::from(document);
            vec![bytes.slice(..bytes.len() / 2), Bytes::from_static(GARBAGE_TAIL)]
        }
        (Payload::Document(document), _) => vec![Bytes::from(document)],
        (Payload::Bytes(bytes), _) => vec![bytes],
        (Payload::Events { mut pieces, .. }, Some(Fault::Garbage)) => {
            let middle = pieces.len() / 2;
            if let Some(piece) = pieces.get_mut(middle) {
                *piece = Bytes::from_static(GARBAGE_EVENT);
            }
            pieces
        }
        (Payload::Events { mut pieces, error_event }, Some(Fault::ErrorEvent)) => {
            pieces.truncate(pieces.len() / 2);
            pieces.push(error_event);
            pieces
        }
        (Payload::Events { pieces, .. }, _) => pieces,
    }
}

/// Half of the events of a stream, or half of the bytes of a document.
fn first_half(mut pieces: Vec<Bytes>, streamed: bool) -> Vec<Bytes> {
    if streamed {
        pieces.truncate(pieces.len().div_ceil(2));
        return pieces;
    }
    let whole = Bytes::from(pieces.concat());
    vec![whole.slice(..whole.len() / 2)]
}

fn chopped(pieces: Vec<Bytes>, size: usize) -> Vec<Bytes> {
    let whole = Bytes::from(pieces.concat());
    (0..whole.len()).step_by(size).map(|start| whole.slice(start..whole.len().min(start + size))).collect()
}

/// A body of prepared pieces, each after a delay, ended cleanly or by a cut connection.
#[derive(Debug)]
pub(crate) struct ReplyBody {
    pieces: VecDeque<Bytes>,
    delay: Duration,
    sleep: Option<Pin<Box<Sleep>>>,
    dropped: bool,
}

impl ReplyBody {
    /// No bytes at all.
    pub(crate) fn empty() -> Self {
        Self { pieces: VecDeque::new(), delay: Duration::ZERO, sleep: None, dropped: false }
    }

    /// Waits for `delay` before the next step; ready once it has passed.
    fn wait(&mut self, delay: Duration, context: &mut Context<'_>) -> Poll<()> {
        if delay.is_zero() {
            return Poll::Ready(());
        }
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep(delay)));
        let poll = sleep.as_mut().poll(context);
        if poll.is_ready() {
            self.sleep = None;
        }
        poll
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let delay = if self.pieces.is_empty() { Duration::ZERO } else { self.delay };
        if self.wait(delay, context).is_pending() {
            return Poll::Pending;
        }
        if let Some(piece) = self.pieces.pop_front() {
            return Poll::Ready(Some(Ok(Frame::data(piece))));
        }
        if !self.dropped {
            return Poll::Ready(None);
        }
        if self.wait(DROP_DELAY, context).is_pending() {
            return Poll::Pending;
        }
        Poll::Ready(Some(Err(io::Error::new(io::ErrorKind::ConnectionReset, "dropped by directive"))))
    }

    fn is_end_stream(&self) -> bool {
        self.pieces.is_empty() && !self.dropped
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}
