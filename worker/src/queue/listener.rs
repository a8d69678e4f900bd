//! The listener: an apalis worker that takes jobs from Redis. Each job wakes the fetcher, which claims what is due.
//!
//! A job is done when the fetcher was woken. Deliveries are tasks of their own: apalis ends a worker over any Redis
//! error, and must not end deliveries with it.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use apalis::prelude::*;
use bookly_shared::queue::{QueueError, RedisQueue, SendEmail};
use tokio::sync::{Notify, mpsc};
use tokio::time::{Interval, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::delivery::capacity::Capacity;
use crate::delivery::circuit_breaker::CircuitBreaker;
use crate::queue::fallback::FallbackPlace;

/// The fallback to the PUBLISH that follows every push. Each poll is work for an idle Redis.
const POLL_EVERY: Duration = Duration::from_secs(10);
/// Jobs only wake the fetcher: one at a time is enough.
const CONCURRENT_JOBS: usize = 1;
const FIRST_RESTART: Duration = Duration::from_millis(250);
const SLOWEST_RESTART: Duration = Duration::from_secs(5);
/// An apalis worker that ran for this long had started well.
const STARTED_WELL: Duration = Duration::from_secs(10);
/// After so many failed starts in a row the queue's keys in Redis are deleted: its rows are in the database.
const RESET_AFTER: u32 = 6;

/// What the loop needs. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Listener {
    pub(crate) redis: RedisQueue,
    pub(crate) worker: String,
    pub(crate) circuit_breaker: CircuitBreaker,
    pub(crate) capacity: Capacity,
    pub(crate) fallback: Option<FallbackPlace>,
    pub(crate) wake: Arc<Notify>,
    pub(crate) stop: CancellationToken,
}

impl Listener {
    /// Takes jobs until `stop`. Starts the apalis worker again, with a growing wait, whenever a Redis error ends it.
    pub(crate) async fn run(&self) {
        let mut failed_starts = 0u32;
        let mut run = 0u32;
        while !self.stop.is_cancelled() {
            let began = Instant::now();
            run += 1;
            let ended = self.run_once(run).await;
            if self.stop.is_cancelled() {
                return;
            }
            failed_starts = if began.elapsed() > STARTED_WELL { 1 } else { failed_starts + 1 };
            self.report(ended, failed_starts).await;
            // No jobs arrive while Redis is away: every restart looks at the table instead.
            self.wake.notify_one();
            let wait = (FIRST_RESTART * 2u32.pow(failed_starts.min(6) - 1)).min(SLOWEST_RESTART);
            self.stop.run_until_cancelled(tokio::time::sleep(wait)).await;
        }
    }

    async fn report(&self, ended: Result<(), WorkerError>, failed_starts: u32) {
        let reason =
            ended.err().map_or_else(|| "it ended without an error".to_owned(), |error| error.to_string());
        tracing::warn!(reason, failed_starts, "the job listener ended and starts again");
        if failed_starts >= RESET_AFTER
            && failed_starts.is_multiple_of(RESET_AFTER)
            && self.redis.is_usable().await
        {
            match self.redis.reset().await {
                Ok(()) => tracing::error!(
                    "Redis answers but the job listener cannot start; the queue's keys in Redis were deleted"
                ),
                Err(reset) => tracing::error!(
                    %reset,
                    "Redis answers but the job listener cannot start, and the queue's keys in Redis could not be deleted"
                ),
            }
        }
    }

    /// One run of an apalis worker. A name cannot be used again until its worker counts as
    /// lost, so each run has its own.
    async fn run_once(&self, run: u32) -> Result<(), WorkerError> {
        let (sender, wakeups) = mpsc::channel(1);
        let subscription = tokio::spawn(subscribe(self.redis.clone(), sender, self.stop.clone()));
        let listener = self.clone();
        let stop = self.stop.clone();
        let worker = WorkerBuilder::new(format!("{}-{run}", self.worker))
            .backend(self.redis.backend().poll_with_strategy(WakeupsAndTimer::new(wakeups)))
            .concurrency(CONCURRENT_JOBS)
            .build(move |payload: String| {
                let listener = listener.clone();
                async move { listener.handle(&payload).await }
            });
        let until = async move {
            stop.cancelled().await;
            Ok::<(), WorkerError>(())
        };
        // A task of its own: apalis calls Redis whenever its task is polled, also when another future of it wakes.
        let ended = tokio::spawn(worker.run_until(until)).await;
        subscription.abort();
        ended.unwrap_or_else(|panic| Err(WorkerError::PanicError(panic.to_string())))
    }

    /// Wakes the fetcher. A worker without capacity, or with an open circuit, takes no further jobs meanwhile, so that
    /// other workers get them. Never fails: apalis would repeat a failed job 25 times.
    async fn handle(&self, payload: &str) {
        if payload.parse::<SendEmail>().is_err() {
            tracing::warn!("a job whose payload is not an id was ignored");
            return;
        }
        let first_ready = async {
            self.circuit_breaker.not_open().await;
            drop(self.capacity.acquire().await);
        };
        let ready = async {
            match &self.fallback {
                None => first_ready.await,
                Some(fallback) => fallback.ready(first_ready).await,
            }
        };
        if self.stop.run_until_cancelled(ready).await.is_some() {
            self.wake.notify_one();
            // Lets the fetcher run first: otherwise apalis first prepares and sends the acknowledgement, in the same thread.
            tokio::task::yield_now().await;
        }
    }
}

/// Passes Redis' PUBLISH on to the poll strategy, and subscribes again when the connection ends.
async fn subscribe(redis: RedisQueue, wakeups: mpsc::Sender<()>, stop: CancellationToken) {
    stop.run_until_cancelled(async {
        let mut wait = FIRST_RESTART;
        loop {
            let began = Instant::now();
            let ended: Result<(), QueueError> = redis
                .listen(|| {
                    // A full channel holds a wake-up already.
                    let _ = wakeups.try_send(());
                })
                .await;
            tracing::debug!(?ended, "the subscription to new jobs ended, subscribing again");
            wait =
                if began.elapsed() > STARTED_WELL { FIRST_RESTART } else { (wait * 2).min(SLOWEST_RESTART) };
            tokio::time::sleep(wait).await;
        }
    })
    .await;
}

/// Polls by timer and by wake-up. Both are polled until they are pending: apalis' own interval and stream strategies
/// take one tick and lose the waker (pick-up after 19–29 s was measured).
struct WakeupsAndTimer {
    timer: Interval,
    wakeups: mpsc::Receiver<()>,
}

impl WakeupsAndTimer {
    fn new(wakeups: mpsc::Receiver<()>) -> WakeupsAndTimer {
        let mut timer = tokio::time::interval(POLL_EVERY);
        timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
        WakeupsAndTimer { timer, wakeups }
    }
}

impl PollStrategy for WakeupsAndTimer {
    fn poll_drive(&mut self, cx: &mut Context<'_>, _: &PollSnapshot) -> Poll<Option<()>> {
        while self.timer.poll_tick(cx).is_ready() {}
        while let Poll::Ready(Some(())) = self.wakeups.poll_recv(cx) {}
        Poll::Pending
    }
}
