//! Suppressions as JSON. The names of the fields are those of the table and do not change.

use bookly_shared::db::suppressions::{NewSuppression, Suppression};
use chrono::{DateTime, Utc};
use serde::Serialize;

/// A row of `suppressions`.
#[derive(Serialize)]
pub(super) struct SuppressionDocument<'a> {
    mailbox: &'a str,
    reason: &'a str,
    source: &'a str,
    created_at: DateTime<Utc>,
    until: Option<DateTime<Utc>>,
}

impl<'a> From<&'a Suppression> for SuppressionDocument<'a> {
    fn from(row: &'a Suppression) -> Self {
        SuppressionDocument {
            mailbox: &row.mailbox,
            reason: &row.reason,
            source: &row.source,
            created_at: row.created_at,
            until: row.until,
        }
    }
}

impl<'a> From<&'a NewSuppression> for SuppressionDocument<'a> {
    fn from(new: &'a NewSuppression) -> Self {
        SuppressionDocument {
            mailbox: &new.mailbox,
            reason: new.reason.as_str(),
            source: &new.source,
            created_at: new.created_at,
            until: new.until,
        }
    }
}
