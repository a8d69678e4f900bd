//! The database: Postgres or SQLite. Each change that must be atomic is one function.
//!
//! Each SQL statement is one constant beside the function that runs it. A statement that differs between the two
//! databases has two constants, `…_POSTGRES` and `…_SQLITE`. `tests/statements.rs` explains all of them on both.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::pool::PoolConnection;
use sqlx::{PgPool, SqlitePool};
use tokio::sync::Mutex;

use self::batch::Batcher;
use self::emails::claim::CheckLeases;
use self::emails::complete::CompleteSent;
use self::emails::on_request::EnqueueRequests;
use self::session::Sessions;
use self::users::FindAccounts;

pub mod accounts;
mod base_mailboxes;
mod batch;
pub mod books;
pub mod code_tries;
mod connect;
pub mod email_changes;
pub mod emails;
mod error;
pub mod inspect;
pub mod login_throttle;
mod migrate;
mod passwords;
mod session;
pub mod sessions;
pub mod users;

pub use connect::{DataDirLock, data_dir_is_in_use, lock_data_dir};
pub use error::{ConnectError, DatabaseLimit, DbError, certificate_remedy};
pub use migrate::{Migrations, PendingMigrations};

/// The result of a database call.
pub type DbResult<T> = Result<T, DbError>;

/// The longest time for the readiness probe of the database.
const PING_LIMIT: Duration = Duration::from_secs(2);
/// The longest time for one function of this module, the wait for a connection included. It is shorter than the
/// limit for a request, so that the client gets a 503. A server that vanished leaves a connection that is silent for
/// 15 minutes (`tcp_retries2`), and sqlx waits as long as the connection lives.
const WORK_LIMIT: Duration = Duration::from_secs(20);
/// The longest time for closing the connections when the process stops.
const CLOSE_LIMIT: Duration = Duration::from_secs(5);

/// The database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Db {
    pub(crate) pools: Pools,
    sessions: Sessions,
    batchers: Arc<Batchers>,
    /// Locked by each statement that changes several emails of this process's worker. Without it two such statements,
    /// each with a row that the other one wants next, would wait for each other until Postgres ends one of them.
    claimed_rows: Arc<Mutex<()>>,
}

/// The statements that run for several callers at a time.
#[derive(Debug)]
struct Batchers {
    enqueue_requests: Batcher<EnqueueRequests>,
    check_leases: Batcher<CheckLeases>,
    find_accounts: Batcher<FindAccounts>,
    complete_sent: Batcher<CompleteSent>,
}

/// The connections of a [`Db`]. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) enum Pools {
    /// A Postgres server.
    Postgres(PgPool),
    /// A SQLite file: one writer beside several readers, as SQLite's locks allow.
    Sqlite { reader: SqlitePool, writer: SqlitePool },
}

/// The pool for one statement.
pub(crate) enum Pool<'a> {
    Postgres(&'a PgPool),
    /// Behind a pooler the time limits need a transaction.
    SharedPostgres(&'a PgPool),
    Sqlite(&'a SqlitePool),
}

/// Runs one body with a connection of a pool, [`Db::reader`] or [`Db::writer`]. Each arm is compiled for its own driver.
macro_rules! on_db {
    ($pool:expr, $connection:ident => $body:expr) => {
        $crate::db::within_limit(async {
            match $pool {
                $crate::db::Pool::Postgres(pool) => {
                    let mut held = pool.acquire().await?;
                    let work = async {
                        let $connection = &mut *held;
                        Ok($body)
                    };
                    let result: $crate::db::DbResult<_> = work.await;
                    $crate::db::close_if_useless(&mut held, &result);
                    result
                }
                $crate::db::Pool::SharedPostgres(pool) => {
                    let mut held = pool.acquire().await?;
                    let work = async {
                        let mut tx =
                            sqlx::Connection::begin_with(&mut *held, $crate::db::session::BEGIN_POSTGRES)
                                .await?;
                        let value = {
                            let $connection = &mut *tx;
                            $body
                        };
                        tx.commit().await?;
                        Ok(value)
                    };
                    let result: $crate::db::DbResult<_> = work.await;
                    $crate::db::close_if_useless(&mut held, &result);
                    result
                }
                $crate::db::Pool::Sqlite(pool) => {
                    let mut held = pool.acquire().await?;
                    let $connection = &mut *held;
                    Ok($body)
                }
            }
        })
        .await
    };
}

/// Runs one body in a transaction, which is committed when the body ends with `Ok`. SQLite takes the write lock at the
/// start (`BEGIN IMMEDIATE`), because a lock taken later could fail in the middle.
macro_rules! in_transaction {
    ($db:expr, $tx:ident => $body:expr) => {
        $crate::db::within_limit(async {
            match &$db.pools {
                $crate::db::Pools::Postgres(pool) => {
                    let mut held = pool.acquire().await?;
                    let work = async {
                        let mut $tx =
                            sqlx::Connection::begin_with(&mut *held, $crate::db::session::BEGIN_POSTGRES)
                                .await?;
                        let value = $body;
                        $tx.commit().await?;
                        Ok(value)
                    };
                    let result: $crate::db::DbResult<_> = work.await;
                    $crate::db::close_if_useless(&mut held, &result);
                    result
                }
                $crate::db::Pools::Sqlite { writer, .. } => {
                    let mut $tx = writer.begin_with("BEGIN IMMEDIATE").await?;
                    let value = $body;
                    $tx.commit().await?;
                    Ok(value)
                }
            }
        })
        .await
    };
}

pub(crate) use {in_transaction, on_db};

/// After some errors a connection fails for good: its server became read-only, or it lost its prepared statements.
pub(crate) fn close_if_useless<D: sqlx::Database, T>(held: &mut PoolConnection<D>, result: &DbResult<T>) {
    if result.as_ref().is_err_and(DbError::ends_connection) {
        held.close_on_drop();
    }
}

/// Stops waiting after [`WORK_LIMIT`]. What the work did until then may be stored or not, as when a connection breaks.
pub(crate) async fn within_limit<T>(work: impl Future<Output = DbResult<T>>) -> DbResult<T> {
    tokio::time::timeout(WORK_LIMIT, work).await.unwrap_or_else(|_| Err(DbError::timed_out()))
}

const TIME_POSTGRES: &str = "SELECT clock_timestamp()";
/// Only a server that can serve all requests counts: a replica answers, too.
const IS_WRITABLE_POSTGRES: &str = "SELECT current_setting('transaction_read_only') = 'off'";

const IS_REACHABLE_SQLITE: &str = "SELECT true";

impl Db {
    fn new(pools: Pools, sessions: Sessions) -> Db {
        let claimed_rows = Arc::<Mutex<()>>::default();
        let batchers = Batchers {
            enqueue_requests: Batcher::new(pools.clone(), EnqueueRequests),
            check_leases: Batcher::new(pools.clone(), CheckLeases),
            find_accounts: Batcher::new(pools.clone(), FindAccounts),
            complete_sent: Batcher::new(pools.clone(), CompleteSent::new(claimed_rows.clone())),
        };
        Db { pools, sessions, batchers: Arc::new(batchers), claimed_rows }
    }

    /// For statements that only read.
    pub(crate) fn reader(&self) -> Pool<'_> {
        match &self.pools {
            Pools::Postgres(pool) if self.sessions == Sessions::Shared => Pool::SharedPostgres(pool),
            Pools::Postgres(pool) => Pool::Postgres(pool),
            Pools::Sqlite { reader, .. } => Pool::Sqlite(reader),
        }
    }

    /// For statements that write.
    pub(crate) fn writer(&self) -> Pool<'_> {
        match &self.pools {
            Pools::Postgres(_) => self.reader(),
            Pools::Sqlite { writer, .. } => Pool::Sqlite(writer),
        }
    }

    /// The time of the database server; `None` for SQLite, which has no clock of its own.
    pub(crate) async fn time(&self) -> DbResult<Option<DateTime<Utc>>> {
        match &self.pools {
            Pools::Postgres(pool) => {
                let time = async { Ok(sqlx::query_scalar(TIME_POSTGRES).fetch_one(pool).await?) };
                within_limit(time).await.map(Some)
            }
            Pools::Sqlite { .. } => Ok(None),
        }
    }

    /// Whether the database answers within two seconds, and can be written.
    pub async fn is_ready(&self) -> bool {
        let sql = match self.pools {
            Pools::Postgres(_) => IS_WRITABLE_POSTGRES,
            Pools::Sqlite { .. } => IS_REACHABLE_SQLITE,
        };
        let ready = async {
            on_db!(self.reader(), connection => sqlx::query_scalar(sql).fetch_one(&mut *connection).await?)
        };
        matches!(tokio::time::timeout(PING_LIMIT, ready).await, Ok(Ok(true)))
    }

    /// Closes the connections. Waits for those in use, but not for a server that is silent.
    pub async fn close(&self) {
        let closed = async {
            match &self.pools {
                Pools::Postgres(pool) => pool.close().await,
                Pools::Sqlite { reader, writer } => {
                    reader.close().await;
                    writer.close().await;
                }
            }
        };
        if tokio::time::timeout(CLOSE_LIMIT, closed).await.is_err() {
            tracing::warn!("not all connections to the database were closed in time");
        }
    }
}
