//! What an operator does with emails: send, retry, cancel.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::insert::{NewEmail, deadline_of, insert_email};
use super::list::EmailFilter;
use crate::db::idempotency::{AnswerToStore, store_answer};
use crate::db::sessions::{Actor, Checked, require_actor};
use crate::db::{Db, DbResult, in_transaction, on_db};
use crate::domain::EmailKind;
use crate::domain::closing_reason::CANCELLED_BY_OPERATOR;

/// Queues a failed email as if it was accepted now. `$3` is the deadline of a reset, `$4` that of the other kinds.
const RETRY_EMAIL: &str = "
UPDATE emails
SET state = 'queued', may_be_taken = may_be_taken OR lost_leases > 0 OR lost_answers > 0,
    attempts = 0, lost_leases = 0, lost_answers = 0, bound_to = NULL, due_at = $2, enqueued_at = NULL, closed_at = NULL,
    deadline_at = CASE WHEN kind = 'reset_password' THEN $3 WHEN kind <> 'reset_password' THEN $4 ELSE deadline_at END
WHERE id = $1 AND state = 'failed'
  AND kind IN ('verify_email', 'reset_password', 'password_changed', 'change_email', 'email_change_requested', 'email_changed', 'welcome')";

const RETRY_FAILED: &str = "
UPDATE emails
SET state = 'queued', may_be_taken = may_be_taken OR lost_leases > 0 OR lost_answers > 0,
    attempts = 0, lost_leases = 0, lost_answers = 0, bound_to = NULL, due_at = $1, enqueued_at = NULL, closed_at = NULL,
    deadline_at = CASE WHEN kind = 'reset_password' THEN $2 WHEN kind <> 'reset_password' THEN $3 ELSE deadline_at END
WHERE state = 'failed'
  AND id IN (SELECT id FROM emails
             WHERE state = 'failed'
               AND kind IN ('verify_email', 'reset_password', 'password_changed', 'change_email', 'email_change_requested', 'email_changed', 'welcome')
               AND (kind = $4 OR $4 IS NULL) AND (mailbox = $5 OR $5 IS NULL)
               AND created_at >= $6 AND id >= $7 AND id < $8
             ORDER BY id DESC
             LIMIT $9)
RETURNING id";

const CANCEL_EMAIL: &str = "
UPDATE emails SET state = 'cancelled', last_error = $2, closed_at = $3
WHERE id = $1 AND state = 'queued'";

impl Db {
    /// Inserts emails that an administrator sends, and stores the answer: all of it or nothing.
    pub async fn insert_emails_by(
        &self,
        actor: &Actor,
        emails: &[NewEmail],
        store: Option<&AnswerToStore>,
        now: DateTime<Utc>,
    ) -> DbResult<Checked<()>> {
        in_transaction!(self, tx => {
            require_actor!(self, tx, actor, now);
            for email in emails {
                insert_email!(tx, email);
            }
            store_answer!(tx, store);
            Checked::Done(())
        })
    }

    /// Queues a failed email once more, with a new deadline. Returns whether it was failed, and of a kind that this
    /// version knows.
    pub async fn retry_email(&self, id: Uuid, now: DateTime<Utc>) -> DbResult<bool> {
        on_db!(self.writer(), connection => {
            let query = sqlx::query(RETRY_EMAIL).bind(id).bind(now);
            let query = query.bind(reset_deadline(now)).bind(other_deadline(now));
            query.execute(&mut *connection).await?.rows_affected() == 1
        })
    }

    /// The same for an administrator.
    pub async fn retry_email_by(
        &self,
        actor: &Actor,
        id: Uuid,
        now: DateTime<Utc>,
    ) -> DbResult<Checked<bool>> {
        in_transaction!(self, tx => {
            require_actor!(self, tx, actor, now);
            let query = sqlx::query(RETRY_EMAIL).bind(id).bind(now);
            let query = query.bind(reset_deadline(now)).bind(other_deadline(now));
            Checked::Done(query.execute(&mut *tx).await?.rows_affected() == 1)
        })
    }

    /// Queues up to `limit` failed emails that the filter selects once more, the newest first; the filter's state does
    /// not count. Returns their ids; the smallest is where the next batch goes on.
    pub async fn retry_failed(
        &self,
        filter: &EmailFilter,
        limit: i64,
        now: DateTime<Utc>,
    ) -> DbResult<Vec<Uuid>> {
        on_db!(self.writer(), connection => {
            sqlx::query_scalar(RETRY_FAILED)
                .persistent(false)
                .bind(now)
                .bind(reset_deadline(now))
                .bind(other_deadline(now))
                .bind(&filter.kind)
                .bind(&filter.mailbox)
                .bind(filter.since())
                .bind(filter.first_id())
                .bind(filter.before())
                .bind(limit)
                .fetch_all(&mut *connection)
                .await?
        })
    }

    /// Cancels a queued email. Returns whether it was queued: one that a worker has may be on its way already.
    pub async fn cancel_email(&self, id: Uuid, now: DateTime<Utc>) -> DbResult<bool> {
        on_db!(self.writer(), connection => {
            let query = sqlx::query(CANCEL_EMAIL).bind(id).bind(CANCELLED_BY_OPERATOR).bind(now);
            query.execute(&mut *connection).await?.rows_affected() == 1
        })
    }

    /// The same for an administrator.
    pub async fn cancel_email_by(
        &self,
        actor: &Actor,
        id: Uuid,
        now: DateTime<Utc>,
    ) -> DbResult<Checked<bool>> {
        in_transaction!(self, tx => {
            require_actor!(self, tx, actor, now);
            let query = sqlx::query(CANCEL_EMAIL).bind(id).bind(CANCELLED_BY_OPERATOR).bind(now);
            Checked::Done(query.execute(&mut *tx).await?.rows_affected() == 1)
        })
    }
}

fn reset_deadline(now: DateTime<Utc>) -> DateTime<Utc> {
    now + deadline_of(EmailKind::ResetPassword)
}

fn other_deadline(now: DateTime<Utc>) -> DateTime<Utc> {
    now + deadline_of(EmailKind::VerifyEmail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_statements_know_two_deadlines() {
        let other = deadline_of(EmailKind::VerifyEmail);
        for kind in EmailKind::ALL {
            assert_eq!(deadline_of(kind) == other, kind != EmailKind::ResetPassword, "{kind}");
        }
    }
}
