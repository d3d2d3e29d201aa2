//! The body of a client's request.
//!
//! An answer may be given before the request is complete: a refusal by the head, a body over the cap. Whoever then stops
//! reading has the system reset the connection, and a client that is still sending loses the answer with it (RFC 9112
//! section 9.6). So a body that is dropped before its end is read on and discarded, within a bound of bytes and time.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::EXPECT;
use http::{HeaderMap, Request};
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame, Incoming, SizeHint};

use crate::limits;

/// The body of a client's request. Dropped before its end, it is read on and discarded.
#[derive(Debug)]
pub struct RequestBody {
    /// Nothing once it has ended.
    incoming: Option<Incoming>,
    /// Whether the client waits to be told to send it. Then nothing is on its way, and reading would ask for it.
    awaits: bool,
}

/// What a client is told, and a log says, of a body that did not come whole.
pub(crate) const BROKE_OFF: &str = "the request's body broke off before it was complete";

/// A body that did not come whole: the client broke off, or its framing makes no sense.
#[derive(Debug, thiserror::Error)]
#[error("{BROKE_OFF}")]
pub struct BrokeOff(#[source] hyper::Error);

/// Takes a request from its connection.
pub fn taken(request: Request<Incoming>) -> Request<RequestBody> {
    let awaits = expects_continue(request.headers());
    request.map(|body| {
        let incoming = (!body.is_end_stream()).then_some(body);
        RequestBody { incoming, awaits }
    })
}

/// Whether a client sends its body only when it is asked to (RFC 9110 section 10.1.1).
fn expects_continue(headers: &HeaderMap) -> bool {
    headers.get(EXPECT).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"))
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BrokeOff;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BrokeOff>>> {
        self.awaits = false;
        let Some(incoming) = &mut self.incoming else { return Poll::Ready(None) };
        let polled = std::task::ready!(Pin::new(incoming).poll_frame(cx));
        if !matches!(polled, Some(Ok(_))) {
            self.incoming = None;
        }
        Poll::Ready(polled.map(|frame| frame.map_err(BrokeOff)))
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        if let Some(incoming) = self.incoming.take()
            && !self.awaits
            && !incoming.is_end_stream()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(discard(incoming));
        }
    }
}

/// Reads on to the end of a body, as far as its bounds go.
async fn discard(mut body: Incoming) {
    let all = async {
        let mut read = 0;
        while let Some(Ok(frame)) = body.frame().await {
            read += frame.data_ref().map_or(0, Bytes::len);
            if !limits::DISCARDED.admits(read) {
                break;
            }
        }
    };
    let _in_time = tokio::time::timeout(limits::DISCARD_TIMEOUT, all).await;
}
