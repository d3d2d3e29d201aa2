//! What comes back as history: turns that were stopped before, and messages that Writ itself wrote. Both are taken out
//! on the way, so that a conversation goes on after a stop.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use writ_base::KeyedDigest;
use writ_model::verdict::Verdict;
use writ_model::{Author, ClauseQuote};
use writ_protocol::Edit;

use crate::engine::Engine;
use crate::inspection::Context;
use crate::reading::Reading;
use crate::voice;

/// What is taken out of a prompt's history.
#[derive(Debug, Default)]
pub(crate) struct History {
    /// Turns that were stopped before, with the clause.
    stopped: BTreeMap<usize, Option<ClauseQuote>>,
    /// Turns that Writ wrote.
    own: BTreeSet<usize>,
    /// Beginnings of answers that Writ wrote: part and length.
    notes: Vec<(usize, usize)>,
    /// Parts that do not leave.
    gone: BTreeSet<usize>,
}

impl History {
    /// Looks through all turns before the last one of the person or of a tool: that one is what is asked now.
    pub(crate) fn of(context: &Context, reading: &Reading) -> Self {
        let mut history = Self::default();
        let turns = &reading.message.turns;
        let last = turns.iter().rposition(|turn| asks(turn.author));
        for (number, turn) in turns.iter().enumerate() {
            let former = last.is_some_and(|last| number < last);
            if turn.author == Author::Assistant {
                history.own_words(context, reading, number);
            } else if former
                && asks(turn.author)
                && let Some(clause) = context.engine.was_stopped(turn_digest(context, reading, number))
                && replaceable(reading, number)
            {
                history.stopped.insert(number, clause);
                history.gone.extend(turn.parts.clone());
            }
        }
        history
    }

    fn own_words(&mut self, context: &Context, reading: &Reading, number: usize) {
        let Some(turn) = reading.message.turns.get(number) else { return };
        let mark = &context.engine.options.keys.mark;
        let texts = || turn.parts.clone().filter_map(|part| Some((part, reading.message.parts.get(part)?.text()?)));
        let Some((part, text)) = texts().find(|(_, text)| voice::written_by_writ(mark, text).is_some()) else { return };
        let end = voice::written_by_writ(mark, text).unwrap_or_default();
        if end == text.len() && !turn.linked {
            self.own.insert(number);
            self.gone.extend(turn.parts.clone());
        } else {
            self.notes.push((part, end));
        }
    }

    /// Whether a part leaves.
    pub(crate) fn keeps(&self, part: usize) -> bool {
        !self.gone.contains(&part)
    }

    /// The edits that take it out.
    pub(crate) fn edits(&self, context: &Context) -> Vec<Edit> {
        let voice = &context.engine.options.voice;
        let stopped = self
            .stopped
            .iter()
            .map(|(turn, clause)| Edit::ReplaceTurnText { turn: *turn, with: voice.removed(clause.as_ref()) });
        let own = self.own.iter().map(|turn| Edit::RemoveTurn { turn: *turn });
        let notes =
            self.notes.iter().map(|(part, end)| Edit::Replace { part: *part, span: 0..*end, with: String::new() });
        stopped.chain(own).chain(notes).collect()
    }

    /// Digest of what is asked now, for acknowledgements of *this content*.
    pub(crate) fn content_digest(&self, engine: &Arc<Engine>, reading: &Reading) -> KeyedDigest {
        let turns = &reading.message.turns;
        let last = turns.iter().rposition(|turn| asks(turn.author));
        let parts =
            last.and_then(|last| turns.get(last)).map_or(0..reading.message.parts.len(), |turn| turn.parts.clone());
        let texts = parts.filter_map(|part| reading.message.parts.get(part)?.text().map(str::as_bytes));
        KeyedDigest::of_parts(engine.digest_key(), texts)
    }

    /// After a stop: remembers the turns that hold what it was about, so that they are taken out when they come back.
    pub(crate) fn remember_stopped(&self, context: &Context, reading: &Reading, verdict: &Verdict) {
        let clause = verdict.clauses().into_iter().find_map(|clause| context.snapshot.quote(clause));
        let mut held = false;
        for (number, turn) in reading.message.turns.iter().enumerate().filter(|(_, turn)| asks(turn.author)) {
            let concerned = turn.parts.clone().any(|part| {
                let findings = reading.findings.get(part).into_iter().flat_map(|findings| findings.iter());
                let seams = reading.seams.iter().filter(|seam| seam.first.0 == part || seam.second.0 == part);
                findings.chain(seams.map(|seam| &seam.finding)).any(|finding| context.concerns(verdict, &finding.class))
            });
            if concerned {
                held = true;
                context.engine.remember_stopped(turn_digest(context, reading, number), clause.clone());
            }
        }
        if !held && let Some(last) = reading.message.turns.iter().rposition(|turn| asks(turn.author)) {
            context.engine.remember_stopped(turn_digest(context, reading, last), clause);
        }
    }

    /// After a pass: what is asked now was sent; it is no longer a stopped turn.
    pub(crate) fn forget_stopped(&self, context: &Context, reading: &Reading) {
        if let Some(last) = reading.message.turns.iter().rposition(|turn| asks(turn.author)) {
            context.engine.forget_stopped(turn_digest(context, reading, last));
        }
    }
}

/// Whether a turn asks something of the model.
fn asks(author: Author) -> bool {
    matches!(author, Author::User | Author::Tool)
}

fn replaceable(reading: &Reading, turn: usize) -> bool {
    reading.message.check(&Edit::ReplaceTurnText { turn, with: String::new() }).is_ok()
}

/// A turn of a principal, by its author and texts.
fn turn_digest(context: &Context, reading: &Reading, turn: usize) -> KeyedDigest {
    let parts = reading.message.turns.get(turn).map_or(0..0, |turn| turn.parts.clone());
    let texts = parts.filter_map(|part| reading.message.parts.get(part)?.text().map(str::as_bytes));
    let principal = context.opening.caller.principal;
    let head: [&[u8]; 2] = [b"turn", principal.as_bytes()];
    KeyedDigest::of_parts(context.engine.digest_key(), head.into_iter().chain(texts))
}
