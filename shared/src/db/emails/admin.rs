//! What an operator asks of the table `emails`: where is her mail, try it again, do not send it.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{FromRow, QueryBuilder};
use uuid::Uuid;

use super::claim::known_kinds;
use super::enqueue::deadline_of;
use crate::db::{Db, DbResult, on_db, read_db};
use crate::domain::{EmailKind, EmailState};

/// The reason of a mail that was cancelled by hand.
pub const CANCELLED_BY_HAND: &str = "cancelled by an operator";
/// Ids are made with the clock of the API's machine, rows are dated by the database's: no two are further apart.
const CLOCKS_APART: TimeDelta = TimeDelta::days(1);

/// A row of `emails`, for people. `kind` and `state` are text: they may be a newer version's.
#[derive(Clone, Debug, FromRow)]
pub struct EmailRow {
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
    /// The mail server's reply to the mail it accepted.
    pub reply: Option<String>,
    /// The request that asked for it.
    pub request_id: Option<String>,
    /// The trace of that request, as W3C `traceparent`.
    pub traceparent: Option<String>,
    /// When it was accepted.
    pub created_at: DateTime<Utc>,
    /// When it was sent, failed or cancelled.
    pub closed_at: Option<DateTime<Utc>>,
}

/// Which rows are meant. Empty fields mean all.
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
    /// Rows with smaller ids, that is, the next page of a list.
    pub before: Option<Uuid>,
}

/// Adds a filter's conditions. The state stands in the text, not in a value, so that partial indices serve.
macro_rules! push_filter {
    ($query:expr, $filter:expr) => {{
        let filter: &EmailFilter = $filter;
        if let Some(state) = filter.state {
            $query.push(" AND state = '").push(state.as_str()).push("'");
        }
        if let Some(kind) = &filter.kind {
            $query.push(" AND kind = ").push_bind(kind.clone());
        }
        if let Some(mailbox) = &filter.mailbox {
            $query.push(" AND mailbox = ").push_bind(mailbox.clone());
        }
        if let Some(since) = filter.since {
            $query.push(" AND created_at >= ").push_bind(since);
            $query.push(" AND id >= ").push_bind(first_id_at(since - CLOCKS_APART));
        }
        if let Some(before) = filter.before {
            $query.push(" AND id < ").push_bind(before);
        }
    }};
}

/// Begins the UPDATE that queues a failed mail once more, as if it had been accepted now.
macro_rules! push_retry {
    ($query:expr, $now:expr) => {{
        $query.push(
            "UPDATE emails SET state = 'queued', attempts = 0, lost_leases = 0, lost_answers = 0, due_at = ",
        );
        $query.push_bind($now).push(", enqueued_at = NULL, closed_at = NULL, deadline_at = CASE kind");
        for kind in EmailKind::ALL {
            $query.push(" WHEN ").push_bind(kind.as_str()).push(" THEN ").push_bind($now + deadline_of(kind));
        }
        $query.push(" ELSE deadline_at END");
    }};
}

impl Db {
    /// The newest mails that fit, at most `limit`.
    pub async fn list_emails(&self, filter: &EmailFilter, limit: i64) -> DbResult<Vec<EmailRow>> {
        Ok(read_db!(self, pool => {
            let mut query = QueryBuilder::new("SELECT * FROM emails WHERE true");
            push_filter!(query, filter);
            query.push(" ORDER BY id DESC LIMIT ").push_bind(limit);
            query.build_query_as().fetch_all(pool).await?
        }))
    }

    /// One mail.
    pub async fn mail(&self, id: Uuid) -> DbResult<Option<EmailRow>> {
        let sql = "SELECT * FROM emails WHERE id = $1";
        Ok(read_db!(self, pool => sqlx::query_as(sql).bind(id).fetch_optional(pool).await?))
    }

    /// Queues a failed mail once more, with a new deadline. Returns whether it was failed, and of a kind that this
    /// version knows.
    pub async fn retry_email(&self, id: Uuid, now: DateTime<Utc>) -> DbResult<bool> {
        Ok(on_db!(self, pool => {
            let mut query = QueryBuilder::new("");
            push_retry!(query, now);
            query.push(" WHERE id = ").push_bind(id).push(" AND state = 'failed' AND kind IN ").push(known_kinds!());
            query.build().execute(pool).await?.rows_affected() == 1
        }))
    }

    /// Queues up to `limit` failed mails that fit once more, the newest first. The state of the filter does not
    /// count. Returns their ids; the smallest is where the next batch goes on.
    pub async fn retry_failed(
        &self,
        filter: &EmailFilter,
        limit: i64,
        now: DateTime<Utc>,
    ) -> DbResult<Vec<Uuid>> {
        let failed = EmailFilter { state: Some(EmailState::Failed), ..filter.clone() };
        Ok(on_db!(self, pool => {
            let mut query = QueryBuilder::new("");
            push_retry!(query, now);
            query.push(" WHERE state = 'failed' AND id IN (SELECT id FROM emails WHERE kind IN ");
            query.push(known_kinds!());
            push_filter!(query, &failed);
            query.push(" ORDER BY id DESC LIMIT ").push_bind(limit).push(") RETURNING id");
            query.build_query_scalar().fetch_all(pool).await?
        }))
    }

    /// Cancels a mail that waits. Returns whether it waited: one that a worker has may be on its way already.
    pub async fn cancel_email(&self, id: Uuid, now: DateTime<Utc>) -> DbResult<bool> {
        let sql = "UPDATE emails SET state = 'cancelled', last_error = $2, closed_at = $3
                   WHERE id = $1 AND state = 'queued'";
        let done = on_db!(self, pool => {
            sqlx::query(sql).bind(id).bind(CANCELLED_BY_HAND).bind(now).execute(pool).await?.rows_affected()
        });
        Ok(done == 1)
    }
}

/// The smallest id that a UUIDv7 made at `time` can have.
fn first_id_at(time: DateTime<Utc>) -> Uuid {
    let millis = u64::try_from(time.timestamp_millis()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid()
}
