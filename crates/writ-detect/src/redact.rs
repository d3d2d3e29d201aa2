//! What consumers do with findings: sort them, merge their spans, count distinct values, know Writ's placeholders.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use writ_base::KeyedDigest;
use writ_model::{Certainty, Finding, Term};

/// Sorts findings by span, then class, type and detector.
pub fn sort(findings: &mut [Finding]) {
    findings.sort_by(|a, b| {
        let key = |f: &'_ Finding| (f.span.start, f.span.end);
        key(a)
            .cmp(&key(b))
            .then_with(|| a.class.cmp(&b.class))
            .then_with(|| a.data_type.cmp(&b.data_type))
            .then_with(|| a.detector.cmp(&b.detector))
    });
}

/// The spans to remove so that nothing of `classes` stays: sorted, without overlap; each with the finding that a
/// placeholder speaks for (the longest of those merged, of equal ones the surer, then the first).
pub fn redact_spans<'f>(findings: &'f [Finding], classes: &BTreeSet<Term>) -> Vec<(Range<usize>, &'f Finding)> {
    let mut chosen: Vec<&Finding> = findings.iter().filter(|finding| classes.contains(&finding.class)).collect();
    chosen.sort_by_key(|finding| (finding.span.start, finding.span.end));
    let mut spans: Vec<(Range<usize>, &Finding)> = Vec::with_capacity(chosen.len());
    for finding in chosen {
        match spans.last_mut() {
            Some((span, speaks)) if finding.span.start < span.end => {
                span.end = span.end.max(finding.span.end);
                let weight = |finding: &Finding| (finding.span.len(), finding.certainty);
                if weight(finding) > weight(speaks) {
                    *speaks = finding;
                }
            }
            _ => spans.push((finding.span.clone(), finding)),
        }
    }
    spans
}

/// How many distinct values each class has, at least *likely* and at least *certain*.
pub fn distinct_values(findings: &[Finding]) -> BTreeMap<Term, Counts> {
    let mut seen: BTreeMap<Term, [BTreeSet<KeyedDigest>; 2]> = BTreeMap::new();
    for finding in findings {
        let [likely, certain] = seen.entry(finding.class.clone()).or_default();
        likely.insert(finding.value);
        if finding.certainty == Certainty::Certain {
            certain.insert(finding.value);
        }
    }
    let count = |(class, [likely, certain]): (Term, [BTreeSet<KeyedDigest>; 2])| {
        (class, Counts { likely: likely.len(), certain: certain.len() })
    };
    seen.into_iter().map(count).collect()
}

/// Numbers of distinct values of one class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Counts {
    /// Of certainty *likely* or above.
    pub likely: usize,
    /// Of certainty *certain*.
    pub certain: usize,
}

/// The share of a text of `length` bytes that findings of a class cover, between 0 and 1.
pub fn share(findings: &[Finding], class: &str, length: usize) -> f64 {
    let classes = BTreeSet::from([Term::from(class)]);
    let covered: usize = redact_spans(findings, &classes).iter().map(|(span, _)| span.len()).sum();
    if length == 0 { 0.0 } else { covered as f64 / length as f64 }
}

/// The longest placeholder, brackets included.
pub const PLACEHOLDER_BYTES: usize = 80;

/// Whether `text` is a placeholder: `[`, a type of upper-case letters and underscores, `-`, 6 to 32 lower-case letters
/// and digits, `]`. Nothing inside one is ever a finding (DET-2).
pub fn is_placeholder(text: &[u8]) -> bool {
    let Some(inner) = text.strip_prefix(b"[").and_then(|text| text.strip_suffix(b"]")) else { return false };
    let Some(dash) = inner.iter().position(|byte| *byte == b'-') else { return false };
    let (kind, rest) = inner.split_at(dash);
    let tag = rest.get(1..).unwrap_or_default();
    (1..=40).contains(&kind.len())
        && kind.iter().all(|byte| byte.is_ascii_uppercase() || *byte == b'_')
        && (6..=32).contains(&tag.len())
        && tag.iter().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}
