//! `mail list`.

use bookly_shared::clock::Clock;
use bookly_shared::db::Db;
use bookly_shared::db::emails::admin::EmailRow;
use bookly_shared::domain::EmailState;
use clap::Args;
use serde::Serialize;

use super::colour_of;
use super::document::MailDocument;
use super::selection::{Selection, state_parser};
use crate::commands::screen::Screen;
use crate::commands::table::{Cell, Table};

/// Which mails to list.
#[derive(Debug, Args)]
pub struct List {
    /// Only mails in this state
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
JSON: {\"mails\": [mail], \"more\": whether there are others}
A mail: id, kind, recipient, state, attempts, lost_leases, lost_answers, created_at, due_at, deadline_at, closed_at,
worker, reply, last_error, request_id, traceparent. Times are RFC 3339; what is not there is null.

Examples:
  bookly-worker mail list --to ada@example.org
  bookly-worker mail list --state failed --kind reset_password --since 2h
  bookly-worker mail list --state queued --json | jq -r '.mails[].id'";

#[derive(Serialize)]
struct Document<'a> {
    mails: Vec<MailDocument<'a>>,
    more: bool,
}

impl List {
    pub(super) async fn run(self, db: &Db, screen: Screen) -> anyhow::Result<()> {
        let now = Clock::synchronised(db).await?.now();
        // One more tells whether there are others.
        let mut rows = db.list_emails(&self.selection.filter(self.state, now), self.limit + 1).await?;
        let limit = usize::try_from(self.limit)?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        if self.json {
            return Ok(screen.json(&Document { mails: rows.iter().map(MailDocument::from).collect(), more })?);
        }
        for line in table(&rows).lines(screen) {
            screen.line(line)?;
        }
        Ok(screen.line(count(rows.len(), more))?)
    }
}

fn table(rows: &[EmailRow]) -> Table {
    let left = ["ID", "ACCEPTED", "STATE", "KIND"].map(Cell::text).into_iter();
    let mut table = Table::new(left.chain([Cell::number("TRIES"), Cell::text("TO")]));
    for row in rows {
        table.row([
            Cell::text(row.id),
            Cell::text(row.created_at.format("%Y-%m-%dT%H:%M:%SZ")),
            Cell::text(&row.state).painted(colour_of(&row.state)),
            Cell::text(&row.kind),
            Cell::number(row.attempts),
            Cell::text(&row.recipient),
        ]);
    }
    table
}

fn count(mails: usize, more: bool) -> String {
    let noun = if mails == 1 { "mail" } else { "mails" };
    if more { format!("{mails} {noun}; there are more, see --limit") } else { format!("{mails} {noun}") }
}
