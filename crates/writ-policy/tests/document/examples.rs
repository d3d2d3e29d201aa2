//! Examples: whose facts they have, and how they are judged.

use writ_model::{Dimension, Facts, Status, Who};
use writ_policy::example::{Example, ExampleKind, example_facts, judge};

use super::document;

fn examples(source: &str) -> Vec<Example> {
    let parsed = writ_policy::parse(source);
    assert!(parsed.model.is_some(), "{}", super::rendered(source));
    parsed.examples
}

fn in_front(situation: &str, body: &str) -> String {
    document(body).replace("writ: 1\n", &format!("writ: 1\nsituation: {situation}\n"))
}

fn facts(facts: &Facts) -> String {
    serde_json::to_string(facts).unwrap()
}

#[test]
fn facts_come_from_the_example_then_the_rule_then_the_front_matter() {
    let source = in_front(
        "contractor at claude (team), channel ide, device managed",
        "```rule\nwho: employee, vendor\nstatus: not approved\ndata: pii\ncleared: no\nthen: block\nviolates:\n  - \"a\"\n  - \"b\" \
         as: vendor at chatgpt, status retired, unreadable timeout\n```",
    );
    let all = examples(&source);
    let (plain, stated) = (example_facts(&all[0]), example_facts(&all[1]));
    assert_eq!(plain.who.known(), Some(&Who::Employee), "the rule's first value, as the usual one does not fit");
    assert_eq!(plain.status.known(), Some(&Status::Discovered), "the first value that is not excluded");
    assert_eq!((stated.who.known(), stated.status.known()), (Some(&Who::Vendor), Some(&Status::Retired)));
    for dimension in [Dimension::Data, Dimension::Level, Dimension::Activity, Dimension::Signal] {
        assert!(plain.pending(dimension), "{}", dimension.key());
    }
    insta::assert_snapshot!(format!("{}\n{}", facts(&plain), facts(&stated)));
}

#[test]
fn a_usual_value_that_fits_the_rule_is_kept() {
    let source = in_front(
        "employee, identity shared, group sales",
        "```define\ngroups: sales, legal\n```\n\n```rule\nidentity: password\ngroup: not legal\nthen: block\nviolates: \"x\"\n```",
    );
    let facts = example_facts(&examples(&source)[0]);
    assert_eq!(serde_json::to_value(&facts).unwrap()["identity"], "shared");
    assert_eq!(serde_json::to_value(&facts).unwrap()["group"], serde_json::json!(["sales"]));
}

#[test]
fn cleared_is_what_the_rule_asks() {
    let cleared = |word: &str| {
        let body = format!("```rule\ndata: phi, pii\ncleared: {word}\nthen: block\nviolates: \"x\"\n```");
        example_facts(&examples(&document(&body))[0]).cleared.known().unwrap().len()
    };
    assert_eq!((cleared("no"), cleared("yes")), (0, 2));
}

#[test]
fn an_example_is_judged_by_whether_its_rule_applies() {
    let source = document("```rule\ndata: pii\nthen: block\nviolates: \"x\"\ncomplies: \"y\"\n```");
    let all = examples(&source);
    assert_eq!((all[0].kind, all[1].kind), (ExampleKind::Violates, ExampleKind::Complies));
    assert!(judge(&all[0], true).is_ok() && judge(&all[1], false).is_ok());
    let said = [judge(&all[0], false), judge(&all[1], true)].map(|it| it.unwrap_err().to_string());
    assert_eq!(
        said,
        [
            "rule 1 of clause `clause` does not apply to this example of `violates`",
            "rule 1 of clause `clause` applies to this example of `complies`",
        ]
    );
}
