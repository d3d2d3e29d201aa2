//! The index answers what the ledger holds.

use std::path::Path;
use std::time::Duration;

use writ_base::Moment;
use writ_model::verdict::Effect;
use writ_store::Index;
use writ_store::index::{Query, Row};
use writ_store::ledger::{Durability, Entry, Ledger, NewEntry};
use writ_store::storage::SimulatedStorage;

use crate::support::{NOW, config, full_decision, open_with, outcome, signers};

const SERVICES: [&str; 3] = ["openai", "anthropic", "own"];
const CLASSES: [Option<&str>; 4] = [None, Some("phi"), Some("card"), None];

/// 300 interactions over two months, ten minutes to three hours apart; every seventh still under way.
fn filled() -> (SimulatedStorage, Ledger) {
    let storage = SimulatedStorage::new();
    let clock = std::sync::Arc::new(writ_base::ManualClock::at(NOW));
    let ledger = open_with(&storage, config(Durability::Process), signers(1), clock.clone()).unwrap();
    for number in 0..300u64 {
        let place = number as usize;
        let effect = Effect::ALL[(place / 3) % 4];
        let clause = format!("{}.1", place % 5);
        let skeleton = full_decision(number, SERVICES[place % 3], effect, &clause, CLASSES[place % 4]);
        let now = writ_base::Clock::now(&*clock);
        ledger.append_blocking(NewEntry::decision(&skeleton, None, now)).unwrap();
        clock.advance(Duration::from_secs(600 + (number % 17) * 600));
        if !number.is_multiple_of(7) {
            ledger.append_blocking(outcome(number)).unwrap();
        }
    }
    (storage, ledger)
}

async fn indexed(folder: &Path, ledger: &Ledger) -> Index {
    let index = Index::open(folder).await.unwrap();
    index.catch_up(&mut ledger.reader(index.position())).await.unwrap();
    index
}

/// The same question, asked of every entry.
fn literal(entries: &[Entry], query: &Query) -> Vec<u64> {
    let fits = |entry: &&Entry| {
        let Ok(decision) = entry.parse::<writ_model::record::DecisionSkeleton>() else { return false };
        let time = entry.header.event_time;
        query.from.is_none_or(|from| time >= from)
            && query.to.is_none_or(|to| time < to)
            && query.service.as_deref().is_none_or(|service| &*decision.service == service)
            && query.effect.is_none_or(|effect| decision.enforced == effect)
            && query
                .clause
                .as_deref()
                .is_none_or(|clause| decision.decided.iter().any(|cause| &*cause.clause == clause))
            && query.class.as_deref().is_none_or(|class| decision.classes.iter().any(|seen| &*seen.class == class))
            && query.before.is_none_or(|before| entry.header.sequence < before)
    };
    let limit = if query.limit == 0 { usize::MAX } else { query.limit };
    entries.iter().rev().filter(fits).take(limit).map(|entry| entry.header.sequence).collect()
}

fn sequences(rows: &[Row]) -> Vec<u64> {
    rows.iter().map(|row| row.sequence).collect()
}

#[tokio::test]
async fn answers_are_those_of_the_ledger() {
    let folder = tempfile::tempdir().unwrap();
    let (_storage, ledger) = filled();
    let index = indexed(folder.path(), &ledger).await;
    assert_eq!((index.lag(ledger.position()), index.unreadable()), (0, 0));
    let files = std::fs::read_dir(folder.path())
        .unwrap()
        .filter(|it| it.as_ref().unwrap().path().extension() == Some("db".as_ref()));
    assert!(files.count() >= 2, "two months, two files");
    let entries: Vec<Entry> = ledger.reader(0).map(Result::unwrap).collect();
    let hours = |n: u64| Some(NOW.after(Duration::from_secs(n * 3600 + 120)));
    let service = || Some("anthropic".to_owned());
    let questions = [
        Query::default(),
        Query { limit: 7, ..Query::default() },
        Query { from: hours(20), to: hours(300), ..Query::default() },
        Query { service: service(), ..Query::default() },
        Query { effect: Some(Effect::Allow), ..Query::default() },
        Query { effect: Some(Effect::Block), limit: 20, ..Query::default() },
        Query { clause: Some("3.1".into()), service: service(), ..Query::default() },
        Query { class: Some("phi".into()), effect: Some(Effect::Coach), from: hours(10), ..Query::default() },
        Query {
            class: Some("phi".into()),
            clause: Some("1.1".into()),
            effect: Some(Effect::Allow),
            ..Query::default()
        },
        Query { before: Some(100), limit: 30, ..Query::default() },
        Query { service: Some("unheard-of".into()), ..Query::default() },
        Query { from: hours(100_000), ..Query::default() },
    ];
    for question in questions {
        assert_eq!(sequences(&index.query(&question).await.unwrap()), literal(&entries, &question), "{question:?}");
    }
    let rows = index.query(&Query::default()).await.unwrap();
    assert_eq!(rows.iter().filter(|row| row.outcome.is_none()).count(), 43);
    assert!(
        rows.iter().all(|row| row.outcome.as_ref().is_none_or(|it| it.ending == "delivered" && it.bytes_down == 20))
    );
    let stopped = rows.iter().find(|row| row.reference.is_some()).unwrap();
    assert_eq!(index.by_reference(stopped.reference.as_deref().unwrap()).await.unwrap().as_ref(), Some(stopped));
    assert_eq!(index.by_reference("REF-none").await.unwrap(), None);
}

#[tokio::test]
async fn rollups_count_what_the_rows_say() {
    let folder = tempfile::tempdir().unwrap();
    let (_storage, ledger) = filled();
    let index = indexed(folder.path(), &ledger).await;
    let cells = index.rollup(Moment::EPOCH, NOW.after(Duration::from_secs(400 * 86_400))).await.unwrap();
    let rows = index.query(&Query::default()).await.unwrap();
    let all: u64 =
        cells.iter().filter(|cell| cell.class.is_none() && cell.clause.is_none()).map(|cell| cell.count).sum();
    assert_eq!(all, 300);
    let phi: u64 = cells
        .iter()
        .filter(|cell| cell.class.as_deref() == Some("phi") && cell.clause.is_none() && cell.effect == Effect::Coach)
        .map(|cell| cell.count)
        .sum();
    let expected = rows.iter().filter(|row| row.classes == ["phi"] && row.enforced == Effect::Coach).count();
    assert_eq!(phi, expected as u64);
    let pair: u64 = cells
        .iter()
        .filter(|cell| cell.class.as_deref() == Some("phi") && cell.clause.as_deref() == Some("1.1"))
        .map(|cell| cell.count)
        .sum();
    assert_eq!(pair, rows.iter().filter(|row| row.classes == ["phi"] && row.clauses == ["1.1"]).count() as u64);
    let day = index.rollup(NOW, NOW.after(Duration::from_secs(86_400))).await.unwrap();
    assert!(!day.is_empty() && day.len() < cells.len());
}

#[tokio::test]
async fn it_goes_on_where_it_stopped_and_can_be_rebuilt() {
    let folder = tempfile::tempdir().unwrap();
    let (_storage, ledger) = filled();
    let entries: Vec<Entry> = ledger.reader(0).map(Result::unwrap).collect();
    // In pieces, closed and opened between them, with pieces given twice.
    for (number, piece) in entries.chunks(61).enumerate() {
        let index = Index::open(folder.path()).await.unwrap();
        assert_eq!(index.position(), (number * 61) as u64);
        index.apply(piece).await.unwrap();
        index.apply(piece).await.unwrap();
        index.close().await.unwrap();
    }
    let index = Index::open(folder.path()).await.unwrap();
    // The ledger signs checkpoints by itself, so its own position may have moved on.
    let collected = entries.len() as u64;
    assert_eq!(index.lag(collected + 5), 5);
    let far = NOW.after(Duration::from_secs(400 * 86_400));
    let (rows, cells) = (index.query(&Query::default()).await.unwrap(), index.rollup(NOW, far).await.unwrap());
    assert_eq!(rows.len(), 300);
    let rebuilt = index.rebuild(&mut ledger.reader(0)).await.unwrap();
    assert!((collected..=ledger.position()).contains(&rebuilt), "{rebuilt} of {collected}");
    assert_eq!(index.query(&Query::default()).await.unwrap(), rows);
    assert_eq!(index.rollup(NOW, far).await.unwrap(), cells);
}

#[tokio::test]
async fn skeletons_that_it_does_not_know_are_counted_and_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let storage = SimulatedStorage::new();
    let ledger = crate::support::open(&storage, config(Durability::Process)).unwrap();
    ledger.append(crate::support::decision(1)).await.unwrap();
    let skeleton = full_decision(2, "own", Effect::Allow, "1.1", None);
    ledger.append(NewEntry::decision(&skeleton, None, NOW)).await.unwrap();
    let index = indexed(folder.path(), &ledger).await;
    assert_eq!((index.unreadable(), index.position()), (1, 2));
    assert_eq!(index.query(&Query::default()).await.unwrap().len(), 1);
}

/// Not a test but a measurement: `cargo test --release -p writ-store measure -- --ignored --nocapture`.
#[tokio::test]
#[ignore = "prints how long things take"]
async fn measure() {
    let folder = tempfile::tempdir().unwrap();
    let storage = writ_store::storage::FileStorage::new(&folder.path().join("ledger")).unwrap();
    let ledger =
        crate::support::open(&storage, writ_store::ledger::LedgerConfig::new(crate::support::organisation())).unwrap();
    let records: u64 = 50_000;
    let cpu = cpu_seconds();
    let clock = writ_base::SystemClock;
    let start = writ_base::Clock::now(&clock);
    let tasks: Vec<_> = (0..16u64)
        .map(|task| {
            let ledger = ledger.clone();
            tokio::spawn(async move {
                for number in (task..records).step_by(16) {
                    let place = number as usize;
                    let effect = if number.is_multiple_of(20) { Effect::Block } else { Effect::Allow };
                    let skeleton = full_decision(number, SERVICES[place % 3], effect, "4.2", CLASSES[place % 4]);
                    ledger.append(NewEntry::decision(&skeleton, None, NOW)).await.unwrap();
                    ledger.append(outcome(number)).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let per = |seconds: f64, count: u64| seconds * 1e6 / count as f64;
    let wall = writ_base::Clock::now(&clock).since(start).as_secs_f64();
    println!(
        "append: {:.2} us wall, {:.2} us CPU an entry",
        per(wall, records * 2),
        per(cpu_seconds() - cpu, records * 2)
    );
    let index = Index::open(&folder.path().join("index")).await.unwrap();
    let (cpu, start) = (cpu_seconds(), writ_base::Clock::now(&clock));
    index.catch_up(&mut ledger.reader(0)).await.unwrap();
    let wall = writ_base::Clock::now(&clock).since(start).as_secs_f64();
    println!("index: {:.2} us wall, {:.2} us CPU a record", per(wall, records), per(cpu_seconds() - cpu, records));
    let start = writ_base::Clock::now(&clock);
    for _ in 0..20 {
        let query = Query { clause: Some("4.2".into()), effect: Some(Effect::Block), limit: 50, ..Query::default() };
        assert_eq!(index.query(&query).await.unwrap().len(), 50);
    }
    println!("query: {:.2} ms", writ_base::Clock::now(&clock).since(start).as_secs_f64() * 1e3 / 20.0);
}

/// CPU time of this process, from /proc (in hundredths of a second, the clock tick of Linux).
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
}
