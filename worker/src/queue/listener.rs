//! With Redis: an apalis worker takes bells, and each bell wakes the drain, which claims whatever is due.
//!
//! A bell is done when the drain was woken: what happens to the mails from there on is their rows' matter, so a worker
//! that apalis ends over a Redis error does not tear its deliveries down.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use apalis::prelude::*;
use bookly_shared::queue::{QueueError, RedisQueue};
use tokio::sync::{Notify, mpsc};
use tokio::time::{Interval, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::delivery::capacity::Capacity;
use crate::delivery::circuit_breaker::CircuitBreaker;

/// The fallback to the PUBLISH that follows every push. Each poll is work for an idle Redis.
const POLL_EVERY: Duration = Duration::from_secs(10);
/// A bell is no mail: one at a time is enough.
const BELLS_AT_A_TIME: usize = 1;
const FIRST_RESTART: Duration = Duration::from_millis(250);
const SLOWEST_RESTART: Duration = Duration::from_secs(5);
/// A worker that lived this long had started well.
const STARTED_WELL: Duration = Duration::from_secs(10);
/// After so many bad starts in a row what Redis holds is suspected, and dropped: the mails are elsewhere.
const SUSPECT_AFTER: u32 = 6;

/// What the loop needs. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Listener {
    pub(crate) queue: RedisQueue,
    pub(crate) worker: String,
    pub(crate) gate: CircuitBreaker,
    pub(crate) slots: Capacity,
    pub(crate) wake: Arc<Notify>,
    pub(crate) stop: CancellationToken,
}

impl Listener {
    /// Takes bells until `stop`, starting over with a growing wait whenever Redis ends the worker.
    pub(crate) async fn work(&self) {
        let mut bad_starts = 0u32;
        let mut run = 0u32;
        while !self.stop.is_cancelled() {
            let began = Instant::now();
            run += 1;
            let ended = self.run_once(run).await;
            if self.stop.is_cancelled() {
                return;
            }
            bad_starts = if began.elapsed() > STARTED_WELL { 1 } else { bad_starts + 1 };
            self.report(ended, bad_starts).await;
            // Without Redis nothing rings: the table is looked at instead, at every new start.
            self.wake.notify_one();
            let wait = (FIRST_RESTART * 2u32.pow(bad_starts.min(6) - 1)).min(SLOWEST_RESTART);
            self.stop.run_until_cancelled(tokio::time::sleep(wait)).await;
        }
    }

    async fn report(&self, ended: Result<(), WorkerError>, bad_starts: u32) {
        let reason = ended.err().map_or_else(|| "it ended by itself".to_owned(), |error| error.to_string());
        tracing::warn!(reason, bad_starts, "the bell worker ended and starts again");
        if bad_starts >= SUSPECT_AFTER
            && bad_starts.is_multiple_of(SUSPECT_AFTER)
            && self.queue.is_reachable().await
        {
            let dropped = self.queue.start_over().await;
            tracing::error!(
                ok = dropped.is_ok(),
                "Redis answers but no worker can start; all that the queue had there was dropped"
            );
        }
    }

    /// One life of an apalis worker. A name cannot be used again for 30 s, so each life has its own.
    async fn run_once(&self, run: u32) -> Result<(), WorkerError> {
        let (wake, woken) = mpsc::channel(1);
        let listener = tokio::spawn(listen(self.queue.clone(), wake, self.stop.clone()));
        let bells = self.clone();
        let stop = self.stop.clone();
        let worker = WorkerBuilder::new(format!("{}-{run}", self.worker))
            .backend(self.queue.backend().poll_with_strategy(Wakeups::new(woken)))
            .concurrency(BELLS_AT_A_TIME)
            .build(move |bell: String| {
                let bells = bells.clone();
                async move { bells.hear(bell).await }
            });
        let until = async move {
            stop.cancelled().await;
            Ok::<(), WorkerError>(())
        };
        // A task of its own: apalis asks Redis whenever it is polled, so also when another future of its task wakes.
        let ended = tokio::spawn(worker.run_until(until)).await;
        listener.abort();
        ended.unwrap_or_else(|panic| Err(WorkerError::PanicError(panic.to_string())))
    }

    /// Wakes the drain. A worker without a free slot, or whose mail server is away, leaves further bells to others.
    /// Always well: apalis' own retries would ring 25 times.
    async fn hear(&self, bell: String) {
        if bell.parse::<Uuid>().is_err() {
            tracing::warn!("a bell that is no id was ignored");
            return;
        }
        let ready = async {
            self.gate.opened().await;
            drop(self.slots.free().await);
        };
        if self.stop.run_until_cancelled(ready).await.is_some() {
            self.wake.notify_one();
        }
    }
}

/// Passes Redis' PUBLISH on to the poll strategy, and listens again when the connection ends.
async fn listen(queue: RedisQueue, wake: mpsc::Sender<()>, stop: CancellationToken) {
    stop.run_until_cancelled(async {
        loop {
            let ended: Result<(), QueueError> = queue
                .listen(|| {
                    // Full means that the strategy has a wake-up to see already.
                    let _ = wake.try_send(());
                })
                .await;
            tracing::debug!(?ended, "the bell's channel ended, listening again");
            tokio::time::sleep(SLOWEST_RESTART).await;
        }
    })
    .await;
}

/// Polls by timer and by wake-up. Both are drained until they are pending: apalis' own interval and stream
/// strategies take one tick and so lose the waker (pick-up after 19–29 s was measured).
struct Wakeups {
    timer: Interval,
    woken: mpsc::Receiver<()>,
}

impl Wakeups {
    fn new(woken: mpsc::Receiver<()>) -> Wakeups {
        let mut timer = tokio::time::interval(POLL_EVERY);
        timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Wakeups { timer, woken }
    }
}

impl PollStrategy for Wakeups {
    fn poll_drive(&mut self, cx: &mut Context<'_>, _: &PollSnapshot) -> Poll<Option<()>> {
        while self.timer.poll_tick(cx).is_ready() {}
        while let Poll::Ready(Some(())) = self.woken.poll_recv(cx) {}
        Poll::Pending
    }
}
