//! How much a policy may hold (invariant LIM-1).

use writ_base::Limit;

/// The text of a policy.
pub static TEXT: Limit = Limit::new("policy.text", "bytes", 4 << 20);
/// Rules of blocks and cells of tables; the number of a rule in its clause is 16 bits wide.
pub static RULES: Limit = Limit::new("policy.rules", "rules", 20_000);
/// Headings.
pub static SECTIONS: Limit = Limit::new("policy.sections", "sections", 5_000);
/// Controls.
pub static CONTROLS: Limit = Limit::new("policy.controls", "controls", 2_000);
/// Values of one key, items of one list.
pub static VALUES: Limit = Limit::new("policy.values", "values", 4_096);
/// Values of all keys of all rules.
pub static MODEL: Limit = Limit::new("policy.model", "values", 1 << 20);
/// Classes, shipped and own: a fact has several bits for each.
pub static CLASSES: Limit = Limit::new("policy.classes", "classes", 256);
/// Examples.
pub static EXAMPLES: Limit = Limit::new("policy.examples", "examples", 10_000);
/// Columns of a table.
pub static COLUMNS: Limit = Limit::new("policy.columns", "columns", 64);
/// Diagnostics of one run.
pub static DIAGNOSTICS: Limit = Limit::new("policy.diagnostics", "diagnostics", 256);
/// Rows that the carve-outs of one rule lower to: one per choice of one key from each `unless`.
pub static UNLESS_ROWS: Limit = Limit::new("policy.unless-rows", "rows", 64);
/// Included files inside included files.
pub static INCLUDE_DEPTH: Limit = Limit::new("policy.include-depth", "levels", 8);
/// Included files in all.
pub static INCLUDES: Limit = Limit::new("policy.includes", "files", 256);
/// One regular expression.
pub static EXPRESSION: Limit = Limit::new("policy.expression", "bytes", 1_000);

/// All limits of this crate's documents, for metrics and the reference page.
pub static ALL: &[&Limit] = &[
    &TEXT,
    &RULES,
    &SECTIONS,
    &CONTROLS,
    &VALUES,
    &MODEL,
    &CLASSES,
    &EXAMPLES,
    &COLUMNS,
    &DIAGNOSTICS,
    &UNLESS_ROWS,
    &INCLUDE_DEPTH,
    &INCLUDES,
    &EXPRESSION,
];
