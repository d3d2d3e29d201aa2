//! What comes back as history: turns that were stopped before, messages that Writ itself wrote, and turns that the
//! person chose to send without details. All are edited on the way, so that a conversation goes on after a stop.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use writ_base::{KeyedDigest, Moment};
use writ_model::verdict::Verdict;
use writ_model::{Author, ClauseQuote, Part, Term};
use writ_protocol::Edit;

use crate::engine::Engine;
use crate::inspection::Context;
use crate::reading::Reading;
use crate::stops::Choosable;
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
    /// Classes that the person chose to have removed, by turn; under `None` those of a body without turns.
    chosen: BTreeMap<Option<usize>, Arc<BTreeSet<Term>>>,
}

impl History {
    /// Looks through all turns before the last one of the person or of a tool: that one is what is asked now.
    pub(crate) fn of(context: &Context, reading: &Reading, now: Moment) -> Self {
        let mut history = Self::default();
        let turns = &reading.message.turns;
        let last = turns.iter().rposition(|turn| asks(turn.author));
        for (number, turn) in turns.iter().enumerate() {
            let former = last.is_some_and(|last| number < last);
            if turn.author == Author::Assistant {
                history.own_words(context, reading, number);
                continue;
            }
            if !asks(turn.author) {
                continue;
            }
            let digest = turn_digest(context, reading, Some(number));
            if let Some(classes) = context.engine.without(digest, &context.opening.service, now) {
                history.chosen.insert(Some(number), classes);
            } else if former
                && let Some(clause) = context.engine.was_stopped(digest)
                && replaceable(reading, number)
            {
                history.stopped.insert(number, clause);
                history.gone.extend(turn.parts.clone());
            }
        }
        if turns.is_empty()
            && let Some(classes) =
                context.engine.without(turn_digest(context, reading, None), &context.opening.service, now)
        {
            history.chosen.insert(None, classes);
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

    /// The classes that the person chose to have removed from a part.
    pub(crate) fn chosen(&self, part: &Part) -> Option<&Arc<BTreeSet<Term>>> {
        self.chosen.get(&part.turn)
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
        KeyedDigest::of_parts(engine.content_key(), texts)
    }

    /// What a choice after a stop holds for. Sending without these classes helps if all that was found of them stands
    /// in what the person or a tool said now or before, and can be edited there.
    pub(crate) fn choosable(&self, context: &Context, reading: &Reading, classes: BTreeSet<Term>) -> Choosable {
        let content = self.content_digest(&context.engine, reading);
        let turns = &reading.message.turns;
        let mut concerned: BTreeSet<Option<usize>> = BTreeSet::new();
        let mut helps = reading.in_query.iter().all(|finding| !classes.contains(&finding.class));
        let within = reading
            .message
            .parts
            .iter()
            .zip(&reading.findings)
            .flat_map(|(part, findings)| findings.iter().map(move |finding| (part, &finding.class)));
        let seams = reading.seams.iter().flat_map(|seam| {
            let part = |index: usize| reading.message.parts.get(index).map(|part| (part, &seam.finding.class));
            part(seam.first.0).into_iter().chain(part(seam.second.0))
        });
        for (part, _) in within.chain(seams).filter(|(part, class)| self.keeps(part.index) && classes.contains(*class))
        {
            let asked = part.turn.and_then(|turn| turns.get(turn)).is_some_and(|turn| asks(turn.author));
            helps &= part.editable && (asked || turns.is_empty());
            concerned.insert(part.turn);
        }
        let digests = concerned.into_iter().map(|turn| turn_digest(context, reading, turn)).collect();
        Choosable { content, turns: digests, classes: if helps { classes } else { BTreeSet::new() } }
    }

    /// After a stop: remembers the turns that hold what it was about, so that they are taken out when they come back; says
    /// which they are, with the clause.
    pub(crate) fn remember_stopped(
        &self,
        context: &Context,
        reading: &Reading,
        verdict: &Verdict,
    ) -> (Vec<KeyedDigest>, Option<ClauseQuote>) {
        let clause = verdict.clauses().into_iter().find_map(|clause| context.snapshot.quote(clause));
        let mut stopped = Vec::new();
        for (number, turn) in reading.message.turns.iter().enumerate().filter(|(_, turn)| asks(turn.author)) {
            let concerned = turn.parts.clone().any(|part| {
                let findings = reading.findings.get(part).into_iter().flat_map(|findings| findings.iter());
                let seams = reading.seams.iter().filter(|seam| seam.first.0 == part || seam.second.0 == part);
                findings
                    .chain(seams.map(|seam| &seam.finding))
                    .any(|finding| context.snapshot.concerns(verdict, &finding.class))
            });
            if concerned {
                stopped.push(turn_digest(context, reading, Some(number)));
            }
        }
        if stopped.is_empty()
            && let Some(last) = reading.message.turns.iter().rposition(|turn| asks(turn.author))
        {
            stopped.push(turn_digest(context, reading, Some(last)));
        }
        for turn in &stopped {
            context.engine.remember_stopped(*turn, clause.clone());
        }
        (stopped, clause)
    }

    /// After a pass: what is asked now was sent; it is no longer a stopped turn. What the person chose to have removed
    /// stays so for the rest of the conversation.
    pub(crate) fn passed(&self, context: &Context, reading: &Reading, now: Moment) {
        if let Some(last) = reading.message.turns.iter().rposition(|turn| asks(turn.author)) {
            context.engine.forget_stopped(turn_digest(context, reading, Some(last)));
        }
        for (turn, classes) in &self.chosen {
            let digest = turn_digest(context, reading, *turn);
            context.engine.extend_without(digest, &context.opening.service, classes, now);
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

/// A turn of a principal, by its author and texts; the whole body where it has no turns.
fn turn_digest(context: &Context, reading: &Reading, turn: Option<usize>) -> KeyedDigest {
    let all = || 0..reading.message.parts.len();
    let parts = turn.map_or_else(all, |turn| reading.message.turns.get(turn).map_or(0..0, |turn| turn.parts.clone()));
    let texts = parts.filter_map(|part| reading.message.parts.get(part)?.text().map(str::as_bytes));
    let principal = context.opening.caller.principal;
    let head: [&[u8]; 2] = [b"turn", principal.as_bytes()];
    KeyedDigest::of_parts(context.engine.content_key(), head.into_iter().chain(texts))
}
