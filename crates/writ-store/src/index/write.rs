//! Entries to rows.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use serde::Deserialize;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments, AssertSqlSafe, Connection, Row, SqliteConnection};
use writ_base::hash::parse_hex;
use writ_base::keys::KeyPurpose;
use writ_model::record::EntryKind;
use writ_model::verdict::Effect;

use super::names::{Names, SHAPE_COLUMNS, person_term};
use super::stats::bucket;
use super::{BATCH, File, Index, IndexError, LAYOUT, connect};
use crate::ledger::{Entry, KeyChange, KeyEvent};
use crate::personal::month;
use crate::state::KeyId;

/// One file. `records` is in the order of the chain, so its rows need no index by time: `hours` says which stretch an
/// hour is. `tags` answers "which records have this service, effect, clause, class, signal or person", newest first, and
/// covers it. What is the same in many records is written once: `terms`, `shapes`, `found`.
const SCHEMA: &str = "
    CREATE TABLE meta (layout INTEGER NOT NULL, position INTEGER NOT NULL, persons INTEGER NOT NULL);
    CREATE TABLE terms (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
    CREATE TABLE shapes (
        id INTEGER PRIMARY KEY, category TEXT NOT NULL, tier TEXT NOT NULL, status TEXT NOT NULL, account TEXT NOT NULL,
        who TEXT NOT NULL, identity TEXT NOT NULL, action TEXT NOT NULL, channel TEXT NOT NULL, stage TEXT NOT NULL,
        direction TEXT NOT NULL, enforced TEXT NOT NULL, full TEXT NOT NULL, whole TEXT NOT NULL, unread TEXT NOT NULL);
    CREATE TABLE found (
        id INTEGER PRIMARY KEY, clauses TEXT NOT NULL, classes TEXT NOT NULL, signals TEXT NOT NULL);
    CREATE TABLE hours (hour INTEGER PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL);
    CREATE TABLE records (
        sequence INTEGER PRIMARY KEY, time INTEGER NOT NULL, interaction BLOB NOT NULL, service INTEGER NOT NULL,
        shape INTEGER NOT NULL, found INTEGER NOT NULL, person INTEGER NOT NULL, reference TEXT);
    CREATE TABLE tags (term INTEGER NOT NULL, sequence INTEGER NOT NULL, PRIMARY KEY (term, sequence)) WITHOUT ROWID;
    CREATE TABLE reference_codes (code TEXT PRIMARY KEY, sequence INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE outcomes (
        interaction BLOB PRIMARY KEY, ending TEXT NOT NULL, status INTEGER, bytes_up INTEGER NOT NULL,
        bytes_down INTEGER NOT NULL, duration_ms INTEGER NOT NULL, judged_us INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE rollup (
        hour INTEGER NOT NULL, service INTEGER NOT NULL, effect INTEGER NOT NULL, class INTEGER NOT NULL,
        clause INTEGER NOT NULL, count INTEGER NOT NULL,
        PRIMARY KEY (hour, service, effect, class, clause)) WITHOUT ROWID;
    CREATE TABLE days (
        day INTEGER NOT NULL, service INTEGER NOT NULL, records INTEGER NOT NULL, stopped INTEGER NOT NULL,
        coached INTEGER NOT NULL, redacted INTEGER NOT NULL, unread INTEGER NOT NULL, opaque INTEGER NOT NULL,
        first INTEGER NOT NULL, last INTEGER NOT NULL, PRIMARY KEY (day, service)) WITHOUT ROWID;
    CREATE TABLE day_persons (
        day INTEGER NOT NULL, service INTEGER NOT NULL, person INTEGER NOT NULL,
        PRIMARY KEY (day, service, person)) WITHOUT ROWID;
    CREATE TABLE day_latency (
        day INTEGER NOT NULL, bucket INTEGER NOT NULL, count INTEGER NOT NULL,
        PRIMARY KEY (day, bucket)) WITHOUT ROWID;
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
    category: Cow<'a, str>,
    #[serde(borrow)]
    tier: Cow<'a, str>,
    #[serde(borrow)]
    status: Cow<'a, str>,
    #[serde(borrow)]
    account: Cow<'a, str>,
    #[serde(borrow)]
    who: Cow<'a, str>,
    #[serde(borrow)]
    identity: Cow<'a, str>,
    #[serde(borrow)]
    action: Cow<'a, str>,
    #[serde(borrow)]
    channel: Cow<'a, str>,
    #[serde(borrow)]
    decided_at: Cow<'a, str>,
    #[serde(borrow)]
    classes: Vec<Class<'a>>,
    #[serde(borrow)]
    signals: Vec<Cow<'a, str>>,
    enforced: Effect,
    full: Effect,
    #[serde(borrow)]
    decided: Vec<Cause<'a>>,
    #[serde(borrow, default)]
    reference: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    unread: Option<Cow<'a, str>>,
    read_in_full: bool,
}

#[derive(Deserialize)]
struct Class<'a> {
    #[serde(borrow)]
    class: Cow<'a, str>,
    #[serde(borrow)]
    band: Cow<'a, str>,
    #[serde(borrow)]
    certainty: Cow<'a, str>,
    redacted: bool,
}

#[derive(Deserialize)]
struct Cause<'a> {
    #[serde(borrow)]
    clause: Cow<'a, str>,
}

/// What the index reads of an outcome.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Outcome<'a> {
    #[serde(borrow)]
    ending: Cow<'a, str>,
    #[serde(default)]
    status: Option<u16>,
    bytes_up: u64,
    bytes_down: u64,
    duration_ms: u64,
    #[serde(default)]
    judged_us: u64,
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
    days: BTreeMap<(i64, i64), Day>,
    persons: std::collections::BTreeSet<[i64; 3]>,
    latency: BTreeMap<(i64, i64), i64>,
    /// Keys of persons that were destroyed.
    destroyed: Vec<KeyId>,
}

/// Figures of one day and service: records, stopped, coached, redacted, unread, opaque.
struct Day {
    counts: [i64; 6],
    first: i64,
    last: i64,
}

/// Values of one table, row after row.
#[derive(Default)]
pub(super) struct Table(pub(super) Vec<Value>);

pub(super) enum Value {
    Null,
    Number(i64),
    Text(String),
    Bytes([u8; 16]),
}

/// Reads whose record an entry is.
type KeyReader = dyn Fn(&Entry) -> Option<KeyId> + Send + Sync;

pub(super) const HOUR_NANOS: i64 = 3_600_000_000_000;
pub(super) const DAY_NANOS: i64 = 24 * HOUR_NANOS;

impl Index {
    /// Indexes entries that follow each other; those before the position are passed over.
    ///
    /// # Errors
    /// If a file refuses; nothing of the batch's last file is indexed then.
    pub async fn apply(&self, entries: &[Entry]) -> Result<(), IndexError> {
        let mut writer = self.writer.lock().await;
        let reader = match &self.opener {
            Some(opener) => Some(Box::new(opener.reader()?) as Box<KeyReader>),
            None => None,
        };
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
            let mut names = match file.names.take() {
                Some(names) => names,
                None => Names::load(&mut file.connection).await?,
            };
            let mut rows = Rows::default();
            let unreadable =
                batch.iter().filter(|entry| rows.take(entry, &mut names, reader.as_deref()).is_err()).count();
            let destroyed = std::mem::take(&mut rows.destroyed);
            self.forget_elsewhere(&destroyed, wanted).await?;
            let persons = reader.is_some();
            write_batch(&mut file.connection, rows, &mut names, &destroyed, Progress { next, persons }).await?;
            if destroyed.is_empty() {
                file.names = Some(names);
            } else {
                empty_log(&mut file.connection).await?;
            }
            self.unreadable.fetch_add(unreadable as u64, Ordering::Relaxed);
            self.position.store(next, Ordering::Release);
        }
        Ok(())
    }

    /// Makes the records of destroyed keys nobody's, in all files but one.
    async fn forget_elsewhere(&self, keys: &[KeyId], but: i64) -> Result<(), IndexError> {
        if keys.is_empty() {
            return Ok(());
        }
        for month in self.months()?.into_iter().filter(|month| *month != but) {
            let mut connection = connect(&self.path(month), false).await?;
            let mut transaction = connection.begin().await?;
            for key in keys {
                forget(&mut transaction, key).await?;
            }
            transaction.commit().await?;
            empty_log(&mut connection).await?;
            connection.close().await?;
        }
        Ok(())
    }

    async fn start_file(&self, month: i64) -> Result<File, IndexError> {
        let mut connection = connect(&self.path(month), true).await?;
        let mut transaction = connection.begin().await?;
        sqlx::raw_sql(SCHEMA).execute(&mut *transaction).await?;
        sqlx::query("INSERT INTO meta (layout, position, persons) VALUES (?, ?, ?)")
            .bind(LAYOUT)
            .bind(number(self.position()))
            .bind(i64::from(self.opener.is_some()))
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(File { month, connection, names: None })
    }
}

/// How far a batch goes.
#[derive(Clone, Copy)]
struct Progress {
    next: u64,
    persons: bool,
}

async fn write_batch(
    connection: &mut SqliteConnection,
    mut rows: Rows,
    names: &mut Names,
    destroyed: &[KeyId],
    progress: Progress,
) -> Result<(), IndexError> {
    let mut transaction = connection.begin().await?;
    names.write_new(&mut transaction).await?;
    let into = "INSERT INTO records (sequence, time, interaction, service, shape, found, person, reference)";
    rows.records.insert(&mut transaction, into, 8).await?;
    rows.tags.insert(&mut transaction, "INSERT OR IGNORE INTO tags (term, sequence)", 2).await?;
    rows.codes.insert(&mut transaction, "INSERT OR REPLACE INTO reference_codes (code, sequence)", 2).await?;
    let outcome = "INSERT OR REPLACE INTO outcomes \
                   (interaction, ending, status, bytes_up, bytes_down, duration_ms, judged_us)";
    rows.outcomes.insert(&mut transaction, outcome, 7).await?;
    let mut persons = Table::default();
    persons.0.extend(std::mem::take(&mut rows.persons).into_iter().flatten().map(Value::Number));
    persons.insert(&mut transaction, "INSERT OR IGNORE INTO day_persons (day, service, person)", 3).await?;
    write_figures(&mut transaction, rows).await?;
    for key in destroyed {
        forget(&mut transaction, key).await?;
    }
    // A file that was once written to without persons says so, and is built anew by whoever needs them.
    sqlx::query("UPDATE meta SET position = ?, persons = min(persons, ?)")
        .bind(number(progress.next))
        .bind(i64::from(progress.persons))
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(())
}

/// Makes the records of a destroyed key nobody's.
async fn forget(connection: &mut SqliteConnection, key: &KeyId) -> Result<(), IndexError> {
    let row = sqlx::query("SELECT id FROM terms WHERE name = ?")
        .bind(person_term(key))
        .fetch_optional(&mut *connection)
        .await?;
    let Some(row) = row else { return Ok(()) };
    let id: i64 = row.try_get(0)?;
    for statement in [
        "UPDATE records SET person = 0 WHERE sequence IN (SELECT sequence FROM tags WHERE term = ?)",
        "DELETE FROM tags WHERE term = ?",
        "DELETE FROM day_persons WHERE person = ?",
        "DELETE FROM terms WHERE id = ?",
    ] {
        sqlx::query(statement).bind(id).execute(&mut *connection).await?;
    }
    Ok(())
}

/// What was overwritten is not in the write-ahead log either.
async fn empty_log(connection: &mut SqliteConnection) -> Result<(), IndexError> {
    sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(connection).await?;
    Ok(())
}

async fn write_figures(transaction: &mut SqliteConnection, rows: Rows) -> Result<(), IndexError> {
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
    for ((day, service), figures) in rows.days {
        let mut query = sqlx::query(
            "INSERT INTO days (day, service, records, stopped, coached, redacted, unread, opaque, first, last)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT (day, service) DO UPDATE SET
                 records = records + excluded.records, stopped = stopped + excluded.stopped,
                 coached = coached + excluded.coached, redacted = redacted + excluded.redacted,
                 unread = unread + excluded.unread, opaque = opaque + excluded.opaque,
                 first = min(first, excluded.first), last = max(last, excluded.last)",
        );
        query = query.bind(day).bind(service);
        for count in figures.counts {
            query = query.bind(count);
        }
        query.bind(figures.first).bind(figures.last).execute(&mut *transaction).await?;
    }
    for ((day, bucket), count) in rows.latency {
        sqlx::query(
            "INSERT INTO day_latency (day, bucket, count) VALUES (?, ?, ?)
             ON CONFLICT (day, bucket) DO UPDATE SET count = count + excluded.count",
        )
        .bind(day)
        .bind(bucket)
        .bind(count)
        .execute(&mut *transaction)
        .await?;
    }
    Ok(())
}

impl Rows {
    fn take(&mut self, entry: &Entry, names: &mut Names, reader: Option<&KeyReader>) -> Result<(), serde_json::Error> {
        match (entry.header.kind, entry.header.interaction) {
            (EntryKind::Decision, Some(interaction)) => {
                let decision: Decision<'_> = serde_json::from_slice(&entry.skeleton)?;
                let person = reader.and_then(|reader| reader(entry)).map_or(0, |key| names.person(key));
                self.decision(entry, *interaction.as_bytes(), &decision, person, names);
            }
            (EntryKind::Outcome, Some(interaction)) => {
                let outcome: Outcome<'_> = serde_json::from_slice(&entry.skeleton)?;
                self.outcome(entry, *interaction.as_bytes(), &outcome);
            }
            (EntryKind::KeyRotation, _) => {
                // Other skeletons of this kind, such as a change of the signing key, destroy nobody's key.
                let Ok(event) = serde_json::from_slice::<KeyEvent>(&entry.skeleton) else { return Ok(()) };
                if event.purpose == KeyPurpose::Personal && event.event == KeyChange::Destroyed {
                    self.destroyed.extend(event.keys.iter().filter_map(|key| parse_hex(key).ok()));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn outcome(&mut self, entry: &Entry, interaction: [u8; 16], outcome: &Outcome<'_>) {
        self.outcomes.0.extend([
            Value::Bytes(interaction),
            Value::Text(outcome.ending.to_string()),
            outcome.status.map_or(Value::Null, |status| Value::Number(status.into())),
            Value::Number(number(outcome.bytes_up)),
            Value::Number(number(outcome.bytes_down)),
            Value::Number(number(outcome.duration_ms)),
            Value::Number(number(outcome.judged_us)),
        ]);
        if outcome.judged_us > 0 {
            let day = entry.header.event_time.nanos().div_euclid(DAY_NANOS);
            *self.latency.entry((day, bucket(outcome.judged_us))).or_default() += 1;
        }
    }

    fn decision(
        &mut self,
        entry: &Entry,
        interaction: [u8; 16],
        decision: &Decision<'_>,
        person: i64,
        names: &mut Names,
    ) {
        let sequence = number(entry.header.sequence);
        let time = entry.header.event_time.nanos();
        let hour = time.div_euclid(HOUR_NANOS);
        let effect = effect_number(decision.enforced);
        let service = names.term("service", &decision.service);
        let mut clauses: Vec<&str> = decision.decided.iter().map(|cause| &*cause.clause).collect();
        let mut classes: Vec<&Class<'_>> = decision.classes.iter().collect();
        clauses.sort_unstable();
        clauses.dedup();
        classes.sort_unstable_by(|a, b| a.class.cmp(&b.class));
        classes.dedup_by(|a, b| a.class == b.class);
        let clause_ids: Vec<i64> = clauses.iter().map(|clause| names.term("clause", clause)).collect();
        let class_ids: Vec<i64> = classes.iter().map(|class| names.term("class", &class.class)).collect();
        let stretch = self.hours.entry(hour).or_insert((sequence, sequence));
        *stretch = (stretch.0.min(sequence), stretch.1.max(sequence));
        // Without class and clause: how many. With them: how many of each pair.
        *self.rollup.entry([hour, service, effect, 0, 0]).or_default() += 1;
        for class in class_ids.iter().chain([&0]) {
            for clause in clause_ids.iter().chain([&0]).filter(|clause| **clause + *class != 0) {
                *self.rollup.entry([hour, service, effect, *class, *clause]).or_default() += 1;
            }
        }
        self.figures(decision, time, service, person);
        // Most records are allowed: a tag for that would help nobody. A kind of signal is found by its family too.
        let stopped = (decision.enforced != Effect::Allow).then(|| names.term("effect", decision.enforced.as_str()));
        let mut tags: Vec<i64> = clause_ids.into_iter().chain(class_ids).chain(stopped).chain([service]).collect();
        tags.extend((person != 0).then_some(person));
        for signal in &decision.signals {
            tags.push(names.term("signal", signal));
            tags.extend(signal.split_once(' ').map(|(family, _)| names.term("signal", family)));
        }
        self.tags.0.extend(tags.into_iter().flat_map(|tag| [Value::Number(tag), Value::Number(sequence)]));
        if let Some(code) = &decision.reference {
            self.codes.0.extend([Value::Text(code.to_string()), Value::Number(sequence)]);
        }
        let classes: Vec<String> = classes.iter().map(|class| class.line()).collect();
        let found = names.found([&clauses.join("\n"), &classes.join("\n"), &decision.signals.join("\n")]);
        self.records.0.extend([
            Value::Number(sequence),
            Value::Number(time),
            Value::Bytes(interaction),
            Value::Number(service),
            Value::Number(names.shape(decision.shape())),
            Value::Number(found),
            Value::Number(person),
            decision.reference.as_ref().map_or(Value::Null, |code| Value::Text(code.to_string())),
        ]);
    }

    fn figures(&mut self, decision: &Decision<'_>, time: i64, service: i64, person: i64) {
        let day = time.div_euclid(DAY_NANOS);
        let prompt = decision.direction != "answer";
        let goes_on = prompt && decision.enforced.passes();
        let counted = [
            prompt,
            !decision.enforced.passes(),
            prompt && decision.enforced == Effect::Coach,
            goes_on && decision.classes.iter().any(|class| class.redacted),
            prompt && decision.unread.is_some(),
            prompt && decision.unread.is_none() && !decision.read_in_full,
        ];
        let new = Day { counts: [0; 6], first: time, last: time };
        let figures = self.days.entry((day, service)).or_insert(new);
        figures.counts.iter_mut().zip(counted).for_each(|(count, counted)| *count += i64::from(counted));
        (figures.first, figures.last) = (figures.first.min(time), figures.last.max(time));
        if person != 0 && matches!(&*decision.identity, "strong" | "password" | "address") {
            self.persons.insert([day, service, person]);
        }
    }
}

impl Decision<'_> {
    /// The values of its shape, in the order of the columns.
    fn shape(&self) -> [&str; SHAPE_COLUMNS.len()] {
        [
            &self.category,
            &self.tier,
            &self.status,
            &self.account,
            &self.who,
            &self.identity,
            &self.action,
            &self.channel,
            &self.decided_at,
            &self.direction,
            self.enforced.as_str(),
            self.full.as_str(),
            if self.read_in_full { "yes" } else { "no" },
            self.unread.as_deref().unwrap_or_default(),
        ]
    }
}

impl Class<'_> {
    /// A class as the index keeps it; [`super::query`] reads it.
    fn line(&self) -> String {
        let redacted = if self.redacted { "redacted" } else { "" };
        [&*self.class, &*self.band, &*self.certainty, redacted].join("\t")
    }
}

/// Rows in one statement: each statement goes to the database's thread and back, which costs as much as many rows.
const STATEMENT_ROWS: [usize; 3] = [128, 16, 1];

impl Table {
    pub(super) async fn insert(
        &mut self,
        connection: &mut SqliteConnection,
        into: &str,
        columns: usize,
    ) -> Result<(), IndexError> {
        let mut values = std::mem::take(&mut self.0).into_iter();
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

pub(super) fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
