//! All clauses with what makes them true, how they fare, and how far they bite.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use serde::Serialize;
use utoipa::ToSchema;
use writ_model::Mode;
use writ_model::values::Value as _;
use writ_policy::PolicyModel;
use writ_policy::document::{BlockKind, Item, Section};

use super::super::Shared;
use super::findings::{self, FindingView};
use super::workshop::{Of, Study};
use super::{Asked, Bench, StageOf, counted, decided, figures, stages};
use crate::Console;
use crate::frame::{Frame, Visit};
use crate::reply::{Failure, Reply, encode, page as show};

/// The clauses of a text.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Clauses {
    /// `running` or `draft`.
    pub(crate) of: String,
    /// In a sentence.
    pub(crate) lead: String,
    /// Why there are no clauses to show, if so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) absent: Option<String>,
    /// How many clauses have each mode.
    pub(crate) modes: Vec<ModeCount>,
    /// The clauses under their headings.
    pub(crate) sections: Vec<Chapter>,
    /// Over how many days decisions are counted.
    pub(crate) days: u64,
}

/// How many clauses have a mode.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ModeCount {
    /// `enforced` ...
    pub(crate) mode: String,
    /// What it means.
    pub(crate) meaning: String,
    /// How many.
    pub(crate) count: usize,
    /// Whether only these are shown.
    pub(crate) current: bool,
    #[serde(skip)]
    pub(crate) href: String,
}

/// A chapter of the document.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Chapter {
    /// `4`.
    pub(crate) number: String,
    /// What it says.
    pub(crate) title: String,
    /// Its clauses.
    pub(crate) clauses: Vec<ClauseRow>,
}

/// A clause at a glance.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ClauseRow {
    /// Its id.
    pub(crate) id: String,
    /// `4.2`.
    pub(crate) number: String,
    /// What it says.
    pub(crate) title: String,
    /// `enforced`, `detected`, `attested`, `process`, `text-only`.
    pub(crate) mode: String,
    /// Rules and controls, counted.
    pub(crate) made_of: String,
    /// Examples, counted; those that contradict their rule are named.
    pub(crate) examples: String,
    /// Whether one of them does.
    pub(crate) fails: bool,
    /// How often it decided.
    pub(crate) decided: String,
    /// Entries of the roll-out in force.
    pub(crate) stages: Vec<StageOf>,
    /// Exceptions in force.
    pub(crate) exceptions: usize,
    /// Findings about it.
    pub(crate) findings: usize,
    #[serde(skip)]
    pub(crate) href: String,
}

#[derive(Template)]
#[template(path = "studio_clauses.html")]
struct ClausesPage {
    frame: Frame,
    bench: Bench,
    view: Clauses,
}

/// `GET /studio`
pub(crate) async fn page(State(console): Shared, visit: Visit, Query(asked): Query<Asked>) -> Reply {
    let view = read(&console, &visit, &asked).await?;
    let of = console.draft(&visit).await?.map(|_| Of::named(&asked.of));
    show(&ClausesPage { frame: console.frame(&visit, "Studio"), bench: console.bench(&visit, "/studio", of), view })
}

/// Reads them.
pub(crate) async fn read(console: &Arc<Console>, visit: &Visit, asked: &Asked) -> Result<Clauses, Failure> {
    let of = Of::named(&asked.of);
    let study = console.study(visit, of).await?.ok_or(Failure::Missing)?;
    let now = console.parts.clock.now();
    let beside = Standing {
        of,
        decided: figures(console).await?,
        stages: stages(&console.parts.state.rollout(now).await?, now),
        exceptions: count(console.parts.state.exceptions(now).await?.iter().map(|grant| grant.clause.to_string())),
        findings: count(findings::of(&study).iter().filter_map(|finding: &FindingView| finding.clause_id.clone())),
    };
    let Some(model) = study.parsed.model.as_ref() else {
        return Ok(Clauses {
            of: of.as_str().to_owned(),
            lead: "This draft has errors.".into(),
            absent: Some("Its clauses are shown as soon as the text is without errors.".into()),
            modes: Vec::new(),
            sections: Vec::new(),
            days: super::DAYS,
        });
    };
    let shown = Mode::named(&asked.mode);
    Ok(Clauses {
        of: of.as_str().to_owned(),
        lead: lead(model, &study),
        absent: None,
        modes: modes(model, of, shown),
        sections: chapters(&study, model, &beside, shown),
        days: super::DAYS,
    })
}

/// What is beside the text.
struct Standing {
    of: Of,
    decided: BTreeMap<String, writ_store::index::ClauseFigures>,
    stages: BTreeMap<String, Vec<StageOf>>,
    exceptions: BTreeMap<String, usize>,
    findings: BTreeMap<String, usize>,
}

fn count(names: impl Iterator<Item = String>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    names.for_each(|name| *counts.entry(name).or_default() += 1);
    counts
}

fn lead(model: &PolicyModel, study: &Study) -> String {
    let failing = study.trials.iter().filter(|trial| !trial.holds).count();
    let examples = match failing {
        0 => "all of which hold".to_owned(),
        1 => "one of which contradicts its rule".to_owned(),
        some => format!("{some} of which contradict their rules"),
    };
    format!(
        "{} and {}, with {}, {examples}.",
        counted(model.clauses.len(), "clause"),
        counted(model.rules.len(), "rule"),
        counted(study.trials.len(), "example")
    )
}

fn modes(model: &PolicyModel, of: Of, shown: Option<Mode>) -> Vec<ModeCount> {
    let address = |mode: Option<Mode>| {
        let mut pairs = Vec::new();
        pairs.extend((of == Of::Draft).then(|| "of=draft".to_owned()));
        pairs.extend(mode.map(|mode| format!("mode={mode}")));
        if pairs.is_empty() { "/studio".to_owned() } else { format!("/studio?{}", pairs.join("&")) }
    };
    let all = ModeCount {
        mode: "all".into(),
        meaning: "every clause".into(),
        count: model.clauses.len(),
        current: shown.is_none(),
        href: address(None),
    };
    let each = Mode::ALL.iter().map(|mode| ModeCount {
        mode: mode.name().to_owned(),
        meaning: meaning(*mode).to_owned(),
        count: model.clauses.iter().filter(|clause| clause.mode == *mode).count(),
        current: shown == Some(*mode),
        href: address(Some(*mode)),
    });
    std::iter::once(all).chain(each.filter(|mode| mode.count > 0)).collect()
}

/// How a clause is made true, for whoever reads the word for the first time.
pub(crate) const fn meaning(mode: Mode) -> &'static str {
    match mode {
        Mode::Enforced => "rules run for it",
        Mode::Detected => "rules only report it",
        Mode::Attested => "people confirm it",
        Mode::Process => "a process makes it true",
        Mode::TextOnly => "nothing runs; the text says why",
    }
}

fn chapters(study: &Study, model: &PolicyModel, beside: &Standing, shown: Option<Mode>) -> Vec<Chapter> {
    let mut chapters: Vec<Chapter> = Vec::new();
    for section in &study.parsed.document.sections {
        if section.level == 2 {
            let chapter = Chapter { number: section.number.clone(), title: section.title.clone(), clauses: Vec::new() };
            chapters.push(chapter);
        }
        let row = section.id.as_ref().and_then(|id| row(study, model, beside, id, shown));
        if let (Some(row), Some(chapter)) = (row, chapters.last_mut()) {
            chapter.clauses.push(row);
        }
    }
    chapters.retain(|chapter| !chapter.clauses.is_empty());
    chapters
}

fn row(study: &Study, model: &PolicyModel, beside: &Standing, id: &str, shown: Option<Mode>) -> Option<ClauseRow> {
    let clause = model.clauses.iter().find(|clause| clause.id == id)?;
    if shown.is_some_and(|shown| shown != clause.mode) {
        return None;
    }
    let rules = model.rules.iter().filter(|rule| rule.clause == id).count();
    let tried = study.tried().filter(|(example, _)| example.clause == id);
    let (all, failing) =
        tried.fold((0usize, 0usize), |(all, failing), (_, trial)| (all + 1, failing + usize::from(!trial.holds)));
    Some(ClauseRow {
        id: id.to_owned(),
        number: clause.number.clone(),
        title: clause.title.clone(),
        mode: clause.mode.name().to_owned(),
        made_of: made_of(rules, &controls(study, id)),
        examples: match (all, failing) {
            (0, _) => String::new(),
            (all, 0) => format!("{all} hold"),
            (all, failing) => format!("{failing} of {all} fail"),
        },
        fails: failing > 0,
        decided: if rules == 0 { String::new() } else { decided(beside.decided.get(id)) },
        stages: beside.stages.get(id).cloned().unwrap_or_default(),
        exceptions: beside.exceptions.get(id).copied().unwrap_or(0),
        findings: beside.findings.get(id).copied().unwrap_or(0),
        href: address(id, beside.of),
    })
}

fn made_of(rules: usize, controls: &[String]) -> String {
    let rules = (rules > 0).then(|| counted(rules, "rule"));
    rules.into_iter().chain(controls.iter().cloned()).collect::<Vec<_>>().join(", ")
}

/// The kinds of controls of a clause.
fn controls(study: &Study, id: &str) -> Vec<String> {
    let mut kinds = Vec::new();
    for section in sections(study, id) {
        for item in &section.items {
            if let Item::Block(block) = item
                && block.kind == BlockKind::Control
            {
                let kind = block.argument.as_str().replace('-', " ");
                if !kinds.contains(&kind) {
                    kinds.push(kind);
                }
            }
        }
    }
    kinds
}

/// The sections that belong to a clause.
pub(crate) fn sections<'s>(study: &'s Study, id: &'s str) -> impl Iterator<Item = &'s Section> {
    study.parsed.document.sections.iter().filter(move |section| section.clause.as_deref() == Some(id))
}

/// The address of a clause in the studio.
pub(crate) fn address(id: &str, of: Of) -> String {
    let of = if of == Of::Draft { "?of=draft" } else { "" };
    format!("/studio/clauses/{}{of}", encode(id))
}
