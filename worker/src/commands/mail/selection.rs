//! Which emails a command is about.

use anyhow::Context;
use bookly_shared::db::Db;
use bookly_shared::db::emails::list::{EmailFilter, EmailRow};
use bookly_shared::domain::{EmailAddress, EmailKind, EmailState};
use chrono::{DateTime, Utc};
use clap::Args;
use uuid::Uuid;

use super::since::Since;
use crate::commands::one_of::one_of;

/// Which emails a command is about; all of them where nothing is given.
#[derive(Debug, Args)]
pub(super) struct Selection {
    /// Only emails of this kind
    #[arg(long, value_parser = one_of(&EmailKind::ALL, EmailKind::as_str))]
    kind: Option<EmailKind>,
    /// Only emails to this address
    #[arg(long, value_name = "ADDRESS")]
    to: Option<EmailAddress>,
    /// Only emails created since then: 30m, 2h, 3d ago, or an RFC 3339 time
    #[arg(long, value_name = "TIME")]
    since: Option<Since>,
}

impl Selection {
    /// The same as a filter for the database.
    pub(super) fn filter(&self, state: Option<EmailState>, now: DateTime<Utc>) -> EmailFilter {
        EmailFilter {
            state,
            kind: self.kind.map(|kind| kind.as_str().to_owned()),
            mailbox: self.to.as_ref().map(|address| address.canonical().to_owned()),
            since: self.since.map(|since| since.time(now)),
            before: None,
        }
    }
}

/// The email with this id.
pub(super) async fn find(db: &Db, id: Uuid) -> anyhow::Result<EmailRow> {
    db.email(id).await?.with_context(|| {
        format!(
            "there is no email {id}; closed ones are deleted after MAIL_RETENTION_DAYS, those to \
                       addresses without an account after a day"
        )
    })
}
