//! What the analyser says, held against every situation of small policies.

use writ_base::{ContentHash, Moment};
use writ_model::standing::{ExceptionGrant, ExceptionId};
use writ_model::verdict::Base;
use writ_model::{Action, Effect, Facts, Mode, Signal, Term, Value as _};

use crate::assertion::{Assertion, Claim};
use crate::check::{Parsed, RulePlace, parse};
use crate::diagnostic::Code;
use crate::diagram::{Diagrams, World};
use crate::eval::testing::{Seeded, arbitrary, arbitrary_keys, arbitrary_standing, blank};
use crate::eval::{Policy, Standing, explain};
use crate::rule::{KeyValue, Keys, PolicyModel};

use super::baseline::is_weaker;
use super::gaps::only_posture;
use super::{Capability, Finding, Outcome, analyse, needs, prove, prove_with, report, weaker};

const AT: Moment = Moment::from_seconds(1_200);

fn compiled(model: &PolicyModel) -> Policy {
    Policy::compile(model.clone(), ContentHash::default()).unwrap()
}

/// How many policies a test looks at: so many, or so many times `WRIT_TIMES`.
fn times(count: usize) -> usize {
    let asked = std::env::var("WRIT_TIMES").ok().and_then(|text| text.parse::<usize>().ok());
    count * asked.unwrap_or(1)
}

/// A policy without sense, of few dimensions, so that each situation can be looked at.
fn simple(random: &mut Seeded, rules: usize) -> PolicyModel {
    use writ_model::Dimension::{Action, Cleared, Data, Group, Level, Signal, Status, Who};
    let mut model = arbitrary(random, rules);
    model.classes.retain(|name, _| name == "phi" || name == "pii");
    model.clauses.iter_mut().for_each(|clause| clause.mode = Mode::Enforced);
    let asked = [Who, Status, Action, Group, Signal, Data, Cleared, Level];
    let plainer = |keys: &mut Keys, most: usize| {
        keys.tests.retain(|test| asked.contains(&test.dimension));
        for value in keys.tests.iter_mut().flat_map(|test| &mut test.values) {
            if let KeyValue::Class { class, .. } = value
                && !model.classes.contains_key(class)
            {
                *class = Term::fixed("phi");
            }
        }
        keys.tests.truncate(most);
    };
    for rule in &mut model.rules {
        plainer(&mut rule.keys, 2);
        rule.unless.truncate(1);
        rule.unless.iter_mut().for_each(|keys| plainer(keys, 1));
        rule.unless.retain(|keys| !keys.tests.is_empty());
    }
    model
}

/// Every possible situation that policies can tell apart; nothing if there are too many to look at each.
fn every_situation(policies: &[&Policy], most: f64) -> Option<Vec<Facts>> {
    let widths = crate::diagram::Space::of(policies, &World::default(), crate::diagram::usual_order).widths();
    if widths.iter().map(|width| f64::from(*width)).product::<f64>() > most {
        return None;
    }
    let diagrams = Diagrams::of(policies, &World::default()).unwrap();
    let widths = diagrams.space.widths();
    let all: usize = widths.iter().map(|width| usize::from(*width)).product();
    let point = |mut number: usize| -> Vec<u16> {
        let digit = |width: &u16| {
            let digit = number % usize::from(*width);
            number /= usize::from(*width);
            u16::try_from(digit).unwrap()
        };
        widths.iter().map(digit).collect()
    };
    let points = (0..all).map(point).filter(|point| diagrams.forest.at(diagrams.possible(), point) > 0);
    Some(points.map(|point| diagrams.space.facts(&point, AT)).collect())
}

/// Policies small enough to look at every situation.
fn small(salt: u64, count: usize, rules: usize, mut each: impl FnMut(u64, &PolicyModel, &Policy, &[Facts])) {
    let (mut seed, mut done) = (0, 0);
    while done < times(count) {
        seed += 1;
        let model = simple(&mut Seeded::new(seed ^ salt), rules);
        let policy = compiled(&model);
        let Some(facts) = every_situation(&[&policy], 1_500.0) else { continue };
        done += 1;
        each(seed, &model, &policy, &facts);
    }
}

/// Effect, and redactions where something goes on.
fn outcome(policy: &Policy, facts: &Facts) -> (Effect, Vec<Term>) {
    let full = policy.decide(facts).full;
    let redact = if full.effect == Effect::Block { Vec::new() } else { full.redact.into_iter().collect() };
    (full.effect, redact)
}

#[test]
fn dead_and_vacuous_rules_are_those_that_change_nothing() {
    let (mut dead, mut vacuous, mut lively) = (0, 0, 0);
    small(0xDEAD, 60, 4, |seed, model, policy, situations| {
        let analysis = analyse(policy, &[], &[], &World::default(), AT).unwrap();
        for (place, rule) in model.rules.iter().enumerate() {
            let name = Some((rule.clause.clone(), rule.number));
            let found: Vec<Code> =
                analysis.findings.iter().filter(|it| it.rule == name).map(|finding| finding.code).collect();
            let mut without = model.clone();
            without.rules.remove(place);
            let without = compiled(&without);
            let changes = situations.iter().any(|facts| outcome(policy, facts) != outcome(&without, facts));
            let applies = situations.iter().filter(|facts| told(rule, facts)).any(|facts| {
                let applied = explain(policy, facts).applied;
                applied.iter().any(|it| {
                    (&it.clause, it.rule) == (&rule.clause, rule.number) && (!it.unread || !it.keys.is_empty())
                })
            });
            if rule.raises() && (found.contains(&Code::VacuousRule) || found.contains(&Code::WideUnless)) {
                vacuous += 1;
                assert!(!applies, "seed {seed}, rule {place}: {rule:#?}");
            } else if rule.raises() {
                assert!(applies, "seed {seed}, rule {place} applies to nothing: {rule:#?}");
            }
            if found.contains(&Code::DeadRule) {
                dead += 1;
                assert!(!changes, "seed {seed}, rule {place}: {rule:#?}");
            } else if found.is_empty() && rule.raises() {
                lively += 1;
                // It changes something, or only a default would do the same.
                let alone = situations.iter().any(|facts| {
                    let decided = policy.decide(facts).full.decided;
                    let own = decided.iter().any(|it| (&it.clause, it.rule) == (&rule.clause, rule.number));
                    // Rules that only fail closed are a default as well.
                    let applied = explain(policy, facts).applied;
                    let only_closed = |it: &&writ_model::verdict::Cause| {
                        applied.iter().any(|other| (&other.clause, other.rule) == (&it.clause, it.rule) && other.unread)
                    };
                    let others = decided.iter().filter(|it| it.rule != 0 && !only_closed(it));
                    own && others.filter(|it| (&it.clause, it.rule) != (&rule.clause, rule.number)).count() == 0
                });
                assert!(changes || alone || !rule.fail_closed, "seed {seed}, rule {place}: {rule:#?}");
            }
        }
        for finding in &analysis.findings {
            if let Some(witness) = &finding.witness {
                assert_eq!(witness.decision, policy.decide(&witness.facts));
            }
        }
    });
    assert!(dead > 5 && vacuous > 0 && lively > 20, "{dead} dead, {vacuous} vacuous, {lively} lively");
}

/// Whether nothing is unknown of which the rule does not say so itself.
fn told(rule: &crate::rule::Rule, facts: &Facts) -> bool {
    let keys = || std::iter::once(&rule.keys).chain(&rule.unless).flat_map(|keys| &keys.tests);
    let who =
        keys().any(|key| key.dimension == writ_model::Dimension::Who && key.values.contains(&KeyValue::Closed(5)));
    let unknown = KeyValue::Open(Term::UNKNOWN);
    let group = keys().any(|key| key.dimension == writ_model::Dimension::Group && key.values.contains(&unknown));
    let groups = matches!(facts.group.known(), Some(writ_model::facts::Groups::Known(_)));
    (who || facts.who.known() != Some(&writ_model::Who::Unknown)) && (group || groups)
}

#[test]
fn gaps_are_what_only_the_posture_decides() {
    let mut gaps = 0;
    small(0x6A9, 60, 4, |seed, _, policy, situations| {
        let analysis = analyse(policy, &[], &[], &World::default(), AT).unwrap();
        let any = situations.iter().any(|facts| only_posture(&policy.decide(facts).full));
        assert_eq!(any, !analysis.gaps.none(), "seed {seed}");
        for gap in &analysis.gaps.rows {
            gaps += 1;
            let full = policy.decide(&gap.witness.facts).full;
            assert!(only_posture(&full) && full.base == Base::Posture(gap.effect), "seed {seed}: {gap:#?}");
            assert_eq!(full, gap.witness.decision.full);
        }
    });
    assert!(gaps > 30, "{gaps}");
}

#[test]
fn a_policy_is_weaker_where_some_situation_is() {
    let (mut done, mut weak, mut seed) = (0, 0, 0);
    while done < times(40) {
        seed += 1;
        let mut random = Seeded::new(seed ^ 0xBA5E);
        let (one, other) = (simple(&mut random, 3), simple(&mut random, 3));
        let (one, other) = (compiled(&one), compiled(&other));
        let Some(situations) = every_situation(&[&one, &other], 1_500.0) else { continue };
        done += 1;
        let compared = weaker(&one, &other, &World::default(), AT).unwrap();
        let any = situations.iter().any(|facts| is_weaker(&one.decide(facts).full, &other.decide(facts).full));
        assert_eq!(any, !compared.none(), "seed {seed}");
        weak += usize::from(any);
        for row in &compared.rows {
            let (own, base) = (one.decide(&row.witness.facts).full, other.decide(&row.witness.facts).full);
            assert!(is_weaker(&own, &base), "seed {seed}: {row:#?}");
            assert_eq!((&own, &base), (&row.witness.decision.full, &row.baseline));
        }
    }
    assert!(weak > 20 && weak < done, "{weak} of {done}");
    let policy = compiled(&arbitrary(&mut Seeded::new(1), 12));
    assert!(weaker(&policy, &policy, &World::default(), AT).unwrap().none());
}

/// An assertion without sense.
fn assertion(random: &mut Seeded) -> Assertion {
    use writ_model::Dimension::{Action, Group, Signal, Status, Who};
    let mut keys = arbitrary_keys(random, 20);
    keys.tests.retain(|test| [Who, Status, Action, Group, Signal].contains(&test.dimension));
    keys.tests.truncate(2);
    let class = random.pick(&["phi", "pii"], "phi");
    let whole = KeyValue::Class { class: Term::fixed(class), band: None, certainty: None };
    let claim = match random.below(4) {
        0 => Claim::NeverPasses(vec![KeyValue::Plain]),
        1 => Claim::NeverPasses(vec![whole]),
        _ => Claim::AtLeast(random.pick(&[Effect::Coach, Effect::Justify, Effect::Block], Effect::Coach)),
    };
    Assertion { clause: None, text: String::new(), keys, claim, read_only: random.chance(40) }
}

/// Whether a verdict breaks an assertion, word by word.
fn breaks(assertion: &Assertion, model: &PolicyModel, facts: &Facts, verdict: &writ_model::Verdict) -> bool {
    let mut keys = assertion.keys.clone();
    let passing = matches!(assertion.claim, Claim::NeverPasses(_));
    if passing && keys.on(writ_model::Dimension::Action).is_none() {
        let leaving = [Action::Submit, Action::Upload, Action::ToolCall, Action::Tunnel];
        let values = leaving.map(|action| KeyValue::Closed(action as u8)).to_vec();
        keys.tests.push(crate::rule::KeyTest { dimension: writ_model::Dimension::Action, not: false, values });
    }
    let signals = facts.signal.known().unwrap();
    let unread = facts.action.known() == Some(&Action::Tunnel)
        || signals.iter().any(|signal: Signal| matches!(signal.family(), "opaque" | "malformed"))
        || !facts.unreadable.known().unwrap().is_empty();
    let situation = meant(&keys, model, facts) && !(assertion.read_only && unread);
    situation
        && match &assertion.claim {
            Claim::AtLeast(effect) => verdict.effect < *effect,
            Claim::NeverPasses(values) => {
                let class = |value: &KeyValue| match value {
                    KeyValue::Class { class, .. } => {
                        let found = facts.data.known().unwrap().get(class).is_some_and(|found| found.likely > 0);
                        found && !verdict.redact.contains(class)
                    }
                    _ => true,
                };
                verdict.effect < Effect::Block && (unread || values.iter().any(class))
            }
        }
}

/// Whether the keys hold, read as in a rule that raises, by the reference evaluator.
fn meant(keys: &Keys, model: &PolicyModel, facts: &Facts) -> bool {
    let clause = Term::fixed("asked");
    let rule = crate::rule::Rule { keys: keys.clone(), then: Effect::Block, ..blank(clause.clone(), 1) };
    let model = PolicyModel { rules: vec![rule], postures: Default::default(), ..model.clone() };
    // Content that could not be read has rows of its own; here only what the keys mean is asked.
    let facts = Facts { unreadable: writ_model::Set::EMPTY.into(), ..facts.clone() };
    let decision = crate::eval::reference::decide(&model, &Standing::default(), &facts);
    let own = |cause: &writ_model::verdict::Cause| cause.clause == clause && cause.effect == Effect::Block;
    decision.full.decided.iter().any(own) && !decision.full.unreadable
}

#[test]
fn assertions_hold_where_no_situation_breaks_them() {
    let (mut done, mut failing, mut holding, mut not_yet, mut seed) = (0, 0, 0, 0, 0);
    while done < times(60) {
        seed += 1;
        let mut random = Seeded::new(seed ^ 0xA55E);
        let mut model = simple(&mut random, 3);
        let assertion = assertion(&mut random);
        model.assertions.push(assertion.clone());
        let mut standing = arbitrary_standing(&mut random);
        standing.exceptions.retain(|_| random.chance(30));
        for exception in &mut standing.exceptions {
            exception.keys =
                Keys { tests: model.rules.first().map(|rule| rule.keys.tests.clone()).unwrap_or_default() };
            (exception.grant.from, exception.grant.until) = (Moment::from_seconds(0), Moment::from_seconds(9_000));
        }
        let policy = compiled(&model).with_resolved(standing).unwrap();
        // A policy that tells apart what the assertion asks.
        let asked = PolicyModel {
            rules: vec![
                crate::rule::Rule { keys: assertion.keys.clone(), then: Effect::Block, ..blank(Term::fixed("x"), 1) },
                crate::rule::Rule { keys: everything(), then: Effect::Block, ..blank(Term::fixed("x"), 2) },
            ],
            ..model.clone()
        };
        let Some(situations) = every_situation(&[&policy, &compiled(&asked)], 3_000.0) else { continue };
        done += 1;
        let proof = prove(&policy, &World::default(), AT).unwrap();
        assert!(proof.above_the_text.is_none(), "seed {seed}");
        let proved = &proof.assertions[0];
        let broken = |full: bool| {
            situations.iter().any(|facts| {
                let decision = policy.decide(facts);
                breaks(&assertion, &model, facts, if full { &decision.full } else { &decision.enforced })
            })
        };
        match &proved.outcome {
            Outcome::Holds => {
                holding += 1;
                assert!(!broken(true), "seed {seed}: {assertion:#?}\n{model:#?}");
                assert_eq!(broken(false), proved.not_yet.is_some(), "seed {seed}: {assertion:#?}");
            }
            Outcome::Fails { witness, regions } => {
                failing += 1;
                let decision = policy.decide(&witness.facts);
                assert!(breaks(&assertion, &model, &witness.facts, &decision.full), "seed {seed}: {witness:#?}");
                assert!(decision == witness.decision && !regions.is_empty());
            }
        }
        if let Some(late) = &proved.not_yet {
            not_yet += 1;
            let decision = policy.decide(&late.witness.facts);
            assert!(breaks(&assertion, &model, &late.witness.facts, &decision.enforced), "seed {seed}");
            assert!(!late.because.is_empty(), "seed {seed}: {late:#?}");
            assert!(late.from.is_some_and(|from| from > AT), "seed {seed}: {late:#?}");
        }
    }
    assert!(failing > 10 && holding > 5, "{failing} fail, {holding} hold, {not_yet} not yet");
}

/// Keys that tell everything apart that is asked of content.
fn everything() -> Keys {
    use crate::rule::KeyTest;
    use writ_model::Dimension;
    let content = |signal: &&Signal| matches!(signal.family(), "opaque" | "malformed");
    let opaque = Signal::ALL.iter().filter(content).map(|signal| KeyValue::Closed(*signal as u8)).collect();
    let classes = ["phi", "pii"];
    let data = classes.map(|class| KeyValue::Class { class: Term::fixed(class), band: None, certainty: None });
    Keys {
        tests: vec![
            KeyTest { dimension: Dimension::Signal, not: false, values: opaque },
            KeyTest { dimension: Dimension::Data, not: false, values: data.to_vec() },
        ],
    }
}

#[test]
fn cells_are_not_dead() {
    let mut model = arbitrary(&mut Seeded::new(4), 6);
    let twice = model.rules[0].clone();
    model.rules.push(twice);
    let policy = compiled(&model);
    let cells = vec![RulePlace { cell: true, ..RulePlace::default() }; model.rules.len()];
    let analysis = analyse(&policy, &cells, &[], &World::default(), AT).unwrap();
    assert!(analysis.findings.iter().all(|finding| finding.code != Code::DeadRule));
}

/// A document with this body and nothing else to be said of it.
fn parsed(body: &str) -> Parsed {
    let front = "---\nwrit: 1\nlanguage: en\nposture: employee coach, other block\n---\n";
    let unread = "## 9 Unread {#unread}\n\n```rule\nsignal: opaque\nthen: block\n```\n";
    let parsed = parse(&format!("{front}\n## 1 Rules {{#rules}}\n\n{body}\n\n{unread}"));
    assert_eq!(parsed.diagnostics, [], "{body}");
    parsed
}

/// What the analyser finds in a document: code, and the line of the body that it is about.
fn findings(body: &str) -> Vec<(Code, String)> {
    let parsed = parsed(body);
    let policy = Policy::compile(parsed.model.clone().unwrap(), parsed.hash).unwrap();
    let before =
        "---\nwrit: 1\nlanguage: en\nposture: employee coach, other block\n---\n\n## 1 Rules {#rules}\n\n".len();
    let line = |finding: &Finding| {
        let start = finding.span.start.saturating_sub(before);
        body.get(start..).and_then(|rest| rest.lines().next()).unwrap_or_default().to_owned()
    };
    let report = report(&policy, &parsed, &World::default(), AT);
    report.findings.iter().map(|finding| (finding.code, line(finding))).collect()
}

fn found(body: &str, code: Code, line: &str) {
    let findings = findings(body);
    assert!(findings.iter().any(|(found, at)| *found == code && at.starts_with(line)), "{findings:?}");
}

const PLAIN: &str = "```rule\ndata: plain\nthen: allow\n```\n\n";

#[test]
fn an_allow_is_overruled_by_one_clause_or_by_several_together() {
    let allow = "```rule\ndata: pii\nthen: allow\n```";
    let block = |keys: &str| format!("\n\n```rule\ndata: pii\n{keys}then: block\n```");
    let (people, others) = (block("who: employee, contractor\n"), block("who: not employee, contractor\n"));
    found(&format!("{PLAIN}{allow}{}", block("")), Code::OverruledAllow, "```rule");
    found(&format!("{PLAIN}{allow}{people}{others}"), Code::OverruledAllow, "```rule");
    assert_eq!(findings(&format!("{PLAIN}{allow}{people}")), []);
}

#[test]
fn an_allow_that_names_one_class_too_many_is_overruled_for_that_class() {
    let allow = "```rule\ndata: plain, contact, pii\nthen: allow\n```\n\n";
    let redact = "```rule\ndata: contact\nthen: redact\n```";
    found(&format!("{allow}```rule\ndata: pii\nthen: block\n```"), Code::OverruledAllow, "```rule");
    assert_eq!(findings(&format!("{allow}{redact}")), [], "it may go, without the details");
    assert_eq!(findings(&format!("{allow}```rule\ndata: pii (bulk)\nthen: block\n```")), []);
}

#[test]
fn an_allow_without_plain_says_that_the_posture_decides() {
    let parsed = parsed("```rule\ndata: pii\nthen: allow\n```");
    let policy = Policy::compile(parsed.model.clone().unwrap(), parsed.hash).unwrap();
    let report = report(&policy, &parsed, &World::default(), AT);
    let finding = &report.findings[0];
    assert_eq!(finding.code, Code::OverruledAllow);
    assert!(finding.message.contains("`plain`") && finding.help.contains("`plain`"), "{}", finding.message);
}

#[test]
fn a_cell_is_overruled_and_an_equally_strict_one_is_not() {
    let table = |cell: &str| {
        format!(
            "| What | approved | other |\n|---|---|---|\n| plain | allow | coach |\n| phi | {cell} | block |\n| other | allow | block |\n\nRule table: data by status.\n\n"
        )
    };
    let block = "```rule\ndata: phi\nthen: block\n```";
    for cell in ["allow", "coach", "redact", "justify"] {
        found(&format!("{}{block}", table(cell)), Code::OverruledCell, cell);
    }
    let cells = findings(&format!("{}{block}", table("block")));
    assert!(cells.iter().all(|(code, _)| *code == Code::DeadRule), "{cells:?}");
}

#[test]
fn an_unless_leaves_something_and_meets_its_rule() {
    let rule = |unless: &str| format!("```rule\nwho: contractor\ndata: pii\nthen: block\nunless:\n{unless}```");
    found(&rule("  - who contractor\n"), Code::WideUnless, "who contractor");
    found(&rule("  - status approved\n  - status not approved\n"), Code::WideUnless, "status approved");
    found(&rule("  - who employee\n"), Code::IdleUnless, "who employee");
    found(
        &rule("  - status approved\n  - status approved, channel ide\n"),
        Code::IdleUnless,
        "status approved, channel ide",
    );
    assert_eq!(findings(&rule("  - status approved\n  - channel ide\n")), []);
}

#[test]
fn the_unless_of_a_caption_is_idle_only_if_it_meets_no_cell() {
    let table = |unless: &str| {
        format!(
            "| What | approved | other |\n|---|---|---|\n| plain | allow | coach |\n| other | justify | block |\n\nRule table: data by status. Unless: {unless}."
        )
    };
    assert_eq!(findings(&table("status approved, channel ide")), []);
    let wide = findings(&table("status approved"));
    assert_eq!(wide.iter().map(|(code, _)| *code).collect::<Vec<_>>(), [Code::WideUnless], "said once");
    let idle = findings(&table("status approved, data phi, action receive"));
    assert_eq!(idle.iter().map(|(code, _)| *code).collect::<Vec<_>>(), [Code::IdleUnless], "said once");
}

#[test]
fn a_row_that_other_rules_decide_only_in_part_is_missed() {
    let table = "| What | approved | other |\n|---|---|---|\n| plain | allow | coach |\n| contact, pii, special-category, phi, payment, financial, source-code, trade-secret, strategic, privileged, export-controlled | redact | block |\n\nRule table: data by status.\n\n";
    let keys = |keys: &str| format!("{table}```rule\ndata: credentials\n{keys}then: block\n```");
    found(&keys("action: upload\n"), Code::IncompleteTable, "Rule table");
    found(&keys("cleared: no\n"), Code::IncompleteTable, "Rule table");
    assert_eq!(findings(&keys("")), []);
    let halves =
        format!("{}\n\n```rule\ndata: credentials\nstatus: approved\nthen: block\n```", keys("status: not approved\n"));
    assert_eq!(findings(&halves), [], "two rules decide it together");
}

#[test]
fn keys_that_cannot_hold_together_are_named() {
    let said = |keys: &str| -> String {
        let parsed = parsed(&format!("```rule\n{keys}\nthen: block\n```"));
        let policy = Policy::compile(parsed.model.clone().unwrap(), parsed.hash).unwrap();
        report(&policy, &parsed, &World::default(), AT).findings[0].message.clone()
    };
    let never = "this rule never applies: ";
    assert_eq!(said("action: tunnel\ndata: pii"), format!("{never}`action` and `data` cannot hold together"));
    assert_eq!(said("data: pii\ndata: not pii"), format!("{never}its lines of `data` cannot hold together"));
    let three = said("who: agent\naction: tunnel\ndata: pii");
    assert_eq!(three, format!("{never}`action` and `data` cannot hold with its other keys"));
}

#[test]
fn a_cell_that_cannot_be_is_a_fault_only_with_its_whole_row_or_column() {
    let table = |caption: &str| {
        format!(
            "| What | public | restricted |\n|---|---|---|\n| plain | coach | coach |\n| phi | justify | block |\n\nRule table: data by level. {caption}"
        )
    };
    let codes = |body: &str| -> Vec<Code> {
        let parsed = parse(&format!("---\nwrit: 1\nlanguage: en\n---\n\n## 1 Rules {{#rules}}\n\n{body}\n"));
        let policy = Policy::compile(parsed.model.clone().unwrap(), parsed.hash).unwrap();
        report(&policy, &parsed, &World::default(), AT).findings.iter().map(|finding| finding.code).collect()
    };
    assert!(!codes(&table("Status: approved.")).contains(&Code::VacuousRule), "phi is never public");
    assert!(codes(&table("Action: tunnel.")).contains(&Code::VacuousRule), "a tunnel shows no phi and no level");
}

fn grant(clause: &'static str, keys: &[(&str, &str)], days: u64) -> ExceptionGrant {
    let from = Moment::from_seconds(1_000);
    ExceptionGrant {
        id: ExceptionId::from_bytes([1; 16]),
        clause: Term::fixed(clause),
        keys: keys.iter().map(|(key, values)| ((*key).to_owned(), (*values).to_owned())).collect(),
        owner: "owner".to_owned(),
        reason: "reason".to_owned(),
        compensating_control: "control".to_owned(),
        approved_by: "deputy".to_owned(),
        from,
        until: from.after(std::time::Duration::from_secs(days * 86_400)),
    }
}

fn beside(body: &str, grant: ExceptionGrant) -> Vec<Finding> {
    let parsed = parsed(body);
    let policy = Policy::compile(parsed.model.clone().unwrap(), parsed.hash).unwrap();
    let policy = policy.with_standing(vec![grant], Vec::new()).unwrap();
    report(&policy, &parsed, &World::default(), AT).findings
}

#[test]
fn an_exception_changes_nothing_where_its_clause_is_silent() {
    let rule = "```rule\nwho: contractor\ndata: phi\nthen: block\n```";
    let keys = [("who", "contractor")];
    let wide = beside(rule, grant("rules", &keys, 30));
    assert_eq!(wide.iter().map(|finding| finding.code).collect::<Vec<_>>(), [Code::WideException]);
    let witness = wide[0].witness.as_ref().unwrap();
    assert_eq!(witness.decision.full.effect, Effect::Allow, "the posture would have stopped it");
    let foreseen = format!("{rule}\n\n## 2 Plain {{#plain}}\n\n{PLAIN}");
    assert_eq!(beside(&foreseen, grant("rules", &keys, 30)), []);
}

#[test]
fn an_exception_lasts_no_longer_than_its_process_says() {
    let rule = format!("{PLAIN}```rule\ndata: phi\nthen: block\n```");
    let process = format!(
        "{rule}\n\n```control exception-process\napproves: clause owner\nlimit: 90 days\nevidence: register\n```"
    );
    let codes = |body: &str, days: u64| -> Vec<Code> {
        beside(body, grant("rules", &[], days)).iter().map(|finding| finding.code).collect()
    };
    assert_eq!(codes(&process, 90), []);
    assert_eq!(codes(&process, 91), [Code::ExceptionTooLong]);
    assert_eq!(codes(&rule, 366), []);
    assert_eq!(codes(&rule, 367), [Code::ExceptionTooLong]);
}

#[test]
fn an_assertion_is_proved_with_an_exception_before_it_is_granted() {
    let body = format!(
        "{PLAIN}```rule\ndata: phi\nthen: block\n```\n\n```prove\nnever: status approved, passes phi, in what is read\n```"
    );
    let parsed = parsed(&body);
    let policy = Policy::compile(parsed.model.clone().unwrap(), parsed.hash).unwrap();
    assert!(prove(&policy, &World::default(), AT).unwrap().holds());
    let holds = |grant| prove_with(&policy, grant, &World::default(), AT).unwrap().unwrap().holds();
    assert!(!holds(grant("rules", &[("status", "approved")], 30)));
    assert!(holds(grant("rules", &[("status", "in-review")], 30)));
    assert!(prove_with(&policy, grant("nowhere", &[], 30), &World::default(), AT).is_err());
}

#[test]
fn a_clause_loses_what_rests_on_an_absent_part() {
    let lost = |keys: &str, without: Capability| -> Vec<u16> {
        let parsed =
            parsed(&format!("```rule\n{keys}\nthen: block\n```\n\n```rule\ndata: contact (bulk)\nthen: block\n```"));
        let policy = Policy::compile(parsed.model.unwrap(), parsed.hash).unwrap();
        let needs = needs(&policy, &World::default(), &[vec![without]]).unwrap();
        let losses = needs[0].losses.iter().filter(|loss| loss.clause == "rules");
        losses.flat_map(|loss| loss.rules.clone()).collect()
    };
    assert_eq!(lost("action: merge", Capability::Ci), [1]);
    assert_eq!(lost("action: sign-in", Capability::SignIn), [1]);
    assert!(lost("action: sign-in, submit", Capability::SignIn).is_empty());
    assert_eq!(lost("signal: injection", Capability::InjectionDetection), [1]);
    assert!(lost("signal: injection, circumvention", Capability::InjectionDetection).is_empty());
    assert_eq!(lost("data: pii\ncleared: yes", Capability::Vetting), [1]);
    assert!(lost("data: pii\ncleared: no", Capability::Vetting).is_empty());
    assert_eq!(lost("data: pii", Capability::Inspection), [1, 2]);
    // Who cannot be told counts as whoever the rule is about: the rule becomes broader and is not lost.
    assert!(lost("who: contractor", Capability::Identification).is_empty());
    assert!(lost("device: unmanaged", Capability::Endpoint).is_empty());
}

#[test]
fn an_overruled_permission_is_never_the_decision() {
    let mut overruled = 0;
    small(0xA110, 60, 4, |seed, model, policy, situations| {
        let analysis = analyse(policy, &[], &[], &World::default(), AT).unwrap();
        for finding in analysis.findings.iter().filter(|finding| finding.code == Code::OverruledAllow) {
            overruled += 1;
            let rule =
                model.rules.iter().find(|rule| finding.rule == Some((rule.clause.clone(), rule.number))).unwrap();
            let class = finding.message.split('`').nth(1).filter(|_| finding.message.contains("acceptable, but a"));
            let about = |facts: &&Facts| {
                let foreseen = explain(policy, facts).foreseen_by;
                let data = facts.data.known().unwrap();
                let here = class.is_none_or(|class| data.get(class).is_some_and(|found| found.likely > 0));
                here && foreseen.contains(&(rule.clause.clone(), rule.number)) && only_named(rule, facts)
            };
            for facts in situations.iter().filter(about).filter(|facts| told(rule, facts)) {
                let full = policy.decide(facts).full;
                assert!(full.effect > Effect::Allow || !full.redact.is_empty(), "seed {seed}: {rule:#?}\n{facts:#?}");
            }
        }
    });
    assert!(overruled > 3, "{overruled}");
}

/// Whether something that a rule allows is found, and nothing else.
fn only_named(rule: &crate::rule::Rule, facts: &Facts) -> bool {
    let data = facts.data.known().unwrap().iter().filter(|(_, found)| found.likely > 0);
    let found: Vec<&Term> = data.map(|(class, _)| class).collect();
    let Some(test) = rule.keys.on(writ_model::Dimension::Data) else { return found.is_empty() };
    let names = |class: &Term| {
        test.values.iter().any(|value| match value {
            KeyValue::AnyClass => true,
            KeyValue::Class { class: named, .. } => named == class,
            _ => false,
        })
    };
    !test.not && found.iter().all(|class| names(class)) && (test.values.contains(&KeyValue::Plain) || !found.is_empty())
}
