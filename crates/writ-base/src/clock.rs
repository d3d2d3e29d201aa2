//! Time as an input.

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A point in time: UTC nanoseconds since 1970-01-01. Order of entries is by sequence number, never by this.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Moment(i64);

impl Moment {
    /// The start of 1970.
    pub const EPOCH: Self = Self(0);

    /// From UTC nanoseconds since 1970.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// From whole UTC seconds since 1970; saturates at the ends of the range (years 1677 and 2262).
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000_000))
    }

    /// UTC nanoseconds since 1970.
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// Whole milliseconds since 1970, never negative (UUIDv7 has no room for a sign).
    pub fn millis(self) -> u64 {
        u64::try_from(self.0 / 1_000_000).unwrap_or(0)
    }

    /// Whole seconds since 1970.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000_000)
    }

    /// This moment and `by` later; saturates.
    #[must_use]
    pub fn after(self, by: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(by.as_nanos()).unwrap_or(i64::MAX)))
    }

    /// Time from `earlier` to this moment; zero if `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// The calendar day in UTC as (year, month 1..=12, day 1..=31).
    pub fn date(self) -> (i64, u32, u32) {
        civil_from_days(self.seconds().div_euclid(86_400))
    }

    /// Midnight UTC at the start of a calendar day, or `None` if there is no such day.
    pub fn from_date(year: i64, month: u32, day: u32) -> Option<Self> {
        if !(1..=12).contains(&month) || !(1..=31).contains(&day) || !(1678..=2261).contains(&year) {
            return None;
        }
        let moment = Self::from_seconds(days_from_civil(year, month, day) * 86_400);
        (moment.date() == (year, month, day)).then_some(moment)
    }

    /// Parses `YYYY-MM-DD` (midnight UTC) or `YYYY-MM-DDTHH:MM[:SS[.FRACTION]]Z` (RFC 3339, UTC, up to nanoseconds), so
    /// whatever is printed can be read.
    pub fn parse(text: &str) -> Option<Self> {
        let (date, time) = match text.split_once('T') {
            Some((date, time)) => (date, Some(time.strip_suffix('Z')?)),
            None => (text, None),
        };
        let mut numbers = date.splitn(3, '-');
        let (year, month, day) = (numbers.next()?, numbers.next()?, numbers.next()?);
        if year.len() != 4 || month.len() != 2 || day.len() != 2 {
            return None;
        }
        let midnight = Self::from_date(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)?;
        let Some(time) = time else { return Some(midnight) };
        let mut fields = time.split(':');
        let (hour, minute) = (two_digits(fields.next()?)?, two_digits(fields.next()?)?);
        let (second, fraction) = fields.next().map_or(Some((0, 0)), second_and_fraction)?;
        let valid = hour < 24 && minute < 60 && second < 60 && fields.next().is_none();
        valid.then(|| midnight.after(Duration::new(hour * 3600 + minute * 60 + second, fraction)))
    }
}

/// The number of a field of two digits.
fn two_digits(text: &str) -> Option<u64> {
    let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

/// Seconds with a fraction of at most nine digits, as seconds and nanoseconds.
fn second_and_fraction(text: &str) -> Option<(u64, u32)> {
    const NANOS: usize = 9;
    let Some((second, fraction)) = text.split_once('.') else { return Some((two_digits(text)?, 0)) };
    let digits = (1..=NANOS).contains(&fraction.len()) && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let nanos = format!("{fraction:0<NANOS$}").parse().ok().filter(|_| digits)?;
    Some((two_digits(second)?, nanos))
}

impl fmt::Display for Moment {
    /// RFC 3339 in UTC with milliseconds: `2026-11-22T09:30:00.000Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.date();
        let second = self.seconds().rem_euclid(86_400);
        let millis = self.0.div_euclid(1_000_000).rem_euclid(1000);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
    }
}

impl fmt::Debug for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Days since 1970-01-01 to a civil date. Source: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms".
fn civil_from_days(days: i64) -> (i64, u32, u32) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, u32::try_from(month).unwrap_or(1), u32::try_from(day).unwrap_or(1))
}

/// The inverse of [`civil_from_days`], from the same source.
fn days_from_civil(year: i64, month: u32, day: u32) -> i64 {
    let (month, day) = (i64::from(month), i64::from(day));
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let year_of_era = y.rem_euclid(400);
    let day_of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Where the time comes from.
pub trait Clock: Send + Sync {
    /// The current time.
    fn now(&self) -> Moment;
}

/// The operating system's clock: for the binary and the edges only.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Moment {
        #[expect(clippy::disallowed_methods, reason = "the one place where the system clock is read")]
        let elapsed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Moment::EPOCH.after(elapsed)
    }
}

/// A clock that stands still until it is moved: for tests and the simulator.
#[derive(Debug, Default)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that shows `start`.
    pub fn at(start: Moment) -> Self {
        Self(AtomicI64::new(start.nanos()))
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        self.0.store(self.now().after(by).nanos(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Moment {
        Moment::from_nanos(self.0.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn prints_as_rfc_3339() {
        assert_eq!(Moment::from_seconds(1_795_339_800).to_string(), "2026-11-22T09:30:00.000Z");
        assert_eq!(Moment::from_nanos(-1).to_string(), "1969-12-31T23:59:59.999Z");
    }

    #[test]
    fn refuses_days_that_do_not_exist() {
        assert_eq!(Moment::parse("2026-02-29"), None);
        assert_eq!(Moment::parse("2026-13-01"), None);
        assert_eq!(Moment::parse("26-1-1"), None);
        assert!(Moment::parse("2028-02-29").is_some());
    }

    #[test]
    fn parses_times() {
        assert_eq!(Moment::parse("2026-11-22T09:30Z"), Some(Moment::from_seconds(1_795_339_800)));
        assert_eq!(Moment::parse("2026-11-22T09:30:00"), None);
        assert_eq!(Moment::parse("2026-11-22T24:00Z"), None);
        let moment = Moment::parse("2026-11-22T09:30:00.250Z").unwrap();
        assert_eq!(moment, Moment::from_nanos(1_795_339_800_250_000_000));
        assert_eq!(Moment::parse("2026-11-22T09:30:00.000000001Z").map(Moment::nanos), Some(1_795_339_800_000_000_001));
        for wrong in ["00.Z", "00.1234567890Z", "00.-1Z", "+1Z", "0Z", "00.25", "60.0Z"] {
            assert_eq!(Moment::parse(&format!("2026-11-22T09:30:{wrong}")), None, "{wrong}");
        }
    }

    proptest! {
        /// What is printed is read, to the millisecond that was printed.
        #[test]
        fn printed_moments_are_read(millis in -5_000_000_000_000i64..5_000_000_000_000) {
            let moment = Moment::from_nanos(millis * 1_000_000);
            prop_assert_eq!(Moment::parse(&moment.to_string()), Some(moment));
        }

        #[test]
        fn dates_round_trip(seconds in -5_000_000_000i64..5_000_000_000) {
            let day = Moment::from_seconds(seconds);
            let (y, m, d) = day.date();
            let midnight = Moment::from_date(y, m, d).unwrap();
            prop_assert!(midnight <= day && day.since(midnight) < Duration::from_secs(86_400));
        }
    }
}
