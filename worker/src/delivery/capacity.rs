//! Capacity: how many emails a worker may have in delivery, and prefetch: how many it claims ahead of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// While more emails are due than there is capacity for, a claim waits this long at most for more of it: one claim of
/// several rows costs the database little more than a claim of one.
const WAIT_FOR_HALF: Duration = Duration::from_millis(2);
/// The same with prefetch: the emails claimed ahead are sent meanwhile.
const WAIT_FOR_HALF_WITH_PREFETCH: Duration = Duration::from_millis(20);
/// Sent emails whose rows are not completed yet, for every concurrent delivery.
const COMPLETING_PER_DELIVERY: usize = 4;
/// A mail server that takes an email within this time would wait for claims and look-ups, so emails are prefetched.
/// Ahead of a slower one they might wait for minutes while other workers are idle.
const FAST_SERVER: Duration = Duration::from_millis(50);
/// Emails prefetched for every concurrent delivery: each waits for its turn this many times [`FAST_SERVER`] at most.
const PREFETCH_PER_DELIVERY: u16 = 3;
/// The most of them. Larger claims save nothing more.
const MAX_PREFETCH: u16 = 64;

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

/// Capacity for one email, from before its claim until the mail server's reply.
#[derive(Debug)]
pub(crate) struct DeliveryPermit {
    _unanswered: OwnedSemaphorePermit,
    uncompleted: OwnedSemaphorePermit,
    capacity: Capacity,
}

/// One email's place in an SMTP dialogue, until it is dropped. Measures how long the server takes.
#[derive(Debug)]
pub(crate) struct SendingPermit {
    _sending: Option<OwnedSemaphorePermit>,
    began: Instant,
    prefetches: Arc<AtomicBool>,
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
        DeliveryPermit { _unanswered: unanswered, uncompleted, capacity: self.clone() }
    }
}

impl DeliveryPermit {
    /// Waits until one more SMTP dialogue may begin.
    pub(crate) async fn start_sending(&self) -> SendingPermit {
        // The semaphore is never closed.
        let sending = self.capacity.sending.clone().acquire_owned().await.ok();
        SendingPermit {
            _sending: sending,
            began: Instant::now(),
            prefetches: self.capacity.prefetches.clone(),
        }
    }

    /// Frees the capacity for the next email. What is returned limits the rows that are not completed.
    pub(crate) fn answered(self) -> OwnedSemaphorePermit {
        self.uncompleted
    }
}

impl Drop for SendingPermit {
    fn drop(&mut self) {
        self.prefetches.store(self.began.elapsed() <= FAST_SERVER, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As many as there are without waiting.
    fn all(capacity: &Capacity) -> Vec<DeliveryPermit> {
        std::iter::from_fn(|| capacity.try_acquire()).collect()
    }

    #[tokio::test]
    async fn nothing_is_prefetched_before_the_server_is_known_to_be_fast() {
        let capacity = Capacity::new(3);
        let mut permits = all(&capacity);
        assert_eq!(permits.len(), 3);
        drop(permits.pop().unwrap().answered());
        assert_eq!(all(&capacity).len(), 1);
    }

    #[tokio::test]
    async fn emails_are_prefetched_for_a_fast_server_and_no_more_are_sent_at_once() {
        let capacity = Capacity::new(3);
        drop(capacity.acquire().await.start_sending().await);
        let permits = all(&capacity);
        assert_eq!(permits.len(), 12);
        let sending = [
            permits[0].start_sending().await,
            permits[1].start_sending().await,
            permits[2].start_sending().await,
        ];
        assert!(timeout(Duration::from_millis(20), permits[3].start_sending()).await.is_err());
        drop(sending);
        drop(permits[3].start_sending().await);
    }

    #[tokio::test]
    async fn the_prefetch_of_a_high_concurrency_is_limited() {
        let capacity = Capacity::new(1024);
        drop(capacity.acquire().await.start_sending().await);
        assert_eq!(all(&capacity).len(), 1024 + usize::from(MAX_PREFETCH));
    }

    #[tokio::test]
    async fn nothing_more_is_prefetched_once_the_server_is_slow() {
        let capacity = Capacity::new(3);
        drop(capacity.acquire().await.start_sending().await);
        let mut permits = all(&capacity);
        let mut slow = permits[0].start_sending().await;
        slow.began -= 2 * FAST_SERVER;
        drop(slow);
        for left in (0..12).rev() {
            drop(permits.pop().unwrap().answered());
            assert_eq!(capacity.try_acquire().is_some(), left < 3, "{left} permits are in use");
        }
    }
}
