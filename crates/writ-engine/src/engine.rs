//! What interactions share: bounded memories, keys that live in memory, the voice.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use writ_base::keys::SecretKey;
use writ_base::{KeyedDigest, Moment, Randomness};
use writ_model::finding::Finding;
use writ_model::interaction::PrincipalId;
use writ_model::standing::{Acknowledged, Acknowledgement, AcknowledgementScope};
use writ_model::{ClauseQuote, Term};

use crate::imitation::Imitations;
use crate::limits;
use crate::memory::Memory;
use crate::opening::Opening;
use crate::stops::{Chosen, Stopped};
use crate::vault::Vault;
use crate::voice::Voice;

/// Keys that outlive a start, from the key registry.
#[derive(Clone)]
pub struct EngineKeys {
    /// Names placeholders.
    pub placeholder: SecretKey,
    /// Marks messages that Writ wrote.
    pub mark: SecretKey,
    /// Makes the tokens that open pages about stops.
    pub page: SecretKey,
    /// Tells turns and contents that were stopped or chosen.
    pub content: SecretKey,
}

/// Sees each text before it is scanned.
pub type BeforeScan = Arc<dyn Fn(&str) + Send + Sync>;

/// How an engine is set up.
#[derive(Clone)]
pub struct EngineOptions {
    /// Keys from the registry.
    pub keys: EngineKeys,
    /// Who speaks.
    pub voice: Voice,
    /// Where random bytes come from.
    pub randomness: Arc<dyn Randomness>,
    /// Whether judged traffic goes on when its decision cannot be written; default no.
    pub ledger_fail_open: bool,
    /// Called before each text is scanned: lets a test make a detector fail.
    pub before_scan: Option<BeforeScan>,
}

/// The shared half of the decision point.
pub struct Engine {
    pub(crate) options: EngineOptions,
    pub(crate) vault: Vault,
    pub(crate) imitations: Imitations,
    digest_key: [u8; 32],
    findings: Memory<KeyedDigest, Arc<[Finding]>>,
    stopped: Memory<KeyedDigest, Option<ClauseQuote>>,
    notes: Memory<KeyedDigest, Moment>,
    acknowledgements: Memory<PrincipalId, Arc<[Acknowledgement]>>,
    pub(crate) stops: Memory<String, Arc<Stopped>>,
    pub(crate) choices: Memory<KeyedDigest, Chosen>,
    notices: Memory<KeyedDigest, Moment>,
    latest: Mutex<Moment>,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("findings", &self.findings.len()).finish_non_exhaustive()
    }
}

impl Engine {
    /// An engine with empty memories.
    pub fn new(options: EngineOptions) -> Arc<Self> {
        let digest_key = *SecretKey::generate(&*options.randomness).expose();
        let vault = Vault::new(options.keys.placeholder.clone(), Arc::clone(&options.randomness));
        Arc::new(Self {
            vault,
            imitations: Imitations::of(&options.voice),
            digest_key,
            findings: Memory::new(&limits::FINDINGS),
            stopped: Memory::new(&limits::STOPPED),
            notes: Memory::new(&limits::NOTES),
            acknowledgements: Memory::new(&limits::ACKNOWLEDGEMENTS),
            stops: Memory::new(&limits::STOPS),
            choices: Memory::new(&limits::CHOICES),
            notices: Memory::new(&limits::NOTICES),
            latest: Mutex::new(Moment::default()),
            options,
        })
    }

    /// Whether judged traffic goes on when its decision cannot be written.
    pub fn ledger_fail_open(&self) -> bool {
        self.options.ledger_fail_open
    }

    /// Who speaks.
    pub fn voice(&self) -> &Voice {
        &self.options.voice
    }

    /// The key of digests that stay in memory.
    pub(crate) fn digest_key(&self) -> &[u8; 32] {
        &self.digest_key
    }

    /// The key of digests by which turns and contents are told again, also after a restart.
    pub(crate) fn content_key(&self) -> &[u8; 32] {
        self.options.keys.content.expose()
    }

    /// The latest time that the engine was told.
    pub(crate) fn latest(&self) -> Moment {
        *self.latest.lock()
    }

    /// Takes note of the time.
    pub(crate) fn tick(&self, now: Moment) {
        let mut latest = self.latest.lock();
        *latest = now.max(*latest);
    }

    /// Takes in that the notice of first use was shown: from the state at start.
    pub fn notice_shown(&self, principal: PrincipalId, service: &Term, at: Moment) {
        self.notices.keep(self.notice_key(principal, service), at);
    }

    /// Whether the notice of first use is due: once per person, service and 90 days.
    pub(crate) fn notice_due(&self, principal: PrincipalId, service: &Term, now: Moment) -> bool {
        let shown = self.notices.recall(&self.notice_key(principal, service));
        shown.is_none_or(|shown| now.since(shown) >= limits::NOTICE_PERIOD)
    }

    fn notice_key(&self, principal: PrincipalId, service: &Term) -> KeyedDigest {
        KeyedDigest::of_parts(&self.digest_key, [b"notice", principal.as_bytes().as_slice(), service.as_bytes()])
    }

    /// Takes in an acknowledgement: from the state at start, or when a reason was just given.
    pub fn acknowledge(&self, acknowledgement: Acknowledgement) {
        let principal = acknowledgement.principal;
        let former = self.acknowledgements.recall(&principal);
        let all: Vec<_> = former.iter().flat_map(|list| list.iter().cloned()).chain([acknowledgement]).collect();
        self.acknowledgements.keep(principal, all.into());
    }

    /// The acknowledgements that hold for this opening and content.
    pub(crate) fn acknowledged(
        &self,
        opening: &Opening,
        content: Option<KeyedDigest>,
        now: Moment,
    ) -> Vec<Acknowledged> {
        let Some(all) = self.acknowledgements.recall(&opening.caller.principal) else { return Vec::new() };
        let in_scope = |scope: &AcknowledgementScope| match scope {
            AcknowledgementScope::Content(digest) => content.is_some_and(|content| content.to_string() == *digest),
            AcknowledgementScope::Repository(repository) => opening.repository.as_ref() == Some(repository),
            AcknowledgementScope::Key(key) => opening.caller.credential.as_ref() == Some(key),
        };
        let holds = |a: &&Acknowledgement| a.until > now && a.service == opening.service && in_scope(&a.scope);
        let fact = |a: &Acknowledgement| Acknowledged {
            id: a.id,
            clause: a.clause.clone(),
            classes: a.classes.clone(),
            until: a.until,
        };
        all.iter().filter(holds).map(fact).collect()
    }

    /// Findings of a text that was scanned before with the same pack.
    pub(crate) fn remembered(&self, text: KeyedDigest) -> Option<Arc<[Finding]>> {
        self.findings.recall(&text)
    }

    /// Remembers the findings of a text; never a verdict.
    pub(crate) fn remember(&self, text: KeyedDigest, findings: &Arc<[Finding]>) {
        if limits::FINDINGS_PER_TEXT.admits(findings.len()) {
            self.findings.keep(text, Arc::clone(findings));
        }
    }

    /// Remembers that a turn was stopped, and by which clause.
    pub(crate) fn remember_stopped(&self, turn: KeyedDigest, clause: Option<ClauseQuote>) {
        self.stopped.keep(turn, clause);
    }

    /// Whether a turn was stopped before, and by which clause.
    pub(crate) fn was_stopped(&self, turn: KeyedDigest) -> Option<Option<ClauseQuote>> {
        self.stopped.recall(&turn)
    }

    /// Lets a turn pass again: it was sent under another verdict.
    pub(crate) fn forget_stopped(&self, turn: KeyedDigest) {
        self.stopped.forget(&turn);
    }

    /// Whether a note about this clause and service is due for this principal: at most once in `every`.
    pub(crate) fn note_due(
        &self,
        principal: PrincipalId,
        clause: &Term,
        service: &Term,
        every: Duration,
        now: Moment,
    ) -> bool {
        let parts = [principal.as_bytes().as_slice(), clause.as_bytes(), service.as_bytes()];
        let key = KeyedDigest::of_parts(&self.digest_key, parts);
        let due = self.notes.recall(&key).is_none_or(|shown| now.since(shown) >= every);
        if due {
            self.notes.keep(key, now);
        }
        due
    }
}
