//! The fetcher: claims due emails, as many at once as there is capacity for, until none is due.
//!
//! Capacity is how many emails a worker may have in delivery, prefetch how many it claims ahead of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bookly_shared::clock::Clock;
use bookly_shared::db::{Db, DbError};
use bookly_shared::queue::{BATCH_WINDOW, QueueError, RedisQueue, SendEmail};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::delivery::circuit_breaker::{Admission, CircuitBreaker};
use crate::delivery::deliver::{Delivery, DeliveryPermit};
use crate::queue::maintenance::AFTER_DATABASE_OUTAGE;

/// Without Redis: how soon due retries, and rows that other processes wrote, are found.
const POLL_EVERY: Duration = Duration::from_secs(1);
/// How often a job for other workers is enqueued at most.
const ENQUEUE_EVERY: Duration = Duration::from_millis(50);
/// While more emails are due than there is capacity for, a claim waits this long at most for more of it: one claim of
/// several rows costs the database little more than a claim of one.
const WAIT_FOR_HALF: Duration = Duration::from_millis(2);
/// The same with prefetch: the emails claimed ahead are sent meanwhile.
const WAIT_FOR_HALF_WITH_PREFETCH: Duration = Duration::from_millis(20);
/// Sent emails whose rows are not completed yet, for every concurrent delivery.
const COMPLETING_PER_DELIVERY: usize = 4;
/// Emails prefetched for every concurrent delivery: each waits for its turn this many times [`FAST_SERVER`] at most.
const PREFETCH_PER_DELIVERY: u16 = 3;
/// The most of them. Larger claims save nothing more.
const MAX_PREFETCH: u16 = 64;

/// What the loop needs.
pub(crate) struct Fetcher {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
    pub(crate) worker: String,
    pub(crate) delivery: Arc<Delivery>,
    pub(crate) circuit_breaker: CircuitBreaker,
    pub(crate) capacity: Capacity,
    pub(crate) deliveries: TaskTracker,
    pub(crate) wake: Arc<Notify>,
    /// Where a job wakes another worker when more is due than this one has capacity for.
    pub(crate) redis: Option<RedisQueue>,
}

/// What a claim returned.
enum Claimed {
    /// Everything that was due.
    All,
    /// As much as there was capacity for, this email among it; more may be due.
    UpToCapacity(Uuid),
}

impl Fetcher {
    /// Claims and delivers until `stop`; starts with what is due already.
    pub(crate) async fn run(&self, stop: &CancellationToken) {
        stop.run_until_cancelled(async {
            loop {
                self.fetch_until_none_is_due().await;
                self.wait_for_job().await;
            }
        })
        .await;
    }

    async fn wait_for_job(&self) {
        match self.redis {
            Some(_) => self.wake.notified().await,
            // Here every email wakes the fetcher; in Redis the enqueuing side keeps this pause.
            None => {
                tokio::time::sleep(BATCH_WINDOW).await;
                drop(timeout(POLL_EVERY, self.wake.notified()).await);
            }
        }
    }

    async fn fetch_until_none_is_due(&self) {
        let (mut more, mut last_enqueued) = (false, None);
        loop {
            if more && !self.circuit_breaker.has_rate() {
                self.capacity.wait_for_half().await;
            }
            // Capacity first: no email is claimed that would have to wait with its lease running.
            let first = self.capacity.acquire().await;
            let admission = self.circuit_breaker.admit().await;
            match self.claim_and_deliver(first, admission).await {
                Ok(Claimed::UpToCapacity(email)) => {
                    more = true;
                    self.wake_another_worker(email, &mut last_enqueued);
                }
                Ok(Claimed::All) => return,
                Err(error) => {
                    tracing::warn!(%error, "no email can be claimed");
                    tokio::time::sleep(AFTER_DATABASE_OUTAGE).await;
                }
            }
        }
    }

    /// Enqueues a job for a worker with capacity, unless one waits already.
    fn wake_another_worker(&self, id: Uuid, last_enqueued: &mut Option<Instant>) {
        let Some(redis) = self.redis.clone() else { return };
        if last_enqueued.is_some_and(|last| last.elapsed() < ENQUEUE_EVERY) {
            return;
        }
        *last_enqueued = Some(Instant::now());
        tokio::spawn(async move {
            let enqueued = async {
                if redis.waiting().await? == 0 {
                    redis.push(&[SendEmail { id }]).await?;
                }
                Ok::<(), QueueError>(())
            };
            if let Err(error) = enqueued.await {
                tracing::debug!(%error, "no job could be enqueued for other workers");
            }
        });
    }

    /// Claims as many emails as there is capacity for; with a rate, or as a probe, one.
    async fn claim_and_deliver(
        &self,
        first: DeliveryPermit,
        admission: Admission,
    ) -> Result<Claimed, DbError> {
        let mut permits = vec![first];
        while matches!(admission, Admission::Any)
            && !self.circuit_breaker.has_rate()
            && let Some(permit) = self.capacity.try_acquire()
        {
            permits.push(permit);
        }
        let limit = permits.len();
        let claim_began = Instant::now();
        let now = self.clock.now();
        let emails = match &admission {
            Admission::Any => self.db.claim_due(limit as i64, &self.worker, now).await?,
            Admission::Probe(_) => self.db.claim_probe(&self.worker, now).await?,
        };
        let claimed = match emails.last() {
            Some(last) if emails.len() == limit => Claimed::UpToCapacity(last.id),
            _ => Claimed::All,
        };
        let mut probe = match admission {
            Admission::Any => None,
            Admission::Probe(probe) => Some(probe),
        };
        for (email, permit) in emails.into_iter().zip(permits) {
            let (delivery, probe) = (self.delivery.clone(), probe.take());
            self.deliveries.spawn(async move {
                delivery.deliver(email, claim_began, permit).await;
                drop(probe);
            });
        }
        Ok(claimed)
    }
}

/// Three limits: on emails in an SMTP dialogue, on emails claimed and not yet answered (the first limit plus the
/// prefetch), and on rows that are not completed (the second limit plus sent emails that wait for the database).
#[derive(Clone, Debug)]
pub(crate) struct Capacity {
    sending: Arc<Semaphore>,
    unanswered: Arc<Semaphore>,
    uncompleted: Arc<Semaphore>,
    prefetches: Arc<AtomicBool>,
    concurrency: u32,
    prefetch: u32,
}

impl Capacity {
    /// For so many concurrent deliveries.
    pub(crate) fn new(concurrency: u16) -> Capacity {
        let prefetch = concurrency.saturating_mul(PREFETCH_PER_DELIVERY).min(MAX_PREFETCH);
        let (sending, completing) =
            (usize::from(concurrency), usize::from(concurrency) * COMPLETING_PER_DELIVERY);
        let unanswered = sending + usize::from(prefetch);
        let permits = |number| Arc::new(Semaphore::new(number));
        Capacity {
            sending: permits(sending),
            unanswered: permits(unanswered),
            uncompleted: permits(unanswered + completing),
            // The server's speed is not known yet.
            prefetches: Arc::new(AtomicBool::new(false)),
            concurrency: u32::from(concurrency),
            prefetch: u32::from(prefetch),
        }
    }

    /// Waits for capacity for one email.
    pub(crate) async fn acquire(&self) -> DeliveryPermit {
        loop {
            let uncompleted = self.uncompleted.clone().acquire_owned().await;
            let reserve = self.reserve();
            let unanswered = self.unanswered.clone().acquire_many_owned(reserve + 1).await;
            // The semaphores are never closed.
            if let (Ok(unanswered), Ok(uncompleted)) = (unanswered, uncompleted) {
                return self.permit(unanswered, uncompleted, reserve);
            }
        }
    }

    /// Capacity for one email, if there is any now.
    pub(crate) fn try_acquire(&self) -> Option<DeliveryPermit> {
        let uncompleted = self.uncompleted.clone().try_acquire_owned().ok()?;
        let reserve = self.reserve();
        let unanswered = self.unanswered.clone().try_acquire_many_owned(reserve + 1).ok()?;
        Some(self.permit(unanswered, uncompleted, reserve))
    }

    /// Waits, not for long, until half of the capacity is free, so that one claim takes many emails.
    pub(crate) async fn wait_for_half(&self) {
        let reserve = self.reserve();
        let half = (self.concurrency + self.prefetch - reserve).div_ceil(2);
        let limit = if reserve == 0 { WAIT_FOR_HALF_WITH_PREFETCH } else { WAIT_FOR_HALF };
        drop(timeout(limit, self.unanswered.acquire_many(reserve + half)).await);
    }

    /// The part of the capacity that stays free: the prefetch, while the server is slow.
    fn reserve(&self) -> u32 {
        if self.prefetches.load(Ordering::Relaxed) { 0 } else { self.prefetch }
    }

    fn permit(
        &self,
        mut unanswered: OwnedSemaphorePermit,
        uncompleted: OwnedSemaphorePermit,
        reserve: u32,
    ) -> DeliveryPermit {
        drop(unanswered.split(reserve as usize));
        let (sending, prefetches) = (self.sending.clone(), self.prefetches.clone());
        DeliveryPermit { unanswered, uncompleted, sending, prefetches }
    }
}

#[cfg(test)]
mod tests;
