//! What is wrong with a text, with places: diagnostics, examples that contradict their rules, and what else keeps the
//! server from taking it over.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use utoipa::ToSchema;
use writ_engine::Snapshot;
use writ_model::{Facts, Term};
use writ_policy::analyse::Finding;
use writ_policy::diagnostic::{Diagnostic, Gravity};
use writ_policy::document::source::Span;
use writ_policy::example::{Example, ExampleKind};

use super::counted;
use super::situation::Situation;
use super::workshop::{Study, Trial};
use crate::{markup, sentences, words};

/// What was found when a text was checked.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Checked {
    /// Whether the server would take the text over.
    pub(crate) runs: bool,
    /// In a sentence.
    pub(crate) summary: String,
    /// What is wrong, in the order of the text; what has no place comes first.
    pub(crate) problems: Vec<Problem>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// `error`: the text does not run; `warning`: it runs, and probably says something else than was meant; `note`.
    pub(crate) gravity: String,
    /// A stable word for its kind.
    pub(crate) code: String,
    /// What is wrong.
    pub(crate) message: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) help: Option<String>,
    /// The known word that was probably meant at this place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) near: Option<String>,
    /// Where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) place: Option<Place>,
    /// Other places that matter.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) related: Vec<Related>,
    /// The situations that it is about, in the words of the policy.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) regions: Vec<String>,
    /// A situation that shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) witness: Option<Witness>,
}

impl Problem {
    /// What is wrong, as HTML.
    pub(crate) fn message_html(&self) -> String {
        markup::code(&self.message)
    }

    /// What to do, as HTML.
    pub(crate) fn help_html(&self) -> Option<String> {
        self.help.as_deref().map(markup::code)
    }
}

/// A situation that shows what was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Witness {
    /// The situation in words.
    pub(crate) text: String,
    /// Where it can be tried.
    pub(crate) href: String,
}

impl Witness {
    /// Of facts, with the types of data that detection found in each class.
    pub(crate) fn of(snapshot: &Snapshot, facts: &Facts, types: BTreeMap<Term, BTreeSet<String>>) -> Self {
        let query = Situation::of_facts(facts, types).query();
        Self {
            text: sentences::situation(&snapshot.policy, facts, &snapshot.catalog),
            href: format!("/studio/try?{query}"),
        }
    }
}

/// A place in a text. Lines and columns count from 1; columns count characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Place {
    /// The line.
    pub(crate) line: usize,
    /// The first character.
    pub(crate) column: usize,
    /// The line of the end.
    pub(crate) end_line: usize,
    /// The character after the last.
    pub(crate) end_column: usize,
    /// The line's text before the place, shortened.
    pub(crate) before: String,
    /// The text of the place, as far as it is on the line.
    pub(crate) marked: String,
    /// The line's text after it, shortened.
    pub(crate) after: String,
}

/// Another place that matters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Related {
    /// The line.
    pub(crate) line: usize,
    /// Why.
    pub(crate) message: String,
}

/// Checks a text that was studied.
pub(crate) fn check(study: &Study) -> Checked {
    let obstacles = study.obstacles.iter().map(|text| without_place("error", "not-taken-over", text));
    let notes = study.notes.iter().map(|text| without_place("note", "left-out", text));
    let mut placed: Vec<Problem> =
        study.parsed.diagnostics.iter().map(|diagnostic| problem(diagnostic, &study.text)).collect();
    let failing = study.tried().filter(|(_, trial)| !trial.holds);
    placed.extend(failing.map(|(example, trial)| contradiction(study, example, trial)));
    let found = study.report.iter().flat_map(|report| &report.findings);
    placed.extend(found.map(|finding| analysed(study, finding)));
    placed.sort_by_key(|problem| problem.place.as_ref().map(|place| (place.line, place.column)));
    let problems: Vec<Problem> = obstacles.chain(notes).chain(unproved(study)).chain(placed).collect();
    Checked { runs: study.runs(), summary: summary(study, &problems), problems }
}

fn summary(study: &Study, problems: &[Problem]) -> String {
    let of = |gravity: &str| problems.iter().filter(|problem| problem.gravity == gravity).count();
    let (errors, warnings) = (of("error"), of("warning"));
    let warned = if warnings == 0 { String::new() } else { format!("; {}", counted(warnings, "warning")) };
    if errors > 0 {
        return format!("{} to mend before this text can run{warned}.", counted(errors, "thing"));
    }
    let model = study.parsed.model.as_ref();
    let (clauses, rules) = model.map_or((0, 0), |model| (model.clauses.len(), model.rules.len()));
    format!(
        "This text would run: {}, {}, {}{warned}.",
        counted(clauses, "clause"),
        counted(rules, "rule"),
        counted(study.trials.len(), "example")
    )
}

fn without_place(gravity: &str, code: &str, text: &str) -> Problem {
    Problem {
        gravity: gravity.to_owned(),
        code: code.to_owned(),
        message: words::sentence(text),
        help: None,
        near: None,
        place: None,
        related: Vec::new(),
        regions: Vec::new(),
        witness: None,
    }
}

/// Why not everything could be proved. The text runs all the same.
fn unproved(study: &Study) -> Option<Problem> {
    let diagnostic = study.report.as_ref()?.not_proved()?;
    Some(without_place(diagnostic.gravity.as_str(), diagnostic.code.as_str(), &diagnostic.message))
}

/// What the analyser found, with a situation that shows it.
fn analysed(study: &Study, finding: &Finding) -> Problem {
    let witness = study.snapshot.as_ref().zip(finding.witness.as_ref());
    let witness = witness.map(|(snapshot, witness)| Witness::of(snapshot, &witness.facts, BTreeMap::new()));
    Problem { witness, ..problem(&finding.diagnostic(), &study.text) }
}

/// A diagnostic in the studio's form.
pub(crate) fn problem(diagnostic: &Diagnostic, text: &str) -> Problem {
    let related = diagnostic.related.iter();
    Problem {
        gravity: diagnostic.gravity.as_str().to_owned(),
        code: diagnostic.code.as_str().to_owned(),
        message: words::sentence(&diagnostic.message),
        help: diagnostic.help.as_deref().map(words::sentence),
        near: diagnostic.near.clone(),
        place: Some(place(text, diagnostic.span)),
        related: related.map(|(span, why)| Related { line: span.position(text).line, message: why.clone() }).collect(),
        regions: diagnostic.regions.clone(),
        witness: None,
    }
}

fn contradiction(study: &Study, example: &Example, trial: &Trial) -> Problem {
    let found = study.snapshot.as_ref().map_or_else(String::new, |it| sentences::found(&it.policy, Some(&trial.found)));
    let (message, help) = match example.kind {
        ExampleKind::Violates => (
            "The rule does not apply to this example of `violates`".to_owned(),
            format!("{found} Change the text, its `as:`, or the rule's keys"),
        ),
        ExampleKind::Complies => {
            let keys: Vec<String> = trial.because.iter().map(|key| format!("`{key}`")).collect();
            let because = if keys.is_empty() { "it has no keys".to_owned() } else { sentences::all_of(&keys) };
            (
                "The rule applies to this example of `complies`".to_owned(),
                format!("It applies because of {because}. {found}"),
            )
        }
    };
    Problem {
        gravity: Gravity::Error.as_str().to_owned(),
        code: "example".into(),
        message,
        help: Some(help),
        near: None,
        place: Some(place(&study.text, example.span)),
        related: Vec::new(),
        regions: Vec::new(),
        witness: None,
    }
}

/// Characters of a line that are shown before and after a place, and of the place itself.
const SHOWN: usize = 60;

/// A place with its excerpt.
pub(crate) fn place(text: &str, span: Span) -> Place {
    let (start, end) = (span.position(text), Span::at(span.end).position(text));
    let line = text.split('\n').nth(start.line - 1).unwrap_or_default().trim_end_matches('\r');
    let marked = span.of(text).split('\n').next().unwrap_or_default().trim_end_matches('\r').chars().count();
    let before: Vec<char> = line.chars().take(start.column - 1).collect();
    let cut = before.len().saturating_sub(SHOWN);
    let lead = if cut > 0 { "… " } else { "" };
    let rest: String = line.chars().skip(start.column - 1 + marked).collect();
    Place {
        line: start.line,
        column: start.column,
        end_line: end.line,
        end_column: end.column,
        before: format!("{lead}{}", before.iter().skip(cut).collect::<String>()),
        marked: shortened(&line.chars().skip(start.column - 1).take(marked).collect::<String>(), 2 * SHOWN),
        after: shortened(&rest, SHOWN),
    }
}

fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    format!("{} …", text.chars().take(most).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_shown_with_what_stands_around_it() {
        let text = "first\n  data: finanical\nlast";
        let at = text.find("finanical").unwrap();
        let place = place(text, Span::new(at, at + 9));
        assert_eq!((place.line, place.column, place.end_line, place.end_column), (2, 9, 2, 18));
        assert_eq!([place.before.as_str(), &place.marked, &place.after], ["  data: ", "finanical", ""]);
    }

    #[test]
    fn long_lines_and_places_over_several_lines_are_shortened() {
        let text = format!("{}é{}\nnext", "a".repeat(100), "b".repeat(100));
        let long = place(&text, Span::new(100, 102));
        assert_eq!((long.column, long.marked.as_str()), (101, "é"));
        assert!(long.before.starts_with("… a") && long.after.ends_with("b …"));
        let both = place(&text, Span::new(0, text.len()));
        assert_eq!((both.line, both.end_line, both.end_column), (1, 2, 5));
        assert!(both.marked.ends_with('…') && both.after.is_empty());
        assert_eq!(place("", Span::new(0, 0)).line, 1);
    }
}
