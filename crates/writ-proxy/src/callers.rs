//! Who calls with which API key: from the state database, remembered for a few seconds so that authenticating costs a
//! hash and a look-up. A key that was disabled stops working within [`FRESH`].

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use writ_base::keys::SecretKey;
use writ_base::{KeyedDigest, Limit, Moment, Randomness, Sensitive};
use writ_engine::{Audience, Caller};
use writ_identity::gatekeeper::share;
use writ_model::facts::Groups;
use writ_model::{Channel, Currency, Device, Identity, Language, Term, Value, Who};
use writ_store::State;
use writ_store::state::{ApiKeyKind, Caller as StoredCaller};

/// How long what the database said is believed.
pub const FRESH: Duration = Duration::from_secs(5);

/// API keys remembered, known and unknown ones.
pub static REMEMBERED: Limit = Limit::new("proxy.callers", "API keys", 20_000);

/// Names of labels that say more about a key's caller.
pub mod labels {
    /// The kind of principal: `employee`, `contractor`, `vendor`, `service-account`.
    pub const WHO: &str = "who";
    /// Groups of the directory, separated by commas.
    pub const GROUPS: &str = "groups";
    /// The employing legal entity.
    pub const ENTITY: &str = "entity";
    /// `chat` if people read the answers in a chat; programs otherwise.
    pub const AUDIENCE: &str = "audience";
}

/// Finds callers.
#[derive(Clone)]
pub struct Callers(Arc<Inner>);

struct Inner {
    state: Arc<State>,
    digest_key: SecretKey,
    /// Groups whose members are protected persons.
    protected: BTreeSet<Term>,
    remembered: Mutex<HashMap<KeyedDigest, (Moment, Option<Caller>)>>,
}

impl Callers {
    /// Over a state database. Members of `protected` groups are protected persons.
    pub fn new(state: Arc<State>, protected: BTreeSet<Term>, randomness: &dyn Randomness) -> Self {
        let digest_key = SecretKey::generate(randomness);
        Self(Arc::new(Inner { state, digest_key, protected, remembered: Mutex::new(HashMap::new()) }))
    }

    /// The caller with this API key, if it is one and enabled. If the database cannot be read nobody is known.
    pub async fn find(&self, presented: &Sensitive<String>, now: Moment) -> Option<Caller> {
        let digest = KeyedDigest::of(self.0.digest_key.expose(), presented.expose().as_bytes());
        if let Some((at, caller)) = self.0.remembered.lock().get(&digest)
            && now.since(*at) < FRESH
        {
            return caller.clone();
        }
        let stored = self.0.state.caller(presented).await;
        let stored = stored.inspect_err(|error| tracing::error!(%error, "callers cannot be looked up")).ok()?;
        let caller = match stored {
            Some(stored) => Some(self.protect(described(&stored)).await?),
            None => None,
        };
        let mut remembered = self.0.remembered.lock();
        if !REMEMBERED.admits(remembered.len() + 1) {
            remembered.clear();
        }
        remembered.insert(digest, (now, caller.clone()));
        caller
    }
}

impl Callers {
    /// Marks protected persons, by what the key's labels and the directory say. If the directory cannot be read, nobody
    /// is known: content is not read by accident.
    async fn protect(&self, mut caller: Caller) -> Option<Caller> {
        if self.0.protected.is_empty() {
            return Some(caller);
        }
        let person = caller.on_behalf_of.unwrap_or(caller.principal);
        let attributes = self.0.state.attributes(person).await;
        let attributes =
            attributes.inspect_err(|error| tracing::error!(%error, "the directory cannot be read")).ok()?;
        let listed = |groups: &BTreeSet<Term>| groups.iter().any(|group| self.0.protected.contains(group));
        let labelled = matches!(&caller.groups, Groups::Known(groups) if listed(groups));
        if labelled || attributes.is_some_and(|attributes| listed(&attributes.groups)) {
            caller.protected = true;
            caller.address = None;
        }
        Some(caller)
    }
}

/// What a key's kind and labels say about its caller. What only a directory could say is unknown.
pub fn described(stored: &StoredCaller) -> Caller {
    let label = |name: &str| stored.labels.get(name).map(String::as_str);
    let stated = label(labels::WHO).and_then(Who::named);
    let (who, identity, channel) = match stored.kind {
        ApiKeyKind::Agent => (Who::Agent, Identity::Password, Channel::Agent),
        ApiKeyKind::Person => (stated.unwrap_or(Who::Unknown), Identity::Password, Channel::Api),
        ApiKeyKind::Team => (stated.unwrap_or(Who::Unknown), Identity::Shared, Channel::Api),
    };
    let groups: BTreeSet<Term> = label(labels::GROUPS)
        .into_iter()
        .flat_map(|list| list.split(','))
        .map(str::trim)
        .filter(|group| !group.is_empty())
        .map(Term::from)
        .collect();
    Caller {
        principal: stored.owner,
        on_behalf_of: stored.on_behalf_of,
        who,
        identity,
        entity: label(labels::ENTITY).map_or(Term::UNKNOWN, Term::from),
        groups: Groups::Known(groups),
        device: Device::Unknown,
        person_region: Term::UNKNOWN,
        training: Currency::NotApplicable,
        attestation: Currency::NotApplicable,
        channel,
        audience: if label(labels::AUDIENCE) == Some("chat") { Audience::Person } else { Audience::Program },
        share: share(stored.owner),
        credential: Some(Term::from(stored.key.to_string())),
        address: None,
        client: None,
        protected: false,
        language: Language::En,
    }
}

/// Labels for a key, as [`Callers`] reads them.
pub fn labels_for(who: Option<Who>, groups: &[String], entity: Option<&str>, chat: bool) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    let mut put = |name: &str, value: String| {
        if !value.is_empty() {
            all.insert(name.to_owned(), value);
        }
    };
    put(labels::WHO, who.map(|who| who.as_str().to_owned()).unwrap_or_default());
    put(labels::GROUPS, groups.join(","));
    put(labels::ENTITY, entity.unwrap_or_default().to_owned());
    put(labels::AUDIENCE, if chat { "chat".into() } else { String::new() });
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use writ_model::interaction::PrincipalId;

    #[test]
    fn shares_are_spread_evenly() {
        let mut tenths = [0u32; 10];
        for number in 0..10_000u32 {
            let id = writ_base::hash::hmac_sha256(&[1; 32], [number.to_le_bytes().as_slice()]);
            let place = share(PrincipalId::from_bytes(*id.first_chunk::<16>().unwrap()));
            tenths[usize::from(place / 1000)] += 1;
        }
        assert!(tenths.iter().all(|count| (850..1150).contains(count)), "{tenths:?}");
    }
}
