//! `writ policy`: check, test, fmt, translate, seal.

use insta::assert_snapshot;
use serde_json::{Value, json};
use writ_policy::diagnostic::{ENTRIES, Example};

use crate::Folder;

pub(crate) const GOOD: &str = r#"---
writ: 1
title: Small policy
organisation: Northwind
language: en
version: 1
owners:
  security: head of security
posture: employee coach, other block
situation: employee at chatgpt, identity password, channel api, action submit, status approved
---

# Small policy

## 1 What may go where {#matrix}

This table is the rule.

| What is in it | approved | other |
|---------------|----------|-------|
| plain         | allow    | coach |
| contact, pii  | redact   | block |
| other         | allow    | block |

Rule table: data by status. Severity: moderate.

## 2 Payment {#payment}

Card numbers do not leave.

```rule
data:     payment
then:     block
override: security
severity: serious
why:      Whoever has a card number can use it.
violates:
  - "Charge 4111 1111 1111 1111 today."
complies:
  - "How do we charge cards?"
```

## 3 Plans {#plans}

Project Bluebird needs a reason.

```define
class: plans
means: the project
words: bluebird
```

```rule
data:     plans
then:     justify
foresees: yes
severity: minor
why:      Bluebird is not public.
violates:
  - "What is new about Bluebird?"
```

```rule
signal:   opaque
then:     block
severity: minor
why:      What cannot be read cannot be checked.
```
"#;

#[test]
fn a_good_policy_runs() {
    assert_snapshot!(Folder::new(&[("policy.md", GOOD)]).writ(&["policy", "check", "policy.md"]));
}

#[test]
fn diagnostics_say_what_where_and_what_next() {
    let bad = GOOD
        .replace("then:     block\noverride", "then:     blok\noverride")
        .replace("data:     plans", "data:     plan");
    let folder = Folder::new(&[("policy.md", &bad)]);
    assert_snapshot!(folder.writ(&["policy", "check", "policy.md"]));
}

#[test]
fn warnings_are_diagnostics_too() {
    let warned = GOOD.replace("signal:   opaque\n", "signal:   injection\n");
    assert_snapshot!(Folder::new(&[("policy.md", &warned)]).writ(&["policy", "check", "policy.md"]));
}

#[test]
fn examples_are_run_with_real_detection() {
    let wrong = GOOD
        .replace("4111 1111 1111 1111", "4111 1111 1111 1112")
        .replace("How do we charge cards?", "Charge 5500 0000 0000 0004 today.");
    let folder = Folder::new(&[("policy.md", &wrong)]);
    assert_snapshot!(folder.writ(&["policy", "check", "policy.md"]));
    assert_snapshot!("examples_as_json", folder.writ(&["policy", "check", "policy.md", "--json"]));
    assert_snapshot!("examples_tested", folder.writ(&["policy", "test", "policy.md"]));
    assert_snapshot!("examples_of_a_clause", folder.writ(&["policy", "test", "policy.md", "--clause", "plans"]));
    assert_snapshot!("no_such_clause", folder.writ(&["policy", "test", "policy.md", "--clause", "plan"]));
    let (code, out, _) = folder.run(&["policy", "test", "policy.md", "--json"], "");
    let page: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &page["ok"]), (1, &json!(false)));
    assert_eq!(
        page["clauses"][0],
        json!({ "clause": "payment", "number": "2", "title": "Payment", "examples": 2, "passed": 0 })
    );
    let failed = &page["examples"][1];
    assert_eq!((&failed["kind"], &failed["passed"]), (&json!("complies"), &json!(false)));
    assert_eq!(failed["verdict"]["effect"], "block");
    assert_eq!(failed["facts"]["data"]["payment"]["certain"], 1);
}

#[test]
fn all_examples_of_a_good_policy_pass() {
    assert_snapshot!(Folder::new(&[("policy.md", GOOD)]).writ(&["policy", "test", "policy.md"]));
}

/// The examples of the reference page that need detection.
#[test]
fn examples_of_diagnostics_that_need_detection_have_them() {
    let run = ENTRIES.iter().filter(|entry| matches!(entry.example, Example::Run(_)));
    for entry in run {
        let folder = Folder::new(&[("policy.md", &entry.example.document())]);
        let (_, out, _) = folder.run(&["policy", "check", "policy.md", "--json"], "");
        let page: Value = serde_json::from_str(&out).unwrap();
        let said: Vec<_> =
            page["diagnostics"].as_array().unwrap().iter().map(|it| it["code"].as_str().unwrap()).collect();
        assert_eq!(said, [entry.code.as_str()]);
    }
}

#[test]
fn what_is_not_searched_is_said_and_is_no_fault() {
    let defined = GOOD.replace(
        "words: bluebird\n",
        "words: bluebird\nfingerprints: plans/\n```\n\n```define sealed\nclass: plans\nkept-by: security\nepoch: 1\ndigests:\n  \
         - 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n```\n\n```define\nharmless: 192.0.2.0/24\n",
    );
    let defined =
        defined.replace("data:     plans\nthen:     justify", "data:     plans, privileged\nthen:     justify");
    assert_snapshot!(Folder::new(&[("policy.md", &defined)]).writ(&["policy", "check", "policy.md"]));
}

#[test]
fn layout_is_checked_and_mended_without_a_change_of_meaning() {
    let untidy = GOOD
        .replace("| contact, pii  | redact", "|contact,pii|redact")
        .replace("severity: serious", "severity:   serious");
    let folder = Folder::new(&[("policy.md", &untidy), ("good.md", GOOD), ("bad.md", "```rule\nthen block\n```\n")]);
    assert_snapshot!("fmt_check", folder.writ(&["policy", "fmt", "--check", "good.md", "policy.md"]));
    assert_snapshot!("fmt", folder.writ(&["policy", "fmt", "policy.md"]));
    assert_snapshot!("fmt_refused", folder.writ(&["policy", "fmt", "bad.md"]));
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    assert_eq!(read("policy.md"), read("good.md"));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3, "nothing is left beside the files");
}

#[test]
fn language_versions_are_drafted_confirmed_and_checked() {
    let folder = Folder::new(&[("policy.md", GOOD)]);
    let draft = ["policy", "translate", "policy.md", "--draft", "policy.de.md", "--language", "de"];
    assert_snapshot!("translate_draft", folder.writ(&draft));
    assert_snapshot!("translate_draft_again", folder.writ(&draft));
    let check = ["policy", "check", "policy.md", "--translation", "policy.de.md"];
    assert_snapshot!("translation_unconfirmed", folder.writ(&check));
    let confirm = |more: &[&str]| {
        folder.writ(&[&["policy", "translate", "policy.md", "--confirm", "policy.de.md"][..], more].concat())
    };
    assert_snapshot!("translate_unknown_clause", confirm(&["plan"]));
    assert_snapshot!("translate_confirm", confirm(&["--all"]));
    assert_snapshot!("translation_current", folder.writ(&check));
    let changed = GOOD.replace("Card numbers do not leave.", "Card numbers never leave.");
    std::fs::write(folder.path().join("policy.md"), changed).unwrap();
    assert_snapshot!("translation_stale", folder.writ(&check));
    assert_snapshot!("translation_alone", folder.writ(&["policy", "check", "policy.de.md"]));
}

/// The shape that the standard demands (SARIF 2.1.0, sections 3.13 to 3.30), and places that editors find.
#[test]
fn sarif_has_the_shape_that_readers_expect() {
    let including = format!("{GOOD}\n```include\nfile: more file.md\n```\n");
    let more = "## 4 More {#plans}\n\n```rule\ndata: p\u{e4}yment, payment\nthen: blok\n```\n";
    let folder = Folder::new(&[("policy.md", &including), ("more file.md", more)]);
    let (code, out, _) = folder.run(&["policy", "check", "policy.md", "--sarif"], "");
    assert_eq!(code, 1);
    let log: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&log["version"], log["runs"].as_array().unwrap().len()), (&json!("2.1.0"), 1));
    assert!(log["$schema"].as_str().unwrap().ends_with("sarif-schema-2.1.0.json"));
    let run = &log["runs"][0];
    assert_eq!(run["columnKind"], "unicodeCodePoints");
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    assert!(!run["tool"]["driver"]["name"].as_str().unwrap().is_empty());
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 3, "{out}");
    for result in results {
        let rule = &rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
        assert_eq!(rule["id"], result["ruleId"]);
        assert!(["error", "warning", "note"].contains(&result["level"].as_str().unwrap()));
        assert_eq!(rule["defaultConfiguration"]["level"], result["level"]);
        assert!(rule["shortDescription"]["text"].as_str().unwrap().ends_with('.'));
        assert!(result["message"]["text"].as_str().unwrap().ends_with(['.', '?']));
        for location in
            result["locations"].as_array().unwrap().iter().chain(result["relatedLocations"].as_array().unwrap())
        {
            let region = &location["physicalLocation"]["region"];
            let at = |line: &str, column: &str| (region[line].as_u64().unwrap(), region[column].as_u64().unwrap());
            assert!(
                at("startLine", "startColumn") >= (1, 1)
                    && at("startLine", "startColumn") <= at("endLine", "endColumn")
            );
        }
    }
    let effect = results.iter().find(|result| result["ruleId"] == "unknown-value").unwrap();
    let place = &effect["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "more%20file.md");
    assert_eq!(
        place["region"],
        json!({ "startLine": 5, "startColumn": 7, "endLine": 5, "endColumn": 11, "snippet": { "text": "blok" } })
    );
    let twice = results.iter().find(|result| result["ruleId"] == "duplicate-name").unwrap();
    assert_eq!(twice["relatedLocations"][0]["physicalLocation"]["artifactLocation"]["uri"], "policy.md");
    assert_eq!(twice["relatedLocations"][0]["id"], 1);
}

#[test]
fn included_files_and_dictionaries_are_read() {
    let including = GOOD.replace("words: bluebird", "dictionary: names.txt");
    let including = format!("{including}\n```include\nfile: more.md\n```\n");
    let more = "## 4 More {#more}\n\nThis stands in another file.\n\nMode: text-only. Reason: It is an example.\n";
    let folder = Folder::new(&[("policy.md", &including), ("more.md", more), ("names.txt", "Bluebird\n")]);
    assert_snapshot!(folder.writ(&["policy", "check", "policy.md"]));
    std::fs::remove_file(folder.path().join("more.md")).unwrap();
    assert_snapshot!("an_included_file_is_missing", folder.writ(&["policy", "check", "policy.md"]));
}
