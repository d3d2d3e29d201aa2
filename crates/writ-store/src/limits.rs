//! The named limits of the store (invariant LIM-1).

use writ_base::Limit;

/// Entries that wait for the ledger's writer; whoever comes later waits to be let in.
pub static LEDGER_QUEUE: Limit = Limit::new("store.ledger.queue", "entries", 4096);
/// Entries written with one write.
pub static LEDGER_BATCH: Limit = Limit::new("store.ledger.batch", "entries", 512);
/// Bytes of one skeleton.
pub static SKELETON_BYTES: Limit = Limit::new("store.ledger.skeleton", "bytes", 256 * 1024);
/// Bytes of one sealed personal part.
pub static PERSONAL_BYTES: Limit = Limit::new("store.ledger.personal", "bytes", 1024 * 1024);
/// Interactions with a decision and no outcome yet.
pub static OPEN_INTERACTIONS: Limit = Limit::new("store.ledger.open", "interactions", 131_072);
/// Bytes of the head of a segment.
pub static SEGMENT_HEAD_BYTES: Limit = Limit::new("store.ledger.head", "bytes", 16 * 1024 * 1024);
/// Keys of persons kept in memory; beyond it they are read anew.
pub static PERSON_KEYS: Limit = Limit::new("store.person_keys", "keys", 20_000);
/// Rows of one answer of the index.
pub static QUERY_ROWS: Limit = Limit::new("store.index.rows", "rows", 10_000);
/// Newest records of a clause in a month among which its people are counted.
pub static CLAUSE_ROWS: Limit = Limit::new("store.index.clause-rows", "rows", 2_000);
/// Reveals whose shares wait in memory for the second holder.
pub static REVEALS_WAITING: Limit = Limit::new("store.reveals.waiting", "reveals", 64);
/// Cases of one person that wait for an answer.
pub static CASES_OPEN: Limit = Limit::new("store.cases.open", "cases", 50);
/// Cases of one answer of the inbox.
pub static CASE_ROWS: Limit = Limit::new("store.cases.rows", "cases", 1000);
/// Bytes of a text that somebody writes: the message of a case, its answer, the purpose of a reveal.
pub static TEXT_BYTES: Limit = Limit::new("store.text", "bytes", 8192);
/// Bytes of the draft of a policy that an account keeps.
pub static DRAFT_BYTES: Limit = Limit::new("store.draft", "bytes", 512 * 1024);
/// Drafts in all; an account keeps one.
pub static DRAFTS: Limit = Limit::new("store.drafts", "drafts", 200);

/// Stops of the last day that can still be continued after a restart; the oldest go first.
pub static KEPT_STOPS: Limit = Limit::new("store.stops", "stops", 20_000);
/// Choices after a stop that are kept over a restart; those that end first go first.
pub static KEPT_CHOICES: Limit = Limit::new("store.choices", "choices", 50_000);
/// Tokens of one account that hold at the same time.
pub static TOKENS_OF_ACCOUNT: Limit = Limit::new("store.tokens", "tokens per account", 20);

/// All limits of this crate, for the metrics page.
pub fn all() -> Vec<&'static Limit> {
    vec![
        &LEDGER_QUEUE,
        &LEDGER_BATCH,
        &SKELETON_BYTES,
        &PERSONAL_BYTES,
        &OPEN_INTERACTIONS,
        &SEGMENT_HEAD_BYTES,
        &PERSON_KEYS,
        &QUERY_ROWS,
        &CLAUSE_ROWS,
        &REVEALS_WAITING,
        &CASES_OPEN,
        &CASE_ROWS,
        &TEXT_BYTES,
        &KEPT_STOPS,
        &KEPT_CHOICES,
        &TOKENS_OF_ACCOUNT,
        &DRAFT_BYTES,
        &DRAFTS,
    ]
}
