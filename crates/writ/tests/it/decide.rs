//! `writ decide`.

use insta::assert_snapshot;

use crate::Folder;
use crate::policy::GOOD;

const SERVICES: &str =
    "[[vetting]]\nservice = \"chatgpt\"\ntier = \"unknown\"\nstatus = \"approved\"\ncleared = [\"contact\"]\n";
const STANDING: &str = r#"{"rollout": [{"id": "rol_0198c0de000070008000000000000001", "clause": "payment", "ring": "everyone",
    "step": "coach", "from": 0, "until": 9000000000000000000, "approved-by": "head of security"}]}"#;

fn folder() -> Folder {
    Folder::new(&[("policy.md", GOOD), ("services.toml", SERVICES), ("standing.json", STANDING)])
}

const EMPLOYEE: &[&str] =
    &["decide", "--policy", "policy.md", "--services", "services.toml", "--as", "employee", "--service", "chatgpt"];

fn decide(more: &[&str], input: &str) -> String {
    folder().writ_with(&[EMPLOYEE, more].concat(), input)
}

#[test]
fn plain_text_is_allowed() {
    assert_snapshot!(decide(&["--text", "-"], "What is a monad?"));
}

#[test]
fn a_person_is_redacted() {
    assert_snapshot!(decide(&["--text", "-"], "Write to ana.diaz@kestrel-labs.com and bo@kestrel-labs.com"));
}

#[test]
fn a_card_is_blocked_by_its_clause() {
    assert_snapshot!(decide(&["--text", "-"], "Charge 4111 1111 1111 1111 today."));
}

#[test]
fn own_terms_need_a_reason() {
    assert_snapshot!(decide(&["--text", "-"], "What is new about Bluebird?"));
}

#[test]
fn full_and_enforced_differ_under_a_roll_out() {
    assert_snapshot!(decide(&["--text", "-", "--standing", "standing.json"], "Charge 4111 1111 1111 1111 today."));
}

#[test]
fn the_posture_decides_what_nothing_foresees() {
    let folder = folder();
    let silent = GOOD.replace("| other         | allow    | block |\n", "");
    std::fs::write(folder.path().join("silent.md"), silent).unwrap();
    let decide = |more: &[&str]| folder.writ(&[&["decide", "--policy", "silent.md"][..], more].concat());
    assert_snapshot!(decide(&["--facts", r#"{"data": ["phi"]}"#]));
    assert_snapshot!("the_posture_of_a_vendor", decide(&["--as", "vendor", "--facts", r#"{"data": {"phi": 12}}"#]));
}

#[test]
fn facts_override_everything() {
    let facts = r#"{"who": "contractor", "data": {"pii": {"likely": 3, "certain": 1}}, "decided-at": 0}"#;
    assert_snapshot!(decide(&["--json", "--text", "-", "--facts", facts], "Charge 4111 1111 1111 1111 today."));
}

#[test]
fn errors_name_the_nearest_word() {
    let calls: &[&[&str]] = &[
        &["--as", "contracter"],
        &["--service", "chatgbt"],
        &["--tier", "team"],
        &["--facts", "{\"dat\": []}"],
        &["--facts", "{\"who\": \"nobody\"}"],
        &["--facts", "[]"],
        &["--facts", "@missing.json"],
        &["--text", "missing.txt"],
        &["--standing", "policy.md"],
    ];
    let folder = folder();
    let decide = |call: &&[&str]| folder.writ(&[&["decide", "--policy", "policy.md"], *call].concat());
    let pages: Vec<_> = calls.iter().map(decide).collect();
    assert_snapshot!(pages.join("\n"));
}
