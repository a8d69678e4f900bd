//! One clock for a whole installation: the database's, measured by its offset from this machine's.

use std::sync::Arc;
use std::sync::RwLock;
use std::time::{Duration, Instant};

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use tokio_util::sync::CancellationToken;

use crate::db::Db;

/// How often the database is asked for its time.
const RESAMPLE_EVERY: Duration = Duration::from_secs(30);

/// Tells the time that due times, leases and tokens are measured in.
///
/// It advances by this machine's monotonic clock and is set by the database's wall clock, so a worker
/// whose own wall clock is an hour off does no harm.
#[derive(Clone, Debug)]
pub struct Clock(Arc<RwLock<Reading>>);

#[derive(Debug)]
struct Reading {
    utc: DateTime<Utc>,
    at: Instant,
}

impl Clock {
    /// A clock that shows this machine's time until it is synchronised.
    pub fn local() -> Clock {
        Clock(Arc::new(RwLock::new(Reading { utc: machine_time(), at: Instant::now() })))
    }

    /// A clock that follows the database's.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn synchronised(db: &Db) -> Result<Clock, crate::db::DbError> {
        let clock = Clock::local();
        clock.synchronise(db).await?;
        Ok(clock)
    }

    /// How far this machine's clock is ahead of the database's; `None` where the database has none of its own.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub(crate) async fn ahead_of(db: &Db) -> Result<Option<TimeDelta>, crate::db::DbError> {
        Ok(time_of(db).await?.map(|theirs| machine_time() - theirs))
    }

    /// The time now, cut to the microseconds that both databases keep.
    pub fn now(&self) -> DateTime<Utc> {
        let reading = self.0.read().unwrap_or_else(|poisoned| poisoned.into_inner());
        let elapsed = TimeDelta::from_std(reading.at.elapsed()).unwrap_or_default();
        (reading.utc + elapsed).trunc_subsecs(6)
    }

    /// Sets the clock by the database's. SQLite has no clock of its own: it is set by this machine's.
    ///
    /// # Errors
    /// When the database cannot be asked; the clock then goes on as it was.
    pub async fn synchronise(&self, db: &Db) -> Result<(), crate::db::DbError> {
        let utc = time_of(db).await?.unwrap_or_else(machine_time);
        let reading = Reading { utc, at: Instant::now() };
        *self.0.write().unwrap_or_else(|poisoned| poisoned.into_inner()) = reading;
        Ok(())
    }

    /// Keeps the clock set until `stop`.
    pub async fn keep_synchronised(&self, db: Db, stop: CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(RESAMPLE_EVERY)).await.is_some() {
            if let Err(error) = self.synchronise(&db).await {
                tracing::warn!(%error, "the database's time cannot be read, the clock runs on by itself");
            }
        }
    }
}

/// The database's time as of now, `None` where it has no clock of its own.
async fn time_of(db: &Db) -> Result<Option<DateTime<Utc>>, crate::db::DbError> {
    let asked = Instant::now();
    // Half the round trip is the best guess of when the answer was true (Cristian's algorithm).
    Ok(db.time().await?.map(|utc| utc + TimeDelta::from_std(asked.elapsed() / 2).unwrap_or_default()))
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's wall clock")]
fn machine_time() -> DateTime<Utc> {
    Utc::now()
}
