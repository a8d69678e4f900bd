//! A connection that is kept from one statement to the next.
//!
//! A pool tests a connection before it is lent and after it came back: up to three round trips for each statement.
//! Whoever asks one statement after the other keeps its connection, and drops it after an error or when idle.

use sqlx::Postgres;
use sqlx::pool::PoolConnection;

use super::{Db, DbResult, SqliteDb, within_limit};

/// A connection to Postgres, or SQLite's pools: they have no server to travel to, and one writer must not be kept.
#[derive(Debug)]
pub enum HeldConnection {
    /// Goes back to the pool, which tests it, when it is dropped.
    Postgres(PoolConnection<Postgres>),
    /// See [`SqliteDb`].
    Sqlite(SqliteDb),
}

impl Db {
    /// Takes a connection to keep.
    ///
    /// # Errors
    /// When the database is away, or all connections are in use.
    pub async fn keep(&self) -> DbResult<HeldConnection> {
        match self {
            Db::Postgres(pool) => {
                within_limit(async { Ok(HeldConnection::Postgres(pool.acquire().await?)) }).await
            }
            Db::Sqlite(sqlite) => Ok(HeldConnection::Sqlite(sqlite.clone())),
        }
    }
}
