//! What a catalog text may and may not say.

use writ_catalog::Catalog;

const SERVICE: &str = r#"
[[service]]
id = "aster"
name = "Aster"
vendor = "Aster Ltd"
category = "public-chat"
formats = ["unknown"]
evidence = { seen = "host", source = "vendor documentation", date = "2026-08" }
hosts = [{ name = "aster.example", match = "suffix", mode = "inspect" }]

[[service.tier]]
id = "team"
training = { value = "no", source = "terms of service", date = "2026-08-01" }
retention-days = "unknown"
regions = { value = ["de", "fr"], source = "terms of service", date = "2026-08-01" }
"#;

/// The error of `SERVICE` with one piece of text replaced.
fn error(from: &str, to: &str) -> String {
    assert!(SERVICE.contains(from), "{from}");
    Catalog::load(&[&SERVICE.replacen(from, to, 1)]).unwrap_err().to_string()
}

fn check(from: &str, to: &str, expected: &str) {
    let error = error(from, to);
    assert!(error.contains(expected), "{error}");
}

#[test]
fn a_correct_text_loads() {
    let catalog = Catalog::load(&[SERVICE]).unwrap();
    let tier = catalog.service("aster").unwrap().tier("team").unwrap().clone();
    assert_eq!(tier.regions.value(), Some(&vec!["de".to_owned(), "fr".to_owned()]));
    assert_eq!(tier.retention_days.value(), None);
}

#[test]
fn unknown_keys_and_words_are_refused() {
    check("vendor =", "colour = \"red\"\nvendor =", "unknown field `colour`");
    check("public-chat", "chatter", "unknown variant `chatter`");
    check("public-chat", "unknown", "write `other`");
    check("\"inspect\"", "\"peek\"", "unknown variant `peek`");
    check("id = \"team\"", "id = \"team\"\nprice = 3", "unknown field `price`");
    check("[[service]]", "[[servise]]\nx = 1\n[[service]]", "unknown field `servise`");
}

#[test]
fn a_fact_has_source_and_date_or_is_unknown() {
    check(", source = \"terms of service\"", "", "missing field `source`");
    check("\"terms of service\"", "\" \"", "a fact needs a source");
    check(", date = \"2026-08-01\"", "", "missing field `date`");
    check("2026-08-01", "2026-02-30", "is not a date");
    check("retention-days = \"unknown\"", "retention-days = \"none\"", "\"unknown\", or a table");
    check("retention-days = \"unknown\"\n", "", "missing field `retention-days`");
    check("source = \"vendor documentation\"", "source = \"\"", "may not be empty");
}

#[test]
fn ids_and_hosts_have_one_form() {
    check("id = \"aster\"", "id = \"Aster\"", "the id is not lower case");
    check("id = \"aster\"", "id = \"aster--x\"", "the id is not lower case");
    check("id = \"team\"", "id = \"unknown\"", "implied `unknown`");
    for bad in ["Aster.example", "aster.example.", "aster..example", "aster.example:443", "äster.example", "example"] {
        check("name = \"aster.example\"", &format!("name = \"{bad}\""), bad);
    }
    check("\"aster.example\", match = \"suffix\"", "\"a*.example\", match = \"suffix\"", "is no pattern");
    check("\"aster.example\", match = \"suffix\"", "\"a*.example\", match = \"pattern\"", "two plain labels");
}

#[test]
fn paths_go_with_their_mode() {
    check("\"inspect\" }", "\"paths\" }", "paths are required");
    check("\"inspect\" }", "\"inspect\", paths = [\"/ai/\"] }", "belong to no other");
    for bad in ["ai", "/", "/a?b", "/a//b", "/a/../b", "/%61", "/**"] {
        check("\"inspect\" }", &format!("\"paths\", paths = [\"{bad}\"] }}"), "is not a path pattern");
    }
    check("\"inspect\" }", "\"inspect\", tier = \"gold\" }", "unlisted tier `gold`");
}

#[test]
fn nothing_is_defined_twice() {
    let twin = SERVICE.replace("aster.example", "other.example");
    assert_eq!(
        Catalog::load(&[SERVICE, &twin]).unwrap_err().to_string(),
        "service `aster` is defined twice; give one of them another id"
    );
    let thief = SERVICE.replace("\"aster\"", "\"bellis\"");
    assert_eq!(
        Catalog::load(&[SERVICE, &thief]).unwrap_err().to_string(),
        "host `aster.example` belongs to `aster` and to `bellis`; a host belongs to one service"
    );
    let tier = format!("{SERVICE}\n{}", &SERVICE[SERVICE.find("[[service.tier]]").unwrap()..]);
    assert!(Catalog::load(&[&tier]).unwrap_err().to_string().contains("tier `team` is defined twice"));
}

#[test]
fn a_syntax_error_says_which_text_and_where() {
    starts_with(
        &Catalog::load(&[SERVICE, "[[service]]\nid = aster\n"]).unwrap_err().to_string(),
        "catalog text 2: TOML parse error at line 2, column 6",
    );
}

fn starts_with(text: &str, start: &str) {
    assert!(text.starts_with(start), "{text}");
}

#[test]
fn the_hash_is_of_content_not_of_layout() {
    let other = SERVICE.replace("aster", "bellis");
    let one = Catalog::load(&[SERVICE, &other]).unwrap();
    let two = Catalog::load(&[&format!("# a remark\n{other}\n{SERVICE}")]).unwrap();
    assert_eq!(one.hash(), two.hash());
    let changed = Catalog::load(&[SERVICE, &other.replace("\"no\"", "\"yes\"")]).unwrap();
    assert_ne!(one.hash(), changed.hash());
    assert_eq!(Catalog::builtin().hash(), Catalog::builtin().hash());
}
