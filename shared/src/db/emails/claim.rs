//! The table `emails` as a worker sees it: claim, lease, fencing_token.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::types::Json;
use uuid::Uuid;

use super::enqueue::EmailContext;
use crate::db::held_connection::HeldConnection;
use crate::db::{Db, DbResult, on_db, within_limit};
use crate::domain::EmailKind;

/// How long a claim holds without renewal.
pub const LEASE: TimeDelta = TimeDelta::seconds(15);

/// The kinds that this version knows, for SQL: rows of others are left for workers who know them.
macro_rules! known_kinds {
    () => {
        "('verify_email', 'reset_password', 'password_changed', 'change_email', 'email_change_requested', 'welcome')"
    };
}
/// A row that may be claimed at `$1`. One whose worker was lost is made so by the relay ([`Db::rescue_lost_leases`]).
macro_rules! claimable {
    () => {
        "state = 'queued' AND due_at <= $1"
    };
}
pub(in crate::db) use {claimable, known_kinds};

/// A mail that this worker may send until its lease runs out.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct ClaimedEmail {
    /// The row's id; the Message-ID is made from it, so that copies can be told as such.
    pub id: Uuid,
    /// What it is.
    #[sqlx(try_from = "String")]
    pub kind: EmailKind,
    /// The address as submitted.
    pub recipient: String,
    /// The address's canonical form.
    pub mailbox: String,
    /// The account it is about; none for requests by address and for welcome mails.
    pub user_uid: Option<Uuid>,
    /// What its template needs.
    pub context: Json<EmailContext>,
    /// The request that asked for it.
    pub request_id: Option<String>,
    /// The trace of that request, as W3C `traceparent`; none for mails of versions that knew no traces.
    pub traceparent: Option<String>,
    /// Attempts, this one included.
    pub attempts: i32,
    /// The claim's number: writes of an older claim do not hold.
    pub fencing_token: i64,
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

/// Every claim is a new fencing_token. The rows are asked for once (MATERIALIZED): a plain subquery may be planned as a loop
/// that asks again for every row, finds other ones each time, and so claims the whole table.
macro_rules! claim_rows {
    ($lock:literal, $these:literal) => {
        concat!(
            "WITH due AS MATERIALIZED (SELECT id FROM emails WHERE kind IN ",
            known_kinds!(),
            " AND ",
            claimable!(),
            " ORDER BY due_at LIMIT $4",
            $lock,
            ") UPDATE emails SET state = 'sending', attempts = attempts + 1, fencing_token = fencing_token + 1, lease_until = $2,
                                 worker = $3, claimed_at = $1
               WHERE id ",
            $these,
            " RETURNING *"
        )
    };
}
macro_rules! renew {
    ($which:literal) => {
        concat!(
            "UPDATE emails SET lease_until = $1 WHERE state = 'sending' AND worker = $2 AND id ",
            $which,
            " RETURNING id, fencing_token"
        )
    };
}
macro_rules! leased {
    ($which:literal) => {
        concat!(
            "SELECT id, fencing_token FROM emails WHERE state = 'sending' AND lease_until >= $1 AND id ",
            $which
        )
    };
}

impl HeldConnection {
    /// Claims up to `limit` due mails, the longest due first.
    pub async fn claim_due(
        &mut self,
        limit: i64,
        worker: &str,
        now: DateTime<Utc>,
    ) -> DbResult<Vec<ClaimedEmail>> {
        let until = now + LEASE;
        within_limit(async {
            match self {
                HeldConnection::Postgres(connection) => {
                    // As an array: of a join with a LIMIT that it does not know, the planner expects a tenth of the table.
                    let sql = claim_rows!(" FOR UPDATE SKIP LOCKED", "= ANY (ARRAY(SELECT id FROM due))");
                    let query = sqlx::query_as(sql).bind(now).bind(until).bind(worker).bind(limit);
                    Ok(query.fetch_all(&mut **connection).await?)
                }
                HeldConnection::Sqlite(sqlite) => {
                    let sql = claim_rows!("", "IN (SELECT id FROM due)");
                    let query = sqlx::query_as(sql).bind(now).bind(until).bind(worker).bind(limit);
                    Ok(query.fetch_all(&sqlite.writer).await?)
                }
            }
        })
        .await
    }

    /// The fencing_token: of these mails, the ids and fencing_tokens of those whose leases last until `until` at least. Right before
    /// DATA, nobody else can have claimed them by then.
    pub async fn leased_until(&mut self, ids: &[Uuid], until: DateTime<Utc>) -> DbResult<Vec<(Uuid, i64)>> {
        within_limit(async {
            match self {
                HeldConnection::Postgres(connection) => {
                    let query = sqlx::query_as(leased!("= ANY($2)")).bind(until).bind(ids);
                    Ok(query.fetch_all(&mut **connection).await?)
                }
                HeldConnection::Sqlite(sqlite) => {
                    let mut leased = Vec::with_capacity(ids.len());
                    for id in ids {
                        let query = sqlx::query_as(leased!("= $2")).bind(until).bind(id);
                        let one: Option<(Uuid, i64)> = query.fetch_optional(&sqlite.reader).await?;
                        leased.extend(one);
                    }
                    Ok(leased)
                }
            }
        })
        .await
    }
}

impl Db {
    /// Renews the leases of claims that still hold, in one statement, and returns their ids and fencing_tokens.
    pub async fn renew_leases(
        &self,
        ids: &[Uuid],
        worker: &str,
        now: DateTime<Utc>,
    ) -> DbResult<Vec<(Uuid, i64)>> {
        let until = now + LEASE;
        within_limit(async {
            match self {
                Db::Postgres(pool) => {
                    let query = sqlx::query_as(renew!("= ANY($3)")).bind(until).bind(worker).bind(ids);
                    Ok(query.fetch_all(pool).await?)
                }
                Db::Sqlite(sqlite) => {
                    let mut tx = sqlite.writer.begin_with("BEGIN IMMEDIATE").await?;
                    let mut renewed = Vec::with_capacity(ids.len());
                    for id in ids {
                        let query = sqlx::query_as(renew!("= $3")).bind(until).bind(worker).bind(id);
                        let one: Option<(Uuid, i64)> = query.fetch_optional(&mut *tx).await?;
                        renewed.extend(one);
                    }
                    tx.commit().await?;
                    Ok(renewed)
                }
            }
        })
        .await
    }

    /// The fencing_token where a lease is short: whether this claim still holds. Renews the lease when it does.
    pub async fn hold_claim(&self, id: Uuid, fencing_token: i64, now: DateTime<Utc>) -> DbResult<bool> {
        let sql =
            "UPDATE emails SET lease_until = $3 WHERE id = $1 AND fencing_token = $2 AND state = 'sending'";
        let done = on_db!(self, pool => {
            sqlx::query(sql).bind(id).bind(fencing_token).bind(now + LEASE).execute(pool).await?.rows_affected()
        });
        Ok(done == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kinds_in_sql_are_the_kinds_of_the_enum() {
        let listed = EmailKind::ALL.map(|kind| format!("'{kind}'")).join(", ");
        assert_eq!(known_kinds!(), format!("({listed})"));
    }
}
