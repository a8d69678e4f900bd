//! The emails that are sent in spite of a bounce, so that a wrong report locks nobody out, and what their acceptance
//! shows.
//!
//! A report may be wrong, and a mailbox may come back. One reset and one verification a day are still sent, and
//! every notice that the address was changed: most can undo the change, which nothing else can. One that a mail server accepts and that
//! does not bounce lifts the entry.

use chrono::{DateTime, TimeDelta, Utc};

use crate::db::emails::claim::ClaimedEmail;
use crate::db::{Db, DbResult, on_db};
use crate::domain::EmailKind;

/// After a reset or a verification was sent in spite of a bounce, the next one waits for so long.
pub(in crate::db) const PASS_EVERY: TimeDelta = TimeDelta::days(1);
/// An accepted email whose bounce has not come after this time has arrived.
const LIFT_AFTER: TimeDelta = TimeDelta::days(3);

/// Changes no row when another email of the kind passed within the day. A further attempt at the same email passes,
/// too, and the day still counts from the first attempt.
const PASS_BOUNCE: &str = "
INSERT INTO suppression_passes AS passed (mailbox, kind, email_id, passed_at)
VALUES ($1, $2, $3, $4)
ON CONFLICT (mailbox, kind) DO UPDATE
SET passed_at = CASE WHEN passed.email_id = excluded.email_id THEN passed.passed_at ELSE excluded.passed_at END,
    email_id = excluded.email_id
WHERE passed.passed_at <= $5 OR passed.email_id = excluded.email_id";

/// An email may lift a bounce for so long, whatever `MAIL_RETENTION_DAYS` says: it is kept until maintenance has looked
/// at it, also after a stop.
pub(in crate::db) const KEEP_TO_LIFT: TimeDelta = TimeDelta::days(4);

/// An email that was claimed before the entry was made lifts nothing: it may be the one that bounced. Neither does one with
/// a report of a soft bounce. One with a report of a delay does: it arrived later.
const LIFT_BOUNCES: &str = "
DELETE FROM suppressions
WHERE reason = 'bounce'
  AND EXISTS (SELECT 1 FROM emails
              WHERE emails.mailbox = suppressions.mailbox AND emails.state = 'sent'
                AND emails.claimed_at > suppressions.created_at AND emails.closed_at <= $1
                AND NOT EXISTS (SELECT 1 FROM email_reports WHERE email_reports.email_id = emails.id AND outcome <> 'delayed'))
RETURNING mailbox";

pub(in crate::db) const PURGE_PASSES: &str = "
DELETE FROM suppression_passes
WHERE (mailbox, kind) IN (SELECT mailbox, kind FROM suppression_passes WHERE passed_at < $1 LIMIT $2)";

impl Db {
    /// Whether this email is sent although its mailbox bounced. Records it where only one a day is sent.
    pub async fn passes_bounce(&self, email: &ClaimedEmail, now: DateTime<Utc>) -> DbResult<bool> {
        match email.kind {
            EmailKind::EmailChanged => Ok(true),
            EmailKind::VerifyEmail | EmailKind::ResetPassword => on_db!(self.writer(), connection => {
                let query = sqlx::query(PASS_BOUNCE).bind(&email.mailbox).bind(email.kind.as_str());
                let query = query.bind(email.id).bind(now).bind(now - PASS_EVERY);
                query.execute(&mut *connection).await?.rows_affected() == 1
            }),
            EmailKind::PasswordChanged
            | EmailKind::ChangeEmail
            | EmailKind::EmailChangeRequested
            | EmailKind::Welcome => Ok(false),
        }
    }

    /// Ends the bounce entries of mailboxes that an email has reached since. Returns the mailboxes.
    pub async fn lift_bounces(&self, now: DateTime<Utc>) -> DbResult<Vec<String>> {
        on_db!(self.writer(), connection => {
            let query = sqlx::query_scalar(LIFT_BOUNCES).bind(now - LIFT_AFTER);
            query.fetch_all(&mut *connection).await?
        })
    }
}
