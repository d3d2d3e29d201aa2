//! Assertions of `prove` blocks: `never: who contractor, passes phi`, `always: status retired, at least block`.

use writ_base::Limit;
use writ_model::{Dimension, Effect, Level, Value as _};

use crate::assertion::{Assertion, Claim};
use crate::check::{Checker, keys, rules};
use crate::diagnostic::Code;
use crate::document::line::Entry;
use crate::document::source::{Piece, Span};
use crate::document::{Block, Section};
use crate::rule::{KeyValue, Keys};
use crate::words;

/// Assertions of one policy: each is proved at every load.
pub static ASSERTIONS: Limit = Limit::new("policy.assertions", "assertions", 1_000);

/// The words that leave out what is not read.
const WHAT_IS_READ: &str = "in what is read";

/// The parts of an assertion, told apart by how they begin.
#[derive(Default)]
struct Parts<'a> {
    keys: Vec<Piece<'a>>,
    /// The part that says what passes, and the classes.
    passes: Option<(Span, Vec<Piece<'a>>)>,
    at_least: Option<Piece<'a>>,
    read_only: bool,
}

impl Checker<'_> {
    /// The assertions of one block.
    pub(super) fn prove(&mut self, section: &Section, block: &Block) {
        for entry in &block.entries {
            let known = || words::PROVE_KEYS.iter().map(|(name, _)| *name);
            let never = match entry.key.as_str() {
                "never" => true,
                "always" => false,
                other => {
                    let text = format!("an assertion does not start with `{other}`");
                    let problem = self.problems.add(Code::UnknownKey, entry.key_span, text);
                    problem.help("write `never: ...` or `always: ...`").nearest(other, known());
                    continue;
                }
            };
            self.assertions(section, entry, never);
        }
        if block.entries.is_empty() {
            self.problems.add(Code::MissingKey, block.opening, "this block asserts nothing");
        }
    }

    fn assertions(&mut self, section: &Section, entry: &Entry, never: bool) {
        let value = (!entry.value.as_str().is_empty()).then(|| entry.value.whole());
        let items: Vec<Piece<'_>> = value.into_iter().chain(entry.items.iter().map(|item| item.whole())).collect();
        if items.is_empty() {
            let text = format!("`{}` asserts nothing", entry.key);
            self.problems.add(Code::InvalidValue, entry.key_span, text).help("write `- KEY VALUES, ...` below it");
        }
        for item in items {
            if !ASSERTIONS.admits(self.assertions.len() + 1) {
                let text = format!("this text has more than {} assertions", ASSERTIONS.value());
                self.problems.add(Code::Limit, item.span(), text);
                return;
            }
            if let Some(assertion) = self.assertion(section, item, never) {
                self.assertions.push(assertion);
                self.assertion_places.push(item.span());
            }
        }
    }

    fn assertion(&mut self, section: &Section, item: Piece<'_>, never: bool) -> Option<Assertion> {
        let parts = self.parts(item)?;
        let claim = if never { self.never(item, &parts) } else { self.always(item, &parts) };
        let keys = keys::set_of(&parts.keys, self.vocabulary, self.problems);
        let unstated = KeyValue::Closed(Level::Unstated.index());
        if keys.on(Dimension::Level).is_some_and(|test| !test.not && test.values.contains(&unstated)) {
            let text = "`level unstated` would mean every level: more risk is always meant as well";
            self.problems.add(Code::RefusedHere, item.span(), text).help("name the lowest level that is meant");
        }
        self.clearance(item, &keys, claim.as_ref());
        Some(Assertion {
            clause: section.clause.clone(),
            text: item.as_str().to_owned(),
            keys,
            claim: claim?,
            read_only: parts.read_only,
        })
    }

    /// Tells the parts apart. A part without a beginning of its own continues the one before.
    fn parts<'a>(&mut self, item: Piece<'a>) -> Option<Parts<'a>> {
        let mut parts = Parts::default();
        let mut passing = false;
        for part in item.split(&[',', ';']) {
            let (word, rest) = part.first_word();
            let is_key = Dimension::named(word.as_str().trim_end_matches(':')).is_some() && !rest.is_empty();
            if part.as_str() == WHAT_IS_READ {
                parts.read_only = true;
                passing = false;
            } else if word.as_str().trim_end_matches(':') == "passes" && !rest.is_empty() {
                if parts.passes.is_some() {
                    let text = "`passes` stands twice in one assertion";
                    self.problems
                        .add(Code::DuplicateKey, part.span(), text)
                        .help("list all classes after one `passes`");
                    return None;
                }
                parts.passes = Some((part.span(), vec![rest]));
                passing = true;
            } else if let Some(effect) = after(part, "at least") {
                parts.at_least = Some(effect);
                passing = false;
            } else if let (true, false, Some((_, classes))) = (passing, is_key, &mut parts.passes) {
                classes.push(part);
            } else {
                parts.keys.push(part);
                passing = false;
            }
        }
        Some(parts)
    }

    fn never(&mut self, item: Piece<'_>, parts: &Parts<'_>) -> Option<Claim> {
        if let Some(effect) = parts.at_least {
            let text = "`at least` belongs to `always`";
            self.problems.add(Code::ContradictoryRule, effect.span(), text).help("write `always: ..., at least block`");
            return None;
        }
        let Some((span, classes)) = &parts.passes else {
            let text = "this assertion does not say what must never pass";
            let help = "end it with `passes CLASS`: `passes phi`, `passes any` or `passes plain`";
            self.problems.add(Code::MissingKey, item.span(), text).help(help);
            return None;
        };
        let test = keys::test(Dimension::Data, classes, *span, self.vocabulary, self.problems)?;
        if test.not {
            let text = "`passes` names classes; `not` names none";
            self.problems.add(Code::InvalidValue, *span, text);
            return None;
        }
        Some(Claim::NeverPasses(test.values))
    }

    fn always(&mut self, item: Piece<'_>, parts: &Parts<'_>) -> Option<Claim> {
        if let Some((span, _)) = &parts.passes {
            let text = "`passes` belongs to `never`";
            self.problems.add(Code::ContradictoryRule, *span, text).help("write `never: ..., passes CLASS`");
            return None;
        }
        let Some(effect) = parts.at_least else {
            let text = "this assertion does not say what must always hold";
            let help = "end it with `at least EFFECT`: `at least coach`, `at least justify` or `at least block`";
            self.problems.add(Code::MissingKey, item.span(), text).help(help);
            return None;
        };
        match rules::effect(effect.as_str()) {
            Some((effect, false)) if effect > Effect::Allow => Some(Claim::AtLeast(effect)),
            _ => {
                let text = format!("`{}` is no effect that could be the least", effect.as_str());
                let problem = self.problems.add(Code::UnknownValue, effect.span(), text);
                let known = ["coach", "justify", "block"];
                problem.help("write `coach`, `justify` or `block`").nearest(effect.as_str(), known);
                None
            }
        }
    }

    /// `cleared` speaks about classes: those of `data`, or those that must not pass.
    fn clearance(&mut self, item: Piece<'_>, keys: &Keys, claim: Option<&Claim>) {
        let passing = matches!(claim, Some(Claim::NeverPasses(_)));
        if keys.on(Dimension::Cleared).is_some() && keys.on(Dimension::Data).is_none() && !passing {
            let text = "`cleared` speaks about the classes of `data`, which this assertion does not name";
            self.problems.add(Code::ContradictoryRule, item.span(), text).help("add `data` with classes");
        }
    }
}

/// What follows some words at the beginning of a part.
fn after<'a>(part: Piece<'a>, words: &str) -> Option<Piece<'a>> {
    let rest = part.as_str().strip_prefix(words)?;
    let length = part.as_str().len();
    (rest.starts_with(' ') && !rest.trim().is_empty()).then(|| part.part(length - rest.len(), length).trim())
}
