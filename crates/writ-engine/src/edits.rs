//! Edits: what is taken out of a prompt before it leaves, and what takes its place.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use writ_model::Term;
use writ_protocol::Edit;

use crate::engine::Engine;
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
    /// Placeholders for every span of the given classes in the parts that leave.
    ///
    /// # Errors
    /// If a span cannot be edited, the vault is full, or the text with placeholders is still found to hold the class.
    pub(crate) fn for_classes(
        engine: &Arc<Engine>,
        snapshot: &Snapshot,
        compartment: &Compartment,
        reading: &Reading,
        classes: &BTreeSet<Term>,
        kept: &dyn Fn(usize) -> bool,
    ) -> Result<Self, Unfulfillable> {
        let mut replacements = Self::default();
        for (part, findings) in reading.message.parts.iter().zip(&reading.findings) {
            let Some(text) = part.text().filter(|_| kept(part.index)) else { continue };
            for (span, finding) in writ_detect::redact_spans(findings, classes) {
                let unfulfillable = || Unfulfillable(finding.class.clone());
                let value = text.get(span.clone()).filter(|_| part.editable).ok_or_else(unfulfillable)?;
                let name = engine.vault.issue(compartment, &finding.data_type, value).ok_or_else(unfulfillable)?;
                replacements.add(part.index, span, name);
            }
        }
        for seam in reading.seams.iter().filter(|seam| classes.contains(&seam.finding.class)) {
            if kept(seam.first.0) && kept(seam.second.0) {
                replacements.add_seam(engine, compartment, reading, seam.clone())?;
            }
        }
        replacements.verify(engine, snapshot, reading, classes)?;
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
    ) -> Result<(), Unfulfillable> {
        for (part, replacements) in &self.0 {
            let text = reading.message.parts.get(*part).and_then(|part| part.text()).unwrap_or_default();
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
