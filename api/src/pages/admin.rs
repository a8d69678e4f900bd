//! What the operator's pages show.

use bookly_shared::db::emails::attempts::AttemptRow;
use bookly_shared::db::emails::list::EmailRow;
use bookly_shared::db::emails::reports::ReportRow;
use bookly_shared::db::emails::stats::Backlog;
use bookly_shared::db::mail_servers::Circuits;
use bookly_shared::db::suppressions::Suppression;
use bookly_shared::domain::{EmailState, MailServer, printable, short_duration};
use chrono::{DateTime, Utc};
use serde::Serialize;

use super::plot::Plot;

/// `/admin`: the flow of emails.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Board {
    /// The address of the administrator.
    pub operator: String,
    /// Emails that wait.
    pub queued: i64,
    /// Emails that workers are sending.
    pub sending: i64,
    /// How long the oldest one has waited, as text; none when none waits.
    pub oldest: Option<String>,
    /// Failed emails that are still stored.
    pub failed: i64,
    /// The last hour.
    pub plot: Plot,
    /// The newest emails that wait.
    pub waiting: Vec<EmailLine>,
    /// The newest emails that failed.
    pub failures: Vec<EmailLine>,
    /// The mail servers, with the circuit state of the workers.
    pub servers: Vec<ServerLine>,
    /// The newest suppressions.
    pub suppressions: Vec<SuppressionLine>,
    /// Whether there are more of them.
    pub more_suppressions: bool,
}

/// A mail server, with a circuit state and the workers that have it.
#[derive(Clone, Debug, Serialize)]
pub struct ServerLine {
    server: String,
    address: String,
    circuit: String,
    since: String,
    workers: i64,
}

/// An email in a list.
#[derive(Clone, Debug, Serialize)]
pub struct EmailLine {
    id: String,
    to: String,
    kind: String,
    state: String,
    time: String,
    reason: Option<String>,
}

/// `/admin/emails`: a search and its results.
#[derive(Clone, Debug, Default, Serialize)]
pub struct EmailSearch {
    /// The address that is searched for, as it was typed.
    pub to: String,
    /// The state that is searched for, or an empty text.
    pub state: String,
    /// All states.
    pub states: Vec<&'static str>,
    /// The emails found.
    pub emails: Vec<EmailLine>,
    /// The query of the next part, if there is one.
    pub next: Option<String>,
    /// What is wrong with the search.
    pub error: Option<String>,
}

/// A suppression in a list.
#[derive(Clone, Debug, Serialize)]
pub struct SuppressionLine {
    mailbox: String,
    reason: String,
    source: String,
    time: String,
    until: Option<String>,
}

/// `/admin/suppressions`: the mailboxes that get no email.
#[derive(Clone, Debug, Default, Serialize)]
pub struct SuppressionSearch {
    /// The mailbox that is searched for, as it was typed, or an empty text. Templates have a macro `address`.
    pub mailbox: String,
    /// The suppressions found.
    pub entries: Vec<SuppressionLine>,
    /// The query of the next part, if there is one.
    pub next: Option<String>,
    /// What is wrong with a form.
    pub error: Option<String>,
}

/// `/admin/emails/{id}`: what happened to one email.
#[derive(Clone, Debug, Serialize)]
pub struct EmailHistory {
    id: String,
    to: String,
    kind: String,
    state: String,
    deadline: String,
    request: Option<String>,
    trace: Option<String>,
    events: Vec<TimelineEvent>,
    may_retry: bool,
    may_cancel: bool,
}

/// Something that happened to an email.
#[derive(Clone, Debug, Serialize)]
struct TimelineEvent {
    time: String,
    what: String,
    /// `good`, `bad` or empty: how it is shown.
    tone: &'static str,
    reply: Option<String>,
    detail: Option<String>,
}

impl Board {
    /// With the numbers of a backlog.
    pub fn with_backlog(mut self, backlog: &Backlog) -> Board {
        self.queued = backlog.queued;
        self.sending = backlog.sending;
        self.oldest = (backlog.queued > 0).then(|| short_duration(backlog.oldest_seconds));
        self
    }
}

impl From<&EmailRow> for EmailLine {
    fn from(row: &EmailRow) -> EmailLine {
        EmailLine {
            id: row.id.to_string(),
            to: shown(&row.recipient),
            kind: kind_label(&row.kind),
            state: row.state.clone(),
            time: instant(row.created_at),
            reason: row.last_error.as_deref().map(shown),
        }
    }
}

impl From<&Circuits> for ServerLine {
    fn from(row: &Circuits) -> ServerLine {
        ServerLine {
            server: shown(&row.server),
            address: shown(&row.address),
            circuit: row.circuit.replace('_', "-"),
            since: instant(row.since),
            workers: row.workers,
        }
    }
}

impl From<&Suppression> for SuppressionLine {
    fn from(row: &Suppression) -> SuppressionLine {
        SuppressionLine {
            mailbox: shown(&row.mailbox),
            reason: row.reason.clone(),
            source: shown(&row.source),
            time: instant(row.created_at),
            until: row.until.map(instant),
        }
    }
}

impl EmailHistory {
    /// From an email's row, its attempts, and what was reported of it.
    pub fn new(row: &EmailRow, attempts: &[AttemptRow], reports: &[ReportRow]) -> EmailHistory {
        let state = row.state.parse().ok();
        let accepted = TimelineEvent::plain(row.created_at, "Accepted");
        let last = match state {
            Some(EmailState::Queued) => Some(TimelineEvent::plain(row.due_at, "Next attempt due")),
            Some(EmailState::Sending) => row.worker.as_ref().map(|worker| TimelineEvent {
                detail: Some(shown(worker)),
                ..TimelineEvent::plain(row.due_at, "A worker is sending it")
            }),
            // The report says it.
            Some(EmailState::Bounced | EmailState::Complained) => None,
            // The last attempt says how it was closed. Where there is no such attempt, the row says it.
            Some(state) if attempts.last().is_none_or(|last| last.outcome != state.as_str()) => {
                let reply = row.last_error.as_deref().map(shown);
                row.closed_at
                    .map(|time| TimelineEvent { reply, ..TimelineEvent::plain(time, closed_as(state)) })
            }
            _ => None,
        };
        EmailHistory {
            id: row.id.to_string(),
            to: shown(&row.recipient),
            kind: kind_label(&row.kind),
            state: row.state.clone(),
            deadline: instant(row.deadline_at),
            request: row.request_id.clone(),
            trace: row.traceparent.clone(),
            events: [accepted]
                .into_iter()
                .chain(attempts.iter().map(TimelineEvent::attempt))
                .chain(reports.iter().map(TimelineEvent::report))
                .chain(last)
                .collect(),
            may_retry: state == Some(EmailState::Failed),
            may_cancel: state == Some(EmailState::Queued),
        }
    }
}

impl TimelineEvent {
    fn plain(time: DateTime<Utc>, what: &str) -> Self {
        Self { time: instant(time), what: what.to_owned(), tone: "", reply: None, detail: None }
    }

    fn attempt(row: &AttemptRow) -> Self {
        let (what, tone) = match row.outcome.as_str() {
            "sent" => ("Sent", "good"),
            "retried" => ("Not sent, will be retried", "bad"),
            "failed" => ("Failed", "bad"),
            "cancelled" => ("Cancelled", ""),
            "lease_lost" => ("Stopped before DATA: the lease was lost or could not be confirmed", ""),
            "worker_lost" => ("The worker was lost", "bad"),
            "database_away" => ("The database did not answer", "bad"),
            other => (other, ""),
        };
        let took = row.duration_ms.map(|ms| format!("{ms} ms"));
        let server = row.server.as_deref().map(|name| format!("{} mail server", MailServer::named(name)));
        let detail =
            [Some(shown(&row.worker)), server, took].into_iter().flatten().collect::<Vec<_>>().join(", ");
        Self {
            time: instant(row.started_at),
            what: what.to_owned(),
            tone,
            reply: row.reply.as_deref().map(shown),
            detail: Some(detail),
        }
    }

    fn report(row: &ReportRow) -> Self {
        let (what, tone) = match row.outcome.as_str() {
            "bounced" => ("Bounced: the mailbox does not exist", "bad"),
            "soft_bounced" => ("Bounced; the mailbox may exist", "bad"),
            "delayed" => ("Late, and still on its way", ""),
            "complained" => ("The recipient called it spam", "bad"),
            other => (other, ""),
        };
        let (reply, detail) = (Some(shown(&row.reply)), Some(format!("reported by {}", shown(&row.source))));
        Self { tone, reply, detail, ..Self::plain(row.reported_at, what) }
    }
}

/// A text from outside: in a page too, characters that change the writing direction make a line read as another one.
fn shown(text: &str) -> String {
    printable(text).into_owned()
}

fn closed_as(state: EmailState) -> &'static str {
    match state {
        EmailState::Sent => "Sent",
        EmailState::Failed => "Failed",
        EmailState::Cancelled => "Cancelled",
        EmailState::Bounced => "Bounced",
        EmailState::Complained => "Called spam",
        EmailState::Queued | EmailState::Sending => "Open",
    }
}

/// `verify_email` is "verify email".
fn kind_label(kind: &str) -> String {
    kind.replace('_', " ")
}

/// A time as in logs: "2026-11-23 15:04:05".
pub(super) fn instant(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M:%S").to_string()
}
