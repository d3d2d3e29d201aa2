//! All that Writ says of a policy: reading, examples run with real detection, the analyser, and what stands beside it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use writ_base::Moment;
use writ_detect::{Counts, Definition, Harmless, Pack, distinct_values};
use writ_model::facts::Found;
use writ_model::standing::ExceptionGrant;
use writ_model::{Category, Facts, Level, Set, Term};
use writ_policy::analyse::{Capability, Witness, needs, report, weaker};
use writ_policy::check::{Parsed, parse_with};
use writ_policy::diagram::World;
use writ_policy::document::source::Span;
use writ_policy::eval::{Policy, explain};
use writ_policy::example::{Example, example_facts, judge};
use writ_policy::words::Names;
use writ_policy::{Code, Diagnostic, Gravity};

use super::entry::Side;

/// When everything is asked: 15 January 2027.
pub(super) const AT: Moment = Moment::from_seconds(1_800_000_000);

/// What is said where what stands beside a policy does not fit it.
pub(super) const REFUSED: &str = "refused";
/// What is said of a clause that loses rules without a part of the installation.
pub(super) const NOT_ENFORCED: &str = "not-enforced";

/// One thing that Writ says.
#[derive(Clone, Debug)]
pub(super) struct Said {
    pub(super) code: String,
    /// The line that it is about, from 1.
    pub(super) line: usize,
    pub(super) message: String,
    pub(super) rule: Option<(Term, u16)>,
    pub(super) witness: Option<Witness>,
    /// It tells something worth knowing; nothing is wrong.
    pub(super) note: bool,
}

/// A policy with all that was said of it.
pub(super) struct Examined {
    pub(super) said: Vec<Said>,
    pub(super) parsed: Parsed,
    /// The policy with its exceptions; nothing if it does not run.
    pub(super) policy: Option<Policy>,
    pub(super) baseline: Option<Policy>,
}

impl Examined {
    /// The codes of what is wrong, without notes.
    pub(super) fn codes(&self) -> BTreeSet<String> {
        self.said.iter().filter(|said| !said.note).map(|said| said.code.clone()).collect()
    }

    /// For messages of tests.
    pub(super) fn listed(&self) -> String {
        let line = |said: &Said| {
            let witness = said.witness.as_ref().map(|it| format!("\n      {it}")).unwrap_or_default();
            format!("  line {} {}: {}{witness}\n", said.line, said.code, said.message)
        };
        self.said.iter().map(line).collect()
    }
}

/// The services of the world in which policies are examined.
pub(super) fn world() -> World {
    let services = [
        ("chatgpt", Category::PublicChat),
        ("claude", Category::PublicChat),
        ("github-copilot", Category::CodingAssistant),
        ("otter", Category::MeetingNotes),
    ];
    World { services: services.map(|(name, category)| (name.into(), category)).into(), ..World::default() }
}

/// Reads a policy as it would be read to run.
pub(super) fn read(text: &str) -> Parsed {
    let services = world().services.into_keys().collect();
    parse_with(text, Names { services, ..Names::default() })
}

/// Asks everything of one side of a defect.
pub(super) fn examine(side: &Side) -> Examined {
    let mut examined = document(&side.text);
    let Some(policy) = &examined.policy else { return examined };
    match beside(policy, &side.exceptions) {
        Ok(policy) => examined.policy = Some(policy),
        Err(refused) => {
            let said = |message| Said { message, ..said(REFUSED, 0) };
            examined.said.push(said(refused));
            return examined;
        }
    }
    examined.analysed(&side.text);
    examined.against(side);
    examined.enforced(&side.without, &side.text);
    examined
}

/// Asks everything of a document alone.
pub(super) fn examine_text(text: &str) -> Examined {
    let mut examined = document(text);
    examined.analysed(text);
    examined
}

/// What the text says by itself, without the analyser.
pub(super) fn document(text: &str) -> Examined {
    let parsed = read(text);
    let said = parsed.diagnostics.iter().map(|diagnostic| from(diagnostic, text)).collect();
    let policy = parsed.model.clone().map(|model| Policy::compile(model, parsed.hash).unwrap());
    let mut examined = Examined { said, parsed, policy, baseline: None };
    examined.examples(text);
    examined
}

impl Examined {
    /// Runs the examples.
    fn examples(&mut self, text: &str) {
        let Some(policy) = &self.policy else { return };
        if self.parsed.examples.is_empty() {
            return;
        }
        let pack = pack(&self.parsed);
        for example in &self.parsed.examples {
            let facts = found(&pack, example);
            let applied = explain(policy, &facts).applied;
            let applies = applied.iter().any(|it| (&it.clause, it.rule) == (&example.clause, example.rule));
            let Err(failed) = judge(example, applies) else { continue };
            self.said.push(Said {
                message: failed.to_string(),
                rule: Some((example.clause.clone(), example.rule)),
                witness: Some(Witness::of(policy, facts)),
                ..said(Code::ExampleContradictsRule.as_str(), line(text, example.span))
            });
        }
    }

    fn analysed(&mut self, text: &str) {
        let Some(policy) = &self.policy else { return };
        let report = report(policy, &self.parsed, &world(), AT);
        assert!(report.unproved.is_none(), "{:?}", report.unproved);
        for finding in report.findings {
            self.said.push(Said {
                rule: finding.rule.clone(),
                witness: finding.witness.clone(),
                ..from(&finding.diagnostic(), text)
            });
        }
    }

    fn against(&mut self, side: &Side) {
        let (Some(policy), Some(text)) = (&self.policy, &side.baseline) else { return };
        let baseline = document(text).policy.expect("a baseline runs");
        for row in weaker(policy, &baseline, &world(), AT).unwrap().rows {
            let said = said(Code::WeakerThanBaseline.as_str(), 0);
            self.said.push(Said { message: row.both(), witness: Some(row.witness), ..said });
        }
        self.baseline = Some(baseline);
    }

    fn enforced(&mut self, without: &[Capability], text: &str) {
        let Some(policy) = self.policy.as_ref().filter(|_| !without.is_empty()) else { return };
        for need in needs(policy, &world(), &[without.to_vec()]).unwrap() {
            for loss in need.losses {
                let rules: Vec<String> = loss.rules.iter().map(u16::to_string).collect();
                let part = if loss.whole() { "loses all its rules" } else { "loses a part" };
                let message = format!("clause {} {part}: {}", loss.clause, rules.join(", "));
                for rule in &loss.rules {
                    let place = place(policy, &loss.clause, *rule);
                    let span = place.and_then(|place| self.parsed.places.get(place)).map(|place| place.span);
                    let line = span.map_or(0, |span| line(text, span));
                    let rule = Some((loss.clause.clone(), *rule));
                    self.said.push(Said { message: message.clone(), rule, ..said(NOT_ENFORCED, line) });
                }
            }
        }
    }
}

/// The policy with exceptions beside it, or why they do not fit.
fn beside(policy: &Policy, exceptions: &[String]) -> Result<Policy, String> {
    let grants = exceptions.iter().zip(1..).map(|(lines, number)| grant(lines, number));
    let grants: Vec<ExceptionGrant> = grants.collect::<Result<_, _>>()?;
    policy.with_standing(grants, Vec::new()).map_err(|error| error.to_string())
}

/// An exception as it is written down, from lines `key: value`. What is the same in all of them may be left out; when it
/// ends may not.
fn grant(lines: &str, number: u8) -> Result<ExceptionGrant, String> {
    let mut fields = json!({
        "id": writ_model::standing::ExceptionId::from_bytes([number; 16]),
        "owner": "head of research",
        "reason": "a trial that was agreed",
        "compensating-control": "weekly review",
        "approved-by": "head of security",
        "from": Moment::from_date(2027, 1, 1),
    });
    let mut keys: BTreeMap<String, Value> = BTreeMap::new();
    for line in lines.lines() {
        let (key, value) = line.split_once(':').expect("an exception has lines `key: value`");
        let (key, value) = (key.trim().to_owned(), value.trim());
        // Files hold moments as numbers; the corpus shows dates.
        let value = Moment::parse(value).map_or_else(|| Value::from(value), |moment| json!(moment));
        match fields.as_object_mut() {
            Some(fields) if FIELDS.contains(&key.as_str()) => drop(fields.insert(key, value)),
            _ => drop(keys.insert(key, value)),
        }
    }
    fields["keys"] = json!(keys);
    serde_json::from_value(fields).map_err(|error| error.to_string())
}

/// Fields of an exception; every other line is a key of its situation.
const FIELDS: &[&str] = &["clause", "owner", "reason", "compensating-control", "approved-by", "from", "until"];

/// Facts of an example, with what detection finds in its text.
fn found(pack: &Pack, example: &Example) -> Facts {
    let mut facts = example_facts(example);
    let number = |count: usize| u32::try_from(count).unwrap();
    let values = distinct_values(&pack.scan(&example.text, &[0; 32]));
    let found = |counts: Counts| Found { likely: number(counts.likely), certain: number(counts.certain) };
    let classes = values.into_iter().map(|(class, counts)| (class, found(counts)));
    facts.data = classes.collect::<BTreeMap<_, _>>().into();
    facts.level = facts.declared.known().map_or(Level::Unstated, |declared| Level::from(*declared)).into();
    facts.signal = Set::EMPTY.into();
    facts.completed()
}

/// The detectors that ship, with the words of a document.
fn pack(parsed: &Parsed) -> Pack {
    let classes = parsed.definitions.classes.iter().filter(|it| !(it.words.is_empty() && it.expressions.is_empty()));
    let own: Vec<Definition> = classes
        .map(|it| Definition { class: it.class.clone(), words: it.words.clone(), expressions: it.expressions.clone() })
        .collect();
    let harmless = parsed.definitions.harmless.iter().flat_map(|harmless| harmless.values.clone());
    let harmless = Harmless { values: harmless.collect(), patterns: Vec::new() };
    if own.is_empty() && harmless.values.is_empty() {
        return Pack::builtin();
    }
    Pack::with_definitions(&own, &harmless).unwrap()
}

/// The place of a rule in the model.
pub(super) fn place(policy: &Policy, clause: &Term, rule: u16) -> Option<usize> {
    policy.model().rules.iter().position(|it| it.clause == *clause && it.number == rule)
}

fn line(text: &str, span: Span) -> usize {
    span.position(text).line
}

fn said(code: &str, line: usize) -> Said {
    Said { code: code.to_owned(), line, message: String::new(), rule: None, witness: None, note: false }
}

fn from(diagnostic: &Diagnostic, text: &str) -> Said {
    Said {
        message: diagnostic.message.clone(),
        note: diagnostic.gravity == Gravity::Note,
        ..said(diagnostic.code.as_str(), line(text, diagnostic.span))
    }
}
