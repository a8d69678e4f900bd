//! What the relay asks of the table `emails`: who waits unrung, who is past the deadline, what can go.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::postgres::PgConnection;
use sqlx::{ConnectOptions, Connection, Executor};
use uuid::Uuid;

use super::claim::{claimable, known_kinds};
use crate::db::login_throttle::{FORGET_FAILURES_AFTER, KNOWN_NETWORK_FOR};
use crate::db::{Db, DbResult, on_db, read_db, within_limit};
use crate::domain::EmailKind;

/// A bell that came to nothing for this long is rung again.
pub const REENQUEUE_AFTER: TimeDelta = TimeDelta::seconds(10);
/// The reason of a cancelled request for an address that nobody has; such rows go after a day.
pub const NO_ACCOUNT: &str = "no account has this address";
/// The reason of a mail that nobody could send in time.
pub const DEADLINE_PASSED: &str = "deadline passed before the mail could be sent";

/// Postgres' advisory lock of the relay: "bookmail" in ASCII. Locks are per database, so one number serves.
const RELAY_LOCK: i64 = 0x626f_6f6b_6d61_696c;
/// A holder that is frozen, not dead, keeps its connection and with it the seat: the server ends it when nothing
/// was heard for longer than any round of the relay takes.
const FROZEN: &str = "SET idle_session_timeout = '30s'";
/// A seat whose server is silent for longer is given up: it may have vanished, and another taken its place.
const HELD_LIMIT: Duration = Duration::from_secs(5);
/// Rows freed by one statement.
const FREE_BATCH: i64 = 1_000;
/// Rows deleted by one statement: short locks, small transactions.
const PURGE_BATCH: i64 = 5_000;

/// The seat of the one relay that works at a time; it falls free when its connection ends.
#[derive(Debug)]
pub enum Leadership {
    /// The connection that holds the advisory lock.
    Postgres(Box<PgConnection>),
    /// One process serves from a SQLite file: no other could want the seat.
    Sqlite,
}

impl Leadership {
    /// Whether the seat is still held.
    pub async fn is_held(&mut self) -> bool {
        match self {
            Leadership::Postgres(connection) => {
                matches!(tokio::time::timeout(HELD_LIMIT, connection.ping()).await, Ok(Ok(())))
            }
            Leadership::Sqlite => true,
        }
    }

    /// Gives the seat up at once.
    pub async fn leave(self) {
        if let Leadership::Postgres(connection) = self {
            // A failure means that the connection, and with it the lock, is gone already.
            let _ = connection.close().await;
        }
    }
}

/// A mail that was given up because nobody could send it in time.
#[derive(Clone, Copy, Debug, sqlx::FromRow)]
pub struct OverdueEmail {
    /// What it was.
    #[sqlx(try_from = "String")]
    pub kind: EmailKind,
    /// How often a worker was lost while it had it.
    pub lost_leases: i32,
}

/// A mail that is due at `$1`, and for which nobody rang since `$2`.
macro_rules! unrung {
    () => {
        concat!(
            "kind IN ",
            known_kinds!(),
            " AND ",
            claimable!(),
            " AND (enqueued_at IS NULL OR enqueued_at < $2)"
        )
    };
}
macro_rules! ring {
    ($lock:literal, $these:literal) => {
        concat!(
            "WITH due AS MATERIALIZED (SELECT id FROM emails WHERE ",
            unrung!(),
            " ORDER BY due_at LIMIT $3",
            $lock,
            ") UPDATE emails SET enqueued_at = $1 WHERE id ",
            $these,
            " RETURNING id"
        )
    };
}
/// A mail whose worker did not renew its lease. Kinds of other versions are theirs to free.
macro_rules! lost {
    () => {
        concat!("state = 'sending' AND lease_until < $1 AND kind IN ", known_kinds!())
    };
}
macro_rules! lost_ids {
    () => {
        concat!("SELECT id FROM emails WHERE ", lost!(), " ORDER BY lease_until LIMIT $2")
    };
}
/// What is known of an attempt whose worker never came back. Rows of versions without `claimed_at` began at the latest
/// with their lease.
macro_rules! record_lost {
    () => {
        "INSERT INTO email_attempts (email_id, fencing_token, worker, outcome, started_at)
         SELECT id, fencing_token, worker, 'worker_lost', coalesce(claimed_at, lease_until)"
    };
}
/// The fencing_token stays as it is until the next claim: whatever the lost worker still writes needs the state `sending`.
macro_rules! free {
    () => {
        "UPDATE emails SET state = 'queued', lost_leases = lost_leases + 1, enqueued_at = NULL, lease_until = NULL WHERE id IN "
    };
}

impl Db {
    /// Takes the relay's seat if it is free. Its connection is none of the pool's: it lives as long as the seat.
    pub async fn take_leadership(&self) -> DbResult<Option<Leadership>> {
        let Db::Postgres(pool) = self else { return Ok(Some(Leadership::Sqlite)) };
        within_limit(async {
            let mut connection = pool.connect_options().connect().await?;
            let sql = "SELECT pg_try_advisory_lock($1)";
            let taken: bool = sqlx::query_scalar(sql).bind(RELAY_LOCK).fetch_one(&mut connection).await?;
            if taken {
                // Postgres before 14 has no such setting, and is none the worse for being asked.
                let _ = connection.execute(FROZEN).await;
                return Ok(Some(Leadership::Postgres(Box::new(connection))));
            }
            connection.close().await?;
            Ok(None)
        })
        .await
    }

    /// Frees mails whose workers let their leases run out, and records those attempts as lost. Returns how many.
    pub async fn rescue_lost_leases(&self, now: DateTime<Utc>) -> DbResult<u64> {
        within_limit(async {
            match self {
                Db::Postgres(pool) => {
                    let sql = concat!(
                        "WITH lost AS MATERIALIZED (SELECT id, fencing_token, worker, claimed_at, lease_until FROM emails WHERE ",
                        lost!(), " ORDER BY lease_until LIMIT $2 FOR UPDATE SKIP LOCKED), recorded AS (",
                        record_lost!(), " FROM lost ON CONFLICT (email_id, fencing_token) DO NOTHING) ",
                        free!(), "(SELECT id FROM lost)"
                    );
                    Ok(sqlx::query(sql).bind(now).bind(FREE_BATCH).execute(pool).await?.rows_affected())
                }
                // Two statements: SQLite's WITH cannot write.
                Db::Sqlite(sqlite) => {
                    let record = concat!(
                        record_lost!(), " FROM emails WHERE id IN (", lost_ids!(), ") ON CONFLICT (email_id, fencing_token) DO NOTHING"
                    );
                    let free = concat!(free!(), "(", lost_ids!(), ")");
                    let mut tx = sqlite.writer.begin_with("BEGIN IMMEDIATE").await?;
                    sqlx::query(record).bind(now).bind(FREE_BATCH).execute(&mut *tx).await?;
                    let freed = sqlx::query(free).bind(now).bind(FREE_BATCH).execute(&mut *tx).await?;
                    tx.commit().await?;
                    Ok(freed.rows_affected())
                }
            }
        })
        .await
    }

    /// Whether a due mail waits that nobody rang for lately.
    pub async fn any_unenqueued(&self, now: DateTime<Utc>) -> DbResult<bool> {
        let sql = concat!("SELECT EXISTS (SELECT 1 FROM emails WHERE ", unrung!(), ")");
        Ok(read_db!(self, pool => {
            sqlx::query_scalar(sql).bind(now).bind(now - REENQUEUE_AFTER).fetch_one(pool).await?
        }))
    }

    /// Marks up to `limit` such mails as rung and returns their ids, the longest due first. Rows that somebody claims
    /// at this moment are left out: waiting for them, with others locked, ended in deadlocks with closings.
    pub async fn take_unenqueued(&self, limit: i64, now: DateTime<Utc>) -> DbResult<Vec<Uuid>> {
        let since = now - REENQUEUE_AFTER;
        within_limit(async {
            match self {
                Db::Postgres(pool) => {
                    let sql = ring!(" FOR UPDATE SKIP LOCKED", "= ANY (ARRAY(SELECT id FROM due))");
                    Ok(sqlx::query_scalar(sql).bind(now).bind(since).bind(limit).fetch_all(pool).await?)
                }
                Db::Sqlite(sqlite) => {
                    let query = sqlx::query_scalar(ring!("", "IN (SELECT id FROM due)"));
                    Ok(query.bind(now).bind(since).bind(limit).fetch_all(&sqlite.writer).await?)
                }
            }
        })
        .await
    }

    /// Fails, visibly, what nobody could send by its deadline, and returns it.
    pub async fn fail_overdue(&self, now: DateTime<Utc>) -> DbResult<Vec<OverdueEmail>> {
        let sql = concat!(
            "UPDATE emails SET state = 'failed', closed_at = $1, last_error = CASE WHEN last_error IS NULL THEN $2 ELSE $2 || '; last: ' || last_error END
             WHERE state = 'queued' AND deadline_at <= $1 AND kind IN ", known_kinds!(), " RETURNING kind, lost_leases"
        );
        Ok(on_db!(self, pool => {
            sqlx::query_as(sql).bind(now).bind(DEADLINE_PASSED).fetch_all(pool).await?
        }))
    }

    /// Deletes closed mails after `keep`, requests for unknown addresses after a day, sessions that ran out, and
    /// what the login throttle need not know any more.
    /// Returns how many rows went.
    pub async fn purge(&self, keep: TimeDelta, now: DateTime<Utc>) -> DbResult<u64> {
        let closed = "DELETE FROM emails WHERE id IN (SELECT id FROM emails WHERE closed_at < $1 LIMIT $2)";
        let unknown = "DELETE FROM emails WHERE id IN
                         (SELECT id FROM emails WHERE closed_at < $1 AND state = 'cancelled' AND last_error = $3 LIMIT $2)";
        let sessions =
            "DELETE FROM sessions WHERE sid IN (SELECT sid FROM sessions WHERE expires_at < $1 LIMIT $2)";
        let failures = "DELETE FROM login_failures WHERE (mailbox, network) IN
                          (SELECT mailbox, network FROM login_failures WHERE last_failed_at < $1 LIMIT $2)";
        let networks = "DELETE FROM login_networks WHERE (mailbox, network) IN
                          (SELECT mailbox, network FROM login_networks WHERE last_login_at < $1 LIMIT $2)";
        let aged = [
            (closed, now - keep),
            (sessions, now),
            (failures, now - FORGET_FAILURES_AFTER),
            (networks, now - KNOWN_NETWORK_FOR),
        ];
        let mut gone = 0;
        loop {
            let round = on_db!(self, pool => {
                let day_ago = now - TimeDelta::days(1);
                let query = sqlx::query(unknown).bind(day_ago).bind(PURGE_BATCH).bind(NO_ACCOUNT);
                let mut round = query.execute(pool).await?.rows_affected();
                for (sql, before) in aged {
                    let query = sqlx::query(sql).bind(before).bind(PURGE_BATCH);
                    round += query.execute(pool).await?.rows_affected();
                }
                round
            });
            gone += round;
            if round < PURGE_BATCH as u64 {
                return Ok(gone);
            }
        }
    }
}
