//! Maintenance: rescues emails whose worker was lost, enqueues due rows again that have no job, fails what is past its
//! deadline, purges what is old, lifts suppressions.
//!
//! One process at a time runs it, the leader; another takes over when the leader is gone.

use std::time::Duration;

use bookly_shared::audit;
use bookly_shared::clock::Clock;
use bookly_shared::db::emails::leader::Leadership;
use bookly_shared::db::{Db, DbError};
use bookly_shared::domain::SuppressionReason;
use bookly_shared::metrics::table::{JOBS_REENQUEUED, MAINTENANCE_LEADER};
use bookly_shared::queue::{QueueError, RedisQueue, SendEmail};
use chrono::TimeDelta;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::metrics::record;

/// How soon a due retry is enqueued.
const ROUND_EVERY: Duration = Duration::from_secs(1);
/// How soon a process takes over when there is no leader.
const ELECTION_EVERY: Duration = Duration::from_secs(2);
/// After a database outage nothing is rescued or claimed for this long. Leases ran out meanwhile, and workers first
/// complete the emails that the mail server took: a rescued one would be sent twice.
pub(crate) const AFTER_DATABASE_OUTAGE: Duration = Duration::from_secs(4);
/// Jobs of one round. Each wakes a worker for everything that is due, so a few are enough for any backlog.
const REENQUEUE_LIMIT: usize = 16;
const CLEAN_UP_EVERY: Duration = Duration::from_secs(5);
const FAIL_OVERDUE_EVERY: Duration = Duration::from_secs(15);
const PURGE_EVERY: Duration = Duration::from_secs(600);
/// After so many rounds in a row with an error from a Redis that answers, the queue's keys in Redis are deleted.
const RESET_AFTER: u32 = 10;

/// Maintenance, as leader or waiting to become it.
pub(crate) struct Maintenance {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
    /// Where jobs are enqueued; `None` when workers poll the table.
    pub(crate) redis: Option<RedisQueue>,
    /// How long completed rows are kept.
    pub(crate) mail_retention: TimeDelta,
    /// The longest time that a code of an email is good.
    pub(crate) code_lifetime: TimeDelta,
    /// After which accounts that signed up and were never verified are deleted.
    pub(crate) unverified_for: TimeDelta,
}

#[derive(Debug, thiserror::Error)]
enum MaintenanceError {
    #[error(transparent)]
    Db(#[from] DbError),
    #[error(transparent)]
    Queue(#[from] QueueError),
}

impl Maintenance {
    /// Becomes the leader when there is none, and works as long as it is, until `stop`.
    pub(crate) async fn run(&self, stop: &CancellationToken) {
        let mut database_was_away = false;
        while !stop.is_cancelled() {
            match self.db.take_leadership().await {
                Ok(Some(leadership)) => {
                    if database_was_away {
                        stop.run_until_cancelled(tokio::time::sleep(AFTER_DATABASE_OUTAGE)).await;
                    }
                    MAINTENANCE_LEADER.set(1.0, []);
                    self.lead(leadership, stop).await;
                    MAINTENANCE_LEADER.set(0.0, []);
                    // Leadership ends early only when the database does not answer.
                    database_was_away = true;
                }
                Ok(None) => database_was_away = false,
                Err(error) => {
                    database_was_away = true;
                    tracing::warn!(%error, "maintenance cannot reach the database");
                }
            }
            stop.run_until_cancelled(tokio::time::sleep(ELECTION_EVERY)).await;
        }
    }

    async fn lead(&self, mut leadership: Leadership, stop: &CancellationToken) {
        tracing::info!("this process is the maintenance leader");
        let mut schedule = Schedule::new();
        let mut failed_rounds = 0;
        while leadership.is_held().await {
            let wait = match self.round(&mut schedule).await {
                Ok(()) => {
                    failed_rounds = 0;
                    ROUND_EVERY
                }
                Err(error) => {
                    failed_rounds += 1;
                    self.report(&error, failed_rounds).await;
                    if matches!(error, MaintenanceError::Db(_)) { AFTER_DATABASE_OUTAGE } else { ROUND_EVERY }
                }
            };
            if stop.run_until_cancelled(tokio::time::sleep(wait)).await.is_none() {
                return leadership.leave().await;
            }
        }
        tracing::warn!("this process is no longer the maintenance leader");
    }

    async fn report(&self, error: &MaintenanceError, failed_rounds: u32) {
        if failed_rounds == 1 {
            tracing::warn!(%error, "a round of maintenance failed, it is repeated");
        }
        if let (MaintenanceError::Queue(_), Some(redis)) = (error, &self.redis)
            && failed_rounds.is_multiple_of(RESET_AFTER)
            && redis.is_usable().await
        {
            match redis.reset().await {
                Ok(()) => {
                    tracing::error!(%error, "Redis answers with errors; the queue's keys in Redis were deleted")
                }
                Err(reset) => tracing::error!(
                    %error,
                    %reset,
                    "Redis answers with errors, and the queue's keys in Redis could not be deleted"
                ),
            }
        }
    }

    async fn round(&self, schedule: &mut Schedule) -> Result<(), MaintenanceError> {
        let rescued = self.db.rescue_lost_leases(self.clock.now()).await?;
        if rescued > 0 {
            tracing::warn!(emails = rescued, "emails whose worker was lost are queued again");
        }
        if is_due(&mut schedule.fail_overdue, FAIL_OVERDUE_EVERY) {
            let failed = self.db.fail_overdue(self.clock.now()).await?;
            record::overdue(&failed);
            if !failed.is_empty() {
                tracing::error!(
                    emails = failed.len(),
                    "emails failed: their deadline passed before they could be sent"
                );
            }
        }
        if is_due(&mut schedule.purge, PURGE_EVERY) {
            // Before the emails that show it are deleted.
            for mailbox in self.db.lift_bounces(self.clock.now()).await? {
                audit::suppression(&mailbox, SuppressionReason::Bounce.as_str(), "suppression_lifted");
            }
            let deleted = self.db.purge(self.mail_retention, self.code_lifetime, self.clock.now()).await?;
            tracing::debug!(rows = deleted, "old rows deleted");
            self.purge_accounts().await?;
        }
        let Some(redis) = &self.redis else { return Ok(()) };
        if schedule.clean_up <= Instant::now() {
            clean_up(redis).await?;
            // Not after a failure: the next round tries again, so that a Redis that only refuses is noticed.
            schedule.clean_up = Instant::now() + CLEAN_UP_EVERY;
        }
        self.reenqueue(redis).await
    }

    /// Deletes accounts that signed up and were never verified in time.
    async fn purge_accounts(&self) -> Result<(), DbError> {
        let created_before = self.clock.now() - self.unverified_for;
        loop {
            let deleted = self.db.purge_unverified_accounts(created_before).await?;
            if deleted.is_empty() {
                return Ok(());
            }
            for account in deleted {
                audit::account_of(account.uid, &account.email, "account_purged");
            }
        }
    }

    /// Enqueues due rows without a job. As long as there are none, Redis gets no command.
    async fn reenqueue(&self, redis: &RedisQueue) -> Result<(), MaintenanceError> {
        let now = self.clock.now();
        if !self.db.any_unenqueued(now).await? || redis.waiting().await? >= REENQUEUE_LIMIT {
            return Ok(());
        }
        let ids = self.db.take_unenqueued(REENQUEUE_LIMIT as i64, now).await?;
        let jobs: Vec<SendEmail> = ids.into_iter().map(|id| SendEmail { id }).collect();
        redis.push(&jobs).await?;
        JOBS_REENQUEUED.add(jobs.len() as u64, []);
        tracing::info!("emails that waited were enqueued again");
        Ok(())
    }
}

/// Deletes done jobs, and all of them when far too many wait.
async fn clean_up(redis: &RedisQueue) -> Result<(), QueueError> {
    redis.delete_done().await?;
    if redis.drop_if_too_many().await? {
        tracing::error!(
            "too many jobs waited in Redis; they were dropped, and their rows are enqueued again"
        );
    }
    Ok(())
}

/// When the rarer tasks run next.
struct Schedule {
    clean_up: Instant,
    fail_overdue: Instant,
    purge: Instant,
}

impl Schedule {
    /// All of them now.
    fn new() -> Schedule {
        let now = Instant::now();
        Schedule { clean_up: now, fail_overdue: now, purge: now }
    }
}

fn is_due(next: &mut Instant, every: Duration) -> bool {
    let due = *next <= Instant::now();
    if due {
        *next = Instant::now() + every;
    }
    due
}
