//! When an email is tried again: after 5 s, 15 s, 45 s, … three times as long each time, at most 30 minutes apart.

use chrono::TimeDelta;
use rand::RngExt;

const FIRST_SECONDS: f64 = 5.0;
const LONGEST_SECONDS: f64 = 30.0 * 60.0;

/// The wait after this many attempts (1 is the first), with ±20 % of jitter, so that emails which failed together do
/// not come back together.
pub(crate) fn after_attempt(attempts: i32) -> TimeDelta {
    let seconds = unjittered_seconds(attempts) * rand::rng().random_range(0.8..1.2);
    TimeDelta::milliseconds((seconds * 1000.0) as i64)
}

fn unjittered_seconds(attempts: i32) -> f64 {
    (FIRST_SECONDS * 3f64.powi(attempts.clamp(1, 20) - 1)).min(LONGEST_SECONDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_threefold_up_to_half_an_hour() {
        let waits: Vec<f64> = (1..=8).map(unjittered_seconds).collect();
        assert_eq!(waits, [5.0, 15.0, 45.0, 135.0, 405.0, 1215.0, 1800.0, 1800.0]);
        assert_eq!(unjittered_seconds(i32::MAX), 1800.0);
    }

    #[test]
    fn jitter_stays_within_a_fifth() {
        for _ in 0..1000 {
            let wait = after_attempt(2).num_milliseconds();
            assert!((12_000..=18_000).contains(&wait), "{wait}");
        }
    }
}
