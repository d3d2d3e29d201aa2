//! The engine's named limits (LIM-1).

use std::time::Duration;

use writ_base::Limit;

/// A prompt's body on the wire and decoded. Above the largest limit of the services themselves (32 MB), so that what
/// exceeds it could not be used anyway.
pub static BODY: Limit = Limit::new("engine.prompt.body", "bytes", 48 << 20);
/// A whole answer that must be read before it is delivered.
pub static ANSWER: Limit = Limit::new("engine.answer.body", "bytes", 48 << 20);
/// Bytes of a body that one step reads itself; a longer one becomes a job.
pub static STEP: Limit = Limit::new("engine.step", "bytes", 64 << 10);
/// Texts whose findings are remembered.
pub static FINDINGS: Limit = Limit::new("engine.findings", "texts", 200_000);
/// Findings remembered per text; a text with more is scanned again.
pub static FINDINGS_PER_TEXT: Limit = Limit::new("engine.findings.per-text", "findings", 256);
/// Turns remembered as stopped.
pub static STOPPED: Limit = Limit::new("engine.stopped-turns", "turns", 50_000);
/// Notes remembered as shown.
pub static NOTES: Limit = Limit::new("engine.notes", "notes", 100_000);
/// Acknowledgements in memory.
pub static ACKNOWLEDGEMENTS: Limit = Limit::new("engine.acknowledgements", "acknowledgements", 50_000);
/// Stops that can still be looked at and continued.
pub static STOPS: Limit = Limit::new("engine.stops", "stops", 20_000);
/// Choices that people made after a stop, in force.
pub static CHOICES: Limit = Limit::new("engine.choices", "choices", 50_000);
/// Notices of first use remembered as shown.
pub static NOTICES: Limit = Limit::new("engine.notices", "notices", 200_000);
/// Bytes at the end of one part and the start of the next that are scanned together.
pub static SEAM: Limit = Limit::new("engine.seam", "bytes", 160);

/// Changes that are tried, alone and in pairs, to find the smallest one that leads to another verdict.
pub static MOVES: Limit = Limit::new("engine.why.changes", "changes", 48);

/// How long a reading job may take before the content counts as unreadable.
pub const JOB_DEADLINE: Duration = Duration::from_secs(10);

/// How long a stop can be looked at.
pub const STOP_LIFETIME: Duration = Duration::from_secs(24 * 3600);
/// How long a choice after a stop holds for the same content.
pub const CHOICE_LIFETIME: Duration = Duration::from_secs(3600);
/// How long after a notice of first use the next one is due.
pub const NOTICE_PERIOD: Duration = Duration::from_secs(90 * 86_400);

/// All of them, for metrics and the reference page.
pub static ALL: &[&Limit] = &[
    &BODY,
    &ANSWER,
    &STEP,
    &FINDINGS,
    &FINDINGS_PER_TEXT,
    &STOPPED,
    &NOTES,
    &ACKNOWLEDGEMENTS,
    &STOPS,
    &CHOICES,
    &NOTICES,
    &SEAM,
    &MOVES,
    &crate::vault::COMPARTMENTS,
    &crate::vault::VALUES,
];
