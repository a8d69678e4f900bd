//! How many mails a worker may have in its hands.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// While more mails wait than there are slots, those that fall free are gathered for this long at most: one claim
/// for several mails costs the database little more than for one.
const GATHER: Duration = Duration::from_millis(2);
/// The same while mails are claimed ahead, which go on meanwhile.
const GATHER_AHEAD: Duration = Duration::from_millis(20);
/// Rows that wait to be closed, for every mail that may be on its way.
const CLOSING_PER_SLOT: usize = 4;
/// A mail server that takes no longer than this for a mail is quick: it would wait for claims and look-ups, so that
/// some mails are claimed ahead. With a slower one they might wait for minutes while other workers have nothing to do.
const QUICK: Duration = Duration::from_millis(50);
/// Mails claimed ahead, for every one that may be on its way: so many times [`QUICK`] they wait for their turn.
const AHEAD_PER_SLOT: u16 = 3;
/// The most of them. Larger claims save nothing more.
const MOST_AHEAD: u16 = 64;

/// So many mails on their way to the mail server, some behind them while it is quick, and some more that it answered
/// and whose rows are being closed: a mail server need not wait for the database.
#[derive(Clone, Debug)]
pub(crate) struct Capacity {
    unanswered: Arc<Semaphore>,
    sending: Arc<Semaphore>,
    open: Arc<Semaphore>,
    quick: Arc<AtomicBool>,
    concurrency: u32,
    ahead: u32,
}

/// Room for one mail.
#[derive(Debug)]
pub(crate) struct Slot {
    _unanswered: OwnedSemaphorePermit,
    open: OwnedSemaphorePermit,
    slots: Capacity,
}

/// A mail's turn at the mail server; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    _sending: Option<OwnedSemaphorePermit>,
    began: Instant,
    quick: Arc<AtomicBool>,
}

impl Capacity {
    /// For so many mails on their way at once.
    pub(crate) fn new(concurrency: u16) -> Capacity {
        let ahead = concurrency.saturating_mul(AHEAD_PER_SLOT).min(MOST_AHEAD);
        let (sending, closing) = (usize::from(concurrency), usize::from(concurrency) * CLOSING_PER_SLOT);
        let unanswered = sending + usize::from(ahead);
        let permits = |number| Arc::new(Semaphore::new(number));
        Capacity {
            unanswered: permits(unanswered),
            sending: permits(sending),
            open: permits(unanswered + closing),
            // Nothing is known of the server yet.
            quick: Arc::new(AtomicBool::new(false)),
            concurrency: u32::from(concurrency),
            ahead: u32::from(ahead),
        }
    }

    /// Waits for one.
    pub(crate) async fn free(&self) -> Slot {
        loop {
            let open = self.open.clone().acquire_owned().await;
            let kept_free = self.kept_free();
            let unanswered = self.unanswered.clone().acquire_many_owned(kept_free + 1).await;
            // Nobody closes the semaphores.
            if let (Ok(unanswered), Ok(open)) = (unanswered, open) {
                return self.slot(unanswered, open, kept_free);
            }
        }
    }

    pub(crate) fn free_now(&self) -> Option<Slot> {
        let open = self.open.clone().try_acquire_owned().ok()?;
        let kept_free = self.kept_free();
        let unanswered = self.unanswered.clone().try_acquire_many_owned(kept_free + 1).ok()?;
        Some(self.slot(unanswered, open, kept_free))
    }

    /// Waits, not for long, until half of all that may be unanswered can be claimed at once.
    pub(crate) async fn gather(&self) {
        let kept_free = self.kept_free();
        let half = (self.concurrency + self.ahead - kept_free).div_ceil(2);
        let limit = if kept_free == 0 { GATHER_AHEAD } else { GATHER };
        drop(timeout(limit, self.unanswered.acquire_many(kept_free + half)).await);
    }

    /// The places of mails claimed ahead, while none may be.
    fn kept_free(&self) -> u32 {
        if self.quick.load(Ordering::Relaxed) { 0 } else { self.ahead }
    }

    fn slot(&self, mut unanswered: OwnedSemaphorePermit, open: OwnedSemaphorePermit, kept_free: u32) -> Slot {
        drop(unanswered.split(kept_free as usize));
        Slot { _unanswered: unanswered, open, slots: self.clone() }
    }
}

impl Slot {
    /// Waits for the mail's turn at the mail server.
    pub(crate) async fn turn(&self) -> Turn {
        // Nobody closes the semaphore.
        let sending = self.slots.sending.clone().acquire_owned().await.ok();
        Turn { _sending: sending, began: Instant::now(), quick: self.slots.quick.clone() }
    }

    /// Gives all places free but that of an open row.
    pub(crate) fn answered(self) -> OwnedSemaphorePermit {
        self.open
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.quick.store(self.began.elapsed() <= QUICK, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As many as can be had without waiting.
    fn all(slots: &Capacity) -> Vec<Slot> {
        std::iter::from_fn(|| slots.free_now()).collect()
    }

    #[tokio::test]
    async fn no_mail_is_claimed_ahead_of_a_server_that_is_not_known_to_be_quick() {
        let slots = Capacity::new(3);
        let mut had = all(&slots);
        assert_eq!(had.len(), 3);
        drop(had.pop().unwrap().answered());
        assert_eq!(all(&slots).len(), 1);
    }

    #[tokio::test]
    async fn some_are_claimed_ahead_of_a_quick_one_and_no_more_are_sent_at_once() {
        let slots = Capacity::new(3);
        drop(slots.free().await.turn().await);
        let had = all(&slots);
        assert_eq!(had.len(), 12);
        let turns = [had[0].turn().await, had[1].turn().await, had[2].turn().await];
        assert!(timeout(Duration::from_millis(20), had[3].turn()).await.is_err());
        drop(turns);
        drop(had[3].turn().await);
    }

    #[tokio::test]
    async fn of_many_that_are_sent_at_once_few_are_claimed_ahead() {
        let slots = Capacity::new(1024);
        drop(slots.free().await.turn().await);
        assert_eq!(all(&slots).len(), 1024 + usize::from(MOST_AHEAD));
    }

    #[tokio::test]
    async fn one_that_became_slow_is_not_claimed_ahead_of_any_more() {
        let slots = Capacity::new(3);
        drop(slots.free().await.turn().await);
        let mut had = all(&slots);
        let mut slow = had[0].turn().await;
        slow.began -= 2 * QUICK;
        drop(slow);
        for left in (0..12).rev() {
            drop(had.pop().unwrap().answered());
            assert_eq!(slots.free_now().is_some(), left < 3, "{left} are in its hands");
        }
    }
}
