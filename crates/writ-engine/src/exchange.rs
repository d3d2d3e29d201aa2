//! The answer on its way back: untouched where nothing has to be done, event by event where it streams, whole where it
//! is one JSON document.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderName};
use writ_base::Moment;
use writ_base::telemetry::Counter;
use writ_model::interaction::ConversationId;
use writ_model::record::Ending;
use writ_model::{Action, Effect, Facts, RefusalKind, Set, Signal, Unreadable};
use writ_policy::eval::AnswerDuty;
use writ_protocol::answer::{AnswerStream, Flow, Framing};
use writ_protocol::refusal::RefusalForm;

use crate::answer::{AnswerEditor, Judge};
use crate::commands::{Command, Input, NewDecision};
use crate::inspection::{Context, Sent};
use crate::limits;
use crate::{record, voice};

/// One answer.
pub(crate) struct Exchange {
    editor: AnswerEditor,
    mode: Mode,
    head: Option<Head>,
    conversation: Option<ConversationId>,
    /// The facts of the prompt, for an answer that turns out to need a verdict of its own.
    prompt: Arc<Facts>,
    now: Moment,
    ending: Option<Ending>,
    unread: bool,
    /// The service's HTTP status.
    pub(crate) status: u16,
    /// Bytes of the body that were delivered.
    pub(crate) delivered: u64,
}

struct Head {
    headers: HeaderMap,
    note: Option<writ_model::Note>,
}

enum Mode {
    /// Nothing has to be done: bytes pass as they come.
    Untouched,
    /// A stream of events.
    Stream(Box<AnswerStream>),
    /// One document, collected first.
    Whole(BytesMut),
}

impl std::fmt::Debug for Exchange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Exchange")
            .field("status", &self.status)
            .field("delivered", &self.delivered)
            .finish_non_exhaustive()
    }
}

/// The judge of an answer, if any rule can apply to it.
fn judge(context: &Context, prompt: &Facts, duty: &AnswerDuty) -> Option<Judge> {
    match duty {
        AnswerDuty::None => None,
        AnswerDuty::Scan(scan) => {
            let snapshot = Arc::clone(&context.snapshot);
            Some(Judge::new(snapshot, answer_facts(prompt), scan.held.clone()))
        }
    }
}

/// The facts of an answer in which nothing was found yet.
fn answer_facts(prompt: &Facts) -> Facts {
    let mut facts = prompt.clone();
    facts.action = Action::Receive.into();
    facts.data = writ_model::facts::Classes::new().into();
    facts.signal = Set::EMPTY.into();
    facts.unreadable = Set::EMPTY.into();
    facts.level = writ_model::Level::Unstated.into();
    facts.declared = writ_model::Declared::NotAsked.into();
    facts.unredactable.clear();
    facts.acknowledged.clear();
    facts
}

impl Exchange {
    /// Begins with the answer's head.
    pub(crate) fn begin(
        context: &Context,
        sent: Sent,
        status: u16,
        headers: HeaderMap,
        now: Moment,
        out: &mut Vec<Command>,
    ) -> Self {
        let judge = judge(context, &sent.facts, &sent.duty);
        let in_chat = context.person() && !sent.structured && status == 200;
        let mut words = Vec::new();
        if in_chat && sent.first_use {
            let (principal, service) = context.notice_shown(now);
            out.push(Command::NoticeShown { principal, service });
            words.push(context.first_use_note());
        }
        words.extend(sent.note.as_ref().filter(|_| in_chat).map(|note| note.text.clone()));
        let prefix = (!words.is_empty()).then(|| {
            let options = &context.engine.options;
            voice::signed_beginning(&words, &voice::reference_code(&*options.randomness), &options.keys.mark)
        });
        let note = if prefix.is_some() { None } else { sent.note };
        let engine = Arc::clone(&context.engine);
        let writer = (context.person() && !sent.structured).then(|| context.not_ours());
        let restore = sent.decision.enforced.restore;
        let editor = AnswerEditor::new(engine, sent.compartment, restore, judge, prefix, writer);
        let mut exchange = Self {
            mode: Mode::Untouched,
            head: Some(Head { headers, note }),
            editor,
            conversation: sent.conversation,
            prompt: sent.facts,
            now,
            ending: None,
            unread: false,
            status,
            delivered: 0,
        };
        exchange.choose_mode(context, out);
        exchange
    }

    fn choose_mode(&mut self, context: &Context, out: &mut Vec<Command>) {
        let Some(head) = &self.head else { return };
        let text = |name: HeaderName| head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let content_type = text(CONTENT_TYPE).to_owned();
        let encoded = !matches!(text(CONTENT_ENCODING), "" | "identity");
        if self.editor.idle() {
            self.deliver_head(false, out);
        } else if let Some(framing) = self.framing(context, &content_type).filter(|_| !encoded) {
            self.mode = Mode::Stream(Box::new(AnswerStream::new(context.opening.endpoint, framing)));
            self.deliver_head(true, out);
        } else if content_type.contains("json") && self.framing(context, &content_type).is_none() {
            self.mode = Mode::Whole(BytesMut::new());
        } else {
            // No reader for this kind: a fact, and the rules about answers decide.
            let signal = if encoded { Signal::OpaqueEncoding } else { Signal::OpaqueFormat };
            self.unread = true;
            let flow = self.editor.judge_mut().map_or(Flow::Continue, |judge| judge.signal(Set::one(signal)));
            match flow {
                Flow::Continue => self.deliver_head(false, out),
                Flow::Stop => self.refuse_whole(context, out),
            }
        }
    }

    fn framing(&self, context: &Context, content_type: &str) -> Option<Framing> {
        AnswerStream::framing_for(context.opening.endpoint, content_type)
    }

    fn deliver_head(&mut self, edited: bool, out: &mut Vec<Command>) {
        let Some(Head { headers, note }) = self.head.take() else { return };
        let mut headers = crate::heads::deliverable(&headers);
        if edited {
            for name in [CONTENT_ENCODING, ETAG] {
                headers.remove(name);
            }
        }
        out.push(Command::AnswerHead { status: self.status, headers, note });
    }

    /// Takes a piece of the answer.
    pub(crate) fn take(&mut self, context: &Context, input: Input, now: Moment, out: &mut Vec<Command>) {
        self.now = now;
        match input {
            Input::AnswerBody(bytes) => self.body(context, bytes, out),
            Input::AnswerEnd => self.complete(context, out),
            Input::AnswerFailed(failure) => {
                Counter::UpstreamFailures.increment();
                if self.head.is_some() {
                    out.push(Command::Respond(Box::new(context.gateway_error(failure))));
                } else {
                    out.push(Command::Finish);
                }
                self.ending = Some(Ending::UpstreamFailed);
            }
            _ => {}
        }
    }

    fn body(&mut self, context: &Context, bytes: Bytes, out: &mut Vec<Command>) {
        match &mut self.mode {
            Mode::Untouched => self.deliver(bytes, out),
            Mode::Whole(body) if limits::ANSWER.admits(body.len() + bytes.len()) => body.extend_from_slice(&bytes),
            Mode::Whole(_) => self.too_large(context, bytes, out),
            Mode::Stream(stream) => {
                Counter::BytesInspected.add(bytes.len() as u64);
                let mut edited = Vec::with_capacity(bytes.len());
                let mut flow = stream.push(&bytes, &mut self.editor, &mut edited);
                let signals = stream.signals();
                if flow == Flow::Continue && !signals.is_empty() {
                    self.unread = true;
                    flow = self.editor.judge_mut().map_or(Flow::Continue, |judge| judge.signal(signals));
                }
                if let Some(why) = stream.unreadable() {
                    // The reader gave up: what it could not take in cannot be delivered piecemeal either.
                    self.unread = true;
                    let _cut_in_any_case = self.editor.judge_mut().map(|judge| judge.unreadable(why));
                    flow = Flow::Stop;
                }
                let flow = self.after(context, flow);
                self.go_on(context, flow, edited, out);
            }
        }
    }

    /// What was edited may sound like Writ: then that is a signal, and the answer has a verdict of its own.
    fn after(&mut self, context: &Context, flow: Flow) -> Flow {
        if !self.editor.imitates || flow == Flow::Stop {
            return flow;
        }
        let snapshot = Arc::clone(&context.snapshot);
        self.editor.judge_by(|| Judge::new(snapshot, answer_facts(&self.prompt), None));
        self.editor.judge_mut().map_or(flow, |judge| judge.signal(Set::one(Signal::Injection)))
    }

    fn complete(&mut self, context: &Context, out: &mut Vec<Command>) {
        match std::mem::replace(&mut self.mode, Mode::Untouched) {
            Mode::Untouched => {}
            Mode::Stream(mut stream) => {
                let mut edited = Vec::new();
                let flow = stream.end(&mut self.editor, &mut edited);
                let flow = self.after(context, flow);
                self.mode = Mode::Stream(stream);
                self.go_on(context, flow, edited, out);
            }
            Mode::Whole(body) => self.whole(context, body.freeze(), out),
        }
        if self.ending.is_none() {
            out.push(Command::Finish);
            self.ending = Some(Ending::Delivered);
        }
    }

    fn go_on(&mut self, context: &Context, flow: Flow, edited: Vec<u8>, out: &mut Vec<Command>) {
        self.deliver(edited.into(), out);
        if flow == Flow::Stop {
            self.cut(context, out);
        }
    }

    /// Ends a stream as its protocol ends, with the reason. What was delivered before stays delivered, and the record
    /// says how much that was.
    fn cut(&mut self, context: &Context, out: &mut Vec<Command>) {
        let refusal = match self.editor.judge() {
            Some(judge) if judge.stops() => context.refusal(&judge.decision.enforced, &judge.facts, None, self.now).0,
            _ => context.failure(RefusalKind::Unreadable),
        };
        let mut last = Vec::new();
        if let Mode::Stream(stream) = &mut self.mode {
            stream.cut(&refusal, &mut last);
        }
        out.push(Command::StopUpstream);
        self.deliver(last.into(), out);
        out.push(Command::Finish);
        self.ending = Some(Ending::Cut);
    }

    fn whole(&mut self, context: &Context, body: Bytes, out: &mut Vec<Command>) {
        let encoding =
            self.head.as_ref().and_then(|head| head.headers.get(CONTENT_ENCODING)).and_then(|v| v.to_str().ok());
        let Ok(decoded) = writ_protocol::encoding::decode(encoding.unwrap_or_default(), &body, &limits::ANSWER) else {
            self.unread = true;
            let signals = Set::one(Signal::MalformedEncoding);
            match self.editor.judge_mut().map_or(Flow::Continue, |judge| judge.signal(signals)) {
                Flow::Continue => {
                    self.deliver_head(false, out);
                    self.deliver(body, out);
                }
                Flow::Stop => self.refuse_whole(context, out),
            }
            return;
        };
        Counter::BytesInspected.add(decoded.len() as u64);
        let mut edited = Vec::with_capacity(decoded.len());
        let edit = writ_protocol::answer::edit_whole(context.opening.endpoint, &decoded, &mut self.editor, &mut edited);
        let flow = match (edit.flow, edit.unreadable, self.editor.judge_mut()) {
            (_, Some(why), Some(judge)) => judge.unreadable(why),
            (Flow::Continue, None, Some(judge)) if !edit.signals.is_empty() => judge.signal(edit.signals),
            (flow, _, _) => flow,
        };
        let flow = self.after(context, flow);
        if edit.unreadable.is_some() && flow == Flow::Continue {
            self.unread = true;
            self.deliver_head(false, out);
            return self.deliver(body, out);
        }
        self.unread |= !edit.signals.is_empty();
        match flow {
            Flow::Continue => {
                self.deliver_head(true, out);
                self.deliver(edited.into(), out);
            }
            Flow::Stop => self.refuse_whole(context, out),
        }
    }

    /// Refuses an answer of which nothing was delivered.
    fn refuse_whole(&mut self, context: &Context, out: &mut Vec<Command>) {
        let refusal = match self.editor.judge() {
            Some(judge) if judge.stops() => context.refusal(&judge.decision.enforced, &judge.facts, None, self.now).0,
            _ => context.failure(RefusalKind::Unreadable),
        };
        out.push(Command::StopUpstream);
        out.push(Command::Respond(Box::new(context.respond(&refusal, None, RefusalForm::Error))));
        self.ending = Some(Ending::Cut);
    }

    /// A whole answer that is too long to be held: unread, and the rules about answers decide.
    fn too_large(&mut self, context: &Context, bytes: Bytes, out: &mut Vec<Command>) {
        let Mode::Whole(held) = std::mem::replace(&mut self.mode, Mode::Untouched) else { return };
        self.unread = true;
        let flow = self.editor.judge_mut().map_or(Flow::Continue, |judge| judge.unreadable(Unreadable::TooLarge));
        if flow == Flow::Stop {
            return self.refuse_whole(context, out);
        }
        self.deliver_head(false, out);
        self.deliver(held.freeze(), out);
        self.deliver(bytes, out);
    }

    fn deliver(&mut self, bytes: Bytes, out: &mut Vec<Command>) {
        if !bytes.is_empty() {
            self.delivered += bytes.len() as u64;
            out.push(Command::Deliver(bytes));
        }
    }

    /// Whether nothing more will come.
    pub(crate) fn over(&self) -> bool {
        self.ending.is_some()
    }

    /// How it ended.
    pub(crate) fn ending(&self) -> Ending {
        self.ending.unwrap_or(Ending::Failed)
    }

    /// Placeholders that were turned back.
    pub(crate) fn restored(&self) -> u32 {
        self.editor.restored
    }

    /// The entry of the answer's own verdict, if it was judged and anything was found or stopped.
    pub(crate) fn record(&self, context: &Context) -> Option<NewDecision> {
        let judge = self.editor.judge()?;
        let found = judge.facts.data.known().is_some_and(|data| !data.is_empty()) || self.editor.imitates;
        let notable = judge.decision.full.effect > Effect::Allow || found;
        notable.then(|| record::answer(context, &judge.decision, judge.facts.clone(), self.conversation, !self.unread))
    }
}
