//! The last hour as a picture with one bar a minute. The server draws it, because pages run no script.

use bookly_shared::db::emails::stats::Flow;
use chrono::{DateTime, Utc};
use serde::Serialize;

/// The picture's size, in its own units; the page scales it.
const WIDTH: i64 = 720;
const HEIGHT: i64 = 120;
/// The lowest bar that people can see.
const LOWEST: i64 = 2;

/// Stacked bars, and the numbers for a text description.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Plot {
    width: i64,
    height: i64,
    bars: Vec<Bar>,
    /// The number of the highest bar.
    most: i64,
    /// When the first and the last minute began.
    from: String,
    until: String,
    sent: i64,
    failed: i64,
    cancelled: i64,
    bounced: i64,
    retried: i64,
}

/// A part of a minute's bar. `outcome` is its CSS class.
#[derive(Clone, Debug, Serialize)]
struct Bar {
    x: i64,
    y: i64,
    width: i64,
    height: i64,
    outcome: &'static str,
    minute: String,
    number: i64,
}

impl Plot {
    /// Draws the minutes, the oldest at the left.
    pub fn of(flow: &[(DateTime<Utc>, Flow)]) -> Plot {
        let total =
            |minute: &Flow| minute.sent + minute.failed + minute.cancelled + minute.bounced + minute.retried;
        let most = flow.iter().map(|(_, minute)| total(minute)).max().unwrap_or(0);
        let step = WIDTH / i64::try_from(flow.len().max(1)).unwrap_or(1);
        let mut plot = Plot { width: WIDTH, height: HEIGHT, most, ..Plot::default() };
        for (x, (time, minute)) in (0..).step_by(usize::try_from(step).unwrap_or(1).max(1)).zip(flow) {
            plot.add(x, step, *time, minute);
        }
        let clock = |minute: Option<&(DateTime<Utc>, Flow)>| minute.map(|(time, _)| hour_and_minute(*time));
        plot.from = clock(flow.first()).unwrap_or_default();
        plot.until = clock(flow.last()).unwrap_or_default();
        plot
    }

    fn add(&mut self, x: i64, step: i64, time: DateTime<Utc>, minute: &Flow) {
        self.sent += minute.sent;
        self.failed += minute.failed;
        self.cancelled += minute.cancelled;
        self.bounced += minute.bounced;
        self.retried += minute.retried;
        let parts = [
            ("sent", minute.sent),
            ("cancelled", minute.cancelled),
            ("retried", minute.retried),
            ("failed", minute.failed),
            ("bounced", minute.bounced),
        ];
        let mut foot = HEIGHT;
        for (outcome, number) in parts.into_iter().filter(|(_, number)| *number > 0) {
            let height = (number * HEIGHT / self.most.max(1)).max(LOWEST).min(foot);
            foot -= height;
            let minute = hour_and_minute(time);
            self.bars.push(Bar { x, y: foot, width: step - 1, height, outcome, minute, number });
        }
    }
}

fn hour_and_minute(time: DateTime<Utc>) -> String {
    time.format("%H:%M").to_string()
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn minutes(flow: &[Flow]) -> Vec<(DateTime<Utc>, Flow)> {
        let first = DateTime::from_timestamp(1_795_446_240, 0).unwrap();
        (0..).zip(flow).map(|(minute, flow)| (first + TimeDelta::minutes(minute), *flow)).collect()
    }

    #[test]
    fn the_highest_minute_fills_the_picture_and_parts_are_stacked() {
        let busy = Flow { sent: 30, failed: 10, ..Flow::default() };
        let plot = Plot::of(&minutes(&[Flow::default(), busy, Flow { sent: 20, ..Flow::default() }]));
        let places: Vec<_> = plot.bars.iter().map(|bar| (bar.outcome, bar.y, bar.height)).collect();
        assert_eq!(places, [("sent", 30, 90), ("failed", 0, 30), ("sent", 60, 60)]);
        assert_eq!((plot.most, plot.sent, plot.failed), (40, 50, 10));
    }

    #[test]
    fn one_failure_among_thousands_has_a_visible_bar() {
        let plot = Plot::of(&minutes(&[Flow { sent: 50_000, failed: 1, ..Flow::default() }]));
        assert!(plot.bars.iter().all(|bar| bar.height > 0 && bar.y >= 0), "{:?}", plot.bars);
        assert_eq!(plot.bars.len(), 2);
    }

    #[test]
    fn an_hour_without_emails_is_an_empty_picture() {
        assert!(Plot::of(&minutes(&[Flow::default(); 60])).bars.is_empty());
        assert!(Plot::of(&[]).bars.is_empty());
    }
}
