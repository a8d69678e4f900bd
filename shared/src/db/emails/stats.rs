//! How much email waits, and what ended lately, minute by minute.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};

use crate::db::{Db, DbResult, Pools, on_db};

/// The emails that are not closed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Backlog {
    /// Emails that wait.
    pub queued: i64,
    /// Emails that a worker has.
    pub sending: i64,
    /// Emails in `sending` whose lease ended.
    pub abandoned: i64,
    /// Seconds since the oldest queued email was accepted; 0 when none is queued.
    pub oldest_seconds: f64,
    /// Seconds since the email that waits longest became due; 0 when none is due.
    pub lateness_seconds: f64,
}

/// The number of connections to the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connections {
    /// In use.
    pub used: u32,
    /// Ready for use.
    pub idle: u32,
}

/// What ended in one minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flow {
    /// Emails that a mail server accepted.
    pub sent: i64,
    /// Emails that failed for good.
    pub failed: i64,
    /// Emails that were cancelled.
    pub cancelled: i64,
    /// Emails that bounced, or that their recipient called spam.
    pub bounced: i64,
    /// Attempts that did not close their email.
    pub retried: i64,
}

/// Emails that ended since a time, by kind and state.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Ended {
    /// The kind of email.
    pub kind: String,
    /// `sent`, `failed`, `cancelled`, `bounced` or `complained`.
    pub state: String,
    /// The number of emails.
    pub emails: i64,
}

#[derive(sqlx::FromRow)]
struct QueuedCount {
    emails: i64,
    oldest: Option<DateTime<Utc>>,
    due: Option<DateTime<Utc>>,
}

#[derive(sqlx::FromRow)]
struct SendingCount {
    emails: i64,
    abandoned: i64,
}

#[derive(sqlx::FromRow)]
struct MinuteCount {
    minute: String,
    outcome: String,
    number: i64,
}

/// Minutes as text, the same in both databases: `2026-11-23T18:45`.
const MINUTE: &str = "%Y-%m-%dT%H:%M";

/// Reads the partial index `emails_due` alone.
const COUNT_QUEUED: &str = "
SELECT count(*) AS emails, min(created_at) AS oldest, min(due_at) AS due FROM emails WHERE state = 'queued'";

/// Reads the partial index `emails_leased` alone.
const COUNT_SENDING: &str = "
SELECT count(*) AS emails, count(*) FILTER (WHERE lease_until < $1) AS abandoned
FROM emails
WHERE state = 'sending'";

const CLOSED_BY_MINUTE_POSTGRES: &str = r#"
SELECT to_char(closed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI') AS minute, state AS outcome, count(*) AS number
FROM emails
WHERE closed_at >= $1
GROUP BY 1, 2"#;

const CLOSED_BY_MINUTE_SQLITE: &str = "
SELECT substr(closed_at, 1, 16) AS minute, state AS outcome, count(*) AS number
FROM emails
WHERE closed_at >= $1
GROUP BY 1, 2";

/// Attempts that closed their email are in the other count. `<> 'sent'` stands alone for the partial index.
const RETRIED_BY_MINUTE_POSTGRES: &str = r#"
SELECT to_char(started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI') AS minute, 'retried' AS outcome, count(*) AS number
FROM email_attempts
WHERE started_at >= $1 AND outcome <> 'sent' AND outcome NOT IN ('failed', 'cancelled')
GROUP BY 1"#;

const RETRIED_BY_MINUTE_SQLITE: &str = "
SELECT substr(started_at, 1, 16) AS minute, 'retried' AS outcome, count(*) AS number
FROM email_attempts
WHERE started_at >= $1 AND outcome <> 'sent' AND outcome NOT IN ('failed', 'cancelled')
GROUP BY 1";

const ENDED_SINCE: &str = "
SELECT kind, state, count(*) AS emails
FROM emails
WHERE closed_at >= $1
GROUP BY kind, state
ORDER BY kind, state";

const COUNT_FAILED: &str = "SELECT count(*) FROM emails WHERE state = 'failed'";

impl Db {
    /// Counts the emails that are not closed.
    pub async fn backlog(&self, now: DateTime<Utc>) -> DbResult<Backlog> {
        let counts: DbResult<(QueuedCount, SendingCount)> = on_db!(self.reader(), connection => {
            let queued = sqlx::query_as(COUNT_QUEUED).fetch_one(&mut *connection).await?;
            let sending = sqlx::query_as(COUNT_SENDING).bind(now).fetch_one(&mut *connection).await?;
            (queued, sending)
        });
        let (queued, sending) = counts?;
        Ok(Backlog {
            queued: queued.emails,
            sending: sending.emails,
            abandoned: sending.abandoned,
            oldest_seconds: seconds_since(queued.oldest, now),
            lateness_seconds: seconds_since(queued.due, now),
        })
    }

    /// Counts the connections; SQLite's readers and its writer together.
    pub fn connections(&self) -> Connections {
        let (size, idle) = match &self.pools {
            Pools::Postgres(pool) => (pool.size(), pool.num_idle()),
            Pools::Sqlite { reader, writer } => {
                (reader.size() + writer.size(), reader.num_idle() + writer.num_idle())
            }
        };
        let idle = u32::try_from(idle).unwrap_or(u32::MAX);
        Connections { used: size.saturating_sub(idle), idle }
    }

    /// What ended in each of the last `minutes` minutes, the oldest first. The last one is not over yet.
    pub async fn mail_flow(&self, minutes: u16, now: DateTime<Utc>) -> DbResult<Vec<(DateTime<Utc>, Flow)>> {
        let first = cut_to_minute(now) - TimeDelta::minutes(i64::from(minutes.max(1)) - 1);
        let (closed, retried) = match self.pools {
            Pools::Postgres(_) => (CLOSED_BY_MINUTE_POSTGRES, RETRIED_BY_MINUTE_POSTGRES),
            Pools::Sqlite { .. } => (CLOSED_BY_MINUTE_SQLITE, RETRIED_BY_MINUTE_SQLITE),
        };
        let counts: DbResult<Vec<MinuteCount>> = on_db!(self.reader(), connection => {
            let mut counts = sqlx::query_as(closed).bind(first).fetch_all(&mut *connection).await?;
            counts.extend(sqlx::query_as(retried).bind(first).fetch_all(&mut *connection).await?);
            counts
        });
        Ok(by_minute(counts?, first, minutes))
    }

    /// What ended since `since`, by kind and state.
    pub async fn emails_ended(&self, since: DateTime<Utc>) -> DbResult<Vec<Ended>> {
        on_db!(self.reader(), connection => {
            sqlx::query_as(ENDED_SINCE).bind(since).fetch_all(&mut *connection).await?
        })
    }

    /// Failed emails that wait for an operator.
    pub async fn failed_emails(&self) -> DbResult<i64> {
        on_db!(self.reader(), connection => sqlx::query_scalar(COUNT_FAILED).fetch_one(&mut *connection).await?)
    }
}

/// One entry for each minute, also for those in which nothing ended.
fn by_minute(counts: Vec<MinuteCount>, first: DateTime<Utc>, minutes: u16) -> Vec<(DateTime<Utc>, Flow)> {
    let mut flow: BTreeMap<DateTime<Utc>, Flow> = (0..i64::from(minutes.max(1)))
        .map(|minute| (first + TimeDelta::minutes(minute), Flow::default()))
        .collect();
    for count in counts {
        let Ok(minute) = NaiveDateTime::parse_from_str(&count.minute, MINUTE) else { continue };
        let Some(flow) = flow.get_mut(&minute.and_utc()) else { continue };
        match count.outcome.as_str() {
            "sent" => flow.sent += count.number,
            "failed" => flow.failed += count.number,
            "cancelled" => flow.cancelled += count.number,
            "bounced" | "complained" => flow.bounced += count.number,
            "retried" => flow.retried += count.number,
            // A state of a newer version.
            _ => {}
        }
    }
    flow.into_iter().collect()
}

fn cut_to_minute(time: DateTime<Utc>) -> DateTime<Utc> {
    time - TimeDelta::nanoseconds(time.timestamp_nanos_opt().unwrap_or(0).rem_euclid(60_000_000_000))
}

fn seconds_since(then: Option<DateTime<Utc>>, now: DateTime<Utc>) -> f64 {
    then.map_or(0.0, |then| (now - then).max(TimeDelta::zero()).as_seconds_f64())
}
