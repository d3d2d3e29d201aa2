//! Every example and counter-example beside a detector holds.

use writ_detect::{DetectorSpec, Pack};

const KEY: [u8; 32] = [7; 32];

/// The text without its marks, and the span between them.
fn read(example: &str) -> (String, std::ops::Range<usize>) {
    let text = example.replace('·', "");
    let start = text.find('«').expect("a start mark");
    let end = text.find('»').expect("an end mark") - '«'.len_utf8();
    (text.replace(['«', '»'], ""), start..end)
}

fn check(pack: &Pack, detector: &DetectorSpec, failures: &mut Vec<String>) {
    for example in &detector.examples {
        let (text, span) = read(example);
        let findings = pack.scan(&text, &KEY);
        if !findings.iter().any(|finding| finding.detector == detector.id && finding.span == span) {
            failures.push(format!("{}: not found as stated in {text:?} ({span:?}): {findings:?}", detector.id));
        }
    }
    for example in &detector.counter_examples {
        let text = example.replace('·', "");
        if let Some(finding) = pack.scan(&text, &KEY).iter().find(|finding| finding.detector == detector.id) {
            failures.push(format!("{}: found in {text:?}: {finding:?}", detector.id));
        }
    }
}

#[test]
fn examples_and_counter_examples_hold() {
    let pack = Pack::builtin();
    let mut failures = Vec::new();
    pack.detectors().for_each(|detector| check(&pack, detector, &mut failures));
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn every_detector_shows_what_it_finds_and_what_not() {
    let pack = Pack::builtin();
    let bare: Vec<_> = pack
        .detectors()
        .filter(|detector| detector.trigger != writ_detect::Trigger::HealthWord)
        .filter(|detector| detector.examples.is_empty() || detector.counter_examples.is_empty())
        .map(|detector| detector.id.clone())
        .collect();
    assert!(bare.is_empty(), "{bare:?}");
}

#[test]
fn ids_are_unique_and_classes_known() {
    let pack = Pack::builtin();
    let mut ids = std::collections::BTreeSet::new();
    for detector in pack.detectors() {
        assert!(ids.insert(detector.id.clone()), "{} twice", detector.id);
        assert!(writ_model::class::CLASSES.iter().any(|class| detector.class == class.name), "{}", detector.class);
    }
    assert!(pack.detectors().filter(|detector| detector.data_type == "API_KEY").count() >= 30);
}

#[test]
fn the_reference_page_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/detectors.md");
    let page = writ_detect::reference::page(&Pack::builtin());
    if std::env::var_os("WRIT_UPDATE").is_some() {
        std::fs::write(path, &page).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(written == page, "docs/reference/detectors.md is out of date; run the tests with WRIT_UPDATE=1");
}
