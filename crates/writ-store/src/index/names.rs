//! Short numbers for what stands in many rows: names, persons, and the shape of a situation.

use std::collections::HashMap;

use sqlx::{AssertSqlSafe, Row as _, SqliteConnection};
use writ_base::hash::{hex, parse_hex};

use super::IndexError;
use super::write::{Table, Value};
use crate::state::KeyId;

/// What a name is of; the word before the colon of a term.
pub(super) type Kind = &'static str;
/// All kinds of terms but persons.
const KINDS: [Kind; 5] = ["service", "effect", "clause", "class", "signal"];
/// The kind of persons, whose name is the id of a key.
pub(super) const PERSON: Kind = "person";

/// The columns of a shape, in their order: what a verdict is about, but for what was found.
pub(super) const SHAPE_COLUMNS: [&str; 14] = [
    "category",
    "tier",
    "status",
    "account",
    "who",
    "identity",
    "action",
    "channel",
    "stage",
    "direction",
    "enforced",
    "full",
    "whole",
    "unread",
];
/// The columns of what was found, in their order.
pub(super) const FOUND_COLUMNS: [&str; 3] = ["clauses", "classes", "signals"];

/// What is in a file's tables of names, and what the present batch adds.
pub(super) struct Names {
    terms: HashMap<Kind, HashMap<String, i64>>,
    persons: HashMap<KeyId, i64>,
    shapes: Combinations,
    found: Combinations,
    last_term: i64,
    pub(super) new_terms: Table,
}

/// Combinations of values, numbered from 1.
#[derive(Default)]
struct Combinations {
    known: HashMap<String, i64>,
    new: Table,
}

impl Names {
    pub(super) async fn load(connection: &mut SqliteConnection) -> Result<Self, IndexError> {
        let mut names = Self {
            terms: KINDS.iter().map(|kind| (*kind, HashMap::new())).collect(),
            persons: HashMap::new(),
            shapes: Combinations::load(connection, "shapes", &SHAPE_COLUMNS).await?,
            found: Combinations::load(connection, "found", &FOUND_COLUMNS).await?,
            last_term: 0,
            new_terms: Table::default(),
        };
        for row in sqlx::query("SELECT id, name FROM terms").fetch_all(&mut *connection).await? {
            let (id, term): (i64, String) = (row.try_get(0)?, row.try_get(1)?);
            names.last_term = names.last_term.max(id);
            let Some((kind, name)) = term.split_once(':') else { continue };
            if kind == PERSON
                && let Ok(key) = parse_hex(name)
            {
                names.persons.insert(key, id);
            } else if let Some(known) = names.terms.get_mut(kind) {
                known.insert(name.to_owned(), id);
            }
        }
        Ok(names)
    }

    /// The number of a name.
    pub(super) fn term(&mut self, kind: Kind, name: &str) -> i64 {
        let known = self.terms.entry(kind).or_default();
        if let Some(id) = known.get(name) {
            return *id;
        }
        self.last_term += 1;
        known.insert(name.to_owned(), self.last_term);
        self.new_terms.0.extend([Value::Number(self.last_term), Value::Text(format!("{kind}:{name}"))]);
        self.last_term
    }

    /// The number of a person's key.
    pub(super) fn person(&mut self, key: KeyId) -> i64 {
        if let Some(id) = self.persons.get(&key) {
            return *id;
        }
        self.last_term += 1;
        self.persons.insert(key, self.last_term);
        self.new_terms.0.extend([Value::Number(self.last_term), Value::Text(person_term(&key))]);
        self.last_term
    }

    /// The number of a shape: its values in the order of [`SHAPE_COLUMNS`].
    pub(super) fn shape(&mut self, values: [&str; SHAPE_COLUMNS.len()]) -> i64 {
        self.shapes.number(&values)
    }

    /// The number of what was found: its values in the order of [`FOUND_COLUMNS`].
    pub(super) fn found(&mut self, values: [&str; FOUND_COLUMNS.len()]) -> i64 {
        self.found.number(&values)
    }

    /// Writes what the batch adds.
    pub(super) async fn write_new(&mut self, connection: &mut SqliteConnection) -> Result<(), IndexError> {
        self.new_terms.insert(connection, "INSERT INTO terms (id, name)", 2).await?;
        self.shapes.write_new(connection, "shapes", &SHAPE_COLUMNS).await?;
        self.found.write_new(connection, "found", &FOUND_COLUMNS).await
    }
}

impl Combinations {
    async fn load(
        connection: &mut SqliteConnection,
        table: &'static str,
        columns: &[&str],
    ) -> Result<Self, IndexError> {
        let mut all = Self::default();
        for row in sqlx::query(AssertSqlSafe(format!("SELECT * FROM {table}"))).fetch_all(connection).await? {
            let values: Vec<String> = columns.iter().map(|it| row.try_get(*it)).collect::<Result<_, _>>()?;
            all.known.insert(values.join(BETWEEN), row.try_get("id")?);
        }
        Ok(all)
    }

    fn number(&mut self, values: &[&str]) -> i64 {
        let joined = values.join(BETWEEN);
        if let Some(id) = self.known.get(&joined) {
            return *id;
        }
        let id = i64::try_from(self.known.len()).unwrap_or(i64::MAX).saturating_add(1);
        self.known.insert(joined, id);
        self.new.0.push(Value::Number(id));
        self.new.0.extend(values.iter().map(|value| Value::Text((*value).to_owned())));
        id
    }

    async fn write_new(
        &mut self,
        connection: &mut SqliteConnection,
        table: &str,
        columns: &[&str],
    ) -> Result<(), IndexError> {
        let into = format!("INSERT INTO {table} (id, {})", columns.join(", "));
        self.new.insert(connection, &into, columns.len() + 1).await
    }
}

/// No value holds it.
const BETWEEN: &str = "\u{1f}";

/// The term of a person's key.
pub(super) fn person_term(key: &KeyId) -> String {
    format!("{PERSON}:{}", hex(key))
}
