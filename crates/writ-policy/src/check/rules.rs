//! Rule blocks: keys, effect, carve-outs, examples; and what a rule may not say.

use std::collections::BTreeMap;

use writ_model::schema::{Kind, Stage};
use writ_model::values::Value as _;
use writ_model::verdict::{Offer, Restore};
use writ_model::{Action, Dimension, Effect, Level, Severity, Term};

use crate::check::keys::{self, Seen};
use crate::check::{Checker, RulePlace};
use crate::control::ControlKind;
use crate::diagnostic::Code;
use crate::document::line::{Entry, quoted};
use crate::document::source::{Piece, Span};
use crate::document::{Block, Section, limits};
use crate::example::{self, Example, ExampleKind, Situation};
use crate::rule::{KeyTest, KeyValue, Keys, Rule};
use crate::words;

/// The seconds of a day: how often a note is shown unless a rule says otherwise.
const DAY: u64 = 86_400;

/// A rule while it is read, with the places of its keys.
#[derive(Clone)]
pub(super) struct Draft {
    pub(super) keys: Keys,
    pub(super) seen: Seen,
    unless: Vec<(Keys, Span)>,
    pub(super) then: Option<Effect>,
    pub(super) redact: bool,
    pub(super) foresees: Option<bool>,
    fail_closed: bool,
    override_roles: std::collections::BTreeSet<Term>,
    offers: Vec<Offer>,
    severity: Option<Severity>,
    why: Option<String>,
    because: Vec<String>,
    restore: Restore,
    ask_level: bool,
    every_seconds: u64,
    /// It is a cell of a table.
    cell: bool,
    /// Where each key stands.
    places: BTreeMap<&'static str, Span>,
    /// Where the rule stands, for what has no key.
    pub(super) place: Span,
}

impl Draft {
    pub(super) fn new(place: Span) -> Self {
        Self {
            keys: Keys::default(),
            seen: Seen::new(),
            unless: Vec::new(),
            then: None,
            redact: false,
            foresees: None,
            fail_closed: true,
            override_roles: std::collections::BTreeSet::new(),
            offers: Vec::new(),
            severity: None,
            why: None,
            because: Vec::new(),
            restore: Restore::default(),
            ask_level: false,
            every_seconds: DAY,
            cell: false,
            places: BTreeMap::new(),
            place,
        }
    }

    /// Where a key stands; the rule itself if it has no such key.
    fn at(&self, key: &str) -> Span {
        self.places.get(key).copied().unwrap_or(self.place)
    }

    fn key_span(&self, dimension: Dimension) -> Span {
        let seen = self.seen.get(&(dimension, false)).or_else(|| self.seen.get(&(dimension, true)));
        seen.copied().unwrap_or(self.place)
    }

    fn raises(&self) -> bool {
        self.redact || self.ask_level || self.then.is_some_and(|then| then > Effect::Allow)
    }

    /// Makes it the rule of one cell: what the caption says about other effects is left out.
    pub(super) fn cell(&mut self, then: Effect, redact: bool) {
        self.cell = true;
        self.then = Some(then);
        self.redact = redact;
        self.foresees = Some(true);
        if then != Effect::Block {
            self.override_roles.clear();
        }
        if !self.raises() {
            self.unless.clear();
            self.offers.clear();
            self.fail_closed = true;
            self.every_seconds = DAY;
            self.places.remove("fail");
            self.places.remove("every");
        }
        let plain_only = self.positive(Dimension::Data).is_some_and(|test| test.values == [KeyValue::Plain]);
        if plain_only {
            self.offers.retain(|offer| *offer != Offer::Redact);
        }
        if !redact && !self.offers.contains(&Offer::Redact) {
            self.restore = Restore::default();
            self.places.remove("restore");
        }
    }

    pub(super) fn positive(&self, dimension: Dimension) -> Option<&KeyTest> {
        self.keys.tests.iter().find(|test| test.dimension == dimension && !test.not)
    }
}

impl Checker<'_> {
    pub(super) fn rule_block(&mut self, section: &Section, block: &Block) {
        if !block.argument.as_str().is_empty() {
            let text = "nothing follows `rule` on this line";
            self.problems.add(Code::MalformedBlock, block.argument.span(), text);
        }
        let mut draft = Draft::new(block.opening);
        for entry in &block.entries {
            self.entry(&mut draft, entry);
        }
        let Some(clause) = self.clause(section, block.opening, "rule") else { return };
        if draft.then.is_none() && !draft.redact && !draft.ask_level {
            // An effect that could not be read has its own diagnostic.
            if !draft.places.contains_key("then") {
                let text = "this rule has no effect";
                let help = "add `then: allow`, `coach`, `justify`, `block` or `redact`";
                self.problems.add(Code::MissingKey, block.opening, text).help(help);
            }
            return;
        }
        let Some(rule_index) = self.finish(draft, clause) else { return };
        self.rule_examples(block, rule_index);
    }

    /// The clause that a rule stands in.
    pub(super) fn clause(&mut self, section: &Section, place: Span, what: &str) -> Option<Term> {
        if section.clause.is_none() {
            let text = format!("this {what} stands in no clause");
            let problem = self.problems.add(Code::WrongPlace, place, text);
            problem.help("give the heading above it an id: `## 4.2 Health information {#health}`");
        }
        section.clause.clone()
    }

    /// One key of a rule block or a sentence of a caption.
    pub(super) fn entry(&mut self, draft: &mut Draft, entry: &Entry) {
        if let Some(dimension) = Dimension::named(&entry.key) {
            let terms = entry.listed();
            if let Some(test) = keys::test(dimension, &terms, entry.key_span, self.vocabulary, self.problems) {
                keys::add(&mut draft.keys, test, entry.key_span, &mut draft.seen, self.problems);
            }
            return;
        }
        let Some((key, _)) = words::RULE_KEYS.iter().find(|(key, _)| *key == entry.key) else {
            let dimensions = Dimension::ALL.iter().map(|dimension| dimension.key());
            let known = words::RULE_KEYS.iter().map(|(key, _)| *key).chain(dimensions);
            let text = format!("a rule has no key `{}`", entry.key);
            let problem = self.problems.add(Code::UnknownKey, entry.key_span, text);
            problem.help("the reference page lists the keys").nearest(&entry.key, known);
            return;
        };
        let first = draft.places.insert(key, entry.span());
        if let Some(first) = first.filter(|_| *key != "unless") {
            let text = format!("`{key}` stands twice in this rule");
            self.problems.add(Code::DuplicateKey, entry.key_span, text).see(first, "first here");
            return;
        }
        self.rule_key(draft, key, entry);
    }

    fn rule_key(&mut self, draft: &mut Draft, key: &str, entry: &Entry) {
        match key {
            "then" => self.then(draft, entry),
            "redact" => draft.redact |= self.yes(entry).unwrap_or(false),
            "foresees" => draft.foresees = self.yes(entry),
            "unless" => self.unless(draft, entry),
            "override" => self.roles(draft, entry),
            "offer" => self.offers(draft, entry),
            "ask" => draft.ask_level = self.word(entry, &[("level", true)]).unwrap_or(false),
            "restore" => {
                let known = [("text", Restore::Text), ("tools", Restore::Tools)];
                draft.restore = self.word(entry, &known).unwrap_or_default();
            }
            "every" => draft.every_seconds = self.every(entry).unwrap_or(DAY),
            "fail" => draft.fail_closed = self.word(entry, &[("closed", true), ("open", false)]).unwrap_or(true),
            "severity" => {
                let known: Vec<_> = Severity::ALL.iter().map(|value| (value.as_str(), *value)).collect();
                draft.severity = self.word(entry, &known);
            }
            "why" => draft.why = entry.single(self.problems).and_then(|value| Some(quoted(value, self.problems)?.0)),
            "because" => {
                let ids = entry.listed().into_iter().filter_map(|term| Some(quoted(term, self.problems)?.0));
                draft.because = ids.filter(|id| !id.is_empty()).collect();
            }
            // Examples are read when the rule is known.
            _ => {}
        }
    }

    /// The value of a key that takes one of a few words.
    fn word<T: Copy>(&mut self, entry: &Entry, known: &[(&str, T)]) -> Option<T> {
        let value = entry.single(self.problems)?;
        let word = value.as_str();
        let found = known.iter().find(|(name, _)| *name == word);
        if found.is_none() {
            let names = known.iter().map(|(name, _)| *name);
            let list: Vec<_> = names.clone().map(|name| format!("`{name}`")).collect();
            let text = format!("`{word}` is no value of `{}`", entry.key);
            let problem = self.problems.add(Code::UnknownValue, value.span(), text);
            problem.help(format!("write {}", list.join(" or "))).nearest(word, names);
        }
        found.map(|(_, value)| *value)
    }

    fn yes(&mut self, entry: &Entry) -> Option<bool> {
        self.word(entry, &[("yes", true), ("no", false)])
    }

    fn then(&mut self, draft: &mut Draft, entry: &Entry) {
        let Some(value) = entry.single(self.problems) else { return };
        match effect(value.as_str()) {
            Some((effect, redact)) => {
                draft.then = Some(effect);
                draft.redact |= redact;
            }
            None => {
                let text = format!("`{}` is no effect", value.as_str());
                let problem = self.problems.add(Code::UnknownValue, value.span(), text);
                let help = if value.terms().len() > 1 {
                    "a rule has one effect; write a second rule for the other"
                } else {
                    "write `allow`, `coach`, `justify`, `block` or `redact`"
                };
                problem.help(help).nearest(value.as_str(), EFFECTS.iter().map(|(name, ..)| *name));
            }
        }
    }

    /// One set of keys, or a list of sets.
    fn unless(&mut self, draft: &mut Draft, entry: &Entry) {
        let value = (!entry.value.as_str().is_empty()).then(|| entry.value.whole());
        let sets: Vec<Piece<'_>> = value.into_iter().chain(entry.items.iter().map(|item| item.whole())).collect();
        if sets.is_empty() {
            self.problems.add(Code::InvalidValue, entry.key_span, "`unless` names no keys");
        }
        for set in sets {
            let keys = keys::set(set, self.vocabulary, self.problems);
            if keys.on(Dimension::Cleared).is_some() && keys.on(Dimension::Data).is_none() {
                let text = "`cleared` speaks about the classes of `data`, which these keys do not name";
                self.problems.add(Code::ContradictoryRule, set.span(), text);
            }
            if !keys.tests.is_empty() {
                draft.unless.push((keys, set.span()));
            }
        }
    }

    fn roles(&mut self, draft: &mut Draft, entry: &Entry) {
        let roles = entry.listed().into_iter();
        draft.override_roles.extend(roles.filter_map(|term| keys::role(term, self.vocabulary, self.problems)));
    }

    fn offers(&mut self, draft: &mut Draft, entry: &Entry) {
        const OFFERS: &[&str] = &["redact", "redirect", "ask-exception", "ask-vetting", "object"];
        for term in entry.listed() {
            let (word, rest) = term.first_word();
            let offer = match (word.as_str().trim_end_matches(':'), rest.is_empty()) {
                ("redact", true) => Offer::Redact,
                ("ask-exception", true) => Offer::AskException,
                ("ask-vetting", true) => Offer::AskVetting,
                ("object", true) => Offer::Object,
                ("redirect", false) => {
                    let test = keys::test(Dimension::Service, &[rest], rest.span(), self.vocabulary, self.problems);
                    match test.map(|test| test.values) {
                        Some(values) if values.len() == 1 => match values.into_iter().next() {
                            Some(KeyValue::Open(service)) => Offer::Redirect(service),
                            _ => continue,
                        },
                        _ => continue,
                    }
                }
                (name, _) => {
                    let text = format!("`{}` is no offer", term.as_str());
                    let help = "write `redact`, `redirect: SERVICE`, `ask-exception`, `ask-vetting` or `object`";
                    let problem = self.problems.add(Code::UnknownValue, term.span(), text).help(help);
                    if !OFFERS.contains(&name) {
                        problem.nearest(name, OFFERS.iter().copied());
                    }
                    continue;
                }
            };
            if draft.offers.contains(&offer) {
                let text = format!("`{}` is offered twice", term.as_str());
                self.problems.add(Code::DuplicateValue, term.span(), text);
            } else {
                draft.offers.push(offer);
            }
        }
    }

    /// `day`, `8 hours`, `30 minutes`.
    fn every(&mut self, entry: &Entry) -> Option<u64> {
        let value = entry.single(self.problems)?;
        let (first, rest) = value.first_word();
        let (count, unit) = match first.as_str().parse::<u64>() {
            Ok(count) if !rest.is_empty() => (count, rest.as_str()),
            _ => (1, value.as_str()),
        };
        let seconds = match unit.strip_suffix('s').unwrap_or(unit) {
            "minute" => Some(60),
            "hour" => Some(3_600),
            "day" => Some(DAY),
            "week" => Some(7 * DAY),
            "month" => Some(30 * DAY),
            _ => None,
        };
        let total = seconds.and_then(|seconds: u64| seconds.checked_mul(count));
        let total = total.filter(|total| (60..=366 * DAY).contains(total));
        if total.is_none() {
            let text = format!("`{}` is no time between notes", value.as_str());
            let help = "write `day`, `hour`, `week`, `8 hours` or `30 minutes`; from a minute to a year";
            self.problems.add(Code::InvalidValue, value.span(), text).help(help);
        }
        total
    }

    /// Checks what keys say together, and adds the rule. Returns its place among the rules.
    pub(super) fn finish(&mut self, draft: Draft, clause: Term) -> Option<usize> {
        self.redaction(&draft);
        self.refused(&draft);
        self.misplaced(&draft);
        self.contained(&draft);
        self.bounds(&draft);
        if !limits::RULES.admits(self.rules.len() + 1) || !limits::MODEL.admits(self.values) {
            let (rules, values) = (limits::RULES.value(), limits::MODEL.value());
            let text = format!("this text has more than {rules} rules, or more than {values} values in them");
            self.problems.add(Code::Limit, draft.place, text);
            return None;
        }
        self.leads_to(&draft);
        let number = self.numbers.entry(clause.clone()).or_insert(0);
        *number = number.saturating_add(1);
        let then = if draft.redact { Effect::Allow } else { draft.then.unwrap_or(Effect::Allow) };
        let allows = draft.then == Some(Effect::Allow) && !draft.redact && !draft.ask_level;
        let unless = draft.unless.iter().map(|(_, span)| *span).collect();
        self.places.push(RulePlace { span: draft.place, cell: draft.cell, unless });
        self.rules.push(Rule {
            clause,
            number: *number,
            keys: draft.keys,
            unless: draft.unless.into_iter().map(|(keys, _)| keys).collect(),
            then,
            redact: draft.redact,
            foresees: allows || draft.foresees.unwrap_or(false),
            fail_closed: draft.fail_closed,
            override_roles: draft.override_roles,
            offers: draft.offers,
            severity: draft.severity,
            why: draft.why,
            because: draft.because,
            restore: draft.restore,
            ask_level: draft.ask_level,
            every_seconds: draft.every_seconds,
        });
        Some(self.rules.len() - 1)
    }

    /// Processes that somebody has to run for the rule to make sense.
    fn leads_to(&mut self, draft: &Draft) {
        let offers = [(Offer::AskException, ControlKind::ExceptionProcess), (Offer::AskVetting, ControlKind::Vetting)];
        for (_, kind) in offers.into_iter().filter(|(offer, _)| draft.offers.contains(offer)) {
            self.wanted.entry(kind).or_insert_with(|| draft.at("offer"));
        }
        let keys = [(Dimension::Training, ControlKind::Training), (Dimension::Attestation, ControlKind::Attestation)];
        for (dimension, kind) in keys.into_iter().filter(|(dimension, _)| draft.keys.on(*dimension).is_some()) {
            self.wanted.entry(kind).or_insert_with(|| draft.key_span(dimension));
        }
    }

    /// `redact` stands beside the effect allow and needs classes.
    fn redaction(&mut self, draft: &Draft) {
        let offers = draft.offers.contains(&Offer::Redact);
        if !draft.redact && !offers {
            return;
        }
        if draft.redact && draft.then.is_some_and(|then| then > Effect::Allow) {
            let text = "`redact` stands beside the effect allow, not beside a stricter one";
            let problem = self.problems.add(Code::ContradictoryRule, draft.at("then"), text);
            problem.help("write `offer: redact` to let the person go on without those details");
            return;
        }
        let key = if draft.redact { draft.at("then") } else { draft.at("offer") };
        match draft.positive(Dimension::Data).map(|test| test.values.as_slice()) {
            None => {
                let text = "nothing says which classes to redact";
                self.problems.add(Code::NoSpansToRedact, key, text).help("add a `data` key with classes");
            }
            Some(values) if values.contains(&KeyValue::Plain) && draft.redact => {
                let text = "`redact` on `plain` is refused: plain has no span that could be removed";
                self.problems.add(Code::NoSpansToRedact, key, text).help("name the classes to redact");
            }
            Some(values) if values == [KeyValue::Plain] => {
                let text = "`redact` cannot be offered for `plain`, which has no span that could be removed";
                self.problems.add(Code::NoSpansToRedact, key, text);
            }
            Some(_) => {}
        }
    }

    /// Keys and values that would mean something else than they seem to.
    fn refused(&mut self, draft: &Draft) {
        if draft.keys.on(Dimension::Cleared).is_some() && !self.names_classes(draft) {
            let text = "`cleared` speaks about the classes of the rule's `data` key, which names none";
            let problem = self.problems.add(Code::ContradictoryRule, draft.key_span(Dimension::Cleared), text);
            problem.help("add a `data` key with classes");
        }
        let unstated = KeyValue::Closed(Level::Unstated.index());
        let level = draft.positive(Dimension::Level);
        if draft.raises() && level.is_some_and(|test| test.values.contains(&unstated)) {
            let text = "`level: unstated` is refused in a rule that raises: it would mean every level";
            let help =
                "nothing is stopped for its level alone while nobody stated one; name the lowest level that is meant";
            self.problems.add(Code::RefusedHere, draft.key_span(Dimension::Level), text).help(help);
        }
        if draft.then == Some(Effect::Justify) && self.answers(draft) {
            let text = "`justify` cannot be asked of an answer";
            let help = "use `coach`, `redact` or `block` for receive and tool-result";
            self.problems.add(Code::ContradictoryRule, draft.at("then"), text).help(help);
        }
        if let Some(test) = draft.positive(Dimension::Data)
            && test.values.contains(&KeyValue::AnyClass)
            && test.values.len() > 1
        {
            let text = "`any` already contains every class";
            self.problems
                .add(Code::DuplicateValue, draft.key_span(Dimension::Data), text)
                .help("write `data: any` alone");
        }
    }

    fn names_classes(&self, draft: &Draft) -> bool {
        let data = draft.positive(Dimension::Data);
        data.is_some_and(|test| test.values.iter().any(|value| *value != KeyValue::Plain))
    }

    /// Whether the rule speaks about what comes back.
    fn answers(&self, draft: &Draft) -> bool {
        let answers = [Action::Receive, Action::ToolResult].map(|action| KeyValue::Closed(action.index()));
        draft.keys.tests.iter().filter(|test| test.dimension == Dimension::Action).any(|test| {
            let named = test.values.iter().any(|value| answers.contains(value));
            let all = answers.iter().all(|value| test.values.contains(value));
            if test.not { !all } else { named }
        })
    }

    /// Keys that say nothing in this rule.
    fn misplaced(&mut self, draft: &Draft) {
        let raises = draft.raises();
        let mut refuse = |key: &str, text: &str, help: &str| {
            let problem = self.problems.add(Code::ContradictoryRule, draft.at(key), text);
            problem.help(help);
        };
        if !draft.override_roles.is_empty() && draft.then != Some(Effect::Block) {
            refuse("override", "only a block can be overridden", "leave `override` out, or write `then: block`");
        }
        if !raises && draft.places.contains_key("fail") {
            refuse("fail", "a rule that only allows has no failure to decide", "leave `fail` out");
        }
        let body = |keys: &Keys| keys.tests.iter().any(|test| test.dimension.spec().stage == Stage::Body);
        let reads = body(&draft.keys) || draft.unless.iter().any(|(keys, _)| body(keys));
        if raises && !reads && draft.places.contains_key("fail") {
            let text = "this rule asks nothing that is read from content, so that no reader can fail";
            refuse("fail", text, "leave `fail` out");
        }
        // Where a clause is rolled out, whatever raises may be a note for a while.
        if !raises && draft.places.contains_key("every") {
            refuse("every", "a rule that only allows shows no note", "leave `every` out");
        }
        if !raises && !draft.offers.is_empty() {
            refuse(
                "offer",
                "a rule that only allows stops nothing that something could be offered for",
                "leave `offer` out",
            );
        }
        if !raises && !draft.unless.is_empty() {
            let help = "`unless` carves out of a rule that raises; name the values that are meant instead";
            refuse("unless", "a rule that only allows has nothing to carve out", help);
        }
        if !raises && draft.foresees == Some(false) {
            refuse("foresees", "`then: allow` always foresees", "leave `foresees` out");
        }
        if draft.ask_level && draft.then == Some(Effect::Allow) {
            let help = "leave `then` out: until the level is stated the effect is justify";
            refuse("then", "a rule that asks for a level does not only allow", help);
        }
        let upload = [KeyValue::Closed(Action::Upload.index())];
        if draft.ask_level && draft.positive(Dimension::Action).is_none_or(|test| test.values != upload) {
            refuse("ask", "a level is asked for files only", "add `action: upload`");
        }
        if draft.places.contains_key("restore") && !draft.redact && !draft.offers.contains(&Offer::Redact) {
            refuse("restore", "this rule makes no placeholders that could be turned back", "leave `restore` out");
        }
        for key in ["violates", "complies"] {
            if !raises && draft.places.contains_key(key) {
                refuse(key, "a rule that only allows cannot be violated", "move the example to the rule that stops it");
            }
        }
    }

    /// How many rows the carve-outs make, and how many values the rules have.
    fn bounds(&mut self, draft: &Draft) {
        let rows = draft.unless.iter().fold(1_usize, |rows, (keys, _)| rows.saturating_mul(keys.tests.len()));
        if !limits::UNLESS_ROWS.admits(rows) {
            let text = format!("these carve-outs make {rows} rows, {} at most", limits::UNLESS_ROWS.value());
            let help = "write several rules with fewer carve-outs each";
            self.problems.add(Code::Limit, draft.at("unless"), text).help(help);
        }
        let unless = draft.unless.iter().flat_map(|(keys, _)| &keys.tests);
        let values = draft.keys.tests.iter().chain(unless).map(|test| test.values.len()).sum::<usize>();
        self.values = self.values.saturating_add(values);
    }

    /// Values that another one already contains, on ordered dimensions.
    fn contained(&mut self, draft: &Draft) {
        for test in draft.keys.tests.iter().filter(|test| !test.not && test.values.len() > 1) {
            let foreseen_only = !draft.raises();
            if test.dimension.spec().kind == Kind::Ordered {
                let key = test.dimension.key();
                let (reading, which) = if foreseen_only { ("less", "highest") } else { ("more", "lowest") };
                let text = format!("a value of `{key}` means itself or {reading} risk: one value is enough");
                let help = format!("name the {which} value that is meant");
                self.problems.add(Code::DuplicateValue, draft.key_span(test.dimension), text).help(help);
            }
        }
    }

    fn rule_examples(&mut self, block: &Block, rule_index: usize) {
        for (key, kind) in [("violates", ExampleKind::Violates), ("complies", ExampleKind::Complies)] {
            let Some(entry) = block.entry(key) else { continue };
            let value = (!entry.value.as_str().is_empty()).then(|| entry.value.whole());
            let items: Vec<Piece<'_>> = value.into_iter().chain(entry.items.iter().map(|item| item.whole())).collect();
            if items.is_empty() {
                let text = format!("`{key}` has no example");
                self.problems.add(Code::InvalidValue, entry.key_span, text).help("write `- \"...\"` below it");
            }
            for item in items {
                self.example(item, kind, rule_index);
            }
        }
    }

    fn example(&mut self, item: Piece<'_>, kind: ExampleKind, rule_index: usize) {
        let Some((text, words)) = example::read_item(item, self.problems) else { return };
        let stated =
            words.map_or_else(Situation::default, |words| example::situation(words, self.vocabulary, self.problems));
        let Some(rule) = self.rules.get(rule_index) else { return };
        let example = Example {
            clause: rule.clause.clone(),
            rule: rule.number,
            rule_index,
            kind,
            text,
            span: item.span(),
            stated,
            witness: example::witness(rule, &self.default),
            default: self.default.clone(),
        };
        if kind == ExampleKind::Complies && example::any_text_complies(rule, &example) {
            let text = "this example complies whatever its text says: the rule never applies in its situation";
            let help = "leave out what `as:` says, or move the example to the rule that it is about";
            self.problems.add(Code::AnyExampleComplies, item.span(), text).help(help);
        }
        if limits::EXAMPLES.admits(self.examples.len() + 1) {
            self.examples.push(example);
        } else {
            let text = format!("this text has more than {} examples", limits::EXAMPLES.value());
            self.problems.add(Code::Limit, Span::default(), text);
        }
    }
}

/// The effects as rules and cells write them: name, effect, whether classes are redacted.
pub(super) const EFFECTS: &[(&str, Effect, bool)] = &[
    ("allow", Effect::Allow, false),
    ("coach", Effect::Coach, false),
    ("justify", Effect::Justify, false),
    ("block", Effect::Block, false),
    ("redact", Effect::Allow, true),
];

pub(super) fn effect(name: &str) -> Option<(Effect, bool)> {
    EFFECTS.iter().find(|(word, ..)| *word == name).map(|(_, effect, redact)| (*effect, *redact))
}
