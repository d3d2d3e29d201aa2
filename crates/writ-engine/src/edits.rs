//! Edits: what is taken out of a prompt before it leaves, and what takes its place.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use writ_model::{Part, Term};
use writ_protocol::Edit;

use crate::engine::Engine;
use crate::history::History;
use crate::reading::Reading;
use crate::snapshot::Snapshot;
use crate::vault::Compartment;

/// The replacements of one prompt, per part and in the order of the text.
#[derive(Debug, Default)]
pub(crate) struct Replacements(BTreeMap<usize, Vec<(Range<usize>, String)>>);

/// A class that cannot be taken out whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unfulfillable(pub(crate) Term);

impl Replacements {
    /// Placeholders for every span of the given classes in the parts that leave, and of those that the person chose.
    ///
    /// # Errors
    /// If a span cannot be edited, the vault is full, or the text with placeholders is still found to hold the class.
    pub(crate) fn for_classes(
        engine: &Arc<Engine>,
        snapshot: &Snapshot,
        compartment: &Compartment,
        reading: &Reading,
        classes: &BTreeSet<Term>,
        history: &History,
    ) -> Result<Self, Unfulfillable> {
        let mut replacements = Self::default();
        for (part, findings) in reading.message.parts.iter().zip(&reading.findings) {
            let Some(text) = part.text().filter(|_| history.keeps(part.index)) else { continue };
            for (span, finding) in writ_detect::redact_spans(findings, &wanted(classes, history, part)) {
                let unfulfillable = || Unfulfillable(finding.class.clone());
                let value = text.get(span.clone()).filter(|_| part.editable).ok_or_else(unfulfillable)?;
                let name = engine.vault.issue(compartment, &finding.data_type, value).ok_or_else(unfulfillable)?;
                replacements.add(part.index, span, name);
            }
        }
        for seam in &reading.seams {
            let halves = [seam.first.0, seam.second.0].map(|index| reading.message.parts.get(index));
            let wanted =
                halves.iter().flatten().any(|part| wanted(classes, history, part).contains(&seam.finding.class));
            if wanted && history.keeps(seam.first.0) && history.keeps(seam.second.0) {
                replacements.add_seam(engine, compartment, reading, seam.clone())?;
            }
        }
        replacements.verify(engine, snapshot, reading, classes, history)?;
        Ok(replacements)
    }

    fn add(&mut self, part: usize, span: Range<usize>, with: String) {
        let list = self.0.entry(part).or_default();
        if list.iter().all(|(other, _)| other.end <= span.start || span.end <= other.start) {
            list.push((span, with));
            list.sort_by_key(|(span, _)| span.start);
        }
    }

    /// A value split over two parts: the first half becomes the placeholder, the second half goes.
    fn add_seam(
        &mut self,
        engine: &Engine,
        compartment: &Compartment,
        reading: &Reading,
        seam: crate::reading::Seam,
    ) -> Result<(), Unfulfillable> {
        let unfulfillable = || Unfulfillable(seam.finding.class.clone());
        let half = |(part, span): &(usize, Range<usize>)| {
            let part = reading.message.parts.get(*part).filter(|part| part.editable)?;
            part.text()?.get(span.clone())
        };
        let (first, second) = half(&seam.first).zip(half(&seam.second)).ok_or_else(unfulfillable)?;
        let value = [first, second].concat();
        let name = engine.vault.issue(compartment, &seam.finding.data_type, &value).ok_or_else(unfulfillable)?;
        self.add(seam.first.0, seam.first.1.clone(), name);
        self.add(seam.second.0, seam.second.1.clone(), String::new());
        Ok(())
    }

    /// Scans every edited text again (DET-2): what was taken out must be gone.
    fn verify(
        &self,
        engine: &Engine,
        snapshot: &Snapshot,
        reading: &Reading,
        classes: &BTreeSet<Term>,
        history: &History,
    ) -> Result<(), Unfulfillable> {
        for (part, replacements) in &self.0 {
            let Some(part) = reading.message.parts.get(*part) else { continue };
            let (text, classes) = (part.text().unwrap_or_default(), wanted(classes, history, part));
            let edited = apply(text, replacements);
            let left = snapshot.pack.scan(&edited, engine.digest_key());
            if let Some(finding) = left.iter().find(|finding| classes.contains(&finding.class)) {
                return Err(Unfulfillable(finding.class.clone()));
            }
        }
        Ok(())
    }

    /// As edits of the body.
    pub(crate) fn into_edits(self) -> impl Iterator<Item = Edit> {
        let edit = |part| move |(span, with)| Edit::Replace { part, span, with };
        self.0.into_iter().flat_map(move |(part, list)| list.into_iter().map(edit(part)))
    }

    /// Whether nothing is replaced.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The classes that are taken out of a part: those of the verdict and those that the person chose.
fn wanted<'a>(classes: &'a BTreeSet<Term>, history: &History, part: &Part) -> Cow<'a, BTreeSet<Term>> {
    match history.chosen(part) {
        Some(chosen) => Cow::Owned(classes.union(chosen).cloned().collect()),
        None => Cow::Borrowed(classes),
    }
}

/// A text with replacements; their spans are sorted and do not overlap.
pub(crate) fn apply(text: &str, replacements: &[(Range<usize>, String)]) -> String {
    let mut edited = String::with_capacity(text.len());
    let mut done = 0;
    for (span, with) in replacements {
        edited.push_str(text.get(done..span.start).unwrap_or_default());
        edited.push_str(with);
        done = span.end;
    }
    edited.push_str(text.get(done..).unwrap_or_default());
    edited
}
