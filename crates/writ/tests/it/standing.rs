//! `writ policy exception`, `writ rollout`, `writ policy explain` and `writ policy export`, without a server.

use insta::assert_snapshot;

use crate::Folder;
use crate::policy::GOOD;

const CONFIG: &str = "data-directory = \"data\"\npolicy = \"policy.md\"\nkey-encryption = { file = \"writ.key\" }\n";
const GROUPS: &str = "\n```define\ngroups: pilot, research\nmeans: groups of the directory\n```\n";

fn folder() -> Folder {
    Folder::new(&[("writ.toml", CONFIG), ("policy.md", &format!("{GOOD}{GROUPS}"))])
}

const GRANT: &[&str] = &[
    "policy",
    "exception",
    "grant",
    "--clause",
    "matrix",
    "--owner",
    "head of research",
    "--reason",
    "a trial",
    "--control",
    "public data only",
    "--approved-by",
    "security",
];

fn grant(more: &[&'static str]) -> Vec<&'static str> {
    [GRANT, more].concat()
}

#[test]
fn an_exception_is_granted_shown_and_withdrawn() {
    let folder = folder();
    let more =
        ["--when", "group: research", "--when", "status: in-review", "--until", "2260-01-01", "--from", "2259-12-01"];
    let mut pages = vec![folder.writ(&["policy", "exception", "list"])];
    let (code, out, err) = folder.run(&grant(&more), "");
    assert_eq!(code, 0, "{err}");
    let id = out.split(':').next().unwrap().to_owned();
    pages.push(folder.filtered(&out));
    pages.push(folder.writ(&["policy", "exception", "list"]));
    let (_, shown, _) = folder.run(&["policy", "exception", "show", &id[..12]], "");
    assert_eq!(shown, out);
    pages.push(folder.writ(&["policy", "exception", "withdraw", &id]));
    pages.push(folder.writ(&["policy", "exception", "withdraw", &id]));
    assert_snapshot!(pages.join("\n"));
}

#[test]
fn what_does_not_fit_is_refused_in_words() {
    let folder = folder();
    let calls: &[&[&str]] = &[
        &["--when", "group: reserch", "--days", "14"],
        &["--when", "colour: blue", "--days", "14"],
        &["--when", "group", "--days", "14"],
        &["--days", "0"],
        &["--days", "400"],
        &["--until", "2001-01-01"],
        &[],
    ];
    let mut pages: Vec<String> = calls.iter().map(|more| folder.writ(&[GRANT, more].concat())).collect();
    let mut beyond = vec!["policy", "exception", "grant", "--clause", "payment", "--owner", "o", "--reason", "r"];
    beyond.extend(["--control", "c", "--approved-by", "security", "--when", "data: pii", "--days", "14"]);
    pages.push(folder.writ(&beyond));
    let unknown =
        ["policy", "exception", "grant", "--clause", "matrx", "--owner", "o", "--reason", "r", "--control", "c"];
    pages.push(folder.writ(&[&unknown[..], &["--approved-by", "security", "--days", "1"]].concat()));
    pages.push(
        folder.writ(&[&unknown[..], &["--approved-by", "securty", "--days", "1"]].concat()).replace("matrx", "x"),
    );
    assert_snapshot!(pages.join("\n"));
}

#[test]
fn a_clause_moves_step_by_step_for_a_ring() {
    let folder = folder();
    let step = |word: &'static str, more: &[&'static str]| {
        let base =
            ["rollout", word, "payment", "--ring", "group:pilot", "--until", "2260-01-01", "--from", "2259-12-01"];
        folder.writ(&[&base[..], &["--approved-by", "security"], more].concat())
    };
    let pages = [
        folder.writ(&["rollout", "status"]),
        step("advance", &[]),
        step("back", &["--step", "observe"]),
        step("back", &[]),
        step("advance", &[]),
        folder.writ(&["rollout", "status"]),
        step("advance", &["--step", "observe"]),
        folder.writ(&["rollout", "status", "matrix"]),
        folder.writ(&[
            "rollout",
            "advance",
            "paiment",
            "--ring",
            "everyone",
            "--days",
            "1",
            "--approved-by",
            "security",
        ]),
        folder.writ(&["rollout", "advance", "payment", "--ring", "share:200%", "--days", "1", "--approved-by", "it"]),
        folder.writ(&[
            "rollout",
            "back",
            "payment",
            "--ring",
            "group:pilots",
            "--days",
            "1",
            "--approved-by",
            "security",
        ]),
    ];
    assert_snapshot!(pages.join("\n"));
}

#[test]
fn a_situation_is_explained_so_that_it_can_be_read_aloud() {
    let folder = folder();
    let explain = ["policy", "explain", "policy.md", "--as", "employee", "--service", "chatgpt", "--text", "-"];
    let mut pages = vec![folder.writ_with(&explain, "Charge 4111 1111 1111 1111 for ana.diaz@kestrel-labs.com")];
    pages.push(folder.writ_with(&explain, "What is a monad?"));
    assert_snapshot!(pages.join("\n"));
}

#[test]
fn the_compiled_form_is_exported() {
    let folder = folder();
    let (code, out, err) = folder.run(&["policy", "export", "policy.md", "--format", "json"], "");
    assert_eq!((code, err.as_str()), (0, ""));
    let export: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&export["format"], export["clauses"].as_array().unwrap().len()), (&1.into(), 3));
    assert_snapshot!("cedar", folder.writ(&["policy", "export", "policy.md", "--format", "cedar"]));
    let (code, schema, _) = folder.run(&["policy", "export", "policy.md", "--format", "cedar", "--schema"], "");
    assert!(code == 0 && schema.contains("action \"submit\", \"upload\""), "{schema}");
    let (code, _, err) = folder.run(&["policy", "export", "policy.md", "--format", "json", "--schema"], "");
    assert!(code == 2 && err.contains("`--schema` belongs to `--format cedar`"), "{err}");
}

#[test]
fn a_ledger_without_records_has_nothing_to_decide_again() {
    let folder = folder();
    assert_eq!(folder.run(&["keys", "list"], "").0, 0);
    let (code, out, err) = folder.run(&["ledger", "verify", "--redecide"], "");
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("decided again: the same: 0 equal, 0 different, of 0 decisions"), "{out}");
}
