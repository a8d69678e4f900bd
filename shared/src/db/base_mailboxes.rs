//! The table `base_mailbox_counts`: how many sign-ups and address changes one mailbox gets, whatever follows its `+`.
//!
//! Many servers deliver `ann+1@…`, `ann+2@…` and so on to one mailbox, so that each sign-up would be another email there.
//! The limit holds for any 24 hours: the row keeps the times of the newest ones, as many as the limit, and one more is
//! possible when the oldest of these is a day old.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Db, DbResult, Pools, on_db};
use crate::domain::EmailAddress;

/// How long a sign-up or an address change counts.
pub(in crate::db) const COUNT_FOR: TimeDelta = TimeDelta::days(1);

/// Counts one; writes no row when the limit `$4` is reached. Times up to `$3` count no more. The times are in one row,
/// because its lock makes concurrent requests count each other. [`Db::create_account`] has the same statement.
pub(in crate::db) const COUNT_SIGN_UP_POSTGRES: &str = "
INSERT INTO base_mailbox_counts AS counts (base_mailbox, counted_at, last_counted_at)
VALUES ($1, ARRAY[$2::timestamptz], $2)
ON CONFLICT (base_mailbox) DO UPDATE
SET counted_at = counts.counted_at[cardinality(counts.counted_at) + 2 - $4 :] || excluded.last_counted_at,
    last_counted_at = excluded.last_counted_at
WHERE cardinality(counts.counted_at) < $4 OR counts.counted_at[cardinality(counts.counted_at) + 1 - $4] <= $3";

/// The same; an array of JSON begins at 0.
pub(in crate::db) const COUNT_SIGN_UP_SQLITE: &str = "
INSERT INTO base_mailbox_counts AS counts (base_mailbox, counted_at, last_counted_at)
VALUES ($1, json_array($2), $2)
ON CONFLICT (base_mailbox) DO UPDATE
SET counted_at = json_insert(CASE WHEN json_array_length(counts.counted_at) < $4 THEN counts.counted_at
                                  ELSE json_remove(counts.counted_at, '$[0]') END,
                             '$[#]', excluded.last_counted_at),
    last_counted_at = excluded.last_counted_at
WHERE json_array_length(counts.counted_at) < $4
   OR counts.counted_at ->> (json_array_length(counts.counted_at) - $4) <= $3";

/// The time that keeps the limit `$3` reached, after `$2`.
const SELECT_FULL_COUNT_POSTGRES: &str = "
SELECT counted_at[cardinality(counted_at) + 1 - $3]
FROM base_mailbox_counts
WHERE base_mailbox = $1 AND cardinality(counted_at) >= $3 AND counted_at[cardinality(counted_at) + 1 - $3] > $2";

const SELECT_FULL_COUNT_SQLITE: &str = "
SELECT counted_at ->> (json_array_length(counted_at) - $3)
FROM base_mailbox_counts
WHERE base_mailbox = $1 AND json_array_length(counted_at) >= $3
  AND counted_at ->> (json_array_length(counted_at) - $3) > $2";

pub(in crate::db) const PURGE_COUNTS: &str = "
DELETE FROM base_mailbox_counts
WHERE base_mailbox IN (SELECT base_mailbox FROM base_mailbox_counts WHERE last_counted_at < $1 LIMIT $2)";

impl Db {
    /// The statement that counts a sign-up or an address change.
    pub(in crate::db) fn count_sign_up(&self) -> &'static str {
        match self.pools {
            Pools::Postgres(_) => COUNT_SIGN_UP_POSTGRES,
            Pools::Sqlite { .. } => COUNT_SIGN_UP_SQLITE,
        }
    }

    /// How long a mailbox that has reached the limit must wait; `None` when it has not.
    pub async fn base_mailbox_wait(
        &self,
        email: &EmailAddress,
        limit: i32,
        now: DateTime<Utc>,
    ) -> DbResult<Option<TimeDelta>> {
        let sql = match self.pools {
            Pools::Postgres(_) => SELECT_FULL_COUNT_POSTGRES,
            Pools::Sqlite { .. } => SELECT_FULL_COUNT_SQLITE,
        };
        let counted_at: DbResult<Option<DateTime<Utc>>> = on_db!(self.reader(), connection => {
            let query = sqlx::query_scalar(sql).bind(email.base_mailbox());
            query.bind(now - COUNT_FOR).bind(limit).fetch_optional(&mut *connection).await?
        });
        Ok(counted_at?.map(|counted| counted + COUNT_FOR - now))
    }
}
