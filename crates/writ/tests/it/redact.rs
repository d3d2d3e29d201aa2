//! `writ redact`.

use insta::assert_snapshot;

use crate::Folder;
use crate::policy::GOOD;

const TEXT: &str = "Karte 4111 1111 1111 1111 (4111-1111-1111-1111),\nMail ana.diaz@kestrel-labs.com, Bluebird.\n";
const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";

fn folder() -> Folder {
    Folder::new(&[("a.txt", TEXT), ("policy.md", GOOD), ("redact.key", KEY), ("bad.key", "4111111111111111\n")])
}

#[test]
fn with_a_key_placeholders_are_the_same_in_every_run() {
    let folder = folder();
    assert_snapshot!(folder.writ(&["redact", "--key-file", "redact.key", "a.txt"]));
    assert_snapshot!("from_a_pipe", folder.writ_with(&["redact", "--key-file", "redact.key", "-"], TEXT));
}

#[test]
fn classes_and_own_terms() {
    let folder = folder();
    assert_snapshot!(folder.writ(&["redact", "--key-file", "redact.key", "--classes", "payment", "a.txt"]));
    let own = ["redact", "--key-file", "redact.key", "--policy", "policy.md", "--classes", "contact,plans", "a.txt"];
    assert_snapshot!("own_terms", folder.writ(&own));
}

#[test]
fn without_a_key_placeholders_differ_from_run_to_run() {
    let folder = folder();
    let run = || folder.run(&["redact", "a.txt"], "").1;
    let (first, second) = (run(), run());
    assert_ne!(first, second);
    assert!(!first.contains("4111") && !first.contains("kestrel"), "{first}");
    assert_eq!(first.matches("[CARD-").count(), 2);
}

#[test]
fn errors() {
    let folder = folder();
    let calls: &[&[&str]] = &[
        &["redact", "--classes", "paymnt", "a.txt"],
        &["redact", "--key-file", "bad.key", "a.txt"],
        &["redact", "--key-file", "missing.key", "a.txt"],
        &["redact", "missing.txt"],
    ];
    let pages: Vec<_> = calls.iter().map(|call| folder.writ(call)).collect();
    assert_snapshot!(pages.join("\n"));
}
