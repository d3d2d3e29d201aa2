//! Control blocks: from keys to typed controls.

use std::collections::{BTreeMap, BTreeSet};

use writ_model::values::Value as _;
use writ_model::{Severity, Term, Who};

use crate::check::{Checker, clauses, keys};
use crate::control::schema::{KeySpec, Need, Shape};
use crate::control::{
    Approver, Attestation, Audience, Cadence, ControlKind, ControlModel, Duty, ExceptionProcess, IncidentResponse,
    Kept, Ladder, MonitoringNotice, Occasion, Period, ReportMode, Reporting, Retention, Review, SignOff, Training,
    Vetting,
};
use crate::diagnostic::{Code, Problems};
use crate::document::line::{Entry, quoted};
use crate::document::source::{Piece, Span};
use crate::document::{Block, Section, limits};
use crate::words::Vocabulary;

/// A control with the places of its keys.
pub(super) struct Control {
    pub(super) model: ControlModel,
    pub(super) opening: Span,
    pub(super) places: BTreeMap<&'static str, Span>,
}

impl Control {
    /// Where a key stands; the block if it has no such key.
    pub(super) fn at(&self, key: &str) -> Span {
        self.places.get(key).copied().unwrap_or(self.opening)
    }
}

impl Checker<'_> {
    pub(super) fn control(&mut self, section: &Section, block: &Block) {
        let clause = self.clause(section, block.opening, "control");
        let Some(kind) = kind(block, self.problems) else { return };
        let mut reader =
            Reader { vocabulary: self.vocabulary, problems: self.problems, kind, values: Values::default() };
        reader.block(block);
        let values = reader.values;
        let Some(clause) = clause else { return };
        if !limits::CONTROLS.admits(self.controls.len() + 1) {
            let text = format!("this text has more than {} controls", limits::CONTROLS.value());
            self.problems.add(Code::Limit, block.opening, text);
            return;
        }
        let number = self.controls.iter().filter(|control| control.model.clause == clause).count() + 1;
        let number = u16::try_from(number).unwrap_or(u16::MAX);
        let Some((model, places)) = model(kind, clause, number, values) else { return };
        self.controls.push(Control { model, opening: block.opening, places });
    }
}

/// The kind of a control; the diagnostics name the known ones.
fn kind(block: &Block, problems: &mut Problems) -> Option<ControlKind> {
    let (word, span) = match clauses::control_kind(block) {
        Some(word) if block.argument.as_str().is_empty() => {
            (word, block.entry("kind").map_or(block.opening, |entry| entry.value.span()))
        }
        Some(word) => (word, block.argument.span()),
        None => {
            let text = "this control has no kind";
            problems.add(Code::MissingKey, block.opening, text).help("write it after `control`: `control training`");
            return None;
        }
    };
    let kind = ControlKind::named(word);
    if kind.is_none() {
        let known = ControlKind::ALL.iter().map(|kind| kind.as_str());
        problems.add(Code::UnknownKind, span, format!("`{word}` is no kind of control")).among(word, known);
    }
    kind
}

/// The value of a key, in the form of its [`Shape`].
enum Value {
    Text(String),
    Texts(Vec<String>),
    Roles(BTreeSet<Term>),
    Audience(Audience),
    Occasions(Vec<Occasion>),
    Period(Period),
    Cadence(Cadence),
    Number(u32),
    Words(Vec<&'static str>),
    Kept(Period, Period),
    /// Names of steps, each with a number where it has one.
    Steps(Vec<(String, Span, u32)>),
    Approvers(BTreeSet<Approver>),
}

/// The values of a control by key, with their places.
#[derive(Default)]
struct Values {
    all: BTreeMap<&'static str, Value>,
    places: BTreeMap<&'static str, Span>,
}

struct Reader<'a> {
    vocabulary: &'a Vocabulary,
    problems: &'a mut Problems,
    kind: ControlKind,
    values: Values,
}

impl Reader<'_> {
    fn block(&mut self, block: &Block) {
        for entry in block.entries.iter().filter(|entry| entry.key != "kind" || !block.argument.as_str().is_empty()) {
            self.entry(entry);
        }
        self.missing(block);
        if self.kind == ControlKind::Ladder {
            self.steps_of_the_ladder();
        }
    }

    /// Keys that have to be there.
    fn missing(&mut self, block: &Block) {
        let name = self.kind.as_str();
        for spec in self.kind.keys().filter(|spec| spec.need == Need::Required) {
            if !self.values.places.contains_key(spec.key) {
                let text = format!("this control does not say `{}`: {}", spec.key, spec.doc);
                let help = format!("add `{}: ...`, as the reference page says under `{name}`", spec.key);
                self.problems.add(Code::MissingKey, block.opening, text).help(help);
            }
        }
        let some: Vec<_> = self.kind.keys().filter(|spec| spec.need == Need::OneOf).map(|spec| spec.key).collect();
        if !some.is_empty() && some.iter().all(|key| !self.values.places.contains_key(key)) {
            let list: Vec<_> = some.iter().map(|key| format!("`{key}`")).collect();
            let text = format!("this control says none of {}", list.join(", "));
            self.problems.add(Code::MissingKey, block.opening, text).help("add one of them");
        }
        if self.kind == ControlKind::Review
            && ["owner", "roles"].iter().all(|key| !self.values.places.contains_key(key))
        {
            let text = "this control does not say who reviews";
            self.problems.add(Code::MissingKey, block.opening, text).help("add `owner: ROLE` or `roles: ROLE, ROLE`");
        }
    }

    /// Steps that the ladder does not have, and steps that no system may take.
    fn steps_of_the_ladder(&mut self) {
        let Some(Value::Texts(steps)) = self.values.all.get("steps") else { return };
        for (key, value) in &self.values.all {
            let Value::Steps(named) = value else { continue };
            for (name, span, _) in named {
                if !steps.contains(name) {
                    let problem =
                        self.problems.add(Code::UndefinedName, *span, format!("the ladder has no step `{name}`"));
                    let help = "list all steps under `steps`, from the mildest to the gravest";
                    problem.help(help).nearest(name, steps.iter().map(String::as_str));
                } else if *key == "automatic" && !AUTOMATIC.contains(&name.as_str()) {
                    let text = format!("the step `{name}` may not come from a system");
                    let help = "only `note` and `lesson` may; people decide all others, after they heard the person";
                    self.problems.add(Code::ContradictoryControl, *span, text).help(help);
                }
            }
        }
    }

    fn entry(&mut self, entry: &Entry) {
        let Some(spec) = self.kind.key(&entry.key) else {
            let text = format!("a control of the kind `{}` has no key `{}`", self.kind.as_str(), entry.key);
            let known = self.kind.keys().map(|spec| spec.key);
            self.problems.add(Code::UnknownKey, entry.key_span, text).among(&entry.key, known);
            return;
        };
        if let Some(first) = self.values.places.insert(spec.key, entry.span()) {
            let text = format!("`{}` stands twice in this control", entry.key);
            self.problems.add(Code::DuplicateKey, entry.key_span, text).see(first, "first here");
            return;
        }
        if let Some(value) = self.value(spec, entry) {
            self.values.all.insert(spec.key, value);
        }
    }

    fn value(&mut self, spec: &KeySpec, entry: &Entry) -> Option<Value> {
        match spec.shape {
            Shape::Text => self.text(entry).map(Value::Text),
            Shape::Texts | Shape::Ids => self.texts(entry).map(Value::Texts),
            Shape::Role => {
                let role = entry.single(self.problems)?;
                keys::role(role, self.vocabulary, self.problems).map(|role| Value::Roles([role].into()))
            }
            Shape::Roles => {
                self.each(entry, |reader, term| keys::role(term, reader.vocabulary, reader.problems)).map(Value::Roles)
            }
            Shape::Audience => self.audience(entry).map(Value::Audience),
            Shape::Occasions => self.each(entry, Self::occasion).map(Value::Occasions),
            Shape::Period => {
                let value = entry.single(self.problems)?;
                self.period(value).map(Value::Period)
            }
            Shape::Cadence => {
                let value = entry.single(self.problems)?;
                if value.as_str() == "each version" {
                    return Some(Value::Cadence(Cadence::EachVersion));
                }
                self.period(value).map(|period| Value::Cadence(Cadence::Every(period)))
            }
            Shape::Count => self.number(entry, 1, COUNT_MAX).map(Value::Number),
            Shape::Percent => self.number(entry, 1, 100).map(Value::Number),
            Shape::Words(words) => self.each(entry, |reader, term| reader.word(term, words)).map(Value::Words),
            Shape::Word(words) => {
                let value = entry.single(self.problems)?;
                self.word(value, words).map(|word| Value::Words(vec![word]))
            }
            Shape::Kept => self.kept(entry),
            Shape::Steps | Shape::Step => {
                let single = spec.shape == Shape::Step;
                let steps = self.each(entry, |reader, term| Some((reader.one_text(term)?, term.span(), 1)));
                let steps: Vec<_> = steps?;
                if single && steps.len() > 1 {
                    self.problems.add(Code::InvalidValue, entry.value.span(), format!("`{}` takes one step", spec.key));
                    return None;
                }
                Some(Value::Steps(steps))
            }
            Shape::StepCounts => self.each(entry, Self::step_count).map(Value::Steps),
            Shape::Approvers => self.each(entry, Self::approver).map(Value::Approvers),
        }
    }

    /// The terms of a list; at least one.
    fn each<T, C: FromIterator<T>>(
        &mut self,
        entry: &Entry,
        mut read: impl FnMut(&mut Self, Piece<'_>) -> Option<T>,
    ) -> Option<C> {
        let terms = entry.listed();
        if terms.is_empty() {
            self.problems.add(Code::InvalidValue, entry.key_span, format!("`{}` says nothing", entry.key));
            return None;
        }
        if !limits::VALUES.admits(terms.len()) {
            let text = format!("`{}` lists more than {} values", entry.key, limits::VALUES.value());
            self.problems.add(Code::Limit, entry.key_span, text);
            return None;
        }
        // What cannot be read has a diagnostic; the rest is kept, so that nothing is said twice.
        Some(terms.into_iter().filter_map(|term| read(self, term)).collect())
    }

    fn text(&mut self, entry: &Entry) -> Option<String> {
        let value = entry.single(self.problems)?;
        self.one_text(value)
    }

    fn texts(&mut self, entry: &Entry) -> Option<Vec<String>> {
        self.each(entry, Self::one_text)
    }

    fn one_text(&mut self, piece: Piece<'_>) -> Option<String> {
        let (text, rest) = quoted(piece, self.problems)?;
        if !rest.is_empty() || text.trim().is_empty() {
            let help = "put a text with commas in quotes, and nothing after it";
            self.problems.add(Code::InvalidValue, piece.span(), "this is not one text").help(help);
            return None;
        }
        Some(text)
    }

    fn audience(&mut self, entry: &Entry) -> Option<Audience> {
        let names: Vec<(Option<Who>, Term)> = self.each(entry, |reader, term| {
            let name = term.as_str();
            let who = Who::named(name);
            if who.is_none() && !reader.vocabulary.groups.contains(name) {
                let known =
                    Who::ALL.iter().map(|who| who.as_str()).chain(reader.vocabulary.groups.iter().map(Term::as_str));
                let text = format!("`{name}` is no value of `who` and no group");
                let help = "name a group in a define block: `group: NAME`";
                reader.problems.add(Code::UndefinedName, term.span(), text).help(help).nearest(name, known);
                return None;
            }
            Some((who, Term::from(name)))
        })?;
        let who = names.iter().filter_map(|(who, _)| *who).collect();
        let groups = names.iter().filter(|(who, _)| who.is_none()).map(|(_, group)| group.clone()).collect();
        Some(Audience { who, groups })
    }

    fn occasion(&mut self, term: Piece<'_>) -> Option<Occasion> {
        const WORDS: &[(&str, Occasion)] = &[
            ("joining", Occasion::Joining),
            ("role change", Occasion::RoleChange),
            ("material change", Occasion::MaterialChange),
            ("each version", Occasion::EachVersion),
            ("breach", Occasion::Breach),
        ];
        let text = term.as_str();
        if let Some((_, occasion)) = WORDS.iter().find(|(word, _)| *word == text) {
            return Some(*occasion);
        }
        let period = Period::read(text.strip_prefix("every ").unwrap_or(text));
        // `3 days` alone is no occasion; `yearly` is one.
        if let Some(period) = period.filter(|_| text.starts_with("every ") || text.ends_with("ly")) {
            return Some(Occasion::Every(period));
        }
        let known = WORDS.iter().map(|(word, _)| *word).chain(["yearly", "quarterly", "monthly"]);
        let problem = self.problems.add(Code::UnknownValue, term.span(), format!("`{text}` is no occasion"));
        problem.among(text, known.chain(["every 6 months"]));
        None
    }

    fn period(&mut self, value: Piece<'_>) -> Option<Period> {
        let period = Period::read(value.as_str());
        if period.is_none() {
            let text = format!("`{}` is no time", value.as_str());
            let help = "write a number and a unit: `30 minutes`, `72 hours`, `10 working days`, `3 months`, `1 year`";
            self.problems.add(Code::InvalidValue, value.span(), text).help(help);
        }
        period
    }

    fn number(&mut self, entry: &Entry, least: u32, most: u32) -> Option<u32> {
        let value = entry.single(self.problems)?;
        let number = value.as_str().parse().ok().filter(|number| (least..=most).contains(number));
        if number.is_none() {
            let text = format!("`{}` is no number from {least} to {most}", value.as_str());
            self.problems.add(Code::InvalidValue, value.span(), text);
        }
        number
    }

    fn word(&mut self, term: Piece<'_>, words: &'static [&'static str]) -> Option<&'static str> {
        let found = words.iter().find(|word| **word == term.as_str()).copied();
        if found.is_none() {
            let text = format!("`{}` is no word of this key", term.as_str());
            let problem = self.problems.add(Code::UnknownValue, term.span(), text);
            problem.among(term.as_str(), words.iter().copied());
        }
        found
    }

    /// `90 days personal, 3 years evidence`.
    fn kept(&mut self, entry: &Entry) -> Option<Value> {
        let (mut personal, mut evidence) = (None, None);
        for term in entry.listed() {
            let (times, what) = term.as_str().rsplit_once(' ').unwrap_or(("", term.as_str()));
            let to = match what {
                "personal" => &mut personal,
                "evidence" => &mut evidence,
                _ => continue,
            };
            *to = self.period(term.part(0, times.len()));
        }
        if personal.is_none() || evidence.is_none() {
            let text = format!("`{}` does not say how long both are kept", entry.key);
            let help = "write `90 days personal, 3 years evidence`";
            self.problems.add(Code::InvalidValue, entry.span(), text).help(help);
        }
        Some(Value::Kept(personal?, evidence?))
    }

    /// `final warning 2`.
    fn step_count(&mut self, term: Piece<'_>) -> Option<(String, Span, u32)> {
        let (name, count) = term.as_str().rsplit_once(' ').unwrap_or((term.as_str(), ""));
        let Some(count) = count.parse().ok().filter(|count| (1..=COUNT_MAX).contains(count)) else {
            let text = format!("`{}` is no step with a number", term.as_str());
            self.problems.add(Code::InvalidValue, term.span(), text).help("write `final warning 2, termination 2`");
            return None;
        };
        Some((name.to_owned(), term.part(0, name.len()).span(), count))
    }

    fn approver(&mut self, term: Piece<'_>) -> Option<Approver> {
        match term.as_str() {
            "clause owner" => Some(Approver::ClauseOwner),
            "deputy" => Some(Approver::Deputy),
            _ => keys::role(term, self.vocabulary, self.problems).map(Approver::Role),
        }
    }
}

/// Steps of a ladder that may come from a system (invariant GOV-1).
const AUTOMATIC: &[&str] = &["note", "lesson"];

/// The largest number that a control may hold.
const COUNT_MAX: u32 = 1_000;

macro_rules! takes {
    ($($name:ident: $variant:ident -> $type:ty;)+) => {
        impl Values {
            $(fn $name(&mut self, key: &str) -> Option<$type> {
                match self.all.remove(key) {
                    Some(Value::$variant(value)) => Some(value),
                    _ => None,
                }
            })+
        }
    };
}

takes! {
    text: Text -> String;
    texts: Texts -> Vec<String>;
    roles: Roles -> BTreeSet<Term>;
    audience: Audience -> Audience;
    occasions: Occasions -> Vec<Occasion>;
    period: Period -> Period;
    cadence: Cadence -> Cadence;
    number: Number -> u32;
    words: Words -> Vec<&'static str>;
    steps: Steps -> Vec<(String, Span, u32)>;
    approvers: Approvers -> BTreeSet<Approver>;
}

impl Values {
    fn role(&mut self, key: &str) -> Option<Term> {
        self.roles(key)?.pop_first()
    }

    /// A list of words that may be left out.
    fn list(&mut self, key: &str) -> Vec<String> {
        self.texts(key).unwrap_or_default()
    }
}

/// The control that these values make; nothing where a required one is missing, which has a diagnostic.
fn model(
    kind: ControlKind,
    clause: Term,
    number: u16,
    mut values: Values,
) -> Option<(ControlModel, BTreeMap<&'static str, Span>)> {
    let subject = values.text("subject");
    let owner = values.role("owner");
    let deputy = values.role("deputy");
    let because = values.list("because");
    let evidence = values.text("evidence")?;
    let duty = duty(kind, &mut values, owner.as_ref())?;
    let model = ControlModel { clause, number, subject, owner, deputy, evidence, because, duty };
    Some((model, values.places))
}

fn duty(kind: ControlKind, values: &mut Values, owner: Option<&Term>) -> Option<Duty> {
    let duty = match kind {
        ControlKind::Training => Duty::Training(Training {
            who: values.audience("who")?,
            on: values.occasions("on")?,
            within: values.period("within")?,
            pass: values.number("pass").and_then(|percent| u8::try_from(percent).ok()),
            attempts: values.number("attempts"),
            topics: values.list("topics"),
        }),
        ControlKind::Attestation => Duty::Attestation(Attestation {
            who: values.audience("who")?,
            on: values.occasions("on")?,
            within: values.period("within"),
            statement: values.text("statement"),
        }),
        ControlKind::Vetting => Duty::Vetting(Vetting {
            roles: values.roles("roles")?,
            requires: values.list("requires"),
            confirm: values.list("confirm"),
            triage: values.period("triage"),
            answer: values.period("answer"),
            trial: values.period("trial"),
            every: values.period("every"),
            recheck: values.list("recheck"),
        }),
        ControlKind::SignOff => {
            let roles = values.roles("roles")?;
            let all = u32::try_from(roles.len()).unwrap_or(u32::MAX);
            let quorum = values.number("quorum").unwrap_or(all);
            Duty::SignOff(SignOff { quorum, within: values.period("within"), roles })
        }
        ControlKind::Ladder => Duty::Ladder(ladder(values)?),
        ControlKind::Reporting => Duty::Reporting(Reporting {
            modes: values.words("modes")?.into_iter().map(report_mode).collect(),
            receipt: values.period("receipt")?,
            feedback: values.period("feedback")?,
            channels: values.list("channels"),
        }),
        ControlKind::IncidentResponse => Duty::IncidentResponse(IncidentResponse {
            report: values.period("report")?,
            steps: values.texts("steps")?,
            notify: values.period("notify"),
            channels: values.list("channels"),
        }),
        ControlKind::MonitoringNotice => Duty::MonitoringNotice(notice(values)?),
        ControlKind::Retention => Duty::Retention(Retention {
            keep: values.period("keep"),
            plan: values.text("plan"),
            hold: values.text("hold"),
        }),
        ControlKind::Review => Duty::Review(Review {
            roles: values.roles("roles").unwrap_or_else(|| owner.cloned().into_iter().collect()),
            every: values.cadence("every"),
            before: values.text("before"),
            triggers: values.list("triggers"),
            requires: values.list("requires"),
            probes: values.period("probes"),
            audit: values.period("audit"),
        }),
        ControlKind::ExceptionProcess => Duty::ExceptionProcess(ExceptionProcess {
            approves: values.approvers("approves")?,
            limit: values.period("limit")?,
            answer: values.period("answer"),
            requires: values.list("requires"),
        }),
    };
    Some(duty)
}

fn report_mode(word: &str) -> ReportMode {
    match word {
        "named" => ReportMode::Named,
        "confidential" => ReportMode::Confidential,
        _ => ReportMode::Anonymous,
    }
}

fn notice(values: &mut Values) -> Option<MonitoringNotice> {
    let Some(Value::Kept(personal, kept)) = values.all.remove("retention") else { return None };
    let content = match values.words("content")?.as_slice() {
        ["redacted"] => Kept::Redacted,
        ["full"] => Kept::Full,
        _ => Kept::None,
    };
    Some(MonitoringNotice {
        purpose: values.text("purpose")?,
        records: values.texts("records")?,
        content,
        readers: values.texts("readers")?,
        personal,
        kept,
        excludes: values.list("excludes"),
        consult: values.list("consult"),
    })
}

/// Steps that the ladder does not have are left out here; [`super::processes`] names them.
fn ladder(values: &mut Values) -> Option<Ladder> {
    let steps = values.texts("steps")?;
    let place = |name: &str| steps.iter().position(|step| step == name);
    let mut places = |key: &str| -> Option<Vec<(usize, u32)>> {
        let named = values.steps(key)?;
        Some(named.iter().filter_map(|(name, _, count)| Some((place(name)?, *count))).collect())
    };
    let only = |list: Vec<(usize, u32)>| list.into_iter().map(|(step, _)| step);
    let mut proposed = BTreeMap::new();
    for severity in Severity::ALL {
        proposed.insert(*severity, only(places(severity.as_str())?).collect());
    }
    let automatic = only(places("automatic").unwrap_or_default()).collect();
    let stopped = places("stopped").and_then(|list| only(list).next());
    let approvals = places("approvals").unwrap_or_default().into_iter().collect();
    Some(Ladder {
        automatic,
        decides: values.roles("decides")?,
        proposed,
        stopped,
        approvals,
        window: values.period("window"),
        factors: values.list("factors"),
        appeal: values.period("appeal"),
        steps,
    })
}
