//! What an operator asks of the table `emails`: where is her mail, and try it again.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use uuid::Uuid;

use super::outbox::deadline_of;
use super::{Db, DbResult, on_db, read_db};
use crate::domain::MailKind;

/// A row of `emails`, for people. `kind` is text: it may be a newer version's.
#[derive(Clone, Debug, FromRow)]
pub struct MailRow {
    /// The row's id.
    pub id: Uuid,
    /// What it is.
    pub kind: String,
    /// To whom.
    pub recipient: String,
    /// `queued`, `sending`, `sent`, `failed` or `cancelled`.
    pub state: String,
    /// How often it was tried.
    pub attempts: i32,
    /// How often a worker was lost while it had this mail.
    pub lost_leases: i32,
    /// How often the mail server's answer was lost.
    pub lost_answers: i32,
    /// When it is, or was, due.
    pub due_at: DateTime<Utc>,
    /// When it is given up.
    pub deadline_at: DateTime<Utc>,
    /// The worker that has, or had, it last.
    pub worker: Option<String>,
    /// Why it is not sent.
    pub last_error: Option<String>,
    /// The mail server's words to the mail it accepted.
    pub reply: Option<String>,
    /// The request that asked for it.
    pub request_id: Option<String>,
    /// When it was accepted.
    pub created_at: DateTime<Utc>,
    /// When it was sent, failed or cancelled.
    pub closed_at: Option<DateTime<Utc>>,
}

/// Which rows to list. Empty fields ask for all.
#[derive(Clone, Debug, Default)]
pub struct MailFilter {
    /// Rows in this state.
    pub state: Option<String>,
    /// Rows to this mailbox, in its canonical form.
    pub mailbox: Option<String>,
    /// At most this many, newest first.
    pub limit: i64,
}

impl Db {
    /// The newest mails that fit.
    pub async fn list_mails(&self, filter: &MailFilter) -> DbResult<Vec<MailRow>> {
        let sql = "SELECT * FROM emails WHERE ($1 IS NULL OR state = $1) AND ($2 IS NULL OR mailbox = $2)
                   ORDER BY id DESC LIMIT $3";
        Ok(read_db!(self, pool => {
            let query = sqlx::query_as(sql).bind(filter.state.as_deref()).bind(filter.mailbox.as_deref());
            query.bind(filter.limit).fetch_all(pool).await?
        }))
    }

    /// One mail.
    pub async fn mail(&self, id: Uuid) -> DbResult<Option<MailRow>> {
        let sql = "SELECT * FROM emails WHERE id = $1";
        Ok(read_db!(self, pool => sqlx::query_as(sql).bind(id).fetch_optional(pool).await?))
    }

    /// Queues a failed mail once more, with a new deadline. Returns whether it was failed.
    pub async fn retry_mail(&self, id: Uuid, kind: MailKind, now: DateTime<Utc>) -> DbResult<bool> {
        let sql = "UPDATE emails SET state = 'queued', attempts = 0, lost_leases = 0, lost_answers = 0, due_at = $2,
                          deadline_at = $3, rung_at = NULL, closed_at = NULL
                   WHERE id = $1 AND state = 'failed'";
        let done = on_db!(self, pool => {
            sqlx::query(sql).bind(id).bind(now).bind(now + deadline_of(kind)).execute(pool).await?.rows_affected()
        });
        Ok(done == 1)
    }
}
