//! The connections of the database, and how one function uses them: within a time limit, in a transaction or without.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::{PgPool, SqlitePool};

use super::DbError;

/// The result of a database call.
pub type DbResult<T> = Result<T, DbError>;

/// The longest time for one function of this module, the wait for a connection included. It is shorter than the
/// limit for a request, so that the client gets a 503. A server that vanished leaves a connection that is silent for
/// 15 minutes (`tcp_retries2`), and sqlx waits as long as the connection lives.
const WORK_LIMIT: Duration = Duration::from_secs(20);

/// The connections of a [`Db`]. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) enum Pools {
    /// A Postgres server.
    Postgres(PgPool),
    /// A SQLite file: one writer beside several readers, as SQLite's locks allow.
    Sqlite { reader: SqlitePool, writer: SqlitePool },
}

/// The pool for one statement, and where it is noted that it could not write.
pub(crate) struct Pool<'a> {
    pub(crate) kind: PoolKind<'a>,
    pub(crate) storage: &'a Storage,
}

pub(crate) enum PoolKind<'a> {
    Postgres(&'a PgPool),
    /// Behind a pooler the time limits need a transaction.
    SharedPostgres(&'a PgPool),
    Sqlite(&'a SqlitePool),
}

/// Whether a statement of this process met storage that is full, read-only or broken. Set by each such error; only the
/// readiness probe, which then tries to write, takes it back.
#[derive(Debug, Default)]
pub(crate) struct Storage {
    doubted: AtomicBool,
    /// Locked by the readiness probe that tries to write.
    pub(super) trial: tokio::sync::Mutex<()>,
}

impl Storage {
    /// Remembers an error that is about the storage.
    pub(crate) fn note<T>(&self, result: &DbResult<T>) {
        if result.as_ref().is_err_and(DbError::doubts_storage) {
            self.doubted.store(true, Ordering::Relaxed);
        }
    }

    pub(super) fn is_doubted(&self) -> bool {
        self.doubted.load(Ordering::Relaxed)
    }

    pub(super) fn trust(&self) {
        self.doubted.store(false, Ordering::Relaxed);
    }
}

/// Runs one body in a transaction on Postgres, which is committed when the body ends with `Ok`.
macro_rules! in_postgres_transaction {
    ($pool:expr, $tx:ident => $body:expr) => {{
        let mut held = $pool.acquire().await?;
        let work = async {
            let mut $tx =
                sqlx::Connection::begin_with(&mut *held, $crate::db::session::BEGIN_POSTGRES).await?;
            let value = $body;
            $tx.commit().await?;
            Ok(value)
        };
        let result: $crate::db::DbResult<_> = work.await;
        $crate::db::close_if_useless(&mut held, &result);
        result
    }};
}

/// Runs one body with a connection of a pool, [`Db::reader`] or [`Db::writer`]. Each arm is compiled for its own driver.
macro_rules! on_db {
    ($pool:expr, $connection:ident => $body:expr) => {{
        let pool = $pool;
        let result = $crate::db::within_limit(async {
            match pool.kind {
                $crate::db::PoolKind::Postgres(pool) => {
                    let mut held = pool.acquire().await?;
                    let work = async {
                        let $connection = &mut *held;
                        Ok($body)
                    };
                    let result: $crate::db::DbResult<_> = work.await;
                    $crate::db::close_if_useless(&mut held, &result);
                    result
                }
                $crate::db::PoolKind::SharedPostgres(pool) => {
                    $crate::db::in_postgres_transaction!(pool, tx => {
                        let $connection = &mut *tx;
                        $body
                    })
                }
                $crate::db::PoolKind::Sqlite(pool) => {
                    let mut held = pool.acquire().await?;
                    let $connection = &mut *held;
                    Ok($body)
                }
            }
        })
        .await;
        pool.storage.note(&result);
        result
    }};
}

/// Runs one body in a transaction, which is committed when the body ends with `Ok`. SQLite takes the write lock at the
/// start (`BEGIN IMMEDIATE`), because a lock taken later could fail in the middle.
///
/// `call = on_postgres | on_sqlite` names a function that each database has of its own.
macro_rules! in_transaction {
    ($db:expr, $tx:ident $(, $call:ident = $postgres:ident | $sqlite:ident)? => $body:expr) => {{
        let result = $crate::db::within_limit(async {
            match &$db.pools {
                $crate::db::Pools::Postgres(pool) => {
                    $crate::db::in_postgres_transaction!(pool, $tx => {
                        $(let $call = $postgres;)?
                        $body
                    })
                }
                $crate::db::Pools::Sqlite { writer, .. } => {
                    let mut $tx = writer.begin_with("BEGIN IMMEDIATE").await?;
                    $(let $call = $sqlite;)?
                    let value = $body;
                    $tx.commit().await?;
                    Ok(value)
                }
            }
        })
        .await;
        $db.storage.note(&result);
        result
    }};
}

pub(crate) use {in_postgres_transaction, in_transaction, on_db};

/// After some errors a connection fails for good: its server became read-only, or it lost its prepared statements.
pub(crate) fn close_if_useless<D: sqlx::Database, T>(held: &mut PoolConnection<D>, result: &DbResult<T>) {
    if result.as_ref().is_err_and(DbError::ends_connection) {
        held.close_on_drop();
    }
}

/// Stops waiting after [`WORK_LIMIT`]. What the work did until then may be stored or not, as when a connection breaks.
///
/// The work is on the heap: sqlx's futures take 8 KB, and every future above would hold and move them, up to the 55 KB of
/// one email's delivery.
pub(crate) fn within_limit<T>(work: impl Future<Output = DbResult<T>>) -> impl Future<Output = DbResult<T>> {
    let limited = tokio::time::timeout(WORK_LIMIT, Box::pin(work));
    async move { limited.await.unwrap_or_else(|_| Err(DbError::timed_out())) }
}
