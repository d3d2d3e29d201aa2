//! The verdict over a prompt, and what follows from it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, HeaderValue};
use writ_base::telemetry::Counter;
use writ_base::{KeyedDigest, Moment};
use writ_model::facts::Classes;
use writ_model::interaction::{ConversationId, PrincipalId};
use writ_model::record::Regardless;
use writ_model::schema::Stage;
use writ_model::standing::{Acknowledged, Acknowledgement, AcknowledgementId, AcknowledgementScope};
use writ_model::verdict::Verdict;
use writ_model::{Author, Decision, Effect, Facts, Note, Signal, Term, Who};
use writ_policy::eval::AnswerDuty;
use writ_protocol::Edit;

use crate::commands::Command;
use crate::edits::Replacements;
use crate::history::History;
use crate::inspection::{Arrival, Context, Inspection, Next, Sent, State, Upload, action};
use crate::opening::{Opening, RefuseReason};
use crate::permit::{Grounds, JudgedBody, JudgedRequest};
use crate::reading::Reading;
use crate::refusing::{Read, Refused};
use crate::stops::REASON_LEAST;
use crate::vault::Compartment;
use crate::{heads, record, situation};

/// A prompt that was read and judged.
struct Judged {
    decision: Decision,
    /// Why it is stopped whatever the policy says.
    regardless: Option<Regardless>,
    facts: Facts,
    reading: Reading,
    history: History,
    /// What the person chose to have removed.
    removed: Classes,
}

/// A prompt that is stopped.
pub(crate) struct Stopped {
    decision: Decision,
    facts: Facts,
    /// Why, whatever the policy says.
    regardless: Option<Regardless>,
}

impl Stopped {
    /// What the policy stops.
    pub(crate) const fn by_policy(decision: Decision, facts: Facts) -> Self {
        Self { decision, facts, regardless: None }
    }
}

/// What leaves of a prompt.
struct Outgoing {
    compartment: Arc<Compartment>,
    /// The body with its edits; `None` if there are none.
    body: Option<Bytes>,
    redacted: bool,
}

impl Inspection {
    /// The verdict over a prompt.
    pub(crate) fn judge(&mut self, reading: Reading, arrival: Arrival, now: Moment, out: &mut Vec<Command>) {
        let Context { engine, snapshot, opening, .. } = &self.context;
        let history = History::of(&self.context, &reading, now);
        let head = situation::at_head(opening, snapshot, now);
        let (mut facts, removed) = situation::with_body(head, opening, snapshot, &reading, &history, action(opening));
        let content = history.content_digest(engine, &reading);
        facts.acknowledged = engine.acknowledged(opening, Some(content), now);
        let mut decision = snapshot.policy.decide(&facts);
        if decision.enforced.effect == Effect::Justify && self.give_reason(&decision, &mut facts, content, now, out) {
            decision = self.context.snapshot.policy.decide(&facts);
        }
        // Where the rules would let it pass unread, but it did not come whole.
        let regardless = (decision.enforced.effect.passes() && reading.wire.is_none()).then_some(Regardless::NotWhole);
        if let Some(regardless) = regardless {
            regardless.apply(&mut decision);
        }
        let judged = Judged { decision, regardless, facts, reading, history, removed };
        if judged.decision.enforced.effect.passes() {
            self.let_pass(judged, arrival, now, out);
        } else {
            self.stop(judged, now, out);
        }
    }

    /// The verdict where nothing of the content is read: an ordinary prompt without findings, by service and account.
    pub(crate) fn judge_unread(&mut self, facts: Facts, now: Moment, out: &mut Vec<Command>) {
        let Context { snapshot, opening, .. } = &self.context;
        let mut facts = situation::unread(facts, opening, snapshot, action(opening));
        let mut decision = snapshot.policy.decide(&facts);
        if decision.enforced.effect == Effect::Justify && self.reason_is_enough() {
            // Nothing is kept of it: it satisfies this one interaction.
            let clauses = clauses_of(&decision.enforced, Effect::Justify);
            let id = AcknowledgementId::new(now, &*self.context.engine.options.randomness);
            let until = now.after(Duration::from_secs(1));
            facts.acknowledged = clauses
                .into_iter()
                .map(|clause| Acknowledged { id, clause, classes: BTreeSet::new(), until })
                .collect();
            decision = snapshot.policy.decide(&facts);
        }
        if !decision.enforced.effect.passes() || !decision.enforced.redact.is_empty() {
            return self.refuse(Stopped::by_policy(decision, facts), None, Stage::Head, now, out);
        }
        Counter::Interactions.increment();
        Counter::Allowed.increment();
        let new = record::decision(&self.context, &decision, &facts, None, Stage::Head, None, None);
        let grounds = grounds(&decision.enforced);
        let upgrade = situation::asks_for_websocket(opening);
        let sent = Sent {
            compartment: None,
            verdict: decision.enforced,
            facts,
            note: None,
            first_use: false,
            duty: AnswerDuty::None,
            structured: true,
            conversation: None,
            upgrade,
            bytes_up: 0,
        };
        let headers = heads::forwardable(&opening.headers, opening.passthrough);
        let body = JudgedBody::Stream(heads::stated_length(&opening.headers));
        let upload = Upload { grounds: grounds.clone(), held: BytesMut::new(), complete: false };
        self.record_and_forward(new, grounds, headers, body, sent, Some(upload), out);
    }

    /// Refuses before reading: the edge or the organisation's settings want it, whatever the policy says.
    pub(crate) fn refuse_unread(
        &mut self,
        reason: RefuseReason,
        mut facts: Facts,
        now: Moment,
        out: &mut Vec<Command>,
    ) {
        let Context { snapshot, opening, .. } = &self.context;
        let mut signals = opening.signals;
        if reason == RefuseReason::NamesDisagree {
            signals.insert(Signal::Circumvention);
        }
        facts.signal = signals.into();
        let facts = situation::unread(facts, opening, snapshot, action(opening));
        let mut decision = snapshot.policy.decide(&facts);
        let regardless = match reason {
            RefuseReason::PersonalAccount => Regardless::PersonalAccount,
            RefuseReason::HostRefused => Regardless::HostRefused,
            RefuseReason::NamesDisagree => Regardless::NamesDisagree,
        };
        regardless.apply(&mut decision);
        let stopped = Stopped { decision, facts, regardless: Some(regardless) };
        self.refuse(stopped, None, Stage::Head, now, out);
    }

    /// Whether the reason that came with the request says something.
    fn reason_is_enough(&self) -> bool {
        let reason = self.context.opening.reason.as_ref();
        reason.is_some_and(|reason| reason.expose().trim().chars().count() >= REASON_LEAST)
    }

    /// Takes the reason that came with the request, or that the person gave after a stop, as an acknowledgement of each
    /// clause that asks for one.
    fn give_reason(
        &mut self,
        decision: &Decision,
        facts: &mut Facts,
        content: KeyedDigest,
        now: Moment,
        out: &mut Vec<Command>,
    ) -> bool {
        if !self.reason_is_enough() {
            let Context { engine, opening, .. } = &self.context;
            let Some(given) = engine.reason_given(opening.caller.principal, content, &opening.service, now) else {
                return false;
            };
            self.context.opening.reason = Some(given);
        }
        let Context { engine, opening, .. } = &self.context;
        let program = matches!(opening.caller.who, Who::ServiceAccount | Who::Agent);
        let (scope, until) = match (&opening.repository, &opening.caller.credential) {
            (Some(repository), _) if program => (AcknowledgementScope::Repository(repository.clone()), end_of_day(now)),
            (None, Some(key)) if program => (AcknowledgementScope::Key(key.clone()), end_of_day(now)),
            _ => (AcknowledgementScope::content(content), now.after(Duration::from_secs(3600))),
        };
        let classes: BTreeSet<Term> = facts.data.known().into_iter().flat_map(|found| found.keys().cloned()).collect();
        for clause in clauses_of(&decision.enforced, Effect::Justify) {
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

    fn let_pass(&mut self, mut judged: Judged, arrival: Arrival, now: Moment, out: &mut Vec<Command>) {
        let outgoing = match self.outgoing(&judged, now) {
            Ok(outgoing) => outgoing,
            Err(class) => {
                // The redaction cannot be fulfilled: a fact like any other, and the verdict is taken again.
                judged.facts.unredactable.insert(class);
                judged.decision = self.context.snapshot.policy.decide(&judged.facts);
                if judged.decision.enforced.effect.passes() {
                    judged.regardless = Some(Regardless::RedactionFailed);
                    Regardless::RedactionFailed.apply(&mut judged.decision);
                }
                return self.stop(judged, now, out);
            }
        };
        let first_use = self.context.first_use_due(now);
        let Judged { decision, facts, reading, history, removed, .. } = judged;
        history.passed(&self.context, &reading, now);
        Counter::Interactions.increment();
        let conversation = conversation(&self.context, &reading);
        let mut new =
            record::decision(&self.context, &decision, &facts, Some(&reading), Stage::Body, Some(conversation), None);
        record::add_removed(&self.context, &mut new, &removed);
        if first_use && self.context.opening.navigation && self.context.opening.method == http::Method::GET {
            let page = self.context.first_use_page();
            self.state = State::Recording(Box::new(Next::Notice(Box::new(page))));
            return out.push(Command::Append(Box::new(new)));
        }
        let note = self.note(&decision.enforced, now);
        match (decision.enforced.effect, outgoing.redacted) {
            (_, true) => Counter::Redacted.increment(),
            (Effect::Coach, _) => Counter::Coached.increment(),
            _ => Counter::Allowed.increment(),
        }
        let opening = &self.context.opening;
        let duty = self.context.snapshot.policy.could_redact_or_raise_answers(&facts);
        let mut headers = heads::forwardable(&opening.headers, opening.passthrough);
        let chat = self.context.person() && !reading.message.structured;
        if !outgoing.compartment.is_empty() || duty != AnswerDuty::None || chat {
            // An answer that has to be read is asked for without content encoding.
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        }
        if outgoing.body.is_some() {
            // An edited body is sent without content encoding.
            headers.remove(CONTENT_ENCODING);
        }
        let grounds = grounds(&decision.enforced);
        let bytes = outgoing.body.or_else(|| reading.wire.clone()).unwrap_or_default();
        let mut sent = Sent {
            compartment: Some(outgoing.compartment),
            verdict: decision.enforced,
            facts,
            note,
            first_use,
            duty,
            structured: reading.message.structured,
            conversation: Some(conversation),
            upgrade: situation::asks_for_websocket(opening),
            bytes_up: 0,
        };
        let (body, upload) = match arrival {
            Arrival::Whole => {
                sent.bytes_up = bytes.len() as u64;
                (JudgedBody::Whole(bytes.into()), None)
            }
            Arrival::Begun => {
                let held = BytesMut::from(bytes);
                let upload = Upload { grounds: grounds.clone(), held, complete: false };
                (JudgedBody::Stream(heads::stated_length(&opening.headers)), Some(upload))
            }
        };
        self.record_and_forward(new, grounds, headers, body, sent, upload, out);
    }

    /// The body with what the verdict, the person and the history want taken out.
    fn outgoing(&self, judged: &Judged, now: Moment) -> Result<Outgoing, Term> {
        let Context { engine, snapshot, opening, .. } = &self.context;
        let Judged { decision, reading, history, .. } = judged;
        let compartment = engine.vault.compartment(conversation_digest(&self.context, reading), now);
        let redact = &decision.enforced.redact;
        let replacements = Replacements::for_classes(engine, snapshot, &compartment, reading, redact, history)
            .map_err(|unfulfillable| unfulfillable.0)?;
        let redacted = !replacements.is_empty();
        let edits: Vec<Edit> = history.edits(&self.context).into_iter().chain(replacements.into_edits()).collect();
        let class = || redact.first().cloned().unwrap_or(writ_model::class::PLAIN);
        let body = edited_body(opening, reading, &edits).ok_or_else(class)?;
        Ok(Outgoing { compartment, body, redacted })
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of a request come from two places, each used once")]
    fn record_and_forward(
        &mut self,
        new: crate::commands::NewDecision,
        grounds: Grounds,
        mut headers: http::HeaderMap,
        body: JudgedBody,
        sent: Sent,
        upload: Option<Upload>,
        out: &mut Vec<Command>,
    ) {
        let opening = &self.context.opening;
        if sent.upgrade {
            heads::upgrade(&mut headers);
        }
        let request = Box::new(self.context.permit(grounds).clear(JudgedRequest {
            method: opening.method.clone(),
            path_and_query: opening.path_and_query.clone(),
            headers,
            body,
            upgrade: sent.upgrade,
        }));
        self.state = State::Recording(Box::new(Next::Forward { request, sent: Box::new(sent), upload }));
        out.push(Command::Append(Box::new(new)));
    }

    /// The note of a verdict that passes, if one is due: at most once per person, clause and service in its period.
    fn note(&self, verdict: &Verdict, now: Moment) -> Option<Note> {
        let Context { engine, snapshot, opening, .. } = &self.context;
        let due: Vec<_> = snapshot
            .coaching(verdict)
            .filter_map(|(cause, every)| {
                let (every, caller) = (Duration::from_secs(every), opening.caller.principal);
                engine.note_due(caller, &cause.clause, &opening.service, every, now).then_some((cause, every))
            })
            .collect();
        let (first, every) = due.first()?;
        let clauses = due.iter().filter_map(|(cause, _)| snapshot.quote(&cause.clause)).collect::<BTreeSet<_>>();
        let (service, why) = (snapshot.service_name(&opening.service), snapshot.reason(first));
        let language = opening.caller.language;
        Some(engine.options.voice.note(language, service, clauses.into_iter().collect(), why, *every))
    }

    /// Refuses a prompt that was read.
    fn stop(&mut self, judged: Judged, now: Moment, out: &mut Vec<Command>) {
        let Judged { decision, regardless, facts, reading, history, .. } = judged;
        let read = Read { reading: &reading, history: &history };
        self.refuse(Stopped { decision, facts, regardless }, Some(&read), Stage::Body, now, out);
    }

    pub(crate) fn refuse(
        &mut self,
        stopped: Stopped,
        read: Option<&Read<'_>>,
        stage: Stage,
        now: Moment,
        out: &mut Vec<Command>,
    ) {
        let Stopped { decision, facts, regardless } = stopped;
        Counter::Interactions.increment();
        match decision.enforced.effect {
            Effect::Justify => Counter::AskedForReason.increment(),
            _ => Counter::Blocked.increment(),
        }
        let Refused { refusal, page, kept } = self.context.refusal(&decision.enforced, &facts, read, now);
        let reading = read.map(|read| read.reading);
        let reference = Some(refusal.reference.clone());
        let conversation = reading.map(|reading| conversation(&self.context, reading));
        let mut new = record::decision(&self.context, &decision, &facts, reading, stage, conversation, reference);
        new.skeleton.regardless = regardless;
        let response = self.context.respond(&refusal, page, self.context.form(refusal.kind, reading));
        self.state = State::Recording(Box::new(Next::Refuse { response: Box::new(response), kept }));
        out.push(Command::Append(Box::new(new)));
    }
}

impl Context {
    /// Whether the notice of first use is due: once per person, service and 90 days, before what a person sends is read.
    fn first_use_due(&self, now: Moment) -> bool {
        let Opening { caller, service, navigation, .. } = &self.opening;
        let human = matches!(caller.who, Who::Employee | Who::Contractor | Who::Vendor);
        self.engine.options.voice.first_use
            && human
            && (self.person() || *navigation)
            && self.engine.notice_due(caller.principal, service, now)
    }

    /// Takes note that the notice of first use was shown.
    pub(crate) fn notice_shown(&self, now: Moment) -> (PrincipalId, Term) {
        let (principal, service) = (self.opening.caller.principal, self.opening.service.clone());
        self.engine.notice_shown(principal, &service, now);
        (principal, service)
    }
}

fn grounds(verdict: &Verdict) -> Grounds {
    Grounds::Verdict(verdict.clauses().into_iter().cloned().collect())
}

/// The clauses that demand an effect.
fn clauses_of(verdict: &Verdict, effect: Effect) -> BTreeSet<Term> {
    verdict.decided.iter().filter(|cause| cause.effect == effect).map(|cause| cause.clause.clone()).collect()
}

/// The body with its edits; `Some(None)` if there are none, `None` if it cannot be edited.
fn edited_body(opening: &Opening, reading: &Reading, edits: &[Edit]) -> Option<Option<Bytes>> {
    if edits.is_empty() {
        return Some(None);
    }
    if heads::cover_body(&opening.headers) {
        return None;
    }
    reading.message.splice(&reading.body, edits).ok().map(|body| Some(body.into()))
}

fn conversation(context: &Context, reading: &Reading) -> ConversationId {
    ConversationId::from_bytes(*conversation_digest(context, reading).as_bytes())
}

/// What makes a conversation: who asks, and how it began. Services that keep the history themselves begin anew with
/// each request, as far as Writ can tell.
fn conversation_digest(context: &Context, reading: &Reading) -> KeyedDigest {
    let first = reading.message.parts.iter().find(|part| part.author == Author::User && part.turn.is_some());
    let begun = first.and_then(|part| part.text()).unwrap_or_default();
    let Context { engine, opening, .. } = context;
    KeyedDigest::of_parts(
        engine.digest_key(),
        [opening.caller.principal.as_bytes().as_slice(), opening.service.as_bytes(), begun.as_bytes()],
    )
}

/// 24:00 UTC of the day.
fn end_of_day(now: Moment) -> Moment {
    let (year, month, day) = now.date();
    Moment::from_date(year, month, day).unwrap_or(now).after(Duration::from_secs(86_400))
}
