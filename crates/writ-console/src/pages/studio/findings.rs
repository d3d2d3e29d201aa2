//! What is worth knowing about a text: what keeps it from running, what it leaves open, what it says in vain. Each
//! finding about a situation comes with that situation, to be tried.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use serde::Serialize;
use utoipa::ToSchema;
use writ_identity::Permission;
use writ_model::values::Value as _;
use writ_model::{Action, Dimension};
use writ_policy::analyse::{NotYet, Outcome};
use writ_policy::example::{ExampleKind, example_facts};
use writ_policy::rule::{KeyValue, Rule};

use super::super::Shared;
use super::clauses::address;
use super::problems::{self, Problem, Witness};
use super::workshop::{Of, Study};
use super::{Asked, Bench};
use crate::frame::{Frame, Visit};
use crate::reply::{Failure, Reply, page as show};
use crate::{Console, markup, sentences, words};

/// Findings about a text.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Findings {
    /// `running` or `draft`.
    pub(crate) of: String,
    /// In a sentence.
    pub(crate) summary: String,
    /// What the text promises of all situations, and whether it holds.
    pub(crate) assertions: Vec<AssertionView>,
    /// Kinds of findings, the gravest first.
    pub(crate) groups: Vec<Group>,
    /// What was looked for and not found.
    pub(crate) quiet: Vec<String>,
}

/// An assertion of a `prove` block.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct AssertionView {
    /// In words.
    pub(crate) text: String,
    /// Whether it holds in every situation, as the text says it.
    pub(crate) holds: bool,
    /// Until when the roll-out keeps it from being in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) later: Option<String>,
}

/// Findings of one kind.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Group {
    /// The kind: `contradiction`, `warning`, `untested` ...
    pub(crate) kind: String,
    /// What it is called.
    pub(crate) title: String,
    /// What it means.
    pub(crate) about: String,
    /// `error`, `warning` or `note`.
    pub(crate) gravity: String,
    /// The findings.
    pub(crate) findings: Vec<FindingView>,
}

/// A finding.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct FindingView {
    /// What was found.
    pub(crate) text: String,
    /// What it rests on, or what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) detail: Option<String>,
    /// The clause it is about, by id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) clause_id: Option<String>,
    /// The clause, by number and heading.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) clause: Option<String>,
    /// Its line in the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) line: Option<usize>,
    /// The situations that it is about, in the words of the policy.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) regions: Vec<String>,
    /// A situation that shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) witness: Option<Witness>,
    #[serde(skip)]
    pub(crate) kind: Kind,
    #[serde(skip)]
    pub(crate) href: Option<String>,
    #[serde(skip)]
    pub(crate) line_href: Option<String>,
}

impl FindingView {
    /// What was found, as HTML.
    pub(crate) fn text_html(&self) -> String {
        markup::code(&self.text)
    }

    /// What it rests on, or what to do, as HTML.
    pub(crate) fn detail_html(&self) -> Option<String> {
        self.detail.as_deref().map(markup::code)
    }
}

/// A kind of finding; the gravest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// It keeps the text from running.
    Error,
    /// An example that contradicts its rule.
    Contradiction,
    /// It runs, and probably says something else than was meant.
    Warning,
    /// Situations that only the posture decides, in a text that admits them.
    Gap,
    /// A rule that demands something and has no example.
    Untested,
    /// Something that this version does not do.
    Note,
}

impl Kind {
    const ALL: [Self; 6] = [Self::Error, Self::Contradiction, Self::Warning, Self::Gap, Self::Untested, Self::Note];

    const fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Contradiction => "contradiction",
            Self::Warning => "warning",
            Self::Gap => "gap",
            Self::Untested => "untested",
            Self::Note => "note",
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Error => "It cannot run",
            Self::Contradiction => "Examples contradict their rules",
            Self::Warning => "It may say something else than was meant",
            Self::Gap => "Only the posture decides",
            Self::Untested => "Rules without an example",
            Self::Note => "Kept, and not used by this version",
        }
    }

    const fn about(self) -> &'static str {
        match self {
            Self::Error => "The server goes on with the last text that ran until these are mended.",
            Self::Contradiction => {
                "Each example is read by real detection. The server does not take over a text of which one fails."
            }
            Self::Warning => "The text runs. Look whether these places mean what you want to say.",
            Self::Gap => {
                "No rule foresees these situations. The text says that such gaps are reported and not refused."
            }
            Self::Untested => {
                "They stop or change something, and no text shows readers what is meant. An example is a test, too."
            }
            Self::Note => "These parts of the text have no effect yet.",
        }
    }

    const fn gravity(self) -> &'static str {
        match self {
            Self::Error | Self::Contradiction => "error",
            Self::Warning => "warning",
            Self::Gap | Self::Untested | Self::Note => "note",
        }
    }

    /// What it means that there is none.
    const fn none(self) -> &'static str {
        match self {
            Self::Error => "nothing keeps the text from running",
            Self::Contradiction => "every example holds",
            Self::Warning => "no warnings",
            Self::Gap => "every situation is foreseen, or decided by a rule",
            Self::Untested => "every rule that demands something has an example",
            Self::Note => "every part of the text has its effect",
        }
    }
}

#[derive(Template)]
#[template(path = "studio_findings.html")]
struct FindingsPage {
    frame: Frame,
    bench: Bench,
    view: Findings,
}

/// `GET /studio/findings`
pub(crate) async fn page(State(console): Shared, visit: Visit, Query(asked): Query<Asked>) -> Reply {
    let view = read(&console, &visit, &asked).await?;
    let of = console.draft(&visit).await?.map(|_| Of::named(&asked.of));
    show(&FindingsPage {
        frame: console.frame(&visit, "Findings"),
        bench: console.bench(&visit, "/studio/findings", of),
        view,
    })
}

/// Reads them.
pub(crate) async fn read(console: &Arc<Console>, visit: &Visit, asked: &Asked) -> Result<Findings, Failure> {
    let which = Of::named(&asked.of);
    let study = console.study(visit, which).await?.ok_or(Failure::Missing)?;
    let mut all = of(&study);
    for finding in &mut all {
        finding.href = finding.clause_id.as_ref().filter(|_| study.parsed.model.is_some()).map(|id| address(id, which));
    }
    link_lines(console, visit, which, &mut all).await?;
    let with = |kind: Kind| -> Vec<FindingView> { all.iter().filter(|it| it.kind == kind).cloned().collect() };
    let groups: Vec<Group> = Kind::ALL
        .into_iter()
        .map(|kind| Group {
            kind: kind.word().to_owned(),
            title: kind.title().to_owned(),
            about: kind.about().to_owned(),
            gravity: kind.gravity().to_owned(),
            findings: with(kind),
        })
        .filter(|group| !group.findings.is_empty())
        .collect();
    // What rests on a text that runs is not known of one that does not, and not every text can be proved.
    let proved = study.report.as_ref().is_some_and(|report| report.unproved.is_none());
    let known = |kind: &Kind| match kind {
        Kind::Gap => proved,
        kind => study.snapshot.is_some() || matches!(kind, Kind::Error | Kind::Warning),
    };
    let quiet = Kind::ALL.into_iter().filter(|kind| known(kind) && with(*kind).is_empty()).map(Kind::none);
    Ok(Findings {
        of: which.as_str().to_owned(),
        summary: problems::check(&study).summary,
        assertions: assertions(&study),
        groups,
        quiet: quiet.map(str::to_owned).collect(),
    })
}

/// Lets lines lead to the page with the text, where it is that text which stands there.
pub(crate) async fn link_lines(
    console: &Console,
    visit: &Visit,
    of: Of,
    findings: &mut [FindingView],
) -> Result<(), Failure> {
    let there = of == Of::Draft || console.draft(visit).await?.is_none();
    for finding in findings.iter_mut().filter(|_| there && visit.may(Permission::KeepDraft)) {
        finding.line_href = finding.line.map(|line| format!("/studio/text#L{line}"));
    }
    Ok(())
}

/// All findings about a text.
pub(crate) fn of(study: &Study) -> Vec<FindingView> {
    let checked = problems::check(study).problems.into_iter().filter(|problem| problem.code != "example");
    let headings = headings(study);
    let mut findings: Vec<FindingView> = checked.map(|problem| from_problem(study, &headings, problem)).collect();
    findings.extend(contradictions(study));
    findings.extend(gaps(study));
    findings.extend(untested(study));
    findings
}

fn from_problem(study: &Study, headings: &[(usize, Option<String>)], problem: Problem) -> FindingView {
    let kind = match problem.gravity.as_str() {
        "error" => Kind::Error,
        "warning" => Kind::Warning,
        _ => Kind::Note,
    };
    let line = problem.place.as_ref().map(|place| place.line);
    let near = problem.near.map(|near| format!("Did you mean `{near}`?"));
    let clause = line.and_then(|line| clause_at(headings, line));
    FindingView {
        detail: problem.help.or(near),
        line,
        regions: problem.regions,
        witness: problem.witness,
        ..finding(study, kind, problem.message, clause)
    }
}

fn assertions(study: &Study) -> Vec<AssertionView> {
    let proved = study.report.iter().flat_map(|report| &report.proof.assertions);
    let until = |late: &NotYet| late.from.map_or_else(|| "an unknown day".to_owned(), words::day);
    proved
        .map(|proved| AssertionView {
            text: words::sentence(&proved.assertion.sentence()),
            holds: matches!(proved.outcome, Outcome::Holds),
            later: proved.not_yet.as_ref().map(until),
        })
        .collect()
}

/// What only the posture decides. A text that refuses gaps has them among its errors.
fn gaps(study: &Study) -> Vec<FindingView> {
    let (Some(report), Some(snapshot)) = (&study.report, &study.snapshot) else { return Vec::new() };
    if study.parsed.document.front.gaps_refused {
        return Vec::new();
    }
    let rows = report.gaps.rows.iter();
    rows.map(|gap| FindingView {
        regions: vec![gap.region.clone()],
        witness: Some(Witness::of(snapshot, &gap.witness.facts, BTreeMap::new())),
        ..finding(study, Kind::Gap, format!("The posture decides: {}", gap.effect.as_str()), None)
    })
    .collect()
}

fn contradictions(study: &Study) -> Vec<FindingView> {
    let failing = study.tried().filter(|(_, trial)| !trial.holds);
    failing
        .map(|(example, trial)| {
            let violates = example.kind == ExampleKind::Violates;
            let text = if violates {
                format!("Rule {} does not apply to its example “{}”", example.rule, example.text)
            } else {
                format!("Rule {} applies to “{}”, which should be fine", example.rule, example.text)
            };
            let because = trial.because.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>();
            let detail =
                (!because.is_empty()).then(|| format!("It applies because of {}.", sentences::all_of(&because)));
            let witness = study.snapshot.as_ref().map(|snapshot| {
                let facts = snapshot.facts_of_text(&example.text, example_facts(example));
                Witness::of(snapshot, &facts, snapshot.types_in(&example.text))
            });
            FindingView {
                detail,
                line: Some(example.span.position(&study.text).line),
                witness,
                ..finding(study, Kind::Contradiction, text, Some(example.clause.to_string()))
            }
        })
        .collect()
}

/// Rules of blocks that demand something and have no example. Cells of a table are shown by the table.
fn untested(study: &Study) -> Vec<FindingView> {
    let (Some(model), Some(snapshot)) = (&study.parsed.model, &study.snapshot) else { return Vec::new() };
    let shown = |clause: &str, rule: u16| {
        study.parsed.examples.iter().any(|example| example.clause == clause && example.rule == rule)
    };
    let mut findings = Vec::new();
    for clause in &model.clauses {
        let rules = model.rules.iter().filter(|rule| rule.clause == clause.id);
        let testable = rules.filter(|rule| {
            shown_by_text(rule)
                && rule.raises()
                && !rule.foresees
                && !rule.ask_level
                && !shown(&rule.clause, rule.number)
        });
        findings.extend(testable.map(|rule| {
            let text = format!("Rule {}: {}", rule.number, sentences::rule(rule, &snapshot.catalog));
            finding(study, Kind::Untested, text, Some(clause.id.to_string()))
        }));
    }
    findings
}

/// Whether a text can show what a rule means: one about signs, connections or sign-ins has none.
fn shown_by_text(rule: &Rule) -> bool {
    let silent = [Dimension::Signal, Dimension::Unreadable, Dimension::Activity];
    let text = [Action::Submit, Action::Upload, Action::ToolCall, Action::Receive, Action::ToolResult];
    let done = rule
        .keys
        .on(Dimension::Action)
        .is_none_or(|key| text.iter().any(|action| key.values.contains(&KeyValue::Closed(action.index()))));
    done && silent.iter().all(|dimension| rule.keys.on(*dimension).is_none())
}

fn finding(study: &Study, kind: Kind, text: String, clause: Option<String>) -> FindingView {
    let section = clause.as_ref().and_then(|id| {
        study.parsed.document.sections.iter().find(|section| section.id.as_deref() == Some(id.as_str()))
    });
    FindingView {
        text,
        detail: None,
        clause: section.map(|section| format!("{} {}", section.number, section.title).trim().to_owned()),
        clause_id: clause,
        line: None,
        regions: Vec::new(),
        witness: None,
        kind,
        href: None,
        line_href: None,
    }
}

/// The line of each heading, and the clause that stands under it.
fn headings(study: &Study) -> Vec<(usize, Option<String>)> {
    let (mut line, mut from) = (1, 0);
    let sections = study.parsed.document.sections.iter().filter(|section| section.level > 0);
    sections
        .map(|section| {
            let between = study.text.get(from..section.heading.start).unwrap_or_default();
            line += between.bytes().filter(|byte| *byte == b'\n').count();
            from = section.heading.start;
            (line, section.clause.as_ref().map(ToString::to_string))
        })
        .collect()
}

/// The clause in which a line stands.
fn clause_at(headings: &[(usize, Option<String>)], line: usize) -> Option<String> {
    headings.iter().take_while(|(heading, _)| *heading <= line).last()?.1.clone()
}
