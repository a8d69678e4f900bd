//! `mail show`: one mail's whole life.

use bookly_shared::db::Db;
use bookly_shared::db::emails::admin::EmailRow;
use bookly_shared::db::emails::attempts::AttemptRow;
use chrono::{DateTime, Utc};
use clap::Args;
use serde::Serialize;
use uuid::Uuid;

use super::document::{AttemptDocument, MailDocument};
use super::{colour_of, found};
use crate::commands::screen::{Colour, Screen};
use crate::commands::table::{Cell, Table};

/// Which mail to show.
#[derive(Debug, Args)]
pub struct Show {
    /// The id that `list` and the logs show
    id: Uuid,
    /// Answer with one JSON document
    #[arg(long)]
    json: bool,
}

pub(super) const HELP: &str = "\
JSON: a mail as in `mail list`, and its \"history\": every attempt, the first one first.
An attempt: fencing_token, worker, outcome, smtp_code, words, started_at, duration_ms. The outcome is sent, retried, failed,
cancelled, lease_lost, worker_lost or database_away.";

#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    mail: MailDocument<'a>,
    history: Vec<AttemptDocument<'a>>,
}

impl Show {
    pub(super) async fn run(self, db: &Db, screen: Screen) -> anyhow::Result<()> {
        let row = found(db, self.id).await?;
        let attempts = db.attempts_of(self.id).await?;
        if self.json {
            let history = attempts.iter().map(AttemptDocument::from).collect();
            return Ok(screen.json(&Document { mail: MailDocument::from(&row), history })?);
        }
        for (name, value) in facts(&row) {
            screen.line(format_args!("{} {value}", screen.paint(Colour::Dim, format_args!("{name:13}"))))?;
        }
        screen.line("")?;
        for line in timeline(&row, &attempts).lines(screen) {
            screen.line(line)?;
        }
        Ok(())
    }
}

fn facts(row: &EmailRow) -> Vec<(&'static str, String)> {
    let mut facts = vec![
        ("id", row.id.to_string()),
        ("kind", row.kind.clone()),
        ("to", row.recipient.clone()),
        ("state", row.state.clone()),
        ("attempts", row.attempts.to_string()),
        ("lost workers", row.lost_leases.to_string()),
        ("lost answers", row.lost_answers.to_string()),
        ("deadline", moment(row.deadline_at)),
    ];
    let known = [
        ("server said", &row.reply),
        ("last error", &row.last_error),
        ("request", &row.request_id),
        ("trace", &row.traceparent),
    ];
    facts.extend(known.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))));
    facts
}

/// From the acceptance over every attempt to the end, or to what comes next.
fn timeline(row: &EmailRow, attempts: &[AttemptRow]) -> Table {
    let left = ["TIME", "EVENT", "WORKER"].map(Cell::text).into_iter();
    let mut table = Table::new(left.chain([Cell::number("MS"), Cell::number("CODE"), Cell::text("WORDS")]));
    table.row(event(row.created_at, "accepted", "", ""));
    for attempt in attempts {
        table.row([
            Cell::text(moment(attempt.started_at)),
            Cell::text(&attempt.outcome).painted(colour_of(&attempt.outcome)),
            Cell::text(&attempt.worker),
            Cell::number(attempt.duration_ms.map(|ms| ms.to_string()).unwrap_or_default()),
            Cell::number(attempt.smtp_code.map(|code| code.to_string()).unwrap_or_default()),
            Cell::text(words_of(attempt)),
        ]);
    }
    if let Some(last) = last_event(row, attempts) {
        table.row(last);
    }
    table
}

/// Without the code, which has a column of its own.
fn words_of(attempt: &AttemptRow) -> &str {
    let words = attempt.reply.as_deref().unwrap_or_default();
    let code = attempt.smtp_code.map(|code| format!("{code} ")).unwrap_or_default();
    words.strip_prefix(&code).unwrap_or(words)
}

/// What is not an attempt's own end: that a worker has the mail, that it waits, that a hand or a deadline ended it.
fn last_event(row: &EmailRow, attempts: &[AttemptRow]) -> Option<Vec<Cell>> {
    let of = |text: &Option<String>| text.clone().unwrap_or_default();
    match (row.state.as_str(), row.closed_at) {
        ("queued", _) => Some(event(row.due_at, "due", "", "")),
        ("sending", _) => Some(event(row.due_at, "sending", &of(&row.worker), "a worker has it")),
        (state, Some(closed)) if attempts.last().is_none_or(|last| last.outcome != state) => {
            let words = if state == "sent" { &row.reply } else { &row.last_error };
            Some(event(closed, state, "", &of(words)))
        }
        _ => None,
    }
}

fn event(time: DateTime<Utc>, what: &str, worker: &str, words: &str) -> Vec<Cell> {
    let event = Cell::text(what).painted(colour_of(what));
    vec![
        Cell::text(moment(time)),
        event,
        Cell::text(worker),
        Cell::text(""),
        Cell::text(""),
        Cell::text(words),
    ]
}

fn moment(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M:%S%.3fZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_795_456_800 + second, 0).unwrap()
    }

    fn mail(state: &str) -> EmailRow {
        EmailRow {
            id: Uuid::from_u128(7),
            kind: "welcome".to_owned(),
            recipient: "ada@example.org".to_owned(),
            state: state.to_owned(),
            attempts: 1,
            lost_leases: 0,
            lost_answers: 0,
            due_at: at(9),
            deadline_at: at(99),
            worker: None,
            last_error: Some("no reason".to_owned()),
            reply: None,
            request_id: None,
            traceparent: None,
            created_at: at(0),
            closed_at: (state != "queued").then(|| at(5)),
        }
    }

    fn attempt(outcome: &str) -> AttemptRow {
        AttemptRow {
            fencing_token: 1,
            worker: "w1".to_owned(),
            outcome: outcome.to_owned(),
            smtp_code: Some(451),
            reply: Some("451 later".to_owned()),
            started_at: at(2),
            duration_ms: Some(40),
        }
    }

    /// The timeline without its headings and times.
    fn events(row: &EmailRow, attempts: &[AttemptRow]) -> Vec<String> {
        let lines = timeline(row, attempts).lines(Screen::plain());
        let words = |line: &String| line.split_whitespace().skip(2).collect::<Vec<_>>().join(" ");
        lines.iter().skip(1).map(words).collect()
    }

    #[test]
    fn a_mail_that_waits_ends_with_what_comes_next() {
        let events = events(&mail("queued"), &[attempt("retried")]);
        assert_eq!(events, ["accepted", "retried w1 40 451 later", "due"]);
    }

    #[test]
    fn the_attempt_that_ended_a_mail_is_its_end() {
        let by_server = events(&mail("failed"), &[attempt("failed")]);
        assert_eq!(by_server, ["accepted", "failed w1 40 451 later"]);
        let by_hand = events(&mail("cancelled"), &[attempt("retried")]);
        assert_eq!(by_hand, ["accepted", "retried w1 40 451 later", "cancelled no reason"]);
    }
}
