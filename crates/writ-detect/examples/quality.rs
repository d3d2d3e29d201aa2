//! Precision and recall on annotated texts, and the speed of a scan: `WRIT_CORPORA=DIR cargo run --release -p
//! writ-detect --example quality`. Matching rules: a gold span is found when predictions of its family cover half of
//! its characters; a prediction is right when it overlaps a gold span of its family by half of the shorter one.
#![expect(clippy::print_stdout, reason = "a report")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use writ_base::{Clock, SystemClock};
use writ_detect::Pack;
use writ_model::Finding;

const KEY: [u8; 32] = [7; 32];
const CORE: [&str; 6] = ["EMAIL", "PHONE", "US_SSN", "CREDIT_CARD", "IBAN", "IP_ADDRESS"];
const MORE: [&str; 10] = [
    "PERSON",
    "DATE_OF_BIRTH",
    "MEDICAL_RECORD_NUMBER",
    "HEALTH_INSURANCE_ID",
    "BANK_ACCOUNT",
    "ROUTING_NUMBER",
    "PASSPORT",
    "NPI",
    "DEA",
    "API_KEY",
];
const SECRETS: [&str; 7] = ["PASSWORD", "AUTH_TOKEN", "API_KEY", "API_SECRET", "JWT", "PRIVATE_KEY", "SECRET"];
/// Classes whose findings in a harmless text are grave.
const GRAVE: [&str; 4] = ["credentials", "payment", "pii", "phi"];

#[derive(Deserialize)]
struct Row {
    text: String,
    #[serde(default)]
    spans: Vec<Span>,
    #[serde(default)]
    ignore: Vec<Span>,
}

#[derive(Deserialize)]
struct Span {
    start: usize,
    end: usize,
    #[serde(default)]
    label: String,
}

#[derive(Default, Clone, Copy)]
struct Score {
    gold: usize,
    found: usize,
    predicted: usize,
    right: usize,
}

impl Score {
    fn add(&mut self, other: Self) {
        self.gold += other.gold;
        self.found += other.found;
        self.predicted += other.predicted;
        self.right += other.right;
    }

    fn line(&self) -> String {
        let share = |part: usize, whole: usize| if whole == 0 { f64::NAN } else { part as f64 / whole as f64 };
        let (p, r) = (share(self.right, self.predicted), share(self.found, self.gold));
        format!("{:6} {:6}  P {p:.3}  R {r:.3}  F1 {:.3}", self.gold, self.predicted, 2.0 * p * r / (p + r))
    }
}

fn main() {
    let Some(folder) = std::env::var_os("WRIT_CORPORA") else {
        println!("skipped: WRIT_CORPORA names no folder with annotated texts (*.jsonl)");
        return;
    };
    let folder = Path::new(&folder);
    let misses = std::env::args().nth(1);
    let pack = Pack::builtin();
    println!("pack {}: {} detectors, {} KiB", pack.hash().short(), pack.detectors().count(), pack.memory() / 1024);
    personal(&pack, folder, misses.as_deref());
    benign(&pack, folder, misses.as_deref());
    secrets(&pack, folder, misses.as_deref());
    code(&pack, folder);
    speed(&pack, folder);
}

fn rows(folder: &Path, name: &str) -> Option<Vec<Row>> {
    let path = folder.join(name);
    match std::fs::read_to_string(&path) {
        Ok(text) => Some(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()),
        Err(_) => {
            println!("missing: {}", path.display());
            None
        }
    }
}

/// Findings in characters.
fn in_characters(text: &str, findings: &[Finding]) -> Vec<(usize, usize, String)> {
    let at = |byte: usize| text.get(..byte).map_or(0, |text| text.chars().count());
    findings
        .iter()
        .map(|finding| (at(finding.span.start), at(finding.span.end), finding.data_type.to_string()))
        .collect()
}

fn overlap(a: (usize, usize), b: (usize, usize)) -> usize {
    a.1.min(b.1).saturating_sub(a.0.max(b.0))
}

fn personal(pack: &Pack, folder: &Path, misses: Option<&str>) {
    let files = [
        "piianon_adversarial",
        "piianon_clinical",
        "piianon_financial",
        "piianon_formats",
        "piianon_legal",
        "piianon_multilingual",
        "piianon_technology",
        "presidio_large",
        "presidio_v2",
    ];
    let mut by_type: BTreeMap<&str, Score> = BTreeMap::new();
    for file in files {
        let mut core = Score::default();
        for row in rows(folder, &format!("{file}.dev.jsonl")).unwrap_or_default() {
            let mut findings = pack.scan(&row.text, &KEY);
            findings.dedup_by(|a, b| a.span == b.span && a.data_type == b.data_type);
            let predicted = in_characters(&row.text, &findings);
            for label in CORE.iter().chain(&MORE) {
                let score = score(&row, &predicted, label, misses);
                by_type.entry(label).or_default().add(score);
                if CORE.contains(label) {
                    core.add(score);
                }
            }
        }
        println!("core-6 {file:24} {}", core.line());
    }
    let mut core = Score::default();
    for (label, score) in &by_type {
        println!("type   {label:24} {}", score.line());
        if CORE.contains(label) {
            core.add(*score);
        }
    }
    println!("core-6 {:24} {}", "all", core.line());
}

fn score(row: &Row, predicted: &[(usize, usize, String)], label: &str, misses: Option<&str>) -> Score {
    let gold: Vec<_> = row.spans.iter().filter(|span| span.label == label).map(|span| (span.start, span.end)).collect();
    let mine: Vec<_> =
        predicted.iter().filter(|(_, _, kind)| kind == label).map(|(start, end, _)| (*start, *end)).collect();
    let found =
        |gold: &&(usize, usize)| mine.iter().map(|span| overlap(*span, **gold)).sum::<usize>() * 2 >= gold.1 - gold.0;
    let right = |span: &&(usize, usize)| {
        gold.iter().any(|gold| overlap(**span, *gold) * 2 >= (span.1 - span.0).min(gold.1 - gold.0))
    };
    if misses == Some(label) {
        let show = |kind: &str, span: &(usize, usize)| {
            let text: String = row.text.chars().skip(span.0.saturating_sub(40)).take(span.1 - span.0 + 60).collect();
            let value: String = row.text.chars().skip(span.0).take(span.1 - span.0).collect();
            println!("{kind} [{value}] in {text:?}");
        };
        gold.iter().filter(|span| !found(span)).for_each(|span| show("missed", span));
        mine.iter().filter(|span| !right(span)).for_each(|span| show("wrong", span));
    }
    Score {
        gold: gold.len(),
        found: gold.iter().filter(found).count(),
        predicted: mine.len(),
        right: mine.iter().filter(right).count(),
    }
}

fn benign(pack: &Pack, folder: &Path, misses: Option<&str>) {
    for file in ["benign_prompts", "benign_banking"] {
        let Some(rows) = rows(folder, &format!("{file}.dev.jsonl")) else { continue };
        let (mut any, mut grave) = (0, 0);
        for row in &rows {
            let findings = pack.scan(&row.text, &KEY);
            let values: Vec<_> = findings.iter().filter(|finding| finding.class != "source-code").collect();
            any += usize::from(!values.is_empty());
            let hit = values.iter().any(|finding| GRAVE.contains(&finding.class.as_str()));
            grave += usize::from(hit);
            for finding in values.iter().filter(|_| misses == Some("benign")) {
                let from = row.text.floor_char_boundary(finding.span.start.saturating_sub(40));
                println!("{} {} {:?}", finding.detector, finding.class, row.text.get(from..finding.span.end));
            }
        }
        println!(
            "{file}: {} texts, any finding {:.4}, grave {:.4}",
            rows.len(),
            any as f64 / rows.len() as f64,
            grave as f64 / rows.len() as f64
        );
    }
}

fn secrets(pack: &Pack, folder: &Path, misses: Option<&str>) {
    for file in ["creddata", "secret_rules"] {
        let Some(rows) = rows(folder, &format!("{file}.dev.jsonl")) else { continue };
        let mut by_label: BTreeMap<String, (usize, usize)> = BTreeMap::new();
        let (mut predicted, mut right, mut clean, mut flagged) = (0, 0, 0, 0);
        for row in &rows {
            let findings = pack.scan(&row.text, &KEY);
            let mine: Vec<_> = in_characters(&row.text, &findings)
                .into_iter()
                .filter(|(_, _, kind)| SECRETS.contains(&kind.as_str()))
                .collect();
            for gold in &row.spans {
                let found = mine.iter().any(|span| overlap((span.0, span.1), (gold.start, gold.end)) > 0);
                let entry = by_label.entry(gold.label.clone()).or_default();
                entry.0 += 1;
                entry.1 += usize::from(found);
                if misses == Some(file) && !found {
                    let text: String =
                        row.text.chars().skip(gold.start.saturating_sub(50)).take(gold.end - gold.start + 60).collect();
                    println!("missed {} {text:?}", gold.label);
                }
            }
            let mut wrong = 0;
            for span in &mine {
                let hits =
                    |gold: &[Span]| gold.iter().any(|gold| overlap((span.0, span.1), (gold.start, gold.end)) > 0);
                if hits(&row.spans) {
                    predicted += 1;
                    right += 1;
                } else if !hits(&row.ignore) {
                    predicted += 1;
                    wrong += 1;
                    if misses == Some(file) {
                        let text: String =
                            row.text.chars().skip(span.0.saturating_sub(50)).take(span.1 - span.0 + 50).collect();
                        println!("wrong {} {text:?}", span.2);
                    }
                }
            }
            if row.spans.is_empty() {
                clean += 1;
                flagged += usize::from(wrong > 0);
            }
        }
        let (gold, found) = by_label.values().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        println!("{file} {:24} {}", "all", Score { gold, found, predicted, right }.line());
        println!("{file}: clean texts flagged {flagged}/{clean}");
        for (label, (gold, found)) in by_label {
            println!("{file} {label:24} {gold:6}  R {:.3}", found as f64 / gold as f64);
        }
    }
}

fn code(pack: &Pack, folder: &Path) {
    let Some(rows) = rows(folder, "code_vs_prose.dev.jsonl") else { return };
    let (mut gold, mut found, mut predicted, mut right, mut prose, mut flagged) = (0, 0, 0, 0, 0, 0);
    for row in &rows {
        let marked = |at: usize| row.spans.iter().any(|span| span.start <= at && at < span.end);
        let is_code = row.spans.iter().any(|span| span.label == "SOURCE_CODE");
        let findings = pack.scan(&row.text, &KEY);
        let mine: BTreeSet<usize> = in_characters(&row.text, &findings)
            .into_iter()
            .filter(|(_, _, kind)| kind == "SOURCE_CODE")
            .flat_map(|(start, end, _)| start..end)
            .collect();
        if is_code {
            let length = row.text.chars().count();
            let all: Vec<usize> = (0..length).filter(|at| marked(*at)).collect();
            gold += all.len();
            found += all.iter().filter(|at| mine.contains(at)).count();
            predicted += mine.len();
            right += mine.iter().filter(|at| marked(**at)).count();
        } else if row.spans.is_empty() {
            prose += 1;
            flagged += usize::from(!mine.is_empty());
        }
    }
    println!("code, by characters: {}", Score { gold, found, predicted, right }.line());
    println!("code: prose texts flagged {flagged}/{prose}");
}

fn speed(pack: &Pack, folder: &Path) {
    let text = |name: &str| {
        rows(folder, name).map(|rows| rows.into_iter().map(|row| row.text).collect::<Vec<_>>()).unwrap_or_default()
    };
    let prompts = text("benign_prompts.dev.jsonl");
    measure(pack, "benign prompts, one by one", &prompts);
    measure(pack, "benign prompts, joined", &[prompts.join("\n")]);
    let code = text("code_vs_prose.dev.jsonl");
    measure(pack, "code and prose, joined", &[code.join("\n")]);
    let json: Vec<String> =
        code.iter().map(|text| serde_json::json!({"role": "user", "content": text}).to_string()).collect();
    measure(pack, "the same as JSON", &[json.join(",")]);
    measure(pack, "personal data (clinical)", &text("piianon_clinical.dev.jsonl"));
}

fn measure(pack: &Pack, what: &str, texts: &[String]) {
    let bytes: usize = texts.iter().map(String::len).sum();
    if bytes == 0 {
        return;
    }
    let clock = SystemClock;
    let mut best = Duration::MAX;
    let mut count = 0;
    for _ in 0..25 {
        let start = clock.now();
        count = texts.iter().map(|text| pack.scan(text, &KEY).len()).sum();
        best = best.min(clock.now().since(start));
    }
    println!("speed: {what}: {bytes} bytes, {count} findings, {:.0} MB/s", bytes as f64 / best.as_secs_f64() / 1e6);
}
