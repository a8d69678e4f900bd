//! The relay: rings for due rows that nobody rang for, fails what is past its deadline, clears what is old.
//!
//! One relay works at a time, whoever holds the seat; another takes over when it falls free.

use std::time::Duration;

use bookly_shared::clock::Clock;
use bookly_shared::db::outbox::CLOCK_SLACK;
use bookly_shared::db::relay::RelaySeat;
use bookly_shared::db::{Db, DbError};
use bookly_shared::metrics::table::{RELAY_ACTIVE, RELAY_RINGS};
use bookly_shared::queue::{CAP, LOW_WATER, QueueError, RedisQueue};
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
const OVERDUE_EVERY: Duration = Duration::from_secs(15);
const PURGE_EVERY: Duration = Duration::from_secs(600);
/// After so many rounds in a row that Redis refused, though it answers, what it holds is suspected, and dropped.
const SUSPECT_AFTER: u32 = 10;

/// A relay, working or waiting for the seat.
pub(crate) struct Relay {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
    /// Where to ring; `None` when the workers look at the table themselves.
    pub(crate) queue: Option<RedisQueue>,
    /// How long closed rows are kept.
    pub(crate) keep: TimeDelta,
}

#[derive(Debug, thiserror::Error)]
enum RelayError {
    #[error(transparent)]
    Db(#[from] DbError),
    #[error(transparent)]
    Queue(#[from] QueueError),
}

impl Relay {
    /// Waits for the seat and relays, again and again, until `stop`.
    pub(crate) async fn run(&self, stop: &CancellationToken) {
        let mut database_was_away = false;
        while !stop.is_cancelled() {
            match self.db.take_relay_seat().await {
                Ok(Some(seat)) => {
                    if database_was_away {
                        stop.run_until_cancelled(tokio::time::sleep(RECORD_FIRST)).await;
                    }
                    RELAY_ACTIVE.set(1.0, []);
                    self.relay(seat, stop).await;
                    RELAY_ACTIVE.set(0.0, []);
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

    async fn relay(&self, mut seat: RelaySeat, stop: &CancellationToken) {
        tracing::info!("this process relays");
        let (mut overdue, mut purge) = (Instant::now(), Instant::now());
        let mut bad_rounds = 0;
        while seat.is_held().await {
            match self.round(&mut overdue, &mut purge).await {
                Ok(()) => bad_rounds = 0,
                Err(error) => {
                    bad_rounds += 1;
                    self.report(&error, bad_rounds).await;
                }
            }
            if stop.run_until_cancelled(tokio::time::sleep(ROUND_EVERY)).await.is_none() {
                return seat.leave().await;
            }
        }
        tracing::warn!("the relay lost its seat");
    }

    async fn report(&self, error: &RelayError, bad_rounds: u32) {
        if bad_rounds == 1 {
            tracing::warn!(%error, "the relay cannot work, it tries again every second");
        }
        if let (RelayError::Queue(_), Some(queue)) = (error, &self.queue)
            && bad_rounds.is_multiple_of(SUSPECT_AFTER)
            && queue.is_reachable().await
        {
            let dropped = queue.start_over().await;
            tracing::error!(%error, ok = dropped.is_ok(), "Redis answers but refuses; all that the queue had there was dropped");
        }
    }

    async fn round(&self, overdue: &mut Instant, purge: &mut Instant) -> Result<(), RelayError> {
        if is_due(overdue, OVERDUE_EVERY) {
            let failed = self.db.fail_overdue(self.clock.now()).await?;
            record::overdue(&failed);
            if !failed.is_empty() {
                tracing::error!(
                    mails = failed.len(),
                    "mails failed: their deadline passed before they could be sent"
                );
            }
        }
        if is_due(purge, PURGE_EVERY) {
            let gone = self.db.purge(self.keep, self.clock.now()).await?;
            tracing::debug!(rows = gone, "old rows deleted");
        }
        match &self.queue {
            Some(queue) => self.top_up(queue).await,
            None => Ok(()),
        }
    }

    /// Rings for what nobody rang for, when few bells wait.
    async fn top_up(&self, queue: &RedisQueue) -> Result<(), RelayError> {
        queue.forget_done().await?;
        if queue.drop_if_overfull().await? {
            tracing::error!("too many bells waited in Redis; they were dropped and are rung again");
        }
        let waiting = queue.waiting().await?;
        if waiting >= LOW_WATER {
            return Ok(());
        }
        let unrung = self.db.take_unrung((CAP - waiting) as i64, self.clock.now() - CLOCK_SLACK).await?;
        if !unrung.is_empty() {
            queue.push(&unrung).await?;
            RELAY_RINGS.add(unrung.len() as u64, []);
            tracing::info!(mails = unrung.len(), "rang again for mails that waited");
        }
        Ok(())
    }
}

fn is_due(next: &mut Instant, every: Duration) -> bool {
    let due = *next <= Instant::now();
    if due {
        *next = Instant::now() + every;
    }
    due
}
