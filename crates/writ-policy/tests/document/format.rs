//! The canonical layout.

use proptest::prelude::*;
use proptest::sample::Index;
use writ_policy::eval::Policy;
use writ_policy::{Parsed, format, parse};

use super::document;

const VALID: &str = include_str!("fixtures/section-one.md");
const GENERAL: &str = include_str!("../../../../catalog/policies/general.md");

/// What a reader of the policy sees of a text: everything but places and layout.
fn meaning(parsed: &Parsed) -> impl PartialEq + std::fmt::Debug + use<> {
    let said: Vec<_> = parsed.diagnostics.iter().map(|it| (it.code, it.message.clone(), it.help.clone())).collect();
    let rows = parsed.model.clone().map(|model| Policy::compile(model, parsed.hash).map(|policy| policy.rows_hash()));
    let examples: Vec<_> = parsed.examples.iter().map(|it| (it.text.clone(), it.stated.clone())).collect();
    let model = parsed.model.clone();
    (said, model, rows, examples, parsed.definitions.terms.clone(), parsed.definitions.harmless.clone())
}

fn check(source: &str) -> String {
    let formatted = format(source).unwrap();
    assert_eq!(format(&formatted).as_ref(), Ok(&formatted), "layout is stable");
    assert_eq!(meaning(&parse(source)), meaning(&parse(&formatted)), "layout changes no meaning");
    formatted
}

#[test]
fn untidy_blocks_and_tables_become_tidy() {
    let source = "---
writ:   1
owners:   security: head of security,
     legal:   \"Bo Chen, counsel\"
quorum: security
---

Prose stays   as it is,
whatever   it holds.

## 1 Clause {#clause}


````rule
data: pii,phi (bulk,certain) ,  credentials   # three classes
status:   not approved,
 conditional # and more
# a remark


then: block
violates:
- \"Keep   two spaces, a,b\"
      as:  contractor
  - \"second\"
why:   Because.


````

- a list
  ~~~rule
  who: agent
  severity:   minor
  then: block
  ~~~

|x|approved|other|
|:--|:-:|-|
|plain|allow|coach|
| pii,phi | redact |  block|
|other|block|block|

Rule table: data by status.   Why: As it is.

| Word | Meaning |
|-|-|
| a | stays |

```
code:   stays
```
";
    insta::assert_snapshot!(check(source));
}

#[test]
fn what_is_tidy_stays() {
    let general = check(GENERAL);
    assert!(general == GENERAL, "catalog/policies/general.md is not in canonical layout; run `writ policy fmt` on it");
}

#[test]
fn line_ends_stay_as_they_are() {
    let source = VALID.replace('\n', "\r\n");
    let formatted = check(&source);
    assert_eq!(formatted.matches("\r\n").count(), formatted.matches('\n').count());
    assert_eq!(formatted.replace("\r\n", "\n"), check(VALID));
}

#[test]
fn an_included_file_has_no_front_matter() {
    assert_eq!(
        format("## 1 A {#a}\n\n```rule\nthen:   block\n```\n").unwrap(),
        "## 1 A {#a}\n\n```rule\nthen: block\n```\n"
    );
}

#[test]
fn nothing_is_moved_where_a_block_cannot_be_read() {
    let source = document("```rule\ndata: pii\nThis is no key.\n  then: block\n```");
    let said: Vec<_> = format(&source).unwrap_err().iter().map(|it| it.code.as_str()).collect();
    assert_eq!(said, ["malformed-block", "malformed-block"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// Spaces between words, around commas and before lines, comments and empty lines: layout, wherever they stand.
    #[test]
    fn a_document_in_any_layout_keeps_its_meaning(changes in proptest::collection::vec((any::<Index>(), 0..6_u8), 1..12)) {
        let mut lines: Vec<String> = VALID.lines().map(str::to_owned).collect();
        for (at, kind) in changes {
            let at = at.index(lines.len());
            let line = &lines[at];
            lines[at] = match kind {
                0 => format!("{line}   "),
                1 => line.replace(", ", "  ,  "),
                2 => line.replacen(": ", ":     ", 1),
                3 => line.replace("| ", "|    "),
                4 => format!("{line}  # remark"),
                _ => format!("{line}\n"),
            };
        }
        let source = lines.join("\n");
        if let Ok(formatted) = format(&source) {
            prop_assert_eq!(meaning(&parse(&source)), meaning(&parse(&formatted)));
            prop_assert_eq!(format(&formatted), Ok(formatted));
        }
    }

    #[test]
    fn any_text_is_laid_out_or_refused(text in "[a-z:,\"(#|`\\- \\n]{0,300}") {
        let source = format!("---\nwrit: 1\n---\n\n# A {{#a}}\n\n```rule\n{text}\n```\n\n{text}\n");
        if let Ok(formatted) = writ_policy::format(&source) {
            prop_assert_eq!(meaning(&parse(&source)), meaning(&parse(&formatted)));
            prop_assert_eq!(writ_policy::format(&formatted), Ok(formatted));
        }
    }
}
