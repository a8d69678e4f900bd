//! The fetcher: claims due emails, as many at once as there is capacity for, until none is due.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bookly_shared::clock::Clock;
use bookly_shared::db::emails::claim::{BULK, ClaimLimits};
use bookly_shared::db::{Db, DbError};
use bookly_shared::domain::MailServer;
use bookly_shared::queue::{BATCH_WINDOW, QueueError, RedisQueue, SendEmail};
use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::delivery::capacity::{Capacity, DeliveryPermit};
use crate::delivery::circuit_breaker::{Admission, CircuitBreaker};
use crate::delivery::deliver::Delivery;
use crate::queue::fallback::FallbackPlace;
use crate::queue::maintenance::AFTER_DATABASE_OUTAGE;

/// Without Redis: how soon due retries, and rows that other processes wrote, are found.
const POLL_EVERY: Duration = Duration::from_secs(1);
/// How often a job for other workers is enqueued at most.
const ENQUEUE_EVERY: Duration = Duration::from_millis(50);
/// One in so many claimed emails may be one that has waited for long, ahead of higher priorities.
const ONE_AGED_IN: u64 = 8;

/// What the loop needs.
pub(crate) struct Fetcher {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
    pub(crate) worker: String,
    pub(crate) delivery: Arc<Delivery>,
    pub(crate) circuit_breaker: CircuitBreaker,
    pub(crate) capacity: Capacity,
    /// What claims for the fallback need, if one is set.
    pub(crate) fallback: Option<FallbackPlace>,
    pub(crate) deliveries: TaskTracker,
    pub(crate) wake: Arc<Notify>,
    /// Where a job wakes another worker when more is due than this one has capacity for.
    pub(crate) redis: Option<RedisQueue>,
    /// How many emails were claimed so far.
    pub(crate) claimed: AtomicU64,
}

/// What may still be due after a claim.
enum Left {
    Nothing,
    /// Emails of any priority: the claim took as many as there was capacity for, this one among them.
    Any(Uuid),
    /// Bulk emails alone: the claim took as many as there was capacity for, this one among them.
    Bulk(Option<Uuid>),
}

impl Fetcher {
    /// Claims and delivers until `stop`; starts with what is due already.
    pub(crate) async fn run(&self, stop: &CancellationToken) {
        stop.run_until_cancelled(async {
            loop {
                self.fetch_until_none_is_due().await;
                self.wait_for_job(Instant::now()).await;
            }
        })
        .await;
    }

    /// Waits for a job after the one that came at `last`.
    async fn wait_for_job(&self, last: Instant) {
        match self.redis {
            Some(_) => self.wake.notified().await,
            // Here every email wakes the fetcher; in Redis the enqueuing side keeps this pause.
            None => {
                tokio::time::sleep_until((last + BATCH_WINDOW).into()).await;
                drop(timeout(POLL_EVERY, self.wake.notified()).await);
            }
        }
    }

    async fn fetch_until_none_is_due(&self) {
        let has_rate = self.circuit_breaker.has_rate();
        let (mut with_bulk, mut last_job, mut last_enqueued) = (true, Instant::now(), None);
        loop {
            let (permit, admission) = self.admit().await;
            let capacity = self.capacity_of(permit.claimed_for.server);
            match self.claim_and_deliver(permit, admission, with_bulk).await {
                Ok(Left::Any(email)) => {
                    with_bulk = true;
                    self.wake_another_worker(email, &mut last_enqueued);
                    if !has_rate {
                        capacity.wait_for_half().await;
                    }
                }
                Ok(Left::Bulk(email)) => {
                    if let Some(email) = email {
                        self.wake_another_worker(email, &mut last_enqueued);
                    }
                    tokio::select! {
                        () = self.wait_for_job(last_job) => {
                            last_job = Instant::now();
                            // A claim of a few rows is sooner done. Not twice in a row: jobs may come all the time. With a
                            // rate it would waste a turn.
                            with_bulk = has_rate || !with_bulk;
                        }
                        () = capacity.wait_for_bulk(has_rate) => with_bulk = true,
                    }
                }
                Ok(Left::Nothing) => return,
                Err(error) => {
                    tracing::warn!(%error, "no email can be claimed");
                    tokio::time::sleep(AFTER_DATABASE_OUTAGE).await;
                }
            }
        }
    }

    /// Waits until an email may be claimed, and for which server. Capacity first: no email is claimed that would have to
    /// wait with its lease running.
    async fn admit(&self) -> (DeliveryPermit, Admission) {
        let to_first = async {
            let permit = self.capacity.acquire().await;
            (permit, self.circuit_breaker.admit().await)
        };
        match &self.fallback {
            None => to_first.await,
            Some(fallback) => fallback.first_or_fallback(to_first).await,
        }
    }

    fn capacity_of(&self, server: MailServer) -> &Capacity {
        match &self.fallback {
            Some(fallback) if server == MailServer::Fallback => &fallback.capacity,
            _ => &self.capacity,
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
        permit: DeliveryPermit,
        admission: Admission,
        with_bulk: bool,
    ) -> Result<Left, DbError> {
        let capacity = self.capacity_of(permit.claimed_for.server);
        let mut permits = vec![permit];
        while matches!(admission, Admission::Any)
            && !self.circuit_breaker.has_rate()
            && let Some(permit) = capacity.try_acquire()
        {
            permits.push(permit);
        }
        let bulk = if with_bulk { capacity.for_bulk() } else { 0 };
        let limits = self.limits(permits.len(), bulk);
        let claim_began = Instant::now();
        let now = self.clock.now();
        let mut emails = match &admission {
            Admission::Any => self.db.claim_due(limits, &self.worker, now).await?,
            Admission::Probe(_) => self.db.claim_probe(&self.worker, now).await?,
        };
        self.claimed.fetch_add(emails.len() as u64, Ordering::Relaxed);
        let left = left_after(emails.iter().map(|email| (email.id, email.priority)), limits);
        let mut probe = match admission {
            Admission::Any => None,
            Admission::Probe(probe) => Some(probe),
        };
        // The order in which they wait for an SMTP dialogue.
        emails.sort_by_key(|email| email.priority);
        for (email, mut permit) in emails.into_iter().zip(permits) {
            if email.priority == BULK {
                permit.bulk = capacity.take_for_bulk();
            }
            let (delivery, probe) = (self.delivery.clone(), probe.take());
            permit.claimed_for.is_probe = probe.is_some();
            self.deliveries.spawn(async move {
                delivery.deliver(email, claim_began, permit).await;
                drop(probe);
            });
        }
        Ok(left)
    }

    fn limits(&self, permits: usize, bulk: usize) -> ClaimLimits {
        let aged = aged_among(permits as u64, self.claimed.load(Ordering::Relaxed));
        ClaimLimits { emails: permits as i64, bulk: bulk.min(permits) as i64, aged: aged as i64 }
    }
}

/// How many of the next emails may be aged ones, after so many that were claimed.
fn aged_among(next: u64, claimed: u64) -> u64 {
    (claimed + next) / ONE_AGED_IN - claimed / ONE_AGED_IN
}

/// What may still be due after a claim of these emails, by id and priority.
fn left_after(emails: impl Iterator<Item = (Uuid, i16)>, limits: ClaimLimits) -> Left {
    let (mut number, mut bulk, mut last, mut last_bulk) = (0, 0, None, None);
    for (id, priority) in emails {
        (number, last) = (number + 1, Some(id));
        if priority == BULK {
            (bulk, last_bulk) = (bulk + 1, Some(id));
        }
    }
    let is_full = number == limits.emails;
    // A claim takes bulk last, so after it nothing of a higher priority is due. Only aged bulk comes before the rest.
    let others_are_done = bulk > limits.aged || !is_full;
    match last {
        _ if others_are_done && (is_full || bulk >= limits.bulk) => Left::Bulk(last_bulk),
        Some(last) if is_full => Left::Any(last),
        _ => Left::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_in_eight_may_be_an_aged_email_however_many_are_claimed_at_once() {
        for at_once in [1, 3, 8, 16, 20] {
            let rounds = 240 / at_once;
            let aged: u64 = (0..rounds).map(|round| aged_among(at_once, round * at_once)).sum();
            assert_eq!(aged, 30, "{at_once} at once");
        }
    }

    /// What a claim of emails of these priorities left.
    fn left_by(priorities: &[i16], (emails, bulk, aged): (i64, i64, i64)) -> &'static str {
        let limits = ClaimLimits { emails, bulk, aged };
        match left_after(priorities.iter().map(|priority| (Uuid::nil(), *priority)), limits) {
            Left::Nothing => "nothing",
            Left::Any(_) => "anything",
            Left::Bulk(_) => "bulk",
        }
    }

    #[test]
    fn after_bulk_that_was_claimed_by_its_turn_only_bulk_is_left() {
        for (priorities, limits, left) in [
            (&[][..], (4, 3, 0), "nothing"),
            (&[1, 2, 3], (4, 3, 0), "nothing"),
            (&[1, 1, 1, 1], (4, 3, 0), "anything"),
            (&[3, 3, 3], (4, 3, 0), "bulk"),
            (&[1, 3, 3, 3], (4, 3, 0), "bulk"),
            (&[1, 1, 1, 3], (4, 3, 0), "bulk"),
            (&[3], (1, 1, 0), "bulk"),
            (&[1, 1], (4, 0, 0), "bulk"),
            // One that has waited for long came ahead of whatever else there is.
            (&[3], (1, 1, 1), "anything"),
            (&[3, 1, 1, 1], (4, 3, 1), "anything"),
            (&[3, 1, 1], (4, 1, 1), "bulk"),
        ] {
            assert_eq!(left_by(priorities, limits), left, "{priorities:?} within {limits:?}");
        }
    }
}
