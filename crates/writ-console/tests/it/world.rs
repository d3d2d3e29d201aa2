//! A small organisation with a running engine, ledger, state and index: for tests, and for looking at pages.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method};
use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use writ_base::keys::SecretKey;
use writ_base::{Clock, Moment, Randomness, SeededRandom, Sensitive, SystemClock};
use writ_catalog::{Catalog, OrganisationServices};
use writ_console::{
    Beside, Check, CheckState, Console, ConsoleParts, Health, KeyAge, Organisation, PolicyReading, PolicyText, Tour,
    TourAct, TourFuture, TourOutcome, TourStop, TourVisitor, Tours,
};
use writ_detect::Pack;
use writ_engine::voice::Voice;
use writ_engine::{
    Audience, Caller, Command, Destination, Engine, EngineKeys, EngineOptions, Handling, Input, Inspection,
    NewDecision, Opening, Snapshot,
};
use writ_identity::accounts::AccountOptions;
use writ_identity::{Accounts, Hashing, Role};
use writ_model::facts::Groups;
use writ_model::interaction::PrincipalId;
use writ_model::record::{EntryKind, OrganisationId};
use writ_model::{Account, Channel, Currency, Declared, Device, Identity, Language, Term, Who};
use writ_policy::eval::Policy;
use writ_store::backup::DataDirectory;
use writ_store::index::Opener;
use writ_store::ledger::{LedgerConfig, LedgerReader};
use writ_store::personal::{Share, new_reveal_key};
use writ_store::state::{AccountId, LOGIN_SOURCE, Location, Login, Means};
use writ_store::storage::FileStorage;
use writ_store::{Index, KeyStore, Ledger, NewEntry, State};

pub const PASSWORD: &str = "a long enough password";
pub const POLICY: &str = include_str!("../../../../catalog/policies/general.md");
const SERVICES: &str = r#"
[[service]]
id = "care-copilot"
name = "Care Copilot"
vendor = "Northwind Health"
category = "own-model"
formats = ["openai-chat"]
evidence = { seen = "host", source = "own configuration", date = "2026-11-01" }
hosts = [{ name = "copilot.northwind.example", match = "exact", mode = "inspect" }]

[[vetting]]
service = "care-copilot"
tier = "unknown"
status = "approved"
cleared = ["contact", "pii", "special-category", "phi", "payment"]
owner = "it"

[[vetting]]
service = "chatgpt"
tier = "enterprise"
status = "approved"
cleared = ["contact", "pii", "payment", "source-code"]
owner = "it"

[[vetting]]
service = "gemini-api"
tier = "paid"
status = "in-review"

[[vetting]]
service = "deepseek"
tier = "unknown"
status = "denied"
"#;

/// A clock that stands still at a time, or runs that far behind the real one.
pub struct Shifted {
    real: bool,
    at: AtomicI64,
}

impl Shifted {
    pub fn standing(at: Moment) -> Self {
        Self { real: false, at: AtomicI64::new(at.nanos()) }
    }

    pub fn behind(by: Duration) -> Self {
        Self { real: true, at: AtomicI64::new(i64::try_from(by.as_nanos()).unwrap()) }
    }

    pub fn advance(&self, by: Duration) {
        let by = i64::try_from(by.as_nanos()).unwrap();
        self.at.fetch_add(if self.real { -by } else { by }, Ordering::SeqCst);
    }

    pub fn behind_now(&self) -> Duration {
        Duration::from_nanos(u64::try_from(self.at.load(Ordering::SeqCst)).unwrap_or(0))
    }
}

impl Clock for Shifted {
    fn now(&self) -> Moment {
        let at = self.at.load(Ordering::SeqCst);
        if self.real { Moment::from_nanos(SystemClock.now().nanos() - at) } else { Moment::from_nanos(at) }
    }
}

/// Somebody who uses AI.
#[derive(Clone)]
pub struct Person {
    pub login: String,
    pub principal: PrincipalId,
    pub who: Who,
    pub share: u16,
}

/// What a prompt came to.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    pub reference: Option<String>,
    pub interaction: String,
}

pub struct World {
    pub parts: ConsoleParts,
    pub address: SocketAddr,
    pub host: String,
    pub clock: Arc<Shifted>,
    pub state: Arc<State>,
    pub ledger: Ledger,
    pub index: Arc<Index>,
    pub engine: Arc<Engine>,
    pub snapshot: Arc<Mutex<Arc<Snapshot>>>,
    pub accounts: Accounts,
    pub changed: Arc<Notify>,
    pub shares: Vec<Share>,
    pub health: Arc<Mutex<Health>>,
    randomness: Arc<dyn Randomness>,
    reader: tokio::sync::Mutex<LedgerReader>,
    pub stop: watch::Sender<bool>,
    folder: tempfile::TempDir,
}

impl World {
    pub async fn new(clock: Arc<Shifted>, port: u16) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let directory = DataDirectory::new(folder.path());
        let randomness: Arc<dyn Randomness> = Arc::new(SeededRandom::new(7));
        let organisation = OrganisationId::from_bytes([9; 16]);
        let now = clock.now();
        let key = SecretKey::from_bytes([1; 32]);
        let (keys, made) = KeyStore::open(&directory.keys(), organisation, key, now, &*randomness).unwrap();
        let keys = Arc::new(keys);
        let storage = Arc::new(FileStorage::new(&directory.ledger()).unwrap());
        let time: Arc<dyn Clock> = clock.clone();
        let config = LedgerConfig::new(organisation);
        let ledger = Ledger::open(storage, config, keys.signers(), time.clone(), &*randomness).unwrap();
        keys.record(&ledger, &made, now).await.unwrap();
        let (public, shares) = new_reveal_key(3, &*randomness).unwrap();
        keys.add_reveal(public, &ledger, now, &*randomness).await.unwrap();
        let means = Means { organisation, keys, clock: time.clone(), randomness: randomness.clone() };
        let state = Arc::new(State::open(Location::Sqlite(directory.state()), means).await.unwrap());
        let index = Index::open_with(&folder.path().join("index"), Opener::new(state.clone())).await.unwrap();
        let index = Arc::new(index);
        let (text, snapshot) = policy();
        let snapshot = Arc::new(Mutex::new(Arc::new(snapshot)));
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let host = format!("localhost:{}", address.port());
        let voice = Voice {
            organisation: "Northwind Health".into(),
            host: Some(format!("http://{host}")),
            help_desk: Some("4357".into()),
            ..Voice::default()
        };
        let key = || SecretKey::generate(&*randomness);
        let engine_keys = EngineKeys { placeholder: key(), mark: key(), page: key(), content: key() };
        let engine = Engine::new(EngineOptions {
            keys: engine_keys,
            voice,
            randomness: randomness.clone(),
            ledger_fail_open: false,
            before_scan: None,
        });
        let options = AccountOptions { hashing: Hashing { memory_kib: 64, passes: 1 }, ..AccountOptions::default() };
        let accounts = Accounts::new(state.clone(), ledger.clone(), randomness.clone(), options);
        let changed = Arc::new(Notify::new());
        let health = Arc::new(Mutex::new(well(now)));
        let (running, told) = (snapshot.clone(), health.clone());
        let (text, drafts) = (Arc::new(text), snapshot.clone());
        let parts = ConsoleParts {
            hosts: BTreeSet::from([host.clone()]),
            tls: false,
            engine: engine.clone(),
            snapshot: Arc::new(move || running.lock().clone()),
            policy: Arc::new(move || text.clone()),
            world: Arc::new(writ_policy::diagram::World::default),
            read_policy: Arc::new(move |text, beside| read_policy(&drafts.lock(), text, beside)),
            state: state.clone(),
            ledger: ledger.clone(),
            index: index.clone(),
            accounts: accounts.clone(),
            changed: changed.clone(),
            pac: Arc::new(|| "function FindProxyForURL(url, host) { return \"DIRECT\"; }\n".into()),
            root_pem: Arc::new(|| Some("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n".into())),
            organisation: Organisation {
                name: "Northwind Health".into(),
                help_desk: Some("4357".into()),
                services: BTreeMap::from([("chatgpt".into(), "https://chatgpt.com/".into())]),
                uninspected_way: None,
                owners: BTreeMap::new(),
                answer_hours: 24,
            },
            health: Arc::new(move || told.lock().clone()),
            metrics_token: Some(Sensitive::new("metrics-token".into())),
            tours: Some(Arc::new(Walks)),
            clock: time,
            randomness: randomness.clone(),
        };
        let console = Console::new(parts.clone());
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(console.serve(listener, stopped));
        let reader = tokio::sync::Mutex::new(ledger.reader(0));
        Self {
            parts,
            address,
            host,
            clock,
            state,
            ledger,
            index,
            engine,
            snapshot,
            accounts,
            changed,
            shares,
            health,
            randomness,
            reader,
            stop,
            folder,
        }
    }

    /// Where everything lies.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// A person who uses AI.
    pub async fn person(&self, login: &str, who: Who) -> Person {
        let name = Sensitive::new(login.to_owned());
        let typed = Login { source: LOGIN_SOURCE.into(), name: name.clone() };
        let identity = Sensitive::new(format!("{login}@northwind.example"));
        let principal = self.state.identify(&typed, who.as_str(), &identity, &self.ledger).await.unwrap().principal;
        let share = u16::from_be_bytes([principal.as_bytes()[0], principal.as_bytes()[1]]) % 10_000;
        Person { login: login.to_owned(), principal, who, share }
    }

    /// An account with roles, whose password is [`PASSWORD`].
    pub async fn account(&self, person: &Person, roles: &[Role]) -> AccountId {
        let (login, password) = (Sensitive::new(person.login.clone()), Sensitive::new(PASSWORD.to_owned()));
        let roles = roles.iter().copied().collect();
        self.accounts.create_for(&login, person.principal, &roles, &password, false, Role::Admin).await.unwrap()
    }

    /// Brings the index up to date.
    pub async fn catch_up(&self) {
        let mut reader = self.reader.lock().await;
        self.index.catch_up(&mut reader).await.unwrap();
    }

    /// Takes over what stands beside the policy, as the server does when it is told.
    pub async fn reload(&self) {
        let now = self.clock.now();
        let (exceptions, rollout) = (self.state.exceptions(now).await.unwrap(), self.state.rollout(now).await.unwrap());
        let former = self.snapshot.lock().clone();
        let policy = former.policy.with_standing(exceptions, rollout).unwrap();
        *self.snapshot.lock() = Arc::new(Snapshot::new(policy, former.catalog.clone(), former.pack.clone()));
    }

    /// Sends a prompt through the engine, and writes what happened, as an enforcement point does.
    pub async fn ask(&self, person: &Person, to: (&str, &str, Account), channel: Channel, text: &str) -> Asked {
        let mut commands = Vec::new();
        let opening = opening(person, to, channel);
        let snapshot = self.snapshot.lock().clone();
        let mut inspection = Inspection::begin(self.engine.clone(), snapshot, opening, self.clock.now(), &mut commands);
        let body = serde_json::json!({"model": "gpt-5", "messages": [{"role": "user", "content": text}]}).to_string();
        let mut asked = Asked { interaction: inspection.id().to_string(), reference: None };
        let mut inputs = vec![Input::BodyEnd, Input::Body(Bytes::from(body))];
        loop {
            for command in std::mem::take(&mut commands) {
                match command {
                    Command::Run(job) => inputs.push(Input::Done(Box::new(job.run()))),
                    Command::Append(new) => {
                        asked.reference = asked.reference.take().or_else(|| new.skeleton.reference.clone());
                        self.write(*new).await;
                        inputs.push(Input::Recorded(true));
                    }
                    Command::Forward(request) => {
                        let _sent = request.release();
                        let answer = serde_json::json!({"choices": [{"index": 0, "finish_reason": "stop",
                            "message": {"role": "assistant", "content": "Here you are."}}]});
                        let mut headers = HeaderMap::new();
                        headers.insert("content-type", HeaderValue::from_static("application/json"));
                        inputs.push(Input::AnswerEnd);
                        inputs.push(Input::AnswerBody(Bytes::from(answer.to_string())));
                        inputs.push(Input::AnswerHead { status: 200, headers });
                    }
                    Command::End(outcome) => {
                        self.ledger.append(NewEntry::outcome(&outcome, self.clock.now())).await.unwrap();
                    }
                    _ => {}
                }
            }
            match inputs.pop() {
                Some(input) if !inspection.ended() => inspection.step(input, self.clock.now(), &mut commands),
                _ => return asked,
            }
        }
    }

    async fn write(&self, new: NewDecision) {
        let now = self.clock.now();
        let personal = match &new.personal {
            Some(personal) => {
                let key = self.state.person_key(personal.principal, now, &self.ledger).await.unwrap();
                let plain = serde_json::to_vec(personal).unwrap();
                Some(key.seal(EntryKind::Decision, Some(new.skeleton.interaction), &plain, &*self.randomness))
            }
            None => None,
        };
        self.ledger.append(NewEntry::decision(&new.skeleton, personal, now)).await.unwrap();
    }

    pub fn end(&self) {
        let _nobody_listens = self.stop.send(true);
    }
}

fn opening(person: &Person, (service, tier, account): (&str, &str, Account), channel: Channel) -> Opening {
    let path = "/v1/chat/completions";
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    let caller = Caller {
        principal: person.principal,
        on_behalf_of: None,
        who: person.who,
        identity: Identity::Password,
        entity: Term::UNKNOWN,
        groups: Groups::Known(BTreeSet::new()),
        device: Device::Managed,
        person_region: Term::UNKNOWN,
        training: Currency::Current,
        attestation: Currency::Current,
        channel,
        audience: if channel == Channel::Browser { Audience::Person } else { Audience::Program },
        share: person.share,
        credential: None,
        address: Some("10.2.3.4".into()),
        client: Some("a client".into()),
        protected: false,
        language: Language::En,
    };
    Opening {
        caller,
        service: Term::from(service),
        tier: Term::from(tier),
        account,
        destination: Destination { host: "ai.example".into(), port: 443 },
        endpoint: writ_protocol::endpoint("POST", path, Some("application/json")),
        method: Method::POST,
        path_and_query: path.into(),
        headers,
        declared: Declared::NotAsked,
        reason: None,
        repository: None,
        handling: Handling::Inspect,
        passthrough: false,
        navigation: false,
        signals: Default::default(),
    }
}

fn policy_parts() -> (writ_policy::Parsed, Catalog) {
    let organisation = OrganisationServices::load(&[SERVICES]).unwrap();
    (writ_policy::parse(POLICY), Catalog::builtin().with_organisation(organisation).unwrap())
}

fn policy() -> (PolicyText, Snapshot) {
    let (parsed, catalog) = policy_parts();
    let policy = Policy::compile(parsed.model.clone().unwrap(), parsed.hash).unwrap();
    let text = PolicyText { text: POLICY.into(), path: "/etc/writ/policy.md".into(), parsed };
    let pack = pack(&text.parsed);
    (text, Snapshot::new(policy, catalog, pack))
}

/// The detectors with the words of a policy.
fn pack(parsed: &writ_policy::Parsed) -> Pack {
    let define = |class: &writ_policy::document::define::ClassTerms| writ_detect::Definition {
        class: class.class.clone(),
        words: class.words.clone(),
        expressions: class.expressions.clone(),
    };
    let definitions: Vec<_> = parsed.definitions.classes.iter().map(define).collect();
    Pack::with_definitions(&definitions, &writ_detect::Harmless::default()).unwrap()
}

/// A draft, read beside what runs, with the words of its own.
fn read_policy(running: &Snapshot, text: &str, beside: Beside) -> PolicyReading {
    let parsed = writ_policy::parse(text);
    let compiled = parsed.model.clone().map(|model| Policy::compile(model, parsed.hash).unwrap());
    let mut obstacles = Vec::new();
    let snapshot = compiled.map(|policy| -> Arc<Snapshot> {
        let policy = policy.with_standing(beside.exceptions, beside.rollout).unwrap_or_else(|error| {
            obstacles.push(error.to_string());
            policy
        });
        Arc::new(Snapshot::new(policy, running.catalog.clone(), pack(&parsed)))
    });
    PolicyReading { parsed, snapshot, obstacles, notes: Vec::new() }
}

fn well(now: Moment) -> Health {
    let check = |name: &str, detail: &str| Check { name: name.into(), state: CheckState::Fine, detail: detail.into() };
    let key = |purpose: &str| KeyAge { purpose: purpose.into(), epoch: 1, made: Some(now) };
    Health {
        ready: true,
        checks: vec![
            check("ledger", "written and synced"),
            check("detectors", "answer within their time"),
            check("certificate authority", "leaves are valid for 6 more days"),
        ],
        fail_modes: vec![
            ("ledger cannot be written".into(), "nothing leaves".into()),
            ("content cannot be read".into(), "stopped, unless the rule says otherwise".into()),
            ("identity is unknown".into(), "stopped by clause 2.1".into()),
            ("Writ itself is down".into(), "AI hosts are not reachable, everything else is".into()),
        ],
        reload_error: None,
        keys: vec![key("checkpoints"), key("pseudonyms"), key("placeholders"), key("identity")],
        limits: Vec::new(),
        listeners: vec![("console".into(), "127.0.0.1:8080".into()), ("forward proxy".into(), "127.0.0.1:8081".into())],
        started: now,
    }
}

/// Two short walks.
struct Walks;

impl Tours for Walks {
    fn tours(&self) -> Vec<Tour> {
        let stop = |title: &str, link: &str, acts: Vec<TourAct>| TourStop {
            title: title.into(),
            text: "Look at **this** page. It shows what runs now, in `words`.".into(),
            link: link.into(),
            acts,
        };
        let act = |name: &str, needs| TourAct { name: name.into(), label: "Do it now".into(), needs };
        vec![Tour {
            id: "look".into(),
            title: "A look around".into(),
            for_whom: "the security engineer".into(),
            stops: vec![
                stop("What happened", "/overview", vec![act("wave", None)]),
                stop(
                    "The policy",
                    "/policy#health",
                    vec![act("break", Some(writ_identity::Permission::ManageAccounts))],
                ),
                stop("One's own page", "/me", Vec::new()),
            ],
        }]
    }

    fn act<'a>(&'a self, _tour: &'a str, name: &'a str, visitor: TourVisitor) -> TourFuture<'a> {
        Box::pin(
            async move { TourOutcome { said: format!("{name} by {} roles <b>", visitor.roles.len()), link: None } },
        )
    }
}
