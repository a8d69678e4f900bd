//! A request for an email that has an `Idempotency-Key`: its answer is stored in the transaction that queues the email.

use super::on_request::{EmailRequest, insert_on_postgres, insert_on_sqlite};
use crate::db::idempotency::{AnswerToStore, store_answer};
use crate::db::{Db, DbResult, in_transaction};

impl Db {
    /// The same as [`insert_on_request`](Db::insert_on_request), not batched with other requests, and the answer is
    /// stored. It takes the same time for known and unknown addresses, too.
    pub async fn insert_on_request_once(
        &self,
        request: &EmailRequest,
        store: &AnswerToStore,
    ) -> DbResult<bool> {
        in_transaction!(self, tx, insert = insert_on_postgres | insert_on_sqlite => {
            let queued = insert(&mut tx, std::slice::from_ref(request)).await?;
            store_answer!(tx, Some(store));
            !queued.is_empty()
        })
    }
}
