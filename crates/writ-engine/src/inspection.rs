//! The life of one interaction, as a state machine without I/O.
//!
//! ```text
//! begin ─► early verdict? ─► Receiving ─► Reading (job if long) ─► judge ─► Recording ─► Awaiting ─► Answering ─► Ended
//!             └► Recording ─► Ended (refused)                        └► Recording ─► Ended (refused)
//! ```
//! Each step does a bounded amount of work. A panic inside a step or job poisons the inspection: from then on it can
//! only refuse, write its outcome and end. Nothing leaves before its decision entry is written.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use writ_base::telemetry::Counter;
use writ_base::{KeyedDigest, Moment};
use writ_model::interaction::{ConversationId, InteractionId};
use writ_model::record::{Ending, OutcomeSkeleton};
use writ_model::schema::Stage;
use writ_model::standing::{Acknowledged, Acknowledgement, AcknowledgementId, AcknowledgementScope, POSTURE};
use writ_model::verdict::{Offer, Verdict};
use writ_model::{
    Action, Author, ClauseQuote, Decision, Dimension, Direction, Effect, Fact, Facts, Note, RefusalKind, Term,
    Unreadable, Who,
};
use writ_policy::eval::Staged;
use writ_policy::rule::KeyValue;
use writ_protocol::{Edit, Endpoint};

use crate::commands::{Command, Input, Job, JobDone, JobId, UpstreamFailure};
use crate::edits::Replacements;
use crate::engine::Engine;
use crate::exchange::Exchange;
use crate::history::History;
use crate::limits;
use crate::opening::{Audience, Opening};
use crate::permit::{Grounds, JudgedBody, JudgedRequest, Permit, Permitted};
use crate::reading::{Reading, Work};
use crate::snapshot::Snapshot;
use crate::vault::Compartment;
use crate::voice::{self, Discovery, Stop};
use crate::{record, situation};

/// One interaction.
#[derive(Debug)]
pub struct Inspection {
    context: Context,
    state: State,
    started: Moment,
    jobs: u32,
    sent: u64,
    /// Whether the decision entry of the prompt was asked to be written.
    decided: bool,
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
enum State {
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
    /// Over.
    Ended,
}

#[derive(Debug)]
enum Next {
    Forward { request: Box<Permitted<JudgedRequest>>, sent: Box<Sent> },
    Refuse(Box<crate::commands::Response>),
}

/// What the answer side needs to know of the prompt side.
pub(crate) struct Sent {
    pub(crate) compartment: Arc<Compartment>,
    pub(crate) verdict: Verdict,
    pub(crate) facts: Facts,
    pub(crate) note: Option<Note>,
    pub(crate) structured: bool,
    pub(crate) conversation: ConversationId,
    pub(crate) bytes_up: u64,
}

impl std::fmt::Debug for Sent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sent").field("bytes_up", &self.bytes_up).finish_non_exhaustive()
    }
}

impl Inspection {
    /// Opens an interaction. If no fact of the body can change that it is blocked, it is refused at once: the first
    /// commands say so, and the edge need not read the body.
    pub fn begin(
        engine: Arc<Engine>,
        snapshot: Arc<Snapshot>,
        opening: Opening,
        now: Moment,
        out: &mut Vec<Command>,
    ) -> Self {
        let interaction = InteractionId::new(now, &*engine.options.randomness);
        let context = Context { engine, snapshot, opening, interaction };
        let mut inspection =
            Self { context, state: State::Receiving(BytesMut::new()), started: now, jobs: 0, sent: 0, decided: false };
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
        match (std::mem::replace(&mut self.state, State::Ended), input) {
            (State::Ended, _) => {}
            (State::Receiving(body), Input::Body(bytes)) => self.receive(body, &bytes, now, out),
            (State::Receiving(body), Input::BodyEnd) => self.read(body.freeze(), now, out),
            (State::Receiving(_), Input::BodyFailed(why)) => self.judge(Reading::unreadable(why, None), now, out),
            (State::Reading(id, _), Input::Done(done)) if done.id == id => self.read_done(*done, now, out),
            (State::Reading(id, body), Input::Late(late)) if late == id => {
                self.judge(Reading::unreadable(Unreadable::Timeout, Some(body)), now, out);
            }
            (State::Recording(next), Input::Recorded(written)) => self.recorded(*next, written, now, out),
            (State::Awaiting(sent), Input::AnswerHead { status, headers }) => {
                let exchange = Exchange::begin(&self.context, *sent, status, headers, out);
                if exchange.over() {
                    self.end_of(exchange, now, out);
                } else {
                    self.state = State::Answering(Box::new(exchange));
                }
            }
            (State::Awaiting(sent), Input::AnswerFailed(failure)) => self.upstream_failed(&sent, failure, now, out),
            (
                State::Answering(mut exchange),
                input @ (Input::AnswerBody(_) | Input::AnswerEnd | Input::AnswerFailed(_)),
            ) => {
                exchange.take(&self.context, input, out);
                if exchange.over() {
                    self.end_of(*exchange, now, out);
                } else {
                    self.state = State::Answering(exchange);
                }
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
            (State::Receiving(_) | State::Reading(..), Input::ClientGone) => self.state = State::Ended,
            (State::Recording(_), Input::ClientGone) => self.end(Ending::ClientGone, None, 0, 0, now, out),
            (state, _) => self.state = state,
        }
    }

    /// The verdict at the head, where nothing that is still open can change that it is a block.
    fn early(&mut self, now: Moment, out: &mut Vec<Command>) {
        let facts = situation::at_head(&self.context.opening, &self.context.snapshot, now);
        if let Staged::EarlyBlock(decision) = self.context.snapshot.policy.decide_staged(&facts) {
            let facts = self.early_facts(facts);
            self.refuse(decision, facts, None, Stage::Head, out);
        }
    }

    /// An early record says what was known; what was not read is not made up.
    fn early_facts(&self, mut facts: Facts) -> Facts {
        facts.action = Fact::Known(action(&self.context.opening));
        facts
    }

    fn receive(&mut self, mut body: BytesMut, bytes: &Bytes, now: Moment, out: &mut Vec<Command>) {
        if limits::BODY.admits(body.len() + bytes.len()) {
            body.extend_from_slice(bytes);
            self.state = State::Receiving(body);
        } else {
            self.judge(Reading::unreadable(Unreadable::TooLarge, None), now, out);
        }
    }

    fn read(&mut self, body: Bytes, now: Moment, out: &mut Vec<Command>) {
        let long = body.len() > limits::STEP.value();
        let wire = body.clone();
        let work = Work {
            engine: Arc::clone(&self.context.engine),
            pack: self.context.snapshot.pack.clone(),
            endpoint: self.context.opening.endpoint,
            direction: Direction::Prompt,
            encoding: header(&self.context.opening.headers, "content-encoding"),
            query: self.context.opening.path_and_query.split_once('?').map(|(_, query)| query.to_owned()),
            body,
        };
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
            Ok(reading) => self.judge(reading, now, out),
            Err(_panicked) => self.poisoned(now, out),
        }
    }

    /// The verdict over the whole prompt.
    fn judge(&mut self, reading: Reading, now: Moment, out: &mut Vec<Command>) {
        let Context { engine, snapshot, opening, .. } = &self.context;
        let history = History::of(&self.context, &reading);
        let kept = |part: usize| history.keeps(part);
        let head = situation::at_head(opening, snapshot, now);
        let mut facts = situation::with_body(head, opening, snapshot, &reading, &kept, action(opening));
        let content = history.content_digest(engine, &reading);
        facts.acknowledged = engine.acknowledged(opening, Some(content), now);
        let mut decision = snapshot.policy.decide(&facts);
        if decision.enforced.effect == Effect::Justify && self.give_reason(&decision, &mut facts, content, now, out) {
            decision = self.context.snapshot.policy.decide(&facts);
        }
        if decision.enforced.effect.passes() && reading.wire.is_none() {
            // The rules would let it pass unread, but it did not come whole.
            decision.enforced.effect = Effect::Block;
            decision.enforced.unreadable = true;
        }
        if decision.enforced.effect.passes() {
            self.let_pass(decision, facts, reading, history, now, out);
        } else {
            history.remember_stopped(&self.context, &reading, &decision.enforced);
            self.refuse(decision, facts, Some(&reading), Stage::Body, out);
        }
    }

    /// Takes the reason that came with the request as an acknowledgement of each clause that asks for one.
    fn give_reason(
        &self,
        decision: &Decision,
        facts: &mut Facts,
        content: KeyedDigest,
        now: Moment,
        out: &mut Vec<Command>,
    ) -> bool {
        /// A reason shorter than this says nothing.
        const LEAST: usize = 10;
        let Context { engine, opening, .. } = &self.context;
        let reason = opening.reason.as_ref().map(|reason| reason.expose().trim().chars().count()).unwrap_or_default();
        if reason < LEAST {
            return false;
        }
        let program = matches!(opening.caller.who, Who::ServiceAccount | Who::Agent);
        let (scope, until) = match (&opening.repository, &opening.caller.credential) {
            (Some(repository), _) if program => (AcknowledgementScope::Repository(repository.clone()), end_of_day(now)),
            (None, Some(key)) if program => (AcknowledgementScope::Key(key.clone()), end_of_day(now)),
            _ => (AcknowledgementScope::content(content), now.after(Duration::from_secs(3600))),
        };
        let classes: BTreeSet<Term> = facts.data.known().into_iter().flat_map(|found| found.keys().cloned()).collect();
        let clauses: BTreeSet<Term> = decision
            .enforced
            .decided
            .iter()
            .filter(|c| c.effect == Effect::Justify)
            .map(|c| c.clause.clone())
            .collect();
        for clause in clauses {
            let id = AcknowledgementId::new(now, &*engine.options.randomness);
            facts.acknowledged.push(Acknowledged { id, clause: clause.clone(), classes: classes.clone(), until });
            let acknowledgement = Acknowledgement {
                id,
                principal: opening.caller.principal,
                clause,
                classes: classes.clone(),
                service: opening.service.clone(),
                scope: scope.clone(),
                until,
            };
            engine.acknowledge(acknowledgement.clone());
            out.push(Command::Acknowledge(Box::new(acknowledgement)));
        }
        true
    }

    fn let_pass(
        &mut self,
        decision: Decision,
        mut facts: Facts,
        reading: Reading,
        history: History,
        now: Moment,
        out: &mut Vec<Command>,
    ) {
        let Context { engine, snapshot, opening, .. } = &self.context;
        let conversation = conversation(&self.context, &reading);
        let compartment = engine.vault.compartment(conversation, now);
        let kept = |part: usize| history.keeps(part);
        let edited =
            Replacements::for_classes(engine, snapshot, &compartment, &reading, &decision.enforced.redact, &kept)
                .map_err(|unfulfillable| unfulfillable.0)
                .and_then(|replacements| {
                    let redacted = !replacements.is_empty();
                    let edits: Vec<Edit> =
                        history.edits(&self.context).into_iter().chain(replacements.into_edits()).collect();
                    let class = || decision.enforced.redact.first().cloned().unwrap_or(writ_model::class::PLAIN);
                    edited_body(opening, &reading, &edits).map(|body| (body, redacted)).ok_or_else(class)
                });
        let (body, redacted) = match edited {
            Ok(edited) => edited,
            Err(class) => {
                // The redaction cannot be fulfilled: a fact like any other, and the verdict is taken again.
                facts.unredactable.insert(class);
                let mut decision = snapshot.policy.decide(&facts);
                if decision.enforced.effect.passes() {
                    decision.enforced.effect = Effect::Block;
                }
                history.remember_stopped(&self.context, &reading, &decision.enforced);
                return self.refuse(decision, facts, Some(&reading), Stage::Body, out);
            }
        };
        history.forget_stopped(&self.context, &reading);
        let note = self.note(&decision.enforced, now);
        Counter::Interactions.increment();
        match (decision.enforced.effect, redacted) {
            (_, true) => Counter::Redacted.increment(),
            (Effect::Coach, _) => Counter::Coached.increment(),
            _ => Counter::Allowed.increment(),
        }
        let conversation = ConversationId::from_bytes(*conversation.as_bytes());
        let new =
            record::decision(&self.context, &decision, &facts, Some(&reading), Stage::Body, Some(conversation), None);
        let clauses: Arc<[Term]> = decision.enforced.clauses().into_iter().cloned().collect();
        let opening = &self.context.opening;
        let permit = Permit::issue(self.context.interaction, opening.destination.clone(), Grounds::Verdict(clauses));
        let mut headers = crate::heads::forwardable(&opening.headers);
        if !compartment.is_empty() || crate::exchange::is_judged(&self.context, &facts) || note.is_some() {
            // An answer that has to be read is asked for without content encoding.
            headers.insert(http::header::ACCEPT_ENCODING, http::HeaderValue::from_static("identity"));
        }
        if body.is_some() {
            // An edited body is sent without content encoding.
            headers.remove(http::header::CONTENT_ENCODING);
        }
        let bytes = body.or_else(|| reading.wire.clone()).unwrap_or_default();
        let sent = Sent {
            compartment,
            verdict: decision.enforced,
            facts,
            note,
            structured: reading.message.structured,
            conversation,
            bytes_up: bytes.len() as u64,
        };
        let request = Box::new(permit.clear(JudgedRequest {
            method: opening.method.clone(),
            path_and_query: opening.path_and_query.clone(),
            headers,
            body: JudgedBody::Whole(bytes.into()),
            upgrade: false,
        }));
        self.state = State::Recording(Box::new(Next::Forward { request, sent: Box::new(sent) }));
        out.push(Command::Append(Box::new(new)));
    }

    /// The note of a verdict that passes, if one is due: at most once per person, clause and service in its period.
    fn note(&self, verdict: &Verdict, now: Moment) -> Option<Note> {
        let Context { engine, snapshot, opening, .. } = &self.context;
        let coaching = verdict.decided.iter().filter(|cause| cause.effect == Effect::Coach);
        let due: Vec<_> = coaching
            .filter(|cause| {
                let rule = snapshot.policy.rule(&cause.clause, cause.rule);
                let every = Duration::from_secs(rule.map_or(86_400, |rule| rule.every_seconds));
                engine.note_due(opening.caller.principal, &cause.clause, &opening.service, every, now)
            })
            .collect();
        let first = due.first()?;
        let why = snapshot.policy.rule(&first.clause, first.rule).and_then(|rule| rule.why.as_deref());
        let clauses = due.iter().filter_map(|cause| snapshot.quote(&cause.clause)).collect::<BTreeSet<_>>();
        Some(engine.options.voice.note(clauses.into_iter().collect(), why))
    }

    fn refuse(
        &mut self,
        decision: Decision,
        facts: Facts,
        reading: Option<&Reading>,
        stage: Stage,
        out: &mut Vec<Command>,
    ) {
        Counter::Interactions.increment();
        match decision.enforced.effect {
            Effect::Justify => Counter::AskedForReason.increment(),
            _ => Counter::Blocked.increment(),
        }
        let refusal = self.context.refusal(&decision.enforced, &facts, reading);
        let reference = Some(refusal.reference.clone());
        let conversation = reading.map(|reading| conversation(&self.context, reading));
        let conversation = conversation.map(|digest| ConversationId::from_bytes(*digest.as_bytes()));
        let new = record::decision(&self.context, &decision, &facts, reading, stage, conversation, reference);
        let response = self.context.respond(&refusal, reading);
        self.state = State::Recording(Box::new(Next::Refuse(Box::new(response))));
        out.push(Command::Append(Box::new(new)));
    }

    fn recorded(&mut self, next: Next, written: bool, now: Moment, out: &mut Vec<Command>) {
        self.decided = true;
        if !written {
            Counter::LedgerFailures.increment();
        }
        match next {
            Next::Refuse(response) => {
                out.push(Command::Respond(response));
                self.end(Ending::Refused, None, 0, 0, now, out);
            }
            Next::Forward { .. } if !written && !self.context.engine.options.ledger_fail_open => {
                self.poisoned(now, out)
            }
            Next::Forward { request, sent } => {
                self.sent = sent.bytes_up;
                self.state = State::Awaiting(sent);
                out.push(Command::Forward(request));
            }
        }
    }

    fn upstream_failed(&mut self, sent: &Sent, failure: UpstreamFailure, now: Moment, out: &mut Vec<Command>) {
        Counter::UpstreamFailures.increment();
        self.sent = sent.bytes_up;
        out.push(Command::Respond(Box::new(self.context.gateway_error(failure))));
        self.end(Ending::UpstreamFailed, None, 0, 0, now, out);
    }

    /// The only thing a poisoned inspection does: refuse, write its outcome, end.
    fn poisoned(&mut self, now: Moment, out: &mut Vec<Command>) {
        let answering = matches!(self.state, State::Answering(_));
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
    fn undecided(&self, now: Moment) -> crate::commands::NewDecision {
        let mut facts = self.early_facts(situation::at_head(&self.context.opening, &self.context.snapshot, now));
        facts.unreadable = writ_model::Set::one(Unreadable::Error).into();
        let facts = facts.completed();
        let mut decision = self.context.snapshot.policy.decide(&facts);
        for verdict in [&mut decision.enforced, &mut decision.full] {
            verdict.effect = Effect::Block;
            verdict.unreadable = true;
        }
        record::decision(&self.context, &decision, &facts, None, Stage::Body, None, None)
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
        let duration_ms = u64::try_from(now.since(self.started).as_millis()).unwrap_or(u64::MAX);
        let interaction = self.context.interaction;
        let bytes_up = self.sent;
        let judged_us = 0;
        out.push(Command::End(Box::new(OutcomeSkeleton {
            interaction,
            ending,
            status,
            bytes_up,
            bytes_down,
            restored,
            duration_ms,
            judged_us,
        })));
    }
}

/// The body with its edits; `None` if there are none.
fn edited_body(opening: &Opening, reading: &Reading, edits: &[Edit]) -> Option<Option<Bytes>> {
    if edits.is_empty() {
        return Some(None);
    }
    if crate::heads::cover_body(&opening.headers) {
        return None;
    }
    reading.message.splice(&reading.body, edits).ok().map(|body| Some(body.into()))
}

/// What a request does: a form with files, or the files of an API, are an upload.
fn action(opening: &Opening) -> Action {
    let path = opening.path_and_query.split('?').next().unwrap_or_default();
    let files = path.split('/').any(|segment| matches!(segment, "files" | "uploads"));
    let form = matches!(opening.endpoint, Endpoint::Multipart(_));
    if opening.method == http::Method::POST && (files || form) { Action::Upload } else { Action::Submit }
}

/// What makes a conversation: who asks, and how it began. Services that keep the history themselves begin anew with
/// each request, as far as Writ can tell.
fn conversation(context: &Context, reading: &Reading) -> KeyedDigest {
    let first = reading.message.parts.iter().find(|part| part.author == Author::User && part.turn.is_some());
    let begun = first.and_then(|part| part.text()).unwrap_or_default();
    let Context { engine, opening, .. } = context;
    KeyedDigest::of_parts(
        engine.digest_key(),
        [opening.caller.principal.as_bytes().as_slice(), opening.service.as_bytes(), begun.as_bytes()],
    )
}

fn header(headers: &http::HeaderMap, name: &str) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

/// 24:00 UTC of the day.
fn end_of_day(now: Moment) -> Moment {
    let (year, month, day) = now.date();
    Moment::from_date(year, month, day).unwrap_or(now).after(Duration::from_secs(86_400))
}

impl Context {
    /// The refusal of a verdict, in words.
    pub(crate) fn refusal(&self, verdict: &Verdict, facts: &Facts, reading: Option<&Reading>) -> writ_model::Refusal {
        let signals = facts.signal.known().copied().unwrap_or_default();
        let kind = if verdict.unreadable {
            RefusalKind::Unreadable
        } else if situation::malformed(signals) && self.decided_by_signal(verdict) {
            RefusalKind::Malformed
        } else {
            RefusalKind::Policy
        };
        let clauses: BTreeSet<ClauseQuote> =
            verdict.clauses().into_iter().filter_map(|c| self.snapshot.quote(c)).collect();
        let why = verdict.decided.iter().find_map(|c| self.snapshot.policy.rule(&c.clause, c.rule)?.why.as_deref());
        let service = self.snapshot.catalog.service(&self.opening.service);
        let stop = Stop {
            interaction: self.interaction,
            kind,
            effect: verdict.effect,
            clauses: clauses.into_iter().collect(),
            discoveries: reading.map(|reading| self.discoveries(verdict, reading)).unwrap_or_default(),
            why,
            service: service.map_or(&*self.opening.service, |service| &service.name),
            offers: verdict.offers.iter().filter(|offer| self.leads_on(offer, facts)).cloned().collect(),
            reference: voice::reference_code(&*self.engine.options.randomness),
        };
        self.engine.options.voice.refuse(stop, &self.engine.options.keys.mark)
    }

    /// Whether taking an offer leads to something that passes. A redirect is decided again for the other service, at
    /// the plan that serves it best; the others were judged with the verdict.
    fn leads_on(&self, offer: &Offer, facts: &Facts) -> bool {
        let Offer::Redirect(service) = offer else { return true };
        let Some(known) = self.snapshot.catalog.service(service) else { return false };
        let tiers = known.tiers.iter().map(|tier| tier.id.clone()).chain([Term::UNKNOWN]);
        tiers.into_iter().any(|tier| {
            let facts = situation::at_service(facts.clone(), known, tier, &self.snapshot);
            match self.snapshot.policy.decide_staged(&facts) {
                Staged::EarlyBlock(_) => false,
                Staged::Open { least, .. } => least.passes(),
                Staged::Settled(decision) => decision.enforced.effect.passes(),
            }
        })
    }

    fn decided_by_signal(&self, verdict: &Verdict) -> bool {
        verdict.decided.iter().any(|cause| {
            self.snapshot
                .policy
                .rule(&cause.clause, cause.rule)
                .is_some_and(|rule| rule.keys.on(Dimension::Signal).is_some())
        })
    }

    /// Whether a class belongs to what a verdict was about.
    pub(crate) fn concerns(&self, verdict: &Verdict, class: &Term) -> bool {
        let names = |value: &KeyValue| match value {
            KeyValue::AnyClass => true,
            KeyValue::Class { class: named, .. } => named == class,
            _ => false,
        };
        verdict.decided.iter().any(|cause| match self.snapshot.policy.rule(&cause.clause, cause.rule) {
            Some(rule) => rule.keys.on(Dimension::Data).is_some_and(|test| test.values.iter().any(names)),
            None => cause.clause == POSTURE,
        })
    }

    fn discoveries(&self, verdict: &Verdict, reading: &Reading) -> Vec<Discovery> {
        let mut found = BTreeSet::new();
        let parts = reading.message.parts.iter().zip(&reading.findings);
        for (part, finding) in parts.flat_map(|(part, findings)| findings.iter().map(move |finding| (part, finding))) {
            if self.concerns(verdict, &finding.class) {
                found.insert(Discovery { data_type: finding.data_type.to_string(), author: part.author });
            }
        }
        for seam in reading.seams.iter().filter(|seam| self.concerns(verdict, &seam.finding.class)) {
            let author = reading.message.parts.get(seam.first.0).map_or(Author::Unknown, |part| part.author);
            found.insert(Discovery { data_type: seam.finding.data_type.to_string(), author });
        }
        found.into_iter().collect()
    }

    /// Whether a person reads what Writ says: then refusals are messages in the chat.
    pub(crate) fn person(&self) -> bool {
        self.opening.caller.audience == Audience::Person
    }
}
