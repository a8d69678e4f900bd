//! `suppression list`.

use bookly_shared::clock::Clock;
use bookly_shared::db::Db;
use bookly_shared::db::suppressions::{Suppression, SuppressionFilter};
use bookly_shared::domain::{EmailAddress, SuppressionReason};
use clap::Args;
use comfy_table::Table;
use serde::Serialize;

use crate::commands::one_of::one_of;
use crate::commands::screen::{print_json, print_line};
use crate::commands::table;

/// Which suppressions to list.
#[derive(Debug, Args)]
pub struct ListSuppressions {
    /// Only those of this mailbox
    address: Option<EmailAddress>,
    /// Only those with this reason
    #[arg(long, value_parser = one_of(&SuppressionReason::ALL, SuppressionReason::as_str))]
    reason: Option<SuppressionReason>,
    /// At most this many
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    limit: u16,
    /// Answer with one JSON document
    #[arg(long)]
    json: bool,
}

pub(super) const HELP: &str = "\
\"bounce\" and \"operator\" stop every kind of email, \"complaint\" and \"unsubscribe\" only \"welcome\".

JSON: {\"suppressions\": [suppression], \"more\": true if there are more than --limit} \
A suppression: mailbox, reason, source, created_at, until. Times are RFC 3339; without an end, until is null.

Examples:
  bookly-worker suppression list ada@example.org
  bookly-worker suppression list --reason bounce --json | jq -r '.suppressions[].mailbox'";

#[derive(Serialize)]
struct SuppressionsDocument {
    suppressions: Vec<Suppression>,
    more: bool,
}

impl ListSuppressions {
    pub(super) async fn run(self, db: &Db) -> anyhow::Result<()> {
        let now = Clock::synchronised(db).await?.now();
        let mailbox = self.address.map(|address| address.canonical().to_owned());
        let filter = SuppressionFilter { mailbox, reason: self.reason, offset: 0 };
        let (suppressions, more) = db.suppressions(&filter, usize::from(self.limit), now).await?;
        if self.json {
            return Ok(print_json(&SuppressionsDocument { suppressions, more })?);
        }
        table::print(&table_of(&suppressions))?;
        Ok(print_line(table::count(suppressions.len(), more, ["suppression", "suppressions"]))?)
    }
}

fn table_of(rows: &[Suppression]) -> Table {
    let mut table = table::new(["CREATED", "REASON", "UNTIL", "SOURCE", "MAILBOX"].map(table::text));
    for row in rows {
        table.add_row([
            table::instant(row.created_at),
            table::text(&row.reason),
            row.until.map_or_else(|| table::text("-"), table::instant),
            table::text(&row.source),
            table::text(&row.mailbox),
        ]);
    }
    table
}
