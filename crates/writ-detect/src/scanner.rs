//! The streaming machine: every byte once through the keywords and digit groups, candidates judged as soon as the text
//! around them settles them, overlaps resolved, health context added.
//!
//! DET-1 holds by construction: every step is a function of the text around a place, and a step that would have to
//! look beyond the text that has arrived waits instead.

use std::fmt;

use aho_corasick::Anchored;
use aho_corasick::automaton::{Automaton, StateID};
use writ_base::KeyedDigest;
use writ_model::finding::Evidence;
use writ_model::{Finding, Set, Term, class};

use crate::automaton::View;
use crate::code::CodeLines;
use crate::context::is_word;
use crate::evaluate::{self, Verdict};
use crate::health::Health;
use crate::limits;
use crate::pack::{Inner, Pack};
use crate::resolve::{Candidate, Resolver};
use crate::spec::Trigger;

/// Scans one stream, in pieces of any size, in bounded memory.
///
/// Spans count bytes from the first byte pushed. Findings arrive when they are settled, those of source code and those
/// with a health context later than others; sort them where the order matters.
#[derive(Clone)]
pub struct Scanner {
    core: Core,
    /// The text from `base` on that is still needed.
    text: Vec<u8>,
    base: usize,
}

impl Scanner {
    pub(crate) fn new(pack: Pack, key: &[u8; 32]) -> Self {
        Self { core: Core::new(pack, key), text: Vec::new(), base: 0 }
    }

    /// Takes the next piece and adds what it settles to `out`.
    pub fn push(&mut self, text: &str, out: &mut Vec<Finding>) {
        self.text.extend_from_slice(text.as_bytes());
        self.core.advance(&View { bytes: &self.text, base: self.base, last: false }, out);
        let kept = self.core.needed.saturating_sub(self.base).min(self.text.len());
        // Moving the rest to the front is worth its while only when it is the smaller part.
        if kept > self.text.len() / 2 {
            self.text.drain(..kept);
            self.base += kept;
        }
    }

    /// Ends the stream and adds everything that is left to `out`. What is pushed afterwards is not scanned.
    pub fn finish(&mut self, out: &mut Vec<Finding>) {
        self.core.advance(&View { bytes: &self.text, base: self.base, last: true }, out);
        self.base += self.text.len();
        self.text.clear();
    }

    /// The offset below which no later finding can begin or reach, those of source code excepted: what a stream may
    /// send on when no rule redacts source code.
    pub fn settled(&self) -> usize {
        self.core.settled
    }

    /// The offset below which no later finding of the wanted classes can begin or reach. Most wait for the open word
    /// only, `phi` for the health words around an identifier, `source-code` for whole lines.
    pub fn settled_for(&self, wanted: impl Fn(&Term) -> bool) -> usize {
        let values = if wanted(&class::PHI) { self.core.settled } else { self.core.values_settled };
        if wanted(&class::SOURCE_CODE) { values.min(self.core.code.settled()) } else { values }
    }

    /// How many bytes have been pushed.
    pub fn position(&self) -> usize {
        self.base + self.text.len()
    }

    /// Bytes of text held at present.
    pub fn held(&self) -> usize {
        self.text.len()
    }
}

impl fmt::Debug for Scanner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scanner")
            .field("position", &self.position())
            .field("settled", &self.settled())
            .finish_non_exhaustive()
    }
}

/// A place that calls detectors.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Call {
    /// The keyword of this index begins at `start` (of the stream).
    Keyword { index: usize, start: usize },
    /// A group of digits begins at `start`.
    Number { start: usize },
}

/// A call that could not be settled, or the part of it that could not.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    call: Call,
    /// The detector, where only one of those called waits; classes of definitions count on after the detectors.
    detector: usize,
    /// No finding of it begins before this.
    earliest: usize,
    /// Not worth another look before the stream is this long: looks grow with the match, so work stays linear.
    retry: usize,
}

/// The machine without its buffer.
#[derive(Clone)]
pub(crate) struct Core {
    pack: Pack,
    key: [u8; 32],
    state: StateID,
    after_digit: bool,
    /// How far the text has been read.
    read: usize,
    waiting: Vec<Waiting>,
    values: Resolver,
    classes: Vec<Resolver>,
    /// Where the open line of expressions begins.
    line: usize,
    health: Health,
    pub(crate) code: CodeLines,
    settled: usize,
    /// The same, what a health context adds later aside.
    values_settled: usize,
    /// Text before this is not looked at any more.
    needed: usize,
}

impl Core {
    pub(crate) fn new(pack: Pack, key: &[u8; 32]) -> Self {
        let classes = pack.inner.classes.iter().map(|_| Resolver::default()).collect();
        Self {
            key: *key,
            state: pack.inner.keyword_start,
            after_digit: false,
            read: 0,
            waiting: Vec::new(),
            values: Resolver::default(),
            classes,
            line: 0,
            health: Health::default(),
            code: CodeLines::default(),
            settled: 0,
            values_settled: 0,
            needed: 0,
            pack,
        }
    }

    /// Reads what is new in `view`, which begins at or before the text still needed.
    pub(crate) fn advance(&mut self, view: &View<'_>, out: &mut Vec<Finding>) {
        let pack = self.pack.clone();
        let inner = &*pack.inner;
        self.retry(inner, view);
        self.find_calls(inner, view);
        self.expressions(inner, view);
        self.code.read(view, &self.key, out);
        self.read = view.base + view.bytes.len();
        let frontier = self.frontier(inner, view);
        self.resolve(inner, frontier, out);
        self.needed = self.needed_from(frontier);
    }

    /// One pass over the new text.
    fn find_calls(&mut self, inner: &Inner, view: &View<'_>) {
        let from = self.read - view.base;
        let mut state = self.state;
        let mut after_digit = self.after_digit;
        for (offset, byte) in view.bytes.get(from..).unwrap_or_default().iter().enumerate() {
            state = inner.keywords.next_state(Anchored::No, state, *byte);
            let digit = byte.is_ascii_digit();
            if digit && !after_digit {
                self.call(inner, view, Call::Number { start: view.base + from + offset });
            }
            after_digit = digit;
            if inner.keywords.is_special(state) && inner.keywords.is_match(state) {
                let end = view.base + from + offset + 1;
                for index in 0..inner.keywords.match_len(state) {
                    let index = inner.keywords.match_pattern(state, index).as_usize();
                    let Some(call) = inner.calls.get(index) else { continue };
                    let start = end - call.length;
                    let inside = view.before(start - view.base, 1).is_some_and(|byte| is_word(byte) || byte == b'_');
                    if !inside || call.inside || !call.classes.is_empty() {
                        self.call(inner, view, Call::Keyword { index, start });
                    }
                }
            }
        }
        self.state = state;
        self.after_digit = after_digit;
    }

    fn call(&mut self, inner: &Inner, view: &View<'_>, call: Call) {
        match call {
            Call::Number { .. } => self.judge(inner, view, call, 0),
            Call::Keyword { index, .. } => {
                let Some(called) = inner.calls.get(index) else { return };
                for detector in &called.detectors {
                    self.judge(inner, view, call, *detector);
                }
                for class in &called.classes {
                    self.judge(inner, view, call, inner.detectors.len() + class);
                }
            }
        }
    }

    /// Asks one detector about one place.
    fn judge(&mut self, inner: &Inner, view: &View<'_>, call: Call, detector: usize) {
        let verdict = match call {
            Call::Number { start } => {
                evaluate::number(inner, &self.key, view, start, &mut |candidate| self.values.add(candidate))
            }
            Call::Keyword { index, start } => {
                let length = inner.calls.get(index).map_or(0, |call| call.length);
                match inner.detectors.get(detector) {
                    Some(known) => evaluate::keyword(inner, known, detector, &self.key, view, start, length),
                    None => {
                        evaluate::defined_word(inner, detector - inner.detectors.len(), &self.key, view, start, length)
                    }
                }
            }
        };
        match verdict {
            Verdict::Nothing => {}
            Verdict::HealthWord(span) => self.health.word(span),
            Verdict::Found(candidate) => match detector.checked_sub(inner.detectors.len()) {
                Some(class) if matches!(call, Call::Keyword { .. }) => {
                    if let Some(resolver) = self.classes.get_mut(class) {
                        resolver.add(candidate);
                    }
                }
                _ => self.values.add(candidate),
            },
            Verdict::Pending { earliest } => {
                let end = view.base + view.bytes.len();
                let start = match call {
                    Call::Keyword { start, .. } | Call::Number { start } => start,
                };
                self.waiting.push(Waiting { call, detector, earliest, retry: end + 1 + (end - start) / 8 });
            }
        }
    }

    /// Asks again where text was missing.
    fn retry(&mut self, inner: &Inner, view: &View<'_>) {
        let end = view.base + view.bytes.len();
        let (ready, waiting) =
            std::mem::take(&mut self.waiting).into_iter().partition(|one| view.last || one.retry <= end);
        self.waiting = waiting;
        for one in ready {
            self.judge(inner, view, one.call, one.detector);
        }
    }

    /// Runs the organisation's expressions over every line that is complete.
    fn expressions(&mut self, inner: &Inner, view: &View<'_>) {
        if inner.classes.iter().all(|class| class.expressions.is_empty()) {
            return;
        }
        loop {
            let from = self.line - view.base;
            let rest = view.bytes.get(from..).unwrap_or_default();
            let rest = rest.get(..limits::EXPRESSION_LINE_BYTES.value()).unwrap_or(rest);
            let cut = rest.len() == limits::EXPRESSION_LINE_BYTES.value();
            let line = match memchr::memchr(b'\n', rest) {
                Some(at) => rest.get(..=at).unwrap_or(rest),
                None if cut => evaluate::whole_characters(rest),
                None if view.last && !rest.is_empty() => rest,
                None => return,
            };
            for (index, class) in inner.classes.iter().enumerate() {
                for found in class.expressions.iter().flat_map(|expression| expression.find_iter(line)) {
                    let (start, end) = (from + found.start(), from + found.end());
                    let candidate = evaluate::expression(inner, index, &self.key, view, start, end);
                    if let (Some(candidate), Some(resolver)) = (candidate, self.classes.get_mut(index)) {
                        resolver.add(candidate);
                    }
                }
            }
            self.line += line.len();
        }
    }

    /// The offset at or after which every candidate begins that is still to come.
    fn frontier(&self, inner: &Inner, view: &View<'_>) -> usize {
        let end = view.base + view.bytes.len();
        if view.last {
            return usize::MAX;
        }
        // The open word can become the local part of an address or the front of a number.
        let reach = view.bytes.len().saturating_sub(limits::LOCAL_PART_BYTES.value() + 4);
        let tail = view.bytes.get(reach..).unwrap_or_default();
        let word = tail.iter().rev().take_while(|byte| !byte.is_ascii_whitespace()).count();
        let keyword = inner.depths.get(&self.state).copied().unwrap_or(0);
        let mut frontier = end - word.max(keyword);
        if inner.classes.iter().any(|class| !class.expressions.is_empty()) {
            frontier = frontier.min(self.line);
        }
        self.waiting.iter().map(|one| one.earliest).fold(frontier, usize::min)
    }

    fn resolve(&mut self, inner: &Inner, frontier: usize, out: &mut Vec<Finding>) {
        let health = &mut self.health;
        self.values.settle(frontier, |candidate| {
            if let Some(detector) = inner.detectors.get(candidate.owner) {
                let finding = finding(&candidate, &detector.spec.data_type, &detector.spec.class, &detector.spec.id);
                health.identifier(&candidate, &finding);
                out.push(finding);
            }
        });
        for (resolver, class) in self.classes.iter_mut().zip(&inner.classes) {
            resolver.settle(frontier, |candidate| {
                out.push(finding(&candidate, &class.data_type, &class.definition.class, &class.detector));
            });
        }
        let open = self.classes.iter().chain([&self.values]).filter_map(Resolver::first).fold(frontier, usize::min);
        self.health.settle(frontier, open, out);
        self.values_settled = open.min(self.read);
        self.settled = self.values_settled.min(self.health.first().unwrap_or(open));
    }

    fn needed_from(&self, frontier: usize) -> usize {
        let calls = self.waiting.iter().map(|one| match one.call {
            Call::Keyword { start, .. } | Call::Number { start } => start.min(one.earliest),
        });
        calls.fold(frontier.min(self.read), usize::min).saturating_sub(limits::LOOK_BACK_BYTES.value())
    }
}

fn finding(
    candidate: &Candidate,
    data_type: &writ_model::Term,
    class: &writ_model::Term,
    detector: &writ_model::Term,
) -> Finding {
    Finding {
        data_type: data_type.clone(),
        class: class.clone(),
        span: candidate.start..candidate.end,
        certainty: candidate.certainty,
        evidence: candidate.evidence,
        detector: detector.clone(),
        value: candidate.value,
    }
}

/// Evidence as a set.
pub(crate) fn evidence(kinds: &[Evidence]) -> Set<Evidence> {
    kinds.iter().copied().collect()
}

/// The digest of a normalised value.
pub(crate) fn digest(key: &[u8; 32], value: &[u8]) -> KeyedDigest {
    KeyedDigest::of(key, value)
}

/// Whether a trigger only marks a health context.
pub(crate) fn marks_only(trigger: Trigger) -> bool {
    trigger == Trigger::HealthWord
}
