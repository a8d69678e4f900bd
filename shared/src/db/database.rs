//! The open database, and which of its connections a statement gets.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::Mutex;

use super::batch::{BatchOperation, Batchers, HeldStatement, HeldStatements};
use super::session::Sessions;
use super::{DbResult, Pool, PoolKind, Pools, Storage, within_limit};

/// The longest time for closing the connections when the process stops.
const CLOSE_LIMIT: Duration = Duration::from_secs(5);

/// The database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Db {
    pub(crate) pools: Pools,
    sessions: Sessions,
    batchers: Arc<Batchers>,
    /// A worker claims in its own task: a batch's task would begin the claim, and answer it, a moment later.
    claims: Arc<Mutex<HeldStatements>>,
    pub(super) storage: Arc<Storage>,
    /// Locked by each statement that changes several emails of this process's worker. Without it two such statements,
    /// each with a row that the other one wants next, would wait for each other until Postgres ends one of them.
    pub(super) claimed_rows: Arc<Mutex<()>>,
}

const TIME_POSTGRES: &str = "SELECT clock_timestamp()";

impl Db {
    pub(super) fn new(pools: Pools, sessions: Sessions) -> Db {
        let batchers = Arc::new(Batchers::new(pools.clone()));
        let claims = Arc::new(Mutex::new(HeldStatements::new(pools.clone())));
        Db { pools, sessions, batchers, claims, storage: Arc::default(), claimed_rows: Arc::default() }
    }

    /// Runs one item in one statement with those of other callers at the same time. All callers give an equal
    /// `operation`.
    pub(super) async fn batch<O: BatchOperation>(&self, operation: O, item: O::Item) -> DbResult<O::Output> {
        let result = self.batchers.run(operation, item).await;
        self.storage.note(&result);
        result
    }

    /// Runs a claim on the connection that is held for claims.
    pub(super) async fn claim<S: HeldStatement>(&self, claim: &S) -> DbResult<S::Output> {
        let claimed = self.claims.lock().await.run(claim).await;
        self.storage.note(&claimed);
        claimed
    }

    /// For statements that only read.
    pub(crate) fn reader(&self) -> Pool<'_> {
        let kind = match &self.pools {
            Pools::Postgres(pool) if self.sessions == Sessions::Shared => PoolKind::SharedPostgres(pool),
            Pools::Postgres(pool) => PoolKind::Postgres(pool),
            Pools::Sqlite { reader, .. } => PoolKind::Sqlite(reader),
        };
        Pool { kind, storage: &self.storage }
    }

    /// For statements that write.
    pub(crate) fn writer(&self) -> Pool<'_> {
        match &self.pools {
            Pools::Postgres(_) => self.reader(),
            Pools::Sqlite { writer, .. } => Pool { kind: PoolKind::Sqlite(writer), storage: &self.storage },
        }
    }

    /// The time of the database server; `None` for SQLite, which has no clock.
    pub(crate) async fn time(&self) -> DbResult<Option<DateTime<Utc>>> {
        match &self.pools {
            Pools::Postgres(pool) => {
                let time = async { Ok(sqlx::query_scalar(TIME_POSTGRES).fetch_one(pool).await?) };
                within_limit(time).await.map(Some)
            }
            Pools::Sqlite { .. } => Ok(None),
        }
    }

    /// Closes the connections. Waits for those in use, but not for a server that is silent.
    pub async fn close(&self) {
        let closed = async {
            self.claims.lock().await.release();
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
