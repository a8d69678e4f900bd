//! The table `emails` as a worker sees it: claim, lease, fence.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::types::Json;
use uuid::Uuid;

use super::outbox::MailContext;
use super::{Db, DbResult, on_db, within_limit};
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
                           state = 'sending', attempts = attempts + 1, fence = fence + 1, lease_until = $2, worker = $3,
                           claimed_at = $1 "
    };
}
/// What is known of an attempt whose worker never came back. Rows of versions without `claimed_at` began at the latest
/// with their lease.
macro_rules! record_lost_worker {
    () => {
        "INSERT INTO email_attempts (email_id, fence, worker, outcome, started_at)
         SELECT id, fence, worker, 'worker_lost', coalesce(claimed_at, lease_until) "
    };
}
/// Claims on Postgres, in one statement. MATERIALIZED: asked once. A plain subquery may be planned as a loop that
/// asks again for every row, finds other ones each time, and so claims the whole table.
macro_rules! claim_on_postgres {
    ($which:literal) => {
        concat!(
            "WITH due AS MATERIALIZED (SELECT id, state, fence, worker, claimed_at, lease_until FROM emails WHERE kind IN ",
            known_kinds!(),
            " AND ",
            claimable!(),
            $which,
            "), lost AS (",
            record_lost_worker!(),
            "FROM due WHERE state = 'sending' ON CONFLICT (email_id, fence) DO NOTHING) ",
            claim_set!(),
            "WHERE id IN (SELECT id FROM due) RETURNING *"
        )
    };
}
/// The same on SQLite, as two statements of one transaction: its WITH cannot write.
macro_rules! claim_on_sqlite {
    ($which:literal) => {
        (
            concat!(
                record_lost_worker!(),
                "FROM emails WHERE state = 'sending' AND id IN (",
                which_on_sqlite!($which),
                ") ON CONFLICT (email_id, fence) DO NOTHING"
            ),
            concat!(claim_set!(), "WHERE id IN (", which_on_sqlite!($which), ") RETURNING *"),
        )
    };
}
macro_rules! which_on_sqlite {
    ($which:literal) => {
        concat!("SELECT id FROM emails WHERE kind IN ", known_kinds!(), " AND ", claimable!(), $which)
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
    /// The trace of that request, as W3C `traceparent`; none for mails of versions that knew no traces.
    pub traceparent: Option<String>,
    /// Attempts, this one included.
    pub attempts: i32,
    /// The claim's number: writes of an older claim do not hold.
    pub fence: i64,
    /// Who claimed it.
    pub worker: String,
    /// When.
    pub claimed_at: DateTime<Utc>,
    /// How often a worker was lost while it had this mail.
    pub lost_leases: i32,
    /// How often the mail server's answer was lost after the whole mail was given to it.
    pub lost_answers: i32,
    /// When it was accepted.
    pub created_at: DateTime<Utc>,
    /// When it is given up.
    pub deadline_at: DateTime<Utc>,
}

/// Runs a claim on whichever database there is.
macro_rules! claim_rows {
    ($db:expr, $postgres:expr, $sqlite:expr, $fetch:ident, $now:expr, $worker:expr, $which:expr) => {
        within_limit(async {
            match $db {
                Db::Postgres(pool) => {
                    let query = sqlx::query_as($postgres).bind($now).bind($now + LEASE).bind($worker);
                    Ok(query.bind($which).$fetch(pool).await?)
                }
                Db::Sqlite(sqlite) => {
                    let (record_lost, claim) = $sqlite;
                    let mut tx = sqlite.writer.begin_with("BEGIN IMMEDIATE").await?;
                    let query = sqlx::query(record_lost).bind($now).bind($now + LEASE).bind($worker);
                    query.bind($which).execute(&mut *tx).await?;
                    let query = sqlx::query_as(claim).bind($now).bind($now + LEASE).bind($worker);
                    let claimed = query.bind($which).$fetch(&mut *tx).await?;
                    tx.commit().await?;
                    Ok(claimed)
                }
            }
        })
        .await
    };
}

impl Db {
    /// Claims one mail. `None` when there is nothing to do: sent already, not due, another worker's, unknown.
    pub async fn claim(&self, id: Uuid, worker: &str, now: DateTime<Utc>) -> DbResult<Option<ClaimedMail>> {
        // Waits for whoever has the row locked at this moment, and looks again.
        let postgres = claim_on_postgres!(" AND id = $4 FOR UPDATE");
        let sqlite = claim_on_sqlite!(" AND id = $4");
        claim_rows!(self, postgres, sqlite, fetch_optional, now, worker, id)
    }

    /// Claims up to `limit` due mails, the longest due first.
    pub async fn claim_due(
        &self,
        limit: i64,
        worker: &str,
        now: DateTime<Utc>,
    ) -> DbResult<Vec<ClaimedMail>> {
        let postgres = claim_on_postgres!(" ORDER BY due_at LIMIT $4 FOR UPDATE SKIP LOCKED");
        let sqlite = claim_on_sqlite!(" ORDER BY due_at LIMIT $4");
        claim_rows!(self, postgres, sqlite, fetch_all, now, worker, limit)
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
