//! One clause: its text, its rules as sentences with their examples, its controls, and what stands beside it.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query, State};
use serde::Serialize;
use utoipa::ToSchema;
use writ_catalog::Catalog;
use writ_identity::Permission;
use writ_model::Mode;
use writ_model::values::Value as _;
use writ_model::verdict::{Effect, Offer};
use writ_policy::document::{BlockKind, Caption, Item};
use writ_policy::example::{Example, ExampleKind, example_facts};
use writ_policy::rule::Rule;
use writ_store::index::ClauseFigures;

use super::super::policy::{of_block, of_table, offer_words};
use super::super::{Fact, Shared, service_name};
use super::clauses::{address, meaning, sections};
use super::findings::{self, FindingView};
use super::situation::Situation;
use super::workshop::{Of, Study, Trial};
use super::{Asked, Bench, StageOf, decided, figures, stages};
use crate::charts::grouped;
use crate::frame::{Frame, Visit};
use crate::markup::{blocks, inline};
use crate::reply::{Failure, Reply, encode, page as show};
use crate::{Console, sentences, words};

/// A clause.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ClauseView {
    /// `running` or `draft`.
    pub(crate) of: String,
    /// Its id.
    pub(crate) id: String,
    /// `4.2`.
    pub(crate) number: String,
    /// What it says.
    pub(crate) title: String,
    /// `enforced`, `detected`, `attested`, `process`, `text-only`.
    pub(crate) mode: String,
    /// What that means, and the reason that the clause gives for it.
    pub(crate) mode_meaning: String,
    /// Its text, rules and controls, in the order of the document.
    pub(crate) parts: Vec<Part>,
    /// How often it decided lately.
    pub(crate) decided: String,
    /// The same by what happened, where enough people were concerned.
    pub(crate) outcomes: Vec<Fact>,
    /// Over how many days.
    pub(crate) days: u64,
    /// Entries of the roll-out in force; as written for everyone where there is none.
    pub(crate) stages: Vec<StageOf>,
    /// Exceptions in force, one sentence each.
    pub(crate) exceptions: Vec<String>,
    /// What was found about it.
    pub(crate) findings: Vec<FindingView>,
    /// Whether one of its rules demands something, so that it can be staged.
    pub(crate) staged: bool,
    #[serde(skip)]
    pub(crate) up: &'static str,
    #[serde(skip)]
    pub(crate) rollout: String,
    #[serde(skip)]
    pub(crate) may_stage: bool,
    #[serde(skip)]
    pub(crate) before: Option<Neighbour>,
    #[serde(skip)]
    pub(crate) after: Option<Neighbour>,
}

/// The clause before or after.
#[derive(Clone, Debug)]
pub(crate) struct Neighbour {
    pub(crate) name: String,
    pub(crate) href: String,
}

/// A piece of a clause.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub(crate) enum Part {
    /// Text, controls and terms, as HTML.
    Text {
        /// The HTML.
        html: String,
    },
    /// A rule block.
    Rule {
        /// The rule.
        rule: RuleView,
    },
    /// A rule table, as printed, with each cell as a rule.
    Table {
        /// The table as HTML.
        html: String,
        /// Its cells, row by row.
        rules: Vec<RuleView>,
    },
}

/// A rule in words.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct RuleView {
    /// Its number within the clause.
    pub(crate) number: u16,
    /// `allow`, `coach`, `redact`, `justify`, `block`.
    pub(crate) effect: String,
    /// What happens: `Stopped`.
    pub(crate) then: String,
    /// When: `when health information is found and the tool is not cleared for it`.
    pub(crate) when: String,
    /// Carve-outs: `unless ...`.
    pub(crate) unless: Vec<String>,
    /// What else it says.
    pub(crate) facts: Vec<Fact>,
    /// Its examples.
    pub(crate) examples: Vec<ExampleView>,
}

/// An example, tried.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ExampleView {
    /// `violates` or `complies`.
    pub(crate) claims: String,
    /// What that means for its text: `should be stopped`.
    pub(crate) meaning: String,
    /// The text.
    pub(crate) text: String,
    /// Whether the rule does what the example claims.
    pub(crate) holds: bool,
    /// What detection found in it, and why it fails if it does.
    pub(crate) said: String,
    /// The situation, to be tried.
    pub(crate) href: String,
    /// Its line in the text.
    pub(crate) line: usize,
}

#[derive(Template)]
#[template(path = "studio_clause.html")]
struct ClausePage {
    frame: Frame,
    bench: Bench,
    view: ClauseView,
}

/// `GET /studio/clauses/{id}`
pub(crate) async fn page(
    State(console): Shared,
    visit: Visit,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Reply {
    let view = read(&console, &visit, &id, &asked).await?;
    let of = console.draft(&visit).await?.map(|_| Of::named(&asked.of));
    let title = format!("{} {}", view.number, view.title);
    show(&ClausePage { frame: console.frame(&visit, title.trim()), bench: console.bench(&visit, "/studio", of), view })
}

/// Reads it.
pub(crate) async fn read(
    console: &Arc<Console>,
    visit: &Visit,
    id: &str,
    asked: &Asked,
) -> Result<ClauseView, Failure> {
    let of = Of::named(&asked.of);
    let study = console.study(visit, of).await?.ok_or(Failure::Missing)?;
    let model = study.parsed.model.as_ref().ok_or(Failure::Missing)?;
    let place = model.clauses.iter().position(|clause| clause.id == id).ok_or(Failure::Missing)?;
    let clause = model.clauses.get(place).ok_or(Failure::Missing)?;
    let now = console.parts.clock.now();
    let figures = figures(console).await?;
    let figures = figures.get(id);
    let grants = console.parts.state.exceptions(now).await?;
    let neighbour = |place: Option<usize>| {
        let clause = model.clauses.get(place?)?;
        let name = format!("{} {}", clause.number, clause.title).trim().to_owned();
        Some(Neighbour { name, href: address(&clause.id, of) })
    };
    let mut about = findings::of(&study);
    about.retain(|finding| finding.clause_id.as_deref() == Some(id));
    findings::link_lines(console, visit, of, &mut about).await?;
    let reason = sections(&study, id).flat_map(|section| &section.items).find_map(|item| match item {
        Item::Mode(caption) => reason(caption),
        _ => None,
    });
    Ok(ClauseView {
        of: of.as_str().to_owned(),
        id: id.to_owned(),
        number: clause.number.clone(),
        title: clause.title.clone(),
        mode: clause.mode.name().to_owned(),
        mode_meaning: mode_meaning(clause.mode, reason),
        parts: Parts { study: &study, catalog: catalog_of(console, &study), id, next: 1 }.read(),
        decided: decided(figures),
        outcomes: outcomes(figures),
        days: super::DAYS,
        stages: stages(&console.parts.state.rollout(now).await?, now).remove(id).unwrap_or_default(),
        exceptions: grants.iter().filter(|grant| grant.clause == id).map(super::super::policy::exception).collect(),
        findings: about,
        staged: model.rules.iter().any(|rule| rule.clause == id && rule.raises()),
        up: if of == Of::Draft { "/studio?of=draft" } else { "/studio" },
        rollout: rollout_address(id),
        may_stage: visit.may(Permission::ChangeRollout),
        before: neighbour(place.checked_sub(1)),
        after: neighbour(place.checked_add(1)),
    })
}

fn reason(caption: &Caption) -> Option<String> {
    let entry = caption.entries.iter().find(|entry| entry.key.eq_ignore_ascii_case("reason"))?;
    Some(entry.value.as_str().to_owned())
}

fn mode_meaning(mode: Mode, reason: Option<String>) -> String {
    let meaning = words::sentence(meaning(mode));
    reason.map_or(format!("{meaning}."), |reason| format!("{meaning}: {reason}"))
}

/// What the clause decided, by what happened.
fn outcomes(figures: Option<&ClauseFigures>) -> Vec<Fact> {
    let enough = figures.filter(|figures| figures.enough);
    let each = enough.into_iter().flat_map(|figures| figures.decided.iter().rev());
    each.map(|(effect, count)| {
        // A clause that decided something that went on without a note took details out of it.
        let label = if *effect == Effect::Allow { "Sent without details" } else { words::effect(*effect) };
        Fact::new(label, grouped(*count))
    })
    .collect()
}

/// The services as the text's policy sees them.
pub(crate) fn catalog_of(console: &Console, study: &Study) -> Arc<Catalog> {
    study
        .snapshot
        .as_ref()
        .map_or_else(|| Arc::clone(&(console.parts.snapshot)().catalog), |it| Arc::clone(&it.catalog))
}

/// Goes through the clause in the order of the text; rules are numbered as they come.
struct Parts<'s> {
    study: &'s Study,
    catalog: Arc<Catalog>,
    id: &'s str,
    next: u16,
}

impl Parts<'_> {
    fn read(mut self) -> Vec<Part> {
        let mut parts: Vec<Part> = Vec::new();
        for section in sections(self.study, self.id) {
            if section.id.is_none() {
                add_text(&mut parts, &format!("<h3>{}</h3>", inline(&section.title)));
            }
            for item in &section.items {
                match item {
                    Item::Prose(span) => add_text(&mut parts, &blocks(span.of(&self.study.text))),
                    Item::Block(block) if block.kind == BlockKind::Rule => {
                        parts.extend(self.rule().map(|rule| Part::Rule { rule }));
                    }
                    Item::Block(block) => add_text(&mut parts, &of_block(block)),
                    Item::Table(table) if table.caption.is_some() => {
                        let cells = table.rows.len() * table.header.len().saturating_sub(1);
                        let rules = (0..cells).filter_map(|_| self.rule()).collect();
                        parts.push(Part::Table { html: of_table(table), rules });
                    }
                    Item::Table(table) => add_text(&mut parts, &of_table(table)),
                    Item::Code(_) | Item::Mode(_) => {}
                }
            }
        }
        parts
    }

    /// The next rule of the clause.
    fn rule(&mut self) -> Option<RuleView> {
        let number = self.next;
        self.next += 1;
        let model = self.study.parsed.model.as_ref()?;
        let rule = model.rules.iter().find(|rule| rule.clause == self.id && rule.number == number)?;
        let (effect, then) = sentences::effect(rule);
        let own = |example: &&(&Example, &Trial)| example.0.clause == self.id && example.0.rule == number;
        Some(RuleView {
            number,
            effect: effect.to_owned(),
            then: then.to_owned(),
            when: sentences::when(rule, &self.catalog),
            unless: sentences::unless(rule, &self.catalog),
            facts: self.facts(rule),
            examples: self
                .study
                .tried()
                .filter(|it| own(&it))
                .map(|(it, trial)| self.example(it, trial, rule))
                .collect(),
        })
    }

    fn facts(&self, rule: &Rule) -> Vec<Fact> {
        let mut facts = Vec::new();
        facts.extend(rule.why.clone().map(|why| Fact::new("Why", why)));
        if !rule.offers.is_empty() {
            let offers: Vec<String> = rule.offers.iter().map(|offer| self.offer(offer)).collect();
            facts.push(Fact::new("Offered instead", words::sentence(&offers.join("; "))));
        }
        if !rule.override_roles.is_empty() {
            let roles: Vec<String> = rule.override_roles.iter().map(ToString::to_string).collect();
            facts.push(Fact::new("May be granted once by", sentences::any_of(&roles)));
        }
        facts.extend(rule.severity.map(|severity| Fact::new("Severity", words::sentence(severity.name()))));
        if !rule.because.is_empty() {
            facts.push(Fact::new("Because of", rule.because.join(", ")));
        }
        if rule.raises() && !rule.fail_closed {
            facts.push(Fact::new("If it cannot be read", "it goes on, and is recorded"));
        }
        if rule.foresees && rule.raises() {
            facts.push(Fact::new("Foreseen", "this situation was thought of: the posture does not apply"));
        }
        facts
    }

    fn offer(&self, offer: &Offer) -> String {
        match offer {
            Offer::Redirect(service) => format!("go on in {}", service_name(&self.catalog, service)),
            Offer::Redact => offer_words("redact").to_owned(),
            Offer::AskException => offer_words("ask-exception").to_owned(),
            Offer::AskVetting => offer_words("ask-vetting").to_owned(),
            Offer::Object => offer_words("object").to_owned(),
        }
    }

    fn example(&self, example: &Example, trial: &Trial, rule: &Rule) -> ExampleView {
        let does = match (rule.raises(), sentences::effect(rule).0) {
            (false, _) => "foreseen by this rule",
            (true, "block") => "stopped by this rule",
            (true, "justify") => "held by this rule until a reason is given",
            (true, "redact") => "sent without these details",
            (true, _) => "given a note by this rule",
        };
        let violates = example.kind == ExampleKind::Violates;
        let mut said = self
            .study
            .snapshot
            .as_ref()
            .map_or_else(String::new, |it| sentences::found(&it.policy, Some(&trial.found)));
        if !trial.holds {
            said = if violates {
                format!("The rule does not apply. {said}")
            } else {
                let keys: Vec<String> = trial.because.iter().map(|key| format!("`{key}`")).collect();
                format!("The rule applies because of {}. {said}", sentences::all_of(&keys))
            };
        }
        let facts = self.study.snapshot.as_ref().map(|it| it.facts_of_text(&example.text, example_facts(example)));
        let types = self.study.snapshot.as_ref().map(|it| it.types_in(&example.text)).unwrap_or_default();
        let query = facts.map(|facts| Situation::of_facts(&facts, types).query()).unwrap_or_default();
        ExampleView {
            claims: example.kind.as_str().to_owned(),
            meaning: if violates { does.to_owned() } else { format!("not {does}") },
            text: example.text.clone(),
            holds: trial.holds,
            said,
            href: format!("/studio/try?{query}"),
            line: example.span.position(&self.study.text).line,
        }
    }
}

fn add_text(parts: &mut Vec<Part>, more: &str) {
    match parts.last_mut() {
        _ if more.is_empty() => {}
        Some(Part::Text { html }) => html.push_str(more),
        _ => parts.push(Part::Text { html: more.to_owned() }),
    }
}

/// Where in the roll-out the stage of a clause is set.
pub(crate) fn rollout_address(id: &str) -> String {
    format!("/rollout?clause={}", encode(id))
}
