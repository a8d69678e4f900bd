//! The ways an attempt ends: sent, failed, cancelled, put back, lost. Each closes or frees the row and records the
//! attempt with it.

use chrono::{DateTime, Utc};

use super::attempts::{Answer, Ending, bind_attempt, end_attempt, record_attempt};
use super::claims::ClaimedMail;
use super::{Db, DbResult, on_db};

impl Db {
    /// Records that the mail server took the mail. Holds whichever claim earned it: a 250 is a fact.
    pub async fn close_sent(
        &self,
        mail: &ClaimedMail,
        answer: Answer<'_>,
        now: DateTime<Utc>,
    ) -> DbResult<()> {
        end_attempt!(
            self,
            "UPDATE emails SET closed_at = CASE WHEN state = 'sent' THEN closed_at ELSE $9 END,
                               reply = CASE WHEN state = 'sent' THEN reply ELSE $6 END,
                               state = 'sent', last_error = NULL, lease_until = NULL
             WHERE id = $1",
            mail,
            Ending::Sent,
            answer,
            now,
            now
        )?;
        Ok(())
    }

    /// Gives a mail up, with the reason. Returns whether this claim still held.
    pub async fn close_failed(
        &self,
        mail: &ClaimedMail,
        answer: Answer<'_>,
        now: DateTime<Utc>,
    ) -> DbResult<bool> {
        self.close_unsent(mail, Ending::Failed, answer, now).await
    }

    /// Drops a mail that makes no sense any more, with the reason. Returns whether this claim still held.
    pub async fn close_cancelled(
        &self,
        mail: &ClaimedMail,
        reason: &str,
        now: DateTime<Utc>,
    ) -> DbResult<bool> {
        self.close_unsent(mail, Ending::Cancelled, Answer::from(reason), now).await
    }

    /// These endings of an attempt have the names of the states that they leave the mail in.
    async fn close_unsent(
        &self,
        mail: &ClaimedMail,
        ending: Ending,
        answer: Answer<'_>,
        now: DateTime<Utc>,
    ) -> DbResult<bool> {
        end_attempt!(
            self,
            "UPDATE emails SET state = $4, last_error = $6, closed_at = $9, lease_until = NULL
             WHERE id = $1 AND fence = $2 AND state = 'sending'",
            mail,
            ending,
            answer,
            now,
            now
        )
    }

    /// Puts a mail back for another attempt. Returns whether this claim still held.
    pub async fn retry_later(
        &self,
        mail: &ClaimedMail,
        retry: &Retry<'_>,
        now: DateTime<Utc>,
    ) -> DbResult<bool> {
        end_attempt!(
            self,
            "UPDATE emails SET state = 'queued', due_at = $9, last_error = $6, rung_at = NULL, lease_until = NULL,
                               attempts = attempts - $10, lost_answers = lost_answers + $11
             WHERE id = $1 AND fence = $2 AND state = 'sending'",
            mail,
            retry.ending,
            retry.answer,
            now,
            retry.due_at,
            i32::from(!retry.counts),
            i32::from(retry.answer_lost)
        )
    }

    /// Records that this attempt stopped because the mail was another worker's by then. The row is left alone.
    pub async fn record_lost_lease(
        &self,
        mail: &ClaimedMail,
        answer: Answer<'_>,
        now: DateTime<Utc>,
    ) -> DbResult<()> {
        let sql = record_attempt!("VALUES ($1, $2, $3, $4, $5, $6, $7, $8)");
        on_db!(self, pool => {
            let query = bind_attempt!(sqlx::query(sql), mail, Ending::LeaseLost, answer, now);
            query.execute(pool).await?.rows_affected()
        });
        Ok(())
    }
}

/// How a mail is put back.
#[derive(Debug)]
pub struct Retry<'a> {
    /// When it is due again.
    pub due_at: DateTime<Utc>,
    /// What to call this attempt: retried, or the database went away.
    pub ending: Ending,
    /// Why, for the operator.
    pub answer: Answer<'a>,
    /// Whether the attempt counts: not while the mail server as a whole cannot be reached.
    pub counts: bool,
    /// Whether the mail was given to the server and its answer was lost.
    pub answer_lost: bool,
}
