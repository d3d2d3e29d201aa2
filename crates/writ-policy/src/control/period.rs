//! Times as a document states them.

use std::cmp::Ordering;
use std::fmt;

/// A unit of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unit {
    /// 60 seconds.
    Minute,
    /// 60 minutes.
    Hour,
    /// 24 hours.
    Day,
    /// A day on which people work: five in a week.
    WorkingDay,
    /// 7 days.
    Week,
    /// A calendar month.
    Month,
    /// A calendar year.
    Year,
}

impl Unit {
    /// The word for one of them, and its minutes; of months and years the mean of the Gregorian calendar.
    const fn spec(self) -> (&'static str, u64) {
        match self {
            Self::Minute => ("minute", 1),
            Self::Hour => ("hour", 60),
            Self::Day => ("day", 1_440),
            Self::WorkingDay => ("working day", 2_016),
            Self::Week => ("week", 10_080),
            Self::Month => ("month", 43_829),
            Self::Year => ("year", 525_948),
        }
    }

    const ALL: [Self; 7] = [Self::Minute, Self::Hour, Self::Day, Self::WorkingDay, Self::Week, Self::Month, Self::Year];
}

/// A time span as it is written: `72 hours` is not `3 days` to a reader, but as long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Period {
    /// How many units; at least 1.
    pub count: u32,
    /// Of which unit.
    pub unit: Unit,
}

/// The longest period in units: nobody plans for more.
const COUNT_MAX: u32 = 10_000;

impl Period {
    /// A period of this many units.
    pub const fn new(count: u32, unit: Unit) -> Self {
        Self { count, unit }
    }

    /// Its length in minutes, to compare with others.
    pub const fn minutes(self) -> u64 {
        self.unit.spec().1 * self.count as u64
    }

    /// Reads `30 days`, `1 year`, `day`, `yearly`.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let (count, unit) = match words.as_slice() {
            ["daily"] => (1, "day".to_owned()),
            ["weekly"] => (1, "week".to_owned()),
            ["monthly"] => (1, "month".to_owned()),
            ["quarterly"] => (3, "months".to_owned()),
            ["yearly"] => (1, "year".to_owned()),
            [unit] => (1, (*unit).to_owned()),
            [count, unit @ ..] if !unit.is_empty() => (count.parse().ok()?, unit.join(" ")),
            _ => return None,
        };
        let unit = unit.strip_suffix('s').unwrap_or(&unit);
        let unit = Unit::ALL.into_iter().find(|known| known.spec().0 == unit)?;
        (1..=COUNT_MAX).contains(&count).then_some(Self { count, unit })
    }
}

impl PartialOrd for Period {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Period {
    /// By length; of two that are equally long, by how they are written.
    fn cmp(&self, other: &Self) -> Ordering {
        (self.minutes(), self.unit, self.count).cmp(&(other.minutes(), other.unit, other.count))
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.count == 1 { "" } else { "s" };
        write!(f, "{} {}{plural}", self.count, self.unit.spec().0)
    }
}

/// How often something is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cadence {
    /// With each version of the policy.
    EachVersion,
    /// After each such time.
    Every(Period),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_read_as_people_write_them() {
        let read = |text| Period::read(text).map(|period| period.to_string());
        assert_eq!(read("30 days").as_deref(), Some("30 days"));
        assert_eq!(read("1 years").as_deref(), Some("1 year"));
        assert_eq!(read("10 working days").as_deref(), Some("10 working days"));
        assert_eq!(read("quarterly").as_deref(), Some("3 months"));
        assert_eq!(read("day").as_deref(), Some("1 day"));
        for wrong in ["", "0 days", "-1 days", "3 moons", "days 3", "99999 days", "1.5 days", "days ss"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn equal_lengths_compare_equal_in_minutes() {
        assert_eq!(Period::new(72, Unit::Hour).minutes(), Period::new(3, Unit::Day).minutes());
        assert_eq!(Period::new(12, Unit::Month).minutes(), Period::new(1, Unit::Year).minutes());
        assert!(Period::new(90, Unit::Day) < Period::new(3, Unit::Month));
        assert!(Period::new(5, Unit::WorkingDay).minutes() == Period::new(1, Unit::Week).minutes());
    }
}
