//! Whether mail flows: what ended lately, minute by minute, and what is given up.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};

use crate::db::{Db, DbResult, read_db};

/// One minute of endings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flow {
    /// Mails that a mail server took.
    pub sent: i64,
    /// Mails that were given up.
    pub failed: i64,
    /// Mails that made no sense any more, or were cancelled by hand.
    pub cancelled: i64,
    /// Attempts that ended without the mail's end: put back, lost.
    pub retried: i64,
}

/// What ended since a time, by kind and state.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Ended {
    /// The kind of mail.
    pub kind: String,
    /// `sent`, `failed` or `cancelled`.
    pub state: String,
    /// How many.
    pub mails: i64,
}

/// Minutes as text, the same from both databases: `2026-11-23T18:45`.
const MINUTE: &str = "%Y-%m-%dT%H:%M";

#[derive(sqlx::FromRow)]
struct MinuteRow {
    minute: String,
    outcome: String,
    number: i64,
}

impl Db {
    /// What ended in each of the last `minutes` minutes, the oldest first, the current one last and unfinished.
    pub async fn mail_flow(&self, minutes: u16, now: DateTime<Utc>) -> DbResult<Vec<(DateTime<Utc>, Flow)>> {
        let first = cut_to_minute(now) - TimeDelta::minutes(i64::from(minutes.max(1)) - 1);
        let closed = match self {
            Db::Postgres(_) => {
                "SELECT to_char(closed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI') AS minute, state AS outcome, count(*) AS number
                 FROM emails WHERE closed_at >= $1 GROUP BY 1, 2"
            }
            Db::Sqlite(_) => {
                "SELECT substr(closed_at, 1, 16) AS minute, state AS outcome, count(*) AS number
                 FROM emails WHERE closed_at >= $1 GROUP BY 1, 2"
            }
        };
        // Endings of mails are in the first count already.
        let trouble = match self {
            Db::Postgres(_) => {
                "SELECT to_char(started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI') AS minute, 'retried' AS outcome, count(*) AS number
                 FROM email_attempts WHERE started_at >= $1 AND outcome <> 'sent' AND outcome NOT IN ('failed', 'cancelled')
                 GROUP BY 1"
            }
            Db::Sqlite(_) => {
                "SELECT substr(started_at, 1, 16) AS minute, 'retried' AS outcome, count(*) AS number
                 FROM email_attempts WHERE started_at >= $1 AND outcome <> 'sent' AND outcome NOT IN ('failed', 'cancelled')
                 GROUP BY 1"
            }
        };
        let rows: Vec<MinuteRow> = read_db!(self, pool => {
            let mut rows = sqlx::query_as(closed).bind(first).fetch_all(pool).await?;
            rows.extend(sqlx::query_as(trouble).bind(first).fetch_all(pool).await?);
            rows
        });
        Ok(spread(rows, first, minutes))
    }

    /// What ended since `since`, by kind and state.
    pub async fn mails_ended(&self, since: DateTime<Utc>) -> DbResult<Vec<Ended>> {
        let sql = "SELECT kind, state, count(*) AS mails FROM emails WHERE closed_at >= $1
                   GROUP BY kind, state ORDER BY kind, state";
        Ok(read_db!(self, pool => sqlx::query_as(sql).bind(since).fetch_all(pool).await?))
    }

    /// Failed mails that are still kept: what waits for an operator.
    pub async fn failed_mails(&self) -> DbResult<i64> {
        let sql = "SELECT count(*) FROM emails WHERE state = 'failed'";
        Ok(read_db!(self, pool => sqlx::query_scalar(sql).fetch_one(pool).await?))
    }
}

/// Every minute has its place, also those in which nothing ended.
fn spread(rows: Vec<MinuteRow>, first: DateTime<Utc>, minutes: u16) -> Vec<(DateTime<Utc>, Flow)> {
    let mut flow: BTreeMap<DateTime<Utc>, Flow> = (0..i64::from(minutes.max(1)))
        .map(|minute| (first + TimeDelta::minutes(minute), Flow::default()))
        .collect();
    for row in rows {
        let Ok(minute) = NaiveDateTime::parse_from_str(&row.minute, MINUTE) else { continue };
        let Some(flow) = flow.get_mut(&minute.and_utc()) else { continue };
        match row.outcome.as_str() {
            "sent" => flow.sent += row.number,
            "failed" => flow.failed += row.number,
            "cancelled" => flow.cancelled += row.number,
            _ => flow.retried += row.number,
        }
    }
    flow.into_iter().collect()
}

fn cut_to_minute(time: DateTime<Utc>) -> DateTime<Utc> {
    time - TimeDelta::nanoseconds(time.timestamp_nanos_opt().unwrap_or(0).rem_euclid(60_000_000_000))
}
