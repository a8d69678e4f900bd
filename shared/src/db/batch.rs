//! Batches: one statement for several callers that want the same of the database at the same time.
//!
//! While one statement runs, further items gather; the next statement takes all of them. So a single item starts at
//! once, and under load the cost of an item falls. Callers do not see this: each awaits the result of one item. The
//! connection is held between the statements; claims hold one in the same way.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use sqlx::pool::PoolConnection;
use sqlx::{Postgres, SqlitePool};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::{DbError, DbResult, Pools, close_if_useless, within_limit};

/// The most items in one statement.
const MAX_BATCH: usize = 128;
/// The longest time for one statement. A connection that became silent is dropped early enough for the next statement
/// to run, on another connection, well within a lease (15 s).
const STATEMENT_LIMIT: Duration = Duration::from_secs(5);
/// How long an idle connection is held for the next statement.
const HOLD: Duration = Duration::from_secs(1);

/// Work that one statement can do for several items.
pub(super) trait BatchOperation: Clone + Send + Sync + 'static {
    type Item: Send + Sync + 'static;
    type Output: Send + 'static;

    /// Returns one output for each item, in the order of the items.
    fn run(
        &self,
        connection: &mut HeldConnection,
        items: &[Self::Item],
    ) -> impl Future<Output = DbResult<Vec<Self::Output>>> + Send;
}

/// A [`Batcher`] for each operation. The files of the operations import this one, so it cannot name them.
#[derive(Debug)]
pub(super) struct Batchers {
    pools: Pools,
    by_operation: Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>,
}

impl Batchers {
    pub(super) fn new(pools: Pools) -> Batchers {
        Batchers { pools, by_operation: Mutex::default() }
    }

    /// Runs one item in the operation's batcher, which the first item makes.
    pub(super) async fn run<O: BatchOperation>(&self, operation: O, item: O::Item) -> DbResult<O::Output> {
        let batcher = {
            let mut by_operation = self.by_operation.lock();
            let new = || Arc::new(Batcher::new(self.pools.clone(), operation)) as Arc<dyn Any + Send + Sync>;
            by_operation.entry(TypeId::of::<O>()).or_insert_with(new).clone()
        };
        match batcher.downcast::<Batcher<O>>() {
            Ok(batcher) => batcher.run(item).await,
            Err(_) => Err(DbError::timed_out()),
        }
    }
}

/// Gathers items and runs them in batches.
#[derive(Debug)]
pub(super) struct Batcher<O: BatchOperation> {
    pools: Pools,
    operation: O,
    /// Set by the first item, which starts the task on its tokio runtime.
    sender: OnceLock<mpsc::UnboundedSender<Pending<O>>>,
}

/// An item whose caller waits for the result.
#[derive(Debug)]
struct Pending<O: BatchOperation> {
    item: O::Item,
    reply: oneshot::Sender<DbResult<O::Output>>,
}

impl<O: BatchOperation> Batcher<O> {
    pub(super) fn new(pools: Pools, operation: O) -> Batcher<O> {
        Batcher { pools, operation, sender: OnceLock::new() }
    }

    /// Runs one item. If the database is away, or silent for five seconds, all items of the batch fail.
    pub(super) async fn run(&self, item: O::Item) -> DbResult<O::Output> {
        let (reply, result) = oneshot::channel();
        let _ = self.sender.get_or_init(|| self.start()).send(Pending { item, reply });
        // The reply is dropped only when the runtime ends.
        result.await.unwrap_or_else(|_| Err(DbError::timed_out()))
    }

    fn start(&self) -> mpsc::UnboundedSender<Pending<O>> {
        // The number of callers bounds the queue: each has one item at a time.
        let (sender, items) = mpsc::unbounded_channel();
        let runner = BatchRunner {
            statements: HeldStatements::new(self.pools.clone()),
            operation: self.operation.clone(),
        };
        tokio::spawn(runner.serve(items));
        sender
    }
}

/// Runs one statement at a time, on a connection that is held while there are items.
struct BatchRunner<O> {
    statements: HeldStatements,
    operation: O,
}

impl<O: BatchOperation> BatchRunner<O> {
    async fn serve(mut self, mut pending: mpsc::UnboundedReceiver<Pending<O>>) {
        let mut batch = Vec::new();
        loop {
            let received = match timeout(HOLD, pending.recv_many(&mut batch, MAX_BATCH)).await {
                Ok(received) => received,
                Err(_) => {
                    self.statements.release();
                    pending.recv_many(&mut batch, MAX_BATCH).await
                }
            };
            if received == 0 {
                return;
            }
            gather(&mut pending, &mut batch).await;
            self.run_batch(std::mem::take(&mut batch)).await;
        }
    }

    async fn run_batch(&mut self, batch: Vec<Pending<O>>) {
        let (items, replies): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|pending| (pending.item, pending.reply)).unzip();
        match self.run_items(&items).await {
            Ok(outputs) => {
                replies.into_iter().zip(outputs).for_each(|(reply, output)| send(reply, Ok(output)))
            }
            // An item that the database refuses must not fail the others: each runs alone.
            Err(error) if !error.is_unavailable() && items.len() > 1 => {
                for (item, reply) in items.iter().zip(replies) {
                    let outputs = self.run_items(std::slice::from_ref(item)).await;
                    let output =
                        outputs.and_then(|outputs| outputs.into_iter().next().ok_or_else(DbError::timed_out));
                    send(reply, output);
                }
            }
            Err(error) => replies.into_iter().for_each(|reply| send(reply, Err(error.clone()))),
        }
    }

    async fn run_items(&mut self, items: &[O::Item]) -> DbResult<Vec<O::Output>> {
        self.statements.run(&Batch { operation: &self.operation, items }).await
    }
}

/// An operation with the items of one batch.
struct Batch<'a, O: BatchOperation> {
    operation: &'a O,
    items: &'a [O::Item],
}

impl<O: BatchOperation> HeldStatement for Batch<'_, O> {
    type Output = Vec<O::Output>;

    async fn run(&self, connection: &mut HeldConnection) -> DbResult<Vec<O::Output>> {
        self.operation.run(connection, self.items).await
    }
}

/// Lets the tasks that are ready run first: one event, such as a claim of many emails, wakes several, and each sends its item
/// when it runs. Where no other task is ready, this costs one turn of the scheduler.
async fn gather<O: BatchOperation>(
    pending: &mut mpsc::UnboundedReceiver<Pending<O>>,
    batch: &mut Vec<Pending<O>>,
) {
    tokio::task::yield_now().await;
    while batch.len() < MAX_BATCH
        && let Ok(item) = pending.try_recv()
    {
        batch.push(item);
    }
}

/// A connection that is held from one statement to the next. A pool tests a connection before and after each use,
/// which costs up to two more round trips.
#[derive(Debug)]
pub(super) enum HeldConnection {
    /// Goes back to the pool when it is dropped.
    Postgres(PoolConnection<Postgres>),
    /// SQLite's pools: they need no round trip, and its only writer must not be held.
    Sqlite { reader: SqlitePool, writer: SqlitePool },
}

impl HeldConnection {
    fn close_if_useless<T>(&mut self, result: &DbResult<T>) {
        if let HeldConnection::Postgres(held) = self {
            close_if_useless(held, result);
        }
    }

    async fn acquire(pools: &Pools) -> DbResult<HeldConnection> {
        match pools {
            Pools::Postgres(pool) => {
                within_limit(async { Ok(HeldConnection::Postgres(pool.acquire().await?)) }).await
            }
            Pools::Sqlite { reader, writer } => {
                Ok(HeldConnection::Sqlite { reader: reader.clone(), writer: writer.clone() })
            }
        }
    }
}

/// What runs on a held connection: a statement, or one transaction.
pub(super) trait HeldStatement: Sync {
    type Output: Send;

    /// May run twice: a held connection may have ended since its last use.
    fn run(&self, connection: &mut HeldConnection) -> impl Future<Output = DbResult<Self::Output>> + Send;
}

/// Runs one statement after the other, on a connection that is held between them for [`HOLD`].
#[derive(Debug)]
pub(super) struct HeldStatements {
    pools: Pools,
    held: Option<(HeldConnection, Instant)>,
}

impl HeldStatements {
    pub(super) fn new(pools: Pools) -> HeldStatements {
        HeldStatements { pools, held: None }
    }

    /// Gives the connection back.
    pub(super) fn release(&mut self) {
        self.held = None;
    }

    /// A statement that fails on a held connection because the database is not available runs again on another one, once.
    pub(super) async fn run<S: HeldStatement>(&mut self, statement: &S) -> DbResult<S::Output> {
        let was_held = self.held.is_some();
        match self.run_once(statement).await {
            Err(error) if was_held && error.is_unavailable() => self.run_once(statement).await,
            result => result,
        }
    }

    async fn run_once<S: HeldStatement>(&mut self, statement: &S) -> DbResult<S::Output> {
        let work = async {
            let mut connection = match self.held.take() {
                Some((connection, used_at)) if used_at.elapsed() < HOLD => connection,
                // The pool tests a connection that was idle for longer.
                _ => HeldConnection::acquire(&self.pools).await?,
            };
            let result = statement.run(&mut connection).await;
            connection.close_if_useless(&result);
            // After an error the connection is dropped, because its state is unknown.
            self.held = result.is_ok().then(|| (connection, Instant::now()));
            result
        };
        timeout(STATEMENT_LIMIT, work).await.unwrap_or_else(|_| Err(DbError::timed_out()))
    }
}

impl Drop for HeldStatements {
    /// Outside of a tokio runtime a connection cannot go back to its pool: sqlx panics there. It is closed instead.
    fn drop(&mut self) {
        if let Some((HeldConnection::Postgres(held), _)) = self.held.take()
            && Handle::try_current().is_err()
        {
            drop(held.detach());
        }
    }
}

/// One value of each item, as Postgres' `unnest` takes them.
pub(super) fn column<'a, I, T>(items: &'a [I], value: impl Fn(&'a I) -> T) -> Vec<T> {
    items.iter().map(value).collect()
}

/// The caller may have stopped waiting.
fn send<T>(reply: oneshot::Sender<T>, result: T) {
    let _ = reply.send(result);
}

#[cfg(test)]
mod tests;
