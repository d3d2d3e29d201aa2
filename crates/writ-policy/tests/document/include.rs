//! Included files.

use writ_policy::document::include::{Assembled, assemble};
use writ_policy::parse;

fn put_in(source: &str, files: &[(&str, &str)]) -> Assembled {
    let mut file = |name: &str| files.iter().find(|(it, _)| *it == name).map(|(_, text)| (*text).to_owned());
    assemble("policy.md", source, &mut file)
}

fn said(source: &str, files: &[(&str, &str)]) -> String {
    let Assembled { text, files, diagnostics } = put_in(source, files);
    diagnostics.iter().map(|it| it.render(&text, &files)).collect()
}

#[test]
fn files_are_put_in_where_they_are_named() {
    let source = "a\n\n```include\nfile: one.md\n```\n\nz\n";
    let files = [("one.md", "b\n\n```include\nfile: \"two.md\"\n```\n"), ("two.md", "c\n")];
    let assembled = put_in(source, &files);
    assert_eq!(assembled.text, "a\n\nb\n\nc\n\nz\n");
    assert_eq!(assembled.diagnostics, []);
    assert_eq!(assembled.files.names(), ["policy.md", "one.md", "two.md"]);
}

/// What is signed does not depend on how the text is divided into files.
#[test]
fn the_hash_is_that_of_the_assembled_text() {
    let whole = "---\nwrit: 1\n---\n\n## 1 A {#a}\n\nText.\n\n## 2 B {#b}\n\nMore.\n";
    let (front, rest) = whole.split_at(whole.find("## 2").unwrap());
    let divided = format!("{front}```include\nfile: rest.md\n```\n");
    let assembled = put_in(&divided, &[("rest.md", rest)]);
    assert_eq!(parse(&assembled.text).hash, parse(whole).hash);
}

#[test]
fn diagnostics_stand_in_the_file_that_they_are_about() {
    let source =
        "---\nwrit: 1\n---\n\n# A\n\n```include\nfile: one.md\n```\n\n## 1 B {#b}\n\n```rule\nthen: blok\n```\n";
    let files = [
        ("one.md", "## 1 A {#b}\n\n```include\nfile: deep/two.md\n```\n\n```rule\ndata: pi\nthen: block\n```\n"),
        ("deep/two.md", "Words.\n\n```rule\nthen: allw\n```\n"),
    ];
    let Assembled { text, files, diagnostics } = put_in(source, &files);
    assert_eq!(diagnostics, []);
    let parsed = parse(&text);
    insta::assert_snapshot!(
        parsed.diagnostics.iter().map(|it| it.render(&text, &files)).collect::<Vec<_>>().join("\n")
    );
}

#[test]
fn what_cannot_be_put_in_is_said() {
    let block = |name: &str| format!("Text.\n\n```include\n{name}\n```\n");
    let files = [
        ("a", "x\n\n```include\nfile: b\n```\n"),
        ("b", "```include\nfile: a\n```\n"),
        ("front", "---\nwrit: 1\n---\n"),
    ];
    let said = [
        said(&block("file: nowhere"), &[]),
        said(&block("file: a"), &files),
        said(&block("file: policy.md"), &files),
        said(&block("file: front"), &files),
        said(&block("name: x"), &[]),
    ];
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn files_that_multiply_are_bounded() {
    let twice = "```include\nfile: b\n```\n\n```include\nfile: b\n```\n";
    let files: Vec<(String, String)> =
        (0..8).map(|n| (format!("f{n}"), twice.replace('b', &format!("f{}", n + 1)))).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    let said = said(&twice.replace('b', "f0"), &files);
    assert!(said.contains("more than 256 files") && said.contains("more than 8 levels deep"), "{said}");
}

#[test]
fn large_files_are_bounded_before_they_are_put_in() {
    let large = "x".repeat(1 << 20);
    let source = "```include\nfile: large\n```\n\n".repeat(6);
    let assembled = put_in(&source, &[("large", &large)]);
    assert!(assembled.text.len() < 5 << 20);
    assert_eq!(assembled.diagnostics.len(), 3, "{:?}", assembled.diagnostics);
}
