//! `mail stats`: does mail flow?

use bookly_shared::clock::Clock;
use bookly_shared::db::Db;
use bookly_shared::db::emails::backlog::Backlog;
use bookly_shared::db::emails::stats::Ended;
use chrono::{DateTime, Utc};
use clap::Args;
use serde::Serialize;

use super::colour_of;
use super::since::Since;
use crate::commands::screen::{Colour, Screen};
use crate::commands::table::{Cell, Table};

/// What to count.
#[derive(Debug, Args)]
pub struct Stats {
    /// Count mails that ended since then: 30m, 2h, 3d ago, or an RFC 3339 time
    #[arg(long, value_name = "TIME", default_value = "24h")]
    since: Since,
    /// Answer with one JSON document
    #[arg(long)]
    json: bool,
}

pub(super) const HELP: &str = "\
JSON: {\"now\", \"queued\", \"sending\", \"abandoned\": of these, whose worker is lost, \"oldest_queued_seconds\",
\"overdue_seconds\": how long the longest due one waits, \"failed\": all that are kept, \"since\",
\"ended\": [{\"kind\", \"state\", \"mails\"}]}";

#[derive(Serialize)]
struct Document<'a> {
    now: DateTime<Utc>,
    queued: i64,
    sending: i64,
    abandoned: i64,
    oldest_queued_seconds: f64,
    overdue_seconds: f64,
    failed: i64,
    since: DateTime<Utc>,
    ended: Vec<EndedDocument<'a>>,
}

#[derive(Serialize)]
struct EndedDocument<'a> {
    kind: &'a str,
    state: &'a str,
    mails: i64,
}

impl Stats {
    pub(super) async fn run(self, db: &Db, screen: Screen) -> anyhow::Result<()> {
        let now = Clock::synchronised(db).await?.now();
        let since = self.since.time(now);
        let (backlog, failed) = (db.backlog(now).await?, db.failed_mails().await?);
        let ended = db.mails_ended(since).await?;
        if self.json {
            return Ok(screen.json(&document(now, since, &backlog, failed, &ended))?);
        }
        for line in open(&backlog, failed).lines(screen) {
            screen.line(line)?;
        }
        screen.line(format_args!("\nended since {}", since.format("%Y-%m-%d %H:%M:%SZ")))?;
        if ended.is_empty() {
            return Ok(screen.line("nothing")?);
        }
        for line in closed(&ended).lines(screen) {
            screen.line(line)?;
        }
        Ok(())
    }
}

fn document<'a>(
    now: DateTime<Utc>,
    since: DateTime<Utc>,
    backlog: &Backlog,
    failed: i64,
    ended: &'a [Ended],
) -> Document<'a> {
    let ended =
        ended.iter().map(|row| EndedDocument { kind: &row.kind, state: &row.state, mails: row.mails });
    Document {
        now,
        queued: backlog.queued,
        sending: backlog.sending,
        abandoned: backlog.abandoned,
        oldest_queued_seconds: backlog.oldest_seconds,
        overdue_seconds: backlog.lateness_seconds,
        failed,
        since,
        ended: ended.collect(),
    }
}

fn open(backlog: &Backlog, failed: i64) -> Table {
    let waits = match backlog.queued {
        0 => String::new(),
        _ => {
            let (oldest, overdue) = (span(backlog.oldest_seconds), span(backlog.lateness_seconds));
            format!("the oldest for {oldest}, overdue by {overdue}")
        }
    };
    let lost = match backlog.abandoned {
        0 => String::new(),
        lost => format!("{lost} of them with a worker that is lost"),
    };
    let kept = if failed > 0 { "see `mail list --state failed`" } else { "" };
    let mut table = Table::new([Cell::text("STATE"), Cell::number("MAILS"), Cell::text("")]);
    for (state, mails, note) in [
        ("queued", backlog.queued, waits),
        ("sending", backlog.sending, lost),
        ("failed", failed, kept.to_owned()),
    ] {
        let colour = if mails > 0 { colour_of(state) } else { Colour::Plain };
        table.row([Cell::text(state).painted(colour), Cell::number(mails), Cell::text(note)]);
    }
    table
}

fn closed(ended: &[Ended]) -> Table {
    let mut table = Table::new([Cell::text("KIND"), Cell::text("STATE"), Cell::number("MAILS")]);
    for row in ended {
        let state = Cell::text(&row.state).painted(colour_of(&row.state));
        table.row([Cell::text(&row.kind), state, Cell::number(row.mails)]);
    }
    table
}

/// A time for people: `42 s`, `7 min`, `3 h`, `2 d`, rounded down.
fn span(seconds: f64) -> String {
    let (unit, name) = match seconds {
        ..120.0 => (1.0, "s"),
        ..7_200.0 => (60.0, "min"),
        ..172_800.0 => (3_600.0, "h"),
        _ => (86_400.0, "d"),
    };
    format!("{:.0} {name}", (seconds / unit).floor())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_in_words_and_rounded_down() {
        for (seconds, words) in [
            (0.9, "0 s"),
            (119.9, "119 s"),
            (120.0, "2 min"),
            (7_199.0, "119 min"),
            (7_200.0, "2 h"),
            (172_800.0, "2 d"),
        ] {
            assert_eq!(span(seconds), words);
        }
    }
}
