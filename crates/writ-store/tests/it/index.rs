//! The index answers what the ledger holds.

use std::path::Path;
use std::time::Duration;

use writ_base::Moment;
use writ_model::interaction::InteractionId;
use writ_model::record::{DecisionSkeleton, EntryKind, OutcomeSkeleton, UnreadReason};
use writ_model::verdict::Effect;
use writ_model::{Account, Channel, Identity, Signal, Value as _, Who};
use writ_store::Index;
use writ_store::index::{Opener, Outcome, Query, Row};
use writ_store::ledger::{Durability, Entry, Ledger, NewEntry};
use writ_store::storage::SimulatedStorage;

use crate::support::{
    NOW, World, all_bytes, config, contains, full_decision, login, open_with, outcome_skeleton, secret, signers,
};

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
        let mut skeleton = full_decision(number, SERVICES[place % 3], effect, &clause, CLASSES[place % 4]);
        skeleton.who = Who::ALL[place % 4];
        skeleton.channel = Channel::ALL[place % 5];
        skeleton.account = Account::ALL[place % 4];
        skeleton.identity = Identity::ALL[place % 5];
        if number.is_multiple_of(11) {
            skeleton.signals = vec![Signal::OpaqueImage, Signal::Injection];
            skeleton.read_in_full = false;
        }
        if number.is_multiple_of(13) {
            skeleton.unread = Some(UnreadReason::PersonalAccount);
            skeleton.read_in_full = false;
        }
        let now = writ_base::Clock::now(&*clock);
        ledger.append_blocking(NewEntry::decision(&skeleton, None, now)).unwrap();
        clock.advance(Duration::from_secs(600 + (number % 17) * 600));
        if !number.is_multiple_of(7) {
            let outcome = OutcomeSkeleton { judged_us: number * 10, ..outcome_skeleton(number) };
            ledger.append_blocking(NewEntry::outcome(&outcome, now)).unwrap();
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
            && query.who.is_none_or(|who| decision.who == who)
            && query.channel.is_none_or(|channel| decision.channel == channel)
            && query.account.is_none_or(|account| decision.account == account)
            && (query.reference.is_none() || query.reference == decision.reference)
            && query
                .signal
                .as_deref()
                .is_none_or(|signal| decision.signals.iter().any(|it| it.as_str() == signal || it.family() == signal))
    };
    let limit = if query.limit == 0 { usize::MAX } else { query.limit };
    entries.iter().rev().filter(fits).take(limit).map(|entry| entry.header.sequence).collect()
}

/// An entry as a row, without its outcome.
fn literal_row(entry: &Entry, outcome: Option<Outcome>) -> Row {
    let decision = entry.parse::<DecisionSkeleton>().unwrap();
    Row {
        sequence: entry.header.sequence,
        time: entry.header.event_time,
        interaction: decision.interaction,
        direction: decision.direction,
        service: decision.service.to_string(),
        category: decision.category,
        tier: decision.tier.to_string(),
        status: decision.status,
        account: decision.account,
        who: decision.who,
        identity: decision.identity,
        action: decision.action,
        channel: decision.channel,
        person: None,
        enforced: decision.enforced,
        full: decision.full,
        decided_at: decision.decided_at,
        signals: decision.signals,
        unread: decision.unread.map(|_| "personal-account".to_owned()),
        read_in_full: decision.read_in_full,
        clauses: decision.decided.iter().map(|cause| cause.clause.to_string()).collect(),
        classes: decision.classes.iter().map(|seen| seen.class.to_string()).collect(),
        found: decision.classes,
        reference: decision.reference,
        outcome,
    }
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
        Query { who: Some(Who::Contractor), ..Query::default() },
        Query { who: Some(Who::Vendor), channel: Some(Channel::Ide), limit: 3, ..Query::default() },
        Query { account: Some(Account::Personal), service: service(), ..Query::default() },
        Query { signal: Some("opaque".into()), ..Query::default() },
        Query { signal: Some("opaque (image)".into()), class: Some("phi".into()), ..Query::default() },
        Query { signal: Some("jailbreak".into()), ..Query::default() },
        Query { reference: Some("REF-9".into()), ..Query::default() },
        Query { reference: Some("REF-9".into()), service: service(), ..Query::default() },
        Query { person: Some("amber-heron-7k3f2q".into()), limit: 0, from: hours(100_000), ..Query::default() },
    ];
    for question in questions {
        assert_eq!(sequences(&index.query(&question).await.unwrap()), literal(&entries, &question), "{question:?}");
    }
    let rows = index.query(&Query::default()).await.unwrap();
    for (row, entry) in rows.iter().rev().zip(entries.iter().filter(|entry| entry.header.kind == EntryKind::Decision)) {
        assert_eq!(row, &literal_row(entry, row.outcome.clone()), "a row says what its entry says");
    }
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

#[tokio::test]
async fn figures_by_day_are_those_of_the_ledger() {
    let folder = tempfile::tempdir().unwrap();
    let (_storage, ledger) = filled();
    let index = indexed(folder.path(), &ledger).await;
    let far = NOW.after(Duration::from_secs(400 * 86_400));
    let decisions: Vec<DecisionSkeleton> =
        ledger.reader(0).map(Result::unwrap).filter_map(|entry| entry.parse().ok()).collect();
    let stats = index.day_stats(Moment::EPOCH, far).await.unwrap();
    assert!(stats.windows(2).all(|pair| (pair[0].day, &pair[0].service) < (pair[1].day, &pair[1].service)));
    for service in [None, Some("openai"), Some("anthropic"), Some("own")] {
        let of: Vec<_> = decisions.iter().filter(|it| service.is_none_or(|name| &*it.service == name)).collect();
        let rows: Vec<_> = stats.iter().filter(|stat| stat.service.as_deref() == service).collect();
        let sum = |read: fn(&writ_store::index::DayStat) -> u64| rows.iter().map(|stat| read(stat)).sum::<u64>();
        let count = |fits: fn(&DecisionSkeleton) -> bool| of.iter().filter(|it| fits(it)).count() as u64;
        assert_eq!(sum(|it| it.records), of.len() as u64);
        assert_eq!(sum(|it| it.interruptions), count(|it| !it.enforced.passes()));
        assert_eq!(sum(|it| it.coached), count(|it| it.enforced == Effect::Coach));
        assert_eq!(sum(|it| it.unread), count(|it| it.unread.is_some()));
        assert_eq!(sum(|it| it.opaque), count(|it| !it.read_in_full && it.unread.is_none()));
    }
    let judged = index.judged(Moment::EPOCH, far).await.unwrap().unwrap();
    let mut exact: Vec<u64> = (1..300).filter(|n| n % 7 != 0).map(|n| n * 10).collect();
    exact.sort_unstable();
    let near = |found: u64, exact: u64| (exact..=exact + exact / 16).contains(&found);
    assert_eq!(judged.count, exact.len() as u64);
    assert!(
        near(judged.p50_us, exact[exact.len().div_ceil(2) - 1])
            && near(judged.p99_us, exact[(exact.len() * 99).div_ceil(100) - 1])
    );
    let tools = index.tools(Moment::EPOCH, far).await.unwrap();
    let names: Vec<&str> = tools.iter().map(|tool| tool.service.as_str()).collect();
    assert_eq!(names, ["anthropic", "openai", "own"]);
    assert!(tools.iter().all(|tool| tool.records == 100 && tool.persons == 0 && tool.first < tool.last));
    assert_eq!(index.judged(far, far).await.unwrap(), None);
    let today = index.day_stats(NOW, NOW.after(Duration::from_secs(1))).await.unwrap();
    assert!(today.iter().all(|stat| stat.day <= NOW) && today.iter().any(|stat| stat.service.is_none()));
}

#[tokio::test]
async fn an_interaction_is_found_by_its_id() {
    let folder = tempfile::tempdir().unwrap();
    let (storage, ledger) = filled();
    let index = indexed(folder.path(), &ledger).await;
    let random = writ_base::SeededRandom::new(3);
    let known =
        ledger.reader(0).map(Result::unwrap).filter(|entry| entry.header.kind == EntryKind::Decision).nth(20).unwrap();
    let known = known.header.interaction.unwrap();
    let rows = index.by_interaction(known).await.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(index.entry_sequence(known).await.unwrap(), Some(rows[0].sequence));
    assert_eq!(ledger.entry(rows[0].sequence).unwrap().unwrap().header.interaction, Some(known));
    assert_eq!(ledger.entry(ledger.position() + 10).unwrap(), None);
    // Ids as they really are: their time tells where to look.
    let last = ledger.reader(0).map(Result::unwrap).last().unwrap().header.event_time;
    let (prompt, answer) = (InteractionId::new(last, &random), last.after(Duration::from_secs(7200)));
    for (direction, time) in [(writ_model::Direction::Prompt, last), (writ_model::Direction::Answer, answer)] {
        let skeleton = DecisionSkeleton {
            interaction: prompt,
            direction,
            ..full_decision(900, "own", Effect::Allow, "1.1", None)
        };
        ledger.append(NewEntry::decision(&skeleton, None, time)).await.unwrap();
    }
    index.catch_up(&mut ledger.reader(index.position())).await.unwrap();
    let rows = index.by_interaction(prompt).await.unwrap();
    assert_eq!(
        rows.iter().map(|row| row.direction).collect::<Vec<_>>(),
        [writ_model::Direction::Prompt, writ_model::Direction::Answer]
    );
    assert!(index.by_interaction(InteractionId::new(NOW, &random)).await.unwrap().is_empty());
    drop(storage);
}

/// 40 decisions of each person, ten of them a day; each in the ledger of the world, with a sealed part.
async fn decide(world: &World, persons: &[writ_model::interaction::PrincipalId], first: u64) {
    for number in first..first + 40 {
        for (place, person) in persons.iter().enumerate() {
            let now = writ_base::Clock::now(&*world.clock);
            let number = number * 100 + place as u64;
            let mut skeleton = full_decision(number, SERVICES[place % 3], Effect::Allow, "1.1", None);
            skeleton.identity = if number % 200 == 7 { Identity::Shared } else { Identity::Password };
            let key = world.state.person_key(*person, now, &world.ledger).await.unwrap();
            let sealed = key.seal(EntryKind::Decision, Some(skeleton.interaction), b"{}", &*world.randomness);
            world.ledger.append(NewEntry::decision(&skeleton, Some(sealed), now)).await.unwrap();
        }
        if number % 10 == 9 {
            world.clock.advance(Duration::from_secs(86_400));
        }
    }
}

#[tokio::test]
async fn persons_are_named_by_pseudonym_and_forgotten_with_their_keys() {
    let world = World::new().await;
    let World { ledger, keys, randomness, .. } = &world;
    let mut persons = Vec::new();
    for name in ["a", "b", "c"] {
        persons.push(world.state.identify(&login(name), "employee", &secret(name), ledger).await.unwrap().principal);
    }
    // From 22 November to 2 December: two months, two keys each.
    decide(&world, &persons, 0).await;
    world.clock.advance(Duration::from_secs(5 * 86_400));
    decide(&world, &persons, 40).await;
    let folder = world.directory().index();
    let plain = indexed(&folder, ledger).await;
    assert!(plain.query(&Query::default()).await.unwrap().iter().all(|row| row.person.is_none()));
    plain.close().await.unwrap();
    let location = world.state.location().clone();
    let state = std::sync::Arc::new(writ_store::State::open(location, world.means()).await.unwrap());
    let open = || Index::open_with(&folder, Opener::new(state.clone()));
    let index = open().await.unwrap();
    assert_eq!(index.position(), 0, "what was built without persons is built anew");
    index.catch_up(&mut ledger.reader(0)).await.unwrap();
    let of = |name: String| {
        let query = Query { person: Some(name), ..Query::default() };
        let index = &index;
        async move { index.query(&query).await.unwrap() }
    };
    let names: Vec<String> = persons.iter().map(|person| state.pseudonym(*person).unwrap()).collect();
    for name in &names {
        let rows = of(name.clone()).await;
        assert_eq!(rows.len(), 80);
        assert!(rows.iter().all(|row| row.person.as_ref() == Some(name)));
    }
    let far = NOW.after(Duration::from_secs(100 * 86_400));
    let people = |stats: &[writ_store::index::DayStat]| {
        stats.iter().filter(|it| it.service.is_none()).map(|it| it.persons).max().unwrap_or(0)
    };
    assert_eq!(people(&index.day_stats(NOW, far).await.unwrap()), 3);
    let tools = index.tools(NOW, far).await.unwrap();
    assert!(tools.iter().all(|tool| tool.persons == 1 && tool.records == 80), "two keys, one person: {tools:?}");
    let figures = async |least| index.clause_figures(NOW, far, least).await.unwrap().remove(0);
    let three = figures(3).await;
    assert_eq!((three.clause.as_str(), three.decided.get(&Effect::Allow), three.enough), ("1.1", Some(&240), true));
    assert!(!figures(4).await.enough, "six keys, three people");
    assert!(!index.clause_figures(NOW, NOW.after(Duration::from_secs(3600)), 31).await.unwrap()[0].enough);
    // A new epoch of pseudonyms needs no new index; the former pseudonym still leads to the records.
    let now = writ_base::Clock::now(&*world.clock);
    keys.rotate(writ_base::keys::KeyPurpose::Pseudonym, ledger, now, &**randomness).await.unwrap();
    let former = of(names[1].clone()).await;
    assert!(former.len() == 80 && former[0].person == Some(state.pseudonym(persons[1]).unwrap()));
    assert_ne!(former[0].person.as_ref(), Some(&names[1]));
    let sealed = ledger.reader(0).map(Result::unwrap).filter(|entry| entry.personal.is_some()).count();
    assert_eq!(sealed, 240);

    state.erase(persons[0], "privacy officer", ledger).await.unwrap();
    let count = |rows: &[Row]| rows.iter().filter(|row| row.person.is_some()).count();
    assert_eq!(count(&index.query(&Query::default()).await.unwrap()), 160, "at once, before the index goes on");
    assert!(of(names[0].clone()).await.is_empty());
    let destroyed: Vec<String> = ledger
        .reader(0)
        .map(Result::unwrap)
        .filter_map(|entry| entry.parse::<writ_store::ledger::KeyEvent>().ok())
        .filter(|event| event.event == writ_store::ledger::KeyChange::Destroyed)
        .flat_map(|event| event.keys)
        .collect();
    assert_eq!(destroyed.len(), 2);
    let in_index = || {
        let files = all_bytes(&folder);
        destroyed.iter().filter(|key| files.iter().any(|(_, bytes)| contains(bytes, key.as_bytes()))).count()
    };
    assert_eq!(in_index(), 2);
    index.catch_up(&mut ledger.reader(index.position())).await.unwrap();
    assert_eq!(in_index(), 0, "in no file of any month");
    let rows = index.query(&Query::default()).await.unwrap();
    assert_eq!((count(&rows), rows.len()), (160, 240));
    let (stats, tools) = (index.day_stats(NOW, far).await.unwrap(), index.tools(NOW, far).await.unwrap());
    assert_eq!(people(&stats), 2);
    index.rebuild(&mut ledger.reader(0)).await.unwrap();
    assert_eq!(index.query(&Query::default()).await.unwrap(), rows);
    assert_eq!((index.day_stats(NOW, far).await.unwrap(), index.tools(NOW, far).await.unwrap()), (stats, tools));
    assert_eq!(in_index(), 0);
    index.close().await.unwrap();
    let again = open().await.unwrap();
    assert_eq!(again.query(&Query::default()).await.unwrap(), rows);
}

/// Not a test but a measurement: `cargo test --release -p writ-store measure -- --ignored --nocapture`.
#[tokio::test]
#[ignore = "prints how long things take"]
async fn measure() {
    let world = World::new().await;
    let records: u64 = 50_000;
    let people: u64 = 500;
    let mut keys = Vec::new();
    for number in 0..people {
        let login = login(&number.to_string());
        let person = world.state.identify(&login, "employee", &secret("X"), &world.ledger).await.unwrap().principal;
        keys.push(world.state.person_key(person, NOW, &world.ledger).await.unwrap());
    }
    let keys = std::sync::Arc::new(keys);
    let clock = writ_base::SystemClock;
    let (cpu, start) = (cpu_seconds(), writ_base::Clock::now(&clock));
    let tasks: Vec<_> = (0..16u64)
        .map(|task| {
            let (ledger, keys, random) = (world.ledger.clone(), keys.clone(), world.randomness.clone());
            tokio::spawn(async move {
                for number in (task..records).step_by(16) {
                    let place = number as usize;
                    let effect = if number.is_multiple_of(20) { Effect::Block } else { Effect::Allow };
                    let skeleton = full_decision(number, SERVICES[place % 3], effect, "4.2", CLASSES[place % 4]);
                    let key = &keys[place % keys.len()];
                    let sealed = key.seal(EntryKind::Decision, Some(skeleton.interaction), &[7; 1500], &*random);
                    ledger.append(NewEntry::decision(&skeleton, Some(sealed), NOW)).await.unwrap();
                    let outcome = OutcomeSkeleton { judged_us: 200 + number % 1000, ..outcome_skeleton(number) };
                    ledger.append(NewEntry::outcome(&outcome, NOW)).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let per = |seconds: f64, count: u64| seconds * 1e6 / count as f64;
    let since = |start: Moment| writ_base::Clock::now(&clock).since(start).as_secs_f64();
    let cpu = cpu_seconds() - cpu;
    println!("append: {:.2} us wall, {:.2} us CPU an entry", per(since(start), records * 2), per(cpu, records * 2));
    let read = cpu_seconds();
    assert!(world.ledger.reader(0).all(|entry| entry.is_ok()));
    println!("reading alone: {:.2} us CPU a record", per(cpu_seconds() - read, records));
    let location = world.state.location().clone();
    let state = std::sync::Arc::new(writ_store::State::open(location, world.means()).await.unwrap());
    let plain = Index::open(&world.folder.path().join("plain")).await.unwrap();
    let with = Index::open_with(&world.directory().index(), Opener::new(state.clone())).await.unwrap();
    for (name, index) in [("without persons", &plain), ("with persons", &with)] {
        let (cpu, start) = (cpu_seconds(), writ_base::Clock::now(&clock));
        index.catch_up(&mut world.ledger.reader(0)).await.unwrap();
        let (wall, cpu) = (per(since(start), records), per(cpu_seconds() - cpu, records));
        println!("index {name}: {wall:.2} us wall, {cpu:.2} us CPU a record");
    }
    let mut query = Query { clause: Some("4.2".into()), effect: Some(Effect::Block), limit: 50, ..Query::default() };
    let far = NOW.after(Duration::from_secs(86_400));
    for name in ["clause and effect", "of a person", "a rare kind of caller, none there"] {
        let start = writ_base::Clock::now(&clock);
        for _ in 0..20 {
            let found = with.query(&query).await.unwrap().len();
            assert_eq!(found, if query.who.is_some() { 0 } else { 50 });
        }
        println!("query {name}: {:.2} ms", since(start) * 1e3 / 20.0);
        let person = with.query(&Query { limit: 1, ..Query::default() }).await.unwrap().remove(0).person;
        query = match name {
            "clause and effect" => Query { person, limit: 50, ..Query::default() },
            _ => Query { who: Some(Who::Vendor), limit: 50, ..Query::default() },
        };
    }
    let start = writ_base::Clock::now(&clock);
    assert!(!with.day_stats(NOW, far).await.unwrap().is_empty());
    println!("figures of a day: {:.2} ms", since(start) * 1e3);
    let start = writ_base::Clock::now(&clock);
    assert_eq!(with.by_interaction(crate::support::interaction(17)).await.unwrap().len(), 1);
    println!("by interaction, whole month read: {:.2} ms", since(start) * 1e3);
    let start = writ_base::Clock::now(&clock);
    world.ledger.entry(world.ledger.position() - 1).unwrap().unwrap();
    println!("one entry at the end of its segment: {:.2} ms", since(start) * 1e3);
}

/// CPU time of this process, from /proc (in hundredths of a second, the clock tick of Linux).
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
}

#[tokio::test]
async fn whoever_looks_beside_the_builder_removes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (_storage, ledger) = filled();
    let index = indexed(folder.path(), &ledger).await;
    let beside = Index::open_beside(folder.path()).await.unwrap();
    assert_eq!(beside.position(), index.position());
    assert_eq!(beside.query(&Query::default()).await.unwrap(), index.query(&Query::default()).await.unwrap());
    let files = || std::fs::read_dir(folder.path()).unwrap().count();
    let before = files();
    // A month file as its builder leaves it for a moment: there, and without tables.
    std::fs::write(folder.path().join("999999.db"), b"").unwrap();
    assert!(matches!(Index::open_beside(folder.path()).await, Err(writ_store::index::IndexError::BeingMade)));
    assert!(files() > before, "nothing was removed");
}
