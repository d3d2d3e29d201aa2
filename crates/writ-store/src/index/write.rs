//! Entries to rows.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use serde::Deserialize;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments, AssertSqlSafe, Connection, Row, SqliteConnection};
use writ_model::record::{Ending, EntryKind, OutcomeSkeleton};
use writ_model::verdict::Effect;

use super::{BATCH, File, Index, IndexError, LAYOUT, connect};
use crate::ledger::Entry;
use crate::personal::month;

/// One file. `records` is in the order of the chain, so its rows need no index by time: `hours` says which stretch an
/// hour is. `tags` answers "which records have this service, effect, clause or class", newest first, and covers it.
const SCHEMA: &str = "
    CREATE TABLE meta (layout INTEGER NOT NULL, position INTEGER NOT NULL);
    CREATE TABLE terms (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
    CREATE TABLE hours (hour INTEGER PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL);
    CREATE TABLE records (
        sequence INTEGER PRIMARY KEY, time INTEGER NOT NULL, interaction BLOB NOT NULL, direction INTEGER NOT NULL,
        service INTEGER NOT NULL, enforced INTEGER NOT NULL, full INTEGER NOT NULL,
        clauses TEXT NOT NULL, classes TEXT NOT NULL, reference TEXT);
    CREATE TABLE tags (term INTEGER NOT NULL, sequence INTEGER NOT NULL, PRIMARY KEY (term, sequence)) WITHOUT ROWID;
    CREATE TABLE reference_codes (code TEXT PRIMARY KEY, sequence INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE outcomes (
        interaction BLOB PRIMARY KEY, ending TEXT NOT NULL, status INTEGER, bytes_up INTEGER NOT NULL,
        bytes_down INTEGER NOT NULL, duration_ms INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE rollup (
        hour INTEGER NOT NULL, service INTEGER NOT NULL, effect INTEGER NOT NULL, class INTEGER NOT NULL,
        clause INTEGER NOT NULL, count INTEGER NOT NULL,
        PRIMARY KEY (hour, service, effect, class, clause)) WITHOUT ROWID;
";

/// What the index reads of a decision; the rest stays in the ledger.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Decision<'a> {
    #[serde(borrow)]
    direction: Cow<'a, str>,
    #[serde(borrow)]
    service: Cow<'a, str>,
    #[serde(borrow)]
    classes: Vec<Class<'a>>,
    enforced: Effect,
    full: Effect,
    #[serde(borrow)]
    decided: Vec<Cause<'a>>,
    #[serde(borrow, default)]
    reference: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Class<'a> {
    #[serde(borrow)]
    class: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Cause<'a> {
    #[serde(borrow)]
    clause: Cow<'a, str>,
}

/// Rows of one batch, gathered before anything is sent to the database.
#[derive(Default)]
struct Rows {
    records: Table,
    tags: Table,
    codes: Table,
    outcomes: Table,
    hours: BTreeMap<i64, (i64, i64)>,
    rollup: BTreeMap<[i64; 5], i64>,
}

/// Values of one table, row after row.
#[derive(Default)]
struct Table(Vec<Value>);

enum Value {
    Null,
    Number(i64),
    Text(String),
    Bytes([u8; 16]),
}

/// The ids of names in one file; new ones are written with the batch.
struct Terms {
    known: BTreeMap<Kind, BTreeMap<String, i64>>,
    count: i64,
    new: Table,
}

/// What a term names; the word before the colon of its name.
type Kind = &'static str;
/// All kinds of terms.
const KINDS: [Kind; 4] = ["service", "effect", "clause", "class"];

pub(super) const HOUR_NANOS: i64 = 3_600_000_000_000;

impl Index {
    /// Indexes entries that follow each other; those before the position are passed over.
    ///
    /// # Errors
    /// If a file refuses; nothing of the batch's last file is indexed then.
    pub async fn apply(&self, entries: &[Entry]) -> Result<(), IndexError> {
        let mut writer = self.writer.lock().await;
        let position = self.position();
        let mut rest = entries.iter().skip_while(|entry| entry.header.sequence < position).collect::<Vec<_>>();
        while let Some(first) = rest.first() {
            let last_month = writer.as_ref().map_or(0, |file| file.month);
            // The clock may step back; a file never does.
            let of = |entry: &Entry| month(entry.header.recorded_time).max(last_month);
            let wanted = of(first);
            let count = rest.iter().take(BATCH).take_while(|entry| of(entry) == wanted).count();
            let batch: Vec<&Entry> = rest.drain(..count).collect();
            if last_month != wanted {
                if let Some(former) = writer.take() {
                    former.connection.close().await?;
                }
                *writer = Some(self.start_file(wanted).await?);
            }
            let Some(file) = writer.as_mut() else { return Ok(()) };
            let next = batch.last().map_or(0, |entry| entry.header.sequence + 1);
            let unreadable = write_batch(&mut file.connection, &batch, next).await?;
            self.unreadable.fetch_add(unreadable, Ordering::Relaxed);
            self.position.store(next, Ordering::Release);
        }
        Ok(())
    }

    async fn start_file(&self, month: i64) -> Result<File, IndexError> {
        let mut connection = connect(&self.path(month), true).await?;
        let mut transaction = connection.begin().await?;
        sqlx::raw_sql(SCHEMA).execute(&mut *transaction).await?;
        sqlx::query("INSERT INTO meta (layout, position) VALUES (?, ?)")
            .bind(LAYOUT)
            .bind(number(self.position()))
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(File { month, connection })
    }
}

async fn write_batch(connection: &mut SqliteConnection, batch: &[&Entry], next: u64) -> Result<u64, IndexError> {
    let mut terms = Terms::load(connection).await?;
    let mut rows = Rows::default();
    let unreadable = batch.iter().filter(|entry| rows.take(entry, &mut terms).is_err()).count();
    let mut transaction = connection.begin().await?;
    terms.new.insert(&mut transaction, "INSERT INTO terms (id, name)", 2).await?;
    let into = "INSERT INTO records (sequence, time, interaction, direction, service, enforced, full, clauses, classes, reference)";
    rows.records.insert(&mut transaction, into, 10).await?;
    rows.tags.insert(&mut transaction, "INSERT OR IGNORE INTO tags (term, sequence)", 2).await?;
    rows.codes.insert(&mut transaction, "INSERT OR REPLACE INTO reference_codes (code, sequence)", 2).await?;
    let into = "INSERT OR REPLACE INTO outcomes (interaction, ending, status, bytes_up, bytes_down, duration_ms)";
    rows.outcomes.insert(&mut transaction, into, 6).await?;
    for (hour, (first, last)) in rows.hours {
        sqlx::query(
            "INSERT INTO hours (hour, first, last) VALUES (?, ?, ?)
             ON CONFLICT (hour) DO UPDATE SET first = min(first, excluded.first), last = max(last, excluded.last)",
        )
        .bind(hour)
        .bind(first)
        .bind(last)
        .execute(&mut *transaction)
        .await?;
    }
    for ([hour, service, effect, class, clause], count) in rows.rollup {
        sqlx::query(
            "INSERT INTO rollup (hour, service, effect, class, clause, count) VALUES (?, ?, ?, ?, ?, ?)
             ON CONFLICT (hour, service, effect, class, clause) DO UPDATE SET count = count + excluded.count",
        )
        .bind(hour)
        .bind(service)
        .bind(effect)
        .bind(class)
        .bind(clause)
        .bind(count)
        .execute(&mut *transaction)
        .await?;
    }
    sqlx::query("UPDATE meta SET position = ?").bind(number(next)).execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(unreadable as u64)
}

impl Rows {
    fn take(&mut self, entry: &Entry, terms: &mut Terms) -> Result<(), serde_json::Error> {
        match (entry.header.kind, entry.header.interaction) {
            (EntryKind::Decision, Some(interaction)) => {
                let decision: Decision<'_> = serde_json::from_slice(&entry.skeleton)?;
                self.decision(entry, *interaction.as_bytes(), &decision, terms);
            }
            (EntryKind::Outcome, Some(interaction)) => {
                let outcome: OutcomeSkeleton = serde_json::from_slice(&entry.skeleton)?;
                self.outcomes.0.extend([
                    Value::Bytes(*interaction.as_bytes()),
                    Value::Text(ending_name(outcome.ending)),
                    outcome.status.map_or(Value::Null, |status| Value::Number(status.into())),
                    Value::Number(number(outcome.bytes_up)),
                    Value::Number(number(outcome.bytes_down)),
                    Value::Number(number(outcome.duration_ms)),
                ]);
            }
            _ => {}
        }
        Ok(())
    }

    fn decision(&mut self, entry: &Entry, interaction: [u8; 16], decision: &Decision<'_>, terms: &mut Terms) {
        let sequence = number(entry.header.sequence);
        let time = entry.header.event_time.nanos();
        let hour = time.div_euclid(HOUR_NANOS);
        let effect = effect_number(decision.enforced);
        let service = terms.id("service", &decision.service);
        let mut clauses: Vec<&str> = decision.decided.iter().map(|cause| &*cause.clause).collect();
        let mut classes: Vec<&str> = decision.classes.iter().map(|class| &*class.class).collect();
        clauses.sort_unstable();
        clauses.dedup();
        classes.sort_unstable();
        classes.dedup();
        let clause_ids: Vec<i64> = clauses.iter().map(|clause| terms.id("clause", clause)).collect();
        let class_ids: Vec<i64> = classes.iter().map(|class| terms.id("class", class)).collect();
        let stretch = self.hours.entry(hour).or_insert((sequence, sequence));
        *stretch = (stretch.0.min(sequence), stretch.1.max(sequence));
        // Without class and clause: how many. With them: how many of each pair.
        *self.rollup.entry([hour, service, effect, 0, 0]).or_default() += 1;
        for class in class_ids.iter().chain([&0]) {
            for clause in clause_ids.iter().chain([&0]).filter(|clause| **clause + *class != 0) {
                *self.rollup.entry([hour, service, effect, *class, *clause]).or_default() += 1;
            }
        }
        // Most records are allowed: a tag for that would help nobody.
        let stopped = (decision.enforced != Effect::Allow).then(|| terms.id("effect", decision.enforced.as_str()));
        let tags = clause_ids.into_iter().chain(class_ids).chain(stopped).chain([service]);
        self.tags.0.extend(tags.flat_map(|tag| [Value::Number(tag), Value::Number(sequence)]));
        if let Some(code) = &decision.reference {
            self.codes.0.extend([Value::Text(code.to_string()), Value::Number(sequence)]);
        }
        self.records.0.extend([
            Value::Number(sequence),
            Value::Number(time),
            Value::Bytes(interaction),
            Value::Number(i64::from(decision.direction == "answer")),
            Value::Number(service),
            Value::Number(effect),
            Value::Number(effect_number(decision.full)),
            Value::Text(clauses.join("\n")),
            Value::Text(classes.join("\n")),
            decision.reference.as_ref().map_or(Value::Null, |code| Value::Text(code.to_string())),
        ]);
    }
}

impl Terms {
    async fn load(connection: &mut SqliteConnection) -> Result<Self, IndexError> {
        let mut terms = Self { known: BTreeMap::new(), count: 0, new: Table::default() };
        for row in sqlx::query("SELECT id, name FROM terms").fetch_all(connection).await? {
            let (id, name): (i64, String) = (row.try_get(0)?, row.try_get(1)?);
            terms.count = terms.count.max(id);
            if let Some((kind, name)) = name.split_once(':')
                && let Some(kind) = KINDS.iter().find(|it| **it == kind)
            {
                terms.known.entry(kind).or_default().insert(name.to_owned(), id);
            }
        }
        Ok(terms)
    }

    fn id(&mut self, kind: Kind, name: &str) -> i64 {
        let known = self.known.entry(kind).or_default();
        if let Some(id) = known.get(name) {
            return *id;
        }
        self.count += 1;
        known.insert(name.to_owned(), self.count);
        self.new.0.extend([Value::Number(self.count), Value::Text(format!("{kind}:{name}"))]);
        self.count
    }
}

/// Rows in one statement: each statement goes to the database's thread and back, which costs as much as many rows.
const STATEMENT_ROWS: [usize; 3] = [128, 16, 1];

impl Table {
    async fn insert(self, connection: &mut SqliteConnection, into: &str, columns: usize) -> Result<(), IndexError> {
        let mut values = self.0.into_iter();
        let row = format!("({})", vec!["?"; columns].join(","));
        for size in STATEMENT_ROWS {
            let statement = format!("{into} VALUES {}", vec![row.as_str(); size].join(","));
            while values.len() >= size * columns {
                let mut arguments = SqliteArguments::default();
                for value in values.by_ref().take(size * columns) {
                    value.add(&mut arguments)?;
                }
                let statement = AssertSqlSafe(statement.clone());
                sqlx::query_with(statement, arguments).execute(&mut *connection).await?;
            }
        }
        Ok(())
    }
}

impl Value {
    fn add(self, arguments: &mut SqliteArguments) -> Result<(), IndexError> {
        let added = match self {
            Self::Null => arguments.add(Option::<i64>::None),
            Self::Number(number) => arguments.add(number),
            Self::Text(text) => arguments.add(text),
            Self::Bytes(bytes) => arguments.add(bytes.to_vec()),
        };
        added.map_err(|error| IndexError::Database(sqlx::Error::Encode(error)))
    }
}

pub(super) fn effect_number(effect: Effect) -> i64 {
    effect as i64
}

fn ending_name(ending: Ending) -> String {
    serde_json::to_value(ending).ok().and_then(|it| it.as_str().map(str::to_owned)).unwrap_or_default()
}

pub(super) fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
