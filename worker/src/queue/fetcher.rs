//! The drain: once woken, it claims due mails, as many at once as there are free slots, until none is due.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bookly_shared::clock::Clock;
use bookly_shared::db::held_connection::HeldConnection;
use bookly_shared::db::{Db, DbError};
use bookly_shared::queue::{PAUSE, QueueError, RedisQueue};
use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::delivery::capacity::{Capacity, Slot};
use crate::delivery::circuit_breaker::CircuitBreaker;
use crate::delivery::deliver::Delivery;
use crate::queue::maintenance::RECORD_FIRST;

/// Without Redis: finds retries that fell due, and rows that other processes wrote, whose bells do not sound here.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often another worker is rung for at most.
const PASS_ON_EVERY: Duration = Duration::from_millis(50);

/// What the loop needs.
pub(crate) struct Fetcher {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
    pub(crate) worker: String,
    pub(crate) courier: Delivery,
    pub(crate) gate: CircuitBreaker,
    pub(crate) slots: Capacity,
    pub(crate) deliveries: TaskTracker,
    pub(crate) wake: Arc<Notify>,
    /// Where there are other workers, they are rung for when this one has its hands full.
    pub(crate) others: Option<RedisQueue>,
}

impl Fetcher {
    /// Claims and delivers until `stop`; begins with what waits already.
    pub(crate) async fn work(&self, stop: &CancellationToken) {
        stop.run_until_cancelled(async {
            loop {
                self.drain().await;
                self.woken().await;
            }
        })
        .await;
    }

    async fn woken(&self) {
        match self.others {
            Some(_) => self.wake.notified().await,
            // Every mail rings here; through Redis whoever rings sees to the pause.
            None => {
                tokio::time::sleep(PAUSE).await;
                drop(timeout(LOOK_EVERY, self.wake.notified()).await);
            }
        }
    }

    /// Until nothing is due.
    async fn drain(&self) {
        let (mut more, mut passed_on, mut kept) = (false, None, None);
        loop {
            if more && !self.gate.is_paced() {
                self.slots.gather().await;
            }
            // A slot first: no mail is claimed that would have to wait for long with its lease running.
            let first = self.slots.free().await;
            self.gate.pass().await;
            match self.claim_and_deliver(first, &mut kept).await {
                Ok(Claimed::AsManyAsFit(one)) => {
                    more = true;
                    self.pass_on(one, &mut passed_on);
                }
                Ok(Claimed::All) => return,
                Err(error) => {
                    tracing::warn!(%error, "no mail can be claimed");
                    kept = None;
                    tokio::time::sleep(RECORD_FIRST).await;
                }
            }
        }
    }

    /// More waits than this worker has room for: a bell for whoever has, unless one waits to be heard already.
    fn pass_on(&self, mail: Uuid, last: &mut Option<Instant>) {
        let Some(others) = self.others.clone() else { return };
        if last.is_some_and(|last| last.elapsed() < PASS_ON_EVERY) {
            return;
        }
        *last = Some(Instant::now());
        tokio::spawn(async move {
            let rung = async {
                if others.waiting().await? == 0 {
                    others.push(&[mail]).await?;
                }
                Ok::<(), QueueError>(())
            };
            if let Err(error) = rung.await {
                tracing::debug!(%error, "no other worker was rung for");
            }
        });
    }

    /// Claims as many mails as there are free slots, with a rate just one.
    async fn claim_and_deliver(
        &self,
        first: Slot,
        kept: &mut Option<HeldConnection>,
    ) -> Result<Claimed, DbError> {
        let mut slots = vec![first];
        while !self.gate.is_paced()
            && let Some(slot) = self.slots.free_now()
        {
            slots.push(slot);
        }
        let free = slots.len();
        let db = match kept {
            Some(kept) => kept,
            None => kept.insert(self.db.keep().await?),
        };
        let asked = Instant::now();
        let mails = db.claim_due(free as i64, &self.worker, self.clock.now()).await?;
        let claimed = match mails.last() {
            Some(last) if mails.len() == free => Claimed::AsManyAsFit(last.id),
            _ => Claimed::All,
        };
        for (mail, slot) in mails.into_iter().zip(slots) {
            let courier = self.courier.clone();
            self.deliveries.spawn(async move { courier.deliver(mail, asked, slot).await });
        }
        Ok(claimed)
    }
}

/// What a claim brought.
enum Claimed {
    /// Everything that was due.
    All,
    /// As much as there was room for, this mail among it; more may be due.
    AsManyAsFit(Uuid),
}
