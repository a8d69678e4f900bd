//! The table `email_attempts`: what became of every claim of a mail, for whoever asks where it is.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use uuid::Uuid;

use crate::db::{Db, DbResult, read_db};

/// What became of one attempt. A claim whose worker never came back ends as `worker_lost`, written by the next claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The mail server took the mail.
    Sent,
    /// The mail made no sense any more.
    Cancelled,
    /// It was given up.
    Failed,
    /// It was put back for another attempt.
    Retried,
    /// Another worker had taken it over meanwhile.
    LeaseLost,
    /// The database went away in the middle.
    DatabaseAway,
}

impl Ending {
    /// Its name in the table and in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Ending::Sent => "sent",
            Ending::Cancelled => "cancelled",
            Ending::Failed => "failed",
            Ending::Retried => "retried",
            Ending::LeaseLost => "lease_lost",
            Ending::DatabaseAway => "database_away",
        }
    }
}

/// Why an attempt ended as it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reason<'a> {
    /// The code of the mail server's reply, if it gave one.
    pub smtp_code: Option<u16>,
    /// For the operator; with the reply, if there is one.
    pub text: &'a str,
}

impl<'a> From<&'a str> for Reason<'a> {
    fn from(text: &'a str) -> Reason<'a> {
        Reason { smtp_code: None, text }
    }
}

/// A row of `email_attempts`.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct AttemptRow {
    /// The claim's number; it grows from attempt to attempt.
    pub fencing_token: i64,
    /// Who tried.
    pub worker: String,
    /// An [`Ending`], or `worker_lost`.
    pub outcome: String,
    /// The mail server's code, if it came to answer.
    pub smtp_code: Option<i32>,
    /// The server's reply, or what went wrong.
    pub reply: Option<String>,
    /// When the claim was made.
    pub started_at: DateTime<Utc>,
    /// From the claim to the end, in ms; none when the worker was lost.
    pub duration_ms: Option<i64>,
}

impl Db {
    /// A mail's attempts, the first one first.
    pub async fn attempts_of(&self, id: Uuid) -> DbResult<Vec<AttemptRow>> {
        let sql = "SELECT * FROM email_attempts WHERE email_id = $1 ORDER BY fencing_token";
        Ok(read_db!(self, pool => sqlx::query_as(sql).bind(id).fetch_all(pool).await?))
    }
}

/// Writes what became of the attempt `$2` at the mail `$1`; [`bind_attempt!`] fills it in. The worker's own word
/// replaces a `worker_lost`: it was slow, not lost.
macro_rules! record_attempt {
    ($source:literal) => {
        concat!(
            "INSERT INTO email_attempts (email_id, fencing_token, worker, outcome, smtp_code, reply, started_at, duration_ms) ",
            $source,
            " ON CONFLICT (email_id, fencing_token) DO UPDATE SET outcome = EXCLUDED.outcome, smtp_code = EXCLUDED.smtp_code,
                                                          reply = EXCLUDED.reply, duration_ms = EXCLUDED.duration_ms"
        )
    };
}

/// Binds `$1` to `$8`: mail, fencing_token, worker, outcome, code, text, start, duration.
macro_rules! bind_attempt {
    ($query:expr, $mail:expr, $ending:expr, $reason:expr, $now:expr) => {
        $query
            .bind($mail.id)
            .bind($mail.fencing_token)
            .bind(&$mail.worker)
            .bind($ending.as_str())
            .bind($reason.smtp_code.map(i32::from))
            .bind($reason.text)
            .bind($mail.claimed_at)
            .bind(($now - $mail.claimed_at).num_milliseconds().max(0))
    };
}

/// Ends an attempt: where `$update` changes the row of `emails`, the attempt is recorded. The update's own values
/// follow as `$9` and on. Gives whether the row was changed. One statement on Postgres, which spares three round trips; one transaction on SQLite, whose WITH cannot write.
macro_rules! end_attempt {
    ($db:expr, $update:literal, $mail:expr, $ending:expr, $reason:expr, $now:expr $(, $more:expr)*) => {{
        let db: &$crate::db::Db = $db;
        $crate::db::within_limit(async {
            match db {
                $crate::db::Db::Postgres(pool) => {
                    let sql = concat!(
                        "WITH ended AS (", $update, " RETURNING id) ",
                        record_attempt!("SELECT $1, $2, $3, $4, $5, $6, $7, $8 FROM ended")
                    );
                    let query = bind_attempt!(sqlx::query(sql), $mail, $ending, $reason, $now) $(.bind($more))*;
                    $crate::db::DbResult::Ok(query.execute(pool).await?.rows_affected() == 1)
                }
                $crate::db::Db::Sqlite(sqlite) => {
                    let mut tx = sqlite.writer.begin_with("BEGIN IMMEDIATE").await?;
                    let query = bind_attempt!(sqlx::query($update), $mail, $ending, $reason, $now) $(.bind($more))*;
                    let held = query.execute(&mut *tx).await?.rows_affected() == 1;
                    if held {
                        let sql = record_attempt!("VALUES ($1, $2, $3, $4, $5, $6, $7, $8)");
                        let query = bind_attempt!(sqlx::query(sql), $mail, $ending, $reason, $now);
                        query.execute(&mut *tx).await?;
                    }
                    tx.commit().await?;
                    Ok(held)
                }
            }
        })
        .await
    }};
}

pub(in crate::db) use {bind_attempt, end_attempt, record_attempt};
