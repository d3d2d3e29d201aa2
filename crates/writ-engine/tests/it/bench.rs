//! A desk for whole interactions: a policy, a caller, a service that answers as told.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method};
use writ_base::keys::SecretKey;
use writ_base::{Clock, ManualClock, Moment, SeededRandom};
use writ_catalog::{Catalog, OrganisationServices};
use writ_detect::{Definition, Harmless, Pack};
use writ_engine::voice::Voice;
use writ_engine::{
    Audience, BeforeScan, Caller, Command, Destination, Engine, EngineKeys, EngineOptions, Handling, Input, Inspection,
    KeptStop, NewDecision, Opening, ReleasedBody, Snapshot,
};
use writ_model::facts::Groups;
use writ_model::interaction::PrincipalId;
use writ_model::record::OutcomeSkeleton;
use writ_model::standing::Acknowledgement;
use writ_model::{Account, Channel, Currency, Declared, Device, Identity, Language, Term, Who};
use writ_policy::Gravity;
use writ_policy::eval::Policy;

pub const POLICY: &str = include_str!("policy.md");

pub const SERVICES: &str = r#"
[[vetting]]
service = "openai-api"
tier = "standard"
status = "approved"
cleared = ["contact"]

[[vetting]]
service = "deepseek-api"
tier = "unknown"
status = "denied"
"#;

/// What reached the simulated service and the client.
#[derive(Debug, Default)]
pub struct Traffic {
    /// The request body that left, if one did.
    pub sent: Option<String>,
    /// The head that left.
    pub head: Option<HeaderMap>,
    /// The status that the client got.
    pub status: u16,
    /// The body that the client got.
    pub received: String,
    /// The note that came with it.
    pub note: Option<String>,
    /// Decision entries.
    pub decisions: Vec<NewDecision>,
    /// Outcome entries.
    pub outcomes: Vec<OutcomeSkeleton>,
    /// Reading jobs.
    pub jobs: usize,
    /// The stated length of a body that streamed.
    pub streamed: Option<Option<u64>>,
    /// A body that streams, as far as it came.
    pub coming: Option<Vec<u8>>,
    /// The largest piece that was sent on.
    pub largest: usize,
    /// Bytes that left.
    pub bytes_sent: Option<usize>,
    /// The head that the client got.
    pub answer_head: Option<HeaderMap>,
    /// Notices of first use that were shown.
    pub notices: Vec<(PrincipalId, Term)>,
    /// Reasons that were kept.
    pub acknowledgements: Vec<Acknowledgement>,
    /// Stops that were kept.
    pub kept: Vec<KeptStop>,
}

/// How the simulated service answers.
pub struct Answer {
    pub content_type: &'static str,
    pub body: Box<dyn Fn(&str) -> String>,
    pub piece: usize,
}

/// An OpenAI chat answer that says what was asked last.
pub fn echo() -> Answer {
    let body = |sent: &str| {
        let request: serde_json::Value = serde_json::from_str(sent).unwrap();
        let said = request["messages"].as_array().unwrap().last().unwrap()["content"].as_str().unwrap_or("").to_owned();
        serde_json::json!({"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [
            {"index": 0, "message": {"role": "assistant", "content": said}, "finish_reason": "stop"}]})
        .to_string()
    };
    Answer { content_type: "application/json", body: Box::new(body), piece: 7 }
}

/// The same as a stream, in deltas of `delta` characters, cut into pieces of `piece` bytes.
pub fn echo_stream(delta: usize, piece: usize) -> Answer {
    let body = move |sent: &str| {
        let request: serde_json::Value = serde_json::from_str(sent).unwrap();
        let said = request["messages"].as_array().unwrap().last().unwrap()["content"].as_str().unwrap_or("").to_owned();
        let letters: Vec<char> = said.chars().collect();
        let chunk = |delta: serde_json::Value, finish: Option<&str>| {
            let event = serde_json::json!({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m",
                "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]});
            format!("data: {event}\n\n")
        };
        let mut stream = chunk(serde_json::json!({"role": "assistant", "content": ""}), None);
        for piece in letters.chunks(delta) {
            stream.push_str(&chunk(serde_json::json!({"content": piece.iter().collect::<String>()}), None));
        }
        stream.push_str(&chunk(serde_json::json!({}), Some("stop")));
        stream.push_str("data: [DONE]\n\n");
        stream
    };
    Answer { content_type: "text/event-stream", body: Box::new(body), piece }
}

/// The text of an OpenAI chat stream.
pub fn streamed_text(stream: &str) -> String {
    let events = stream.lines().filter_map(|line| line.strip_prefix("data: ")).filter(|data| *data != "[DONE]");
    events
        .filter_map(|data| {
            let event: serde_json::Value = serde_json::from_str(data).unwrap();
            event["choices"][0]["delta"]["content"].as_str().map(str::to_owned)
        })
        .collect()
}

pub struct Desk {
    options: EngineOptions,
    pub engine: Arc<Engine>,
    pub snapshot: Arc<Snapshot>,
    pub clock: ManualClock,
    pub caller: Caller,
    pub service: Term,
    pub tier: Term,
    pub headers: HeaderMap,
    pub path: &'static str,
    pub method: Method,
    pub reason: Option<&'static str>,
    pub ledger_works: bool,
    /// Whether reading jobs miss their deadline.
    pub late: bool,
    pub handling: Handling,
    pub passthrough: bool,
    pub navigation: bool,
    /// The sizes of the pieces in which a prompt's body arrives, in turn.
    pub pieces: Vec<usize>,
}

impl Desk {
    pub fn new() -> Self {
        Self::with(POLICY, None)
    }

    pub fn with(policy: &str, before_scan: Option<BeforeScan>) -> Self {
        let organisation = "Northwind Health".into();
        let voice = Voice { organisation, help_desk: Some("4357".into()), ..Voice::default() };
        Self::speaking(policy, before_scan, voice)
    }

    pub fn speaking(policy: &str, before_scan: Option<BeforeScan>, voice: Voice) -> Self {
        let randomness = Arc::new(SeededRandom::new(11));
        let key = || SecretKey::generate(&*randomness);
        let keys = EngineKeys { placeholder: key(), mark: key(), page: key(), content: key() };
        let options = EngineOptions { keys, voice, randomness, ledger_fail_open: false, before_scan };
        let organisation = OrganisationServices::load(&[SERVICES]).unwrap();
        let catalog = Catalog::builtin().with_organisation(organisation).unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static("application/json"));
        headers.insert("authorization", HeaderValue::from_static("Bearer wk_caller"));
        Self {
            engine: Engine::new(options.clone()),
            options,
            snapshot: Arc::new(snapshot(policy, catalog)),
            clock: ManualClock::at(Moment::parse("2026-11-22").unwrap()),
            caller: caller(Who::Employee),
            service: "openai-api".into(),
            tier: "standard".into(),
            headers,
            path: "/v1/chat/completions",
            method: Method::POST,
            reason: None,
            ledger_works: true,
            late: false,
            handling: Handling::Inspect,
            passthrough: false,
            navigation: false,
            pieces: vec![usize::MAX],
        }
    }

    /// Starts anew: the keys of the registry are the same, what was made for one start is not, and all is forgotten.
    pub fn restart(&mut self) {
        let randomness = Arc::new(SeededRandom::new(12));
        self.engine = Engine::new(EngineOptions { randomness, ..self.options.clone() });
    }

    fn opening(&self) -> Opening {
        let content_type = self.headers.get("content-type").and_then(|value| value.to_str().ok());
        Opening {
            caller: self.caller.clone(),
            service: self.service.clone(),
            tier: self.tier.clone(),
            account: Account::Corporate,
            destination: Destination { host: "api.openai.com".into(), port: 443 },
            endpoint: writ_protocol::endpoint(self.method.as_str(), self.path, content_type),
            method: self.method.clone(),
            path_and_query: self.path.into(),
            headers: self.headers.clone(),
            declared: Declared::NotAsked,
            reason: self.reason.map(|reason| reason.to_owned().into()),
            repository: None,
            handling: self.handling,
            passthrough: self.passthrough,
            navigation: self.navigation,
            signals: Default::default(),
        }
    }

    /// A conversation's messages as a request body.
    pub fn chat(&self, messages: &[(&str, &str)], answer: &Answer) -> Traffic {
        let messages: Vec<_> =
            messages.iter().map(|(role, content)| serde_json::json!({"role": role, "content": content})).collect();
        let stream = answer.content_type == "text/event-stream";
        self.ask(&serde_json::json!({"model": "gpt-5", "stream": stream, "messages": messages}).to_string(), answer)
    }

    pub fn ask(&self, body: &str, answer: &Answer) -> Traffic {
        self.ask_bytes(body.as_bytes(), answer)
    }

    pub fn ask_bytes(&self, body: &[u8], answer: &Answer) -> Traffic {
        let mut traffic = Traffic::default();
        let mut commands = Vec::new();
        let now = self.clock.now();
        let mut inspection =
            Inspection::begin(Arc::clone(&self.engine), Arc::clone(&self.snapshot), self.opening(), now, &mut commands);
        self.carry_out(&mut inspection, commands, answer, &mut traffic);
        let mut rest = body;
        for size in self.pieces.iter().cycle() {
            if rest.is_empty() || inspection.ended() {
                break;
            }
            let (piece, after) = rest.split_at((*size).clamp(1, rest.len()));
            rest = after;
            self.tell(&mut inspection, Input::Body(Bytes::copy_from_slice(piece)), answer, &mut traffic);
        }
        self.tell(&mut inspection, Input::BodyEnd, answer, &mut traffic);
        assert!(inspection.ended(), "an interaction ends");
        traffic
    }

    fn tell(&self, inspection: &mut Inspection, input: Input, answer: &Answer, traffic: &mut Traffic) {
        let mut commands = Vec::new();
        inspection.step(input, self.clock.now(), &mut commands);
        self.carry_out(inspection, commands, answer, traffic);
    }

    fn carry_out(&self, inspection: &mut Inspection, commands: Vec<Command>, answer: &Answer, traffic: &mut Traffic) {
        for command in commands {
            match command {
                Command::Run(job) => {
                    traffic.jobs += 1;
                    let input = if self.late { Input::Late(job.id()) } else { Input::Done(Box::new(job.run())) };
                    self.tell(inspection, input, answer, traffic);
                }
                Command::Append(new) => {
                    traffic.decisions.push(*new);
                    self.tell(inspection, Input::Recorded(self.ledger_works), answer, traffic);
                }
                Command::Forward(request) => {
                    let released = request.release();
                    traffic.head = Some(released.headers);
                    match released.body {
                        ReleasedBody::Whole(body) => self.answer(inspection, body.to_vec(), answer, traffic),
                        ReleasedBody::Streamed(length) => {
                            traffic.streamed = Some(length);
                            traffic.coming = Some(Vec::new());
                        }
                    }
                }
                Command::Send(chunk) => {
                    let bytes = chunk.release();
                    traffic.largest = traffic.largest.max(bytes.len());
                    traffic.coming.as_mut().unwrap().extend_from_slice(&bytes);
                }
                Command::SendEnd => {
                    let body = traffic.coming.take().unwrap();
                    self.answer(inspection, body, answer, traffic);
                }
                Command::Respond(response) => {
                    traffic.status = response.status;
                    traffic.received = String::from_utf8(response.body.to_vec()).unwrap();
                    traffic.answer_head = Some(response.headers);
                }
                Command::AnswerHead { status, note, headers } => {
                    traffic.status = status;
                    traffic.answer_head = Some(headers);
                    traffic.note = note.map(|note| note.text);
                }
                Command::Deliver(bytes) => traffic.received.push_str(&String::from_utf8_lossy(&bytes)),
                Command::End(outcome) => traffic.outcomes.push(*outcome),
                Command::Upgrade(headers) => {
                    traffic.status = 101;
                    traffic.answer_head = Some(headers);
                    self.tell(inspection, Input::Piped { up: 7, down: 9 }, answer, traffic);
                }
                Command::KeepStop(kept) => traffic.kept.push(*kept),
                Command::NoticeShown { principal, service } => traffic.notices.push((principal, service)),
                Command::Acknowledge(acknowledgement) => traffic.acknowledgements.push(*acknowledgement),
                Command::Finish | Command::StopUpstream => {}
            }
        }
    }
}

impl Desk {
    /// The simulated service takes a whole request and answers.
    fn answer(&self, inspection: &mut Inspection, body: Vec<u8>, answer: &Answer, traffic: &mut Traffic) {
        let sent = String::from_utf8_lossy(&body).into_owned();
        let body = (answer.body)(&sent);
        traffic.bytes_sent = Some(sent.len());
        traffic.sent = Some(sent);
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static(answer.content_type));
        headers.insert("alt-svc", HeaderValue::from_static("h3=\":443\"; ma=86400"));
        let status = if answer.content_type == "websocket" { 101 } else { 200 };
        self.tell(inspection, Input::AnswerHead { status, headers }, answer, traffic);
        for piece in body.as_bytes().chunks(answer.piece) {
            self.tell(inspection, Input::AnswerBody(Bytes::copy_from_slice(piece)), answer, traffic);
        }
        self.tell(inspection, Input::AnswerEnd, answer, traffic);
    }
}

pub fn caller(who: Who) -> Caller {
    Caller {
        principal: PrincipalId::from_bytes([7; 16]),
        on_behalf_of: None,
        who,
        identity: Identity::Password,
        entity: Term::UNKNOWN,
        groups: Groups::Known(BTreeSet::new()),
        device: Device::Managed,
        person_region: Term::UNKNOWN,
        training: Currency::Current,
        attestation: Currency::Current,
        channel: Channel::Api,
        audience: Audience::Program,
        share: 0,
        credential: Some("key_1".into()),
        address: None,
        client: None,
        protected: false,
        language: Language::En,
    }
}

/// A snapshot of a policy whose examples hold.
pub fn snapshot(policy: &str, catalog: Catalog) -> Snapshot {
    let parsed = writ_policy::parse(policy);
    let errors: Vec<_> = parsed.diagnostics.iter().filter(|diagnostic| diagnostic.gravity == Gravity::Error).collect();
    assert!(errors.is_empty(), "{errors:?}");
    let own: Vec<_> = parsed
        .definitions
        .classes
        .iter()
        .map(|class| Definition {
            class: class.class.clone(),
            words: class.words.clone(),
            expressions: class.expressions.clone(),
        })
        .filter(|definition| !definition.words.is_empty() || !definition.expressions.is_empty())
        .collect();
    let pack = Pack::with_definitions(&own, &Harmless::default()).unwrap();
    let snapshot = Snapshot::new(Policy::compile(parsed.model.unwrap(), parsed.hash).unwrap(), catalog, pack);
    for example in &parsed.examples {
        assert_eq!(snapshot.try_example(example), Ok(()), "{}", example.text);
    }
    snapshot
}

/// What a decision found, by class.
pub fn classes(decision: &NewDecision) -> BTreeMap<String, bool> {
    decision.skeleton.classes.iter().map(|seen| (seen.class.to_string(), seen.redacted)).collect()
}
