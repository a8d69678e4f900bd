//! The table `suppressions`: mailboxes that get no email, or no bulk email, each with the reasons.
//!
//! A mailbox is an address in its canonical form, with its `+tag`. Whether an email is suppressed is decided when it
//! is sent, never when it is asked for, so that requests take the same time for every address.

pub mod passes;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use super::sessions::{Actor, Checked, require_actor};
use super::{Db, DbResult, in_transaction, on_db, one_more, split_off_more};
use crate::domain::{EmailAddress, SuppressionReason};

/// An entry to be added; as JSON it is a [`Suppression`].
#[derive(Clone, Debug, Serialize)]
pub struct NewSuppression {
    /// The address in its canonical form: a row's `mailbox`, never an address of a report.
    pub mailbox: String,
    /// The reason.
    pub reason: SuppressionReason,
    /// The source, in a word for the operator: `postmark`, `command`.
    pub source: String,
    /// When it is added.
    pub created_at: DateTime<Utc>,
    /// When it ends; `None` without an end.
    pub until: Option<DateTime<Utc>>,
}

impl NewSuppression {
    /// An entry that holds as long as its reason's do.
    pub fn new(mailbox: &str, reason: SuppressionReason, source: &str, now: DateTime<Utc>) -> NewSuppression {
        let until = reason.lifetime().map(|lifetime| now + lifetime);
        NewSuppression {
            mailbox: mailbox.to_owned(),
            reason,
            source: source.to_owned(),
            created_at: now,
            until,
        }
    }

    /// The same for another time.
    #[must_use]
    pub fn lasting(self, time: TimeDelta) -> NewSuppression {
        NewSuppression { until: Some(self.created_at + time), ..self }
    }
}

/// An entry of the table, also as JSON: the names of its fields do not change.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow, Serialize)]
pub struct Suppression {
    /// The address in its canonical form.
    pub mailbox: String,
    /// The reason, as text: a newer version may have others.
    pub reason: String,
    /// Its source.
    pub source: String,
    /// When it was last added.
    pub created_at: DateTime<Utc>,
    /// When it ends; `None` without an end.
    pub until: Option<DateTime<Utc>>,
}

/// Selects entries. Empty fields select all.
#[derive(Clone, Debug, Default)]
pub struct SuppressionFilter {
    /// Entries of this mailbox, in its canonical form.
    pub mailbox: Option<String>,
    /// Entries with this reason.
    pub reason: Option<SuppressionReason>,
    /// How many of the newest are left out.
    pub offset: i64,
}

/// A mailbox has one entry a reason: the newest.
pub(in crate::db) const SUPPRESS: &str = "
INSERT INTO suppressions (mailbox, reason, source, created_at, until)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (mailbox, reason) DO UPDATE
SET source = excluded.source, created_at = excluded.created_at, until = excluded.until";

/// Changes no entry of the same source that has no end.
const SUPPRESS_ONCE: &str = "
INSERT INTO suppressions (mailbox, reason, source, created_at, until)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (mailbox, reason) DO UPDATE
SET source = excluded.source, created_at = excluded.created_at, until = excluded.until
WHERE suppressions.until IS NOT NULL OR suppressions.source <> excluded.source";

/// `$2` is a reason, or null: then all reasons that are not the recipient's own wish.
const UNSUPPRESS: &str = "
DELETE FROM suppressions
WHERE mailbox = $1 AND (reason = $2 OR ($2 IS NULL AND reason IN ('bounce', 'operator')))
RETURNING reason";

/// `$1` is null or a mailbox, `$2` null or a reason.
const LIST_SUPPRESSIONS: &str = "
SELECT * FROM suppressions
WHERE (mailbox = $1 OR $1 IS NULL) AND (reason = $2 OR $2 IS NULL) AND (until > $3 OR until IS NULL)
ORDER BY created_at DESC, mailbox, reason
LIMIT $4 OFFSET $5";

pub(in crate::db) const PURGE_SUPPRESSIONS: &str = "
DELETE FROM suppressions
WHERE (mailbox, reason) IN (SELECT mailbox, reason FROM suppressions WHERE until < $1 LIMIT $2)";

/// Adds an entry, a [`NewSuppression`], on a connection or in a transaction of either database.
macro_rules! suppress {
    ($connection:expr, $entry:expr) => {{
        let entry: &$crate::db::suppressions::NewSuppression = $entry;
        let query = sqlx::query($crate::db::suppressions::SUPPRESS);
        let query = query.bind(&entry.mailbox).bind(entry.reason.as_str()).bind(&entry.source);
        query.bind(entry.created_at).bind(entry.until).execute(&mut *$connection).await?;
    }};
}
pub(in crate::db) use suppress;

impl Db {
    /// Adds an entry.
    pub async fn suppress(&self, entry: &NewSuppression) -> DbResult<()> {
        on_db!(self.writer(), connection => suppress!(connection, entry))
    }

    /// Adds an entry without an end, unless the same source has made it before. Returns whether it is new.
    pub async fn suppress_once(&self, entry: &NewSuppression) -> DbResult<bool> {
        on_db!(self.writer(), connection => {
            let query = sqlx::query(SUPPRESS_ONCE).bind(&entry.mailbox).bind(entry.reason.as_str());
            let query = query.bind(&entry.source).bind(entry.created_at).bind(entry.until);
            query.execute(&mut *connection).await?.rows_affected() == 1
        })
    }

    /// The same as [`Db::suppress`] for an administrator.
    pub async fn suppress_by(&self, actor: &Actor, entry: &NewSuppression) -> DbResult<Checked<()>> {
        in_transaction!(self, tx => {
            require_actor!(self, tx, actor, entry.created_at);
            suppress!(tx, entry);
            Checked::Done(())
        })
    }

    /// Removes the entry of a mailbox with this reason; without a reason all its entries that are not the recipient's own
    /// wish. Returns the reasons of those that are gone.
    pub async fn unsuppress(
        &self,
        mailbox: &EmailAddress,
        reason: Option<SuppressionReason>,
    ) -> DbResult<Vec<String>> {
        let reason = reason.map(SuppressionReason::as_str);
        on_db!(self.writer(), connection => {
            let query = sqlx::query_scalar(UNSUPPRESS).bind(mailbox.canonical()).bind(reason);
            query.fetch_all(&mut *connection).await?
        })
    }

    /// The same for an administrator.
    pub async fn unsuppress_by(
        &self,
        actor: &Actor,
        mailbox: &EmailAddress,
        reason: Option<SuppressionReason>,
        now: DateTime<Utc>,
    ) -> DbResult<Checked<Vec<String>>> {
        let reason = reason.map(SuppressionReason::as_str);
        in_transaction!(self, tx => {
            require_actor!(self, tx, actor, now);
            let query = sqlx::query_scalar(UNSUPPRESS).bind(mailbox.canonical()).bind(reason);
            Checked::Done(query.fetch_all(&mut *tx).await?)
        })
    }

    /// The reasons for which a mailbox, in its canonical form, is suppressed now.
    pub async fn suppression_reasons(&self, mailbox: &str, now: DateTime<Utc>) -> DbResult<Vec<String>> {
        // A mailbox has one entry a reason: far fewer than this.
        const LIMIT: usize = 100;
        let filter = SuppressionFilter { mailbox: Some(mailbox.to_owned()), reason: None, offset: 0 };
        let (entries, _) = self.suppressions(&filter, LIMIT, now).await?;
        Ok(entries.into_iter().map(|entry| entry.reason).collect())
    }

    /// The newest entries that the filter selects and that have not ended, at most `limit`, and whether there are more.
    pub async fn suppressions(
        &self,
        filter: &SuppressionFilter,
        limit: usize,
        now: DateTime<Utc>,
    ) -> DbResult<(Vec<Suppression>, bool)> {
        let found: DbResult<Vec<Suppression>> = on_db!(self.reader(), connection => {
            sqlx::query_as(LIST_SUPPRESSIONS)
                // Planned for the values, so that an absent value costs nothing.
                .persistent(false)
                .bind(&filter.mailbox)
                .bind(filter.reason.map(SuppressionReason::as_str))
                .bind(now)
                .bind(one_more(limit))
                .bind(filter.offset)
                .fetch_all(&mut *connection)
                .await?
        });
        Ok(split_off_more(found?, limit))
    }
}
