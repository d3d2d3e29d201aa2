//! Figures by day, for charts and for the list of tools.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::sqlite::SqliteRow;
use sqlx::{Connection, Row as _};
use writ_base::Moment;
use writ_base::hash::parse_hex;

use super::query::name;
use super::write::DAY_NANOS;
use super::{Index, IndexError, connect};
use crate::state::KeyId;

/// The figures of one day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayStat {
    /// Its start (UTC).
    pub day: Moment,
    /// Of this service; of all together where there is none.
    pub service: Option<String>,
    /// Prompts decided.
    pub records: u64,
    /// Verdicts that stopped somebody: justify and block, on prompts and answers.
    pub interruptions: u64,
    /// Prompts that went on with a note.
    pub coached: u64,
    /// Prompts that went on without some details.
    pub redacted: u64,
    /// Prompts that were not read because somebody chose so.
    pub unread: u64,
    /// Prompts that were not read in full for other reasons: no reader, a reader failed.
    pub opaque: u64,
    /// People seen: principals whose identity was at least an address of one person.
    pub persons: u64,
    /// Writ's own time; of all services together only.
    pub judged: Option<Percentiles>,
}

/// Writ's own time from the complete prompt to the written verdict, in microseconds: upper ends of intervals that are at
/// most a sixteenth wide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Percentiles {
    /// Half took no longer.
    pub p50_us: u64,
    /// 99 of 100 took no longer.
    pub p99_us: u64,
    /// Of so many.
    pub count: u64,
}

/// A service seen in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolSeen {
    /// The service.
    pub service: String,
    /// First seen in this time.
    pub first: Moment,
    /// Last seen in this time.
    pub last: Moment,
    /// Prompts decided.
    pub records: u64,
    /// People seen, as in [`DayStat::persons`].
    pub persons: u64,
    /// Verdicts that stopped somebody.
    pub stopped: u64,
}

/// Counts of one day and service, as the file holds them.
#[derive(Clone, Copy, Default)]
struct Counts {
    records: u64,
    stopped: u64,
    coached: u64,
    redacted: u64,
    unread: u64,
    opaque: u64,
}

type Day = i64;
type Service = String;
/// Keys of people by day and service.
type Seen = BTreeMap<(Day, Service), BTreeSet<KeyId>>;

impl Index {
    /// The figures from the day of `from` to the one before `to`, by day; all services together first, then each.
    ///
    /// # Errors
    /// If a file refuses.
    pub async fn day_stats(&self, from: Moment, to: Moment) -> Result<Vec<DayStat>, IndexError> {
        let mut counts: BTreeMap<(Day, Option<Service>), Counts> = BTreeMap::new();
        let mut buckets: BTreeMap<Day, BTreeMap<i64, u64>> = BTreeMap::new();
        self.each_day_row(DAYS, from, to, |row| {
            let (day, service): (i64, String) = (row.try_get(0)?, row.try_get(1)?);
            let counted = read_counts(row)?;
            counts.entry((day, Some(name(service)))).or_default().add(counted);
            counts.entry((day, None)).or_default().add(counted);
            Ok(())
        })
        .await?;
        self.each_day_row(LATENCY, from, to, |row| {
            let (day, bucket): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
            *buckets.entry(day).or_default().entry(bucket).or_default() += unsigned(row.try_get(2)?);
            counts.entry((day, None)).or_default();
            Ok(())
        })
        .await?;
        let seen = self.seen(from, to).await?;
        let who = self.distinct(seen.values().flatten().copied().collect()).await?;
        let stats = counts.into_iter().map(|((day, service), counted)| {
            let of = |wanted: &Option<Service>| {
                let fits = |it: &str| wanted.as_deref().is_none_or(|service| service == it);
                let keys = seen.iter().filter(|((on, it), _)| *on == day && fits(it)).flat_map(|(_, keys)| keys);
                keys.map(|key| who.get(key)).collect::<BTreeSet<_>>().len() as u64
            };
            DayStat {
                day: Moment::from_nanos(day.saturating_mul(DAY_NANOS)),
                persons: of(&service),
                judged: buckets.get(&day).filter(|_| service.is_none()).and_then(percentiles),
                service,
                records: counted.records,
                interruptions: counted.stopped,
                coached: counted.coached,
                redacted: counted.redacted,
                unread: counted.unread,
                opaque: counted.opaque,
            }
        });
        Ok(stats.collect())
    }

    /// Writ's own time from the day of `from` to the one before `to`.
    ///
    /// # Errors
    /// If a file refuses.
    pub async fn judged(&self, from: Moment, to: Moment) -> Result<Option<Percentiles>, IndexError> {
        let mut buckets: BTreeMap<i64, u64> = BTreeMap::new();
        self.each_day_row(LATENCY, from, to, |row| {
            *buckets.entry(row.try_get(1)?).or_default() += unsigned(row.try_get(2)?);
            Ok(())
        })
        .await?;
        Ok(percentiles(&buckets))
    }

    /// The services seen in use from the day of `from` to the one before `to`, by id.
    ///
    /// # Errors
    /// If a file refuses.
    pub async fn tools(&self, from: Moment, to: Moment) -> Result<Vec<ToolSeen>, IndexError> {
        let mut tools: BTreeMap<Service, ToolSeen> = BTreeMap::new();
        self.each_day_row(DAYS, from, to, |row| {
            let service = name(row.try_get(1)?);
            let counted = read_counts(row)?;
            let (first, last) = (Moment::from_nanos(row.try_get("first")?), Moment::from_nanos(row.try_get("last")?));
            let new = ToolSeen { service: service.clone(), first, last, records: 0, persons: 0, stopped: 0 };
            let tool = tools.entry(service).or_insert(new);
            tool.first = tool.first.min(first);
            tool.last = tool.last.max(last);
            tool.records += counted.records;
            tool.stopped += counted.stopped;
            Ok(())
        })
        .await?;
        let seen = self.seen(from, to).await?;
        let who = self.distinct(seen.values().flatten().copied().collect()).await?;
        for tool in tools.values_mut() {
            let keys = seen.iter().filter(|((_, service), _)| *service == tool.service).flat_map(|(_, keys)| keys);
            tool.persons = keys.map(|key| who.get(key)).collect::<BTreeSet<_>>().len() as u64;
        }
        Ok(tools.into_values().collect())
    }

    /// Keys of people by day and service.
    async fn seen(&self, from: Moment, to: Moment) -> Result<Seen, IndexError> {
        let mut seen = Seen::new();
        self.each_day_row(PERSONS, from, to, |row| {
            let (day, service, person): (i64, String, String) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
            if let Ok(key) = parse_hex(&name(person)) {
                seen.entry((day, name(service))).or_default().insert(key);
            }
            Ok(())
        })
        .await?;
        Ok(seen)
    }

    /// One name for all keys of a person: they change with the month. Keys of nobody stand for themselves.
    pub(super) async fn distinct(&self, keys: BTreeSet<KeyId>) -> Result<BTreeMap<KeyId, String>, IndexError> {
        let names = match &self.opener {
            Some(opener) => opener.names(&keys).await?,
            None => BTreeMap::new(),
        };
        let own = |key: KeyId| names.get(&key).cloned().unwrap_or_else(|| writ_base::hash::hex(&key));
        Ok(keys.into_iter().map(|key| (key, own(key))).collect())
    }

    async fn each_day_row(
        &self,
        statement: &'static str,
        from: Moment,
        to: Moment,
        mut with: impl FnMut(&SqliteRow) -> Result<(), IndexError>,
    ) -> Result<(), IndexError> {
        for month in self.months()? {
            let mut connection = connect(&self.path(month), false).await?;
            let rows = sqlx::query(statement)
                .bind(from.nanos().div_euclid(DAY_NANOS))
                .bind(to.nanos().saturating_add(DAY_NANOS - 1).div_euclid(DAY_NANOS))
                .fetch_all(&mut connection)
                .await?;
            connection.close().await?;
            rows.iter().try_for_each(&mut with)?;
        }
        Ok(())
    }
}

const DAYS: &str =
    "SELECT d.day, s.name, d.records, d.stopped, d.coached, d.redacted, d.unread, d.opaque, d.first, d.last
                    FROM days d JOIN terms s ON s.id = d.service WHERE d.day >= ? AND d.day < ? ORDER BY d.day";
const LATENCY: &str = "SELECT day, bucket, count FROM day_latency WHERE day >= ? AND day < ?";
const PERSONS: &str = "SELECT d.day, s.name, p.name FROM day_persons d
                       JOIN terms s ON s.id = d.service JOIN terms p ON p.id = d.person
                       WHERE d.day >= ? AND d.day < ?";

impl Counts {
    fn add(&mut self, other: Self) {
        self.records += other.records;
        self.stopped += other.stopped;
        self.coached += other.coached;
        self.redacted += other.redacted;
        self.unread += other.unread;
        self.opaque += other.opaque;
    }
}

fn read_counts(row: &SqliteRow) -> Result<Counts, IndexError> {
    let read = |column: &str| row.try_get::<i64, _>(column).map(unsigned);
    Ok(Counts {
        records: read("records")?,
        stopped: read("stopped")?,
        coached: read("coached")?,
        redacted: read("redacted")?,
        unread: read("unread")?,
        opaque: read("opaque")?,
    })
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// The interval of a time: 16 to each doubling.
pub(super) fn bucket(micros: u64) -> i64 {
    let exponent = u64::from(micros.max(16).ilog2());
    let bucket = if micros < 16 { micros } else { (exponent - 3) * 16 + ((micros >> (exponent - 4)) & 15) };
    i64::try_from(bucket).unwrap_or(i64::MAX)
}

/// The last time of an interval.
fn upper_end(bucket: i64) -> u64 {
    let bucket = unsigned(bucket);
    if bucket < 16 {
        return bucket;
    }
    let (exponent, place) = (bucket / 16 + 3, bucket % 16);
    let width = 1u64.checked_shl(u32::try_from(exponent - 4).unwrap_or(u32::MAX)).unwrap_or(u64::MAX);
    (16 + place + 1).checked_mul(width).map_or(u64::MAX, |end| end - 1)
}

fn percentiles(buckets: &BTreeMap<i64, u64>) -> Option<Percentiles> {
    let count: u64 = buckets.values().sum();
    let at = |percent: u64| {
        let wanted = (count * percent).div_ceil(100);
        let mut sum = 0;
        buckets.iter().find_map(|(bucket, count)| {
            sum += count;
            (sum >= wanted).then(|| upper_end(*bucket))
        })
    };
    Some(Percentiles { p50_us: at(50)?, p99_us: at(99)?, count })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn intervals_are_narrow_and_in_order(micros in 0u64..1 << 50, more in 0u64..1000) {
            let end = upper_end(bucket(micros));
            prop_assert!(end >= micros && end - micros <= micros / 16, "{micros} -> {end}");
            prop_assert!(bucket(micros + more) >= bucket(micros));
            prop_assert_eq!(bucket(end + 1), bucket(micros) + 1);
        }

        #[test]
        fn percentiles_are_those_of_a_sorted_list(mut list in proptest::collection::vec(0u64..1 << 40, 1..300)) {
            let mut buckets = BTreeMap::new();
            list.iter().for_each(|it| *buckets.entry(bucket(*it)).or_default() += 1);
            let found = percentiles(&buckets).unwrap();
            list.sort_unstable();
            let exact = |percent: usize| list[(list.len() * percent).div_ceil(100) - 1];
            for (found, exact) in [(found.p50_us, exact(50)), (found.p99_us, exact(99))] {
                prop_assert!(found >= exact && found - exact <= exact / 16);
            }
        }
    }

    #[test]
    fn without_times_there_are_no_percentiles() {
        assert_eq!(percentiles(&BTreeMap::new()), None);
        assert_eq!(upper_end(bucket(u64::MAX)), u64::MAX);
    }
}
