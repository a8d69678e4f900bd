//! The table `base_mailbox_counts`: how many sign-ups and address changes one mailbox gets, whatever follows its `+`.
//!
//! Many servers deliver `ann+1@…`, `ann+2@…` and so on to one mailbox, so that each sign-up would be another email there.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Db, DbResult, on_db};
use crate::domain::EmailAddress;

/// A count starts again this long after its first email.
pub(in crate::db) const COUNT_FOR: TimeDelta = TimeDelta::days(1);

/// Counts one email; writes no row when the limit `$4` is reached. `$3` is the time before which a count is over. The
/// row's lock makes concurrent requests count each other. [`Db::create_account`] has the same statement for Postgres.
pub(in crate::db) const COUNT_SIGN_UP: &str = "
INSERT INTO base_mailbox_counts AS counts (base_mailbox, emails, counted_from)
VALUES ($1, 1, $2)
ON CONFLICT (base_mailbox) DO UPDATE
SET emails = CASE WHEN counts.counted_from <= $3 THEN 1 ELSE counts.emails + 1 END,
    counted_from = CASE WHEN counts.counted_from <= $3 THEN excluded.counted_from ELSE counts.counted_from END
WHERE counts.counted_from <= $3 OR counts.emails < $4";

const SELECT_FULL_COUNT: &str = "
SELECT counted_from FROM base_mailbox_counts WHERE base_mailbox = $1 AND counted_from > $2 AND emails >= $3";

pub(in crate::db) const PURGE_COUNTS: &str = "
DELETE FROM base_mailbox_counts
WHERE base_mailbox IN (SELECT base_mailbox FROM base_mailbox_counts WHERE counted_from < $1 LIMIT $2)";

impl Db {
    /// How long a mailbox that has reached the limit must wait; `None` when it has not.
    pub async fn base_mailbox_wait(
        &self,
        email: &EmailAddress,
        limit: i32,
        now: DateTime<Utc>,
    ) -> DbResult<Option<TimeDelta>> {
        let counted_from: DbResult<Option<DateTime<Utc>>> = on_db!(self.reader(), connection => {
            let query = sqlx::query_scalar(SELECT_FULL_COUNT).bind(email.base_mailbox());
            query.bind(now - COUNT_FOR).bind(limit).fetch_optional(&mut *connection).await?
        });
        Ok(counted_from?.map(|from| from + COUNT_FOR - now))
    }
}
