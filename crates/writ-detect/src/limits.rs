//! Named limits of detection (LIM-1).

use writ_base::Limit;

/// The longest match of a pattern; a longer value is found as far as this.
pub static MATCH_BYTES: Limit = Limit::new("detect.match", "bytes", 8 * 1024);
/// The longest key in armour; a longer one is found as far as this.
pub static ARMOUR_BYTES: Limit = Limit::new("detect.armour", "bytes", 16 * 1024);
/// How far back from an at sign the local part of an address may begin.
pub static LOCAL_PART_BYTES: Limit = Limit::new("detect.local-part", "bytes", 128);
/// How much text before an undecided place is kept for its context.
pub static LOOK_BACK_BYTES: Limit = Limit::new("detect.look-back", "bytes", 1024);
/// How far overlapping candidates are resolved together; what overlaps beyond is resolved apart.
pub static CLUSTER_BYTES: Limit = Limit::new("detect.cluster", "bytes", 64 * 1024);
/// How far apart an identifier and a health word may be.
pub static HEALTH_WINDOW_BYTES: Limit = Limit::new("detect.health-window", "bytes", 160);
/// The longest line that expressions of an organisation see at once; longer lines are cut.
pub static EXPRESSION_LINE_BYTES: Limit = Limit::new("detect.expression-line", "bytes", 4 * 1024);
/// The size of one compiled pattern.
pub static PATTERN_BYTES: Limit = Limit::new("detect.pattern", "bytes", 4 << 20);
/// The size of one compiled expression of an organisation.
pub static EXPRESSION_BYTES: Limit = Limit::new("detect.expression", "bytes", 1 << 20);
/// Words and expressions of all definitions together.
pub static DEFINITION_ENTRIES: Limit = Limit::new("detect.definition-entries", "entries", 20_000);
/// The longest word or phrase of a definition.
pub static DEFINITION_WORD_BYTES: Limit = Limit::new("detect.definition-word", "bytes", 128);
/// The longest piece of a span of source code; longer code is reported in several pieces with one digest.
pub static CODE_PIECE_BYTES: Limit = Limit::new("detect.code-piece", "bytes", 4 * 1024);

/// All limits, for the reference page and metrics.
pub static ALL: [&Limit; 12] = [
    &MATCH_BYTES,
    &ARMOUR_BYTES,
    &LOCAL_PART_BYTES,
    &LOOK_BACK_BYTES,
    &CLUSTER_BYTES,
    &HEALTH_WINDOW_BYTES,
    &EXPRESSION_LINE_BYTES,
    &PATTERN_BYTES,
    &EXPRESSION_BYTES,
    &DEFINITION_ENTRIES,
    &DEFINITION_WORD_BYTES,
    &CODE_PIECE_BYTES,
];
