//! Health context: an identifier of a person and a health word within a window are `phi`.

use std::collections::{BTreeSet, VecDeque};
use std::ops::Range;

use writ_model::finding::Evidence;
use writ_model::{Certainty, Finding, Term, class};

use crate::limits;
use crate::resolve::Candidate;

/// Identifiers that wait for a health word, and health words that wait for an identifier.
#[derive(Clone, Debug, Default)]
pub(crate) struct Health {
    /// Spans of health words, in order of their starts.
    words: BTreeSet<(usize, usize)>,
    waiting: VecDeque<Finding>,
}

impl Health {
    /// A health word stands here.
    pub(crate) fn word(&mut self, span: Range<usize>) {
        self.words.insert((span.start, span.end));
    }

    /// An identifier of a person was found.
    pub(crate) fn identifier(&mut self, candidate: &Candidate, finding: &Finding) {
        if candidate.identifier && finding.class != class::PHI {
            self.waiting.push_back(finding.clone());
        }
    }

    /// The start of the first identifier that is undecided.
    pub(crate) fn first(&self) -> Option<usize> {
        self.waiting.iter().map(|finding| finding.span.start).min()
    }

    /// Decides every identifier whose window lies before `frontier`; drops words that no identifier from `open` on
    /// can reach.
    pub(crate) fn settle(&mut self, frontier: usize, open: usize, out: &mut Vec<Finding>) {
        let window = limits::HEALTH_WINDOW_BYTES.value();
        let words = &self.words;
        self.waiting.retain(|finding| {
            let reach = finding.span.end.saturating_add(window);
            if reach >= frontier {
                return true;
            }
            let from = finding.span.start.saturating_sub(window);
            let near = words.range((from, 0)..(reach, 0)).take(2).count();
            if near > 0 {
                out.push(with_health_context(finding, near));
            }
            false
        });
        let first = self.first().unwrap_or(open).min(open).saturating_sub(2 * window);
        self.words = self.words.split_off(&(first, 0));
    }
}

fn with_health_context(finding: &Finding, words: usize) -> Finding {
    let mut finding = finding.clone();
    finding.class = class::PHI;
    finding.detector = Term::fixed("health-context");
    finding.evidence.insert(Evidence::Neighbours);
    if words < 2 {
        finding.certainty = Certainty::Likely;
    }
    finding
}
