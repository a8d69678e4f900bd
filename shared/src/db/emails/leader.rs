//! The leader: one process at a time runs maintenance.
//!
//! The leader has a lease in the table `leader`, not a lock of its session: behind a pooler, other clients use the same
//! session. Two leaders for a moment do no harm, because each statement of maintenance decides by itself.

use std::time::Duration;

use sqlx::PgPool;
use uuid::Uuid;

use crate::db::{Db, DbResult, Pools, within_limit};

/// A leader whose server is silent for longer gives up: another one may have taken its place.
const RENEW_LIMIT: Duration = Duration::from_secs(5);

/// Ten seconds are longer than a leader waits between two rounds, and shorter than the lease of an email, so that the
/// loss of a leader delays no rescue. The database's clock counts.
const TAKE_LEADERSHIP_POSTGRES: &str = "
INSERT INTO leader (task, holder, lease_until)
VALUES ('maintenance', $1, clock_timestamp() + interval '10 seconds')
ON CONFLICT (task) DO UPDATE
SET holder = EXCLUDED.holder, lease_until = EXCLUDED.lease_until
WHERE leader.lease_until < clock_timestamp()";

const RENEW_LEADERSHIP_POSTGRES: &str = "
UPDATE leader SET lease_until = clock_timestamp() + interval '10 seconds'
WHERE task = 'maintenance' AND holder = $1";

const LEAVE_LEADERSHIP_POSTGRES: &str = "DELETE FROM leader WHERE task = 'maintenance' AND holder = $1";

/// The leadership, until its lease ends.
#[derive(Debug)]
pub struct Leadership(Option<LeaderLease>);

/// A lease in the table `leader`. SQLite needs none: one process uses a file, so it always leads.
#[derive(Debug)]
struct LeaderLease {
    pool: PgPool,
    holder: Uuid,
}

impl Leadership {
    /// Renews the lease; returns whether this process still leads.
    pub async fn is_held(&mut self) -> bool {
        let Some(lease) = &self.0 else { return true };
        let renew = sqlx::query(RENEW_LEADERSHIP_POSTGRES).bind(lease.holder).execute(&lease.pool);
        matches!(tokio::time::timeout(RENEW_LIMIT, renew).await, Ok(Ok(done)) if done.rows_affected() == 1)
    }

    /// Ends the lease, so that another process can lead at once.
    pub async fn leave(self) {
        let Some(lease) = &self.0 else { return };
        let leave = sqlx::query(LEAVE_LEADERSHIP_POSTGRES).bind(lease.holder).execute(&lease.pool);
        // If this fails, the lease ends by itself.
        let _ = tokio::time::timeout(RENEW_LIMIT, leave).await;
    }
}

impl Db {
    /// Takes the leadership if no other process has it.
    pub async fn take_leadership(&self) -> DbResult<Option<Leadership>> {
        let Pools::Postgres(pool) = &self.pools else { return Ok(Some(Leadership(None))) };
        let holder = Uuid::new_v4();
        within_limit(async {
            let taken = sqlx::query(TAKE_LEADERSHIP_POSTGRES).bind(holder).execute(pool).await?;
            Ok((taken.rows_affected() == 1)
                .then(|| Leadership(Some(LeaderLease { pool: pool.clone(), holder }))))
        })
        .await
    }
}
