//! Commands on a data directory: configuration, keys, callers, providers, ledger, backup.

use insta::assert_snapshot;

use crate::Folder;
use crate::policy::GOOD;

const CONFIG: &str = r#"data-directory = "data"
policy = "policy.md"
key-encryption = { file = "writ.key" }

[organisation]
name = "Northwind"

[gateway]
[[gateway.provider]]
name = "openai"
service = "openai-api"
base = "https://api.openai.com"
"#;

fn folder() -> Folder {
    Folder::new(&[("writ.toml", CONFIG), ("policy.md", GOOD), ("openai.key", "sk-not-a-real-key\n")])
}

fn with_reveal_key() -> Folder {
    let folder = folder();
    let (code, _, err) =
        folder.run(&["keys", "rotate", "reveal", "--holder", "ana", "--holder", "bo", "--shares", "shares"], "");
    assert_eq!((code, err.as_str()), (0, ""));
    folder
}

#[test]
fn the_configuration_is_checked_and_explained() {
    let folder = folder();
    assert_snapshot!(folder.writ(&["config", "check"]));
    assert_snapshot!("explain", folder.writ(&["config", "explain"]));
    std::fs::write(folder.path().join("writ.toml"), CONFIG.replace("policy =", "polcy =")).unwrap();
    assert_snapshot!("unknown_key", folder.writ(&["config", "check"]));
}

#[test]
fn keys_are_listed_and_rotated() {
    let folder = with_reveal_key();
    let mut pages = vec![folder.writ(&["keys", "rotate", "placeholder"]), folder.writ(&["keys", "list"])];
    pages.push(folder.writ(&["keys", "rotate", "api-key"]));
    pages.push(folder.writ(&["keys", "rotate", "reveal"]));
    pages.push(folder.writ(&["keys", "rotate", "reveal", "--holder", "../x", "--holder", "b", "--shares", "more"]));
    pages.push(folder.writ(&["keys", "rotate", "reveal", "--holder", "a", "--holder", "a", "--shares", "more"]));
    pages.push(folder.writ(&["keys", "rotate", "reveal", "--holder", "a", "--holder", "b", "--shares", "shares"]));
    assert_snapshot!(pages.join("\n"));
}

#[test]
fn another_key_encryption_key_takes_over() {
    let folder = folder();
    assert_eq!(folder.run(&["keys", "list"], "").0, 0);
    let key = folder.path().join("new.key");
    std::fs::write(&key, "11".repeat(32)).unwrap();
    std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let mut pages = vec![folder.writ(&["keys", "rotate", "key-encryption", "--new-key-file", "new.key"])];
    pages.push(folder.writ(&["keys", "list"]));
    std::fs::rename(&key, folder.path().join("writ.key")).unwrap();
    pages.push(folder.writ(&["keys", "list"]));
    assert_snapshot!(pages.join("\n"));
}

#[test]
fn shares_are_for_their_holders_only() {
    let folder = with_reveal_key();
    for name in ["ana", "bo"] {
        let path = folder.path().join(format!("shares/{name}.share"));
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
        assert!(std::fs::read_to_string(&path).unwrap().starts_with("writ-share-"));
    }
}

#[test]
fn a_key_is_printed_once_and_kept_nowhere() {
    let folder = with_reveal_key();
    let (code, key, err) = folder.run(&["caller", "add", "--login", "ana@northwind.example", "--group", "legal"], "");
    assert_eq!(code, 0, "{err}");
    let key = key.trim();
    assert!(key.len() > 64 && !key.contains(char::is_whitespace) && !err.contains(key));
    let (_, list, _) = folder.run(&["caller", "list"], "");
    assert!(!list.contains(key) && !list.contains("northwind.example"), "{list}");
    let prefix = key.rsplit_once('_').unwrap().0;
    assert!(list.contains(prefix));
    for file in walk(folder.path()) {
        let content = std::fs::read(&file).unwrap();
        let holds = |text: &str| content.windows(text.len()).any(|window| window == text.as_bytes());
        assert!(!holds(key) && !holds("ana@northwind"), "{}", file.display());
    }
    let (code, out, _) = folder.run(&["caller", "disable", prefix], "");
    assert!(code == 0 && out.ends_with(": disabled\n"), "{out}");
    let (code, _, err) = folder.run(&["caller", "disable", "--login", "ana@northwind.example"], "");
    assert!(code == 2 && err.contains("see `writ caller list`"), "{err}");
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

#[test]
fn callers_and_providers() {
    let folder = folder();
    let mut pages = vec![folder.writ(&["caller", "add", "--login", "ana"])];
    let (code, _, _) =
        folder.run(&["keys", "rotate", "reveal", "--holder", "ana", "--holder", "bo", "--shares", "shares"], "");
    assert_eq!(code, 0);
    pages.push(folder.writ(&["caller", "add", "--login", "bot", "--who", "agent", "--on-behalf-of", "ana"]));
    pages.push(folder.writ(&["caller", "add", "--login", "ana", "--on-behalf-of", "bo"]));
    pages.push(folder.writ(&["caller", "add", "--login", "ana", "--who", "emploee"]));
    pages.push(folder.writ(&["caller", "list"]));
    pages.push(folder.writ(&["provider", "set", "openai", "--key-file", "openai.key"]));
    pages.push(folder.writ_with(&["provider", "set", "openai", "--key-file", "-"], "two\nlines\n"));
    pages.push(folder.writ(&["provider", "set", "openia", "--key-file", "openai.key"]));
    assert_snapshot!(pages.join("\n"));
}

#[test]
fn the_ledger_is_verified_queried_backed_up_and_restored() {
    let folder = folder();
    let mut pages = vec![folder.writ(&["ledger", "verify"])];
    pages.push(folder.writ(&["keys", "rotate", "mark"]));
    pages.push(folder.writ(&["ledger", "verify"]));
    pages.push(folder.writ(&["ledger", "query"]));
    pages.push(folder.writ(&["backup", "copy"]));
    pages.push(folder.writ(&["backup", "copy"]));
    pages.push(folder.writ(&["restore", "copy"]));
    std::fs::rename(folder.path().join("data"), folder.path().join("old")).unwrap();
    pages.push(folder.writ(&["restore", "copy"]));
    pages.push(folder.writ(&["restore", "shares"]));
    assert_snapshot!(pages.join("\n"));
}

#[test]
fn a_changed_ledger_is_not_whole() {
    let folder = folder();
    assert_eq!(folder.run(&["keys", "list"], "").0, 0);
    let segment =
        walk(&folder.path().join("data/ledger")).into_iter().max_by_key(|path| path.metadata().unwrap().len());
    let segment = segment.unwrap();
    let mut content = std::fs::read(&segment).unwrap();
    let place = content.windows(7).position(|window| window == b"api-key").unwrap();
    content[place] ^= 1;
    std::fs::write(&segment, content).unwrap();
    let (code, out, _) = folder.run(&["ledger", "verify"], "");
    assert!(code == 1 && out.starts_with("not whole: "), "{out}");
    let (code, out, _) = folder.run(&["ledger", "verify", "--json"], "");
    assert!(code == 1 && out.contains("\"whole\": false"), "{out}");
}

#[test]
fn a_callers_login_can_be_judged() {
    let folder = with_reveal_key();
    let (code, _, err) = folder.run(&["caller", "add", "--login", "vera@supplier.example", "--who", "vendor"], "");
    assert_eq!(code, 0, "{err}");
    let decide = ["decide", "--policy", "policy.md", "--config", "writ.toml", "--as"];
    let known = folder.writ(&[&decide[..], &["vera@supplier.example"]].concat());
    let unknown = folder.writ(&[&decide[..], &["nobody@supplier.example"]].concat());
    assert_snapshot!(format!("{known}\n{unknown}"));
}

#[test]
fn terms_are_sealed_under_a_key_that_stays_here() {
    let folder = folder();
    let seal = |terms: &str| folder.run(&["policy", "seal", "--class", "plans", "--kept-by", "security", "-"], terms);
    let (code, block, err) = seal("Project Heron\n\nproject  heron\nBluebird\n");
    assert_eq!((code, err.as_str()), (0, "2 terms sealed; keep the list, the digests do not give it back\n"));
    assert!(
        block.starts_with("```define sealed\nclass:   plans\nkept-by: security\nepoch:   1\ndigests:\n  - "),
        "{block}"
    );
    assert!(!block.to_lowercase().contains("heron") && block.matches("  - ").count() == 2);
    assert_eq!(seal("bluebird\nPROJECT HERON").1, block, "the order of the list is not told");
    let sealed = format!("{GOOD}\n{block}\n");
    std::fs::write(folder.path().join("sealed.md"), &sealed).unwrap();
    let (code, out, _) = folder.run(&["policy", "check", "sealed.md"], "");
    assert!(code == 0 && out.contains("note[not-searched]: the sealed terms of class `plans` are kept"), "{out}");
    let (code, again, _) = folder.run(&["keys", "rotate", "sealed-terms"], "");
    assert_eq!((code, again.as_str()), (0, "sealed-terms: epoch 2\n"));
    let (_, other, _) = seal("Bluebird");
    assert!(other.contains("epoch:   2\n") && !block.contains(other.lines().nth(5).unwrap()));
    assert_snapshot!(
        [
            folder.writ(&["policy", "seal", "--class", "plans", "--kept-by", "security", "nowhere.txt"]),
            folder.writ_with(&["policy", "seal", "--class", "plans", "--kept-by", "security", "-"], " \n"),
            folder.writ_with(&["policy", "seal", "--class", "Plans", "--kept-by", "security", "-"], "x"),
        ]
        .join("\n")
    );
}
