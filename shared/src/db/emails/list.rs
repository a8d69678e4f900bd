//! Emails for an operator: those that a filter selects, and one by its id.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use sqlx::FromRow;
use uuid::Uuid;

use crate::db::{Db, DbResult, on_db, one_more, split_off_more};
use crate::domain::EmailState;

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
    pub(super) fn since(&self) -> DateTime<Utc> {
        self.since.unwrap_or(DateTime::UNIX_EPOCH)
    }

    /// The smallest id that the wanted rows can have: a list in the order of ids ends there.
    pub(super) fn first_id(&self) -> Uuid {
        let millis = (self.since() - MAX_CLOCK_DIFFERENCE).timestamp_millis();
        let millis = u64::try_from(millis).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid()
    }

    pub(super) fn before(&self) -> Uuid {
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
