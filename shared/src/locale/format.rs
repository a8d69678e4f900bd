//! Dates and durations in the words of a language: CLDR's, by ICU4X and by Fluent's plurals.

use std::time::Duration;

use chrono::{DateTime, Datelike, Timelike, Utc};
use icu_calendar::{Date, Gregorian};
use icu_datetime::fieldsets::{T, YMD};
use icu_datetime::options::TimePrecision;
use icu_datetime::{FixedCalendarDateTimeFormatter, NoCalendarFormatter};
use icu_locale::Locale as UnicodeLocale;
use icu_time::Time;

use super::messages::CatalogueProblem;
use super::tag::Locale;

/// The formats of a language: "23 November 2026" and "15:04".
pub(super) struct Moments {
    date: FixedCalendarDateTimeFormatter<Gregorian, YMD>,
    time: NoCalendarFormatter<T>,
}

impl Moments {
    /// Hours are counted to 24 and digits are Latin in every language: a time stands beside UTC, in emails that are full
    /// of codes and addresses. English dates are British, as the original's.
    pub(super) fn new(locale: Locale) -> Result<Moments, CatalogueProblem> {
        let region = if locale == Locale::En { "-GB" } else { "" };
        let unusable = |reason: &dyn std::fmt::Display| CatalogueProblem {
            line: 0,
            reason: format!("the formats of dates cannot be loaded: {reason}"),
        };
        let tag = format!("{locale}{region}-u-hc-h23-nu-latn");
        let tag: UnicodeLocale = tag.parse().map_err(|error| unusable(&error))?;
        let to_the_minute = T::short().with_time_precision(TimePrecision::Minute);
        Ok(Moments {
            date: FixedCalendarDateTimeFormatter::try_new((&tag).into(), YMD::long())
                .map_err(|error| unusable(&error))?,
            time: NoCalendarFormatter::try_new((&tag).into(), to_the_minute)
                .map_err(|error| unusable(&error))?,
        })
    }

    /// `None` for a year that is outside of the calendar of this program.
    pub(super) fn parts(&self, moment: DateTime<Utc>) -> Option<(String, String)> {
        let [month, day, hour, minute] =
            [moment.month(), moment.day(), moment.hour(), moment.minute()].map(u8::try_from);
        let date = Date::try_new_gregorian(moment.year(), month.ok()?, day.ok()?).ok()?;
        let time = Time::try_new(hour.ok()?, minute.ok()?, 0, 0).ok()?;
        Some((self.date.format(&date).to_string(), self.time.format(&time).to_string()))
    }
}

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// The message that tells a duration, and its `$count`. It is rounded down, so that no text promises a longer time than
/// it has.
pub(super) fn duration(duration: Duration) -> (&'static str, u64) {
    let seconds = duration.as_secs();
    match seconds {
        ..MINUTE => ("duration-seconds", seconds),
        _ if seconds >= 2 * DAY => ("duration-days", seconds / DAY),
        _ if seconds.is_multiple_of(HOUR) || seconds >= 3 * HOUR => ("duration-hours", seconds / HOUR),
        _ => ("duration-minutes", seconds / MINUTE),
    }
}
