//! Claims: a worker takes due emails, each with a lease and a fencing token.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::types::Json;
use uuid::Uuid;

use super::insert::EmailContext;
use crate::db::batch::{HeldConnection, HeldStatement};
use crate::db::{Db, DbResult, within_limit};
use crate::domain::{EmailKind, MailServer, SuppressionReason};

/// How long a claim holds without renewal.
pub const LEASE: TimeDelta = TimeDelta::seconds(15);
/// The clocks of two processes differ by less than this: each is set by the database's, to within a round trip. A claim
/// also takes emails that become due within this time. Without it, a worker whose clock is slow would find the email of a
/// new job not due yet, and the next job for that email would come 10 s later.
pub const CLOCK_SLACK: TimeDelta = TimeDelta::seconds(1);

/// The priority of emails that many people get and nobody waits for.
pub const BULK: i16 = 3;
/// An email that has been due for so long is claimed ahead of higher priorities now and then.
pub const AGED_AFTER: TimeDelta = TimeDelta::minutes(10);

/// An email that this worker may send while its lease lasts.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct ClaimedEmail {
    /// The row's id. The Message-ID is made from it, so that copies can be recognised.
    pub id: Uuid,
    /// The kind.
    #[sqlx(try_from = "String")]
    pub kind: EmailKind,
    /// Decides when it is claimed: 1 somebody waits for it, 2 notices, [`BULK`].
    pub priority: i16,
    /// The address as submitted.
    pub recipient: String,
    /// The address in its canonical form.
    pub mailbox: String,
    /// The account that the email is about; `None` for requests by address and for welcome emails.
    pub user_uid: Option<Uuid>,
    /// The account's `auth_version` when the email was caused; `None` when `user_uid` is.
    pub auth_version: Option<i64>,
    /// Values for the template.
    pub context: Json<EmailContext>,
    /// The request that caused it.
    pub request_id: Option<String>,
    /// The trace of that request, as W3C `traceparent`.
    pub traceparent: Option<String>,
    /// Attempts, this one included.
    pub attempts: i32,
    /// Grows with every claim: writes of an older claim have no effect.
    pub fencing_token: i64,
    /// The worker that claimed it.
    pub worker: String,
    /// When it was claimed.
    pub claimed_at: DateTime<Utc>,
    /// How many workers were lost while they had this email.
    pub lost_leases: i32,
    /// How often the mail server's reply was lost after the whole message was sent.
    pub lost_answers: i32,
    /// The name of the mail server that alone gets the next copy: its answer to an earlier one was lost, or
    /// the other one refuses it for good.
    pub bound_to: Option<String>,
    /// When it was accepted.
    pub created_at: DateTime<Utc>,
    /// When it fails if it is not sent by then.
    pub deadline_at: DateTime<Utc>,
    /// The reasons for which its mailbox is suppressed, with blanks between them. A newer version may have others.
    pub suppressed: Option<String>,
}

/// A claim, by the row and its fencing token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, sqlx::FromRow)]
pub struct Claim {
    /// The row's id.
    pub id: Uuid,
    /// The claim's number.
    pub fencing_token: i64,
}

impl ClaimedEmail {
    /// The claim alone.
    pub fn claim(&self) -> Claim {
        Claim { id: self.id, fencing_token: self.fencing_token }
    }

    /// The reason for which emails of this kind to this mailbox are suppressed.
    pub fn suppression(&self) -> Option<SuppressionReason> {
        let reasons = self.suppressed.as_deref()?;
        SuppressionReason::ALL.into_iter().find(|reason| {
            reason.holds_for(self.kind) && reasons.split(' ').any(|name| name == reason.as_str())
        })
    }

    /// The mail server that alone gets the next copy.
    pub fn bound_server(&self) -> Option<MailServer> {
        self.bound_to.as_deref().map(MailServer::named)
    }
}

/// How many emails one claim takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClaimLimits {
    /// All together.
    pub emails: i64,
    /// Of them bulk (priority 3) at most.
    pub bulk: i64,
    /// Of them so many at most that have been due for [`AGED_AFTER`], ahead of higher priorities.
    pub aged: i64,
}

impl ClaimLimits {
    /// So many of any priority, the highest first.
    pub fn of(emails: i64) -> ClaimLimits {
        ClaimLimits { emails, bulk: emails, aged: 0 }
    }
}

/// The order of a claim: first some that have waited for long, then by priority, then by the time for which they are due.
///
/// Each part reads the rows that it takes from the index, and no others. Kinds of a newer version are left for its workers.
///
/// Three forms help the planner. CASE hides how many values the kinds have, and SELECT hides the limit: without
/// statistics it expects 3 % of the rows to have such a kind, fewer than the limit, and then reads and sorts all due
/// rows for each claim instead of the first ones in the index. MATERIALIZED and ARRAY keep the inner query from running
/// again for each row, which would claim other rows each time, and so the whole table.
///
/// The suppressions of each mailbox come with it, so that they cost no statement of their own, and nothing where there are
/// none.
const CLAIM_DUE_POSTGRES: &str = "
WITH aged_notices AS MATERIALIZED (
    SELECT id, priority, due_at
    FROM emails
    WHERE state = 'queued' AND priority = 2 AND due_at <= $5
      AND CASE WHEN kind IN ('password_changed', 'email_change_requested', 'email_changed') THEN kind END IS NOT NULL
    ORDER BY due_at
    LIMIT (SELECT $4::bigint)
    FOR UPDATE SKIP LOCKED
), aged_bulk AS MATERIALIZED (
    SELECT id, priority, due_at
    FROM emails
    WHERE state = 'queued' AND priority = 3 AND due_at <= $5
      AND CASE WHEN kind IN ('welcome') THEN kind END IS NOT NULL
    ORDER BY due_at
    LIMIT (SELECT least($4::bigint, $3::bigint))
    FOR UPDATE SKIP LOCKED
), aged AS MATERIALIZED (
    SELECT id, priority
    FROM (SELECT id, priority, due_at FROM aged_notices UNION ALL SELECT id, priority, due_at FROM aged_bulk) AS waited
    ORDER BY due_at, priority
    LIMIT (SELECT $4::bigint)
), urgent AS MATERIALIZED (
    SELECT id
    FROM emails
    WHERE state = 'queued' AND priority = 1 AND due_at <= $1
      AND CASE WHEN kind IN ('verify_email', 'reset_password', 'change_email') THEN kind END IS NOT NULL
    ORDER BY due_at
    LIMIT (SELECT $2::bigint - count(*) FROM aged)
    FOR UPDATE SKIP LOCKED
), notices AS MATERIALIZED (
    SELECT id
    FROM emails
    WHERE state = 'queued' AND priority = 2 AND due_at <= $1 AND id <> ALL (ARRAY(SELECT id FROM aged))
      AND CASE WHEN kind IN ('password_changed', 'email_change_requested', 'email_changed') THEN kind END IS NOT NULL
    ORDER BY due_at
    LIMIT (SELECT $2::bigint - (SELECT count(*) FROM aged) - (SELECT count(*) FROM urgent))
    FOR UPDATE SKIP LOCKED
), bulk AS MATERIALIZED (
    SELECT id
    FROM emails
    WHERE state = 'queued' AND priority = 3 AND due_at <= $1 AND id <> ALL (ARRAY(SELECT id FROM aged))
      AND CASE WHEN kind IN ('welcome') THEN kind END IS NOT NULL
    ORDER BY due_at
    LIMIT (SELECT least(
        $2::bigint - (SELECT count(*) FROM aged) - (SELECT count(*) FROM urgent) - (SELECT count(*) FROM notices),
        $3::bigint - (SELECT count(*) FROM aged WHERE priority = 3)))
    FOR UPDATE SKIP LOCKED
), due AS MATERIALIZED (
    SELECT id FROM aged
    UNION ALL SELECT id FROM urgent
    UNION ALL SELECT id FROM notices
    UNION ALL SELECT id FROM bulk
)
UPDATE emails
SET state = 'sending', attempts = attempts + 1, fencing_token = fencing_token + 1,
    worker = $6, claimed_at = $7, lease_until = $8
WHERE id = ANY (ARRAY(SELECT id FROM due))
RETURNING *,
    CASE WHEN EXISTS (SELECT 1 FROM suppressions)
         THEN (SELECT string_agg(reason, ' ') FROM suppressions
               WHERE suppressions.mailbox = emails.mailbox AND (until > $7 OR until IS NULL))
    END AS suppressed";

const CLAIM_DUE_SQLITE: &str = "
WITH aged_notices AS MATERIALIZED (
    SELECT id, priority, due_at
    FROM emails
    WHERE state = 'queued' AND priority = 2 AND due_at <= $5
      AND kind IN ('password_changed', 'email_change_requested', 'email_changed')
    ORDER BY due_at
    LIMIT (SELECT $4)
), aged_bulk AS MATERIALIZED (
    SELECT id, priority, due_at
    FROM emails
    WHERE state = 'queued' AND priority = 3 AND due_at <= $5
      AND kind IN ('welcome')
    ORDER BY due_at
    LIMIT (SELECT min($4, $3))
), aged AS MATERIALIZED (
    SELECT id, priority
    FROM (SELECT id, priority, due_at FROM aged_notices UNION ALL SELECT id, priority, due_at FROM aged_bulk) AS waited
    ORDER BY due_at, priority
    LIMIT (SELECT $4)
), urgent AS MATERIALIZED (
    SELECT id
    FROM emails
    WHERE state = 'queued' AND priority = 1 AND due_at <= $1
      AND kind IN ('verify_email', 'reset_password', 'change_email')
    ORDER BY due_at
    LIMIT (SELECT $2 - count(*) FROM aged)
), notices AS MATERIALIZED (
    SELECT id
    FROM emails
    WHERE state = 'queued' AND priority = 2 AND due_at <= $1 AND id NOT IN (SELECT id FROM aged)
      AND kind IN ('password_changed', 'email_change_requested', 'email_changed')
    ORDER BY due_at
    LIMIT (SELECT $2 - (SELECT count(*) FROM aged) - (SELECT count(*) FROM urgent))
), bulk AS MATERIALIZED (
    SELECT id
    FROM emails
    WHERE state = 'queued' AND priority = 3 AND due_at <= $1 AND id NOT IN (SELECT id FROM aged)
      AND kind IN ('welcome')
    ORDER BY due_at
    LIMIT (SELECT min(
        $2 - (SELECT count(*) FROM aged) - (SELECT count(*) FROM urgent) - (SELECT count(*) FROM notices),
        $3 - (SELECT count(*) FROM aged WHERE priority = 3)))
), due AS MATERIALIZED (
    SELECT id FROM aged
    UNION ALL SELECT id FROM urgent
    UNION ALL SELECT id FROM notices
    UNION ALL SELECT id FROM bulk
)
UPDATE emails
SET state = 'sending', attempts = attempts + 1, fencing_token = fencing_token + 1,
    worker = $6, claimed_at = $7, lease_until = $8
WHERE id IN (SELECT id FROM due)
RETURNING *,
    CASE WHEN EXISTS (SELECT 1 FROM suppressions)
         THEN (SELECT group_concat(reason, ' ') FROM suppressions
               WHERE suppressions.mailbox = emails.mailbox AND (until > $7 OR until IS NULL))
    END AS suppressed";

impl Db {
    /// Claims due emails within these limits.
    pub async fn claim_due(
        &self,
        limits: ClaimLimits,
        worker: &str,
        now: DateTime<Utc>,
    ) -> DbResult<Vec<ClaimedEmail>> {
        self.claim(&ClaimDue { limits, worker, now }).await
    }
}

/// Claims run on a held connection: Postgres plans this statement anew for its first five runs on a connection, which takes as
/// long as a claim, and a pool lets its connections take turns.
struct ClaimDue<'a> {
    limits: ClaimLimits,
    worker: &'a str,
    now: DateTime<Utc>,
}

impl HeldStatement for ClaimDue<'_> {
    type Output = Vec<ClaimedEmail>;

    async fn run(&self, connection: &mut HeldConnection) -> DbResult<Vec<ClaimedEmail>> {
        macro_rules! claim {
            ($sql:expr, $executor:expr) => {
                sqlx::query_as($sql)
                    .bind(self.now + CLOCK_SLACK)
                    .bind(self.limits.emails)
                    .bind(self.limits.bulk)
                    .bind(self.limits.aged)
                    .bind(self.now - AGED_AFTER)
                    .bind(self.worker)
                    .bind(self.now)
                    .bind(self.now + LEASE)
                    .fetch_all($executor)
            };
        }
        within_limit(async {
            Ok(match connection {
                HeldConnection::Postgres(connection) => claim!(CLAIM_DUE_POSTGRES, &mut **connection).await?,
                HeldConnection::Sqlite { writer, .. } => claim!(CLAIM_DUE_SQLITE, &*writer).await?,
            })
        })
        .await
    }
}
