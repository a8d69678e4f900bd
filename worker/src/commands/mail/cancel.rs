//! `mail cancel`.

use anyhow::bail;
use bookly_shared::audit;
use bookly_shared::clock::Clock;
use bookly_shared::db::Db;
use clap::Args;
use serde::Serialize;
use uuid::Uuid;

use super::selection::find;
use crate::commands::screen::{print_json, print_line};

/// Which email to cancel.
#[derive(Debug, Args)]
pub struct Cancel {
    /// The id that `list` and the logs show
    id: Uuid,
    /// Answer with one JSON document
    #[arg(long)]
    json: bool,
}

pub(super) const HELP: &str = "\
Only a queued email can be cancelled: one that a worker has claimed may be on its way already.

JSON: {\"cancelled\": number of emails}";

#[derive(Serialize)]
struct CancelDocument {
    cancelled: usize,
}

impl Cancel {
    pub(super) async fn run(self, db: &Db) -> anyhow::Result<()> {
        let id = self.id;
        let now = Clock::synchronised(db).await?.now();
        if !db.cancel_email(id, now).await? {
            let row = find(db, id).await?;
            bail!("email {id} is {}; only queued emails can be cancelled", row.state);
        }
        audit::email_by_command(id, "email_cancelled");
        if self.json {
            return Ok(print_json(&CancelDocument { cancelled: 1 })?);
        }
        Ok(print_line(format_args!("email {id} is cancelled"))?)
    }
}
