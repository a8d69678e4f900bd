//! Whether the database can serve requests, for `/health/ready`.

use std::time::Duration;

use super::{Db, DbResult, Pools, in_transaction, on_db};

/// The longest time for the probe.
const PROBE_LIMIT: Duration = Duration::from_secs(2);
/// More than the pages that any request of this program adds to the tables and their indexes, so that a request finds
/// room where this did.
const TRIAL_BYTES: usize = 256 * 1024;

/// Only a server that can serve all requests counts: a replica answers, too.
pub(super) const IS_WRITABLE_POSTGRES: &str = "SELECT current_setting('transaction_read_only') = 'off'";
const IS_REACHABLE_SQLITE: &str = "SELECT true";

const TRY_TO_WRITE: &str = "INSERT INTO write_trials (filler) VALUES ($1)";
const REMOVE_TRIALS: &str = "DELETE FROM write_trials";

impl Db {
    /// Whether the database answers within two seconds, and can be written.
    ///
    /// It is asked, not written. Only after a statement met a full or broken disk each probe tries to write, until that
    /// succeeds: no request may come to try it while this process counts as not ready.
    pub async fn is_ready(&self) -> bool {
        let ready = async { self.answers().await && self.has_storage().await };
        tokio::time::timeout(PROBE_LIMIT, ready).await.unwrap_or(false)
    }

    async fn answers(&self) -> bool {
        let sql = match self.pools {
            Pools::Postgres(_) => IS_WRITABLE_POSTGRES,
            Pools::Sqlite { .. } => IS_REACHABLE_SQLITE,
        };
        let answer: DbResult<bool> = on_db!(self.reader(), connection => {
            sqlx::query_scalar(sql).fetch_one(&mut *connection).await?
        });
        answer.unwrap_or(false)
    }

    async fn has_storage(&self) -> bool {
        if !self.storage.is_doubted() {
            return true;
        }
        // Probes at the same time do not write as well: anyone may ask.
        let Ok(_trial) = self.storage.trial.try_lock() else { return false };
        match self.try_to_write().await {
            Err(error) if error.doubts_storage() || error.is_unavailable() => return false,
            Err(error) => {
                tracing::warn!(%error, "readiness cannot try to write: the role needs INSERT and DELETE on write_trials")
            }
            Ok(()) => {}
        }
        self.storage.trust();
        true
    }

    /// Makes both databases take more room. A small change would fit into a page that is there. The room can be used again:
    /// in SQLite at once, in Postgres by the next trial, and by other tables after a vacuum.
    async fn try_to_write(&self) -> DbResult<()> {
        // Random, because a file system may compress.
        let filler: Vec<u8> = rand::random_iter().take(TRIAL_BYTES).collect();
        match self.pools {
            // One transaction: without the right to remove the row, none is left.
            Pools::Postgres(_) => in_transaction!(self, tx => {
                sqlx::query(TRY_TO_WRITE).bind(filler).execute(&mut *tx).await?;
                sqlx::query(REMOVE_TRIALS).execute(&mut *tx).await.map(drop)?
            }),
            // SQLite does not write a row that its own transaction removes.
            Pools::Sqlite { .. } => on_db!(self.writer(), connection => {
                sqlx::query(TRY_TO_WRITE).bind(filler).execute(&mut *connection).await?;
                sqlx::query(REMOVE_TRIALS).execute(&mut *connection).await.map(drop)?
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::db::emails::insert::NewEmail;
    use crate::domain::{EmailAddress, EmailKind};

    async fn emails(db: &Db, count: usize) -> DbResult<()> {
        let address = EmailAddress::parse("ann@example.org").unwrap();
        for _ in 0..count {
            let now = DateTime::from_timestamp(1_767_225_600, 0).unwrap();
            db.insert_emails(&[NewEmail::new(EmailKind::Welcome, &address, now)]).await?;
        }
        Ok(())
    }

    /// Stands for the size of the disk: `SQLITE_FULL` is the answer to both.
    async fn limit_pages(db: &Db, pages: &str) {
        let Pools::Sqlite { writer, .. } = &db.pools else { panic!("SQLite") };
        let sql = format!("PRAGMA max_page_count = {pages}");
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(writer).await.unwrap();
    }

    async fn trials(db: &Db) -> i64 {
        let count: DbResult<i64> = on_db!(db.reader(), connection => {
            sqlx::query_scalar("SELECT count(*) FROM write_trials").fetch_one(&mut *connection).await?
        });
        count.unwrap()
    }

    #[tokio::test]
    async fn on_a_full_disk_it_is_not_ready_until_there_is_room_for_a_request_again() {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::sqlite(folder.path()).await.unwrap();
        assert!(db.is_ready().await);
        limit_pages(&db, "1").await;
        let refused = emails(&db, 1_000).await.unwrap_err();
        assert!(refused.is_unavailable(), "{refused}");
        for _ in 0..3 {
            // The limit is the connection's, and one that failed may have been replaced.
            limit_pages(&db, "1").await;
            assert!(!db.is_ready().await, "no request can write");
        }
        limit_pages(&db, "1000000").await;
        assert!(db.is_ready().await, "without a request that came first");
        emails(&db, 1).await.unwrap();
        assert!(db.is_ready().await);
        assert_eq!(trials(&db).await, 0);
    }

    /// A refusal of another kind, such as a unique constraint, says nothing about the disk.
    #[tokio::test]
    async fn other_errors_are_not_tried_again_by_a_write() {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::sqlite(folder.path()).await.unwrap();
        let wrong: DbResult<()> = on_db!(db.writer(), connection => {
            sqlx::query("INSERT INTO write_trials (filler) VALUES (NULL)").execute(&mut *connection).await.map(drop)?
        });
        assert!(!wrong.unwrap_err().doubts_storage());
        limit_pages(&db, "1").await;
        assert!(db.is_ready().await, "no write was tried");
    }
}
