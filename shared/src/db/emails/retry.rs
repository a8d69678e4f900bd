//! Ends an attempt that did not close its email: another attempt follows, or the lease was lost.

use chrono::{DateTime, Utc};

use super::attempts::{AttemptOutcome, RECORD_ATTEMPT, Reason, bind_attempt};
use super::claim::{Claim, ClaimedEmail};
use crate::db::{Db, DbResult, Pools, in_transaction, on_db};
use crate::domain::MailServer;

/// How an email waits for another attempt.
#[derive(Debug)]
pub struct Retry<'a> {
    /// When it is due again.
    pub due_at: DateTime<Utc>,
    /// `Retried` or `DatabaseAway`.
    pub outcome: AttemptOutcome,
    /// For the operator.
    pub reason: Reason<'a>,
    /// Whether the attempt counts; it does not while the mail server as a whole is unavailable, or the first one was not
    /// asked.
    pub counts: bool,
    /// Whether the whole message was sent and the reply was lost.
    pub answer_lost: bool,
    /// The mail server that alone gets the next copy: its answer to an earlier one was lost, or the other one
    /// refuses it for good.
    pub bound_to: Option<MailServer>,
}

const RETRY_LATER_POSTGRES: &str = "
WITH freed AS (
    UPDATE emails
    SET state = 'queued', due_at = $10, last_error = $6, enqueued_at = NULL, lease_until = NULL,
        attempts = attempts - $11, lost_answers = lost_answers + $12, bound_to = $13
    WHERE id = $1 AND fencing_token = $2 AND state = 'sending'
    RETURNING id, fencing_token
)
INSERT INTO email_attempts (email_id, fencing_token, worker, outcome, smtp_code, reply, started_at, duration_ms, server)
SELECT id, fencing_token, $3, $4, $5, $6, $7, $8, $9 FROM freed
ON CONFLICT (email_id, fencing_token) DO UPDATE
SET outcome = EXCLUDED.outcome, smtp_code = EXCLUDED.smtp_code, reply = EXCLUDED.reply,
    duration_ms = EXCLUDED.duration_ms, server = EXCLUDED.server";

const RETRY_LATER_SQLITE: &str = "
UPDATE emails
SET state = 'queued', due_at = $3, last_error = $4, enqueued_at = NULL, lease_until = NULL,
    attempts = attempts - $5, lost_answers = lost_answers + $6, bound_to = $7
WHERE id = $1 AND fencing_token = $2 AND state = 'sending'";

const RELEASE: &str = "
UPDATE emails
SET state = 'queued', due_at = COALESCE($3, due_at), enqueued_at = NULL, lease_until = NULL, attempts = attempts - 1
WHERE id = $1 AND fencing_token = $2 AND state = 'sending'";

impl Db {
    /// Queues an email for another attempt. Returns whether the claim still held; if not, nothing is changed.
    pub async fn retry_later(
        &self,
        email: &ClaimedEmail,
        retry: &Retry<'_>,
        now: DateTime<Utc>,
    ) -> DbResult<bool> {
        let (uncounted, answer_lost) = (i32::from(!retry.counts), i32::from(retry.answer_lost));
        let bound_to = retry.bound_to.map(MailServer::as_str);
        match self.pools {
            Pools::Postgres(_) => on_db!(self.writer(), connection => {
                let query = sqlx::query(RETRY_LATER_POSTGRES);
                let query = bind_attempt!(query, email, retry.outcome, retry.reason, now);
                let query = query.bind(retry.due_at).bind(uncounted).bind(answer_lost).bind(bound_to);
                query.execute(&mut *connection).await?.rows_affected() == 1
            }),
            Pools::Sqlite { .. } => in_transaction!(self, tx => {
                let free = sqlx::query(RETRY_LATER_SQLITE).bind(email.id).bind(email.fencing_token);
                let free = free.bind(retry.due_at).bind(retry.reason.text).bind(uncounted).bind(answer_lost).bind(bound_to);
                let held = free.execute(&mut *tx).await?.rows_affected() == 1;
                if held {
                    let query = sqlx::query(RECORD_ATTEMPT);
                    let query = bind_attempt!(query, email, retry.outcome, retry.reason, now);
                    query.execute(&mut *tx).await?;
                }
                held
            }),
        }
    }

    /// Queues an email again that no mail server was asked to take: the claim is no attempt. `due_at`: when another claim
    /// may succeed; `None`: it stays due. Returns whether the claim still held; if not, nothing is changed.
    pub async fn release(&self, claim: Claim, due_at: Option<DateTime<Utc>>) -> DbResult<bool> {
        on_db!(self.writer(), connection => {
            let query = sqlx::query(RELEASE).bind(claim.id).bind(claim.fencing_token).bind(due_at);
            query.execute(&mut *connection).await?.rows_affected() == 1
        })
    }

    /// Records an attempt that stopped before DATA because its lease was lost or could not be confirmed. The row is not changed.
    pub async fn record_lost_lease(
        &self,
        email: &ClaimedEmail,
        reason: Reason<'_>,
        now: DateTime<Utc>,
    ) -> DbResult<()> {
        on_db!(self.writer(), connection => {
            let query = sqlx::query(RECORD_ATTEMPT);
            let query = bind_attempt!(query, email, AttemptOutcome::LeaseLost, reason, now);
            query.execute(&mut *connection).await.map(drop)?
        })
    }
}
