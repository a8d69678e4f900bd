//! Values in the words that people read.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serializer;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// "1 hour", "90 minutes", "3 days": rounded down, because a link must not be promised longer than it lives.
pub(super) fn lifetime(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (count, unit) = match seconds {
        ..MINUTE => (seconds, "second"),
        _ if seconds >= 2 * DAY => (seconds / DAY, "day"),
        _ if seconds.is_multiple_of(HOUR) || seconds >= 3 * HOUR => (seconds / HOUR, "hour"),
        _ => (seconds / MINUTE, "minute"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

/// A time for people: "23 November 2026, 15:04 UTC".
#[must_use]
pub fn moment(time: DateTime<Utc>) -> String {
    time.format("%-d %B %Y, %H:%M UTC").to_string()
}

/// The text on one line: runs of white space and control characters become one blank.
pub(super) fn one_line(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

/// The name to greet somebody by; none when it is empty or reads like an address.
///
/// Anybody can sign up with anybody's address. Mail clients turn `evil.example` into a link, so such a "name"
/// would make the mail carry an advertisement to a stranger.
pub(super) fn greetable(name: &str) -> Option<&str> {
    let name = name.trim();
    let chars: Vec<char> = name.chars().collect();
    let dot_inside =
        chars.windows(3).any(|w| w[1] == '.' && w[0].is_alphanumeric() && w[2].is_alphanumeric());
    let suspicious =
        dot_inside || name.contains('@') || name.contains("//") || name.chars().any(char::is_control);
    (!name.is_empty() && !suspicious).then_some(name)
}

pub(super) fn ser_lifetime<S: Serializer>(duration: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&lifetime(*duration))
}

pub(super) fn ser_moment<S: Serializer>(time: &DateTime<Utc>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&moment(*time))
}

pub(super) fn ser_greetable<S: Serializer>(name: &&str, to: S) -> Result<S::Ok, S::Error> {
    match greetable(name) {
        Some(name) => to.serialize_some(name),
        None => to.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lifetime_is_said_in_words_and_never_too_long() {
        let cases = [
            (1, "1 second"),
            (60, "1 minute"),
            (3599, "59 minutes"),
            (3600, "1 hour"),
            (5400, "90 minutes"),
            (7200, "2 hours"),
            (12_000, "3 hours"),
            (86_400, "24 hours"),
            (259_200, "3 days"),
        ];
        for (seconds, words) in cases {
            assert_eq!(lifetime(Duration::from_secs(seconds)), words);
        }
    }

    #[test]
    fn a_time_names_its_zone() {
        let time = DateTime::parse_from_rfc3339("2026-11-03T15:04:59Z").unwrap().to_utc();
        assert_eq!(moment(time), "3 November 2026, 15:04 UTC");
    }

    #[test]
    fn a_name_that_would_become_a_link_is_not_greeted() {
        for name in ["evil.example", "see //evil", "a@b", " ", "Anna\nBuy", "www.x"] {
            assert_eq!(greetable(name), None, "{name}");
        }
        for name in ["Zoë", "J. R.", "Dr. Who", "O'Brien", "<b>{{ 7*7 }}", "李"] {
            assert_eq!(greetable(name), Some(name));
        }
    }
}
