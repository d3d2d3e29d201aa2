//! A draft beside what runs, line by line. What this means for situations is what the page *What if* says.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use serde::Serialize;
use similar::{Algorithm, DiffOp, capture_diff_slices, group_diff_ops};
use utoipa::ToSchema;

use super::super::Shared;
use super::{Bench, counted};
use crate::frame::{Frame, Visit};
use crate::reply::{Failure, Reply, page as show};
use crate::{Console, limits};

/// A draft beside what runs.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Comparison {
    /// In a sentence.
    pub(crate) summary: String,
    /// Stretches with changes.
    pub(crate) hunks: Vec<Hunk>,
    /// Whether there are more lines than are shown.
    pub(crate) more: bool,
}

/// A stretch of lines with changes, and a few around them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Hunk {
    /// Under which heading of the draft it begins.
    pub(crate) heading: String,
    /// The lines.
    pub(crate) lines: Vec<DiffLine>,
}

/// A line of a comparison.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct DiffLine {
    /// `same`, `gone`, `new`.
    pub(crate) kind: &'static str,
    /// Its number in what runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) before: Option<usize>,
    /// Its number in the draft.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) after: Option<usize>,
    /// The line.
    pub(crate) text: String,
}

/// Lines shown around a change.
const AROUND: usize = 3;

#[derive(Template)]
#[template(path = "studio_diff.html")]
struct DiffPage {
    frame: Frame,
    bench: Bench,
    view: Comparison,
}

/// `GET /studio/diff`
pub(crate) async fn page(State(console): Shared, visit: Visit) -> Reply {
    let view = read(&console, &visit).await?;
    show(&DiffPage {
        frame: console.frame(&visit, "Draft and running policy"),
        bench: console.bench(&visit, "/studio/text", None),
        view,
    })
}

/// Compares the visitor's draft with what runs.
pub(crate) async fn read(console: &Arc<Console>, visit: &Visit) -> Result<Comparison, Failure> {
    let draft = console.draft(visit).await?.ok_or(Failure::Missing)?;
    let running = (console.parts.policy)();
    console.work(move || compare(&running.text, draft.text.expose())).await
}

/// Two texts, line by line.
fn compare(before: &str, after: &str) -> Comparison {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let ops = capture_diff_slices(Algorithm::Patience, &old, &new);
    let (mut gone, mut added, mut shown, mut more) = (0, 0, 0, false);
    let mut hunks = Vec::new();
    for group in group_diff_ops(ops, AROUND) {
        let mut lines: Vec<DiffLine> = group.iter().flat_map(|op| lines(op, &old, &new)).collect();
        gone += lines.iter().filter(|line| line.kind == "gone").count();
        added += lines.iter().filter(|line| line.kind == "new").count();
        let room = limits::DIFF_LINES.value().saturating_sub(shown);
        more |= lines.len() > room;
        lines.truncate(room);
        shown += lines.len();
        if let Some(first) = lines.iter().find_map(|line| line.after) {
            hunks.push(Hunk { heading: heading(&new, first), lines });
        } else if !lines.is_empty() {
            hunks.push(Hunk { heading: String::new(), lines });
        }
    }
    if more {
        limits::DIFF_LINES.hit();
    }
    let summary = match (gone, added) {
        (0, 0) => "Your draft and the running policy have the same lines.".to_owned(),
        (gone, added) => format!(
            "{} of the running policy gone, {} new in your draft.",
            counted(gone, "line"),
            counted(added, "line")
        ),
    };
    Comparison { summary, hunks, more }
}

fn lines(op: &DiffOp, old: &[&str], new: &[&str]) -> Vec<DiffLine> {
    let same = matches!(op, DiffOp::Equal { .. });
    let mut lines = Vec::new();
    if same {
        let pairs = op.old_range().zip(op.new_range());
        lines.extend(pairs.map(|(before, after)| line("same", Some(before), Some(after), new.get(after))));
        return lines;
    }
    lines.extend(op.old_range().map(|before| line("gone", Some(before), None, old.get(before))));
    lines.extend(op.new_range().map(|after| line("new", None, Some(after), new.get(after))));
    lines
}

fn line(kind: &'static str, before: Option<usize>, after: Option<usize>, text: Option<&&str>) -> DiffLine {
    let number = |place: Option<usize>| place.map(|place| place + 1);
    DiffLine { kind, before: number(before), after: number(after), text: text.copied().unwrap_or_default().to_owned() }
}

/// The last heading above a line, which counts from 1.
fn heading(lines: &[&str], line: usize) -> String {
    let above = lines.iter().take(line).rev();
    let heading = above.into_iter().find(|line| line.starts_with('#')).copied().unwrap_or_default();
    let title = heading.trim_start_matches('#').trim();
    title.split(" {#").next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_shown_under_its_heading_with_what_stands_around_it() {
        let before = "# T\n\n## 1 One {#one}\n\na\nb\nc\nd\n\n## 2 Two {#two}\n\nx\ny\n";
        let after = before.replace("b\n", "B\n").replace("y\n", "y\nz\n");
        let comparison = compare(before, &after);
        assert_eq!(comparison.summary, "1 line of the running policy gone, 2 lines new in your draft.");
        let headings: Vec<&str> = comparison.hunks.iter().map(|hunk| hunk.heading.as_str()).collect();
        assert_eq!(headings, ["1 One", "2 Two"]);
        let changed: Vec<_> = comparison.hunks[0]
            .lines
            .iter()
            .filter(|line| line.kind != "same")
            .map(|it| (it.before, it.after, &*it.text))
            .collect();
        assert_eq!(changed, [(Some(6), None, "b"), (None, Some(6), "B")]);
        assert_eq!(comparison.hunks[1].lines.last().unwrap().text, "z");
    }

    #[test]
    fn ends_of_lines_are_no_change_and_long_comparisons_are_cut() {
        let same = compare("a\r\nb\r\n", "a\nb");
        assert!(same.hunks.is_empty() && same.summary.contains("same lines"));
        let long: String = (0..limits::DIFF_LINES.value() + 100).map(|n| format!("{n}\n")).collect();
        let cut = compare("", &long);
        assert!(cut.more);
        assert_eq!(cut.hunks.iter().map(|hunk| hunk.lines.len()).sum::<usize>(), limits::DIFF_LINES.value());
    }
}
