//! The table `email_attempts`: how each claim of an email ended.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::FromRow;
use strum::IntoStaticStr;
use uuid::Uuid;

use crate::db::{Db, DbResult, on_db};
use crate::domain::MailServer;

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum AttemptOutcome {
    /// The mail server accepted the email.
    Sent,
    /// The email was not wanted any more.
    Cancelled,
    /// The email failed for good.
    Failed,
    /// The email waits for another attempt.
    Retried,
    /// The lease was lost or could not be confirmed before DATA.
    LeaseLost,
    /// The worker did not come back; recorded by maintenance.
    WorkerLost,
    /// The database became unavailable during the attempt.
    DatabaseAway,
    /// No mail server could get the email. In metrics only: such a claim is not an attempt.
    Released,
}

impl AttemptOutcome {
    /// Its name in the table and in metrics.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// Why an attempt ended as it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reason<'a> {
    /// The code of the mail server's reply, if it gave one.
    pub smtp_code: Option<u16>,
    /// For the operator; with the reply, if there is one.
    pub text: &'a str,
    /// The mail server of the attempt, where there are two and one was asked.
    pub server: Option<MailServer>,
}

impl<'a> From<&'a str> for Reason<'a> {
    fn from(text: &'a str) -> Reason<'a> {
        Reason { smtp_code: None, text, server: None }
    }
}

/// Records an attempt. A `worker_lost` is replaced: that worker was slow, not lost.
pub(super) const RECORD_ATTEMPT: &str = "
INSERT INTO email_attempts (email_id, fencing_token, worker, outcome, smtp_code, reply, started_at, duration_ms, server)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (email_id, fencing_token) DO UPDATE
SET outcome = EXCLUDED.outcome, smtp_code = EXCLUDED.smtp_code, reply = EXCLUDED.reply,
    duration_ms = EXCLUDED.duration_ms, server = EXCLUDED.server";

/// Binds `$1` to `$9`: email, fencing token, worker, outcome, code, reply, start, duration, mail server.
macro_rules! bind_attempt {
    ($query:expr, $email:expr, $outcome:expr, $reason:expr, $now:expr) => {
        $query
            .bind($email.id)
            .bind($email.fencing_token)
            .bind(&$email.worker)
            .bind($outcome.as_str())
            .bind($reason.smtp_code.map(i32::from))
            .bind($reason.text)
            .bind($email.claimed_at)
            .bind(($now - $email.claimed_at).num_milliseconds().max(0))
            .bind($reason.server.map(MailServer::as_str))
    };
}
pub(super) use bind_attempt;

/// A row of `email_attempts`, also as JSON.
#[derive(Clone, Debug, PartialEq, Eq, FromRow, Serialize)]
pub struct AttemptRow {
    /// The claim's number; it grows from attempt to attempt.
    pub fencing_token: i64,
    /// The worker.
    pub worker: String,
    /// The name of an [`AttemptOutcome`], or of a newer version's.
    pub outcome: String,
    /// The code of the mail server's reply, if it gave one.
    pub smtp_code: Option<i32>,
    /// The mail server's reply, or what went wrong without one.
    pub reply: Option<String>,
    /// The name of the mail server, where there are two and one was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// When the email was claimed.
    pub started_at: DateTime<Utc>,
    /// From the claim to the end, in ms; `None` when the worker was lost.
    pub duration_ms: Option<i64>,
}

const ATTEMPTS_OF: &str = "SELECT * FROM email_attempts WHERE email_id = $1 ORDER BY fencing_token";

impl Db {
    /// The attempts to deliver an email, the first one first.
    pub async fn attempts_of(&self, id: Uuid) -> DbResult<Vec<AttemptRow>> {
        on_db!(self.reader(), connection => {
            sqlx::query_as(ATTEMPTS_OF).bind(id).fetch_all(&mut *connection).await?
        })
    }
}
