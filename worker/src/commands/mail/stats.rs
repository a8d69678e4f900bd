//! `mail stats`: what is queued, and what was closed lately.

use bookly_shared::clock::Clock;
use bookly_shared::db::Db;
use bookly_shared::db::emails::stats::{Backlog, Ended};
use bookly_shared::domain::short_duration;
use chrono::{DateTime, Utc};
use clap::Args;
use comfy_table::Table;
use serde::Serialize;

use super::since::Since;
use crate::commands::screen::{print_json, print_line};
use crate::commands::table;

/// What to count.
#[derive(Debug, Args)]
pub struct Stats {
    /// Count emails closed since then: 30m, 2h, 3d ago, or an RFC 3339 time
    #[arg(long, value_name = "TIME", default_value = "24h")]
    since: Since,
    /// Answer with one JSON document
    #[arg(long)]
    json: bool,
}

pub(super) const HELP: &str = "\
JSON: {\"now\", \"queued\", \"sending\", \"abandoned\": those of them whose lease ran out, \"oldest_queued_seconds\", \
\"lateness_seconds\": how long the email that is due longest has waited, \"failed\": all failed ones in the database, \
\"since\", \"ended\": [{\"kind\", \"state\", \"emails\"}]}";

#[derive(Serialize)]
struct StatsDocument<'a> {
    now: DateTime<Utc>,
    queued: i64,
    sending: i64,
    abandoned: i64,
    oldest_queued_seconds: f64,
    lateness_seconds: f64,
    failed: i64,
    since: DateTime<Utc>,
    ended: Vec<EndedDocument<'a>>,
}

#[derive(Serialize)]
struct EndedDocument<'a> {
    kind: &'a str,
    state: &'a str,
    emails: i64,
}

impl Stats {
    pub(super) async fn run(self, db: &Db) -> anyhow::Result<()> {
        let now = Clock::synchronised(db).await?.now();
        let since = self.since.time(now);
        let (backlog, failed) = (db.backlog(now).await?, db.failed_emails().await?);
        let ended = db.emails_ended(since).await?;
        if self.json {
            return Ok(print_json(&document(now, since, &backlog, failed, &ended))?);
        }
        table::print(&open_table(&backlog, failed))?;
        print_line(format_args!("\nclosed since {}", since.format("%Y-%m-%d %H:%M:%SZ")))?;
        if ended.is_empty() {
            return Ok(print_line("none")?);
        }
        Ok(table::print(&closed_table(&ended))?)
    }
}

fn document<'a>(
    now: DateTime<Utc>,
    since: DateTime<Utc>,
    backlog: &Backlog,
    failed: i64,
    ended: &'a [Ended],
) -> StatsDocument<'a> {
    let ended =
        ended.iter().map(|row| EndedDocument { kind: &row.kind, state: &row.state, emails: row.emails });
    StatsDocument {
        now,
        queued: backlog.queued,
        sending: backlog.sending,
        abandoned: backlog.abandoned,
        oldest_queued_seconds: backlog.oldest_seconds,
        lateness_seconds: backlog.lateness_seconds,
        failed,
        since,
        ended: ended.collect(),
    }
}

fn open_table(backlog: &Backlog, failed: i64) -> Table {
    let waits = match backlog.queued {
        0 => String::new(),
        _ => {
            let (oldest, late) =
                (short_duration(backlog.oldest_seconds), short_duration(backlog.lateness_seconds));
            format!("the oldest for {oldest}, late by {late}")
        }
    };
    let lost = match backlog.abandoned {
        0 => String::new(),
        lost => format!("{lost} of them with a lease that ran out"),
    };
    let hint = if failed > 0 { "see `mail list --state failed`" } else { "" };
    let mut table = table::new([table::text("STATE"), table::number("EMAILS"), table::text("")]);
    for (state, emails, note) in [
        ("queued", backlog.queued, waits),
        ("sending", backlog.sending, lost),
        ("failed", failed, hint.to_owned()),
    ] {
        let state = if emails > 0 { table::state(state) } else { table::text(state) };
        table.add_row([state, table::number(emails), table::text(note)]);
    }
    table
}

fn closed_table(ended: &[Ended]) -> Table {
    let mut table = table::new([table::text("KIND"), table::text("STATE"), table::number("EMAILS")]);
    for row in ended {
        table.add_row([table::text(&row.kind), table::state(&row.state), table::number(row.emails)]);
    }
    table
}
