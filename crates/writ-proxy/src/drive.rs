//! Carries one interaction from request to outcome: feeds the engine, does what it says, in its order.
//!
//! An interaction that has begun reaches its outcome entry, also when the client goes away: the module `carry` says how.

use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};
use http::{Request, Response, StatusCode, Version};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body as _, Frame, Incoming};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::error::Elapsed;
use writ_base::{Clock, Moment, Sensitive};
use writ_engine::permit::CredentialHeader;
use writ_engine::{
    Command, Engine, Input, Inspection, Job, JudgedRequest, Opening, Permitted, Snapshot, TunnelEnd, TunnelOpening,
    TunnelVerdict, UpstreamFailure,
};
use writ_model::record::Ending;
use writ_model::{Note, Refusal, Unreadable};

use crate::carry::{Carrier, Gone, Reply};
use crate::limits;
use crate::live::Provider;
use crate::pipe::{Passed, splice};
use crate::recorder::Recorder;
use crate::upstream::{Arriving, Piece, Upstream};

/// The body of an answer to a client.
pub type AnswerBody = UnsyncBoxBody<Bytes, std::io::Error>;

/// What every interaction of an enforcement point needs.
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
    pub fn new(upstream: Upstream, recorder: Recorder, clock: Arc<dyn Clock>) -> Arc<Self> {
        let jobs = Arc::new(Semaphore::new(limits::JOBS.value()));
        let held = Arc::new(Semaphore::new(limits::HELD.value()));
        Arc::new(Self { upstream, recorder, clock, jobs, held })
    }
}

/// What is put on a cleared request before it is sent.
#[derive(Clone, Debug, Default)]
pub struct Dress {
    /// What stands before the path at the service.
    pub path_prefix: String,
    /// The organisation's credential, and the header that carries it.
    pub credential: Option<(CredentialHeader, Sensitive<String>)>,
    /// The organisation's tenant headers.
    pub tenant_headers: Vec<(HeaderName, HeaderValue)>,
}

impl Dress {
    /// What a provider of the gateway asks for.
    pub fn of(provider: &Provider) -> Self {
        let credential = provider.credential.clone().map(|credential| (provider.credential_header, credential));
        Self { path_prefix: provider.path_prefix.clone(), credential, tenant_headers: Vec::new() }
    }

    fn put_on(&self, mut request: Permitted<JudgedRequest>) -> Permitted<JudgedRequest> {
        request = request.with_path_prefix(&self.path_prefix).with_tenant_headers(&self.tenant_headers);
        match &self.credential {
            Some((header, credential)) => request.with_credential(*header, credential),
            None => request,
        }
    }
}

/// The body of a client's request, and the way to go on as another protocol.
#[derive(Debug)]
pub struct ClientBody {
    /// The body.
    pub body: Incoming,
    /// The connection itself, where the client asks for an upgrade and the server allows one.
    pub upgrade: Option<OnUpgrade>,
    /// Whether the client speaks HTTP/2.
    pub http2: bool,
}

impl ClientBody {
    /// Takes a request apart.
    pub fn take(mut request: Request<Incoming>) -> (http::request::Parts, Self) {
        let asked = request.headers().contains_key(http::header::UPGRADE);
        let upgrade = asked.then(|| hyper::upgrade::on(&mut request));
        let http2 = request.version() == Version::HTTP_2;
        let (parts, body) = request.into_parts();
        (parts, Self { body, upgrade, http2 })
    }
}

/// Runs an interaction; returns the answer for the client, whose body may still be arriving.
pub async fn run(
    edge: Arc<Edge>,
    engine: Arc<Engine>,
    snapshot: Arc<Snapshot>,
    opening: Opening,
    dress: Dress,
    client: ClientBody,
    place: OwnedSemaphorePermit,
) -> Response<AnswerBody> {
    let mut commands = Vec::new();
    let inspection = Inspection::begin(engine, snapshot, opening, edge.clock.now(), &mut commands);
    let ended_body = client.body.is_end_stream();
    let driver = |reply| Driver {
        edge,
        dress,
        inspection,
        reply,
        sending: None,
        answer: None,
        upload: None,
        upgrade: client.upgrade,
        http2: client.http2,
        upgraded: None,
        ended_body,
        blocks: Vec::new(),
        received: 0,
        _place: place,
    };
    let answer = Carrier::new(|reply| driver(reply).run(commands, client.body)).answer().await;
    answer.unwrap_or_else(|| plain(StatusCode::INTERNAL_SERVER_ERROR, "writ: the interaction ended without an answer"))
}

type Sending = Pin<Box<dyn Future<Output = Result<Response<Arriving>, UpstreamFailure>> + Send>>;

struct Driver {
    edge: Arc<Edge>,
    dress: Dress,
    inspection: Inspection,
    /// Where the answer goes.
    reply: Reply,
    /// The request on its way, until the answer begins.
    sending: Option<Sending>,
    /// The service's answer, while it is read.
    answer: Option<Arriving>,
    /// Where the pieces of a request's body go that streams.
    upload: Option<mpsc::Sender<Piece>>,
    /// Whether the client speaks HTTP/2.
    http2: bool,
    /// The client's connection, for an upgrade.
    upgrade: Option<OnUpgrade>,
    /// The service's connection, after an upgrade.
    upgraded: Option<OnUpgrade>,
    /// Whether the request has no body.
    ended_body: bool,
    /// What the held body takes of [`limits::HELD`].
    blocks: Vec<OwnedSemaphorePermit>,
    /// Bytes of the request's body so far.
    received: usize,
    /// One of the interactions that may run at the same time.
    _place: OwnedSemaphorePermit,
}

/// What happens next to an interaction.
enum Event {
    Input(Input),
    /// The head of the service's answer.
    Answer(Result<Response<Arriving>, UpstreamFailure>),
    /// Nothing that concerns the engine.
    Nothing,
}

impl Driver {
    async fn run(mut self, commands: Vec<Command>, body: Incoming) {
        let mut body = Some(body);
        self.carry_out(commands).await;
        while !self.inspection.ended() {
            match self.next(&mut body).await {
                Event::Input(input) => self.tell(input).await,
                Event::Answer(answer) => self.answered(answer).await,
                Event::Nothing => {}
            }
        }
    }

    /// Waits for whatever comes first: a piece of the request, the head or a piece of the answer, the client's leaving.
    async fn next(&mut self, body: &mut Option<Incoming>) -> Event {
        let Self { reply, sending, answer, upload, .. } = self;
        if body.is_none() && sending.is_none() && answer.is_none() {
            return Event::Input(Input::ClientGone);
        }
        let request = async {
            match body.as_mut() {
                Some(body) => {
                    if let Some(upload) = upload.as_ref() {
                        // A slow service slows the client down; a service that reads no more ends the upload.
                        let _room = upload.reserve().await;
                    }
                    tokio::time::timeout(limits::BODY_TIMEOUT, body.frame()).await
                }
                None => std::future::pending().await,
            }
        };
        let head_of_answer = async {
            match sending.as_mut() {
                Some(sending) => sending.await,
                None => std::future::pending().await,
            }
        };
        let piece_of_answer = async {
            match answer.as_mut() {
                Some(answer) => tokio::time::timeout(limits::ANSWER_TIMEOUT, answer.frame()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = reply.gone() => Event::Input(Input::ClientGone),
            answer = head_of_answer => Event::Answer(answer),
            frame = piece_of_answer => self.answer_piece(frame),
            frame = request => self.request_piece(frame, body),
        }
    }

    fn request_piece(
        &mut self,
        frame: Result<Option<Result<Frame<Bytes>, hyper::Error>>, Elapsed>,
        body: &mut Option<Incoming>,
    ) -> Event {
        let input = match frame {
            Err(_elapsed) => Input::BodyFailed(Unreadable::Timeout),
            Ok(Some(Err(_broken))) => Input::ClientGone,
            Ok(None) => Input::BodyEnd,
            Ok(Some(Ok(frame))) => match frame.into_data() {
                Ok(bytes) => {
                    self.received += bytes.len();
                    match self.inspection.streams() || self.hold() {
                        true => Input::Body(bytes),
                        false => Input::BodyFailed(Unreadable::Overload),
                    }
                }
                Err(_trailers) => return Event::Nothing,
            },
        };
        if !matches!(input, Input::Body(_)) {
            *body = None;
        }
        Event::Input(input)
    }

    fn answer_piece(&mut self, frame: Result<Option<Result<Frame<Bytes>, std::io::Error>>, Elapsed>) -> Event {
        let input = match frame {
            Err(_elapsed) => Input::AnswerFailed(UpstreamFailure::Timeout),
            Ok(None) => Input::AnswerEnd,
            Ok(Some(Err(_broken))) => Input::AnswerFailed(UpstreamFailure::Broken),
            Ok(Some(Ok(frame))) => match frame.into_data() {
                Ok(bytes) => return Event::Input(Input::AnswerBody(bytes)),
                Err(_trailers) => return Event::Nothing,
            },
        };
        self.answer = None;
        Event::Input(input)
    }

    async fn answered(&mut self, answer: Result<Response<Arriving>, UpstreamFailure>) {
        self.sending = None;
        self.blocks.clear();
        let input = match answer {
            Err(failure) => Input::AnswerFailed(failure),
            Ok(mut answer) => {
                if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
                    self.upgraded = Some(hyper::upgrade::on(&mut answer));
                }
                let (parts, body) = answer.into_parts();
                self.answer = self.upgraded.is_none().then_some(body);
                Input::AnswerHead { status: parts.status.as_u16(), headers: parts.headers }
            }
        };
        self.tell(input).await;
    }

    fn now(&self) -> Moment {
        self.edge.clock.now()
    }

    /// One input, and all that follows from it.
    async fn tell(&mut self, input: Input) {
        let mut commands = Vec::new();
        self.inspection.step(input, self.edge.clock.now(), &mut commands);
        self.carry_out(commands).await;
        if self.inspection.streams() {
            self.blocks.clear();
        }
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
            // What happens seldom is boxed: every interaction would carry room for it.
            Command::Run(job) => return Some(Box::pin(run_job(Arc::clone(&self.edge.jobs), job)).await),
            Command::Append(new) => return Some(Input::Recorded(self.edge.recorder.decision(*new, self.now()).await)),
            Command::Acknowledge(acknowledgement) => {
                Box::pin(self.edge.recorder.acknowledgement(*acknowledgement)).await;
            }
            Command::NoticeShown { principal, service } => {
                Box::pin(self.edge.recorder.notice(principal, &service, self.now())).await;
            }
            Command::Forward(request) => self.forward(*request),
            Command::Send(chunk) => self.upload(Piece::Chunk(*chunk)).await,
            Command::SendEnd => {
                self.upload(Piece::End).await;
                self.upload = None;
            }
            Command::Respond(response) => {
                let mut answer = Response::new(response.body);
                *answer.status_mut() = StatusCode::from_u16(response.status).unwrap_or(StatusCode::FORBIDDEN);
                *answer.headers_mut() = response.headers;
                self.reply.whole(answer);
            }
            Command::AnswerHead { status, headers, note } => self.answer_head(status, headers, note),
            Command::Deliver(bytes) => {
                if self.reply.piece(bytes).await == Err(Gone) {
                    return Some(Input::ClientGone);
                }
            }
            Command::Upgrade(headers) => return Some(Box::pin(self.pipe(headers)).await),
            Command::Finish => self.reply.finish(),
            Command::StopUpstream => {
                (self.answer, self.sending, self.upload) = (None, None, None);
            }
            Command::End(outcome) => {
                self.reply.finish();
                self.edge.recorder.outcome(&outcome, self.now()).await;
            }
        }
        None
    }

    fn forward(&mut self, request: Permitted<JudgedRequest>) {
        let request = self.dress.put_on(request);
        let pieces = (self.inspection.streams() && !self.ended_body).then(|| {
            let (sender, receiver) = mpsc::channel(limits::UPLOAD.value());
            self.upload = Some(sender);
            receiver
        });
        let (edge, http2) = (Arc::clone(&self.edge), self.http2);
        self.sending = Some(Box::pin(async move { edge.upstream.send(request, pieces, http2).await }));
    }

    /// Gives a piece to the sender. There is room: it was waited for before the piece was read. A sender that reads no
    /// more has failed, and says so itself.
    async fn upload(&mut self, piece: Piece) {
        let Some(upload) = &self.upload else { return };
        let (upload, sending) = (upload.clone(), &mut self.sending);
        tokio::select! {
            biased;
            _given = upload.send(piece) => {}
            answer = async { match sending.as_mut() { Some(sending) => sending.await, None => std::future::pending().await } } => {
                self.sending = Some(Box::pin(std::future::ready(answer)));
            }
        }
    }

    /// Tells the client that the upgrade was taken and passes bytes in both directions until both ends are done.
    async fn pipe(&mut self, headers: http::HeaderMap) -> Input {
        let mut answer = Response::new(Bytes::new());
        *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        *answer.headers_mut() = headers;
        self.reply.whole(answer);
        let (Some(client), Some(service)) = (self.upgrade.take(), self.upgraded.take()) else {
            return Input::Piped { up: 0, down: 0 };
        };
        let (Ok(client), Ok(service)) = tokio::join!(client, service) else { return Input::Piped { up: 0, down: 0 } };
        let (client, service) = (TokioIo::new(client), TokioIo::new(service));
        let Passed { up, down } = splice(client, service, std::future::pending()).await;
        Input::Piped { up, down }
    }

    fn answer_head(&mut self, status: u16, headers: http::HeaderMap, note: Option<Note>) {
        let mut answer = Response::new(());
        *answer.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
        *answer.headers_mut() = headers;
        if let Some(value) = note.and_then(|note| HeaderValue::try_from(ascii(&note.text)).ok()) {
            answer.headers_mut().insert(HeaderName::from_static("writ-note"), value);
        }
        self.reply.begin(answer);
    }

    /// Takes the blocks that the body so far needs; `false` if there are none left. They are given back when the
    /// prompt has gone its way.
    fn hold(&mut self) -> bool {
        while self.blocks.len() * limits::BLOCK < self.received {
            match Arc::clone(&self.edge.held).try_acquire_owned() {
                Ok(block) => self.blocks.push(block),
                Err(_none_left) => {
                    limits::HELD.hit();
                    return false;
                }
            }
        }
        true
    }
}

/// Runs a reading job off the event loop; at its deadline it counts as late, and its result is dropped.
async fn run_job(jobs: Arc<Semaphore>, job: Job) -> Input {
    let id = job.id();
    let work = async {
        let _permit = jobs.acquire().await;
        tokio::task::spawn_blocking(move || job.run()).await
    };
    match tokio::time::timeout(writ_engine::limits::JOB_DEADLINE, work).await {
        Ok(Ok(done)) => Input::Done(Box::new(done)),
        Ok(Err(_)) | Err(_) => Input::Late(id),
    }
}

/// A connection to an AI service that is passed on unopened: judged, recorded, connected.
pub struct Tunnel {
    /// The connection to the service.
    pub stream: TcpStream,
    /// Its open record.
    pub record: TunnelRecord,
}

/// The open record of a tunnel. One that is dropped is closed as left by the client.
pub struct TunnelRecord(Option<OpenRecord>);

struct OpenRecord {
    recorder: Recorder,
    clock: Arc<dyn Clock>,
    end: TunnelEnd,
}

impl TunnelRecord {
    /// Writes the outcome: to be called when the connection has ended.
    pub async fn finish(mut self, ending: Ending, bytes_up: u64, bytes_down: u64) {
        if let Some(open) = self.0.take() {
            open.close(ending, bytes_up, bytes_down).await;
        }
    }
}

impl Drop for TunnelRecord {
    fn drop(&mut self) {
        if let Some(open) = self.0.take()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(async move { open.close(Ending::ClientGone, 0, 0).await });
        }
    }
}

impl OpenRecord {
    async fn close(self, ending: Ending, bytes_up: u64, bytes_down: u64) {
        let now = self.clock.now();
        self.recorder.outcome(&self.end.outcome(ending, bytes_up, bytes_down, now), now).await;
    }
}

/// Why a tunnel did not come about; its record is complete.
#[derive(Debug)]
pub struct TunnelRefused {
    /// What the policy says.
    pub refusal: Option<Refusal>,
    /// What went wrong on the way to the service.
    pub failure: Option<UpstreamFailure>,
}

/// Judges a tunnel, records it and connects.
///
/// # Errors
/// If the policy or the ledger does not let it pass, or the service cannot be reached.
pub async fn tunnel(
    edge: &Edge,
    engine: &Arc<Engine>,
    snapshot: &Arc<Snapshot>,
    opening: TunnelOpening,
) -> Result<Tunnel, TunnelRefused> {
    let now = edge.clock.now();
    let TunnelVerdict { new, end, permit, refusal } = engine.tunnel(snapshot, opening, now);
    let recorder = edge.recorder.clone();
    let written = recorder.decision(new, now).await || engine.ledger_fail_open();
    let ended = async |ending| {
        let now = edge.clock.now();
        recorder.outcome(&end.outcome(ending, 0, 0, now), now).await;
    };
    let Some(permit) = permit.filter(|_| written) else {
        ended(if refusal.is_some() { Ending::Refused } else { Ending::Failed }).await;
        return Err(TunnelRefused { refusal, failure: None });
    };
    match edge.upstream.tunnel(permit).await {
        Ok(stream) => {
            let open = OpenRecord { recorder, clock: Arc::clone(&edge.clock), end };
            Ok(Tunnel { stream, record: TunnelRecord(Some(open)) })
        }
        Err(failure) => {
            ended(Ending::UpstreamFailed).await;
            Err(TunnelRefused { refusal: None, failure: Some(failure) })
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
    let body = Full::new(Bytes::copy_from_slice(text.as_bytes())).map_err(|never| match never {}).boxed_unsync();
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    answer
}

/// Header values are ASCII: other characters become `?`.
fn ascii(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' }).collect()
}
