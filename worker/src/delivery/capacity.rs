//! Capacity is how many emails a worker may have in delivery, prefetch how many it claims ahead of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bookly_shared::domain::MailServer;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::delivery::fallback::ClaimedFor;

/// A mail server that takes an email within this time would wait for claims and look-ups, so emails are prefetched.
/// Ahead of a slower one they might wait for minutes while other workers are idle.
pub(crate) const FAST_SERVER: Duration = Duration::from_millis(50);
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

/// Bulk never gets this part of the concurrency: one in four, rounded up. A concurrency of 1 has no such part.
const NOT_FOR_BULK: u16 = 4;

/// The capacity for one mail server. Three limits: on emails in an SMTP dialogue, on emails claimed and not yet answered
/// (the first limit plus the prefetch), and on rows that are not completed (the second limit plus sent emails that wait for
/// the database). Bulk has lower limits for the first two, so that other emails find capacity whatever is queued.
#[derive(Clone, Debug)]
pub(crate) struct Capacity {
    dialogues: Dialogues,
    unanswered: Arc<Semaphore>,
    uncompleted: Arc<Semaphore>,
    bulk_sending: Arc<Semaphore>,
    bulk_unanswered: Arc<Semaphore>,
    concurrency: u32,
    prefetch: u32,
    server: MailServer,
    /// For the other server, where there are two.
    other: Option<Dialogues>,
}

impl Capacity {
    /// For so many concurrent deliveries to this server.
    pub(crate) fn new(concurrency: u16, server: MailServer) -> Capacity {
        let prefetch = concurrency.saturating_mul(PREFETCH_PER_DELIVERY).min(MAX_PREFETCH);
        let (sending, completing) =
            (usize::from(concurrency), usize::from(concurrency) * COMPLETING_PER_DELIVERY);
        let unanswered = sending + usize::from(prefetch);
        let not_for_bulk = if concurrency > 1 { usize::from(concurrency.div_ceil(NOT_FOR_BULK)) } else { 0 };
        let permits = |number| Arc::new(Semaphore::new(number));
        Capacity {
            // The server's speed is not known yet.
            dialogues: Dialogues { sending: permits(sending), prefetches: Arc::new(AtomicBool::new(false)) },
            unanswered: permits(unanswered),
            uncompleted: permits(unanswered + completing),
            bulk_sending: permits(sending - not_for_bulk),
            bulk_unanswered: permits(unanswered - not_for_bulk),
            concurrency: u32::from(concurrency),
            prefetch: u32::from(prefetch),
            server,
            other: None,
        }
    }

    /// The capacities for the first server and the fallback.
    pub(crate) fn of_two(concurrency: u16) -> [Capacity; 2] {
        let [mut first, mut second] =
            [MailServer::First, MailServer::Fallback].map(|server| Capacity::new(concurrency, server));
        first.other = Some(second.dialogues.clone());
        second.other = Some(first.dialogues.clone());
        [first, second]
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
        drop(timeout(self.batch_wait(reserve), self.unanswered.acquire_many(reserve + half)).await);
    }

    /// How many more bulk emails may be claimed now.
    pub(crate) fn for_bulk(&self) -> usize {
        self.bulk_unanswered.available_permits().saturating_sub(self.reserve() as usize)
    }

    /// Takes the place of one bulk email.
    pub(crate) fn take_for_bulk(&self) -> Option<BulkPermit> {
        let unanswered = self.bulk_unanswered.clone().try_acquire_owned().ok()?;
        Some(BulkPermit { unanswered, sending: self.bulk_sending.clone() })
    }

    /// Waits until bulk emails may be claimed, and then, unless they are claimed one at a time and not for long, until a
    /// third of the capacity is free for them. Other emails find capacity meanwhile.
    pub(crate) async fn wait_for_bulk(&self, one_at_a_time: bool) {
        let reserve = self.reserve();
        // The semaphores are never closed.
        drop(self.bulk_unanswered.acquire_many(reserve + 1).await);
        if one_at_a_time {
            return;
        }
        let third = (self.concurrency + self.prefetch - reserve).div_ceil(3);
        drop(timeout(self.batch_wait(reserve), self.bulk_unanswered.acquire_many(reserve + third)).await);
    }

    fn batch_wait(&self, reserve: u32) -> Duration {
        if reserve == 0 { WAIT_FOR_HALF_WITH_PREFETCH } else { WAIT_FOR_HALF }
    }

    /// The part of the capacity that stays free: the prefetch, while the server is slow.
    fn reserve(&self) -> u32 {
        if self.dialogues.prefetches.load(Ordering::Relaxed) { 0 } else { self.prefetch }
    }

    fn permit(
        &self,
        mut unanswered: OwnedSemaphorePermit,
        uncompleted: OwnedSemaphorePermit,
        reserve: u32,
    ) -> DeliveryPermit {
        drop(unanswered.split(reserve as usize));
        DeliveryPermit {
            unanswered: Some(unanswered),
            uncompleted,
            dialogues: self.dialogues.clone(),
            with_other: self.other.clone(),
            bulk: None,
            claimed_for: ClaimedFor { server: self.server, is_probe: false },
        }
    }
}

/// Capacity for one email, from before its claim until the mail server's reply.
#[derive(Debug)]
pub(crate) struct DeliveryPermit {
    /// Limits the emails that are claimed and not yet answered.
    unanswered: Option<OwnedSemaphorePermit>,
    /// Limits the rows that are not completed.
    uncompleted: OwnedSemaphorePermit,
    /// With the mail server of this capacity.
    dialogues: Dialogues,
    /// With the other mail server.
    with_other: Option<Dialogues>,
    /// Bulk emails have limits of their own beside these.
    pub(crate) bulk: Option<BulkPermit>,
    /// The mail server of this capacity.
    pub(crate) claimed_for: ClaimedFor,
}

/// The SMTP dialogues with one server. Clones share them.
#[derive(Clone, Debug)]
struct Dialogues {
    /// Limits the emails in one.
    sending: Arc<Semaphore>,
    /// Whether emails are prefetched: the server is fast.
    prefetches: Arc<AtomicBool>,
}

/// Capacity for one bulk email, beside that of every email.
#[derive(Debug)]
pub(crate) struct BulkPermit {
    /// Limits the bulk emails that are claimed and not yet answered.
    #[expect(dead_code, reason = "held until the permit is dropped")]
    unanswered: OwnedSemaphorePermit,
    /// Limits the bulk emails in an SMTP dialogue. The others wait for this one first, so that none takes the place of an
    /// email of a higher priority.
    sending: Arc<Semaphore>,
}

/// One email's place in an SMTP dialogue, until it is dropped. Measures how long the server takes.
#[derive(Debug)]
pub(crate) struct SendingPermit {
    _sending: [Option<OwnedSemaphorePermit>; 2],
    began: Instant,
    /// Where the time is noted.
    prefetches: Option<Arc<AtomicBool>>,
}

impl DeliveryPermit {
    /// Waits until one more SMTP dialogue may begin.
    pub(crate) async fn start_sending(&self) -> SendingPermit {
        // The semaphores are never closed.
        let bulk = match &self.bulk {
            Some(bulk) => bulk.sending.clone().acquire_owned().await.ok(),
            None => None,
        };
        let Dialogues { sending, prefetches } = self.dialogues.clone();
        let sending = [bulk, sending.acquire_owned().await.ok()];
        SendingPermit { _sending: sending, began: Instant::now(), prefetches: Some(prefetches) }
    }

    /// One more SMTP dialogue with the other server, if it may begin now. Then the capacity for this one is free: if the
    /// other one hangs, that costs this one nothing.
    pub(crate) fn start_sending_to_other(&mut self) -> Option<SendingPermit> {
        let Dialogues { sending, prefetches } = self.with_other.clone()?;
        let sending = [None, Some(sending.try_acquire_owned().ok()?)];
        drop((self.unanswered.take(), self.bulk.take()));
        Some(SendingPermit { _sending: sending, began: Instant::now(), prefetches: Some(prefetches) })
    }

    /// Frees the capacity for the next email. What is returned limits the rows that are not completed.
    pub(crate) fn answered(self) -> OwnedSemaphorePermit {
        self.uncompleted
    }
}

impl SendingPermit {
    /// No dialogue began: this says nothing about the server.
    pub(crate) fn give_back(mut self) {
        self.prefetches = None;
    }
}

impl Drop for SendingPermit {
    fn drop(&mut self) {
        if let Some(prefetches) = &self.prefetches {
            prefetches.store(self.began.elapsed() <= FAST_SERVER, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests;
