//! `suppression remove`.

use anyhow::bail;
use bookly_shared::audit;
use bookly_shared::db::Db;
use bookly_shared::domain::{EmailAddress, SuppressionReason};
use clap::Args;
use serde::Serialize;

use crate::commands::one_of;
use crate::commands::screen::{print_json, print_line};

/// Which mailbox gets emails again.
#[derive(Debug, Args)]
pub struct Remove {
    /// The address, in any spelling; what follows a + belongs to it
    address: EmailAddress,
    /// Only the entry with this reason
    #[arg(long, value_parser = one_of(&SuppressionReason::ALL, SuppressionReason::as_str))]
    reason: Option<SuppressionReason>,
    /// Answer with one JSON document
    #[arg(long)]
    json: bool,
}

pub(super) const HELP: &str = "\
Without --reason all entries of the mailbox are removed, also that the recipient unsubscribed.

JSON: {\"removed\": number of entries}

Examples:
  bookly-worker suppression remove ada@example.org --reason bounce";

#[derive(Serialize)]
struct RemoveDocument {
    removed: u64,
}

impl Remove {
    pub(super) async fn run(self, db: &Db) -> anyhow::Result<()> {
        let mailbox = self.address.canonical();
        let removed = db.unsuppress(&self.address, self.reason).await?;
        if removed == 0 {
            let reason = self.reason.map(|reason| format!(" with the reason {reason}")).unwrap_or_default();
            bail!("there is no suppression of {mailbox}{reason}");
        }
        audit::suppression(mailbox, self.reason, "suppression_removed");
        if self.json {
            return Ok(print_json(&RemoveDocument { removed })?);
        }
        Ok(print_line(format_args!("suppressions of {mailbox} removed: {removed}"))?)
    }
}
