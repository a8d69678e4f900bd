//! One clock for all processes of an installation: the database's.

use std::sync::Arc;
use std::sync::RwLock;
use std::time::{Duration, Instant};

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use tokio_util::sync::CancellationToken;

use crate::db::Db;

/// How often the time of the database is read.
const RESAMPLE_EVERY: Duration = Duration::from_secs(30);

/// The time for due times, leases and tokens.
///
/// It is set by the wall clock of the database and advances by the monotonic clock of this machine, so a worker with a
/// wrong wall clock does no harm.
#[derive(Clone, Debug)]
pub struct Clock(Arc<RwLock<Reading>>);

#[derive(Debug)]
struct Reading {
    utc: DateTime<Utc>,
    /// `None`: the clock stands still.
    at: Option<Instant>,
}

impl Clock {
    /// A clock with the time of this machine.
    pub fn local() -> Clock {
        Clock(Arc::new(RwLock::new(Reading { utc: machine_time(), at: Some(Instant::now()) })))
    }

    /// A clock with the time of the database.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn synchronised(db: &Db) -> Result<Clock, crate::db::DbError> {
        let clock = Clock::local();
        clock.synchronise(db).await?;
        Ok(clock)
    }

    /// How far the clock of this machine is ahead of the database's; `None` for SQLite, which has no clock.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(crate) async fn ahead_of(db: &Db) -> Result<Option<TimeDelta>, crate::db::DbError> {
        Ok(time_of(db).await?.map(|theirs| machine_time() - theirs))
    }

    /// The time now, truncated to microseconds, which both databases store.
    pub fn now(&self) -> DateTime<Utc> {
        let reading = self.0.read().unwrap_or_else(|poisoned| poisoned.into_inner());
        let elapsed = reading.at.and_then(|at| TimeDelta::from_std(at.elapsed()).ok());
        (reading.utc + elapsed.unwrap_or_default()).trunc_subsecs(6)
    }

    /// Stops until it is synchronised again, so that a test does not depend on how fast the machine is.
    pub fn stand_still(&self) {
        let utc = self.now();
        *self.0.write().unwrap_or_else(|poisoned| poisoned.into_inner()) = Reading { utc, at: None };
    }

    /// Sets the clock to the database's time, with SQLite to this machine's.
    ///
    /// # Errors
    /// When the database does not answer; the clock then runs on.
    pub async fn synchronise(&self, db: &Db) -> Result<(), crate::db::DbError> {
        let utc = time_of(db).await?.unwrap_or_else(machine_time);
        let reading = Reading { utc, at: Some(Instant::now()) };
        *self.0.write().unwrap_or_else(|poisoned| poisoned.into_inner()) = reading;
        Ok(())
    }

    /// Sets the clock every 30 s until `stop`.
    pub async fn keep_synchronised(&self, db: Db, stop: CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(RESAMPLE_EVERY)).await.is_some() {
            if let Err(error) = self.synchronise(&db).await {
                tracing::warn!(%error, "the time of the database cannot be read; the clock runs on");
            }
        }
    }
}

/// The database's time now; `None` for SQLite.
async fn time_of(db: &Db) -> Result<Option<DateTime<Utc>>, crate::db::DbError> {
    let asked = Instant::now();
    // The database read its clock about half a round trip ago (Cristian's algorithm).
    Ok(db.time().await?.map(|utc| utc + TimeDelta::from_std(asked.elapsed() / 2).unwrap_or_default()))
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's wall clock")]
fn machine_time() -> DateTime<Utc> {
    Utc::now()
}
