//! The database: one door to Postgres and SQLite, a file per table, and what must be atomic as one function.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::{PgPool, SqlitePool};

pub mod accounts;
pub mod batch;
pub mod books;
mod connect;
pub mod emails;
mod error;
pub mod held_connection;
pub mod inspect;
pub mod login_throttle;
mod migrate;
pub mod sessions;
pub mod users;

pub use connect::{ConnectError, DataDirLock, DbUser, data_dir_is_in_use, lock_data_dir};
pub use error::DbError;
pub use migrate::Migrations;

/// A database call's result.
pub type DbResult<T> = Result<T, DbError>;

/// How long a liveness probe of the database may take.
const PING_LIMIT: Duration = Duration::from_secs(2);
/// How long one function of this module may work, the wait for a connection included: less than a request may
/// take, so that its client is told 503. A server that vanished leaves a connection that is silent for a
/// quarter of an hour (`tcp_retries2`), and sqlx waits as long as the connection lives.
const WORK_LIMIT: Duration = Duration::from_secs(20);
/// How long connections may take to say goodbye when the process stops.
const CLOSE_LIMIT: Duration = Duration::from_secs(5);

/// The database, whichever it is. Cheap to clone.
#[derive(Clone, Debug)]
pub enum Db {
    /// A Postgres server.
    Postgres(PgPool),
    /// A file of this machine.
    Sqlite(SqliteDb),
}

/// SQLite: many readers beside one writer, which is what its locking allows.
#[derive(Clone, Debug)]
pub struct SqliteDb {
    reader: SqlitePool,
    writer: SqlitePool,
}

/// Runs one body on whichever database there is; each arm is compiled for its own driver.
macro_rules! on_db {
    ($db:expr, $pool:ident => $body:expr) => {
        $crate::db::within_limit(async {
            Ok::<_, $crate::db::DbError>(match $db {
                $crate::db::Db::Postgres($pool) => $body,
                $crate::db::Db::Sqlite(sqlite) => {
                    let $pool = &sqlite.writer;
                    $body
                }
            })
        })
        .await?
    };
}

/// The same for bodies that only read.
macro_rules! read_db {
    ($db:expr, $pool:ident => $body:expr) => {
        $crate::db::within_limit(async {
            Ok::<_, $crate::db::DbError>(match $db {
                $crate::db::Db::Postgres($pool) => $body,
                $crate::db::Db::Sqlite(sqlite) => {
                    let $pool = &sqlite.reader;
                    $body
                }
            })
        })
        .await?
    };
}

/// Runs one body in a transaction, committed when the body ends with `Ok`. SQLite takes the write lock
/// at once (`BEGIN IMMEDIATE`): a lock taken later could fail in the middle.
macro_rules! in_transaction {
    ($db:expr, $tx:ident => $body:expr) => {
        $crate::db::within_limit(async {
            match $db {
                $crate::db::Db::Postgres(pool) => {
                    let mut $tx = pool.begin().await?;
                    let value = $body;
                    $tx.commit().await?;
                    Ok(value)
                }
                $crate::db::Db::Sqlite(sqlite) => {
                    let mut $tx = sqlite.writer.begin_with("BEGIN IMMEDIATE").await?;
                    let value = $body;
                    $tx.commit().await?;
                    Ok(value)
                }
            }
        })
        .await
    };
}

pub(crate) use {in_transaction, on_db, read_db};

/// Gives up after [`WORK_LIMIT`]; what was done by then may or may not hold, as when a connection breaks.
pub(crate) async fn within_limit<T>(work: impl Future<Output = DbResult<T>>) -> DbResult<T> {
    tokio::time::timeout(WORK_LIMIT, work).await.unwrap_or_else(|_| Err(DbError::silent()))
}

impl Db {
    /// The database server's time; `None` for SQLite, which has no clock of its own.
    pub(crate) async fn time(&self) -> DbResult<Option<DateTime<Utc>>> {
        match self {
            Db::Postgres(pool) => {
                let asked =
                    async { Ok(sqlx::query_scalar("SELECT clock_timestamp()").fetch_one(pool).await?) };
                within_limit(asked).await.map(Some)
            }
            Db::Sqlite(_) => Ok(None),
        }
    }

    /// Whether the database answers, within two seconds.
    pub async fn is_reachable(&self) -> bool {
        let asked = async {
            read_db!(self, pool => sqlx::query("SELECT 1").execute(pool).await.map(|_| ())?);
            DbResult::Ok(())
        };
        matches!(tokio::time::timeout(PING_LIMIT, asked).await, Ok(Ok(())))
    }

    /// Closes the connections, waiting for those in use, but not for a server that is silent.
    pub async fn close(&self) {
        let closed = async {
            match self {
                Db::Postgres(pool) => pool.close().await,
                Db::Sqlite(sqlite) => {
                    sqlite.reader.close().await;
                    sqlite.writer.close().await;
                }
            }
        };
        if tokio::time::timeout(CLOSE_LIMIT, closed).await.is_err() {
            tracing::warn!("connections to the database were left to close by themselves");
        }
    }
}
