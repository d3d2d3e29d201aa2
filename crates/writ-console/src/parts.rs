//! What the console is given: the running system as handles, and what only the binary knows as closures.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::Notify;
use writ_base::{Clock, Limit, Moment, Randomness, Sensitive};
use writ_engine::{Engine, Snapshot};
use writ_identity::{Accounts, Permission, Role};
use writ_model::standing::{ExceptionGrant, RolloutEntry};
use writ_policy::Parsed;
use writ_policy::diagram::World;
use writ_store::{Index, Ledger, State};

/// Everything that the console reads or acts upon.
#[derive(Clone)]
pub struct ConsoleParts {
    /// Host names (with port where it is not the scheme's own) under which the console may be asked for. A request
    /// with any other is refused, so that a name of somebody else that resolves here (DNS rebinding) reaches nothing.
    pub hosts: BTreeSet<String>,
    /// Whether browsers reach the console by TLS: cookies are then sent by TLS only.
    pub tls: bool,
    /// The decision point: stops and their choices.
    pub engine: Arc<Engine>,
    /// The snapshot that runs now.
    pub snapshot: Arc<dyn Fn() -> Arc<Snapshot> + Send + Sync>,
    /// The text of the policy that runs now.
    pub policy: Arc<dyn Fn() -> Arc<PolicyText> + Send + Sync>,
    /// What is possible here, for proofs: services of the catalog, content that is not read on purpose.
    pub world: Arc<dyn Fn() -> World + Send + Sync>,
    /// Reads another text as the server would before it runs it: the studio's drafts.
    pub read_policy: Arc<ReadPolicy>,
    /// Who is who, accounts, cases, what stands beside the policy.
    pub state: Arc<State>,
    /// Acts are written here before they take effect.
    pub ledger: Ledger,
    /// What happened.
    pub index: Arc<Index>,
    /// Who may sign in, and who is.
    pub accounts: Accounts,
    /// Told when what stands beside the policy changed, so that it is taken over at once.
    pub changed: Arc<Notify>,
    /// The proxy auto-configuration file.
    pub pac: Arc<dyn Fn() -> String + Send + Sync>,
    /// The certificate authority that devices trust, as PEM, if there is one.
    pub root_pem: Arc<dyn Fn() -> Option<String> + Send + Sync>,
    /// Who runs it, and whom people may ask.
    pub organisation: Organisation,
    /// What is well and what is not.
    pub health: Arc<dyn Fn() -> Health + Send + Sync>,
    /// A token that opens `/metrics` without a session.
    pub metrics_token: Option<Sensitive<String>>,
    /// Guided walks over live pages.
    pub tours: Option<Arc<dyn Tours>>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Random bytes.
    pub randomness: Arc<dyn Randomness>,
}

/// Who runs the console, in words for people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Organisation {
    /// The name that staff know.
    pub name: String,
    /// How to reach the help desk: `4357`.
    pub help_desk: Option<String>,
    /// Where a person goes on with an approved service, by its catalog id; the first host of the catalog otherwise.
    pub services: BTreeMap<String, String>,
    /// A way that is not inspected, in words: `your own device, or the guest network`.
    pub uninspected_way: Option<String>,
    /// The role that owns each kind of case, and its deputy: `objection`, `exception-request`, `vetting-request`.
    pub owners: BTreeMap<String, (String, String)>,
    /// Hours within which a case is answered.
    pub answer_hours: u64,
}

/// The policy as it was read.
#[derive(Clone, Debug)]
pub struct PolicyText {
    /// The assembled text.
    pub text: String,
    /// Where it was read from, for those who run it.
    pub path: String,
    /// The text, parsed, with the diagnostics that do not keep it from running.
    pub parsed: Parsed,
}

/// Reads a text as if it stood in the policy's file, beside what stands beside the policy.
pub type ReadPolicy = dyn Fn(&str, Beside) -> PolicyReading + Send + Sync;

/// What stands beside a policy.
#[derive(Clone, Debug, Default)]
pub struct Beside {
    /// Exceptions that have not ended.
    pub exceptions: Vec<ExceptionGrant>,
    /// Entries of the roll-out that have not ended.
    pub rollout: Vec<RolloutEntry>,
}

/// A text, read as the server reads its policy.
#[derive(Clone, Debug)]
pub struct PolicyReading {
    /// The text, parsed, with all diagnostics.
    pub parsed: Parsed,
    /// Ready to judge; nothing where the text has errors or cannot be compiled.
    pub snapshot: Option<Arc<Snapshot>>,
    /// Why the server would not take it over, beside errors in the text and examples that fail: in sentences.
    pub obstacles: Vec<String>,
    /// What reading left out, in words.
    pub notes: Vec<String>,
}

/// How the system is.
#[derive(Clone, Debug, Default)]
pub struct Health {
    /// Whether judged traffic can be served.
    pub ready: bool,
    /// What was looked at.
    pub checks: Vec<Check>,
    /// What happens where something fails: ledger, readers, identity ... and `open` or `closed`.
    pub fail_modes: Vec<(String, String)>,
    /// The last change that was not taken over, and when.
    pub reload_error: Option<(Moment, String)>,
    /// The keys.
    pub keys: Vec<KeyAge>,
    /// Named limits, with how often each was reached.
    pub limits: Vec<&'static Limit>,
    /// Where it listens: `forward proxy`, `127.0.0.1:8081`.
    pub listeners: Vec<(String, String)>,
    /// When it was started.
    pub started: Moment,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What: `ledger`, `detectors`, `certificate authority` ...
    pub name: String,
    /// How it is.
    pub state: CheckState,
    /// In one sentence; no content, no person.
    pub detail: String,
}

/// How a thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CheckState {
    /// As it should be.
    Fine,
    /// It works, somebody should look at it.
    Attention,
    /// It does not work.
    Failed,
}

/// A key and its age.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyAge {
    /// What it is for.
    pub purpose: String,
    /// The present epoch.
    pub epoch: u32,
    /// When it was made, if that is known.
    pub made: Option<Moment>,
}

/// Guided walks: a panel at the bottom of live pages says what there is to see and has buttons that do something.
pub trait Tours: Send + Sync {
    /// All tours.
    fn tours(&self) -> Vec<Tour>;

    /// Does what a button of a stop says. The console has checked that the stop has it and that the visitor may.
    fn act<'a>(&'a self, tour: &'a str, name: &'a str, visitor: TourVisitor) -> TourFuture<'a>;
}

/// What a button comes to.
pub type TourFuture<'a> = Pin<Box<dyn Future<Output = TourOutcome> + Send + 'a>>;

/// Who pressed a button.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TourVisitor {
    /// The visitor's roles.
    pub roles: BTreeSet<Role>,
}

/// What a button did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TourOutcome {
    /// In words, shown once in the panel. Plain text; several lines are kept.
    pub said: String,
    /// The page to go to; the stop's own otherwise.
    pub link: Option<String>,
}

/// A walk of at most [`STOPS_MAX`] stops.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tour {
    /// Its name in addresses.
    pub id: String,
    /// What it is about.
    pub title: String,
    /// Whom it is for.
    pub for_whom: String,
    /// The stops, in order.
    pub stops: Vec<TourStop>,
}

/// The most stops of a tour; more are not shown.
pub const STOPS_MAX: usize = 8;

/// A stop of a tour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TourStop {
    /// Its heading.
    pub title: String,
    /// What there is to see, in a little Markdown.
    pub text: String,
    /// The live page to look at: a path of the console, or another address.
    pub link: String,
    /// Buttons.
    pub acts: Vec<TourAct>,
}

/// A button of a stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TourAct {
    /// Its name in addresses.
    pub name: String,
    /// What it says.
    pub label: String,
    /// What whoever presses it must be allowed; every signed-in visitor otherwise.
    pub needs: Option<Permission>,
}
