//! Maintenance of the table `emails`: rescue lost leases, re-enqueue, fail what is overdue, purge.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::reports::{KEEP_MARKS_FOR, PURGE_MARKS};
use crate::db::base_mailboxes::{COUNT_FOR, PURGE_COUNTS};
use crate::db::code_tries::{FORGET_TRIES_AFTER, KEEP_EMAIL_TRIES, PURGE_CODE_TRIES, PURGE_EMAIL_CODE_TRIES};
use crate::db::email_changes::PURGE_CHANGES;
use crate::db::idempotency::{PURGE_KEYS, STORE_ANSWER_FOR};
use crate::db::login_throttle::{FORGET_FAILURES_AFTER, KNOWN_NETWORK_FOR};
use crate::db::mail_servers::{KEEP_CIRCUITS_FOR, PURGE_CIRCUITS};
use crate::db::suppressions::PURGE_SUPPRESSIONS;
use crate::db::suppressions::passes::{KEEP_TO_LIFT, PASS_EVERY, PURGE_PASSES};
use crate::db::{Db, DbResult, Pools, in_transaction, on_db};
use crate::domain::EmailKind;
use crate::domain::closing_reason::{DEADLINE_PASSED, NO_ACCOUNT};
use crate::links::UNDO_WINDOW;

/// A job that led to no claim in this time is enqueued again.
pub const REENQUEUE_AFTER: TimeDelta = TimeDelta::seconds(10);

/// The most rows that one statement rescues.
const RESCUE_BATCH: i64 = 1_000;
/// The most rows of a table that one statement deletes: short locks, small transactions.
const MAX_PURGED_ROWS: i64 = 5_000;

/// An email that failed because it was not sent by its deadline.
#[derive(Clone, Copy, Debug, sqlx::FromRow)]
pub struct OverdueEmail {
    /// The kind.
    #[sqlx(try_from = "String")]
    pub kind: EmailKind,
    /// How many workers were lost while they had it.
    pub lost_leases: i32,
}

/// Emails of unknown kinds are rescued by the newer version that knows them. The fencing token stays until the next
/// claim: what the lost worker writes needs the state `sending`, so it has no effect, but for a 250.
const RESCUE_LOST_LEASES_POSTGRES: &str = "
WITH lost AS MATERIALIZED (
    SELECT id, fencing_token, worker, claimed_at
    FROM emails
    WHERE state = 'sending' AND lease_until < $1
      AND kind IN ('verify_email', 'reset_password', 'password_changed', 'change_email', 'email_change_requested', 'email_changed', 'welcome')
    ORDER BY lease_until
    LIMIT $2
    FOR UPDATE SKIP LOCKED
), recorded AS (
    INSERT INTO email_attempts (email_id, fencing_token, worker, outcome, started_at)
    SELECT id, fencing_token, worker, 'worker_lost', claimed_at FROM lost
    ON CONFLICT (email_id, fencing_token) DO NOTHING
)
UPDATE emails SET state = 'queued', lost_leases = lost_leases + 1, enqueued_at = NULL, lease_until = NULL
WHERE id IN (SELECT id FROM lost)";

const RECORD_LOST_LEASES_SQLITE: &str = "
INSERT INTO email_attempts (email_id, fencing_token, worker, outcome, started_at)
SELECT id, fencing_token, worker, 'worker_lost', claimed_at
FROM emails
WHERE id IN (SELECT id
             FROM emails
             WHERE state = 'sending' AND lease_until < $1
               AND kind IN ('verify_email', 'reset_password', 'password_changed', 'change_email', 'email_change_requested', 'email_changed', 'welcome')
             ORDER BY lease_until
             LIMIT $2)
ON CONFLICT (email_id, fencing_token) DO NOTHING";

const RESCUE_LOST_LEASES_SQLITE: &str = "
UPDATE emails SET state = 'queued', lost_leases = lost_leases + 1, enqueued_at = NULL, lease_until = NULL
WHERE id IN (SELECT id
             FROM emails
             WHERE state = 'sending' AND lease_until < $1
               AND kind IN ('verify_email', 'reset_password', 'password_changed', 'change_email', 'email_change_requested', 'email_changed', 'welcome')
             ORDER BY lease_until
             LIMIT $2)";

impl Db {
    /// Queues the emails whose workers let their leases end, and records those attempts. Returns how many.
    pub async fn rescue_lost_leases(&self, now: DateTime<Utc>) -> DbResult<u64> {
        match self.pools {
            Pools::Postgres(_) => on_db!(self.writer(), connection => {
                let query = sqlx::query(RESCUE_LOST_LEASES_POSTGRES).bind(now).bind(RESCUE_BATCH);
                query.execute(&mut *connection).await?.rows_affected()
            }),
            // Two statements, because SQLite's WITH cannot write.
            Pools::Sqlite { .. } => in_transaction!(self, tx => {
                let record = sqlx::query(RECORD_LOST_LEASES_SQLITE).bind(now).bind(RESCUE_BATCH);
                record.execute(&mut *tx).await?;
                let rescue = sqlx::query(RESCUE_LOST_LEASES_SQLITE).bind(now).bind(RESCUE_BATCH);
                rescue.execute(&mut *tx).await?.rows_affected()
            }),
        }
    }
}

/// CASE helps the planner, as in the statement that claims.
const ANY_UNENQUEUED: &str = "
SELECT EXISTS (
    SELECT 1
    FROM emails
    WHERE state = 'queued' AND due_at <= $1 AND (enqueued_at < $2 OR enqueued_at IS NULL)
      AND CASE WHEN kind IN ('verify_email', 'reset_password', 'password_changed', 'change_email', 'email_change_requested', 'email_changed', 'welcome') THEN kind END IS NOT NULL)";

/// Rows that a worker claims at this moment are skipped: a wait for them, with other rows locked, ended in deadlocks.
const TAKE_UNENQUEUED_POSTGRES: &str = "
WITH due AS MATERIALIZED (
    SELECT id
    FROM emails
    WHERE state = 'queued' AND due_at <= $1 AND (enqueued_at < $2 OR enqueued_at IS NULL)
      AND CASE WHEN kind IN ('verify_email', 'reset_password', 'password_changed', 'change_email', 'email_change_requested', 'email_changed', 'welcome') THEN kind END IS NOT NULL
    ORDER BY priority, due_at
    LIMIT (SELECT $3::bigint)
    FOR UPDATE SKIP LOCKED
)
UPDATE emails SET enqueued_at = $1
WHERE id = ANY (ARRAY(SELECT id FROM due))
RETURNING id";

const TAKE_UNENQUEUED_SQLITE: &str = "
UPDATE emails SET enqueued_at = $1
WHERE id IN (SELECT id
             FROM emails
             WHERE state = 'queued' AND due_at <= $1 AND (enqueued_at < $2 OR enqueued_at IS NULL)
               AND kind IN ('verify_email', 'reset_password', 'password_changed', 'change_email', 'email_change_requested', 'email_changed', 'welcome')
             ORDER BY priority, due_at
             LIMIT $3)
RETURNING id";

impl Db {
    /// Whether a due email has no job, or only a job that led to no claim.
    pub async fn any_unenqueued(&self, now: DateTime<Utc>) -> DbResult<bool> {
        on_db!(self.reader(), connection => {
            let query = sqlx::query_scalar(ANY_UNENQUEUED).bind(now).bind(now - REENQUEUE_AFTER);
            query.fetch_one(&mut *connection).await?
        })
    }

    /// Marks up to `limit` such emails as enqueued and returns their ids: by priority, then those first that are due for the
    /// longest time.
    pub async fn take_unenqueued(&self, limit: i64, now: DateTime<Utc>) -> DbResult<Vec<Uuid>> {
        let sql = match self.pools {
            Pools::Postgres(_) => TAKE_UNENQUEUED_POSTGRES,
            Pools::Sqlite { .. } => TAKE_UNENQUEUED_SQLITE,
        };
        on_db!(self.writer(), connection => {
            let query = sqlx::query_scalar(sql).bind(now).bind(now - REENQUEUE_AFTER).bind(limit);
            query.fetch_all(&mut *connection).await?
        })
    }
}

const FAIL_OVERDUE: &str = "
UPDATE emails
SET state = 'failed', closed_at = $1,
    last_error = CASE WHEN last_error IS NULL THEN $2 ELSE $2 || '; last: ' || last_error END
WHERE state = 'queued' AND deadline_at <= $1
  AND kind IN ('verify_email', 'reset_password', 'password_changed', 'change_email', 'email_change_requested', 'email_changed', 'welcome')
RETURNING kind, lost_leases";

impl Db {
    /// Fails the queued emails whose deadline passed, and returns them.
    pub async fn fail_overdue(&self, now: DateTime<Utc>) -> DbResult<Vec<OverdueEmail>> {
        on_db!(self.writer(), connection => {
            sqlx::query_as(FAIL_OVERDUE).bind(now).bind(DEADLINE_PASSED).fetch_all(&mut *connection).await?
        })
    }
}

/// The shortest time that requests for unknown addresses are kept.
const KEEP_UNKNOWN: TimeDelta = TimeDelta::days(1);

const PURGE_UNKNOWN: &str = "
DELETE FROM emails
WHERE id IN (SELECT id FROM emails WHERE closed_at < $1 AND state = 'cancelled' AND last_error = $3 LIMIT $2)";

/// Keeps the sent emails that may still lift the bounce of their mailbox.
const PURGE_CLOSED: &str = "
DELETE FROM emails
WHERE id IN (SELECT id FROM emails
             WHERE closed_at < $1
               AND NOT (state = 'sent' AND closed_at >= $3
                        AND EXISTS (SELECT 1 FROM suppressions
                                    WHERE suppressions.mailbox = emails.mailbox AND reason = 'bounce'))
             LIMIT $2)";

const PURGE_SESSIONS: &str = "
DELETE FROM sessions WHERE sid IN (SELECT sid FROM sessions WHERE expires_at < $1 LIMIT $2)";

const PURGE_LOGIN_FAILURES: &str = "
DELETE FROM login_failures
WHERE (mailbox, network) IN (SELECT mailbox, network FROM login_failures WHERE last_failed_at < $1 LIMIT $2)";

const PURGE_LOGIN_NETWORKS: &str = "
DELETE FROM login_networks
WHERE (mailbox, network) IN (SELECT mailbox, network FROM login_networks WHERE last_login_at < $1 LIMIT $2)";

impl Db {
    /// Deletes closed emails after `mail_retention`, those that may lift a bounce after four days at least, requests for
    /// unknown addresses when no code of theirs could be good any more, a day at least, expired sessions, old rows of the
    /// login throttle and of the counts of base mailboxes and codes, email changes that cannot be undone any more,
    /// stored answers of requests with a key, suppressions that have ended, marks of reports, and the circuits of
    /// workers that are gone. Returns how many rows were deleted.
    pub async fn purge(
        &self,
        mail_retention: TimeDelta,
        code_lifetime: TimeDelta,
        now: DateTime<Utc>,
    ) -> DbResult<u64> {
        let mut total = 0;
        loop {
            let deleted = self.purge_batch(mail_retention, code_lifetime, now).await?;
            total += deleted;
            if deleted < MAX_PURGED_ROWS as u64 {
                return Ok(total);
            }
        }
    }

    async fn purge_batch(
        &self,
        mail_retention: TimeDelta,
        code_lifetime: TimeDelta,
        now: DateTime<Utc>,
    ) -> DbResult<u64> {
        let statements = [
            (PURGE_SESSIONS, now),
            (PURGE_LOGIN_FAILURES, now - FORGET_FAILURES_AFTER),
            (PURGE_LOGIN_NETWORKS, now - KNOWN_NETWORK_FOR),
            (PURGE_COUNTS, now - COUNT_FOR),
            (PURGE_CHANGES, now - UNDO_WINDOW),
            (PURGE_CODE_TRIES, now - FORGET_TRIES_AFTER),
            (PURGE_EMAIL_CODE_TRIES, now - KEEP_EMAIL_TRIES),
            (PURGE_KEYS, now - STORE_ANSWER_FOR),
            (PURGE_SUPPRESSIONS, now),
            (PURGE_PASSES, now - PASS_EVERY),
            (PURGE_MARKS, now - KEEP_MARKS_FOR),
            (PURGE_CIRCUITS, now - KEEP_CIRCUITS_FOR),
        ];
        on_db!(self.writer(), connection => {
            // As long as a code is compared with the emails to a known address, it is compared with these.
            let before = now - code_lifetime.max(KEEP_UNKNOWN);
            let unknown = sqlx::query(PURGE_UNKNOWN).bind(before).bind(MAX_PURGED_ROWS).bind(NO_ACCOUNT);
            let mut deleted = unknown.execute(&mut *connection).await?.rows_affected();
            let closed = sqlx::query(PURGE_CLOSED).bind(now - mail_retention).bind(MAX_PURGED_ROWS);
            deleted += closed.bind(now - KEEP_TO_LIFT).execute(&mut *connection).await?.rows_affected();
            for (sql, before) in statements {
                let query = sqlx::query(sql).bind(before).bind(MAX_PURGED_ROWS);
                deleted += query.execute(&mut *connection).await?.rows_affected();
            }
            deleted
        })
    }
}
