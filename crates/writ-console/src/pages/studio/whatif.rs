//! What if: a form with a control for every dimension that a rule may ask, and the answers of what runs and of a draft
//! beside each other. The situation stands in the address; a sample text does not, and is not kept.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::{Query, State};
use axum::http::Uri;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use writ_base::{Moment, Sensitive};
use writ_engine::Snapshot;
use writ_model::facts::{Classes, Found};
use writ_model::schema::{Dimension, Values};
use writ_model::{Facts, Status, Term};
use writ_policy::words::Vocabulary;

use super::super::{Pick, Shared, service_name};
use super::Bench;
use super::answer::{self, Answers};
use super::situation::{Amount, Situation};
use super::workshop::Study;
use crate::frame::{Frame, Visit};
use crate::reply::{Failure, Reply, page as show, see};
use crate::{Console, limits, words};

/// What nobody could say.
const UNKNOWN: &str = "unknown";

/// The fields of an address, in their order.
pub(crate) type Pairs = Vec<(String, String)>;

/// The form.
#[derive(Debug)]
pub(crate) struct FormView {
    pub(crate) parts: Vec<FormPart>,
    /// The situation as an address, for the form with the sample text.
    pub(crate) query: String,
    pub(crate) sample_most: usize,
}

/// A part of the form.
#[derive(Debug)]
pub(crate) struct FormPart {
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    pub(crate) main: Vec<Field>,
    pub(crate) more_title: &'static str,
    pub(crate) more: Vec<Field>,
    /// Whether something in `more` says something.
    pub(crate) open: bool,
}

/// A field.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) label: &'static str,
    pub(crate) hint: String,
    pub(crate) control: Control,
}

/// How a field is filled in.
#[derive(Debug)]
pub(crate) enum Control {
    /// One of several, in groups.
    Select(Vec<PickGroup>),
    /// Any number of several.
    Checks(Vec<Pick>),
    /// Classes, with how much of each.
    Classes(Vec<ClassPick>),
    /// A number.
    Number { value: u16, most: u16 },
}

/// Choices under a heading.
#[derive(Debug)]
pub(crate) struct PickGroup {
    pub(crate) label: &'static str,
    pub(crate) picks: Vec<Pick>,
}

/// A class that may be found.
#[derive(Debug)]
pub(crate) struct ClassPick {
    pub(crate) value: String,
    pub(crate) label: String,
    pub(crate) selected: bool,
    pub(crate) amounts: Vec<Pick>,
    /// Types of data, as an address holds them.
    pub(crate) types: String,
}

#[derive(Template)]
#[template(path = "studio_try.html")]
struct TryPage {
    frame: Frame,
    bench: Bench,
    form: FormView,
    answers: Answers,
}

/// What runs, and the visitor's draft if it can judge.
pub(crate) struct Judges {
    pub(crate) running: Arc<Study>,
    pub(crate) draft: Option<Arc<Study>>,
    /// Why the draft cannot, if it cannot.
    pub(crate) mute: Option<&'static str>,
}

impl Judges {
    /// Reads both.
    pub(crate) async fn of(console: &Arc<Console>, visit: &Visit) -> Result<Self, Failure> {
        let running = console.study_running().await?;
        let Some(kept) = console.draft(visit).await? else {
            return Ok(Self { running, draft: None, mute: None });
        };
        let draft = console.study_draft(&kept).await?;
        if draft.snapshot.is_none() {
            return Ok(Self { running, draft: None, mute: Some("Your draft has errors: it cannot answer yet.") });
        }
        Ok(Self { running, draft: Some(draft), mute: None })
    }

    /// The studies that can judge, what runs first.
    fn all(&self) -> impl Iterator<Item = &Arc<Study>> {
        std::iter::once(&self.running).chain(&self.draft)
    }
}

/// The situation of an address, or where somebody begins.
pub(crate) fn asked(pairs: &[(String, String)], judges: &Judges, now: Moment) -> Situation {
    let situation = Situation::parse(pairs);
    match (&judges.running.snapshot, situation.is_empty()) {
        (Some(snapshot), true) => {
            let stated = judges.running.parsed.examples.first().map(|example| &example.default);
            Situation::start(stated, snapshot, now)
        }
        _ => situation,
    }
}

/// `GET /studio/try`
pub(crate) async fn page(State(console): Shared, visit: Visit, Query(pairs): Query<Pairs>) -> Reply {
    let judges = Judges::of(&console, &visit).await?;
    let now = console.parts.clock.now();
    let situation = asked(&pairs, &judges, now);
    let answers = answer::read(&console, &judges, &situation, now);
    let form = form(&console, &judges, &situation, now);
    show(&TryPage {
        frame: console.frame(&visit, "What if"),
        bench: console.bench(&visit, "/studio/try", None),
        form,
        answers,
    })
}

/// A sample text with the situation that it is sent in.
#[derive(Clone, Default, Deserialize, ToSchema)]
#[serde(default)]
pub(crate) struct Sample {
    /// The text. It is read by detection, and not kept.
    pub(crate) text: String,
    /// The situation, as the query of `/studio/try`.
    pub(crate) situation: String,
}

impl std::fmt::Debug for Sample {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sample").field("text", &Sensitive::new(self.text.as_bytes())).finish_non_exhaustive()
    }
}

/// What detection made of a sample text.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct SampleRead {
    /// The situation with what was found, as the query of `/studio/try`. Nothing of the text is in it.
    pub(crate) situation: String,
    /// The answers.
    pub(crate) answers: Answers,
}

/// `POST /studio/try`: a sample text is read; what was found goes into the address.
pub(crate) async fn sample(State(console): Shared, visit: Visit, Form(sample): Form<Sample>) -> Reply {
    let (_, situation, _) = read_sample(&console, &visit, sample).await?;
    Ok(see(&format!("/studio/try?{}#answers", situation.query())))
}

/// Reads a sample text with the detectors of what runs and of the draft.
pub(crate) async fn read_sample(
    console: &Arc<Console>,
    visit: &Visit,
    sample: Sample,
) -> Result<(Judges, Situation, Moment), Failure> {
    let text = Sensitive::new(sample.text);
    if !limits::SAMPLE.admits(text.expose().len()) {
        return Err(Failure::Unusable(format!(
            "The text is too long to be read here: {} at most.",
            words::bytes(limits::SAMPLE.value() as u64)
        )));
    }
    let judges = Judges::of(console, visit).await?;
    let now = console.parts.clock.now();
    let pairs = pairs_of(&sample.situation);
    let situation = asked(&pairs, &judges, now);
    let packs: Vec<Arc<Snapshot>> = judges.all().filter_map(|study| study.snapshot.clone()).collect();
    let (found, types) = console.work(move || detected(&packs, &text)).await?;
    Ok((judges, situation.with_found(found, types), now))
}

/// The fields of a query.
fn pairs_of(query: &str) -> Pairs {
    let uri = format!("/?{query}").parse::<Uri>();
    uri.ok().and_then(|uri| Query::<Pairs>::try_from_uri(&uri).ok()).map(|Query(pairs)| pairs).unwrap_or_default()
}

/// What detection finds under several policies; of a class that several know, the most.
fn detected(packs: &[Arc<Snapshot>], text: &Sensitive<String>) -> (Classes, BTreeMap<Term, BTreeSet<String>>) {
    let (mut classes, mut types) = (Classes::new(), BTreeMap::<Term, BTreeSet<String>>::new());
    for snapshot in packs {
        let facts = snapshot.facts_of_text(text.expose(), Facts::default());
        for (class, found) in facts.data.known().into_iter().flatten() {
            let most = classes.entry(class.clone()).or_insert(Found::default());
            most.likely = most.likely.max(found.likely);
            most.certain = most.certain.max(found.certain);
        }
        for (class, more) in snapshot.types_in(text.expose()) {
            types.entry(class).or_default().extend(more);
        }
    }
    (classes, types)
}

/// Where a dimension stands in the form: the part, and whether it is one of the first.
const fn placed(dimension: Dimension) -> (usize, bool) {
    use Dimension as D;
    match dimension {
        D::Who | D::Identity | D::Channel => (0, true),
        D::Group | D::Entity | D::PersonRegion | D::Device | D::Training | D::Attestation => (0, false),
        D::Action | D::Service | D::Tier | D::Account => (1, true),
        D::Category | D::Status | D::ServiceRegion | D::Cleared => (1, false),
        D::Data => (2, true),
        D::Level | D::Declared | D::Origin | D::Activity | D::Signal | D::Unreadable => (2, false),
    }
}

const fn label(dimension: Dimension) -> &'static str {
    use Dimension as D;
    match dimension {
        D::Who => "Who",
        D::Identity => "How surely they are known",
        D::Channel => "With what",
        D::Group => "Groups",
        D::Entity => "Employed by",
        D::PersonRegion => "Where they work",
        D::Device => "Device",
        D::Training => "Training",
        D::Attestation => "Confirmation of the policy",
        D::Action => "What happens",
        D::Service => "Tool",
        D::Tier => "Plan",
        D::Account => "Account there",
        D::Category => "Kind of tool",
        D::Status => "Status",
        D::ServiceRegion => "Where the tool runs",
        D::Cleared => "Cleared for",
        D::Data => "Kinds of data found",
        D::Level => "Level of a label",
        D::Declared => "Level that the person states",
        D::Origin => "Where it comes from",
        D::Activity => "What it is for",
        D::Signal => "Noticed",
        D::Unreadable => "Could not be read",
    }
}

fn form(console: &Console, judges: &Judges, situation: &Situation, now: Moment) -> FormView {
    const TITLES: [(&str, &str, &str); 3] = [
        ("who", "Who", "More about the person"),
        ("what", "What and where", "Instead of what the list of tools says"),
        ("content", "What is in it", "More about the content"),
    ];
    let maker = Maker { judges, situation, running: (console.parts.snapshot)(), now };
    let parts = TITLES.into_iter().enumerate().map(|(place, (id, title, more_title))| {
        let of = |first: bool| {
            let here = Dimension::ALL.iter().copied().filter(move |it| placed(*it) == (place, first));
            here.filter_map(|dimension| maker.field(dimension)).collect::<Vec<_>>()
        };
        let (mut main, mut more) = (of(true), of(false));
        let open = Dimension::ALL.iter().any(|it| placed(*it) == (place, false) && situation.one(*it).is_some());
        let beside = match id {
            "who" => situation.share() > 0,
            "content" => situation.fixed(),
            _ => false,
        };
        match id {
            "who" => more.push(share(situation)),
            "content" => more.push(fixed(situation)),
            // What happens reads better before where.
            _ => main.sort_by_key(|field| field.name != Dimension::Action.key()),
        }
        FormPart { id, title, main, more_title, more, open: open || beside }
    });
    FormView { parts: parts.collect(), query: situation.query(), sample_most: limits::SAMPLE.value() }
}

fn share(situation: &Situation) -> Field {
    Field {
        name: "share",
        label: "Place in a roll-out by share",
        hint: "0 to 9,999: a share of 20 % reaches those below 2,000".into(),
        control: Control::Number { value: situation.share(), most: 9_999 },
    }
}

fn fixed(situation: &Situation) -> Field {
    let pick = Pick { value: "yes".into(), label: "cannot be cut out of the text".into(), selected: situation.fixed() };
    Field {
        name: "fixed",
        label: "What was found",
        hint: "signed content, or a format that nothing can be replaced in".into(),
        control: Control::Checks(vec![pick]),
    }
}

/// Makes the fields of a form.
struct Maker<'a> {
    judges: &'a Judges,
    situation: &'a Situation,
    running: Arc<Snapshot>,
    now: Moment,
}

impl Maker<'_> {
    /// The field of a dimension; nothing where the policies name no value of it.
    fn field(&self, dimension: Dimension) -> Option<Field> {
        let control = match dimension {
            Dimension::Data => Control::Classes(self.classes()),
            Dimension::Service => Control::Select(self.services()),
            Dimension::Tier => Control::Select(self.tiers()),
            Dimension::Cleared => Control::Select(self.cleared()),
            Dimension::Group => Control::Checks(self.names(dimension)?),
            Dimension::Entity | Dimension::PersonRegion | Dimension::ServiceRegion => {
                Control::Select(one_group(self.optional(dimension, self.names(dimension)?)))
            }
            Dimension::Activity | Dimension::Signal | Dimension::Unreadable => Control::Checks(self.closed(dimension)),
            Dimension::Category | Dimension::Status => {
                Control::Select(one_group(self.optional(dimension, self.closed(dimension))))
            }
            _ => Control::Select(one_group(self.closed(dimension))),
        };
        let hint = if dimension == Dimension::Service { self.known_of_tool() } else { String::new() };
        Some(Field { name: dimension.key(), label: label(dimension), hint, control })
    }

    /// The values of a closed dimension; of one that takes one value, the one that holds where nothing is known is
    /// chosen if no other is.
    fn closed(&self, dimension: Dimension) -> Vec<Pick> {
        let Values::Closed(values) = dimension.spec().values else { return Vec::new() };
        let nothing_said = self.situation.one(dimension).is_none();
        let usual = Facts::default().completed();
        let usual = |name: &str| match usual.read(dimension) {
            writ_model::facts::Reading::Closed(index) => {
                values.get(usize::from(index)).is_some_and(|value| value.name == name)
            }
            _ => false,
        };
        let picks = values.iter().map(|value| Pick {
            value: value.name.to_owned(),
            label: choice(dimension, value.name, value.doc),
            selected: self.situation.names(dimension, value.name)
                || (nothing_said && usual(value.name) && !of_the_tool(dimension)),
        });
        picks.collect()
    }

    /// The same with a first choice that leaves it to the list of tools, or to nobody.
    fn optional(&self, dimension: Dimension, mut picks: Vec<Pick>) -> Vec<Pick> {
        let label = if of_the_tool(dimension) { "as the list says".to_owned() } else { "not known".to_owned() };
        let selected = !picks.iter().any(|pick| pick.selected);
        picks.insert(0, Pick { value: String::new(), label, selected });
        picks
    }

    /// The names of an open dimension that a policy or the situation knows; nothing if there is none.
    fn names(&self, dimension: Dimension) -> Option<Vec<Pick>> {
        let mut names: BTreeSet<String> = self.situation.named(dimension).map(str::to_owned).collect();
        for study in self.judges.all() {
            let Vocabulary { groups, regions, entities, .. } = &study.parsed.vocabulary;
            let known = match dimension {
                Dimension::Group => groups,
                Dimension::Entity => entities,
                _ => regions,
            };
            names.extend(known.iter().map(ToString::to_string));
        }
        if names.is_empty() {
            return None;
        }
        if dimension == Dimension::Group {
            names.insert(UNKNOWN.to_owned());
        } else {
            names.remove(UNKNOWN);
        }
        let pick = |name: String| Pick {
            selected: self.situation.names(dimension, &name),
            label: if name == UNKNOWN { "the directory could not say".into() } else { name.clone() },
            value: name,
        };
        Some(names.into_iter().map(pick).collect())
    }

    fn classes(&self) -> Vec<ClassPick> {
        let mut classes: Vec<Term> = Vec::new();
        let studies = self.judges.all().filter_map(|study| study.snapshot.as_ref());
        let known = studies.flat_map(|snapshot| snapshot.policy.classes().keys());
        for class in known.chain(self.situation.classes()) {
            if !classes.contains(class) {
                classes.push(class.clone());
            }
        }
        classes.sort_by_key(|class| words::class(class));
        classes.iter().map(|class| self.class(class)).collect()
    }

    fn class(&self, class: &Term) -> ClassPick {
        let amount = self.situation.amount(class);
        let offered = Amount::OFFERED.map(|(it, label)| Pick {
            value: it.word(),
            label: label.to_owned(),
            selected: amount.unwrap_or(Amount::OFFERED[1].0) == it,
        });
        let counted = amount.and_then(|amount| match amount {
            Amount::Counts(found) => Some(Pick {
                value: amount.word(),
                label: format!("{} found, {} certain", found.likely, found.certain),
                selected: true,
            }),
            Amount::Band(..) => None,
        });
        let types: Vec<&str> = self.situation.types().get(class).into_iter().flatten().map(String::as_str).collect();
        ClassPick {
            value: class.to_string(),
            label: words::class(class),
            selected: amount.is_some(),
            amounts: counted.into_iter().chain(offered).collect(),
            types: types.join("."),
        }
    }

    /// The services: those that the organisation decided about, then the others.
    fn services(&self) -> Vec<PickGroup> {
        let chosen = self.situation.one(Dimension::Service).unwrap_or(UNKNOWN).to_owned();
        let catalog = &self.running.catalog;
        let decided = |id: &str| {
            let tiers = catalog.service(id).into_iter().flat_map(|it| &it.tiers).map(|tier| tier.id.as_str());
            let vettings = tiers.chain([UNKNOWN]).map(|tier| catalog.vetting(id, tier, self.now));
            vettings.into_iter().any(|it| it.owner.is_some() || it.status != Status::Discovered)
        };
        let pick = |id: &str, label: String| Pick { value: id.to_owned(), label, selected: id == chosen };
        let mut all: Vec<Pick> =
            catalog.services().iter().map(|it| pick(&it.id, service_name(catalog, &it.id))).collect();
        all.sort_by_key(|pick| pick.label.to_lowercase());
        let (first, mut rest): (Vec<Pick>, Vec<Pick>) = all.into_iter().partition(|pick| decided(&pick.value));
        if chosen != UNKNOWN && catalog.service(&chosen).is_none() {
            rest.push(pick(&chosen, chosen.clone()));
        }
        vec![
            PickGroup { label: "", picks: vec![pick(UNKNOWN, "a tool that nobody knows".into())] },
            PickGroup { label: "Decided about", picks: first },
            PickGroup { label: "Others", picks: rest },
        ]
    }

    fn tiers(&self) -> Vec<PickGroup> {
        let chosen = self.situation.one(Dimension::Tier).unwrap_or(UNKNOWN);
        let service = self.situation.one(Dimension::Service).and_then(|id| self.running.catalog.service(id));
        let mut tiers: Vec<String> = vec![UNKNOWN.to_owned()];
        tiers.extend(service.into_iter().flat_map(|it| &it.tiers).map(|tier| tier.id.to_string()));
        if !tiers.iter().any(|tier| tier == chosen) {
            tiers.push(chosen.to_owned());
        }
        let pick = |tier: String| Pick {
            label: if tier == UNKNOWN { "not known".into() } else { tier.clone() },
            selected: tier == chosen,
            value: tier,
        };
        one_group(tiers.into_iter().map(pick).collect())
    }

    fn cleared(&self) -> Vec<PickGroup> {
        let named: Vec<&str> = self.situation.named(Dimension::Cleared).collect();
        let pick = |value: &str, label: &str| Pick {
            value: value.to_owned(),
            label: label.to_owned(),
            selected: named.as_slice() == [value],
        };
        let mut picks = vec![pick("no", "nothing"), pick("yes", "all that is found")];
        if !named.is_empty() && !picks.iter().any(|pick| pick.selected) {
            let label: Vec<String> = named.iter().map(|class| words::class(class).to_lowercase()).collect();
            picks.push(Pick { value: named.join(","), label: label.join(", "), selected: true });
        }
        one_group(self.optional(Dimension::Cleared, picks))
    }

    /// What the list of tools says of the tool that is chosen.
    fn known_of_tool(&self) -> String {
        let id = self.situation.one(Dimension::Service).unwrap_or(UNKNOWN);
        let tier = self.situation.one(Dimension::Tier).unwrap_or(UNKNOWN);
        let vetting = self.running.catalog.vetting(id, tier, self.now);
        let cleared: Vec<String> = vetting.cleared.iter().map(|class| words::class(class).to_lowercase()).collect();
        let cleared = if cleared.is_empty() { "nothing special".into() } else { cleared.join(", ") };
        format!("{}, cleared for {cleared}", words::sentence(&vetting.status.as_str().replace('-', " ")))
    }
}

/// Whether the list of tools says it.
const fn of_the_tool(dimension: Dimension) -> bool {
    matches!(dimension, Dimension::Category | Dimension::Status | Dimension::ServiceRegion | Dimension::Cleared)
}

fn one_group(picks: Vec<Pick>) -> Vec<PickGroup> {
    vec![PickGroup { label: "", picks }]
}

/// A value in a few words.
fn choice(dimension: Dimension, name: &str, doc: &str) -> String {
    match dimension {
        Dimension::Who => words::sentence(words::who(name)),
        Dimension::Channel => words::sentence(words::channel(name)),
        Dimension::Action | Dimension::Identity | Dimension::Account => words::sentence(doc),
        Dimension::Signal | Dimension::Unreadable | Dimension::Activity => {
            words::sentence(doc.split(':').next().unwrap_or(doc))
        }
        _ => words::sentence(&name.replace('-', " ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dimension_has_its_place() {
        for dimension in Dimension::ALL {
            assert!(placed(*dimension).0 < 3 && !label(*dimension).is_empty());
        }
        let mut labels: Vec<_> = Dimension::ALL.iter().map(|it| label(*it)).collect();
        labels.sort_unstable();
        labels.dedup();
        assert_eq!(labels.len(), Dimension::ALL.len(), "no two fields are called the same");
    }
}
