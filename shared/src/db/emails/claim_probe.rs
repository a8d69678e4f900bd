//! The claim of one email that shows whether the mail server accepts emails again.

use chrono::{DateTime, Utc};

use super::claim::{CLOCK_SLACK, ClaimLimits, ClaimedEmail, LEASE};
use crate::db::{Db, DbResult, Pools, on_db};

/// As CLAIM_DUE, for one email that no server refused with 5xx before.
const CLAIM_NOT_REFUSED_POSTGRES: &str = "
WITH due AS MATERIALIZED (
    SELECT id
    FROM emails
    WHERE state = 'queued' AND due_at <= $1
      AND CASE WHEN kind IN ('verify_email', 'reset_password', 'password_changed', 'change_email', 'email_change_requested', 'email_changed', 'welcome') THEN kind END IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM email_attempts WHERE email_id = emails.id AND smtp_code >= 500)
    ORDER BY priority, due_at
    LIMIT 1
    FOR UPDATE SKIP LOCKED
)
UPDATE emails
SET state = 'sending', attempts = attempts + 1, fencing_token = fencing_token + 1,
    worker = $2, claimed_at = $3, lease_until = $4
WHERE id = ANY (ARRAY(SELECT id FROM due))
RETURNING *,
    CASE WHEN EXISTS (SELECT 1 FROM suppressions)
         THEN (SELECT string_agg(reason, ' ') FROM suppressions
               WHERE suppressions.mailbox = emails.mailbox AND (until > $3 OR until IS NULL))
    END AS suppressed";

const CLAIM_NOT_REFUSED_SQLITE: &str = "
UPDATE emails
SET state = 'sending', attempts = attempts + 1, fencing_token = fencing_token + 1,
    worker = $2, claimed_at = $3, lease_until = $4
WHERE id IN (SELECT id
             FROM emails
             WHERE state = 'queued' AND due_at <= $1
               AND kind IN ('verify_email', 'reset_password', 'password_changed', 'change_email', 'email_change_requested', 'email_changed', 'welcome')
               AND NOT EXISTS (SELECT 1 FROM email_attempts WHERE email_id = emails.id AND smtp_code >= 500)
             ORDER BY priority, due_at
             LIMIT 1)
RETURNING *,
    CASE WHEN EXISTS (SELECT 1 FROM suppressions)
         THEN (SELECT group_concat(reason, ' ') FROM suppressions
               WHERE suppressions.mailbox = emails.mailbox AND (until > $3 OR until IS NULL))
    END AS suppressed";

impl Db {
    /// Claims one due email: one that was not refused with 5xx before, if there is one.
    pub async fn claim_probe(&self, worker: &str, now: DateTime<Utc>) -> DbResult<Vec<ClaimedEmail>> {
        let sql = match self.pools {
            Pools::Postgres(_) => CLAIM_NOT_REFUSED_POSTGRES,
            Pools::Sqlite { .. } => CLAIM_NOT_REFUSED_SQLITE,
        };
        let claimed: Vec<ClaimedEmail> = on_db!(self.writer(), connection => {
            sqlx::query_as(sql)
                .bind(now + CLOCK_SLACK)
                .bind(worker)
                .bind(now)
                .bind(now + LEASE)
                .fetch_all(&mut *connection)
                .await?
        })?;
        if claimed.is_empty() { self.claim_due(ClaimLimits::of(1), worker, now).await } else { Ok(claimed) }
    }
}
