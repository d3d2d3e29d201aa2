//! `writ policy check`.

use insta::assert_snapshot;

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

```rule
data:     payment
then:     allow
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
