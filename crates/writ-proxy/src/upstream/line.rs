//! Connections to AI services over HTTP/1.1: each belongs to one exchange at a time and makes progress only while that
//! one is looked at, so that a request costs no task and no change of tasks; between exchanges it is kept.

use std::collections::HashMap;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tokio::time::Instant;
use writ_engine::{Destination, UpstreamFailure};

use super::dial::{Dialer, Secured};
use super::{PermittedBody, chain};
use crate::limits;

/// The connections to all services.
#[derive(Clone)]
pub(super) struct Lines {
    dialer: Arc<Dialer>,
    idle: Arc<Mutex<Idle>>,
}

/// Connections that nobody uses at the moment.
#[derive(Default)]
struct Idle {
    /// Of each destination, the one used last at the end.
    lines: HashMap<Destination, Vec<(Line, Instant)>>,
    count: usize,
    /// Whether somebody closes those that were idle for too long.
    watched: bool,
}

/// One connection.
struct Line {
    sender: http1::SendRequest<PermittedBody>,
    connection: Option<http1::Connection<TokioIo<Secured>, PermittedBody>>,
}

/// The body of an answer over a connection of its own, which is kept when the answer is complete.
pub(super) struct LineBody {
    body: Incoming,
    line: Option<Line>,
    destination: Destination,
    lines: Lines,
}

impl Lines {
    pub(super) fn new(dialer: Arc<Dialer>) -> Self {
        Self { dialer, idle: Arc::default() }
    }

    /// Sends a request and waits for the head of the answer. A kept connection that the service closed meanwhile, before
    /// anything of the request was written, is followed by another one.
    pub(super) async fn send(
        &self,
        destination: Destination,
        mut request: Request<PermittedBody>,
    ) -> Result<Response<LineBody>, UpstreamFailure> {
        loop {
            let kept = self.take(&destination);
            let reused = kept.is_some();
            let mut line = match kept {
                Some(line) => line,
                None => Box::pin(self.dial(&destination)).await?,
            };
            match line.exchange(request).await {
                Ok(answer) => {
                    let lines = self.clone();
                    return Ok(answer.map(|body| LineBody { body, line: Some(line), destination, lines }));
                }
                Err(mut error) => match error.take_message().filter(|_| reused) {
                    Some(unsent) => request = unsent,
                    None => {
                        tracing::warn!(error = %chain(error.error()), "an AI service did not answer");
                        return Err(UpstreamFailure::Broken);
                    }
                },
            }
        }
    }

    async fn dial(&self, destination: &Destination) -> Result<Line, UpstreamFailure> {
        let secured = self.dialer.tls(&destination.host, destination.port, false).await?;
        let shaken = http1::handshake(TokioIo::new(secured)).await;
        let (sender, connection) = shaken.map_err(|_| UpstreamFailure::Unreachable)?;
        Ok(Line { sender, connection: Some(connection) })
    }

    /// A kept connection that is still open, as far as can be told.
    fn take(&self, destination: &Destination) -> Option<Line> {
        let mut idle = self.idle.lock();
        loop {
            let (mut line, _since) = idle.lines.get_mut(destination)?.pop()?;
            idle.count -= 1;
            if line.open() {
                return Some(line);
            }
        }
    }

    fn keep(&self, destination: Destination, line: Line) {
        let mut idle = self.idle.lock();
        if !limits::IDLE_ALL.admits(idle.count + 1) {
            return;
        }
        let lines = idle.lines.entry(destination).or_default();
        if !limits::IDLE.admits(lines.len() + 1) {
            return;
        }
        lines.push((line, Instant::now()));
        idle.count += 1;
        if !std::mem::replace(&mut idle.watched, true) {
            tokio::spawn(watch(Arc::downgrade(&self.idle)));
        }
    }
}

/// Closes connections that were idle for too long, or that their services closed, until nobody can use them any more.
async fn watch(idle: Weak<Mutex<Idle>>) {
    loop {
        tokio::time::sleep(limits::IDLE_TIME / 3).await;
        let Some(idle) = idle.upgrade() else { return };
        let mut idle = idle.lock();
        let now = Instant::now();
        idle.lines.retain(|_, lines| {
            lines.retain_mut(|(line, since)| now.duration_since(*since) < limits::IDLE_TIME && line.open());
            !lines.is_empty()
        });
        idle.count = idle.lines.values().map(Vec::len).sum();
    }
}

impl Line {
    /// Carries the connection on until it has to wait.
    fn advance(&mut self, context: &mut Context<'_>) {
        if let Some(connection) = &mut self.connection
            && Pin::new(connection).poll(context).is_ready()
        {
            // How it ended reaches whoever waits for the answer.
            self.connection = None;
        }
    }

    /// Whether a request can be sent over it: it is open, and the last exchange is complete.
    fn open(&mut self) -> bool {
        self.advance(&mut Context::from_waker(Waker::noop()));
        self.connection.is_some() && self.sender.is_ready()
    }

    async fn exchange(
        &mut self,
        request: Request<PermittedBody>,
    ) -> Result<Response<Incoming>, hyper::client::conn::TrySendError<Request<PermittedBody>>> {
        let mut answer = std::pin::pin!(self.sender.try_send_request(request));
        std::future::poll_fn(|context| {
            self.advance(context);
            answer.as_mut().poll(context)
        })
        .await
    }
}

impl Body for LineBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let this = &mut *self;
        let Some(line) = &mut this.line else { return Poll::Ready(None) };
        line.advance(context);
        let frame = std::task::ready!(Pin::new(&mut this.body).poll_frame(context));
        if frame.is_none()
            && let Some(mut line) = this.line.take()
            && line.open()
        {
            this.lines.keep(this.destination.clone(), line);
        }
        Poll::Ready(frame.map(|frame| frame.map_err(io::Error::other)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
