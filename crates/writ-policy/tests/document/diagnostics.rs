//! What people see when something is wrong.

use std::fmt::Write as _;

use writ_policy::document::files::Files;
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
    (
        "more examples that always comply",
        "```rule\nwho: contractor\nsignal: injection\nthen: block\ncomplies: \"x\"\n```\n\n\
         ```rule\ndata: pii, phi\ncleared: no\nthen: block\ncomplies:\n  - \"x\" as: employee, cleared pii, cleared phi\n  - \"y\" as: employee, cleared pii\n```\n\n\
         ```rule\ndata: pii\nthen: block\nunless: who agent, identity password\ncomplies:\n  - \"x\" as: agent, identity strong\n  - \"y\" as: agent, identity shared\n```",
    ),
    (
        "keys that say nothing",
        "```rule\nwho: agent\nthen: block\nfail: open\n```\n\n```rule\ndata: pii\nthen: allow\noffer: object\nevery: hour\n```",
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
    ("sealed for nobody", "```define sealed\nclass: x\nkept-by: Legal team\nepoch: 0\ndigests: 00\n```"),
    (
        "projects",
        "```define\nprojects: Heron, heron\nclass: pi\n```\n\n```define\nprojects: Kite\n```\n\n```define\nprojects: Kite, kite\nclass: pii\n```",
    ),
    ("sources", "```define\nsource: a\n```\n\n```rule\ndata: pii\nthen: block\nbecause: gdpr-33, clause\n```"),
    (
        "references",
        "As clauses 1, 2 and 3.1 and section 9 say, [here](#clase). See section 1 of the Act, clause 5 of the contract, § 3.\n\nMode: text-only. Reason: See clause 7.",
    ),
    ("clause without a mode", "We are careful.\n\n## 2 Below {#below}\n\n### 2.1 Deeper {#deeper}\n\nWords."),
    (
        "incomplete tables",
        "| x | approved | denied |\n|---|---|---|\n| plain | allow | block |\n| personal, credentials | redact | block |\n\n\
         Rule table: data by status.\n\n```rule\nstatus: not approved, retired\nthen: coach\n```",
    ),
    (
        "class group",
        "```define\nclass-group: personal\nclasses: pii\n```\n\n```define\nclass-group: mine\nclasses: pi\n```",
    ),
];

const CONTROLS: &[(&str, &str)] = &[
    ("kinds", "```control trainning\na: b\n```\n\n```control\na: b\n```\n\n```control incident\n```"),
    ("nothing", "```control training\n```\n\n```control retention\nsubject: records\n```"),
    (
        "training",
        "```control training\nwho: employee, reserch\non: joining, yearly, material chnge, 3 days\nwithin: a month\npass: 120\nevery: 1 year\n\
         evidence: completion records\n```",
    ),
    (
        "key twice and text with commas",
        "```control review\nsubject: \"a\" b\nowner: lead\nowner: lead\nevery: each verson\nevidence: minutes, and more\n```",
    ),
    ("nobody reviews", "```control review\nsubject: a\nevery: each version\nevidence: minutes\n```"),
    (
        "ladder",
        "```control ladder\nsteps: note, lesson, talk, warning, termination\nautomatic: note, talk\ndecides: lead\nminor: note, lesson\n\
         moderate: talk, note\nserious: lesson\ncritical: warnin\napprovals: termination two\nwindow: 12 months\nappeal: 14 days\nevidence: reasons\n```",
    ),
    (
        "times that contradict each other",
        "```control incident-response\nowner: lead\ndeputy: lead\nreport: 4 days\nsteps: contain\nnotify: 72 hours\nevidence: timeline\n```\n\n\
         ```control reporting\nowner: lead\nmodes: named, anonymus\nreceipt: 3 months\nfeedback: 7 days\nevidence: dates\n```",
    ),
    (
        "kept too short",
        "```control monitoring-notice\nowner: lead\npurpose: safety\nrecords: time\ncontent: all\nreaders: officer\nretention: 90 days personal\n\
         evidence: register\n```\n\n```control monitoring-notice\nowner: lead\npurpose: safety\nrecords: time\ncontent: none\nreaders: officer\n\
         retention: 90 days personal, 6 months evidence\nevidence: register\n```\n\n```control attestation\nsubject: this\nwho: employee\n\
         on: every 12 months\nevidence: statement\n```",
    ),
    (
        "two ways to except",
        "```control exception-process\napproves: clause owner, lead\nlimit: 90 days\nevidence: register\n```\n\n```control exception-process\n\
         approves: deputy\nlimit: 1 year\nevidence: register\n```",
    ),
    ("swallowed key", "```control review\nsubject: a\n  owner: lead\nevery: 1 year\nevidence: minutes\n```"),
];

const FRONTS: &[(&str, &str)] = &[
    ("nothing", "# Title\n"),
    ("open", "---\nwrit: 1\n"),
    ("no version", "---\ntitle: x\n---\n"),
    ("wrong values", "---\nwrit: 2\nlanguage: English\neffective: 2027-02-30\ngaps: no\nquorum: Head of IT\n---\n"),
    ("misspelt key", "---\nwrit: 1\norganization: x\n# comment\nwrit: 1\n---\n"),
    ("postures", "---\nwrit: 1\nposture: employee justify, contracter block, agent block, agent coach\n---\n"),
    ("dates", "---\nwrit: 1\neffective: 2027-01-01\nnext-review: 2026-01-01\n---\n"),
    ("roles that sign", "---\nwrit: 1\nowners: legal: Bo Chen\nquorum: legal, security\n---\n"),
    ("situation", "---\nwrit: 1\nsituation: employe on chatgpt, level public, status not denied, x\n---\n"),
];

fn page(cases: impl Iterator<Item = (&'static str, String)>) -> String {
    let mut page = String::new();
    for (name, source) in cases {
        // Warnings that every short document has are shown once.
        let usual = |code: Code| match code {
            Code::OpaqueUndecided => true,
            Code::ClauseWithoutMode => name != "clause without a mode",
            _ => false,
        };
        let parsed = writ_policy::parse(&source);
        let said = parsed.diagnostics.iter().filter(|it| !usual(it.code));
        let said: Vec<_> = said.map(|it| it.render(&source, &Files::one("policy.md"))).collect();
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
fn faults_of_controls() {
    let in_document = |body: &str| document(body).replace("writ: 1\n", "writ: 1\nowners: lead: head of a team\n");
    insta::assert_snapshot!(page(CONTROLS.iter().map(|(name, body)| (*name, in_document(body)))));
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
fn a_policy_with_an_error_has_no_model() {
    for (name, body) in RULES.iter().chain(DOCUMENTS).chain(CONTROLS) {
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
    insta::assert_snapshot!(
        serde_json::to_string_pretty(&diagnostic.to_json(&source, &Files::one("policy.md"))).unwrap()
    );
}

#[test]
fn names_from_outside_tell_a_misspelt_service() {
    let names = writ_policy::words::Names { services: ["chatgpt".into()].into(), ..Default::default() };
    let source =
        document("```define\nservice: care-copilot\n```\n\n```rule\nservice: chatgtp, care-copilot\nthen: block\n```");
    let parsed = writ_policy::check::parse_with(&source, names);
    let said: Vec<_> = parsed.diagnostics.iter().filter(|it| it.code == Code::UndefinedName).collect();
    assert_eq!(said.len(), 1);
    assert_eq!(said[0].near.as_deref(), Some("chatgpt"));
}
