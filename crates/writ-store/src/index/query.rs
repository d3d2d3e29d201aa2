//! Questions to the index.

use std::collections::BTreeMap;

use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Connection, Row as _, SqliteConnection};
use writ_base::Moment;
use writ_model::interaction::{Direction, InteractionId};
use writ_model::verdict::Effect;

use super::write::{HOUR_NANOS, effect_number, number};
use super::{Index, IndexError, connect};
use crate::limits::QUERY_ROWS;

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
    /// The effect carried out.
    pub enforced: Effect,
    /// The effect without roll-out.
    pub full: Effect,
    /// The clauses that decided, sorted.
    pub clauses: Vec<String>,
    /// The classes found, sorted.
    pub classes: Vec<String>,
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

const COLUMNS: &str = "r.sequence, r.time, r.interaction, r.direction, s.name AS service, r.enforced, r.full, \
                       r.clauses, r.classes, r.reference, o.ending, o.status, o.bytes_up, o.bytes_down, o.duration_ms";
const JOINS: &str = "CROSS JOIN terms s ON s.id = r.service LEFT JOIN outcomes o ON o.interaction = r.interaction";

impl Index {
    /// The newest records that fit, newest first.
    ///
    /// # Errors
    /// If a file refuses.
    pub async fn query(&self, query: &Query) -> Result<Vec<Row>, IndexError> {
        let most = QUERY_ROWS.value();
        let limit = if query.limit == 0 { most } else { query.limit.min(most) };
        let mut rows: Vec<Row> = Vec::new();
        let mut later: Option<SqliteConnection> = None;
        for month in self.months()?.into_iter().rev() {
            let mut connection = connect(&self.path(month), false).await?;
            let mut found = query_file(&mut connection, query, limit - rows.len()).await?;
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
        Ok(rows)
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
                return Ok(Some(read_row(&row)?));
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

async fn query_file(connection: &mut SqliteConnection, query: &Query, limit: usize) -> Result<Vec<Row>, IndexError> {
    let (from, to) = (query.from.map_or(i64::MIN, Moment::nanos), query.to.map_or(i64::MAX, Moment::nanos));
    let stretch = sqlx::query("SELECT MIN(first), MAX(last) FROM hours WHERE hour >= ? AND hour <= ?")
        .bind(from.div_euclid(HOUR_NANOS))
        .bind(to.div_euclid(HOUR_NANOS))
        .fetch_one(&mut *connection)
        .await?;
    let (Some(first), Some(last)) = (stretch.try_get::<Option<i64>, _>(0)?, stretch.try_get::<Option<i64>, _>(1)?)
    else {
        return Ok(Vec::new());
    };
    let last = query.before.map_or(last, |before| last.min(number(before).saturating_sub(1)));
    // The rarest tag leads; the others are looked up for each record.
    let stopped = query.effect.filter(|effect| *effect != Effect::Allow).map(Effect::as_str);
    let wanted = [
        ("class", query.class.as_deref()),
        ("clause", query.clause.as_deref()),
        ("effect", stopped),
        ("service", query.service.as_deref()),
    ];
    let mut tags = Vec::new();
    for (kind, name) in wanted.into_iter().filter_map(|(kind, name)| Some((kind, name?))) {
        let statement = "SELECT id FROM terms WHERE name = ?";
        let row = sqlx::query(statement).bind(format!("{kind}:{name}")).fetch_optional(&mut *connection).await?;
        // A name that this file does not know stands in none of its records.
        let Some(row) = row else { return Ok(Vec::new()) };
        tags.push(row.try_get::<i64, _>(0)?);
    }
    let lead = if tags.is_empty() { "records r" } else { "tags t CROSS JOIN records r ON r.sequence = t.sequence" };
    let order = if tags.is_empty() { "r.sequence" } else { "t.sequence" };
    let mut statement =
        format!("SELECT {COLUMNS} FROM {lead} {JOINS} WHERE {order} BETWEEN ? AND ? AND r.time >= ? AND r.time < ?");
    for place in 0..tags.len() {
        statement.push_str(match place {
            0 => " AND t.term = ?",
            _ => " AND EXISTS (SELECT 1 FROM tags x WHERE x.term = ? AND x.sequence = r.sequence)",
        });
    }
    if query.effect == Some(Effect::Allow) {
        statement.push_str(" AND r.enforced = 0");
    }
    statement.push_str(&format!(" ORDER BY {order} DESC LIMIT ?"));
    let mut question = sqlx::query(AssertSqlSafe(statement)).bind(first).bind(last).bind(from).bind(to);
    for tag in tags {
        question = question.bind(tag);
    }
    let rows = question.bind(number(limit as u64)).fetch_all(connection).await?;
    rows.iter().map(read_row).collect()
}

async fn outcome_of(
    connection: &mut SqliteConnection,
    interaction: InteractionId,
) -> Result<Option<Outcome>, IndexError> {
    let statement = "SELECT ending, status, bytes_up, bytes_down, duration_ms FROM outcomes WHERE interaction = ?";
    let row = sqlx::query(statement).bind(interaction.as_bytes().to_vec()).fetch_optional(connection).await?;
    row.map(|row| read_outcome(&row)).transpose().map(Option::flatten)
}

fn read_row(row: &SqliteRow) -> Result<Row, IndexError> {
    let interaction: Vec<u8> = row.try_get("interaction")?;
    let interaction = <[u8; 16]>::try_from(interaction.as_slice()).map_err(|_| broken("interaction"))?;
    let list = |text: String| text.lines().map(str::to_owned).collect();
    let answer = row.try_get::<i64, _>("direction")? == 1;
    Ok(Row {
        sequence: unsigned(row.try_get("sequence")?),
        time: Moment::from_nanos(row.try_get("time")?),
        interaction: InteractionId::from_bytes(interaction),
        direction: if answer { Direction::Answer } else { Direction::Prompt },
        service: name(row.try_get("service")?),
        enforced: effect(row.try_get("enforced")?)?,
        full: effect(row.try_get("full")?)?,
        clauses: list(row.try_get("clauses")?),
        classes: list(row.try_get("classes")?),
        reference: row.try_get("reference")?,
        outcome: read_outcome(row)?,
    })
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
    }))
}

/// A term without its kind.
fn name(term: String) -> String {
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
