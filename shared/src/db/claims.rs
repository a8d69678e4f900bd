//! The table `emails` as a worker sees it: claim, lease, fence, and the five ways to close an attempt.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::types::Json;
use uuid::Uuid;

use super::outbox::MailContext;
use super::{Db, DbResult, in_transaction, on_db};
use crate::domain::MailKind;

/// How long a claim holds without renewal.
pub const LEASE: TimeDelta = TimeDelta::seconds(15);

/// The kinds that this version knows, for SQL: rows of others are left for workers who know them.
macro_rules! known_kinds {
    () => {
        "('verify_email', 'reset_password', 'password_changed', 'change_email', 'email_change_requested', 'welcome')"
    };
}
/// A row that may be claimed at `$1`: queued and due, or its worker's lease ran out.
macro_rules! claimable {
    () => {
        "((state = 'queued' AND due_at <= $1) OR (state = 'sending' AND lease_until < $1))"
    };
}
/// Every claim is a new fence; one that takes over a lost lease counts it.
macro_rules! claim_set {
    () => {
        "UPDATE emails SET lost_leases = lost_leases + (CASE WHEN state = 'sending' THEN 1 ELSE 0 END),
                           state = 'sending', attempts = attempts + 1, fence = fence + 1, lease_until = $2, worker = $3 "
    };
}
pub(super) use {claimable, known_kinds};

/// A mail that this worker may send until its lease runs out.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct ClaimedMail {
    /// The row's id; the Message-ID is made from it, so that copies can be told as such.
    pub id: Uuid,
    /// What it is.
    #[sqlx(try_from = "String")]
    pub kind: MailKind,
    /// The address as submitted.
    pub recipient: String,
    /// The address's canonical form.
    pub mailbox: String,
    /// The account it is about; none for requests by address and for welcome mails.
    pub user_uid: Option<Uuid>,
    /// What its template needs.
    pub context: Json<MailContext>,
    /// The request that asked for it.
    pub request_id: Option<String>,
    /// Attempts, this one included.
    pub attempts: i32,
    /// The claim's number: writes of an older claim do not hold.
    pub fence: i64,
    /// How often a worker was lost while it had this mail.
    pub lost_leases: i32,
    /// How often the mail server's answer was lost after the whole mail was given to it.
    pub lost_answers: i32,
    /// When it was accepted.
    pub created_at: DateTime<Utc>,
    /// When it is given up.
    pub deadline_at: DateTime<Utc>,
}

impl Db {
    /// Claims one mail. `None` when there is nothing to do: sent already, not due, another worker's, unknown.
    pub async fn claim(&self, id: Uuid, worker: &str, now: DateTime<Utc>) -> DbResult<Option<ClaimedMail>> {
        let sql = concat!(
            claim_set!(),
            "WHERE id = $4 AND kind IN ",
            known_kinds!(),
            " AND ",
            claimable!(),
            " RETURNING *"
        );
        Ok(on_db!(self, pool => {
            sqlx::query_as(sql).bind(now).bind(now + LEASE).bind(worker).bind(id).fetch_optional(pool).await?
        }))
    }

    /// Claims up to `limit` due mails, the longest due first.
    pub async fn claim_due(
        &self,
        limit: i64,
        worker: &str,
        now: DateTime<Utc>,
    ) -> DbResult<Vec<ClaimedMail>> {
        let due = match self {
            // MATERIALIZED: asked once. A plain subquery may be planned as a loop that asks again for every row,
            // finds other ones each time, and so claims the whole table.
            Db::Postgres(_) => concat!(
                "WITH due AS MATERIALIZED (SELECT id FROM emails WHERE kind IN ",
                known_kinds!(),
                " AND ",
                claimable!(),
                " ORDER BY due_at LIMIT $4 FOR UPDATE SKIP LOCKED) ",
                claim_set!(),
                "WHERE id IN (SELECT id FROM due) RETURNING *"
            ),
            Db::Sqlite(_) => concat!(
                claim_set!(),
                "WHERE id IN (SELECT id FROM emails WHERE kind IN ",
                known_kinds!(),
                " AND ",
                claimable!(),
                " ORDER BY due_at LIMIT $4) RETURNING *"
            ),
        };
        Ok(on_db!(self, pool => {
            sqlx::query_as(due).bind(now).bind(now + LEASE).bind(worker).bind(limit).fetch_all(pool).await?
        }))
    }

    /// Renews the leases of claims that still hold, in one statement, and returns their ids and fences.
    pub async fn renew_leases(
        &self,
        ids: &[Uuid],
        worker: &str,
        now: DateTime<Utc>,
    ) -> DbResult<Vec<(Uuid, i64)>> {
        let places = (3..3 + ids.len()).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ");
        let sql = format!(
            "UPDATE emails SET lease_until = $1 WHERE state = 'sending' AND worker = $2 AND id IN ({places}) RETURNING id, fence"
        );
        Ok(on_db!(self, pool => {
            // The text is made of numbers only.
            let mut query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(now + LEASE).bind(worker);
            for id in ids {
                query = query.bind(id);
            }
            query.fetch_all(pool).await?
        }))
    }

    /// The fence: whether this claim still holds, asked right before DATA. Renews the lease when it does.
    pub async fn hold_claim(&self, mail: &ClaimedMail, now: DateTime<Utc>) -> DbResult<bool> {
        let sql = "UPDATE emails SET lease_until = $3 WHERE id = $1 AND fence = $2 AND state = 'sending'";
        let done = on_db!(self, pool => {
            sqlx::query(sql).bind(mail.id).bind(mail.fence).bind(now + LEASE).execute(pool).await?.rows_affected()
        });
        Ok(done == 1)
    }

    /// Records that the mail server took the mail. Holds whichever claim earned it: a 250 is a fact.
    pub async fn close_sent(&self, mail: &ClaimedMail, reply: &str, now: DateTime<Utc>) -> DbResult<()> {
        let sql = "UPDATE emails SET state = 'sent', closed_at = $2, reply = $3, last_error = NULL, lease_until = NULL
                   WHERE id = $1 AND state <> 'sent'";
        on_db!(self, pool => sqlx::query(sql).bind(mail.id).bind(now).bind(reply).execute(pool).await?.rows_affected());
        Ok(())
    }

    /// Gives a mail up, with the reason. Returns whether this claim still held.
    pub async fn close_failed(&self, mail: &ClaimedMail, reason: &str, now: DateTime<Utc>) -> DbResult<bool> {
        self.close_as(mail, "failed", reason, now).await
    }

    /// Drops a mail that makes no sense any more, with the reason. Returns whether this claim still held.
    pub async fn close_cancelled(
        &self,
        mail: &ClaimedMail,
        reason: &str,
        now: DateTime<Utc>,
    ) -> DbResult<bool> {
        self.close_as(mail, "cancelled", reason, now).await
    }

    async fn close_as(
        &self,
        mail: &ClaimedMail,
        state: &str,
        reason: &str,
        now: DateTime<Utc>,
    ) -> DbResult<bool> {
        let sql = "UPDATE emails SET state = $3, last_error = $4, closed_at = $5, lease_until = NULL
                   WHERE id = $1 AND fence = $2 AND state = 'sending'";
        let done = on_db!(self, pool => {
            let query = sqlx::query(sql).bind(mail.id).bind(mail.fence).bind(state).bind(reason).bind(now);
            query.execute(pool).await?.rows_affected()
        });
        Ok(done == 1)
    }

    /// Puts a mail back for another attempt at `due_at`. Returns whether this claim still held.
    pub async fn retry_later(&self, mail: &ClaimedMail, retry: &Retry<'_>) -> DbResult<bool> {
        let sql = "UPDATE emails SET state = 'queued', due_at = $3, last_error = $4, rung_at = NULL, lease_until = NULL,
                          attempts = attempts - $5, lost_answers = lost_answers + $6
                   WHERE id = $1 AND fence = $2 AND state = 'sending'";
        in_transaction!(self, tx => {
            let done = sqlx::query(sql)
                .bind(mail.id)
                .bind(mail.fence)
                .bind(retry.due_at)
                .bind(retry.error)
                .bind(i32::from(!retry.counts))
                .bind(i32::from(retry.answer_lost))
                .execute(&mut *tx)
                .await?;
            done.rows_affected() == 1
        })
    }
}

/// How a mail is put back.
#[derive(Debug)]
pub struct Retry<'a> {
    /// When it is due again.
    pub due_at: DateTime<Utc>,
    /// Why, for the operator.
    pub error: &'a str,
    /// Whether the attempt counts: not while the mail server as a whole cannot be reached.
    pub counts: bool,
    /// Whether the mail was given to the server and its answer was lost.
    pub answer_lost: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kinds_in_sql_are_the_kinds_of_the_enum() {
        let listed = MailKind::ALL.map(|kind| format!("'{kind}'")).join(", ");
        assert_eq!(known_kinds!(), format!("({listed})"));
    }
}
