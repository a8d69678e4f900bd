//! `mail show`: one email and its history.

use bookly_shared::db::Db;
use bookly_shared::db::emails::attempts::AttemptRow;
use bookly_shared::db::emails::list::EmailRow;
use bookly_shared::db::emails::reports::ReportRow;
use bookly_shared::domain::{MailServer, printable};
use chrono::{DateTime, Utc};
use clap::Args;
use comfy_table::{Cell, Table};
use serde::Serialize;
use uuid::Uuid;

use super::selection::find;
use crate::commands::screen::{DIM, print_json, print_line, styled};
use crate::commands::table;

/// Which email to show.
#[derive(Debug, Args)]
pub struct Show {
    /// The id that `list` and the logs show
    id: Uuid,
    /// Answer with one JSON document
    #[arg(long)]
    json: bool,
}

pub(super) const HELP: &str = "\
JSON: an email as in `mail list`, and its \"history\": every attempt, the first one first. \
An attempt: fencing_token, worker, outcome, smtp_code, reply, started_at, duration_ms. The outcome is sent, retried, failed, \
cancelled, lease_lost, worker_lost or database_away. With a fallback also server: first or fallback. \
Where something was reported after the email was sent, its \"reports\": outcome (bounced, soft_bounced, delayed or complained), \
source, reply, reported_at.";

#[derive(Serialize)]
struct ShowDocument {
    #[serde(flatten)]
    email: EmailRow,
    history: Vec<AttemptRow>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reports: Vec<ReportRow>,
}

impl Show {
    pub(super) async fn run(self, db: &Db) -> anyhow::Result<()> {
        let email = find(db, self.id).await?;
        let (history, reports) = (db.attempts_of(self.id).await?, db.reports_of(self.id).await?);
        if self.json {
            return Ok(print_json(&ShowDocument { email, history, reports })?);
        }
        for (name, value) in facts(&email) {
            print_line(format_args!("{} {}", styled(DIM, format_args!("{name:13}")), printable(&value)))?;
        }
        print_line("")?;
        Ok(table::print(&timeline(&email, &history, &reports))?)
    }
}

fn facts(row: &EmailRow) -> Vec<(&'static str, String)> {
    let mut facts = vec![
        ("id", row.id.to_string()),
        ("kind", row.kind.clone()),
        ("to", row.recipient.clone()),
        ("state", row.state.clone()),
        ("attempts", row.attempts.to_string()),
        ("lost leases", row.lost_leases.to_string()),
        ("lost answers", row.lost_answers.to_string()),
        ("deadline", moment(row.deadline_at)),
    ];
    let known = [
        ("reply", &row.reply),
        ("last error", &row.last_error),
        ("request", &row.request_id),
        ("trace", &row.traceparent),
    ];
    facts.extend(known.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))));
    facts
}

/// Its creation, every attempt, what was reported, and its end or what comes next.
fn timeline(row: &EmailRow, attempts: &[AttemptRow], reports: &[ReportRow]) -> Table {
    let left = ["TIME", "EVENT", "WORKER"].map(table::text).into_iter();
    let mut table =
        table::new(left.chain([table::number("MS"), table::number("CODE"), table::text("REPLY")]));
    table.add_row(event(row.created_at, "accepted", "", ""));
    for attempt in attempts {
        table.add_row([
            table::text(moment(attempt.started_at)),
            table::state(&attempt.outcome),
            table::text(&attempt.worker),
            table::number(attempt.duration_ms.map(|ms| ms.to_string()).unwrap_or_default()),
            table::number(attempt.smtp_code.map(|code| code.to_string()).unwrap_or_default()),
            table::text(reply_text(attempt)),
        ]);
    }
    for report in reports {
        table.add_row(event(report.reported_at, &report.outcome, &report.source, &report.reply));
    }
    if let Some(last) = last_event(row, attempts) {
        table.add_row(last);
    }
    table
}

/// The reply without its code, which has a column of its own; before it the mail server, where there are two.
fn reply_text(attempt: &AttemptRow) -> String {
    let reply = attempt.reply.as_deref().unwrap_or_default();
    let code = attempt.smtp_code.map(|code| format!("{code} ")).unwrap_or_default();
    let server = attempt.server.as_deref().map(|name| format!("{} server: ", MailServer::named(name)));
    server.unwrap_or_default() + reply.strip_prefix(&code).unwrap_or(reply)
}

/// An event that is not the end of an attempt: a worker has the email, it waits, or an operator or the deadline ended
/// it.
fn last_event(row: &EmailRow, attempts: &[AttemptRow]) -> Option<Vec<Cell>> {
    let of = |text: &Option<String>| text.clone().unwrap_or_default();
    match (row.state.as_str(), row.closed_at) {
        ("queued", _) => {
            let server = row.bound_to.as_deref().map(MailServer::named);
            let alone = server.map(|server| format!("waits for the {server} server alone"));
            Some(event(row.due_at, "due", "", &of(&alone)))
        }
        // The report says it.
        ("bounced" | "complained", _) => None,
        ("sending", _) => Some(event(row.due_at, "sending", &of(&row.worker), "a worker has it")),
        (state, Some(closed)) if attempts.last().is_none_or(|last| last.outcome != state) => {
            let text = if state == "sent" { &row.reply } else { &row.last_error };
            Some(event(closed, state, "", &of(text)))
        }
        _ => None,
    }
}

fn event(time: DateTime<Utc>, what: &str, worker: &str, text: &str) -> Vec<Cell> {
    let [empty_ms, empty_code] = ["", ""].map(table::text);
    vec![
        table::text(moment(time)),
        table::state(what),
        table::text(worker),
        empty_ms,
        empty_code,
        table::text(text),
    ]
}

fn moment(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M:%S%.3fZ").to_string()
}

#[cfg(test)]
mod tests {
    use bookly_shared::domain::has_control_characters;

    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_795_456_800 + second, 0).unwrap()
    }

    fn email(state: &str) -> EmailRow {
        EmailRow {
            id: Uuid::from_u128(7),
            kind: "welcome".to_owned(),
            recipient: "ada@example.org".to_owned(),
            state: state.to_owned(),
            attempts: 1,
            lost_leases: 0,
            lost_answers: 0,
            bound_to: None,
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
            server: None,
            started_at: at(2),
            duration_ms: Some(40),
        }
    }

    /// The timeline without its headings and times.
    fn events(row: &EmailRow, attempts: &[AttemptRow]) -> Vec<String> {
        lines_of(&timeline(row, attempts, &[]))
    }

    fn lines_of(timeline: &Table) -> Vec<String> {
        let text = anstream::adapter::strip_str(&timeline.trim_fmt()).to_string();
        let words = |line: &str| line.split_whitespace().skip(2).collect::<Vec<_>>().join(" ");
        text.lines().skip(1).map(words).collect()
    }

    #[test]
    fn a_queued_email_ends_with_what_comes_next() {
        let events = events(&email("queued"), &[attempt("retried")]);
        assert_eq!(events, ["accepted", "retried w1 40 451 later", "due"]);
    }

    #[test]
    fn the_attempt_that_ended_an_email_is_its_end() {
        let by_server = events(&email("failed"), &[attempt("failed")]);
        assert_eq!(by_server, ["accepted", "failed w1 40 451 later"]);
        let by_hand = events(&email("cancelled"), &[attempt("retried")]);
        assert_eq!(by_hand, ["accepted", "retried w1 40 451 later", "cancelled no reason"]);
    }

    fn report(words: &str) -> ReportRow {
        ReportRow {
            outcome: "bounced".to_owned(),
            source: "dsn".to_owned(),
            reply: words.to_owned(),
            reported_at: at(9),
        }
    }

    #[test]
    fn a_bounced_email_ends_with_the_report() {
        let reports = [report("550 5.1.1 no such user")];
        let table = timeline(&email("bounced"), &[attempt("sent")], &reports);
        assert_eq!(
            lines_of(&table),
            ["accepted", "sent w1 40 451 later", "bounced dsn 550 5.1.1 no such user"]
        );
    }

    #[test]
    fn where_there_are_two_mail_servers_an_attempt_names_its_own() {
        let by_fallback = AttemptRow { server: Some("fallback".to_owned()), ..attempt("retried") };
        let events = events(&email("queued"), &[by_fallback]);
        assert_eq!(events, ["accepted", "retried w1 40 451 fallback server: later", "due"]);
    }

    #[test]
    fn a_queued_email_that_only_one_server_may_get_names_it() {
        let row = EmailRow { bound_to: Some("fallback".to_owned()), ..email("queued") };
        assert_eq!(events(&row, &[]), ["accepted", "due waits for the fallback server alone"]);
    }

    #[test]
    fn what_another_program_wrote_moves_no_cursor() {
        let escape = "\u{1b}[2J\u{9b}1A\r\u{202e}x";
        let reply = Some(escape.to_owned());
        let row = EmailRow { recipient: escape.to_owned(), last_error: reply.clone(), ..email("failed") };
        let attempts = [AttemptRow { reply, worker: escape.to_owned(), ..attempt("retried") }];
        for line in timeline(&row, &attempts, &[report(escape)]).lines() {
            let text = anstream::adapter::strip_str(&line).to_string();
            assert!(!has_control_characters(&text), "{text:?}");
        }
    }
}
