//! What people see when something is wrong.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use writ_policy::{Code, Gravity};

use super::{document, rendered};

/// A name, and the body of a clause with faults.
const RULES: &[(&str, &str)] = &[
    ("misspelt key", "```rule\ndtaa: pii\nthen: block\n```"),
    ("misspelt class", "```rule\ndata: pii, finanical\nthen: block\n```"),
    ("value of another dimension", "```rule\nwho: approved\nthen: block\n```"),
    ("misspelt value", "```rule\nstatus: in-reveiw\nthen: block\n```"),
    ("unknown kind of a signal", "```rule\nsignal: opaque (imge)\nthen: block\n```"),
    ("no effect", "```rule\ndata: pii\n```"),
    ("two effects", "```rule\ndata: pii\nthen: coach, redact\n```"),
    ("misspelt effect", "```rule\ndata: pii\nthen: blok\n```"),
    ("level unstated", "```rule\nlevel: unstated\nthen: block\n```"),
    ("not on cleared", "```rule\ndata: pii\ncleared: not no\nthen: block\n```"),
    ("cleared without data", "```rule\ncleared: no\nthen: block\n```"),
    ("redact plain", "```rule\ndata: plain\nthen: redact\n```"),
    ("redact nothing", "```rule\nstatus: denied\nthen: redact\n```"),
    ("redact beside block", "```rule\ndata: pii\nredact: yes\nthen: block\n```"),
    ("not any", "```rule\ndata: not any\nthen: block\n```"),
    ("justify an answer", "```rule\naction: receive\nthen: justify\n```"),
    ("not in the middle", "```rule\nwho: employee, not agent\nthen: block\n```"),
    ("key twice", "```rule\nwho: employee\nwho: agent\nthen: block\n```"),
    ("both senses are fine", "```rule\ndata: pii\ndata: not phi\nthen: block\n```"),
    ("value twice", "```rule\ndata: personal, pii\nthen: block\n```"),
    ("ordered values", "```rule\nlevel: internal, restricted\nthen: block\n```"),
    ("unknown band", "```rule\ndata: pii (many)\nthen: block\n```"),
    ("undefined group", "```rule\ngroup: research\nthen: block\n```"),
    ("override of coach", "```rule\ndata: pii\nthen: coach\noverride: lead\n```"),
    ("role without owner", "```rule\ndata: pii\nthen: block\noverride: lead\n```"),
    ("unknown offer", "```rule\ndata: pii\nthen: block\noffer: redract\n```"),
    ("redirect to nowhere", "```rule\ndata: pii\nthen: block\noffer: redirect\n```"),
    ("odd time", "```rule\ndata: pii\nthen: coach\nevery: 3 moons\n```"),
    ("unless with a wrong key", "```rule\ndata: pii\nthen: block\nunless: gruop research\n```"),
    (
        "too many carve-outs",
        "```rule\ndata: pii\nthen: block\nunless:\n  - who agent, device managed, account corporate, channel ide, origin unknown\n  \
         - who agent, device managed, account corporate, channel ide\n  - who agent, device managed, account corporate, channel ide\n```",
    ),
    ("ask for a level without upload", "```rule\nask: level\n```"),
    ("allow with carve-out", "```rule\ndata: pii\nthen: allow\nunless: who agent\nviolates: \"x\"\n```"),
    ("example without quotes", "```rule\ndata: pii\nthen: block\nviolates:\n  - Call me\n  - \"open\n```"),
    ("example that states its data", "```rule\ndata: pii\nthen: block\nviolates:\n  - \"x\" as: agent, data pii\n```"),
    (
        "example that always complies",
        "```rule\nwho: contractor\ndata: pii\nthen: block\ncomplies:\n  - \"x\" as: employee\n```",
    ),
    ("swallowed carve-out", "```rule\ndata: pii\nthen: block\nwhy: It is so.\n  unless: who agent\n```"),
    ("not key and terms", "```rule\ndata: pii\nThen: block\n  then: block\n```"),
];

const DOCUMENTS: &[(&str, &str)] = &[
    ("misspelt block", "```rul\ndata: pii\n```"),
    ("open block", "```rule\ndata: pii\nthen: block"),
    ("block in a list", "- ```rule\n  data: pii\n  ```"),
    ("html", "Text <b>bold</b> and <!-- hidden --> but 3 < 4, `<b>` and <https://example.com>."),
    ("link definition", "[//]: # (hidden)"),
    ("invisible", "a\u{200b}b \u{202e}c"),
    ("underlined heading", "Title\n====="),
    ("heading id", "## Two {#Two Words}\n\n## Three {#three} more\n\n## Posture {#posture}"),
    ("clause twice", "## Again {#clause}"),
    ("promise", "You must not do this."),
    ("promise kept below", "You must not do this.\n\n### 1.1 Below {#below}\n\n```rule\ndata: pii\nthen: block\n```"),
    ("promise without clause", "# Heading\n\nThis is prohibited."),
    ("rule without clause", "# Heading\n\n```rule\ndata: pii\nthen: block\n```"),
    ("mode without rule", "Mode: enforced."),
    ("text only without reason", "Mode: text-only."),
    (
        "mode by a clause that is not there",
        "Mode: process by #trainig.\n\n## 2 T {#training}\n\n```control training\n```",
    ),
    ("detected but stops", "Mode: detected.\n\n```rule\ndata: pii\nthen: block\n```"),
    ("unknown mode", "Mode: enforce."),
    ("control", "```control trainning\na: b\n```\n\n```control\na: b\n```"),
    ("prove", "```prove\nsometimes: x\n```"),
    ("include", "```include\nfile: a.md\n```"),
    ("caption without table", "Rule table: data by status."),
    (
        "caption that would not run",
        "| x | approved |\n|---|---|\n| pii | block |\n\nThis table runs.\nRule table: data by status.\n\n**Rule table:** x\n\nmode: enforced",
    ),
    (
        "caption without a full stop",
        "| x | approved |\n|---|---|\n| pii | block |\n\nRule table: data by status. Why: It is so\nOverride: lead.",
    ),
    ("table without caption", "| x | approved |\n|---|---|\n| pii | block |"),
    ("dimensions", "| x | approved |\n|---|---|\n| pii | block |\n\nRule table: data and status."),
    ("unknown dimension", "| x | approved |\n|---|---|\n| pii | block |\n\nRule table: data by stauts."),
    (
        "cells",
        "| x | approved | approved | denied |\n|---|---|---|---|\n| pii | blok | | allow |\n| plain | redact | block |\n\n\
         Rule table: data by status. Then: block. Severty: minor. Why: A reason.",
    ),
    ("level unstated in a cell", "| x | unstated |\n|---|---|\n| approved | block |\n\nRule table: status by level."),
    (
        "define",
        "```define\nclas: x\n```\n\n```define\nclass: x\nwords: a\nlevell: public\n```\n\n```define\nclass: x\nwords: b\n```",
    ),
    ("empty class", "```define\nclass: x\nlevel: secret\nbands: few 5, bulk 3\n```"),
    ("expression", "```define\nclass: x\nexpressions:\n  - \"[a-\"\n  - \"a*\"\n```"),
    ("sealed", "```define sealed\nclass: x\nwords: heron\ndigests:\n  - heron\n```"),
    (
        "class group",
        "```define\nclass-group: personal\nclasses: pii\n```\n\n```define\nclass-group: mine\nclasses: pi\n```",
    ),
];

const FRONTS: &[(&str, &str)] = &[
    ("nothing", "# Title\n"),
    ("open", "---\nwrit: 1\n"),
    ("no version", "---\ntitle: x\n---\n"),
    ("wrong values", "---\nwrit: 2\nlanguage: English\neffective: 2027-02-30\ngaps: no\nquorum: Head of IT\n---\n"),
    ("misspelt key", "---\nwrit: 1\norganization: x\n# comment\nwrit: 1\n---\n"),
    ("postures", "---\nwrit: 1\nposture: employee justify, contracter block, agent block, agent coach\n---\n"),
    ("dates", "---\nwrit: 1\neffective: 2027-01-01\nnext-review: 2026-01-01\n---\n"),
    ("situation", "---\nwrit: 1\nsituation: employe on chatgpt, level public, status not denied, x\n---\n"),
];

fn page(cases: impl Iterator<Item = (&'static str, String)>) -> String {
    let mut page = String::new();
    for (name, source) in cases {
        // The warning about opaque kinds, which every short document has, is shown once.
        let parsed = writ_policy::parse(&source);
        let said = parsed.diagnostics.iter().filter(|it| it.code != Code::OpaqueUndecided);
        let said: Vec<_> = said.map(|it| it.render(&source, "policy.md")).collect();
        let said = if said.is_empty() { "nothing is wrong\n".to_owned() } else { said.join("\n") };
        let _ = write!(page, "=== {name}\n{said}\n");
    }
    page
}

#[test]
fn faults_of_rules() {
    insta::assert_snapshot!(page(RULES.iter().map(|(name, body)| (*name, document(body)))));
}

#[test]
fn faults_of_documents() {
    insta::assert_snapshot!(page(DOCUMENTS.iter().map(|(name, body)| (*name, document(body)))));
}

#[test]
fn faults_of_front_matter() {
    insta::assert_snapshot!(page(FRONTS.iter().map(|(name, text)| (*name, (*text).to_owned()))));
}

#[test]
fn kinds_without_a_reader_need_a_row() {
    insta::assert_snapshot!(rendered(&document("```rule\nsignal: opaque (image), opaque (file)\nthen: block\n```")));
}

#[test]
fn every_code_is_said_by_some_fault() {
    let rules = RULES.iter().chain(DOCUMENTS).map(|(_, body)| document(body));
    let sources = rules.chain(FRONTS.iter().map(|(_, text)| (*text).to_owned()));
    let said: BTreeSet<Code> =
        sources.flat_map(|source| writ_policy::parse(&source).diagnostics).map(|it| it.code).collect();
    let missing: Vec<_> = Code::ALL.iter().filter(|code| !said.contains(code)).map(|code| code.as_str()).collect();
    assert_eq!(missing, [""; 0]);
}

#[test]
fn a_policy_with_an_error_has_no_model() {
    for (name, body) in RULES.iter().chain(DOCUMENTS) {
        let parsed = writ_policy::parse(&document(body));
        let errors = parsed.diagnostics.iter().any(|it| it.gravity == Gravity::Error);
        assert_eq!(parsed.model.is_none(), errors, "{name}");
    }
}

#[test]
fn programs_get_the_same_as_people() {
    let source = document("```rule\nwho: employee\nwho: agent\nthen: block\n```");
    let diagnostic =
        writ_policy::parse(&source).diagnostics.into_iter().find(|it| it.code == Code::DuplicateKey).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&diagnostic.to_json(&source, "policy.md")).unwrap());
}

#[test]
fn names_from_outside_tell_a_misspelt_service() {
    let names = writ_policy::words::Names { services: ["chatgpt".into()].into(), ..Default::default() };
    let source =
        document("```define\nservice: care-copilot\n```\n\n```rule\nservice: chatgtp, care-copilot\nthen: block\n```");
    let parsed = writ_policy::check::parse_with(&source, names);
    let said: Vec<_> = parsed.diagnostics.iter().filter(|it| it.code == Code::UndefinedName).collect();
    assert_eq!(said.len(), 1);
    assert_eq!(said[0].help.as_deref(), Some("did you mean `chatgpt`?"));
}
