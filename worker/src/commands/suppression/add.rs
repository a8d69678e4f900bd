//! `suppression add`.

use bookly_shared::audit;
use bookly_shared::clock::Clock;
use bookly_shared::db::Db;
use bookly_shared::db::suppressions::NewSuppression;
use bookly_shared::domain::{EmailAddress, SuppressionReason};
use chrono::TimeDelta;
use clap::Args;

use crate::commands::one_of::one_of;
use crate::commands::screen::{print_json, print_line};

/// Which mailbox gets no email.
#[derive(Debug, Args)]
pub struct Add {
    /// The address, in any spelling; what follows a + belongs to it
    address: EmailAddress,
    /// Why: it decides which emails are stopped
    #[arg(long, default_value = "operator", value_parser = one_of(&SuppressionReason::ALL, SuppressionReason::as_str))]
    reason: SuppressionReason,
    /// For so many days; by default 30 for a bounce, and without an end for the others
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=3650))]
    days: Option<u16>,
    /// Answer with one JSON document
    #[arg(long)]
    json: bool,
}

pub(super) const HELP: &str = "\
\"bounce\" and \"operator\" stop every kind of email, \"complaint\" and \"unsubscribe\" only \"welcome\". An entry of the same \
mailbox and reason is replaced.

JSON: the suppression: mailbox, reason, source, created_at, until.

Examples:
  bookly-worker suppression add ada@example.org
  bookly-worker suppression add ada@example.org --reason unsubscribe";

/// The source of these entries.
const SOURCE: &str = "command";

impl Add {
    pub(super) async fn run(self, db: &Db) -> anyhow::Result<()> {
        let now = Clock::synchronised(db).await?.now();
        let mut entry = NewSuppression::new(self.address.canonical(), self.reason, SOURCE, now);
        if let Some(days) = self.days {
            entry = entry.lasting(TimeDelta::days(days.into()));
        }
        db.suppress(&entry).await?;
        audit::suppression(&entry.mailbox, self.reason.as_str(), "suppression_added");
        if self.json {
            return Ok(print_json(&entry)?);
        }
        Ok(print_line(format_args!("emails to {} are suppressed: {}", entry.mailbox, self.reason))?)
    }
}
