//! What the state database says of callers, remembered for seconds so that authenticating costs a hash and a look-up.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use writ_base::keys::SecretKey;
use writ_base::{KeyedDigest, Moment, Sensitive};
use writ_model::Term;
use writ_model::interaction::PrincipalId;
use writ_store::state::{Attributes, Caller as KeyCaller, LOCAL_SOURCE, LOGIN_SOURCE, Login, StateError};
use writ_store::{Ledger, State};

use super::GatekeeperOptions;
use crate::limits::REMEMBERED;
use crate::throttle::network;

/// How long what the database said is believed.
pub const FRESH: Duration = Duration::from_secs(5);
/// How long a wrong password is refused without hashing it again: clients repeat it with every connection.
const WRONG: Duration = Duration::from_secs(60);
/// The source of logins of principals that are an address.
const ADDRESS_SOURCE: &str = "address";
/// The kind of principals that are an address.
pub(crate) const DEVICE: &str = "device";

pub(super) struct People {
    state: Arc<State>,
    ledger: Ledger,
    protected_groups: BTreeSet<Term>,
    attributes_max_age: Duration,
    secret: SecretKey,
    logins: Remembered<Option<PrincipalId>>,
    keys: Remembered<Option<KeyCaller>>,
    passwords: Remembered<Option<PrincipalId>>,
    known: Remembered<Known>,
}

/// What is known of a person.
#[derive(Clone, Debug)]
pub(super) struct Known {
    /// What the directory said last.
    pub(super) attributes: Option<Arc<Attributes>>,
    /// Whether that is recent enough to be believed.
    pub(super) fresh: bool,
    /// Whether it is a protected person.
    pub(super) protected: bool,
}

impl People {
    pub(super) fn new(state: Arc<State>, ledger: Ledger, options: &GatekeeperOptions, secret: SecretKey) -> Self {
        Self {
            state,
            ledger,
            protected_groups: options.protected_groups.clone(),
            attributes_max_age: options.attributes_max_age,
            secret,
            logins: Remembered::default(),
            keys: Remembered::default(),
            passwords: Remembered::default(),
            known: Remembered::default(),
        }
    }

    /// Whoever has this login.
    pub(super) async fn find(&self, login: &Sensitive<String>, now: Moment) -> Result<Option<PrincipalId>, StateError> {
        let key = self.digest("login", &[&login.expose().to_lowercase()]);
        if let Some(principal) = self.logins.get(key, now) {
            return Ok(principal);
        }
        let principal = self.state.find_login(&typed(LOGIN_SOURCE, login)).await?;
        self.logins.put(key, principal, now.after(FRESH));
        Ok(principal)
    }

    /// Whoever has this login; somebody new if nobody has.
    pub(super) async fn find_or_make(&self, login: &Sensitive<String>, now: Moment) -> Result<PrincipalId, StateError> {
        if let Some(principal) = self.find(login, now).await? {
            return Ok(principal);
        }
        let made = self.state.identify(&typed(LOGIN_SOURCE, login), "unknown", login, &self.ledger).await?;
        self.logins.put(
            self.digest("login", &[&login.expose().to_lowercase()]),
            Some(made.principal),
            now.after(FRESH),
        );
        Ok(made.principal)
    }

    /// The principal that an address is: for everybody there of whom nothing is known.
    pub(super) async fn device(&self, address: IpAddr, now: Moment) -> Result<PrincipalId, StateError> {
        let name = network(address);
        let key = self.digest("address", &[&name]);
        if let Some(Some(principal)) = self.logins.get(key, now) {
            return Ok(principal);
        }
        let name = Sensitive::new(name);
        let made = self.state.identify(&typed(ADDRESS_SOURCE, &name), DEVICE, &name, &self.ledger).await?;
        self.logins.put(key, Some(made.principal), now.after(FRESH));
        Ok(made.principal)
    }

    /// Whoever holds this API key.
    pub(super) async fn key(&self, key: &Sensitive<String>, now: Moment) -> Result<Option<KeyCaller>, StateError> {
        let digest = self.digest("key", &[key.expose()]);
        if let Some(caller) = self.keys.get(digest, now) {
            return Ok(caller);
        }
        let caller = self.state.caller(key).await?;
        self.keys.put(digest, caller.clone(), now.after(FRESH));
        Ok(caller)
    }

    /// What was found out about this login and password before: whose they are, or that they are wrong.
    pub(super) fn proved(
        &self,
        login: &Sensitive<String>,
        password: &Sensitive<String>,
        now: Moment,
    ) -> Option<Option<PrincipalId>> {
        self.passwords.get(self.password_digest(login, password), now)
    }

    pub(super) fn prove(
        &self,
        login: &Sensitive<String>,
        password: &Sensitive<String>,
        principal: Option<PrincipalId>,
        now: Moment,
        remembered: Duration,
    ) {
        let until = now.after(if principal.is_some() { remembered } else { WRONG });
        self.passwords.put(self.password_digest(login, password), principal, until);
    }

    /// What is known of a person. Whoever is in a protected group becomes a protected person here, and stops being one
    /// when a fresh directory no longer says so; `login` is the identity from then on.
    pub(super) async fn known(
        &self,
        principal: PrincipalId,
        login: Option<&Sensitive<String>>,
        now: Moment,
    ) -> Result<Known, StateError> {
        let key = self.digest("person", &[&principal.to_string()]);
        if let Some(known) = self.known.get(key, now) {
            return Ok(known);
        }
        let attributes = self.state.attributes(principal).await?.map(Arc::new);
        let fresh = attributes.as_ref().is_some_and(|it| {
            it.source == LOCAL_SOURCE
                || (it.updated <= now.after(FRESH) && now.since(it.updated) < self.attributes_max_age)
        });
        let member = attributes.as_ref().is_some_and(|it| !it.groups.is_disjoint(&self.protected_groups));
        let mut protected = self.state.protected(principal).await?;
        if member && !protected {
            self.state.protect(principal, "system", &self.ledger).await?;
            protected = true;
        } else if protected
            && !member
            && fresh
            && !self.protected_groups.is_empty()
            && let Some(login) = login
        {
            self.state.unprotect(principal, login, "system", &self.ledger).await?;
            protected = false;
        }
        let known = Known { attributes, fresh, protected };
        self.known.put(key, known.clone(), now.after(FRESH));
        Ok(known)
    }

    fn password_digest(&self, login: &Sensitive<String>, password: &Sensitive<String>) -> KeyedDigest {
        self.digest("password", &[&login.expose().to_lowercase(), password.expose()])
    }

    fn digest(&self, kind: &str, parts: &[&str]) -> KeyedDigest {
        let parts = std::iter::once(kind).chain(parts.iter().copied()).map(str::as_bytes);
        KeyedDigest::of_parts(self.secret.expose(), parts)
    }
}

/// Answers by keyed digest of the question, each until its time.
struct Remembered<T>(Mutex<HashMap<KeyedDigest, (Moment, T)>>);

impl<T> Default for Remembered<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> Remembered<T> {
    fn get(&self, key: KeyedDigest, now: Moment) -> Option<T> {
        self.0.lock().get(&key).filter(|(until, _)| now < *until).map(|(_, value)| value.clone())
    }

    fn put(&self, key: KeyedDigest, value: T, until: Moment) {
        let mut all = self.0.lock();
        if !all.contains_key(&key) && !REMEMBERED.admits(all.len() + 1) {
            all.clear();
        }
        all.insert(key, (until, value));
    }
}

fn typed(source: &str, login: &Sensitive<String>) -> Login {
    Login { source: source.to_owned(), name: login.clone() }
}
