//! Sessions of the console: in memory, found by a hash of a random token, ended by the clock.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use subtle::ConstantTimeEq as _;
use writ_base::hash::hex;
use writ_base::keys::SecretKey;
use writ_base::{ContentHash, Moment, Randomness, Sensitive};
use writ_model::interaction::PrincipalId;
use writ_store::state::{Account, AccountId, CaseKind};

use crate::limits::{SESSIONS, SESSIONS_OF_ACCOUNT};
use crate::roles::{self, Permission, Role};

/// When sessions end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionOptions {
    /// Unused for so long.
    pub idle: Duration,
    /// Begun so long ago.
    pub absolute: Duration,
}

impl Default for SessionOptions {
    /// 30 minutes and 12 hours.
    fn default() -> Self {
        Self { idle: Duration::from_secs(30 * 60), absolute: Duration::from_secs(12 * 3600) }
    }
}

/// The sessions.
pub struct Sessions {
    options: SessionOptions,
    randomness: Arc<dyn Randomness>,
    /// By the hash of their token: whoever reads this memory's dump cannot sign in with it.
    live: Mutex<HashMap<ContentHash, Session>>,
}

/// Somebody who has signed in.
#[derive(Clone, Debug)]
pub struct Session {
    /// The account.
    pub account: AccountId,
    /// Whose it is.
    pub principal: PrincipalId,
    /// Its roles.
    pub roles: BTreeSet<Role>,
    /// What every form that changes something sends back.
    pub csrf: Sensitive<String>,
    /// When it began.
    pub made: Moment,
    /// When it was last used.
    pub last: Moment,
    /// Good for nothing but choosing a password.
    pub must_change: bool,
    /// Begun with a ticket, not with a password.
    pub by_ticket: bool,
    /// When the account was last looked at.
    pub(crate) checked: Moment,
}

/// What the browser keeps. The token is in no log and in no page.
#[derive(Clone, Debug)]
pub struct SessionCookie {
    /// The token.
    pub token: Sensitive<String>,
    /// Whether the person must choose a password before anything else.
    pub must_change: bool,
}

/// The cookie's name.
pub const COOKIE: &str = "writ_session";

impl Session {
    /// Whether this session may do something. Before a first password was changed it may do nothing.
    pub fn may(&self, permission: Permission) -> bool {
        !self.must_change && roles::any_allows(&self.roles, permission)
    }

    /// Whether this session answers cases of a kind.
    pub fn answers(&self, kind: CaseKind) -> bool {
        !self.must_change && self.roles.iter().any(|role| roles::answers(*role, kind))
    }

    /// Whether a form's token is this session's; takes as long whatever it is.
    pub fn csrf_valid(&self, token: &str) -> bool {
        self.csrf.expose().as_bytes().ct_eq(token.as_bytes()).into()
    }
}

impl SessionCookie {
    /// The value of `Set-Cookie`; `secure` where the console is reached by HTTPS.
    pub fn header(&self, secure: bool) -> Sensitive<String> {
        let secure = if secure { "; Secure" } else { "" };
        Sensitive::new(format!("{COOKIE}={}; Path=/; HttpOnly; SameSite=Lax{secure}", self.token.expose()))
    }

    /// The value of `Set-Cookie` that removes it.
    pub fn removal(secure: bool) -> String {
        let secure = if secure { "; Secure" } else { "" };
        format!("{COOKIE}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0{secure}")
    }

    /// The token in a `Cookie` header.
    pub fn token_in(header: &str) -> Option<&str> {
        header.split(';').find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))
    }
}

impl Sessions {
    /// No sessions yet.
    pub fn new(options: SessionOptions, randomness: Arc<dyn Randomness>) -> Self {
        Self { options, randomness, live: Mutex::default() }
    }

    /// Begins a session. The token is new whatever the browser brought, and `former`, which it brought, ends: a token
    /// that somebody planted before is worth nothing (session fixation).
    pub fn begin(&self, account: &Account, by_ticket: bool, former: Option<&str>, now: Moment) -> SessionCookie {
        let random = || hex(SecretKey::generate(&*self.randomness).expose());
        let token = random();
        let session = Session {
            account: account.id,
            principal: account.principal,
            roles: roles_of(account),
            csrf: Sensitive::new(random()),
            made: now,
            last: now,
            must_change: account.must_change,
            by_ticket,
            checked: now,
        };
        let mut live = self.live.lock();
        if let Some(former) = former {
            live.remove(&digest(former));
        }
        live.retain(|_, session| self.lives(session, now));
        let mine = live.values().filter(|session| session.account == account.id).count();
        if !SESSIONS_OF_ACCOUNT.admits(mine + 1) {
            end_oldest(&mut live, |session| session.account == account.id);
        }
        if !SESSIONS.admits(live.len() + 1) {
            end_oldest(&mut live, |_| true);
        }
        live.insert(digest(&token), session);
        SessionCookie { token: Sensitive::new(token), must_change: account.must_change }
    }

    /// The session with this token, if it lives; it counts as used now.
    pub fn find(&self, token: &str, now: Moment) -> Option<Session> {
        let mut live = self.live.lock();
        let key = digest(token);
        let session = live.get_mut(&key)?;
        if !self.lives(session, now) {
            live.remove(&key);
            return None;
        }
        session.last = session.last.max(now);
        Some(session.clone())
    }

    /// Ends a session.
    pub fn end(&self, token: &str) {
        self.live.lock().remove(&digest(token));
    }

    /// Ends all sessions of an account.
    pub fn end_account(&self, account: AccountId) {
        self.live.lock().retain(|_, session| session.account != account);
    }

    /// Takes over what an account is now; ends its sessions if it is none any more.
    pub(crate) fn refresh(&self, id: AccountId, account: Option<&Account>, now: Moment) {
        let Some(account) = account.filter(|account| account.disabled.is_none()) else {
            return self.end_account(id);
        };
        for session in self.live.lock().values_mut().filter(|session| session.account == id) {
            session.roles = roles_of(account);
            session.must_change = account.must_change;
            session.checked = now;
        }
    }

    /// How many there are.
    pub fn count(&self, now: Moment) -> usize {
        self.live.lock().values().filter(|session| self.lives(session, now)).count()
    }

    fn lives(&self, session: &Session, now: Moment) -> bool {
        now.since(session.last) < self.options.idle && now.since(session.made) < self.options.absolute
    }
}

/// Roles that this version does not know allow nothing.
pub(crate) fn roles_of(account: &Account) -> BTreeSet<Role> {
    account.roles.iter().filter_map(|name| Role::named(name)).collect()
}

fn end_oldest(live: &mut HashMap<ContentHash, Session>, which: impl Fn(&Session) -> bool) {
    let oldest = live.iter().filter(|(_, session)| which(session)).min_by_key(|(key, session)| (session.last, **key));
    if let Some(key) = oldest.map(|(key, _)| *key) {
        live.remove(&key);
    }
}

fn digest(token: &str) -> ContentHash {
    ContentHash::of_parts([b"session".as_slice(), token.as_bytes()])
}
