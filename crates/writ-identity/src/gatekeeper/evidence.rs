//! From what a client shows to a principal.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use writ_base::{Moment, Sensitive};
use writ_model::Identity;
use writ_model::interaction::PrincipalId;
use writ_store::state::{Caller as KeyCaller, LOGIN_SOURCE, Login, StateError};

use super::address_map::Holder;
use super::{Evidence, Inner, certificate};
use crate::passwords::plausible;

/// Whom evidence points to.
pub(super) enum Found {
    /// A person, by this login.
    Person { principal: PrincipalId, identity: Identity, login: Sensitive<String> },
    /// Whoever holds an API key.
    Key(KeyCaller),
    /// Nobody; `shared` if several people are known to use the address.
    Nobody { shared: bool },
    /// A password or key that is wrong.
    Refused,
}

/// What a Basic header holds.
struct Basic {
    login: Sensitive<String>,
    password: Sensitive<String>,
}

/// What API keys begin with: a client that can only send login and password sends the key as the password.
const KEY_START: &str = "writ_";

impl Inner {
    pub(super) async fn found(&self, evidence: &Evidence<'_>, now: Moment) -> Result<Found, StateError> {
        if let Some(found) = self.by_certificate(evidence, now).await? {
            return Ok(found);
        }
        if let Some(header) = evidence.proxy_authorization {
            return self.by_password(header, evidence, now).await;
        }
        if let Some(login) = self.options.ports.get(&evidence.local_port) {
            return self.person(Sensitive::new(login.clone()), Identity::Address, now).await;
        }
        let Some(map) = &self.map else { return Ok(Found::Nobody { shared: false }) };
        let map = map.read(now).await;
        match map.holder(evidence.peer.ip(), now, self.options.address_max_age) {
            Holder::Person(login) => self.person(login, Identity::Address, now).await,
            Holder::Shared => Ok(Found::Nobody { shared: true }),
            Holder::Nobody => Ok(Found::Nobody { shared: false }),
        }
    }

    /// The first name in the certificate that somebody has as a login; otherwise its first name is somebody new. The
    /// organisation's CA vouches for it.
    async fn by_certificate(&self, evidence: &Evidence<'_>, now: Moment) -> Result<Option<Found>, StateError> {
        let Some(der) = evidence.certificate else { return Ok(None) };
        let logins = certificate::logins(der);
        for login in &logins {
            if let Some(principal) = self.people.find(login, now).await? {
                return Ok(Some(Found::Person { principal, identity: Identity::Strong, login: login.clone() }));
            }
        }
        match logins.into_iter().next() {
            Some(login) => self.person(login, Identity::Strong, now).await.map(Some),
            None => Ok(None),
        }
    }

    async fn person(&self, login: Sensitive<String>, identity: Identity, now: Moment) -> Result<Found, StateError> {
        let principal = self.people.find_or_make(&login, now).await?;
        Ok(Found::Person { principal, identity, login })
    }

    async fn by_password(&self, header: &str, evidence: &Evidence<'_>, now: Moment) -> Result<Found, StateError> {
        let Some(Basic { login, password }) = basic(header) else { return Ok(Found::Refused) };
        if password.expose().starts_with(KEY_START) {
            let key = self.people.key(&password, now).await?;
            return Ok(key.map_or(Found::Refused, Found::Key));
        }
        if let Some(before) = self.people.proved(&login, &password, now) {
            let person = |principal| Found::Person { principal, identity: Identity::Password, login };
            return Ok(before.map_or(Found::Refused, person));
        }
        let Ok(attempt) = self.throttle.begin(login.expose(), evidence.peer.ip(), now) else {
            return Ok(Found::Refused);
        };
        let typed = Login { source: LOGIN_SOURCE.to_owned(), name: login.clone() };
        let principal = self.state.find_login(&typed).await?;
        let hash = match principal {
            Some(principal) => self.state.password(principal).await?,
            None => None,
        };
        let Ok(right) = self.passwords.verify(&password, hash.as_deref()).await else { return Ok(Found::Refused) };
        let principal = principal.filter(|_| right);
        self.people.prove(&login, &password, principal, now, self.options.password_remembered);
        match principal {
            Some(principal) => {
                self.throttle.right(attempt);
                Ok(Found::Person { principal, identity: Identity::Password, login })
            }
            None => Ok(Found::Refused),
        }
    }
}

/// Reads a Basic header (RFC 7617).
fn basic(header: &str) -> Option<Basic> {
    let (scheme, rest) = header.trim().split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(rest.trim()).ok()?).ok()?;
    let (login, password) = text.split_once(':')?;
    let key = password.starts_with(KEY_START);
    let login = if key && login.is_empty() { "key" } else { login };
    plausible(login, password)
        .then(|| Basic { login: Sensitive::new(login.to_owned()), password: Sensitive::new(password.to_owned()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_headers_are_read_or_refused() {
        let read = |header: &str| basic(header).map(|it| (it.login.into_exposed(), it.password.into_exposed()));
        let pair = |login: &str, password: &str| Some((login.to_owned(), password.to_owned()));
        assert_eq!(read("Basic YWRhOnBhc3M6d29yZA=="), pair("ada", "pass:word"));
        assert_eq!(read("basic  YWRhOg=="), pair("ada", ""));
        assert_eq!(read(&format!("Basic {}", STANDARD.encode(":writ_1"))), pair("key", "writ_1"));
        assert_eq!(read(&format!("Basic {}", STANDARD.encode("ärla:ö"))), pair("ärla", "ö"));
        let long = format!("Basic {}", STANDARD.encode(format!("{}:x", "a".repeat(400))));
        for wrong in ["", "Basic", "Basic !", "Bearer YWRhOng=", "Basic YWRh", "Basic Onh4", "Basic /w==", &long] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
