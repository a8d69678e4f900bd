//! A time as operators write it: how long ago, or when.

use std::str::FromStr;

use chrono::{DateTime, TimeDelta, Utc};

/// The longest time ago, in days: more than the longest `MAIL_RETENTION_DAYS`.
const LONGEST_DAYS: i64 = 36_500;

/// `30m`, `2h`, `3d` ago, or at an RFC 3339 time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Since {
    /// So long before now.
    Ago(TimeDelta),
    /// At this time.
    At(DateTime<Utc>),
}

/// The text is neither a duration nor a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a time such as 90s, 30m, 2h, 3d or 2026-11-23T18:00:00Z is needed")]
pub(super) struct NotATime;

impl Since {
    /// The point in time, seen from `now`.
    pub(super) fn time(self, now: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Since::Ago(ago) => now - ago,
            Since::At(time) => time,
        }
    }
}

impl FromStr for Since {
    type Err = NotATime;

    fn from_str(text: &str) -> Result<Since, NotATime> {
        if let Ok(time) = DateTime::parse_from_rfc3339(text) {
            return Ok(Since::At(time.with_timezone(&Utc)));
        }
        let ago = humantime::parse_duration(text).map_err(|_| NotATime)?;
        let ago = TimeDelta::from_std(ago).map_err(|_| NotATime)?;
        if ago > TimeDelta::days(LONGEST_DAYS) { Err(NotATime) } else { Ok(Since::Ago(ago)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_times_are_read() {
        for (text, ago) in [
            ("90s", TimeDelta::seconds(90)),
            ("30m", TimeDelta::minutes(30)),
            ("2h", TimeDelta::hours(2)),
            ("2 h", TimeDelta::hours(2)),
            ("1h 30m", TimeDelta::minutes(90)),
            ("3d", TimeDelta::days(3)),
            ("2w", TimeDelta::days(14)),
            ("0d", TimeDelta::zero()),
        ] {
            assert_eq!(text.parse(), Ok(Since::Ago(ago)), "{text}");
        }
        let time = DateTime::from_timestamp(1_795_456_800, 0).unwrap();
        let written = time.to_rfc3339();
        for text in [written.as_str(), &written.replace("+00:00", "Z"), &written.replace("+00:00", ".000Z")] {
            assert_eq!(text.parse(), Ok(Since::At(time)), "{text}");
        }
        let elsewhere = "2026-11-23T19:00:00+01:00".parse::<Since>();
        assert_eq!(elsewhere, "2026-11-23T18:00:00Z".parse());
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "h", "2", "-2h", "+2h", "2hh", "2é", "yesterday", "2026-11-23", "36501d"] {
            assert_eq!(text.parse::<Since>(), Err(NotATime), "{text}");
        }
        for text in ["99999999999999999999d", "9223372036854775807h"] {
            assert_eq!(text.parse::<Since>(), Err(NotATime), "{text}");
        }
    }

    #[test]
    fn a_duration_counts_from_now() {
        let now = DateTime::from_timestamp(1_795_456_800, 0).unwrap();
        assert_eq!(Since::Ago(TimeDelta::hours(2)).time(now), now - TimeDelta::hours(2));
        assert_eq!(Since::At(now).time(now + TimeDelta::hours(1)), now);
    }
}
