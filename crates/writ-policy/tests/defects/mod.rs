//! The corpus of seeded defects: policies that are wrong in one way, each with its mended twin. The analyser has to find
//! the first at its place, with a situation that the evaluator decides as it says, and nothing at all in the second.

mod claims;
mod entry;
mod examine;
mod kinds;
mod page;
mod seeded;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use writ_policy::eval::testing::Seeded;

use entry::Defect;
use kinds::{KINDS, Kind};

/// Defects of each kind that there are at least.
const EACH: usize = 6;

/// What came of defects.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    seeded: usize,
    /// With the right code, at the right place.
    found: usize,
    /// With a situation that the evaluator decides as it says.
    shown: usize,
}

fn check_kind(name: &str) {
    let kind: &'static Kind = KINDS.iter().find(|kind| kind.name == name).unwrap();
    let defects = entry::read(kind);
    assert!(defects.len() >= EACH, "{name} has {} defects", defects.len());
    let names: BTreeSet<&str> = defects.iter().map(|defect| defect.name.as_str()).collect();
    assert_eq!(names.len(), defects.len(), "a name stands twice");
    let wrong: Vec<String> = defects.iter().filter_map(|defect| found(defect).err()).collect();
    let unclean: Vec<String> = defects.iter().filter_map(|defect| clean(defect).err()).collect();
    let all = [wrong, unclean].concat();
    assert!(all.is_empty(), "{} faults\n\n{}", all.len(), all.join("\n"));
}

/// Whether a defect is found: with its codes and no other, at its place, and as the evaluator bears out.
fn found(defect: &Defect) -> Result<(), String> {
    let side = defect.defective();
    let examined = examine::examine(&side);
    let fault = |text: String| format!("{}: {text}\n{}", defect.title(), examined.listed());
    if !defect.says.iter().all(|code| defect.kind.codes.contains(&code.as_str())) {
        return Err(fault("its codes are not those of its kind".to_owned()));
    }
    if examined.codes() != defect.says {
        return Err(fault(format!("{:?} was to be said", defect.says)));
    }
    for said in examined.said.iter().filter(|said| !said.note) {
        // What is said of the whole document or of what stands beside it has no line of its own.
        if said.line > 1 && !side.marked.contains(&said.line) {
            return Err(fault(format!("line {} is not the place", said.line)));
        }
        if said.message.is_empty() || said.message.ends_with('.') {
            return Err(fault("a message starts in lower case and has no full stop".to_owned()));
        }
        claims::check(&examined, said, 7).map_err(&fault)?;
    }
    Ok(())
}

/// Whether nothing at all is said of the mended twin.
fn clean(defect: &Defect) -> Result<(), String> {
    let examined = examine::examine(&defect.mended());
    if examined.said.is_empty() {
        return Ok(());
    }
    Err(format!("{}, mended: something is said\n{}", defect.title(), examined.listed()))
}

macro_rules! kinds {
    ($($test:ident = $kind:literal;)+) => {
        $(#[test]
        fn $test() {
            check_kind($kind);
        })+

        #[test]
        fn every_kind_has_a_test() {
            let kinds: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
            assert_eq!(kinds, [$($kind),+]);
        }
    };
}

kinds! {
    gaps_are_found = "gap";
    dead_rules_are_found = "dead-rule";
    vacuous_rules_are_found = "vacuous-rule";
    overruled_permissions_are_found = "overruled";
    undefined_and_double_terms_are_found = "term";
    promises_without_a_mode_are_found = "promise";
    content_without_a_reader_is_found = "opaque";
    contradicting_examples_are_found = "example";
    wide_carve_outs_are_found = "wide";
    exceptions_without_an_end_are_found = "expiry";
    weaker_policies_are_found = "weaker";
    failing_assertions_are_found = "assertion";
    incomplete_tables_are_found = "table";
    clauses_without_a_capability_are_found = "capability";
}

/// The template that ships.
fn general() -> String {
    at_root("catalog/policies/general.md")
}

fn at_root(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)).unwrap()
}

/// Slips of each kind that are made in the template.
const SLIPS_OF_A_KIND: u64 = 3;

/// Makes all slips in the template. What is wrong with what Writ says of them is given back beside the count.
fn slips_in_the_template() -> (BTreeMap<&'static str, Count>, Vec<String>) {
    let policy = seeded::Policy::new(&general());
    let (mut counts, mut wrong) = (BTreeMap::new(), Vec::new());
    for (slip, salt) in seeded::SLIPS.iter().zip(1..) {
        for seed in 0..SLIPS_OF_A_KIND {
            let made = slip.made(&policy, &mut Seeded::new(salt << 32 | seed));
            let (text, line) = made.unwrap_or_else(|| panic!("no place for {}", slip.kind));
            let count: &mut Count = counts.entry(slip.kind).or_default();
            wrong.extend(slipped(slip, (&text, line), count).map(|fault| format!("{} {seed}: {fault}", slip.kind)));
        }
    }
    (counts, wrong)
}

/// Makes slips in the mended twins, a third of all kinds in each.
fn slips_in_mended_policies() -> (BTreeMap<&'static str, Count>, Vec<String>) {
    let (mut counts, mut wrong) = (BTreeMap::new(), Vec::new());
    let defects = KINDS.iter().flat_map(entry::read).filter(|defect| defect.exceptions.is_empty());
    for (defect, salt) in defects.zip(0..) {
        let policy = seeded::Policy::new(&defect.mended().text);
        for (slip, number) in seeded::SLIPS.iter().zip(0..).filter(|(_, number)| (number + salt) % 3 == 0) {
            let Some((text, line)) = slip.made(&policy, &mut Seeded::new(salt << 32 | number)) else { continue };
            let count: &mut Count = counts.entry(slip.kind).or_default();
            wrong.extend(
                slipped(slip, (&text, line), count).map(|fault| format!("{}: {fault}\n{text}", defect.title())),
            );
        }
    }
    (counts, wrong)
}

/// Looks at one slip and counts it.
fn slipped(slip: &seeded::Slip, (text, line): (&str, usize), count: &mut Count) -> Option<String> {
    let examined = slip.examined(text);
    count.seeded += 1;
    let Some(said) = slip.found(&examined, line) else {
        return Some(format!("{} is not found at line {line}\n{}", slip.kind, examined.listed()));
    };
    count.found += 1;
    count.shown += usize::from(said.witness.is_some());
    let faults = examined.said.iter().filter_map(|said| claims::check(&examined, said, 11).err());
    faults.map(|fault| format!("{}: {fault}\n{}", slip.kind, examined.listed())).next()
}

#[test]
fn slips_in_a_long_policy_are_found() {
    let (_, wrong) = slips_in_the_template();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn slips_in_mended_policies_are_found() {
    let (counts, wrong) = slips_in_mended_policies();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(counts.len() > 10 && counts.values().all(|count| count.seeded > 0), "{counts:?}");
}

/// Policies in which nothing is wrong, beside the mended twins: those that ship, and those of the guides.
fn clean_policies() -> Vec<(String, String)> {
    let guide = at_root("docs/guides/policy.md");
    let policies = guide.split("````markdown\n").skip(1).filter_map(|rest| rest.split("\n````").next());
    let policies = policies.zip(1..).map(|(text, number)| (format!("guide, policy {number}"), format!("{text}\n")));
    std::iter::once(("the general policy".to_owned(), general())).chain(policies).collect()
}

#[test]
fn nothing_is_said_of_clean_policies() {
    let policies = clean_policies();
    assert!(policies.len() > 1);
    for (name, text) in policies {
        let examined = examine::examine_text(&text);
        assert!(examined.policy.is_some() && examined.said.is_empty(), "{name}\n{}", examined.listed());
    }
}

#[test]
fn the_page_of_the_analysis_is_current() {
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/analysis.md");
    let page = page::page();
    if std::env::var_os("WRIT_UPDATE").is_some_and(|value| value == "1") {
        std::fs::write(&committed, &page).unwrap();
    }
    let stored = std::fs::read_to_string(&committed).unwrap_or_default();
    assert!(stored == page, "docs/reference/analysis.md is out of date: run with WRIT_UPDATE=1");
}
