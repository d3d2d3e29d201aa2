//! What `--help` says, and what usage errors look like.

use insta::assert_snapshot;

use crate::Folder;

const COMMANDS: &[&[&str]] = &[
    &[],
    &["serve"],
    &["demo"],
    &["policy"],
    &["policy", "check"],
    &["policy", "explain"],
    &["policy", "export"],
    &["policy", "exception"],
    &["policy", "exception", "grant"],
    &["policy", "exception", "list"],
    &["policy", "exception", "show"],
    &["policy", "exception", "withdraw"],
    &["rollout"],
    &["rollout", "status"],
    &["rollout", "advance"],
    &["rollout", "back"],
    &["decide"],
    &["scan"],
    &["redact"],
    &["config"],
    &["config", "check"],
    &["config", "explain"],
    &["caller"],
    &["caller", "add"],
    &["caller", "list"],
    &["caller", "disable"],
    &["provider", "set"],
    &["ledger"],
    &["ledger", "verify"],
    &["ledger", "query"],
    &["keys"],
    &["keys", "list"],
    &["keys", "rotate"],
    &["backup"],
    &["restore"],
];

#[test]
fn help_of_every_command() {
    let folder = Folder::new(&[]);
    let page = |command: &&[&str]| folder.writ(&[*command, &["--help"]].concat());
    let pages: Vec<String> = COMMANDS.iter().map(page).collect();
    assert_snapshot!(pages.join("\n"));
}

#[test]
fn usage_errors() {
    let folder = Folder::new(&[]);
    let calls: &[&[&str]] = &[
        &["polcy", "check"],
        &["scan"],
        &["decide", "--policy", "missing.md"],
        &["ledger", "query", "--effect", "blok"],
        &["ledger", "query", "--from", "yesterday"],
        &["keys", "rotate", "placeholders"],
        &["caller", "disable"],
        &["config", "check"],
        &["serve", "--config", "missing.toml"],
    ];
    let pages: Vec<String> = calls.iter().map(|call| folder.writ(call)).collect();
    assert_snapshot!(pages.join("\n"));
}

#[test]
fn completions_and_the_man_page_know_every_command() {
    let folder = Folder::new(&[]);
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let (code, page, _) = folder.run(&["completions", shell], "");
        assert_eq!(code, 0);
        for command in COMMANDS.iter().filter_map(|command| command.first()) {
            assert!(page.contains(command), "{shell} does not know {command}");
        }
    }
    let (code, page, _) = folder.run(&["completions", "man"], "");
    assert_eq!(code, 0);
    assert!(page.contains(".TH writ 1"));
    for command in COMMANDS.iter().filter(|command| !command.is_empty()) {
        let title = format!(".SH \"WRIT {}\"", command.join(" ").to_uppercase());
        let leaf = !COMMANDS.iter().any(|other| other.len() > command.len() && other.starts_with(command));
        assert!(!leaf || page.contains(&title), "the man page has no {title}");
    }
}

#[test]
fn nothing_is_coloured_that_is_not_shown_on_a_terminal() {
    let folder = Folder::new(&[("policy.md", "nonsense\n")]);
    let (_, out, err) = folder.run(&["policy", "check", "policy.md"], "");
    assert!(!out.contains('\u{1b}') && !err.contains('\u{1b}'));
}
