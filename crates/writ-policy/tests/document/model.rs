//! From text to model.

use std::fmt::Write as _;

use writ_model::schema::Values;
use writ_policy::document::files::Files;
use writ_policy::rule::{KeyTest, KeyValue, Keys, PolicyModel, Rule};

use super::document;

const SECTION_ONE: &str = include_str!("fixtures/section-one.md");

#[test]
fn section_one_becomes_a_model() {
    let parsed = writ_policy::parse(SECTION_ONE);
    let said: String = parsed.diagnostics.iter().map(|it| it.render(SECTION_ONE, &Files::one("policy.md"))).collect();
    assert!(said.is_empty(), "\n{said}");
    let mut page = show(parsed.model.as_ref().unwrap());
    let _ = writeln!(page, "\n{:#?}", parsed.definitions);
    insta::assert_snapshot!(page);
}

#[test]
fn a_table_is_the_rules_that_its_cells_stand_for() {
    let table = document(
        "| x | approved | denied, retired | other |\n|---|---|---|---|\n| plain | allow | block | coach |\n\
         | pii (few), phi | redact | block | justify |\n\n\
         Rule table: data by status. Who: employee. Severity: minor. Offer: redact, object. Override: lead. Why: It is so.",
    );
    let mut blocks = String::new();
    let rest = "discovered, requested, in-review, conditional";
    let columns = ["approved", "denied, retired", rest];
    for (data, effects) in [("plain", ["allow", "block", "coach"]), ("pii (few), phi", ["redact", "block", "justify"])]
    {
        for (status, then) in columns.iter().zip(effects) {
            let _ = write!(
                blocks,
                "```rule\ndata: {data}\nstatus: {status}\nwho: employee\nthen: {then}\nseverity: minor\n"
            );
            blocks += "why: It is so.\n";
            blocks += if then == "block" { "override: lead\n" } else { "" };
            blocks += match (data, then) {
                (_, "allow") => "",
                ("plain", _) => "offer: object\nforesees: yes\n",
                _ => "offer: redact, object\nforesees: yes\n",
            };
            blocks += "```\n\n";
        }
    }
    let (table, blocks) = (writ_policy::parse(&table), writ_policy::parse(&document(&blocks)));
    assert_eq!(table.model.unwrap().rules, blocks.model.unwrap().rules);
}

#[test]
fn other_is_what_a_table_does_not_list() {
    let of = |labels: &str, column: &str, caption: &str| {
        let body = format!("| x | {column} |\n|---|---|\n{labels}\nRule table: {caption}.");
        let parsed = writ_policy::parse(&document(&body));
        let said: Vec<_> =
            parsed.diagnostics.iter().map(|it| it.code.as_str()).filter(|it| *it != "opaque-undecided").collect();
        parsed.model.map_or(said.join(" "), |model| show(&model).lines().last().unwrap_or_default().to_owned())
    };
    insta::assert_snapshot!(
        [
            of("| who | x |\n", "x", "who by x"),
            of("| employee | block |\n| other | block |\n\n", "approved", "who by status"),
            of("| chatgpt, claude | block |\n| other | block |\n\n", "approved", "service by status"),
            of("| injection | block |\n| other | block |\n\n", "approved", "signal by status"),
            of("| plain | allow |\n| personal | block |\n| other | block |\n\n", "approved", "data by status"),
            of("| pii | allow |\n| other | block |\n\n", "approved", "data by status"),
            of("| public | allow |\n| other | block |\n\n", "approved", "level by status"),
            of("| yes | allow |\n| no | block |\n| other | block |\n\n", "pii", "cleared by data"),
        ]
        .join("\n")
    );
}

#[test]
fn rules_have_the_order_of_the_text() {
    let parsed = writ_policy::parse(SECTION_ONE);
    let rules = parsed.model.unwrap().rules;
    let mut numbers = std::collections::BTreeMap::new();
    for rule in &rules {
        let number = numbers.entry(rule.clause.clone()).or_insert(0);
        *number += 1;
        assert_eq!(rule.number, *number);
    }
    let clauses: Vec<&str> = rules.iter().map(|rule| rule.clause.as_str()).collect();
    let mut order = clauses.clone();
    order.dedup();
    assert_eq!(order, ["health", "matrix", "files"]);
}

#[test]
fn keys_of_an_exception_are_read_as_in_a_rule() {
    let vocabulary = writ_policy::parse(SECTION_ONE).vocabulary;
    let keys = |pairs: &[(&str, &str)]| {
        let map = pairs.iter().map(|(key, terms)| ((*key).to_owned(), (*terms).to_owned())).collect();
        match vocabulary.read_keys(&map) {
            Ok(keys) => show_keys(&keys),
            Err(problems) => problems.iter().map(|it| it.message.clone()).collect::<Vec<_>>().join("; "),
        }
    };
    assert_eq!(keys(&[("group", "research"), ("data", "phi (few)")]), "data phi(few), group research");
    assert_eq!(keys(&[("group", "reserch")]), "no group is called `reserch`");
    assert_eq!(keys(&[("gruop", "research")]), "`gruop` is no key");
}

/// One line a rule, in words.
fn show(model: &PolicyModel) -> String {
    let mut page = String::new();
    for (who, effect) in &model.postures {
        let _ = writeln!(page, "posture {who} {}", effect.as_str());
    }
    for (class, it) in &model.classes {
        let _ = writeln!(page, "class {class} {} few {} bulk {}", it.level, it.few, it.bulk);
    }
    for control in &model.controls {
        let _ = writeln!(page, "{control:#?}");
    }
    for clause in &model.clauses {
        let _ = writeln!(page, "clause {} {:?} {:?} {}", clause.id, clause.number, clause.title, clause.mode);
    }
    for rule in &model.rules {
        let _ = writeln!(page, "{}", show_rule(rule));
    }
    page
}

fn show_rule(rule: &Rule) -> String {
    let mut line = format!("{}/{}: {} -> {}", rule.clause, rule.number, show_keys(&rule.keys), rule.then.as_str());
    let mut say = |text: String| line = format!("{line}; {text}");
    if rule.redact {
        say("redact".to_owned());
    }
    if rule.foresees {
        say("foresees".to_owned());
    }
    if rule.ask_level {
        say("ask level".to_owned());
    }
    if !rule.fail_closed {
        say("fail open".to_owned());
    }
    for keys in &rule.unless {
        say(format!("unless {}", show_keys(keys)));
    }
    if !rule.override_roles.is_empty() {
        say(format!("override {:?}", rule.override_roles));
    }
    if !rule.offers.is_empty() {
        say(format!("offers {:?}", rule.offers));
    }
    if let Some(severity) = rule.severity {
        say(severity.to_string());
    }
    if rule.every_seconds != 86_400 {
        say(format!("every {} s", rule.every_seconds));
    }
    if !rule.because.is_empty() {
        say(format!("because {:?}", rule.because));
    }
    if let Some(why) = &rule.why {
        say(format!("why {why:?}"));
    }
    line
}

fn show_keys(keys: &Keys) -> String {
    keys.tests.iter().map(show_test).collect::<Vec<_>>().join(", ")
}

fn show_test(test: &KeyTest) -> String {
    let value = |value: &KeyValue| match (value, test.dimension.spec().values) {
        (KeyValue::Closed(index), Values::Closed(values)) => values[usize::from(*index)].name.to_owned(),
        (KeyValue::Class { class, band, certainty }, _) => {
            let words = [band.map(|it| it.as_str()), certainty.map(|it| it.as_str())];
            let words: Vec<_> = words.into_iter().flatten().collect();
            if words.is_empty() { class.to_string() } else { format!("{class}({})", words.join(" ")) }
        }
        (KeyValue::Open(name), _) => name.to_string(),
        (other, _) => format!("{other:?}"),
    };
    let values: Vec<_> = test.values.iter().map(value).collect();
    format!("{}{} {}", test.dimension.key(), if test.not { " not" } else { "" }, values.join("|"))
}
