//! Overlaps: of candidates that overlap, proof beats context beats form, then length.

use std::collections::BTreeSet;

use writ_base::KeyedDigest;
use writ_model::finding::Evidence;
use writ_model::{Certainty, Set};

use crate::limits;

/// What may become a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// 3 proved, 2 context, 1 form.
    pub(crate) rank: u8,
    pub(crate) certainty: Certainty,
    pub(crate) evidence: Set<Evidence>,
    /// Index of the detector, or of the class of a definition.
    pub(crate) owner: usize,
    pub(crate) value: KeyedDigest,
    pub(crate) identifier: bool,
}

impl Candidate {
    /// Strongest first.
    fn strength(&self) -> impl Ord + use<> {
        use std::cmp::Reverse;
        (Reverse(self.rank), Reverse(self.certainty), Reverse(self.end - self.start), self.start, self.owner)
    }
}

/// Resolves the candidates of one layer, in order of their starts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Resolver {
    waiting: Vec<Candidate>,
    /// Nothing that begins before this may be accepted any more.
    closed: usize,
}

impl Resolver {
    pub(crate) fn add(&mut self, candidate: Candidate) {
        self.waiting.push(candidate);
    }

    /// The start of the first unresolved candidate.
    pub(crate) fn first(&self) -> Option<usize> {
        self.waiting.iter().map(|candidate| candidate.start).min()
    }

    /// Resolves every cluster that no candidate from `frontier` on can join.
    pub(crate) fn settle(&mut self, frontier: usize, mut accept: impl FnMut(Candidate)) {
        if self.waiting.is_empty() {
            return;
        }
        self.waiting.sort_by_key(|candidate| (candidate.start, candidate.end, candidate.owner));
        let mut taken = 0;
        let mut cluster: Vec<Candidate> = Vec::new();
        let (mut start, mut end) = (0, 0);
        // A cluster is complete when nothing that is still to come can begin inside it.
        let complete = |start: usize, end: usize| {
            end <= frontier || frontier.saturating_sub(start) > limits::CLUSTER_BYTES.value()
        };
        for candidate in &self.waiting {
            let apart = candidate.start >= end || candidate.start - start > limits::CLUSTER_BYTES.value();
            if apart && !cluster.is_empty() {
                if !complete(start, end) {
                    break;
                }
                taken += cluster.len();
                Self::pick(&mut cluster, &mut self.closed, &mut accept);
            }
            if cluster.is_empty() {
                (start, end) = (candidate.start, candidate.end);
            }
            end = end.max(candidate.end);
            cluster.push(candidate.clone());
        }
        if complete(start, end) {
            taken += cluster.len();
            Self::pick(&mut cluster, &mut self.closed, &mut accept);
        }
        self.waiting.drain(..taken);
    }

    fn pick(cluster: &mut Vec<Candidate>, closed: &mut usize, accept: &mut impl FnMut(Candidate)) {
        cluster.sort_by_key(Candidate::strength);
        let mut taken: Vec<Candidate> = Vec::new();
        let mut starts: BTreeSet<(usize, usize)> = BTreeSet::new();
        for candidate in cluster.drain(..) {
            let before = starts.range(..(candidate.end, 0)).next_back();
            let free = candidate.start >= *closed && before.is_none_or(|(_, end)| *end <= candidate.start);
            if free {
                starts.insert((candidate.start, candidate.end));
                taken.push(candidate);
            }
        }
        taken.sort_by_key(|candidate| candidate.start);
        for candidate in taken {
            *closed = candidate.end.max(*closed);
            accept(candidate);
        }
    }
}
