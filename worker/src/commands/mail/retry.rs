//! `mail retry`: one failed email, or all that match.

use anyhow::{Context, bail};
use bookly_shared::audit;
use bookly_shared::clock::Clock;
use bookly_shared::db::emails::list::EmailFilter;
use bookly_shared::db::{Db, DbResult};
use bookly_shared::domain::{EmailKind, EmailState};
use clap::Args;
use serde::Serialize;
use uuid::Uuid;

use super::progress::Progress;
use super::selection::{Selection, find};
use crate::commands::one_of::one_of;
use crate::commands::screen::{print_json, print_line};

/// Rows of one statement: few, so that workers do not wait long for its locks.
const BATCH: i64 = 500;

/// Which emails to send again.
#[derive(Debug, Args)]
pub struct Retry {
    /// The id that `list` and the logs show
    #[arg(required_unless_present = "state", conflicts_with_all = ["state", "kind", "to", "since"])]
    id: Option<Uuid>,
    /// All emails in this state that match; only failed ones can be sent again
    #[arg(long, value_parser = one_of(&[EmailState::Failed], EmailState::as_str))]
    state: Option<EmailState>,
    #[command(flatten)]
    selection: Selection,
    /// Answer with one JSON document
    #[arg(long)]
    json: bool,
}

pub(super) const HELP: &str = "\
A retried email is queued as if it were new: with a new deadline, and with a link that is made when it is sent. A running \
worker claims it within seconds. The worker cancels it if it is no longer wanted, because the account is verified \
meanwhile, for example.

JSON: {\"retried\": number of emails}

Examples:
  bookly-worker mail retry 0193bd5a-7e5c-7d1b-bcc4-4a9e2f37b6d1
  bookly-worker mail retry --state failed --since 2h
  bookly-worker mail retry --state failed --kind verify_email --to ada@example.org";

#[derive(Serialize)]
struct RetryDocument {
    retried: usize,
}

impl Retry {
    pub(super) async fn run(self, db: &Db) -> anyhow::Result<()> {
        let clock = Clock::synchronised(db).await?;
        let retried = match self.id {
            Some(id) => one(db, id, &clock).await?,
            None => all(db, self.selection.filter(self.state, clock.now()), &clock).await?,
        };
        if self.json {
            return Ok(print_json(&RetryDocument { retried })?);
        }
        Ok(print_line(match (self.id, retried) {
            (Some(id), _) => format!("email {id} is queued again; a running worker claims it within seconds"),
            (None, 0) => "no failed email matches".to_owned(),
            (None, 1) => "1 email is queued again; a running worker claims it within seconds".to_owned(),
            (None, emails) => {
                format!("{emails} emails are queued again; running workers claim them within seconds")
            }
        })?)
    }
}

async fn one(db: &Db, id: Uuid, clock: &Clock) -> anyhow::Result<usize> {
    if db.retry_email(id, clock.now()).await? {
        audit::email_by_command(id, "email_retried");
        return Ok(1);
    }
    let row = find(db, id).await?;
    if row.state == EmailState::Failed.as_str() && row.kind.parse::<EmailKind>().is_err() {
        bail!(
            "email {id} is of the kind {}, which this version does not know; use the newer version",
            row.kind
        );
    }
    bail!("email {id} is {}; only failed emails can be retried", row.state)
}

async fn all(db: &Db, filter: EmailFilter, clock: &Clock) -> anyhow::Result<usize> {
    let mut retried = 0;
    let done = in_batches(db, filter, clock, &mut retried).await;
    if retried > 0 {
        audit::emails_by_command(retried, "emails_retried");
    }
    done.with_context(|| format!("{retried} emails were queued again before this"))?;
    Ok(retried)
}

/// From the newest to the oldest, so that an email that fails again meanwhile is not retried twice. Adds to `retried`
/// also when a later batch fails.
async fn in_batches(db: &Db, mut filter: EmailFilter, clock: &Clock, retried: &mut usize) -> DbResult<()> {
    let progress = Progress::of_stderr();
    loop {
        let ids = db.retry_failed(&filter, BATCH, clock.now()).await?;
        let Some(smallest) = ids.iter().min() else { return Ok(()) };
        *retried += ids.len();
        progress.show(format_args!("queued again: {retried}"));
        filter.before = Some(*smallest);
    }
}
