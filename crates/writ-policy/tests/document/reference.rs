//! The reference page.

use std::path::Path;

#[test]
fn the_reference_page_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/policy-language.md");
    let page = writ_policy::reference::reference_page();
    if std::env::var_os("WRIT_UPDATE").is_some_and(|value| value == "1") {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &page).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == page, "docs/reference/policy-language.md is out of date: run with WRIT_UPDATE=1");
}

#[test]
fn the_reference_page_has_no_empty_meaning() {
    let page = writ_policy::reference::reference_page();
    assert!(page.lines().all(|line| !line.starts_with("| `") || line.matches('|').count() >= 3), "{page}");
}
