//! `writ scan`.

use insta::assert_snapshot;

use crate::Folder;

const TEXT: &str = "Grüße, Karte 4111 1111 1111 1111, Mail ana.diaz@kestrel-labs.com\n";

fn folder() -> Folder {
    let rows = r#"{"id": 7, "text": "é 4111 1111 1111 1111", "label": "x"}
{"id": "b", "text": "nothing here"}

{"text": "mail \u0061na.diaz@kestrel-labs.com", "id": {"page": 1}}
"#;
    let folder = Folder::new(&[("a.txt", TEXT), ("b.txt", "nothing here\n"), ("rows.jsonl", rows)]);
    std::fs::create_dir_all(folder.path().join("docs/inner")).unwrap();
    std::fs::write(folder.path().join("docs/inner/c.txt"), TEXT).unwrap();
    std::fs::write(folder.path().join("docs/.hidden"), TEXT).unwrap();
    folder
}

#[test]
fn findings_of_files_and_folders() {
    let folder = folder();
    assert_snapshot!(folder.writ(&["scan", "a.txt", "b.txt", "docs"]));
    assert_snapshot!("nothing_found", folder.writ(&["scan", "b.txt"]));
    assert_snapshot!("standard_input", folder.writ_with(&["scan", "-"], TEXT));
}

#[test]
fn rows_keep_their_ids_and_offsets_count_as_asked() {
    let folder = folder();
    assert_snapshot!(folder.writ(&["scan", "--input", "jsonl", "rows.jsonl"]));
    assert_snapshot!(
        "offsets_in_bytes",
        folder.writ(&["scan", "--input", "jsonl", "--offsets", "bytes", "rows.jsonl"])
    );
}

/// An offset is right if it cuts out the value.
#[test]
fn offsets_cut_out_the_value() {
    let folder = folder();
    for (offsets, cut) in [("chars", false), ("bytes", true)] {
        let (_, out, _) = folder.run(&["scan", "--offsets", offsets, "a.txt"], "");
        let row: serde_json::Value = serde_json::from_str(&out).unwrap();
        let finding = &row["findings"][0];
        let (start, end) = (finding["start"].as_u64().unwrap() as usize, finding["end"].as_u64().unwrap() as usize);
        let value = if cut { TEXT[start..end].to_owned() } else { TEXT.chars().take(end).skip(start).collect() };
        assert_eq!((finding["type"].as_str().unwrap(), value.as_str()), ("CREDIT_CARD", "4111 1111 1111 1111"));
    }
}

#[test]
fn own_terms_are_found_with_a_policy() {
    let folder = Folder::new(&[("policy.md", crate::policy::GOOD), ("a.txt", "What about Bluebird?\n")]);
    assert_snapshot!(folder.writ(&["scan", "--policy", "policy.md", "a.txt"]));
}

#[test]
fn what_cannot_be_read_is_said_without_content_and_the_rest_is_scanned() {
    let folder = folder();
    std::fs::write(folder.path().join("bad.txt"), b"4111 1111 1111 1111 \xff").unwrap();
    std::fs::write(folder.path().join("bad.jsonl"), "{\"id\": 1, \"text\": \"4111 1111 1111 1111").unwrap();
    std::fs::write(folder.path().join("number.jsonl"), "{\"id\": 1, \"text\": 4111111111111111}\n").unwrap();
    assert_snapshot!(folder.writ(&["scan", "missing.txt", "bad.txt", "a.txt"]));
    let rows = folder.writ(&["scan", "--input", "jsonl", "bad.jsonl", "number.jsonl"]);
    assert!(!rows.contains("4111"), "{rows}");
    assert_snapshot!("rows_that_are_none", rows);
}
