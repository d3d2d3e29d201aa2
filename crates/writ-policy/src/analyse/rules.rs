//! Rules that change nothing, that never apply, or that say less than what always applies.

use std::collections::{BTreeMap, BTreeSet};

use writ_base::Moment;
use writ_model::schema::{Dimension, Unknown, Values};
use writ_model::{Effect, Mode, Term};

use crate::check::RulePlace;
use crate::diagnostic::Code;
use crate::diagram::{Diagram, Diagrams, Full, Raw, Subject, TooLarge, World};
use crate::document::source::Span;
use crate::eval::Policy;
use crate::rule::{KeyTest, KeyValue, Keys, Rule};

use super::gaps::alone;
use super::lens::{self, Lens, Variants};
use super::{Finding, Witness};

/// Looks at the rules of the first policy of some diagrams; the second is its lens.
pub(super) fn findings(
    diagrams: &mut Diagrams<'_>,
    policy: &Policy,
    lens: &Lens,
    places: &[RulePlace],
    world: &World,
    at: Moment,
) -> Result<Vec<Finding>, TooLarge> {
    let mut look = Look::new(diagrams, policy, at)?;
    let nowhere = RulePlace::default();
    let mut findings = Vec::new();
    for (number, rule) in policy.model().rules.iter().enumerate() {
        let place = places.get(number).unwrap_or(&nowhere);
        let variants = lens.variants.get(number).cloned().unwrap_or_default();
        let one = One { number, rule, place, variants };
        findings.extend(look.one(&one, world)?.into_iter().map(|finding| (number, finding)));
    }
    let rules = &policy.model().rules;
    Ok(of_captions(of_grids(findings, rules, places), rules, places))
}

/// A grid has a cell for each pair of labels, also for those that cannot meet. Such a cell is a mistake only where its
/// whole row or column never applies.
fn of_grids(findings: Vec<(usize, Finding)>, rules: &[Rule], places: &[RulePlace]) -> Vec<Finding> {
    let vacuous = findings.iter().filter(|(_, finding)| finding.code == Code::VacuousRule);
    let vacuous: BTreeSet<usize> = vacuous.map(|(number, _)| *number).collect();
    let cell = |number: usize| places.get(number).is_some_and(|place| place.cell);
    let alive = |clause: &Term, label: &KeyTest| {
        let others = rules.iter().enumerate().filter(|(number, rule)| rule.clause == *clause && cell(*number));
        others.filter(|(number, _)| !vacuous.contains(number)).any(|(_, rule)| rule.keys.tests.contains(label))
    };
    let impossible_pair = |number: usize| match rules.get(number) {
        Some(rule) if cell(number) => rule.keys.tests.iter().take(2).all(|label| alive(&rule.clause, label)),
        _ => false,
    };
    let keep = |(number, finding): &(usize, Finding)| finding.code != Code::VacuousRule || !impossible_pair(*number);
    findings.into_iter().filter(keep).map(|(_, finding)| finding).collect()
}

/// What is said of the `unless` of a caption is said once, and not because it passes by some of the cells.
fn of_captions(findings: Vec<Finding>, rules: &[Rule], places: &[RulePlace]) -> Vec<Finding> {
    // A cell that allows has nothing that a way out could lead around.
    let raising = || rules.iter().zip(places).filter(|(rule, _)| rule.raises());
    let sharing = |span: Span| raising().filter(|(_, place)| place.unless.contains(&span)).count();
    let mut said: BTreeMap<(Code, Span), usize> = BTreeMap::new();
    for finding in &findings {
        *said.entry((finding.code, finding.span)).or_default() += 1;
    }
    let mut seen = BTreeSet::new();
    let keep = |finding: &Finding| match finding.code {
        Code::IdleUnless if finding.span != Span::default() => {
            let all = said.get(&(finding.code, finding.span)).copied().unwrap_or_default() >= sharing(finding.span);
            all && seen.insert((finding.code, finding.span))
        }
        Code::WideUnless if finding.span != Span::default() => seen.insert((finding.code, finding.span)),
        _ => true,
    };
    findings.into_iter().filter(keep).collect()
}

/// A rule that is looked at.
struct One<'a> {
    number: usize,
    rule: &'a Rule,
    place: &'a RulePlace,
    variants: Variants,
}

impl One<'_> {
    fn finding(&self, code: Code, message: impl Into<String>, help: &str) -> Finding {
        Finding {
            code,
            rule: Some((self.rule.clause.clone(), self.rule.number)),
            span: self.place.span,
            message: message.into(),
            help: help.to_owned(),
            regions: Vec::new(),
            witness: None,
        }
    }

    const fn word(&self) -> &'static str {
        if self.place.cell { "this cell" } else { "this rule" }
    }
}

struct Look<'a, 'p> {
    diagrams: &'a mut Diagrams<'p>,
    policy: &'a Policy,
    at: Moment,
    /// The second greatest of what rules say of what was read: what says more decides alone.
    second: Diagram,
    /// Where several rules fail closed.
    closed_twice: Diagram,
    /// The posture where nothing foresees.
    base: Diagram,
    /// Where a class is redacted by several rules.
    redacted_twice: BTreeMap<Term, Diagram>,
    /// Where it matters whether the situation is foreseen.
    foreseeing_matters: Diagram,
    /// Where several rules cover a bit, by its place among the covers; found when it is asked for.
    covered_twice: BTreeMap<usize, Diagram>,
}

impl<'a, 'p> Look<'a, 'p> {
    fn new(diagrams: &'a mut Diagrams<'p>, policy: &'a Policy, at: Moment) -> Result<Self, TooLarge> {
        let chart = diagrams.chart(0).cloned().ok_or(Full)?;
        let forest = &mut diagrams.forest;
        let (mut first, mut second) = (Diagram::NEVER, Diagram::NEVER);
        let (mut closed, mut closed_twice) = (Diagram::NEVER, Diagram::NEVER);
        for demand in &chart.demands {
            let both = forest.min(first, demand.said)?;
            second = forest.max(second, both)?;
            first = forest.max(first, demand.said)?;
            let again = forest.and(closed, demand.unread)?;
            closed_twice = forest.or(closed_twice, again)?;
            closed = forest.or(closed, demand.unread)?;
        }
        let closing = forest.keep(closed, Diagram::number(Effect::Block as u8))?;
        let first = forest.max(first, closing)?;
        let mut once: BTreeMap<Term, Diagram> = BTreeMap::new();
        let mut redacted_twice: BTreeMap<Term, Diagram> = BTreeMap::new();
        for (class, at) in chart.demands.iter().flat_map(|demand| &demand.redacts) {
            let before = once.entry(class.clone()).or_insert(Diagram::NEVER);
            let again = forest.and(*before, *at)?;
            *before = forest.or(*before, *at)?;
            let twice = redacted_twice.entry(class.clone()).or_insert(Diagram::NEVER);
            *twice = forest.or(*twice, again)?;
        }
        let base = forest.keep(chart.unforeseen, chart.posture)?;
        let stopped = forest.keep(chart.stopped, Diagram::number(Effect::Block as u8))?;
        let others = forest.max(first, stopped)?;
        let matters = forest.less(others, chart.posture)?;
        let matters = forest.and(matters, chart.speaks)?;
        let matters = forest.without(matters, chart.unforeseen)?;
        let foreseeing_matters = forest.and(matters, chart.possible)?;
        let covered_twice = BTreeMap::new();
        Ok(Self { diagrams, policy, at, second, closed_twice, base, redacted_twice, foreseeing_matters, covered_twice })
    }

    fn one(&mut self, one: &One<'_>, world: &World) -> Result<Vec<Finding>, TooLarge> {
        let region = if one.rule.raises() { self.raising(one)? } else { self.allowing(one)? };
        // A rule that applies only where somebody could not be told is not what was meant.
        let known = self.known(one)?;
        if self.diagrams.both(region, known)?.never() {
            return Ok(vec![self.nothing(one, known, world)?]);
        }
        let mut findings = self.idle_unless(one, region)?;
        if let Some(overruled) = self.overruled(one, region)? {
            findings.push(overruled);
            return Ok(findings);
        }
        let detected = self.policy.clause(&one.rule.clause).is_some_and(|clause| clause.mode == Mode::Detected);
        // A cell says what holds in its place, also where another one says the same; a clause that is only detected
        // reports and decides nothing.
        if !one.place.cell && !detected && !self.matters(one)? {
            findings.push(self.dead(one, region)?);
        }
        Ok(findings)
    }

    /// Where everything is known of which the rule does not say `unknown` itself.
    fn known(&mut self, one: &One<'_>) -> Result<Diagram, TooLarge> {
        let keys = std::iter::once(&one.rule.keys).chain(&one.rule.unless).flat_map(|keys| &keys.tests);
        let named = keys.filter(|key| names_unknown(key)).map(|key| key.dimension).collect();
        told(self.diagrams, &named)
    }

    /// Where a rule that raises applies to what was read.
    fn raising(&mut self, one: &One<'_>) -> Result<Diagram, TooLarge> {
        let read = self.diagrams.chart(0).and_then(|chart| chart.demands.get(one.number)).map(|demand| demand.read);
        self.possible(read)
    }

    /// Where a variant of the lens applies.
    fn variant(&mut self, place: Option<usize>) -> Result<Diagram, TooLarge> {
        let chart = self.diagrams.chart(1);
        let read = place.and_then(|place| chart.and_then(|chart| chart.demands.get(place))).map(|demand| demand.read);
        self.possible(read)
    }

    fn possible(&mut self, set: Option<Diagram>) -> Result<Diagram, TooLarge> {
        let possible = self.diagrams.possible();
        self.diagrams.both(set.unwrap_or(Diagram::NEVER), possible)
    }

    /// Where all that is found is what a rule that only allows names, and some of it is present.
    fn allowing(&mut self, one: &One<'_>) -> Result<Diagram, TooLarge> {
        let mut region = self.variant(one.variants.named)?;
        let rows = self.rows_of(one);
        let any: Vec<Diagram> = rows.iter().map(|(_, applies)| *applies).collect();
        let any = self.diagrams.forest.any(any)?;
        region = self.diagrams.both(region, any)?;
        let covers = self.diagrams.chart(0).map(|chart| chart.covers.clone()).unwrap_or_default();
        for covered in covers.iter().filter(|covered| covered.bit != self.policy.layout.plain()) {
            let own = covered.among(&rows);
            let own = self.diagrams.forest.any(own)?;
            let open = self.diagrams.without(covered.lit, own)?;
            region = self.diagrams.without(region, open)?;
        }
        Ok(region)
    }

    /// The rows with which a rule foresees, by their places, and where they apply.
    fn rows_of(&self, one: &One<'_>) -> Vec<(usize, Diagram)> {
        let Some(chart) = self.diagrams.chart(0) else { return Vec::new() };
        let rows = self.policy.rows.foresee.iter().zip(&chart.foresee).enumerate();
        let own = rows.filter(|(_, (row, _))| usize::try_from(row.rule).is_ok_and(|rule| rule == one.number));
        own.map(|(place, (_, applies))| (place, *applies)).collect()
    }

    /// A rule that no possible situation meets: by its own keys, or because its `unless` leaves nothing.
    fn nothing(&mut self, one: &One<'_>, known: Diagram, world: &World) -> Result<Finding, TooLarge> {
        let bare = self.variant(one.variants.bare)?;
        let bare = self.diagrams.both(bare, known)?;
        if let Some(witness) = self.witness(bare)? {
            let text = format!("the `unless` of {} leaves nothing of it", one.word());
            let help = "narrow the `unless`, or take the rule out: a carve-out is narrower than its clause";
            let mut finding = one.finding(Code::WideUnless, text, help);
            finding.span = one.place.unless.first().copied().unwrap_or(one.place.span);
            finding.witness = Some(witness);
            return Ok(finding);
        }
        let keys = conflict(self.policy, one.rule, world)?;
        let all = keys.len() == one.rule.keys.tests.len();
        let names: BTreeSet<&str> = keys.iter().map(String::as_str).collect();
        let names: Vec<&str> = names.into_iter().collect();
        let why = match (names.as_slice(), all) {
            ([], _) => "its keys cannot hold together".to_owned(),
            ([one], _) if keys.len() > 1 => format!("its lines of {one} cannot hold together"),
            (names, true) => format!("{} cannot hold together", names.join(" and ")),
            (names, false) => format!("{} cannot hold with its other keys", names.join(" and ")),
        };
        let help = "correct the keys, or take it out";
        Ok(one.finding(Code::VacuousRule, format!("{} never applies: {why}", one.word()), help))
    }

    /// Sets of `unless` without which the rule would apply to the same situations.
    fn idle_unless(&mut self, one: &One<'_>, region: Diagram) -> Result<Vec<Finding>, TooLarge> {
        let mut findings = Vec::new();
        let alone = one.variants.bare.filter(|_| one.variants.without.is_empty());
        for (set, place) in one.variants.without.iter().copied().chain(alone).enumerate() {
            if self.variant(Some(place))? == region {
                let text = "this `unless` never meets its rule: without it, the rule applies to the same situations";
                let help = "correct its keys, or take it out";
                let mut finding = one.finding(Code::IdleUnless, text, help);
                finding.span = one.place.unless.get(set).copied().unwrap_or(one.place.span);
                findings.push(finding);
            }
        }
        Ok(findings)
    }

    /// A rule that asks for less than what always applies where it does: only of cells and of rules that allow.
    fn overruled(&mut self, one: &One<'_>, region: Diagram) -> Result<Option<Finding>, TooLarge> {
        let Some(chart) = self.diagrams.chart(0) else { return Ok(None) };
        if one.rule.raises() && !one.place.cell {
            return Ok(None);
        }
        let (effect, redacts) = (chart.text.effect, chart.text.redacts.values().copied().collect::<Vec<_>>());
        let above = match one.rule.then {
            _ if one.rule.redact => Effect::Block,
            Effect::Allow => Effect::Coach,
            Effect::Coach => Effect::Justify,
            Effect::Justify => Effect::Block,
            Effect::Block => return Ok(None),
        };
        let forest = &mut self.diagrams.forest;
        let mut stricter = forest.at_least(effect, above as u8)?;
        if one.rule.then == Effect::Allow && !one.rule.redact {
            let redacted = forest.any(redacts)?;
            stricter = forest.or(stricter, redacted)?;
        }
        if !forest.without(region, stricter)?.never() {
            return if one.place.cell { Ok(None) } else { self.overruled_class(one, region) };
        }
        let says = if one.rule.redact { "redact" } else { one.rule.then.as_str() };
        let (code, text, help, shown) = if one.place.cell {
            let text = format!("this cell says `{says}`, but what applies there is always stricter");
            (Code::OverruledCell, text, "write in the cell what applies, or narrow the stricter clause", region)
        } else if let Some(alone) = self.unforeseen(region)? {
            let text = "this rule calls something acceptable, but every prompt also contains `plain`, which nothing \
                        foresees there: the posture decides"
                .to_owned();
            (Code::OverruledAllow, text, "add `plain` to its `data`, or let another rule allow it", alone)
        } else {
            let text = "this rule calls something acceptable, but a stricter clause always decides there".to_owned();
            (Code::OverruledAllow, text, "take the rule out, or narrow the stricter clause", region)
        };
        let mut finding = one.finding(code, text, help);
        finding.witness = self.witness(shown)?;
        Ok(Some(finding))
    }

    /// A class that a rule names among those that it allows, and that always is decided more strictly. Cells are left
    /// out: `other` names classes that nobody wrote.
    fn overruled_class(&mut self, one: &One<'_>, region: Diagram) -> Result<Option<Finding>, TooLarge> {
        let effect = self.diagrams.chart(0).map_or(Diagram::NEVER, |chart| chart.text.effect);
        let stricter = self.diagrams.forest.at_least(effect, Effect::Coach as u8)?;
        let named = one.rule.keys.on(Dimension::Data).filter(|test| !test.not);
        let classes: BTreeSet<&Term> = named.into_iter().flat_map(|test| &test.values).filter_map(class).collect();
        for class in classes {
            let subject = Subject::Class(class.clone());
            let found =
                self.diagrams.having(&subject, |raw| matches!(raw, Raw::Found(found, _) if found.likely > 0))?;
            let found = self.diagrams.both(found, region)?;
            if !self.diagrams.any(found)? || !self.diagrams.without(found, stricter)?.never() {
                continue;
            }
            let text =
                format!("this rule calls `{class}` acceptable, but a stricter clause always decides about it there");
            let mut finding =
                one.finding(Code::OverruledAllow, text, "leave the class out, or narrow the stricter clause");
            finding.witness = self.witness(found)?;
            return Ok(Some(finding));
        }
        Ok(None)
    }

    /// Where the posture alone decides, if nothing foresees any of these situations.
    fn unforeseen(&mut self, region: Diagram) -> Result<Option<Diagram>, TooLarge> {
        let unforeseen = self.diagrams.chart(0).map_or(Diagram::NEVER, |chart| chart.unforeseen);
        let alone = alone(self.diagrams)?;
        let alone = self.diagrams.both(region, alone)?;
        let foreseen = self.diagrams.without(region, unforeseen)?;
        Ok((foreseen.never() && !alone.never()).then_some(alone))
    }

    /// Whether some effect or redaction would change without the rule.
    fn matters(&mut self, one: &One<'_>) -> Result<bool, TooLarge> {
        Ok(self.effect_matters(one)? || self.redaction_matters(one)? || self.foreseeing_matters(one)?)
    }

    fn effect_matters(&mut self, one: &One<'_>) -> Result<bool, TooLarge> {
        let Some(chart) = self.diagrams.chart(0) else { return Ok(true) };
        let Some(demand) = chart.demands.get(one.number) else { return Ok(true) };
        let (said, unread, opens, stopped) = (demand.said, demand.unread, demand.opens, chart.stopped);
        if self.diagrams.any(opens)? {
            return Ok(true);
        }
        let forest = &mut self.diagrams.forest;
        let alone = forest.less(self.second, said)?;
        // A rule that says what a default would do says why: only a stricter posture makes it dead, and not that others
        // fail closed.
        let milder = forest.less(said, self.base)?;
        let alone = forest.without(alone, milder)?;
        let closing = forest.without(unread, self.closed_twice)?;
        let closing = forest.without(closing, stopped)?;
        let alone = forest.or(alone, closing)?;
        self.diagrams.any(alone)
    }

    fn redaction_matters(&mut self, one: &One<'_>) -> Result<bool, TooLarge> {
        let Some(chart) = self.diagrams.chart(0) else { return Ok(true) };
        let Some(demand) = chart.demands.get(one.number) else { return Ok(true) };
        let (effect, redacts) = (chart.text.effect, demand.redacts.clone());
        let blocked = self.diagrams.forest.at_least(effect, Effect::Block as u8)?;
        for (class, at) in redacts {
            let twice = self.redacted_twice.get(&class).copied().unwrap_or(Diagram::NEVER);
            let alone = self.diagrams.without(at, twice)?;
            let alone = self.diagrams.without(alone, blocked)?;
            if self.diagrams.any(alone)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn foreseeing_matters(&mut self, one: &One<'_>) -> Result<bool, TooLarge> {
        let rows = self.rows_of(one);
        let covers = self.diagrams.chart(0).map(|chart| chart.covers.clone()).unwrap_or_default();
        for (place, covered) in covers.iter().enumerate() {
            let own = covered.among(&rows);
            if own.is_empty() {
                continue;
            }
            let own = self.diagrams.forest.any(own)?;
            let twice = self.covered_twice(place, &covered.rows)?;
            let alone = self.diagrams.without(own, twice)?;
            let alone = self.diagrams.both(alone, covered.lit)?;
            if !self.diagrams.both(alone, self.foreseeing_matters)?.never() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Where the rows of several rules cover a bit.
    fn covered_twice(&mut self, place: usize, rows: &[usize]) -> Result<Diagram, TooLarge> {
        if let Some(known) = self.covered_twice.get(&place) {
            return Ok(*known);
        }
        let foresee = self.diagrams.chart(0).map(|chart| chart.foresee.clone()).unwrap_or_default();
        let mut by_rule: BTreeMap<u32, Diagram> = BTreeMap::new();
        for row in rows {
            if let (Some(of), Some(applies)) = (self.policy.rows.foresee.get(*row), foresee.get(*row)) {
                let all = by_rule.entry(of.rule).or_insert(Diagram::NEVER);
                *all = self.diagrams.either(*all, *applies)?;
            }
        }
        let (mut once, mut twice) = (Diagram::NEVER, Diagram::NEVER);
        for applies in by_rule.into_values() {
            let again = self.diagrams.both(once, applies)?;
            twice = self.diagrams.either(twice, again)?;
            once = self.diagrams.either(once, applies)?;
        }
        self.covered_twice.insert(place, twice);
        Ok(twice)
    }

    fn dead(&mut self, one: &One<'_>, region: Diagram) -> Result<Finding, TooLarge> {
        let text = if one.rule.raises() {
            "this rule changes nothing: wherever it applies, other clauses are at least as strict"
        } else {
            "this rule changes nothing: what it allows is foreseen without it, or decided by stricter clauses"
        };
        let help = "take it out, or narrow the clauses that say the same";
        let mut finding = one.finding(Code::DeadRule, text, help);
        finding.witness = self.witness(region)?;
        Ok(finding)
    }

    fn witness(&mut self, set: Diagram) -> Result<Option<Witness>, TooLarge> {
        Witness::in_set(self.diagrams, self.policy, set, self.at)
    }
}

const fn class(value: &KeyValue) -> Option<&Term> {
    match value {
        KeyValue::Class { class, .. } => Some(class),
        _ => None,
    }
}

/// Where everything could be told that is a risk where it cannot: but for some dimensions.
fn told(diagrams: &mut Diagrams<'_>, but: &BTreeSet<Dimension>) -> Result<Diagram, TooLarge> {
    let mut known = Diagram::ALWAYS;
    for dimension in Dimension::ALL.iter().filter(|it| it.spec().unknown == Unknown::Risk && !but.contains(it)) {
        let told = match dimension {
            Dimension::Group => diagrams.having(&Subject::Directory, |raw| *raw == Raw::Yes)?,
            other => diagrams.having(&Subject::One(*other), |raw| !is_unknown(*other, raw))?,
        };
        known = diagrams.both(known, told)?;
    }
    Ok(known)
}

/// Whether a key names the value `unknown`.
fn names_unknown(key: &KeyTest) -> bool {
    key.values.iter().any(|value| match value {
        KeyValue::Closed(index) => is_unknown(key.dimension, &Raw::Closed(*index)),
        KeyValue::Open(name) => name.unknown(),
        _ => false,
    })
}

fn is_unknown(dimension: Dimension, raw: &Raw) -> bool {
    match (raw, dimension.spec().values) {
        (Raw::Closed(index), Values::Closed(values)) => {
            values.get(usize::from(*index)).is_some_and(|value| value.name == Term::UNKNOWN.as_str())
        }
        (Raw::Name(name), _) => name.unknown(),
        _ => false,
    }
}

/// The keys of a rule that never applies without any one of which it would.
fn conflict(policy: &Policy, rule: &Rule, world: &World) -> Result<Vec<String>, TooLarge> {
    let raised = |keys: Keys| Rule { keys, unless: Vec::new(), then: Effect::Block, redact: false, ..rule.clone() };
    let lacking = |left_out: usize| {
        let others = rule.keys.tests.iter().enumerate().filter(|(place, _)| *place != left_out);
        raised(Keys { tests: others.map(|(_, test)| test.clone()).collect() })
    };
    let variants: Vec<Rule> = (0..rule.keys.tests.len()).map(lacking).chain([raised(rule.keys.clone())]).collect();
    let variants = lens::of_rules(policy.model(), variants)?;
    let mut diagrams = Diagrams::of(&[&variants], world)?;
    let known = told(&mut diagrams, &BTreeSet::new())?;
    let regions: Vec<Diagram> =
        diagrams.chart(0).map(|chart| chart.demands.iter().map(|demand| demand.read).collect()).unwrap_or_default();
    let mut holds = Vec::new();
    for region in regions {
        let region = diagrams.both(region, known)?;
        holds.push(diagrams.any(region)?);
    }
    // Read as in a rule that raises the keys may hold together all the same: then nothing can be said.
    if holds.pop() != Some(false) {
        return Ok(Vec::new());
    }
    let keys = rule.keys.tests.iter().zip(holds).filter(|(_, holds)| *holds);
    Ok(keys.map(|(test, _)| format!("`{}`", test.dimension.key())).collect())
}
