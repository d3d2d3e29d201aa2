//! Included files.

use writ_policy::document::include::assemble;

fn put_in(source: &str, files: &[(&str, &str)]) -> String {
    let mut file = |name: &str| files.iter().find(|(it, _)| *it == name).map(|(_, text)| (*text).to_owned());
    match assemble(source, &mut file) {
        Ok(text) => text,
        Err(problems) => problems.iter().map(|it| it.render(source, "policy.md")).collect(),
    }
}

#[test]
fn files_are_put_in_where_they_are_named() {
    let source = "a\n\n```include\nfile: one.md\n```\n\nz\n";
    let files = [("one.md", "b\n\n```include\nfile: \"two.md\"\n```\n"), ("two.md", "c\n")];
    assert_eq!(put_in(source, &files), "a\n\nb\n\nc\n\nz\n");
}

#[test]
fn what_cannot_be_put_in_is_said() {
    let block = |name: &str| format!("```include\n{name}\n```\n");
    let loops = [("a", "```include\nfile: a\n```\n"), ("front", "---\nwrit: 1\n---\n")];
    let said = [
        put_in(&block("file: nowhere"), &[]),
        put_in(&block("file: a"), &loops),
        put_in(&block("file: front"), &loops),
        put_in(&block("name: x"), &[]),
    ];
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn files_that_multiply_are_bounded() {
    let twice = "```include\nfile: b\n```\n\n```include\nfile: b\n```\n";
    let files: Vec<(String, String)> =
        (0..8).map(|n| (format!("f{n}"), twice.replace('b', &format!("f{}", n + 1)))).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    assert!(put_in(&twice.replace('b', "f0"), &files).contains("too many included files"));
}
