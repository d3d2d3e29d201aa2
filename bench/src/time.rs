//! Wall time, and what is read off many times.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// Now.
#[expect(clippy::disallowed_methods, reason = "a measurement is about the time of this machine")]
pub fn now() -> Instant {
    Instant::now()
}

/// Time since this was first asked for: one clock for what sends and what receives in one program.
pub fn since_start() -> Duration {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(now).elapsed()
}

/// The value below which this share (0 to 1) of the times lies; zero if there are none.
pub fn quantile(times: &mut [Duration], share: f64) -> Duration {
    times.sort_unstable();
    let last = times.len().saturating_sub(1);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a place in a list of measurements"
    )]
    let place = (last as f64 * share.clamp(0.0, 1.0)).round() as usize;
    times.get(place).copied().unwrap_or_default()
}

/// The middle one; of an even number the upper of the two in the middle.
pub fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_and_medians() {
        let mut times: Vec<Duration> = (1..=101).rev().map(Duration::from_micros).collect();
        assert_eq!(quantile(&mut times, 0.5), Duration::from_micros(51));
        assert_eq!(quantile(&mut times, 0.99), Duration::from_micros(100));
        assert_eq!(quantile(&mut [], 0.5), Duration::ZERO);
        assert!((median(&mut [9.0, 1.0, 5.0]) - 5.0).abs() < f64::EPSILON);
        assert!(median(&mut []).is_nan());
    }
}
