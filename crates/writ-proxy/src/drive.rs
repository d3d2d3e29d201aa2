//! Carries one interaction from request to outcome: feeds the engine, does what it says, in its order.
//!
//! The interaction runs in a task of its own, so that it reaches its outcome entry also when the client goes away.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};
use http::{Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Frame, Incoming};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use writ_base::{Clock, Moment};
use writ_engine::permit::CredentialHeader;
use writ_engine::{Command, Engine, Input, Inspection, Job, Opening, Snapshot, UpstreamFailure};
use writ_model::{Note, Unreadable};

use crate::limits;
use crate::live::Provider;
use crate::recorder::Recorder;
use crate::upstream::Upstream;

/// The body of an answer to a client.
pub type AnswerBody = BoxBody<Bytes, std::io::Error>;

/// What every interaction of an enforcement point needs.
#[derive(Clone)]
pub struct Edge {
    /// The sender to AI services.
    pub upstream: Upstream,
    /// The writer of entries.
    pub recorder: Recorder,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Reading jobs that may run at the same time.
    pub jobs: Arc<Semaphore>,
    /// Bytes of prompts that may be held at the same time, in blocks of [`limits::BLOCK`].
    pub held: Arc<Semaphore>,
}

impl Edge {
    /// What interactions need, with the named limits on jobs and held bytes.
    pub fn new(upstream: Upstream, recorder: Recorder, clock: Arc<dyn Clock>) -> Self {
        let jobs = Arc::new(Semaphore::new(limits::JOBS.value()));
        let held = Arc::new(Semaphore::new(limits::HELD.value()));
        Self { upstream, recorder, clock, jobs, held }
    }
}

/// Runs an interaction; returns the answer for the client, whose body may still be arriving.
pub async fn run(
    edge: Edge,
    engine: Arc<Engine>,
    snapshot: Arc<Snapshot>,
    opening: Opening,
    provider: Provider,
    body: Incoming,
    place: OwnedSemaphorePermit,
) -> Response<AnswerBody> {
    let (head, answer) = oneshot::channel();
    let mut commands = Vec::new();
    let inspection = Inspection::begin(engine, snapshot, opening, edge.clock.now(), &mut commands);
    let driver = Driver { edge, provider, inspection, head: Some(head), pieces: None, answer: None, _place: place };
    tokio::spawn(driver.run(commands, body));
    answer
        .await
        .unwrap_or_else(|_| plain(StatusCode::INTERNAL_SERVER_ERROR, "writ: the interaction ended without an answer"))
}

struct Driver {
    edge: Edge,
    provider: Provider,
    inspection: Inspection,
    /// Where the head of the answer goes, until it has gone.
    head: Option<oneshot::Sender<Response<AnswerBody>>>,
    /// Where the pieces of the answer's body go.
    pieces: Option<mpsc::Sender<Result<Frame<Bytes>, std::io::Error>>>,
    /// The service's answer, while it is read.
    answer: Option<Incoming>,
    /// One of the interactions that may run at the same time.
    _place: OwnedSemaphorePermit,
}

impl Driver {
    async fn run(mut self, commands: Vec<Command>, body: Incoming) {
        self.carry_out(commands).await;
        if !self.inspection.ended() {
            self.receive(body).await;
        }
        while let Some(answer) = self.answer.take() {
            self.relay(answer).await;
        }
        if !self.inspection.ended() {
            self.tell(Input::ClientGone).await;
        }
    }

    fn now(&self) -> Moment {
        self.edge.clock.now()
    }

    /// One input, and all that follows from it.
    async fn tell(&mut self, input: Input) {
        let mut commands = Vec::new();
        self.inspection.step(input, self.edge.clock.now(), &mut commands);
        self.carry_out(commands).await;
    }

    async fn carry_out(&mut self, commands: Vec<Command>) {
        let mut waiting: std::collections::VecDeque<_> = commands.into();
        while let Some(command) = waiting.pop_front() {
            let Some(input) = self.one(command).await else { continue };
            let mut more = Vec::new();
            self.inspection.step(input, self.now(), &mut more);
            waiting.extend(more);
        }
    }

    /// Does one thing; returns what the engine must be told about it.
    async fn one(&mut self, command: Command) -> Option<Input> {
        match command {
            Command::Run(job) => return Some(self.job(job).await),
            Command::Append(new) => return Some(Input::Recorded(self.edge.recorder.decision(*new, self.now()).await)),
            Command::Acknowledge(acknowledgement) => self.edge.recorder.acknowledgement(*acknowledgement).await,
            Command::Forward(request) => return Some(self.forward(*request).await),
            Command::Respond(response) => {
                let mut answer = Response::new(Full::new(response.body).map_err(|never| match never {}).boxed());
                *answer.status_mut() = StatusCode::from_u16(response.status).unwrap_or(StatusCode::FORBIDDEN);
                *answer.headers_mut() = response.headers;
                self.begin(answer);
            }
            Command::AnswerHead { status, headers, note } => self.answer_head(status, headers, note),
            Command::Deliver(bytes) => {
                if let Some(pieces) = &self.pieces
                    && pieces.send(Ok(Frame::data(bytes))).await.is_err()
                {
                    self.pieces = None;
                    return Some(Input::ClientGone);
                }
            }
            Command::Send(_) | Command::SendEnd | Command::Upgrade(_) | Command::NoticeShown { .. } => {}
            Command::Finish => self.pieces = None,
            Command::StopUpstream => self.answer = None,
            Command::End(outcome) => {
                self.pieces = None;
                self.edge.recorder.outcome(&outcome, self.now()).await;
            }
        }
        None
    }

    fn begin(&mut self, answer: Response<AnswerBody>) {
        if let Some(head) = self.head.take() {
            // A client that is gone does not get its answer; the interaction ends all the same.
            let _gone = head.send(answer);
        }
    }

    fn answer_head(&mut self, status: u16, headers: http::HeaderMap, note: Option<Note>) {
        let (pieces, body) = mpsc::channel(limits::PIECES.value());
        let mut answer = Response::new(Pieces(body).boxed());
        *answer.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
        *answer.headers_mut() = headers;
        if let Some(value) = note.and_then(|note| HeaderValue::try_from(ascii(&note.text)).ok()) {
            answer.headers_mut().insert(HeaderName::from_static("writ-note"), value);
        }
        self.pieces = Some(pieces);
        self.begin(answer);
    }

    /// The request's body, to its end or to the engine's last word.
    async fn receive(&mut self, mut body: Incoming) {
        let (mut received, mut blocks) = (0, Vec::new());
        while !self.inspection.ended() {
            let frame = tokio::time::timeout(limits::BODY_TIMEOUT, body.frame()).await;
            let input = match frame {
                Err(_elapsed) => Input::BodyFailed(Unreadable::Timeout),
                Ok(Some(Err(_broken))) => Input::ClientGone,
                Ok(Some(Ok(frame))) => match frame.into_data() {
                    Ok(bytes) => {
                        received += bytes.len();
                        match self.hold(received, &mut blocks) {
                            true => Input::Body(bytes),
                            false => Input::BodyFailed(Unreadable::Overload),
                        }
                    }
                    Err(_trailers) => continue,
                },
                Ok(None) => {
                    self.tell(Input::BodyEnd).await;
                    return;
                }
            };
            let last = !matches!(input, Input::Body(_));
            self.tell(input).await;
            if last {
                return;
            }
        }
    }

    /// Takes the blocks that a body of so many bytes needs; `false` if there are none left. They are given back when
    /// the prompt has gone its way.
    fn hold(&self, received: usize, blocks: &mut Vec<OwnedSemaphorePermit>) -> bool {
        while blocks.len() * limits::BLOCK < received {
            match Arc::clone(&self.edge.held).try_acquire_owned() {
                Ok(block) => blocks.push(block),
                Err(_none_left) => {
                    limits::HELD.hit();
                    return false;
                }
            }
        }
        true
    }

    /// Runs a reading job off the event loop; at its deadline it counts as late, and its result is dropped.
    async fn job(&self, job: Job) -> Input {
        let id = job.id();
        let work = async {
            let _permit = self.edge.jobs.acquire().await;
            tokio::task::spawn_blocking(move || job.run()).await
        };
        match tokio::time::timeout(writ_engine::limits::JOB_DEADLINE, work).await {
            Ok(Ok(done)) => Input::Done(Box::new(done)),
            Ok(Err(_)) | Err(_) => Input::Late(id),
        }
    }

    async fn forward(&mut self, request: writ_engine::Permitted<writ_engine::JudgedRequest>) -> Input {
        let provider = &self.provider;
        let mut request = request.with_path_prefix(&provider.path_prefix);
        if let Some(credential) = &provider.credential {
            request = request.with_credential(provider.credential_header, credential);
        }
        let sending = self.edge.upstream.send(request);
        let gone = async {
            match &mut self.head {
                Some(head) => head.closed().await,
                None => std::future::pending().await,
            }
        };
        let answer = tokio::select! {
            answer = sending => answer,
            () = gone => return Input::ClientGone,
        };
        match answer {
            Err(failure) => Input::AnswerFailed(failure),
            Ok(answer) => {
                let (parts, body) = answer.into_parts();
                self.answer = Some(body);
                Input::AnswerHead { status: parts.status.as_u16(), headers: parts.headers }
            }
        }
    }

    /// The service's answer, to its end or to the engine's last word.
    async fn relay(&mut self, mut answer: Incoming) {
        while !self.inspection.ended() {
            let next = async {
                match &self.pieces {
                    Some(pieces) => tokio::select! {
                        frame = answer.frame() => Some(frame),
                        () = pieces.closed() => None,
                    },
                    None => Some(answer.frame().await),
                }
            };
            let input = match tokio::time::timeout(limits::ANSWER_TIMEOUT, next).await {
                Err(_elapsed) => Input::AnswerFailed(UpstreamFailure::Timeout),
                Ok(None) => Input::ClientGone,
                Ok(Some(None)) => Input::AnswerEnd,
                Ok(Some(Some(Err(_broken)))) => Input::AnswerFailed(UpstreamFailure::Broken),
                Ok(Some(Some(Ok(frame)))) => match frame.into_data() {
                    Ok(bytes) => Input::AnswerBody(bytes),
                    Err(_trailers) => continue,
                },
            };
            self.tell(input).await;
        }
    }
}

/// How a provider's credential header is named in configuration: `bearer`, or the header's name.
pub fn credential_header(name: &str) -> Option<CredentialHeader> {
    match name {
        "bearer" => Some(CredentialHeader::Bearer),
        "x-api-key" => Some(CredentialHeader::Named("x-api-key")),
        "x-goog-api-key" => Some(CredentialHeader::Named("x-goog-api-key")),
        "api-key" => Some(CredentialHeader::Named("api-key")),
        _ => None,
    }
}

/// A short answer of the edge itself, outside any interaction.
pub fn plain(status: StatusCode, text: &str) -> Response<AnswerBody> {
    let body = Full::new(Bytes::copy_from_slice(text.as_bytes())).map_err(|never| match never {}).boxed();
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    answer
}

/// Header values are ASCII: other characters become `?`.
fn ascii(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' }).collect()
}

/// The pieces of an answer as a body.
struct Pieces(mpsc::Receiver<Result<Frame<Bytes>, std::io::Error>>);

impl Body for Pieces {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        self.0.poll_recv(cx)
    }
}
