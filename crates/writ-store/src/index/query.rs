//! Questions to the index.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Connection, Row as _, SqliteConnection};
use writ_base::Moment;
use writ_base::hash::parse_hex;
use writ_model::finding::Certainty;
use writ_model::interaction::{Direction, InteractionId};
use writ_model::record::ClassSeen;
use writ_model::verdict::Effect;
use writ_model::{Account, Action, Band, Category, Channel, Identity, Signal, Status, Term, Value, Who};

use super::names::{PERSON, person_term};
use super::write::{HOUR_NANOS, effect_number, number};
use super::{Index, IndexError, connect};
use crate::limits::QUERY_ROWS;
use crate::state::KeyId;

/// Which records are wanted. What is not set, is not asked for.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// From this time on.
    pub from: Option<Moment>,
    /// Before this time.
    pub to: Option<Moment>,
    /// Of this service.
    pub service: Option<String>,
    /// With this effect carried out.
    pub effect: Option<Effect>,
    /// Decided by this clause.
    pub clause: Option<String>,
    /// With this class found.
    pub class: Option<String>,
    /// Of whoever is displayed by this pseudonym.
    pub person: Option<String>,
    /// Of this kind of principal.
    pub who: Option<Who>,
    /// From this kind of client.
    pub channel: Option<Channel>,
    /// With this signal, or any of this family (`opaque`).
    pub signal: Option<String>,
    /// With this kind of account at the service.
    pub account: Option<Account>,
    /// With this reference code.
    pub reference: Option<String>,
    /// Before this entry of the chain: to go on after the last row of an earlier answer.
    pub before: Option<u64>,
    /// At most so many rows; 0 for as many as the limit allows.
    pub limit: usize,
}

/// One verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The entry of the chain that holds it.
    pub sequence: u64,
    /// When it happened.
    pub time: Moment,
    /// The interaction.
    pub interaction: InteractionId,
    /// Prompt side or answer side.
    pub direction: Direction,
    /// The service.
    pub service: String,
    /// The kind of service.
    pub category: Category,
    /// The plan.
    pub tier: String,
    /// The life cycle of the service.
    pub status: Status,
    /// The kind of account at the service.
    pub account: Account,
    /// Kind of principal.
    pub who: Who,
    /// How sure.
    pub identity: Identity,
    /// What was done.
    pub action: Action,
    /// The kind of client.
    pub channel: Channel,
    /// Whose it is, by the pseudonym displayed now. Nobody where the index was opened without persons, the person was
    /// erased, or nothing personal was kept.
    pub person: Option<String>,
    /// The effect carried out.
    pub enforced: Effect,
    /// The effect without roll-out.
    pub full: Effect,
    /// At which stage it was decided, as in the record.
    pub decided_at: String,
    /// Signals.
    pub signals: Vec<Signal>,
    /// Why nothing was read, where that was chosen, as in the record.
    pub unread: Option<String>,
    /// Whether everything was read.
    pub read_in_full: bool,
    /// The clauses that decided, sorted.
    pub clauses: Vec<String>,
    /// The classes found, sorted.
    pub classes: Vec<String>,
    /// The classes found with band, certainty and whether they were removed, sorted.
    pub found: Vec<ClassSeen>,
    /// The reference code, for stops.
    pub reference: Option<String>,
    /// How the interaction ended, if it has.
    pub outcome: Option<Outcome>,
}

/// How an interaction ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// As in the record: `delivered`, `refused` ...
    pub ending: String,
    /// The AI service's HTTP status.
    pub status: Option<u16>,
    /// Bytes that left.
    pub bytes_up: u64,
    /// Bytes delivered.
    pub bytes_down: u64,
    /// Duration in milliseconds.
    pub duration_ms: u64,
    /// Writ's own time in microseconds; 0 where there was none.
    pub judged_us: u64,
}

/// A count for a chart. Cells without class and clause count verdicts; the others count how often the two came together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cell {
    /// Start of the hour.
    pub hour: Moment,
    /// The service.
    pub service: String,
    /// The effect carried out.
    pub effect: Effect,
    /// A class, or any and none.
    pub class: Option<String>,
    /// A clause, or any and none.
    pub clause: Option<String>,
    /// How many.
    pub count: u64,
}

const COLUMNS: &str = "r.sequence, r.time, r.interaction, s.name AS service, p.name AS person, \
                       h.category, h.tier, h.status AS life, h.account, h.who, h.identity, h.action, h.channel, h.stage, \
                       h.direction, h.enforced, h.full, h.whole, h.unread, f.clauses, f.classes, f.signals, r.reference, \
                       o.ending, o.status, o.bytes_up, o.bytes_down, o.duration_ms, o.judged_us";
const JOINS: &str = "CROSS JOIN terms s ON s.id = r.service CROSS JOIN shapes h ON h.id = r.shape \
                     CROSS JOIN found f ON f.id = r.found LEFT JOIN terms p ON p.id = r.person \
                     LEFT JOIN outcomes o ON o.interaction = r.interaction";

impl Index {
    /// The newest records that fit, newest first.
    ///
    /// # Errors
    /// If a file refuses.
    pub async fn query(&self, query: &Query) -> Result<Vec<Row>, IndexError> {
        let persons = match &query.person {
            Some(pseudonym) => Some(self.keys_of(pseudonym).await?),
            None => None,
        };
        if persons.as_ref().is_some_and(Vec::is_empty) {
            return Ok(Vec::new());
        }
        let most = QUERY_ROWS.value();
        let limit = if query.limit == 0 { most } else { query.limit.min(most) };
        let mut rows: Vec<Row> = Vec::new();
        let mut later: Option<SqliteConnection> = None;
        for month in self.months()?.into_iter().rev() {
            let mut connection = connect(&self.path(month), false).await?;
            let mut found = query_file(&mut connection, query, persons.as_deref(), limit - rows.len()).await?;
            // An interaction that was under way at the end of a month ended in the next one.
            for row in found.iter_mut().filter(|row| row.outcome.is_none()) {
                if let Some(later) = later.as_mut() {
                    row.outcome = outcome_of(later, row.interaction).await?;
                }
            }
            rows.append(&mut found);
            if let Some(former) = later.replace(connection) {
                former.close().await?;
            }
            if rows.len() >= limit {
                break;
            }
        }
        if let Some(last) = later {
            last.close().await?;
        }
        self.name_persons(&mut rows).await?;
        Ok(rows)
    }

    /// The verdicts of one interaction: of its prompt, and of its answer if there is one.
    ///
    /// # Errors
    /// If a file refuses.
    pub async fn by_interaction(&self, interaction: InteractionId) -> Result<Vec<Row>, IndexError> {
        let mut rows: Vec<Row> = Vec::new();
        let mut later: Option<SqliteConnection> = None;
        for month in self.months()?.into_iter().rev() {
            let mut connection = connect(&self.path(month), false).await?;
            let mut found = rows_of(&mut connection, interaction).await?;
            if let Some(later) = later.as_mut() {
                for row in found.iter_mut().filter(|row| row.outcome.is_none()) {
                    row.outcome = outcome_of(later, interaction).await?;
                }
            }
            rows.append(&mut found);
            if let Some(former) = later.replace(connection) {
                former.close().await?;
            }
            if rows.iter().any(|row| row.direction == Direction::Prompt) {
                break;
            }
        }
        if let Some(last) = later {
            last.close().await?;
        }
        rows.sort_by_key(|row| row.sequence);
        self.name_persons(&mut rows).await?;
        Ok(rows)
    }

    /// The entry of the chain that holds the decision about an interaction's prompt.
    ///
    /// # Errors
    /// If a file refuses.
    pub async fn entry_sequence(&self, interaction: InteractionId) -> Result<Option<u64>, IndexError> {
        Ok(self.by_interaction(interaction).await?.first().map(|row| row.sequence))
    }

    async fn keys_of(&self, pseudonym: &str) -> Result<Vec<KeyId>, IndexError> {
        match &self.opener {
            Some(opener) => Ok(opener.keys(pseudonym).await?),
            None => Ok(Vec::new()),
        }
    }

    /// Puts pseudonyms in the place of key ids.
    async fn name_persons(&self, rows: &mut [Row]) -> Result<(), IndexError> {
        let key = |row: &Row| row.person.as_deref().and_then(|id| parse_hex::<16>(id).ok());
        let names = match &self.opener {
            Some(opener) => opener.names(&rows.iter().filter_map(key).collect::<BTreeSet<KeyId>>()).await?,
            None => BTreeMap::new(),
        };
        for row in rows {
            row.person = key(row).and_then(|key| names.get(&key).cloned());
        }
        Ok(())
    }

    /// The record with this reference code.
    ///
    /// # Errors
    /// If a file refuses.
    pub async fn by_reference(&self, code: &str) -> Result<Option<Row>, IndexError> {
        for month in self.months()?.into_iter().rev() {
            let mut connection = connect(&self.path(month), false).await?;
            let statement = format!(
                "SELECT {COLUMNS} FROM reference_codes c CROSS JOIN records r ON r.sequence = c.sequence {JOINS} WHERE c.code = ?"
            );
            let row = sqlx::query(AssertSqlSafe(statement)).bind(code).fetch_optional(&mut connection).await?;
            connection.close().await?;
            if let Some(row) = row {
                let mut rows = [read_row(&row)?];
                self.name_persons(&mut rows).await?;
                return Ok(rows.into_iter().next());
            }
        }
        Ok(None)
    }

    /// Counts for charts, by hour, from the hour of `from` to the one before `to`.
    ///
    /// # Errors
    /// If a file refuses.
    pub async fn rollup(&self, from: Moment, to: Moment) -> Result<Vec<Cell>, IndexError> {
        let mut cells: BTreeMap<Cell, u64> = BTreeMap::new();
        for month in self.months()? {
            let mut connection = connect(&self.path(month), false).await?;
            let rows = sqlx::query(
                "SELECT u.hour, s.name, u.effect, k.name, c.name, u.count FROM rollup u
                 JOIN terms s ON s.id = u.service LEFT JOIN terms k ON k.id = u.class LEFT JOIN terms c ON c.id = u.clause
                 WHERE u.hour >= ? AND u.hour < ?",
            )
            .bind(from.nanos().div_euclid(HOUR_NANOS))
            .bind(to.nanos().saturating_add(HOUR_NANOS - 1).div_euclid(HOUR_NANOS))
            .fetch_all(&mut connection)
            .await?;
            connection.close().await?;
            for row in rows {
                let cell = Cell {
                    hour: Moment::from_nanos(row.try_get::<i64, _>(0)?.saturating_mul(HOUR_NANOS)),
                    service: name(row.try_get(1)?),
                    effect: effect(row.try_get(2)?)?,
                    class: row.try_get::<Option<String>, _>(3)?.map(name),
                    clause: row.try_get::<Option<String>, _>(4)?.map(name),
                    count: 0,
                };
                *cells.entry(cell).or_default() += u64::try_from(row.try_get::<i64, _>(5)?).unwrap_or(0);
            }
        }
        Ok(cells.into_iter().map(|(cell, count)| Cell { count, ..cell }).collect())
    }
}

async fn query_file(
    connection: &mut SqliteConnection,
    query: &Query,
    persons: Option<&[KeyId]>,
    limit: usize,
) -> Result<Vec<Row>, IndexError> {
    let (from, to) = (query.from.map_or(i64::MIN, Moment::nanos), query.to.map_or(i64::MAX, Moment::nanos));
    let hours = (from.div_euclid(HOUR_NANOS), to.div_euclid(HOUR_NANOS));
    let Some((first, last)) = stretch(connection, hours.0, hours.1).await? else { return Ok(Vec::new()) };
    let last = query.before.map_or(last, |before| last.min(number(before).saturating_sub(1)));
    let Some(tags) = tags_of(connection, query, persons).await? else { return Ok(Vec::new()) };
    let lead = if tags.is_empty() { "records r" } else { "tags t CROSS JOIN records r ON r.sequence = t.sequence" };
    let order = if tags.is_empty() { "r.sequence" } else { "t.sequence" };
    let mut statement =
        format!("SELECT {COLUMNS} FROM {lead} {JOINS} WHERE {order} BETWEEN ? AND ? AND r.time >= ? AND r.time < ?");
    for (place, terms) in tags.iter().enumerate() {
        let list: Vec<String> = terms.iter().map(ToString::to_string).collect();
        let list = list.join(", ");
        statement.push_str(&match place {
            0 => format!(" AND t.term IN ({list})"),
            _ => format!(" AND EXISTS (SELECT 1 FROM tags x WHERE x.term IN ({list}) AND x.sequence = r.sequence)"),
        });
    }
    let shape = [
        ("enforced", query.effect.filter(|effect| *effect == Effect::Allow).map(Effect::as_str)),
        ("who", query.who.map(Who::as_str)),
        ("channel", query.channel.map(Channel::as_str)),
        ("account", query.account.map(Account::as_str)),
    ];
    let shape: Vec<String> =
        shape.iter().filter_map(|(column, value)| Some(format!("{column} = '{}'", (*value)?))).collect();
    if !shape.is_empty() {
        statement.push_str(&format!(" AND r.shape IN (SELECT id FROM shapes WHERE {})", shape.join(" AND ")));
    }
    if query.reference.is_some() {
        statement.push_str(" AND r.sequence = (SELECT sequence FROM reference_codes WHERE code = ?)");
    }
    statement.push_str(&format!(" ORDER BY {order} DESC LIMIT ?"));
    let mut question = sqlx::query(AssertSqlSafe(statement)).bind(first).bind(last).bind(from).bind(to);
    if let Some(code) = &query.reference {
        question = question.bind(code);
    }
    let rows = question.bind(number(limit as u64)).fetch_all(connection).await?;
    rows.iter().map(read_row).collect()
}

/// The terms that a record must have, one of each list; `None` if one is unknown here, so that no record has it. The
/// rarest leads; the others are looked up for each record.
async fn tags_of(
    connection: &mut SqliteConnection,
    query: &Query,
    persons: Option<&[KeyId]>,
) -> Result<Option<Vec<Vec<i64>>>, IndexError> {
    let stopped = query.effect.filter(|effect| *effect != Effect::Allow).map(Effect::as_str);
    let wanted = [
        ("signal", query.signal.as_deref()),
        ("class", query.class.as_deref()),
        ("clause", query.clause.as_deref()),
        ("effect", stopped),
        ("service", query.service.as_deref()),
    ];
    let named = wanted.into_iter().filter_map(|(kind, name)| Some(vec![format!("{kind}:{}", name?)]));
    let persons = persons.map(|keys| keys.iter().map(person_term).collect::<Vec<_>>());
    let mut tags = Vec::new();
    for names in persons.into_iter().chain(named) {
        let mut ids = Vec::new();
        for name in names {
            let row = sqlx::query("SELECT id FROM terms WHERE name = ?").bind(name).fetch_optional(&mut *connection);
            if let Some(row) = row.await? {
                ids.push(row.try_get::<i64, _>(0)?);
            }
        }
        if ids.is_empty() {
            return Ok(None);
        }
        tags.push(ids);
    }
    Ok(Some(tags))
}

/// The first and the last record of some hours.
pub(super) async fn stretch(
    connection: &mut SqliteConnection,
    from: i64,
    to: i64,
) -> Result<Option<(i64, i64)>, IndexError> {
    let row = sqlx::query("SELECT MIN(first), MAX(last) FROM hours WHERE hour >= ? AND hour <= ?")
        .bind(from)
        .bind(to)
        .fetch_one(connection)
        .await?;
    Ok(row.try_get::<Option<i64>, _>(0)?.zip(row.try_get::<Option<i64>, _>(1)?))
}

/// How many hours after its beginning an interaction may still be decided: its answer may be long.
const HOURS_LATER: i64 = 24;

/// The records of one interaction. Its id tells when it began, so only a stretch of records is read.
async fn rows_of(connection: &mut SqliteConnection, interaction: InteractionId) -> Result<Vec<Row>, IndexError> {
    let (from, to) = match began(interaction) {
        Some(hour) => (hour - 1, hour + HOURS_LATER),
        None => (i64::MIN, i64::MAX),
    };
    let Some((first, last)) = stretch(connection, from, to).await? else { return Ok(Vec::new()) };
    let statement =
        format!("SELECT {COLUMNS} FROM records r {JOINS} WHERE r.sequence BETWEEN ? AND ? AND r.interaction = ?");
    let question = sqlx::query(AssertSqlSafe(statement)).bind(first).bind(last);
    let rows = question.bind(interaction.as_bytes().to_vec()).fetch_all(connection).await?;
    rows.iter().map(read_row).collect()
}

/// The hour in which an interaction began, from its id (UUIDv7, RFC 9562 section 5.7).
fn began(interaction: InteractionId) -> Option<i64> {
    let [a, b, c, d, e, f, version, ..] = *interaction.as_bytes();
    let millis = i64::from_be_bytes([0, 0, a, b, c, d, e, f]);
    (version >> 4 == 7).then(|| millis.saturating_mul(1_000_000).div_euclid(HOUR_NANOS))
}

async fn outcome_of(
    connection: &mut SqliteConnection,
    interaction: InteractionId,
) -> Result<Option<Outcome>, IndexError> {
    let statement =
        "SELECT ending, status, bytes_up, bytes_down, duration_ms, judged_us FROM outcomes WHERE interaction = ?";
    let row = sqlx::query(statement).bind(interaction.as_bytes().to_vec()).fetch_optional(connection).await?;
    row.map(|row| read_outcome(&row)).transpose().map(Option::flatten)
}

/// The person is still the id of a key.
fn read_row(row: &SqliteRow) -> Result<Row, IndexError> {
    let interaction: Vec<u8> = row.try_get("interaction")?;
    let interaction = <[u8; 16]>::try_from(interaction.as_slice()).map_err(|_| broken("interaction"))?;
    let text = |column: &str| row.try_get::<String, _>(column);
    let list =
        |column: &str| -> Result<Vec<String>, IndexError> { Ok(text(column)?.lines().map(str::to_owned).collect()) };
    let effect = |column: &str| -> Result<Effect, IndexError> {
        let name = text(column)?;
        Effect::ALL.iter().copied().find(|effect| effect.as_str() == name).ok_or_else(|| broken(column))
    };
    let answer = text("direction")? == "answer";
    let found = list("classes")?.iter().map(|line| read_class(line)).collect::<Result<Vec<_>, _>>()?;
    let person: Option<String> = row.try_get("person")?;
    Ok(Row {
        sequence: unsigned(row.try_get("sequence")?),
        time: Moment::from_nanos(row.try_get("time")?),
        interaction: InteractionId::from_bytes(interaction),
        direction: if answer { Direction::Answer } else { Direction::Prompt },
        service: name(row.try_get("service")?),
        category: value(row, "category")?,
        tier: row.try_get("tier")?,
        status: value(row, "life")?,
        account: value(row, "account")?,
        who: value(row, "who")?,
        identity: value(row, "identity")?,
        action: value(row, "action")?,
        channel: value(row, "channel")?,
        person: person.filter(|term| term.starts_with(PERSON)).map(name),
        enforced: effect("enforced")?,
        full: effect("full")?,
        decided_at: row.try_get("stage")?,
        signals: list("signals")?.iter().filter_map(|name| Signal::named(name)).collect(),
        unread: Some(text("unread")?).filter(|reason| !reason.is_empty()),
        read_in_full: text("whole")? == "yes",
        clauses: list("clauses")?,
        classes: found.iter().map(|it| it.class.to_string()).collect(),
        found,
        reference: row.try_get("reference")?,
        outcome: read_outcome(row)?,
    })
}

fn read_class(line: &str) -> Result<ClassSeen, IndexError> {
    let mut fields = line.split('\t');
    let mut next = || fields.next().ok_or_else(|| broken("classes"));
    let (class, band, certainty) = (Term::from(next()?), Band::named(next()?), next()?);
    let band = band.ok_or_else(|| broken("classes"))?;
    let certainty = if certainty == Certainty::Certain.as_str() { Certainty::Certain } else { Certainty::Likely };
    Ok(ClassSeen { class, band, certainty, redacted: next()? == "redacted" })
}

fn value<T: Value>(row: &SqliteRow, column: &str) -> Result<T, IndexError> {
    T::named(&row.try_get::<String, _>(column)?).ok_or_else(|| broken(column))
}

fn read_outcome(row: &SqliteRow) -> Result<Option<Outcome>, IndexError> {
    let Some(ending) = row.try_get("ending")? else { return Ok(None) };
    let status: Option<i64> = row.try_get("status")?;
    Ok(Some(Outcome {
        ending,
        status: status.and_then(|status| u16::try_from(status).ok()),
        bytes_up: unsigned(row.try_get("bytes_up")?),
        bytes_down: unsigned(row.try_get("bytes_down")?),
        duration_ms: unsigned(row.try_get("duration_ms")?),
        judged_us: unsigned(row.try_get("judged_us")?),
    }))
}

/// A term without its kind.
pub(super) fn name(term: String) -> String {
    term.split_once(':').map_or(term.clone(), |(_, name)| name.to_owned())
}

fn effect(number: i64) -> Result<Effect, IndexError> {
    Effect::ALL.iter().copied().find(|effect| effect_number(*effect) == number).ok_or_else(|| broken("effect"))
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

fn broken(column: &str) -> IndexError {
    IndexError::Database(sqlx::Error::ColumnNotFound(column.to_owned()))
}
