//! `mail cancel`.

use anyhow::bail;
use bookly_shared::clock::Clock;
use bookly_shared::db::Db;
use clap::Args;
use serde::Serialize;
use uuid::Uuid;

use super::found;
use crate::commands::screen::Screen;

/// What not to send.
#[derive(Debug, Args)]
pub struct Cancel {
    /// The id that `list` and the logs show
    id: Uuid,
    /// Answer with one JSON document
    #[arg(long)]
    json: bool,
}

pub(super) const HELP: &str = "\
Only a mail that waits can be cancelled: one that a worker has may be on its way already.

JSON: {\"cancelled\": number of mails}";

#[derive(Serialize)]
struct Document {
    cancelled: usize,
}

impl Cancel {
    pub(super) async fn run(self, db: &Db, screen: Screen) -> anyhow::Result<()> {
        let id = self.id;
        let now = Clock::synchronised(db).await?.now();
        if !db.cancel_email(id, now).await? {
            let row = found(db, id).await?;
            bail!("mail {id} is {}; only queued mails can be cancelled", row.state);
        }
        if self.json {
            return Ok(screen.json(&Document { cancelled: 1 })?);
        }
        Ok(screen.line(format_args!("mail {id} is cancelled"))?)
    }
}
