//! How much mail waits, for whoever watches.

use chrono::{DateTime, TimeDelta, Utc};

use crate::db::{Db, DbResult, read_db};

/// What is not finished yet.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Backlog {
    /// Rows that wait.
    pub queued: i64,
    /// Rows that a worker has.
    pub sending: i64,
    /// Of these, rows whose lease ran out.
    pub abandoned: i64,
    /// Seconds since the oldest queued row was accepted; 0 when there is none.
    pub oldest_seconds: f64,
    /// Seconds since the longest due queued row fell due; 0 when none is due.
    pub lateness_seconds: f64,
}

/// How many connections to the database there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connections {
    /// At work.
    pub used: u32,
    /// Waiting for work.
    pub idle: u32,
}

#[derive(sqlx::FromRow)]
struct Queued {
    mails: i64,
    oldest: Option<DateTime<Utc>>,
    due: Option<DateTime<Utc>>,
}

#[derive(sqlx::FromRow)]
struct Sending {
    mails: i64,
    abandoned: i64,
}

impl Db {
    /// Counts the open rows, from the partial indices of each state alone.
    pub async fn backlog(&self, now: DateTime<Utc>) -> DbResult<Backlog> {
        let queued = "SELECT count(*) AS mails, min(created_at) AS oldest, min(due_at) AS due
                      FROM emails WHERE state = 'queued'";
        let sending = "SELECT count(*) AS mails, count(*) FILTER (WHERE lease_until < $1) AS abandoned
                       FROM emails WHERE state = 'sending'";
        let (queued, sending): (Queued, Sending) = read_db!(self, pool => {
            let queued = sqlx::query_as(queued).fetch_one(pool).await?;
            (queued, sqlx::query_as(sending).bind(now).fetch_one(pool).await?)
        });
        Ok(Backlog {
            queued: queued.mails,
            sending: sending.mails,
            abandoned: sending.abandoned,
            oldest_seconds: seconds_since(queued.oldest, now),
            lateness_seconds: seconds_since(queued.due, now),
        })
    }

    /// The pool's connections as of now; SQLite's readers and its writer together.
    pub fn connections(&self) -> Connections {
        let (size, idle) = match self {
            Db::Postgres(pool) => (pool.size(), pool.num_idle()),
            Db::Sqlite(sqlite) => (
                sqlite.reader.size() + sqlite.writer.size(),
                sqlite.reader.num_idle() + sqlite.writer.num_idle(),
            ),
        };
        let idle = u32::try_from(idle).unwrap_or(u32::MAX);
        Connections { used: size.saturating_sub(idle), idle }
    }
}

fn seconds_since(then: Option<DateTime<Utc>>, now: DateTime<Utc>) -> f64 {
    then.map_or(0.0, |then| (now - then).max(TimeDelta::zero()).as_seconds_f64())
}
