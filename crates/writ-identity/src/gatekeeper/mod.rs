//! Who asks through the proxy, and how sure Writ is of that.
//!
//! | evidence | identity |
//! |---|---|
//! | client certificate of the organisation's CA | `strong` |
//! | login and password (Basic), API key of one person or agent | `password` |
//! | port of one person; entry of the address map that is fresh | `address` |
//! | API key of a team; address that several people use | `shared` |
//! | nothing, or an entry that is too old | `none` |
//!
//! From `shared` and `none` nothing is attributed to a person (invariant GOV-3): the principal is the key's owner or the
//! address itself. The strongest evidence counts; a wrong password is refused whatever else there is.

pub mod address_map;
mod certificate;
mod evidence;
mod people;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use writ_base::hash::hmac_sha256;
use writ_base::keys::SecretKey;
use writ_base::{InvariantId, Moment, Randomness};
use writ_engine::{Audience, Caller};
use writ_model::facts::Groups;
use writ_model::interaction::PrincipalId;
use writ_model::{Channel, Currency, Device, Identity, Language, Term, Who};
use writ_store::state::{ApiKeyKind, StateError};
use writ_store::{Ledger, State};

pub use certificate::logins as certificate_logins;

use crate::passwords::{Hashing, Passwords};
use crate::throttle::{Throttle, ThrottleOptions};
use address_map::WatchedMap;
use evidence::Found;
use people::{Known, People};

/// What a client shows.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// The value of `Proxy-Authorization`.
    pub proxy_authorization: Option<&'a str>,
    /// Where it comes from.
    pub peer: SocketAddr,
    /// The port of Writ that it came to.
    pub local_port: u16,
    /// The client's certificate (DER), verified against the organisation's CA for clients.
    pub certificate: Option<&'a [u8]>,
    /// The client's name for itself.
    pub user_agent: Option<&'a str>,
}

/// Who asks.
#[derive(Debug)]
pub enum Presented {
    /// This caller.
    Caller(Box<Caller>),
    /// Wrong password or unknown login or key; or nobody can tell at the moment: answer 407.
    Refused,
    /// Nothing that tells, and that is required: answer 407.
    Missing,
}

/// How callers are told.
#[derive(Clone, Debug)]
pub struct GatekeeperOptions {
    /// Whether somebody who cannot be told is turned away.
    pub require: bool,
    /// The file that says who has which address: `.csv`, else TOML. Read again when it changes.
    pub address_map: Option<PathBuf>,
    /// The age above which an entry of it is not believed.
    pub address_max_age: Duration,
    /// Ports that belong to one person each, with the login.
    pub ports: BTreeMap<u16, String>,
    /// The devices of those who come here: `unknown`, unless only managed ones can reach the proxy.
    pub device: Device,
    /// Groups whose members are protected persons.
    pub protected_groups: BTreeSet<Term>,
    /// The age above which what a directory said counts as unknown (POLICY.md section 2).
    pub attributes_max_age: Duration,
    /// How long a password that was right is believed without hashing it again.
    pub password_remembered: Duration,
    /// What hashing a password costs.
    pub hashing: Hashing,
    /// What guessing costs.
    pub throttle: ThrottleOptions,
}

impl Default for GatekeeperOptions {
    /// Nobody is turned away; entries of the address map hold 8 hours, attributes 24 hours, passwords 5 minutes.
    fn default() -> Self {
        Self {
            require: false,
            address_map: None,
            address_max_age: Duration::from_secs(8 * 3600),
            ports: BTreeMap::new(),
            device: Device::Unknown,
            protected_groups: BTreeSet::new(),
            attributes_max_age: Duration::from_secs(24 * 3600),
            password_remembered: Duration::from_secs(5 * 60),
            hashing: Hashing::default(),
            throttle: ThrottleOptions::default(),
        }
    }
}

/// Tells who asks; clones share what they remember.
#[derive(Clone)]
pub struct Gatekeeper(Arc<Inner>);

pub(crate) struct Inner {
    options: GatekeeperOptions,
    state: Arc<State>,
    passwords: Passwords,
    throttle: Throttle,
    people: People,
    map: Option<WatchedMap>,
    /// Of this start: for what is remembered, and for protected persons' ids.
    secret: SecretKey,
}

/// Characters of a client's name for itself that are kept.
const CLIENT_CHARACTERS: usize = 200;

impl Gatekeeper {
    /// Over a state database.
    pub fn new(state: Arc<State>, ledger: Ledger, randomness: &dyn Randomness, options: GatekeeperOptions) -> Self {
        let secret = SecretKey::generate(randomness);
        let people = People::new(state.clone(), ledger, &options, secret.clone());
        Self(Arc::new(Inner {
            passwords: Passwords::new(options.hashing, randomness),
            throttle: Throttle::new(options.throttle, randomness),
            map: options.address_map.clone().map(WatchedMap::new),
            options,
            state,
            people,
            secret,
        }))
    }

    /// Who asks. If state or ledger refuse nobody is let in: an interaction that cannot be recorded does not begin.
    pub async fn identify(&self, evidence: Evidence<'_>, now: Moment) -> Presented {
        let told = self.0.told(&evidence, now).await;
        told.unwrap_or_else(|error| {
            tracing::error!(%error, "callers cannot be told");
            Presented::Refused
        })
    }
}

impl Inner {
    async fn told(&self, evidence: &Evidence<'_>, now: Moment) -> Result<Presented, StateError> {
        let caller = match self.found(evidence, now).await? {
            Found::Refused => return Ok(Presented::Refused),
            Found::Nobody { .. } if self.options.require => return Ok(Presented::Missing),
            Found::Nobody { shared } => self.of_address(evidence, shared, now).await?,
            Found::Person { principal, identity, login } => {
                let known = self.people.known(principal, Some(&login), now).await?;
                self.of_person(evidence, principal, identity, &known)
            }
            Found::Key(key) => {
                let person = key.on_behalf_of.unwrap_or(key.owner);
                let known = self.people.known(person, None, now).await?;
                let identity = if key.kind == ApiKeyKind::Team { Identity::Shared } else { Identity::Password };
                let mut caller = self.of_person(evidence, key.owner, identity, &known);
                if known.protected {
                    caller.principal = self.neutral(person);
                } else {
                    caller.on_behalf_of = key.on_behalf_of;
                    caller.credential = Some(Term::from(key.key.to_string()));
                }
                if key.kind == ApiKeyKind::Agent {
                    caller.who = Who::Agent;
                    caller.channel = Channel::Agent;
                    caller.audience = Audience::Program;
                }
                caller
            }
        };
        Ok(Presented::Caller(Box::new(caller)))
    }

    /// A caller of whom only the address is known: the address is the principal.
    async fn of_address(&self, evidence: &Evidence<'_>, shared: bool, now: Moment) -> Result<Caller, StateError> {
        let principal = self.people.device(evidence.peer.ip(), now).await?;
        let identity = if shared { Identity::Shared } else { Identity::None };
        let nobody = Known { attributes: None, fresh: false, protected: false };
        Ok(self.of_person(evidence, principal, identity, &nobody))
    }

    fn of_person(&self, evidence: &Evidence<'_>, principal: PrincipalId, identity: Identity, known: &Known) -> Caller {
        // What a directory says is about one person: not about whoever else uses the same key or address.
        let attributes = known.attributes.as_ref().filter(|_| known.fresh && identity <= Identity::Address);
        let term =
            |read: fn(&writ_store::state::Attributes) -> &Term| attributes.map_or(Term::UNKNOWN, |it| read(it).clone());
        let currency =
            |read: fn(&writ_store::state::Attributes) -> Currency| attributes.map_or(Currency::Unknown, |it| read(it));
        let channel = evidence.user_agent.map_or(Channel::Api, channel_of);
        let mut caller = Caller {
            principal,
            on_behalf_of: None,
            who: attributes.map_or(Who::Unknown, |it| it.who),
            identity,
            entity: term(|it| &it.entity),
            groups: attributes.map_or(Groups::Unknown(Term::UNKNOWN), |it| Groups::Known(it.groups.clone())),
            device: self.options.device,
            person_region: term(|it| &it.region),
            training: currency(|it| it.training),
            attestation: currency(|it| it.attestation),
            channel,
            audience: if channel == Channel::Browser { Audience::Person } else { Audience::Program },
            share: share(principal),
            credential: None,
            address: Some(evidence.peer.ip().to_canonical().to_string()),
            client: evidence.user_agent.map(|name| name.chars().take(CLIENT_CHARACTERS).collect()),
            protected: known.protected,
            language: Language::default(),
        };
        if known.protected {
            caller.principal = self.neutral(principal);
            caller.address = None;
            caller.client = None;
        }
        caller
    }

    /// The id under which a protected person goes on from here: of this start only, in no database, so that nothing
    /// written down later can lead back.
    fn neutral(&self, principal: PrincipalId) -> PrincipalId {
        let digest = hmac_sha256(self.secret.expose(), [b"protected".as_slice(), principal.as_bytes()]);
        let mut bytes = [0; 16];
        bytes.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
        InvariantId::NoUnmaskingAlone.check(&bytes != principal.as_bytes());
        PrincipalId::from_bytes(bytes)
    }
}

/// The kind of client, from its name for itself: a claim, good enough for the form of an answer.
pub fn channel_of(user_agent: &str) -> Channel {
    let name = user_agent.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    if has(&["vscode", "visual studio code", "jetbrains", "intellij", "cursor/", "copilot", "windsurf", "zed/"]) {
        Channel::Ide
    } else if has(&["electron/"]) {
        Channel::Desktop
    } else if has(&["claude-cli", "claude-code", "codex", "gemini-cli", "aider", "curl/", "wget/", "httpie"]) {
        Channel::Cli
    } else if name.starts_with("mozilla/") {
        Channel::Browser
    } else {
        Channel::Api
    }
}

/// A principal's stable place in roll-outs by share: 0 to 9,999, from its random id.
pub fn share(principal: PrincipalId) -> u16 {
    let number = principal.as_bytes().iter().fold(0u32, |sum, byte| (sum * 256 + u32::from(*byte)) % 10_000);
    u16::try_from(number).unwrap_or_default()
}
