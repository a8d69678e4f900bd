//! What an operator does with the table `emails`: list, show, send, retry, cancel.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use sqlx::FromRow;
use uuid::Uuid;

use super::enqueue::{NewEmail, deadline_of, enqueue_email};
use crate::db::idempotency::{AnswerToKeep, keep_answer};
use crate::db::sessions::{Actor, Checked, require_actor};
use crate::db::{Db, DbResult, in_transaction, on_db, one_more, split_off_more};
use crate::domain::closing_reason::CANCELLED_BY_OPERATOR;
use crate::domain::{EmailKind, EmailState};

/// The id of an email holds the time of the API's clock, `created_at` the database's. They differ by less than this.
const MAX_CLOCK_DIFFERENCE: TimeDelta = TimeDelta::days(1);

/// A row of `emails`, for people and, as JSON, for programs: the names of its fields do not change. `kind` and `state`
/// are text, because a newer version may have written them.
#[derive(Clone, Debug, FromRow, Serialize)]
pub struct EmailRow {
    /// The row's id.
    pub id: Uuid,
    /// The kind.
    pub kind: String,
    /// The address.
    pub recipient: String,
    /// `queued`, `sending`, `sent`, `failed`, `cancelled`, `bounced` or `complained`.
    pub state: String,
    /// The number of attempts.
    pub attempts: i32,
    /// How many workers were lost while they had it.
    pub lost_leases: i32,
    /// How often the mail server's reply was lost after the whole message was sent.
    pub lost_answers: i32,
    /// The name of the mail server that alone gets the next copy. Not in the JSON.
    #[serde(skip)]
    pub bound_to: Option<String>,
    /// When it is, or was, due.
    pub due_at: DateTime<Utc>,
    /// When it fails if it is not sent by then.
    pub deadline_at: DateTime<Utc>,
    /// The worker that has, or had, it last.
    pub worker: Option<String>,
    /// Why it is not sent, or did not arrive.
    pub last_error: Option<String>,
    /// The mail server's reply to the accepted message, with its code.
    pub reply: Option<String>,
    /// The request that caused it.
    pub request_id: Option<String>,
    /// The trace of that request, as W3C `traceparent`.
    pub traceparent: Option<String>,
    /// When it was accepted.
    pub created_at: DateTime<Utc>,
    /// When it was sent, failed, cancelled, or reported as bounced or as spam.
    pub closed_at: Option<DateTime<Utc>>,
}

/// Selects rows. Empty fields select all.
#[derive(Clone, Debug, Default)]
pub struct EmailFilter {
    /// Rows in this state.
    pub state: Option<EmailState>,
    /// Rows of this kind.
    pub kind: Option<String>,
    /// Rows to this mailbox, in its canonical form.
    pub mailbox: Option<String>,
    /// Rows accepted at this time or later.
    pub since: Option<DateTime<Utc>>,
    /// Rows with smaller ids: the next page of a list.
    pub before: Option<Uuid>,
}

impl EmailFilter {
    fn since(&self) -> DateTime<Utc> {
        self.since.unwrap_or(DateTime::UNIX_EPOCH)
    }

    /// The smallest id that the wanted rows can have: a list in the order of ids ends there.
    fn first_id(&self) -> Uuid {
        let millis = (self.since() - MAX_CLOCK_DIFFERENCE).timestamp_millis();
        let millis = u64::try_from(millis).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid()
    }

    fn before(&self) -> Uuid {
        self.before.unwrap_or(Uuid::max())
    }

    /// The statement whose index serves this filter best.
    fn list(&self) -> &'static str {
        match self.state {
            _ if self.mailbox.is_some() => LIST_EMAILS_OF_MAILBOX,
            Some(EmailState::Queued) => LIST_QUEUED_EMAILS,
            Some(EmailState::Sending) => LIST_SENDING_EMAILS,
            Some(EmailState::Failed) => LIST_FAILED_EMAILS,
            Some(EmailState::Cancelled) => LIST_CANCELLED_EMAILS,
            Some(EmailState::Bounced) => LIST_BOUNCED_EMAILS,
            Some(EmailState::Complained) => LIST_COMPLAINED_EMAILS,
            Some(EmailState::Sent) | None => LIST_EMAILS,
        }
    }
}

/// By the primary key: most rows are sent. `$1` is null or a state, `$2` null or a kind, and so in all lists.
const LIST_EMAILS: &str = "
SELECT * FROM emails
WHERE (state = $1 OR $1 IS NULL) AND (kind = $2 OR $2 IS NULL)
  AND (mailbox = $3 OR $3 IS NULL) AND created_at >= $4 AND id >= $5 AND id < $6
ORDER BY id DESC
LIMIT $7";

/// By the index of mailboxes.
const LIST_EMAILS_OF_MAILBOX: &str = "
SELECT * FROM emails
WHERE (state = $1 OR $1 IS NULL) AND (kind = $2 OR $2 IS NULL)
  AND mailbox = $3 AND created_at >= $4 AND id >= $5 AND id < $6
ORDER BY id DESC
LIMIT $7";

/// By the partial index of the state, which needs the state in the text; so the five below.
const LIST_QUEUED_EMAILS: &str = "
SELECT * FROM emails
WHERE state = 'queued' AND (state = $1 OR $1 IS NULL) AND (kind = $2 OR $2 IS NULL)
  AND (mailbox = $3 OR $3 IS NULL) AND created_at >= $4 AND id >= $5 AND id < $6
ORDER BY id DESC
LIMIT $7";

const LIST_SENDING_EMAILS: &str = "
SELECT * FROM emails
WHERE state = 'sending' AND (state = $1 OR $1 IS NULL) AND (kind = $2 OR $2 IS NULL)
  AND (mailbox = $3 OR $3 IS NULL) AND created_at >= $4 AND id >= $5 AND id < $6
ORDER BY id DESC
LIMIT $7";

const LIST_FAILED_EMAILS: &str = "
SELECT * FROM emails
WHERE state = 'failed' AND (state = $1 OR $1 IS NULL) AND (kind = $2 OR $2 IS NULL)
  AND (mailbox = $3 OR $3 IS NULL) AND created_at >= $4 AND id >= $5 AND id < $6
ORDER BY id DESC
LIMIT $7";

const LIST_CANCELLED_EMAILS: &str = "
SELECT * FROM emails
WHERE state = 'cancelled' AND (state = $1 OR $1 IS NULL) AND (kind = $2 OR $2 IS NULL)
  AND (mailbox = $3 OR $3 IS NULL) AND created_at >= $4 AND id >= $5 AND id < $6
ORDER BY id DESC
LIMIT $7";

const LIST_BOUNCED_EMAILS: &str = "
SELECT * FROM emails
WHERE state = 'bounced' AND (state = $1 OR $1 IS NULL) AND (kind = $2 OR $2 IS NULL)
  AND (mailbox = $3 OR $3 IS NULL) AND created_at >= $4 AND id >= $5 AND id < $6
ORDER BY id DESC
LIMIT $7";

const LIST_COMPLAINED_EMAILS: &str = "
SELECT * FROM emails
WHERE state = 'complained' AND (state = $1 OR $1 IS NULL) AND (kind = $2 OR $2 IS NULL)
  AND (mailbox = $3 OR $3 IS NULL) AND created_at >= $4 AND id >= $5 AND id < $6
ORDER BY id DESC
LIMIT $7";

const SHOW_EMAIL: &str = "SELECT * FROM emails WHERE id = $1";

impl Db {
    /// The newest emails that the filter selects, at most `limit`, and whether there are more.
    pub async fn list_emails(&self, filter: &EmailFilter, limit: usize) -> DbResult<(Vec<EmailRow>, bool)> {
        let rows: DbResult<Vec<EmailRow>> = on_db!(self.reader(), connection => {
            sqlx::query_as(filter.list())
                // Planned for the values, so that an absent value costs nothing.
                .persistent(false)
                .bind(filter.state.map(EmailState::as_str))
                .bind(&filter.kind)
                .bind(&filter.mailbox)
                .bind(filter.since())
                .bind(filter.first_id())
                .bind(filter.before())
                .bind(one_more(limit))
                .fetch_all(&mut *connection)
                .await?
        });
        Ok(split_off_more(rows?, limit))
    }

    /// One email.
    pub async fn email(&self, id: Uuid) -> DbResult<Option<EmailRow>> {
        on_db!(self.reader(), connection => {
            sqlx::query_as(SHOW_EMAIL).bind(id).fetch_optional(&mut *connection).await?
        })
    }
}

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
    /// Queues emails that an administrator sends, and keeps the answer: all of it or nothing.
    pub async fn enqueue_emails_by(
        &self,
        actor: &Actor,
        emails: &[NewEmail],
        keep: Option<&AnswerToKeep>,
        now: DateTime<Utc>,
    ) -> DbResult<Checked<()>> {
        in_transaction!(self, tx => {
            require_actor!(self, tx, actor, now);
            for email in emails {
                enqueue_email!(tx, email);
            }
            keep_answer!(tx, keep);
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
