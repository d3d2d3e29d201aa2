//! The words of POLICY.md sections 2 to 4, one test each. Every situation is judged three times: by rows, by the reference
//! evaluator, and staged with nothing pending; all three must agree before anything else is looked at.

use std::collections::{BTreeMap, BTreeSet};

use writ_base::{ContentHash, Moment};
use writ_model::class::CLASSES;
use writ_model::facts::{Found, Groups};
use writ_model::standing::{
    Acknowledged, AcknowledgementId, ExceptionGrant, ExceptionId, POSTURE, Ring, RolloutEntry, RolloutId,
};
use writ_model::values::{Declared, Identity, Status, Step, Unreadable, Who};
use writ_model::verdict::{Base, Offer, Restore};
use writ_model::{Action, Decision, Effect, Facts, Level, Mode, Set, Signal, Term, Verdict};
use writ_policy::eval::testing::blank;
use writ_policy::eval::{
    self, AnswerDuty, ClassesToScan, CompileError, Policy, Staged, StandingError, UNREADABLE, reference,
};
use writ_policy::rule::{ClassDefinition, ClauseModel, Keys, PolicyModel, Rule};

const NOW: Moment = Moment::from_seconds(1_000);

fn classes() -> BTreeMap<Term, ClassDefinition> {
    CLASSES.iter().map(|class| (Term::fixed(class.name), ClassDefinition::from(class))).collect()
}

fn keys(keys: &[(&str, &str)]) -> Keys {
    let keys: BTreeMap<String, String> = keys.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    eval::keys(&keys, &classes()).unwrap()
}

/// A rule that raises.
fn raise(clause: &'static str, when: &[(&str, &str)], then: Effect) -> Rule {
    Rule { keys: keys(when), then, ..blank(Term::fixed(clause), 1) }
}

/// A rule that redacts.
fn redact(clause: &'static str, when: &[(&str, &str)]) -> Rule {
    Rule { redact: true, ..raise(clause, when, Effect::Allow) }
}

/// A rule that foresees.
fn allow(when: &[(&str, &str)]) -> Rule {
    Rule { foresees: true, ..raise("allowed", when, Effect::Allow) }
}

/// What makes the base allow, so that only what raises is seen.
fn anything() -> Rule {
    Rule { number: 99, ..allow(&[("data", "any")]) }
}

fn model(rules: Vec<Rule>) -> PolicyModel {
    let ids: BTreeSet<Term> = rules.iter().map(|rule| rule.clause.clone()).collect();
    let clause = |id: Term| ClauseModel { number: "1".to_owned(), title: id.to_string(), mode: Mode::Enforced, id };
    PolicyModel {
        postures: [(Who::Employee, Effect::Coach)].into(),
        classes: classes(),
        clauses: ids.into_iter().map(clause).collect(),
        rules,
        assertions: Vec::new(),
    }
}

fn compile(rules: Vec<Rule>) -> Policy {
    Policy::compile(model(rules), ContentHash::of(b"text")).unwrap()
}

fn judge(policy: &Policy, facts: &Facts) -> Decision {
    let decision = policy.decide(facts);
    assert_eq!(decision, reference::decide(policy.model(), policy.standing(), facts), "rows and reference differ");
    assert_eq!(Staged::Settled(decision.clone()), policy.decide_staged(facts));
    decision
}

fn verdict(rules: Vec<Rule>, facts: &Facts) -> Verdict {
    let decision = judge(&compile(rules), facts);
    assert_eq!(decision.enforced, decision.full, "without a roll-out both verdicts are one");
    decision.full
}

/// The effect with the base aside.
fn effect_of(rule: Rule, facts: &Facts) -> Effect {
    verdict(vec![rule, anything()], facts).effect
}

/// Whether a foreseeing rule makes the base allow.
fn foreseen(rule: Rule, facts: &Facts) -> bool {
    verdict(vec![rule], facts).base == Base::Foreseen
}

fn facts() -> Facts {
    Facts { who: Who::Employee.into(), status: Status::Approved.into(), decided_at: NOW, ..Facts::default() }
        .completed()
}

fn found(classes: &[(&'static str, u32, u32)]) -> Facts {
    let classes = classes
        .iter()
        .map(|(class, likely, certain)| (Term::fixed(class), Found { likely: *likely, certain: *certain }));
    Facts { data: classes.collect::<BTreeMap<_, _>>().into(), ..facts() }
}

fn cleared(facts: Facts, classes: &[&'static str]) -> Facts {
    Facts { cleared: classes.iter().map(|class| Term::fixed(class)).collect::<BTreeSet<_>>().into(), ..facts }
}

fn doing(action: Action) -> Facts {
    Facts { action: action.into(), ..facts() }
}

fn terms(names: &[&'static str]) -> BTreeSet<Term> {
    names.iter().map(|name| Term::fixed(name)).collect()
}

#[test]
fn one_valued_keys_take_any_of_the_values_listed() {
    let rule = || raise("c", &[("status", "approved, denied")], Effect::Block);
    assert_eq!(effect_of(rule(), &facts()), Effect::Block);
    assert_eq!(effect_of(rule(), &Facts { status: Status::Retired.into(), ..facts() }), Effect::Allow);
    assert!(foreseen(allow(&[("status", "approved, denied")]), &facts()));
}

#[test]
fn not_means_none_of_the_values() {
    let rule = || raise("c", &[("status", "not approved, conditional")], Effect::Block);
    assert_eq!(effect_of(rule(), &facts()), Effect::Allow);
    assert_eq!(effect_of(rule(), &Facts { status: Status::Denied.into(), ..facts() }), Effect::Block);
}

#[test]
fn ordered_keys_are_at_least_when_raising_and_at_most_when_foreseeing() {
    let at = |level: Level| Facts { level: level.into(), ..facts() };
    let rule = || raise("c", &[("level", "internal")], Effect::Block);
    assert_eq!(effect_of(rule(), &at(Level::Public)), Effect::Allow);
    assert_eq!(effect_of(rule(), &at(Level::Internal)), Effect::Block);
    assert_eq!(effect_of(rule(), &at(Level::Restricted)), Effect::Block);
    assert!(foreseen(allow(&[("level", "public")]), &at(Level::Unstated)), "public covers what is not labelled");
    assert!(!foreseen(allow(&[("level", "public")]), &at(Level::Internal)));
    let by = |identity: Identity| Facts { identity: identity.into(), ..facts() };
    let weak = || raise("c", &[("identity", "password")], Effect::Block);
    assert_eq!(effect_of(weak(), &by(Identity::Strong)), Effect::Allow);
    assert_eq!(effect_of(weak(), &by(Identity::Shared)), Effect::Block);
}

#[test]
fn not_on_an_ordered_dimension_means_exactly_the_values_named() {
    let rule = || raise("c", &[("level", "not internal")], Effect::Block);
    assert_eq!(effect_of(rule(), &Facts { level: Level::Internal.into(), ..facts() }), Effect::Allow);
    assert_eq!(effect_of(rule(), &Facts { level: Level::Restricted.into(), ..facts() }), Effect::Block);
}

#[test]
fn the_level_is_the_highest_of_label_declaration_and_classes() {
    let rule = || raise("c", &[("level", "confidential")], Effect::Block);
    assert_eq!(effect_of(rule(), &found(&[("contact", 1, 0)])), Effect::Allow);
    assert_eq!(effect_of(rule(), &found(&[("pii", 1, 0)])), Effect::Block, "pii is confidential");
    assert_eq!(effect_of(rule(), &Facts { declared: Declared::Restricted.into(), ..facts() }), Effect::Block);
}

#[test]
fn sets_are_any_when_raising_and_nothing_outside_when_foreseeing() {
    let signals = |signals: &[Signal]| Facts { signal: signals.iter().copied().collect::<Set<_>>().into(), ..facts() };
    let rule = || raise("c", &[("signal", "jailbreak, opaque")], Effect::Block);
    assert_eq!(
        effect_of(rule(), &signals(&[Signal::OpaqueImage, Signal::Unusual])),
        Effect::Block,
        "a family is all its kinds"
    );
    assert_eq!(effect_of(rule(), &signals(&[Signal::Unusual])), Effect::Allow);
    let allowed = || allow(&[("signal", "unusual, malformed")]);
    assert!(foreseen(allowed(), &signals(&[])));
    assert!(foreseen(allowed(), &signals(&[Signal::Unusual])));
    assert!(!foreseen(allowed(), &signals(&[Signal::Unusual, Signal::Injection])));
}

#[test]
fn groups_are_any_in_both_and_unknown_groups_are_a_risk() {
    let of = |groups: Groups| Facts { group: groups.into(), ..facts() };
    let member = || of(Groups::Known(terms(&["legal", "other"])));
    let unknown = || of(Groups::Unknown(Term::UNKNOWN));
    assert_eq!(effect_of(raise("c", &[("group", "legal")], Effect::Block), &member()), Effect::Block);
    assert_eq!(effect_of(raise("c", &[("group", "legal")], Effect::Block), &unknown()), Effect::Block);
    assert_eq!(effect_of(raise("c", &[("group", "not legal")], Effect::Block), &unknown()), Effect::Block);
    assert!(foreseen(allow(&[("group", "legal")]), &member()));
    assert!(!foreseen(allow(&[("group", "legal")]), &unknown()));
    assert!(!foreseen(allow(&[("group", "not legal")]), &unknown()));
    assert!(foreseen(allow(&[("group", "legal, unknown")]), &unknown()), "unless it names unknown");
}

#[test]
fn an_unknown_value_makes_a_raising_key_apply_and_a_foreseeing_key_not() {
    let unknown = Facts { service: Term::UNKNOWN.into(), who: Who::Unknown.into(), ..facts() };
    assert_eq!(effect_of(raise("c", &[("service", "chatgpt")], Effect::Block), &unknown), Effect::Block);
    assert_eq!(effect_of(raise("c", &[("who", "contractor")], Effect::Block), &unknown), Effect::Block);
    assert!(!foreseen(allow(&[("who", "employee")]), &unknown));
    assert!(!foreseen(allow(&[("who", "not contractor")]), &unknown));
    assert!(foreseen(allow(&[("who", "employee, unknown")]), &unknown));
    // `unknown` is a value like the others where nobody could be asked.
    let account = Facts { account: writ_model::Account::Unknown.into(), ..facts() };
    assert_eq!(effect_of(raise("c", &[("account", "personal")], Effect::Block), &account), Effect::Allow);
}

#[test]
fn a_rule_without_action_speaks_about_what_leaves_only() {
    for action in [Action::Submit, Action::Upload, Action::ToolCall] {
        assert_eq!(effect_of(raise("c", &[], Effect::Block), &doing(action)), Effect::Block);
    }
    for action in [Action::Receive, Action::ToolResult, Action::SignIn, Action::Merge] {
        assert_eq!(effect_of(raise("c", &[], Effect::Block), &doing(action)), Effect::Allow);
    }
}

#[test]
fn answers_are_judged_only_by_rules_that_name_them() {
    let receive = doing(Action::Receive);
    assert_eq!(effect_of(raise("c", &[("action", "receive")], Effect::Block), &receive), Effect::Block);
    assert_eq!(effect_of(raise("c", &[("action", "not submit")], Effect::Block), &receive), Effect::Allow);
    assert_eq!(
        effect_of(raise("c", &[("action", "not submit")], Effect::Block), &doing(Action::Upload)),
        Effect::Block
    );
}

#[test]
fn the_posture_speaks_about_what_leaves_and_tunnels_only() {
    for action in [Action::Submit, Action::Upload, Action::ToolCall, Action::Tunnel] {
        let verdict = verdict(vec![], &doing(action));
        assert_eq!((verdict.effect, verdict.by_posture()), (Effect::Coach, true), "{action}");
    }
    for action in [Action::Receive, Action::ToolResult, Action::SignIn, Action::Merge] {
        assert_eq!(verdict(vec![], &doing(action)), Verdict::allow(), "{action}");
    }
    let contractor = Facts { who: Who::Contractor.into(), ..facts() };
    assert_eq!(verdict(vec![], &contractor).effect, Effect::Block, "block where the document is silent");
}

#[test]
fn a_tunnel_is_foreseen_only_where_it_is_named() {
    let tunnel = doing(Action::Tunnel);
    assert!(!foreseen(allow(&[("data", "any")]), &tunnel));
    assert!(!foreseen(allow(&[("data", "any"), ("action", "not submit")]), &tunnel));
    assert!(foreseen(allow(&[("action", "tunnel")]), &tunnel));
}

#[test]
fn the_base_is_allow_where_the_union_of_covers_holds_all_that_was_found() {
    let both = found(&[("contact", 3, 0), ("pii", 1, 1)]);
    let rules = || vec![allow(&[]), allow(&[("data", "contact")]), allow(&[("data", "pii")])];
    assert_eq!(verdict(rules(), &both).base, Base::Foreseen);
    for missing in 0..3 {
        let mut rules = rules();
        rules.remove(missing);
        assert_eq!(verdict(rules, &both).base, Base::Posture(Effect::Coach), "without {missing}");
    }
    assert!(foreseen(allow(&[("data", "any")]), &found(&[("unheard-of", 1, 0)])));
    assert!(!foreseen(allow(&[("data", "contact, pii")]), &facts()), "plain is covered only where it is named");
}

#[test]
fn a_band_counts_distinct_values_of_at_least_that_certainty() {
    let rule = |data| raise("c", &[("data", data)], Effect::Block);
    assert_eq!(effect_of(rule("pii (few)"), &found(&[("pii", 1, 1)])), Effect::Allow);
    assert_eq!(effect_of(rule("pii (few)"), &found(&[("pii", 2, 0)])), Effect::Block);
    assert_eq!(effect_of(rule("pii (few)"), &found(&[("pii", 50, 0)])), Effect::Block, "few or more");
    assert_eq!(effect_of(rule("pii (few, certain)"), &found(&[("pii", 50, 1)])), Effect::Allow);
    assert_eq!(effect_of(rule("pii (few, certain)"), &found(&[("pii", 50, 2)])), Effect::Block);
    assert_eq!(effect_of(rule("pii (certain)"), &found(&[("pii", 9, 0)])), Effect::Allow);
    assert_eq!(effect_of(rule("pii (bulk)"), &found(&[("pii", 9, 9)])), Effect::Allow);
    assert_eq!(effect_of(rule("pii (bulk)"), &found(&[("pii", 10, 0)])), Effect::Block);
}

#[test]
fn a_foreseeing_band_is_at_most() {
    let covers = |data: &str, likely, certain| {
        verdict(vec![allow(&[]), allow(&[("data", data)])], &found(&[("pii", likely, certain)])).base == Base::Foreseen
    };
    assert!(covers("pii", 50, 50), "a silent document covers any number");
    assert!(covers("pii (one)", 1, 1));
    assert!(!covers("pii (one)", 2, 0));
    assert!(covers("pii (few)", 9, 9));
    assert!(!covers("pii (few)", 10, 0));
    assert!(covers("pii (likely)", 50, 0));
    assert!(!covers("pii (likely)", 50, 1));
    assert!(!covers("pii (few, certain)", 10, 0), "of which at most few are certain, and not more in all");
}

#[test]
fn cleared_selects_among_the_classes_of_the_rule_that_were_found() {
    let rule = || redact("c", &[("data", "phi, pii"), ("cleared", "no")]);
    let facts = cleared(found(&[("phi", 1, 0), ("pii", 1, 0), ("contact", 1, 0)]), &["pii"]);
    assert_eq!(verdict(vec![rule(), anything()], &facts).redact, terms(&["phi"]));
    assert_eq!(verdict(vec![rule(), anything()], &cleared(facts.clone(), &["phi", "pii"])).redact, terms(&[]));
    let allowed = || vec![allow(&[]), allow(&[("data", "phi"), ("cleared", "yes")])];
    assert_eq!(verdict(allowed(), &cleared(found(&[("phi", 1, 0)]), &["phi"])).base, Base::Foreseen);
    assert_eq!(verdict(allowed(), &cleared(found(&[("phi", 1, 0)]), &["pii"])).base, Base::Posture(Effect::Coach));
    let any = || raise("c", &[("cleared", "no")], Effect::Block);
    assert_eq!(effect_of(any(), &cleared(found(&[("phi", 1, 0)]), &[])), Effect::Block);
    assert_eq!(effect_of(any(), &facts_without_findings()), Effect::Allow);
}

fn facts_without_findings() -> Facts {
    facts()
}

#[test]
fn redact_removes_all_spans_of_the_rules_classes_whatever_their_band() {
    let rule = redact("c", &[("data", "pii (bulk), phi")]);
    let verdict = verdict(vec![rule, anything()], &found(&[("pii", 1, 0), ("phi", 1, 0), ("contact", 1, 0)]));
    assert_eq!((verdict.effect, verdict.redact.clone()), (Effect::Allow, terms(&["phi", "pii"])));
    assert_eq!(verdict.decided.len(), 1);
}

#[test]
fn an_unfulfillable_redaction_is_a_block_with_that_reason() {
    let facts = Facts { unredactable: terms(&["pii"]), ..found(&[("pii", 1, 0), ("phi", 1, 0)]) };
    let verdict = verdict(vec![redact("c", &[("data", "pii, phi")]), anything()], &facts);
    assert_eq!(verdict.effect, Effect::Block);
    assert_eq!((verdict.unfulfillable, verdict.redact), (terms(&["pii"]), terms(&["phi"])));
}

#[test]
fn restore_is_the_narrower() {
    let with = |clause, restore| Rule { restore, ..redact(clause, &[("data", "pii")]) };
    let pii = found(&[("pii", 1, 0)]);
    let both = vec![with("a", Restore::Tools), with("b", Restore::Text), anything()];
    assert_eq!(verdict(both, &pii).restore, Restore::Text);
    assert_eq!(verdict(vec![with("a", Restore::Tools), anything()], &pii).restore, Restore::Tools);
}

fn unread(facts: Facts) -> Facts {
    Facts { unreadable: Set::one(Unreadable::Timeout).into(), ..facts }
}

#[test]
fn unreadable_content_follows_the_fail_posture_of_rules_with_a_key_settled_at_body() {
    let rule =
        |fail_closed| Rule { fail_closed, ..raise("c", &[("data", "phi"), ("status", "approved")], Effect::Coach) };
    let closed = verdict(vec![rule(true), anything()], &unread(facts()));
    assert_eq!((closed.effect, closed.unreadable), (Effect::Block, true));
    assert_eq!(closed.decided[0].clause, "c");
    assert_eq!(effect_of(rule(false), &unread(facts())), Effect::Allow, "open: nothing");
    let elsewhere = unread(Facts { status: Status::Denied.into(), ..facts() });
    let verdict = verdict(vec![rule(false), anything()], &elsewhere);
    assert_eq!((verdict.effect, verdict.unreadable), (Effect::Block, true), "without any such row it is block");
    assert_eq!(verdict.decided[0].clause, UNREADABLE);
    assert!(!verdict.by_posture());
}

#[test]
fn the_strictest_fail_posture_counts() {
    let rule = |clause, fail_closed| Rule { fail_closed, ..raise(clause, &[("data", "phi")], Effect::Coach) };
    assert_eq!(verdict(vec![rule("a", false), rule("b", true), anything()], &unread(facts())).effect, Effect::Block);
    // A rule without a key settled at body does not need the body, and so says nothing about its failure.
    let head_only = raise("c", &[("status", "denied")], Effect::Block);
    assert_eq!(verdict(vec![head_only, anything()], &unread(facts())).decided[0].clause, UNREADABLE);
}

#[test]
fn a_suspended_rule_does_not_open_unreadable_content() {
    // Found by `pol_2_a_rule_that_does_not_foresee_never_weakens` at seed 1341.
    let policy =
        |fail_closed| compile(vec![Rule { fail_closed, ..raise("c", &[("data", "phi")], Effect::Block) }, anything()]);
    for step in [Step::Observe, Step::Coach] {
        let entries = || vec![entry(Term::fixed("c"), step, Ring::Everyone)];
        let closed = judge(&policy(true).with_standing(vec![], entries()).unwrap(), &unread(facts())).enforced;
        assert_eq!((closed.effect, &closed.decided[0].clause), (Effect::Block, &UNREADABLE));
        let open = judge(&policy(false).with_standing(vec![], entries()).unwrap(), &unread(facts())).enforced;
        assert_eq!(open.effect, Effect::Allow);
    }
    let excepted = policy(true).with_standing(vec![grant("c", &[])], vec![]).unwrap();
    assert_eq!(judge(&excepted, &unread(facts())).full.effect, Effect::Block);
}

#[test]
fn a_rule_about_answers_does_not_open_what_leaves() {
    let rule = || Rule { fail_closed: false, ..redact("c", &[("data", "phi"), ("action", "receive")]) };
    assert_eq!(effect_of(rule(), &unread(facts())), Effect::Block);
    assert_eq!(effect_of(rule(), &unread(doing(Action::Receive))), Effect::Allow);
    assert_eq!(effect_of(redact("c", &[("data", "phi")]), &unread(doing(Action::Receive))), Effect::Allow);
}

#[test]
fn a_carve_out_that_only_the_body_tells_does_not_open_unreadable_content() {
    let unless = |set: &[(&str, &str)]| Rule {
        unless: vec![keys(set)],
        fail_closed: true,
        ..raise("c", &[("status", "approved")], Effect::Coach)
    };
    assert_eq!(verdict(vec![unless(&[("data", "plain")]), anything()], &unread(facts())).decided[0].clause, "c");
}

#[test]
fn opaque_and_malformed_are_ordinary_signals() {
    let opaque = Facts { signal: Set::one(Signal::OpaqueImage).into(), ..facts() };
    assert_eq!(effect_of(raise("c", &[("signal", "opaque (image)")], Effect::Coach), &opaque), Effect::Coach);
    assert_eq!(effect_of(raise("c", &[("signal", "opaque (audio)")], Effect::Coach), &opaque), Effect::Allow);
}

#[test]
fn unless_keeps_a_rule_from_raising() {
    let rule = || Rule {
        unless: vec![keys(&[("group", "research"), ("data", "phi (few)")]), keys(&[("who", "vendor")])],
        ..raise("c", &[("data", "phi")], Effect::Block)
    };
    let researcher = |facts: Facts| Facts { group: Groups::Known(terms(&["research"])).into(), ..facts };
    assert_eq!(effect_of(rule(), &found(&[("phi", 1, 0)])), Effect::Block);
    assert_eq!(effect_of(rule(), &researcher(found(&[("phi", 9, 0)]))), Effect::Allow);
    assert_eq!(effect_of(rule(), &researcher(found(&[("phi", 10, 0)]))), Effect::Block, "at most");
    assert_eq!(
        effect_of(rule(), &researcher(found(&[("phi", 1, 0), ("pii", 1, 0)]))),
        Effect::Block,
        "nothing outside"
    );
    assert_eq!(effect_of(rule(), &Facts { who: Who::Vendor.into(), ..found(&[("phi", 99, 0)]) }), Effect::Allow);
}

#[test]
fn more_than_64_unless_combinations_are_refused() {
    let set = || keys(&[("who", "vendor"), ("status", "denied"), ("group", "research"), ("channel", "ide")]);
    let rule =
        |sets| Rule { unless: std::iter::repeat_with(set).take(sets).collect(), ..raise("c", &[], Effect::Block) };
    assert!(Policy::compile(model(vec![rule(3)]), ContentHash::default()).is_ok(), "4 x 4 x 4 is 64");
    let error = Policy::compile(model(vec![rule(4)]), ContentHash::default()).unwrap_err();
    assert!(matches!(error, CompileError::TooManyUnless { rows: 256, .. }));
    assert_eq!(
        error.to_string(),
        "rule 1 of clause `c` needs 256 combinations of its `unless` keys, at most 64 are possible; write several rules instead"
    );
}

#[test]
fn limits_of_classes_and_values_are_named() {
    let mut many = model(vec![]);
    many.classes.extend(
        (0..90).map(|n| (Term::from(format!("own-{n}")), ClassDefinition { level: Level::Public, few: 2, bulk: 10 })),
    );
    assert!(matches!(
        Policy::compile(many, ContentHash::default()),
        Err(CompileError::TooManyClasses { count: 102, .. })
    ));
    let services: Vec<String> = (0..2_000).map(|n| format!("service-{n}")).collect();
    let rule = raise("c", &[("service", &services.join(", "))], Effect::Block);
    assert!(matches!(
        Policy::compile(model(vec![rule]), ContentHash::default()),
        Err(CompileError::TooManyValues { .. })
    ));
}

fn acknowledged(clause: &'static str, classes: &[&'static str], until: Moment) -> Acknowledged {
    Acknowledged {
        id: AcknowledgementId::from_bytes([1; 16]),
        clause: Term::fixed(clause),
        classes: terms(classes),
        until,
    }
}

#[test]
fn justify_is_satisfied_by_an_acknowledgement_of_its_clause_and_classes() {
    let later = Moment::from_seconds(2_000);
    let given = |acknowledged| Facts { acknowledged: vec![acknowledged], ..found(&[("phi", 1, 0), ("contact", 1, 0)]) };
    let rule = || raise("c", &[("data", "phi, pii")], Effect::Justify);
    assert_eq!(effect_of(rule(), &found(&[("phi", 1, 0)])), Effect::Justify);
    let satisfied = verdict(vec![rule(), anything()], &given(acknowledged("c", &["phi"], later)));
    assert_eq!((satisfied.effect, satisfied.acknowledged), (Effect::Allow, terms(&["c"])));
    assert_eq!(satisfied.applied.len(), 1, "it is still recorded");
    assert_eq!(effect_of(rule(), &given(acknowledged("d", &["phi"], later))), Effect::Justify, "another clause");
    assert_eq!(effect_of(rule(), &given(acknowledged("c", &["pii"], later))), Effect::Justify, "another class");
    assert_eq!(effect_of(rule(), &given(acknowledged("c", &["phi"], NOW))), Effect::Justify, "expired");
    assert_eq!(effect_of(raise("c", &[], Effect::Block), &given(acknowledged("c", &["phi"], later))), Effect::Block);
}

#[test]
fn ask_level_is_justify_until_the_person_has_declared_one() {
    let rule = || Rule { ask_level: true, ..raise("c", &[("action", "upload")], Effect::Allow) };
    let asked = verdict(vec![rule(), anything()], &doing(Action::Upload));
    assert_eq!((asked.effect, asked.ask_level), (Effect::Justify, true));
    let stated = Facts { declared: Declared::Public.into(), ..doing(Action::Upload) };
    assert_eq!(verdict(vec![rule(), anything()], &stated), Verdict::allow());
}

#[test]
fn the_strictest_wins_and_all_clauses_that_decided_are_named() {
    let rules = vec![
        raise("a", &[], Effect::Coach),
        raise("b", &[("data", "phi")], Effect::Block),
        raise("c", &[("level", "restricted")], Effect::Block),
        redact("d", &[("data", "phi")]),
        anything(),
    ];
    let verdict = verdict(rules, &found(&[("phi", 1, 0)]));
    assert_eq!(verdict.effect, Effect::Block);
    let ids =
        |causes: &[writ_model::verdict::Cause]| causes.iter().map(|cause| cause.clause.to_string()).collect::<Vec<_>>();
    assert_eq!(
        (ids(&verdict.decided), ids(&verdict.applied)),
        (vec!["b".into(), "c".into(), "d".into()], vec!["a".to_owned()])
    );
}

#[test]
fn a_verdict_can_be_overridden_only_if_every_deciding_block_can() {
    let block =
        |clause, roles: &[&'static str]| Rule { override_roles: terms(roles), ..raise(clause, &[], Effect::Block) };
    let roles = |rules: Vec<Rule>| verdict([rules, vec![anything()]].concat(), &facts()).override_roles;
    assert_eq!(roles(vec![block("a", &["dpo"])]), terms(&["dpo"]));
    assert_eq!(roles(vec![block("a", &["dpo"]), block("b", &[])]), terms(&[]));
    assert_eq!(roles(vec![block("a", &["dpo", "ciso"]), block("b", &["ciso"])]), terms(&["ciso"]));
    let contractor = Facts { who: Who::Contractor.into(), ..facts() };
    assert_eq!(
        verdict(vec![block("a", &["dpo"])], &contractor).override_roles,
        terms(&[]),
        "the posture's block is hard"
    );
}

#[test]
fn offers_are_shown_only_if_the_verdict_after_taking_them_is_below_block() {
    let offering = |offers: &[Offer]| Rule {
        offers: offers.to_vec(),
        ..raise("c", &[("data", "phi"), ("cleared", "no")], Effect::Block)
    };
    let phi = found(&[("phi", 1, 0), ("contact", 1, 0)]);
    let all =
        [Offer::Redact, Offer::AskException, Offer::AskVetting, Offer::Redirect(Term::fixed("own")), Offer::Object];
    assert_eq!(verdict(vec![offering(&all), anything()], &phi).offers, all);
    let also = || raise("d", &[("data", "contact")], Effect::Block);
    let shown = verdict(vec![offering(&all), also(), anything()], &phi).offers;
    assert_eq!(shown, [Offer::Redirect(Term::fixed("own")), Offer::Object], "another clause still blocks");
    let fixed = Facts { unredactable: terms(&["phi"]), ..phi.clone() };
    assert!(!verdict(vec![offering(&all), anything()], &fixed).offers.contains(&Offer::Redact));
    let policy = compile(vec![offering(&all), anything()]);
    assert_eq!(policy.offered_redaction(&policy.decide(&phi).enforced, &phi), terms(&["phi"]));
}

fn grant(clause: &'static str, situation: &[(&str, &str)]) -> ExceptionGrant {
    ExceptionGrant {
        id: ExceptionId::from_bytes([7; 16]),
        clause: Term::fixed(clause),
        keys: situation.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
        owner: "o".into(),
        reason: "r".into(),
        compensating_control: "c".into(),
        approved_by: "a".into(),
        from: Moment::from_seconds(500),
        until: Moment::from_seconds(1_500),
    }
}

#[test]
fn an_exception_keeps_its_clause_from_raising_and_covers_its_classes() {
    let policy = compile(vec![raise("health", &[("data", "phi")], Effect::Block), allow(&[])]);
    let policy = policy.with_standing(vec![grant("health", &[("group", "research")])], vec![]).unwrap();
    let research = |facts: Facts| Facts { group: Groups::Known(terms(&["research"])).into(), ..facts };
    let phi = found(&[("phi", 1, 0)]);
    assert_eq!(judge(&policy, &phi).full.effect, Effect::Block);
    let relaxed = judge(&policy, &research(phi.clone())).full;
    assert_eq!((relaxed.effect, relaxed.base, relaxed.exceptions.len()), (Effect::Allow, Base::Foreseen, 1));
    let more = judge(&policy, &research(found(&[("phi", 1, 0), ("pii", 1, 0)]))).full;
    assert_eq!(more.base, Base::Posture(Effect::Coach), "only the classes of its clause are covered");
    for at in [100, 1_500] {
        let other_time = Facts { decided_at: Moment::from_seconds(at), ..research(phi.clone()) };
        assert_eq!(judge(&policy, &other_time).full.effect, Effect::Block, "it ends by the clock");
    }
}

#[test]
fn an_exception_that_names_data_applies_where_nothing_outside_it_was_found() {
    let policy = compile(vec![raise("health", &[("data", "phi, pii")], Effect::Block), anything()]);
    let policy = policy.with_standing(vec![grant("health", &[("data", "phi (few)")])], vec![]).unwrap();
    assert_eq!(judge(&policy, &found(&[("phi", 9, 0)])).full.effect, Effect::Allow);
    assert_eq!(judge(&policy, &found(&[("phi", 10, 0)])).full.effect, Effect::Block);
    assert_eq!(judge(&policy, &found(&[("phi", 1, 0), ("pii", 1, 0)])).full.effect, Effect::Block);
}

#[test]
fn an_exception_must_lie_within_its_clause() {
    let cells = [("approved", Effect::Coach), ("not approved", Effect::Block)];
    let mut rules: Vec<Rule> =
        cells.iter().map(|(status, then)| raise("health", &[("data", "phi"), ("status", status)], *then)).collect();
    rules.push(raise("guests", &[("who", "contractor, vendor"), ("service", "chatgpt")], Effect::Block));
    let policy = compile(rules);
    let with = |clause, situation: &[(&str, &str)]| policy.with_standing(vec![grant(clause, situation)], vec![]).err();
    assert_eq!(with("health", &[("group", "research")]), None, "the cells together cover every status");
    assert_eq!(with("guests", &[("who", "vendor"), ("service", "chatgpt"), ("group", "x")]), None);
    let beyond = |clause, situation: &[(&str, &str)]| match with(clause, situation) {
        Some(StandingError::OutsideClause { key, .. }) => key,
        other => panic!("{other:?}"),
    };
    assert_eq!(beyond("health", &[("data", "pii")]), "data");
    assert_eq!(beyond("health", &[("action", "receive")]), "action");
    assert_eq!(beyond("guests", &[("service", "chatgpt")]), "who");
    assert_eq!(beyond("guests", &[("who", "vendor, employee"), ("service", "chatgpt")]), "who");
    assert_eq!(beyond("guests", &[("who", "vendor")]), "service");
    let error = |clause, situation: &[(&str, &str)]| with(clause, situation).unwrap().to_string();
    let id = ExceptionId::from_bytes([7; 16]);
    assert_eq!(error("none", &[]), format!("exception `{id}` is for clause `none`, which this policy does not have"));
    assert_eq!(
        error("health", &[("status", "appproved")]),
        format!("exception `{id}` has a situation that cannot be read: `appproved` is not a value of `status`")
    );
}

fn entry(clause: Term, step: Step, ring: Ring) -> RolloutEntry {
    RolloutEntry {
        id: RolloutId::from_bytes([step as u8; 16]),
        clause,
        ring,
        step,
        from: Moment::from_seconds(500),
        until: Moment::from_seconds(1_500),
        approved_by: "a".into(),
    }
}

#[test]
fn the_rollout_suspends_raises_and_both_verdicts_are_kept() {
    let base = || vec![raise("c", &[("data", "phi")], Effect::Block), redact("d", &[("data", "phi")]), anything()];
    let phi = found(&[("phi", 1, 0)]);
    let with = |entries: Vec<RolloutEntry>, facts: &Facts| {
        judge(&compile(base()).with_standing(vec![], entries).unwrap(), facts)
    };
    let observe = with(vec![entry(Term::fixed("c"), Step::Observe, Ring::Everyone)], &phi);
    assert_eq!((observe.enforced.effect, observe.full.effect), (Effect::Allow, Effect::Block));
    assert_eq!(observe.enforced.redact, terms(&["phi"]), "the other clause is as written");
    let coach = with(
        vec![
            entry(Term::fixed("d"), Step::Coach, Ring::Everyone),
            entry(Term::fixed("c"), Step::Observe, Ring::Everyone),
        ],
        &phi,
    );
    assert_eq!((coach.enforced.effect, coach.enforced.redact.len()), (Effect::Coach, 0), "redact becomes coach");
    let strictest = with(
        vec![
            entry(Term::fixed("c"), Step::Observe, Ring::Everyone),
            entry(Term::fixed("c"), Step::Coach, Ring::Everyone),
        ],
        &phi,
    );
    assert_eq!(strictest.enforced.effect, Effect::Coach, "of several entries the strictest counts");
    let after = Facts { decided_at: Moment::from_seconds(1_500), ..phi.clone() };
    assert_eq!(
        with(vec![entry(Term::fixed("c"), Step::Observe, Ring::Everyone)], &after).enforced.effect,
        Effect::Block
    );
}

#[test]
fn a_ring_is_a_group_or_a_share() {
    let with = |ring, facts: &Facts| {
        let policy = compile(vec![raise("c", &[], Effect::Block), anything()]);
        judge(&policy.with_standing(vec![], vec![entry(Term::fixed("c"), Step::Observe, ring)]).unwrap(), facts)
            .enforced
            .effect
    };
    let of = |groups: Groups| Facts { group: groups.into(), ..facts() };
    let pilot = || Ring::Group(Term::fixed("pilot"));
    assert_eq!(with(pilot(), &of(Groups::Known(terms(&["pilot"])))), Effect::Allow);
    assert_eq!(with(pilot(), &of(Groups::Known(terms(&["other"])))), Effect::Block);
    assert_eq!(with(pilot(), &of(Groups::Unknown(Term::UNKNOWN))), Effect::Block, "an unknown group relaxes nothing");
    assert_eq!(with(Ring::Share(2_500), &Facts { share: 2_499, ..facts() }), Effect::Allow);
    assert_eq!(with(Ring::Share(2_500), &Facts { share: 2_500, ..facts() }), Effect::Block);
}

#[test]
fn the_posture_is_rolled_out_as_a_clause_of_its_own() {
    let policy = compile(vec![]).with_standing(vec![], vec![entry(POSTURE, Step::Coach, Ring::Everyone)]).unwrap();
    let decision = judge(&policy, &Facts { who: Who::Contractor.into(), ..facts() });
    assert_eq!((decision.enforced.effect, decision.full.effect), (Effect::Coach, Effect::Block));
    assert_eq!(decision.enforced.base, Base::Posture(Effect::Coach));
}

#[test]
fn a_block_known_at_the_head_is_given_early() {
    let policy = compile(vec![
        raise("denied", &[("status", "denied")], Effect::Block),
        raise("health", &[("data", "phi")], Effect::Block),
        anything(),
    ]);
    let head = Facts { who: Who::Employee.into(), status: Status::Denied.into(), ..Facts::default() };
    let Staged::EarlyBlock(decision) = policy.decide_staged(&head) else { panic!("not early") };
    assert_eq!(decision.enforced.clauses().into_iter().collect::<Vec<_>>(), ["denied"]);
    let approved = Facts { status: Status::Approved.into(), ..head };
    assert_eq!(policy.decide_staged(&approved), Staged::Open { least: Effect::Allow, most: Effect::Block });
}

#[test]
fn bytes_stream_early_only_when_nothing_pending_matters() {
    let rules = vec![
        allow(&[("data", "any"), ("category", "own-model")]),
        raise("c", &[("data", "phi"), ("category", "not own-model")], Effect::Block),
    ];
    let policy = compile(rules);
    let whole = facts();
    let head = Facts {
        category: writ_model::Category::OwnModel.into(),
        data: Default::default(),
        cleared: Default::default(),
        level: Default::default(),
        action: Default::default(),
        ..whole
    };
    assert!(matches!(policy.decide_staged(&head), Staged::Settled(d) if d.enforced.effect == Effect::Allow));
    let chat = Facts { category: writ_model::Category::PublicChat.into(), ..head };
    assert!(matches!(policy.decide_staged(&chat), Staged::Open { .. }));
}

#[test]
fn answers_are_read_only_where_a_rule_could_apply_to_them() {
    let rule = || redact("c", &[("data", "phi"), ("action", "receive"), ("status", "conditional")]);
    let policy = compile(vec![rule(), raise("d", &[("data", "pii")], Effect::Block)]);
    assert_eq!(policy.could_redact_or_raise_answers(&facts()), AnswerDuty::None);
    let conditional = Facts { status: Status::Conditional.into(), ..facts() };
    let AnswerDuty::Scan(scan) = policy.could_redact_or_raise_answers(&conditional) else { panic!("nothing to scan") };
    let phi = ClassesToScan::Named(terms(&["phi"]));
    assert_eq!((scan.classes, scan.held), (phi.clone(), Some(phi)));
}

#[test]
fn an_answer_waits_for_what_may_be_taken_out_of_it_and_for_nothing_else() {
    let receive = |class: &'static str| [("data", class), ("action", "receive")];
    let held = |rules| match compile(rules).could_redact_or_raise_answers(&facts()) {
        AnswerDuty::Scan(scan) => scan.held,
        AnswerDuty::None => panic!("nothing to scan"),
    };
    let noted = || raise("a", &receive("source-code"), Effect::Coach);
    assert_eq!(held(vec![noted()]), None);
    let named = Some(ClassesToScan::Named(terms(&["credentials", "phi"])));
    let cut = || raise("c", &receive("phi"), Effect::Block);
    assert_eq!(held(vec![noted(), redact("b", &receive("credentials")), cut()]), named);
    assert_eq!(held(vec![cut(), redact("b", &receive("any"))]), Some(ClassesToScan::All));
}

#[test]
fn an_explanation_names_rules_keys_and_what_the_posture_gave() {
    let policy = compile(vec![
        raise("health", &[("data", "phi"), ("status", "approved")], Effect::Block),
        allow(&[]),
        allow(&[("data", "contact")]),
    ]);
    let why = eval::explain(&policy, &found(&[("phi", 1, 0), ("contact", 2, 0)]));
    assert_eq!(why.base, Base::Posture(Effect::Coach));
    assert_eq!(why.uncovered, ["phi"]);
    assert_eq!(why.foreseen_by.len(), 1, "{:?}", why.foreseen_by);
    let keys: Vec<_> = why.applied[0].keys.iter().map(|key| (key.key, key.listed.clone())).collect();
    assert_eq!(keys, [("data", vec!["phi".to_owned()]), ("status", vec!["approved".to_owned()])]);
    assert_eq!(why.decision.full.effect, Effect::Block);
}

#[test]
fn pol_3_the_rows_hash_is_a_function_of_the_rules() {
    let rules = || vec![raise("c", &[("data", "phi"), ("group", "x")], Effect::Block), anything()];
    let policy = compile(rules());
    assert_eq!(policy.rows_hash(), compile(rules()).rows_hash());
    assert_ne!(policy.rows_hash(), compile(vec![anything()]).rows_hash());
    let mut strict = rules();
    strict[0].then = Effect::Coach;
    assert_ne!(policy.rows_hash(), compile(strict).rows_hash());
    let stood = policy.with_standing(vec![grant("c", &[("group", "y, x")])], vec![]);
    assert!(stood.is_err(), "`y` reaches beyond");
    let stood = policy.with_standing(vec![grant("c", &[("group", "x")])], vec![]).unwrap();
    assert_eq!(stood.rows_hash(), policy.rows_hash());
    assert_ne!(stood.standing_hash(), policy.standing_hash());
    assert_eq!(policy.text_hash(), ContentHash::of(b"text"));
}

#[test]
fn a_policy_can_be_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Policy>();
}
