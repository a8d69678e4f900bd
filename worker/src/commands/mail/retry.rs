//! `mail retry`: one failed mail, or all that fit.

use anyhow::{Context, bail};
use bookly_shared::clock::Clock;
use bookly_shared::db::Db;
use bookly_shared::db::emails::admin::EmailFilter;
use bookly_shared::domain::{EmailKind, EmailState};
use clap::Args;
use serde::Serialize;
use uuid::Uuid;

use super::found;
use super::progress::Progress;
use super::selection::{Selection, state_parser};
use crate::commands::screen::Screen;

/// Rows of one statement: few enough that workers are not kept waiting.
const BATCH: i64 = 500;

/// What to send again.
#[derive(Debug, Args)]
pub struct Retry {
    /// The id that `list` and the logs show
    #[arg(required_unless_present = "state", conflicts_with_all = ["state", "kind", "to", "since"])]
    id: Option<Uuid>,
    /// All mails in this state that fit; only failed ones can be sent again
    #[arg(long, value_parser = state_parser(&[EmailState::Failed]))]
    state: Option<EmailState>,
    #[command(flatten)]
    selection: Selection,
    /// Answer with one JSON document
    #[arg(long)]
    json: bool,
}

pub(super) const HELP: &str = "\
Retried mails are queued as if they had been accepted now: with a new deadline, and a link that is fresh when it is sent.
Running workers take them within seconds. What makes no sense any more is cancelled then.

JSON: {\"retried\": number of mails}

Examples:
  bookly-worker mail retry 0193bd5a-7e5c-7d1b-bcc4-4a9e2f37b6d1
  bookly-worker mail retry --state failed --since 2h
  bookly-worker mail retry --state failed --kind verify_email --to ada@example.org";

#[derive(Serialize)]
struct Document {
    retried: usize,
}

impl Retry {
    pub(super) async fn run(self, db: &Db, screen: Screen) -> anyhow::Result<()> {
        let clock = Clock::synchronised(db).await?;
        let retried = match self.id {
            Some(id) => one(db, id, &clock).await?,
            None => all(db, self.selection.filter(self.state, clock.now()), &clock).await?,
        };
        if self.json {
            return Ok(screen.json(&Document { retried })?);
        }
        Ok(screen.line(match (self.id, retried) {
            (Some(id), _) => format!("mail {id} is queued again; a running worker takes it within seconds"),
            (None, 0) => "no failed mail fits".to_owned(),
            (None, 1) => "1 mail is queued again; a running worker takes it within seconds".to_owned(),
            (None, mails) => {
                format!("{mails} mails are queued again; running workers take them within seconds")
            }
        })?)
    }
}

async fn one(db: &Db, id: Uuid, clock: &Clock) -> anyhow::Result<usize> {
    if db.retry_email(id, clock.now()).await? {
        return Ok(1);
    }
    let row = found(db, id).await?;
    if row.state == EmailState::Failed.as_str() && row.kind.parse::<EmailKind>().is_err() {
        bail!("mail {id} is of the kind {}, which this version does not know; use the newer one's", row.kind);
    }
    bail!("mail {id} is {}; only failed mails can be retried", row.state)
}

/// From the newest to the oldest, so that what fails again meanwhile is not met twice.
async fn all(db: &Db, mut filter: EmailFilter, clock: &Clock) -> anyhow::Result<usize> {
    let progress = Progress::of_stderr();
    let mut retried = 0;
    loop {
        let ids = db.retry_failed(&filter, BATCH, clock.now()).await;
        let ids = ids.with_context(|| format!("{retried} mails were queued again before this"))?;
        let Some(smallest) = ids.iter().min() else { return Ok(retried) };
        retried += ids.len();
        progress.show(format_args!("queued again: {retried}"));
        filter.before = Some(*smallest);
    }
}
