//! The relay: frees mails whose workers were lost, rings for due rows that nobody rang for, fails what is past its
//! deadline, clears what is old.
//!
//! One relay works at a time, whoever holds the seat; another takes over when it falls free.

use std::time::Duration;

use bookly_shared::clock::Clock;
use bookly_shared::db::emails::enqueue::CLOCK_SLACK;
use bookly_shared::db::emails::maintenance::Leadership;
use bookly_shared::db::{Db, DbError};
use bookly_shared::metrics::table::{JOBS_REENQUEUED, MAINTENANCE_LEADER};
use bookly_shared::queue::{QueueError, RedisQueue};
use chrono::TimeDelta;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::metrics::record;

/// How soon a retry that fell due is rung for.
const ROUND_EVERY: Duration = Duration::from_secs(1);
/// How soon a free seat is taken.
const SEAT_EVERY: Duration = Duration::from_secs(2);
/// After the database was away, what the mail server took meanwhile is recorded before anything is claimed again:
/// leases ran out during the outage, and a row that its worker is about to close as sent must not be sent twice.
pub(crate) const RECORD_FIRST: Duration = Duration::from_secs(4);
/// Listener of one round. Each wakes a worker for everything that is due, so that a few are enough for any backlog.
const RINGS: usize = 16;
const TIDY_EVERY: Duration = Duration::from_secs(5);
const OVERDUE_EVERY: Duration = Duration::from_secs(15);
const PURGE_EVERY: Duration = Duration::from_secs(600);
/// After so many rounds in a row that Redis refused, though it answers, what it holds is suspected, and dropped.
const SUSPECT_AFTER: u32 = 10;

/// A relay, working or waiting for the seat.
pub(crate) struct Maintenance {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
    /// Where to ring; `None` when the workers look at the table themselves.
    pub(crate) queue: Option<RedisQueue>,
    /// How long closed rows are kept.
    pub(crate) keep: TimeDelta,
}

#[derive(Debug, thiserror::Error)]
enum MaintenanceError {
    #[error(transparent)]
    Db(#[from] DbError),
    #[error(transparent)]
    Queue(#[from] QueueError),
}

impl Maintenance {
    /// Waits for the seat and relays, again and again, until `stop`.
    pub(crate) async fn run(&self, stop: &CancellationToken) {
        let mut database_was_away = false;
        while !stop.is_cancelled() {
            match self.db.take_leadership().await {
                Ok(Some(seat)) => {
                    if database_was_away {
                        stop.run_until_cancelled(tokio::time::sleep(RECORD_FIRST)).await;
                    }
                    MAINTENANCE_LEADER.set(1.0, []);
                    self.relay(seat, stop).await;
                    MAINTENANCE_LEADER.set(0.0, []);
                    // A seat is lost with its connection.
                    database_was_away = true;
                }
                Ok(None) => database_was_away = false,
                Err(error) => {
                    database_was_away = true;
                    tracing::warn!(%error, "the relay cannot reach the database");
                }
            }
            stop.run_until_cancelled(tokio::time::sleep(SEAT_EVERY)).await;
        }
    }

    async fn relay(&self, mut seat: Leadership, stop: &CancellationToken) {
        tracing::info!("this process relays");
        let mut next = Timetable::new();
        let mut bad_rounds = 0;
        while seat.is_held().await {
            let wait = match self.round(&mut next).await {
                Ok(()) => {
                    bad_rounds = 0;
                    ROUND_EVERY
                }
                Err(error) => {
                    bad_rounds += 1;
                    self.report(&error, bad_rounds).await;
                    if matches!(error, MaintenanceError::Db(_)) { RECORD_FIRST } else { ROUND_EVERY }
                }
            };
            if stop.run_until_cancelled(tokio::time::sleep(wait)).await.is_none() {
                return seat.leave().await;
            }
        }
        tracing::warn!("the relay lost its seat");
    }

    async fn report(&self, error: &MaintenanceError, bad_rounds: u32) {
        if bad_rounds == 1 {
            tracing::warn!(%error, "the relay cannot work, it tries again every second");
        }
        if let (MaintenanceError::Queue(_), Some(queue)) = (error, &self.queue)
            && bad_rounds.is_multiple_of(SUSPECT_AFTER)
            && queue.is_reachable().await
        {
            let dropped = queue.start_over().await;
            tracing::error!(%error, ok = dropped.is_ok(), "Redis answers but refuses; all that the queue had there was dropped");
        }
    }

    async fn round(&self, next: &mut Timetable) -> Result<(), MaintenanceError> {
        let freed = self.db.rescue_lost_leases(self.clock.now()).await?;
        if freed > 0 {
            tracing::warn!(mails = freed, "mails whose workers were lost wait for another attempt");
        }
        if is_due(&mut next.overdue, OVERDUE_EVERY) {
            let failed = self.db.fail_overdue(self.clock.now()).await?;
            record::overdue(&failed);
            if !failed.is_empty() {
                tracing::error!(
                    mails = failed.len(),
                    "mails failed: their deadline passed before they could be sent"
                );
            }
        }
        if is_due(&mut next.purge, PURGE_EVERY) {
            let gone = self.db.purge(self.keep, self.clock.now()).await?;
            tracing::debug!(rows = gone, "old rows deleted");
        }
        let Some(queue) = &self.queue else { return Ok(()) };
        if next.tidy <= Instant::now() {
            tidy(queue).await?;
            // After a failure at once, so that a Redis that only refuses is found out.
            next.tidy = Instant::now() + TIDY_EVERY;
        }
        self.reenqueue(queue).await
    }

    /// Rings for what nobody rang for. While nothing waits, Redis is not asked at all.
    async fn reenqueue(&self, queue: &RedisQueue) -> Result<(), MaintenanceError> {
        let before = self.clock.now() - CLOCK_SLACK;
        if !self.db.any_unenqueued(before).await? || queue.waiting().await? >= RINGS {
            return Ok(());
        }
        let unrung = self.db.take_unenqueued(RINGS as i64, before).await?;
        queue.push(&unrung).await?;
        JOBS_REENQUEUED.add(unrung.len() as u64, []);
        tracing::info!("rang again for mails that waited");
        Ok(())
    }
}

/// Forgets bells that were heard, and all of them when there are far too many.
async fn tidy(queue: &RedisQueue) -> Result<(), QueueError> {
    queue.forget_done().await?;
    if queue.drop_if_overfull().await? {
        tracing::error!("too many bells waited in Redis; they were dropped and are rung again");
    }
    Ok(())
}

/// When the rarer tasks are next.
struct Timetable {
    tidy: Instant,
    overdue: Instant,
    purge: Instant,
}

impl Timetable {
    /// All of them now.
    fn new() -> Timetable {
        let now = Instant::now();
        Timetable { tidy: now, overdue: now, purge: now }
    }
}

fn is_due(next: &mut Instant, every: Duration) -> bool {
    let due = *next <= Instant::now();
    if due {
        *next = Instant::now() + every;
    }
    due
}
