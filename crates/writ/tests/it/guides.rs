//! The guides about policies: what they show is compiled, and what commands print in them is what they print.
//!
//! In a block `console`, lines that start with `$ ` are commands and the others what they print; a line `...` stands for
//! lines that are left out. `$ cat FILE` gives the content of a file. `WRIT_UPDATE=1` writes the outputs anew.

use std::fmt::Write as _;
use std::path::Path;

use crate::Folder;

const GENERAL: &str = include_str!("../../../../catalog/policies/general.md");

/// A fenced block: what follows the fence on its line, and its text.
fn blocks(page: &str) -> Vec<(&str, &str)> {
    let (mut blocks, mut rest) = (Vec::new(), page);
    while let Some(start) = rest.find("```") {
        let marks = rest[start..].chars().take_while(|c| *c == '`').count();
        let (info, after) = rest[start + marks..].split_once('\n').unwrap();
        let fence = format!("\n{}", "`".repeat(marks));
        let end = format!("\n{after}").find(&fence).unwrap();
        blocks.push((info, &after[..end]));
        rest = &after[end + marks..];
    }
    blocks
}

/// What one command prints, on both outputs.
fn printed(folder: &Folder, command: &str) -> String {
    let out = match command.strip_prefix("writ ") {
        Some(arguments) => {
            let arguments: Vec<&str> = arguments.split_whitespace().collect();
            let (_, out, err) = folder.run(&arguments, "");
            format!("{out}{err}")
        }
        None => {
            let run =
                std::process::Command::new("sh").args(["-c", command]).current_dir(folder.path()).output().unwrap();
            assert!(run.status.success(), "{command}");
            String::from_utf8(run.stdout).unwrap()
        }
    };
    folder.filtered(&out).lines().fold(String::new(), |page, line| page + line.trim_end() + "\n")
}

/// A block of commands with what they print now.
fn replayed(folder: &Folder, block: &str) -> String {
    let mut page = String::new();
    for part in format!("\n{block}").split("\n$ ").skip(1) {
        let (command, shown) = part.split_once('\n').unwrap_or((part, ""));
        if let Some(file) = command.strip_prefix("cat ") {
            std::fs::write(folder.path().join(file), format!("{}\n", shown.trim_end())).unwrap();
        }
        let out = printed(folder, command);
        let kept =
            shown.split_once("...\n").is_some_and(|(before, after)| out.starts_with(before) && out.ends_with(after));
        let out = if kept { shown } else { out.as_str() };
        let _ = writeln!(page, "$ {command}\n{}", out.trim_end());
    }
    // A command that prints nothing leaves no empty line.
    while page.contains("\n\n$ ") {
        page = page.replace("\n\n$ ", "\n$ ");
    }
    page
}

fn current(name: &str, policy: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guides").join(name);
    let page = std::fs::read_to_string(&path).unwrap();
    let folder = Folder::new(&[("policy.md", policy)]);
    let mut now = page.clone();
    for (info, block) in blocks(&page) {
        if info == "console" {
            now = now.replacen(
                &format!("```console\n{block}```"),
                &format!("```console\n{}```", replayed(&folder, block)),
                1,
            );
        }
    }
    if std::env::var_os("WRIT_UPDATE").is_some_and(|value| value == "1") {
        std::fs::write(&path, &now).unwrap();
    }
    let page = std::fs::read_to_string(&path).unwrap();
    assert!(now == page, "docs/guides/{name} shows other outputs than the commands print: run with WRIT_UPDATE=1");
}

/// The guide, and the small policy in it.
fn guide() -> (String, String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guides/policy.md");
    let page = std::fs::read_to_string(path).unwrap();
    let small =
        blocks(&page).into_iter().find(|(info, text)| *info == "markdown" && text.starts_with("---")).unwrap().1;
    let small = small.to_owned();
    (page, small)
}

#[test]
fn the_guide_shows_what_commands_print() {
    current("policy.md", &guide().1);
}

#[test]
fn the_walk_throughs_show_what_commands_print() {
    current("policy-walkthroughs.md", GENERAL);
}

/// Every rule, control and definition of the guide, added to its small policy: nothing is wrong, and all is laid out.
#[test]
fn what_the_guide_shows_compiles() {
    let (page, small) = guide();
    let language = ["rule", "define", "control"];
    let shown = blocks(&page).into_iter().filter(|(info, _)| language.contains(&info.split(' ').next().unwrap()));
    let shown = shown.fold(String::new(), |all, (info, text)| format!("{all}\n```{info}\n{text}```\n"));
    assert!(shown.matches("```define").count() >= 4);
    let whole = format!("{small}\n## 6 More {{#more}}\n{shown}");
    let folder = Folder::new(&[("policy.md", &whole)]);
    let (code, out, _) = folder.run(&["policy", "check", "policy.md"], "");
    // Put together, rules that were shown one by one may say the same twice.
    let others = out.replace("warning[dead-rule]", "");
    assert!(code <= 1 && !others.contains("error[") && !others.contains("warning["), "{out}");
    assert_eq!(folder.run(&["policy", "fmt", "--check", "policy.md"], "").0, 0);
}
