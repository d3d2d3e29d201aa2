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

/// The least number of people in a group that is counted out.
pub const K: u64 = 5;

/// How long a client may take for its head.
pub(crate) const HEAD_WITHIN: Duration = Duration::from_secs(15);
/// How long an answer may take.
pub(crate) const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// All of them, for metrics and the reference page.
pub static ALL: &[&Limit] =
    &[&BODY, &TARGET, &CONNECTIONS, &FOLLOWERS, &PAGE_ROWS, &RECORD_ROWS, &SAID, &crate::standing::SENTENCE];
