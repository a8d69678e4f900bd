//! Without Redis: the worker claims straight from the table, woken by this process' own bell and by a timer.

use std::sync::Arc;
use std::time::Duration;

use bookly_shared::clock::Clock;
use bookly_shared::db::{Db, DbError};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::deliver::Courier;
use crate::gate::Gate;
use crate::relay::RECORD_FIRST;

/// Finds retries that fell due, and rows that other processes wrote: their bells do not sound here.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What the loop needs.
pub(crate) struct Table {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
    pub(crate) worker: String,
    pub(crate) courier: Courier,
    pub(crate) gate: Gate,
    pub(crate) slots: Arc<Semaphore>,
    pub(crate) deliveries: TaskTracker,
    pub(crate) wake: Arc<Notify>,
}

impl Table {
    /// Claims and delivers until `stop`.
    pub(crate) async fn work(&self, stop: &CancellationToken) {
        stop.run_until_cancelled(async {
            loop {
                // Waiting for the first free slot means that no claim ever waits with its lease running.
                let Ok(first) = self.slots.clone().acquire_owned().await else { return };
                self.gate.pass().await;
                match self.claim_and_deliver(first).await {
                    Ok(0) => {
                        let _ = tokio::time::timeout(LOOK_EVERY, self.wake.notified()).await;
                    }
                    Ok(_) => {}
                    Err(error) => {
                        tracing::warn!(%error, "no mail can be claimed");
                        tokio::time::sleep(RECORD_FIRST).await;
                    }
                }
            }
        })
        .await;
    }

    /// Claims as many mails as there are free slots, with a rate just one. Returns how many.
    async fn claim_and_deliver(&self, first: OwnedSemaphorePermit) -> Result<usize, DbError> {
        let mut permits = vec![first];
        while !self.gate.is_paced()
            && let Ok(permit) = self.slots.clone().try_acquire_owned()
        {
            permits.push(permit);
        }
        let mails = self.db.claim_due(permits.len() as i64, &self.worker, self.clock.now()).await?;
        let count = mails.len();
        for (mail, permit) in mails.into_iter().zip(permits) {
            let courier = self.courier.clone();
            self.deliveries.spawn(async move {
                courier.deliver(mail).await;
                drop(permit);
            });
        }
        Ok(count)
    }
}
