//! A request for an email that has an `Idempotency-Key`: its answer is kept in the transaction that queues the email.

use super::on_request::{EmailRequest, enqueue_on_postgres, enqueue_on_sqlite};
use crate::db::idempotency::{AnswerToKeep, keep_answer};
use crate::db::session::BEGIN_POSTGRES;
use crate::db::{Db, DbResult, Pools, close_if_useless, within_limit};

macro_rules! enqueue_and_keep {
    ($tx:expr, $enqueue:ident, $request:expr, $keep:expr) => {{
        let queued = $enqueue(&mut $tx, std::slice::from_ref($request)).await?;
        keep_answer!($tx, Some($keep));
        $tx.commit().await?;
        Ok(!queued.is_empty())
    }};
}

impl Db {
    /// The same as [`enqueue_on_request`](Db::enqueue_on_request), not batched with other requests, and the answer is
    /// kept. It takes the same time for known and unknown addresses, too.
    pub async fn enqueue_on_request_once(
        &self,
        request: &EmailRequest,
        keep: &AnswerToKeep,
    ) -> DbResult<bool> {
        within_limit(async {
            match &self.pools {
                Pools::Postgres(pool) => {
                    let mut held = pool.acquire().await?;
                    let work = async {
                        let mut tx = sqlx::Connection::begin_with(&mut *held, BEGIN_POSTGRES).await?;
                        enqueue_and_keep!(tx, enqueue_on_postgres, request, keep)
                    };
                    let result: DbResult<bool> = work.await;
                    close_if_useless(&mut held, &result);
                    result
                }
                Pools::Sqlite { writer, .. } => {
                    let mut tx = writer.begin_with("BEGIN IMMEDIATE").await?;
                    enqueue_and_keep!(tx, enqueue_on_sqlite, request, keep)
                }
            }
        })
        .await
    }
}
