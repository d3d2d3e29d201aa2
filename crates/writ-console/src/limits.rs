//! The console's named limits (invariant LIM-1).

use std::time::Duration;

use writ_base::Limit;

/// Bytes of a form or of a JSON body.
pub static BODY: Limit = Limit::new("console.body", "bytes", 64 << 10);
/// Bytes of path and query together.
pub static TARGET: Limit = Limit::new("console.target", "bytes", 4 << 10);
/// Connections at once; more wait in the listener's queue.
pub static CONNECTIONS: Limit = Limit::new("console.connections", "connections", 512);
/// Browsers that follow the live list over a connection of its own; more ask every two seconds.
pub static FOLLOWERS: Limit = Limit::new("console.followers", "connections", 64);
/// Rows of one page of the live list.
pub static PAGE_ROWS: Limit = Limit::new("console.page.rows", "rows", 50);
/// Records of one person that are shown.
pub static RECORD_ROWS: Limit = Limit::new("console.record.rows", "rows", 500);
/// Words of tours that wait to be shown.
pub static SAID: Limit = Limit::new("console.tour.said", "texts", 1_000);
/// Bytes of a form or of a JSON body that holds the text of a policy.
pub static TEXT_BODY: Limit = Limit::new("console.text-body", "bytes", 2 << 20);
/// Bytes of a sample text that the studio reads.
pub static SAMPLE: Limit = Limit::new("console.sample", "bytes", 32 << 10);
/// Texts that the studio works on at once; others wait for a while.
pub static STUDIES: Limit = Limit::new("console.studies", "texts", 2);
/// Texts of which the studio keeps what it worked out.
pub static STUDIES_KEPT: Limit = Limit::new("console.studies-kept", "texts", 6);
/// Lines of a comparison that are shown.
pub static DIFF_LINES: Limit = Limit::new("console.diff", "lines", 4_000);
/// Fields of a situation in an address.
pub static SITUATION: Limit = Limit::new("console.situation", "fields", 256);

/// The least number of people in a group that is counted out.
pub const K: u64 = 5;

/// How long a client may take for its head.
pub(crate) const HEAD_WITHIN: Duration = Duration::from_secs(15);
/// How long an answer may take.
pub(crate) const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// How long the studio lets somebody wait for a text to be worked out.
pub(crate) const STUDY_WITHIN: Duration = Duration::from_secs(15);

/// All of them, for metrics and the reference page.
pub static ALL: &[&Limit] = &[
    &BODY,
    &TARGET,
    &CONNECTIONS,
    &FOLLOWERS,
    &PAGE_ROWS,
    &RECORD_ROWS,
    &SAID,
    &TEXT_BODY,
    &SAMPLE,
    &STUDIES,
    &STUDIES_KEPT,
    &DIFF_LINES,
    &SITUATION,
    &crate::standing::SENTENCE,
];
