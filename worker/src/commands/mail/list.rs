//! `mail list`.

use bookly_shared::clock::Clock;
use bookly_shared::db::Db;
use bookly_shared::db::emails::admin::EmailRow;
use bookly_shared::domain::EmailState;
use clap::Args;
use comfy_table::Table;
use serde::Serialize;

use super::document::EmailDocument;
use super::selection::{Selection, state_parser};
use super::state_cell;
use crate::commands::screen::{print_json, print_line};
use crate::commands::table;

/// Which emails to list.
#[derive(Debug, Args)]
pub struct List {
    /// Only emails in this state
    #[arg(long, value_parser = state_parser(&EmailState::ALL))]
    state: Option<EmailState>,
    #[command(flatten)]
    selection: Selection,
    /// At most this many
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=10_000))]
    limit: i64,
    /// Answer with one JSON document
    #[arg(long)]
    json: bool,
}

pub(super) const HELP: &str = "\
JSON: {\"emails\": [email], \"more\": true if there are more than --limit}
An email: id, kind, recipient, state, attempts, lost_leases, lost_answers, created_at, due_at, deadline_at, closed_at,
worker, reply, last_error, request_id, traceparent. Times are RFC 3339; an empty field is null.

Examples:
  bookly-worker mail list --to ada@example.org
  bookly-worker mail list --state failed --kind reset_password --since 2h
  bookly-worker mail list --state queued --json | jq -r '.emails[].id'";

#[derive(Serialize)]
struct ListDocument<'a> {
    emails: Vec<EmailDocument<'a>>,
    more: bool,
}

impl List {
    pub(super) async fn run(self, db: &Db) -> anyhow::Result<()> {
        let now = Clock::synchronised(db).await?.now();
        // One more row than the limit tells whether there are more.
        let mut rows = db.list_emails(&self.selection.filter(self.state, now), self.limit + 1).await?;
        let limit = usize::try_from(self.limit)?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        if self.json {
            let emails = rows.iter().map(EmailDocument::from).collect();
            return Ok(print_json(&ListDocument { emails, more })?);
        }
        table::print(&table_of(&rows))?;
        Ok(print_line(table::count(rows.len(), more, ["email", "emails"]))?)
    }
}

fn table_of(rows: &[EmailRow]) -> Table {
    let left = ["ID", "CREATED", "STATE", "KIND"].map(table::text).into_iter();
    let mut table = table::new(left.chain([table::number("ATTEMPTS"), table::text("TO")]));
    for row in rows {
        table.add_row([
            table::text(row.id),
            table::instant(row.created_at),
            state_cell(&row.state),
            table::text(&row.kind),
            table::number(row.attempts),
            table::text(&row.recipient),
        ]);
    }
    table
}
