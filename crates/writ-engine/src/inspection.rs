//! The life of one interaction, as a state machine without I/O.
//!
//! ```text
//! begin ─► early verdict? ─► Receiving ─► Reading (job if long) ─► judge ─► Recording ─► Awaiting ─► Answering ─► Ended
//!             │                  └► no reader for it: judge, then the body streams          └► Piping (WebSocket) ─┘
//!             ├► Recording ─► Ended (refused)                        └► Recording ─► Ended (refused)
//!             └► content is not read: Recording ─► Awaiting, the body streams
//! ```
//! Each step does a bounded amount of work. A panic inside a step or job poisons the inspection: from then on it can
//! only refuse, write its outcome and end. Nothing leaves before its decision entry is written.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use writ_base::Moment;
use writ_base::telemetry::Counter;
use writ_model::interaction::{ConversationId, InteractionId};
use writ_model::record::{Ending, OutcomeSkeleton, Regardless};
use writ_model::schema::Stage;
use writ_model::verdict::Verdict;
use writ_model::{Action, Direction, Fact, Facts, Note, Unreadable};
use writ_policy::eval::{AnswerDuty, Staged};
use writ_protocol::Endpoint;

use crate::commands::{Command, Input, Job, JobDone, JobId, NewDecision, Response, UpstreamFailure};
use crate::engine::Engine;
use crate::exchange::Exchange;
use crate::judging::Stopped;
use crate::limits;
use crate::opening::Opening;
use crate::permit::{Chunk, Grounds, JudgedRequest, Permit, Permitted};
use crate::reading::{Reading, Work};
use crate::snapshot::Snapshot;
use crate::stops::KeptStop;
use crate::vault::Compartment;
use crate::{record, situation};

/// One interaction.
#[derive(Debug)]
pub struct Inspection {
    pub(crate) context: Context,
    pub(crate) state: State,
    started: Moment,
    /// When the prompt was complete, as far as its verdict needs it.
    complete: Moment,
    judged_us: u64,
    jobs: u32,
    sent: u64,
    /// Whether the decision entry of the prompt was asked to be written.
    decided: bool,
    /// The prompt's body, while it is sent on as it comes.
    upload: Option<Upload>,
}

/// What does not change during an interaction.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) engine: Arc<Engine>,
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) opening: Opening,
    pub(crate) interaction: InteractionId,
}

#[derive(Debug)]
pub(crate) enum State {
    /// The prompt's body arrives.
    Receiving(BytesMut),
    /// A job reads it.
    Reading(JobId, Bytes),
    /// The decision entry is being written; afterwards this happens.
    Recording(Box<Next>),
    /// The request is on its way.
    Awaiting(Box<Sent>),
    /// The answer comes back.
    Answering(Box<Exchange>),
    /// Bytes pass in both directions.
    Piping,
    /// Over.
    Ended,
}

#[derive(Debug)]
pub(crate) enum Next {
    Forward {
        request: Box<Permitted<JudgedRequest>>,
        sent: Box<Sent>,
        /// The body that follows, where it streams.
        upload: Option<Upload>,
    },
    Refuse {
        response: Box<Response>,
        kept: Box<KeptStop>,
    },
    /// The notice of first use.
    Notice(Box<Response>),
}

/// A body that is sent on as it comes.
#[derive(Debug)]
pub(crate) struct Upload {
    pub(crate) grounds: Grounds,
    /// What has arrived before the decision was written.
    pub(crate) held: BytesMut,
    pub(crate) complete: bool,
}

/// How much of a prompt is there when it is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// All of it.
    Whole,
    /// Its beginning, which tells that the rest has no reader.
    Begun,
}

/// What the answer side needs to know of the prompt side.
pub(crate) struct Sent {
    pub(crate) compartment: Option<Arc<Compartment>>,
    pub(crate) verdict: Verdict,
    pub(crate) facts: Facts,
    pub(crate) note: Option<Note>,
    /// Whether the notice of first use is due.
    pub(crate) first_use: bool,
    /// What the answer needs.
    pub(crate) duty: AnswerDuty,
    pub(crate) structured: bool,
    pub(crate) conversation: Option<ConversationId>,
    pub(crate) upgrade: bool,
    pub(crate) bytes_up: u64,
}

impl std::fmt::Debug for Sent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sent").field("bytes_up", &self.bytes_up).finish_non_exhaustive()
    }
}

impl Inspection {
    /// Opens an interaction. If no fact of the body can change that it is blocked, it is refused at once: the first
    /// commands say so, and the edge need not read the body. Where the content is not read, the verdict is taken now
    /// and the body streams.
    pub fn begin(
        engine: Arc<Engine>,
        snapshot: Arc<Snapshot>,
        opening: Opening,
        now: Moment,
        out: &mut Vec<Command>,
    ) -> Self {
        engine.tick(now);
        let interaction = InteractionId::new(now, &*engine.options.randomness);
        let context = Context { engine, snapshot, opening, interaction };
        let mut inspection = Self {
            context,
            state: State::Receiving(BytesMut::new()),
            started: now,
            complete: now,
            judged_us: 0,
            jobs: 0,
            sent: 0,
            decided: false,
            upload: None,
        };
        inspection.guarded(now, out, |inspection, out| inspection.early(now, out));
        inspection
    }

    /// Which interaction.
    pub fn id(&self) -> InteractionId {
        self.context.interaction
    }

    /// Whether it is over: no input has an effect any more.
    pub fn ended(&self) -> bool {
        matches!(self.state, State::Ended)
    }

    /// Whether the prompt's body is sent on as it comes: then nothing of it is held here.
    pub fn streams(&self) -> bool {
        self.upload.is_some()
    }

    /// Takes one input and says what must be done. Total: an input that does not fit the state is ignored.
    pub fn step(&mut self, input: Input, now: Moment, out: &mut Vec<Command>) {
        self.guarded(now, out, |inspection, out| inspection.take(input, now, out));
    }

    /// Runs a step so that a panic refuses this interaction and nothing else.
    fn guarded(&mut self, now: Moment, out: &mut Vec<Command>, step: impl FnOnce(&mut Self, &mut Vec<Command>)) {
        let before = out.len();
        if catch_unwind(AssertUnwindSafe(|| step(self, out))).is_err() {
            Counter::Panics.increment();
            out.truncate(before);
            self.poisoned(now, out);
        }
    }

    fn take(&mut self, input: Input, now: Moment, out: &mut Vec<Command>) {
        let Some(input) = self.take_upload(input, out) else { return };
        match (std::mem::replace(&mut self.state, State::Ended), input) {
            (State::Ended, _) => {}
            (State::Receiving(body), Input::Body(bytes)) => self.receive(body, &bytes, now, out),
            (State::Receiving(body), Input::BodyEnd) => self.read(body.freeze(), now, out),
            (State::Receiving(_), Input::BodyFailed(why)) => {
                self.judge(Reading::unreadable(why, None), Arrival::Whole, now, out)
            }
            (State::Reading(id, _), Input::Done(done)) if done.id == id => self.read_done(*done, now, out),
            (State::Reading(id, body), Input::Late(late)) if late == id => {
                self.judge(Reading::unreadable(Unreadable::Timeout, Some(body)), Arrival::Whole, now, out);
            }
            (State::Recording(next), Input::Recorded(written)) => self.recorded(*next, written, now, out),
            (State::Recording(mut next), input @ (Input::Body(_) | Input::BodyEnd)) => {
                next.hold(input);
                self.state = State::Recording(next);
            }
            (State::Awaiting(sent), Input::AnswerHead { status: 101, headers }) if sent.upgrade => {
                let mut headers = crate::heads::deliverable(&headers);
                crate::heads::upgrade(&mut headers);
                self.state = State::Piping;
                out.push(Command::Upgrade(headers));
            }
            (State::Awaiting(sent), Input::AnswerHead { status, headers }) => {
                let exchange = Exchange::begin(&self.context, *sent, status, headers, now, out);
                if exchange.over() {
                    self.end_of(exchange, now, out);
                } else {
                    self.state = State::Answering(Box::new(exchange));
                }
            }
            (State::Awaiting(_), Input::AnswerFailed(failure)) => self.upstream_failed(failure, now, out),
            (
                State::Answering(mut exchange),
                input @ (Input::AnswerBody(_) | Input::AnswerEnd | Input::AnswerFailed(_)),
            ) => {
                exchange.take(&self.context, input, now, out);
                if exchange.over() {
                    self.end_of(*exchange, now, out);
                } else {
                    self.state = State::Answering(exchange);
                }
            }
            (State::Piping, Input::Piped { up, down }) => {
                self.sent = up;
                self.end(Ending::Delivered, Some(101), down, 0, now, out);
            }
            (State::Answering(exchange), Input::ClientGone) => {
                out.push(Command::StopUpstream);
                let (down, restored, status) = (exchange.delivered, exchange.restored(), Some(exchange.status));
                self.end(Ending::ClientGone, status, down, restored, now, out);
            }
            (State::Awaiting(_), Input::ClientGone) => {
                out.push(Command::StopUpstream);
                self.end(Ending::ClientGone, None, 0, 0, now, out);
            }
            (State::Piping, Input::ClientGone) => self.end(Ending::ClientGone, Some(101), 0, 0, now, out),
            (State::Receiving(_) | State::Reading(..), Input::ClientGone) => self.state = State::Ended,
            (State::Recording(_), Input::ClientGone) => self.end(Ending::ClientGone, None, 0, 0, now, out),
            (state, _) => self.state = state,
        }
    }

    /// Sends the next piece of a body that streams. What is not about it is returned.
    fn take_upload(&mut self, input: Input, out: &mut Vec<Command>) -> Option<Input> {
        let Some(upload) = &self.upload else { return Some(input) };
        match input {
            Input::Body(bytes) => {
                let permit = self.context.permit(upload.grounds.clone());
                self.sent += bytes.len() as u64;
                out.push(Command::Send(Box::new(permit.clear(Chunk(bytes.into())))));
                None
            }
            Input::BodyEnd => {
                self.upload = None;
                out.push(Command::SendEnd);
                None
            }
            // A body that does not come whole is broken off, not ended.
            Input::BodyFailed(_) => {
                self.upload = None;
                Some(Input::ClientGone)
            }
            other => Some(other),
        }
    }

    /// The verdict at the head: where nothing that is still open can change that it is a block, and where the content
    /// is not read.
    fn early(&mut self, now: Moment, out: &mut Vec<Command>) {
        let facts = situation::at_head(&self.context.opening, &self.context.snapshot, now);
        if let Some(reason) = self.context.opening.refused() {
            return self.refuse_unread(reason, facts, now, out);
        }
        if self.context.opening.unread().is_some() {
            return self.judge_unread(facts, now, out);
        }
        let facts = self.early_facts(facts);
        if let Staged::EarlyBlock(decision) = self.context.snapshot.policy.decide_staged(&facts) {
            self.refuse(Stopped::by_policy(decision, facts), None, Stage::Head, now, out);
        }
    }

    /// What is known before the body: also what is done, which the head tells here. What was not read is not made up.
    fn early_facts(&self, mut facts: Facts) -> Facts {
        facts.action = Fact::Known(action(&self.context.opening));
        facts
    }

    fn receive(&mut self, mut body: BytesMut, bytes: &Bytes, now: Moment, out: &mut Vec<Command>) {
        if !limits::BODY.admits(body.len() + bytes.len()) {
            return self.judge(Reading::unreadable(Unreadable::TooLarge, None), Arrival::Whole, now, out);
        }
        let looked_at = body.len();
        body.extend_from_slice(bytes);
        // Whether it has a reader shows in its beginning.
        let start = body.get(..body.len().min(limits::STEP.value())).unwrap_or_default();
        if looked_at < limits::STEP.value()
            && self.context.could_lack_reader()
            && writ_protocol::opaque_from_start(start)
        {
            self.complete = now;
            let reading = self.work(body.freeze()).run();
            return match reading {
                Ok(reading) => self.judge(reading, Arrival::Begun, now, out),
                Err(_panicked) => self.poisoned(now, out),
            };
        }
        self.state = State::Receiving(body);
    }

    fn work(&self, body: Bytes) -> Work {
        Work {
            engine: Arc::clone(&self.context.engine),
            pack: self.context.snapshot.pack.clone(),
            endpoint: self.context.opening.endpoint,
            direction: Direction::Prompt,
            encoding: header(&self.context.opening.headers, "content-encoding"),
            query: self.context.opening.path_and_query.split_once('?').map(|(_, query)| query.to_owned()),
            body,
        }
    }

    fn read(&mut self, body: Bytes, now: Moment, out: &mut Vec<Command>) {
        self.complete = now;
        let long = body.len() > limits::STEP.value();
        let wire = body.clone();
        let work = self.work(body);
        self.jobs += 1;
        let job = Job { id: JobId(self.jobs), work };
        self.state = State::Reading(job.id, wire);
        if long {
            out.push(Command::Run(job));
        } else {
            let done = job.run();
            self.take(Input::Done(Box::new(done)), now, out);
        }
    }

    fn read_done(&mut self, done: JobDone, now: Moment, out: &mut Vec<Command>) {
        match done.reading {
            Ok(reading) => self.judge(reading, Arrival::Whole, now, out),
            Err(_panicked) => self.poisoned(now, out),
        }
    }

    fn recorded(&mut self, next: Next, written: bool, now: Moment, out: &mut Vec<Command>) {
        self.decided = true;
        self.judged_us = u64::try_from(now.since(self.complete).as_micros()).unwrap_or(u64::MAX);
        if !written {
            Counter::LedgerFailures.increment();
        }
        match next {
            Next::Refuse { response, kept } => {
                out.push(Command::Respond(response));
                // Of a protected person nothing is kept.
                if kept.principal().is_some() {
                    out.push(Command::KeepStop(kept));
                }
                self.end(Ending::Refused, None, 0, 0, now, out);
            }
            Next::Notice(response) => {
                let (principal, service) = self.context.notice_shown(now);
                out.push(Command::NoticeShown { principal, service });
                out.push(Command::Respond(response));
                self.end(Ending::Notice, None, 0, 0, now, out);
            }
            Next::Forward { .. } if !written && !self.context.engine.options.ledger_fail_open => {
                self.poisoned(now, out)
            }
            Next::Forward { request, sent, upload } => {
                self.sent = sent.bytes_up;
                self.state = State::Awaiting(sent);
                self.forward(request, upload, out);
            }
        }
    }

    fn forward(&mut self, request: Box<Permitted<JudgedRequest>>, upload: Option<Upload>, out: &mut Vec<Command>) {
        let held = upload.map(|mut upload| {
            let held = std::mem::take(&mut upload.held).freeze();
            let complete = upload.complete;
            self.upload = Some(upload);
            (held, complete)
        });
        out.push(Command::Forward(request));
        let Some((held, complete)) = held else { return };
        if !held.is_empty() {
            let _about_the_body = self.take_upload(Input::Body(held), out);
        }
        if complete {
            let _about_the_body = self.take_upload(Input::BodyEnd, out);
        }
    }

    fn upstream_failed(&mut self, failure: UpstreamFailure, now: Moment, out: &mut Vec<Command>) {
        Counter::UpstreamFailures.increment();
        out.push(Command::Respond(Box::new(self.context.gateway_error(failure))));
        self.end(Ending::UpstreamFailed, None, 0, 0, now, out);
    }

    /// The only thing a poisoned inspection does: refuse, write its outcome, end.
    fn poisoned(&mut self, now: Moment, out: &mut Vec<Command>) {
        let answering = matches!(self.state, State::Answering(_) | State::Piping);
        if !self.decided {
            out.push(Command::Append(Box::new(self.undecided(now))));
        }
        out.push(Command::StopUpstream);
        if !answering {
            out.push(Command::Respond(Box::new(self.context.failed())));
        }
        self.end(Ending::Failed, None, 0, 0, now, out);
    }

    /// The decision of an inspection that failed before its verdict: blocked, as content that could not be read.
    fn undecided(&self, now: Moment) -> NewDecision {
        let mut facts = self.early_facts(situation::at_head(&self.context.opening, &self.context.snapshot, now));
        facts.unreadable = writ_model::Set::one(Unreadable::Error).into();
        let facts = facts.completed();
        let mut decision = self.context.snapshot.policy.decide(&facts);
        Regardless::NotJudged.apply(&mut decision);
        let mut new = record::decision(&self.context, &decision, &facts, None, Stage::Body, None, None);
        new.skeleton.regardless = Some(Regardless::NotJudged);
        new
    }

    fn end_of(&mut self, exchange: Exchange, now: Moment, out: &mut Vec<Command>) {
        if let Some(new) = exchange.record(&self.context) {
            out.push(Command::Append(Box::new(new)));
        }
        let restored = exchange.restored();
        self.end(exchange.ending(), Some(exchange.status), exchange.delivered, restored, now, out);
    }

    fn end(
        &mut self,
        ending: Ending,
        status: Option<u16>,
        bytes_down: u64,
        restored: u32,
        now: Moment,
        out: &mut Vec<Command>,
    ) {
        self.state = State::Ended;
        self.upload = None;
        let duration_ms = u64::try_from(now.since(self.started).as_millis()).unwrap_or(u64::MAX);
        out.push(Command::End(Box::new(OutcomeSkeleton {
            interaction: self.context.interaction,
            ending,
            status,
            bytes_up: self.sent,
            bytes_down,
            restored,
            duration_ms,
            judged_us: self.judged_us,
        })));
    }
}

impl Next {
    /// Takes what arrives of a streaming body while its decision is being written.
    fn hold(&mut self, input: Input) {
        let Self::Forward { upload: Some(upload), .. } = self else { return };
        match input {
            Input::Body(bytes) => upload.held.extend_from_slice(&bytes),
            _ => upload.complete = true,
        }
    }
}

impl Context {
    /// A permit for this interaction.
    pub(crate) fn permit(&self, grounds: Grounds) -> Permit {
        Permit::issue(self.interaction, self.opening.destination.clone(), grounds)
    }

    /// Whether the body may turn out to be of a kind without a reader.
    fn could_lack_reader(&self) -> bool {
        let encoded = header(&self.opening.headers, "content-encoding").is_some_and(|encoding| encoding != "identity");
        self.opening.endpoint == Endpoint::Other && !encoded
    }
}

/// What a request does: a form with files, or the files of an API, are an upload.
pub(crate) fn action(opening: &Opening) -> Action {
    let path = opening.path_and_query.split('?').next().unwrap_or_default();
    let files = path.split('/').any(|segment| matches!(segment, "files" | "uploads"));
    let form = matches!(opening.endpoint, Endpoint::Multipart(_));
    if opening.method == http::Method::POST && (files || form) { Action::Upload } else { Action::Submit }
}

fn header(headers: &http::HeaderMap, name: &str) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}
