//! `mail list`.

use bookly_shared::clock::Clock;
use bookly_shared::db::Db;
use bookly_shared::db::emails::list::EmailRow;
use bookly_shared::domain::EmailState;
use clap::Args;
use comfy_table::Table;
use serde::Serialize;

use super::selection::Selection;
use crate::commands::one_of::one_of;
use crate::commands::screen::{print_json, print_line};
use crate::commands::table;

/// Which emails to list.
#[derive(Debug, Args)]
pub struct ListEmails {
    /// Only emails in this state
    #[arg(long, value_parser = one_of(&EmailState::ALL, EmailState::as_str))]
    state: Option<EmailState>,
    #[command(flatten)]
    selection: Selection,
    /// At most this many
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    limit: u16,
    /// Answer with one JSON document
    #[arg(long)]
    json: bool,
}

pub(super) const HELP: &str = "\
JSON: {\"emails\": [email], \"more\": true if there are more than --limit}
An email: id, kind, recipient, state, attempts, lost_leases, lost_answers, created_at, due_at, deadline_at, closed_at, \
worker, reply, last_error, request_id, traceparent. Times are RFC 3339; an empty field is null.

Examples:
  bookly-worker mail list --to ada@example.org
  bookly-worker mail list --state failed --kind reset_password --since 2h
  bookly-worker mail list --state queued --json | jq -r '.emails[].id'";

#[derive(Serialize)]
struct EmailsDocument {
    emails: Vec<EmailRow>,
    more: bool,
}

impl ListEmails {
    pub(super) async fn run(self, db: &Db) -> anyhow::Result<()> {
        let now = Clock::synchronised(db).await?.now();
        let filter = self.selection.filter(self.state, now);
        let (emails, more) = db.list_emails(&filter, usize::from(self.limit)).await?;
        if self.json {
            return Ok(print_json(&EmailsDocument { emails, more })?);
        }
        table::print(&table_of(&emails))?;
        Ok(print_line(table::count(emails.len(), more, ["email", "emails"]))?)
    }
}

fn table_of(rows: &[EmailRow]) -> Table {
    let left = ["ID", "CREATED", "STATE", "KIND"].map(table::text).into_iter();
    let mut table = table::new(left.chain([table::number("ATTEMPTS"), table::text("TO")]));
    for row in rows {
        table.add_row([
            table::text(row.id),
            table::instant(row.created_at),
            table::state(&row.state),
            table::text(&row.kind),
            table::number(row.attempts),
            table::text(&row.recipient),
        ]);
    }
    table
}
