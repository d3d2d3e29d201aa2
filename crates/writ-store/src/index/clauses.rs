//! How often each clause decided, and whether by enough people to be counted out.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{Connection, Row as _, SqliteConnection};
use writ_base::Moment;
use writ_base::hash::parse_hex;
use writ_model::verdict::Effect;

use super::query::{name, stretch};
use super::write::{HOUR_NANOS, number};
use super::{Index, IndexError, connect};
use crate::limits::CLAUSE_ROWS;
use crate::state::KeyId;

/// What one clause decided in a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClauseFigures {
    /// The clause.
    pub clause: String,
    /// Verdicts that it decided, by the effect carried out.
    pub decided: BTreeMap<Effect, u64>,
    /// Whether they were of at least as many people as was asked for. People are counted as in
    /// [`super::DayStat::persons`], among the newest records; where they are not found there, it is no.
    pub enough: bool,
}

impl Index {
    /// How often each clause decided from the hour of `from` to the one before `to`, and whether it decided about at
    /// least `least` people.
    ///
    /// # Errors
    /// If a file refuses.
    pub async fn clause_figures(&self, from: Moment, to: Moment, least: u64) -> Result<Vec<ClauseFigures>, IndexError> {
        let mut decided: BTreeMap<String, BTreeMap<Effect, u64>> = BTreeMap::new();
        for cell in self.rollup(from, to).await?.into_iter().filter(|cell| cell.class.is_none()) {
            if let Some(clause) = cell.clause {
                *decided.entry(clause).or_default().entry(cell.effect).or_default() += cell.count;
            }
        }
        // Fewer verdicts than people: nobody need be counted.
        let counted = decided.iter().filter(|(_, effects)| effects.values().sum::<u64>() >= least);
        let keys = self.people(counted.map(|(clause, _)| clause.clone()).collect(), from, to).await?;
        let names = self.distinct(keys.values().flatten().copied().collect()).await?;
        let enough = |clause: &str| {
            let people = keys.get(clause).into_iter().flatten().filter_map(|key| names.get(key));
            people.collect::<BTreeSet<_>>().len() as u64 >= least
        };
        let figures = decided.into_iter();
        Ok(figures.map(|(clause, decided)| ClauseFigures { enough: enough(&clause), clause, decided }).collect())
    }

    /// Keys of the people in the newest records that each clause decided.
    async fn people(
        &self,
        clauses: Vec<String>,
        from: Moment,
        to: Moment,
    ) -> Result<BTreeMap<String, BTreeSet<KeyId>>, IndexError> {
        let mut people: BTreeMap<String, BTreeSet<KeyId>> = BTreeMap::new();
        for month in self.months()? {
            let mut connection = connect(&self.path(month), false).await?;
            let hours = (from.nanos().div_euclid(HOUR_NANOS), to.nanos().div_euclid(HOUR_NANOS));
            if let Some(stretch) = stretch(&mut connection, hours.0, hours.1).await? {
                for clause in &clauses {
                    let keys = people_of(&mut connection, clause, stretch, (from, to)).await?;
                    people.entry(clause.clone()).or_default().extend(keys);
                }
            }
            connection.close().await?;
        }
        Ok(people)
    }
}

async fn people_of(
    connection: &mut SqliteConnection,
    clause: &str,
    (first, last): (i64, i64),
    (from, to): (Moment, Moment),
) -> Result<Vec<KeyId>, IndexError> {
    let rows = sqlx::query(
        "SELECT DISTINCT p.name FROM (
             SELECT r.person FROM terms c
             CROSS JOIN tags t ON t.term = c.id
             CROSS JOIN records r ON r.sequence = t.sequence
             CROSS JOIN shapes s ON s.id = r.shape
             WHERE c.name = ? AND t.sequence BETWEEN ? AND ? AND r.time >= ? AND r.time < ? AND r.person <> 0
                 AND s.identity IN ('strong', 'password', 'address')
             ORDER BY t.sequence DESC LIMIT ?) d
         JOIN terms p ON p.id = d.person",
    )
    .bind(format!("clause:{clause}"))
    .bind(first)
    .bind(last)
    .bind(from.nanos())
    .bind(to.nanos())
    .bind(number(CLAUSE_ROWS.value() as u64))
    .fetch_all(connection)
    .await?;
    let key = |row: &sqlx::sqlite::SqliteRow| Ok(parse_hex(&name(row.try_get(0)?)).ok());
    rows.iter().filter_map(|row| key(row).transpose()).collect()
}
